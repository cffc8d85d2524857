#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "t/unit/graphql_run.h"

/* A request: the document, then behind a NUL the variables' JSON. From parsing
 * to executing over rows in memory nothing may crash, and the answer must be
 * JSON without a member twice. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static kappa_fake_t *
load(void)
{
    static kappa_fake_t fake;
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t sdl =
        kappa_fake_read(arena, "t/fixtures/execute/schema.graphql");
    kappa_str_t json = kappa_fake_read(arena, "t/fixtures/execute/data.json");
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (sdl.data == NULL || json.data == NULL
        || kappa_fake_init(&fake, arena, sdl, json, &errors) != KAPPA_OK) {
        fprintf(stderr, "request_fuzz: run it where t/fixtures is\n");
        abort();
    }
    return &fake;
}

static void
check(const kappa_buf_t *out)
{
    json_error_t error;
    json_t *json = json_loadb(out->data, out->len,
        JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);

    if (json == NULL
        || (json_object_get(json, "data") == NULL
            && json_object_get(json, "errors") == NULL)) {
        fprintf(stderr, "%.*s\n%s\n", (int)out->len, out->data, error.text);
        abort();
    }
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static kappa_fake_t *fake;
    const char *text = (const char *)data;
    const char *nul = size ? memchr(text, '\0', size) : NULL;
    size_t len = nul ? (size_t)(nul - text) : size;
    kappa_fake_request_t request = { .text = kappa_str(text, len) };
    kappa_buf_t out;
    kappa_status_t status;

    if (fake == NULL) {
        fake = load();
    }
    if (nul != NULL) {
        request.variables = kappa_str(nul + 1, size - len - 1);
    }
    kappa_buf_init(&out, &kappa_alloc_libc);
    status = kappa_fake_run(fake, &kappa_alloc_libc, &request, &out);
    if (status != KAPPA_NOMEM) {
        check(&out);
    }
    kappa_buf_release(&out);
    return 0;
}
