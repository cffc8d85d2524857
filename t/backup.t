# kappa backup and restore: incremental, of a running store, whenever it is
# killed.

use strict;
use warnings;
use File::Path qw(remove_tree);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
Kappa::Test::seed();

my $t = Kappa::Test->new(schema => <<'END', workers => 2,
type Item @view(key: "sku") { sku: ID! n: Int! note: String }
type Query { item(sku: ID!): Item }
type Mutation {
  set(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "set", effect: UPSERT)
}
type Subscription {
  item(sku: ID!): Item
  sets: Item! @changes(thing: "Item", verb: "set")
}
END
    server => 'location /events { kappa_events app read=r write=w; kappa_auth required; }',
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }');
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/key', $SECRET);
my $token = encode_base64url('{"alg":"HS256"}') . '.'
    . encode_base64url('{"iss":"https://a","scope":"r w"}');
$token .= '.' . encode_base64url(hmac_sha256($token, $SECRET));
my %auth = (Authorization => "Bearer $token");

my $store = $t->store;
my $to = $t->dir . '/data/backup';
my $copy = $t->dir . '/data/copy';
$t->start;

sub mutate {
    my ($sku, $n) = @_;
    my $r = $t->graphql(qq(mutation { set(sku: "$sku", n: $n) { n } }));
    return $r->{headers}{'kappa-position'} if $r->{json} && !$r->{json}{errors};
    diag $r->{body};
    return;
}
sub backup { return $t->kappa(['backup', '--store', $store, @_ ? @_ : $to], timeout => 120) }
sub log_of {
    my ($dir) = @_;
    my $r = $t->kappa(['log', '--store', $dir]);
    return map { s/"position":"[^"]*",//r } split /\n/, $r->{out};
}
sub check_copy {
    my ($name, $expected) = @_;
    remove_tree($copy);
    my $r = $t->kappa(['restore', $to, '--store', $copy], timeout => 120);
    is($r->{status}, 0, "$name: restored") or diag $r->{err};
    is($t->kappa(['verify', '--store', $copy])->{status}, 0, "$name: whole");
    my @log = log_of($copy);
    if (ref $expected) { is_deeply(\@log, $expected, "$name: the same events") }
    else { is(scalar @log, $expected, "$name: so many events") }
}

