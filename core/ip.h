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
bool ip_in(const struct ip *ip, const struct ip_net *net);
