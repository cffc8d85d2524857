#include "base/error.h"

#define MAX_DEFAULT 100
#define PLACES_MAX 1000 /* of one error */

/* Counts on from a known place to a later one. */
static kappa_location_t
count_on(kappa_str_t text, size_t from, kappa_location_t at, size_t offset)
{
    size_t start = from;

    for (size_t i = from; i < offset; i++) {
        if (text.data[i] == '\n'
            || (text.data[i] == '\r'
                && !(i + 1 < text.len && text.data[i + 1] == '\n'))) {
            at.line++;
            at.column = 1;
            start = i + 1;
        }
    }
    at.column += (uint32_t)kappa_utf16_units(
        kappa_str(text.data + start, offset - start));
    return at;
}

static size_t
clamp(const kappa_source_t *source, size_t offset)
{
    return offset < source->text.len ? offset : source->text.len;
}

kappa_location_t
kappa_source_location(const kappa_source_t *source, size_t offset)
{
    kappa_location_t start = { .source = source, .line = 1, .column = 1 };

    return count_on(source->text, 0, start, clamp(source, offset));
}

/* Errors come in the order of the text, each often with an early place and a
 * late one: counting goes on from the nearest of two places that are known. */
static kappa_location_t
locate(kappa_errors_t *errors, const kappa_source_t *source, size_t offset)
{
    size_t from = 0;
    kappa_location_t at = { .source = source, .line = 1, .column = 1 };

    offset = clamp(source, offset);
    if (errors->last_place.at.source == source
        && errors->last_place.offset <= offset) {
        from = errors->last_place.offset;
        at = errors->last_place.at;
    }
    if (errors->furthest_place.at.source == source
        && errors->furthest_place.offset <= offset
        && errors->furthest_place.offset > from) {
        from = errors->furthest_place.offset;
        at = errors->furthest_place.at;
    }
    at = count_on(source->text, from, at, offset);
    errors->last_place.offset = offset;
    errors->last_place.at = at;
    if (errors->furthest_place.at.source != source
        || errors->furthest_place.offset < offset) {
        errors->furthest_place = errors->last_place;
    }
    return at;
}

void
kappa_errors_init(kappa_errors_t *errors, kappa_arena_t *arena, uint32_t max)
{
    *errors =
        (kappa_errors_t){ .arena = arena, .max = max ? max : MAX_DEFAULT };
}

kappa_error_t *
kappa_errors_add(
    kappa_errors_t *errors, const char *code, const char *format, ...)
{
    va_list args;

    if (errors == NULL) {
        return NULL;
    }
    if (errors->count == errors->max) {
        errors->more = true;
        return NULL;
    }

    kappa_error_t *error = KAPPA_NEW(errors->arena, kappa_error_t);
    if (error == NULL) {
        errors->no_memory = true;
        return NULL;
    }
    va_start(args, format);
    error->message = kappa_str_vprintf(errors->arena, format, args);
    va_end(args);
    if (error->message.data == NULL) {
        errors->no_memory = true;
        return NULL;
    }
    error->code = code;
    if (errors->last != NULL) {
        errors->last->next = error;
    } else {
        errors->first = error;
    }
    errors->last = error;
    errors->count++;
    return error;
}

void
kappa_error_at(kappa_errors_t *errors, kappa_error_t *error,
    const kappa_source_t *source, size_t offset)
{
    if (error == NULL || error->location_count == PLACES_MAX) {
        return;
    }
    uint32_t count = error->location_count;

    if ((count & (count - 1)) == 0) { /* 0, 1, 2, 4…: it is full */
        kappa_location_t *grown = KAPPA_NEW_ARRAY(
            errors->arena, kappa_location_t, count ? count * 2 : 1);

        if (grown == NULL) {
            errors->no_memory = true;
            return;
        }
        if (count) {
            memcpy(grown, error->locations, count * sizeof(*grown));
        }
        error->locations = grown;
    }
    error->locations[error->location_count++] = locate(errors, source, offset);
}
