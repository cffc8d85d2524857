# Expressions where they stand: rules, checks, stamps, defaults, computed
# fields, and what an error of one does (docs/expressions.md).

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 2, schema => <<'SDL');
type Account
  @view
  @allow(if: "row.owner == null || row.owner == auth.sub")
  @check(if: "row.balance >= 0", code: "OVERDRAWN")
  @check(if: "old == null || row.id == old.id && row.opened == old.opened") {
  id: ID!
  owner: String
  balance: Int!
  rate: Float @default(as: "1")
  kind: Kind @default(as: "'BASIC'")
  tags: [String!] @default(as: "['new', 'a' + 'b']")
  opened: DateTime! @stamp(as: "now")
  changed: DateTime! @stamp(as: "now", on: WRITE)
  by: String @stamp(as: "auth.sub == null ? 'nobody' : auth.sub")
  day: DateTime @computed(as: "trunc(row.opened, '1d')")
  rich: Boolean @computed(as: "row.balance > 1000")
  share: Int @computed(as: "1000 / row.balance")
  other: Int @computed(as: "Account('b').balance")
}
enum Kind { BASIC GOLD }

# The rule's equality is served by an index, null and all.
type Memo @view @index(fields: ["owner", "id"]) @allow(if: "row.owner == auth.sub") {
  id: ID!
  owner: String
}

type Query { account(id: ID!): Account memos(first: Int = 10): [Memo!]! }

type Mutation {
  open(id: ID!, owner: String, kind: Kind,
      balance: Int! @check(if: "value <= 1000000", code: "TOO_MUCH")): Account
    @event(thing: "Account", verb: "opened", effect: CREATE)
  change(id: ID!, balance: Int!): Account
    @event(thing: "Account", verb: "changed", effect: PATCH)
    @check(if: "args.balance < 9223372036854775807 / 2 && args.balance * 4 >= row.balance", code: "TOO_FAST")
  scale(id: ID!, factor: BigInt!): Account
    @event(thing: "Account", verb: "scaled", effect: PATCH)
    @check(if: "args.factor * 2 > 0", code: "NO_SCALE")
  close(id: ID!): Account
    @event(thing: "Account", verb: "closed", effect: DELETE)
    @check(if: "row.balance == 0", code: "NOT_EMPTY", message: "Empty it first.")
  note(id: ID!, owner: String): Memo
    @event(thing: "Memo", verb: "noted", effect: CREATE)
  link(id: ID!, to: ID!): Account
    @event(thing: "Account", verb: "linked", effect: PATCH)
    @check(if: "Account(args.to) != null && Account(args.to).kind == 'GOLD'", code: "NO_GOLD")
}
SDL
$t->start;

sub code {
    my ($r) = @_;
    my $error = $r->{json}{errors}[0] or return 'none';
    return $error->{extensions}{code};
}
my $FIELDS = 'id balance rate kind tags opened changed by day rich share';
sub run { return $t->graphql("mutation { $_[0] { $FIELDS } }") }

# --- defaults, stamps, computed fields

my $r = run('open(id: "a", balance: 100)');
my $row = $r->{json}{data}{open};
is(code($r), 'none', 'opened') or diag $r->{body};
is($row->{rate}, 1, 'a default: an Int for a Float');
is($row->{kind}, 'BASIC', 'a default: an enum');
is_deeply($row->{tags}, ['new', 'ab'], 'a default: a list');
is($row->{by}, 'nobody', 'a stamp: anonymous');
is($row->{opened}, $row->{changed}, 'a stamp: now is one time');
(my $day = $row->{opened}) =~ s/T.*/T00:00:00.000Z/;
is($row->{day}, $day, 'computed: trunc');
ok(!$row->{rich}, 'computed: a comparison');
is($row->{share}, 10, 'computed: a division');

select undef, undef, undef, 0.01;
$r = run('change(id: "a", balance: 5000)');
my $changed = $r->{json}{data}{change};
ok($changed->{rich}, 'computed again') or diag $r->{body};
is($changed->{opened}, $row->{opened}, 'a stamp on CREATE stays');
ok($changed->{changed} gt $row->{changed}, 'a stamp on WRITE does not');

# --- checks

my @refused = (
    ['open(id: "x", balance: 1000001)', 'TOO_MUCH', 'an argument'],
    ['open(id: "x", balance: -1)', 'OVERDRAWN', 'a row after the event'],
    ['change(id: "a", balance: -2)', 'TOO_FAST', 'a mutation, by its row'],
    ['close(id: "a")', 'NOT_EMPTY', 'a row before it goes'],
    ['scale(id: "a", factor: "9223372036854775807")', 'NO_SCALE',
        'an overflow is false'],
    ['link(id: "a", to: "nope")', 'NO_GOLD', 'a lookup of nothing'],
    ['link(id: "a", to: "a")', 'NO_GOLD', 'a field of a lookup'],
);
for my $case (@refused) {
    my ($mutation, $code, $name) = @$case;
    $r = run($mutation);
    is(code($r), $code, $name) or diag $r->{body};
}
$r = run('close(id: "a")');
is($r->{json}{errors}[0]{message}, 'Empty it first.', 'its own message');
$r = $t->graphql('{ account(id: "a") { balance } x: account(id: "x") { id } }');
is_deeply($r->{json}{data}, { account => { balance => 5000 }, x => undef },
    'what was refused left no trace') or diag $r->{body};

is(code(run('open(id: "gold", balance: 1, kind: GOLD)')), 'none', 'a row to look up');
is(code(run('link(id: "a", to: "gold")')), 'none', 'and it is found');
is(code(run('scale(id: "a", factor: "3")')), 'none', 'a BigInt');

# --- rows hidden by a rule, and computed fields at read

is(code(run('open(id: "hers", balance: 7, owner: "alice")')), 'none',
    'a row that is not mine') or diag $r->{body};
$r = $t->graphql('{ account(id: "hers") { id } }');
is_deeply($r->{json}{data}, { account => undef }, 'is not there');
is(code(run('change(id: "hers", balance: 7)')), 'NOT_FOUND', 'to be changed either');

$r = $t->graphql('{ account(id: "a") { other } }');
is_deeply($r->{json}{data}, { account => { other => undef } },
    'a lookup of nothing is null');
$r = run('open(id: "b", balance: 0)');
isnt(code($r), 'none', 'a division by zero in a stored field refuses the event')
    or diag $r->{body};
$r = run('open(id: "b", balance: 8)');
is($r->{json}{data}{open}{share}, 125, 'any other number does not');
$r = $t->graphql('{ account(id: "a") { other } }');
is_deeply($r->{json}{data}, { account => { other => 8 } }, 'a lookup at read');

for my $i (1 .. 30) {
    my $owner = $i % 10 ? '"alice"' : 'null';
    $r = $t->graphql("mutation { note(id: \"m$i\", owner: $owner) { id } }");
}
$r = $t->graphql('{ memos { id owner } }');
is_deeply([map { $_->{id} } @{ $r->{json}{data}{memos} }], [qw(m10 m20 m30)],
    'null equals null: for anonymous the rows of nobody') or diag $r->{body};

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
