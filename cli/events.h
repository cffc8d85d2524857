#ifndef KAPPA_CLI_EVENTS_H
#define KAPPA_CLI_EVENTS_H

#include "base/buf.h"
#include "log/event.h"

/* Events of a store as `kappa log` and `kappa export` are asked for them. */
typedef struct {
    const char *dir;
    const char *after; /* each of these may be NULL */
    const char *thing;
    const char *verb;
    const char *key;
    const char *limit;
} kappa_cli_events_options_t;

/* False: stop, with status 1; it has said why on stderr. */
typedef bool (*kappa_cli_event_t)(
    void *ctx, const kappa_event_t *event, const kappa_epoch_t *epoch);

/* Calls each with every event that is asked for, oldest first. The exit
 * status; what is wrong has been said on stderr. */
int kappa_cli_events(kappa_arena_t *arena,
    const kappa_cli_events_options_t *options, kappa_cli_event_t each,
    void *ctx);

/* Writes to stdout. False: said on stderr why not. */
bool kappa_cli_write(const kappa_buf_t *buf);

#endif
