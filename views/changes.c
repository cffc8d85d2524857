#include "views/changes.h"

#include <errno.h>

#include "views/key.h"

/* A record as stored, under the seq in 8 bytes big endian; per change:
 *
 *   u16 view's slot, u8 flags, u8 0, u16 bytes of key, key
 *   u16 how many columns differ, u16 number of each
 *   u16 indexes (but the key's), each: u16 slot,
 *     u16 bytes of the old entry, entry, u16 bytes of the new one, entry
 *
 * A new entry that is the old one is written as SAME without bytes. */

#define META_FROM "changes from" /* what is after this can be told */
#define EXISTED 1
#define EXISTS 2
#define SAME 0xffff
#define TRIM_AT_ONCE 64
#define SEQ_BYTES 8

static void
write_seq(char out[SEQ_BYTES], uint64_t seq)
{
    for (int i = 0; i < SEQ_BYTES; i++) {
        out[i] = (char)(seq >> (56 - 8 * i));
    }
}

static uint64_t
read_seq(kappa_str_t key)
{
    uint64_t seq = 0;

    for (int i = 0; i < SEQ_BYTES; i++) {
        seq = seq << 8 | (unsigned char)key.data[i];
    }
    return seq;
}

/* --- writing */

static void
put_u16(kappa_buf_t *buf, uint32_t v)
{
    uint16_t narrow = (uint16_t)v;

    kappa_buf_add(buf, &narrow, sizeof(narrow));
}

static void
put_text(kappa_buf_t *buf, kappa_str_t s)
{
    put_u16(buf, (uint32_t)s.len);
    kappa_buf_str(buf, s);
}

static bool
differs(const kappa_change_t *change, uint32_t column)
{
    return change->columns[column / 64] >> column % 64 & 1;
}

static void
put_columns(kappa_buf_t *buf, const kappa_change_t *change)
{
    const kappa_view_t *view = change->view;
    uint32_t count = 0;

    for (uint32_t i = 0; i < view->column_count; i++) {
        count += differs(change, i);
    }
    put_u16(buf, count);
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (differs(change, i)) {
            put_u16(buf, view->columns[i].number);
        }
    }
}

static void
put_entries(kappa_buf_t *buf, const kappa_change_t *change)
{
    const kappa_view_t *view = change->view;

    put_u16(buf, view->index_count - 1);
    for (uint32_t i = 1; i < view->index_count; i++) {
        put_u16(buf, view->indexes[i].slot);
        put_text(buf, change->old_entries[i]);
        if (kappa_str_eq(change->old_entries[i], change->new_entries[i])) {
            put_u16(buf, SAME);
        } else {
            put_text(buf, change->new_entries[i]);
        }
    }
}

kappa_status_t
kappa_changes_put(kappa_txn_t *txn, uint64_t seq,
    const kappa_change_t *changes, uint32_t count, kappa_buf_t *scratch)
{
    char key[SEQ_BYTES];

    if (count == 0) {
        return KAPPA_OK;
    }
    kappa_buf_reset(scratch);
    for (uint32_t i = 0; i < count; i++) {
        const kappa_change_t *change = &changes[i];

        put_u16(scratch, change->view->slot);
        kappa_buf_char(scratch,
            (char)((change->existed ? EXISTED : 0)
                | (change->exists ? EXISTS : 0)));
        kappa_buf_char(scratch, 0);
        put_text(scratch, change->key);
        put_columns(scratch, change);
        put_entries(scratch, change);
    }
    write_seq(key, seq);
    return scratch->failed
        ? KAPPA_NOMEM
        : kappa_txn_put(txn, KAPPA_DBI_CHANGES, kappa_str(key, sizeof(key)),
            kappa_buf_view(scratch));
}

/* --- trimming */

static size_t
stored_bytes(kappa_txn_t *txn)
{
    MDB_stat stat;

    if (mdb_stat(txn->mdb, kappa_env_dbi(txn->env, KAPPA_DBI_CHANGES), &stat)
        != 0) {
        return 0;
    }
    return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages)
        * stat.ms_psize;
}

