#include "views/changeset.h"

/* A tally as stored:
 *
 *   i64 members
 *   per aggregate that has something in it:
 *     u16 slot, u16 bytes of value, i64 count, value
 *
 * value: i64 sum, or the parts of an exact sum, or the extreme's key part and
 * that of rows that left, if any, or nothing. */

#define SLOT_BYTES 12

typedef enum {
    VALUE_NONE,
    VALUE_SUM,
    VALUE_EXACT,
    VALUE_EXTREME
} value_kind_t;

static value_kind_t
kind_of(const kappa_aggregate_t *aggregate)
{
    if (aggregate->kind == KAPPA_AGGREGATE_COUNT) {
        return VALUE_NONE;
    }
    if (aggregate->kind == KAPPA_AGGREGATE_MIN
        || aggregate->kind == KAPPA_AGGREGATE_MAX) {
        return VALUE_EXTREME;
    }
    return aggregate->source->columns[aggregate->source_column].kind
            == KAPPA_COLUMN_DOUBLE
        ? VALUE_EXACT
        : VALUE_SUM;
}

static kappa_tally_t *
new_tally(kappa_arena_t *arena, const kappa_view_t *view)
{
    return kappa_arena_zalloc(arena,
        sizeof(kappa_tally_t) + view->kept_count * sizeof(kappa_kept_t));
}

/* What will be added to needs the room for it. */
static bool
copy_exact(kappa_arena_t *arena, kappa_exact_t *exact)
{
    double *parts =
        kappa_arena_alloc(arena, KAPPA_EXACT_PARTS_MAX * sizeof(*parts));

    if (parts == NULL) {
        return false;
    }
    if (exact->count != 0) {
        memcpy(parts, exact->parts, exact->count * sizeof(*parts));
    }
    exact->parts = parts;
    return true;
}

static bool
copy_kept(kappa_arena_t *arena, const kappa_aggregate_t *aggregate,
    kappa_kept_t *kept)
{
    switch (kind_of(aggregate)) {
    case VALUE_EXACT:
        return copy_exact(arena, &kept->exact);
    case VALUE_EXTREME:
        if (kept->extreme.len == 0) {
            return true;
        }
        kept->extreme = kappa_str_dup(arena, kept->extreme);
        if (kept->left.len == 0) {
            return kept->extreme.data != NULL;
        }
        kept->left = kappa_str_dup(arena, kept->left);
        return kept->extreme.data != NULL && kept->left.data != NULL;
    default:
        return true;
    }
}

kappa_tally_t *
kappa_tally_copy(
    kappa_arena_t *arena, const kappa_view_t *view, const kappa_tally_t *from)
{
    kappa_tally_t *tally = new_tally(arena, view);

    if (tally == NULL) {
        return NULL;
    }
    if (from != NULL) {
        memcpy(tally, from,
            sizeof(*tally) + view->kept_count * sizeof(kappa_kept_t));
    }
    for (uint32_t i = 0; i < view->kept_count; i++) {
        if (!copy_kept(arena, view->kept[i], &tally->kept[i])) {
            return NULL;
        }
    }
    return tally;
}

bool
kappa_tally_empty(const kappa_view_t *view, const kappa_tally_t *tally)
{
    if (tally->members != 0) {
        return false;
    }
    for (uint32_t i = 0; i < view->kept_count; i++) {
        if (tally->kept[i].count != 0) {
            return false;
        }
    }
    return true;
}

static kappa_str_t
value_bytes(const kappa_aggregate_t *aggregate, const kappa_kept_t *kept)
{
    switch (kind_of(aggregate)) {
    case VALUE_SUM:
        return kappa_str((const char *)&kept->sum, sizeof(kept->sum));
    case VALUE_EXACT:
        return kappa_str((const char *)kept->exact.parts,
            kept->exact.count * sizeof(double));
    case VALUE_EXTREME:
        return kept->extreme;
    default:
        return KAPPA_STR_NULL;
    }
}

