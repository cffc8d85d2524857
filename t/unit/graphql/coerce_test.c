#include "graphql/coerce.h"

#include "base/json.h"
#include "graphql/parser.h"
#include "t/unit/alloc_failing.h"
#include "t/unit/test.h"

/* Types are made by hand; each case names one by its place in the table. */

static kappa_type_t type_int = {
    .kind = KAPPA_TYPE_SCALAR, .name = { "Int", 3 }, .scalar = KAPPA_SCALAR_INT
};
static kappa_type_t type_float = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "Float", 5 },
    .scalar = KAPPA_SCALAR_FLOAT };
static kappa_type_t type_string = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "String", 6 },
    .scalar = KAPPA_SCALAR_STRING };
static kappa_type_t type_boolean = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "Boolean", 7 },
    .scalar = KAPPA_SCALAR_BOOLEAN };
static kappa_type_t type_id = {
    .kind = KAPPA_TYPE_SCALAR, .name = { "ID", 2 }, .scalar = KAPPA_SCALAR_ID
};
static kappa_type_t type_datetime = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "DateTime", 8 },
    .scalar = KAPPA_SCALAR_DATETIME };
static kappa_type_t type_date = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "Date", 4 },
    .scalar = KAPPA_SCALAR_DATE };
static kappa_type_t type_bigint = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "BigInt", 6 },
    .scalar = KAPPA_SCALAR_BIGINT };
static kappa_type_t type_uuid = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "UUID", 4 },
    .scalar = KAPPA_SCALAR_UUID };
static kappa_type_t type_json = { .kind = KAPPA_TYPE_SCALAR,
    .name = { "JSON", 4 },
    .scalar = KAPPA_SCALAR_JSON };

static kappa_enum_value_t color_values[] = { { .name = { "RED", 3 } },
    { .name = { "GREEN", 5 } } };
static kappa_type_t type_color = { .kind = KAPPA_TYPE_ENUM,
    .name = { "Color", 5 },
    .values = color_values,
    .value_count = 2 };

#define REF(n)                                                                \
    {                                                                         \
        .kind = KAPPA_REF_NAMED, .named = &type_##n                           \
    }
static kappa_type_ref_t ref_int = REF(int), ref_float = REF(float),
                        ref_string = REF(string), ref_boolean = REF(boolean),
                        ref_id = REF(id), ref_datetime = REF(datetime),
                        ref_date = REF(date), ref_bigint = REF(bigint),
                        ref_uuid = REF(uuid), ref_json = REF(json),
                        ref_color = REF(color);
static kappa_type_ref_t int_non_null = { KAPPA_REF_NON_NULL, &ref_int,
    &type_int };
static kappa_type_ref_t ints = { KAPPA_REF_LIST, &ref_int, &type_int };
static kappa_type_ref_t ints_non_null = { KAPPA_REF_LIST, &int_non_null,
    &type_int };
static kappa_type_ref_t matrix = { KAPPA_REF_LIST, &ints, &type_int };

static kappa_type_t type_filter, type_choice;
static kappa_type_ref_t ref_filter = REF(filter), ref_choice = REF(choice);
static kappa_input_t filter_inputs[] = {
    { .name = { "name", 4 }, .type = &ref_string },
    { .name = { "limit", 5 },
        .type = &int_non_null,
        .default_value = { .kind = KAPPA_INT, .as.integer = 10 } },
    { .name = { "need", 4 }, .type = &int_non_null },
    { .name = { "sub", 3 }, .type = &ref_filter },
    { .name = { "secret", 6 }, .type = &int_non_null, .hidden = true },
};
static kappa_input_t choice_inputs[] = {
    { .name = { "a", 1 }, .type = &ref_int },
    { .name = { "b", 1 }, .type = &ref_string },
};
static kappa_type_t type_filter = { .kind = KAPPA_TYPE_INPUT_OBJECT,
    .name = { "Filter", 6 },
    .inputs = filter_inputs,
    .input_count = 5 };
static kappa_type_t type_choice = { .kind = KAPPA_TYPE_INPUT_OBJECT,
    .name = { "Choice", 6 },
    .inputs = choice_inputs,
    .input_count = 2,
    .one_of = true };

static kappa_arena_t *lasting, *arena;

