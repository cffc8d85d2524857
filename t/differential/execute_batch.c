#include <stdio.h>
#include <stdlib.h>

#include "t/unit/graphql_run.h"

/* Answers many requests in one process, for t/differential/execute.mjs: over
 * the schema and data of the files named. In: "DOCUMENT_BYTES VARIABLES_BYTES
 * \n", then the bytes. Out: a line of JSON each, the answer. */

static kappa_str_t
read_bytes(kappa_arena_t *arena, size_t n)
{
    char *bytes = kappa_arena_bytes(arena, n);

    if (bytes == NULL || fread(bytes, 1, n, stdin) != n) {
        fprintf(stderr, "execute_batch: the input ends too soon\n");
        exit(2);
    }
    return kappa_str(bytes, n);
}

static void
load(kappa_fake_t *fake, kappa_arena_t *arena, char **argv)
{
    kappa_str_t sdl = kappa_fake_read(arena, argv[1]);
    kappa_str_t json = kappa_fake_read(arena, argv[2]);
    kappa_errors_t errors;

    kappa_errors_init(&errors, arena, 0);
    if (sdl.data == NULL || json.data == NULL
        || kappa_fake_init(fake, arena, sdl, json, &errors) != KAPPA_OK) {
        fprintf(stderr, "execute_batch: the schema or data is wrong: %.*s\n",
            KAPPA_STR_ARG(
                errors.first ? errors.first->message : KAPPA_STR("?")));
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    kappa_arena_t *lasting = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_fake_t fake;
    kappa_buf_t out;
    size_t text_bytes, variables_bytes;

    if (argc != 3 || lasting == NULL || arena == NULL) {
        fprintf(stderr, "usage: execute_batch SCHEMA DATA < REQUESTS\n");
        return 2;
    }
    load(&fake, lasting, argv);
    kappa_buf_init(&out, &kappa_alloc_libc);
    while (scanf(" %zu %zu", &text_bytes, &variables_bytes) == 2) {
        kappa_fake_request_t request = { 0 };

        getchar();
        kappa_arena_reset(arena);
        kappa_buf_reset(&out);
        request.text = read_bytes(arena, text_bytes);
        request.variables = read_bytes(arena, variables_bytes);
        kappa_fake_run(&fake, &kappa_alloc_libc, &request, &out);
        kappa_buf_char(&out, '\n');
        fwrite(out.data, 1, out.len, stdout);
    }
    kappa_buf_release(&out);
    kappa_arena_destroy(arena);
    kappa_arena_destroy(lasting);
    return 0;
}
