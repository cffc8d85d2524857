#ifndef KAPPA_T_UNIT_VIEWS_BOXES_H
#define KAPPA_T_UNIT_VIEWS_BOXES_H

#include "t/unit/views/told.h"

/* Items in boxes on shelves in rooms: views, and the model that says what
 * their rows are. */

static const char boxes_schema[] =
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

typedef struct {
    bool exists;
    int shelf, room, size, code;
} box_t;

typedef struct {
    bool exists;
    int box, price, mass, label, state; /* NIL: null */
} item_t;

typedef struct {
    bool exists;
    int name;
} room_t;

typedef struct {
    box_t boxes[BOXES];
    item_t items[ITEMS];
    room_t rooms[ROOMS];
} world_t;

/* --- JSON of the world's rows */

/* Sums of these are exact in 113 bits. */
static const double masses[] = { 0.1, 0.2, 0.3, 1e12, -1e12, 2.5, 1e-3 };
static const char *const labels[] = { "a", "ab", "b\\n", "", "\xc3\xa9" };
static const char *const states[] = { "GOOD", "BAD" };
static const char *const codes[] = { "X", "Y", "Z" };

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

    kappa_buf_printf(buf, "{\"id\":\"b%d\",\"shelf\":", i);
    add_id(buf, "s", box->shelf);
    KAPPA_BUF_LIT(buf, ",\"room\":");
    add_id(buf, "r", box->room);
    KAPPA_BUF_LIT(buf, ",\"size\":");
    add_int(buf, box->size);
    add_choice(buf, "code", codes, box->code);
    kappa_buf_printf(buf,
        ",\"items\":%d,\"good\":%d,\"total\":\"%lld\",\"mass\":", s.count,
        s.good, s.total);
    kappa_json_double(buf, (double)s.mass);
    KAPPA_BUF_LIT(buf, ",\"mean\":");
    add_mean(buf, s.total, s.priced);
    KAPPA_BUF_LIT(buf, ",\"low\":");
    add_int(buf, s.low);
    add_choice(buf, "last", labels, s.last);
    kappa_buf_printf(buf, ",\"twice\":%d}", s.count * 2);
}

static void
item_json(const world_t *w, int i, kappa_buf_t *buf)
{
    const item_t *item = &w->items[i];

    kappa_buf_printf(buf, "{\"id\":\"i%d\",\"box\":", i);
    add_id(buf, "b", item->box);
    KAPPA_BUF_LIT(buf, ",\"price\":");
    add_int(buf, item->price);
    KAPPA_BUF_LIT(buf, ",\"mass\":");
    if (item->mass == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_json_double(buf, masses[item->mass]);
    }
    add_choice(buf, "label", labels, item->label);
    add_choice(buf, "state", states, item->state);
    KAPPA_BUF_LIT(buf, ",\"twice\":");
    add_int(buf, item->price == NIL ? NIL : item->price * 2);
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
        "{\"name\":\"s%d\",\"boxes\":%d,\"bytes\":\"%lld\",\"items\":\"%lld\","
        "\"biggest\":",
        shelf, boxes, bytes, items);
    add_int(buf, biggest);
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

#endif
