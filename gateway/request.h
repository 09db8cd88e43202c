/* Everything known of one call on the data plane. It lives in the exchange's arena. */
#pragma once

#include "core/http_client.h"
#include "core/http_server.h"
#include "core/invoke.h"
#include "core/issuer.h"
#include "gateway/record/execution_log.h"
#include "gateway/gateway_response.h"
#include "gateway/pipeline.h"
#include "gateway/state.h"
#include "gateway/record/trace.h"
#include "gateway/usage/usage.h"
#include "identity/identity.h"

#define GW_MAX_BODY (10 * 1024 * 1024)

/* Name and value of a query parameter, decoded. */
struct gw_params {
    struct gw_pair *items;
    size_t n, cap;
};

/* Who calls, as the authorizer said. */
struct gw_caller {
    struct str principal_id;                 /* Lambda authorizer */
    json_t *context;                         /* its context map, values as strings; or NULL */
    json_t *claims;                          /* Cognito */
    const struct credential *credential;     /* AWS_IAM */
    struct str access_key_id;
    int64_t integration_latency_ms;          /* of a Lambda authorizer, 0 from the cache */
    bool from_lambda;
};

/* What the integration is given, and what it gave. */
struct gw_exchange {
    struct str body;
    size_t room;                             /* bytes that body may grow to */
    struct http_headers headers;
    int status;
    int64_t latency_us;
    int64_t headers_us, content_us;          /* until its head, and its first byte of body; 0: not known */
    bool function_error;
    struct str request_id;                   /* of the endpoint */
};

/* As whom an integration acts: in a role, or as the caller. */
struct gw_actor {
    struct str key_id, secret, token;
    const struct credential *credential;
};


struct gw_request {
    struct gateway *gateway;
    struct gw_loop *home;
    struct gw_entry *entry;                  /* the loop's hold on the snapshot; NULL before route */
    struct http_exchange *x;
    struct arena *arena;
    const struct snapshot *snapshot;
    const struct gw_method *method;

    /* the runner's */
    const struct gw_step *const *steps;
    size_t n_steps, at, tail;
    bool waiting, running, woken, finished, abandoned;
    int64_t mark_us;                         /* when the current step began */

    /* accept */
    struct str api_id, stage;
    struct str path;                         /* raw, without the stage: "/pets/1" */
    struct str method_arn;                   /* stage_method_arn's, once it was asked for */
    struct str request_path;                 /* as sent, with the stage: $context.path */
    struct str custom_domain;                /* the domain's name; absent: by way of execute-api */
    struct str base_path;                    /* of the domain, taken off `path`; "" when none */
    struct str routing_rule;                 /* that decided; absent: a mapping */
    const char *turned_away;                 /* why the domain lets nobody in; NULL: it does */
    struct str http_method;
    char request_id_text[37];
    char extended_id_text[17];
    struct str request_id, extended_id;
    struct str trace_header;                 /* X-Amzn-Trace-Id */
    int64_t wall_us;

    /* parameters, parsed when first asked for */
    bool query_parsed;
    struct gw_params query;

    struct str body;
    bool body_read;
    bool body_parsed;
    const struct jt *body_json;              /* NULL: no JSON; read by gw_body_json */
    struct gw_caller caller;
    struct issuer_asker issuer_asker;        /* for the keys of a token's issuer */
    struct str usage_identifier_key;         /* what a Lambda authorizer named as the API key; or absent */

    struct gw_actor actor, authorizer_actor;  /* credential NULL: API Gateway itself */
    struct gw_role *awaited_role;             /* whose keys are being fetched */
    struct gw_request *next_for_role;
    bool role_asked, authorizer_refused;
    struct execution_log *execution_log;     /* NULL: nobody reads one */
    struct trial *trial;                     /* a trial of the server's own (test_invoke.c); NULL: a client's request */

    struct gw_usage usage;
    struct {                                 /* option rateLimitHeaders: the nearest limit */
        bool known;
        int64_t limit, remaining, reset_s, retry_s;
        int64_t quota, quota_ends_us;        /* wall clock; 0: no quota */
    } rate;

    /* a function that is being called; NULL when the answer is in */
    struct gw_call *call;

    bool background;                         /* fetches anew for the cache: nobody's request */
    struct gw_caching *caching;              /* what the cache has to do with it; or NULL */
    bool from_cache;
    struct str kept_head;                    /* of a cached answer: header lines, before `headers` */

