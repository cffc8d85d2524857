# examples/shop: its README, who sees what, and that stock, names, versions
# and sums stay right with everybody at it at once.

use strict;
use warnings;
use Test::More;
use Kappa::Example;

my $JSON = $Kappa::Test::JSON;
my $CLIENTS = 20;
my $ROUNDS = Kappa::Test::rounds(15, 400);
my $seed = Kappa::Test::seed();

Kappa::Example::readme('shop');

my $shop = Kappa::Example->new('shop', workers => 4);
$shop->import_data;
$shop->start;
my $SAM = ['sam', 'staff'];

my $PLACE = 'mutation($lines: [LineInput!]!, $key: ID) {
    place(lines: $lines, key: $key) { order { id total } duplicate } }';

sub place {
    my ($who, $lines, $key) = @_;
    my @lines = map { { sku => $_->[0], count => $_->[1],
        $_->[2] ? (price => $_->[2]) : () } } @$lines;
    my $answer = $shop->ask($who, $PLACE, { lines => \@lines, key => $key })
        ->{json};
    return $answer->{data}{place} // $answer->{errors}[0]{extensions}{code};
}

sub product {
    my ($sku, $fields) = @_;
    return $shop->data(undef, "{ product(sku: \"$sku\") { $fields } }")
        ->{product};
}

# --- who sees what

my $ANNS = '0de00000-0000-4000-8000-000000000001';
my $lookup = "{ order(id: \"$ANNS\") { total items { sku } } }";
is($shop->data('ann', $lookup)->{order}{total}, '5180', 'one\'s own order');
is($shop->data($SAM, $lookup)->{order}{total}, '5180', 'staff sees it');
is($shop->data($_, "{ order(id: \"$ANNS\") { customerInfo { name } } }")
    ->{order}{customerInfo}{name}, 'Ann', 'and whose it is') for $SAM, 'ann';
for my $who ('bob', undef) {
    my $name = $who // 'nobody';
    is($shop->data($who, $lookup)->{order}, undef, "not $name");
    is($shop->code($who, "mutation { cancel(id: \"$ANNS\") { id } }"),
        'NOT_FOUND', "nor can $name cancel it");
}
is($shop->code('bob', '{ myOrders(customer: "ann") { nodes { id } } }'),
    'VALIDATION_FAILED', 'nobody can say that they are Ann');
is($shop->code(undef, '{ myOrders { nodes { id } } }'), 'UNAUTHENTICATED',
    'nor be nobody');
is_deeply($shop->data('dan', '{ me { name } myOrders { nodes { id } } }'),
    { me => undef, myOrders => { nodes => [] } }, 'an unknown has nothing');
is(place('dan', [['cup', 1]]), 'NOT_REGISTERED', 'and orders nothing');
is($shop->code('ann', $_), 'FORBIDDEN', "for staff: $_") for
    '{ days { day } }', '{ open { nodes { id } } }',
    'mutation { deliver(sku: "cup", count: 9) { stock } }',
    'mutation { change(sku: "cup", version: 1, price: 1) { price } }',
    'mutation { offer(sku: "x", name: "x", category: "x", price: 1) { sku } }',
    "mutation { send(id: \"$ANNS\") { id } }";

my $bobs = $shop->watch('bob', 'subscription { orders { customer total } }');
my $sams = $shop->watch($SAM, 'subscription { orders { customer total } }');
my $other = $shop->watch('bob', "subscription { order(id: \"$ANNS\") { state } }");
is_deeply($other->next->{json}{data}, { order => undef }, 'live: not there');
ok(ref place('ann', [['mint', 1]]), 'Ann orders');
ok(ref place('bob', [['mint', 2]]), 'Bob orders');
is_deeply($bobs->next->{json}{data}{orders},
    { customer => 'bob', total => '840' }, 'Bob hears of his own alone');
is($sams->next->{json}{data}{orders}{customer}, $_, "Sam of $_\'s")
    for qw(ann bob);

# --- one order

