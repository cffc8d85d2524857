# TLS: queries, a mutation, streams and sockets behind `listen … ssl`, with
# answers of many records, clients that vanish, and a reload.

use strict;
use warnings;
use IO::Select;
use IPC::Open2;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;
use Kappa::WebSocket;

die "no openssl: run make test\n" if system 'openssl version > /dev/null 2>&1';

my $SDL = <<'END';
type Note @view { id: ID!  text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription { note(id: ID!): Note }
END
my $port = Kappa::Test::free_port();
my $t = Kappa::Test->new(schema => $SDL, workers => 1, graphql => '',
    http => "server { listen 127.0.0.1:$port ssl;
        ssl_certificate %DIR%/cert.pem; ssl_certificate_key %DIR%/key.pem;
        location /graphql { kappa_graphql app; kappa_heartbeat 1s; } }");
my $dir = $t->dir;
is(system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key.pem"
        . " -out $dir/cert.pem -days 2 -subj /CN=localhost 2>/dev/null"), 0, 'a certificate');
$t->start;

# openssl s_client as a pipe: what is written goes out, what comes in is read.
sub client {
    my $pid = open2(my $out, my $in, 'exec openssl s_client -quiet -verify_quiet'
        . " -no_ign_eof -connect 127.0.0.1:$port 2>/dev/null") or die;
    return { out => $out, in => $in, pid => $pid, got => '' };
}
sub say_it { my ($c, $bytes) = @_; syswrite $c->{in}, $bytes }
sub hear {
    my ($c, $what, $seconds) = @_;
    my $end = time + ($seconds // 10);
    while (1) {
        return 1 if $c->{got} =~ s/^.*?(?:$what)//s;
        my $left = $end - time;
        return 0 if $left <= 0 || !IO::Select->new($c->{out})->can_read($left);
        sysread($c->{out}, $c->{got}, 65536, length $c->{got}) or $c->{ended} = 1;
        return $c->{got} =~ s/^.*?(?:$what)//s if $c->{ended};
    }
}
sub vanish {
    my ($c) = @_;
    kill 'KILL', $c->{pid};
    waitpid $c->{pid}, 0;
}
sub post {
    my ($query, $variables, @headers) = @_;
    my $body = $Kappa::Test::JSON->encode(
        { query => $query, variables => $variables // {} });
    return "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        . join('', map { "$_\r\n" } @headers)
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}
my $WRITE = 'mutation($i: ID!, $t: String!) { write(id: $i, text: $t) { id } }';
sub write_note {
    my ($id, $text) = @_;
    return $t->graphql($WRITE, { i => $id, t => $text })->{status};
}

{ local $SIG{PIPE} = 'IGNORE';
my $c = client();
say_it($c, post($WRITE, { i => 'a', t => 'one' }) . post('{ note(id: "a") { text } }'));
ok(hear($c, '"write":\{'), 'a mutation');
ok(hear($c, '"text":"one"'), 'a query');
is(write_note('a', 'big ' . 'b' x 300_000 . ' end'), 200, 'a large value');
say_it($c, post('{ note(id: "a") { text } }'));
ok(hear($c, 'big b+ end'), 'in many records');
say_it($c, post($WRITE, { i => 'c', t => 'c' x 200_000 }));
ok(hear($c, '"write":\{'), 'and sent in many');
vanish($c);

my $s = client();
say_it($s, post('subscription { note(id: "a") { text } }', {}, 'Accept: text/event-stream'));
ok(hear($s, 'big b+ end'), 'a stream');
for my $n (1 .. 3) {
    write_note('a', "n$n");
    ok(hear($s, "\"n$n\""), "hears of $n");
}
ok(hear($s, '\n:'), 'heartbeats');

my $hello = "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
    . 'Sec-WebSocket-Key: ' . encode_base64('0123456789abcdef', '') . "\r\n\r\n";
sub frame { return Kappa::WebSocket::frame(1, $Kappa::Test::JSON->encode($_[0])) }
my $w = client();
say_it($w, $hello);
ok(hear($w, 'HTTP/1.1 101'), 'a WebSocket');
say_it($w, frame({ type => 'connection_init' }));
ok(hear($w, 'connection_ack'), 'talks');
say_it($w, frame({ type => 'subscribe', id => '1',
    payload => { query => 'subscription { note(id: "a") { text } }' } }));
ok(hear($w, '"n3"'), 'a subscription');
say_it($w, frame({ type => 'subscribe', id => '2', payload => { query => $WRITE,
    variables => { i => 'a', t => 'w' x 100_000 } } }));
ok(hear($w, 'w' x 1000), 'hears of a mutation of its own');
# Messages that arrive in one record, more than one read takes.
say_it($w, join '', map { frame({ type => 'subscribe', id => "q$_",
    payload => { query => '{ note(id: "c") { id } }' } }) } 1 .. 150);
ok(hear($w, '"complete".{0,20}q150|q150.{0,40}"complete"'), 'many messages at once');

for my $wait (0, 0.01, 0.02, 0.05) {
    for my $bytes (post($WRITE, { i => 'd', t => 'd' }),
        post('subscription { note(id: "a") { text } }', {}, 'Accept: text/event-stream'),
        $hello . frame({ type => 'connection_init' }) . frame({ type => 'subscribe', id => '1',
            payload => { query => 'subscription { note(id: "a") { text } }' } }))
    {
        my $v = client();
        say_it($v, $bytes);
        sleep $wait;
        vanish($v);
    }
}
is(write_note('a', 'after'), 200, 'clients that vanish do no harm');
ok(hear($s, '"after"'), 'not to a stream');
ok(hear($w, '"after"'), 'nor to a socket');
my ($old) = $t->workers;
ok($t->reload, 'reload');
hear($s, 'nothing of the kind', 3);
ok($s->{ended}, 'the stream is cut');
ok(hear($w, 'The server restarts'), 'the socket is told');
vanish($_) for $s, $w;
ok(Kappa::Test::wait_until(sub { !-d "/proc/$old" }), 'the old worker leaves');
}
ok($t->stop, 'ended');
$t->no_alerts;
done_testing;
