/* What steps share; nobody else needs it. */
#pragma once

#include "core/coding.h"
#include "gateway/request.h"

/* rate_limit.c: noted where a limit is asked, told on the answer. */
void stage_rate_bucket(struct gw_request *r, const struct bucket_limit *limit, const bucket_level *level, int64_t now_us,
                       bool refused);
void stage_rate_quota(struct gw_request *r, const struct usage_meter *meter, bool refused);
void stage_add_rate(struct gw_request *r);

/* respond.c: x-amzn-RequestId and its like, on every answer. */
void stage_add_ids(struct gw_request *r);

/* event.c: what functions are given. */
struct str stage_method_arn(struct gw_request *r);
struct invoke_caller stage_caller(struct gw_request *r);     /* as whom the method's function is called */
struct invoke_caller stage_authorizer_caller(struct gw_request *r);
bool stage_authorizer_may_call(struct gw_request *r);        /* in the role that it names */
struct str stage_proxy_event(struct gw_request *r);
struct str stage_authorizer_event(struct gw_request *r, struct str method_arn);
struct str stage_forwarded_for(struct gw_request *r);
struct str stage_forwarded_port(struct gw_request *r);
struct str stage_forwarded_proto(struct gw_request *r);

/* call.c: calls a function; gw_resume(r) when its answer is in r->call. */
struct gw_call {
    struct arena *arena;        /* outlives the request when the client goes first */
    struct invocation invocation;
    struct gw_request *r;       /* NULL: nobody waits any more */
    int64_t started_us;
};
void stage_call(struct gw_request *r, const struct invoke_caller *caller, struct str function, struct str payload,
                int timeout_ms);
/* The same, with the answer in pieces: core/invoke.h. */
void stage_call_streamed(struct gw_request *r, const struct invoke_caller *caller, struct str function,
                         struct str payload, int timeout_ms,
                         void (*piece)(struct invocation *invocation, struct str piece));
/* Nobody waits for it any more: the function runs on, what it answers is dropped. */
/* Not to run it now: as an event, or dry. */
void stage_call_mode(struct gw_request *r, const struct invoke_caller *caller, struct str function, struct str payload,
                     int timeout_ms, enum invoke_mode mode);
void stage_call_forget(struct gw_request *r);
/* 500: "Invalid permissions on Lambda function". */
enum gw_next stage_call_denied(struct gw_request *r);

/* to_lambda.c: what a function's answer says of status and headers; false: *why. And what went wrong. */
bool stage_lambda_head(struct gw_request *r, json_t *answer, const char **why);
enum gw_next stage_lambda_malformed(struct gw_request *r, const char *why, struct str detail);
enum gw_next stage_lambda_failed(struct gw_request *r, const struct invocation *answer);
struct gw_call *stage_take_call(struct gw_request *r);

/* flow.c: how long an answer may take; idle_us 0: no limit on silence. `expired` once, from a timer. */
void stage_flow_begin(struct gw_request *r, int64_t left_us, int64_t idle_us,
                      void (*expired)(struct gw_request *r, const char *why));
void stage_flow_moved(struct gw_request *r); /* a piece came, or the client reads again */
void stage_flow_held(struct gw_request *r);  /* the client does not read */
void stage_flow_end(struct gw_request *r);
/* cache.c: answers that are kept. Out of the queue, and the flight goes to the next. */
void stage_cache_forget(struct gw_request *r);
int64_t stage_cache_now_us(const struct gw_request *r);
/* 304 when the client has the answer with this tag already (option cacheETag). */
void stage_cache_conditional(struct gw_request *r, struct str etag);
/* cache_keep.c: an answer that streams to the client is copied on its way. Call _head before
 * http_reply_begin and before the ids are added; length -1: not announced. */
void stage_cache_stream_head(struct gw_request *r, int64_t length);
void stage_cache_stream_piece(struct gw_request *r, struct str piece);
void stage_cache_stream_end(struct gw_request *r);
/* An answer that is kept must be the whole one: what asks for a part or for news does not go along. */
bool stage_cache_leaves_out(const struct gw_request *r, struct str name);

/* coding.c: whether the body has to be read and decoded; what the client wants the answer in, and that it is. */
bool stage_is_coded(struct gw_request *r);
enum coding stage_answer_coding(struct gw_request *r);
void stage_set_coding(struct gw_request *r, enum coding coding);
void stage_coding_forget(struct gw_request *r);

/* service.c: an AWS service's protocol and signature, when all other headers are there. */
void stage_service_request(struct gw_request *r, struct http_call *http, struct http_headers *headers);

/* to_http.c */
void stage_http_forget(struct gw_request *r);

/* auth_cache.c: policies of Lambda authorizers. */
struct auth_policy {
    atomic_int references;
    struct arena *arena;
    struct policy_set *policy;
    struct str document;        /* the policy as the function gave it */
    bool wants_keys;            /* it has conditions or variables */
    struct str principal_id;
    struct str usage_identifier_key; /* or absent */
    json_t *context;            /* values as strings */
    int64_t expires_us;         /* monotonic */
};
struct auth_cache *auth_cache_new(void);
void auth_cache_free(struct auth_cache *cache);
/* Held until the arena is freed; NULL: none, or too old. */
const struct auth_policy *auth_cache_get(struct auth_cache *cache, struct arena *arena, struct str key,
                                         int64_t now_us);
void auth_cache_put(struct auth_cache *cache, struct str key, struct auth_policy *policy);
void auth_policy_unref(struct auth_policy *policy);
/* API, stage, authorizer and identity values, each with its length, so that no two sets are one key. */
struct str auth_cache_key(struct arena *arena, const struct snapshot *snapshot, const struct gw_authorizer *authorizer,
                          const struct str *values, size_t n);
void auth_cache_flush(struct auth_cache *cache, struct str api_id, struct str stage);

/* token.c: from the authorizer's header; noted in the trace when it is not there once. */
bool stage_take_token(struct gw_request *r, struct str *token);

/* auth_policy.c: the function's answer as a policy, with one reference; NULL: *why is what is wrong with
 * it. Then the verdict for the request's method: on, or 403. */
struct auth_policy *auth_policy_read(struct str answer, struct arena *scratch, struct str *why);
enum gw_next stage_authorizer_decides(struct gw_request *r, const struct auth_policy *policy, bool cached);

/* reach.c: by this name, from this address? Noted in the trace when not. */
bool stage_reachable(struct gw_request *r);

/* policy.c: the request as policies see it; with_keys: condition keys too, which cost something. */
struct policy_request;
struct policy_decision;
struct policy_request stage_policy_request(struct gw_request *r, bool with_keys);
/* 403 in AWS's words. */
/* May `who` (NULL: nobody we know) do it on the API, whose policy is `policy` (NULL: none)? The trace tells why. */
bool stage_decide(struct gw_request *r, const struct credential *who, const struct policy_set *policy,
                  struct policy_request *request, struct policy_decision *decision);
struct policy_why;
void stage_note_why(struct gw_request *r, const struct policy_why *why);
enum gw_next stage_policy_denied(struct gw_request *r, struct policy_request *request,
                                 const struct policy_decision *decision);

#define GW_MAX_ARN 1600
/* A refused ARN: "Method ARN > 1600 bytes with authorization: 414". */
enum gw_next stage_uri_too_long(struct gw_request *r);
