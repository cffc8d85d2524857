#include "base/error.h"

#define MAX_DEFAULT 100

kappa_location_t
kappa_source_location(const kappa_source_t *source, size_t offset)
{
    kappa_str_t text = source->text;
    kappa_location_t at = { .source = source, .line = 1, .column = 1 };
    size_t start = 0;

    if (offset > text.len) {
        offset = text.len;
    }
    for (size_t i = 0; i < offset; i++) {
        if (text.data[i] == '\n'
            || (text.data[i] == '\r'
                && !(i + 1 < text.len && text.data[i + 1] == '\n'))) {
            at.line++;
            start = i + 1;
        }
    }
    at.column += (uint32_t)kappa_utf16_units(
        kappa_str(text.data + start, offset - start));
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
    if (error == NULL) {
        return;
    }
    kappa_location_t *grown = KAPPA_NEW_ARRAY(
        errors->arena, kappa_location_t, error->location_count + 1);
    if (grown == NULL) {
        errors->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < error->location_count; i++) {
        grown[i] = error->locations[i];
    }
    grown[error->location_count++] = kappa_source_location(source, offset);
    error->locations = grown;
}
