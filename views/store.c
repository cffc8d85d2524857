#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/boot.h"
#include "views/file.h"
#include "views/secret.h"
#include "views/store_private.h"

#define HOUSEKEEPING_EVERY 60 /* ticks */
/* Commits that a snapshot may be old, when house is kept. */
#define LAG_MAX 10000

void
kappa_store_say(kappa_store_t *store, bool error, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (store->report == NULL) {
        return;
    }
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    store->report(store->report_ctx, error,
        kappa_str(text, len < sizeof text ? len : sizeof text - 1));
}

kappa_str_t
kappa_errors_why(const kappa_errors_t *errors)
{
    return errors && errors->first ? errors->first->message
                                   : KAPPA_STR("out of memory");
}

/* --- opening */

static char *
join(const kappa_alloc_t *alloc, kappa_str_t dir, const char *name)
{
    size_t room = dir.len + strlen(name) + 1;
    char *path = alloc->alloc(alloc->ctx, room);

    if (path) {
        memcpy(path, dir.data, dir.len);
        memcpy(path + dir.len, name, room - dir.len);
    }
    return path;
}

static kappa_status_t
load_offer(kappa_store_t *store, const kappa_store_options_t *options,
    kappa_errors_t *errors)
{
    kappa_offer_t *offer = &store->offer;

    if (options->schema_text.data == NULL) {
        return KAPPA_OK;
    }
    if (options->schema_text.len > KAPPA_SCHEMA_BYTES_MAX) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "a schema may have %d bytes", KAPPA_SCHEMA_BYTES_MAX);
        return KAPPA_INVALID;
    }
    offer->arena = kappa_arena_create(store->alloc, 0);
    if (offer->arena == NULL) {
        return KAPPA_NOMEM;
    }
    offer->name = kappa_str_dup(offer->arena, options->schema_name);
    offer->text = kappa_str_dup(offer->arena, options->schema_text);
    return offer->name.data && offer->text.data ? kappa_model_load(
               offer->arena, offer->name, offer->text, &offer->model, errors)
                                                : KAPPA_NOMEM;
}

/* Paths, and the directory itself. */
static kappa_status_t
open_directory(kappa_store_t *store, kappa_str_t dir, kappa_errors_t *errors)
{
    store->path = join(store->alloc, dir, "");
    store->views_path = join(store->alloc, dir, "/views");
    store->scratch = kappa_arena_create(store->alloc, 0);
    if (!store->path || !store->views_path || !store->scratch) {
        return KAPPA_NOMEM;
    }
    store->dir = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dir < 0) {
        bool missing = errno == ENOENT;
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't open %s: %s",
            store->path, strerror(errno));
        return missing ? KAPPA_NOT_FOUND : KAPPA_IO;
    }
    return KAPPA_OK;
}

static kappa_status_t
know_boot(kappa_store_t *store, const kappa_store_options_t *options,
    kappa_log_options_t *log, kappa_errors_t *errors)
{
    if (options->log) {
        *log = *options->log;
    }
    if (options->boot_id == NULL) {
        return kappa_boot_id(store->boot_id, errors);
    }
    snprintf(store->boot_id, sizeof store->boot_id, "%s", options->boot_id);
    log->boot_id = store->boot_id;
    return KAPPA_OK;
}

