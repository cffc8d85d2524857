package Kappa::RandomViews;

# Schemas by chance for t/views_random.t: views, groups, aggregates, @computed
# and projections, with what each expression means as a function in Perl.

use strict;
use warnings;
use Exporter qw(import);
use Kappa::Test;

our @EXPORT = qw(@views @defs %view %mutations %BULK chance any some to_json from_json text compare key_text
    column make_schema schema_text union_members);

my $JSON = $Kappa::Test::JSON;

sub chance { return rand() < $_[0] }
sub any { return $_[int rand @_] }

# --- values by type. Of null: undef. In the model a BigInt is a number, a
# DateTime its text, a Boolean 0 or 1.

my @DAYS = map { sprintf '2026-01-%02dT%02d:00:00.000Z', @$_ } [1, 0], [1, 13], [2, 7], [3, 23];
my %SOME = (
    ID => [qw(a b c d)],
    String => ['', 'x', 'xy', "\x{e9}"],
    Int => [-1, 0, 1, 2, 3],
    BigInt => [-1, 0, 2, 5],
    Float => [-0.5, 0, 0.25, 2],
    Boolean => [0, 1],
    En => [qw(A B C)],
    DateTime => \@DAYS,
);
my @TYPES = sort keys %SOME;
my %IS_NUMBER = map { $_ => 1 } qw(Int BigInt Float);

sub some { return any(@{ $SOME{$_[0]} }) }

sub to_json {
    my ($type, $value) = @_;
    return undef if !defined $value;
    return $value ? JSON::PP::true() : JSON::PP::false() if $type eq 'Boolean';
    return "$value" if !$IS_NUMBER{$type} || $type eq 'BigInt';
    return 0 + $value;
}

sub from_json {
    my ($type, $value) = @_;
    return undef if !defined $value;
    return $value ? 1 : 0 if $type eq 'Boolean';
    return $IS_NUMBER{$type} ? 0 + $value : $value;
}

sub text {
    my ($type, $value) = @_;
    return 'null' if !defined $value;
    return sprintf '%.9g', $value if $type eq 'Float';
    return "$value";
}

sub compare {
    my ($type, $x, $y) = @_;
    return defined $x <=> defined $y if !defined $x || !defined $y;
    return $IS_NUMBER{$type} || $type eq 'Boolean' ? $x <=> $y : bytes($x) cmp bytes($y);
}
sub bytes { my ($s) = @_; utf8::encode($s); return $s }

# Of a key's parts, undef when one is null.
sub key_text { return join "\0", map { defined $_ ? bytes($_) : return undef } @_ }

# --- a schema: views, and in which order what is derived is derived

# What of it others read; made anew by make_schema.
our (@views, @defs, %view, %mutations);

sub column { my ($view, $name) = @_; return (grep { $_->{name} eq $name } @{ $view->{columns} })[0] }

sub add_column {
    my ($view, %column) = @_;
    $column{name} //= ($column{kind} eq 'plain' ? 'p' : $column{kind}) . @{ $view->{columns} };
    push @{ $view->{columns} }, { view => $view, %column };
    return $view->{columns}[-1];
}

# A condition on a row of view, as text and as a function.
sub condition {
    my ($view) = @_;
    my $column = any(@{ $view->{columns} });
    my ($name, $type) = @$column{qw(name type)};
    my $value = some($type);
    if (chance(0.2)) {
        return ("row.$name == null", sub { !defined $_[0]{$name} });
    }
    if ($IS_NUMBER{$type}) {
        my $number = $type eq 'Float' ? sprintf('%.2f', $value) : $value;
        return any(["row.$name > $number", sub { defined $_[0]{$name} && $_[0]{$name} > $value }],
            ["row.$name != null && row.$name <= $number",
                sub { defined $_[0]{$name} && $_[0]{$name} <= $value }])->@*;
    }
    my $literal = $type eq 'Boolean' ? ($value ? 'true' : 'false') : "'$value'";
    return ("row.$name >= $literal", sub { defined $_[0]{$name} && $_[0]{$name} ge $value })
        if $type eq 'DateTime';
    return ("row.$name == $literal", sub { defined $_[0]{$name} && $_[0]{$name} eq $value });
}

sub new_view {
    my ($name, %more) = @_;
    my $view = { name => $name, columns => [], key => [], ons => [], unique => [], indexes => [], %more };
    push @views, $view;
    return $view{$name} = $view;
}