is(place('bob', [['cup', 2], ['none', 1]]), 'NO_SUCH_PRODUCT', 'a line too many');
is(place('bob', [['cup', 2], ['mint', 0]]), 'BAD_COUNT', 'a line of nothing');
is(place('bob', []), 'BAD_COUNT', 'no line');
is(place('bob', [['cup', 1, 449]]), 'PRICE_CHANGED', 'another price than was seen');
is($shop->code('bob', 'mutation { place(key: "", lines: [{sku: "cup", count: 1}])
    { duplicate } }'), 'BAD_USER_INPUT', 'a key that is none');
is(place('bob', [['cup', 2], ['pu-erh', 2], ['pu-erh', 1]]), 'OUT_OF_STOCK',
    'two lines of one product take both');
is_deeply(product('cup', 'stock sold'), { stock => 116, sold => 4 },
    'a refused order takes nothing');
my $order = place('bob', [['cup', 2, 450], ['cup', 3, 450]])->{order};
is($order->{total}, '2250', 'a product twice');
is_deeply($shop->data('bob', "{ order(id: \"$order->{id}\") { lines { count }
    items { count } } }")->{order},
    { lines => [{ count => 2 }, { count => 3 }], items => [{ count => 5 }] },
    'lines as they were sent, items added up');
my $change = 'mutation { change(sku: "cup", version: 1, price: 999) { price } }';
is($shop->data($SAM, $change)->{change}{price}, 999, 'another price');
is($shop->data('bob', "{ order(id: \"$order->{id}\") { total } }")
    ->{order}{total}, '2250', 'is for orders to come');
is($shop->data('bob', "mutation { cancel(id: \"$order->{id}\") { state } }")
    ->{cancel}{state}, 'CANCELLED', 'cancelled');
is_deeply(product('cup', 'stock sold'), { stock => 116, sold => 4 },
    'what was cancelled is back');
is($shop->code('bob', "mutation { cancel(id: \"$order->{id}\") { state } }"),
    'TOO_LATE', 'once');
is($shop->code($SAM, 'mutation { offer(sku: "mug", name: "Cup", category: "x",
    price: 1) { sku } }'), 'NOT_UNIQUE', 'names are unique');
is($shop->code($SAM, 'mutation { offer(sku: "cup", name: "Mug", category: "x",
    price: 1) { sku } }'), 'ALREADY_EXISTS', 'and so are skus');
is($shop->code($SAM, 'mutation { change(sku: "cup", version: 2, price: -1)
    { price } }'), 'BAD_PRICE', 'a check on a view');

# --- the door for services: what must hold of rows holds there too

my $before = product('cup', 'stock sold');
for my $case (
    [{ customer => 'bob', lines => [{ sku => 'cup', count => -3 }] }, 'BAD_COUNT'],
    [{ customer => 'bob', lines => [{ sku => 'cup', count => 500 }] }, 'OUT_OF_STOCK'],
    [{ customer => 'bob', lines => [{ sku => 'cup', count => 1, price => 1 }] },
        'PRICE_CHANGED'],
    [{ customer => 'dan', lines => [{ sku => 'cup', count => 1 }] }, 'NOT_REGISTERED'],
    [{ customer => 'bob', lines => [{ sku => 'none', count => 1 }] }, 'NOT_FOUND'],
    [{ lines => [{ sku => 'cup', count => 1 }] }, 'BAD_USER_INPUT'],
) {
    my ($data, $code) = @$case;
    my $answer = $shop->http('POST', '/events',
        { $shop->as(['till', 'scope=log:write']) },
        $JSON->encode({ thing => 'Order', verb => 'placed', data => $data }));
    is($answer->{status}, 400, "/events: $code");
    is($answer->{json}{errors}[0]{extensions}{code}, $code, $JSON->encode($data));
    like($answer->{json}{errors}[0]{message}, qr/^line 1: .*[^.;]; nothing /,
        'one sentence');
}
is_deeply(product('cup', 'stock sold'), $before, 'nothing happened');

# --- several in one request: each for itself, one after the other

my $two = $shop->ask('eve', 'mutation { a: place(lines: [{sku: "pu-erh", count: 1}])
    { order { total } } b: place(lines: [{sku: "pu-erh", count: 2}]) { order { total } }
    c: place(lines: [{sku: "pu-erh", count: 1}]) { order { total } } }')->{json};
is_deeply($two->{data}, { a => { order => { total => '8900' } }, b => undef,
    c => { order => { total => '8900' } } }, 'what is left goes to whom it suits');
is_deeply([map { [$_->{path}, $_->{extensions}{code}] } @{ $two->{errors} }],
    [[['b'], 'OUT_OF_STOCK']], 'and who was refused is named');

# --- everybody at once, for the last pieces

my @skus = map { "rare$_" } 1 .. 4;
my %first = map { $_ => 30 + 5 * ord(substr $_, -1) % 7 } @skus;
$shop->data($SAM, "mutation { offer(sku: \"$_\", name: \"$_\",
    category: \"rare\", price: 7, stock: $first{$_}) { sku } }") for @skus;

sub record {
    my ($i, $what) = @_;
    open my $out, '>>', $shop->dir . "/client.$i" or die $!;
    print $out $JSON->encode($what), "\n";
    close $out;
}

# One order of one to three rare products; sometimes sent twice, sometimes
# cancelled, and where the stock ran out sometimes delivered.
sub one_order {
    my ($i, $who, $n) = @_;
    my @lines = map { [$skus[rand @skus], 1 + int rand 4] } 0 .. rand 3;
    my $key = "$seed-$i-$n";
    my $placed = place($who, \@lines, $key);
    if (!ref $placed) {
        record($i, { refused => $placed });
        return if rand() < 0.9;
        my $sku = $lines[0][0];
        $shop->data($SAM, "mutation { deliver(sku: \"$sku\", count: 5) { sku } }")
            or die 'not delivered';
        return record($i, { delivered => $sku });
    }
    record($i, { placed => $placed->{order}{id}, lines => \@lines,
        duplicate => $placed->{duplicate} });
    if (rand() < 0.3) {
        my $again = place($who, \@lines, $key);
        die "not the same again: $again" if !ref $again || !$again->{duplicate}
            || $again->{order}{id} ne $placed->{order}{id};
    }
    if (rand() < 0.2) {
        $shop->data($who, "mutation { cancel(id: \"$placed->{order}{id}\")
            { id } }") or die 'not cancelled';
        record($i, { cancelled => $placed->{order}{id} });
    }
}

# A piece dearer, by who read the version first.
sub dearer {
    my ($i) = @_;
    my $seen = product('sencha', 'price version');
    my $answer = $shop->ask($SAM, 'mutation($version: Int!, $price: Int!) {
        change(sku: "sencha", version: $version, price: $price) { version } }',
        { version => $seen->{version}, price => $seen->{price} + 1 })->{json};
    record($i, { dearer => $answer->{data}{change} ? 1 : 0,
        code => $answer->{errors}[0]{extensions}{code} });
}

