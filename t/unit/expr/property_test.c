#include "t/unit/test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "expr/expr.h"
#include "t/unit/expr_world.h"
#include "t/unit/torture.h"

/* Random expressions over integers and booleans, written with as few
 * parentheses as CEL's precedence allows; what they mean is computed from the
 * tree that they were written from. */

typedef enum {
    MEANS_INT,
    MEANS_BOOL,
    MEANS_ERROR
} means_t;

typedef struct {
    means_t kind;
    int64_t value;
} meaning_t;

typedef struct {
    const char *text;
    int level; /* binds tighter the higher it is */
    bool of_ints, gives_int;
} operator_t;

static const operator_t operators[] = {
    { " || ", 2, false, false },
    { " && ", 3, false, false },
    { " == ", 4, true, false },
    { " != ", 4, true, false },
    { " < ", 4, true, false },
    { " <= ", 4, true, false },
    { " > ", 4, true, false },
    { " >= ", 4, true, false },
    { " + ", 5, true, true },
    { " - ", 5, true, true },
    { " * ", 6, true, true },
    { " / ", 6, true, true },
    { " % ", 6, true, true },
};

enum {
    LEVEL_COND = 1,
    LEVEL_UNARY = 7,
    LEVEL_PRIMARY = 8
};

static meaning_t write_any(
    kappa_buf_t *buf, bool want_int, int level, unsigned depth);

static unsigned
pick(unsigned n)
{
    return (unsigned)random() % n;
}

static meaning_t
result(means_t kind, int64_t value)
{
    return (meaning_t){ kind, value };
}

static meaning_t
write_int(kappa_buf_t *buf)
{
    static const int64_t edges[] = { 0, 1, 2, 7, -1, -3, INT64_MAX, INT64_MIN,
        INT64_C(4611686018427387904) };
    int64_t v = edges[pick(COUNT(edges))];

    kappa_buf_int64(buf, v);
    return result(MEANS_INT, v);
}

static meaning_t
compute_int(char op, int64_t a, int64_t b)
{
    __int128 v;

    switch (op) {
    case '+':
        v = (__int128)a + b;
        break;
    case '-':
        v = (__int128)a - b;
        break;
    case '*':
        v = (__int128)a * b;
        break;
    default:
        if (b == 0 || (op == '%' && a == INT64_MIN && b == -1)) {
            return result(MEANS_ERROR, 0);
        }
        v = op == '/' ? (__int128)a / b : (__int128)a % b;
    }
    return v < INT64_MIN || v > INT64_MAX ? result(MEANS_ERROR, 0)
                                          : result(MEANS_INT, (int64_t)v);
}

static meaning_t
compute(const operator_t *o, meaning_t a, meaning_t b)
{
    if (!o->of_ints) {
        bool decides = o->text[1] == '|';

        if ((a.kind == MEANS_BOOL && a.value == decides)
            || (b.kind == MEANS_BOOL && b.value == decides)) {
            return result(MEANS_BOOL, decides);
        }
    }
    if (a.kind == MEANS_ERROR || b.kind == MEANS_ERROR) {
        return result(MEANS_ERROR, 0);
    }
    if (o->gives_int) {
        return compute_int(o->text[1], a.value, b.value);
    }
    switch (o->text[1]) {
    case '=':
        return result(MEANS_BOOL, a.value == b.value);
    case '!':
        return result(MEANS_BOOL, a.value != b.value);
    case '<':
        return result(MEANS_BOOL,
            o->text[2] == '=' ? a.value <= b.value : a.value < b.value);
    case '>':
        return result(MEANS_BOOL,
            o->text[2] == '=' ? a.value >= b.value : a.value > b.value);
    default:
        return result(MEANS_BOOL, !(o->text[1] == '|'));
    }
}

