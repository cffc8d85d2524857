#ifndef KAPPA_VIEWS_TEXT_H
#define KAPPA_VIEWS_TEXT_H

#include "base/str.h"

/* The inside of a JSON string as rows hold it (written by kappa_json_string:
 * no \u beyond control characters), unit by unit without a copy. */

/* What is between the quotes; data NULL: json is no string. */
static inline kappa_str_t
kappa_text_inside(kappa_str_t json)
{
    if (json.len < 2 || json.data[0] != '"'
        || json.data[json.len - 1] != '"') {
        return KAPPA_STR_NULL;
    }
    return kappa_str(json.data + 1, json.len - 2);
}

static inline bool
kappa_text_escaped(kappa_str_t inside)
{
    return inside.len && memchr(inside.data, '\\', inside.len) != NULL;
}

/* Takes the next byte off the front of *inside; -1: a broken escape. */
int kappa_text_next(kappa_str_t *inside);

#endif
