#include "graphql/print.h"
#include "graphql/schema_diff_private.h"

/* --- types */

bool
kappa_diff_same_type(
    const kappa_type_ref_t *before, const kappa_type_ref_t *after)
{
    while (before->kind == after->kind && before->kind != KAPPA_REF_NAMED) {
        before = before->of;
        after = after->of;
    }
    return before->kind == after->kind
        && kappa_str_eq(before->named->name, after->named->name);
}

/* A reader can take non-null for nullable, at every level. */
bool
kappa_diff_fits_out(
    const kappa_type_ref_t *before, const kappa_type_ref_t *after)
{
    for (;;) {
        if (after->kind == KAPPA_REF_NON_NULL) {
            after = after->of;
            before = before->kind == KAPPA_REF_NON_NULL ? before->of : before;
        } else if (before->kind != after->kind) {
            return false;
        } else if (before->kind == KAPPA_REF_NAMED) {
            return kappa_str_eq(before->named->name, after->named->name);
        } else {
            before = before->of;
            after = after->of;
        }
    }
}

/* A giver may give null where it is taken now. */
static bool
fits_in(const kappa_type_ref_t *before, const kappa_type_ref_t *after)
{
    return kappa_diff_fits_out(after, before);
}

/* --- defaults */

static bool
same_items(const kappa_literal_t *a, const kappa_literal_t *b)
{
    const kappa_literal_t *x = a->items, *y = b->items;

    for (; x && y; x = x->next, y = y->next) {
        if (!kappa_literal_same(x, y)) {
            return false;
        }
    }
    return x == y;
}

/* Members count, not their order. Names are unique: a valid schema's. */
static bool
same_fields(const kappa_literal_t *a, const kappa_literal_t *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (const kappa_literal_field_t *x = a->fields; x; x = x->next) {
        const kappa_literal_field_t *y = b->fields;

        while (y && !kappa_str_eq(y->name.text, x->name.text)) {
            y = y->next;
        }
        if (y == NULL || !kappa_literal_same(x->value, y->value)) {
            return false;
        }
    }
    return true;
}

/* As deep as the parser lets a value be. */
bool
kappa_literal_same(const kappa_literal_t *a, const kappa_literal_t *b)
{
    return a->kind == b->kind && a->block == b->block
        && kappa_str_eq(a->text, b->text) && same_items(a, b)
        && same_fields(a, b);
}

static kappa_str_t
literal_text(kappa_diff_t *d, const kappa_literal_t *literal)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(d->arena));
    kappa_print_literal(&buf, literal);
    kappa_str_t text =
        kappa_diff_text(d, "%.*s", KAPPA_STR_ARG(kappa_buf_view(&buf)));
    d->no_memory |= buf.failed;
    kappa_buf_release(&buf);
    return text;
}

/* --- one input */

static const char *const words[] = { "argument", "argument", "input field" };
static const char *const changed_kind[] = { "ARG_CHANGED_KIND",
    "ARG_CHANGED_KIND", "FIELD_CHANGED_KIND" };
static const char *const changed_safely[] = { "ARG_CHANGED_KIND_SAFE",
    "ARG_CHANGED_KIND_SAFE", "FIELD_CHANGED_KIND_SAFE" };
static const char *const default_changed[] = { "ARG_DEFAULT_VALUE_CHANGE",
    "ARG_DEFAULT_VALUE_CHANGE", "INPUT_FIELD_DEFAULT_VALUE_CHANGE" };
static const char *const default_added[] = { "ARG_DEFAULT_VALUE_ADDED",
    "ARG_DEFAULT_VALUE_ADDED", "INPUT_FIELD_DEFAULT_VALUE_ADDED" };
static const char *const removed[] = { "ARG_REMOVED", "DIRECTIVE_ARG_REMOVED",
    "FIELD_REMOVED" };
static const char *const required_added[] = { "REQUIRED_ARG_ADDED",
    "REQUIRED_DIRECTIVE_ARG_ADDED", "REQUIRED_INPUT_FIELD_ADDED" };
static const char *const optional_added[] = { "OPTIONAL_ARG_ADDED",
    "OPTIONAL_DIRECTIVE_ARG_ADDED", "OPTIONAL_INPUT_FIELD_ADDED" };

static void
diff_type(kappa_diff_t *d, kappa_severity_t severity, const char *code,
    kappa_str_t at, const kappa_input_t *before, const kappa_input_t *after)
{
    kappa_str_t from = kappa_type_ref_print(d->arena, before->type);
    kappa_str_t to = kappa_type_ref_print(d->arena, after->type);

    kappa_diff_add(d, severity, code, at, "was %.*s and is %.*s",
        KAPPA_STR_ARG(from), KAPPA_STR_ARG(to));
}

