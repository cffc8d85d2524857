#ifndef KAPPA_BASE_TIME_H
#define KAPPA_BASE_TIME_H

#include "base/buf.h"
#include "base/str.h"

/* Times are int64 milliseconds since 1970-01-01T00:00:00Z, proleptic
 * Gregorian, years 0000 to 9999. */

#define KAPPA_TIME_CHARS 24 /* 2026-11-20T10:25:00.000Z */

/* RFC 3339 date-time with any offset; fractions past ms are cut. Leap second
 * 60 is refused. False: not one, or a year outside 0000..9999. */
bool kappa_time_parse(kappa_str_t s, int64_t *ms);

/* Writes exactly KAPPA_TIME_CHARS bytes, no NUL. */
void kappa_time_format(int64_t ms, char out[KAPPA_TIME_CHARS]);

/* RFC 3339 full-date. */
bool kappa_date_valid(kappa_str_t s);

/* "30d", "12h", "5m", "10s", "500ms" to milliseconds; false: not one. */
bool kappa_duration_parse(kappa_str_t s, int64_t *ms);

/* Clocks; tests pass their own times instead. */
int64_t kappa_now_ms(void);       /* wall clock */
int64_t kappa_monotonic_us(void); /* for durations */

#endif
