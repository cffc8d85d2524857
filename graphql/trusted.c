#include "graphql/trusted.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/json.h"
#include "graphql/parser.h"
#include "graphql/validate.h"

#define CODE "BAD_USER_INPUT"
#define HASH_BYTES KAPPA_TRUSTED_HASH_BYTES
#define SCRATCH_BYTES 65536

static const kappa_str_t graphql_suffix = { ".graphql", 8 };
static const kappa_str_t json_suffix = { ".json", 5 };
static const kappa_str_t apollo = { "apollo-persisted-query-manifest", 31 };

typedef struct {
    uint8_t hash[HASH_BYTES];
    kappa_str_t id; /* that is no hash; data NULL: none */
    kappa_str_t path;
    kappa_str_t text;
} entry_t;

struct kappa_trusted_s {
    kappa_arena_t *arena;
    entry_t *entries;
    uint32_t count, cap;
    entry_t **by_hash; /* one of each text */
    uint32_t hash_count;
    entry_t **by_id;
    uint32_t id_count;
};

kappa_trusted_t *
kappa_trusted_create(kappa_arena_t *arena)
{
    kappa_trusted_t *t = KAPPA_NEW(arena, kappa_trusted_t);

    if (t != NULL) {
        t->arena = arena;
    }
    return t;
}

bool
kappa_trusted_read_hash(kappa_str_t hex, uint8_t hash[HASH_BYTES])
{
    bool ok = hex.len == 2 * HASH_BYTES;

    for (size_t i = 0; ok && i < HASH_BYTES; i++) {
        int high = kappa_hex_value(hex.data[2 * i]);
        int low = kappa_hex_value(hex.data[2 * i + 1]);

        ok = high >= 0 && low >= 0;
        hash[i] = (uint8_t)(ok ? high << 4 | low : 0);
    }
    return ok;
}

static void
hash_text(kappa_str_t text, uint8_t hash[HASH_BYTES])
{
    SHA256(
        (const unsigned char *)(text.data ? text.data : ""), text.len, hash);
}

static kappa_str_t
hex_of(kappa_arena_t *arena, const uint8_t hash[HASH_BYTES])
{
    char *hex = kappa_arena_bytes(arena, 2 * HASH_BYTES);

    if (hex != NULL) {
        kappa_hex_write(hex, hash, HASH_BYTES);
    }
    return kappa_str(hex, hex ? 2 * HASH_BYTES : 0);
}

/* --- reading files --- */

static bool
grow(kappa_trusted_t *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 64;
    entry_t *entries = KAPPA_NEW_ARRAY(t->arena, entry_t, cap);

    if (entries == NULL) {
        return false;
    }
    if (t->count > 0) {
        memcpy(entries, t->entries, sizeof(entry_t) * t->count);
    }
    t->entries = entries;
    t->cap = cap;
    return true;
}

/* id of 64 digits: the hash that the text must have. */
static kappa_status_t
add(kappa_trusted_t *t, kappa_str_t path, kappa_str_t id, kappa_str_t text,
    kappa_errors_t *errors)
{
    uint8_t claimed[HASH_BYTES];

    if (t->count == t->cap && !grow(t)) {
        return KAPPA_NOMEM;
    }
    entry_t *e = &t->entries[t->count++];
    *e = (entry_t){ .path = path, .text = text };
    hash_text(text, e->hash);
    if (!kappa_trusted_read_hash(id, claimed)) {
        e->id = id;
        return KAPPA_OK;
    }
    if (memcmp(claimed, e->hash, HASH_BYTES) == 0) {
        return KAPPA_OK;
    }
    kappa_str_t real = hex_of(t->arena, e->hash);
    kappa_errors_add(errors, CODE,
        "%.*s: the SHA-256 of the document is %.*s, not %.*s",
        KAPPA_STR_ARG(path), KAPPA_STR_ARG(kappa_errors_str(errors, real)),
        KAPPA_STR_ARG(id));
    return real.data == NULL || (errors != NULL && errors->no_memory)
        ? KAPPA_NOMEM
        : KAPPA_INVALID;
}

static kappa_status_t
refuse(kappa_errors_t *errors, kappa_str_t path, const char *why)
{
    kappa_errors_add(errors, CODE, "%.*s: %s", KAPPA_STR_ARG(path), why);
    return errors != NULL && errors->no_memory ? KAPPA_NOMEM : KAPPA_INVALID;
}

