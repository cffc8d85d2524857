#include <stdio.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/schema_file.h"
#include "graphql/schema_diff.h"
#include "views/compare.h"

/* What another schema means: to clients of the one before, to the views, and
 * to what they hold. */

typedef struct {
    kappa_arena_t *arena;
    const kappa_schema_t *schema;
    const kappa_model_t *model; /* NULL: a schema of no kappa application */
} side_t;

typedef struct {
    const kappa_schema_change_t *changes;
    const kappa_difference_t *differences;
    bool views; /* both have some, and were compared */
} diff_t;

/* KAPPA_OK, or an exit status was said. */
static kappa_status_t
load(side_t *side, const char *path, int *code)
{
    kappa_source_t *source = KAPPA_NEW(side->arena, kappa_source_t);
    kappa_schema_t *schema;
    kappa_model_t *model;
    kappa_errors_t errors;

    *code = KAPPA_EXIT_USAGE;
    kappa_errors_init(&errors, side->arena, KAPPA_INPUT_ERRORS_MAX);
    kappa_status_t status =
        source ? kappa_input_read(side->arena, path, source) : KAPPA_NOMEM;
    if (status == KAPPA_IO) {
        return status;
    }
    if (status == KAPPA_OK) {
        status = kappa_schema_text_load(side->arena, source, &schema, &errors);
    }
    if (status == KAPPA_OK && schema->has_library) {
        status = kappa_model_load(
            side->arena, source->name, source->text, &model, &errors);
        if (status == KAPPA_OK) {
            side->model = model;
            schema = model->schema;
        }
    }
    if (status == KAPPA_OK) {
        side->schema = schema;
    } else if (status == KAPPA_NOMEM) {
        *code = kappa_input_no_memory();
    } else {
        (void)kappa_input_report(&errors, path, false);
    }
    return status;
}

static kappa_status_t
compare(const side_t *before, const side_t *after, diff_t *out)
{
    kappa_schema_change_t *changes = NULL;
    kappa_difference_t *differences = NULL;
    kappa_status_t status = kappa_schema_diff(
        after->arena, before->schema, after->schema, &changes);

    out->views = before->model && after->model;
    if (status == KAPPA_OK && out->views) {
        status = kappa_model_compare(
            after->arena, before->model, after->model, &differences);
    }
    out->changes = changes;
    out->differences = differences;
    return status;
}

/* --- what it comes to */

typedef struct {
    unsigned clients[KAPPA_CHANGE_BREAKING + 1]; /* by severity */
    unsigned losses;
    kappa_need_t need;
} sum_t;

static sum_t
sum_of(const diff_t *diff)
{
    sum_t sum = { .need = KAPPA_NEED_NONE };

    for (const kappa_schema_change_t *c = diff->changes; c; c = c->next) {
        sum.clients[c->severity]++;
    }
    for (const kappa_difference_t *d = diff->differences; d; d = d->next) {
        sum.need = d->need > sum.need ? d->need : sum.need;
        sum.losses += d->loses;
    }
    return sum;
}

static const char *const severities[] = { "safe", "dangerous", "breaking" };
static const char *const needs[] = { "none", "if-skipped", "if-seen",
    "build" };

/* --- for people */

static void
print_difference(const kappa_difference_t *d)
{
    static const char *const conditions[] = { "",
        " (a build only if events were skipped)",
        " (a build only if there were such events)", "" };

    printf("%-9s  %.*s %.*s%s\n", d->loses ? "loses" : "build",
        KAPPA_STR_ARG(d->what), KAPPA_STR_ARG(d->how), conditions[d->need]);
}

static void
print_sum(const diff_t *diff, const sum_t *sum)
{
    static const char *const builds[] = { "as they are",
        "a build if events were skipped", "a build if there were such events",
        "a build" };

    printf("clients: %u breaking, %u dangerous, %u safe",
        sum->clients[KAPPA_CHANGE_BREAKING],
        sum->clients[KAPPA_CHANGE_DANGEROUS], sum->clients[KAPPA_CHANGE_SAFE]);
    if (diff->views) {
        printf("; views: %s; data: %u lost", builds[sum->need], sum->losses);
    }
    putchar('\n');
}

