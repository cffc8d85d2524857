#include "t/unit/views/views_fixture.h"

#include "views/count.h"

#define STEPS 2000
#define ITEMS 40

static const char schema[] =
    "type Item @view @index(fields: [\"shop\", \"kind\"])\n"
    "  @index(fields: [\"kind\"]) { id: ID! shop: ID kind: Int }\n"
    "type Shop @view(key: \"shop\") @groupBy(of: \"Item\", by: \"shop\") {\n"
    "  shop: ID! }\n"
    "type Items { nodes: [Item!]! totalCount: Int }\n"
    "type Shops { nodes: [Shop!]! totalCount: Int }\n"
    "type Query { items(shop: ID, kind: Int): Items! shops: Shops! }\n";

/* -1: there is no such item; shop 0 is null. */
typedef struct {
    int shop;
    int kind;
} item_t;

static uint64_t
next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *seed >> 33;
}

static void
change(views_t *v, item_t *items, uint64_t *seed)
{
    int n = (int)(next_random(seed) % ITEMS);
    char key[16], data[64];

    snprintf(key, sizeof(key), "\"i%d\"", n);
    if (next_random(seed) % 4 == 0) {
        kappa_status_t status =
            views_event(v, "Item", "gone", KAPPA_EFFECT_DELETE, key, "{}");

        assert_int_equal(status, items[n].shop < 0 ? KAPPA_INVALID : KAPPA_OK);
        items[n].shop = -1;
        return;
    }
    items[n].shop = (int)(next_random(seed) % 4);
    items[n].kind = (int)(next_random(seed) % 3);
    if (items[n].shop) {
        snprintf(data, sizeof(data), "{\"shop\":\"s%d\",\"kind\":%d}",
            items[n].shop, items[n].kind);
    } else {
        snprintf(data, sizeof(data), "{\"kind\":%d}", items[n].kind);
    }
    assert_int_equal(
        views_event(v, "Item", "put", KAPPA_EFFECT_PUT, key, data), KAPPA_OK);
}

/* shop, kind -1: any. */
static int64_t
naive(const item_t *items, int shop, int kind)
{
    int64_t count = 0;

    for (int i = 0; i < ITEMS; i++) {
        count += items[i].shop >= 0 && (shop < 0 || items[i].shop == shop)
            && (kind < 0 || items[i].kind == kind);
    }
    return count;
}

static int64_t
kept(views_t *v, const kappa_index_t *index, int shop, int kind)
{
    kappa_value_t s = kappa_string(kappa_str_printf(v->arena, "s%d", shop));
    kappa_value_t k = kappa_int(kind), null = kappa_null();
    kappa_key_t key;
    int64_t count;
    uint32_t fields = 0;

    kappa_key_init(&key);
    kappa_key_index_prefix(&key, index);
    if (shop >= 0) {
        kappa_key_add_value(&key, KAPPA_COLUMN_STRING, shop ? &s : &null);
        fields++;
    }
    if (kind >= 0) {
        kappa_key_add_value(&key, KAPPA_COLUMN_INT, &k);
        fields++;
    }
    assert_true(index->counted >> fields & 1);
    assert_int_equal(kappa_counts_get(kappa_writer_txn(v->writer),
                         kappa_key_str(&key), fields, &count),
        KAPPA_OK);
    return count;
}

static void
compare(views_t *v, const item_t *items)
{
    const kappa_view_t *item = kappa_model_view(v->model, KAPPA_STR("Item"));
    const kappa_view_t *shop = kappa_model_view(v->model, KAPPA_STR("Shop"));
    int64_t shops = 0;

    assert_int_equal(kept(v, &item->indexes[0], -1, -1), naive(items, -1, -1));
    for (int s = 0; s < 4; s++) {
        shops += s > 0 && naive(items, s, -1) > 0;
        assert_int_equal(
            kept(v, &item->indexes[1], s, -1), naive(items, s, -1));
        for (int k = 0; k < 3; k++) {
            assert_int_equal(
                kept(v, &item->indexes[1], s, k), naive(items, s, k));
        }
    }
    for (int k = 0; k < 3; k++) {
        assert_int_equal(
            kept(v, &item->indexes[2], -1, k), naive(items, -1, k));
    }
    assert_int_equal(kept(v, &shop->indexes[0], -1, -1), shops);
}

static void
keeps_what_counting_gives(void **state)
{
    uint64_t seed = (uint64_t)getpid() * 2654435761u;
    item_t items[ITEMS];
    views_t v;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    views_open(&v, schema);
    for (int i = 0; i < ITEMS; i++) {
        items[i].shop = -1;
    }
    for (int step = 0; step < STEPS; step++) {
        change(&v, items, &seed);
        if (step % 50 == 0) {
            compare(&v, items);
        }
        if (step % 500 == 0) {
            views_commit(&v);
            views_begin(&v);
        }
    }
    compare(&v, items);
    views_commit(&v);
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_counting_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
