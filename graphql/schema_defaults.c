#include "graphql/coerce.h"
#include "graphql/schema_check.h"
#include "graphql/validate/literal.h"

/* Defaults of arguments and input fields: of their type (3.6.1, 3.10), not
 * taking themselves in (3.10, InputObjectDefaultValueHasCycle), coerced. */

#define DEPTH_MAX 1000

kappa_status_t
kappa_check_default(
    kappa_build_t *build, const kappa_input_t *input, kappa_str_t where)
{
    if (input->default_literal == NULL) {
        return KAPPA_OK;
    }
    kappa_str_t what = kappa_str_printf(build->arena,
        "The default of %.*s is invalid: ", KAPPA_STR_ARG(where));
    if (what.data == NULL) {
        return KAPPA_NOMEM;
    }
    return kappa_check_literal(build->arena, build->sdl->errors,
        input->default_literal, input->type, input->source, what);
}

typedef struct {
    const kappa_type_t *type;
    const kappa_input_t *input;
} step_t;

typedef struct {
    kappa_build_t *build;
    kappa_map_t visited; /* "Type.field" */
    step_t path[DEPTH_MAX];
    uint32_t depth;
    bool coerce; /* coerce on the way back, instead of telling of cycles */
    kappa_status_t status;
} defaults_t;

static void walk_literal(
    defaults_t *d, const kappa_type_t *type, const kappa_literal_t *literal);

static void
report(defaults_t *d, const kappa_type_t *type, const kappa_input_t *input,
    uint32_t from)
{
    kappa_errors_t *errors = d->build->sdl->errors;
    kappa_error_t *error = kappa_errors_add(errors, "VALIDATION_FAILED",
        "Invalid circular reference. The default value of Input Object field "
        "%.*s.%.*s references itself.",
        KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(input->name));

    for (uint32_t i = from; i < d->depth; i++) {
        kappa_error_at(errors, error, d->path[i].input->source,
            d->path[i].input->default_literal->offset);
    }
}

static void
coerce_default(defaults_t *d, kappa_input_t *input)
{
    if (input->default_literal == NULL || d->status != KAPPA_OK
        || input->default_value.kind != KAPPA_UNSET) {
        return;
    }
    d->status = kappa_coerce_literal(d->build->arena, input->default_literal,
        input->type, &input->default_value, d->build->sdl->errors,
        input->source);
}

/* Whether this field is on the path, and where. */
static bool
on_path(const defaults_t *d, const kappa_input_t *input, uint32_t *at)
{
    for (uint32_t i = 0; i < d->depth; i++) {
        if (d->path[i].input == input) {
            *at = i;
            return true;
        }
    }
    return false;
}

static bool
visit(defaults_t *d, const kappa_input_t *input)
{
    kappa_str_t key =
        kappa_str((const char *)&input->node, sizeof(input->node));

    if (kappa_map_get(&d->visited, key) != NULL) {
        return false;
    }
    if (kappa_map_put(&d->visited, key, (void *)(uintptr_t)input)
        != KAPPA_OK) {
        d->status = KAPPA_NOMEM;
        return false;
    }
    return true;
}

/* A field that a default leaves out: its own default comes in. */
static void
walk_field(defaults_t *d, const kappa_type_t *type, kappa_input_t *input)
{
    uint32_t from;

    if (input->default_literal == NULL) {
        return;
    }
    if (on_path(d, input, &from)) {
        report(d, type, input, from);
        return;
    }
    if (!visit(d, input)) {
        return;
    }
    if (d->depth == DEPTH_MAX) {
        report(d, type, input, 0);
        return;
    }
    d->path[d->depth++] = (step_t){ type, input };
    if (input->type->named->kind == KAPPA_TYPE_INPUT_OBJECT) {
        walk_literal(d, input->type->named, input->default_literal);
    }
    d->depth--;
    if (d->coerce) {
        coerce_default(d, input);
    }
}

static const kappa_literal_t *
find_field(const kappa_literal_t *object, kappa_str_t name)
{
    const kappa_literal_t *found = NULL;

    for (const kappa_literal_field_t *f = object->fields; f; f = f->next) {
        if (kappa_str_eq(f->name.text, name)) {
            found = f->value;
        }
    }
    return found;
}

static void
walk_object(
    defaults_t *d, const kappa_type_t *type, const kappa_literal_t *literal)
{
    for (uint32_t i = 0; i < type->input_count && d->status == KAPPA_OK; i++) {
        kappa_input_t *input = &type->inputs[i];
        const kappa_literal_t *given = find_field(literal, input->name);

        if (given == NULL
            && (d->coerce
                || input->type->named->kind == KAPPA_TYPE_INPUT_OBJECT)) {
            walk_field(d, type, input);
        } else if (given != NULL
            && input->type->named->kind == KAPPA_TYPE_INPUT_OBJECT) {
            walk_literal(d, input->type->named, given);
        }
    }
}

/* What a default of an input object's type takes in from the defaults of
 * fields. */
static void
walk_literal(
    defaults_t *d, const kappa_type_t *type, const kappa_literal_t *literal)
{
    if (literal->kind == KAPPA_LITERAL_OBJECT) {
        walk_object(d, type, literal);
        return;
    }
    for (const kappa_literal_t *l = literal->items;
         l != NULL && d->status == KAPPA_OK; l = l->next) {
        walk_literal(d, type, l);
    }
}

static defaults_t *
new_walk(kappa_build_t *build, bool coerce)
{
    defaults_t *d = KAPPA_NEW(build->arena, defaults_t);

    if (d != NULL) {
        d->build = build;
        d->coerce = coerce;
        kappa_map_init(&d->visited, build->arena);
    }
    return d;
}

kappa_status_t
kappa_check_default_cycles(kappa_build_t *build)
{
    const kappa_schema_t *schema = build->schema;
    const kappa_literal_t nothing = { .kind = KAPPA_LITERAL_OBJECT };
    defaults_t *d = new_walk(build, false);

    if (d == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < schema->type_count && d->status == KAPPA_OK;
         i++) {
        if (schema->types[i]->kind == KAPPA_TYPE_INPUT_OBJECT) {
            walk_object(d, schema->types[i], &nothing);
        }
    }
    return d->status;
}

static void
coerce_inputs(defaults_t *d, kappa_input_t *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count && d->status == KAPPA_OK; i++) {
        if (inputs[i].default_literal == NULL) {
            continue;
        }
        if (inputs[i].type->named->kind == KAPPA_TYPE_INPUT_OBJECT) {
            walk_literal(d, inputs[i].type->named, inputs[i].default_literal);
        }
        coerce_default(d, &inputs[i]);
    }
}

kappa_status_t
kappa_build_defaults(kappa_build_t *build)
{
    const kappa_schema_t *schema = build->schema;
    defaults_t *d = new_walk(build, true);

    if (d == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        kappa_type_t *type = schema->types[i];

        coerce_inputs(d, type->inputs, type->input_count);
        for (uint32_t f = 0; f < type->field_count; f++) {
            coerce_inputs(d, type->fields[f].args, type->fields[f].arg_count);
        }
    }
    for (uint32_t i = 0; i < schema->directive_count; i++) {
        coerce_inputs(
            d, schema->directives[i]->args, schema->directives[i]->arg_count);
    }
    return d->status;
}
