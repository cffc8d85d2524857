# Rules hold for change streams too: a hidden row is passed by, a field that
# is not allowed says so instead of the row.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
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
  mine(owner: ID! @stamp(as: "auth.sub"), open: Boolean): Note
    @changes(thing: "Note", verb: "written")
  secret: Note @changes(thing: "Note", verb: "written") @allow(if: "auth.sub != null")
}
SDL
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    http => 'kappa_issuer https://a { key %DIR%/a.key alg=HS256; audience api; }',
    graphql => 'kappa_heartbeat 200ms; kappa_auth optional;');
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/a.key', "$SECRET\n");

sub bearer {
    my ($sub) = @_;
    my $token = join '.', map { encode_base64url($Kappa::Test::JSON->encode($_)) }
        { alg => 'HS256', typ => 'JWT' },
        { iss => 'https://a', aud => 'api', sub => $sub, exp => time + 600 };
    return (Authorization => "Bearer $token." . encode_base64url(hmac_sha256($token, $SECRET)));
}
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

# A stamped argument filters by who asks, each for themselves.
my %mine = map { $_ => $t->sse('subscription { mine { id owner } }', undef, bearer($_)) }
    qw(ann bob);
my $open = $t->sse('subscription { mine(open: true) { id } }', undef, bearer('ann'));
is($mine{ann}->status, 200, 'subscribed to her own');
for (['c', 'ann', 'false'], ['d', 'bob', 'true'], ['e', 'ann', 'true']) {
    my ($id, $owner, $is) = @$_;
    my $r = $t->graphql("mutation { write(id: \"$id\", open: $is, owner: \"$owner\") { id } }");
    is($r->{status}, 200, "write $id") or diag $r->{body};
}
is_deeply($mine{ann}->next->{json}{data}{mine}, { id => 'c', owner => 'ann' }, 'her first');
is_deeply($mine{ann}->next->{json}{data}{mine}, { id => 'e', owner => 'ann' }, 'her second');
is_deeply($mine{bob}->next->{json}{data}{mine}, { id => 'd', owner => 'bob' }, 'his');
is_deeply($open->next->{json}{data}{mine}, { id => 'e' }, 'beside an argument of the caller');
my $nobody = $t->sse('subscription { mine { id } }');
is($nobody->status, 200, 'nobody is answered in a stream');
is($nobody->next->{json}{errors}[0]{extensions}{code}, 'UNAUTHENTICATED', 'that they must sign in');
is($nobody->next->{event}, 'complete', 'and that is all');
my $given = $t->sse('subscription { mine(owner: "bob") { id } }', undef, bearer('ann'));
is($given->next->{json}{errors}[0]{extensions}{code}, 'VALIDATION_FAILED',
    'nobody can give the argument');

# A field got another name: older events are filtered by what they have under
# the one before.
(my $renamed = $SDL) =~ s/  owner: ID\n/  author: ID \@was(name: "owner")\n/;
$renamed =~ s/row\.owner/row.author/;
$renamed =~ s/owner: ID/author: ID/g;
$renamed =~ s/written: Note/by(author: ID!): Note \@changes(thing: "Note")\n  written: Note/;
my $position = $t->graphql('{ __typename }')->{headers}{'kappa-position'};
$position =~ s/\d+$/0/;
$t->schema($renamed);
$t->reload;
ok(Kappa::Test::wait_until(sub {
    !$t->graphql('{ note(id: "a") { author } }')->{json}{errors};
}, 30), 'another name');
my $old = $t->sse('subscription { by(author: "bob") { id author } }', undef,
    bearer('bob'), 'Last-Event-ID' => $position);
is_deeply($old->next->{json}{data}{by}, { id => 'd', author => 'bob' },
    'an older event has it') or diag $t->log;
$t->no_alerts;
done_testing;
