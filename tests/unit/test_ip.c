/* Where addresses lead (security exam, e16): by the address that is connected to, however it was written. */
#include "vectors.h"

#include "core/ip.h"

static const struct {
    const char *address;
    enum ip_scope scope;
} rows[] = {
    { "127.0.0.1", IP_LOOPBACK },          { "127.255.255.254", IP_LOOPBACK },  { "::1", IP_LOOPBACK },
    { "::ffff:127.0.0.1", IP_LOOPBACK },   { "10.0.0.1", IP_PRIVATE },          { "172.16.0.1", IP_PRIVATE },
    { "172.31.255.255", IP_PRIVATE },      { "172.32.0.1", IP_PUBLIC },         { "192.168.1.1", IP_PRIVATE },
    { "100.64.0.1", IP_PRIVATE },          { "100.128.0.1", IP_PUBLIC },        { "::ffff:10.1.2.3", IP_PRIVATE },
    { "fd12:3456::1", IP_PRIVATE },        { "169.254.169.254", IP_LINK_LOCAL }, { "fd00:ec2::254", IP_LINK_LOCAL },
    { "fe80::1", IP_LINK_LOCAL },          { "0.0.0.0", IP_SPECIAL },           { "::", IP_SPECIAL },
    { "255.255.255.255", IP_SPECIAL },     { "224.0.0.1", IP_SPECIAL },         { "ff02::1", IP_SPECIAL },
    { "::127.0.0.1", IP_SPECIAL },         { "64:ff9b::7f00:1", IP_SPECIAL },   { "2002:7f00:1::", IP_SPECIAL },
    { "8.8.8.8", IP_PUBLIC },              { "2606:4700::1111", IP_PUBLIC },    { "11.0.0.1", IP_PUBLIC },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ip ip;
        assert_true(ip_parse(str_of(rows[i].address), &ip));
        if (ip_scope(&ip) != rows[i].scope)
            fail_msg("%s: %d", rows[i].address, ip_scope(&ip));
    }
}

static void other_spellings_are_no_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = { "2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "127.0.0.01",
                                       "localhost.", "127.0.0.1 ", "[::1]", "", "1.2.3.4.5", "::1%lo" };
    struct ip ip;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ip_parse(str_of(bad[i]), &ip))
            fail_msg("%s", bad[i]);
    assert_false(ip_parse((struct str){ "127.0.0.1\0x", 11 }, &ip));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row), cmocka_unit_test(other_spellings_are_no_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
