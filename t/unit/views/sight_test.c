#include "t/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/sight.h"

static int store;

static void
put(const char *path)
{
    int fd = openat(store, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

/* As `current` and `about` are replaced. */
static void
replace(const char *path)
{
    put("new");
    assert_int_equal(renameat(store, "new", store, path), 0);
}

static void
sees_what_was_replaced(void **state)
{
    static const char *const replaced[] = { "views/current",
        "views/0002/about" };
    kappa_sight_t before, after;
    char dir[] = "/tmp/kappa-sight-XXXXXX", command[64];

    (void)state;
    assert_non_null(mkdtemp(dir));
    store = open(dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(store, "views", 0700), 0);
    assert_int_equal(mkdirat(store, "views/0002", 0700), 0);
    assert_false(kappa_sight_take(store, 2, &before));
    put("views/current");
    assert_false(kappa_sight_take(store, 2, &before));
    put("views/0002/about");
    assert_true(kappa_sight_take(store, 2, &before));
    assert_true(kappa_sight_take(store, 2, &after));
    assert_true(kappa_sight_same(&before, &after));
    assert_false(kappa_sight_take(store, 3, &after));
    for (size_t i = 0; i < COUNT(replaced); i++) {
        assert_true(kappa_sight_take(store, 2, &before));
        replace(replaced[i]);
        assert_true(kappa_sight_take(store, 2, &after));
        assert_false(kappa_sight_same(&before, &after));
    }
    close(store);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_was_replaced),
    };

    return cmocka_run_group_tests_name("views/sight", tests, NULL, NULL);
}
