#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/layout.h"
#include "views/store_private.h"

/* Whether the views are what the log makes them: the log is replayed into an
 * environment of its own, which is compared entry by entry with the one that
 * serves. */

#define DIFFERENCES_MAX 20

typedef struct {
    kappa_store_t *store;
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end);
    void *ctx;
    kappa_errors_t *errors;
    uint64_t end; /* of the log, when verifying began */
    char path[4096];
    kappa_generation_t scratch; /* only env and number */
    kappa_edition_t edition;
    uint32_t differences;
} verify_t;

/* --- the log */

static void
log_progress(void *arg, uint64_t seq)
{
    verify_t *v = arg;

    if (v->progress) {
        (void)v->progress(v->ctx, seq, v->end);
    }
}

/* --- the scratch environment */

static void
remove_scratch(verify_t *v)
{
    static const char *const files[] = { "data.mdb", "lock.mdb" };
    int dir = open(v->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (dir >= 0) {
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            unlinkat(dir, files[i], 0);
        }
        close(dir);
    }
    rmdir(v->path);
}

/* Scratch of processes that were killed. */
static void
remove_left(verify_t *v)
{
    DIR *views = opendir(v->store->views_path);
    struct dirent *entry;
    long pid;

    while (views && (entry = readdir(views))) {
        if (sscanf(entry->d_name, "verify-%ld", &pid) == 1 && pid > 0
            && (pid == (long)getpid()
                || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))) {
            snprintf(v->path, sizeof v->path, "%s/verify-%ld",
                v->store->views_path, pid);
            remove_scratch(v);
        }
    }
    if (views) {
        closedir(views);
    }
}

static kappa_status_t
open_scratch(verify_t *v)
{
    remove_left(v);
    snprintf(v->path, sizeof v->path, "%s/verify-%ld", v->store->views_path,
        (long)getpid());
    if (mkdir(v->path, 0700) != 0) {
        kappa_errors_add(v->errors, "STORE_UNAVAILABLE", "can't make %s: %s",
            v->path, strerror(errno));
        return KAPPA_IO;
    }
    return kappa_env_open(v->path, v->store->map_size, v->store->alloc,
        &v->scratch.env, v->errors);
}

/* The numbers that the served rows use, so that both are the same bytes. */
static kappa_status_t
copy_layout(verify_t *v, kappa_env_t *served)
{
    const kappa_str_t name = KAPPA_STR("layout");
    kappa_txn_t *from, *to;
    kappa_str_t layout;
    kappa_status_t status = kappa_env_read(served, &from);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_txn_get(from, KAPPA_DBI_META, name, &layout);
    if (status == KAPPA_OK) {
        status = kappa_env_write(v->scratch.env, &to, v->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_txn_put(to, KAPPA_DBI_META, name, layout);
        if (status == KAPPA_OK) {
            status = kappa_txn_commit(to, v->errors);
        } else {
            kappa_txn_end(to);
        }
    }
    kappa_txn_end(from);
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

/* The model in force, as it is: its numbers are the layout's. */
static kappa_status_t
begin_replay(verify_t *v, const kappa_edition_t *served)
{
    kappa_status_t status = open_scratch(v);

    if (status == KAPPA_OK) {
        status = copy_layout(v, served->generation->env);
    }
    v->edition.generation = &v->scratch;
    v->edition.model = served->model;
    if (status == KAPPA_OK) {
        status = kappa_writer_create(v->store->alloc, v->scratch.env,
            served->model, &v->edition.writer);
    }
    if (status == KAPPA_OK) {
        kappa_writer_no_changes(v->edition.writer, true);
    }
    return status;
}

static kappa_status_t
replay_to(verify_t *v, uint64_t *position, uint64_t end)
{
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && *position < end) {
        status = kappa_store_catch_up(v->store, &v->edition, end,
            KAPPA_CHUNK_EVENTS, position, v->errors);
        if (status == KAPPA_OK && v->progress
            && !v->progress(v->ctx, *position, end)) {
            status = KAPPA_DONE;
        }
    }
    return status;
}

/* --- comparing */

static void
say_difference(verify_t *v, const char *dbi, kappa_str_t key, const char *what)
{
    char hex[2 * 64 + 1] = "";

    for (size_t i = 0; i < key.len && i < 64; i++) {
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)key.data[i]);
    }
    if (++v->differences <= DIFFERENCES_MAX) {
        kappa_errors_add(
            v->errors, "VIEWS_DIFFER", "%s, entry %s: %s", dbi, hex, what);
    }
}

typedef struct {
    kappa_txn_t *txn;
    kappa_str_t key, value;
    kappa_status_t status; /* DONE: past the end */
} side_t;

static void
step(side_t *side, kappa_dbi_t dbi)
{
    side->status = kappa_txn_next(side->txn, dbi, &side->key, &side->value);
}

static void
compare_entry(
    verify_t *v, kappa_dbi_t dbi, const char *name, side_t *is, side_t *must)
{
    int order = is->status == KAPPA_DONE ? 1
        : must->status == KAPPA_DONE     ? -1
                                         : kappa_str_cmp(is->key, must->key);

    if (order < 0) {
        say_difference(v, name, is->key, "the log does not make it");
        step(is, dbi);
    } else if (order > 0) {
        say_difference(v, name, must->key, "is missing");
        step(must, dbi);
    } else {
        if (!kappa_str_eq(is->value, must->value)) {
            say_difference(v, name, is->key, "has another value");
        }
        step(is, dbi);
        step(must, dbi);
    }
}

