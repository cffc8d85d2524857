#include "t/unit/views/store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/uuid.h"
#include "t/unit/torture.h"

/* Several processes on one store: what they append, and what is left when
 * they are killed at any moment. */

#define WORKERS 4

static fixture_t f;
static unsigned seed;

static int
set_up(void **state)
{
    (void)state;
    make_store(&f);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    end_store(&f);
    return 0;
}

static void *
shared(size_t size)
{
    void *p = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    return p;
}

/* Runs in a process of its own; true: all went well. */
static pid_t
start(bool (*run)(int worker, void *arg), int worker, void *arg)
{
    fflush(NULL);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        f.arena = kappa_arena_create(&kappa_alloc_libc, 0);
        if (try_open(&f) != KAPPA_OK) {
            fprintf(stderr, "worker %d: %s\n", worker, first_error(&f));
            _exit(2);
        }
        bool well = run(worker, arg);
        kappa_store_close(f.store, true);
        _exit(well ? 0 : 1);
    }
    return pid;
}

/* At most a minute. */
static int
wait_for(pid_t pid)
{
    int status;

    for (int i = 0; i < 6000; i++) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) {
            return status;
        }
        usleep(10000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("process %d hangs", (int)pid);
    return status;
}

static void
wait_well(pid_t pid)
{
    int status = wait_for(pid);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("a worker ended with %x (seed %u)", status, seed);
    }
}

static const char *
ask(const char *key, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mutate_as(&f, text, key, NULL);
}

static bool
worked(const char *answer)
{
    return strncmp(answer, "{\"data\":{\"", 10) == 0
        && strstr(answer, "\"errors\"") == NULL;
}

/* --- four at once */

typedef struct {
    atomic_int taken[WORKERS];
    atomic_int added[WORKERS];
    atomic_int odd; /* answers that are neither */
} tally_t;

#define PIECES 150
#define NAMES 40

static bool
contend(int worker, void *arg)
{
    tally_t *tally = arg;
    unsigned dice = seed + (unsigned)worker;

    for (int i = 0; i < 60 || i < NAMES; i++) {
        const char *got =
            ask(NULL, "mutation { take(name: \"a\", amount: 1) { stock } }");
        tally->taken[worker] += worked(got);
        tally->odd += !worked(got) && !strstr(got, "OUT_OF_STOCK");
        if (i < NAMES) {
            int code = rand_r(&dice) % NAMES;
            got = ask(NULL,
                "mutation { add(name: \"n%d-%d\", stock: 1, code: \"c%d\") "
                "{ stock } }",
                worker, i, code);
            tally->added[worker] += worked(got);
            tally->odd += !worked(got) && !strstr(got, "NOT_UNIQUE");
        }
        kappa_arena_reset(f.arena);
    }
    return true;
}

/* Every event of the log, without gaps. */
static uint64_t
read_log(void (*each)(const kappa_event_t *event, void *arg), void *arg)
{
    kappa_log_cursor_t *cursor;
    kappa_event_t event;
    uint64_t tail = kappa_store_position(f.store), seq = 0;

    assert_int_equal(
        kappa_log_cursor_open(kappa_store_log(f.store), 1, &cursor, NULL),
        KAPPA_OK);
    while (kappa_log_cursor_next(cursor, tail, &event, NULL) == KAPPA_OK) {
        assert_int_equal(event.seq, ++seq);
        if (each) {
            each(&event, arg);
        }
    }
    kappa_log_cursor_close(cursor);
    assert_int_equal(seq, tail);
    return seq;
}

static void
count_code(const kappa_event_t *event, void *arg)
{
    const char *code =
        memmem(event->data.data, event->data.len, "\"code\":\"c", 9);

    if (code) {
        ((int *)arg)[atoi(code + 9)]++;
    }
}

