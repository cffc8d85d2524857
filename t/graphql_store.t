# Generated queries over rows in a store, through nginx and kappa and through
# graphql-js with resolvers that filter and sort all rows: the same JSON.
# KAPPA_SEED= repeats a run.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $DIR = "$Kappa::Test::ROOT/t/differential";
die "no graphql-js: run make test\n" if !-d "$DIR/node_modules/graphql";

my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::file('examples/catalogue/schema.graphql')
        . Kappa::Test::file('t/fixtures/store/notes.graphql'),
    graphql => 'kappa_limit_cost 200000; kappa_limit_aliases 100000;'
        . ' kappa_limit_root_fields 100000; kappa_limit_directives 100000;');
my $seed = $ENV{KAPPA_SEED} // int rand 2**32;
my $r = Kappa::Test::run(['node', 'store.mjs', 'events', $seed], dir => $DIR, timeout => 60);
is($r->{status}, 0, "rows, seed $seed") or diag $r->{err};
my $import = $t->kappa(['import', '-', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql'], stdin => $r->{out});
is($import->{status}, 0, 'import') or diag $import->{err};
$t->start;

my $print = $t->kappa(['print-schema', $t->dir . '/schema.graphql']);
Kappa::Test::write_file($t->dir . '/public.graphql', $print->{out});
$r = Kappa::Test::run(['node', 'store.mjs', 'compare', $t->dir . '/public.graphql',
    'http://127.0.0.1:' . $t->port . '/graphql', $seed, 1500],
    dir => $DIR, timeout => 300);
note $r->{out};
is($r->{status}, 0, "1500 queries, seed $seed") or diag $r->{out}, $r->{err};

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
