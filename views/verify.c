#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "views/key.h"
#include "views/scratch.h"
#include "views/used_keys.h"

/* Whether the views are what the log makes them: the log is replayed into an
 * environment of its own, which is compared entry by entry with the one that
 * serves. */

#define DIFFERENCES_MAX 20

typedef struct {
    kappa_store_t *store;
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end);
    void *ctx;
    kappa_errors_t *errors;
    uint64_t end; /* of the log, when verifying began */
    kappa_scratch_t scratch;
    kappa_buf_t buf;
    uint32_t differences;
    uint64_t swept; /* idempotency keys */
} verify_t;

/* --- the log */

static void
log_progress(void *arg, uint64_t seq)
{
    verify_t *v = arg;

    if (v->progress) {
        (void)v->progress(v->ctx, seq, v->end);
    }
}

/* --- comparing */

static const kappa_view_t *
view_of_slot(const kappa_model_t *model, uint32_t slot)
{
    for (uint32_t i = 0; i < model->view_count; i++) {
        if (model->views[i]->slot == slot) {
            return model->views[i];
        }
    }
    return NULL;
}

/* "Package \"bash\"": what rows and aggregates are stored under. False: it is
 * none of a view that there is. */
static bool
name_row(verify_t *v, kappa_str_t key)
{
    const unsigned char *p = (const unsigned char *)key.data;
    const kappa_view_t *view = key.len < KAPPA_ROW_PREFIX_BYTES
        ? NULL
        : view_of_slot(
            v->scratch.served->model, (uint32_t)p[0] << 8 | (uint32_t)p[1]);
    kappa_str_t rest = kappa_str(
        key.data + KAPPA_ROW_PREFIX_BYTES, key.len - KAPPA_ROW_PREFIX_BYTES);

    if (view == NULL) {
        return false;
    }
    kappa_buf_str(&v->buf, view->name);
    for (uint32_t i = 0; i < view->key_count; i++) {
        kappa_value_t part;

        if (kappa_key_take(v->errors->arena, view->columns[view->key[i]].kind,
                &rest, &part)
            != KAPPA_OK) {
            return false;
        }
        kappa_buf_char(&v->buf, i ? ',' : ' ');
        kappa_json_value(&v->buf, &part);
    }
    return rest.len == 0;
}

#define HEX_BYTES_MAX 64

static void
name_bytes(verify_t *v, kappa_str_t key)
{
    kappa_buf_reset(&v->buf);
    KAPPA_BUF_LIT(&v->buf, "entry ");
    for (size_t i = 0; i < key.len && i < HEX_BYTES_MAX; i++) {
        kappa_buf_printf(&v->buf, "%02x", (unsigned char)key.data[i]);
    }
}

static void
say_difference(verify_t *v, kappa_dbi_t dbi, const char *name, kappa_str_t key,
    const char *what)
{
    if (++v->differences > DIFFERENCES_MAX) {
        return;
    }
    kappa_buf_reset(&v->buf);
    if ((dbi != KAPPA_DBI_ROWS && dbi != KAPPA_DBI_AGGREGATES)
        || !name_row(v, key)) {
        name_bytes(v, key);
    }
    kappa_str_t entry =
        v->buf.failed ? KAPPA_STR("an entry") : kappa_buf_view(&v->buf);
    kappa_errors_add(v->errors, "VIEWS_DIFFER", "%s, %.*s: %s", name,
        KAPPA_STR_ARG(entry), what);
}

typedef struct {
    kappa_txn_t *txn;
    kappa_str_t key, value;
    kappa_status_t status; /* DONE: past the end */
} side_t;

static void
step(side_t *side, kappa_dbi_t dbi)
{
    side->status = kappa_txn_next(side->txn, dbi, &side->key, &side->value);
}

static void
compare_entry(
    verify_t *v, kappa_dbi_t dbi, const char *name, side_t *is, side_t *must)
{
    int order = is->status == KAPPA_DONE ? 1
        : must->status == KAPPA_DONE     ? -1
                                         : kappa_str_cmp(is->key, must->key);

    if (order < 0) {
        say_difference(v, dbi, name, is->key, "the log does not make it");
        step(is, dbi);
    } else if (order > 0) {
        if (!kappa_used_keys_may_lack(dbi, must->key, must->value, v->swept)) {
            say_difference(v, dbi, name, must->key, "is missing");
        }
        step(must, dbi);
    } else {
        if (!kappa_str_eq(is->value, must->value)) {
            say_difference(v, dbi, name, is->key, "has another value");
        }
        step(is, dbi);
        step(must, dbi);
    }
}

static bool
runs(const side_t *side)
{
    return side->status == KAPPA_OK || side->status == KAPPA_DONE;
}

