#ifndef KAPPA_BASE_CSV_H
#define KAPPA_BASE_CSV_H

#include "base/buf.h"
#include "base/status.h"

/* CSV (RFC 4180) in and out. In: bytes cut anywhere, records out one after the
 * other, in bounded memory. Lines end with LF or CRLF; a byte order mark is
 * passed by, and so are empty lines. Out: LF. An empty field that was in
 * quotes is a text, one that was not is nothing. */

#define KAPPA_CSV_RECORD_MAX (4 * 1024 * 1024) /* bytes */
#define KAPPA_CSV_FIELDS_MAX 4096

typedef struct {
    kappa_str_t text;
    bool quoted;
} kappa_csv_field_t;

typedef enum {
    KAPPA_CSV_RECORD, /* before a record */
    KAPPA_CSV_FIELD,  /* before a field */
    KAPPA_CSV_PLAIN,  /* in a field without quotes */
    KAPPA_CSV_QUOTED, /* between quotes */
    KAPPA_CSV_QUOTE   /* behind one that ends the field, or is doubled */
} kappa_csv_state_t;

typedef struct {
    const kappa_alloc_t *alloc;
    kappa_csv_state_t state;
    bool started;      /* past where a byte order mark may stand */
    uint32_t marked;   /* bytes of one that were seen */
    uint64_t line;     /* where the record begins, from 1 */
    uint64_t at;       /* the line that is read */
    size_t field;      /* where the field begins in text */
    kappa_buf_t text;  /* of the fields, one behind the other */
    kappa_buf_t marks; /* of each: where it ends, and whether in quotes */
    kappa_buf_t views; /* fields, made of both */

    /* After KAPPA_OK, until the next call: the record. */
    const kappa_csv_field_t *fields;
    uint32_t count;
    /* After KAPPA_INVALID: why `line` is wrong. */
    const char *reason;
} kappa_csv_t;

void kappa_csv_init(kappa_csv_t *csv, const kappa_alloc_t *alloc);
void kappa_csv_release(kappa_csv_t *csv);

/* Takes bytes from the front of *bytes. KAPPA_OK: a record is whole.
 * KAPPA_AGAIN: all are taken and more are wanted. KAPPA_INVALID: the record is
 * wrong, and so is all behind it. KAPPA_NOMEM. */
kappa_status_t kappa_csv_feed(kappa_csv_t *csv, kappa_str_t *bytes);

/* The input has ended. KAPPA_OK: that ended a last record; KAPPA_DONE: there
 * is none. KAPPA_INVALID. */
kappa_status_t kappa_csv_end(kappa_csv_t *csv);

/* One field, in quotes where it must be; nothing for data NULL. The comma
 * between two, and the line's end, are the caller's. */
void kappa_csv_write(kappa_buf_t *buf, kappa_str_t text);

#endif
