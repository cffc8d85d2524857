#!/usr/bin/perl
# The demo's query answered by other GraphQL servers, as multiples of nginx's
# `return 200` of the same bytes: CPU time of the server process per request,
# measured the same way for each, in turns in one run. The peers (bench/peers)
# hold the data in memory, which is less work than reading it. Requests go
# through 25 sections in turn; every answer is compared with kappa's.
#
#     ROUNDS=3 MILLISECONDS=1500 CONNECTIONS=64 bench/peers.pl

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kappa::Bench qw(demo load lost_cpu requests);

my $rounds = $ENV{ROUNDS} || 3;
my $ms = $ENV{MILLISECONDS} || 1500;
my $connections = $ENV{CONNECTIONS} || 64;
my @sections = @Kappa::Bench::SECTIONS;

my $t = demo(workers => 1);
$t->start;
my %answer = map { $_ => ask($t, $_) } @sections;
$t->stop;
my $bytes = $Kappa::Test::JSON->encode($answer{ $sections[0] });
die "no quotes or dollars in an answer, please" if $bytes =~ /['\$\\]/;
$t->write_config(server => "        location = /return {\n"
    . "            default_type application/json;\n"
    . "            return 200 '$bytes';\n        }\n");
$t->start;

Kappa::Test::write_file($t->dir . '/data.json', $Kappa::Test::JSON->encode({
    map { $_ => { %{ $answer{$_}{data}{section} },
        list => $answer{$_}{data}{packages}{nodes} } } @sections }));
my @turn = map { { query => $Kappa::Bench::QUERY, variables => { section => $_ } } } @sections;
my $turn = requests($t, 'turn', @turn);
my $varied = requests($t, 'varied', map { my $s = $_; map { {
    query => $Kappa::Bench::QUERY, variables => { section => $s, number => '########' } } }
    1 .. 4 } @sections);
my @rows = (
    { name => 'nginx return 200', port => $t->port, path => '/return', bodies => $turn },
    { name => 'kappa', port => $t->port, path => '/graphql', bodies => $turn },
    { name => 'kappa, all different', port => $t->port, path => '/graphql', bodies => $varied },
    peer('mercurius', 'mercurius.mjs', '/graphql'),
    peer('Apollo Server', 'apollo.mjs', '/'),
);
my @peers = grep { $_->{pid} } @rows;
END {
    local $?;
    kill 'TERM', map { $_->{pid} } @peers;
    waitpid $_->{pid}, 0 for @peers;
}

my $probe = lost_cpu();
for my $round (0 .. $rounds) {
    for my $row (@rows) {
        my $run = load(%$row, pids => [$row->{pid} // $t->workers],
            connections => $connections,
            milliseconds => $round ? $ms : $row->{pid} ? 5000 : 200);
        next if !$round; # to warm up: the peers compile meanwhile
        $row->{sum}{$_} += $run->{$_} for keys %$run;
    }
}
my $after = lost_cpu();
printf "%d-byte answer to a %d-byte POST, %d connections, one process each\n\n",
    length $bytes, length $Kappa::Test::JSON->encode($turn[0]), $connections;
printf "%-28s %12s %9s\n", '', 'CPU/request', 'multiple';
my $base = per($rows[0]);
printf "%-28s %9.2f us %8.2fx\n", $_->{name}, per($_), per($_) / $base for @rows;
printf "\nCPU lost to others: %.0f%% before, %.0f%% after\n", $probe, $after;
$t->stop;

sub per { return $_[0]{sum}{cpu} / $_[0]{sum}{requests} }

sub ask {
    my ($on, $section) = @_;
    my $r = $on->graphql($Kappa::Bench::QUERY, { section => $section });
    die "the query fails:\n$r->{raw}\n" if !$r->{json} || $r->{json}{errors};
    return $r->{json};
}

# A server of its own process, which says its port when it listens.
sub peer {
    my ($package, $script, $path) = @_;
    my $home = "$FindBin::Bin/peers";
    my $pid = open my $out, '-|' // die "fork: $!";
    if (!$pid) {
        $ENV{NODE_ENV} = 'production';
        { exec 'node', "$home/$script", $t->dir . '/data.json'; }
        die "node: $!";
    }
    my $port = <$out>;
    defined $port or die "$package does not start\n";
    chomp $port;
    my $key = lc $package =~ s/Apollo Server/\@apollo\/server/r;
    my $version = $Kappa::Test::JSON->decode(Kappa::Test::read_file(
        "$home/node_modules/$key/package.json"))->{version};
    my $there = bless { port => $port, owner => 0 }, 'Kappa::Test';
    for my $section (@sections) {
        my $body = $Kappa::Test::JSON->encode({ query => $Kappa::Bench::QUERY,
            variables => { section => $section } });
        my $r = $there->post($path, $body);
        die "$package answers another way: $r->{raw}\n"
            if !$r->{json} || $Kappa::Test::JSON->encode($r->{json})
            ne $Kappa::Test::JSON->encode($answer{$section});
    }
    return { name => "$package $version", port => $port, path => $path,
        bodies => $turn, pid => $pid, out => $out };
}
