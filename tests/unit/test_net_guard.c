/* The guard's table: which addresses a tenant's backend may have. */
#include "core/net_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SERVE, ALLOWING, DEV };

static const struct {
    const char *address;
    uint16_t port;
    const char *serve, *allowing, *dev; /* NULL: open */
} rows[] = {
    { "93.184.216.34", 80, NULL, NULL, NULL },
    { "2606:2800:220:1::1", 443, NULL, NULL, NULL },
    { "127.0.0.1", 8080, "loopback", NULL, NULL },
    { "127.255.255.254", 8080, "loopback", NULL, NULL },
    { "::1", 8080, "loopback", "loopback", NULL },
    { "::ffff:127.0.0.1", 8080, "loopback", NULL, NULL },
    { "::127.0.0.1", 8080, "loopback", NULL, NULL },
    { "64:ff9b::7f00:1", 8080, "loopback", NULL, NULL },
    { "2002:7f00:1::", 8080, "loopback", NULL, NULL },
    { "0.0.0.0", 8080, "unspecified", "unspecified", "unspecified" },
    { "::", 8080, "unspecified", "unspecified", "unspecified" },
    { "169.254.169.254", 80, "metadata service", "metadata service", "metadata service" },
    { "::ffff:169.254.169.254", 80, "metadata service", "metadata service", "metadata service" },
    { "64:ff9b::a9fe:a9fe", 80, "metadata service", "metadata service", "metadata service" },
    { "fd00:ec2::254", 80, "metadata service", "metadata service", "metadata service" },
    { "169.254.1.1", 80, "link-local", NULL, "link-local" },
    { "fe80::1", 80, "link-local", "link-local", "link-local" },
    { "10.1.2.3", 80, "private network", NULL, NULL },
    { "10.2.0.0", 80, "private network", "private network", NULL },
    { "172.16.0.1", 80, "private network", "private network", NULL },
    { "172.32.0.1", 80, NULL, NULL, NULL },
    { "192.168.1.1", 80, "private network", "private network", NULL },
    { "100.64.0.1", 80, "private network", "private network", NULL },
    { "100.100.100.200", 80, "metadata service", "metadata service", "metadata service" },
    { "fc00::1", 80, "private network", "private network", NULL },
    { "224.0.0.1", 80, "multicast", "multicast", "multicast" },
    { "255.255.255.255", 80, "reserved", "reserved", "reserved" },
    { "127.0.0.1", 4566, "own port", "own port", NULL },
    { "::ffff:127.0.0.1", 4566, "own port", "own port", NULL },
    { "0.0.0.0", 4566, "own port", "own port", "unspecified" },
};

static void check(const char *name, const char *want, const char *got)
{
    if (want ? !got || strcmp(want, got) != 0 : got != NULL)
        fail_msg("%s: %s, not %s", name, got ? got : "open", want ? want : "open");
}

static void the_connected_address_decides(void **state)
{
    (void)state;
    struct ip_net allowed[3];
    assert_true(ip_net_parse(STR("127.0.0.0/8"), &allowed[0]));
    assert_true(ip_net_parse(STR("10.1.0.0/16"), &allowed[1]));
    assert_true(ip_net_parse(STR("169.254.0.0/16"), &allowed[2]));
    struct net_guard *guards[] = {
        [SERVE] = net_guard_new(&(struct net_guard_config){ 0 }),
        [ALLOWING] = net_guard_new(&(struct net_guard_config){ .allowed = allowed, .n_allowed = 3 }),
        [DEV] = net_guard_new(&(struct net_guard_config){ .trusting = true }),
    };
    for (size_t i = 0; i < COUNT(guards); i++)
        net_guard_own_port(guards[i], 4566);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ip ip;
        assert_true(ip_parse(str_of(rows[i].address), &ip));
        check(rows[i].address, rows[i].serve, net_guard_refuses(guards[SERVE], &ip, rows[i].port));
        check(rows[i].address, rows[i].allowing, net_guard_refuses(guards[ALLOWING], &ip, rows[i].port));
        check(rows[i].address, rows[i].dev, net_guard_refuses(guards[DEV], &ip, rows[i].port));
    }
    for (size_t i = 0; i < COUNT(guards); i++)
        net_guard_free(guards[i]);
}

static void a_metadata_address_is_opened_by_its_own_name_only(void **state)
{
    (void)state;
    struct ip_net one;
    struct ip ip;
    assert_true(ip_net_parse(STR("169.254.169.254/32"), &one));
    assert_true(ip_parse(STR("169.254.169.254"), &ip));
    struct net_guard *guard = net_guard_new(&(struct net_guard_config){ .allowed = &one, .n_allowed = 1 });
    assert_null(net_guard_refuses(guard, &ip, 80));
    net_guard_free(guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connected_address_decides),
        cmocka_unit_test(a_metadata_address_is_opened_by_its_own_name_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
