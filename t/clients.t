# Clients that others wrote: graphql-js builds its schema from introspection,
# graphql-sse subscribes.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

plan skip_all => 'no module' if !-e $Kappa::Test::MODULE;

my $NODE = "$Kappa::Test::ROOT/t/node";
my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::file('examples/catalogue/schema.graphql'));
my $made = $t->kappa(['import', '-', '--store', $t->store,
    '--schema', $t->dir . '/schema.graphql'],
    stdin => '{"thing":"Package","verb":"released","key":"bash",'
        . '"effect":"PUT","data":{"name":"bash","version":"5","size":9,'
        . '"section":"shells","maintainer":"M"}}' . "\n");
is($made->{status}, 0, 'import') or diag $made->{err};
$t->start;
my $url = 'http://127.0.0.1:' . $t->port . '/graphql';

sub node {
    return Kappa::Test::run(['node', @_], dir => $NODE, timeout => 30);
}

my $r = node('introspection.js', $url);
is($r->{status}, 0, 'buildClientSchema') or diag $r->{err};
my $sdl = $r->{out};
for my $line ('type Package {', 'sectionInfo: Section',
    'reports(first: Int = 10): [Report!]!', 'bytes: BigInt!',
    'enum ReportKind {', 'section(name: ID!): Section',
    'report(kind: ReportKind!, package: ID!): Report!')
{
    like($sdl, qr/^ *\Q$line\E$/m, "the schema has `$line`");
}
like($sdl, qr/"""A binary package of the archive\."""/, 'descriptions');

my $query = 'subscription { package(name: "bash") { name installs } }';
my $pid = fork // die;
if (!$pid) {
    # Reports until the subscriber has gone.
    for (1 .. 100) {
        select undef, undef, undef, 0.1;
        my $answer = $t->graphql(
            'mutation { report(package: "bash", kind: INSTALLED) { id } }');
        last if !$answer->{status};
    }
    POSIX::_exit(0);
}
$r = node('sse.js', $url, $query, 3);
kill 'KILL', $pid;
waitpid $pid, 0;
is($r->{status}, 0, 'graphql-sse subscribes') or diag $r->{err};
my @got = map { $Kappa::Test::JSON->decode($_)->{data}{package}{installs} }
    split /\n/, $r->{out};
is(scalar @got, 3, 'three results');
ok($got[0] < $got[1] && $got[1] < $got[2], "that count up (@got)");

$r = node('sse.js', $url, 'subscription { nothing }', 1);
is($r->{status}, 1, 'a wrong subscription is an error');

$t->stop;
$t->no_alerts;
done_testing;