static kappa_status_t
open_files(kappa_store_t *store, const kappa_store_options_t *options,
    kappa_errors_t *errors)
{
    kappa_log_options_t log = { .segment_bytes = 0 };
    kappa_status_t status = know_boot(store, options, &log, errors);

    if (status == KAPPA_OK) {
        status = kappa_log_open(
            store->path, store->alloc, &log, &store->log, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_tail_open(&store->tail, store->path, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_secret_cursors(store->dir, store->cursor_key, errors);
    }
    if (status == KAPPA_OK) {
        store->siv = kappa_siv_create(store->alloc, store->cursor_key);
        status = store->siv ? KAPPA_OK : KAPPA_NOMEM;
    }
    if (status == KAPPA_OK) {
        store->turn = openat(store->dir, "turn",
            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (store->turn < 0) {
            kappa_errors_add(errors, "STORE_UNAVAILABLE",
                "can't make %s/turn: %s", store->path, strerror(errno));
            return KAPPA_IO;
        }
        kappa_store_map_turn(store);
    }
    return status;
}

static void
write_tail(kappa_store_t *store, uint64_t tail)
{
    if (tail && kappa_store_durable(store) != tail) {
        (void)kappa_tail_write(
            &store->tail, kappa_log_epoch(store->log), tail);
    }
}

/* What may go on without the log: reading, where the views are not still
 * being filled. A log that is corrupt is looked into before anything goes
 * on. */
static kappa_status_t
excuse(kappa_store_t *store, kappa_status_t status, kappa_errors_t *errors)
{
    uint64_t position = 0;

    if (status == KAPPA_BUSY) { /* kappa_store_build's work */
        return KAPPA_OK;
    }
    if (status != KAPPA_IO || store->edition == NULL
        || kappa_edition_position(store->edition, &position, errors)
            != KAPPA_OK
        || position == 0
        || position + KAPPA_BEHIND_MAX < kappa_store_durable(store)) {
        return status;
    }
    kappa_store_say(store, true, "only reading: %.*s",
        KAPPA_STR_ARG(kappa_errors_why(errors)));
    store->ready = true;
    return KAPPA_OK;
}

static kappa_status_t
recover(kappa_store_t *store, kappa_errors_t *errors)
{
    uint64_t tail = 0;
    kappa_status_t status = kappa_store_lock(store, errors);

    if (status != KAPPA_OK) { /* who has the lock is stopped */
        return status == KAPPA_IO && kappa_store_peek(store) == KAPPA_OK
            ? excuse(store, status, errors)
            : status;
    }
    status = kappa_store_settle(store, errors);
    if (status == KAPPA_OK) {
        status = kappa_store_offer(store, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_store_enter(store, &tail, errors);
    }
    if (status == KAPPA_OK) {
        write_tail(store, tail);
    }
    kappa_store_need_schema(store);
    status = excuse(store, status, errors);
    kappa_store_unlock(store);
    return status;
}

static kappa_status_t
open_store(kappa_store_t *store, const kappa_store_options_t *options,
    kappa_errors_t *errors)
{
    kappa_status_t status = open_directory(store, options->dir, errors);

    if (status == KAPPA_OK) {
        status = load_offer(store, options, errors);
    }
    if (status == KAPPA_OK) {
        status = open_files(store, options, errors);
    }
    return status == KAPPA_OK ? recover(store, errors) : status;
}

kappa_status_t
kappa_store_open(const kappa_store_options_t *options, kappa_store_t **out,
    kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = options->alloc;
    kappa_store_t *store = alloc->alloc(alloc->ctx, sizeof *store);

    if (store == NULL) {
        return KAPPA_NOMEM;
    }
    memset(store, 0, sizeof *store);
    store->alloc = alloc;
    store->dir = store->turn = store->tail.fd = -1;
    store->map_size = options->map_size;
    store->idempotency_window_ms = options->idempotency_window_ms;
    store->strict = options->strict;
    store->insist = options->insist;
    store->patience_ms =
        options->patience_ms ? options->patience_ms : KAPPA_LOCK_PATIENCE_MS;
    store->report = options->report;
    store->report_ctx = options->report_ctx;
    store->committed = options->committed;
    store->committed_ctx = options->committed_ctx;
    pthread_mutex_init(&store->writing, NULL);
    pthread_mutex_init(&store->serving, NULL);

    kappa_status_t status = open_store(store, options, errors);
    if (status != KAPPA_OK) {
        kappa_store_close(store, false);
        return status;
    }
    kappa_store_sweep(store);
    store->patience_ms = KAPPA_LOCK_PATIENCE_MS;
    *out = store;
    return KAPPA_OK;
}

/* --- closing */

static kappa_status_t
mark_clean(kappa_store_t *store, kappa_errors_t *errors)
{
    kappa_generation_t *generation = store->edition->generation;

    /* Most of it before others have to wait for it. */
    kappa_status_t status = kappa_env_sync(generation->env, errors);
    if (status == KAPPA_OK) {
        status = kappa_store_lock(store, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (faccessat(generation->dir, "clean", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        status = kappa_env_sync(generation->env, errors);
        if (status == KAPPA_OK) {
            status = kappa_boot_clean(generation->dir, errors);
        }
    }
    kappa_store_unlock(store);
    return status;
}

static void
free_idle(kappa_store_t *store)
{
    kappa_snapshot_t *next;

    for (kappa_snapshot_t *s = store->idle; s; s = next) {
        next = kappa_snapshot_free(s);
    }
}

static void
free_editions(kappa_store_t *store)
{
    kappa_edition_t *next;

    for (kappa_edition_t *e = store->retired; e; e = next) {
        next = e->next;
        kappa_edition_destroy(e);
    }
    if (store->edition) {
        kappa_generation_t *generation = store->edition->generation;
        kappa_edition_destroy(store->edition);
        kappa_generation_release(generation);
    }
}

static void
close_fd(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void
kappa_store_close(kappa_store_t *store, bool mark)
{
    const kappa_alloc_t *alloc;

    if (store == NULL) {
        return;
    }
    if (mark && store->edition && !store->broken) {
        (void)mark_clean(store, NULL);
    }
    alloc = store->alloc;
    free_idle(store);
    free_editions(store);
    kappa_arena_destroy(store->offer.arena);
    kappa_arena_destroy(store->scratch);
    kappa_log_close(store->log);
    kappa_tail_close(&store->tail);
    kappa_siv_destroy(store->siv);
    kappa_store_unmap_turn(store);
    close_fd(store->turn);
    close_fd(store->dir);
    pthread_mutex_destroy(&store->writing);
    pthread_mutex_destroy(&store->serving);
    alloc->release(alloc->ctx, store->path);
    alloc->release(alloc->ctx, store->views_path);
    alloc->release(alloc->ctx, store);
}

/* --- asking */

bool
kappa_store_ready(kappa_store_t *store)
{
    return store->ready;
}

bool
kappa_store_broken(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    bool over = kappa_env_is_over(store->edition->generation->env);
    pthread_mutex_unlock(&store->serving);
    return over || store->broken;
}

bool
kappa_store_wants_build(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    bool wanted = store->offer.wanted;
    pthread_mutex_unlock(&store->serving);
    return wanted || store->behind || !store->ready;
}

const kappa_model_t *
kappa_store_model(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    const kappa_model_t *model = store->edition->model;
    pthread_mutex_unlock(&store->serving);
    return model;
}

uint64_t
kappa_store_version(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    uint64_t version = store->edition->version;
    pthread_mutex_unlock(&store->serving);
    return version;
}

kappa_str_t
kappa_store_epoch(kappa_store_t *store)
{
    return kappa_epoch_str(kappa_log_epoch(store->log));
}

kappa_str_t
kappa_store_position_text(
    kappa_store_t *store, uint64_t seq, char out[KAPPA_POSITION_CHARS_MAX])
{
    return kappa_str(
        out, kappa_position_format(kappa_log_epoch(store->log), seq, out));
}

kappa_log_t *
kappa_store_log(kappa_store_t *store)
{
    return store->log;
}

/* --- the timer */

/* Builds that were killed, and readers that died. */
static void
keep_house(kappa_store_t *store)
{
    if (++store->ticks % HOUSEKEEPING_EVERY != 0) {
        return;
    }
    kappa_store_sweep(store);

    kappa_generation_t *generation = kappa_store_hold(store);
    kappa_env_usage_t usage;
    uint32_t dead = kappa_env_check_readers(generation->env);
    kappa_env_usage(generation->env, &usage);
    kappa_store_let_go(store, generation);
    if (dead) {
        kappa_store_say(store, false,
            "%u readers of the views had died and were cleared", dead);
    }
    if (usage.readers_lag > LAG_MAX) {
        kappa_store_say(store, true,
            "process %d reads the views as they were %llu commits ago: their "
            "file grows until it ends that, or is ended; is it stopped?",
            usage.oldest_reader, (unsigned long long)usage.readers_lag);
    }
}

/* Who holds the lock catches up itself: then there is nothing to do here,
 * unless it is `current` that changed. */
kappa_status_t
kappa_store_tick(kappa_store_t *store, kappa_errors_t *errors)
{
    uint64_t tail = 0;

    keep_house(store);
    bool unsettled = kappa_store_unsettled(store);
    kappa_status_t status = unsettled ? kappa_store_lock(store, errors)
                                      : kappa_store_trylock(store, errors);

    if (status != KAPPA_OK) {
        return status == KAPPA_BUSY ? KAPPA_OK : status;
    }
    status = kappa_store_enter(store, &tail, errors);
    if (status == KAPPA_OK) {
        write_tail(store, tail);
        if (store->offer.arena && !store->offer.wanted) {
            status = kappa_store_offer(store, errors); /* not yet made */
        }
    }
    kappa_store_unlock(store);
    return status == KAPPA_BUSY ? KAPPA_OK : status;
}
