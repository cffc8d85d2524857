# examples/devices: its README; last values, hours and alerts equal a naive
# computation, also of readings that come late and from everywhere at once.

use strict;
use warnings;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Example;

my $JSON = $Kappa::Test::JSON;
my $seed = Kappa::Test::seed();

Kappa::Example::readme('devices');

my $devices = Kappa::Example->new('devices', workers => 4);
my $MINUTES = 700;
$devices->import_data(Kappa::Test::run(['perl',
    "$Kappa::Test::ROOT/examples/devices/data.pl", 4, $MINUTES])->{out});
$devices->start;
my $GATE = ['gate', 'scope=log:read log:write'];
my $TIM = ['tim', 'technician'];

# --- what readings come to, computed anew from the log

sub stamp { return strftime('%Y-%m-%dT%H:', gmtime shift) . '00:00.000Z' }

sub naive {
    my (%device, @alerts);
    for my $line (split /\n/,
        $devices->kappa(['log', '--store', $devices->store])->{out})
    {
        # JSON::PP takes its time: of readings only what is needed.
        my ($id, $value, $at) = $line =~
            /"row":\{.*?"device":"(\w+)","value":([-\d.]+),"at":"([^"]+)"/;
        if (!defined $id) {
            my $e = $JSON->decode($line);
            my $d = $device{$e->{key}} //= { high => 0, readings => 0 };
            $d->{limit} = $e->{data}{limit} if exists $e->{data}{limit};
            next;
        }
        my $d = $device{$id};
        my $hour = $d->{hours}{$at =~ s/:.*/:00:00.000Z/r} //= {};
        push @{ $hour->{values} }, $value;
        $d->{readings}++;
        next if defined $d->{at} && $at lt $d->{at};
        my $high = defined $d->{limit} && $value > $d->{limit} ? 1 : 0;
        push @alerts, { device => $id, at => $at, value => $value,
            kind => $high ? 'HIGH' : 'NORMAL' } if $high != $d->{high};
        @$d{qw(value at high)} = ($value, $at, $high);
    }
    return (\%device, \@alerts);
}

sub near { return abs($_[0] - $_[1]) < 1e-9 * (1 + abs $_[1]) }

