#!/usr/bin/perl
# Turns Debian's package index into kappa's events, one JSON line a package:
#
#     apt-cache dumpavail | packages.pl > events.ndjson
#
# An event's id is made of what it says, so the same package in the same
# version gives the same id, and a second import appends nothing.

use strict;
use warnings;
use Digest::SHA qw(sha1);

# Int of GraphQL.
use constant INT_MAX => 2147483647;
# A key in kappa is at most that many bytes.
use constant KEY_MAX => 255;

my $FIELDS = join '|', qw(Package Version Size Section Maintainer
    Description Description-en Homepage);

my %packages;
my $skipped = 0;

{
    local $/ = '';
    while (my $stanza = <STDIN>) {
        my $package = read_stanza($stanza);
        if (!usable($package)) {
            $skipped++;
            next;
        }
        my $seen = $packages{ $package->{name} };
        $packages{ $package->{name} } = $package
            if !$seen || newer($package->{version}, $seen->{version});
    }
}
print event($packages{$_}), "\n" for sort keys %packages;
print STDERR "packages.pl: $skipped entries without name, version, size, "
    . "section or maintainer left out\n" if $skipped && -t STDERR;

sub read_stanza {
    my ($stanza) = @_;
    my %field;
    $field{$1} = $2 while $stanza =~ /^($FIELDS): *(.*\S)/mgo;
    return {
        name => $field{Package},
        version => $field{Version},
        size => $field{Size},
        section => $field{Section},
        maintainer => $field{Maintainer},
        summary => $field{Description} // $field{'Description-en'},
        homepage => $field{Homepage},
    };
}

sub usable {
    my ($package) = @_;
    for (qw(name version size section maintainer)) {
        return 0 if !defined $package->{$_} || $package->{$_} eq '';
    }
    return 0 if $package->{size} !~ /^\d+$/ || $package->{size} > INT_MAX;
    for (qw(name section maintainer)) {
        return 0 if length $package->{$_} > KEY_MAX;
    }
    return 1;
}

# Whether version a is newer than b. Asked only for the few packages that the
# index has in several versions or architectures.
sub newer {
    my ($a, $b) = @_;
    return 0 if $a eq $b;
    return system('dpkg', '--compare-versions', $a, 'gt', $b) == 0;
}

sub event {
    my ($package) = @_;
    my @data;
    for (qw(name version size section maintainer summary homepage)) {
        my $value = $package->{$_};
        next if !defined $value || $value eq '';
        push @data, json($_) . ':' . ($_ eq 'size' ? $value + 0 : json($value));
    }
    my $data = '{' . join(',', @data) . '}';
    return '{"id":"' . uuid($data) . '","thing":"Package","verb":"released",'
        . '"key":' . json($package->{name})
        . ',"effect":"PUT","data":' . $data . '}';
}

# A UUID of version 5 (RFC 9562) of the text, in a name space of our own.
sub uuid {
    my ($text) = @_;
    my @byte = unpack 'C16', sha1('kappa/examples/catalogue' . $text);
    $byte[6] = $byte[6] & 0x0f | 0x50;
    $byte[8] = $byte[8] & 0x3f | 0x80;
    return sprintf '%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-'
        . '%02x%02x%02x%02x%02x%02x', @byte;
}

# A JSON string. What is not UTF-8 is taken for Latin-1.
sub json {
    my ($text) = @_;
    my $copy = $text;
    utf8::encode($text) if !utf8::decode($copy);
    $text =~ s/([\\"])/\\$1/g;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\\u%04x', ord $1/ge;
    return "\"$text\"";
}
