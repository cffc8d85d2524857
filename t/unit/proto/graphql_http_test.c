#include "t/unit/test.h"

#include "base/json.h"
#include "proto/graphql_http.h"
#include "t/unit/alloc_failing.h"

/* query|operationName|variables|extensions, "-" for what is absent, and
 * "#ID" behind it where there is a document's id. */
static void
describe(const kappa_graphql_params_t *p, kappa_buf_t *buf)
{
    const kappa_str_t texts[] = { p->query, p->operation_name };
    const kappa_value_t *objects[] = { &p->variables, &p->extensions };

    kappa_buf_reset(buf);
    for (size_t i = 0; i < 2; i++) {
        kappa_buf_str(buf, texts[i].data ? texts[i] : KAPPA_STR("-"));
        kappa_buf_char(buf, '|');
    }
    for (size_t i = 0; i < 2; i++) {
        if (objects[i]->kind == KAPPA_UNSET) {
            kappa_buf_char(buf, '-');
        } else {
            kappa_json_value(buf, objects[i]);
        }
        kappa_buf_char(buf, i == 0 ? '|' : '\n');
    }
    buf->len--;
    if (p->document_id.data != NULL) {
        kappa_buf_char(buf, '#');
        kappa_buf_str(buf, p->document_id);
    }
}

typedef struct {
    const char *text;
    const char *result; /* or, behind '!', the error */
} case_t;

typedef kappa_status_t (*parse_t)(
    kappa_arena_t *, kappa_str_t, kappa_graphql_params_t *, kappa_errors_t *);

