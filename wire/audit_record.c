#include "wire/audit_record.h"

#include "core/id.h"
#include "core/json.h"
#include "core/time.h"
#include "wire/audit_shape.h"

/* "Maximum size": CloudTrail's reference, by field. Content that exceeds it is truncated in texts, omitted in the others. */
enum { TEXT_BYTES = 1024, PARAMETERS_BYTES = 100 * 1024, ADDITIONAL_BYTES = 28 * 1024, NAME_BYTES = 128 };

static void add_name(struct strbuf *out, const char *name)
{
    strbuf_printf(out, ",\"%s\":", name);
}

static struct str cut(struct str text, size_t limit)
{
    if (text.len <= limit)
        return text;
    while (limit > 0 && ((unsigned char)text.ptr[limit] & 0xc0) == 0x80)
        limit--;
    return str_sub(text, 0, limit);
}

static void add_text(struct strbuf *out, const char *name, struct str text, size_t limit)
{
    if (!text.ptr)
        return;
    add_name(out, name);
    json_quote(out, cut(text, limit));
}

static void add_flag(struct strbuf *out, const char *name, bool flag)
{
    add_name(out, name);
    strbuf_add(out, flag ? STR("true") : STR("false"));
}

/* What was printed from `start` on is too long: a note takes its place. */
static void limit_from(struct strbuf *out, size_t start, size_t limit, const char *what)
{
    size_t size = out->len - start;
    if (size <= limit)
        return;
    out->len = start;
    strbuf_printf(out, "{\"omitted\":true,\"originalSize\":%zu,\"reason\":\"%s too large\"}", size, what);
}

/* ---- userIdentity ---- */

static void add_principal(struct strbuf *out, const struct principal *who)
{
    static const char *const types[] = { [PRINCIPAL_ROOT] = "Root", [PRINCIPAL_USER] = "IAMUser",
                                         [PRINCIPAL_ROLE_SESSION] = "AssumedRole", [PRINCIPAL_FEDERATED] = "FederatedUser" };
    strbuf_printf(out, "{\"type\":\"%s\"", types[who->kind]);
    struct str id = who->kind == PRINCIPAL_ROOT ? who->account : who->id;
    add_text(out, "principalId", id, TEXT_BYTES);
    add_text(out, "arn", who->arn, 2048);
    add_text(out, "accountId", who->account, TEXT_BYTES);
    add_text(out, "accessKeyId", who->access_key_id, TEXT_BYTES);
    if (who->kind == PRINCIPAL_USER)
        add_text(out, "userName", who->name, TEXT_BYTES);
}

static void add_identity(struct strbuf *out, const struct audit_event *event)
{
    const struct call *call = event->call;
    const struct principal *who = call->principal;
    strbuf_add(out, STR(",\"userIdentity\":"));
    if (event->notes->identity) {
        strbuf_add(out, json_print(call->arena, event->notes->identity));
    } else if (!event->believed || who->kind == PRINCIPAL_ANONYMOUS) {
        strbuf_add(out, STR("{\"type\":\"Unknown\",\"principalId\":\"Anonymous\""));
        add_text(out, "accessKeyId", event->claimed_key, NAME_BYTES);
        strbuf_char(out, '}');
    } else {
        add_principal(out, who);
        if (event->sink->session && call->credential)
            event->sink->session(event->sink->ctx, call->credential, out);
        strbuf_char(out, '}');
    }
}

/* ---- the parts ---- */

static void add_source(struct strbuf *out, const struct audit_event *event)
{
    const struct call *call = event->call;
    const char *colon = event->action ? strchr(event->action, ':') : NULL;
    struct str source = colon ? str_sub(str_of(event->action), 0, (size_t)(colon - event->action)) : str_of(call->service->signing_name);
    struct str name = colon             ? str_of(colon + 1)
                      : call->operation ? audit_event_name(call->arena, call->service, call->operation)
                                        : event->unknown;
    add_text(out, "eventTime", time_iso8601(call->arena, env_now_s(call->env)), TEXT_BYTES);
    bool ours = str_is(source, "gatehouse"); /* what AWS has no service for */
    add_text(out, "eventSource", ours ? source : str_printf(call->arena, "%.*s.amazonaws.com", STR_FMT(source)), TEXT_BYTES);
    add_text(out, "eventName", str_empty(name) ? STR("Unknown") : name, NAME_BYTES);
    add_text(out, "awsRegion", call->region, TEXT_BYTES);
    add_text(out, "sourceIPAddress", call->source_ip.ptr ? call->source_ip : STR(""), TEXT_BYTES);
    add_text(out, "userAgent", call->user_agent.ptr ? call->user_agent : STR(""), TEXT_BYTES);
    if (event->err) {
        bool query = call->service->protocol == PROTOCOL_QUERY && str_is(str_of(event->err->kind->code), "AccessDeniedException");
        add_text(out, "errorCode", query ? STR("AccessDenied") : str_of(event->err->kind->code), TEXT_BYTES);
        add_text(out, "errorMessage", event->err->message, TEXT_BYTES);
    }
}