sub add_plain {
    my ($view) = @_;
    my $type = any(@TYPES);
    my %column = (kind => 'plain', type => $type);
    if (chance(0.15)) {
        $column{default} = some($type);
    } elsif (chance(0.1)) {
        $column{required} = 1;
    }
    add_column($view, %column);
}

# Fields that may hold the key of another view.
sub add_link {
    my ($view, $to) = @_;
    my @by = map { add_column($view, kind => 'plain', type => column($to, $_)->{type})->{name} } @{ $to->{key} };
    push @{ $view->{links} }, { to => $to, by => \@by };
}

sub new_entity {
    my ($number) = @_;
    my $view = new_view("V$number");
    my @like = $number && chance(0.4) ? map { column($views[0], $_)->{type} } @{ $views[0]{key} } : ();
    my @types = @like ? @like : map { any(qw(ID ID Int String En DateTime BigInt)) } 0 .. (chance(0.4) ? 1 : 0);
    for my $i (0 .. $#types) {
        my $type = $types[$i];
        push @{ $view->{key} }, add_column($view, kind => 'key', type => $type, name => "k$i")->{name};
    }
    add_plain($view) for 0 .. int rand 4;
    if (chance(0.5)) {
        my $by = any(1, 2);
        add_column($view, kind => 'stamp', type => 'Int', name => 'writes', on => 'WRITE', by => $by);
    }
    if (chance(0.3)) {
        add_column($view, kind => 'stamp', type => 'Int', name => 'once', on => 'CREATE', by => int rand 9);
    }
}

sub add_computed {
    my ($view) = @_;
    my $from = any(@{ $view->{columns} });
    my ($name, $type) = @$from{qw(name type)};
    my %column = (kind => 'computed');
    if ($type eq 'DateTime') {
        my $unit = any('1d', '1h', '12h');
        my $hours = { '1d' => 24, '1h' => 1, '12h' => 12 }->{$unit};
        %column = (%column, type => 'DateTime', expr => "row.$name == null ? null : trunc(row.$name, '$unit')",
            f => sub {
                my ($row) = @_;
                return undef if !defined $row->{$name};
                my ($day, $hour) = $row->{$name} =~ /^(.*T)(\d\d)/;
                return sprintf '%s%02d:00:00.000Z', $day, $hour - $hour % $hours;
            });
    } elsif (($type eq 'Int' || $type eq 'BigInt') && chance(0.2)) {
        %column = (%column, type => 'Int', expr => "12 / row.$name",
            f => sub { $_[0]{$name} ? int(12 / $_[0]{$name}) : die "refused\n" });
    } elsif ($type eq 'Int' || $type eq 'BigInt') {
        %column = (%column, type => 'Int', required => 1, expr => "row.$name == null ? -7 : row.$name * 2 - 1",
            f => sub { defined $_[0]{$name} ? $_[0]{$name} * 2 - 1 : -7 });
    } else {
        my ($expr, $f) = condition($view);
        %column = (%column, type => 'Boolean', expr => "$expr ? true : false", f => sub { $f->($_[0]) ? 1 : 0 });
        return if $expr =~ / >=? /; # of null it is an error
    }
    push @defs, { kind => 'computed', view => $view, column => add_column($view, %column) };
}

# A group's mean of whole numbers: its own count is never 0.
sub add_mean {
    my ($view) = @_;
    my ($sum) = grep { $_->{kind} eq 'sum' && $_->{group} && $_->{type} ne 'Float' } @{ $view->{columns} };
    my ($count) = grep { $_->{kind} eq 'count' && $_->{group} && !$_->{where} } @{ $view->{columns} };
    return if !$sum || !$count;
    push @defs, { kind => 'computed', view => $view, column => add_column($view, kind => 'computed', type => 'Int',
        expr => "row.$sum->{name} / row.$count->{name}",
        f => sub { int($_[0]{ $sum->{name} } / $_[0]{ $count->{name} }) }) };
}

