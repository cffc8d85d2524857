package Kappa::Test;

# A real nginx with the module, for tests: on free ports, in a directory of
# its own, ended by its pid. Only Perl as Debian has it.
#
#   my $t = Kappa::Test->new(schema => $sdl, workers => 4);
#   $t->start;
#   my $r = $t->graphql('{ package(name: "bash") { size } }');
#   is($r->{status}, 200);
#   is($r->{json}{data}{package}{size}, 7);
#   $t->stop;         # or by itself, when $t goes
#   $t->no_alerts;    # a test: nothing bad in error.log
#
# new(...) takes, all optional:
#   schema   the text of schema.graphql. With it the configuration has
#            `kappa app { schema …; store …; }` and `location /graphql`
#   workers  how many (2)
#   kappa    further lines of the kappa block
#   graphql  further lines of location /graphql
#   server   further lines of the server block
#   http     further lines of the http block
#   main     further lines at the top
#   faults   a Kappa::Faults: the server's disk fails when that says so
#   config   the whole of nginx.conf instead, with %PORT%, %DIR%, %STORE%,
#            %SCHEMA%, %MODULE%, %WORKERS% and %USER% filled in

use strict;
use warnings;
use Cwd qw(abs_path);
use Errno qw(EINTR);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Test::More ();
use Time::HiRes qw(sleep time);

our $ROOT   = abs_path(dirname(__FILE__) . '/../../..');
our $MODULE = "$ROOT/build/ngx_http_kappa_module.so";
our $KAPPA  = "$ROOT/build/kappa";
if ($ENV{KAPPA_TEST_SAN}) {
    $MODULE = "$ROOT/build/san/ngx_http_kappa_module.so";
    $KAPPA  = "$ROOT/build/kappa-san";
}
our $JSON   = JSON::PP->new->utf8->canonical->allow_nonref;

# Answers and SSE messages must be there within so many seconds.
our $TIMEOUT = $ENV{KAPPA_TEST_TIMEOUT} || 10;

# What could go on for ever goes on for the first in `make test`, for the
# second in `make torture` (KAPPA_TORTURE=1): rounds, seconds, bytes.
sub rounds {
    my ($shortly, $at_length) = @_;
    return $ENV{KAPPA_TORTURE} ? $at_length : $shortly;
}

# Seeds rand by KAPPA_SEED, or anew, and prints what will play it again.
sub seed {
    my $seed = $ENV{KAPPA_SEED} // int(time * 1000) % 2**31 ^ $$;
    Test::More::diag("KAPPA_SEED=$seed");
    srand $seed;
    return $seed;
}

sub new {
    my ($class, %option) = @_;
    my $self = bless { workers => 2, %option }, $class;
    $self->{owner} = $$;
    $self->{dir} = File::Temp::tempdir('kappa-test-XXXXXX', TMPDIR => 1);
    chmod 0755, $self->{dir};
    mkdir "$self->{dir}/logs";
    # A place where the workers' user may make the store.
    $self->{store} = "$self->{dir}/data/app";
    mkdir "$self->{dir}/data";
    if ($> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam('www-data');
        chown $uid, $gid, "$self->{dir}/data";
    }
    $self->{port} = free_port();
    $self->schema($self->{schema}) if defined $self->{schema};
    $self->write_config;
    return $self;
}

sub dir   { $_[0]{dir} }
sub port  { $_[0]{port} }
sub store { $_[0]{store} }

# Writes schema.graphql (again).
sub schema {
    my ($self, $sdl) = @_;
    write_file("$self->{dir}/schema.graphql", $sdl);
}

# The example's file, or any other of the repository.
sub file {
    my ($path) = @_;
    return read_file("$ROOT/$path");
}

sub read_file {
    my ($path) = @_;
    open my $in, '<:raw', $path or return '';
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub write_file {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
}

sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $!";
    return $s->sockport;
}

# --- configuration

our $CONFIG = <<'END';
%USER%
daemon off;
master_process on;
worker_processes %WORKERS%;
pid %DIR%/nginx.pid;
error_log %DIR%/logs/error.log info;
load_module %MODULE%;
%main%
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %DIR%/body;
    proxy_temp_path %DIR%/proxy;
    fastcgi_temp_path %DIR%/fastcgi;
    uwsgi_temp_path %DIR%/uwsgi;
    scgi_temp_path %DIR%/scgi;
