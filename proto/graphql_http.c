#include "proto/graphql_http.h"

#include "base/json.h"
#include "proto/graphql_body.h"
#include "proto/header.h"

#define CODE "BAD_USER_INPUT"

static kappa_status_t
refuse(kappa_errors_t *errors, const char *message)
{
    kappa_errors_add(errors, CODE, "%s", message);
    return errors != NULL && errors->no_memory ? KAPPA_NOMEM : KAPPA_INVALID;
}

/* --- one member after the other, from a body or from parameters */

static kappa_status_t
take_string(const kappa_value_t *v, kappa_str_t *out, const char *wrong,
    kappa_errors_t *errors)
{
    if (v == NULL || kappa_is_null(v)) {
        return KAPPA_OK;
    }
    if (v->kind != KAPPA_STRING) {
        return refuse(errors, wrong);
    }
    *out = v->as.string;
    return KAPPA_OK;
}

static kappa_status_t
take_object(const kappa_value_t *v, kappa_value_t *out, const char *wrong,
    kappa_errors_t *errors)
{
    if (v == NULL || kappa_is_null(v)) {
        return KAPPA_OK;
    }
    if (v->kind != KAPPA_OBJECT) {
        return refuse(errors, wrong);
    }
    *out = *v;
    return KAPPA_OK;
}

/* A persisted query is known by its hash, a trusted one by its id, and needs
 * no text. */
static kappa_status_t
check_query(const kappa_graphql_params_t *params, kappa_errors_t *errors)
{
    if (params->query.data != NULL || params->document_id.data != NULL) {
        return KAPPA_OK;
    }
    const kappa_value_t *persisted =
        kappa_value_member(&params->extensions, KAPPA_STR("persistedQuery"));
    if (persisted != NULL && persisted->kind == KAPPA_OBJECT) {
        return KAPPA_OK;
    }
    return refuse(errors,
        "The request has no \"query\": give the text of a GraphQL document "
        "as a string.");
}

/* documentId is the specification's name. The others are Relay's and those of
 * older servers: where there is a text they may mean anything. */
static kappa_status_t
take_document_id(const kappa_value_t *body, kappa_graphql_params_t *out,
    kappa_errors_t *errors)
{
    static const kappa_str_t names[] = { KAPPA_STR("id"),
        KAPPA_STR("doc_id") };
    kappa_status_t status =
        take_string(kappa_value_member(body, KAPPA_STR("documentId")),
            &out->document_id, "\"documentId\" must be a string.", errors);

    for (size_t i = 0; i < 2 && status == KAPPA_OK; i++) {
        const kappa_value_t *v = kappa_value_member(body, names[i]);

        if (out->query.data == NULL && out->document_id.data == NULL
            && v != NULL && v->kind == KAPPA_STRING) {
            out->document_id = v->as.string;
        }
    }
    return status;
}

kappa_status_t
kappa_graphql_http_params(const kappa_value_t *body,
    kappa_graphql_params_t *out, kappa_errors_t *errors)
{
    *out = (kappa_graphql_params_t){ 0 };
    kappa_status_t status =
        take_string(kappa_value_member(body, KAPPA_STR("query")), &out->query,
            "\"query\" must be a string.", errors);

    if (status == KAPPA_OK) {
        status =
            take_string(kappa_value_member(body, KAPPA_STR("operationName")),
                &out->operation_name, "\"operationName\" must be a string.",
                errors);
    }
    if (status == KAPPA_OK) {
        status = take_object(kappa_value_member(body, KAPPA_STR("variables")),
            &out->variables, "\"variables\" must be an object.", errors);
    }
    if (status == KAPPA_OK) {
        status = take_object(kappa_value_member(body, KAPPA_STR("extensions")),
            &out->extensions, "\"extensions\" must be an object.", errors);
    }
    if (status == KAPPA_OK) {
        status = take_document_id(body, out, errors);
    }
    return status == KAPPA_OK ? check_query(out, errors) : status;
}

static kappa_status_t
parse_body(kappa_arena_t *arena, kappa_str_t body, kappa_graphql_params_t *out,
    kappa_errors_t *errors)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_value_t value;
    kappa_status_t status = kappa_json_parse(arena, body, &value, &message);

    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE, "The body is not valid JSON: %.*s.",
            KAPPA_STR_ARG(message));
        return errors != NULL && errors->no_memory ? KAPPA_NOMEM : status;
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (value.kind == KAPPA_LIST) {
        return refuse(errors,
            "Several requests in one body are not accepted: send one JSON "
            "object.");
    }
    if (value.kind != KAPPA_OBJECT) {
        return refuse(errors,
            "The body must be a JSON object with the member \"query\".");
    }
    return kappa_graphql_http_params(&value, out, errors);
}

