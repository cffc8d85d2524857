# Trusted documents: `documents DIR` and kappa_documents_only, over every
# transport, and what nginx -t says of a directory that is not right.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use Test::More;
use Kappa::Test;
use Kappa::WebSocket;

my $SCHEMA = <<'SDL';
type Note @view { id: ID! text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: UPSERT)
}
type Subscription { note(id: ID!): Note }
SDL

my %text = (
    file => 'query Read($id: ID!) { note(id: $id) { text } }',
    apollo => 'query Apollo { note(id: "a") { id } }',
    relay => 'query Relay { note(id: "a") { id text } }',
    write => 'mutation Write { write(id: "a", text: "tea") { text } }',
    live => 'subscription Live { note(id: "a") { text } }',
);
my $other = '{ note(id: "a") { text id } }';

# Writes files into a directory of the server's.
sub documents {
    my ($t, %file) = @_;
    mkdir $t->dir . '/docs';
    Kappa::Test::write_file($t->dir . "/docs/$_", $file{$_}) for keys %file;
}
sub files {
    return (
        map({ (sha256_hex($text{$_}) . '.graphql' => $text{$_}) } qw(file write live)),
        'apollo.json' => $Kappa::Test::JSON->encode({
            format => 'apollo-persisted-query-manifest', version => 1,
            operations => [{ id => sha256_hex($text{apollo}), name => 'Apollo',
                type => 'query', body => $text{apollo} }] }),
        'relay.json' => $Kappa::Test::JSON->encode({ md5_hex($text{relay}) => $text{relay} }),
        '.gitkeep' => '',
    );
}

my $t = Kappa::Test->new(schema => $SCHEMA, workers => 1,
    kappa => '        documents %DIR%/docs;', graphql => 'kappa_documents_only on;',
    server => 'location /open { kappa_graphql app; }');
documents($t, files());
$t->start;

