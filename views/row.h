#ifndef KAPPA_VIEWS_ROW_H
#define KAPPA_VIEWS_ROW_H

#include "base/buf.h"
#include "views/model.h"

/* A row as it is stored: values already encoded as JSON, found by column
 * number without parsing.
 *
 *   u8 flags        bit 0: offsets have 4 bytes, else 2
 *                   bit 1: ends with when it was made
 *   u8 0
 *   u16 count       of columns
 *   offset[count]   where each column ends, counted from behind the offsets
 *   bytes           the columns' JSON, one behind the other
 *   i64 made        ms since 1970, in views that have a keep
 *
 * Little endian, unaligned. An empty column is null, and so is one that is
 * newer than the row. */

#define KAPPA_ROW_WIDE 1
#define KAPPA_ROW_MADE 2
#define KAPPA_ROW_MADE_BYTES 8
#define KAPPA_ROW_HEADER_BYTES 4
#define KAPPA_ROW_COLUMNS_MAX 4096

static inline uint32_t
kappa_row_count(const uint8_t *row)
{
    return (uint32_t)row[2] | (uint32_t)row[3] << 8;
}

static inline uint32_t
kappa_row_offset(const uint8_t *row, uint32_t i)
{
    const uint8_t *offsets = row + KAPPA_ROW_HEADER_BYTES;

    if (row[0] & KAPPA_ROW_WIDE) {
        uint32_t wide;
        memcpy(&wide, offsets + (size_t)i * 4, 4);
        return wide;
    }
    uint16_t narrow;
    memcpy(&narrow, offsets + (size_t)i * 2, 2);
    return narrow;
}

/* The JSON of a column by its number (kappa_column_t.number); len 0: null. */
static inline kappa_str_t
kappa_row_column(const uint8_t *row, uint32_t number)
{
    uint32_t count = kappa_row_count(row);

    if (number >= count) {
        return KAPPA_STR_NULL;
    }
    uint32_t start = number ? kappa_row_offset(row, number - 1) : 0;
    uint32_t end = kappa_row_offset(row, number);
    const uint8_t *bytes = row + KAPPA_ROW_HEADER_BYTES
        + (size_t)count * (row[0] & KAPPA_ROW_WIDE ? 4 : 2);
    return kappa_str((const char *)bytes + start, end - start);
}

/* All of its bytes. */
static inline size_t
kappa_row_bytes(const uint8_t *row)
{
    uint32_t count = kappa_row_count(row);

    return KAPPA_ROW_HEADER_BYTES
        + (size_t)count * (row[0] & KAPPA_ROW_WIDE ? 4 : 2)
        + (count ? kappa_row_offset(row, count - 1) : 0)
        + (row[0] & KAPPA_ROW_MADE ? KAPPA_ROW_MADE_BYTES : 0);
}

/* When it was made; INT64_MAX: that is not known. */
static inline int64_t
kappa_row_made(const uint8_t *row)
{
    int64_t made = INT64_MAX;

    if (row[0] & KAPPA_ROW_MADE) {
        memcpy(&made, row + kappa_row_bytes(row) - sizeof(made), sizeof(made));
    }
    return made;
}

/* Whether len bytes are a row: what comes from disk, before it is believed. */
bool kappa_row_valid(const uint8_t *row, size_t len);

/* The bytes a row of these columns takes, and writing them. columns are JSON
 * texts by number. */
size_t kappa_row_size(const kappa_str_t *columns, uint32_t count);
void kappa_row_write(uint8_t *out, const kappa_str_t *columns, uint32_t count);
/* Adds when it was made, in KAPPA_ROW_MADE_BYTES more. */
void kappa_row_write_made(uint8_t *row, int64_t made_ms);

/* A column's JSON as a value of its kind. Strings without escapes point into
 * json, others are in the arena. KAPPA_CORRUPT: it is not of that kind. */
kappa_status_t kappa_column_value(kappa_arena_t *arena,
    kappa_column_kind_t kind, kappa_str_t json, kappa_value_t *out);

/* A value as a column's JSON, appended to buf; nothing for null.
 * KAPPA_INVALID: it is of another kind (INT for DOUBLE and BIGINT is fine,
 * text for TIME and BIGINT is read). */
kappa_status_t kappa_column_json(
    kappa_buf_t *buf, kappa_column_kind_t kind, const kappa_value_t *v);

/* The whole row as a JSON object of its view's columns by name, in their
 * order: kappa_event_t.row. */
void kappa_row_json(
    kappa_buf_t *buf, const kappa_view_t *view, const uint8_t *row);

#endif
