#include "graphql/validate/directives.h"
#include "graphql/validate/rule.h"

/* 5.7.3 Directives are unique per location */

static kappa_status_t
note(const kappa_directive_rules_t *rules, const kappa_directive_node_t *node,
    kappa_map_t *seen)
{
    const kappa_directive_node_t *first = kappa_map_get(seen, node->name.text);

    if (first == NULL) {
        return kappa_map_put(seen, node->name.text, (void *)(uintptr_t)node);
    }
    kappa_error_t *error = kappa_errors_add(rules->errors, "VALIDATION_FAILED",
        "The directive \"@%.*s\" can only be used once at this location.",
        KAPPA_STR_ARG(node->name.text));
    kappa_error_at(rules->errors, error, first->source, first->offset);
    kappa_error_at(rules->errors, error, node->source, node->offset);
    return KAPPA_OK;
}

kappa_status_t
kappa_check_unique_directives(const kappa_directive_rules_t *rules,
    const kappa_directive_node_t *list, kappa_map_t *seen)
{
    for (; list != NULL; list = list->next) {
        const kappa_definition_t *definition =
            rules->find(rules->ctx, list->name.text);

        if (definition != NULL && !definition->repeatable
            && note(rules, list, seen) != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return KAPPA_OK;
}

void
kappa_directives_seen_init(kappa_directives_seen_t *seen, kappa_arena_t *arena)
{
    kappa_map_init(&seen->schema, arena);
    kappa_map_init(&seen->types, arena);
}

static kappa_map_t *
map_of_type(
    kappa_directives_seen_t *seen, kappa_arena_t *arena, kappa_str_t name)
{
    kappa_map_t *map = kappa_map_get(&seen->types, name);

    if (map != NULL) {
        return map;
    }
    map = KAPPA_NEW(arena, kappa_map_t);
    if (map == NULL || kappa_map_put(&seen->types, name, map) != KAPPA_OK) {
        return NULL;
    }
    kappa_map_init(map, arena);
    return map;
}

kappa_map_t *
kappa_directives_seen_at(kappa_directives_seen_t *seen, kappa_arena_t *arena,
    const kappa_directive_node_t *list, const kappa_directive_place_t *place,
    kappa_map_t *own)
{
    const kappa_definition_t *definition = place ? place->definition : NULL;

    if (definition == NULL || list != definition->directives) {
        kappa_map_init(own, arena);
        return own;
    }
    return definition->kind == KAPPA_DEFINITION_SCHEMA
        ? &seen->schema
        : map_of_type(seen, arena, definition->name.text);
}

static void
check(kappa_validation_t *v, const kappa_directive_node_t *list,
    const char *location)
{
    kappa_map_t own;

    (void)location;
    if (list->next == NULL && v->place == NULL) {
        return;
    }
    kappa_map_t *seen =
        kappa_directives_seen_at(&v->seen, v->arena, list, v->place, &own);
    if (seen == NULL
        || kappa_check_unique_directives(&v->directives, list, seen)
            != KAPPA_OK) {
        kappa_validation_fail(v, KAPPA_NOMEM);
    }
}

const kappa_rule_t kappa_rule_unique_directives = {
    .info = { "UniqueDirectivesPerLocation", "5.7.3" },
    .list = check,
};
