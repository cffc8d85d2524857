# What clients and configurations do at the edges: other upgrades, old HTTP,
# pipelines, refused bodies, conditions, limits of speed, blocks within a
# location, proxies, and clients that vanish in the middle.

use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;
use Kappa::WebSocket;

my $SDL = <<'END';
type Note @view { id: ID!  text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription { note(id: ID!): Note }
END
my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    http => 'kappa_issuer https://a { key %DIR%/a.key alg=HS256; }'
        . 'limit_req_zone $kappa_operation_type zone=z:1m rate=1r/m;',
    graphql => 'kappa_heartbeat 300ms; if ($arg_x) { set $y 1; }',
    server => 'location /strict { kappa_graphql app; kappa_auth required; }
        location /reads { kappa_graphql app; limit_except GET { deny all; } }
        location /either { kappa_graphql app; limit_except GET { allow all; } }
        location /slow { kappa_graphql app; limit_rate 2k; kappa_heartbeat 200ms; }
        location /zip { kappa_graphql app; gzip on; gzip_min_length 1;
            gzip_types application/json text/event-stream
            application/graphql-response+json; }
        location /rate { kappa_graphql app; limit_req zone=z; }
        location /events { kappa_events app read=r write=w; kappa_auth required;
            if ($arg_x) { set $y 1; } }
        location /page { kappa_auth required; error_page 401 = /graphql;
            try_files /none =404; }
        location /any { satisfy any; deny all; kappa_graphql app; }
        location /mirrored { mirror /strict; mirror_request_body off;
            mirror /events; kappa_graphql app; }
        location /proxy/ { proxy_pass http://127.0.0.1:%PORT%/;
            proxy_http_version 1.1; proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade; }');
Kappa::Test::write_file($t->dir . '/a.key', "a secret of at least thirty-two bytes\n");
$t->start;

sub write_note {
    my ($id, $text, %headers) = @_;
    return $t->graphql('mutation($i: ID!, $t: String!) { write(id: $i, text: $t) { id } }',
        { i => $id, t => $text }, %headers);
}
my $READ = '{"query":"{ note(id: \"a\") { text } }"}';
my $GET = 'query=%7Bnote(id:%22a%22)%7Btext%7D%7D';
is(write_note('a', 'one')->{status}, 200, 'a note');

# Another Upgrade than to WebSocket is an offer, and no way round a token.
my %h2c = (Upgrade => 'h2c', Connection => 'Upgrade, HTTP2-Settings, close',
    'HTTP2-Settings' => 'AAMAAABkAAQAAP__');
is($t->post('/graphql', $READ, %h2c)->{json}{data}{note}{text}, 'one', 'Upgrade: h2c');
is($t->post('/strict', $READ, %h2c)->{status}, 401, '... needs its token');
is($t->post('/strict', $READ, Upgrade => 'websocket')->{status}, 400,
    'no WebSocket by POST');

# Blocks in a location.
is($t->get("/graphql?x=1&$GET")->{json}{data}{note}{text}, 'one', 'if');
is($t->get("/reads?$GET")->{json}{data}{note}{text}, 'one', 'limit_except');
is($t->post('/reads', $READ)->{status}, 403, '... denies');
is($t->post('/either', $READ)->{json}{data}{note}{text}, 'one', '... or not');
is($t->get('/events?x=1')->{status}, 401, 'if in kappa_events');
is($t->post('/any', $READ)->{status}, 403, 'satisfy any is for the access phase');

# Redirected by an error page, subrequests, a proxy, compressed, limited.
like($t->get('/page')->{body}, qr/BAD_USER_INPUT/, 'error_page to a GraphQL location');
for (1 .. 3) {
    is($t->post('/mirrored', $READ)->{json}{data}{note}{text}, 'one', 'mirrored');
}
is($t->post('/proxy/graphql', $READ)->{json}{data}{note}{text}, 'one', 'proxied');
{
    my $ws = Kappa::WebSocket->new($t, '/proxy/graphql');
    is($ws->status, 101, 'a WebSocket through a proxy');
    is($ws->init->{type}, 'connection_ack', '... talks');
}
my $zipped = $t->post('/zip', $READ, 'Accept-Encoding' => 'gzip');
is($zipped->{headers}{'content-encoding'}, 'gzip', 'gzip');
is($t->post('/rate', $READ)->{status}, 200, 'limit_req');
is($t->post('/rate', $READ)->{status}, 200, '... by what the request says');

# Conditions do not hide what was done.
my $past = 'Sun, 06 Nov 1994 08:49:37 GMT';
my $r = write_note('a', 'two', 'If-Unmodified-Since' => $past, 'If-Match' => '"x"',
    'If-None-Match' => '*');
is($r->{status}, 200, 'a mutation with conditions') or diag $r->{raw};

# Old HTTP, pipelines, 100-continue, and the connection after an error.
my $post = sub {
    my ($version, $body, %h) = @_;
    return "POST /graphql HTTP/$version\r\nHost: x\r\nContent-Type: application/json\r\n"
        . join('', map { "$_: $h{$_}\r\n" } sort keys %h)
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
};
like($t->raw($post->('1.0', $READ)), qr/200 OK.*"two"/s, 'HTTP/1.0');
my $sse = '{"query":"subscription { note(id: \"a\") { text } }"}';
like($t->raw($post->('1.0', $sse, Accept => 'text/event-stream'), 1),
    qr/200 OK.*\r\n\r\n.*event: next.*"two"/s, 'HTTP/1.0: a stream');
my $many = $t->raw($post->('1.1', $READ) x 3 . $post->('1.1', '{"query":"{"}')
    . $post->('1.1', '[') . ($post->('1.1', $READ) =~ s{application/json}{text/plain}r)
    . $post->('1.1', $READ) . "PUT /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    . "HEAD /graphql?$GET HTTP/1.1\r\nHost: x\r\n\r\n"
    . $post->('1.1', '{"query":"mutation { write(id: \"b\", text: \"x\") { id } }"}')
    . $post->('1.1', $READ, Connection => 'close'));
my @statuses = $many =~ /HTTP\/1\.1 (\d+)/g;
is("@statuses", '200 200 200 200 400 415 200 405 200 200 200', 'a pipeline')
    or diag $many;
{
    my $s = $t->connect;
    syswrite $s, "POST /graphql HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        . "Content-Type: application/json\r\nConnection: close\r\nContent-Length: "
        . length($READ) . "\r\n\r\n";
    sysread $s, my $go, 100;
    like($go, qr/100 Continue/, 'Expect: 100-continue');
    syswrite $s, $READ;
    like(do { local $/; <$s> }, qr/"two"/, '... and the answer');
}

# A stream at a limited speed goes on.
{
    my $s = Kappa::Test::SSE->open($t, 'POST', '/slow',
        { 'Content-Type' => 'application/json' }, $sse);
    is($s->next->{json}{data}{note}{text}, 'two', 'limit_rate: first');
    for my $n (1 .. 3) {
        write_note('a', $n . 'y' x 1500);
        my $next = $s->next(6);
        like($next && $next->{json}{data}{note}{text}, qr/^$n/, "limit_rate: $n");
    }
    my $before = $s->comments;
    $s->next(1.5);
    cmp_ok($s->comments, '>', $before, '... and beats');
}
# A compressed stream arrives at once.
{
    my $s = Kappa::Test::SSE->open($t, 'POST', '/zip',
        { 'Content-Type' => 'application/json', 'Accept-Encoding' => 'gzip' }, $sse);
    $s->fill(time + 2);
    $s->unwrap;
    my $before = length $s->{text};
    write_note('a', 'zipped');
    $s->fill(time + 2);
    $s->unwrap;
    cmp_ok(length $s->{text}, '>', $before, 'a compressed stream is flushed');
}

# Clients that vanish, with a reset, at every byte of what they say.
sub vanish {
    my ($bytes, $wait) = @_;
    my $s = $t->connect or return;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $s, $bytes;
    sleep $wait if $wait;
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    close $s;
}
my $mutation = $post->('1.1', '{"query":"mutation { write(id: \"c\", text: \"x\") { id } }"}');
for my $bytes ($mutation, $post->('1.1', $READ),
    $post->('1.1', $sse, Accept => 'text/event-stream'),
    "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        . "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        . Kappa::WebSocket::frame(1, '{"type":"connection_init"}')
        . Kappa::WebSocket::frame(1, '{"type":"subscribe","id":"1","payload":'
            . '{"query":"subscription { note(id: \"a\") { text } }"}}')
        . Kappa::WebSocket::frame(1, '{"type":"subscribe","id":"2","payload":'
            . '{"query":"mutation { write(id: \"a\", text: \"x\") { id } }"}}')
        . Kappa::WebSocket::frame(1, '{"type":"complete","id":"1"}')
        . Kappa::WebSocket::frame(8, ''))
{
    for (my $n = 40; $n < length $bytes; $n += 37) {
        vanish(substr($bytes, 0, $n));
        vanish(substr($bytes, 0, $n), 0.002);
    }
    vanish($bytes);
    vanish($bytes, $_ / 2000) for 1 .. 8;
}
is(write_note('a', 'last')->{status}, 200, 'all that does no harm');
is($t->post('/graphql', $READ)->{json}{data}{note}{text}, 'last', 'nor to reading');

# A worker leaves in order: with a stream, a socket and a mutation on its way.
my $stream = $t->sse('subscription { note(id: "a") { text } }');
$stream->next;
my $ws = Kappa::WebSocket->new($t, '/graphql');
$ws->init;
$ws->subscribe('1', 'subscription { note(id: "a") { text } }');
$ws->next;
my @waiting = map { my $s = $t->connect; syswrite $s, $mutation; $s } 1 .. 5;
ok($t->reload, 'reload');
for my $s (@waiting) {
    like(Kappa::Test::wait_until(sub { sysread $s, my $in, 4096; $in }) // '',
        qr/200 OK/, 'a mutation is answered');
}
ok(!$stream->next(3), 'the stream ends');
ok($stream->ended, '... is cut');
is($ws->next(3)->{close}, 1012, 'the socket is told to come back');
ok($t->stop('QUIT'), 'QUIT');
$t->no_alerts;
done_testing;
