# kappa forget: personal data leaves the log and the views, beside a running
# nginx and whenever it is killed.

use strict;
use warnings;
use File::Find;
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
Kappa::Test::seed();

my $t = Kappa::Test->new(schema => <<'END', workers => 2);
type Customer @view(key: "id")
  @on(thing: "Order", verb: "placed", key: "event.data.customer",
      set: "orders = row.orders + 1") {
  id: ID!
  name: String!
  mail: String
  orders: Int! @default(as: "0")
  town: ID
}
type Town @view(key: "id") @groupBy(of: "Customer", by: "town") { id: ID! people: Int! @count }
type Order @view { id: ID! customer: ID! total: Int! }
type Query {
  customer(id: ID!): Customer
  order(id: ID!): Order
  town(id: ID!): Town
}
type Mutation {
  join(id: ID!, name: String!, mail: String, town: ID): Customer!
    @event(thing: "Customer", verb: "joined", effect: CREATE)
  move(id: ID!, town: ID): Customer @event(thing: "Customer", verb: "moved", effect: PATCH)
  order(id: ID!, customer: ID!, total: Int!): Order!
    @event(thing: "Order", verb: "placed", effect: CREATE)
}
type Subscription { customer(id: ID!): Customer town(id: ID!): Town }
END
$t->start;
my $store = $t->store;

sub mutate {
    my ($text) = @_;
    my $r = $t->graphql("mutation { $text }");
    ok(!$r->{json}{errors}, $text) or diag $r->{body};
}
sub query { return $t->graphql("{ $_[0] }")->{json}{data} }
sub kappa { return $t->kappa([@_, '--store', $store], timeout => 120) }
sub events { return map { $JSON->decode($_) } split /\n/, kappa('log')->{out} }

# Files of the store that have a text in them.
sub traces {
    my ($text) = @_;
    my @found;
    find({ no_chdir => 1, wanted => sub {
        push @found, $_ if -f $_ && index(Kappa::Test::read_file($_), $text) >= 0;
    } }, $store);
    return @found;
}

mutate('join(id: "ann", name: "Ann Secretname", mail: "ann@secret.example", town: "x") { id }');
mutate('join(id: "bob", name: "Bob", town: "x") { id }');
mutate('order(id: "o1", customer: "ann", total: 5) { id }');
mutate('order(id: "o2", customer: "bob", total: 7) { id }');
mutate('move(id: "ann", town: "y") { id }');
my $line = $JSON->encode({ id => '0190a000-0000-7000-8000-00000000000a', thing => 'Customer',
    verb => 'joined', key => 'eve', data => { id => 'eve', name => 'Eve Secretname', town => 'x' } });
is($t->kappa(['import', '-', '--store', $store], stdin => "$line\n")->{status}, 0, 'an import');
mutate('order(id: "o3", customer: "eve", total: 9) { id }');
is_deeply(query('customer(id: "ann") { orders } town(id: "y") { people }'),
    { customer => { orders => 1 }, town => { people => 1 } }, 'all there');
ok(scalar(traces('Secretname')), 'in files too');

# --- wrong calls

for my $case (['forget'], ['forget', 'Customer'], ['forget', 'Customer', 'ann', 'x']) {
    is(kappa(@$case)->{status}, 2, "@$case is a wrong call");
}
is($t->kappa(['forget', 'Customer', 'ann'])->{status}, 2, 'without a store');
my $r = kappa('forget', 'Customer', 'nobody');
is($r->{status}, 1, 'a key without events');
like($r->{err}, qr/there is no event of Customer nobody/, 'says so');

# --- one is forgotten, while others look on

my $live = $t->sse('subscription { customer(id: "ann") { name } }');
is($live->next->{json}{data}{customer}{name}, 'Ann Secretname', 'a subscriber');
query('customer(id: "ann") { id }') for 1 .. 12;    # answers may be kept
my $before = kappa('log')->{out};
$r = kappa('forget', 'Customer', 'ann');
is($r->{status}, 0, 'forget') or diag $r->{err};
like($r->{out}, qr/^2 events of Customer ann are forgotten/, 'says how many');
my $heard = $live->next;
if (!$heard) {    # a new schema or generation may end a stream: it comes back
    ok($live->ended, 'the stream ended');
    $live = $t->sse('subscription { customer(id: "ann") { name } }');
    $heard = $live->next;
}
ok($heard && exists $heard->{json}{data}{customer} && !defined $heard->{json}{data}{customer},
    'the subscriber hears it go') or diag explain $heard;
