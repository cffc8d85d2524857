# The commands on a store: import, log, rebuild, verify.

use strict;
use warnings;
use File::Path qw(remove_tree);
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;

my $t = Kappa::Test->new(schema => <<'END', workers => 1);
type Package @view(key: "name") @index(fields: ["section", "name"]) {
  name: ID!
  size: Int!
  section: ID!
}

type Section @view(key: "name") @groupBy(of: "Package", by: "section") {
  name: ID!
  packages: Int! @count
}

type Query {
  package(name: ID!): Package
  section(name: ID!): Section
}
END
my $store = $t->store;
my $schema = $t->dir . '/schema.graphql';

sub event {
    my ($name, %more) = @_;
    return $JSON->encode({ thing => 'Package', verb => 'released',
        key => $name, effect => 'PUT',
        data => { name => $name, size => 1, section => 'misc' }, %more })
        . "\n";
}

sub import_events {
    my ($events, @more) = @_;
    return $t->kappa(['import', '-', '--store', $store, @more],
        stdin => $events);
}

sub events {
    my $r = $t->kappa(['log', '--store', $store, @_]);
    is($r->{status}, 0, "log @_") or diag $r->{err};
    return map { $JSON->decode($_) } split /\n/, $r->{out};
}

# A wrong call.
for my $case (
    ['import'], ['import', '-'], ['import', '-', '--store'],
    ['import', '-', '--store', $store, '--nosuch'], ['log'], ['rebuild'],
    ['verify', 'x', '--store', $store])
{
    my $r = $t->kappa($case);
    is($r->{status}, 2, "@$case is a wrong call");
    like($r->{err}, qr/usage: kappa $case->[0]|needs a value/, 'and says so');
}

