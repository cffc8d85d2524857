#include "log/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/owner.h"
#include "cli/progress.h"
#include "views/file.h"
#include "views/generation.h"

typedef struct {
    const char *store;
    const char *to;
    int dir; /* TO, locked */
    kappa_log_t *log;
    kappa_arena_t *arena;
    kappa_errors_t errors;
} backup_t;

static bool
show(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

/* One at a time into one directory. */
static bool
open_to(backup_t *b)
{
    b->dir = open(b->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->dir < 0) {
        fprintf(stderr, "kappa: %s: %s\n", b->to, strerror(errno));
        return false;
    }
    if (flock(b->dir, LOCK_EX | LOCK_NB) != 0) {
        fprintf(stderr, "kappa: %s: %s\n", b->to,
            errno == EWOULDBLOCK ? "another backup goes on there"
                                 : strerror(errno));
        return false;
    }
    return true;
}

/* So that a restored log can be served without looking for it. */
static kappa_status_t
copy_schema(backup_t *b)
{
    kappa_str_t name, text;
    kappa_status_t status = kappa_log_lock(b->log, &b->errors);

    if (status == KAPPA_OK) {
        status =
            kappa_views_schema(b->store, b->arena, &name, &text, &b->errors);
        kappa_log_unlock(b->log);
    }
    if (status == KAPPA_OK) {
        status =
            kappa_file_replace(b->dir, "schema.graphql", text, &b->errors);
    }
    return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
}

static kappa_status_t
copy_log(backup_t *b, uint64_t end, kappa_backup_result_t *result)
{
    kappa_progress_t progress;
    const kappa_backup_options_t options = { .progress = show,
        .ctx = &progress };

    kappa_progress_start(&progress, "copying");
    kappa_status_t status =
        kappa_log_backup(b->log, b->to, end, &options, result, &b->errors);
    kappa_progress_end(&progress);
    return status;
}

static int
run_backup(backup_t *b)
{
    kappa_backup_result_t result;
    uint64_t end = 0;

    if (kappa_cli_open_log(b->store, &b->log, &b->errors) != KAPPA_OK
        || !open_to(b)) {
        return KAPPA_EXIT_ERRORS;
    }
    kappa_status_t status =
        kappa_cli_log_end(b->store, b->log, &end, &b->errors);
    if (status == KAPPA_OK) {
        status = copy_log(b, end, &result);
    }
    if (status == KAPPA_OK) {
        status = copy_schema(b);
    }
    kappa_cli_tell(&b->errors);
    if (status != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    printf("%s-%llu: %llu events copied, %llu bytes; %llu blanked\n",
        kappa_log_epoch(b->log)->name, (unsigned long long)end,
        (unsigned long long)result.events, (unsigned long long)result.bytes,
        (unsigned long long)result.blanked);
    return KAPPA_EXIT_OK;
}

static int
backup(kappa_arena_t *arena, const char *store, const char *to)
{
    backup_t b = { .store = store, .to = to, .dir = -1, .arena = arena };

    kappa_errors_init(&b.errors, arena, 0);
    if (access(store, F_OK) == 0 && !kappa_cli_make_beside(to, store)) {
        return KAPPA_EXIT_ERRORS;
    }
    int code = run_backup(&b);
    kappa_log_close(b.log);
    if (b.dir >= 0) {
        close(b.dir);
    }
    return code;
}

static int
run(int argc, char **argv)
{
    const char *dir = NULL;
    const kappa_option_t options[] = {
        { "store", &dir, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 2
        || dir == NULL) {
        return kappa_command_misuse(&kappa_command_backup);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code = arena ? backup(arena, dir, argv[1]) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_backup = {
    .name = "backup",
    .usage = "--store DIR TO",
    .summary = "Copies what is new in the log to the directory TO.",
    .run = run,
};
