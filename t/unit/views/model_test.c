#include "t/unit/views/fixture.h"

#include <dirent.h>

#include "t/unit/alloc_failing.h"

#define SCHEMAS "t/unit/views/schemas/"

/* Calls each with every .graphql file of a folder. */
static void
each_schema(const char *folder,
    void (*each)(kappa_arena_t *arena, const char *path, kappa_str_t text))
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (!strstr(entry->d_name, ".graphql")) {
            continue;
        }
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_str_t path =
            kappa_str_printf(arena, "%s%s", folder, entry->d_name);

        each(arena, path.data, read_fixture(arena, path.data));
        kappa_arena_destroy(arena);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
}

static void
loads_one(kappa_arena_t *arena, const char *path, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_model_t *model;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_model_load(arena, kappa_str_c(path), text, &model, &errors);
    if (status != KAPPA_OK) {
        fail_msg("%s: %d\n%s", path, status, print_errors(arena, &errors));
    }
}

static void
loads_what_is_right(void **state)
{
    (void)state;
    each_schema(SCHEMAS "valid/", loads_one);
    each_schema("examples/catalogue/", loads_one);
    each_schema("examples/chat/", loads_one);
    each_schema("examples/devices/", loads_one);
    each_schema("examples/shop/", loads_one);
}

/* A schema that is refused begins with comments, `# line:column: message`,
 * one for each error, in order. Places count from the first line of the file.
 * A message may be cut short by "…". */
static void
refuses_one(kappa_arena_t *arena, const char *path, kappa_str_t text)
{
    kappa_errors_t errors;
    kappa_model_t *model;
    kappa_str_t rest = text;

    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status =
        kappa_model_load(arena, kappa_str_c(path), text, &model, &errors);
    const char *got = print_errors(arena, &errors);
    if (status != KAPPA_INVALID) {
        fail_msg("%s: %d\n%s", path, status, got);
    }
    while (kappa_str_starts_with(rest, KAPPA_STR("# "))) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = (size_t)(end - rest.data);
        size_t want = len - 2;
        const char *line_end = strchr(got, '\n');

        if (want > 3 && memcmp(end - 3, "\xe2\x80\xa6", 3) == 0) {
            want -= 3;
        } else if (line_end && want != (size_t)(line_end - got)) {
            want = SIZE_MAX;
        }
        if (!line_end || want > (size_t)(line_end - got)
            || memcmp(got, rest.data + 2, want) != 0) {
            fail_msg("%s: expected %.*s\ngot %s", path, (int)len, rest.data,
                print_errors(arena, &errors));
        }
        got = line_end + 1;
        rest.data += len + 1;
        rest.len -= len + 1;
    }
    if (*got) {
        fail_msg("%s: not expected: %s", path, got);
    }
}

static void
refuses_what_is_wrong(void **state)
{
    (void)state;
    each_schema(SCHEMAS "invalid/", refuses_one);
}

/* The index that serves a root list, for each of its choices:
 * "index/equalities[r][v]", r: ranged, v: descending. */
static const char *
print_choices(kappa_arena_t *arena, const kappa_model_t *model)
{
    const kappa_type_t *query = model->schema->roots[KAPPA_OPERATION_QUERY];
    const kappa_list_t *list = query->fields[0].binding->data;
    kappa_str_t all = KAPPA_STR("");

    for (uint32_t i = 0; i < list->choice_count; i++) {
        const kappa_choice_t *c = &list->choices[i];

        all = kappa_str_printf(arena, "%.*s%s%u/%u%s%s", KAPPA_STR_ARG(all),
            i ? " " : "", c->index->number, c->equalities,
            c->ranged ? "r" : "", c->descending ? "v" : "");
    }
    return all.data;
}