# Compares everything that is kept with what it should be.
sub compare {
    my ($when) = @_;
    my ($device, $alerts) = naive();
    my @wrong;
    for my $id (sort keys %$device) {
        my $want = $device->{$id};
        my $got = $devices->data(undef, "{ device(id: \"$id\") { value at high
            readingCount hours(first: 1000) { hour readings min max avg } } }")
            ->{device};
        push @wrong, "$id: last value" if ($got->{at} // '') ne ($want->{at} // '')
            || ($got->{value} // '') ne ($want->{value} // '')
            || ($got->{high} ? 1 : 0) != $want->{high};
        push @wrong, "$id: $got->{readingCount} readings"
            if $got->{readingCount} != $want->{readings};
        my %hour = map { $_->{hour} => $_ } @{ $got->{hours} };
        push @wrong, "$id: hours" if "@{[sort keys %hour]}"
            ne "@{[sort keys %{ $want->{hours} // {} }]}";
        for my $at (keys %{ $want->{hours} }) {
            my @values = sort { $a <=> $b } @{ $want->{hours}{$at}{values} };
            my $sum = 0;
            $sum += $_ for @values;
            my $h = $hour{$at} or next;
            push @wrong, "$id at $at" if $h->{readings} != @values
                || $h->{min} != $values[0] || $h->{max} != $values[-1]
                || !near($h->{avg}, $sum / @values);
        }
    }
    is_deeply([@wrong[0 .. ($#wrong > 5 ? 5 : $#wrong)]], [],
        "$when: last values and hours");
    my $key = sub { join ' ', @{ $_[0] }{qw(at device kind value)} };
    is_deeply([sort map { $key->($_) } map { @{ $devices->data(undef,
        "{ device(id: \"$_\") { alerts(first: 1000) { device kind value at } } }")
        ->{device}{alerts} } } keys %$device],
        [(sort map { $key->($_) } @$alerts)],
        "$when: " . scalar(@$alerts) . ' alerts');
}

compare('imported');

# --- who may do what

is($devices->code('d1', 'mutation { install(id: "x", site: "y") { id } }'),
    'FORBIDDEN', 'devices install nothing');
is($devices->code('d9', 'mutation { take(value: 1) { id } }'),
    'NO_SUCH_DEVICE', 'a device that is not installed');
is($devices->code('d1', 'mutation { take(device: "d2", value: 1) { id } }'),
    'VALIDATION_FAILED', 'in another one\'s name');
is($devices->code(undef, 'mutation { take(value: 1) { id } }'),
    'UNAUTHENTICATED', 'in nobody\'s');

# --- over the limit and back

my $BASE = 1763463600;
my $id = 0;

sub reading {
    my ($device, $value, $at, $key) = @_;
    return $JSON->encode({ thing => 'Reading', verb => 'taken',
        id => sprintf('%08x-0000-4000-8000-%012x', $seed & 0xffffffff, ++$id),
        data => { device => $device, value => $value,
            at => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $at) } }) . "\n";
}

sub upload {
    my ($body) = @_;
    local $Kappa::Test::TIMEOUT = 60;
    return $devices->http('POST', '/events', { $devices->as($GATE) }, $body);
}

ok($devices->data($TIM, 'mutation { install(id: "e1", site: "hall", limit: 10)
    { id } }')->{install}, 'another device');
my $live = $devices->watch(undef,
    'subscription { device(id: "e1") { value high alerts { kind value } } }');
is_deeply($live->next->{json}{data}{device},
    { value => undef, high => JSON::PP::false, alerts => [] }, 'live: nothing yet');
my @STEPS = (
    # value, seconds, last value, high, newest alert
    [9, 0, 9, 0, undef],
    [10, 10, 10, 0, undef],
    [10.5, 20, 10.5, 1, 'HIGH 10.5'],
    [50, 5, 10.5, 1, 'HIGH 10.5'],    # late: no last value, no alert
    [12, 30, 12, 1, 'HIGH 10.5'],
    [10, 40, 10, 0, 'NORMAL 10'],
    [99, 40, 99, 1, 'HIGH 99'],
);
for my $step (@STEPS) {
    my ($value, $seconds, @want) = @$step;
    is(upload(reading('e1', $value, $BASE + $seconds))->{json}{appended}, 1,
        "$value after $seconds s");
    my $d = $devices->data(undef, '{ device(id: "e1") { value high
        alerts(first: 1) { kind value } } }')->{device};
    is_deeply([$d->{value}, $d->{high} ? 1 : 0, map { "$_->{kind} $_->{value}" }
        @{ $d->{alerts} }], [grep { defined } @want], 'as it should be');
}
my $newest;
ok(Kappa::Test::wait_until(sub {
    my $message = $live->next(5) or return;
    $newest = $message->{json}{data}{device};
    return $newest->{value} == 99;
}), 'live: the newest');
is(scalar @{ $newest->{alerts} }, 3, 'with its alerts');
is($devices->data($TIM, 'mutation { limit(id: "e1", limit: null) { high } }')
    ->{limit}{high}, $JSON->decode('true'), 'no limit any more');
is(upload(reading('e1', 99, $BASE + 40))->{json}{appended}, 1, 'and a reading');
is_deeply($devices->data(undef, '{ device(id: "e1") { high
    alerts(first: 1) { kind } } }')->{device}, { high => $JSON->decode('false'),
    alerts => [{ kind => 'NORMAL' }] }, 'ends the alert');
$devices->data($TIM, 'mutation { limit(id: "e1", limit: 10) { id } }');

# --- clocks that are fast, and sending twice

ok($devices->data($TIM, 'mutation { install(id: "f1", site: "hall") { id } }')
    ->{install}, 'a device with a clock');
my $F1 = '{ device(id: "f1") { value at readingCount } }';
my $fast = $devices->data('f1', 'mutation { take(value: 1, key: "once",
    at: "2099-01-01T00:00:00Z") { at } }')->{take}{at};
