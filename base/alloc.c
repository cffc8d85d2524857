#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096
#define BLOCK_BYTES_MAX (1024 * 1024)
#define ALIGNMENT 16

typedef struct block_s {
    struct block_s *next;
    size_t size; /* of the whole block */
} block_t;

struct kappa_arena_s {
    const kappa_alloc_t *source;
    block_t *blocks; /* the newest first */
    char *pos;
    char *end;
    size_t next_bytes;
    size_t used;
};

static void *
libc_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size ? size : 1);
}

static void
libc_release(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

const kappa_alloc_t kappa_alloc_libc = { libc_alloc, libc_release, NULL };

static size_t
header_bytes(void)
{
    return (sizeof(block_t) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static int
add_block(kappa_arena_t *arena, size_t need)
{
    size_t size = arena->next_bytes;

    if (need > SIZE_MAX - header_bytes()) {
        return 0;
    }
    if (size < need + header_bytes()) {
        size = need + header_bytes();
    } else if (arena->next_bytes < BLOCK_BYTES_MAX) {
        arena->next_bytes *= 2;
    }

    block_t *block = arena->source->alloc(arena->source->ctx, size);
    if (block == NULL) {
        return 0;
    }
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used += size;
    arena->pos = (char *)block + header_bytes();
    arena->end = (char *)block + size;
    return 1;
}

kappa_arena_t *
kappa_arena_create(const kappa_alloc_t *alloc, size_t first_bytes)
{
    kappa_arena_t *arena = alloc->alloc(alloc->ctx, sizeof(kappa_arena_t));

    if (arena == NULL) {
        return NULL;
    }
    memset(arena, 0, sizeof(*arena));
    arena->source = alloc;
    arena->next_bytes = first_bytes ? first_bytes : FIRST_BYTES;
    return arena;
}

static void
release_blocks(kappa_arena_t *arena, block_t *block)
{
    while (block != NULL) {
        block_t *next = block->next;

        arena->used -= block->size;
        arena->source->release(arena->source->ctx, block);
        block = next;
    }
}

void
kappa_arena_destroy(kappa_arena_t *arena)
{
    if (arena == NULL) {
        return;
    }
    release_blocks(arena, arena->blocks);
    arena->source->release(arena->source->ctx, arena);
}

void
kappa_arena_reset(kappa_arena_t *arena)
{
    block_t *largest = arena->blocks;

    if (largest == NULL) {
        return;
    }
    for (block_t *b = largest; b != NULL; b = b->next) {
        if (b->size > largest->size && b->size <= BLOCK_BYTES_MAX) {
            largest = b;
        }
    }
    for (block_t **link = &arena->blocks; *link != NULL;
         link = &(*link)->next) {
        if (*link == largest) {
            *link = largest->next;
            break;
        }
    }
    release_blocks(arena, arena->blocks);
    largest->next = NULL;
    arena->blocks = largest;
    arena->pos = (char *)largest + header_bytes();
    arena->end = (char *)largest + largest->size;
}

static void *
take(kappa_arena_t *arena, size_t size, size_t alignment)
{
    uintptr_t mask = alignment - 1;
    char *start = (char *)(((uintptr_t)arena->pos + mask) & ~mask);

    if (arena->pos == NULL || start > arena->end
        || size > (size_t)(arena->end - start)) {
        if (!add_block(arena, size)) {
            return NULL;
        }
        start = arena->pos;
    }
    arena->pos = start + size;
    return start;
}

void *
kappa_arena_alloc(kappa_arena_t *arena, size_t size)
{
    return take(arena, size, ALIGNMENT);
}

void *
kappa_arena_zalloc(kappa_arena_t *arena, size_t size)
{
    void *p = take(arena, size, ALIGNMENT);

    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void *
kappa_arena_bytes(kappa_arena_t *arena, size_t size)
{
    return take(arena, size, 1);
}

size_t
kappa_arena_used(const kappa_arena_t *arena)
{
    return arena->used;
}

const kappa_alloc_t *
kappa_arena_source(const kappa_arena_t *arena)
{
    return arena->source;
}
