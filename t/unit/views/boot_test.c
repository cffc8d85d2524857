#include "t/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/boot.h"

static char path[64];
static int dir;

static void
write_file(const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int
set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kappa-boot-XXXXXX");
    assert_non_null(mkdtemp(path));
    dir = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    write_file("data.mdb", "12345678");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlinkat(dir, "boot", 0);
    unlinkat(dir, "boot.tmp", AT_REMOVEDIR);
    unlinkat(dir, "clean", 0);
    unlinkat(dir, "data.mdb", 0);
    close(dir);
    return rmdir(path);
}

static bool
trusted(const char *boot_id)
{
    bool is;

    assert_int_equal(kappa_boot_trusted(dir, boot_id, &is, NULL), KAPPA_OK);
    return is;
}

static void
dirty(const char *boot_id)
{
    bool ours = false;

    assert_int_equal(kappa_boot_dirty(dir, boot_id, &ours, NULL), KAPPA_OK);
    assert_true(ours);
}

static void
believes_one_boot(void **state)
{
    (void)state;
    assert_false(trusted("one")); /* nothing known */
    assert_int_equal(kappa_boot_begin(dir, "one", NULL), KAPPA_OK);
    assert_true(trusted("one"));
    assert_false(trusted("two")); /* the system crashed */
    assert_false(trusted("on"));
    assert_false(trusted("one1"));
}

static void
believes_what_was_closed_in_order(void **state)
{
    (void)state;
    assert_int_equal(kappa_boot_begin(dir, "one", NULL), KAPPA_OK);
    assert_int_equal(kappa_boot_clean(dir, NULL), KAPPA_OK);
    assert_true(trusted("two"));
    dirty("two"); /* the next committer */
    assert_true(trusted("two"));
    assert_false(trusted("one"));
    assert_false(trusted("three"));
}

static void
a_mark_goes_with_each_commit(void **state)
{
    bool ours = false;

    (void)state;
    assert_int_equal(kappa_boot_begin(dir, "one", NULL), KAPPA_OK);
    assert_int_equal(kappa_boot_dirty(dir, "one", &ours, NULL), KAPPA_OK);
    assert_int_equal(kappa_boot_clean(dir, NULL), KAPPA_OK); /* another's */
    assert_int_equal(kappa_boot_dirty(dir, "one", &ours, NULL), KAPPA_OK);
    assert_false(trusted("two"));
}

/* Copied while it was in use, within one boot: another directory. */
static void
does_not_believe_a_copy(void **state)
{
    char text[128];
    int fd;

    (void)state;
    assert_int_equal(kappa_boot_begin(dir, "one", NULL), KAPPA_OK);
    fd = openat(dir, "boot", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';

    int original = dir;
    char copy[80];
    snprintf(copy, sizeof copy, "%s/copy", path);
    assert_int_equal(mkdir(copy, 0700), 0);
    dir = open(copy, O_RDONLY | O_DIRECTORY);
    write_file("boot", text);
    write_file("data.mdb", "12345678");
    assert_false(trusted("one"));
    assert_int_equal(kappa_boot_clean(dir, NULL), KAPPA_OK);
    assert_true(trusted("one"));
    unlinkat(dir, "boot", 0);
    unlinkat(dir, "clean", 0);
    unlinkat(dir, "data.mdb", 0);
    close(dir);
    dir = original;
    assert_int_equal(rmdir(copy), 0);
    assert_true(trusted("one"));
}

/* Copied when it was closed, and the copy broke off. */
static void
does_not_believe_what_is_shorter(void **state)
{
    static const struct {
        const char *data;
        bool believed;
    } cases[] = { { "12345678", true }, { "123456789", true },
        { "1234567", false }, { "", false }, { NULL, false } };

    (void)state;
    assert_int_equal(kappa_boot_begin(dir, "one", NULL), KAPPA_OK);
    assert_int_equal(kappa_boot_clean(dir, NULL), KAPPA_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].data) {
            write_file("data.mdb", cases[i].data);
        } else {
            unlinkat(dir, "data.mdb", 0);
        }
        assert_int_equal(trusted("one"), cases[i].believed);
        assert_int_equal(trusted("two"), cases[i].believed);
    }
    assert_int_equal(kappa_boot_clean(dir, NULL), KAPPA_IO);
    write_file("data.mdb", "12345678");
    write_file("clean", "clea");
    assert_false(trusted("one"));
}

static void
says_what_it_can_not_write(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    bool ours = false;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(mkdirat(dir, "boot.tmp", 0700), 0);
    assert_int_equal(kappa_boot_dirty(dir, "one", &ours, &errors), KAPPA_IO);
    assert_false(ours);
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.first->code, "STORE_UNAVAILABLE");
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(believes_one_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            believes_what_was_closed_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_mark_goes_with_each_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            does_not_believe_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            does_not_believe_what_is_shorter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            says_what_it_can_not_write, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("views/boot", tests, NULL, NULL);
}
