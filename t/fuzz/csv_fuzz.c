#include <stdlib.h>

#include "base/csv.h"

/* The first byte says where the text is cut: the same records and the same
 * verdict come out as of the whole; and what was read, written again, reads
 * the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What came out, as CSV of ours; a field that was in quotes and is empty stays
 * so, nothing stays nothing. */
static void
note(kappa_buf_t *out, const kappa_csv_t *csv)
{
    for (uint32_t i = 0; i < csv->count; i++) {
        const kappa_csv_field_t *field = &csv->fields[i];

        if (i > 0) {
            kappa_buf_char(out, ',');
        }
        if (field->text.len > 0 || field->quoted) {
            kappa_csv_write(out, field->text);
        } else if (csv->count == 1) {
            KAPPA_BUF_LIT(out, "\"\"");
        }
    }
    kappa_buf_char(out, '\n');
}

static kappa_status_t
read_all(kappa_str_t all, size_t step, kappa_buf_t *out)
{
    kappa_status_t status = KAPPA_AGAIN;
    kappa_csv_t csv;

    kappa_csv_init(&csv, &kappa_alloc_libc);
    for (size_t at = 0; at < all.len && status == KAPPA_AGAIN; at += step) {
        size_t n = all.len - at < step ? all.len - at : step;
        kappa_str_t part = kappa_str(all.data + at, n);

        while ((status = kappa_csv_feed(&csv, &part)) == KAPPA_OK) {
            note(out, &csv);
        }
    }
    if (status == KAPPA_AGAIN) {
        status = kappa_csv_end(&csv);
        if (status == KAPPA_OK) {
            note(out, &csv);
            status = KAPPA_DONE;
        }
    }
    must(status == KAPPA_DONE
        || (status == KAPPA_INVALID && csv.reason != NULL && csv.line > 0));
    kappa_csv_release(&csv);
    return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kappa_buf_t whole, cut, again;

    if (size == 0) {
        return 0;
    }
    kappa_str_t all = kappa_str((const char *)data + 1, size - 1);

    kappa_buf_init(&whole, &kappa_alloc_libc);
    kappa_buf_init(&cut, &kappa_alloc_libc);
    kappa_buf_init(&again, &kappa_alloc_libc);
    kappa_status_t status = read_all(all, all.len + 1, &whole);

    must(read_all(all, (size_t)data[0] % 16 + 1, &cut) == status);
    must(kappa_str_eq(kappa_buf_view(&whole), kappa_buf_view(&cut)));
    must(
        read_all(kappa_buf_view(&whole), whole.len + 1, &again) == KAPPA_DONE);
    must(kappa_str_eq(kappa_buf_view(&whole), kappa_buf_view(&again)));
    kappa_buf_release(&whole);
    kappa_buf_release(&cut);
    kappa_buf_release(&again);
    return 0;
}
