#include "cli/input.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/command.h"

#define CHUNK_BYTES 65536

const kappa_parse_limits_t kappa_input_limits = { .max_depth = 2000 };

static kappa_status_t
read_all(FILE *file, kappa_buf_t *buf)
{
    for (;;) {
        if (!kappa_buf_reserve(buf, CHUNK_BYTES)) {
            return KAPPA_NOMEM;
        }
        size_t n = fread(buf->data + buf->len, 1, CHUNK_BYTES, file);

        buf->len += n;
        if (n == 0) {
            return ferror(file) ? KAPPA_IO : KAPPA_OK;
        }
    }
}

static kappa_status_t
read_file(FILE *file, kappa_arena_t *arena, kappa_str_t *out)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    kappa_status_t status = read_all(file, &buf);
    if (status == KAPPA_OK) {
        *out = kappa_str_dup(arena, kappa_buf_view(&buf));
        status = out->data ? KAPPA_OK : KAPPA_NOMEM;
    }
    kappa_buf_release(&buf);
    return status;
}

kappa_status_t
kappa_input_read(kappa_arena_t *arena, const char *path, kappa_source_t *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    kappa_status_t status = KAPPA_IO;

    out->name = kappa_str_c(path);
    if (file != NULL) {
        status = read_file(file, arena, &out->text);
    }
    if (status == KAPPA_IO) {
        fprintf(stderr, "kappa: %s: %s\n", path, strerror(errno));
    }
    if (file != NULL && file != stdin) {
        fclose(file);
    }
    return status;
}

static void
print_text(const kappa_error_t *error, const char *file)
{
    if (error->location_count == 0) {
        printf("%s: %.*s\n", file, KAPPA_STR_ARG(error->message));
        return;
    }
    const kappa_location_t *at = &error->locations[0];
    printf("%.*s:%u:%u: %.*s\n", KAPPA_STR_ARG(at->source->name), at->line,
        at->column, KAPPA_STR_ARG(error->message));
}

static void
write_json(kappa_buf_t *buf, const kappa_error_t *error)
{
    KAPPA_BUF_LIT(buf, "{\"message\":");
    kappa_json_string(buf, error->message);
    KAPPA_BUF_LIT(buf, ",\"locations\":[");
    for (uint32_t i = 0; i < error->location_count; i++) {
        kappa_buf_printf(buf, "%s{\"line\":%u,\"column\":%u}", i ? "," : "",
            error->locations[i].line, error->locations[i].column);
    }
    KAPPA_BUF_LIT(buf, "]}");
}

static int
report_json(const kappa_errors_t *errors)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_buf_char(&buf, '[');
    for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
        if (e != errors->first) {
            kappa_buf_char(&buf, ',');
        }
        write_json(&buf, e);
    }
    KAPPA_BUF_LIT(&buf, "]\n");
    if (!buf.failed) {
        fwrite(buf.data, 1, buf.len, stdout);
    }
    bool failed = buf.failed;
    kappa_buf_release(&buf);
    return failed       ? kappa_input_no_memory()
        : errors->count ? KAPPA_EXIT_ERRORS
                        : KAPPA_EXIT_OK;
}

int
kappa_input_report(const kappa_errors_t *errors, const char *file, bool json)
{
    if (errors->no_memory) {
        return kappa_input_no_memory();
    }
    if (json) {
        return report_json(errors);
    }
    for (const kappa_error_t *e = errors->first; e != NULL; e = e->next) {
        print_text(e, file);
    }
    return errors->count ? KAPPA_EXIT_ERRORS : KAPPA_EXIT_OK;
}

int
kappa_input_no_memory(void)
{
    fprintf(stderr, "kappa: out of memory\n");
    return KAPPA_EXIT_USAGE;
}

bool
kappa_input_options(int *argc, char **argv, bool *json)
{
    int kept = 0;

    *json = false;
    for (int i = 0; i < *argc; i++) {
        if (i > 0 && strcmp(argv[i], "--json") == 0) {
            *json = true;
        } else if (i > 0 && argv[i][0] == '-' && argv[i][1] != '\0') {
            return false;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return true;
}
