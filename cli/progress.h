#ifndef KAPPA_CLI_PROGRESS_H
#define KAPPA_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A bar on stderr while something long goes on, at most ten times a second;
 * nothing at all where stderr is no terminal. */
typedef struct {
    const char *what; /* "importing" */
    bool shown;       /* stderr is a terminal */
    int64_t started_us;
    int64_t drawn_us;
} kappa_progress_t;

void kappa_progress_start(kappa_progress_t *progress, const char *what);

/* done of total (0: not known), and count of things so far. */
void kappa_progress_show(
    kappa_progress_t *progress, uint64_t done, uint64_t total, uint64_t count);

/* Takes the bar away. */
void kappa_progress_end(kappa_progress_t *progress);

#endif
