#include "t/unit/views/read_fixture.h"

/* Views of several types: one row by its key, merged lists compared with
 * filtering and sorting everything, and put together from pages. */

/* What each type says besides; indexes in different orders, more of them in
 * one, rules that an index serves and that none serves. */
static const char schema[] =
    "interface Item @view { id: ID! a: Int s: String }\n"
    "union Thing @view = Photo | Video | Text\n"
    "type Photo implements Item @view @index(fields: [\"a\"])\n"
    "  @index(fields: [\"s\"]) @index(fields: [\"a\", \"s\"])\n"
    "  @index(fields: [\"s\", \"a\"]) @index(fields: [\"user\"]) {\n"
    "  id: ID! a: Int s: String width: Int user: ID\n"
    "  userInfo: User @belongsTo(by: \"user\") }\n"
    "type Video implements Item @view @index(fields: [\"s\", \"a\"])\n"
    "  @index(fields: [\"a\", \"s\"]) @index(fields: [\"s\"])\n"
    "  @index(fields: [\"a\"]) @index(fields: [\"user\"])\n"
    "  @allow(if: \"row.hide != true\") {\n"
    "  id: ID! s: String a: Int hide: Boolean user: ID }\n"
    "type Text implements Item @view @index(fields: [\"a\", \"width\"])\n"
    "  @index(fields: [\"a\"]) @index(fields: [\"s\"])\n"
    "  @index(fields: [\"owner\", \"a\"]) @index(fields: [\"owner\"])\n"
    "  @index(fields: [\"s\", \"a\"]) @index(fields: [\"a\", \"s\"])\n"
    "  @index(fields: [\"user\"])\n"
    "  @allow(if: \"row.owner == auth.sub\") {\n"
    "  id: ID! width: String a: Int s: String owner: ID user: ID }\n"
    "type Plain1 implements Two @view @index(fields: [\"n\"]) {\n"
    "  id: ID! n: Int }\n"
    "type Plain2 implements Two @view @index(fields: [\"n\"]) {\n"
    "  id: ID! n: Int }\n"
    "interface Two @view { id: ID! n: Int }\n"
    "type TwoEdge { node: Two cursor: String! }\n"
    "type Twos { edges: [TwoEdge!]! nodes: [Two!]! pageInfo: PageInfo!\n"
    "  totalCount: Int }\n"
    "type User @view { id: ID! favourite: ID\n"
    "  favouriteItem: Item @belongsTo(by: \"favourite\")\n"
    "  looked: String @computed(as: \"Item(row.favourite).s\")\n"
    "  there: Boolean @computed(as: \"Thing(row.id + 'x') != null\")\n"
    "  things(first: Int, after: String): [Thing!]! @hasMany(by: \"user\") }\n"
    "enum Order { A A_DESC S S_DESC ID ID_DESC }\n"
    "enum Range { S S_DESC }\n"
    "type Items { nodes: [Item!]! pageInfo: PageInfo! totalCount: Int }\n"
    "type Query {\n"
    "  item(id: ID!): Item\n"
    "  thing(id: ID!): Thing\n"
    "  two(id: ID!): Two\n"
    "  user(id: ID!): User\n"
    "  twos(n: Int, first: Int, after: String, last: Int,\n"
    "    before: String): Twos!\n"
    "  list(a: Int, s: String, orderBy: Order, first: Int, after: String,\n"
    "    last: Int, before: String): Items!\n"
    "  range(a: Int, s_gt: String, s_gte: String, s_lt: String,\n"
    "    s_lte: String, s_in: [String!], orderBy: Range, first: Int,\n"
    "    after: String, last: Int, before: String): Items! }\n";

static const char *const strings[] = { "", "a", "a\\u0001", "a\\u0001\\u0001",
    "ab", "b", "\xc3\xa4" };
static const char *const types[] = { "Photo", "Video", "Text" };

#define STRINGS ((int)COUNT(strings))
#define TYPES ((int)COUNT(types))
#define ROWS 150
#define ROUNDS 150
#define NONE (-9)

