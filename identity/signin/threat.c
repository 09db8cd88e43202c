#include "identity/signin/threat.h"

#include "core/id.h"
#include "core/ip.h"
#include "core/log.h"
#include "core/time.h"
#include "core/uri.h"
#include "identity/messages/message.h"
#include "identity/pools/options.h"
#include "identity/protection/risk.h"

enum { COMPARED = 30 };

static enum threat_mode mode_of(const struct sign_in *s)
{
    return threat_mode(&s->client.pool, str_is(json_str(s->state, "flow"), "CUSTOM_AUTH"));
}

static bool is_in(struct str text, size_t n, const struct str *ranges)
{
    struct ip ip;
    struct ip_net net;
    for (size_t i = 0; ip_parse(text, &ip) && i < n; i++)
        if (ip_net_parse(ranges[i], &net) && ip_in(&ip, &net))
            return true;
    return false;
}

/* ---- the event ---- */

/* What stands under EventRisk; NULL: not judged yet. */
static const json_t *risk_of(const struct sign_in *s)
{
    return json_object_get(s->state, "risk");
}

static json_t *event_of(struct sign_in *s, const char *response)
{
    static const char *const second[] = { "SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "MFA_SETUP" };
    json_t *event = auth_event_new(s->call, &s->whence, "SignIn", response, risk_of(s));
    if (sign_in_has_passed(s, "PASSWORD") || sign_in_has_passed(s, "PASSWORD_VERIFIER"))
        auth_event_challenge(event, "Password", true);
    for (size_t i = 0; i < COUNT(second); i++)
        if (sign_in_has_passed(s, second[i]))
            auth_event_challenge(event, "Mfa", true);
    return event;
}

void threat_wrong(struct sign_in *s, struct tx *tx, const char *challenge)
{
    if (mode_of(s) == THREAT_OFF || !s->user.sub.ptr)
        return;
    bool password = strncmp(challenge, "PASSWORD", strlen("PASSWORD")) == 0;
    json_t *event = event_of(s, "Fail");
    auth_event_challenge(event, password ? "Password" : "Mfa", false);
    auth_event_put(s->call, tx, &s->client.pool, s->user.sub, STR_NONE, event);
    s->event = event;
}

void threat_passed(struct sign_in *s, struct tx *tx)
{
    if (mode_of(s) == THREAT_OFF)
        return;
    s->event = event_of(s, "Pass");
    s->event_id = s->session.event;
    auth_event_put(s->call, tx, &s->client.pool, s->user.sub, s->event_id, s->event);
}

/* ---- telling the user ---- */

static struct str replaced(struct arena *arena, struct str text, const struct pair *marks, size_t n)
{
    struct strbuf out = strbuf_in(arena, text.len + 256);
    while (text.len) {
        size_t i = 0;
        while (i < n && !str_starts(text, marks[i].key))
            i++;
        if (i < n)
            strbuf_add(&out, marks[i].value);
        else
            strbuf_char(&out, text.ptr[0]);
        text = str_from(text, i < n ? marks[i].key.len : 1);
    }
    return strbuf_view(&out);
}

static const struct {
    const char *subject, *text;
} words[] = {
    { "Blocked sign-in attempt", "We blocked an unrecognized sign-in to your account with this information: time {login-time}, "
                                 "device {device-name}, address {ip-address}. If it was not you, change your password." },
    { "New sign-in attempt", "We asked for a second factor at an unrecognized sign-in to your account with this information: "
                             "time {login-time}, device {device-name}, address {ip-address}. If it was not you, change your "
                             "password." },
    { "New sign-in", "There was an unrecognized sign-in to your account with this information: time {login-time}, device "
                     "{device-name}, address {ip-address}. If it was not you, change your password." },
};

static void notify(struct sign_in *s, const struct idp_NotifyConfigurationType *config, int which)
{
    static const struct idp_NotifyEmailType none = { 0 };
    struct arena *arena = s->call->arena;
    const struct idp_NotifyEmailType *mails[] = { config->block_email, config->mfa_email, config->no_action_email };
    const struct idp_NotifyEmailType *mail = mails[which] ? mails[which] : &none;
    const json_t *context = json_object_get(s->event, "EventContextData");
    struct str zone = STR("-"), token = feedback_token(s->call, s->client.pool.id, s->user.sub, s->event_id);
    struct str link = str_printf(arena, "%.*s/_gatehouse/feedback?pool=%.*s&user=%.*s&event=%.*s&token=%.*s",
                                 STR_FMT(s->call->base_url), STR_FMT(s->client.pool.id),
                                 STR_FMT(uri_encode(arena, s->user.username, false)),
                                 STR_FMT(s->event_id), STR_FMT(token));
    const struct pair marks[] = {
        { STR("{ip-address}"), s->whence.ip.len ? s->whence.ip : zone },
        { STR("{device-name}"), json_object_get(context, "DeviceName") ? json_str(context, "DeviceName") : zone },
        { STR("{city}"), zone },
        { STR("{country}"), zone },
        { STR("{login-time}"), time_iso8601_ms(arena, s->call->now_us) },
        { STR("{one-click-link-valid}"), str_concat(arena, link, STR("&value=Valid")) },
        { STR("{one-click-link-invalid}"), str_concat(arena, link, STR("&value=Invalid")) },
    };
    struct str text = mail->html_body.len ? mail->html_body : mail->text_body.len ? mail->text_body : str_of(words[which].text);
    const struct message_order order = {
        .kind = MESSAGE_ACCOUNT_TAKEOVER,
        .attribute = "email",
        .subject = mail->subject.len ? mail->subject : str_of(words[which].subject),
        .text = replaced(arena, text, marks, COUNT(marks)),
        .from = config->from,
        .reply_to = config->reply_to,
        .client = &s->client,
    };
    if (!user_attribute(&s->user, "email").len)
        return;
    gh_err err = message_send(s->call, &s->client.pool, &s->user, &order, NULL);
    if (err) /* the sign-in is what it is */
        log_at(LOG_ERROR, "a user was not told of a risky sign-in", { "pool", s->client.pool.id },
               { "sub", s->user.sub }, { "why", err->message });
}

void threat_tell(struct sign_in *s)
{
    const struct idp_RiskConfigurationType *config;
    if (!s->event)
        return;
    auth_event_deliver(s->call, &s->client.pool, &s->user, s->event);
    const json_t *plan = json_object_get(s->state, "threat");
    if (!s->event_id.ptr || !json_flag(plan, "notify", false) ||
        risk_config_of(s->call, &s->client.pool, s->client.id, &config) || !config->account_takeover_risk_configuration ||
        !config->account_takeover_risk_configuration->notify_configuration)
        return;
    struct str action = json_str(plan, "action");
    notify(s, config->account_takeover_risk_configuration->notify_configuration,
           str_is(action, "BLOCK") ? 0 : str_starts(action, STR("MFA_")) ? 1 : 2);
}

/* ---- the gate ---- */

static gh_err judge(struct sign_in *s, const struct idp_RiskExceptionConfigurationType *exceptions, enum risk_level *level,
                    bool *blocked)
{
    struct auth_event_row *rows;
    size_t n;
    *level = RISK_NONE;
    *blocked = exceptions && is_in(s->whence.ip, exceptions->blocked_ip_range_list.n, exceptions->blocked_ip_range_list.items);
    if (*blocked)
        *level = RISK_HIGH;
    if (*blocked ||
        (exceptions && is_in(s->whence.ip, exceptions->skipped_ip_range_list.n, exceptions->skipped_ip_range_list.items)))
        return NULL;
    gh_err err = store_auth_event_list(s->call->db, s->call->arena, s->client.pool.id, s->user.sub, INT64_MAX, STR(""),
                                       COMPARED, &rows, &n);
    if (err)
        return err;
    struct risk_view view = risk_compare(s->call->arena, &s->whence, rows, n);
    view.failures = json_i64(s->state, "failures", 0);
    view.locks_after = option_count(s->client.pool.more, "lockoutAfterFailures", 5);
    *level = risk_level_of(risk_score(&view));
    return NULL;
}

static const struct idp_AccountTakeoverActionType *action_for(const struct idp_RiskConfigurationType *config,
                                                              enum risk_level level)
{
    static const struct idp_AccountTakeoverActionType nothing = { .event_action = STR_INIT("NO_ACTION") };
    const struct idp_AccountTakeoverActionsType *actions =
        config->account_takeover_risk_configuration ? config->account_takeover_risk_configuration->actions : NULL;
    const struct idp_AccountTakeoverActionType *found =
        !actions               ? NULL
        : level == RISK_LOW    ? actions->low_action
        : level == RISK_MEDIUM ? actions->medium_action
        : level == RISK_HIGH   ? actions->high_action
                               : NULL;
    return found ? found : &nothing;
}

static void note_risk(struct sign_in *s, enum risk_level level, bool blocks)
{
    static const char *const levels[] = { NULL, "Low", "Medium", "High" };
    json_t *risk = json_object();
    json_set_str(risk, "RiskDecision", blocks ? STR("Block") : level ? STR("AccountTakeover") : STR("NoRisk"));
    if (level)
        json_set_str(risk, "RiskLevel", str_of(levels[level]));
    json_set_flag(risk, "CompromisedCredentialsDetected", json_flag(s->state, "compromised", false));
    json_object_set_new(s->state, "risk", risk);
}

static gh_err block(struct sign_in *s, const char *text)
{
    struct tx tx;
    s->event = event_of(s, "Fail");
    s->event_id = id_uuid(s->call->env, s->call->arena);
    tx_begin(&tx, s->call->db, s->call->arena);
    auth_event_put(s->call, &tx, &s->client.pool, s->user.sub, s->event_id, s->event);
    gh_err err = tx_commit(&tx);
    if (err)
        return err;
    threat_tell(s);
    return gh_fail(s->call->arena, &idp_NotAuthorizedException, "%s", text);
}

gh_err threat_due(struct sign_in *s, const char **due)
{
    const struct idp_RiskConfigurationType *config;
    enum threat_mode mode = mode_of(s);
    enum risk_level level;
    bool blocked;
    (void)due;
    if (mode == THREAT_OFF || risk_of(s))
        return NULL;
    gh_err err = risk_config_of(s->call, &s->client.pool, s->client.id, &config);
    if (!err)
        err = judge(s, config->risk_exception_configuration, &level, &blocked);
    if (err)
        return err;
    const struct idp_AccountTakeoverActionType *action = action_for(config, level);
    bool enforced = mode == THREAT_ENFORCED, blocks = blocked || str_is(action->event_action, "BLOCK");
    note_risk(s, level, blocks);
    if (!enforced)
        return NULL;
    json_object_set_new(s->state, "threat", json_pack("{s:s,s:b}", "action", blocks ? "BLOCK" : str_c(s->call->arena, action->event_action),
                                                      "notify", action->notify.value));
    if (blocks)
        return block(s, blocked ? "Request not allowed due to security reasons." : "Unable to login because of security reasons.");
    if (!str_starts(action->event_action, STR("MFA_")) || sign_in_can_add_factor(s)) {
        if (str_starts(action->event_action, STR("MFA_")))
            json_set_flag(s->state, "mfa_by_risk", true);
        return NULL;
    }
    /* "Users who don't have a second factor configured are blocked from signing in." */
    return str_is(action->event_action, "MFA_REQUIRED") ? block(s, "Unable to login because of security reasons.") : NULL;
}
