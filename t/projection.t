# A small shop: an order's event takes from the stock of every product in it,
# or nothing happens at all.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SDL = <<'SDL';
type Order @view { id: ID! total: Int lines: [Line!]! }
type Line { sku: ID! count: Int! }
type Receipt @view @on(thing: "Order", verb: "placed", effect: CREATE, set: ["lines = event.data.input.lines", "first = event.data.input.lines[0]"]) { id: ID! lines: [Line!]! first: Line }
input LineIn { sku: ID! count: Int! @check(if: "value > 0", code: "COUNT") }
input PlaceInput { lines: [LineIn!]! }
type Product @view(key: "sku") @check(if: "row.stock >= 0", code: "OUT_OF_STOCK")
  @on(thing: "Order", verb: "placed", each: "event.data.input.lines", key: "item.sku", set: "stock = row.stock - item.count") { sku: ID! stock: Int! }
type Query { order(id: ID!): Order receipt(id: ID!): Receipt product(sku: ID!): Product }
type P { order: Order position: String! duplicate: Boolean! event: ID! }
type Mutation {
  place(input: PlaceInput!, key: ID @idempotencyKey): P @event(thing: "Order", verb: "placed", effect: CREATE, set: "total = size(event.data.input.lines)")
  stock(sku: ID!, stock: Int!): Product @event(thing: "Product", verb: "stocked", effect: PUT)
}
SDL
my $t = Kappa::Test->new(schema => $SDL, workers => 2, graphql => '');
$t->start;

sub ask { return $t->graphql(@_)->{json} }
sub stock { return ask('{ product(sku: "a") { stock } }')->{data}{product}{stock} }
sub place {
    my ($lines, $key) = @_;
    return ask('mutation($lines: [LineIn!]!, $key: ID) { place(input: {lines: $lines}, key: $key)'
        . ' { order { id total lines { sku count } } duplicate event position } }',
        { lines => $lines, key => $key });
}
sub code { return $_[0]{errors}[0]{extensions}{code} }

is(ask('mutation { stock(sku: "a", stock: 5) { stock } }')->{data}{stock}{stock}, 5, 'PUT');
my $lines = [{ sku => 'a', count => 2 }, { sku => 'a', count => 1 }];
my $first = place($lines, 'k1')->{data}{place};
is($first->{order}{total}, 2, 'set');
is_deeply($first->{order}{lines}, $lines, 'an input object is spread, its lines are embedded');
is(stock(), 2, 'each item was taken, one after the other');
is_deeply(ask("{ receipt(id: \"$first->{order}{id}\") { lines { sku count } first { count } } }")
    ->{data}{receipt}, { lines => $lines, first => { count => 2 } },
    'another view keeps them too');

my $again = place($lines, 'k1')->{data}{place};
is_deeply([@$again{qw(order event position)}], [@$first{qw(order event position)}],
    'the same key, the same answer');
ok($again->{duplicate}, 'and said so');
is(code(place([{ sku => 'a', count => 1 }], 'k1')), 'IDEMPOTENCY_CONFLICT', 'with other arguments');

is(code(place([{ sku => 'a', count => 1 }, { sku => 'a', count => 0 }])), 'COUNT',
    'a check on a field of an item');
is(code(place([{ sku => 'a', count => 1 }, { sku => 'a', count => 2 }])), 'OUT_OF_STOCK',
    'a check on a view, after all effects');
is(code(place([{ sku => 'a', count => 1 }, { sku => 'b', count => 1 }])), 'NOT_FOUND',
    'a row that is not there');
is(stock(), 2, 'a refused event left no trace');
ok($t->stop('QUIT'), 'stop');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'a replay gives the same');

# --- what follows from a row that is another one, each thing once, in order

