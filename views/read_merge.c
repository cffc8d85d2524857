#include "views/read_private.h"

/* Lists whose rows are of several views: their indexes go on with the same
 * fields behind the equalities, so the entries' bytes compare, and merging
 * them gives one order. Equal entries (rows of one key) come in the order of
 * the views. */

/* One view's entries on the way. */
typedef struct {
    const kappa_range_entries_t *range;
    uint32_t number;
    kappa_dbi_t dbi;
    uint32_t segment; /* how many were gone through */
    /* What cursors leave of the segment under way, and where it stands. */
    kappa_str_t low, high;
    bool done;
    kappa_str_t entry, value;
} source_t;

typedef struct {
    kappa_read_t *read;
    const kappa_field_t *field;
    kappa_arena_t *arena;
    kappa_range_entries_t *ranges;
    source_t *sources;
    uint32_t count; /* of both */
    kappa_paging_t paging;
    bool descending;
    bool ascending; /* the way the indexes are gone through */
    /* Whom a database's cursor stands with: the others seek again. */
    const source_t *standing[KAPPA_DBI_COUNT];
    /* What was read. */
    kappa_row_t *rows;
    kappa_str_t *entries;
    uint32_t *members;
    uint32_t row_count;
    uint32_t examined;
    uint32_t over; /* rows whose keep is over */
    bool more;
    bool cut;             /* a row rule ended it */
    const source_t *last; /* of the entry looked at last */
    kappa_str_t last_entry;
} merge_t;

static kappa_str_t
rest_of(const source_t *s, kappa_str_t entry)
{
    size_t skip = s->range->prefix.len;

    return kappa_str(entry.data + skip, entry.len - skip);
}

/* ---- cursors: places between entries ---- */

/* Where a place is in this view's entries: the first bytes that are behind it,
 * or that are not before it. */
static kappa_status_t
bound(const merge_t *m, const source_t *s, const kappa_place_t *at,
    bool behind, kappa_str_t *out)
{
    kappa_str_t prefix = s->range->prefix;
    size_t len = prefix.len + at->rest.len;
    char *bytes = kappa_arena_bytes(m->arena, len + 1);

    if (!bytes) {
        return KAPPA_NOMEM;
    }
    memcpy(bytes, prefix.data, prefix.len);
    memcpy(bytes + prefix.len, at->rest.data, at->rest.len);
    bytes[len] = '\0';
    *out = kappa_str(bytes, len + behind);
    return KAPPA_OK;
}

/* What the cursors leave of a segment. */
static kappa_status_t
cut_segment(const merge_t *m, source_t *s, const kappa_segment_t *segment)
{
    const kappa_paging_t *p = &m->paging;
    const kappa_place_t *above = m->descending ? &p->before : &p->after;
    const kappa_place_t *below = m->descending ? &p->after : &p->before;
    kappa_str_t edge;
    kappa_status_t status = KAPPA_OK;

    s->low = segment->low;
    s->high = segment->high;
    if (above->rest.data) {
        status = bound(m, s, above, s->number <= above->member, &edge);
        if (status == KAPPA_OK && kappa_str_cmp(edge, s->low) > 0) {
            s->low = edge;
        }
    }
    if (status == KAPPA_OK && below->rest.data) {
        status = bound(m, s, below, s->number < below->member, &edge);
        if (status == KAPPA_OK && kappa_str_cmp(edge, s->high) < 0) {
            s->high = edge;
        }
    }
    return status;
}

/* ---- going through one view's entries ---- */

static kappa_status_t
seek(merge_t *m, source_t *s, kappa_str_t from)
{
    m->standing[s->dbi] = s;
    return m->ascending
        ? kappa_txn_seek(m->read->txn, s->dbi, from, &s->entry, &s->value)
        : kappa_txn_seek_before(
            m->read->txn, s->dbi, from, &s->entry, &s->value);
}

