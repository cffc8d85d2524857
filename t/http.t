# GraphQL over HTTP: in what an answer is written, with which status. The
# table of docs/http.md against a real nginx.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 1, schema => <<'SDL');
type Note @view { id: ID! text: String! }
type Query { note(id: ID!): Note }
type Subscription { note(id: ID!): Note }
SDL
$t->start;

my $JSON = 'application/json; charset=utf-8';
my $GRAPHQL = 'application/graphql-response+json; charset=utf-8';
my $SSE = 'text/event-stream';
my $GOOD = '{"query":"{ __typename }"}';

# Accept, status and type of a good query; undef: no header.
my @accept = (
    [undef, 200, $JSON],
    ['', 200, $JSON],
    ['*/*', 200, $JSON],
    ['application/*', 200, $JSON],
    ['application/json', 200, $JSON],
    ['application/json; charset=utf-8', 200, $JSON],
    ['application/graphql-response+json', 200, $GRAPHQL],
    ['application/graphql-response+json, application/json;q=0.9', 200, $GRAPHQL],
    ['application/graphql-response+json;q=0.1, application/json', 200, $JSON],
    # urql
    ['application/graphql-response+json, application/graphql+json, '
        . 'application/json, text/event-stream, multipart/mixed', 200, $GRAPHQL],
    # a browser's address bar
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 200, $JSON],
    ['text/event-stream, application/json', 200, $JSON],
    ['image/png', 406, $JSON],
    ['application/json;q=0', 406, $JSON],
    ['application/json; charset=latin1', 406, $JSON],
);
for my $case (@accept) {
    my ($accept, $status, $type) = @$case;
    my $name = defined $accept ? "Accept: $accept" : 'no Accept';
    my $r = $t->post('/graphql', $GOOD,
        defined $accept ? (Accept => $accept) : ());
    is($r->{status}, $status, "$name: status") or diag $r->{raw};
    is($r->{headers}{'content-type'}, $type, "$name: type");
}

# What was sent, its status as application/json and as graphql-response+json.
my @sent = (
    ['a syntax error', '{"query":"{"}', 200, 400],
    ['an unknown field', '{"query":"{ nope }"}', 200, 400],
    ['a wrong variable',
        '{"query":"query($i: ID!) { note(id: $i) { id } }","variables":{"i":[]}}',
        200, 400],
    ['no such operation', '{"query":"{ __typename }","operationName":"X"}', 200, 400],
    ['a definition only', '{"query":"type A { b: Int }"}', 200, 400],
    ['no query', '{"variables":{}}', 400, 400],
    ['a query that is no string', '{"query":[]}', 400, 400],
    ['variables that are no object', '{"query":"{__typename}","variables":"{}"}', 400, 400],
    ['extensions that are no object', '{"query":"{__typename}","extensions":[]}', 400, 400],
    ['an operationName that is no string',
        '{"query":"{__typename}","operationName":1}', 400, 400],
    ['nulls', '{"query":"{__typename}","variables":null,"operationName":null,'
        . '"extensions":null}', 200, 200],
    ['broken JSON', '{"query":"{__typename}"', 400, 400],
    ['a list', "[$GOOD]", 400, 400],
    ['a string', '"{__typename}"', 400, 400],
    ['nothing', '', 400, 400],
    ['a key twice', '{"query":"{__typename}","query":"{__typename}"}', 400, 400],
    ['deep JSON', '{"query":"{__typename}","variables":{"a":' . '[' x 5000
        . ']' x 5000 . '}}', 400, 400],
);
for my $case (@sent) {
    my ($name, $body, $json, $graphql) = @$case;
    for my $media (['application/json', $json],
        ['application/graphql-response+json', $graphql])
    {
        my $r = $t->post('/graphql', $body, Accept => $media->[0]);
        is($r->{status}, $media->[1], "$name, $media->[0]: status")
            or diag $r->{raw};
        next if $name eq 'nulls';
        ok($r->{json}{errors}[0]{message}
            && $r->{json}{errors}[0]{extensions}{code}, "$name: an error")
            or diag $r->{body};
        ok(!exists $r->{json}{data}, "$name: no data");
    }
}

