#include "t/unit/views/views_fixture.h"

static const char catalogue[] =
    "type Package @view(key: \"name\") @index(fields: [\"section\", \"name\"])"
    " @index(fields: [\"section\", \"size\"]) {\n"
    "  name: ID!  version: String!  size: Int!  section: ID!\n"
    "  maintainer: String!\n"
    "  installs: Int! @count(of: \"Report\", by: \"package\","
    "    where: \"row.kind == 'INSTALLED'\")\n"
    "}\n"
    "type Section @view(key: \"name\")"
    " @groupBy(of: \"Package\", by: \"section\") {\n"
    "  name: ID!  packages: Int! @count  bytes: BigInt! @sum(field: "
    "\"size\")\n"
    "  largest: Int @max(field: \"size\")\n"
    "}\n"
    "enum ReportKind { INSTALLED REMOVED BROKEN }\n"
    "type Report @view @index(fields: [\"package\", \"at\"]) {\n"
    "  id: ID!  package: ID!  kind: ReportKind!\n"
    "  by: String @stamp(as: \"auth.sub\") @allow(if: \"auth.sub != null\")\n"
    "  at: DateTime! @stamp(as: \"now\")\n"
    "}\n"
    "type Query { package(name: ID!): Package section(name: ID!): Section }\n"
    "type Mutation {\n"
    "  report(package: ID!, kind: ReportKind!): Report!\n"
    "    @event(thing: \"Report\", verb: \"reported\", effect: CREATE)\n"
    "    @check(if: \"Package(args.package) != null\","
    "      code: \"NO_SUCH_PACKAGE\")\n"
    "  retire(name: ID!): Package\n"
    "    @event(thing: \"Package\", verb: \"retired\", effect: DELETE)\n"
    "}\n";

static void
put_package(views_t *v, const char *key, const char *data)
{
    if (views_event(v, "Package", "uploaded", KAPPA_EFFECT_PUT, key, data)
        != KAPPA_OK) {
        fail_msg("%s: %s", key, print_errors(v->arena, &v->errors));
    }
}

static void
keeps_the_catalogue(void **state)
{
    views_t v;

    (void)state;
    views_open(&v, catalogue);
    put_package(&v, "\"bash\"",
        "{\"version\":\"5.2\",\"size\":100,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    put_package(&v, "\"zsh\"",
        "{\"version\":\"5.9\",\"size\":70,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Section", "\"shells\""),
        "{\"name\":\"shells\",\"packages\":2,\"bytes\":\"170\","
        "\"largest\":100}");
    views_commit(&v);
    views_begin(&v);

    put_package(&v, "\"bash\"",
        "{\"version\":\"5.3\",\"size\":60,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Section", "\"shells\""),
        "{\"name\":\"shells\",\"packages\":2,\"bytes\":\"130\","
        "\"largest\":70}");

    v.caller.sub = KAPPA_STR("ann");
    assert_int_equal(views_mutate(&v, "report",
                         "{\"package\":\"bash\",\"kind\":\"INSTALLED\"}"),
        KAPPA_OK);
    assert_str_equal(v.event.data,
        "{\"package\":\"bash\",\"kind\":\"INSTALLED\",\"by\":\"ann\","
        "\"at\":\"2026-09-21T14:13:20.000Z\"}");
    assert_str_equal(views_row(&v, "Package", "\"bash\""),
        "{\"name\":\"bash\",\"version\":\"5.3\",\"size\":60,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":1}");

    assert_int_equal(views_mutate(&v, "report",
                         "{\"package\":\"nope\",\"kind\":\"INSTALLED\"}"),
        KAPPA_INVALID);
    assert_string_equal(views_code(&v), "NO_SUCH_PACKAGE");

    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"zsh\"}"), KAPPA_OK);
    assert_int_equal(v.event.effect, KAPPA_EFFECT_DELETE);
    assert_str_equal(v.event.row,
        "{\"name\":\"zsh\",\"version\":\"5.9\",\"size\":70,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":0}");
    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"zsh\"}"), KAPPA_INVALID);
    assert_string_equal(views_code(&v), "NOT_FOUND");
    views_commit(&v);
    views_begin(&v);
    assert_int_equal(
        views_mutate(&v, "retire", "{\"name\":\"bash\"}"), KAPPA_OK);
    assert_str_equal(views_row(&v, "Section", "\"shells\""), "none");
    put_package(&v, "\"bash\"",
        "{\"version\":\"6\",\"size\":60,\"section\":\"shells\","
        "\"maintainer\":\"m\"}");
    assert_str_equal(views_row(&v, "Package", "\"bash\""),
        "{\"name\":\"bash\",\"version\":\"6\",\"size\":60,"
        "\"section\":\"shells\",\"maintainer\":\"m\",\"installs\":1}");
    views_close(&v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_catalogue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
