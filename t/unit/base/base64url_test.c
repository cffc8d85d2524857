#include "t/unit/test.h"

#include <stdlib.h>

#include "base/base64url.h"

static void
encodes_and_decodes(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        { "", "" },
        { "f", "Zg" },
        { "fo", "Zm8" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg" },
        { "\xff\xff\xfe", "___-" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_str_t bytes = kappa_str_c(cases[i].bytes);
        kappa_str_t text = kappa_str_c(cases[i].text);
        char chars[16];
        uint8_t back[16];

        assert_int_equal(KAPPA_BASE64URL_CHARS(bytes.len), text.len);
        assert_int_equal(KAPPA_BASE64URL_BYTES(text.len), bytes.len);
        kappa_base64url_encode(bytes, chars);
        assert_memory_equal(chars, text.data, text.len);
        assert_true(kappa_base64url_decode(text, back));
        assert_memory_equal(back, bytes.data, bytes.len);
    }
}

static void
refuses_what_is_none(void **state)
{
    static const char *const cases[] = { "Z", "Zg==", "Zh", "Zm9", "Z g",
        "+/+/", "Zm9vY" };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(kappa_base64url_decode(kappa_str_c(cases[i]), out));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_and_decodes),
        cmocka_unit_test(refuses_what_is_none),
    };

    return cmocka_run_group_tests_name("base/base64url", tests, NULL, NULL);
}
