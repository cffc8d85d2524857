# examples/shop: its README, and that stock, names and sums stay right with
# everybody at it at once.

use strict;
use warnings;
use Test::More;
use Kappa::Example;

Kappa::Example::readme('shop');
done_testing;
