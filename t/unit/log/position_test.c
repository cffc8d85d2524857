#include "t/unit/test.h"

#include <string.h>

#include "base/uuid.h"
#include "log/position.h"

static void
parses(void **state)
{
    static const struct {
        const char *in;
        uint64_t seq;
    } cases[] = {
        { "abcdefgh-0", 0 },
        { "0a1b2c3d4e5f-1", 1 },
        { "abcdefghijklmnopqrstuvwx-18446744073709551615", UINT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[KAPPA_POSITION_CHARS_MAX];
        kappa_position_t p;

        assert_true(kappa_position_parse(kappa_str_c(cases[i].in), &p));
        assert_int_equal(p.seq, cases[i].seq);
        size_t n = kappa_position_format(&p.epoch, p.seq, text);
        assert_str_equal(kappa_str(text, n), cases[i].in);
    }
}

static void
refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "-",
        "abcdefgh",
        "abcdefgh-",
        "abcdefg-1",                   /* 7 characters */
        "abcdefghijklmnopqrstuvwxy-1", /* 25 */
        "Abcdefgh-1",
        "abcd_fgh-1",
        "abcdefgh-01",
        "abcdefgh-00",
        "abcdefgh--1",
        "abcdefgh-+1",
        "abcdefgh- 1",
        "abcdefgh-1 ",
        " abcdefgh-1",
        "abcdefgh-18446744073709551616",
        "abcdefgh-99999999999999999999999",
        "abcdefgh-1-2",
    };
    kappa_position_t p;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_position_parse(kappa_str_c(cases[i]), &p)) {
            fail_msg("accepted: %s", cases[i]);
        }
    }
    assert_false(kappa_position_parse(kappa_str("abcdefg\0-1", 10), &p));
}

static void
epochs_are_random_names(void **state)
{
    uint8_t random[KAPPA_EPOCH_RANDOM];
    kappa_epoch_t a, b, again;

    (void)state;
    kappa_random(random, sizeof(random));
    kappa_epoch_make(random, &a);
    assert_int_equal(strlen(a.name), KAPPA_EPOCH_CHARS);
    assert_true(kappa_epoch_parse(kappa_epoch_str(&a), &again));
    assert_true(kappa_epoch_eq(&a, &again));
    random[3] ^= 1;
    kappa_epoch_make(random, &b);
    assert_false(kappa_epoch_eq(&a, &b));
}

static void
are_located_in_one_log(void **state)
{
    static const struct {
        const char *text;
        kappa_status_t status;
        uint64_t seq;
    } cases[] = {
        { "abcdefgh-42", KAPPA_OK, 42 },
        { "abcdefgh-0", KAPPA_OK, 0 },
        { "abcdefgi-42", KAPPA_CONFLICT, 7 },
        { "abcdefghi-42", KAPPA_CONFLICT, 7 },
        { "abcdefgh-", KAPPA_INVALID, 7 },
        { "42", KAPPA_INVALID, 7 },
        { "", KAPPA_INVALID, 7 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t seq = 7;

        assert_int_equal(kappa_position_locate(kappa_str_c(cases[i].text),
                             KAPPA_STR("abcdefgh"), &seq),
            cases[i].status);
        assert_int_equal(seq, cases[i].seq);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(refuses),
        cmocka_unit_test(are_located_in_one_log),
        cmocka_unit_test(epochs_are_random_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
