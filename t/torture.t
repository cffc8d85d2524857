# Conditional mutations from many clients over four workers, while workers and
# masters are killed, configurations reloaded and the disk fails, at random:
# every acknowledged mutation is in the log exactly once and where its answer
# said, none that was refused is, stock is never below zero and no two items
# have one name at any moment of the log, and the views are what a model of a
# few lines makes of the log.

use strict;
use warnings;
use Errno qw(EIO ENOSPC);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Kappa::Test;
use Kappa::Faults;

my $SDL = <<'END';
type Item @view(key: "sku") @index(fields: ["name"], unique: true)
  @check(if: "row.stock >= 0", code: "OUT_OF_STOCK") {
  sku: ID! stock: Int! name: String shelf: ID
}
type Shelf @view(key: "name") @groupBy(of: "Item", by: "shelf") {
  name: ID! items: Int! @count pieces: Int! @sum(field: "stock") most: Int @max(field: "stock")
}
type Query { item(sku: ID!): Item shelf(name: ID!): Shelf }
type Mutation {
  create(sku: ID!, stock: Int!, shelf: ID, tag: ID!): Item!
    @event(thing: "Item", verb: "created", effect: CREATE)
  take(sku: ID!, amount: Int!, tag: ID!): Item!
    @event(thing: "Item", verb: "taken", effect: PATCH, set: ["stock = row.stock - event.data.amount"])
  call(sku: ID!, name: String, tag: ID!): Item!
    @event(thing: "Item", verb: "called", effect: PATCH)
  drop(sku: ID!, tag: ID!): Item @event(thing: "Item", verb: "dropped", effect: DELETE)
}
END
my @SKUS = map { "s$_" } 1 .. 8;
my @NAMES = map { "n$_" } 1 .. 4;

my $seed = Kappa::Test::seed();
my $CLIENTS = 6;
my $faults = Kappa::Faults->new;
my $t = Kappa::Test->new(schema => $SDL, workers => 4, faults => $faults);
my (%outcome, @strange); # tag to position, or 'refused'
my $round = 0;
my %done; # what happened, how often

$t->start;
plain();
for (1 .. Kappa::Test::rounds(4, 150)) {
    trouble();
    last if !ok(!@strange && check(), "round $round: nothing lost, doubled or wrong");
}
is($strange[0], undef, 'every answer is one that may be');
diag join ', ', map { "$done{$_} $_" } sort keys %done;
is($t->kappa(['verify', '--store', $t->store], timeout => 600)->{status}, 0, 'kappa verify');
ok($t->stop('QUIT'), 'ends');
$t->no_alerts(qr/exited on signal 9|open socket|take no more writes|bind\(\) to/);
done_testing;

# Four workers and nothing else.
sub plain {
    my @clients = clients(Kappa::Test::rounds(2, 20));
    waitpid $_->{pid}, 0 for @clients;
    collect(@clients);
    ok(check(), 'four workers decide as one');
    cmp_ok($done{acknowledged}, '>', 20, 'enough was acknowledged');
    cmp_ok($done{refused}, '>', 20, 'and refused');
}

sub trouble {
    $round++;
    my $seconds = 1.5 + rand 1;
    my @clients = clients($seconds);
    my $end = time + $seconds - 0.5;
    while (time < $end) {
        sleep rand 0.4;
        my $what = (qw(kill_worker kill_worker kill_master kill_all reload disk))[rand 6];
        no strict 'refs';
        $what->();
        $done{"$what"}++;
    }
    $faults->mend;
    waitpid $_->{pid}, 0 for @clients;
    collect(@clients);
}

# --- what goes wrong

sub kill_worker {
    my @workers = $t->workers;
    kill 'KILL', $workers[rand @workers] if @workers;
}

sub start_again {
    unlink $t->dir . '/nginx.pid';
    $t->start;
}

# The workers outlive it for a moment, and go on answering.
sub kill_master {
    my $master = delete $t->{pid};
    kill 'KILL', $master;
    waitpid $master, 0;
    sleep rand 0.2;
    end_all();
    start_again();
}

