#include "t/unit/views/views_fixture.h"

#include "t/unit/alloc_failing.h"
#include "views/changes.h"

static const char schema[] =
    "type Box @view @index(fields: [\"shelf\", \"size\"]) {\n"
    "  id: ID!  shelf: ID  size: Int  note: String\n"
    "}\n"
    "type Shelf @view(key: \"name\") @groupBy(of: \"Box\", by: \"shelf\") {\n"
    "  name: ID!  boxes: Int! @count\n"
    "}\n"
    "type Query { box(id: ID!): Box  shelf(name: ID!): Shelf }\n";

/* What was told, as text: a line a change. */
typedef struct {
    kappa_buf_t text;
    kappa_dependency_t *deps; /* which of them are hit */
    uint32_t dep_count;
    int stop_after; /* 0: never */
    int told;
} heard_t;

static bool
hear(void *ctx, const kappa_change_t *change)
{
    heard_t *heard = ctx;
    kappa_buf_t *text = &heard->text;
    const kappa_view_t *view = change->view;

    kappa_buf_printf(text, "%d %.*s %s", (int)change->seq,
        KAPPA_STR_ARG(view->name),
        !change->existed     ? "+"
            : change->exists ? "~"
                             : "-");
    for (uint32_t i = 0; i < view->column_count; i++) {
        if (change->columns[i / 64] >> i % 64 & 1) {
            kappa_buf_printf(
                text, " %.*s", KAPPA_STR_ARG(view->columns[i].name));
        }
    }
    for (uint32_t i = 0; i < view->index_count; i++) {
        assert_int_equal(change->old_entries[i].len != 0, change->existed);
        assert_int_equal(change->new_entries[i].len != 0, change->exists);
    }
    for (uint32_t i = 0; i < heard->dep_count; i++) {
        if (kappa_dependency_hit(&heard->deps[i], change)) {
            kappa_buf_printf(text, " !%u", i);
        }
    }
    kappa_buf_char(text, '\n');
    return ++heard->told != heard->stop_after;
}

static kappa_status_t
listen(views_t *v, heard_t *heard, uint64_t after, uint64_t upto)
{
    kappa_txn_t *txn;

    kappa_buf_init(&heard->text, &kappa_alloc_libc);
    heard->told = 0;
    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    kappa_status_t status =
        kappa_changes_each(txn, v->model, after, upto, v->arena, hear, heard);
    kappa_txn_end(txn);
    return status;
}

static void
expect(views_t *v, heard_t *heard, uint64_t after, uint64_t upto,
    const char *expected)
{
    assert_int_equal(listen(v, heard, after, upto), KAPPA_OK);
    assert_str_equal(kappa_buf_view(&heard->text), expected);
    kappa_buf_release(&heard->text);
}

static void
put(views_t *v, kappa_effect_t effect, const char *key, const char *data)
{
    if (views_event(v, "Box", "told", effect, key, data) != KAPPA_OK) {
        fail_msg("%s", print_errors(v->arena, &v->errors));
    }
}

static void
tell_a_story(views_t *v)
{
    put(v, KAPPA_EFFECT_CREATE, "\"a\"", "{\"shelf\":\"s\",\"size\":1}");
    put(v, KAPPA_EFFECT_PATCH, "\"a\"", "{\"note\":\"n\"}");
    put(v, KAPPA_EFFECT_PATCH, "\"a\"", "{\"note\":\"n\"}");
    put(v, KAPPA_EFFECT_PATCH, "\"a\"", "{\"shelf\":\"t\"}");
    put(v, KAPPA_EFFECT_DELETE, "\"a\"", "{}");
}

static void
tells_what_each_event_changed(void **state)
{
    heard_t heard = { 0 };
    views_t v;

    (void)state;
    views_open(&v, schema);
    tell_a_story(&v);
    views_commit(&v);
    expect(&v, &heard, 0, 5,
        "1 Box + id shelf size\n1 Shelf + name boxes\n"
        "2 Box ~ note\n"
        "4 Box ~ shelf\n4 Shelf - name boxes\n4 Shelf + name boxes\n"
        "5 Box - id shelf size note\n5 Shelf - name boxes\n");
    expect(&v, &heard, 1, 3, "2 Box ~ note\n");
    expect(&v, &heard, 5, 5, "");
    heard.stop_after = 1;
    expect(&v, &heard, 0, 5, "1 Box + id shelf size\n");
    views_close(&v);
}

