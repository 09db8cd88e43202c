#include "gateway/record/execution_log.h"

#include <inttypes.h>
#include <time.h>

#include "gateway/headers.h"
#include "gateway/record/loop_log.h"
#include "gateway/stage/stage.h"

#define LONGEST_LINE 1024 /* "Each log event is limited to 1024 bytes": the rest is cut */

/* --- lines --- */

void execution_log_line(struct strbuf *out, int64_t wall_us, struct str text)
{
    char date[40];
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", &tm);
    strbuf_printf(out, "%s : ", date);
    strbuf_add(out, text);
    strbuf_char(out, '\n');
}

static struct str shortened(struct gw_request *r, struct str text)
{
    static const char mark[] = " [TRUNCATED]";
    if (text.len <= LONGEST_LINE)
        return text;
    return str_concat(r->arena, str_sub(text, 0, LONGEST_LINE - (sizeof mark - 1)), str_of(mark));
}

static void say(struct gw_request *r, enum logging_level level, struct str text)
{
    struct execution_log *log = r->execution_log;
    if (log->test) {
        execution_log_line(log->test, env_now_us(r->gateway->config.env), text);
        return;
    }
    if (level > log->level)
        return;
    text = shortened(r, text);
    loop_log_begin(r, level == LOGGING_ERROR ? "error" : "info", "execution");
    loop_log_add(r->home, STR("\",\"log\":\"API-Gateway-Execution-Logs_"));
    loop_log_add(r->home, r->api_id);
    loop_log_add(r->home, STR("/"));
    loop_log_add(r->home, r->stage);
    if (r->snapshot->is_canary)
        loop_log_add(r->home, STR("/Canary"));
    loop_log_add(r->home, STR("\",\"line\":\"("));
    loop_log_add(r->home, r->request_id);
    loop_log_add(r->home, STR(") "));
    loop_log_escaped(r->home, r->arena, text);
    loop_log_end(r->home);
}

