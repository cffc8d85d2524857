# A generation being built beside the one that serves: how far it is is told,
# clients notice nothing, and who builds may be killed at any moment.

use strict;
use warnings;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $EVENTS = 40_000;
my $SDL = <<'END';
type Item @view(key: "sku") @index(fields: ["group", "n"]) {
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

my $t = Kappa::Test->new(schema => $SDL, workers => 2, server => <<'END');
        location = /health { kappa_health ready; }
        location = /metrics { kappa_metrics; }
END
my $store = $t->store;
my $r = $t->kappa(['import', '-', '--store', $store, '--schema',
        $t->dir . '/schema.graphql'],
    stdin => join '', map {
        my $group = $_ % 100;
        qq({"thing":"Item","verb":"created","key":"i$_","effect":"CREATE",)
            . qq("data":{"sku":"i$_","n":$_,"group":"g$group"}}\n)
    } 1 .. $EVENTS);
is($r->{status}, 0, "$EVENTS events") or diag $r->{err};
$t->start;

sub current {
    return Kappa::Test::read_file("$store/views/current") =~ /(\d+)/
        ? $1 + 0 : 0;
}

sub directories { return scalar(() = glob "$store/views/[0-9]*") }

sub state_of { return $t->get('/health')->{json}{views}{app} }

sub metric {
    my ($name) = @_;
    return $t->get('/metrics')->{body} =~ /^\Q$name\E\{[^}]*\} (\S+)$/m
        ? $1 : undef;
}

sub start_rebuild {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDERR, '>', $t->dir . '/rebuild.err';
        { exec $Kappa::Test::KAPPA, 'rebuild', '--store', $store; }
        POSIX::_exit(127);
    }
    return $pid;
}

# Stopped half way: past its beginning, before its end, so with no lock.
sub start_and_stop {
    for (1 .. 20) {
        my $pid = start_rebuild();
        while (waitpid($pid, WNOHANG) == 0) {
            my $build = state_of()->{build} or next;
            next if !$build->{built};
            kill STOP => $pid;
            $build = state_of()->{build};
            return ($pid, $build)
                if $build && $build->{total} - $build->{built} > 3000;
            kill CONT => $pid;
            waitpid $pid, 0;
            last;
        }
    }
    die "no build was seen half way\n";
}

my $created = 0;
sub create {
    my $n = ++$created;
    return $t->graphql(
        'mutation($s: ID!) { create(sku: $s, n: 1, group: "new") { n } }',
        { s => "new$n" });
}

# The longest that any of some requests took.
sub slowest {
    my ($rounds) = @_;
    my $worst = 0;
    for (1 .. $rounds) {
        for my $ask (sub { $t->graphql('{ group(name: "g1") { items } }') },
            \&create)
        {
            my $begun = time;
            my $answer = $ask->();
            my $took = time - $begun;
            if ($answer->{status} != 200 || $answer->{json}{errors}) {
                diag $answer->{body};
                return 1e9;
            }
            $worst = $took if $took > $worst;
        }
    }
    return $worst;
}

# --- half way

my $serving = current();
is(state_of()->{build}, undef, 'nothing is built');
is(metric('kappa_build_running'), 0, 'a metric says so');
my ($pid, $build) = start_and_stop();
is($build->{generation}, $serving + 1, '/health names the generation');
cmp_ok($build->{built}, '>', 0, 'how many events it has');
cmp_ok($build->{total}, '>=', $EVENTS, 'of how many');
is($build->{percent}, sprintf('%.1f', 100 * $build->{built} / $build->{total})
    + 0, 'in percent');
cmp_ok($build->{eta_seconds}, '>=', 0, 'how long it will take');
is(metric('kappa_build_running'), 1, 'kappa_build_running');
is(metric('kappa_build_position'), $build->{built}, 'kappa_build_position');
is(metric('kappa_build_target'), $build->{total}, 'kappa_build_target');
ok(defined metric('kappa_build_eta_seconds'), 'kappa_build_eta_seconds');
is(metric('kappa_generation'), $serving, 'the one before serves');
my $worst = slowest(20);
cmp_ok($worst, '<', 5, sprintf 'answers go on: %.0f ms at worst',
    1000 * $worst);
$r = $t->kappa(['rebuild', '--store', $store]);
is($r->{status}, 1, 'a second builder');
like($r->{err}, qr/another process builds/, 'is told of the first');

# --- to the end, under load

kill CONT => $pid;
my $slow = 0;
while (waitpid($pid, WNOHANG) == 0) {
    my $one = slowest(1);
    $slow = $one if $one > $slow;
}
is($?, 0, 'the build goes on to its end');
cmp_ok($slow, '<', 5, sprintf 'nobody waited long: %.0f ms at worst',
    1000 * $slow);
is(current(), $serving + 1, 'it serves');
my $items = qr/"items":$created\D/;
ok(Kappa::Test::wait_until(sub {
    !grep { $t->graphql('{ group(name: "new") { items } }')->{body} !~ $items }
        1 .. 8
}), 'nothing is lost');

# --- killed, again and again

for my $round (1 .. 4) {
    my ($builder) = start_and_stop();
    kill KILL => $builder;
    waitpid $builder, 0;
    is(state_of()->{build}, undef, "killed half way ($round): nobody builds");
    is(current(), $serving + 1, 'what served serves');
    cmp_ok(slowest(2), '<', 5, 'and takes mutations');
}
$r = $t->kappa(['rebuild', '--store', $store]);
is($r->{status}, 0, 'the next build is whole') or diag $r->{err};
is(directories(), 2, 'and nothing is left behind');
cmp_ok(current(), '>', $serving + 1, 'it serves');

# --- workers that build, killed

(my $other = $SDL) =~ s/items: Int! \@count/$&\n  most: Int \@max(field: "n")/;
$t->schema($other);
my $before = current();
$t->reload;
for (1 .. 3) {
    my @workers = $t->workers;
    kill KILL => @workers;
    my %old = map { $_ => 1 } @workers;
    Kappa::Test::wait_until(sub { 2 <= grep { !$old{$_} } $t->workers });
}
ok(Kappa::Test::wait_until(sub { current() > $before }, 60),
    'the workers that come after them build it');
ok(Kappa::Test::wait_until(sub {
    ($t->graphql('{ group(name: "g1") { most } }')->{body} // '')
        =~ /"most":39901\D/
}), 'it serves');
is($t->kappa(['verify', '--store', $store])->{status}, 0, 'kappa verify');
is(directories(), 2, 'nothing is left behind');
ok($t->stop, 'it ends in time');
done_testing;
