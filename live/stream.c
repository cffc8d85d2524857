#include "base/json.h"
#include "base/time.h"
#include "live/group.h"
#include "views/read.h"
#include "views/row.h"

/* Change streams: the events themselves, none skipped. The newest frames are
 * kept in the group's ring; who is further behind reads the log. */

/* Events looked at in one call, so that the event loop keeps turning. */
#define EVENTS_A_CALL 512
/* One that is so much larger counts for several. */
#define EVENT_BYTES 2048

kappa_status_t
kappa_stream_open(
    kappa_live_t *live, kappa_group_t *group, kappa_errors_t *errors)
{
    const kappa_value_t *args;
    kappa_status_t status = kappa_plan_root_args(
        group->plan, 0, group->variables, group->arena, &args, NULL);

    group->ring_from = group->ring_to = kappa_store_position(live->store);
    if (status == KAPPA_OK) {
        status = kappa_read_changes_args(kappa_plan_root(group->plan, 0),
            &group->caller, args, group->arena, &group->args, errors);
    }
    return status;
}

void
kappa_stream_close(kappa_group_t *group)
{
    for (uint32_t i = 0; i < group->ring_count; i++) {
        kappa_frame_release(
            group->ring[(group->ring_first + i) % KAPPA_LIVE_RING]);
    }
    group->ring_count = 0;
}

/* --- one event --- */

static bool
wanted_thing(const kappa_changes_t *changes, kappa_str_t thing)
{
    return kappa_str_eq(thing, changes->thing)
        || (changes->was.data && kappa_str_eq(thing, changes->was));
}

static bool
wanted_verb(const kappa_changes_t *changes, kappa_str_t verb)
{
    for (uint32_t i = 0; i < changes->verb_count; i++) {
        if (kappa_str_eq(changes->verbs[i], verb)) {
            return true;
        }
    }
    return changes->verb_count == 0;
}

/* Whether a group is told of such events at all. */
static bool
wanted(const kappa_changes_t *changes, const kappa_event_t *event)
{
    kappa_str_t text = changes->view ? event->row : event->data;

    return wanted_thing(changes, event->thing)
        && wanted_verb(changes, event->verb) && text.data != NULL;
}

/* --- SEMANTICS 19: arguments that are not null are equalities --- */

static bool
same_json(kappa_live_t *live, const kappa_value_t *a, const kappa_value_t *b)
{
    kappa_buf_t *buf = &live->buf;

    kappa_buf_reset(buf);
    kappa_json_value(buf, a);
    size_t split = buf->len;
    kappa_json_value(buf, b);
    return !buf->failed && buf->len == split * 2
        && memcmp(buf->data, buf->data + split, split) == 0;
}

static bool
same_column(kappa_live_t *live, const kappa_column_t *column,
    const kappa_row_t *row, const kappa_value_t *arg)
{
    kappa_buf_t *buf = &live->buf;

    kappa_buf_reset(buf);
    return kappa_column_json(buf, column->kind, arg) == KAPPA_OK
        && !buf->failed
        && kappa_str_eq(
            kappa_buf_view(buf), kappa_row_column(row->data, column->number));
}

/* The row as today's schema has it: an older name or type of a field is none
 * any more. */
static bool
row_matches(
    kappa_live_t *live, const kappa_group_t *group, const kappa_row_t *row)
{
    const kappa_changes_t *changes = group->changes;

    for (uint32_t i = 0; i < changes->arg_count; i++) {
        const kappa_column_t *column =
            &changes->view->columns[changes->args[i].column];

        if (!kappa_is_null(&group->args[i])
            && !same_column(live, column, row, &group->args[i])) {
            return false;
        }
    }
    return true;
}

static bool
data_matches(kappa_live_t *live, const kappa_group_t *group,
    const kappa_value_t *object)
{
    const kappa_field_t *field = kappa_plan_root(group->plan, 0);

    for (uint32_t i = 0; i < field->arg_count; i++) {
        const kappa_value_t *member =
            kappa_value_member(object, field->args[i].name);

        if (!kappa_is_null(&group->args[i])
            && (member == NULL || !same_json(live, member, &group->args[i]))) {
            return false;
        }
    }
    return true;
}

/* --- what is told of an event --- */

/* event.data as the object that it is selected from. KAPPA_NOT_FOUND: it is
 * not for this group. */
