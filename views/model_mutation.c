#include "views/model_private.h"

/* Mutation fields: which row their arguments name, what they answer, what
 * must hold. */

typedef struct {
    kappa_model_builder_t *b;
    const kappa_field_t *field;
    const kappa_directive_node_t *event;
    kappa_mutation_t *mutation;
} mutation_work_t;

/* ---- arguments ---- */

/* The column that a name goes to; -1: none. Links, aggregates and computed
 * fields can't be written. */
static kappa_status_t
goes_to(mutation_work_t *w, const kappa_input_t *input, int32_t *column)
{
    const kappa_view_t *view = w->mutation->view;
    const char *why = NULL;

    *column = kappa_model_column(view, input->name);
    if (w->mutation->effect == KAPPA_EFFECT_NONE) {
        return KAPPA_OK;
    }
    if (*column < 0) {
        why = kappa_type_field(view->type, input->name) ? "a link or computed"
                                                        : NULL;
    } else if (view->columns[*column].aggregate) {
        why = "an aggregate";
    } else if (view->columns[*column].computed) {
        why = "computed";
    }
    if (why) {
        return kappa_model_refuse(w->b, input->source, input->offset,
            "Argument \"%.*s\" goes to \"%.*s.%.*s\", which is %s and can't "
            "be written.",
            KAPPA_STR_ARG(input->name), KAPPA_STR_ARG(view->name),
            KAPPA_STR_ARG(input->name), why);
    }
    if (*column >= 0
        && !kappa_model_ref_fits(
            input->type, view->columns[*column].field->type)) {
        return kappa_model_refuse(w->b, input->source, input->offset,
            "Argument \"%.*s\" of type %.*s can't be stored in \"%.*s.%.*s\" "
            "of type %.*s.",
            KAPPA_STR_ARG(input->name),
            KAPPA_STR_ARG(input->type->named->name), KAPPA_STR_ARG(view->name),
            KAPPA_STR_ARG(input->name),
            KAPPA_STR_ARG(view->columns[*column].field->type->named->name));
    }
    return KAPPA_OK;
}

/* Whether the effect makes a row, or may. */
static bool
makes(kappa_effect_t effect)
{
    return effect == KAPPA_EFFECT_CREATE || effect == KAPPA_EFFECT_PUT
        || effect == KAPPA_EFFECT_UPSERT;
}

/* A stamped key is not the caller's to choose. */
static kappa_status_t
stamped_key(mutation_work_t *w, const kappa_input_t *input,
    const kappa_column_t *column, uint32_t arg)
{
    return column->stamp && makes(w->mutation->effect)
            && !w->field->args[arg].hidden
        ? kappa_model_refuse(w->b, input->source, input->offset,
            "\"%.*s.%.*s\" is stamped and in the key: the caller can't "
            "give it. Take \"%.*s\" away, or its @stamp from the field.",
            KAPPA_STR_ARG(w->mutation->view->name),
            KAPPA_STR_ARG(column->name), KAPPA_STR_ARG(input->name))
        : KAPPA_OK;
}

static kappa_status_t
name_key(mutation_work_t *w, const kappa_input_t *input, int32_t column,
    uint32_t arg, int32_t member)
{
    const kappa_view_t *view = w->mutation->view;

    for (uint32_t i = 0; i < view->key_count; i++) {
        if ((int32_t)view->key[i] != column) {
            continue;
        }
        if (w->mutation->key_args[i] >= 0) {
            return kappa_model_refuse(w->b, input->source, input->offset,
                "The key field \"%.*s\" is named by two arguments.",
                KAPPA_STR_ARG(input->name));
        }
        w->mutation->key_args[i] = (int32_t)arg;
        w->mutation->key_members[i] = member;
        return stamped_key(w, input, &view->columns[column], arg);
    }
    return KAPPA_OK;
}

static bool
is_spread(const mutation_work_t *w, const kappa_input_t *arg)
{
    return arg->type->named->kind == KAPPA_TYPE_INPUT_OBJECT
        && !kappa_model_ref_is_list(arg->type)
        && kappa_model_column(w->mutation->view, arg->name) < 0;
}

