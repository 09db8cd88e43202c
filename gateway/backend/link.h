/* VPC links: a name, or the ARN of a load balancer, for private backends. --vpc-link says which they are; one loop
 * looks after their health; requests take turns among the healthy ones. */
#pragma once

#include <stdatomic.h>

#include "core/arena.h"
#include "core/str.h"

struct gw_backend {
    struct str host;
    uint16_t port;
    struct str path;           /* asked for its health by GET, or absent: by a connection */
    atomic_int failures;       /* looks in a row that went wrong; LINK_UNHEALTHY_AFTER: out */
};

struct gw_link {
    struct str name;           /* name of VPC links, or ARN among their targetArns or integrationTargets */
    struct gw_backend *backends;
    size_t n;
    atomic_uint turn;
};

enum { LINK_BACKENDS = 64, LINK_EVERY_MS = 2000, LINK_TIMEOUT_MS = 2000, LINK_UNHEALTHY_AFTER = 2 };

/* "NAME=10.0.0.1:80,10.0.0.2:80" or "NAME=http://10.0.0.1:80/health,…". False: it is none. */
bool link_parse(struct arena *arena, struct str text, struct gw_link *out);
/* The next in turn. When none is healthy all are: "if all targets fail, traffic is routed to all". */
struct gw_backend *link_take(struct gw_link *link);
size_t link_healthy(const struct gw_link *link);
/* A connection was refused: no need to wait for the next look. Any thread. */
void link_report_down(struct gw_backend *backend);

/* Looks after every link of `gateway`, from one of its loops. */
struct gateway;
struct link_watch;
struct link_watch *link_watch_start(struct gateway *gateway);
void link_watch_stop(struct link_watch *watch); /* before its loop's client goes; NULL is fine */
