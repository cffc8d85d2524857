# Safe requests: who may send a GET, what caches may do with its answer, and
# what QUERY is told. And the statuses of kappa_status_codes 2026-09.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Kappa::Test;

my $SECRET = 'a secret of at least thirty-two bytes';
my $t = Kappa::Test->new(workers => 1, schema => <<'SDL',
type Note @view {
  id: ID!
  text: String!
  owner: String @stamp(as: "auth.sub") @allow(if: "row.owner == auth.sub")
  secret: String @allow(if: "'admin' in auth.roles")
}
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: UPSERT)
}
type Subscription { note(id: ID!): Note }
SDL
    http => 'kappa_issuer me { key %DIR%/key alg=HS256; }',
    server => <<'CONF');
location /listed { kappa_graphql app; kappa_origin https://app.example.com; }
location /all { kappa_graphql app; kappa_origin *; }
location /may { kappa_graphql app; kappa_auth optional; }
location /must { kappa_graphql app; kappa_auth required; }
location /cookie { kappa_graphql app; kappa_auth optional; kappa_token cookie=session; }
location /zip { kappa_graphql app; gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any; }
location /new { kappa_graphql app; kappa_status_codes 2026-09; }
location /small { kappa_graphql app; client_max_body_size 100; }
CONF
Kappa::Test::write_file($t->dir . '/key', $SECRET);
$t->start;

my $GRAPHQL = 'application/graphql-response+json';
my $ASK = '?query={note(id:"a"){text}}';
my $MUTATION = '?query=mutation{write(id:"a",text:"got"){text}}';
my %json = ('Content-Type' => 'application/json');
sub token {
    my $text = join '.', map { encode_base64url($Kappa::Test::JSON->encode($_)) }
        { alg => 'HS256', typ => 'JWT' }, { iss => 'me', @_ };
    return "$text." . encode_base64url(hmac_sha256($text, $SECRET));
}
my $token = token(sub => 'kim', exp => time + 600);
my %kim = (Authorization => "Bearer $token");
is($t->graphql('mutation { write(id: "a", text: "tea") { text } }')->{status}, 200, 'a note');

# --- who may

# Headers and whether a GET with them is run. The Host is localhost.
my $evil = 'https://evil.example.net';
my $app = 'https://app.example.com';
my %cross = ('Sec-Fetch-Site' => 'cross-site');
my @get = (
    ['curl', '/graphql', {}, 200],
    ['the address bar', '/graphql', { 'Sec-Fetch-Site' => 'none', 'Sec-Fetch-Mode' => 'navigate',
        Accept => 'application/json' }, 200],
    ['our own page', '/graphql', { 'Sec-Fetch-Site' => 'same-origin' }, 200],
    ['an image, link or form of another site', '/graphql', { %cross }, 403],
    ['one of a sibling', '/graphql', { 'Sec-Fetch-Site' => 'same-site' }, 403],
    ['fetch of another site', '/graphql', { %cross, Origin => $evil }, 403],
    ['... and a media type that forms can send', '/graphql',
        { %cross, 'Content-Type' => 'text/plain' }, 403],
    ['an older browser', '/graphql', { Origin => $evil }, 403],
    ['an older browser\'s link', '/graphql', { Referer => "$evil/page" }, 403],
    ['a sandboxed page', '/graphql', { Origin => 'null' }, 403],
    ['an older browser on our page', '/graphql', { Origin => 'http://localhost' }, 200],
    ['its link', '/graphql', { Referer => 'http://localhost/page' }, 200],
    ['Apollo Client', '/graphql', { %cross, Origin => $evil, %json }, 200],
    ['Apollo iOS and Kotlin', '/graphql', { 'X-Apollo-Operation-Name' => 'Q' }, 200],
    ['who says that it is preflighted', '/graphql',
        { %cross, 'Apollo-Require-Preflight' => 'true' }, 200],
    ['an empty one', '/graphql', { %cross, 'Apollo-Require-Preflight' => '' }, 403],
    ['a page with a token', '/may', { %cross, Origin => $evil, %kim }, 200],
    ['a page with a password', '/graphql', { %cross, Authorization => 'Basic eDp5' }, 403],
    ['a listed page', '/listed', { %cross, Origin => $app }, 200],
    ['another page there', '/listed', { %cross, Origin => $evil }, 403],
    ['an image of the listed page', '/listed', { %cross, Referer => "$app/" }, 403],
    ['where all may ask', '/all', { %cross, Origin => $evil }, 200],
    ['an image there', '/all', { %cross }, 200],
    ['a cookie and nothing else', '/cookie', { Cookie => "session=$token" }, 403],
    ['a cookie from our own page', '/cookie',
        { Cookie => "session=$token", 'Sec-Fetch-Site' => 'same-origin' }, 200],
    ['a cookie from another', '/cookie', { Cookie => "session=$token", %cross }, 403],
    ['a cookie by a link of our own page', '/cookie',
        { Cookie => "session=$token", Referer => 'http://localhost/' }, 200],
);
for (@get) {
    my ($name, $path, $headers, $status) = @$_;
    my $r = $t->http('GET', "$path$ASK", $headers);
    is($r->{status}, $status, "GET: $name") or diag $r->{raw};
    is($r->{json}{errors}[0]{extensions}{code}, 'FORBIDDEN', "GET: $name: code")
        if $status == 403;
    $r = $t->http('GET', "$path$MUTATION", $headers);
    is($r->{status}, $status == 200 ? 405 : 403, "GET of a mutation: $name");
    is($t->http('HEAD', "$path$ASK", $headers)->{status}, $status, "HEAD: $name");
}
for my $type (undef, 'text/plain', 'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded', 'text/plain;charset=UTF-8, application/json')
{
    my $r = $t->http('POST', '/graphql', { defined $type ? ('Content-Type' => $type) : (), %cross },
        '{"query":"mutation{write(id:\"a\",text:\"form\"){text}}"}');
    is($r->{status}, 415, 'POST by a form: ' . ($type // 'no type'));
}
is($t->graphql('{ note(id: "a") { text } }')->{json}{data}{note}{text}, 'tea',
    'nothing of this was run');
my $sse = Kappa::Test::SSE->open($t, 'GET', '/graphql?query=subscription{note(id:"a"){text}}',
    { %cross, Origin => $evil });
is($sse->status, 403, 'an EventSource of another site');
$sse->close;

# --- QUERY is told of

my $r = $t->http('OPTIONS', '/graphql', { Origin => $app });
is($r->{headers}{'accept-query'}, 'application/json', 'OPTIONS: Accept-Query');
for (['PUT', {}, 405], ['POST', { 'Content-Type' => 'text/plain' }, 415],
    ['QUERY', { 'Content-Type' => 'text/plain' }, 415], ['QUERY', { %json }, 200])
{
    my ($method, $headers, $status) = @$_;
    $r = $t->http($method, '/graphql', $headers, '{"query":"{__typename}"}');
    is($r->{status}, $status, "$method: status");
    is($r->{headers}{'accept-query'}, 'application/json', "$method $status: Accept-Query");
}
is($t->get("/graphql$ASK")->{headers}{'accept-query'}, 'application/json', 'GET: Accept-Query');
is($t->graphql('{ __typename }')->{headers}{'accept-query'}, undef, 'POST: none');

# --- what caches may do

$r = $t->get("/graphql$ASK");
my $etag = $r->{headers}{etag};
like($etag, qr/^"[0-9a-f]{32}"$/, 'a strong ETag');
is($r->{headers}{vary}, 'Accept', 'Vary');
is($r->{headers}{'cache-control'}, undef, 'the same for everybody');
is($t->get("/graphql$ASK")->{headers}{etag}, $etag, 'the same again');
isnt($t->get("/graphql$ASK", Accept => $GRAPHQL)->{headers}{etag}, $etag, 'of another media type');
is($t->http('HEAD', "/graphql$ASK", {})->{headers}{etag}, $etag, 'HEAD has it');
for my $tag ($etag, "W/$etag", qq("x", $etag), '*') {
    $r = $t->get("/graphql$ASK", 'If-None-Match' => $tag);
    is($r->{status}, 304, "If-None-Match: $tag") or diag $r->{raw};
    is($r->{body}, '', 'no body');
    is($r->{headers}{etag}, $etag, 'the ETag');
    is($r->{headers}{vary}, 'Accept', 'Vary');
    like($r->{headers}{'kappa-position'}, qr/-1$/, 'Kappa-Position');
}
is($t->get("/graphql$ASK", 'If-None-Match' => '"x"')->{status}, 200, 'another tag');
is($t->get("/graphql$ASK", 'If-Unmodified-Since' => 'Sun, 06 Nov 1994 08:49:37 GMT')->{status},
    200, 'a time says nothing');
is($t->get("/graphql$ASK", 'If-Match' => '"x"')->{status}, 412, 'If-Match');
$r = $t->http('QUERY', '/graphql', { %json, 'If-None-Match' => $etag },
    '{"query":"{note(id:\"a\"){text}}"}');
is($r->{status}, 304, 'QUERY too');
for (1 .. 4) { # also when the answer was asked for often
    $t->post('/graphql', '{"query":"{note(id:\"a\"){text}}"}');
    $r = $t->http('QUERY', '/graphql', { %json }, '{"query":"{note(id:\"a\"){text}}"}');
    is($r->{headers}{etag}, $etag, 'QUERY: ETag');
}
is($t->graphql('{ note(id: "a") { text } }')->{headers}{etag}, undef, 'POST has none');
is($t->post('/graphql', '{"query":"{note(id:\"a\"){text}}"}', 'If-None-Match' => $etag)->{status},
    200, 'POST asks no conditions');
$r = $t->get('/graphql?query={', 'If-None-Match' => '*');
is($r->{status}, 200, 'an error has none');
is($r->{headers}{etag}, undef, '... no ETag');
is($t->graphql('mutation { write(id: "a", text: "milk") { text } }')->{status}, 200, 'a change');
$r = $t->get("/graphql$ASK", 'If-None-Match' => $etag);
is($r->{status}, 200, 'is another answer');
is($r->{json}{data}{note}{text}, 'milk', 'the new one');
is($t->graphql('mutation { write(id: "b", text: "x") { text } }')->{status}, 200, 'elsewhere');
is($t->get("/graphql$ASK", 'If-None-Match' => $r->{headers}{etag})->{status}, 304,
    'is the same one');

# gzip
my %zip = ('Accept-Encoding' => 'gzip');
$r = $t->get("/zip$ASK", %zip);
is($r->{headers}{'content-encoding'}, 'gzip', 'gzip');
like($r->{headers}{etag}, qr{^W/"[0-9a-f]{32}"$}, 'its ETag is weak');
is($t->get("/zip$ASK", %zip, 'If-None-Match' => $r->{headers}{etag})->{status}, 304,
    'and is known');
is($t->get("/zip$ASK", 'If-None-Match' => $r->{headers}{etag})->{status}, 304,
    'also to who takes no gzip');
is($t->post('/zip', '{"query":"{note(id:\"a\"){text}}"}', %zip)->{headers}{'content-encoding'},
    'gzip', 'POST: gzip');

# Who the answer is for.
my $SECRET_FIELD = '?query={note(id:"a"){secret}}';
my @private = (
    ['anonymous, where nobody is known', '/graphql', $SECRET_FIELD, {}, undef, 'Accept'],
    ['a token that says nothing here', '/may', $ASK, { %kim }, undef, 'Accept'],
    ['no token, but one would count', '/may', $SECRET_FIELD, {}, 'private', 'Accept, Authorization'],
    ['a token that counts', '/may', $SECRET_FIELD, { %kim }, 'private', 'Accept, Authorization'],
    ['where one is needed', '/must', $ASK, { %kim }, 'private', 'Accept, Authorization'],
    ['a cookie', '/cookie', $SECRET_FIELD, { Cookie => "session=$token", %json },
        'private', 'Accept, Cookie'],
    ['with origins', '/listed', $ASK, {}, undef, 'Accept, Origin'],
);
for (@private) {
    my ($name, $path, $query, $headers, $control, $vary) = @$_;
    $r = $t->http('GET', "$path$query", $headers);
    is($r->{status}, 200, "$name: status") or diag $r->{raw};
    is($r->{headers}{'cache-control'}, $control, "$name: Cache-Control");
    is($r->{headers}{vary}, $vary, "$name: Vary");
    is($t->http('GET', "$path$query", { %$headers, 'If-None-Match' => $r->{headers}{etag} })
        ->{status}, 304, "$name: 304");
}

# --- kappa_status_codes 2026-09

my @status = (
    # query, as application/json, as graphql-response+json
    ['{note(id:"a"){text}}', 200, 200],
    ['{note(id:"none"){text}}', 200, 200],
    ['mutation{write(id:"a",text:"milk"){text secret}}', 200, 294],
    ['{', 200, 400],
    ['{nothing}', 200, 422],
    ['query($i:ID!){note(id:$i){text}}', 200, 422],
);
for (@status) {
    my ($query, $json, $graphql) = @$_;
    my $body = $Kappa::Test::JSON->encode({ query => $query });
    is($t->post('/new', $body)->{status}, $json, "$query: application/json");
    $r = $t->post('/new', $body, Accept => $GRAPHQL);
    is($r->{status}, $graphql, "$query: $GRAPHQL") or diag $r->{raw};
}

# --- bodies

my $long = $Kappa::Test::JSON->encode({ query => '{ note(id: "a") { text } }' . ' ' x 200_000 });
is($t->post('/graphql', $long)->{json}{data}{note}{text}, 'milk', 'a body in a file');
my $chunks = join('', map { sprintf("%x\r\n%s\r\n", length $_, $_) } $long =~ /.{1,7000}/gs)
    . "0\r\n\r\n";
is($t->http('POST', '/graphql', { %json, 'Transfer-Encoding' => 'chunked' }, $chunks)
    ->{json}{data}{note}{text}, 'milk', 'in chunks');
is($t->post('/small', $long)->{status}, 413, 'too large');
is($t->http('POST', '/small', { %json, 'Transfer-Encoding' => 'chunked' }, $chunks)->{status},
    413, 'too large in chunks');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