static int
set_up(void **state)
{
    (void)state;
    lasting = kappa_arena_create(&kappa_alloc_libc, 0);
    arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_map_init(&type_color.value_map, lasting);
    kappa_map_init(&type_filter.input_map, lasting);
    kappa_map_init(&type_choice.input_map, lasting);
    for (size_t i = 0; i < COUNT(color_values); i++) {
        kappa_map_put(
            &type_color.value_map, color_values[i].name, &color_values[i]);
    }
    for (size_t i = 0; i < COUNT(filter_inputs); i++) {
        kappa_map_put(
            &type_filter.input_map, filter_inputs[i].name, &filter_inputs[i]);
    }
    for (size_t i = 0; i < COUNT(choice_inputs); i++) {
        kappa_map_put(
            &type_choice.input_map, choice_inputs[i].name, &choice_inputs[i]);
    }
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    kappa_arena_destroy(arena);
    kappa_arena_destroy(lasting);
    return 0;
}

typedef struct {
    const kappa_type_ref_t *type;
    const char *in;
    kappa_kind_t kind;    /* of what comes out; UNSET: it is refused */
    const char *expected; /* as JSON; or the messages, '|' between */
} case_t;

#define REFUSED KAPPA_UNSET
#define BAD(value) "x got invalid value " value "; "

