#ifndef KAPPA_VIEWS_MODEL_PRIVATE_H
#define KAPPA_VIEWS_MODEL_PRIVATE_H

#include "views/model.h"

/* Between the files that build a model: views/model_*.c. Each phase goes
 * through the whole schema, adds every error it finds to the builder, and
 * returns KAPPA_OK or KAPPA_NOMEM; the builder stops between phases when one
 * has refused something that the next would trip over. */

/* What an object type turned out to be. One thing only. */
typedef enum {
    KAPPA_ROLE_NONE = 0,
    KAPPA_ROLE_ROOT,
    KAPPA_ROLE_VIEW,
    KAPPA_ROLE_EMBEDDED,
    KAPPA_ROLE_CONNECTION,
    KAPPA_ROLE_EDGE,
    KAPPA_ROLE_PAGE_INFO,
    KAPPA_ROLE_PAYLOAD
} kappa_type_role_t;

typedef struct {
    kappa_arena_t *arena;
    kappa_schema_t *schema;
    kappa_model_t *model;
    kappa_errors_t *errors;
    uint32_t refused;           /* errors so far */
    kappa_type_role_t *roles;   /* by type number */
    const kappa_rows_t **rows;  /* by type number: of a view, an interface or
                                   a union with @view */
    const kappa_rows_t **nodes; /* by type number: of a connection, an edge */
    kappa_expr_type_t **types;  /* by type number; NULL: not made yet */
} kappa_model_builder_t;

/* ---- model_directive.c: reading directives, refusing ---- */