typedef struct {
    int type;
    char id[8];
    int a; /* -3: null */
    int s; /* -1: null */
    bool visible;
} row_t;

typedef struct {
    int a, s;
    int gte, lt;
    int in[3];
    int in_count; /* -1: not given */
    char order;   /* 'a', 's', 'i'; 0: none */
    bool descending;
    bool ranged;
} ask_t;

typedef struct {
    read_fixture_t f;
    row_t rows[ROWS];
    int count;
    uint64_t seed;
} world_t;

static int
rnd(world_t *w, int n)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((w->seed >> 33) % (uint64_t)n);
}

static bool
is_new(const world_t *w, const row_t *row)
{
    for (int i = 0; i < w->count; i++) {
        if (w->rows[i].type == row->type
            && strcmp(w->rows[i].id, row->id) == 0) {
            return false;
        }
    }
    return true;
}

/* Ids come again in other types; a third of the rows is hidden. */
static void
make_rows(world_t *w)
{
    while (w->count < ROWS) {
        row_t *row = &w->rows[w->count];
        char a[16] = "null", s[32] = "null", json[256];

        snprintf(row->id, sizeof(row->id), "%03d", rnd(w, ROWS));
        row->type = rnd(w, TYPES);
        row->a = rnd(w, 6) - 3;
        row->s = rnd(w, STRINGS + 1) - 1;
        row->visible = row->type == 0 || rnd(w, 2);
        if (!is_new(w, row)) {
            continue;
        }
        w->count++;
        if (row->a != -3) {
            snprintf(a, sizeof(a), "%d", row->a);
        }
        if (row->s >= 0) {
            snprintf(s, sizeof(s), "\"%s\"", strings[row->s]);
        }
        snprintf(json, sizeof(json),
            "{\"id\":\"%s\",\"a\":%s,\"s\":%s,\"hide\":%s,\"owner\":\"%s\","
            "\"user\":\"u\"}",
            row->id, a, s, row->visible ? "null" : "true",
            row->visible ? "me" : "you");
        put_row(&w->f, types[row->type], json);
    }
}

/* ---- the naive list ---- */

static bool
matches(const ask_t *q, const row_t *row)
{
    bool in = q->in_count < 0;

    for (int i = 0; i < q->in_count; i++) {
        in |= q->in[i] == row->s;
    }
    return row->visible && in && (q->a == NONE || q->a == row->a)
        && (q->s == NONE || q->s == row->s)
        && (q->gte == NONE || row->s >= q->gte)
        && (q->lt == NONE || (row->s >= 0 && row->s < q->lt));
}

static const ask_t *sorting;

static int
compare(const void *x, const void *y)
{
    const row_t *a = *(const row_t *const *)x;
    const row_t *b = *(const row_t *const *)y;
    int order = sorting->order == 'a' ? a->a - b->a
        : sorting->order == 's'       ? a->s - b->s
                                      : 0;

    order = order ? order : strcmp(a->id, b->id);
    order = order ? order : a->type - b->type;
    return sorting->descending ? -order : order;
}

static const char *
naive(world_t *w, const ask_t *q, int *count)
{
    const row_t *found[ROWS];
    kappa_str_t out = KAPPA_STR("");
    ask_t by = *q;

    if ((by.order == 'a' && q->a != NONE)
        || (by.order == 's' && q->s != NONE)) {
        by.order = 0;
        by.descending = false;
    }
    if (q->in_count >= 0 || q->gte != NONE || q->lt != NONE) {
        by.order = 's';
    }
    *count = 0;
    for (int i = 0; i < w->count; i++) {
        if (matches(q, &w->rows[i])) {
            found[(*count)++] = &w->rows[i];
        }
    }
    sorting = &by;
    qsort(found, (size_t)*count, sizeof(found[0]), compare);
    for (int i = 0; i < *count; i++) {
        out = kappa_str_printf(w->f.arena, "%.*s%s/%c ", KAPPA_STR_ARG(out),
            found[i]->id, types[found[i]->type][0]);
    }
    return out.data;
}

/* ---- the real one ---- */

