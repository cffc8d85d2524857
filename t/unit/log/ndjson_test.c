#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "log/ndjson.h"
#include "t/unit/alloc_failing.h"

static kappa_ndjson_t *
create(const kappa_alloc_t *alloc)
{
    kappa_ndjson_t *ndjson = malloc(sizeof(*ndjson));

    assert_non_null(ndjson);
    if (kappa_ndjson_init(ndjson, alloc) != KAPPA_OK) {
        free(ndjson);
        return NULL;
    }
    return ndjson;
}

static void
destroy(kappa_ndjson_t *ndjson)
{
    kappa_ndjson_release(ndjson);
    free(ndjson);
}

#define LINES                                                                 \
    "{\"thing\":\"A\",\"verb\":\"x\"}\n\r\n\n"                                \
    "{\"thing\":\"B\",\"verb\":\"y\",\"data\":{\"n\":1}}\r\n"                 \
    "{\"thing\":\"C\",\"verb\":\"z\"}"

static void
reads_cut_lines(kappa_str_t all)
{
    static const uint64_t numbers[] = { 1, 4, 5 };
    static const char *const things[] = { "A", "B", "C" };

    for (size_t cut = 1; cut <= all.len; cut++) {
        kappa_ndjson_t *ndjson = create(&kappa_alloc_libc);

        for (size_t at = 0; at < all.len; at += cut) {
            size_t n = all.len - at < cut ? all.len - at : cut;
            kappa_str_t part = kappa_str(all.data + at, n);

            assert_int_equal(kappa_ndjson_feed(ndjson, &part), KAPPA_OK);
        }
        assert_int_equal(kappa_ndjson_end(ndjson), KAPPA_OK);
        assert_int_equal(ndjson->count, 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(ndjson->lines[i], numbers[i]);
            assert_str_equal(ndjson->events[i].thing, things[i]);
        }
        destroy(ndjson);
    }
}

/* And whether a byte order mark stands before them or not. */
static void
reads_lines_however_they_are_cut(void **state)
{
    (void)state;
    reads_cut_lines(KAPPA_STR(LINES));
    reads_cut_lines(KAPPA_STR("\xef\xbb\xbf" LINES));
}

static void
stops_at_a_full_batch(void **state)
{
    kappa_ndjson_t *ndjson = create(&kappa_alloc_libc);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < 2 * KAPPA_NDJSON_EVENTS + 1; i++) {
        KAPPA_BUF_LIT(&buf, "{\"thing\":\"A\",\"verb\":\"x\"}\n");
    }
    kappa_str_t rest = kappa_buf_view(&buf);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kappa_ndjson_feed(ndjson, &rest), KAPPA_BUSY);
        assert_int_equal(ndjson->count, KAPPA_NDJSON_EVENTS);
        assert_int_equal(ndjson->lines[0], i * KAPPA_NDJSON_EVENTS + 1);
        kappa_ndjson_clear(ndjson);
    }
    assert_int_equal(kappa_ndjson_feed(ndjson, &rest), KAPPA_OK);
    assert_int_equal(ndjson->count, 1);
    kappa_buf_release(&buf);
    destroy(ndjson);
}

static void
says_which_line_is_wrong(void **state)
{
    static const char *const wrong[] = { "{", "[]", "{}", "x",
        "{\"thing\":\"A\"}", "{\"thing\":\"A\",\"verb\":1}", "\xff" };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        kappa_ndjson_t *ndjson = create(&kappa_alloc_libc);
        char text[256];

        snprintf(text, sizeof(text),
            "{\"thing\":\"A\",\"verb\":\"x\"}\n\n%s\n"
            "{\"thing\":\"A\",\"verb\":\"x\"}\n",
            wrong[i]);
        kappa_str_t bytes = kappa_str_c(text);
        assert_int_equal(kappa_ndjson_feed(ndjson, &bytes), KAPPA_INVALID);
        assert_int_equal(ndjson->line, 3);
        assert_int_equal(ndjson->count, 1);
        assert_true(ndjson->reason.len > 0);
        assert_string_equal(ndjson->code, "BAD_USER_INPUT");
        destroy(ndjson);
    }
}

static void
refuses_a_line_without_end(void **state)
{
    kappa_ndjson_t *ndjson = create(&kappa_alloc_libc);
    char *block = malloc(1024 * 1024);
    kappa_status_t status = KAPPA_OK;
    int blocks = 0;

    (void)state;
    memset(block, 'x', 1024 * 1024);
    while (status == KAPPA_OK && blocks < 100) {
        kappa_str_t part = kappa_str(block, 1024 * 1024);

        status = kappa_ndjson_feed(ndjson, &part);
        blocks++;
    }
    assert_int_equal(status, KAPPA_INVALID);
    assert_int_equal(blocks, KAPPA_EVENT_LINE_MAX / (1024 * 1024) + 1);
    assert_string_equal(ndjson->code, "LIMIT_EXCEEDED");
    free(block);
    destroy(ndjson);
}

static kappa_status_t
read_some(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_ndjson_t *ndjson = create(alloc);
    kappa_str_t first = KAPPA_STR("{\"thing\":\"A\",\"ver");
    kappa_str_t rest = KAPPA_STR("b\":\"x\"}\n{\"thing\":\"A\",\"verb\":1}");

    (void)ctx;
    if (ndjson == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = kappa_ndjson_feed(ndjson, &first);
    if (status == KAPPA_OK) {
        status = kappa_ndjson_feed(ndjson, &rest);
    }
    destroy(ndjson);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(read_some, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines_however_they_are_cut),
        cmocka_unit_test(stops_at_a_full_batch),
        cmocka_unit_test(says_which_line_is_wrong),
        cmocka_unit_test(refuses_a_line_without_end),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("log/ndjson", tests, NULL, NULL);
}
