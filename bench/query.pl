#!/usr/bin/perl
# `make bench`: what the demo's typical query costs, as CPU time of the server
# per request and as a ratio to nginx's own `return 200` of the same bytes.
# Both are locations of one nginx, measured in turns in one run, so that a
# machine that gets slower or faster meanwhile does so for both. CPU time is
# that of the workers (/proc/PID/schedstat); the client's is not in it.
#
#     WORKERS=1 ROUNDS=5 MILLISECONDS=1000 CONNECTIONS=64 bench/query.pl
#
# With INSTRUCTIONS=COUNT instead: how many instructions in user space such a
# request takes, counted by callgrind over so many requests. It says nothing
# of the kernel, but the same on a busy machine as on an idle one. The counts
# by function are left in KEEP, or /tmp/kappa-callgrind.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../t/lib";
use Kappa::Test;
use Time::HiRes qw(time);

my $workers = $ENV{WORKERS} || 1;
my $rounds = $ENV{ROUNDS} || 5;
my $ms = $ENV{MILLISECONDS} || 1000;
my $connections = $ENV{CONNECTIONS} || 64;
my $load = "$Kappa::Test::ROOT/build/bench/load";

my $QUERY = 'query Section($section: ID!) { section(name: $section) '
    . '{ name packages bytes } packages(section: $section, first: 10) '
    . '{ nodes { name version size } } }';

my @sections = sections();
my $t = Kappa::Test->new(
    schema => Kappa::Test::file('examples/catalogue/schema.graphql'),
    workers => $workers,
    http => "    keepalive_requests 1000000000;\n",
);
import_archive($t);

# The bytes that `return` gives are those of a first answer.
$t->start;
my $r = $t->graphql($QUERY, { section => $sections[0] });
die "the query fails:\n$r->{raw}\n" if !$r->{json} || $r->{json}{errors};
my $answer = $r->{body};
$t->stop;
die "no quotes or dollars in an answer, please" if $answer =~ /['\$\\]/;
$t->write_config(server => "        location = /return {\n"
    . "            default_type application/json;\n"
    . "            return 200 '$answer';\n        }\n");

my $bodies = $t->dir . '/bodies';
my @requests = map {
    $Kappa::Test::JSON->encode(
        { query => $QUERY, variables => { section => $_ } })
} @sections;
Kappa::Test::write_file($bodies, join '', map { "$_\n" } @requests);

if ($ENV{INSTRUCTIONS}) {
    count_instructions($ENV{INSTRUCTIONS});
    exit;
}
$t->start;
my $probe = lost_cpu();
run($_, 200) for '/return', '/graphql';
my (%cpu, %requests, %seconds);
for (1 .. $rounds) {
    for my $path ('/return', '/graphql') {
        my ($n, $cpu, $seconds) = run($path, $ms);
        $requests{$path} += $n;
        $cpu{$path} += $cpu;
        $seconds{$path} += $seconds;
    }
}
my $probe_after = lost_cpu();
report();
$t->stop;

sub report {
    printf "%d-byte answer to a %d-byte POST, %d sections in turn, "
        . "%d connections, %d worker%s, %d rounds of %d ms each\n\n",
        length $answer, length $requests[0], scalar @sections, $connections,
        $workers, $workers == 1 ? '' : 's', $rounds, $ms;
    printf "%-22s %12s %14s\n", '', 'CPU/request', 'requests/s';
    my %per = map { $_ => $cpu{$_} / $requests{$_} } keys %cpu;
    for (['nginx return 200', '/return'], ['kappa query', '/graphql']) {
        my ($name, $path) = @$_;
        printf "%-22s %9.2f us %14.0f\n", $name, $per{$path},
            $requests{$path} / $seconds{$path};
    }
    printf "%-22s %11.2fx\n", 'ratio', $per{'/graphql'} / $per{'/return'};
    printf "\nworker's own memory: %.1f MB\n", worker_memory();
    printf "CPU lost to others: %.0f%% before, %.0f%% after\n",
        $probe, $probe_after;
}

sub count_instructions {
    my ($n) = @_;
    my $keep = $ENV{KEEP} || '/tmp/kappa-callgrind';
    $t->write_config(main => 'master_process off;', kappa => 'map_size 4g;');
    my $config = Kappa::Test::read_file($t->dir . '/nginx.conf');
    $config =~ s/^(user|master_process on|worker_processes).*;$//mg;
    Kappa::Test::write_file($t->dir . '/nginx.conf', $config);
    mkdir $keep;
    my %per;
    for my $path ('/return', '/graphql') {
        my $out = "$keep/callgrind$path" =~ s{/(?=\w+$)}{.}r;
        $per{$path} = callgrind($path, $n, $out) / $n;
        printf "%-22s %9.0f instructions a request, %s\n",
            $path, $per{$path}, $out;
    }
    printf "%-22s %11.2fx\n", 'ratio', $per{'/graphql'} / $per{'/return'};
}

sub callgrind {
    my ($path, $n, $out) = @_;
    unlink $out;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$out.log";
        { exec 'valgrind', '--tool=callgrind', '--instr-atstart=no',
            "--callgrind-out-file=$out", $t->nginx_command; }
        POSIX::_exit(127);
    }
    my $up = Kappa::Test::wait_until(sub { $t->connect }, 60);
    if ($up) {
        my @load = ($load, $t->{port}, $path, $bodies, $connections, 60000);
        `@load 500`;
        system "callgrind_control -i on $pid > $out.log";
        `@load "" $n` =~ /^requests $n wrong 0 / or warn "wrong answers";
        system "callgrind_control -i off $pid >> $out.log";
    }
    kill 'TERM', $pid;
    waitpid $pid, 0;
    my ($sum) = Kappa::Test::read_file($out) =~ /^totals: (\d+)/m;
    die "callgrind counted nothing: see $out.log\n" if !$up || !$sum;
    return $sum;
}

