#include "graphql/plan_private.h"

#include <stdlib.h>

#include "graphql/introspect.h"

/* Where a set's values come from. */
typedef enum {
    FROM_ROWS, /* as the fields' bindings say */
    FROM_JSON, /* members of a stored object */
    FROM_META  /* the schema itself */
} source_t;

static kappa_status_t build_set(kappa_planner_t *planner, source_t source,
    const kappa_plan_groups_t *groups, kappa_plan_set_t *out);

static kappa_op_t
op_of(kappa_bind_t bind)
{
    switch (bind) {
    case KAPPA_BIND_COLUMN:
        return KAPPA_OP_COLUMN;
    case KAPPA_BIND_VALUE:
        return KAPPA_OP_VALUE;
    case KAPPA_BIND_ONE:
    case KAPPA_BIND_CHANGES:
        return KAPPA_OP_ONE;
    case KAPPA_BIND_LIST:
        return KAPPA_OP_LIST;
    case KAPPA_BIND_CONNECTION:
        return KAPPA_OP_CONNECTION;
    case KAPPA_BIND_EDGES:
        return KAPPA_OP_EDGES;
    case KAPPA_BIND_NODES:
        return KAPPA_OP_NODES;
    case KAPPA_BIND_PAGE_INFO:
        return KAPPA_OP_PAGE_INFO;
    case KAPPA_BIND_TOTAL_COUNT:
        return KAPPA_OP_TOTAL_COUNT;
    case KAPPA_BIND_EDGE_NODE:
        return KAPPA_OP_EDGE_NODE;
    case KAPPA_BIND_EDGE_CURSOR:
        return KAPPA_OP_EDGE_CURSOR;
    case KAPPA_BIND_HAS_NEXT_PAGE:
        return KAPPA_OP_HAS_NEXT;
    case KAPPA_BIND_HAS_PREVIOUS_PAGE:
        return KAPPA_OP_HAS_PREVIOUS;
    case KAPPA_BIND_START_CURSOR:
        return KAPPA_OP_START_CURSOR;
    case KAPPA_BIND_END_CURSOR:
        return KAPPA_OP_END_CURSOR;
    case KAPPA_BIND_MUTATION:
        return KAPPA_OP_MUTATION;
    case KAPPA_BIND_PAYLOAD_ROW:
        return KAPPA_OP_PAYLOAD_ROW;
    case KAPPA_BIND_PAYLOAD_POSITION:
        return KAPPA_OP_PAYLOAD_POSITION;
    case KAPPA_BIND_PAYLOAD_DUPLICATE:
        return KAPPA_OP_PAYLOAD_DUPLICATE;
    case KAPPA_BIND_PAYLOAD_EVENT:
        return KAPPA_OP_PAYLOAD_EVENT;
    }
    return KAPPA_OP_UNBOUND;
}

static bool
is_payload(const kappa_type_t *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const kappa_binding_t *binding = type->fields[i].binding;

        if (binding != NULL && binding->kind >= KAPPA_BIND_PAYLOAD_ROW
            && binding->kind <= KAPPA_BIND_PAYLOAD_EVENT) {
            return true;
        }
    }
    return false;
}

/* Says how the field's value is had, and where its children's are. */
static source_t
choose_op(kappa_planner_t *planner, source_t source, kappa_plan_field_t *f)
{
    const kappa_binding_t *binding = f->field->binding;

    if (f->field == planner->schema->meta_schema) {
        f->op = KAPPA_OP_META_SCHEMA;
        return FROM_META;
    }
    if (f->field == planner->schema->meta_type) {
        f->op = KAPPA_OP_META_TYPE;
        return FROM_META;
    }
    if (source == FROM_META) {
        f->op = KAPPA_OP_META;
        f->meta =
            (uint8_t)kappa_introspect_field(f->field->parent, f->field->name);
        return FROM_META;
    }
    if (source == FROM_JSON) {
        f->op = KAPPA_OP_MEMBER;
        return FROM_JSON;
    }
    if (binding == NULL) {
        return FROM_ROWS; /* UNBOUND */
    }
    f->op = (uint8_t)op_of(binding->kind);
    f->column = binding->column;
    f->rule = binding->rule;
    f->payload =
        f->op == KAPPA_OP_MUTATION && is_payload(f->field->type->named);
    return f->op == KAPPA_OP_COLUMN || f->op == KAPPA_OP_VALUE || binding->json
        ? FROM_JSON
        : FROM_ROWS;
}

