#include "t/unit/expr_world.h"

#include "base/json.h"
#include "base/time.h"

#define N(text)                                                               \
    {                                                                         \
        text, sizeof(text) - 1                                                \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const kappa_str_t kinds[] = { N("INSTALLED"), N("REMOVED"),
    N("BROKEN") };

const kappa_expr_type_t kappa_world_kind = {
    .kind = KAPPA_EXPR_ENUM,
    .name = N("Kind"),
    .values = kinds,
    .value_count = COUNT(kinds),
};

static const kappa_expr_type_t info;

static const kappa_expr_type_t times = {
    .kind = KAPPA_EXPR_LIST,
    .item = &kappa_expr_time,
};

static const kappa_expr_member_t info_members[] = {
    { N("a"), &kappa_expr_int, 0 },
    { N("nested"), &info, 1 },
    { N("ratio"), &kappa_expr_double, 2 },
    { N("big"), &kappa_expr_int, 3 },
    { N("times"), &times, 4 },
};

static const kappa_expr_type_t info = {
    .kind = KAPPA_EXPR_OBJECT,
    .name = N("Info"),
    .members = info_members,
    .member_count = COUNT(info_members),
};

static const kappa_expr_member_t package_members[] = {
    { N("name"), &kappa_expr_string, 0 },
    { N("size"), &kappa_expr_int, 1 },
    { N("price"), &kappa_expr_double, 2 },
    { N("at"), &kappa_expr_time, 3 },
    { N("kind"), &kappa_world_kind, 4 },
    { N("tags"), &kappa_expr_string_list, 5 },
    { N("section"), &kappa_expr_string, 6 },
    { N("info"), &info, 7 },
    { N("json"), &kappa_expr_dyn, 8 },
    { N("missing"), &kappa_expr_int, 9 },
    { N("flag"), &kappa_expr_bool, 10 },
};

static const kappa_expr_type_t package = {
    .kind = KAPPA_EXPR_ROW,
    .name = N("Package"),
    .members = package_members,
    .member_count = COUNT(package_members),
};

static const kappa_expr_member_t member_members[] = {
    { N("room"), &kappa_expr_string, 0 },
    { N("who"), &kappa_expr_string, 1 },
    { N("rank"), &kappa_expr_int, 2 },
};

static const kappa_expr_type_t member = {
    .kind = KAPPA_EXPR_ROW,
    .name = N("Member"),
    .members = member_members,
    .member_count = COUNT(member_members),
};

static const kappa_expr_member_t args_members[] = {
    { N("package"), &kappa_expr_string, 0 },
    { N("count"), &kappa_expr_int, 1 },
    { N("kind"), &kappa_world_kind, 2 },
    { N("absent"), &kappa_expr_int, 3 },
};

static const kappa_expr_type_t args = {
    .kind = KAPPA_EXPR_OBJECT,
    .name = N("args"),
    .members = args_members,
    .member_count = COUNT(args_members),
};

static const kappa_expr_type_t key_list = {
    .kind = KAPPA_EXPR_LIST,
    .item = &kappa_expr_dyn,
};

static const kappa_expr_member_t event_members[] = {
    { N("data"), &args, KAPPA_EVENT_DATA },
    { N("key"), &key_list, KAPPA_EVENT_KEY },
    { N("time"), &kappa_expr_time, KAPPA_EVENT_TIME },
    { N("actor"), &kappa_expr_actor, KAPPA_EVENT_ACTOR },
    { N("id"), &kappa_expr_string, KAPPA_EVENT_ID },
};

static const kappa_expr_type_t event = {
    .kind = KAPPA_EXPR_OBJECT,
    .name = N("event"),
    .members = event_members,
    .member_count = COUNT(event_members),
};

static const kappa_expr_type_t *const package_key[] = { &kappa_expr_string };
static const kappa_expr_type_t *const member_key[] = { &kappa_expr_string,
    &kappa_expr_string };

static const kappa_expr_view_t views[] = {
    { N("Package"), &package, package_key, 1, NULL },
    { N("Member"), &member, member_key, 2, NULL },
};

const kappa_expr_scope_t kappa_world_scope = {
    .place = "a test",
    .roots = {
        [KAPPA_ROOT_ROW] = &package,
        [KAPPA_ROOT_OLD] = &package,
        [KAPPA_ROOT_ARGS] = &args,
        [KAPPA_ROOT_VALUE] = &kappa_expr_int,
        [KAPPA_ROOT_AUTH] = &kappa_expr_auth,
        [KAPPA_ROOT_NOW] = &kappa_expr_time,
        [KAPPA_ROOT_EVENT] = &event,
        [KAPPA_ROOT_ITEM] = &info,
    },
    .views = views,
    .view_count = COUNT(views),
};

const kappa_expr_scope_t kappa_world_row_scope = {
    .place = "where",
    .roots = { [KAPPA_ROOT_ROW] = &package },
};

static kappa_status_t
parse(kappa_arena_t *arena, const char *text, kappa_value_t *out)
{
    return kappa_json_parse(arena, kappa_str_c(text), out, NULL);
}

kappa_status_t
kappa_world_init(kappa_world_t *world, kappa_arena_t *arena)
{
    const struct {
        const char *text;
        kappa_value_t *out;
    } data[] = {
        { "{\"name\":\"bash\",\"size\":7000,\"price\":2.5,"
          "\"at\":\"2026-11-20T10:25:30.123Z\",\"kind\":\"INSTALLED\","
          "\"tags\":[\"shell\",\"gnu\"],\"section\":\"shells\","
          "\"info\":{\"a\":1,\"nested\":{\"nested\":null,\"a\":2}},"
          "\"json\":{\"n\":1,\"x\":2.0,\"s\":\"t\",\"l\":[1,\"b\",null],"
          "\"o\":{\"p\":true},\"at\":\"2026-11-20T00:00:00Z\"},"
          "\"missing\":null,\"flag\":true}",
            &world->row },
        { "null", &world->old },
        { "{\"package\":\"bash\",\"count\":3,\"kind\":\"BROKEN\","
          "\"absent\":null}",
            &world->args },
        { "{\"sub\":\"alice\",\"iss\":\"https://i\",\"roles\":[\"admin\","
          "\"dev\"],\"scopes\":[],\"claims\":{\"tenant\":\"t1\","
          "\"deep\":{\"x\":5}}}",
            &world->auth },
        { "{\"data\":{\"package\":\"zsh\",\"count\":null,"
          "\"kind\":\"REMOVED\"},\"key\":[\"zsh\",4],"
          "\"time\":\"2026-01-02T03:04:05Z\","
          "\"actor\":{\"iss\":null,\"sub\":\"bob\"},\"id\":\"e1\"}",
            &world->event },
        { "{\"a\":10,\"nested\":null,\"ratio\":5,\"big\":\"12\","
          "\"times\":[\"2026-11-20T10:25:30.123Z\",null]}",
            &world->item },
    };

    *world = (kappa_world_t){ .now = INT64_C(1795170331123),
        .value = kappa_int(42) };
    for (size_t i = 0; i < COUNT(data); i++) {
        kappa_status_t status = parse(arena, data[i].text, data[i].out);

        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

/* By name of the type's member with that number; times are read. */
static void
get(const kappa_expr_type_t *type, const kappa_value_t *object,
    uint32_t number, kappa_value_t *out)
{
    for (uint32_t i = 0; i < type->member_count; i++) {
        const kappa_expr_member_t *m = &type->members[i];
        int64_t ms;

        if (m->number != number) {
            continue;
        }
        const kappa_value_t *found = kappa_value_member(object, m->name);
        *out = found ? *found : (kappa_value_t){ 0 };
        if (m->type->kind == KAPPA_EXPR_TIME && out->kind == KAPPA_STRING
            && kappa_time_parse(out->as.string, &ms)) {
            *out = kappa_time(ms);
        } else if (out->kind == KAPPA_INT && kappa_str_eq_c(m->name, "size")) {
            *out = kappa_bigint(out->as.integer);
        }
        return;
    }
}

static kappa_status_t
root(void *ctx, kappa_arena_t *scratch, kappa_expr_root_t which,
    kappa_value_t *out)
{
    kappa_world_t *world = ctx;

    (void)scratch;
    world->calls++;
    if (which == KAPPA_ROOT_ROW || which == KAPPA_ROOT_OLD) {
        const kappa_value_t *row =
            which == KAPPA_ROOT_ROW ? &world->row : &world->old;

        *out = kappa_is_null(row)
            ? kappa_null()
            : (kappa_value_t){ .kind = KAPPA_ROW, .as.row = row };
    } else {
        *out = which == KAPPA_ROOT_VALUE ? world->value
            : which == KAPPA_ROOT_NOW    ? kappa_time(world->now)
            : which == KAPPA_ROOT_ITEM   ? world->item
                                         : world->args;
    }
    return world->fails;
}

static kappa_status_t
read_member(void *ctx, kappa_arena_t *scratch, kappa_expr_root_t which,
    uint32_t number, kappa_value_t *out)
{
    kappa_world_t *world = ctx;
    const kappa_value_t *object = which == KAPPA_ROOT_ARGS ? &world->args
        : which == KAPPA_ROOT_AUTH                         ? &world->auth
                                                           : &world->event;

    (void)scratch;
    world->calls++;
    get(kappa_world_scope.roots[which], object, number, out);
    return world->fails;
}

static kappa_status_t
column(void *ctx, kappa_arena_t *scratch, const kappa_expr_type_t *type,
    const void *row, uint32_t number, kappa_value_t *out)
{
    kappa_world_t *world = ctx;

    (void)scratch;
    world->calls++;
    get(type, row, number, out);
    return world->fails;
}

static kappa_status_t
lookup(void *ctx, kappa_arena_t *scratch, const kappa_expr_view_t *view,
    const kappa_value_t *keys, uint32_t count, kappa_value_t *out)
{
    static const kappa_member_t members[] = {
        { N("room"), { .kind = KAPPA_STRING, .as.string = N("kitchen") } },
        { N("who"), { .kind = KAPPA_STRING, .as.string = N("alice") } },
        { N("rank"), { .kind = KAPPA_INT, .as.integer = 9 } },
    };
    static const kappa_value_t alice = {
        .kind = KAPPA_OBJECT, .count = COUNT(members), .as.members = members
    };
    kappa_world_t *world = ctx;

    (void)scratch;
    world->calls++;
    *out = kappa_null();
    if (view == &views[0] && count == 1
        && kappa_str_eq_c(keys[0].as.string, "bash")) {
        *out = (kappa_value_t){ .kind = KAPPA_ROW, .as.row = &world->row };
    } else if (view == &views[1] && count == 2
        && kappa_str_eq_c(keys[0].as.string, "kitchen")
        && kappa_str_eq_c(keys[1].as.string, "alice")) {
        *out = (kappa_value_t){ .kind = KAPPA_ROW, .as.row = &alice };
    }
    return world->fails;
}

kappa_expr_env_t
kappa_world_env(kappa_world_t *world)
{
    return (kappa_expr_env_t){ world, root, read_member, column, lookup };
}
