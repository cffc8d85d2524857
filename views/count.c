#include "views/count.h"

#include "views/key.h"

#define NAME_BYTES_MAX (KAPPA_ENTRY_BYTES_MAX + 1)

/* The number of fields first: a prefix of one field could look like one of
 * two. */
static kappa_str_t
name_of(char name[NAME_BYTES_MAX], kappa_str_t prefix, uint32_t fields)
{
    name[0] = (char)fields;
    memcpy(name + 1, prefix.data, prefix.len);
    return kappa_str(name, prefix.len + 1);
}

kappa_status_t
kappa_counts_get(
    kappa_txn_t *txn, kappa_str_t prefix, uint32_t fields, int64_t *count)
{
    char name[NAME_BYTES_MAX];
    kappa_str_t value;

    *count = 0;
    if (prefix.len >= NAME_BYTES_MAX) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_txn_get(
        txn, KAPPA_DBI_COUNTS, name_of(name, prefix, fields), &value);
    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    if (value.len != sizeof(*count)) {
        return KAPPA_CORRUPT;
    }
    memcpy(count, value.data, sizeof(*count));
    return KAPPA_OK;
}

/* What is down to nothing is not kept. */
static kappa_status_t
add(kappa_txn_t *txn, kappa_str_t prefix, uint32_t fields, int64_t by)
{
    char name[NAME_BYTES_MAX];
    int64_t count;
    kappa_status_t status = kappa_counts_get(txn, prefix, fields, &count);

    if (status != KAPPA_OK || prefix.len >= NAME_BYTES_MAX) {
        return status;
    }
    kappa_str_t key = name_of(name, prefix, fields);
    count += by;
    return count == 0 ? kappa_txn_del(txn, KAPPA_DBI_COUNTS, key)
                      : kappa_txn_put(txn, KAPPA_DBI_COUNTS, key,
                          kappa_str((const char *)&count, sizeof(count)));
}

/* An entry's first fields; data NULL where there is no entry. */
static kappa_str_t
prefix_of(const kappa_index_t *index, kappa_str_t entry, uint32_t fields)
{
    size_t len =
        index->number ? KAPPA_INDEX_PREFIX_BYTES : KAPPA_ROW_PREFIX_BYTES;

    if (entry.len < len) {
        return KAPPA_STR_NULL;
    }
    for (uint32_t i = 0; i < fields; i++) {
        int32_t column = kappa_index_column(index, i);

        len += kappa_key_part_len(index->view->columns[column].kind,
            kappa_str(entry.data + len, entry.len - len));
    }
    return kappa_str(entry.data, len);
}

kappa_status_t
kappa_counts_change(kappa_txn_t *txn, const kappa_index_t *index,
    kappa_str_t old, kappa_str_t new)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t n = 0; status == KAPPA_OK && index->counted >> n; n++) {
        if (!(index->counted >> n & 1)) {
            continue;
        }
        kappa_str_t from = prefix_of(index, old, n);
        kappa_str_t to = prefix_of(index, new, n);

        if (from.data && to.data && kappa_str_eq(from, to)) {
            continue;
        }
        if (from.data) {
            status = add(txn, from, n, -1);
        }
        if (status == KAPPA_OK && to.data) {
            status = add(txn, to, n, 1);
        }
    }
    return status;
}
