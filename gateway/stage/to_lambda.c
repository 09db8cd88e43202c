/* Functions: AWS_PROXY (payload 1.0) and AWS (custom). */
#include "core/base64.h"
#include "gateway/headers.h"
#include "gateway/stage/stage.h"

/* What went wrong before there was an answer. "500 no permission, 502 other". */
static enum gw_next no_answer(struct gw_request *r, const struct invocation *answer)
{
    trace_note(&r->trace, "function", answer->message);
    if (answer->result == INVOKE_DENIED)
        return stage_call_denied(r);
    r->integration_error = answer->message.len ? answer->message : STR("function could not be invoked");
    if (answer->result == INVOKE_TIMED_OUT)
        return gw_fail(r, RESPONSE_INTEGRATION_TIMEOUT);
    r->failure_status = answer->result == INVOKE_NOT_FOUND ? 500 : 502;
    return gw_fail_text(r, RESPONSE_INTEGRATION_FAILURE, STR("Internal server error"));
}

enum gw_next stage_call_denied(struct gw_request *r)
{
    r->integration_error = STR("Execution failed due to configuration error: Invalid permissions on Lambda function");
    r->failure_status = 500;
    return gw_fail_text(r, RESPONSE_INTEGRATION_FAILURE, STR("Internal server error"));
}

/* "For an asynchronous invocation, add the X-Amz-Invocation-Type header to the integration request: 'Event'". */
static enum invoke_mode mode_of(struct gw_request *r)
{
    struct str type = http_header_get(&r->request.headers, "X-Amz-Invocation-Type");
    return str_is(type, "Event") ? INVOKE_AS_EVENT : str_is(type, "DryRun") ? INVOKE_DRY_RUN : INVOKE_NOW;
}

static enum gw_next lambda_enter(struct gw_request *r)
{
    const struct gw_integration *in = r->method->integration;
    bool proxy = in->type == INTEGRATE_AWS_PROXY;
    if (in->wrong_method) /* recorded: 500 at run time */
        return gw_misconfigured(r, "the integration's HTTP method must be POST", in->http_method);
    trace_note(&r->trace, "function", in->function);
    struct str payload = proxy ? stage_proxy_event(r) : r->request.body.len ? r->request.body : STR("{}");
    r->integrated = true;
    const struct invoke_caller caller = stage_caller(r);
    stage_call_mode(r, &caller, in->function, payload, in->timeout_ms, proxy ? INVOKE_NOW : mode_of(r));
    return GW_WAIT;
}

/* --- AWS_PROXY's answer: strict, as recorded --- */

enum gw_next stage_lambda_malformed(struct gw_request *r, const char *why, struct str detail)
{
    trace_note(&r->trace, "malformed Lambda proxy response", str_of(why));
    if (detail.len)
        trace_note(&r->trace, "it was", detail);
    r->integration_error = str_printf(
        r->arena, "Execution failed due to configuration error: Malformed Lambda proxy response: %s", why);
    r->failure_status = 502;
    return gw_fail_text(r, RESPONSE_INTEGRATION_FAILURE, STR("Internal server error"));
}

static void add_header(struct gw_request *r, struct str name, struct str value)
{
    const struct header_rule *rule = name.len ? header_rule(name) : NULL;
    enum header_fate fate = rule ? rule->answer_lambda : HEADER_PASS;
    if (fate == HEADER_DROP || !http_is_token(name) || !http_is_field_value(value))
        return;
    http_header_add(r->arena, &r->headers, fate == HEADER_REMAP ? str_of(rule->remapped) : name, value);
}

/* Recorded: strings and booleans. Numbers are taken as text. NULL: not such a value. */
static struct str header_value(struct gw_request *r, json_t *value)
{
    if (json_is_string(value))
        return json_value_str(value);
    return json_is_boolean(value) || json_is_number(value) ? json_print(r->arena, value) : STR_NONE;
}

