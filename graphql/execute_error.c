#include "graphql/execute_private.h"

#include <stdio.h>

#include "base/json.h"

kappa_written_t
kappa_execute_stop(kappa_execution_t *x, kappa_status_t status)
{
    x->status = status;
    return KAPPA_STOPPED;
}

/* Places shown of one error: a field may be merged from thousands. */
#define PLACES_MAX 100

typedef struct {
    kappa_plan_place_t shown[PLACES_MAX];
    uint32_t count;
} places_t;

/* A place once, though fragments may bring it again. */
static void
write_place(kappa_buf_t *buf, places_t *places, kappa_plan_place_t place)
{
    for (uint32_t i = 0; i < places->count; i++) {
        if (places->shown[i].line == place.line
            && places->shown[i].column == place.column) {
            return;
        }
    }
    if (places->count == PLACES_MAX) {
        return;
    }
    kappa_buf_printf(buf, "%s{\"line\":%u,\"column\":%u}",
        places->count ? "," : "", place.line, place.column);
    places->shown[places->count++] = place;
}

/* The error's own places, or the field's. */
static void
write_places(kappa_execution_t *x, const kappa_plan_field_t *f,
    const kappa_error_t *error)
{
    kappa_buf_t *buf = &x->errors_json;
    uint32_t own = error ? error->location_count : 0;
    places_t places;

    places.count = 0;
    KAPPA_BUF_LIT(buf, ",\"locations\":[");
    for (uint32_t i = 0; i < own; i++) {
        write_place(buf, &places,
            (kappa_plan_place_t){
                error->locations[i].line, error->locations[i].column });
    }
    for (uint32_t i = 0;
         own == 0 && i < f->place_count && places.count < PLACES_MAX; i++) {
        if (f->place_tests == NULL
            || kappa_plan_all_hold(&f->place_tests[i], x->variables)) {
            write_place(buf, &places, f->places[i]);
        }
    }
    kappa_buf_char(buf, ']');
}

/* Names and indexes from the root on. As deep as the plan. */
static void
write_path(kappa_buf_t *buf, const kappa_path_t *path)
{
    if (path->up != NULL) {
        write_path(buf, path->up);
        kappa_buf_char(buf, ',');
    }
    if (path->field != NULL) {
        kappa_json_string(buf, path->field->name);
    } else {
        kappa_buf_int64(buf, path->index);
    }
}

static const kappa_plan_field_t *
field_of(const kappa_path_t *path)
{
    while (path->field == NULL) {
        path = path->up;
    }
    return path->field;
}

static kappa_written_t
fail(kappa_execution_t *x, const kappa_path_t *path, const char *code,
    kappa_str_t message, const kappa_error_t *error)
{
    kappa_buf_t *buf = &x->errors_json;

    if (x->error_count == KAPPA_EXECUTE_ERRORS_MAX) {
        return KAPPA_FAILED;
    }
    if (x->error_count++ == 0) {
        x->code = code;
    } else {
        kappa_buf_char(buf, ',');
    }
    KAPPA_BUF_LIT(buf, "{\"message\":");
    kappa_json_string(buf, message);
    write_places(x, field_of(path), error);
    KAPPA_BUF_LIT(buf, ",\"path\":[");
    write_path(buf, path);
    KAPPA_BUF_LIT(buf, "],\"extensions\":{\"code\":");
    kappa_json_string(buf, kappa_str_c(code));
    KAPPA_BUF_LIT(buf, "}}");
    return buf->failed ? kappa_execute_stop(x, KAPPA_NOMEM) : KAPPA_FAILED;
}

kappa_written_t
kappa_execute_fail(kappa_execution_t *x, const kappa_path_t *path,
    const char *code, kappa_str_t message)
{
    return fail(x, path, code, message, NULL);
}

kappa_written_t
kappa_execute_fail_op(kappa_execution_t *x, const kappa_path_t *path)
{
    kappa_written_t written = KAPPA_FAILED;

    if (x->errors.no_memory) {
        return kappa_execute_stop(x, KAPPA_NOMEM);
    }
    if (x->errors.first == NULL) {
        return kappa_execute_fail(x, path, "INTERNAL",
            KAPPA_STR("The data source failed without saying why."));
    }
    for (const kappa_error_t *e = x->errors.first;
         e != NULL && written == KAPPA_FAILED; e = e->next) {
        written = fail(x, path, e->code ? e->code : "INTERNAL", e->message, e);
    }
    kappa_errors_init(&x->errors, x->arena, KAPPA_EXECUTE_ERRORS_MAX);
    return written;
}

kappa_written_t
kappa_execute_fail_null(kappa_execution_t *x, const kappa_path_t *path)
{
    const kappa_field_t *field = field_of(path)->field;
    char text[256];
    int len;

    if (x->error_count == KAPPA_EXECUTE_ERRORS_MAX) {
        return KAPPA_FAILED;
    }
    len = snprintf(text, sizeof(text),
        "Cannot return null for non-nullable field %.*s.%.*s.",
        KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name));
    if (len >= (int)sizeof(text)) {
        len = sizeof(text) - 1;
    }
    return kappa_execute_fail(
        x, path, "INTERNAL", kappa_str(text, (size_t)len));
}
