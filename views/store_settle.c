#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "views/boot.h"
#include "views/file.h"
#include "views/store_private.h"

/* Following `current`: the generation and the schema that serve and decide
 * (SEMANTICS 21 and 27). */

int
kappa_store_views(kappa_store_t *store, kappa_errors_t *errors)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int views = openat(store->dir, "views", flags);

    if (views < 0 && errno == ENOENT && mkdirat(store->dir, "views", 0750) == 0
        && kappa_dir_sync(store->dir, errors) == KAPPA_OK) {
        views = openat(store->dir, "views", flags);
    }
    if (views < 0) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "can't open %s: %s",
            store->views_path, strerror(errno));
    }
    return views;
}

static bool
is_settled(kappa_store_t *store, int views)
{
    const kappa_edition_t *edition = store->edition;
    uint32_t number;

    return edition && kappa_current_read(views, &number, NULL) == KAPPA_OK
        && number == edition->generation->number
        && kappa_generation_there(edition->generation, views)
        && kappa_generation_revision(edition->generation)
        == edition->about.revision;
}

bool
kappa_store_unsettled(kappa_store_t *store)
{
    int views =
        openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool settled = false;

    if (views >= 0) {
        pthread_mutex_lock(&store->serving);
        settled = is_settled(store, views);
        pthread_mutex_unlock(&store->serving);
        close(views);
    }
    return !settled;
}

/* --- the offer */

void
kappa_store_end_offer(kappa_store_t *store)
{
    kappa_arena_destroy(store->offer.arena);
    pthread_mutex_lock(&store->serving);
    store->offer = (kappa_offer_t){ .arena = NULL };
    pthread_mutex_unlock(&store->serving);
}

/* Its model and memory go to an edition: from now on there is no offer. */
static kappa_offer_t
take_offer(kappa_store_t *store)
{
    kappa_offer_t offer = store->offer;

    pthread_mutex_lock(&store->serving);
    store->offer = (kappa_offer_t){ .arena = NULL };
    pthread_mutex_unlock(&store->serving);
    return offer;
}

/* --- a generation from nothing */

typedef struct {
    kappa_str_t name;
    kappa_str_t text;
    kappa_model_t *model; /* or NULL */
    kappa_arena_t *arena;
} source_t;

/* What is in force while somebody deletes views/, else what is offered, else
 * what the generation that is given up had. */
static source_t
choose_source(kappa_store_t *store, const source_t *given_up)
{
    if (store->edition) {
        return (source_t){ .name = store->edition->about.schema_name,
            .text = store->edition->text };
    }
    if (store->offer.arena) {
        kappa_offer_t offer = take_offer(store);
        return (source_t){ .name = offer.name,
            .text = offer.text,
            .model = offer.model,
            .arena = offer.arena };
    }
    return given_up ? *given_up : (source_t){ .text = KAPPA_STR_NULL };
}

static kappa_status_t
fill_generation(kappa_store_t *store, int views,
    kappa_generation_t *generation, const source_t *source,
    kappa_edition_t **edition, kappa_errors_t *errors)
{
    kappa_about_t about = { .epoch = *kappa_log_epoch(store->log),
        .revision = 1,
        .schema_name = source->name };
    kappa_status_t status = kappa_generation_attach(
        generation, store->views_path, store->map_size, errors);

    if (status != KAPPA_OK) {
        kappa_arena_destroy(source->arena);
        return status;
    }
    status = kappa_edition_make(store, generation, &about, source->text,
        source->model, source->arena, true, edition, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_generation_adopt(
        generation, &(*edition)->about, (*edition)->text, errors);
    if (status == KAPPA_OK) {
        status = kappa_current_write(views, generation->number, errors);
    }
    if (status != KAPPA_OK) {
        kappa_edition_destroy(*edition);
    }
    return status;
}

static kappa_status_t
begin_generation(kappa_store_t *store, int views, const source_t *given_up,
    kappa_errors_t *errors)
{
    source_t source = choose_source(store, given_up);
    kappa_generation_t *generation;
    kappa_edition_t *edition;

    if (source.text.data == NULL) {
        source.name = KAPPA_STR("schema.graphql");
        kappa_status_t status =
            kappa_store_kept_schema(store, &source.text, errors);
        if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
            return status;
        }
    }
    if (source.text.data == NULL) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "%s has no views yet, and no schema to make them by was given",
            store->path);
        return KAPPA_NOT_FOUND;
    }

    kappa_status_t status = kappa_generation_make(
        views, store->alloc, store->boot_id, &generation, errors);
    if (status != KAPPA_OK) {
        kappa_arena_destroy(source.arena);
        return status;
    }
    status =
        fill_generation(store, views, generation, &source, &edition, errors);
    if (status != KAPPA_OK) {
        uint32_t number = generation->number;
        kappa_generation_close(generation);
        kappa_generation_remove(views, number);
        return status;
    }
    store->ready = false;
    kappa_store_serve(store, edition);
    kappa_store_announce(store);
    kappa_store_keep_schema(store, edition->text);
    return KAPPA_OK;
}