/* `,"name":` and, for __typename, `"Type"`. */
static kappa_status_t
encode_key(kappa_planner_t *planner, kappa_plan_field_t *f, kappa_str_t name,
    kappa_str_t constant)
{
    size_t len = name.len + 4 + (constant.len ? constant.len + 2 : 0);
    char *key = kappa_arena_bytes(
        planner->arena, len > KAPPA_PLAN_KEY_ROOM ? len : KAPPA_PLAN_KEY_ROOM);
    char *p = key;

    if (key == NULL) {
        return KAPPA_NOMEM;
    }
    *p++ = ',';
    *p++ = '"';
    f->name = kappa_str(p, name.len);
    memcpy(p, name.data, name.len);
    p += name.len;
    *p++ = '"';
    *p++ = ':';
    if (constant.len > 0) {
        *p++ = '"';
        memcpy(p, constant.data, constant.len);
        p[constant.len] = '"';
    }
    f->key = key;
    f->key_len = (uint32_t)len;
    return KAPPA_OK;
}

static bool
conditions_differ(const kappa_plan_group_t *group)
{
    for (const kappa_plan_node_t *n = group->first; n != NULL; n = n->next) {
        if (n->chain != group->first->chain) {
            return true;
        }
    }
    return false;
}

static kappa_status_t
set_conjunction(kappa_planner_t *planner, const kappa_plan_chain_t *chain,
    kappa_plan_conjunction_t *out)
{
    uint32_t count = chain ? chain->count : 0;
    kappa_plan_test_t *tests =
        KAPPA_NEW_ARRAY(planner->arena, kappa_plan_test_t, count);

    if (tests == NULL) {
        return KAPPA_NOMEM;
    }
    *out = (kappa_plan_conjunction_t){ count, tests };
    for (; chain != NULL; chain = chain->up) {
        tests[--count] = chain->test;
    }
    return kappa_plan_work(planner, out->count);
}

/* Errors show the places of those nodes that are included. */
static kappa_status_t
set_place_tests(kappa_planner_t *planner, kappa_plan_field_t *f,
    const kappa_plan_group_t *group)
{
    kappa_plan_conjunction_t *tests;
    uint32_t count = 0;
    kappa_status_t status = KAPPA_OK;

    if (!conditions_differ(group)) {
        return KAPPA_OK;
    }
    tests = KAPPA_NEW_ARRAY(
        planner->arena, kappa_plan_conjunction_t, group->count);
    if (tests == NULL) {
        return KAPPA_NOMEM;
    }
    f->place_tests = tests;
    for (const kappa_plan_node_t *n = group->first;
         n != NULL && status == KAPPA_OK; n = n->next) {
        status = set_conjunction(planner, n->chain, &tests[count++]);
    }
    return status;
}

static kappa_status_t
set_places(kappa_planner_t *planner, kappa_plan_field_t *f,
    const kappa_plan_group_t *group)
{
    kappa_plan_place_t *places = kappa_arena_alloc(
        planner->arena, sizeof(kappa_plan_place_t) * group->count);
    uint32_t count = 0;

    if (places == NULL) {
        return KAPPA_NOMEM;
    }
    for (const kappa_plan_node_t *n = group->first; n != NULL; n = n->next) {
        places[count++] =
            kappa_plan_locate(&planner->locator, n->selection->offset);
    }
    f->places = places;
    f->place_count = count;
    if (kappa_plan_work(planner, count) != KAPPA_OK) {
        return KAPPA_LIMIT;
    }
    return set_place_tests(planner, f, group);
}

/* The condition of `node`, a field of `group` at a place of its own. */
static kappa_status_t
set_condition(kappa_planner_t *planner, kappa_plan_field_t *f,
    const kappa_plan_group_t *group, const kappa_plan_node_t *node)
{
    kappa_plan_condition_t *condition;
    kappa_plan_conjunction_t *none;
    uint32_t before = 0;
    kappa_status_t status;

    if (node->chain == NULL && node == group->first) {
        return KAPPA_OK;
    }
    for (const kappa_plan_node_t *n = group->first; n != node; n = n->next) {
        before++;
    }
    condition = KAPPA_NEW(planner->arena, kappa_plan_condition_t);
    none = KAPPA_NEW_ARRAY(planner->arena, kappa_plan_conjunction_t, before);
    if (condition == NULL || none == NULL) {
        return KAPPA_NOMEM;
    }
    *condition = (kappa_plan_condition_t){ .none = none };
    planner->plan->cost_varies = true;
    f->condition = condition;
    status = set_conjunction(planner, node->chain, &condition->all);
    for (const kappa_plan_node_t *n = group->first;
         n != node && status == KAPPA_OK; n = n->next) {
        status =
            set_conjunction(planner, n->chain, &none[condition->none_count++]);
    }
    return status;
}

