# Relay's runtime, with artifacts of its compiler, unmodified: a connection page
# after page, refetched by Node (an interface that is a view), a mutation that
# appends to it, a live field and a change stream.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $DIR = "$Kappa::Test::ROOT/t/relay";
die "no relay-runtime: run make test\n" if !-d "$DIR/node_modules/relay-runtime";

my $t = Kappa::Test->new(workers => 1,
    schema => Kappa::Test::file('t/relay/schema.graphql'));
$t->start;
my $r = $t->graphql('mutation { open(id: "tea", name: "Tea") { id } '
    . join(' ', map { "m$_: post(id: \"p$_\", room: \"tea\", text: \"t$_\") { id }" } 1 .. 7) . ' }');
ok(!$r->{json}{errors}, 'a room with posts') or diag $r->{body};

$r = Kappa::Test::run(['node', 'run.js', 'http://127.0.0.1:' . $t->port . '/graphql'],
    dir => $DIR, timeout => 120);
is($r->{status}, 0, 'Relay ran') or diag $r->{err};
my $seen = eval { $Kappa::Test::JSON->decode($r->{out}) } || {};
is($seen->{room}, 7, 'a query');
is_deeply($seen->{first}, ['t1', 't2'], 'the first page');
is($seen->{page2}, 4, 'the second is appended');
is_deeply($seen->{all}, [map { "t$_" } 1 .. 7], 'page after page');
ok(!$seen->{missing}, 'the store misses nothing');
is($seen->{mutation}, 8, 'a mutation');
is_deeply($seen->{appended}, ['from a mutation'], 'appends to the connection');
is($seen->{counted}, 8, 'what it says of another record is known');
like($seen->{refused}, qr/p8|already/, 'a refusal is an error') or diag $seen->{refused};
is_deeply($seen->{live}, [8, 9], 'a live field');
is($seen->{followed}, 9, 'updates the store');
ok($seen->{told}, 'a change stream appends to the connection');
is_deeply($seen->{node}, { __typename => 'Post', id => 'p1', text => 't1' }, 'node(id:)');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
