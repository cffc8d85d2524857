#ifndef KAPPA_EXPR_TYPE_H
#define KAPPA_EXPR_TYPE_H

#include "base/value.h"

/* The types of expressions. A type is immutable and compared by content;
 * objects, rows and enums by their name. Whoever declares a name to an
 * expression builds its type, in an arena or statically. */

typedef enum {
    KAPPA_EXPR_NULL = 0, /* of the literal null only */
    KAPPA_EXPR_BOOL,
    KAPPA_EXPR_INT, /* Int and BigInt: int64 */
    KAPPA_EXPR_DOUBLE,
    KAPPA_EXPR_STRING, /* String, ID, UUID, Date */
    KAPPA_EXPR_ENUM,   /* a string that is one of `values` */
    KAPPA_EXPR_TIME,
    KAPPA_EXPR_LIST,   /* of `item` */
    KAPPA_EXPR_OBJECT, /* with `members`: args, auth, event, embedded */
    KAPPA_EXPR_ROW,    /* of a view, with `members`: its columns */
    KAPPA_EXPR_DYN,    /* JSON: known when evaluated */
    KAPPA_EXPR_ERROR   /* inside the checker: reported already */
} kappa_expr_kind_t;

typedef struct kappa_expr_type_s kappa_expr_type_t;
typedef struct kappa_expr_member_s kappa_expr_member_t;

struct kappa_expr_type_s {
    kappa_expr_kind_t kind;
    kappa_str_t name; /* for messages: OBJECT, ROW, ENUM */
    const kappa_expr_type_t *item;
    const kappa_expr_member_t *members; /* names unique, any order */
    uint32_t member_count;
    const kappa_str_t *values; /* ENUM */
    uint32_t value_count;
    bool input; /* OBJECT: an input object; it also goes where an object of
                   another name has all of its members */
};

/* Evaluation asks for a member by its number: a column's number in a ROW, an
 * argument's in args, KAPPA_AUTH_… and KAPPA_EVENT_… below. In a value of
 * kind KAPPA_OBJECT the number is where the member probably stands; it is
 * found by name anyhow. Every member may be null when evaluated: nullability
 * is no part of a type. */
struct kappa_expr_member_s {
    kappa_str_t name;
    const kappa_expr_type_t *type;
    uint32_t number;
};

extern const kappa_expr_type_t kappa_expr_null;
extern const kappa_expr_type_t kappa_expr_bool;
extern const kappa_expr_type_t kappa_expr_int;
extern const kappa_expr_type_t kappa_expr_double;
extern const kappa_expr_type_t kappa_expr_string;
extern const kappa_expr_type_t kappa_expr_time;
extern const kappa_expr_type_t kappa_expr_dyn;
extern const kappa_expr_type_t kappa_expr_string_list;

/* auth: {sub, iss, roles, scopes, claims}. */
extern const kappa_expr_type_t kappa_expr_auth;

enum {
    KAPPA_AUTH_SUB,    /* STRING or null */
    KAPPA_AUTH_ISS,    /* STRING or null */
    KAPPA_AUTH_ROLES,  /* LIST of STRING, empty for anonymous */
    KAPPA_AUTH_SCOPES, /* LIST of STRING, empty for anonymous */
    KAPPA_AUTH_CLAIMS  /* OBJECT as the token's JSON, or null: DYN */
};

/* event.actor: {iss, sub}, an OBJECT with those two. */
extern const kappa_expr_type_t kappa_expr_actor;

/* Numbers of event's members. Types of data and key differ by (thing, verb),
 * so the object is declared where an event is read. */
enum {
    KAPPA_EVENT_DATA,
    KAPPA_EVENT_KEY,   /* a scalar or a LIST */
    KAPPA_EVENT_TIME,  /* kappa_expr_time */
    KAPPA_EVENT_ACTOR, /* kappa_expr_actor */
    KAPPA_EVENT_ID     /* kappa_expr_string: a UUID as text */
};

/* A member by name, or NULL. */
const kappa_expr_member_t *kappa_expr_type_member(
    const kappa_expr_type_t *type, kappa_str_t name);

/* As a user writes it: "Int", "[String]", "Package". Static, in the type or
 * in the arena; never NULL. */
kappa_str_t kappa_expr_type_print(
    kappa_arena_t *arena, const kappa_expr_type_t *type);

/* Whether values of both may be compared by == and live in one list. */
bool kappa_expr_type_comparable(
    const kappa_expr_type_t *a, const kappa_expr_type_t *b);

/* Whether a value of `from` may be stored where `to` is wanted, perhaps after
 * an int became a double. DYN may go anywhere and is checked then. */
bool kappa_expr_type_assignable(
    const kappa_expr_type_t *from, const kappa_expr_type_t *to);

#endif
