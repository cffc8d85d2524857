#include "expr/ops.h"

#include <math.h>

#include "base/time.h"

#define DEPTH_MAX 130 /* JSON is nested at most 128 deep */

void
kappa_expr_normalize(kappa_value_t *v)
{
    if (v->kind == KAPPA_BIGINT) {
        v->kind = KAPPA_INT;
    } else if (v->kind == KAPPA_UNSET
        || (v->kind == KAPPA_DOUBLE && !isfinite(v->as.number))) {
        *v = kappa_null();
    }
}

static void
settle_scalar(const kappa_expr_type_t *type, kappa_value_t *v)
{
    int64_t n;

    kappa_expr_normalize(v);
    if (type->kind == KAPPA_EXPR_DOUBLE && v->kind == KAPPA_INT) {
        *v = kappa_double((double)v->as.integer);
    } else if (type->kind == KAPPA_EXPR_INT && v->kind == KAPPA_STRING
        && kappa_str_to_int64(v->as.string, &n)) {
        *v = kappa_int(n);
    } else if (type->kind == KAPPA_EXPR_TIME && v->kind == KAPPA_STRING
        && kappa_time_parse(v->as.string, &n)) {
        *v = kappa_time(n);
    }
}

/* Whether JSON tells values of a type from others. */
static bool
survives_json(const kappa_expr_type_t *type)
{
    return type->kind != KAPPA_EXPR_DOUBLE && type->kind != KAPPA_EXPR_INT
        && type->kind != KAPPA_EXPR_TIME && type->kind != KAPPA_EXPR_LIST;
}

static kappa_status_t
settle_list(
    const kappa_expr_type_t *type, kappa_value_t *v, kappa_arena_t *scratch)
{
    kappa_value_t *items = KAPPA_NEW_ARRAY(scratch, kappa_value_t, v->count);

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        items[i] = v->as.items[i];
        kappa_status_t status =
            kappa_expr_settle(type->item, &items[i], scratch);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    v->as.items = items;
    return KAPPA_OK;
}

/* Recursion is as deep as the type is written. */
kappa_status_t
kappa_expr_settle(
    const kappa_expr_type_t *type, kappa_value_t *v, kappa_arena_t *scratch)
{
    if (type->kind == KAPPA_EXPR_LIST && v->kind == KAPPA_LIST) {
        return survives_json(type->item) ? KAPPA_OK
                                         : settle_list(type, v, scratch);
    }
    settle_scalar(type, v);
    return KAPPA_OK;
}

static kappa_status_t
fail(const char **reason, const char *text)
{
    *reason = text;
    return KAPPA_INVALID;
}

/* Without rounding: a double past int64 has its place beyond all ints, any
 * other its whole part is an int64 and its fraction decides a tie. */
static int
order_int_double(int64_t i, double d)
{
    if (d >= 0x1p63) {
        return -1;
    }
    if (d < -0x1p63) {
        return 1;
    }
    int64_t whole = (int64_t)d;
    if (i != whole) {
        return i < whole ? -1 : 1;
    }
    double fraction = d - (double)whole;
    return fraction > 0 ? -1 : fraction < 0;
}

static bool
is_int(const kappa_value_t *v)
{
    return v->kind == KAPPA_INT || v->kind == KAPPA_BIGINT;
}

static bool
is_number(const kappa_value_t *v)
{
    return is_int(v) || v->kind == KAPPA_DOUBLE;
}

static int
order_numbers(const kappa_value_t *a, const kappa_value_t *b)
{
    if (is_int(a)) {
        if (!is_int(b)) {
            return order_int_double(a->as.integer, b->as.number);
        }
        return a->as.integer < b->as.integer ? -1
                                             : a->as.integer > b->as.integer;
    }
    if (is_int(b)) {
        return -order_int_double(b->as.integer, a->as.number);
    }
    return a->as.number < b->as.number ? -1 : a->as.number > b->as.number;
}

