#include "views/count.h"
#include "views/read_private.h"

/* Lists: a page of an index's entries, and the rows they stand for. */

typedef struct {
    kappa_read_t *read;
    const kappa_field_t *field;
    const kappa_list_t *list;
    const kappa_value_t *args;
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    kappa_range_entries_t range;
    /* What to read of the range. Cursors are entries, themselves left out. */
    uint32_t limit;
    bool from_end; /* last: */
    kappa_str_t after;
    kappa_str_t before;
    bool ascending; /* the way the index is gone through */
    /* What is being read: entry number `at` of the run that was kept, or that
     * is kept now. */
    kappa_run_t *run; /* or NULL */
    uint32_t at;
    bool stepping; /* the transaction's cursor is on the entry before */
    /* What was read. */
    kappa_dbi_t dbi;
    kappa_row_t *rows;
    kappa_str_t *entries;
    uint32_t count;
    uint32_t examined;
    uint32_t over; /* rows whose keep is over */
    bool more;
    bool cut;         /* the row rule ended it */
    kappa_str_t last; /* entry looked at */
} work_t;

/* An entry of the range behind its prefix. */
static kappa_status_t
place(work_t *w, const kappa_place_t *at, kappa_str_t *entry)
{
    kappa_str_t prefix = w->range.prefix;

    if (!at->rest.data) {
        return KAPPA_OK;
    }
    char *bytes = kappa_arena_bytes(w->arena, prefix.len + at->rest.len + 1);
    if (!bytes) {
        return KAPPA_NOMEM;
    }
    memcpy(bytes, prefix.data, prefix.len);
    memcpy(bytes + prefix.len, at->rest.data, at->rest.len);
    bytes[prefix.len + at->rest.len] = '\0';
    *entry = kappa_str(bytes, prefix.len + at->rest.len);
    return KAPPA_OK;
}