static meaning_t
write_binary(kappa_buf_t *buf, bool want_int, int level, unsigned depth)
{
    const operator_t *o;

    do {
        o = &operators[pick(COUNT(operators))];
    } while (o->gives_int != want_int);
    bool parens = o->level < level;
    if (parens) {
        kappa_buf_char(buf, '(');
    }
    /* Left-associative: the left operand may be of the same level. */
    meaning_t a = write_any(buf, o->of_ints, o->level, depth - 1);
    kappa_buf_str(buf, kappa_str_c(o->text));
    meaning_t b = write_any(buf, o->of_ints, o->level + 1, depth - 1);
    if (parens) {
        kappa_buf_char(buf, ')');
    }
    return compute(o, a, b);
}

static meaning_t
write_cond(kappa_buf_t *buf, bool want_int, int level, unsigned depth)
{
    bool parens = LEVEL_COND < level;

    if (parens) {
        kappa_buf_char(buf, '(');
    }
    meaning_t c = write_any(buf, false, LEVEL_COND + 1, depth - 1);
    KAPPA_BUF_LIT(buf, " ? ");
    meaning_t a = write_any(buf, want_int, LEVEL_COND + 1, depth - 1);
    KAPPA_BUF_LIT(buf, " : ");
    meaning_t b = write_any(buf, want_int, LEVEL_COND, depth - 1);
    if (parens) {
        kappa_buf_char(buf, ')');
    }
    return c.kind == MEANS_ERROR ? c : c.value ? a : b;
}

static meaning_t
write_not(kappa_buf_t *buf, unsigned depth)
{
    kappa_buf_char(buf, '!');
    meaning_t a = write_any(buf, false, LEVEL_PRIMARY, depth - 1);

    return a.kind == MEANS_ERROR ? a : result(MEANS_BOOL, !a.value);
}

static meaning_t
write_any(kappa_buf_t *buf, bool want_int, int level, unsigned depth)
{
    if (depth == 0 || pick(6) == 0) {
        if (want_int) {
            return write_int(buf);
        }
        bool v = pick(2) == 0;
        kappa_buf_str(buf, v ? KAPPA_STR("true") : KAPPA_STR("false"));
        return result(MEANS_BOOL, v);
    }
    if (!want_int && level <= LEVEL_UNARY && pick(5) == 0) {
        return write_not(buf, depth);
    }
    return pick(6) == 0 ? write_cond(buf, want_int, level, depth)
                        : write_binary(buf, want_int, level, depth);
}

static void
check(kappa_str_t text, meaning_t expected)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_expr_env_t env = { 0 };
    kappa_expr_t *expr = NULL;
    kappa_value_t v = { 0 };
    kappa_status_t status = kappa_expr_compile(
        arena, text, &kappa_world_row_scope, NULL, &expr, NULL, NULL, 0);

    if (status == KAPPA_LIMIT) { /* large ones are refused, that's all */
        kappa_arena_destroy(arena);
        return;
    }
    if (status != KAPPA_OK) {
        fail_msg("does not load: %.*s", KAPPA_STR_ARG(text));
    }
    status = kappa_expr_eval(expr, &env, arena, &v, NULL);
    bool same = expected.kind == MEANS_ERROR ? status == KAPPA_INVALID
        : expected.kind == MEANS_INT         ? status == KAPPA_OK
            && v.kind == KAPPA_INT && v.as.integer == expected.value
                                     : status == KAPPA_OK
            && v.kind == KAPPA_BOOL && v.as.boolean == expected.value;
    if (!same) {
        fail_msg("means something else: %.*s", KAPPA_STR_ARG(text));
    }
    kappa_arena_destroy(arena);
}

static void
means_its_tree(void **state)
{
    unsigned seed = (unsigned)kappa_test_seed();
    int good = 0;
    kappa_buf_t buf;

    (void)state;
    srandom(seed);
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < 5000; i++) {
        kappa_buf_reset(&buf);
        meaning_t expected = write_any(&buf, i % 2, 0, 1 + pick(5));

        good += expected.kind != MEANS_ERROR;
        check(kappa_buf_view(&buf), expected);
    }
    assert_true(good > 1000);
    kappa_buf_release(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_its_tree),
    };
    return cmocka_run_group_tests_name("expr/property", tests, NULL, NULL);
}
