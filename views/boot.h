#ifndef KAPPA_VIEWS_BOOT_H
#define KAPPA_VIEWS_BOOT_H

#include "base/error.h"
#include "base/status.h"

/* Whether views that are written without sync may be believed. The pages of
 * an environment outlive any process, but not the operating system: after it
 * crashed some are lost, and liblmdb aborts or loses rows silently. So each
 * generation's directory holds
 *
 *   boot   the id of the boot in which its environment was last written, and
 *          which directory that was: a copy made meanwhile is none of it
 *   clean  a mark: since it was synced, nobody wrote to the environment; and
 *          how many bytes data.mdb had
 *
 * and it is believed when `boot` is this boot or `clean` is there (DESIGN 7,
 * SEMANTICS 26), and data.mdb is not shorter than `clean` says. All calls are
 * made under the log's lock, except on a generation that nobody else has yet.
 */

/* For a new directory: written in this boot, not clean. */
kappa_status_t kappa_boot_begin(
    int dir, const char *boot_id, kappa_errors_t *errors);

kappa_status_t kappa_boot_trusted(
    int dir, const char *boot_id, bool *trusted, kappa_errors_t *errors);

/* Before the environment is written: names this boot, takes the clean mark
 * away, durably. *ours remembers that `boot` is known to name this boot;
 * start with false. Cheap when there is nothing to do. */
kappa_status_t kappa_boot_dirty(
    int dir, const char *boot_id, bool *ours, kappa_errors_t *errors);

/* After the environment (data.mdb in DIR) was synced: sets the clean mark. */
kappa_status_t kappa_boot_clean(int dir, kappa_errors_t *errors);

#endif