static void
print_text(const diff_t *diff, const sum_t *sum)
{
    for (int s = KAPPA_CHANGE_BREAKING; s >= KAPPA_CHANGE_SAFE; s--) {
        for (const kappa_schema_change_t *c = diff->changes; c; c = c->next) {
            if ((int)c->severity == s) {
                printf("%-9s  %.*s: %.*s\n", severities[s],
                    KAPPA_STR_ARG(c->at), KAPPA_STR_ARG(c->message));
            }
        }
    }
    for (int loses = 1; loses >= 0; loses--) {
        for (const kappa_difference_t *d = diff->differences; d; d = d->next) {
            if (d->loses == (loses == 1)) {
                print_difference(d);
            }
        }
    }
    print_sum(diff, sum);
}

/* --- for programs */

static void
write_member(kappa_buf_t *buf, const char *name, kappa_str_t value)
{
    kappa_buf_printf(buf, "\"%s\":", name);
    kappa_json_string(buf, value);
}

static void
write_changes(kappa_buf_t *buf, const kappa_schema_change_t *changes)
{
    KAPPA_BUF_LIT(buf, "\"clients\":[");
    for (const kappa_schema_change_t *c = changes; c; c = c->next) {
        kappa_buf_printf(buf, "%s{\"severity\":\"%s\",\"code\":\"%s\",",
            c == changes ? "" : ",", severities[c->severity], c->code);
        write_member(buf, "at", c->at);
        kappa_buf_char(buf, ',');
        write_member(buf, "message", c->message);
        kappa_buf_char(buf, '}');
    }
    kappa_buf_char(buf, ']');
}

static void
write_differences(kappa_buf_t *buf, const kappa_difference_t *differences)
{
    KAPPA_BUF_LIT(buf, ",\"views\":[");
    for (const kappa_difference_t *d = differences; d; d = d->next) {
        kappa_buf_printf(buf, "%s{\"build\":\"%s\",\"loses\":%s,",
            d == differences ? "" : ",", needs[d->need],
            d->loses ? "true" : "false");
        write_member(buf, "at", d->what);
        kappa_buf_char(buf, ',');
        write_member(buf, "message", d->how);
        kappa_buf_char(buf, '}');
    }
    kappa_buf_char(buf, ']');
}

static bool
print_json(const diff_t *diff, const sum_t *sum)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    kappa_buf_char(&buf, '{');
    write_changes(&buf, diff->changes);
    write_differences(&buf, diff->differences);
    kappa_buf_printf(&buf,
        ",\"breaking\":%u,\"dangerous\":%u,\"safe\":%u,\"build\":\"%s\","
        "\"losses\":%u}\n",
        sum->clients[KAPPA_CHANGE_BREAKING],
        sum->clients[KAPPA_CHANGE_DANGEROUS], sum->clients[KAPPA_CHANGE_SAFE],
        needs[sum->need], sum->losses);
    bool written = !buf.failed;
    if (written) {
        fwrite(buf.data, 1, buf.len, stdout);
    }
    kappa_buf_release(&buf);
    return written;
}

/* --- */

static int
tell(const diff_t *diff, bool json)
{
    sum_t sum = sum_of(diff);

    if (!json) {
        print_text(diff, &sum);
    } else if (!print_json(diff, &sum)) {
        return kappa_input_no_memory();
    }
    return sum.clients[KAPPA_CHANGE_BREAKING] || sum.losses ? KAPPA_EXIT_ERRORS
                                                            : KAPPA_EXIT_OK;
}

static int
diff_files(kappa_arena_t *arena, char **paths, bool json)
{
    side_t before = { .arena = arena }, after = { .arena = arena };
    diff_t diff;
    int code;

    if (load(&before, paths[0], &code) != KAPPA_OK
        || load(&after, paths[1], &code) != KAPPA_OK) {
        return code;
    }
    if ((before.model == NULL) != (after.model == NULL)) {
        fprintf(stderr,
            "kappa: only one of the schemas has views: what becomes of them "
            "is not told\n");
    }
    return compare(&before, &after, &diff) == KAPPA_OK
        ? tell(&diff, json)
        : kappa_input_no_memory();
}

static int
run(int argc, char **argv)
{
    bool json;

    if (!kappa_input_options(&argc, argv, &json) || argc != 3
        || (strcmp(argv[1], "-") == 0 && strcmp(argv[2], "-") == 0)) {
        return kappa_command_misuse(&kappa_command_diff);
    }
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    int code =
        arena ? diff_files(arena, argv + 1, json) : kappa_input_no_memory();
    kappa_arena_destroy(arena);
    return code;
}

const kappa_command_t kappa_command_diff = {
    .name = "diff",
    .usage = "OLD NEW [--json]",
    .summary = "Says which changes break clients, which need a build of the "
               "views, and which lose data.",
    .run = run,
};
