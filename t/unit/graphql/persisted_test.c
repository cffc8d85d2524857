#include "t/unit/test.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "graphql/persisted.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/graphql/documents.h"

typedef struct {
    kappa_persisted_t *persisted;
    kappa_arena_t *arena;
    kappa_errors_t errors;
    kappa_persisted_key_t key;
    const kappa_trusted_t *trusted;
    bool trusted_only;
} world_t;

static world_t
begin(size_t max_bytes)
{
    world_t w = { .persisted =
                      kappa_persisted_create(&kappa_alloc_libc, max_bytes),
        .arena = kappa_arena_create(&kappa_alloc_libc, 0) };

    assert_non_null(w.persisted);
    assert_non_null(w.arena);
    return w;
}

static void
end(world_t *w)
{
    kappa_persisted_destroy(w->persisted);
    kappa_arena_destroy(w->arena);
}

static kappa_str_t
sha_of(kappa_arena_t *arena, const char *text)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char *hex = kappa_arena_bytes(arena, 2 * sizeof(hash) + 1);

    if (hex == NULL) {
        return KAPPA_STR_NULL;
    }
    SHA256((const unsigned char *)text, strlen(text), hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
    return kappa_str(hex, 2 * sizeof(hash));
}

static kappa_status_t
resolve_request(
    world_t *w, const kappa_persisted_request_t *request, kappa_str_t *text)
{
    kappa_errors_init(&w->errors, w->arena, 0);
    return kappa_persisted_resolve(
        w->persisted, request, w->arena, text, &w->key, &w->errors);
}

/* {persistedQuery: {version, sha256Hash}}; hash UNSET: none. */
static kappa_status_t
resolve_value(
    world_t *w, kappa_value_t version, kappa_value_t hash, kappa_str_t *text)
{
    kappa_member_t members[] = { { KAPPA_STR("version"), version },
        { KAPPA_STR("sha256Hash"), hash } };
    kappa_value_t persisted = { .kind = KAPPA_OBJECT,
        .count = hash.kind == KAPPA_UNSET ? 1 : 2,
        .as.members = members };
    kappa_member_t extension = { KAPPA_STR("persistedQuery"), persisted };
    kappa_value_t extensions = {
        .kind = KAPPA_OBJECT, .count = 1, .as.members = &extension
    };

    return resolve_request(w,
        &(kappa_persisted_request_t){ .extensions = &extensions,
            .trusted = w->trusted,
            .trusted_only = w->trusted_only },
        text);
}

static kappa_status_t
resolve(world_t *w, kappa_str_t hash, kappa_str_t *text)
{
    return resolve_value(w, kappa_int(1), kappa_string(hash), text);
}

/* As a request with hash and text does whose document is valid. */
static void
send_both(world_t *w, const char *document)
{
    kappa_str_t text = kappa_str_c(document);

    assert_int_equal(resolve(w, sha_of(w->arena, document), &text), KAPPA_OK);
    kappa_persisted_keep(w->persisted, &w->key, text);
}

static bool
knows(world_t *w, const char *document)
{
    kappa_str_t text = KAPPA_STR_NULL;
    kappa_status_t status = resolve(w, sha_of(w->arena, document), &text);

    if (status == KAPPA_OK) {
        assert_str_equal(text, document);
        assert_false(w->key.fresh);
        return true;
    }
    assert_int_equal(status, KAPPA_NOT_FOUND);
    assert_null(text.data);
    assert_string_equal(w->errors.first->code, "PERSISTED_QUERY_NOT_FOUND");
    assert_str_equal(w->errors.first->message, "PersistedQueryNotFound");
    return false;
}

static void
remembers_what_was_sent(void **state)
{
    world_t w = begin(0);
    kappa_str_t text;

    (void)state;
    assert_false(knows(&w, "{a}"));
    send_both(&w, "{a}");
    assert_true(w.key.fresh);
    assert_true(knows(&w, "{a}"));
    send_both(&w, "{a}");
    assert_false(w.key.fresh);
    assert_int_equal(kappa_persisted_stats(w.persisted).count, 1);

    /* Hexadecimal digits of any case; an empty text is none. */
    kappa_str_t hash = sha_of(w.arena, "{a}");
    for (size_t i = 0; i < hash.len; i++) {
        if (hash.data[i] >= 'a') {
            ((char *)hash.data)[i] -= 'a' - 'A';
        }
    }
    text = KAPPA_STR("");
    assert_int_equal(resolve(&w, hash, &text), KAPPA_OK);
    assert_str_equal(text, "{a}");

    /* Only what proved valid is kept. */
    text = KAPPA_STR("{b}");
    assert_int_equal(resolve(&w, sha_of(w.arena, "{b}"), &text), KAPPA_OK);
    assert_false(knows(&w, "{b}"));
    end(&w);
}

