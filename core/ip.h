/* Addresses and networks, IPv4 and IPv6. */
#pragma once

#include <stdint.h>

#include "core/str.h"

struct ip {
    uint8_t bytes[16];
    uint8_t bits;         /* 32 or 128 */
};
struct ip_net {
    struct ip base;
    uint8_t prefix;       /* bits that must be equal */
};

bool ip_parse(struct str text, struct ip *out);         /* IPv4-mapped IPv6 becomes IPv4 */
bool ip_net_parse(struct str text, struct ip_net *out); /* "10.0.0.0/8"; without a prefix: that address */
struct ip ip_of_bytes(const void *bytes, uint8_t bits);  /* in network order; IPv4-mapped IPv6 becomes IPv4 */
bool ip_equal(const struct ip *one, const struct ip *other);
bool ip_in(const struct ip *ip, const struct ip_net *net);

/* Where an address leads. Who connects to a place that somebody else named, asks here about the
 * address it is about to connect to, not about the name. */
enum ip_scope {
    IP_PUBLIC,
    IP_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
    IP_LOOPBACK,
    IP_LINK_LOCAL, /* with the clouds' metadata: 169.254.169.254, fd00:ec2::254 */
    IP_SPECIAL,    /* unspecified, multicast, broadcast, reserved, and IPv6 that wraps IPv4 */
};
enum ip_scope ip_scope(const struct ip *ip);
