#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *input;
    const char *options[8];
    const char *what;
    const char *expected;
} cases[] = {
    { "nmae", { "name", "size" }, NULL, " Did you mean \"name\"?" },
    { "NAME", { "name", "nam" }, NULL, " Did you mean \"nam\" or \"name\"?" },
    { "abc", { "abd", "abe", "ab" }, "the field",
        " Did you mean the field \"ab\", \"abd\", or \"abe\"?" },
    { "abc", { "xyz", "abcdefgh" }, NULL, "" },
    { "a", { "a1", "a2", "a3", "a4", "a5", "a6" }, NULL,
        " Did you mean \"a1\", \"a2\", \"a3\", \"a4\", or \"a5\"?" },
    { "", { "a" }, NULL, " Did you mean \"a\"?" },
    { "reprot", { "report" }, NULL, " Did you mean \"report\"?" },
    { "n234567890123456789012345678901234567890123456789012345678901234x",
        { "n234567890123456789012345678901234567890123456789012345678901234"
          "y" },
        NULL, "" },
};

static void
names_what_is_near(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_suggest_t suggest;

        kappa_suggest_init(&suggest, kappa_str_c(cases[i].input));
        for (int j = 0; j < 8 && cases[i].options[j] != NULL; j++) {
            kappa_suggest_try(&suggest, kappa_str_c(cases[i].options[j]));
        }
        kappa_str_t text = kappa_suggest_print(&suggest, arena, cases[i].what);
        text = kappa_str_dup(arena, text);
        assert_string_equal(text.data, cases[i].expected);
    }
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_near),
    };

    return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