# No store.
my $r = import_events(event('a'));
is($r->{status}, 1, 'no store, no schema');
like($r->{err}, qr/there is no store at \Q$store\E \(--schema FILE makes one/,
    'says what would help');
$r = $t->kappa(['log', '--store', $store]);
is($r->{status}, 1, 'nothing to print');
like($r->{err}, qr/there is no store/, 'says why');

# Import.
my $id = '018f0000-0000-7000-8000-000000000001';
$r = import_events(event('a', id => $id) . "\n" . event('b'),
    '--schema', $schema);
is($r->{status}, 0, 'import makes the store') or diag $r->{err};
is($r->{err}, '', 'quiet in a pipe');
is($r->{out}, '', 'on both ends');
if ($> == 0) {
    my $owner = (stat $t->dir . '/data')[4];
    is((stat "$store/log")[4], $owner, 'root became the owner of the place');
}

my @log = events();
is(scalar @log, 2, 'two events');
like($log[0]{position}, qr/^[0-9a-z]{8,24}-1$/, 'position');
is($log[0]{id}, $id, 'its own id');
is($log[0]{thing}, 'Package', 'thing');
is($log[0]{verb}, 'released', 'verb');
is($log[0]{effect}, 'PUT', 'effect');
is($log[0]{key}, 'a', 'key');
is_deeply($log[0]{data}, { name => 'a', size => 1, section => 'misc' },
    'data');
is($log[0]{row}{size}, 1, 'row');
like($log[0]{time}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/, 'time');

# Again.
$r = import_events(event('a', id => $id));
is($r->{status}, 0, 'the same id again');
is(scalar(events()), 2, 'appends nothing');

# Filters.
import_events(join '', map { event("p$_", verb => 'seen') } 1 .. 5);
@log = events();
is(scalar @log, 7, 'seven events');
is(scalar(events('--limit', 3)), 3, 'limit');
is(scalar(events('--thing', 'Nothing')), 0, 'no such thing');
is(scalar(events('--thing', 'Package', '--verb', 'seen')), 5, 'verb');
is(scalar(events('--key', 'p2')), 1, 'key');
import_events(join '', map { $JSON->encode($_) . "\n" }
    { thing => 'Note', verb => 'made', key => ['x', 'y "z"'] },
    { thing => 'Note', verb => 'made', key => 7 },
    { thing => 'Note', verb => 'made', key => 'p2' });
is(scalar(events('--key', '["x", "y \u0022z\""]')), 1, 'a composite key');
is(scalar(events('--thing', 'Note', '--key', '["x","y \"z\""]')), 1,
    'and its history');
is(scalar(events('--thing', 'Note', '--key', 7)), 1, 'a number');
is(scalar(events('--thing', 'Note', '--key', '7', '--limit', 0)), 0, 'none of it');
is(scalar(events('--thing', 'Note', '--key', 'p2')), 1, 'of this thing');
is_deeply([map { $_->{position} } events('--thing', 'Package', '--key', 'a')],
    [$log[0]{position}], 'a row\'s history');
is(scalar(events('--thing', 'Package', '--key', 'a', '--verb', 'nosuch')), 0,
    'with a verb');
is(scalar(events('--thing', 'Package', '--key', 'a', '--after',
    $log[0]{position})), 0, 'and a position');
my @after = events('--after', $log[4]{position});
is($after[0]{position}, $log[5]{position}, 'after');
for my $case (['--after', 'x', qr/not a position/, 2],
    ['--after', 'zzzzzzzzzzzz-1', qr/another log/, 1],
    ['--limit', 'x', qr/not a number/, 2])
{
    my ($option, $value, $says, $status) = @$case;
    $r = $t->kappa(['log', '--store', $store, $option, $value]);
    is($r->{status}, $status, "$option $value");
    like($r->{err}, $says, 'says why');
}

# Wrong lines: what stands before them is appended, nothing behind.
my @wrong = (
    ['{', qr/./, 'broken JSON'],
    ['{"verb":"x"}', qr/thing/, 'no thing'],
    ['[]', qr/object/, 'no object'],
    ['{"thing":"Package","verb":"x","effect":"EAT"}', qr/EAT|effect/,
        'no such effect'],
    [event('x', effect => 'DELETE') =~ s/\n//r, qr/./, 'no row to delete'],
    ['{"thing":"Package","verb":"x","key":"x","effect":"PUT","data":'
        . '{"name":"x","size":"big","section":"s"}}', qr/size/,
        'a wrong type'],
);
for my $case (@wrong) {
    my ($line, $why, $name) = @$case;
    my $before = events();
    $r = import_events(event("before $name") . "$line\n" . event('behind'));
    is($r->{status}, 1, $name);
    like($r->{err}, qr/^stdin:2: /m, 'names the line');
    like($r->{err}, $why, 'and what is wrong');
    like($r->{err}, qr/nothing from it on was appended/, 'and what happened');
    my @now = events();
    is(scalar @now, $before + 1, 'one more event');
    is($now[-1]{key}, "before $name", 'the one before it');
}

# Odd files.
my $odd = $t->dir . '/odd';
sub import_file {
    my ($text) = @_;
    Kappa::Test::write_file($odd, $text);
    chmod 0644, $odd;
    return $t->kappa(['import', $odd, '--store', $store]);
}
my $count = events();
is(import_file('')->{status}, 0, 'an empty file');
is(import_file("\n \n\r\n")->{status}, 0, 'blank lines');
is(scalar(events()), $count, 'append nothing');
is(import_file(event('crlf') =~ s/\n/\r\n/r)->{status}, 0, 'CRLF');
is(import_file(event('last') =~ s/\n//r)->{status}, 0, 'no newline at the end');
is(scalar(events()), $count + 2, 'append theirs');
for my $case (
    ['x' x 9_000_000, qr/^\Q$odd\E:1: .*too long/m, 'a line without end'],
    ["\0\xff\xfe" x 100, qr/^\Q$odd\E:1: /m, 'bytes that are no text'],
    ['[' x 100_000, qr/^\Q$odd\E:1: /m, 'deep nesting'],
    [event('long', data => { name => 'n', size => 1,
        section => 's' x 2_000_000 }), qr/^\Q$odd\E:1: /m, 'a huge event'])
{
    my ($text, $says, $name) = @$case;
    $r = import_file($text);
    is($r->{status}, 1, $name);
    like($r->{err}, $says, 'names the line');
    cmp_ok(length $r->{err}, '<', 2000, 'in a few words');
}
is(scalar(events()), $count + 2, 'nothing of it was appended');
$r = $t->kappa(['import', $t->dir, '--store', $store]);
is($r->{status}, 2, 'a directory is no file');
like($r->{err}, qr/is a directory/, 'says so');
$r = $t->kappa(['import', '/nowhere', '--store', $store]);
is($r->{status}, 2, 'no file');
like($r->{err}, qr{/nowhere: No such file}, 'says so');

# The views come back from the log.
$r = $t->kappa(['verify', '--store', $store]);
is($r->{status}, 0, 'verify') or diag $r->{err};
like($r->{out}, qr/^[0-9a-z]+-\d+: the log is whole/, 'says so');
remove_tree("$store/views");
$r = $t->kappa(['rebuild', '--store', $store]);
is($r->{status}, 0, 'rebuild without views') or diag $r->{err};
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'verify again');

# A row that is not what the log gives: named, and made anew.
import_events(event('tampered', data =>
    { name => 'tampered', size => 1, section => 'before' }));
my ($number) = Kappa::Test::read_file("$store/views/current") =~ /(\d+)/;
my $mdb = "$store/views/$number/data.mdb";
my $pages = Kappa::Test::read_file($mdb);
ok($pages =~ s/"before"/"behind"/g, 'a row is tampered with');
Kappa::Test::write_file($mdb, $pages);
$r = $t->kappa(['verify', '--store', $store]);
is($r->{status}, 1, 'verify finds it');
like($r->{err}, qr/rows, Package "tampered": has another value/, 'and names it');
like($r->{err}, qr/entries differ; `kappa rebuild`/, 'and says what would help');
is($t->kappa(['rebuild', '--store', $store])->{status}, 0, 'that does');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'help');

# What verify is killed in is tidied up by the next.
mkdir "$store/views/scratch-999999";
Kappa::Test::write_file("$store/views/scratch-999999/data.mdb", 'x');
chown +(stat $store)[4, 5], "$store/views/scratch-999999" if $> == 0;
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'verify');
ok(!-e "$store/views/scratch-999999", 'no scratch is left');

# Where nothing can be written, and who may not look.
for my $case (['show', 'Package', 'b', '--store', $store], ['verify', '--store', $store],
    ['log', '--store', $store], ['export', '--view', 'Package', '--store', $store],
    ['print-schema', $schema], ['diff', $schema, $schema], ['--help'])
{
    for my $out ('/dev/full', '&-') {
        $r = Kappa::Test::run(['sh', '-c', "exec \"\$@\" >$out", 'sh', $Kappa::Test::KAPPA, @$case]);
        is($r->{status}, 1, "@$case >$out");
        like($r->{err}, qr/^kappa: can't write: (?:No space|Bad file)/m, 'says so');
    }
}
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'and the store is whole');
my $closed = $t->dir . '/closed';
mkdir $closed;
system 'cp', '-a', $store, "$closed/app";
chmod 0, $closed;
for my $case (['show', 'Package', 'b'], ['verify'], ['log'], ['import', '-', '--schema', $schema]) {
    $r = $t->kappa([@$case, '--store', "$closed/app"]);
    is($r->{status}, 1, "@$case where one may not look");
    like($r->{err}, qr/Permission denied/, 'says so');
}
chmod 0755, $closed;

# A row's history goes back to its type's older name.
import_events(event('renamed', verb => 'made'));
(my $later = Kappa::Test::read_file($schema))
    =~ s/Package \@view/Parcel \@was(name: "Package") \@view/;
$later =~ s/(: |of: ")Package\b/$1Parcel/g;
Kappa::Test::write_file($t->dir . '/later.graphql', $later);
$r = $t->kappa(['rebuild', '--store', $store, '--schema', $t->dir . '/later.graphql']);
is($r->{status}, 0, 'another name') or diag $r->{err};
import_events(event('renamed', verb => 'changed', thing => 'Parcel'));
is(join(' ', map { "$_->{thing}.$_->{verb}" } events('--thing', 'Parcel', '--key', 'renamed')),
    'Package.made Parcel.changed', 'and what happened under both');
is(join(' ', map { $_->{verb} } events('--thing', 'Package', '--key', 'renamed')),
    'made', 'or under the older one');
is(join(' ', map { $_->{verb} } events('--thing', 'Parcel', '--key', 'renamed', '--verb', 'made')),
    'made', 'with a verb');

# A damaged log is refused loudly.
my ($segment) = grep { -s } glob "$store/log/*";
for my $file (sort { -s $b <=> -s $a } glob "$store/log/*") {
    $segment = $file;
    last;
}
my $bytes = Kappa::Test::read_file($segment);
my $at = index $bytes, 'Package';
ok($at > 0, 'the first event is there to be damaged');
substr($bytes, $at, 1) = 'p';
Kappa::Test::write_file($segment, $bytes);
$r = $t->kappa(['verify', '--store', $store]);
is($r->{status}, 1, 'verify finds it');
like($r->{err}, qr/\Q$segment\E|segment|record/, 'and says where');

done_testing;
