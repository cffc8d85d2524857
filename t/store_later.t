# A store that can't be opened yet: every door says so, another application
# on the same nginx serves, and it is opened once it can be. Then workers that
# are ended with mutations on their way.

use strict;
use warnings;
use Test::More;
use Kappa::Test;
use Kappa::WebSocket;

my $SDL = <<'END';
type Note @view { id: ID!  text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: PUT)
}
type Subscription { note(id: ID!): Note }
END
my $t = Kappa::Test->new(schema => $SDL, workers => 1,
    http => 'kappa two { schema %SCHEMA%; store %DIR%/data/two; }'
        . 'kappa_issuer https://a { key %DIR%/a.key alg=HS256; }',
    server => 'location /two { kappa_graphql two; }
        location /events { kappa_events app read=r write=w; kappa_auth optional; }');
Kappa::Test::write_file($t->dir . '/a.key', "a secret of at least thirty-two bytes\n");
my $READ = '{ note(id: "a") { text } }';
my $WRITE = 'mutation { write(id: "a", text: "y") { id } }';
my $LIVE = 'subscription { note(id: "a") { text } }';
sub body { return $Kappa::Test::JSON->encode({ query => $_[0] }) }

$t->start;
is($t->graphql('mutation { write(id: "a", text: "x") { id } }')->{status}, 200, 'a note');
is($t->post('/two', body($READ))->{json}{data}{note}, undef, 'the other has its own');
$t->stop;

my $views = $t->store . '/views';
rename $views, "$views.away";
Kappa::Test::write_file($views, 'no directory');
$t->start;
for my $query ($READ, $WRITE, $LIVE) {
    my $r = $t->post('/graphql', body($query),
        Accept => $query eq $LIVE ? 'text/event-stream' : '*/*');
    is($r->{status}, 503, $query) or diag $r->{raw};
}
is(Kappa::WebSocket->new($t, '/graphql')->status, 503, 'a socket');
is($t->get('/events')->{status}, 403, 'events');
is($t->post('/two', body($READ))->{status}, 200, 'the other serves');

unlink $views;
rename "$views.away", $views;
ok(Kappa::Test::wait_until(sub { $t->graphql($READ)->{status} == 200 }), 'opened');
my $stream = $t->sse($LIVE);
is($stream->next->{json}{data}{note}{text}, 'x', 'a stream');
is($t->graphql($WRITE)->{status}, 200, 'a mutation');
is($stream->next->{json}{data}{note}{text}, 'y', '... is heard of');

for my $signal ('TERM', 'QUIT', 'KILL') {
    my $request = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length(body($WRITE)) . "\r\n\r\n" . body($WRITE);
    my @waiting = map { my $s = $t->connect; syswrite $s, $request; $s } 1 .. 20;
    ok($t->kill_worker($signal), $signal);
    is($t->graphql($READ)->{json}{data}{note}{text}, 'y', '... and on');
}
ok($t->stop, 'ended');
$t->no_alerts(qr/exited on signal 9/);
done_testing;
