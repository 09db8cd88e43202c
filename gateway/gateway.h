/* The seam of gateway/: the data plane on the loops, and the apigateway services.
 *
 * Control plane (ops/) writes resources and, on deploy, compiles a snapshot and publishes it to
 * every loop; publishing returns when all loops serve the new one. */
#pragma once

#include "core/http_client.h"
#include "core/http_server.h"
#include "core/invoke.h"
#include "core/job.h"
#include "identity/identity.h"
#include "wire/call.h"

struct tls_sites;

struct gateway;
struct gw_outside;

struct gateway_config {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct identity *identity;
    const struct invoker *invoker;
    struct gw_outside *outside; /* outlives the gateway; NULL: nothing is configured, everything may be reached */
    struct job_pool *jobs;
    struct loop **loops;       /* the data-plane loops */
    size_t n_loops;
    struct str base_url, region, default_account, partition;
    struct str certificates, truststores; /* folders of custom domains' files (gateway/domain/certificate.h) */
    bool dev;                  /* a certificate without a file is made; token issuers may speak http on this machine */
    bool tls;                  /* there is a TLS listener */
    bool explain;              /* x-gatehouse-trace on every answer (dev mode) */
    bool aws_limits;           /* --limits aws: API Gateway's quotas hold; otherwise the machine's do */
    size_t cache_bytes;        /* all stages' response caches together (gateway/cache/caches.h) */
    double account_rate_per_s; /* requests of all APIs together; 0: no limit (AWS: 10000) */
    int64_t account_burst;     /* AWS: 5000 */
};

/* Loads and compiles every deployed stage before it returns; call before the loops run. */
struct gateway *gateway_open(const struct gateway_config *config, struct arena *arena, struct str *why);
void gateway_close(struct gateway *gateway);

/* True when nothing is under way that no client waits for (a cached answer fetched anew). Any thread. */
bool gateway_is_idle(const struct gateway *gateway);

/* Data plane, on a loop thread: takes the exchange over (answers it, now or later).
 *   api_id, stage, path   as admin/listen found them from host or path; path starts with '/';
 *                         stage absent: the first segment of path */
void gateway_serve(struct gateway *gateway, struct http_exchange *x, struct str api_id, struct str stage,
                   struct str path);
/* Custom domains, on a loop thread: is the host one of them? Then everything under it is the domain's. */
bool gateway_has_domain(struct gateway *gateway, struct http_exchange *x);
void gateway_serve_domain(struct gateway *gateway, struct http_exchange *x);
/* The certificates for a connection that comes now; borrowed until the loop turns. On a loop thread. */
struct tls_sites *gateway_tls_sites(struct gateway *gateway, const struct loop *loop);
/* Reads certificates, truststores and revocation lists again; what is broken stays as it was, and the
 * log says so. Not on a loop thread, and only while the loops run. */
void gateway_reload_certificates(struct gateway *gateway, bool only_if_changed);
void gateway_exchange_gone(struct gateway *gateway, struct http_exchange *x); /* http_server's on_gone */
void gateway_exchange_done(struct gateway *gateway, struct http_exchange *x, bool complete);

/* The templates of a recorded request as a fixture file (gateway/fixture/fixture.h); absent: *why, NUL-terminated. */
struct str gateway_fixture(struct gateway *gateway, struct arena *arena, struct str id, struct str *why);
/* What a request did: the record behind x-gatehouse-trace, as JSON; absent when forgotten. Any thread. */
struct str gateway_trace(struct gateway *gateway, struct arena *arena, struct str trace_id);
/* Prometheus text of the data plane's counters. Any thread. */
void gateway_metrics(struct gateway *gateway, struct strbuf *out);

/* Forgets cached answers of a stage: those with a tag, or under a key as traces show it; both absent: all.
 * *gone: how many. False: no such stage, or it has no cache. Any thread. */
bool gateway_purge(struct gateway *gateway, struct str api_id, struct str stage, struct str tag, struct str key,
                   size_t *gone);

/* Dev mode: forgets every API of call->account. Job threads. */
gh_err gateway_reset(struct call *call);