$t = Kappa::Test->new(workers => 1, schema => <<'SDL');
type Node @view {
  id: ID!
  of: ID
  at: ID
  size: Int!
  kids: Int! @count(of: "Node", by: "of")
  least: Int @min(field: "kids", of: "Node", by: "of")
  most: Int @max(field: "kids", of: "Node", by: "of")
}
type Place @view(key: "at") @groupBy(of: "Node", by: "at") {
  at: ID!
  nodes: Int! @count
  total: BigInt! @sum(field: "size")
  mean: Int! @computed(as: "row.total / row.nodes")
  small: Int! @sum(field: "size")
}
type Width @view(key: "kids") @groupBy(of: "Node", by: "kids") { kids: Int! nodes: Int! @count }
type Query { node(id: ID!): Node place(at: ID!): Place widths: [Width!]! }
type Mutation {
  put(id: ID!, of: ID, at: ID, size: Int!): Node @event(thing: "Node", verb: "put", effect: PUT)
  drop(id: ID!): Node @event(thing: "Node", verb: "dropped", effect: DELETE)
}
SDL
$t->start;
my $node = ask('mutation { put(id: "a", of: "a", at: "x", size: 5) { kids least most } }')->{data}{put};
is_deeply($node, { kids => 1, least => 1, most => 1 }, 'a row that is its own parent');
is_deeply(ask('{ place(at: "x") { nodes mean } }')->{data}{place}, { nodes => 1, mean => 5 },
    'a computed field of a group sees its first member');
ask('mutation { b: put(id: "b", at: "x", size: 2) { id } a: put(id: "a", of: "b", at: "x", size: 5) { id } }');
is_deeply(ask('{ a: node(id: "a") { kids least most } b: node(id: "b") { kids least most }
    widths { kids nodes } place(at: "x") { nodes total mean } }')->{data},
    { a => { kids => 0, least => undef, most => undef }, b => { kids => 1, least => 0, most => 0 },
      widths => [{ kids => 0, nodes => 1 }, { kids => 1, nodes => 1 }],
      place => { nodes => 2, total => '7', mean => 3 } }, 'moved to another parent');
$node = ask('mutation { c: put(id: "c", at: "x", size: 2147483640) { id } d: put(id: "d", at: "x", size: 1) { id } }');
is(code($node), 'LIMIT_EXCEEDED', 'a sum that its Int does not hold');
is_deeply([$node->{errors}[0]{path}, ask('{ place(at: "x") { small } }')->{data}{place}{small}], [['d'], 2147483647],
    'is refused, one that it holds is not');
ask('mutation { a: drop(id: "a") { id } b: drop(id: "b") { id } c: drop(id: "c") { id } }');
is_deeply(ask('{ place(at: "x") { nodes } widths { kids } }')->{data}, { place => undef, widths => [] },
    'groups without members are gone');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'a replay gives the same');
$t->stop;

# --- stamps and defaults when effects meet a row twice, and in keys

$t = Kappa::Test->new(workers => 1, schema => <<'SDL');
type Part @view(key: ["kind", "n"])
  @on(thing: "Box", verb: "packed", each: "event.data.parts", key: ["item.kind", "item.n"],
    effect: PUT, set: "text = item.text") {
  kind: ID!
  n: Int! @default(as: "7")
  text: String
  made: DateTime! @stamp(as: "now")
  writes: Int! @stamp(as: "old == null ? 1 : old.writes + 1", on: WRITE)
  first: String @default(as: "old == null ? 'new' : old.text")
}
type Mine @view(key: "by") { by: ID! @stamp(as: "'kim'") n: Int }
input PartIn { kind: ID! n: Int! text: String }
type Box { id: ID }
type Packed { position: String! }
type Query { part(kind: ID!, n: Int!): Part mine(by: ID!): Mine }
type Mutation {
  pack(parts: [PartIn!]!): Packed @event(thing: "Box", verb: "packed")
  part(kind: ID, text: String, made: DateTime, writes: Int): Part @event(thing: "Part", verb: "made", effect: CREATE)
  mend(kind: ID!, n: Int!, made: DateTime, writes: Int): Part @event(thing: "Part", verb: "mended", effect: PATCH)
  mine(n: Int): Mine @event(thing: "Mine", verb: "made", effect: CREATE)
}
SDL
$t->start;
my $PACK = 'mutation($parts: [PartIn!]!) { pack(parts: $parts) { position } }';
my $PART = '{ part(kind: "k", n: 7) { text made writes first } }';
my $part = ask('mutation { part(kind: "k", text: "a") { n text made writes first } }')->{data}{part};
is(delete $part->{n}, 7, 'a default gives a part of the key');
is_deeply($part, { text => 'a', made => $part->{made}, writes => 1, first => 'new' }, 'a new row');
ask($PACK, { parts => [{ kind => 'k', n => 7, text => 'b' }, { kind => 'k', n => 7, text => 'c' }] });
is_deeply(ask($PART)->{data}{part}, { text => 'c', made => $part->{made}, writes => 2, first => 'a' },
    'replaced twice by one event: stamped once, old is the row before it');
