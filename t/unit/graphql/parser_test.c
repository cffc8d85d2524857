#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "graphql/parser.h"
#include "t/unit/alloc_failing.h"

static const char everything[] =
    "\"q\" query Q(\"v\" $a: [Int!]! = [1] @d(x: {y: [RED, null]}), $b: T) "
    "@e { al: f(x: $a, s: \"\\u0041\", b: \"\"\"\n  t\n\"\"\") @skip(if: "
    "true) "
    "{ ...F @x ... on T @y { id } ... { id } } }\n"
    "fragment F on T @z { id }\n"
    "\"s\" schema @a { query: Q } extend schema @b { mutation: M }\n"
    "scalar S @x extend scalar S @y\n"
    "type A implements & B & C @d { \"f\" f(a: Int = 1 @x): [Int!]! @y }\n"
    "extend type A { g: Int } interface B implements C { f: Int }\n"
    "union U @x = | A | B extend union U = C enum E { A @x B }\n"
    "input I @oneOf { a: Int = 1 @x } extend input I { b: Int }\n"
    "directive @d(a: Int) repeatable on | FIELD | QUERY\n";

static kappa_status_t
parse(kappa_arena_t *arena, const char *text, kappa_errors_t *errors,
    kappa_document_t **out, const kappa_parse_limits_t *limits)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);

    if (source == NULL) {
        return KAPPA_NOMEM;
    }
    source->name = KAPPA_STR("test");
    source->text = kappa_str_c(text);
    kappa_errors_init(errors, arena, 0);
    return kappa_parse(arena, source, limits, out, errors);
}

static void
builds_the_tree(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_document_t *document;
    kappa_errors_t errors;

    (void)state;
    assert_int_equal(
        parse(arena, everything, &errors, &document, NULL), KAPPA_OK);
    assert_int_equal(document->definition_count, 15);

    const kappa_definition_t *q = document->definitions;
    assert_int_equal(q->kind, KAPPA_DEFINITION_OPERATION);
    assert_str_equal(q->description.text, "q");
    assert_str_equal(q->name.text, "Q");
    assert_int_equal(q->offset, 0);
    assert_int_equal(q->name.offset, 10);
    assert_str_equal(q->variables->description.text, "v");
    assert_int_equal(q->variables->type->kind, KAPPA_REF_NON_NULL);
    assert_int_equal(q->variables->type->of->kind, KAPPA_REF_LIST);
    assert_int_equal(q->variables->default_value->count, 1);
    assert_str_equal(q->variables->directives->name.text, "d");

    const kappa_selection_t *f = q->selections;
    assert_str_equal(f->alias.text, "al");
    assert_str_equal(f->name.text, "f");
    assert_int_equal(f->arguments->value->kind, KAPPA_LITERAL_VARIABLE);
    assert_str_equal(f->arguments->next->value->text, "A");
    assert_str_equal(f->arguments->next->next->value->text, "t");
    assert_int_equal(f->selections->kind, KAPPA_SELECTION_SPREAD);
    assert_str_equal(f->selections->next->type_condition.text, "T");
    assert_null(f->selections->next->next->type_condition.text.data);

    const kappa_definition_t *last = q;
    while (last->next != NULL) {
        last = last->next;
    }
    assert_true(last->repeatable);
    assert_str_equal(last->locations->next->name.text, "QUERY");
    kappa_arena_destroy(arena);
}

