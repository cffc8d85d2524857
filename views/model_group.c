#include "views/model_private.h"

/* @groupBy: views whose rows are the groups of another's. */

static kappa_status_t
add_group(kappa_model_builder_t *b, kappa_view_t *source, kappa_view_t *group)
{
    if (!source->groups) {
        source->groups = KAPPA_NEW_ARRAY(
            b->arena, const kappa_view_t *, b->model->view_count);
    }
    if (!source->groups) {
        return KAPPA_NOMEM;
    }
    source->groups[source->group_count++] = group;
    return KAPPA_OK;
}

/* Rows of a group hold what they are grouped by and what adds up; anything
 * else would stay null for ever. */
static kappa_status_t
check_columns(kappa_model_builder_t *b, const kappa_view_t *group)
{
    static const char *const filled[] = { "count", "sum", "avg", "min", "max",
        "computed" };

    for (uint32_t i = 0; i < group->column_count; i++) {
        const kappa_field_t *field = group->columns[i].field;
        bool fine = false;

        for (uint32_t k = 0; k < group->key_count; k++) {
            fine |= group->key[k] == i
                && !kappa_model_directive(field->directives, "stamp")
                && !kappa_model_directive(field->directives, "default");
        }
        for (size_t k = 0; k < sizeof(filled) / sizeof(filled[0]); k++) {
            fine |=
                kappa_model_directive(field->directives, filled[k]) != NULL;
        }
        if (!fine) {
            return kappa_model_refuse(b, field->source, field->offset,
                "Nothing fills \"%.*s.%.*s\": rows of a @groupBy view hold "
                "their key, aggregates and @computed fields.",
                KAPPA_STR_ARG(group->name), KAPPA_STR_ARG(field->name));
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_written(kappa_model_builder_t *b, const kappa_view_t *group)
{
    const kappa_directive_node_t *on =
        kappa_model_directive(group->type->directives, "on");

    return on ? kappa_model_refuse(b, on->source, on->offset,
               "\"%.*s\" is a @groupBy view: nothing else writes its "
               "rows.",
               KAPPA_STR_ARG(group->name))
              : KAPPA_OK;
}

static kappa_status_t
group_view(kappa_model_builder_t *b, kappa_view_t *group)
{
    kappa_view_t *source;
    uint32_t *by, count;
    bool ok = false;
    const kappa_directive_node_t *node =
        kappa_model_directive(group->type->directives, "groupBy");

    if (!node) {
        return KAPPA_OK;
    }
    kappa_status_t status = kappa_model_named_view(b, node, "of", &source);
    if (status != KAPPA_OK || !source) {
        return status;
    }
    status = kappa_model_columns(b, source, node, "by", &by, &count);
    if (status == KAPPA_OK && count) {
        status = kappa_model_check_by(b, node, source, by, count, group, &ok);
    }
    if (status != KAPPA_OK || !ok) {
        return status;
    }
    group->group_of = source;
    group->group_by = by;
    status = add_group(b, source, group);
    if (status == KAPPA_OK) {
        status = check_columns(b, group);
    }
    return status == KAPPA_OK ? check_written(b, group) : status;
}

/* A group of a group of … of itself. */
static kappa_status_t
check_cycle(kappa_model_builder_t *b, const kappa_view_t *group)
{
    const kappa_view_t *view = group->group_of;

    for (uint32_t i = 0; view && i < b->model->view_count; i++) {
        if (view == group) {
            const kappa_directive_node_t *node =
                kappa_model_directive(group->type->directives, "groupBy");
            return kappa_model_refuse(b, node->source, node->offset,
                "\"%.*s\" is a group of itself.", KAPPA_STR_ARG(group->name));
        }
        view = view->group_of;
    }
    return KAPPA_OK;
}

kappa_status_t
kappa_model_groups(kappa_model_builder_t *b)
{
    kappa_status_t status = KAPPA_OK;

    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = group_view(b, b->model->views[i]);
    }
    for (uint32_t i = 0; status == KAPPA_OK && i < b->model->view_count; i++) {
        status = check_cycle(b, b->model->views[i]);
    }
    return status;
}
