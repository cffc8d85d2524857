# idempotency_window: keys are forgotten when it is over, and not before.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SCHEMA = <<'SDL';
type Note @view { id: ID! n: Int! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, n: Int!): Note! @event(thing: "Note", verb: "written", effect: UPSERT)
}
SDL
my $t = Kappa::Test->new(workers => 2, schema => $SCHEMA, kappa => 'idempotency_window 1s;',
    http => 'kappa long { schema %SCHEMA%; store %DIR%/data/long; idempotency_window 30d; }',
    server => 'location /long { kappa_graphql long; }');
$t->start;

sub write_note {
    my ($path, $key, $n) = @_;
    my $r = $t->post($path, $Kappa::Test::JSON->encode({ query =>
        'mutation($n: Int!) { write(id: "a", n: $n) { n } }', variables => { n => $n } }),
        'Idempotency-Key' => $key);
    return $r->{json}{errors} ? $r->{json}{errors}[0]{extensions}{code}
        : $r->{json}{extensions}{kappa}{duplicate} ? 'duplicate' : 'new';
}

is(write_note('/long', 'k', 1), 'new', 'a key');
is(write_note('/graphql', 'k', 1), 'new', 'a key, where they are forgotten soon');
for (1 .. 5) {
    is(write_note('/long', 'k', 1), 'duplicate', 'again, within the window');
}
is(write_note('/long', 'k', 2), 'IDEMPOTENCY_CONFLICT', 'with other arguments');

# With other arguments, so that trying says when it is over.
my $said;
ok(Kappa::Test::wait_until(sub {
    $said = write_note('/graphql', 'k', 2);
    $said ne 'IDEMPOTENCY_CONFLICT';
}), 'it is over');
is($said, 'new', 'the key is a new one');
is(write_note('/long', 'k', 1), 'duplicate', 'elsewhere it is not');

ok($t->reload, 'reload');
is(write_note('/long', 'k', 1), 'duplicate', 'nor after a reload');
ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
for my $store ($t->store, $t->dir . '/data/long') {
    my $r = $t->kappa(['verify', '--store', $store]);
    is($r->{status}, 0, 'the views are what the log makes them') or diag $r->{out} . $r->{err};
}
done_testing;
