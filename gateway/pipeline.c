#include "gateway/pipeline.h"

#include "gateway/request.h"

static const struct gw_step *const front[] = { &step_accept, &step_route, &step_respond, &step_log };
#define ALWAYS 2 /* respond, log */

static void add(struct gw_method *method, const struct gw_step *step)
{
    method->steps[method->n_steps++] = step;
}

static bool is_proxy(const struct gw_method *method)
{
    return method->integration->type == INTEGRATE_HTTP_PROXY || method->integration->type == INTEGRATE_AWS_PROXY;
}

static const struct gw_step *integrate_step(const struct gw_method *method)
{
    static const struct gw_step *const steps[] = {
        [INTEGRATE_MOCK] = &step_mock,       [INTEGRATE_HTTP] = &step_http,
        [INTEGRATE_HTTP_PROXY] = &step_http_proxy, [INTEGRATE_AWS] = &step_lambda,
        [INTEGRATE_AWS_PROXY] = &step_lambda_proxy,
    };
    if (method->integration->service)
        return &step_http;
    if (method->integration->type == INTEGRATE_AWS_PROXY && method->integration->stream)
        return &step_lambda_stream;
    return steps[method->integration->type];
}

static bool uses_body(const struct gw_method *method)
{
    for (size_t i = 0; i < method->integration->mappings.n; i++)
        if (method->integration->mappings.items[i].source.kind == SOURCE_BODY)
            return true;
    for (size_t i = 0; method->cache && i < method->cache->n_params; i++)
        if (method->cache->params[i].source.kind == SOURCE_BODY)
            return true;
    return method->n_models || method->integration->type != INTEGRATE_HTTP_PROXY;
}

/* "The result is affected by the authentication type": see stage/policy.c. A policy stands behind a
 * token, before a Lambda authorizer, and is asked together with a signer's own. */
static void add_authorization(struct gw_method *method)
{
    bool policy = method->snapshot->policy != NULL;
    switch (method->authorization) {
    case AUTH_NONE:
        if (policy)
            add(method, &step_policy_allows);
        break;
    case AUTH_IAM:
        add(method, &step_auth_iam);
        break;
    case AUTH_COGNITO:
    case AUTH_JWT:
        add(method, method->authorization == AUTH_JWT ? &step_auth_jwt : &step_auth_cognito);
        if (policy)
            add(method, &step_policy_allows);
        break;
    case AUTH_LAMBDA_TOKEN:
    case AUTH_LAMBDA_REQUEST:
        if (policy)
            add(method, &step_policy_spares);
        if (method->authorizer->role.len)
            add(method, &step_authorizer_role);
        add(method, &step_auth_lambda);
        break;
    }
}

void pipeline_compile(struct gw_method *method)
{
    /* A signature covers the body, so that it is read before it can be checked. */
    bool signed_body = method->authorization == AUTH_IAM;
    if (signed_body)
        add(method, &step_read_whole);
    add_authorization(method);
    if (method->needs_key)
        add(method, &step_usage);
    add(method, &step_throttle);
    if (method->needs_key) /* last: what is throttled counts for no quota */
        add(method, &step_quota);
    if (method->integration) {
        if (!signed_body)
            add(method, uses_body(method) ? &step_read_whole : &step_read_size);
        if (method->snapshot->min_compression >= 0)
            add(method, &step_inflate);
        if (method->n_required || method->n_models)
            add(method, &step_validate);
        if (method->cache)
            add(method, &step_cache);
        if (method->integration->type != INTEGRATE_AWS_PROXY)
            add(method, &step_map_in);
        if (method->integration->acting != ACT_AS_GATEWAY)
            add(method, &step_role);
        add(method, integrate_step(method));
        if (!is_proxy(method))
            add(method, &step_map_out);
    }
    method->tail = method->n_steps;
    if (method->cache) /* always: who waits for this answer must hear of its failure, too */
        add(method, &step_cache_keep);
    /* What is cached is compressed for each client. "Content encoding is not supported with response streaming" */
    if (method->integration && method->snapshot->min_compression >= 0 && !method->integration->stream)
        add(method, &step_compress);
    add(method, &step_respond);
    add(method, &step_log);
}

static void run(struct gw_request *r, bool resuming)
{
    r->running = true;
    while (r->at < r->n_steps) {
        const struct gw_step *step = r->steps[r->at];
        enum gw_next next = resuming ? step->resume(r) : step->enter(r);
        resuming = false;
        int64_t now_us = step->quick || r->at + 1 == r->n_steps ? r->mark_us
                                                                : env_monotonic_us(r->gateway->config.env);
        trace_step(&r->trace, step->name, now_us - r->mark_us, next == GW_FAIL, next == GW_WAIT);
        r->mark_us = now_us;
        if (r->execution_log)
            execution_log_step(r, step, next);
        if (next == GW_WAIT) {
            if (!r->woken) { /* what it waits for has not come meanwhile */
                r->waiting = true;
                r->running = false;
                return;
            }
            r->woken = false;
            resuming = true;
            continue;
        }
        if (next == GW_NEXT && step == &step_route && r->method) {
            r->steps = r->method->steps;
            r->n_steps = r->method->n_steps;
            r->tail = r->method->tail;
            r->at = 0;
            execution_log_begin(r);
            continue;
        }
        r->at = next == GW_NEXT || r->at >= r->tail ? r->at + 1 : r->tail;
    }
    r->finished = true;
    r->running = false;
}

void pipeline_start(struct gw_request *r)
{
    pipeline_start_with(r, front, COUNT(front));
}

void pipeline_start_with(struct gw_request *r, const struct gw_step *const *steps, size_t n)
{
    r->steps = steps;
    r->n_steps = n;
    r->tail = n - ALWAYS;
    r->mark_us = r->x->started_us ? r->x->started_us : env_monotonic_us(r->gateway->config.env);
    run(r, false);
}

void gw_resume(struct gw_request *r)
{
    if (r->finished || r->abandoned)
        return;
    if (r->running) { /* called back before the step could say that it waits */
        r->woken = true;
        return;
    }
    if (!r->waiting)
        return;
    r->waiting = false;
    run(r, true);
}

void pipeline_abandon(struct gw_request *r)
{
    if (r->finished)
        return;
    r->abandoned = r->replied = true;
    if (r->running)
        return;
    r->waiting = false;
    if (!r->streaming)
        r->status = 499; /* nginx's number for it: only the log and the trace ever show it */
    trace_note(&r->trace, "client", STR("gone before the answer was complete"));
    r->at = r->n_steps - 1; /* the log */
    run(r, false);
}

enum gw_next gw_fail(struct gw_request *r, enum response_type type)
{
    r->failed = true;
    r->failure = type;
    trace_note(&r->trace, "gateway response", str_of(response_kinds[type].name));
    return GW_FAIL;
}

enum gw_next gw_fail_text(struct gw_request *r, enum response_type type, struct str message)
{
    r->failure_message = message;
    return gw_fail(r, type);
}

enum gw_next gw_misconfigured(struct gw_request *r, const char *what, struct str detail)
{
    trace_note(&r->trace, what, detail);
    r->integration_error = str_printf(r->arena, "Execution failed due to configuration error: %s%s%.*s", what,
                                      detail.len ? ": " : "", STR_FMT(detail));
    return gw_fail(r, RESPONSE_API_CONFIGURATION_ERROR);
}
