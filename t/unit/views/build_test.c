#include "t/unit/views/store_case.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "t/unit/torture.h"
#include "views/file.h"
#include "views/generation.h"

/* Builds beside what serves: killed ones, how far they are, the way back. */

static int
set_up_items(void **state)
{
    set_up(state);
    mutate_text(&f, "mutation { add(name: \"a\", stock: 9) { stock } }");
    mutate_text(&f, "mutation { take(name: \"a\", amount: 0) { stock } }");
    return 0;
}

/* Each taken piece counts `times`. */
static const char *
schema_of(int times)
{
    const char *from = "- event.data.amount";
    const char *at = strstr(shop, from);

    return kappa_str_printf(f.arena, "%.*s- %d * event.data.amount%s",
        (int)(at - shop), shop, times, at + strlen(from))
        .data;
}

static void
take(int amount)
{
    kappa_str_t text = kappa_str_printf(f.arena,
        "mutation { take(name: \"a\", amount: %d) { stock } }", amount);

    assert_contains(mutate_text(&f, text.data), "\"data\"");
}

static int
stock(void)
{
    const char *text = query_text(&f, "{ item(name: \"a\") { stock } }");
    const char *at = strstr(text, "\"stock\":");

    assert_non_null(at);
    return atoi(at + 8);
}

static void
build(void)
{
    kappa_status_t status = kappa_store_build(f.store, NULL, NULL, &f.errors);

    if (status != KAPPA_OK) {
        fail_msg("build: %d %s", status, first_error(&f));
    }
}

static void
roll_back(void)
{
    kappa_status_t status =
        kappa_store_rollback(f.store, NULL, NULL, &f.errors);

    if (status != KAPPA_OK) {
        fail_msg("rollback: %d %s", status, first_error(&f));
    }
}

static void
offer(const char *schema)
{
    close_store(&f, false);
    f.schema = schema;
    open_store(&f);
}

/* Directories of generations, as bits. */
static unsigned
directories(void)
{
    unsigned bits = 0;

    for (int i = 1; i < 30; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/views/%04d", f.dir, i);
        bits |= access(path, F_OK) == 0 ? 1u << i : 0;
    }
    return bits;
}

/* --- back */

static void
goes_back_and_forth(void **state)
{
    (void)state;
    take(1);
    offer(schema_of(2));
    build();
    assert_int_equal(current_of(&f), 2);
    assert_int_equal(stock(), 7);
    take(1);
    assert_int_equal(stock(), 5);

    uint64_t version = kappa_store_version(f.store);
    roll_back(); /* what happened meanwhile is applied by its rules */
    assert_int_equal(current_of(&f), 1);
    assert_int_equal(stock(), 7);
    assert_true(kappa_store_version(f.store) > version);
    take(1);
    assert_int_equal(stock(), 6);
    verify_store(&f);
    assert_int_equal(directories(), 1u << 1 | 1u << 2);

    roll_back(); /* of the rollback */
    assert_int_equal(current_of(&f), 2);
    assert_int_equal(stock(), 3);
    verify_store(&f);
    assert_int_equal(directories(), 1u << 1 | 1u << 2);
}

static void
what_was_rolled_back_does_not_come_by_itself(void **state)
{
    (void)state;
    offer(schema_of(2));
    build();
    roll_back();

    f.said[0] = '\0';
    reopen(&f); /* a worker that starts with it */
    assert_contains(f.said, "was rolled back");
    assert_false(kappa_store_wants_build(f.store));
    assert_int_equal(current_of(&f), 1);

    offer(schema_of(3)); /* another one does come */
    build();
    assert_int_equal(current_of(&f), 3);
    offer(schema_of(2)); /* and then this one may, too */
    assert_true(kappa_store_wants_build(f.store));
    build();
    take(1);
    assert_int_equal(stock(), 7);
}

static void
who_insists_gets_it(void **state)
{
    kappa_store_options_t options = { .dir = kappa_str_c(f.dir),
        .schema_name = KAPPA_STR("two.graphql"),
        .map_size = FIXTURE_MAP,
        .alloc = &kappa_alloc_libc,
        .insist = true };

    (void)state;
    offer(schema_of(2));
    options.schema_text = kappa_str_c(schema_of(2));
    build();
    roll_back();
    close_store(&f, false);
    assert_int_equal(
        kappa_store_open(&options, &f.store, &f.errors), KAPPA_OK);
    assert_true(kappa_store_wants_build(f.store));
    build();
    take(1);
    assert_int_equal(stock(), 7);
}

