# Random schemas of views, groups, aggregates and projections; random mutations
# over HTTP and imports; all rows against a model that is hashes and loops, and
# against what the log makes of them.

use strict;
use warnings;
use Storable qw(dclone);
use Test::More;
use Kappa::RandomViews;
use Kappa::Test;

my $JSON = $Kappa::Test::JSON;
my $SEED = Kappa::Test::seed();

# --- the model

sub aggregate_over {
    my ($column, $rows) = @_;
    my @values = map { $column->{field} ? $_->{ $column->{field}{name} } : 1 } @$rows;
    @values = grep { defined } @values;
    return scalar @values if $column->{kind} eq 'count';
    my $sum = 0;
    $sum += $_ for $column->{kind} =~ /^m/ ? () : @values;
    return $sum if $column->{kind} eq 'sum';
    return undef if !@values;
    return $sum / @values if $column->{kind} eq 'avg';
    my @sorted = sort { compare($column->{type}, $a, $b) } @values;
    return $column->{kind} eq 'min' ? $sorted[0] : $sorted[-1];
}

# What of the source's rows counts for which target.
sub members_of {
    my ($state, $column) = @_;
    my %of;
    for my $row (values %{ $state->{ $column->{source}{name} } }) {
        my $key = key_text(map { $row->{$_} } @{ $column->{by} });
        next if !defined $key || $column->{f} && !$column->{f}->($row);
        push @{ $of{$key} }, $row;
    }
    return \%of;
}

sub derive {
    my ($state) = @_;
    for my $def (@defs) {
        my ($view, $column) = @$def{qw(view column)};
        my $rows = $state->{ $view->{name} } ||= {};
        if ($def->{kind} eq 'computed') {
            $_->{ $column->{name} } = $column->{f}->($_) for values %$rows;
        } elsif ($def->{kind} eq 'aggregate') {
            my $members = members_of($state, $column);
            $rows->{$_}{ $column->{name} } = aggregate_over($column, $members->{$_} || []) for keys %$rows;
        } else {
            %$rows = ();
            for my $row (values %{ $state->{ $view->{of}{name} } }) {
                my @parts = map { $row->{$_} } @{ $view->{by} };
                my $key = key_text(@parts);
                @{ $rows->{$key} }{ @{ $view->{key} } } = @parts if defined $key;
            }
        }
    }
}

# Derives all; a @computed that can't be refuses the event.
sub settle {
    my ($state) = @_;
    return if eval { derive($state); 1 };
    die $@ if $@ ne "refused\n";
    return 'BAD_USER_INPUT';
}

# One effect on one row. event: by (members by name) or from (for set).
sub effect {
    my ($state, $view, $effect, $parts, $event) = @_;
    my $key = key_text(@$parts);
    my $rows = $state->{ $view->{name} } ||= {};
    my $old = $rows->{$key};
    if ($effect eq 'DELETE') {
        delete $rows->{$key};
        return settle($state);
    }
    my $fresh = !$old || $effect eq 'PUT';
    my $row = $fresh ? {} : {%$old};
    my $before = $event->{start}{ $view->{name} }{$key};
    my $stamped = $event->{stamped}{ $view->{name} }{$key}++;
    for my $column (@{ $view->{columns} }) {
        my $name = $column->{name};
        if ($column->{kind} eq 'stamp') {
            if ($old && ($stamped || $column->{on} eq 'CREATE')) {
                $row->{$name} = $old->{$name};
            } elsif ($column->{on} eq 'CREATE') {
                $row->{$name} = $column->{by};
            } else {
                $row->{$name} = ($before ? $before->{$name} : 0) + $column->{by};
            }
        }
        $row->{$name} = $column->{default} if $fresh && defined $column->{default};
    }
    @$row{ @{ $view->{key} } } = @$parts;
    my $by = $event->{by} || {};
    $row->{$_} = $by->{$_} for grep { column($view, $_)->{kind} =~ /^(?:plain|stamp)$/ } keys %$by;
    my $kept = sub { aggregate_over($_[0], members_of($state, $_[0])->{$key} || []) };
    for my $set (@{ $event->{sets} || [] }) {
        $row->{ $set->[1] } = $set->[2]->($row, $kept, $event, $state);
    }
    $rows->{$key} = $row;
    return settle($state);
}

sub missing {
    my ($state, $view, $effect, $parts) = @_;
    my $there = $state->{ $view->{name} }{ key_text(@$parts) };
    return $effect eq 'CREATE' ? ($there ? 'ALREADY_EXISTS' : undef)
        : $effect =~ /^(?:PATCH|DELETE)$/ && !$there ? 'NOT_FOUND' : undef;
}

