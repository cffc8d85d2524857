#include "views/read_private.h"

/* What is on the other side of a cursor than the page: whether there is a row
 * that the caller may see. From the cursor on, as its own row is there as a
 * rule. */

typedef struct {
    kappa_read_t *read;
    const kappa_range_entries_t *range;
    kappa_dbi_t dbi;
    bool below; /* backwards */
    kappa_arena_t *arena;
    uint32_t *budget;
    uint32_t over; /* rows whose keep is over */
} look_t;

static kappa_status_t
first_entry(const look_t *l, kappa_str_t low, kappa_str_t high,
    kappa_str_t *entry, kappa_str_t *value)
{
    kappa_txn_t *txn = l->read->txn;

    return l->below ? kappa_txn_seek_before(txn, l->dbi, high, entry, value)
                    : kappa_txn_seek(txn, l->dbi, low, entry, value);
}

static kappa_status_t
next_entry(const look_t *l, kappa_str_t *entry, kappa_str_t *value)
{
    kappa_txn_t *txn = l->read->txn;

    return l->below ? kappa_txn_previous(txn, l->dbi, entry, value)
                    : kappa_txn_next(txn, l->dbi, entry, value);
}

/* Past what may be looked at it can't be told, and there is said to be one. */
static kappa_status_t
is_there(look_t *l, kappa_str_t entry, kappa_str_t value, bool *there)
{
    const kappa_view_t *view = l->range->list->view;
    kappa_row_t row;

    *there = true;
    if (!view->allow && !view->keep_ms) {
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_read_entry(l->read, l->range, entry, value, &row);
    if (status != KAPPA_OK) {
        return status;
    }
    if (!kappa_read_kept(l->read, view, row.data)) {
        *there = ++l->over == KAPPA_READ_OVER_MAX;
        return KAPPA_OK;
    }
    if (!view->allow) {
        return KAPPA_OK;
    }
    status = kappa_read_visible(l->read, &row, l->arena, there);
    if (status == KAPPA_OK && !*there) {
        *there = *l->budget <= 1;
        *l->budget -= !*there;
    }
    return status;
}

/* Up to what was found, or all of it. */
static kappa_status_t
note(const look_t *l, kappa_str_t low, kappa_str_t high, bool found,
    kappa_str_t entry)
{
    if (!l->read->deps) {
        return KAPPA_OK;
    }
    if (found && l->below) {
        low = entry;
    } else if (found) {
        char *past = kappa_arena_bytes(l->arena, entry.len + 1);

        if (!past) {
            return KAPPA_NOMEM;
        }
        memcpy(past, entry.data, entry.len);
        past[entry.len] = '\0';
        high = kappa_str(past, entry.len + 1);
    }
    return kappa_read_note_range(l->read, l->range->choice->index, low, high);
}

static kappa_status_t
look(look_t *l, kappa_str_t low, kappa_str_t high, bool *found)
{
    kappa_str_t entry = KAPPA_STR_NULL, value = KAPPA_STR_NULL;
    kappa_status_t status = first_entry(l, low, high, &entry, &value);

    while (status == KAPPA_OK && kappa_str_cmp(entry, low) >= 0
        && kappa_str_cmp(entry, high) < 0) {
        status = is_there(l, entry, value, found);
        if (status != KAPPA_OK || *found) {
            break;
        }
        status = next_entry(l, &entry, &value);
    }
    return status == KAPPA_OK || status == KAPPA_DONE
        ? note(l, low, high, *found, entry)
        : status;
}

kappa_status_t
kappa_read_beyond(kappa_read_t *read, const kappa_range_entries_t *range,
    kappa_str_t edge, bool below, kappa_arena_t *arena, uint32_t *budget,
    bool *found)
{
    look_t l = { read, range, kappa_read_dbi(range), below, arena, budget, 0 };
    kappa_status_t status = KAPPA_OK;

    *found = false;
    for (uint32_t i = 0; status == KAPPA_OK && !*found && i < range->count;
         i++) {
        const kappa_segment_t *s =
            &range->segments[below ? range->count - 1 - i : i];
        kappa_str_t low = s->low, high = s->high;

        if (below && kappa_str_cmp(edge, high) < 0) {
            high = edge;
        }
        if (!below && kappa_str_cmp(edge, low) > 0) {
            low = edge;
        }
        if (kappa_str_cmp(low, high) < 0) {
            status = look(&l, low, high, found);
        }
    }
    return status;
}