# (requests, CPU microseconds of the workers, seconds)
sub run {
    my ($path, $milliseconds) = @_;
    my $before = cpu_us();
    my $said = `$load $t->{port} $path $bodies $connections $milliseconds`;
    die "load: $said" if $? >> 8 == 2;
    my ($n, $wrong, $us) = $said
        =~ /^requests (\d+) wrong (\d+) microseconds (\d+)/ or die $said;
    die "$path: $wrong of $n answers were wrong\n" if $wrong;
    return ($n, cpu_us() - $before, $us / 1e6);
}

sub cpu_us {
    my $sum = 0;
    for my $pid ($t->workers) {
        # Threads have files of their own.
        for my $file (glob "/proc/$pid/task/*/schedstat") {
            $sum += (split ' ', Kappa::Test::read_file($file))[0] / 1000;
        }
    }
    return $sum;
}

# Megabytes of the largest worker that are not mapped files.
sub worker_memory {
    my $most = 0;
    for my $pid ($t->workers) {
        my ($kb) = Kappa::Test::read_file("/proc/$pid/status")
            =~ /^RssAnon:\s+(\d+)/m;
        $most = $kb if $kb && $kb > $most;
    }
    return $most / 1024;
}

# How many percent of a busy 200 ms this process did not get.
sub lost_cpu {
    my ($start, $cpu) = (time, (times)[0] + (times)[1]);
    1 while time - $start < 0.2;
    my $used = (times)[0] + (times)[1] - $cpu;
    my $lost = 100 * (1 - $used / (time - $start));
    return $lost > 0 ? $lost : 0;
}

# Sections with many packages, all with names of the like length.
sub sections {
    return qw(admin devel doc editors electronics games gnome graphics
        interpreters kde libs libdevel mail math misc net perl python
        science sound text utils video web x11);
}

sub import_archive {
    my ($test) = @_;
    my $events = $test->dir . '/events.ndjson';
    system "apt-cache dumpavail | perl "
        . "$Kappa::Test::ROOT/examples/catalogue/packages.pl > $events";
    die "apt has no package index: run apt-get update\n" if !-s $events;
    chmod 0644, $events;
    my $start = time;
    my $r = $test->kappa(['import', $events, '--store', $test->store,
        '--schema', $test->dir . '/schema.graphql'], timeout => 300);
    die "kappa import: $r->{err}" if $r->{status};
    my $lines = () = Kappa::Test::read_file($events) =~ /\n/g;
    printf "%d events imported in %.1f s\n", $lines, time - $start;
    unlink $events;
}