static kappa_status_t
data_row(kappa_live_t *live, const kappa_group_t *group,
    const kappa_event_t *event, kappa_row_t *row)
{
    kappa_value_t object;
    kappa_buf_t *buf = &live->buf;
    const kappa_type_t *type = kappa_plan_root(group->plan, 0)->type->named;
    kappa_status_t status =
        kappa_read_event_data(event, type, live->scratch, &object);

    if (status != KAPPA_OK) {
        return status;
    }
    if (!data_matches(live, group, &object)) {
        return KAPPA_NOT_FOUND;
    }
    kappa_buf_reset(buf);
    kappa_json_value(buf, &object);
    kappa_str_t text = buf->failed
        ? KAPPA_STR_NULL
        : kappa_str_dup(live->scratch, kappa_buf_view(buf));
    *row = (kappa_row_t){
        .data = (const uint8_t *)text.data, .len = text.len, .type = type
    };
    return text.data ? KAPPA_OK : KAPPA_NOMEM;
}

/* KAPPA_NOT_FOUND: a row rule hides the event's row from who asks, or there
 * is none to ask about (SEMANTICS 19). */
static kappa_status_t
see(kappa_live_t *live, const kappa_group_t *group, kappa_snapshot_t *snapshot,
    const kappa_event_t *event, const kappa_row_t *given)
{
    const kappa_changes_t *changes = group->changes;
    kappa_row_t row = *given;
    bool visible = true;
    kappa_status_t status = KAPPA_OK;

    if (changes->rule == NULL) {
        return KAPPA_OK;
    }
    if (changes->view == NULL) {
        status =
            kappa_read_event_row(event, changes->rule, live->scratch, &row);
    }
    if (status == KAPPA_OK) {
        status = kappa_read_visible(
            kappa_snapshot_data(snapshot)->ctx, &row, live->scratch, &visible);
    }
    return status == KAPPA_OK && !visible ? KAPPA_NOT_FOUND : status;
}

/* The row to select from: a view's, in today's layout; or event.data. */
static kappa_status_t
row_of(kappa_live_t *live, const kappa_group_t *group,
    kappa_snapshot_t *snapshot, const kappa_event_t *event, kappa_row_t *row)
{
    const kappa_view_t *view = group->changes->view;
    kappa_status_t status = view
        ? kappa_read_event_row(event, view, live->scratch, row)
        : data_row(live, group, event, row);

    if (status == KAPPA_OK && view && !row_matches(live, group, row)) {
        return KAPPA_NOT_FOUND;
    }
    return status == KAPPA_OK ? see(live, group, snapshot, event, row)
                              : status;
}

/* KAPPA_NOT_FOUND: the event is not for this group. */
static kappa_status_t
make_frame(kappa_live_t *live, const kappa_group_t *group,
    kappa_snapshot_t *snapshot, const kappa_event_t *event,
    kappa_frame_t **out)
{
    kappa_outcome_t outcome;
    kappa_row_t row;

    kappa_arena_reset(live->scratch);
    kappa_status_t status = wanted(group->changes, event)
        ? row_of(live, group, snapshot, event, &row)
        : KAPPA_NOT_FOUND;
    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_reset(&live->buf);
    status = kappa_execute_row(group->plan, group->variables,
        kappa_snapshot_data(snapshot), &row, live->scratch, &live->buf,
        &outcome);
    live->stats.runs++;
    if (status != KAPPA_OK) {
        return status;
    }
    *out = kappa_live_frame(live, event->seq);
    return *out ? KAPPA_OK : KAPPA_NOMEM;
}

/* --- many events --- */

static void
spend(uint32_t *budget, const kappa_event_t *event)
{
    size_t more = (event->data.len + event->row.len) / EVENT_BYTES;

    *budget -= more < *budget ? (uint32_t)more : *budget;
}

/* Reads on from *seq up to `to`; stops at the first frame, after
 * EVENTS_A_CALL events (KAPPA_AGAIN) or at the end (KAPPA_DONE). *seq is the
 * last event looked at. */
static kappa_status_t
read_on(kappa_live_t *live, const kappa_group_t *group,
    kappa_snapshot_t *snapshot, kappa_log_cursor_t *cursor, uint64_t *seq,
    uint64_t to, uint32_t *budget, kappa_frame_t **out)
{
    while (*seq < to) {
        kappa_event_t event;

        if ((*budget)-- == 0) {
            *budget = 0;
            return KAPPA_AGAIN;
        }
        kappa_status_t status =
            kappa_log_cursor_next(cursor, to, &event, NULL);
        if (status == KAPPA_OK) {
            spend(budget, &event);
            status = make_frame(live, group, snapshot, &event, out);
        }
        if (status != KAPPA_OK && status != KAPPA_NOT_FOUND) {
            return status;
        }
        *seq = event.seq;
        if (status == KAPPA_OK) {
            return KAPPA_OK;
        }
    }
    return KAPPA_DONE;
}