/* Recorded: a header in both maps has its values joined, multi first, in multi's spelling. */
static bool take_multi(struct gw_request *r, json_t *multi, json_t *single)
{
    const char *name, *other;
    json_t *list, *one;
    size_t i;
    if (multi && !json_is_null(multi) && !json_is_object(multi))
        return false;
    json_object_foreach(multi, name, list) {
        struct strbuf joined = strbuf_in(r->arena, 64);
        if (!json_is_array(list))
            return false;
        bool cookies = str_eq_nocase(str_of(name), STR("Set-Cookie")); /* never joined: RFC 9110, 5.3 */
        json_array_foreach(list, i, one) {
            struct str value = header_value(r, one);
            if (!value.ptr)
                return false;
            if (cookies) {
                add_header(r, str_of(name), value);
                continue;
            }
            if (i)
                strbuf_add(&joined, STR(", "));
            strbuf_add(&joined, value);
        }
        json_object_foreach(single, other, one) {
            if (!str_eq_nocase(str_of(other), str_of(name)))
                continue;
            if (joined.len)
                strbuf_add(&joined, STR(", "));
            strbuf_add(&joined, header_value(r, one));
        }
        if (!cookies || joined.len)
            add_header(r, str_of(name), strbuf_view(&joined));
    }
    return true;
}

static bool in_multi(json_t *multi, const char *name)
{
    const char *other;
    json_t *list;
    json_object_foreach(multi, other, list)
        if (str_eq_nocase(str_of(other), str_of(name)))
            return true;
    return false;
}

static bool take_headers(struct gw_request *r, json_t *answer)
{
    json_t *single = json_object_get(answer, "headers"), *multi = json_object_get(answer, "multiValueHeaders");
    const char *name;
    json_t *value;
    if (single && !json_is_null(single) && !json_is_object(single))
        return false;
    json_object_foreach(single, name, value)
        if (!header_value(r, value).ptr)
            return false;
    if (!take_multi(r, multi, single))
        return false;
    json_object_foreach(single, name, value)
        if (!in_multi(multi, name))
            add_header(r, str_of(name), header_value(r, value));
    if (!http_header_has(&r->headers, "Content-Type"))
        http_header_add(r->arena, &r->headers, STR("Content-Type"), STR("application/json"));
    return true;
}

static bool only_known_keys(json_t *answer, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(answer, name, value) {
        bool good = false;
        for (size_t i = 0; known[i]; i++)
            good = good || strcmp(name, known[i]) == 0;
        if (!good)
            return false;
    }
    return true;
}

static bool take_status(struct gw_request *r, json_t *code)
{
    int64_t status = 200;
    if (json_is_integer(code))
        status = json_integer_value(code);
    else if (json_is_string(code) ? !str_i64(json_value_str(code), &status) : code && !json_is_null(code))
        return false;
    r->status = (int)status;
    return status >= 200 && status <= 599; /* below it is no answer, but announces one */
}

/* "isBase64Encoded decodes only if Accept matches binaryMediaTypes", the first media type only. */
static bool take_body(struct gw_request *r, json_t *answer)
{
    json_t *body = json_object_get(answer, "body"), *encoded = json_object_get(answer, "isBase64Encoded");
    struct str accept = http_header_get(&r->x->headers, "Accept"), first = STR_NONE;
    if (body && !json_is_null(body) && !json_is_string(body))
        return false;
    if (encoded && !json_is_null(encoded) && !json_is_boolean(encoded))
        return false;
    r->reply = json_is_string(body) ? json_value_str(body) : STR("");
    if (accept.ptr)
        str_split(&accept, ',', &first);
    if (json_is_true(encoded) && snapshot_is_binary(r->snapshot, first))
        return base64_decode(r->arena, r->reply, &r->reply);
    return true;
}