/* "" is valid; else line:column of the one error. */
static void
agrees_about_places(void **state)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        { "{a}", "" },
        { "", "1:1" },
        { "{", "1:2" },
        { "{}", "1:2" },
        { "{a", "1:3" },
        { "{a(}", "1:4" },
        { "{a()}", "1:4" },
        { "{a(x:)}", "1:6" },
        { "query Q() {a}", "1:9" },
        { "query ($x: Int = $y) {a}", "1:18" },
        { "query ($x: Int @d(a: $y)) {a}", "1:22" },
        { "fragment on on on { a }", "1:10" },
        { "fragment F { a }", "1:12" },
        { "{ ...on }", "1:9" },
        { "notanoperation Foo { a }", "1:1" },
        { "\"d\" { a }", "1:1" },
        { "\"d\" extend type A { a: Int }", "1:1" },
        { "\"d\" 1", "1:5" },
        { "type A { }", "1:10" },
        { "type A { a }", "1:12" },
        { "type A { a(): Int }", "1:12" },
        { "union U = | | A", "1:13" },
        { "enum E { true }", "1:10" },
        { "extend scalar S", "1:16" },
        { "extend type A", "1:14" },
        { "extend directive @d on FIELD", "1:8" },
        { "directive @d on INCORRECT", "1:17" },
        { "schema { query: Q, foo: F }", "1:20" },
        { "input I { a(b: Int): Int }", "1:12" },
        { "interface I implements { a: Int }", "1:24" },
        { "\xc3\xa9", "1:1" },
        { "{ a }\r\n\r\n\r {\n", "5:1" },
        { "{ a(s: \"\xf0\x9f\x98\x80\") ) }", "1:14" },
        { "{ a \xff }", "1:5" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_document_t *document;
        kappa_errors_t errors;
        char place[32] = "";
        kappa_status_t status =
            parse(arena, cases[i].text, &errors, &document, NULL);

        if (status == KAPPA_INVALID) {
            snprintf(place, sizeof(place), "%u:%u",
                errors.first->locations[0].line,
                errors.first->locations[0].column);
        }
        if (strcmp(place, cases[i].place) != 0) {
            fail_msg(
                "%s: at %s, not %s", cases[i].text, place, cases[i].place);
        }
        kappa_arena_destroy(arena);
    }
}

static char *
repeat(const char *unit, size_t n, const char *middle, const char *end)
{
    size_t size = n * (strlen(unit) + strlen(end)) + strlen(middle) + 1;
    char *text = malloc(size), *p = text;

    for (size_t i = 0; i < n; i++) {
        p = stpcpy(p, unit);
    }
    p = stpcpy(p, middle);
    for (size_t i = 0; i < n; i++) {
        p = stpcpy(p, end);
    }
    return text;
}

static void
bounds_nesting_and_tokens(void **state)
{
    static const struct {
        const char *unit, *middle, *end;
        size_t n;
        kappa_status_t status;
    } cases[] = {
        { "{a", "", "}", 199, KAPPA_OK },
        { "{a", "", "}", 201, KAPPA_LIMIT },
        { "{a", "", "}", 100000, KAPPA_LIMIT },
        { "{...", "", "}", 100000, KAPPA_LIMIT },
        { "{a(b:", "", "", 100000, KAPPA_INVALID },
        { "{a ", "", "", 100000, KAPPA_LIMIT },
    };
    const kappa_parse_limits_t tokens = { .max_tokens = 5 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_document_t *document;
        kappa_errors_t errors;
        char *text =
            repeat(cases[i].unit, cases[i].n, cases[i].middle, cases[i].end);

        assert_int_equal(
            parse(arena, text, &errors, &document, NULL), cases[i].status);
        free(text);
        kappa_arena_destroy(arena);
    }

    char *lists = repeat("[", 100000, "", "]");
    char *text = malloc(strlen(lists) + 16);
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_document_t *document;
    kappa_errors_t errors;

    sprintf(text, "{a(b:%s)}", lists);
    assert_int_equal(
        parse(arena, text, &errors, &document, NULL), KAPPA_LIMIT);
    assert_string_equal(errors.first->code, "LIMIT_EXCEEDED");
    assert_int_equal(
        parse(arena, "{a b c}", &errors, &document, &tokens), KAPPA_OK);
    assert_int_equal(
        parse(arena, "{a b c d}", &errors, &document, &tokens), KAPPA_LIMIT);
    kappa_arena_destroy(arena);
    free(text);
    free(lists);
}

static kappa_status_t
parse_everything(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_arena_t *arena = kappa_arena_create(alloc, 64);
    kappa_document_t *document;
    kappa_errors_t errors;

    (void)ctx;
    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = parse(arena, everything, &errors, &document, NULL);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_want_of_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(parse_everything, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_tree),
        cmocka_unit_test(agrees_about_places),
        cmocka_unit_test(bounds_nesting_and_tokens),
        cmocka_unit_test(survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("graphql/parser", tests, NULL, NULL);
}
