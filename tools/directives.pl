#!/usr/bin/perl
# Checks that docs/directives.md has every directive of the module, and no
# other: in a heading of its own, or in the table of its block.

use strict;
use warnings;

my (%coded, %written);

for my $file (glob 'ngx_kappa_module/*.c') {
    open my $in, '<', $file or die "$file: $!";
    my $text = do { local $/; <$in> };
    while ($text =~ /ngx_command_t\s+\w+\[\]\s*=\s*\{(.*?)ngx_null_command/gs) {
        my $table = $1;
        $coded{$1} = $file while $table =~ /ngx_string\("(\w+)"\)/g;
    }
    # What stands inside the kappa block is told apart by name.
    $coded{$1} = $file
        while $text =~ /ngx_strcmp\(value\[0\]\.data, "(\w+)"\)/g;
}
exit 0 if !%coded && !-e 'docs/directives.md';

open my $in, '<', 'docs/directives.md' or die "docs/directives.md: $!";
while (<$in>) {
    $written{$1} = $. if /^###\s+`?(\w+)`?\s*$/;
    # What stands inside a block is described in a table of its own.
    $written{$1} = $. if /^\| `(\w+)[^`]*;` \|/;
}

my $bad = 0;
for my $name (sort keys %coded) {
    next if $written{$name};
    print "docs/directives.md: no heading for $name ($coded{$name})\n";
    $bad = 1;
}
for my $name (sort keys %written) {
    next if $coded{$name};
    print "docs/directives.md:$written{$name}: $name is no directive\n";
    $bad = 1;
}
exit $bad;