/* A rebuild by the same schema: nothing is refused. */
static void
going_back_to_the_same_schema(void **state)
{
    (void)state;
    assert_int_equal(
        kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_equal(current_of(&f), 2);
    roll_back();
    assert_int_equal(current_of(&f), 1);
    f.said[0] = '\0';
    reopen(&f);
    assert_string_equal(f.said, "");
}

static void
nothing_to_go_back_to(void **state)
{
    (void)state;
    assert_int_equal(
        kappa_store_rollback(f.store, NULL, NULL, &f.errors), KAPPA_NOT_FOUND);
    assert_contains(first_error(&f), "no generation before");
    assert_int_equal(current_of(&f), 1);
    take(1);
    assert_int_equal(stock(), 8);
}

/* Pages of the one before may be lost then: its schema is built anew. */
static void
back_after_the_system_crashed(void **state)
{
    (void)state;
    close_store(&f, true); /* it is on disk, and may be believed */
    f.boot_id = "11111111-1111-1111-1111-111111111111";
    open_store(&f);
    take(0);
    offer(schema_of(2));
    build();
    close_store(&f, false);
    f.boot_id = "22222222-2222-2222-2222-222222222222";
    f.schema = NULL;
    open_store(&f);
    take(1);
    assert_int_equal(stock(), 7);
    roll_back();
    assert_int_equal(stock(), 8);
    assert_true(current_of(&f) > 2);
    verify_store(&f);
}

/* --- far behind, and how far it is */

typedef struct {
    kappa_store_state_t state;
    unsigned calls;
} watch_t;

static bool
look(void *ctx, uint64_t seq, uint64_t end)
{
    watch_t *watch = ctx;

    assert_int_equal(kappa_store_state(f.store, &watch->state), KAPPA_OK);
    assert_true(watch->state.build.running);
    assert_int_equal(watch->state.build.built, seq);
    assert_int_equal(watch->state.build.total, end);
    assert_true(watch->state.build.left_ms >= 0);
    watch->calls++;
    return true;
}

static void
append_many(int count)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < count; i++) {
        kappa_buf_printf(&buf,
            "{\"thing\":\"Item\",\"verb\":\"taken\",\"key\":\"a\","
            "\"effect\":\"PATCH\",\"data\":{\"name\":\"a\",\"amount\":0}}\n");
    }
    kappa_buf_char(&buf, '\0');
    kappa_job_t job = append_lines(&f, buf.data);
    assert_int_equal(job.appended, count);
    kappa_buf_release(&buf);
}

static void
tells_others_how_far_it_is(void **state)
{
    kappa_store_state_t after;
    watch_t watch = { .calls = 0 };

    (void)state;
    append_many(3500);
    assert_int_equal(kappa_store_state(f.store, &after), KAPPA_OK);
    assert_false(after.build.running);
    assert_int_equal(after.generation, 1);
    assert_true(after.usage.used_bytes > 0);
    assert_int_equal(after.usage.map_bytes, FIXTURE_MAP);

    assert_int_equal(
        kappa_store_rebuild(f.store, look, &watch, &f.errors), KAPPA_OK);
    assert_true(watch.calls >= 2);
    assert_int_equal(watch.state.build.generation, 2);
    assert_int_equal(watch.state.generation, 1);
    assert_int_equal(kappa_store_state(f.store, &after), KAPPA_OK);
    assert_false(after.build.running);
    assert_int_equal(after.generation, 2);
    verify_store(&f);
}

static void
going_back_catches_up_in_chunks(void **state)
{
    watch_t watch = { .calls = 0 };

    (void)state;
    offer(schema_of(2));
    build();
    for (int i = 0; i < 4; i++) {
        append_many(3000);
    }
    assert_int_equal(
        kappa_store_rollback(f.store, look, &watch, &f.errors), KAPPA_OK);
    assert_true(watch.calls >= 4);
    assert_true(kappa_store_ready(f.store));
    assert_int_equal(current_of(&f), 1);
    verify_store(&f);
}

