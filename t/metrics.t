# /metrics: what is counted over several workers, that counters never go back
# (reload, kill), and that Prometheus takes the page as it is.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use Kappa::Test;
use Kappa::WebSocket;
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $SDL = <<'END';
type Item @view(key: "sku") { sku: ID! n: Int! by: String @stamp(as: "auth.sub") }
type Query { item(sku: ID!): Item }
type Mutation {
  create(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "created", effect: CREATE)
    @check(if: "args.n >= 0", code: "NEGATIVE")
  set(sku: ID!, n: Int!): Item! @event(thing: "Item", verb: "set", effect: PATCH)
}
type Subscription { item(sku: ID!): Item }
END
my $SECRET = 'a secret of at least thirty-two bytes';
my $WORKERS = 3;
my $t = Kappa::Test->new(schema => $SDL, workers => $WORKERS,
    http => 'kappa_issuer https://a { key %DIR%/key alg=HS256; }'
        . 'limit_req_zone all zone=late:1m rate=1r/m;',
    graphql => 'kappa_auth optional; kappa_heartbeat 300ms; client_max_body_size 64k;',
    server => 'location = /metrics { kappa_metrics; }'
        . 'location = /numbers { kappa_metrics; }'
        . 'location = /late { kappa_graphql app; limit_req zone=late burst=5; }'
        . 'location = /slow { kappa_graphql app; send_timeout 300ms; }'
        . 'location = /events { kappa_events app read=r write=w; kappa_auth required; }');
Kappa::Test::write_file($t->dir . '/key', $SECRET);
$t->start;

sub bearer {
    my $text = encode_base64url('{"alg":"HS256"}') . '.'
        . encode_base64url($Kappa::Test::JSON->encode({ iss => 'https://a', sub => 'kim', @_ }));
    return (Authorization => "Bearer $text." . encode_base64url(hmac_sha256($text, $SECRET)));
}

