#include "graphql/validate/walk.h"

/* What rules ask for (graphql/validate/rule.h). */

#define WORK_MAX 250000 /* steps: some 20 ms */

kappa_error_t *
kappa_refuse(kappa_validation_t *v, uint32_t offset, const char *format, ...)
{
    va_list args;

    if (kappa_is_full(v)) {
        v->errors->more = true;
        return NULL;
    }
    va_start(args, format);
    kappa_str_t message = kappa_str_vprintf(v->arena, format, args);
    va_end(args);
    if (message.data == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return NULL;
    }
    kappa_error_t *error = kappa_errors_add(
        v->errors, "VALIDATION_FAILED", "%.*s", KAPPA_STR_ARG(message));
    kappa_error_at(v->errors, error, v->source, offset);
    return error;
}

void
kappa_refuse_also(kappa_validation_t *v, kappa_error_t *error, uint32_t offset)
{
    kappa_error_at(v->errors, error, v->source, offset);
}

bool
kappa_is_full(const kappa_validation_t *v)
{
    return v->errors->count >= v->errors->max;
}

bool
kappa_validation_spend(kappa_validation_t *v, uint32_t work)
{
    if (v->status != KAPPA_OK) {
        return false;
    }
    if (work <= v->work_left) {
        v->work_left -= work;
        return true;
    }
    v->work_left = 0;
    kappa_errors_add(v->errors, "LIMIT_EXCEEDED",
        "The document is too complex to be validated: its fragments, "
        "variables or fields of one name refer to each other too often.");
    kappa_validation_fail(v, KAPPA_INVALID);
    return false;
}

void
kappa_validation_fail(kappa_validation_t *v, kappa_status_t status)
{
    if (v->status == KAPPA_OK || status == KAPPA_NOMEM) {
        v->status = status;
    }
}

const kappa_type_t *
kappa_public_type(const kappa_validation_t *v, kappa_str_t name)
{
    const kappa_type_t *type = kappa_schema_type(v->schema, name);

    return type != NULL && !type->hidden ? type : NULL;
}

const kappa_field_t *
kappa_public_field(
    const kappa_validation_t *v, const kappa_type_t *parent, kappa_str_t name)
{
    const kappa_schema_t *schema = v->schema;

    if (parent == NULL || !kappa_type_is_composite(parent)) {
        return NULL;
    }
    if (kappa_str_eq(name, schema->meta_typename->name)) {
        return schema->meta_typename;
    }
    if (parent == schema->roots[KAPPA_OPERATION_QUERY]) {
        if (kappa_str_eq(name, schema->meta_schema->name)) {
            return schema->meta_schema;
        } else if (kappa_str_eq(name, schema->meta_type->name)) {
            return schema->meta_type;
        }
    }
    const kappa_field_t *field = kappa_type_field(parent, name);
    return field != NULL && !field->hidden ? field : NULL;
}

const kappa_input_t *
kappa_public_arg(const kappa_field_t *field, kappa_str_t name)
{
    const kappa_input_t *arg = kappa_field_arg(field, name);

    return arg != NULL && !arg->hidden ? arg : NULL;
}

kappa_part_t *
kappa_fragment(const kappa_validation_t *v, kappa_str_t name)
{
    return kappa_map_get(&v->fragments, name);
}

const kappa_type_ref_t *
kappa_type_of_node(kappa_validation_t *v, const kappa_type_node_t *node)
{
    kappa_type_ref_t *ref = KAPPA_NEW(v->arena, kappa_type_ref_t);

    if (ref == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return NULL;
    }
    ref->kind = node->kind;
    if (node->kind == KAPPA_REF_NAMED) {
        ref->named = kappa_public_type(v, node->name.text);
        return ref->named ? ref : NULL;
    }
    ref->of = kappa_type_of_node(v, node->of);
    if (ref->of == NULL) {
        return NULL;
    }
    ref->named = ref->of->named;
    return ref;
}

kappa_part_t **
kappa_reachable(
    kappa_validation_t *v, kappa_part_t *operation, uint32_t *count)
{
    kappa_part_t **parts = v->queue;
    uint32_t mark = ++v->marks;

    *count = 0;
    operation->mark = mark;
    parts[(*count)++] = operation;
    for (uint32_t i = 0; i < *count; i++) {
        if (!kappa_validation_spend(v, 1 + parts[i]->spread_count)) {
            return NULL;
        }
        for (uint32_t s = 0; s < parts[i]->spread_count; s++) {
            kappa_part_t *part =
                kappa_fragment(v, parts[i]->spreads[s]->name.text);

            if (part != NULL && part->mark != mark) {
                part->mark = mark;
                parts[(*count)++] = part;
            }
        }
    }
    return parts;
}

