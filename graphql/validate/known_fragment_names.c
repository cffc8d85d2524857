#include "base/suggest.h"
#include "graphql/validate/rule.h"

/* 5.5.2.1 Fragment spread target defined */

static void
check(kappa_validation_t *v, const kappa_selection_t *spread)
{
    kappa_suggest_t suggest;

    if (kappa_fragment(v, spread->name.text) != NULL) {
        return;
    }
    kappa_suggest_init(&suggest, spread->name.text);
    for (uint32_t i = 0; i < v->fragments.count && !kappa_is_full(v); i++) {
        kappa_suggest_try(&suggest, v->fragments.entries[i].key);
    }
    kappa_refuse(v, spread->name.offset, "Unknown fragment \"%.*s\".%s",
        KAPPA_STR_ARG(spread->name.text),
        kappa_errors_text(
            v->errors, kappa_suggest_print(&suggest, v->arena, NULL)));
}

const kappa_rule_t kappa_rule_known_fragment_names = {
    .info = { "KnownFragmentNames", "5.5.2.1" },
    .spread = check,
};