/* The selection sets of a group's nodes, merged for one object type. A node's
 * condition goes down with it only where the nodes' conditions differ. */
static kappa_status_t
collect_children(kappa_planner_t *planner, const kappa_plan_group_t *group,
    kappa_plan_groups_t *children)
{
    bool differ = conditions_differ(group);
    kappa_status_t status = KAPPA_OK;

    for (const kappa_plan_node_t *n = group->first;
         n != NULL && status == KAPPA_OK; n = n->next) {
        status = kappa_plan_collect(planner, children,
            n->selection->selections, differ ? n->chain : NULL);
    }
    return status;
}

static int
by_number(const void *a, const void *b)
{
    const kappa_plan_case_t *x = a, *y = b;

    return x->type->number < y->type->number ? -1 : 1;
}

static kappa_status_t
build_case(kappa_planner_t *planner, source_t source,
    const kappa_plan_group_t *group, const kappa_type_t *type,
    kappa_plan_case_t *out)
{
    kappa_plan_groups_t children;
    kappa_status_t status;

    kappa_plan_groups_init(planner, &children, type);
    status = collect_children(planner, group, &children);
    out->type = type;
    out->weight = kappa_plan_type_weight(type);
    return status == KAPPA_OK
        ? build_set(planner, source, &children, &out->set)
        : status;
}

static kappa_status_t
build_select(kappa_planner_t *planner, source_t source,
    const kappa_plan_group_t *group, const kappa_type_t *type,
    const kappa_plan_select_t **out)
{
    bool is_object = type->kind == KAPPA_TYPE_OBJECT;
    uint32_t count = is_object ? 1 : type->possible_count;
    kappa_plan_select_t *select =
        KAPPA_NEW(planner->arena, kappa_plan_select_t);
    kappa_plan_case_t *cases =
        KAPPA_NEW_ARRAY(planner->arena, kappa_plan_case_t, count);
    kappa_status_t status = KAPPA_OK;

    if (select == NULL || cases == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count && status == KAPPA_OK; i++) {
        status = build_case(planner, source, group,
            is_object ? type : type->possible[i], &cases[i]);
    }
    if (status == KAPPA_OK && count > 1) {
        qsort(cases, count, sizeof(cases[0]), by_number);
    }
    *select = (kappa_plan_select_t){ type, count, cases };
    *out = select;
    return status;
}

static bool
asks_total(const kappa_plan_select_t *select)
{
    const kappa_plan_set_t *set = &select->cases[0].set;

    for (uint32_t i = 0; i < set->count; i++) {
        if (set->fields[i].op == KAPPA_OP_TOTAL_COUNT) {
            return true;
        }
    }
    return false;
}

static const kappa_field_t *
find_field(
    const kappa_planner_t *planner, const kappa_type_t *type, kappa_str_t name)
{
    const kappa_schema_t *schema = planner->schema;

    if (name.len > 2 && name.data[0] == '_' && name.data[1] == '_') {
        bool is_query = type == schema->roots[KAPPA_OPERATION_QUERY];

        if (kappa_str_eq_c(name, "__typename")) {
            return schema->meta_typename;
        }
        if (is_query && kappa_str_eq_c(name, "__schema")) {
            return schema->meta_schema;
        }
        if (is_query && kappa_str_eq_c(name, "__type")) {
            return schema->meta_type;
        }
    }
    const kappa_field_t *field = kappa_type_field(type, name);
    return field != NULL && !field->hidden ? field : NULL;
}

static void
set_type(kappa_plan_field_t *f)
{
    const kappa_type_ref_t *type = f->field->type;

    f->non_null = type->kind == KAPPA_REF_NON_NULL;
    type = f->non_null ? type->of : type;
    f->item_non_null =
        type->kind == KAPPA_REF_LIST && type->of->kind == KAPPA_REF_NON_NULL;
}

static bool
is_plain(const kappa_plan_field_t *f)
{
    return f->op == KAPPA_OP_COLUMN && f->condition == NULL && !f->rule
        && f->select == NULL;
}

/* What can be copied from a row in one go. */
static kappa_status_t
list_plain(kappa_planner_t *planner, kappa_plan_set_t *set)
{
    uint32_t *columns;

    while (set->plain < set->count && is_plain(&set->fields[set->plain])) {
        set->plain++;
    }
    if (set->plain == 0) {
        return KAPPA_OK;
    }
    columns = KAPPA_NEW_ARRAY(planner->arena, uint32_t, set->plain);
    if (columns == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < set->plain; i++) {
        columns[i] = set->fields[i].column;
    }
    set->columns = columns;
    return KAPPA_OK;
}

