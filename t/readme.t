# The configuration and the schema of README.md work as printed, and so does
# `make install`.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $readme = Kappa::Test::file('README.md');
my ($schema) = $readme =~ /```graphql\n(.*?)```/s;
my ($config) = $readme =~ /```nginx\n(.*?)```/s;

# Only places are changed: paths, the port, the user, where nginx writes.
$config =~ s/^user www-data;\n//m or die 'no user';
my $t = Kappa::Test->new(workers => 1, config => '');
$t->schema($schema);
$config =~ s{modules/ngx_http_kappa_module.so}{%MODULE%};
$config =~ s{/etc/kappa/notes.graphql}{%SCHEMA%};
$config =~ s{/var/lib/kappa/notes}{%STORE%};
$config =~ s{listen 8080}{listen 127.0.0.1:%PORT%};
my $places = join '', "    access_log off;\n", map { "    ${_}_path %DIR%/$_;\n" }
    qw(client_body_temp proxy_temp fastcgi_temp uwsgi_temp scgi_temp);
$config =~ s/^http .*\n/$&$places/m;
$t->write_config(config => "%USER%\ndaemon off; pid %DIR%/nginx.pid;\n"
    . "error_log %DIR%/logs/error.log info;\n$config");

my ($status, $said) = $t->config_test;
is($status, 0, 'nginx -t') or diag $said;
$t->start;

my $r = $t->graphql('mutation { add(topic: "tea", text: "green") { id at } }');
is($r->{status}, 200, 'mutation');
like($r->{json}{data}{add}{id} // $r->{raw}, qr/^[0-9a-f-]{36}$/, 'an id');

$r = $t->graphql(
    '{ topic(name: "tea") { notes } notes(topic: "tea") { text } }');
is_deeply($r->{json}{data},
    { topic => { notes => 1 }, notes => [{ text => 'green' }] }, 'query');

my $sse = $t->sse('subscription { topic(name: "tea") { notes } }');
is($sse->next->{json}{data}{topic}{notes}, 1, 'subscription: now');
$t->graphql('mutation { add(topic: "tea", text: "black") { id } }');
is($sse->next->{json}{data}{topic}{notes}, 2, 'and then');
$sse->close;

# The commands, by the shell; the last one runs until it is stopped.
my @curl = $readme =~ /^(curl .*?)(?=^curl |^```)/msg;
my @said = (
    qr/^\{"data":\{"add":\{"id":"[^"]+","at":"[^"]+"\}\}/,
    qr/^\{"data":\{"topic":\{"notes":3\},"notes":\[\{"text":"green"\},/,
    qr/^event: next\nid: \S+\ndata: \{"data":\{"topic":\{"notes":3\}\}/m,
);
is(scalar @curl, scalar @said, 'commands');
for my $i (0 .. $#said) {
    my $port = $t->port;
    my $command = $curl[$i] =~ s/localhost:8080/127.0.0.1:$port/r;
    $command =~ s/^curl /curl -s --max-time 2 /;
    like(Kappa::Test::run(['sh', '-c', $command])->{out}, $said[$i],
        'command ' . ($i + 1)) or diag $command;
}

$t->stop;
$t->no_alerts;

# make install, into a directory of ours

my $to = $t->dir . '/root';
$r = Kappa::Test::run(['make', '-s', 'install', "DESTDIR=$to"],
    dir => $Kappa::Test::ROOT);
is($r->{status}, 0, 'make install') or diag $r->{err};
ok(-f "$to/usr/lib/nginx/modules/ngx_http_kappa_module.so", 'the module');
is(Kappa::Test::run(["$to/usr/local/bin/kappa", '--help'])->{status}, 0,
    'the command');
ok(-d "$to/$_", "$_ is there") for 'etc/kappa', 'var/lib/kappa';

# and a clone where make can't work

my $space = $t->dir . '/a clone';
mkdir $space;
symlink "$Kappa::Test::ROOT/Makefile", "$space/Makefile" or die $!;
$r = Kappa::Test::run(['make', 'help'], dir => $space);
isnt($r->{status}, 0, 'a space in the path');
like($r->{err}, qr/space in its name: move the clone out of "\Q$space\E"/,
    'is told of');
done_testing;
