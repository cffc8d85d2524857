#include "views/changeset.h"

#include <stdlib.h>

#include "views/row.h"

#define BATCH_BYTES (64 * 1024)
#define EVENT_BYTES (16 * 1024)

kappa_status_t
kappa_changeset_init(kappa_changeset_t *set, const kappa_alloc_t *alloc)
{
    memset(set, 0, sizeof(*set));
    set->alloc = alloc;
    kappa_buf_init(&set->buf, alloc);
    set->batch = kappa_arena_create(alloc, BATCH_BYTES);
    set->event = kappa_arena_create(alloc, EVENT_BYTES);
    if (set->batch == NULL || set->event == NULL) {
        kappa_changeset_release(set);
        return KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

void
kappa_changeset_release(kappa_changeset_t *set)
{
    kappa_buf_release(&set->buf);
    kappa_arena_destroy(set->batch);
    kappa_arena_destroy(set->event);
    set->batch = set->event = NULL;
}

void
kappa_changeset_begin(
    kappa_changeset_t *set, kappa_txn_t *txn, int64_t clock_ms)
{
    set->txn = txn;
    set->clock_ms = set->now_ms = clock_ms;
    set->due_ms = set->next_due_ms = INT64_MIN;
    kappa_arena_reset(set->batch);
    kappa_map_init(&set->nodes, set->batch);
    set->dirty = NULL;
    memset(set->pending, 0, sizeof(set->pending));
    kappa_changeset_next(set);
}

void
kappa_changeset_next(kappa_changeset_t *set)
{
    kappa_arena_reset(set->event);
    kappa_map_init(&set->extremes, set->event);
    set->number++;
    set->touched = set->last_touched = NULL;
}

static kappa_str_t
copy_bytes(kappa_arena_t *arena, kappa_str_t from)
{
    char *p = kappa_arena_alloc(arena, from.len);

    if (p == NULL) {
        return KAPPA_STR_NULL;
    }
    memcpy(p, from.data, from.len);
    return kappa_str(p, from.len);
}

/* What LMDB gives is copied: its pages move under our own writes. */
static kappa_status_t
load_row(kappa_changeset_t *set, kappa_node_t *node)
{
    kappa_str_t stored;
    kappa_status_t status =
        kappa_txn_get(set->txn, KAPPA_DBI_ROWS, node->full, &stored);

    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    if (!kappa_row_valid((const uint8_t *)stored.data, stored.len)) {
        return KAPPA_CORRUPT;
    }
    stored = copy_bytes(set->batch, stored);
    if (stored.data == NULL) {
        return KAPPA_NOMEM;
    }
    node->row = (const uint8_t *)stored.data;
    node->row_len = node->row_cap = (uint32_t)stored.len;
    return KAPPA_OK;
}

kappa_status_t
kappa_changeset_node(kappa_changeset_t *set, const kappa_view_t *view,
    kappa_str_t key, kappa_node_t **out)
{
    kappa_key_t full;

    kappa_key_init(&full);
    kappa_key_row_prefix(&full, view);
    kappa_key_add_raw(&full, key);
    if (full.over) {
        return KAPPA_LIMIT;
    }
    kappa_node_t *node = kappa_map_get(&set->nodes, kappa_key_str(&full));
    if (node != NULL) {
        *out = node;
        return KAPPA_OK;
    }
    node = KAPPA_NEW(set->batch, kappa_node_t);
    if (node == NULL) {
        return KAPPA_NOMEM;
    }
    node->view = view;
    node->full = kappa_str_dup(set->batch, kappa_key_str(&full));
    if (node->full.data == NULL) {
        return KAPPA_NOMEM;
    }
    node->key = kappa_str(node->full.data + KAPPA_ROW_PREFIX_BYTES,
        node->full.len - KAPPA_ROW_PREFIX_BYTES);
    kappa_status_t status = load_row(set, node);
    *out = node;
    return status == KAPPA_OK ? kappa_map_put(&set->nodes, node->full, node)
                              : status;
}

bool
kappa_node_exists(const kappa_changeset_t *set, const kappa_node_t *node)
{
    return node->event == set->number ? node->exists : node->row != NULL;
}

void
kappa_node_row(const kappa_changeset_t *set, const kappa_node_t *node,
    kappa_scope_row_t *out)
{
    bool touched = node->event == set->number;

    *out = (kappa_scope_row_t){ .view = node->view,
        .data = touched ? NULL : node->row,
        .cells = touched ? node->cells : NULL };
}

static kappa_status_t
open_cells(kappa_changeset_t *set, kappa_node_t *node)
{
    const kappa_view_t *view = node->view;

    node->cells = KAPPA_NEW_ARRAY(set->event, kappa_str_t, view->column_count);
    if (node->cells == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < view->column_count && node->row != NULL; i++) {
        node->cells[i] = kappa_row_column(node->row, view->columns[i].number);
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_node_touch(kappa_changeset_t *set, kappa_node_t *node)
{
    if (node->event == set->number) {
        return KAPPA_OK;
    }
    kappa_status_t status = open_cells(set, node);
    if (status != KAPPA_OK) {
        return status;
    }
    node->event = set->number;
    node->exists = node->row != NULL;
    node->row_touched = node->stamped = false;
    node->changed = node->fresh = node->left = false;
    node->late_row = NULL;
    node->tally_now = NULL;
    node->next_touched = NULL;
    if (set->touched == NULL) {
        set->touched = node;
    } else {
        set->last_touched->next_touched = node;
    }
    set->last_touched = node;
    return KAPPA_OK;
}

static kappa_status_t
load_tally(kappa_changeset_t *set, kappa_node_t *node)
{
    kappa_str_t stored;
    kappa_status_t status =
        kappa_txn_get(set->txn, KAPPA_DBI_AGGREGATES, node->full, &stored);

    if (status == KAPPA_OK) {
        status =
            kappa_tally_read(set->batch, node->view, stored, &node->tally);
    } else if (status == KAPPA_NOT_FOUND) {
        status = KAPPA_OK;
    }
    node->tally_loaded = status == KAPPA_OK;
    return status;
}

kappa_status_t
kappa_node_tally(
    kappa_changeset_t *set, kappa_node_t *node, kappa_tally_t **out)
{
    kappa_status_t status = kappa_node_touch(set, node);

    if (status == KAPPA_OK && !node->tally_loaded) {
        status = load_tally(set, node);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (node->tally_now == NULL) {
        node->tally_now =
            kappa_tally_copy(set->event, node->view, node->tally);
    }
    *out = node->tally_now;
    return *out ? KAPPA_OK : KAPPA_NOMEM;
}

/* The row's memory is used again when it has the room: a row that every event
 * of a batch changes does not grow the batch. */
static kappa_status_t
accept_row(kappa_changeset_t *set, kappa_node_t *node)
{
    node->row_dirty = true;
    if (node->new_row == NULL) {
        node->row = NULL;
        node->row_cap = 0;
        return KAPPA_OK;
    }
    if (node->row == NULL || node->row_cap < node->new_len) {
        uint32_t cap = node->new_len + node->new_len / 8;
        uint8_t *memory = kappa_arena_alloc(set->batch, cap);

        if (memory == NULL) {
            return KAPPA_NOMEM;
        }
        node->row = memory;
        node->row_cap = cap;
    }
    memcpy((uint8_t *)(uintptr_t)node->row, node->new_row, node->new_len);
    node->row_len = node->new_len;
    return KAPPA_OK;
}

kappa_status_t
kappa_node_accept(kappa_changeset_t *set, kappa_node_t *node)
{
    kappa_status_t status = KAPPA_OK;

    if (node->changed) {
        status = accept_row(set, node);
    }
    if (status == KAPPA_OK && node->tally_now != NULL) {
        node->tally =
            kappa_tally_copy(set->batch, node->view, node->tally_now);
        node->tally_dirty = true;
        status = node->tally ? KAPPA_OK : KAPPA_NOMEM;
    }
    if ((node->row_dirty || node->tally_dirty) && !node->listed) {
        node->listed = true;
        node->next_dirty = set->dirty;
        set->dirty = node;
    }
    return status;
}

kappa_status_t
kappa_changeset_put(kappa_changeset_t *set, kappa_dbi_t dbi, kappa_str_t key,
    kappa_str_t value)
{
    return kappa_pending_put(&set->pending[dbi], set->batch, key, value);
}

kappa_status_t
kappa_changeset_del(kappa_changeset_t *set, kappa_dbi_t dbi, kappa_str_t key)
{
    return kappa_pending_del(&set->pending[dbi], set->batch, key);
}

kappa_status_t
kappa_changeset_settle(kappa_changeset_t *set, kappa_dbi_t dbi)
{
    return kappa_pending_flush(&set->pending[dbi], set->batch, set->txn, dbi);
}

/* Where the databases of rows and tallies ended when the flush began. */
typedef struct {
    kappa_txn_end_t rows;
    kappa_txn_end_t tallies;
} ends_t;

static kappa_status_t
flush_tally(kappa_changeset_t *set, kappa_node_t *node, ends_t *ends)
{
    if (kappa_tally_empty(node->view, node->tally)) {
        return kappa_txn_del(set->txn, KAPPA_DBI_AGGREGATES, node->full);
    }
    kappa_buf_reset(&set->buf);
    kappa_tally_write(&set->buf, node->view, node->tally);
    return set->buf.failed
        ? KAPPA_NOMEM
        : kappa_txn_put_sorted(set->txn, KAPPA_DBI_AGGREGATES, node->full,
            kappa_buf_view(&set->buf), &ends->tallies);
}

static kappa_status_t
flush_row(kappa_changeset_t *set, kappa_node_t *node, ends_t *ends)
{
    return node->row == NULL
        ? kappa_txn_del(set->txn, KAPPA_DBI_ROWS, node->full)
        : kappa_txn_put_sorted(set->txn, KAPPA_DBI_ROWS, node->full,
            kappa_str((const char *)node->row, node->row_len), &ends->rows);
}

static kappa_status_t
flush_node(kappa_changeset_t *set, kappa_node_t *node, ends_t *ends)
{
    kappa_status_t status = KAPPA_OK;

    if (node->row_dirty) {
        status = flush_row(set, node, ends);
    }
    if (status == KAPPA_OK && node->tally_dirty) {
        status = flush_tally(set, node, ends);
    }
    node->row_dirty = node->tally_dirty = node->listed = false;
    return status;
}

static int
by_full(const void *a, const void *b)
{
    return kappa_str_cmp(
        (*(kappa_node_t *const *)a)->full, (*(kappa_node_t *const *)b)->full);
}

/* In the order of keys: neighbours share pages. */
static kappa_status_t
flush_nodes(kappa_changeset_t *set)
{
    size_t count = 0;
    ends_t ends;

    for (kappa_node_t *n = set->dirty; n != NULL; n = n->next_dirty) {
        count++;
    }
    if (count == 0) {
        return KAPPA_OK;
    }
    kappa_node_t **nodes =
        kappa_arena_alloc(set->batch, count * sizeof(*nodes));
    if (nodes == NULL) {
        return KAPPA_NOMEM;
    }
    count = 0;
    for (kappa_node_t *n = set->dirty; n != NULL; n = n->next_dirty) {
        nodes[count++] = n;
    }
    qsort(nodes, count, sizeof(*nodes), by_full);
    set->dirty = NULL;
    kappa_status_t status =
        kappa_txn_find_end(set->txn, KAPPA_DBI_ROWS, &ends.rows);
    if (status == KAPPA_OK) {
        status =
            kappa_txn_find_end(set->txn, KAPPA_DBI_AGGREGATES, &ends.tallies);
    }
    for (size_t i = 0; i < count && status == KAPPA_OK; i++) {
        status = flush_node(set, nodes[i], &ends);
    }
    return status;
}

kappa_status_t
kappa_changeset_flush(kappa_changeset_t *set)
{
    kappa_status_t status = flush_nodes(set);

    for (int dbi = 0; dbi < KAPPA_DBI_COUNT && status == KAPPA_OK; dbi++) {
        status = kappa_changeset_settle(set, (kappa_dbi_t)dbi);
    }
    return status;
}
