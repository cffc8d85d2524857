#ifndef KAPPA_VIEWS_FILE_H
#define KAPPA_VIEWS_FILE_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/status.h"

/* Small files beside the views: marks, layouts, schemas. `dir` is an open
 * directory, `name` a file in it. Errors are of code STORE_UNAVAILABLE and
 * name the file. */

/* The whole file, NUL behind it, in the arena. KAPPA_NOT_FOUND: there is
 * none; KAPPA_LIMIT: more than max bytes. */
kappa_status_t kappa_file_read(int dir, const char *name, size_t max,
    kappa_arena_t *arena, kappa_str_t *out, kappa_errors_t *errors);

/* Puts a file in place at once and durably: a reader sees all of the old or
 * all of the new, whatever crashes (temporary file, fsync, rename, fsync of
 * the directory). Writers of one name take turns by a lock of their own. */
kappa_status_t kappa_file_replace(
    int dir, const char *name, kappa_str_t text, kappa_errors_t *errors);

kappa_status_t kappa_dir_sync(int dir, kappa_errors_t *errors);

#endif
