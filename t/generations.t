# Another schema comes by reload: adopted at once when the views stay what they
# are, built beside and swapped in when they don't. Mutations go on meanwhile.

use strict;
use warnings;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $SDL = <<'END';
type Item @view(key: "sku") @check(if: "row.n < 1000", code: "TOO_MUCH") {
  sku: ID!
  n: Int!
  group: ID!
}
type Group @view(key: "name") @groupBy(of: "Item", by: "group") {
  name: ID!
  items: Int! @count
}
type Query { item(sku: ID!): Item group(name: ID!): Group }
type Mutation {
  create(sku: ID!, n: Int!, group: ID!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
}
END

my $t = Kappa::Test->new(schema => $SDL, workers => 4, server => <<'END');
        location = /health { kappa_health ready; }
        location = /metrics { kappa_metrics; }
END
$t->start;

sub metric {
    my ($name) = @_;
    return $t->get('/metrics')->{body} =~ /^\Q$name\E\{[^}]*\} (\S+)$/m
        ? $1 : undef;
}

sub create {
    my ($sku, $n) = @_;
    return $t->graphql(
        'mutation($s: ID!, $n: Int!) { create(sku: $s, n: $n, group: "g") { n } }',
        { s => $sku, n => $n }, 'Idempotency-Key' => $sku);
}

sub current {
    my $text = eval { Kappa::Test::read_file($t->store . '/views/current') }
        // '';
    return $text =~ /(\d+)/ ? $1 + 0 : 0;
}

