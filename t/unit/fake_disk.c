#include "t/unit/fake_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_DIR 1000
#define LOG_DIR 1001

uint64_t
kappa_fake_random(kappa_fake_disk_t *disk, uint64_t n)
{
    disk->random ^= disk->random << 13;
    disk->random ^= disk->random >> 7;
    disk->random ^= disk->random << 17;
    return disk->random % n;
}

static void
trace(kappa_fake_disk_t *disk, char what)
{
    if (disk->trace_len < (int)sizeof(disk->trace) - 1) {
        disk->trace[disk->trace_len++] = what;
        disk->trace[disk->trace_len] = '\0';
    }
}

/* 0, or what the call must return. */
static int
fault(kappa_fake_disk_t *disk, unsigned kind)
{
    int error = disk->error ? disk->error : EIO;
    uint64_t n = disk->fail_n ? disk->fail_n : 1;

    if (disk->off) {
        return -error;
    }
    if (disk->off_after != 0 && disk->faults > 0 && --disk->off_after == 0) {
        disk->off = true;
        return -error;
    }
    if (disk->kinds != 0 && (disk->kinds & kind) == 0) {
        return 0;
    }
    disk->calls++;
    if (disk->fail_at == 0 || disk->calls < disk->fail_at
        || disk->calls - disk->fail_at >= n) {
        return 0;
    }
    disk->off = disk->off_at_fault;
    disk->faults++;
    return -error;
}

static kappa_fake_inode_t *
inode_of(kappa_fake_disk_t *disk, int fd)
{
    return &disk->inodes[disk->fds[fd] - 1];
}

static int
entry_of(const kappa_fake_dir_t *dir, const char *name)
{
    for (int i = 0; i < dir->count; i++) {
        if (strcmp(dir->entries[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* The directory is about to change; a crash may show any state since the last
 * sync. */
static void
changed(kappa_fake_disk_t *disk)
{
    if (disk->snapshot_count < KAPPA_FAKE_SNAPSHOTS) {
        disk->snapshot_count++;
    }
    disk->snapshots[disk->snapshot_count - 1] = disk->dir;
}

static int
fake_open_dir(void *ctx, const char *path, bool create)
{
    size_t len = strlen(path);

    (void)ctx;
    (void)create;
    return len > 4 && strcmp(path + len - 4, "/log") == 0 ? LOG_DIR
                                                          : STORE_DIR;
}

static int
new_inode(kappa_fake_disk_t *disk)
{
    if (disk->inode_count == KAPPA_FAKE_FILES) {
        abort();
    }
    return disk->inode_count++;
}

static int
fake_open(void *ctx, int dir, const char *name, int flags)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_OPEN);
    int entry = entry_of(&disk->dir, name);

    (void)dir;
    if (rc < 0) {
        return rc;
    }
    if (entry >= 0 && (flags & O_EXCL)) {
        return -EEXIST;
    }
    if (entry < 0 && !(flags & O_CREAT)) {
        return -ENOENT;
    }
    if (entry < 0) {
        entry = disk->dir.count++;
        snprintf(disk->dir.entries[entry].name,
            sizeof(disk->dir.entries[entry].name), "%s", name);
        disk->dir.entries[entry].inode = new_inode(disk);
        changed(disk);
    }
    for (int fd = 0; fd < KAPPA_FAKE_FDS; fd++) {
        if (disk->fds[fd] == 0) {
            disk->fds[fd] = disk->dir.entries[entry].inode + 1;
            return fd;
        }
    }
    abort();
}

static void
fake_close(void *ctx, int fd)
{
    kappa_fake_disk_t *disk = ctx;

    if (fd >= STORE_DIR) {
        return;
    }
    if (disk->locked_by == fd + 1) {
        disk->locked_by = 0;
    }
    disk->fds[fd] = 0;
}

static int64_t
fake_size(void *ctx, int fd)
{
    return (int64_t)inode_of(ctx, fd)->size;
}

static int
fake_is_named(void *ctx, int dir, const char *name, int fd)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_OPEN);
    int entry = entry_of(&disk->dir, name);

    (void)dir;
    return rc < 0
        ? rc
        : entry >= 0 && disk->dir.entries[entry].inode + 1 == disk->fds[fd];
}

static ssize_t
fake_pread(void *ctx, int fd, void *to, size_t n, uint64_t at)
{
    kappa_fake_disk_t *disk = ctx;
    kappa_fake_inode_t *inode = inode_of(disk, fd);
    int rc = fault(disk, KAPPA_FAKE_READ);

    if (rc < 0) {
        return rc;
    }
    if (at >= inode->size) {
        return 0;
    }
    n = n < inode->size - at ? n : (size_t)(inode->size - at);
    memcpy(to, inode->cache + at, n);
    return (ssize_t)n;
}

static void
reach(kappa_fake_inode_t *inode, uint64_t size)
{
    if (size > inode->cap) {
        uint64_t cap = (size + KAPPA_FAKE_SECTOR - 1) / KAPPA_FAKE_SECTOR
            * KAPPA_FAKE_SECTOR;

        inode->cache = realloc(inode->cache, cap);
        inode->durable = realloc(inode->durable, cap);
        inode->dirty = realloc(inode->dirty, cap / KAPPA_FAKE_SECTOR);
        memset(inode->cache + inode->cap, 0, cap - inode->cap);
        memset(inode->durable + inode->cap, 0, cap - inode->cap);
        memset(inode->dirty + inode->cap / KAPPA_FAKE_SECTOR, 0,
            (cap - inode->cap) / KAPPA_FAKE_SECTOR);
        inode->cap = cap;
    }
    inode->size = size > inode->size ? size : inode->size;
}

static void
store(kappa_fake_inode_t *inode, const void *from, size_t n, uint64_t at)
{
    if (n == 0) {
        return;
    }
    reach(inode, at + n);
    memcpy(inode->cache + at, from, n);
    for (uint64_t s = at / KAPPA_FAKE_SECTOR;
         s <= (at + n - 1) / KAPPA_FAKE_SECTOR; s++) {
        inode->dirty[s] = 1;
    }
}

/* The write that fails leaves a part of it behind, as the power does. */
static ssize_t
fake_pwrite(void *ctx, int fd, const void *from, size_t n, uint64_t at)
{
    kappa_fake_disk_t *disk = ctx;
    kappa_fake_inode_t *inode = inode_of(disk, fd);
    bool was_off = disk->off;
    int rc = fault(disk, KAPPA_FAKE_WRITE);

    if (rc < 0 && disk->off && !was_off) {
        store(inode, from, (size_t)kappa_fake_random(disk, n + 1), at);
    }
    if (rc < 0) {
        return rc;
    }
    trace(disk, inode->size < 1024 ? 'l' : 'w');
    if (!disk->whole_writes && n > 1 && kappa_fake_random(disk, 8) == 0) {
        n = 1 + (size_t)kappa_fake_random(disk, n - 1); /* a short one */
    }
    store(inode, from, n, at);
    return (ssize_t)n;
}

static int
fake_fallocate(void *ctx, int fd, uint64_t size)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_ALLOCATE);

    if (rc < 0) {
        return rc;
    }
    if (disk->room != 0) {
        if (size > disk->room - 1) {
            return -ENOSPC;
        }
        disk->room -= size;
    }
    trace(disk, 'a');
    reach(inode_of(disk, fd), size);
    return 0;
}

