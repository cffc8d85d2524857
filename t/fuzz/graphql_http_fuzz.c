#include <stdlib.h>

#include "base/json.h"
#include "proto/graphql_batch.h"

/* The first byte chooses what the rest is: a body, a batch, a query string, or
 * the headers Accept and Content-Type. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_params(kappa_status_t status, const kappa_graphql_params_t *params,
    const kappa_errors_t *errors)
{
    if ((status == KAPPA_OK) != (errors->count == 0)) {
        abort();
    }
    if (status != KAPPA_OK) {
        return;
    }
    if (kappa_utf8_valid(params->query) != params->query.len
        || (params->variables.kind != KAPPA_UNSET
            && params->variables.kind != KAPPA_OBJECT)) {
        abort();
    }
    kappa_buf_t buf;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_value(&buf, &params->variables);
    if (buf.failed) {
        abort();
    }
    kappa_buf_release(&buf);
}

static void
try_headers(kappa_str_t text)
{
    kappa_accept_t accept;

    kappa_graphql_http_accept(text, &accept);
    kappa_media_t media = kappa_graphql_http_choose(&accept, false);
    if (media != KAPPA_MEDIA_NONE && accept.quality[media] == 0) {
        abort();
    }
    kappa_graphql_http_content_type(text);
}

static void
try_batch(kappa_arena_t *arena, kappa_str_t text, kappa_errors_t *errors)
{
    kappa_graphql_params_t *params;
    uint32_t count;
    kappa_status_t status =
        kappa_graphql_batch_read(arena, text, 100, &params, &count, errors);

    if (status != KAPPA_OK) {
        check_params(status, NULL, errors);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        check_params(status, &params[i], errors);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_graphql_params_t params;
    kappa_errors_t errors;

    if (size == 0) {
        return 0;
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text = kappa_str((const char *)data + 1, size - 1);
    kappa_errors_init(&errors, arena, 0);
    if (data[0] == '{') {
        text = kappa_str((const char *)data, size);
        check_params(kappa_graphql_http_body(arena, text, &params, &errors),
            &params, &errors);
    } else if (data[0] == '[') {
        try_batch(arena, kappa_str((const char *)data, size), &errors);
    } else if (data[0] == '?') {
        check_params(
            kappa_graphql_http_query_string(arena, text, &params, &errors),
            &params, &errors);
    } else {
        try_headers(text);
    }
    kappa_arena_destroy(arena);
    return 0;
}
