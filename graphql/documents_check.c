#include "graphql/documents_check.h"

/* Fields and fragments within each other, that the stack is for. */
#define NESTING_MAX 1000
#define WIDTH_MAX (1u << 30)
/* Each __schema may be megabytes, and one has all of it. */
#define SCHEMAS_MAX 2

/* Fields that stand outermost, and how many of them are __schema. */
typedef struct {
    uint32_t fields, schemas;
} width_t;

/* Once a fragment was measured: how far its fields nest, and how many stand
 * outermost. */
typedef struct {
    const kappa_definition_t *definition;
    uint32_t height;
    width_t width;
    enum {
        UNMEASURED,
        MEASURING,
        MEASURED
    } state, counted;
} fragment_t;

typedef struct {
    kappa_map_t fragments;
    uint32_t nesting;
    bool too_deep;
} measure_t;

static uint32_t height_of(measure_t *m, const kappa_selection_t *selections);

static uint32_t
fragment_height(measure_t *m, kappa_str_t name)
{
    fragment_t *fragment = kappa_map_get(&m->fragments, name);

    if (fragment == NULL || fragment->state == MEASURING) {
        return 0;
    }
    if (fragment->state == UNMEASURED) {
        fragment->state = MEASURING;
        fragment->height = height_of(m, fragment->definition->selections);
        fragment->state = MEASURED;
    }
    return fragment->height;
}

static uint32_t
height_of(measure_t *m, const kappa_selection_t *selections)
{
    uint32_t most = 0;

    if (m->nesting == NESTING_MAX) {
        m->too_deep = true;
        return 0;
    }
    m->nesting++;
    for (const kappa_selection_t *s = selections; s != NULL && !m->too_deep;
         s = s->next) {
        uint32_t height = s->kind == KAPPA_SELECTION_SPREAD
            ? fragment_height(m, s->name.text)
            : height_of(m, s->selections);

        height += s->kind == KAPPA_SELECTION_FIELD;
        most = height > most ? height : most;
    }
    m->nesting--;
    return most;
}

