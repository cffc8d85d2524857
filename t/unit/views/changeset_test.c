#include "t/unit/views/views_fixture.h"

#include "views/changeset.h"

/* What a caller passes is memory with anything in it: all of it is set, also
 * what only rows of several types have. */
static void
a_row_is_given_whole(void **state)
{
    static const uint8_t stored[8];
    kappa_str_t cells[1] = { { 0 } };
    kappa_changeset_t set = { .number = 7 };
    kappa_view_t view = { .column_count = 1 };
    const struct {
        uint64_t event;
        const uint8_t *data;
        const kappa_str_t *cells;
    } cases[] = {
        { 6, stored, NULL }, /* as the events before left it */
        { 7, NULL, cells },  /* as this event leaves it */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        kappa_node_t node = { .view = &view,
            .row = stored,
            .event = cases[i].event,
            .cells = cells };
        kappa_scope_row_t row;

        memset(&row, 0xff, sizeof(row));
        kappa_node_row(&set, &node, &row);
        assert_ptr_equal(row.view, &view);
        assert_ptr_equal(row.data, cases[i].data);
        assert_ptr_equal(row.cells, cases[i].cells);
        assert_null(row.columns);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_given_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
