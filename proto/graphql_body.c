#include "proto/graphql_body.h"

#include "base/json.h"
#include "base/json_plain.h"

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

/* From behind a quote to behind the next one that is not escaped; gives what
 * stands between. */
static bool
take_string(scan_t *s, kappa_str_t *inside)
{
    kappa_str_t rest = kappa_str(s->text.data + s->at, s->text.len - s->at);

    if (!kappa_json_inside(rest, inside)) {
        return false;
    }
    s->at += inside->len + 1;
    return true;
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

/* What is not plain in it is no reason to read all of the body anew. */
static void
parse_object(scan_t *s, kappa_value_t *out)
{
    kappa_str_t object;

    s->status = take_object(s, &object)
        ? kappa_json_parse(s->arena, object, out, NULL)
        : KAPPA_INVALID;
}

/* {…} or null */
static void
scan_object(scan_t *s, kappa_value_t *out)
{
    skip_blank(s);
    if (take_null(s)) {
        return;
    }
    if (s->at == s->text.len || s->text.data[s->at] != '{') {
        s->status = KAPPA_INVALID;
        return;
    }
    kappa_str_t rest = kappa_str(s->text.data + s->at, s->text.len - s->at);
    s->status = kappa_json_plain_first(s->arena, &rest, out);
    if (s->status == KAPPA_AGAIN) {
        parse_object(s, out);
    } else if (s->status == KAPPA_OK) {
        s->at = s->text.len - rest.len;
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
