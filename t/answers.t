# Answers kept for the same request again: right whatever changes, of whoever
# asks, at any time. A blank more in a request's body means nothing to GraphQL,
# but makes it another request to the cache: it gives the answer as it is
# computed, to compare with.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use Kappa::Test;
use MIME::Base64 qw(encode_base64url);
use Test::More;

my $SDL = <<'END';
type Room @view(key: "name") @groupBy(of: "Note", by: "room") {
  name: ID!
  notes: Int! @count
  points: BigInt! @sum(field: "points")
}
type Note @view @index(fields: ["room", "id"]) @index(fields: ["owner", "id"]) {
  id: ID!
  room: ID!
  owner: ID
  points: Int! @default(as: "1")
  text: String!
  secret: String @allow(if: "'admin' in auth.roles")
  mine: Boolean @computed(as: "row.owner == auth.sub")
  age: DateTime @computed(as: "now")
  shout: String @computed(as: "row.text.lowerAscii()")
}
type Diary @view @allow(if: "row.owner == auth.sub") { id: ID!  owner: ID  text: String! }
type NoteConnection { edges: [NoteEdge!]! nodes: [Note!]! pageInfo: PageInfo! totalCount: Int }
type NoteEdge { cursor: String! node: Note! }
type Query {
  note(id: ID!): Note
  room(name: ID!): Room
  notes(room: ID!, first: Int = 5, after: String): NoteConnection!
  mine(owner: ID! @stamp(as: "auth.sub"), first: Int = 5): [Note!]!
  diary(id: ID!): Diary
}
type Mutation {
  write(id: ID!, room: ID!, owner: ID, text: String!, points: Int, secret: String): Note!
    @event(thing: "Note", verb: "written", effect: PUT)
  move(id: ID!, room: ID!): Note @event(thing: "Note", verb: "moved", effect: PATCH)
  erase(id: ID!): Note @event(thing: "Note", verb: "erased", effect: DELETE)
  confide(id: ID!, owner: ID, text: String!): Diary @event(thing: "Diary", verb: "written", effect: PUT)
}
END
my $SECRET = 'a secret of at least thirty-two bytes';
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }'
        . 'log_format k "$kappa_operation_type|$kappa_operation_name|$kappa_position";'
        . 'keepalive_requests 1000000;',
    graphql => 'kappa_auth optional; access_log %DIR%/logs/k.log k;',
    server => 'location = /metrics { kappa_metrics; }'
        . 'location = /small { kappa_graphql app; kappa_limit_depth 1; }'
        . 'location = /cheap { kappa_graphql app; kappa_limit_cost 5; }'
        . 'location = /closed { kappa_graphql app; kappa_introspection off; }'
        . 'location = /newest { kappa_graphql app; kappa_status_codes 2026-09; }');
Kappa::Test::write_file($t->dir . '/key', $SECRET);
$t->start;

sub bearer {
    my ($sub, @roles) = @_;
    my $text = encode_base64url('{"alg":"HS256"}') . '.' . encode_base64url(
        $Kappa::Test::JSON->encode({ iss => 'https://a', sub => $sub, roles => \@roles }));
    return (Authorization => "Bearer $text." . encode_base64url(hmac_sha256($text, $SECRET)));
}

sub body {
    my ($query, $variables, $name) = @_;
    return $Kappa::Test::JSON->encode({ query => $query,
        $variables ? (variables => $variables) : (),
        $name ? (operationName => $name) : () });
}

my $blanks = 0;
sub fresh {
    my ($body) = @_;
    (my $mark = sprintf '%b', ++$blanks) =~ tr/01/ \t/;
    return $body . $mark;
}

# How many answers were kept ones.
sub hits {
    return $t->get('/metrics')->{body} =~ /^kappa_answer_cache_requests_total\{.*result="hit"\} (\d+)/m
        ? $1 : die 'no such metric';
}

sub change {
    my ($query) = @_;
    my $r = $t->graphql("mutation { $query { id } }");
    ok(!$r->{json}{errors}, $query) or diag $r->{body};
}

# Asked again and again: the answer, which must always be the same; and by how
# many the hits grew.
sub ask {
    my ($body, $times, %headers) = @_;
    my $path = delete $headers{path} // '/graphql';
    my $before = hits();
    my %seen = map { $t->post($path, $body, %headers)->{body} => 1 } 1 .. $times;
    is(scalar keys %seen, 1, 'the same answer each time');
    return ((keys %seen)[0], hits() - $before);
}

