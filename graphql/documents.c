#include "graphql/documents.h"

#include "base/uuid.h"
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
#define FIRST_BUCKETS 256

/* Sightings remembered; a power of two. A document's first one is a
 * fingerprint here, and costs nothing else. */
#define SIGHTINGS 4096

/* A plan takes at most this part of the cache. */
#define SHARE 8

/* Kept plans stand in two lists, each by last use: those used since they were
 * kept, and the others, which go first. So a document asked for twice and
 * never again takes no other's place for long. */
enum {
    TRIED,
    PROVEN,
    LISTS
};

typedef struct entry_s {
    uint64_t hash;
    kappa_str_t text;
    kappa_str_t name; /* data NULL: none was given */
    kappa_plan_t *plan;
    size_t bytes;
    int list;
    struct entry_s *newer, *older; /* in its list */
    struct entry_s *chain;         /* in its bucket */
} entry_t;

typedef struct {
    entry_t *newest, *oldest;
    size_t bytes;
} list_t;

struct kappa_documents_s {
    const kappa_alloc_t *alloc;
    const kappa_schema_t *schema;
    kappa_document_limits_t limits;
    kappa_arena_t *scratch; /* of a document being planned */
    entry_t **buckets;
    size_t bucket_count; /* a power of two */
    list_t lists[LISTS];
    kappa_documents_stats_t stats;
    uint64_t secret[2];
    uint64_t sightings[SIGHTINGS];
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

static void *
take(const kappa_alloc_t *alloc, size_t size)
{
    void *p = alloc->alloc(alloc->ctx, size);

    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

kappa_documents_t *
kappa_documents_create(const kappa_alloc_t *alloc,
    const kappa_schema_t *schema, const kappa_document_limits_t *limits)
{
    kappa_documents_t *d = take(alloc, sizeof(*d));

    if (d == NULL) {
        return NULL;
    }
    d->alloc = alloc;
    d->schema = schema;
    d->limits = with_defaults(limits);
    kappa_random(d->secret, sizeof(d->secret));
    d->bucket_count = FIRST_BUCKETS;
    d->buckets = take(alloc, sizeof(entry_t *) * FIRST_BUCKETS);
    d->scratch = kappa_arena_create(alloc, SCRATCH_BYTES);
    if (d->buckets == NULL || d->scratch == NULL) {
        kappa_documents_destroy(d);
        return NULL;
    }
    return d;
}

static void
unlink_entry(kappa_documents_t *d, entry_t *e)
{
    list_t *list = &d->lists[e->list];

    *(e->newer ? &e->newer->older : &list->newest) = e->older;
    *(e->older ? &e->older->newer : &list->oldest) = e->newer;
    list->bytes -= e->bytes;
}

static void
link_newest(kappa_documents_t *d, entry_t *e, int which)
{
    list_t *list = &d->lists[which];

    e->list = which;
    e->newer = NULL;
    e->older = list->newest;
    *(e->older ? &e->older->newer : &list->oldest) = e;
    list->newest = e;
    list->bytes += e->bytes;
}

static entry_t **
bucket_of(const kappa_documents_t *d, uint64_t hash)
{
    return &d->buckets[hash & (d->bucket_count - 1)];
}

static void
drop(kappa_documents_t *d, entry_t *e)
{
    entry_t **link = bucket_of(d, e->hash);

    while (*link != e) {
        link = &(*link)->chain;
    }
    *link = e->chain;
    unlink_entry(d, e);
    d->stats.bytes -= e->bytes;
    d->stats.count--;
    kappa_plan_release(e->plan);
    d->alloc->release(d->alloc->ctx, e);
}

void
kappa_documents_destroy(kappa_documents_t *d)
{
    if (d == NULL) {
        return;
    }
    for (int i = 0; i < LISTS; i++) {
        while (d->lists[i].oldest != NULL) {
            drop(d, d->lists[i].oldest);
        }
    }
    kappa_arena_destroy(d->scratch);
    d->alloc->release(d->alloc->ctx, d->buckets);
    d->alloc->release(d->alloc->ctx, d);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* A hash under the worker's secret, eight bytes a step: clients choose the
 * text, and it is computed for every request. */
static uint64_t
hash_text(const kappa_documents_t *d, uint64_t hash, kappa_str_t s)
{
    uint64_t word;
    size_t i = 0;

    for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.data + i, sizeof(word));
        hash = mix(hash ^ word ^ d->secret[0], d->secret[1] | 1);
    }
    word = 0;
    if (i < s.len) {
        memcpy(&word, s.data + i, s.len - i);
    }
    return mix(hash ^ word ^ d->secret[1], (d->secret[0] ^ s.len) | 1);
}

static bool
same_name(kappa_str_t a, kappa_str_t b)
{
    return (a.data == NULL) == (b.data == NULL) && kappa_str_eq(a, b);
}

static entry_t *
find(kappa_documents_t *d, uint64_t hash, kappa_str_t text, kappa_str_t name)
{
    for (entry_t *e = *bucket_of(d, hash); e != NULL; e = e->chain) {
        if (e->hash == hash && kappa_str_eq(e->text, text)
            && same_name(e->name, name)) {
            return e;
        }
    }
    return NULL;
}

/* A kept plan was used: it is proven. Should too many be, the one longest
 * unused is so no more. */
static void
touch(kappa_documents_t *d, entry_t *e)
{
    list_t *proven = &d->lists[PROVEN];

    unlink_entry(d, e);
    link_newest(d, e, PROVEN);
    while (
        proven->bytes > d->limits.max_bytes / 5 * 4 && proven->oldest != e) {
        entry_t *oldest = proven->oldest;

        unlink_entry(d, oldest);
        link_newest(d, oldest, TRIED);
    }
}

/* Without memory the chains just grow longer. */
static void
grow(kappa_documents_t *d)
{
    size_t count = d->bucket_count;
    entry_t **old = d->buckets, **buckets;

    if (d->stats.count < count) {
        return;
    }
    buckets = take(d->alloc, sizeof(entry_t *) * count * 2);
    if (buckets == NULL) {
        return;
    }
    d->buckets = buckets;
    d->bucket_count = count * 2;
    for (size_t i = 0; i < count; i++) {
        for (entry_t *e = old[i], *next; e != NULL; e = next) {
            next = e->chain;
            e->chain = *bucket_of(d, e->hash);
            *bucket_of(d, e->hash) = e;
        }
    }
    d->alloc->release(d->alloc->ctx, old);
}

/* Whether this is at least the second time, as far as is remembered. */
static bool
seen_before(kappa_documents_t *d, uint64_t hash)
{
    uint64_t *sighting = &d->sightings[(hash >> 32) & (SIGHTINGS - 1)];
    bool seen = *sighting == hash;

    *sighting = hash;
    return seen;
}

/* Keeps a plan; when it can't be, it is planned again next time. */
static void
keep(kappa_documents_t *d, uint64_t hash, kappa_str_t text, kappa_str_t name,
    kappa_plan_t *plan)
{
    size_t size = sizeof(entry_t) + text.len + name.len;
    size_t bytes = size + kappa_plan_bytes(plan);
    entry_t *e;
    char *p;

    if (bytes > d->limits.max_bytes / SHARE) {
        return;
    }
    e = take(d->alloc, size);
    if (e == NULL) {
        return;
    }
    while (d->stats.bytes + bytes > d->limits.max_bytes) {
        list_t *tried = &d->lists[TRIED];

        drop(d, tried->oldest ? tried->oldest : d->lists[PROVEN].oldest);
    }
    p = (char *)(e + 1);
    memcpy(p, text.data, text.len);
    if (name.len > 0) {
        memcpy(p + text.len, name.data, name.len);
    }
    *e = (entry_t){ .hash = hash,
        .text = { p, text.len },
        .name = { name.data ? p + text.len : NULL, name.len },
        .plan = kappa_plan_retain(plan),
        .bytes = bytes,
        .chain = *bucket_of(d, hash) };
    *bucket_of(d, hash) = e;
    link_newest(d, e, TRIED);
    d->stats.bytes += bytes;
    d->stats.count++;
    grow(d);
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
    uint64_t hash;
    entry_t *found;
    kappa_status_t status;

    if (text.len > d->limits.max_document) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The document has %zu bytes, past the limit of %zu.", text.len,
            d->limits.max_document);
        return KAPPA_LIMIT;
    }
    hash = hash_text(d, hash_text(d, 0, operation_name), text);
    found = find(d, hash, text, operation_name);
    if (found != NULL) {
        d->stats.hits++;
        touch(d, found);
        *out = kappa_plan_retain(found->plan);
        return KAPPA_OK;
    }
    d->stats.misses++;
    status = make(d, text, operation_name, out, errors);
    kappa_arena_reset(d->scratch);
    if (status == KAPPA_OK && seen_before(d, hash)) {
        keep(d, hash, text, operation_name, *out);
    }
    return status;
}

kappa_documents_stats_t
kappa_documents_stats(const kappa_documents_t *d)
{
    return d->stats;
}
