#include "views/sight.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool
kappa_sight_take(int store, uint32_t generation, kappa_sight_t *sight)
{
    char about[64];
    const char *const paths[] = { "views/current", about };

    snprintf(about, sizeof(about), "views/%04u/about", generation);
    memset(sight, 0, sizeof(*sight));
    for (int i = 0; i < 2; i++) {
        struct stat st;

        if (fstatat(store, paths[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
            return false;
        }
        sight->files[i].inode = (uint64_t)st.st_ino;
        sight->files[i].changed_s = (int64_t)st.st_ctim.tv_sec;
        sight->files[i].changed_ns = (int64_t)st.st_ctim.tv_nsec;
    }
    return true;
}

bool
kappa_sight_same(const kappa_sight_t *a, const kappa_sight_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
