#include "t/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/unit/alloc_failing.h"
#include "views/file.h"
#include "views/generation.h"

static char path[64];
static int views;
static kappa_arena_t *arena;
static kappa_errors_t errors;

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-generation-XXXXXX");
    assert_non_null(mkdtemp(path));
    views = open(path, O_RDONLY | O_DIRECTORY);
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, arena, 0);
    return views < 0 || arena == NULL;
}

static void
remove_one(void *ctx, uint32_t number)
{
    (void)ctx;
    kappa_generation_remove(views, number);
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_generations_each(views, remove_one, NULL, NULL);
    unlinkat(views, "current", 0);
    close(views);
    kappa_arena_destroy(arena);
    return rmdir(path);
}

static kappa_generation_t *
make(void)
{
    kappa_generation_t *generation;

    assert_int_equal(kappa_generation_make(views, &kappa_alloc_libc, "boot",
                         &generation, &errors),
        KAPPA_OK);
    return generation;
}

static kappa_about_t
about_of(uint32_t revision)
{
    kappa_about_t about = { .revision = revision,
        .schema_name = KAPPA_STR("/etc/my catalogue.graphql") };

    strcpy(about.epoch.name, "abcdefgh");
    return about;
}

static void
current_names_a_generation(void **state)
{
    static const struct {
        const char *text;
        kappa_status_t status;
        uint32_t number;
    } cases[] = {
        { "0001\n", KAPPA_OK, 1 },
        { "0417", KAPPA_OK, 417 },
        { "12345\n", KAPPA_OK, 12345 },
        { "", KAPPA_CORRUPT, 0 },
        { "1\n", KAPPA_CORRUPT, 0 },
        { "0000\n", KAPPA_CORRUPT, 0 },
        { "00001\n", KAPPA_CORRUPT, 0 },
        { "../x\n", KAPPA_CORRUPT, 0 },
        { "-001\n", KAPPA_CORRUPT, 0 },
        { "0001\n\n", KAPPA_CORRUPT, 0 },
        { "999999999\n", KAPPA_CORRUPT, 0 },
        { "0001                                     1\n", KAPPA_CORRUPT, 0 },
    };
    uint32_t number = 0;

    (void)state;
    assert_int_equal(
        kappa_current_read(views, &number, &errors), KAPPA_NOT_FOUND);
    for (size_t i = 0; i < COUNT(cases); i++) {
        number = 0;
        kappa_file_replace(views, "current", kappa_str_c(cases[i].text), NULL);
        assert_int_equal(
            kappa_current_read(views, &number, NULL), cases[i].status);
        assert_int_equal(number, cases[i].number);
    }
    assert_int_equal(kappa_current_write(views, 12, NULL), KAPPA_OK);
    assert_int_equal(kappa_current_read(views, &number, NULL), KAPPA_OK);
    assert_int_equal(number, 12);
}

static void
numbers_only_rise(void **state)
{
    (void)state;
    kappa_generation_t *one = make(), *two = make();

    assert_int_equal(one->number, 1);
    assert_int_equal(two->number, 2);
    kappa_generation_close(one);
    kappa_generation_remove(views, 1);
    kappa_generation_t *three = make();
    assert_int_equal(three->number, 3);
    kappa_generation_close(two);
    kappa_generation_close(three);
    assert_int_equal(
        kappa_generation_open(views, 1, &kappa_alloc_libc, &one, &errors),
        KAPPA_NOT_FOUND);
}

static void
keeps_what_it_is_about(void **state)
{
    (void)state;
    kappa_generation_t *generation = make();
    kappa_about_t about = about_of(1), got;
    kappa_str_t text;

    assert_int_equal(kappa_generation_revision(generation), 0);
    assert_int_equal(kappa_generation_about(generation, arena, &got, &errors),
        KAPPA_CORRUPT);
    for (about.revision = 1; about.revision <= 3; about.revision++) {
        char schema[32];
        snprintf(schema, sizeof schema, "type Query%u", about.revision);
        assert_int_equal(kappa_generation_adopt(
                             generation, &about, kappa_str_c(schema), &errors),
            KAPPA_OK);
        assert_int_equal(
            kappa_generation_about(generation, arena, &got, &errors),
            KAPPA_OK);
        assert_int_equal(got.revision, about.revision);
        assert_int_equal(
            kappa_generation_revision(generation), about.revision);
        assert_string_equal(got.epoch.name, "abcdefgh");
        assert_str_equal(got.schema_name, "/etc/my catalogue.graphql");
        assert_int_equal(kappa_generation_schema(generation, about.revision,
                             arena, &text, &errors),
            KAPPA_OK);
        assert_str_equal(text, schema);
    }
    /* The one before stays, for who reads without the lock. */
    assert_int_equal(
        kappa_generation_schema(generation, 2, arena, &text, &errors),
        KAPPA_OK);
    assert_int_equal(
        kappa_generation_schema(generation, 1, arena, &text, &errors),
        KAPPA_CORRUPT);
    kappa_generation_close(generation);
}

