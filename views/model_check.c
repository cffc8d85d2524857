#include "views/model_private.h"

/* @check wherever it stands, and stamps of arguments. */

static bool
is_code(kappa_str_t s)
{
    if (!s.len || s.data[0] < 'A' || s.data[0] > 'Z') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') {
            return false;
        }
    }
    return true;
}

static kappa_status_t
check_code(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    kappa_check_t *check)
{
    kappa_str_t code = kappa_model_text(node, "code");

    check->code = "CHECK_FAILED";
    if (!code.data) {
        return KAPPA_OK;
    }
    if (!is_code(code)) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "code"),
            "@check(code:) is in capitals: letters, digits and _, such as "
            "\"NO_SUCH_PACKAGE\".");
    }
    check->code = kappa_str_dup(b->arena, code).data;
    return check->code ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
add_check(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    const kappa_expr_scope_t *scope, int32_t arg, kappa_check_t **checks)
{
    kappa_check_t *check = KAPPA_NEW(b->arena, kappa_check_t);

    if (!check) {
        return KAPPA_NOMEM;
    }
    check->message = kappa_model_text(node, "message");
    check->arg = arg;
    kappa_status_t status = check_code(b, node, check);
    if (status == KAPPA_OK) {
        status = kappa_model_compile_arg(
            b, node, "if", scope, &kappa_expr_bool, &check->condition);
    }
    while (*checks) {
        checks = &(*checks)->next;
    }
    *checks = check;
    return status;
}

kappa_status_t
kappa_model_checks(kappa_model_builder_t *b,
    const kappa_directive_node_t *list, const kappa_expr_scope_t *scope,
    int32_t arg, kappa_check_t **checks)
{
    kappa_status_t status = KAPPA_OK;
    const kappa_directive_node_t *node = kappa_model_directive(list, "check");

    for (; status == KAPPA_OK && node; node = kappa_directive_next(node)) {
        status = add_check(b, node, scope, arg, checks);
    }
    return status;
}

static kappa_status_t
arg_stamp(kappa_model_builder_t *b, const kappa_input_t *arg,
    const kappa_directive_node_t *node, kappa_arg_stamp_t *stamp)
{
    kappa_expr_scope_t scope = kappa_model_scope("@stamp on an argument");
    const kappa_expr_type_t *type = kappa_model_expr_type(b, arg->type);

    if (!type) {
        return KAPPA_NOMEM;
    }
    if (kappa_str_eq_c(kappa_model_text(node, "on"), "WRITE")) {
        return kappa_model_refuse(b, node->source,
            kappa_model_arg_offset(node, "on"),
            "@stamp(on: WRITE) is for fields; an argument is stamped each "
            "time.");
    }
    if (arg->default_literal) {
        return kappa_model_refuse(b, node->source, node->offset,
            "Argument \"%.*s\" is stamped, so its default is never used.",
            KAPPA_STR_ARG(arg->name));
    }
    kappa_model_scope_caller(&scope);
    stamp->arg = arg->number;
    return kappa_model_compile_arg(b, node, "as", &scope, type, &stamp->value);
}

kappa_status_t
kappa_model_arg_stamps(kappa_model_builder_t *b, const kappa_field_t *field,
    kappa_arg_stamp_t **stamps, uint32_t *count)
{
    kappa_status_t status = KAPPA_OK;

    *count = 0;
    *stamps = KAPPA_NEW_ARRAY(b->arena, kappa_arg_stamp_t, field->arg_count);
    if (!*stamps) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < field->arg_count; i++) {
        const kappa_directive_node_t *node =
            kappa_model_directive(field->args[i].directives, "stamp");

        if (node) {
            status =
                arg_stamp(b, &field->args[i], node, &(*stamps)[(*count)++]);
        }
    }
    return status;
}
