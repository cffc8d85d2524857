#include "t/unit/views/boxes.h"

#include <openssl/sha.h>

#include "views/changes.h"

/* Random histories, against a model that is nothing but arrays and loops:
 * which events are refused, what every row holds, what changed. Then the
 * accepted events are replayed into another environment, which must be the
 * same to the byte. */

#define EVENTS 1500

/* --- events */

static int
pick(char *data, const char *name, const char *prefix, int n, int *field)
{
    char text[64];

    switch (any(4)) {
    case 0:
        return 0; /* absent: as it was */
    case 1:
        *field = NIL;
        snprintf(
            text, sizeof(text), "%s\"%s\":null", data[1] ? "," : "", name);
        break;
    default:
        *field = (int)any((uint32_t)n);
        snprintf(text, sizeof(text), "%s\"%s\":\"%s%d\"", data[1] ? "," : "",
            name, prefix, *field);
    }
    strcat(data, text);
    return 1;
}

static void
pick_int(char *data, const char *name, int low, int high, int *field)
{
    char text[64];

    switch (any(4)) {
    case 0:
        return;
    case 1:
        *field = NIL;
        snprintf(
            text, sizeof(text), "%s\"%s\":null", data[1] ? "," : "", name);
        break;
    default:
        *field = low + (int)any((uint32_t)(high - low));
        snprintf(text, sizeof(text), "%s\"%s\":%d", data[1] ? "," : "", name,
            *field);
    }
    strcat(data, text);
}

static void
pick_choice(char *data, const char *name, const char *const *choices, int n,
    int *field)
{
    char text[64];

    switch (any(4)) {
    case 0:
        return;
    case 1:
        *field = NIL;
        snprintf(
            text, sizeof(text), "%s\"%s\":null", data[1] ? "," : "", name);
        break;
    default:
        *field = (int)any((uint32_t)n);
        snprintf(text, sizeof(text), "%s\"%s\":\"%s\"", data[1] ? "," : "",
            name, choices[*field]);
    }
    strcat(data, text);
}

static void
pick_mass(char *data, int *field)
{
    char text[64];

    if (any(3) == 0) {
        return;
    }
    *field = (int)any(COUNT(masses));
    snprintf(text, sizeof(text), "%s\"mass\":%.17g", data[1] ? "," : "",
        masses[*field]);
    strcat(data, text);
}

static const char *
tell_box(world_t *w, told_t *told)
{
    int n = (int)any(BOXES);
    box_t *box = &w->boxes[n];

    told->thing = "Box";
    snprintf(told->key, sizeof(told->key), "\"b%d\"", n);
    const char *code = refusal(told->effect, box->exists);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        box->exists = false;
        return code;
    }
    if (!box->exists || told->effect == KAPPA_EFFECT_PUT) {
        *box = (box_t){ true, NIL, NIL, NIL, NIL };
    }
    pick(told->data, "shelf", "s", SHELVES, &box->shelf);
    pick(told->data, "room", "r", ROOMS, &box->room);
    pick_int(told->data, "size", 0, 100, &box->size);
    pick_choice(told->data, "code", codes, COUNT(codes), &box->code);
    if (code != NULL) {
        return code;
    }
    if (box->size >= 90) {
        return "TOO_BIG";
    }
    for (int i = 0; i < BOXES; i++) {
        if (i != n && w->boxes[i].exists && box->code != NIL
            && w->boxes[i].code == box->code) {
            return "NOT_UNIQUE";
        }
    }
    return NULL;
}

static const char *
tell_item(world_t *w, told_t *told)
{
    int n = (int)any(ITEMS);
    item_t *item = &w->items[n];

    told->thing = "Item";
    snprintf(told->key, sizeof(told->key), "\"i%d\"", n);
    const char *code = refusal(told->effect, item->exists);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        item->exists = false;
        return code;
    }
    if (!item->exists || told->effect == KAPPA_EFFECT_PUT) {
        *item = (item_t){ true, NIL, NIL, NIL, NIL, NIL };
    }
    pick(told->data, "box", "b", BOXES, &item->box);
    pick_int(told->data, "price", -50, 50, &item->price);
    pick_mass(told->data, &item->mass);
    pick_choice(told->data, "label", labels, COUNT(labels), &item->label);
    pick_choice(told->data, "state", states, COUNT(states), &item->state);
    if (code != NULL) {
        return code;
    }
    /* A @computed over null can't be evaluated: it refuses the event. */
    return item->price == NIL || item->state == NIL ? "BAD_USER_INPUT" : NULL;
}

