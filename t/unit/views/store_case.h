#ifndef KAPPA_T_UNIT_VIEWS_STORE_CASE_H
#define KAPPA_T_UNIT_VIEWS_STORE_CASE_H

#include "t/unit/views/store_fixture.h"

/* Tests that have each a new store of the shop, open. */

static fixture_t f;

static MAYBE int
set_up(void **state)
{
    (void)state;
    make_store(&f);
    open_store(&f);
    return 0;
}

static MAYBE int
tear_down(void **state)
{
    (void)state;
    end_store(&f);
    return 0;
}

/* With a set-up of the file's own, which calls set_up. */
#define TEST_FROM(set_up, test)                                               \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TEST(test) TEST_FROM(set_up, test)

#endif
