#include "auth/token.h"

#include <jwt.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "base/json.h"

/* What a token says of itself before anything is believed. */
typedef struct {
    kappa_value_t header;
    kappa_value_t claims;
} parts_t;

static kappa_status_t
refuse(const char **reason, const char *why)
{
    *reason = why;
    return KAPPA_INVALID;
}

/* One base64url part as JSON object. */
static kappa_status_t
read_part(kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out)
{
    size_t len = KAPPA_BASE64URL_BYTES(text.len);
    uint8_t *bytes = kappa_arena_bytes(arena, len + 1);

    if (bytes == NULL) {
        return KAPPA_NOMEM;
    }
    if (!kappa_base64url_decode(text, bytes)) {
        return KAPPA_INVALID;
    }
    kappa_status_t status =
        kappa_json_parse(arena, kappa_str((char *)bytes, len), out, NULL);
    return status == KAPPA_OK && out->kind != KAPPA_OBJECT ? KAPPA_INVALID
                                                           : status;
}

static kappa_status_t
read_parts(
    kappa_arena_t *arena, kappa_str_t token, parts_t *out, const char **reason)
{
    const char *first = memchr(token.data, '.', token.len);
    const char *end = token.data + token.len;
    const char *second =
        first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1))
        || memchr(token.data, '\0', token.len)) {
        return refuse(reason, "it is not a JSON Web Token");
    }
    kappa_status_t status = read_part(arena,
        kappa_str(token.data, (size_t)(first - token.data)), &out->header);
    if (status == KAPPA_OK) {
        status = read_part(arena,
            kappa_str(first + 1, (size_t)(second - first - 1)), &out->claims);
    }
    return status == KAPPA_INVALID
        ? refuse(reason, "it is not a JSON Web Token")
        : status;
}

static kappa_str_t
string_member(const kappa_value_t *object, kappa_str_t name)
{
    const kappa_value_t *v = kappa_value_member(object, name);

    return v != NULL && v->kind == KAPPA_STRING ? v->as.string
                                                : KAPPA_STR_NULL;
}

static const kappa_issuer_t *
find_issuer(const kappa_issuer_t *const *issuers, uint32_t count,
    const kappa_value_t *claims)
{
    kappa_str_t iss = string_member(claims, KAPPA_STR("iss"));

    for (uint32_t i = 0; iss.data != NULL && i < count; i++) {
        if (kappa_str_eq(issuers[i]->name, iss)) {
            return issuers[i];
        }
    }
    return NULL;
}

/* --- signature --- */

static bool
signed_by(kappa_str_t token, const kappa_key_t *key)
{
    jwt_t *jwt = NULL;
    bool good =
        jwt_decode(&jwt, token.data, (const unsigned char *)key->bytes.data,
            (int)key->bytes.len)
            == 0
        && strcmp(jwt_alg_str(jwt_get_alg(jwt)), kappa_alg_name(key->alg))
            == 0;

    jwt_free(jwt);
    return good;
}

/* With a kid, only the key of that id; else all of the algorithm. The
 * algorithm is compared before the key is touched, so a public key is never
 * taken for a secret. */
static kappa_status_t
check_signature(const kappa_issuer_t *issuer, const parts_t *parts,
    kappa_str_t token, const char **reason)
{
    kappa_str_t name = string_member(&parts->header, KAPPA_STR("alg"));
    kappa_str_t id = string_member(&parts->header, KAPPA_STR("kid"));
    bool tried = false;
    kappa_alg_t alg;

    if (!kappa_alg_parse(name, &alg)) {
        return refuse(reason, "its algorithm is not accepted");
    }
    for (uint32_t i = 0; i < issuer->keys.count; i++) {
        const kappa_key_t *key = &issuer->keys.keys[i];

        if (key->alg != alg
            || (id.data != NULL && key->id.data != NULL
                && !kappa_str_eq(id, key->id))) {
            continue;
        }
        tried = true;
        if (signed_by(token, key)) {
            return KAPPA_OK;
        }
    }
    return refuse(reason,
        tried ? "its signature is wrong"
              : "its issuer has no key of that id and algorithm");
}

/* --- claims --- */

/* A NumericDate; absent: *out as it was. */
static bool
read_date(const kappa_value_t *claims, kappa_str_t name, int64_t *out)
{
    const kappa_value_t *v = kappa_value_member(claims, name);

    if (v == NULL) {
        return true;
    }
    if (v->kind == KAPPA_INT) {
        *out = v->as.integer;
        return true;
    }
    if (v->kind == KAPPA_DOUBLE && v->as.number > -1e15
        && v->as.number < 1e15) {
        *out = (int64_t)v->as.number;
        return true;
    }
    return false;
}

static bool
has_audience(const kappa_value_t *claims, kappa_str_t audience)
{
    const kappa_value_t *aud = kappa_value_member(claims, KAPPA_STR("aud"));

    if (aud == NULL) {
        return false;
    }
    if (aud->kind == KAPPA_STRING) {
        return kappa_str_eq(aud->as.string, audience);
    }
    for (uint32_t i = 0; aud->kind == KAPPA_LIST && i < aud->count; i++) {
        if (aud->as.items[i].kind == KAPPA_STRING
            && kappa_str_eq(aud->as.items[i].as.string, audience)) {
            return true;
        }
    }
    return false;
}

