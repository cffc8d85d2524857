# HTTP/2: queries, mutations and streams on one connection, clients that
# reset or vanish, a slow one, and a reload with streams open. The client is
# as plain as can be: literal headers out, none decoded.

use strict;
use warnings;
use IO::Select;
use Socket qw(SOL_SOCKET SO_RCVBUF SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $SDL = <<'END';
type Note @view { id: ID!  text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription { note(id: ID!): Note  written: Note! @changes(thing: "Note", verb: "written") }
END

package H2;

sub frame { my ($type, $flags, $id, $body) = @_;
    return substr(pack('N', length $body), 1) . pack('CCN', $type, $flags, $id) . $body }

# settings: the window of a stream; rcvbuf: of the socket.
sub new {
    my ($class, $port, %option) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or return;
    setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), $option{rcvbuf}
        if $option{rcvbuf};
    connect $socket, Socket::pack_sockaddr_in($port, Socket::inet_aton('127.0.0.1'))
        or return;
    my $self = bless { socket => $socket, in => '', next => 1, of => {} }, $class;
    $self->out("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . frame(4, 0, 0, pack('nN', 4, $option{window} // 0x7fffffff))
        . frame(8, 0, 0, pack('N', 0x7fff0000)));
    return $self;
}

sub out { syswrite $_[0]{socket}, $_[1] }

sub request {
    my ($self, $method, $path, $headers, $body) = @_;
    my $id = $self->{next};
    $self->{next} += 2;
    my @h = (':method' => $method, ':scheme' => 'http', ':path' => $path,
        ':authority' => 'localhost', %$headers);
    my $block = '';
    while (my ($name, $value) = splice @h, 0, 2) {
        die if length $name > 126 || length $value > 126;
        $block .= pack 'CC/aC/a', 0, $name, $value;
    }
    $self->out(frame(1, defined $body ? 4 : 5, $id, $block)
        . (defined $body ? frame(0, 1, $id, $body) : ''));
    $self->{of}{$id} = { body => '' };
    return $id;
}

sub post {
    my ($self, $query, %h) = @_;
    return $self->request('POST', '/graphql',
        { 'content-type' => 'application/json', %h },
        $Kappa::Test::JSON->encode({ query => $query }));
}

sub reset { my ($self, $id) = @_; $self->out(frame(3, 0, $id, pack('N', 8))) }

# Reads until a condition holds.
sub until_true {
    my ($self, $done, $seconds) = @_;
    my $end = Time::HiRes::time() + ($seconds // 5);
    while (1) {
        while (length $self->{in} >= 9) {
            my ($n, $type, $flags, $id) = unpack 'NCNX4', "\0" . substr $self->{in}, 0, 9;
            ($type, $flags, $id) = unpack 'x3CCN', $self->{in};
            last if length $self->{in} < 9 + $n;
            my $body = substr $self->{in}, 9, $n;
            substr($self->{in}, 0, 9 + $n) = '';
            $self->{of}{$id}{body} .= $body if $type == 0;
            $self->{of}{$id}{ended} = 1 if $type <= 1 && $flags & 1;
            $self->{of}{$id}{reset} = 1 if $type == 3;
            $self->{goaway} = 1 if $type == 7;
            $self->out(frame(4, 1, 0, '')) if $type == 4 && !($flags & 1);
        }
        my $value = $done->();
        return $value if $value;
        my $left = $end - Time::HiRes::time();
        return if $left <= 0 || $self->{closed}
            || !IO::Select->new($self->{socket})->can_read($left);
        sysread($self->{socket}, $self->{in}, 65536, length $self->{in})
            or $self->{closed} = 1;
    }
}

sub answer {
    my ($self, $id) = @_;
    $self->until_true(sub { $self->{of}{$id}{ended} || $self->{of}{$id}{reset} });
    return $self->{of}{$id}{body};
}

# Waits until the body has it, and takes it away up to there.
sub like {
    my ($self, $id, $what, $seconds) = @_;
    return $self->until_true(sub { $self->{of}{$id}{body} =~ s/^.*?$what//s }, $seconds);
}

sub vanish {
    my ($self) = @_;
    setsockopt $self->{socket}, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack('ii', 1, 0);
    close $self->{socket};
}

package main;

my $port = Kappa::Test::free_port();
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    graphql => 'kappa_heartbeat 300ms; client_max_body_size 8m;',
    http => "server { listen 127.0.0.1:$port http2 sndbuf=16k;
        http2_max_concurrent_streams 100;
        location /graphql { kappa_graphql app; kappa_heartbeat 300ms;
            send_timeout 30s; } }");
$t->start;
sub write_note {
    my ($id, $text) = @_;
    return $t->graphql('mutation($i: ID!, $t: String!) { write(id: $i, text: $t) { id } }',
        { i => $id, t => $text })->{status};
}
my @sse = (accept => 'text/event-stream');

my $c = H2->new($port);
my $w = $c->post('mutation { write(id: "a", text: "one") { id } }');
like($c->answer($w), qr/"data":\{"write"/, 'a mutation');
my @ids = map { $c->post('{ note(id: "a") { text } }') } 1 .. 20;
is(scalar(grep { $c->answer($_) =~ /"one"/ } @ids), 20, 'queries side by side');
like($c->answer($c->request('GET', '/graphql?query=%7Bnote(id:%22a%22)%7Btext%7D%7D', {})),
    qr/"one"/, 'GET');
like($c->answer($c->request('GET', '/graphql', { upgrade => 'websocket' })),
    qr/400/, 'no WebSocket over HTTP/2');
my $stream = $c->post('subscription { note(id: "a") { text } }', @sse);
ok($c->like($stream, 'event: next.*?"one"'), 'a stream');
my $events = $c->post('subscription { written { id text } }', @sse);
ok($c->like($events, ":"), 'a change stream');
for my $n (1 .. 3) {
    $c->post(qq[mutation { write(id: "a", text: "v$n") { id } }]);
    ok($c->like($stream, qr/"v$n"/), "hears of $n");
    ok($c->like($events, qr/"v$n"/), '... as an event');
}
ok($c->like($stream, '\n:') , 'heartbeats');
$c->reset($stream);
$c->post('mutation { write(id: "a", text: "after") { id } }');
ok($c->like($events, '"after"'), 'a stream that was reset harms no other');
# Resets before anything was answered.
for (1 .. 60) {
    $c->reset($c->post('mutation { write(id: "b", text: "x") { id } }'));
    $c->reset($c->post('subscription { note(id: "a") { text } }', @sse));
    $c->reset($c->post('{ note(id: "a") { text } }'));
}
like($c->answer($c->post('{ note(id: "a") { text } }')), qr/"after"/, 'resets do no harm');
# Clients that vanish.
for my $wait (0, 0, 0.001, 0.002, 0.005, 0.01, 0.05) {
    my $v = H2->new($port);
    $v->post('mutation { write(id: "b", text: "x") { id } }') for 1 .. 10;
    $v->post('subscription { note(id: "a") { text } }', @sse) for 1 .. 10;
    $v->post('subscription { written { text } }', @sse) for 1 .. 10;
    sleep $wait;
    $v->vanish;
}
is(write_note('a', 'still'), 200, 'clients that vanish do no harm');
ok($c->like($events, '"still"'), '... nor to others');

# A client with a small window, then one that reads nothing: they are slow
# alone, and a worker that leaves does not wait for them.
my $small = H2->new($port, window => 100);
my $id = $small->post('subscription { note(id: "a") { text } }', @sse);
$small->until_true(sub { length $small->{of}{$id}{body} >= 100 });
my $slow = H2->new($port, rcvbuf => 4096);
$slow->post('subscription { note(id: "a") { text } }', @sse);
$slow->post('subscription { written { id text } }', @sse);
write_note('a', "$_ " . 'z' x 400_000) for 1 .. 4;
sleep 0.3;
is(write_note('a', 'quick'), 200, 'slow clients hold up nobody');
ok($c->like($events, '"quick"'), '... not even a stream');
my ($old) = $t->workers;
ok($t->reload, 'reload');
ok($c->until_true(sub { $c->{of}{$events}{ended} || $c->{of}{$events}{reset} || $c->{closed} }),
    'streams end');
is(write_note('a', 'new'), 200, 'the new worker serves');
sleep 2;
my @stat = split ' ', Kappa::Test::read_file("/proc/$old/stat");
my $ticks = @stat ? $stat[13] : 0;
sleep 0.5;
@stat = split ' ', Kappa::Test::read_file("/proc/$old/stat");
cmp_ok(@stat ? $stat[13] - $ticks : 0, '<', 20, 'the old one does not spin');
$slow->vanish;
$small->vanish;
$c->vanish;
ok(Kappa::Test::wait_until(sub { !-d "/proc/$old" }), 'the old one leaves');
ok($t->stop, 'ended');
$t->no_alerts;
done_testing;