kappa_status_t
kappa_graphql_http_body(kappa_arena_t *arena, kappa_str_t body,
    kappa_graphql_params_t *out, kappa_errors_t *errors)
{
    kappa_status_t status;

    if (body.len == 0) {
        *out = (kappa_graphql_params_t){ 0 };
        return refuse(errors, "The request has no body.");
    }
    if (kappa_graphql_body_scan(arena, body, out, &status)) {
        return status == KAPPA_OK ? check_query(out, errors) : status;
    }
    *out = (kappa_graphql_params_t){ 0 };
    return parse_body(arena, body, out, errors);
}

/* --- the query string of a GET */

/* Bytes of one parameter; false: a broken % escape. */
static bool
decode_into(char *p, kappa_str_t s, size_t *len)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (c == '%') {
            int high = i + 2 < s.len ? kappa_hex_value(s.data[i + 1]) : -1;
            int low = i + 2 < s.len ? kappa_hex_value(s.data[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        p[n++] = c;
    }
    *len = n;
    return true;
}

static kappa_status_t
decode(kappa_arena_t *arena, kappa_str_t s, kappa_str_t *out,
    kappa_errors_t *errors)
{
    char *p = kappa_arena_bytes(arena, s.len + 1);
    size_t n = 0;

    if (p == NULL) {
        return KAPPA_NOMEM;
    }
    if (!decode_into(p, s, &n)) {
        return refuse(errors,
            "A parameter has a \"%\" that no two hexadecimal digits follow.");
    }
    *out = kappa_str(p, n);
    if (kappa_utf8_valid(*out) != n) {
        return refuse(errors, "A parameter is not valid UTF-8.");
    }
    return KAPPA_OK;
}

typedef enum {
    PARAM_QUERY,
    PARAM_OPERATION_NAME,
    PARAM_VARIABLES,
    PARAM_EXTENSIONS,
    PARAM_DOCUMENT_ID,
    PARAM_ID,
    PARAM_DOC_ID,
    PARAMS
} param_t;

static const kappa_str_t param_names[PARAMS] = {
    [PARAM_QUERY] = { "query", 5 },
    [PARAM_OPERATION_NAME] = { "operationName", 13 },
    [PARAM_VARIABLES] = { "variables", 9 },
    [PARAM_EXTENSIONS] = { "extensions", 10 },
    [PARAM_DOCUMENT_ID] = { "documentId", 10 },
    [PARAM_ID] = { "id", 2 },
    [PARAM_DOC_ID] = { "doc_id", 6 },
};

/* Names of parameters are told apart as written: none of ours needs a %. */
static param_t
find_param(kappa_str_t name)
{
    param_t which = 0;

    while (which < PARAMS && !kappa_str_eq(name, param_names[which])) {
        which++;
    }
    return which;
}

/* The raw text of each parameter; data NULL: not given. */
static kappa_status_t
split_params(kappa_str_t text, kappa_str_t raw[PARAMS], kappa_errors_t *errors)
{
    while (text.len > 0) {
        const char *end = memchr(text.data, '&', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        const char *equals = memchr(text.data, '=', len);
        size_t name = equals ? (size_t)(equals - text.data) : len;
        param_t which = find_param(kappa_str(text.data, name));

        if (which < PARAMS) {
            if (raw[which].data != NULL) {
                kappa_errors_add(errors, CODE,
                    "The parameter \"%.*s\" is given twice.",
                    KAPPA_STR_ARG(param_names[which]));
                return errors != NULL && errors->no_memory ? KAPPA_NOMEM
                                                           : KAPPA_INVALID;
            }
            size_t skip = equals ? name + 1 : name;
            raw[which] = kappa_str(text.data + skip, len - skip);
        }
        len += end != NULL;
        text = kappa_str(text.data + len, text.len - len);
    }
    return KAPPA_OK;
}

static kappa_status_t
take_json_param(kappa_arena_t *arena, kappa_str_t text, param_t which,
    kappa_value_t *out, kappa_errors_t *errors)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_value_t value = kappa_null();
    kappa_status_t status = text.len > 0
        ? kappa_json_parse(arena, text, &value, &message)
        : KAPPA_OK;

    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE,
            "The parameter \"%.*s\" is not valid JSON: %.*s.",
            KAPPA_STR_ARG(param_names[which]), KAPPA_STR_ARG(message));
        return errors != NULL && errors->no_memory ? KAPPA_NOMEM : status;
    }
    if (status != KAPPA_OK) {
        return status;
    }
    return take_object(&value, out,
        which == PARAM_VARIABLES ? "\"variables\" must be an object."
                                 : "\"extensions\" must be an object.",
        errors);
}

