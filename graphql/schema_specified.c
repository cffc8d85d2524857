#include "graphql/directive_walk.h"
#include "graphql/schema_check.h"
#include "graphql/validate/literal.h"

/* 3.13.3 @deprecated, 3.13.4 @specifiedBy: what they say must be text. */

typedef struct {
    kappa_build_t *build;
    kappa_type_ref_t string;
    kappa_type_ref_t required_string;
    kappa_status_t status;
} check_t;

static const struct {
    const char *directive;
    const char *argument;
} texts[] = {
    { "deprecated", "reason" },
    { "specifiedBy", "url" },
};

static bool
check_node(check_t *c, const kappa_directive_node_t *node)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!kappa_str_eq_c(node->name.text, texts[i].directive)) {
            continue;
        }
        const kappa_literal_t *literal =
            kappa_directive_arg(node, kappa_str_c(texts[i].argument));
        kappa_str_t what = kappa_str_printf(c->build->arena,
            "Argument \"@%s(%s:)\" has invalid value: ", texts[i].directive,
            texts[i].argument);

        if (what.data == NULL) {
            c->status = KAPPA_NOMEM;
        } else if (literal != NULL) {
            c->status =
                kappa_check_literal(c->build->arena, c->build->sdl->errors,
                    literal, &c->required_string, node->source, what);
        }
    }
    return c->status == KAPPA_OK;
}

static bool
check_list(void *ctx, const kappa_directive_node_t *list,
    const kappa_directive_place_t *place)
{
    (void)place;
    for (; list != NULL; list = list->next) {
        if (!check_node(ctx, list)) {
            return false;
        }
    }
    return true;
}

kappa_status_t
kappa_check_specified_directives(kappa_build_t *build)
{
    const kappa_type_t *string =
        kappa_map_get(&build->standard, KAPPA_STR("String"));
    check_t c = { .build = build,
        .string = { .kind = KAPPA_REF_NAMED, .named = string } };

    c.required_string = (kappa_type_ref_t){
        .kind = KAPPA_REF_NON_NULL, .of = &c.string, .named = string
    };
    for (uint32_t i = 0; i < build->sdl->all.count && c.status == KAPPA_OK;
         i++) {
        kappa_directive_walk(build->sdl->all.items[i], check_list, &c);
    }
    return c.status;
}
