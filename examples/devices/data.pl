#!/usr/bin/perl
# What devices measured, as kappa's events, one JSON line each:
#
#     data.pl [DEVICES [MINUTES [START]]] > events.ndjson
#
# Four devices, each minute of two days from START (seconds since 1970). The
# same call gives the same events with the same ids, so a second import of them
# appends nothing.

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use POSIX qw(strftime);

my ($devices, $minutes, $start) = @ARGV;
$devices //= 4;
$minutes //= 2 * 24 * 60;
$start //= 1763251200;    # 2025-11-16T00:00:00Z

# A UUID of what the event is about: version 8, one's own way.
sub id {
    my @part = sha1_hex(join ' ', 'kappa devices', @_)
        =~ /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/;
    return sprintf '%s-%s-8%s-8%s-%s', @part;
}

sub event {
    my ($time, $verb, $thing, $key, $data) = @_;
    return sprintf qq({"id": "%s", "time": "%s", "thing": "%s", "verb": "%s",)
        . qq( "key": "%s", "data": {%s}}\n), id($thing, $verb, $key),
        strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $time), $thing, $verb, $key,
        $data;
}

# Degrees: a day's curve, each device its own height, and some noise that is
# always the same.
sub value {
    my ($device, $minute) = @_;
    my $noise = hex(substr sha1_hex("$device $minute"), 0, 4) / 65535 - 0.5;
    return sprintf '%.1f', 18 + 2 * $device
        - 6 * cos($minute / 1440 * 2 * 3.14159265) + 3 * $noise;
}

for my $device (1 .. $devices) {
    my $site = $device % 2 ? 'roof' : 'cellar';
    print event($start - 60, 'installed', 'Device', "d$device",
        qq("id": "d$device", "site": "$site", "limit": 30));
}
for my $minute (0 .. $minutes - 1) {
    for my $device (1 .. $devices) {
        my $value = value($device, $minute);
        print event($start + 60 * $minute, 'taken', 'Reading',
            "d$device-$minute", qq("device": "d$device", "value": $value));
    }
}
