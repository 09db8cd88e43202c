/* Invoke, by request and answer, as an event, or as a dry run. */
#include "core/base64.h"
#include "core/http_msg.h"
#include "core/id.h"
#include "functions/events.h"
#include "functions/ops/common.h"

enum { ASYNC_BYTES = 1048576, SYNC_BYTES = 6291456, CONTEXT_BYTES = 3583 };



static gh_err check_payload(struct call *call, struct str payload, bool async);
static gh_err run(struct call *call, const struct lambda_Invoke_in *in, const struct named *named,
                  struct lambda_Invoke_out *out);

gh_err lambda_Invoke(struct call *call, const struct lambda_Invoke_in *in, struct lambda_Invoke_out *out)
{
    struct version_row row;
    struct named named;
    bool event = str_is(in->invocation_type, "Event"), dry_run = str_is(in->invocation_type, "DryRun");
    struct str payload = str_empty(in->payload) ? STR("{}") : in->payload;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (!err && in->durable_execution_name.ptr)
        err = lambda_fail(call, &lambda_InvalidParameterValueException, "DurableExecutionName is not supported by Gatehouse.");
    if (!err && in->tenant_id.ptr)
        err = lambda_fail(call, &lambda_InvalidParameterValueException, "TenantId is not supported by Gatehouse.");
    if (!err && in->client_context.len > CONTEXT_BYTES)
        err = lambda_fail(call, &lambda_InvalidRequestContentException, "Client context must be at most %d bytes",
                          CONTEXT_BYTES);
    if (err)
        return err;
    if (!event && !dry_run) /* the runtime looks the function up, and has it in memory */
        return run(call, in, &named, out);
    if (!named.qualifier.ptr)
        named.qualifier = STR("$LATEST"); /* "Invoke without qualifier prints FN:$LATEST" */
    err = named_version(call, NULL, &named, &row);
    if (!err)
        err = check_payload(call, payload, event);
    if (!err && event)
        err = events_accept(call, named.id.account, named.id.region, named.id.name, named.qualifier, payload,
                            call->request_id);
    if (!err)
        out->status_code = some_i64(event ? 202 : 204);
    return err;
}

static gh_err check_payload(struct call *call, struct str payload, bool async)
{
    struct str why = STR_NONE;
    size_t limit = async ? ASYNC_BYTES : SYNC_BYTES;
    if (payload.len > limit)
        return lambda_fail(call, &lambda_RequestTooLargeException,
                           "Request must be smaller than %zu bytes for the InvokeFunction operation", limit);
    if (json_parse(call->arena, payload, &why))
        return NULL;
    return lambda_fail(call, &lambda_InvalidRequestContentException,
                       "Could not parse request body into json: Could not parse payload into json: %.*s", STR_FMT(why));
}

static gh_err run(struct call *call, const struct lambda_Invoke_in *in, const struct named *named,
                  struct lambda_Invoke_out *out)
{
    struct invocation invocation = {
        .arena = call->arena,
        .account = named->id.account,
        .region = named->id.region,
        .function = named->id.name,
        .qualifier = named->qualifier,
        .payload = str_empty(in->payload) ? STR("{}") : in->payload,
        .client_context = in->client_context,
        .identity_id = call->principal->cognito_identity,
        .identity_pool = call->principal->cognito_pool,
        .trace_id = http_header_get(call->headers, "X-Amzn-Trace-Id"),
        .want_log_tail = str_is(in->log_type, "Tail"),
        .request_id = call->request_id,
    };
    struct named shown = *named;
    gh_err err = check_payload(call, invocation.payload, false);
    if (err)
        return err;
    invoke_and_wait(functions_invoker(functions_of(call)), &invocation);
    switch (invocation.result) {
    case INVOKE_FUNCTION_ERROR:
        out->function_error = invocation.error_kind;
        /* fall through */
    case INVOKE_OK:
        out->status_code = some_i64(200);
        out->payload = invocation.answer;
        out->executed_version = invocation.executed_version;
        if (invocation.want_log_tail)
            out->log_result = base64_encode(call->arena, invocation.log_tail);
        return NULL;
    case INVOKE_NOT_FOUND:
        if (!shown.qualifier.ptr)
            shown.qualifier = STR("$LATEST");
        return named_missing(call, &shown);
    case INVOKE_THROTTLED: {
        struct gh_err *refusal = ARENA_NEW(call->arena, struct gh_err);
        *refusal = (struct gh_err){ .kind = &lambda_TooManyRequestsException, .message = STR("Rate Exceeded."),
                                    .extra = str_printf(call->arena, "{\"Reason\":\"%.*s\",\"Type\":\"User\"}",
                                                        STR_FMT(invocation.message)) };
        return refusal;
    }
    case INVOKE_TIMED_OUT:
    case INVOKE_DENIED: /* not asked: who may Invoke was decided before */
    case INVOKE_FAILED:
        break;
    }
    return gh_fail(call->arena, &lambda_ServiceException, "The function could not be run: %.*s", STR_FMT(invocation.message));
}
