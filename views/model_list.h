#ifndef KAPPA_VIEWS_MODEL_LIST_H
#define KAPPA_VIEWS_MODEL_LIST_H

#include "views/model_private.h"

/* Between model_list.c and model_choice.c. */

#define KAPPA_LIST_ARGS_MAX 64

typedef struct {
    uint32_t column;
    bool descending;
} kappa_list_order_t;

/* A list being worked out. */
typedef struct kappa_list_work_s {
    kappa_model_builder_t *b;
    const kappa_field_t *field;
    kappa_list_t *list;
    const kappa_type_t *order_type; /* NULL: no orderBy */
    kappa_list_order_t *orders;     /* by enum value */
    bool order_optional;
    uint64_t required; /* bit per argument that filters always */
    bool refused;
    struct kappa_list_work_s *next; /* of list->next */
} kappa_list_work_t;

/* Refuses the list at an argument (NULL: at the field). */
kappa_status_t kappa_model_list_refuse(
    kappa_list_work_t *w, const kappa_input_t *arg, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills the choices of all lists in the chain; refuses a combination that not
 * all of them have an index for. */
kappa_status_t kappa_model_choices(kappa_list_work_t *w);

#endif