kappa_status_t
kappa_graphql_http_query_string(kappa_arena_t *arena, kappa_str_t query_string,
    kappa_graphql_params_t *out, kappa_errors_t *errors)
{
    kappa_str_t raw[PARAMS] = { { 0 } }, text[PARAMS] = { { 0 } };
    kappa_status_t status = split_params(query_string, raw, errors);

    *out = (kappa_graphql_params_t){ 0 };
    for (size_t i = 0; i < PARAMS && status == KAPPA_OK; i++) {
        if (raw[i].data != NULL) {
            status = decode(arena, raw[i], &text[i], errors);
        }
    }
    if (status == KAPPA_OK) {
        status = take_json_param(arena, text[PARAM_VARIABLES], PARAM_VARIABLES,
            &out->variables, errors);
    }
    if (status == KAPPA_OK) {
        status = take_json_param(arena, text[PARAM_EXTENSIONS],
            PARAM_EXTENSIONS, &out->extensions, errors);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    out->query = text[PARAM_QUERY];
    if (text[PARAM_OPERATION_NAME].len > 0) {
        out->operation_name = text[PARAM_OPERATION_NAME];
    }
    out->document_id = text[PARAM_DOCUMENT_ID];
    for (param_t i = PARAM_ID; i <= PARAM_DOC_ID; i++) {
        if (out->query.data == NULL && out->document_id.data == NULL) {
            out->document_id = text[i];
        }
    }
    return check_query(out, errors);
}

/* --- headers */

bool
kappa_graphql_http_content_type(kappa_str_t header)
{
    kappa_header_item_t item;
    kappa_str_t rest = header;

    if (kappa_str_eq(header, KAPPA_STR("application/json"))) {
        return true;
    }
    if (!kappa_header_next(&rest, &item)
        || !kappa_header_is(item.value, "application/json")) {
        return false;
    }
    kappa_str_t name, value;
    while (kappa_header_param(&item, &name, &value)) {
        if (kappa_header_is(name, "charset")
            && !kappa_header_is(value, "utf-8")
            && !kappa_header_is(value, "utf8")) {
            return false;
        }
    }
    return !kappa_header_next(&rest, &item);
}

/* How exactly a range names a media type; 0: not at all. */
static unsigned
range_matches(kappa_str_t range, kappa_media_t media)
{
    const char *names[] = {
        [KAPPA_MEDIA_JSON] = "application/json",
        [KAPPA_MEDIA_GRAPHQL] = "application/graphql-response+json",
        [KAPPA_MEDIA_SSE] = "text/event-stream",
    };

    if (kappa_header_is(range, names[media])) {
        return 3;
    }
    if (kappa_header_is(
            range, media == KAPPA_MEDIA_SSE ? "text/*" : "application/*")) {
        return 2;
    }
    return kappa_header_is(range, "*/*") ? 1 : 0;
}

/* A charset that is not UTF-8 is one we have not. */
static bool
read_range_params(kappa_header_item_t *item, uint16_t *quality)
{
    kappa_str_t name, value;

    *quality = 1000;
    while (kappa_header_param(item, &name, &value)) {
        if (kappa_header_is(name, "q")) {
            return kappa_header_quality(value, quality);
        }
        if (kappa_header_is(name, "charset")
            && !kappa_header_is(value, "utf-8")
            && !kappa_header_is(value, "utf8")) {
            return false;
        }
    }
    return true;
}

void
kappa_graphql_http_accept(kappa_str_t header, kappa_accept_t *out)
{
    unsigned exact[KAPPA_MEDIA_SSE + 1] = { 0 };
    kappa_header_item_t item;
    uint16_t place = 0, quality;

    *out = (kappa_accept_t){ 0 };
    if (header.len == 0) {
        header = KAPPA_STR("*/*");
    }
    while (kappa_header_next(&header, &item)) {
        if (!read_range_params(&item, &quality)) {
            continue;
        }
        place += place < UINT16_MAX;
        for (kappa_media_t m = KAPPA_MEDIA_JSON; m <= KAPPA_MEDIA_SSE; m++) {
            unsigned matches = range_matches(item.value, m);

            /* The most exact range decides (RFC 9110, 12.5.1). */
            if (matches > exact[m]) {
                exact[m] = matches;
                out->quality[m] = quality;
                out->order[m] = matches == 3 ? place : 0;
            }
        }
    }
}

static bool
comes_first(const kappa_accept_t *accept, kappa_media_t a, kappa_media_t b)
{
    if (accept->quality[a] != accept->quality[b]) {
        return accept->quality[a] > accept->quality[b];
    }
    /* Equal, one by name and the other by a wildcard: the name. */
    if (accept->order[a] == 0 || accept->order[b] == 0) {
        return accept->order[a] != 0;
    }
    return accept->order[a] < accept->order[b];
}

kappa_media_t
kappa_graphql_http_choose(const kappa_accept_t *accept, bool subscription)
{
    uint16_t sse = accept->quality[KAPPA_MEDIA_SSE];
    kappa_media_t json = kappa_graphql_http_error_media(accept);

    if (subscription) {
        return sse > 0 ? KAPPA_MEDIA_SSE : KAPPA_MEDIA_NONE;
    }
    if (accept->quality[json] == 0 && sse == 0) {
        return KAPPA_MEDIA_NONE;
    }
    return sse > accept->quality[json] ? KAPPA_MEDIA_SSE : json;
}

kappa_media_t
kappa_graphql_http_error_media(const kappa_accept_t *accept)
{
    return comes_first(accept, KAPPA_MEDIA_GRAPHQL, KAPPA_MEDIA_JSON)
        ? KAPPA_MEDIA_GRAPHQL
        : KAPPA_MEDIA_JSON;
}

bool
kappa_graphql_http_wants_page(kappa_str_t header)
{
    kappa_header_item_t item;
    kappa_accept_t accept;
    uint16_t quality;

    kappa_graphql_http_accept(header, &accept);
    while (kappa_header_next(&header, &item)) {
        if (kappa_header_is(item.value, "text/html")
            && read_range_params(&item, &quality)) {
            return quality > accept.quality[KAPPA_MEDIA_JSON]
                && quality > accept.quality[KAPPA_MEDIA_GRAPHQL];
        }
    }
    return false;
}

kappa_str_t
kappa_media_name(kappa_media_t media)
{
    switch (media) {
    case KAPPA_MEDIA_GRAPHQL:
        return KAPPA_STR("application/graphql-response+json; charset=utf-8");
    case KAPPA_MEDIA_SSE:
        return KAPPA_STR("text/event-stream; charset=utf-8");
    default:
        return KAPPA_STR("application/json; charset=utf-8");
    }
}

unsigned
kappa_graphql_http_status(kappa_media_t media, kappa_http_outcome_t outcome,
    kappa_status_codes_t codes)
{
    static const unsigned fixed[] = {
        [KAPPA_OUTCOME_BAD_REQUEST] = 400,
        [KAPPA_OUTCOME_METHOD] = 405,
        [KAPPA_OUTCOME_NOT_ACCEPTABLE] = 406,
        [KAPPA_OUTCOME_MEDIA_TYPE] = 415,
        [KAPPA_OUTCOME_TOO_LARGE] = 413,
        [KAPPA_OUTCOME_UNAUTHENTICATED] = 401,
        [KAPPA_OUTCOME_FORBIDDEN] = 403,
        [KAPPA_OUTCOME_GONE] = 410,
        [KAPPA_OUTCOME_UNAVAILABLE] = 503,
        [KAPPA_OUTCOME_FAILED] = 500,
    };
    bool newest = codes == KAPPA_STATUS_CODES_2026_09;

    if (outcome >= KAPPA_OUTCOME_BAD_REQUEST) {
        return fixed[outcome];
    }
    if (media != KAPPA_MEDIA_GRAPHQL || outcome == KAPPA_OUTCOME_DATA
        || outcome == KAPPA_OUTCOME_HASH_UNKNOWN) {
        return 200;
    }
    if (outcome == KAPPA_OUTCOME_DATA_ERRORS) {
        return newest ? 294 : 200;
    }
    return newest && outcome != KAPPA_OUTCOME_SYNTAX ? 422 : 400;
}
