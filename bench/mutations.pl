#!/usr/bin/perl
# `make bench T=mutations`: how many durable mutations a second kappa takes by
# GraphQL over HTTP, beside Debian's Redis with XADD, `appendonly yes` and
# `appendfsync always`. One client program (bench/mutations.c) asks both, from
# as many connections, one request at a time on each, in turns; both write to
# the same file system and answer when it is on the disk. Also beside raw
# appends to a preallocated file in batches of the same size; and for a single
# client, beside one such append plus one HTTP request to nginx.
#
#     CLIENTS=64 WORKERS=1 ROUNDS=5 MILLISECONDS=1000 bench/mutations.pl
#
# Ratios are the median of the rounds' own. It never fails on a figure.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Kappa::Bench qw(cpu_us);
use Kappa::Test;
use Time::HiRes qw(sleep time);

my $clients = $ENV{CLIENTS} || 64;
my $workers = $ENV{WORKERS} || 1;
my $rounds = $ENV{ROUNDS} || 5;
my $ms = $ENV{MILLISECONDS} || 1000;
my $client = "$Kappa::Bench::BUILD/mutations";
my $tag = 0;

my $t = Kappa::Test->new(schema => <<'END', workers => $workers,
type Note @view { id: ID! text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  add(id: ID!, text: String!): Note! @event(thing: "Note", verb: "added", effect: CREATE)
}
END
    http => "    keepalive_requests 1000000000;\n",
    server => <<'END');
        location = /return { return 200 '{"data":{"add":{"id":"0-0"}}}'; }
        location = /metrics { kappa_metrics; }
END
my $redis = start_redis();
$t->start;

my %run = (
    kappa => sub { ask('http', $t->port, '/graphql', @_) },
    redis => sub { ask('redis', $redis->{port}, 'notes', @_) },
);
$run{$_}->($clients, 300) for qw(kappa redis);
my $bytes = event_bytes();
many();
one();
kill 'KILL', $redis->{pid};
waitpid $redis->{pid}, 0;
$t->stop;

# --- what is measured

# From many clients at once.
sub many {
    my (%rate, @to_redis, @to_file);
    my ($events, $batches) = batches();
    my $cpu = cpu_us($t->workers);
    for (1 .. $rounds) {
        my %now = map { $_ => $run{$_}->($clients, $ms) } qw(kappa redis);
        my ($e, $b) = batches();
        my $batch = int(($e - $events) / ($b - $batches) + 0.5) || 1;
        $now{file} = append($batch, $ms / 4);
        push @{ $rate{$_} }, $now{$_} for keys %now;
        push @to_redis, $now{kappa} / $now{redis};
        push @to_file, $now{kappa} / $now{file};
    }
    $cpu = cpu_us($t->workers) - $cpu;
    my ($e, $b) = batches();
    printf "durable mutations, %d clients, %d worker%s, %d rounds of %d ms each\n\n",
        $clients, $workers, $workers == 1 ? '' : 's', $rounds, $ms;
    my %name = (kappa => 'kappa, GraphQL over HTTP',
        redis => 'Redis, XADD, fsync always', file => 'appends to a file, as batched');
    printf "%-32s %10.0f /s\n", $name{$_}, median(@{ $rate{$_} })
        for qw(kappa redis file);
    printf "%-32s %10.2f   (bar: 0.40)\n", 'ratio to Redis', median(@to_redis);
    printf "%-32s %10.2f\n", 'ratio to the file', median(@to_file);
    printf "%-32s %10.1f events of %d bytes in the log, %.1f us CPU each\n\n",
        'a batch', ($e - $events) / ($b - $batches), $bytes, $cpu / ($e - $events);
}

# From one: nothing to batch, so it is the way there and back, and the disk.
# One of each in turn, for the disk is never the same for long.
sub one {
    my (@us, @file, @http, @ratio);
    for (1 .. $rounds) {
        my $file = $t->dir . '/data/appended';
        my $times = int $ms / 4;
        my ($kappa, $http, $append) = `$client one @{[$t->port]} /graphql /return $file $bytes $times one$_`
            =~ /^mutation (\d+) request (\d+) append (\d+)/ or die "the client failed\n";
        push @us, $kappa;
        push @file, $append;
        push @http, $http;
        push @ratio, $kappa / ($append + $http);
    }
    printf "%-32s %10.0f us: an append of %d bytes takes %.0f, a request %.0f\n",
        'a mutation of one client', median(@us), $bytes, median(@file),
        median(@http);
    printf "%-32s %10.2f   (bar: 1.50)\n", 'ratio', median(@ratio);
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[@sorted / 2];
}

# Answers a second.
sub ask {
    my ($what, $port, $path, $n, $milliseconds) = @_;
    $tag++;
    return rate(`$client $what $port $path $n $milliseconds $$.$tag`);
}

sub append {
    my ($records, $milliseconds) = @_;
    my $file = $t->dir . '/data/appended';
    return rate(`$client append $file $records $bytes $milliseconds`);
}

sub rate {
    my ($said) = @_;
    my ($n, $wrong, $us) = ($said // '')
        =~ /^requests (\d+) wrong (\d+) microseconds (\d+)/
        or die "the client failed\n";
    die "$wrong of $n answers were wrong\n" if $wrong;
    return $n / $us * 1e6;
}

# --- kappa

# (events, batches) so far.
sub batches {
    my $page = $t->get('/metrics')->{body};
    return map { $page =~ /^kappa_batch_events_$_(?:\{[^}]*\})? (\d+)/m
            ? $1 : die "no metrics\n" } qw(sum count);
}

# What one takes in the log.
sub event_bytes {
    my ($used, $events) = (0, (batches())[0]);
    for my $file (glob $t->store . '/log/*.seg') {
        my $bytes = Kappa::Test::read_file($file);
        $bytes =~ s/\0+\z//;
        $used += length $bytes;
    }
    return int($used / $events + 0.5);
}

# --- Redis

# Debian's redis-tools has the server as well, under another name, and starts
# none when it is installed.
sub start_redis {
    my $server = "$Kappa::Bench::BUILD/redis-server";
    symlink '/usr/bin/redis-check-rdb', $server if !-l $server;
    my $port = Kappa::Test::free_port();
    my $dir = $t->dir . '/redis';
    mkdir $dir or die "$dir: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$dir/log";
        { exec $server, '--port', $port,
            '--bind', '127.0.0.1', '--dir', $dir, '--save', '',
            '--appendonly', 'yes', '--appendfsync', 'always',
            '--auto-aof-rewrite-percentage', 0; }
        POSIX::_exit(127);
    }
    Kappa::Test::wait_until(sub { IO::Socket::INET->new("127.0.0.1:$port") })
        or die "Redis does not start:\n" . Kappa::Test::read_file("$dir/log");
    return { pid => $pid, port => $port };
}