static kappa_str_t
add_string(world_t *w, kappa_str_t to, const char *name, int s)
{
    return s == NONE ? to
                     : kappa_str_printf(w->f.arena, "%.*s %s:\"%s\"",
                         KAPPA_STR_ARG(to), name, strings[s]);
}

static const char *
arguments(world_t *w, const ask_t *q)
{
    kappa_str_t out = KAPPA_STR("");
    static const char orders[] = "asi";
    static const char *const names[] = { "A", "S", "ID" };

    if (q->a != NONE) {
        out = kappa_str_printf(w->f.arena, " a:%d", q->a);
    }
    out = add_string(w, out, "s", q->s);
    out = add_string(w, out, "s_gte", q->gte);
    out = add_string(w, out, "s_lt", q->lt);
    if (q->in_count >= 0) {
        out = kappa_str_printf(w->f.arena, "%.*s s_in:[", KAPPA_STR_ARG(out));
        for (int i = 0; i < q->in_count; i++) {
            out = kappa_str_printf(w->f.arena, "%.*s\"%s\" ",
                KAPPA_STR_ARG(out), strings[q->in[i]]);
        }
        out = kappa_str_printf(w->f.arena, "%.*s]", KAPPA_STR_ARG(out));
    }
    if (q->order) {
        out = kappa_str_printf(w->f.arena, "%.*s orderBy:%s%s",
            KAPPA_STR_ARG(out), names[strchr(orders, q->order) - orders],
            q->descending ? "_DESC" : "");
    }
    return out.data;
}

static const char *
page(world_t *w, const ask_t *q, const char *paging)
{
    kappa_str_t query = kappa_str_printf(w->f.arena,
        "{x:%s(%s %s){nodes{id __typename} totalCount pageInfo{hasNextPage "
        "hasPreviousPage startCursor endCursor}}}",
        q->ranged ? "range" : "list", arguments(w, q), paging);

    return ask(&w->f, query.data);
}

/* "012/P " of each row. */
static kappa_str_t
names(world_t *w, const char *answer)
{
    kappa_str_t out = KAPPA_STR("");

    for (const char *at = answer; (at = strstr(at, "\"id\":\"")); at += 6) {
        const char *type = strstr(at, "\"__typename\":\"");

        out = kappa_str_printf(
            w->f.arena, "%.*s%.3s/%c ", KAPPA_STR_ARG(out), at + 6, type[14]);
    }
    return out;
}

/* Puts the list together from its pages; those that a rule cut short go on
 * where looking stopped. */
static void
walk(world_t *w, const ask_t *q, const char *want, bool back)
{
    int size = 1 + rnd(w, 40);
    int pages = 0;
    kappa_str_t all = KAPPA_STR("");
    const char *paging =
        kappa_str_printf(w->f.arena, "%s:%d", back ? "last" : "first", size)
            .data;
    const char *more =
        back ? "\"hasPreviousPage\":true" : "\"hasNextPage\":true";

    for (;;) {
        const char *answer = page(w, q, paging);
        kappa_str_t some = names(w, answer);

        all = back ? kappa_str_printf(w->f.arena, "%.*s%.*s",
                  KAPPA_STR_ARG(some), KAPPA_STR_ARG(all))
                   : kappa_str_printf(w->f.arena, "%.*s%.*s",
                       KAPPA_STR_ARG(all), KAPPA_STR_ARG(some));
        if (!strstr(answer, more)) {
            break;
        }
        assert_in_range(++pages, 1, ROWS + 1);
        paging = kappa_str_printf(w->f.arena, "%s:%d %s:\"%s\"",
            back ? "last" : "first", size, back ? "before" : "after",
            pick(&w->f, answer, back ? "startCursor" : "endCursor"))
                     .data;
    }
    compare_lists(back ? "last" : "first", arguments(w, q), all, want);
}

