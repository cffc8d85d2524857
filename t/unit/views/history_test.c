#include "t/unit/views/shop.h"

typedef struct {
    uint64_t seqs[8];
    kappa_str_t reasons[8];
    uint32_t count;
} found_t;

static bool
find_seq(void *ctx, uint64_t seq)
{
    found_t *found = ctx;

    found->seqs[found->count++] = seq;
    return found->count < COUNT(found->seqs);
}

static bool
find_skipped(void *ctx, uint64_t seq, kappa_str_t reason)
{
    found_t *found = ctx;

    found->reasons[found->count] = reason;
    return find_seq(ctx, seq);
}

static void
history_and_skipped_events_are_listed(void **state)
{
    kappa_event_t event = { .seq = 7,
        .time_ms = 1,
        .thing = KAPPA_STR("Product"),
        .verb = KAPPA_STR("told"),
        .effect = KAPPA_EFFECT_PATCH,
        .key = KAPPA_STR("\"p\"") };
    found_t found = { 0 };
    uint64_t count;
    bool skipped;
    views_t v;

    (void)state;
    views_open(&v, shop);
    import(&v, "Product", KAPPA_EFFECT_CREATE, "\"p\"", "{}");
    import(&v, "Product", KAPPA_EFFECT_CREATE, "\"pp\"", "{}");
    import(&v, "Product", KAPPA_EFFECT_DELETE, "\"p\"", "{}");
    assert_int_equal(
        kappa_writer_replay(v.writer, &event, true, &skipped, &v.errors),
        KAPPA_INVALID);
    assert_string_equal(v.errors.first->code, "NOT_FOUND");
    assert_int_equal(
        kappa_writer_replay(v.writer, &event, false, &skipped, &v.errors),
        KAPPA_OK);
    assert_true(skipped);

    assert_int_equal(kappa_writer_flush(v.writer), KAPPA_OK);
    kappa_txn_t *txn = kappa_writer_txn(v.writer);
    assert_int_equal(kappa_env_skipped(txn, &count), KAPPA_OK);
    assert_int_equal(count, 1);
    assert_int_equal(kappa_skipped_each(txn, find_skipped, &found), KAPPA_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.seqs[0], 7);
    assert_str_equal(found.reasons[0], "there is no Product with key \"p\"");

    static const uint64_t expected[] = { 7, 3, 1 };
    found.count = 0;
    assert_int_equal(kappa_history_each(txn, KAPPA_STR("Product"),
                         KAPPA_STR("\"p\""), 0, find_seq, &found),
        KAPPA_OK);
    assert_int_equal(found.count, 3);
    assert_memory_equal(found.seqs, expected, sizeof(expected));
    found.count = 0;
    assert_int_equal(kappa_history_each(txn, KAPPA_STR("Product"),
                         KAPPA_STR("\"p\""), 7, find_seq, &found),
        KAPPA_OK);
    assert_int_equal(found.count, 2);
    views_close(&v);
}

/* However many there were: those that are listed, newest first. */
static void
the_newest_skipped_events_are_listed(void **state)
{
    kappa_event_t event = { .time_ms = 1,
        .thing = KAPPA_STR("Product"),
        .verb = KAPPA_STR("told"),
        .effect = KAPPA_EFFECT_PATCH,
        .key = KAPPA_STR("\"p\"") };
    found_t found = { 0 };
    uint64_t count;
    bool skipped;
    views_t v;

    (void)state;
    views_open(&v, shop);
    for (event.seq = 1; event.seq <= 1010; event.seq++) {
        assert_int_equal(
            kappa_writer_replay(v.writer, &event, false, &skipped, &v.errors),
            KAPPA_OK);
        assert_true(skipped);
    }
    assert_int_equal(kappa_writer_flush(v.writer), KAPPA_OK);
    kappa_txn_t *txn = kappa_writer_txn(v.writer);
    assert_int_equal(kappa_env_skipped(txn, &count), KAPPA_OK);
    assert_int_equal(count, 1010);
    assert_int_equal(kappa_skipped_each(txn, find_skipped, &found), KAPPA_OK);
    assert_int_equal(found.count, COUNT(found.seqs));
    for (uint32_t i = 0; i < found.count; i++) {
        assert_int_equal(found.seqs[i], 1010 - i);
    }
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_and_skipped_events_are_listed),
        cmocka_unit_test(the_newest_skipped_events_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
