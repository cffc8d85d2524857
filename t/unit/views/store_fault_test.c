#include "t/unit/views/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "t/unit/alloc_failing.h"

/* What a failing disk, a full map and a lack of memory do to commits. */

static fixture_t f;

/* The log's system calls, some of which fail. */
static struct {
    int syncs;  /* fdatasync calls to fail */
    int writes; /* pwrite calls to fail */
    int error;
} fault;

static int
fdatasync_or_not(void *ctx, int fd)
{
    if (fault.syncs > 0) {
        fault.syncs--;
        return -fault.error;
    }
    return kappa_log_io_libc.fdatasync(ctx, fd);
}

static ssize_t
pwrite_or_not(void *ctx, int fd, const void *from, size_t n, uint64_t at)
{
    if (fault.writes > 0) {
        fault.writes--;
        return -fault.error;
    }
    return kappa_log_io_libc.pwrite(ctx, fd, from, n, at);
}

static int
set_up(void **state)
{
    static kappa_log_io_t io;
    static kappa_log_options_t options;

    (void)state;
    io = kappa_log_io_libc;
    io.fdatasync = fdatasync_or_not;
    io.pwrite = pwrite_or_not;
    options.io = &io;
    memset(&fault, 0, sizeof fault);
    make_store(&f);
    f.log = &options;
    open_store(&f);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 100) { stock } }");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    end_store(&f);
    return 0;
}

#define TAKE "mutation { take(name: \"a\", amount: 1) { stock } }"

static const char *
stock(void)
{
    return query_text(&f, "{ item(name: \"a\") { stock } }");
}

/* --- the disk */

static void
a_failed_sync_appends_nothing(void **state)
{
    kappa_job_t job;

    (void)state;
    fault.syncs = 1;
    fault.error = EIO;
    const char *got = mutate_as(&f, TAKE, "k", &job);
    assert_contains(got, "LOG_UNAVAILABLE");
    assert_int_equal(job.status, KAPPA_IO);
    assert_int_equal(job.appended, 0);
    assert_int_equal(kappa_store_position(f.store), 1);
    assert_contains(stock(), "100"); /* queries go on */

    assert_contains(mutate_as(&f, TAKE, "k", &job), "99");
    assert_false(job.duplicate);
    verify_store(&f);
}

static void
a_full_disk_appends_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        fault.writes = 1;
        fault.error = ENOSPC;
        assert_contains(mutate_text(&f, TAKE), "LOG_UNAVAILABLE");
    }
    fault.writes = 0;
    assert_contains(mutate_text(&f, TAKE), "99");
    reopen(&f);
    assert_contains(stock(), "99");
    verify_store(&f);
}

static void
a_batch_fails_together(void **state)
{
    static const char *const texts[] = { TAKE,
        "mutation { add(name: \"a\", stock: 1) { stock } }", TAKE };
    kappa_job_t *jobs[COUNT(texts)];
    bool done[COUNT(texts)];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        jobs[i] = make_job(&f, texts[i], NULL, &done[i]);
        if (i) {
            jobs[i - 1]->next = jobs[i];
        }
    }
    fault.syncs = 1;
    fault.error = EIO;
    kappa_store_commit(f.store, jobs[0]);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_true(done[i]);
        assert_contains(end_job(&f, jobs[i]), "LOG_UNAVAILABLE");
    }
    assert_contains(stock(), "100");
    verify_store(&f);
}

static void
what_can_not_be_known_is_said_so(void **state)
{
    kappa_job_t job;

    (void)state;
    fault.syncs = 1000;
    fault.error = EIO;
    assert_contains(mutate_as(&f, TAKE, "k", &job), "OUTCOME_UNKNOWN");
    assert_int_equal(job.status, KAPPA_UNKNOWN);
    assert_contains(mutate_as(&f, TAKE, "k", NULL), "LOG_UNAVAILABLE");
    assert_contains(stock(), "100");

    fault.syncs = 0; /* the disk is back: the same key, applied once */
    assert_contains(mutate_as(&f, TAKE, "k", NULL), "99");
    assert_contains(mutate_as(&f, TAKE, "k", &job), "99");
    assert_true(job.duplicate);
    verify_store(&f);
}

#define ADD(name)                                                             \
    "{\"thing\":\"Item\",\"verb\":\"added\",\"data\":{\"name\":\"" name       \
    "\",\"stock\":1}}\n"

