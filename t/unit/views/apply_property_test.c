#include "t/unit/views/views_fixture.h"

#include <openssl/sha.h>

#include "t/unit/torture.h"
#include "views/changes.h"

/* Random histories, against a model that is nothing but arrays and loops:
 * which events are refused, what every row holds, what changed. Then the
 * accepted events are replayed into another environment, which must be the
 * same to the byte. */

static const char schema[] =
    "type Box @view @index(fields: [\"shelf\", \"size\"])"
    " @index(fields: [\"code\"], unique: true)"
    " @check(if: \"row.size == null || row.size < 90\", code: \"TOO_BIG\") {\n"
    "  id: ID!  shelf: ID  room: ID  size: Int  code: String\n"
    "  items: Int! @count(of: \"Item\", by: \"box\")\n"
    "  good: Int! @count(of: \"Item\", by: \"box\","
    "    where: \"row.state == 'GOOD'\")\n"
    "  total: BigInt! @sum(field: \"price\", of: \"Item\", by: \"box\")\n"
    "  mass: Float! @sum(field: \"mass\", of: \"Item\", by: \"box\")\n"
    "  mean: Float @avg(field: \"price\", of: \"Item\", by: \"box\")\n"
    "  low: Int @min(field: \"price\", of: \"Item\", by: \"box\","
    "    where: \"row.state == 'GOOD'\")\n"
    "  last: String @max(field: \"label\", of: \"Item\", by: \"box\")\n"
    "  twice: Int @computed(as: \"row.items * 2\")\n"
    "}\n"
    "enum State { GOOD BAD }\n"
    "type Item @view @index(fields: [\"box\", \"price\"])"
    " @index(fields: [\"twice\"])\n"
    "  @on(thing: \"Batch\", verb: \"told\", each: \"event.data.items\","
    "    key: [\"item.id\"], effect: UPSERT, set: [\"box = item.box\","
    "    \"price = item.price\", \"mass = item.mass\","
    "    \"label = item.label\", \"state = item.state\"])\n"
    "  @on(thing: \"Batch\", verb: \"told\", each: \"event.data.gone\","
    "    key: [\"item\"], effect: DELETE) {\n"
    "  id: ID!  box: ID  price: Int  mass: Float  label: String\n"
    "  state: State!  twice: Int @computed(as: \"row.price * 2\")\n"
    "}\n"
    "type Shelf @view(key: \"name\") @groupBy(of: \"Box\", by: \"shelf\") {\n"
    "  name: ID!  boxes: Int! @count  bytes: BigInt! @sum(field: \"size\")\n"
    "  items: BigInt! @sum(field: \"items\")  biggest: Int"
    "    @max(field: \"size\")\n"
    "}\n"
    "type Room @view {\n"
    "  id: ID!  name: String! @default(as: \"'a room'\")\n"
    "  boxes: Int! @count(of: \"Box\", by: \"room\")\n"
    "  items: BigInt! @sum(field: \"items\", of: \"Box\", by: \"room\")\n"
    "}\n"
    "type Query { box(id: ID!): Box  item(id: ID!): Item"
    " shelf(name: ID!): Shelf  room(id: ID!): Room }\n";

#define BOXES 5
#define ITEMS 9
#define ROOMS 3
#define SHELVES 3
#define NONE (-1)
#define EVENTS 1500
#define TEXT 2048

typedef struct {
    bool exists;
    int shelf, room, size, code;
} box_t;

typedef struct {
    bool exists;
    int box, price, mass, label, state; /* NONE - 1000: null */
} item_t;

#define NIL (-1000)

typedef struct {
    bool exists;
    int name;
} room_t;

typedef struct {
    box_t boxes[BOXES];
    item_t items[ITEMS];
    room_t rooms[ROOMS];
} world_t;

/* --- randomness: xorshift, from a seed that is printed */

static uint64_t random_state;

static uint32_t
any(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % n;
}

/* --- JSON of the world's rows */

/* Sums of these are exact in 113 bits. */
static const double masses[] = { 0.1, 0.2, 0.3, 1e12, -1e12, 2.5, 1e-3 };
static const char *const labels[] = { "a", "ab", "b\\n", "", "\xc3\xa9" };
static const char *const states[] = { "GOOD", "BAD" };
static const char *const codes[] = { "X", "Y", "Z" };

