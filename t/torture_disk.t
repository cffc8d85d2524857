# A disk that fails, is full or is slow: no mutation is acknowledged before it
# is durable; what fails is said as it is; queries go on; and when the disk is
# mended all goes on without a restart.

use strict;
use warnings;
use Errno qw(EIO EMFILE ENOSPC);
use IO::Select;
use Test::More;
use Kappa::Test;
use Kappa::Faults;

my $SDL = <<'END';
type Item @view(key: "sku") @check(if: "row.stock >= 0", code: "OUT_OF_STOCK") {
  sku: ID! stock: Int!
}
type Query { item(sku: ID!): Item }
type Mutation {
  create(sku: ID!, stock: Int!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
  take(sku: ID!): Item!
    @event(thing: "Item", verb: "taken", effect: PATCH, set: ["stock = row.stock - 1"])
}
END

my $faults = Kappa::Faults->new;
my $t = Kappa::Test->new(schema => $SDL, workers => 2, faults => $faults,
    http => 'kappa_issuer https://example.com { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=r write=w; kappa_auth required; }');
Kappa::Test::write_file($t->dir . '/key', 'a secret of at least thirty-two bytes');
$t->start;

my $key = 0;
sub mutate { return $t->graphql("mutation { $_[0] { stock } }", undef,
    'Idempotency-Key' => $_[1] // 'k' . ++$key) }
sub take { return mutate('take(sku: "a")', @_) }
sub stock { my $r = $t->graphql('{ item(sku: "a") { stock } }');
    return $r->{json}{data} ? $r->{json}{data}{item}{stock} : $r->{body} }
sub code { return $_[0]{json}{errors} ? $_[0]{json}{errors}[0]{extensions}{code} : '' }
# The answer to the mutation that it is, once the server goes on.
sub again {
    my ($key) = @_;
    my $r;
    Kappa::Test::wait_until(sub { ($r = take($key))->{json}{data} }, 20);
    return $r;
}
# What is stored is what the log says.
sub true_to_log {
    my ($name) = @_;
    my $verify = $t->kappa(['verify', '--store', $t->store]);
    is($verify->{status}, 0, "$name: kappa verify") or diag $verify->{err};
}

ok(Kappa::Test::wait_until(sub { mutate('create(sku: "a", stock: 1000)')->{json}{data} }, 20),
    'a mutation'); # once the second worker has the store, too
my $stock = 1000;

# --- not before it is durable

subtest 'no answer before the sync' => sub {
    my @sockets;
    $faults->close_gate('.seg');
    for my $i (1 .. 3) {
        my $socket = $t->connect;
        my $body = $Kappa::Test::JSON->encode({ query => 'mutation { take(sku: "a") { stock } }' });
        syswrite $socket, "POST /graphql HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: application/json\r\nContent-Length: " . length($body)
            . "\r\nConnection: close\r\n\r\n$body";
        push @sockets, $socket;
    }
    ok(Kappa::Test::wait_until(sub { $faults->waiting }), 'a batch waits for its sync');
    my @early = IO::Select->new(@sockets)->can_read(0.3);
    is(scalar @early, 0, 'no answer meanwhile');
    is(stock(), $stock, 'queries go on, and see nothing of it');
    $faults->open_gate;
    my @stocks;
    for my $socket (@sockets) {
        my $answer = '';
        1 while sysread $socket, $answer, 4096, length $answer;
        push @stocks, $answer =~ /"stock":(\d+)/;
    }
    is_deeply([sort { $b <=> $a } @stocks], [map { $stock - $_ } 1 .. 3], 'then all are answered');
    $stock -= 3;
    is(stock(), $stock, 'and seen');
};

# --- what fails

my @CASES = (
    ['a sync fails once', 'fdatasync', EIO, '.seg', 1, qr/^LOG_UNAVAILABLE$/],
    ['the disk is full', 'pwrite', ENOSPC, '.seg', -1, qr/^(?:LOG_UNAVAILABLE|OUTCOME_UNKNOWN)$/],
    ['a write fails once', 'pwrite', EIO, '.seg', 1, qr/^LOG_UNAVAILABLE$/],
    ['syncs fail until mended', 'fdatasync', EIO, '.seg', -1, qr/^OUTCOME_UNKNOWN$/],
    ['the lock file fails', 'pwrite', EIO, '/log/lock', -1, qr/^(?:LOG_UNAVAILABLE|OUTCOME_UNKNOWN)$/],
);
for my $case (@CASES) {
    my ($name, $call, $error, $path, $times, $code) = @$case;
    subtest $name => sub {
        my $mine = 'k' . ++$key;
        $faults->fail($call, $error, path => $path, times => $times);
        my $r = take($mine);
        ok($faults->met, 'the fault was met');
        like(code($r), $code, 'the code') or diag $r->{body};
        is($r->{status}, 503, 'the status');
        ok($r->{headers}{'retry-after'}, 'Retry-After');
        is(stock(), $stock, 'queries go on');
        if ($times < 0) {
            my $other = take('k' . ++$key);
            like(code($other), qr/^(?:LOG_UNAVAILABLE|OUTCOME_UNKNOWN)$/, 'the next fails too');
        }
        $faults->mend;
        my $done = again($mine);
        is($done->{json}{data}{take}{stock}, --$stock, 'mended: the same again succeeds')
            or diag $done->{body};
        is($done->{json}{extensions}{kappa}{duplicate}, undef, 'and was not there before')
            if "$code" !~ /UNKNOWN/;
        is(again($mine)->{json}{extensions}{kappa}{duplicate}, $Kappa::Test::JSON->decode('true'),
            'once more it is a duplicate');
        is(stock(), $stock, 'applied once');
        true_to_log($name);
    };
}

# --- writes that are short are gone on with

subtest 'short writes' => sub {
    $faults->fail('short', EIO, path => '.seg');
    my $r = take();
    ok($faults->met, 'the fault was met');
    is($r->{json}{data}{take}{stock}, --$stock, 'a mutation') or diag $r->{body};
    $faults->mend;
    true_to_log('short writes');
};

# --- the views fail

for my $case (['a page of the views', 'pwrite'], ['the page that LMDB commits by', 'small'],
    ['all of a page', 'short'])
{
    my ($name, $call) = @$case;
    subtest "$name can not be written" => sub {
        views_fail($name, $call);
    };
}

sub views_fail {
    my ($name, $call) = @_;
    $faults->fail($call, EIO, path => 'data.mdb');
    my $mine = 'k' . ++$key;
    my $r = take($mine);
    ok($faults->met, 'the fault was met');
    is($r->{json}{data}{take}{stock}, --$stock, 'the event stands, and the answer is its row')
        or diag $r->{body};
    my $late = 'k' . ++$key;
    $r = take($late); # after the page that LMDB commits by the worker leaves
    like(code($r), $call eq 'small' ? qr/^(?:LOG|STORE)_UNAVAILABLE$|^$/ : qr/^LOG_UNAVAILABLE$/,
        'the next can not be decided') or diag $r->{raw};
    isnt($r->{status}, 200, 'nor is it done');
    $faults->mend;
    ok(Kappa::Test::wait_until(sub { stock() eq $stock }, 20), 'mended: the views catch up')
        or diag stock();
    my $next = again($late);
    is($next->{json}{data}{take}{stock}, --$stock, 'and mutations go on') or diag $next->{body};
    is(again($mine)->{json}{extensions}{kappa}{duplicate}, $Kappa::Test::JSON->decode('true'),
        'the first is known as done');
    true_to_log($name);
}

# --- uploads

sub upload {
    my ($events) = @_;
    my $token = Kappa::Test::run(['perl', "$Kappa::Test::ROOT/tools/token.pl",
        $t->dir . '/key', 'w', 'scope=r w'])->{out} =~ s/\n//r;
    return $t->http('POST', '/events', { Authorization => "Bearer $token" }, join '', @$events);
}
sub position { return $t->get('/graphql?query={__typename}')->{headers}{'kappa-position'} }

# 1,500 are two batches, of which the first may be in the log.
for my $case (
    ['a sync fails once', 'fdatasync', '.seg', 1, 'LOG_UNAVAILABLE', qr/nothing from it on was appended, the lines/],
    ['syncs fail until mended', 'fdatasync', '.seg', -1, 'OUTCOME_UNKNOWN', qr/in the log can't be known, those before it are/],
    ['the views fail', 'pwrite', 'data.mdb', -1, 'LOG_UNAVAILABLE', qr/nothing from it on was appended, the lines/])
{
    my ($name, $call, $path, $times, $code, $says) = @$case;
    subtest "an upload: $name" => sub {
        my $mine = ++$key;
        my @events = map { sprintf qq({"id":"0190a000-0000-7000-8000-%04d%08d","thing":"Note","verb":"made"}\n), $mine, $_ } 1 .. 1500;
        my $stood = position();
        $faults->fail($call, EIO, path => $path, times => $times);
        my $r = upload(\@events);
        $faults->mend;
        is($r->{status}, 503, 'the status') or diag $r->{raw};
        is($r->{headers}{'retry-after'}, 1, 'Retry-After');
        is(code($r), $code, 'the code');
        like($r->{json}{errors}[0]{message}, $says, 'what became of it');
        my $appended = $r->{json}{appended};
        is($r->{json}{line}, $appended + 1, 'the line');
        is($r->{json}{position}, $stood =~ s/(\d+)$/$1 + $appended/er, 'a position that is in the log');
        is($r->{headers}{'kappa-position'}, $r->{json}{position}, 'the same in the header');
        Kappa::Test::wait_until(sub { ($r = upload(\@events))->{status} == 200 }, 20);
        is($r->{json}{appended} + $r->{json}{duplicates}, 1500, 'sent again') or diag $r->{raw};
        is($r->{json}{position}, $stood =~ s/(\d+)$/$1 + 1500/er, 'it is in the log once');
    };
}

# --- descriptors

# Queries by both workers, until all is as it should be.
sub all_read {
    my ($want) = @_;
    return Kappa::Test::wait_until(sub { !grep { stock() ne $want } 1 .. 10 }, 20);
}
sub watching {
    my ($pid) = @_;
    return scalar grep { (readlink $_ // '') eq 'anon_inode:inotify' } glob "/proc/$pid/fd/*";
}

subtest 'no descriptor is left' => sub {
    $faults->fail('open', EMFILE, path => $t->store);
    ok(Kappa::Test::wait_until(sub { stock() eq $stock }, 20), 'who has all open reads');
    my ($pid) = $t->workers;
    ok($t->kill_worker(KILL => $pid), 'a worker is killed');
    ok(Kappa::Test::wait_until(sub { $t->log =~ /can't open .*: Too many open files/ }),
        'the next one can open nothing, and says so');
    is($t->get('/ok')->{body}, "ok\n", 'other locations go on') for 1 .. 6;
    my %seen = map { take("f$_")->{status} => 1 } 1 .. 12;
    is_deeply([grep { !/^(?:200|503)$/ } keys %seen], [], 'mutations are carried out, or 503');
    $faults->mend;
    is(scalar(grep { again("f$_")->{json}{data} } 1 .. 12), 12, 'mended, it opens the store');
    $stock -= 12;
    ok(all_read($stock), 'and all see each once') or diag stock();
    true_to_log('no descriptor');
};

subtest 'no inotify is left' => sub {
    $faults->fail('inotify', EMFILE);
    my %old = map { $_ => 1 } $t->workers;
    ok($t->kill_worker(KILL => (keys %old)[0]), 'a worker is killed');
    ok(Kappa::Test::wait_until(sub {
        $t->log =~ m{can't watch \S+/tail: Too many open files: other processes' events}
    }), 'the next one says what that means');
    my ($new) = grep { !$old{$_} } $t->workers;
    is(watching($new), 0, 'it has none');
    my $r = again('k' . ++$key);
    is($r->{json}{data}{take}{stock}, --$stock, 'a mutation') or diag $r->{raw};
    ok(all_read($stock), 'and all see it');
    $faults->mend;
    ok(Kappa::Test::wait_until(sub { watching($new) }), 'mended, it watches');
};

is($t->get('/ok')->{body}, "ok\n", 'other locations were never touched');

# --- the end

my ($clean) = map { s/about$/clean/r } glob $t->store . '/views/*/about';
$faults->fail('fdatasync', EIO, path => 'data.mdb');
ok($t->stop('QUIT'), 'ends, and its views can not be synced');
ok($faults->met, 'the fault was met');
ok(!-e $clean, 'they are not marked clean');
$faults->mend;
$t->start;
ok(all_read($stock), 'they are of this boot still');
ok($t->stop('QUIT'), 'ends');
ok(-e $clean, 'synced, they are');
like($t->log, qr/the views take no more writes; this worker leaves/,
    'LMDB gives up for good: the worker says so and leaves');
$t->no_alerts(qr/the views take no more writes|exited on signal 9/);
done_testing;
