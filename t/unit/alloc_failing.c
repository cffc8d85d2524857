#include "t/unit/alloc_failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define RUNS_MAX 100000

static void *
failing_alloc(void *ctx, size_t size)
{
    kappa_alloc_failing_t *failing = ctx;

    if (++failing->count == failing->fail_at) {
        return NULL;
    }
    void *p = kappa_alloc_libc.alloc(NULL, size);
    failing->live += p != NULL;
    return p;
}

static void
failing_release(void *ctx, void *p)
{
    kappa_alloc_failing_t *failing = ctx;

    failing->live -= p != NULL;
    kappa_alloc_libc.release(NULL, p);
}

void
kappa_alloc_failing_init(kappa_alloc_failing_t *failing, size_t fail_at)
{
    *failing = (kappa_alloc_failing_t){
        .alloc = { failing_alloc, failing_release, failing },
        .fail_at = fail_at,
    };
}

void
kappa_alloc_failing_each(kappa_alloc_failing_run_t run, void *ctx)
{
    for (size_t n = 1; n <= RUNS_MAX; n++) {
        kappa_alloc_failing_t failing;

        kappa_alloc_failing_init(&failing, n);
        kappa_status_t status = run(&failing.alloc, ctx);

        assert_int_equal(failing.live, 0);
        if (failing.count < n) {
            assert_int_equal(status, KAPPA_OK);
            return;
        }
        assert_int_equal(status, KAPPA_NOMEM);
    }
    fail_msg("still allocating after %d runs", RUNS_MAX);
}
