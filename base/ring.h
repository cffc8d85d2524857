#ifndef KAPPA_BASE_RING_H
#define KAPPA_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

/* A doubly linked ring that runs through the structs it links. A head is a
 * link of its own. */
typedef struct kappa_ring_s {
    struct kappa_ring_s *prev;
    struct kappa_ring_s *next;
} kappa_ring_t;

#define KAPPA_RING_OF(link, type, member)                                     \
    ((type *)((char *)(link)-offsetof(type, member)))

static inline void
kappa_ring_init(kappa_ring_t *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool
kappa_ring_empty(const kappa_ring_t *ring)
{
    return ring->next == ring;
}

/* Before head: at the ring's end. */
static inline void
kappa_ring_append(kappa_ring_t *head, kappa_ring_t *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Behind a link (or a head: at the ring's beginning). */
static inline void
kappa_ring_insert(kappa_ring_t *behind, kappa_ring_t *link)
{
    kappa_ring_append(behind->next, link);
}

/* A link that is in no ring (all zero or removed) is fine. */
static inline void
kappa_ring_remove(kappa_ring_t *link)
{
    if (link->next != NULL) {
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->prev = link->next = NULL;
    }
}

static inline bool
kappa_ring_linked(const kappa_ring_t *link)
{
    return link->next != NULL;
}

#endif
