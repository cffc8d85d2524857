# Several requests in one body: kappa_limit_batch.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 1, schema => <<'SDL', graphql => 'kappa_limit_batch 5;',
type Note @view { id: ID! text: String! }
type Counter @view(key: "name") { name: ID! n: Int! }
type Query { note(id: ID!): Note counter(name: ID!): Counter }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: UPSERT)
  create(id: ID!, text: String!): Note! @event(thing: "Note", verb: "created", effect: CREATE)
}
type Subscription { note(id: ID!): Note }
SDL
    server => <<'CONF');
location /off { kappa_graphql app; }
location /new { kappa_graphql app; kappa_limit_batch 5; kappa_status_codes 2026-09; }
location /many { kappa_graphql app; kappa_limit_batch 100000; }
CONF
$t->start;

my $GRAPHQL = 'application/graphql-response+json';
sub encode { return $Kappa::Test::JSON->encode($_[0]) }
sub batch {
    my ($requests, %option) = @_;
    my $path = delete $option{path} // '/graphql';
    my $method = delete $option{method} // 'POST';
    return $t->http($method, $path, { 'Content-Type' => 'application/json', %option },
        ref $requests ? encode($requests) : $requests);
}
sub write_note {
    my ($id, $text, $name) = @_;
    return { query => 'mutation($id: ID!, $t: String!) { ' . ($name // 'write')
        . '(id: $id, text: $t) { text } }', variables => { id => $id, t => $text } };
}
sub read_note { return { query => qq({ note(id: "$_[0]") { text } }) } }
sub codes {
    my ($r) = @_;
    return ref $r->{json} eq 'ARRAY'
        ? [map { $_->{errors} ? $_->{errors}[0]{extensions}{code} : 'data' } @{ $r->{json} }]
        : $r->{json};
}

# In order, each seeing what came before.
my $r = batch([read_note('a'), write_note('a', 'one'), read_note('a'), write_note('a', 'two'),
    read_note('a')]);
is($r->{status}, 200, 'status') or diag $r->{raw};
is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'type');
is_deeply([map { my ($v) = values %{ $_->{data} }; $v && $v->{text} } @{ $r->{json} }],
    [undef, 'one', 'one', 'two', 'two'], 'one after the other') or diag $r->{body};
my $position = $r->{json}[3]{extensions}{kappa}{position};
is($r->{headers}{'kappa-position'}, $position, 'the position is the last');
like($position, qr/-2$/, 'of two events');

# Mutations that follow each other are decided in order, in one batch.
$r = batch([map { write_note('b', "text $_") } 1 .. 5]);
is_deeply([map { $_->{data}{write}{text} } @{ $r->{json} }], [map { "text $_" } 1 .. 5],
    'five mutations, in order') or diag $r->{body};
is_deeply([map { $_->{extensions}{kappa}{position} =~ /-(\d+)$/ } @{ $r->{json} }], [3 .. 7],
    'and so are their events');
is($t->graphql('{ note(id: "b") { text } }')->{json}{data}{note}{text}, 'text 5', 'the last won');

# One that fails leaves the others alone.
$r = batch([write_note('c', 'c', 'create'), write_note('c', 'c', 'create'), { query => '{' },
    { query => '{ nothing }' }, read_note('c')]);
is_deeply(codes($r), [qw(data ALREADY_EXISTS PARSE_FAILED VALIDATION_FAILED data)], 'errors')
    or diag $r->{body};
is($r->{status}, 200, 'are no failure of all');
is($r->{json}[4]{data}{note}{text}, 'c', 'the rest is run');

# Statuses: what all have, else 200.
my ($good, $parse, $invalid) = ({ query => '{ __typename }' }, { query => '{' },
    { query => '{ nothing }' });
my @status = (
    # requests, as application/json, as graphql-response+json, 2026-09
    ['one', [$good], 200, 200, 200],
    ['none parses', [$parse, $parse], 200, 400, 400],
    ['none is valid', [$invalid, $invalid], 200, 400, 422],
    ['several mistakes', [$invalid, $parse], 200, 400, 200],
    ['one is good', [$invalid, $good], 200, 200, 200],
    ['a subscription', [{ query => 'subscription { note(id: 1) { id } }' }], 200, 400, 422],
);
for (@status) {
    my ($name, $requests, @expected) = @$_;
    my @got = map { batch($requests, @$_)->{status} } [], [Accept => $GRAPHQL],
        [Accept => $GRAPHQL, path => '/new'];
    is_deeply(\@got, \@expected, "status: $name");
}
is(batch([$good], Accept => $GRAPHQL)->{headers}{'content-type'}, "$GRAPHQL; charset=utf-8",
    'the media type that was asked for');
is(batch([$good], Accept => "$GRAPHQL, text/event-stream;q=0.5")->{status}, 200,
    'SSE would do, too');
is(batch([$good], Accept => 'text/event-stream')->{status}, 406, 'SSE alone does not');
is(batch([$good], Accept => 'image/png')->{status}, 406, 'nothing acceptable');

