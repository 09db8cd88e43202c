#include "core/net_guard.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/str.h"

enum { OWN_ADDRESSES = 64, OWN_PORTS = 16 };

struct net_guard {
    struct ip_net *allowed;
    size_t n_allowed;
    bool trusting;
    struct ip own[OWN_ADDRESSES];
    size_t n_own;
    uint16_t ports[OWN_PORTS];
    size_t n_ports;
};

enum { SHUT, NEARBY, METADATA };

/* The first that fits. NEARBY ones are open to a trusting guard; METADATA ones are open only to a rule that
 * names just that address, whatever network is allowed around it. */
static const struct {
    const char *net;
    int kind;
    const char *why;
} shut[] = {
    { "169.254.169.254", METADATA, "metadata service" },
    { "169.254.170.2", METADATA, "metadata service" },
    { "169.254.170.23", METADATA, "metadata service" },
    { "100.100.100.200", METADATA, "metadata service" },
    { "168.63.129.16", METADATA, "metadata service" },
    { "fd00:ec2::254", METADATA, "metadata service" },
    { "fd00:ec2::23", METADATA, "metadata service" },
    { "127.0.0.0/8", NEARBY, "loopback" },
    { "::1", NEARBY, "loopback" },
    { "0.0.0.0/8", SHUT, "unspecified" },
    { "::", SHUT, "unspecified" },
    { "169.254.0.0/16", SHUT, "link-local" },
    { "fe80::/10", SHUT, "link-local" },
    { "10.0.0.0/8", NEARBY, "private network" },
    { "172.16.0.0/12", NEARBY, "private network" },
    { "192.168.0.0/16", NEARBY, "private network" },
    { "100.64.0.0/10", NEARBY, "private network" },
    { "fc00::/7", NEARBY, "private network" },
    { "fec0::/10", SHUT, "private network" },
    { "192.0.0.0/24", SHUT, "reserved" },
    { "198.18.0.0/15", SHUT, "reserved" },
    { "224.0.0.0/4", SHUT, "multicast" },
    { "ff00::/8", SHUT, "multicast" },
    { "240.0.0.0/4", SHUT, "reserved" },
    { "64:ff9b:1::/48", SHUT, "translated" },
};

static void note_own_addresses(struct net_guard *guard)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return;
    for (struct ifaddrs *at = list; at && guard->n_own < OWN_ADDRESSES; at = at->ifa_next) {
        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
            guard->own[guard->n_own++] = ip_of_bytes(&((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr, 32);
        else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6)
            guard->own[guard->n_own++] = ip_of_bytes(&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr, 128);
    }
    freeifaddrs(list);
}

struct net_guard *net_guard_new(const struct net_guard_config *config)
{
    struct net_guard *guard = calloc(1, sizeof *guard);
    if (!guard)
        abort();
    guard->trusting = config->trusting;
    guard->n_allowed = config->n_allowed;
    guard->allowed = calloc(config->n_allowed + 1, sizeof *guard->allowed);
    if (!guard->allowed)
        abort();
    for (size_t i = 0; i < config->n_allowed; i++)
        guard->allowed[i] = config->allowed[i];
    note_own_addresses(guard);
    return guard;
}

void net_guard_free(struct net_guard *guard)
{
    if (!guard)
        return;
    free(guard->allowed);
    free(guard);
}

void net_guard_own_port(struct net_guard *guard, uint16_t port)
{
    if (guard->n_ports < OWN_PORTS)
        guard->ports[guard->n_ports++] = port;
}

static bool is_in(const struct ip *ip, const char *net)
{
    struct ip_net parsed;
    return ip_net_parse(str_of(net), &parsed) && ip_in(ip, &parsed);
}

static bool is_own(const struct net_guard *guard, const struct ip *ip)
{
    for (size_t i = 0; i < guard->n_own; i++)
        if (ip_equal(ip, &guard->own[i]))
            return true;
    return is_in(ip, "127.0.0.0/8") || is_in(ip, "0.0.0.0/8") || is_in(ip, "::1") || is_in(ip, "::");
}

static bool is_allowed(const struct net_guard *guard, const struct ip *ip, bool by_name)
{
    for (size_t i = 0; i < guard->n_allowed; i++) {
        const struct ip_net *net = &guard->allowed[i];
        if (ip_in(ip, net) && (!by_name || net->prefix == ip->bits))
            return true;
    }
    return false;
}

/* Addresses that carry an IPv4 address within, which is where the packets go: 64:ff9b::/96 (RFC 6052),
 * 2002::/16 (RFC 3056), ::/96 (RFC 4291). IPv4-mapped ones are IPv4 already. */
static bool embedded(const struct ip *ip, struct ip *out)
{
    static const struct {
        const char *net;
        size_t at;
    } rows[] = { { "64:ff9b::/96", 12 }, { "2002::/16", 2 }, { "::/96", 12 } };
    if (ip->bits != 128 || is_in(ip, "::1") || is_in(ip, "::"))
        return false;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (is_in(ip, rows[i].net)) {
            *out = ip_of_bytes(ip->bytes + rows[i].at, 32);
            return true;
        }
    return false;
}

const char *net_guard_refuses(const struct net_guard *guard, const struct ip *ip, uint16_t port)
{
    struct ip inner;
    for (size_t i = 0; !guard->trusting && i < guard->n_ports; i++)
        if (port == guard->ports[i] && is_own(guard, ip))
            return "own port";
    if (embedded(ip, &inner) && !is_allowed(guard, ip, false))
        return net_guard_refuses(guard, &inner, port);
    for (size_t i = 0; i < COUNT(shut); i++) {
        if (!is_in(ip, shut[i].net))
            continue;
        if (is_allowed(guard, ip, shut[i].kind == METADATA) || (guard->trusting && shut[i].kind == NEARBY))
            return NULL;
        return shut[i].why;
    }
    return NULL;
}
