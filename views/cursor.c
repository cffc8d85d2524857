#include "views/read_private.h"

#include "base/crc32c.h"

/* Cursors: base64url (RFC 4648, 5) of
 *
 *   u8  1
 *   u32 CRC-32C of the list (field, order, filters) and the entry
 *   …   the index entry behind the equalities' prefix
 *
 * A cursor of another list, of other filters, or a made-up one fails the
 * check. It is no secret that keeps rows from anyone: whatever it holds, only
 * entries of the list's own range are read. */

#define VERSION 1
#define HEAD 5

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
list_crc(const kappa_scan_t *scan)
{
    const kappa_range_entries_t *range = scan->range;
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

void
kappa_cursor_write(
    kappa_buf_t *buf, const kappa_scan_t *scan, kappa_str_t entry)
{
    uint8_t data[HEAD + KAPPA_ENTRY_BYTES_MAX];
    kappa_str_t rest = kappa_str(entry.data + scan->range->prefix.len,
        entry.len - scan->range->prefix.len);
    uint32_t crc = add_crc(list_crc(scan), rest);

    data[0] = VERSION;
    for (int i = 0; i < 4; i++) {
        data[1 + i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    memcpy(data + HEAD, rest.data, rest.len);
    kappa_buf_char(buf, '"');
    encode(buf, data, HEAD + rest.len);
    kappa_buf_char(buf, '"');
}

static int
digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
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

bool
kappa_cursor_read(const kappa_scan_t *scan, kappa_str_t cursor,
    kappa_arena_t *arena, kappa_str_t *entry, bool *no_memory)
{
    uint8_t data[HEAD + KAPPA_ENTRY_BYTES_MAX + 3];
    size_t len = decode(cursor, data, sizeof(data));
    kappa_str_t prefix = scan->range->prefix;
    uint32_t crc = 0;

    *no_memory = false;
    if (len < HEAD || data[0] != VERSION
        || prefix.len + len - HEAD > KAPPA_ENTRY_BYTES_MAX) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        crc = crc << 8 | data[1 + i];
    }
    kappa_str_t rest = kappa_str((const char *)data + HEAD, len - HEAD);
    if (crc != add_crc(list_crc(scan), rest)) {
        return false;
    }
    char *bytes = kappa_arena_bytes(arena, prefix.len + rest.len);
    if (!bytes) {
        *no_memory = true;
        return false;
    }
    memcpy(bytes, prefix.data, prefix.len);
    memcpy(bytes + prefix.len, rest.data, rest.len);
    *entry = kappa_str(bytes, prefix.len + rest.len);
    return true;
}
