#include "views/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <unistd.h>

#include "base/uuid.h"
#include "views/file.h"

#define NAME "secret"
#define SECRET_BYTES 32
#define PURPOSE "cursors of kappa"

static kappa_status_t
failed(kappa_errors_t *errors, const char *what)
{
    kappa_errors_add(errors, "STORE_UNAVAILABLE",
        "can't %s %s of the store: %s", what, NAME, strerror(errno));
    return KAPPA_IO;
}

/* KAPPA_NOT_FOUND: there is none. */
static kappa_status_t
read_secret(int dir, uint8_t secret[SECRET_BYTES], kappa_errors_t *errors)
{
    uint8_t more;
    int fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno == ENOENT ? KAPPA_NOT_FOUND : failed(errors, "open");
    }
    ssize_t n = pread(fd, secret, SECRET_BYTES, 0);
    bool whole = n == SECRET_BYTES && pread(fd, &more, 1, n) == 0;
    close(fd);
    if (n < 0) {
        return failed(errors, "read");
    }
    if (!whole) {
        kappa_errors_add(errors, "STORE_UNAVAILABLE",
            "%s of the store is not what kappa wrote; delete it: cursors "
            "that clients have will be refused, nothing else is lost",
            NAME);
        return KAPPA_CORRUPT;
    }
    return KAPPA_OK;
}

static bool
write_new(int dir, const char *name)
{
    uint8_t secret[SECRET_BYTES];
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        return false;
    }
    kappa_random(secret, sizeof secret);
    bool ok = write(fd, secret, sizeof secret) == (ssize_t)sizeof secret
        && fsync(fd) == 0;
    OPENSSL_cleanse(secret, sizeof secret);
    return close(fd) == 0 && ok;
}

/* Written under a name of its own and linked: nobody reads half of it. */
kappa_status_t
kappa_secret_make(int dir, kappa_errors_t *errors)
{
    char name[64];
    uint8_t random[8];
    uint64_t number;

    if (faccessat(dir, NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return KAPPA_OK;
    }
    kappa_random(random, sizeof random);
    memcpy(&number, random, sizeof number);
    snprintf(name, sizeof name, NAME ".%016llx", (unsigned long long)number);
    bool ok = write_new(dir, name)
        && (linkat(dir, name, dir, NAME, 0) == 0 || errno == EEXIST);
    int error = errno;
    (void)unlinkat(dir, name, 0);
    errno = error;
    return ok ? kappa_dir_sync(dir, errors) : failed(errors, "make");
}

kappa_status_t
kappa_secret_cursors(
    int dir, uint8_t key[KAPPA_SIV_KEY_BYTES], kappa_errors_t *errors)
{
    uint8_t bytes[SECRET_BYTES + sizeof PURPOSE] = { 0 };
    kappa_status_t status = read_secret(dir, bytes, errors);

    if (status == KAPPA_NOT_FOUND) {
        status = kappa_secret_make(dir, errors);
        if (status == KAPPA_OK) {
            status = read_secret(dir, bytes, errors);
        }
    }
    if (status == KAPPA_OK) {
        memcpy(bytes + SECRET_BYTES, PURPOSE, sizeof PURPOSE);
        SHA256(bytes, sizeof bytes, key);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return status == KAPPA_NOT_FOUND ? failed(errors, "open") : status;
}