/* The one behind the entry it stands on. */
static kappa_status_t
step(merge_t *m, source_t *s)
{
    kappa_txn_t *txn = m->read->txn;
    kappa_str_t at = s->entry;
    kappa_status_t status = KAPPA_OK;

    if (m->standing[s->dbi] != s && !m->ascending) {
        return seek(m, s, at);
    }
    if (m->standing[s->dbi] != s) {
        status = seek(m, s, at);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    return m->ascending
        ? kappa_txn_next(txn, s->dbi, &s->entry, &s->value)
        : kappa_txn_previous(txn, s->dbi, &s->entry, &s->value);
}

static bool
within(const source_t *s)
{
    return kappa_str_cmp(s->entry, s->high) < 0
        && kappa_str_cmp(s->entry, s->low) >= 0;
}

/* Opens segments until one has an entry. */
static kappa_status_t
next_segment(merge_t *m, source_t *s)
{
    uint32_t count = s->range->count;

    while (s->segment < count) {
        uint32_t n = s->segment++;
        kappa_status_t status = cut_segment(
            m, s, &s->range->segments[m->ascending ? n : count - 1 - n]);

        if (status == KAPPA_OK && kappa_str_cmp(s->low, s->high) < 0) {
            status = seek(m, s, m->ascending ? s->low : s->high);
            if (status == KAPPA_OK && within(s)) {
                return KAPPA_OK;
            }
        }
        if (status != KAPPA_OK && status != KAPPA_DONE) {
            return status;
        }
    }
    s->done = true;
    return KAPPA_OK;
}

static kappa_status_t
advance(merge_t *m, source_t *s)
{
    kappa_status_t status = step(m, s);

    if (status != KAPPA_OK && status != KAPPA_DONE) {
        return status;
    }
    return status == KAPPA_OK && within(s) ? KAPPA_OK : next_segment(m, s);
}

/* ---- merging ---- */

static bool
comes_before(const merge_t *m, const source_t *a, const source_t *b)
{
    int order = kappa_str_cmp(rest_of(a, a->entry), rest_of(b, b->entry));

    order = order ? order : a->number < b->number ? -1 : 1;
    return m->ascending ? order < 0 : order > 0;
}

/* Whose entry is next; NULL: all are done. */
static source_t *
nearest(const merge_t *m)
{
    source_t *found = NULL;

    for (uint32_t i = 0; i < m->count; i++) {
        source_t *s = &m->sources[i];

        if (!s->done && (!found || comes_before(m, s, found))) {
            found = s;
        }
    }
    return found;
}

/* Takes an entry; m->more: the page was full before it, or enough was looked
 * at. */
static kappa_status_t
take(merge_t *m, const source_t *s)
{
    const kappa_view_t *view = s->range->list->view;
    kappa_row_t row;
    bool visible = true;
    bool rule = view->allow != NULL;
    uint32_t limit = m->paging.limit;

    m->last = s;
    m->last_entry = s->entry;
    if (!rule && !view->keep_ms && m->row_count == limit) {
        m->more = true;
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_read_entry(m->read, s->range, s->entry, s->value, &row);
    if (status == KAPPA_OK && !kappa_read_kept(m->read, view, row.data)) {
        m->more = m->cut = ++m->over >= KAPPA_READ_OVER_MAX;
        return KAPPA_OK;
    }
    m->examined++;
    if (status == KAPPA_OK && rule) {
        status = kappa_read_visible(m->read, &row, m->arena, &visible);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (visible && m->row_count < limit) {
        m->rows[m->row_count] = row;
        m->members[m->row_count] = s->number;
        m->entries[m->row_count++] = s->entry;
        return KAPPA_OK;
    }
    m->cut = !visible && m->examined >= limit * KAPPA_EXAMINED_PER_ROW;
    m->more = visible || m->cut;
    return KAPPA_OK;
}

static kappa_status_t
merge(merge_t *m)
{
    kappa_status_t status = KAPPA_OK;
    source_t *s;

    for (uint32_t i = 0; status == KAPPA_OK && i < m->count; i++) {
        status = next_segment(m, &m->sources[i]);
    }
    while (status == KAPPA_OK && !m->more && (s = nearest(m))) {
        status = take(m, s);
        if (status == KAPPA_OK && !m->more) {
            status = advance(m, s);
        }
    }
    return status;
}

/* ---- what was read ---- */

/* Of one view: all that cursors leave, or up to the last entry of all. */
static kappa_status_t
note_source(merge_t *m, source_t *s)
{
    kappa_place_t last = { .member = 0 };
    kappa_str_t edge = KAPPA_STR_NULL;
    kappa_status_t status = KAPPA_OK;

    if (m->more) {
        last.rest = rest_of(m->last, m->last_entry);
        status = bound(m, s, &last, m->ascending, &edge);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < s->range->count; i++) {
        status = cut_segment(m, s, &s->range->segments[i]);
        if (edge.data && m->ascending && kappa_str_cmp(edge, s->high) < 0) {
            s->high = edge;
        }
        if (edge.data && !m->ascending && kappa_str_cmp(edge, s->low) > 0) {
            s->low = edge;
        }
        if (status == KAPPA_OK && kappa_str_cmp(s->low, s->high) < 0) {
            status = kappa_read_note_range(
                m->read, s->range->choice->index, s->low, s->high);
        }
    }
    return status;
}

static kappa_status_t
note(merge_t *m)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && m->read->deps && i < m->count;
         i++) {
        status = note_source(m, &m->sources[i]);
    }
    return status;
}

/* On the side of a cursor that the page is not; its own row is there, too. */
static kappa_status_t
beyond(merge_t *m, const kappa_place_t *cursor, bool below, uint32_t *budget,
    bool *found)
{
    kappa_status_t status = KAPPA_OK;
    kappa_str_t edge;

    *found = false;
    for (uint32_t i = 0;
         status == KAPPA_OK && cursor->rest.data && !*found && i < m->count;
         i++) {
        const source_t *s = &m->sources[i];

        status = bound(m, s, cursor,
            below ? s->number <= cursor->member : s->number < cursor->member,
            &edge);
        if (status == KAPPA_OK) {
            status = kappa_read_beyond(
                m->read, s->range, edge, below, m->arena, budget, found);
        }
    }
    return status;
}

/* ---- the page ---- */

static kappa_status_t
total_of(merge_t *m, int64_t *total)
{
    kappa_status_t status = KAPPA_OK;
    int64_t some = 0;

    *total = 0;
    for (uint32_t i = 0; status == KAPPA_OK && i < m->count; i++) {
        status = kappa_read_total(m->read, &m->ranges[i], &some);
        if (some < 0) {
            *total = -1;
            return status;
        }
        *total += some;
    }
    return status;
}

static kappa_status_t
fill_page(merge_t *m, kappa_page_t *page)
{
    bool before, after;
    bool back = m->paging.from_end;
    uint32_t budget = m->paging.limit * KAPPA_EXAMINED_PER_ROW;
    kappa_scan_t *scan = KAPPA_NEW(m->arena, kappa_scan_t);
    kappa_scan_context_t *contexts =
        KAPPA_NEW_ARRAY(m->arena, kappa_scan_context_t, m->count);
    kappa_status_t status = scan && contexts ? KAPPA_OK : KAPPA_NOMEM;

    if (status == KAPPA_OK) {
        status = beyond(m, &m->paging.after, !m->descending, &budget, &before);
    }
    if (status == KAPPA_OK) {
        status = beyond(m, &m->paging.before, m->descending, &budget, &after);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (back) {
        kappa_read_reverse(m->rows, m->entries, m->members, m->row_count);
    }
    m->entries[m->row_count] = m->last_entry;
    m->members[m->row_count] = m->last ? m->last->number : 0;
    *scan = (kappa_scan_t){ .siv = m->read->siv,
        .field = m->field,
        .range = m->ranges,
        .range_count = m->count,
        .entries = m->entries,
        .members = m->members,
        .contexts = contexts,
        .arena = m->arena };
    *page = (kappa_page_t){ .rows = m->rows,
        .count = m->row_count,
        .has_next = (m->more && !back) || after,
        .has_previous = (m->more && back) || before,
        .total = -1,
        .cut = !m->cut ? 0
            : back     ? -1
                       : 1,
        .scan = scan };
    return KAPPA_OK;
}

/* ---- what is asked for ---- */

static kappa_status_t
open_sources(merge_t *m, const kappa_row_t *parent, const kappa_value_t *args,
    kappa_errors_t *errors)
{
    const kappa_list_t *first = m->field->binding->data;
    kappa_status_t status = KAPPA_OK;
    uint32_t n = 0;

    for (const kappa_list_t *list = first; list; list = list->next) {
        m->count++;
    }
    m->ranges = KAPPA_NEW_ARRAY(m->arena, kappa_range_entries_t, m->count);
    m->sources = KAPPA_NEW_ARRAY(m->arena, source_t, m->count);
    if (!m->ranges || !m->sources) {
        return KAPPA_NOMEM;
    }
    for (const kappa_list_t *list = first; status == KAPPA_OK && list;
         list = list->next, n++) {
        status = kappa_read_range(m->read, list, m->field, parent, args,
            m->arena, &m->ranges[n], errors);
        if (status == KAPPA_OK) {
            m->sources[n] = (source_t){ .range = &m->ranges[n],
                .number = n,
                .dbi = kappa_read_dbi(&m->ranges[n]) };
        }
    }
    return status;
}

static kappa_status_t
open_page(merge_t *m, const kappa_value_t *args, kappa_errors_t *errors)
{
    kappa_scan_t scan = { .siv = m->read->siv,
        .field = m->field,
        .range = m->ranges,
        .range_count = m->count };
    kappa_status_t status = kappa_read_paging(
        m->field->binding->data, &scan, args, m->arena, &m->paging, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    m->descending = m->ranges[0].choice->descending;
    m->ascending = m->descending == m->paging.from_end;
    size_t room = (size_t)m->paging.limit + 1;
    m->rows = kappa_arena_alloc(m->arena, sizeof(*m->rows) * room);
    m->entries = kappa_arena_alloc(m->arena, sizeof(*m->entries) * room);
    m->members = kappa_arena_alloc(m->arena, sizeof(*m->members) * room);
    return m->rows && m->entries && m->members ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
read_page(merge_t *m, bool want_total, kappa_page_t *page)
{
    int64_t total = -1;
    kappa_status_t status = merge(m);

    if (status == KAPPA_OK) {
        status = note(m);
    }
    if (status == KAPPA_OK && want_total) {
        status = total_of(m, &total);
    }
    if (status == KAPPA_OK) {
        status = fill_page(m, page);
        page->total = total;
    }
    return kappa_read_status(status);
}

kappa_status_t
kappa_read_merged(kappa_read_t *read, const kappa_field_t *field,
    const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
    kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors)
{
    merge_t m = { .read = read, .field = field, .arena = arena };
    kappa_status_t status = open_sources(&m, parent, args, errors);

    if (status == KAPPA_OK) {
        status = open_page(&m, args, errors);
    }
    return status == KAPPA_OK ? read_page(&m, want_total, page) : status;
}
