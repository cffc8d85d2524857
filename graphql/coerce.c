#include "graphql/coerce_private.h"

#include "base/json.h"

/* The way from the whole value to the part being coerced. */
typedef struct path_s {
    const struct path_s *parent;
    kappa_str_t name; /* data NULL: an index */
    uint32_t index;
    unsigned depth;
} path_t;

typedef struct {
    kappa_arena_t *arena;
    kappa_errors_t *errors;
    kappa_str_t what;
    kappa_str_t root; /* what paths begin with: the variable's name */
    bool failed;
} coercion_t;

static kappa_status_t coerce(coercion_t *c, const path_t *path,
    const kappa_value_t *in, const kappa_type_ref_t *type, kappa_value_t *out);

/* Enough of a value to know it by, however large it is. */
static void
show(kappa_buf_t *buf, const kappa_value_t *v)
{
    if (v->kind == KAPPA_LIST) {
        kappa_buf_printf(buf, "a list of %u", v->count);
    } else if (v->kind == KAPPA_OBJECT) {
        KAPPA_BUF_LIT(buf, "{ ");
        for (uint32_t i = 0; i < v->count; i++) {
            kappa_str_t name = v->as.members[i].name;

            if (i > 0) {
                KAPPA_BUF_LIT(buf, ", ");
            }
            if (buf->len + name.len > KAPPA_COERCE_SHOWN_MAX) {
                KAPPA_BUF_LIT(buf, "…");
                break;
            }
            kappa_buf_str(buf, name);
        }
        KAPPA_BUF_LIT(buf, " }");
    } else if (v->kind == KAPPA_STRING
        && v->as.string.len > KAPPA_COERCE_SHOWN_MAX) {
        kappa_str_t head =
            kappa_str(v->as.string.data, KAPPA_COERCE_SHOWN_MAX);

        head.len = kappa_utf8_valid(head);
        kappa_json_string(buf, head);
        KAPPA_BUF_LIT(buf, "…");
    } else {
        kappa_json_value(buf, v);
    }
}

static void
show_path(kappa_buf_t *buf, const path_t *path, kappa_str_t root)
{
    if (path == NULL) {
        kappa_buf_str(buf, root);
        return;
    }
    show_path(buf, path->parent, root);
    if (path->name.data == NULL) {
        kappa_buf_printf(buf, "[%u]", path->index);
        return;
    }
    if (buf->len > 0) {
        kappa_buf_char(buf, '.');
    }
    kappa_buf_str(buf, path->name);
}

/* `WHAT got invalid value VALUE at "PATH"; COMPLAINT` */
static kappa_status_t
refuse(coercion_t *c, const path_t *path, const kappa_value_t *in,
    kappa_str_t complaint)
{
    kappa_buf_t value, at;

    c->failed = true;
    if (c->errors == NULL) {
        return KAPPA_OK;
    }
    kappa_buf_init(&value, kappa_arena_source(c->arena));
    kappa_buf_init(&at, kappa_arena_source(c->arena));
    show(&value, in);
    if (path != NULL) {
        show_path(&at, path, c->root);
    }
    kappa_errors_add(c->errors, "BAD_USER_INPUT",
        "%.*s got invalid value %.*s%s%.*s%s; %.*s", KAPPA_STR_ARG(c->what),
        KAPPA_STR_ARG(kappa_buf_view(&value)), path ? " at \"" : "",
        KAPPA_STR_ARG(kappa_buf_view(&at)), path ? "\"" : "",
        KAPPA_STR_ARG(complaint));
    bool no_memory = value.failed || at.failed || c->errors->no_memory;
    kappa_buf_release(&value);
    kappa_buf_release(&at);
    return no_memory ? KAPPA_NOMEM : KAPPA_OK;
}

/* As refuse, with the complaint made by printf. */
static kappa_status_t __attribute__((format(printf, 4, 5)))
refuse_as(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kappa_str_t complaint = kappa_str_vprintf(c->arena, format, args);
    va_end(args);
    return complaint.data ? refuse(c, path, in, complaint) : KAPPA_NOMEM;
}

