#include "t/unit/test.h"

#include <openssl/sha.h>

#include "graphql/trusted.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/graphql/documents.h"

static const char sdl[] = "type Query { a: Int b: Int }";

typedef struct {
    kappa_arena_t *arena;
    kappa_trusted_t *trusted;
    kappa_schema_t *schema;
    kappa_errors_t errors;
    char hash_a[65], hash_b[65];
} world_t;

static void
hex(const char *text, char out[65])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, strlen(text), hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    }
}

static world_t
begin(void)
{
    world_t w = { .arena = kappa_arena_create(&kappa_alloc_libc, 0) };

    assert_non_null(w.arena);
    kappa_errors_init(&w.errors, w.arena, 0);
    assert_int_equal(
        build_text(w.arena, sdl, false, &w.schema, &w.errors), KAPPA_OK);
    w.trusted = kappa_trusted_create(w.arena);
    assert_non_null(w.trusted);
    hex("{a}", w.hash_a);
    hex("{b}", w.hash_b);
    return w;
}

static void
end(world_t *w)
{
    kappa_arena_destroy(w->arena);
}

/* %A and %B stand for the hashes of {a} and {b}. */
static kappa_str_t
fill(world_t *w, const char *format)
{
    char out[2048];
    size_t n = 0;

    for (const char *p = format; *p != '\0'; p++) {
        if (p[0] == '%' && (p[1] == 'A' || p[1] == 'B')) {
            memcpy(out + n, *++p == 'A' ? w->hash_a : w->hash_b, 64);
            n += 64;
        } else {
            out[n++] = *p;
        }
    }
    return kappa_str_dup(w->arena, kappa_str(out, n));
}

static kappa_status_t
add(world_t *w, const char *path, const char *bytes)
{
    return kappa_trusted_add(
        w->trusted, fill(w, path), fill(w, bytes), &w->errors);
}

static kappa_status_t
finish(world_t *w)
{
    return kappa_trusted_finish(w->trusted, w->schema, &w->errors);
}

#define APOLLO(operations)                                                    \
    "{\"format\": \"apollo-persisted-query-manifest\", \"version\": 1, "      \
    "\"operations\": " operations "}"

/* A file, the id asked for, and the document that it names. */
static const struct {
    const char *path, *bytes, *id, *text;
} found[] = {
    { "/d/%A.graphql", "{a}", "%A", "{a}" },
    { "/d/%A.graphql", "{a}", "sha256:%A", "{a}" },
    { "/d/%A.graphql", "{a}", "%B", NULL },
    { "/d/%A.graphql", "{a}", "sha256:%B", NULL },
    { "/d/%A.graphql", "{a}", "", NULL },
    { "m.json",
        APOLLO("[{\"id\": \"%A\", \"name\": \"A\", \"type\": "
               "\"query\", \"body\": \"{a}\"}]"),
        "%A", "{a}" },
    { "m.json", APOLLO("[{\"id\": \"one\", \"body\": \"{a}\"}]"), "one",
        "{a}" },
    { "m.json", APOLLO("[{\"id\": \"one\", \"body\": \"{a}\"}]"), "%A",
        "{a}" },
    { "m.json", APOLLO("[]"), "%A", NULL },
    { "m.json", "{\"%A\": \"{a}\", \"%B\": \"{b}\"}", "%B", "{b}" },
    { "m.json", "{\"2e4d1b1b7e8a4fd0\": \"{b}\"}", "2e4d1b1b7e8a4fd0", "{b}" },
    { "m.json", "{\"x\": \"{b}\", \"y\": \"{b}\"}", "y", "{b}" },
    { "m.json", "{\"x\": \"{b}\", \"y\": \"{b}\"}", "X", NULL },
    { "m.json", "{}", "x", NULL },
};

static void
finds_by_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(found); i++) {
        world_t w = begin();

        assert_int_equal(add(&w, found[i].path, found[i].bytes), KAPPA_OK);
        assert_int_equal(finish(&w), KAPPA_OK);
        kappa_str_t text =
            kappa_trusted_by_id(w.trusted, fill(&w, found[i].id));
        if (found[i].text != NULL) {
            assert_str_equal(text, found[i].text);
        } else {
            assert_null(text.data);
        }
        end(&w);
    }
    assert_null(kappa_trusted_by_id(NULL, KAPPA_STR("x")).data);
}

static void
finds_by_hash_and_text(void **state)
{
    world_t w = begin();
    uint8_t hash[KAPPA_TRUSTED_HASH_BYTES];

    (void)state;
    assert_int_equal(add(&w, "%A.graphql", "{a}"), KAPPA_OK);
    assert_int_equal(
        add(&w, "m.json", "{\"%A\": \"{a}\", \"b\": \"{b}\"}"), KAPPA_OK);
    assert_int_equal(finish(&w), KAPPA_OK);
    assert_int_equal(kappa_trusted_count(w.trusted), 2);
    assert_true(kappa_trusted_read_hash(kappa_str_c(w.hash_b), hash));
    assert_str_equal(kappa_trusted_by_hash(w.trusted, hash), "{b}");
    hash[31] ^= 1;
    assert_null(kappa_trusted_by_hash(w.trusted, hash).data);
    assert_null(kappa_trusted_by_hash(NULL, hash).data);
    assert_str_equal(
        kappa_trusted_by_text(w.trusted, KAPPA_STR("{a}")), "{a}");
    assert_null(kappa_trusted_by_text(w.trusted, KAPPA_STR("{a} ")).data);
    assert_null(kappa_trusted_by_text(w.trusted, KAPPA_STR_NULL).data);
    assert_null(kappa_trusted_by_text(NULL, KAPPA_STR("{a}")).data);
    end(&w);
}

