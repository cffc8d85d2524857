# What a document may ask for: each limit's directive, and its default.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SCHEMA = <<'SDL';
type Thing @view @index(fields: ["kind"]) {
  id: ID!
  kind: String @cost(weight: "2")
  of: Kind @belongsTo(by: "kind")
}
type Kind @view(key: "name") @groupBy(of: "Thing", by: "kind") {
  name: String!
  things(first: Int): [Thing!]! @hasMany(by: "kind")
}
type Query {
  thing(id: ID!): Thing
  kind(name: String!): Kind
}
SDL

sub server {
    my $t = Kappa::Test->new(schema => $SCHEMA, graphql => $_[0]);
    $t->start;
    return $t;
}

sub refused {
    my ($t, $query, $message) = @_;
    my $r = $t->graphql($query);
    my $error = $r->{json}{errors}[0];
    is($error->{extensions}{code}, 'LIMIT_EXCEEDED', $query);
    like($error->{message}, $message, '... says why');
}

sub fine {
    my ($t, $query) = @_;
    my $r = $t->graphql($query);
    ok(!$r->{json}{errors}, $query) or diag explain $r->{json};
}

my $t = server('kappa_limit_depth 3; kappa_limit_tokens 40;
    kappa_limit_aliases 2; kappa_limit_cost 20;');
fine($t, '{ thing(id: "a") { of { name } } }');
refused($t, '{ thing(id: "a") { of { things(first: 1) { id } } } }',
    qr/deeper than the limit of 3/);
fine($t, '{ a: thing(id: "a") { b: id } }');
refused($t, '{ a: thing(id: "a") { b: id c: kind } }',
    qr/3 aliases, past the limit of 2/);
refused($t, '{ thing(id: "a") { ' . 'id ' x 40 . '} }', qr/token/);
fine($t, '{ kind(name: "a") { things(first: 9) { kind } } }');
refused($t, '{ kind(name: "a") { things(first: 10) { kind } } }',
    qr/may cost 22 for its fields and 12 for its values/);
refused($t, '{ kind(name: "a") { things { id } } }',
    qr/102 for its values, past the limit of 20/);

# What it may cost is told to who asks, also when it is too much.
my $r = $t->graphql('query Q($n: Int) { kind(name: "a") { things(first: $n)'
    . ' { kind } } }', { n => 4 }, 'Kappa-Cost' => 'tell');
is($r->{headers}{'kappa-cost'}, 'field=10, type=6', 'Kappa-Cost');
$r = $t->graphql('{ kind(name: "a") { things { id } } }', undef,
    'Kappa-Cost' => 'tell');
is($r->{headers}{'kappa-cost'}, 'field=2, type=102', '... of what is refused');
$r = $t->graphql('{ kind(name: "a") { name } }');
is($r->{headers}{'kappa-cost'}, undef, '... not to others');
$t->no_alerts;
undef $t;

# The defaults
$t = server('');
fine($t, '{ kind(name: "a") { things { of { things { id } } } } }');
refused($t, '{ kind(name: "a") { things { of { things { of { things'
    . ' { id } } } } } } }', qr/may cost 20202 for its fields and 1020202 for/);
refused($t, '{ kind(name: "a") ' . '{ things(first: 1) { of ' x 16
    . '{ name }' . ' }}' x 16 . ' }', qr/deeper than the limit of 32/);
refused($t, '{' . join(' ', map { "a$_: __typename" } 1 .. 201) . '}',
    qr/201 aliases, past the limit of 200/);
$t->no_alerts;

done_testing;
