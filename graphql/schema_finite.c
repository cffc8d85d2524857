#include "graphql/schema_check.h"

/* 3.10.1 Circular references: every input object must have a value that ends.
 * One is finite when none of its fields needs an object that is not; of a
 * @oneOf, when one of its fields is. */

#define DEPTH_MAX 1000

typedef struct {
    const kappa_type_t *type;
    uint32_t waiting;     /* fields whose objects are not known finite */
    uint32_t *dependents; /* states that wait for this one */
    uint32_t dependent_count;
    uint32_t position; /* in the path, from 1; 0: not on it */
    bool finite;
    bool visited;
} state_t;

typedef struct {
    kappa_build_t *build;
    state_t *states; /* by type number; type NULL: no input object */
    uint32_t *queue; /* finite ones whose dependents were not told yet */
    uint32_t queue_count;
    const kappa_input_t *path[DEPTH_MAX];
    const kappa_type_t *path_types[DEPTH_MAX];
    uint32_t depth;
} finite_t;

/* The input object that a field can't do without, or NULL. */
static const kappa_type_t *
target_of(const kappa_type_t *type, const kappa_input_t *input)
{
    const kappa_type_ref_t *ref = input->type;

    if (type->one_of) {
        return ref->kind == KAPPA_REF_NAMED
                && ref->named->kind == KAPPA_TYPE_INPUT_OBJECT
            ? ref->named
            : NULL;
    }
    return ref->kind == KAPPA_REF_NON_NULL && ref->of->kind == KAPPA_REF_NAMED
            && ref->named->kind == KAPPA_TYPE_INPUT_OBJECT
        ? ref->named
        : NULL;
}

static void
mark_finite(finite_t *f, state_t *state)
{
    if (!state->finite) {
        state->finite = true;
        f->queue[f->queue_count++] = (uint32_t)(state - f->states);
    }
}

static void
count_targets(finite_t *f, state_t *state)
{
    const kappa_type_t *type = state->type;

    for (uint32_t i = 0; i < type->input_count; i++) {
        const kappa_type_t *target = target_of(type, &type->inputs[i]);

        if (target != NULL) {
            state->waiting++;
            f->states[target->number].dependent_count++;
        }
    }
    if (type->one_of
            ? type->input_count == 0 || state->waiting < type->input_count
            : state->waiting == 0) {
        mark_finite(f, state);
    }
}

static kappa_status_t
allocate_dependents(finite_t *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        state_t *state = &f->states[i];

        if (state->type == NULL) {
            continue;
        }
        state->dependents =
            KAPPA_NEW_ARRAY(f->build->arena, uint32_t, state->dependent_count);
        state->dependent_count = 0;
        if (state->dependents == NULL) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static void
link_dependents(finite_t *f, state_t *state)
{
    const kappa_type_t *type = state->type;

    for (uint32_t i = 0; i < type->input_count; i++) {
        const kappa_type_t *target = target_of(type, &type->inputs[i]);

        if (target != NULL) {
            state_t *to = &f->states[target->number];
            to->dependents[to->dependent_count++] = type->number;
        }
    }
}

static void
spread(finite_t *f)
{
    while (f->queue_count > 0) {
        state_t *state = &f->states[f->queue[--f->queue_count]];

        for (uint32_t i = 0; i < state->dependent_count; i++) {
            state_t *dependent = &f->states[state->dependents[i]];

            if (!dependent->finite
                && (dependent->type->one_of || --dependent->waiting == 0)) {
                mark_finite(f, dependent);
            }
        }
    }
}

static void
report(finite_t *f, const kappa_type_t *target, uint32_t from)
{
    kappa_errors_t *errors = f->build->sdl->errors;
    kappa_str_t fields = KAPPA_STR("");

    for (uint32_t i = from; i < f->depth && i < from + 10; i++) {
        fields = kappa_errors_str(errors,
            kappa_str_printf(f->build->arena, "%.*s%s%.*s.%.*s",
                KAPPA_STR_ARG(fields), i > from ? ", " : "",
                KAPPA_STR_ARG(f->path_types[i]->name),
                KAPPA_STR_ARG(f->path[i]->name)));
    }
    kappa_error_t *error = kappa_errors_add(errors, "VALIDATION_FAILED",
        "Input Object %.*s cannot be provided a finite value because it "
        "references itself through fields: %.*s%s.",
        KAPPA_STR_ARG(target->name), KAPPA_STR_ARG(fields),
        f->depth > from + 10 ? ", …" : "");
    for (uint32_t i = from; i < f->depth; i++) {
        kappa_error_at(errors, error, f->path[i]->source, f->path[i]->offset);
    }
}

/* Walks the objects that are not finite and tells of every way back. */
static void
find_cycles(finite_t *f, state_t *state)
{
    const kappa_type_t *type = state->type;

    if (state->visited) {
        return;
    }
    state->visited = true;
    state->position = f->depth + 1;
    for (uint32_t i = 0; i < type->input_count; i++) {
        const kappa_type_t *target = target_of(type, &type->inputs[i]);
        state_t *next = target ? &f->states[target->number] : NULL;

        if (next == NULL || next->finite) {
            continue;
        }
        f->path[f->depth] = &type->inputs[i];
        f->path_types[f->depth++] = type;
        if (next->position != 0) {
            report(f, target, next->position - 1);
        } else if (f->depth < DEPTH_MAX) {
            find_cycles(f, next);
        } else {
            report(f, target, 0);
        }
        f->depth--;
    }
    state->position = 0;
}

kappa_status_t
kappa_check_finite_inputs(kappa_build_t *build)
{
    const kappa_schema_t *schema = build->schema;
    finite_t *f = KAPPA_NEW(build->arena, finite_t);

    if (f == NULL) {
        return KAPPA_NOMEM;
    }
    f->build = build;
    f->states = KAPPA_NEW_ARRAY(build->arena, state_t, schema->type_count);
    f->queue = KAPPA_NEW_ARRAY(build->arena, uint32_t, schema->type_count);
    if (f->states == NULL || f->queue == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (schema->types[i]->kind == KAPPA_TYPE_INPUT_OBJECT) {
            f->states[i].type = schema->types[i];
        }
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (f->states[i].type != NULL) {
            count_targets(f, &f->states[i]);
        }
    }
    if (allocate_dependents(f, schema->type_count) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (f->states[i].type != NULL) {
            link_dependents(f, &f->states[i]);
        }
    }
    spread(f);
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (f->states[i].type != NULL && !f->states[i].finite) {
            find_cycles(f, &f->states[i]);
        }
    }
    return KAPPA_OK;
}
