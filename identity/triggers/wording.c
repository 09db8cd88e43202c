#include "identity/triggers/wording.h"

#include "core/json.h"
#include "core/log.h"

enum { SMS_MOST = 140, MAIL_MOST = 20000, SUBJECT_MOST = 140 };

static const struct str CODE = STR_INIT("{####}"), LINK = STR_INIT("{##Click Here##}"), USERNAME = STR_INIT("{username}");

static const char *const kinds[] = {
    [MESSAGE_SIGN_UP] = "SignUp",
    [MESSAGE_ADMIN_CREATE] = "AdminCreateUser",
    [MESSAGE_RESEND] = "ResendCode",
    [MESSAGE_FORGOT] = "ForgotPassword",
    [MESSAGE_UPDATE_ATTRIBUTE] = "UpdateUserAttribute",
    [MESSAGE_VERIFY_ATTRIBUTE] = "VerifyUserAttribute",
    [MESSAGE_AUTHENTICATION] = "Authentication",
    [MESSAGE_ACCOUNT_TAKEOVER] = "AccountTakeOverNotification", /* of the senders only */
};
_Static_assert(COUNT(kinds) == MESSAGE_KINDS, "each kind has its source");

const char *wording_source(struct call *call, enum trigger trigger, const struct message_order *order)
{
    return str_printf(call->arena, "%s_%s", trigger_name(trigger), kinds[order->kind]).ptr;
}

static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* "Message must include the codeParameter value"; a link is {##any words##}. */
static bool has_placeholders(const struct message_order *order, bool by_link, struct str text)
{
    if (by_link)
        return str_find_str(text, STR("{##")) >= 0 && str_find_str(text, STR("##}")) >= 0;
    return str_find_str(text, CODE) >= 0 &&
           (order->kind != MESSAGE_ADMIN_CREATE || str_find_str(text, USERNAME) >= 0);
}

static gh_err too_long(struct call *call, const char *what, int most)
{
    return gh_fail(call->arena, &idp_InvalidLambdaResponseException,
                   "Unrecognizable lambda output: %s is longer than %d characters", what, most);
}

static gh_err take(struct call *call, const struct message_order *order, bool by_link, const json_t *response,
                   struct wording *wording)
{
    const char *member = message_is_mail(order) ? "emailMessage" : "smsMessage";
    int most = message_is_mail(order) ? MAIL_MOST : SMS_MOST;
    struct str text = json_str(response, member), subject = json_str(response, "emailSubject");
    if (text.len && characters(text) > (size_t)most)
        return too_long(call, member, most);
    if (message_is_mail(order) && characters(subject) > SUBJECT_MOST)
        return too_long(call, "emailSubject", SUBJECT_MOST);
    if (text.len && has_placeholders(order, by_link, text))
        wording->text = text;
    else if (text.len)
        log_at(LOG_WARN, "a custom message without its placeholder was not taken", { "kind", str_of(kinds[order->kind]) });
    if (subject.len)
        wording->subject = subject;
    return NULL;
}

gh_err trigger_word_message(struct call *call, const struct pool *pool, const struct user *user,
                            const struct message_order *order, bool by_link, struct wording *wording)
{
    if (!trigger_is_set(pool, TRIGGER_CUSTOM_MESSAGE))
        return NULL;
    json_t *request = trigger_request(call, user, order->metadata), *response;
    json_set_str(request, "codeParameter", CODE);
    json_set_str(request, "linkParameter", LINK);
    json_object_set_new(request, "usernameParameter",
                        order->kind == MESSAGE_ADMIN_CREATE ? json_of(USERNAME) : json_null());
    json_t *initial =
        json_own(call->arena, json_pack("{s:n,s:n,s:n}", "smsMessage", "emailMessage", "emailSubject"));
    gh_err err = trigger_run(call,
                             &(struct trigger_event){
                                 .trigger = TRIGGER_CUSTOM_MESSAGE,
                                 .source = wording_source(call, TRIGGER_CUSTOM_MESSAGE, order),
                                 .pool = pool,
                                 .client = order->client,
                                 .user_name = user->username,
                                 .request = request,
                                 .response = initial,
                             },
                             &response);
    return err ? err : take(call, order, by_link, response, wording);
}
