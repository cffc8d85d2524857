#!/usr/bin/perl
# `make bench T=rebuild`: how long one client's mutations and another's queries
# wait while a generation of views is built beside the one that serves, by
# `kappa rebuild` and by a worker after a reload with another schema; over all
# of the build, from its start to the swap. Before and after, the same clients
# on the same machine without a build: what others take of it is in both.
#
#     EVENTS=400000 SECONDS=5 bench/rebuild.pl
#
# It never fails on a figure.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench;
use Kappa::Test;
use POSIX ();
use Time::HiRes qw(sleep time);

my $events = $ENV{EVENTS} || 400_000;
my $seconds = $ENV{SECONDS} || 5;
my $SDL = <<'END';
type Item @view(key: "sku") @index(fields: ["shelf", "n"]) @index(fields: ["n"]) { sku: ID! n: Int! shelf: ID! text: String }
type Shelf @view(key: "name") @groupBy(of: "Item", by: "shelf") { name: ID! items: Int! @count sum: BigInt! @sum(field: "n") }
type Query { item(sku: ID!): Item shelf(name: ID!): Shelf }
type Mutation { put(sku: ID!, n: Int!, shelf: ID!): Item! @event(thing: "Item", verb: "put", effect: PUT) }
END
my %body = (
    mutation => sub {
        return qq({"query":"mutation { put(sku: \\"m$_[0]\\", n: $_[0], shelf: \\"s1\\") { n } }"});
    },
    query => sub {
        my $shelf = 's' . $_[0] % 500;
        return qq({"query":"{ shelf(name: \\"$shelf\\") { items sum } }"});
    },
);

my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    http => "    keepalive_requests 1000000000;\n");
fill();
$t->start;
my %clients = map { $_ => client($_) } keys %body;
my %during;
sleep $seconds;
during('kappa rebuild', sub {
    my $r = $t->kappa(['rebuild', '--store', $t->store], timeout => 600);
    die $r->{err} if $r->{status};
});
sleep $seconds;
during('a worker, after a reload', sub {
    my $before = current();
    (my $sdl = $SDL) =~ s/(sum: \S+ \S+ "n"\))/$1 most: Int \@max(field: "n")/;
    $t->schema($sdl);
    $t->reload;
    Kappa::Test::wait_until(sub { current() ne $before }, 600)
        or die 'no build';
});
sleep $seconds;
Kappa::Test::write_file($t->dir . '/stop', '');
waitpid $_, 0 for values %clients;
print_table();
$t->stop;

sub current { return Kappa::Test::read_file($t->store . '/views/current') }

# Keys in no order, which the views' pages feel most.
sub fill {
    srand 1;
    my $path = $t->dir . '/events.ndjson';
    open my $out, '>', $path or die "$path: $!";
    for my $i (1 .. $events) {
        printf $out '{"thing":"Item","verb":"put","key":"k%d","data":{"n":%d,'
            . '"shelf":"s%d","text":"what is written of it"}}' . "\n",
            rand 1e9, $i * 7919 % 100_000, $i % 500;
    }
    close $out;
    my $r = $t->kappa(['import', $path, '--store', $t->store,
        '--schema', $t->dir . '/schema.graphql'], timeout => 600);
    die $r->{err} if $r->{status};
}

sub during {
    my ($name, $build) = @_;
    my $begun = time;
    $build->();
    $during{$name} = [$begun, time];
}

# --- a client: one request at a time, on one connection; when each began and
# how long it took go to a file

sub client {
    my ($kind) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open my $out, '>', $t->dir . "/$kind" or POSIX::_exit(1);
    my $socket = $t->connect;
    for (my $i = 1; !-e $t->dir . '/stop'; $i++) {
        my $body = $body{$kind}->($i);
        my $begun = time;
        until (ask($socket, $body)) {    # the worker of before has left
            $socket = $t->connect;
        }
        printf $out "%.6f %.6f\n", $begun, time - $begun;
        sleep 0.002;
    }
    close $out;
    POSIX::_exit(0);
}

# False: the connection ended.
sub ask {
    my ($socket, $body) = @_;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, "POST /graphql HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body"
        or return 0;
    my $answer = '';
    while (sysread $socket, $answer, 65536, length $answer) {
        my ($head, $got) = split /\r\n\r\n/, $answer, 2;
        next if !defined $got;
        my ($want) = $head =~ /^Content-Length: (\d+)/im;
        next if length $got < $want;
        die $answer if $got =~ /"errors"/;
        return 1;
    }
    return 0;
}

# --- the table

sub print_table {
    printf "while views of %d events are built; milliseconds\n\n", $events;
    printf "%-10s %-26s %8s %8s %8s %8s %8s\n", '', '',
        'asked', 'median', '99%', '99.9%', 'worst';
    for my $kind (sort keys %body) {
        my %took;
        for (split /\n/, Kappa::Test::read_file($t->dir . "/$kind")) {
            my ($begun, $took) = split;
            push @{ $took{ build_at($begun, $begun + $took) } }, 1000 * $took;
        }
        row($kind, $_, $took{$_} // [0]) for 'no build', sort keys %during;
    }
    printf "\n";
    printf "%-37s %6.1f s\n", "$_ took", $during{$_}[1] - $during{$_}[0]
        for sort keys %during;
}

sub build_at {
    my ($begun, $ended) = @_;
    for (sort keys %during) {
        return $_ if $ended >= $during{$_}[0] && $begun <= $during{$_}[1];
    }
    return 'no build';
}

sub row {
    my ($kind, $name, $took) = @_;
    my @sorted = sort { $a <=> $b } @$took;
    printf "%-10s %-26s %8d %8.1f %8.1f %8.1f %8.1f\n", $kind, $name,
        scalar @sorted, map { $sorted[$_ * $#sorted] } 0.5, 0.99, 0.999, 1;
}
