#include "t/unit/test.h"

#include <fcntl.h>
#include <string.h>

#include "log/window.h"
#include "t/unit/fake_disk.h"

#define FILE_BYTES (1024 * 1024 + 13)

static unsigned char
byte_at(uint64_t at)
{
    return (unsigned char)(at * 31 + (at >> 8) * 7);
}

static int
make_file(kappa_fake_disk_t *disk)
{
    int fd = disk->io.open(disk, 1001, "f", O_RDWR | O_CREAT);

    disk->whole_writes = true;
    assert_int_equal(disk->io.fallocate(disk, fd, FILE_BYTES), 0);
    kappa_fake_inode_t *file = kappa_fake_disk_file(disk, "f");

    for (uint64_t i = 0; i < FILE_BYTES; i++) {
        file->cache[i] = byte_at(i);
    }
    return fd;
}

static void
expect(kappa_window_t *window, uint64_t at, size_t n, size_t least)
{
    kappa_str_t bytes;

    assert_int_equal(kappa_window_get(window, at, n, &bytes), KAPPA_OK);
    assert_true(bytes.len >= least);
    assert_true(at + bytes.len <= FILE_BYTES);
    for (size_t i = 0; i < bytes.len; i += i < 64 ? 1 : 97) {
        assert_int_equal((unsigned char)bytes.data[i], byte_at(at + i));
    }
}

static void
gives_what_the_file_has(void **state)
{
    static const struct {
        uint64_t at;
        size_t n, least;
    } cases[] = {
        { 0, 1, 1 },
        { 10, 100, 100 },
        { 16380, 8, 8 }, /* over the first window's end */
        { 5, 1, 1 },     /* back */
        { 300000, 400000, 400000 },
        { FILE_BYTES - 5, 5, 5 },
        { FILE_BYTES - 5, 100, 5 }, /* the end comes first */
        { FILE_BYTES, 10, 0 },
    };
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    int fd = make_file(disk);
    kappa_window_t window;

    (void)state;
    kappa_window_init(&window, &disk->io, &kappa_alloc_libc);
    kappa_window_turn(&window, fd);
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect(&window, cases[i].at, cases[i].n, cases[i].least);
    }
    kappa_window_release(&window);
    kappa_fake_disk_destroy(disk);
}

/* A little at first, more when it goes on; nothing twice. */
static void
reads_more_as_it_goes_on(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    int fd = make_file(disk);
    kappa_window_t window;

    (void)state;
    disk->kinds = KAPPA_FAKE_READ;
    disk->calls = 0;
    kappa_window_init(&window, &disk->io, &kappa_alloc_libc);
    kappa_window_turn(&window, fd);
    expect(&window, 0, 1, 1);
    assert_int_equal(disk->calls, 1);
    assert_int_equal(window.len, KAPPA_WINDOW_BYTES_MIN);
    for (uint64_t at = 0; at < FILE_BYTES - 8; at += 8) {
        expect(&window, at, 8, 8);
    }
    assert_true(disk->calls < 12);
    assert_int_equal(window.cap, KAPPA_WINDOW_BYTES_MAX);

    kappa_window_turn(&window, fd); /* it has changed */
    kappa_fake_disk_file(disk, "f")->cache[7] ^= 1;
    kappa_str_t bytes;

    assert_int_equal(kappa_window_get(&window, 7, 1, &bytes), KAPPA_OK);
    assert_int_equal((unsigned char)bytes.data[0], byte_at(7) ^ 1);
    kappa_window_release(&window);
    kappa_fake_disk_destroy(disk);
}

static void
tells_of_a_failing_read(void **state)
{
    kappa_fake_disk_t *disk = kappa_fake_disk_create(1);
    int fd = make_file(disk);
    kappa_window_t window;
    kappa_str_t bytes;

    (void)state;
    kappa_window_init(&window, &disk->io, &kappa_alloc_libc);
    kappa_window_turn(&window, fd);
    disk->kinds = KAPPA_FAKE_READ;
    disk->calls = 0;
    disk->fail_at = 1;
    disk->error = 5;
    assert_int_equal(kappa_window_get(&window, 0, 1, &bytes), KAPPA_IO);
    assert_int_equal(window.error, 5);
    expect(&window, 0, 1, 1);
    kappa_window_release(&window);
    kappa_fake_disk_destroy(disk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_file_has),
        cmocka_unit_test(reads_more_as_it_goes_on),
        cmocka_unit_test(tells_of_a_failing_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
