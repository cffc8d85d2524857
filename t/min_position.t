# Kappa-Min-Position: who was told of a change reads it, whichever worker
# answers, and nobody waits for ever.

use strict;
use warnings;
use IO::Select;
use Test::More;
use Kappa::Test;

my $SCHEMA = <<'SDL';
type Note @view { id: ID! text: String! }
type Query { note(id: ID!): Note }
type Mutation {
  write(id: ID!, text: String!): Note! @event(thing: "Note", verb: "written", effect: UPSERT)
}
type Subscription { note(id: ID!): Note }
SDL
my $t = Kappa::Test->new(workers => 4, schema => $SCHEMA, kappa => 'wait 30s;',
    http => 'kappa short { schema %SCHEMA%; store %DIR%/data/short; wait 150ms; }'
        . ' kappa none { schema %SCHEMA%; store %DIR%/data/none; wait 0; }',
    server => 'location /short { kappa_graphql short; } location /none { kappa_graphql none; }'
        . ' location /batch { kappa_graphql app; kappa_limit_batch 5; }');
$t->start;

my $READ = '{"query":"{ note(id: \"a\") { text } }"}';
sub write_note {
    my ($text, %headers) = @_;
    my $r = $t->graphql('mutation($t: String!) { write(id: "a", text: $t) { text } }',
        { t => $text }, %headers);
    die $r->{raw} if $r->{status} != 200 || $r->{json}{errors};
    return $r->{headers}{'kappa-position'};
}
sub text_of { return $_[0]{json}{data}{note}{text} }
sub code_of { return $_[0]{json}{errors}[0]{extensions}{code} }

# Written through one worker, read through any.
my $wrong = 0;
for my $n (1 .. 200) {
    my $position = write_note("text $n");
    for (1 .. 2) {
        my $r = $t->post('/graphql', $READ, 'Kappa-Min-Position' => $position);
        $wrong++ if text_of($r) ne "text $n" || $r->{headers}{'kappa-position'} ne $position;
    }
}
is($wrong, 0, '400 reads of 200 writes over four workers');

