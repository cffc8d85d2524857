# Automatic persisted queries, as Apollo's clients send them: by hash, and
# with the text when the server does not know it.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use Kappa::Test;
use Kappa::WebSocket;

my $t = Kappa::Test->new(workers => 1,
    schema => Kappa::Test::file('examples/catalogue/schema.graphql'));
$t->start;

sub extension {
    my ($hash, %more) = @_;
    return { persistedQuery => { version => 1, sha256Hash => $hash, %more } };
}
sub encode { return $_[0] =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }
sub by_get {
    my ($extensions, %more) = @_;
    $more{extensions} = $Kappa::Test::JSON->encode($extensions);
    my %headers = (Accept => delete $more{Accept});
    return $t->get('/graphql?' . join('&', map { "$_=" . encode($more{$_}) }
        sort keys %more), %headers);
}
sub by_post {
    my ($extensions, %more) = @_;
    my %headers = (Accept => delete $more{Accept});
    return $t->post('/graphql', $Kappa::Test::JSON->encode(
        { extensions => $extensions, %more }), %headers);
}
my $GRAPHQL = 'application/graphql-response+json';

# What Apollo's client does: GET with the hash, then both, then the hash.
my $query = 'query Q($n: ID!) { package(name: $n) { name } }';
my $hash = sha256_hex($query);
my %variables = (variables => '{"n":"bash"}');
for my $accept ('application/json', $GRAPHQL, undef) {
    my $r = by_get(extension($hash), %variables, Accept => $accept);
    is($r->{status}, 200, 'an unknown hash is no failure') or diag $r->{raw};
    is_deeply($r->{json}, { errors => [{ message => 'PersistedQueryNotFound',
        extensions => { code => 'PERSISTED_QUERY_NOT_FOUND' } }] },
        'in the words that clients look for') or diag $r->{body};
    is($r->{headers}{'cache-control'}, 'no-store', 'and nobody keeps it');
}
my $r = by_get(extension($hash), %variables, query => $query);
is($r->{status}, 200, 'with the text') or diag $r->{raw};
is_deeply($r->{json}{data}, { package => undef }, 'it is run');
is($r->{headers}{'cache-control'}, undef, 'as any query');
$r = by_get(extension($hash), %variables);
is_deeply($r->{json}{data}, { package => undef }, 'by the hash from then on');
$r = by_get(extension(uc $hash), %variables);
is_deeply($r->{json}{data}, { package => undef }, 'in upper case too');
$r = by_get(extension($hash));
is($r->{json}{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', 'variables are checked');
$r = by_post(extension($hash), variables => { n => 'zsh' });
is_deeply($r->{json}{data}, { package => undef }, 'by POST as well');

# Refusals.
my @bad = (
    ['another text', extension($hash), '{ __typename }', 'provided sha does not match query'],
    ['another version', extension($hash, version => 2), $query, 'Unsupported persisted query version'],
    ['no version', { persistedQuery => { sha256Hash => $hash } }, undef, 'Unsupported persisted query version'],
    ['no hash', { persistedQuery => { version => 1 } }, undef, 'sha256Hash must be'],
    ['a broken hash', extension('abc'), undef, 'sha256Hash must be'],
    ['no object', { persistedQuery => 7 }, undef, 'no "query"'],
    ['null', { persistedQuery => undef }, undef, 'no "query"'],
);
for (@bad) {
    my ($name, $extensions, $text, $message) = @$_;
    for my $accept ('application/json', $GRAPHQL) {
        $r = by_post($extensions, $text ? (query => $text) : (), Accept => $accept);
        is($r->{status}, 400, "$name: 400") or diag $r->{raw};
        like($r->{json}{errors}[0]{message}, qr/\Q$message\E/, "$name: says so");
        is($r->{json}{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', "$name: code");
    }
}

# Only valid documents are remembered.
for my $text ('{ nothing }', '{', '') {
    by_post(extension(sha256_hex($text)), query => $text);
    $r = by_post(extension(sha256_hex($text)));
    is($r->{json}{errors}[0]{message}, 'PersistedQueryNotFound', "'$text' is not kept");
}

# A mutation by its hash is still none for GET.
my $mutation = 'mutation { report(package: "none", kind: BROKEN) { id } }';
$r = by_post(extension(sha256_hex $mutation), query => $mutation);
is($r->{json}{errors}[0]{extensions}{code}, 'NO_SUCH_PACKAGE', 'a mutation by POST');
$r = by_post(extension(sha256_hex $mutation));
is($r->{json}{errors}[0]{extensions}{code}, 'NO_SUCH_PACKAGE', 'by its hash');
$r = by_get(extension(sha256_hex $mutation));
is($r->{status}, 405, 'not by GET');

# WebSocket and SSE.
my $ws = Kappa::WebSocket->new($t, '/graphql');
is($ws->init->{type}, 'connection_ack', 'connected');
my $live = 'subscription { package(name: "bash") { version } }';
my $known = extension(sha256_hex $live);
sub subscribe {
    my ($id, $extensions, $text) = @_;
    $ws->send({ id => $id, type => 'subscribe', payload => {
        extensions => $extensions, $text ? (query => $text) : () } });
    return $ws->next;
}
my $message = subscribe('1', $known);
is($message->{type}, 'error', 'unknown by WebSocket');
is($message->{payload}[0]{extensions}{code}, 'PERSISTED_QUERY_NOT_FOUND', 'with the code');
is(subscribe('2', $known, $live)->{type}, 'next', 'with the text');
$message = subscribe('3', $known);
is($message->{id}, '3', 'by its hash');
is_deeply($message->{payload}{data}, { package => undef }, 'a live field');
is(subscribe('4', extension($hash), $live)->{payload}[0]{message},
    'provided sha does not match query', 'checked here too');
my $sse = Kappa::Test::SSE->open($t, 'GET', '/graphql?extensions='
    . encode($Kappa::Test::JSON->encode($known)), {});
is_deeply($sse->next->{json}{data}, { package => undef }, 'an EventSource by hash');

# The room is bounded: what was not used for long is asked for again. Texts
# that come once push out none that is in use.
my $wide = ' ' x 60_000;
for my $n (1 .. 80) {
    my $text = "{ a$n: __typename }$wide";
    by_post(extension(sha256_hex $text), query => $text);
}
$r = by_post(extension(sha256_hex "{ a1: __typename }$wide"));
is($r->{json}{errors}[0]{message}, 'PersistedQueryNotFound', 'forgotten');
$r = by_get(extension($hash), %variables);
is($r->{status}, 200, 'but none that was used');
is($r->{json}{errors}, undef, 'which is answered');
$r = by_post(extension(sha256_hex "{ a80: __typename }$wide"));
is($r->{json}{data}{a80}, 'Query', 'but not the newest');

# Apollo's own client.
{
    my $NODE = "$Kappa::Test::ROOT/t/node";
    my @run = (['node', 'persisted.mjs', 'http://127.0.0.1:' . $t->port . '/graphql',
        '{ package(name: "bash") { name __typename } }'], dir => $NODE, timeout => 30);
    for my $methods ("GET\nPOST text\n", "GET\n") {
        my $run = Kappa::Test::run(@run);
        is($run->{out}, qq({"package":null}\n$methods), 'Apollo Client')
            or diag $run->{err};
    }
    my $run = Kappa::Test::run(@run);
    is($run->{out}, qq({"package":null}\nGET\n), 'again');
}

ok($t->stop('QUIT'), 'stop');
$t->no_alerts;
done_testing;
