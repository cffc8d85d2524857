#include "graphql/coerce_private.h"

#include <math.h>
#include <stdlib.h>

#include "base/suggest.h"
#include "base/time.h"
#include "base/uuid.h"

#define INT_IS_WHOLE "Int cannot represent non-integer value: "
#define INT_IS_32_BIT "Int cannot represent non 32-bit signed integer value: "
#define FLOAT_IS_NUMERIC "Float cannot represent non numeric value: "
#define STRING_IS_STRING "String cannot represent a non string value: "
#define BOOLEAN_IS_BOOLEAN "Boolean cannot represent a non boolean value: "
#define ID_IS_STRING "ID cannot represent a non-string and non-integer value: "
#define BIGINT_IS_INT64                                                       \
    "BigInt takes a 64-bit integer, or a string of one, not: "
#define DATETIME_IS_RFC3339                                                   \
    "DateTime takes a time like \"2026-11-20T10:25:00Z\" (RFC 3339), not: "
#define DATE_IS_RFC3339 "Date takes a date like \"2026-11-20\", not: "
#define UUID_IS_RFC9562                                                       \
    "UUID takes one like \"01938a3e-7b52-7c1e-8d5a-0123456789ab\", not: "

/* A DOUBLE that is a whole number, as an integer: JSON has but one kind of
 * number, and some writers put ".0" behind. */
static bool
whole(const kappa_value_t *in, int64_t *out)
{
    if (in->kind == KAPPA_INT || in->kind == KAPPA_BIGINT) {
        *out = in->as.integer;
        return true;
    }
    if (in->kind == KAPPA_DOUBLE && fabs(in->as.number) <= 9007199254740992.0
        && in->as.number == floor(in->as.number)) {
        *out = (int64_t)in->as.number;
        return true;
    }
    return false;
}

static kappa_status_t
as_int(int64_t i, kappa_value_t *out, const char **complaint)
{
    if (i < INT32_MIN || i > INT32_MAX) {
        *complaint = INT_IS_32_BIT;
        return KAPPA_INVALID;
    }
    *out = kappa_int(i);
    return KAPPA_OK;
}

static kappa_status_t
as_id(kappa_arena_t *arena, int64_t i, kappa_value_t *out)
{
    *out = kappa_string(kappa_str_printf(arena, "%lld", (long long)i));
    return out->as.string.data ? KAPPA_OK : KAPPA_NOMEM;
}

