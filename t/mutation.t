# Mutations: events, their answers, refusals, idempotency; nothing
# acknowledged is lost when views or processes go.

use strict;
use warnings;
use File::Path qw(remove_tree);
use Test::More;
use Kappa::Test;

my $SDL = <<'END';
enum Colour { RED GREEN }
input Size { w: Int! h: Int! }
type Item @view(key: "sku") @index(fields: ["colour", "sku"])
  @index(fields: ["serial"], unique: true)
  @check(if: "row.stock >= 0", code: "SOLD_OUT", message: "Nothing left.") {
  sku: ID!
  stock: Int!
  colour: Colour
  serial: String
  note: String @default(as: "'none'")
  made: DateTime! @stamp(as: "now")
  touched: DateTime! @stamp(as: "now", on: WRITE)
  sales: Int! @count(of: "Sale", by: "item")
}
type Sale @view {
  id: ID!
  item: ID!
  n: Int!
}
type Query {
  item(sku: ID!): Item
  items(colour: Colour!, first: Int = 10): [Item!]!
}
type SalePayload { sale: Sale position: String! duplicate: Boolean! event: ID! }
type Mutation {
  create(sku: ID!, stock: Int!, colour: Colour, serial: String): Item!
    @event(thing: "Item", verb: "created", effect: CREATE)
  put(sku: ID!, stock: Int!, colour: Colour): Item! @event(thing: "Item", verb: "put", effect: PUT)
  patch(sku: ID!, stock: Int, colour: Colour, note: String): Item
    @event(thing: "Item", verb: "patched", effect: PATCH)
  upsert(sku: ID!, stock: Int!): Item! @event(thing: "Item", verb: "upserted", effect: UPSERT)
  take(sku: ID!): Item @event(thing: "Item", verb: "taken", effect: PATCH, set: ["stock = row.stock - 1"])
  remove(sku: ID!): Item @event(thing: "Item", verb: "removed", effect: DELETE)
  sell(item: ID!, n: Int!, key: String @idempotencyKey): SalePayload!
    @event(thing: "Sale", verb: "sold", effect: CREATE)
    @check(if: "Item(args.item) != null", code: "NO_SUCH_ITEM")
    @check(if: "args.n > 0", message: "n must be positive")
}
END

my $t = Kappa::Test->new(schema => $SDL, workers => 4);
$t->start;

sub code {
    my ($r) = @_;
    return $r->{json}{errors} ? $r->{json}{errors}[0]{extensions}{code} : undef;
}

# --- effects

my $r = $t->graphql('mutation($s: Int!) { create(sku: "a", stock: $s, colour: RED) { sku stock colour note made sales } }',
    { s => 2 });
is($r->{status}, 200, 'create');
my $item = $r->{json}{data}{create};
is($item->{stock}, 2, 'the row') or diag $r->{body};
is($item->{note}, 'none', 'a default');
is($item->{sales}, 0, 'an aggregate of nothing');
like($item->{made}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'a stamp');
like($r->{json}{extensions}{kappa}{position}, qr/^[0-9a-z]+-1$/, 'position');
is($r->{headers}{'kappa-position'}, $r->{json}{extensions}{kappa}{position},
    'and in the header');

is(code($t->graphql('mutation { create(sku: "a", stock: 1) { sku } }')),
    'ALREADY_EXISTS', 'create again');
is(code($t->graphql('mutation { patch(sku: "x", stock: 1) { sku } }')),
    'NOT_FOUND', 'patch of nothing');
is(code($t->graphql('mutation { remove(sku: "x") { sku } }')),
    'NOT_FOUND', 'delete of nothing');

$r = $t->graphql('mutation { patch(sku: "a", colour: null) { stock colour } }');
is_deeply($r->{json}{data}{patch}, { stock => 2, colour => undef },
    'null clears, absent leaves') or diag $r->{body};
$r = $t->graphql('mutation { put(sku: "a", stock: 5) { stock colour note made } }');
is($r->{json}{data}{put}{stock}, 5, 'put replaces') or diag $r->{body};
is($r->{json}{data}{put}{made}, $item->{made}, 'but keeps stamps of creation');
$r = $t->graphql('mutation { upsert(sku: "b", stock: 1) { stock note } }');
is_deeply($r->{json}{data}{upsert}, { stock => 1, note => 'none' }, 'upsert creates')
    or diag $r->{body};
$r = $t->graphql('mutation { upsert(sku: "b", stock: 3) { stock } }');
is_deeply($r->{json}{data}{upsert}, { stock => 3 }, 'upsert patches');
$r = $t->graphql('mutation { put(sku: "c", stock: 1, colour: GREEN) { sku } a: remove(sku: "c") { sku stock } }');
is_deeply($r->{json}{data}, { put => { sku => 'c' }, a => { sku => 'c', stock => 1 } },
    'two fields in one request, the deleted row as it was') or diag $r->{body};
is($t->graphql('{ item(sku: "c") { sku } }')->{json}{data}{item}, undef, 'gone');

# --- checks

