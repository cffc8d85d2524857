#!/usr/bin/perl
# What the demo's query costs, as CPU time of the server per request and as a
# ratio to nginx's own `return 200` of the same bytes. All are locations of one
# nginx, measured in turns in one run, so that a machine that gets slower or
# faster meanwhile does so for all. CPU time is that of the workers; the
# client's is not in it.
#
#     WORKERS=1 ROUNDS=5 MILLISECONDS=1000 CONNECTIONS=64 bench/query.pl
#
# Five rows:
#
#   return        nginx without kappa
#   same          one request again and again
#   in turn       one request for each of 25 sections
#   varied        no two requests are the same: sections, page sizes, and a
#                 number that differs in each
#   anywhere      the same, and each is a page at another place of the archive
#
# With INSTRUCTIONS=COUNT instead: how many instructions in user space such a
# request takes, counted by callgrind over so many requests. It says nothing
# of the kernel, but the same on a busy machine as on an idle one. The counts
# by function are left in KEEP, or /tmp/kappa-callgrind. ONLY=varied,same
# counts these alone.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench qw(demo load lost_cpu memory requests);

my $workers = $ENV{WORKERS} || 1;
my $rounds = $ENV{ROUNDS} || 5;
my $ms = $ENV{MILLISECONDS} || 1000;
my $connections = $ENV{CONNECTIONS} || 64;

my $QUERY = $Kappa::Bench::QUERY;
my @sections = @Kappa::Bench::SECTIONS;
# The same query with the page's size and place open.
(my $SIZED = $QUERY) =~ s/\$section: ID!/$&, \$first: Int!/;
$SIZED =~ s/first: 10/first: \$first/;
(my $PLACED = $QUERY) =~ s/\$section: ID!/$&, \$after: String!/;
$PLACED =~ s/first: 10/$&, after: \$after/;

