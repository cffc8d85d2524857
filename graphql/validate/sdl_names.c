#include "graphql/validate/names.h"
#include "graphql/validate/sdl_private.h"

/* 3.3 to 3.13: names that may be given once. */

static kappa_status_t
check_definitions(kappa_sdl_t *sdl, bool directives, const char *what)
{
    kappa_names_t names;

    kappa_names_init(&names, sdl->arena);
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        const kappa_definition_t *d = sdl->all.items[i];
        const kappa_name_place_t *first;

        if (d->extension
            || !(directives ? d->kind == KAPPA_DEFINITION_DIRECTIVE
                            : kappa_definition_is_type(d))) {
            continue;
        }
        if (kappa_names_add(
                &names, d->name.text, d->source, d->name.offset, &first)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
        if (first != NULL) {
            kappa_error_two(sdl->errors,
                kappa_errors_add(sdl->errors, "VALIDATION_FAILED", what,
                    KAPPA_STR_ARG(d->name.text)),
                first, d->source, d->name.offset);
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_sdl_unique_types(kappa_sdl_t *sdl)
{
    return check_definitions(
        sdl, false, "There can be only one type named \"%.*s\".");
}

kappa_status_t
kappa_sdl_unique_directives(kappa_sdl_t *sdl)
{
    return check_definitions(
        sdl, true, "There can be only one directive named \"@%.*s\".");
}

/* The names of one type's members, over its definition and extensions. */
static kappa_names_t *
names_of(kappa_map_t *types, kappa_str_t type)
{
    kappa_names_t *names = kappa_map_get(types, type);

    if (names != NULL) {
        return names;
    }
    names = KAPPA_NEW(types->arena, kappa_names_t);
    if (names == NULL || kappa_map_put(types, type, names) != KAPPA_OK) {
        return NULL;
    }
    kappa_names_init(names, types->arena);
    return names;
}

static kappa_status_t
check_member(kappa_sdl_t *sdl, kappa_names_t *names,
    const kappa_definition_t *d, const kappa_name_t *member, const char *what)
{
    const kappa_name_place_t *first;
    kappa_status_t status = kappa_names_add(
        names, member->text, d->source, member->offset, &first);

    if (status == KAPPA_OK && first != NULL) {
        kappa_error_two(sdl->errors,
            kappa_errors_add(sdl->errors, "VALIDATION_FAILED",
                "%s \"%.*s.%.*s\" can only be defined once.", what,
                KAPPA_STR_ARG(d->name.text), KAPPA_STR_ARG(member->text)),
            first, d->source, member->offset);
    }
    return status;
}

kappa_status_t
kappa_sdl_unique_enum_values(kappa_sdl_t *sdl)
{
    kappa_map_t types;

    kappa_map_init(&types, sdl->arena);
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        const kappa_definition_t *d = sdl->all.items[i];

        if (d->kind != KAPPA_DEFINITION_ENUM) {
            continue;
        }
        kappa_names_t *names = names_of(&types, d->name.text);
        if (names == NULL) {
            return KAPPA_NOMEM;
        }
        for (const kappa_enum_value_node_t *v = d->values; v; v = v->next) {
            if (check_member(sdl, names, d, &v->name, "Enum value")
                != KAPPA_OK) {
                return KAPPA_NOMEM;
            }
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_fields(
    kappa_sdl_t *sdl, kappa_names_t *names, const kappa_definition_t *d)
{
    for (const kappa_field_node_t *f = d->fields; f; f = f->next) {
        if (check_member(sdl, names, d, &f->name, "Field") != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    for (const kappa_input_node_t *f = d->inputs; f; f = f->next) {
        if (check_member(sdl, names, d, &f->name, "Field") != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_sdl_unique_fields(kappa_sdl_t *sdl)
{
    kappa_map_t types;

    kappa_map_init(&types, sdl->arena);
    for (uint32_t i = 0; i < sdl->all.count; i++) {
        const kappa_definition_t *d = sdl->all.items[i];

        if (!kappa_definition_is_type(d)) {
            continue;
        }
        kappa_names_t *names = names_of(&types, d->name.text);
        if (names == NULL || check_fields(sdl, names, d) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

typedef struct {
    kappa_errors_t *errors;
    const kappa_definition_t *definition;
    const kappa_field_node_t *field; /* NULL: the directive's own */
} arguments_t;

static void
report_arguments(
    void *ctx, const kappa_named_item_t *const *group, uint32_t count)
{
    arguments_t *of = ctx;
    kappa_error_t *error = kappa_errors_add(of->errors, "VALIDATION_FAILED",
        "Argument \"%s%.*s%s%.*s(%.*s:)\" can only be defined once.",
        of->field ? "" : "@", KAPPA_STR_ARG(of->definition->name.text),
        of->field ? "." : "",
        KAPPA_STR_ARG(of->field ? of->field->name.text : KAPPA_STR_NULL),
        KAPPA_STR_ARG(group[0]->name));

    for (uint32_t i = 0; i < count; i++) {
        kappa_error_at(of->errors, error, group[i]->source, group[i]->offset);
    }
}

static kappa_status_t
check_arguments(kappa_sdl_t *sdl, const kappa_definition_t *d,
    const kappa_field_node_t *field, const kappa_input_node_t *inputs)
{
    arguments_t of = { sdl->errors, d, field };
    uint32_t count = 0;

    for (const kappa_input_node_t *i = inputs; i != NULL; i = i->next) {
        count++;
    }
    if (count < 2) {
        return KAPPA_OK;
    }
    kappa_named_item_t *items =
        KAPPA_NEW_ARRAY(sdl->arena, kappa_named_item_t, count);
    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    count = 0;
    for (const kappa_input_node_t *i = inputs; i != NULL; i = i->next) {
        items[count++] =
            (kappa_named_item_t){ i->name.text, d->source, i->name.offset };
    }
    return kappa_group_names(sdl->arena, items, count, report_arguments, &of);
}

kappa_status_t
kappa_sdl_unique_arguments(kappa_sdl_t *sdl)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < sdl->all.count && status == KAPPA_OK; i++) {
        const kappa_definition_t *d = sdl->all.items[i];

        if (d->kind == KAPPA_DEFINITION_DIRECTIVE) {
            status = check_arguments(sdl, d, NULL, d->inputs);
        }
        for (const kappa_field_node_t *f = d->fields;
             f != NULL && status == KAPPA_OK; f = f->next) {
            status = check_arguments(sdl, d, f, f->arguments);
        }
    }
    return status;
}
