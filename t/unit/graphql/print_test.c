#include "t/unit/graphql/documents.h"

#include "graphql/block_string.h"
#include "graphql/print.h"
#include "graphql/print_private.h"
#include "t/unit/alloc_failing.h"

/* As graphql-js's printSchema prints it, so it must come out again. */
static const char printed[] =
    "\"\"\"The schema.\"\"\"\n"
    "schema {\n  query: Root\n  mutation: Change\n}\n\n"
    "\"\"\"Marks.\"\"\"\n"
    "directive @mark(\n  \"\"\"How much.\"\"\"\n  level: Int = 3\n) "
    "repeatable "
    "on FIELD | OBJECT\n\n"
    "\"\"\"\nSeveral\n  lines\n\"\"\"\n"
    "type Root implements A & B {\n"
    "  \"\"\"One line.\"\"\"\n"
    "  a(x: In = { n: 1, l: [ONE, null] }, s: String = \"q\\\"\\n\"): "
    "[Int!]!\n"
    "\n  \"\"\"\n  A description that is far too long to stand on one line "
    "with its quotes.\n  \"\"\"\n"
    "  b(\n    first: Int\n\n    \"\"\"Said.\"\"\"\n    x: ID\n  ): U "
    "@deprecated\n"
    "}\n\n"
    "interface A implements B {\n  a: [Int!]!\n}\n\n"
    "interface B {\n  a: [Int!]!\n}\n\n"
    "union U = Root | Change\n\n"
    "enum E {\n  ONE\n  TWO @deprecated(reason: \"of old\")\n}\n\n"
    "input In {\n  n: Int! = 2\n  l: [E]\n}\n\n"
    "input Either @oneOf {\n  a: Int\n  b: Time\n}\n\n"
    "scalar Time @specifiedBy(url: \"https://x.test/t\")\n\n"
    "type Change {\n  c(e: Either): Int\n}\n";

static void
prints_what_it_read(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_schema_t *schema;
    kappa_errors_t errors;
    kappa_buf_t buf;

    (void)state;
    /* Root lacks nothing that A and B ask for but the argument's place. */
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        build_text(arena, printed, false, &schema, &errors), KAPPA_OK);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_print_schema(&buf, schema);
    assert_str_equal(kappa_buf_view(&buf), printed);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static void
prints_strings(void **state)
{
    static const struct {
        const char *text, *printed;
    } strings[] = {
        { "", "\"\"" },
        { "plain \xc3\xa9", "\"plain \xc3\xa9\"" },
        { "\"\\\b\f\n\r\t\x01\x7f",
            "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007F\"" },
        { "\xc2\x85\xc2\xa0", "\"\\u0085\xc2\xa0\"" },
    };
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(strings); i++) {
        kappa_buf_reset(&buf);
        kappa_print_string(&buf, kappa_str_c(strings[i].text));
        assert_str_equal(kappa_buf_view(&buf), strings[i].printed);
    }
    kappa_buf_release(&buf);
}

/* What can be printed as a block string is read back as it was. */
static void
block_strings_come_back(void **state)
{
    static const struct {
        const char *text;
        bool block;
    } strings[] = {
        { "", true },
        { "line", true },
        { " indented", true },
        { "a\n  b\n\nc", true },
        { "ends with \"", true },
        { "ends with \\", true },
        { "has \"\"\" inside", true },
        { "\"\"\"", true },
        { "a\n\tb", true },
        { "\nfirst empty", false },
        { "last empty\n", false },
        { "  both\n  indented", false },
        { "carriage\rreturn", false },
        { "bell\x07", false },
        { "   ", false },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(strings); i++) {
        kappa_str_t text = kappa_str_c(strings[i].text);

        assert_int_equal(kappa_is_block_string(text), strings[i].block);
        if (!strings[i].block) {
            continue;
        }
        for (unsigned indent = 0; indent < 5; indent += 2) {
            kappa_buf_reset(&buf);
            kappa_print_block_string(&buf, text, indent);
            kappa_str_t raw = kappa_str(buf.data + 3, buf.len - 6);
            assert_str_equal(
                kappa_block_string_value(arena, raw), strings[i].text);
        }
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
}

static kappa_status_t
print_once(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, alloc);
    kappa_print_schema(&buf, ctx);
    kappa_status_t status = buf.failed ? KAPPA_NOMEM : KAPPA_OK;
    kappa_buf_release(&buf);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_schema_t *schema;
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(
        build_text(arena, printed, false, &schema, &errors), KAPPA_OK);
    kappa_alloc_failing_each(print_once, schema);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_it_read),
        cmocka_unit_test(prints_strings),
        cmocka_unit_test(block_strings_come_back),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("graphql/print", tests, NULL, NULL);
}