static bool
runs(const side_t *side)
{
    return side->status == KAPPA_OK || side->status == KAPPA_DONE;
}

static kappa_status_t
compare_dbi(verify_t *v, kappa_dbi_t dbi, const char *name, kappa_txn_t *is,
    kappa_txn_t *must)
{
    side_t left = { .txn = is }, right = { .txn = must };

    left.status =
        kappa_txn_seek(is, dbi, KAPPA_STR("\0"), &left.key, &left.value);
    right.status =
        kappa_txn_seek(must, dbi, KAPPA_STR("\0"), &right.key, &right.value);
    while (runs(&left) && runs(&right)
        && (left.status == KAPPA_OK || right.status == KAPPA_OK)) {
        compare_entry(v, dbi, name, &left, &right);
    }
    return !runs(&left) ? left.status
        : !runs(&right) ? right.status
                        : KAPPA_OK;
}

static kappa_status_t
compare(verify_t *v, kappa_txn_t *is)
{
    static const struct {
        kappa_dbi_t dbi;
        const char *name;
    } dbis[] = { { KAPPA_DBI_ROWS, "rows" }, { KAPPA_DBI_INDEX, "index" },
        { KAPPA_DBI_AGGREGATES, "aggregates" },
        { KAPPA_DBI_EXTREMES, "extremes" },
        { KAPPA_DBI_IDEMPOTENCY, "idempotency" },
        { KAPPA_DBI_HISTORY, "history" }, { KAPPA_DBI_COUNTS, "counts" } };
    kappa_txn_t *must;
    kappa_status_t status = kappa_env_read(v->scratch.env, &must);

    if (status != KAPPA_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof dbis / sizeof dbis[0] && status == KAPPA_OK;
         i++) {
        status = compare_dbi(v, dbis[i].dbi, dbis[i].name, is, must);
    }
    kappa_txn_end(must);
    if (status == KAPPA_OK && v->differences) {
        kappa_errors_add(v->errors, "VIEWS_DIFFER",
            "%u entries differ; `kappa rebuild` makes the views anew",
            v->differences);
        return KAPPA_CORRUPT;
    }
    return status;
}

/* Both at one position: the last steps are made while nobody appends. */
static kappa_status_t
meet(verify_t *v, uint64_t *position, kappa_txn_t **is)
{
    kappa_store_t *store = v->store;
    uint64_t tail = 0;
    kappa_status_t status = kappa_store_lock(store, v->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_store_enter(store, &tail, v->errors);
    if (status == KAPPA_OK && store->edition->model != v->edition.model) {
        kappa_errors_add(v->errors, "SCHEMA_CHANGED",
            "another schema came into force; verify again");
        status = KAPPA_CONFLICT;
    }
    if (status == KAPPA_OK) {
        status = replay_to(v, position, tail);
    }
    if (status == KAPPA_OK) {
        status = kappa_env_read(store->edition->generation->env, is);
    }
    kappa_store_unlock(store);
    return status;
}

/* --- */

static kappa_status_t
check_log(verify_t *v)
{
    return kappa_log_verify(v->store->log, v->end, log_progress, v, v->errors);
}

static kappa_status_t
check_views(verify_t *v)
{
    uint64_t position = 0;
    kappa_txn_t *is = NULL;
    kappa_status_t status = replay_to(v, &position, v->end);

    if (status == KAPPA_OK) {
        status = meet(v, &position, &is);
    }
    if (status == KAPPA_OK) {
        status = compare(v, is);
    }
    kappa_txn_end(is);
    return status;
}

static void
release(verify_t *v)
{
    kappa_writer_destroy(v->edition.writer);
    kappa_log_cursor_close(v->edition.cursor);
    kappa_env_close(v->scratch.env);
    remove_scratch(v);
}

/* The edition in force, and its generation held against being closed. */
static const kappa_edition_t *
hold(kappa_store_t *store)
{
    pthread_mutex_lock(&store->serving);
    const kappa_edition_t *edition = store->edition;
    edition->generation->users++;
    pthread_mutex_unlock(&store->serving);
    return edition;
}

static void
let_go(kappa_store_t *store, kappa_generation_t *generation)
{
    pthread_mutex_lock(&store->serving);
    kappa_generation_release(generation);
    pthread_mutex_unlock(&store->serving);
}

kappa_status_t
kappa_store_verify(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = store->alloc;
    verify_t *v = alloc->alloc(alloc->ctx, sizeof *v);

    if (v == NULL) {
        return KAPPA_NOMEM;
    }
    memset(v, 0, sizeof *v);
    v->store = store;
    v->progress = progress;
    v->ctx = ctx;
    v->errors = errors;
    v->end = kappa_store_position(store);

    kappa_status_t status = check_log(v);
    if (status == KAPPA_OK) {
        const kappa_edition_t *served = hold(store);
        kappa_generation_t *generation = served->generation;

        status = begin_replay(v, served);
        if (status == KAPPA_OK) {
            status = check_views(v);
        }
        release(v);
        let_go(store, generation);
    }
    alloc->release(alloc->ctx, v);
    return status;
}