static bool
has_member(const kappa_type_t *type, kappa_str_t name)
{
    for (uint32_t i = 0; i < type->input_count; i++) {
        if (kappa_str_eq(type->inputs[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* The other argument that gives a member of one that is spread, too. NULL:
 * none. */
static const kappa_input_t *
given_also(
    const mutation_work_t *w, const kappa_input_t *arg, kappa_str_t name)
{
    const kappa_input_t *other = kappa_field_arg(w->field, name);

    for (uint32_t i = 0; !other && i < arg->number; i++) {
        const kappa_input_t *before = &w->field->args[i];

        if (is_spread(w, before) && has_member(before->type->named, name)) {
            other = before;
        }
    }
    return other;
}

/* An input object that is no field's is spread one level. */
static kappa_status_t
spread(mutation_work_t *w, const kappa_input_t *arg)
{
    const kappa_type_t *type = arg->type->named;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < type->input_count; i++) {
        const kappa_input_t *input = &type->inputs[i];
        int32_t column;

        status = goes_to(w, input, &column);
        if (status == KAPPA_OK && column >= 0) {
            const kappa_input_t *other = given_also(w, arg, input->name);
            if (other) {
                return kappa_model_refuse(w->b, arg->source, arg->offset,
                    "\"%.*s\" is given twice: %s \"%.*s\" and in \"%.*s\".",
                    KAPPA_STR_ARG(input->name),
                    is_spread(w, other) ? "in" : "as the argument",
                    KAPPA_STR_ARG(other->name), KAPPA_STR_ARG(arg->name));
            }
            status = name_key(w, input, column, arg->number, (int32_t)i);
        }
    }
    return status;
}

static kappa_status_t
idempotency_arg(mutation_work_t *w, const kappa_input_t *arg)
{
    if (w->mutation->idempotency_arg >= 0) {
        return kappa_model_refuse(w->b, arg->source, arg->offset,
            "A mutation has one @idempotencyKey.");
    }
    if (kappa_model_ref_is_list(arg->type) || arg->hidden
        || arg->type->named->kind == KAPPA_TYPE_ENUM
        || kappa_model_ref_kind(arg->type) != KAPPA_COLUMN_STRING) {
        return kappa_model_refuse(w->b, arg->source, arg->offset,
            "An @idempotencyKey is a String, ID or UUID that the client "
            "gives.");
    }
    w->mutation->idempotency_arg = (int32_t)arg->number;
    return KAPPA_OK;
}

static kappa_status_t
one_arg(mutation_work_t *w, const kappa_input_t *arg)
{
    int32_t column;

    if (kappa_model_directive(arg->directives, "idempotencyKey")) {
        return idempotency_arg(w, arg);
    }
    if (!w->mutation->view) {
        return KAPPA_OK;
    }
    kappa_status_t status = goes_to(w, arg, &column);
    if (status != KAPPA_OK) {
        return status;
    }
    if (column >= 0) {
        return name_key(w, arg, column, arg->number, -1);
    }
    return is_spread(w, arg) ? spread(w, arg) : KAPPA_OK;
}

/* ---- the key ---- */

/* A key field that no argument names: a stamp or a default gives it where a
 * row is made, or CREATE makes one up. */
static bool
key_comes(const mutation_work_t *w, const kappa_column_t *column, bool *made)
{
    if (w->mutation->effect != KAPPA_EFFECT_CREATE) {
        return w->mutation->effect == KAPPA_EFFECT_NONE;
    }
    if (column->stamp || column->fallback) {
        return true;
    }
    bool first = !*made;
    *made = true;
    return first && kappa_model_makes_up(column);
}

static kappa_status_t
check_key(mutation_work_t *w)
{
    const kappa_view_t *view = w->mutation->view;
    bool made = false;

    for (uint32_t i = 0; view && i < view->key_count; i++) {
        const kappa_column_t *column = &view->columns[view->key[i]];

        if (w->mutation->key_args[i] < 0 && !key_comes(w, column, &made)) {
            return kappa_model_refuse(w->b, w->field->source, w->field->offset,
                "\"%.*s.%.*s\" does not say which \"%.*s\" it is about: "
                "argument \"%.*s: %.*s!\" is missing.",
                KAPPA_STR_ARG(w->field->parent->name),
                KAPPA_STR_ARG(w->field->name), KAPPA_STR_ARG(view->name),
                KAPPA_STR_ARG(column->name),
                KAPPA_STR_ARG(column->field->type->named->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
all_args(mutation_work_t *w)
{
    kappa_mutation_t *m = w->mutation;
    uint32_t keys = m->view ? m->view->key_count : 0;
    kappa_status_t status = KAPPA_OK;

    m->idempotency_arg = -1;
    m->key_args = KAPPA_NEW_ARRAY(w->b->arena, int32_t, keys);
    m->key_members = KAPPA_NEW_ARRAY(w->b->arena, int32_t, keys);
    if (!m->key_args || !m->key_members) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < keys; i++) {
        m->key_args[i] = m->key_members[i] = -1;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < w->field->arg_count; i++) {
        status = one_arg(w, &w->field->args[i]);
    }
    if (status == KAPPA_OK) {
        status = check_key(w);
    }
    return status == KAPPA_OK
        ? kappa_model_arg_stamps(w->b, w->field, &m->stamps, &m->stamp_count)
        : status;
}

/* ---- what it answers ---- */

/* Whether a type is that of the event's row: the view's own, or an interface
 * or a union with @view that stands for it. */
static bool
is_row(const mutation_work_t *w, const kappa_type_t *type)
{
    const kappa_rows_t *rows = kappa_model_rows_of(w->b, type);
    bool found = false;

    for (uint32_t i = 0; rows && i < rows->count; i++) {
        found |= rows->views[i] == w->mutation->view;
    }
    return found;
}

static const struct {
    const char *name;
    kappa_bind_t kind;
    kappa_column_kind_t column;
    const char *type;
} payload_fields[] = {
    { "position", KAPPA_BIND_PAYLOAD_POSITION, KAPPA_COLUMN_STRING,
        "String!" },
    { "duplicate", KAPPA_BIND_PAYLOAD_DUPLICATE, KAPPA_COLUMN_BOOL,
        "Boolean!" },
    { "event", KAPPA_BIND_PAYLOAD_EVENT, KAPPA_COLUMN_STRING, "ID!" },
};

static kappa_status_t
payload_field(
    mutation_work_t *w, const kappa_field_t *field, const kappa_field_t **row)
{
    if (kappa_model_rows_of(w->b, field->type->named) && !*row
        && !kappa_model_ref_is_list(field->type) && !field->arg_count) {
        *row = field;
        return kappa_model_bind(w->b, field, KAPPA_BIND_PAYLOAD_ROW, NULL)
            ? KAPPA_OK
            : KAPPA_NOMEM;
    }
    for (size_t i = 0; i < sizeof(payload_fields) / sizeof(payload_fields[0]);
         i++) {
        if (!kappa_str_eq_c(field->name, payload_fields[i].name)
            || field->arg_count) {
            continue;
        }
        if (kappa_model_ref_kind(field->type) != payload_fields[i].column) {
            return kappa_model_refuse(w->b, field->source, field->offset,
                "\"%s\" of a payload is %s.", payload_fields[i].name,
                payload_fields[i].type);
        }
        return kappa_model_bind(w->b, field, payload_fields[i].kind, NULL)
            ? KAPPA_OK
            : KAPPA_NOMEM;
    }
    return kappa_model_refuse(w->b, field->source, field->offset,
        "\"%.*s.%.*s\": a mutation answers with the view's row, or with a "
        "payload of at most one view's field beside position, duplicate and "
        "event.",
        KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
}

/* What row a payload has is the same wherever its type is used. */
static kappa_status_t
payload(mutation_work_t *w, const kappa_type_t *type)
{
    const kappa_field_t *row = NULL;
    bool fresh;
    kappa_status_t status =
        kappa_model_take_role(w->b, type, KAPPA_ROLE_PAYLOAD, "A payload",
            w->field->source, w->field->offset, &fresh);

    w->mutation->payload = true;
    if (status != KAPPA_OK
        || w->b->roles[type->number] != KAPPA_ROLE_PAYLOAD) {
        return status;
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];

        if (fresh) {
            status = payload_field(w, field, &row);
        } else if (kappa_model_rows_of(w->b, field->type->named)) {
            row = field;
        }
    }
    if (status != KAPPA_OK || !row || !w->mutation->view
        || is_row(w, row->type->named)) {
        return status == KAPPA_OK && row && !w->mutation->view
            ? kappa_model_refuse(w->b, w->field->source, w->field->offset,
                "\"%.*s\" is no view, so \"%.*s.%.*s\" has no row.",
                KAPPA_STR_ARG(w->mutation->thing), KAPPA_STR_ARG(type->name),
                KAPPA_STR_ARG(row->name))
            : status;
    }
    return kappa_model_refuse(w->b, w->field->source, w->field->offset,
        "\"%.*s.%.*s\" must be of type %.*s, the thing of the event.",
        KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(row->name),
        KAPPA_STR_ARG(w->mutation->view->name));
}

static kappa_status_t
answer(mutation_work_t *w)
{
    const kappa_type_t *type = w->field->type->named;
    bool row = is_row(w, type);

    if (kappa_model_ref_is_list(w->field->type)
        || (!row
            && (type->kind != KAPPA_TYPE_OBJECT
                || kappa_model_rows_of(w->b, type)))) {
        return kappa_model_refuse(w->b, w->field->source, w->field->offset,
            "\"%.*s.%.*s\" must return %.*s, the thing of its event, or a "
            "payload.",
            KAPPA_STR_ARG(w->field->parent->name),
            KAPPA_STR_ARG(w->field->name), KAPPA_STR_ARG(w->mutation->thing));
    }
    return row ? KAPPA_OK : payload(w, type);
}

/* ---- what must hold ---- */

static kappa_status_t
allow_of(mutation_work_t *w, const kappa_expr_type_t *args)
{
    const kappa_directive_node_t *node =
        kappa_model_directive(w->field->directives, "allow");
    kappa_expr_scope_t scope = kappa_model_scope("@allow on a mutation");

    if (!node) {
        return KAPPA_OK;
    }
    scope.roots[KAPPA_ROOT_ARGS] = args;
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(w->b, &scope);
    return kappa_model_compile_arg(
        w->b, node, "if", &scope, &kappa_expr_bool, &w->mutation->allow);
}

static kappa_status_t
checks_of(mutation_work_t *w)
{
    kappa_expr_scope_t scope = kappa_model_scope("@check on a mutation");
    const kappa_expr_type_t *args = kappa_model_args_type(w->b, w->field);

    if (!args) {
        return KAPPA_NOMEM;
    }
    scope.roots[KAPPA_ROOT_ARGS] = args;
    if (w->mutation->view) {
        scope.roots[KAPPA_ROOT_ROW] = &w->mutation->view->row_type;
    }
    kappa_model_scope_caller(&scope);
    kappa_model_scope_lookups(w->b, &scope);
    kappa_status_t status = allow_of(w, args);
    for (uint32_t i = 0; status == KAPPA_OK && i < w->field->arg_count; i++) {
        status = kappa_model_input_checks(
            w->b, &w->field->args[i], &w->mutation->checks);
    }
    return status == KAPPA_OK ? kappa_model_checks(
               w->b, w->field->directives, &scope, -1, &w->mutation->checks)
                              : status;
}

kappa_status_t
kappa_model_mutation(kappa_model_builder_t *b, const kappa_field_t *field)
{
    mutation_work_t w = { .b = b,
        .field = field,
        .event = kappa_model_directive(field->directives, "event"),
        .mutation = KAPPA_NEW(b->arena, kappa_mutation_t) };
    kappa_mutation_t *m = w.mutation;
    kappa_field_binding_t *binding =
        kappa_model_bind(b, field, KAPPA_BIND_MUTATION, m);

    if (!m || !binding) {
        return KAPPA_NOMEM;
    }
    if (!w.event) {
        return KAPPA_OK; /* refused before */
    }
    m->field = field;
    m->thing = kappa_model_text(w.event, "thing");
    m->verb = kappa_model_text(w.event, "verb");
    m->rule = kappa_model_rule(b->model, m->thing, m->verb);
    if (!m->rule) {
        return KAPPA_OK; /* its @event was refused */
    }
    m->effect = m->rule->effect;
    m->view = m->rule->view;
    kappa_status_t status = all_args(&w);
    if (status == KAPPA_OK) {
        status = answer(&w);
    }
    if (status == KAPPA_OK) {
        status = checks_of(&w);
    }
    binding->allow = m->allow;
    return status;
}