static const char *
tell_room(world_t *w, told_t *told)
{
    int n = (int)any(ROOMS);
    room_t *room = &w->rooms[n];

    told->thing = "Room";
    snprintf(told->key, sizeof(told->key), "\"r%d\"", n);
    const char *code = refusal(told->effect, room->exists);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        room->exists = false;
        return code;
    }
    if (!room->exists || told->effect == KAPPA_EFFECT_PUT) {
        *room = (room_t){ true, NONE };
    }
    if (any(2)) {
        room->name = (int)any(9);
        snprintf(told->data + 1, sizeof(told->data) - 1, "\"name\":\"n%d\"",
            room->name);
    }
    return code;
}

/* Several rows at once: all of it, or nothing. */
static const char *
tell_batch(world_t *w, told_t *told)
{
    const char *code = NULL;

    told->thing = "Batch";
    told->effect = KAPPA_EFFECT_NONE;
    snprintf(told->key, sizeof(told->key), "\"x\"");
    strcat(told->data, "\"items\":[");
    for (uint32_t i = any(6); i > 0; i--) {
        int n = (int)any(ITEMS);
        char one[256];
        item_t *item = &w->items[n];

        *item = (item_t){ true, NIL, NIL, NIL, NIL, NIL };
        snprintf(one, sizeof(one), "{\"id\":\"i%d\"", n);
        pick(one, "box", "b", BOXES, &item->box);
        if (any(8) != 0) {
            item->price = 7;
            strcat(one, ",\"price\":7");
        }
        pick_mass(one, &item->mass);
        pick_choice(one, "label", labels, COUNT(labels), &item->label);
        item->state = (int)any(COUNT(states));
        snprintf(one + strlen(one), sizeof(one) - strlen(one),
            ",\"state\":\"%s\"}%s", states[item->state], i > 1 ? "," : "");
        strcat(told->data, one);
        if (code == NULL && item->price == NIL) {
            code = "BAD_USER_INPUT";
        }
    }
    strcat(told->data, "],\"gone\":[");
    for (uint32_t i = any(3); i > 0; i--) {
        int n = (int)any(ITEMS);
        char one[32];

        snprintf(one, sizeof(one), "\"i%d\"%s", n, i > 1 ? "," : "");
        strcat(told->data, one);
        if (code == NULL && !w->items[n].exists) {
            code = "NOT_FOUND";
        }
        w->items[n].exists = false;
    }
    strcat(told->data, "]");
    return code;
}

static const char *
tell(world_t *w, told_t *told)
{
    static const kappa_effect_t effects[] = { KAPPA_EFFECT_CREATE,
        KAPPA_EFFECT_PUT, KAPPA_EFFECT_PATCH, KAPPA_EFFECT_PATCH,
        KAPPA_EFFECT_UPSERT, KAPPA_EFFECT_UPSERT, KAPPA_EFFECT_DELETE };
    uint32_t which = any(12);

    told->verb = "told";
    told->effect = effects[any(COUNT(effects))];
    strcpy(told->data, "{");
    const char *code = which < 4 ? tell_box(w, told)
        : which < 9              ? tell_item(w, told)
        : which < 11             ? tell_batch(w, told)
                                 : tell_room(w, told);
    strcat(told->data, "}");
    return code;
}

/* --- comparing */

static void
compare_rows(views_t *v, const world_t *w)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < PLACES; i++) {
        const char *view;
        char key[16];

        place_json(w, i, &buf, &view, key);
        compare_row(v, view, key, &buf);
    }
    kappa_buf_release(&buf);
}

static bool
count_change(void *ctx, const kappa_change_t *change)
{
    (void)change;
    ++*(int *)ctx;
    return true;
}

/* As many changes are recorded as rows differ. */
static void
compare_changes(views_t *v, const world_t *before, const world_t *after)
{
    kappa_buf_t old, new;
    kappa_txn_t *txn;
    int expected = 0, told = 0;

    kappa_buf_init(&old, &kappa_alloc_libc);
    kappa_buf_init(&new, &kappa_alloc_libc);
    for (int i = 0; i < PLACES; i++) {
        const char *view;
        char key[16];

        place_json(before, i, &old, &view, key);
        place_json(after, i, &new, &view, key);
        expected += !kappa_str_eq(kappa_buf_view(&old), kappa_buf_view(&new));
    }
    kappa_buf_release(&old);
    kappa_buf_release(&new);
    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    assert_int_equal(kappa_changes_each(txn, v->model, v->seq - 1, v->seq,
                         v->arena, count_change, &told),
        KAPPA_OK);
    kappa_txn_end(txn);
    assert_int_equal(told, expected);
}

