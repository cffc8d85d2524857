#ifndef KAPPA_VIEWS_GENERATION_H
#define KAPPA_VIEWS_GENERATION_H

#include "log/position.h"
#include "views/env.h"
#include "views/model.h"

/* A generation: one build of all views, a directory STORE/views/NNNN with
 *
 *   data.mdb, lock.mdb   the environment (views/env.h)
 *   about                which log, which schema (below)
 *   schema-N.graphql     the schema's text, N its revision
 *   boot, clean          whether to believe it (views/boot.h)
 *
 * STORE/views/current names the one that serves and decides, previous the one
 * that did so before it. Everything here
 * is called under the log's lock, except on a generation that is being built,
 * which its builder has for itself. Errors are STORE_UNAVAILABLE. */
typedef struct {
    uint32_t number; /* NNNN */
    int dir;
    bool boot_ours;   /* for kappa_boot_dirty */
    kappa_env_t *env; /* NULL until kappa_generation_attach */
    uint32_t users;   /* the store's: snapshots and editions */
    uint64_t inode;   /* of dir */
    const kappa_alloc_t *alloc;
} kappa_generation_t;

/* The file `about`, a word a line. Another revision is another schema over
 * the same rows: it was adopted without a build. */
typedef struct {
    kappa_epoch_t epoch;
    uint32_t revision;       /* from 1 */
    kappa_str_t schema_name; /* for messages */
} kappa_about_t;

/* KAPPA_NOT_FOUND: there is no `current`. KAPPA_CORRUPT: it names nothing. */
kappa_status_t kappa_current_read(
    int views, uint32_t *number, kappa_errors_t *errors);
kappa_status_t kappa_current_write(
    int views, uint32_t number, kappa_errors_t *errors);

/* The generation that served before, for rollback: what `previous` names, or
 * else the highest below `serving`, if it was completed. 0: there is none.
 * KAPPA_IO: it can't be known. */
kappa_status_t kappa_generation_before(
    int views, uint32_t serving, uint32_t *before, kappa_errors_t *errors);
/* Notes that `number` served until now; before kappa_current_write. */
kappa_status_t kappa_previous_write(
    int views, uint32_t number, kappa_errors_t *errors);

/* A schema that was rolled back: it is not to come into force by itself.
 * text data NULL: none is. */
kappa_status_t kappa_refused_write(
    int views, kappa_str_t text, kappa_errors_t *errors);
bool kappa_refused_is(int views, kappa_str_t text);

/* A new directory, with a number higher than all others. */
kappa_status_t kappa_generation_make(int views, const kappa_alloc_t *alloc,
    const char *boot_id, kappa_generation_t **out, kappa_errors_t *errors);

/* KAPPA_NOT_FOUND: there is none of that number. */
kappa_status_t kappa_generation_open(int views, uint32_t number,
    const kappa_alloc_t *alloc, kappa_generation_t **out,
    kappa_errors_t *errors);

/* Opens the environment. views_path: of STORE/views. */
kappa_status_t kappa_generation_attach(kappa_generation_t *generation,
    const char *views_path, size_t map_size, kappa_errors_t *errors);

/* Closes all, the environment too: no transaction may be open. */
void kappa_generation_close(kappa_generation_t *generation);

/* Whether its name still leads to this directory (nobody deleted views/). */
bool kappa_generation_there(const kappa_generation_t *generation, int views);

kappa_status_t kappa_generation_about(const kappa_generation_t *generation,
    kappa_arena_t *arena, kappa_about_t *out, kappa_errors_t *errors);
/* Its revision only, without memory; 0: there is none. */
uint32_t kappa_generation_revision(const kappa_generation_t *generation);
kappa_status_t kappa_generation_schema(const kappa_generation_t *generation,
    uint32_t revision, kappa_arena_t *arena, kappa_str_t *text,
    kappa_errors_t *errors);

/* The schema that STORE/views has in force, without opening the store. Under
 * the log's lock. KAPPA_NOT_FOUND: there are no views yet. */
kappa_status_t kappa_views_schema(const char *store, kappa_arena_t *arena,
    kappa_str_t *name, kappa_str_t *text, kappa_errors_t *errors);

/* Puts the schema's text in place, then `about`: all or nothing. */
kappa_status_t kappa_generation_adopt(const kappa_generation_t *generation,
    const kappa_about_t *about, kappa_str_t text, kappa_errors_t *errors);

/* Deletes a generation's directory; who has it open may go on reading. */
void kappa_generation_remove(int views, uint32_t number);

/* Calls each with every number there is, ascending. */
kappa_status_t kappa_generations_each(int views,
    void (*each)(void *ctx, uint32_t number), void *ctx,
    kappa_errors_t *errors);

#define KAPPA_SCHEMA_BYTES_MAX (16 * 1024 * 1024)

#endif
