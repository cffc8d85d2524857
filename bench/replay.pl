#!/usr/bin/perl
# `make bench T=replay`: how many events of the log a second become views, for
# a view without indexes and for one with two indexes, a count and a sum; by
# keys that rise, as those do that kappa makes up, and by keys in no order.
# Memory is that of the process without mapped files: after the first tenth of
# the events and at most.
#
#     EVENTS=1000000 bench/replay.pl

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench;

my $events = $ENV{EVENTS} || 1_000_000;
my @runs = (
    ['plain', 'ordered', 'no index', 200_000],
    ['plain', 'scattered', 'no index, keys in no order'],
    ['indexed', 'ordered', 'two indexes, a count and a sum', 60_000],
    ['indexed', 'scattered', 'the same, keys in no order'],
);
printf "views computed from %d events\n\n%-32s %12s %14s %11s %18s %10s\n",
    $events, '', 'events/s', 'CPU/event', 'views', 'memory at 1/10', 'most';
run(@$_) for @runs;

sub run {
    my ($schema, $order, $name, $bar) = @_;
    my $dir = File::Temp::tempdir('kappa-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $said = `$Kappa::Bench::BUILD/replay $dir $schema $order $events`;
    my %got = $said =~ /(\w+) (\d+)/g;
    die "replay: $said\n" if $? || !$got{microseconds};
    printf "%-32s %12.0f %11.2f us %8d MB %15.1f MB %7.1f MB%s\n", $name,
        $events / $got{microseconds} * 1e6, $got{cpu} / $events, $got{size},
        $got{memory_first} / 1024, $got{memory_last} / 1024,
        $bar ? "   (bar: $bar)" : '';
    File::Temp::cleanup();
}
