#include "admin/postman.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/log.h"
#include "core/uri.h"
#include "wire/sigv4.h"

static const struct gh_kind NOT_DELIVERED = { "CodeDeliveryFailureException", 400, false, NULL };
static const char *const channels[] = { "email", "sms" };
enum { MAIL, SMS, HOOK_MS = 10000, HOOK_BYTES = 64 * 1024 };

static bool send_mail(struct postman *postman, struct arena *arena, const struct message *message, struct str *why)
{
    const struct mail mail = {
        .from = message->from,
        .to = message->to,
        .reply_to = message->reply_to,
        .subject = message->subject,
        .html = message->body,
        .header = message->configuration_set.ptr
                      ? str_concat(arena, STR("X-SES-CONFIGURATION-SET: "), message->configuration_set)
                      : STR_NONE,
    };
    return smtp_send(postman->env, &postman->smtp, arena, &mail, why);
}

/* POST {"to","message","account"}; any 2xx means taken. A user in the URL is sent as Basic credentials. */
static bool send_by_hook(struct postman *postman, struct arena *arena, const struct message *message, struct str *why)
{
    json_t *doc = json_own(arena, json_object());
    json_set_str(doc, "to", message->to);
    json_set_str(doc, "message", message->body);
    json_set_str(doc, "account", message->account);
    struct http_headers headers = { 0 };
    struct uri uri;
    http_header_add(arena, &headers, STR("Content-Type"), STR("application/json"));
    if (uri_parse(arena, postman->sms_hook, &uri) && uri.userinfo.len)
        http_header_add(arena, &headers, STR("Authorization"),
                        str_concat(arena, STR("Basic "), base64_encode(arena, uri_decode(arena, uri.userinfo, false))));
    struct http_fetch fetch = { .method = STR("POST"), .url = postman->sms_hook, .headers = &headers,
                                .body = json_print(arena, doc), .timeout_ms = HOOK_MS, .most = HOOK_BYTES,
                                .unguarded = true };
    http_fetch(postman->fetcher, arena, &fetch);
    if (!fetch.why && fetch.status / 100 == 2)
        return true;
    *why = fetch.why ? str_printf(arena, "the hook for text messages: %s", fetch.why)
                     : str_printf(arena, "the hook for text messages says %d", fetch.status);
    return false;
}

/* With the endpoint's own key, or the role that the pool's SmsConfiguration names. */
static bool sns_keys(struct postman *postman, struct arena *arena, const struct message *message,
                     struct sigv4_signer *signer)
{
    *signer = (struct sigv4_signer){ .access_key_id = postman->sns->key_id, .secret = postman->sns->secret };
    return signer->access_key_id.ptr ||
           (message->role.ptr &&
            identity_service_role(postman->identity, arena, message->role, STR("cognito-idp.amazonaws.com"),
                                  STR("gatehouse-sms"), &signer->access_key_id, &signer->secret, &signer->session_token));
}

static bool send_by_sns(struct postman *postman, struct arena *arena, const struct message *message, struct str *why)
{
    const struct gw_endpoint *sns = postman->sns;
    struct sigv4_signer signer;
    if (!sns_keys(postman, arena, message, &signer)) {
        *why = STR("the role of the pool's SmsConfiguration cannot be assumed by cognito-idp.amazonaws.com");
        return false;
    }
    signer.region = message->region.ptr ? message->region : postman->region;
    signer.service = STR("sns");
    signer.now_s = env_now_s(postman->env);
    struct str body = str_printf(
        arena,
        "Action=Publish&Version=2010-03-31&PhoneNumber=%.*s&Message=%.*s"
        "&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue=Transactional",
        STR_FMT(uri_encode(arena, message->to, false)), STR_FMT(uri_encode(arena, message->body, false)));
    struct str path = str_printf(arena, "%.*s/", STR_FMT(sns->path));
    struct http_headers headers = { 0 };
    http_header_add(arena, &headers, STR("Host"), str_printf(arena, "%.*s:%u", STR_FMT(sns->host), sns->port));
    http_header_add(arena, &headers, STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8"));
    struct sigv4_request request = { .method = STR("POST"), .path = path, .headers = &headers, .body = body };
    sigv4_sign(arena, &request, &signer, &headers);
    struct http_fetch fetch = {
        .method = STR("POST"),
        .url = str_printf(arena, "%.*s://%.*s:%u%.*s", STR_FMT(sns->scheme), STR_FMT(sns->host), sns->port, STR_FMT(path)),
        .headers = &headers, .body = body, .timeout_ms = HOOK_MS, .most = HOOK_BYTES, .unguarded = true,
    };
    http_fetch(postman->fetcher, arena, &fetch);
    if (!fetch.why && fetch.status == 200)
        return true;
    *why = fetch.why ? str_printf(arena, "SNS: %s", fetch.why)
                     : str_printf(arena, "SNS says %d: %.300s", fetch.status, fetch.text.ptr ? fetch.text.ptr : "");
    return false;
}

gh_err postman_send(void *ctx, struct arena *arena, const struct message *message)
{
    struct postman *postman = ctx;
    int channel = str_is(message->channel, "email") ? MAIL : SMS;
    bool sent;
    struct str why = STR_NONE;
    if (channel == MAIL && postman->smtp.url.ptr) {
        sent = send_mail(postman, arena, message, &why);
    } else if (channel == SMS && postman->sms_hook.ptr) {
        sent = send_by_hook(postman, arena, message, &why);
    } else if (channel == SMS && postman->sns) {
        sent = send_by_sns(postman, arena, message, &why);
    } else if (postman->keeps) {
        gh_err err = outbox_keep(&postman->outbox, arena, message);
        if (err)
            return err;
        sent = true;
    } else {
        sent = false;
        why = channel == MAIL ? STR("no mail server is configured (--smtp)")
                              : STR("no way for text messages is configured (--sms, or --endpoint sns=...)");
    }
    atomic_fetch_add(sent ? &postman->sent[channel] : &postman->failed[channel], 1);
    if (sent)
        return NULL;
    log_at(LOG_ERROR, "a message was not delivered", { "channel", str_of(channels[channel]) },
           { "account", message->account }, { "why", why });
    return gh_fail(arena, &NOT_DELIVERED, "%s", channel == MAIL ? "The mail could not be delivered."
                                                                 : "The text message could not be delivered.");
}

void postman_metrics(struct postman *postman, struct strbuf *text)
{
    strbuf_printf(text, "# TYPE gatehouse_messages_total counter\n");
    for (int i = MAIL; i <= SMS; i++) {
        strbuf_printf(text, "gatehouse_messages_total{channel=\"%s\",result=\"sent\"} %llu\n", channels[i],
                      atomic_load(&postman->sent[i]));
        strbuf_printf(text, "gatehouse_messages_total{channel=\"%s\",result=\"failed\"} %llu\n", channels[i],
                      atomic_load(&postman->failed[i]));
    }
}
