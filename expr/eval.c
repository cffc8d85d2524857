#include "expr/call.h"
#include "expr/expr.h"
#include "expr/ops.h"

/* A walk of the tree. Types were checked, yet every operator looks at its
 * operands again: null may stand anywhere, and JSON is known only now. */

typedef struct {
    const kappa_expr_env_t *env;
    kappa_arena_t *scratch;
    const char *reason;
} run_t;

#define LOOKUP_KEYS_MAX 16

static kappa_status_t eval(
    run_t *run, const kappa_node_t *node, kappa_value_t *out);

static kappa_status_t
fail(run_t *run, const char *reason)
{
    run->reason = reason;
    return KAPPA_INVALID;
}

/* What a callback gave for a node. */
static kappa_status_t
settle(run_t *run, const kappa_node_t *node, kappa_status_t status,
    kappa_value_t *out)
{
    if (status == KAPPA_INVALID) {
        return fail(run, "a value that can't be read");
    }
    return status == KAPPA_OK
        ? kappa_expr_settle(node->type, out, run->scratch)
        : status;
}

static kappa_status_t
eval_root(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    const kappa_expr_env_t *env = run->env;

    return settle(run, node,
        env->root(
            env->ctx, run->scratch, (kappa_expr_root_t)node->number, out),
        out);
}

static kappa_status_t
eval_member(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    const kappa_expr_env_t *env = run->env;
    kappa_expr_root_t root = (kappa_expr_root_t)node->args[0]->number;

    return settle(run, node,
        env->member(env->ctx, run->scratch, root, node->number, out), out);
}

static kappa_status_t
eval_column(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    const kappa_expr_env_t *env = run->env;
    const kappa_node_t *base = node->args[0];
    kappa_value_t row = kappa_null();
    kappa_status_t status = eval(run, base, &row);

    if (status != KAPPA_OK) {
        return status;
    }
    if (row.kind != KAPPA_ROW) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    return settle(run, node,
        env->column(
            env->ctx, run->scratch, base->type, row.as.row, node->number, out),
        out);
}

/* null where there is no such member. */
static void
get_field(const kappa_value_t *object, kappa_str_t name, uint32_t hint,
    kappa_value_t *out)
{
    const kappa_value_t *found = NULL;

    if (hint < object->count
        && kappa_str_eq(object->as.members[hint].name, name)) {
        found = &object->as.members[hint].value;
    } else {
        found = kappa_value_member(object, name);
    }
    *out = found ? *found : kappa_null();
    kappa_expr_normalize(out);
}

static kappa_status_t
eval_field(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t object = kappa_null();
    kappa_status_t status = eval(run, node->args[0], &object);

    if (status != KAPPA_OK) {
        return status;
    }
    if (object.kind == KAPPA_OBJECT) {
        get_field(&object, node->name, node->number, out);
        return kappa_expr_settle(node->type, out, run->scratch);
    }
    *out = kappa_null();
    return kappa_is_null(&object) ? KAPPA_OK
                                  : fail(run, "a field of something without");
}

static kappa_status_t
index_into(run_t *run, const kappa_value_t *base, const kappa_value_t *index,
    kappa_value_t *out)
{
    if (kappa_is_null(base)) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    if (base->kind == KAPPA_OBJECT && index->kind == KAPPA_STRING) {
        get_field(base, index->as.string, UINT32_MAX, out);
        return KAPPA_OK;
    }
    if (base->kind != KAPPA_LIST || index->kind != KAPPA_INT) {
        return fail(run,
            kappa_is_null(index) ? "null as an index"
                                 : "an index of the wrong type");
    }
    if (index->as.integer < 0 || index->as.integer >= base->count) {
        return fail(run, "index out of range");
    }
    *out = base->as.items[index->as.integer];
    kappa_expr_normalize(out);
    return KAPPA_OK;
}

static kappa_status_t
eval_two(run_t *run, const kappa_node_t *node, kappa_value_t two[2])
{
    kappa_status_t status = eval(run, node->args[0], &two[0]);

    return status == KAPPA_OK ? eval(run, node->args[1], &two[1]) : status;
}

static kappa_status_t
eval_index(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t two[2] = { { 0 }, { 0 } };
    kappa_status_t status = eval_two(run, node, two);

    return status == KAPPA_OK ? index_into(run, &two[0], &two[1], out)
                              : status;
}

static kappa_status_t
eval_list(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t *items =
        KAPPA_NEW_ARRAY(run->scratch, kappa_value_t, node->count);

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        kappa_status_t status = eval(run, node->args[i], &items[i]);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = node->count, .as.items = items
    };
    return KAPPA_OK;
}