for my $left (2, 1, 0) {
    $r = $t->graphql('mutation { take(sku: "b") { stock } }');
    is($r->{json}{data}{take}{stock}, $left, "take, $left left") or diag $r->{body};
}
$r = $t->graphql('mutation { take(sku: "b") { stock } }');
is(code($r), 'SOLD_OUT', 'a check of the view');
is($r->{json}{errors}[0]{message}, 'Nothing left.', 'its message');
is($t->graphql('{ item(sku: "b") { stock } }')->{json}{data}{item}{stock}, 0, 'nothing happened');
is(code($t->graphql('mutation { sell(item: "x", n: 1) { position } }')), 'NO_SUCH_ITEM', 'a check of a mutation');
$r = $t->graphql('mutation { sell(item: "a", n: 0) { position } }');
is(code($r), 'CHECK_FAILED', 'the standard code');
is($r->{json}{errors}[0]{message}, 'n must be positive', 'the given message');
$t->graphql('mutation { create(sku: "s1", stock: 1, serial: "X") { sku } }');
is(code($t->graphql('mutation { create(sku: "s2", stock: 1, serial: "X") { sku } }')),
    'NOT_UNIQUE', 'a unique index');
$r = $t->graphql('mutation { create(sku: "' . 'k' x 300 . '", stock: 1) { sku } }');
ok(code($r), 'a key over 255 bytes is refused') or diag $r->{body};
# JSON has no U+0000: an event that held one could not be replayed.
for my $nul ('create(sku: "n\u0000", stock: 1)', 'patch(sku: "b", note: "\u0000")') {
    $r = $t->graphql("mutation { $nul { sku } }");
    is(code($r), 'BAD_USER_INPUT', "refused: $nul") or diag $r->{body};
}

# --- idempotency

my %key = ('Idempotency-Key' => 'once');
my $first = $t->graphql('mutation { upsert(sku: "i", stock: 1) { stock } }', undef, %key);
ok(!$first->{json}{extensions}{kappa}{duplicate}, 'first') or diag $first->{body};
for (1 .. 8) {    # by whatever worker
    my $again = $t->graphql('mutation { upsert(sku: "i", stock: 1) { stock } }', undef, %key);
    is($again->{json}{extensions}{kappa}{duplicate}, JSON::PP::true(), 'a duplicate')
        or diag $again->{body};
    is($again->{json}{extensions}{kappa}{position},
        $first->{json}{extensions}{kappa}{position}, 'with the first position');
}
is(code($t->graphql('mutation { upsert(sku: "i", stock: 2) { stock } }', undef, %key)),
    'IDEMPOTENCY_CONFLICT', 'other arguments');
my $sold = $t->graphql('mutation { sell(item: "a", n: 2, key: "k") { sale { n } position duplicate event } }');
is($sold->{json}{data}{sell}{sale}{n}, 2, 'a payload') or diag $sold->{body};
ok(!$sold->{json}{data}{sell}{duplicate}, 'no duplicate');
my $resold = $t->graphql('mutation { sell(item: "a", n: 2, key: "k") { position duplicate event } }');
ok($resold->{json}{data}{sell}{duplicate}, 'the argument is the key');
is($resold->{json}{data}{sell}{event}, $sold->{json}{data}{sell}{event}, 'the same event');
is($t->graphql('{ item(sku: "a") { sales } }')->{json}{data}{item}{sales}, 1, 'counted once');
is(code($t->graphql('mutation { sell(item: "x", n: 1, key: "r") { position } }')),
    'NO_SUCH_ITEM', 'a refusal');
$t->graphql('mutation { create(sku: "x", stock: 1) { sku } }');
ok(!code($t->graphql('mutation { sell(item: "x", n: 1, key: "r") { position } }')),
    'is not remembered');

# --- the log, and views from it

my $log = $t->kappa(['log', '--store', $t->store]);
is($log->{status}, 0, 'kappa log') or diag $log->{err};
my @events = map { $Kappa::Test::JSON->decode($_) } split /\n/, $log->{out};
is($events[0]{thing}, 'Item', 'the first event');
is($events[0]{verb}, 'created', 'its verb');
is_deeply($events[0]{data}, { sku => 'a', stock => 2, colour => 'RED',
    made => $item->{made}, touched => $item->{made} }, 'its data: arguments and stamps')
    or diag explain $events[0]{data};
is($events[0]{effect}, 'CREATE', 'its effect');
is($events[0]{row}{note}, 'none', 'the row it left');
my @seqs = map { $_->{position} =~ /-(\d+)$/ } @events;
is_deeply(\@seqs, [1 .. @events], 'no gaps');
ok(!(grep { exists $_->{data}{key} } @events), 'idempotency keys are not data');

my $query = '{ a: item(sku: "a") { stock sales made touched } b: item(sku: "b") { stock } items(colour: RED) { sku } }';
my $before = $t->graphql($query)->{body};
my $verify = $t->kappa(['verify', '--store', $t->store]);
is($verify->{status}, 0, 'kappa verify, beside the server') or diag $verify->{err};
ok($t->stop, 'stop');
remove_tree($t->store . '/views');
$t->start;
my $r2;
for (1 .. 100) {
    $r2 = $t->graphql($query);
    last if $r2->{status} == 200;
    select undef, undef, undef, 0.05;
}
is($r2->{body}, $before, 'without views/: they come back from the log');
is($t->graphql('mutation { upsert(sku: "i", stock: 1) { stock } }', undef, %key)
        ->{json}{extensions}{kappa}{duplicate},
    JSON::PP::true(), 'and so do idempotency keys');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
