# examples/chat: its README; nothing of a room leaves it; numbers, unread
# counts and live messages are right with everybody talking at once.

use strict;
use warnings;
use Test::More;
use Kappa::Example;

Kappa::Example::readme('chat');
done_testing;
