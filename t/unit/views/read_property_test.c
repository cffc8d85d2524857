#include "t/unit/views/read_fixture.h"

#include "base/json.h"
#include "t/unit/torture.h"

/* Random lists, compared with filtering and sorting everything; and the same
 * lists put together from pages, forth and back. */

#define ROWS 120
#define ROUNDS (int)kappa_test_rounds(250, 25000)

static const char schema[] =
    "type T @view @index(fields: [\"a\"]) @index(fields: [\"s\"])\n"
    "  @index(fields: [\"a\", \"s\"]) @index(fields: [\"s\", \"a\"]) {\n"
    "  id: ID! a: Int s: String }\n"
    "enum Order { A A_DESC S S_DESC ID ID_DESC }\n"
    "enum Range { S S_DESC }\n"
    "type Ts { nodes: [T!]! pageInfo: PageInfo! totalCount: Int }\n"
    "type Query {\n"
    "  list(a: Int, s: String, orderBy: Order, first: Int, after: String,\n"
    "    last: Int, before: String): Ts!\n"
    "  range(a: Int, s_gt: String, s_gte: String, s_lt: String,\n"
    "    s_lte: String, s_in: [String!], orderBy: Range, first: Int,\n"
    "    after: String, last: Int, before: String): Ts! }\n";

/* Strings that are prefixes of each other, hold what keys escape, sort by
 * bytes, and are too long for an entry: asked for, never stored. */
#define LONG_BYTES 600
static char long_ab[LONG_BYTES + 1] = "ab";
static char long_last[LONG_BYTES + 1] = "\xf0\x9f\x98\x80";
static const char *const strings[] = { "", "a", "a\x01", "a\x01\x01", "ab",
    long_ab, "b", "\xc3\xa4", "\xf0\x9f\x98\x80", long_last };

#define STRINGS ((int)COUNT(strings))

typedef struct {
    char id[16];
    int a; /* -3: null */
    int s; /* -1: null */
} row_t;

/* What a list is asked for; -9: not given. */
typedef struct {
    int a, s;
    int gt, gte, lt, lte;
    int in[3];
    int in_count; /* -1: not given */
    char order;   /* 'a', 's', 'i'; 0: none */
    bool descending;
    bool ranged; /* the field `range` */
} ask_t;

#define NONE (-9)

typedef struct {
    read_fixture_t f;
    row_t rows[ROWS];
    uint64_t seed;
} world_t;

static int
rnd(world_t *w, int n)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((w->seed >> 33) % (uint64_t)n);
}

static const char *
quoted(world_t *w, int s)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_string(&buf, kappa_str_c(strings[s]));
    const char *text = kappa_str_dup(w->f.arena, kappa_buf_view(&buf)).data;
    kappa_buf_release(&buf);
    return text;
}

