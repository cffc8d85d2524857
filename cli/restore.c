#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "log/backup.h"

static bool
show(void *ctx, uint64_t seq, uint64_t end)
{
    kappa_progress_show(ctx, seq, end, seq);
    return true;
}

static bool
is_backup(const char *from)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/" KAPPA_MANIFEST_FILE, from)
        < (int)sizeof(path)
        && access(path, R_OK) == 0;
}

/* The schema to build views by: as given, else the backup's. Read before root
 * becomes somebody else. False: said why not. */
static bool
read_schema(kappa_arena_t *arena, const char *from, const char *given,
    kappa_source_t *out)
{
    kappa_str_t path = kappa_str_printf(arena, "%s/schema.graphql", from);

    *out = (kappa_source_t){ .text = KAPPA_STR_NULL };
    if (given == NULL && (path.data == NULL || access(path.data, R_OK) != 0)) {
        return true;
    }
    return kappa_input_read(arena, given ? given : path.data, out) == KAPPA_OK;
}

/* A new or an empty directory, or one that a restore began in. */
static bool
make_store(const char *dir)
{
    bool occupied = false;
    struct dirent *entry;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "kappa: can't make %s: %s\n", dir, strerror(errno));
        return false;
    }
    DIR *handle = opendir(dir);
    if (handle == NULL) {
        fprintf(stderr, "kappa: %s: %s\n", dir, strerror(errno));
        return false;
    }
    while ((entry = readdir(handle)) != NULL) {
        occupied |= strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0
            && strcmp(entry->d_name, "restoring") != 0;
    }
    closedir(handle);
    if (occupied) {
        fprintf(stderr,
            "kappa: %s is not empty: name an empty or a new directory\n", dir);
    }
    return !occupied;
}

static kappa_status_t
restore_log(const char *from, const char *dir, kappa_errors_t *errors)
{
    uint8_t random[KAPPA_EPOCH_RANDOM];
    kappa_progress_t progress;
    const kappa_backup_options_t options = { .progress = show,
        .ctx = &progress };
    uint64_t seq;

    kappa_random(random, sizeof(random));
    kappa_progress_start(&progress, "restoring");
    kappa_status_t status =
        kappa_log_restore(from, dir, random, &options, &seq, errors);
    kappa_progress_end(&progress);
    kappa_cli_tell(errors);
    return status;
}

static int
build_views(
    const char *dir, const kappa_source_t *schema, kappa_errors_t *errors)
{
    kappa_store_t *store;

    if (schema->text.data == NULL) {
        printf("%s: restored; it has no views yet, since no schema was "
               "given\n",
            dir);
        return KAPPA_EXIT_OK;
    }
    if (kappa_cli_open_store(dir, schema, 0, &store, errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    printf("%.*s-%llu: restored\n", KAPPA_STR_ARG(kappa_store_epoch(store)),
        (unsigned long long)kappa_store_position(store));
    kappa_store_close(store, true);
    return KAPPA_EXIT_OK;
}

/* FROM must be readable for who will own the store: its parent's owner. */
static int
restore(
    kappa_arena_t *arena, const char *from, const char *dir, const char *given)
{
    kappa_source_t schema;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (!is_backup(from)) {
        fprintf(stderr, "kappa: %s is no backup\n", from);
        return KAPPA_EXIT_ERRORS;
    }
    if (!read_schema(arena, from, given, &schema)) {
        return KAPPA_EXIT_USAGE;
    }
    if (!kappa_cli_become_owner(dir) || !make_store(dir)
        || restore_log(from, dir, &errors) != KAPPA_OK) {
        return KAPPA_EXIT_ERRORS;
    }
    return build_views(dir, &schema, &errors);
}

static int
run(int argc, char **argv)
{
    const char *dir = NULL;
    const char *schema = NULL;
    const kappa_option_t options[] = {
        { "store", &dir, NULL },
        { "schema", &schema, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, options) || argc != 2
        || dir == NULL) {
        return kappa_command_misuse(&kappa_command_restore);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code =
        arena ? restore(arena, argv[1], dir, schema) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_restore = {
    .name = "restore",
    .usage = "FROM --store DIR [--schema FILE]",
    .summary = "Makes a store of a backup; its log gets a new epoch.",
    .run = run,
};