static kappa_str_t
bound(views_t *v, const kappa_index_t *index, const char *shelf, bool end)
{
    kappa_value_t value = kappa_string(kappa_str_c(shelf));
    kappa_key_t key;

    kappa_key_init(&key);
    kappa_key_index_prefix(&key, index);
    kappa_key_add_value(&key, KAPPA_COLUMN_STRING, &value);
    if (end) {
        kappa_key_end(&key);
    }
    return kappa_str_dup(v->arena, kappa_key_str(&key));
}

static void
dependencies_are_hit(void **state)
{
    kappa_dependencies_t deps = { 0 };
    heard_t heard = { 0 };
    kappa_value_t a = kappa_string(KAPPA_STR("a"));
    kappa_key_t key;
    views_t v;

    (void)state;
    views_open(&v, schema);
    const kappa_view_t *box = kappa_model_view(v.model, KAPPA_STR("Box"));
    const kappa_index_t *index = &box->indexes[1];

    deps.arena = v.arena;
    kappa_key_of_values(&key, box, &a);
    kappa_dependency_t one = { .view = box, .low = kappa_key_str(&key) };
    assert_int_equal(kappa_dependencies_add(&deps, &one), KAPPA_OK);
    for (int i = 0; i < 3; i++) {
        const char *shelf = i == 0 ? "s" : i == 1 ? "t" : "u";
        kappa_dependency_t range = { .view = box,
            .range = true,
            .index = 1,
            .low = bound(&v, index, shelf, false),
            .high = bound(&v, index, shelf, true) };

        assert_int_equal(kappa_dependencies_add(&deps, &range), KAPPA_OK);
    }
    kappa_key_init(&key);
    kappa_key_row_prefix(&key, box);
    kappa_dependency_t all = {
        .view = box, .range = true, .low = kappa_key_str(&key)
    };
    assert_int_equal(kappa_dependencies_add(&deps, &all), KAPPA_OK);
    assert_false(deps.overflow);

    tell_a_story(&v);
    put(&v, KAPPA_EFFECT_CREATE, "\"b\"", "{\"size\":1}");
    views_commit(&v);
    heard.deps = deps.items;
    heard.dep_count = deps.count;
    expect(&v, &heard, 0, 6,
        "1 Box + id shelf size !0 !1 !4\n1 Shelf + name boxes\n"
        "2 Box ~ note !0 !1 !4\n"
        "4 Box ~ shelf !0 !1 !2 !4\n"
        "4 Shelf - name boxes\n4 Shelf + name boxes\n"
        "5 Box - id shelf size note !0 !2 !4\n5 Shelf - name boxes\n"
        "6 Box + id size !4\n");
    views_close(&v);
}

static void
too_many_dependencies_are_all(void **state)
{
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_dependencies_t deps = { .arena = arena };
    kappa_dependency_t one = { .low = KAPPA_STR("k") };

    (void)state;
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(kappa_dependencies_add(&deps, &one), KAPPA_OK);
    }
    assert_true(deps.overflow);
    assert_true(deps.count < 20000);
    kappa_arena_destroy(arena);
}

static void
many(views_t *v, uint64_t count, const char *data)
{
    for (uint64_t i = 0; i < count; i++) {
        char key[32];

        snprintf(key, sizeof(key), "\"k%d\"", (int)(i % 7));
        put(v, KAPPA_EFFECT_PUT, key, data);
        if (v->seq % 1000 == 0) {
            views_commit(v);
            views_begin(v);
        }
    }
}

