# Rows that leave: @view(keep:), by import, queries and verify.

use strict;
use warnings;
use POSIX qw(strftime);
use Test::More;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;

my $t = Kappa::Test->new(schema => <<'END', workers => 1);
type Reading @view(keep: "30d") @index(fields: ["device", "id"]) {
  id: ID!
  device: ID!
  value: Int!
}
type Device @view(key: "name") @groupBy(of: "Reading", by: "device") {
  name: ID!
  readings: Int! @count
  total: BigInt! @sum(field: "value")
  high: Int @max(field: "value")
}
type Readings { nodes: [Reading!]! totalCount: Int }
type Query {
  reading(id: ID!): Reading
  readings(device: ID!, first: Int): Readings!
  device(name: ID!): Device
}
type Mutation {
  read(id: ID!, device: ID!, value: Int!): Reading!
    @event(thing: "Reading", verb: "read", effect: CREATE)
}
END
my $store = $t->store;
$t->start;

sub days_ago { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 86400 * shift)) }

sub line {
    my ($days, $id, $value) = @_;
    return $JSON->encode({ thing => 'Reading', verb => 'read', key => $id,
        effect => 'CREATE', time => days_ago($days),
        data => { device => 'd', value => $value } }) . "\n";
}

sub import_lines {
    return $t->kappa(['import', '-', '--store', $store],
        stdin => join '', @_);
}

sub state_is {
    my ($want, $name) = @_;
    my $r;
    ok(Kappa::Test::wait_until(sub {
        $r = $t->graphql('{ device(name: "d") { readings total high }'
            . ' readings(device: "d") { nodes { id value } totalCount } }');
        return $r->{body} =~ /\Q$want->[0]\E/;
    }), $want->[0]) or diag $r->{body};
    is_deeply([map { $_->{id} } @{ $r->{json}{data}{readings}{nodes} }],
        $want->[1], $name);
    is($r->{json}{data}{readings}{totalCount}, @{ $want->[1] },
        'and totalCount counts them');
}

is(import_lines(line(90, 'a', 90), line(60, 'b', 2), line(29, 'c', 3))
    ->{status}, 0, 'a history, longer than what is kept');
state_is(['"readings":3,"total":"95","high":90', ['c']],
    'what is young is there, all of it counts');

my $r = $t->graphql('mutation { read(id: "a", device: "d", value: 1) { id value } }');
is($r->{json}{data}{read}{value}, 1, 'the key of a row that left is free');
$r = import_lines(line(40, 'e', 500));
is($r->{status}, 0, 'a late event') or diag $r->{err};
state_is(['"readings":5,"total":"596","high":500', ['a', 'c']],
    'counts and leaves no row');
is($t->graphql('{ reading(id: "e") { id } }')->{body},
    '{"data":{"reading":null}}', 'not by its key either');

$r = import_lines(line(-4, 'f', 1));
is($r->{status}, 1, 'an event from the future is refused');
like($r->{err}, qr/ahead of this machine's clock/, 'and why');
is(import_lines(line(-0.5, 'f', 1))->{status}, 0, 'a tenth of the keep is fine');

$r = $t->kappa(['verify', '--store', $store]);
is($r->{status}, 0, 'views are what the log makes') or diag $r->{err};
is($t->kappa(['rebuild', '--store', $store])->{status}, 0, 'rebuilt');
state_is(['"readings":6,"total":"597","high":500', ['a', 'c', 'f']],
    'it is the same then');

$t->stop;
$t->no_alerts;

# Time alone: nothing happens, and an answer that was given before is another.
$t = Kappa::Test->new(schema => <<'END', workers => 1);
type Alarm @view(keep: "2s") { id: ID! }
type Query { alarm(id: ID!): Alarm alarms(first: Int): [Alarm!]! }
type Mutation { raise(id: ID!): Alarm @event(thing: "Alarm", verb: "raised", effect: CREATE) }
END
$t->start;
like($t->graphql('mutation { raise(id: "a") { id } }')->{body}, qr/"id":"a"/,
    'an alarm for two seconds');
for my $case (['{ alarm(id: "a") { id } }', '{"alarm":null}'],
    ['{ alarms { id } }', '{"alarms":[]}'])
{
    my ($query, $want) = @$case;
    ok(Kappa::Test::wait_until(sub {
        return $t->graphql($query)->{body} eq qq({"data":$want});
    }), "$query: gone");
}
$t->stop;
$t->no_alerts;
done_testing;
