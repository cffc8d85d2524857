#include "graphql/documents_check.h"

/* Fields and fragments within each other, that the stack is for. */
#define NESTING_MAX 1000

/* How far a fragment's fields nest, once it was measured. */
typedef struct {
    const kappa_definition_t *definition;
    uint32_t height;
    enum {
        UNMEASURED,
        MEASURING,
        MEASURED
    } state;
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

static kappa_status_t
check_depth(kappa_arena_t *scratch, const kappa_document_t *document,
    uint32_t max_depth, kappa_errors_t *errors)
{
    measure_t m = { .too_deep = false };
    kappa_status_t status = find_fragments(scratch, document, &m);

    if (status != KAPPA_OK) {
        return status;
    }
    for (const kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        kappa_error_t *error;

        if (d->kind != KAPPA_DEFINITION_OPERATION
            || (height_of(&m, d->selections) <= max_depth && !m.too_deep)) {
            continue;
        }
        error = kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The operation nests fields deeper than the limit of %u. Ask for "
            "less at once.",
            max_depth);
        kappa_error_at(errors, error, document->source, d->offset);
        return KAPPA_LIMIT;
    }
    return KAPPA_OK;
}

/* Fields with an alias. As deep as the parser let it be. */
static uint32_t
count_aliases(const kappa_selection_t *selections)
{
    uint32_t count = 0;

    for (const kappa_selection_t *s = selections; s != NULL; s = s->next) {
        count += s->kind == KAPPA_SELECTION_FIELD && s->alias.text.data;
        count += count_aliases(s->selections);
    }
    return count;
}

static kappa_status_t
check_aliases(const kappa_document_t *document, uint32_t max_aliases,
    kappa_errors_t *errors)
{
    uint32_t count = 0;

    for (const kappa_definition_t *d = document->definitions; d != NULL;
         d = d->next) {
        if (d->kind == KAPPA_DEFINITION_OPERATION
            || d->kind == KAPPA_DEFINITION_FRAGMENT) {
            count += count_aliases(d->selections);
        }
    }
    if (count <= max_aliases) {
        return KAPPA_OK;
    }
    kappa_errors_add(errors, "LIMIT_EXCEEDED",
        "The document has %u aliases, past the limit of %u. Ask for less at "
        "once.",
        count, max_aliases);
    return KAPPA_LIMIT;
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
        status = check_aliases(document, limits->max_aliases, errors);
    }
    return status == KAPPA_OK
        ? check_depth(scratch, document, limits->max_depth, errors)
        : status;
}
