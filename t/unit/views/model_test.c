#include "t/unit/views/fixture.h"

#include <dirent.h>

#include "t/unit/alloc_failing.h"

#define SCHEMAS "t/unit/views/schemas/"

/* Calls each with every .graphql file of a folder. */
static void
each_schema(const char *folder,
    void (*each)(kappa_arena_t *arena, const char *path, kappa_str_t text))
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (!strstr(entry->d_name, ".graphql")) {
            continue;
        }
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_str_t path =
            kappa_str_printf(arena, "%s%s", folder, entry->d_name);

        each(arena, path.data, read_fixture(arena, path.data));
        kappa_arena_destroy(arena);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

static void
loads_one(kappa_arena_t *arena, const char *path, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_model_load(arena, kappa_str_c(path), text, &model, &errors);
    if (status != KAPPA_OK) {
        fail_msg("%s: %d\n%s", path, status, print_errors(arena, &errors));
    }
}

static void
loads_what_is_right(void **state)
{
    (void)state;
    each_schema(SCHEMAS "valid/", loads_one);
}

/* A schema that is refused begins with comments, `# line:column: message`,
 * one for each error, in order. Places count from the first line of the file.
 * A message may be cut short by "…". */
static void
refuses_one(kappa_arena_t *arena, const char *path, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_model_t *model;
    kappa_str_t rest = text;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_model_load(arena, kappa_str_c(path), text, &model, &errors);
    const char *got = print_errors(arena, &errors);
    if (status != KAPPA_INVALID) {
        fail_msg("%s: %d\n%s", path, status, got);
    }
    while (kappa_str_starts_with(rest, KAPPA_STR("# "))) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = (size_t)(end - rest.data);
        size_t want = len - 2;
        const char *line_end = strchr(got, '\n');

        if (want > 3 && memcmp(end - 3, "\xe2\x80\xa6", 3) == 0) {
            want -= 3;
        } else if (line_end && want != (size_t)(line_end - got)) {
            want = SIZE_MAX;
        }
        if (!line_end || want > (size_t)(line_end - got)
            || memcmp(got, rest.data + 2, want) != 0) {
            fail_msg("%s: expected %.*s\ngot %s", path, (int)len, rest.data,
                print_errors(arena, &errors));
        }
        got = line_end + 1;
        rest.data += len + 1;
        rest.len -= len + 1;
    }
    if (*got) {
        fail_msg("%s: not expected: %s", path, got);
    }
}

static void
refuses_what_is_wrong(void **state)
{
    (void)state;
    each_schema(SCHEMAS "invalid/", refuses_one);
}

static kappa_status_t
load_with(const kappa_alloc_t *alloc, void *ctx)
{
    const kappa_str_t *text = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 256);
    kappa_errors_t errors;
    kappa_model_t *model;

    if (!arena) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_model_load(
        arena, KAPPA_STR("s.graphql"), *text, &model, &errors);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = read_fixture(arena, SCHEMAS "valid/catalogue.graphql");

    (void)state;
    kappa_alloc_failing_each(load_with, &text);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_is_right),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
