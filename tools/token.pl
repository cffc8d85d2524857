#!/usr/bin/perl
# A token for an example, signed with its secret (HS256), good for a month:
#
#     token.pl KEYFILE SUB [ROLE...] [scope=SCOPE]
#
# What an identity provider would give out; only for trying things.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);

my ($file, $sub, @more) = @ARGV;
die "usage: token.pl KEYFILE SUB [ROLE...] [scope=SCOPE]\n"
    if !defined $sub || grep { !/^[\w.:\@= -]+$/ } $sub, @more;
open my $in, '<', $file
    or die "$file: $! (is the demo running? it makes the key)\n";
chomp(my $key = <$in>);

my $scope = join ' ', map { /^scope=(.*)/ ? $1 : () } @more;
my $roles = join ',', map { /^scope=/ ? () : qq("$_") } @more;
my $text = join '.', map { encode_base64url($_) } '{"alg":"HS256","typ":"JWT"}',
    sprintf '{"iss":"https://example.com","sub":"%s","exp":%d,"roles":[%s],'
    . '"scope":"%s"}', $sub, time + 30 * 86400, $roles, $scope;
print "$text.", encode_base64url(hmac_sha256($text, $key)), "\n";
