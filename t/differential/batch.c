#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/input.h"
#include "graphql/execute.h"
#include "graphql/schema_diff.h"
#include "graphql/validate.h"

/* Answers many cases in one process, for t/differential/compare.mjs. In:
 * "KIND SCHEMA_BYTES DOCUMENT_BYTES\n", then the bytes. KIND p parses the
 * document, s builds the schema, v validates the document against it (0 schema
 * bytes: against the one before), i executes it, an introspection query, d
 * compares the schema with the document, another schema. Out: a line of JSON
 * each, the errors or the answer. */

typedef struct {
    kappa_arena_t *schema_arena;
    kappa_source_t schema_source;
    kappa_schema_t *schema; /* NULL: it had errors */
} batch_t;

static char *
read_bytes(kappa_arena_t *arena, size_t n)
{
    char *bytes = kappa_arena_bytes(arena, n + 1);

    if (bytes == NULL || fread(bytes, 1, n, stdin) != n) {
        fprintf(stderr, "batch: the input ends too soon\n");
        exit(2);
    }
    return bytes;
}

static kappa_status_t
build_schema(batch_t *batch, size_t bytes, kappa_errors_t *errors)
{
    kappa_document_t *document;

    kappa_arena_destroy(batch->schema_arena);
    batch->schema_arena = kappa_arena_create(&kappa_alloc_libc, 0);
    batch->schema = NULL;
    kappa_errors_init(errors, batch->schema_arena, 10000);
    batch->schema_source.name = KAPPA_STR("schema");
    batch->schema_source.text =
        kappa_str(read_bytes(batch->schema_arena, bytes), bytes);
    kappa_status_t status = kappa_parse(batch->schema_arena,
        &batch->schema_source, &kappa_input_limits, &document, errors);
    return status == KAPPA_OK ? kappa_schema_build(
               batch->schema_arena, &document, 1, &batch->schema, errors)
                              : status;
}

/* Prints the answer at once. */
static kappa_status_t
execute(batch_t *batch, const kappa_document_t *document, kappa_arena_t *arena,
    kappa_errors_t *errors)
{
    kappa_data_t no_data = { NULL, NULL };
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_plan_t *plan;
    kappa_buf_t buf;
    kappa_status_t status = kappa_plan_create(&kappa_alloc_libc, batch->schema,
        document, KAPPA_STR_NULL, &plan, errors);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    status = kappa_plan_variables(plan, NULL, arena, &variables, errors);
    if (status == KAPPA_OK) {
        status =
            kappa_execute(plan, variables, &no_data, arena, &buf, &outcome);
        kappa_response_end(&buf, KAPPA_STR(""));
        printf("%.*s\n", KAPPA_STR_ARG(kappa_buf_view(&buf)));
    }
    kappa_buf_release(&buf);
    kappa_plan_release(plan);
    return status;
}

static kappa_status_t
check_document(batch_t *batch, char kind, kappa_arena_t *arena, size_t bytes,
    kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;

    source->name = KAPPA_STR("document");
    source->text = kappa_str(read_bytes(arena, bytes), bytes);
    kappa_status_t status =
        kappa_parse(arena, source, &kappa_input_limits, &document, errors);
    if (status == KAPPA_OK && kind != 'p' && batch->schema != NULL) {
        status = kappa_validate(arena, batch->schema, document, errors);
    }
    if (status == KAPPA_OK && kind == 'i' && batch->schema != NULL) {
        status = execute(batch, document, arena, errors);
    }
    return status;
}

/* [["FIELD_REMOVED", "Query.item"], …] */
static void
print_changes(const kappa_schema_change_t *changes)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_buf_char(&buf, '[');
    for (const kappa_schema_change_t *c = changes; c != NULL; c = c->next) {
        kappa_buf_printf(&buf, "%s[\"%s\",", c == changes ? "" : ",", c->code);
        kappa_json_string(&buf, c->at);
        kappa_buf_char(&buf, ']');
    }
    printf("%.*s]\n", KAPPA_STR_ARG(kappa_buf_view(&buf)));
    kappa_buf_release(&buf);
}

/* Prints the answer at once. */
static kappa_status_t
compare(
    batch_t *batch, kappa_arena_t *arena, size_t bytes, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(arena, kappa_source_t);
    kappa_document_t *document;
    kappa_schema_t *after;
    kappa_schema_change_t *changes;

    source->name = KAPPA_STR("after");
    source->text = kappa_str(read_bytes(arena, bytes), bytes);
    kappa_status_t status =
        kappa_parse(arena, source, &kappa_input_limits, &document, errors);
    if (status == KAPPA_OK) {
        status = kappa_schema_build(arena, &document, 1, &after, errors);
    }
    if (status == KAPPA_OK) {
        status = kappa_schema_diff(arena, batch->schema, after, &changes);
    }
    if (status == KAPPA_OK) {
        print_changes(changes);
    }
    return status;
}

static void
answer(const kappa_errors_t *errors, kappa_status_t status)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_json_errors(&buf, errors);
    if ((status == KAPPA_OK) != (errors->count == 0)) {
        kappa_buf_reset(&buf);
        kappa_buf_printf(
            &buf, "\"status %d with %u errors\"", (int)status, errors->count);
    }
    kappa_buf_char(&buf, '\n');
    fwrite(buf.data, 1, buf.len, stdout);
    kappa_buf_release(&buf);
}

int
main(void)
{
    batch_t batch = { 0 };
    char kind;
    size_t schema_bytes, document_bytes;

    while (scanf(" %c %zu %zu", &kind, &schema_bytes, &document_bytes) == 3) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_errors_t errors;
        kappa_status_t status = KAPPA_OK;

        getchar();
        kappa_errors_init(&errors, arena, 10000);
        if (schema_bytes > 0) {
            status = build_schema(&batch, schema_bytes, &errors);
        }
        if (kind == 'd') {
            kappa_errors_init(&errors, arena, 10000);
            status = compare(&batch, arena, document_bytes, &errors);
        } else if (kind != 's') {
            kappa_errors_init(&errors, arena, 10000);
            status =
                check_document(&batch, kind, arena, document_bytes, &errors);
        }
        if ((kind != 'i' && kind != 'd') || status != KAPPA_OK) {
            answer(&errors, status);
        }
        kappa_arena_destroy(arena);
    }
    kappa_arena_destroy(batch.schema_arena);
    return 0;
}
