# Live fields and change streams over server-sent events, with several
# workers: who subscribes at one hears of what another did.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $SDL = Kappa::Test::file('examples/catalogue/schema.graphql');
my $t = Kappa::Test->new(schema => $SDL, workers => 4,
    graphql => 'kappa_heartbeat 200ms; kappa_limit_subscriptions 40;');
sub released {
    my ($name, $size) = @_;
    return $Kappa::Test::JSON->encode({ thing => 'Package',
        verb => 'released', effect => 'PUT', key => $name,
        data => { name => $name, version => '1', size => $size,
            section => 'misc', maintainer => 'Kim' } }) . "\n";
}
sub import_events {
    my ($events) = @_;
    my $r = $t->kappa(['import', '-', '--store', $t->store, '--schema',
        $t->dir . '/schema.graphql'], stdin => $events);
    is($r->{status}, 0, 'import') or diag $r->{err};
}
import_events(released('bash', 10) . released('zsh', 20));
$t->start;

my $live = 'subscription($n: ID!) { package(name: $n) { size installs } }';
my @subscribers = map { $t->sse($live, { n => 'bash' }) } 1 .. 12;
for my $s (@subscribers) {
    is($s->status, 200, 'status');
    my $first = $s->next;
    is_deeply($first->{json}{data}, { package => { size => 10, installs => 0 } },
        'the value now');
    is($first->{event}, 'next', 'event: next');
    like($first->{id}, qr/^[0-9a-z]+-2$/, 'id: the position');
    is($first->{json}{extensions}{kappa}{position}, $first->{id}, 'as in extensions');
}
like($subscribers[0]->headers->{'content-type'}, qr{^text/event-stream}, 'media type');
my $other = $t->sse($live, { n => 'zsh' });
$other->next;
my $stream = $t->sse('subscription { reported(package: "bash") { package kind at } }');
is($stream->status, 200, 'a change stream');
my $section = $t->sse('subscription { section(name: "misc") { packages bytes } }');
is_deeply($section->next->{json}{data}{section}, { packages => 2, bytes => '30' },
    'a group');

# A mutation by one worker.
my $r = $t->graphql('mutation { report(package: "bash", kind: INSTALLED) { id } }');
ok($r->{json}{data}{report}{id}, 'report') or diag $r->{body};
for my $s (@subscribers) {
    my $next = $s->next;
    is_deeply($next->{json}{data}, { package => { size => 10, installs => 1 } },
        'reaches every worker');
    is($next->{id}, $r->{headers}{'kappa-position'}, 'at the position of the answer');
}
my $event = $stream->next;
is($event->{json}{data}{reported}{kind}, 'INSTALLED', 'and the change stream');

# An import by the command line, beside the server.
import_events(released('bash', 11) . released('fish', 5));
is_deeply($_->next->{json}{data}, { package => { size => 11, installs => 1 } },
    'an import reaches every worker') for @subscribers;
is_deeply($section->next->{json}{data}{section}, { packages => 3, bytes => '36' },
    'the group too') ;

# What changes nothing that was asked is not told.
ok(!$other->next(0.5), 'nobody hears of what does not concern them');
cmp_ok($other->comments, '>=', 2, 'but heartbeats');

# A change stream gives all of them, in order.
$t->graphql("mutation { a: report(package: \"bash\", kind: BROKEN) { id }
    b: report(package: \"zsh\", kind: BROKEN) { id }
    c: report(package: \"bash\", kind: REMOVED) { id } }");
is($stream->next->{json}{data}{reported}{kind}, 'BROKEN', 'first');
my $last = $stream->next;
is($last->{json}{data}{reported}{kind}, 'REMOVED', 'second');

# Resume: exactly what was missed.
$stream->close;
$t->graphql('mutation { report(package: "bash", kind: INSTALLED) { id } }') for 1 .. 3;
my $again = $t->sse('subscription { reported(package: "bash") { kind } }', undef,
    'Last-Event-ID' => $last->{id});
is($again->next->{json}{data}{reported}{kind}, 'INSTALLED', 'resumed') for 1 .. 3;
ok(!$again->next(0.3), 'and no more');
my $far = $t->sse('subscription { reported(package: "bash") { kind } }', undef,
    'Last-Event-ID' => $last->{id} =~ s/-\d+$/-0/r);
my @all = map { $far->next->{json}{data}{reported}{kind} } 1 .. 6;
is_deeply(\@all, [qw(INSTALLED BROKEN REMOVED INSTALLED INSTALLED INSTALLED)],
    'from the log\'s beginning');

# Refusals.
$r = $t->graphql('subscription { package(name: "bash") { size } }', undef,
    Accept => 'application/json');
is($r->{status}, 406, 'a subscription needs text/event-stream') or diag $r->{raw};
my $bad = $t->sse('subscription { package(name: "bash") { sice } }');
is($bad->status, 200, 'an invalid one is answered');
my $told = $bad->next;
is($told->{event}, 'next', 'in a stream, as graphql-sse has it');
is($told->{json}{errors}[0]{extensions}{code}, 'VALIDATION_FAILED',
    'with its error');
is($bad->next->{event}, 'complete', 'and an end');

# A client that goes away leaves nothing behind; one that never reads holds
# nobody up.
$_->close for @subscribers;
my $deaf = $t->connect;
my $request = $Kappa::Test::JSON->encode({ query => 'subscription { reported { id package kind at } }' });
print $deaf "POST /graphql HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
    . "Content-Type: application/json\r\nContent-Length: " . length($request) . "\r\n\r\n$request";
$deaf->flush;
$t->graphql('mutation { ' . join(' ', map { "a$_: report(package: \"zsh\", kind: BROKEN) { id }" } 1 .. 50) . ' }')
    for 1 .. 10;
is_deeply($t->graphql('{ __typename }')->{json}{data}, { __typename => 'Query' }, 'still serving');

# Reload: streams end, clients come back and miss nothing.
my $s = $t->sse('subscription { reported(package: "fish") { kind } }');
$t->graphql('mutation { report(package: "fish", kind: BROKEN) { id } }');
my $seen = $s->next;
is($seen->{json}{data}{reported}{kind}, 'BROKEN', 'before the reload');
ok($t->reload, 'reload');
$s->next(3);
ok($s->ended, 'the old worker ends its streams');
$t->graphql('mutation { report(package: "fish", kind: REMOVED) { id } }');
$s = $t->sse('subscription { reported(package: "fish") { kind } }', undef,
    'Last-Event-ID' => $seen->{id});
is($s->next->{json}{data}{reported}{kind}, 'REMOVED', 'nothing was missed');

ok($t->stop('QUIT'), 'a graceful end with open streams');
$t->no_alerts;
done_testing;