sub kill_all {
    $t->kill_all;
    start_again();
}

# Orphans have no parent of ours; but all of nginx has the faults' file mapped.
sub end_all {
    Kappa::Test::wait_until(sub {
        my @left = grep { m{/(\d+)/} && $1 != $$
                && Kappa::Test::read_file($_) =~ /\Q@{[$faults->path]}\E/ }
            glob '/proc/[0-9]*/maps';
        kill 'KILL', map { m{/(\d+)/} } @left;
        return !@left;
    }) or die "workers do not end\n";
}

sub reload { kill 'HUP', $t->master }

sub disk {
    my ($call, $path) = @{ (['fdatasync', '.seg'], ['pwrite', '.seg'], ['pwrite', 'data.mdb'],
        ['small', 'data.mdb'], ['pwrite', '/log/lock'], ['all', $t->store])[rand 6] };
    $faults->fail($call, rand() < 0.5 ? EIO : ENOSPC, path => $path,
        times => rand() < 0.5 ? 1 + int rand 3 : -1);
    sleep rand 0.2;
    $faults->mend;
}

# --- clients

sub clients {
    my ($seconds) = @_;
    return map { client($_, time + $seconds) } 1 .. $CLIENTS;
}

sub client {
    my ($number, $end) = @_;
    my $file = $t->dir . "/told.$number";
    my $chance = int rand 2**31;
    my $pid = fork // die "fork: $!";
    return { pid => $pid, file => $file } if $pid;
    srand $chance;
    open my $told, '>', $file or POSIX::_exit(1);
    for (my $i = 1; time < $end; $i++) {
        my $tag = "r$round-$number-$i";
        print $told "$tag " . ask(random_mutation($tag), $tag) . "\n";
    }
    close $told;
    POSIX::_exit(0);
}

sub one { return $_[rand @_] }

sub random_mutation {
    my ($tag) = @_;
    my $sku = one(@SKUS);
    my $dice = rand;
    return "create(sku: \"$sku\", stock: " . int(rand 10) . ", shelf: \"h" . int(rand 3)
        . "\", tag: \"$tag\")" if $dice < 0.25;
    return "drop(sku: \"$sku\", tag: \"$tag\")" if $dice < 0.35;
    return "call(sku: \"$sku\", name: \"" . one(@NAMES) . "\", tag: \"$tag\")" if $dice < 0.6;
    return "take(sku: \"$sku\", amount: " . (int(rand 8) - 2) . ", tag: \"$tag\")";
}

# The same with the same key until there is an answer for good.
sub ask {
    my ($mutation, $tag) = @_;
    my $give_up = time + 60;
    while (time < $give_up) {
        my $r = $t->graphql("mutation { $mutation { sku } }", undef, 'Idempotency-Key' => $tag);
        my $error = $r->{json} && $r->{json}{errors} && $r->{json}{errors}[0]{extensions}{code};
        if ($r->{status} == 200) {
            return $r->{json}{extensions}{kappa}{position} if !$error;
            return 'refused' if $error
                =~ /^(?:ALREADY_EXISTS|NOT_FOUND|NOT_UNIQUE|OUT_OF_STOCK)$/;
            return "strange $r->{body}" if $error !~ /^(?:OVERLOADED|SCHEMA_CHANGED)$/;
        } elsif ($r->{status} != 0 && $r->{status} != 503) {
            return "strange $r->{status} $r->{body}";
        }
        sleep 0.01 + rand 0.02;
    }
    return 'strange no answer in a minute';
}

sub collect {
    for my $client (@_) {
        for my $line (split /\n/, Kappa::Test::read_file($client->{file})) {
            my ($tag, $said) = split / /, $line, 2;
            $outcome{$tag} = $said;
            push @strange, "$tag: $said" if $said =~ /^strange/;
            $done{ $said eq 'refused' ? 'refused' : 'acknowledged' }++;
        }
        unlink $client->{file};
    }
}

