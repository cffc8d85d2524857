#ifndef KAPPA_T_UNIT_GRAPHQL_DOCUMENTS_H
#define KAPPA_T_UNIT_GRAPHQL_DOCUMENTS_H

#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "graphql/library.h"
#include "graphql/schema.h"

/* What tests of schemas and validation share. */

static inline kappa_status_t
parse_text(kappa_arena_t *arena, const char *text, kappa_document_t **out,
    kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    source->name = KAPPA_STR("test.graphql");
    source->text = kappa_str_c(text);
    return kappa_parse(arena, source, NULL, out, errors);
}

static inline kappa_status_t
build_text(kappa_arena_t *arena, const char *text, bool library,
    kappa_schema_t **out, kappa_errors_t *errors)
{
    kappa_document_t *documents[2];
    kappa_status_t status = parse_text(arena, text, &documents[0], errors);

    if (status == KAPPA_OK && library) {
        status = kappa_library_parse(arena, &documents[1], errors);
    }
    return status == KAPPA_OK
        ? kappa_schema_build(arena, documents, library ? 2 : 1, out, errors)
        : status;
}

static inline int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "1:2 3:4 | 5:6": the places of each error, in the order of these texts. */
static inline const char *
places(const kappa_errors_t *errors)
{
    static char text[8192], all[100][256];
    char *sorted[100];
    size_t n = 0, count = 0;

    for (const kappa_error_t *e = errors->first; e && count < 100;
         e = e->next) {
        size_t len = 0;

        sorted[count] = all[count];
        strcpy(all[count], "-");
        for (uint32_t i = 0; i < e->location_count && len < 200; i++) {
            len += (size_t)snprintf(all[count] + len, 256 - len, "%s%u:%u",
                i ? " " : "", e->locations[i].line, e->locations[i].column);
        }
        count++;
    }
    qsort(sorted, count, sizeof(*sorted), by_text);
    text[0] = '\0';
    for (size_t i = 0; i < count && n < 7800; i++) {
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%s", i ? " | " : "", sorted[i]);
    }
    return text;
}

static inline void
assert_places(
    const kappa_errors_t *errors, const char *expected, const char *text)
{
    if (strcmp(places(errors), expected) != 0) {
        for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
            print_message("%.*s\n", KAPPA_STR_ARG(e->message));
        }
        fail_msg("%s\nerrors at %s, not %s", text, places(errors), expected);
    }
}

#endif
