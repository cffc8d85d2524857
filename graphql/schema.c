#include "graphql/schema.h"

/* What is asked of a schema; graphql/schema_build.c makes it. */

const kappa_type_t *
kappa_schema_type(const kappa_schema_t *schema, kappa_str_t name)
{
    return kappa_map_get(&schema->type_map, name);
}

const kappa_field_t *
kappa_type_field(const kappa_type_t *type, kappa_str_t name)
{
    return kappa_map_get(&type->field_map, name);
}

const kappa_input_t *
kappa_field_arg(const kappa_field_t *field, kappa_str_t name)
{
    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (kappa_str_eq(field->args[i].name, name)) {
            return &field->args[i];
        }
    }
    return NULL;
}

const kappa_directive_node_t *
kappa_directive_find(const kappa_directive_node_t *list, kappa_str_t name)
{
    while (list != NULL && !kappa_str_eq(list->name.text, name)) {
        list = list->next;
    }
    return list;
}

const kappa_directive_node_t *
kappa_directive_next(const kappa_directive_node_t *node)
{
    return kappa_directive_find(node->next, node->name.text);
}

const kappa_literal_t *
kappa_directive_arg(const kappa_directive_node_t *node, kappa_str_t name)
{
    for (kappa_argument_t *arg = node->arguments; arg != NULL;
         arg = arg->next) {
        if (kappa_str_eq(arg->name.text, name)) {
            return arg->value;
        }
    }
    return NULL;
}

kappa_str_t
kappa_type_ref_print(kappa_arena_t *arena, const kappa_type_ref_t *ref)
{
    size_t len = ref->named->name.len;

    for (const kappa_type_ref_t *r = ref; r->of != NULL; r = r->of) {
        len += r->kind == KAPPA_REF_LIST ? 2 : 1;
    }

    char *text = kappa_arena_bytes(arena, len + 1);
    size_t start = 0, end = len;
    if (text == NULL) {
        return KAPPA_STR_NULL;
    }
    text[len] = '\0';
    for (; ref->of != NULL; ref = ref->of) {
        if (ref->kind == KAPPA_REF_LIST) {
            text[start++] = '[';
            text[--end] = ']';
        } else {
            text[--end] = '!';
        }
    }
    memcpy(text + start, ref->named->name.data, end - start);
    return kappa_str(text, len);
}

bool
kappa_type_is_composite(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_OBJECT
        || type->kind == KAPPA_TYPE_INTERFACE
        || type->kind == KAPPA_TYPE_UNION;
}

bool
kappa_type_is_leaf(const kappa_type_t *type)
{
    return type->kind == KAPPA_TYPE_SCALAR || type->kind == KAPPA_TYPE_ENUM;
}

bool
kappa_type_is_input(const kappa_type_t *type)
{
    return kappa_type_is_leaf(type) || type->kind == KAPPA_TYPE_INPUT_OBJECT;
}

bool
kappa_type_is_possible(const kappa_type_t *type, const kappa_type_t *object)
{
    return type == object
        || (type->possible_set != NULL
            && (type->possible_set[object->number / 64]
                    >> (object->number % 64)
                & 1));
}
