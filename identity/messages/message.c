#include "identity/messages/message.h"

#include "core/json.h"
#include "identity/messages/link.h"
#include "identity/triggers/sender.h"
#include "identity/triggers/wording.h"
#include "identity/pools/log_delivery.h"

/* "j***@e***", "+*******9878" */
struct str address_masked(struct call *call, const char *attribute, struct str address)
{
    if (strcmp(attribute, "phone_number") == 0)
        return str_printf(call->arena, "+*******%.*s",
                          STR_FMT(str_from(address, address.len > 4 ? address.len - 4 : 0)));
    ptrdiff_t at = str_find(address, '@');
    return str_printf(call->arena, "%.1s***@%.1s***", address.ptr,
                      at >= 0 && (size_t)at + 1 < address.len ? address.ptr + at + 1 : "");
}

struct idp_CodeDeliveryDetailsType *delivery_details(struct call *call, const char *attribute,
                                                     struct str address)
{
    struct idp_CodeDeliveryDetailsType *details = ARENA_NEW(call->arena, struct idp_CodeDeliveryDetailsType);
    *details = (struct idp_CodeDeliveryDetailsType){
        .destination = address_masked(call, attribute, address),
        .delivery_medium = strcmp(attribute, "email") == 0 ? STR("EMAIL") : STR("SMS"),
        .attribute_name = str_of(attribute),
    };
    return details;
}

/* What a template's marks become. */
struct filling {
    struct str username, code, link;
};

/* A name may hold anything but blanks: in a mail, which is HTML, it must stay a name. */
static void add_escaped(struct strbuf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *entity = c == '<'   ? "&lt;"
                             : c == '>' ? "&gt;"
                             : c == '&' ? "&amp;"
                             : c == '"' ? "&quot;"
                                        : NULL;
        if (entity)
            strbuf_add(out, str_of(entity));
        else
            strbuf_char(out, c);
    }
}

/* "{####}", "{username}", and "{##Click Here##}" around the words of a link. */
static struct str filled(struct call *call, struct str text, const struct filling *filling, bool html)
{
    static const struct str code = STR_INIT("{####}"), username = STR_INIT("{username}"),
                            link = STR_INIT("{##"), link_end = STR_INIT("##}");
    struct strbuf out = strbuf_in(call->arena, text.len + 256);
    while (text.len > 0) {
        ptrdiff_t end;
        if (str_starts(text, code)) {
            strbuf_add(&out, filling->code);
            text = str_from(text, code.len);
        } else if (str_starts(text, username)) {
            if (html)
                add_escaped(&out, filling->username);
            else
                strbuf_add(&out, filling->username);
            text = str_from(text, username.len);
        } else if (filling->link.ptr && str_starts(text, link) &&
                   (end = str_find_str(str_from(text, link.len), link_end)) >= 0) {
            strbuf_add(&out, STR("<a href=\""));
            add_escaped(&out, filling->link);
            strbuf_add(&out, STR("\">"));
            strbuf_add(&out, str_sub(text, link.len, (size_t)end));
            strbuf_add(&out, STR("</a>"));
            text = str_from(text, link.len + (size_t)end + link_end.len);
        } else {
            strbuf_char(&out, text.ptr[0]);
            text = str_from(text, 1);
        }
    }
    return strbuf_view(&out);
}

static struct str given_or(struct str given, const char *otherwise)
{
    return given.ptr ? given : str_of(otherwise);
}

/* "DefaultEmailOption CONFIRM_WITH_LINK": at sign-up. Codes that an operation asks for stay codes. */
static bool goes_by_link(const struct pool *pool, const struct message_order *order)
{
    return order->client && strcmp(order->attribute, "email") == 0 &&
           (order->kind == MESSAGE_SIGN_UP || order->kind == MESSAGE_RESEND) &&
           str_is(pool->doc->verification_message_template->default_email_option, "CONFIRM_WITH_LINK");
}

/* The pool's own words, or ours. */
static struct wording words_of(const struct pool *pool, const struct message_order *order)
{
    static const struct idp_MessageTemplateType none = { 0 };
    bool email = strcmp(order->attribute, "email") == 0;
    if (order->kind == MESSAGE_ADMIN_CREATE) {
        const struct idp_MessageTemplateType *invite =
            pool->doc->admin_create_user_config->invite_message_template;
        if (!invite)
            invite = &none;
        return (struct wording){
            given_or(invite->email_subject, "Your temporary password"),
            given_or(email ? invite->email_message : invite->sms_message,
                     "Your username is {username} and temporary password is {####}."),
        };
    }
    const struct idp_VerificationMessageTemplateType *verify = pool->doc->verification_message_template;
    if (order->kind == MESSAGE_ACCOUNT_TAKEOVER)
        return (struct wording){ order->subject, order->text };
    if (order->kind == MESSAGE_AUTHENTICATION) {
        const json_t *own = json_object_get(json_object_get(pool->more, "mfa"), "email"); /* EmailMfaConfiguration */
        return (struct wording){
            given_or(json_str(own, "Subject"), "Your authentication code"),
            given_or(email ? json_str(own, "Message") : pool->doc->sms_authentication_message,
                     "Your authentication code is {####}"),
        };
    }
    if (goes_by_link(pool, order))
        return (struct wording){
            given_or(verify->email_subject_by_link, "Your verification link"),
            given_or(verify->email_message_by_link,
                     "Please click the link below to verify your email address. {##Verify Email##}"),
        };
    return (struct wording){
        given_or(verify->email_subject, "Your verification code"),
        given_or(email ? verify->email_message : verify->sms_message,
                 order->kind == MESSAGE_FORGOT ? "Your password reset code is {####}"
                                               : "Your confirmation code is {####}"),
    };
}