static kappa_status_t
add_from_manifest(kappa_trusted_t *t, kappa_str_t path, kappa_str_t id,
    const kappa_value_t *text, kappa_errors_t *errors)
{
    if (id.len == 0 || text == NULL || text->kind != KAPPA_STRING) {
        return refuse(
            errors, path, "each document needs an id and a text, as strings");
    }
    kappa_str_t place = kappa_str_printf(
        t->arena, "%.*s#%.*s", KAPPA_STR_ARG(path), KAPPA_STR_ARG(id));
    return place.data ? add(t, place, id, text->as.string, errors)
                      : KAPPA_NOMEM;
}

/* {"format", "version": 1, "operations": [{"id", "name", "type", "body"}]} */
static kappa_status_t
add_apollo(kappa_trusted_t *t, kappa_str_t path, const kappa_value_t *manifest,
    kappa_errors_t *errors)
{
    const kappa_value_t *version =
        kappa_value_member(manifest, KAPPA_STR("version"));
    const kappa_value_t *operations =
        kappa_value_member(manifest, KAPPA_STR("operations"));
    kappa_status_t status = KAPPA_OK;

    if (version == NULL || version->kind != KAPPA_INT
        || version->as.integer != 1 || operations == NULL
        || operations->kind != KAPPA_LIST) {
        return refuse(errors, path,
            "a manifest of Apollo's has \"version\": 1 and a list of "
            "\"operations\"");
    }
    for (uint32_t i = 0; i < operations->count && status == KAPPA_OK; i++) {
        const kappa_value_t *operation = &operations->as.items[i];
        const kappa_value_t *id =
            kappa_value_member(operation, KAPPA_STR("id"));

        status = add_from_manifest(t, path,
            id && id->kind == KAPPA_STRING ? id->as.string : KAPPA_STR_NULL,
            kappa_value_member(operation, KAPPA_STR("body")), errors);
    }
    return status;
}

static kappa_status_t
add_map(kappa_trusted_t *t, kappa_str_t path, const kappa_value_t *map,
    kappa_errors_t *errors)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < map->count && status == KAPPA_OK; i++) {
        status = add_from_manifest(t, path, map->as.members[i].name,
            &map->as.members[i].value, errors);
    }
    return status;
}

static kappa_status_t
add_manifest(kappa_trusted_t *t, kappa_str_t path, kappa_str_t bytes,
    kappa_errors_t *errors)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_value_t value;
    kappa_status_t status =
        kappa_json_parse(t->arena, bytes, &value, &message);

    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE, "%.*s: not valid JSON: %.*s",
            KAPPA_STR_ARG(path), KAPPA_STR_ARG(message));
        return errors != NULL && errors->no_memory ? KAPPA_NOMEM : status;
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (value.kind != KAPPA_OBJECT) {
        return refuse(errors, path, "a manifest is a JSON object");
    }
    const kappa_value_t *format =
        kappa_value_member(&value, KAPPA_STR("format"));
    return format != NULL && format->kind == KAPPA_STRING
            && kappa_str_eq(format->as.string, apollo)
        ? add_apollo(t, path, &value, errors)
        : add_map(t, path, &value, errors);
}

kappa_status_t
kappa_trusted_add(kappa_trusted_t *t, kappa_str_t path, kappa_str_t bytes,
    kappa_errors_t *errors)
{
    uint8_t hash[HASH_BYTES];
    kappa_str_t name = path;

    for (size_t i = path.len; i > 0; i--) {
        if (path.data[i - 1] == '/') {
            name = kappa_str(path.data + i, path.len - i);
            break;
        }
    }
    if (kappa_str_ends_with(name, json_suffix)) {
        return add_manifest(t, path, bytes, errors);
    }
    if (!kappa_str_ends_with(name, graphql_suffix)) {
        return refuse(errors, path,
            "a trusted document is called HASH.graphql, a manifest NAME.json");
    }
    name.len -= graphql_suffix.len;
    if (!kappa_trusted_read_hash(name, hash)) {
        return refuse(errors, path,
            "the name must be the SHA-256 of the document, in 64 hexadecimal "
            "digits");
    }
    return add(t, path, name, bytes, errors);
}

/* --- order --- */

static int
compare_hash(const void *a, const void *b)
{
    return memcmp((*(entry_t *const *)a)->hash, (*(entry_t *const *)b)->hash,
        HASH_BYTES);
}

static int
compare_id(const void *a, const void *b)
{
    return kappa_str_cmp(
        (*(entry_t *const *)a)->id, (*(entry_t *const *)b)->id);
}