# Content-Type: what a form of another site can send runs nothing.
for my $type (qw(text/plain application/x-www-form-urlencoded application/graphql
    multipart/form-data application/jsonp), 'application/json; charset=utf-16',
    'text/plain; application/json')
{
    my $r = $t->post('/graphql', $GOOD, 'Content-Type' => $type);
    is($r->{status}, 415, "Content-Type: $type");
}
for my $type ('application/json; charset=UTF-8', 'Application/JSON',
    'application/json;charset="utf-8"')
{
    my $r = $t->post('/graphql', $GOOD, 'Content-Type' => $type);
    is($r->{status}, 200, "Content-Type: $type");
}

# GET
my @get = (
    ['query=%7B__typename%7D', 200],
    ['query={__typename}&variables=%7B%7D&extensions=%7B%7D&operationName=', 200],
    ['query=query+A{__typename}+query+B{__typename}&operationName=B', 200],
    ['', 400],
    ['quary={__typename}', 400],
    ['query={__typename}&query={__typename}', 400],
    ['query={__typename}&variables={', 400],
    ['query={__typename}&variables=[]', 400],
    ['query=%7', 400],
    ['query=%FF', 400],
);
for my $case (@get) {
    my ($args, $status) = @$case;
    my $r = $t->get("/graphql?$args");
    is($r->{status}, $status, "GET ?$args") or diag $r->{raw};
}

# A query for a client of graphql-sse; a subscription without SSE.
my $sse = $t->sse('{ __typename }');
is_deeply($sse->next->{json}, { data => { __typename => 'Query' } },
    'a query over SSE') or diag explain $sse;
is($sse->next->{event}, 'complete', 'and its end');
my $r = $t->post('/graphql', '{"query":"subscription { note(id: 1) { id } }"}',
    Accept => 'application/json');
is($r->{status}, 406, 'a subscription needs SSE') or diag $r->{raw};

for my $method (qw(PUT DELETE PATCH QUERYX QUER)) {
    $r = $t->http($method, '/graphql', {});
    is($r->{status}, 405, $method);
    is($r->{headers}{allow}, 'GET, POST, QUERY', "$method: Allow");
}

# QUERY: a body, but safe.
my %json = ('Content-Type' => 'application/json');
sub by_query { return $t->http('QUERY', '/graphql', { %json, %{ $_[1] // {} } }, $_[0]) }
$r = by_query($GOOD);
is($r->{status}, 200, 'QUERY') or diag $r->{raw};
is_deeply($r->{json}{data}, $t->post('/graphql', $GOOD)->{json}{data}, 'QUERY: as POST');
$r = by_query($Kappa::Test::JSON->encode({ query => '{ __typename }' . ' ' x 100_000 }));
is_deeply($r->{json}{data}, { __typename => 'Query' }, 'QUERY: a body in a file');
is(by_query('{')->{status}, 400, 'QUERY: broken JSON');
is(by_query('')->{status}, 400, 'QUERY: no body');
is(by_query($GOOD, { 'Content-Type' => 'text/plain' })->{status}, 415,
    'QUERY: another content type');
my $live = Kappa::Test::SSE->open($t, 'QUERY', '/graphql', { %json },
    '{"query":"subscription { note(id: 1) { id } }"}');
is($live->status, 200, 'QUERY: a subscription');
is_deeply($live->next->{json}{data}, { note => undef }, 'QUERY: its value now');
$live->close;
my $one = "QUERY /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    . 'Content-Length: ' . length($GOOD) . "\r\n";
$r = $t->raw("$one\r\n$GOOD${one}Connection: close\r\n\r\n$GOOD");
is(scalar(() = $r =~ m{HTTP/1.1 200}g), 2, 'QUERY: two on a connection');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