static kappa_status_t
coerce_scalar(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_t *type, kappa_value_t *out)
{
    const char *complaint = "";
    kappa_status_t status =
        kappa_coerce_scalar_value(c->arena, type, in, out, &complaint);

    if (status != KAPPA_INVALID) {
        return status;
    }
    kappa_buf_t value;
    kappa_buf_init(&value, kappa_arena_source(c->arena));
    show(&value, in);
    status = value.failed ? KAPPA_NOMEM
                          : refuse_as(c, path, in, "%s%.*s", complaint,
                              KAPPA_STR_ARG(kappa_buf_view(&value)));
    kappa_buf_release(&value);
    return status;
}

static kappa_status_t
coerce_enum(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_t *type, kappa_value_t *out)
{
    if (in->kind != KAPPA_STRING) {
        return refuse_as(c, path, in,
            "Enum \"%.*s\" cannot represent a value that is not a string.",
            KAPPA_STR_ARG(type->name));
    }
    const kappa_enum_value_t *value = kappa_coerce_enum(type, in->as.string);
    if (value == NULL) {
        kappa_str_t suggestion =
            kappa_coerce_suggest(c->arena, type, in->as.string);

        return suggestion.data == NULL
            ? KAPPA_NOMEM
            : refuse_as(c, path, in,
                "The value does not exist in enum \"%.*s\".%.*s",
                KAPPA_STR_ARG(type->name), KAPPA_STR_ARG(suggestion));
    }
    *out = kappa_string(value->name);
    return KAPPA_OK;
}

static kappa_status_t
check_names(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_t *type)
{
    for (uint32_t i = 0; i < in->count; i++) {
        kappa_str_t name = in->as.members[i].name;
        const kappa_input_t *input = kappa_map_get(&type->input_map, name);

        if (input != NULL && !input->hidden) {
            continue;
        }
        if (c->errors != NULL && c->errors->more) {
            c->failed = true;
            return KAPPA_OK;
        }
        kappa_str_t suggestion = kappa_coerce_suggest(c->arena, type, name);
        if (suggestion.data == NULL) {
            return KAPPA_NOMEM;
        }
        if (name.len > KAPPA_COERCE_SHOWN_MAX) {
            name.len = KAPPA_COERCE_SHOWN_MAX;
            name.len = kappa_utf8_valid(name);
        }
        kappa_status_t status = refuse_as(c, path, in,
            "Field \"%.*s\" is not defined by type \"%.*s\".%.*s",
            KAPPA_STR_ARG(name), KAPPA_STR_ARG(type->name),
            KAPPA_STR_ARG(suggestion));
        if (status != KAPPA_OK) {
            return status;
        }
    }
    return KAPPA_OK;
}

static kappa_status_t
check_one_of(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_t *type)
{
    if (!type->one_of) {
        return KAPPA_OK;
    }
    if (in->count != 1) {
        return refuse_as(c, path, in,
            "Exactly one key must be specified for OneOf type \"%.*s\".",
            KAPPA_STR_ARG(type->name));
    }
    if (kappa_is_null(&in->as.members[0].value)) {
        return refuse_as(c, path, in, "Field \"%.*s\" must be non-null.",
            KAPPA_STR_ARG(in->as.members[0].name));
    }
    return KAPPA_OK;
}

/* One field of an input object; *out UNSET: absent. */
static kappa_status_t
coerce_field(coercion_t *c, const path_t *path, const kappa_value_t *object,
    const kappa_input_t *input, kappa_value_t *out)
{
    const kappa_value_t *in = kappa_value_member(object, input->name);

    *out = (kappa_value_t){ 0 };
    if (input->hidden) {
        return KAPPA_OK;
    }
    if (in == NULL || in->kind == KAPPA_UNSET) {
        if (input->default_value.kind == KAPPA_UNSET
            && input->type->kind == KAPPA_REF_NON_NULL) {
            kappa_str_t type = kappa_type_ref_print(c->arena, input->type);

            return type.data == NULL
                ? KAPPA_NOMEM
                : refuse_as(c, path, object,
                    "Field \"%.*s\" of required type \"%.*s\" was not "
                    "provided.",
                    KAPPA_STR_ARG(input->name), KAPPA_STR_ARG(type));
        }
        *out = input->default_value;
        return KAPPA_OK;
    }
    path_t below = { .parent = path,
        .name = input->name,
        .depth = path ? path->depth + 1 : 1 };
    return coerce(c, &below, in, input->type, out);
}

