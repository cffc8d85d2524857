#include "graphql/schema_private.h"

#include "graphql/schema_check.h"

static const kappa_type_kind_t kinds[] = {
    [KAPPA_DEFINITION_SCALAR] = KAPPA_TYPE_SCALAR,
    [KAPPA_DEFINITION_OBJECT] = KAPPA_TYPE_OBJECT,
    [KAPPA_DEFINITION_INTERFACE] = KAPPA_TYPE_INTERFACE,
    [KAPPA_DEFINITION_UNION] = KAPPA_TYPE_UNION,
    [KAPPA_DEFINITION_ENUM] = KAPPA_TYPE_ENUM,
    [KAPPA_DEFINITION_INPUT_OBJECT] = KAPPA_TYPE_INPUT_OBJECT,
};

static const struct {
    const char *name;
    kappa_scalar_t scalar;
    bool standard; /* of every schema; the others of kappa.graphql */
} scalars[] = {
    { "Int", KAPPA_SCALAR_INT, true },
    { "Float", KAPPA_SCALAR_FLOAT, true },
    { "String", KAPPA_SCALAR_STRING, true },
    { "Boolean", KAPPA_SCALAR_BOOLEAN, true },
    { "ID", KAPPA_SCALAR_ID, true },
    { "DateTime", KAPPA_SCALAR_DATETIME, false },
    { "Date", KAPPA_SCALAR_DATE, false },
    { "BigInt", KAPPA_SCALAR_BIGINT, false },
    { "UUID", KAPPA_SCALAR_UUID, false },
};

static kappa_scalar_t
scalar_of(kappa_str_t name, bool standard)
{
    for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
        if (scalars[i].standard == standard
            && kappa_str_eq_c(name, scalars[i].name)) {
            return scalars[i].scalar;
        }
    }
    return KAPPA_SCALAR_JSON;
}

/* One list of the definition's and the extensions' directives. */
static kappa_status_t
join_directives(kappa_arena_t *arena, const kappa_definition_t *definition,
    const kappa_definition_t *const *extensions, uint32_t count,
    const kappa_directive_node_t **out)
{
    kappa_directive_node_t *first = NULL, **link = &first;

    *out = definition ? definition->directives : NULL;
    if (count == 0) {
        return KAPPA_OK;
    }
    for (uint32_t i = 0; i <= count; i++) {
        const kappa_definition_t *part = i ? extensions[i - 1] : definition;

        for (kappa_directive_node_t *d = part ? part->directives : NULL; d;
             d = d->next) {
            *link = KAPPA_NEW(arena, kappa_directive_node_t);
            if (*link == NULL) {
                return KAPPA_NOMEM;
            }
            **link = *d;
            (*link)->next = NULL;
            link = &(*link)->next;
        }
    }
    *out = first;
    return KAPPA_OK;
}

static kappa_type_t *
new_type(
    kappa_build_t *build, const kappa_definition_t *definition, bool standard)
{
    kappa_type_t *type = KAPPA_NEW(build->arena, kappa_type_t);
    const kappa_definitions_t *extensions = standard
        ? NULL
        : kappa_map_get(&build->sdl->extensions, definition->name.text);

    if (type == NULL) {
        return NULL;
    }
    type->kind = kinds[definition->kind];
    type->name = definition->name.text;
    type->description = definition->description.text;
    type->definition = definition;
    type->source = definition->source;
    type->offset = definition->offset;
    type->builtin = standard;
    if (extensions != NULL) {
        type->extensions = extensions->items;
        type->extension_count = extensions->count;
    }
    if (standard || build->sdl->has_library) {
        type->scalar = scalar_of(type->name, standard);
    } else {
        type->scalar = KAPPA_SCALAR_JSON;
    }
    kappa_map_init(&type->field_map, build->arena);
    kappa_map_init(&type->input_map, build->arena);
    kappa_map_init(&type->value_map, build->arena);
    if (join_directives(build->arena, definition, type->extensions,
            type->extension_count, &type->directives)
        != KAPPA_OK) {
        return NULL;
    }
    return type;
}

