#ifndef KAPPA_VIEWS_READ_PRIVATE_H
#define KAPPA_VIEWS_READ_PRIVATE_H

#include "views/key.h"
#include "views/read.h"
#include "views/row.h"
#include "views/scope.h"

/* Between read.c, read_list.c, read_range.c and cursor.c. */

/* A scope of the reader's caller and time, whose lookups read through it. */
kappa_scope_t kappa_read_scope(kappa_read_t *read);

/* The row of an encoded key, whoever may see it. KAPPA_NOT_FOUND. */
kappa_status_t kappa_read_get(kappa_read_t *read, const kappa_view_t *view,
    kappa_str_t key, kappa_row_t *row);

/* The arguments with stamped ones filled in; *out may be args itself. */
kappa_status_t kappa_read_args(kappa_read_t *read, const kappa_field_t *field,
    const kappa_arg_stamp_t *stamps, uint32_t count, const kappa_value_t *args,
    kappa_arena_t *arena, const kappa_value_t **out, kappa_errors_t *errors);

/* Notes that entries of an index from low up to high were read. */
kappa_status_t kappa_read_note_range(kappa_read_t *read,
    const kappa_index_t *index, kappa_str_t low, kappa_str_t high);

/* What the storage said, for the caller of an op: KAPPA_OK, KAPPA_NOMEM, or
 * KAPPA_IO. */
kappa_status_t kappa_read_status(kappa_status_t status);

/* ---- read_range.c: which entries a list is about ---- */

/* Entries from low (with it) up to high (without). */
typedef struct {
    kappa_str_t low;
    kappa_str_t high;
} kappa_segment_t;

/* The entries that filters and parent leave, ascending, without overlap. */
typedef struct {
    const kappa_list_t *list;
    const kappa_choice_t *choice;
    kappa_str_t prefix; /* of the index and the equalities */
    kappa_segment_t *segments;
    uint32_t count;
} kappa_range_entries_t;

/* args are filled in. KAPPA_INVALID: an error was added. */
kappa_status_t kappa_read_range(kappa_read_t *read, const kappa_list_t *list,
    const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, kappa_arena_t *arena,
    kappa_range_entries_t *range, kappa_errors_t *errors);

/* ---- cursor.c ---- */

/* What a page's cursors need: kappa_page_t.scan. */
typedef struct {
    const kappa_field_t *field;
    const kappa_range_entries_t *range;
    const kappa_str_t *entries; /* by row */
} kappa_scan_t;

/* Appends a cursor as a JSON string. */
void kappa_cursor_write(
    kappa_buf_t *buf, const kappa_scan_t *scan, kappa_str_t entry);

/* The entry that a cursor of this very list stands on; false: it is none. */
bool kappa_cursor_read(const kappa_scan_t *scan, kappa_str_t cursor,
    kappa_arena_t *arena, kappa_str_t *entry, bool *no_memory);

/* ---- read_list.c: ops ---- */

kappa_status_t kappa_read_list(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors);

#endif
