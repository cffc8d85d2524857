#ifndef KAPPA_GRAPHQL_SCHEMA_DIFF_PRIVATE_H
#define KAPPA_GRAPHQL_SCHEMA_DIFF_PRIVATE_H

#include "graphql/schema_diff.h"

/* What the files behind graphql/schema_diff.h share. */

typedef struct {
    kappa_arena_t *arena;
    kappa_schema_change_t *first;
    kappa_schema_change_t **last;
    bool no_memory;
} kappa_diff_t;

void kappa_diff_add(kappa_diff_t *d, kappa_severity_t severity,
    const char *code, kappa_str_t at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* printf into the arena; what it gives then is only to be shown. */
kappa_str_t kappa_diff_text(kappa_diff_t *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void kappa_diff_description(
    kappa_diff_t *d, kappa_str_t at, kappa_str_t before, kappa_str_t after);

/* --- schema_diff_input.c: arguments of fields and directives, and fields of
 * input objects. */
typedef enum {
    KAPPA_DIFF_ARGUMENT,
    KAPPA_DIFF_DIRECTIVE_ARGUMENT,
    KAPPA_DIFF_INPUT_FIELD
} kappa_diff_inputs_t;

/* owner: "Query.item", "@tag" or "Line". */
void kappa_diff_inputs(kappa_diff_t *d, kappa_diff_inputs_t what,
    kappa_str_t owner, const kappa_input_t *before, uint32_t before_count,
    const kappa_input_t *after, uint32_t after_count);

/* Whether who reads the first type can do so with the second. */
bool kappa_diff_fits_out(
    const kappa_type_ref_t *before, const kappa_type_ref_t *after);
bool kappa_diff_same_type(
    const kappa_type_ref_t *before, const kappa_type_ref_t *after);

#endif