sub add_aggregate {
    my ($view, $source, $by, $group) = @_;
    my $kind = any(qw(count sum avg min max min max));
    my %column = (kind => $kind, source => $source, by => $by, group => $group);
    if ($kind ne 'count') {
        my @fields = grep { $kind =~ /^m/ || $IS_NUMBER{ $_->{type} } } @{ $source->{columns} };
        return if !@fields;
        my $field = any(@fields);
        $column{field} = $field;
        $column{type} = $kind =~ /^m/ ? $field->{type}
            : $kind eq 'avg' || $field->{type} eq 'Float' ? 'Float' : any('BigInt', 'BigInt', 'Int');
    } else {
        $column{type} = any('Int', 'BigInt');
    }
    @column{qw(where f)} = condition($source) if chance(0.4);
    $column{required} = $kind eq 'count' || $kind eq 'sum';
    push @defs, { kind => 'aggregate', view => $view, column => add_column($view, %column) };
}

sub add_group {
    my ($number) = @_;
    my $source = any(@views);
    my @by = grep { $_->{type} ne 'Float' } @{ $source->{columns} };
    return if !@by;
    my @chosen = map { any(@by) } 0 .. (chance(0.4) ? 1 : 0);
    return if @chosen == 2 && $chosen[0] == $chosen[1];
    my $group = new_view("G$number", of => $source, by => [map { $_->{name} } @chosen]);
    for my $i (0 .. $#chosen) {
        push @{ $group->{key} }, add_column($group, kind => 'key', type => $chosen[$i]{type}, name => "k$i")->{name};
    }
    push @defs, { kind => 'group', view => $group };
    add_aggregate($group, $source, $group->{by}, 1) for 0 .. int rand 4;
    add_mean($group);
}

sub link_aggregate {
    my $source = any(grep { $_->{links} } @views);
    return if !$source;
    my $link = any(@{ $source->{links} });
    add_aggregate($link->{to}, $source, $link->{by});
}

sub add_rules {
    my ($view) = @_;
    for my $unique (0, 0, 1) {
        next if !chance($unique ? 0.2 : 0.5);
        my @columns = grep { $_->{type} ne 'Float' && ($_->{type} ne 'Boolean' || !$unique) } @{ $view->{columns} };
        next if !@columns;
        my @fields = map { any(@columns)->{name} } 0 .. int rand 2;
        next if @fields == 2 && $fields[0] eq $fields[1] || grep { "@{ $_->{fields} }" eq "@fields" } @{ $view->{indexes} };
        next if "@fields" eq "@{ $view->{key} }";
        push @{ $view->{indexes} }, { fields => \@fields, unique => $unique };
    }
    if (chance(0.25)) {
        my ($column) = grep { $_->{type} eq 'Int' || $_->{type} eq 'BigInt' } @{ $view->{columns} };
        if ($column) {
            my $name = $column->{name};
            $view->{check} = ["row.$name == null || row.$name < 3", sub { !defined $_[0]{$name} || $_[0]{$name} < 3 }];
        }
    }
}

# What an event has for the parts of a key: members of an item or of data.
our %BULK = (ID => 'a', String => 's', Int => 'i', BigInt => 'big', En => 'e', DateTime => 't', Boolean => 'b', Float => 'f');
my $EACH = 'event.data.items';