static const case_t values[] = {
    { &ref_int, "7", KAPPA_INT, "7" },
    { &ref_int, "7.0", KAPPA_INT, "7" },
    { &ref_int, "-2147483648", KAPPA_INT, "-2147483648" },
    { &ref_int, "null", KAPPA_NULL, "null" },
    { &ref_int, "2147483648", REFUSED,
        BAD("2147483648") "Int cannot represent non 32-bit signed integer "
                          "value: 2147483648" },
    { &ref_int, "1.5", REFUSED,
        BAD("1.5") "Int cannot represent non-integer value: 1.5" },
    { &ref_int, "\"1\"", REFUSED,
        BAD("\"1\"") "Int cannot represent non-integer value: \"1\"" },
    { &ref_int, "[1]", REFUSED,
        BAD("a list of 1") "Int cannot represent non-integer value: a list of "
                           "1" },
    { &ref_float, "1", KAPPA_DOUBLE, "1" },
    { &ref_float, "-2.5e3", KAPPA_DOUBLE, "-2500" },
    { &ref_float, "\"1\"", REFUSED,
        BAD("\"1\"") "Float cannot represent non numeric value: \"1\"" },
    { &ref_string, "\"\\u00e9\"", KAPPA_STRING, "\"é\"" },
    { &ref_string, "1", REFUSED,
        BAD("1") "String cannot represent a non string value: 1" },
    { &ref_boolean, "true", KAPPA_BOOL, "true" },
    { &ref_boolean, "0", REFUSED,
        BAD("0") "Boolean cannot represent a non boolean value: 0" },
    { &ref_id, "\"a\"", KAPPA_STRING, "\"a\"" },
    { &ref_id, "-5", KAPPA_STRING, "\"-5\"" },
    { &ref_id, "9007199254740993", KAPPA_STRING, "\"9007199254740993\"" },
    { &ref_id, "1.5", REFUSED,
        BAD("1.5") "ID cannot represent a non-string and non-integer value: "
                   "1.5" },
    { &ref_bigint, "\"-9223372036854775808\"", KAPPA_BIGINT,
        "\"-9223372036854775808\"" },
    { &ref_bigint, "5", KAPPA_BIGINT, "\"5\"" },
    { &ref_bigint, "\"5.5\"", REFUSED,
        BAD("\"5.5\"") "BigInt takes a 64-bit integer, or a string of one, "
                       "not: \"5.5\"" },
    { &ref_bigint, "\"9223372036854775808\"", REFUSED,
        BAD("\"9223372036854775808\"") "BigInt takes a 64-bit integer, or a "
                                       "string of one, not: "
                                       "\"9223372036854775808\"" },
    { &ref_datetime, "\"2026-11-20T12:25:00.1239+02:00\"", KAPPA_TIME,
        "\"2026-11-20T10:25:00.123Z\"" },
    { &ref_datetime, "\"2026-11-20\"", REFUSED,
        BAD("\"2026-11-20\"") "DateTime takes a time like "
                              "\"2026-11-20T10:25:00Z\" (RFC 3339), not: "
                              "\"2026-11-20\"" },
    { &ref_datetime, "5", REFUSED,
        BAD("5") "DateTime takes a time like \"2026-11-20T10:25:00Z\" "
                 "(RFC 3339), not: 5" },
    { &ref_date, "\"2024-02-29\"", KAPPA_STRING, "\"2024-02-29\"" },
    { &ref_date, "\"2026-02-29\"", REFUSED,
        BAD("\"2026-02-29\"") "Date takes a date like \"2026-11-20\", not: "
                              "\"2026-02-29\"" },
    { &ref_uuid, "\"01938A3E-7B52-7C1E-8D5A-0123456789AB\"", KAPPA_STRING,
        "\"01938a3e-7b52-7c1e-8d5a-0123456789ab\"" },
    { &ref_uuid, "\"01938a3e\"", REFUSED,
        BAD("\"01938a3e\"") "UUID takes one like "
                            "\"01938a3e-7b52-7c1e-8d5a-0123456789ab\", not: "
                            "\"01938a3e\"" },
    { &ref_json, "{\"a\":[1,{}]}", KAPPA_OBJECT, "{\"a\":[1,{}]}" },
    { &ref_color, "\"GREEN\"", KAPPA_STRING, "\"GREEN\"" },
    { &ref_color, "\"GREN\"", REFUSED,
        BAD("\"GREN\"") "The value does not exist in enum \"Color\". Did you "
                        "mean the enum value \"GREEN\" or \"RED\"?" },
    { &ref_color, "1", REFUSED,
        BAD("1") "Enum \"Color\" cannot represent a value that is not a "
                 "string." },
    { &int_non_null, "null", REFUSED,
        BAD("null") "Expected non-nullable type \"Int!\" not to be null." },
    { &ints, "[1,null,3]", KAPPA_LIST, "[1,null,3]" },
    { &ints, "1", KAPPA_LIST, "[1]" },
    { &ints, "null", KAPPA_NULL, "null" },
    { &matrix, "1", KAPPA_LIST, "[[1]]" },
    { &matrix, "[1,[2,3],null]", KAPPA_LIST, "[[1],[2,3],null]" },
    { &ints_non_null, "[1,null,\"x\"]", REFUSED,
        "x got invalid value null at \"[1]\"; Expected non-nullable type "
        "\"Int!\" not to be null.|x got invalid value \"x\" at \"[2]\"; Int "
        "cannot represent non-integer value: \"x\"" },
    { &ref_filter, "{\"need\":1,\"name\":null}", KAPPA_OBJECT,
        "{\"name\":null,\"limit\":10,\"need\":1}" },
    { &ref_filter, "{\"sub\":{\"need\":\"x\"},\"need\":1}", REFUSED,
        "x got invalid value \"x\" at \"sub.need\"; Int cannot represent "
        "non-integer value: \"x\"" },
    { &ref_filter, "{\"need\":1,\"lmit\":2}", REFUSED,
        BAD("{ need, lmit }") "Field \"lmit\" is not defined by type "
                              "\"Filter\". Did you mean \"limit\"?" },
    { &ref_filter, "{\"need\":1,\"secret\":2}", REFUSED,
        BAD("{ need, secret }") "Field \"secret\" is not defined by type "
                                "\"Filter\"." },
    { &ref_filter, "{}", REFUSED,
        BAD("{  }") "Field \"need\" of required type \"Int!\" was not "
                    "provided." },
    { &ref_filter, "{\"need\":1,\"limit\":null}", REFUSED,
        "x got invalid value null at \"limit\"; Expected non-nullable type "
        "\"Int!\" not to be null." },
    { &ref_filter, "5", REFUSED,
        BAD("5") "Expected type \"Filter\" to be an object." },
    { &ref_choice, "{\"a\":1}", KAPPA_OBJECT, "{\"a\":1}" },
    { &ref_choice, "{\"a\":1,\"b\":null}", REFUSED,
        BAD("{ a, b }") "Exactly one key must be specified for OneOf type "
                        "\"Choice\"." },
    { &ref_choice, "{}", REFUSED,
        BAD("{  }") "Exactly one key must be specified for OneOf type "
                    "\"Choice\"." },
    { &ref_choice, "{\"a\":null}", REFUSED,
        BAD("{ a }") "Field \"a\" must be non-null." },
};

