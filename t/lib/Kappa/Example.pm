package Kappa::Example;

# One of examples/ in a real nginx, with tokens and the event door:
#
#   my $shop = Kappa::Example->new('shop', workers => 4);
#   $shop->import_data;
#   $shop->start;
#   my $data = $shop->data('ann', '{ me { name } }');
#   is($shop->code('ann', 'mutation { … }'), 'OUT_OF_STOCK');
#   $shop->verified;    # a test: log and views are whole
#
# Who asks is a name ('ann'), one with roles (['sam', 'staff']), one with
# scopes (['feed', 'scope=log:write']), or undef for nobody.
#
# readme('shop') tests that the example's README runs as printed.

use strict;
use warnings;
use parent -norequire, 'Kappa::Test';
use File::Temp ();
use Kappa::Test;
use Test::More;

my $KEY = 'the secret of tests, of thirty-two bytes and more';

sub new {
    my ($class, $name, %option) = @_;
    my $self = Kappa::Test::new($class, name => $name,
        schema => Kappa::Test::file("examples/$name/schema.graphql"),
        graphql => 'kappa_auth optional;',
        http => 'kappa_issuer https://example.com { key %DIR%/key alg=HS256; }',
        server => 'location /events { kappa_events app read=log:read'
            . ' write=log:write; kappa_auth required; }',
        %option);
    Kappa::Test::write_file($self->dir . '/key', $KEY);
    return $self;
}

# What the demo imports, or events of one's own (text).
sub import_data {
    my ($self, $events) = @_;
    my $from = "$Kappa::Test::ROOT/examples/$self->{name}";
    $events //= -f "$from/data.pl"
        ? Kappa::Test::run(['perl', "$from/data.pl"])->{out}
        : Kappa::Test::read_file("$from/data.ndjson");
    my $r = $self->kappa(['import', '-', '--store', $self->store,
        '--schema', $self->dir . '/schema.graphql'], stdin => $events);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($r->{status}, 0, 'import') or diag $r->{err};
    return $events;
}

my %tokens;

sub token {
    my ($self, $who) = @_;
    my @who = ref $who ? @$who : $who;
    return $tokens{"$self->{dir} @who"} //= do {
        my $r = Kappa::Test::run(['perl', "$Kappa::Test::ROOT/tools/token.pl",
            $self->dir . '/key', @who]);
        die $r->{err} if $r->{status};
        $r->{out} =~ s/\n//r;
    };
}

# The headers of a caller.
sub as {
    my ($self, $who) = @_;
    return defined $who ? (Authorization => 'Bearer ' . $self->token($who)) : ();
}

sub ask {
    my ($self, $who, $query, $variables, %headers) = @_;
    return $self->graphql($query, $variables, $self->as($who), %headers);
}

# The data of an answer without errors.
sub data {
    my ($self, $who, $query, $variables) = @_;
    my $answer = $self->ask($who, $query, $variables);
    diag "$query: $answer->{raw}" if !$answer->{json} || $answer->{json}{errors};
    return $answer->{json}{data};
}

# The code of an answer's first error.
sub code {
    my ($self, $who, $query, $variables) = @_;
    my $answer = $self->ask($who, $query, $variables);
    return $answer->{json}{errors}[0]{extensions}{code} // $answer->{raw};
}

sub watch {
    my ($self, $who, $query, $variables, %headers) = @_;
    return $self->sse($query, $variables, $self->as($who), %headers);
}

# Runs the code once in each of so many processes, all at once; a process'
# exit status is what its code returned. Returns how many failed.
sub crowd {
    my ($self, $clients, $code) = @_;
    my @pid;
    for my $i (0 .. $clients - 1) {
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            alarm Kappa::Test::rounds(120, 1800);
            my $status = eval { $code->($i) } ? 0 : 1;
            print STDERR $@ if $@;
            POSIX::_exit($status);
        }
        push @pid, $pid;
    }
    my $failed = 0;
    for my $pid (@pid) {
        waitpid $pid, 0;
        $failed++ if $?;
    }
    return $failed;
}

# All events of the log, oldest first.
sub events {
    my ($self, @filter) = @_;
    my $r = $self->kappa(['log', '--store', $self->store, @filter]);
    die $r->{err} if $r->{status};
    return map { $Kappa::Test::JSON->decode($_) } split /\n/, $r->{out};
}