static void
chooses_indexes(void **state)
{
    /* Index 0 is the key, id. */
    static const struct {
        const char *indexes, *args, *choices;
    } cases[] = {
        { "", "", "0/0" },
        { "", "(id_in: [ID!]!)", "0/0r" },
        { "@index(fields: [\"a\", \"b\"])", "(a: Int!)", "1/1" },
        { "@index(fields: [\"a\", \"b\"])", "(b: Int!, a: Int!)", "1/2" },
        { "@index(fields: [\"a\", \"b\"])", "(a: Int!, b_gt: Int)",
            "1/1 1/1r" },
        { "@index(fields: [\"a\"]) @index(fields: [\"a\", \"b\"])", "(a: Int)",
            "0/0 1/1" },
        /* The key is behind every index's fields. */
        { "@index(fields: [\"a\"])", "(a: Int!, id_gt: ID!)", "1/1r" },
        { "@index(fields: [\"a\"])", "(a: Int!, orderBy: Order!)",
            "1/1 1/1 1/1 1/1v" },
        /* Rather one that ends with the order. */
        { "@index(fields: [\"a\", \"b\"]) @index(fields: [\"a\"])",
            "(orderBy: Order)", "0/0 2/0 0/0 0/0v" },
        { "@index(fields: [\"a\", \"b\"])", "(orderBy: Order)",
            "0/0 1/0 0/0 0/0v" },
        /* An order by what is fixed is none. */
        { "@index(fields: [\"b\", \"a\"])", "(b: Int!, orderBy: A!)",
            "1/1 1/1 1/1v" },
        /* A key's field that is an index's, too, counts once. */
        { "@index(fields: [\"a\", \"id\"]) "
          "@index(fields: [\"id\", \"b\", \"a\"])",
            "(a: Int!, b: Int!, id: ID!)", "2/3" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
        kappa_str_t text = kappa_str_printf(arena,
            "type T @view %s { id: ID! a: Int b: Int }\n"
            "enum Order { A ID ID_DESC }\nenum A { A A_DESC }\n"
            "type Query { list%s: [T] }\n",
            cases[i].indexes, cases[i].args);
        const char *got = print_choices(arena, load_model(arena, text.data));

        if (strcmp(got, cases[i].choices) != 0) {
            fail_msg("%s: %s, not %s", text.data, got, cases[i].choices);
        }
        kappa_arena_destroy(arena);
    }
}

static const char *
print_rule(kappa_arena_t *arena, const kappa_event_rule_t *rule)
{
    kappa_str_t all = KAPPA_STR("");

    if (!rule) {
        return "none";
    }
    for (uint32_t i = 0; i < rule->effect_count; i++) {
        const kappa_effect_rule_t *effect = rule->effects[i];

        all = kappa_str_printf(arena, "%.*s%s%.*s %s%s", KAPPA_STR_ARG(all),
            i ? ", " : "", KAPPA_STR_ARG(effect->view->name),
            kappa_effect_name(effect->effect),
            effect->by_name ? " by name" : "");
    }
    return all.data;
}

static void
knows_what_events_do(void **state)
{
    static const char schema[] =
        "type A @view @was(name: \"Old\")\n"
        "  @on(thing: \"A\", effect: UPSERT)\n"
        "  @on(thing: \"X\", verb: [\"v\", \"w\"]) { id: ID! n: Int }\n"
        "type B @view { id: ID! }\n"
        "type Query { a(id: ID!): A }\n"
        "type Mutation {\n"
        "  make(id: ID!): A @event(thing: \"A\", verb: \"v\","
        "    effect: CREATE)\n"
        "  make2(id: ID!): A @event(thing: \"A\", verb: \"v\","
        "    effect: CREATE) }\n"
        "extend type B @on(thing: \"A\", verb: \"v\", effect: DELETE)\n";
    static const struct {
        const char *thing, *verb, *effects;
    } cases[] = {
        { "A", "v", "A CREATE by name, A UPSERT, B DELETE" },
        { "Old", "v", "A CREATE by name, A UPSERT, B DELETE" },
        { "A", "other", "A UPSERT" },
        { "X", "v", "A PATCH" },
        { "X", "w", "A PATCH" },
        { "X", "other", "none" },
        { "B", "any", "" },
        { "Y", "v", "none" },
    };
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_model_t *model = load_model(arena, schema);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got = print_rule(arena,
            kappa_model_rule(model, kappa_str_c(cases[i].thing),
                kappa_str_c(cases[i].verb)));

        if (strcmp(got, cases[i].effects) != 0) {
            fail_msg("%s %s: %s, not %s", cases[i].thing, cases[i].verb, got,
                cases[i].effects);
        }
    }
    assert_ptr_equal(kappa_model_view(model, KAPPA_STR("Old")),
        kappa_model_view(model, KAPPA_STR("A")));
    kappa_arena_destroy(arena);
}

static void
orders_aggregates(void **state)
{
    static const char schema[] =
        "type C @view(key: \"x\") @groupBy(of: \"B\", by: \"g\") {\n"
        "  x: ID! all: Int! @sum(field: \"total\")\n"
        "  big: Int! @count(where: \"row.twice > 10\") }\n"
        "type B @view { id: ID! g: ID\n"
        "  twice: Int @computed(as: \"row.total * 2\")\n"
        "  total: Int! @sum(of: \"A\", by: \"b\", field: \"n\") }\n"
        "type A @view { id: ID! b: ID n: Int }\n"
        "type Query { a(id: ID!): A }\n";
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    const kappa_model_t *model = load_model(arena, schema);

    (void)state;
    assert_int_equal(model->aggregate_count, 3);
    assert_str_equal(model->aggregates[0]->target->name, "B");
    assert_str_equal(model->aggregates[1]->target->name, "C");
    kappa_arena_destroy(arena);
}

static kappa_status_t
load_with(const kappa_alloc_t *alloc, void *ctx)
{
    const kappa_str_t *text = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 256);
    kappa_errors_t errors;
    kappa_model_t *model;

    if (!arena) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    kappa_status_t status = kappa_model_load(
        arena, KAPPA_STR("s.graphql"), *text, &model, &errors);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_str_t text =
        read_fixture(arena, "examples/catalogue/schema.graphql");

    (void)state;
    kappa_alloc_failing_each(load_with, &text);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_is_right),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(chooses_indexes),
        cmocka_unit_test(knows_what_events_do),
        cmocka_unit_test(orders_aggregates),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
