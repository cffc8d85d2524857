#include "t/unit/test.h"

#include "proto/csrf.h"

static const struct {
    const char *name;
    kappa_csrf_t request;
    bool safe;
} cases[] = {
    { "curl", { .any_origin = false }, true },
    { "curl with a cookie", { .cookie = true }, false },
    { "a form of another site", { .fetch_site = KAPPA_STR("cross-site") },
        false },
    { "of a sibling", { .fetch_site = KAPPA_STR("same-site") }, false },
    { "an image with a cookie",
        { .fetch_site = KAPPA_STR("cross-site"), .cookie = true }, false },
    { "our own page", { .fetch_site = KAPPA_STR("same-origin") }, true },
    { "with a cookie",
        { .fetch_site = KAPPA_STR("Same-Origin"), .cookie = true }, true },
    { "the address bar", { .fetch_site = KAPPA_STR("none") }, true },
    { "what is none of these", { .fetch_site = KAPPA_STR("sametime") },
        false },
    { "an empty one", { .fetch_site = KAPPA_STR("") }, false },
    { "a listed page",
        { .fetch_site = KAPPA_STR("cross-site"),
            .origin = true,
            .origin_allowed = true },
        true },
    { "a page that is not",
        { .fetch_site = KAPPA_STR("cross-site"), .origin = true }, false },
    { "where all may ask",
        { .fetch_site = KAPPA_STR("cross-site"), .any_origin = true }, true },
    { "an older browser's fetch", { .origin = true }, false },
    { "of a listed page",
        { .origin = true, .origin_allowed = true, .cookie = true }, true },
    { "an older browser's link", { .referer = true }, false },
    { "its own page",
        { .referer = true, .referer_allowed = true, .cookie = true }, true },
    { "Apollo's client",
        { .content_type = KAPPA_STR("application/json"), .origin = true },
        true },
    { "a type that forms can send",
        { .content_type = KAPPA_STR("text/plain"), .origin = true }, false },
    { "one that looks like another",
        { .content_type = KAPPA_STR("text/plain; application/json"),
            .origin = true },
        false },
    { "a header of its own",
        { .custom_header = true, .fetch_site = KAPPA_STR("cross-site") },
        true },
    { "a token", { .authorization = KAPPA_STR("bearer x"), .origin = true },
        true },
    { "a password, which browsers send unasked",
        { .authorization = KAPPA_STR("Basic eDp5"), .origin = true }, false },
    { "a short one", { .authorization = KAPPA_STR("bear"), .origin = true },
        false },
};

static void
tells_pages_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (kappa_csrf_safe(&cases[i].request) != cases[i].safe) {
            fail_msg("%s", cases[i].name);
        }
    }
}

static void
knows_headers(void **state)
{
    (void)state;
    assert_true(kappa_csrf_is_custom(KAPPA_STR("Apollo-Require-Preflight")));
    assert_true(kappa_csrf_is_custom(KAPPA_STR("x-apollo-operation-name")));
    assert_true(kappa_csrf_is_custom(KAPPA_STR("GraphQL-Preflight")));
    assert_false(kappa_csrf_is_custom(KAPPA_STR("accept")));
    assert_false(kappa_csrf_is_custom(KAPPA_STR("")));
}

static void
takes_origins(void **state)
{
    static const char *const urls[][2] = {
        { "https://a.example/b/c?d", "https://a.example" },
        { "http://a:8080", "http://a:8080" },
        { "http://a?x", "http://a" },
        { "http://", "http://" },
        { "about:blank", NULL },
        { "", NULL },
        { "//", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        kappa_str_t origin = kappa_csrf_origin(kappa_str_c(urls[i][0]));

        if (urls[i][1] == NULL) {
            assert_null(origin.data);
        } else {
            assert_str_equal(origin, urls[i][1]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_pages_apart),
        cmocka_unit_test(knows_headers),
        cmocka_unit_test(takes_origins),
    };
    return cmocka_run_group_tests_name("proto/csrf", tests, NULL, NULL);
}
