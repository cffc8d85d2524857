#include "views/keep.h"

static kappa_status_t
refuse_check(kappa_apply_t *apply, const kappa_check_t *check)
{
    kappa_str_t text = kappa_expr_text(check->condition);

    if (check->message.data != NULL) {
        return kappa_apply_refuse(
            apply, check->code, "%.*s", KAPPA_STR_ARG(check->message));
    }
    return kappa_apply_refuse(
        apply, check->code, "refused: %.*s must hold", KAPPA_STR_ARG(text));
}

static kappa_status_t
check(kappa_apply_t *apply, const kappa_check_t *c)
{
    bool holds;
    kappa_status_t status = kappa_scope_holds(
        &apply->scope, c->condition, apply->set->event, &holds);

    if (status != KAPPA_OK) {
        return status;
    }
    return holds ? KAPPA_OK : refuse_check(apply, c);
}

/* --- of a mutation */

/* What is absent is not checked; null is a value. */
static kappa_status_t
check_value(
    kappa_apply_t *apply, const kappa_check_t *c, const kappa_value_t *value)
{
    if (value->kind == KAPPA_UNSET) {
        return KAPPA_OK;
    }
    apply->scope.value = *value;
    return check(apply, c);
}

static kappa_status_t check_inside(kappa_apply_t *apply,
    const kappa_type_t *type, const kappa_value_t *value);

static kappa_status_t
check_member(kappa_apply_t *apply, const kappa_input_t *input,
    const kappa_check_t *c, const kappa_value_t *value)
{
    const kappa_type_t *type = input->type->named;
    kappa_status_t status = KAPPA_OK;

    for (; c != NULL && status == KAPPA_OK; c = c->next) {
        status = check_value(apply, c, value);
    }
    return status == KAPPA_OK && type->kind == KAPPA_TYPE_INPUT_OBJECT
            && type->binding != NULL
        ? check_inside(apply, type, value)
        : status;
}

/* The members of an input object, or of every one in lists. As deep as coerced
 * input, which is bounded. */
static kappa_status_t
check_inside(
    kappa_apply_t *apply, const kappa_type_t *type, const kappa_value_t *value)
{
    const kappa_input_checks_t *checks = type->binding;
    kappa_status_t status = KAPPA_OK;

    if (value->kind == KAPPA_LIST) {
        for (uint32_t i = 0; i < value->count && status == KAPPA_OK; i++) {
            status = check_inside(apply, type, &value->as.items[i]);
        }
        return status;
    }
    if (value->kind != KAPPA_OBJECT) {
        return KAPPA_OK;
    }
    for (uint32_t i = 0; i < type->input_count && status == KAPPA_OK; i++) {
        const kappa_input_t *input = &type->inputs[i];
        const kappa_value_t *member = kappa_value_member(value, input->name);

        if (member != NULL) {
            status = check_member(
                apply, input, checks->fields[input->number], member);
        }
    }
    return status;
}

static kappa_status_t
check_arg(kappa_apply_t *apply, const kappa_check_t *c)
{
    const kappa_value_t *value = &apply->args[c->arg];

    return c->inside ? check_inside(apply, c->inside, value)
                     : check_value(apply, c, value);
}

/* Existence was decided: what the caller may not see is null. */
static kappa_status_t
row_before(kappa_apply_t *apply, kappa_scope_row_t *row, bool *exists)
{
    kappa_node_t *node = apply->node;

    *exists = node != NULL && kappa_node_exists(apply->set, node);
    if (!*exists) {
        return KAPPA_OK;
    }
    kappa_node_row(apply->set, node, row);
    apply->scope.row = row;
    return kappa_scope_holds(
        &apply->scope, node->view->allow, apply->set->event, exists);
}