/* Deletes the oldest record if it is up to `limit`; KAPPA_DONE: it is not. */
static kappa_status_t
drop_oldest(kappa_txn_t *txn, uint64_t limit, uint64_t *dropped)
{
    kappa_str_t key, value;
    char copy[SEQ_BYTES];
    kappa_status_t status =
        kappa_txn_seek(txn, KAPPA_DBI_CHANGES, KAPPA_STR_NULL, &key, &value);

    if (status != KAPPA_OK) {
        return status;
    }
    if (key.len != SEQ_BYTES) {
        return KAPPA_CORRUPT;
    }
    if (read_seq(key) > limit) {
        return KAPPA_DONE;
    }
    *dropped = read_seq(key);
    write_seq(copy, *dropped);
    return kappa_txn_del(
        txn, KAPPA_DBI_CHANGES, kappa_str(copy, sizeof(copy)));
}

static kappa_status_t
drop_bytes(kappa_txn_t *txn, uint64_t *dropped)
{
    kappa_status_t status = KAPPA_OK;

    while (status == KAPPA_OK && stored_bytes(txn) > KAPPA_CHANGES_BYTES_MAX) {
        for (int i = 0; i < TRIM_AT_ONCE && status == KAPPA_OK; i++) {
            status = drop_oldest(txn, UINT64_MAX, dropped);
        }
    }
    return status;
}

kappa_status_t
kappa_changes_trim(kappa_txn_t *txn, uint64_t position)
{
    uint64_t from, dropped;
    kappa_status_t status = kappa_meta_get(txn, META_FROM, &from);

    if (status != KAPPA_OK) {
        return status;
    }
    dropped = from;
    if (position > KAPPA_CHANGES_EVENTS_MAX
        && position - KAPPA_CHANGES_EVENTS_MAX > from) {
        uint64_t limit = position - KAPPA_CHANGES_EVENTS_MAX;

        while (status == KAPPA_OK) {
            status = drop_oldest(txn, limit, &dropped);
        }
        dropped = limit;
    }
    if (status == KAPPA_OK || status == KAPPA_DONE) {
        status = drop_bytes(txn, &dropped);
    }
    if (status != KAPPA_OK && status != KAPPA_DONE) {
        return status;
    }
    return dropped == from ? KAPPA_OK
                           : kappa_meta_put(txn, META_FROM, dropped);
}

kappa_status_t
kappa_changes_forget(kappa_txn_t *txn, uint64_t position)
{
    int rc = mdb_drop(txn->mdb, kappa_env_dbi(txn->env, KAPPA_DBI_CHANGES), 0);

    if (rc != 0) {
        txn->problem = rc;
        return rc == ENOMEM ? KAPPA_NOMEM : KAPPA_IO;
    }
    return kappa_meta_put(txn, META_FROM, position);
}

/* --- reading */

typedef struct {
    const kappa_model_t *model;
    kappa_arena_t *arena;
    kappa_str_t rest;
    bool broken;
} reader_t;

static kappa_str_t
take_bytes(reader_t *reader, size_t n)
{
    if (reader->rest.len < n) {
        reader->broken = true;
        return KAPPA_STR_NULL;
    }
    kappa_str_t taken = kappa_str(reader->rest.data, n);
    reader->rest.data += n;
    reader->rest.len -= n;
    return taken;
}

static uint32_t
take_u16(reader_t *reader)
{
    uint16_t v = 0;
    kappa_str_t bytes = take_bytes(reader, sizeof(v));

    if (bytes.data != NULL) {
        memcpy(&v, bytes.data, sizeof(v));
    }
    return v;
}

static const kappa_view_t *
view_of(const kappa_model_t *model, uint32_t slot)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        if (model->views[i]->slot == slot) {
            return model->views[i];
        }
    }
    return NULL;
}

