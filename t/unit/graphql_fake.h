#ifndef KAPPA_T_UNIT_GRAPHQL_FAKE_H
#define KAPPA_T_UNIT_GRAPHQL_FAKE_H

#include "graphql/data.h"

/* A data source over rows in memory, for tests of execution. The schema says
 * by @bind (t/fixtures/execute/schema.graphql) how fields are bound; the data
 * is a JSON object with a member per root type. An object {"__error",
 * "code"} is a fetch that fails; "__typename" tells types apart; a VALUE
 * field with arguments is the object of its arguments; a rule forbids. */

typedef struct {
    kappa_data_t data;
    kappa_arena_t *arena;
    kappa_schema_t *schema;
    const void *roots[3]; /* rows of the root types */
} kappa_fake_t;

/* Everything lives in arena. KAPPA_NOMEM, or KAPPA_INVALID with errors. */
kappa_status_t kappa_fake_init(kappa_fake_t *fake, kappa_arena_t *arena,
    kappa_str_t sdl, kappa_str_t json, kappa_errors_t *errors);

/* A file's bytes in the arena; data NULL: can't be read. */
kappa_str_t kappa_fake_read(kappa_arena_t *arena, const char *path);

/* The row of a root field (of KAPPA_OPERATION_SUBSCRIPTION, say). */
kappa_row_t kappa_fake_row(
    const kappa_fake_t *fake, kappa_operation_type_t root, const char *field);

#endif
