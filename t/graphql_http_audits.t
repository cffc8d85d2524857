# The reference suite of GraphQL over HTTP, graphql-http's audits: all that a
# server must, should and may.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

# What we answer otherwise on purpose: audit's id => why.
my %OTHERWISE = ();

my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::file('examples/catalogue/schema.graphql'));
$t->start;
my $r = Kappa::Test::run(
    ['node', 'audits.js', 'http://127.0.0.1:' . $t->port . '/graphql'],
    dir => "$Kappa::Test::ROOT/t/node", timeout => 60);
is($r->{status}, 0, 'the suite ran') or diag $r->{err};

my %seen;
for my $line (split /\n/, $r->{out}) {
    my ($id, $status, $name, $reason) = split /\t/, $line, 4;
    next if !defined $name;
    $seen{$name =~ /^(MUST|SHOULD|MAY)\b/ ? $1 : 'other'}++;
    if (exists $OTHERWISE{$id}) {
        isnt($status, 'ok', "$id $name: on purpose, $OTHERWISE{$id}");
        delete $OTHERWISE{$id};
        next;
    }
    is($status, 'ok', "$id $name") or diag $reason;
}
is_deeply([sort keys %seen], [qw(MAY MUST SHOULD)], 'of every weight');
cmp_ok($seen{MUST} + $seen{SHOULD} + $seen{MAY}, '>=', 60, 'and all of them');
is_deeply(\%OTHERWISE, {}, 'no audit is excused that there is not');

ok($t->stop, 'stop');
$t->no_alerts;
done_testing;