static void
add_text(kappa_buf_t *buf, const char *name, const char *prefix, int n)
{
    if (n == NIL) {
        kappa_buf_printf(buf, "\"%s\":null", name);
    } else {
        kappa_buf_printf(buf, "\"%s\":\"%s%d\"", name, prefix, n);
    }
}

static void
add_int(kappa_buf_t *buf, const char *name, int n)
{
    if (n == NIL) {
        kappa_buf_printf(buf, ",\"%s\":null", name);
    } else {
        kappa_buf_printf(buf, ",\"%s\":%d", name, n);
    }
}

static void
add_choice(
    kappa_buf_t *buf, const char *name, const char *const *choices, int n)
{
    if (n == NIL) {
        kappa_buf_printf(buf, ",\"%s\":null", name);
    } else {
        kappa_buf_printf(buf, ",\"%s\":\"%s\"", name, choices[n]);
    }
}

typedef struct {
    int count, good, priced, low, last;
    long long total;
    __float128 mass;
} sums_t;

static sums_t
sums_of(const world_t *w, int box)
{
    sums_t s = { .low = NIL, .last = NIL };

    for (int i = 0; i < ITEMS; i++) {
        const item_t *item = &w->items[i];

        if (!item->exists || item->box != box) {
            continue;
        }
        s.count++;
        s.good += item->state == 0;
        if (item->price != NIL) {
            s.priced++;
            s.total += item->price;
            if (item->state == 0 && (s.low == NIL || item->price < s.low)) {
                s.low = item->price;
            }
        }
        if (item->mass != NIL) {
            s.mass += masses[item->mass];
        }
        /* In the order of bytes: "" a ab b\n é. */
        static const int rank[] = { 1, 2, 3, 0, 4 };
        if (item->label != NIL
            && (s.last == NIL || rank[item->label] > rank[s.last])) {
            s.last = item->label;
        }
    }
    return s;
}

static void
box_json(const world_t *w, int i, kappa_buf_t *buf)
{
    const box_t *box = &w->boxes[i];
    sums_t s = sums_of(w, i);

    kappa_buf_printf(buf, "{\"id\":\"b%d\",", i);
    add_text(buf, "shelf", "s", box->shelf);
    kappa_buf_char(buf, ',');
    add_text(buf, "room", "r", box->room);
    add_int(buf, "size", box->size);
    add_choice(buf, "code", codes, box->code);
    kappa_buf_printf(buf,
        ",\"items\":%d,\"good\":%d,\"total\":\"%lld\",\"mass\":", s.count,
        s.good, s.total);
    kappa_json_double(buf, (double)s.mass);
    KAPPA_BUF_LIT(buf, ",\"mean\":");
    if (s.priced) {
        kappa_json_double(buf, (double)s.total / s.priced);
    } else {
        KAPPA_BUF_LIT(buf, "null");
    }
    add_int(buf, "low", s.low);
    add_choice(buf, "last", labels, s.last);
    kappa_buf_printf(buf, ",\"twice\":%d}", s.count * 2);
}

static void
item_json(const world_t *w, int i, kappa_buf_t *buf)
{
    const item_t *item = &w->items[i];

    kappa_buf_printf(buf, "{\"id\":\"i%d\",", i);
    add_text(buf, "box", "b", item->box);
    add_int(buf, "price", item->price);
    KAPPA_BUF_LIT(buf, ",\"mass\":");
    if (item->mass == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_json_double(buf, masses[item->mass]);
    }
    add_choice(buf, "label", labels, item->label);
    add_choice(buf, "state", states, item->state);
    add_int(buf, "twice", item->price == NIL ? NIL : item->price * 2);
    kappa_buf_char(buf, '}');
}

static bool
shelf_json(const world_t *w, int shelf, kappa_buf_t *buf)
{
    int boxes = 0, biggest = NIL;
    long long bytes = 0, items = 0;

    for (int i = 0; i < BOXES; i++) {
        const box_t *box = &w->boxes[i];

        if (!box->exists || box->shelf != shelf) {
            continue;
        }
        boxes++;
        items += sums_of(w, i).count;
        if (box->size != NIL) {
            bytes += box->size;
            biggest = box->size > biggest ? box->size : biggest;
        }
    }
    kappa_buf_printf(buf,
        "{\"name\":\"s%d\",\"boxes\":%d,\"bytes\":\"%lld\",\"items\":\"%lld\"",
        shelf, boxes, bytes, items);
    add_int(buf, "biggest", biggest);
    kappa_buf_char(buf, '}');
    return boxes > 0;
}

