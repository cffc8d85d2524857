#ifndef KAPPA_T_UNIT_FAKE_DISK_H
#define KAPPA_T_UNIT_FAKE_DISK_H

#include "log/io.h"

/* A disk in memory behind kappa_log_io_t that tells what programs see (the
 * page cache) from what would survive a loss of power. Unlike a kind disk it
 * does all that a disk may do: a failed sync marks what it did not write as
 * clean, and the power takes or leaves every unsynced sector by chance. */

#define KAPPA_FAKE_FILES 256
#define KAPPA_FAKE_FDS 64
#define KAPPA_FAKE_SECTOR 512

/* Kinds of calls, a mask for `kinds`. */
enum {
    KAPPA_FAKE_OPEN = 1,
    KAPPA_FAKE_READ = 2,
    KAPPA_FAKE_WRITE = 4,
    KAPPA_FAKE_ALLOCATE = 8,
    KAPPA_FAKE_SYNC = 16,
    KAPPA_FAKE_SYNC_DIR = 32,
    KAPPA_FAKE_RENAME = 64, /* and unlink */
    KAPPA_FAKE_LIST = 128,
    KAPPA_FAKE_LOCK = 256,
    KAPPA_FAKE_ALL = 511
};

typedef struct {
    unsigned char *cache;
    unsigned char *durable;
    unsigned char *dirty; /* one a sector */
    uint64_t size;
    uint64_t durable_size;
    uint64_t cap;
} kappa_fake_inode_t;

typedef struct {
    char name[40];
    int inode;
} kappa_fake_entry_t;

typedef struct {
    kappa_fake_entry_t entries[KAPPA_FAKE_FILES];
    int count;
} kappa_fake_dir_t;

#define KAPPA_FAKE_SNAPSHOTS 32

typedef struct {
    kappa_log_io_t io;  /* give this to the log */
    uint64_t calls;     /* of the kinds in `kinds` so far */
    unsigned kinds;     /* which calls count and can fail; 0: all */
    uint64_t fail_at;   /* from 1; 0: never */
    uint64_t fail_n;    /* how many in a row; 0: one */
    int error;          /* 0: EIO */
    bool off_at_fault;  /* nothing works from there on */
    uint64_t off_after; /* so many calls after the first fault; 0: never */
    bool off;
    int bad_inode;     /* + 1: this file can't be synced; 0: none */
    uint64_t faults;   /* that were met */
    uint64_t random;   /* the state of the generator */
    bool whole_writes; /* else a pwrite is a short one now and then */
    uint64_t room;     /* bytes that may be allocated; 0: plenty */
    /* What happened, in order, for those who want to read it: 'w' write to
     * a segment, 's' fdatasync, 'd' sync_dir, 'a' allocate, 'r' rename, 'l'
     * write of the lock file. */
    char trace[4096];
    int trace_len;
    kappa_fake_inode_t inodes[KAPPA_FAKE_FILES];
    int inode_count;
    kappa_fake_dir_t dir;
    kappa_fake_dir_t snapshots[KAPPA_FAKE_SNAPSHOTS]; /* since the last sync */
    int snapshot_count;      /* snapshots[0] is what is durable */
    int fds[KAPPA_FAKE_FDS]; /* inode + 1; 0: free */
    int locked_by;           /* fd + 1 */
} kappa_fake_disk_t;

kappa_fake_disk_t *kappa_fake_disk_create(uint64_t seed);
void kappa_fake_disk_destroy(kappa_fake_disk_t *disk);

/* A number below n. */
uint64_t kappa_fake_random(kappa_fake_disk_t *disk, uint64_t n);

/* The process died: its descriptors and locks are gone, no fault is set. */
void kappa_fake_disk_kill(kappa_fake_disk_t *disk);

/* The power went and came back. */
void kappa_fake_disk_crash(kappa_fake_disk_t *disk);

void kappa_fake_disk_forget_trace(kappa_fake_disk_t *disk);

/* The bytes of a file as programs see them; NULL: there is none. */
kappa_fake_inode_t *kappa_fake_disk_file(
    kappa_fake_disk_t *disk, const char *name);

#endif