static void sayf(struct gw_request *r, enum logging_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void sayf(struct gw_request *r, enum logging_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = str_vprintf(r->arena, fmt, args);
    va_end(args);
    say(r, level, text);
}

/* Whether there is anybody who reads parameters, headers and bodies. */
static bool wants_data(const struct gw_request *r)
{
    return r->execution_log->data && r->execution_log->level >= LOGGING_INFO;
}

static void say_text(struct gw_request *r, const char *what, struct str text)
{
    say(r, LOGGING_INFO, str_concat(r->arena, str_of(what), text));
}

/* --- what is secret --- */

/* "*" and the last 6 characters. */
static struct str masked(struct gw_request *r, struct str value)
{
    struct str tail = value.len > 12 ? str_from(value, value.len - 6) : STR("");
    return str_concat(r->arena, STR("******************************"), tail);
}

static void add_pair(struct gw_request *r, struct strbuf *out, struct str name, struct str value)
{
    if (out->len > 1)
        strbuf_add(out, STR(", "));
    strbuf_add(out, name);
    strbuf_char(out, '=');
    strbuf_add(out, header_is_secret(name) ? masked(r, value) : value);
}

static struct str closed(struct strbuf *out)
{
    strbuf_char(out, '}');
    return strbuf_view(out);
}

static void say_headers(struct gw_request *r, const char *what, const struct http_headers *headers)
{
    struct strbuf out = strbuf_in(r->arena, 512);
    strbuf_char(&out, '{');
    for (size_t i = 0; headers && i < headers->n; i++)
        add_pair(r, &out, headers->items[i].name, headers->items[i].value);
    say_text(r, what, closed(&out));
}

static void say_request_parameters(struct gw_request *r)
{
    struct strbuf path = strbuf_in(r->arena, 128), query = strbuf_in(r->arena, 128);
    const struct gw_params *params = gw_query(r);
    strbuf_char(&path, '{');
    for (size_t i = 0; i < r->match.n_params; i++)
        add_pair(r, &path, r->match.params[i].name, r->match.params[i].value);
    say_text(r, "Method request path: ", closed(&path));
    strbuf_char(&query, '{');
    for (size_t i = 0; i < params->n; i++)
        add_pair(r, &query, params->items[i].name, params->items[i].value);
    say_text(r, "Method request query string: ", closed(&query));
    say_headers(r, "Method request headers: ", &r->x->headers);
    say_text(r, "Method request body before transformations: ", r->body.ptr ? r->body : STR(""));
}

/* --- the parts of an execution --- */

void execution_log_begin(struct gw_request *r)
{
    if (!r->execution_log) {
        if (r->method->log_level == LOGGING_OFF)
            return;
        r->execution_log = ARENA_NEW(r->arena, struct execution_log);
        r->execution_log->level = r->method->log_level;
        r->execution_log->data = r->method->log_data;
    }
    if (!r->execution_log->test)
        say_text(r, "Extended Request Id: ", r->extended_id);
}

static void authorizing(struct gw_request *r, enum gw_next next)
{
    struct execution_log *log = r->execution_log;
    const struct gw_authorizer *authorizer = r->method->authorizer;
    if (!authorizer)
        return;
    if (next == GW_WAIT && r->call) {
        sayf(r, LOGGING_INFO, "Starting authorizer: %.*s for request: %.*s", STR_FMT(authorizer->id),
             STR_FMT(r->request_id));
        if (wants_data(r))
            say_text(r, "Endpoint request body after transformations: ", r->call->invocation.payload);
        log->authorizer = &r->call->invocation;
        return;
    }
    if (log->authorizer && log->authorizer->result == INVOKE_OK) {
        log->authorizer_answer = log->authorizer->answer;
        if (wants_data(r))
            say_text(r, "Authorizer result body before parsing: ", log->authorizer_answer);
    }
    if (next != GW_NEXT)
        return;
    if (r->caller.principal_id.ptr)
        say_text(r, "Using valid authorizer policy for principal: ", masked(r, r->caller.principal_id));
    say_text(r, "Successfully completed authorizer execution", STR_NONE);
}

static struct str stage_name(struct gw_request *r)
{
    return str_printf(r->arena, "%.*s/%.*s", STR_FMT(r->api_id), STR_FMT(r->stage));
}

static void say_usage_plan(struct gw_request *r)
{
    struct str key = gw_context(r, STR("identity.apiKey"));
    struct str stage = stage_name(r);
    if (key.len)
        key = masked(r, key);
    sayf(r, LOGGING_INFO, "Verifying Usage Plan for request: %.*s. API Key: %.*s API Stage: %.*s",
         STR_FMT(r->request_id), STR_FMT(key), STR_FMT(stage));
    if (!key.len)
        sayf(r, LOGGING_INFO,
             "API Key  authorized because method '%.*s %.*s' does not require API Key. Request will not contribute to "
             "throttle or quota limits",
             STR_FMT(r->http_method), STR_FMT(r->method->resource_path));
    sayf(r, LOGGING_INFO, "Usage Plan check succeeded for API Key %.*s and API Stage %.*s", STR_FMT(key),
         STR_FMT(stage));
}

static void starting(struct gw_request *r)
{
    r->execution_log->started = true;
    if (!r->execution_log->test)
        say_usage_plan(r);
    say_text(r, "Starting execution for request: ", r->request_id);
    sayf(r, LOGGING_INFO, "HTTP Method: %.*s, Resource Path: %.*s", STR_FMT(r->http_method),
         STR_FMT(r->execution_log->test ? r->path : r->method->resource_path));
    if (wants_data(r))
        say_request_parameters(r);
}

static struct str endpoint(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    if (r->call)
        return str_printf(r->arena, "https://lambda.%.*s.amazonaws.com/2015-03-31/functions/%.*s/invocations",
                          STR_FMT(r->snapshot->region), STR_FMT(in->function));
    if (in->port == (str_is(in->scheme, "https") ? 443 : 80))
        return str_printf(r->arena, "%.*s://%.*s%.*s", STR_FMT(in->scheme), STR_FMT(in->host), STR_FMT(r->target));
    return str_printf(r->arena, "%.*s://%.*s:%u%.*s", STR_FMT(in->scheme), STR_FMT(in->host), in->port, STR_FMT(r->target));
}

static void sending(struct gw_request *r)
{
    struct str uri = endpoint(r);
    r->execution_log->sent = true;
    if (wants_data(r)) {
        struct http_headers none = { 0 };
        say_text(r, "Endpoint request URI: ", uri);
        say_headers(r, "Endpoint request headers: ", r->http ? r->http->headers : &none);
        bool proxy = r->method->integration->type == INTEGRATE_AWS_PROXY;
        say_text(r, "Endpoint request body after transformations: ",
                 proxy ? r->call->invocation.payload : r->http ? r->http->body : r->request.body);
    }
    say_text(r, "Sending request to ", uri);
}

static void received(struct gw_request *r)
{
    r->execution_log->received = true;
    if (r->answer.status)
        sayf(r, LOGGING_INFO, "Received response. Status: %d, Integration latency: %" PRId64 " ms", r->answer.status,
             r->answer.latency_us / 1000);
    if (!wants_data(r) || !r->answer.status)
        return;
    say_headers(r, "Endpoint response headers: ", &r->answer.headers);
    say_text(r, "Endpoint response body before transformations: ",
             r->streaming ? STR("[streamed]") : r->answer.body);
}

/* Why it failed. Most failures have said it themselves. */
static void failing(struct gw_request *r)
{
    if (r->integration_error.ptr)
        say(r, LOGGING_ERROR, r->integration_error);
    else if (r->failure == RESPONSE_UNAUTHORIZED)
        say(r, LOGGING_ERROR, str_concat(r->arena, STR("Unauthorized request: "), r->request_id));
    else if (r->failure == RESPONSE_ACCESS_DENIED)
        say(r, LOGGING_ERROR, STR("The client is not authorized to perform this operation."));
    else if (r->failure == RESPONSE_INTEGRATION_TIMEOUT)
        say(r, LOGGING_ERROR, STR("Execution failed due to a timeout error"));
    else if (r->validation_error.ptr)
        sayf(r, LOGGING_ERROR, "Request body does not match model schema for content type %.*s: %.*s",
             STR_FMT(gw_mime(r, http_header_get(&r->x->headers, "Content-Type"))), STR_FMT(r->validation_error));
    else
        say(r, LOGGING_ERROR, gw_context(r, STR("error.message")));
    if (r->execution_log->test)
        return;
    sayf(r, LOGGING_ERROR, "Gateway response type: %s with status code: %d", response_kinds[r->failure].name, r->status);
    if (wants_data(r)) {
        say_text(r, "Gateway response body: ", r->reply);
        say_headers(r, "Gateway response headers: ", &r->headers);
    }
}

/* In AWS's order, without what is on every answer. */
static void say_answer_headers(struct gw_request *r)
{
    static const char *const own[] = { "x-amzn-RequestId", "x-amz-apigw-id", "x-gatehouse-trace", "X-Amzn-Trace-Id" };
    struct http_headers shown = { 0 };
    struct str trace = http_header_get(&r->headers, "X-Amzn-Trace-Id");
    if (trace.ptr)
        http_header_add(r->arena, &shown, STR("X-Amzn-Trace-Id"), trace);
    for (size_t i = 0; i < r->headers.n; i++) {
        size_t k = 0;
        while (k < COUNT(own) && !str_eq_nocase(r->headers.items[i].name, str_of(own[k])))
            k++;
        if (k == COUNT(own))
            http_header_add(r->arena, &shown, r->headers.items[i].name, r->headers.items[i].value);
    }
    say_headers(r, "Method response headers: ", &shown);
}

static void completing(struct gw_request *r)
{
    if (!r->failed && !r->execution_log->started)
        return; /* only its authorizer was tried */
    if (r->failed) {
        failing(r);
    } else {
        if (wants_data(r)) {
            say_text(r, "Method response body after transformations: ", r->streaming ? STR("[streamed]") : r->reply);
            say_answer_headers(r);
        }
        say(r, LOGGING_INFO, STR("Successfully completed execution"));
    }
    sayf(r, r->failed && r->status >= 500 ? LOGGING_ERROR : LOGGING_INFO, "Method completed with status: %d",
         r->status);
}

/* No step behind this one may still refuse the caller, and the body is there. */
static bool let_in(const struct gw_request *r)
{
    for (size_t i = r->at + 1; i < r->tail; i++)
        if (r->steps[i]->guards || r->steps[i] == &step_read_whole)
            return false;
    return true;
}

void execution_log_step(struct gw_request *r, const struct gw_step *step, enum gw_next next)
{
    struct execution_log *log = r->execution_log;
    if (step == &step_auth_lambda || step == &step_auth_cognito)
        authorizing(r, next);
    bool waiting = next == GW_WAIT;
    if (!log->started && !step->guards && !waiting && r->method && step != &step_route && let_in(r) && r->at < r->tail)
        starting(r);
    if (!log->sent && r->integrated && waiting && (r->http || r->call))
        sending(r);
    if (log->sent && !log->received && !waiting)
        received(r);
    if (step == &step_respond)
        completing(r);
}
