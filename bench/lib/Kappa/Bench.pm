package Kappa::Bench;

# What the programs of `make bench` share: the demo with the Debian archive in
# it, load, and CPU time of processes. Each bench/NAME.pl is one bench (`make
# bench T=NAME`), each bench/NAME.c is built to build/bench/NAME, with libkappa
# behind it. A bench prints its own table and fails on no figure.

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use lib abs_path(dirname(__FILE__) . '/../../../t/lib');
use Kappa::Test;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(demo cpu_us load lost_cpu memory requests);

our $BUILD = "$Kappa::Test::ROOT/build/bench";

# What the demo's page asks: a section and ten packages.
our $QUERY = 'query Section($section: ID!) { section(name: $section) '
    . '{ name packages bytes } packages(section: $section, first: 10) '
    . '{ nodes { name version size } } }';

# Sections with many packages, all with names of the like length.
our @SECTIONS = qw(admin devel doc editors electronics games gnome graphics
    interpreters kde libs libdevel mail math misc net perl python science sound
    text utils video web x11);

# A server (not started) with the catalogue's schema and the machine's package
# index imported; options as Kappa::Test->new takes them.
sub demo {
    my (%option) = @_;
    my $test = Kappa::Test->new(
        schema => Kappa::Test::file('examples/catalogue/schema.graphql'),
        http => "    keepalive_requests 1000000000;\n", %option);
    make_store($test) if $option{kappa}; # as that says
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
    return $test;
}

sub make_store {
    my ($test) = @_;
    $test->start;
    Kappa::Test::wait_until(sub {
        !$test->graphql('{ section(name: "x") { name } }')->{json}{errors};
    }) or die "no store:\n" . $test->log;
    $test->stop;
}

# Requests as a file for `load`: its path.
sub requests {
    my ($test, $name, @requests) = @_;
    my $file = $test->dir . "/$name";
    Kappa::Test::write_file($file, join '',
        map { (ref $_ ? $Kappa::Test::JSON->encode($_) : $_) . "\n" } @requests);
    return $file;
}

# Load on a port: { requests, seconds, cpu } with the microseconds of CPU that
# the processes `pids` took meanwhile. Dies if an answer was wrong.
#   port path bodies pids; connections (64) milliseconds (1000) header limit
sub load {
    my (%o) = @_;
    my @command = ("$BUILD/load", $o{port}, $o{path}, $o{bodies},
        $o{connections} // 64, $o{milliseconds} // 1000, $o{header} // '',
        $o{limit} // ());
    my $before = cpu_us(@{ $o{pids} });
    open my $out, '-|', @command or die "load: $!";
    my $said = join '', <$out>;
    close $out;
    my $cpu = cpu_us(@{ $o{pids} }) - $before;
    my ($n, $wrong, $us) = $said
        =~ /^requests (\d+) wrong (\d+) microseconds (\d+)/ or die "load: $said";
    die "$o{path}: $wrong of $n answers were wrong\n" if $wrong;
    return { requests => $n, seconds => $us / 1e6, cpu => $cpu };
}

# Microseconds of CPU that processes have taken, with all their threads.
sub cpu_us {
    my (@pids) = @_;
    my $sum = 0;
    for my $file (map { glob "/proc/$_/task/*/schedstat" } @pids) {
        $sum += (split ' ', Kappa::Test::read_file($file))[0] / 1000;
    }
    return $sum;
}

# Megabytes of the largest process that are not mapped files.
sub memory {
    my (@pids) = @_;
    my $most = 0;
    for my $pid (@pids) {
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

1;
