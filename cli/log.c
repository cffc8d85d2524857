#include "cli/command.h"
#include "cli/events.h"
#include "cli/input.h"
#include "cli/options.h"

static bool
print_event(void *ctx, const kappa_event_t *event, const kappa_epoch_t *epoch)
{
    char position[KAPPA_POSITION_CHARS_MAX];
    size_t len = kappa_position_format(epoch, event->seq, position);
    kappa_buf_t *buf = ctx;

    kappa_buf_reset(buf);
    kappa_event_json(buf, event, kappa_str(position, len));
    kappa_buf_char(buf, '\n');
    return kappa_cli_write(buf);
}

static int
print_log(const kappa_cli_events_options_t *o)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_buf_t buf;

    if (arena == NULL) {
        return kappa_input_no_memory();
    }
    kappa_buf_init(&buf, &kappa_alloc_libc);
    int code = kappa_cli_events(arena, o, print_event, &buf);
    kappa_buf_release(&buf);
    kappa_arena_destroy(arena);
    return code;
}

static int
run(int argc, char **argv)
{
    kappa_cli_events_options_t o = { .dir = NULL };
    const kappa_option_t table[] = {
        { "store", &o.dir, NULL },
        { "after", &o.after, NULL },
        { "thing", &o.thing, NULL },
        { "verb", &o.verb, NULL },
        { "key", &o.key, NULL },
        { "limit", &o.limit, NULL },
        { NULL, NULL, NULL },
    };

    if (!kappa_options_take(&argc, argv, table) || argc != 1
        || o.dir == NULL) {
        return kappa_command_misuse(&kappa_command_log);
    }
    return print_log(&o);
}

const kappa_command_t kappa_command_log = {
    .name = "log",
    .usage = "--store DIR [--after POSITION] [--thing THING] [--verb VERB] "
             "[--key KEY] [--limit N]",
    .summary = "Prints events, one JSON object a line.",
    .run = run,
};