static void
room_json(const world_t *w, int room, kappa_buf_t *buf)
{
    int boxes = 0;
    long long items = 0;

    for (int i = 0; i < BOXES; i++) {
        if (w->boxes[i].exists && w->boxes[i].room == room) {
            boxes++;
            items += sums_of(w, i).count;
        }
    }
    kappa_buf_printf(buf, "{\"id\":\"r%d\",\"name\":\"", room);
    if (w->rooms[room].name < 0) {
        KAPPA_BUF_LIT(buf, "a room");
    } else {
        kappa_buf_printf(buf, "n%d", w->rooms[room].name);
    }
    kappa_buf_printf(buf, "\",\"boxes\":%d,\"items\":\"%lld\"}", boxes, items);
}

/* Every place there can be a row, numbered. */
#define PLACES (BOXES + ITEMS + SHELVES + ROOMS)

static void
place_json(const world_t *w, int place, kappa_buf_t *buf, const char **view,
    char key[16])
{
    bool exists;

    kappa_buf_reset(buf);
    if (place < BOXES) {
        *view = "Box";
        snprintf(key, 16, "\"b%d\"", place);
        exists = w->boxes[place].exists;
        box_json(w, place, buf);
    } else if ((place -= BOXES) < ITEMS) {
        *view = "Item";
        snprintf(key, 16, "\"i%d\"", place);
        exists = w->items[place].exists;
        item_json(w, place, buf);
    } else if ((place -= ITEMS) < SHELVES) {
        *view = "Shelf";
        snprintf(key, 16, "\"s%d\"", place);
        exists = shelf_json(w, place, buf);
    } else {
        place -= SHELVES;
        *view = "Room";
        snprintf(key, 16, "\"r%d\"", place);
        exists = w->rooms[place].exists;
        room_json(w, place, buf);
    }
    if (!exists) {
        kappa_buf_reset(buf);
        KAPPA_BUF_LIT(buf, "none");
    }
}

/* --- events */

typedef struct {
    const char *thing;
    kappa_effect_t effect;
    char key[16];
    char data[TEXT];
} told_t;

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

/* The effect's outcome: whether there may be a row before, and whether its
 * fields start anew. NULL: fine. */
static const char *
existence(kappa_effect_t effect, bool exists, bool *fresh)
{
    *fresh = !exists || effect == KAPPA_EFFECT_PUT;
    if (effect == KAPPA_EFFECT_CREATE && exists) {
        return "ALREADY_EXISTS";
    }
    if ((effect == KAPPA_EFFECT_PATCH || effect == KAPPA_EFFECT_DELETE)
        && !exists) {
        return "NOT_FOUND";
    }
    return NULL;
}