/* All of a field but its condition. */
static kappa_status_t
build_field(kappa_planner_t *planner, source_t source,
    const kappa_plan_group_t *group, const kappa_type_t *parent,
    kappa_plan_field_t *f)
{
    const kappa_selection_t *selection = group->first->selection;
    bool composite;
    kappa_status_t status;

    f->field = find_field(planner, parent, selection->name.text);
    if (f->field == NULL) {
        kappa_errors_add(planner->errors, "VALIDATION_FAILED",
            "Cannot query field \"%.*s\" on type \"%.*s\".",
            KAPPA_STR_ARG(selection->name.text), KAPPA_STR_ARG(parent->name));
        return KAPPA_INVALID;
    }
    set_type(f);
    status = set_places(planner, f, group);
    if (status != KAPPA_OK) {
        return status;
    }
    if (f->field == planner->schema->meta_typename) {
        f->op = KAPPA_OP_CONSTANT;
        return encode_key(planner, f, group->key, parent->name);
    }
    source = choose_op(planner, source, f);
    composite = kappa_type_is_composite(f->field->type->named);
    status = encode_key(planner, f, group->key, KAPPA_STR_NULL);
    if (status == KAPPA_OK) {
        status =
            kappa_plan_args(planner, f->field, selection->arguments, &f->args);
    }
    if (status == KAPPA_OK && composite) {
        status = build_select(
            planner, source, group, f->field->type->named, &f->select);
    }
    if (status == KAPPA_OK && source != FROM_META) {
        status = kappa_plan_set_cost(planner, f, selection);
    }
    if (status == KAPPA_OK && f->op == KAPPA_OP_CONNECTION && composite) {
        f->total = f->select->case_count > 0 && asks_total(f->select);
    }
    return status;
}

static kappa_status_t
enter(kappa_planner_t *planner, uint32_t fields)
{
    planner->fields += fields;
    if (planner->fields > KAPPA_PLAN_FIELDS_MAX) {
        return kappa_plan_too_large(planner,
            "it selects too many fields, fragments resolved",
            KAPPA_PLAN_FIELDS_MAX);
    }
    if (planner->depth == KAPPA_PLAN_DEPTH_MAX) {
        return kappa_plan_too_large(
            planner, "fields are nested too deeply", KAPPA_PLAN_DEPTH_MAX);
    }
    planner->depth++;
    return KAPPA_OK;
}

/* The field of a group that comes again: as before, but for its condition. */
static const kappa_plan_field_t *
find_built(const kappa_plan_groups_t *groups, const kappa_plan_field_t *fields,
    const kappa_plan_group_t *group)
{
    for (const kappa_plan_group_t *g = groups->first; g != group;
         g = g->next) {
        fields++;
    }
    return fields;
}

static kappa_status_t
build_set(kappa_planner_t *planner, source_t source,
    const kappa_plan_groups_t *groups, kappa_plan_set_t *out)
{
    kappa_plan_field_t *fields;
    uint32_t i = 0;
    kappa_status_t status = enter(planner, groups->count);

    if (status != KAPPA_OK) {
        return status;
    }
    fields =
        KAPPA_NEW_ARRAY(planner->arena, kappa_plan_field_t, groups->count);
    if (fields == NULL) {
        return KAPPA_NOMEM;
    }
    for (const kappa_plan_group_t *g = groups->first;
         g != NULL && status == KAPPA_OK; g = g->next, i++) {
        if (g->of == NULL) {
            status = build_field(planner, source, g, groups->type, &fields[i]);
        } else {
            fields[i] = *find_built(groups, fields, g->of);
            fields[i].condition = NULL;
            status = kappa_plan_work(planner, i);
        }
        if (status == KAPPA_OK) {
            status = set_condition(planner, &fields[i], g->of ? g->of : g,
                g->of ? g->at : g->first);
        }
    }
    planner->depth--;
    *out = (kappa_plan_set_t){ .fields = fields, .count = i };
    return status == KAPPA_OK ? list_plain(planner, out) : status;
}

kappa_status_t
kappa_plan_root_set(kappa_planner_t *planner, const kappa_type_t *type,
    const kappa_selection_t *selections, kappa_plan_set_t *out)
{
    kappa_plan_groups_t groups;
    kappa_status_t status;

    kappa_plan_groups_init(planner, &groups, type);
    status = kappa_plan_collect(planner, &groups, selections, NULL);
    return status == KAPPA_OK ? build_set(planner, FROM_ROWS, &groups, out)
                              : status;
}