%http%
%app%
    server {
        listen 127.0.0.1:%PORT%;
        location = /ok { return 200 "ok\n"; }
%location%
%server%
    }
}
END

# Writes nginx.conf (again) with some options changed.
sub write_config {
    my ($self, %option) = @_;
    @$self{ keys %option } = values %option;
    my $text = $self->{config} // $CONFIG;
    my %value = (
        PORT => $self->{port},
        DIR => $self->{dir},
        STORE => $self->{store},
        SCHEMA => "$self->{dir}/schema.graphql",
        MODULE => $MODULE,
        WORKERS => $self->{workers},
        USER => $> == 0 ? 'user www-data;' : '',
        main => $self->{main} // '',
        http => $self->{http} // '',
        server => $self->{server} // '',
        app => '',
        location => '',
    );
    if (defined $self->{schema}) {
        my $more = $self->{kappa} // '';
        $value{app} = "    kappa app {\n        schema $value{SCHEMA};\n"
            . "        store $value{STORE};\n$more    }\n";
        $value{location} = "        location /graphql {\n"
            . "            kappa_graphql app;\n"
            . ($self->{graphql} // '') . "        }\n";
    }
    # Twice: the parts may themselves have places to fill in.
    for (1, 2) {
        $text =~ s/%(\w+)%/exists $value{$1} ? $value{$1} : "%$1%"/ge;
    }
    write_file("$self->{dir}/nginx.conf", $text);
}

sub nginx_binary {
    my $env = read_file("$ROOT/build/nginx.env");
    return $1 if $env =~ /^NGINX=(.+)$/m;
    die "no build/nginx.env: run make first";
}

# Debian's nginx has no sanitizers: the module's must be there before it.
sub preload {
    return if !$ENV{KAPPA_TEST_SAN};
    my @libraries = map { chomp(my $path = `gcc -print-file-name=$_`); $path }
        qw(libasan.so libubsan.so);
    # gcc's .so files may be linker scripts; the loader wants the real ones.
    $ENV{LD_PRELOAD} = join ' ', map { abs_path($_) } @libraries;
    my $quarantine = $ENV{KAPPA_TEST_QUARANTINE_MB} // 16;
    $ENV{ASAN_OPTIONS} = 'detect_leaks=0:detect_odr_violation=0'
        . ":quarantine_size_mb=$quarantine"
        # ASan takes none of one only with none of the other.
        . ($quarantine ? '' : ':thread_local_quarantine_size_kb=0');
}

# Before libc, and behind the sanitizers.
sub preload_faults {
    my ($self) = @_;
    $ENV{KAPPA_FAULTS} = $self->{faults}->path;
    $ENV{LD_PRELOAD} = join ' ', grep { length }
        $ENV{LD_PRELOAD} // '', $Kappa::Faults::LIBRARY;
}

sub nginx_command {
    my ($self, @more) = @_;
    return (nginx_binary(), '-p', $self->{dir}, '-e',
        "$self->{dir}/logs/error.log", '-c', "$self->{dir}/nginx.conf",
        @more);
}

# `nginx -t`: (exit status, what it said).
sub config_test {
    my ($self) = @_;
    my $r = run([$self->nginx_command('-t')], preload => 1);
    return ($r->{status}, $r->{err} . $r->{out});
}

# --- processes

# Starts nginx and waits until it answers. Dies with its log if it does not.
sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{dir}/logs/stdout";
        open STDERR, '>>', "$self->{dir}/logs/stderr";
        my @command = $self->nginx_command;
        preload();
        $self->preload_faults if $self->{faults};
        { exec @command; }
        POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $said = length $self->log;
    my $end = time + $TIMEOUT;
    while (time < $end) {
        if (waitpid($pid, WNOHANG) == $pid) {
            delete $self->{pid};
            die "nginx ended at start:\n" . $self->log
                . read_file("$self->{dir}/logs/stderr");
        }
        my $s = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $self->{port});
        if ($s && -s "$self->{dir}/nginx.pid"
            && $self->workers >= $self->{workers})
        {
            $self->wait_for_stores($said);
            return $self;
        }
        sleep 0.02;
    }
    die "nginx was not ready in $TIMEOUT s:\n" . $self->log;
}

