#include "base/suggest.h"
#include "graphql/validate/sdl_private.h"

/* Types that are referred to or extended exist (3.4, 3.4.3). */

/* Looking for a near name costs as much as there are types. */
#define SUGGESTED_MAX 100

static const char *
near_types(kappa_sdl_t *sdl, kappa_str_t name, bool standard)
{
    kappa_suggest_t suggest;

    if (sdl->errors->count > SUGGESTED_MAX) {
        return "";
    }
    kappa_suggest_init(&suggest, name);
    for (uint32_t i = 0; standard && i < sdl->standard.count; i++) {
        kappa_suggest_try(&suggest, sdl->standard.entries[i].key);
    }
    for (uint32_t i = 0; i < sdl->types.count; i++) {
        kappa_suggest_try(&suggest, sdl->types.entries[i].key);
    }
    return kappa_errors_text(
        sdl->errors, kappa_suggest_print(&suggest, sdl->arena, NULL));
}

static bool
is_known(const kappa_sdl_t *sdl, kappa_str_t name)
{
    return kappa_map_get(&sdl->types, name) != NULL
        || (kappa_map_get(&sdl->standard, name) != NULL
            && !kappa_str_eq_c(name, "__Meta"));
}

static void
check_name(
    kappa_sdl_t *sdl, const kappa_source_t *source, const kappa_name_t *name)
{
    if (is_known(sdl, name->text)) {
        return;
    }
    kappa_error_at(sdl->errors,
        kappa_errors_add(sdl->errors, "VALIDATION_FAILED",
            "Unknown type \"%.*s\".%s", KAPPA_STR_ARG(name->text),
            near_types(sdl, name->text, true)),
        source, name->offset);
}

static void
check_type(kappa_sdl_t *sdl, const kappa_source_t *source,
    const kappa_type_node_t *node)
{
    while (node->kind != KAPPA_REF_NAMED) {
        node = node->of;
    }
    check_name(sdl, source, &node->name);
}

static void
check_inputs(kappa_sdl_t *sdl, const kappa_source_t *source,
    const kappa_input_node_t *input)
{
    for (; input != NULL; input = input->next) {
        check_type(sdl, source, input->type);
    }
}

static void
check_definition(kappa_sdl_t *sdl, const kappa_definition_t *d)
{
    for (const kappa_named_node_t *n = d->interfaces; n; n = n->next) {
        check_name(sdl, d->source, &n->name);
    }
    for (const kappa_field_node_t *f = d->fields; f; f = f->next) {
        check_inputs(sdl, d->source, f->arguments);
        check_type(sdl, d->source, f->type);
    }
    check_inputs(sdl, d->source, d->inputs);
    for (const kappa_named_node_t *n = d->members; n; n = n->next) {
        check_name(sdl, d->source, &n->name);
    }
    for (const kappa_root_node_t *r = d->roots; r; r = r->next) {
        check_name(sdl, d->source, &r->type);
    }
}

/* In operations and fragments only what the document defines is known, as
 * graphql-js has it: there is no schema yet. */
static void
check_defined(
    kappa_sdl_t *sdl, const kappa_source_t *source, const kappa_name_t *name)
{
    if (name->text.data == NULL
        || kappa_map_get(&sdl->types, name->text) != NULL) {
        return;
    }
    kappa_error_at(sdl->errors,
        kappa_errors_add(sdl->errors, "VALIDATION_FAILED",
            "Unknown type \"%.*s\".%s", KAPPA_STR_ARG(name->text),
            near_types(sdl, name->text, false)),
        source, name->offset);
}

static void
check_selections(
    kappa_sdl_t *sdl, const kappa_source_t *source, const kappa_selection_t *s)
{
    for (; s != NULL; s = s->next) {
        check_defined(sdl, source, &s->type_condition);
        check_selections(sdl, source, s->selections);
    }
}

static void
check_executable(kappa_sdl_t *sdl, const kappa_definition_t *d)
{
    for (const kappa_variable_node_t *n = d->variables; n; n = n->next) {
        const kappa_type_node_t *type = n->type;

        while (type->kind != KAPPA_REF_NAMED) {
            type = type->of;
        }
        check_defined(sdl, d->source, &type->name);
    }
    check_defined(sdl, d->source, &d->type_condition);
    check_selections(sdl, d->source, d->selections);
}

kappa_status_t
kappa_sdl_known_types(kappa_sdl_t *sdl)
{
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        if (sdl->all.items[i]->kind >= KAPPA_DEFINITION_SCHEMA) {
            check_definition(sdl, sdl->all.items[i]);
        } else {
            check_executable(sdl, sdl->all.items[i]);
        }
    }
    return KAPPA_OK;
}

static const char *const kind_names[] = {
    [KAPPA_DEFINITION_SCALAR] = "scalar",
    [KAPPA_DEFINITION_OBJECT] = "object",
    [KAPPA_DEFINITION_INTERFACE] = "interface",
    [KAPPA_DEFINITION_UNION] = "union",
    [KAPPA_DEFINITION_ENUM] = "enum",
    [KAPPA_DEFINITION_INPUT_OBJECT] = "input object",
};

static void
check_extension(kappa_sdl_t *sdl, const kappa_definition_t *d)
{
    const kappa_definition_t *extended =
        kappa_map_get(&sdl->last_types, d->name.text);

    if (extended == NULL) {
        kappa_error_at(sdl->errors,
            kappa_errors_add(sdl->errors, "VALIDATION_FAILED",
                "Cannot extend type \"%.*s\" because it is not "
                "defined.%s",
                KAPPA_STR_ARG(d->name.text),
                near_types(sdl, d->name.text, false)),
            d->source, d->name.offset);
    } else if (extended->kind != d->kind) {
        kappa_error_t *error = kappa_errors_add(sdl->errors,
            "VALIDATION_FAILED", "Cannot extend non-%s type \"%.*s\".",
            kind_names[d->kind], KAPPA_STR_ARG(d->name.text));

        kappa_error_at(sdl->errors, error, extended->source, extended->offset);
        kappa_error_at(sdl->errors, error, d->source, d->offset);
    }
}

kappa_status_t
kappa_sdl_extensions(kappa_sdl_t *sdl)
{
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        const kappa_definition_t *d = sdl->all.items[i];

        if (d->extension && kappa_definition_is_type(d)) {
            check_extension(sdl, d);
        }
    }
    return KAPPA_OK;
}
