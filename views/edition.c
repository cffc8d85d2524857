#include "views/layout.h"
#include "views/store_private.h"

static kappa_status_t
number_model(kappa_edition_t *edition, bool write, kappa_errors_t *errors)
{
    kappa_env_t *env = edition->generation->env;
    kappa_txn_t *txn;
    kappa_status_t status =
        write ? kappa_env_write(env, &txn, errors) : kappa_env_read(env, &txn);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_layout_apply(edition->model, txn, errors);
    if (write && status == KAPPA_OK) {
        return kappa_txn_commit(txn, errors);
    }
    kappa_txn_end(txn);
    if (status == KAPPA_NOT_FOUND) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "generation %04u was not built by its schema; delete views/ and "
            "start again, the log gives them back",
            edition->generation->number);
        return KAPPA_CORRUPT;
    }
    return status;
}

/* The list may hold other errors already, or be none: the schema's are
 * counted apart. */
static kappa_status_t
load_model(kappa_edition_t *edition, kappa_errors_t *errors)
{
    kappa_errors_t found;

    kappa_errors_init(&found, errors ? errors->arena : edition->arena, 0);
    kappa_status_t status = kappa_model_load(edition->arena,
        edition->about.schema_name, edition->text, &edition->model, &found);
    if (errors && errors->first == NULL) {
        *errors = found;
    } else if (errors && found.first) {
        errors->last->next = found.first;
        errors->last = found.last;
        errors->count += found.count;
    }
    return status;
}

static kappa_status_t
fill(kappa_edition_t *edition, const kappa_about_t *about, kappa_str_t text,
    kappa_errors_t *errors)
{
    kappa_arena_t *arena = edition->arena;

    edition->about = *about;
    edition->about.schema_name = kappa_str_dup(arena, about->schema_name);
    edition->text = kappa_str_dup(arena, text);
    if (edition->about.schema_name.data == NULL
        || edition->text.data == NULL) {
        return KAPPA_NOMEM;
    }
    return edition->model ? KAPPA_OK : load_model(edition, errors);
}

static kappa_status_t
make(kappa_edition_t *edition, const kappa_about_t *about, kappa_str_t text,
    bool write, kappa_errors_t *errors)
{
    kappa_status_t status = fill(edition, about, text, errors);

    return status == KAPPA_OK ? number_model(edition, write, errors) : status;
}

kappa_status_t
kappa_edition_make(kappa_store_t *store, kappa_generation_t *generation,
    const kappa_about_t *about, kappa_str_t text, kappa_model_t *model,
    kappa_arena_t *arena, bool write, kappa_edition_t **out,
    kappa_errors_t *errors)
{
    if (arena == NULL) {
        arena = kappa_arena_create(store->alloc, 0);
    }

    kappa_edition_t *edition =
        arena ? KAPPA_NEW(arena, kappa_edition_t) : NULL;
    if (edition == NULL) {
        kappa_arena_destroy(arena);
        return KAPPA_NOMEM;
    }
    edition->arena = arena;
    edition->generation = generation;
    edition->model = model;

    kappa_status_t status = make(edition, about, text, write, errors);
    if (status == KAPPA_OK) {
        status = kappa_writer_create(
            store->alloc, generation->env, edition->model, &edition->writer);
    }
    if (status != KAPPA_OK) {
        kappa_edition_destroy(edition);
        return status;
    }
    kappa_writer_window(edition->writer, store->idempotency_window_ms);
    pthread_mutex_lock(&store->serving);
    generation->users++;
    pthread_mutex_unlock(&store->serving);
    *out = edition;
    return KAPPA_OK;
}

/* What it holds of the outside; its memory stays. */
static void
let_go(kappa_edition_t *edition)
{
    kappa_writer_destroy(edition->writer);
    kappa_log_cursor_close(edition->cursor);
    edition->writer = NULL;
    edition->cursor = NULL;
}

void
kappa_edition_destroy(kappa_edition_t *edition)
{
    let_go(edition);
    kappa_arena_destroy(edition->arena);
}

void
kappa_generation_release(kappa_generation_t *generation)
{
    if (--generation->users == 0) {
        kappa_generation_close(generation);
    }
}

void
kappa_store_serve(kappa_store_t *store, kappa_edition_t *edition)
{
    kappa_edition_t *before = store->edition;

    if (before) {
        let_go(before);
    }
    pthread_mutex_lock(&store->serving);
    edition->version = before ? before->version + 1 : 1;
    store->edition = edition;
    if (before) {
        kappa_generation_release(before->generation);
        before->generation = NULL;
        before->next = store->retired;
        store->retired = before;
    }
    pthread_mutex_unlock(&store->serving);
}
