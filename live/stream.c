#include "base/json.h"
#include "base/time.h"
#include "live/group.h"
#include "views/read.h"

/* Change streams: the events themselves, none skipped. The newest frames are
 * kept in the group's ring; who is further behind reads the log. */

/* Events looked at in one call, so that the event loop keeps turning. */
#define EVENTS_A_CALL 512

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

/* What arguments are compared with: the row, or data. */
static kappa_status_t
object_of(kappa_live_t *live, const kappa_group_t *group,
    const kappa_event_t *event, kappa_value_t *object)
{
    if (group->changes->view != NULL) {
        return kappa_json_parse(live->scratch, event->row, object, NULL);
    }
    return kappa_read_event_data(event,
        kappa_plan_root(group->plan, 0)->type->named, live->scratch, object);
}

/* SEMANTICS 19: arguments that are not null are equalities on the row's
 * fields, or on data's. */
static kappa_status_t
matches(
    kappa_live_t *live, const kappa_group_t *group, const kappa_event_t *event)
{
    const kappa_field_t *field = kappa_plan_root(group->plan, 0);
    kappa_str_t text = group->changes->view ? event->row : event->data;
    kappa_value_t object = kappa_null();

    if (!wanted_thing(group->changes, event->thing)
        || !wanted_verb(group->changes, event->verb) || text.data == NULL) {
        return KAPPA_NOT_FOUND;
    }
    for (uint32_t i = 0; i < field->arg_count; i++) {
        if (kappa_is_null(&group->args[i])) {
            continue;
        }
        if (object.kind == KAPPA_NULL) {
            kappa_status_t status = object_of(live, group, event, &object);
            if (status != KAPPA_OK) {
                return status;
            }
        }
        const kappa_value_t *member =
            kappa_value_member(&object, field->args[i].name);
        if (member == NULL || !same_json(live, member, &group->args[i])) {
            return KAPPA_NOT_FOUND;
        }
    }
    return KAPPA_OK;
}

/* event.data as the object that it is selected from. */
static kappa_status_t
data_row(kappa_live_t *live, const kappa_group_t *group,
    const kappa_event_t *event, kappa_row_t *row)
{
    kappa_value_t object;
    kappa_buf_t *buf = &live->buf;
    kappa_status_t status = object_of(live, group, event, &object);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_buf_reset(buf);
    kappa_json_value(buf, &object);
    kappa_str_t text = buf->failed
        ? KAPPA_STR_NULL
        : kappa_str_dup(live->scratch, kappa_buf_view(buf));
    *row = (kappa_row_t){ .data = (const uint8_t *)text.data,
        .len = text.len,
        .type = kappa_plan_root(group->plan, 0)->type->named };
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
        status = kappa_snapshot_event_row(
            snapshot, event, changes->rule, live->scratch, &row);
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
    kappa_status_t status = group->changes->view
        ? kappa_snapshot_event_row(
            snapshot, event, group->changes->view, live->scratch, row)
        : data_row(live, group, event, row);

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
    kappa_status_t status = matches(live, group, event);
    if (status == KAPPA_OK) {
        status = row_of(live, group, snapshot, event, &row);
    }
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
