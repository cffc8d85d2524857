#!/usr/bin/perl
# Checks that includes follow the arrows between rooms (docs/architecture.md)
# and that each library is known to one room only. Prints what does not.

use strict;
use warnings;

# What each room may include, beside itself.
my %may = (
    base => [],
    graphql => [qw(base)],
    expr => [qw(base)],
    auth => [qw(base)],
    proto => [qw(base)],
    log => [qw(base)],
    views => [qw(log graphql expr base)],
    live => [qw(views log graphql expr base)],
    cli => [qw(live views log graphql expr auth proto base)],
    ngx_kappa_module => [qw(live views log graphql expr auth proto base)],
);

# Headers of libraries, and the rooms that may include them.
my %library = (
    'lmdb.h' => [qw(views)],
    'jansson.h' => [qw(base)],
    'wslay/wslay.h' => [qw(proto)],
    'jwt.h' => [qw(auth)],
    'curl/curl.h' => [qw(auth proto)],
    'nats/nats.h' => [qw(log)],
);

my $bad = 0;

for my $room (sort keys %may) {
    for my $file (sort glob("$room/*.[ch] $room/*/*.[ch]")) {
        check($room, $file);
    }
}
exit($bad ? 1 : 0);

sub check {
    my ($room, $file) = @_;
    open my $in, '<', $file or die "$file: $!";
    while (my $line = <$in>) {
        next if $line !~ /^\s*#\s*include\s+([<"])([^>"]+)[>"]/;
        my $why = $1 eq '"' ? own($room, $2) : foreign($room, $2);
        next if !$why;
        print "$file:$.: $why\n";
        $bad = 1;
    }
    close $in;
}

# An include of the repository's own.
sub own {
    my ($room, $path) = @_;
    # The envelope that protoc-c makes is the log's.
    return '' if $path =~ m{^proto/kappa/v1/.*\.pb-c\.h$};
    my ($to) = $path =~ m{^([a-z_]+)/};
    return "\"$path\" is not rooted at the repository" if !defined $to;
    return '' if $to eq $room || grep { $_ eq $to } @{ $may{$room} };
    return "$room may not include $to (\"$path\")";
}

sub foreign {
    my ($room, $path) = @_;
    if ($path =~ /^ngx_|^nginx\.h/ && $room ne 'ngx_kappa_module') {
        return "only ngx_kappa_module knows nginx (<$path>)";
    }
    my $rooms = $library{$path} or return '';
    return '' if grep { $_ eq $room } @$rooms;
    return "$room may not include <$path>";
}
