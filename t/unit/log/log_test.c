#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "t/unit/log_fixture.h"

/* The log as its callers use it, on a real file system. */

static void
appends_and_reads(void **state)
{
    (void)state;
    kappa_fixture_t f;
    uint64_t tail = 7;

    kappa_fixture_make(&f, NULL);
    kappa_log_t *log = kappa_fixture_open(&f);

    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, 0);
    for (uint64_t batch = 0; batch < 20; batch++) {
        assert_int_equal(
            kappa_fixture_append(log, tail, batch, &tail), KAPPA_OK);
    }
    assert_int_equal(tail, 190);
    kappa_log_unlock(log);
    kappa_fixture_expect(log, 190);
    kappa_log_close(log);

    log = kappa_fixture_open(&f);
    kappa_fixture_expect(log, 190);
    assert_int_equal(kappa_log_lock(log, NULL), KAPPA_OK);
    assert_int_equal(kappa_log_tail(log, NULL, &tail, NULL), KAPPA_OK);
    assert_int_equal(tail, 190);
    kappa_log_close(log);
    kappa_fixture_remove(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
