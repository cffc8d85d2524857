#include "t/unit/test.h"

#include "proto/etag.h"

static void
tells_answers_apart(void **state)
{
    static const struct {
        kappa_media_t media;
        const char *bytes;
        const char *tag;
    } cases[] = {
        /* The beginning of what sha256sum says, but for the first byte. */
        { KAPPA_MEDIA_NONE, "", "\"e3b0c44298fc1c149afbf4c8996fb924\"" },
        { KAPPA_MEDIA_JSON, "", "\"e2b0c44298fc1c149afbf4c8996fb924\"" },
        { KAPPA_MEDIA_GRAPHQL, "", "\"e1b0c44298fc1c149afbf4c8996fb924\"" },
        { KAPPA_MEDIA_JSON, "abc", "\"bb7816bf8f01cfea414140de5dae2223\"" },
    };
    char out[KAPPA_ETAG_CHARS];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_str_equal(
            kappa_etag(cases[i].media, kappa_str_c(cases[i].bytes), out),
            cases[i].tag);
    }
    assert_str_equal(
        kappa_etag(KAPPA_MEDIA_NONE, KAPPA_STR_NULL, out), cases[0].tag);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_answers_apart),
    };
    return cmocka_run_group_tests_name("proto/etag", tests, NULL, NULL);
}
