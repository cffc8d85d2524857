#include "t/unit/test.h"

#include <string.h>

#include "base/crc32c.h"

typedef uint32_t (*crc_t)(uint32_t crc, const void *data, size_t n);

static const crc_t both[] = { kappa_crc32c, kappa_crc32c_portable };

/* RFC 3720 B.4. */
static void
knows_the_rfcs_values(void **state)
{
    unsigned char zeros[32] = { 0 }, ones[32], up[32], down[32];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    for (unsigned char i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (unsigned char)(31 - i);
    }
    for (size_t i = 0; i < COUNT(both); i++) {
        assert_int_equal(both[i](0, "", 0), 0);
        assert_int_equal(both[i](0, "123456789", 9), 0xe3069283);
        assert_int_equal(both[i](0, zeros, 32), 0x8a9136aa);
        assert_int_equal(both[i](0, ones, 32), 0x62a8ab43);
        assert_int_equal(both[i](0, up, 32), 0x46dd794e);
        assert_int_equal(both[i](0, down, 32), 0x113fdb5c);
    }
}

static void
continues_anywhere(void **state)
{
    unsigned char bytes[77];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * 37 + 11);
    }
    uint32_t whole = kappa_crc32c(0, bytes, sizeof(bytes));

    for (size_t i = 0; i < COUNT(both); i++) {
        for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
            uint32_t crc = both[i](0, bytes, cut);

            crc = both[i](crc, bytes + cut, sizeof(bytes) - cut);
            assert_int_equal(crc, whole);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_rfcs_values),
        cmocka_unit_test(continues_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
