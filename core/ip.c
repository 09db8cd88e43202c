#include "core/ip.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct ip ip_of_bytes(const void *bytes, uint8_t bits)
{
    struct ip ip = { .bits = bits };
    memcpy(ip.bytes, bytes, bits / 8);
    if (bits == 128 && memcmp(ip.bytes, mapped, sizeof mapped) == 0) {
        memmove(ip.bytes, ip.bytes + 12, 4);
        memset(ip.bytes + 4, 0, 12);
        ip.bits = 32;
    }
    return ip;
}

bool ip_equal(const struct ip *one, const struct ip *other)
{
    return one->bits == other->bits && memcmp(one->bytes, other->bytes, one->bits / 8) == 0;
}

bool ip_parse(struct str text, struct ip *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    uint8_t bytes[16];
    bool four = inet_pton(AF_INET, copy, bytes) == 1;
    if (!four && inet_pton(AF_INET6, copy, bytes) != 1)
        return false;
    *out = ip_of_bytes(bytes, four ? 32 : 128);
    return true;
}

bool ip_net_parse(struct str text, struct ip_net *out)
{
    struct str rest = text, address;
    int64_t prefix = -1;
    str_split(&rest, '/', &address);
    if (!ip_parse(address, &out->base))
        return false;
    if (rest.ptr && (!str_i64(rest, &prefix) || prefix < 0 || prefix > out->base.bits))
        return false;
    out->prefix = rest.ptr ? (uint8_t)prefix : out->base.bits;
    return true;
}

bool ip_in(const struct ip *ip, const struct ip_net *net)
{
    if (ip->bits != net->base.bits)
        return false;
    size_t whole = net->prefix / 8;
    unsigned rest = net->prefix % 8;
    if (memcmp(ip->bytes, net->base.bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return (ip->bytes[whole] & mask) == (net->base.bytes[whole] & mask);
}

enum ip_scope ip_scope(const struct ip *ip)
{
    static const struct {
        const char *net;
        enum ip_scope scope;
    } rows[] = { /* the first that fits */
        { "fd00:ec2::254", IP_LINK_LOCAL },
        { "127.0.0.0/8", IP_LOOPBACK },      { "::1", IP_LOOPBACK },
        { "10.0.0.0/8", IP_PRIVATE },        { "172.16.0.0/12", IP_PRIVATE },
        { "192.168.0.0/16", IP_PRIVATE },    { "100.64.0.0/10", IP_PRIVATE },
        { "fc00::/7", IP_PRIVATE },          { "169.254.0.0/16", IP_LINK_LOCAL },
        { "fe80::/10", IP_LINK_LOCAL },      { "0.0.0.0/8", IP_SPECIAL },
        { "192.0.0.0/24", IP_SPECIAL },      { "198.18.0.0/15", IP_SPECIAL },
        { "224.0.0.0/3", IP_SPECIAL },       { "::/96", IP_SPECIAL },
        { "64:ff9b::/96", IP_SPECIAL },      { "64:ff9b:1::/48", IP_SPECIAL },
        { "100::/64", IP_SPECIAL },          { "2001::/32", IP_SPECIAL },
        { "2002::/16", IP_SPECIAL },         { "fec0::/10", IP_SPECIAL },
        { "ff00::/8", IP_SPECIAL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ip_net net;
        if (ip_net_parse(str_of(rows[i].net), &net) && ip_in(ip, &net))
            return rows[i].scope;
    }
    return IP_PUBLIC;
}
