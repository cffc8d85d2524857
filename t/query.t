# Queries over HTTP: what comes back, and what broken requests get.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SDL = Kappa::Test::file('examples/catalogue/schema.graphql');
my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    server => 'location /small { kappa_graphql app; client_max_body_size 1k;'
        . ' kappa_introspection off; kappa_limit_depth 3; }'
        . 'location /disk { kappa_graphql app; client_body_in_file_only clean; }'
        . 'location /health { kappa_health ready; }'
        . 'location /live { kappa_health live; }');

my @events;
for my $i (1 .. 25) {
    push @events, $Kappa::Test::JSON->encode({ thing => 'Package',
        verb => 'released', effect => 'PUT', key => sprintf('p%02d', $i),
        data => { name => sprintf('p%02d', $i), version => "1.$i",
            size => $i * 100, section => $i % 2 ? 'odd' : 'even',
            maintainer => 'Kim "K" <kim@example.org>' } });
}
my $import = $t->kappa(['import', '-', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql'], stdin => join("\n", @events) . "\n");
is($import->{status}, 0, 'import') or diag $import->{err};
$t->start;

# --- answers

my $r = $t->graphql('query($n: ID!) { package(name: $n) { name size v: version
    sectionInfo { name packages bytes largest } } }', { n => 'p02' });
is($r->{status}, 200, 'status');
is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'type');
like($r->{headers}{'kappa-position'}, qr/^[0-9a-z]{8,}-25$/, 'Kappa-Position');
is_deeply($r->{json}, { data => { package => { name => 'p02', size => 200,
    v => '1.2', sectionInfo => { name => 'even', packages => 12,
        bytes => '15600', largest => 2400 } } } }, 'a row, a link, aggregates')
    or diag $r->{body};

$r = $t->graphql('{ package(name: "nope") { name } }');
is_deeply($r->{json}, { data => { package => undef } }, 'no such row is null');

$r = $t->graphql('{ packages(section: "odd", first: 3) { edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }');
is_deeply([map { $_->{node}{name} } @{ $r->{json}{data}{packages}{edges} }],
    [qw(p01 p03 p05)], 'a page') or diag $r->{body};
my $page = $r->{json}{data}{packages}{pageInfo};
ok($page->{hasNextPage}, 'has a next page');
$r = $t->graphql('query($c: String) { packages(section: "odd", first: 20, after: $c) {
    nodes { name } pageInfo { hasNextPage } } }', { c => $page->{endCursor} });
is_deeply([map { $_->{name} } @{ $r->{json}{data}{packages}{nodes} }],
    [qw(p07 p09 p11 p13 p15 p17 p19 p21 p23 p25)], 'the rest of it')
    or diag $r->{body};
ok(!$r->{json}{data}{packages}{pageInfo}{hasNextPage}, 'and no more');

$r = $t->graphql('{ packages(section: "even", orderBy: SIZE_DESC, first: 2) { nodes { size } } }');
is_deeply([map { $_->{size} } @{ $r->{json}{data}{packages}{nodes} }],
    [2400, 2200], 'descending') or diag $r->{body};

