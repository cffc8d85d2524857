# A process that was stopped with the log's lock: the others wait for it a
# bounded time, answer, go on reading, and go on when it is let go or killed.

use strict;
use warnings;
use Fcntl qw(:flock);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

$Kappa::Test::TIMEOUT = 40;
my $t = Kappa::Test->new(workers => 2, schema => <<'END',
type Item @view(key: "sku") { sku: ID! n: Int! }
type Query { item(sku: ID!): Item }
type Mutation {
  put(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "put", effect: PUT)
}
END
    server => 'location /health { kappa_health ready; }');
$t->start;
my $put = 'mutation($n: Int!) { put(sku: "a", n: $n) { n } }';
my $get = '{ item(sku: "a") { n } }';
is($t->graphql($put, { n => 1 })->{json}{data}{put}{n}, 1, 'a mutation');

# Takes the lock, and is stopped.
sub holder {
    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open my $lock, '+<', $t->store . '/log/lock' or POSIX::_exit(1);
        flock $lock, LOCK_EX or POSIX::_exit(1);
        syswrite $out, 'x';
        kill STOP => $$;
        POSIX::_exit(0);
    }
    close $out;
    sysread $in, my $byte, 1 or die "no holder\n";
    return $pid;
}

my $pid = holder();
my $begun = time;
my $r = $t->graphql($put, { n => 2 });
my $took = time - $begun;
is($r->{status}, 503, 'a mutation is answered');
is($r->{json}{errors}[0]{extensions}{code}, 'LOG_UNAVAILABLE', 'LOG_UNAVAILABLE');
like($r->{json}{errors}[0]{message}, qr/process $pid holds the log's lock/,
    'by whom');
cmp_ok($took, '<', 40, sprintf 'in bounded time (%.0f s)', $took);
is($t->graphql($get)->{json}{data}{item}{n}, 1, 'queries go on');
is($t->get('/health')->{status}, 200, 'and health');

# A worker that is started meanwhile does not hang, nor do its other sites.
$t->kill_worker;
is($t->get('/ok')->{body}, "ok\n", 'another location answers') for 1 .. 6;
ok(Kappa::Test::wait_until(sub {
    $t->log =~ /process $pid holds the log's lock and has not given it back/
}, 30), 'its log says what it waits for');
my @asked = map { $t->graphql($get) } 1 .. 12;
is(scalar(grep { ($_->{json}{data}{item}{n} // 0) == 1 } @asked), 12,
    'and it reads, like the others') or diag map { $_->{body} } @asked;
ok($t->reload, 'nor is a reload kept from its work');
ok(Kappa::Test::wait_until(sub { $t->log =~ /only reading.*\n(?:.*\n)*.*only reading/ }, 30),
    'new workers have opened the store');
@asked = map { $t->graphql($get) } 1 .. 12;
is(scalar(grep { ($_->{json}{data}{item}{n} // 0) == 1 } @asked), 12, 'queries go on')
    or diag map { $_->{body} } @asked;

kill CONT => $pid;
waitpid $pid, 0;
ok(Kappa::Test::wait_until(sub {
    ($t->graphql($put, { n => 3 })->{json}{data}{put}{n} // 0) == 3
}, 30), 'let go, mutations go on');
ok(Kappa::Test::wait_until(sub {
    ($t->graphql($get)->{json}{data}{item}{n} // 0) == 3
}, 30), 'and are read'); # by the new worker too, once it has the store

$pid = holder();
kill KILL => $pid;
waitpid $pid, 0;
is($t->graphql($put, { n => 4 })->{json}{data}{put}{n}, 4,
    'killed, it holds nothing');

# Real workers, stopped at any moment of their work. An answer that was given
# is true; who gets none asks again with the same key.
my $client = fork // die "fork: $!";
if ($client == 0) {
    my $end = time + 60;
    for my $n (5 .. 60) {
        my $ok = 0;
        until ($ok) {
            POSIX::_exit(1) if time > $end;
            my $answer = $t->graphql($put, { n => $n }, 'Idempotency-Key' => "k$n");
            $ok = ($answer->{json}{data}{put}{n} // 0) == $n;
        }
    }
    POSIX::_exit(0);
}
for my $round (1 .. 10) {
    my ($victim) = ($t->workers)[$round % 2];
    kill STOP => $victim;
    sleep 0.05 + rand 0.1;
    $round == 5 ? $t->kill_worker(KILL => $victim) : kill CONT => $victim;
    sleep 0.05;
}
waitpid $client, 0;
is($?, 0, 'workers that are stopped and go on');
is($t->graphql($get)->{json}{data}{item}{n}, 60, 'the last one stands');
$r = $t->kappa(['log', '--store', $t->store]);
is(scalar(() = $r->{out} =~ /"verb":"put"/g), 59, 'each once: none doubled, none lost');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'kappa verify');
ok($t->stop, 'it ends in time');
done_testing;
