#include "graphql/sdl.h"

#include "graphql/builtin.h"
#include "graphql/lexer.h"
#include "graphql/library.h"
#include "graphql/parser.h"

bool
kappa_definition_is_type(const kappa_definition_t *definition)
{
    return definition->kind >= KAPPA_DEFINITION_SCALAR
        && definition->kind <= KAPPA_DEFINITION_INPUT_OBJECT;
}

static kappa_status_t
add_definition(kappa_arena_t *arena, kappa_definitions_t *list,
    const kappa_definition_t *definition)
{
    if (list->count == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        const kappa_definition_t **items =
            KAPPA_NEW_ARRAY(arena, const kappa_definition_t *, cap);

        if (items == NULL) {
            return KAPPA_NOMEM;
        }
        if (list->count) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = definition;
    return KAPPA_OK;
}

/* Reads on behind the description, up to the definition's end. */
static kappa_status_t
next_token(kappa_lexer_t *lexer, uint32_t end, kappa_token_t *token)
{
    if (lexer->position >= end) {
        *token = (kappa_token_t){ .kind = KAPPA_TOKEN_EOF };
        return KAPPA_OK;
    }
    return kappa_lexer_next(lexer, token);
}

static kappa_status_t
start_at(kappa_lexer_t *lexer, kappa_arena_t *arena,
    const kappa_definition_t *definition, kappa_token_t *first)
{
    kappa_lexer_init(lexer, arena, definition->source, NULL);
    lexer->position = definition->offset;
    kappa_status_t status = kappa_lexer_next(lexer, first);
    if (status == KAPPA_OK && definition->description.text.data != NULL) {
        status = kappa_lexer_next(lexer, first);
    }
    return status;
}

/* The same tokens, whatever their descriptions, blanks and comments. */
static kappa_status_t
is_identical(kappa_arena_t *arena, const kappa_definition_t *a,
    const kappa_definition_t *b, bool *same)
{
    kappa_lexer_t left, right;
    kappa_token_t x, y;
    kappa_status_t status = start_at(&left, arena, a, &x);

    if (status == KAPPA_OK) {
        status = start_at(&right, arena, b, &y);
    }
    *same = true;
    while (status == KAPPA_OK && *same) {
        *same = x.kind == y.kind && kappa_str_eq(x.value, y.value);
        if (x.kind == KAPPA_TOKEN_EOF) {
            break;
        }
        status = next_token(&left, a->end, &x);
        if (status == KAPPA_OK) {
            status = next_token(&right, b->end, &y);
        }
    }
    return status;
}

static const kappa_definition_t *
first_of_name(const kappa_sdl_t *sdl, const kappa_definition_t *definition)
{
    if (definition->kind == KAPPA_DEFINITION_SCHEMA) {
        return sdl->schema;
    } else if (definition->kind == KAPPA_DEFINITION_DIRECTIVE) {
        return kappa_map_get(&sdl->directives, definition->name.text);
    }
    return kappa_map_get(&sdl->types, definition->name.text);
}

/* Whether another document said it already, in the same words. */
static kappa_status_t
is_repeat(kappa_sdl_t *sdl, const kappa_definition_t *definition, bool *repeat)
{
    const kappa_definition_t *first = first_of_name(sdl, definition);

    *repeat = false;
    if (first == NULL || first->source == definition->source) {
        return KAPPA_OK;
    }
    return is_identical(sdl->arena, first, definition, repeat);
}

static kappa_status_t
add_extension(kappa_sdl_t *sdl, const kappa_definition_t *definition)
{
    if (definition->kind == KAPPA_DEFINITION_SCHEMA) {
        return add_definition(sdl->arena, &sdl->schema_extensions, definition);
    }

    kappa_definitions_t *list =
        kappa_map_get(&sdl->extensions, definition->name.text);
    if (list == NULL) {
        list = KAPPA_NEW(sdl->arena, kappa_definitions_t);
        if (list == NULL
            || kappa_map_put(&sdl->extensions, definition->name.text, list)
                != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    return add_definition(sdl->arena, list, definition);
}

static kappa_status_t
add_name(kappa_sdl_t *sdl, const kappa_definition_t *definition)
{
    if (definition->extension) {
        return add_extension(sdl, definition);
    }
    if (definition->kind == KAPPA_DEFINITION_SCHEMA) {
        sdl->schema = sdl->schema ? sdl->schema : definition;
        return KAPPA_OK;
    }
    if (kappa_map_put(definition->kind == KAPPA_DEFINITION_DIRECTIVE
                ? &sdl->last_directives
                : &sdl->last_types,
            definition->name.text, (void *)(uintptr_t)definition)
        != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    if (first_of_name(sdl, definition) != NULL) {
        return KAPPA_OK;
    }
    return kappa_map_put(definition->kind == KAPPA_DEFINITION_DIRECTIVE
            ? &sdl->directives
            : &sdl->types,
        definition->name.text, (void *)(uintptr_t)definition);
}

static kappa_status_t
note_library(kappa_sdl_t *sdl, const kappa_definition_t *definition)
{
    if (!kappa_library_is(definition->source)) {
        return KAPPA_OK;
    }
    sdl->has_library = true;
    return kappa_map_put(definition->kind == KAPPA_DEFINITION_DIRECTIVE
            ? &sdl->library_directives
            : &sdl->library,
        definition->name.text, (void *)(uintptr_t)definition);
}

static kappa_status_t
collect_definition(kappa_sdl_t *sdl, const kappa_definition_t *definition)
{
    bool repeat = false;
    kappa_status_t status = note_library(sdl, definition);

    if (status == KAPPA_OK && !definition->extension
        && definition->kind >= KAPPA_DEFINITION_SCHEMA) {
        status = is_repeat(sdl, definition, &repeat);
    }
    if (status != KAPPA_OK || repeat) {
        return status;
    }
    status = add_definition(sdl->arena, &sdl->all, definition);
    if (status == KAPPA_OK && definition->kind >= KAPPA_DEFINITION_SCHEMA) {
        status = add_name(sdl, definition);
    }
    return status;
}

static kappa_status_t
collect_standard(kappa_sdl_t *sdl)
{
    kappa_document_t *document;
    kappa_status_t status = kappa_parse(
        sdl->arena, &kappa_builtin_source, NULL, &document, sdl->errors);

    if (status != KAPPA_OK) {
        return status;
    }
    sdl->builtin = document;
    for (kappa_definition_t *d = document->definitions;
         d != NULL && status == KAPPA_OK; d = d->next) {
        status = kappa_map_put(kappa_definition_is_type(d)
                ? &sdl->standard
                : &sdl->standard_directives,
            d->name.text, d);
    }
    return status;
}

kappa_status_t
kappa_sdl_collect(kappa_sdl_t *sdl, kappa_arena_t *arena,
    kappa_document_t *const *documents, uint32_t count, kappa_errors_t *errors)
{
    *sdl = (kappa_sdl_t){ .arena = arena, .errors = errors };
    kappa_map_init(&sdl->types, arena);
    kappa_map_init(&sdl->directives, arena);
    kappa_map_init(&sdl->last_types, arena);
    kappa_map_init(&sdl->last_directives, arena);
    kappa_map_init(&sdl->extensions, arena);
    kappa_map_init(&sdl->standard, arena);
    kappa_map_init(&sdl->standard_directives, arena);
    kappa_map_init(&sdl->library, arena);
    kappa_map_init(&sdl->library_directives, arena);

    kappa_status_t status = collect_standard(sdl);
    for (uint32_t i = 0; i < count; i++) {
        for (kappa_definition_t *d = documents[i]->definitions;
             d != NULL && status == KAPPA_OK; d = d->next) {
            status = collect_definition(sdl, d);
        }
    }
    return status;
}