sub project {
    my ($state, $thing, $verb, $data, $event) = @_;
    for my $on (map { @{ $_->{ons} } } @views) {
        next if $on->{thing} ne $thing || defined $on->{verb} && $on->{verb} ne $verb;
        for my $from ($on->{each} ? @{ $data->{items} || [] } : $data) {
            my @parts = map { $from->{$_} } @{ $on->{parts} };
            next if !defined key_text(@parts);
            my $row = $state->{ $on->{view}{name} }{ key_text(@parts) };
            next if $on->{if} && !$on->{f}->($row || {});
            my $code = missing($state, $on->{view}, $on->{effect}, \@parts);
            return $code if $code;
            $code = effect($state, $on->{view}, $on->{effect}, \@parts,
                { %$event, from => $from, by => undef, sets => $on->{sets} });
            return $code if $code;
        }
    }
    return;
}

sub verdict {
    my ($state) = @_;
    my @code;
    for my $view (@views) {
        my @rows = values %{ $state->{ $view->{name} } };
        for my $column (grep { $_->{required} && $_->{kind} eq 'plain' } @{ $view->{columns} }) {
            push @code, [0, 'BAD_USER_INPUT'] if grep { !defined $_->{ $column->{name} } } @rows;
        }
        push @code, [1, 'TOO_BIG'] if $view->{check} && grep { !$view->{check}[1]->($_) } @rows;
        for my $index (grep { $_->{unique} } @{ $view->{indexes} }) {
            my %seen;
            for my $row (@rows) {
                my $key = key_text(map { $row->{$_} } @{ $index->{fields} });
                push @code, [2, 'NOT_UNIQUE'] if defined $key && $seen{$key}++;
            }
        }
    }
    return @code ? (sort { $a->[0] <=> $b->[0] } @code)[0][1] : undef;
}

# The event's code, or undef and the state after it.
sub decide {
    my ($state, $call) = @_;
    my $next = dclone($state);
    my $event = { start => $state, stamped => {} };
    my $mutation = $call->{mutation};
    my ($thing, $verb, $data, $code) = ('Bulk', $call->{verb}, $call->{data});
    if ($mutation) {
        my $view = $mutation->{view};
        my @parts = map { $data->{$_} } @{ $view->{key} };
        $code = missing($next, $view, $mutation->{effect}, \@parts);
        return $code if $code;
        $code = effect($next, $view, $mutation->{effect}, \@parts,
            { %$event, by => $data, from => $data, sets => $mutation->{set} ? [$mutation->{set}] : [] });
        return $code if $code;
        ($thing, $verb) = ($view->{name}, $mutation->{verb});
        # A spread object is one member: what is in it is no data.X.
        $data = { map { $_ => $data->{$_} } @{ $view->{key} } } if $mutation->{spread} && !$call->{line};
    }
    $code = project($next, $thing, $verb, $data, $event);
    $code //= verdict($next);
    return ($code, $next);
}

# --- calls

sub random_data {
    my ($mutation) = @_;
    my %data;
    for my $column (@{ $mutation->{view}{columns} }) {
        my ($name, $type) = @$column{qw(name type)};
        if ($column->{kind} eq 'key') {
            $data{$name} = some($type);
        } elsif ($column->{kind} eq 'plain' && $mutation->{effect} ne 'DELETE') {
            next if chance($mutation->{effect} eq 'PATCH' ? 0.5 : 0.2);
            $data{$name} = chance(0.15) && !$column->{required} ? undef : some($type);
        }
    }
    return \%data;
}

sub random_call {
    my ($i) = @_;
    if (chance(0.2)) {
        my $verb = any('done', 'told');
        my @items = map {
            +{ map { chance(0.8) ? ($BULK{$_} => some($_)) : () } keys %BULK }
        } 1 .. int rand 4;
        my $variable = [map { my $item = $_; +{ map { $BULK{$_} => to_json($_, $item->{ $BULK{$_} }) }
            grep { exists $item->{ $BULK{$_} } } keys %BULK } } @items];
        return { verb => $verb, data => { items => \@items }, declared => ["\$v$i: [Item!]"],
            variables => { "v$i" => $variable }, text => "m$i: $verb(items: \$v$i) { position }" };
    }
    my $mutation = $mutations{ any(sort keys %mutations) };
    my $view = $mutation->{view};
    my $data = random_data($mutation);
    my %call = (mutation => $mutation, data => $data);
    my (@args, @inside);
    for my $name (sort keys %$data) {
        my $column = column($view, $name);
        my $variable = "v${i}_$name";
        my $bang = $column->{kind} eq 'key' ? '!' : '';
        push @{ $call{declared} }, "\$$variable: $column->{type}$bang";
        $call{variables}{$variable} = to_json($column->{type}, $data->{$name});
        push @{ $mutation->{spread} && !$bang ? \@inside : \@args }, "$name: \$$variable";
    }
    push @args, 'in: {' . join(', ', @inside) . '}' if @inside;
    $call{text} = "m$i: $mutation->{name}(" . join(', ', @args) . ') { ' . fields($view) . ' }';
    return \%call;
}

