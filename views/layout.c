#include "views/layout.h"

#include "views/row.h"

/* In META under "layout": one line per name, `KIND NUMBER NAME\n`, in the
 * order they were given. Text, because it is small, and a person may have to
 * look. */

#define LAYOUT "layout"
#define NUMBER_MAX 65535

/* What is numbered, each kind in its own range: columns per view, indexes per
 * view. Numbers of views and aggregates start at 1, so 0 is nothing. */
typedef struct {
    kappa_arena_t *arena;
    kappa_map_t numbers; /* "KIND NAME" to number + 1 */
    kappa_map_t next;    /* range to next number + 1 */
    kappa_buf_t text;
    bool write;
    bool added;
} layout_t;

static kappa_status_t
count_up(layout_t *layout, kappa_str_t range, uintptr_t number)
{
    uintptr_t next = (uintptr_t)kappa_map_get(&layout->next, range);

    if (number + 1 < next) {
        return KAPPA_OK;
    }
    return kappa_map_put(&layout->next, range, (void *)(number + 2));
}

/* `range name`: the range is what stands before the last space. */
static kappa_status_t
remember(layout_t *layout, kappa_str_t full, uintptr_t number)
{
    size_t end = full.len;

    while (end > 0 && full.data[end - 1] != ' ') {
        end--;
    }
    if (end == 0) {
        return KAPPA_CORRUPT;
    }
    kappa_status_t status =
        kappa_map_put(&layout->numbers, full, (void *)(number + 1));
    return status == KAPPA_OK
        ? count_up(layout, kappa_str(full.data, end - 1), number)
        : status;
}

/* NUMBER RANGE NAME */
static kappa_status_t
read_line(layout_t *layout, kappa_str_t line)
{
    const char *space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    int64_t number;

    if (space == NULL
        || !kappa_str_to_int64(
            kappa_str(line.data, (size_t)(space - line.data)), &number)
        || number < 0 || number > NUMBER_MAX) {
        return KAPPA_CORRUPT;
    }
    size_t skip = (size_t)(space - line.data) + 1;
    kappa_str_t full = kappa_str_dup(
        layout->arena, kappa_str(line.data + skip, line.len - skip));
    return full.data ? remember(layout, full, (uintptr_t)number) : KAPPA_NOMEM;
}

static kappa_status_t
read_layout(layout_t *layout, kappa_txn_t *txn)
{
    kappa_str_t text;
    kappa_status_t status =
        kappa_txn_get(txn, KAPPA_DBI_META, KAPPA_STR(LAYOUT), &text);

    if (status != KAPPA_OK) {
        return status == KAPPA_NOT_FOUND ? KAPPA_OK : status;
    }
    kappa_buf_str(&layout->text, text);
    while (text.len && status == KAPPA_OK) {
        const char *end = memchr(text.data, '\n', text.len);

        if (end == NULL) {
            return KAPPA_CORRUPT;
        }
        size_t len = (size_t)(end - text.data);
        status = read_line(layout, kappa_str(text.data, len));
        text.data += len + 1;
        text.len -= len + 1;
    }
    return status;
}

static kappa_status_t
assign(layout_t *layout, kappa_str_t range, kappa_str_t full, uint32_t first,
    uint32_t *number)
{
    uintptr_t next = (uintptr_t)kappa_map_get(&layout->next, range);
    uintptr_t given = next ? next - 1 : first;

    if (!layout->write) {
        return KAPPA_NOT_FOUND;
    }
    if (given > NUMBER_MAX) {
        return KAPPA_LIMIT;
    }
    kappa_buf_int64(&layout->text, (int64_t)given);
    kappa_buf_char(&layout->text, ' ');
    kappa_buf_str(&layout->text, full);
    kappa_buf_char(&layout->text, '\n');
    layout->added = true;
    *number = (uint32_t)given;
    return remember(layout, full, given);
}

/* range: "view", "column Package", "index Package", "aggregate". */
static kappa_status_t
number_of(layout_t *layout, const char *kind, kappa_str_t view,
    kappa_str_t name, uint32_t first, uint32_t *number)
{
    kappa_str_t range = kappa_str_printf(layout->arena, "%s%s%.*s", kind,
        view.len ? " " : "", KAPPA_STR_ARG(view));
    kappa_str_t full = kappa_str_printf(
        layout->arena, "%.*s %.*s", KAPPA_STR_ARG(range), KAPPA_STR_ARG(name));

    if (range.data == NULL || full.data == NULL) {
        return KAPPA_NOMEM;
    }
    uintptr_t known = (uintptr_t)kappa_map_get(&layout->numbers, full);
    if (known == 0) {
        return assign(layout, range, full, first, number);
    }
    *number = (uint32_t)(known - 1);
    return KAPPA_OK;
}