/* a + b without overflow. */
static int64_t
later(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static kappa_status_t
check_claims(const kappa_issuer_t *issuer, const kappa_value_t *claims,
    int64_t now_s, int64_t *expires_s, const char **reason)
{
    int64_t not_before = INT64_MIN;

    *expires_s = INT64_MAX;
    if (!read_date(claims, KAPPA_STR("exp"), expires_s)
        || !read_date(claims, KAPPA_STR("nbf"), &not_before)) {
        return refuse(reason, "its exp or nbf is no date");
    }
    *expires_s = later(*expires_s, issuer->leeway_s);
    if (now_s >= *expires_s) {
        return refuse(reason, "it has expired");
    }
    if (later(now_s, issuer->leeway_s) < not_before) {
        return refuse(reason, "it is not valid yet");
    }
    if (issuer->audience.data != NULL
        && !has_audience(claims, issuer->audience)) {
        return refuse(reason, "it is for another audience");
    }
    return KAPPA_OK;
}

/* --- the caller --- */

/* The claim at a path of names with dots between. */
static const kappa_value_t *
claim_at(const kappa_value_t *claims, kappa_str_t path)
{
    const kappa_value_t *at = kappa_value_member(claims, path);

    if (at != NULL) { /* a name may have dots in it */
        return at;
    }
    at = claims;
    while (at != NULL && path.len > 0) {
        const char *dot = memchr(path.data, '.', path.len);
        size_t len = dot ? (size_t)(dot - path.data) : path.len;

        at = kappa_value_member(at, kappa_str(path.data, len));
        len += dot ? 1 : 0;
        path = kappa_str(path.data + len, path.len - len);
    }
    return at;
}

/* "a b" as ["a", "b"]. */
static kappa_status_t
split_words(kappa_arena_t *arena, kappa_str_t text, kappa_value_t *out)
{
    kappa_value_t *items =
        KAPPA_NEW_ARRAY(arena, kappa_value_t, text.len / 2 + 1);
    uint32_t count = 0;

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (size_t i = 0, start = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == ' ') {
            if (i > start) {
                items[count++] =
                    kappa_string(kappa_str(text.data + start, i - start));
            }
            start = i + 1;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = items
    };
    return KAPPA_OK;
}

/* A list of strings, or words in one; what is neither is an empty list. */
static kappa_status_t
read_words(
    kappa_arena_t *arena, const kappa_value_t *claim, kappa_value_t *out)
{
    *out = (kappa_value_t){ .kind = KAPPA_LIST };
    if (claim == NULL) {
        return KAPPA_OK;
    }
    if (claim->kind == KAPPA_STRING) {
        return split_words(arena, claim->as.string, out);
    }
    for (uint32_t i = 0; claim->kind == KAPPA_LIST && i < claim->count; i++) {
        if (claim->as.items[i].kind != KAPPA_STRING) {
            return KAPPA_OK;
        }
    }
    if (claim->kind == KAPPA_LIST) {
        *out = *claim;
    }
    return KAPPA_OK;
}

static kappa_status_t
fill_caller(kappa_arena_t *arena, const kappa_issuer_t *issuer,
    const kappa_value_t *claims, kappa_caller_t *out)
{
    const kappa_value_t *scope =
        kappa_value_member(claims, KAPPA_STR("scope"));

    if (scope == NULL) {
        scope = kappa_value_member(claims, KAPPA_STR("scp"));
    }
    out->sub = string_member(claims, KAPPA_STR("sub"));
    out->iss = string_member(claims, KAPPA_STR("iss"));
    out->claims = *claims;
    kappa_status_t status =
        read_words(arena, claim_at(claims, issuer->roles), &out->roles);
    return status == KAPPA_OK ? read_words(arena, scope, &out->scopes)
                              : status;
}

kappa_status_t
kappa_token_verify(kappa_arena_t *arena, const kappa_issuer_t *const *issuers,
    uint32_t issuer_count, kappa_str_t token, int64_t now_s,
    kappa_identity_t *out, const char **reason)
{
    parts_t parts;

    *out = (kappa_identity_t){ .expires_s = 0 };
    if (token.len > KAPPA_TOKEN_BYTES_MAX) {
        return refuse(reason, "it is over 16 KiB");
    }
    token = kappa_str_dup(arena, token); /* libjwt wants a NUL */
    if (token.data == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_status_t status = read_parts(arena, token, &parts, reason);
    if (status != KAPPA_OK) {
        return status;
    }
    const kappa_issuer_t *issuer =
        find_issuer(issuers, issuer_count, &parts.claims);
    if (issuer == NULL) {
        return refuse(reason, "its issuer is not known");
    }
    status = check_signature(issuer, &parts, token, reason);
    if (status == KAPPA_OK) {
        status = check_claims(
            issuer, &parts.claims, now_s, &out->expires_s, reason);
    }
    if (status == KAPPA_OK) {
        status = fill_caller(arena, issuer, &parts.claims, &out->caller);
    }
    return status;
}

bool
kappa_caller_has_scope(const kappa_caller_t *caller, kappa_str_t scope)
{
    const kappa_value_t *scopes = &caller->scopes;

    for (uint32_t i = 0; scopes->kind == KAPPA_LIST && i < scopes->count;
         i++) {
        if (scopes->as.items[i].kind == KAPPA_STRING
            && kappa_str_eq(scopes->as.items[i].as.string, scope)) {
            return true;
        }
    }
    return false;
}
