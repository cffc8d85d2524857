# graphql-transport-ws: operations of every kind on one connection, the
# protocol's close codes, and what hostile or silent clients get.

use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);
use Kappa::Test;
use Kappa::WebSocket;

my $SDL = Kappa::Test::file('examples/catalogue/schema.graphql');
my $t = Kappa::Test->new(schema => $SDL, workers => 4,
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    graphql => 'kappa_heartbeat 300ms; kappa_origin https://app.example.com;',
    server => 'location /token { kappa_graphql app; kappa_auth required; }'
        . 'location /small { kappa_graphql app; client_max_body_size 1k; }');
Kappa::Test::write_file($t->dir . '/key', 'a secret of at least thirty-two bytes');
my $events = join '', map { $Kappa::Test::JSON->encode({ thing => 'Package', verb => 'released',
    effect => 'PUT', key => $_, data => { name => $_, version => '1', size => 10,
    section => 'misc', maintainer => 'Kim' } }) . "\n" } qw(bash zsh);
my $import = $t->kappa(['import', '-', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql'], stdin => $events);
is($import->{status}, 0, 'import') or diag $import->{err};
$t->start;
sub ws { return Kappa::WebSocket->new($t, $_[0] // '/graphql', @_[1 .. $#_]) }

# --- operations

my $ws = ws();
is($ws->status, 101, 'handshake');
is($ws->headers->{'sec-websocket-protocol'}, 'graphql-transport-ws', 'subprotocol');
is($ws->init({})->{type}, 'connection_ack', 'connection_ack');
$ws->send({ type => 'ping', payload => { a => 1 } });
is_deeply($ws->next, { type => 'pong', payload => { a => 1 } }, 'pong');
$ws->subscribe('q', 'query($n: ID!) { package(name: $n) { size } }', { n => 'bash' });
my $m = $ws->next;
is($m->{type}, 'next', 'a query');
is_deeply($m->{payload}{data}, { package => { size => 10 } }, 'its data');
like($m->{payload}{extensions}{kappa}{position}, qr/-2$/, 'its position');
is_deeply($ws->next, { id => 'q', type => 'complete' }, 'complete');
$ws->subscribe('live', 'subscription { package(name: "bash") { installs } }');
is_deeply($ws->next->{payload}{data}, { package => { installs => 0 } }, 'a live field');
$ws->subscribe('all', 'subscription { reported { package kind } }');
$ws->subscribe('m', 'mutation { report(package: "bash", kind: INSTALLED) { kind } }');
my %got;
for (1 .. 4) {
    my $next = $ws->next or last;
    $got{"$next->{id} $next->{type}"} = $next->{payload};
}
is_deeply($got{'m next'}{data}, { report => { kind => 'INSTALLED' } }, 'a mutation');
ok(exists $got{'m complete'}, 'completes');
is_deeply($got{'live next'}{data}, { package => { installs => 1 } }, 'the live field hears of it');
is_deeply($got{'all next'}{data}, { reported => { package => 'bash', kind => 'INSTALLED' } }, 'and the stream');
my $at = $got{'all next'}{extensions}{kappa}{position};
is($at, $got{'m next'}{extensions}{kappa}{position}, 'one position');
$ws->complete('all');
$ws->subscribe('bad', '{ nothing }');
$m = $ws->next;
is($m->{type}, 'error', 'an invalid operation');
is($m->{payload}[0]{extensions}{code}, 'VALIDATION_FAILED', 'says why');
$t->graphql('mutation { report(package: "zsh", kind: BROKEN) { id } }') for 1 .. 3;
ok(!$ws->next(0.5), 'a completed stream is silent');
cmp_ok($ws->{pings}, '>=', 1, 'pings');

# Resume, at whatever worker.
for (1 .. 4) {
    my $again = ws();
    $again->init;
    $again->subscribe('s', 'subscription { reported(package: "zsh") { kind } }', undef,
        extensions => { kappa => { after => $at } });
    is($again->next->{payload}{data}{reported}{kind}, 'BROKEN', 'what was missed') for 1 .. 3;
    ok(!$again->next(0.1), 'and no more');
}
my $gap = ws();
$gap->init;
$gap->subscribe('s', 'subscription { package(name: "bash") { installs } }', undef,
    extensions => { kappa => { after => 'anotherlog-1' } });
$m = $gap->next;
is($m->{payload}{extensions}{kappa}{gap}, JSON::PP::true(), 'another log: a gap');
is($m->{payload}{data}{package}{installs}, 1, 'and the value');

# Many subscribers over all workers hear of one mutation.
my @many = map { my $w = ws(); $w->init; $w->subscribe('x', 'subscription { section(name: "misc") { packages } }'); $w } 1 .. 40;
is_deeply($_->next->{payload}{data}, { section => { packages => 2 } }, 'now') for @many;
$t->kappa(['import', '-', '--store', $t->store], stdin => '{"thing":"Package","verb":"released","effect":"PUT","key":"fish","data":{"name":"fish","version":"1","size":1,"section":"misc","maintainer":"K"}}' . "\n");
my $heard = grep { my $n = $_->next; $n && $n->{payload}{data}{section}{packages} == 3 } @many;
is($heard, 40, 'an import reaches all');

# --- close codes

sub closes {
    my ($name, $code, $ws) = @_;
    my $last;
    for (1 .. 5) {
        my $next = $ws->next(3) or last;
        $last = $next;
        last if $last->{close};
    }
    is($last->{close}, $code, "$name: $code");
}
my $w = ws();
$w->subscribe('1', '{ __typename }');
closes('subscribe before init', 4401, $w);
$w = ws(); $w->init; $w->send({ type => 'connection_init' });
closes('init twice', 4429, $w);
$w = ws(); $w->init; $w->subscribe('1', 'subscription { package(name: "bash") { size } }') for 1 .. 2;
closes('an id twice', 4409, $w);
for my $text ('', '{', '[]', '{"type":"x"}', '{"type":"next","id":"1"}', '{"type":"subscribe"}') {
    $w = ws(); $w->init; $w->text($text);
    closes("the message `$text`", 4400, $w);
}
$w = ws('/graphql', headers => { 'Sec-WebSocket-Protocol' => 'graphql-ws' });
closes('another subprotocol', 4406, $w);
$w = ws(); $w->init; $w->bytes(Kappa::WebSocket::frame(2, 'x'));
closes('binary', 4400, $w);
$w = ws(); $w->init; $w->text("\xff\xfe");
closes('no UTF-8', 1007, $w);
$w = ws(); $w->init; $w->bytes("\xff" x 100);
closes('garbage', 1005, $w);    # libwslay names no code for a broken header
$w = ws('/small'); $w->init; $w->text('{"type":"ping","payload":{"a":"' . 'x' x 2000 . '"}}');
closes('too long', 1009, $w);
$w = ws(); $w->init; $w->bytes(Kappa::WebSocket::frame(8, pack 'n', 1000));
is($w->next->{close}, 1000, 'a close is answered');
ok(!$w->next && $w->ended, 'and the connection ends');

# --- tokens

closes('required: none', 4401, do { $w = ws('/token'); $w->send({ type => 'connection_init' }); $w });
closes('required: a bad one', 4401, do { $w = ws('/token'); $w->send({ type => 'connection_init', payload => { authorization => 'Bearer x' } }); $w });
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
sub token {
    my $text = encode_base64url('{"alg":"HS256"}') . '.'
        . encode_base64url($Kappa::Test::JSON->encode({ iss => 'https://a', sub => 'kim', @_ }));
    return "$text." . encode_base64url(hmac_sha256($text, 'a secret of at least thirty-two bytes'));
}
for my $payload ({ authorization => 'Bearer ' . token() }, { Authorization => 'bearer ' . token() }, { token => token() }) {
    $w = ws('/token');
    is($w->init($payload)->{type}, 'connection_ack', 'a good one');
    $w->subscribe('m', 'mutation { report(package: "bash", kind: BROKEN) { by } }');
    is($w->next->{payload}{data}{report}{by}, 'kim', 'is who acts');
}
$w = ws('/token', headers => { Authorization => 'Bearer ' . token() });
is($w->init->{type}, 'connection_ack', 'a token in the header');
is(ws('/token', headers => { Authorization => 'Bearer x' })->status, 401, 'a bad one in the header');

# --- handshakes that are refused

is(ws('/graphql', headers => { Origin => 'https://evil.example' })->status, 403, 'another origin');
is(ws('/graphql', headers => { Origin => 'https://app.example.com' })->status, 101, 'a listed origin');
is(ws('/graphql', headers => { Origin => 'http://localhost' })->status, 101, 'the same origin');
is(ws('/graphql', headers => { 'Sec-WebSocket-Version' => 8 })->status, 426, 'another version');
is(ws('/graphql', headers => { 'Sec-WebSocket-Key' => 'x' })->status, 400, 'a bad key');
is(ws('/graphql', headers => { Upgrade => 'h2c' })->status, 400, 'another upgrade');
$w = ws('/graphql', early => Kappa::WebSocket::frame(1, '{"type":"connection_init"}'));
is($w->next->{type}, 'connection_ack', 'a message right behind the handshake');

# --- clients that do nothing, or never read

my $silent = ws();
my $deaf = ws();
$deaf->init;
$deaf->subscribe('s' . $_, 'subscription { reported { id package kind at } }') for 1 .. 50;
for my $round (1 .. 5) {
    $t->graphql('mutation { ' . join(' ', map { "a$_: report(package: \"zsh\", kind: BROKEN) { id }" } 1 .. 40) . ' }');
}
is_deeply($t->graphql('{ __typename }')->{json}{data}, { __typename => 'Query' }, 'others are served');
my $begin = time;
$m = $silent->next(15);
is($m->{close}, 4408, 'who says nothing is closed');

# --- reload: sockets are told to come back

$w = ws(); $w->init; $w->subscribe('1', 'subscription { package(name: "bash") { size } }'); $w->next;
ok($t->reload, 'reload');
closes('reload', 1012, $w);
ok($t->stop('QUIT'), 'a graceful end with open sockets');
$t->no_alerts;
done_testing;
