#ifndef KAPPA_VIEWS_COMPARE_PRIVATE_H
#define KAPPA_VIEWS_COMPARE_PRIVATE_H

#include "views/compare.h"

/* What the files behind views/compare.h share. */

typedef struct {
    kappa_arena_t *arena;
    const kappa_model_t *before;
    const kappa_model_t *after;
    kappa_difference_t *first;
    kappa_difference_t **last;
    bool no_memory;
} kappa_compare_t;

/* NULL: no memory, which is noted. */
kappa_difference_t *kappa_compare_add(kappa_compare_t *c, kappa_need_t need,
    kappa_str_t what, const char *how, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether they give the same in both models. Either may be NULL. */
bool kappa_compare_expr(const kappa_expr_t *a, const kappa_expr_t *b);

/* --- compare_type.c: how values of one type fit another one, as events hold
 * them and rows store them. */
typedef enum {
    KAPPA_FIT_SAME,    /* the same values, the same bytes */
    KAPPA_FIT_WIDER,   /* all that did fit, as it was, and more */
    KAPPA_FIT_RENAMED, /* the same, but that enum values have other names */
    KAPPA_FIT_WRITTEN, /* all that did fit, otherwise */
    KAPPA_FIT_OTHER
} kappa_fit_t;

/* An enum's value that there is no longer; data NULL: none. */
typedef struct {
    kappa_str_t type;
    kappa_str_t value;
} kappa_lost_t;

kappa_fit_t kappa_compare_type(const kappa_type_ref_t *before,
    const kappa_type_ref_t *after, kappa_lost_t *lost);

/* --- compare_rule.c */
void kappa_compare_rules(kappa_compare_t *c);

#endif