static void
random_ask(world_t *w, ask_t *q)
{
    *q =
        (ask_t){ NONE, NONE, NONE, NONE, { 0 }, -1, 0, false, rnd(w, 2) == 0 };
    q->a = rnd(w, 3) ? NONE : rnd(w, 5) - 2;
    if (!q->ranged) {
        q->s = rnd(w, 3) ? NONE : rnd(w, STRINGS);
        q->order = "\0asi"[rnd(w, 4)];
    } else {
        q->gte = rnd(w, 3) ? NONE : rnd(w, STRINGS);
        q->lt = rnd(w, 3) ? NONE : rnd(w, STRINGS);
        q->in_count = rnd(w, 3) ? -1 : rnd(w, 4);
        for (int i = 0; i < q->in_count; i++) {
            q->in[i] = rnd(w, STRINGS);
        }
        q->order = rnd(w, 2) ? 's' : 0;
    }
    q->descending = q->order && rnd(w, 2);
}

static void
lists_are_what_sorting_all_types_gives(void **state)
{
    world_t *w = calloc(1, sizeof(*w));

    (void)state;
    w->seed = (uint64_t)getpid() * 2654435761u;
    print_message("seed %llu\n", (unsigned long long)w->seed);
    read_fixture_open(&w->f, schema);
    make_rows(w);
    read_fixture_commit(&w->f);
    w->f.caller.sub = KAPPA_STR("me");
    for (int i = 0; i < ROUNDS; i++) {
        ask_t q;
        int count;

        random_ask(w, &q);
        const char *want = naive(w, &q, &count);
        const char *answer = page(w, &q, "first:1000");
        compare_lists("all", arguments(w, &q), names(w, answer), want);
        assert_non_null(strstr(answer, "\"totalCount\":null"));
        walk(w, &q, want, false);
        walk(w, &q, want, true);
    }
    read_fixture_close(&w->f);
    free(w);
}

/* ---- examples ---- */

static int
set_up(void **state)
{
    read_fixture_t *f = malloc(sizeof(*f));
    char json[128];

    read_fixture_open(f, schema);
    put_row(f, "Photo", "{\"id\":\"p\",\"a\":1,\"width\":80,\"user\":\"u\"}");
    put_row(f, "Photo", "{\"id\":\"both\",\"a\":2,\"user\":\"x\"}");
    put_row(f, "Video", "{\"id\":\"both\",\"s\":\"v\",\"user\":\"u\"}");
    put_row(f, "Video", "{\"id\":\"v\",\"hide\":true,\"user\":\"u\"}");
    put_row(f, "Text", "{\"id\":\"v\",\"width\":\"wide\",\"owner\":\"me\"}");
    put_row(f, "User", "{\"id\":\"u\",\"favourite\":\"both\"}");
    put_row(f, "User", "{\"id\":\"x\",\"favourite\":\"v\"}");
    put_row(f, "User", "{\"id\":\"y\",\"favourite\":\"t\"}");
    put_row(f, "User", "{\"id\":\"z\",\"favourite\":\"none\"}");
    put_row(f, "Text", "{\"id\":\"t\",\"s\":\"found\"}");
    put_row(f, "Video", "{\"id\":\"zx\",\"hide\":true}");
    for (int i = 0; i < 6; i++) {
        snprintf(json, sizeof(json), "{\"id\":\"%d\",\"n\":%d}", i, i % 2);
        put_row(f, i < 4 ? "Plain1" : "Plain2", json);
        if (i < 2) {
            put_row(f, "Plain2", json);
        }
    }
    read_fixture_commit(f);
    f->caller.sub = KAPPA_STR("me");
    *state = f;
    return 0;
}

