#include "base/json_plain.h"

#include "base/json.h"

#define DEPTH_MAX 32
#define MEMBERS_MAX 64
#define DIGITS_MAX 18 /* any number of so many fits */
#define FIRST_CAP 8

typedef struct {
    kappa_arena_t *arena;
    const char *at;
    const char *end;
} reader_t;

static kappa_status_t read_value(
    reader_t *r, kappa_value_t *out, unsigned depth);

static void
skip_space(reader_t *r)
{
    while (r->at < r->end
        && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r'
            || *r->at == '\t')) {
        r->at++;
    }
}

/* Behind `c`, with the space around it; false: it is not there. */
static bool
take(reader_t *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    skip_space(r);
    return true;
}

/* An odd number of backslashes stands before p. */
static bool
escaped(const char *start, const char *p)
{
    size_t slashes = 0;

    while (p > start && *--p == '\\') {
        slashes++;
    }
    return slashes % 2 != 0;
}

bool
kappa_json_inside(kappa_str_t s, kappa_str_t *inside)
{
    const char *end = s.data + s.len;
    const char *p = s.data;

    for (; p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL; p++) {
        if (!escaped(s.data, p)) {
            *inside = kappa_str(s.data, (size_t)(p - s.data));
            return true;
        }
    }
    return false;
}

/* Stands behind the opening quote. */
static kappa_status_t
read_string(reader_t *r, kappa_str_t *out)
{
    kappa_str_t inside;

    if (!kappa_json_inside(
            kappa_str(r->at, (size_t)(r->end - r->at)), &inside)) {
        return KAPPA_AGAIN;
    }
    r->at = inside.data + inside.len + 1;
    kappa_status_t status = kappa_json_text(r->arena, inside, out);
    return status == KAPPA_INVALID ? KAPPA_AGAIN : status;
}

static bool
is_digit(const reader_t *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* "-0" and "01" are jansson's to judge, as is all with a point. */
static kappa_status_t
read_integer(reader_t *r, kappa_value_t *out)
{
    bool negative = *r->at == '-';
    int64_t n = 0;

    r->at += negative;
    const char *start = r->at;
    for (; is_digit(r) && r->at - start < DIGITS_MAX; r->at++) {
        n = 10 * n + (*r->at - '0');
    }
    ptrdiff_t digits = r->at - start;
    if (digits == 0 || is_digit(r)
        || (*start == '0' && (digits > 1 || negative))) {
        return KAPPA_AGAIN;
    }
    if (r->at < r->end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E')) {
        return KAPPA_AGAIN;
    }
    *out = kappa_int(negative ? -n : n);
    return KAPPA_OK;
}

static kappa_status_t
read_word(reader_t *r, kappa_value_t *out)
{
    static const struct {
        kappa_str_t text;
        kappa_value_t value;
    } words[] = {
        { { "true", 4 }, { .kind = KAPPA_BOOL, .as.boolean = true } },
        { { "false", 5 }, { .kind = KAPPA_BOOL } },
        { { "null", 4 }, { .kind = KAPPA_NULL } },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = words[i].text.len;

        if ((size_t)(r->end - r->at) >= len
            && memcmp(r->at, words[i].text.data, len) == 0) {
            r->at += len;
            *out = words[i].value;
            return KAPPA_OK;
        }
    }
    return KAPPA_AGAIN;
}

/* Room for one more of `count` things of `size`, which move. */
static kappa_status_t
grow(reader_t *r, void **things, size_t size, uint32_t count, uint32_t *cap)
{
    if (count < *cap) {
        return KAPPA_OK;
    }
    uint32_t more = *cap ? 2 * *cap : FIRST_CAP;
    void *moved = kappa_arena_alloc(r->arena, more * size);

    if (moved == NULL) {
        return KAPPA_NOMEM;
    }
    if (count > 0) {
        memcpy(moved, *things, count * size);
    }
    *things = moved;
    *cap = more;
    return KAPPA_OK;
}

static kappa_status_t
read_list(reader_t *r, kappa_value_t *out, unsigned depth)
{
    static const kappa_value_t none;
    void *items = NULL;
    uint32_t count = 0, cap = 0;
    bool more = !take(r, ']');

    while (more) {
        kappa_status_t status =
            grow(r, &items, sizeof(kappa_value_t), count, &cap);

        if (status == KAPPA_OK) {
            status = read_value(r, (kappa_value_t *)items + count, depth);
        }
        if (status != KAPPA_OK) {
            return status;
        }
        count++;
        more = take(r, ',');
        if (!more && !take(r, ']')) {
            return KAPPA_AGAIN;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = count ? items : &none
    };
    return KAPPA_OK;
}

static bool
is_among(const kappa_member_t *members, uint32_t count, kappa_str_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (kappa_str_eq(members[i].name, name)) {
            return true;
        }
    }
    return false;
}

static kappa_status_t
read_member(
    reader_t *r, kappa_member_t *members, uint32_t count, unsigned depth)
{
    kappa_member_t *member = &members[count];

    if (count == MEMBERS_MAX || r->at == r->end || *r->at++ != '"') {
        return KAPPA_AGAIN;
    }
    kappa_status_t status = read_string(r, &member->name);
    if (status != KAPPA_OK) {
        return status;
    }
    if (is_among(members, count, member->name) || !take(r, ':')) {
        return KAPPA_AGAIN;
    }
    return read_value(r, &member->value, depth);
}

static kappa_status_t
read_object(reader_t *r, kappa_value_t *out, unsigned depth)
{
    static const kappa_member_t none;
    void *members = NULL;
    uint32_t count = 0, cap = 0;
    bool more = !take(r, '}');

    while (more) {
        kappa_status_t status =
            grow(r, &members, sizeof(kappa_member_t), count, &cap);

        if (status == KAPPA_OK) {
            status = read_member(r, members, count, depth);
        }
        if (status != KAPPA_OK) {
            return status;
        }
        count++;
        more = take(r, ',');
        if (!more && !take(r, '}')) {
            return KAPPA_AGAIN;
        }
    }
    *out = (kappa_value_t){ .kind = KAPPA_OBJECT,
        .count = count,
        .as.members = count ? members : &none };
    return KAPPA_OK;
}

static kappa_status_t
read_value(reader_t *r, kappa_value_t *out, unsigned depth)
{
    if (r->at == r->end || depth == DEPTH_MAX) {
        return KAPPA_AGAIN;
    }
    switch (*r->at) {
    case '"':
        r->at++;
        *out = (kappa_value_t){ .kind = KAPPA_STRING };
        return read_string(r, &out->as.string);
    case '{':
        r->at++;
        return read_object(r, out, depth + 1);
    case '[':
        r->at++;
        return read_list(r, out, depth + 1);
    case 't':
    case 'f':
    case 'n':
        return read_word(r, out);
    default:
        return read_integer(r, out);
    }
}

kappa_status_t
kappa_json_plain_first(
    kappa_arena_t *arena, kappa_str_t *text, kappa_value_t *out)
{
    reader_t r = { arena, text->data, text->data + text->len };

    if (text->len == 0) {
        return KAPPA_AGAIN;
    }
    skip_space(&r);
    kappa_status_t status = read_value(&r, out, 0);
    if (status == KAPPA_OK) {
        skip_space(&r);
        *text = kappa_str(r.at, (size_t)(r.end - r.at));
    }
    return status;
}

kappa_status_t
kappa_json_plain(kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out)
{
    kappa_status_t status = kappa_json_plain_first(arena, &text, out);

    return status == KAPPA_OK && text.len > 0 ? KAPPA_AGAIN : status;
}