/* Makes generation `number`, complete. */
static void
complete(void)
{
    kappa_generation_t *generation = make();
    kappa_about_t about = about_of(1);

    assert_int_equal(
        kappa_generation_adopt(generation, &about, KAPPA_STR("x"), &errors),
        KAPPA_OK);
    kappa_generation_close(generation);
}

static uint32_t
before(uint32_t serving)
{
    uint32_t number = 0;

    assert_int_equal(
        kappa_generation_before(views, serving, &number, &errors), KAPPA_OK);
    return number;
}

/* Not to know it is not to have none: who sweeps would delete it. */
static void
knows_the_one_before(void **state)
{
    uint32_t number;

    (void)state;
    assert_int_equal(before(1), 0);
    complete();
    complete();
    kappa_generation_close(make()); /* 3, not complete */
    complete();
    assert_int_equal(before(4), 2);
    kappa_previous_write(views, 1, NULL);
    assert_int_equal(before(4), 1);
    kappa_previous_write(views, 3, NULL);
    assert_int_equal(before(4), 2);
    kappa_file_replace(views, "previous", KAPPA_STR("nothing"), NULL);
    assert_int_equal(before(4), 2);
    assert_null(errors.first);

    unlinkat(views, "previous", 0);
    assert_int_equal(mkdirat(views, "previous", 0700), 0);
    assert_int_equal(
        kappa_generation_before(views, 4, &number, &errors), KAPPA_IO);
    assert_non_null(errors.first);
    unlinkat(views, "previous", AT_REMOVEDIR);
}

static void
refuses_what_it_did_not_write(void **state)
{
    static const char *const good = "kappa views 1\nepoch abcdefgh\n"
                                    "revision 1\nprojections "
                                    "00000000000000000000000000000000"
                                    "00000000000000000000000000000000\n"
                                    "schema x\n";
    kappa_generation_t *generation = make();
    kappa_about_t got;
    char text[256];

    (void)state;
    kappa_file_replace(generation->dir, "about", kappa_str_c(good), NULL);
    assert_int_equal(
        kappa_generation_about(generation, arena, &got, NULL), KAPPA_OK);
    for (size_t i = 0; i < strlen(good); i++) {
        strcpy(text, good);
        kappa_file_replace(generation->dir, "about", kappa_str(text, i), NULL);
        assert_int_equal(kappa_generation_about(generation, arena, &got, NULL),
            KAPPA_CORRUPT);
        if (text[i] == 'x' || good[i] == '0') {
            continue; /* the name may be anything, and digits digits */
        }
        text[i] = '\n' == text[i] ? ' ' : '\n';
        kappa_file_replace(generation->dir, "about", kappa_str_c(text), NULL);
        assert_int_equal(kappa_generation_about(generation, arena, &got, NULL),
            KAPPA_CORRUPT);
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_file_replace(generation->dir, "about",
        KAPPA_STR("kappa views 2\nanything\n"), NULL);
    assert_int_equal(kappa_generation_about(generation, arena, &got, &errors),
        KAPPA_CORRUPT);
    assert_non_null(
        strstr(errors.first->message.data, "a newer version of kappa"));
    kappa_generation_close(generation);
}

static void
knows_whether_it_is_still_there(void **state)
{
    (void)state;
    kappa_generation_t *generation = make();

    assert_true(kappa_generation_there(generation, views));
    kappa_generation_remove(views, 1);
    assert_false(kappa_generation_there(generation, views));
    kappa_generation_t *again = make(); /* takes the same name */
    assert_int_equal(again->number, 1);
    assert_false(kappa_generation_there(generation, views));
    assert_true(kappa_generation_there(again, views));
    kappa_generation_close(again);
    kappa_generation_close(generation);
}

static kappa_status_t
whole_life(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_generation_t *generation = NULL;
    kappa_about_t about = about_of(1), got;
    kappa_arena_t *mine = kappa_arena_create(alloc, 0);
    kappa_status_t status = mine
        ? kappa_generation_make(views, alloc, "boot", &generation, NULL)
        : KAPPA_NOMEM;

    (void)ctx;
    if (status == KAPPA_OK) {
        status = kappa_generation_adopt(
            generation, &about, KAPPA_STR("type Query"), NULL);
        if (status == KAPPA_OK) {
            status = kappa_generation_about(generation, mine, &got, NULL);
        }
        kappa_generation_close(generation);
    }
    kappa_arena_destroy(mine);
    return status;
}

static void
survives_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(whole_life, NULL);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(current_names_a_generation),
        TEST(numbers_only_rise),
        TEST(keeps_what_it_is_about),
        TEST(knows_the_one_before),
        TEST(refuses_what_it_did_not_write),
        TEST(knows_whether_it_is_still_there),
        TEST(survives_no_memory),
    };
    return cmocka_run_group_tests_name("views/generation", tests, NULL, NULL);
}
