#!/usr/bin/perl
# What a document costs that was never seen before: parsing, validating and
# planning one of 300 bytes against the demo's schema; and the answer to
# graphql-js' whole introspection query over GitHub's schema, parsing and all.
# CPU time, beside graphql-js (parse and validate; and execute), in turns in
# one run.
#
#     ROUNDS=3 MILLISECONDS=1000 bench/language.pl

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench ();

my $rounds = $ENV{ROUNDS} || 3;
my $ms = $ENV{MILLISECONDS} || 1000;
my $root = $Kappa::Test::ROOT;
my $peers = "$FindBin::Bin/peers";
my $dir = File::Temp::tempdir(CLEANUP => 1);

my $demo = "$root/examples/catalogue/schema.graphql";
my $github = "$peers/node_modules/\@octokit/graphql-schema/schema.graphql";
Kappa::Test::write_file("$dir/page", <<'END');
query Page########($section: ID!, $first: Int = 10, $after: String) {
  section(name: $section) { name packages bytes largest }
  packages(section: $section, first: $first, after: $after) {
    nodes { ...Row maintainerInfo { name } } pageInfo { endCursor }
  }
}
fragment Row on Package { name version size summary }
END
Kappa::Test::write_file("$dir/introspection", scalar `node $peers/introspection.mjs`);

my @rows = (
    { name => 'kappa: parse, validate, plan',
        command => "$Kappa::Bench::BUILD/language plan $demo $dir/page" },
    { name => 'graphql-js: parse, validate',
        command => "node $peers/language.mjs plan $root/graphql/kappa.graphql $demo $dir/page" },
    { name => "kappa: GitHub's introspection",
        command => "$Kappa::Bench::BUILD/language introspect $github $dir/introspection" },
    { name => "graphql-js: the same",
        command => "node $peers/language.mjs introspect $github $dir/introspection" },
);
for (1 .. $rounds) {
    for my $row (@rows) {
        my $said = `$row->{command} $ms`;
        my ($n, $us, $bytes) = $said
            =~ /^documents (\d+) microseconds (\d+) bytes (\d+)/ or die "$row->{name}: $said\n";
        $row->{documents} += $n;
        $row->{us} += $us;
        $row->{bytes} = $bytes;
    }
}
printf "%-32s %12s %12s\n", '', 'CPU', 'bytes';
for my $row (@rows) {
    my $us = $row->{us} / $row->{documents};
    printf "%-32s %9.1f %s %12d\n", $row->{name},
        $us > 1000 ? ($us / 1000, 'ms') : ($us, 'us'), $row->{bytes};
}
