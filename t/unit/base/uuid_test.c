#include "t/unit/test.h"

#include "base/uuid.h"

/* The example of RFC 9562, appendix A.6. */
static void
makes_version_7(void **state)
{
    const uint8_t random[10] = { 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c,
        0x07, 0x39, 0x8f };
    uint8_t uuid[KAPPA_UUID_BYTES];
    char text[KAPPA_UUID_CHARS];

    (void)state;
    kappa_uuid_v7(0x017f22e279b0, random, uuid);
    kappa_uuid_format(uuid, text);
    assert_str_equal(
        kappa_str(text, sizeof(text)), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void
parses(void **state)
{
    static const char *const wrong[] = { "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}" };
    uint8_t uuid[KAPPA_UUID_BYTES];
    char text[KAPPA_UUID_CHARS];

    (void)state;
    assert_true(kappa_uuid_parse(
        KAPPA_STR("017F22E2-79b0-7CC3-98c4-dc0c0C07398F"), uuid));
    kappa_uuid_format(uuid, text);
    assert_str_equal(
        kappa_str(text, sizeof(text)), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_false(kappa_uuid_parse(kappa_str_c(wrong[i]), uuid));
    }
}

static void
random_fills(void **state)
{
    uint8_t bytes[300] = { 0 };
    size_t zeros = 0;

    (void)state;
    kappa_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        zeros += bytes[i] == 0;
    }
    assert_true(zeros < 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_version_7),
        cmocka_unit_test(parses),
        cmocka_unit_test(random_fills),
    };
    return cmocka_run_group_tests_name("base/uuid", tests, NULL, NULL);
}
