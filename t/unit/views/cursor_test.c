#include "t/unit/views/read_fixture.h"

#include "base/base64url.h"

/* Cursors: they tell nothing, stay as they are, and are good for their list
 * alone. */

static const char schema[] =
    "type Note @view @index(fields: [\"topic\", \"title\"])"
    " @index(fields: [\"topic\", \"rank\"])"
    " @allow(if: \"row.owner == null || row.owner == auth.sub\") {\n"
    "  id: ID!  topic: ID!  title: String!  rank: Int  owner: ID }\n"
    "type Topic @view { id: ID!"
    "  notes(first: Int, after: String): Notes! @hasMany(by: \"topic\") }\n"
    "enum Order { TITLE TITLE_DESC RANK }\n"
    "type Query {\n"
    "  notes(topic: ID!, first: Int, after: String, last: Int,"
    "    before: String, orderBy: Order = TITLE): Notes!\n"
    "  others(topic: ID!, first: Int, after: String): Notes!\n"
    "  topic(id: ID!): Topic }\n"
    "type Notes { edges: [Edge!]! pageInfo: PageInfo! }\n"
    "type Edge { node: Note! cursor: String! }\n";

static void
open_notes(read_fixture_t *f, int count)
{
    char json[200];

    read_fixture_open(f, schema);
    put_row(f, "Topic", "{\"id\":\"t\"}");
    put_row(f, "Topic", "{\"id\":\"u\"}");
    for (int i = 0; i < count; i++) {
        snprintf(json, sizeof(json),
            "{\"id\":\"n%d\",\"topic\":\"t\",\"title\":\"secret plan %02d\","
            "\"rank\":%d,\"owner\":%s}",
            i, i, 100 - i, i % 3 == 2 ? "\"ann\"" : "null");
        put_row(f, "Note", json);
        snprintf(json, sizeof(json),
            "{\"id\":\"m%d\",\"topic\":\"u\",\"title\":\"secret plan %02d\","
            "\"rank\":%d,\"owner\":null}",
            i, i, 100 - i);
        put_row(f, "Note", json);
    }
}

static const char *
ask_after(read_fixture_t *f, const char *format, const char *cursor)
{
    char query[4096];

    snprintf(query, sizeof(query), format, cursor);
    return ask(f, query);
}

#define FIRST "{notes(topic:\"t\",first:1){edges{cursor}}}"
#define NEXT                                                                  \
    "{notes(topic:\"t\",first:1,after:\"%s\"){edges{node{id} cursor}}}"

static void
assert_refused(const char *answer, const char *what)
{
    if (!strstr(answer, "BAD_USER_INPUT") || strstr(answer, "\"id\"")) {
        fail_msg("%s: %s", what, answer);
    }
}

static void
stay_as_they_are(void **state)
{
    read_fixture_t f;

    (void)state;
    open_notes(&f, 6);
    read_fixture_commit(&f);
    const char *cursor = pick(&f, ask(&f, FIRST), "cursor");
    assert_string_equal(cursor, pick(&f, ask(&f, FIRST), "cursor"));
    const char *next = ask_after(&f, NEXT, cursor);
    assert_non_null(strstr(next, "\"id\":\"n1\""));
    assert_string_not_equal(cursor, pick(&f, next, "cursor"));
    read_fixture_close(&f);
}

/* Rows before, behind and at its place come: it goes on where it stood. */
static void
hold_under_inserts(void **state)
{
    read_fixture_t f;
    kappa_errors_t errors;

    (void)state;
    open_notes(&f, 6);
    read_fixture_commit(&f);
    const char *cursor = pick(&f, ask(&f, FIRST), "cursor");
    kappa_txn_end(f.txn);
    kappa_errors_init(&errors, f.arena, 0);
    assert_int_equal(kappa_env_write(f.env, &f.txn, &errors), KAPPA_OK);
    put_row(&f, "Note",
        "{\"id\":\"a\",\"topic\":\"t\",\"title\":\"a\",\"rank\":1,"
        "\"owner\":null}");
    put_row(&f, "Note",
        "{\"id\":\"n00\",\"topic\":\"t\",\"title\":\"secret plan 00\","
        "\"rank\":1,\"owner\":null}");
    read_fixture_commit(&f);
    assert_string_equal(
        ask_after(&f,
            "{notes(topic:\"t\",first:2,after:\"%s\"){edges{node{id}}}}",
            cursor),
        "{\"data\":{\"notes\":{\"edges\":[{\"node\":{\"id\":\"n00\"}},"
        "{\"node\":{\"id\":\"n1\"}}]}}}");
    assert_string_equal(
        ask_after(&f,
            "{notes(topic:\"t\",last:2,before:\"%s\"){edges{node{id}}}}",
            cursor),
        "{\"data\":{\"notes\":{\"edges\":[{\"node\":{\"id\":\"a\"}}]}}}");
    read_fixture_close(&f);
}