/* From, or the address that SourceArn names ("arn:aws:ses:us-east-1:1:identity/a@b.example"). */
static struct str mail_from(const struct idp_EmailConfigurationType *config)
{
    ptrdiff_t slash = str_find(config->source_arn, '/');
    struct str identity = slash < 0 ? STR_NONE : str_from(config->source_arn, (size_t)slash + 1);
    return config->from.ptr ? config->from : str_find(identity, '@') > 0 ? identity : STR_NONE;
}

/* Who signs in by an attribute knows himself by it, not by his sub. */
static struct str name_for(const struct pool *pool, const struct user *user)
{
    struct str mail = user_attribute(user, "email");
    if (!pool_names_are_subs(pool))
        return user->username;
    return mail.len ? mail : user_attribute(user, "phone_number");
}

static struct str address_of(const struct user *user, const struct message_order *order)
{
    return order->to.ptr ? order->to : user_attribute(user, order->attribute);
}

static struct message written(struct call *call, const struct pool *pool, const struct user *user,
                              const struct message_order *order, const struct wording *words)
{
    static const struct idp_SmsConfigurationType no_sms;
    bool email = strcmp(order->attribute, "email") == 0, by_link = goes_by_link(pool, order);
    const struct filling filling = {
        .username = name_for(pool, user),
        .code = order->code,
        .link = by_link ? confirmation_link(call, order->client, user->username, order->code) : STR_NONE,
    };
    const struct idp_EmailConfigurationType *mail = pool->doc->email_configuration;
    const struct idp_SmsConfigurationType *sms =
        pool->doc->sms_configuration ? pool->doc->sms_configuration : &no_sms;
    return (struct message){
        .account = pool->account,
        .to = address_of(user, order),
        .channel = email ? STR("email") : STR("sms"),
        .subject = email ? words->subject : STR_NONE,
        .body = filled(call, words->text, &filling, email),
        .code = by_link ? STR_NONE : order->code,
        .link = filling.link,
        .from = order->from.ptr ? order->from : mail_from(mail),
        .reply_to = order->reply_to.ptr ? order->reply_to : mail->reply_to_email_address,
        .configuration_set = mail->configuration_set,
        .role = sms->sns_caller_arn,
        .region = sms->sns_region,
    };
}

/* The event that SetLogDeliveryConfiguration's userNotification asks for. */
static void tell_of_failure(struct call *call, const struct pool *pool, const struct user *user,
                            const struct message *message, struct str why)
{
    if (!log_delivery_wants(call, pool, LOG_USER_NOTIFICATION))
        return;
    json_t *event = json_own(call->arena, json_object()), *said = json_object(), *source = json_object();
    json_set_i64(event, "eventTimestamp", call->now_us / 1000);
    json_set_str(event, "eventSource", STR("USER_NOTIFICATION"));
    json_set_str(event, "logLevel", STR("ERROR"));
    json_set_str(said, "details", why);
    json_set_str(said, "channel", message->channel);
    json_object_set_new(event, "message", said);
    json_set_str(source, "userPoolId", pool->id);
    json_set_str(source, "sub", user->sub);
    json_object_set_new(event, "logSourceId", source);
    log_delivery_event(call, pool, LOG_USER_NOTIFICATION, event);
}

gh_err message_send(struct call *call, const struct pool *pool, const struct user *user,
                    const struct message_order *order, struct idp_CodeDeliveryDetailsType **details)
{
    if (trigger_sends(pool, order)) {
        trigger_send_message(call, pool, user, order);
        if (details)
            *details = delivery_details(call, order->attribute, address_of(user, order));
        return NULL;
    }
    struct wording words = words_of(pool, order);
    gh_err err = order->kind == MESSAGE_ACCOUNT_TAKEOVER
                     ? NULL
                     : trigger_word_message(call, pool, user, order, goes_by_link(pool, order), &words);
    if (err)
        return err;
    const struct message message = written(call, pool, user, order, &words);
    err = call->env->send(call->env->ctx, call->arena, &message);
    if (err) {
        tell_of_failure(call, pool, user, &message, err->message);
        return gh_fail(call->arena, &idp_CodeDeliveryFailureException, "%.*s", STR_FMT(err->message));
    }
    if (details)
        *details = delivery_details(call, order->attribute, message.to);
    return NULL;
}
