#include "t/unit/test.h"

#include "proto/traceparent.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void
tells_what_is_one(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        { "00-" TRACE "-" SPAN "-01", true },
        { "00-" TRACE "-" SPAN "-00", true },
        { "00-" TRACE "-" SPAN "-01-", false },
        { "00-" TRACE "-" SPAN "-01-x", false },
        { "01-" TRACE "-" SPAN "-01", true },
        { "01-" TRACE "-" SPAN "-01-what comes later", true },
        { "01-" TRACE "-" SPAN "-01x", false },
        { "ff-" TRACE "-" SPAN "-01", false },
        { "0-" TRACE "-" SPAN "-01", false },
        { "00-" TRACE "-" SPAN "-1", false },
        { "00-" TRACE "-" SPAN, false },
        { "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false },
        { "00-00000000000000000000000000000000-" SPAN "-01", false },
        { "00-" TRACE "-0000000000000000-01", false },
        { "00_" TRACE "-" SPAN "-01", false },
        { "00-" TRACE "x-" SPAN "-1", false },
        { "01-" TRACE "-" SPAN "-01-" TRACE TRACE TRACE, false },
        { "garbage", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_traceparent_valid(kappa_str_c(cases[i].text))
            != cases[i].valid) {
            fail_msg("%s", cases[i].text);
        }
    }
    assert_false(kappa_traceparent_valid(KAPPA_STR_NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_one),
    };
    return cmocka_run_group_tests_name("proto/traceparent", tests, NULL, NULL);
}