/* "If an action does not change state (for example, a request to get or list objects), this element is omitted." */
static void add_parameters(struct strbuf *out, const struct audit_event *event)
{
    const struct call *call = event->call;
    strbuf_add(out, STR(",\"requestParameters\":"));
    size_t start = out->len;
    if (!call->operation || !event->in || !audit_shape_print(out, call->service, call->operation, call->operation->in, event->in))
        strbuf_add(out, STR("null"));
    limit_from(out, start, PARAMETERS_BYTES, "requestParameters");
    strbuf_add(out, STR(",\"responseElements\":"));
    start = out->len;
    if (!call->operation || !event->out || event->err || !event->kind->answers ||
        !audit_shape_print(out, call->service, call->operation, call->operation->out, event->out))
        strbuf_add(out, STR("null"));
    limit_from(out, start, PARAMETERS_BYTES, "responseElements");
}

static void add_decision(struct strbuf *out, const struct audit_event *event, const char *comma)
{
    const struct audit_sink *sink = event->sink;
    struct str whole = sink->why ? sink->why(sink->ctx, event->call->arena, event->call->credential, event->asked) : STR_NONE;
    if (whole.len > 0 && whole.len < ADDITIONAL_BYTES / 2) {
        strbuf_printf(out, "%s\"policyDecision\":%.*s", comma, STR_FMT(whole));
        return;
    }
    static const char *const effects[] = { [POLICY_IMPLICIT_DENY] = "implicitDeny", [POLICY_ALLOW] = "allowed",
                                           [POLICY_EXPLICIT_DENY] = "explicitDeny" };
    const struct policy_decision *d = event->decision;
    strbuf_printf(out, "%s\"policyDecision\":{\"decision\":\"%s\"", comma, effects[d->effect]);
    add_text(out, "action", event->asked->action, TEXT_BYTES);
    add_text(out, "resource", event->asked->resource, 2048);
    add_text(out, "policyType", d->policy_type, TEXT_BYTES);
    add_text(out, "policyName", d->policy_name, TEXT_BYTES);
    add_text(out, "sid", d->sid, TEXT_BYTES);
    if (d->statement >= 0)
        strbuf_printf(out, ",\"statement\":%d", d->statement + 1);
    add_text(out, "reason", policy_reason(event->call->arena, event->asked, d), 4096);
    strbuf_char(out, '}');
}

static void add_additional(struct strbuf *out, const struct audit_event *event)
{
    const json_t *notes = event->notes->additional;
    if (!notes && !event->decision && !event->errand.ptr)
        return;
    strbuf_add(out, STR(",\"additionalEventData\":"));
    size_t start = out->len;
    struct str text = notes ? json_print(event->call->arena, notes) : STR("{}");
    strbuf_add(out, str_sub(text, 0, text.len - 1));
    const char *comma = text.len > 2 ? "," : "";
    if (event->errand.ptr) {
        strbuf_printf(out, "%s\"request\":", comma);
        json_quote(out, cut(event->errand, TEXT_BYTES));
        comma = ",";
    }
    if (event->decision)
        add_decision(out, event, comma);
    strbuf_char(out, '}');
    limit_from(out, start, ADDITIONAL_BYTES, "additionalEventData");
}

static void add_resource(struct strbuf *out, const struct audit_event *event)
{
    struct str account = STR_NONE, rest = event->resource;
    if (!str_starts(rest, STR("arn:")))
        return;
    for (int i = 0; i < 5; i++)
        str_split(&rest, ':', &account);
    strbuf_add(out, STR(",\"resources\":[{\"ARN\":"));
    json_quote(out, cut(event->resource, 2048));
    add_text(out, "accountId", str_empty(account) ? event->call->account : account, TEXT_BYTES);
    strbuf_add(out, STR("}]"));
}

static void add_tls(struct strbuf *out, const struct audit_event *event)
{
    if (!event->tls_version)
        return;
    strbuf_printf(out, ",\"tlsDetails\":{\"tlsVersion\":\"%s\",\"cipherSuite\":\"%s\"", event->tls_version, event->cipher);
    add_text(out, "clientProvidedHostHeader", event->host, TEXT_BYTES);
    strbuf_char(out, '}');
}

struct str audit_record(const struct audit_event *event)
{
    const struct call *call = event->call;
    struct strbuf out = strbuf_in(call->arena, 2048);
    strbuf_add(&out, STR("{\"eventVersion\":\"1.11\""));
    add_identity(&out, event);
    add_source(&out, event);
    add_parameters(&out, event);
    add_additional(&out, event);
    add_text(&out, "requestID", call->request_id, TEXT_BYTES);
    add_text(&out, "eventID", id_uuid(call->env, call->arena), TEXT_BYTES);
    add_flag(&out, "readOnly", event->kind->read_only);
    add_resource(&out, event);
    add_text(&out, "eventType", call->operation || event->unknown.ptr ? STR("AwsApiCall") : STR("AwsServiceEvent"), TEXT_BYTES);
    add_flag(&out, "managementEvent", !event->kind->data);
    add_text(&out, "recipientAccountId", event->notes->account.ptr ? event->notes->account : call->account, TEXT_BYTES);
    add_text(&out, "eventCategory", event->kind->data ? STR("Data") : STR("Management"), TEXT_BYTES);
    add_tls(&out, event);
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}
