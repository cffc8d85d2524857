#ifndef KAPPA_LIVE_FRAME_H
#define KAPPA_LIVE_FRAME_H

#include "base/alloc.h"
#include "base/str.h"

/* One message, encoded once and shared by all who are to get it. Used on one
 * thread; counted. */
typedef struct {
    const kappa_alloc_t *alloc;
    uint32_t refs;
    uint64_t seq;     /* the position it tells */
    kappa_str_t json; /* the response: {"data":…,"extensions":…} */
} kappa_frame_t;

/* A copy of json, with one reference. NULL: no memory. */
kappa_frame_t *kappa_frame_create(
    const kappa_alloc_t *alloc, uint64_t seq, kappa_str_t json);
kappa_frame_t *kappa_frame_retain(kappa_frame_t *frame);
void kappa_frame_release(kappa_frame_t *frame); /* NULL is fine */

#endif
