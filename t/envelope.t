# The log's files as docs/events.md describes them, read by somebody else: the
# records by this file, the messages in them by protoc; and the mapping to
# CloudEvents.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
my $ROOT = $Kappa::Test::ROOT;
my $t = Kappa::Test->new(schema => <<'END', workers => 1,
type Item @view(key: "sku") { sku: ID! n: Int! }
type Query { item(sku: ID!): Item }
type Mutation {
  create(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
  drop(sku: ID!): Item @event(thing: "Item", verb: "dropped", effect: DELETE)
}
END
    graphql => '            kappa_auth optional;',
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=r write=w; kappa_auth required; }');
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/key', $SECRET);
my $token = encode_base64url('{"alg":"HS256"}') . '.' . encode_base64url('{"iss":"https://a","sub":"ann","scope":"w"}');
$token .= '.' . encode_base64url(hmac_sha256($token, $SECRET));
$t->start;
my $store = $t->store;
my $traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
$t->graphql('mutation { create(sku: "a", n: 1) { n } }', undef, Authorization => "Bearer $token",
    'Idempotency-Key' => 'once', traceparent => $traceparent);
$t->graphql('mutation { create(sku: "b\"\u00e9", n: 2) { n } }', undef, traceparent => 'x' x 200);
$t->graphql('mutation { drop(sku: "a") { n } }');
my $line = $JSON->encode({ id => '0190a000-0000-7000-8000-000000000001', thing => 'Free', verb => 'said',
    key => ['x', 5], data => { big => 'z' x 3000 }, time => '1969-12-31T23:59:59.999Z' });
is($t->http('POST', '/events', { Authorization => "Bearer $token", traceparent => $traceparent }, $line)->{status}, 200, 'an upload');
$line =~ s/"x"/"gone"/;
$line =~ s/001"/002"/;
is($t->kappa(['import', '-', '--store', $store], stdin => "$line\n")->{status}, 0, 'an import');
is($t->kappa(['forget', 'Free', '["gone",5]', '--store', $store])->{status}, 0, 'which is forgotten');
$t->stop('QUIT');
my @log = map { $JSON->decode($_) } split /\n/, $t->kappa(['log', '--store', $store])->{out};
is(scalar @log, 5, 'five events');

# --- files

my @table = map {
    my $c = $_;
    $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1 .. 8;
    $c;
} 0 .. 255;
sub crc32c {
    my ($bytes, $crc) = @_;
    $crc = ~($crc // 0) & 0xffffffff;
    $crc = $table[($crc ^ $_) & 0xff] ^ ($crc >> 8) for unpack 'C*', $bytes;
    return ~$crc & 0xffffffff;
}
is(crc32c('123456789'), 0xe3069283, 'Castagnoli');

is((glob "$store/log/*.seg")[0], "$store/log/00000000000000000001.seg", 'the first segment');
my $segment = Kappa::Test::read_file("$store/log/00000000000000000001.seg");
my ($magic, $version, $crc, $first, $link) = unpack 'a8 V V Q< V', $segment;
is_deeply([$magic, $version, $first, $link], ['KAPPALOG', 1, 1, 0], 'its header');
is($crc, crc32c(substr($segment, 0, 12) . substr($segment, 16, 48)), 'and its checksum');
my ($epoch) = Kappa::Test::read_file("$store/log/epoch") =~ /^([0-9a-z]{8,24})\n\z/;

my ($at, $before, @records) = (64, 0);
for my $seq (1 .. 5) {
    my %r;
    @r{qw(magic crc header_bytes payload_bytes seq durable link zero state payload_crc)} =
        unpack 'a4 V V V Q< Q< V V a4 V', substr $segment, $at, 48;
    $r{header} = substr $segment, $at + 48, $r{header_bytes};
    $r{payload} = substr $segment, $at + 48 + $r{header_bytes}, $r{payload_bytes};
    is_deeply([@r{qw(magic seq link zero)}], ['KREC', $seq, $before, 0], "record $seq");
    is($r{crc}, crc32c(substr($segment, $at + 8, 32) . $r{header}), 'its header\'s checksum');
    if ($seq == 5) {
        is($r{state}, 'GONE', 'is forgotten');
        is($r{payload}, "\0" x $r{payload_bytes}, 'and blank');
    } else {
        is($r{state}, 'LIVE', 'is there');
        is($r{payload_crc}, crc32c($r{payload}, $r{crc}), 'its payload\'s checksum');
    }
    cmp_ok($r{durable}, '<', $seq, 'what was durable');
    $before = $r{crc};
    $at += 48 + $r{header_bytes} + $r{payload_bytes} + 7 & ~7;
    push @records, \%r;
}
ok(substr($segment, $at) !~ /[^\0]/, 'then zeros');
is(Kappa::Test::read_file("$store/log/forgotten"), pack('Q< V V', 5, 0, crc32c(pack 'Q< V', 5, 0))
    . pack('Q< V V', 0, 0, crc32c(pack 'Q< V', 0, 0)), 'what was forgotten is named');

# --- messages

sub decode {
    my ($message, $bytes) = @_;
    Kappa::Test::write_file($t->dir . '/message', $bytes);
    my $out = qx(cd $ROOT && protoc-c --decode=kappa.v1.$message proto/kappa/v1/event.proto < @{[$t->dir]}/message 2>@{[$t->dir]}/said);
    is($?, 0, "$message is one") or diag Kappa::Test::read_file($t->dir . '/said');
    my %fields;
    while ($out =~ /^(\w+): (?:"(.*)"|(\S+))$/mg) {
        my ($name, $text, $word) = ($1, $2, $3);
        if (defined $text) { $text =~ s/\\([0-7]{3}|.)/length $1 == 3 ? chr oct $1 : $1 eq 'n' ? "\n" : $1 eq 'r' ? "\r" : $1 eq 't' ? "\t" : $1/ge }
        $fields{$name} = $text // $word;
    }
    return \%fields;
}
sub uuid { return join '-', unpack 'H8 H4 H4 H4 H12', $_[0] }
sub iso {
    my ($ms) = @_;
    my $seconds = int($ms / 1000) - ($ms < 0 && $ms % 1000 ? 1 : 0);
    my @g = gmtime $seconds;
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', $g[5] + 1900, $g[4] + 1, @g[3, 2, 1, 0], $ms - $seconds * 1000;
}
for my $i (0 .. 4) {
    my ($r, $e) = ($records[$i], $log[$i]);
    my $header = decode('EventHeader', $r->{header});
    is(uuid($header->{id}), $e->{id}, "event $r->{seq}: id");
    is(iso($header->{time_ms}), $e->{time}, 'time');
    is_deeply([@{$header}{qw(thing verb actor_issuer actor_sub)}], [$e->{thing}, $e->{verb}, @{ $e->{actor} }{qw(iss sub)}], 'who and what');
    is($header->{traceparent}, $i == 0 || $i == 3 ? $traceparent : undef, 'traceparent, if it was one');
    is($header->{effect} // 'EFFECT_NONE', "EFFECT_$e->{effect}", 'effect');
    is($e->{position}, "$epoch-$r->{seq}", 'position');
    next if $i == 4;
    my $payload = decode('EventPayload', $r->{payload});
    for my $json (qw(key data row)) {
        is_deeply(defined $payload->{$json} ? $JSON->decode($payload->{$json}) : undef, $e->{$json}, $json);
    }
    if ($i == 0) {
        is($payload->{idempotency_key}, 'once', 'idempotency key');
        is($payload->{idempotency_scope}, '/create', 'and its scope');
        is(length $payload->{args_hash}, 32, 'and the arguments\' hash');
    } elsif ($i == 3) {
        is_deeply([@{$payload}{qw(idempotency_key idempotency_scope)}], [$e->{id}, '*'], 'an upload\'s id is its key');
    } else {
        ok(!exists $payload->{idempotency_key} && !exists $payload->{args_hash}, 'no idempotency key');
    }
}

# --- CloudEvents: the document's example follows its own table

my $doc = Kappa::Test::read_file("$ROOT/docs/events.md");
my ($event) = map { $JSON->decode($_) } $doc =~ /^(\{"position":.*\})$/m;
my ($cloud) = map { $JSON->decode($_) } $doc =~ /^(\{\n  "specversion".*?^\})$/ms;
my ($seq) = $event->{position} =~ /-(\d+)$/;
is_deeply($cloud, {
    specversion => '1.0', id => $event->{id}, source => 'https://api.example.com/graphql',
    type => "$event->{thing}.$event->{verb}", subject => $event->{key}, time => $event->{time},
    datacontenttype => 'application/json', data => $event->{data}, sequence => sprintf('%020d', $seq),
    kappaposition => $event->{position}, kappaeffect => $event->{effect},
    kappaiss => $event->{actor}{iss}, kappasub => $event->{actor}{sub},
}, 'the example of a CloudEvent');
like($_, qr/^[a-z0-9]{1,20}$/, "$_ is an attribute's name") for keys %$cloud;

$t->no_alerts;
done_testing;