static kappa_status_t
compare_dbi(verify_t *v, kappa_dbi_t dbi, const char *name, kappa_txn_t *is,
    kappa_txn_t *must)
{
    side_t left = { .txn = is }, right = { .txn = must };

    left.status =
        kappa_txn_seek(is, dbi, KAPPA_STR("\0"), &left.key, &left.value);
    right.status =
        kappa_txn_seek(must, dbi, KAPPA_STR("\0"), &right.key, &right.value);
    while (runs(&left) && runs(&right)
        && (left.status == KAPPA_OK || right.status == KAPPA_OK)) {
        compare_entry(v, dbi, name, &left, &right);
    }
    return !runs(&left) ? left.status
        : !runs(&right) ? right.status
                        : KAPPA_OK;
}

static kappa_status_t
compare(verify_t *v, kappa_txn_t *is)
{
    static const struct {
        kappa_dbi_t dbi;
        const char *name;
    } dbis[] = { { KAPPA_DBI_ROWS, "rows" }, { KAPPA_DBI_INDEX, "index" },
        { KAPPA_DBI_AGGREGATES, "aggregates" },
        { KAPPA_DBI_EXTREMES, "extremes" },
        { KAPPA_DBI_IDEMPOTENCY, "idempotency" },
        { KAPPA_DBI_EXPIRIES, "expiries" }, { KAPPA_DBI_HISTORY, "history" },
        { KAPPA_DBI_COUNTS, "counts" }, { KAPPA_DBI_MADE, "made" } };
    kappa_txn_t *must;
    kappa_status_t status = kappa_meta_get(is, KAPPA_META_SWEPT, &v->swept);

    if (status == KAPPA_OK) {
        status = kappa_env_read(v->scratch.generation.env, &must);
    }

    if (status != KAPPA_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof dbis / sizeof dbis[0] && status == KAPPA_OK;
         i++) {
        status = compare_dbi(v, dbis[i].dbi, dbis[i].name, is, must);
    }
    kappa_txn_end(must);
    if (status == KAPPA_OK && v->differences) {
        kappa_errors_add(v->errors, "VIEWS_DIFFER",
            "%u entries differ; `kappa rebuild` makes the views anew",
            v->differences);
        return KAPPA_CORRUPT;
    }
    return status;
}

/* Both at one position: the last steps are made while nobody appends. */
static kappa_status_t
meet(verify_t *v, kappa_txn_t **is)
{
    kappa_store_t *store = v->store;
    uint64_t tail = 0;
    kappa_status_t status = kappa_store_lock(store, v->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_store_enter(store, &tail, v->errors);
    if (status == KAPPA_OK && store->edition != v->scratch.served) {
        kappa_errors_add(v->errors, "SCHEMA_CHANGED",
            "other views came into force; verify again");
        status = KAPPA_CONFLICT;
    }
    if (status == KAPPA_OK) {
        status = kappa_scratch_replay(&v->scratch, tail, v->errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_env_read(store->edition->generation->env, is);
    }
    kappa_store_unlock(store);
    return status;
}

/* --- */

static kappa_status_t
check_log(verify_t *v)
{
    return kappa_log_verify(v->store->log, v->end, log_progress, v, v->errors);
}

static kappa_status_t
check_views(verify_t *v)
{
    kappa_txn_t *is = NULL;
    kappa_status_t status =
        kappa_scratch_replay(&v->scratch, v->end, v->errors);

    if (status == KAPPA_OK) {
        status = meet(v, &is);
    }
    if (status == KAPPA_OK) {
        status = compare(v, is);
    }
    kappa_txn_end(is);
    return status;
}

/* What was to be forgotten may still be in the views. */
static kappa_status_t
check_forgotten(verify_t *v)
{
    kappa_forgotten_t is;
    kappa_status_t status =
        kappa_log_forgotten(v->store->log, 0, NULL, NULL, &is, v->errors);

    if (status == KAPPA_OK && is.pending > 0) {
        kappa_errors_add(v->errors, "VIEWS_DIFFER",
            "%llu events were being forgotten when that was interrupted: "
            "give `kappa forget` again",
            (unsigned long long)is.pending);
    }
    return status;
}

static kappa_status_t
verify(verify_t *v)
{
    kappa_status_t status = check_log(v);

    if (status == KAPPA_OK) {
        status = check_forgotten(v);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    status = kappa_scratch_open(
        &v->scratch, v->store, v->progress, v->ctx, v->errors);
    if (status == KAPPA_OK) {
        status = check_views(v);
    }
    kappa_scratch_close(&v->scratch);
    return status;
}

kappa_status_t
kappa_store_verify(kappa_store_t *store,
    bool (*progress)(void *ctx, uint64_t seq, uint64_t end), void *ctx,
    kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc = store->alloc;
    verify_t *v = alloc->alloc(alloc->ctx, sizeof *v);

    if (v == NULL) {
        return KAPPA_NOMEM;
    }
    memset(v, 0, sizeof *v);
    v->store = store;
    v->progress = progress;
    v->ctx = ctx;
    v->errors = errors;
    v->end = kappa_store_position(store);
    kappa_buf_init(&v->buf, alloc);

    kappa_status_t status = verify(v);
    kappa_buf_release(&v->buf);
    alloc->release(alloc->ctx, v);
    return status;
}