sub set_of {
    my ($view, $from, $members) = @_;
    my @columns = grep { $_->{kind} eq 'plain' } @{ $view->{columns} };
    return if !@columns;
    my $column = any(@columns);
    my ($name, $type) = @$column{qw(name type)};
    if ($type eq 'Int' && chance(0.3)) {
        return ["$name = (row.$name == null ? 0 : row.$name) + 1", $name,
            sub { my ($row) = @_; return ($row->{$name} // 0) + 1 }];
    }
    my ($kept) = grep { $_->{source} && $_->{type} eq $type } @{ $view->{columns} };
    if ($kept && chance(0.5)) {
        return ["$name = row.$kept->{name}", $name, sub { $_[1]->($kept) }];
    }
    my ($member) = grep { $members->{$_} eq $type } sort keys %$members;
    return if !defined $member;
    my @lookups = grep { @{ $_->{key} } == 1 && grep { $_->{type} eq $type } @{ $_->{columns} } } @views;
    if (@lookups && chance(0.3)) {
        my $other = any(@lookups);
        my $get = any(grep { $_->{type} eq $type } @{ $other->{columns} })->{name};
        my ($part) = grep { $members->{$_} eq column($other, $other->{key}[0])->{type} } sort keys %$members;
        if (defined $part) {
            return ["$name = $other->{name}($from.$part).$get", $name,
                sub {
                    my ($row, undef, $event, $state) = @_;
                    my $value = $event->{from}{$part};
                    return defined $value ? ($state->{ $other->{name} }{ key_text($value) } // {})->{$get} : undef;
                }];
        }
    }
    return ["$name = $from.$member", $name, sub { $_[2]{from}{$member} }];
}

sub add_on {
    my ($view) = @_;
    my %on = (view => $view, effect => any(qw(CREATE PUT PATCH PATCH UPSERT UPSERT DELETE)));
    my ($from, $members);
    if (chance(0.6)) {
        %on = (%on, thing => 'Bulk', verb => any('done', 'told', undef), each => 1);
        ($from, $members) = ('item', { reverse %BULK });
    } else {
        my $thing = any(grep { !$_->{of} } @views);
        %on = (%on, thing => $thing->{name}, verb => any('create', 'patch', 'put', undef));
        $from = 'event.data';
        $members = { map { $_->{name} => $_->{type} } grep { $_->{kind} =~ /^(?:key|plain)$/ } @{ $thing->{columns} } };
    }
    for my $part (@{ $view->{key} }) {
        my $type = column($view, $part)->{type};
        my @fit = grep { $members->{$_} eq $type } sort keys %$members;
        return if !@fit;
        push @{ $on{parts} }, any(@fit);
    }
    $on{key} = [map { "$from.$_" } @{ $on{parts} }];
    if ($on{effect} ne 'DELETE') {
        push @{ $on{sets} }, grep { $_ } set_of($view, $from, $members) for 0 .. int rand 3;
    }
    if (chance(0.4)) {
        my ($text, $f) = condition($view);
        @on{qw(if f)} = ($text, $f);
    }
    push @{ $view->{ons} }, \%on;
}

sub make_schema {
    (@views, @defs, %view, %mutations) = ();
    new_entity($_) for 0 .. 1 + int rand 3;
    for my $view (grep { !$_->{of} } @views) {
        add_link($view, any(@views)) for 0 .. int rand 2;
    }
    for my $i (0 .. 3 + int rand 14) {
        any(\&link_aggregate, \&link_aggregate, sub { add_group($i) }, sub { add_computed(any(@views)) })->();
    }
    add_rules($_) for @views;
    add_on(any(grep { !$_->{of} } @views)) for 1 .. int rand 5;
}

# --- its text

sub quote { my ($s) = @_; return $JSON->canonical->encode($s) }
sub sdl_list { return '[' . join(', ', map { quote($_) } @_) . ']' }

sub literal {
    my ($type, $value) = @_;
    return $value ? 'true' : 'false' if $type eq 'Boolean';
    return $type eq 'Float' ? sprintf("%.2f", $value) : "$value" if $IS_NUMBER{$type};
    return "'$value'";
}

sub column_sdl {
    my ($column) = @_;
    my $view = $column->{view};
    my $bang = $column->{kind} eq 'key' || $column->{kind} eq 'stamp' || $column->{required} ? '!' : '';
    my $text = "  $column->{name}: $column->{type}$bang";
    if ($column->{source}) {
        my @with;
        push @with, 'field: ' . quote($column->{field}{name}) if $column->{field};
        push @with, 'of: ' . quote($column->{source}{name}), 'by: ' . sdl_list(@{ $column->{by} }) if !$column->{group};
        push @with, 'where: ' . quote($column->{where}) if $column->{where};
        $text .= " \@$column->{kind}" . (@with ? '(' . join(', ', @with) . ')' : '');
    }
    $text .= ' @computed(as: ' . quote($column->{expr}) . ')' if $column->{kind} eq 'computed';
    $text .= ' @default(as: ' . quote(literal($column->{type}, $column->{default})) . ')' if defined $column->{default};
    if ($column->{kind} eq 'stamp') {
        my $as = $column->{on} eq 'CREATE' ? $column->{by}
            : "old == null ? $column->{by} : old.$column->{name} + $column->{by}";
        $text .= " \@stamp(as: \"$as\", on: $column->{on})";
    }
    return "$text\n";
}

sub on_sdl {
    my ($on) = @_;
    my @with = ("thing: \"$on->{thing}\"");
    push @with, "verb: \"$on->{verb}\"" if defined $on->{verb};
    push @with, "each: \"$EACH\"" if $on->{each};
    push @with, 'key: ' . sdl_list(@{ $on->{key} }), "effect: $on->{effect}";
    push @with, 'set: ' . sdl_list(map { $_->[0] } @{ $on->{sets} }) if @{ $on->{sets} || [] };
    push @with, 'if: ' . quote($on->{if}) if $on->{if};
    return "\n  \@on(" . join(', ', @with) . ')';
}

sub view_sdl {
    my ($view) = @_;
    my $text = "type $view->{name} \@view(key: " . sdl_list(@{ $view->{key} }) . ')';
    $text .= " \@groupBy(of: \"$view->{of}{name}\", by: " . sdl_list(@{ $view->{by} }) . ')' if $view->{of};
    $text .= ' @index(fields: ' . sdl_list(@{ $_->{fields} }) . ($_->{unique} ? ', unique: true)' : ')') for @{ $view->{indexes} };
    $text .= ' @check(if: ' . quote($view->{check}[0]) . ', code: "TOO_BIG")' if $view->{check};
    $text .= on_sdl($_) for @{ $view->{ons} };
    return "$text {\n" . join('', map { column_sdl($_) } @{ $view->{columns} }) . "}\n";
}

sub mutations_sdl {
    my ($view) = @_;
    my $text = '';
    my @keys = map { "$_: " . column($view, $_)->{type} . '!' } @{ $view->{key} };
    my @plain = map { "$_->{name}: $_->{type}" } grep { $_->{kind} eq 'plain' } @{ $view->{columns} };
    my $spread = @plain && chance(0.3);
    $text .= "input In$view->{name} { @plain }\n" if $spread;
    $text .= "extend type Mutation {\n";
    for my $effect (qw(CREATE PUT PATCH UPSERT DELETE)) {
        my $name = lc($effect) . $view->{name};
        my @args = (@keys, $effect eq 'DELETE' ? () : $spread ? "in: In$view->{name}" : @plain);
        my $set = $effect eq 'DELETE' || chance(0.7) ? undef
            : set_of($view, 'event.data', { map { $_ => column($view, $_)->{type} } @{ $view->{key} } });
        $mutations{$name} = { name => $name, view => $view, effect => $effect, verb => lc $effect, spread => $spread,
            set => $set };
        $text .= "  $name(" . join(', ', @args) . "): $view->{name} \@event(thing: \"$view->{name}\", verb: \""
            . lc($effect) . "\", effect: $effect" . ($set ? ', set: ' . sdl_list($set->[0]) : '') . ")\n";
    }
    return "$text}\n";
}

# The views whose keys are like that of the first: a union.
sub union_members {
    return grep { !$_->{of} && "@{ $_->{key} }" eq "@{ $views[0]{key} }" && same_types($_, $views[0]) } @views;
}

sub same_types {
    my ($x, $y) = @_;
    return !grep { column($x, $_)->{type} ne column($y, $_)->{type} } @{ $x->{key} };
}

sub union_sdl {
    my $key = $views[0]{key};
    my $args = join ', ', map { "$_: " . column($views[0], $_)->{type} . '!' } @$key;
    return 'union Some @view(key: ' . sdl_list(@$key) . ') = ' . join(' | ', map { $_->{name} } union_members())
        . "\nextend type Query { allSome(first: Int): [Some!]! oneSome($args): Some }\n";
}

sub schema_text {
    my $text = "enum En { C A B }\ntype Pay { position: String! duplicate: Boolean! event: ID! }\n";
    my $members = join ' ', map { "$BULK{$_}: $_" } sort keys %BULK;
    $text .= "input Item { $members }\ntype Query {\n";
    for my $view (@views) {
        $text .= "  all$view->{name}(first: Int): [$view->{name}!]!\n";
        $text .= "  one$view->{name}(" . join(', ', map { "$_: " . column($view, $_)->{type} . '!' } @{ $view->{key} })
            . "): $view->{name}\n";
        for my $i (0 .. $#{ $view->{indexes} }) {
            my $column = column($view, $view->{indexes}[$i]{fields}[0]);
            $text .= "  by$i$view->{name}($column->{name}: $column->{type}!, first: Int): [$view->{name}!]!\n";
        }
    }
    $text .= "}\ntype Mutation {\n";
    $text .= "  $_(items: [Item!]): Pay \@event(thing: \"Bulk\", verb: \"$_\")\n" for qw(done told);
    $text .= "}\n";
    $text .= union_sdl();
    $text .= view_sdl($_) . ($_->{of} ? '' : mutations_sdl($_)) for @views;
    return $text;
}

1;
