# Stores that are not as this kappa left them: of a newer format, with a bit
# flipped, with parts gone, copied while they worked. Each is refused, or mended, with a word on
# what to do; another application on the same nginx goes on.

use strict;
use warnings;
use File::Path qw(remove_tree);
use Test::More;
use Kappa::Test;

my $SDL = <<'END';
type Item @view(key: "sku") { sku: ID! n: Int! }
type Query { item(sku: ID!): Item }
type Mutation {
  put(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "put", effect: PUT)
}
END

my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    http => "    kappa other { schema %SCHEMA%; store %DIR%/data/other; }\n",
    server => "        location /other { kappa_graphql other; }\n"
        . "        location = /health { kappa_health ready; }\n");
my $store = $t->store;

sub ask {
    my ($path, $query) = @_;
    return $t->post($path, $Kappa::Test::JSON->encode({ query => $query }));
}
sub put_at { return ask($_[0], "mutation { put(sku: \"$_[1]\", n: 1) { n } }") }
sub get_at { return ask($_[0], "{ item(sku: \"$_[1]\") { n } }") }

sub crc32c {
    my ($bytes) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $bytes) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }
    return $crc ^ 0xffffffff;
}

$t->start;
is(put_at('/graphql', $_)->{status}, 200, "a mutation: $_") for 'a' .. 'c';
is(put_at('/other', 'a')->{status}, 200, 'and one of another application');
ok($t->stop, 'it ends');
my ($segment) = glob "$store/log/*.seg";
my $log = Kappa::Test::read_file($segment);
my $about = (glob "$store/views/[0-9]*/about")[0];
my $views = Kappa::Test::read_file($about);