my $failed = $shop->crowd($CLIENTS, sub {
    my ($i) = @_;
    srand $seed + $i;
    my $who = "client$i";
    my $named = $shop->ask($who, 'mutation($name: String!) {
        register(name: $name) { id } }', { name => 'Name ' . $i % 7 })->{json};
    my $mine = $named->{data}{register} ? 1 : 0;
    record($i, { registered => $mine, name => $i % 7,
        code => $named->{errors}[0]{extensions}{code} });
    if (!$mine) {
        $shop->data($who, "mutation { register(name: \"$who\") { id } }")
            ->{register} or die 'not registered';
    }
    record($i, { shared => place('bob', [['sieve', 1]], "shared-$seed") });
    for my $n (1 .. $ROUNDS) {
        one_order($i, $who, $n);
        dearer($i) if rand() < 0.2;
    }
    return 1;
});
is($failed, 0, "$CLIENTS clients");
my @notes = map { map { $JSON->decode($_) } split /\n/,
    Kappa::Test::read_file($shop->dir . "/client.$_") } 0 .. $CLIENTS - 1;

my %left = %first;
my %line = map { $_->{placed} ? ($_->{placed} => $_->{lines}) : () } @notes;
$left{$_->{delivered}} += 5 for grep { $_->{delivered} } @notes;
for my $lines (values %line) {
    $left{$_->[0]} -= $_->[1] for @$lines;
}
for my $id (map { $_->{cancelled} // () } @notes) {
    $left{$_->[0]} += $_->[1] for @{ $line{$id} };
}
is_deeply({ map { $_ => product($_, 'stock')->{stock} } @skus }, \%left,
    'the stock is what was there less what was ordered');
my %refused = map { $_ => 1 } map { $_->{refused} // () } @notes;
is(join(' ', sort keys %refused), 'OUT_OF_STOCK',
    'some came too late, and that is all they heard');

# What the log says, one event after the other: no moment below zero.
my (%stock, $lowest, %order, %day);
for my $e ($shop->events) {
    my $data = $e->{data};
    if ($e->{thing} eq 'Product') {
        $stock{$e->{key}} = $data->{stock} // 0 if $e->{verb} eq 'offered';
        $stock{$e->{key}} += $data->{count} if $e->{verb} eq 'delivered';
    }
    next if $e->{thing} ne 'Order';
    if ($e->{verb} eq 'placed') {
        $order{$e->{key}} = { %$e, total => $e->{row}{total},
            day => substr $e->{time}, 0, 10 };
    }
    my $sign = { placed => -1, cancelled => 1 }->{$e->{verb}} // 0;
    $order{$e->{key}}{cancelled} = 1 if $sign > 0;
    for my $line (@{ $order{$e->{key}}{data}{lines} }) {
        $stock{$line->{sku}} += $sign * $line->{count};
        $lowest = $stock{$line->{sku}}
            if !defined $lowest || $stock{$line->{sku}} < $lowest;
    }
}
cmp_ok($lowest, '>=', 0, 'never below zero');
is(scalar(grep { $_->{actor}{sub} && $_->{actor}{sub} =~ /^client/ } values %order),
    scalar keys %line, 'every order that was answered, no other');
is_deeply({ map { $_ => product($_, 'stock')->{stock} } keys %stock }, \%stock,
    'all stocks are what the log adds up to');

my %names = map { $_->{registered} ? ($_->{name} => 1) : () } @notes;
my @losers = grep { exists $_->{name} && !$_->{registered} } @notes;
is(scalar(grep { $_->{registered} } @notes), 7, 'each name once');
is(scalar keys %names, 7, 'all seven of them');
is(scalar(grep { $_->{code} ne 'NOT_UNIQUE' } @losers), 0,
    'the others were told');

my @shared = map { $_->{shared} // () } @notes;
is(scalar(grep { !$_->{duplicate} } @shared), 1, 'one key is one order');
is(scalar(keys %{ { map { $_->{order}{id} => 1 } @shared } }), 1,
    'for everybody');

my $changed = grep { $_->{dearer} } @notes;
my $sencha = product('sencha', 'price version');
is($sencha->{price}, 890 + $changed, 'no change was lost');
is($sencha->{version}, 1 + $changed, 'the version counts them');
ok(!(grep { exists $_->{dearer} && !$_->{dearer}
    && $_->{code} ne 'VERSION_CONFLICT' } @notes), 'who lost was told why');

for my $o (values %order) {
    my $day = $day{"$o->{day}T00:00:00.000Z"} //= { orders => 0, revenue => 0, largest => 0 };
    $day->{orders}++;
    next if $o->{cancelled};
    $day->{revenue} += $o->{total};
    $day->{largest} = $o->{total} if $o->{total} > $day->{largest};
}
my %days = map { my $d = $_; $d->{day} => { map { $_ => 0 + $d->{$_} }
    qw(orders revenue largest) } } @{ $shop->data($SAM,
        '{ days { day orders revenue largest } }')->{days} };
is_deeply(\%days, \%day, 'revenue per day');
my $spent = 0;
for my $o (values %order) {
    $spent += $o->{total} if $o->{data}{customer} eq 'client1' && !$o->{cancelled};
}
is($shop->data('client1', '{ me { spent } }')->{me}{spent}, $spent,
    'what a customer spent');

# --- a rule that was wrong, mended: cancelled orders were counted

my $sdl = Kappa::Test::file('examples/shop/schema.graphql');
ok($sdl =~ s/(  orders: Int! \@count)$/$1(where: "row.state != 'CANCELLED'")/m,
    'another rule');
$shop->schema($sdl);
my %placed;
$_->{cancelled} or $placed{"$_->{day}T00:00:00.000Z"}++ for values %order;
isnt(join(' ', map { $_->{orders} } @days{sort keys %days}), join(' ',
    map { $placed{$_} // 0 } sort keys %days), 'that makes a difference');
ok($shop->reload, 'reload');
my $mended;
Kappa::Test::wait_until(sub {
    my $days = $shop->data($SAM, '{ days { day orders } }')->{days} or return;
    $mended = { map { $_->{day} => $_->{orders} } @$days };
    return 0 == grep { $mended->{$_} != ($placed{$_} // 0) } keys %days;
}, 30);
is_deeply($mended, { map { $_ => $placed{$_} // 0 } keys %days },
    'it holds for what was');
is_deeply({ map { $_ => product($_, 'stock')->{stock} } keys %stock }, \%stock,
    'all else is as before');

ok($shop->stop('QUIT'), 'stop');
$shop->verified;
$shop->no_alerts;
done_testing;
