#ifndef KAPPA_VIEWS_KEY_H
#define KAPPA_VIEWS_KEY_H

#include "base/buf.h"
#include "views/model.h"

/* Keys and index entries as bytes whose memcmp order is the order of their
 * values, part by part. Each part ends by itself, so entries are decoded
 * without lengths. One part:
 *
 *   00                   null (sorts first)
 *   01 + 1 byte          BOOL
 *   01 + 8 bytes         INT, BIGINT, TIME: big endian, sign bit flipped
 *   01 + 8 bytes         DOUBLE: big endian, ordered
 *   01 + bytes + 00      STRING; 00 is written 01 01, 01 is 01 02
 *
 * A part starts with 00 or 01: a prefix followed by FF is past everything
 * that starts with it (kappa_key_end). JSON columns are no keys. */

/* The parts of one key together, as the values are (a string its bytes, a
 * number 8): SEMANTICS 20. */
#define KAPPA_KEY_BYTES_MAX 255
/* What LMDB stores: prefix, index fields, key. */
#define KAPPA_ENTRY_BYTES_MAX 511

/* A key being written. Past its limits `over` is set and nothing more is
 * added: ask once, at the end. */
typedef struct {
    uint32_t len;
    uint32_t parts_bytes; /* of the values, for KAPPA_KEY_BYTES_MAX */
    bool over;            /* more than KAPPA_ENTRY_BYTES_MAX */
    bool null;            /* some part is null */
    bool invalid;         /* a part was not of its kind */
    char data[KAPPA_ENTRY_BYTES_MAX + 1];
} kappa_key_t;

static inline void
kappa_key_init(kappa_key_t *key)
{
    key->len = 0;
    key->parts_bytes = 0;
    key->over = key->null = key->invalid = false;
}

static inline kappa_str_t
kappa_key_str(const kappa_key_t *key)
{
    return kappa_str(key->data, key->len);
}

/* What rows and indexes are stored under begins with: the prefix of a view's
 * rows, and of an index's entries (numbers from the generation's layout). */
#define KAPPA_ROW_PREFIX_BYTES 2
#define KAPPA_INDEX_PREFIX_BYTES 4

/* Whether it can be a row's key: within both limits. */
static inline bool
kappa_key_fits(const kappa_key_t *key)
{
    return !key->over && !key->invalid
        && key->parts_bytes <= KAPPA_KEY_BYTES_MAX
        && key->len <= KAPPA_ENTRY_BYTES_MAX - KAPPA_ROW_PREFIX_BYTES;
}

/* Bytes as they are: a prefix, or another encoded key. Not counted in
 * parts_bytes. */
void kappa_key_add_raw(kappa_key_t *key, kappa_str_t bytes);

/* A part from a value: null, or of the column's kind (INT for DOUBLE and
 * BIGINT is fine, text for TIME too); another kind sets `invalid`. */
void kappa_key_add_value(
    kappa_key_t *key, kappa_column_kind_t kind, const kappa_value_t *v);

/* A part from a column as rows hold it: JSON text; empty or "null" is null. */
void kappa_key_add_json(
    kappa_key_t *key, kappa_column_kind_t kind, kappa_str_t json);

/* A part that entries are only compared with: of text that no entry has room
 * for as much as fits, and `over` then. */
void kappa_key_add_start(
    kappa_key_t *key, kappa_column_kind_t kind, const kappa_value_t *v);

/* Bytes that entries are only compared with: as many as fit. */
void kappa_key_add_cut(kappa_key_t *key, kappa_str_t bytes);

/* Past everything that starts with what is there. */
void kappa_key_end(kappa_key_t *key);

/* Takes one part off the front of *rest. Strings with escapes are copied into
 * the arena, others point into *rest. KAPPA_CORRUPT: these bytes are no such
 * part. */
kappa_status_t kappa_key_take(kappa_arena_t *arena, kappa_column_kind_t kind,
    kappa_str_t *rest, kappa_value_t *out);

/* The length of the part at the front; 0: it is broken. */
size_t kappa_key_part_len(kappa_column_kind_t kind, kappa_str_t rest);

/* A row's key from values in the order of view->key: KAPPA_OK;
 * KAPPA_NOT_FOUND: a part is null; KAPPA_INVALID: a part is of another kind;
 * KAPPA_LIMIT: too long. */
kappa_status_t kappa_key_of_values(
    kappa_key_t *key, const kappa_view_t *view, const kappa_value_t *parts);

/* The same from JSON as an event has it: one value, or a list of them.
 * KAPPA_NOT_FOUND: it is no key of this view. arena: for what it reads as. */
kappa_status_t kappa_key_of_json(kappa_key_t *key, const kappa_view_t *view,
    kappa_str_t json, kappa_arena_t *arena);

/* Adds these prefixes. */
void kappa_key_row_prefix(kappa_key_t *key, const kappa_view_t *view);
void kappa_key_index_prefix(kappa_key_t *key, const kappa_index_t *index);

/* The entry of an index for a row: prefix, fields, the row's encoded key.
 * Index 0 has no entries of its own: its entry is what the row itself is
 * stored under (row prefix, key) in KAPPA_DBI_ROWS; all others are keys of
 * KAPPA_DBI_INDEX. Ask entry->over. */
void kappa_key_entry(kappa_key_t *entry, const kappa_index_t *index,
    const uint8_t *row, kappa_str_t key);

/* The row's key at the end of an entry. data NULL: the entry is broken. */
kappa_str_t kappa_key_of_entry(const kappa_index_t *index, kappa_str_t entry);

/* The same from what is behind the first `from` columns of an index that is
 * not index 0. */
kappa_str_t kappa_key_behind(
    const kappa_index_t *index, uint32_t from, kappa_str_t rest);

#endif
