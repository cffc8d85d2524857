# nginx -t finds mistakes in the configuration and in the schema, and says
# where.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SDL = <<'END';
type Note @view {
  id: ID!
  text: String!
}
type Query { note(id: ID!): Note }
type Mutation {
  write(text: String!): Note! @event(thing: "Note", verb: "written", effect: CREATE)
}
END

sub says {
    my ($name, $expected, %option) = @_;
    my $t = Kappa::Test->new(schema => $SDL, %option);
    my ($status, $said) = $t->config_test;
    isnt($status, 0, "$name: refused");
    like($said, $expected, "$name: said where and what");
}

my $good = Kappa::Test->new(schema => $SDL);
my ($status, $said) = $good->config_test;
is($status, 0, 'a right configuration') or diag $said;

says('no schema', qr/kappa "x" needs a schema: "schema FILE;".*nginx\.conf:\d+/s,
    http => 'kappa x { store %DIR%/x; }');
says('no store', qr/kappa "x" needs a store/,
    http => 'kappa x { schema %SCHEMA%; }');
says('schema file missing', qr/can't open the schema ".*nowhere\.graphql"/,
    http => 'kappa x { schema nowhere.graphql; store %DIR%/x; }');
says('unknown item', qr/"stor" is no directive of a kappa block/,
    http => 'kappa x { stor a; }');
says('two arguments', qr/"schema" takes one argument/,
    http => 'kappa x { schema a b; }');
says('another log', qr/"log" takes "embedded"/, kappa => 'log nats;');
says('map_size', qr/"map_size" takes a size of at least 1m/,
    kappa => 'map_size 12;');
says('wait', qr/"wait" takes a time of at most 60s/, kappa => 'wait 2m;');
says('wait twice', qr/"wait" is duplicate/, kappa => 'wait 1s; wait 2s;');
says('idempotency_window', qr/"idempotency_window" takes a time of at least 1s/,
    kappa => 'idempotency_window 10ms;');
says('duplicate item', qr/"store" is duplicate/, kappa => 'store x;');
says('duplicate block', qr/"kappa" directive is duplicate/,
    server => '', config => do {
        my $config = $Kappa::Test::CONFIG;
        $config =~ s/%app%/%app%\n kappa app { }/;
        $config;
    });
says('two blocks on one store', qr/kappa "app" and kappa "b" have the same store/,
    server => '', http => '', main => '', config => do {
        my $config = $Kappa::Test::CONFIG;
        $config =~ s/%app%/%app%\n kappa b { schema %SCHEMA%; store %STORE%\/; }/;
        $config;
    });
says('unknown application', qr/no block "kappa other \{ \}" as named in .*nginx\.conf:\d+/,
    server => 'location /other { kappa_graphql other; }');
says('kappa_health', qr/takes "live" or "ready"/,
    server => 'location /h { kappa_health maybe; }');
says('a syntax error in the schema',
    qr/schema\.graphql:2:\d+: Syntax Error/,
    schema => "type Note \@view {\n  id ID!\n}\n");
says('an unknown type', qr/schema\.graphql:3:\d+: .*Strin/,
    schema => "type Note \@view {\n  id: ID!\n  a: Strin\n}\n"
        . 'type Query { note(id: ID!): Note }');
says('a wrong key', qr/schema\.graphql:1:\d+: .*nme/,
    schema => "type Note \@view(key: \"nme\") {\n  id: ID!\n}\n"
        . 'type Query { note(id: ID!): Note }');
says('a wrong directive argument', qr/schema\.graphql:1:\d+: .*kee/,
    schema => "type Note \@view(kee: \"id\") {\n  id: ID!\n}\n"
        . 'type Query { note(id: ID!): Note }');
says('a wrong expression', qr/schema\.graphql:6:\d+: .*agrs/,
    schema => "type Note \@view {\n  id: ID!\n}\n"
        . "type Query { note(id: ID!): Note }\n"
        . "type Mutation { w(id: ID!): Note! \@event(thing: \"Note\", verb: \"w\", effect: CREATE)\n"
        . "  \@check(if: \"agrs.id != 'x'\") }\n");
says('several mistakes at once', qr/schema\.graphql:3:.*schema\.graphql:4:/s,
    schema => "type Note \@view {\n  id: ID!\n  a: Strin\n  b: Foat\n}\n"
        . 'type Query { note(id: ID!): Note }');
says('a list that no index serves', qr/schema\.graphql:5:\d+: .*\@index/s,
    schema => "type Note \@view {\n  id: ID!\n  a: String\n}\n"
        . "type Query { notes(a: String!): [Note!]! }\n");

# Nothing can be written there, whoever asks: it is a file.
says('a store that can not be made', qr/app.*(?:store|directory)|Not a directory/si,
    config => do {
        my $config = $Kappa::Test::CONFIG;
        $config =~ s/%app%/kappa app { schema %SCHEMA%; store %SCHEMA%\/x; }/;
        $config;
    });

# Whose user the workers are was changed, and the store is still the old one's.
SKIP: {
    skip 'only root has another user\'s store', 2 if $> != 0;
    my $t = Kappa::Test->new(schema => $SDL);
    mkdir $t->store;
    my (undef, undef, $uid, $gid) = getpwnam 'daemon';
    chown $uid, $gid, $t->store or die $!;
    chmod 0700, $t->store;
    my ($status, $said) = $t->config_test;
    is($status, 0, 'another user\'s store is no mistake') or diag $said;
    my ($worker, $group) = (getpwnam 'www-data')[2, 3];
    my $store = $t->store;
    like($said, qr/\[warn\].*app.*belongs to user $uid, .*chown -R $worker:$group \Q$store\E/,
        'but told of');
}

done_testing;