static void
keeps_a_bounded_tail(void **state)
{
    heard_t heard = { 0 };
    views_t v;

    (void)state;
    views_open(&v, schema);
    many(&v, KAPPA_CHANGES_EVENTS_MAX + 500, "{\"size\":1}");
    put(&v, KAPPA_EFFECT_CREATE, "\"last\"", "{}");
    views_commit(&v);
    assert_int_equal(listen(&v, &heard, 0, v.seq), KAPPA_NOT_FOUND);
    kappa_buf_release(&heard.text);
    uint64_t first = v.seq - KAPPA_CHANGES_EVENTS_MAX;
    assert_int_equal(listen(&v, &heard, first - 1, v.seq), KAPPA_NOT_FOUND);
    kappa_buf_release(&heard.text);
    assert_int_equal(listen(&v, &heard, first, v.seq), KAPPA_OK);
    kappa_buf_release(&heard.text);
    expect(&v, &heard, v.seq - 1, v.seq, "20501 Box + id\n");
    views_close(&v);
}

static void
a_build_tells_nobody(void **state)
{
    heard_t heard = { 0 };
    views_t v;

    (void)state;
    views_open(&v, schema);
    put(&v, KAPPA_EFFECT_CREATE, "\"a\"", "{}");
    views_commit(&v);
    kappa_writer_no_changes(v.writer, true);
    views_begin(&v);
    put(&v, KAPPA_EFFECT_CREATE, "\"b\"", "{}");
    views_commit(&v);
    assert_int_equal(listen(&v, &heard, 0, 2), KAPPA_NOT_FOUND);
    kappa_buf_release(&heard.text);
    assert_int_equal(listen(&v, &heard, 1, 2), KAPPA_NOT_FOUND);
    kappa_buf_release(&heard.text);
    expect(&v, &heard, 2, 2, "");

    kappa_writer_no_changes(v.writer, false);
    views_begin(&v);
    put(&v, KAPPA_EFFECT_CREATE, "\"c\"", "{}");
    views_commit(&v);
    expect(&v, &heard, 2, 3, "3 Box + id\n");
    views_close(&v);
}

/* --- layouts */

static uint32_t
number(const views_t *v, const char *view_name, const char *column)
{
    const kappa_view_t *view =
        kappa_model_view(v->model, kappa_str_c(view_name));

    for (uint32_t i = 0; i < view->column_count; i++) {
        if (kappa_str_eq_c(view->columns[i].name, column)) {
            return view->columns[i].number;
        }
    }
    fail_msg("no column %s", column);
    return 0;
}

static void
another_schema_reads_the_same_rows(void **state)
{
    static const char other[] =
        "type Crate @view { id: ID! }\n"
        "type Box @view @index(fields: [\"size\"])"
        " @index(fields: [\"shelf\", \"size\"]) {\n"
        "  more: String  note: String  size: Int  shelf: ID  id: ID!\n"
        "}\n"
        "type Query { box(id: ID!): Box  crate(id: ID!): Crate }\n";
    kappa_txn_t *txn;
    views_t v;

    (void)state;
    views_open(&v, schema);
    put(&v, KAPPA_EFFECT_CREATE, "\"a\"", "{\"size\":5,\"note\":\"n\"}");
    views_commit(&v);
    kappa_writer_destroy(v.writer);
    kappa_model_t *before = v.model;
    uint32_t note = number(&v, "Box", "note");
    v.model = load_model(v.arena, other);

    /* A reader may not give numbers. */
    assert_int_equal(kappa_env_read(v.env, &txn), KAPPA_OK);
    assert_int_equal(
        kappa_layout_apply(v.model, txn, &v.errors), KAPPA_NOT_FOUND);
    kappa_txn_end(txn);
    assert_int_equal(kappa_env_write(v.env, &txn, &v.errors), KAPPA_OK);
    assert_int_equal(kappa_layout_apply(v.model, txn, &v.errors), KAPPA_OK);
    assert_int_equal(kappa_txn_commit(txn, &v.errors), KAPPA_OK);
    assert_int_equal(kappa_env_read(v.env, &txn), KAPPA_OK);
    assert_int_equal(kappa_layout_apply(v.model, txn, &v.errors), KAPPA_OK);
    kappa_txn_end(txn);

    assert_int_equal(number(&v, "Box", "note"), note);
    assert_int_equal(number(&v, "Box", "more"), 4);
    const kappa_view_t *old = kappa_model_view(before, KAPPA_STR("Box"));
    const kappa_view_t *new = kappa_model_view(v.model, KAPPA_STR("Box"));
    assert_int_equal(new->slot, old->slot);
    assert_int_equal(new->indexes[2].slot, old->indexes[1].slot);
    assert_int_not_equal(new->indexes[1].slot, old->indexes[1].slot);
    assert_int_equal(
        kappa_writer_create(&kappa_alloc_libc, v.env, v.model, &v.writer),
        KAPPA_OK);
    views_begin(&v);
    assert_str_equal(views_row(&v, "Box", "\"a\""),
        "{\"more\":null,\"note\":\"n\",\"size\":5,\"shelf\":null,"
        "\"id\":\"a\"}");
    views_close(&v);
}