static kappa_status_t
create_standard(kappa_build_t *build)
{
    for (const kappa_definition_t *d = build->sdl->builtin->definitions; d;
         d = d->next) {
        if (!kappa_definition_is_type(d)) {
            continue;
        }
        kappa_type_t *type = new_type(build, d, true);
        if (type == NULL) {
            return KAPPA_NOMEM;
        }
        if (kappa_str_eq_c(type->name, "__Meta")) {
            build->meta = type;
        } else if (kappa_map_put(&build->standard, type->name, type)
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

/* A definition of a built-in type's name is passed by, as by graphql-js. */
static kappa_status_t
create_types(kappa_build_t *build)
{
    for (uint32_t i = 0; i < build->sdl->all.count; i++) {
        const kappa_definition_t *d = build->sdl->all.items[i];

        if (!kappa_definition_is_type(d) || d->extension
            || kappa_map_get(&build->standard, d->name.text) != NULL) {
            continue;
        }
        kappa_type_t *type = new_type(build, d, false);
        if (type == NULL
            || kappa_map_put(&build->types, type->name, type) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
fill_types(kappa_build_t *build, const kappa_map_t *types)
{
    for (uint32_t i = 0; i < types->count; i++) {
        if (kappa_build_members(build, types->entries[i].value) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_directives(kappa_build_t *build)
{
    kappa_schema_t *schema = build->schema;
    const kappa_definitions_t *all = &build->sdl->all;

    schema->directives =
        KAPPA_NEW_ARRAY(build->arena, kappa_directive_t *, all->count + 8);
    if (schema->directives == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->items[i]->kind == KAPPA_DEFINITION_DIRECTIVE
            && kappa_build_directive(build, all->items[i]) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    for (const kappa_definition_t *d = build->sdl->builtin->definitions; d;
         d = d->next) {
        if (d->kind == KAPPA_DEFINITION_DIRECTIVE
            && kappa_map_get(&schema->directive_map, d->name.text) == NULL
            && kappa_build_directive(build, d) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static void
take_roots(kappa_build_t *build, const kappa_definition_t *definition)
{
    for (const kappa_root_node_t *r = definition->roots; r; r = r->next) {
        build->schema->roots[r->operation] =
            kappa_build_type(build, r->type.text);
    }
}

static kappa_status_t
build_roots(kappa_build_t *build)
{
    static const char *const names[] = { "Query", "Mutation", "Subscription" };
    kappa_schema_t *schema = build->schema;
    const kappa_definitions_t *extensions = &build->sdl->schema_extensions;

    schema->definition = build->sdl->schema;
    schema->extensions = extensions->items;
    schema->extension_count = extensions->count;
    if (schema->definition != NULL) {
        schema->description = schema->definition->description.text;
        take_roots(build, schema->definition);
    }
    for (uint32_t i = 0; i < extensions->count; i++) {
        take_roots(build, extensions->items[i]);
    }
    for (int i = 0; i < 3 && schema->definition == NULL; i++) {
        kappa_type_t *type =
            kappa_map_get(&build->types, kappa_str_c(names[i]));

        schema->roots[i] = type ? type : schema->roots[i];
    }
    return join_directives(build->arena, schema->definition,
        schema->extensions, schema->extension_count,
        &schema->schema_directives);
}

static kappa_status_t
list_type(kappa_schema_t *schema, kappa_type_t *type)
{
    type->number = schema->type_count;
    schema->types[schema->type_count++] = type;
    return kappa_map_put(&schema->type_map, type->name, type);
}

/* The user's types in their order, then the built-in ones that something
 * refers to (specification section 3.5: no others). */
static kappa_status_t
list_types(kappa_build_t *build)
{
    kappa_schema_t *schema = build->schema;
    uint32_t count = build->types.count + build->standard.count;

    schema->types = KAPPA_NEW_ARRAY(build->arena, kappa_type_t *, count);
    if (schema->types == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < build->types.count; i++) {
        if (list_type(schema, build->types.entries[i].value) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    for (uint32_t i = 0; i < build->standard.count; i++) {
        kappa_type_t *type = build->standard.entries[i].value;

        if ((type->kind != KAPPA_TYPE_SCALAR
                || kappa_map_get(&build->standard_used, type->name) != NULL)
            && list_type(schema, type) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

/* Whether type stands in the list before place i. */
static bool
is_repeated(const kappa_type_t *const *list, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (list[k] == list[i]) {
            return true;
        }
    }
    return false;
}

static kappa_type_t *
listed(const kappa_schema_t *schema, const kappa_type_t *type)
{
    return schema->types[type->number];
}

/* Calls for each interface that each object implements, once. */
static void
count_possible(kappa_schema_t *schema, const kappa_type_t *object, bool put)
{
    for (uint32_t i = 0; i < object->interface_count; i++) {
        kappa_type_t *interface = listed(schema, object->interfaces[i]);

        if (interface->kind != KAPPA_TYPE_INTERFACE
            || is_repeated(object->interfaces, i)) {
            continue;
        }
        if (put) {
            interface->possible[interface->possible_count] = object;
        }
        interface->possible_count++;
    }
}

static kappa_status_t
allocate_possible(kappa_build_t *build, kappa_type_t *type)
{
    uint32_t count =
        type->kind == KAPPA_TYPE_OBJECT ? 1 : type->possible_count;

    if (type->kind == KAPPA_TYPE_OBJECT
        || type->kind == KAPPA_TYPE_INTERFACE) {
        type->possible =
            KAPPA_NEW_ARRAY(build->arena, const kappa_type_t *, count);
        type->possible_count = 0;
        if (type->possible == NULL) {
            return KAPPA_NOMEM;
        }
    }
    if (type->kind == KAPPA_TYPE_OBJECT) {
        type->possible[type->possible_count++] = type;
    }
    return KAPPA_OK;
}

static kappa_status_t
build_set(kappa_build_t *build, kappa_type_t *type)
{
    if (!kappa_type_is_composite(type) || type->kind == KAPPA_TYPE_OBJECT) {
        return KAPPA_OK;
    }
    uint64_t *set =
        KAPPA_NEW_ARRAY(build->arena, uint64_t, build->schema->set_words);
    if (set == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->possible_count; i++) {
        uint32_t number = type->possible[i]->number;
        set[number / 64] |= (uint64_t)1 << (number % 64);
    }
    type->possible_set = set;
    return KAPPA_OK;
}

static kappa_status_t
build_possible(kappa_build_t *build)
{
    kappa_schema_t *schema = build->schema;
    kappa_status_t status = KAPPA_OK;

    schema->set_words = schema->type_count / 64 + 1;
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (schema->types[i]->kind == KAPPA_TYPE_OBJECT) {
            count_possible(schema, schema->types[i], false);
        }
    }
    for (uint32_t i = 0; i < schema->type_count && status == KAPPA_OK; i++) {
        status = allocate_possible(build, schema->types[i]);
    }
    for (uint32_t i = 0; i < schema->type_count && status == KAPPA_OK; i++) {
        if (schema->types[i]->kind == KAPPA_TYPE_OBJECT) {
            count_possible(schema, schema->types[i], true);
        }
    }
    for (uint32_t i = 0; i < schema->type_count && status == KAPPA_OK; i++) {
        status = build_set(build, schema->types[i]);
    }
    return status;
}

static kappa_status_t
build_meta(kappa_build_t *build)
{
    kappa_status_t status = kappa_build_members(build, build->meta);

    if (status != KAPPA_OK) {
        return status;
    }
    build->schema->meta_schema = &build->meta->fields[0];
    build->schema->meta_type = &build->meta->fields[1];
    build->schema->meta_typename = &build->meta->fields[2];
    return KAPPA_OK;
}

static kappa_status_t
build_all(kappa_build_t *build)
{
    static kappa_status_t (*const steps[])(
        kappa_build_t *) = { create_standard, create_types, build_meta,
        build_directives, build_roots };
    kappa_status_t status = KAPPA_OK;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        status = steps[i](build);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (fill_types(build, &build->types) != KAPPA_OK
        || fill_types(build, &build->standard) != KAPPA_OK
        || list_types(build) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    return build_possible(build);
}

static kappa_status_t
finish(kappa_build_t *build)
{
    kappa_errors_t *errors = build->sdl->errors;
    kappa_status_t status = kappa_schema_check(build);

    if (status == KAPPA_OK && errors->count == 0) {
        status = kappa_build_defaults(build);
    }
    if (status == KAPPA_OK && errors->count == 0) {
        status = kappa_build_hidden(build);
    }
    if (status == KAPPA_OK && errors->no_memory) {
        status = KAPPA_NOMEM;
    }
    return status == KAPPA_OK && errors->count > 0 ? KAPPA_INVALID : status;
}

kappa_status_t
kappa_schema_build(kappa_arena_t *arena, kappa_document_t *const *documents,
    uint32_t count, kappa_schema_t **out, kappa_errors_t *errors)
{
    kappa_sdl_t sdl;
    kappa_build_t build = { .sdl = &sdl, .arena = arena };
    kappa_status_t status =
        kappa_sdl_collect(&sdl, arena, documents, count, errors);

    if (status == KAPPA_OK) {
        status = kappa_sdl_check(&sdl);
    }
    if (status == KAPPA_OK && errors->no_memory) {
        return KAPPA_NOMEM;
    }
    if (status != KAPPA_OK || errors->count > 0) {
        return status != KAPPA_OK ? status : KAPPA_INVALID;
    }
    build.schema = KAPPA_NEW(arena, kappa_schema_t);
    if (build.schema == NULL) {
        return KAPPA_NOMEM;
    }
    build.schema->has_library = sdl.has_library;
    kappa_map_init(&build.standard, arena);
    kappa_map_init(&build.standard_used, arena);
    kappa_map_init(&build.types, arena);
    kappa_map_init(&build.schema->type_map, arena);
    kappa_map_init(&build.schema->directive_map, arena);
    status = build_all(&build);
    if (status == KAPPA_OK) {
        status = finish(&build);
    }
    if (status == KAPPA_OK) {
        *out = build.schema;
    }
    return status;
}