static const case_t literals[] = {
    { &ref_int, "-7", KAPPA_INT, "-7" },
    { &ref_int, "7.0", REFUSED,
        "Int cannot represent non-integer value: 7.0" },
    { &ref_int, "2147483648", REFUSED,
        "Int cannot represent non 32-bit signed integer value: 2147483648" },
    { &ref_int, "99999999999999999999", REFUSED,
        "Int cannot represent non 32-bit signed integer value: "
        "99999999999999999999" },
    { &ref_int, "\"7\"", REFUSED,
        "Int cannot represent non-integer value: \"7\"" },
    { &ref_float, "7", KAPPA_DOUBLE, "7" },
    { &ref_float, "1e400", REFUSED,
        "Float cannot represent a number so large: 1e400" },
    { &ref_float, "12345678901234567890123", KAPPA_DOUBLE,
        "1.2345678901234568e+22" },
    { &ref_string, "\"a\\nb\"", KAPPA_STRING, "\"a\\nb\"" },
    { &ref_string, "\"\"\"\n  a\n    b\n\"\"\"", KAPPA_STRING, "\"a\\n  b\"" },
    { &ref_string, "RED", REFUSED,
        "String cannot represent a non string value: RED" },
    { &ref_boolean, "false", KAPPA_BOOL, "false" },
    { &ref_id, "007x", REFUSED, NULL },
    { &ref_id, "99999999999999999999", KAPPA_STRING,
        "\"99999999999999999999\"" },
    { &ref_id, "1.5", REFUSED,
        "ID cannot represent a non-string and non-integer value: 1.5" },
    { &ref_bigint, "9223372036854775807", KAPPA_BIGINT,
        "\"9223372036854775807\"" },
    { &ref_bigint, "9223372036854775808", REFUSED,
        "BigInt takes a 64-bit integer, or a string of one, not: "
        "9223372036854775808" },
    { &ref_datetime, "\"1970-01-01T00:00:00Z\"", KAPPA_TIME,
        "\"1970-01-01T00:00:00.000Z\"" },
    { &ref_json, "{a: [1, 1.5, \"x\", E, true, null], b: {}}", KAPPA_OBJECT,
        "{\"a\":[1,1.5,\"x\",\"E\",true,null],\"b\":{}}" },
    { &ref_json, "99999999999999999999", KAPPA_DOUBLE, "1e+20" },
    { &ref_color, "RED", KAPPA_STRING, "\"RED\"" },
    { &ref_color, "REDD", REFUSED,
        "Value \"REDD\" does not exist in \"Color\" enum. Did you mean the "
        "enum value \"RED\"?" },
    { &ref_color, "\"RED\"", REFUSED,
        "Value \"RED\" is not a name of enum \"Color\". Did you mean the enum "
        "value \"RED\"?" },
    { &int_non_null, "null", REFUSED,
        "Expected value of type \"Int!\", found null." },
    { &matrix, "[1, [2, null], null]", KAPPA_LIST, "[[1],[2,null],null]" },
    { &ints_non_null, "[1, null, X]", REFUSED,
        "Expected value of type \"Int!\", found null.|Int cannot represent "
        "non-integer value: X" },
    { &ref_filter, "{need: 1, sub: {need: 2, limit: 3}}", KAPPA_OBJECT,
        "{\"limit\":10,\"need\":1,\"sub\":{\"limit\":3,\"need\":2}}" },
    { &ref_filter, "{sub: {need: 2}}", REFUSED,
        "Field \"need\" of required type \"Int!\" was not provided." },
    { &ref_filter, "{need: 1, nam: 2, secret: 3}", REFUSED,
        "Field \"nam\" is not defined by type \"Filter\". Did you mean "
        "\"name\"?|Field \"secret\" is not defined by type \"Filter\"." },
    { &ref_filter, "[{need: 1}]", REFUSED,
        "Expected value of type \"Filter\", found [{need: 1}]." },
    { &ref_choice, "{b: \"x\"}", KAPPA_OBJECT, "{\"b\":\"x\"}" },
    { &ref_choice, "{a: 1, b: \"x\"}", REFUSED,
        "OneOf Input Object \"Choice\" must specify exactly one key." },
    { &ref_choice, "{a: null}", REFUSED,
        "Field \"Choice.a\" must be non-null." },
    { &ref_int, "$x", REFUSED, "Unexpected variable \"$x\"." },
    { &ref_json, "[$x]", REFUSED, "Unexpected variable \"$x\"." },
};

/* The argument of `{ f(x: TEXT) }`; NULL: it can't be parsed. */
static kappa_literal_t *
parse_literal(kappa_arena_t *own, const char *text, kappa_source_t *source)
{
    kappa_document_t *document;

    source->name = KAPPA_STR("test");
    source->text = kappa_str_printf(lasting, "{ f(x: %s) }", text);
    return kappa_parse(own, source, NULL, &document, NULL) == KAPPA_OK
        ? document->definitions->selections->arguments->value
        : NULL;
}

