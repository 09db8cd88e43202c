/* A deployed stage as the data plane sees it: compiled once, immutable, in one arena.
 *
 * "A deployment is a point-in-time snapshot of your API": requests finish on the snapshot they
 * began with. The one thing that changes in it are the token buckets, which are atomics and outlive
 * it (gateway/usage/limits.h). */
#pragma once

#include <stdatomic.h>

#include "core/bucket.h"
#include "core/jsonpath.h"
#include "core/jsonschema.h"
#include "core/regex.h"
#include "core/uri.h"
#include "gateway/issuer/jwt_rules.h"
#include "gateway/route.h"
#include "gateway/store/deployment.h"
#include "gateway/vtl/vtl.h"

struct cache;
struct gw_step;
struct gw_service;
struct tls_identity;
struct gw_link;
struct gw_request;
struct policy_set;
struct stage_metrics;
struct gw_watch;

struct gw_pair {
    struct str name, value;
};

/* Where a mapped value comes from: "method.request.header.X", "context.stage", "'text'" … */
enum source_kind {
    SOURCE_STATIC, /* also stageVariables.X, resolved when compiled */
    SOURCE_CONTEXT,
    SOURCE_HEADER,
    SOURCE_HEADER_MULTI,
    SOURCE_QUERY,
    SOURCE_QUERY_MULTI,
    SOURCE_PATH,
    SOURCE_BODY,
    SOURCE_ANSWER_HEADER, /* integration.response.* */
    SOURCE_ANSWER_HEADER_MULTI,
    SOURCE_ANSWER_BODY,
};
struct gw_source {
    enum source_kind kind;
    struct str name;               /* of the parameter; the text itself when STATIC */
    const struct jsonpath *path;   /* BODY, ANSWER_BODY; NULL: the whole */
};

enum mapping_place { TO_HEADER, TO_QUERY, TO_PATH };
struct gw_mapping {
    enum mapping_place place;
    struct str name;
    struct gw_source source;
};

/* A template and the MIME type it is for. tpl NULL: pass the payload through. */
struct gw_template {
    struct str type;
    const struct vtl_template *tpl;
    struct str text;               /* of gateway responses, which are no VTL */
};

struct gw_templates {
    struct gw_template *items;
    size_t n;
};

struct gw_mappings {
    struct gw_mapping *items;
    size_t n;
};

enum content_handling { CONTENT_AS_IS, CONTENT_TO_BINARY, CONTENT_TO_TEXT };

struct gw_integration_response {
    int status;
    const pcre2_code *pattern;     /* NULL: the default */
    struct str pattern_text;
    enum content_handling content;
    struct gw_mappings mappings;
    struct gw_templates templates;
};

enum integration_type { INTEGRATE_MOCK, INTEGRATE_HTTP, INTEGRATE_HTTP_PROXY, INTEGRATE_AWS, INTEGRATE_AWS_PROXY };

/* A piece of an endpoint's path: text, or the value mapped to integration.request.path.NAME. */
struct gw_uri_part {
    struct str text;               /* absent: a parameter */
    struct str name;
};

/* As whom an AWS service or a function is called: what the integration's `credentials` say. */
enum acting { ACT_AS_GATEWAY, ACT_AS_ROLE, ACT_AS_CALLER };

struct gw_integration {
    enum acting acting;
    struct str role;
    enum integration_type type;
    struct str type_name;
    struct str http_method;        /* "ANY": the client's */
    struct str uri;                /* with stage variables filled in */
    struct str scheme, host, host_header;
    struct str authority;          /* host[:port] as the uri has it */
    uint16_t port;
    struct gw_uri_part *parts;     /* path and query of the endpoint */
    size_t n_parts;
    struct str function;           /* ARN of a Lambda function */
    struct gw_link *link;          /* VPC_LINK: where it leads to; or NULL */
    const struct gw_service *service; /* another AWS service; or NULL */
    bool wrong_method;             /* recorded: AWS_PROXY with another method than POST answers 500 */
    int timeout_ms;
    bool stream;                   /* responseTransferMode STREAM: pieces go on as they come */
    int idle_ms;                   /* the longest silence amid a stream */
    bool insecure_tls;
    enum passthrough { PASS_WHEN_NO_MATCH, PASS_WHEN_NO_TEMPLATES, PASS_NEVER } passthrough;
    enum content_handling content;
    struct gw_mappings mappings;
    struct gw_templates templates;
    struct gw_integration_response *responses;
    size_t n_responses;
    const char *forbidden_mapping; /* a mapped header that fails every call, as recorded; or NULL */
};

enum authorization { AUTH_NONE, AUTH_IAM, AUTH_COGNITO, AUTH_JWT, AUTH_LAMBDA_TOKEN, AUTH_LAMBDA_REQUEST };

#define GW_AUTHORIZER_TIMEOUT_MS 10000 /* AWS's, for the function */

struct gw_authorizer {
    struct str id, name;
    enum authorization kind;
    struct gw_source *identity;    /* but for REQUEST: one header */
    size_t n_identity;
    const pcre2_code *validation;  /* identityValidationExpression or NULL */
    int ttl_s;                     /* 0: no cache */
    struct str function;           /* Lambda's ARN */
    struct str role;               /* authorizerCredentials, or absent */
    struct str *pool_arns;
    size_t n_pool_arns;
    bool honour_revocation;
    const struct jwt_rules *jwt;   /* JWT */
};

/* A body's schema and the MIME type it is for. */
struct gw_model {
    struct str type;               /* "$default": whatever has none of its own */
    struct str name;
    const struct jsonschema *schema;
};

