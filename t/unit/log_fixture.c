#include "t/unit/log_fixture.h"

#include "t/unit/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT_BYTES 8192
#define EVENTS_MAX 64

void
kappa_fixture_make(kappa_fixture_t *f, const kappa_log_io_t *io)
{
    uint8_t random[KAPPA_EPOCH_RANDOM] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

    *f = (kappa_fixture_t){ .real = io == NULL };
    f->options.segment_bytes = SEGMENT_BYTES;
    f->options.io = io;
    f->options.boot_id = "00000000-0000-0000-0000-000000000001";
    snprintf(f->store, sizeof(f->store), "/tmp/kappa_log_XXXXXX");
    if (f->real) {
        assert_non_null(mkdtemp(f->store));
    }
    assert_int_equal(
        kappa_log_create(f->store, random, &f->options, NULL), KAPPA_OK);
}

static void
remove_files(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[512];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        unlink(name);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(path);
}

void
kappa_fixture_remove(kappa_fixture_t *f)
{
    char path[128];

    if (f->real) {
        snprintf(path, sizeof(path), "%s/log", f->store);
        remove_files(path);
        remove_files(f->store);
    }
}

kappa_log_t *
kappa_fixture_open(kappa_fixture_t *f)
{
    kappa_log_t *log = NULL;

    assert_int_equal(
        kappa_log_open(f->store, &kappa_alloc_libc, &f->options, &log, NULL),
        KAPPA_OK);
    return log;
}

void
kappa_fixture_event(uint64_t n, kappa_event_t *out)
{
    static char texts[EVENTS_MAX][1024];
    static char keys[EVENTS_MAX][32];
    char *text = texts[n % EVENTS_MAX], *key = keys[n % EVENTS_MAX];
    int fill = (int)(n * 7919 % 300);

    snprintf(key, 32, "\"k%llu\"", (unsigned long long)n);
    snprintf(text, 1024, "{\"n\":%llu,\"fill\":\"%0*d\"}",
        (unsigned long long)n, fill + 1, 0);
    *out = (kappa_event_t){ .seq = n,
        .time_ms = (int64_t)n * 1000,
        .verb = KAPPA_STR("did"),
        .thing = KAPPA_STR("Thing"),
        .effect = (kappa_effect_t)(n % 6),
        .key = kappa_str_c(key),
        .data = kappa_str_c(text) };
    memcpy(out->id, &n, sizeof(n));
}

kappa_status_t
kappa_fixture_append(
    kappa_log_t *log, uint64_t expected, uint64_t n, uint64_t *tail)
{
    kappa_event_t events[EVENTS_MAX];

    assert_true(n <= EVENTS_MAX);
    for (uint64_t i = 0; i < n; i++) {
        kappa_fixture_event(expected + 1 + i, &events[i]);
    }
    return kappa_log_append(log, events, n, expected, tail, NULL);
}

static void
assert_event(const kappa_event_t *event, uint64_t n)
{
    kappa_event_t expected;

    kappa_fixture_event(n, &expected);
    assert_int_equal(event->seq, n);
    assert_memory_equal(event->id, expected.id, KAPPA_UUID_BYTES);
    assert_int_equal(event->time_ms, expected.time_ms);
    assert_int_equal(event->effect, expected.effect);
    assert_true(kappa_str_eq(event->thing, expected.thing));
    assert_true(kappa_str_eq(event->key, expected.key));
    assert_true(kappa_str_eq(event->data, expected.data));
}

kappa_status_t
kappa_fixture_check(kappa_log_t *log, uint64_t tail, kappa_errors_t *errors)
{
    kappa_log_cursor_t *cursor = NULL;
    kappa_status_t status;
    kappa_event_t event;
    uint64_t n = 0;

    status = kappa_log_cursor_open(log, 1, &cursor, errors);
    while (status == KAPPA_OK) {
        status = kappa_log_cursor_next(cursor, tail, &event, errors);
        if (status == KAPPA_OK) {
            assert_event(&event, ++n);
        }
    }
    kappa_log_cursor_close(cursor);
    if (status == KAPPA_DONE) {
        assert_int_equal(n, tail);
        return KAPPA_OK;
    }
    return status;
}

void
kappa_fixture_expect(kappa_log_t *log, uint64_t tail)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_fixture_check(log, tail, &errors) != KAPPA_OK) {
        fail_msg("%s",
            errors.first ? errors.first->message.data : "without a message");
    }
    kappa_arena_destroy(arena);
}
