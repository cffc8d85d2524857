#ifndef KAPPA_T_UNIT_LOG_FIXTURE_H
#define KAPPA_T_UNIT_LOG_FIXTURE_H

#include "log/log.h"

/* A store in a temporary directory (or on a fake disk), and events whose
 * content follows from their number, so that a reader can tell whether it
 * was given what was written. */
typedef struct {
    char store[64];
    kappa_log_options_t options;
    bool real; /* on a real file system */
} kappa_fixture_t;

/* io NULL: a directory in /tmp. Small segments. */
void kappa_fixture_make(kappa_fixture_t *f, const kappa_log_io_t *io);
void kappa_fixture_remove(kappa_fixture_t *f);
kappa_log_t *kappa_fixture_open(kappa_fixture_t *f);

/* Event number n; texts live until the next call. Their sizes differ. */
void kappa_fixture_event(uint64_t n, kappa_event_t *out);

/* Appends events expected + 1 to expected + n. */
kappa_status_t kappa_fixture_append(
    kappa_log_t *log, uint64_t expected, uint64_t n, uint64_t *tail);

/* Reads 1 to tail and asserts that each is what kappa_fixture_event makes. */
void kappa_fixture_expect(kappa_log_t *log, uint64_t tail);

/* As expect, but says how it went. */
kappa_status_t kappa_fixture_check(
    kappa_log_t *log, uint64_t tail, kappa_errors_t *errors);

#endif