static void
diff_default(kappa_diff_t *d, kappa_diff_inputs_t what, kappa_str_t at,
    const kappa_literal_t *before, const kappa_literal_t *after)
{
    kappa_str_t from = literal_text(d, before);

    if (after == NULL) {
        kappa_diff_add(d, KAPPA_CHANGE_DANGEROUS, default_changed[what], at,
            "its default %.*s is gone", KAPPA_STR_ARG(from));
    } else if (!kappa_literal_same(before, after)) {
        kappa_str_t to = literal_text(d, after);

        kappa_diff_add(d, KAPPA_CHANGE_DANGEROUS, default_changed[what], at,
            "its default was %.*s and is %.*s", KAPPA_STR_ARG(from),
            KAPPA_STR_ARG(to));
    }
}

static void
diff_input(kappa_diff_t *d, kappa_diff_inputs_t what, kappa_str_t at,
    const kappa_input_t *before, const kappa_input_t *after)
{
    if (!fits_in(before->type, after->type)) {
        diff_type(
            d, KAPPA_CHANGE_BREAKING, changed_kind[what], at, before, after);
    } else if (before->default_literal) {
        diff_default(
            d, what, at, before->default_literal, after->default_literal);
    } else if (after->default_literal) {
        kappa_str_t to = literal_text(d, after->default_literal);

        kappa_diff_add(d, KAPPA_CHANGE_SAFE, default_added[what], at,
            "has the default %.*s now", KAPPA_STR_ARG(to));
    } else if (!kappa_diff_same_type(before->type, after->type)) {
        diff_type(
            d, KAPPA_CHANGE_SAFE, changed_safely[what], at, before, after);
    }
    kappa_diff_description(d, at, before->description, after->description);
}

/* --- all of an owner */

static const kappa_input_t *
find(const kappa_input_t *inputs, uint32_t count, uint32_t hint,
    kappa_str_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        const kappa_input_t *input = &inputs[(hint + i) % count];

        if (!input->hidden && kappa_str_eq(input->name, name)) {
            return input;
        }
    }
    return NULL;
}

static kappa_str_t
coordinate(kappa_diff_t *d, kappa_diff_inputs_t what, kappa_str_t owner,
    const kappa_input_t *input)
{
    return what == KAPPA_DIFF_INPUT_FIELD
        ? kappa_diff_text(
            d, "%.*s.%.*s", KAPPA_STR_ARG(owner), KAPPA_STR_ARG(input->name))
        : kappa_diff_text(d, "%.*s(%.*s:)", KAPPA_STR_ARG(owner),
            KAPPA_STR_ARG(input->name));
}

static void
diff_added(kappa_diff_t *d, kappa_diff_inputs_t what, kappa_str_t at,
    const kappa_input_t *input)
{
    if (input->type->kind == KAPPA_REF_NON_NULL
        && input->default_literal == NULL) {
        kappa_diff_add(d, KAPPA_CHANGE_BREAKING, required_added[what], at,
            "a new %s that must be given", words[what]);
    } else {
        kappa_diff_add(d,
            what == KAPPA_DIFF_DIRECTIVE_ARGUMENT ? KAPPA_CHANGE_SAFE
                                                  : KAPPA_CHANGE_DANGEROUS,
            optional_added[what], at, "a new %s", words[what]);
    }
}

void
kappa_diff_inputs(kappa_diff_t *d, kappa_diff_inputs_t what, kappa_str_t owner,
    const kappa_input_t *before, uint32_t before_count,
    const kappa_input_t *after, uint32_t after_count)
{
    for (uint32_t i = 0; i < before_count; i++) {
        kappa_str_t at = coordinate(d, what, owner, &before[i]);
        const kappa_input_t *now = find(after, after_count, i, before[i].name);

        if (before[i].hidden) {
            continue;
        }
        if (now) {
            diff_input(d, what, at, &before[i], now);
        } else {
            kappa_diff_add(d, KAPPA_CHANGE_BREAKING, removed[what], at,
                "the %s is gone", words[what]);
        }
    }
    for (uint32_t i = 0; i < after_count; i++) {
        if (!after[i].hidden
            && find(before, before_count, i, after[i].name) == NULL) {
            diff_added(
                d, what, coordinate(d, what, owner, &after[i]), &after[i]);
        }
    }
}