like($fast, qr/^20[2-8]/, 'what is to come counts as now');
is($devices->data('f1', 'mutation { take(value: 1, key: "once",
    at: "2099-01-01T00:00:00Z") { at } }')->{take}{at}, $fast, 'once');
is($devices->data('f1', 'mutation { take(value: 2, at: null) { value } }')
    ->{take}{value}, 2, 'no time is now');
is(upload($JSON->encode({ thing => 'Reading', verb => 'taken', data => {
    device => 'f1', value => 3, at => '2099-01-01T00:00:00Z' } }))
    ->{json}{appended}, 1, 'by the door too');
is($devices->data('f1', 'mutation { take(value: 4) { value } }')
    ->{take}{value}, 4, 'one more');
my $f1 = $devices->data(undef, $F1)->{device};
is_deeply([@$f1{qw(value readingCount)}], [4, 4], 'the last one is the last');
my $bad = upload(reading('e1', 1, $BASE + 50) . reading('nowhere', 1, $BASE));
is($bad->{json}{line}, 2, 'an unknown device is a wrong line') or diag $bad->{raw};

# --- a thousand a second, as one endless upload

sub paced {
    my ($seconds, $rate) = @_;
    my $socket = $devices->connect or die 'no connection';
    my %as = $devices->as($GATE);
    print $socket "POST /events HTTP/1.1\r\nHost: a\r\n"
        . "Authorization: $as{Authorization}\r\nConnection: close\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n";
    my ($begin, $sent) = (time, 0);
    while ($sent < $seconds * $rate) {
        my $due = int((time - $begin) * $rate) + 1;
        $due = $seconds * $rate if $due > $seconds * $rate;
        my $chunk = '';
        for ($sent + 1 .. $due) {
            $chunk .= reading('d' . (1 + $_ % 4), $_ % 40, $BASE + $_);
        }
        $sent = $due;
        printf $socket "%x\r\n%s\r\n", length $chunk, $chunk if $chunk ne '';
        $socket->flush;
        sleep 0.01;
    }
    print $socket "0\r\n\r\n";
    $socket->flush;
    my ($last, $answer) = (time, '');
    while (sysread $socket, my $more, 65536) { $answer .= $more }
    diag sprintf '%d readings in %.2f s, answered %.0f ms after the last',
        $sent, $last - $begin, 1000 * (time - $last);
    return Kappa::Test::parse_response($answer);
}

my $stream = $devices->watch(undef,
    'subscription { readings(device: "d1") { value at } }');
my $r = do {
    local $SIG{ALRM} = sub { die 'too slow' };
    alarm 120;
    my $answer = paced(4, 1000);
    alarm 0;
    $answer;
};
is($r->{json}{appended}, 4000, 'all of them') or diag $r->{raw};
my @heard;
while (@heard < 1000 and my $message = $stream->next) {
    push @heard, $message->{json}{data}{readings}{value};
}
is_deeply(\@heard, [map { $_ % 40 } grep { $_ % 4 == 0 } 1 .. 4000],
    'a listener heard every one of its device, in order');
$_->close for $stream, $live;

# --- the same by mutations, one reading each, on connections that stay

