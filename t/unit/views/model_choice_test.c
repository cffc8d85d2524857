#include "t/unit/views/fixture.h"

#include "t/unit/torture.h"

/* Random lists over random indexes: with the indexes that refusals name a
 * schema loads, and each choice's index has first the filters that are there,
 * all of them, and next the range or the order. */

#define FIELDS 6
#define ROUNDS (int)kappa_test_rounds(300, 30000)

static uint64_t seed;

static int
rnd(int n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((seed >> 33) % (uint64_t)n);
}

typedef struct {
    kappa_arena_t *arena;
    kappa_str_t key;
    kappa_str_t indexes;
    kappa_str_t list; /* its arguments and the enum of its orders */
    unsigned order;   /* their field, as a bit */
} asked_t;

/* ["c", "a"]: up to max fields of a to f, none twice. */
static kappa_str_t
random_fields(kappa_arena_t *arena, int max)
{
    kappa_str_t out = KAPPA_STR("[");
    int used = 0, count = 1 + rnd(max);

    for (int i = 0; i < count; i++) {
        int field = rnd(FIELDS);

        if (!(used >> field & 1)) {
            out = kappa_str_printf(arena, "%.*s%s\"%c\"", KAPPA_STR_ARG(out),
                used ? ", " : "", 'a' + field);
            used |= 1 << field;
        }
    }
    return kappa_str_printf(arena, "%.*s]", KAPPA_STR_ARG(out));
}

static void
random_list(asked_t *a)
{
    kappa_arena_t *arena = a->arena;
    kappa_str_t args = KAPPA_STR("first: Int");
    int range = rnd(2) ? rnd(FIELDS) : -1;
    int order = range >= 0 ? range : rnd(FIELDS);

    for (int i = 0; i < FIELDS; i++) {
        if (rnd(3) == 0) {
            args = kappa_str_printf(arena, "%.*s, %c: Int%s",
                KAPPA_STR_ARG(args), 'a' + i, rnd(2) ? "!" : "");
        }
    }
    if (range >= 0) {
        args = kappa_str_printf(arena, "%.*s, %c_gt: Int%s",
            KAPPA_STR_ARG(args), 'a' + range, rnd(2) ? "!" : "");
    }
    a->order = 1u << order;
    a->list = kappa_str_printf(arena,
        "enum Order { %c %c_DESC }\n"
        "type Query { list(%.*s%s): [T] }\n",
        'A' + order, 'A' + order, KAPPA_STR_ARG(args),
        rnd(2) ? ", orderBy: Order" : "");
}

/* As an @index of its own, if it is not there and not the key. */
static void
add_index(asked_t *a, kappa_str_t fields)
{
    kappa_str_t index = kappa_str_printf(
        a->arena, "@index(fields: %.*s)", KAPPA_STR_ARG(fields));

    if (!kappa_str_eq(fields, a->key)
        && !strstr(a->indexes.data, index.data)) {
        a->indexes = kappa_str_printf(a->arena, "%.*s %.*s",
            KAPPA_STR_ARG(a->indexes), KAPPA_STR_ARG(index));
    }
}

static kappa_str_t
schema_of(const asked_t *a)
{
    return kappa_str_printf(a->arena,
        "type T @view(key: %.*s)%.*s {\n"
        "  a: Int! b: Int! c: Int! d: Int! e: Int! f: Int! }\n%.*s",
        KAPPA_STR_ARG(a->key), KAPPA_STR_ARG(a->indexes),
        KAPPA_STR_ARG(a->list));
}

/* Adds the index that a refusal names. */
static void
add_named(asked_t *a, const kappa_errors_t *errors)
{
    static const char would[] = "this one would: @index(fields: ";
    const char *text = print_errors(a->arena, errors);
    const char *named = strstr(text, would);
    size_t before = a->indexes.len;

    if (named) {
        named += sizeof(would) - 1;
        add_index(a,
            kappa_str_dup(a->arena,
                kappa_str(named, (size_t)(strchr(named, ')') - named))));
    }
    if (a->indexes.len == before) {
        fail_msg("%s%s", schema_of(a).data, text);
    }
}

static kappa_model_t *
load(asked_t *a)
{
    for (;;) {
        kappa_errors_t errors;
        kappa_model_t *model;

        kappa_errors_init(&errors, a->arena, 0);
        if (kappa_model_load(a->arena, KAPPA_STR("test.graphql"), schema_of(a),
                &model, &errors)
            == KAPPA_OK) {
            return model;
        }
        add_named(a, &errors);
    }
}

/* Bits of the fields, which columns are in the order of. */
static unsigned
bit(int32_t column)
{
    return column < 0 ? 0 : 1u << column;
}

static void
check_choice(
    const asked_t *a, const kappa_list_t *list, const kappa_choice_t *c)
{
    unsigned equal = 0, ranged = 0, fixed = 0;

    for (uint32_t i = 0; i < list->arg_count; i++) {
        const kappa_list_arg_t *arg = &list->args[i];

        if (c->present >> i & 1) {
            *(arg->role == KAPPA_ARG_EQUAL ? &equal : &ranged) |=
                bit((int32_t)arg->column);
        }
    }
    for (uint32_t i = 0; i < c->equalities; i++) {
        fixed |= bit(kappa_index_column(c->index, i));
    }
    unsigned next = bit(kappa_index_column(c->index, c->equalities));
    unsigned order = c->order < 0 ? 0 : a->order & ~equal;
    if (fixed != equal || c->ranged != ((ranged & ~equal) != 0)
        || (c->ranged && next != ranged) || (order && next != order)) {
        fail_msg("%sindex %u does not serve filters %llx", schema_of(a).data,
            c->index->number, (unsigned long long)c->present);
    }
}

/* Index fields may be of the key, which stands behind them once more. */
static void
named_indexes_serve(void **state)
{
    (void)state;
    seed = kappa_test_seed();
    for (int n = ROUNDS; n > 0; n--) {
        asked_t a = { .arena = kappa_arena_create(&kappa_alloc_libc, 0),
            .indexes = KAPPA_STR(" ") };

        a.key = random_fields(a.arena, 3);
        for (int i = rnd(4); i > 0; i--) {
            add_index(&a, random_fields(a.arena, 3));
        }
        random_list(&a);
        const kappa_model_t *model = load(&a);
        const kappa_list_t *list = model->schema->roots[KAPPA_OPERATION_QUERY]
                                       ->fields[0]
                                       .binding->data;
        for (uint32_t i = 0; i < list->choice_count; i++) {
            check_choice(&a, list, &list->choices[i]);
        }
        kappa_arena_destroy(a.arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_indexes_serve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
