#!/usr/bin/perl
# What a message to a subscriber costs in CPU time, and what an idle subscriber
# holds in memory, beside Debian's nchan, as event streams of one client program
# (bench/subscribers.c). Both servers have one worker and are measured in turns
# in one run. And what a token that was verified before costs per request.
#
#     SUBSCRIBERS=1000,5000 ROUNDS=5 MESSAGES=4 bench/live.pl

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use FindBin;
use IPC::Open2;
use lib "$FindBin::Bin/lib";
use Kappa::Bench qw(cpu_us);
use MIME::Base64 qw(encode_base64url);
use Time::HiRes qw(sleep);

my $root = $Kappa::Test::ROOT;
my $rounds = $ENV{ROUNDS} || 5;
my $messages = $ENV{MESSAGES} || 4;
my @counts = split /,/, $ENV{SUBSCRIBERS} || '1000,5000';
my $SECRET = 'a secret of at least thirty-two bytes';
my $SDL = <<'END';
type Lamp @view { id: ID! text: String! at: DateTime! @stamp(as: "now", on: WRITE) }
type Query { lamp(id: ID!): Lamp }
type Mutation { set(id: ID!, text: String!): Lamp! @event(thing: "Lamp", verb: "set", effect: PUT) }
type Subscription { lamp(id: ID!): Lamp }
END

$Kappa::Test::CONFIG =~ s/worker_connections 512/worker_connections 16384/;
my %common = (workers => 1, main => "worker_rlimit_nofile 16384;\n");
my $kappa = Kappa::Test->new(%common, schema => $SDL,
    http => "keepalive_requests 1000000000;\n"
        . 'kappa_issuer https://a { key %DIR%/a.key alg=HS256; audience api; }',
    graphql => "kappa_heartbeat 1h;\n",
    server => 'location /token { kappa_graphql app; kappa_auth required; }');
Kappa::Test::write_file($kappa->dir . '/a.key', "$SECRET\n");
my $nchan = Kappa::Test->new(%common,
    main => $common{main} . "load_module "
        . "$root/build/nginx/nchan/usr/lib/nginx/modules/ngx_nchan_module.so;\n",
    server => <<'END');
        location = /pub { nchan_publisher; nchan_channel_id lamp; nchan_message_buffer_length 1; }
        location = /sub { nchan_subscriber eventsource; nchan_channel_id lamp; nchan_subscriber_first_message oldest; }
END
$_->start for $kappa, $nchan;
my $text = 'on ' x 20;
my $answer = set(0);

# A stream begins with what there is: a live field's value, the last message.
my %side = (
    kappa => { test => $kappa, publish => sub { set(shift) },
        request => request('POST /graphql', $Kappa::Test::JSON->encode({
            query => 'subscription { lamp(id: "a") { id text at } }' })) },
    # The same bytes as a kappa message has.
    nchan => { test => $nchan, request => request('GET /sub', ''),
        publish => sub { $nchan->http('POST', '/pub', {}, $answer) } },
);

$side{nchan}{publish}->();

printf "%-28s %12s %12s %8s\n", 'event streams, one worker', 'kappa', 'nchan',
    'ratio';
streams($_) for @counts;
tokens();
$_->stop for $kappa, $nchan;

sub request {
    my ($line, $body) = @_;
    return "$line HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        . (length $body ? "Content-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n" : '') . "\r\n$body";
}

# A mutation; gives what its subscribers are told.
sub set {
    my ($i) = @_;
    my $r = $kappa->graphql("mutation { set(id: \"a\", text: \"$text$i\") "
        . '{ id text at } }');
    die "the mutation fails:\n$r->{raw}\n" if !$r->{json}{data};
    return $Kappa::Test::JSON->encode({ data => { lamp => $r->{json}{data}{set} },
        extensions => { kappa => { position => '0123456789abcdef-1000' } } });
}

