# The event door: the log read, tailed and appended to over HTTP by those who
# have the scope.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use IO::Select;
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $SDL = <<'END';
type Item @view(key: "sku") { sku: ID! n: Int! at: DateTime @stamp(as: "now") by: String @stamp(as: "auth.sub") }
type Query { item(sku: ID!): Item }
type Mutation {
  create(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
  set(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "set", effect: PATCH)
}
type Notice { n: Int }
type Subscription { item(sku: ID!): Item notices: Notice @changes(thing: "Notice") }
END

my $h2 = Kappa::Test::free_port();
my $t = Kappa::Test->new(schema => $SDL, workers => 3,
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=kappa:read write=kappa:write;'
        . ' kappa_auth required; kappa_heartbeat 300ms; }'
        . 'location /short { kappa_events app read=kappa:read write=kappa:write;'
        . ' kappa_auth required; client_max_body_size 100; }'
        . " listen 127.0.0.1:$h2 http2;");
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/key', $SECRET);
sub bearer {
    my (%claims) = @_;
    my $text = encode_base64url('{"alg":"HS256"}') . '.'
        . encode_base64url($Kappa::Test::JSON->encode({ iss => 'https://a', %claims }));
    return (Authorization => "Bearer $text." . encode_base64url(hmac_sha256($text, $SECRET)));
}
my %reader = bearer(sub => 'r', scope => 'x kappa:read');
my %writer = bearer(sub => 'w', scp => ['kappa:write']);
$t->start;

sub lines { return map { $Kappa::Test::JSON->decode($_) } split /\n/, $_[0]{body} }
sub upload {
    my ($body, %more) = @_;
    return $t->http('POST', '/events', { %writer, 'Content-Type' => 'application/x-ndjson', %more }, $body);
}
sub event { return $Kappa::Test::JSON->encode({ thing => 'Item', verb => 'created', @_ }) . "\n" }

# --- scopes

is($t->get('/events')->{status}, 401, 'nobody');
is($t->get('/events', %writer)->{status}, 403, 'read with the other scope');
is($t->http('POST', '/events', { %reader }, event())->{status}, 403, 'write with the other scope');
my $r = $t->get('/events', %reader);
is($r->{status}, 200, 'read');
is($r->{headers}{'content-type'}, 'application/x-ndjson', 'media type');
is($r->{body}, '', 'nothing yet');
is($t->http('DELETE', '/events', { %reader })->{status}, 405, 'another method');

# --- appending

my $tail = Kappa::Test::SSE->open($t, 'GET', '/events?thing=Item', { %reader });
is($tail->status, 200, 'a tail');
my $live = $t->sse('subscription { item(sku: "a") { n } }');
$live->next;

$r = upload(event(key => 'a', data => { sku => 'a', n => 1 })
    . "\r\n" . event(key => 'b', data => { sku => 'b', n => 2 }, time => '2020-01-02T03:04:05Z')
    . $Kappa::Test::JSON->encode({ thing => 'Weather', verb => 'changed', key => ['x', 'y'], data => { t => 1 } }));
is($r->{status}, 200, 'upload') or diag $r->{raw};
is($r->{json}{appended}, 3, 'three');
like($r->{json}{position}, qr/-3$/, 'the last position');
is($live->next->{json}{data}{item}{n}, 1, 'a subscriber hears of it');
is($t->graphql('{ item(sku: "b") { n by at } }')->{json}{data}{item}{n}, 2, 'a view has it');
is_deeply($t->graphql('{ item(sku: "b") { by at } }')->{json}{data}{item},
    { by => 'w', at => '2020-01-02T03:04:05.000Z' }, 'with the token\'s actor and its own time');

my @e = lines($t->get('/events', %reader));
is(scalar @e, 3, 'read back');
is_deeply($e[0]{actor}, { iss => 'https://a', sub => 'w' }, 'actor');
is($e[0]{effect}, 'CREATE', 'the effect that the schema says');
is($e[2]{effect}, 'NONE', 'unknown things are kept');
is_deeply($e[2]{key}, ['x', 'y'], 'as they are');
my $first = $e[0]{position};
is_deeply([map { $_->{position} } lines($t->get("/events?after=$first", %reader))],
    [map { $_->{position} } @e[1, 2]], 'after');
is(scalar(lines($t->get('/events?limit=1', %reader))), 1, 'limit');
is(scalar(lines($t->get('/events?thing=Weather', %reader))), 1, 'thing');
is(scalar(lines($t->get('/events?thing=Item&verb=set', %reader))), 0, 'verb');
is((lines($t->get('/events?key=b', %reader)))[0]{position}, $e[1]{position}, 'key');
is(scalar(lines($t->get('/events?key=%5B%22x%22%2C+%22y%22%5D', %reader))), 1, 'a composite key') ;
is(scalar(lines($t->get('/events?thing=Weather&key=%5B%22%5Cu0078%22%2C%22y%22%5D', %reader))), 1, 'however it is escaped');
is_deeply([map { $_->{position} } lines($t->get('/events?thing=Item&key=b', %reader))], [$e[1]{position}], 'thing and key: its history');
is(scalar(lines($t->get("/events?thing=Item&key=b&after=$e[1]{position}", %reader))), 0, 'nothing after it');
is(scalar(lines($t->get('/events?thing=Item&key=nosuch', %reader))), 0, 'no history');
my $one = Kappa::Test::SSE->open($t, 'GET', '/events?thing=Item&key=a', { %reader });
is($one->next->{json}{position}, $first, 'a tail of one key');
is($t->get('/events?after=other1234-1', %reader)->{status}, 410, 'another log\'s position');
is($t->get('/events?after=x', %reader)->{status}, 400, 'no position');
is($t->get('/events?limit=x', %reader)->{status}, 400, 'no number');
my ($log) = $first =~ /^(\w+)-/;
is($t->get("/events?after=$log-$_", %reader)->{body}, '', "nothing after $_")
    for 3, 4, '9223372036854775807', '18446744073709551615';
is($t->get("/events?after=$log-18446744073709551616", %reader)->{status}, 400, 'no such position');
is($t->get('/events', %reader, 'Kappa-Min-Position' => "$log-3")->{status}, 200, 'Kappa-Min-Position: reached');
for my $accept ('*/*', 'text/event-stream') {
    my %asks = (%reader, Accept => $accept);
    is($t->get('/events', %asks, 'Kappa-Min-Position' => 'other1234-1')->{status}, 410, "$accept: of another log");
    is($t->get('/events', %asks, 'Kappa-Min-Position' => 'x')->{status}, 400, "$accept: none");
    my $late = $t->get('/events', %asks, 'Kappa-Min-Position' => "$log-99");
    is($late->{status}, 503, "$accept: not reached");
    is($late->{json}{errors}[0]{extensions}{code}, 'POSITION_NOT_REACHED', 'why');
    is($late->{headers}{'retry-after'}, 1, 'Retry-After');
}
is(scalar(lines($t->get('/events', %reader, Accept => 'application/x-ndjson, text/event-stream;q=0'))), 3, 'no tail for who takes none');

is($tail->next->{json}{key}, 'a', 'the tail has the first');
my $second = $tail->next;
is($second->{json}{key}, 'b', 'and the second');
is($second->{id}, $second->{json}{position}, 'id');
$t->graphql('mutation { set(sku: "a", n: 5) { n } }');
is($tail->next->{json}{verb}, 'set', 'and a mutation');
$t->graphql('mutation { set(sku: "b", n: 3) { n } }');
$t->graphql('mutation { set(sku: "a", n: 6) { n } }');
$tail->next for 1, 2;
is_deeply([map { $one->next->{json}{data}{n} } 1, 2], [5, 6], 'that key\'s, no other');
ok(!$tail->next(0.7), 'no more');
cmp_ok($tail->comments, '>=', 1, 'heartbeats');
$one->close;
my $again = Kappa::Test::SSE->open($t, 'GET', '/events', { %reader, 'Last-Event-ID' => $second->{id} });
is($again->next->{json}{thing}, 'Weather', 'resumed');

# --- what is wrong

my $good = event(key => 'g1', data => { sku => 'g1', n => 1 });
$r = upload($good . "{\n" . event(key => 'g2', data => { sku => 'g2', n => 1 }));
is($r->{status}, 400, 'a broken line');
is($r->{json}{line}, 2, 'which');
is($r->{json}{errors}[0]{extensions}{code}, 'BAD_USER_INPUT', 'code');
is($r->{json}{appended}, 1, 'what stood before is appended');
ok($t->graphql('{ item(sku: "g1") { n } }')->{json}{data}{item}, 'it is');
ok(!$t->graphql('{ item(sku: "g2") { n } }')->{json}{data}{item}, 'what came after is not');
$r = upload(event(key => 'g3', data => { sku => 'g3', n => 1 }) . $good);
is($r->{json}{errors}[0]{extensions}{code}, 'ALREADY_EXISTS', 'a refused event') or diag $r->{body};
is($r->{json}{line}, 2, 'its line');
$r = upload(event(key => 'g4', data => { sku => 'g4', n => 'x' }));
is($r->{status}, 400, 'a wrong type') or diag $r->{body};
my $id = '0190a000-0000-7000-8000-000000000001';
my $once = event(key => 'i', id => $id, data => { sku => 'i', n => 1 });
is(upload($once)->{json}{appended}, 1, 'an id');
$r = upload($once);
is($r->{json}{appended}, 0, 'the same again appends nothing');
is($r->{json}{duplicates}, 1, 'and says so');
is(upload(event(key => 'j', id => '00000000-0000-0000-0000-000000000000'))->{status}, 400, 'the id of zeros');
$r = upload($good =~ s/g1/g5/gr . event(verb => 'noted', data => { pad => 'x' x 4_500_000 }));
is($r->{json}{errors}[0]{extensions}{code}, 'LIMIT_EXCEEDED', 'a line that is too long') or diag $r->{raw};
is_deeply([@{ $r->{json} }{qw(line appended)}], [2, 1], 'which');
is($t->http('POST', '/short', { %writer }, 'x' x 200)->{status}, 413, 'a limit of one\'s own');

# --- a long upload, slowly, chunked; constant memory

sub rss { my $sum = 0; for my $pid ($t->workers) { Kappa::Test::read_file("/proc/$pid/status") =~ /VmRSS:\s*(\d+)/ and $sum += $1 } return $sum }
my $before = rss();
my $pad = 'x' x 2000;
my $n = 5000;
my $body = join '', map { event(verb => 'noted', effect => 'NONE', key => "k$_", data => { pad => $pad }) } 1 .. $n;
my $begin = time;
{
    local $Kappa::Test::TIMEOUT = 60;
    $r = upload($body);
}
is($r->{json}{appended}, $n, "$n events, " . length($body) . ' bytes') or diag $r->{raw};
diag sprintf 'upload: %.1f MB/s', length($body) / 1e6 / (time - $begin);
my $grown = rss() - $before;
cmp_ok($grown, '<', 40_000, "memory grew by $grown kB");
{
    local $Kappa::Test::TIMEOUT = 60;
    my @all = lines($t->get('/events?verb=noted', %reader));
    is(scalar @all, $n, 'all of them read back');
}
my $chunked = '';
my $small = join '', map { event(key => "c$_", data => { sku => "c$_", n => $_ }) } 1 .. 50;
while ($small =~ /(.{1,37})/gs) { $chunked .= sprintf "%x\r\n%s\r\n", length $1, $1 }
$r = $t->http('POST', '/events', { %writer, 'Transfer-Encoding' => 'chunked' }, $chunked . "0\r\n\r\n");
is($r->{json}{appended}, 50, 'chunks cut anywhere') or diag $r->{raw};

# What comes slowly is appended as it comes: a tail has it before the end.
$tail->close;
$tail = Kappa::Test::SSE->open($t, 'GET', '/events?key=slow', { %reader });
my $slow = $t->connect;
my $head = "POST /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
print $slow "${head}Authorization: $writer{Authorization}\r\nTransfer-Encoding: chunked\r\n\r\n";
sub chunk { my ($bytes) = @_; return sprintf "%x\r\n%s\r\n", length $bytes, $bytes }
my ($one_more, $cut) = map { event(verb => 'noted', key => 'slow', data => { n => $_ }) } 1, 2;
print $slow chunk($one_more . substr $cut, 0, 20);
is($tail->next->{json}{data}{n}, 1, 'a line of an upload that goes on');
print $slow chunk(substr $cut, 20);
is($tail->next->{json}{data}{n}, 2, 'one that was cut');
print $slow chunk("{\n"), "0\r\n\r\n";
{ local $/; $r = Kappa::Test::parse_response(scalar <$slow>) }
is_deeply([$r->{status}, @{ $r->{json} }{qw(line appended)}], [400, 3, 2], 'then a wrong one');

# Over HTTP/2. The answer comes while the body is still on its way.
sub upload_h2 {
    my ($bytes) = @_;
    my $said = Kappa::Test::run(['curl', '-s', '--http2-prior-knowledge', '--max-time', 60, '-H',
        "Authorization: $writer{Authorization}", '--data-binary', '@-', '-w', "\n%{http_code}",
        "http://127.0.0.1:$h2/events"], stdin => $bytes);
    my ($json, $status) = $said->{out} =~ /^(.*)\n(\d+)\z/s or return [$said->{out}];
    my $decoded = eval { $Kappa::Test::JSON->decode($json) } // {};
    return [$status, @$decoded{qw(line appended)}];
}
is_deeply(upload_h2($body), [200, undef, $n], 'HTTP/2');
is_deeply(upload_h2(event(verb => 'noted') x 3 . "{\n" . $body x 3), [400, 4, 3], 'a wrong line in front of a long rest');

# It ends with its token.
my %brief = bearer(sub => 'w', scope => 'kappa:write', exp => int(time) + 2);
$slow = $t->connect;
print $slow "${head}Authorization: $brief{Authorization}\r\nTransfer-Encoding: chunked\r\n\r\n", chunk($one_more);
is($tail->next->{json}{data}{n}, 1, 'a line before the token expires');
sleep 0.1 while upload('', %brief)->{status} != 401;
print $slow chunk($one_more x 2), "0\r\n\r\n";
{ local $/; $r = Kappa::Test::parse_response(scalar <$slow>) }
is_deeply([$r->{status}, @{ $r->{json} }{qw(line appended)}], [401, 2, 1], 'and one behind') or diag $r->{raw};
is($r->{json}{errors}[0]{extensions}{code}, 'UNAUTHENTICATED', 'code');

# Expect: 100-continue. Who may not send is told so before it does.
for my $case ([\%writer, 100], [\%reader, 403], [{ Authorization => 'Bearer x' }, 401]) {
    my ($who, $status) = @$case;
    my $asks = $t->connect;
    print $asks "${head}Authorization: $who->{Authorization}\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n";
    like(scalar <$asks>, qr{^HTTP/1\.1 $status }, "Expect: $status");
}

# A client that goes away in the middle; nothing else is disturbed.
my $socket = $t->connect;
print $socket "POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: $writer{Authorization}\r\nContent-Length: 1000000\r\n\r\n" . event(key => 'z', data => { sku => 'z', n => 1 });
$socket->flush;
sleep 0.1;
close $socket;
is(upload(event(key => 'y', data => { sku => 'y', n => 1 }))->{json}{appended}, 1, 'others go on');

ok($t->reload, 'reload');
$again->next(1) while !$again->ended && $again->next(3);
ok($again->ended, 'ends tails');
ok($t->stop('QUIT'), 'a graceful end');
is($t->kappa(['verify', '--store', $t->store])->{status}, 0, 'the store is whole');
$t->no_alerts;

# --- who looks through large events in vain lets others have their turn: both
# requests are there when the only worker wakes up

my $one_worker = Kappa::Test->new(schema => $SDL, workers => 1,
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=kappa:read write=kappa:write; kappa_auth required; }');
Kappa::Test::write_file($one_worker->dir . '/key', $SECRET);
$one_worker->start;
my $large = event(verb => 'noted', data => { pad => 'x' x 1_000_000 });
is($one_worker->http('POST', '/events', {%writer}, $large x 40)->{json}{appended}, 40, 'large events');
my $end = $one_worker->http('POST', '/events', {%writer}, event(thing => 'Notice', verb => 'given', data => { n => 1 }));
my ($epoch) = $end->{json}{position} =~ /^(\w+)-/;
my ($worker) = $one_worker->workers;
for my $case (['a filter', '/events?thing=none', "Accept: */*", qr/0\r\n\r\n\z/],
    ['a change stream', '/graphql?query=subscription{notices{n}}', "Accept: text/event-stream\r\nLast-Event-ID: $epoch-0", qr/"n":1/])
{
    my ($name, $path, $headers, $whole) = @$case;
    kill 'STOP', $worker;
    my @asked = map {
        my $asks = $one_worker->connect;
        print $asks "GET $_->[0] HTTP/1.1\r\nHost: a\r\n$_->[1]\r\nAuthorization: $reader{Authorization}\r\n\r\n";
        { socket => $asks, name => $_->[2], whole => $_->[3], got => '' };
    } [$path, $headers, $name, $whole], ['/ok', 'Accept: */*', 'another', qr/ok\n\z/];
    kill 'CONT', $worker;
    my @waits = @asked;
    my @order;
    while (@waits && IO::Select->new(map { $_->{socket} } @waits)->can_read($Kappa::Test::TIMEOUT)) {
        for my $asks (grep { IO::Select->new($_->{socket})->can_read(0) } @waits) {
            sysread $asks->{socket}, $asks->{got}, 65536, length $asks->{got} or $asks->{whole} = qr//;
            next if $asks->{got} !~ $asks->{whole};
            push @order, $asks->{name};
            @waits = grep { $_ != $asks } @waits;
        }
    }
    is_deeply(\@order, ['another', $name], "$name over large events: others are answered meanwhile");
}
ok($one_worker->stop('QUIT'), 'ends');
$one_worker->no_alerts;
done_testing;