/* Adds an error at a place; returns KAPPA_OK, or KAPPA_NOMEM. */
kappa_status_t kappa_model_refuse(kappa_model_builder_t *b,
    const kappa_source_t *source, uint32_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The application of a directive, or NULL. */
const kappa_directive_node_t *kappa_model_directive(
    const kappa_directive_node_t *list, const char *name);

/* Arguments as the schema's builder has checked them; absent: data NULL,
 * count 0, or what kappa.graphql says. */
kappa_str_t kappa_model_text(
    const kappa_directive_node_t *node, const char *arg);
bool kappa_model_flag(const kappa_directive_node_t *node, const char *arg);
kappa_status_t kappa_model_names(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const char *arg, kappa_str_t **names,
    uint32_t *count);
/* Where an argument's value starts; the directive when it is absent. */
uint32_t kappa_model_arg_offset(
    const kappa_directive_node_t *node, const char *arg);
/* The n-th literal of a list argument (or the single one in its place). */
const kappa_literal_t *kappa_model_item(
    const kappa_directive_node_t *node, const char *arg, uint32_t n);

/* ---- model_place.c: whether directives stand where they mean something,
 * with arguments of the right types ---- */

kappa_status_t kappa_model_check_places(kappa_model_builder_t *b);

/* ---- model_public.c: whether what is left without @internal is a schema
 * ---- */

kappa_status_t kappa_model_public(kappa_model_builder_t *b);

/* ---- model_type.c: what types are, and bindings ---- */

kappa_status_t kappa_model_types_init(kappa_model_builder_t *b);

/* The view of an object type, or NULL. */
kappa_view_t *kappa_model_view_of(
    kappa_model_builder_t *b, const kappa_type_t *type);

/* The rows that a type stands for: a view's, or those of the members of an
 * interface or a union with @view. NULL: none. */
const kappa_rows_t *kappa_model_rows_of(
    const kappa_model_builder_t *b, const kappa_type_t *type);

/* Gives a type its role; refuses at the place when it has another. */
kappa_status_t kappa_model_take_role(kappa_model_builder_t *b,
    const kappa_type_t *type, kappa_type_role_t role, const char *what,
    const kappa_source_t *source, uint32_t offset, bool *fresh);

/* A new binding on a field. NULL: no memory. */
kappa_field_binding_t *kappa_model_bind(kappa_model_builder_t *b,
    const kappa_field_t *field, kappa_bind_t kind, const void *data);

bool kappa_model_ref_is_list(const kappa_type_ref_t *ref);
bool kappa_model_ref_is_nested(const kappa_type_ref_t *ref); /* [[T]] */
bool kappa_model_ref_is_required(const kappa_type_ref_t *ref);
kappa_column_kind_t kappa_model_ref_kind(const kappa_type_ref_t *ref);
/* Whether a key, filter or `by` of one type may hold what the other has. */
bool kappa_model_ref_same(
    const kappa_type_ref_t *a, const kappa_type_ref_t *b);

/* Binds the fields of a stored field's object types: they are in its JSON. */
kappa_status_t kappa_model_embed(
    kappa_model_builder_t *b, const kappa_field_t *field);

/* ---- model_connection.c ---- */

/* The rows behind a list or connection type; *rows NULL: it is neither, and
 * nothing was refused. */
kappa_status_t kappa_model_many(kappa_model_builder_t *b,
    const kappa_field_t *field, const kappa_rows_t **rows, bool *connection);

/* ---- model_view.c ---- */

kappa_status_t kappa_model_views(kappa_model_builder_t *b);
/* A type's rows, of up to `max` views, which are to be put in. */
kappa_rows_t *kappa_model_new_rows(
    kappa_model_builder_t *b, const kappa_type_t *type, uint32_t max);
/* Adds a field's column and binds it. */
kappa_status_t kappa_model_add_column(kappa_model_builder_t *b,
    kappa_view_t *view, const kappa_field_t *field, bool aggregate);

/* ---- model_enum.c ---- */

kappa_status_t kappa_model_enums(kappa_model_builder_t *b);

/* ---- model_family.c: interfaces and unions with @view ---- */

/* Whether a type is one: an interface or a union with @view. */
bool kappa_model_is_family(const kappa_type_t *type);
/* Notes one, before its members' keys are known. */
kappa_status_t kappa_model_add_family(
    kappa_model_builder_t *b, const kappa_type_t *type);
/* Fills in their members, once keys are known. */
kappa_status_t kappa_model_families(kappa_model_builder_t *b);
/* Fills rows->row_type and columns: the fields that all views store, but for
 * computed ones, which are found out later. */
kappa_status_t kappa_model_family_row_type(
    kappa_model_builder_t *b, kappa_rows_t *rows);
/* Refuses a field whose rows would be of an interface or a union that is no
 * view. *said: it was. */
kappa_status_t kappa_model_refuse_abstract(
    kappa_model_builder_t *b, const kappa_field_t *field, bool *said);

/* ---- model_index.c ---- */

kappa_status_t kappa_model_keys(kappa_model_builder_t *b);
/* Once all columns are known. */
kappa_status_t kappa_model_indexes(kappa_model_builder_t *b);
/* -1: none. */
int32_t kappa_model_column(const kappa_view_t *view, kappa_str_t name);
/* The columns that a list argument of a directive names, refusing what is
 * none. *count is 0 if something was refused. */
kappa_status_t kappa_model_columns(kappa_model_builder_t *b,
    const kappa_view_t *view, const kappa_directive_node_t *node,
    const char *arg, uint32_t **columns, uint32_t *count);
/* Whether `by` of one view can hold the key of another; refuses. */
kappa_status_t kappa_model_check_by(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_view_t *holder,
    const uint32_t *by, uint32_t count, const kappa_view_t *owner, bool *ok);
/* Refuses a name that is no view, with the nearest ones. */
kappa_status_t kappa_model_named_view(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const char *arg, kappa_view_t **out);

/* ---- model_expr.c ---- */

/* Types of rows and lookups, once keys are known; and again of one view when
 * a column was added. */
kappa_status_t kappa_model_row_types(kappa_model_builder_t *b);
kappa_status_t kappa_model_row_type(
    kappa_model_builder_t *b, kappa_view_t *view);

/* A scope in which nothing but constants may be read, to be filled. */
kappa_expr_scope_t kappa_model_scope(const char *place);
/* Adds auth and now. */
void kappa_model_scope_caller(kappa_expr_scope_t *scope);
/* Allows lookups. */
void kappa_model_scope_lookups(
    const kappa_model_builder_t *b, kappa_expr_scope_t *scope);

/* The type of values of a GraphQL type. NULL: no memory. */
const kappa_expr_type_t *kappa_model_expr_type(
    kappa_model_builder_t *b, const kappa_type_ref_t *ref);
/* As it is when it may be left out or null: the same. An object of a field's
 * arguments, named args. NULL: no memory. */
const kappa_expr_type_t *kappa_model_args_type(
    kappa_model_builder_t *b, const kappa_field_t *field);

/* Compiles the text of a literal; *out NULL when it was refused. */
kappa_status_t kappa_model_compile(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_literal_t *literal,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    const kappa_expr_t **out);
/* The text of a directive's argument. */
kappa_status_t kappa_model_compile_arg(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const char *arg,
    const kappa_expr_scope_t *scope, const kappa_expr_type_t *expected,
    const kappa_expr_t **out);
/* As above, for a text within a literal, `skip` bytes behind its start. */
kappa_status_t kappa_model_compile_text(kappa_model_builder_t *b,
    const kappa_directive_node_t *node, const kappa_literal_t *literal,
    kappa_str_t text, size_t skip, const kappa_expr_scope_t *scope,
    const kappa_expr_type_t *expected, const kappa_expr_t **out);

/* ---- model_computed.c ---- */

kappa_status_t kappa_model_computed(kappa_model_builder_t *b);

/* ---- model_column.c: @stamp, @default, @allow of views and fields, @check
 * of views ---- */

kappa_status_t kappa_model_column_rules(kappa_model_builder_t *b);

/* @allow of fields, once links are bound. */
kappa_status_t kappa_model_field_rules(kappa_model_builder_t *b);

/* ---- model_link.c ---- */

kappa_status_t kappa_model_links(kappa_model_builder_t *b);

/* ---- model_aggregate.c, model_group.c ---- */

kappa_status_t kappa_model_groups(kappa_model_builder_t *b);
kappa_status_t kappa_model_aggregates(kappa_model_builder_t *b);
/* Refuses cycles; puts sources before what they feed. */
kappa_status_t kappa_model_order_aggregates(kappa_model_builder_t *b);

/* ---- model_event.c, model_on.c ---- */

kappa_status_t kappa_model_events(kappa_model_builder_t *b);

/* ---- model_check.c, model_mutation.c ---- */

kappa_status_t kappa_model_mutation(
    kappa_model_builder_t *b, const kappa_field_t *field);
/* Fills stamps of a field's arguments. */
kappa_status_t kappa_model_arg_stamps(kappa_model_builder_t *b,
    const kappa_field_t *field, kappa_arg_stamp_t **stamps, uint32_t *count);
/* Appends the @checks of a list to *checks. */
kappa_status_t kappa_model_checks(kappa_model_builder_t *b,
    const kappa_directive_node_t *list, const kappa_expr_scope_t *scope,
    int32_t arg, kappa_check_t **checks);

/* ---- model_fit.c ---- */

/* Whether an argument of one type can be stored in a field of another: an
 * input object whose fields all fit an embedded object's is fine. */
bool kappa_model_ref_fits(
    const kappa_type_ref_t *from, const kappa_type_ref_t *to);

/* ---- model_input.c ---- */

/* @checks on fields of input objects. */
kappa_status_t kappa_model_inputs(kappa_model_builder_t *b);
/* Appends the @checks of an argument and of what is in it. */
kappa_status_t kappa_model_input_checks(kappa_model_builder_t *b,
    const kappa_input_t *arg, kappa_check_t **checks);

/* ---- model_list.c ---- */

/* A list for each view of the rows, chained by next. NULL: no memory. */
kappa_list_t *kappa_model_new_list(
    kappa_model_builder_t *b, const kappa_rows_t *rows);

/* What the arguments of a list mean, and the index for every combination of
 * them. by and by_parent are set, of all in the chain. */
kappa_status_t kappa_model_list(
    kappa_model_builder_t *b, const kappa_field_t *field, kappa_list_t *list);

/* ---- model_root.c ---- */

kappa_status_t kappa_model_roots(kappa_model_builder_t *b);

#endif