sub fields { return join ' ', map { $_->{name} } @{ $_[0]{columns} } }

sub row_text {
    my ($view, $row, $from) = @_;
    return 'null' if !$row;
    return join ' ', map {
        my $value = $row->{ $_->{name} };
        "$_->{name}=" . text($_->{type}, $from ? from_json($_->{type}, $value) : $value)
    } @{ $view->{columns} };
}

# --- one history

my $t;

sub sorted {
    my ($view, $fields, @rows) = @_;
    return sort {
        my ($x, $y) = ($a, $b);
        my $order = 0;
        for my $name (@$fields) {
            $order ||= compare(column($view, $name)->{type}, $x->{$name}, $y->{$name});
        }
        $order;
    } @rows;
}

# The first of key and indexes that begins with the field.
sub serving {
    my ($view, $name) = @_;
    my ($fields) = grep { $_->[0] eq $name } $view->{key}, map { $_->{fields} } @{ $view->{indexes} };
    return [@$fields, @{ $view->{key} }];
}

# The union's rows by key, then in the order of its members; one by its key.
sub compare_union {
    my ($state) = @_;
    my @members = union_members();
    my $key = $views[0]{key};
    my @rows = sorted($views[0], $key, map {
        my $view = $_;
        map { +{ %$_, view => $view } } values %{ $state->{ $view->{name} } || {} }
    } @members);
    my $fields = join ' ', '__typename', map {
        my $name = $_->{name};
        "... on $name { " . join(' ', map { "$name$_->{name}: $_->{name}" } @{ $_->{columns} }) . ' }'
    } @members;
    my $text = sub {
        my ($row) = @_;
        my $name = $row->{__typename};
        return "$name " . row_text($view{$name}, { map { $_->{name} => $row->{"$name$_->{name}"} } @{ $view{$name}{columns} } }, 1);
    };
    my $r = $t->graphql("{ x: allSome(first: 1000) { $fields } }");
    my $got = join "\n", map { $text->($_) } @{ $r->{json}{data}{x} || [] };
    my $expected = join "\n", map { "$_->{view}{name} " . row_text($_->{view}, $_) } @rows;
    if (@rows) {
        my $one = any(@rows);
        my $declared = join ', ', map { "\$$_: " . column($views[0], $_)->{type} . '!' } @$key;
        my $args = join ', ', map { "$_: \$$_" } @$key;
        $r = $t->graphql("query($declared) { x: oneSome($args) { $fields } }",
            { map { $_ => to_json(column($views[0], $_)->{type}, $one->{$_}) } @$key });
        my ($first) = grep { key_text(@$_{@$key}) eq key_text(@$one{@$key}) } @rows;
        $got .= "\none " . ($r->{json}{data}{x} ? $text->($r->{json}{data}{x}) : $r->{body});
        $expected .= "\none $first->{view}{name} " . row_text($first->{view}, $first);
    }
    diag "the union\n got\n$got\n expected\n$expected\n$r->{body}" if $got ne $expected;
    return $got eq $expected;
}