static void
processes_share_a_store(void **state)
{
    tally_t *tally = shared(sizeof *tally);
    pid_t pids[WORKERS];
    int taken = 0, added = 0, codes[NAMES] = { 0 }, used = 0;

    (void)state;
    open_store(&f);
    ask(NULL, "mutation { add(name: \"a\", stock: %d) { stock } }", PIECES);
    close_store(&f, true);
    for (int i = 0; i < WORKERS; i++) {
        pids[i] = start(contend, i, tally);
    }
    for (int i = 0; i < WORKERS; i++) {
        wait_well(pids[i]);
        taken += tally->taken[i];
        added += tally->added[i];
    }
    assert_int_equal(tally->odd, 0);
    assert_int_equal(taken, PIECES); /* never below zero, none lost */

    open_store(&f);
    assert_string_equal(query_text(&f, "{ item(name: \"a\") { stock } }"),
        "{\"data\":{\"item\":{\"stock\":0}}}");
    assert_int_equal(read_log(count_code, codes), 1 + taken + added);
    for (int i = 0; i < NAMES; i++) {
        assert_in_range(codes[i], 0, 1); /* unique over all processes */
        used += codes[i];
    }
    assert_int_equal(used, added);
    verify_store(&f);
    munmap(tally, sizeof *tally);
}

/* --- killed */

#define ROUNDS (int)kappa_test_rounds(6, 75)
#define TRIES 2000

typedef struct {
    atomic_int tried; /* of this round */
    atomic_bool acknowledged[TRIES];
} diary_t;

static int round_number;

static bool
work_until_killed(int worker, void *arg)
{
    diary_t *diary = &((diary_t *)arg)[worker];
    char key[64];

    for (int i = 0; i < TRIES; i++) {
        snprintf(key, sizeof key, "k%d-%d-%d", round_number, worker, i);
        diary->tried = i + 1;
        const char *got = ask(key,
            "mutation { add(name: \"%s\", stock: 1, shelf: \"s%d\") "
            "{ stock } }",
            key, worker);
        diary->acknowledged[i] = worked(got);
        if (!worked(got)) {
            fprintf(stderr, "refused: %s\n", got);
            return false;
        }
        if (strstr(ask(NULL,
                       "mutation { take(name: \"none\", amount: 1) "
                       "{ stock } }"),
                "NOT_FOUND")
            == NULL) {
            return false;
        }
        kappa_arena_reset(f.arena);
    }
    return true;
}

/* How often each attempt of this round is in the log. */
typedef struct {
    int times[WORKERS][TRIES];
    int foreign;
} found_t;

static void
find(const kappa_event_t *event, void *arg)
{
    found_t *found = arg;
    int round, worker, i;
    char key[64];

    snprintf(key, sizeof key, "%.*s", KAPPA_STR_ARG(event->key));
    if (sscanf(key, "\"k%d-%d-%d\"", &round, &worker, &i) != 3
        || !kappa_str_eq_c(event->verb, "added")) {
        found->foreign++;
    } else if (round == round_number) {
        found->times[worker][i]++;
    }
}

static void
kill_one_round(diary_t *diaries, unsigned *dice)
{
    pid_t pids[WORKERS];
    found_t *found = calloc(1, sizeof *found);

    memset(diaries, 0, WORKERS * sizeof *diaries);
    for (int i = 0; i < WORKERS; i++) {
        pids[i] = start(work_until_killed, i, diaries);
    }
    while (diaries[0].tried == 0 && diaries[1].tried == 0) {
        usleep(1000);
    }
    for (int i = 0; i < WORKERS; i++) {
        usleep((useconds_t)(rand_r(dice) % 60000));
        kill(pids[i], SIGKILL);
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = wait_for(pids[i]);
        if (!WIFSIGNALED(status)) {
            fail_msg("worker %d ended with %x (seed %u)", i, status, seed);
        }
    }

    open_store(&f);
    read_log(find, found);
    assert_int_equal(found->foreign, 0); /* nothing refused is there */
    for (int w = 0; w < WORKERS; w++) {
        for (int i = 0; i < TRIES; i++) {
            int times = found->times[w][i];
            if (times > 1 || (diaries[w].acknowledged[i] && times != 1)
                || (i >= diaries[w].tried && times)) {
                fail_msg("round %d worker %d try %d: %d times (seed %u)",
                    round_number, w, i, times, seed);
            }
        }
        /* Who does not know tries again, with the same key. */
        char key[64];
        int last = diaries[w].tried - 1;
        if (last >= 0) {
            snprintf(key, sizeof key, "k%d-%d-%d", round_number, w, last);
            assert_true(worked(ask(key,
                "mutation { add(name: \"%s\", stock: 1, shelf: \"s%d\") "
                "{ stock } }",
                key, w)));
        }
    }
    verify_store(&f);
    close_store(&f, round_number % 2);
    free(found);
}