static void
answers_by_type(void **state)
{
    static const struct {
        const char *query, *data;
    } cases[] = {
        { "{item(id:\"p\"){__typename id ...on Photo{width} ...on Video{s}}}",
            "{\"item\":{\"__typename\":\"Photo\",\"id\":\"p\",\"width\":80}"
            "}" },
        { "{item(id:\"none\"){id}}", "{\"item\":null}" },
        /* The first view in the order of the text. */
        { "{item(id:\"both\"){__typename a s}}",
            "{\"item\":{\"__typename\":\"Photo\",\"a\":2,\"s\":null}}" },
        /* Whose row the caller may not see is passed by. */
        { "{thing(id:\"v\"){__typename ...on Item{id} ...on Text{w:width}}}",
            "{\"thing\":{\"__typename\":\"Text\",\"id\":\"v\",\"w\":\"wide\"}"
            "}" },
        { "{user(id:\"u\"){favouriteItem{__typename ...on Photo{a}}}}",
            "{\"user\":{\"favouriteItem\":{\"__typename\":\"Photo\",\"a\":2}}"
            "}" },
        /* Fields stand elsewhere in each of the views. */
        { "{user(id:\"y\"){looked there}}",
            "{\"user\":{\"looked\":\"found\",\"there\":false}}" },
        { "{user(id:\"z\"){looked there}}",
            "{\"user\":{\"looked\":null,\"there\":true}}" },
        { "{user(id:\"u\"){things{__typename ...on Item{id}}}}",
            "{\"user\":{\"things\":[{\"__typename\":\"Video\",\"id\":\"both\"}"
            ","
            "{\"__typename\":\"Photo\",\"id\":\"p\"}]}}" },
        { "{user(id:\"u\"){things(first:1){...on Video{s}...on Photo{a}}}}",
            "{\"user\":{\"things\":[{\"s\":\"v\"}]}}" },
        { "{twos{totalCount nodes{id __typename}}}",
            "{\"twos\":{\"totalCount\":8,\"nodes\":["
            "{\"id\":\"0\",\"__typename\":\"Plain1\"},"
            "{\"id\":\"0\",\"__typename\":\"Plain2\"},"
            "{\"id\":\"1\",\"__typename\":\"Plain1\"},"
            "{\"id\":\"1\",\"__typename\":\"Plain2\"},"
            "{\"id\":\"2\",\"__typename\":\"Plain1\"},"
            "{\"id\":\"3\",\"__typename\":\"Plain1\"},"
            "{\"id\":\"4\",\"__typename\":\"Plain2\"},"
            "{\"id\":\"5\",\"__typename\":\"Plain2\"}]}}" },
        { "{twos(n:1 last:2){totalCount nodes{id} pageInfo{hasNextPage "
          "hasPreviousPage}}}",
            "{\"twos\":{\"totalCount\":4,\"nodes\":[{\"id\":\"3\"},"
            "{\"id\":\"5\"}],\"pageInfo\":{\"hasNextPage\":false,"
            "\"hasPreviousPage\":true}}}" },
        { "{twos(first:0){nodes{id} pageInfo{hasNextPage endCursor}}}",
            "{\"twos\":{\"nodes\":[],\"pageInfo\":{\"hasNextPage\":true,"
            "\"endCursor\":null}}}" },
        { "{__type(name:\"Thing\"){kind possibleTypes{name}}}",
            "{\"__type\":{\"kind\":\"UNION\",\"possibleTypes\":["
            "{\"name\":\"Photo\"},{\"name\":\"Video\"},{\"name\":\"Text\"}]}"
            "}" },
        { "{__type(name:\"Item\"){kind possibleTypes{name}}}",
            "{\"__type\":{\"kind\":\"INTERFACE\",\"possibleTypes\":["
            "{\"name\":\"Photo\"},{\"name\":\"Video\"},{\"name\":\"Text\"}]}"
            "}" },
    };
    read_fixture_t *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t want =
            kappa_str_printf(f->arena, "{\"data\":%s}", cases[i].data);
        const char *got = ask(f, cases[i].query);

        if (strcmp(got, want.data) != 0) {
            fail_msg("%s\n%s, not\n%s", cases[i].query, got, want.data);
        }
    }
}

static const char *
ask_after(read_fixture_t *f, const char *cursor)
{
    return ask(f,
        kappa_str_printf(f->arena,
            "{twos(after:\"%s\" first:1){nodes{id __typename}}}", cursor)
            .data);
}

