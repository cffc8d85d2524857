# Long streams through /events, in and out: constant memory, the sender and the
# reader held back, a wrong line deep inside, and an upload that is sent again
# after everybody was killed. 1 GB in `make torture`.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use IO::Select;
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
my $MB = Kappa::Test::rounds(64, 1024);
my $LIMIT_KB = 24_000;    # what a stream may add to all workers' memory
Kappa::Test::seed();

my $t = Kappa::Test->new(schema => <<'END', workers => 2,
type Blob @view(key: "id") { id: ID! n: Int! }
type Query { blob(id: ID!): Blob }
END
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }',
    server => 'location /events { kappa_events app read=r write=w; kappa_auth required; }');
my $SECRET = 'a secret of at least thirty-two bytes';
Kappa::Test::write_file($t->dir . '/key', $SECRET);
my $token = encode_base64url('{"alg":"HS256"}') . '.' . encode_base64url('{"iss":"https://a","scope":"r w"}');
$token .= '.' . encode_base64url(hmac_sha256($token, $SECRET));
my $auth = "Authorization: Bearer $token\r\n";
$t->start;

# The workers' own memory: not the pages of mapped files.
sub memory {
    my $sum = 0;
    for my $pid ($t->workers) {
        $sum += $1 if Kappa::Test::read_file("/proc/$pid/status") =~ /RssAnon:\s*(\d+)/;
    }
    return $sum;
}
my ($base, $most);
sub watch_from_here { $base = $most = memory() }
sub watch { my $now = memory(); $most = $now if $now > $most }
sub grew_little { my ($name) = @_; cmp_ok($most - $base, '<', $LIMIT_KB, "$name: memory grew by at most " . ($most - $base) . ' kB') }

my $TIMEOUT = 60 + $MB * 2;
sub read_answer {
    my ($socket) = @_;
    my ($answer, $end) = ('', time + $TIMEOUT);
    while (time < $end) {
        next if !IO::Select->new($socket)->can_read(1);
        last if !sysread $socket, $answer, 65536, length $answer;
    }
    return Kappa::Test::parse_response($answer);
}
# Sends all of it; false when the other side has closed.
sub send_all {
    my ($socket, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = syswrite $socket, $bytes, length($bytes) - $sent, $sent;
        return 0 if !$n;
        $sent += $n;
    }
    return 1;
}
sub upload {
    my ($length) = @_;
    my $socket = $t->connect;
    send_all($socket, "POST /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n$auth" . "Content-Length: $length\r\n\r\n");
    return $socket;
}

# --- in

my $pad = 'x' x 1940;
sub megabyte {
    my ($i) = @_;
    return join '', map { sprintf qq({"thing":"Noise","verb":"made","key":"k%08d","data":{"pad":"%s"}}\n), $i * 500 + $_, $pad } 0 .. 499;
}
my $length = length megabyte(0);
my $socket = upload($length);
send_all($socket, megabyte(0));
is(read_answer($socket)->{json}{appended}, 500, 'a megabyte, to warm up');
watch_from_here();
my $begin = time;
$socket = upload($length * $MB);
my $sent = 0;
for my $i (1 .. $MB) {
    $sent += send_all($socket, megabyte($i));
    watch() if $i % 4 == 0;
}
my $r = read_answer($socket);
is($sent, $MB, "$MB MB are sent");
is($r->{json}{appended}, 500 * $MB, 'and appended') or diag $r->{raw};
diag sprintf '%.0f MB/s in', $length * $MB / 1e6 / (time - $begin);
grew_little('an upload');
my $end = $r->{json}{position};

# --- out, to who does not read for a while

watch_from_here();
$begin = time;
$socket = $t->connect;
send_all($socket, "GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n$auth\r\n");
for (1 .. 20) { sleep 0.05; watch() }
my ($tail, $next, $wrong, $reads) = ('', 0, 0, 0);
my $stop = time + $TIMEOUT;
while (time < $stop) {
    next if !IO::Select->new($socket)->can_read(1);
    my $n = sysread $socket, my $bytes, 65536;
    last if !$n;
    $tail .= $bytes;
    while ($tail =~ /"key":"k(\d{8})"/g) { $wrong++ if $1 != $next++ }
    $tail = substr $tail, -20;    # a key may be cut
    $tail =~ s/"key":"k\d{8}"//g;
    watch() if $reads++ % 200 == 0;
}
is($next, 500 * ($MB + 1), 'all of it comes back');
is($wrong, 0, 'in order');
diag sprintf '%.0f MB/s out', $length * $MB / 1e6 / (time - $begin);
grew_little('a reader');

