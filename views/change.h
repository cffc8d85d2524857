#ifndef KAPPA_VIEWS_CHANGE_H
#define KAPPA_VIEWS_CHANGE_H

#include "views/model.h"

/* What commits changed, and what reads depend on: how live/ finds out who
 * must hear of what, without knowing how rows are stored. Encoded keys and
 * index entries compare by memcmp. */

/* One row that one event changed. */
typedef struct {
    uint64_t seq;
    const kappa_view_t *view;
    kappa_str_t key; /* encoded */
    bool existed;
    bool exists;
    const uint64_t *columns; /* bit per view column that differs */
    /* Per index of the view the entry before and after; len 0: none. */
    const kappa_str_t *old_entries;
    const kappa_str_t *new_entries;
} kappa_change_t;

/* What a read depended on. */
typedef struct {
    const kappa_view_t *view;
    bool range;       /* false: one key; true: an index range */
    uint32_t index;   /* range: number of the index */
    kappa_str_t low;  /* key, or the range's first possible entry */
    kappa_str_t high; /* range: the first entry past it; len 0: none */
} kappa_dependency_t;

/* Collects dependencies while a plan runs; given to a snapshot. */
typedef struct {
    kappa_arena_t *arena;
    kappa_dependency_t *items;
    uint32_t count;
    uint32_t cap;
    bool overflow;    /* too many: depends on everything */
    int64_t until_ms; /* then a row that was read leaves by its keep, without
                         an event that says so; 0: none does */
} kappa_dependencies_t;

kappa_status_t kappa_dependencies_add(
    kappa_dependencies_t *deps, const kappa_dependency_t *dependency);

/* A row was read that leaves then (INT64_MAX: never). */
void kappa_dependencies_until(kappa_dependencies_t *deps, int64_t end_ms);

bool kappa_dependency_hit(
    const kappa_dependency_t *dependency, const kappa_change_t *change);

#endif