sub verified {
    my ($self) = @_;
    my $r = $self->kappa(['verify', '--store', $self->store]);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($r->{status}, 0, 'log and views are whole, views equal a replay')
        or diag $r->{out} . $r->{err};
}

# --- README.md

# Its ```sh blocks are run one after the other by one shell in the root of the
# repository; only the port is another, and data is in a directory of its own.
# What a ```json or ```text block that follows says is what the commands must
# print, white space apart; … stands for anything. A block with `curl -sN` or
# `node` runs on beside the others: what follows it must come some time, of node
# before the next block is run.
sub readme {
    my ($name) = @_;
    my $dir = File::Temp::tempdir('kappa-readme-XXXXXX', TMPDIR => 1,
        CLEANUP => 1);
    chmod 0755, $dir;
    my $port = Kappa::Test::free_port();
    my @blocks = blocks(Kappa::Test::file("examples/$name/README.md"));
    my $script = script($dir, $port, @blocks);
    Kappa::Test::write_file("$dir/script", $script);
    local $ENV{KAPPA_DEMO_DIR} = "$dir/demo";
    delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL APP PORT)};
    my $r = Kappa::Test::run(['bash', "$dir/script"], timeout => 300,
        dir => $Kappa::Test::ROOT);
    is($r->{status}, 0, "README of $name: its commands") or diag $r->{err};
    for my $i (0 .. $#blocks) {
        my ($commands, $said) = @{ $blocks[$i] };
        my $first = (split /\n/, $commands)[0];
        next if !defined $said;
        my $want = pattern($said);
        my $got = sub { Kappa::Test::read_file("$dir/out.$i") =~ s/\s+//gr };
        my $ok = $commands =~ /^(?:curl -sN|node )/m
            ? Kappa::Test::wait_until(sub { $got->() =~ /$want/ })
            : $got->() =~ /^$want$/;
        ok($ok, "block $i: $first")
            or diag Kappa::Test::read_file("$dir/out.$i");
    }
    for my $i (0 .. $#blocks) {
        my $pid = Kappa::Test::read_file("$dir/pid.$i");
        kill 'TERM', $pid if $pid;
    }
    $r = Kappa::Test::run(['bash', '-c', "APP=$name tools/demo.sh stop"],
        dir => $Kappa::Test::ROOT);
    is($r->{status}, 0, 'demo-stop') or diag $r->{err};
}

sub blocks {
    my ($text) = @_;
    my @blocks;
    while ($text =~ /^```sh\n(.*?)^```\n(?:\s*^```(?:json|text)\n(.*?)^```\n)?/msg) {
        push @blocks, [$1, $2];
    }
    return @blocks;
}

sub pattern {
    my ($said) = @_;
    my $dots = "\xe2\x80\xa6";
    return join '.*?', map { quotemeta s/\s+//gr } split /$dots/, $said, -1;
}

sub script {
    my ($dir, $port, @blocks) = @_;
    my $script = "set -e\n";
    for my $i (0 .. $#blocks) {
        my $commands = $blocks[$i][0];
        $commands =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/g;
        $commands =~ s/^(make demo .*)$/$1 PORT=$port/mg;
        next if $commands =~ /^make demo-stop/m;
        if ($commands =~ s/^curl -sN/exec curl -sN -D $dir\/head.$i/m) {
            $script .= "( $commands ) > $dir/out.$i &\n"
                . "echo \$! > $dir/pid.$i\n"
                . "for n in \$(seq 200); do [ -s $dir/head.$i ] && break;"
                . " sleep 0.05; done\n[ -s $dir/head.$i ]\n";
        } elsif ($commands =~ s/^node /exec node /m) {
            $script .= "( $commands ) > $dir/out.$i &\n"
                . "echo \$! > $dir/pid.$i\n"
                . "for n in \$(seq 400); do [ -s $dir/out.$i ] && break;"
                . " sleep 0.05; done\n[ -s $dir/out.$i ]\n";
        } else {
            $script .= "{ $commands\n} > $dir/out.$i\n";
        }
    }
    return $script;
}

1;
