#include "proto/graphql_ws.h"

#include "base/json.h"

static const struct {
    const char *name;
    kappa_ws_type_t type;
} types[] = {
    { "connection_init", KAPPA_WS_INIT },
    { "ping", KAPPA_WS_PING },
    { "pong", KAPPA_WS_PONG },
    { "subscribe", KAPPA_WS_SUBSCRIBE },
    { "complete", KAPPA_WS_COMPLETE },
};

static kappa_status_t
invalid(kappa_str_t *reason, kappa_str_t why)
{
    *reason = why;
    return KAPPA_INVALID;
}

static kappa_status_t
read_type(const kappa_value_t *object, kappa_ws_type_t *out)
{
    const kappa_value_t *type = kappa_value_member(object, KAPPA_STR("type"));

    for (size_t i = 0; type != NULL && type->kind == KAPPA_STRING
         && i < sizeof(types) / sizeof(types[0]);
         i++) {
        if (kappa_str_eq_c(type->as.string, types[i].name)) {
            *out = types[i].type;
            return KAPPA_OK;
        }
    }
    return KAPPA_INVALID;
}

static kappa_status_t
read_id(
    const kappa_value_t *object, kappa_ws_message_t *out, kappa_str_t *reason)
{
    const kappa_value_t *id = kappa_value_member(object, KAPPA_STR("id"));

    if (id == NULL || id->kind != KAPPA_STRING || id->as.string.len == 0) {
        return invalid(
            reason, KAPPA_STR("Invalid message: \"id\" must be a string"));
    }
    out->id = id->as.string;
    return KAPPA_OK;
}

static kappa_status_t
read_payload(
    const kappa_value_t *object, kappa_ws_message_t *out, kappa_str_t *reason)
{
    const kappa_value_t *payload =
        kappa_value_member(object, KAPPA_STR("payload"));

    if (payload == NULL || payload->kind == KAPPA_NULL) {
        return KAPPA_OK;
    }
    if (payload->kind != KAPPA_OBJECT) {
        return invalid(reason,
            KAPPA_STR("Invalid message: \"payload\" must be an object"));
    }
    out->payload = *payload;
    return KAPPA_OK;
}

static kappa_status_t
read_subscribe(kappa_arena_t *arena, const kappa_value_t *object,
    kappa_ws_message_t *out, kappa_str_t *reason)
{
    const kappa_value_t *payload =
        kappa_value_member(object, KAPPA_STR("payload"));
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 1);
    if (payload == NULL || payload->kind != KAPPA_OBJECT) {
        return invalid(reason,
            KAPPA_STR("Invalid message: \"payload\" must be an object"));
    }
    kappa_status_t status =
        kappa_graphql_http_params(payload, &out->params, &errors);
    if (status == KAPPA_INVALID && errors.first != NULL) {
        return invalid(reason, errors.first->message);
    }
    return status;
}

kappa_status_t
kappa_ws_parse(kappa_arena_t *arena, kappa_str_t text, kappa_ws_message_t *out,
    kappa_str_t *reason)
{
    kappa_value_t object;

    *out = (kappa_ws_message_t){ 0 };
    kappa_status_t status = kappa_json_parse(arena, text, &object, reason);
    if (status != KAPPA_OK) {
        return status;
    }
    if (read_type(&object, &out->type) != KAPPA_OK) {
        return invalid(reason,
            KAPPA_STR("Invalid message: \"type\" is none of the protocol's"));
    }
    switch (out->type) {
    case KAPPA_WS_SUBSCRIBE:
        status = read_id(&object, out, reason);
        return status == KAPPA_OK ? read_subscribe(arena, &object, out, reason)
                                  : status;
    case KAPPA_WS_COMPLETE:
        return read_id(&object, out, reason);
    default:
        return read_payload(&object, out, reason);
    }
}

void
kappa_ws_ack(kappa_buf_t *buf)
{
    KAPPA_BUF_LIT(buf, "{\"type\":\"connection_ack\"}");
}

void
kappa_ws_ping(kappa_buf_t *buf)
{
    KAPPA_BUF_LIT(buf, "{\"type\":\"ping\"}");
}

void
kappa_ws_pong(kappa_buf_t *buf, const kappa_value_t *payload)
{
    KAPPA_BUF_LIT(buf, "{\"type\":\"pong\"");
    if (!kappa_is_null(payload)) {
        KAPPA_BUF_LIT(buf, ",\"payload\":");
        kappa_json_value(buf, payload);
    }
    kappa_buf_char(buf, '}');
}

static void
begin(kappa_buf_t *buf, const char *type, kappa_str_t id)
{
    KAPPA_BUF_LIT(buf, "{\"id\":");
    kappa_json_string(buf, id);
    kappa_buf_printf(buf, ",\"type\":\"%s\"", type);
}

void
kappa_ws_next(kappa_buf_t *buf, kappa_str_t id, kappa_str_t json)
{
    begin(buf, "next", id);
    KAPPA_BUF_LIT(buf, ",\"payload\":");
    kappa_buf_str(buf, json);
    kappa_buf_char(buf, '}');
}

void
kappa_ws_error(kappa_buf_t *buf, kappa_str_t id, const kappa_errors_t *errors)
{
    begin(buf, "error", id);
    KAPPA_BUF_LIT(buf, ",\"payload\":");
    kappa_json_errors(buf, errors);
    kappa_buf_char(buf, '}');
}

void
kappa_ws_complete(kappa_buf_t *buf, kappa_str_t id)
{
    begin(buf, "complete", id);
    kappa_buf_char(buf, '}');
}
