#include "live/frame.h"

kappa_frame_t *
kappa_frame_create(const kappa_alloc_t *alloc, uint64_t seq, kappa_str_t json)
{
    kappa_frame_t *frame =
        alloc->alloc(alloc->ctx, sizeof(kappa_frame_t) + json.len);

    if (frame == NULL) {
        return NULL;
    }
    char *bytes = (char *)(frame + 1);
    if (json.len) {
        memcpy(bytes, json.data, json.len);
    }
    *frame = (kappa_frame_t){
        .alloc = alloc, .refs = 1, .seq = seq, .json = { bytes, json.len }
    };
    return frame;
}

kappa_frame_t *
kappa_frame_retain(kappa_frame_t *frame)
{
    frame->refs++;
    return frame;
}

void
kappa_frame_release(kappa_frame_t *frame)
{
    if (frame != NULL && --frame->refs == 0) {
        frame->alloc->release(frame->alloc->ctx, frame);
    }
}