/* --- the generation that `current` names */

static kappa_status_t
give_up(kappa_store_t *store, int views, kappa_generation_t *generation,
    const kappa_about_t *about, const char *why, kappa_errors_t *errors)
{
    uint32_t number = generation->number;
    source_t source = { .name = about->schema_name };
    kappa_status_t status = kappa_generation_schema(
        generation, about->revision, store->scratch, &source.text, errors);

    kappa_generation_close(generation);
    if (status == KAPPA_NOMEM) {
        return status;
    }
    kappa_store_say(store, false,
        "views/%04u are discarded and computed from the log again: %s", number,
        why);
    status = begin_generation(
        store, views, status == KAPPA_OK ? &source : NULL, errors);
    if (status == KAPPA_OK) {
        kappa_generation_remove(views, number);
    }
    return status;
}

/* Why not to believe it; NULL: believe it. */
static kappa_status_t
examine(kappa_store_t *store, const kappa_generation_t *generation,
    const kappa_about_t *about, const char **why, kappa_errors_t *errors)
{
    bool trusted = true;
    kappa_status_t status =
        kappa_boot_trusted(generation->dir, store->boot_id, &trusted, errors);

    *why = NULL;
    if (!kappa_epoch_eq(&about->epoch, kappa_log_epoch(store->log))) {
        *why = "they were made from another log";
    } else if (!trusted) {
        *why = "the system went down before they were on disk";
    }
    return status;
}

/* A generation that is still being filled is no answer to readers. */
static void
check_ready(kappa_store_t *store, kappa_edition_t *edition)
{
    uint64_t position = 0;

    if (kappa_edition_position(edition, &position, NULL) != KAPPA_OK
        || position + KAPPA_BEHIND_MAX < kappa_store_durable(store)) {
        store->ready = false;
    }
}