ok(Kappa::Test::wait_until(sub {
    !grep { query('customer(id: "ann") { id }')->{customer} } 1 .. 8;
}), 'no worker has the row');
ok(!traces('Ann Secretname'), 'nor the log') or diag join ' ', traces('Ann Secretname');
ok(!traces('ann@secret.example'), 'nor any file') or diag join ' ', traces('ann@secret.example');
is_deeply(query('town(id: "x") { people } order(id: "o1") { total } customer(id: "bob") { orders }'),
    { town => { people => 2 }, order => { total => 5 }, customer => { orders => 1 } },
    'what others did stands');
is(query('town(id: "y") { people }')->{town}, undef, 'what it counted for is gone');
my @e = events();
is(scalar @e, 7, 'the sequence is kept');
is_deeply([@{ $e[0] }{qw(thing verb key data row)}], ['Customer', 'joined', undef, undef, undef],
    'the header too');
is(scalar(() = $before =~ /Secretname/g), 5, 'the log had it') ;
is(kappa('verify')->{status}, 0, 'the store is whole');
$r = kappa('rebuild');
is($r->{status}, 0, 'and is built again');
unlike($r->{err}, qr/skipped/, 'with nothing skipped');
is(query('order(id: "o1") { total }')->{order}{total}, 5, 'to the same');
is(kappa('forget', 'Customer', 'ann')->{status}, 1, 'again: there is nothing any more');

# --- an upload that is sent again does not bring it back

is(kappa('forget', 'Customer', 'eve')->{status}, 0, 'one that was imported');
is($t->kappa(['import', '-', '--store', $store], stdin => "$line\n")->{status}, 0, 'sent again');
is(query('customer(id: "eve") { name }')->{customer}, undef, 'it stays forgotten');
is(scalar(events()), 7, 'nothing was appended');
mutate('join(id: "ann", name: "Another Ann") { id }');
mutate('order(id: "o4", customer: "ann", total: 1) { id }');
is(query('customer(id: "ann") { orders }')->{customer}{orders}, 1, 'the key can be used anew');
is(kappa('verify')->{status}, 0, 'whole');
my $shown = $t->graphql('mutation { order(id: "o5", customer: "eve", total: 1) { id } }');
is($shown->{json}{errors}[0]{extensions}{code}, 'NOT_FOUND', 'rules of today hold for who is gone');

# --- killed at any moment, it is finished by the next

my $many = join '', map {
    $JSON->encode({ thing => 'Customer', verb => 'joined', key => "c$_",
        data => { id => "c$_", name => "Gone$_ " . 'x' x 200, town => 'z' } }) . "\n"
} 1 .. 6000;
is($t->kappa(['import', '-', '--store', $store], stdin => $many)->{status}, 0, 'many');
my ($killed, $finished) = (0, 0);
my $KILLS = Kappa::Test::rounds(8, 200);
for my $i (1 .. $KILLS) {
    my $pid = fork // die;
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec $Kappa::Test::KAPPA, 'forget', 'Customer', "c$i", '--store', $store;
    }
    sleep rand 1;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    if ($? == 0) { $finished++ } else { $killed++ }
    ok($t->graphql(qq({ customer(id: "c$i") { id } }))->{json}{data}, 'queries go on');
}
diag "$killed were killed, $finished were not";
for my $i (1 .. $KILLS + 1) {
    $r = kappa('forget', 'Customer', "c$i");
    ok($r->{status} == 0 || $r->{err} =~ /there is no event/, "c$i") or diag $r->{err};
}
ok(!traces("Gone$_ "), "c$_ is in no file") for 1 .. $KILLS + 1;
is(query('town(id: "z") { people }')->{town}{people}, 6000 - $KILLS - 1, 'the others are');
is(kappa('verify')->{status}, 0, 'the store is whole') or diag kappa('verify')->{err};
opendir my $dir, "$store/views";
is(scalar(grep { /^\d+$/ } readdir $dir), 1, 'no views of before are left');

ok($t->stop('QUIT'), 'an orderly end');
$t->no_alerts;
done_testing;
