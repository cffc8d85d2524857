#include "base/csv.h"

typedef struct {
    size_t end; /* in text */
    bool quoted;
} mark_t;

void
kappa_csv_init(kappa_csv_t *csv, const kappa_alloc_t *alloc)
{
    *csv = (kappa_csv_t){ .alloc = alloc, .at = 1 };
    kappa_buf_init(&csv->text, alloc);
    kappa_buf_init(&csv->marks, alloc);
    kappa_buf_init(&csv->views, alloc);
}

void
kappa_csv_release(kappa_csv_t *csv)
{
    kappa_buf_release(&csv->text);
    kappa_buf_release(&csv->marks);
    kappa_buf_release(&csv->views);
}

static kappa_status_t
refuse(kappa_csv_t *csv, const char *reason)
{
    csv->reason = reason;
    return KAPPA_INVALID;
}

static void
begin_record(kappa_csv_t *csv)
{
    kappa_buf_reset(&csv->text);
    kappa_buf_reset(&csv->marks);
    csv->count = 0;
    csv->field = 0;
    csv->line = csv->at;
    csv->state = KAPPA_CSV_FIELD;
}

static kappa_status_t
end_field(kappa_csv_t *csv, bool quoted)
{
    mark_t mark = { csv->text.len, quoted };

    if (csv->count == KAPPA_CSV_FIELDS_MAX) {
        return refuse(csv, "it has more than 4096 fields");
    }
    kappa_buf_add(&csv->marks, &mark, sizeof(mark));
    csv->count++;
    csv->field = csv->text.len;
    csv->state = KAPPA_CSV_FIELD;
    return csv->marks.failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* Texts first now that the buffer moves no more. */
static kappa_status_t
end_record(kappa_csv_t *csv)
{
    size_t start = 0;

    csv->state = KAPPA_CSV_RECORD;
    kappa_buf_reset(&csv->views);
    for (uint32_t i = 0; i < csv->count; i++) {
        mark_t mark;
        kappa_csv_field_t field;

        memcpy(&mark, csv->marks.data + i * sizeof(mark), sizeof(mark));
        field.text = kappa_str(
            mark.end > start ? csv->text.data + start : "", mark.end - start);
        field.quoted = mark.quoted;
        if (kappa_utf8_valid(field.text) != field.text.len) {
            return refuse(csv, "it is not UTF-8");
        }
        kappa_buf_add(&csv->views, &field, sizeof(field));
        start = mark.end;
    }
    csv->fields = (const kappa_csv_field_t *)(const void *)csv->views.data;
    return csv->views.failed ? KAPPA_NOMEM : KAPPA_OK;
}

static kappa_status_t
add_char(kappa_csv_t *csv, char c)
{
    if (csv->text.len == KAPPA_CSV_RECORD_MAX) {
        return refuse(csv, "it is too long: over 4 MiB");
    }
    if (c == '\0') {
        return refuse(csv, "it has a NUL byte in it");
    }
    kappa_buf_char(&csv->text, c);
    return csv->text.failed ? KAPPA_NOMEM : KAPPA_OK;
}

/* At the end of a line; CR before it is part of it. */
static kappa_status_t
end_line(kappa_csv_t *csv, bool quoted)
{
    if (!quoted && csv->text.len > csv->field
        && csv->text.data[csv->text.len - 1] == '\r') {
        csv->text.len--;
    }
    bool empty = csv->count == 0 && csv->text.len == 0 && !quoted;

    csv->at++;
    if (empty) {
        csv->state = KAPPA_CSV_RECORD;
        return KAPPA_AGAIN;
    }
    kappa_status_t status = end_field(csv, quoted);
    return status == KAPPA_OK ? end_record(csv) : status;
}

/* KAPPA_AGAIN: go on. KAPPA_OK: the record is whole. */
static kappa_status_t
plain(kappa_csv_t *csv, char c)
{
    kappa_status_t status;

    if (c == '\n') {
        return end_line(csv, false);
    }
    if (c == '"' && csv->state == KAPPA_CSV_FIELD) {
        csv->state = KAPPA_CSV_QUOTED;
        return KAPPA_AGAIN;
    }
    if (c == '"') {
        return refuse(csv, "a quote stands inside a field without quotes");
    }
    if (c == ',') {
        status = end_field(csv, false);
    } else {
        csv->state = KAPPA_CSV_PLAIN;
        status = add_char(csv, c);
    }
    return status == KAPPA_OK ? KAPPA_AGAIN : status;
}

static kappa_status_t
quoted(kappa_csv_t *csv, char c)
{
    if (c == '"') {
        csv->state = KAPPA_CSV_QUOTE;
        return KAPPA_AGAIN;
    }
    csv->at += c == '\n';
    kappa_status_t status = add_char(csv, c);

    return status == KAPPA_OK ? KAPPA_AGAIN : status;
}

static kappa_status_t
behind_quote(kappa_csv_t *csv, char c)
{
    kappa_status_t status;

    switch (c) {
    case '"':
        csv->state = KAPPA_CSV_QUOTED;
        status = add_char(csv, '"');
        return status == KAPPA_OK ? KAPPA_AGAIN : status;
    case ',':
        status = end_field(csv, true);
        return status == KAPPA_OK ? KAPPA_AGAIN : status;
    case '\r': /* before a line's end */
        return KAPPA_AGAIN;
    case '\n':
        return end_line(csv, true);
    default:
        return refuse(csv, "text stands behind a field's closing quote");
    }
}

static kappa_status_t
take(kappa_csv_t *csv, char c)
{
    switch (csv->state) {
    case KAPPA_CSV_QUOTED:
        return quoted(csv, c);
    case KAPPA_CSV_QUOTE:
        return behind_quote(csv, c);
    case KAPPA_CSV_RECORD:
        begin_record(csv);
        return plain(csv, c);
    default:
        return plain(csv, c);
    }
}

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* What began as a mark and is none after all is text. */
static kappa_status_t
unmark(kappa_csv_t *csv)
{
    kappa_status_t status = KAPPA_AGAIN;

    csv->started = true;
    for (uint32_t i = 0; i < csv->marked && status == KAPPA_AGAIN; i++) {
        status = take(csv, byte_order_mark[i]);
    }
    return status;
}

static kappa_status_t
start(kappa_csv_t *csv, char c)
{
    if (c == byte_order_mark[csv->marked]) {
        csv->started = ++csv->marked == 3;
        return KAPPA_AGAIN;
    }
    kappa_status_t status = unmark(csv);

    return status == KAPPA_AGAIN ? take(csv, c) : status;
}

kappa_status_t
kappa_csv_feed(kappa_csv_t *csv, kappa_str_t *bytes)
{
    while (bytes->len > 0) {
        char c = *bytes->data;

        bytes->data++;
        bytes->len--;
        kappa_status_t status = csv->started ? take(csv, c) : start(csv, c);

        if (status != KAPPA_AGAIN) {
            return status;
        }
    }
    return KAPPA_AGAIN;
}

kappa_status_t
kappa_csv_end(kappa_csv_t *csv)
{
    kappa_status_t status = csv->started ? KAPPA_AGAIN : unmark(csv);

    if (status != KAPPA_AGAIN) {
        return status;
    }
    switch (csv->state) {
    case KAPPA_CSV_RECORD:
        return KAPPA_DONE;
    case KAPPA_CSV_QUOTED:
        return refuse(csv, "it ends inside quotes");
    default:
        status = end_line(csv, csv->state == KAPPA_CSV_QUOTE);
        return status == KAPPA_AGAIN ? KAPPA_DONE : status;
    }
}

static bool
needs_quotes(kappa_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(",\"\r\n", text.data[i], 4) != NULL) {
            return true;
        }
    }
    return text.len == 0 || text.data[0] == ' '
        || text.data[text.len - 1] == ' '
        || (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0);
}

void
kappa_csv_write(kappa_buf_t *buf, kappa_str_t text)
{
    if (text.data == NULL) {
        return;
    }
    if (!needs_quotes(text)) {
        kappa_buf_str(buf, text);
        return;
    }
    kappa_buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            kappa_buf_char(buf, '"');
        }
        kappa_buf_char(buf, text.data[i]);
    }
    kappa_buf_char(buf, '"');
}
