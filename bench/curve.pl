#!/usr/bin/perl
# `make bench T=curve`: what a query costs the worker in CPU time when its view
# has 1,000 rows, and when it has up to ten million: a row by its key, and a
# device with ten of its readings by an index, each time of another row at
# random. With each goes a key that is not there, another one every time: an
# answer that is kept from an equal request would cost nothing.
#
# Beside both stands what LMDB alone takes for the same reads in the same views
# (bench/lookups.c): trees grow, and processors' caches don't. What is kappa's
# own must not grow.
#
#     ROWS=10000000 ROUNDS=3 MILLISECONDS=500 bench/curve.pl
#
# ROWS is the most; ten million take three minutes and 8 GB of disk.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench qw(load requests);
use Kappa::Test;
use POSIX qw(strftime);

my $most = $ENV{ROWS} || 1_000_000;
my $rounds = $ENV{ROUNDS} || 3;
my $ms = $ENV{MILLISECONDS} || 500;
my $replay = "$Kappa::Bench::BUILD/replay";
my $lookups = "$Kappa::Bench::BUILD/lookups";
my $schema = `$replay schema indexed`;
my %QUERY = (
    'a row by its key' => 'query Row($id: ID!, $not: ID!) { reading(id: $id) '
        . '{ id device value at } reading2: reading(id: $not) { id } }',
    'ten by an index' => 'query Page($id: ID!, $at: DateTime!, $not: ID!) { device(id: $id) '
        . '{ readings sum } readings(device: $id, at_gte: $at, first: 10) { id value at } '
        . 'reading2: reading(id: $not) { id } }',
);

srand 1;
printf "CPU time of a query by the rows of its view, in microseconds\n\n%-12s", 'rows';
printf " %16s", $_ for 'nginx return', map { $_, 'LMDB alone' } sort keys %QUERY;
print "    views\n";
for (my $rows = 1000; $rows <= $most; $rows *= 10) {
    measure($rows);
}

sub measure {
    my ($rows) = @_;
    my $t = Kappa::Test->new(schema => $schema, workers => 1,
        http => "    keepalive_requests 1000000000;\n",
        server => "        location = /return { return 200 'ok'; }\n");
    mkdir $t->store or die $t->store . ": $!\n";
    my $said = `$replay @{[$t->store]} indexed ordered $rows`;
    die "replay: $said\n" if $?;
    if ($> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam 'www-data';
        system 'chown', '-R', "$uid:$gid", $t->store;
    }
    my %alone = `$lookups @{[$t->store]}` =~ /(\w+) (\d+)/g or die "lookups failed\n";
    $t->start;
    my %file = files($t, $rows);
    my %us;
    for my $round (0 .. $rounds) {
        for my $name ('return', sort keys %QUERY) {
            my $r = load(port => $t->port, pids => [$t->workers], milliseconds => $ms,
                path => $name eq 'return' ? '/return' : '/graphql',
                bodies => $file{$name} // $file{'a row by its key'});
            push @{ $us{$name} }, $r->{cpu} / $r->{requests} if $round; # the first warms up
        }
    }
    printf '%-12d', $rows;
    printf ' %16.2f', median(@{ $us{return} });
    printf ' %16.2f %16.2f', median(@{ $us{$_} }), $alone{ /(row|ten)/ ? $1 : '' } / 1000
        for sort keys %QUERY;
    printf " %5d MB\n", $said =~ /size (\d+)/;
    $t->stop;
}

# Many requests each, of rows all over the view.
sub files {
    my ($t, $rows) = @_;
    my %file;
    for my $name (keys %QUERY) {
        my $variables = $name =~ /row/ ? \&a_row : \&a_page;
        $file{$name} = requests($t, $name =~ /row/ ? 'rows' : 'pages',
            map { { query => $QUERY{$name}, variables => { $variables->($rows), not => '########' } } }
                1 .. 20_000);
    }
    return %file;
}

sub a_row {
    my ($rows) = @_;
    return (id => sprintf '%016x', 1 + int rand $rows);
}

# Of a device, from some time on: not of the last tenth, which may have no ten.
sub a_page {
    my ($rows) = @_;
    my $ms = int rand $rows * 0.9;
    return (id => 'd' . int rand($rows < 100_000 ? $rows / 100 : 1000),
        at => strftime('%Y-%m-%dT%H:%M:%S', gmtime 1_700_000_000 + $ms / 1000)
            . sprintf('.%03dZ', $ms % 1000));
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[@sorted / 2];
}