static kappa_status_t
find_fragments(
    kappa_arena_t *scratch, const kappa_document_t *document, measure_t *m)
{
    kappa_map_init(&m->fragments, scratch);
    for (const kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        fragment_t *fragment;

        if (d->kind != KAPPA_DEFINITION_FRAGMENT) {
            continue;
        }
        fragment = KAPPA_NEW(scratch, fragment_t);
        if (fragment == NULL) {
            return KAPPA_NOMEM;
        }
        fragment->definition = d;
        if (kappa_map_put(&m->fragments, d->name.text, fragment) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

static width_t width_of(measure_t *m, const kappa_selection_t *selections);

static width_t
fragment_width(measure_t *m, kappa_str_t name)
{
    fragment_t *fragment = kappa_map_get(&m->fragments, name);

    if (fragment == NULL || fragment->counted == MEASURING) {
        return (width_t){ 0 };
    }
    if (fragment->counted == UNMEASURED) {
        fragment->counted = MEASURING;
        fragment->width = width_of(m, fragment->definition->selections);
        fragment->counted = MEASURED;
    }
    return fragment->width;
}

static width_t
selection_width(measure_t *m, const kappa_selection_t *s)
{
    if (s->kind == KAPPA_SELECTION_FIELD) {
        return (width_t){ 1, kappa_str_eq_c(s->name.text, "__schema") };
    }
    return s->kind == KAPPA_SELECTION_SPREAD ? fragment_width(m, s->name.text)
                                             : width_of(m, s->selections);
}

/* WIDTH_MAX: at least so many. */
static uint32_t
add(uint32_t a, uint32_t b)
{
    return a + b < WIDTH_MAX ? a + b : WIDTH_MAX;
}

static width_t
width_of(measure_t *m, const kappa_selection_t *selections)
{
    width_t sum = { 0 };

    if (m->nesting == NESTING_MAX) {
        m->too_deep = true;
        return sum;
    }
    m->nesting++;
    for (const kappa_selection_t *s = selections; s != NULL && !m->too_deep;
         s = s->next) {
        width_t more = selection_width(m, s);

        sum.fields = add(sum.fields, more.fields);
        sum.schemas = add(sum.schemas, more.schemas);
    }
    m->nesting--;
    return sum;
}

static kappa_status_t
refuse_operation(const kappa_document_t *document,
    const kappa_definition_t *operation, kappa_error_t *error,
    kappa_errors_t *errors)
{
    kappa_error_at(errors, error, document->source, operation->offset);
    return KAPPA_LIMIT;
}

static kappa_status_t
check_operation(measure_t *m, const kappa_document_t *document,
    const kappa_definition_t *operation, const kappa_document_limits_t *limits,
    kappa_errors_t *errors)
{
    uint32_t height = height_of(m, operation->selections);
    width_t width = width_of(m, operation->selections);

    if (height > limits->max_depth || m->too_deep) {
        return refuse_operation(document, operation,
            kappa_errors_add(errors, "LIMIT_EXCEEDED",
                "The operation nests fields deeper than the limit of %u. Ask "
                "for less at once.",
                limits->max_depth),
            errors);
    }
    if (width.schemas > SCHEMAS_MAX) {
        return refuse_operation(document, operation,
            kappa_errors_add(errors, "LIMIT_EXCEEDED",
                "The operation asks for \"__schema\" more than %d times. Once "
                "gives all of it.",
                SCHEMAS_MAX),
            errors);
    }
    if (width.fields > limits->max_root_fields) {
        return refuse_operation(document, operation,
            kappa_errors_add(errors, "LIMIT_EXCEEDED",
                "The operation has more root fields than the limit of %u. Ask "
                "for less at once.",
                limits->max_root_fields),
            errors);
    }
    return KAPPA_OK;
}

static kappa_status_t
check_operations(kappa_arena_t *scratch, const kappa_document_t *document,
    const kappa_document_limits_t *limits, kappa_errors_t *errors)
{
    measure_t m = { .too_deep = false };
    kappa_status_t status = find_fragments(scratch, document, &m);

    for (const kappa_definition_t *d = document->definitions;
         d != NULL && status == KAPPA_OK; d = d->next) {
        if (d->kind == KAPPA_DEFINITION_OPERATION) {
            status = check_operation(&m, document, d, limits, errors);
        }
    }
    return status;
}

/* In the text of a document. */
typedef struct {
    uint32_t aliases, directives;
} counts_t;

static void
count_directives(const kappa_directive_node_t *directives, counts_t *counts)
{
    for (; directives != NULL; directives = directives->next) {
        counts->directives++;
    }
}

/* As deep as the parser let it be. */
static void
count_selections(const kappa_selection_t *selections, counts_t *counts)
{
    for (const kappa_selection_t *s = selections; s != NULL; s = s->next) {
        counts->aliases +=
            s->kind == KAPPA_SELECTION_FIELD && s->alias.text.data != NULL;
        count_directives(s->directives, counts);
        count_selections(s->selections, counts);
    }
}

static counts_t
count_all(const kappa_document_t *document)
{
    counts_t counts = { 0 };

    for (const kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        if (d->kind != KAPPA_DEFINITION_OPERATION
            && d->kind != KAPPA_DEFINITION_FRAGMENT) {
            continue; /* of another kind: it won't be valid */
        }
        count_directives(d->directives, &counts);
        for (const kappa_variable_node_t *v = d->variables; v != NULL;
             v = v->next) {
            count_directives(v->directives, &counts);
        }
        count_selections(d->selections, &counts);
    }
    return counts;
}

static kappa_status_t
check_counts(const kappa_document_t *document,
    const kappa_document_limits_t *limits, kappa_errors_t *errors)
{
    counts_t counts = count_all(document);

    if (counts.aliases > limits->max_aliases) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The document has %u aliases, past the limit of %u. Ask for less "
            "at once.",
            counts.aliases, limits->max_aliases);
        return KAPPA_LIMIT;
    }
    if (counts.directives > limits->max_directives) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The document has %u directives, past the limit of %u. Ask for "
            "less at once.",
            counts.directives, limits->max_directives);
        return KAPPA_LIMIT;
    }
    return KAPPA_OK;
}

/* As deep as the parser let it be. */
static bool
refuse_introspection(const kappa_selection_t *selections,
    const kappa_source_t *source, kappa_errors_t *errors)
{
    bool found = false;

    for (const kappa_selection_t *s = selections; s != NULL; s = s->next) {
        if (s->kind == KAPPA_SELECTION_FIELD
            && (kappa_str_eq_c(s->name.text, "__schema")
                || kappa_str_eq_c(s->name.text, "__type"))) {
            kappa_error_at(errors,
                kappa_errors_add(errors, "VALIDATION_FAILED",
                    "Introspection is turned off here, but the document asks "
                    "for \"%.*s\".",
                    KAPPA_STR_ARG(s->name.text)),
                source, s->offset);
            found = true;
        }
        found |= refuse_introspection(s->selections, source, errors);
    }
    return found;
}

static kappa_status_t
check_introspection(const kappa_document_t *document, kappa_errors_t *errors)
{
    bool found = false;

    for (const kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        if (d->kind == KAPPA_DEFINITION_OPERATION
            || d->kind == KAPPA_DEFINITION_FRAGMENT) {
            found |=
                refuse_introspection(d->selections, document->source, errors);
        }
    }
    return found ? KAPPA_INVALID : KAPPA_OK;
}

kappa_status_t
kappa_documents_check(kappa_arena_t *scratch, const kappa_document_t *document,
    const kappa_document_limits_t *limits, kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    if (limits->no_introspection) {
        status = check_introspection(document, errors);
    }
    if (status == KAPPA_OK) {
        status = check_counts(document, limits, errors);
    }
    return status == KAPPA_OK
        ? check_operations(scratch, document, limits, errors)
        : status;
}
