# The same generated queries over the same data through kappa and graphql-js:
# the same data, and errors at the same places. KAPPA_SEED= repeats a run.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $DIR = "$Kappa::Test::ROOT/t/differential";
my $BATCH = "$Kappa::Test::ROOT/build/execute_batch";

die "no graphql-js: run make test\n" if !-d "$DIR/node_modules/graphql";
die "no build/execute_batch: run make test\n" if !-x $BATCH;

my $seed = $ENV{KAPPA_SEED} // int rand 2**32;
my $r = Kappa::Test::run(['node', 'execute.mjs', $BATCH, $seed, 4000],
    dir => $DIR, timeout => 120);
note $r->{out};
is($r->{status}, 0, "4000 queries, seed $seed") or diag $r->{out}, $r->{err};

done_testing;
