# Rules hold for change streams too: a hidden row is passed by, a field that
# is not allowed says so instead of the row.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SDL = <<'SDL';
type Note @view @allow(if: "row.open || auth.sub != null && auth.sub == row.owner") {
  id: ID!
  open: Boolean!
  owner: ID
}
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, open: Boolean!, owner: ID): Note
    @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription {
  written: Note @changes(thing: "Note", verb: "written")
  secret: Note @changes(thing: "Note", verb: "written") @allow(if: "auth.sub != null")
}
SDL
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    graphql => 'kappa_heartbeat 200ms;');
$t->start;

my $stream = $t->sse('subscription { written { id } }');
my $secret = $t->sse('subscription { secret { id } }');
is($stream->status, 200, 'subscribed');
for (['a', 'false'], ['b', 'true']) {
    my ($id, $open) = @$_;
    my $r = $t->graphql("mutation { write(id: \"$id\", open: $open) { id } }");
    is($r->{status}, 200, "write $id") or diag $r->{body};
}
is($stream->next->{json}{data}{written}{id}, 'b', 'the hidden one is passed by');
my $answer = $secret->next->{json};
is($answer->{data}{secret}, undef, 'no row without leave');
is($answer->{errors}[0]{extensions}{code}, 'FORBIDDEN', 'but why');
done_testing;
