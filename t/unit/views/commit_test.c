#include "t/unit/views/store_case.h"

#include "log/io.h"

/* What a commit tells of itself. */

static void
add(const char *name, const char *key)
{
    char text[128];

    snprintf(text, sizeof text,
        "mutation { add(name: \"%s\", stock: 1) { name } }", name);
    mutate_as(&f, text, key, NULL);
}

static void
tells_of_each_batch(void **state)
{
    static const struct {
        const char *name, *key;
        uint32_t events, duplicates;
    } cases[] = {
        { "a", NULL, 1, 0 }, { "b", "once", 1, 0 },
        { "b", "once", 0, 1 }, /* again */
        { "a", NULL, 0, 0 },   /* refused: it is there */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        add(cases[i].name, cases[i].key);
        assert_int_equal(f.commits, i + 1);
        assert_int_equal(f.commit.status, KAPPA_OK);
        assert_int_equal(f.commit.events, cases[i].events);
        assert_int_equal(f.commit.duplicates, cases[i].duplicates);
        assert_true(f.commit.total_us
            >= f.commit.lock_us + f.commit.append_us + f.commit.views_us);
        if (cases[i].events == 0) {
            assert_int_equal(f.commit.append_us, 0);
            assert_int_equal(f.commit.views_us, 0);
        }
    }
}

static void
tells_of_a_batch_once(void **state)
{
    bool done[3];
    kappa_job_t *jobs[3];
    static const char *const texts[] = {
        "mutation { add(name: \"a\", stock: 1) { name } }",
        "mutation { add(name: \"a\", stock: 1) { name } }",
        "mutation { x: add(name: \"b\", stock: 1) { name } "
        "y: add(name: \"c\", stock: 1) { name } }",
    };

    (void)state;
    for (int i = 0; i < 3; i++) {
        jobs[i] = make_job(&f, texts[i], NULL, &done[i]);
        if (i > 0) {
            jobs[i - 1]->next = jobs[i];
        }
    }
    kappa_store_commit(f.store, jobs[0]);
    assert_int_equal(f.commits, 1);
    assert_int_equal(f.commit.events, 3);
    for (int i = 0; i < 3; i++) {
        end_job(&f, jobs[i]);
    }
}

/* --- a disk that fails and then works again */

static bool full;

static ssize_t
pwrite_or_not(void *ctx, int fd, const void *from, size_t n, uint64_t at)
{
    return full ? -28 : kappa_log_io_libc.pwrite(ctx, fd, from, n, at);
}

static void
tells_of_failures(void **state)
{
    static kappa_log_io_t io;
    static const kappa_log_options_t log = { .io = &io };

    (void)state;
    io = kappa_log_io_libc;
    io.pwrite = pwrite_or_not;
    full = false;
    f.log = &log;
    reopen(&f);
    full = true;
    add("a", NULL);
    full = false;
    assert_int_not_equal(f.commit.status, KAPPA_OK);
    assert_int_equal(f.commit.events, 0);
    add("a", NULL);
    assert_int_equal(f.commit.status, KAPPA_OK);
    assert_int_equal(f.commit.events, 1);
    assert_int_equal(kappa_store_durable(f.store), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_of_each_batch),
        TEST(tells_of_a_batch_once),
        TEST(tells_of_failures),
    };
    return cmocka_run_group_tests_name("views/commit", tests, NULL, NULL);
}
