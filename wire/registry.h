/* Which operation is a request for? By X-Amz-Target, then by the credential scope's service, then
 * by Action and Version, then by path (DESIGN: "One port, many planes", rule 5). */
#pragma once

#include "core/http_msg.h"
#include "wire/describer.h"
#include "wire/model.h"

/* A service as it is built here. */
struct registered {
    const struct service *service;
    void *module; /* becomes call->module: struct identity *, struct functions *, struct gateway * */
    /* Members that are not enforced yet and therefore refused, NULL-terminated, or NULL:
     * "CreateUserPool.DeviceConfiguration", "CreateFunction.VpcConfig.SubnetIds" (through lists and
     * maps, too), "PutIntegration.connectionType=VPC_LINK" (one value only). An empty list or map
     * and `false` ask for nothing and pass. */
    const char *const *refused;
    const struct describer *describer; /* or NULL: it has no such keys */
};

struct wire_request {
    struct str method;
    struct str path;  /* raw, percent-encoded, without query */
    struct str query; /* raw, without '?', or absent */
    const struct http_headers *headers;
    struct str body; /* whole */
    struct str source_ip;
    bool tls;
    const char *tls_version, *cipher; /* "TLSv1.3", "TLS_AES_128_GCM_SHA256"; NULL: in clear, or not known */
};

/* A path's value for a label, still percent-encoded. */
struct label {
    struct str name, value;
};

enum { MAX_LABELS = 8 };

struct route {
    const struct registered *registered; /* NULL: not for AWS's services at all */
    const struct operation *operation;   /* NULL: `unknown` says what was asked for */
    struct str unknown;                  /* operation's name, or "GET /path" */
    struct str version;                  /* query protocol: the one asked for */
    struct str form;                     /* query protocol: the parameters, form-encoded */
    struct label labels[MAX_LABELS];
    size_t n_labels;
};

struct registry; /* immutable */

struct registry *registry_new(const struct registered *services,
                              size_t n); /* the table is kept, not copied */
void registry_free(struct registry *registry);
void registry_find(const struct registry *registry, struct arena *arena, const struct wire_request *request,
                   struct route *route);

/* `gatehouse capabilities`: per service the operations that are built, those that are not, and the
 * members that are refused. */
json_t *registry_capabilities(const struct registry *registry, struct arena *arena);
