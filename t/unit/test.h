#ifndef KAPPA_T_UNIT_TEST_H
#define KAPPA_T_UNIT_TEST_H

/* What every unit test includes first: cmocka and what it needs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails with both texts. */
#define assert_str_equal(actual, expected)                                    \
    do {                                                                      \
        kappa_str_t actual_ = (actual);                                       \
        kappa_str_t expected_ = kappa_str_c(expected);                        \
        if (!kappa_str_eq(actual_, expected_)) {                              \
            fail_msg("\"%.*s\" is not \"%s\"", KAPPA_STR_ARG(actual_),        \
                expected_.data);                                              \
        }                                                                     \
    } while (0)

#endif
