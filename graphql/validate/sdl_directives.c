#include "graphql/validate/directives.h"
#include "graphql/validate/sdl_private.h"

/* The rules about directives (5.4, 5.6.3, 5.7) over a type system document. */

typedef struct {
    kappa_sdl_t *sdl;
    kappa_directive_rules_t rules;
    kappa_directives_seen_t seen;
    kappa_status_t status;
} walk_t;

static const kappa_definition_t *
find_directive(void *ctx, kappa_str_t name)
{
    kappa_sdl_t *sdl = ctx;
    const kappa_definition_t *own = kappa_map_get(&sdl->last_directives, name);

    return own ? own : kappa_map_get(&sdl->standard_directives, name);
}

static kappa_status_t
check_unique(walk_t *walk, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place)
{
    kappa_map_t own;
    kappa_map_t *seen = kappa_directives_seen_at(
        &walk->seen, walk->sdl->arena, list, place, &own);

    return seen ? kappa_check_unique_directives(&walk->rules, list, seen)
                : KAPPA_NOMEM;
}

static kappa_status_t
check_arguments(walk_t *walk, const kappa_directive_node_t *node)
{
    kappa_sdl_t *sdl = walk->sdl;
    kappa_status_t status = kappa_check_unique_arguments(
        sdl->arena, sdl->errors, node->arguments, node->source);

    for (const kappa_argument_t *a = node->arguments;
         a != NULL && status == KAPPA_OK; a = a->next) {
        status = kappa_check_unique_input_fields(
            sdl->arena, sdl->errors, a->value, node->source);
    }
    return status;
}

static bool
check_list(void *ctx, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place)
{
    walk_t *walk = ctx;

    kappa_check_known_directives(&walk->rules, list, place->location);
    walk->status = check_unique(walk, list, place);
    kappa_check_known_directive_arguments(&walk->rules, list);
    for (const kappa_directive_node_t *d = list;
         d != NULL && walk->status == KAPPA_OK; d = d->next) {
        walk->status = check_arguments(walk, d);
    }
    kappa_check_required_directive_arguments(&walk->rules, list);
    return walk->status == KAPPA_OK;
}

static kappa_status_t
check_defaults(kappa_sdl_t *sdl, const kappa_input_node_t *input,
    const kappa_source_t *source)
{
    kappa_status_t status = KAPPA_OK;

    for (; input != NULL && status == KAPPA_OK; input = input->next) {
        status = kappa_check_unique_input_fields(
            sdl->arena, sdl->errors, input->default_value, source);
    }
    return status;
}

/* --- operations and fragments, which change no schema, are looked at too */

static void
check_node(
    walk_t *walk, const kappa_directive_node_t *list, const char *location)
{
    kappa_directive_place_t place = { .location = location };

    if (list != NULL && walk->status == KAPPA_OK) {
        check_list(walk, list, &place);
    }
}

static void
check_selections(
    walk_t *walk, const kappa_selection_t *s, const kappa_source_t *source)
{
    static const char *const locations[] = { "FIELD", "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT" };
    kappa_sdl_t *sdl = walk->sdl;

    for (; s != NULL && walk->status == KAPPA_OK; s = s->next) {
        walk->status = kappa_check_unique_arguments(
            sdl->arena, sdl->errors, s->arguments, source);
        for (const kappa_argument_t *a = s->arguments;
             a != NULL && walk->status == KAPPA_OK; a = a->next) {
            walk->status = kappa_check_unique_input_fields(
                sdl->arena, sdl->errors, a->value, source);
        }
        check_node(walk, s->directives, locations[s->kind]);
        check_selections(walk, s->selections, source);
    }
}

static kappa_status_t
check_executable(walk_t *walk, const kappa_definition_t *d)
{
    static const char *const locations[] = { "QUERY", "MUTATION",
        "SUBSCRIPTION" };

    for (const kappa_variable_node_t *n = d->variables;
         n != NULL && walk->status == KAPPA_OK; n = n->next) {
        walk->status = kappa_check_unique_input_fields(
            walk->sdl->arena, walk->sdl->errors, n->default_value, d->source);
        check_node(walk, n->directives, "VARIABLE_DEFINITION");
    }
    check_node(walk, d->directives,
        d->kind == KAPPA_DEFINITION_FRAGMENT ? "FRAGMENT_DEFINITION"
                                             : locations[d->operation]);
    check_selections(walk, d->selections, d->source);
    return walk->status;
}

static kappa_status_t
check_definition(walk_t *walk, const kappa_definition_t *d)
{
    if (d->kind <= KAPPA_DEFINITION_FRAGMENT) {
        return check_executable(walk, d);
    }
    kappa_status_t status = check_defaults(walk->sdl, d->inputs, d->source);

    for (const kappa_field_node_t *f = d->fields;
         f != NULL && status == KAPPA_OK; f = f->next) {
        status = check_defaults(walk->sdl, f->arguments, d->source);
    }
    if (status == KAPPA_OK) {
        kappa_directive_walk(d, check_list, walk);
        status = walk->status;
    }
    return status;
}

kappa_status_t
kappa_sdl_directives(kappa_sdl_t *sdl)
{
    walk_t walk = { .sdl = sdl,
        .rules = { sdl->arena, sdl->errors, find_directive, sdl } };
    kappa_status_t status = KAPPA_OK;

    kappa_directives_seen_init(&walk.seen, sdl->arena);
    for (uint32_t i = 0; i < sdl->all.count && status == KAPPA_OK; i++) {
        status = check_definition(&walk, sdl->all.items[i]);
    }
    return status;
}
