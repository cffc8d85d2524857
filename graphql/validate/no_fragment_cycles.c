#include "graphql/validate/rule.h"

/* 5.5.2.2 Fragment spreads must not form cycles */

#define DEPTH_MAX 1000 /* a longer chain of fragments is refused */
#define SHOWN_MAX 10

typedef struct {
    kappa_validation_t *v;
    const kappa_selection_t *spreads[DEPTH_MAX];
    uint32_t depth;
} path_t;

static void
refuse(path_t *path, uint32_t from)
{
    kappa_validation_t *v = path->v;
    kappa_str_t via = KAPPA_STR("");
    uint32_t last = path->depth - 1;

    for (uint32_t i = from; i < last && i < from + SHOWN_MAX; i++) {
        via = kappa_errors_str(v->errors,
            kappa_str_printf(v->arena, "%.*s%s\"%.*s\"", KAPPA_STR_ARG(via),
                i > from ? ", " : " via ",
                KAPPA_STR_ARG(path->spreads[i]->name.text)));
    }
    kappa_error_t *error = kappa_refuse(v, path->spreads[from]->offset,
        "Cannot spread fragment \"%.*s\" within itself%.*s.",
        KAPPA_STR_ARG(path->spreads[last]->name.text), KAPPA_STR_ARG(via));
    for (uint32_t i = from + 1; i < path->depth; i++) {
        kappa_refuse_also(v, error, path->spreads[i]->offset);
    }
}

/* Of fragments of one name, the last one stands for the name. */
static void
follow(path_t *path, kappa_part_t *part)
{
    kappa_part_t *named = kappa_fragment(path->v, part->definition->name.text);

    if (named->visited) {
        return;
    }
    named->visited = true;
    named->path = part->spread_count > 0 ? path->depth + 1 : 0;
    for (uint32_t i = 0; i < part->spread_count && path->v->status == KAPPA_OK;
         i++) {
        kappa_part_t *next =
            kappa_fragment(path->v, part->spreads[i]->name.text);

        if (path->depth == DEPTH_MAX) {
            kappa_validation_spend(path->v, UINT32_MAX);
            break;
        }
        path->spreads[path->depth++] = part->spreads[i];
        if (next != NULL && next->path != 0) {
            refuse(path, next->path - 1);
        } else if (next != NULL) {
            follow(path, next);
        }
        path->depth--;
    }
    named->path = 0;
}

static void
check(kappa_validation_t *v)
{
    path_t *path = KAPPA_NEW(v->arena, path_t);

    if (path == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return;
    }
    path->v = v;
    for (uint32_t i = 0; i < v->part_count && v->status == KAPPA_OK; i++) {
        if (!kappa_is_operation(&v->parts[i])) {
            follow(path, &v->parts[i]);
        }
    }
}

const kappa_rule_t kappa_rule_no_fragment_cycles = {
    .info = { "NoFragmentCycles", "5.5.2.2" },
    .document = check,
};