static void
kills_lose_and_double_nothing(void **state)
{
    diary_t *diaries = shared(WORKERS * sizeof *diaries);
    unsigned dice = seed;

    (void)state;
    open_store(&f);
    close_store(&f, false);
    for (round_number = 0; round_number < ROUNDS; round_number++) {
        kill_one_round(diaries, &dice);
    }
    munmap(diaries, WORKERS * sizeof *diaries);
}

/* --- another schema comes while an old process works */

typedef struct {
    atomic_bool going;
    atomic_bool stop;
    atomic_int changed; /* SCHEMA_CHANGED answers */
} watch_t;

static bool
work_through_a_change(int worker, void *arg)
{
    watch_t *watch = arg;
    uint64_t before = kappa_store_version(f.store);

    (void)worker;
    for (int i = 0; i < 3000 && !watch->stop; i++) {
        bool done;
        kappa_job_t *job =
            make_job(&f, "mutation { take(name: \"a\", amount: 1) { stock } }",
                NULL, &done);
        watch->going = true;
        usleep(2000); /* planned before, decided after */
        kappa_store_commit(f.store, job);
        const char *got = end_job(&f, job);
        if (strstr(got, "SCHEMA_CHANGED")) {
            watch->changed++;
        } else if (!worked(got)) {
            fprintf(stderr, "%s\n", got);
            return false;
        }
        kappa_arena_reset(f.arena);
    }
    return watch->stop && kappa_store_version(f.store) > before;
}

static void
old_processes_follow_a_new_generation(void **state)
{
    watch_t *watch = shared(sizeof *watch);
    const char *from = "stock = row.stock - event.data.amount";
    char *at = strstr(shop, from);

    (void)state;
    open_store(&f);
    ask(NULL, "mutation { add(name: \"a\", stock: 100000) { stock } }");
    /* Rules of events that never happened need no build. */
    ask(NULL, "mutation { take(name: \"a\", amount: 1) { stock } }");
    close_store(&f, true);
    pid_t pid = start(work_through_a_change, 0, watch);
    for (int i = 0; i < 5000 && !watch->going; i++) {
        usleep(1000);
    }

    f.schema = kappa_str_printf(f.arena,
        "%.*sstock = row.stock - 2 * event.data.amount%s", (int)(at - shop),
        shop, at + strlen(from))
                   .data;
    open_store(&f);
    assert_true(kappa_store_wants_build(f.store));
    kappa_status_t status;
    for (int i = 0; i < 100; i++) {
        status = kappa_store_build(f.store, NULL, NULL, &f.errors);
        if (status != KAPPA_BUSY) {
            break;
        }
        usleep(10000);
    }
    assert_int_equal(status, KAPPA_OK);
    int generation = current_of(&f);
    for (int i = 0; i < 5000 && watch->changed == 0; i++) {
        usleep(1000);
    }
    usleep(50000);
    watch->stop = true;
    wait_well(pid);
    assert_in_range(watch->changed, 1, 2);
    assert_int_equal(current_of(&f), generation);

    char expected[80];
    kappa_store_tick(f.store, &f.errors);
    uint64_t events = read_log(NULL, NULL);
    snprintf(expected, sizeof expected,
        "{\"data\":{\"item\":{\"stock\":%llu}}}",
        100000 - 2 * ((unsigned long long)events - 1));
    assert_string_equal(
        query_text(&f, "{ item(name: \"a\") { stock } }"), expected);
    verify_store(&f);
    munmap(watch, sizeof *watch);
}

/* --- killed while generations are built and swapped */

static bool
rebuild_until_killed(int worker, void *arg)
{
    (void)worker;
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        kappa_status_t status =
            kappa_store_rebuild(f.store, NULL, NULL, &f.errors);
        if (status != KAPPA_OK && status != KAPPA_BUSY) {
            fprintf(stderr, "rebuild: %d %s\n", status, first_error(&f));
            return false;
        }
        kappa_errors_init(&f.errors, f.arena, 0);
    }
    return true;
}

