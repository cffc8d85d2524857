#include "views/read_private.h"

#include "base/crc32c.h"

/* Cursors: base64url (RFC 4648, 5) of
 *
 *   u8  1
 *   u32 CRC-32C of the list (field, order, filters) and the entry
 *   …   the index entry behind the equalities' prefix
 *
 * or, in a list of several views' rows,
 *
 *   u8  2
 *   u32 CRC-32C of the list, as that view has it, and the entry
 *   u32 CRC-32C of the view's name
 *   …   the entry
 *
 * which goes on at its place when another view joins the list.
 *
 * A cursor of another list, of other filters, or a made-up one fails the
 * check. It is no secret that keeps rows from anyone: whatever it holds, only
 * entries of the list's own range are read. */

#define VERSION 1
#define HEAD 5
#define VERSION_MERGED 2
#define HEAD_MERGED 9

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint32_t
add_crc(uint32_t crc, kappa_str_t s)
{
    uint32_t len = (uint32_t)s.len;

    crc = kappa_crc32c(crc, &len, sizeof(len));
    return kappa_crc32c(crc, s.data, s.len);
}

/* Index and filters without the layout's slots: a rebuilt generation takes
 * the same cursors. */
static uint32_t
list_crc(const kappa_scan_t *scan, const kappa_range_entries_t *range)
{
    const kappa_index_t *index = range->choice->index;
    size_t skip = index == index->view->indexes ? KAPPA_ROW_PREFIX_BYTES
                                                : KAPPA_INDEX_PREFIX_BYTES;
    uint32_t crc = add_crc(0, scan->field->parent->name);

    crc = add_crc(crc, scan->field->name);
    crc = add_crc(
        crc, range->choice->descending ? KAPPA_STR("v") : KAPPA_STR("^"));
    for (uint32_t i = 0; i < index->column_count; i++) {
        crc = add_crc(crc, index->view->columns[index->columns[i]].name);
    }
    for (uint32_t i = 0; i < range->count; i++) {
        kappa_str_t low = range->segments[i].low;
        kappa_str_t high = range->segments[i].high;

        crc = add_crc(crc, kappa_str(low.data + skip, low.len - skip));
        crc = add_crc(crc, kappa_str(high.data + skip, high.len - skip));
    }
    return crc;
}

static void
encode(kappa_buf_t *buf, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t n = (uint32_t)data[i] << 16;

        n |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
        n |= i + 2 < len ? data[i + 2] : 0;
        kappa_buf_char(buf, alphabet[n >> 18]);
        kappa_buf_char(buf, alphabet[n >> 12 & 63]);
        if (i + 1 < len) {
            kappa_buf_char(buf, alphabet[n >> 6 & 63]);
        }
        if (i + 2 < len) {
            kappa_buf_char(buf, alphabet[n & 63]);
        }
    }
}

static void
put_u32(uint8_t *out, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(n >> (24 - 8 * i));
    }
}

static uint32_t
get_u32(const uint8_t *data)
{
    uint32_t n = 0;

    for (int i = 0; i < 4; i++) {
        n = n << 8 | data[i];
    }
    return n;
}

static uint32_t
view_crc(const kappa_range_entries_t *range)
{
    return add_crc(0, range->list->view->name);
}

void
kappa_cursor_write(kappa_buf_t *buf, const kappa_scan_t *scan, uint32_t row)
{
    uint8_t data[HEAD_MERGED + KAPPA_ENTRY_BYTES_MAX];
    const kappa_range_entries_t *range =
        &scan->range[scan->members ? scan->members[row] : 0];
    kappa_str_t entry = scan->entries[row];
    kappa_str_t rest = kappa_str(
        entry.data + range->prefix.len, entry.len - range->prefix.len);
    size_t head = scan->members ? HEAD_MERGED : HEAD;

    data[0] = scan->members ? VERSION_MERGED : VERSION;
    put_u32(data + 1, add_crc(list_crc(scan, range), rest));
    if (scan->members) {
        put_u32(data + HEAD, view_crc(range));
    }
    memcpy(data + head, rest.data, rest.len);
    kappa_buf_char(buf, '"');
    encode(buf, data, head + rest.len);
    kappa_buf_char(buf, '"');
}

static int
digit(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A'
        : c >= 'a' && c <= 'z'  ? c - 'a' + 26
        : c >= '0' && c <= '9'  ? c - '0' + 52
        : c == '-'              ? 62
        : c == '_'              ? 63
                                : -1;
}

/* The number of bytes; 0: it is no base64url, or too long. */
static size_t
decode(kappa_str_t text, uint8_t *out, size_t max)
{
    uint32_t bits = 0;
    size_t len = 0;

    if (text.len % 4 == 1 || text.len / 4 * 3 + 2 > max) {
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        int d = digit(text.data[i]);

        if (d < 0) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 0) {
            out[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    /* One cursor, one text: bits that mean nothing are zero. */
    uint32_t unused = text.len % 4 == 2 ? 15 : text.len % 4 == 3 ? 3 : 0;
    return bits & unused ? 0 : len;
}

/* The range that a cursor is of; NULL: none here. */
static const kappa_range_entries_t *
range_of(const kappa_scan_t *scan, const uint8_t *data, size_t len)
{
    bool merged = scan->range_count > 1;

    if (len < (merged ? HEAD_MERGED : HEAD)
        || data[0] != (merged ? VERSION_MERGED : VERSION)) {
        return NULL;
    }
    for (uint32_t i = 0; i < scan->range_count; i++) {
        if (!merged || get_u32(data + HEAD) == view_crc(&scan->range[i])) {
            return &scan->range[i];
        }
    }
    return NULL;
}

kappa_status_t
kappa_cursor_read(const kappa_scan_t *scan, kappa_str_t cursor,
    kappa_arena_t *arena, kappa_str_t *rest, uint32_t *member)
{
    uint8_t data[HEAD_MERGED + KAPPA_ENTRY_BYTES_MAX + 3];
    size_t head = scan->range_count > 1 ? HEAD_MERGED : HEAD;
    size_t len = decode(cursor, data, sizeof(data));
    const kappa_range_entries_t *range = range_of(scan, data, len);

    if (!range || range->prefix.len + len - head > KAPPA_ENTRY_BYTES_MAX) {
        return KAPPA_NOT_FOUND;
    }
    *rest = kappa_str((const char *)data + head, len - head);
    if (get_u32(data + 1) != add_crc(list_crc(scan, range), *rest)) {
        return KAPPA_NOT_FOUND;
    }
    *rest = kappa_str_dup(arena, *rest);
    *member = (uint32_t)(range - scan->range);
    return rest->data ? KAPPA_OK : KAPPA_NOMEM;
}