ok(Kappa::Test::wait_until(sub { ($t->graphql('{ item(sku: "a") { n } }')->{json} // {})->{data} }), 'the store is there');

# --- wrong calls

for my $case (['backup'], ['backup', $to], ['backup', '--store', $store], ['restore'],
    ['restore', $to], ['restore', '--store', $copy])
{
    is($t->kappa($case)->{status}, 2, "@$case is a wrong call");
}
is($t->kappa(['backup', '--store', "$store/nosuch", $to])->{status}, 1, 'no store');
ok(!-e $to, 'nothing is made for it');
like(backup($t->dir . '/logs')->{err}, qr/neither empty nor a backup/, 'a directory of something else');
like($t->kappa(['restore', $t->dir, '--store', $copy])->{err}, qr/is no backup/, 'no backup');

# --- nothing, something, more

my $r = backup();
is($r->{status}, 0, 'a store without events') or diag $r->{err};
check_copy('empty', 0);
ok(mutate("a$_", $_), "a$_") for 1 .. 20;
like(backup()->{out}, qr/-20: 20 events copied, \d+ bytes; 0 blanked/, 'twenty events');
like(backup()->{out}, qr/-20: 0 events copied, 0 bytes/, 'nothing is new');
my @log = log_of($store);
check_copy('twenty', \@log);
ok(mutate('a1', 100), 'one more');
like(backup()->{out}, qr/-21: 1 events copied/, 'only that is copied');
my $big = join '', map { $JSON->encode({ thing => 'Item', verb => 'noted', key => "a$_",
    effect => 'UPSERT', data => { sku => "a$_", n => 1, note => 'x' x 4000 } }) . "\n" } 1 .. 2000;
is($t->kappa(['import', '-', '--store', $store], stdin => $big)->{status}, 0, '8 MB more');
like(backup()->{out}, qr/-2021: 2000 events copied/, 'they are copied');
@log = log_of($store);
check_copy('2021', \@log);

# --- who acknowledged it died before it wrote that to the file `tail`

my $tail = Kappa::Test::read_file("$store/tail");
ok(mutate('a2', 101), 'one that tail will not tell of');
ok($t->kill_all, 'nginx is killed');
open my $out, '>', "$store/tail" or die "$store/tail: $!";
print $out $tail;
close $out;
like(backup()->{out}, qr/-2022: 1 events copied/, 'it is copied');
$t->start;
@log = log_of($store);
check_copy('2022', \@log);

# --- under load

my $writer = fork // die;
if (!$writer) {
    my $n = 0;
    while (1) { POSIX::_exit(1) if !defined mutate('load', $n++) }
}
my $before = 0;
my $grew = 0;
for (1 .. 6) {
    $r = backup();
    is($r->{status}, 0, 'a backup under load') or diag $r->{err};
    my ($at) = $r->{out} =~ /-(\d+):/;
    $grew++ if $at > $before;
    $before = $at;
    sleep 0.1;
}
cmp_ok($grew, '>=', 3, 'each time there is more');
kill 'KILL', $writer;
waitpid $writer, 0;
check_copy('of a running store', $before);

# --- killed at any moment

my ($killed, $finished) = (0, 0);
for my $i (1 .. Kappa::Test::rounds(8, 200)) {
    $t->kappa(['import', '-', '--store', $store], stdin => substr $big, 0, rindex($big, "\n", 400_000) + 1);
    my $pid = fork // die;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        { exec $Kappa::Test::KAPPA, 'backup', '--store', $store, $to; }
        POSIX::_exit(127);
    }
    sleep rand 0.06;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    if ($? == 0) { $finished++ } else { $killed++ }
    $r = $t->kappa(['restore', $to, '--store', "$copy-$i"], timeout => 60);
    is($r->{status}, 0, 'what is there can be restored') or diag $r->{err};
    is($t->kappa(['verify', '--store', "$copy-$i"])->{status}, 0, 'and is whole');
    remove_tree("$copy-$i");
}
diag "$killed were killed, $finished were not";
is(backup()->{status}, 0, 'the next one goes on');
@log = log_of($store);
check_copy('after kills', \@log);

# --- what is forgotten is forgotten there too

ok(mutate('secretsku', 1), 'a secret');
is(backup()->{status}, 0, 'is copied');
sub traces { return grep { index(Kappa::Test::read_file($_), 'secretsku') >= 0 } glob "$to/*" }
ok(scalar(traces()), 'it is there');
is($t->kappa(['forget', 'Item', 'secretsku', '--store', $store])->{status}, 0, 'forget');
ok(scalar(traces()), 'a backup does not know yet');
like(backup()->{out}, qr/0 events copied, 0 bytes; 1 blanked/, 'the next one blanks it');
ok(!traces(), 'it is gone');
like(backup()->{out}, qr/0 blanked/, 'once');
@log = log_of($store);
check_copy('after forgetting', \@log);

# --- damage is found, and nothing of it is copied

my $damaged = $t->dir . '/data/damaged';
is($t->kappa(['restore', $to, '--store', $damaged])->{status}, 0, 'another store');
like($t->kappa(['backup', '--store', $damaged, $to])->{err}, qr/is a backup of another log/,
    'a backup of another log is left alone');
my ($segment) = glob "$damaged/log/*.seg";
open my $file, '+<', $segment or die;
seek $file, 300, 0;
print $file 'X';
close $file;
$r = $t->kappa(['backup', '--store', $damaged, "$to-2"]);
is($r->{status}, 1, 'a damaged log');
like($r->{err}, qr/\.seg, offset \d+: event \d+ .*damaged/, 'says where');
($segment) = glob "$to/*.seg";
open $file, '+<', $segment or die;
seek $file, 300, 0;
read $file, my $was, 1;
seek $file, 300, 0;
print $file chr(ord($was) ^ 1);
close $file;
$r = $t->kappa(['restore', $to, '--store', "$copy-x"]);
is($r->{status}, 1, 'a damaged backup');
like($r->{err}, qr/damaged/, 'says so');
ok(!-e "$copy-x/log", 'and is no store');
open $file, '+<', $segment or die;
seek $file, 300, 0;
print $file $was;
close $file;
is($t->kappa(['restore', $to, '--store', "$copy-x"])->{status}, 0, 'mended, it goes there');
Kappa::Test::write_file("$to-3", '');
like(backup("$to-3")->{err}, qr/Not a directory|\Q$to-3\E/, 'a file is no place');

# --- a restored store has an epoch of its own

my $position = mutate('last', 1);
ok($t->stop('QUIT'), 'nginx ends');
rename $store, "$store-old" or die;
is($t->kappa(['restore', $to, '--store', $store])->{status}, 0, 'the store comes from the backup');
like($t->kappa(['restore', $to, '--store', $store])->{err}, qr/is not empty/, 'not over another');
$t->start;
is($t->graphql('{ item(sku: "a1") { n } }')->{json}{data}{item}{n}, 1, 'it is served');
is($t->graphql('{ item(sku: "last") { n } }')->{json}{data}{item}, undef, 'as it was then');
is($t->get("/events?after=$position", %auth)->{status}, 410, 'a position of before is gone');
for my $what ('item(sku: "a1") { n }', 'sets { n }') {
    my $live = $t->sse("subscription { $what }", undef, 'Last-Event-ID' => $position);
    mutate('a1', 7);
    my $first = $live->next;
    ok($first->{json}{extensions}{kappa}{gap}, "a subscriber of $what hears of the gap")
        or diag explain $first;
}
ok($t->stop('QUIT'), 'an orderly end');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'whole');
$t->no_alerts;
done_testing;