# In the middle of what is written: nothing is served of it, the rest is.
sub refused {
    my ($name, $says) = @_;
    $t->start;
    my $r = get_at('/graphql', 'a');
    is($r->{status}, 503, "$name: no answer");
    is($r->{json}{errors}[0]{extensions}{code}, 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE');
    is(put_at('/graphql', 'd')->{status}, 503, 'nor a mutation');
    is($t->get('/health')->{json}{applications}{app}, 'STORE_UNAVAILABLE', 'health says which');
    is(put_at('/other', 'x')->{status}, 200, 'the other application goes on');
    ok(Kappa::Test::wait_until(sub { $t->log =~ $says }), 'the log says why')
        or diag $t->log;
    ok($t->stop, 'it ends');
    unlink $t->dir . '/logs/error.log';
    $r = $t->kappa(['verify', '--store', $store]);
    is($r->{status}, 1, 'kappa verify refuses it, too');
    like($r->{err}, $says, 'and says the same');
}

sub put_back { Kappa::Test::write_file($segment, $log) }

my $header = substr $log, 0, 64;
substr($header, 8, 4) = pack 'V', 2;
substr($header, 12, 4) = pack 'V',
    crc32c(substr($header, 0, 12) . substr $header, 16);
Kappa::Test::write_file($segment, $header . substr $log, 64);
refused('a log of a newer version',
    qr/\.seg, offset 0: this segment was written by a newer version of kappa: run that one/);
put_back();

Kappa::Test::write_file($about, $views =~ s/\Akappa views 1/kappa views 2/r);
refused('views of a newer version',
    qr{views/\d+ were made by a newer version of kappa: run that one, or delete views/});
Kappa::Test::write_file($about, $views);

# A bit in the first event: what is behind it is durable, so it is no torn end.
my $at = index $log, '"sku"';
cmp_ok($at, '>', 64, 'the first event is there');
substr(my $flipped = $log, $at + 2, 1) ^= "\x04";
Kappa::Test::write_file($segment, $flipped);
my $bad = $t->kappa(['verify', '--store', $store]);
is($bad->{status}, 1, 'a flipped bit: kappa verify finds it');
like($bad->{err}, qr/\.seg, offset \d+: event 1\b.*damaged/, 'says which event, and where');
remove_tree("$store/views");
refused('a flipped bit, and views to be made',
    qr/\.seg, offset \d+: event 1\b.*damaged/);
put_back();

$t->start;
ok(Kappa::Test::wait_until(sub { get_at('/graphql', 'c')->{status} == 200 }),
    'mended, it is served again');

# --- a part of it is gone: nginx starts, and nothing is made in its place

for my $case (['log/epoch', qr/epoch that names this log is gone; nothing was changed/],
    ['log', qr{was a store, but its log/ is gone: restore it}])
{
    my ($part, $says) = @$case;
    ok($t->stop, 'it ends');
    rename "$store/$part", "$store.away" or die "$part: $!";
    my ($status, $said) = $t->config_test;
    is($status, 0, "no $part: nginx -t is about the configuration");
    like($said, $says, 'but says so');
    $t->start;
    is(get_at('/graphql', 'a')->{json}{errors}[0]{extensions}{code}, 'STORE_UNAVAILABLE',
        'STORE_UNAVAILABLE');
    is(get_at('/other', 'a')->{status}, 200, 'the other application goes on');
    is($t->get('/health')->{json}{applications}{app}, 'STORE_UNAVAILABLE', 'health says which');
    rename "$store.away", "$store/$part" or die "$part: $!";
    ok(Kappa::Test::wait_until(sub { get_at('/graphql', 'c')->{status} == 200 }),
        'restored, it is served, without a restart');
}

# --- files that are deleted while they are in use

my $put = 0;
# A mutation that is answered is in the log.
sub position { my $r = put_at('/graphql', 'p' . ++$put);
    return $r->{status} == 200 ? $r->{json}{extensions}{kappa}{position} =~ s/.*-//r : $r->{body} }
is(position(), 4, 'a mutation');
unlink "$store/log/lock";
is(position(), 5, 'a lock that was deleted is made anew');
my $imported = $t->kappa(['import', '-', '--store', $store],
    stdin => qq({"thing":"Item","verb":"put","key":"i","data":{"sku":"i","n":1}}\n));
is($imported->{status}, 0, 'others meet there') or diag $imported->{err};
is(position(), 7, 'and nobody writes over another');
rename $segment, "$segment.away" or die "$segment: $!";
my $gone = put_at('/graphql', 'lost');
is($gone->{status}, 503, 'a segment that is gone: nothing is written to it');
is($gone->{json}{errors}[0]{extensions}{code}, 'LOG_UNAVAILABLE', 'LOG_UNAVAILABLE');
like($gone->{json}{errors}[0]{message}, qr/there is no segment file/, 'and why');
is(get_at('/graphql', 'c')->{status}, 200, 'queries go on');
rename "$segment.away", $segment or die "$segment: $!";
is(position(), 8, 'put back, mutations go on');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'the store is whole');

# --- views that were not copied whole

ok($t->stop('QUIT'), 'it ends in order');
my $data = (glob "$store/views/[0-9]*/data.mdb")[0];
truncate $data, 3 * 4096 or die "$data: $!";
$t->start;
ok(Kappa::Test::wait_until(sub { get_at('/graphql', 'c')->{status} == 200 }),
    'views cut short are discarded and made anew');
like($t->log, qr{views/\d+ are discarded and computed from the log again}, 'the log says so');

# --- copied while it works, to a machine that is up for another boot

my $copy = $t->dir . '/data/copy';
is(put_at('/graphql', "m$_")->{status}, 200, "m$_") for 1 .. 3;
system('cp', '-a', $store, $copy) == 0 or die "cp\n";
for my $boot (glob "$copy/views/[0-9]*/boot") {
    my $id = Kappa::Test::read_file($boot);
    Kappa::Test::write_file($boot, $id =~ s/^./z/r);
    # Pages that were not on disk there are any bytes here.
    (my $data = $boot) =~ s/boot$/data.mdb/;
    open my $file, '+<:raw', $data or die "$data: $!";
    seek $file, 8192, 0;
    print $file "\xa5" x 4096;
    close $file;
}
my $r = $t->kappa(['rebuild', '--store', $copy]);
is($r->{status}, 0, 'the copy is opened') or diag $r->{err};
is($t->kappa(['verify', '--store', $copy])->{status}, 0,
    'its views were discarded and made of its log');
$r = $t->kappa(['log', '--store', $copy]);
is(scalar(() = $r->{out} =~ /"verb":"put"/g), 11, 'which has all');
ok($t->stop, 'it ends in time');
done_testing;
