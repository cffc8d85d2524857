#include "proto/graphql_body.h"

#include "base/json.h"

#define FLAT_MAX 16

typedef struct {
    kappa_arena_t *arena;
    kappa_str_t text;
    size_t at;
    kappa_status_t status; /* KAPPA_INVALID: unusual, give up */
} scan_t;

static void
skip_blank(scan_t *s)
{
    while (s->at < s->text.len
        && (s->text.data[s->at] == ' ' || s->text.data[s->at] == '\n'
            || s->text.data[s->at] == '\r' || s->text.data[s->at] == '\t')) {
        s->at++;
    }
}

/* Blanks, then this character. */
static bool
take(scan_t *s, char c)
{
    skip_blank(s);
    if (s->at < s->text.len && s->text.data[s->at] == c) {
        s->at++;
        return true;
    }
    return false;
}

static bool
take_word(scan_t *s, kappa_str_t word)
{
    kappa_str_t rest = kappa_str(s->text.data + s->at, s->text.len - s->at);

    if (!kappa_str_starts_with(rest, word)) {
        return false;
    }
    s->at += word.len;
    return true;
}

static bool
take_null(scan_t *s)
{
    return take_word(s, KAPPA_STR("null"));
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

/* From behind a quote to behind the next one that is not escaped; gives what
 * stands between. */
static bool
take_string(scan_t *s, kappa_str_t *inside)
{
    const char *start = s->text.data + s->at;
    const char *end = s->text.data + s->text.len;
    const char *p = start;

    for (; p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL; p++) {
        if (!escaped(start, p)) {
            *inside = kappa_str(start, (size_t)(p - start));
            s->at = (size_t)(p - s->text.data) + 1;
            return true;
        }
    }
    return false;
}

/* "text" or null */
static void
scan_text(scan_t *s, kappa_str_t *out)
{
    kappa_str_t inside;

    skip_blank(s);
    if (take_null(s)) {
        return;
    }
    if (!take(s, '"') || !take_string(s, &inside)) {
        s->status = KAPPA_INVALID;
        return;
    }
    s->status = kappa_json_text(s->arena, inside, out);
}

/* From a { to behind the } that ends it. That the brackets between match is
 * for the parser to say. */
static bool
take_object(scan_t *s, kappa_str_t *object)
{
    size_t start = s->at, depth = 0;
    kappa_str_t inside;

    while (s->at < s->text.len) {
        char c = s->text.data[s->at++];

        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '"' && !take_string(s, &inside)) {
            return false;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            *object = kappa_str(s->text.data + start, s->at - start);
            return true;
        }
    }
    return false;
}

/* -? [1-9] [0-9]{0,17} or 0: what can't overflow. What stands behind is for
 * the caller, to whom 1.5 is a 1 and something unusual. */
static bool
take_integer(scan_t *s, kappa_value_t *out)
{
    bool negative = s->text.data[s->at] == '-';
    size_t start = s->at + negative, at = start;
    int64_t v = 0;

    for (; at < s->text.len && at < start + 18; at++) {
        char c = s->text.data[at];

        if (c < '0' || c > '9') {
            break;
        }
        v = v * 10 + (c - '0');
    }
    if (at == start || (s->text.data[start] == '0' && at > start + 1)) {
        return false;
    }
    s->at = at;
    *out = kappa_int(negative ? -v : v);
    return true;
}

static bool
take_scalar(scan_t *s, kappa_value_t *out)
{
    kappa_str_t inside, text;

    skip_blank(s);
    if (s->at == s->text.len) {
        return false;
    }
    switch (s->text.data[s->at]) {
    case '"':
        s->at++;
        if (!take_string(s, &inside)) {
            return false;
        }
        s->status = kappa_json_text(s->arena, inside, &text);
        *out = kappa_string(text);
        return s->status == KAPPA_OK;
    case 't':
    case 'f':
        *out = kappa_bool(s->text.data[s->at] == 't');
        return take_word(
            s, out->as.boolean ? KAPPA_STR("true") : KAPPA_STR("false"));
    case 'n':
        *out = kappa_null();
        return take_null(s);
    default:
        return take_integer(s, out);
    }
}

