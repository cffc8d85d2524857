#define _GNU_SOURCE /* memmem */

#include "expr/call.h"

#include "expr/ops.h"

static kappa_status_t
fail(const char **reason, const char *text)
{
    *reason = text;
    return KAPPA_INVALID;
}

static kappa_status_t
need_strings(
    const kappa_node_t *node, const kappa_value_t *args, const char **reason)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (args[i].kind != KAPPA_STRING) {
            return fail(reason,
                kappa_is_null(&args[i]) ? "null where a String is needed"
                                        : "no String where one is needed");
        }
    }
    return KAPPA_OK;
}

static int64_t
code_points(kappa_str_t s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.data[i] & 0xc0) != 0x80;
    }
    return n;
}

static kappa_status_t
eval_size(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)node;
    (void)scratch;
    switch (args[0].kind) {
    case KAPPA_STRING:
        *out = kappa_int(code_points(args[0].as.string));
        return KAPPA_OK;
    case KAPPA_LIST:
    case KAPPA_OBJECT:
        *out = kappa_int(args[0].count);
        return KAPPA_OK;
    case KAPPA_NULL:
        return fail(reason, "size of null");
    default:
        return fail(reason, "size of something that has none");
    }
}

/* Its argument was selected; null is as absent. */
static kappa_status_t
eval_has(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)node;
    (void)scratch;
    (void)reason;
    *out = kappa_bool(!kappa_is_null(&args[0]));
    return KAPPA_OK;
}

static kappa_status_t
eval_starts_with(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    kappa_status_t status = need_strings(node, args, reason);

    (void)scratch;
    if (status == KAPPA_OK) {
        *out = kappa_bool(
            kappa_str_starts_with(args[0].as.string, args[1].as.string));
    }
    return status;
}

static kappa_status_t
eval_ends_with(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    kappa_status_t status = need_strings(node, args, reason);

    (void)scratch;
    if (status == KAPPA_OK) {
        *out = kappa_bool(
            kappa_str_ends_with(args[0].as.string, args[1].as.string));
    }
    return status;
}

static kappa_status_t
eval_contains(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    kappa_status_t status = need_strings(node, args, reason);

    (void)scratch;
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_str_t s = args[0].as.string, part = args[1].as.string;
    *out = kappa_bool(part.len == 0
        || (s.len > 0 && memmem(s.data, s.len, part.data, part.len) != NULL));
    return KAPPA_OK;
}

static kappa_status_t
eval_lower_ascii(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    kappa_status_t status = need_strings(node, args, reason);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_str_t s = args[0].as.string;
    char *p = kappa_arena_bytes(scratch, s.len);
    if (p == NULL) {
        return KAPPA_NOMEM;
    }
    for (size_t i = 0; i < s.len; i++) {
        p[i] = kappa_char_lower(s.data[i]);
    }
    *out = kappa_string(kappa_str(p, s.len));
    return KAPPA_OK;
}

/* The first of the least (sign -1) or greatest (1). */
static kappa_status_t
extreme(const kappa_node_t *node, const kappa_value_t *args, int sign,
    kappa_value_t *out, const char **reason)
{
    *out = args[0];
    for (uint32_t i = 1; i < node->count; i++) {
        int order;
        kappa_status_t status =
            kappa_expr_order(&args[i], out, &order, reason);

        if (status != KAPPA_OK) {
            return status;
        }
        if (order * sign > 0) {
            *out = args[i];
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
eval_min(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)scratch;
    return extreme(node, args, -1, out, reason);
}

static kappa_status_t
eval_max(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)scratch;
    return extreme(node, args, 1, out, reason);
}

static kappa_status_t
eval_double(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)node;
    (void)scratch;
    if (args[0].kind == KAPPA_INT) {
        *out = kappa_double((double)args[0].as.integer);
        return KAPPA_OK;
    }
    if (args[0].kind != KAPPA_DOUBLE) {
        return fail(reason,
            kappa_is_null(&args[0]) ? "double of null"
                                    : "double of something that is no number");
    }
    *out = args[0];
    return KAPPA_OK;
}

static kappa_status_t
eval_trunc(const kappa_node_t *node, const kappa_value_t *args,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    (void)scratch;
    if (args[0].kind != KAPPA_TIME) {
        return fail(reason,
            kappa_is_null(&args[0]) ? "trunc of null"
                                    : "trunc of something that is no time");
    }
    int64_t ms = args[0].as.integer, over = ms % node->unit_ms;

    over += over < 0 ? node->unit_ms : 0;
    if (__builtin_sub_overflow(ms, over, &ms)) {
        return fail(reason, "time out of range");
    }
    *out = kappa_time(ms);
    return KAPPA_OK;
}

#define NAME(text)                                                            \
    {                                                                         \
        text, sizeof(text) - 1                                                \
    }

static const kappa_function_t functions[] = {
    { NAME("size"), "size(x) or x.size()", true, true, 1, 1,
        { KAPPA_TAKES_SIZED, KAPPA_TAKES_SIZED }, &kappa_expr_int, eval_size },
    { NAME("has"), "has(a.b)", true, false, 1, 1,
        { KAPPA_TAKES_MEMBER, KAPPA_TAKES_MEMBER }, &kappa_expr_bool,
        eval_has },
    { NAME("startsWith"), "text.startsWith(prefix)", false, true, 2, 2,
        { KAPPA_TAKES_TEXT, KAPPA_TAKES_TEXT }, &kappa_expr_bool,
        eval_starts_with },
    { NAME("endsWith"), "text.endsWith(suffix)", false, true, 2, 2,
        { KAPPA_TAKES_TEXT, KAPPA_TAKES_TEXT }, &kappa_expr_bool,
        eval_ends_with },
    { NAME("contains"), "text.contains(part)", false, true, 2, 2,
        { KAPPA_TAKES_TEXT, KAPPA_TAKES_TEXT }, &kappa_expr_bool,
        eval_contains },
    { NAME("lowerAscii"), "text.lowerAscii()", false, true, 1, 1,
        { KAPPA_TAKES_TEXT, KAPPA_TAKES_TEXT }, &kappa_expr_string,
        eval_lower_ascii },
    { NAME("min"), "min(a, b)", true, false, 2, KAPPA_FUNCTION_ARGS_MAX,
        { KAPPA_TAKES_ORDERED, KAPPA_TAKES_ORDERED }, NULL, eval_min },
    { NAME("max"), "max(a, b)", true, false, 2, KAPPA_FUNCTION_ARGS_MAX,
        { KAPPA_TAKES_ORDERED, KAPPA_TAKES_ORDERED }, NULL, eval_max },
    { NAME("double"), "double(number)", true, false, 1, 1,
        { KAPPA_TAKES_NUMBER, KAPPA_TAKES_NUMBER }, &kappa_expr_double,
        eval_double },
    { NAME("trunc"), "trunc(time, '1h')", true, false, 2, 2,
        { KAPPA_TAKES_TIME, KAPPA_TAKES_DURATION }, &kappa_expr_time,
        eval_trunc },
};

const kappa_function_t *
kappa_expr_function_at(uint32_t i)
{
    return i < sizeof(functions) / sizeof(functions[0]) ? &functions[i] : NULL;
}

const kappa_function_t *
kappa_expr_function(kappa_str_t name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (kappa_str_eq(functions[i].name, name)) {
            return &functions[i];
        }
    }
    return NULL;
}
