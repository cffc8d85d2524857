#include "t/unit/views/keep_schema.h"
#include "t/unit/views/told.h"

/* Rows that leave, by random histories. */

#define READINGS 7
#define DEVICES 3
#define HOURS 2

typedef struct {
    bool exists;
    int device, hour, value, tag, seen;
    int64_t made_ms;
} reading_t;

typedef struct {
    reading_t readings[READINGS];
    reading_t *left; /* that left by their keep: what they were */
    uint32_t left_count;
    uint32_t left_cap;
    bool devices[DEVICES];
    int last[DEVICES];
    bool clocks[HOURS];
    bool briefs[HOURS];
    int64_t brief_ms[HOURS];
    int brief_left[HOURS]; /* what rows of Brief that left gave to Clock */
    int64_t clock_ms;
} world_t;

static void
world_copy(world_t *to, const world_t *from)
{
    reading_t *left = to->left;
    uint32_t cap = to->left_cap;

    if (cap < from->left_count + 1) {
        cap = 2 * (from->left_count + 1);
        left = realloc(left, cap * sizeof(*left));
        assert_non_null(left);
    }
    if (from->left_count) {
        memcpy(left, from->left, from->left_count * sizeof(*left));
    }
    *to = *from;
    to->left = left;
    to->left_cap = cap;
}

static void
reading_leaves(world_t *w, reading_t *reading)
{
    if (w->left_count == w->left_cap) {
        w->left_cap = w->left_cap ? 2 * w->left_cap : 16;
        w->left = realloc(w->left, w->left_cap * sizeof(*w->left));
        assert_non_null(w->left);
    }
    w->left[w->left_count++] = *reading;
    reading->exists = false;
}

/* Live and left ones, by number. */
static const reading_t *
member(const world_t *w, uint32_t i)
{
    if (i < READINGS) {
        return w->readings[i].exists ? &w->readings[i] : NULL;
    }
    return &w->left[i - READINGS];
}

static int
members_of(const world_t *w, int hour)
{
    int count = 0;

    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        count += r && r->hour == hour;
    }
    return count;
}

static void
brief_leaves(world_t *w, int hour)
{
    w->briefs[hour] = false;
    w->brief_left[hour] += members_of(w, hour);
}

static void
pass_time(world_t *w, int64_t time_ms)
{
    w->clock_ms = time_ms > w->clock_ms ? time_ms : w->clock_ms;
    for (int h = 0; h < HOURS; h++) {
        if (w->briefs[h] && w->brief_ms[h] + BRIEF_MS <= w->clock_ms) {
            brief_leaves(w, h);
        }
    }
    for (int i = 0; i < READINGS; i++) {
        reading_t *r = &w->readings[i];

        if (r->exists && r->made_ms + KEEP_MS <= w->clock_ms) {
            reading_leaves(w, r);
        }
    }
}

static void
reading_json(const world_t *w, int i, kappa_buf_t *buf)
{
    const reading_t *r = &w->readings[i];

    if (!r->exists) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(buf, "{\"id\":\"r%d\",\"device\":", i);
    add_id(buf, "d", r->device);
    KAPPA_BUF_LIT(buf, ",\"hour\":");
    add_id(buf, "h", r->hour);
    kappa_buf_printf(buf, ",\"value\":%d,\"tag\":", r->value);
    add_id(buf, "t", r->tag);
    kappa_buf_printf(buf, ",\"seen\":%d}", r->seen);
}

static void
device_json(const world_t *w, int d, kappa_buf_t *buf)
{
    int count = 0, high = 0, low = NIL, top = NIL;
    long total = 0;

    if (!w->devices[d]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);

        if (!r || r->device != d) {
            continue;
        }
        count++;
        high += r->value > 0;
        total += r->value;
        low = low == NIL || r->value < low ? r->value : low;
        top = r->value < 90 && r->value > top ? r->value : top;
    }
    kappa_buf_printf(buf, "{\"id\":\"d%d\",\"last\":", d);
    add_int(buf, w->last[d]);
    kappa_buf_printf(buf,
        ",\"readings\":%d,\"high\":%d,\"total\":\"%ld\",\"mean\":", count,
        high, total);
    add_mean(buf, total, count);
    KAPPA_BUF_LIT(buf, ",\"low\":");
    add_int(buf, low);
    KAPPA_BUF_LIT(buf, ",\"top\":");
    add_int(buf, top);
    kappa_buf_char(buf, '}');
}

