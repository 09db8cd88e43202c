/* One pipeline, compiled per method: a table of steps and the small runner.
 *
 *     client -> accept -> route -> [the method's own table:] read -> authorize -> usage -> throttle
 *            -> quota -> validate -> cache -> map_in -> integrate -> map_out -> keep -> respond -> log
 *
 * The order is API Gateway's: resource and method look-up, authorizer, usage plan, throttle, then
 * "Starting execution" with size and validation, mapping, integration (reference, life of a
 * request). A step that a method does not use is not in its table. */
#pragma once

#include "gateway/snapshot.h"

struct gw_request;

enum gw_next {
    GW_NEXT,  /* go on */
    GW_WAIT,  /* something will call gw_resume */
    GW_REPLY, /* the answer is decided: on to the steps that always run */
    GW_FAIL,  /* so is it, and it is r->failure, a gateway response */
};

struct gw_step {
    const char *name;
    enum gw_next (*enter)(struct gw_request *r);
    enum gw_next (*resume)(struct gw_request *r); /* after GW_WAIT */
    bool quick;  /* never worth a look at the clock: what it took is counted to the next step */
    bool guards; /* decides whether the caller may: TestInvokeMethod goes without */
};

/* The steps before the method is known, and the ways through for a method. */
void pipeline_compile(struct gw_method *method);
void pipeline_start(struct gw_request *r);
/* The same by a table of the caller's, whose last two steps always run. */
void pipeline_start_with(struct gw_request *r, const struct gw_step *const *steps, size_t n);
/* After GW_WAIT, on the request's own loop. */
void gw_resume(struct gw_request *r);
/* The client is gone: no further step runs but the log. */
void pipeline_abandon(struct gw_request *r);

extern const struct gw_step step_accept;
extern const struct gw_step step_route;
extern const struct gw_step step_read_whole;
extern const struct gw_step step_read_size;
extern const struct gw_step step_policy_allows;
extern const struct gw_step step_policy_spares;
extern const struct gw_step step_auth_iam;
extern const struct gw_step step_auth_cognito;
extern const struct gw_step step_auth_jwt;
extern const struct gw_step step_authorizer_role;
extern const struct gw_step step_auth_lambda;
extern const struct gw_step step_usage;
extern const struct gw_step step_throttle;
extern const struct gw_step step_quota;
extern const struct gw_step step_validate;
extern const struct gw_step step_cache;
extern const struct gw_step step_cache_keep;
extern const struct gw_step step_map_in;
extern const struct gw_step step_mock;
extern const struct gw_step step_http;
extern const struct gw_step step_http_proxy;
extern const struct gw_step step_lambda;
extern const struct gw_step step_lambda_proxy;
extern const struct gw_step step_role;
extern const struct gw_step step_map_out;
extern const struct gw_step step_respond;
extern const struct gw_step step_log;
extern const struct gw_step step_lambda_stream;
extern const struct gw_step step_inflate;
extern const struct gw_step step_compress;