void
kappa_tally_write(
    kappa_buf_t *buf, const kappa_view_t *view, const kappa_tally_t *tally)
{
    kappa_buf_add(buf, &tally->members, sizeof(tally->members));
    for (uint32_t i = 0; i < view->kept_count; i++) {
        const kappa_kept_t *kept = &tally->kept[i];

        if (kept->count == 0) {
            continue;
        }
        kappa_str_t value = value_bytes(view->kept[i], kept);
        uint16_t head[2] = { (uint16_t)view->kept[i]->slot,
            (uint16_t)(value.len + kept->left.len) };
        kappa_buf_add(buf, head, sizeof(head));
        kappa_buf_add(buf, &kept->count, sizeof(kept->count));
        kappa_buf_str(buf, value);
        kappa_buf_str(buf, kept->left);
    }
}

static int32_t
position_of(const kappa_view_t *view, uint32_t slot)
{
    for (uint32_t i = 0; i < view->kept_count; i++) {
        if (view->kept[i]->slot == slot) {
            return (int32_t)i;
        }
    }
    return -1;
}

static kappa_status_t
read_extreme(kappa_arena_t *arena, const kappa_aggregate_t *aggregate,
    kappa_str_t value, kappa_kept_t *kept)
{
    kappa_column_kind_t kind =
        aggregate->source->columns[aggregate->source_column].kind;
    size_t len = kappa_key_part_len(kind, value);

    if (len == 0) {
        return KAPPA_CORRUPT;
    }
    kappa_str_t copy = kappa_str_dup(arena, value);
    if (copy.data == NULL) {
        return KAPPA_NOMEM;
    }
    kept->extreme = kappa_str(copy.data, len);
    kept->left = kappa_str(copy.data + len, copy.len - len);
    return KAPPA_OK;
}

static kappa_status_t
read_value(kappa_arena_t *arena, const kappa_aggregate_t *aggregate,
    kappa_str_t value, kappa_kept_t *kept)
{
    switch (kind_of(aggregate)) {
    case VALUE_SUM:
        if (value.len != sizeof(kept->sum)) {
            return KAPPA_CORRUPT;
        }
        memcpy(&kept->sum, value.data, value.len);
        return KAPPA_OK;
    case VALUE_EXACT:
        if (value.len % sizeof(double) != 0
            || value.len > KAPPA_EXACT_PARTS_MAX * sizeof(double)) {
            return KAPPA_CORRUPT;
        }
        kept->exact.count = (uint32_t)(value.len / sizeof(double));
        kept->exact.parts = kappa_arena_alloc(arena, value.len);
        if (kept->exact.parts == NULL) {
            return KAPPA_NOMEM;
        }
        memcpy(kept->exact.parts, value.data, value.len);
        return KAPPA_OK;
    case VALUE_EXTREME:
        return read_extreme(arena, aggregate, value, kept);
    default:
        return KAPPA_OK;
    }
}

static kappa_status_t
read_kept(kappa_arena_t *arena, const kappa_view_t *view, kappa_str_t *bytes,
    kappa_tally_t *tally)
{
    uint16_t head[2];

    if (bytes->len < SLOT_BYTES) {
        return KAPPA_CORRUPT;
    }
    memcpy(head, bytes->data, sizeof(head));
    if (bytes->len < SLOT_BYTES + (size_t)head[1]) {
        return KAPPA_CORRUPT;
    }
    int32_t position = position_of(view, head[0]);
    kappa_status_t status = KAPPA_OK;
    if (position >= 0) {
        kappa_kept_t *kept = &tally->kept[position];

        memcpy(&kept->count, bytes->data + sizeof(head), sizeof(kept->count));
        status = read_value(arena, view->kept[position],
            kappa_str(bytes->data + SLOT_BYTES, head[1]), kept);
    }
    bytes->data += SLOT_BYTES + head[1];
    bytes->len -= SLOT_BYTES + (size_t)head[1];
    return status;
}

kappa_status_t
kappa_tally_read(kappa_arena_t *arena, const kappa_view_t *view,
    kappa_str_t bytes, kappa_tally_t **out)
{
    kappa_tally_t *tally = new_tally(arena, view);
    kappa_status_t status = KAPPA_OK;

    if (tally == NULL) {
        return KAPPA_NOMEM;
    }
    if (bytes.len < sizeof(tally->members)) {
        return KAPPA_CORRUPT;
    }
    memcpy(&tally->members, bytes.data, sizeof(tally->members));
    bytes.data += sizeof(tally->members);
    bytes.len -= sizeof(tally->members);
    while (bytes.len > 0 && status == KAPPA_OK) {
        status = read_kept(arena, view, &bytes, tally);
    }
    *out = tally;
    return status;
}