static kappa_status_t
coerce_value(kappa_arena_t *own, const case_t *c, kappa_value_t *out,
    kappa_errors_t *errors)
{
    kappa_value_t in;
    kappa_str_t message;
    kappa_status_t status =
        kappa_json_parse(own, kappa_str_c(c->in), &in, &message);

    return status == KAPPA_OK
        ? kappa_coerce_value(own, &in, c->type, KAPPA_STR("x"), out, errors)
        : status;
}

static kappa_status_t
coerce_literal(kappa_arena_t *own, const case_t *c, kappa_value_t *out,
    kappa_errors_t *errors)
{
    static kappa_source_t source;
    kappa_literal_t *literal = parse_literal(lasting, c->in, &source);

    return literal == NULL
        ? KAPPA_INVALID
        : kappa_coerce_literal(own, literal, c->type, out, errors, &source);
}

typedef kappa_status_t (*coerce_t)(kappa_arena_t *own, const case_t *c,
    kappa_value_t *out, kappa_errors_t *errors);

static void
check(const case_t *c, coerce_t coerce)
{
    kappa_value_t out = { 0 };
    kappa_errors_t errors;
    kappa_status_t status;
    kappa_buf_t shown;

    kappa_arena_reset(arena);
    kappa_errors_init(&errors, arena, 0);
    kappa_buf_init(&shown, &kappa_alloc_libc);
    status = coerce(arena, c, &out, &errors);
    if (status == KAPPA_OK) {
        kappa_json_value(&shown, &out);
    }
    for (kappa_error_t *e = errors.first; e != NULL; e = e->next) {
        kappa_buf_str(&shown, e->message);
        if (e->next != NULL) {
            kappa_buf_char(&shown, '|');
        }
    }
    if (status != (c->kind == REFUSED ? KAPPA_INVALID : KAPPA_OK)
        || out.kind != c->kind
        || (c->expected != NULL
            && !kappa_str_eq_c(kappa_buf_view(&shown), c->expected))) {
        fail_msg("%s: status %d, kind %d: %.*s\n is not\n%s", c->in, status,
            out.kind, KAPPA_STR_ARG(kappa_buf_view(&shown)), c->expected);
    }
    kappa_buf_release(&shown);
}

static void
coerces_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        check(&values[i], coerce_value);
    }
}

static void
coerces_literals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(literals); i++) {
        check(&literals[i], coerce_literal);
    }
}

static void
shows_where_a_literal_is_wrong(void **state)
{
    static kappa_source_t source;
    kappa_literal_t *literal =
        parse_literal(lasting, "{need: 1,\n sub: {nope: 2}}", &source);
    kappa_errors_t errors;
    kappa_value_t out;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_coerce_literal(
                         arena, literal, &ref_filter, &out, &errors, &source),
        KAPPA_INVALID);
    assert_int_equal(errors.count, 2);
    assert_int_equal(errors.first->locations->line, 2); /* needs `need` */
    assert_int_equal(errors.first->locations->column, 7);
    assert_int_equal(errors.last->locations->column, 8); /* has `nope` */
    assert_string_equal(errors.first->code, "VALIDATION_FAILED");
}

static const struct {
    const kappa_type_ref_t *type;
    const char *literal;
    const char *expected; /* NULL: refused */
} with_variables[] = {
    /* $set is 5, $null null, $none absent */
    { &ints, "[$set, $null, $none]", "[5,null,null]" },
    { &ints_non_null, "[$set]", "[5]" },
    { &ints_non_null, "[$none]", NULL },
    { &ints_non_null, "[$null]", NULL },
    { &ref_filter, "{need: $set, limit: $none, name: $none}",
        "{\"limit\":10,\"need\":5}" },
    { &ref_filter, "{need: $none}", NULL },
    { &ref_filter, "{need: 1, sub: $null}",
        "{\"limit\":10,\"need\":1,\"sub\":null}" },
    { &ref_choice, "{a: $set}", "{\"a\":5}" },
    { &ref_choice, "{a: $none}", NULL },
    { &ref_choice, "{a: $null}", NULL },
    { &ref_json, "{a: $set, b: $none, c: [$none, $null]}",
        "{\"a\":5,\"c\":[null,null]}" },
    { &ints, "[$unknown]", NULL },
};

