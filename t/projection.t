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
done_testing;