sub compare_all {
    my ($state, $when) = @_;
    return 0 if !compare_union($state);
    for my $view (@views) {
        my @rows = values %{ $state->{ $view->{name} } || {} };
        my @lists = (["all$view->{name}(first: 1000)", {}, $view->{key}, \@rows]);
        for my $i (0 .. $#{ $view->{indexes} }) {
            my $fields = $view->{indexes}[$i]{fields};
            my $column = column($view, $fields->[0]);
            my $value = @rows && chance(0.7) ? any(@rows)->{ $column->{name} } : some($column->{type});
            next if !defined $value;
            my @same = grep { !compare($column->{type}, $_->{ $column->{name} }, $value) } @rows;
            push @lists, ["by$i$view->{name}($column->{name}: \$v, first: 1000)",
                { declared => "(\$v: $column->{type}!)", variables => { v => to_json($column->{type}, $value) } },
                serving($view, $fields->[0]), \@same];
        }
        for my $list (@lists) {
            my ($text, $more, $order, $want) = @$list;
            my $r = $t->graphql('query' . ($more->{declared} // '') . " { x: $text { " . fields($view) . ' } }',
                $more->{variables});
            my $got = join "\n", map { row_text($view, $_, 1) } @{ $r->{json}{data}{x} || [] };
            my $expected = join "\n", map { row_text($view, $_) } sorted($view, $order, @$want);
            next if $got eq $expected && !$r->{json}{errors};
            diag "$when: $text\n got\n$got\n expected\n$expected\n$r->{body}";
            return 0;
        }
    }
    return 1;
}

sub request {
    my ($state, $count) = @_;
    my @calls = map { random_call($_) } 1 .. $count;
    my @declared = map { @{ $_->{declared} || [] } } @calls;
    my %variables = map { %{ $_->{variables} || {} } } @calls;
    my $text = 'mutation' . (@declared ? '(' . join(', ', @declared) . ')' : '') . ' { '
        . join(' ', map { $_->{text} } @calls) . ' }';
    my $r = $t->graphql($text, \%variables);
    my %code = map { ($_->{path} || [''])->[0] => $_->{extensions}{code} } @{ $r->{json}{errors} || [] };
    for my $i (1 .. $count) {
        my $call = $calls[$i - 1];
        my $view = $call->{mutation} && $call->{mutation}{view};
        my ($code, $next) = decide($state, $call);
        my $got = $code{"m$i"} // 'done';
        my $wanted = $code // 'done';
        if ($view && !$code) {
            my $key = key_text(map { $call->{data}{$_} } @{ $view->{key} });
            my $from = $call->{mutation}{effect} eq 'DELETE' ? $state : $next;
            $got .= ' ' . row_text($view, $r->{json}{data}{"m$i"}, 1);
            $wanted .= ' ' . row_text($view, $from->{ $view->{name} }{$key});
        }
        if ($got ne $wanted) {
            diag "m$i of $text\n" . $JSON->encode(\%variables) . "\n got $got\n expected $wanted\n$r->{body}";
            return;
        }
        $state = $next if !$code;
    }
    return $state;
}

# Events of an import: their data goes before stamps.
sub import_lines {
    my ($state, $count) = @_;
    my (@lines, $refused, $text);
    for my $i (1 .. $count) {
        my $mutation = $mutations{ any(sort keys %mutations) };
        my $view = $mutation->{view};
        my $data = random_data($mutation);
        for my $column (grep { $_->{kind} eq 'stamp' && $mutation->{effect} ne 'DELETE' && chance(0.4) } @{ $view->{columns} }) {
            $data->{ $column->{name} } = int rand 5;
        }
        my %json = map { $_ => to_json(column($view, $_)->{type}, $data->{$_}) } keys %$data;
        my @key = map { $json{$_} } @{ $view->{key} };
        $text .= $JSON->encode({ thing => $view->{name}, verb => $mutation->{verb}, effect => $mutation->{effect},
            data => \%json, chance(0.5) ? (key => @key == 1 ? $key[0] : \@key) : () }) . "\n";
        my ($code, $next) = $refused ? 'after it' : decide($state, { mutation => $mutation, data => $data, line => 1 });
        $refused ||= $code && "$i: $code";
        $state = $next if !$code;
    }
    my $r = $t->kappa(['import', '-', '--store', $t->store], stdin => $text);
    return $state if $r->{status} == ($refused ? 1 : 0);
    diag "import of\n$text got $r->{status} $r->{err} expected " . ($refused || 'done');
    return;
}

sub history {
    my ($requests) = @_;
    make_schema();
    my $sdl = schema_text();
    $t = Kappa::Test->new(schema => $sdl, workers => 1);
    my $check = $t->kappa(['check', $t->dir . '/schema.graphql']);
    if ($check->{status}) {
        diag "$check->{out}$check->{err}\n$sdl";
        return 0;
    }
    $t->start;
    Kappa::Test::wait_until(sub { $t->graphql('{ __typename }')->{status} == 200 });
    my $state = {};
    derive($state);
    for my $n (1 .. $requests) {
        my $next = chance(0.9) ? request($state, 1 + int rand 4) : import_lines($state, 1 + int rand 4);
        if (!$next || $n % 8 == 0 && !compare_all($next, "after $n requests")) {
            diag $sdl;
            return 0;
        }
        $state = $next;
    }
    my $ok = compare_all($state, 'in the end');
    my $verify = $t->kappa(['verify', '--store', $t->store]);
    $ok &&= $verify->{status} == 0 or diag "verify: $verify->{out}$verify->{err}";
    my $rebuild = $t->kappa(['rebuild', '--store', $t->store]);
    $ok &&= $rebuild->{status} == 0 or diag "rebuild: $rebuild->{out}$rebuild->{err}";
    $ok &&= compare_all($state, 'rebuilt');
    diag $sdl if !$ok;
    $t->stop;
    return $ok;
}

for my $n (1 .. Kappa::Test::rounds(3, 200)) {
    srand $SEED + $n;
    ok(history(Kappa::Test::rounds(20, 60)), "history $n, of seed $SEED") or last;
    $t->no_alerts;
}
done_testing;
