#include "t/unit/views/read_fixture.h"
#include "t/unit/views/told.h"

/* Aggregates and groups by composite keys and by computed ones, aggregates of
 * aggregates, lists in the order of an aggregate: random histories against
 * loops over arrays. */

static const char schema[] =
    "enum State { OPEN PAID BACK }\n"
    "type Sale @view(key: [\"shop\", \"no\"])\n"
    "  @index(fields: [\"code\", \"region\"], unique: true)\n"
    "  @on(thing: \"Refund\", verb: \"done\", each: \"event.data.sales\",\n"
    "    key: [\"item.shop\", \"item.no\"], effect: PATCH,\n"
    "    if: \"row.state == 'PAID'\", set: [\"state = 'BACK'\"]) {\n"
    "  shop: ID!  no: Int!  region: ID  clerk: ID  at: DateTime!\n"
    "  amount: Int!  state: State! @default(as: \"'OPEN'\")  code: Int\n"
    "  hour: DateTime! @computed(as: \"trunc(row.at, '1h')\")\n"
    "  boss: Clerk @belongsTo(by: [\"region\", \"clerk\"])\n"
    "}\n"
    "type Clerk @view(key: [\"region\", \"clerk\"])\n"
    "  @index(fields: [\"region\", \"total\"]) {\n"
    "  region: ID!  clerk: ID!\n"
    "  sales: Int! @count(of: \"Sale\", by: [\"region\", \"clerk\"])\n"
    "  total: BigInt! @sum(field: \"amount\", of: \"Sale\",\n"
    "    by: [\"region\", \"clerk\"], where: \"row.state != 'BACK'\")\n"
    "  best: Int @max(field: \"amount\", of: \"Sale\",\n"
    "    by: [\"region\", \"clerk\"], where: \"row.state == 'PAID'\")\n"
    "}\n"
    "type Hour @view(key: [\"region\", \"hour\"])\n"
    "  @groupBy(of: \"Sale\", by: [\"region\", \"hour\"]) {\n"
    "  region: ID!  hour: DateTime!\n"
    "  sales: Int! @count  amount: BigInt! @sum(field: \"amount\")\n"
    "  mean: Float @avg(field: \"amount\")\n"
    "  day: DateTime! @computed(as: \"trunc(row.hour, '1d')\")\n"
    "}\n"
    "type Day @view(key: [\"day\", \"region\"])\n"
    "  @groupBy(of: \"Hour\", by: [\"day\", \"region\"]) {\n"
    "  day: DateTime!  region: ID!  hours: Int! @count\n"
    "  sales: BigInt! @sum(field: \"sales\")\n"
    "  peak: BigInt @max(field: \"amount\")\n"
    "  low: BigInt @min(field: \"amount\", where: \"row.sales > 1\")\n"
    "}\n"
    "enum Order { TOTAL TOTAL_DESC }\n"
    "type Query {\n"
    "  sale(shop: ID!, no: Int!): Sale\n"
    "  clerks(region: ID!, orderBy: Order!, first: Int): [Clerk!]!\n"
    "  hour(region: ID!, hour: DateTime!): Hour\n"
    "  day(day: DateTime!, region: ID!): Day }\n";

#define SHOPS 2
#define NOS 3
#define SALES (SHOPS * NOS)
#define REGIONS 2
#define CLERKS 3
#define DAYS 2
#define HOURS 2 /* of a day */

enum {
    OPEN,
    PAID,
    BACK
};

static const char *const states[] = { "OPEN", "PAID", "BACK" };

typedef struct {
    bool exists;
    int region, clerk, hour, amount, state, code;
} sale_t;

typedef struct {
    sale_t sales[SALES];
    bool clerks[REGIONS][CLERKS];
} world_t;

/* --- what must be there */

static void
add_big(kappa_buf_t *buf, long n)
{
    if (n == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_buf_printf(buf, "\"%ld\"", n);
    }
}

static void
add_hour(kappa_buf_t *buf, int hour, int minute)
{
    kappa_buf_printf(buf, "\"2026-11-%02dT%02d:%02d:00.000Z\"",
        20 + hour / HOURS, 10 + hour % HOURS, minute);
}

