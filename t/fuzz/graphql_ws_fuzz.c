#include <stdlib.h>

#include "base/json.h"
#include "proto/graphql_ws.h"

/* One message of graphql-transport-ws, without frames around it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t reason = KAPPA_STR_NULL;
    kappa_ws_message_t message;
    kappa_buf_t buf;

    kappa_status_t status = kappa_ws_parse(
        arena, kappa_str((const char *)data, size), &message, &reason);
    if (status == KAPPA_INVALID
        && (reason.len == 0 || kappa_utf8_valid(reason) != reason.len)) {
        abort();
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    if (status == KAPPA_OK) {
        kappa_ws_pong(&buf, &message.payload);
        kappa_json_value(&buf, &message.params.variables);
        kappa_ws_complete(&buf, message.id);
        if (buf.failed || kappa_utf8_valid(kappa_buf_view(&buf)) != buf.len) {
            abort();
        }
    }
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return 0;
}