change('write(id: "a", room: "tea", owner: "kim", text: "First")');
change('write(id: "b", room: "tea", owner: "eve", text: "Second", secret: "x")');
change('confide(id: "d", owner: "kim", text: "dear")');

# --- kept from the second time on, and exactly so

my $ROOM = 'query R($room: ID!) { room(name: $room) { notes points } notes(room: $room) '
    . '{ nodes { id text shout } pageInfo { endCursor } totalCount } }';
my $tea = body($ROOM, { room => 'tea' });
my ($answer, $hits) = ask($tea, 6);
is($hits, 4, 'the third one is a kept one');
is($answer, $t->post('/graphql', fresh($tea))->{body}, 'as one that is computed');
like($answer, qr/"notes":2/, 'of two notes');

my $kept = $t->post('/graphql', $tea);
my $computed = $t->post('/graphql', fresh($tea));
delete $_->{headers}{date} for $kept, $computed;
is_deeply($kept->{headers}, $computed->{headers}, 'with the same headers');
is($kept->{status}, 200, 'and status');
my %cost = ('Kappa-Cost' => '1');
is($t->post('/graphql', $tea, %cost)->{headers}{'kappa-cost'},
    $t->post('/graphql', fresh($tea), %cost)->{headers}{'kappa-cost'}, 'and cost');
ok($t->post('/graphql', $tea, %cost)->{headers}{'kappa-cost'}, 'which is told');
my @log = split /\n/, Kappa::Test::read_file($t->dir . '/logs/k.log');
is((split /\|/, $log[-1])[0], 'query', '$kappa_operation_type');
is((split /\|/, $log[-1])[1], 'R', '$kappa_operation_name');
like((split /\|/, $log[-1])[2], qr/-3$/, '$kappa_position');

# --- a change is seen at once

change('write(id: "c", room: "tea", owner: "kim", text: "Third")');
my $r = $t->post('/graphql', $tea);
is($r->{json}{data}{room}{notes}, 3, 'a mutation, seen by the next query');
like($r->{headers}{'kappa-position'}, qr/-4$/, 'and its position');
($answer, $hits) = ask($tea, 4);
is($hits, 4, 'kept anew at once, for it was known');
change('move(id: "c", room: "milk")');
is($t->post('/graphql', $tea)->{json}{data}{room}{notes}, 2, 'moved away');
change('move(id: "c", room: "tea")');
is($t->post('/graphql', $tea)->{json}{data}{room}{notes}, 3, 'moved back');
my $event = '{"thing":"Note","verb":"erased","key":"c"}';
is($t->kappa(['import', '-', '--store', $t->store], stdin => $event)->{status}, 0,
    'another process');
is($t->post('/graphql', $tea)->{json}{data}{room}{notes}, 2, 'is seen as well');

# --- what depends on who asks

my %kim = bearer('kim');
my %admin = bearer('root', 'admin');
my %who = ('' => {}, kim => \%kim, admin => \%admin);
my %differ = (
    'a field rule' => '{ note(id: "b") { id secret } }',
    'a computed field' => '{ note(id: "a") { id mine } }',
    'a row rule' => '{ diary(id: "d") { text } }',
    'a stamped argument' => '{ mine { id } }',
);
for my $what (sort keys %differ) {
    my $body = body($differ{$what});
    my $before = hits();
    my (%of, %all);
    for my $who (sort(keys %who), reverse sort keys %who) {
        for (1 .. 3) {
            my $r = $t->post('/graphql', $body, %{ $who{$who} });
            $of{$who}{ $r->{body} } = $all{ $r->{body} } = 1;
            is($r->{body}, $t->post('/graphql', fresh($body), %{ $who{$who} })->{body},
                "$what for '$who'") if $_ == 3;
        }
    }
    is(scalar(map { keys %$_ } values %of), 3, "$what: one answer for each");
    cmp_ok(scalar keys %all, '>=', 2, "$what: they differ");
    is(hits() - $before, 0, "$what: none was kept") if $what ne 'a field rule';
}
my $age = body('{ note(id: "a") { age } }');
my %ages = map { select undef, undef, undef, 0.01; $t->post('/graphql', $age)->{body} => 1 } 1 .. 5;
is(scalar keys %ages, 5, 'what depends on the time is computed each time');
# The same fields where nobody's rule is asked.
($answer, $hits) = ask(body('{ note(id: "nowhere") { secret mine age } }'), 5);
is($hits, 3, 'a row that is not there is the same for all');
# Who asks does not matter to the others.
$t->post('/graphql', $tea) for 1 .. 3;
my $before = hits();
is($t->post('/graphql', $tea, %kim)->{body}, $t->post('/graphql', $tea)->{body},
    'one answer for all');