static kappa_status_t
coerce_object(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_t *type, kappa_value_t *out)
{
    if (in->kind != KAPPA_OBJECT) {
        return refuse_as(c, path, in,
            "Expected type \"%.*s\" to be an object.",
            KAPPA_STR_ARG(type->name));
    }
    kappa_member_t *members =
        KAPPA_NEW_ARRAY(c->arena, kappa_member_t, type->input_count);
    uint32_t count = 0;

    if (members == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < type->input_count; i++) {
        kappa_member_t *member = &members[count];
        kappa_status_t status =
            coerce_field(c, path, in, &type->inputs[i], &member->value);

        if (status != KAPPA_OK) {
            return status;
        }
        member->name = type->inputs[i].name;
        count += member->value.kind != KAPPA_UNSET;
    }
    *out = (kappa_value_t){
        .kind = KAPPA_OBJECT, .count = count, .as.members = members
    };
    kappa_status_t status = check_names(c, path, in, type);
    return status == KAPPA_OK ? check_one_of(c, path, in, type) : status;
}

static kappa_status_t
coerce_list(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_ref_t *item, kappa_value_t *out)
{
    bool is_list = in->kind == KAPPA_LIST;
    uint32_t count = is_list ? in->count : 1;
    kappa_value_t *items = KAPPA_NEW_ARRAY(c->arena, kappa_value_t, count);

    if (items == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        path_t below = {
            .parent = path, .index = i, .depth = path ? path->depth + 1 : 1
        };
        kappa_status_t status = is_list
            ? coerce(c, &below, &in->as.items[i], item, &items[i])
            : coerce(c, path, in, item, &items[i]);

        if (status != KAPPA_OK) {
            return status;
        }
        if (c->failed && c->errors != NULL && c->errors->more) {
            break;
        }
    }
    *out = (kappa_value_t){
        .kind = KAPPA_LIST, .count = count, .as.items = items
    };
    return KAPPA_OK;
}

static kappa_status_t
coerce(coercion_t *c, const path_t *path, const kappa_value_t *in,
    const kappa_type_ref_t *type, kappa_value_t *out)
{
    if (path != NULL && path->depth > KAPPA_COERCE_DEPTH_MAX) {
        return refuse(c, NULL, in, KAPPA_STR("It is nested too deeply."));
    }
    if (kappa_is_null(in)) {
        if (type->kind == KAPPA_REF_NON_NULL) {
            kappa_str_t name = kappa_type_ref_print(c->arena, type);

            return name.data == NULL
                ? KAPPA_NOMEM
                : refuse_as(c, path, in,
                    "Expected non-nullable type \"%.*s\" not to be null.",
                    KAPPA_STR_ARG(name));
        }
        *out = kappa_null();
        return KAPPA_OK;
    }
    if (type->kind == KAPPA_REF_NON_NULL) {
        type = type->of;
    }
    if (type->kind == KAPPA_REF_LIST) {
        return coerce_list(c, path, in, type->of, out);
    }
    switch (type->named->kind) {
    case KAPPA_TYPE_ENUM:
        return coerce_enum(c, path, in, type->named, out);
    case KAPPA_TYPE_INPUT_OBJECT:
        return coerce_object(c, path, in, type->named, out);
    default:
        return coerce_scalar(c, path, in, type->named, out);
    }
}

/* "x" of `Variable "$x"`. */
static kappa_str_t
variable_name(kappa_str_t what)
{
    kappa_str_t before = KAPPA_STR("Variable \"$");

    return kappa_str_starts_with(what, before)
        ? kappa_str(what.data + before.len, what.len - before.len - 1)
        : KAPPA_STR("");
}

kappa_status_t
kappa_coerce_value(kappa_arena_t *arena, const kappa_value_t *json,
    const kappa_type_ref_t *type, kappa_str_t what, kappa_value_t *out,
    kappa_errors_t *errors)
{
    coercion_t c = { .arena = arena,
        .errors = errors,
        .what = what,
        .root = variable_name(what) };
    kappa_value_t value = { 0 };
    kappa_status_t status = coerce(&c, NULL, json, type, &value);

    if (status != KAPPA_OK) {
        return status;
    }
    if (c.failed) {
        return KAPPA_INVALID;
    }
    *out = value;
    return KAPPA_OK;
}