my $WHEN = '2000-01-01T00:00:00.000Z';
$part = ask("mutation { part(kind: \"old\", made: \"$WHEN\", writes: 9) { made writes } }")->{data}{part};
isnt($part->{made}, $WHEN, 'a stamp goes before an argument');
is($part->{writes}, 1, 'this one too');
is_deeply(ask("mutation { mend(kind: \"old\", n: 7, made: \"$WHEN\", writes: 9) { made writes } }")->{data}{mend},
    { made => $WHEN, writes => 2 }, 'a PATCH can change what was stamped on CREATE, not on WRITE');
is(ask('mutation { mine(n: 1) { by } }')->{data}{mine}{by}, 'kim', 'a stamp gives the key');
my $log = $t->kappa(['log', '--store', $t->store, '--thing', 'Mine'])->{out};
like($log, qr/"data":\{"n":1,"by":"kim"\}/, 'and stands in the event');
my $line = '{"thing":"Mine","verb":"made","effect":"CREATE","key":"lee","data":{}}';
is($t->kappa(['import', '-', '--store', $t->store], stdin => "$line\n")->{status}, 0, 'an import gives its own');
is_deeply(ask('{ mine(by: "lee") { by } }')->{data}{mine}, { by => 'lee' }, 'which counts');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'a replay gives the same');
$t->stop;

# --- lists and objects in rows are what their types say, whoever gives them

$t = Kappa::Test->new(workers => 1, schema => <<'SDL');
enum Shade { DARK @was(name: "BLACK") LIGHT }
type Spot { x: BigInt! at: DateTime shade: Shade tags: [String!] }
input SpotIn { x: BigInt at: DateTime shade: Shade tags: [String!] }
type Map @view { id: ID! spot: Spot spots: [Spot!] sums: [BigInt!] shade: Shade day: Date }
type Copy @view
  @on(thing: "Map", verb: "drawn", effect: PUT,
    set: ["spot = event.data.spot", "sums = event.data.sums"])
  @on(thing: "Elsewhere", key: "event.data.id", effect: PUT,
    set: ["spot = event.data.spot", "shade = event.data.shade", "day = event.data.day"]) {
  id: ID!
  spot: Spot
  sums: [BigInt!]
  shade: Shade
  day: Date
}
type Count @view(key: ["u", "n"])
  @on(thing: "Counted", effect: UPSERT, set: "times = (row.times == null ? 0 : row.times) + 1") {
  u: UUID!
  n: Int!
  times: Int
}
type Query { map(id: ID!): Map copy(id: ID!): Copy counts: [Count!]! }
type Mutation {
  draw(id: ID!, spot: SpotIn, spots: [SpotIn!], sums: [BigInt!]): Map @event(thing: "Map", verb: "drawn", effect: PUT)
}
SDL
$t->start;
my $SPOT = 'spot { x at shade tags }';
my $spot = { x => '9007199254740993', at => '2026-01-01T00:00:00.000Z', shade => 'DARK', tags => ['a'] };
my $given = '{x: "9007199254740993", at: "2026-01-01T02:00:00+02:00", shade: DARK, tags: "a"}';
is_deeply(ask("mutation { draw(id: \"a\", spot: $given, spots: [$given], sums: [1, \"2\"]) { $SPOT sums spots { x } } }")
    ->{data}{draw}, { spot => $spot, sums => ['1', '2'], spots => [{ x => $spot->{x} }] }, 'by a mutation');