static void
sale_json(const world_t *w, int n, kappa_buf_t *buf)
{
    const sale_t *s = &w->sales[n];

    if (!s->exists) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(
        buf, "{\"shop\":\"s%d\",\"no\":%d,\"region\":", n / NOS, n % NOS);
    add_id(buf, "r", s->region);
    KAPPA_BUF_LIT(buf, ",\"clerk\":");
    add_id(buf, "c", s->clerk);
    KAPPA_BUF_LIT(buf, ",\"at\":");
    add_hour(buf, s->hour, 7);
    kappa_buf_printf(buf,
        ",\"amount\":%d,\"state\":\"%s\",\"code\":", s->amount,
        states[s->state]);
    add_int(buf, s->code);
    KAPPA_BUF_LIT(buf, ",\"hour\":");
    add_hour(buf, s->hour, 0);
    kappa_buf_char(buf, '}');
}

typedef struct {
    int count;
    long total, all, best;
} sums_t;

static sums_t
sums_of(const world_t *w, int region, int clerk, int hour)
{
    sums_t sums = { .best = NIL };

    for (int i = 0; i < SALES; i++) {
        const sale_t *s = &w->sales[i];

        if (!s->exists || s->region != region
            || (clerk != NIL && s->clerk != clerk)
            || (hour != NIL && s->hour != hour)) {
            continue;
        }
        sums.count++;
        sums.all += s->amount;
        sums.total += s->state != BACK ? s->amount : 0;
        if (s->state == PAID && s->amount > sums.best) {
            sums.best = s->amount;
        }
    }
    return sums;
}

static void
clerk_json(const world_t *w, int n, kappa_buf_t *buf)
{
    int region = n / CLERKS, clerk = n % CLERKS;
    sums_t sums = sums_of(w, region, clerk, NIL);

    if (!w->clerks[region][clerk]) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(buf,
        "{\"region\":\"r%d\",\"clerk\":\"c%d\",\"sales\":%d,\"total\":\"%ld\""
        ",\"best\":",
        region, clerk, sums.count, sums.total);
    add_int(buf, sums.best);
    kappa_buf_char(buf, '}');
}

static void
hour_json(const world_t *w, int n, kappa_buf_t *buf)
{
    int region = n / (DAYS * HOURS), hour = n % (DAYS * HOURS);
    sums_t sums = sums_of(w, region, NIL, hour);

    if (!sums.count) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(buf, "{\"region\":\"r%d\",\"hour\":", region);
    add_hour(buf, hour, 0);
    kappa_buf_printf(buf,
        ",\"sales\":%d,\"amount\":\"%ld\",\"mean\":", sums.count, sums.all);
    kappa_json_double(buf, (double)sums.all / sums.count);
    kappa_buf_printf(
        buf, ",\"day\":\"2026-11-%02dT00:00:00.000Z\"}", 20 + hour / HOURS);
}

static void
day_json(const world_t *w, int n, kappa_buf_t *buf)
{
    int day = n / REGIONS, region = n % REGIONS, hours = 0, sales = 0;
    long peak = NIL, low = NIL;

    for (int i = 0; i < HOURS; i++) {
        sums_t sums = sums_of(w, region, NIL, day * HOURS + i);

        hours += sums.count > 0;
        sales += sums.count;
        if (sums.count && (peak == NIL || sums.all > peak)) {
            peak = sums.all;
        }
        if (sums.count > 1 && (low == NIL || sums.all < low)) {
            low = sums.all;
        }
    }
    if (!hours) {
        KAPPA_BUF_LIT(buf, "none");
        return;
    }
    kappa_buf_printf(buf,
        "{\"day\":\"2026-11-%02dT00:00:00.000Z\",\"region\":\"r%d\","
        "\"hours\":%d,\"sales\":\"%d\",\"peak\":",
        20 + day, region, hours, sales);
    add_big(buf, peak);
    KAPPA_BUF_LIT(buf, ",\"low\":");
    add_big(buf, low);
    kappa_buf_char(buf, '}');
}

static void
compare_one(views_t *v, const world_t *w, const char *view, const char *key,
    int n, void (*json)(const world_t *, int, kappa_buf_t *))
{
    kappa_buf_t want;

    kappa_buf_init(&want, &kappa_alloc_libc);
    json(w, n, &want);
    compare_row(v, view, key, &want);
    kappa_buf_release(&want);
}