/* "section,name"; names hold neither commas nor spaces. */
static kappa_str_t
index_name(kappa_arena_t *arena, const kappa_index_t *index)
{
    kappa_str_t name =
        kappa_str_printf(arena, "%s", index->unique ? "unique:" : "");

    for (uint32_t i = 0; i < index->column_count && name.data; i++) {
        name = kappa_str_printf(arena, "%.*s%s%.*s", KAPPA_STR_ARG(name),
            i ? "," : "",
            KAPPA_STR_ARG(index->view->columns[index->columns[i]].name));
    }
    return name;
}

static kappa_status_t
number_columns(layout_t *layout, kappa_model_t *model, kappa_view_t *view)
{
    for (uint32_t i = 0; i < view->column_count; i++) {
        uint32_t number;
        kappa_status_t status = number_of(
            layout, "column", view->name, view->columns[i].name, 0, &number);

        if (status != KAPPA_OK) {
            return status;
        }
        if (number >= KAPPA_ROW_COLUMNS_MAX) {
            return KAPPA_LIMIT;
        }
        kappa_model_number(model, view->number, i, number);
    }
    return KAPPA_OK;
}

static kappa_status_t
number_view(layout_t *layout, kappa_model_t *model, kappa_view_t *view)
{
    kappa_status_t status =
        number_of(layout, "view", KAPPA_STR_NULL, view->name, 1, &view->slot);

    if (status == KAPPA_OK) {
        status = number_columns(layout, model, view);
    }
    for (uint32_t i = 1; i < view->index_count && status == KAPPA_OK; i++) {
        kappa_index_t *index = &view->indexes[i];
        kappa_str_t name = index_name(layout->arena, index);

        status = name.data
            ? number_of(layout, "index", view->name, name, 1, &index->slot)
            : KAPPA_NOMEM;
    }
    return status;
}

static kappa_status_t
number_aggregate(layout_t *layout, kappa_aggregate_t *aggregate)
{
    const kappa_view_t *target = aggregate->target;
    kappa_str_t name = kappa_str_printf(layout->arena, "%.*s.%.*s",
        KAPPA_STR_ARG(target->name),
        KAPPA_STR_ARG(target->columns[aggregate->target_column].name));

    return name.data ? number_of(
               layout, "aggregate", KAPPA_STR_NULL, name, 1, &aggregate->slot)
                     : KAPPA_NOMEM;
}

static kappa_status_t
number_model(layout_t *layout, kappa_model_t *model)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; i < model->view_count && status == KAPPA_OK; i++) {
        status = number_view(layout, model, model->views[i]);
    }
    for (uint32_t i = 0; i < model->aggregate_count && status == KAPPA_OK;
         i++) {
        status = number_aggregate(layout, model->aggregates[i]);
    }
    return status;
}

static kappa_status_t
apply(layout_t *layout, kappa_model_t *model, kappa_txn_t *txn)
{
    kappa_status_t status = read_layout(layout, txn);

    if (status == KAPPA_OK) {
        status = number_model(layout, model);
    }
    if (status == KAPPA_OK && layout->text.failed) {
        status = KAPPA_NOMEM;
    }
    if (status != KAPPA_OK || !layout->added) {
        return status;
    }
    return kappa_txn_put(
        txn, KAPPA_DBI_META, KAPPA_STR(LAYOUT), kappa_buf_view(&layout->text));
}

static void
explain(kappa_status_t status, kappa_txn_t *txn, kappa_errors_t *errors)
{
    const char *why = status == KAPPA_NOT_FOUND
        ? "this schema needs columns that they do not have yet"
        : status == KAPPA_CORRUPT ? "their layout is broken"
        : status == KAPPA_LIMIT   ? "too many views, columns or indexes"
                                  : kappa_txn_problem(txn);

    if (status != KAPPA_OK && status != KAPPA_NOMEM) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE", "the views: %s", why);
    }
}

kappa_status_t
kappa_layout_apply(
    kappa_model_t *model, kappa_txn_t *txn, kappa_errors_t *errors)
{
    const kappa_alloc_t *alloc =
        errors ? kappa_arena_source(errors->arena) : &kappa_alloc_libc;
    layout_t layout = { .arena = kappa_arena_create(alloc, 0),
        .write = txn->write };

    if (layout.arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_map_init(&layout.numbers, layout.arena);
    kappa_map_init(&layout.next, layout.arena);
    kappa_buf_init(&layout.text, alloc);
    kappa_status_t status = apply(&layout, model, txn);
    explain(status, txn, errors);
    kappa_buf_release(&layout.text);
    kappa_arena_destroy(layout.arena);
    return status;
}
