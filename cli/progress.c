#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

#define BAR_CHARS 40
#define REDRAW_US 100000

void
kappa_progress_start(kappa_progress_t *progress, const char *what)
{
    progress->what = what;
    progress->shown = isatty(STDERR_FILENO) == 1;
    progress->started_us = kappa_monotonic_us();
    progress->drawn_us = 0;
}

static void
draw_bar(uint64_t done, uint64_t total)
{
    char bar[BAR_CHARS + 1];
    double part = done >= total ? 1 : (double)done / (double)total;
    int full = (int)(part * BAR_CHARS);

    memset(bar, '.', BAR_CHARS);
    memset(bar, '#', (size_t)full);
    bar[BAR_CHARS] = '\0';
    fprintf(stderr, " [%s] %3d%%", bar, (int)(part * 100));
}

void
kappa_progress_show(
    kappa_progress_t *progress, uint64_t done, uint64_t total, uint64_t count)
{
    int64_t now = kappa_monotonic_us();

    if (!progress->shown || now - progress->drawn_us < REDRAW_US) {
        return;
    }
    progress->drawn_us = now;
    fprintf(stderr, "\r%s", progress->what);
    if (total != 0) {
        draw_bar(done, total);
    }
    double seconds = (double)(now - progress->started_us) / 1e6;
    fprintf(stderr, " %llu events, %.0f/s \033[K", (unsigned long long)count,
        seconds > 0 ? (double)count / seconds : 0);
    fflush(stderr);
}

void
kappa_progress_end(kappa_progress_t *progress)
{
    if (progress->shown && progress->drawn_us != 0) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
}
