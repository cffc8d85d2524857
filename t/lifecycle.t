# Reload and kill -9 during traffic: no acknowledged mutation is lost, none is
# doubled, and the server goes on.

use strict;
use warnings;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $SDL = <<'END';
type Item @view(key: "sku") { sku: ID! n: Int! group: ID! }
type Group @view(key: "name") @groupBy(of: "Item", by: "group") {
  name: ID!
  items: Int! @count
  sum: BigInt! @sum(field: "n")
}
type Query { item(sku: ID!): Item group(name: ID!): Group }
type Mutation {
  create(sku: ID!, n: Int!, group: ID!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
}
END

Kappa::Test::seed();

my $t = Kappa::Test->new(schema => $SDL, workers => 4);
$t->start;

my $CLIENTS = 4;
my $SECONDS = Kappa::Test::rounds(6, 60);
my @clients;
for my $c (1 .. $CLIENTS) {
    my $file = $t->dir . "/acked.$c";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        push @clients, { pid => $pid, file => $file };
        next;
    }
    open my $acked, '>', $file or POSIX::_exit(1);
    $acked->autoflush(1);
    my $end = time + $SECONDS;
    my $i = 0;
    while (time < $end) {
        my $sku = "c$c-" . ++$i;
        # The same request with the same key until there is an answer.
        while (1) {
            my $r = $t->graphql(
                'mutation($s: ID!, $n: Int!, $g: ID!) { create(sku: $s, n: $n, group: $g) { sku } }',
                { s => $sku, n => $i, g => 'g' . $i % 3 }, 'Idempotency-Key' => $sku);
            if ($r->{status} == 200 && $r->{json}{data}) {
                print $acked "$sku $r->{json}{extensions}{kappa}{position}\n";
                last;
            }
            if ($r->{status} == 200) {
                print $acked "REFUSED $sku $r->{body}\n";
                last;
            }
            sleep 0.01;
        }
    }
    POSIX::_exit(0);
}

my $end = time + $SECONDS - 1;
my ($kills, $reloads) = (0, 0);
while (time < $end) {
    sleep 0.2 + rand 0.5;
    if (rand() < 0.6) {
        my @workers = $t->workers;
        kill 'KILL', $workers[rand @workers] if @workers;
        $kills++;
    } else {
        kill 'HUP', $t->master;
        $reloads++;
    }
}
for my $client (@clients) {
    waitpid $client->{pid}, 0;
    is($?, 0, 'a client ended well');
}
cmp_ok($kills, '>', 0, "$kills workers killed, $reloads reloads");

my (%acked, @refused);
for my $client (@clients) {
    for my $line (split /\n/, Kappa::Test::read_file($client->{file})) {
        if ($line =~ /^REFUSED/) { push @refused, $line; next; }
        my ($sku, $position) = split / /, $line;
        $acked{$sku} = $position;
    }
}
is(scalar @refused, 0, 'none was refused') or diag $refused[0];
cmp_ok(scalar keys %acked, '>', 50, scalar(keys %acked) . ' acknowledged');

my $log = $t->kappa(['log', '--store', $t->store]);
my (%seen, @double, @moved);
my $seq = 0;
for my $line (split /\n/, $log->{out}) {
    my $event = $Kappa::Test::JSON->decode($line);
    my $sku = $event->{data}{sku};
    push @double, $sku if $seen{$sku}++;
    push @moved, $sku if $acked{$sku} && $acked{$sku} ne $event->{position};
    $seq++;
    fail("a gap at $event->{position}") if $event->{position} !~ /-$seq$/;
}
# None of these, with the first few that are.
sub none {
    my ($name, @bad) = @_;
    is(scalar @bad, 0, $name)
        or diag join ' ', grep { defined } @bad[0 .. 9];
}
none('none is doubled', @double);
none('none is lost', grep { !$seen{$_} } keys %acked);
none('each is where its answer said', @moved);
is(scalar(keys %seen), scalar(keys %acked), 'and nothing else is there');

my $r = $t->graphql('{ a: group(name: "g0") { items } b: group(name: "g1") { items } c: group(name: "g2") { items } }');
my $sum = 0;
$sum += $r->{json}{data}{$_}{items} for qw(a b c);
is($sum, $seq, 'the views agree') or diag $r->{body};
my $verify = $t->kappa(['verify', '--store', $t->store]);
is($verify->{status}, 0, 'kappa verify') or diag $verify->{err} . $verify->{out};
ok($t->graphql('mutation { create(sku: "last", n: 1, group: "g0") { sku } }')->{json}{data},
    'the server works');

# The master killed, workers with it; then all anew.
$t->kill_all;
$t->start;
is($t->graphql('{ item(sku: "last") { n } }')->{json}{data}{item}{n}, 1,
    'after kill -9 of all: still there');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts(qr/exited on signal 9|open socket/);
done_testing;
