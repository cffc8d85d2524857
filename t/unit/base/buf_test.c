#include "t/unit/test.h"

#include "base/buf.h"
#include "base/status.h"
#include "t/unit/alloc_failing.h"

static void
appends(void **state)
{
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_buf_str(&buf, KAPPA_STR_NULL);
    kappa_buf_char(&buf, 'a');
    KAPPA_BUF_LIT(&buf, "bc");
    kappa_buf_printf(&buf, "%d%s", 1, "x");
    kappa_buf_int64(&buf, INT64_MIN);
    kappa_buf_char(&buf, ' ');
    kappa_buf_int64(&buf, INT64_MAX);
    kappa_buf_int64(&buf, 0);
    assert_false(buf.failed);
    assert_str_equal(kappa_buf_view(&buf),
        "abc1x-9223372036854775808 92233720368547758070");
    kappa_buf_reset(&buf);
    assert_int_equal(buf.len, 0);
    for (int i = 0; i < 10000; i++) {
        kappa_buf_char(&buf, (char)i);
    }
    assert_int_equal(buf.len, 10000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf.data[i], (char)i);
    }
    kappa_buf_release(&buf);
    assert_null(buf.data);
}

static void
refuses_sizes_that_wrap(void **state)
{
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    KAPPA_BUF_LIT(&buf, "x");
    assert_false(kappa_buf_reserve(&buf, SIZE_MAX - 2));
    assert_true(buf.failed);
    kappa_buf_release(&buf);
}

static kappa_status_t
write_some(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_buf_t buf;

    (void)ctx;
    kappa_buf_init(&buf, alloc);
    for (int i = 0; i < 300; i++) {
        kappa_buf_char(&buf, 'x');
        KAPPA_BUF_LIT(&buf, "yz");
        kappa_buf_printf(&buf, "%d", i);
    }
    kappa_status_t status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    kappa_buf_release(&buf);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(write_some, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(refuses_sizes_that_wrap),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