/* --- killed */

static bool
count_chunk(void *ctx, uint64_t seq, uint64_t end)
{
    (void)seq;
    (void)end;
    ++*(volatile int *)ctx;
    usleep(20000); /* so that it is under way when it is killed */
    return true;
}

static pid_t
start_builder(volatile int *chunks)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid == 0) {
        fixture_t own = f;
        own.schema = NULL;
        if (try_open(&own) != KAPPA_OK) {
            _exit(2);
        }
        _exit(kappa_store_rebuild(
                  own.store, count_chunk, (void *)chunks, &own.errors)
            != KAPPA_OK);
    }
    return pid;
}

static void
wait_chunks(volatile int *chunks, int count)
{
    for (int i = 0; *chunks < count && i < 6000; i++) {
        usleep(10000);
    }
    assert_true(*chunks >= count);
}

static int
bits_of(unsigned set)
{
    return __builtin_popcount(set);
}

/* Generations that neither serve nor did so before. */
static unsigned
unfinished(void)
{
    char path[128];
    int served = current_of(&f);

    snprintf(path, sizeof path, "%s/views", f.dir);
    int views = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t before;
    assert_int_equal(
        kappa_generation_before(views, (uint32_t)served, &before, NULL),
        KAPPA_OK);
    close(views);
    return directories() & ~(1u << served) & ~(1u << before);
}

static bool
has_ended(pid_t pid)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0
        || info.si_pid == pid;
}

/* Whatever moment it is killed at: what serves goes on, one build at most is
 * left behind, and the next one works. */
