#ifndef KAPPA_GRAPHQL_DATA_H
#define KAPPA_GRAPHQL_DATA_H

#include "base/buf.h"
#include "graphql/schema.h"

/* Where execution gets its data: the seam between GraphQL and the views.
 * A binding on each field says what shape its data has; the ops of a
 * kappa_data_t fetch it. Executing knows nothing of keys and indexes, the
 * data source knows nothing of selections. */

typedef enum {
    KAPPA_BIND_COLUMN, /* stored with the row as JSON: its bytes are copied.
                          A composite field type selects inside that JSON by
                          field name */
    KAPPA_BIND_VALUE,  /* evaluated when read: ops->value gives JSON */
    KAPPA_BIND_ONE,    /* a row or null: ops->one */
    KAPPA_BIND_LIST,   /* rows as a list: ops->list */
    KAPPA_BIND_CONNECTION, /* rows as a Relay connection: ops->list; the
                              fields of its type are bound as follows */
    KAPPA_BIND_EDGES,
    KAPPA_BIND_NODES,
    KAPPA_BIND_PAGE_INFO,
    KAPPA_BIND_TOTAL_COUNT,
    KAPPA_BIND_EDGE_NODE,
    KAPPA_BIND_EDGE_CURSOR,
    KAPPA_BIND_HAS_NEXT_PAGE,
    KAPPA_BIND_HAS_PREVIOUS_PAGE,
    KAPPA_BIND_START_CURSOR,
    KAPPA_BIND_END_CURSOR,
    KAPPA_BIND_MUTATION, /* ops->mutate; its type is a row's or a payload,
                            whose fields are bound as follows or as COLUMN… of
                            the row's type */
    KAPPA_BIND_PAYLOAD_ROW,
    KAPPA_BIND_PAYLOAD_POSITION,
    KAPPA_BIND_PAYLOAD_DUPLICATE,
    KAPPA_BIND_PAYLOAD_EVENT,
    KAPPA_BIND_CHANGES /* subscription: events, one `ops->one` each */
} kappa_bind_t;

typedef struct kappa_binding_s {
    kappa_bind_t kind;
    uint32_t column;  /* COLUMN: its number in rows */
    bool rule;        /* COLUMN, VALUE, ONE, LIST: an @allow stands on the
                         field: ask ops->allowed first; false gives null and
                         a FORBIDDEN error */
    bool json;        /* CHANGES: the row is a JSON object, whose members are
                         the fields */
    const void *data; /* the data source's own */
} kappa_binding_t;

/* A row in the data source's memory: valid until the source moves on (the
 * end of its snapshot). */
typedef struct {
    const uint8_t *data; /* as stored; NULL: no row */
    size_t len;
    const kappa_type_t *type; /* the object type it is of */
    const void *view;         /* the data source's own */
    kappa_str_t key;          /* encoded as stored */
} kappa_row_t;

/* What a list gave. */
typedef struct {
    kappa_row_t *rows; /* in the order asked for */
    uint32_t count;
    bool has_next;
    bool has_previous;
    int64_t total; /* -1: null */
    /* A row rule hid so much that looking on ended early: at the page's end
     * (1) or, read backwards, its start (-1). cursor(count) is where. */
    int cut;
    const void *scan; /* the data source's own, for cursors */
} kappa_page_t;

/* What a mutation field came to. */
typedef struct {
    kappa_row_t row;      /* data NULL: none */
    kappa_str_t position; /* "EPOCH-SEQ" */
    kappa_str_t event_id; /* UUID as text */
    bool duplicate;
} kappa_mutated_t;

typedef struct kappa_data_s kappa_data_t;

/* In all ops: parent is the row the field is read from, NULL at a root; args
 * has field->arg_count values by kappa_input_t.number, UNSET where absent
 * (hidden arguments always; the source fills them in). KAPPA_INVALID: one
 * error was added to errors, with its code; the field is null. */
typedef struct {
    /* A stored column as JSON; len 0 is null. */
    kappa_str_t (*column)(const kappa_row_t *row, uint32_t column);

    /* Several at once. */
    void (*columns)(const kappa_row_t *row, const uint32_t *columns,
        uint32_t count, kappa_str_t *out);

    kappa_status_t (*value)(kappa_data_t *data, const kappa_field_t *field,
        const kappa_row_t *parent, const kappa_value_t *args,
        kappa_arena_t *arena, kappa_str_t *json, kappa_errors_t *errors);

    /* KAPPA_NOT_FOUND: null. */
    kappa_status_t (*one)(kappa_data_t *data, const kappa_field_t *field,
        const kappa_row_t *parent, const kappa_value_t *args,
        kappa_arena_t *arena, kappa_row_t *row, kappa_errors_t *errors);

    /* want_total: the selection asks for totalCount. */
    kappa_status_t (*list)(kappa_data_t *data, const kappa_field_t *field,
        const kappa_row_t *parent, const kappa_value_t *args, bool want_total,
        kappa_arena_t *arena, kappa_page_t *page, kappa_errors_t *errors);

    /* Appends the cursor of rows[i] as a JSON string. */
    void (*cursor)(kappa_data_t *data, const kappa_page_t *page, uint32_t i,
        kappa_buf_t *buf);

    bool (*allowed)(kappa_data_t *data, const kappa_field_t *field,
        const kappa_row_t *parent, const kappa_value_t *args,
        kappa_arena_t *arena);

    /* path: the response name, for idempotency's scope. */
    kappa_status_t (*mutate)(kappa_data_t *data, const kappa_field_t *field,
        kappa_str_t path, const kappa_value_t *args, kappa_arena_t *arena,
        kappa_mutated_t *out, kappa_errors_t *errors);
} kappa_data_ops_t;

struct kappa_data_s {
    const kappa_data_ops_t *ops;
    void *ctx;
};

#endif
