/* language: what a document costs that was never seen before.
 *
 *     language plan SCHEMA DOCUMENT MILLISECONDS
 *     language introspect SCHEMA DOCUMENT MILLISECONDS
 *
 * plan: a schema of ours; the document is parsed, validated and planned, as
 * for a request. Eight # in it become a number, so that no cache has seen it.
 * introspect: any schema; the document is such a query, and is also executed.
 * Prints
 *
 *     documents N microseconds N bytes N
 *
 * with the CPU time of all, and how long the last answer was (of plan: the
 * document). */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graphql/documents.h"
#include "graphql/execute.h"
#include "views/model.h"

#define NUMBER "########"
#define NUMBER_CHARS (sizeof(NUMBER) - 1)

static const kappa_parse_limits_t no_limits = { .max_tokens = 1 << 24 };

typedef struct {
    kappa_arena_t *lasting;
    const kappa_schema_t *schema;
    kappa_documents_t *documents;
    kappa_str_t text;
    char *number; /* in text; or NULL */
} bench_t;

static void __attribute__((noreturn))
die(const char *what, const kappa_errors_t *errors)
{
    fprintf(stderr, "language: %s: %.*s\n", what,
        errors && errors->first ? (int)errors->first->message.len : 0,
        errors && errors->first ? errors->first->message.data : "");
    exit(2);
}

static char *
read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    char *bytes = malloc(1 << 24);

    if (in == NULL || bytes == NULL) {
        die(path, NULL);
    }
    *len = fread(bytes, 1, (1 << 24) - 1, in);
    bytes[*len] = '\0';
    fclose(in);
    return bytes;
}

static const kappa_schema_t *
any_schema(bench_t *bench, kappa_str_t text, kappa_errors_t *errors)
{
    kappa_source_t *source = KAPPA_NEW(bench->lasting, kappa_source_t);
    kappa_document_t *document;
    kappa_schema_t *schema;

    *source = (kappa_source_t){ KAPPA_STR("schema"), text };
    if (kappa_parse(bench->lasting, source, &no_limits, &document, errors)
            != KAPPA_OK
        || kappa_schema_build(bench->lasting, &document, 1, &schema, errors)
            != KAPPA_OK) {
        die("the schema", errors);
    }
    return schema;
}

static const kappa_schema_t *
our_schema(bench_t *bench, kappa_str_t text, kappa_errors_t *errors)
{
    kappa_model_t *model;

    if (kappa_model_load(
            bench->lasting, KAPPA_STR("schema"), text, &model, errors)
        != KAPPA_OK) {
        die("the schema", errors);
    }
    return model->schema;
}

static void
prepare(bench_t *bench, bool ours, const char *schema, const char *document)
{
    kappa_errors_t errors;
    size_t len;
    char *text = read_file(schema, &len);

    bench->lasting = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_init(&errors, bench->lasting, 0);
    bench->schema = ours ? our_schema(bench, kappa_str(text, len), &errors)
                         : any_schema(bench, kappa_str(text, len), &errors);
    bench->documents =
        kappa_documents_create(&kappa_alloc_libc, bench->schema, NULL);
    text = read_file(document, &len);
    bench->text = kappa_str(text, len);
    bench->number = strstr(text, NUMBER);
}

/* A document more; how long what came of it is. */
static size_t
once(bench_t *bench, uint64_t n, bool execute, kappa_arena_t *arena)
{
    kappa_data_t no_data = { NULL, NULL };
    const kappa_value_t *variables;
    kappa_outcome_t outcome;
    kappa_plan_t *plan;
    kappa_errors_t errors;
    kappa_buf_t buf;
    size_t len = bench->text.len;

    kappa_errors_init(&errors, arena, 0);
    for (size_t i = NUMBER_CHARS; bench->number && i > 0; n /= 10) {
        bench->number[--i] = (char)('0' + n % 10);
    }
    if (kappa_documents_get(
            bench->documents, bench->text, KAPPA_STR_NULL, &plan, &errors)
        != KAPPA_OK) {
        die("the document", &errors);
    }
    if (execute) {
        kappa_buf_init(&buf, &kappa_alloc_libc);
        if (kappa_plan_variables(plan, NULL, arena, &variables, &errors)
                != KAPPA_OK
            || kappa_execute(plan, variables, &no_data, arena, &buf, &outcome)
                != KAPPA_OK
            || outcome.error_count > 0) {
            die("executing", &errors);
        }
        kappa_response_end(&buf, KAPPA_STR_NULL);
        len = buf.len;
        kappa_buf_release(&buf);
    }
    kappa_plan_release(plan);
    kappa_arena_reset(arena);
    return len;
}

static int64_t
cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
main(int argc, char **argv)
{
    bool ours = argc == 5 && strcmp(argv[1], "plan") == 0;
    bench_t bench;

    if (!ours && (argc != 5 || strcmp(argv[1], "introspect") != 0)) {
        fputs("usage: language plan|introspect SCHEMA DOCUMENT MILLISECONDS\n",
            stderr);
        return 2;
    }
    prepare(&bench, ours, argv[2], argv[3]);
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    uint64_t n = 0;
    size_t len = once(&bench, n, !ours, arena); /* to warm up */
    int64_t start = cpu_us(), now;
    do {
        len = once(&bench, ++n, !ours, arena);
        now = cpu_us();
    } while (now - start < atol(argv[4]) * 1000);
    printf("documents %llu microseconds %lld bytes %zu\n",
        (unsigned long long)n, (long long)(now - start), len);
    kappa_arena_destroy(arena);
    kappa_documents_destroy(bench.documents);
    kappa_arena_destroy(bench.lasting);
    return 0;
}
