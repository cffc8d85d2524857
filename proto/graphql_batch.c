#include "proto/graphql_batch.h"

#include "base/json.h"

#define CODE "BAD_USER_INPUT"

bool
kappa_graphql_batch_is(kappa_str_t body)
{
    size_t i = 0;

    while (i < body.len && memchr(" \t\r\n", body.data[i], 4) != NULL) {
        i++;
    }
    return i < body.len && body.data[i] == '[';
}

static kappa_status_t
refused(const kappa_errors_t *errors, kappa_status_t status)
{
    return errors != NULL && errors->no_memory ? KAPPA_NOMEM : status;
}

static kappa_status_t
read_one(kappa_arena_t *arena, const kappa_value_t *request, uint32_t number,
    kappa_graphql_params_t *out, kappa_errors_t *errors)
{
    kappa_errors_t own;

    if (request->kind != KAPPA_OBJECT) {
        kappa_errors_add(errors, CODE,
            "Request %u of the batch must be a JSON object.", number);
        return refused(errors, KAPPA_INVALID);
    }
    kappa_errors_init(&own, arena, 1);
    kappa_status_t status = kappa_graphql_http_params(request, out, &own);
    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE, "Request %u of the batch: %.*s", number,
            KAPPA_STR_ARG(own.first->message));
        status = refused(errors, status);
    }
    return status;
}

static kappa_status_t
read_list(kappa_arena_t *arena, kappa_str_t body, kappa_value_t *out,
    kappa_errors_t *errors)
{
    kappa_str_t message = KAPPA_STR_NULL;
    kappa_status_t status = kappa_json_parse(arena, body, out, &message);

    if (status == KAPPA_INVALID) {
        kappa_errors_add(errors, CODE, "The body is not valid JSON: %.*s.",
            KAPPA_STR_ARG(message));
        return refused(errors, status);
    }
    if (status == KAPPA_OK && (out->kind != KAPPA_LIST || out->count == 0)) {
        kappa_errors_add(errors, CODE, "The batch has no requests.");
        return refused(errors, KAPPA_INVALID);
    }
    return status;
}

kappa_status_t
kappa_graphql_batch_read(kappa_arena_t *arena, kappa_str_t body, uint32_t max,
    kappa_graphql_params_t **out, uint32_t *count, kappa_errors_t *errors)
{
    kappa_value_t list;
    kappa_status_t status = read_list(arena, body, &list, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    if (list.count > max) {
        kappa_errors_add(errors, "LIMIT_EXCEEDED",
            "The batch has %u requests, past the limit of %u. Send less at "
            "once.",
            list.count, max);
        return refused(errors, KAPPA_LIMIT);
    }
    *out = KAPPA_NEW_ARRAY(arena, kappa_graphql_params_t, list.count);
    *count = list.count;
    if (*out == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < list.count && status == KAPPA_OK; i++) {
        status = read_one(arena, &list.as.items[i], i + 1, &(*out)[i], errors);
    }
    return status;
}

kappa_http_outcome_t
kappa_graphql_batch_outcome(kappa_http_outcome_t first,
    kappa_http_outcome_t second, kappa_media_t media,
    kappa_status_codes_t codes)
{
    return kappa_graphql_http_status(media, first, codes)
            == kappa_graphql_http_status(media, second, codes)
        ? first
        : KAPPA_OUTCOME_DATA;
}
