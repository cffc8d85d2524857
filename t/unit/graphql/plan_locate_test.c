#include "graphql/plan_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/unit/test.h"

/* Every place is the one that kappa_source_location finds the slow way. */
static void
agrees_with(kappa_arena_t *arena, kappa_str_t text)
{
    kappa_source_t source = { KAPPA_STR("test"), text };
    kappa_plan_locator_t locator;

    assert_int_equal(kappa_plan_locator_init(&locator, arena, text), KAPPA_OK);
    for (size_t i = 0; i <= text.len; i++) {
        kappa_location_t expected;
        kappa_plan_place_t place;

        if (i < text.len && (text.data[i] & 0xC0) == 0x80) {
            continue; /* within a character */
        }
        expected = kappa_source_location(&source, i);
        place = kappa_plan_locate(&locator, i);
        if (place.line != expected.line || place.column != expected.column) {
            fail_msg("offset %zu of \"%.*s\": %u:%u is not %u:%u", i,
                KAPPA_STR_ARG(text), place.line, place.column, expected.line,
                expected.column);
        }
    }
}

static void
counts_lines_and_columns(void **state)
{
    static const char *const pieces[] = { "a", "field", " ", "\n", "\r",
        "\r\n", "é", "\xF0\x9F\x98\x80", "#", "\t" };
    unsigned seed = (unsigned)kappa_str_hash(KAPPA_STR("a seed"));
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    (void)state;
    printf("# seed %u\n", seed);
    agrees_with(arena, KAPPA_STR(""));
    agrees_with(arena, KAPPA_STR("\n"));
    for (int i = 0; i < 50; i++) {
        char text[1024];
        size_t len = 0, wanted = (size_t)rand_r(&seed) % 700;

        while (len < wanted) {
            const char *piece = pieces[(size_t)rand_r(&seed) % COUNT(pieces)];

            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        agrees_with(arena, kappa_str(text, len));
    }
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_lines_and_columns),
    };

    return cmocka_run_group_tests_name("plan_locate", tests, NULL, NULL);
}