/* A position that is told is one of the log's. */
static void
an_upload_is_told_no_position_that_is_not_there(void **state)
{
    (void)state;
    fault.syncs = 1;
    fault.error = EIO;
    kappa_job_t job = append_lines(&f, ADD("b") ADD("c"));
    assert_string_equal(job.code, "LOG_UNAVAILABLE");
    assert_int_equal(job.seq, 0);
    assert_int_equal(job.appended, 0);

    fault.syncs = 1000;
    job = append_lines(&f, ADD("b") ADD("c"));
    assert_string_equal(job.code, "OUTCOME_UNKNOWN");
    assert_int_equal(job.seq, 0);

    fault.syncs = 0;
    job = append_lines(&f, ADD("d") ADD("e") ADD("d") ADD("g"));
    assert_string_equal(job.code, "ALREADY_EXISTS");
    assert_int_equal(job.seq, kappa_store_position(f.store));
    job = append_lines(&f, ADD("d"));
    assert_int_equal(job.seq, 0);
    verify_store(&f);
}

static void
an_unknown_outcome_outlives_the_process(void **state)
{
    (void)state;
    fault.syncs = 1000;
    fault.error = EIO;
    assert_contains(mutate_as(&f, TAKE, "k", NULL), "OUTCOME_UNKNOWN");
    close_store(&f, false);
    fault.syncs = 0;
    open_store(&f);
    assert_contains(mutate_as(&f, TAKE, "k", NULL), "99");
    assert_contains(stock(), "99");
    verify_store(&f);
}

static void
reads_go_on_when_the_log_can_not(void **state)
{
    (void)state;
    fault.syncs = 1000;
    fault.error = EIO;
    assert_contains(mutate_text(&f, TAKE), "OUTCOME_UNKNOWN");
    close_store(&f, false);
    open_store(&f); /* the disk fails still */
    assert_true(kappa_store_ready(f.store));
    assert_contains(f.said, "only reading");
    assert_contains(stock(), "100");
    assert_contains(mutate_text(&f, TAKE), "LOG_UNAVAILABLE");
}

/* Somebody else's. */
static int
hold_the_lock(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/log/lock", f.dir);
    int fd = open(path, O_RDWR);

    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    f.patience_ms = 20;
    return fd;
}

/* Its holder is stopped: nothing can be decided, but views of this boot can't
 * have become untrue. What is offered waits until the lock can be had. */
static void
reads_go_on_when_the_lock_can_not_be_had(void **state)
{
    (void)state;
    close_store(&f, false);
    f.schema = kappa_str_printf(f.arena, "%s\n# the same\n", shop).data;
    int fd = hold_the_lock();

    open_store(&f);
    assert_true(kappa_store_ready(f.store));
    assert_contains(f.said, "only reading");
    assert_contains(f.said, "holds the log's lock");
    assert_contains(stock(), "100");
    assert_int_equal(kappa_store_version(f.store), 1);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_version(f.store), 1);
    close(fd);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    assert_int_equal(kappa_store_version(f.store), 2);
    assert_contains(mutate_text(&f, TAKE), "99");
    verify_store(&f);
}

static void
what_may_be_untrue_waits_for_the_lock(void **state)
{
    (void)state;
    close_store(&f, false);
    int fd = hold_the_lock();

    f.boot_id = "another boot";
    assert_int_equal(try_open(&f), KAPPA_IO);
    assert_contains(first_error(&f), "holds the log's lock");
    close(fd);
    open_store(&f);
    assert_contains(f.said, "are discarded");
    assert_contains(stock(), "100");
}

/* --- the views */

static const char *
add_large(int i)
{
    char *text = malloc(40000);

    sprintf(text,
        "mutation { add(name: \"n%d\", stock: 1, shelf: \"%0200d\","
        " code: \"%030000d\") { stock } }",
        i, i, i);
    char *code = strstr(text, ", code:"); /* no key may be that long */
    memcpy(code, ") { stock } }", 14);
    const char *got = mutate_text(&f, text);
    free(text);
    return got;
}

static void
full_views_lose_no_event(void **state)
{
    kappa_store_options_t options = { .dir = kappa_str_c(f.dir),
        .map_size = 320 * 1024,
        .alloc = &kappa_alloc_libc };
    int good = 0;

    (void)state;
    close_store(&f, false);
    remove_tree(kappa_str_printf(f.arena, "%s/views", f.dir).data);
    assert_int_equal(
        kappa_store_open(&options, &f.store, &f.errors), KAPPA_OK);
    for (int i = 0; i < 1000; i++) {
        const char *got = add_large(i);
        if (strstr(got, "STORE_UNAVAILABLE")) {
            break;
        }
        assert_contains(got, "\"stock\":1");
        good++;
    }
    assert_in_range(good, 20, 999);
    assert_contains(stock(), "100");
    reopen(&f); /* with a larger map */
    assert_int_equal(kappa_store_position(f.store), 1 + good);
    verify_store(&f);
}

/* --- no memory */