    /* integration */
    struct gw_exchange request;              /* to it */
    struct gw_exchange answer;               /* from it */
    struct str target;                       /* "/path?query" at the endpoint */
    struct strbuf template_runs;             /* of a recorded request: what its templates were given, as JSON */
    struct vtl_value param_maps[3];          /* $input.params(): path, querystring, header; null: not made yet */
    struct vtl_map *request_override, *response_override;
    bool integrated;
    int64_t integration_started_us;
    int64_t passed;                          /* bytes of a streamed answer so far, as the endpoint sent them */
    int64_t streamed_in;                     /* bytes of a streamed request body so far */
    struct gw_backend *backend;              /* of a VPC link, whose turn it is */
    size_t backends_tried;
    struct http_call *http;                  /* while one is under way */
    bool streaming;                          /* the answer is on its way to the client */
    struct timer deadline, quiet;            /* flow.c: of the answer in all, and of its next piece */
    void (*flow_expired)(struct gw_request *r, const char *why);
    int64_t idle_us;
    struct gw_coding *coding;                /* coding.c: under way on the job pool */
    bool gathers;                            /* to_http.c: not known yet whether the answer is long enough to compress */
    struct deflater *deflater;               /* the answer is compressed as it goes */
    struct gw_head *head;                    /* to_lambda_stream.c */

    /* the answer */
    bool failed;
    enum response_type failure;
    struct str failure_message;              /* absent: the type's own */
    bool failure_null;                       /* message is null */
    int failure_status;                      /* 0: the type's own */
    struct str failure_error_type;           /* absent: the type's own */
    struct str validation_error, integration_error;
    int status;
    struct http_headers headers;
    struct str reply;
    bool replied;
    int64_t reply_bytes;

    /* large: not zeroed when a request begins */
    struct route_match match;
    struct trace trace;
};

/* Ends the request with a gateway response. */
enum gw_next gw_fail(struct gw_request *r, enum response_type type);
enum gw_next gw_fail_text(struct gw_request *r, enum response_type type, struct str message);
/* AWS's "Execution failed due to configuration error": 500, the reason goes to trace and log. */
enum gw_next gw_misconfigured(struct gw_request *r, const char *what, struct str detail);

/* params.c: what mappings, templates and events read. Absent when there is none. */
/* What functions see as `path`: without the stage, but with the base path of a custom domain. */
static inline struct str gw_seen_path(const struct gw_request *r)
{
    return r->custom_domain.ptr ? r->x->path : r->path;
}
/* The client's certificate, which its domain's truststore knows; NULL: none was asked for. */
static inline const struct tls_peer *gw_client(const struct gw_request *r)
{
    return r->custom_domain.ptr && r->x->tls && r->x->tls->verified ? r->x->tls : NULL;
}
struct gw_params *gw_query(struct gw_request *r);
struct str gw_query_last(struct gw_request *r, struct str name);
struct str gw_header_last(const struct http_headers *headers, struct str name);
struct str gw_path_param(struct gw_request *r, struct str name);
struct str gw_source_value(struct gw_request *r, const struct gw_source *source);
/* The client's body as JSON, read once for all who look into it; NULL: no JSON. */
const struct jt *gw_body_json(struct gw_request *r);
bool gw_header_dropped(struct str name);     /* "Dropped at parsing, never seen by mapping" */

/* context.c */
struct str gw_context(struct gw_request *r, struct str name); /* "identity.sourceIp" */
/* The same by a number found once; -1: no fixed variable (authorizer.X). */
int gw_context_number(struct str name);
struct str gw_context_by_number(struct gw_request *r, int number);
struct vtl_value gw_context_map(struct gw_request *r);

/* template.c: one mapping template over one payload. False: r->integration_error says why. */
bool gw_run_template(struct gw_request *r, const struct gw_template *tpl, const char *name, struct str payload,
                     struct str *out);
void gw_template_params(struct gw_request *r, struct vtl_input *input); /* what $input.params() gives */
/* Values of $context.requestOverride and responseOverride; absent: sets nothing. A header: false, it is left out, or
 * *broken: it holds what no header may hold. */
struct str gw_override_text(struct gw_request *r, struct vtl_value value);
bool gw_override_header(struct gw_request *r, const struct vtl_entry *entry, struct str *value, bool *broken);
const struct gw_template *gw_pick_template(const struct gw_templates *templates, struct str content_type);
struct str gw_mime(struct gw_request *r, struct str content_type); /* without parameters, lower case */
