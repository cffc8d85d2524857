#include "t/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "t/unit/alloc_failing.h"

/* Records as text: fields in <>, or [] when they were in quotes; behind each
 * record its line. What is wrong ends it. */
static kappa_status_t
describe(
    const kappa_alloc_t *alloc, kappa_str_t in, size_t cut, kappa_buf_t *out)
{
    kappa_csv_t csv;
    kappa_status_t status = KAPPA_AGAIN;

    kappa_csv_init(&csv, alloc);
    for (size_t at = 0; at <= in.len && status == KAPPA_AGAIN; at += cut) {
        size_t n = in.len - at < cut ? in.len - at : cut;
        kappa_str_t part = kappa_str(in.data + at, n);
        bool last = at + n == in.len;

        for (;;) {
            status = kappa_csv_feed(&csv, &part);
            if (status == KAPPA_AGAIN && last) {
                status = kappa_csv_end(&csv);
            }
            if (status != KAPPA_OK) {
                break;
            }
            for (uint32_t i = 0; i < csv.count; i++) {
                const kappa_csv_field_t *f = &csv.fields[i];

                kappa_buf_printf(out, f->quoted ? "[%.*s]" : "<%.*s>",
                    KAPPA_STR_ARG(f->text));
            }
            kappa_buf_printf(out, "%llu ", (unsigned long long)csv.line);
        }
        if (last) {
            break;
        }
    }
    if (status == KAPPA_INVALID) {
        kappa_buf_printf(
            out, "%llu: %s", (unsigned long long)csv.line, csv.reason);
    }
    kappa_csv_release(&csv);
    return status;
}

static void
reads_records_however_they_are_cut(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "", "" },
        { "\n\r\n\n", "" },
        { "a", "<a>1 " },
        { "a,b\nc,d\n", "<a><b>1 <c><d>2 " },
        { "a,b\r\nc,d", "<a><b>1 <c><d>2 " },
        { ",\n", "<><>1 " },
        { "a,\n,b\n", "<a><>1 <><b>2 " },
        { "\"\"\n", "[]1 " },
        { "\"a,b\",\"c\"\"d\"\"\"\n", "[a,b][c\"d\"]1 " },
        { "\"a\nb\r\nc\",d\ne\n", "[a\nb\r\nc]<d>1 <e>4 " },
        { "\"a\"\r\n\"b\"", "[a]1 [b]2 " },
        { "\xef\xbb\xbf\"a\",b\n", "[a]<b>1 " },
        { "\xef\xbf\xbb,b\n", "<\xef\xbf\xbb><b>1 " },
        { "\xef\xbb\xbf", "" },
        { "\xef\xbb", "1: it is not UTF-8" },
        { "\n\na\n\nb\n", "<a>3 <b>5 " },
        { " a , b \n", "< a >< b >1 " },
        { "caf\xc3\xa9,\xe2\x82\xac\n", "<caf\xc3\xa9><\xe2\x82\xac>1 " },
        { "a\rb\n", "<a\rb>1 " },
        { "a\r,\n", "<a\r><>1 " },
        { "a\nb\"c\n",
            "<a>1 2: a quote stands inside a field without "
            "quotes" },
        { "\"a\"b\n", "1: text stands behind a field's closing quote" },
        { "a\n\"b\nc\n", "<a>1 2: it ends inside quotes" },
        { "a\n\xff,b\n", "<a>1 2: it is not UTF-8" },
    };
    kappa_buf_t out;

    (void)state;
    kappa_buf_init(&out, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_str_t in = kappa_str_c(cases[i].in);

        for (size_t cut = 1; cut <= in.len + 1; cut++) {
            kappa_buf_reset(&out);
            (void)describe(&kappa_alloc_libc, in, cut, &out);
            assert_str_equal(kappa_buf_view(&out), cases[i].out);
        }
    }
    kappa_buf_release(&out);
}

static void
refuses_a_nul_byte(void **state)
{
    kappa_buf_t out;

    (void)state;
    kappa_buf_init(&out, &kappa_alloc_libc);
    assert_int_equal(
        describe(&kappa_alloc_libc, kappa_str("a\0b", 3), 3, &out),
        KAPPA_INVALID);
    kappa_buf_release(&out);
}

static void
bounds_a_record(void **state)
{
    kappa_buf_t in, out;

    (void)state;
    kappa_buf_init(&in, &kappa_alloc_libc);
    kappa_buf_init(&out, &kappa_alloc_libc);
    for (int i = 0; i < KAPPA_CSV_FIELDS_MAX; i++) {
        kappa_buf_char(&in, ',');
    }
    describe(&kappa_alloc_libc, kappa_buf_view(&in), in.len, &out);
    assert_str_equal(kappa_buf_view(&out), "1: it has more than 4096 fields");
    kappa_buf_reset(&in);
    kappa_buf_reset(&out);
    for (int i = 0; i <= KAPPA_CSV_RECORD_MAX; i++) {
        kappa_buf_char(&in, 0x61);
    }
    describe(&kappa_alloc_libc, kappa_buf_view(&in), 65536, &out);
    assert_str_equal(kappa_buf_view(&out), "1: it is too long: over 4 MiB");
    kappa_buf_release(&in);
    kappa_buf_release(&out);
}

/* What is written reads the same. */
static void
round_trips(void **state)
{
    static const char *const texts[] = { "a", "", " ", "a,b", "\"", "a\"b",
        "a\nb", "\r", "caf\xc3\xa9", "\xef\xbb\xbf", "null", "a " };
    kappa_buf_t buf;
    kappa_csv_t csv;

    (void)state;
    kappa_buf_init(&buf, &kappa_alloc_libc);
    for (size_t i = 0; i < COUNT(texts); i++) {
        kappa_csv_write(&buf, kappa_str_c(texts[i]));
        kappa_buf_char(&buf, ',');
    }
    kappa_csv_write(&buf, KAPPA_STR_NULL);
    kappa_buf_char(&buf, '\n');
    kappa_csv_init(&csv, &kappa_alloc_libc);
    kappa_str_t bytes = kappa_buf_view(&buf);

    assert_int_equal(kappa_csv_feed(&csv, &bytes), KAPPA_OK);
    assert_int_equal(csv.count, COUNT(texts) + 1);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_str_equal(csv.fields[i].text, texts[i]);
        assert_true(csv.fields[i].quoted || csv.fields[i].text.len > 0);
    }
    assert_false(csv.fields[COUNT(texts)].quoted);
    assert_int_equal(csv.fields[COUNT(texts)].text.len, 0);
    kappa_csv_release(&csv);
    kappa_buf_release(&buf);
}

static kappa_status_t
read_some(const kappa_alloc_t *alloc, void *ctx)
{
    kappa_buf_t out;

    (void)ctx;
    kappa_buf_init(&out, &kappa_alloc_libc);
    kappa_status_t status =
        describe(alloc, KAPPA_STR("a,\"b\"\nc,d\n"), 3, &out);
    kappa_buf_release(&out);
    return status == KAPPA_DONE ? KAPPA_OK : status;
}

static void
says_when_there_is_no_memory(void **state)
{
    (void)state;
    kappa_alloc_failing_each(read_some, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_records_however_they_are_cut),
        cmocka_unit_test(refuses_a_nul_byte),
        cmocka_unit_test(bounds_a_record),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(says_when_there_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
