#include "expr/type.h"

#include "base/pairs.h"

#define NAMED(KIND, NAME)                                                     \
    {                                                                         \
        .kind = (KIND), .name = { NAME, sizeof(NAME) - 1 }                    \
    }
#define MEMBER(NAME, TYPE, NUMBER)                                            \
    {                                                                         \
        .name = { NAME, sizeof(NAME) - 1 }, .type = (TYPE),                   \
        .number = (NUMBER)                                                    \
    }

const kappa_expr_type_t kappa_expr_null = NAMED(KAPPA_EXPR_NULL, "null");
const kappa_expr_type_t kappa_expr_bool = NAMED(KAPPA_EXPR_BOOL, "Boolean");
const kappa_expr_type_t kappa_expr_int = NAMED(KAPPA_EXPR_INT, "Int");
const kappa_expr_type_t kappa_expr_double = NAMED(KAPPA_EXPR_DOUBLE, "Float");
const kappa_expr_type_t kappa_expr_string = NAMED(KAPPA_EXPR_STRING, "String");
const kappa_expr_type_t kappa_expr_time = NAMED(KAPPA_EXPR_TIME, "DateTime");
const kappa_expr_type_t kappa_expr_dyn = NAMED(KAPPA_EXPR_DYN, "JSON");
const kappa_expr_type_t kappa_expr_string_list = {
    .kind = KAPPA_EXPR_LIST,
    .name = { "[String]", 8 },
    .item = &kappa_expr_string,
};

static const kappa_expr_member_t auth_members[] = {
    MEMBER("sub", &kappa_expr_string, KAPPA_AUTH_SUB),
    MEMBER("iss", &kappa_expr_string, KAPPA_AUTH_ISS),
    MEMBER("roles", &kappa_expr_string_list, KAPPA_AUTH_ROLES),
    MEMBER("scopes", &kappa_expr_string_list, KAPPA_AUTH_SCOPES),
    MEMBER("claims", &kappa_expr_dyn, KAPPA_AUTH_CLAIMS),
};

const kappa_expr_type_t kappa_expr_auth = {
    .kind = KAPPA_EXPR_OBJECT,
    .name = { "auth", 4 },
    .members = auth_members,
    .member_count = sizeof(auth_members) / sizeof(auth_members[0]),
};

static const kappa_expr_member_t actor_members[] = {
    MEMBER("iss", &kappa_expr_string, 0),
    MEMBER("sub", &kappa_expr_string, 1),
};

const kappa_expr_type_t kappa_expr_actor = {
    .kind = KAPPA_EXPR_OBJECT,
    .name = { "actor", 5 },
    .members = actor_members,
    .member_count = sizeof(actor_members) / sizeof(actor_members[0]),
};

const kappa_expr_member_t *
kappa_expr_type_member(const kappa_expr_type_t *type, kappa_str_t name)
{
    for (uint32_t i = 0; i < type->member_count; i++) {
        if (kappa_str_eq(type->members[i].name, name)) {
            return &type->members[i];
        }
    }
    return NULL;
}

kappa_str_t
kappa_expr_type_print(kappa_arena_t *arena, const kappa_expr_type_t *type)
{
    static const kappa_str_t nameless[] = {
        [KAPPA_EXPR_NULL] = { "null", 4 },
        [KAPPA_EXPR_BOOL] = { "Boolean", 7 },
        [KAPPA_EXPR_INT] = { "Int", 3 },
        [KAPPA_EXPR_DOUBLE] = { "Float", 5 },
        [KAPPA_EXPR_STRING] = { "String", 6 },
        [KAPPA_EXPR_ENUM] = { "an enum", 7 },
        [KAPPA_EXPR_TIME] = { "DateTime", 8 },
        [KAPPA_EXPR_LIST] = { "a list", 6 },
        [KAPPA_EXPR_OBJECT] = { "an object", 9 },
        [KAPPA_EXPR_ROW] = { "a row", 5 },
        [KAPPA_EXPR_DYN] = { "JSON", 4 },
        [KAPPA_EXPR_ERROR] = { "?", 1 },
    };

    if (type->name.len > 0) {
        return type->name;
    }
    /* A list of lists of lists is told from its item only. */
    if (type->kind == KAPPA_EXPR_LIST && type->item != NULL
        && type->item->kind != KAPPA_EXPR_LIST) {
        kappa_str_t item = kappa_expr_type_print(arena, type->item);
        kappa_str_t text =
            kappa_str_printf(arena, "[%.*s]", KAPPA_STR_ARG(item));

        if (text.data != NULL) {
            return text;
        }
    }
    return nameless[type->kind];
}