my $here = write_note('here');
my ($epoch, $seq) = $here =~ /^(.*)-(\d+)$/;
my $next = sub { "$epoch-" . ($seq + ($_[0] // 1)) };

# What is reached, what never will be, and what is no position.
my @cases = (
    # path, position, status, code
    ['/graphql', $here, 200, undef],
    ['/graphql', "$epoch-0", 200, undef],
    ['/graphql', 'aaaaaaaaaaaa-1', 410, 'POSITION_GONE'],
    (map { ['/graphql', $_, 400, 'BAD_USER_INPUT'] } '', 'x', '7', "$epoch-", "$epoch--1",
        "$epoch-01", "$epoch-1x", "$epoch-99999999999999999999", uc $here, "$here, $here",
        'x' x 5000),
);
for (@cases) {
    my ($path, $position, $status, $code) = @$_;
    my $name = substr "'$position'", 0, 40;
    my $r = $t->post($path, $READ, 'Kappa-Min-Position' => $position);
    is($r->{status}, $status, "POST $name: status") or diag $r->{raw};
    is(code_of($r), $code, "POST $name: code");
    is($t->get("$path?query={__typename}", 'Kappa-Min-Position' => $position)->{status}, $status,
        "GET $name: status");
}
sub elsewhere {
    my ($path, $ahead) = @_;
    my $p = $t->post($path, $READ)->{headers}{'kappa-position'};
    $p =~ s/-(\d+)$/'-' . ($1 + $ahead)/e;
    return $t->post($path, $READ, 'Kappa-Min-Position' => $p);
}
for my $path ('/short', '/none') {
    is(elsewhere($path, 0)->{status}, 200, "$path: reached");
    my $r = elsewhere($path, 1);
    is($r->{status}, 503, "$path: never reached") or diag $r->{raw};
    is(code_of($r), 'POSITION_NOT_REACHED', "$path: code");
    is($r->{headers}{'retry-after'}, 1, "$path: Retry-After");
    is($r->{headers}{'cache-control'}, 'no-store', "$path: nobody keeps it");
}

# Requests that wait, all kinds of them.
sub ask {
    my ($method, $path, $headers, $body) = @_;
    my $socket = $t->connect;
    my %h = (Host => 'localhost', Connection => 'close', 'Content-Type' => 'application/json',
        'Kappa-Min-Position' => $next->(), %$headers);
    $h{'Content-Length'} = length $body if defined $body;
    print $socket "$method $path HTTP/1.1\r\n" . join('', map { "$_: $h{$_}\r\n" } keys %h)
        . "\r\n" . ($body // '');
    return $socket;
}
sub answer {
    my ($socket) = @_;
    my $bytes = '';
    my $end = time + $Kappa::Test::TIMEOUT;
    while (time < $end && IO::Select->new($socket)->can_read($end - time)) {
        sysread($socket, $bytes, 65536, length $bytes) or last;
    }
    return Kappa::Test::parse_response($bytes);
}
my $GET = '/graphql?query={note(id:"a"){text}}';
my %waiting = (
    (map { ("POST $_" => ask('POST', '/graphql', {}, $READ)) } 1 .. 50),
    (map { ("GET $_" => ask('GET', $GET, {})) } 1 .. 50),
    QUERY => ask('QUERY', '/graphql', {}, $READ),
    HEAD => ask('HEAD', $GET, {}),
    'a body in a file' => ask('POST', '/graphql', {},
        $READ =~ s/(?=\}$)/' ' x 100_000/er),
    batch => ask('POST', '/batch', {}, "[$READ,$READ]"),
    mutation => ask('POST', '/graphql', {},
        '{"query":"mutation { write(id: \"b\", text: \"late\") { text } }"}'),
);
my $sse = Kappa::Test::SSE->open($t, 'POST', '/graphql', { 'Content-Type' => 'application/json',
    'Kappa-Min-Position' => $here }, '{"query":"subscription { note(id: \"a\") { text } }"}');
is($sse->next->{json}{data}{note}{text}, 'here', 'an event stream');
# Some of them don't wait to the end.
close ask('POST', '/graphql', {}, $READ) for 1 .. 5;
my @early = IO::Select->new(values %waiting)->can_read(0.2);
is(@early, 0, 'they wait');
is(text_of($t->post('/graphql', $READ)), 'here', 'others do not');
is($t->graphql('{ note(id: "b") { text } }')->{json}{data}{note}, undef,
    'the mutation has not been run');
write_note('now');
my (@wrong, %r);
for my $name (sort keys %waiting) {
    my $r = $r{$name} = answer($waiting{$name});
    push @wrong, "$name: $r->{raw}" if $r->{status} != 200
        || ($name =~ /POST|GET|QUERY/ && text_of($r) ne 'now');
}
is_deeply(\@wrong, [], 'all are answered');
is_deeply([map { $_->{data}{note}{text} } @{ $r{batch}{json} }], ['now', 'now'], 'a batch');
is($r{mutation}{json}{data}{write}{text}, 'late', 'a mutation');
like($r{mutation}{headers}{'kappa-position'}, qr/-${\ ($seq + 2)}$/, '... which came after');
is($r{HEAD}{body}, '', 'HEAD');

# A worker that leaves still answers who waits.
$seq += 2;
my $late = ask('POST', '/graphql', {}, $READ);
@early = IO::Select->new($late)->can_read(0.2);
is(@early, 0, 'one more waits');
ok($t->reload, 'reload');
write_note('after');
is(text_of(answer($late)), 'after', 'the old worker answers');

# While other views are built and come into force, whoever was told of a write
# reads it, or is told to wait; never what was before.
$t->schema($SCHEMA =~ s/text: String! \}/text: String! upper: String \@computed(as: "row.text + '!'") }/r);
ok($t->reload, 'reload with other views');
my %said;
for my $n (1 .. 150) {
    my $r = $t->graphql('mutation($t: String!) { write(id: "a", text: $t) { text } }',
        { t => "swap $n" });
    my $position = $r->{headers}{'kappa-position'};
    if ($r->{status} != 200) {
        $said{code_of($r)}++;
        next;
    }
    for (1 .. 2) {
        $r = $t->post('/graphql', $READ, 'Kappa-Min-Position' => $position);
        $said{$r->{status} == 200 ? text_of($r) eq "swap $n" ? 'right' : 'wrong' : code_of($r)}++;
    }
}
ok($said{right}, 'reads while the views change') or diag explain \%said;
ok(!$said{wrong}, 'none of what was before') or diag explain \%said;
ok(Kappa::Test::wait_until(sub {
    my $r = $t->graphql('{ note(id: "a") { upper } }');
    ($r->{json}{data}{note}{upper} // '') =~ /^swap \d+!$/;
}), 'the new views');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
