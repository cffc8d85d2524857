# examples/shop/reorder.mjs: a service in Node that joins through the log. It
# and nginx are killed while everybody orders; its view is right at the end, and
# what it appended is in the log exactly once.

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Example;

my $JSON = $Kappa::Test::JSON;
my ($LOW, $BATCH) = (5, 20);    # as in reorder.mjs
my $seed = Kappa::Test::seed();

my $shop = Kappa::Example->new('shop', workers => 4);
$shop->import_data;
$shop->start;
my $file = $shop->dir . '/reorder.json';
my $service;

sub start_service {
    $service = fork // die "fork: $!";
    return if $service;
    $ENV{TOKEN} = $shop->token(['reorder', 'scope=log:read log:write']);
    open STDOUT, '>>', $shop->dir . '/logs/reorder';
    open STDERR, '>&', \*STDOUT;
    { exec 'node', "$Kappa::Test::ROOT/examples/shop/reorder.mjs",
        'http://127.0.0.1:' . $shop->port . '/events', $file; }
    POSIX::_exit(127);
}

sub kill_service {
    kill 'KILL', $service;
    waitpid $service, 0;
    undef $service;
}

my $owner = $$;
END { kill 'KILL', $service if $service && $$ == $owner }

sub state_of_service {
    return eval { $JSON->decode(Kappa::Test::read_file($file)) } // {};
}

# Where the log ends, and the service has come there.
sub caught_up {
    return Kappa::Test::wait_until(sub {
        my $position = $shop->graphql('{ __typename }')
            ->{headers}{'kappa-position'} // return;
        return (state_of_service()->{position} // '') eq $position;
    }, 60);
}

# Retries until there is an answer, as clients do, with one key.
sub until_answered {
    my ($who, $mutation, $key) = @_;
    my $end = time + 60;
    while (time < $end) {
        my $answer = $shop->ask($who, $mutation, undef,
            'Idempotency-Key' => $key);
        my $code = $answer->{json}{errors}[0]{extensions}{code} // '';
        return 1 if $answer->{status} == 200 && $answer->{json}
            && $code !~ /^(?:OUTCOME_UNKNOWN|OVERLOADED|VIEWS_REBUILDING)$/;
        sleep 0.05;
    }
    die "no answer: $mutation";
}

start_service();
ok(caught_up(), 'the service has read what there was')
    or diag Kappa::Test::read_file($shop->dir . '/logs/reorder');
is($shop->data(undef, '{ product(sku: "pu-erh") { stock } }')->{product}{stock},
    2 + $BATCH, 'and ordered what was low');

my @skus = qw(cup pot sieve kettle sencha assam mint pu-erh);
my $crowd = fork // die "fork: $!";
if (!$crowd) {
    my $failed = $shop->crowd(12, sub {
        my ($i) = @_;
        srand $seed + $i;
        my $who = (qw(ann bob eve))[$i % 3];
        for my $n (1 .. Kappa::Test::rounds(30, 600)) {
            my $lines = join ', ', map { "{sku: \"$skus[rand @skus]\", count: "
                . (1 + int rand 4) . '}' } 0 .. rand 2;
            until_answered($who, "mutation { place(lines: [$lines])
                { order { id } } }", "$seed-$i-$n");
            sleep rand 0.1;
        }
        return 1;
    });
    POSIX::_exit($failed ? 1 : 0);
}
my $kills = 0;
my $end = time + Kappa::Test::rounds(120, 1800);
until (waitpid($crowd, POSIX::WNOHANG) == $crowd) {
    last if time > $end;
    sleep 0.1 + rand 0.4;
    if (rand() < 0.5) {
        kill_service();
        sleep rand 0.3 if rand() < 0.5;
        start_service();
    } elsif (rand() < 0.5) {
        my @workers = $shop->workers;
        kill 'KILL', $workers[rand @workers] if @workers;
    } else {
        $shop->kill_all;
        sleep rand 0.2;
        $shop->start;
    }
    $kills++;
}
is($?, 0, 'all ordered') and cmp_ok($kills, '>', 0, "$kills kills meanwhile");
kill_service();
start_service();
ok(caught_up(), 'the service has caught up')
    or diag Kappa::Test::read_file($shop->dir . '/logs/reorder');

# What the service should have done, by the log.
my (%stock, %awaited, @wanted, @delivered);
for my $e ($shop->events) {
    my ($key, $data, $type) = (@$e{qw(key data)}, "$e->{thing}.$e->{verb}");
    my @changes = $type eq 'Product.offered' ? [$key, $data->{stock}]
        : $type eq 'Product.delivered' ? [$key, $data->{count}]
        : $type eq 'Order.placed' ? map { [$_->{sku}, -$_->{count}] }
            @{ $data->{lines} }
        : $type eq 'Order.cancelled' ? map { [$_->{sku}, $_->{count}] }
            @{ $e->{row}{lines} }
        : ();
    if ($type eq 'Product.delivered' && ($e->{actor}{sub} // '') eq 'reorder') {
        push @delivered, "$key $e->{id}";
        delete $awaited{$key};
    }
    $stock{$_->[0]} += $_->[1] for @changes;
    my %touched;
    for my $sku (grep { !$touched{$_}++ } map { $_->[0] } @changes) {
        next if $stock{$sku} >= $LOW || $awaited{$sku}++;
        push @wanted, "$sku " . join '-', sha1_hex("$e->{id} $sku")
            =~ /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/;
    }
}
s/^(\S+ \S{8}-\S{4}-)(\S{3}-)/${1}8${2}8/ for @wanted;
is_deeply([sort @delivered], [sort @wanted],
    scalar(@wanted) . ' deliveries, each for its reason and once');
cmp_ok(scalar @wanted, '>', 2, 'there were some');
is_deeply(state_of_service()->{stock}, \%stock, 'its view is what the log gives');
is_deeply({ map { $_ => $shop->data(undef, "{ product(sku: \"$_\") { stock } }")
    ->{product}{stock} } @skus }, \%stock, 'and what kappa\'s is');

# Another log under it: it begins anew.
Kappa::Test::write_file($file,
    '{"position":"elsewhere123-7","stock":{"x":1},"awaited":{}}');
kill_service();
start_service();
ok(caught_up(), 'a position of another log');
is_deeply(state_of_service()->{stock}, \%stock, 'the same view');
is(scalar(grep { $_->{verb} eq 'delivered' && ($_->{actor}{sub} // '') eq 'reorder' }
    $shop->events), scalar @wanted, 'and nothing twice');

# An order is forgotten, and so is what it took.
is($shop->kappa(['forget', 'Order', '0de00000-0000-4000-8000-000000000001',
    '--store', $shop->store])->{status}, 0, 'an order is forgotten');
kill_service();
unlink $file;
start_service();
ok(caught_up(), 'read from the first event');
is_deeply(state_of_service()->{stock}, { map { $_ => $shop->data(undef,
    "{ product(sku: \"$_\") { stock } }")->{product}{stock} } @skus },
    'the service and kappa still agree');

kill_service();
ok($shop->stop('QUIT'), 'stop');
$shop->verified;
$shop->no_alerts(qr/exited on signal 9|open socket/);
done_testing;
