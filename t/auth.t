# Who may do what: tokens by header and cookie, on GraphQL and on any other
# location; @allow; CORS.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Kappa::Test;

my $SDL = <<'END';
type Note @view @index(fields: ["owner", "at"]) @allow(if: "row.owner == auth.sub || 'admin' in auth.roles") {
  id: ID!
  owner: ID! @stamp(as: "auth.sub")
  text: String!
  secret: String @allow(if: "'admin' in auth.roles")
  at: DateTime! @stamp(as: "now")
}
type Query {
  note(id: ID!): Note
  mine(owner: ID! @stamp(as: "auth.sub"), first: Int = 10): [Note!]!
}
type Mutation {
  write(id: ID!, text: String!, secret: String): Note! @event(thing: "Note", verb: "written", effect: CREATE)
  erase(id: ID!): Note @event(thing: "Note", verb: "erased", effect: DELETE) @allow(if: "'admin' in auth.roles")
}
type Subscription { note(id: ID!): Note }
END

my $SECRET = 'a secret of at least thirty-two bytes';
my $OTHER = 'another secret, of someone else, here';
my $t = Kappa::Test->new(schema => $SDL, workers => 2,
    http => 'kappa_issuer https://a { key %DIR%/a.key alg=HS256; audience api; }'
        . 'kappa_issuer https://b { jwks %DIR%/b.jwks; roles realm.roles; leeway 10s; }'
        . 'log_format k "$kappa_subject|$kappa_claim_team|$kappa_operation_type|'
        . '$kappa_operation_name|$kappa_error_code|$kappa_position|$status";'
        . 'limit_req_zone $kappa_subject zone=z:1m rate=1r/m;',
    graphql => 'kappa_auth optional; access_log %DIR%/logs/k.log k;'
        . 'kappa_origin https://app.example.com;',
    server => 'location /strict { kappa_graphql app; kappa_auth required;'
        . '   kappa_require "\'admin\' in auth.roles"; }'
        . 'location /cookie { kappa_graphql app; kappa_auth required; kappa_token cookie=session;'
        . '   kappa_origin https://app.example.com; }'
        . 'location /files/ { kappa_auth required; kappa_require "auth.sub != \'eve\'"; proxy_pass http://127.0.0.1:%PORT%/behind/; }'
        . 'location /behind/ { return 200 "behind\n"; }'
        . 'location /limited { kappa_auth required; limit_req zone=z; try_files /none =204; }');
Kappa::Test::write_file($t->dir . '/a.key', "$SECRET\n");

# Keys of issuer b, by openssl.
my $dir = $t->dir;
is(system("openssl genrsa -out $dir/rsa.pem 2048 2>/dev/null"
        . " && openssl ecparam -name prime256v1 -genkey -noout -out $dir/ec.pem"), 0, 'keys');
sub bytes_of {
    my ($text) = @_;
    $text =~ s/[^0-9a-fA-F]//g;
    return pack 'H*', $text;
}
my ($modulus) = `openssl rsa -in $dir/rsa.pem -noout -modulus` =~ /=([0-9A-F]+)/;
my ($point) = `openssl ec -in $dir/ec.pem -text -noout 2>/dev/null` =~ /pub:\s*04:([0-9a-f:\s]+?)ASN1/s;
my $xy = bytes_of($point);
Kappa::Test::write_file("$dir/b.jwks", $Kappa::Test::JSON->encode({ keys => [
    { kty => 'RSA', kid => 'r1', use => 'sig', alg => 'RS256', e => 'AQAB',
        n => encode_base64url(bytes_of($modulus)) },
    { kty => 'EC', kid => 'e1', crv => 'P-256',
        x => encode_base64url(substr $xy, 0, 32), y => encode_base64url(substr $xy, 32, 32) },
] }));