$r = $t->graphql('{ packages(section: "odd", after: "bm9uc2Vuc2U") { nodes { name } } }');
is($r->{json}{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', 'a forged cursor');

$r = $t->graphql('query A { __typename } query B { package(name: "p01") { name } }');
is($r->{json}{errors}[0]{extensions}{code}, 'BAD_USER_INPUT',
    'several operations need operationName');
$r = $t->post('/graphql', '{"query":"query A { __typename } query B { package(name: \"p01\") { name } }","operationName":"B"}');
is_deeply($r->{json}{data}, { package => { name => 'p01' } }, 'operationName');

$r = $t->get('/graphql?query=%7B+package(name%3A+%22p03%22)+%7B+size+%7D+%7D');
is_deeply($r->{json}{data}, { package => { size => 300 } }, 'GET');
$r = $t->http('HEAD', '/graphql?query=%7B__typename%7D', {});
is($r->{status}, 200, 'HEAD');

$r = $t->graphql('{ __schema { queryType { name } types { name } } __type(name: "Package") { fields { name } } }');
is($r->{json}{data}{__schema}{queryType}{name}, 'Query', 'introspection');

$r = $t->graphql('{ package(name: "p01") { name } }', undef,
    Accept => 'application/graphql-response+json');
like($r->{headers}{'content-type'}, qr{^application/graphql-response\+json},
    'the other media type');

$r = $t->graphql('{ package(name: "p01") { name } }', undef,
    Accept => 'text/event-stream');
like($r->{headers}{'content-type'}, qr{^text/event-stream}, 'a query as a stream')
    or diag $r->{raw};
like($r->{body}, qr/event: next\ndata: \{"data".*event: complete/s,
    'next and complete');

# --- bodies of every shape

my $long = '{ package(name: "p01") { name } }' . ' ' x 100_000;
is_deeply($t->graphql($long)->{json}{data}, { package => { name => 'p01' } },
    'a body larger than the buffer');
is_deeply($t->post('/disk', '{"query":"{ package(name: \"p01\") { name } }"}')->{json}{data},
    { package => { name => 'p01' } }, 'a body in a file');
my $body = '{"query":"{ package(name: \"p01\") { name } }"}';
$r = $t->http('POST', '/graphql', { 'Content-Type' => 'application/json',
    'Transfer-Encoding' => 'chunked' },
    join('', map { sprintf "1\r\n%s\r\n", $_ } split //, $body) . "0\r\n\r\n");
is_deeply($r->{json}{data}, { package => { name => 'p01' } }, 'a chunked body');

# --- broken requests

my @broken = (
    ['broken JSON', '{"query":', 400, 'BAD_USER_INPUT'],
    ['no JSON object', '[1]', 400, 'BAD_USER_INPUT'],
    ['empty', '', 400, 'BAD_USER_INPUT'],
    ['no query', '{}', 400, 'BAD_USER_INPUT'],
    ['query is no string', '{"query":1}', 400, 'BAD_USER_INPUT'],
    ['variables are no object', '{"query":"{__typename}","variables":1}', 400,
        'BAD_USER_INPUT'],
    ['a syntax error', '{"query":"{ package(name: }"}', 200, 'PARSE_FAILED'],
    ['an unknown field', '{"query":"{ packge(name: \"x\") { name } }"}', 200,
        'VALIDATION_FAILED', qr/Did you mean "package/],
    ['a wrong variable', '{"query":"query($n: ID!) { package(name: $n) { name } }","variables":{"n":{}}}',
        200, 'BAD_USER_INPUT', qr/\$n/],
    ['a missing variable', '{"query":"query($n: ID!) { package(name: $n) { name } }"}',
        200, 'BAD_USER_INPUT', qr/\$n/],
    ['an unknown operation', '{"query":"query A { __typename }","operationName":"B"}',
        200, 'BAD_USER_INPUT', qr/B/],
    ['invalid UTF-8', "{\"query\":\"{ a\xff }\"}", 400, 'BAD_USER_INPUT'],
);
for my $case (@broken) {
    my ($name, $bytes, $status, $code, $message) = @$case;
    my $answer = $t->post('/graphql', $bytes);
    is($answer->{status}, $status, "$name: status") or diag $answer->{raw};
    is($answer->{json}{errors}[0]{extensions}{code}, $code, "$name: code")
        or diag $answer->{body};
    like($answer->{json}{errors}[0]{message}, $message, "$name: message")
        if $message;
    ok(!exists $answer->{json}{data}, "$name: no data");
    next if $status != 200;
    $answer = $t->post('/graphql', $bytes,
        Accept => 'application/graphql-response+json');
    is($answer->{status}, 400, "$name: 400 as graphql-response+json");
}

$r = $t->post('/graphql', '{}', 'Content-Type' => 'text/plain');
is($r->{status}, 415, 'another content type');
$r = $t->http('DELETE', '/graphql', {});
is($r->{status}, 405, 'another method');
is($r->{headers}{allow}, 'GET, POST, QUERY', 'Allow');
$r = $t->get('/graphql?query=mutation%7Bretire(name:%22p01%22)%7Bname%7D%7D');
is($r->{status}, 405, 'a mutation by GET');
is($r->{headers}{allow}, 'POST', 'Allow');
$r = $t->http('QUERY', '/graphql', { 'Content-Type' => 'application/json' },
    '{"query":"mutation { retire(name: \"p01\") { name } }"}');
is($r->{status}, 405, 'a mutation by QUERY');
is($r->{headers}{allow}, 'POST', 'Allow');
is($t->graphql('{ package(name: "p01") { name } }')->{json}{data}{package}{name},
    'p01', 'and neither did it');
$r = $t->graphql('{ __typename }', undef, Accept => 'image/png');
is($r->{status}, 406, 'nothing acceptable');
$r = $t->post('/small', '{"query":"' . ' ' x 2000 . '"}');
is($r->{status}, 413, 'an oversized body');
$r = $t->post('/small', '{"query":"{ __schema { queryType { name } } }"}');
isnt($r->{json}{errors}, undef, 'introspection off') or diag $r->{body};
$r = $t->post('/small', '{"query":"{ package(name: \"p01\") { sectionInfo { packages } } }"}');
ok($r->{json}{data}, 'as deep as allowed') or diag $r->{body};
$r = $t->post('/small', '{"query":"{ package(name: \"p01\") { reports { packageInfo { sectionInfo { name } } } } }"}');
ok(!$r->{json}{data}, 'deeper is refused');

is($t->get('/health')->{status}, 200, 'ready');
is($t->get('/health')->{json}{applications}{app}, 'READY', 'and says so');
is($t->get('/live')->{status}, 200, 'live');

# --- the same connection again

my $one = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    . 'Content-Length: ' . length($body) . "\r\n";
my $raw = $t->raw("$one\r\n$body" . "$one\r\n$body" . "${one}Connection: close\r\n\r\n$body");
my $count = () = $raw =~ /"data":\{"package":\{"name":"p01"\}\}/g;
is($count, 3, 'three requests on one connection, sent at once');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
