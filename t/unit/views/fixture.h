#ifndef KAPPA_T_UNIT_VIEWS_FIXTURE_H
#define KAPPA_T_UNIT_VIEWS_FIXTURE_H

#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "views/model.h"

/* The whole of a file, with a NUL behind; in the arena. Fails the test when
 * it can't be read. */
static inline kappa_str_t
read_fixture(kappa_arena_t *arena, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file) {
        fail_msg("%s can't be opened", path);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = kappa_arena_bytes(arena, (size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    data[size] = '\0';
    fclose(file);
    return kappa_str(data, (size_t)size);
}

/* "line:column: message" of every error, a line each. */
static inline const char *
print_errors(kappa_arena_t *arena, const kappa_errors_t *errors)
{
    kappa_str_t all = KAPPA_STR("");

    for (const kappa_error_t *e = errors->first; e; e = e->next) {
        all = kappa_str_printf(arena, "%.*s%u:%u: %.*s\n", KAPPA_STR_ARG(all),
            e->location_count ? e->locations[0].line : 0,
            e->location_count ? e->locations[0].column : 0,
            KAPPA_STR_ARG(e->message));
    }
    return all.data;
}

/* A model that must load. */
static inline kappa_model_t *
load_model(kappa_arena_t *arena, const char *text)
{
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 0);
    if (kappa_model_load(arena, KAPPA_STR("test.graphql"), kappa_str_c(text),
            &model, &errors)
        != KAPPA_OK) {
        fail_msg("refused:\n%s", print_errors(arena, &errors));
    }
    return model;
}

#endif