sub token {
    my ($claims, %o) = @_;
    my $head = encode_base64url($Kappa::Test::JSON->encode({ typ => 'JWT',
        alg => $o{alg} // 'HS256', $o{kid} ? (kid => $o{kid}) : () }));
    my $text = "$head." . encode_base64url($Kappa::Test::JSON->encode($claims));
    my $signature;
    if (($o{alg} // 'HS256') eq 'HS256') {
        $signature = hmac_sha256($text, $o{secret} // $SECRET);
    } else {
        Kappa::Test::write_file("$dir/sign", $text);
        my $key = $o{alg} eq 'RS256' ? 'rsa' : 'ec';
        $signature = `openssl dgst -sha256 -sign $dir/$key.pem $dir/sign`;
        if ($o{alg} eq 'ES256') {    # DER to r and s of 32 bytes each
            my ($r, $s) = unpack 'xxxC/axC/a', $signature;
            $signature = join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
        }
    }
    return "$text." . encode_base64url($signature);
}
my $soon = time + 600;
sub a { return token({ iss => 'https://a', aud => 'api', exp => $soon, @_ }) }
sub b { my ($alg, $kid, @claims) = @_;
    return token({ iss => 'https://b', exp => $soon, @claims }, alg => $alg, kid => $kid) }
sub bearer { return (Authorization => "Bearer $_[0]") }

$t->start;
my $kim = a(sub => 'kim', team => 'red');
my $lee = b('RS256', 'r1', sub => 'lee');
my $root = b('ES256', 'e1', sub => 'root', realm => { roles => ['admin'] });

# --- who is known

my $write = 'mutation W($i: ID!, $x: String) { write(id: $i, text: "t", secret: $x) { id owner } }';
my $r = $t->graphql($write, { i => 'k1', x => 'hush' }, bearer($kim));
is($r->{json}{data}{write}{owner}, 'kim', 'HS256: a stamp of the token') or diag $r->{body};
$r = $t->graphql($write, { i => 'l1' }, bearer($lee));
is($r->{json}{data}{write}{owner}, 'lee', 'RS256 by a key set') or diag $r->{body};
$r = $t->graphql($write, { i => 'r1' }, bearer($root));
is($r->{json}{data}{write}{owner}, 'root', 'ES256 by a key set') or diag $r->{body};
$r = $t->graphql($write, { i => 'n1' });
is($r->{json}{errors}[0]{extensions}{code}, 'UNAUTHENTICATED', 'nobody: a non-null stamp') or diag $r->{body};

my @events = map { $Kappa::Test::JSON->decode($_) } split /\n/, $t->kappa(['log', '--store', $t->store])->{out};
is_deeply([map { $_->{actor} } @events[0, 1]], [{ iss => 'https://a', sub => 'kim' },
    { iss => 'https://b', sub => 'lee' }], 'actors in the log') or diag explain \@events;

# --- who may see what

my $read = '{ note(id: "k1") { text secret } }';
is_deeply($t->graphql($read)->{json}{data}{note}, undef, 'a row rule: nobody');
is_deeply($t->graphql($read, undef, bearer($lee))->{json}{data}{note}, undef, 'another');
$r = $t->graphql($read, undef, bearer($kim));
is($r->{json}{data}{note}{text}, 't', 'its owner') or diag $r->{body};
is($r->{json}{data}{note}{secret}, undef, 'but not the field');
is($r->{json}{errors}[0]{extensions}{code}, 'FORBIDDEN', 'which says so') or diag $r->{body};
$r = $t->graphql($read, undef, bearer($root));
is_deeply($r->{json}{data}{note}, { text => 't', secret => 'hush' }, 'an admin') or diag $r->{body};
$r = $t->graphql('{ mine { id } }', undef, bearer($kim));
is_deeply($r->{json}{data}{mine}, [{ id => 'k1' }], 'a stamped argument') or diag $r->{body};
$r = $t->graphql('mutation { erase(id: "k1") { id } }', undef, bearer($kim));
is($r->{json}{errors}[0]{extensions}{code}, 'FORBIDDEN', 'a mutation that is not allowed') or diag $r->{body};
$r = $t->graphql('mutation { erase(id: "l1") { id } }', undef, bearer($root));
is_deeply($r->{json}{data}{erase}, { id => 'l1' }, 'and one that is') or diag $r->{body};
my $s = $t->sse('subscription { note(id: "k1") { text } }', undef, bearer($kim));
is($s->next->{json}{data}{note}{text}, 't', 'a subscription of the owner');
$s = $t->sse('subscription { note(id: "k1") { text } }', undef, bearer($lee));
is($s->next->{json}{data}{note}, undef, 'another is another group');

# --- tokens that are refused

for my $case (
    ['expired', a(sub => 'kim', exp => time - 1)],
    ['for another audience', token({ iss => 'https://a', aud => 'x', sub => 'kim' })],
    ['of an unknown issuer', token({ iss => 'https://c', aud => 'api' })],
    ['with a wrong signature', token({ iss => 'https://a', aud => 'api' }, secret => $OTHER)],
    ['signed with another issuer\'s key', token({ iss => 'https://b' })],
    ['unsigned', encode_base64url('{"alg":"none"}') . '.' . encode_base64url('{"iss":"https://a","aud":"api"}') . '.'],
    ['garbage', 'garbage'],
    ['oversized', 'a' x 7000],
) {
    my ($name, $token) = @$case;
    my $answer = $t->graphql('{ __typename }', undef, bearer($token));
    is($answer->{status}, 401, "$name: 401") or diag $answer->{raw};
    like($answer->{headers}{'www-authenticate'}, qr/^Bearer error="invalid_token", error_description="/,
        "$name: WWW-Authenticate");
    is($answer->{json}{errors}[0]{extensions}{code}, 'UNAUTHENTICATED', "$name: code");
}

# --- required, kappa_require

is($t->post('/strict', '{"query":"{__typename}"}')->{status}, 401, 'required: none');
is($t->post('/strict', '{"query":"{__typename}"}')->{headers}{'www-authenticate'}, 'Bearer', 'a challenge');
$r = $t->post('/strict', '{"query":"{__typename}"}', bearer($kim));
is($r->{status}, 403, 'kappa_require: not an admin');
is($r->{json}{errors}[0]{extensions}{code}, 'FORBIDDEN', 'code');
is($t->post('/strict', '{"query":"{__typename}"}', bearer($root))->{status}, 200, 'an admin');
is($t->get('/files/x')->{status}, 401, 'proxy_pass: none');
is($t->get('/files/x', bearer($kim))->{body}, "behind\n", 'proxy_pass: a good token');
is($t->get('/files/x', bearer(a(sub => 'eve')))->{status}, 403, 'proxy_pass: not allowed');
is($t->get('/limited', bearer($kim))->{status}, 204, 'limit_req by $kappa_subject');
is($t->get('/limited', bearer($kim))->{status}, 503, 'is over');
is($t->get('/limited', bearer($lee))->{status}, 204, 'another has his own');

is($t->post('/cookie', '{"query":"{ mine { id } }"}', Cookie => "a=b; session=$kim; c=d")
    ->{json}{data}{mine}[0]{id}, 'k1', 'a token in a cookie');
is($t->post('/cookie', '{"query":"{__typename}"}', bearer($kim))->{status}, 401, 'the header is not looked at');

# --- other origins

$r = $t->http('OPTIONS', '/graphql', { Origin => 'https://app.example.com',
    'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'content-type' });
is($r->{status}, 204, 'preflight');
is($r->{headers}{'access-control-allow-origin'}, 'https://app.example.com', 'allowed');
like($r->{headers}{'access-control-allow-headers'}, qr/Content-Type/, 'with its headers');
is($r->{headers}{'access-control-allow-methods'}, 'GET, POST, QUERY', 'and methods');
is($r->{headers}{allow}, 'GET, POST, QUERY, OPTIONS', 'Allow');
$r = $t->http('OPTIONS', '/cookie', { Origin => 'https://app.example.com', 'Access-Control-Request-Method' => 'POST' });
is($r->{headers}{'access-control-allow-credentials'}, 'true', 'with cookies where they are used');
$r = $t->http('OPTIONS', '/graphql', { Origin => 'https://evil.example', 'Access-Control-Request-Method' => 'POST' });
ok(!$r->{headers}{'access-control-allow-origin'}, 'another origin is not');
$r = $t->graphql('{ __typename }', undef, Origin => 'https://app.example.com');
is($r->{headers}{'access-control-allow-origin'}, 'https://app.example.com', 'on answers too');
like($r->{headers}{'access-control-expose-headers'}, qr/Kappa-Position/, 'exposed');
is($r->{headers}{vary}, 'Origin', 'Vary');

# --- variables

$t->graphql('query Q { note(id: "k1") { secret } }', undef, bearer($kim));
ok($t->stop('QUIT'), 'ends');
my @log = split /\n/, Kappa::Test::read_file("$dir/logs/k.log");
like($log[0], qr/^kim\|red\|mutation\|W\|-\|[0-9a-z]+-1\|200$/, 'variables of a mutation');
my ($last) = grep { /\|Q\|/ } @log;
like($last, qr/^kim\|red\|query\|Q\|FORBIDDEN\|[0-9a-z]+-\d+\|200$/, 'variables of a query');
$t->no_alerts;
done_testing;