static void
compare(views_t *v, const world_t *w)
{
    char key[64];

    for (int i = 0; i < SALES; i++) {
        snprintf(key, sizeof(key), "[\"s%d\",%d]", i / NOS, i % NOS);
        compare_one(v, w, "Sale", key, i, sale_json);
    }
    for (int i = 0; i < REGIONS * CLERKS; i++) {
        snprintf(
            key, sizeof(key), "[\"r%d\",\"c%d\"]", i / CLERKS, i % CLERKS);
        compare_one(v, w, "Clerk", key, i, clerk_json);
    }
    for (int i = 0; i < REGIONS * DAYS * HOURS; i++) {
        int hour = i % (DAYS * HOURS);

        snprintf(key, sizeof(key), "[\"r%d\",\"2026-11-%02dT%02d:00:00Z\"]",
            i / (DAYS * HOURS), 20 + hour / HOURS, 10 + hour % HOURS);
        compare_one(v, w, "Hour", key, i, hour_json);
    }
    for (int i = 0; i < DAYS * REGIONS; i++) {
        snprintf(key, sizeof(key), "[\"2026-11-%02dT00:00:00Z\",\"r%d\"]",
            20 + i / REGIONS, i % REGIONS);
        compare_one(v, w, "Day", key, i, day_json);
    }
}

/* Clerks of a region by what they sold; ties by key. */
static void
compare_list(views_t *v, const world_t *w, int region, bool descending)
{
    char query[128];
    kappa_buf_t want;
    read_fixture_t f = { .arena = v->arena, .model = v->model };
    bool taken[CLERKS] = { false };

    kappa_buf_init(&want, &kappa_alloc_libc);
    KAPPA_BUF_LIT(&want, "{\"data\":{\"clerks\":[");
    for (int i = 0, listed = 0; i < CLERKS; i++) {
        int best = NIL;
        long best_total = 0;

        for (int c = 0; c < CLERKS; c++) {
            int n = descending ? CLERKS - 1 - c : c;
            long total = sums_of(w, region, n, NIL).total;

            if (w->clerks[region][n] && !taken[n]
                && (best == NIL
                    || (descending ? total > best_total
                                   : total < best_total))) {
                best = n;
                best_total = total;
            }
        }
        if (best != NIL) {
            taken[best] = true;
            kappa_buf_printf(
                &want, "%s{\"clerk\":\"c%d\"}", listed++ ? "," : "", best);
        }
    }
    KAPPA_BUF_LIT(&want, "]}}");
    snprintf(query, sizeof(query),
        "{clerks(region:\"r%d\",orderBy:%s){clerk}}", region,
        descending ? "TOTAL_DESC" : "TOTAL");
    assert_int_equal(kappa_env_read(v->env, &f.txn), KAPPA_OK);
    assert_str_equal(kappa_str_c(ask(&f, query)),
        kappa_str_dup(v->arena, kappa_buf_view(&want)).data);
    kappa_txn_end(f.txn);
    kappa_buf_release(&want);
}

/* --- events */

static void
member(told_t *told, const char *format, int n)
{
    char text[64];

    snprintf(text, sizeof(text), format, n);
    if (told->data[1]) {
        strcat(told->data, ",");
    }
    strcat(told->data, text);
}

static void
fill_sale(sale_t *s, told_t *told, bool fresh)
{
    if (any(2)) {
        s->region = any(6) ? (int)any(REGIONS) : NIL;
        member(told,
            s->region == NIL ? "\"region\":null" : "\"region\":\"r%d\"",
            s->region);
    }
    if (any(2)) {
        s->clerk = any(6) ? (int)any(CLERKS) : NIL;
        member(told, s->clerk == NIL ? "\"clerk\":null" : "\"clerk\":\"c%d\"",
            s->clerk);
    }
    if (fresh || any(3) == 0) {
        s->hour = (int)any(DAYS * HOURS);
        member(told, "\"at\":\"2026-11-%02d", 20 + s->hour / HOURS);
        char text[32];
        snprintf(text, sizeof(text), "T%02d:07:00Z\"", 10 + s->hour % HOURS);
        strcat(told->data, text);
    }
    if (fresh || any(2)) {
        s->amount = (int)any(40) - 20;
        member(told, "\"amount\":%d", s->amount);
    }
    if (any(2)) {
        s->state = (int)any(3);
        char text[32];
        snprintf(text, sizeof(text), "\"state\":\"%s\"", states[s->state]);
        member(told, text, 0);
    }
    if (any(4) == 0) {
        s->code = any(4) ? (int)any(4) : NIL;
        member(
            told, s->code == NIL ? "\"code\":null" : "\"code\":%d", s->code);
    }
}

