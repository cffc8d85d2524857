# Every example: kappa and graphql-js accept its schema, what clients see has
# none of kappa's directives, its links lead somewhere, and it is told of.

use strict;
use warnings;
use File::Temp ();
use Test::More;
use Kappa::Test;

my $ROOT = $Kappa::Test::ROOT;
my @examples = map { m{([^/]+)/schema.graphql$} }
    glob "$ROOT/examples/*/schema.graphql";
cmp_ok(scalar @examples, '>=', 4, "examples: @examples");
my $main = Kappa::Test::file('README.md');

sub graphql_js { return Kappa::Test::run(['node', "$ROOT/t/node/sdl.js", @_]) }

for my $name (@examples) {
    my $dir = "$ROOT/examples/$name";
    my $r = Kappa::Test->kappa(['check', "$dir/schema.graphql"]);
    is($r->{status}, 0, "$name: kappa check") or diag $r->{out};
    $r = graphql_js("$ROOT/graphql/kappa.graphql", "$dir/schema.graphql");
    is($r->{status}, 0, "$name: graphql-js reads it beside kappa.graphql")
        or diag $r->{err};

    my $public = File::Temp->new;
    print $public Kappa::Test->kappa(['print-schema', "$dir/schema.graphql"])
        ->{out};
    close $public;
    $r = graphql_js($public->filename);
    is($r->{status}, 0, "$name: and what clients see") or diag $r->{err};
    unlike($r->{out}, qr/\@(?!deprecated|specifiedBy|oneOf)/,
        "$name: which has no directive of ours");

    my $readme = Kappa::Test::read_file("$dir/README.md");
    my @links = $readme =~ /\]\(([^)#]+)/g;
    is_deeply([grep { !-e "$dir/$_" } @links], [], "$name: links lead to files");
    like($main, qr{\(examples/$name/README\.md\)}, "$name: README.md has it");
}
done_testing;
