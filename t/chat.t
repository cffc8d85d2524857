# examples/chat: its README; nothing of a room is seen outside of it; numbers,
# unread counts and live messages are right with everybody talking at once.

use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use Kappa::Example;

my $JSON = $Kappa::Test::JSON;
my $seed = Kappa::Test::seed();

Kappa::Example::readme('chat');

my $chat = Kappa::Example->new('chat', workers => 4,
    graphql => 'kappa_auth optional; kappa_heartbeat 200ms;');
$chat->import_data;
$chat->start;

sub say_in {
    my ($who, $room, $text) = @_;
    my $answer = $chat->ask($who, 'mutation($room: ID!, $text: String!) {
        say(room: $room, text: $text) { id number } }',
        { room => $room, text => $text })->{json};
    return $answer->{data}{say} // $answer->{errors}[0]{extensions}{code};
}

sub invite {
    my ($who, $room, $user) = @_;
    return $chat->data($who, "mutation { invite(room: \"$room\",
        user: \"$user\") { user } }")->{invite};
}

# --- who is no member

my %LOOKUPS = (
    'a room' => ['{ room(id: "tea") { name memberCount messages(first: 1)
        { nodes { text } } } }', { room => undef }],
    'a message' => ['{ message(id: "m1") { text } }', { message => undef }],
    'a member' => ['{ member(room: "tea", user: "bob") { unread } }',
        { member => undef }],
);
# What there is of a page says whether there is a room, and how much in it.
my @PAGES = ('first: 1', 'first: 3', 'last: 3', 'first: 3, orderBy: NUMBER_DESC');
my %MUTATIONS = (
    say => ['mutation { say(room: "tea", text: "x") { id } }'],
    invite => ['mutation { invite(room: "tea", user: "dan") { user } }'],
    expel => ['mutation { expel(room: "tea", user: "bob") { user } }'],
    takeBack => ['mutation { takeBack(id: "m1") { id } }'],
    see => ['mutation { see(room: "tea", number: 3) { seen } }', 'NOT_FOUND'],
    leave => ['mutation { leave(room: "tea") { user } }', 'NOT_FOUND'],
);
for my $who ('dan', undef) {
    my $name = $who // 'nobody';
    for my $what (sort keys %LOOKUPS) {
        my ($query, $want) = @{ $LOOKUPS{$what} };
        is_deeply($chat->data($who, $query), $want, "$name: $what");
    }
    for my $page (@PAGES) {
        my ($tea, $nowhere) = map { $chat->ask($who, "{ history(room: \"$_\", $page)
            { nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage
            startCursor endCursor } } }")->{body} } qw(tea nowhere);
        is($tea, $nowhere, "$name: history, $page: as if there were no room");
        like($tea, qr/^\{"data":\{"history":null\},.*"FORBIDDEN"/, 'none is told of');
    }
    for my $what (sort keys %MUTATIONS) {
        my ($mutation, $code) = @{ $MUTATIONS{$what} };
        my $by_itself = $mutation =~ /see|leave|say/ && !$who;
        is($chat->code($who, $mutation), $by_itself ? 'UNAUTHENTICATED'
            : $code // 'FORBIDDEN', "$name: $what");
    }
}
is_deeply($chat->data('dan', '{ rooms { room } }'), { rooms => [] },
    'no rooms');
is($chat->code(undef, '{ rooms { room } }'), 'UNAUTHENTICATED',
    'for nobody neither');
is($chat->code('dan', '{ rooms(user: "bob") { room } }'), 'VALIDATION_FAILED',
    'nor another one\'s');

# --- coming and going, live

my $MESSAGES = 'subscription { messages(room: "tea") { number text } }';
my $room = $chat->watch('dan', 'subscription { room(id: "tea") { name } }');
my $mine = $chat->watch('dan', 'subscription { rooms { room unread } }');
my $live = $chat->watch('dan', $MESSAGES);
my $nobody = $chat->watch(undef, $MESSAGES);
is_deeply($room->next->{json}{data}, { room => undef }, 'live: no room');
is_deeply($mine->next->{json}{data}, { rooms => [] }, 'live: no rooms');
ok(ref say_in('ann', 'tea', 'before'), 'a message that Dan must not see');
ok(invite('ann', 'tea', 'dan'), 'Dan is invited');
is_deeply($room->next->{json}{data}, { room => { name => 'Tea' } },
    'live: the room is there');
is_deeply($mine->next->{json}{data}{rooms}, [{ room => 'tea', unread => 0 }],
    'live: among his, nothing unread');
ok(ref say_in('ann', 'tea', 'within'), 'a message');
is_deeply($live->next->{json}{data}{messages}, { number => 9, text => 'within' },
    'the first that he hears');
is_deeply($mine->next->{json}{data}{rooms}, [{ room => 'tea', unread => 1 }],
    'live: unread');
is(scalar @{ $chat->data('dan', '{ history(room: "tea", first: 100)
    { nodes { id } } }')->{history}{nodes} }, 9, 'and he can read all');
is($chat->code('dan', 'mutation { expel(room: "tea", user: "ann") { user } }'),
    'FORBIDDEN', 'a guest expels nobody');
ok($chat->data('ann', 'mutation { expel(room: "tea", user: "dan") { user } }')
    ->{expel}, 'he is expelled');
is_deeply($room->next->{json}{data}, { room => undef }, 'live: no room');
is_deeply($mine->next->{json}{data}, { rooms => [] }, 'live: no rooms');
ok(ref say_in('ann', 'tea', 'after'), 'a message that he must not hear');
ok(invite('ann', 'tea', 'dan'), 'once more');
ok(ref say_in('ann', 'tea', 'again'), 'a message');
is_deeply($live->next->{json}{data}{messages}, { number => 11, text => 'again' },
    'he hears that one, and not the one between');
ok(!$nobody->next(0.3), 'nobody hears nothing');
is($chat->data('dan', 'mutation { leave(room: "tea") { user } }')->{leave}{user},
    'dan', 'he leaves');
is($chat->data('bob', '{ room(id: "tea") { memberCount } }')->{room}{memberCount},
    3, 'as many as before');
my @twice = map { $chat->data('ann', 'mutation { say(room: "tea",
    text: "once", key: "k") { id number } }')->{say} } 1, 2;
is_deeply($twice[1], $twice[0], 'a message that is sent twice is one');
is($chat->data('ann', 'mutation { takeBack(id: "m1") { text } }')
    ->{takeBack}{text}, undef, 'taken back');
is($chat->data('bob', '{ message(id: "m1") { number text } }')->{message}{number},
    1, 'its place stays');

# --- history, both ways

my $PAGE = 'query($first: Int, $after: String, $last: Int, $before: String,
    $order: MessageOrder = NUMBER) {
    history(room: "tea", first: $first, after: $after, last: $last,
        before: $before, orderBy: $order) { nodes { number } pageInfo { hasNextPage
        hasPreviousPage startCursor endCursor } } }';

# All pages one after the other; something is said meanwhile.
sub pages {
    my ($size, $back, %more) = @_;
    my (@numbers, $cursor);
    for my $n (1 .. 50) {
        my $page = $chat->data('bob', $PAGE, $back
            ? { last => $size, before => $cursor, %more }
            : { first => $size, after => $cursor, %more })->{history};
        my @page = map { $_->{number} } @{ $page->{nodes} };
        @numbers = $back ? (@page, @numbers) : (@numbers, @page);
        my $info = $page->{pageInfo};
        $cursor = $info->{$back ? 'startCursor' : 'endCursor'};
        last if !$info->{$back ? 'hasPreviousPage' : 'hasNextPage'};
        say_in('ann', 'tea', 'meanwhile') if $n < 3 && !%more;
    }
    return \@numbers;
}
is_deeply(pages(3, 1), [1 .. 12], 'backwards: what was there when it began');
is_deeply(pages(4, 0), [1 .. 16], 'forwards: with what came meanwhile');
is_deeply(pages(1, 0), [1 .. 18], 'one by one');
is_deeply(pages(100, 1), [1 .. 18], 'at once');
is_deeply(pages(5, $_, order => 'NUMBER_DESC'), [reverse 1 .. 18],
    'the newest first, ' . ($_ ? 'backwards' : 'forwards')) for 0, 1;
is($chat->code('bob', '{ history(room: "attic", first: 1, after: "'
    . $chat->data('bob', $PAGE, { first => 1 })->{history}{pageInfo}{endCursor}
    . '") { nodes { id } } }'), 'BAD_USER_INPUT', 'a cursor of another room');

# --- everybody talks at once; workers die, listeners come back

my @users = map { "user$_" } 1 .. 16;
my @rooms;
for my $n (1 .. 3) {
    my $id = $chat->data('owner', "mutation { open(name: \"Room $n\") { id } }")
        ->{open}{id};
    push @rooms, $id;
    for my $user (@users) {
        invite('owner', $id, $user) if $n == 1 || rand() < 0.6;
    }
}
my $listener = fork // die "fork: $!";
if (!$listener) {
    my $done = eval { listen_on(); 1 };
    print STDERR $@ if !$done;
    POSIX::_exit($done ? 0 : 1);
}

# All that is said in the first room, through every break of the stream.
sub listen_on {
    my ($last, @numbers) = $chat->ask('user1', '{ __typename }')
        ->{headers}{'kappa-position'};
    my $end = time + Kappa::Test::rounds(90, 1800);
    while (time < $end) {
        my $sse = $chat->watch('user1', "subscription {
            messages(room: \"$rooms[0]\") { number text } }", undef,
            'Last-Event-ID' => $last);
        Kappa::Test::write_file($chat->dir . '/listening', 'yes')
            if $sse && $sse->status == 200;
        # Every few messages the line breaks.
        for (0 .. rand 20) {
            my $message = $sse && $sse->next(5) or last;
            die "a gap: $message->{data}" if $message->{data} =~ /gap/;
            my $said = $message->{json}{data}{messages} or next;
            $last = $message->{id};
            push @numbers, $said->{number};
            if ($said->{text} eq 'that is all') {
                return Kappa::Test::write_file($chat->dir . '/heard',
                    "@numbers");
            }
        }
        $sse->close if $sse;
    }
    die 'the end was not heard';
}
ok(Kappa::Test::wait_until(sub { -s $chat->dir . '/listening' }), 'a listener');

# An answer can get lost with its worker; then it is asked again.
sub until_answered {
    my ($who, $mutation, $key) = @_;
    for (1 .. 50) {
        my $answer = $chat->ask($who, $mutation, undef,
            'Idempotency-Key' => $key);
        my $code = $answer->{json}{errors}[0]{extensions}{code} // '';
        return $answer->{json} if $answer->{json}
            && $code !~ /^(?:OUTCOME_UNKNOWN|OVERLOADED|VIEWS_REBUILDING)$/;
        select undef, undef, undef, 0.05;
    }
    die "no answer: $mutation";
}

my $failed = $chat->crowd(scalar @users + 1, sub {
    my ($i) = @_;
    srand $seed + 1000 + $i;
    if ($i == @users) {    # who kills workers
        for (1 .. Kappa::Test::rounds(3, 60)) {
            select undef, undef, undef, 0.3 + rand 0.5;
            $chat->kill_worker('KILL');
        }
        return 1;
    }
    for my $n (1 .. Kappa::Test::rounds(25, 500)) {
        my $room = $rooms[rand @rooms];
        my $number = int rand 120;
        my $what = rand() < 0.7 ? "say(room: \"$room\", text: \"$i-$n\") { number }"
            : rand() < 0.8 ? "see(room: \"$room\", number: $number) { unread }"
            : rand() < 0.5 ? "leave(room: \"$rooms[2]\") { user }"
            : "invite(room: \"$room\", user: \"$users[rand @users]\") { user }";
        until_answered($users[$i], "mutation { $what }", "$seed-$i-$n");
    }
    return 1;
});
is($failed, 0, 'all talked');
ok(ref say_in('user1', $rooms[0], 'that is all'), 'the last word');
waitpid $listener, 0;
is($?, 0, 'the listener heard it');

# Numbers, unread counts and who is in: from the log, one event at a time.
my (%last, %seen, %lines, $actor);
for my $e ($chat->events) {
    my ($data, $verb) = @$e{qw(data verb)};
    if ($verb eq 'opened') {
        $last{$e->{key}} = 0;
        $seen{$e->{key}}{$data->{owner}} = 0;
    } elsif ($verb eq 'sent') {
        push @{ $lines{$data->{room}} }, $e->{row}{number};
        $seen{$data->{room}}{$data->{by}} = ++$last{$data->{room}};
    } elsif ($verb eq 'invited') {
        $seen{$data->{room}}{$data->{user}} = $last{$data->{room}};
    } elsif ($verb =~ /^(?:left|expelled)$/) {
        delete $seen{$data->{room}}{$data->{user}};
    } elsif ($verb eq 'saw') {
        my $to = $data->{number};
        $to = $last{$data->{room}} if $to > $last{$data->{room}};
        my $at = \$seen{$data->{room}}{$data->{user}};
        $$at = $to if $to > $$at;
    }
}
is_deeply($lines{$_}, [1 .. $last{$_}], "numbers of $_: no gap, none twice")
    for @rooms;
is(Kappa::Test::read_file($chat->dir . '/heard'),
    join(' ', 1 .. $last{$rooms[0]}), 'the listener heard each once, in order');
for my $user (@users[0 .. 4], 'owner', 'bob') {
    my %want = map { exists $seen{$_}{$user}
        ? ($_ => $last{$_} - $seen{$_}{$user}) : () } keys %seen;
    is_deeply({ map { $_->{room} => $_->{unread} } @{ $chat->data($user,
        '{ rooms { room unread } }')->{rooms} } }, \%want,
        "unread of $user: " . join ' ', sort { $a <=> $b } values %want);
}
is($chat->data('owner', "{ room(id: \"$_\") { memberCount } }")->{room}
    {memberCount}, scalar keys %{ $seen{$_} }, 'members are counted') for @rooms;

ok($chat->stop('QUIT'), 'stop');
$chat->verified;
$chat->no_alerts(qr/exited on signal 9/);
done_testing;
