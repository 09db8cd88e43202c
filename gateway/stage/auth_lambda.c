/* Lambda authorizers, TOKEN and REQUEST.
 *
 * "If the identity source is missing, null, or empty, API Gateway returns 401 without calling the
 * authorizer function." A function that fails with exactly "Unauthorized" is 401, any other failure
 * 500. What is malformed is 500 and never cached; without identity source nothing is cached. */
#include "gateway/stage/stage.h"

#define MAX_IDENTITY 16

static enum gw_next unauthorized(struct gw_request *r, const char *why)
{
    trace_note(&r->trace, "unauthorized", str_of(why));
    return gw_fail(r, RESPONSE_UNAUTHORIZED);
}

static enum gw_next broken(struct gw_request *r, enum response_type type, const char *why, struct str detail)
{
    r->failure_null = true; /* recorded: {"message":null}; the cause is for the trace and the log */
    trace_note(&r->trace, why, detail);
    r->integration_error = str_printf(r->arena, "%s%s%.*s", why, detail.len ? ": " : "", (int)(detail.len < 300 ? detail.len : 300),
                                      detail.ptr ? detail.ptr : "");
    return gw_fail(r, type);
}

/* Reported: "Invalid permissions on Lambda function", then "Authorizer error". */
static enum gw_next not_permitted(struct gw_request *r)
{
    return broken(r, RESPONSE_AUTHORIZER_CONFIGURATION_ERROR,
                  "Execution failed due to configuration error: Invalid permissions on Lambda function", STR_NONE);
}

/* The identity values; false when one is missing or empty. */
static bool identity_values(struct gw_request *r, struct str *values, size_t *n)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    *n = authorizer->n_identity < MAX_IDENTITY ? authorizer->n_identity : MAX_IDENTITY;
    for (size_t i = 0; i < *n; i++) {
        values[i] = gw_source_value(r, &authorizer->identity[i]);
        if (!values[i].len) {
            trace_note(&r->trace, "identity source is missing", authorizer->identity[i].name);
            return false;
        }
    }
    return true;
}

/* The function sees every header and query value of a name, the identity source means the last one: what
 * is remembered is remembered for all of them. */
static struct str cache_key(struct gw_request *r, struct str *values, size_t n)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    for (size_t i = 0; i < n && authorizer->kind == AUTH_LAMBDA_REQUEST; i++) {
        struct gw_source all = authorizer->identity[i];
        if (all.kind != SOURCE_HEADER && all.kind != SOURCE_QUERY)
            continue;
        all.kind = all.kind == SOURCE_HEADER ? SOURCE_HEADER_MULTI : SOURCE_QUERY_MULTI;
        values[i] = gw_source_value(r, &all);
    }
    return auth_cache_key(r->arena, r->snapshot, authorizer, values, n);
}

static bool may_cache(const struct gw_authorizer *authorizer)
{
    return authorizer->ttl_s > 0 && authorizer->n_identity > 0;
}

static struct str token_event(struct gw_request *r, struct str token)
{
    struct strbuf out = strbuf_in(r->arena, 256 + token.len);
    strbuf_add(&out, STR("{\"type\":\"TOKEN\",\"methodArn\":"));
    json_quote(&out, stage_method_arn(r));
    strbuf_add(&out, STR(",\"authorizationToken\":"));
    json_quote(&out, token);
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}

static int timeout_ms(const struct gw_request *r)
{
    int own = r->snapshot->authorizer_timeout_ms;
    return r->gateway->config.aws_limits && own > GW_AUTHORIZER_TIMEOUT_MS ? GW_AUTHORIZER_TIMEOUT_MS : own;
}

static enum gw_next authorize_enter(struct gw_request *r)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    struct str values[MAX_IDENTITY] = { 0 };
    size_t n;
    if (!identity_values(r, values, &n))
        return unauthorized(r, "the authorizer is not called without its identity source");
    if (authorizer->validation && !regex_matches_whole(authorizer->validation, values[0]))
        return unauthorized(r, "the token does not match identityValidationExpression");
    if (stage_method_arn(r).len > GW_MAX_ARN)
        return stage_uri_too_long(r);
    if (may_cache(authorizer)) {
        const struct auth_policy *cached = auth_cache_get(r->gateway->auth_cache, r->arena, cache_key(r, values, n),
                                                          env_monotonic_us(r->gateway->config.env));
        gateway_count(r->home, cached ? COUNT_AUTH_HITS : COUNT_AUTH_MISSES);
        if (cached) {
            trace_note(&r->trace, "authorizer", STR("policy from the cache"));
            return stage_authorizer_decides(r, cached, true);
        }
    }
    trace_note(&r->trace, "authorizer", authorizer->name);
    if (!stage_authorizer_may_call(r))
        return not_permitted(r);
    const struct invoke_caller caller = stage_authorizer_caller(r);
    stage_call(r, &caller, authorizer->function,
               authorizer->kind == AUTH_LAMBDA_TOKEN ? token_event(r, values[0])
                                                     : stage_authorizer_event(r, stage_method_arn(r)),
               timeout_ms(r));
    return GW_WAIT;
}

static void unref(void *policy)
{
    auth_policy_unref(policy);
}

static enum gw_next refused(struct gw_request *r, const struct invocation *answer)
{
    if (answer->result == INVOKE_DENIED) {
        trace_note(&r->trace, "function", answer->message);
        return not_permitted(r);
    }
    if (answer->result == INVOKE_TIMED_OUT)
        return broken(r, RESPONSE_AUTHORIZER_FAILURE, "authorizer took too long", answer->message);
    if (answer->result != INVOKE_FUNCTION_ERROR)
        return broken(r, RESPONSE_AUTHORIZER_CONFIGURATION_ERROR, "authorizer could not be called", answer->message);
    json_t *error = json_parse(r->arena, answer->answer, NULL);
    if (str_is(json_str(error, "errorMessage"), "Unauthorized"))
        return unauthorized(r, "the authorizer says Unauthorized");
    return broken(r, RESPONSE_AUTHORIZER_FAILURE, "authorizer failed", answer->answer);
}

static enum gw_next authorize_done(struct gw_request *r)
{
    const struct gw_authorizer *authorizer = r->method->authorizer;
    struct gw_call *call = r->call;
    int64_t now_us = env_monotonic_us(r->gateway->config.env);
    r->call = NULL;
    r->caller.integration_latency_ms = (now_us - call->started_us) / 1000;
    if (call->invocation.result != INVOKE_OK)
        return refused(r, &call->invocation);
    struct str why = STR_NONE;
    struct auth_policy *policy = auth_policy_read(call->invocation.answer, r->arena, &why);
    if (!policy)
        return broken(r, RESPONSE_AUTHORIZER_CONFIGURATION_ERROR, "authorizer's answer is malformed", why);
    arena_defer(r->arena, unref, policy);
    if (may_cache(authorizer)) {
        struct str values[MAX_IDENTITY] = { 0 };
        size_t n;
        identity_values(r, values, &n);
        policy->expires_us = now_us + (int64_t)authorizer->ttl_s * 1000000;
        auth_cache_put(r->gateway->auth_cache, cache_key(r, values, n), policy);
    }
    return stage_authorizer_decides(r, policy, false);
}

const struct gw_step step_auth_lambda = { "authorize", authorize_enter, authorize_done, .guards = true };