static kappa_status_t
sort_by_hash(kappa_trusted_t *t)
{
    t->by_hash = KAPPA_NEW_ARRAY(t->arena, entry_t *, t->count + 1);
    if (t->by_hash == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        t->by_hash[i] = &t->entries[i];
    }
    qsort(t->by_hash, t->count, sizeof(entry_t *), compare_hash);
    t->hash_count = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (i == 0
            || compare_hash(&t->by_hash[i], &t->by_hash[t->hash_count - 1])
                != 0) {
            t->by_hash[t->hash_count++] = t->by_hash[i];
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
sort_by_id(kappa_trusted_t *t, kappa_errors_t *errors)
{
    t->by_id = KAPPA_NEW_ARRAY(t->arena, entry_t *, t->count + 1);
    if (t->by_id == NULL) {
        return KAPPA_NOMEM;
    }
    t->id_count = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->entries[i].id.data != NULL) {
            t->by_id[t->id_count++] = &t->entries[i];
        }
    }
    qsort(t->by_id, t->id_count, sizeof(entry_t *), compare_id);
    for (uint32_t i = 1; i < t->id_count; i++) {
        if (compare_id(&t->by_id[i], &t->by_id[i - 1]) == 0
            && compare_hash(&t->by_id[i], &t->by_id[i - 1]) != 0) {
            return refuse(
                errors, t->by_id[i]->path, "this id has another document too");
        }
    }
    return KAPPA_OK;
}

/* --- validation --- */

static kappa_status_t
validate(kappa_trusted_t *t, const entry_t *e, const kappa_schema_t *schema,
    kappa_arena_t *scratch, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(t->arena, kappa_source_t);
    kappa_document_t *document;

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    *source = (kappa_source_t){ e->path, e->text };
    kappa_status_t status =
        kappa_parse(scratch, source, NULL, &document, errors);
    return status == KAPPA_OK
        ? kappa_validate(scratch, schema, document, errors)
        : status;
}

kappa_status_t
kappa_trusted_finish(
    kappa_trusted_t *t, const kappa_schema_t *schema, kappa_errors_t *errors)
{
    kappa_status_t worst = sort_by_hash(t);

    if (worst == KAPPA_OK) {
        worst = sort_by_id(t, errors);
    }
    kappa_arena_t *scratch =
        kappa_arena_create(kappa_arena_source(t->arena), SCRATCH_BYTES);
    if (scratch == NULL) {
        return KAPPA_NOMEM;
    }
    /* Several mistakes at once, but no end without memory. */
    for (uint32_t i = 0; i < t->hash_count && worst != KAPPA_NOMEM; i++) {
        kappa_status_t status =
            validate(t, t->by_hash[i], schema, scratch, errors);

        worst = status == KAPPA_OK ? worst : status;
        kappa_arena_reset(scratch);
    }
    kappa_arena_destroy(scratch);
    return worst;
}

/* --- asking --- */

uint32_t
kappa_trusted_count(const kappa_trusted_t *t)
{
    return t->hash_count;
}

static kappa_str_t
find(const entry_t *key, entry_t *const *sorted, uint32_t count,
    int (*compare)(const void *, const void *))
{
    entry_t *const *found =
        count ? bsearch(&key, sorted, count, sizeof(key), compare) : NULL;

    return found ? (*found)->text : KAPPA_STR_NULL;
}

kappa_str_t
kappa_trusted_by_hash(const kappa_trusted_t *t, const uint8_t hash[HASH_BYTES])
{
    entry_t key = { .id = KAPPA_STR_NULL };

    if (t == NULL) {
        return KAPPA_STR_NULL;
    }
    memcpy(key.hash, hash, HASH_BYTES);
    return find(&key, t->by_hash, t->hash_count, compare_hash);
}

kappa_str_t
kappa_trusted_by_id(const kappa_trusted_t *t, kappa_str_t id)
{
    entry_t key = { .id = id };
    kappa_str_t prefix = KAPPA_STR("sha256:");

    if (t == NULL) {
        return KAPPA_STR_NULL;
    }
    if (kappa_str_starts_with(id, prefix)) {
        id = kappa_str(id.data + prefix.len, id.len - prefix.len);
    }
    if (kappa_trusted_read_hash(id, key.hash)) {
        return find(&key, t->by_hash, t->hash_count, compare_hash);
    }
    return find(&key, t->by_id, t->id_count, compare_id);
}

kappa_str_t
kappa_trusted_by_text(const kappa_trusted_t *t, kappa_str_t text)
{
    uint8_t hash[HASH_BYTES];

    hash_text(text, hash);
    return kappa_trusted_by_hash(t, hash);
}
