#include "identity/messages/message.h"

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

/* "{####}" and "{username}" in a template. */
static struct str filled(struct call *call, struct str text, struct str username, struct str code)
{
    const struct {
        struct str mark, value;
    } marks[] = { { STR_INIT("{####}"), code }, { STR_INIT("{username}"), username } };
    struct strbuf out = strbuf_in(call->arena, text.len + 64);
    while (text.len > 0) {
        bool replaced = false;
        for (size_t i = 0; i < COUNT(marks) && !replaced; i++)
            if (str_starts(text, marks[i].mark)) {
                strbuf_add(&out, marks[i].value);
                text = str_from(text, marks[i].mark.len);
                replaced = true;
            }
        if (replaced)
            continue;
        strbuf_char(&out, text.ptr[0]);
        text = str_from(text, 1);
    }
    return strbuf_view(&out);
}

static struct str given_or(struct str given, const char *otherwise)
{
    return given.ptr ? given : str_of(otherwise);
}

/* The pool's own words, or ours. */
struct words {
    struct str subject, text;
};

static struct words words_of(const struct pool *pool, const struct message_order *order)
{
    static const struct idp_MessageTemplateType none = { 0 };
    bool email = strcmp(order->attribute, "email") == 0;
    if (order->kind == MESSAGE_ADMIN_CREATE) {
        const struct idp_MessageTemplateType *invite =
            pool->doc->admin_create_user_config->invite_message_template;
        if (!invite)
            invite = &none;
        return (struct words){
            given_or(invite->email_subject, "Your temporary password"),
            given_or(email ? invite->email_message : invite->sms_message,
                     "Your username is {username} and temporary password is {####}."),
        };
    }
    const struct idp_VerificationMessageTemplateType *verify = pool->doc->verification_message_template;
    if (order->kind == MESSAGE_AUTHENTICATION)
        return (struct words){
            STR("Your authentication code"),
            given_or(email ? STR_NONE : pool->doc->sms_authentication_message,
                     "Your authentication code is {####}"),
        };
    return (struct words){
        given_or(verify->email_subject, "Your verification code"),
        given_or(email ? verify->email_message : verify->sms_message,
                 order->kind == MESSAGE_FORGOT ? "Your password reset code is {####}"
                                               : "Your confirmation code is {####}"),
    };
}

gh_err message_send(struct call *call, const struct pool *pool, const struct user *user,
                    const struct message_order *order, struct idp_CodeDeliveryDetailsType **details)
{
    struct str to = order->to.ptr ? order->to : user_attribute(user, order->attribute);
    struct words words = words_of(pool, order);
    struct str mail = user_attribute(user, "email"), username = !pool_names_are_subs(pool) ? user->username
                                                                : mail.len
                                                                    ? mail
                                                                    : user_attribute(user, "phone_number");
    const struct message message = {
        .account = pool->account,
        .to = to,
        .channel = strcmp(order->attribute, "email") == 0 ? STR("email") : STR("sms"),
        .subject = words.subject,
        .body = filled(call, words.text, username, order->code),
        .code = order->code,
    };
    gh_err err = call->env->send(call->env->ctx, call->arena, &message);
    if (err)
        return gh_fail(call->arena, &idp_CodeDeliveryFailureException, "%.*s", STR_FMT(err->message));
    if (details)
        *details = delivery_details(call, order->attribute, to);
    return NULL;
}