/* A row of the same key in another type is another place. */
static void
tells_equal_rows_apart(void **state)
{
    read_fixture_t *f = *state;
    const char *first = ask(f, "{twos(first:1){edges{cursor}}}");
    const char *second = ask_after(f, pick(f, first, "cursor"));

    assert_string_equal(second,
        "{\"data\":{\"twos\":{\"nodes\":[{\"id\":\"0\","
        "\"__typename\":\"Plain2\"}]}}}");
    const char *both = ask(f, "{twos(first:2){pageInfo{endCursor}}}");
    assert_string_equal(ask_after(f, pick(f, both, "endCursor")),
        "{\"data\":{\"twos\":{\"nodes\":[{\"id\":\"1\","
        "\"__typename\":\"Plain1\"}]}}}");
}

static void
takes_only_its_own_cursors(void **state)
{
    read_fixture_t *f = *state;
    const char *cursor =
        pick(f, ask(f, "{twos(first:1){edges{cursor}}}"), "cursor");
    const char *other =
        pick(f, ask(f, "{list(first:1){pageInfo{endCursor}}}"), "endCursor");
    size_t len = strlen(cursor);

    assert_non_null(strstr(ask_after(f, ""), "no cursor of this list"));
    assert_non_null(strstr(ask_after(f, other), "no cursor of this list"));
    for (size_t i = 0; i < len; i++) {
        char *bad = kappa_arena_bytes(f->arena, len + 1);

        memcpy(bad, cursor, len + 1);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_non_null(strstr(ask_after(f, bad), "no cursor of this list"));
    }
}

static void
notes_every_view(void **state)
{
    static const struct {
        const char *query, *type, *row;
        bool hit;
    } cases[] = {
        /* The page ends at 1 of Plain1, and 1 of Plain2 is seen behind it. */
        { "{twos(first:3){nodes{id}}}", "Plain1", "{\"id\":\"00\"}", true },
        { "{twos(first:3){nodes{id}}}", "Plain2", "{\"id\":\"00\"}", true },
        { "{twos(first:3){nodes{id}}}", "Plain2", "{\"id\":\"1\"}", true },
        { "{twos(first:3){nodes{id}}}", "Plain1", "{\"id\":\"11\"}", false },
        { "{twos(first:3){nodes{id}}}", "Plain2", "{\"id\":\"9\"}", false },
        { "{twos(last:1){nodes{id}}}", "Plain1", "{\"id\":\"9\"}", true },
        { "{twos(last:1){nodes{id}}}", "Plain1", "{\"id\":\"3\"}", false },
        { "{twos(n:1){nodes{id}}}", "Plain2", "{\"id\":\"9\",\"n\":1}", true },
        { "{twos(n:1){nodes{id}}}", "Plain2", "{\"id\":\"9\",\"n\":0}",
            false },
        /* A row that would be found first; not one that would be second. */
        { "{two(id:\"4\"){id}}", "Plain1", "{\"id\":\"4\"}", true },
        { "{two(id:\"2\"){id}}", "Plain2", "{\"id\":\"2\"}", false },
    };
    read_fixture_t *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_dependencies_t deps = { .arena = f->arena };

        f->deps = &deps;
        ask(f, cases[i].query);
        f->deps = NULL;
        if (row_hits(f, &deps, cases[i].type, cases[i].row) != cases[i].hit) {
            fail_msg("%s: %s %s", cases[i].query, cases[i].type, cases[i].row);
        }
    }
}

static void
survives_without_memory(void **state)
{
    read_fixture_t *f = *state;
    const char *cursor =
        pick(f, ask(f, "{twos(first:1){edges{cursor}}}"), "cursor");
    kappa_str_t query = kappa_str_printf(f->arena,
        "{twos(last:2 after:\"%s\"){totalCount edges{cursor node{id}}"
        "pageInfo{endCursor}} item(id:\"v\"){id}}",
        cursor);

    ask_starved(f, query.data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_what_sorting_all_types_gives),
        cmocka_unit_test_setup_teardown(
            answers_by_type, set_up, read_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            tells_equal_rows_apart, set_up, read_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            takes_only_its_own_cursors, set_up, read_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            notes_every_view, set_up, read_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            survives_without_memory, set_up, read_fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