kappa_status_t
kappa_apply_check_mutation(kappa_apply_t *apply)
{
    const kappa_mutation_t *mutation = apply->mutation;
    kappa_scope_row_t row;
    bool exists;

    if (mutation == NULL || mutation->checks == NULL) {
        return KAPPA_OK;
    }
    apply->scope.caller = apply->caller;
    apply->scope.args = apply->args;
    apply->scope.arg_count = mutation->field->arg_count;
    kappa_status_t status = row_before(apply, &row, &exists);
    apply->scope.row = exists ? &row : NULL;
    for (const kappa_check_t *c = mutation->checks;
         c != NULL && status == KAPPA_OK; c = c->next) {
        status = c->arg < 0 ? check(apply, c) : check_arg(apply, c);
    }
    apply->scope.row = NULL;
    apply->scope.args = NULL;
    apply->scope.arg_count = 0;
    apply->scope.value = (kappa_value_t){ 0 };
    return status;
}

/* --- at the end: what the rows have become */

static kappa_status_t
check_required(kappa_apply_t *apply, const kappa_node_t *node)
{
    const kappa_view_t *view = node->view;

    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].required && node->cells[i].len == 0) {
            return kappa_apply_refuse(apply, "BAD_USER_INPUT",
                "%.*s.%.*s must not be null", KAPPA_STR_ARG(view->name),
                KAPPA_STR_ARG(view->columns[i].name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
build_row(kappa_apply_t *apply, kappa_node_t *node)
{
    const kappa_view_t *view = node->view;
    uint32_t count = 0;

    for (uint32_t i = 0; i < view->column_count; i++) {
        if (view->columns[i].number >= count) {
            count = view->columns[i].number + 1;
        }
    }
    kappa_str_t *columns =
        KAPPA_NEW_ARRAY(apply->set->event, kappa_str_t, count);
    if (columns == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < view->column_count; i++) {
        columns[view->columns[i].number] = node->cells[i];
    }
    size_t size = kappa_row_size(columns, count);
    if (size > UINT32_MAX / 2) {
        kappa_apply_refuse(apply, "LIMIT_EXCEEDED", "a row is too large");
        return KAPPA_LIMIT;
    }
    uint8_t *row =
        kappa_arena_bytes(apply->set->event, size + KAPPA_ROW_MADE_BYTES);
    if (row == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_row_write(row, columns, count);
    if (view->keep_ms != 0) {
        kappa_row_write_made(row,
            node->fresh ? apply->set->event_ms : kappa_row_made(node->row));
    }
    node->new_row = row;
    node->new_len = (uint32_t)kappa_row_bytes(row);
    return KAPPA_OK;
}

static kappa_status_t
refuse_entry(kappa_apply_t *apply, const kappa_index_t *index)
{
    kappa_buf_t *buf = &apply->set->buf;

    kappa_buf_reset(buf);
    for (uint32_t i = 0; i < index->column_count; i++) {
        if (i > 0) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        kappa_buf_str(buf, index->view->columns[index->columns[i]].name);
    }
    kappa_str_t fields = buf->failed ? KAPPA_STR("…") : kappa_buf_view(buf);
    kappa_apply_refuse(apply, "LIMIT_EXCEEDED",
        "%.*s: the values of the index on (%.*s) are too long, an entry has "
        "at most %d bytes",
        KAPPA_STR_ARG(index->view->name), KAPPA_STR_ARG(fields),
        KAPPA_ENTRY_BYTES_MAX);
    return KAPPA_LIMIT;
}

static kappa_status_t
entry_of(kappa_apply_t *apply, const kappa_index_t *index,
    const kappa_node_t *node, const uint8_t *row, kappa_str_t *out)
{
    kappa_key_t entry;

    *out = KAPPA_STR_NULL;
    if (row == NULL) {
        return KAPPA_OK;
    }
    if (index->number == 0) {
        *out = node->full;
        return KAPPA_OK;
    }
    kappa_key_entry(&entry, index, row, node->key);
    if (entry.over || entry.invalid) {
        return refuse_entry(apply, index);
    }
    *out = kappa_str_dup(apply->set->event, kappa_key_str(&entry));
    return out->data ? KAPPA_OK : KAPPA_NOMEM;
}

static bool
same_fields(const kappa_index_t *index, const kappa_node_t *node)
{
    if (node->row == NULL || node->new_row == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < index->column_count; i++) {
        uint32_t number = index->view->columns[index->columns[i]].number;

        if (!kappa_str_eq(kappa_row_column(node->row, number),
                kappa_row_column(node->new_row, number))) {
            return false;
        }
    }
    return true;
}

static kappa_status_t
build_entries(kappa_apply_t *apply, kappa_node_t *node)
{
    const kappa_view_t *view = node->view;
    kappa_status_t status = KAPPA_OK;
    kappa_str_t *entries = KAPPA_NEW_ARRAY(
        apply->set->event, kappa_str_t, (size_t)view->index_count * 2);

    if (entries == NULL) {
        return KAPPA_NOMEM;
    }
    node->old_entries = entries;
    node->new_entries = entries + view->index_count;
    for (uint32_t i = 0; i < view->index_count && status == KAPPA_OK; i++) {
        const kappa_index_t *index = &view->indexes[i];

        status =
            entry_of(apply, index, node, node->row, &node->old_entries[i]);
        if (status != KAPPA_OK) {
            return status;
        }
        if (same_fields(index, node)) {
            node->new_entries[i] = node->old_entries[i];
        } else {
            status = entry_of(
                apply, index, node, node->new_row, &node->new_entries[i]);
        }
    }
    return status;
}

static kappa_status_t
build(kappa_apply_t *apply, kappa_node_t *node)
{
    kappa_status_t status = KAPPA_OK;

    node->new_row = NULL;
    node->new_len = 0;
    if (node->exists) {
        status = check_required(apply, node);
        if (status == KAPPA_OK) {
            status = build_row(apply, node);
        }
    }
    if (status != KAPPA_OK) {
        return status;
    }
    node->changed = (node->row == NULL) != (node->new_row == NULL)
        || (node->row != NULL
            && !kappa_str_eq(kappa_str((const char *)node->row, node->row_len),
                kappa_str((const char *)node->new_row, node->new_len)));
    return build_entries(apply, node);
}

static kappa_status_t
check_view(kappa_apply_t *apply, const kappa_node_t *node)
{
    kappa_scope_row_t row = { .view = node->view, .data = node->new_row };
    kappa_scope_row_t old = { .view = node->view,
        .data = node->left ? NULL : node->row };
    kappa_status_t status = KAPPA_OK;

    apply->scope.caller = apply->caller;
    apply->scope.row = &row;
    apply->scope.old = old.data ? &old : NULL;
    for (const kappa_check_t *c = node->view->checks;
         c != NULL && status == KAPPA_OK; c = c->next) {
        status = check(apply, c);
    }
    apply->scope.row = apply->scope.old = NULL;
    return status;
}

/* --- unique */

static bool
has_null(const kappa_index_t *index, kappa_str_t fields)
{
    fields.data += KAPPA_INDEX_PREFIX_BYTES;
    fields.len -= KAPPA_INDEX_PREFIX_BYTES;
    for (uint32_t i = 0; i < index->column_count; i++) {
        size_t len = kappa_key_part_len(
            index->view->columns[index->columns[i]].kind, fields);

        if (len <= 1) {
            return true;
        }
        fields.data += len;
        fields.len -= len;
    }
    return false;
}

static kappa_status_t
refuse_unique(kappa_apply_t *apply, const kappa_index_t *index)
{
    kappa_buf_t *buf = &apply->set->buf;

    kappa_buf_reset(buf);
    for (uint32_t i = 0; i < index->column_count; i++) {
        if (i > 0) {
            KAPPA_BUF_LIT(buf, ", ");
        }
        kappa_buf_str(buf, index->view->columns[index->columns[i]].name);
    }
    kappa_str_t fields = buf->failed ? KAPPA_STR("…") : kappa_buf_view(buf);
    return kappa_apply_refuse(apply, "NOT_UNIQUE",
        "there is another %.*s with the same %.*s",
        KAPPA_STR_ARG(index->view->name), KAPPA_STR_ARG(fields));
}

/* Rows that this event touched are compared among themselves; one that left
 * is touched. */
static kappa_status_t
is_touched(kappa_apply_t *apply, const kappa_view_t *view, kappa_str_t row_key,
    bool *out)
{
    kappa_key_t full;

    kappa_key_init(&full);
    kappa_key_row_prefix(&full, view);
    kappa_key_add_raw(&full, row_key);
    kappa_node_t *node =
        kappa_map_get(&apply->set->nodes, kappa_key_str(&full));
    kappa_status_t status = KAPPA_OK;
    if (view->keep_ms != 0) {
        status = kappa_keep_node(apply->set, view, row_key, &node);
    }
    *out = status == KAPPA_OK && node != NULL
        && node->event == apply->set->number && node->row_touched;
    return status;
}

static kappa_status_t
unique_stored(
    kappa_apply_t *apply, const kappa_index_t *index, kappa_str_t fields)
{
    kappa_changeset_t *set = apply->set;
    kappa_str_t entry, value;
    bool touched;
    kappa_status_t status = kappa_changeset_settle(set, KAPPA_DBI_INDEX);

    if (status == KAPPA_OK) {
        status =
            kappa_txn_seek(set->txn, KAPPA_DBI_INDEX, fields, &entry, &value);
    }

    while (status == KAPPA_OK && kappa_str_starts_with(entry, fields)) {
        kappa_str_t key =
            kappa_str(entry.data + fields.len, entry.len - fields.len);

        status = is_touched(apply, index->view, key, &touched);
        if (status != KAPPA_OK) {
            return status;
        }
        if (!touched) {
            return refuse_unique(apply, index);
        }
        status = kappa_txn_next(set->txn, KAPPA_DBI_INDEX, &entry, &value);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static kappa_status_t
unique_one(kappa_apply_t *apply, const kappa_index_t *index,
    kappa_node_t *node, kappa_map_t *seen)
{
    kappa_str_t fields = node->new_entries[index->number];

    fields.len -= node->key.len;
    if (has_null(index, fields)) {
        return KAPPA_OK;
    }
    if (kappa_map_get(seen, fields) != NULL) {
        return refuse_unique(apply, index);
    }
    kappa_status_t status = kappa_map_put(seen, fields, node);
    if (status != KAPPA_OK
        || kappa_str_eq(node->old_entries[index->number],
            node->new_entries[index->number])) {
        return status;
    }
    return unique_stored(apply, index, fields);
}

static kappa_status_t
check_unique(kappa_apply_t *apply)
{
    kappa_status_t status = KAPPA_OK;
    kappa_map_t seen;

    kappa_map_init(&seen, apply->set->event);
    for (kappa_node_t *n = apply->set->touched; n != NULL;
         n = n->next_touched) {
        for (uint32_t i = 1; n->row_touched && n->exists
             && i < n->view->index_count && status == KAPPA_OK;
             i++) {
            if (n->view->indexes[i].unique) {
                status = unique_one(apply, &n->view->indexes[i], n, &seen);
            }
        }
    }
    return status;
}

/* What left has no row to check, but entries to go. */
kappa_status_t
kappa_apply_sweep(kappa_apply_t *apply)
{
    kappa_status_t status = kappa_keep_sweep(apply->set, apply->model);

    for (kappa_node_t *n = apply->set->touched;
         n != NULL && status == KAPPA_OK; n = n->next_touched) {
        if ((n->left || n->late_row != NULL) && !n->exists) {
            status = build(apply, n);
        }
    }
    return status;
}

static kappa_status_t
build_all(kappa_apply_t *apply)
{
    kappa_status_t status = KAPPA_OK;

    for (kappa_node_t *n = apply->set->touched;
         n != NULL && status == KAPPA_OK; n = n->next_touched) {
        if (n->row_touched) {
            status = build(apply, n);
        }
    }
    return status;
}

static kappa_status_t
check_views(kappa_apply_t *apply)
{
    kappa_status_t status = KAPPA_OK;

    for (kappa_node_t *n = apply->set->touched;
         n != NULL && status == KAPPA_OK && apply->mode != KAPPA_APPLY_REPLAY;
         n = n->next_touched) {
        if (n->row_touched && n->exists) {
            status = check_view(apply, n);
        }
    }
    return status;
}

kappa_status_t
kappa_apply_finish(kappa_apply_t *apply)
{
    kappa_status_t status = build_all(apply);

    if (status == KAPPA_OK) {
        status = check_views(apply);
    }
    if (status == KAPPA_OK) {
        status = kappa_keep_late(apply->set);
    }
    if (status == KAPPA_OK) {
        status = check_unique(apply);
    }
    return status == KAPPA_OK ? kappa_apply_sweep(apply) : status;
}
