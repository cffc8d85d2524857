#include <stdlib.h>

#include "views/model.h"

/* Any text is loaded as a schema: no crash, bounded time, an error exactly
 * where it is refused; and in one that loads, everything a request may reach
 * is bound. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_type(const kappa_type_t *type)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].binding == NULL) {
            abort();
        }
    }
}

static void
check_list(const kappa_list_t *list)
{
    for (uint32_t i = 0; i < list->choice_count; i++) {
        if (list->choices[i].index == NULL) {
            abort();
        }
    }
}

static void
check_model(const kappa_model_t *model)
{
    for (uint32_t i = 0; i < 3; i++) {
        const kappa_type_t *root = model->schema->roots[i];

        if (root == NULL) {
            continue;
        }
        check_type(root);
        for (uint32_t n = 0; n < root->field_count; n++) {
            const kappa_binding_t *binding = root->fields[n].binding;

            if (binding->kind == KAPPA_BIND_LIST
                || binding->kind == KAPPA_BIND_CONNECTION) {
                check_list(binding->data);
            }
        }
    }
    for (uint32_t i = 0; i < model->view_count; i++) {
        check_type(model->views[i]->type);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_model_load(arena, KAPPA_STR("fuzz.graphql"),
        kappa_str((const char *)data, size), &model, &errors);
    if ((status == KAPPA_OK) != (errors.count == 0)) {
        abort();
    }
    if (status == KAPPA_OK) {
        check_model(model);
    } else if (status != KAPPA_INVALID && status != KAPPA_LIMIT) {
        abort();
    }
    kappa_arena_destroy(arena);
    return 0;
}