/* A file, and what is said of it. */
static const struct {
    const char *path, *bytes, *message;
} refused[] = {
    { "/d/%A.graphql", "{b}",
        "/d/%A.graphql: the SHA-256 of the document is %B, not %A" },
    { "/d/%A.graphql", "{a}\n", "/d/%A.graphql: the SHA-256 of the document" },
    { "query.graphql", "{a}", "query.graphql: the name must be the SHA-256" },
    { ".graphql", "{a}", ".graphql: the name must be the SHA-256" },
    { "%A", "{a}", "%A: a trusted document is called HASH.graphql" },
    { "README.md", "", "README.md: a trusted document is called" },
    { "m.json", "", "m.json: not valid JSON" },
    { "m.json", "{", "m.json: not valid JSON" },
    { "m.json", "[]", "m.json: a manifest is a JSON object" },
    { "m.json", "{\"x\": 1}", "m.json: each document needs an id and a text" },
    { "m.json", "{\"\": \"{a}\"}", "m.json: each document needs" },
    { "m.json", "{\"%A\": \"{b}\"}",
        "m.json#%A: the SHA-256 of the document is %B, not %A" },
    { "m.json", "{\"format\": \"apollo-persisted-query-manifest\"}",
        "m.json: a manifest of Apollo's has \"version\": 1" },
    { "m.json",
        "{\"format\": \"apollo-persisted-query-manifest\", \"version\": 2, "
        "\"operations\": []}",
        "m.json: a manifest of Apollo's has \"version\": 1" },
    { "m.json", APOLLO("{}"), "m.json: a manifest of Apollo's has" },
    { "m.json", APOLLO("[7]"), "m.json: each document needs" },
    { "m.json", APOLLO("[{\"id\": \"x\"}]"), "m.json: each document needs" },
    { "m.json", APOLLO("[{\"body\": \"{a}\"}]"),
        "m.json: each document needs" },
};

static void
refuses_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        world_t w = begin();

        assert_int_equal(
            add(&w, refused[i].path, refused[i].bytes), KAPPA_INVALID);
        assert_int_equal(w.errors.count, 1);
        if (!kappa_str_starts_with(
                w.errors.first->message, fill(&w, refused[i].message))) {
            fail_msg("%.*s", KAPPA_STR_ARG(w.errors.first->message));
        }
        end(&w);
    }
}

static void
refuses_two_texts_of_an_id(void **state)
{
    world_t w = begin();

    (void)state;
    assert_int_equal(add(&w, "1.json", "{\"x\": \"{a}\"}"), KAPPA_OK);
    assert_int_equal(add(&w, "2.json", "{\"x\": \"{b}\"}"), KAPPA_OK);
    assert_int_equal(finish(&w), KAPPA_INVALID);
    assert_non_null(strstr(w.errors.first->message.data,
        ".json#x: this id has another document too"));
    end(&w);
}

static void
validates(void **state)
{
    world_t w = begin();
    const kappa_error_t *e;

    (void)state;
    assert_int_equal(
        add(&w, "m.json", "{\"x\": \"{a\\n c}\", \"y\": \"{\"}"), KAPPA_OK);
    assert_int_equal(finish(&w), KAPPA_INVALID);
    assert_int_equal(w.errors.count, 2);
    for (e = w.errors.first; e != NULL; e = e->next) {
        bool x = strcmp(e->code, "VALIDATION_FAILED") == 0;

        assert_str_equal(
            e->locations[0].source->name, x ? "m.json#x" : "m.json#y");
        assert_int_equal(e->locations[0].line, x ? 2 : 1);
        assert_int_equal(e->locations[0].column, 2);
    }
    end(&w);
}

static kappa_status_t
try_all(const kappa_alloc_t *alloc, void *ctx)
{
    world_t *outer = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_trusted_t *trusted = arena ? kappa_trusted_create(arena) : NULL;
    kappa_status_t status = KAPPA_NOMEM;
    kappa_errors_t errors;

    if (trusted != NULL) {
        kappa_errors_init(&errors, arena, 0);
        status = kappa_trusted_add(
            trusted, fill(outer, "%A.graphql"), KAPPA_STR("{a}"), &errors);
        if (status == KAPPA_OK) {
            status = kappa_trusted_add(trusted, KAPPA_STR("m.json"),
                KAPPA_STR("{\"x\": \"{b}\", \"y\": \"{a}\"}"), &errors);
        }
        if (status == KAPPA_OK) {
            status = kappa_trusted_finish(trusted, outer->schema, &errors);
        }
    }
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    world_t w = begin();

    (void)state;
    kappa_alloc_failing_each(try_all, &w);
    end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_id),
        cmocka_unit_test(finds_by_hash_and_text),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(refuses_two_texts_of_an_id),
        cmocka_unit_test(validates),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