static bool
holds(kappa_str_t bytes, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= bytes.len; i++) {
        if (memcmp(bytes.data + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* The last cursor of a page that a row rule cut stands on a hidden row. */
static void
tell_nothing_of_hidden_rows(void **state)
{
    read_fixture_t f;
    char json[200];
    uint8_t bytes[1024];

    (void)state;
    open_notes(&f, 1);
    for (int i = 0; i < 30; i++) {
        snprintf(json, sizeof(json),
            "{\"id\":\"hidden%d\",\"topic\":\"t\",\"title\":\"to the bank "
            "%d\",\"rank\":1,\"owner\":\"ann\"}",
            i, i);
        put_row(&f, "Note", json);
    }
    put_row(&f, "Note",
        "{\"id\":\"z\",\"topic\":\"t\",\"title\":\"zzz\",\"rank\":1,"
        "\"owner\":null}");
    read_fixture_commit(&f);
    const char *page = ask(&f,
        "{notes(topic:\"t\",first:2){edges{node{id}} pageInfo{hasNextPage "
        "endCursor}}}");
    assert_non_null(strstr(page, "\"hasNextPage\":true"));
    kappa_str_t cursor = kappa_str_c(pick(&f, page, "endCursor"));
    assert_true(kappa_base64url_decode(cursor, bytes));
    kappa_str_t sealed =
        kappa_str((const char *)bytes, KAPPA_BASE64URL_BYTES(cursor.len));
    assert_true(sealed.len > 30);
    assert_false(holds(sealed, "bank"));
    assert_false(holds(sealed, "hidden"));
    assert_false(holds(sealed, "plan"));

    /* And it leads on. */
    page = ask_after(&f,
        "{notes(topic:\"t\",first:2,after:\"%s\"){edges{node{id}}}}",
        cursor.data);
    assert_non_null(strstr(page, "\"id\":\"z\""));
    read_fixture_close(&f);
}

static void
refuse_tampering(void **state)
{
    read_fixture_t f;

    (void)state;
    open_notes(&f, 6);
    read_fixture_commit(&f);
    kappa_str_t cursor = kappa_str_dup(
        f.arena, kappa_str_c(pick(&f, ask(&f, FIRST), "cursor")));
    char *text = (char *)(uintptr_t)cursor.data;

    for (size_t i = 0; i < cursor.len; i++) {
        char kept = text[i];

        text[i] = kept == 'A' ? 'B' : 'A';
        assert_refused(ask_after(&f, NEXT, text), text);
        text[i] = kept;
    }
    for (size_t len = 0; len < cursor.len; len++) {
        char kept = text[len];

        text[len] = '\0';
        assert_refused(ask_after(&f, NEXT, text), text);
        text[len] = kept;
    }
    static const char *const others[] = { "AAAA", "x", "%", "=",
        "AA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\\u0000" };
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_refused(ask_after(&f, NEXT, others[i]), others[i]);
    }
    char *longer = kappa_arena_bytes(f.arena, 3000);
    memset(longer, 'A', 2999);
    longer[2999] = '\0';
    assert_refused(ask_after(&f, NEXT, longer), "a long one");
    assert_non_null(strstr(ask_after(&f, NEXT, text), "\"id\":\"n1\""));
    read_fixture_close(&f);
}

static void
are_good_for_one_list(void **state)
{
    static const struct {
        const char *what;
        const char *query;
    } cases[] = {
        { "another field",
            "{others(topic:\"t\",after:\"%s\"){edges{node{id}"
            "}}}" },
        { "another filter",
            "{notes(topic:\"u\",after:\"%s\"){edges{node{id}"
            "}}}" },
        { "the other way",
            "{notes(topic:\"t\",orderBy:TITLE_DESC,after:\"%s"
            "\"){edges{node{id}}}}" },
        { "another order",
            "{notes(topic:\"t\",orderBy:RANK,after:\"%s\"){"
            "edges{node{id}}}}" },
        { "a link",
            "{topic(id:\"t\"){notes(after:\"%s\"){edges{node{id}}}}}" },
        { "backwards, another filter",
            "{notes(topic:\"u\",before:\"%s\"){edges{node{id}}}}" },
    };
    read_fixture_t f;

    (void)state;
    open_notes(&f, 6);
    read_fixture_commit(&f);
    const char *cursor = pick(&f, ask(&f, FIRST), "cursor");
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_refused(ask_after(&f, cases[i].query, cursor), cases[i].what);
    }
    f.secret++;
    assert_refused(ask_after(&f, NEXT, cursor), "another store");
    f.secret--;
    assert_non_null(strstr(ask_after(&f, NEXT, cursor), "\"id\":\"n1\""));
    read_fixture_close(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stay_as_they_are),
        cmocka_unit_test(hold_under_inserts),
        cmocka_unit_test(tell_nothing_of_hidden_rows),
        cmocka_unit_test(refuse_tampering),
        cmocka_unit_test(are_good_for_one_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
