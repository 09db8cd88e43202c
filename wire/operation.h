/* The management call: find the operation, authenticate, decode, authorise, check constraints, run
 * the handler, encode, audit. The same for all services and protocols. */
#pragma once

#include "core/job.h"
#include "policy/eval.h"
#include "wire/audit.h"
#include "wire/call.h"
#include "wire/registry.h"
#include "wire/sigv4.h"

struct wire_config {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct str partition, region, default_account, base_url;
    const struct registered *services; /* kept, not copied */
    size_t n_services;
    struct sigv4_keys keys; /* who is behind an access key id */
    /* May the principal behind `credential` (what keys.find gave) do it? Fills in *decision. identity_allows
     * fits. */
    bool (*allows)(void *ctx, struct arena *arena, const void *credential, struct policy_request *request,
                   struct policy_decision *decision);
    /* Do that principal's policies look at condition keys that begin so ("aws:ResourceTag/")? NULL: they may. */
    bool (*looks_at)(void *ctx, struct arena *arena, const void *credential, struct str begin);
    void *allows_ctx;
    const struct audit_sink *audit; /* where records go (wire/audit.h); kept, not copied; NULL: there is no audit log */
    int64_t (*real_now_s)(void); /* signatures are checked against it; NULL: env's clock */
};

struct wire_reply {
    int status;
    struct http_headers headers; /* Content-Type and x-amzn-RequestId among them */
    struct str body;
    bool unknown; /* no service of ours was meant: the 404 says what was looked for */
};

struct wire *wire_new(const struct wire_config *config); /* strings are copied */
void wire_free(struct wire *wire);

/* Job threads only. The reply lives in the arena, or is static. */
void operation_run(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                   struct wire_reply *reply);
/* What Gatehouse adds beside AWS's operations goes under the name of one of them: its service signs it,
 * its permission is asked, its name is in the audit line.
 *   as           method and path of the operation it counts as: "PATCH", "/restapis/a/stages/b"
 *   anonymous    dev mode: a request without a signature is taken, as root of the default account
 *   run          a handler that gives its answer as JSON (absent: none), on a job thread */
struct wire_errand {
    struct wire_request as;
    bool anonymous;
    gh_err (*run)(struct call *call, void *ctx, struct str *json);
    void *ctx;
    const char *action; /* the permission it needs, where AWS has none that fits: "cognito-idp:ExportUserPool";
                         * NULL: that of the operation */
};
void operation_run_beside(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                          const struct wire_errand *errand, struct wire_reply *reply);
/* An answer in the service's own form to what stopped a request before it could run: a body over
 * the limit (413), a full job queue (GH_UNAVAILABLE). */
void operation_refuse(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                      const struct gh_kind *kind, const char *message, struct wire_reply *reply);
