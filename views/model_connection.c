#include "views/model_private.h"

/* Relay's shapes: https://relay.dev/graphql/connections.htm
 *
 *   type XConnection { edges: [XEdge] nodes: [X] pageInfo: PageInfo!
 *                      totalCount: Int }
 *   type XEdge { node: X cursor: String! }
 */

typedef struct {
    const char *name;
    kappa_bind_t kind;
} shape_t;

static const shape_t connection_shape[] = {
    { "edges", KAPPA_BIND_EDGES },
    { "nodes", KAPPA_BIND_NODES },
    { "pageInfo", KAPPA_BIND_PAGE_INFO },
    { "totalCount", KAPPA_BIND_TOTAL_COUNT },
    { NULL, 0 },
};

static const shape_t edge_shape[] = {
    { "node", KAPPA_BIND_EDGE_NODE },
    { "cursor", KAPPA_BIND_EDGE_CURSOR },
    { NULL, 0 },
};

static const shape_t page_info_shape[] = {
    { "hasNextPage", KAPPA_BIND_HAS_NEXT_PAGE },
    { "hasPreviousPage", KAPPA_BIND_HAS_PREVIOUS_PAGE },
    { "startCursor", KAPPA_BIND_START_CURSOR },
    { "endCursor", KAPPA_BIND_END_CURSOR },
    { NULL, 0 },
};

/* Binds each field of a type by its name. */
static kappa_status_t
bind_shape(kappa_model_builder_t *b, const kappa_type_t *type,
    const shape_t *shape, const char *what)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_field_t *field = &type->fields[i];
        const shape_t *s = shape;

        while (s->name && !kappa_str_eq_c(field->name, s->name)) {
            s++;
        }
        if (s->name && !field->arg_count) {
            if (!kappa_model_bind(b, field, s->kind, NULL)) {
                return KAPPA_NOMEM;
            }
            continue;
        }
        kappa_status_t status =
            kappa_model_refuse(b, field->source, field->offset,
                s->name ? "\"%.*s.%.*s\" can't take arguments in %s."
                        : "\"%.*s.%.*s\" can't be filled in: no such field of "
                          "%s is known.",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(field->name), what);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static const kappa_field_t *
field_of(const kappa_type_t *type, const char *name)
{
    return kappa_type_field(type, kappa_str_c(name));
}

/* The rows behind a field that may be edges or nodes of a connection. */
static const kappa_rows_t *
node_rows(kappa_model_builder_t *b, const kappa_type_t *type)
{
    const kappa_field_t *edges = field_of(type, "edges");
    const kappa_field_t *nodes = field_of(type, "nodes");

    if (edges && kappa_model_ref_is_list(edges->type)
        && edges->type->named->kind == KAPPA_TYPE_OBJECT) {
        const kappa_field_t *node = field_of(edges->type->named, "node");

        if (node && !kappa_model_ref_is_list(node->type)) {
            return kappa_model_rows_of(b, node->type->named);
        }
        return NULL;
    }
    return nodes && kappa_model_ref_is_list(nodes->type)
        ? kappa_model_rows_of(b, nodes->type->named)
        : NULL;
}

static kappa_status_t
refuse_shape(
    kappa_model_builder_t *b, const kappa_field_t *field, const char *right)
{
    return kappa_model_refuse(b, field->source, field->offset,
        "\"%.*s.%.*s\" in a connection is %s.",
        KAPPA_STR_ARG(field->parent->name), KAPPA_STR_ARG(field->name), right);
}