static void
fills_in_variables(void **state)
{
    static const kappa_str_t names[] = { { "set", 3 }, { "null", 4 },
        { "none", 4 } };
    const kappa_value_t given[] = { kappa_int(5), kappa_null(), { 0 } };
    const kappa_variables_t variables = { names, given, 3 };

    (void)state;
    for (size_t i = 0; i < COUNT(with_variables); i++) {
        kappa_source_t source;
        kappa_literal_t *literal =
            parse_literal(lasting, with_variables[i].literal, &source);
        kappa_errors_t errors;
        kappa_value_t out;
        kappa_buf_t shown;
        kappa_status_t status;

        kappa_errors_init(&errors, arena, 0);
        kappa_buf_init(&shown, &kappa_alloc_libc);
        status = kappa_coerce_literal_with(arena, literal,
            with_variables[i].type, &variables, &out, &errors, NULL);
        if (with_variables[i].expected == NULL) {
            assert_int_equal(status, KAPPA_INVALID);
            assert_string_equal(errors.first->code, "BAD_USER_INPUT");
            continue;
        }
        assert_int_equal(status, KAPPA_OK);
        kappa_json_value(&shown, &out);
        assert_str_equal(kappa_buf_view(&shown), with_variables[i].expected);
        kappa_buf_release(&shown);
    }
}

/* Values deeper than any parser lets through. */
static void
bounds_depth(void **state)
{
    kappa_value_t value = kappa_int(1), out;
    kappa_literal_t literal = { .kind = KAPPA_LITERAL_INT,
        .text = KAPPA_STR("1") };
    kappa_type_ref_t deep[600];
    kappa_errors_t errors;

    (void)state;
    deep[0] = ref_int;
    for (int i = 1; i < 600; i++) {
        kappa_value_t *item = KAPPA_NEW(arena, kappa_value_t);
        kappa_literal_t *inner = KAPPA_NEW(arena, kappa_literal_t);

        *item = value;
        *inner = literal;
        value = (kappa_value_t){
            .kind = KAPPA_LIST, .count = 1, .as.items = item
        };
        literal = (kappa_literal_t){
            .kind = KAPPA_LITERAL_LIST, .items = inner, .count = 1
        };
        deep[i] =
            (kappa_type_ref_t){ KAPPA_REF_LIST, &deep[i - 1], &type_int };
    }
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_coerce_value(arena, &value, &deep[599],
                         KAPPA_STR("x"), &out, &errors),
        KAPPA_INVALID);
    assert_int_equal(
        kappa_coerce_literal(arena, &literal, &deep[599], &out, &errors, NULL),
        KAPPA_INVALID);
    assert_int_equal(
        kappa_coerce_literal(arena, &literal, &ref_json, &out, &errors, NULL),
        KAPPA_INVALID);
}

/* A long list of mistakes gives a hundred errors, in time. */
static void
bounds_errors(void **state)
{
    uint32_t count = 1000000;
    kappa_value_t *items = KAPPA_NEW_ARRAY(arena, kappa_value_t, count);
    kappa_value_t value = {
        .kind = KAPPA_LIST, .count = count, .as.items = items
    };
    kappa_value_t out;
    kappa_errors_t errors;

    (void)state;
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_coerce_value(arena, &value, &ints_non_null,
                         KAPPA_STR("x"), &out, &errors),
        KAPPA_INVALID);
    assert_int_equal(errors.count, 100);
}

typedef struct {
    const case_t *c;
    coerce_t coerce;
} run_t;

static kappa_status_t
run_one(const kappa_alloc_t *alloc, void *ctx)
{
    run_t *run = ctx;
    kappa_arena_t *own = kappa_arena_create(alloc, 64);
    kappa_errors_t errors;
    kappa_value_t out;
    kappa_status_t status = KAPPA_NOMEM;

    if (own != NULL) {
        kappa_errors_init(&errors, own, 0);
        status = run->coerce(own, run->c, &out, &errors);
    }
    kappa_arena_destroy(own);
    return status == KAPPA_INVALID ? KAPPA_OK : status;
}

static void
survives_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        kappa_alloc_failing_each(
            run_one, &(run_t){ &values[i], coerce_value });
    }
    for (size_t i = 0; i < COUNT(literals); i++) {
        kappa_alloc_failing_each(
            run_one, &(run_t){ &literals[i], coerce_literal });
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coerces_values),
        cmocka_unit_test(coerces_literals),
        cmocka_unit_test(shows_where_a_literal_is_wrong),
        cmocka_unit_test(fills_in_variables),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(bounds_errors),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests_name("coerce", tests, set_up, tear_down);
}