static kappa_status_t
open_with(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_store_options_t options = { .dir = kappa_str_c(f.dir),
        .schema_name = KAPPA_STR("shop.graphql"),
        .schema_text = KAPPA_STR(""),
        .map_size = FIXTURE_MAP,
        .alloc = alloc };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_store_t *store;
    kappa_errors_t errors;

    (void)ctx;
    options.schema_text = kappa_str_c(shop);
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_store_open(&options, &store, &errors);
    if (status == KAPPA_OK) {
        kappa_store_close(store, true);
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
opens_without_memory(void **state)
{
    (void)state;
    close_store(&f, false);
    kappa_alloc_failing_each(open_with, NULL);
    open_store(&f);
    verify_store(&f);
}

/* Two events as they come, instead of a mutation. */
static void
make_events(kappa_job_t *job, kappa_arena_t *arena)
{
    static const char *const lines[] = { ADD("x1"), ADD("x2") };

    kappa_plan_release(job->plan);
    job->plan = NULL;
    job->events = KAPPA_NEW_ARRAY(arena, kappa_event_t, COUNT(lines));
    job->event_count = COUNT(lines);
    for (size_t i = 0; i < COUNT(lines); i++) {
        kappa_event_t *event = &job->events[i];
        kappa_str_t line = kappa_str(lines[i], strlen(lines[i]) - 1);

        assert_int_equal(
            kappa_event_parse_json(arena, line, event, NULL), KAPPA_OK);
        event->effect = KAPPA_EFFECT_UPSERT;
    }
}

/* One try with its n-th allocation failing: whatever the answer, it is true.
 * *failed: one did fail. */
static int
commit_with(size_t n, bool events, bool *failed)
{
    kappa_arena_t *lines = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_alloc_failing_t failing;
    kappa_store_options_t options = { .dir = kappa_str_c(f.dir),
        .map_size = FIXTURE_MAP,
        .alloc = &failing.alloc };
    bool done;
    kappa_store_t *store;

    kappa_alloc_failing_init(&failing, 0);
    assert_int_equal(kappa_store_open(&options, &store, &f.errors), KAPPA_OK);
    f.store = store;
    kappa_job_t *job = make_job(&f, TAKE, NULL, &done);
    kappa_arena_destroy(job->arena);
    job->arena = kappa_arena_create(&failing.alloc, 64);
    if (events) {
        make_events(job, lines);
    }

    uint64_t before = kappa_store_position(store);
    failing.fail_at = failing.count + n;
    kappa_store_commit(store, job);
    *failed = failing.count >= failing.fail_at;
    failing.fail_at = 0;
    assert_true(done);
    int appended = (int)job->appended;
    assert_int_equal(kappa_store_position(store), before + job->appended);
    if (job->status != KAPPA_OK) {
        assert_int_equal(appended, 0);
        assert_int_equal(job->seq, 0);
        assert_true(strcmp(job->code, "OVERLOADED") == 0
            || strcmp(job->code, "STORE_UNAVAILABLE") == 0
            || strcmp(job->code, "LOG_UNAVAILABLE") == 0);
    }
    end_job(&f, job);
    assert_contains(mutate_text(&f, TAKE), "{\"data\":{\"take\":{\"stock\":");
    kappa_store_close(store, false);
    f.store = NULL;
    assert_int_equal(failing.live, 0);
    kappa_arena_destroy(lines);
    return appended + 1;
}

static void
commit_each(bool events)
{
    bool failed = true;
    int appended = 0, n = 1;

    mutate_text(&f, "mutation { take(name: \"a\", amount: -5000) { stock } }");
    close_store(&f, false);
    for (; failed; n++) {
        assert_in_range(n, 1, 2000);
        appended += commit_with((size_t)n, events, &failed);
    }
    assert_true(n > 10);
    f.schema = shop;
    open_store(&f);
    assert_int_equal(kappa_store_position(f.store), 2 + appended);
    verify_store(&f);
}

static void
commits_without_memory(void **state)
{
    (void)state;
    commit_each(false);
}

static void
uploads_without_memory(void **state)
{
    (void)state;
    commit_each(true);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_failed_sync_appends_nothing),
        TEST(a_full_disk_appends_nothing),
        TEST(a_batch_fails_together),
        TEST(what_can_not_be_known_is_said_so),
        TEST(an_upload_is_told_no_position_that_is_not_there),
        TEST(an_unknown_outcome_outlives_the_process),
        TEST(reads_go_on_when_the_log_can_not),
        TEST(reads_go_on_when_the_lock_can_not_be_had),
        TEST(what_may_be_untrue_waits_for_the_lock),
        TEST(full_views_lose_no_event),
        TEST(opens_without_memory),
        TEST(commits_without_memory),
        TEST(uploads_without_memory),
    };
    return cmocka_run_group_tests_name("views/store_fault", tests, NULL, NULL);
}