/* --- which answers are kept --- */
struct gw_cache_param {
    struct str name;               /* "method.request.querystring.q" */
    struct gw_source source;
    bool secret;                   /* its value stands in keys as a hash */
};
/* Of one HTTP method: "the HTTP method ANY" has a rule for each that is cached. */
struct gw_cache_rule {
    struct str verb;
    int ttl_s;
    bool sealed;                   /* cacheDataEncrypted */
    bool requires_permission;      /* requireAuthorizationForCacheControl */
    enum { CACHE_REFUSAL_WARNS, CACHE_REFUSAL_SILENT, CACHE_REFUSAL_403 } refusal;
};
struct gw_cache_plan {
    struct str name_space;         /* cacheNamespace */
    struct gw_cache_param *params;
    size_t n_params;
    struct gw_cache_rule *rules;
    size_t n_rules;
    bool by_accept;                /* the gateway makes the answer by the request's Accept */
};

#define GW_MAX_STEPS 24

struct gw_method {
    const struct snapshot *snapshot;
    struct str http_method;        /* "GET" or "ANY" */
    struct str resource_id, resource_path;
    enum authorization authorization;
    const struct gw_authorizer *authorizer;
    bool needs_key;
    struct str *scopes;
    size_t n_scopes;
    struct gw_mapping *required;   /* parameters a validator wants; place and name */
    size_t n_required;
    struct gw_model *models;       /* that a validator checks bodies against; n_models 0: it checks none */
    size_t n_models;
    int *statuses;                 /* of the method responses */
    size_t n_statuses;
    struct gw_integration *integration; /* NULL: none */
    struct bucket *bucket;         /* its own limit, or the stage's for all methods; NULL: none */
    bool bucket_is_default;        /* the latter */
    enum logging_level { LOGGING_OFF, LOGGING_ERROR, LOGGING_INFO } log_level; /* of the execution log */
    bool log_data;                 /* "full request and response logs" */
    bool detailed_metrics;
    struct stage_metrics *metrics; /* its series when detailed, else NULL; not the snapshot's */
    const struct gw_cache_plan *cache; /* NULL: nothing of it is kept */
    const struct gw_step *steps[GW_MAX_STEPS];
    size_t n_steps, tail;          /* tail: the first step that always runs */
};

/* A configured gateway response. */
struct gw_gateway_response {
    bool configured;
    int status;                    /* 0: the type's own */
    struct gw_mappings mappings;   /* TO_HEADER only */
    struct gw_templates templates;
};

/* An access log's line: text and $context variables, in turns. */
struct gw_log_part {
    struct str text;
    struct str variable;           /* absent: text only */
    int number;                    /* of the variable, -1: by name */
};

#define GW_RESPONSE_TYPES 21

struct snapshot {
    atomic_int references;
    struct arena *arena;
    struct str account, region, partition, api_id, api_name, stage, deployment_id;
    struct str arn_prefix;         /* "arn:aws:execute-api:us-east-1:0:abc/stage/" */
    struct gw_pair *variables;
    size_t n_variables;
    struct vtl_value variable_map; /* $stageVariables, read only */
    struct route *routes;
    struct gw_method *methods;
    size_t n_methods;
    struct tls_identity *certificate; /* shown to HTTP backends; or NULL */
    struct gw_authorizer *authorizers;
    size_t n_authorizers;
    int authorizer_timeout_ms;
    const struct policy_set *policy; /* of the API; NULL: none */
    bool policy_wants_keys;        /* it has conditions or variables */
    bool private_only;             /* endpoint type PRIVATE: for callers of private networks */
    bool default_endpoint_off;     /* disableExecuteApiEndpoint */
    struct gw_gateway_response responses[GW_RESPONSE_TYPES];
    struct str cors_origin, cors_headers, cors_methods; /* what the API's OPTIONS methods say */
    struct str *binary_types;
    size_t n_binary_types;
    bool edge;                     /* edge-optimized, which is the default */
    int64_t min_compression;       /* bytes; -1: nothing is compressed, nothing decompressed */
    bool key_from_authorizer;      /* apiKeySource AUTHORIZER: not in the x-api-key header */
    struct bucket *account_bucket; /* all APIs of the account and region together; NULL: no limit */
    struct gw_log_part *log_parts;
    size_t n_log_parts;
    bool access_log;
    bool rate_limit_headers;       /* option rateLimitHeaders */
    bool record;                   /* option recordRequests */
    struct str log_destination;
    /* A canary: requests are drawn at random, `canary_share` of them go to it. It has no canary itself. */
    struct snapshot *canary;       /* NULL: none */
    double canary_share;           /* 0 … 1 */
    bool has_canary;               /* of the stage; true in the canary, too */
    bool is_canary;
    bool canary_uses_cache;        /* useStageCache */
    struct stage_metrics *metrics; /* the stage's series, attached when it is published; not the snapshot's */
    struct gw_watch *watch;        /* counts errors after a deployment (gateway/watch.h), or NULL */
    struct {                       /* compile_cache.c */
        size_t bytes;              /* what the stage's cacheClusterSize asks for; 0: no cache */
        bool etag, age;            /* options */
        int stale_s;
        struct str *claims;
        size_t n_claims;
    } caching;
    struct cache *cache;           /* the stage's, held; set when it is made live, or NULL */
};

/* NULL: *why names the resource, method and field that cannot be served. `source` may go away. */
struct snapshot *snapshot_compile(const struct stage_source *source, struct str partition, struct arena *arena,
                                  struct str *why);
void snapshot_unref(struct snapshot *snapshot);
static inline struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}
/* A stage variable, or absent. */
struct str snapshot_variable(const struct snapshot *snapshot, struct str name);
bool snapshot_is_binary(const struct snapshot *snapshot, struct str content_type);