static void
write_back(kappa_fake_inode_t *inode, uint64_t sector)
{
    memcpy(inode->durable + sector * KAPPA_FAKE_SECTOR,
        inode->cache + sector * KAPPA_FAKE_SECTOR, KAPPA_FAKE_SECTOR);
}

/* Each dirty sector by chance; all when `all`. They are clean then. */
static void
sync_inode(kappa_fake_disk_t *disk, kappa_fake_inode_t *inode, bool all)
{
    for (uint64_t s = 0; s < inode->cap / KAPPA_FAKE_SECTOR; s++) {
        if (inode->dirty[s] && (all || kappa_fake_random(disk, 2) == 0)) {
            write_back(inode, s);
        }
        inode->dirty[s] = 0;
    }
    if (all || kappa_fake_random(disk, 2) == 0) {
        inode->durable_size = inode->size;
    }
}

static bool
is_dirty(const kappa_fake_inode_t *inode)
{
    return memchr(inode->dirty, 1, inode->cap / KAPPA_FAKE_SECTOR) != NULL;
}

static int
fake_fdatasync(void *ctx, int fd)
{
    kappa_fake_disk_t *disk = ctx;
    bool was_off = disk->off;
    int rc = fault(disk, KAPPA_FAKE_SYNC);

    if (disk->bad_inode == disk->fds[fd] && is_dirty(inode_of(disk, fd))) {
        rc = -EIO;
    }
    if (rc == 0) {
        trace(disk, 's');
        sync_inode(disk, inode_of(disk, fd), true);
    } else if (!was_off) {
        sync_inode(disk, inode_of(disk, fd), false);
    }
    return rc;
}

static int
fake_sync_dir(void *ctx, int dir)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_SYNC_DIR);

    if (rc == 0 && dir == LOG_DIR) {
        trace(disk, 'd');
        disk->snapshots[0] = disk->dir;
        disk->snapshot_count = 1;
    }
    return rc;
}

