#ifndef KAPPA_VIEWS_READ_PRIVATE_H
#define KAPPA_VIEWS_READ_PRIVATE_H

#include "base/siv.h"
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

/* What a range's cursors are bound to, once it is known. */
typedef struct {
    bool is;
    kappa_siv_context_t context;
} kappa_scan_context_t;

/* What a page's cursors need: kappa_page_t.scan. */
typedef struct {
    kappa_siv_t *siv; /* NULL: there are no cursors */
    const kappa_field_t *field;
    const kappa_range_entries_t *range; /* or one for each view */
    uint32_t range_count;
    const kappa_str_t *entries;     /* by row */
    const uint32_t *members;        /* by row: its range; NULL: there is one */
    kappa_scan_context_t *contexts; /* by range, when cursors are written */
    kappa_arena_t *arena;
} kappa_scan_t;

/* Appends the cursor of a row as a JSON string; buf has failed where that
 * can't be. */
void kappa_cursor_write(
    kappa_buf_t *buf, const kappa_scan_t *scan, uint32_t row);

/* Where a cursor of this very list stands: the entry behind its range's
 * prefix, in the arena, and the range. KAPPA_NOT_FOUND: it is none. */
kappa_status_t kappa_cursor_read(const kappa_scan_t *scan, kappa_str_t cursor,
    kappa_arena_t *arena, kappa_str_t *rest, uint32_t *member);

/* ---- read_page.c: first, last, after and before ---- */

/* Looking for rows that a rule lets through ends at so many times the page. */
#define KAPPA_EXAMINED_PER_ROW 10

/* A cursor's place. */
typedef struct {
    kappa_str_t rest; /* of the entry; data NULL: not given */
    uint32_t member;  /* its range's number */
} kappa_place_t;

typedef struct {
    uint32_t limit;
    bool from_end; /* last: */
    kappa_place_t after;
    kappa_place_t before;
} kappa_paging_t;

/* args are filled in, scan has its ranges. KAPPA_INVALID: an error was
 * added. */
kappa_status_t kappa_read_paging(const kappa_list_t *list,
    const kappa_scan_t *scan, const kappa_value_t *args, kappa_arena_t *arena,
    kappa_paging_t *paging, kappa_errors_t *errors);

/* What was read from the end, in the order of the list. members: NULL, there
 * is one. */
void kappa_read_reverse(kappa_row_t *rows, kappa_str_t *entries,
    uint32_t *members, uint32_t count);

/* ---- read_beyond.c ---- */

/* Whether a row that the caller may see is below edge (its first bytes that
 * are not), or from edge on. With *budget rows looked at that a row rule hides
 * it can't be told and is true. */
kappa_status_t kappa_read_beyond(kappa_read_t *read,
    const kappa_range_entries_t *range, kappa_str_t edge, bool below,
    kappa_arena_t *arena, uint32_t *budget, bool *found);

/* ---- read_list.c ---- */

/* Where an index's entries are. */
static inline kappa_dbi_t
kappa_read_dbi(const kappa_range_entries_t *range)
{
    return range->choice->index == range->list->view->indexes
        ? KAPPA_DBI_ROWS
        : KAPPA_DBI_INDEX;
}

/* The row of an entry of the range; in index 0 it is `value` already. */
kappa_status_t kappa_read_entry(kappa_read_t *read,
    const kappa_range_entries_t *range, kappa_str_t entry, kappa_str_t value,
    kappa_row_t *row);

/* How many entries there are, for equalities without a row rule; -1: it can't
 * be told. */
kappa_status_t kappa_read_total(
    kappa_read_t *read, const kappa_range_entries_t *range, int64_t *total);

/* ---- read_keep.c: rows whose keep is over ---- */

/* At most so many are stepped over. */
#define KAPPA_READ_OVER_MAX 10000

/* Whether a stored row is there: its keep is not over. Notes when it will
 * be. */
bool kappa_read_kept(
    kappa_read_t *read, const kappa_view_t *view, const uint8_t *row);

/* Takes off a total what it counts and what is there no more. With very many
 * of those it is -1. */
kappa_status_t kappa_read_count_over(
    kappa_read_t *read, const kappa_range_entries_t *range, int64_t *total);

/* ---- read_merge.c: lists of several views ---- */

/* As kappa_read_list; args are filled in. */
kappa_status_t kappa_read_merged(kappa_read_t *read,
    const kappa_field_t *field, const kappa_row_t *parent,
    const kappa_value_t *args, bool want_total, kappa_arena_t *arena,
    kappa_page_t *page, kappa_errors_t *errors);

/* ---- read_list.c: ops ---- */

kappa_status_t kappa_read_list(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors);

#endif
