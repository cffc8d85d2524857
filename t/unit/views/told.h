#ifndef KAPPA_T_UNIT_VIEWS_TOLD_H
#define KAPPA_T_UNIT_VIEWS_TOLD_H

#include "t/unit/views/views_fixture.h"

/* Random histories: an event is told to a model, which is nothing but arrays
 * and loops and says what must come of it, and to views. */

#define NIL (-1000) /* a model's null */

typedef struct {
    const char *thing, *verb;
    kappa_effect_t effect;
    char key[32]; /* "": none */
    char data[2048];
} told_t;

static inline uint32_t
any(uint32_t n)
{
    return (uint32_t)(kappa_test_random() >> 20) % n;
}

/* --- JSON of a model */

static inline void
add_id(kappa_buf_t *buf, const char *prefix, int n)
{
    if (n == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_buf_printf(buf, "\"%s%d\"", prefix, n);
    }
}

static inline void
add_int(kappa_buf_t *buf, long n)
{
    if (n == NIL) {
        KAPPA_BUF_LIT(buf, "null");
    } else {
        kappa_buf_printf(buf, "%ld", n);
    }
}

/* The mean of `count` that are `total` together. */
static inline void
add_mean(kappa_buf_t *buf, long total, int count)
{
    if (count) {
        kappa_json_double(buf, (double)total / count);
    } else {
        KAPPA_BUF_LIT(buf, "null");
    }
}

/* --- events */

static inline kappa_effect_t
any_effect(void)
{
    static const kappa_effect_t effects[] = { KAPPA_EFFECT_CREATE,
        KAPPA_EFFECT_PUT, KAPPA_EFFECT_PATCH, KAPPA_EFFECT_UPSERT,
        KAPPA_EFFECT_DELETE };

    return effects[any(COUNT(effects))];
}

/* The code with which an effect is refused because there is a row, or none;
 * else NULL. */
static inline const char *
refusal(kappa_effect_t effect, bool exists)
{
    if (effect == KAPPA_EFFECT_CREATE && exists) {
        return "ALREADY_EXISTS";
    }
    if ((effect == KAPPA_EFFECT_PATCH || effect == KAPPA_EFFECT_DELETE)
        && !exists) {
        return "NOT_FOUND";
    }
    return NULL;
}

/* Tells the views; code: of the refusal that must come, else NULL. */
static inline void
tell_views(views_t *v, const told_t *told, const char *code)
{
    (void)views_event(v, told->thing, told->verb, told->effect,
        told->key[0] ? told->key : NULL, told->data);
    if (strcmp(views_code(v), code ? code : "accepted") != 0) {
        fail_msg("event %llu: %d %s %s %s: %s, not %s: %s",
            (unsigned long long)v->seq, told->effect, told->thing, told->key,
            told->data, views_code(v), code ? code : "accepted",
            print_errors(v->arena, &v->errors));
    }
}

/* A row, as its JSON, or "none". */
static inline void
compare_row(
    views_t *v, const char *view, const char *key, const kappa_buf_t *want)
{
    kappa_str_t is = views_row(v, view, key);

    if (!kappa_str_eq(is, kappa_buf_view(want))) {
        fail_msg("after event %llu, %.*s of %.*s, %s %s is\n%.*s\nnot\n%.*s",
            (unsigned long long)v->seq, KAPPA_STR_ARG(v->event.data),
            KAPPA_STR_ARG(v->event.thing), view, key, KAPPA_STR_ARG(is),
            KAPPA_STR_ARG(kappa_buf_view(want)));
    }
}

#endif