static void
set_column(const kappa_view_t *view, uint64_t *bits, uint32_t number)
{
    for (uint32_t i = 0; view != NULL && i < view->column_count; i++) {
        if (view->columns[i].number == number) {
            bits[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}

static bool
take_columns(reader_t *reader, kappa_change_t *change)
{
    const kappa_view_t *view = change->view;
    uint64_t *bits = KAPPA_NEW_ARRAY(
        reader->arena, uint64_t, view ? view->column_count / 64 + 1 : 1);
    uint32_t count = take_u16(reader);

    if (bits == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count && !reader->broken; i++) {
        set_column(view, bits, take_u16(reader));
    }
    change->columns = bits;
    return true;
}

static int32_t
index_of(const kappa_view_t *view, uint32_t slot)
{
    for (uint32_t i = 1; view != NULL && i < view->index_count; i++) {
        if (view->indexes[i].slot == slot) {
            return (int32_t)i;
        }
    }
    return -1;
}

static void
take_entry(reader_t *reader, const kappa_view_t *view, kappa_str_t *old,
    kappa_str_t *new)
{
    int32_t index = index_of(view, take_u16(reader));
    kappa_str_t before = take_bytes(reader, take_u16(reader));
    uint32_t len = take_u16(reader);
    kappa_str_t after = len == SAME ? before : take_bytes(reader, len);

    if (index >= 0) {
        old[index] = before;
        new[index] = after;
    }
}

/* The key's own entry is not stored: it is the key. */
static bool
key_entry(reader_t *reader, kappa_change_t *change, kappa_str_t *old,
    kappa_str_t *new)
{
    kappa_key_t entry;

    kappa_key_init(&entry);
    kappa_key_row_prefix(&entry, change->view);
    kappa_key_add_raw(&entry, change->key);
    kappa_str_t copy = kappa_str_dup(reader->arena, kappa_key_str(&entry));
    if (copy.data == NULL) {
        return false;
    }
    *old = change->existed ? copy : KAPPA_STR_NULL;
    *new = change->exists ? copy : KAPPA_STR_NULL;
    return true;
}

static bool
take_entries(reader_t *reader, kappa_change_t *change)
{
    uint32_t indexes = change->view ? change->view->index_count : 1;
    kappa_str_t *entries =
        KAPPA_NEW_ARRAY(reader->arena, kappa_str_t, (size_t)indexes * 2);
    uint32_t count = take_u16(reader);

    if (entries == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count && !reader->broken; i++) {
        take_entry(reader, change->view, entries, entries + indexes);
    }
    change->old_entries = entries;
    change->new_entries = entries + indexes;
    return change->view == NULL
        || key_entry(reader, change, entries, entries + indexes);
}

static kappa_status_t
take_change(reader_t *reader, kappa_change_t *change)
{
    change->view = view_of(reader->model, take_u16(reader));
    uint32_t flags = take_u16(reader);
    change->existed = flags & EXISTED;
    change->exists = flags & EXISTS;
    change->key = take_bytes(reader, take_u16(reader));
    if (!take_columns(reader, change) || !take_entries(reader, change)) {
        return KAPPA_NOMEM;
    }
    return reader->broken ? KAPPA_CORRUPT : KAPPA_OK;
}

/* KAPPA_DONE: each said stop. */
static kappa_status_t
tell(reader_t *reader, uint64_t seq,
    bool (*each)(void *ctx, const kappa_change_t *change), void *ctx)
{
    while (reader->rest.len > 0) {
        kappa_change_t change = { .seq = seq };

        kappa_arena_reset(reader->arena);
        kappa_status_t status = take_change(reader, &change);
        if (status != KAPPA_OK) {
            return status;
        }
        if (change.view != NULL && !each(ctx, &change)) {
            return KAPPA_DONE;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
tell_all(kappa_txn_t *txn, reader_t *reader, uint64_t after, uint64_t upto,
    bool (*each)(void *ctx, const kappa_change_t *change), void *ctx)
{
    char first[SEQ_BYTES];
    kappa_str_t key;

    write_seq(first, after + 1);
    kappa_status_t status = kappa_txn_seek(txn, KAPPA_DBI_CHANGES,
        kappa_str(first, sizeof(first)), &key, &reader->rest);
    while (status == KAPPA_OK) {
        if (key.len != SEQ_BYTES) {
            return KAPPA_CORRUPT;
        }
        if (read_seq(key) > upto) {
            return KAPPA_OK;
        }
        status = tell(reader, read_seq(key), each, ctx);
        if (status == KAPPA_OK) {
            status =
                kappa_txn_next(txn, KAPPA_DBI_CHANGES, &key, &reader->rest);
        }
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

kappa_status_t
kappa_changes_each(kappa_txn_t *txn, const kappa_model_t *model,
    uint64_t after, uint64_t upto, kappa_arena_t *arena,
    bool (*each)(void *ctx, const kappa_change_t *change), void *ctx)
{
    reader_t reader = { .model = model };
    uint64_t from;
    kappa_status_t status = kappa_meta_get(txn, META_FROM, &from);

    if (status != KAPPA_OK || after >= upto) {
        return status;
    }
    if (after < from) {
        return KAPPA_NOT_FOUND;
    }
    reader.arena = kappa_arena_create(kappa_arena_source(arena), 0);
    if (reader.arena == NULL) {
        return KAPPA_NOMEM;
    }
    status = tell_all(txn, &reader, after, upto, each, ctx);
    kappa_arena_destroy(reader.arena);
    return status;
}