static bool
equal(const kappa_value_t *a, const kappa_value_t *b, unsigned depth)
{
    if (kappa_is_null(a) || kappa_is_null(b)) {
        return kappa_is_null(a) && kappa_is_null(b);
    }
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b) == 0;
    }
    if (a->kind != KAPPA_LIST || b->kind != KAPPA_LIST) {
        return kappa_value_eq(a, b);
    }
    if (a->count != b->count || depth == DEPTH_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!equal(&a->as.items[i], &b->as.items[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

bool
kappa_expr_equal(const kappa_value_t *a, const kappa_value_t *b)
{
    return equal(a, b, 0);
}

kappa_status_t
kappa_expr_order(const kappa_value_t *a, const kappa_value_t *b, int *order,
    const char **reason)
{
    if (kappa_is_null(a) || kappa_is_null(b)) {
        return fail(reason, "null in a comparison");
    }
    if (is_number(a) && is_number(b)) {
        *order = order_numbers(a, b);
        return KAPPA_OK;
    }
    if (a->kind != b->kind) {
        return fail(reason, "comparison of two different types");
    }
    switch (a->kind) {
    case KAPPA_BOOL:
        *order = (int)a->as.boolean - (int)b->as.boolean;
        return KAPPA_OK;
    case KAPPA_TIME:
        *order =
            a->as.integer < b->as.integer ? -1 : a->as.integer > b->as.integer;
        return KAPPA_OK;
    case KAPPA_STRING:
        *order = kappa_str_cmp(a->as.string, b->as.string);
        return KAPPA_OK;
    default:
        return fail(reason, "comparison of values without an order");
    }
}

static kappa_status_t
int_arithmetic(kappa_op_t op, int64_t a, int64_t b, kappa_value_t *out,
    const char **reason)
{
    int64_t v = 0;
    bool overflow = false;

    switch (op) {
    case KAPPA_OP_ADD:
        overflow = __builtin_add_overflow(a, b, &v);
        break;
    case KAPPA_OP_SUB:
        overflow = __builtin_sub_overflow(a, b, &v);
        break;
    case KAPPA_OP_MUL:
        overflow = __builtin_mul_overflow(a, b, &v);
        break;
    default:
        if (b == 0) {
            return fail(reason, "division by zero");
        }
        overflow = a == INT64_MIN && b == -1;
        if (!overflow) {
            v = op == KAPPA_OP_DIV ? a / b : a % b;
        }
    }
    if (overflow) {
        return fail(reason, "integer overflow");
    }
    *out = kappa_int(v);
    return KAPPA_OK;
}

static double
as_double(const kappa_value_t *v)
{
    return is_int(v) ? (double)v->as.integer : v->as.number;
}

static kappa_status_t
double_arithmetic(
    kappa_op_t op, double a, double b, kappa_value_t *out, const char **reason)
{
    double v;

    switch (op) {
    case KAPPA_OP_ADD:
        v = a + b;
        break;
    case KAPPA_OP_SUB:
        v = a - b;
        break;
    case KAPPA_OP_MUL:
        v = a * b;
        break;
    case KAPPA_OP_DIV:
        v = b == 0 ? NAN : a / b;
        break;
    default:
        return fail(reason, "% of a Float");
    }
    *out = isfinite(v) ? kappa_double(v) : kappa_null();
    return KAPPA_OK;
}

static kappa_status_t
concat_strings(kappa_str_t a, kappa_str_t b, kappa_arena_t *scratch,
    kappa_value_t *out, const char **reason)
{
    if (a.len + b.len > KAPPA_EXPR_STRING_MAX) {
        return fail(reason, "a string over 1 MiB");
    }
    char *p = kappa_arena_bytes(scratch, a.len + b.len);
    if (p == NULL) {
        return KAPPA_NOMEM;
    }
    if (a.len) {
        memcpy(p, a.data, a.len);
    }
    if (b.len) {
        memcpy(p + a.len, b.data, b.len);
    }
    *out = kappa_string(kappa_str(p, a.len + b.len));
    return KAPPA_OK;
}

static kappa_status_t
concat_lists(const kappa_value_t *a, const kappa_value_t *b,
    kappa_arena_t *scratch, kappa_value_t *out, const char **reason)
{
    uint64_t count = (uint64_t)a->count + b->count;

    if (count > KAPPA_EXPR_LIST_MAX) {
        return fail(reason, "a list over 10,000 items");
    }
    kappa_value_t *items = KAPPA_NEW_ARRAY(scratch, kappa_value_t, count);
    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        items[i] = a->as.items[i];
    }
    for (uint32_t i = 0; i < b->count; i++) {
        items[a->count + i] = b->as.items[i];
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = (uint32_t)count, .as.items = items
    };
    return KAPPA_OK;
}

kappa_status_t
kappa_expr_arithmetic(kappa_op_t op, const kappa_value_t *a,
    const kappa_value_t *b, kappa_arena_t *scratch, kappa_value_t *out,
    const char **reason)
{
    if (kappa_is_null(a) || kappa_is_null(b)) {
        return fail(reason, "null in arithmetic");
    }
    if (is_int(a) && is_int(b)) {
        return int_arithmetic(op, a->as.integer, b->as.integer, out, reason);
    }
    /* Both kinds meet only if one of them comes from JSON, where 1 and 1.0
     * are one number. */
    if (is_number(a) && is_number(b)) {
        return double_arithmetic(op, as_double(a), as_double(b), out, reason);
    }
    if (op == KAPPA_OP_ADD && a->kind == KAPPA_STRING
        && b->kind == KAPPA_STRING) {
        return concat_strings(
            a->as.string, b->as.string, scratch, out, reason);
    }
    if (op == KAPPA_OP_ADD && a->kind == KAPPA_LIST && b->kind == KAPPA_LIST) {
        return concat_lists(a, b, scratch, out, reason);
    }
    return fail(reason, "arithmetic on the wrong types");
}

kappa_status_t
kappa_expr_negate(
    const kappa_value_t *a, kappa_value_t *out, const char **reason)
{
    if (is_int(a)) {
        return int_arithmetic(KAPPA_OP_SUB, 0, a->as.integer, out, reason);
    }
    if (a->kind == KAPPA_DOUBLE) {
        *out = kappa_double(-a->as.number);
        return KAPPA_OK;
    }
    return fail(reason,
        kappa_is_null(a) ? "null in arithmetic"
                         : "arithmetic on the wrong types");
}

kappa_status_t
kappa_expr_in(const kappa_value_t *item, const kappa_value_t *container,
    bool *out, const char **reason)
{
    *out = false;
    if (container->kind == KAPPA_LIST) {
        for (uint32_t i = 0; i < container->count && !*out; i++) {
            *out = kappa_expr_equal(item, &container->as.items[i]);
        }
        return KAPPA_OK;
    }
    if (container->kind == KAPPA_OBJECT) {
        *out = item->kind == KAPPA_STRING
            && kappa_value_member(container, item->as.string) != NULL;
        return KAPPA_OK;
    }
    return fail(reason,
        kappa_is_null(container) ? "in null" : "in something that is no list");
}

static bool
is_value_of(const kappa_expr_type_t *type, kappa_str_t value)
{
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (kappa_str_eq(type->values[i], value)) {
            return true;
        }
    }
    return false;
}

static bool
convert_scalar(const kappa_expr_type_t *type, kappa_value_t *v)
{
    int64_t ms;

    switch (type->kind) {
    case KAPPA_EXPR_BOOL:
        return v->kind == KAPPA_BOOL;
    case KAPPA_EXPR_INT:
        return v->kind == KAPPA_INT;
    case KAPPA_EXPR_DOUBLE:
        if (v->kind == KAPPA_INT) {
            *v = kappa_double((double)v->as.integer);
        }
        return v->kind == KAPPA_DOUBLE;
    case KAPPA_EXPR_STRING:
        return v->kind == KAPPA_STRING;
    case KAPPA_EXPR_ENUM:
        return v->kind == KAPPA_STRING && is_value_of(type, v->as.string);
    case KAPPA_EXPR_TIME:
        if (v->kind == KAPPA_STRING && kappa_time_parse(v->as.string, &ms)) {
            *v = kappa_time(ms);
        }
        return v->kind == KAPPA_TIME;
    case KAPPA_EXPR_OBJECT:
        return v->kind == KAPPA_OBJECT;
    case KAPPA_EXPR_ROW:
        return v->kind == KAPPA_ROW;
    default:
        return true;
    }
}

static kappa_status_t
convert_list(const kappa_expr_type_t *type, kappa_value_t *v,
    kappa_arena_t *scratch, const char **reason)
{
    if (v->count > KAPPA_EXPR_LIST_MAX) {
        return fail(reason, "a list over 10,000 items");
    }
    kappa_value_t *items = KAPPA_NEW_ARRAY(scratch, kappa_value_t, v->count);
    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        items[i] = v->as.items[i];
        kappa_expr_normalize(&items[i]);
        kappa_status_t status =
            kappa_expr_convert(type->item, &items[i], scratch, reason);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    v->as.items = items;
    return KAPPA_OK;
}

/* Recursion is as deep as the type is written: lists of lists. */
kappa_status_t
kappa_expr_convert(const kappa_expr_type_t *type, kappa_value_t *v,
    kappa_arena_t *scratch, const char **reason)
{
    if (kappa_is_null(v)) {
        return KAPPA_OK;
    }
    if (type->kind == KAPPA_EXPR_LIST && v->kind == KAPPA_LIST) {
        return convert_list(type, v, scratch, reason);
    }
    if (type->kind == KAPPA_EXPR_LIST || !convert_scalar(type, v)) {
        return fail(reason, "a value of the wrong type");
    }
    return KAPPA_OK;
}
