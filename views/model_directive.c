#include "views/model_private.h"

kappa_status_t
kappa_model_refuse(kappa_model_builder_t *b, const kappa_source_t *source,
    uint32_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t message = kappa_str_vprintf(b->arena, format, args);
    va_end(args);
    if (!message.data) {
        return KAPPA_NOMEM;
    }
    b->refused++;
    kappa_error_t *error = kappa_errors_add(
        b->errors, "VALIDATION_FAILED", "%.*s", KAPPA_STR_ARG(message));
    if (error) {
        kappa_error_at(b->errors, error, source, offset);
    }
    return b->errors && b->errors->no_memory ? KAPPA_NOMEM : KAPPA_OK;
}

const kappa_directive_node_t *
kappa_model_directive(const kappa_directive_node_t *list, const char *name)
{
    return kappa_directive_find(list, kappa_str_c(name));
}

static const kappa_literal_t *
argument(const kappa_directive_node_t *node, const char *arg)
{
    const kappa_literal_t *literal =
        kappa_directive_arg(node, kappa_str_c(arg));

    return literal && literal->kind != KAPPA_LITERAL_NULL ? literal : NULL;
}

kappa_str_t
kappa_model_text(const kappa_directive_node_t *node, const char *arg)
{
    const kappa_literal_t *literal = argument(node, arg);

    return literal ? literal->text : KAPPA_STR_NULL;
}

bool
kappa_model_flag(const kappa_directive_node_t *node, const char *arg)
{
    return kappa_str_eq_c(kappa_model_text(node, arg), "true");
}

const kappa_literal_t *
kappa_model_item(
    const kappa_directive_node_t *node, const char *arg, uint32_t n)
{
    const kappa_literal_t *literal = argument(node, arg);

    if (!literal || literal->kind != KAPPA_LITERAL_LIST) {
        return n == 0 ? literal : NULL;
    }
    literal = literal->items;
    while (literal && n--) {
        literal = literal->next;
    }
    return literal;
}

kappa_status_t
kappa_model_names(kappa_model_builder_t *b, const kappa_directive_node_t *node,
    const char *arg, kappa_str_t **names, uint32_t *count)
{
    const kappa_literal_t *literal = argument(node, arg);
    bool list = literal && literal->kind == KAPPA_LITERAL_LIST;

    *count = list ? literal->count : literal != NULL;
    *names = KAPPA_NEW_ARRAY(b->arena, kappa_str_t, *count);
    if (!*names) {
        return KAPPA_NOMEM;
    }
    literal = list ? literal->items : literal;
    for (uint32_t i = 0; i < *count; i++, literal = literal->next) {
        (*names)[i] = literal->text;
    }
    return KAPPA_OK;
}

uint32_t
kappa_model_arg_offset(const kappa_directive_node_t *node, const char *arg)
{
    const kappa_literal_t *literal = argument(node, arg);

    return literal ? literal->offset : node->offset;
}
