#include "t/unit/test.h"

#include "proto/graphql_batch.h"
#include "t/unit/alloc_failing.h"

static void
knows_lists(void **state)
{
    static const struct {
        const char *body;
        bool list;
    } cases[] = {
        { "[", true },
        { " \t\r\n[1]", true },
        { "", false },
        { "  ", false },
        { "{\"query\":\"[\"}", false },
        { "x[", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            kappa_graphql_batch_is(kappa_str_c(cases[i].body)), cases[i].list);
    }
}

/* At most three requests; how it ends, and the queries or the message. */
static const struct {
    const char *body;
    kappa_status_t status;
    const char *result;
} bodies[] = {
    { "[{\"query\":\"{a}\"}]", KAPPA_OK, "{a};" },
    { " [{\"query\":\"{a}\"},{\"documentId\":\"x\"},{\"query\":\"{b}\","
      "\"variables\":{}}] ",
        KAPPA_OK, "{a};x;{b};" },
    { "[]", KAPPA_INVALID, "The batch has no requests." },
    { "[{},{},{},{}]", KAPPA_LIMIT,
        "The batch has 4 requests, past the limit of 3. Send less at once." },
    { "[", KAPPA_INVALID,
        "The body is not valid JSON: ']' expected near end of file (line 1, "
        "column 1)." },
    { "[{\"query\":\"{a}\"},null]", KAPPA_INVALID,
        "Request 2 of the batch must be a JSON object." },
    { "[[]]", KAPPA_INVALID, "Request 1 of the batch must be a JSON object." },
    { "[{\"query\":1}]", KAPPA_INVALID,
        "Request 1 of the batch: \"query\" must be a string." },
};

static void
reads(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        kappa_graphql_params_t *params;
        kappa_errors_t errors;
        uint32_t count = 0;
        kappa_str_t said = KAPPA_STR("");

        kappa_errors_init(&errors, arena, 0);
        assert_int_equal(
            kappa_graphql_batch_read(arena, kappa_str_c(bodies[i].body), 3,
                &params, &count, &errors),
            bodies[i].status);
        if (bodies[i].status != KAPPA_OK) {
            assert_string_equal(errors.first->code,
                bodies[i].status == KAPPA_LIMIT ? "LIMIT_EXCEEDED"
                                                : "BAD_USER_INPUT");
            said = errors.first->message;
            count = 0;
        }
        for (uint32_t n = 0; n < count; n++) {
            kappa_str_t name =
                params[n].query.data ? params[n].query : params[n].document_id;

            said = kappa_str_printf(
                arena, "%.*s%.*s;", KAPPA_STR_ARG(said), KAPPA_STR_ARG(name));
        }
        assert_str_equal(said, bodies[i].result);
    }
    kappa_arena_destroy(arena);
}

static void
combines(void **state)
{
    static const struct {
        kappa_http_outcome_t a, b, both;
    } cases[] = {
        { KAPPA_OUTCOME_DATA, KAPPA_OUTCOME_DATA, KAPPA_OUTCOME_DATA },
        { KAPPA_OUTCOME_SYNTAX, KAPPA_OUTCOME_SYNTAX, KAPPA_OUTCOME_SYNTAX },
        { KAPPA_OUTCOME_SYNTAX, KAPPA_OUTCOME_COERCION, KAPPA_OUTCOME_DATA },
        { KAPPA_OUTCOME_COERCION, KAPPA_OUTCOME_VALIDATION,
            KAPPA_OUTCOME_COERCION },
        { KAPPA_OUTCOME_UNAVAILABLE, KAPPA_OUTCOME_DATA, KAPPA_OUTCOME_DATA },
        { KAPPA_OUTCOME_DATA, KAPPA_OUTCOME_UNAVAILABLE, KAPPA_OUTCOME_DATA },
        { KAPPA_OUTCOME_DATA, KAPPA_OUTCOME_DATA_ERRORS, KAPPA_OUTCOME_DATA },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(kappa_graphql_batch_outcome(cases[i].a, cases[i].b,
                             KAPPA_MEDIA_GRAPHQL, KAPPA_STATUS_CODES_2026_09),
            cases[i].both);
    }
}

static kappa_status_t
try_all(const kappa_alloc_t *alloc, void *ctx)
{
    const char *body = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_graphql_params_t *params;
    kappa_errors_t errors;
    uint32_t count;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_graphql_batch_read(
        arena, kappa_str_c(body), 3, &params, &count, &errors);
    kappa_arena_destroy(arena);
    return status == KAPPA_NOMEM ? status : KAPPA_OK;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        kappa_alloc_failing_each(try_all, (void *)bodies[i].body);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_lists),
        cmocka_unit_test(reads),
        cmocka_unit_test(combines),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests_name(
        "proto/graphql_batch", tests, NULL, NULL);
}