static kappa_status_t
page_args(work_t *w)
{
    kappa_scan_t scan = { .siv = w->read->siv,
        .field = w->field,
        .range = &w->range,
        .range_count = 1 };
    kappa_paging_t paging = { .limit = 0 };
    kappa_status_t status = kappa_read_paging(
        w->list, &scan, w->args, w->arena, &paging, w->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    w->limit = paging.limit;
    w->from_end = paging.from_end;
    w->ascending = w->range.choice->descending == w->from_end;
    status = place(w, &paging.after, &w->after);
    return status == KAPPA_OK ? place(w, &paging.before, &w->before) : status;
}

/* ---- going through entries ---- */

/* A segment without what cursors cut off; above: entries must be greater. */
typedef struct {
    kappa_str_t low;
    kappa_str_t high;
    kappa_str_t above; /* data NULL: none */
} cut_t;

static cut_t
cut(const work_t *w, const kappa_segment_t *segment)
{
    bool descending = w->range.choice->descending;
    kappa_str_t above = descending ? w->before : w->after;
    kappa_str_t below = descending ? w->after : w->before;
    cut_t c = { segment->low, segment->high, above };

    if (above.data && kappa_str_cmp(above, c.low) > 0) {
        c.low = above;
    }
    if (below.data && kappa_str_cmp(below, c.high) < 0) {
        c.high = below;
    }
    return c;
}

/* One of its ends is where the reading began. */
static bool
in_cut(const work_t *w, const cut_t *c, kappa_str_t entry)
{
    return w->ascending ? kappa_str_cmp(entry, c->high) < 0
                        : kappa_str_cmp(entry, c->low) >= 0;
}

static kappa_status_t
first_entry(
    const work_t *w, const cut_t *c, kappa_str_t *entry, kappa_str_t *value)
{
    return w->ascending
        ? kappa_txn_seek(w->read->txn, w->dbi, c->low, entry, value)
        : kappa_txn_seek_before(w->read->txn, w->dbi, c->high, entry, value);
}

/* Behind what is kept of the run the transaction takes over. */
static kappa_status_t
step(const work_t *w, kappa_str_t *entry, kappa_str_t *value)
{
    if (!w->stepping) {
        const kappa_run_entry_t *last = &w->run->entries[w->at - 1];
        kappa_status_t status = kappa_txn_seek(w->read->txn, w->dbi,
            kappa_str(last->entry, last->entry_len), entry, value);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return w->ascending
        ? kappa_txn_next(w->read->txn, w->dbi, entry, value)
        : kappa_txn_previous(w->read->txn, w->dbi, entry, value);
}

/* Adds entry number `at` to the run; KAPPA_DONE: there is none. */
static void
keep_entry(
    work_t *w, kappa_status_t status, kappa_str_t entry, kappa_str_t value)
{
    kappa_run_t *run = w->run;

    if (run == NULL || run->count != w->at) {
        return;
    }
    run->ended = status == KAPPA_DONE;
    if (status == KAPPA_OK && run->count < KAPPA_RUN_ENTRIES) {
        run->entries[run->count++] = (kappa_run_entry_t){ .entry = entry.data,
            .entry_len = (uint32_t)entry.len,
            .row = value.data,
            .row_len = (uint32_t)value.len };
    }
}

/* The next entry, the first one of the cut to begin with. */
static kappa_status_t
next_entry(work_t *w, const cut_t *c, kappa_str_t *entry, kappa_str_t *value)
{
    kappa_run_t *run = w->run;
    kappa_status_t status;

    if (run != NULL && w->at < run->count) {
        const kappa_run_entry_t *kept = &run->entries[w->at++];

        *entry = kappa_str(kept->entry, kept->entry_len);
        *value = kappa_str(kept->row, kept->row_len);
        return KAPPA_OK;
    }
    if (run != NULL && run->ended && w->at == run->count) {
        return KAPPA_DONE;
    }
    status =
        w->at == 0 ? first_entry(w, c, entry, value) : step(w, entry, value);
    keep_entry(w, status, *entry, *value);
    w->stepping = true;
    w->at++;
    return status;
}

/* An entry of the range starts with the range's prefix: the equalities, which
 * may go on into the key. */
static kappa_str_t
key_of(const kappa_range_entries_t *range, kappa_str_t entry)
{
    const kappa_choice_t *choice = range->choice;
    size_t skip = range->prefix.len;

    if (choice->index->number == 0 || entry.len < skip
        || choice->equalities > choice->index->column_count) {
        return kappa_key_of_entry(choice->index, entry);
    }
    return kappa_key_behind(choice->index, choice->equalities,
        kappa_str(entry.data + skip, entry.len - skip));
}

kappa_status_t
kappa_read_entry(kappa_read_t *read, const kappa_range_entries_t *range,
    kappa_str_t entry, kappa_str_t value, kappa_row_t *row)
{
    const kappa_view_t *view = range->list->view;
    kappa_key_t stored;
    kappa_str_t key = key_of(range, entry);

    if (!key.data) {
        return KAPPA_CORRUPT;
    }
    if (range->choice->index->number != 0) {
        kappa_key_init(&stored);
        kappa_key_row_prefix(&stored, view);
        kappa_key_add_raw(&stored, key);
        kappa_status_t status = kappa_txn_get(
            read->txn, KAPPA_DBI_ROWS, kappa_key_str(&stored), &value);
        if (status != KAPPA_OK) {
            return status == KAPPA_NOT_FOUND ? KAPPA_CORRUPT : status;
        }
    }
    *row = (kappa_row_t){ .data = (const uint8_t *)value.data,
        .len = value.len,
        .type = view->type,
        .view = view,
        .key = key };
    return KAPPA_OK;
}

/* The row of the entry that was read last. */
static kappa_status_t
row_of(work_t *w, kappa_str_t entry, kappa_str_t value, kappa_row_t *row)
{
    const kappa_view_t *view = w->list->view;
    kappa_run_entry_t *kept = w->run != NULL && w->at <= w->run->count
        ? &w->run->entries[w->at - 1]
        : NULL;

    if (kept != NULL && kept->known) {
        *row = (kappa_row_t){ .data = (const uint8_t *)kept->row,
            .len = kept->row_len,
            .type = view->type,
            .view = view,
            .key = kappa_str(kept->entry + kept->key_at, kept->key_len) };
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_read_entry(w->read, &w->range, entry, value, row);
    if (status == KAPPA_OK && kept != NULL) {
        kept->row = (const char *)row->data;
        kept->row_len = (uint32_t)row->len;
        kept->key_at = (uint32_t)(row->key.data - kept->entry);
        kept->key_len = (uint16_t)row->key.len;
        kept->known = true;
    }
    return status;
}

/* Takes an entry; w->more: the page was full before it, or enough was looked
 * at. */
static kappa_status_t
take(work_t *w, kappa_str_t entry, kappa_str_t value)
{
    const kappa_view_t *view = w->list->view;
    kappa_row_t row;
    bool visible = true;
    bool rule = view->allow != NULL;

    w->last = entry;
    if (!rule && !view->keep_ms && w->count == w->limit) {
        w->more = true;
        return KAPPA_OK;
    }
    kappa_status_t status = row_of(w, entry, value, &row);
    if (status == KAPPA_OK && !kappa_read_kept(w->read, view, row.data)) {
        w->more = w->cut = ++w->over >= KAPPA_READ_OVER_MAX;
        return KAPPA_OK;
    }
    w->examined++;
    if (status == KAPPA_OK && rule) {
        status = kappa_read_visible(w->read, &row, w->arena, &visible);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (visible && w->count < w->limit) {
        w->rows[w->count] = row;
        w->entries[w->count++] = entry;
        return KAPPA_OK;
    }
    w->cut = !visible && w->examined >= w->limit * KAPPA_EXAMINED_PER_ROW;
    w->more = visible || w->cut;
    return KAPPA_OK;
}

/* What was read: all of the cut, or up to the last entry. */
static kappa_status_t
note(work_t *w, const cut_t *c)
{
    kappa_str_t low = c->low, high = c->high;

    if (!w->read->deps) {
        return KAPPA_OK;
    }
    if (w->more && w->ascending) {
        char *past = kappa_arena_bytes(w->arena, w->last.len + 1);

        if (!past) {
            return KAPPA_NOMEM;
        }
        memcpy(past, w->last.data, w->last.len);
        past[w->last.len] = '\0';
        high = kappa_str(past, w->last.len + 1);
    } else if (w->more) {
        low = w->last;
    }
    return kappa_read_note_range(w->read, w->range.choice->index, low, high);
}

static kappa_status_t
read_segment(work_t *w, const kappa_segment_t *segment)
{
    cut_t c = cut(w, segment);
    kappa_str_t entry = KAPPA_STR_NULL, value = KAPPA_STR_NULL;
    kappa_status_t status;

    if (kappa_str_cmp(c.low, c.high) >= 0) {
        return KAPPA_OK;
    }
    w->run = kappa_txn_run(
        w->read->txn, w->dbi, !w->ascending, w->ascending ? c.low : c.high);
    w->at = 0;
    w->stepping = false;
    status = next_entry(w, &c, &entry, &value);
    while (status == KAPPA_OK && !w->more && in_cut(w, &c, entry)) {
        if (!c.above.data || !kappa_str_eq(entry, c.above)) {
            status = take(w, entry, value);
        }
        if (status == KAPPA_OK && !w->more) {
            status = next_entry(w, &c, &entry, &value);
        }
    }
    if (status != KAPPA_OK && status != KAPPA_DONE) {
        return status;
    }
    return note(w, &c);
}

static kappa_status_t
read_segments(work_t *w)
{
    uint32_t count = w->range.count;
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && !w->more && i < count; i++) {
        status = read_segment(
            w, &w->range.segments[w->ascending ? i : count - 1 - i]);
    }
    return status;
}

/* ---- the page ---- */

/* On the side of a cursor that the page is not; its own row is there, too. */
static kappa_status_t
beyond(
    work_t *w, kappa_str_t cursor, bool below, uint32_t *budget, bool *found)
{
    *found = false;
    cursor.len += below; /* past its own entry: place() has left a NUL there */
    return cursor.data ? kappa_read_beyond(
               w->read, &w->range, cursor, below, w->arena, budget, found)
                       : KAPPA_OK;
}

/* What cursors of a page need. */
typedef struct {
    kappa_scan_t scan;
    kappa_range_entries_t range;
    kappa_scan_context_t context;
} scanned_t;

static kappa_status_t
fill_page(work_t *w, kappa_page_t *page)
{
    bool descending = w->range.choice->descending;
    bool before, after;
    uint32_t budget = w->limit * KAPPA_EXAMINED_PER_ROW;
    kappa_status_t status = beyond(w, w->after, !descending, &budget, &before);

    if (status == KAPPA_OK) {
        status = beyond(w, w->before, descending, &budget, &after);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (w->from_end) {
        kappa_read_reverse(w->rows, w->entries, NULL, w->count);
    }
    w->entries[w->count] = w->last;
    scanned_t *scanned = KAPPA_NEW(w->arena, scanned_t);
    if (!scanned) {
        return KAPPA_NOMEM;
    }
    scanned->range = w->range;
    scanned->scan = (kappa_scan_t){ .siv = w->read->siv,
        .field = w->field,
        .range = &scanned->range,
        .entries = w->entries,
        .contexts = &scanned->context,
        .arena = w->arena };
    *page = (kappa_page_t){ .rows = w->rows,
        .count = w->count,
        .has_next = (w->more && !w->from_end) || after,
        .has_previous = (w->more && w->from_end) || before,
        .total = -1,
        .cut = !w->cut    ? 0
            : w->from_end ? -1
                          : 1,
        .scan = &scanned->scan };
    return KAPPA_OK;
}

kappa_status_t
kappa_read_total(
    kappa_read_t *read, const kappa_range_entries_t *range, int64_t *total)
{
    const kappa_choice_t *choice = range->choice;
    const kappa_segment_t *s = range->segments;

    *total = -1;
    if (choice->ranged || range->list->view->allow) {
        return KAPPA_OK;
    }
    if (!range->count) {
        *total = 0;
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_counts_get(read->txn, range->prefix, choice->equalities, total);
    if (status == KAPPA_OK) {
        status = kappa_read_count_over(read, range, total);
    }
    return status == KAPPA_OK
        ? kappa_read_note_range(read, choice->index, s->low, s->high)
        : status;
}

static kappa_status_t
read_page(work_t *w, bool want_total, kappa_page_t *page)
{
    int64_t total = -1;
    kappa_status_t status;

    w->dbi = kappa_read_dbi(&w->range);
    w->rows = kappa_arena_alloc(w->arena, sizeof(*w->rows) * w->limit);
    w->entries =
        kappa_arena_alloc(w->arena, sizeof(*w->entries) * (w->limit + 1));
    if (!w->rows || !w->entries) {
        return KAPPA_NOMEM;
    }
    status = read_segments(w);
    if (status == KAPPA_OK && want_total) {
        status = kappa_read_total(w->read, &w->range, &total);
    }
    if (status == KAPPA_OK) {
        status = fill_page(w, page);
        page->total = total;
    }
    return kappa_read_status(status);
}

kappa_status_t
kappa_read_list(kappa_data_t *data, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors)
{
    work_t w = { .read = data->ctx,
        .field = field,
        .list = field->binding->data,
        .arena = arena,
        .errors = errors };
    kappa_status_t status = kappa_read_args(w.read, field, w.list->stamps,
        w.list->stamp_count, args, arena, &w.args, errors);

    if (status == KAPPA_OK && w.list->next) {
        return kappa_read_merged(
            w.read, field, parent, w.args, want_total, arena, page, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_read_range(
            w.read, w.list, field, parent, w.args, arena, &w.range, errors);
    }
    if (status == KAPPA_OK) {
        status = page_args(&w);
    }
    return status == KAPPA_OK ? read_page(&w, want_total, page) : status;
}