# On a slow disk, workers that start at once wait for the log's lock longer
# than the event loop may; they answer STORE_UNAVAILABLE until they have it.
sub wait_for_stores {
    my ($self, $said) = @_;
    return wait_until(sub {
        my $log = substr $self->log, $said;
        my $waiting = () = $log =~ /kappa "\w+": (?!only reading).* has not given it back/g;
        my $open = () = $log =~ /kappa "\w+": the store is open now/g;
        return $open >= $waiting;
    });
}

# Ends nginx (TERM, or QUIT for a graceful end). True if it went in time.
sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return 1;
    my @all = ($pid, $self->children($pid));
    kill $signal // 'TERM', $pid;
    my $end = time + $TIMEOUT;
    while (time < $end) {
        return 1 if waitpid($pid, WNOHANG) == $pid;
        sleep 0.01;
    }
    kill 'KILL', @all;
    waitpid $pid, 0;
    return 0;
}

sub reload {
    my ($self) = @_;
    my %old = map { $_ => 1 } $self->workers;
    kill 'HUP', $self->{pid};
    return wait_until(sub {
        my @new = grep { !$old{$_} } $self->workers;
        @new >= $self->{workers};
    });
}

sub master { $_[0]{pid} }

# Pids of the workers that serve (not those that are shutting down).
sub workers {
    my ($self) = @_;
    return grep {
        (read_file("/proc/$_/cmdline") =~ /^nginx: worker process\b(?! is)/)
    } $self->children($self->{pid});
}

sub children {
    my ($self, $parent) = @_;
    return if !$parent;
    my @found;
    opendir my $dir, '/proc' or return;
    for my $pid (grep { /^\d+$/ } readdir $dir) {
        my $stat = read_file("/proc/$pid/stat");
        push @found, $pid if $stat =~ /\) \S (\d+) / && $1 == $parent;
    }
    return sort { $a <=> $b } @found;
}

# Kills the master and all it started. Then waits until their port is free: a
# process keeps it as long as one of its threads is on its way out.
sub kill_all {
    my ($self) = @_;
    my $pid = delete $self->{pid};
    kill 'STOP', $pid; # it would start others meanwhile
    kill 'KILL', $pid, $self->children($pid);
    waitpid $pid, 0;
    return wait_until(sub {
        !IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $self->{port});
    });
}

# Kills one worker and waits until nginx has put another in its place.
sub kill_worker {
    my ($self, $signal, $pid) = @_;
    my %old = map { $_ => 1 } $self->workers;
    ($pid) = sort keys %old if !$pid;
    kill $signal // 'KILL', $pid;
    return wait_until(sub {
        my @now = $self->workers;
        @now >= $self->{workers} && !grep { $_ == $pid } @now;
    });
}

