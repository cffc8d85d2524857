# examples/devices: its README; last values, hours and alerts equal a naive
# computation; a thousand readings a second.

use strict;
use warnings;
use Test::More;
use Kappa::Example;

Kappa::Example::readme('devices');
done_testing;
