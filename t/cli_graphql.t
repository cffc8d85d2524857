# The commands that are pure GraphQL: parse, validate, print-schema.

use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;
use Kappa::Test;

my $ROOT = $Kappa::Test::ROOT;
my $JSON = $Kappa::Test::JSON;
my $dir = tempdir(CLEANUP => 1);

sub kappa {
    my ($arguments, %more) = @_;
    return Kappa::Test::run(["$ROOT/build/kappa", @$arguments], %more);
}

sub text {
    my ($name, $text) = @_;
    open my $file, '>', "$dir/$name" or die $!;
    print $file $text;
    close $file;
    return "$dir/$name";
}

my $schema = text('s.graphql', "type Query {\n  a(x: Int): Int\n  b: Query\n}\n");
my $broken = text('broken.graphql', "type Query { a: Strin }\ntype T\n");
my $syntax = text('syntax.graphql', "{ a(x: } ");
my $good = text('good.graphql', "{ b { a(x: 1) } }");
my $bad = text('bad.graphql', "{\n  a(y: 1) c\n}");

# What is well says nothing.
for my $case (['parse', $good], ['parse', $schema], ['validate', $schema],
    ['validate', $schema, $good])
{
    my $r = kappa($case);
    is($r->{status}, 0, "@$case") or diag $r->{out};
    is($r->{out}, '', '  silently');
    $r = kappa([@$case, '--json']);
    is($r->{status}, 0, '  and with --json');
    is_deeply($JSON->decode($r->{out}), [], '  []');
}

# An error is a line.
for my $case (
    [['parse', $syntax], qr/^\Q$syntax\E:1:8: Syntax Error: /],
    [['validate', $syntax], qr/^\Q$syntax\E:1:8: /],
    [['validate', $broken],
        qr/^\Q$broken\E:1:17: Unknown type "Strin"\. Did you mean "String"\?\n\z/],
    [['validate', $schema, $syntax], qr/^\Q$syntax\E:1:8: /],
    [['validate', $schema, $bad],
        qr/^\Q$bad\E:2:5: .*"y".*\n\Q$bad\E:2:11: .*"c".*\n\z/],
    [['print-schema', $broken], qr/^\Q$broken\E:1:17: /])
{
    my ($arguments, $expected) = @$case;
    my $r = kappa($arguments);
    is($r->{status}, 1, "@$arguments has errors");
    like($r->{out}, $expected, '  with their places');
}

my $r = kappa(['validate', $schema, $bad, '--json']);
is($r->{status}, 1, 'errors as JSON');
is_deeply([map { $_->{locations} } @{ $JSON->decode($r->{out}) }],
    [[{ line => 2, column => 5 }], [{ line => 2, column => 11 }]],
    '  with their places');
is_deeply([sort keys %{ $JSON->decode($r->{out})->[0] }],
    ['locations', 'message'], '  and nothing else');

# Columns are UTF-16 units; invalid UTF-8 is refused.
$r = kappa(['parse', '-', '--json'],
    stdin => "{ a(s: \"\xf0\x9f\x98\x80\") ) }");
is_deeply($JSON->decode($r->{out})->[0]{locations},
    [{ line => 1, column => 14 }], 'UTF-16 columns');
$r = kappa(['parse', '-'], stdin => "{ a \xff }");
is($r->{status}, 1, 'invalid UTF-8');
like($r->{out}, qr/^-:1:5: .*UTF-8/, '  said so');

# A wrong call.
for my $case (['parse'], ['parse', $good, $good], ['validate'],
    ['validate', $schema, $good, $good], ['validate', $schema, '--nosuch'],
    ['print-schema'], ['print-schema', $schema, '--json'],
    ['parse', "$dir/missing"], ['validate', '-', '-'], ['nosuch'])
{
    my $r = kappa($case);
    is($r->{status}, 2, "@$case is a wrong call");
    isnt($r->{err}, '', '  and says so');
    is($r->{out}, '', '  on stderr');
}

# No input ends in a crash.
for my $text ('{a' x 100_000, '{a(b:[' . '[' x 100_000, '"' x 99_999,
    'type A { a: ' . '[' x 100_000, "\0" x 1000, '', '#', "\xef\xbb\xbf",
    '{' . ' a' x 50_000 . '}')
{
    for my $command (['parse', '-'], ['validate', '-'],
        ['validate', $schema, '-'])
    {
        my $r = kappa($command, stdin => $text);
        ok($r->{status} == 0 || $r->{status} == 1,
            "@$command of " . length($text) . ' bytes like ' . substr($text, 0, 8)
            =~ s/[^ -~]/?/gr);
    }
}

# kappa.graphql comes in when its directives are used, and only then.
my $ours = text('ours.graphql', <<'END');
type Item @view {
  id: ID!
  secret: Int @internal
  at: DateTime!
}

type Query {
  item(id: ID! @stamp(as: "auth.sub")): Item
}
END
is(kappa(['validate', $ours])->{status}, 0, 'a schema of ours');
is(kappa(['print-schema', $ours])->{out}, <<'END', 'its public part');
type Item {
  id: ID!
  at: DateTime!
}

type Query {
  item: Item
}

scalar DateTime
END
is(kappa(['validate', $ours, '-'], stdin => '{ item { id at } }')->{status},
    0, 'a document against it');
is(kappa(['validate', $ours, '-'], stdin => '{ item { secret } }')->{status},
    1, 'sees the public part alone');
is(kappa(['validate', '-'], stdin => 'type Query { a: DateTime }')->{status},
    1, 'anybody else declares what they use');

# Both files together, as an editor has them.
open my $file, '<', "$ROOT/graphql/kappa.graphql" or die $!;
my $library = do { local $/; <$file> };
my $example = Kappa::Test::file('examples/catalogue/schema.graphql');
is(kappa(['validate', '-'], stdin => "$example\n$library")->{status}, 0,
    'the example with kappa.graphql beside it');

done_testing;