static const char *
tell_sale(world_t *w, told_t *told)
{
    int n = (int)any(SALES);
    sale_t *s = &w->sales[n];

    told->thing = "Sale";
    told->verb = "told";
    told->effect = any_effect();
    snprintf(told->key, sizeof(told->key), "[\"s%d\",%d]", n / NOS, n % NOS);
    const char *code = refusal(told->effect, s->exists);
    if (code) {
        return code;
    }
    if (told->effect == KAPPA_EFFECT_DELETE) {
        s->exists = false;
        return NULL;
    }
    bool fresh = !s->exists || told->effect == KAPPA_EFFECT_PUT;
    if (fresh) {
        *s = (sale_t){ true, NIL, NIL, 0, 0, OPEN, NIL };
    }
    fill_sale(s, told, fresh);
    for (int i = 0; i < SALES && s->code != NIL && s->region != NIL; i++) {
        if (i != n && w->sales[i].exists && w->sales[i].code == s->code
            && w->sales[i].region == s->region) {
            return "NOT_UNIQUE";
        }
    }
    return NULL;
}

static const char *
tell_refund(world_t *w, told_t *told)
{
    const char *code = NULL;

    told->thing = "Refund";
    told->verb = "done";
    told->effect = KAPPA_EFFECT_NONE;
    strcat(told->data, "\"sales\":[");
    for (uint32_t i = any(4); i > 0; i--) {
        int n = (int)any(SALES);
        char text[64];

        snprintf(text, sizeof(text), "{\"shop\":\"s%d\",\"no\":%d}%s", n / NOS,
            n % NOS, i > 1 ? "," : "");
        strcat(told->data, text);
        /* Without a row `if` is false: null is not PAID. */
        if (w->sales[n].exists && w->sales[n].state == PAID) {
            w->sales[n].state = BACK;
        }
    }
    strcat(told->data, "]");
    return code;
}

static const char *
tell(world_t *w, told_t *told)
{
    const char *code = NULL;

    strcpy(told->data, "{");
    switch (any(6)) {
    case 0: {
        int region = (int)any(REGIONS), clerk = (int)any(CLERKS);
        bool *is = &w->clerks[region][clerk];

        told->thing = "Clerk";
        told->verb = "told";
        told->effect = any(2) ? KAPPA_EFFECT_CREATE : KAPPA_EFFECT_DELETE;
        snprintf(
            told->key, sizeof(told->key), "[\"r%d\",\"c%d\"]", region, clerk);
        code = refusal(told->effect, *is);
        *is = told->effect == KAPPA_EFFECT_CREATE;
        break;
    }
    case 1:
        code = tell_refund(w, told);
        break;
    default:
        code = tell_sale(w, told);
    }
    strcat(told->data, "}");
    return code;
}

static void
live_on(views_t *v, uint32_t events)
{
    world_t world = { 0 };

    for (uint32_t i = 0; i < events; i++) {
        world_t after = world;
        told_t told = { 0 };
        const char *code = tell(&after, &told);

        v->now_ms += 1000;
        tell_views(v, &told, code);
        if (code == NULL) {
            world = after;
            compare(v, &world);
        }
        if (any(12) == 0) {
            views_commit(v);
            compare_list(v, &world, (int)any(REGIONS), any(2));
            views_begin(v);
        }
    }
}

static void
run(uint64_t seed, uint32_t events)
{
    views_t v;

    kappa_test_chance(seed);
    views_open(&v, schema);
    live_on(&v, events);
    views_replay_by(&v, 40);
    views_close(&v);
}

static void
histories_end_as_loops_say(void **state)
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
        cmocka_unit_test(histories_end_as_loops_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