# --- what must hold

my (%items, %named, %seen, $seq, $read_to);

# Reads on in the log; true if all is well.
sub check {
    my @after = $read_to ? ('--after', $read_to) : ();
    my $log = $t->kappa(['log', '--store', $t->store, @after], timeout => 300);
    my @wrong = $log->{status} ? ("kappa log: $log->{err}") : ();
    for my $line (split /\n/, $log->{out}) {
        my $event = $Kappa::Test::JSON->decode($line);
        $read_to = $event->{position};
        push @wrong, map { "$event->{position} $event->{data}{tag}: $_" } wrong_event($event);
    }
    for my $tag (keys %outcome) {
        my ($said, $at) = (delete $outcome{$tag}, $seen{$tag});
        next if $said =~ /^strange/;
        push @wrong, "$tag was refused and is in the log" if $said eq 'refused' && $at;
        push @wrong, "$tag is not in the log" if $said ne 'refused' && !$at;
        push @wrong, "$tag is at $at, not at $said" if $said ne 'refused' && $at && $at ne $said;
    }
    push @wrong, wrong_views();
    diag join "\n", "KAPPA_SEED=$seed", grep { defined } @wrong[0 .. 9] if @wrong;
    return !@wrong;
}

# What the event does, to a model; what is wrong with it.
sub wrong_event {
    my ($event) = @_;
    my ($sku, $data, $tag) = ($event->{key}, $event->{data}, $event->{data}{tag});
    my @wrong;
    push @wrong, 'it is there twice' if $seen{$tag};
    $seen{$tag} = $event->{position};
    push @wrong, 'a gap before it' if $event->{position} !~ /-(\d+)$/ || $1 != ++$seq;
    my $item = $items{$sku};
    my $verb = $event->{verb};
    return (@wrong, $verb eq 'created' ? 'the item exists' : 'there is no such item')
        if ($verb eq 'created') == defined $item;
    if ($verb eq 'created') {
        $item = $items{$sku} = { stock => $data->{stock}, shelf => $data->{shelf} };
    } elsif ($verb eq 'taken') {
        $item->{stock} -= $data->{amount};
    } elsif ($verb eq 'called') {
        my $name = $data->{name};
        push @wrong, 'the name is taken' if defined $named{$name} && $named{$name} ne $sku;
        delete $named{ $item->{name} } if defined $item->{name};
        $item->{name} = $name;
        $named{$name} = $sku;
    } else {
        delete $named{ $item->{name} } if defined $item->{name};
        delete $items{$sku};
    }
    push @wrong, "stock is $item->{stock}" if $item->{stock} < 0;
    return @wrong;
}

sub wrong_views {
    my %want;
    for my $sku (@SKUS) {
        my $item = $items{$sku};
        $want{$sku} = $item && { stock => $item->{stock}, name => $item->{name} };
    }
    for my $shelf (map { "h$_" } 0 .. 2) {
        my @on = grep { $_->{shelf} eq $shelf } values %items;
        my ($pieces, $most) = (0);
        for (@on) {
            $pieces += $_->{stock};
            $most = $_->{stock} if !defined $most || $_->{stock} > $most;
        }
        $want{$shelf} = @on ? { items => scalar @on, pieces => $pieces, most => $most } : undef;
    }
    my $query = join ' ', (map { "$_: item(sku: \"$_\") { stock name }" } @SKUS),
        map { "h$_: shelf(name: \"h$_\") { items pieces most }" } 0 .. 2;
    my ($got, $want) = ('', $Kappa::Test::JSON->encode(\%want));
    Kappa::Test::wait_until(sub {
        my $r = $t->graphql("{ $query }");
        $got = $r->{json}{data} ? $Kappa::Test::JSON->encode($r->{json}{data}) : $r->{body};
        return $got eq $want;
    }, 30);
    return $got eq $want ? () : "views\n$got\nnot\n$want";
}
