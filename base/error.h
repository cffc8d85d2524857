#ifndef KAPPA_BASE_ERROR_H
#define KAPPA_BASE_ERROR_H

#include "base/alloc.h"
#include "base/str.h"

/* A text that errors point into: a GraphQL document, a schema file. */
typedef struct {
    kappa_str_t name; /* file name as the user gave it, or "GraphQL request" */
    kappa_str_t text;
} kappa_source_t;

/* A place as graphql-js counts it: line and column from 1, columns in UTF-16
 * units, lines end at \n, \r\n or \r. Line 0: no place. */
typedef struct {
    const kappa_source_t *source; /* NULL: unknown or the request */
    uint32_t line;
    uint32_t column;
} kappa_location_t;

kappa_location_t kappa_source_location(
    const kappa_source_t *source, size_t offset);

/* What went wrong, for a person and for a program. */
typedef struct kappa_error_s {
    const char *code; /* "BAD_USER_INPUT" (SEMANTICS 31), static or in arena */
    kappa_str_t message;
    kappa_location_t *locations;
    uint32_t location_count;
    struct kappa_error_s *next;
} kappa_error_t;

/* Errors in the order they were found. Past `max` further ones are dropped
 * and `more` is set, so hostile input can't grow the list. */
typedef struct {
    kappa_arena_t *arena;
    kappa_error_t *first;
    kappa_error_t *last;
    uint32_t count;
    uint32_t max;
    bool more;
    bool no_memory; /* an error was lost for want of memory */
    struct {
        size_t offset;
        kappa_location_t at;
    } last_place, furthest_place; /* places behind them are counted from
                                     there */
} kappa_errors_t;

/* max 0: 100, as graphql-js's validate. */
void kappa_errors_init(
    kappa_errors_t *errors, kappa_arena_t *arena, uint32_t max);

/* Appends an error without place; NULL when over max or out of memory.
 * errors may be NULL: then nothing is kept. */
kappa_error_t *kappa_errors_add(kappa_errors_t *errors, const char *code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A text on its way into a message: notes that there was no memory for it. */
static inline kappa_str_t
kappa_errors_str(kappa_errors_t *errors, kappa_str_t text)
{
    if (text.data == NULL && errors != NULL) {
        errors->no_memory = true;
    }
    return text;
}

/* The same as a C string, for one that ends with a NUL. */
static inline const char *
kappa_errors_text(kappa_errors_t *errors, kappa_str_t text)
{
    return kappa_errors_str(errors, text).data ? text.data : "";
}

/* Adds a place to an error; error may be NULL. An error has at most 1,000.
 * Places that ascend cost the text between them, not the text before. */
void kappa_error_at(kappa_errors_t *errors, kappa_error_t *error,
    const kappa_source_t *source, size_t offset);

#endif