static void
leaves_other_requests_alone(void **state)
{
    world_t w = begin(0);
    kappa_member_t other = { KAPPA_STR("kappa"), kappa_null() };
    kappa_member_t null = { KAPPA_STR("persistedQuery"), kappa_null() };
    kappa_value_t extensions[] = { { 0 },
        { .kind = KAPPA_OBJECT, .count = 1, .as.members = &other },
        { .kind = KAPPA_OBJECT, .count = 1, .as.members = &null } };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        kappa_str_t text = KAPPA_STR("{a}");

        assert_int_equal(
            resolve_request(&w,
                &(kappa_persisted_request_t){ .extensions = &extensions[i] },
                &text),
            KAPPA_OK);
        assert_str_equal(text, "{a}");
        kappa_persisted_keep(w.persisted, &w.key, text);
    }
    assert_int_equal(kappa_persisted_stats(w.persisted).count, 0);
    end(&w);
}

static void
refuses_what_does_not_fit(void **state)
{
    world_t w = begin(0);
    kappa_str_t right = sha_of(w.arena, "{a}");
    struct {
        kappa_value_t version, hash;
        const char *text;
        const char *message; /* its beginning */
    } cases[] = {
        { kappa_int(1), kappa_string(right), "{b}",
            "provided sha does not match query" },
        { kappa_int(2), kappa_string(right), "{a}",
            "Unsupported persisted query version" },
        { kappa_string(KAPPA_STR("1")), kappa_string(right), "{a}",
            "Unsupported persisted query version" },
        { { 0 }, kappa_string(right), NULL,
            "Unsupported persisted query version" },
        { kappa_int(1), { 0 }, NULL, "extensions.persistedQuery.sha256Hash" },
        { kappa_int(1), kappa_int(7), NULL,
            "extensions.persistedQuery.sha256Hash" },
        { kappa_int(1), kappa_string(KAPPA_STR("")), NULL,
            "extensions.persistedQuery.sha256Hash" },
        { kappa_int(1), kappa_string(kappa_str(right.data, 63)), NULL,
            "extensions.persistedQuery.sha256Hash" },
        { kappa_int(1),
            kappa_string(kappa_str_printf(w.arena, "%.62sgg", right.data)),
            NULL, "extensions.persistedQuery.sha256Hash" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kappa_str_t text =
            cases[i].text ? kappa_str_c(cases[i].text) : KAPPA_STR_NULL;

        assert_int_equal(
            resolve_value(&w, cases[i].version, cases[i].hash, &text),
            KAPPA_INVALID);
        assert_string_equal(w.errors.first->code, "BAD_USER_INPUT");
        assert_true(kappa_str_starts_with(
            w.errors.first->message, kappa_str_c(cases[i].message)));
        assert_false(w.key.fresh);
    }
    end(&w);
}

/* A text of its own for each n, `len` bytes long. */
static const char *
nth(world_t *w, int n, size_t len)
{
    return kappa_str_printf(w->arena, "{n%0*d}", (int)len - 3, n).data;
}

static void
forgets_the_longest_unused(void **state)
{
    enum {
        MAX = 8192
    };
    world_t w = begin(MAX);

    (void)state;
    send_both(&w, nth(&w, 0, 100));
    for (int i = 1; i < 200; i++) {
        send_both(&w, nth(&w, i, 100));
        assert_true(kappa_persisted_stats(w.persisted).bytes <= MAX);
        assert_true(knows(&w, nth(&w, 0, 100))); /* as it is used */
    }
    uint32_t count = kappa_persisted_stats(w.persisted).count;
    assert_in_range(count, 30, 80);
    assert_false(knows(&w, nth(&w, 1, 100)));
    assert_false(knows(&w, nth(&w, 200 - (int)count, 100)));
    assert_true(knows(&w, nth(&w, 201 - (int)count, 100)));

    /* One that is too large takes nobody's place. */
    send_both(&w, nth(&w, 0, MAX / 8));
    assert_true(w.key.fresh);
    assert_false(knows(&w, nth(&w, 0, MAX / 8)));
    assert_int_equal(kappa_persisted_stats(w.persisted).count, count);
    end(&w);
}

/* {a} is trusted and {b} is not; it is called "A", too. */
static void
trust(world_t *w)
{
    static const char sdl[] = "type Query { a: Int b: Int }";
    kappa_trusted_t *trusted = kappa_trusted_create(w->arena);
    kappa_schema_t *schema;

    kappa_errors_init(&w->errors, w->arena, 0);
    assert_int_equal(
        build_text(w->arena, sdl, false, &schema, &w->errors), KAPPA_OK);
    assert_int_equal(kappa_trusted_add(trusted, KAPPA_STR("x.json"),
                         KAPPA_STR("{\"A\": \"{a}\"}"), &w->errors),
        KAPPA_OK);
    assert_int_equal(
        kappa_trusted_finish(trusted, schema, &w->errors), KAPPA_OK);
    w->trusted = trusted;
}

/* What a request has, and the text or the error's code that comes of it. */
typedef struct {
    const char *id;
    const char *hash_of; /* persistedQuery */
    const char *text;
    const char *open; /* result where any document is run */
    const char *only; /* … where only trusted ones are */
} naming_t;

static const naming_t namings[] = {
    { NULL, NULL, "{a}", "{a}", "{a}" },
    { NULL, NULL, "{b}", "{b}", "DOCUMENT_NOT_TRUSTED" },
    { NULL, NULL, "{a} ", "{a} ", "DOCUMENT_NOT_TRUSTED" },
    { NULL, "{a}", NULL, "{a}", "{a}" },
    { NULL, "{a}", "{a}", "{a}", "{a}" },
    { NULL, "{a}", "{b}", "BAD_USER_INPUT", "BAD_USER_INPUT" },
    { NULL, "{b}", NULL, "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED" },
    { NULL, "{b}", "{b}", "{b}", "DOCUMENT_NOT_TRUSTED" },
    { "A", NULL, NULL, "{a}", "{a}" },
    { "A", NULL, "", "{a}", "{a}" },
    { "A", NULL, "{a}", "{a}", "{a}" },
    { "A", NULL, "{b}", "BAD_USER_INPUT", "BAD_USER_INPUT" },
    { "A", "{b}", NULL, "{a}", "{a}" },
    { "B", NULL, NULL, "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED" },
    { "B", "{a}", "{a}", "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED" },
    { "", NULL, NULL, "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED" },
};

static void
check_naming(world_t *w, const naming_t *n, const char *expected)
{
    kappa_member_t members[] = { { KAPPA_STR("version"), kappa_int(1) },
        { KAPPA_STR("sha256Hash"), kappa_null() } };
    kappa_value_t persisted = {
        .kind = KAPPA_OBJECT, .count = 2, .as.members = members
    };
    kappa_member_t extension = { KAPPA_STR("persistedQuery"), persisted };
    kappa_value_t extensions = {
        .kind = KAPPA_OBJECT, .count = 1, .as.members = &extension
    };
    kappa_value_t none = { 0 };
    kappa_str_t text = kappa_str_c(n->text);

    if (n->hash_of != NULL) {
        members[1].value = kappa_string(sha_of(w->arena, n->hash_of));
    }
    kappa_status_t status = resolve_request(w,
        &(kappa_persisted_request_t){ .document_id = kappa_str_c(n->id),
            .extensions = n->hash_of ? &extensions : &none,
            .trusted = w->trusted,
            .trusted_only = w->trusted_only },
        &text);
    if (status == KAPPA_OK) {
        assert_str_equal(text, expected);
    } else {
        assert_string_equal(w->errors.first->code, expected);
    }
}

static void
knows_the_trusted_ones(void **state)
{
    world_t w = begin(0);

    (void)state;
    trust(&w);
    for (size_t i = 0; i < COUNT(namings); i++) {
        w.trusted_only = false;
        check_naming(&w, &namings[i], namings[i].open);
        w.trusted_only = true;
        check_naming(&w, &namings[i], namings[i].only);
    }
    /* Where there are none at all, none is one. */
    w.trusted = NULL;
    check_naming(&w, &namings[0], "DOCUMENT_NOT_TRUSTED");
    end(&w);
}

static kappa_status_t
try_all(const kappa_alloc_t *alloc, void *ctx)
{
    world_t w = { .persisted = kappa_persisted_create(alloc, 0),
        .arena = kappa_arena_create(alloc, 0) };
    kappa_status_t status = KAPPA_NOMEM;

    (void)ctx;
    if (w.persisted != NULL && w.arena != NULL) {
        kappa_str_t text = KAPPA_STR("{a}");
        kappa_str_t hash = sha_of(w.arena, "{a}");

        status = hash.data ? resolve(&w, hash, &text) : KAPPA_NOMEM;
        if (status == KAPPA_OK) {
            kappa_persisted_keep(w.persisted, &w.key, text);
            status = kappa_persisted_stats(w.persisted).count ? KAPPA_OK
                                                              : KAPPA_NOMEM;
        }
        text = KAPPA_STR_NULL;
        if (status == KAPPA_OK) {
            status = resolve(&w, hash, &text);
        }
    }
    kappa_persisted_destroy(w.persisted);
    kappa_arena_destroy(w.arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(try_all, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_what_was_sent),
        cmocka_unit_test(leaves_other_requests_alone),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(forgets_the_longest_unused),
        cmocka_unit_test(knows_the_trusted_ones),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
