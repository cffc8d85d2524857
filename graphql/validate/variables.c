#include "graphql/validate/variables.h"

static kappa_status_t
declared_variables(kappa_validation_t *v, const kappa_definition_t *operation,
    kappa_map_t *out)
{
    kappa_map_init(out, v->arena);
    for (kappa_variable_node_t *n = operation->variables; n; n = n->next) {
        if (kappa_map_put(out, n->name.text, n) != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static void
tell_usages(kappa_validation_t *v, kappa_part_t *operation, kappa_usage_f tell,
    void *ctx)
{
    kappa_map_t declared;
    uint32_t count;
    kappa_part_t **parts = kappa_reachable(v, operation, &count);

    if (parts == NULL
        || declared_variables(v, operation->definition, &declared)
            != KAPPA_OK) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (const kappa_usage_t *u = parts[i]->usages;
             u != NULL && kappa_validation_spend(v, 1); u = u->next) {
            tell(v, operation->definition, u,
                kappa_map_get(&declared, u->literal->text), ctx);
        }
    }
}

void
kappa_each_usage(kappa_validation_t *v, kappa_usage_f usage,
    void (*done)(
        kappa_validation_t *v, const kappa_definition_t *operation, void *ctx),
    void *ctx)
{
    for (uint32_t i = 0; i < v->part_count && v->status == KAPPA_OK; i++) {
        if (!kappa_is_operation(&v->parts[i])) {
            continue;
        }
        tell_usages(v, &v->parts[i], usage, ctx);
        if (done != NULL && v->status == KAPPA_OK) {
            done(v, v->parts[i].definition, ctx);
        }
    }
}
