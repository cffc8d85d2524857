#include "graphql/documents.h"

#include "base/cache.h"
#include "graphql/documents_check.h"
#include "graphql/validate.h"

#define MAX_BYTES (16U * 1024 * 1024)
#define MAX_DOCUMENT (256U * 1024)
#define MAX_TOKENS 10000
#define MAX_DEPTH 32
#define MAX_ALIASES 200
#define MAX_ROOT_FIELDS 50
#define MAX_DIRECTIVES 100
#define SCRATCH_BYTES 16384

struct kappa_documents_s {
    const kappa_alloc_t *alloc;
    const kappa_schema_t *schema;
    kappa_document_limits_t limits;
    kappa_arena_t *scratch; /* of a document being planned */
    kappa_cache_t *plans;   /* by operation name and text */
    uint64_t hits, misses;
};

static kappa_document_limits_t
with_defaults(const kappa_document_limits_t *given)
{
    kappa_document_limits_t limits = { 0 };

    if (given != NULL) {
        limits = *given;
    }
    limits.max_bytes = limits.max_bytes ? limits.max_bytes : MAX_BYTES;
    limits.max_document =
        limits.max_document ? limits.max_document : MAX_DOCUMENT;
    limits.max_tokens = limits.max_tokens ? limits.max_tokens : MAX_TOKENS;
    limits.max_depth = limits.max_depth ? limits.max_depth : MAX_DEPTH;
    limits.max_aliases = limits.max_aliases ? limits.max_aliases : MAX_ALIASES;
    limits.max_root_fields =
        limits.max_root_fields ? limits.max_root_fields : MAX_ROOT_FIELDS;
    limits.max_directives =
        limits.max_directives ? limits.max_directives : MAX_DIRECTIVES;
    return limits;
}

static void
release_plan(void *ctx, void *plan)
{
    (void)ctx;
    kappa_plan_release(plan);
}

kappa_documents_t *
kappa_documents_create(const kappa_alloc_t *alloc,
    const kappa_schema_t *schema, const kappa_document_limits_t *limits)
{
    kappa_documents_t *d = alloc->alloc(alloc->ctx, sizeof(*d));

    if (d == NULL) {
        return NULL;
    }
    *d = (kappa_documents_t){ .alloc = alloc,
        .schema = schema,
        .limits = with_defaults(limits),
        .scratch = kappa_arena_create(alloc, SCRATCH_BYTES) };
    d->plans =
        kappa_cache_create(alloc, d->limits.max_bytes, release_plan, NULL);
    if (d->plans == NULL || d->scratch == NULL) {
        kappa_documents_destroy(d);
        return NULL;
    }
    return d;
}

void
kappa_documents_destroy(kappa_documents_t *d)
{
    if (d != NULL) {
        kappa_cache_destroy(d->plans);
        kappa_arena_destroy(d->scratch);
        d->alloc->release(d->alloc->ctx, d);
    }
}

/* Keeps a plan; when it can't be, it is planned again next time. */
static void
keep(kappa_documents_t *d, const kappa_cache_key_t *key, kappa_plan_t *plan)
{
    kappa_plan_retain(plan);
    if (!kappa_cache_put(d->plans, key, plan, kappa_plan_bytes(plan))) {
        kappa_plan_release(plan);
    }
}

static kappa_status_t
make(kappa_documents_t *d, kappa_str_t text, kappa_str_t name,
    kappa_plan_t **out, kappa_errors_t *errors)
{
    kappa_parse_limits_t limits = { .max_tokens = d->limits.max_tokens };
    kappa_arena_t *lasting = errors ? errors->arena : d->scratch;
    kappa_source_t *source = KAPPA_NEW(lasting, kappa_source_t);
    kappa_document_t *document;
    kappa_status_t status;

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    *source = (kappa_source_t){ KAPPA_STR("GraphQL request"), text };
    status = kappa_parse(d->scratch, source, &limits, &document, errors);
    if (status == KAPPA_OK) {
        status =
            kappa_documents_check(d->scratch, document, &d->limits, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_validate(d->scratch, d->schema, document, errors);
    }
    return status == KAPPA_OK
        ? kappa_plan_create(d->alloc, d->schema, document, name, out, errors)
        : status;
}

kappa_status_t
kappa_documents_get(kappa_documents_t *d, kappa_str_t text,
    kappa_str_t operation_name, kappa_plan_t **out, kappa_errors_t *errors)
{
    if (text.len > d->limits.max_document) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The document has %zu bytes, past the limit of %zu.", text.len,
            d->limits.max_document);
        return KAPPA_LIMIT;
    }
    kappa_cache_key_t key = kappa_cache_key(d->plans, operation_name, text);
    kappa_plan_t *found = kappa_cache_find(d->plans, &key);
    if (found != NULL) {
        d->hits++;
        *out = kappa_plan_retain(found);
        return KAPPA_OK;
    }
    d->misses++;
    kappa_status_t status = make(d, text, operation_name, out, errors);
    kappa_arena_reset(d->scratch);
    if (status == KAPPA_OK && kappa_cache_seen(d->plans, &key)) {
        keep(d, &key, *out);
    }
    return status;
}

kappa_documents_stats_t
kappa_documents_stats(const kappa_documents_t *d)
{
    kappa_cache_stats_t kept = kappa_cache_stats(d->plans);

    return (kappa_documents_stats_t){ .hits = d->hits,
        .misses = d->misses,
        .bytes = kept.bytes,
        .count = kept.count };
}
