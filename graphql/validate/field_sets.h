#ifndef KAPPA_GRAPHQL_VALIDATE_FIELD_SETS_H
#define KAPPA_GRAPHQL_VALIDATE_FIELD_SETS_H

#include "graphql/validate/rule.h"

/* What OverlappingFieldsCanBeMerged compares: selection sets as seen from a
 * parent type, their own fields by response name, inline fragments taken in,
 * and the fragments that they spread. Each is collected once. */

typedef struct {
    const kappa_type_t *parent; /* as written; NULL: unknown */
    const kappa_selection_t *node;
    const kappa_field_t *field; /* NULL: unknown */
    bool plain;                 /* a leaf without arguments */
} kappa_field_entry_t;

/* The fields of a set under one response name. */
typedef struct {
    kappa_str_t name;
    kappa_field_entry_t *entries;
    uint32_t count;
    uint32_t cap;
} kappa_field_group_t;

typedef struct {
    kappa_map_t groups;     /* response name to kappa_field_group_t */
    kappa_part_t **spreads; /* each once */
    uint32_t spread_count;
    uint32_t spread_cap;
} kappa_field_set_t;

/* sets: of all that were collected; zeroed, or kappa_map_init. NULL: no
 * memory, and v->status says so. */
kappa_field_set_t *kappa_field_set(kappa_validation_t *v, kappa_map_t *sets,
    const kappa_type_t *parent, const kappa_selection_t *selections);

/* A map's key of two pointers, in the arena; data NULL: as above. */
kappa_str_t kappa_pair_key(
    kappa_validation_t *v, const void *a, const void *b);

/* Equal values under equal names, in any order. */
bool kappa_same_arguments(kappa_validation_t *v, const kappa_argument_t *a,
    const kappa_argument_t *b);

#endif
