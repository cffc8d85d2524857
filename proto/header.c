#include "proto/header.h"

static kappa_str_t
trim(kappa_str_t s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = kappa_str(s.data + 1, s.len - 1);
    }
    while (
        s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/* What stands before the first `end` outside of quotes; *rest is behind it. */
static kappa_str_t
take_until(kappa_str_t *rest, char end)
{
    kappa_str_t s = *rest;
    bool quoted = false;
    size_t i = 0;

    for (; i < s.len && (quoted || s.data[i] != end); i++) {
        if (s.data[i] == '"') {
            quoted = !quoted;
        } else if (quoted && s.data[i] == '\\' && i + 1 < s.len) {
            i++;
        }
    }
    size_t skip = i < s.len ? i + 1 : i;
    *rest = kappa_str(s.data + skip, s.len - skip);
    return trim(kappa_str(s.data, i));
}

bool
kappa_header_next(kappa_str_t *rest, kappa_header_item_t *out)
{
    while (rest->len > 0) {
        kappa_str_t element = take_until(rest, ',');

        if (element.len > 0) {
            out->params = element;
            out->value = take_until(&out->params, ';');
            return true;
        }
    }
    return false;
}

static kappa_str_t
unquote(kappa_str_t s)
{
    if (s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"') {
        return kappa_str(s.data + 1, s.len - 2);
    }
    return s;
}

bool
kappa_header_param(
    kappa_header_item_t *item, kappa_str_t *name, kappa_str_t *value)
{
    while (item->params.len > 0) {
        kappa_str_t param = take_until(&item->params, ';');

        if (param.len > 0) {
            *value = param;
            *name = take_until(value, '=');
            *value = unquote(trim(*value));
            return true;
        }
    }
    return false;
}

bool
kappa_header_is(kappa_str_t s, const char *text)
{
    if (s.len != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (kappa_char_lower(s.data[i]) != kappa_char_lower(text[i])) {
            return false;
        }
    }
    return true;
}

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ] */
bool
kappa_header_quality(kappa_str_t s, uint16_t *thousandths)
{
    unsigned v, scale = 100;

    if (s.len == 0 || s.len > 5 || (s.data[0] != '0' && s.data[0] != '1')
        || (s.len > 1 && s.data[1] != '.')) {
        return false;
    }
    v = s.data[0] == '1' ? 1000 : 0;
    for (size_t i = 2; i < s.len; i++, scale /= 10) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
        v += (unsigned)(s.data[i] - '0') * scale;
    }
    if (v > 1000) {
        return false;
    }
    *thousandths = (uint16_t)v;
    return true;
}

kappa_str_t
kappa_header_bearer(kappa_str_t authorization)
{
    const size_t len = sizeof("Bearer ") - 1;

    return authorization.len >= len
            && kappa_header_is(kappa_str(authorization.data, len), "Bearer ")
        ? trim(kappa_str(authorization.data + len, authorization.len - len))
        : KAPPA_STR_NULL;
}
