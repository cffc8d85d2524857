package Kappa::WebSocket;

# A client of graphql-transport-ws, as plain as can be, so that it can also do
# what no good client does.
#
#   my $ws = Kappa::WebSocket->new($t, '/graphql', headers => {…});
#   $ws->init; $ws->subscribe('1', 'subscription { … }');
#   my $message = $ws->next;          # decoded; { close => code } at the end

use strict;
use warnings;
use IO::Select;
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

sub new {
    my ($class, $test, $path, %option) = @_;
    my $socket = $test->connect or return;
    my %h = (Host => 'localhost', Upgrade => 'websocket', Connection => 'Upgrade',
        'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => encode_base64('0123456789abcdef', ''),
        'Sec-WebSocket-Protocol' => 'graphql-transport-ws',
        %{ $option{headers} // {} });
    syswrite $socket, "GET $path HTTP/1.1\r\n"
        . join('', map { "$_: $h{$_}\r\n" } grep { defined $h{$_} } sort keys %h)
        . "\r\n" . ($option{early} // '');
    my $self = bless { socket => $socket, in => '', status => 0 }, $class;
    my $end = time + $Kappa::Test::TIMEOUT;
    while ($self->{in} !~ /\r\n\r\n/) {
        last if !$self->fill($end);
    }
    if ($self->{in} =~ s{^HTTP/1\.1 (\d+)[^\r\n]*(.*?)\r\n\r\n}{}s) {
        $self->{status} = $1;
        $self->{headers} = Kappa::Test::parse_headers($2);
    }
    return $self;
}

sub status { $_[0]{status} }
sub headers { $_[0]{headers} }

sub fill {
    my ($self, $end) = @_;
    my $left = $end - time;
    return 0 if $self->{ended} || $left <= 0;
    return 0 if !IO::Select->new($self->{socket})->can_read($left);
    my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
    $self->{ended} = 1 if !$n;
    return $n;
}

# A masked frame as bytes.
sub frame {
    my ($opcode, $payload, $first) = @_;
    my $n = length $payload;
    my $head = pack 'C', $first // (0x80 | $opcode);
    $head .= $n < 126 ? pack('C', 0x80 | $n)
        : $n < 65536 ? pack('Cn', 0x80 | 126, $n)
        : pack('CQ>', 0x80 | 127, $n);
    my $mask = "\x01\x02\x03\x04";
    return $head . $mask . ($payload ^ substr $mask x ($n / 4 + 1), 0, $n);
}

sub bytes { my ($self, $bytes) = @_; syswrite $self->{socket}, $bytes }
sub text { my ($self, $text) = @_; $self->bytes(frame(1, $text)) }
sub send { my ($self, $message) = @_; $self->text($Kappa::Test::JSON->encode($message)) }

sub init {
    my ($self, $payload) = @_;
    $self->send({ type => 'connection_init', $payload ? (payload => $payload) : () });
    return $self->next;
}

sub subscribe {
    my ($self, $id, $query, $variables, %more) = @_;
    $self->send({ id => $id, type => 'subscribe', payload => { query => $query,
        $variables ? (variables => $variables) : (), %more } });
}

sub complete { my ($self, $id) = @_; $self->send({ id => $id, type => 'complete' }) }

# The next message but pings; { close => code, reason => text } for a close;
# undef when nothing comes in time or the connection ends.
sub next {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // $Kappa::Test::TIMEOUT);
    while (1) {
        while (defined(my $frame = $self->take)) {
            my ($opcode, $payload) = @$frame;
            if ($opcode == 8) {
                my ($code, $reason) = length $payload ? unpack 'na*', $payload : (1005, '');
                return { close => $code, reason => $reason };
            }
            next if $opcode != 1;
            my $message = $Kappa::Test::JSON->decode($payload);
            if ($message->{type} eq 'ping') { $self->{pings}++; next; }
            return $message;
        }
        return if !$self->fill($end);
    }
}

sub take {
    my ($self) = @_;
    return if length $self->{in} < 2;
    my ($first, $n) = unpack 'CC', $self->{in};
    my $head = 2;
    if ($n == 126) { $head = 4; return if length $self->{in} < 4; $n = unpack 'x2n', $self->{in}; }
    elsif ($n == 127) { $head = 10; return if length $self->{in} < 10; $n = unpack 'x2Q>', $self->{in}; }
    return if length $self->{in} < $head + $n;
    my $payload = substr $self->{in}, $head, $n;
    substr($self->{in}, 0, $head + $n) = '';
    return [$first & 15, $payload];
}

sub ended { $_[0]{ended} }
sub close { close $_[0]{socket} }

1;