sub taken_by {
    my ($device, $count) = @_;
    my $socket = $devices->connect or die 'no connection';
    my %as = $devices->as($device);
    for my $n (1 .. $count) {
        my $body = $JSON->encode({ query => 'mutation T($value: Float!) {
            take(value: $value) { id } }', variables => { value => $n % 30 } });
        print $socket "POST /graphql HTTP/1.1\r\nHost: a\r\n"
            . "Authorization: $as{Authorization}\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n\r\n$body";
        $socket->flush;
        my $answer = '';
        until ($answer =~ /\r\n\r\n.*\}\z/s) {
            sysread $socket, $answer, 65536, length $answer or die 'cut off';
        }
        die $answer if $answer !~ /"take":\{"id":/;
    }
    return 1;
}

my $begin = time;
is($devices->crowd(16, sub { taken_by('d' . (1 + $_[0] % 4), 125) }), 0,
    'sixteen devices, a reading a request');
diag sprintf '%d mutations in %.2f s', 16 * 125, time - $begin;

# --- readings leave after a week; what they gave stays

sub rows_of {
    my ($device) = @_;
    return scalar @{ $devices->data(undef, "{ device(id: \"$device\")
        { readings(first: 1000) { nodes { id } } } }")->{device}{readings}{nodes} };
}

ok($devices->data($TIM, 'mutation { install(id: "k1", site: "attic", limit: 9)
    { id } }')->{install}, 'a device that was away');
my $HOUR = 3600;
my @away = map { { thing => 'Reading', verb => 'taken',
    time => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $_->[0] * $HOUR)),
    data => { device => 'k1', value => $_->[1] } } }
    [40 * 24, 3], [30 * 24, 10], [8 * 24, 5], [6 * 24, 6], [1, 7];
is(upload(join '', map { $JSON->encode($_) . "\n" } @away)->{json}{appended},
    scalar @away, 'what it measured meanwhile');
is(rows_of('k1'), 2, 'the rows of this week are there');
my $k1 = $devices->data(undef, '{ device(id: "k1") { value readingCount
    hours { max } alerts { kind value } } }')->{device};
is_deeply($k1, { value => 7, readingCount => 5,
    hours => [map { { max => $_->{data}{value} } } reverse @away],
    alerts => [{ kind => 'NORMAL', value => 5 }, { kind => 'HIGH', value => 10 }] },
    'and what all five come to');
is(rows_of('d1') > 0 ? 1 : 0, 1, 'those of today are there');
is($devices->data(undef, '{ device(id: "d1") { readings(first: 1,
    at_lt: "2025-11-17T00:00:00Z", orderBy: AT) { nodes { id } } } }')
    ->{device}{readings}{nodes}[0], undef, 'those that were imported left');

# --- from everywhere at once: gateways with lines, devices with mutations

my %limit = (d1 => 30, d2 => 25, d3 => 'null', d4 => 20);
$devices->data($TIM, "mutation { limit(id: \"$_\", limit: $limit{$_}) { id } }")
    for sort keys %limit;
my @bodies = map {
    join '', map { reading('d' . (1 + int rand 4), int(rand 400) / 10,
        $BASE + 10000 + int rand 7200) } 1 .. 500;
} 1 .. 8;
my $failed = $devices->crowd(16, sub {
    my ($i) = @_;
    srand $seed + $i;
    if ($i < 8) {
        # Broken off in the middle, then sent again as a whole.
        my $socket = $devices->connect or die 'no connection';
        my %as = $devices->as($GATE);
        print $socket "POST /events HTTP/1.1\r\nHost: a\r\n"
            . "Authorization: $as{Authorization}\r\nContent-Length: "
            . length($bodies[$i]) . "\r\n\r\n"
            . substr $bodies[$i], 0, rand length $bodies[$i];
        $socket->flush;
        sleep rand 0.2;
        close $socket;
        my $answer = upload($bodies[$i])->{json};
        die 'not all' if $answer->{appended} + $answer->{duplicates} != 500;
        return 1;
    }
    my $device = 'd' . (1 + $i % 4);
    for (1 .. 10) {
        my $fields = join ' ', map { "m$_: take(value: " . int(rand 400) / 10
            . ') { id }' } 1 .. 25;
        my $answer = $devices->ask($device, "mutation { $fields }")->{json};
        die $JSON->encode($answer) if $answer->{errors}
            || 25 != grep { $_->{id} } values %{ $answer->{data} };
    }
    return 1;
});
is($failed, 0, 'all were taken');
my $count = 0;
$count += $devices->data(undef, "{ device(id: \"$_\") { readingCount } }")
    ->{device}{readingCount} for qw(d1 d2 d3 d4);
is($count, 4 * $MINUTES + 4000 + 16 * 125 + 8 * 500 + 8 * 250, 'each once');
compare('from everywhere');

ok($devices->stop('QUIT'), 'stop');
$devices->verified;
$devices->no_alerts;
done_testing;
