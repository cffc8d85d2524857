# Views of interface and union type on a real nginx: one list of several
# types' rows, its pages, links, live fields and mutations.

use strict;
use warnings;
use Test::More;
use Kappa::Test;

my $t = Kappa::Test->new(workers => 2,
    schema => Kappa::Test::file('t/unit/views/schemas/valid/feed.graphql'));
$t->start;

# On a busy machine a worker may wait for the store that the other one makes.
sub data {
    my ($query, $variables) = @_;
    my $r;
    Kappa::Test::wait_until(sub {
        $r = $t->graphql($query, $variables);
        return $r->{body} !~ /STORE_UNAVAILABLE/;
    }, 60);
    diag $r->{body} if $r->{json}{errors};
    return $r->{json}{data};
}

data('mutation { join(id: "kim") { id } }');
for my $i (1 .. 12) {
    my $owner = $i % 3 ? 'kim' : 'lee';
    data($i % 2 ? "mutation { photo(id: \"i$i\", owner: \"$owner\", width: $i) { id } }"
        : "mutation { video(id: \"i$i\", owner: \"$owner\", seconds: $i) { position } }");
}

is_deeply(data('{ a: item(id: "i1") { __typename id ... on Photo { width ownerInfo { id } } }
    b: media(id: "i2") { __typename ... on Item { owner } ... on Video { seconds } }
    c: item(id: "none") { id } }'),
    { a => { __typename => 'Photo', id => 'i1', width => 1, ownerInfo => { id => 'kim' } },
      b => { __typename => 'Video', owner => 'kim', seconds => 2 }, c => undef },
    'one by its key');

my $FEED = 'query($owner: ID, $order: ItemOrder, $first: Int, $after: String, $last: Int,
    $before: String) { feed(owner: $owner, orderBy: $order, first: $first, after: $after,
    last: $last, before: $before) { totalCount edges { cursor node { id __typename } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }';
sub ids { return [map { $_->{node}{id} } @{ $_[0]{feed}{edges} }] }

# Several may be of one millisecond: these come by id.
my @rows = sort { $a->{at} cmp $b->{at} || $a->{id} cmp $b->{id} }
    map { $_->{node} } @{ data('{ feed { edges { node { id at owner } } } }')->{feed}{edges} };
my @order = map { $_->{id} } @rows;
my @kim = reverse map { $_->{id} } grep { $_->{owner} eq 'kim' } @rows;
my $all = data($FEED, { order => 'AT' });
is_deeply(ids($all), \@order, 'all in the order they were made') or diag explain $all;
is($all->{feed}{totalCount}, 12, 'totalCount');
is_deeply(ids(data($FEED, { order => 'AT_DESC' })), [reverse @order], 'descending');

for my $way (['first', 'after', 'endCursor', 'hasNextPage'],
    ['last', 'before', 'startCursor', 'hasPreviousPage']) {
    my ($size, $from, $cursor, $more) = @$way;
    my ($at, @ids);
    for (1 .. 10) {
        my $page = data($FEED, { owner => 'kim', order => 'AT_DESC', $size => 3, $from => $at });
        is($page->{feed}{totalCount}, 8, "$size: totalCount");
        @ids = $size eq 'first' ? (@ids, @{ ids($page) }) : (@{ ids($page) }, @ids);
        last if !$page->{feed}{pageInfo}{$more};
        $at = $page->{feed}{pageInfo}{$cursor};
    }
    is_deeply(\@ids, \@kim, "$size: page after page");
}

my $link = data('{ user(id: "kim") { items(orderBy: AT, first: 2) { totalCount edges { node {
    __typename id } } pageInfo { hasNextPage } } } }');
is_deeply($link->{user}{items}, { totalCount => 8, pageInfo => { hasNextPage => $Kappa::Test::JSON->decode('true') },
    edges => [map { { node => { id => $_, __typename => /[13579]$/ ? 'Photo' : 'Video' } } }
        (reverse @kim)[0, 1]] }, '@hasMany') or diag explain $link;

# --- expressions and mutations