static const kappa_definition_t *
find_directive(void *ctx, kappa_str_t name)
{
    const kappa_validation_t *v = ctx;
    const kappa_definition_t *own = kappa_map_get(&v->own_directives, name);
    const kappa_directive_t *directive =
        kappa_map_get(&v->schema->directive_map, name);

    if (own != NULL) {
        return own;
    }
    return directive != NULL && !directive->hidden ? directive->definition
                                                   : NULL;
}

/* The selections of a set, and the sets within it that are still to be looked
 * through, the last one first. */
typedef struct {
    const kappa_selection_t **sets;
    uint32_t count;
    uint32_t cap;
} stack_t;

static bool
push(kappa_validation_t *v, stack_t *stack, const kappa_selection_t *set)
{
    if (stack->count == stack->cap) {
        uint32_t cap = stack->cap ? stack->cap * 2 : 16;
        const kappa_selection_t **sets =
            KAPPA_NEW_ARRAY(v->arena, const kappa_selection_t *, cap);

        if (sets == NULL) {
            kappa_validation_fail(v, KAPPA_NOMEM);
            return false;
        }
        if (stack->count) {
            memcpy(sets, stack->sets, stack->count * sizeof(*sets));
        }
        stack->sets = sets;
        stack->cap = cap;
    }
    stack->sets[stack->count++] = set;
    return true;
}

/* The spreads in a definition's selections. */
static void
list_spreads(kappa_validation_t *v, kappa_part_t *part)
{
    stack_t stack = { NULL, 0, 0 }, found = { NULL, 0, 0 };

    push(v, &stack, part->definition->selections);
    while (v->status == KAPPA_OK && stack.count > 0) {
        const kappa_selection_t *s = stack.sets[--stack.count];

        for (; s != NULL && v->status == KAPPA_OK; s = s->next) {
            if (s->kind == KAPPA_SELECTION_SPREAD) {
                push(v, &found, s);
            } else if (s->selections != NULL) {
                push(v, &stack, s->selections);
            }
        }
    }
    part->spreads = found.sets;
    part->spread_count = found.count;
}

static void
init_part(kappa_validation_t *v, const kappa_definition_t *d)
{
    kappa_part_t *part = &v->parts[v->part_count++];

    part->definition = d;
    part->usages_end = &part->usages;
    if (d->kind == KAPPA_DEFINITION_OPERATION) {
        v->operation_count++;
        part->type = v->schema->roots[d->operation];
    } else {
        part->type = kappa_public_type(v, d->type_condition.text);
        if (kappa_map_put(&v->fragments, d->name.text, part) != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
        }
    }
    list_spreads(v, part);
}

void
kappa_validation_init(kappa_validation_t *v, kappa_arena_t *arena,
    const kappa_schema_t *schema, const kappa_document_t *document,
    kappa_errors_t *errors)
{
    *v = (kappa_validation_t){ .arena = arena,
        .schema = schema,
        .document = document,
        .source = document->source,
        .errors = errors,
        .work_left = WORK_MAX,
        .status = KAPPA_OK,
        .directives = { arena, errors, find_directive, v } };
    kappa_map_init(&v->fragments, arena);
    kappa_map_init(&v->own_types, arena);
    kappa_map_init(&v->own_directives, arena);
    kappa_directives_seen_init(&v->seen, arena);
    v->parts =
        KAPPA_NEW_ARRAY(arena, kappa_part_t, document->definition_count);
    v->queue =
        KAPPA_NEW_ARRAY(arena, kappa_part_t *, document->definition_count);
    if (v->parts == NULL || v->queue == NULL) {
        kappa_validation_fail(v, KAPPA_NOMEM);
        return;
    }
    for (const kappa_definition_t *d = document->definitions;
         d != NULL && v->status == KAPPA_OK; d = d->next) {
        if (d->kind <= KAPPA_DEFINITION_FRAGMENT) {
            init_part(v, d);
        } else if (d->kind == KAPPA_DEFINITION_DIRECTIVE
            && kappa_map_put(
                   &v->own_directives, d->name.text, (void *)(uintptr_t)d)
                != KAPPA_OK) {
            kappa_validation_fail(v, KAPPA_NOMEM);
        }
    }
}