# The page as { 'name label=value …' => number }, labels sorted, without
# `application`.
sub parse {
    my %number;
    for (grep { !/^#/ } split /\n/, $_[0]) {
        my ($name, $labels, $value) = /^(\w+)(?:\{(.*)\})? (\S+)$/ or die "not a sample: $_";
        my %label = ($labels // '') =~ /(\w+)="([^"]*)"/g;
        delete $label{application};
        $number{ join ' ', $name, map { "$_=$label{$_}" } sort keys %label } = $value;
    }
    return \%number;
}
sub page { return parse($t->get('/metrics')->{body}) }

# How far numbers moved since `before`; waits until it is as wanted.
sub moves {
    my ($name, $before, %want) = @_;
    my (%got, $now);
    Kappa::Test::wait_until(sub {
        $now = page();
        %got = map { $_ => ($now->{$_} // 'nan') - $before->{$_} } keys %want;
        return !grep { $got{$_} != $want{$_} } keys %want;
    }, 5);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply(\%got, \%want, $name);
    return $now;
}

my %type; # of families
sub never_back {
    my ($name, $before, $now) = @_;
    my @less = grep {
        my ($family) = /^(\w+)/;
        $family =~ s/_(?:bucket|sum|count)$// if !$type{$family};
        $type{$family} ne 'gauge' && ($now->{$_} // -1) < $before->{$_};
    } sort keys %$before;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply(\@less, [], $name);
}

# --- the page itself

my $r = $t->get('/metrics');
is($r->{status}, 200, 'GET');
is($r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'its type');
is($r->{headers}{'cache-control'}, 'no-store', 'not cached');
is($r->{headers}{'content-length'}, length $r->{body}, 'its length');
%type = $r->{body} =~ /^# TYPE (\w+) (\w+)$/mg;
cmp_ok(scalar keys %type, '>', 20, 'families');
my $head = $t->http('HEAD', '/metrics');
is($head->{status}, 200, 'HEAD');
is($head->{body}, '', 'has no body');
for my $method (qw(POST PUT DELETE PATCH)) {
    my $other = $t->http($method, '/metrics', {}, 'x');
    is($other->{status}, 405, "$method is refused");
    is($other->{headers}{allow}, 'GET, HEAD', 'and hears what is not');
}
is($t->get('/numbers')->{status}, 200, 'a second location');
my $zero = page();
is($zero->{kappa_workers}, $WORKERS, 'workers');
is($zero->{kappa_store_open}, 1, 'the store is open');
is($zero->{kappa_views_rebuilding}, 0, 'nothing is rebuilt');
is($zero->{kappa_log_position}, 0, 'an empty log');
is(join(' ', grep { /^kappa_(?:requests|errors)_total/ && $zero->{$_} } keys %$zero), '', 'nothing has happened');

# What docs/errors.md lists has a number of its own, but what is of the
# command line only.
for my $code (Kappa::Test::file('docs/errors.md') =~ /^\| `([A-Z_]+)`/mg) {
    next if $code eq 'VIEWS_DIFFER';
    ok(exists $zero->{"kappa_errors_total code=$code"}, "$code is counted");
}
my $doc = Kappa::Test::file('docs/metrics.md');
my %written = map { $_ => 1 } $doc =~ /^\| `(kappa_\w+)/mg;
is_deeply([ sort keys %written ], [ sort keys %type ], 'docs/metrics.md has all of them, and no other');

# --- requests

my $query = '{ item(sku: "a") { n } }';
$t->graphql('mutation { create(sku: "a", n: 1) { n } }');
$t->graphql($query) for 1 .. 20;
$t->graphql('mutation { create(sku: "b", n: -1) { n } }') for 1 .. 3;
$t->graphql('mutation { create(sku: "a", n: 1) { n } }') for 1 .. 2;
$t->graphql('{ nothing }') for 1 .. 4;
$t->graphql('{') for 1 .. 2;
is($t->post('/graphql', '{broken')->{status}, 400, 'no JSON');
is($t->post('/graphql', 'x' x 70000)->{status}, 413, 'too large');
is($t->http('PUT', '/graphql')->{status}, 405, 'another method');
is($t->graphql($query, undef, Authorization => 'Bearer x')->{status}, 401, 'a bad token');
my $now = moves('requests by type and outcome', $zero,
    'kappa_requests_total outcome=ok type=query' => 20,
    'kappa_requests_total outcome=ok type=mutation' => 1,
    'kappa_requests_total outcome=error type=mutation' => 5,
    'kappa_requests_total outcome=refused type=unknown' => 10,
    'kappa_errors_total code=VALIDATION_FAILED' => 4,
    'kappa_errors_total code=PARSE_FAILED' => 2,
    'kappa_errors_total code=BAD_USER_INPUT' => 2,
    'kappa_errors_total code=ALREADY_EXISTS' => 2,
    'kappa_errors_total code=UNAUTHENTICATED' => 1,
    'kappa_errors_total code=other' => 3,
    'kappa_request_duration_seconds_count type=query' => 20,
    'kappa_request_duration_seconds_count type=mutation' => 6,
    'kappa_events_appended_total' => 1, 'kappa_log_position' => 1,
    'kappa_views_position' => 1, 'kappa_append_duration_seconds_count' => 1,
    'kappa_commit_duration_seconds_count' => 6, 'kappa_batch_events_count' => 6,
    'kappa_batch_events_sum' => 1, 'kappa_tokens_refused_total' => 1);
cmp_ok($now->{kappa_fsync_duration_seconds_count}, '>=', 1, 'fsyncs');
cmp_ok($now->{'kappa_request_duration_seconds_sum type=query'}, '>', 0, 'time of queries');
cmp_ok($now->{'kappa_answer_cache_requests_total result=hit'}, '>=', 10, 'kept answers');
cmp_ok($now->{'kappa_answer_cache_requests_total result=miss'}, '>=', 2, 'and others');
cmp_ok($now->{kappa_answer_cache_bytes}, '>', 0, 'their memory');
cmp_ok($now->{'kappa_document_cache_requests_total result=miss'}, '>=', 7, 'new documents');
cmp_ok($now->{kappa_document_cache_bytes}, '>', 0, 'their memory');

# One page is of one worker: each tells the same.
my %same = map { my $n = page(); $n->{'kappa_requests_total outcome=ok type=query'} => 1 } 1 .. 20;
is_deeply([ keys %same ], [20], 'every worker tells the same');

# A retry, and tokens.
my %once = ('Idempotency-Key' => 'k');
$t->graphql('mutation { set(sku: "a", n: 2) { n } }', undef, %once) for 1 .. 3;
$t->graphql($query, undef, bearer()) for 1 .. 12;
$now = moves('duplicates and tokens', $now, kappa_duplicate_events_total => 2,
    kappa_events_appended_total => 1, 'kappa_requests_total outcome=ok type=mutation' => 3,
    'kappa_requests_total outcome=ok type=query' => 12, 'kappa_tokens_refused_total' => 0);
cmp_ok($now->{'kappa_token_cache_requests_total result=hit'}, '>=', 12 - $WORKERS, 'tokens known');
cmp_ok($now->{kappa_tokens_cached}, '>=', 1, 'and kept');

# --- histograms

sub histograms_are_whole {
    my ($text) = @_;
    my (%last, %bound, @bad);
    for (split /\n/, $text) {
        if (/^(\w+)_bucket\{(.*?),?le="([^"]+)"\} (\d+)$/) {
            my ($id, $le, $n) = ("$1\{$2}", $3 eq '+Inf' ? 9**9**9 : $3, $4);
            push @bad, $_ if $n < ($last{$id} // 0) || $le <= ($bound{$id} // -1);
            ($last{$id}, $bound{$id}) = ($n, $le);
        } elsif (/^(\w+)_count(?:\{(.*)\})? (\d+)$/) {
            my $id = "$1\{" . ($2 // '') . '}';
            push @bad, $_ if $last{$id} != $3 || $bound{$id} != 9**9**9;
        }
    }
    is_deeply(\@bad, [], 'buckets are cumulative and end in the count');
    cmp_ok(scalar keys %last, '>=', 7, 'histograms');
}
histograms_are_whole($t->get('/metrics')->{body});

sub promtool_passes {
    my ($name) = @_;
    my $said = Kappa::Test::run(["$Kappa::Test::ROOT/build/promtool", qw(check metrics)],
        stdin => $t->get('/metrics')->{body});
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("$said->{status} $said->{out}$said->{err}", '0 ', "promtool check metrics: $name");
}
promtool_passes('after requests');

# --- subscriptions

my @sse = map { $t->sse('subscription { item(sku: "a") { n } }') } 1 .. 5;
$_->next for @sse;
my @ws = map { my $w = Kappa::WebSocket->new($t, '/graphql'); $w->init; $w } 1 .. 4;
$_->subscribe('s', 'subscription { item(sku: "a") { n } }') for @ws;
$_->next for @ws;
my $open = moves('open subscriptions', $now,
    'kappa_subscriptions transport=sse' => 5, 'kappa_subscriptions transport=websocket' => 4,
    kappa_websocket_connections => 4, 'kappa_messages_sent_total transport=sse' => 5,
    'kappa_messages_sent_total transport=websocket' => 4,
    'kappa_requests_total outcome=ok type=subscription' => 9);
cmp_ok($open->{kappa_subscription_groups}, '>=', 1, 'groups');
cmp_ok($open->{kappa_subscription_groups}, '<=', $WORKERS, 'one a worker at most');
$ws[0]->subscribe('q', $query);
$ws[0]->next for 1 .. 2;
$ws[0]->subscribe('x', '{ nothing }');
$ws[0]->next;
$ws[0]->subscribe('m', 'mutation { set(sku: "a", n: 3) { n } }');
$ws[0]->next for 1 .. 3;
$_->next for @sse, @ws[1 .. 3];
my $told = moves('what a change makes', $open,
    'kappa_messages_sent_total transport=sse' => 5,
    'kappa_messages_sent_total transport=websocket' => 4,
    'kappa_requests_total outcome=ok type=query' => 1,
    'kappa_requests_total outcome=ok type=mutation' => 1,
    'kappa_requests_total outcome=refused type=unknown' => 1,
    'kappa_errors_total code=VALIDATION_FAILED' => 1,
    'kappa_request_duration_seconds_count type=query' => 1);
cmp_ok($told->{kappa_live_runs_total} - $open->{kappa_live_runs_total}, '>=', 1, 'plans were run');
cmp_ok($told->{kappa_live_frames_total} - $open->{kappa_live_frames_total}, '<=', $WORKERS,
    'a frame a group, not one a subscriber');
$ws[0]->bytes(Kappa::WebSocket::frame(8, pack 'n', 1000));
$ws[1]->send({ type => 'connection_init' });
$ws[2]->complete('s');
$ws[3]->close;
$_->close for @sse[0 .. 2];
$now = moves('and closed', $told,
    'kappa_subscriptions transport=sse' => -3, 'kappa_subscriptions transport=websocket' => -4,
    kappa_websocket_connections => -3, 'kappa_websocket_closes_total code=1000' => 1,
    'kappa_websocket_closes_total code=4429' => 1, 'kappa_websocket_closes_total code=1006' => 1);
is(Kappa::WebSocket->new($t, '/graphql', headers => { 'Sec-WebSocket-Version' => 8 })->status, 426, 'a bad handshake');
$now = moves('is a refusal', $now, 'kappa_requests_total outcome=refused type=unknown' => 1);

# --- the event door

my $lines = join '', map { qq({"thing":"Item","verb":"created","key":"e$_","data":{"sku":"e$_","n":$_}}\n) } 1 .. 50;
my %writer = bearer(scope => 'w');
is($t->http('POST', '/events', \%writer, $lines)->{status}, 200, 'an upload');
is($t->http('POST', '/events', \%writer, "no\n")->{status}, 400, 'a bad one');
is($t->http('POST', '/events', { bearer(scope => 'r') }, $lines)->{status}, 403, 'a wrong scope');
is($t->http('GET', '/events', { bearer(scope => 'r') })->{status}, 200, 'reading');
my $tail = Kappa::Test::SSE->open($t, 'GET', '/events?limit=5', { bearer(scope => 'r') });
$tail->next;
$now = moves('events', $now, kappa_events_appended_total => 50, kappa_log_position => 50,
    'kappa_upload_bytes_total' => length($lines) + 3,
    'kappa_requests_total outcome=ok type=upload' => 1,
    'kappa_requests_total outcome=refused type=upload' => 2,
    'kappa_requests_total outcome=ok type=read' => 2, 'kappa_errors_total code=FORBIDDEN' => 1,
    'kappa_messages_sent_total transport=events' => 5);

# --- a client that does not read

my $deaf = Kappa::WebSocket->new($t, '/slow');
$deaf->init;
my $many = '{ __schema { ' . join(' ', map { "a$_: types { name description fields { name description } }" } 1 .. 40) . ' } }';
$deaf->subscribe("q$_", $many) for 1 .. 60;
Kappa::Test::wait_until(sub { page()->{kappa_slow_clients_closed_total} });
cmp_ok(page()->{kappa_slow_clients_closed_total}, '>=', 1, 'who does not read is ended, and counted');
$deaf->close;

# --- a client that does not wait

$now = page();
is($t->get('/late?query={__typename}')->{status}, 200, 'the first of a minute');
my $hasty = $t->connect;
syswrite $hasty, "GET /late?query={__typename} HTTP/1.1\r\nHost: a\r\n\r\n";
sleep 0.1;
close $hasty;
$now = moves('who leaves before the answer', $now,
    'kappa_requests_total outcome=gone type=unknown' => 1, 'kappa_requests_total outcome=ok type=query' => 1);

# --- workers come and go

$now = page();
for my $round (1 .. 2) {
    ok($t->kill_worker('KILL'), 'a worker is killed');
    my $after = page();
    never_back("kill $round: no counter goes back", $now, $after);
    is($after->{kappa_workers}, $WORKERS, 'and none too many counted') or diag $after->{kappa_workers};
    $t->graphql($query) for 1 .. 10;
    $now = moves('counting goes on', $after, 'kappa_requests_total outcome=ok type=query' => 10);
}
my $kept = $t->sse('subscription { item(sku: "a") { n } }');
$kept->next;
ok($t->reload, 'reload');
my $after = page();
never_back('reload: no counter goes back', $now, $after);
$t->graphql($query) for 1 .. 10;
$after = moves('and they count on', $after, 'kappa_requests_total outcome=ok type=query' => 10);
Kappa::Test::wait_until(sub { page()->{kappa_workers} == $WORKERS });
$now = page();
is($now->{kappa_workers}, $WORKERS, 'the old workers are gone');
is($now->{'kappa_subscriptions transport=sse'}, 0, 'and so are their subscribers');
is($now->{kappa_websocket_connections}, 0, 'of both kinds');
never_back('nothing went back', $after, $now);

# The same under traffic: a child asks without pause.
my $child = fork // die "fork: $!";
if (!$child) {
    my ($n, $end) = (0, time + 20);
    while (time < $end && getppid != 1) {
        $n++ % 4 ? $t->graphql($query) : $t->graphql("mutation { set(sku: \"a\", n: $n) { n } }");
    }
    POSIX::_exit(0);
}
$now = page();
my $begun = $now;
my $went_back = 0;
for my $round (1 .. 4) {
    $round == 3 ? $t->reload : $t->kill_worker('KILL');
    for (1 .. 10) {
        my $next = page();
        next if !%$next; # asked of a worker that was killed
        $went_back++ if grep {
            my ($family) = /^(\w+?)(?:_bucket|_sum|_count)?(?: |$)/;
            ($type{$family} // 'gauge') ne 'gauge' && $next->{$_} < $now->{$_};
        } keys %$now;
        $now = $next;
        sleep 0.02;
    }
}
kill 'KILL', $child;
waitpid $child, 0;
is($went_back, 0, 'under traffic, too, no counter goes back');
cmp_ok($now->{kappa_events_appended_total}, '>', $begun->{kappa_events_appended_total}, 'there was some');
Kappa::Test::wait_until(sub { page()->{kappa_workers} == $WORKERS });
$now = page();

# Another number of workers, and another application: the first one's numbers
# stay.
mkdir $t->dir . '/data/second';
chown((getpwnam('www-data'))[2, 3], $t->dir . '/data/second') if $> == 0;
my $second = "kappa second { schema %SCHEMA%; store %DIR%/data/second; }\n";
$t->write_config(workers => 2, http => $t->{http} . $second,
    server => $t->{server} . 'location = /second { kappa_graphql second; }');
ok($t->reload, 'reload with one application more');
Kappa::Test::wait_until(sub { page()->{kappa_workers} == 2 });
my $text = $t->get('/metrics')->{body};
like($text, qr/^kappa_store_open\{application="second"\} 1$/m, 'it is there');
my ($first) = $text =~ /^kappa_requests_total\{application="app",type="query",outcome="ok"\} (\d+)$/m;
is($first, $now->{'kappa_requests_total outcome=ok type=query'}, 'the other has kept its numbers');
my ($other) = $text =~ /^kappa_requests_total\{application="second",type="query",outcome="ok"\} (\d+)$/m;
is($other, 0, 'it begins with none');
promtool_passes('of two applications');
histograms_are_whole($text);

# Applications that come and go: those that stay keep their numbers as long as
# there are not more than there is room for.
sub with_apps {
    my ($name, $kept, @app) = @_;
    for (@app) {
        mkdir $t->dir . "/data/$_";
        chown((getpwnam('www-data'))[2, 3], $t->dir . "/data/$_") if $> == 0;
    }
    my $http = $t->{http} =~ s/kappa (?!app)\w+ \{[^}]*\}\n//gr;
    $t->write_config(http => $http . join '', map { "kappa $_ { schema %SCHEMA%; store %DIR%/data/$_; }\n" } @app);
    $t->reload or fail 'reload';
    Kappa::Test::wait_until(sub { page()->{kappa_workers} == 2 });
    my $page = $t->get('/metrics')->{body};
    my %count = $page =~ /^kappa_requests_total\{application="(\w+)",type="query",outcome="ok"\} (\d+)$/mg;
    my %want = (app => $kept ? $first : 0, map { $_ => 0 } @app);
    is_deeply(\%count, \%want, $name);
}
$t->write_config(server => $t->{server} =~ s/location = .second.*//r);
with_apps('as many as fit', 1, qw(b c));
with_apps('one leaves, one comes', 1, qw(b d));
with_apps('more than fit', 0, qw(b c d e));
promtool_passes('of five applications');

# --- a store that can't be opened, then can

my $position = page()->{kappa_log_position};
ok($t->stop, 'stop');
my $epoch = $t->store . '/log/epoch';
my $right = Kappa::Test::read_file($epoch);
Kappa::Test::write_file($epoch, 'NOT AN EPOCH');
$t->write_config(http => $t->{http} =~ s/kappa (?!app)\w+ \{[^}]*\}\n//gr);
$t->start;
$now = page();
is($now->{kappa_store_open}, 0, 'the store is not open');
is($now->{'kappa_requests_total outcome=ok type=query'}, 0, 'another nginx counts from nothing');
is($t->graphql($query)->{status}, 503, 'queries are refused') for 1 .. 3;
is($t->graphql('mutation { set(sku: "a", n: 4) { n } }')->{status}, 503, 'mutations too');
$now = moves('unavailable', $now, 'kappa_requests_total outcome=unavailable type=unknown' => 4,
    'kappa_errors_total code=STORE_UNAVAILABLE' => 4);
promtool_passes('of a store that is not open');
Kappa::Test::write_file($epoch, $right);
# Each worker opens it by itself, and says so of itself.
ok(Kappa::Test::wait_until(sub { !grep { !page()->{kappa_store_open} } 1 .. 10 }), 'mended');
is(page()->{kappa_log_position}, $position, 'and its position told');

# --- without kappa_metrics all works as well

$t->write_config(workers => 2, server => '');
ok($t->reload, 'reload without kappa_metrics');
is($t->graphql($query)->{status}, 200, 'queries are answered');
ok($t->stop('QUIT'), 'a graceful end');
$t->no_alerts(qr/exited on signal 9/);

my $bare = Kappa::Test->new(workers => 1, server => 'location = /metrics { kappa_metrics; }');
$bare->start;
$t = $bare;
promtool_passes('of no application');
is(page()->{kappa_workers}, 1, 'which has workers, too');
$bare->no_alerts;
for my $wrong ('kappa_metrics on;', 'kappa_metrics; kappa_metrics;') {
    my $bad = Kappa::Test->new(server => "location = /metrics { $wrong }");
    my ($status, $said) = $bad->config_test;
    isnt($status, 0, "`$wrong` is refused");
    like($said, qr/kappa_metrics" directive|"kappa_metrics" directive is duplicate/, 'by name');
}
done_testing;
