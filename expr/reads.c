#include "expr/node.h"

/* At most one entry a node, so lists of the nodes' number have room. */
typedef struct {
    kappa_arena_t *arena;
    kappa_expr_reads_t *reads;
    uint32_t *columns[2]; /* of row, of old */
    uint32_t column_counts[2];
    kappa_expr_auth_read_t *auth;
    const kappa_expr_view_t **views;
    kappa_expr_equality_t *equalities;
    kappa_status_t status;
} collector_t;

static bool
is_auth_path(const kappa_node_t *node)
{
    while (node->op == KAPPA_OP_FIELD) {
        node = node->args[0];
    }
    return node->op == KAPPA_OP_MEMBER
        && node->args[0]->number == KAPPA_ROOT_AUTH;
}

static bool
same_path(const kappa_node_t *a, const kappa_node_t *b)
{
    for (; a->op != KAPPA_OP_ROOT; a = a->args[0], b = b->args[0]) {
        if (a->op != b->op || !kappa_str_eq(a->name, b->name)) {
            return false;
        }
    }
    return b->op == KAPPA_OP_ROOT;
}

/* Whether it can stand behind a dot. */
static bool
is_plain(kappa_str_t name)
{
    bool plain = name.len > 0;

    for (size_t i = 0; i < name.len && plain; i++) {
        char c = name.data[i];

        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
            || (i > 0 && c >= '0' && c <= '9');
    }
    return plain;
}

static kappa_str_t
path_text(kappa_arena_t *arena, const kappa_node_t *node)
{
    kappa_str_t text = KAPPA_STR("");

    for (; text.data != NULL && node->op != KAPPA_OP_ROOT;
         node = node->args[0]) {
        text = kappa_str_printf(arena,
            is_plain(node->name) ? ".%.*s%.*s" : "[\"%.*s\"]%.*s",
            KAPPA_STR_ARG(node->name), KAPPA_STR_ARG(text));
    }
    return text.data == NULL
        ? text
        : kappa_str_printf(arena, "auth%.*s", KAPPA_STR_ARG(text));
}

static const kappa_expr_auth_read_t *
add_auth(collector_t *c, const kappa_node_t *node)
{
    kappa_str_t path = path_text(c->arena, node);

    for (uint32_t i = 0; i < c->reads->auth_count; i++) {
        if (same_path(c->auth[i].expr->root, node)) {
            return &c->auth[i];
        }
    }
    kappa_expr_t *expr = KAPPA_NEW(c->arena, kappa_expr_t);
    if (path.data == NULL || expr == NULL) {
        c->status = KAPPA_NOMEM;
        return NULL;
    }
    expr->root = node;
    expr->text = path;
    expr->reads.roots = KAPPA_READS(KAPPA_ROOT_AUTH);

    kappa_expr_auth_read_t *read = &c->auth[c->reads->auth_count++];
    *read = (kappa_expr_auth_read_t){ path, expr };
    expr->reads.auth = read;
    expr->reads.auth_count = 1;
    return read;
}

/* Keeps the list ascending. */
static void
add_column(collector_t *c, uint32_t which, uint32_t column)
{
    uint32_t *list = c->columns[which];
    uint32_t at = c->column_counts[which];

    while (at > 0 && list[at - 1] > column) {
        at--;
    }
    if (at > 0 && list[at - 1] == column) {
        return;
    }
    for (uint32_t i = c->column_counts[which]++; i > at; i--) {
        list[i] = list[i - 1];
    }
    list[at] = column;
}

static void
add_view(collector_t *c, const kappa_expr_view_t *view)
{
    c->reads->roots |= KAPPA_READS_LOOKUP;
    for (uint32_t i = 0; i < c->reads->view_count; i++) {
        if (c->views[i] == view) {
            return;
        }
    }
    c->views[c->reads->view_count++] = view;
}

static bool
is_column_of(const kappa_node_t *node, kappa_expr_root_t root)
{
    return node->op == KAPPA_OP_COLUMN && node->args[0]->op == KAPPA_OP_ROOT
        && node->args[0]->number == (uint32_t)root;
}

static void
collect(collector_t *c, const kappa_node_t *node)
{
    if (is_auth_path(node)) {
        add_auth(c, node);
    } else if (is_column_of(node, KAPPA_ROOT_ROW)) {
        add_column(c, 0, node->number);
    } else if (is_column_of(node, KAPPA_ROOT_OLD)) {
        add_column(c, 1, node->number);
    } else if (node->op == KAPPA_OP_LOOKUP) {
        add_view(c, node->view);
    }
    if (node->op == KAPPA_OP_ROOT) {
        c->reads->roots |= KAPPA_READS(node->number);
    }
    for (uint32_t i = 0; i < node->count && !is_auth_path(node); i++) {
        collect(c, node->args[i]);
    }
    if (is_auth_path(node)) {
        c->reads->roots |= KAPPA_READS(KAPPA_ROOT_AUTH);
    }
}

static void
collect_equality(collector_t *c, const kappa_node_t *a, const kappa_node_t *b)
{
    if (!is_column_of(a, KAPPA_ROOT_ROW) || !is_auth_path(b)) {
        return;
    }
    const kappa_expr_auth_read_t *auth = add_auth(c, b);
    if (auth != NULL) {
        c->equalities[c->reads->equality_count++] =
            (kappa_expr_equality_t){ a->number, auth };
    }
}

static void
collect_equalities(collector_t *c, const kappa_node_t *node)
{
    if (node->op == KAPPA_OP_EQ) {
        collect_equality(c, node->args[0], node->args[1]);
        collect_equality(c, node->args[1], node->args[0]);
    }
    for (uint32_t i = 0; i < node->count && node->op == KAPPA_OP_AND; i++) {
        collect_equalities(c, node->args[i]);
    }
}

static uint32_t
count_nodes(const kappa_node_t *node)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < node->count; i++) {
        n += count_nodes(node->args[i]);
    }
    return n;
}

static bool
make_room(collector_t *c, uint32_t n)
{
    c->columns[0] = KAPPA_NEW_ARRAY(c->arena, uint32_t, n);
    c->columns[1] = KAPPA_NEW_ARRAY(c->arena, uint32_t, n);
    c->auth = KAPPA_NEW_ARRAY(c->arena, kappa_expr_auth_read_t, n);
    c->views = KAPPA_NEW_ARRAY(c->arena, const kappa_expr_view_t *, n);
    c->equalities = KAPPA_NEW_ARRAY(c->arena, kappa_expr_equality_t, n);
    return c->columns[0] && c->columns[1] && c->auth && c->views
        && c->equalities;
}

kappa_status_t
kappa_expr_collect(
    kappa_arena_t *arena, const kappa_node_t *root, kappa_expr_reads_t *out)
{
    collector_t c = { .arena = arena, .reads = out };

    if (!make_room(&c, count_nodes(root))) {
        return KAPPA_NOMEM;
    }
    out->auth = c.auth;
    out->views = c.views;
    out->equalities = c.equalities;
    out->row_columns = c.columns[0];
    out->old_columns = c.columns[1];
    collect(&c, root);
    collect_equalities(&c, root);
    out->row_column_count = c.column_counts[0];
    out->old_column_count = c.column_counts[1];
    return c.status;
}
