#include "live/group.h"

#include "views/caller.h"

/* Who asks the same is one group. */

/* Everything an answer depends on beside the views: the question, and what
 * it reads of who asks. In live->buf. */
static kappa_status_t
group_key(kappa_live_t *live, const kappa_subscription_t *sub)
{
    kappa_buf_t *buf = &live->buf;

    kappa_buf_reset(buf);
    kappa_arena_reset(live->scratch);
    kappa_buf_printf(buf, "%zu:", sub->identity.len);
    kappa_buf_str(buf, sub->identity);
    return kappa_caller_key(sub->plan, sub->caller, live->scratch, buf);
}

static kappa_group_t *
find_group(kappa_live_t *live, kappa_str_t key, uint64_t hash)
{
    kappa_ring_t *head = &live->buckets[hash % live->bucket_count];

    for (kappa_ring_t *l = head->next; l != head; l = l->next) {
        kappa_group_t *group = KAPPA_RING_OF(l, kappa_group_t, bucket);

        if (group->hash == hash && kappa_str_eq(group->key, key)) {
            return group;
        }
    }
    return NULL;
}

static kappa_status_t
copy_caller(
    kappa_arena_t *arena, const kappa_caller_t *from, kappa_caller_t *to)
{
    *to = (kappa_caller_t){ 0 };
    if (from == NULL || from->sub.data == NULL) {
        return KAPPA_OK;
    }
    to->sub = kappa_str_dup(arena, from->sub);
    to->iss = kappa_str_dup(arena, from->iss);
    if (to->sub.data == NULL || to->iss.data == NULL
        || kappa_value_dup(arena, &from->roles, &to->roles) != KAPPA_OK
        || kappa_value_dup(arena, &from->scopes, &to->scopes) != KAPPA_OK
        || kappa_value_dup(arena, &from->claims, &to->claims) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    return KAPPA_OK;
}

/* The variables as the group keeps them: a request's end with it, so they
 * are coerced again from their own copy. */
static kappa_status_t
copy_variables(kappa_group_t *group, const kappa_value_t *variables)
{
    uint32_t count = kappa_plan_variable_count(group->plan);
    kappa_value_t *copy =
        KAPPA_NEW_ARRAY(group->arena, kappa_value_t, count + 1);

    if (copy == NULL) {
        return KAPPA_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kappa_value_dup(group->arena, &variables[i], &copy[i])
            != KAPPA_OK) {
            return KAPPA_NOMEM;
        }
    }
    group->variables = copy;
    return KAPPA_OK;
}

static kappa_status_t
fill_group(kappa_live_t *live, kappa_group_t *group, kappa_str_t key,
    const kappa_subscription_t *sub)
{
    const kappa_binding_t *binding = kappa_plan_root(sub->plan, 0)->binding;

    group->plan = sub->plan;
    group->key = kappa_str_dup(group->arena, key);
    if (group->key.data == NULL
        || copy_caller(group->arena, sub->caller, &group->caller) != KAPPA_OK
        || copy_variables(group, sub->variables) != KAPPA_OK) {
        return KAPPA_NOMEM;
    }
    if (binding != NULL && binding->kind == KAPPA_BIND_CHANGES) {
        group->changes = binding->data;
        return kappa_stream_open(live, group, sub->errors);
    }
    return KAPPA_OK;
}

static kappa_status_t
create_group(kappa_live_t *live, kappa_str_t key, uint64_t hash,
    const kappa_subscription_t *sub, kappa_group_t **out)
{
    kappa_arena_t *arena = kappa_arena_create(live->alloc, 0);
    kappa_group_t *group = arena ? KAPPA_NEW(arena, kappa_group_t) : NULL;

    if (group == NULL) {
        kappa_arena_destroy(arena);
        return KAPPA_NOMEM;
    }
    group->arena = arena;
    group->hash = hash;
    kappa_ring_init(&group->subscribers);

    kappa_status_t status = fill_group(live, group, key, sub);
    if (status != KAPPA_OK) {
        kappa_arena_destroy(arena);
        return status;
    }
    kappa_plan_retain(group->plan);
    kappa_ring_append(
        &live->buckets[hash % live->bucket_count], &group->bucket);
    kappa_ring_append(&live->groups, &group->all);
    if (group->changes != NULL) {
        kappa_ring_append(&live->streams, &group->stream);
    }
    live->stats.groups++;
    *out = group;
    return KAPPA_OK;
}

kappa_status_t
kappa_group_of(
    kappa_live_t *live, const kappa_subscription_t *sub, kappa_group_t **out)
{
    kappa_status_t status = group_key(live, sub);

    if (status != KAPPA_OK) {
        return status;
    }
    kappa_str_t key = kappa_buf_view(&live->buf);
    uint64_t hash = kappa_str_hash(key);

    *out = find_group(live, key, hash);
    return *out ? KAPPA_OK : create_group(live, key, hash, sub, out);
}

void
kappa_group_destroy(kappa_live_t *live, kappa_group_t *group)
{
    kappa_watch_clear(live->watches, &group->watcher);
    kappa_ring_remove(&group->dirty);
    kappa_ring_remove(&group->bucket);
    kappa_ring_remove(&group->all);
    kappa_ring_remove(&group->stream);
    kappa_stream_close(group);
    kappa_frame_release(group->latest);
    kappa_plan_release(group->plan);
    live->stats.groups--;
    kappa_arena_destroy(group->arena);
}

void
kappa_group_tell(kappa_group_t *group)
{
    kappa_ring_t *head = &group->subscribers;
    kappa_ring_t *place = &group->place;

    /* A subscriber may leave from within ready: a link of our own keeps the
     * place. The group lives on until the caller looks at its subscribers. */
    kappa_ring_insert(head, place);
    while (place->next != head) {
        kappa_ring_t *link = place->next;
        kappa_subscriber_t *subscriber =
            KAPPA_RING_OF(link, kappa_subscriber_t, link);

        kappa_ring_remove(place);
        kappa_ring_insert(link, place);
        if (!subscriber->told) {
            subscriber->told = true;
            subscriber->ready(subscriber);
        }
    }
    kappa_ring_remove(place);
}
