package Kappa::Faults;

# A disk that fails or waits at will, for a server that was made with it:
#
#     my $faults = Kappa::Faults->new;
#     my $t = Kappa::Test->new(schema => $sdl, faults => $faults);
#     $faults->fail('fdatasync', EIO, path => '.seg');    # until mend
#     $faults->fail('pwrite', ENOSPC, path => '.seg', times => 1);
#     $faults->mend;
#     $faults->close_gate('.seg');    # fdatasync waits …
#     $faults->waiting;               # … how many do …
#     $faults->open_gate;             # … until this

use strict;
use warnings;
use File::Temp ();

our $LIBRARY = $Kappa::Test::ROOT . '/build/faults.so';
my %CALL = (pwrite => 1, fdatasync => 2, fallocate => 4, small => 8, all => 7,
    open => 16, inotify => 32, short => 64);
my %AT = (error => 0, left => 4, calls => 8, gate => 12, waiting => 16,
    met => 20, path => 24);

sub new {
    my ($class) = @_;
    die "no $LIBRARY: run make\n" if !-f $LIBRARY;
    my ($file, $path) = File::Temp::tempfile('kappa-faults-XXXXXX',
        TMPDIR => 1, UNLINK => 1);
    syswrite $file, "\0" x 128;
    chmod 0666, $path;
    return bless { file => $file, path => $path }, $class;
}

sub path { $_[0]{path} }

sub put {
    my ($self, $name, $bytes) = @_;
    sysseek $self->{file}, $AT{$name}, 0;
    syswrite $self->{file}, $bytes;
}

sub get {
    my ($self, $name) = @_;
    sysseek $self->{file}, $AT{$name}, 0;
    sysread $self->{file}, my $bytes, 4;
    return unpack 'l', $bytes;
}

sub fail {
    my ($self, $call, $error, %option) = @_;
    $self->mend;
    $self->put(path => pack 'Z104', $option{path} // '');
    $self->put(met => pack 'l', 0);
    $self->put(calls => pack 'l', $CALL{$call} // die "no such call: $call");
    $self->put(left => pack 'l', $option{times} // -1);
    $self->put(error => pack 'l', $error);
}

sub mend {
    my ($self) = @_;
    $self->put(error => pack 'l', 0);
}

# How many calls failed since fail().
sub met { return $_[0]->get('met') }

sub close_gate {
    my ($self, $path) = @_;
    $self->put(path => pack 'Z104', $path);
    $self->put(gate => pack 'l', 1);
}

sub open_gate { $_[0]->put(gate => pack 'l', 0) }
sub waiting { return $_[0]->get('waiting') }

1;
