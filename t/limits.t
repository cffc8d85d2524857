# What a document may ask for: each limit's directive, and its default.

use strict;
use warnings;
use Test::More;
use Kappa::Test;
use Kappa::WebSocket;

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
    is($error->{extensions}{code}, 'LIMIT_EXCEEDED', substr $query, 0, 1000);
    like($error->{message}, $message, '... says why');
}

sub fine {
    my ($t, $query) = @_;
    my $r = $t->graphql($query);
    ok(!$r->{json}{errors}, $query) or diag explain $r->{json};
}

my $t = server('kappa_limit_depth 3; kappa_limit_tokens 40;
    kappa_limit_aliases 2; kappa_limit_cost 20; kappa_limit_root_fields 2;
    kappa_limit_directives 1;');
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

refused($t, '{ __typename ... { __typename } kind(name: "a") { name } }',
    qr/more root fields than the limit of 2/);
refused($t, '{ __typename @skip(if: false) @include(if: true) }',
    qr/2 directives, past the limit of 1/);
# So they are over WebSocket and SSE.
my $ws = Kappa::WebSocket->new($t, '/graphql');
$ws->init;
$ws->send({ id => '1', type => 'subscribe', payload => { query => '{ a: __typename'
    . ' ...F } fragment F on Query { b: __typename __typename }' } });
is($ws->next->{payload}[0]{extensions}{code}, 'LIMIT_EXCEEDED', 'WebSocket: root fields');
$ws->send({ id => '2', type => 'subscribe', payload => {
    query => '{ __typename @include(if: true) @skip(if: false) }' } });
is($ws->next->{payload}[0]{extensions}{code}, 'LIMIT_EXCEEDED', 'WebSocket: directives');
is($t->sse('{ __typename @include(if: true) @skip(if: false) }')->next
    ->{json}{errors}[0]{extensions}{code}, 'LIMIT_EXCEEDED', 'SSE: directives');

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
refused($t, '{' . ' __typename' x 51 . '}', qr/more root fields than the limit of 50/);
refused($t, '{ __typename' . ' @include(if: true)' x 101 . ' }',
    qr/101 directives, past the limit of 100/);
fine($t, '{' . ' __typename @include(if: true)' x 50 . '}');
refused($t, '{ __typename }' . ' ' x 262_144, qr/262158 bytes, past the limit of 262144/);
# Fragments that double: billions of root fields, and still nothing to it.
refused($t, '{ ...F0 }' . join('', map { my $n = $_ + 1;
    " fragment F$_ on Query { ...F$n ...F$n }" } 0 .. 40)
    . ' fragment F41 on Query { __typename }', qr/more root fields than/);
$t->no_alerts;

done_testing;
