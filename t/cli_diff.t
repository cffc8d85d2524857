# kappa diff: what another schema means to clients, to views, to what they
# hold; and its exit status.

use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
my $dir = tempdir(CLEANUP => 1);
my $BASE = <<'END';
type Item @view(key: "sku") @check(if: "row.n >= 0") {
  sku: ID!
  n: Int!
  state: State
  note: String @internal
}
enum State { OPEN CLOSED }
type Query { item(sku: ID!): Item }
type Mutation {
  add(sku: ID!, n: Int!, by: String @stamp(as: "auth.sub")): Item!
    @event(thing: "Item", verb: "added", effect: CREATE)
}
END

sub diff {
    my ($old, $new, @more) = @_;
    Kappa::Test::write_file("$dir/old.graphql", $old);
    Kappa::Test::write_file("$dir/new.graphql", $new);
    return Kappa::Test->kappa(
        ['diff', "$dir/old.graphql", "$dir/new.graphql", @more]);
}

sub changed {
    my ($from, $to) = @_;
    (my $new = $BASE) =~ s/\Q$from\E/$to/ or die "no $from";
    return diff($BASE, $new);
}

for my $case (
    ['nothing', 'n: Int!', 'n: Int!', 0, qr/\Aclients: 0 breaking, 0 dangerous, 0 safe; views: as they are; data: 0 lost\n\z/],
    ['a check', 'row.n >= 0', 'row.n >= 1', 0, qr/\Aclients: 0 .* views: as they are/],
    ['a field', 'n: Int!', "n: Int!\n  m: Int", 0, qr/^safe +Item\.m: a new field\nbuild +Item\.m is new\nclients: 0 breaking, 0 dangerous, 1 safe; views: a build; data: 0 lost$/m],
    ['a field less', '  n: Int!', '', 1, undef],
    ['a state less', 'OPEN CLOSED', 'OPEN', 1, qr/^breaking +State\.CLOSED: the value is gone\nloses +Item\.state State has no value CLOSED any more, nor a \@was/m],
    ['a state more', 'OPEN CLOSED', 'OPEN CLOSED LOST', 0, qr/^dangerous +State\.LOST: a new value\nbuild +Item\.state takes more values than before \(a build only if events were skipped\)/m],
    ['what is not public', "  note: String \@internal\n", '', 1, qr/\Aloses +Item\.note is gone, though events fill it\nclients: 0 breaking/],
    ['what is not public, otherwise', '@internal', '@internal @deprecated', 0, qr/\Aclients: 0 breaking, 0 dangerous, 0 safe/],
    ['a stamp of an argument', 'auth.sub', 'auth.iss', 0, qr/\Aclients: 0 .*: as they are/],
    ['a mutation', 'type Mutation {', "type Mutation {\n  drop(sku: ID!): Item \@event(thing: \"Item\", verb: \"dropped\", effect: DELETE)", 0, qr/^safe +Mutation\.drop: a new field\nbuild +event Item dropped .*\(a build only if there were such events\)$/m],
)
{
    my ($name, $from, $to, $status, $says) = @$case;
    if (!defined $says) {
        ($from, $to) = ('  state: State' , '');
        $says = qr/^breaking +Item\.state: the field is gone\nloses +Item\.state is gone/m;
    }
    my $r = changed($from, $to);
    is($r->{status}, $status, $name) or diag $r->{out}, $r->{err};
    like($r->{out}, $says, 'says so');
    is($r->{err}, '', 'and no more');
}

my $r = diff($BASE, $BASE =~ s/  state: State\n//r, '--json');
is($r->{status}, 1, '--json');
is_deeply($JSON->decode($r->{out}), {
    clients => [{ severity => 'breaking', code => 'FIELD_REMOVED',
        at => 'Item.state', message => 'the field is gone' }],
    views => [{ build => 'build', loses => JSON::PP::true,
        at => 'Item.state', message => 'is gone, though events fill it' }],
    breaking => 1, dangerous => 0, safe => 0, build => 'build', losses => 1,
}, 'all of it');
$r = diff($BASE, $BASE, '--json');
is($r->{out}, '{"clients":[],"views":[],"breaking":0,"dangerous":0,"safe":0,'
    . qq("build":"none","losses":0}\n), 'nothing of it');