is_deeply(ask("{ copy(id: \"a\") { $SPOT sums } }")->{data}{copy}, { spot => $spot, sums => ['1', '2'] }, 'by set');
is(code(ask('mutation { draw(id: "b", spot: {x: null}) { id } }')), 'BAD_USER_INPUT',
    'null where the type of the row has none');
is(code(ask('mutation { draw(id: "b", spots: [{shade: LIGHT}]) { id } }')), 'BAD_USER_INPUT', 'nothing there');

sub import_line {
    my ($thing, $data) = @_;
    return $t->kappa(['import', '-', '--store', $t->store], stdin =>
        "{\"thing\":\"$thing\",\"verb\":\"other\",\"effect\":\"" . ($thing eq 'Map' ? 'PUT' : 'NONE')
        . "\",\"key\":\"c\",\"data\":{\"id\":\"c\",$data}}\n");
}
for my $case (['"spot":{"x":1,"at":"later"}', 'at got invalid value'], ['"spot":{"at":null}', 'x must not be null'],
    ['"spot":"here"', 'spot: got a value of another type, not an object'],
    ['"spots":{"x":1}', 'not a list'], ['"spots":[{"x":1,"tags":[null]}]', 'tags must not be null'],
    ['"sums":[1,"two"]', 'sums got invalid value'], ['"shade":"PINK"', 'shade got invalid value'])
{
    my $r = import_line('Map', $case->[0]);
    is($r->{status}, 1, "refused: $case->[0]");
    like($r->{err}, qr/\Q$case->[1]\E/, 'and why');
}
for my $case (['"spot":{"x":"a"}', 'x got invalid value'], ['"shade":"PINK"', 'set of shade: a value of the wrong'],
    ['"day":"some day"', 'day got invalid value'])
{
    my $r = import_line('Elsewhere', $case->[0]);
    is($r->{status}, 1, "by set: $case->[0]");
    like($r->{err}, qr/\Q$case->[1]\E/, 'and why');
}
my $loose = '"spot":{"x":9007199254740993,"at":"2026-01-01T02:00:00+02:00","shade":"BLACK","tags":["a"],"more":1}';
for my $case (['Map', 'map', 'BLACK'], ['Elsewhere', 'copy', 'DARK']) {
    is(import_line($case->[0], "$loose,\"shade\":\"$case->[2]\"")->{status}, 0, "$case->[0]: what can be that type");
    ok(Kappa::Test::wait_until(sub { ask("{ $case->[1](id: \"c\") { id } }")->{data}{ $case->[1] } }), 'is there');
    is_deeply(ask("{ $case->[1](id: \"c\") { $SPOT shade } }")->{data}{ $case->[1] }, { spot => $spot, shade => 'DARK' },
        'and becomes it');
}
my $UUID = '01a1f9f3-e011-7092-8e5e-faa103dd1614';
for my $case (["[\"\U$UUID\",\"5\"]", 0, ''], ["[\"$UUID\",5]", 0, ''],
    ["\"$UUID\"", 1, 'not a list of 2'], ["[\"$UUID\",\"five\"]", 1, 'n got invalid value'])
{
    my $r = $t->kappa(['import', '-', '--store', $t->store],
        stdin => "{\"thing\":\"Counted\",\"verb\":\"once\",\"key\":$case->[0]}\n");
    is($r->{status}, $case->[1], "a key of what is no view: $case->[0]");
    like($r->{err}, qr/\Q$case->[2]\E/, 'and what is wrong with it');
}
ok(Kappa::Test::wait_until(sub { $t->graphql('{ counts { u n times } }')->{body}
    eq "{\"data\":{\"counts\":[{\"u\":\"$UUID\",\"n\":5,\"times\":2}]}}" }), 'is of the types of the key here');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'a replay gives the same');
$t->stop;
$t->no_alerts;
done_testing;
