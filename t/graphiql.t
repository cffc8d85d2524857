# GraphiQL: who gets the page, and that it works in a browser that can reach
# nothing but this machine.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
my $files = "$Kappa::Test::ROOT/build/graphiql";
my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::file('examples/catalogue/schema.graphql'),
    http => "kappa_graphiql on $files;",
    server => <<'END');
        location = /exact { kappa_graphql app; kappa_auth required; }
        location /off { kappa_graphql app; kappa_graphiql off; }
END
my $made = $t->kappa(['import', '-', '--store', $t->store,
    '--schema', $t->dir . '/schema.graphql'],
    stdin => '{"thing":"Package","verb":"released","key":"bash",'
        . '"effect":"PUT","data":{"name":"bash","version":"5","size":9,'
        . '"section":"shells","maintainer":"M"}}' . "\n");
is($made->{status}, 0, 'import') or diag $made->{err};
$t->start;

# --- who gets it

my $r = $t->get('/graphql', Accept => $BROWSER);
is($r->{status}, 200, 'a browser gets the page');
is($r->{headers}{'content-type'}, 'text/html; charset=utf-8', 'as HTML');
is($r->{headers}{vary}, 'Accept', 'which depends on Accept');
like($r->{headers}{'content-security-policy'}, qr/default-src 'none'/,
    'that may ask nobody else');
my $etag = $r->{headers}{etag};
my @assets = $r->{body} =~ /(?:src|href)="(\?[^"]+)"/g;
is(scalar @assets, 2, 'with two files');
unlike($r->{body}, qr{https?://}, 'and no address of another server');

for my $path ('/graphql', '/exact') {
    for my $asset (@assets) {
        $r = $t->get("$path$asset");
        is($r->{status}, 200, "$path$asset");
        like($r->{headers}{'content-type'},
            $asset =~ /css/ ? qr{^text/css} : qr{^application/javascript},
            'has its type');
        like($r->{headers}{'cache-control'}, qr/immutable/, 'is kept');
        my ($name) = $asset =~ /^\?([^=]+)/;
        ok($r->{body} eq Kappa::Test::read_file("$files/$name"),
            'and whole');
    }
}
$r = $t->get('/graphql', Accept => $BROWSER, 'If-None-Match' => $etag);
is($r->{status}, 304, 'the page is not sent again');
$r = $t->http('HEAD', '/graphql', { Accept => $BROWSER });
is($r->{status}, 200, 'HEAD');
is($r->{body}, '', 'has no body');

for my $case (
    ['curl', '/graphql', '*/*', 400],
    ['a GraphQL client', '/graphql', 'application/json, text/html', 400],
    ['a browser with a query', '/graphql?query=%7B__typename%7D', $BROWSER,
        200],
    ['another file', '/graphql?index.html', $BROWSER, 400],
    ['a path', '/graphql?graphiql.js/../index.html', $BROWSER, 400],
    ['where it is off', '/off', $BROWSER, 400],
    ['a query without a token', '/exact?query=%7B__typename%7D', $BROWSER,
        401],
) {
    my ($who, $path, $accept, $status) = @$case;
    $r = $t->get($path, Accept => $accept);
    is($r->{status}, $status, "$who gets GraphQL");
    like($r->{headers}{'content-type'}, qr/json/, 'in JSON');
}
$r = $t->get('/exact', Accept => $BROWSER);
is($r->{status}, 200, 'the page itself asks for no token');

$r = $t->get('/exact?graphiql.js=1&query=%7B__typename%7D');
like($r->{headers}{'content-type'}, qr{^application/javascript},
    'and a query beside its files is not run');

# --- in a browser

my $node = Kappa::Test::run(
    ['node', 'graphiql.mjs', 'http://127.0.0.1:' . $t->port . '/graphql'],
    dir => "$Kappa::Test::ROOT/t/node", timeout => 60);
is($node->{status}, 0, 'the page works in Chromium') or diag $node->{err};
my $seen = eval { $Kappa::Test::JSON->decode($node->{out}) } || {};
is($seen->{title}, 'GraphiQL', 'its title');
is_deeply($seen->{query}, { size => 9 }, 'a query is typed, run and seen');
is_deeply($seen->{before}, { installs => 0 }, 'a subscription begins');
is_deeply($seen->{after}, { installs => 1 }, 'and changes by a mutation');
is_deeply($seen->{complaints}, [], 'the browser has nothing to complain of');
my $here = 'http://127.0.0.1:' . $t->port . '/';
my @requests = @{ $seen->{requests} || [] };
cmp_ok(scalar @requests, '>', 3, 'the page and its requests');
is(join(' ', grep { !/^(?:\Q$here\E|data:)/ } @requests), '',
    'nothing is asked of another machine');

$t->stop;
$t->no_alerts;

# --- nginx -t

$t->write_config(http => "kappa_graphiql on $files/nowhere;");
my ($status, $said) = $t->config_test;
isnt($status, 0, 'no files are an error');
like($said, qr{no "\Q$files\E/nowhere/index\.html"; run "make graphiql"},
    'that says what to run');
for my $wrong ('yes', 'off /tmp') {
    $t->write_config(http => "kappa_graphiql $wrong;");
    ($status, $said) = $t->config_test;
    like($said, qr/takes "on", "on DIRECTORY" or "off" in/, "\"$wrong\"");
}
$t->write_config(http => 'kappa_graphiql on;');
($status, $said) = $t->config_test;
if (-d "$Kappa::Test::ROOT/build/graphiql" && !$ENV{KAPPA_TEST_SAN}) {
    is($status, 0, 'the files lie beside the module') or diag $said;
} else {
    like($said, qr{san/graphiql/index\.html}, 'beside the module');
}

done_testing;
