# Expressions over event.data give the same when the event is replayed from
# its JSON as when it happened: a Float of 5.0 is written as 5, a BigInt and a
# DateTime as strings.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 1, schema => <<'SDL');
type Sale @view {
  id: ID!
  item: ID!
  price: Float!
  parts: Float!
  big: BigInt!
  when: DateTime!
  extra: JSON
  line: Line
}
type Line { rate: Float at: DateTime n: BigInt tags: [Float!] }
input LineInput { rate: Float at: DateTime n: BigInt tags: [Float!] }

type Total @view
  @on(thing: "Sale", verb: "sold", key: "event.data.item", effect: UPSERT, set: [
    "share = event.data.price / event.data.parts"
    "half = event.data.line.rate / 2.0"
    "next = event.data.big + 1"
    "more = event.data.line.n + 1"
    "day = trunc(event.data.when, '1d')"
    "hour = trunc(event.data.line.at, '1h')"
    "early = event.data.when < event.time && event.data.line.at < event.data.when"
    "first = event.data.line.tags[0] / event.data.line.tags[1]"
    "text = event.data.extra.name + '!'"
    "sold = row.sold + 1"
  ]) {
  id: ID!
  share: Float
  half: Float
  next: BigInt
  more: BigInt
  day: DateTime
  hour: DateTime
  early: Boolean
  first: Float
  text: String
  sold: Int! @default(as: "0")
}

type Query { total(id: ID!): Total sale(id: ID!): Sale }
type Mutation {
  sell(id: ID!, item: ID!, price: Float!, parts: Float!, big: BigInt!,
      when: DateTime!, extra: JSON, line: LineInput): Sale!
    @event(thing: "Sale", verb: "sold", effect: CREATE)
}
SDL
$t->start;

my $FIELDS = 'share half next more day hour early first text sold';
sub total {
    return $t->graphql("{ total(id: \"i\") { $FIELDS } }")->{json}{data}{total};
}
my $r = $t->graphql('mutation($e: JSON) { sell(id: "1", item: "i", price: 5.0,
    parts: 2.0, big: "9007199254740993", when: "2020-02-29T13:14:15.016+01:00",
    extra: $e, line: { rate: 7.0, at: "2019-01-01T23:59:59Z", n: "41",
    tags: [1.0, 4.0] }) { price line { rate at n tags } when big extra } }',
    { e => { name => 'x' } });
is($r->{json}{errors}, undef, 'sold') or diag $r->{body};
my $want = { share => 2.5, half => 3.5, next => '9007199254740994',
    more => '42', day => '2020-02-29T00:00:00.000Z',
    hour => '2019-01-01T23:00:00.000Z', early => $Kappa::Test::JSON->decode('true'),
    first => 0.25, text => 'x!', sold => 1 };
is_deeply(total(), $want, 'as it happened') or diag explain total();

ok($t->stop('QUIT'), 'ends');
my $v = $t->kappa(['verify', '--store', $t->store]);
is($v->{status}, 0, 'verify: the log gives the same') or diag $v->{out}, $v->{err};
system 'rm', '-rf', $t->store . '/views';
$t->start;
Kappa::Test::wait_until(sub { total() });
is_deeply(total(), $want, 'as it is replayed') or diag explain total();

$r = $t->graphql('mutation { sell(id: "2", item: "i", price: 1, parts: 0,
    big: "9223372036854775807", when: "2020-01-01T00:00:00Z") { id } }');
ok($r->{json}{errors}, 'an overflow in set refuses the event') or diag $r->{body};
is(total()->{sold}, 1, 'and all of its effects');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