static const char *
tell_box(world_t *w, told_t *told)
{
    int n = (int)any(BOXES);
    box_t *box = &w->boxes[n];
    bool fresh;

    told->thing = "Box";
    snprintf(told->key, sizeof(told->key), "\"b%d\"", n);
    const char *code = existence(told->effect, box->exists, &fresh);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        box->exists = false;
        return code;
    }
    if (fresh) {
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
    bool fresh;

    told->thing = "Item";
    snprintf(told->key, sizeof(told->key), "\"i%d\"", n);
    const char *code = existence(told->effect, item->exists, &fresh);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        item->exists = false;
        return code;
    }
    if (fresh) {
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
    bool fresh;

    told->thing = "Room";
    snprintf(told->key, sizeof(told->key), "\"r%d\"", n);
    const char *code = existence(told->effect, room->exists, &fresh);
    if (told->effect == KAPPA_EFFECT_DELETE) {
        room->exists = false;
        return code;
    }
    if (fresh) {
        *room = (room_t){ true, NONE };
    }
    if (any(2)) {
        room->name = (int)any(9);
        snprintf(told->data + 1, TEXT - 1, "\"name\":\"n%d\"", room->name);
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
compare_rows(views_t *v, const world_t *w, const told_t *told)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (int i = 0; i < PLACES; i++) {
        const char *view;
        char key[16];

        place_json(w, i, &buf, &view, key);
        kappa_str_t row = views_row(v, view, key);
        if (!kappa_str_eq(row, kappa_buf_view(&buf))) {
            fail_msg("after %d %s %s %s\n%s %s is\n%.*s\nnot\n%.*s",
                told->effect, told->thing, told->key, told->data, view, key,
                KAPPA_STR_ARG(row), KAPPA_STR_ARG(kappa_buf_view(&buf)));
        }
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

/* A hash of all that is in the environment's dbis. */
static void
digest(views_t *v, const kappa_dbi_t *dbis, size_t count, uint8_t out[32])
{
    kappa_buf_t dump;

    kappa_buf_init(&dump, &kappa_alloc_libc);
    views_dump(v, dbis, count, &dump);
    SHA256((const unsigned char *)dump.data, dump.len, out);
    kappa_buf_release(&dump);
}

static const kappa_dbi_t all_dbis[] = { KAPPA_DBI_ROWS, KAPPA_DBI_INDEX,
    KAPPA_DBI_AGGREGATES, KAPPA_DBI_EXTREMES, KAPPA_DBI_HISTORY,
    KAPPA_DBI_IDEMPOTENCY, KAPPA_DBI_META, KAPPA_DBI_CHANGES };
#define REBUILT 7 /* all but what changed: a build tells nobody */

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

typedef struct {
    kappa_event_t events[EVENTS];
    uint32_t count;
} log_t;

static void
refused_leaves_no_trace(views_t *v, const uint8_t before[32])
{
    uint8_t after[32];

    digest(v, all_dbis, COUNT(all_dbis), after);
    assert_memory_equal(before, after, 32);
}

static void
live(views_t *v, world_t *w, log_t *log, bool alone)
{
    for (int i = 0; i < EVENTS; i++) {
        world_t after = *w;
        told_t told = { 0 };
        uint8_t before[32];

        if (alone) {
            digest(v, all_dbis, COUNT(all_dbis), before);
            views_begin(v);
        }
        const char *code = tell(&after, &told);
        kappa_status_t status = views_event(
            v, told.thing, "told", told.effect, told.key, told.data);
        if ((status == KAPPA_OK) != (code == NULL)
            || strcmp(views_code(v), code ? code : "accepted") != 0) {
            fail_msg("%d %s %s %s: %s, not %s: %s", told.effect, told.thing,
                told.key, told.data, views_code(v), code ? code : "accepted",
                print_errors(v->arena, &v->errors));
        }
        if (code == NULL) {
            v->event.data = kappa_str_dup(v->arena, v->event.data);
            log->events[log->count++] = v->event;
        }
        compare_rows(v, code ? w : &after, &told);
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
    if (!alone) {
        views_commit(v);
    }
}

/* The same events again, in transactions of other sizes. */
static void
replay(views_t *v, const log_t *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        bool skipped;

        if (kappa_writer_replay(
                v->writer, &log->events[i], true, &skipped, &v->errors)
            != KAPPA_OK) {
            fail_msg("replay: %s", print_errors(v->arena, &v->errors));
        }
        assert_false(skipped);
        v->seq = log->events[i].seq;
        if (any(50) == 0) {
            views_commit(v);
            views_begin(v);
        }
    }
    views_commit(v);
}

static void
run(uint64_t seed, bool alone)
{
    views_t v, again;
    world_t world = { 0 };
    log_t *log = calloc(1, sizeof(*log));
    uint8_t lived[32], replayed[32];

    print_message("seed %llu\n", (unsigned long long)seed);
    random_state = seed | 1;
    assert_non_null(log);
    views_open(&v, schema);
    if (alone) {
        views_commit(&v);
    }
    live(&v, &world, log, alone);
    digest(&v, all_dbis, REBUILT, lived);

    views_open(&again, schema);
    kappa_writer_abort(again.writer);
    kappa_writer_no_changes(again.writer, false);
    views_begin(&again);
    replay(&again, log);
    digest(&again, all_dbis, REBUILT, replayed);
    assert_memory_equal(lived, replayed, 32);
    views_close(&again);
    views_close(&v);
    free(log);
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
