#include "t/unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "views/secret.h"

typedef struct {
    char path[64];
    int dir;
} place_t;

static void
open_place(place_t *p)
{
    strcpy(p->path, "/tmp/kappa-secret-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    p->dir = open(p->path, O_RDONLY | O_DIRECTORY);
    assert_true(p->dir >= 0);
}

static void
close_place(place_t *p)
{
    (void)unlinkat(p->dir, "secret", 0);
    close(p->dir);
    assert_int_equal(rmdir(p->path), 0); /* nothing else is left */
}

static void
is_made_once_for_its_owner(void **state)
{
    place_t p, other;
    uint8_t first[KAPPA_SIV_KEY_BYTES], again[KAPPA_SIV_KEY_BYTES];
    struct stat st;

    (void)state;
    open_place(&p);
    open_place(&other);
    umask(0);
    assert_int_equal(kappa_secret_cursors(p.dir, first, NULL), KAPPA_OK);
    assert_int_equal(kappa_secret_make(p.dir, NULL), KAPPA_OK);
    assert_int_equal(kappa_secret_cursors(p.dir, again, NULL), KAPPA_OK);
    assert_memory_equal(first, again, sizeof(first));
    assert_int_equal(fstatat(p.dir, "secret", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(kappa_secret_cursors(other.dir, again, NULL), KAPPA_OK);
    assert_memory_not_equal(first, again, sizeof(first));
    close_place(&p);
    close_place(&other);
}

static void *
make_key(void *arg)
{
    uint8_t *key = arg;
    int dir;

    memcpy(&dir, key, sizeof(dir));
    assert_int_equal(kappa_secret_cursors(dir, key, NULL), KAPPA_OK);
    return NULL;
}

static void
all_who_make_it_have_the_same(void **state)
{
    place_t p;
    pthread_t threads[8];
    uint8_t keys[8][KAPPA_SIV_KEY_BYTES];

    (void)state;
    open_place(&p);
    for (int i = 0; i < 8; i++) {
        memcpy(keys[i], &p.dir, sizeof(p.dir));
        assert_int_equal(
            pthread_create(&threads[i], NULL, make_key, keys[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_memory_equal(keys[i], keys[0], sizeof(keys[0]));
    }
    close_place(&p);
}

/* What kappa did not write is refused, with what to do. */
static void
refuses_what_is_no_secret(void **state)
{
    static const size_t sizes[] = { 0, 31, 33 };
    uint8_t key[KAPPA_SIV_KEY_BYTES];
    kappa_arena_t *arena = kappa_arena_create(&kappa_alloc_libc, 0);
    kappa_errors_t errors;
    place_t p;

    (void)state;
    open_place(&p);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = openat(p.dir, "secret", O_CREAT | O_TRUNC | O_WRONLY, 0600);

        assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
        close(fd);
        kappa_errors_init(&errors, arena, 1);
        assert_int_equal(
            kappa_secret_cursors(p.dir, key, &errors), KAPPA_CORRUPT);
        assert_string_equal(errors.first->code, "STORE_UNAVAILABLE");
        assert_non_null(strstr(errors.first->message.data, "delete it"));
    }
    close_place(&p);
    open_place(&p);
    assert_int_equal(symlinkat("/etc/passwd", p.dir, "secret"), 0);
    kappa_errors_init(&errors, arena, 1);
    assert_int_equal(kappa_secret_cursors(p.dir, key, &errors), KAPPA_IO);
    close_place(&p);
    kappa_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_made_once_for_its_owner),
        cmocka_unit_test(all_who_make_it_have_the_same),
        cmocka_unit_test(refuses_what_is_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