static void
builders_are_killed(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    volatile int *chunks = mmap(NULL, sizeof *chunks, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    append_many(4000);
    for (int round = 0; round < 12; round++) {
        *chunks = 0;
        close_store(&f, false);
        pid_t pid = start_builder(chunks);
        while (*chunks < round % 3 && !has_ended(pid)) {
            usleep(1000);
        }
        usleep((useconds_t)(rand_r(&seed) % 25000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        int served = current_of(&f);
        open_store(&f);
        assert_int_equal(current_of(&f), served);
        take(0);
        assert_int_equal(stock(), 9);
        assert_true(bits_of(unfinished()) <= 1);
    }
    assert_int_equal(
        kappa_store_rebuild(f.store, NULL, NULL, &f.errors), KAPPA_OK);
    assert_int_equal(unfinished(), 0);
    verify_store(&f);
    munmap((void *)chunks, sizeof *chunks);
}

/* A sweep must not take what somebody builds just now. */
static void
others_leave_a_build_alone(void **state)
{
    volatile int *chunks = mmap(NULL, sizeof *chunks, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;

    (void)state;
    append_many(4000);
    close_store(&f, false);
    pid_t pid = start_builder(chunks);
    wait_chunks(chunks, 1);
    open_store(&f);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(current_of(&f), 2);
    assert_int_equal(kappa_store_tick(f.store, &f.errors), KAPPA_OK);
    verify_store(&f);
    munmap((void *)chunks, sizeof *chunks);
}

static bool
stop(void *ctx, uint64_t seq, uint64_t end)
{
    (void)seq;
    (void)end;
    return --*(int *)ctx > 0;
}

/* Rebuilds until the first chunk is in. */
static void
stop_early(void)
{
    int left = 1;

    assert_int_equal(
        kappa_store_rebuild(f.store, stop, &left, &f.errors), KAPPA_DONE);
}

static bool
note_first(void *ctx, uint64_t seq, uint64_t end)
{
    uint64_t *first = ctx;

    (void)end;
    *first = *first ? *first : seq;
    return true;
}

static uint64_t
rebuild_and_note(void)
{
    uint64_t first = 0;

    assert_int_equal(
        kappa_store_rebuild(f.store, note_first, &first, &f.errors), KAPPA_OK);
    return first;
}

static void
a_build_that_was_stopped_goes_on(void **state)
{
    (void)state;
    append_many(4000);
    stop_early();
    assert_int_equal(directories(), 1u << 1 | 1u << 2);
    take(1);
    assert_int_equal(stock(), 8);
    reopen(&f);
    assert_int_equal(rebuild_and_note(), 2000);
    assert_int_equal(current_of(&f), 2);
    assert_int_equal(directories(), 1u << 1 | 1u << 2);
    assert_int_equal(stock(), 8);
    verify_store(&f);
}

/* Its builder died between `current` and the file `building`. */
static void
what_serves_is_not_gone_on_with(void **state)
{
    kappa_str_t text;
    char path[128];

    (void)state;
    append_many(4000);
    stop_early();
    snprintf(path, sizeof path, "%s/views/0002", f.dir);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(
        kappa_file_read(dir, "building", 8192, f.arena, &text, NULL),
        KAPPA_OK);
    assert_int_equal(rebuild_and_note(), 2000);
    assert_int_equal(
        kappa_file_replace(dir, "building", text, NULL), KAPPA_OK);
    close(dir);
    assert_int_equal(rebuild_and_note(), 1000);
    assert_int_equal(current_of(&f), 3);
    verify_store(&f);
}

/* What another schema began, or the same before the system crashed. */
static void
a_build_of_something_else_begins_anew(void **state)
{
    (void)state;
    append_many(4000);
    stop_early();
    offer(schema_of(2));
    assert_int_equal(rebuild_and_note(), 1000);
    assert_int_equal(current_of(&f), 3);
    verify_store(&f);

    stop_early();
    close_store(&f, true); /* what serves may be believed */
    f.boot_id = "11111111-1111-1111-1111-111111111111";
    open_store(&f);
    assert_int_equal(rebuild_and_note(), 1000);
    assert_int_equal(current_of(&f), 4);
    verify_store(&f);
}

/* The one that was stopped holds what is forgotten. */
static void
a_build_of_before_a_forget_is_not_gone_on_with(void **state)
{
    kappa_filter_t filter = { .thing = KAPPA_STR("Item") };
    uint64_t first = 0, events = 0;

    (void)state;
    append_many(4000);
    stop_early();
    assert_int_equal(
        kappa_filter_key(f.arena, KAPPA_STR("a"), &filter), KAPPA_OK);
    assert_int_equal(kappa_store_forget(f.store, &filter, note_first, &first,
                         &events, &f.errors),
        KAPPA_OK);
    assert_int_equal(first, 1000);
    assert_int_equal(events, 4002);
    assert_int_equal(directories(), 1u << current_of(&f));
    verify_store(&f);
}

static void
nobody_goes_on_after_an_hour(void **state)
{
    struct timespec long_ago[2] = { { .tv_sec = time(NULL) - 3700 },
        { .tv_sec = time(NULL) - 3700 } };
    char path[128];

    (void)state;
    append_many(4000);
    stop_early();
    reopen(&f);
    assert_int_equal(directories(), 1u << 1 | 1u << 2);
    snprintf(path, sizeof path, "%s/views/%04d/data.mdb", f.dir, 2);
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    reopen(&f);
    assert_int_equal(directories(), 1u << 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FROM(set_up_items, goes_back_and_forth),
        TEST_FROM(set_up_items, what_was_rolled_back_does_not_come_by_itself),
        TEST_FROM(set_up_items, who_insists_gets_it),
        TEST_FROM(set_up_items, going_back_to_the_same_schema),
        TEST_FROM(set_up_items, nothing_to_go_back_to),
        TEST_FROM(set_up_items, back_after_the_system_crashed),
        TEST_FROM(set_up_items, tells_others_how_far_it_is),
        TEST_FROM(set_up_items, going_back_catches_up_in_chunks),
        TEST_FROM(set_up_items, builders_are_killed),
        TEST_FROM(set_up_items, others_leave_a_build_alone),
        TEST_FROM(set_up_items, a_build_that_was_stopped_goes_on),
        TEST_FROM(set_up_items, what_serves_is_not_gone_on_with),
        TEST_FROM(set_up_items, a_build_of_something_else_begins_anew),
        TEST_FROM(
            set_up_items, a_build_of_before_a_forget_is_not_gone_on_with),
        TEST_FROM(set_up_items, nobody_goes_on_after_an_hour),
    };
    return cmocka_run_group_tests_name("views/build", tests, NULL, NULL);
}