static kappa_status_t
eval_call(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t args[KAPPA_FUNCTION_ARGS_MAX];

    for (uint32_t i = 0; i < node->count; i++) {
        kappa_status_t status = eval(run, node->args[i], &args[i]);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return node->function->eval(node, args, run->scratch, out, &run->reason);
}

static kappa_status_t
eval_lookup(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    const kappa_expr_env_t *env = run->env;
    kappa_value_t keys[LOOKUP_KEYS_MAX];
    bool missing = false;

    if (node->count > LOOKUP_KEYS_MAX) {
        return fail(run, "a key of too many fields");
    }
    for (uint32_t i = 0; i < node->count; i++) {
        kappa_status_t status = eval(run, node->args[i], &keys[i]);

        if (status != KAPPA_OK) {
            return status;
        }
        missing = missing || kappa_is_null(&keys[i]);
    }
    if (missing) {
        *out = kappa_null();
        return KAPPA_OK;
    }
    return settle(run, node,
        env->lookup(
            env->ctx, run->scratch, node->view, keys, node->count, out),
        out);
}

static kappa_status_t
eval_bool(run_t *run, const kappa_node_t *node, bool *out)
{
    kappa_value_t v = kappa_null();
    kappa_status_t status = eval(run, node, &v);

    if (status != KAPPA_OK) {
        return status;
    }
    if (v.kind != KAPPA_BOOL) {
        return fail(run,
            kappa_is_null(&v) ? "null where a Boolean is needed"
                              : "no Boolean where one is needed");
    }
    *out = v.as.boolean;
    return KAPPA_OK;
}

/* CEL's logic does not depend on the order of operands: one that decides
 * (false of &&, true of ||) does so even beside one that fails. */
static kappa_status_t
eval_logic(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    bool decides = node->op == KAPPA_OP_OR;
    const char *reason = NULL;

    for (uint32_t i = 0; i < node->count; i++) {
        bool v = false;
        kappa_status_t status = eval_bool(run, node->args[i], &v);

        if (status == KAPPA_INVALID) {
            reason = run->reason;
        } else if (status != KAPPA_OK) {
            return status;
        } else if (v == decides) {
            *out = kappa_bool(v);
            return KAPPA_OK;
        }
    }
    *out = kappa_bool(!decides);
    return reason ? fail(run, reason) : KAPPA_OK;
}

static kappa_status_t
eval_not(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    bool v = false;
    kappa_status_t status = eval_bool(run, node->args[0], &v);

    *out = kappa_bool(!v);
    return status;
}

static kappa_status_t
eval_cond(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    bool v = false;
    kappa_status_t status = eval_bool(run, node->args[0], &v);

    return status == KAPPA_OK ? eval(run, node->args[v ? 1 : 2], out) : status;
}

static kappa_status_t
eval_negate(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t v = kappa_null();
    kappa_status_t status = eval(run, node->args[0], &v);

    return status == KAPPA_OK ? kappa_expr_negate(&v, out, &run->reason)
                              : status;
}

static kappa_status_t
compare(
    run_t *run, kappa_op_t op, const kappa_value_t two[2], kappa_value_t *out)
{
    int order = 0;

    if (op == KAPPA_OP_EQ || op == KAPPA_OP_NE) {
        bool same = kappa_expr_equal(&two[0], &two[1]);

        *out = kappa_bool(same == (op == KAPPA_OP_EQ));
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_expr_order(&two[0], &two[1], &order, &run->reason);
    *out = kappa_bool(op == KAPPA_OP_LT ? order < 0
            : op == KAPPA_OP_LE         ? order <= 0
            : op == KAPPA_OP_GT         ? order > 0
                                        : order >= 0);
    return status;
}

static kappa_status_t
eval_binary(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_value_t two[2] = { { 0 }, { 0 } };
    kappa_status_t status = eval_two(run, node, two);
    bool found = false;

    if (status != KAPPA_OK) {
        return status;
    }
    if (node->op == KAPPA_OP_IN) {
        status = kappa_expr_in(&two[0], &two[1], &found, &run->reason);
        *out = kappa_bool(found);
        return status;
    }
    if (node->op < KAPPA_OP_ADD) {
        return compare(run, node->op, two, out);
    }
    return kappa_expr_arithmetic(
        node->op, &two[0], &two[1], run->scratch, out, &run->reason);
}

static kappa_status_t
eval_convert(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    kappa_status_t status = eval(run, node->args[0], out);

    return status == KAPPA_OK
        ? kappa_expr_convert(node->type, out, run->scratch, &run->reason)
        : status;
}

static kappa_status_t
eval(run_t *run, const kappa_node_t *node, kappa_value_t *out)
{
    switch (node->op) {
    case KAPPA_OP_LITERAL:
        *out = node->literal;
        return KAPPA_OK;
    case KAPPA_OP_LIST:
        return eval_list(run, node, out);
    case KAPPA_OP_ROOT:
        return eval_root(run, node, out);
    case KAPPA_OP_MEMBER:
        return eval_member(run, node, out);
    case KAPPA_OP_COLUMN:
        return eval_column(run, node, out);
    case KAPPA_OP_FIELD:
        return eval_field(run, node, out);
    case KAPPA_OP_INDEX:
        return eval_index(run, node, out);
    case KAPPA_OP_CALL:
        return eval_call(run, node, out);
    case KAPPA_OP_LOOKUP:
        return eval_lookup(run, node, out);
    case KAPPA_OP_OR:
    case KAPPA_OP_AND:
        return eval_logic(run, node, out);
    case KAPPA_OP_NOT:
        return eval_not(run, node, out);
    case KAPPA_OP_COND:
        return eval_cond(run, node, out);
    case KAPPA_OP_NEGATE:
        return eval_negate(run, node, out);
    case KAPPA_OP_CONVERT:
        return eval_convert(run, node, out);
    default:
        return eval_binary(run, node, out);
    }
}

kappa_status_t
kappa_expr_eval(const kappa_expr_t *expr, const kappa_expr_env_t *env,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    run_t run = { .env = env, .scratch = scratch };
    kappa_value_t v = kappa_null();
    kappa_status_t status = eval(&run, expr->root, &v);

    if (status == KAPPA_OK) {
        *out = v;
    } else if (status == KAPPA_INVALID && reason != NULL) {
        *reason = run.reason;
    }
    return status;
}

kappa_status_t
kappa_expr_holds(const kappa_expr_t *expr, const kappa_expr_env_t *env,
    kappa_arena_t *scratch, bool *holds)
{
    kappa_value_t v = kappa_null();
    kappa_status_t status = kappa_expr_eval(expr, env, scratch, &v, NULL);

    *holds = status == KAPPA_OK && v.kind == KAPPA_BOOL && v.as.boolean;
    return status == KAPPA_INVALID ? KAPPA_OK : status;
}