static void
hour_json(const world_t *w, int h, kappa_buf_t *buf)
{
    int low = NIL, count = members_of(w, h);

    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        if (r && r->hour == h) {
            low = low == NIL || r->value < low ? r->value : low;
        }
    }
    if (!count) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(
        buf, "{\"name\":\"h%d\",\"readings\":%d,\"low\":%d}", h, count, low);
}

static void
brief_json(const world_t *w, int h, kappa_buf_t *buf)
{
    long total = 0;

    if (!w->briefs[h]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    for (uint32_t i = 0; i < READINGS + w->left_count; i++) {
        const reading_t *r = member(w, i);
        total += r && r->hour == h ? r->value : 0;
    }
    kappa_buf_printf(buf,
        "{\"name\":\"h%d\",\"readings\":%d,\"total\":\"%ld\"}", h,
        members_of(w, h), total);
}

static void
clock_json(const world_t *w, int h, kappa_buf_t *buf)
{
    if (!w->clocks[h]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    int brief = w->brief_left[h] + (w->briefs[h] ? members_of(w, h) : 0);
    kappa_buf_printf(buf, "{\"name\":\"h%d\",\"all\":\"%d\",\"brief\":\"%d\"}",
        h, members_of(w, h), brief);
}

static void
compare_one(views_t *v, const char *view, const char *prefix, int i,
    const world_t *w, void (*json)(const world_t *, int, kappa_buf_t *))
{
    char key[16];
    kappa_buf_t want;

    snprintf(key, sizeof(key), "\"%s%d\"", prefix, i);
    kappa_buf_init(&want, &kappa_alloc_libc);
    json(w, i, &want);
    compare_row(v, view, key, &want);
    kappa_buf_release(&want);
}

static void
compare(views_t *v, const world_t *w)
{
    for (int i = 0; i < READINGS; i++) {
        compare_one(v, "Reading", "r", i, w, reading_json);
    }
    for (int i = 0; i < DEVICES; i++) {
        compare_one(v, "Device", "d", i, w, device_json);
    }
    for (int i = 0; i < HOURS; i++) {
        compare_one(v, "Hour", "h", i, w, hour_json);
        compare_one(v, "Brief", "h", i, w, brief_json);
        compare_one(v, "Clock", "h", i, w, clock_json);
    }
}

static void
pick_ref(told_t *told, const char *name, const char *prefix, int n, int *field)
{
    char text[64];

    if (any(3) == 0) {
        return;
    }
    *field = any(5) ? (int)any((uint32_t)n) : NIL;
    if (*field == NIL) {
        snprintf(text, sizeof(text), "\"%s\":null,", name);
    } else {
        snprintf(text, sizeof(text), "\"%s\":\"%s%d\",", name, prefix, *field);
    }
    strcat(told->data, text);
}

static void
join(world_t *w, int hour, int64_t time_ms)
{
    if (hour == NIL || w->briefs[hour]) {
        return;
    }
    w->briefs[hour] = true;
    w->brief_ms[hour] = time_ms;
}

/* After the reading is what it is now. */
static void
follow(world_t *w, int before, int after, int64_t time_ms)
{
    if (before == after) {
        return;
    }
    if (before != NIL && members_of(w, before) == 0) {
        w->briefs[before] = false;
    }
    join(w, after, time_ms);
}

static const char *
change_reading(world_t *w, told_t *told, int n, int64_t time_ms)
{
    reading_t *r = &w->readings[n];
    int old_value = r->value;
    bool existed = r->exists;
    bool fresh = !existed || told->effect == KAPPA_EFFECT_PUT;
    char text[32];

    if (fresh) {
        *r = (reading_t){ true, NIL, NIL, NIL, NIL, r->exists ? r->seen : 0,
            existed ? r->made_ms : time_ms };
    }
    r->seen++;
    pick_ref(told, "device", "d", DEVICES, &r->device);
    pick_ref(told, "hour", "h", HOURS, &r->hour);
    pick_ref(told, "tag", "t", 4, &r->tag);
    if (fresh ? any(20) != 0 : any(2) != 0) {
        r->value = (int)any(200) - 100;
        snprintf(text, sizeof(text), "\"value\":%d", r->value);
        strcat(told->data, text);
    } else {
        strcat(told->data, "\"z\":0");
    }
    if (r->value == NIL) {
        return "BAD_USER_INPUT";
    }
    if (existed && r->value < old_value - 60) {
        return "FELL";
    }
    return NULL;
}

static const char *
check_tag(const world_t *w, int n)
{
    const reading_t *r = &w->readings[n];

    for (int i = 0; i < READINGS && r->exists && r->tag != NIL; i++) {
        if (i != n && w->readings[i].exists && w->readings[i].tag == r->tag) {
            return "NOT_UNIQUE";
        }
    }
    return NULL;
}

static const char *
tell_reading(world_t *w, told_t *told, int64_t time_ms)
{
    int n = (int)any(READINGS);
    reading_t *r = &w->readings[n];
    int hour = r->exists ? r->hour : NIL;

    told->thing = "Reading";
    told->effect = any_effect();
    snprintf(told->key, sizeof(told->key), "\"r%d\"", n);
    const char *code = refusal(told->effect, r->exists);
    if (code) {
        strcat(told->data, "\"value\":1");
        return code;
    }
    if (told->effect == KAPPA_EFFECT_DELETE) {
        strcat(told->data, "\"z\":0");
        r->exists = false;
        follow(w, hour, NIL, time_ms);
        return NULL;
    }
    code = change_reading(w, told, n, time_ms);
    if (code) {
        return code;
    }
    follow(w, hour, r->hour, time_ms);
    pass_time(w, time_ms); /* what came too late leaves */
    return check_tag(w, n);
}

static const char *
tell(world_t *w, told_t *told, int64_t time_ms)
{
    int n;

    told->verb = "told";
    strcpy(told->data, "{");
    pass_time(w, time_ms);
    const char *code = NULL;
    switch (any(8)) {
    case 0:
        n = (int)any(DEVICES);
        told->thing = "Device";
        told->effect = any(2) ? KAPPA_EFFECT_PUT : KAPPA_EFFECT_DELETE;
        snprintf(told->key, sizeof(told->key), "\"d%d\"", n);
        code = refusal(told->effect, w->devices[n]);
        w->devices[n] = told->effect == KAPPA_EFFECT_PUT;
        w->last[n] = NIL;
        break;
    case 1:
        n = (int)any(HOURS);
        told->thing = "Clock";
        told->effect = KAPPA_EFFECT_PUT;
        snprintf(told->key, sizeof(told->key), "\"h%d\"", n);
        w->clocks[n] = true;
        break;
    case 2: {
        int r = (int)any(READINGS);
        n = (int)any(DEVICES);
        told->thing = "Look";
        told->verb = "done";
        told->effect = KAPPA_EFFECT_NONE;
        snprintf(told->data, sizeof(told->data),
            "{\"device\":\"d%d\",\"reading\":\"r%d\"", n, r);
        w->devices[n] = true;
        w->last[n] = w->readings[r].exists ? w->readings[r].value : NIL;
        break;
    }
    default:
        code = tell_reading(w, told, time_ms);
    }
    strcat(told->data, "}");
    return code;
}

static void
live_on(views_t *v, uint32_t events)
{
    world_t world = { 0 }, after = { 0 };
    int64_t now_ms = v->now_ms;

    for (uint32_t i = 0; i < events; i++) {
        told_t told = { 0 };

        now_ms += any(3) ? any(1500) : 0;
        now_ms += any(200) == 0 ? 40000 : 0;
        v->now_ms = any(5) ? now_ms : now_ms - any(30000);
        world_copy(&after, &world);
        const char *code = tell(&after, &told, v->now_ms);
        tell_views(v, &told, code);
        if (code == NULL) {
            world_copy(&world, &after);
            compare(v, &world);
        }
        if (any(15) == 0) {
            views_commit(v);
            views_begin(v);
        }
    }
    free(world.left);
    free(after.left);
}

static void
run(uint64_t seed, uint32_t events)
{
    views_t v;

    kappa_test_chance(seed);
    views_open(&v, kept);
    live_on(&v, events);
    views_replay_by(&v, 40);
    views_close(&v);
}

static void
histories_end_as_a_model_says(void **state)
{
    uint64_t seed = kappa_test_seed();

    (void)state;
    for (uint64_t i = 0; i < kappa_test_rounds(6, 400); i++) {
        run(seed + i, 400);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_end_as_a_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
