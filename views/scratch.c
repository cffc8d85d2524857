#include "views/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
remove_scratch(const char *path)
{
    static const char *const files[] = { "data.mdb", "lock.mdb" };
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (dir >= 0) {
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            unlinkat(dir, files[i], 0);
        }
        close(dir);
    }
    rmdir(path);
}

void
kappa_scratch_sweep(kappa_store_t *store)
{
    DIR *views = opendir(store->views_path);
    char path[4096];
    struct dirent *entry;
    long pid;

    while (views && (entry = readdir(views))) {
        if (sscanf(entry->d_name, "scratch-%ld", &pid) == 1 && pid > 0
            && (pid == (long)getpid()
                || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))) {
            snprintf(
                path, sizeof path, "%s/scratch-%ld", store->views_path, pid);
            remove_scratch(path);
        }
    }
    if (views) {
        closedir(views);
    }
}

static kappa_status_t
open_scratch(kappa_scratch_t *s, kappa_errors_t *errors)
{
    kappa_scratch_sweep(s->store);
    snprintf(s->path, sizeof s->path, "%s/scratch-%ld", s->store->views_path,
        (long)getpid());
    if (mkdir(s->path, 0700) != 0) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't make %s: %s",
            s->path, strerror(errno));
        return KAPPA_IO;
    }
    return kappa_env_open(s->path, s->store->map_size, s->store->alloc,
        &s->generation.env, errors);
}

/* The numbers that the served rows use, so that both are the same bytes. */
static kappa_status_t
copy_layout(kappa_scratch_t *s, kappa_env_t *served, kappa_errors_t *errors)
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
        status = kappa_env_write(s->generation.env, &to, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_txn_put(to, KAPPA_DBI_META, name, layout);
        if (status == KAPPA_OK) {
            status = kappa_txn_commit(to, errors);
        } else {
            kappa_txn_end(to);
        }
    }
    kappa_txn_end(from);
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

/* The model in force, as it is: its numbers are the layout's. */
static kappa_status_t
begin(
    kappa_scratch_t *s, const kappa_edition_t *served, kappa_errors_t *errors)
{
    kappa_status_t status = open_scratch(s, errors);

    if (status == KAPPA_OK) {
        status = copy_layout(s, served->generation->env, errors);
    }
    s->edition.generation = &s->generation;
    s->edition.model = served->model;
    if (status == KAPPA_OK) {
        status = kappa_writer_create(s->store->alloc, s->generation.env,
            served->model, &s->edition.writer);
    }
    if (status == KAPPA_OK) {
        kappa_writer_no_changes(s->edition.writer, true);
    }
    return status;
}

/* The edition in force, and its generation held against being closed. */
static void
hold(kappa_scratch_t *s)
{
    pthread_mutex_lock(&s->store->serving);
    s->served = s->store->edition;
    s->held = s->served->generation;
    s->held->users++;
    pthread_mutex_unlock(&s->store->serving);
}

static void
let_go(kappa_scratch_t *s)
{
    pthread_mutex_lock(&s->store->serving);
    kappa_generation_release(s->held);
    pthread_mutex_unlock(&s->store->serving);
}

kappa_status_t
kappa_scratch_open(kappa_scratch_t *s, kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    memset(s, 0, sizeof *s);
    s->store = store;
    s->progress = progress;
    s->ctx = ctx;
    hold(s);
    return begin(s, s->served, errors);
}

void
kappa_scratch_close(kappa_scratch_t *s)
{
    kappa_writer_destroy(s->edition.writer);
    kappa_log_cursor_close(s->edition.cursor);
    kappa_env_close(s->generation.env);
    remove_scratch(s->path);
    let_go(s);
}

kappa_status_t
kappa_scratch_replay(kappa_scratch_t *s, uint64_t end, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && s->position < end) {
        status = kappa_store_catch_up(s->store, &s->edition, end,
            KAPPA_CHUNK_EVENTS, &s->position, errors);
        if (status == KAPPA_OK && s->progress
            && !s->progress(s->ctx, s->position, end)) {
            status = KAPPA_DONE;
        }
    }
    return status;
}
