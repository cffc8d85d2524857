#include "views/read_private.h"

/* Which page of a list is asked for, and its rows in order. */

#define PAGE_MAX 1000

typedef struct {
    const kappa_list_t *list;
    const kappa_scan_t *scan;
    const kappa_value_t *args;
    kappa_arena_t *arena;
    kappa_paging_t *paging;
    kappa_errors_t *errors;
} work_t;

/* The argument of a role that is given, or NULL. */
static const kappa_value_t *
paging_arg(const work_t *w, kappa_arg_role_t role, const char **name)
{
    for (uint32_t i = 0; i < w->list->arg_count; i++) {
        if (w->list->args[i].role == role && !kappa_is_null(&w->args[i])) {
            *name = w->scan->field->args[i].name.data;
            return &w->args[i];
        }
    }
    return NULL;
}

static kappa_status_t
page_size(work_t *w, const kappa_value_t *value, const char *name)
{
    if (value->as.integer < 0) {
        kappa_errors_add(w->errors, "BAD_USER_INPUT",
            "Argument \"%s\" can't be negative.", name);
        return KAPPA_INVALID;
    }
    if (value->as.integer > PAGE_MAX) {
        kappa_errors_add(w->errors, "LIMIT_EXCEEDED",
            "Argument \"%s\" can be at most %d; take several pages.", name,
            PAGE_MAX);
        return KAPPA_INVALID;
    }
    w->paging->limit = (uint32_t)value->as.integer;
    return KAPPA_OK;
}

static kappa_status_t
page_cursor(
    work_t *w, kappa_arg_role_t role, const char *what, kappa_place_t *place)
{
    const char *name;
    const kappa_value_t *value = paging_arg(w, role, &name);
    kappa_status_t status = value
        ? kappa_cursor_read(
            w->scan, value->as.string, w->arena, &place->rest, &place->member)
        : KAPPA_OK;

    if (status != KAPPA_NOT_FOUND) {
        return status;
    }
    kappa_errors_add(w->errors, "BAD_USER_INPUT",
        "Argument \"%s\" is no cursor of this list with these filters and "
        "this order.",
        what);
    return KAPPA_INVALID;
}

/* Perhaps nobody gave it. */
static bool
is_default(const work_t *w, const kappa_value_t *value)
{
    const kappa_value_t *said =
        &w->scan->field->args[value - w->args].default_value;

    return !kappa_is_null(said) && said->as.integer == value->as.integer;
}

/* Where both are there, one that is the schema's default gives way. */
static kappa_status_t
choose_end(work_t *w, const kappa_value_t **first, const kappa_value_t **last)
{
    if (!*first || !*last) {
        return KAPPA_OK;
    }
    bool from_schema = is_default(w, *first);
    if (from_schema == is_default(w, *last)) {
        kappa_errors_add(w->errors, "BAD_USER_INPUT",
            "Give \"first\" or \"last\", not both.");
        return KAPPA_INVALID;
    }
    *(from_schema ? first : last) = NULL;
    return KAPPA_OK;
}

kappa_status_t
kappa_read_paging(const kappa_list_t *list, const kappa_scan_t *scan,
    const kappa_value_t *args, kappa_arena_t *arena, kappa_paging_t *paging,
    kappa_errors_t *errors)
{
    work_t w = { list, scan, args, arena, paging, errors };
    const char *name;
    const kappa_value_t *first = paging_arg(&w, KAPPA_ARG_FIRST, &name);
    const kappa_value_t *last = paging_arg(&w, KAPPA_ARG_LAST, &name);
    kappa_status_t status = choose_end(&w, &first, &last);

    if (status != KAPPA_OK) {
        return status;
    }
    *paging = (kappa_paging_t){ .limit = list->default_limit,
        .from_end = last != NULL };
    if (first || last) {
        status = page_size(&w, first ? first : last, first ? "first" : "last");
    }
    if (status == KAPPA_OK) {
        status = page_cursor(&w, KAPPA_ARG_AFTER, "after", &paging->after);
    }
    return status == KAPPA_OK
        ? page_cursor(&w, KAPPA_ARG_BEFORE, "before", &paging->before)
        : status;
}

void
kappa_read_reverse(
    kappa_row_t *rows, kappa_str_t *entries, uint32_t *members, uint32_t count)
{
    for (uint32_t i = 0, j = count; i + 1 < j; i++) {
        kappa_row_t row = rows[i];
        kappa_str_t entry = entries[i];

        rows[i] = rows[--j];
        rows[j] = row;
        entries[i] = entries[j];
        entries[j] = entry;
        if (members) {
            uint32_t member = members[i];

            members[i] = members[j];
            members[j] = member;
        }
    }
}
