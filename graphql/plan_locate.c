#include "graphql/plan_private.h"

#define MARK_BYTES 128

/* The place behind text[from..to), at being the place of from. */
static kappa_plan_place_t
walk(kappa_str_t text, kappa_plan_place_t at, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '\n'
            || (c == '\r'
                && !(i + 1 < text.len && text.data[i + 1] == '\n'))) {
            at.line++;
            at.column = 1;
        } else if ((c & 0xC0) != 0x80) {
            at.column += c >= 0xF0 ? 2 : 1; /* UTF-16 units */
        }
    }
    return at;
}

kappa_status_t
kappa_plan_locator_init(
    kappa_plan_locator_t *locator, kappa_arena_t *arena, kappa_str_t text)
{
    size_t count = text.len / MARK_BYTES + 1;

    locator->text = text;
    locator->marks = KAPPA_NEW_ARRAY(arena, kappa_plan_place_t, count);
    if (locator->marks == NULL) {
        return KAPPA_NOMEM;
    }
    locator->marks[0] = (kappa_plan_place_t){ 1, 1 };
    for (size_t i = 1; i < count; i++) {
        locator->marks[i] = walk(
            text, locator->marks[i - 1], (i - 1) * MARK_BYTES, i * MARK_BYTES);
    }
    return KAPPA_OK;
}

kappa_plan_place_t
kappa_plan_locate(const kappa_plan_locator_t *locator, size_t offset)
{
    if (offset > locator->text.len) {
        offset = locator->text.len;
    }
    size_t mark = offset / MARK_BYTES;
    return walk(
        locator->text, locator->marks[mark], mark * MARK_BYTES, offset);
}

kappa_status_t
kappa_plan_place_errors(
    kappa_errors_t *errors, kappa_error_t *after, kappa_plan_place_t place)
{
    kappa_error_t *error;

    if (errors == NULL) {
        return KAPPA_INVALID;
    }
    error = after ? after->next : errors->first;
    for (; error != NULL; error = error->next) {
        error->locations = KAPPA_NEW(errors->arena, kappa_location_t);
        if (error->locations == NULL) {
            return KAPPA_NOMEM;
        }
        error->locations->line = place.line;
        error->locations->column = place.column;
        error->location_count = 1;
    }
    return errors->no_memory ? KAPPA_NOMEM : KAPPA_INVALID;
}
