#ifndef KAPPA_BASE_JSON_H
#define KAPPA_BASE_JSON_H

#include "base/buf.h"
#include "base/value.h"

/* JSON (RFC 8259) in and out. */

/* Writes "…" with what must be escaped escaped, and nothing else. s must be
 * valid UTF-8. */
void kappa_json_string(kappa_buf_t *buf, kappa_str_t s);

/* The shortest form that reads back as the same double; NaN and infinity as
 * null. Integral values have no point. */
void kappa_json_double(kappa_buf_t *buf, double d);

/* BIGINT as a string, TIME as "2026-11-20T10:25:00.000Z"; UNSET as null, and
 * UNSET members left out; ROW as null. */
void kappa_json_value(kappa_buf_t *buf, const kappa_value_t *v);

/* [{"message","locations","extensions":{"code"}},…] */
void kappa_json_errors(kappa_buf_t *buf, const kappa_errors_t *errors);

/* The text of a JSON string from what stands between its quotes; copied into
 * the arena. Refuses what kappa_json_parse refuses: KAPPA_INVALID without a
 * message. */
kappa_status_t kappa_json_text(
    kappa_arena_t *arena, kappa_str_t inside, kappa_str_t *out);

/* Reads one JSON text: what is plain at once (base/json_plain.h), the rest by
 * jansson. Numbers with '.' or an exponent become DOUBLE, others INT; an
 * integer beyond int64 is INVALID, so are duplicate keys, "\u0000", invalid
 * UTF-8 and nesting past 128. Strings are copied into the arena. On INVALID
 * message says what and where. */
kappa_status_t kappa_json_parse(kappa_arena_t *arena, kappa_str_t text,
    kappa_value_t *out, kappa_str_t *message);

#endif