is(hits() - $before, 2, 'kept for all');
is($t->post('/graphql', $tea, Authorization => 'Bearer x')->{status}, 401,
    'but a bad token is refused');

# --- what else decides

my $deep = body('{ notes(room: "tea") { nodes { id } } }');
ask($deep, 4);
like((ask($deep, 4, path => '/small'))[0], qr/LIMIT_EXCEEDED/, 'another location, another limit');
like((ask($deep, 4, path => '/cheap'))[0], qr/LIMIT_EXCEEDED/, 'or cost');
my $types = body('{ __schema { queryType { name } } }');
like((ask($types, 4))[0], qr/"Query"/, 'introspection');
like((ask($types, 4, path => '/closed'))[0], qr/Introspection is turned off/, 'is off elsewhere');
my $two = 'query A { a: room(name: "tea") { notes } } query B { b: room(name: "tea") { points } }';
like((ask(body($two, undef, 'A'), 4))[0], qr/"a"/, 'an operation by name');
like((ask(body($two, undef, 'B'), 4))[0], qr/"b"/, 'another one');
like((ask(body($two), 4))[0], qr/BAD_USER_INPUT/, 'and none');
for my $path ('/graphql', '/newest') {
    for my $accept ('application/json', 'application/graphql-response+json',
        'text/event-stream', 'image/png', '*/*')
    {
        my @r = map { $t->post($path, $_, Accept => $accept) } $tea, $tea, $tea, $tea, fresh($tea);
        delete $_->{headers}{date} for @r;
        is("$r[3]{status} $r[3]{body}", "$r[4]{status} $r[4]{body}", "$path as $accept");
        is_deeply($r[3]{headers}, $r[4]{headers}, "$path as $accept: headers");
    }
}
my $write = body('mutation { write(id: "m", room: "m", text: "m") { id } }');
my %positions = map { $t->post('/graphql', $write)->{headers}{'kappa-position'} => 1 } 1 .. 5;
is(scalar keys %positions, 5, 'a mutation is done each time');
like((ask(body('{ note(id: 1, x: 2) { id } }'), 4))[0], qr/VALIDATION_FAILED/, 'a wrong document');
my $q = $t->http('QUERY', '/graphql', { 'Content-Type' => 'application/json' }, $tea);
is($q->{body}, $t->post('/graphql', fresh($tea))->{body}, 'by QUERY');

# --- whatever is asked and changed, in whatever order

my $seed = Kappa::Test::seed();
my @rooms = qw(tea milk water);
my @queries = (
    sub { body($ROOM, { room => $_[0] }) },
    sub { body('query ($id: ID!) { note(id: $id) { id room text points shout } }', { id => $_[1] }) },
    sub { body('query ($id: ID!) { note(id: $id) { id mine secret } }', { id => $_[1] }) },
    sub { body('query ($r: ID!, $n: Int) { notes(room: $r, first: $n) { edges { cursor node { id } } } }',
        { r => $_[0], n => int rand 4 }) },
    sub { body("{ a: room(name: \"$_[0]\") { points } b: mine { id } }") },
    sub { body("{ diary(id: \"$_[1]\") { text } note(id: \"$_[1]\") { text } }") },
);
my @callers = ({}, \%kim, \%admin, { bearer('eve') });
my ($wrong, $compared) = (0, 0);
$before = hits();
for my $n (1 .. 600) {
    my $room = $rooms[rand @rooms];
    my $id = ('a' .. 'f')[rand 6];
    if (rand() < 0.08) {
        my $owner = (qw(kim eve root), '')[rand 4];
        my @changes = (
            qq{write(id: "$id", room: "$room", owner: "$owner", text: "N$n", points: $n)},
            qq{move(id: "$id", room: "$room")}, qq{erase(id: "$id")},
            qq{confide(id: "$id", owner: "$owner", text: "D$n")});
        $t->graphql("mutation { $changes[rand @changes] { id } }");
        next;
    }
    my $body = $queries[rand @queries]->($room, $id);
    my %caller = %{ $callers[rand @callers] };
    my @answers = map { $t->post('/graphql', $_, %caller) } $body, fresh($body);
    $compared++;
    next if $answers[0]{body} eq $answers[1]{body}
        && $answers[0]{headers}{'kappa-position'} eq $answers[1]{headers}{'kappa-position'};
    $wrong++;
    diag "request $n: $body\n$answers[0]{body}\n$answers[1]{body}" if $wrong < 4;
}
is($wrong, 0, "$compared answers, kept or computed, are what they are (KAPPA_SEED=$seed)");
cmp_ok(hits() - $before, '>=', 50, 'many of them were kept ones');