# By a safe method.
$r = batch([$good, read_note('a')], method => 'QUERY');
is($r->{status}, 200, 'QUERY') or diag $r->{raw};
$r = batch([write_note('q', 'q'), write_note('q', 'q')], method => 'QUERY');
is($r->{status}, 405, 'no mutation by QUERY');
is($r->{headers}{allow}, 'POST', '... Allow');
$r = batch([$good, write_note('q', 'q')], method => 'QUERY');
is_deeply([$r->{status}, codes($r)], [200, [qw(data BAD_USER_INPUT)]], 'nor among others');
is_deeply($t->graphql('{ note(id: "q") { text } }')->{json}{data}, { note => undef },
    'and none was run');

# Refusals of all of it: nothing is run.
my @bad = (
    ['nothing in it', [], 400, 'The batch has no requests.'],
    ['too many', [(write_note('x', 'x')) x 6], 400, 'The batch has 6 requests, past the limit of 5'],
    ['a number', [write_note('x', 'x'), 1], 400, 'Request 2 of the batch must be a JSON object.'],
    ['a list', [write_note('x', 'x'), [$good]], 400, 'Request 2 of the batch must be'],
    ['no query', [write_note('x', 'x'), {}], 400,
        'Request 2 of the batch: The request has no "query"'],
    ['a wrong member', [write_note('x', 'x'), { query => '{a}', variables => [] }], 400,
        'Request 2 of the batch: "variables" must be an object.'],
    ['broken JSON', '[{"query":"{__typename}"}', 400, 'The body is not valid JSON'],
    ['more behind it', '[{"query":"{__typename}"}] x', 400, 'The body is not valid JSON'],
    ['deep JSON', '[' x 100_000, 400, 'The body is not valid JSON'],
);
for (@bad) {
    my ($name, $body, $status, $message) = @$_;
    $r = batch($body, Accept => 'application/json');
    is($r->{status}, $status, "$name: status") or diag $r->{raw};
    like($r->{json}{errors}[0]{message}, qr/^\Q$message\E/, "$name: message");
}
is_deeply($t->graphql('{ note(id: "x") { text } }')->{json}{data}, { note => undef },
    'nothing of them was run');
$r = batch([$good], path => '/off');
is($r->{status}, 400, 'off by default');
like($r->{json}{errors}[0]{message}, qr/^Several requests in one body are not accepted/,
    '... and says so');
is(batch("\n\t [" . encode($good) . ']')->{status}, 200, 'blanks before it');

# A key names each of them.
my %key = ('Idempotency-Key' => 'k1');
my @twice = map { batch([write_note('i', 'one'), write_note('i', 'two'), $good], %key) } 1, 2;
is_deeply($twice[1]{json}[0]{extensions}{kappa},
    { %{ $twice[0]{json}[0]{extensions}{kappa} }, duplicate => $Kappa::Test::JSON->decode('true') },
    'sent again: the first is known') or diag $twice[1]{body};
ok($twice[1]{json}[1]{extensions}{kappa}{duplicate}, 'the second too');
isnt($twice[0]{json}[0]{extensions}{kappa}{position},
    $twice[0]{json}[1]{extensions}{kappa}{position}, 'they were two');

# Hostile sizes, and a client that does not wait.
$r = batch([($good) x 20_000], path => '/many');
is(scalar @{ $r->{json} }, 20_000, '20,000 requests');
$r = batch('[' . '{},' x 200_000 . '{}]', path => '/many');
is($r->{status}, 400, '200,000 of nothing');
$r = batch([map { write_note("m$_", 'x' x 100) } 1 .. 3000], path => '/many');
is(scalar(grep { $_->{data} } @{ $r->{json} }), 3000, '3,000 mutations');
# As many at once as the queue has no room for: each says how it went.
$r = batch([map { write_note("m$_", 'y') } 1 .. 6000], path => '/many');
my %n;
$n{$_}++ for @{ codes($r) };
is(($n{data} // 0) + ($n{OVERLOADED} // 0), 6000, 'none is lost') or diag explain \%n;
my $body = encode([map { write_note("gone$_", 'z') } 1 .. 50]);
my $socket = $t->connect;
print $socket "POST /many HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
close $socket;
ok(Kappa::Test::wait_until(sub {
    $t->graphql('{ note(id: "gone50") { text } }')->{json}{data}{note}
}), 'a client that is gone: all was run');

# Large bodies, chunked ones.
$r = batch([{ query => '{ __typename }' . ' ' x 100_000 }, $good]);
is($r->{status}, 200, 'a body in a file');
my $chunked = encode([$good, $good]);
$r = $t->http('POST', '/graphql', { 'Content-Type' => 'application/json',
    'Transfer-Encoding' => 'chunked' }, join('', map { sprintf "1\r\n%s\r\n", $_ }
    split //, $chunked) . "0\r\n\r\n");
is(scalar @{ $r->{json} }, 2, 'a chunked one') or diag $r->{raw};

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
