#include "views/model_private.h"

#include "graphql/library.h"
#include "graphql/parser.h"

/* The phases of building a model, in the order in which each needs what came
 * before. Where something was refused before a phase that is `careful`, the
 * rest is left: its errors would only follow from those. */
static const struct {
    kappa_status_t (*run)(kappa_model_builder_t *b);
    bool careful;
} phases[] = {
    { kappa_model_check_places, false },
    { kappa_model_public, false },
    { kappa_model_enums, true },
    { kappa_model_views, true },
    { kappa_model_keys, true },
    { kappa_model_families, true },
    { kappa_model_row_types, true },
    { kappa_model_computed, false },
    { kappa_model_indexes, true },
    { kappa_model_groups, false },
    { kappa_model_aggregates, true },
    { kappa_model_order_aggregates, false },
    { kappa_model_column_rules, false },
    { kappa_model_links, false },
    { kappa_model_field_rules, false },
    { kappa_model_inputs, false },
    { kappa_model_events, false },
    { kappa_model_roots, false },
};

static kappa_status_t
build_model(kappa_arena_t *arena, kappa_schema_t *schema, kappa_model_t **out,
    kappa_errors_t *errors)
{
    kappa_errors_t own;
    kappa_model_t *model = KAPPA_NEW(arena, kappa_model_t);

    kappa_errors_init(&own, arena, 0);
    kappa_model_builder_t b = { .arena = arena,
        .schema = schema,
        .model = model,
        .errors = errors ? errors : &own };
    if (!model) {
        return KAPPA_NOMEM;
    }
    model->schema = schema;
    kappa_status_t status = kappa_model_types_init(&b);
    for (size_t i = 0;
         status == KAPPA_OK && i < sizeof(phases) / sizeof(phases[0]); i++) {
        if (phases[i].careful && b.refused) {
            break;
        }
        status = phases[i].run(&b);
    }
    if (status == KAPPA_OK && b.refused) {
        return KAPPA_INVALID;
    }
    *out = model;
    return status;
}

/* The source outlives the call: errors and tree point into it. */
static kappa_status_t
parse(kappa_arena_t *arena, kappa_str_t file_name, kappa_str_t text,
    kappa_document_t **out, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);

    if (!source) {
        return KAPPA_NOMEM;
    }
    source->name = kappa_str_dup(arena, file_name);
    source->text = kappa_str_dup(arena, text);
    if (!source->name.data || !source->text.data) {
        return KAPPA_NOMEM;
    }
    return kappa_parse(arena, source, NULL, out, errors);
}

kappa_status_t
kappa_model_load(kappa_arena_t *arena, kappa_str_t file_name, kappa_str_t text,
    kappa_model_t **out, kappa_errors_t *errors)
{
    kappa_document_t *documents[2];
    kappa_schema_t *schema;
    kappa_status_t status =
        parse(arena, file_name, text, &documents[0], errors);

    if (status == KAPPA_OK) {
        status = kappa_library_parse(arena, &documents[1], errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_schema_build(arena, documents, 2, &schema, errors);
    }
    return status == KAPPA_OK ? build_model(arena, schema, out, errors)
                              : status;
}

bool
kappa_model_makes_up(const kappa_column_t *column)
{
    const kappa_type_t *type = column->field->type->named;

    return column->kind == KAPPA_COLUMN_STRING
        && type->kind == KAPPA_TYPE_SCALAR
        && type->scalar != KAPPA_SCALAR_DATE;
}

const kappa_view_t *
kappa_model_view(const kappa_model_t *model, kappa_str_t name)
{
    return kappa_map_get(&model->view_map, name);
}

void
kappa_model_number(
    kappa_model_t *model, uint32_t view, uint32_t column, uint32_t number)
{
    kappa_column_t *c = &model->views[view]->columns[column];

    c->number = number;
    /* Our own binding, which nobody else has seen yet. */
    ((kappa_binding_t *)c->field->binding)->column = number;
}
