#ifndef KAPPA_BASE_ALLOC_H
#define KAPPA_BASE_ALLOC_H

#include <stddef.h>

/* Where memory comes from. Every room takes one as a parameter; nothing but
 * kappa_alloc_libc calls malloc. A test passes one that fails on demand
 * (t/unit/alloc_failing.h). */
typedef struct kappa_alloc_s {
    void *(*alloc)(void *ctx, size_t size); /* NULL: no memory */
    void (*release)(void *ctx, void *p);    /* p may be NULL */
    void *ctx;
} kappa_alloc_t;

extern const kappa_alloc_t kappa_alloc_libc;

/* An arena: allocations that live and end together. Nothing in it is freed
 * piecewise. Not thread-safe; one thread uses an arena at a time. */
typedef struct kappa_arena_s kappa_arena_t;

/* first_bytes: size of the first block (0: 4096); blocks double up to 1 MiB.
 * NULL when out of memory. */
kappa_arena_t *kappa_arena_create(
    const kappa_alloc_t *alloc, size_t first_bytes);
void kappa_arena_destroy(kappa_arena_t *arena); /* NULL is fine */

/* Forgets all allocations, keeps the largest block for reuse. */
void kappa_arena_reset(kappa_arena_t *arena);

/* 16-byte aligned. NULL when out of memory; size 0 gives a valid pointer. */
void *kappa_arena_alloc(kappa_arena_t *arena, size_t size);
void *kappa_arena_zalloc(kappa_arena_t *arena, size_t size);

/* As kappa_arena_alloc, without alignment: for bytes. */
void *kappa_arena_bytes(kappa_arena_t *arena, size_t size);

/* Bytes obtained from the allocator and not yet given back. */
size_t kappa_arena_used(const kappa_arena_t *arena);

/* The allocator beneath. */
const kappa_alloc_t *kappa_arena_source(const kappa_arena_t *arena);

#define KAPPA_NEW(arena, type)                                                \
    ((type *)kappa_arena_zalloc(arena, sizeof(type)))
#define KAPPA_NEW_ARRAY(arena, type, n)                                       \
    ((type *)kappa_arena_zalloc(arena, sizeof(type) * (n)))

#endif
