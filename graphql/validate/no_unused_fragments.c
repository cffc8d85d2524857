#include "graphql/validate/rule.h"

/* 5.5.1.4 Fragments must be used */

static uint32_t
visit(
    kappa_validation_t *v, kappa_part_t **queue, uint32_t count, uint32_t mark)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t s = 0; s < queue[i]->spread_count; s++) {
            kappa_part_t *part =
                kappa_fragment(v, queue[i]->spreads[s]->name.text);

            if (part != NULL && part->mark != mark) {
                part->mark = mark;
                queue[count++] = part;
            }
        }
    }
    return count;
}

static void
check(kappa_validation_t *v)
{
    kappa_part_t **queue = v->queue;
    uint32_t mark = ++v->marks, count = 0;

    for (uint32_t i = 0; i < v->part_count; i++) {
        if (kappa_is_operation(&v->parts[i])) {
            v->parts[i].mark = mark;
            queue[count++] = &v->parts[i];
        }
    }
    visit(v, queue, count, mark);
    for (uint32_t i = 0; i < v->part_count; i++) {
        const kappa_definition_t *d = v->parts[i].definition;

        /* Of two fragments of one name, what holds for one holds for both. */
        if (!kappa_is_operation(&v->parts[i])
            && kappa_fragment(v, d->name.text)->mark != mark) {
            kappa_refuse(v, d->offset, "Fragment \"%.*s\" is never used.",
                KAPPA_STR_ARG(d->name.text));
        }
    }
}

const kappa_rule_t kappa_rule_no_unused_fragments = {
    .info = { "NoUnusedFragments", "5.5.1.4" },
    .end = check,
};
