#include "views/unfinished.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "views/about.h"
#include "views/boot.h"
#include "views/file.h"

#define BUILDING "building"
#define BUILDING_BYTES_MAX 8192
#define WAITS_S (60 * 60)

/* What goes into `building`. All that makes rows of events is in it: events
 * that were forgotten meanwhile are other events, and a strict build would
 * have stopped where another one skipped. */
static kappa_status_t
describe(kappa_store_t *store, const kappa_about_t *about, kappa_str_t text,
    kappa_buf_t *out, kappa_errors_t *errors)
{
    kappa_forgotten_t forgotten;
    kappa_status_t status =
        kappa_log_forgotten(store->log, 0, NULL, NULL, &forgotten, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_about_write(out, about, text);
    kappa_buf_printf(out, "forgotten %llu\n%s\n",
        (unsigned long long)forgotten.entries,
        store->strict ? "strict" : "skips");
    return out->failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* `about` comes before `current` names it: what serves may still have the file
 * `building`, if its builder died right then. And nothing of it was lost with
 * the system. */
static bool
is_usable(kappa_store_t *store, const kappa_generation_t *generation)
{
    bool trusted = false;

    return kappa_generation_revision(generation) == 0
        && kappa_boot_trusted(generation->dir, store->boot_id, &trusted, NULL)
        == KAPPA_OK
        && trusted;
}

/* --- going on */

typedef struct {
    kappa_store_t *store;
    int views;
    kappa_str_t wanted; /* of `building` */
    kappa_arena_t *arena;
    kappa_generation_t *found;
} search_t;

static bool
is_wanted(search_t *search, const kappa_generation_t *generation)
{
    kappa_str_t text;

    return kappa_file_read(generation->dir, BUILDING, BUILDING_BYTES_MAX,
               search->arena, &text, NULL)
        == KAPPA_OK
        && kappa_str_eq(text, search->wanted)
        && is_usable(search->store, generation);
}

static void
look(void *ctx, uint32_t number)
{
    search_t *search = ctx;
    kappa_generation_t *generation;

    if (search->found
        || kappa_generation_open(
               search->views, number, search->store->alloc, &generation, NULL)
            != KAPPA_OK) {
        return;
    }
    if (is_wanted(search, generation)) {
        search->found = generation;
    } else {
        kappa_generation_close(generation);
    }
}

static kappa_status_t
find(search_t *search, kappa_errors_t *errors)
{
    search->arena = kappa_arena_create(search->store->alloc, 0);
    if (search->arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status =
        kappa_generations_each(search->views, look, search, errors);

    kappa_arena_destroy(search->arena);
    return status;
}

/* --- beginning */

static kappa_status_t
begin_new(
    const search_t *search, kappa_generation_t **out, kappa_errors_t *errors)
{
    kappa_store_t *store = search->store;
    kappa_generation_t *generation;
    kappa_status_t status = kappa_generation_make(
        search->views, store->alloc, store->boot_id, &generation, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status =
        kappa_file_replace(generation->dir, BUILDING, search->wanted, errors);
    if (status != KAPPA_OK) {
        uint32_t number = generation->number;
        kappa_generation_close(generation);
        kappa_generation_remove(search->views, number);
        return status;
    }
    *out = generation;
    return KAPPA_OK;
}

static kappa_status_t
find_or_begin(
    search_t *search, kappa_generation_t **out, kappa_errors_t *errors)
{
    kappa_status_t status = find(search, errors);

    if (status != KAPPA_OK || search->found == NULL) {
        return status == KAPPA_OK ? begin_new(search, out, errors) : status;
    }
    status = kappa_boot_dirty(search->found->dir, search->store->boot_id,
        &search->found->boot_ours, errors);
    if (status != KAPPA_OK) {
        kappa_generation_close(search->found);
        return status;
    }
    *out = search->found;
    return KAPPA_OK;
}

kappa_status_t
kappa_unfinished_begin(kappa_store_t *store, int views,
    const kappa_about_t *about, kappa_str_t text, kappa_generation_t **out,
    kappa_errors_t *errors)
{
    search_t search = { .store = store, .views = views };
    kappa_buf_t buf;

    kappa_buf_init(&buf, store->alloc);
    kappa_status_t status = describe(store, about, text, &buf, errors);
    if (status == KAPPA_OK) {
        search.wanted = kappa_buf_view(&buf);
        status = find_or_begin(&search, out, errors);
    }
    kappa_buf_release(&buf);
    return status;
}

void
kappa_unfinished_end(const kappa_generation_t *generation)
{
    unlinkat(generation->dir, BUILDING, 0);
}

/* --- the sweep */

static bool
is_recent(int dir)
{
    struct stat st;

    return fstatat(dir, BUILDING, &st, AT_SYMLINK_NOFOLLOW) == 0
        && fstatat(dir, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == 0
        && st.st_mtime + WAITS_S > kappa_now_ms() / 1000;
}

bool
kappa_unfinished_waits(kappa_store_t *store, int views, uint32_t number)
{
    kappa_generation_t *generation;

    if (kappa_generation_open(views, number, store->alloc, &generation, NULL)
        != KAPPA_OK) {
        return false;
    }
    bool waits = is_recent(generation->dir) && is_usable(store, generation);
    kappa_generation_close(generation);
    return waits;
}
