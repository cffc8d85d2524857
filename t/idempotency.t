# The same key again is the same event: with many at once, for other callers,
# through other doors, after kills, restarts, rebuilds and a restored backup.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
my $TRUE = $JSON->decode('true');
my $t = Kappa::Test->new(schema => <<'END', workers => 4,
type Item @view(key: "sku") { sku: ID! n: Int! @default(as: "0") }
type Query { item(sku: ID!): Item }
type Mutation {
  add(sku: ID!, by: Int!): Item! @event(thing: "Item", verb: "added", effect: UPSERT, set: ["n = (row.n == null ? 0 : row.n) + event.data.by"])
  take(sku: ID!, by: Int!, once: String! @idempotencyKey): Item! @event(thing: "Item", verb: "taken", effect: PATCH, set: ["n = row.n - event.data.by"])
}
END
    graphql => '            kappa_auth optional;',
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=r write=w; kappa_auth required; }');
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/key', $SECRET);
sub bearer {
    my (%claims) = @_;
    my $text = encode_base64url('{"alg":"HS256"}') . '.' . encode_base64url($JSON->encode({ iss => 'https://a', %claims }));
    return (Authorization => "Bearer $text." . encode_base64url(hmac_sha256($text, $SECRET)));
}
my %writer = bearer(sub => 'w', scope => 'r w');
$t->start;
my $store = $t->store;

sub add { my ($by, $key, %headers) = @_; return $t->graphql(qq(mutation { add(sku: "a", by: $by) { n } }), undef, 'Idempotency-Key' => $key, %headers)->{json} }
sub n { return $t->graphql('{ item(sku: "a") { n } }')->{json}{data}{item}{n} }
sub count { return scalar(() = $t->kappa(['log', '--store', $store])->{out} =~ /\n/g) }
sub is_duplicate { my ($json, $name) = @_; is($json->{extensions}{kappa}{duplicate}, $TRUE, $name) or diag explain $json }

# --- many at once, on all workers

my @children;
for my $client (1 .. 12) {
    my $pid = fork // die;
    if (!$pid) {
        my $bad = 0;
        for my $key (1 .. 5) {
            my $json = add(1, "shared$key");
            $bad++ if $json->{errors} || !$json->{data}{add};
        }
        POSIX::_exit($bad);
    }
    push @children, $pid;
}
my $bad = 0;
for (@children) { waitpid $_, 0; $bad++ if $? }
is($bad, 0, 'every client has an answer');
is(n(), 5, 'each key counts once');
is(count(), 5, 'and is one event');

# --- whose key it is

is_duplicate(add(1, 'shared1'), 'the same again');
is(add(2, 'shared1')->{errors}[0]{extensions}{code}, 'IDEMPOTENCY_CONFLICT', 'with other arguments');
ok(!add(1, 'shared1', bearer(sub => 'ann'))->{extensions}{kappa}{duplicate}, 'another caller has keys of his own');
is_duplicate(add(1, 'shared1', bearer(sub => 'ann')), 'and they hold');
my $two = $t->graphql('mutation { x: add(sku: "a", by: 1) { n } y: add(sku: "a", by: 1) { n } }', undef, 'Idempotency-Key' => 'pair')->{json};
ok(!$two->{extensions}{kappa}{duplicate}, 'two fields under one key');
is(n(), 8, 'are two events');
is_duplicate($t->graphql('mutation { x: add(sku: "a", by: 1) { n } y: add(sku: "a", by: 1) { n } }', undef, 'Idempotency-Key' => 'pair')->{json}, 'and both are known');
my $take = 'mutation { take(sku: "a", by: 3, once: "t1") { n } }';
ok(!$t->graphql($take)->{json}{errors}, 'an argument as the key');
is_duplicate($t->graphql($take, undef, 'Idempotency-Key' => 'other')->{json}, 'comes before the header');
is(n(), 5, 'once');
my $refused = 'mutation { take(sku: "nosuch", by: 1, once: "t2") { n } }';
is($t->graphql($refused)->{json}{errors}[0]{extensions}{code}, 'NOT_FOUND', 'a refusal');
is($t->graphql('mutation { take(sku: "a", by: 1, once: "t2") { n } }')->{json}{errors}, undef, 'is not remembered');
my $empty = $t->graphql('mutation { take(sku: "a", by: 1, once: "") { n } }', undef, 'Idempotency-Key' => 'not-this')->{json};
is($empty->{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', 'an empty one is refused, not taken for none');
like($empty->{errors}[0]{message}, qr/^once of take is empty: /, 'by name');
$empty = add(1, '');
is($empty->{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', 'so is an empty header');
like($empty->{errors}[0]{message}, qr/^the header Idempotency-Key is empty: /, 'by name');

# --- an event's id, through every door

my $line = $JSON->encode({ id => '0190a000-0000-7000-8000-000000000001', thing => 'Item', verb => 'added', key => 'a', data => { sku => 'a', by => 10 } }) . "\n";
is($t->http('POST', '/events', {%writer}, $line)->{json}{appended}, 1, 'an upload');
my $before = count();
is($t->http('POST', '/events', { bearer(sub => 'other', scope => 'w') }, $line)->{json}{duplicates}, 1, 'again, by another service');
is($t->kappa(['import', '-', '--store', $store], stdin => $line)->{status}, 0, 'again, by the command');
my $spaced = $line =~ s/":/" : /gr;
is($t->http('POST', '/events', {%writer}, $spaced)->{json}{duplicates}, 1, 'written in another way');
is($t->http('POST', '/events', {%writer}, $line =~ s/10/11/r)->{json}{errors}[0]{extensions}{code}, 'IDEMPOTENCY_CONFLICT', 'with other data');
is(count(), $before, 'nothing was appended');

# --- whatever happens to processes and views

sub check {
    my ($name) = @_;
    is_duplicate(add(1, "shared$_"), "$name: shared$_") for 1 .. 5;
    is_duplicate($t->graphql($take)->{json}, "$name: an argument's key");
    is($t->http('POST', '/events', {%writer}, $line)->{json}{duplicates}, 1, "$name: an id");
    is(add(2, 'shared1')->{errors}[0]{extensions}{code}, 'IDEMPOTENCY_CONFLICT', "$name: other arguments");
    is(count(), $before, "$name: nothing was appended");
}
my %old = map { $_ => 1 } $t->workers;
kill 'KILL', keys %old;
ok(Kappa::Test::wait_until(sub { my @now = $t->workers; @now == 4 && !grep { $old{$_} } @now }, 30), 'all workers are killed');
check('after a kill');
ok($t->kill_all, 'all of nginx is gone');
$t->start;
check('after the master\'s end');
is($t->kappa(['rebuild', '--store', $store])->{status}, 0, 'rebuild');
check('after a rebuild');
is($t->kappa(['backup', '--store', $store, $t->dir . '/data/backup'])->{status}, 0, 'backup');
ok($t->stop('QUIT'), 'an orderly end');
rename $store, "$store-old" or die;
is($t->kappa(['restore', $t->dir . '/data/backup', '--store', $store])->{status}, 0, 'restore');
$t->start;
check('after restoring');
ok($t->stop('QUIT'), 'an orderly end');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'whole');
$t->no_alerts(qr/exited on signal 9/);
done_testing;
