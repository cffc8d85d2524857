#include "t/unit/views/shop.h"

/* Checks on arguments and in input objects. */

static const char trees[] =
    "type Tree @view { id: ID! }\n"
    "input Node { n: Int @check(if: \"value > 0\", code: \"LOW\")\n"
    "  @check(if: \"value < 100\", code: \"HIGH\")\n"
    "  left: Node  right: Node  more: [[Node]]  plain: Plain }\n"
    "input Plain { n: Int }\n"
    "input Holder { node: Node  wide: [Int!] @check(if: \"size(value) < 3\","
    " code: \"WIDE\") }\n"
    "type Query { tree(id: ID!): Tree }\n"
    "type Done { position: String! }\n"
    "type Mutation { plant(holder: Holder, list: [Node!]): Done\n"
    "  @event(thing: \"Planting\", verb: \"done\") }\n";

/* Input objects that hold themselves, in lists of lists. */
static void
input_objects_are_checked_at_any_depth(void **state)
{
    static const struct {
        const char *args, *code;
    } cases[] = {
        { "{\"holder\":{\"node\":{\"left\":{\"left\":{\"left\":{\"left\":"
          "{\"left\":{\"right\":{\"n\":0}}}}}}}}}",
            "LOW" },
        { "{\"holder\":{\"node\":{\"more\":[[{\"n\":5}],[{\"n\":1},null,"
          "{\"more\":[[{\"n\":100}]]}]]}}}",
            "HIGH" },
        { "{\"list\":[{\"n\":1},{\"n\":null}]}", "LOW" },
        { "{\"list\":[{\"n\":1},{\"plain\":{\"n\":-1}}]}", NULL },
        { "{\"holder\":{\"wide\":[1,2,3]}}", "WIDE" },
        { "{\"holder\":{\"wide\":[1,2],\"node\":{\"n\":99}}}", NULL },
        { "{\"holder\":null}", NULL },
    };
    views_t v;

    (void)state;
    views_open(&v, trees);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].code) {
            refuse(&v, "plant", cases[i].args, cases[i].code);
        } else {
            accept(&v, "plant", cases[i].args);
        }
    }
    views_replay(&v);
    views_close(&v);
}

static void
arguments_are_checked(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, shop);
    refuse(&v, "order", "{\"customer\":\"c\",\"details\":{\"note\":\"bad\"}}",
        "BAD_NOTE");
    refuse(&v, "order",
        "{\"customer\":\"c\",\"lines\":[{\"sku\":\"p\",\"count\":1},"
        "{\"sku\":\"p\",\"count\":1},{\"sku\":\"p\",\"count\":1},"
        "{\"sku\":\"p\",\"count\":1}]}",
        "CHECK_FAILED");
    refuse(&v, "order",
        "{\"customer\":\"c\",\"lines\":[{\"sku\":\"p\",\"count\":1},"
        "{\"sku\":\"p\",\"count\":0}]}",
        "NOTHING");
    accept(&v, "order", "{\"customer\":\"c\",\"details\":{}}");
    refuse(&v, "change", "{\"id\":\"none\"}", "NOT_FOUND");
    views_replay(&v);
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_objects_are_checked_at_any_depth),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
