#include "t/unit/test.h"

#include "base/status.h"
#include "proto/sse.h"
#include "t/unit/alloc_failing.h"

static void
writes_frames(void **state)
{
    static const struct {
        const char *position, *json, *frame;
    } cases[] = {
        { "", "{\"data\":1}", "event: next\ndata: {\"data\":1}\n\n" },
        { "AB-7", "{}", "event: next\nid: AB-7\ndata: {}\n\n" },
        { "", "", "event: next\ndata: \n\n" },
        { "", "a\nb\r\nc\rd",
            "event: next\ndata: a\ndata: b\ndata: c\ndata: d\n\n" },
        { "", "a\n", "event: next\ndata: a\ndata: \n\n" },
        { "x\nevent: evil", "{}", "event: next\nid: x\ndata: {}\n\n" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_buf_reset(&buf);
        kappa_sse_next(
            &buf, kappa_str_c(cases[i].position), kappa_str_c(cases[i].json));
        assert_str_equal(kappa_buf_view(&buf), cases[i].frame);
    }
    kappa_buf_reset(&buf);
    kappa_sse_complete(&buf);
    kappa_sse_heartbeat(&buf);
    assert_str_equal(kappa_buf_view(&buf), "event: complete\ndata: \n\n:\n\n");
    kappa_buf_release(&buf);
}

static kappa_status_t
write_all(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_buf_t buf;

    (void)ctx;
    kappa_buf_init(&buf, alloc);
    for (int i = 0; i < 40; i++) {
        kappa_sse_next(&buf, KAPPA_STR("E-1"), KAPPA_STR("{\"data\":null}"));
        kappa_sse_heartbeat(&buf);
        kappa_sse_complete(&buf);
    }
    kappa_status_t status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    kappa_buf_release(&buf);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(write_all, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_frames),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("proto/sse", tests, NULL, NULL);
}