static void
remove_entry(kappa_fake_dir_t *dir, int entry)
{
    dir->entries[entry] = dir->entries[--dir->count];
}

static int
fake_rename(void *ctx, int dir, const char *from, const char *to)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_RENAME);
    int old = entry_of(&disk->dir, from), over = entry_of(&disk->dir, to);

    (void)dir;
    if (rc < 0) {
        return rc;
    }
    if (old < 0) {
        return -ENOENT;
    }
    trace(disk, 'r');
    snprintf(disk->dir.entries[old].name, sizeof(disk->dir.entries[old].name),
        "%s", to);
    if (over >= 0) {
        remove_entry(&disk->dir, over);
    }
    changed(disk);
    return 0;
}

static int
fake_unlink(void *ctx, int dir, const char *name)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_RENAME);
    int entry = entry_of(&disk->dir, name);

    (void)dir;
    if (rc < 0 || entry < 0) {
        return rc < 0 ? rc : -ENOENT;
    }
    remove_entry(&disk->dir, entry);
    changed(disk);
    return 0;
}

static int
fake_list(
    void *ctx, int dir, bool (*each)(void *arg, const char *name), void *arg)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_LIST);

    (void)dir;
    for (int i = 0; rc == 0 && i < disk->dir.count; i++) {
        if (!each(arg, disk->dir.entries[i].name)) {
            break;
        }
    }
    return rc;
}

static int
fake_lock(void *ctx, int fd, int patience_ms)
{
    kappa_fake_disk_t *disk = ctx;
    int rc = fault(disk, KAPPA_FAKE_LOCK);

    if (rc < 0) {
        return rc;
    }
    if (disk->locked_by != 0 && disk->locked_by != fd + 1) {
        if (patience_ms > 0) {
            abort(); /* for ever, in one process */
        }
        return -EWOULDBLOCK;
    }
    disk->locked_by = fd + 1;
    return 0;
}

static int
fake_unlock(void *ctx, int fd)
{
    kappa_fake_disk_t *disk = ctx;

    if (disk->locked_by == fd + 1) {
        disk->locked_by = 0;
    }
    return 0;
}

kappa_fake_disk_t *
kappa_fake_disk_create(uint64_t seed)
{
    kappa_fake_disk_t *disk = calloc(1, sizeof(*disk));

    disk->io = (kappa_log_io_t){ fake_open_dir, fake_open, fake_close,
        fake_size, fake_is_named, fake_pread, fake_pwrite, fake_fallocate,
        fake_fdatasync, fake_sync_dir, fake_rename, fake_unlink, fake_list,
        fake_lock, fake_unlock, disk };
    disk->random = seed * 0x9e3779b97f4a7c15ULL | 1;
    disk->snapshot_count = 1;
    return disk;
}

void
kappa_fake_disk_destroy(kappa_fake_disk_t *disk)
{
    for (int i = 0; i < disk->inode_count; i++) {
        free(disk->inodes[i].cache);
        free(disk->inodes[i].durable);
        free(disk->inodes[i].dirty);
    }
    free(disk);
}

void
kappa_fake_disk_kill(kappa_fake_disk_t *disk)
{
    memset(disk->fds, 0, sizeof(disk->fds));
    disk->locked_by = 0;
    disk->off = false;
    disk->off_at_fault = false;
    disk->fail_at = 0;
    disk->off_after = 0;
}

void
kappa_fake_disk_crash(kappa_fake_disk_t *disk)
{
    kappa_fake_disk_kill(disk);
    disk->dir = disk->snapshots[kappa_fake_random(
        disk, (uint64_t)disk->snapshot_count)];
    disk->snapshots[0] = disk->dir;
    disk->snapshot_count = 1;
    for (int i = 0; i < disk->inode_count; i++) {
        kappa_fake_inode_t *inode = &disk->inodes[i];

        sync_inode(disk, inode, false);
        inode->size = inode->durable_size;
        if (inode->cap > inode->size) {
            memset(inode->durable + inode->size, 0, inode->cap - inode->size);
        }
        if (inode->cap > 0) {
            memcpy(inode->cache, inode->durable, inode->cap);
        }
    }
}

kappa_fake_inode_t *
kappa_fake_disk_file(kappa_fake_disk_t *disk, const char *name)
{
    int entry = entry_of(&disk->dir, name);

    return entry < 0 ? NULL : &disk->inodes[disk->dir.entries[entry].inode];
}

void
kappa_fake_disk_forget_trace(kappa_fake_disk_t *disk)
{
    disk->trace_len = 0;
    disk->trace[0] = '\0';
}
