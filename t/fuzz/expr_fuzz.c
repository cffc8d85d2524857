#include <stdlib.h>

#include "expr/expr.h"
#include "t/unit/expr_world.h"

/* Any text is compiled, and evaluated if it loads: no crash, bounded memory,
 * and a status that fits the errors. Evaluation asks nothing of the text's
 * types twice: whatever loads ends with a value or a reason. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
evaluate(const kappa_expr_t *expr, kappa_arena_t *arena)
{
    const char *reason = NULL;
    kappa_world_t world;
    kappa_value_t v;
    bool holds;

    if (kappa_world_init(&world, arena) != KAPPA_OK) {
        abort();
    }
    kappa_expr_env_t env = kappa_world_env(&world);
    kappa_status_t status = kappa_expr_eval(expr, &env, arena, &v, &reason);
    if (status != KAPPA_OK && !(status == KAPPA_INVALID && reason != NULL)) {
        abort();
    }
    if (kappa_expr_holds(expr, &env, arena, &holds) != KAPPA_OK) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = kappa_str((const char *)data, size);
    kappa_source_t source = { KAPPA_STR("fuzz"), text };
    kappa_expr_t *expr = NULL;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_expr_compile(arena, text, &kappa_world_scope,
        size % 2 ? &kappa_expr_bool : NULL, &expr, &errors, &source, 0);
    if ((status == KAPPA_OK) != (errors.count == 0)
        || (status == KAPPA_OK) != (expr != NULL)) {
        abort();
    }
    if (status == KAPPA_OK) {
        evaluate(expr, arena);
    }
    kappa_arena_destroy(arena);
    return 0;
}