# What it says is what happens to a store, and whatever happens, the views are
# then what the log gives: nothing is adopted that needed a build.
my $ROOT = ' type Query { a(id: ID!): A }';
my $A = "type A \@view { id: ID! n: Int }$ROOT";
my $HALF = 'h: Float @computed(as: "double(row.s.w / row.s.h)")';
sub put { return qq({"thing":"A","verb":"v","effect":"PUT","key":"x","data":{$_[0]}}) }
sub mutation {
    my ($args, $more) = @_;
    return "$A type Mutation { m($args): A \@event(thing: \"A\", verb: \"v\", effect: PUT) } "
        . ($more // '');
}
for my $case (
    ['a field inside is read', "type A \@view { id: ID! s: S $HALF } type S { w: Int h: Int }$ROOT",
        "type A \@view { id: ID! s: S $HALF } type S { w: Float h: Float }$ROOT", put('"s":{"w":5,"h":2}'), 'build', 0],
    ['an input object gone', mutation('input: I!', 'input I { id: ID! n: Int }'), mutation('id: ID!, n: Int'),
        put('"input":{"id":"x","n":5}'), 'if-seen', 0, 1],
    ['a field of one gone', mutation('input: I!', 'input I { id: ID! n: Int }'), mutation('input: I!, n: Int', 'input I { id: ID! }'),
        put('"input":{"id":"x","n":5}'), 'if-seen', 1, 1],
    ['a default inside', mutation('input: I!', 'input I { id: ID! n: Int = 1 }'), mutation('input: I!', 'input I { id: ID! n: Int = 2 }'),
        put('"input":{"id":"x"}'), 'if-seen', 0, 1],
    ['an older name that goes', "type A \@view { id: ID! s: S } enum S { OPEN \@was(name: \"NEW\") }$ROOT",
        "type A \@view { id: ID! s: String }$ROOT", put('"s":"NEW"'), 'build', 0],
    ['computed, and not null', "type A \@view { id: ID! n: Int c: Int \@computed(as: \"row.n\") }$ROOT",
        "type A \@view { id: ID! n: Int c: Int! \@computed(as: \"row.n\") }$ROOT", put(''), 'build', 1],
    ['unique', $A, "type A \@view \@index(fields: [\"n\"], unique: true) { id: ID! n: Int }$ROOT", put('"n":1'), 'build', 1],
    ['a view, events of which there were', $A, "$A type B \@view { id: ID! n: Int }",
        '{"thing":"B","verb":"v","effect":"PUT","key":"x","data":{"n":3}}', 'if-seen', 0, 1],
    ['a view', $A, "$A type B \@view { id: ID! n: Int }", put('"n":1'), 'if-seen', 0, 0],
    ['a default of an argument', mutation('id: ID!, n: Int = 1'), mutation('id: ID!, n: Int = 2'), put(''), 'none', 0],
) {
    my ($name, $old, $new, $event, $build, $losses, $built) = @$case;
    $built //= $build eq 'build' ? 1 : 0;
    my $said = $JSON->decode(diff($old, $new, '--json')->{out});
    is($said->{build}, $build, "$name: $build");
    is($said->{losses}, $losses, "$losses lost");
    my $store = tempdir(CLEANUP => 1) . '/store';
    $r = Kappa::Test->kappa(['import', '-', '--store', $store,
        '--schema', "$dir/old.graphql"], stdin => "$event\n");
    is($r->{status}, 0, 'a store') or diag $r->{err};
    $r = Kappa::Test->kappa(['rebuild', '--store', $store,
        '--schema', "$dir/new.graphql"]);
    is($r->{status}, 0, 'gets the other schema') or diag $r->{err};
    is(Kappa::Test::read_file("$store/views/current") + 0, 1 + $built,
        $built ? 'by a build' : 'without a build');
    $r = Kappa::Test->kappa(['verify', '--store', $store]);
    is($r->{status}, 0, 'and has the views of its log') or diag $r->{err};
}

# Other GraphQL schemas have clients only.
$r = diff('type Query { a: Int }', 'type Query { a: ID b: Int }');
is($r->{status}, 1, 'any SDL');
is($r->{out}, "breaking   Query.a: was Int and is ID\n"
    . "safe       Query.b: a new field\n"
    . "clients: 1 breaking, 0 dangerous, 1 safe\n", 'is compared for clients');
$r = diff('type Query { a: Int }', $BASE);
like($r->{err}, qr/only one of the schemas has views/, 'or says that it can not');

# What can't be compared.
for my $case (
    [$BASE, 'type Query {', qr/new\.graphql:1:13: /, 'a syntax error'],
    [$BASE =~ s/State\n/Nothing\n/r, $BASE, qr/old\.graphql:4:10: .*Nothing/, 'a wrong schema'],
    [$BASE, $BASE =~ s/row\.n/row.m/r, qr/new\.graphql:1:\d+: /, 'a wrong expression'])
{
    my ($old, $new, $says, $name) = @$case;
    $r = diff($old, $new);
    is($r->{status}, 2, $name);
    like($r->{out}, $says, 'is told with its place');
}
for my $case (['diff'], ['diff', 'a'], ['diff', '-', '-'],
    ['diff', 'a', 'b', 'c'], ['diff', 'a', 'b', '--nosuch'])
{
    $r = Kappa::Test->kappa($case);
    is($r->{status}, 2, "@$case is a wrong call");
    like($r->{err}, qr/^usage: kappa diff OLD NEW/, 'says so');
}
$r = Kappa::Test->kappa(['diff', '/nowhere', "$dir/new.graphql"]);
is($r->{status}, 2, 'no file');
like($r->{err}, qr{/nowhere: No such file}, 'says so');
$r = Kappa::Test->kappa(['diff', '-', "$dir/old.graphql"], stdin => $BASE);
is($r->{status}, 0, 'the standard input');
done_testing;
