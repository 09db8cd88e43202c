/* What the operator says about the world outside: which addresses backends may have, whom to believe, where AWS's
 * services and VPC links are. Read from options at the start, then immutable but for health and turns. */
#pragma once

#include <stdatomic.h>

#include "core/net_guard.h"
#include "core/tls.h"
#include "gateway/backend/link.h"

/* "--endpoint sqs=http://127.0.0.1:9324": an AWS service, or a server that speaks its protocol. */
struct gw_endpoint {
    struct str service;            /* as in "arn:aws:apigateway:us-east-1:SERVICE:path/…" */
    struct str scheme, host;
    uint16_t port;
    struct str path;               /* in front of every request's, without the last slash; "" */
    struct str key_id, secret;     /* that server's own, from "http://KEY:SECRET@host"; absent: the role's */
};

struct gw_outside {
    struct arena *arena;
    struct ip_net *allowed;        /* --allow-backend */
    size_t n_allowed;
    struct str backend_ca;         /* --backend-ca, a file; or absent */
    struct gw_endpoint *endpoints;
    size_t n_endpoints;
    struct gw_link *links;         /* --vpc-link */
    size_t n_links;

    struct net_guard *guard;       /* outside_open */
    struct tls_trust *trust;
};

/* One option's value: false when it is none. Several in one value are set apart by blanks or commas. */
bool outside_allow(struct gw_outside *outside, struct arena *arena, struct str networks);
bool outside_endpoint(struct gw_outside *outside, struct arena *arena, struct str endpoints);

bool outside_link(struct gw_outside *outside, struct arena *arena, struct str links); /* apart by blanks only */

/* Makes guard and trust. trusting: development. False: *why. */
bool outside_open(struct gw_outside *outside, bool trusting, struct arena *arena, struct str *why);
void outside_close(struct gw_outside *outside);

/* Our own services are at the address we listen on, unless the operator said where else. */
void outside_add_own(struct gw_outside *outside, struct arena *arena, struct str host, uint16_t port);

/* NULL: not configured. */
struct gw_link *outside_find_link(const struct gw_outside *outside, struct str name_or_arn);
const struct gw_endpoint *outside_find_endpoint(const struct gw_outside *outside, struct str service);