static void
a_broken_layout_is_refused(void **state)
{
    static const char *const broken[] = { "x", "1 view\n", "view Box\n",
        "99999999 view Box\n", "-1 view Box\n", "\n" };
    views_t v;

    (void)state;
    views_open(&v, schema);
    views_commit(&v);
    for (size_t i = 0; i < COUNT(broken); i++) {
        kappa_txn_t *txn;

        assert_int_equal(kappa_env_write(v.env, &txn, &v.errors), KAPPA_OK);
        assert_int_equal(kappa_txn_put(txn, KAPPA_DBI_META,
                             KAPPA_STR("layout"), kappa_str_c(broken[i])),
            KAPPA_OK);
        kappa_status_t status = kappa_layout_apply(v.model, txn, &v.errors);
        if (status != KAPPA_CORRUPT) {
            fail_msg("%zu: %d", i, status);
        }
        kappa_txn_end(txn);
    }
    views_close(&v);
}

/* --- no memory */

static kappa_status_t
listen_with(const kappa_alloc_t *alloc, void *ctx)
{
    views_t *v = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 0);
    heard_t heard = { 0 };
    kappa_txn_t *txn;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_buf_init(&heard.text, &kappa_alloc_libc);
    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    kappa_status_t status =
        kappa_changes_each(txn, v->model, 0, v->seq, arena, hear, &heard);
    kappa_txn_end(txn);
    kappa_buf_release(&heard.text);
    kappa_arena_destroy(arena);
    return status;
}

static kappa_status_t
lay_out_with(const kappa_alloc_t *alloc, void *ctx)
{
    views_t *v = ctx;
    kappa_arena_t *arena = kappa_arena_create(alloc, 0);
    kappa_errors_t errors;
    kappa_txn_t *txn;

    if (arena == NULL) {
        return KAPPA_NOMEM;
    }
    kappa_errors_init(&errors, arena, 0);
    assert_int_equal(kappa_env_write(v->env, &txn, NULL), KAPPA_OK);
    assert_int_equal(
        kappa_txn_del(txn, KAPPA_DBI_META, KAPPA_STR("layout")), KAPPA_OK);
    kappa_status_t status = kappa_layout_apply(v->model, txn, &errors);
    if (status == KAPPA_OK) {
        status = kappa_layout_apply(v->model, txn, &errors);
    }
    kappa_txn_end(txn);
    kappa_arena_destroy(arena);
    return status;
}

static void
survives_without_memory(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, schema);
    tell_a_story(&v);
    views_commit(&v);
    kappa_alloc_failing_each(listen_with, &v);
    kappa_alloc_failing_each(lay_out_with, &v);
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_each_event_changed),
        cmocka_unit_test(dependencies_are_hit),
        cmocka_unit_test(too_many_dependencies_are_all),
        cmocka_unit_test(keeps_a_bounded_tail),
        cmocka_unit_test(a_build_tells_nobody),
        cmocka_unit_test(another_schema_reads_the_same_rows),
        cmocka_unit_test(a_broken_layout_is_refused),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