static kappa_status_t
as_uuid(kappa_arena_t *arena, kappa_str_t s, kappa_value_t *out)
{
    uint8_t uuid[KAPPA_UUID_BYTES];
    char *text;

    if (!kappa_uuid_parse(s, uuid)) {
        return KAPPA_INVALID;
    }
    text = kappa_arena_bytes(arena, KAPPA_UUID_CHARS);
    if (text == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_uuid_format(uuid, text);
    *out = kappa_string(kappa_str(text, KAPPA_UUID_CHARS));
    return KAPPA_OK;
}

/* The scalars that are strings in JSON and in a document alike. */
static kappa_status_t
from_string(kappa_arena_t *arena, const kappa_type_t *type, kappa_str_t s,
    kappa_value_t *out, const char **complaint)
{
    int64_t i;

    switch (type->scalar) {
    case KAPPA_SCALAR_INT:
        *complaint = INT_IS_WHOLE;
        return KAPPA_INVALID;
    case KAPPA_SCALAR_FLOAT:
        *complaint = FLOAT_IS_NUMERIC;
        return KAPPA_INVALID;
    case KAPPA_SCALAR_BOOLEAN:
        *complaint = BOOLEAN_IS_BOOLEAN;
        return KAPPA_INVALID;
    case KAPPA_SCALAR_DATETIME:
        *complaint = DATETIME_IS_RFC3339;
        if (!kappa_time_parse(s, &i)) {
            return KAPPA_INVALID;
        }
        *out = kappa_time(i);
        return KAPPA_OK;
    case KAPPA_SCALAR_BIGINT:
        *complaint = BIGINT_IS_INT64;
        if (!kappa_str_to_int64(s, &i)) {
            return KAPPA_INVALID;
        }
        *out = kappa_bigint(i);
        return KAPPA_OK;
    case KAPPA_SCALAR_UUID:
        *complaint = UUID_IS_RFC9562;
        return as_uuid(arena, s, out);
    case KAPPA_SCALAR_DATE:
        *complaint = DATE_IS_RFC3339;
        *out = kappa_string(s);
        return kappa_date_valid(s) ? KAPPA_OK : KAPPA_INVALID;
    case KAPPA_SCALAR_STRING:
    case KAPPA_SCALAR_ID:
    case KAPPA_SCALAR_JSON:
        break;
    }
    *out = kappa_string(s);
    return KAPPA_OK;
}

static const char *
complaint_of(kappa_scalar_t scalar)
{
    switch (scalar) {
    case KAPPA_SCALAR_INT:
        return INT_IS_WHOLE;
    case KAPPA_SCALAR_FLOAT:
        return FLOAT_IS_NUMERIC;
    case KAPPA_SCALAR_STRING:
        return STRING_IS_STRING;
    case KAPPA_SCALAR_BOOLEAN:
        return BOOLEAN_IS_BOOLEAN;
    case KAPPA_SCALAR_ID:
        return ID_IS_STRING;
    case KAPPA_SCALAR_DATETIME:
        return DATETIME_IS_RFC3339;
    case KAPPA_SCALAR_DATE:
        return DATE_IS_RFC3339;
    case KAPPA_SCALAR_BIGINT:
        return BIGINT_IS_INT64;
    case KAPPA_SCALAR_UUID:
        return UUID_IS_RFC9562;
    case KAPPA_SCALAR_JSON:
        break;
    }
    return "";
}

static kappa_status_t
from_number(kappa_arena_t *arena, const kappa_type_t *type,
    const kappa_value_t *in, kappa_value_t *out, const char **complaint)
{
    int64_t i = 0;
    bool is_whole = whole(in, &i);

    if (type->scalar == KAPPA_SCALAR_FLOAT) {
        *out =
            kappa_double(in->kind == KAPPA_DOUBLE ? in->as.number : (double)i);
        return KAPPA_OK;
    }
    if (is_whole) {
        switch (type->scalar) {
        case KAPPA_SCALAR_INT:
            return as_int(i, out, complaint);
        case KAPPA_SCALAR_ID:
            return as_id(arena, i, out);
        case KAPPA_SCALAR_BIGINT:
            *out = kappa_bigint(i);
            return KAPPA_OK;
        default:
            break;
        }
    }
    *complaint = complaint_of(type->scalar);
    return KAPPA_INVALID;
}

kappa_status_t
kappa_coerce_scalar_value(kappa_arena_t *arena, const kappa_type_t *type,
    const kappa_value_t *in, kappa_value_t *out, const char **complaint)
{
    if (type->scalar == KAPPA_SCALAR_JSON) {
        *out = *in;
        return KAPPA_OK;
    }
    switch (in->kind) {
    case KAPPA_STRING:
        return from_string(arena, type, in->as.string, out, complaint);
    case KAPPA_INT:
    case KAPPA_BIGINT:
    case KAPPA_DOUBLE:
        return from_number(arena, type, in, out, complaint);
    case KAPPA_BOOL:
        if (type->scalar == KAPPA_SCALAR_BOOLEAN) {
            *out = *in;
            return KAPPA_OK;
        }
        break;
    case KAPPA_TIME:
        if (type->scalar == KAPPA_SCALAR_DATETIME) {
            *out = *in;
            return KAPPA_OK;
        }
        break;
    default:
        break;
    }
    *complaint = complaint_of(type->scalar);
    return KAPPA_INVALID;
}

static kappa_status_t
literal_double(kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out,
    const char **complaint)
{
    kappa_str_t copy = kappa_str_dup(arena, text);

    if (copy.data == NULL) {
        return KAPPA_NOMEM;
    }
    *out = kappa_double(strtod(copy.data, NULL));
    *complaint = "Float cannot represent a number so large: ";
    return isfinite(out->as.number) ? KAPPA_OK : KAPPA_INVALID;
}

static kappa_status_t
from_int_literal(kappa_arena_t *arena, const kappa_type_t *type,
    kappa_str_t text, kappa_value_t *out, const char **complaint)
{
    int64_t i;
    bool fits = kappa_str_to_int64(text, &i);

    switch (type->scalar) {
    case KAPPA_SCALAR_INT:
        *complaint = INT_IS_32_BIT;
        return fits ? as_int(i, out, complaint) : KAPPA_INVALID;
    case KAPPA_SCALAR_FLOAT:
        return literal_double(arena, text, out, complaint);
    case KAPPA_SCALAR_ID:
        *out = kappa_string(text);
        return KAPPA_OK;
    case KAPPA_SCALAR_BIGINT:
        *complaint = BIGINT_IS_INT64;
        *out = kappa_bigint(i);
        return fits ? KAPPA_OK : KAPPA_INVALID;
    default:
        *complaint = complaint_of(type->scalar);
        return KAPPA_INVALID;
    }
}

kappa_status_t
kappa_coerce_scalar_literal(kappa_arena_t *arena, const kappa_type_t *type,
    const kappa_literal_t *literal, kappa_value_t *out, const char **complaint)
{
    switch (literal->kind) {
    case KAPPA_LITERAL_STRING:
        return from_string(arena, type, literal->text, out, complaint);
    case KAPPA_LITERAL_INT:
        return from_int_literal(arena, type, literal->text, out, complaint);
    case KAPPA_LITERAL_FLOAT:
        if (type->scalar == KAPPA_SCALAR_FLOAT) {
            return literal_double(arena, literal->text, out, complaint);
        }
        break;
    case KAPPA_LITERAL_BOOLEAN:
        if (type->scalar == KAPPA_SCALAR_BOOLEAN) {
            *out = kappa_bool(kappa_str_eq_c(literal->text, "true"));
            return KAPPA_OK;
        }
        break;
    default:
        break;
    }
    *complaint = complaint_of(type->scalar);
    return KAPPA_INVALID;
}

const kappa_enum_value_t *
kappa_coerce_enum(const kappa_type_t *type, kappa_str_t name)
{
    return kappa_map_get(&type->value_map, name);
}

kappa_str_t
kappa_coerce_suggest(
    kappa_arena_t *arena, const kappa_type_t *type, kappa_str_t name)
{
    bool is_enum = type->kind == KAPPA_TYPE_ENUM;
    kappa_suggest_t suggest;

    kappa_suggest_init(&suggest, name);
    for (uint32_t i = 0; i < type->value_count; i++) {
        kappa_suggest_try(&suggest, type->values[i].name);
    }
    for (uint32_t i = 0; i < type->input_count; i++) {
        if (!type->inputs[i].hidden) {
            kappa_suggest_try(&suggest, type->inputs[i].name);
        }
    }
    return kappa_suggest_print(
        &suggest, arena, is_enum ? "the enum value" : NULL);
}