# Callgrind maps no terabyte.
my $t = demo(workers => $workers, $ENV{INSTRUCTIONS} ? (kappa => 'map_size 4g;') : ());
$t->start;
# The bytes that `return` gives are those of a first answer.
my $r = $t->graphql($QUERY, { section => $sections[0] });
die "the query fails:\n$r->{raw}\n" if !$r->{json} || $r->{json}{errors};
my $answer = $r->{body};
die "no quotes or dollars in an answer, please" if $answer =~ /['\$\\]/;
my @places = places();
$t->stop;
$t->write_config(server => "        location = /return {\n"
    . "            default_type application/json;\n"
    . "            return 200 '$answer';\n        }\n");

my @turn = map { { query => $QUERY, variables => { section => $_ } } } @sections;
my @varied = map { my $s = $_; map { numbered({ query => $SIZED,
    variables => { section => $s, first => $_ } }) } 6 .. 14 } @sections;
my @anywhere = map { numbered({ query => $PLACED, variables => {
    section => $_->[0], after => $_->[1] } }) } @places;
my @rows = (
    ['return', 'nginx return 200', '/return', requests($t, 'return', @turn)],
    ['same', 'the same request', '/graphql', requests($t, 'same', $turn[0])],
    ['turn', '25 requests in turn', '/graphql', requests($t, 'turn', @turn)],
    ['varied', 'all different', '/graphql', requests($t, 'varied', @varied)],
    ['anywhere', 'and anywhere', '/graphql', requests($t, 'anywhere', @anywhere)],
);
my %only = map { $_ => 1 } split /,/, $ENV{ONLY} // '';
@rows = grep { $only{ $_->[0] } } @rows if %only;

if ($ENV{INSTRUCTIONS}) {
    count_instructions($ENV{INSTRUCTIONS});
    exit;
}
$t->start;
my $probe = lost_cpu();
my %sum = map { $_->[0] => { requests => 0, cpu => 0, seconds => 0 } } @rows;
for my $round (0 .. $rounds) {
    for my $row (@rows) {
        my $run = load(port => $t->port, path => $row->[2],
            bodies => $row->[3], pids => [$t->workers],
            connections => $connections, milliseconds => $round ? $ms : 200);
        next if !$round; # to warm up
        $sum{ $row->[0] }{$_} += $run->{$_} for keys %$run;
    }
}
report($probe, lost_cpu());
$t->stop;

sub report {
    my ($before, $after) = @_;
    printf "%d-byte answer to a %d-byte POST, %d connections, %d worker%s, "
        . "%d rounds of %d ms each\n\n", length $answer,
        length $Kappa::Test::JSON->encode($turn[0]), $connections, $workers,
        $workers == 1 ? '' : 's', $rounds, $ms;
    printf "%-22s %12s %9s %12s\n", '', 'CPU/request', 'ratio', 'requests/s';
    my $base = per($rows[0]);
    for my $row (@rows) {
        printf "%-22s %9.2f us %8.2fx %12.0f\n", $row->[1], per($row),
            per($row) / $base, $sum{ $row->[0] }{requests}
            / $sum{ $row->[0] }{seconds};
    }
    printf "\nworker's own memory: %.1f MB\n", memory($t->workers);
    printf "CPU lost to others: %.0f%% before, %.0f%% after\n", $before, $after;
}

sub per {
    my ($row) = @_;
    return $sum{ $row->[0] }{cpu} / $sum{ $row->[0] }{requests};
}

# A body with a place for the request's number: a variable that the operation
# does not have, and that servers pass over.
sub numbered {
    my ($request) = @_;
    $request->{variables}{number} = '########';
    return $request;
}

# Where pages can start: [section, cursor], shuffled but always the same.
sub places {
    my @found;
    for my $section (@sections) {
        my ($after, $r) = undef;
        do {
            $r = $t->graphql('query ($s: ID!, $a: String) { packages(section: '
                . '$s, first: 1000, after: $a) { edges { cursor } } }',
                { s => $section, a => $after });
            my @cursors = map { $_->{cursor} }
                @{ $r->{json}{data}{packages}{edges} };
            $after = $cursors[-1];
            push @found, map { [$section, $_] } @cursors[0 .. $#cursors - 10];
            $r = @cursors;
        } while ($r == 1000);
    }
    srand 1;
    @found = sort { $a->[2] <=> $b->[2] } map { [@$_, rand] } @found;
    return @found > 60000 ? @found[0 .. 59999] : @found;
}

# --- instructions

sub count_instructions {
    my ($n) = @_;
    my $keep = $ENV{KEEP} || '/tmp/kappa-callgrind';
    $t->write_config(main => 'master_process off;');
    my $config = Kappa::Test::read_file($t->dir . '/nginx.conf');
    $config =~ s/^(user|master_process on|worker_processes).*;$//mg;
    Kappa::Test::write_file($t->dir . '/nginx.conf', $config);
    mkdir $keep;
    my $pid = under_callgrind("$keep/callgrind");
    my $first;
    for my $i (0 .. $#rows) {
        my $per = count($pid, $rows[$i], $n, "$keep/callgrind." . ($i + 1));
        $first //= $per;
        printf "%-22s %9.0f instructions a request %6.2fx  %s\n",
            $rows[$i][1], $per, $per / $first, "$keep/callgrind." . ($i + 1);
    }
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

sub under_callgrind {
    my ($out) = @_;
    unlink glob "$out*";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$out.log";
        { exec 'valgrind', '--tool=callgrind', '--instr-atstart=no',
            "--callgrind-out-file=$out", $t->nginx_command; }
        POSIX::_exit(127);
    }
    Kappa::Test::wait_until(sub { $t->connect }, 60)
        or die "no server: see $out.log\n";
    return $pid;
}

sub count {
    my ($pid, $row, $n, $out) = @_;
    my %load = (port => $t->port, path => $row->[2], bodies => $row->[3],
        pids => [], milliseconds => 60000);
    load(%load, limit => 500);
    control('-i on', $pid);
    load(%load, limit => $n);
    control('-i off', $pid);
    control('-d', $pid);
    my ($sum) = Kappa::Test::read_file($out) =~ /^totals: (\d+)/m;
    die "callgrind counted nothing: no $out\n" if !$sum;
    return $sum / $n;
}

sub control {
    my ($what, $pid) = @_;
    system "callgrind_control $what $pid > /dev/null 2>&1";
}
