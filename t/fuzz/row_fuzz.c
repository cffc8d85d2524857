#include <stdlib.h>

#include "views/key.h"
#include "views/row.h"

/* Any bytes as a stored row and as a key: what is valid can be read, part by
 * part, within its bounds; what can be read comes out the same again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
read_row(kappa_arena_t *arena, const uint8_t *row, size_t len)
{
    if (!kappa_row_valid(row, len)) {
        return;
    }
    must(kappa_row_bytes(row) == len);
    (void)kappa_row_made(row);
    for (uint32_t i = 0; i <= kappa_row_count(row); i++) {
        kappa_str_t json = kappa_row_column(row, i);

        must(json.len == 0
            || ((const uint8_t *)json.data >= row
                && (const uint8_t *)json.data + json.len <= row + len));
        for (int kind = 0; kind <= KAPPA_COLUMN_JSON; kind++) {
            kappa_value_t value;
            kappa_key_t key;

            kappa_column_value(arena, (kappa_column_kind_t)kind, json, &value);
            kappa_key_init(&key);
            kappa_key_add_json(&key, (kappa_column_kind_t)kind, json);
            must(key.len <= KAPPA_ENTRY_BYTES_MAX);
        }
    }
}

static void
read_key(kappa_arena_t *arena, kappa_column_kind_t kind, kappa_str_t bytes)
{
    kappa_value_t value;
    kappa_str_t rest = bytes;

    while (rest.len > 0) {
        kappa_str_t part = rest;
        kappa_key_t again;

        if (kappa_key_take(arena, kind, &rest, &value) != KAPPA_OK) {
            return;
        }
        must(rest.len < part.len);
        part.len -= rest.len;
        kappa_key_init(&again);
        kappa_key_add_value(&again, kind, &value);
        /* Bytes that nobody writes (true as 2, a NaN) may differ. */
        must(again.over || kind == KAPPA_COLUMN_BOOL
            || kind == KAPPA_COLUMN_DOUBLE || again.invalid
            || kappa_str_eq(kappa_key_str(&again), part));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);

    if (arena == NULL) {
        return 0;
    }
    read_row(arena, data, size);
    for (int kind = 0; kind <= KAPPA_COLUMN_JSON; kind++) {
        read_key(arena, (kappa_column_kind_t)kind,
            kappa_str((const char *)data, size));
    }
    kappa_arena_destroy(arena);
    return 0;
}