static bool
is_number(const kappa_expr_type_t *type)
{
    return type->kind == KAPPA_EXPR_INT || type->kind == KAPPA_EXPR_DOUBLE;
}

static bool
is_text(const kappa_expr_type_t *type)
{
    return type->kind == KAPPA_EXPR_STRING || type->kind == KAPPA_EXPR_ENUM;
}

static bool
is_any(const kappa_expr_type_t *type)
{
    return type->kind == KAPPA_EXPR_NULL || type->kind == KAPPA_EXPR_DYN
        || type->kind == KAPPA_EXPR_ERROR;
}

bool
kappa_expr_type_comparable(
    const kappa_expr_type_t *a, const kappa_expr_type_t *b)
{
    while (a->kind == KAPPA_EXPR_LIST && b->kind == KAPPA_EXPR_LIST) {
        a = a->item;
        b = b->item;
    }
    if (is_any(a) || is_any(b) || (is_number(a) && is_number(b))
        || (is_text(a) && is_text(b))) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == KAPPA_EXPR_OBJECT || a->kind == KAPPA_EXPR_ROW) {
        return kappa_str_eq(a->name, b->name);
    }
    return true;
}

static bool
values_within(const kappa_expr_type_t *from, const kappa_expr_type_t *to)
{
    for (uint32_t i = 0; i < from->value_count; i++) {
        bool found = false;

        for (uint32_t j = 0; j < to->value_count && !found; j++) {
            found = kappa_str_eq(from->values[i], to->values[j]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool
holds_json(const kappa_expr_type_t *type)
{
    while (type->kind == KAPPA_EXPR_LIST) {
        type = type->item;
    }
    return type->kind == KAPPA_EXPR_DYN;
}

/* Input objects that must fit objects are left in pairs. */
static bool
assignable(kappa_pairs_t *pairs, const kappa_expr_type_t *from,
    const kappa_expr_type_t *to)
{
    while (from->kind == KAPPA_EXPR_LIST && to->kind == KAPPA_EXPR_LIST) {
        from = from->item;
        to = to->item;
    }
    if (is_any(from) || to->kind == KAPPA_EXPR_DYN
        || to->kind == KAPPA_EXPR_ERROR) {
        return true;
    }
    if (to->kind == KAPPA_EXPR_ENUM) {
        return from->kind == KAPPA_EXPR_ENUM && values_within(from, to);
    }
    if (to->kind == KAPPA_EXPR_DOUBLE) {
        return is_number(from);
    }
    if (to->kind == KAPPA_EXPR_STRING) {
        return is_text(from);
    }
    if (from->kind != to->kind) {
        return false;
    }
    if (to->kind == KAPPA_EXPR_OBJECT || to->kind == KAPPA_EXPR_ROW) {
        return kappa_str_eq(from->name, to->name)
            || (from->input && kappa_pairs_add(pairs, from, to));
    }
    return true;
}

/* Nothing looks into an object when it is evaluated: JSON is not for a member
 * of another type. */
static bool
members_assignable(kappa_pairs_t *pairs, const kappa_expr_type_t *from,
    const kappa_expr_type_t *to)
{
    for (uint32_t i = 0; i < from->member_count; i++) {
        const kappa_expr_type_t *type = from->members[i].type;
        const kappa_expr_member_t *member =
            kappa_expr_type_member(to, from->members[i].name);

        if (member == NULL || !assignable(pairs, type, member->type)
            || holds_json(type) != holds_json(member->type)) {
            return false;
        }
    }
    return true;
}

bool
kappa_expr_type_assignable(
    const kappa_expr_type_t *from, const kappa_expr_type_t *to)
{
    kappa_pairs_t pairs;

    pairs.count = 0;
    if (!assignable(&pairs, from, to)) {
        return false;
    }
    for (uint32_t i = 0; i < pairs.count; i++) {
        if (!members_assignable(&pairs, pairs.a[i], pairs.b[i])) {
            return false;
        }
    }
    return true;
}
