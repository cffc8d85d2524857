#ifndef KAPPA_VIEWS_IDEMPOTENCY_H
#define KAPPA_VIEWS_IDEMPOTENCY_H

#include "log/event.h"
#include "views/model.h"

/* Idempotency (DESIGN 7, SEMANTICS 1). An event that came with a key keeps
 * the key, its scope and a hash of the arguments; the views remember which
 * event used a key first. Scopes:
 *
 *   /report   header Idempotency-Key: per actor and response path
 *   report    @idempotencyKey argument: per actor and mutation
 *   *         the id of an event of an import or of /events: for everyone
 */
#define KAPPA_IDEMPOTENCY_EVENT "*"

/* What a key is remembered under: SHA-256 of scope, actor and key. The actor
 * counts unless the scope is KAPPA_IDEMPOTENCY_EVENT. */
#define KAPPA_IDEMPOTENCY_BYTES 32
void kappa_idempotency_name(
    const kappa_event_t *event, uint8_t out[KAPPA_IDEMPOTENCY_BYTES]);

/* Fills key, scope and args_hash of a mutation's event. args are the caller's
 * coerced arguments, stamped ones absent: the same request has the same hash
 * at another time. The @idempotencyKey argument comes before the header; with
 * neither nothing is filled. path: the field's response name. */
kappa_status_t kappa_idempotency_of_mutation(kappa_arena_t *arena,
    const kappa_mutation_t *mutation, kappa_str_t path, kappa_str_t header,
    const kappa_value_t *args, kappa_event_t *event);

/* The same for an event with an id (idempotency_key is set): the hash covers
 * thing, verb, key and data, however their JSON is written. KAPPA_INVALID:
 * that is no JSON. */
kappa_status_t kappa_idempotency_of_event(
    kappa_arena_t *arena, kappa_event_t *event);

#endif
