#include "base/base64url.h"
#include "base/siv.h"
#include "views/read_private.h"

/* Cursors: base64url (RFC 4648, 5) of the index entry behind the equalities'
 * prefix, sealed by the store's secret (RFC 5297) and bound to the list: its
 * field, filters, order and view. So a cursor tells nothing of the row it
 * stands on, which may be hidden, and one of another list or store, or a
 * made-up one, is refused.
 *
 * In a list of several views' rows it is bound to the list as the view of its
 * row has it: it goes on at its place when another view joins. */

#define SEALED_BYTES_MAX (KAPPA_SIV_TAG_BYTES + KAPPA_ENTRY_BYTES_MAX)

static void
add(kappa_buf_t *buf, kappa_str_t s)
{
    uint32_t len = (uint32_t)s.len;

    kappa_buf_add(buf, &len, sizeof(len));
    kappa_buf_str(buf, s);
}

/* The list, without the layout's slots: a rebuilt generation takes the same
 * cursors. */
static void
describe(kappa_buf_t *buf, const kappa_field_t *field,
    const kappa_range_entries_t *range)
{
    const kappa_index_t *index = range->choice->index;
    size_t skip =
        index->number == 0 ? KAPPA_ROW_PREFIX_BYTES : KAPPA_INDEX_PREFIX_BYTES;

    add(buf, field->parent->name);
    add(buf, field->name);
    add(buf, index->view->name);
    add(buf, range->choice->descending ? KAPPA_STR("v") : KAPPA_STR("^"));
    for (uint32_t i = 0; i < index->column_count; i++) {
        add(buf, index->view->columns[index->columns[i]].name);
    }
    for (uint32_t i = 0; i < range->count; i++) {
        kappa_str_t low = range->segments[i].low;
        kappa_str_t high = range->segments[i].high;

        add(buf, kappa_str(low.data + skip, low.len - skip));
        add(buf, kappa_str(high.data + skip, high.len - skip));
    }
}

static bool
context_of(const kappa_scan_t *scan, const kappa_range_entries_t *range,
    kappa_arena_t *arena, kappa_siv_context_t *out)
{
    kappa_buf_t buf;

    kappa_buf_init(&buf, kappa_arena_source(arena));
    describe(&buf, scan->field, range);
    bool ok =
        !buf.failed && kappa_siv_context(scan->siv, kappa_buf_view(&buf), out);
    kappa_buf_release(&buf);
    return ok;
}

/* Worked out for the first cursor of a page that needs it. */
static const kappa_siv_context_t *
known_context(const kappa_scan_t *scan, uint32_t member)
{
    kappa_scan_context_t *known = &scan->contexts[member];

    if (!known->is) {
        known->is = scan->siv
            && context_of(
                scan, &scan->range[member], scan->arena, &known->context);
    }
    return known->is ? &known->context : NULL;
}

void
kappa_cursor_write(kappa_buf_t *buf, const kappa_scan_t *scan, uint32_t row)
{
    uint8_t sealed[SEALED_BYTES_MAX];
    char text[KAPPA_BASE64URL_CHARS(SEALED_BYTES_MAX)];
    uint32_t member = scan->members ? scan->members[row] : 0;
    size_t prefix = scan->range[member].prefix.len;
    kappa_str_t entry = scan->entries[row];
    kappa_str_t rest = kappa_str(entry.data + prefix, entry.len - prefix);
    const kappa_siv_context_t *context = known_context(scan, member);
    size_t len = KAPPA_SIV_TAG_BYTES + rest.len;

    if (!context || !kappa_siv_seal(scan->siv, context, rest, sealed)) {
        buf->failed = true;
        return;
    }
    kappa_base64url_encode(kappa_str((const char *)sealed, len), text);
    kappa_buf_char(buf, '"');
    kappa_buf_add(buf, text, KAPPA_BASE64URL_CHARS(len));
    kappa_buf_char(buf, '"');
}

static kappa_status_t
open_in(const kappa_scan_t *scan, uint32_t member, kappa_str_t sealed,
    kappa_arena_t *arena, kappa_str_t *rest)
{
    const kappa_range_entries_t *range = &scan->range[member];
    uint8_t plain[KAPPA_ENTRY_BYTES_MAX];
    kappa_siv_context_t context;
    size_t len = sealed.len - KAPPA_SIV_TAG_BYTES;

    if (range->prefix.len + len > KAPPA_ENTRY_BYTES_MAX) {
        return KAPPA_NOT_FOUND;
    }
    if (!context_of(scan, range, arena, &context)) {
        return KAPPA_NOMEM;
    }
    if (!kappa_siv_open(scan->siv, &context, sealed, plain)) {
        return KAPPA_NOT_FOUND;
    }
    *rest = kappa_str_dup(arena, kappa_str((const char *)plain, len));
    return rest->data ? KAPPA_OK : KAPPA_NOMEM;
}

kappa_status_t
kappa_cursor_read(const kappa_scan_t *scan, kappa_str_t cursor,
    kappa_arena_t *arena, kappa_str_t *rest, uint32_t *member)
{
    uint8_t bytes[SEALED_BYTES_MAX];
    kappa_str_t sealed =
        kappa_str((const char *)bytes, KAPPA_BASE64URL_BYTES(cursor.len));
    kappa_status_t status = KAPPA_NOT_FOUND;

    if (!scan->siv || sealed.len < KAPPA_SIV_TAG_BYTES
        || sealed.len > sizeof(bytes)
        || !kappa_base64url_decode(cursor, bytes)) {
        return KAPPA_NOT_FOUND;
    }
    for (uint32_t i = 0; status == KAPPA_NOT_FOUND && i < scan->range_count;
         i++) {
        *member = i;
        status = open_in(scan, i, sealed, arena, rest);
    }
    return status;
}
