# A worker's memory does not grow by what was opened and closed: requests,
# documents, subscriptions, sockets, streams, uploads that were refused. Each
# is done for a while first, then as often again.

use strict;
use warnings;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;
use Kappa::WebSocket;

# What ASan keeps back of freed memory would hide how little is in use.
$ENV{KAPPA_TEST_QUARANTINE_MB} = 0;

my $SDL = <<'END';
type Note @view @index(fields: ["text"]) { id: ID!  text: String! }
type Query { note(id: ID!): Note  notes(text: String!, first: Int): [Note!]! }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription { note(id: ID!): Note  written: Note! @changes(thing: "Note", verb: "written") }
END
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    graphql => 'kappa_heartbeat 10s; keepalive_requests 1000000;');
$t->start;
my ($worker) = $t->workers;
$t->graphql('mutation { write(id: "a", text: "' . 'long ' x 20 . '") { id } }');

# KB that are the worker's alone; the store's pages are shared with its file.
sub memory {
    return Kappa::Test::read_file("/proc/$worker/status") =~ /RssAnon:\s+(\d+)/ ? $1 : 0;
}

my $keep;
sub many {
    my (@bodies) = @_;
    $keep //= $t->connect;
    my $in = '';
    while (my @some = splice @bodies, 0, 50) {
        syswrite $keep, join '', map { "POST /graphql HTTP/1.1\r\nHost: x\r\n"
            . "Content-Type: application/json\r\nContent-Length: " . length($_)
            . "\r\n\r\n$_" } @some;
        for (@some) {
            my $size = 0;
            while (!$size || length $in < $size) {
                $size = length($1) + $2
                    if $in =~ /^(HTTP.*?\nContent-Length: (\d+).*?\r\n\r\n)/s;
                last if $size && length $in >= $size;
                sysread($keep, $in, 65536, length $in) or die 'closed';
            }
            substr($in, 0, $size) = '';
        }
    }
}
sub query { return $Kappa::Test::JSON->encode({ query => $_[0] }) }

# Nothing here takes that long.
$SIG{ALRM} = sub { die 'too slow' };
alarm 60;

my $serial = 0;
my %round = (
    'the same query' => sub { many((query('{ note(id: "a") { id text } }')) x 5000) },
    'distinct documents' => sub {
        many(map { $serial++; query("{ a$serial: note(id: \"a\") { id text } }") } 1 .. 5000);
    },
    'documents that are wrong' => sub {
        many(map { $serial++; (query("{ a$serial: note { x } }"), query("{ a$serial"),
            "[$serial") } 1 .. 1000);
    },
    'mutations' => sub {
        many((query('mutation { write(id: "a", text: "x") { id } }')) x 300);
    },
    'streams over SSE' => sub {
        for (1 .. 250) {
            $serial++;
            my $s = $t->sse("subscription { a$serial: note(id: \"a\") { text } }");
            $s->next;
            $s->close;
            $t->sse('subscription { written { text } }')->close;
        }
    },
    'sockets' => sub {
        for (1 .. 150) {
            my $ws = Kappa::WebSocket->new($t, '/graphql');
            $ws->init;
            $ws->subscribe($_, 'subscription { note(id: "a") { text } }') for 1 .. 3;
            $ws->next;
            $ws->close;
        }
    },
    'subscriptions on one socket' => sub {
        my $ws = Kappa::WebSocket->new($t, '/graphql');
        setsockopt $ws->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
        $ws->init;
        for (1 .. 1500) {
            $ws->subscribe('1', 'subscription { note(id: "a") { text } }');
            $ws->next;
            $ws->complete('1');
        }
        $ws->close;
    },
    'queries on one socket' => sub {
        my $ws = Kappa::WebSocket->new($t, '/graphql');
        $ws->init;
        for (1 .. 2000) {
            $ws->subscribe('1', '{ note(id: "a") { id text } }');
            $ws->next;
            $ws->next;
        }
        $ws->close;
    },
);
for my $name (sort keys %round) {
    $round{$name}->() for 1 .. 2;
    sleep 0.05;
    my $before = memory();
    $round{$name}->();
    sleep 0.05;
    my $after = memory();
    cmp_ok($after - $before, '<', 700, "$name: KB more")
        or diag "from $before KB to $after KB";
    note "$name: from $before KB to $after KB";
}

# Who asks and does not read is not listened to: a socket, and a connection.
my $big = '{ ' . join(' ', map { "a$_: note(id: \"a\") { id text }" } 1 .. 20) . ' }';
$t->graphql('mutation { write(id: "a", text: "' . 'long ' x 200 . '") { id } }');
my $before = memory();
my $ws = Kappa::WebSocket->new($t, '/graphql');
$ws->init;
$ws->{socket}->blocking(0);
my $message = Kappa::WebSocket::frame(1, $Kappa::Test::JSON->encode({ id => '1',
    type => 'subscribe', payload => { query => $big } }));
local $SIG{PIPE} = 'IGNORE';
my ($sent, $end) = (0, time + 4);
my $rest = '';
while (time < $end && $sent < 20_000_000) {
    $rest = $message x 20 if $rest eq '';
    my $n = syswrite $ws->{socket}, $rest;
    if (!defined $n) { sleep 0.02; next; }
    $sent += $n;
    $rest = substr $rest, $n;
}
my $after = memory();
cmp_ok($after - $before, '<', 4000, 'a socket that is not read from: KB more')
    or diag "from $before KB to $after KB, $sent bytes sent";
$ws->close;
is($t->graphql('{ note(id: "a") { id } }')->{status}, 200, 'it serves');
ok($t->stop('QUIT'), 'QUIT');
$t->no_alerts;
done_testing;