static kappa_status_t
bind_edge(kappa_model_builder_t *b, const kappa_field_t *edges,
    const kappa_rows_t *rows)
{
    const kappa_type_t *type = edges->type->named;
    bool fresh;
    kappa_status_t status = kappa_model_take_role(b, type, KAPPA_ROLE_EDGE,
        "\"edges\"", edges->source, edges->offset, &fresh);

    if (status != KAPPA_OK || !fresh) {
        return status;
    }
    b->nodes[type->number] = rows;
    const kappa_field_t *cursor = field_of(type, "cursor");
    if (cursor
        && (kappa_model_ref_is_list(cursor->type)
            || kappa_model_ref_kind(cursor->type) != KAPPA_COLUMN_STRING)) {
        return refuse_shape(b, cursor, "a String");
    }
    return bind_shape(b, type, edge_shape, "an edge");
}

static kappa_status_t
bind_page_info(kappa_model_builder_t *b, const kappa_field_t *field)
{
    const kappa_type_t *type = field->type->named;
    bool fresh;

    if (kappa_model_ref_is_list(field->type)
        || !kappa_str_eq_c(type->name, "PageInfo")) {
        return refuse_shape(b, field, "of type PageInfo!");
    }
    kappa_status_t status =
        kappa_model_take_role(b, type, KAPPA_ROLE_PAGE_INFO, "\"pageInfo\"",
            field->source, field->offset, &fresh);
    return status == KAPPA_OK && fresh
        ? bind_shape(b, type, page_info_shape, "PageInfo")
        : status;
}

static kappa_status_t
bind_total(kappa_model_builder_t *b, const kappa_field_t *field)
{
    kappa_column_kind_t kind = kappa_model_ref_kind(field->type);

    if (kappa_model_ref_is_required(field->type)
        || (kind != KAPPA_COLUMN_INT && kind != KAPPA_COLUMN_BIGINT)) {
        return refuse_shape(b, field,
            "a nullable Int: it is null under a range or a row rule");
    }
    return KAPPA_OK;
}

static kappa_status_t
bind_connection(kappa_model_builder_t *b, const kappa_type_t *type,
    const kappa_rows_t *rows)
{
    const kappa_field_t *edges = field_of(type, "edges");
    const kappa_field_t *nodes = field_of(type, "nodes");
    const kappa_field_t *info = field_of(type, "pageInfo");
    const kappa_field_t *total = field_of(type, "totalCount");
    kappa_status_t status = KAPPA_OK;

    if (nodes
        && (!kappa_model_ref_is_list(nodes->type)
            || nodes->type->named != rows->type)) {
        status = refuse_shape(b, nodes, "a list of what edges lead to");
    }
    if (status == KAPPA_OK && edges) {
        status = bind_edge(b, edges, rows);
    }
    if (status == KAPPA_OK && info) {
        status = bind_page_info(b, info);
    }
    if (status == KAPPA_OK && total) {
        status = bind_total(b, total);
    }
    return status == KAPPA_OK
        ? bind_shape(b, type, connection_shape, "a connection")
        : status;
}

kappa_status_t
kappa_model_many(kappa_model_builder_t *b, const kappa_field_t *field,
    const kappa_rows_t **rows, bool *connection)
{
    const kappa_type_t *type = field->type->named;
    bool fresh = false;

    *connection = !kappa_model_ref_is_list(field->type);
    *rows = NULL;
    if (!*connection) {
        bool nested = kappa_model_ref_is_nested(field->type);
        *rows = nested ? NULL : kappa_model_rows_of(b, type);
        return KAPPA_OK;
    }
    if (type->kind != KAPPA_TYPE_OBJECT || type->builtin) {
        return KAPPA_OK;
    }
    if (b->roles[type->number] == KAPPA_ROLE_CONNECTION) {
        *rows = b->nodes[type->number];
        return KAPPA_OK;
    }
    if (kappa_model_rows_of(b, type) || !(*rows = node_rows(b, type))) {
        return KAPPA_OK;
    }
    kappa_status_t status =
        kappa_model_take_role(b, type, KAPPA_ROLE_CONNECTION, "A connection",
            field->source, field->offset, &fresh);
    if (status != KAPPA_OK || !fresh) {
        return status;
    }
    b->nodes[type->number] = *rows;
    return bind_connection(b, type, *rows);
}
