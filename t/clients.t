# Clients that others wrote, unmodified: graphql-js builds its schema from
# introspection; Apollo Client, urql, graphql-ws and graphql-sse query, mutate,
# subscribe and report errors; a crowd of them, and Chromium's own EventSource,
# live through reloads and dying workers and miss nothing.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $NODE = "$Kappa::Test::ROOT/t/node";
my $t = Kappa::Test->new(workers => 4,
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
    return Kappa::Test::run(['node', @_], dir => $NODE, timeout => 60);
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

# --- clients as they come

# What all of them must see.
my @same = (
    query => { package => { name => 'bash', size => 9 } },
    mutation => { report => { kind => 'INSTALLED', package => 'bash' } },
    invalid => [{ code => 'VALIDATION_FAILED',
        message => 'Cannot query field "nothing" on type "Query".' }],
    check => [{ code => 'NO_SUCH_PACKAGE', path => ['report'],
        message => 'There is no package of that name.' }],
    refused => [{ code => 'VALIDATION_FAILED',
        message => 'Cannot query field "nothing" on type "Subscription".' }],
);
for my $client ('apollo', 'urql', 'graphql-ws', 'graphql-sse') {
    $r = node('client.mjs', $client, $url);
    is($r->{status}, 0, "$client runs") or diag $r->{err};
    my $seen = eval { $Kappa::Test::JSON->decode($r->{out}) } || {};
    for (my $i = 0; $i < @same; $i += 2) {
        is_deeply($seen->{ $same[$i] }, $same[$i + 1], "$client: $same[$i]")
            or diag explain $seen->{ $same[$i] };
    }
    my @values = @{ $seen->{values} || [] };
    is("@values", join(' ', map { ($values[0] // 0) + $_ } 0 .. 2),
        "$client: a subscription, and its two changes");
}

# --- reload and kill

$r = node('crowd.mjs', $url, $t->master, 60);
is($r->{status}, 0, 'a crowd of subscribers') or diag $r->{err};
my $crowd = eval { $Kappa::Test::JSON->decode($r->{out}) } || {};
is($crowd->{members}, 240, '240 of them');
is($crowd->{joined}, 240, 'all hear of something');
is_deeply($crowd->{wrong}, [],
    'nobody misses an event or a value, or has one twice') or diag $r->{out};
is_deeply($crowd->{errors}, [], 'nobody is told of an error')
    or diag $r->{out};
cmp_ok($crowd->{reconnects} // 0, '>=', 120, 'all had to come back');
is($crowd->{installs}, 12 + ($crowd->{made} // 0),
    'and every mutation was made once');

# --- what the browser has of its own

$r = node('native.mjs', 'http://127.0.0.1:' . $t->port, $t->master);
is($r->{status}, 0, 'Chromium') or diag $r->{err};
my $native = eval { $Kappa::Test::JSON->decode($r->{out}) } || {};
is_deeply($native->{webSocket}, { code => 4400,
    heard => ['connection_ack', { package => { size => 9 } }, 'complete'],
    reason => $native->{webSocket}{reason} }, 'WebSocket');
my $source = $native->{eventSource};
is($source->{opens}, 3, 'EventSource comes back after reload and kill');
is_deeply($source->{got}, $source->{made}, 'and misses nothing');
is(scalar @{ $source->{got} || [] }, 11, 'of what was reported');

$t->stop;
$t->no_alerts(qr/exited on signal 9/);
done_testing;