sub streams {
    my ($count) = @_;
    my (%memory, %cpu);
    for my $name (sort keys %side) {
        my $side = $side{$name};
        my $file = $side->{test}->dir . '/request';
        Kappa::Test::write_file($file, $side->{request});
        # What the first streams of all make a worker keep is not theirs.
        crowd($side, $file, 50);
        done($side);
        my $before = memory($side->{test});
        crowd($side, $file, $count);
        $memory{$name} = (memory($side->{test}) - $before) / $count;
    }
    for my $round (1 .. $rounds) {
        for my $name (sort keys %side) {
            my $before = cpu_us($side{$name}{test}->workers);
            for (1 .. $messages) {
                $side{$name}{publish}->($round * 100 + $_);
                got($side{$name}, $count);
            }
            $cpu{$name} += cpu_us($side{$name}{test}->workers) - $before;
        }
    }
    done($_) for values %side;
    my $deliveries = $rounds * $messages * $count;
    row("$count: CPU per message", 'us', map { $cpu{$_} / $deliveries }
        qw(kappa nchan));
    row("$count: memory per stream", 'KB', map { $memory{$_} / 1024 }
        qw(kappa nchan));
}

sub row {
    my ($name, $unit, $ours, $theirs) = @_;
    printf "%-28s %9.2f %s %9.2f %s %7.2fx\n", $name, $ours, $unit, $theirs,
        $unit, $ours / $theirs;
}

# --- the client

sub crowd {
    my ($side, $file, $count) = @_;
    $side->{pid} = open2($side->{out}, $side->{in},
        "$root/build/bench/subscribers", $side->{test}->port, $count, $file);
    my $line = readline $side->{out};
    die "no streams\n" if !defined $line || $line ne "open\n";
    got($side, $count);
    sleep 0.3;
}

sub got {
    my ($side, $count) = @_;
    syswrite $side->{in}, "$count\n";
    my $line = readline $side->{out};
    die "messages are missing\n" if !defined $line || $line !~ /^got /;
}

sub done {
    my ($side) = @_;
    close $side->{in};
    waitpid $side->{pid}, 0;
    sleep 0.3;
}

# --- the servers

# Bytes of the worker that are no mapped files; shared memory included.
sub memory {
    my ($test) = @_;
    my $sum = 0;
    for my $pid ($test->workers) {
        my $status = Kappa::Test::read_file("/proc/$pid/status");
        $sum += $1 * 1024 while $status =~ /^Rss(?:Anon|Shmem):\s+(\d+)/mg;
    }
    return $sum;
}

# --- tokens

sub tokens {
    my $head = encode_base64url('{"alg":"HS256","typ":"JWT"}');
    my $claims = encode_base64url($Kappa::Test::JSON->encode({ iss => 'https://a',
        aud => 'api', sub => 'bench', exp => time + 3600, roles => ['reader'] }));
    my $token = "$head.$claims."
        . encode_base64url(hmac_sha256("$head.$claims", $SECRET));
    my $bodies = $kappa->dir . '/bodies';
    Kappa::Test::write_file($bodies, $Kappa::Test::JSON->encode(
        { query => '{ lamp(id: "a") { id text at } }' }) . "\n");
    my %run = (
        without => ['/graphql', ''],
        with => ['/token', "Authorization: Bearer $token"],
    );
    my (%cpu, %requests);
    for my $round (0 .. $rounds) {
        for my $name (sort keys %run) {
            my ($path, $header) = @{ $run{$name} };
            my $before = cpu_us($kappa->workers);
            my $said = `$root/build/bench/load $kappa->{port} $path $bodies 32 500 '$header'`;
            my ($n, $wrong) = $said =~ /^requests (\d+) wrong (\d+)/
                or die "load: $said";
            die "$path: $wrong of $n answers were wrong\n" if $wrong;
            next if !$round; # to warm up
            $cpu{$name} += cpu_us($kappa->workers) - $before;
            $requests{$name} += $n;
        }
    }
    my ($with, $without) = map { $cpu{$_} / $requests{$_} } qw(with without);
    printf "\n%-28s %9.2f us, %.2f us without: %.2fx\n",
        'a query with a known token', $with, $without, $with / $without;
}
