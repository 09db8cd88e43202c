/* Which addresses outgoing connections may reach. Tenants name backends; without a guard they could reach
 * what trusts this machine: its own ports, its neighbours, a cloud's metadata service.
 *
 * Asked about the address that is being connected to, after names were resolved, so that no spelling and no
 * name server talks its way around it. */
#pragma once

#include "core/ip.h"

struct net_guard;

struct net_guard_config {
    const struct ip_net *allowed; /* networks that are open although a rule shuts them; copied */
    size_t n_allowed;
    bool trusting;                /* development: loopback and private networks are open, and our own ports */
};

/* Notes the addresses of this machine. Caller frees with net_guard_free. */
struct net_guard *net_guard_new(const struct net_guard_config *config);
void net_guard_free(struct net_guard *guard);
/* A port that this process listens on; before anybody asks. */
void net_guard_own_port(struct net_guard *guard, uint16_t port);
/* NULL: go ahead. Else why not, in a few words: "loopback", "own port". Any thread. */
const char *net_guard_refuses(const struct net_guard *guard, const struct ip *ip, uint16_t port);
