#ifndef KAPPA_T_UNIT_VIEWS_KEEP_SCHEMA_H
#define KAPPA_T_UNIT_VIEWS_KEEP_SCHEMA_H

/* Views whose rows leave, and what is made of them. */

static const char kept[] =
    "type Reading @view(keep: \"10s\")"
    " @index(fields: [\"device\", \"value\"])"
    " @index(fields: [\"tag\"], unique: true)"
    " @check(if: \"old == null || row.value >= old.value - 60\","
    "   code: \"FELL\") {\n"
    "  id: ID!  device: ID  hour: ID  value: Int!  tag: ID\n"
    "  seen: Int! @stamp(as: \"old == null ? 1 : old.seen + 1\", on: WRITE)\n"
    "}\n"
    "type Device @view"
    " @on(thing: \"Look\", verb: \"done\", key: [\"event.data.device\"],"
    "   effect: UPSERT,"
    "   set: [\"last = Reading(event.data.reading).value\"]) {\n"
    "  id: ID!  last: Int\n"
    "  readings: Int! @count(of: \"Reading\", by: \"device\")\n"
    "  high: Int! @count(of: \"Reading\", by: \"device\","
    "    where: \"row.value > 0\")\n"
    "  total: BigInt! @sum(field: \"value\", of: \"Reading\","
    "    by: \"device\")\n"
    "  mean: Float @avg(field: \"value\", of: \"Reading\", by: \"device\")\n"
    "  low: Int @min(field: \"value\", of: \"Reading\", by: \"device\")\n"
    "  top: Int @max(field: \"value\", of: \"Reading\", by: \"device\","
    "    where: \"row.value < 90\")\n"
    "}\n"
    "type Hour @view(key: \"name\") @groupBy(of: \"Reading\", by: \"hour\") "
    "{\n"
    "  name: ID!  readings: Int! @count  low: Int @min(field: \"value\")\n"
    "}\n"
    "type Brief @view(key: \"name\", keep: \"15s\")"
    " @groupBy(of: \"Reading\", by: \"hour\") {\n"
    "  name: ID!  readings: Int! @count  total: BigInt! @sum(field: "
    "\"value\")\n"
    "}\n"
    "type Clock @view(key: \"name\") {\n"
    "  name: ID!\n"
    "  all: BigInt! @sum(field: \"readings\", of: \"Hour\", by: \"name\")\n"
    "  brief: BigInt! @sum(field: \"readings\", of: \"Brief\", by: \"name\")\n"
    "}\n"
    "type Query { reading(id: ID!): Reading  device(id: ID!): Device"
    " hour(name: ID!): Hour  brief(name: ID!): Brief"
    " clock(name: ID!): Clock\n"
    " readings(device: ID!, first: Int, after: String, last: Int,"
    "   before: String): Readings! keys(first: Int): [Reading!]! }\n"
    "type Readings { nodes: [Reading!]! totalCount: Int pageInfo: PageInfo! "
    "}\n";

#define KEEP_MS 10000
#define BRIEF_MS 15000

#endif
