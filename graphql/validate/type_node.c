#include "base/buf.h"
#include "graphql/validate/directives.h"

static void
print(kappa_buf_t *buf, const kappa_type_node_t *node)
{
    if (node->kind == KAPPA_REF_NAMED) {
        kappa_buf_str(buf, node->name.text);
    } else if (node->kind == KAPPA_REF_LIST) {
        kappa_buf_char(buf, '[');
        print(buf, node->of);
        kappa_buf_char(buf, ']');
    } else {
        print(buf, node->of);
        kappa_buf_char(buf, '!');
    }
}

kappa_str_t
kappa_type_node_print(kappa_arena_t *arena, const kappa_type_node_t *node)
{
    kappa_buf_t buf;
    kappa_str_t text = KAPPA_STR_NULL;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    print(&buf, node);
    if (!buf.failed) {
        text = kappa_str_dup(arena, kappa_buf_view(&buf));
    }
    kappa_buf_release(&buf);
    return text;
}