static void
check(const case_t *cases, size_t count, parse_t parse)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < count; i++) {
        kappa_graphql_params_t params;
        kappa_errors_t errors;

        kappa_errors_init(&errors, arena, 0);
        kappa_status_t status =
            parse(arena, kappa_str_c(cases[i].text), &params, &errors);
        if (status == KAPPA_OK) {
            describe(&params, &buf);
        } else {
            assert_int_equal(status, KAPPA_INVALID);
            assert_string_equal(errors.first->code, "BAD_USER_INPUT");
            kappa_buf_reset(&buf);
            kappa_buf_char(&buf, '!');
            kappa_buf_str(&buf, errors.first->message);
        }
        if (!kappa_str_eq_c(kappa_buf_view(&buf), cases[i].result)) {
            fail_msg("%s gives %.*s, not %s", cases[i].text,
                KAPPA_STR_ARG(kappa_buf_view(&buf)), cases[i].result);
        }
        assert_int_equal(
            parse(arena, kappa_str_c(cases[i].text), &params, NULL), status);
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

#define NO_QUERY                                                              \
    "!The request has no \"query\": give the text of a GraphQL document as "  \
    "a string."

static void
reads_bodies(void **state)
{
    static const case_t cases[] = {
        { "{\"query\":\"{a}\"}", "{a}|-|-|-" },
        { "{\"query\":\"{a}\",\"operationName\":\"A\",\"variables\":{\"b\":"
          "[1,2.5]},\"extensions\":{\"c\":null}}",
            "{a}|A|{\"b\":[1,2.5]}|{\"c\":null}" },
        { "{\"query\":\"\",\"operationName\":null,\"variables\":null,"
          "\"extensions\":null,\"other\":1}",
            "|-|-|-" },
        { "{\"extensions\":{\"persistedQuery\":{\"version\":1}}}",
            "-|-|-|{\"persistedQuery\":{\"version\":1}}" },
        { "{\"query\":\"{a}\",\"variables\":{}}", "{a}|-|{}|-" },
        { "{\"documentId\":\"x\"}", "-|-|-|-#x" },
        { "{\"documentId\":\"x\",\"query\":\"{a}\",\"id\":\"y\"}",
            "{a}|-|-|-#x" },
        { "{\"documentId\":null,\"id\":\"y\",\"doc_id\":\"z\"}", "-|-|-|-#y" },
        { "{\"id\":1,\"doc_id\":\"z\"}", "-|-|-|-#z" },
        { "{\"query\":\"{a}\",\"id\":\"y\",\"doc_id\":[]}", "{a}|-|-|-" },
        { "{\"documentId\":1}", "!\"documentId\" must be a string." },
        { "{\"documentId\":null}", NO_QUERY },
        { "{\"id\":1}", NO_QUERY },
        { "", "!The request has no body." },
        { "{",
            "!The body is not valid JSON: string or '}' expected near "
            "end of file (line 1, column 1)." },
        { "{\"query\":\"{a}\"} x",
            "!The body is not valid JSON: end of file expected near 'x' "
            "(line 1, column 17)." },
        { "[{\"query\":\"{a}\"}]",
            "!Several requests in one body are not accepted: send one JSON "
            "object." },
        { "1", "!The body must be a JSON object with the member \"query\"." },
        { "null",
            "!The body must be a JSON object with the member \"query\"." },
        { "{}", NO_QUERY },
        { "{\"query\":null}", NO_QUERY },
        { "{\"extensions\":{\"persistedQuery\":1}}", NO_QUERY },
        { "{\"query\":1}", "!\"query\" must be a string." },
        { "{\"query\":{\"a\":1}}", "!\"query\" must be a string." },
        { "{\"query\":\"{a}\",\"operationName\":1}",
            "!\"operationName\" must be a string." },
        { "{\"query\":\"{a}\",\"variables\":\"{}\"}",
            "!\"variables\" must be an object." },
        { "{\"query\":\"{a}\",\"variables\":[]}",
            "!\"variables\" must be an object." },
        { "{\"query\":\"{a}\",\"extensions\":7}",
            "!\"extensions\" must be an object." },
        { "{\"query\":\"{a}\",\"query\":\"{b}\"}",
            "!The body is not valid JSON: duplicate object key near "
            "'\"query\"' (line 1, column 22)." },
    };

    (void)state;
    check(cases, COUNT(cases), kappa_graphql_http_body);
}

static void
reads_query_strings(void **state)
{
    static const case_t cases[] = {
        { "query=%7Ba%7D", "{a}|-|-|-" },
        { "query=query+A%7ba%20b%7d&operationName=A", "query A{a b}|A|-|-" },
        { "x=1&&query={a}&variables=%7B%22b%22%3A1%7D&extensions={}",
            "{a}|-|{\"b\":1}|{}" },
        { "query={a}&operationName=&variables=&extensions=", "{a}|-|-|-" },
        { "query={a}&variables=null", "{a}|-|-|-" },
        { "query=%C3%A4", "\xc3\xa4|-|-|-" },
        { "query=a=b", "a=b|-|-|-" },
        { "query", "|-|-|-" },
        { "documentId=sha256%3Aa", "-|-|-|-#sha256:a" },
        { "id=b&documentId=a", "-|-|-|-#a" },
        { "doc_id=b&id=a", "-|-|-|-#a" },
        { "doc_id=b", "-|-|-|-#b" },
        { "id=a&query={a}", "{a}|-|-|-" },
        { "documentId=a&query={a}", "{a}|-|-|-#a" },
        { "id=a&id=b", "!The parameter \"id\" is given twice." },
        { "extensions=%7B%22persistedQuery%22%3A%7B%7D%7D",
            "-|-|-|{\"persistedQuery\":{}}" },
        { "", NO_QUERY },
        { "Query={a}", NO_QUERY },
        { "query={a}&query={b}", "!The parameter \"query\" is given twice." },
        { "query=%7",
            "!A parameter has a \"%\" that no two hexadecimal digits "
            "follow." },
        { "query=%",
            "!A parameter has a \"%\" that no two hexadecimal digits "
            "follow." },
        { "query=%7x",
            "!A parameter has a \"%\" that no two hexadecimal digits "
            "follow." },
        { "query=%ff", "!A parameter is not valid UTF-8." },
        { "query={a}&variables={",
            "!The parameter \"variables\" is not valid JSON: string or '}' "
            "expected near end of file (line 1, column 1)." },
        { "query={a}&variables=1", "!\"variables\" must be an object." },
        { "query={a}&extensions=[]", "!\"extensions\" must be an object." },
    };

    (void)state;
    check(cases, COUNT(cases), kappa_graphql_http_query_string);
}

static void
takes_json_only(void **state)
{
    static const struct {
        const char *header;
        bool ok;
    } cases[] = {
        { "application/json", true },
        { "Application/JSON", true },
        { "application/json; charset=utf-8", true },
        { "application/json;charset=\"UTF-8\"", true },
        { "application/json ; odd=1", true },
        { "application/json;charset=iso-8859-1", false },
        { "application/json, text/plain", false },
        { "application/jsonx", false },
        { "application/graphql", false },
        { "text/plain", false },
        { "application/x-www-form-urlencoded", false },
        { "multipart/form-data; boundary=x", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_graphql_http_content_type(kappa_str_c(cases[i].header)),
            cases[i].ok);
    }
    assert_false(kappa_graphql_http_content_type(KAPPA_STR_NULL));
}

static void
negotiates(void **state)
{
    enum {
        NO,
        JSON,
        GQL,
        SSE
    };
    static const struct {
        const char *header;
        int query, subscription, error;
    } cases[] = {
        { "", JSON, SSE, JSON },
        { "*/*", JSON, SSE, JSON },
        { "application/*", JSON, NO, JSON },
        { "application/json", JSON, NO, JSON },
        { "application/graphql-response+json", GQL, NO, GQL },
        { "APPLICATION/JSON", JSON, NO, JSON },
        { "application/json; charset=utf-8", JSON, NO, JSON },
        { "application/json; charset=latin1", NO, NO, JSON },
        { "text/html", NO, NO, JSON },
        { "text/html, */*;q=0.1", JSON, SSE, JSON },
        { "text/event-stream", SSE, SSE, JSON },
        { "text/*", SSE, SSE, JSON },
        /* Apollo Client, Relay and urql */
        { "application/graphql-response+json,application/json;q=0.9", GQL, NO,
            GQL },
        { "application/graphql-response+json, application/graphql+json, "
          "application/json, text/event-stream, multipart/mixed",
            GQL, SSE, GQL },
        /* both named, of equal weight: as listed */
        { "application/json, application/graphql-response+json", JSON, NO,
            JSON },
        { "text/event-stream, application/json", JSON, SSE, JSON },
        { "text/event-stream, application/json;q=0.5", SSE, SSE, JSON },
        { "application/json;q=0.2, application/graphql-response+json;q=0.8",
            GQL, NO, GQL },
        { "application/json;q=0, */*", GQL, SSE, GQL },
        { "application/graphql-response+json, */*", GQL, SSE, GQL },
        { "application/json;q=0", NO, NO, JSON },
        { "*/*;q=0", NO, NO, JSON },
        { "text/event-stream;q=0, */*", JSON, NO, JSON },
        /* broken elements are passed by */
        { "application/json;q=9, application/graphql-response+json;q=0.1", GQL,
            NO, GQL },
        { ",;,application/json", JSON, NO, JSON },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_accept_t accept;

        kappa_graphql_http_accept(kappa_str_c(cases[i].header), &accept);
        int query = (int)kappa_graphql_http_choose(&accept, false);
        int subscription = (int)kappa_graphql_http_choose(&accept, true);
        int error = (int)kappa_graphql_http_error_media(&accept);
        if (query != cases[i].query || subscription != cases[i].subscription
            || error != cases[i].error) {
            fail_msg("%s gives %d %d %d", cases[i].header, query, subscription,
                error);
        }
    }
}

static void
knows_browsers(void **state)
{
    static const struct {
        const char *header;
        bool page;
    } cases[] = {
        { "text/html,application/xhtml+xml,application/xml;q=0.9,"
          "image/avif,*/*;q=0.8",
            true },
        { "text/html", true },
        { "TEXT/HTML;charset=utf-8", true },
        { "application/json;q=0.1,text/html;q=0.2", true },
        { "", false },
        { "*/*", false },
        { "text/*", false },
        { "text/html;q=0", false },
        { "text/html,application/json", false },
        { "text/html,application/graphql-response+json", false },
        { "text/html;charset=latin1", false },
        { "text/htmlx", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_graphql_http_wants_page(kappa_str_c(cases[i].header))
            != cases[i].page) {
            fail_msg("%s", cases[i].header);
        }
    }
}

static void
names_statuses(void **state)
{
    static const struct {
        kappa_http_outcome_t outcome;
        unsigned json, graphql, newest;
    } cases[] = {
        { KAPPA_OUTCOME_DATA, 200, 200, 200 },
        { KAPPA_OUTCOME_DATA_ERRORS, 200, 200, 294 },
        { KAPPA_OUTCOME_HASH_UNKNOWN, 200, 200, 200 },
        { KAPPA_OUTCOME_SYNTAX, 200, 400, 400 },
        { KAPPA_OUTCOME_VALIDATION, 200, 400, 422 },
        { KAPPA_OUTCOME_COERCION, 200, 400, 422 },
        { KAPPA_OUTCOME_BAD_REQUEST, 400, 400, 400 },
        { KAPPA_OUTCOME_METHOD, 405, 405, 405 },
        { KAPPA_OUTCOME_NOT_ACCEPTABLE, 406, 406, 406 },
        { KAPPA_OUTCOME_MEDIA_TYPE, 415, 415, 415 },
        { KAPPA_OUTCOME_TOO_LARGE, 413, 413, 413 },
        { KAPPA_OUTCOME_UNAUTHENTICATED, 401, 401, 401 },
        { KAPPA_OUTCOME_FORBIDDEN, 403, 403, 403 },
        { KAPPA_OUTCOME_UNAVAILABLE, 503, 503, 503 },
        { KAPPA_OUTCOME_FAILED, 500, 500, 500 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(kappa_graphql_http_status(KAPPA_MEDIA_JSON,
                             cases[i].outcome, KAPPA_STATUS_CODES_CLASSIC),
            cases[i].json);
        assert_int_equal(kappa_graphql_http_status(KAPPA_MEDIA_GRAPHQL,
                             cases[i].outcome, KAPPA_STATUS_CODES_CLASSIC),
            cases[i].graphql);
        assert_int_equal(kappa_graphql_http_status(KAPPA_MEDIA_GRAPHQL,
                             cases[i].outcome, KAPPA_STATUS_CODES_2026_09),
            cases[i].newest);
    }
    assert_str_equal(
        kappa_media_name(KAPPA_MEDIA_JSON), "application/json; charset=utf-8");
    assert_str_equal(kappa_media_name(KAPPA_MEDIA_GRAPHQL),
        "application/graphql-response+json; charset=utf-8");
    assert_str_equal(
        kappa_media_name(KAPPA_MEDIA_SSE), "text/event-stream; charset=utf-8");
}

typedef struct {
    parse_t parse;
    const char *text;
} no_memory_t;

static kappa_status_t
parse_with(const kappa_alloc_t *alloc, void *ctx)
{
    const no_memory_t *c = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 32);
    kappa_status_t status = KAPPA_NOMEM;
    kappa_graphql_params_t params;
    kappa_errors_t errors;

    if (arena != NULL) {
        kappa_errors_init(&errors, arena, 0);
        status = c->parse(arena, kappa_str_c(c->text), &params, &errors);
        status = status == KAPPA_INVALID ? KAPPA_OK : status;
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_no_memory(void **state)
{
    no_memory_t cases[] = {
        { kappa_graphql_http_body,
            "{\"query\":\"query A($x: [Int!]) { a(x: $x) { b c d } }\","
            "\"operationName\":\"A\",\"variables\":{\"x\":[1,2,3]}}" },
        { kappa_graphql_http_body, "{\"query\":1}" },
        { kappa_graphql_http_body, "{\"query\"" },
        { kappa_graphql_http_query_string,
            "query=%7Ba%7D&variables=%7B%22b%22%3A%5B1%5D%7D" },
        { kappa_graphql_http_query_string, "query={a}&query={b}" },
        { kappa_graphql_http_query_string, "query={a}&variables={" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_alloc_failing_each(parse_with, &cases[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bodies),
        cmocka_unit_test(reads_query_strings),
        cmocka_unit_test(takes_json_only),
        cmocka_unit_test(negotiates),
        cmocka_unit_test(knows_browsers),
        cmocka_unit_test(names_statuses),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name(
        "proto/graphql_http", tests, NULL, NULL);
}
