# Views as large as map_size lets them be: mutations say so, queries go on, and
# a larger map_size mends it. The command line works with nginx's map_size.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 2, schema => <<'END',
type Item @view(key: "sku") { sku: ID! text: String }
type Query { item(sku: ID!): Item }
type Mutation {
  put(sku: ID!, text: String): Item! @event(thing: "Item", verb: "put", effect: PUT)
}
END
    kappa => "        map_size 2m;\n",
    server => "        location = /metrics { kappa_metrics; }\n");
$t->start;

my $text = 'x' x 60_000;
sub put {
    my ($sku) = @_;
    return $t->graphql('mutation($s: ID!, $t: String) { put(sku: $s, text: $t) { sku } }',
        { s => $sku, t => $text });
}

sub map_bytes {
    return $t->get('/metrics')->{body} =~ /^kappa_views_map_bytes\{.*\} (\d+)$/m ? $1 : 0;
}

is(put('first')->{status}, 200, 'a mutation');
is(map_bytes(), 2 << 20, 'the map is what is configured');
my ($r, @there);
for my $n (1 .. 200) {
    $r = put("n$n");
    last if $r->{status} != 200;
    push @there, "n$n";
}
is($r->{status}, 503, 'it is full after ' . @there . ' more');
is($r->{json}{errors}[0]{extensions}{code}, 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE');
like($r->{json}{errors}[0]{message}, qr/map_size/, 'names what to raise');
is($t->graphql('{ item(sku: "first") { sku } }')->{status}, 200, 'queries go on');
is(put('more')->{status}, 503, 'mutations do not');

# Beside it, the command line has no other map.
my $line = qq({"thing":"Item","verb":"put","key":"cli","effect":"PUT","data":{"sku":"cli","text":"$text"}}\n);
my $import = $t->kappa(['import', '-', '--store', $t->store], stdin => $line);
is($import->{status}, 1, 'an import is refused, too');
like($import->{err}, qr/map_size/, 'and names it');

$t->write_config(kappa => "        map_size 64m;\n");
$t->reload;
ok(Kappa::Test::wait_until(sub { put('more')->{status} == 200 }, 30),
    'a larger map_size and a reload mend it');
is(map_bytes(), 64 << 20, 'the map is larger');
for my $sku ('first', @there, 'more') {
    my $item = $t->graphql('query($s: ID!) { item(sku: $s) { sku } }', { s => $sku });
    is($item->{json}{data}{item}{sku}, $sku, "$sku is there") if $sku =~ /[a-z]$|1$/;
}
$import = $t->kappa(['import', '-', '--store', $t->store], stdin => $line);
is($import->{status}, 0, 'an import works again') or diag $import->{err};
$r = $t->kappa(['rebuild', '--store', $t->store]);
is($r->{status}, 0, 'so does a rebuild') or diag $r->{err};
ok(Kappa::Test::wait_until(sub { map_bytes() == 64 << 20 }), 'which keeps the map');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'kappa verify');
ok($t->stop, 'it ends in time');

# A smaller one later changes nothing for views that there are.
$t->write_config(kappa => "        map_size 4m;\n");
$t->start;
is(map_bytes(), 64 << 20, 'a smaller map_size holds from the next build on');
is(put('again')->{status}, 200, 'mutations go on');
$t->no_alerts;
done_testing;