static bool
take_name(
    scan_t *s, const kappa_member_t *before, uint32_t count, kappa_str_t *out)
{
    kappa_str_t inside;

    if (!take(s, '"') || !take_string(s, &inside)) {
        return false;
    }
    s->status = kappa_json_text(s->arena, inside, out);
    for (uint32_t i = 0; i < count && s->status == KAPPA_OK; i++) {
        if (kappa_str_eq(before[i].name, *out)) {
            return false;
        }
    }
    return s->status == KAPPA_OK && take(s, ':');
}

/* Variables are mostly a few scalars: {"name": scalar, …}. False: something
 * else, or s->status is KAPPA_NOMEM. */
static bool
scan_flat(scan_t *s, kappa_value_t *out)
{
    kappa_member_t members[FLAT_MAX];
    uint32_t count = 0;

    if (!take(s, '{')) {
        return false;
    }
    do {
        if (count == FLAT_MAX
            || !take_name(s, members, count, &members[count].name)
            || !take_scalar(s, &members[count].value)) {
            return false;
        }
        count++;
    } while (take(s, ','));
    if (!take(s, '}') || s->at != s->text.len) {
        return false;
    }
    kappa_member_t *kept = KAPPA_NEW_ARRAY(s->arena, kappa_member_t, count);
    if (kept == NULL) {
        s->status = KAPPA_NOMEM;
        return false;
    }
    memcpy(kept, members, count * sizeof(*kept));
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = kept
    };
    return true;
}

static kappa_status_t
read_object(kappa_arena_t *arena, kappa_str_t object, kappa_value_t *out)
{
    scan_t s = { .arena = arena, .text = object };

    if (kappa_str_eq(object, KAPPA_STR("{}"))) {
        *out = (kappa_value_t){ .kind = KAPPA_OBJECT };
        return KAPPA_OK;
    }
    if (scan_flat(&s, out)) {
        return KAPPA_OK;
    }
    return s.status == KAPPA_NOMEM
        ? KAPPA_NOMEM
        : kappa_json_parse(arena, object, out, NULL);
}

/* {…} or null */
static void
scan_object(scan_t *s, kappa_value_t *out)
{
    kappa_str_t object;

    skip_blank(s);
    if (take_null(s)) {
        return;
    }
    if (s->at == s->text.len || s->text.data[s->at] != '{'
        || !take_object(s, &object)) {
        s->status = KAPPA_INVALID;
    } else {
        s->status = read_object(s->arena, object, out);
    }
}

/* "name" : value; a name that is unknown or comes twice is unusual. */
static void
scan_member(scan_t *s, kappa_graphql_params_t *out, unsigned *seen)
{
    static const char *const names[] = { "query", "operationName", "variables",
        "extensions", "documentId" };
    kappa_str_t name;
    unsigned i = 0;

    if (!take(s, '"') || !take_string(s, &name) || !take(s, ':')) {
        s->status = KAPPA_INVALID;
        return;
    }
    while (i < 5 && !kappa_str_eq_c(name, names[i])) {
        i++;
    }
    if (i == 5 || (*seen & 1u << i) != 0) {
        s->status = KAPPA_INVALID;
        return;
    }
    *seen |= 1u << i;
    if (i == 2 || i == 3) {
        scan_object(s, i == 2 ? &out->variables : &out->extensions);
    } else {
        scan_text(s,
            i == 0       ? &out->query
                : i == 1 ? &out->operation_name
                         : &out->document_id);
    }
}

bool
kappa_graphql_body_scan(kappa_arena_t *arena, kappa_str_t body,
    kappa_graphql_params_t *out, kappa_status_t *status)
{
    scan_t s = { .arena = arena, .text = body };
    unsigned seen = 0;

    *out = (kappa_graphql_params_t){ 0 };
    if (!take(&s, '{')) {
        return false;
    }
    do {
        scan_member(&s, out, &seen);
    } while (s.status == KAPPA_OK && take(&s, ','));
    if (s.status == KAPPA_OK && take(&s, '}')) {
        skip_blank(&s);
        *status = KAPPA_OK;
        return s.at == body.len;
    }
    *status = s.status;
    return s.status == KAPPA_NOMEM;
}
