# What happens to a store behind the server's back: a torn tail is cut, a
# broken record is refused loudly, a store that can't be opened is tried again;
# other sites go on.

use strict;
use warnings;
use File::Path qw(remove_tree);
use Test::More;
use Time::HiRes qw(sleep);
use Kappa::Test;

my $SDL = <<'END';
type Item @view(key: "sku") { sku: ID! n: Int! }
type Query { item(sku: ID!): Item }
type Mutation {
  create(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
}
END

my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    server => 'location /health { kappa_health ready; }');

sub create {
    my ($sku) = @_;
    return $t->graphql('mutation($s: ID!) { create(sku: $s, n: 1) { sku } }', { s => $sku });
}
sub item {
    my ($sku) = @_;
    return $t->graphql('query($s: ID!) { item(sku: $s) { n } }', { s => $sku });
}
sub code { return $_[0]{json}{errors} ? $_[0]{json}{errors}[0]{extensions}{code} : '' }
# Until it is served there is no answer at all, never a wrong one.
sub served {
    my ($sku, $name) = @_;
    my ($right, $wrong) = (0, 0);
    Kappa::Test::wait_until(sub {
        my $r = item($sku);
        return 0 if $r->{status} != 200;
        $r->{json}{data}{item} ? $right++ : $wrong++;
        return $right >= 10 || $wrong;
    }, 15);
    ok($right >= 10 && !$wrong, $name) or diag "$right right, $wrong wrong\n" . $t->log;
}

# Each worker tries again by itself: the next one may need a moment.
sub goes_on {
    my ($sku) = @_;
    my $r;
    Kappa::Test::wait_until(sub { ($r = create($sku))->{status} == 200 }, 15);
    my ($n) = $sku =~ /(\d+)/;
    like($r->{json}{extensions}{kappa}{position}, qr/-$n$/, 'and the log goes on');
}
sub segment { return (sort glob $t->store . '/log/*.seg')[0] }

# Changes a file: the sub gets its bytes.
sub edit {
    my ($path, $change) = @_;
    my $bytes = Kappa::Test::read_file($path);
    $change->($bytes);
    open my $out, '+<:raw', $path or die "$path: $!";
    print $out $bytes;
    close $out;
    truncate $path, length $bytes;
}
sub used {    # bytes up to the last that is not zero
    my ($bytes) = @_;
    return $bytes =~ /^(.*[^\0])\0*$/s ? length $1 : 0;
}

$t->start;
like(create("a$_")->{json}{extensions}{kappa}{position}, qr/-$_$/, "event $_") for 1 .. 5;
ok($t->stop, 'stop');

# --- a torn tail: half a record behind the last

edit(segment(), sub {
    my $end = used($_[0]);
    my $half = substr $_[0], $end - 60, 40;
    substr($_[0], ($end + 7) & ~7, 40) = $half;
});
remove_tree($t->store . '/tail');
$t->start;
is(item('a5')->{json}{data}{item}{n}, 1, 'a torn tail: what was acknowledged is there');
like(create('a6')->{json}{extensions}{kappa}{position}, qr/-6$/, 'and the log goes on behind it');
ok($t->stop, 'stop');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'the store is whole');

# --- a flipped bit in the middle

my $segment = segment();
my $saved = Kappa::Test::read_file($segment);
my ($at) = $saved =~ /a3/g ? $-[0] : 0;
cmp_ok($at, '>', 0, 'a record to break');
edit($segment, sub { substr($_[0], $at, 1) = 'b' });
my $verify = $t->kappa(['verify', '--store', $t->store]);
is($verify->{status}, 1, 'kappa verify finds it');
like($verify->{err} . $verify->{out}, qr/\.seg/, 'and names the file');
remove_tree($t->store . '/views');
$t->start;
my $r = item('a1');
for (1 .. 40) {
    last if $r->{status} == 503;
    sleep 0.1;
    $r = item('a1');
}
is($r->{status}, 503, 'views can not be built from it');
like(code($r), qr/^(?:STORE_UNAVAILABLE|VIEWS_REBUILDING)$/, 'the code');
ok($r->{headers}{'retry-after'}, 'Retry-After');
is(create('a7')->{status}, 503, 'nothing is appended behind it');
is($t->get('/ok')->{body}, "ok\n", 'other locations go on');
is($t->get('/health')->{status}, 503, 'kappa_health says so');
ok(Kappa::Test::wait_until(sub { $t->log =~ /\[error\].*kappa "app".*\.seg/ }, 5),
    'the error log names the file');
Kappa::Test::write_file($segment, $saved);
served('a3', 'mended: served again, without a restart');
goes_on('a7');
ok($t->stop, 'stop');

# --- a store that can't be opened

my $epoch = Kappa::Test::read_file($t->store . '/log/epoch');
Kappa::Test::write_file($t->store . '/log/epoch', 'NOT AN EPOCH');
$t->start;
$r = item('a1');
is($r->{status}, 503, 'a log that is none');
is(code($r), 'STORE_UNAVAILABLE', 'the code');
is(code(create('a8')), 'STORE_UNAVAILABLE', 'for mutations too');
is($t->get('/ok')->{body}, "ok\n", 'other locations go on');
Kappa::Test::write_file($t->store . '/log/epoch', $epoch);
served('a1', 'mended: served, without a restart');
goes_on('a8');
ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