# Whatever worker answers: each of these asks for itself, on a new connection.
sub all_say {
    my ($query, $want) = @_;
    for (1 .. 12) {
        my $r = $t->graphql($query);
        return 0 unless ($r->{body} // '') =~ $want;
    }
    return 1;
}

sub within {
    my ($seconds, $check) = @_;
    my $end = time + $seconds;
    until ($check->()) {
        return 0 if time > $end;
        sleep 0.1;
    }
    return 1;
}

is(create('a', 5)->{json}{data}{create}{n}, 5, 'a mutation');
is(create('b', 1000)->{json}{errors}[0]{extensions}{code}, 'TOO_MUCH',
    'a check');
my $first = current();

# --- adopted

(my $sdl = $SDL) =~ s/TOO_MUCH/PLENTY/;
$t->schema($sdl);
$t->reload;
ok(within(10, sub {
    (create('b', 1000)->{json}{errors}[0]{extensions}{code} // '') eq 'PLENTY'
}), 'a schema that changes no view is adopted');
is(current(), $first, 'without another generation');

# --- built beside, while clients write

my $acked = $t->dir . '/acked';
my $client = fork // die "fork: $!";
if ($client == 0) {
    open my $file, '>', $acked or POSIX::_exit(1);
    $file->autoflush(1);
    my $end = time + 8;
    for (my $i = 1; time < $end && !-e "$acked.stop"; $i++) {
        my $r;
        until (($r = create("c$i", $i % 900))->{status} == 200
            && $r->{json}{data})
        {
            POSIX::_exit(2) if time > $end + 10;
            sleep 0.01;
        }
        print $file "c$i\n";
    }
    POSIX::_exit(0);
}

$sdl =~ s/(items: Int! \@count)/$1\n  sum: BigInt! \@sum(field: "n")/;
$t->schema($sdl);
$t->reload;
ok(within(10, sub { current() > $first }), 'another generation serves');
ok(within(10, sub {
    all_say('{ group(name: "g") { sum } }', qr/"sum":"\d+"/)
}), 'and all workers know its field');

my $second = current();
my $r = $t->kappa(['rebuild', '--store', $t->store]);
is($r->{status}, 0, 'kappa rebuild beside a running nginx')
    or diag $r->{err};
is(current(), $second + 1, 'swaps a generation in');
ok(within(10, sub {
    all_say('{ item(sku: "a") { n } }', qr/"n":5/)
}), 'and the workers follow');

Kappa::Test::write_file("$acked.stop", '');
waitpid $client, 0;
is($?, 0, 'the client was answered all the time');

my @acked = split /\n/, Kappa::Test::read_file($acked);
cmp_ok(scalar @acked, '>', 5, scalar(@acked) . ' mutations meanwhile');
my $sum = 5;
$sum += substr($_, 1) % 900 for @acked;
my $items = 1 + @acked;
# A worker reads the generation before until it is woken: moments.
ok(within(5, sub {
    all_say('{ group(name: "g") { items sum } }',
        qr/"items":$items,"sum":"$sum"/)
}), 'each is there once, and counted once')
    or diag $t->graphql('{ group(name: "g") { items sum } }')->{body};

# --- back, beside a running nginx

my $before = current();
$r = $t->kappa(['rebuild', '--store', $t->store, '--rollback']);
is($r->{status}, 0, 'kappa rebuild --rollback') or diag $r->{err};
is($r->{err}, '', 'quiet in a pipe');
is(current(), $before - 1, 'the generation before serves');
ok(within(10, sub {
    all_say('{ group(name: "g") { items sum } }',
        qr/"items":$items,"sum":"$sum"/)
}), 'with what happened since');
is(metric('kappa_generation'), $before - 1, 'kappa_generation');
is($t->get('/health')->{json}{views}{app}{generation}, $before - 1,
    'and /health name it');
is((create('a', 1)->{json}{errors}[0]{extensions}{code} // ''),
    'IDEMPOTENCY_CONFLICT', 'it decides, and no key is forgotten');

# Another schema, and back from it: who starts with it does not get it.
(my $tripled = $sdl) =~ s/field: "n"\)/field: "n", where: "row.n > 5")/;
$t->schema($tripled);
$t->reload;
ok(within(10, sub { current() > $before }), 'another schema serves');
my $tripled_is = current();
$r = $t->kappa(['rebuild', '--store', $t->store, '--rollback']);
is($r->{status}, 0, 'is rolled back') or diag $r->{err};
is(current(), $before - 1, 'to the one before');
$t->kill_worker;
ok(within(10, sub { $t->log =~ /was rolled back; what serves stays/ }),
    'a worker that starts with it says so');
is(current(), $before - 1, 'and leaves it');
ok(within(10, sub {
    all_say('{ group(name: "g") { items sum } }',
        qr/"items":$items,"sum":"$sum"/)
}), 'all answer by the rules before');
$r = $t->kappa(['rebuild', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql']);
is($r->{status}, 0, 'kappa rebuild --schema insists') or diag $r->{err};
cmp_ok(current(), '>', $tripled_is, 'it serves');
$r = $t->kappa(['rebuild', '--store', $t->store, '--rollback']);
is($r->{status}, 0, 'back again') or diag $r->{err};
$t->schema($sdl);
$t->reload;
ok(within(10, sub { current() == $before - 1 && create('y', 0)->{status} == 200 }),
    'the file as it was builds nothing');

# --- a schema that is refused changes nothing

$t->schema("type Query { broken: Nothing }\n");
kill HUP => $t->master;
sleep 0.5;
$t->schema($sdl);
ok(within(5, sub { (create('z', 1)->{json}{data}{create}{n} // 0) == 1 }),
    'a reload with a broken schema leaves all as it was');

$r = $t->kappa(['verify', '--store', $t->store]);
is($r->{status}, 0, 'kappa verify') or diag $r->{err};
ok($t->stop, 'it ends in time');

# --- rules that can't apply what happened

(my $strict = $sdl) =~ s/  n: Int!\n/  n: Int!\n  extra: String!\n/;
$strict =~ s/create\(sku: ID!, n: Int!/create(sku: ID!, n: Int!, extra: String!/;
$t->schema($strict);
my @rebuild = ('rebuild', '--store', $t->store, '--schema',
    $t->dir . '/schema.graphql');
my $serves = current();
$r = $t->kappa([@rebuild, '--strict']);
is($r->{status}, 1, 'a strict rebuild stops');
like($r->{err}, qr/extra/, 'and says why');
is(current(), $serves, 'what serves stays');
$r = $t->kappa(\@rebuild);
is($r->{status}, 0, 'another one goes on') or diag $r->{err};
like($r->{err}, qr/skipped event \d+: .*extra/, 'and lists what it skipped');
cmp_ok(current(), '>', $serves, 'its views serve');
like($r->{err}, qr/^kappa: \d+ events were skipped/m, 'and says how many');
my ($skipped) = $r->{err} =~ /(\d+) events were skipped/;
my @listed = $r->{err} =~ /^kappa: skipped event (\d+):/mg;
my $last = () = $t->kappa(['log', '--store', $t->store])->{out} =~ /\n/g;
is($listed[0], $last, 'the newest first');
cmp_ok(scalar @listed, '<=', 20, 'not all');
$t->start;
is(metric('kappa_skipped_events'), $skipped, 'so does a metric');
is($t->get('/health')->{json}{views}{app}{skipped}, $skipped, 'and /health');
ok($t->stop, 'it ends in time');
done_testing;
