# kappa show: a row as it is, and as it was at any position, whoever changed
# it.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
Kappa::Test::seed();

my $t = Kappa::Test->new(schema => <<'END', workers => 1);
type Item @view(key: "sku") { sku: ID! shelf: ID n: Int! hidden: Int @internal }
type Shelf @view(key: "name") @groupBy(of: "Item", by: "shelf") { name: ID! items: Int! @count pieces: Int! @sum(field: "n") }
type Stock @view(key: "sku") @on(thing: "Item", verb: "set", key: "event.key", effect: UPSERT, set: "sets = (row.sets == null ? 0 : row.sets) + 1") {
  sku: ID! sets: Int
}
type Seat @view(key: ["hall", "number"]) { hall: ID! number: Int! by: String }
type Query { item(sku: ID!): Item shelf(name: ID!): Shelf stock(sku: ID!): Stock seat(hall: ID!, number: Int!): Seat }
type Mutation {
  set(sku: ID!, shelf: ID, n: Int!): Item! @event(thing: "Item", verb: "set", effect: UPSERT)
  drop(sku: ID!): Item @event(thing: "Item", verb: "dropped", effect: DELETE)
  sit(hall: ID!, number: Int!, by: String): Seat! @event(thing: "Seat", verb: "taken", effect: PUT)
}
END
$t->start;
my $store = $t->store;

sub show { return $t->kappa(['show', @_, '--store', $store]) }
sub row {
    my $r = show(@_);
    is($r->{status}, 0, "show @_") or diag $r->{err};
    return eval { $JSON->decode($r->{out}) };
}
sub mutate {
    my ($text) = @_;
    my $r = $t->graphql("mutation { $text }");
    return $r->{headers}{'kappa-position'};
}

for my $case (['show'], ['show', 'Item'], ['show', 'Item', 'a', 'b', '--store', $store], ['show', 'Item', 'a']) {
    is($t->kappa($case)->{status}, 2, "@$case is a wrong call");
}
my $first = mutate('set(sku: "a", shelf: "x", n: 1) { n }');
is_deeply(row('Item', 'a'), { sku => 'a', shelf => 'x', n => 1, hidden => undef }, 'as it is');
mutate('sit(hall: "hall 2", number: 17, by: "ann") { by }');
is(row('Seat', '["hall 2", 17]')->{by}, 'ann', 'a composite key');
my ($epoch) = $first =~ /^(\w+)-/;
for my $case (
    [['Item', 'b'], 1, qr/there is no Item b/],
    [['Nothing', 'b'], 1, qr/Nothing is no view/],
    [['Seat', 'x'], 1, qr/no key of Seat, which has 2 parts/],
    [['Seat', '["hall 2", "x"]'], 1, qr/no key of Seat, .*\(hall: ID!, number: Int!\)/],
    [['Item', 'a', '--at', 'x'], 2, qr/not a position/],
    [['Item', 'a', '--at', 'zzzzzzzzzzzz-1'], 1, qr/another log/],
    [['Item', 'a', '--at', "$epoch-99999"], 1, qr/not there yet/],
    [['Item', 'a', '--at', "$epoch-0"], 1, qr/there is no Item a at/],
    [['Shelf', 'x', '--at', "$epoch-0"], 1, qr/there is no Shelf x at/],
) {
    my $r = show(@{ $case->[0] });
    is($r->{status}, $case->[1], "@{ $case->[0] }");
    like($r->{err}, $case->[2], 'says why');
}

# A history by chance, with what there was after each event.
my @keys = qw(a b c);
my @shelves = qw(x y);
my @was;
for (1 .. Kappa::Test::rounds(40, 400)) {
    my $key = $keys[rand @keys];
    my $position = rand() < 0.2 ? mutate(qq(drop(sku: "$key") { n }))
        : mutate(sprintf 'set(sku: "%s", shelf: %s, n: %d) { n }', $key,
            rand() < 0.2 ? 'null' : qq("$shelves[rand @shelves]"), rand 100);
    my $now = $t->graphql('{' . join(' ', map { qq(i$_: item(sku: "$_") { sku shelf n } t$_: stock(sku: "$_") { sku sets }) } @keys)
        . join(' ', map { qq(h$_: shelf(name: "$_") { name items pieces }) } @shelves) . '}')->{json}{data};
    push @was, [$position, $now];
}
sub check {
    my ($name) = @_;
    for (1 .. 15) {
        my ($position, $then) = @{ $was[rand @was] };
        for my $case (['Item', 'i', $keys[rand @keys]], ['Stock', 't', $keys[rand @keys]], ['Shelf', 'h', $shelves[rand @shelves]]) {
            my ($view, $letter, $key) = @$case;
            my $r = show($view, $key, '--at', $position);
            my $row = $r->{status} == 0 ? $JSON->decode($r->{out}) : undef;
            delete $row->{hidden} if $row;
            is_deeply($row, $then->{"$letter$key"}, "$name: $view $key at $position") or diag $r->{err};
        }
    }
}
check('beside nginx');
# Without change records nothing is known but the log.
is($t->kappa(['rebuild', '--store', $store])->{status}, 0, 'rebuild');
check('after a rebuild');
ok(!glob("$store/views/scratch-*"), 'nothing is left behind');
$t->stop('QUIT');
check('without nginx');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'whole');
$t->no_alerts;
done_testing;