sub sha { return { persistedQuery => { version => 1, sha256Hash => sha256_hex($_[0]) } } }
sub encode { return $_[0] =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }
sub ask {
    my ($request, $path, %headers) = @_;
    return $t->post($path // '/graphql', $Kappa::Test::JSON->encode($request), %headers);
}
sub code { return $_[0]{json}{errors}[0]{extensions}{code} // '' }

is(code(ask({ documentId => 'sha256:' . sha256_hex($text{write}) })), '', 'a mutation');
my $relay = md5_hex($text{relay});
my @fine = (
    ['the text', { query => $text{file}, variables => { id => 'a' } }, { text => 'tea' }],
    ['its hash, as Apollo sends it', { extensions => sha($text{file}),
        variables => { id => 'a' } }, { text => 'tea' }],
    ['hash and text', { extensions => sha($text{apollo}), query => $text{apollo} }, { id => 'a' }],
    ['documentId', { documentId => 'sha256:' . sha256_hex($text{apollo}) }, { id => 'a' }],
    ['documentId without prefix', { documentId => sha256_hex($text{apollo}) }, { id => 'a' }],
    ['documentId and text', { documentId => $relay, query => $text{relay} },
        { id => 'a', text => 'tea' }],
    ['an id of a manifest', { documentId => $relay }, { id => 'a', text => 'tea' }],
    ['an id where Apollo has the hash', { extensions => { persistedQuery =>
        { version => 1, sha256Hash => $relay } } }, { id => 'a', text => 'tea' }],
    ['id', { id => $relay }, { id => 'a', text => 'tea' }],
    ['doc_id, as in Relay\'s manual', { doc_id => $relay, variables => {} },
        { id => 'a', text => 'tea' }],
    ['an id beside a text says nothing', { id => 7, query => $text{apollo} }, { id => 'a' }],
);
for (@fine) {
    my ($name, $request, $note) = @$_;
    for my $path ('/graphql', '/open') {
        my $r = ask($request, $path);
        is_deeply($r->{json}, { data => { note => $note } }, "$path: $name") or diag $r->{raw};
    }
}

# What is refused where only trusted documents are run, the code there and
# that of a location where others are run too.
my @bad = (
    ['another document', { query => $other }, 'DOCUMENT_NOT_TRUSTED', ''],
    ['a blank more', { query => "$text{apollo} " }, 'DOCUMENT_NOT_TRUSTED', ''],
    ['what does not parse', { query => '{' }, 'DOCUMENT_NOT_TRUSTED', 'PARSE_FAILED'],
    ['introspection', { query => '{ __schema { types { name } } }' }, 'DOCUMENT_NOT_TRUSTED', ''],
    ['a hash that is not known', { extensions => sha('{ __typename }') }, 'DOCUMENT_NOT_TRUSTED',
        'PERSISTED_QUERY_NOT_FOUND'],
    ['with its text', { extensions => sha($other), query => $other }, 'DOCUMENT_NOT_TRUSTED', ''],
    ['then known by the other location', { extensions => sha($other) },
        'DOCUMENT_NOT_TRUSTED', ''],
    ['an id that is not known', { documentId => 'x' }, 'DOCUMENT_NOT_TRUSTED',
        'PERSISTED_QUERY_NOT_FOUND'],
    ['a hash with another text', { extensions => sha($text{apollo}), query => $other },
        'BAD_USER_INPUT', 'BAD_USER_INPUT'],
    ['an id with another text', { documentId => $relay, query => $text{apollo} },
        'BAD_USER_INPUT', 'BAD_USER_INPUT'],
    ['a documentId that is no string', { documentId => 7 }, 'BAD_USER_INPUT', 'BAD_USER_INPUT'],
    ['an id that is none', { id => 7 }, 'BAD_USER_INPUT', 'BAD_USER_INPUT'],
);
for (@bad) {
    my ($name, $request, $only, $open) = @$_;
    my $r = ask($request, '/open');
    is(code($r), $open, "$name: where any is run") or diag $r->{raw};
    for my $accept ('application/json', 'application/graphql-response+json') {
        $r = ask($request, '/graphql', Accept => $accept);
        is(code($r), $only, "$name: refused") or diag $r->{raw};
        is($r->{status}, $only eq 'BAD_USER_INPUT' || $accept =~ /graphql/ ? 400 : 200,
            "$name: $accept");
        ok(!exists $r->{json}{data}, "$name: nothing was run");
    }
}
like(ask({ query => $other })->{json}{errors}[0]{message},
    qr/^only trusted documents are run here/, 'the message says why');

# GET and QUERY.
my $r = $t->get('/graphql?documentId=sha256:' . sha256_hex($text{file}) . '&variables='
    . encode('{"id":"a"}'));
is_deeply($r->{json}{data}, { note => { text => 'tea' } }, 'GET by documentId') or diag $r->{raw};
$r = $t->get("/graphql?id=$relay");
is_deeply($r->{json}{data}{note}, { id => 'a', text => 'tea' }, 'GET by id');
$r = $t->get('/graphql?extensions=' . encode($Kappa::Test::JSON->encode(sha($text{apollo}))));
is_deeply($r->{json}{data}{note}, { id => 'a' }, 'GET by hash');
is(code($t->get('/graphql?query=' . encode($other))), 'DOCUMENT_NOT_TRUSTED', 'GET of another');
is($t->get('/graphql?documentId=' . sha256_hex($text{write}))->{status}, 405,
    'GET of a mutation');
my %json = ('Content-Type' => 'application/json');
$r = $t->http('QUERY', '/graphql', \%json, qq({"documentId":"$relay"}));
is_deeply($r->{json}{data}{note}, { id => 'a', text => 'tea' }, 'QUERY by id');
is(code($t->http('QUERY', '/graphql', \%json, $Kappa::Test::JSON->encode({ query => $other }))),
    'DOCUMENT_NOT_TRUSTED', 'QUERY of another');

# Streams and sockets.
my $sse = Kappa::Test::SSE->open($t, 'GET', '/graphql?documentId=' . sha256_hex($text{live}), {});
is_deeply($sse->next->{json}{data}, { note => { text => 'tea' } }, 'SSE');
$sse->close;
$sse = $t->sse('subscription { note(id: "a") { id } }');
is($sse->next->{json}{errors}[0]{extensions}{code}, 'DOCUMENT_NOT_TRUSTED', 'SSE of another');
my $ws = Kappa::WebSocket->new($t, '/graphql');
is($ws->init->{type}, 'connection_ack', 'connected');
sub subscribe {
    my ($id, %payload) = @_;
    $ws->send({ id => $id, type => 'subscribe', payload => \%payload });
    return $ws->next;
}
is_deeply(subscribe('1', documentId => sha256_hex($text{live}))->{payload}{data},
    { note => { text => 'tea' } }, 'WebSocket by id');
is(subscribe('2', query => $text{live})->{type}, 'next', 'WebSocket by text');
is(subscribe('3', query => $other)->{payload}[0]{extensions}{code}, 'DOCUMENT_NOT_TRUSTED',
    'WebSocket of another');
is(subscribe('4', extensions => sha($other))->{payload}[0]{extensions}{code},
    'DOCUMENT_NOT_TRUSTED', 'WebSocket of a hash that is none');

# A reload takes what is there by then; one with a mistake changes nothing.
documents($t, sha256_hex($other) . '.graphql' => $other);
unlink $t->dir . '/docs/relay.json';
ok($t->reload, 'reload');
ok(Kappa::Test::wait_until(sub { 1 == (() = $t->children($t->master)) }), 'the old worker is gone');
$r = ask({ query => $other });
is_deeply($r->{json}{data}{note}, { id => 'a', text => 'tea' }, 'a new document') or diag $r->{raw};
is(code(ask({ documentId => $relay })), 'DOCUMENT_NOT_TRUSTED', 'one that is gone');
documents($t, 'wrong.graphql' => '{');
kill 'HUP', $t->master;
ok(Kappa::Test::wait_until(sub { $t->log =~ /wrong\.graphql: the name must be/ }),
    'a wrong one is told');
is(code(ask({ query => $other })), '', 'and the old ones stand');
ok($t->stop('QUIT'), 'ends');

# nginx -t
sub says {
    my ($name, $expected, %file) = @_;
    my $broken = Kappa::Test->new(schema => $SCHEMA, kappa => 'documents %DIR%/docs;');
    documents($broken, %file);
    my ($status, $said) = $broken->config_test;
    isnt($status, 0, "$name: refused");
    like($said, $expected, "$name: said");
    return $broken;
}
my $valid = '{ note(id: "a") { id } }';
says('a name that is no hash', qr{docs/note\.graphql: the name must be the SHA-256},
    'note.graphql' => $valid);
says('a name that is another hash',
    qr{docs/${\ sha256_hex('x')}\.graphql: the SHA-256 of the document is ${\ sha256_hex($valid)}},
    sha256_hex('x') . '.graphql' => $valid);
says('a file of another kind', qr{docs/readme: a trusted document is called HASH\.graphql},
    readme => '');
says('a broken manifest', qr{docs/m\.json: not valid JSON}, 'm.json' => '{');
my $unknown = "query {\n  nothing\n}";
says('an unknown field', qr{docs/${\ sha256_hex($unknown)}\.graphql:2:3: .*"nothing"},
    sha256_hex($unknown) . '.graphql' => $unknown);
says('a syntax error in a manifest', qr{docs/m\.json#x:1:2: .*Syntax Error},
    'm.json' => '{"x": "{"}');
says('several at once', qr{a\.graphql.*b\.graphql}s, 'a.graphql' => '', 'b.graphql' => '');
my $none = Kappa::Test->new(schema => $SCHEMA, kappa => 'documents %DIR%/nowhere;');
my ($status, $said) = $none->config_test;
isnt($status, 0, 'no directory: refused');
like($said, qr{can't read the directory of trusted documents ".*nowhere"}, 'no directory: said');
$none = Kappa::Test->new(schema => $SCHEMA, graphql => 'kappa_documents_only on;');
($status, $said) = $none->config_test;
isnt($status, 0, 'only trusted ones, but there are none: refused');
like($said, qr{kappa_documents_only needs documents: "documents DIR;" in kappa "app"}, '... said');
$none = Kappa::Test->new(schema => $SCHEMA, kappa => 'documents %DIR%/docs;');
documents($none);
($status, $said) = $none->config_test;
is($status, 0, 'an empty directory is a warning') or diag $said;
like($said, qr{\[warn\].*there is no trusted document in}, '... that is said');

done_testing;
