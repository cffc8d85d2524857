# The example: its importer, its schema, and what its README promises.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $ROOT = $Kappa::Test::ROOT;
my $JSON = $Kappa::Test::JSON;
my $SCHEMA = "$ROOT/examples/catalogue/schema.graphql";

# --- the importer

sub packages {
    my ($text) = @_;
    my $r = Kappa::Test::run(['perl', "$ROOT/examples/catalogue/packages.pl"],
        stdin => $text);
    is($r->{status}, 0, 'packages.pl') or diag $r->{err};
    return $r->{out};
}

my $index = Kappa::Test::file('t/fixtures/packages.txt');
my $events = packages($index);
my %event = map { my $e = $JSON->decode($_); $e->{key} => $e }
    split /\n/, $events;
is(scalar keys %event, 34, 'an event a package');
is($event{twice}{data}{summary}, 'new', 'of several versions the newest');
ok(!$event{nosize}, 'not without a size');
ok(!$event{huge}, 'nor with one that is no Int');
is($event{quoted}{data}{maintainer}, '"Q\\\\uote" <q@example.org>', 'quotes');
is($event{latin}{data}{maintainer}, "J\x{f6}rg <j\@example.org>", 'Latin-1');
is($event{utf}{data}{maintainer}, "J\x{f6}rg <j\@example.org>", 'UTF-8');
is_deeply($event{pkg07}, { id => $event{pkg07}{id}, thing => 'Package',
    verb => 'released', key => 'pkg07', effect => 'PUT',
    data => { name => 'pkg07', version => '1.7-1', size => 1070,
        section => 'games', maintainer => 'Team 3 <team3@example.org>',
        summary => 'package number 7', homepage => 'https://example.org/7' }
}, 'an event');
is(packages($index), $events, 'the same index gives the same ids');
isnt(packages($index =~ s/1\.7-1/1.7-2/r), $events, 'another does not');

# --- served

my $r = Kappa::Test->kappa(['check', $SCHEMA]);
is($r->{status}, 0, 'kappa check') or diag $r->{out};

my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::read_file($SCHEMA));
my @import = ('import', '-', '--store', $t->store,
    '--schema', $t->dir . '/schema.graphql');
$r = $t->kappa(\@import, stdin => $events);
is($r->{status}, 0, 'import') or diag $r->{err};
$t->start;

sub data {
    my ($query, $variables) = @_;
    my $answer = $t->graphql($query, $variables);
    diag $answer->{raw} if !$answer->{json} || $answer->{json}{errors};
    return $answer->{json}{data};
}

is_deeply(data('{ package(name: "pkg07") { name version size section
    maintainer summary homepage installs sectionInfo { name packages }
    maintainerInfo { packages } reports { id } } }'),
    { package => { %{ $event{pkg07}{data} }, installs => 0, reports => [],
        sectionInfo => { name => 'games', packages => 10 },
        maintainerInfo => { packages => 7 } } }, 'a package and its links');
is_deeply(data('{ package(name: "none") { name } }'), { package => undef },
    'no package');
is_deeply(data('{ section(name: "misc") { packages bytes largest } }'),
    { section => { packages => 4, bytes => '32', largest => 9 } },
    'a section adds up');

my $page = data('query P($after: String) { packages(section: "games",
    first: 4, after: $after) { nodes { name } edges { cursor node { size } }
    totalCount pageInfo { hasNextPage endCursor } } }')->{packages};
is_deeply([map { $_->{name} } @{ $page->{nodes} }],
    [qw(pkg01 pkg04 pkg07 pkg10)], 'a page, by name');
is($page->{totalCount}, 10, 'totalCount');
is($page->{pageInfo}{endCursor}, $page->{edges}[3]{cursor}, 'endCursor');
my @all = map { $_->{name} } @{ $page->{nodes} };
while ($page->{pageInfo}{hasNextPage}) {
    $page = data('query P($after: String) { packages(section: "games",
        first: 4, after: $after) { nodes { name }
        pageInfo { hasNextPage endCursor } } }',
        { after => $page->{pageInfo}{endCursor} })->{packages};
    push @all, map { $_->{name} } @{ $page->{nodes} };
    last if @all > 10;
}
is_deeply(\@all, [map { sprintf 'pkg%02d', $_ * 3 + 1 } 0 .. 9],
    'all pages, once each');
is_deeply([map { $_->{size} } @{ data('{ packages(section: "games",
    orderBy: SIZE_DESC, first: 3) { nodes { size } } }')->{packages}{nodes} }],
    [1280, 1250, 1220], 'the largest first');
is_deeply([map { $_->{name} } @{ data('{ sections { name } }')->{sections} }],
    [qw(admin games libs misc)], 'sections');
is_deeply(data('{ maintainers(orderBy: PACKAGES_DESC, first: 1) {
    nodes { name packages list(first: 2) { nodes { name } } } } }'),
    { maintainers => { nodes => [{ name => 'Team 0 <team0@example.org>',
        packages => 9, list => { nodes => [{ name => 'pkg00' },
            { name => 'pkg04' }] } }] } }, 'the busiest maintainer');

# --- reports

my $sse = $t->sse(
    'subscription { package(name: "pkg07") { installs reports { kind } } }');
is_deeply($sse->next->{json}{data}{package}, { installs => 0, reports => [] },
    'live: now');
my $report = data('mutation { report(package: "pkg07", kind: INSTALLED)
    { id kind at packageInfo { name } } }')->{report};
like($report->{id}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'a new id');
like($report->{at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'a time');
is($report->{packageInfo}{name}, 'pkg07', 'its package');
is_deeply($sse->next->{json}{data}{package},
    { installs => 1, reports => [{ kind => 'INSTALLED' }] }, 'live: then');
data('mutation { report(package: "pkg07", kind: BROKEN) { id } }');
is($sse->next->{json}{data}{package}{installs}, 1, 'only installs count');

# The command line reaches subscribers too.
$r = $t->kappa(\@import, stdin => packages($index =~ s/1\.7-1/1.7-2/r));
is($r->{status}, 0, 'import beside nginx') or diag $r->{err};
is(data('{ package(name: "pkg07") { version } }')->{package}{version},
    '1.7-2', 'a new version');
$sse->close;

is_deeply([map { $_->{kind} } @{ data('{ reports { kind } }')->{reports} }],
    [qw(BROKEN INSTALLED)], 'reports, the newest first');

my $answer = $t->graphql(
    'mutation { report(package: "none", kind: BROKEN) { id } }');
is($answer->{json}{errors}[0]{extensions}{code}, 'NO_SUCH_PACKAGE',
    'not about a package that is not there');
$answer = $t->graphql('mutation { retire(name: "pkg07") { name } }');
like($answer->{json}{errors}[0]{extensions}{code},
    qr/^(?:FORBIDDEN|UNAUTHENTICATED)$/, 'nobody retires a package');
ok(data('{ package(name: "pkg07") { name } }')->{package}, 'it is there');

# --- a second import of the same

sub count {
    my $log = $t->kappa(['log', '--store', $t->store]);
    return scalar(() = $log->{out} =~ /\n/g);
}
my $before = count();
is($before, 34 + 1 + 2, 'packages, one new version, two reports');
$t->kappa(\@import, stdin => $events);
is(count(), $before, 'appends nothing');

$t->stop;
$t->no_alerts;
done_testing;
