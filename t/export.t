# kappa export and import: NDJSON and CSV, there and back again.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
Kappa::Test::seed();

my $t = Kappa::Test->new(schema => <<'END', workers => 1);
enum Kind { SMALL LARGE }
input Line { sku: ID! count: Int! }
type Item @view(key: "sku") @index(fields: ["n"]) {
  sku: ID!
  n: Int
  big: BigInt
  price: Float
  good: Boolean
  kind: Kind
  at: DateTime
  tags: [String!]
  any: JSON
  text: String
  twice: Int @computed(as: "row.n == null ? 0 : row.n * 2")
}
type Seat @view(key: ["hall", "number"]) { hall: ID! number: Int! by: String }
type Point @view(key: ["x", "y"]) { x: Float! y: Boolean! n: Int }
type Order @view { id: ID! lines: [JSON] at: DateTime @stamp(as: "now") by: String @stamp(as: "auth.sub") }
type Query { item(sku: ID!): Item seat(hall: ID!, number: Int!): Seat order(id: ID!): Order point(x: Float!, y: Boolean!): Point }
type Mutation {
  put(sku: ID!, n: Int, big: BigInt, price: Float, good: Boolean, kind: Kind, at: DateTime, tags: [String!], any: JSON, text: String): Item!
    @event(thing: "Item", verb: "put", effect: PUT)
  drop(sku: ID!): Item @event(thing: "Item", verb: "dropped", effect: DELETE)
  sit(hall: ID!, number: Int!, by: String): Seat! @event(thing: "Seat", verb: "taken", effect: PUT)
  mark(x: Float!, y: Boolean!, n: Int): Point! @event(thing: "Point", verb: "marked", effect: UPSERT)
  order(lines: [Line!]!): Order! @event(thing: "Order", verb: "placed", effect: CREATE)
}
END
my $store = $t->store;
my $schema = $t->dir . '/schema.graphql';
my $other = $t->dir . '/data/other';
$t->start;
# A command without a schema needs the views that the first worker makes.
ok(Kappa::Test::wait_until(sub { ($t->graphql('{ item(sku: "a") { n } }')->{json} // {})->{data} }), 'the store is there');

sub kappa { return $t->kappa([@_], timeout => 120) }
sub import_text {
    my ($text, @more) = @_;
    return $t->kappa(['import', '-', '--store', $store, @more], stdin => $text);
}
sub log_of {
    my ($dir) = @_;
    my @log = map { $JSON->decode($_) } split /\n/, kappa('log', '--store', $dir)->{out};
    delete @$_{qw(position actor)} for @log;
    return \@log;
}

# --- wrong calls

for my $case (['export'], ['export', 'x', '--store', $store], ['export', '--store', $store, '--format', 'xml'],
    ['export', '--store', $store, '--view', 'Item', '--thing', 'Item'],
    ['import', '-', '--store', $store, '--thing', 'Item', '--verb', 'put'],
    ['import', '-', '--store', $store, '--format', 'csv', '--thing', 'Item'],
    ['import', '-', '--store', $store, '--format', 'csv', '--id', 'x'],
    ['import', '-', '--store', $store, '--format', 'tsv'])
{
    is(kappa(@$case)->{status}, 2, "@$case is a wrong call");
}
is(kappa('export', '--store', "$store/nosuch")->{status}, 1, 'no store');
like(kappa('export', '--store', $store, '--view', 'Nosuch')->{err}, qr/there is no view Nosuch/, 'no view');
is(kappa('export', '--store', $store, '--format', 'csv')->{out},
    "position,id,time,iss,sub,thing,verb,key,effect,data,row\n", 'no events');
is(kappa('export', '--store', $store, '--view', 'Seat', '--format', 'csv')->{out}, "hall,number,by\n", 'no rows');

# --- columns to fields

my $csv = <<'END';
sku,n,big,price,good,kind,at,tags,any,text
bash,1,9007199254740993,1.5,true,SMALL,2026-11-20T10:25:00Z,"[""a"",""b""]","{""x"": [1]}","one, ""two""
three"
zsh,,,,,,,,,
"5",-7,-1,2,false,LARGE,2026-11-20T10:25:00.5+01:00,[],null,""
END
my $r = import_text("\xef\xbb\xbf$csv", '--format', 'csv', '--thing', 'Item', '--verb', 'put');
is($r->{status}, 0, 'CSV') or diag $r->{err};
my $item = '{ sku n big price good kind at tags any text }';
my $data = $t->graphql(qq({ a: item(sku: "bash") $item b: item(sku: "zsh") $item c: item(sku: "5") $item }))->{json}{data};
is_deeply($data->{a}, { sku => 'bash', n => 1, big => '9007199254740993', price => 1.5, good => JSON::PP::true(),
    kind => 'SMALL', at => '2026-11-20T10:25:00.000Z', tags => ['a', 'b'], any => { x => [1] },
    text => qq(one, "two"\nthree) }, 'every type');
is_deeply([grep { defined $data->{b}{$_} } sort keys %{ $data->{b} }], ['sku'], 'nothing is null');
is($data->{c}{text}, '', 'a quoted nothing is a text');
is($data->{c}{at}, '2026-11-20T09:25:00.500Z', 'a time of elsewhere');
is(scalar @{ log_of($store) }, 3, 'three events');
is(import_text($csv, '--format', 'csv', '--thing', 'Item', '--verb', 'put')->{status}, 0, 'again');
is(scalar @{ log_of($store) }, 3, 'appends nothing: a line is its own id');
Kappa::Test::write_file($t->dir . '/data/more.csv', "$csv\n\nfish,1,,,,,,,,\n");
is(kappa('import', $t->dir . '/data/more.csv', '--store', $store, '--thing', 'Item', '--verb', 'put')->{status}, 0,
    'a file of that name, longer');
is(scalar @{ log_of($store) }, 4, 'appends what is new');
is(import_text("line,when,hall,number,by\n7,2020-01-02T03:04:05Z,h,1,ann\n8,2020-01-02T03:04:06Z,h,1,ann\n",
    '--format', 'csv', '--thing', 'Seat', '--verb', 'taken', '--id', 'line', '--time', 'when')->{status}, 0, 'an id column');
my $log = log_of($store);
is(scalar @$log, 6, 'tells lines apart that are else the same');
is($log->[5]{time}, '2020-01-02T03:04:06.000Z', 'the time of the line');
is_deeply($log->[5]{key}, ['h', 1], 'a composite key');
is_deeply($log->[5]{data}, { hall => 'h', number => 1, by => 'ann' }, 'only fields are in data');
is(import_text("a,b\n1,x\n", '--format', 'csv', '--thing', 'Weather', '--verb', 'seen')->{status}, 0, 'a thing that nobody knows');
is_deeply(log_of($store)->[6]{data}, { a => '1', b => 'x' }, 'has strings');

# --- what is wrong, and where

for my $case (
    ["sku,nosuch\nx,1\n", qr/^stdin:1: the column "nosuch" is no field of Item/m],
    ["sku,sku\nx,1\n", qr/^stdin:1: column 2 has the name of one before/m],
    ["sku,\nx,1\n", qr/^stdin:1: column 2 has no name/m],
    ["sku,n\nw1,1\nw2,many\n", qr/^stdin:3: n must be a whole number, not "many"/m, 1],
    ["sku,n\n\"w\n3\",1\nw4\n", qr/^stdin:4: it has 1 fields, and there are 2 columns/m, 1],
    ["sku,price\nw5,1.5e\n", qr/^stdin:2: price must be a number/m],
    ["sku,good\nw6,yes\n", qr/^stdin:2: good must be true or false/m],
    ["sku,tags\nw7,a b\n", qr/^stdin:2: tags must be JSON/m],
    ["sku,n\nw8,99999999999\n", qr/^stdin:2: .*n/m],
    ["sku,kind\nw9,HUGE\n", qr/^stdin:2: .*kind/m],
    ["sku,at\nw10,yesterday\n", qr/^stdin:2: .*at/m],
    ["n\n1\n", qr/^stdin:2: .*sku is needed/m],
    ["sku,n\n\"w11,1\n", qr/^stdin:2: it ends inside quotes/m],
    ["sku,n\nw12,\"1\"2\n", qr/^stdin:2: text stands behind/m],
    ["sku\n\xff\n", qr/^stdin:2: it is not UTF-8/m],
    ["sku,text\nx," . 'y' x 5_000_000 . "\n", qr/^stdin:2: it is too long/m],
) {
    my ($text, $says, $before) = @$case;
    my $count = @{ log_of($store) };
    $r = import_text($text, '--format', 'csv', '--thing', 'Item', '--verb', 'put');
    is($r->{status}, 1, substr($text, 0, 40) =~ s/\n/|/gr);
    like($r->{err}, $says, 'says where and what');
    like($r->{err}, qr/nothing from it on was appended/, 'and what happened');
    is(scalar @{ log_of($store) }, $count + ($before // 0), 'so it is');
}
like(import_text("thing,verb,wat\n", '--format', 'csv')->{err}, qr/"wat" is no member of an event/, 'no member');
like(import_text("a\n", '--format', 'csv', '--thing', 'T', '--verb', 'v', '--id', 'b')->{err}, qr/there is no column "b"/, 'no such column');
is(import_text('', '--format', 'csv')->{status}, 0, 'nothing at all');

# --- there and back: random events by all ways, into another store

sub text {
    return join '', map { ('a', ' ', ',', '"', "\n", 'é', '\\', '[', '5', "\x{1f600}", 'null', "\t")[rand 12] } 1 .. rand 8;
}
sub literal { my ($v) = @_; my $s = $JSON->encode([$v]); $s =~ s/^\[|\]$//g; return $s }
for (1 .. Kappa::Test::rounds(80, 2000)) {
    my $sku = literal('k' . int(rand 10) . text());
    my $m = (
        sub { "put(sku: $sku, n: " . int(rand 100) . ', text: ' . literal(text()) . ', price: ' . rand(10) . ', any: {a: [1, null]}, tags: ["x"]) { sku }' },
        sub { "drop(sku: $sku) { sku }" },
        sub { 'sit(hall: ' . literal(text()) . ', number: ' . int(rand 5) . ', by: ' . literal(text()) . ') { by }' },
        sub { 'order(lines: [{sku: "a", count: ' . int(rand 5) . '}]) { id }' },
        sub { 'mark(x: ' . int(rand 8) / 4 . ', y: ' . (rand() < 0.5 ? 'true' : 'false') . ', n: 1) { n }' },
    )[rand 5]->();
    my $answer = $t->graphql("mutation { $m }");
    diag $answer->{body} if $answer->{json}{errors} && $answer->{body} !~ /NOT_FOUND/;
}
import_text(join '', map { $JSON->encode({ thing => 'Free', verb => 'said', key => $_, data => { said => text() } }) . "\n" }
    '5', 5, ['x', 5], '["x",5]', '"', 'null', '', 'true', -1, ' ');
$log = log_of($store);
for my $format ('ndjson', 'csv') {
    my $out = kappa('export', '--store', $store, '--format', $format);
    is($out->{status}, 0, "export of $format") or diag $out->{err};
    my $into = "$other-$format";
    $r = $t->kappa(['import', '-', '--store', $into, '--schema', $schema, '--format', $format], stdin => $out->{out}, timeout => 120);
    is($r->{status}, 0, "import of $format") or diag $r->{err};
    my $back = log_of($into);
    my ($different) = grep { $JSON->encode($log->[$_]) ne $JSON->encode($back->[$_] // 'none') } 0 .. $#$log;
    ok(@$back == @$log && !defined $different, 'ids, times, keys, effects, data and rows are kept')
        or diag explain [scalar @$log, scalar @$back, map { $_->[$different // 0] } $log, $back];
    is(kappa('verify', '--store', $into)->{status}, 0, 'whole');
    is($t->kappa(['import', '-', '--store', $into, '--format', $format], stdin => $out->{out}, timeout => 120)->{status}, 0, 'again');
    is(scalar @{ log_of($into) }, scalar @$log, 'appends nothing');
    for my $view (qw(Item Seat Point Order)) {
        is(kappa('export', '--store', $into, '--view', $view)->{out}, kappa('export', '--store', $store, '--view', $view)->{out},
            "the rows of $view are the same");
    }
}

# --- rows as CSV are a file to import, too

my $rows = kappa('export', '--store', $store, '--view', 'Item', '--format', 'csv')->{out};
is($t->kappa(['import', '-', '--store', "$other-rows", '--schema', $schema, '--format', 'csv', '--thing', 'Item',
    '--verb', 'imported', '--effect', 'PUT'], stdin => $rows, timeout => 120)->{status}, 0, 'rows are imported');
is(kappa('export', '--store', "$other-rows", '--view', 'Item', '--format', 'csv')->{out}, $rows, 'and are the same');

# --- filters, and what is forgotten

is(scalar(() = kappa('export', '--store', $store, '--thing', 'Order', '--limit', 3)->{out} =~ /\n/g), 3, 'filters');
is(kappa('forget', 'Free', '["x", 5]', '--store', $store)->{status}, 0, 'forget');
unlike(kappa('export', '--store', $store, '--thing', 'Free')->{out}, qr/null,"effect"/, 'is left out');
$r = system("$Kappa::Test::KAPPA export --store $store > /dev/full 2> /dev/null") >> 8;
is($r, 1, 'a full disk is no success');
# --- a long one

my $lines = join '', map { "long$_,$_,\"" . 'x' x 500 . "\"\n" } 1 .. 8000;
$r = import_text("sku,n,text\n$lines", '--format', 'csv', '--thing', 'Item', '--verb', 'put');
is($r->{status}, 0, '8,000 lines') or diag $r->{err};
is(scalar(grep { /^long/ } split /\n/, kappa('export', '--store', $store, '--view', 'Item', '--format', 'csv')->{out}), 8000, 'as many rows');

ok($t->stop('QUIT'), 'an orderly end');
$t->no_alerts;
done_testing;
