#ifndef KAPPA_VIEWS_RUNS_H
#define KAPPA_VIEWS_RUNS_H

#include "base/alloc.h"
#include "base/str.h"

/* Where entries that were read one behind the other lately lie in the map, and
 * the rows they stand for: a page that is asked for again is neither sought
 * nor stepped through, nor are its rows looked up.
 *
 * As in views/hot.h, nothing is copied but where a run begins, and what was
 * found in a snapshot is used by transactions on that very one. Of bounded
 * size; one thread at a time. */
typedef struct kappa_runs_s kappa_runs_t;

typedef struct {
    const char *entry;
    const char *row;
    uint32_t entry_len;
    uint32_t row_len;
    uint32_t key_at; /* the row's key, within entry */
    uint16_t key_len;
    bool known; /* row and key are set */
} kappa_run_entry_t;

#define KAPPA_RUN_ENTRIES 24
#define KAPPA_RUN_FROM_BYTES 96

typedef struct {
    uint8_t dbi;
    bool backwards;
    bool ended; /* nothing is behind the last one */
    uint8_t from_len;
    uint32_t count;
    kappa_run_entry_t entries[KAPPA_RUN_ENTRIES];
    char from[KAPPA_RUN_FROM_BYTES];
} kappa_run_t;

/* NULL: no memory. */
kappa_runs_t *kappa_runs_create(const kappa_alloc_t *alloc);
/* NULL is fine. */
void kappa_runs_destroy(kappa_runs_t *runs, const kappa_alloc_t *alloc);

/* The run that begins where a seek to `from` goes (backwards: with the last
 * entry before it): as far as it was read, perhaps not at all; what is read
 * behind it is to be added. It stays until the next call. NULL: from is too
 * long to be kept. */
kappa_run_t *kappa_runs_at(kappa_runs_t *runs, uint64_t snapshot, uint8_t dbi,
    bool backwards, kappa_str_t from);

#endif
