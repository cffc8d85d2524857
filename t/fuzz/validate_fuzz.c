#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "graphql/parser.h"
#include "graphql/schema.h"
#include "graphql/validate.h"

/* Any document against one schema that has a type of every kind. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sdl[] =
    "interface N { id: ID! } interface P implements N { id: ID! n(u: "
    "Boolean): String } type D implements P & N { id: ID! n(u: Boolean): "
    "String b: Boolean! o: H t(of: T! = A, n: Int!): Int } type C implements "
    "P & N { id: ID! n(u: Boolean): String m: Int } type H { id: ID! p(f: "
    "Int = 5, w: F, i: [ID!]): [P!]! a: U } union U = C | D enum T { A B } "
    "input F { n: String a: Int = 1 f: [F!] m: M } input M { id: ID! } input "
    "O @oneOf { a: Int b: String } scalar S directive @t(n: String!) "
    "repeatable on FIELD | QUERY directive @o(n: Int) on FIELD | "
    "FRAGMENT_DEFINITION | VARIABLE_DEFINITION type Query { d: D p: P h(id: "
    "ID): H o(of: O): Int s(s: S): Int l(of: [Int!]!): Int f(x: Float, b: "
    "Boolean, s: String, i: Int, t: T): Int n: N u: U } type Mutation { a(n: "
    "Int): Int } type Subscription { a: Int b: Int }";

static kappa_schema_t *schema;

static void
build_schema(void)
{
    static kappa_source_t source = { .name = { "schema", 6 },
        .text = { sdl, sizeof(sdl) - 1 } };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_document_t *document;
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_parse(arena, &source, NULL, &document, &errors) != KAPPA_OK
        || kappa_schema_build(arena, &document, 1, &schema, &errors)
            != KAPPA_OK) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_source_t source = { .name = KAPPA_STR("fuzz"),
        .text = { (const char *)data, size } };
    kappa_document_t *document;
    kappa_errors_t errors;

    if (schema == NULL) {
        build_schema();
    }
    kappa_errors_init(&errors, arena, 0);
    if (kappa_parse(arena, &source, NULL, &document, &errors) == KAPPA_OK) {
        kappa_status_t status =
            kappa_validate(arena, schema, document, &errors);
        assert((status == KAPPA_OK) == (errors.count == 0));
    }
    kappa_arena_destroy(arena);
    return 0;
}