is(data('mutation { comment(id: "c", item: "i2") { on { __typename } byOwner } }')
    ->{comment}{on}{__typename}, 'Video', '@belongsTo, and a lookup that finds');
my $r = $t->graphql('mutation { comment(id: "d", item: "i99") { id } }');
is($r->{json}{errors}[0]{extensions}{code}, 'NO_SUCH_ITEM', 'a lookup that finds nothing');
is_deeply(data('mutation { video(id: "v", owner: "kim", seconds: 9) { position item { id
    ... on Video { seconds } } } }')->{video}{item}, { id => 'v', seconds => 9 },
    'a payload of the interface');

# --- live

my $live = $t->sse('subscription { feed(owner: "lee", first: 20) { totalCount edges { node { id } } } }');
is($live->next->{json}{data}{feed}{totalCount}, 4, 'a live list now');
my $one = $t->sse('subscription { item(id: "new") { __typename } }');
is_deeply($one->next->{json}{data}, { item => undef }, 'a live item that is not there');
my $stream = $t->sse('subscription { taken(owner: "lee") { id width } }');
is($stream->status, 200, 'a change stream of one of them');
data('mutation { video(id: "new", owner: "lee") { position } }');
is($live->next->{json}{data}{feed}{totalCount}, 5, 'hears of a video');
is($one->next->{json}{data}{item}{__typename}, 'Video', 'so does the item');
data('mutation { photo(id: "new", owner: "lee", width: 7) { id } }');
is($live->next->{json}{data}{feed}{totalCount}, 6, 'and of a photo');
is($one->next->{json}{data}{item}{__typename}, 'Photo',
    'of two with one key the first in the text serves');
is_deeply($stream->next->{json}{data}{taken}, { id => 'new', width => 7 }, 'the stream too');
is_deeply(data('mutation { remove(id: "new") { __typename ... on Photo { width } } }')->{remove},
    { __typename => 'Photo', width => 7 }, 'a mutation that answers the union');
is($one->next->{json}{data}{item}{__typename}, 'Video', 'the other one is there again');

# What has nothing to tell of what it resumes is answered, too.
(my $start = $t->graphql('{ __typename }')->{headers}{'kappa-position'}) =~ s/\d+$/0/;
my $quiet = $t->sse('subscription { taken(owner: "nobody") { id } }', undef,
    'Last-Event-ID' => $start);
is($quiet->status, 200, 'before the first heartbeat');

# --- introspection

my $types = data('{ item: __type(name: "Item") { kind possibleTypes { name } }
    media: __type(name: "Media") { possibleTypes { name } } note: __type(name: "Note") { name } }');
is_deeply([map { $_->{name} } @{ $types->{item}{possibleTypes} }], [qw(Photo Video)],
    'possible types, without internal ones');
is_deeply([map { $_->{name} } @{ $types->{media}{possibleTypes} }], [qw(Photo Video)], 'of the union');
is($types->{note}, undef, 'an internal type is none');
my $print = $t->kappa(['print-schema', $t->dir . '/schema.graphql']);
like($print->{out}, qr/^interface Item \{/m, 'print-schema');
unlike($print->{out}, qr/\@view|Note/, 'prints what is public');

# --- a cursor holds when another type joins

my $cursor = data($FEED, { order => 'AT', first => 3 })->{feed}{pageInfo}{endCursor};
my $sdl = Kappa::Test::file('t/unit/views/schemas/valid/feed.graphql');
$sdl .= "\ntype Poll implements Item \@view \@index(fields: [\"at\"])"
    . " \@index(fields: [\"owner\", \"at\"]) { id: ID! owner: ID! at: DateTime! }\n";
Kappa::Test::write_file($t->dir . '/schema.graphql', $sdl);
$t->reload;
ok(Kappa::Test::wait_until(sub {
    my $r = $t->graphql('{ __type(name: "Poll") { name } }');
    return ($r->{json}{data}{__type} || {})->{name};
}, 30), 'a third type');
is_deeply([@{ ids(data($FEED, { order => 'AT', first => 2, after => $cursor })) }],
    [@order[3, 4]], 'goes on at its place');

ok($t->stop('QUIT'), 'ends');
$t->no_alerts;
done_testing;