sub wait_until {
    my ($condition, $seconds) = @_;
    my $end = time + ($seconds // $TIMEOUT);
    while (time < $end) {
        my $value = $condition->();
        return $value if $value;
        sleep 0.02;
    }
    return;
}

# Runs a command: { status, out, err }; status 128 + n for a signal.
sub run {
    my ($command, %option) = @_;
    my $tmp = File::Temp::tempdir(CLEANUP => 1);
    write_file("$tmp/in", $option{stdin} // '');
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', "$tmp/in";
        open STDOUT, '>', "$tmp/out";
        open STDERR, '>', "$tmp/err";
        chdir $option{dir} if $option{dir};
        alarm($option{timeout} // 60);
        preload() if $option{preload};
        { exec @$command; }
        print STDERR "can't run $command->[0]: $!\n";
        POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    my %result = (status => $status, out => read_file("$tmp/out"),
        err => read_file("$tmp/err"));
    remove_tree($tmp);
    return \%result;
}

# The kappa command: $t->kappa(['import', '-', '--store', $t->store],
# stdin => $events), or without an instance Kappa::Test->kappa([...]).
sub kappa {
    my ($self, $arguments, %option) = @_;
    return run([$KAPPA, @$arguments], %option);
}

# --- HTTP

# A POST of a GraphQL request: { status, headers, body, json }.
sub graphql {
    my ($self, $query, $variables, %headers) = @_;
    my %request = (query => $query);
    $request{variables} = $variables if $variables;
    return $self->post('/graphql', $JSON->encode(\%request), %headers);
}

sub post {
    my ($self, $path, $body, %headers) = @_;
    return $self->http('POST', $path,
        { 'Content-Type' => 'application/json', %headers }, $body);
}

sub get {
    my ($self, $path, %headers) = @_;
    return $self->http('GET', $path, \%headers);
}

# One request on a connection of its own. Header names in the answer are in
# lower case, several of one name joined by ", ". status 0: no answer.
sub http {
    my ($self, $method, $path, $headers, $body) = @_;
    my $request = "$method $path HTTP/1.1\r\n";
    my %h = (Host => 'localhost', Connection => 'close', %{ $headers // {} });
    $h{'Content-Length'} = length $body
        if defined $body && !exists $h{'Content-Length'}
        && !exists $h{'Transfer-Encoding'};
    $request .= "$_: $h{$_}\r\n" for grep { defined $h{$_} } sort keys %h;
    return parse_response(
        $self->raw("$request\r\n" . ($body // '')));
}

# Sends bytes as they are and returns everything until the connection ends.
sub raw {
    my ($self, $bytes, $seconds) = @_;
    my $socket = $self->connect or return '';
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    my $select = IO::Select->new($socket);
    my $end = time + ($seconds // $TIMEOUT);
    while ($sent < length $bytes && time < $end) {
        my $n = syswrite $socket, $bytes, length($bytes) - $sent, $sent;
        last if !defined $n && $! != EINTR;
        $sent += $n // 0;
    }
    my $answer = '';
    while ((my $left = $end - time) > 0) {
        next if !$select->can_read($left);
        my $n = sysread $socket, $answer, 65536, length $answer;
        last if !$n && !(!defined $n && $! == EINTR);
    }
    return $answer;
}

sub connect {
    my ($self) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}, Timeout => $TIMEOUT);
}

sub parse_response {
    my ($bytes) = @_;
    my %r = (status => 0, headers => {}, body => '', raw => $bytes);
    my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
    return \%r if !defined $head || $head !~ s{^HTTP/1\.[01] (\d+)[^\r\n]*}{};
    $r{status} = $1;
    $r{headers} = parse_headers($head);
    $body = '' if !defined $body;
    $body = unchunk($body)
        if ($r{headers}{'transfer-encoding'} // '') =~ /chunked/i;
    $r{body} = $body;
    if (($r{headers}{'content-type'} // '') =~ /json/) {
        $r{json} = eval { $JSON->decode($body) };
    }
    return \%r;
}

sub parse_headers {
    my ($head) = @_;
    my %headers;
    for my $line (split /\r\n/, $head) {
        next if $line !~ /^([^:]+):\s*(.*)$/;
        my $name = lc $1;
        $headers{$name}
            = exists $headers{$name} ? "$headers{$name}, $2" : $2;
    }
    return \%headers;
}

sub unchunk {
    my ($in) = @_;
    my $out = '';
    while ($in =~ s/^([0-9a-fA-F]+)[^\r\n]*\r\n//) {
        my $n = hex $1;
        last if !$n;
        $out .= substr $in, 0, $n, '';
        $in =~ s/^\r\n//;
    }
    return $out;
}

# --- server-sent events

# Opens a subscription (graphql-sse, distinct connections mode); see
# Kappa::Test::SSE. Variables and headers as in graphql().
sub sse {
    my ($self, $query, $variables, %headers) = @_;
    my %request = (query => $query);
    $request{variables} = $variables if $variables;
    return Kappa::Test::SSE->open($self, 'POST', '/graphql',
        { 'Content-Type' => 'application/json', %headers },
        $JSON->encode(\%request));
}

# --- the end

sub log { return read_file("$_[0]{dir}/logs/error.log") }

# A test: no [alert], [emerg] or [crit], no sanitizer's report, no worker that
# died. Lines that match `except` are expected.
sub no_alerts {
    my ($self, $except) = @_;
    my @bad = grep {
        /\[(?:alert|emerg|crit)\]|Sanitizer|runtime error:/
    } split /\n/, $self->log . read_file("$self->{dir}/logs/stderr");
    @bad = grep { $_ !~ $except } @bad if $except;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::is(join("\n", @bad), '', 'nothing bad in the error log');
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@, $!);
    $self->stop;
    if ($ENV{KAPPA_TEST_KEEP}) {
        Test::More::diag("kept: $self->{dir}");
    } else {
        remove_tree($self->{dir});
    }
}

package Kappa::Test::SSE;

# A stream of server-sent events. next() gives the next message as
# { event, id, data, json }, undef when none comes in time or the stream
# ended (then `ended` is true). Comments (heartbeats) are counted in `comments`.

use strict;
use warnings;
use IO::Select;
use Time::HiRes qw(time);

sub open {
    my ($class, $test, $method, $path, $headers, $body) = @_;
    my $socket = $test->connect or return;
    my %h = (Host => 'localhost', Accept => 'text/event-stream', %$headers);
    $h{'Content-Length'} = length $body if defined $body;
    my $request = "$method $path HTTP/1.1\r\n";
    $request .= "$_: $h{$_}\r\n" for grep { defined $h{$_} } sort keys %h;
    syswrite $socket, "$request\r\n" . ($body // '');
    my $self = bless { socket => $socket, in => '', text => '', status => 0,
        comments => 0, headers => {} }, $class;
    my $end = time + $Kappa::Test::TIMEOUT;
    while ($self->{in} !~ /\r\n\r\n/) {
        last if !$self->fill($end);
    }
    if ($self->{in} =~ s{^HTTP/1\.1 (\d+)[^\r\n]*(.*?)\r\n\r\n}{}s) {
        $self->{status} = $1;
        $self->{headers} = Kappa::Test::parse_headers($2);
    }
    $self->{chunked}
        = ($self->{headers}{'transfer-encoding'} // '') =~ /chunked/i;
    return $self;
}

sub status  { $_[0]{status} }
sub headers { $_[0]{headers} }
sub ended   { $_[0]{ended} }
sub comments { $_[0]{comments} }

# What came when the answer was no stream: all of the body.
sub body {
    my ($self) = @_;
    my $end = time + $Kappa::Test::TIMEOUT;
    my $want = $self->{headers}{'content-length'};
    while (1) {
        $self->unwrap;
        last if defined $want && length $self->{text} >= $want;
        last if !$self->fill($end);
    }
    return $self->{text};
}

sub fill {
    my ($self, $end) = @_;
    return 0 if $self->{ended};
    my $left = $end - time;
    return 0 if $left <= 0;
    return 0 if !IO::Select->new($self->{socket})->can_read($left);
    my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
    $self->{ended} = 1 if !$n;
    return $n;
}

# Moves whole chunks from `in` to `text`.
sub unwrap {
    my ($self) = @_;
    if (!$self->{chunked}) {
        $self->{text} .= $self->{in};
        $self->{in} = '';
        return;
    }
    while ($self->{in} =~ /^([0-9a-fA-F]+)\r\n/) {
        my ($head, $n) = (length $&, hex $1);
        last if length $self->{in} < $head + $n + 2;
        $self->{ended} = 1 if !$n;
        $self->{text} .= substr $self->{in}, $head, $n;
        substr($self->{in}, 0, $head + $n + 2) = '';
    }
}

sub next {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // $Kappa::Test::TIMEOUT);
    while (1) {
        $self->unwrap;
        while ($self->{text} =~ s/^(.*?)\r?\n\r?\n//s) {
            my $message = $self->message($1);
            return $message if $message;
        }
        return if !$self->fill($end);
    }
}

sub message {
    my ($self, $text) = @_;
    my (%m, @data);
    for my $line (split /\r?\n/, $text) {
        if ($line =~ /^:/) { $self->{comments}++; next; }
        my ($name, $value) = $line =~ /^([^:]+)(?:: ?(.*))?$/ or next;
        if ($name eq 'data') { push @data, $value // ''; next; }
        $m{$name} = $value;
    }
    return if !%m && !@data;
    $m{data} = join "\n", @data;
    $m{json} = eval { $Kappa::Test::JSON->decode($m{data}) } if @data;
    return \%m;
}

sub close { close $_[0]{socket} }

1;