typedef struct {
    kappa_snapshot_t *snapshot;
    kappa_log_cursor_t *cursor;
    uint64_t position;
} reader_t;

static kappa_status_t
open_reader(kappa_live_t *live, const kappa_group_t *group, uint64_t after,
    reader_t *reader)
{
    kappa_read_options_t options = { .caller = &group->caller,
        .now_ms = kappa_now_ms(),
        .version = live->version };
    kappa_status_t status =
        kappa_snapshot_begin(live->store, &options, &reader->snapshot);

    if (status != KAPPA_OK) {
        return status;
    }
    reader->position = kappa_snapshot_position(reader->snapshot);
    status = kappa_log_cursor_open(
        kappa_store_log(live->store), after + 1, &reader->cursor, NULL);
    if (status != KAPPA_OK) {
        kappa_snapshot_end(reader->snapshot);
    }
    return status;
}

static void
close_reader(reader_t *reader)
{
    kappa_log_cursor_close(reader->cursor);
    kappa_snapshot_end(reader->snapshot);
}

static void
push_frame(kappa_group_t *group, kappa_frame_t *frame)
{
    if (group->ring_count == KAPPA_LIVE_RING) {
        kappa_frame_t *oldest = group->ring[group->ring_first];

        group->ring_from = oldest->seq;
        kappa_frame_release(oldest);
        group->ring_first = (group->ring_first + 1) % KAPPA_LIVE_RING;
        group->ring_count--;
    }
    group->ring[(group->ring_first + group->ring_count++) % KAPPA_LIVE_RING] =
        frame;
}

kappa_status_t
kappa_stream_advance(kappa_live_t *live, kappa_group_t *group)
{
    uint64_t before = group->ring_to;
    uint32_t budget = EVENTS_A_CALL;
    kappa_status_t status = KAPPA_OK;
    reader_t reader;

    if (kappa_store_position(live->store) <= before) {
        return KAPPA_OK;
    }
    status = open_reader(live, group, before, &reader);
    if (status != KAPPA_OK) {
        return status;
    }
    while (status == KAPPA_OK) {
        kappa_frame_t *frame;

        status = read_on(live, group, reader.snapshot, reader.cursor,
            &group->ring_to, reader.position, &budget, &frame);
        if (status == KAPPA_OK) {
            push_frame(group, frame);
        }
    }
    close_reader(&reader);
    if (group->ring_to != before) {
        kappa_group_tell(group);
    }
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

/* --- subscribers --- */

static kappa_frame_t *
first_after(const kappa_group_t *group, uint64_t seq)
{
    for (uint32_t i = 0; i < group->ring_count; i++) {
        kappa_frame_t *frame =
            group->ring[(group->ring_first + i) % KAPPA_LIVE_RING];

        if (frame->seq > seq) {
            return frame;
        }
    }
    return NULL;
}

static kappa_status_t
take_from_log(
    kappa_live_t *live, kappa_subscriber_t *subscriber, kappa_frame_t **out)
{
    kappa_group_t *group = subscriber->group;
    uint32_t budget = EVENTS_A_CALL;
    reader_t reader;

    kappa_status_t status =
        open_reader(live, group, subscriber->seen, &reader);
    if (status != KAPPA_OK) {
        return status;
    }
    status = read_on(live, group, reader.snapshot, reader.cursor,
        &subscriber->seen, group->ring_from, &budget, out);
    close_reader(&reader);
    return status == KAPPA_DONE ? KAPPA_AGAIN : status;
}

kappa_status_t
kappa_stream_take(
    kappa_live_t *live, kappa_subscriber_t *subscriber, kappa_frame_t **out)
{
    kappa_group_t *group = subscriber->group;

    if (subscriber->seen < group->ring_from) {
        return take_from_log(live, subscriber, out);
    }
    kappa_frame_t *frame = first_after(group, subscriber->seen);

    if (frame == NULL) {
        subscriber->told = false;
        return KAPPA_DONE;
    }
    subscriber->seen = frame->seq;
    *out = kappa_frame_retain(frame);
    return KAPPA_OK;
}
