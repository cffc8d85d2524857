#!/usr/bin/perl

# Thousands of documents and schemas through kappa and through graphql-js:
# verdicts and places of errors agree, and so do introspection and what changed
# from one schema to another. KAPPA_SEED repeats a run, KAPPA_CASES
# sets its size.

use strict;
use warnings;

use FindBin qw($Bin);

my $root = "$Bin/..";
my $cases = $ENV{KAPPA_CASES} || 4000;
my @seed = defined $ENV{KAPPA_SEED} ? ($ENV{KAPPA_SEED}) : ();

if (!-d "$Bin/differential/node_modules/\@octokit") {
    system("cd $Bin/differential && npm ci --no-audit --no-fund --silent 1>&2") == 0
        or die "npm could not install graphql\n";
}
system("make --no-print-directory -s -C $root build/batch 1>&2") == 0
    or die "build/batch can't be built\n";

$| = 1;
print "1..6\n";
my $arguments = join ' ', @seed ? @seed : ("''"), $cases;
exit(system("cd $Bin/differential && node compare.mjs $root/build/batch $arguments") >> 8);