static void
make_rows(world_t *w)
{
    for (int i = 0; i < ROWS; i++) {
        row_t *row = &w->rows[i];
        char a[16] = "null", json[128];

        snprintf(row->id, sizeof(row->id), "%03d", i);
        row->a = rnd(w, 6) - 3;
        row->s = rnd(w, STRINGS + 1) - 1;
        if (row->s >= 0 && strlen(strings[row->s]) == LONG_BYTES) {
            row->s = -1;
        }
        if (row->a != -3) {
            snprintf(a, sizeof(a), "%d", row->a);
        }
        snprintf(json, sizeof(json), "{\"id\":\"%s\",\"a\":%s,\"s\":%s}",
            row->id, a, row->s < 0 ? "null" : quoted(w, row->s));
        put_row(&w->f, "T", json);
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
    return in && (q->a == NONE || q->a == row->a)
        && (q->s == NONE || q->s == row->s)
        && (q->gt == NONE || row->s > q->gt)
        && (q->gte == NONE || row->s >= q->gte)
        && (q->lt == NONE || (row->s >= 0 && row->s < q->lt))
        && (q->lte == NONE || (row->s >= 0 && row->s <= q->lte));
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
    return sorting->descending ? -order : order;
}

static const char *
naive(world_t *w, const ask_t *q, int *count)
{
    const row_t *found[ROWS];
    kappa_str_t out = KAPPA_STR("");
    ask_t by = *q;
    bool ranged = q->in_count >= 0 || q->gt != NONE || q->gte != NONE
        || q->lt != NONE || q->lte != NONE;

    /* What is fixed gives no order; a range gives its own. */
    if ((by.order == 'a' && q->a != NONE)
        || (by.order == 's' && q->s != NONE)) {
        by.order = 0;
        by.descending = false;
    }
    by.order = ranged ? 's' : by.order;
    *count = 0;
    for (int i = 0; i < ROWS; i++) {
        if (matches(q, &w->rows[i])) {
            found[(*count)++] = &w->rows[i];
        }
    }
    sorting = &by;
    qsort(found, (size_t)*count, sizeof(found[0]), compare);
    for (int i = 0; i < *count; i++) {
        out = kappa_str_printf(
            w->f.arena, "%.*s%s ", KAPPA_STR_ARG(out), found[i]->id);
    }
    return out.data;
}

/* ---- the real one ---- */

static kappa_str_t
add_string(world_t *w, kappa_str_t to, const char *name, int s)
{
    return s == NONE ? to
                     : kappa_str_printf(w->f.arena, "%.*s %s:%s",
                         KAPPA_STR_ARG(to), name, quoted(w, s));
}

static const char *
arguments(world_t *w, const ask_t *q)
{
    kappa_str_t out = KAPPA_STR("");
    static const char *const orders[] = { "A", "S", "ID" };

    if (q->a != NONE) {
        out = kappa_str_printf(w->f.arena, " a:%d", q->a);
    }
    out = add_string(w, out, "s", q->s);
    out = add_string(w, out, "s_gt", q->gt);
    out = add_string(w, out, "s_gte", q->gte);
    out = add_string(w, out, "s_lt", q->lt);
    out = add_string(w, out, "s_lte", q->lte);
    for (int i = 0; i < q->in_count; i++) {
        out = kappa_str_printf(w->f.arena, "%.*s%s%s", KAPPA_STR_ARG(out),
            i ? "," : " s_in:[", quoted(w, q->in[i]));
    }
    if (q->in_count == 0) {
        out = kappa_str_printf(w->f.arena, "%.*s s_in:[", KAPPA_STR_ARG(out));
    }
    if (q->order) {
        out = kappa_str_printf(w->f.arena, "%.*s%s orderBy:%s%s",
            KAPPA_STR_ARG(out), q->in_count >= 0 ? "]" : "",
            orders[q->order == 'a'    ? 0
                    : q->order == 's' ? 1
                                      : 2],
            q->descending ? "_DESC" : "");
    } else if (q->in_count >= 0) {
        out = kappa_str_printf(w->f.arena, "%.*s]", KAPPA_STR_ARG(out));
    }
    return out.data;
}

static const char *
page(world_t *w, const ask_t *q, const char *paging)
{
    kappa_str_t query = kappa_str_printf(w->f.arena,
        "{x:%s(%s %s){nodes{id} totalCount pageInfo{hasNextPage "
        "hasPreviousPage startCursor endCursor}}}",
        q->ranged ? "range" : "list", arguments(w, q), paging);

    return ask(&w->f, query.data);
}

static kappa_str_t
ids(world_t *w, const char *answer)
{
    kappa_str_t out = KAPPA_STR("");

    for (const char *at = answer; (at = strstr(at, "\"id\":\"")); at += 6) {
        out = kappa_str_printf(
            w->f.arena, "%.*s%.3s ", KAPPA_STR_ARG(out), at + 6);
    }
    return out;
}

/* Puts the list together from its pages. */
static void
walk(world_t *w, const ask_t *q, const char *want, int count, bool back)
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
        kappa_str_t some = ids(w, answer);

        all = back ? kappa_str_printf(w->f.arena, "%.*s%.*s",
                  KAPPA_STR_ARG(some), KAPPA_STR_ARG(all))
                   : kappa_str_printf(w->f.arena, "%.*s%.*s",
                       KAPPA_STR_ARG(all), KAPPA_STR_ARG(some));
        if (!strstr(answer, more)) {
            break;
        }
        assert_in_range(++pages, 1, count / size + 1);
        paging = kappa_str_printf(w->f.arena, "%s:%d %s:\"%s\"",
            back ? "last" : "first", size, back ? "before" : "after",
            pick(&w->f, answer, back ? "startCursor" : "endCursor"))
                     .data;
    }
    assert_int_equal(pages, count ? (count - 1) / size : 0);
    compare_lists(back ? "last" : "first", arguments(w, q), all, want);
}

static void
random_ask(world_t *w, ask_t *q)
{
    *q = (ask_t){ NONE, NONE, NONE, NONE, NONE, NONE, { 0 }, -1, 0, false,
        rnd(w, 2) == 0 };
    q->a = rnd(w, 3) ? NONE : rnd(w, 5) - 2;
    if (!q->ranged) {
        q->s = rnd(w, 3) ? NONE : rnd(w, STRINGS);
        q->order = "\0asi"[rnd(w, 4)];
    } else {
        q->gt = rnd(w, 5) ? NONE : rnd(w, STRINGS);
        q->gte = rnd(w, 5) ? NONE : rnd(w, STRINGS);
        q->lt = rnd(w, 5) ? NONE : rnd(w, STRINGS);
        q->lte = rnd(w, 5) ? NONE : rnd(w, STRINGS);
        q->in_count = rnd(w, 3) ? -1 : rnd(w, 4);
        for (int i = 0; i < q->in_count; i++) {
            q->in[i] = rnd(w, STRINGS);
        }
        q->order = rnd(w, 2) ? 's' : 0;
    }
    q->descending = q->order && rnd(w, 2);
}

static void
one_round(world_t *w)
{
    ask_t q;
    int count;
    char total[32];

    random_ask(w, &q);
    const char *want = naive(w, &q, &count);
    const char *answer = page(w, &q, "first:200");
    compare_lists("all", arguments(w, &q), ids(w, answer), want);
    snprintf(total, sizeof(total), "\"totalCount\":%d,", count);
    if (q.in_count < 0 && q.gt == NONE && q.gte == NONE && q.lt == NONE
        && q.lte == NONE) {
        assert_non_null(strstr(answer, total));
    } else {
        assert_non_null(strstr(answer, "\"totalCount\":null"));
    }
    walk(w, &q, want, count, false);
    walk(w, &q, want, count, true);
}

static void
lists_are_what_sorting_gives(void **state)
{
    world_t *w = calloc(1, sizeof(*w));

    (void)state;
    w->seed = kappa_test_seed();
    memset(long_ab + 2, '\x01', LONG_BYTES - 2);
    memset(long_last + 4, 'z', LONG_BYTES - 4);
    read_fixture_open(&w->f, schema);
    make_rows(w);
    read_fixture_commit(&w->f);
    for (int i = 0; i < ROUNDS; i++) {
        one_round(w);
    }
    read_fixture_close(&w->f);
    free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_what_sorting_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