static bool
take_until_killed(int worker, void *arg)
{
    atomic_int *taken = arg;

    for (int i = 0; i < 100000; i++) {
        const char *got =
            ask(NULL, "mutation { take(name: \"a\", amount: 1) { stock } }");
        taken[worker] += worked(got);
        if (!worked(got) && strstr(got, "SCHEMA_CHANGED") == NULL) {
            fprintf(stderr, "take: %s\n", got);
            return false;
        }
        kappa_arena_reset(f.arena);
    }
    return true;
}

static void
kills_during_builds_harm_nothing(void **state)
{
    atomic_int *taken = shared(WORKERS * sizeof *taken);
    unsigned dice = seed;
    char expected[80];

    (void)state;
    open_store(&f);
    ask(NULL, "mutation { add(name: \"a\", stock: 1000000) { stock } }");
    for (int round = 0; round < (int)kappa_test_rounds(5, 40); round++) {
        pid_t pids[3];
        close_store(&f, round % 2);
        for (int i = 0; i < 3; i++) {
            pids[i] =
                start(i ? take_until_killed : rebuild_until_killed, i, taken);
        }
        usleep((useconds_t)(50000 + rand_r(&dice) % 100000));
        for (int i = 0; i < 3; i++) {
            usleep((useconds_t)(rand_r(&dice) % 5000));
            kill(pids[i], SIGKILL);
        }
        for (int i = 0; i < 3; i++) {
            int status = wait_for(pids[i]);
            if (!WIFSIGNALED(status)) {
                fail_msg("%d ended with %x (seed %u)", i, status, seed);
            }
        }

        open_store(&f);
        uint64_t events = read_log(NULL, NULL) - 1;
        int acknowledged = taken[1] + taken[2];
        /* At most one of each worker was not acknowledged, in each round. */
        assert_in_range(events, acknowledged, acknowledged + 2 * (round + 1));
        snprintf(expected, sizeof expected,
            "{\"data\":{\"item\":{\"stock\":%llu}}}",
            1000000 - (unsigned long long)events);
        assert_string_equal(
            query_text(&f, "{ item(name: \"a\") { stock } }"), expected);
        verify_store(&f);
    }
    assert_true(taken[1] + taken[2] > 0);
    munmap(taken, WORKERS * sizeof *taken);
}

/* --- all at once after a crash of the system */

static bool
add_one(int worker, void *arg)
{
    (void)arg;
    return worked(ask(NULL,
        "mutation { add(name: \"after%d\", stock: 1, shelf: \"s\") "
        "{ stock } }",
        worker));
}

static void
start_all(void)
{
    pid_t pids[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        pids[i] = start(add_one, i, NULL);
    }
    for (int i = 0; i < WORKERS; i++) {
        wait_well(pids[i]);
    }
}

static void
one_of_all_recovers(void **state)
{
    char path[128];

    (void)state;
    f.boot_id = "before";
    open_store(&f);
    ask(NULL,
        "mutation { add(name: \"a\", stock: 5, shelf: \"s\") "
        "{ stock } }");
    close_store(&f, false);
    f.boot_id = "after";
    start_all();
    assert_int_equal(current_of(&f), 2); /* discarded once */
    open_store(&f);
    assert_string_equal(query_text(&f, "{ shelf(name: \"s\") { items } }"),
        "{\"data\":{\"shelf\":{\"items\":5}}}");
    for (int i = 0; i < WORKERS; i++) {
        ask(NULL, "mutation { drop(name: \"after%d\") { name } }", i);
    }
    close_store(&f, true);

    snprintf(path, sizeof path, "%s/views", f.dir);
    remove_tree(path);
    start_all();
    assert_int_equal(current_of(&f), 1);
    open_store(&f);
    assert_int_equal(read_log(NULL, NULL), 1 + 3 * WORKERS);
    verify_store(&f);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(processes_share_a_store),
        TEST(kills_lose_and_double_nothing),
        TEST(old_processes_follow_a_new_generation),
        TEST(kills_during_builds_harm_nothing),
        TEST(one_of_all_recovers),
    };
    seed = (unsigned)kappa_test_seed();
    return cmocka_run_group_tests_name(
        "views/store_process", tests, NULL, NULL);
}
