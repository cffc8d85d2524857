#include "cli/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/progress.h"

/* How often to look again while another process builds. */
#define BUILDER_POLL_US 200000

/* KAPPA_OK, KAPPA_NOT_FOUND, or who asks may not look. */
static kappa_status_t
find_store(const char *dir, kappa_errors_t *errors)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/log", dir) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
    } else if (stat(path, &st) == 0) {
        return KAPPA_OK;
    } else if (errno == ENOENT || errno == ENOTDIR) {
        return KAPPA_NOT_FOUND;
    }
    kappa_errors_add(
        errors, "STORE_UNAVAILABLE", "%s: %s", dir, strerror(errno));
    return KAPPA_IO;
}

/* What the store has to say is for people. */
static void
report(void *ctx, bool error, kappa_str_t message)
{
    (void)ctx;
    if (error || isatty(STDERR_FILENO) == 1) {
        fprintf(stderr, "kappa: %.*s\n", KAPPA_STR_ARG(message));
    }
}

static kappa_status_t
open_store(const char *dir, const kappa_source_t *schema, unsigned flags,
    kappa_store_t **out, kappa_errors_t *errors)
{
    kappa_store_options_t options = {
        .dir = kappa_str_c(dir),
        .schema_name = schema->name,
        .schema_text = schema->text,
        .alloc = &kappa_alloc_libc,
        .strict = (flags & KAPPA_CLI_STRICT) != 0,
        .insist = (flags & KAPPA_CLI_INSIST) != 0,
        .report = report,
    };
    bool create = (flags & KAPPA_CLI_CREATE) != 0;
    kappa_status_t status = find_store(dir, errors);

    if (status == KAPPA_NOT_FOUND && !(create && schema->text.data != NULL)) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "there is no store at %s%s", dir,
            create ? " (--schema FILE makes one)" : "");
        return KAPPA_NOT_FOUND;
    }
    if (status == KAPPA_NOT_FOUND) {
        status = kappa_store_create(kappa_str_c(dir), -1, -1, errors);
    }
    return status == KAPPA_OK ? kappa_store_open(&options, out, errors)
                              : status;
}

kappa_status_t
kappa_cli_open_store(const char *dir, const kappa_source_t *schema,
    unsigned flags, kappa_store_t **out, kappa_errors_t *errors)
{
    if (!kappa_cli_become_owner(dir)) {
        return KAPPA_IO;
    }
    kappa_status_t status = open_store(dir, schema, flags, out, errors);
    if (status == KAPPA_OK) {
        status = kappa_cli_catch_up(*out, errors);
        if (status != KAPPA_OK) {
            kappa_store_close(*out, false);
        }
    }
    if (status != KAPPA_OK) {
        kappa_cli_tell(errors);
    }
    return status;
}

static bool
show(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

kappa_status_t
kappa_cli_catch_up(kappa_store_t *store, kappa_errors_t *errors)
{
    kappa_progress_t progress;
    kappa_status_t status = KAPPA_OK;

    kappa_progress_start(&progress, "building views");
    while (status == KAPPA_OK && kappa_store_wants_build(store)) {
        status = kappa_store_build(store, show, &progress, errors);
        if (status == KAPPA_BUSY) {
            usleep(BUILDER_POLL_US);
            status = kappa_store_tick(store, errors);
        }
    }
    kappa_progress_end(&progress);
    return status;
}