static kappa_status_t
follow_schema(kappa_store_t *store, kappa_generation_t *generation,
    const kappa_about_t *about, kappa_errors_t *errors)
{
    kappa_edition_t *edition;
    kappa_offer_t offer = { .arena = NULL };
    kappa_str_t text;
    kappa_status_t status = kappa_generation_schema(
        generation, about->revision, store->scratch, &text, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (store->offer.arena && kappa_str_eq(store->offer.text, text)) {
        offer = take_offer(store);
    }
    status = kappa_edition_make(store, generation, about, text, offer.model,
        offer.arena, false, &edition, errors);
    if (status == KAPPA_OK) {
        check_ready(store, edition);
        kappa_store_serve(store, edition);
    }
    return status;
}

/* A directory that this process did not have open. */
static kappa_status_t
follow_generation(kappa_store_t *store, int views,
    kappa_generation_t *generation, kappa_errors_t *errors)
{
    kappa_about_t about;
    const char *why = NULL;
    kappa_status_t status =
        kappa_generation_about(generation, store->scratch, &about, errors);

    if (status == KAPPA_OK) {
        status = examine(store, generation, &about, &why, errors);
    }
    if (status == KAPPA_OK && why) {
        return give_up(store, views, generation, &about, why, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_generation_attach(
            generation, store->views_path, store->map_size, errors);
    }
    if (status == KAPPA_OK) {
        status = follow_schema(store, generation, &about, errors);
    }
    if (status == KAPPA_INVALID && store->offer.arena
        && store->edition == NULL) {
        return give_up(store, views, generation, &about,
            "this version can't read their schema", errors);
    }
    if (status != KAPPA_OK) {
        kappa_generation_close(generation);
        return status;
    }
    if (store->offer.arena && store->offer.wanted) {
        kappa_store_end_offer(store);
    }
    return KAPPA_OK;
}

static kappa_status_t
follow(
    kappa_store_t *store, int views, uint32_t number, kappa_errors_t *errors)
{
    kappa_generation_t *generation =
        store->edition ? store->edition->generation : NULL;

    if (generation && generation->number == number
        && kappa_generation_there(generation, views)) {
        kappa_about_t about;
        kappa_status_t status =
            kappa_generation_about(generation, store->scratch, &about, errors);
        return status == KAPPA_OK
            ? follow_schema(store, generation, &about, errors)
            : status;
    }

    kappa_status_t status = kappa_generation_open(
        views, number, store->alloc, &generation, errors);
    if (status == KAPPA_NOT_FOUND) {
        return begin_generation(store, views, NULL, errors);
    }
    return status == KAPPA_OK
        ? follow_generation(store, views, generation, errors)
        : status;
}

static kappa_status_t
peek_into(kappa_store_t *store, kappa_generation_t *generation)
{
    kappa_about_t about;
    const char *why = NULL;
    kappa_status_t status =
        kappa_generation_about(generation, store->scratch, &about, NULL);

    if (status == KAPPA_OK) {
        status = examine(store, generation, &about, &why, NULL);
    }
    if (status == KAPPA_OK) {
        status = why ? KAPPA_BUSY
                     : kappa_generation_attach(
                         generation, store->views_path, store->map_size, NULL);
    }
    return status == KAPPA_OK ? follow_schema(store, generation, &about, NULL)
                              : status;
}

kappa_status_t
kappa_store_peek(kappa_store_t *store)
{
    kappa_generation_t *generation;
    uint32_t number;
    int views =
        openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (views < 0) {
        return KAPPA_IO;
    }
    kappa_status_t status = kappa_current_read(views, &number, NULL);
    if (status == KAPPA_OK) {
        status = kappa_generation_open(
            views, number, store->alloc, &generation, NULL);
    }
    close(views);
    if (status != KAPPA_OK) {
        return status;
    }
    status = peek_into(store, generation);
    if (status != KAPPA_OK) {
        kappa_generation_close(generation);
    }
    return status;
}

/* Nothing that `current` is about has changed since it was read. */
static bool
looks_settled(kappa_store_t *store, kappa_sight_t *sight)
{
    return store->edition
        && kappa_sight_take(
            store->dir, store->edition->generation->number, sight)
        && store->settled == store->edition
        && kappa_sight_same(sight, &store->sight);
}

kappa_status_t
kappa_store_settle(kappa_store_t *store, kappa_errors_t *errors)
{
    kappa_sight_t sight;
    uint32_t number;

    if (looks_settled(store, &sight)) {
        return KAPPA_OK;
    }
    store->settled = NULL;
    int views = kappa_store_views(store, errors);

    if (views < 0) {
        return KAPPA_IO;
    }

    kappa_status_t status = KAPPA_OK;
    if (is_settled(store, views)) {
        store->settled = store->edition;
        store->sight = sight;
    } else {
        status = kappa_current_read(views, &number, errors);
        if (status == KAPPA_OK) {
            status = follow(store, views, number, errors);
        } else if (status == KAPPA_NOT_FOUND) {
            status = begin_generation(store, views, NULL, errors);
        }
    }
    close(views);
    return status;
}

/* --- offering */

/* Another schema came: the one that was rolled back may come again. */
static void
forget_refusal(kappa_store_t *store)
{
    int views =
        openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (views >= 0) {
        (void)kappa_refused_write(views, KAPPA_STR_NULL, NULL);
        close(views);
    }
}

static kappa_status_t
adopt(kappa_store_t *store, kappa_errors_t *errors)
{
    kappa_offer_t offer = take_offer(store);
    kappa_about_t about = store->edition->about;
    kappa_generation_t *generation = store->edition->generation;
    kappa_edition_t *edition;

    about.revision++;
    about.schema_name = offer.name;
    kappa_status_t status = kappa_store_dirty(store, errors);
    if (status != KAPPA_OK) {
        kappa_arena_destroy(offer.arena);
        return status;
    }
    status = kappa_edition_make(store, generation, &about, offer.text,
        offer.model, offer.arena, true, &edition, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_generation_adopt(
        generation, &edition->about, edition->text, errors);
    if (status != KAPPA_OK) {
        pthread_mutex_lock(&store->serving);
        generation->users--;
        pthread_mutex_unlock(&store->serving);
        kappa_edition_destroy(edition);
        return status;
    }
    kappa_store_serve(store, edition);
    kappa_store_announce(store);
    kappa_store_keep_schema(store, edition->text);
    forget_refusal(store);
    return KAPPA_OK;
}

/* Whether it was rolled back, and nobody insists. */
static bool
is_refused(kappa_store_t *store, const kappa_offer_t *offer)
{
    int views = store->insist
        ? -1
        : openat(store->dir, "views", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool refused = views >= 0 && kappa_refused_is(views, offer->text);

    if (views >= 0) {
        close(views);
    }
    return refused;
}

kappa_status_t
kappa_store_offer(kappa_store_t *store, kappa_errors_t *errors)
{
    const kappa_edition_t *edition = store->edition;
    kappa_offer_t *offer = &store->offer;

    if (offer->arena == NULL) {
        return KAPPA_OK;
    }
    if (kappa_str_eq(offer->text, edition->text)) {
        kappa_store_end_offer(store);
        return KAPPA_OK;
    }
    if (is_refused(store, offer)) {
        kappa_store_say(store, true,
            "%.*s was rolled back; what serves stays. `kappa rebuild "
            "--schema` "
            "puts it in force, or change it",
            KAPPA_STR_ARG(offer->name));
        kappa_store_end_offer(store);
        return KAPPA_OK;
    }
    bool needed;
    kappa_status_t status = kappa_store_needs_build(store, &needed, errors);
    if (status != KAPPA_OK) {
        return status;
    }
    if (!needed) {
        return adopt(store, errors);
    }
    pthread_mutex_lock(&store->serving);
    offer->wanted = true;
    pthread_mutex_unlock(&store->serving);
    return KAPPA_OK;
}