# --- an endless tail that is left and come back to

my %headers = (Authorization => "Bearer $token");
watch_from_here();
my $stream = Kappa::Test::SSE->open($t, 'GET', '/events?thing=Noise', {%headers});
my $last;
$last = $stream->next for 1 .. 700;
is($last->{json}{key}, 'k00000699', 'a tail');
$stream->close;
$stream = Kappa::Test::SSE->open($t, 'GET', '/events?thing=Noise', { %headers, 'Last-Event-ID' => $last->{id} });
is($stream->next->{json}{key}, 'k00000700', 'goes on where it was');
watch();
$stream->close;
grew_little('tails');
$stream = Kappa::Test::SSE->open($t, 'GET', '/events', { %headers, 'Last-Event-ID' => $end });
my $more = $JSON->encode({ thing => 'Blob', verb => 'made', key => 'one', effect => 'CREATE', data => { id => 'one', n => 1 } }) . "\n";
is($t->http('POST', '/events', {%headers}, $more)->{json}{appended}, 1, 'one more');
is($stream->next->{json}{key}, 'one', 'is heard at the end of a long log');
$stream->close;

# --- a wrong line deep inside

sub line {
    my ($i, %more) = @_;
    return $JSON->encode({ id => sprintf('0190a000-0000-7000-8000-%012d', $i), thing => 'Blob', verb => 'made', key => "b$i",
        effect => 'CREATE', data => { id => "b$i", n => $i, %more } }) . "\n";
}
my $WRONG = 3210;
for my $case (['a type', line($WRONG, n => 'many'), 'BAD_USER_INPUT'], ['JSON', "{]\n", 'BAD_USER_INPUT'],
    ['a key that is taken', line($WRONG) =~ s/b$WRONG/b1/gr, 'ALREADY_EXISTS'])
{
    my ($name, $wrong_line, $code) = @$case;
    my $body = join '', map { $_ == $WRONG ? $wrong_line : line($_) } 1 .. 9000;
    $socket = upload(length $body);
    send_all($socket, $body);
    $r = read_answer($socket);
    is($r->{status}, 400, "wrong: $name");
    is($r->{json}{line}, $WRONG, 'which line');
    is($r->{json}{errors}[0]{extensions}{code}, $code, 'why');
    like($r->{json}{errors}[0]{message}, qr/^line $WRONG: .*nothing from it on was appended/, 'in words');
    is($r->{json}{appended} + $r->{json}{duplicates}, $WRONG - 1, 'what stood before is there');
}
ok(!$t->graphql('{ blob(id: "b4000") { n } }')->{json}{data}{blob}, 'what came after is not');

# --- everybody is killed in the middle; the upload is sent again as a whole

my $body = join '', map { line($_) } 1 .. 9000;
for (1 .. Kappa::Test::rounds(3, 30)) {
    $socket = upload(length $body);
    my $cut = int rand length $body;
    send_all($socket, substr $body, 0, $cut);
    sleep rand 0.2;
    my %old = map { $_ => 1 } $t->workers;
    kill 'KILL', keys %old;
    close $socket;
    ok(Kappa::Test::wait_until(sub { my @now = $t->workers; @now == 2 && !grep { $old{$_} } @now }, 30), 'workers are killed');
}
$socket = upload(length $body);
send_all($socket, $body);
$r = read_answer($socket);
is($r->{json}{appended} + $r->{json}{duplicates}, 9000, 'sent again') or diag $r->{raw};
my %seen;
$seen{$_}++ for map { $JSON->decode($_)->{id} } split /\n/, $t->kappa(['log', '--store', $t->store, '--thing', 'Blob'], timeout => $TIMEOUT)->{out};
is(scalar(keys %seen), 9001, 'all are there');
is(scalar(grep { $_ > 1 } values %seen), 0, 'each once');

ok($t->stop('QUIT'), 'an orderly end');
is($t->kappa(['verify', '--store', $t->store], timeout => $TIMEOUT)->{status}, 0, 'the store is whole');
$t->no_alerts(qr/exited on signal 9/);
done_testing;
