# nginx loads the module and serves what is none of its business.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 2);

my ($status, $said) = $t->config_test;
is($status, 0, 'nginx -t') or diag $said;

$t->start;
my $r = $t->get('/ok');
is($r->{status}, 200, 'status');
is($r->{body}, "ok\n", 'body');

ok($t->kill_worker, 'a killed worker is replaced');
is($t->get('/ok')->{body}, "ok\n", 'and serves');
ok($t->reload, 'reload');
is($t->get('/ok')->{body}, "ok\n", 'and serves');
ok($t->stop('QUIT'), 'it ends when told to');
$t->no_alerts(qr/exited on signal 9/);

done_testing;
