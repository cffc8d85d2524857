#ifndef KAPPA_BASE_VALUE_H
#define KAPPA_BASE_VALUE_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/status.h"
#include "base/str.h"

/* A value on its way: a coerced argument, a variable, an operand of an
 * expression, a field of event.data. Immutable once made; lives in an arena.
 * All zero is UNSET. */
typedef enum {
    KAPPA_UNSET = 0, /* absent: leaves a field as it was. Not null */
    KAPPA_NULL,
    KAPPA_BOOL,
    KAPPA_INT,    /* Int */
    KAPPA_BIGINT, /* BigInt: int64 as well, a string in JSON */
    KAPPA_DOUBLE, /* never NaN or infinite: those are NULL */
    KAPPA_STRING, /* String, ID, UUID, Date, enum values */
    KAPPA_TIME,   /* DateTime: milliseconds since 1970 in UTC */
    KAPPA_LIST,
    KAPPA_OBJECT, /* input object, embedded object, JSON object */
    KAPPA_ROW     /* a row of a view, opaque: only expr/ and views/ meet it */
} kappa_kind_t;

typedef struct kappa_value_s kappa_value_t;
typedef struct kappa_member_s kappa_member_t;

struct kappa_value_s {
    kappa_kind_t kind;
    uint32_t count; /* of list items, or object members */
    union {
        bool boolean;
        int64_t integer; /* INT, BIGINT, and TIME in ms */
        double number;
        kappa_str_t string; /* valid UTF-8 */
        const kappa_value_t *items;
        const kappa_member_t *members; /* in order, names unique */
        const void *row;
    } as;
};

struct kappa_member_s {
    kappa_str_t name;
    kappa_value_t value;
};

static inline kappa_value_t
kappa_null(void)
{
    return (kappa_value_t){ .kind = KAPPA_NULL };
}

static inline kappa_value_t
kappa_bool(bool b)
{
    return (kappa_value_t){ .kind = KAPPA_BOOL, .as.boolean = b };
}

static inline kappa_value_t
kappa_int(int64_t i)
{
    return (kappa_value_t){ .kind = KAPPA_INT, .as.integer = i };
}

static inline kappa_value_t
kappa_bigint(int64_t i)
{
    return (kappa_value_t){ .kind = KAPPA_BIGINT, .as.integer = i };
}

static inline kappa_value_t
kappa_double(double d)
{
    return (kappa_value_t){ .kind = KAPPA_DOUBLE, .as.number = d };
}

static inline kappa_value_t
kappa_time(int64_t ms)
{
    return (kappa_value_t){ .kind = KAPPA_TIME, .as.integer = ms };
}

static inline kappa_value_t
kappa_string(kappa_str_t s)
{
    return (kappa_value_t){ .kind = KAPPA_STRING, .as.string = s };
}

static inline bool
kappa_is_null(const kappa_value_t *v)
{
    return v->kind == KAPPA_NULL || v->kind == KAPPA_UNSET;
}

/* The member's value, or NULL. object may be of any kind. */
const kappa_value_t *kappa_value_member(
    const kappa_value_t *object, kappa_str_t name);

/* Same kind and content; INT equals BIGINT; members in any order. */
bool kappa_value_eq(const kappa_value_t *a, const kappa_value_t *b);

/* A deep copy in the arena. */
kappa_status_t kappa_value_dup(
    kappa_arena_t *arena, const kappa_value_t *v, kappa_value_t *out);

#endif
