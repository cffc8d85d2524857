#ifndef KAPPA_T_UNIT_VIEWS_SHOP_H
#define KAPPA_T_UNIT_VIEWS_SHOP_H

#include "t/unit/views/views_fixture.h"

/* Views of a shop, and events that must be accepted or refused. */

static const char shop[] =
    "type Order @view {\n"
    "  id: ID!  customer: ID!  note: String  lines: JSON\n"
    "  address: Address  street: String  tag: String @was(name: \"label\")\n"
    "  at: DateTime! @stamp(as: \"now\")\n"
    "  by: String @stamp(as: \"auth.sub\")\n"
    "  changed: DateTime @stamp(as: \"now\", on: WRITE)\n"
    "  state: State! @default(as: \"'OPEN'\")\n"
    "}\n"
    "enum State { OPEN PAID }\n"
    "type Address { city: String  zip: String }\n"
    "input AddressInput { city: String  zip: String }\n"
    "input Details { note: String @check(if: \"value != 'bad'\","
    "  code: \"BAD_NOTE\")  street: String }\n"
    "input LineInput { sku: ID!  count: Int! @check(if: \"value > 0\","
    "  code: \"NOTHING\") }\n"
    "type Product @view(key: \"sku\")\n"
    "  @on(thing: \"Order\", verb: \"ordered\","
    "    each: \"event.data.lines\", key: [\"item.sku\"],\n"
    "    effect: PATCH, set: [\"stock = row.stock - item.count\"])\n"
    "  @check(if: \"row.stock >= 0\", code: \"OUT_OF_STOCK\") {\n"
    "  sku: ID!  stock: Int! @default(as: \"10\")  name: String\n"
    "}\n"
    "type Customer @view\n"
    "  @on(thing: \"Order\", verb: \"ordered\","
    "    key: [\"event.data.customer\"], effect: UPSERT,\n"
    "    set: [\"orders = row.orders + 1\", \"lastId = event.key\","
    "    \"lastTime = event.time\"]) {\n"
    "  id: ID!  orders: Int! @default(as: \"0\")  lastId: ID\n"
    "  lastTime: DateTime\n"
    "}\n"
    "type Member @view(key: [\"room\", \"user\"])\n"
    "  @allow(if: \"row.user == auth.sub\") {\n"
    "  room: Int!  user: ID!  level: Int\n"
    "}\n"
    "type Tally @view(key: \"sku\")\n"
    "  @on(thing: \"Count\", verb: \"told\", each: \"event.data.items\","
    "    key: [\"item.sku\"], effect: UPSERT,\n"
    "    set: [\"n = item.n\", \"s = item.s\"]) {\n"
    "  sku: ID!  n: Int  s: State  next: Int @computed(as: \"row.n + 1\")\n"
    "}\n"
    "type Big @view @index(fields: [\"text\"]) {\n"
    "  id: ID!  text: String  of: ID  n: BigInt\n"
    "  total: BigInt! @sum(field: \"n\", of: \"Big\", by: \"of\")\n"
    "}\n"
    "type Query { order(id: ID!): Order  product(sku: ID!): Product\n"
    "  customer(id: ID!): Customer  big(id: ID!): Big  tally(sku: ID!): "
    "Tally\n"
    "  member(room: Int!, user: ID!): Member }\n"
    "type Mutation {\n"
    "  order(customer: ID!, lines: [LineInput!], address: AddressInput,\n"
    "    details: Details, state: State): Order!\n"
    "    @event(thing: \"Order\", verb: \"ordered\", effect: CREATE)\n"
    "    @check(if: \"args.lines == null || size(args.lines) < 4\")\n"
    "  change(id: ID!, note: String): Order\n"
    "    @event(thing: \"Order\", verb: \"changed\", effect: PATCH,\n"
    "      set: [\"street = event.actor.sub\"])\n"
    "  join(room: Int!, user: ID!, level: Int): Member\n"
    "    @event(thing: \"Member\", verb: \"joined\", effect: UPSERT)\n"
    "  leave(room: Int!, user: ID!): Member\n"
    "    @event(thing: \"Member\", verb: \"left\", effect: DELETE)\n"
    "}\n";

static inline void
accept(views_t *v, const char *mutation, const char *args)
{
    if (views_mutate(v, mutation, args) != KAPPA_OK) {
        fail_msg(
            "%s %s: %s", mutation, args, print_errors(v->arena, &v->errors));
    }
}

static inline void
refuse(views_t *v, const char *mutation, const char *args, const char *code)
{
    kappa_status_t status = views_mutate(v, mutation, args);

    if (status == KAPPA_OK || strcmp(views_code(v), code) != 0) {
        fail_msg("%s %s: %s, not %s: %s", mutation, args, views_code(v), code,
            print_errors(v->arena, &v->errors));
    }
}

static inline void
import(views_t *v, const char *thing, kappa_effect_t effect, const char *key,
    const char *data)
{
    if (views_event(v, thing, "imported", effect, key, data) != KAPPA_OK) {
        fail_msg("%s %s %s: %s", thing, key ? key : "without a key", data,
            print_errors(v->arena, &v->errors));
    }
}

/* So many of c, in the format; the result is out. */
static inline char *
repeat(char *out, const char *format, char c, size_t n)
{
    char text[1000];

    assert_true(n < sizeof(text));
    memset(text, c, n);
    text[n] = '\0';
    sprintf(out, format, text);
    return out;
}

#endif
