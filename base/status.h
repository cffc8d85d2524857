#ifndef KAPPA_BASE_STATUS_H
#define KAPPA_BASE_STATUS_H

/* What a call returns. The result itself goes to an out-parameter; details
 * of KAPPA_INVALID, KAPPA_IO and KAPPA_CORRUPT go to the kappa_errors_t that
 * the call was given. */
typedef enum {
    KAPPA_OK = 0,
    KAPPA_AGAIN,     /* more input is needed, or nothing is there yet */
    KAPPA_DONE,      /* the end of a sequence */
    KAPPA_NOT_FOUND, /* no such thing; not an error in itself */
    KAPPA_INVALID,   /* the caller's or client's mistake */
    KAPPA_LIMIT,     /* over a configured limit */
    KAPPA_CONFLICT,  /* a compare-and-set lost: read again, decide again */
    KAPPA_BUSY,      /* somebody else holds it, or the queue is full */
    KAPPA_NOMEM,     /* the allocator said no */
    KAPPA_IO,        /* a system call failed */
    KAPPA_CORRUPT,   /* stored bytes are not what was written */
    KAPPA_UNKNOWN    /* it can't be known whether it happened */
} kappa_status_t;

#endif
