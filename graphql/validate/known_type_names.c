#include "base/suggest.h"
#include "graphql/validate/rule.h"

/* 5.5.1.2 Fragment spread type existence; 5.8 for variables. */

static void
check_name(kappa_validation_t *v, const kappa_name_t *name)
{
    kappa_suggest_t suggest;

    if (kappa_public_type(v, name->text) != NULL
        || kappa_map_get(&v->own_types, name->text) != NULL) {
        return;
    }
    kappa_suggest_init(&suggest, name->text);
    for (uint32_t i = 0; i < v->schema->type_count && !kappa_is_full(v); i++) {
        if (!v->schema->types[i]->hidden) {
            kappa_suggest_try(&suggest, v->schema->types[i]->name);
        }
    }
    kappa_refuse(v, name->offset, "Unknown type \"%.*s\".%s",
        KAPPA_STR_ARG(name->text),
        kappa_errors_text(
            v->errors, kappa_suggest_print(&suggest, v->arena, NULL)));
}

static void
check_variable(kappa_validation_t *v, const kappa_variable_node_t *variable)
{
    const kappa_type_node_t *node = variable->type;

    while (node->kind != KAPPA_REF_NAMED) {
        node = node->of;
    }
    check_name(v, &node->name);
}

static void
check_fragment(kappa_validation_t *v, const kappa_definition_t *fragment)
{
    check_name(v, &fragment->type_condition);
}

static void
check_inline(kappa_validation_t *v, const kappa_selection_t *fragment,
    const kappa_type_t *type)
{
    (void)type;
    if (fragment->type_condition.text.data != NULL) {
        check_name(v, &fragment->type_condition);
    }
}

/* Type system definitions are wrong here (5.1.1), but what they name is looked
 * at all the same: it may be given by the document itself. */
static void
check_own(kappa_validation_t *v, const kappa_name_t *name)
{
    static const char *const standard[] = { "Int", "Float", "String",
        "Boolean", "ID" };

    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        if (kappa_str_eq_c(name->text, standard[i])) {
            return;
        }
    }
    check_name(v, name);
}

static void
check_type(kappa_validation_t *v, const kappa_type_node_t *node)
{
    while (node->kind != KAPPA_REF_NAMED) {
        node = node->of;
    }
    check_own(v, &node->name);
}

static void
check_names(kappa_validation_t *v, const kappa_named_node_t *node)
{
    for (; node != NULL; node = node->next) {
        check_own(v, &node->name);
    }
}

static void
check_inputs(kappa_validation_t *v, const kappa_input_node_t *input)
{
    for (; input != NULL; input = input->next) {
        check_type(v, input->type);
    }
}

static void
check_definition(kappa_validation_t *v, const kappa_definition_t *definition)
{
    check_names(v, definition->interfaces);
    for (kappa_field_node_t *f = definition->fields; f; f = f->next) {
        check_inputs(v, f->arguments);
        check_type(v, f->type);
    }
    check_inputs(v, definition->inputs);
    check_names(v, definition->members);
    for (kappa_root_node_t *r = definition->roots; r; r = r->next) {
        check_own(v, &r->type);
    }
}

static void
check_definitions(kappa_validation_t *v)
{
    if (v->part_count == v->document->definition_count) {
        return;
    }
    for (kappa_definition_t *d = v->document->definitions; d; d = d->next) {
        if (d->kind >= KAPPA_DEFINITION_SCALAR
            && d->kind <= KAPPA_DEFINITION_INPUT_OBJECT && !d->extension
            && kappa_map_put(&v->own_types, d->name.text, d) != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
            return;
        }
    }
    for (kappa_definition_t *d = v->document->definitions; d; d = d->next) {
        if (d->kind >= KAPPA_DEFINITION_SCHEMA) {
            check_definition(v, d);
        }
    }
}

const kappa_rule_t kappa_rule_known_type_names = {
    .info = { "KnownTypeNames", "5.5.1.2" },
    .document = check_definitions,
    .variable = check_variable,
    .fragment = check_fragment,
    .inline_fragment = check_inline,
};