/* A hash of all that is there, and of what others are told. */
static void
digest(views_t *v, uint8_t out[32])
{
    static const kappa_dbi_t told[] = { KAPPA_DBI_CHANGES };
    kappa_buf_t dump;

    kappa_buf_init(&dump, &kappa_alloc_libc);
    views_dump(v, views_rebuilt, COUNT(views_rebuilt), &dump);
    views_dump(v, told, COUNT(told), &dump);
    SHA256((const unsigned char *)dump.data, dump.len, out);
    kappa_buf_release(&dump);
}

/* Index entries are what the rows say, no more and no less. */
static void
compare_indexes(views_t *v)
{
    kappa_txn_t *txn;
    kappa_str_t key, value, found;
    size_t expected = 0;
    MDB_stat stat;

    assert_int_equal(kappa_env_read(v->env, &txn), KAPPA_OK);
    for (uint32_t i = 0; i < v->model->view_count; i++) {
        const kappa_view_t *view = v->model->views[i];
        kappa_key_t prefix;

        kappa_key_init(&prefix);
        kappa_key_row_prefix(&prefix, view);
        kappa_status_t status = kappa_txn_seek(
            txn, KAPPA_DBI_ROWS, kappa_key_str(&prefix), &key, &value);
        while (status == KAPPA_OK
            && kappa_str_starts_with(key, kappa_key_str(&prefix))) {
            for (uint32_t j = 1; j < view->index_count; j++) {
                kappa_key_t entry;

                kappa_key_entry(&entry, &view->indexes[j],
                    (const uint8_t *)value.data,
                    kappa_str(key.data + 2, key.len - 2));
                assert_int_equal(kappa_txn_get(txn, KAPPA_DBI_INDEX,
                                     kappa_key_str(&entry), &found),
                    KAPPA_OK);
                expected++;
            }
            status = kappa_txn_next(txn, KAPPA_DBI_ROWS, &key, &value);
        }
    }
    assert_int_equal(
        mdb_stat(txn->mdb, kappa_env_dbi(v->env, KAPPA_DBI_INDEX), &stat), 0);
    assert_int_equal(stat.ms_entries, expected);
    kappa_txn_end(txn);
}

/* --- a history */

static void
refused_leaves_no_trace(views_t *v, const uint8_t before[32])
{
    uint8_t after[32];

    digest(v, after);
    assert_memory_equal(before, after, 32);
}

static void
live(views_t *v, world_t *w, bool alone)
{
    for (int i = 0; i < EVENTS; i++) {
        world_t after = *w;
        told_t told = { 0 };
        uint8_t before[32];

        if (alone) {
            digest(v, before);
            views_begin(v);
        }
        const char *code = tell(&after, &told);
        tell_views(v, &told, code);
        compare_rows(v, code ? w : &after);
        if (any(10) == 0) {
            assert_int_equal(kappa_writer_flush(v->writer), KAPPA_OK);
        }
        if (alone || any(20) == 0) {
            views_commit(v);
            if (alone && code != NULL) {
                refused_leaves_no_trace(v, before);
            } else if (alone) {
                compare_changes(v, w, &after);
            }
            compare_indexes(v);
            if (!alone) {
                views_begin(v);
            }
        }
        *w = code ? *w : after;
    }
    if (alone) {
        views_begin(v);
    }
}

static void
run(uint64_t seed, bool alone)
{
    views_t v;
    world_t world = { 0 };

    kappa_test_chance(seed);
    views_open(&v, boxes_schema);
    if (alone) {
        views_commit(&v);
    }
    live(&v, &world, alone);
    views_replay_by(&v, 50);
    views_close(&v);
}

/* Anew each time, with a seed of its own. */
static void
run_often(bool alone)
{
    uint64_t seed = kappa_test_seed();

    for (uint64_t i = 0; i < kappa_test_rounds(1, 100); i++) {
        run(seed + i, alone);
    }
}

static void
batches_keep_what_the_events_say(void **state)
{
    (void)state;
    run_often(false);
}

static void
each_event_alone(void **state)
{
    (void)state;
    run_often(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_keep_what_the_events_say),
        cmocka_unit_test(each_event_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