# --- floods

sub bytes {
    return $t->get('/metrics')->{body} =~ /^kappa_answer_cache_bytes (\d+)/m ? $1 : die 'no such metric';
}

sub memory {
    my ($worker) = $t->workers;
    return Kappa::Test::read_file("/proc/$worker/status") =~ /RssAnon:\s+(\d+)/ ? $1 : 0;
}

sub many {
    my (@bodies) = @_;
    my ($socket, $in) = ($t->connect, '');
    while (my @some = splice @bodies, 0, 20) {
        syswrite $socket, join '', map { "POST /graphql HTTP/1.1\r\nHost: x\r\n"
            . "Content-Type: application/json\r\nContent-Length: " . length($_)
            . "\r\n\r\n$_" } @some;
        for (@some) {
            my $size = 0;
            until ($size && length $in >= $size) {
                $size = length($1) + $2
                    if !$size && $in =~ /^(HTTP.*?\nContent-Length: (\d+).*?\r\n\r\n)/s;
                last if $size && length $in >= $size;
                sysread($socket, $in, 65536, length $in) or die 'closed';
            }
            substr($in, 0, $size) = '';
        }
    }
}

ask($tea, 4);
my $some = bytes();
many(map { fresh($tea) } 1 .. 3000);
cmp_ok(bytes() - $some, '<', 50_000, 'requests that never come again are not kept');
my $document = 0;
my $distinct = sub {
    many(map { $document++; body("{ a$document: room(name: \"tea\") { notes } }") } 1 .. 4000);
};
$distinct->();
my $memory = memory();
$distinct->() for 1 .. 3;
cmp_ok(memory() - $memory, '<', 1024, '12,000 different documents take no memory')
    if !$ENV{KAPPA_TEST_SAN};
my $large = body('{ ' . join(' ', map { "a$_: notes(room: \"tea\", first: 5) { nodes { id text points owner room shout } totalCount }" } 1 .. 20) . ' }');
many(map { my $b = fresh($large); ($b, $b) } 1 .. 2500);
cmp_ok(bytes(), '>', 3_000_000, 'those that come again are') or diag bytes();
cmp_ok(bytes(), '<=', 16 * 1024 * 1024, 'up to the bound');
is((ask($tea, 3))[1], 3, 'and push out nothing that is used');

# --- a new configuration, and a new schema

$t->write_config(graphql => 'kappa_auth optional; kappa_limit_depth 1;');
$t->reload;
ok(Kappa::Test::wait_until(sub { $t->post('/graphql', $deep)->{body} =~ /LIMIT_EXCEEDED/ }, 20),
    'a new limit holds');
$t->write_config(graphql => 'kappa_auth optional;');
$t->reload;
ok(Kappa::Test::wait_until(sub { $t->post('/graphql', $deep)->{body} =~ /"data"/ }, 20),
    'and is gone again');
$t->post('/graphql', $tea) for 1 .. 4;
(my $less = $SDL) =~ s/  shout: .*\n//;
$t->schema($less);
$t->reload;
ok(Kappa::Test::wait_until(sub { $t->post('/graphql', $tea)->{body} =~ /VALIDATION_FAILED/ }, 20),
    'a field that is gone is gone');
$t->no_alerts;
done_testing();
