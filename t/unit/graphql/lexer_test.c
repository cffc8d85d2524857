#include "t/unit/test.h"

#include "graphql/lexer.h"

static kappa_arena_t *arena;

static int
setup(void **state)
{
    (void)state;
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    return arena == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    return 0;
}

/* The one token that a text holds. */
static void
reads_tokens(void **state)
{
    static const struct {
        const char *text;
        kappa_token_kind_t kind;
        const char *value; /* NULL: has none */
    } cases[] = {
        { "", KAPPA_TOKEN_EOF, NULL },
        { " \t,\r\n\xef\xbb\xbf # comment", KAPPA_TOKEN_EOF, NULL },
        { "{", KAPPA_TOKEN_BRACE_L, NULL },
        { "...", KAPPA_TOKEN_SPREAD, NULL },
        { "_a9", KAPPA_TOKEN_NAME, "_a9" },
        { "0", KAPPA_TOKEN_INT, "0" },
        { "-0", KAPPA_TOKEN_INT, "-0" },
        { "123", KAPPA_TOKEN_INT, "123" },
        { "1.5", KAPPA_TOKEN_FLOAT, "1.5" },
        { "-1e10", KAPPA_TOKEN_FLOAT, "-1e10" },
        { "0.0E+1", KAPPA_TOKEN_FLOAT, "0.0E+1" },
        { "\"\"", KAPPA_TOKEN_STRING, "" },
        { "\"plain \xc3\xa9\"", KAPPA_TOKEN_STRING, "plain \xc3\xa9" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", KAPPA_TOKEN_STRING,
            "\"\\/\b\f\n\r\t" },
        { "\"\\u00e9\\u{1F600}\\u{0}x\"", KAPPA_TOKEN_STRING, NULL },
        { "\"\\uD83D\\uDE00\"", KAPPA_TOKEN_STRING, "\xf0\x9f\x98\x80" },
        { "\"\\u{00010FFFF}\"", KAPPA_TOKEN_STRING, NULL },
        { "\"\"\"\"\"\"", KAPPA_TOKEN_BLOCK_STRING, "" },
        { "\"\"\"a\\\"\"\"b\"\"\"", KAPPA_TOKEN_BLOCK_STRING, "a\"\"\"b" },
        { "\"\"\"\n    a\n      b\n\n    c\n  \"\"\"",
            KAPPA_TOKEN_BLOCK_STRING, "a\n  b\n\nc" },
        { "\"\"\"first\r\n  second\r    third\"\"\"", KAPPA_TOKEN_BLOCK_STRING,
            "first\nsecond\n  third" },
        { "\"\"\"raw \\n \\u\"\"\"", KAPPA_TOKEN_BLOCK_STRING, "raw \\n \\u" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_source_t source = { .text = kappa_str_c(cases[i].text) };
        kappa_errors_t errors;
        kappa_lexer_t lexer;
        kappa_token_t token;

        kappa_errors_init(&errors, arena, 0);
        kappa_lexer_init(&lexer, arena, &source, &errors);
        kappa_status_t status = kappa_lexer_next(&lexer, &token);
        if (i == 16) { /* nine digits are too many */
            assert_int_equal(status, KAPPA_INVALID);
            continue;
        }
        assert_int_equal(status, KAPPA_OK);
        assert_int_equal(token.kind, cases[i].kind);
        if (i == 14) {
            assert_int_equal(token.value.len, 2 + 4 + 1 + 1);
            assert_memory_equal(
                token.value.data, "\xc3\xa9\xf0\x9f\x98\x80\0x", 8);
        } else if (cases[i].value != NULL) {
            assert_str_equal(token.value, cases[i].value);
        } else {
            assert_null(token.value.data);
        }
        assert_int_equal(kappa_lexer_next(&lexer, &token), KAPPA_OK);
        assert_int_equal(token.kind, KAPPA_TOKEN_EOF);
    }
}

/* Columns of the errors are graphql-js's. */
static void
refuses(void **state)
{
    static const struct {
        const char *text;
        unsigned column;
        const char *message;
    } cases[] = {
        { "\"\\u{110000}\"", 2,
            "Syntax Error: Invalid Unicode escape sequence: \"\\u{110\"." },
        { "\"\\uD83D\"", 2,
            "Syntax Error: Invalid Unicode escape sequence: \"\\uD83D\"." },
        { "\"\\uDE00\\uD83D\"", 2,
            "Syntax Error: Invalid Unicode escape sequence: \"\\uDE00\"." },
        { "\"\\u{}\"", 2,
            "Syntax Error: Invalid Unicode escape sequence: \"\\u{}\"\"." },
        { "\"\\x\"", 2,
            "Syntax Error: Invalid character escape sequence: \"\\x\"." },
        { "\"abc", 5, "Syntax Error: Unterminated string." },
        { "\"a\nb\"", 3, "Syntax Error: Unterminated string." },
        { "\"\"\"abc", 7, "Syntax Error: Unterminated string." },
        { "00", 2,
            "Syntax Error: Invalid number, unexpected digit after 0: \"0\"." },
        { "1.", 3,
            "Syntax Error: Invalid number, expected digit but got: <EOF>." },
        { "1e", 3,
            "Syntax Error: Invalid number, expected digit but got: <EOF>." },
        { "1a", 2,
            "Syntax Error: Invalid number, expected digit but got: \"a\"." },
        { "-\"", 2,
            "Syntax Error: Invalid number, expected digit but got: '\"'." },
        { "..", 1, "Syntax Error: Unexpected character: \".\"." },
        { "'a'", 1,
            "Syntax Error: Unexpected single quote character ('), did you "
            "mean to use a double quote (\")?" },
        { "\xf0\x9f\x98\x80", 1,
            "Syntax Error: Unexpected character: U+1F600." },
        { "\x07", 1, "Syntax Error: Unexpected character: U+0007." },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_source_t source = { .text = kappa_str_c(cases[i].text) };
        kappa_errors_t errors;
        kappa_lexer_t lexer;
        kappa_token_t token;

        kappa_errors_init(&errors, arena, 0);
        kappa_lexer_init(&lexer, arena, &source, &errors);
        assert_int_equal(kappa_lexer_next(&lexer, &token), KAPPA_INVALID);
        assert_int_equal(errors.count, 1);
        assert_str_equal(errors.first->message, cases[i].message);
        assert_int_equal(errors.first->locations[0].column, cases[i].column);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
    };

    return cmocka_run_group_tests_name("graphql/lexer", tests, NULL, NULL);
}
