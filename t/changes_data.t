# Change streams of types that are no view: their fields are the members of
# the events' data, over SSE and WebSocket.

use strict;
use warnings;
use Test::More;
use Kappa::Test;
use Kappa::WebSocket;

my $SDL = <<'SDL';
type Note @view @allow(if: "row.open || 'admin' in auth.roles") { id: ID! open: Boolean! }
enum Level { INFO ALERT }
type Notice { to: ID! level: Level at: DateTime lines: [Line!] count: Int size: BigInt more: JSON }
type Line { text: String! }
input LineIn { text: String! color: String }
type Strict { count: Int! }
type Written { id: ID! hint: String }
type Done { position: String! event: ID! }
type Query { note(id: ID!): Note }
type Mutation {
  notify(to: ID!, level: Level, at: DateTime, lines: [LineIn!], count: Int, size: BigInt, more: JSON): Done
    @event(thing: "Notice", verb: "sent")
  write(id: ID!, open: Boolean!, hint: String): Note
    @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription {
  notices(to: ID, level: Level, size: BigInt): Notice! @changes(thing: "Notice", verb: "sent")
  strict: Strict @changes(thing: "Notice")
  foreign(size: BigInt): Notice @changes(thing: "Elsewhere")
  written: Written @changes(thing: "Note", verb: "written")
  barred: Notice @changes(thing: "Notice") @allow(if: "auth.sub != null")
}
SDL
my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    graphql => 'kappa_heartbeat 200ms;');
$t->start;

my $FIELDS = '__typename to level at lines { text } count size more';
my $sse = $t->sse("subscription { notices { $FIELDS } }");
is($sse->status, 200, 'subscribed by SSE') or diag $sse->body;
my $alerts = $t->sse('subscription($l: Level) { notices(to: "kim", level: $l) { level count } }',
    { l => 'ALERT' });
my $strict = $t->sse('subscription { strict { count } }');
my $barred = $t->sse('subscription { barred { to } }');
my $ws = Kappa::WebSocket->new($t, '/graphql');
is($ws->init->{type}, 'connection_ack', 'connected by WebSocket');
$ws->subscribe('1', "subscription { n: notices(size: \"12345678901\") { to size } }");
sub notify {
    my ($arguments) = @_;
    my $r = $t->graphql("mutation { notify($arguments) { position } }");
    ok($r->{json}{data}{notify}{position}, "notify $arguments") or diag $r->{body};
    return $r;
}

my $first = notify('to: "kim", level: INFO, at: "2026-02-03T04:05:06+01:00",'
    . ' lines: [{ text: "a\"}b", color: "red" }, { text: "c" }], count: 3,'
    . ' size: "12345678901", more: { deep: [1, { x: null }] }');
my $second = notify('to: "kim", level: ALERT, count: 4');
notify('to: "lee", level: ALERT');

my $got = $sse->next;
is_deeply($got->{json}{data}{notices}, { __typename => 'Notice', to => 'kim',
    level => 'INFO', at => '2026-02-03T03:05:06.000Z',
    lines => [{ text => 'a"}b' }, { text => 'c' }], count => 3,
    size => '12345678901', more => { deep => [1, { x => undef }] } },
    'the data, by name; what the type has not is left out') or diag $got->{data};
is($got->{id}, $first->{headers}{'kappa-position'}, 'at its position');
is_deeply($sse->next->{json}{data}{notices}, { __typename => 'Notice', to => 'kim',
    level => 'ALERT', at => undef, lines => undef, count => 4, size => undef,
    more => undef }, 'what was not given is null');
is($sse->next->{json}{data}{notices}{to}, 'lee', 'none is skipped');

is_deeply($alerts->next->{json}{data}{notices}, { level => 'ALERT', count => 4 },
    'arguments are equalities on data');
ok(!$alerts->next(0.3), 'and nothing else matched');
is_deeply($strict->next->{json}{data}{strict}, { count => 3 }, 'non-null and there');
is($strict->next->{json}{data}{strict}{count}, 4, 'again');
my $missing = $strict->next->{json};
is_deeply($missing->{data}, { strict => undef }, 'non-null and missing');
is_deeply($missing->{errors}[0]{path}, ['strict', 'count'], 'the usual error');
is($barred->next->{json}{errors}[0]{extensions}{code}, 'FORBIDDEN', '@allow on the field');

my $message = $ws->next;
is($message->{type}, 'next', 'by WebSocket too') or diag explain $message;
is_deeply($message->{payload}{data}, { n => { to => 'kim', size => '12345678901' } },
    'with a BigInt as equality');
is($message->{payload}{extensions}{kappa}{position}, $first->{headers}{'kappa-position'},
    'at the same position');

# Resume.
my $again = $t->sse('subscription { notices { to count } }', undef,
    'Last-Event-ID' => $first->{headers}{'kappa-position'});
is_deeply($again->next->{json}{data}{notices}, { to => 'kim', count => 4 }, 'resumed');
is_deeply($again->next->{json}{data}{notices}, { to => 'lee', count => undef }, 'and on');

# Events of others: nothing in the schema has coerced them.
my $foreign = $t->sse("subscription { foreign { $FIELDS } }");
my $sized = $t->sse('subscription { foreign(size: "5") { to } }');
my $lines = join '', map { $Kappa::Test::JSON->encode({ thing => 'Elsewhere',
    verb => 'seen', data => $_ }) . "\n" }
    { to => 'x', at => '2026-02-03T04:05:06.7Z', size => 5, unknown => [{}] },
    { to => 7, level => 'NONE', at => 'soon', count => 'many', lines => [{ text => undef }] },
    { to => 'y', lines => 'none' };
my $r = $t->kappa(['import', '-', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql'], stdin => $lines);
is($r->{status}, 0, 'import') or diag $r->{err};
is_deeply($foreign->next->{json}{data}{foreign}, { __typename => 'Notice', to => 'x',
    level => undef, at => '2026-02-03T04:05:06.700Z', lines => undef, count => undef,
    size => '5', more => undef }, 'as the type has it');
my $odd = $foreign->next->{json};
is_deeply($odd->{data}{foreign}, { __typename => 'Notice', to => '7',
    level => undef, at => undef, lines => undef, count => undef, size => undef,
    more => undef }, 'what a type can\'t hold is null');
is_deeply($odd->{errors}[0]{path}, ['foreign', 'lines', 0, 'text'],
    'inside objects too');
is_deeply($foreign->next->{json}{errors}[0]{path}, ['foreign', 'lines'], 'no list');
is($sized->next->{json}{data}{foreign}{to}, 'x', 'a number equals the BigInt');
ok(!$sized->next(0.3), 'no other');

# The data of a view's events: hidden with their row.
my $written = $t->sse('subscription { written { id hint } }');
$t->graphql("mutation { a: write(id: \"a\", open: false, hint: \"h\") { id }
    b: write(id: \"b\", open: true, hint: \"i\") { id } }");
is_deeply($written->next->{json}{data}{written}, { id => 'b', hint => 'i' },
    'a hidden row\'s event is passed by');

ok($t->stop('QUIT'), 'stop');
$t->no_alerts;
done_testing;