/* "headers, multiValueHeaders, cookies, statusCode": what a stream begins with. */
bool stage_lambda_head(struct gw_request *r, json_t *answer, const char **why)
{
    static const char *const known[] = { "statusCode", "headers", "multiValueHeaders", "cookies", NULL };
    json_t *cookies = json_object_get(answer, "cookies"), *cookie;
    size_t i;
    if (!json_is_object(answer))
        *why = "the metadata is not a JSON object";
    else if (!only_known_keys(answer, known))
        *why = "the metadata has a member besides statusCode, headers, multiValueHeaders, cookies";
    else if (!take_status(r, json_object_get(answer, "statusCode")))
        *why = "statusCode is no HTTP status";
    else if (!take_headers(r, answer))
        *why = "headers are strings, multiValueHeaders arrays of strings";
    else if (cookies && !json_is_array(cookies))
        *why = "cookies is not an array";
    else
        *why = NULL;
    if (!*why)
        json_array_foreach(cookies, i, cookie)
            if (json_is_string(cookie))
                add_header(r, STR("Set-Cookie"), json_value_str(cookie));
    return !*why;
}

static enum gw_next proxy_answer(struct gw_request *r, struct str text)
{
    static const char *const known[] = { "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", NULL };
    struct str why = STR_NONE;
    json_t *answer = json_parse(r->arena, text, &why);
    if (!json_is_object(answer))
        return stage_lambda_malformed(r, "the answer is not a JSON object", text);
    if (!only_known_keys(answer, known))
        return stage_lambda_malformed(r, "the answer has a member besides statusCode, headers, multiValueHeaders, body, "
                            "isBase64Encoded", text);
    if (!take_status(r, json_object_get(answer, "statusCode")))
        return stage_lambda_malformed(r, "statusCode is no HTTP status", text);
    if (!take_headers(r, answer))
        return stage_lambda_malformed(r, "headers are strings, multiValueHeaders arrays of strings", text);
    if (!take_body(r, answer))
        return stage_lambda_malformed(r, "body is not a string, or not base64", text);
    r->answer.status = r->status;
    return GW_NEXT;
}

struct gw_call *stage_take_call(struct gw_request *r)
{
    struct gw_call *call = r->call;
    r->call = NULL;
    r->answer.latency_us = env_monotonic_us(r->gateway->config.env) - call->started_us;
    r->answer.request_id = call->invocation.request_id;
    return call;
}

static enum gw_next lambda_proxy_done(struct gw_request *r)
{
    const struct invocation *answer = &stage_take_call(r)->invocation;
    return answer->result == INVOKE_OK ? proxy_answer(r, answer->answer) : stage_lambda_failed(r, answer);
}

enum gw_next stage_lambda_failed(struct gw_request *r, const struct invocation *answer)
{
    if (answer->result != INVOKE_FUNCTION_ERROR)
        return no_answer(r, answer);
    trace_note(&r->trace, "function failed", answer->answer);
    r->integration_error = str_printf(
        r->arena, "Lambda execution failed with status 200 due to customer function error: %.*s. Lambda request id: %.*s",
        (int)(answer->answer.len < 300 ? answer->answer.len : 300), answer->answer.ptr ? answer->answer.ptr : "",
        STR_FMT(answer->request_id));
    r->failure_status = 502;
    return gw_fail_text(r, RESPONSE_INTEGRATION_FAILURE, STR("Internal server error"));
}

/* AWS (custom): the payload goes through the integration responses, an error by its message. */
static enum gw_next lambda_done(struct gw_request *r)
{
    const struct invocation *answer = &stage_take_call(r)->invocation;
    if (answer->result != INVOKE_OK && answer->result != INVOKE_FUNCTION_ERROR)
        return no_answer(r, answer);
    r->answer.status = 200;
    r->answer.function_error = answer->result == INVOKE_FUNCTION_ERROR;
    r->answer.body = answer->answer.ptr ? answer->answer : STR("");
    if (r->answer.function_error)
        trace_note(&r->trace, "function failed", answer->answer);
    return GW_NEXT;
}

const struct gw_step step_lambda = { "integrate", lambda_enter, lambda_done };
const struct gw_step step_lambda_proxy = { "integrate", lambda_enter, lambda_proxy_done };
