/* Codes on their way to a person, and the messages that carry them. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "identity/users/user.h"

enum { CODE_DIGITS = 6, MAX_TRIES = 15 };

/* "Sign-up code, attribute verification code: 24 h; forgot-password code: 1 h" */
static const struct {
    const char *name;
    int64_t ttl_s;
} purposes[] = {
    [CODE_SIGN_UP] = { "signup", 24 * 3600 },
    [CODE_FORGOT] = { "forgot", 3600 },
    [CODE_VERIFY_EMAIL] = { "verify:email", 24 * 3600 },
    [CODE_VERIFY_PHONE] = { "verify:phone_number", 24 * 3600 },
};

static struct str purpose_name(enum code_purpose purpose)
{
    return str_of(purposes[purpose].name);
}

static struct str mac_of(struct call *call, const struct user *user, enum code_purpose purpose,
                         struct str code)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-code"),
               str_printf(call->arena, "%.*s/%.*s/%s/%.*s", STR_FMT(user->pool), STR_FMT(user->sub),
                          purposes[purpose].name, STR_FMT(code)),
               mac);
    return base64url_encode(call->arena, digest_str(mac, sizeof mac));
}

/* "j***@e***", "+*******9878" */
static struct str masked(struct call *call, const char *attribute, struct str address)
{
    if (strcmp(attribute, "phone_number") == 0)
        return str_printf(call->arena, "+*******%.*s",
                          STR_FMT(str_from(address, address.len > 4 ? address.len - 4 : 0)));
    ptrdiff_t at = str_find(address, '@');
    return str_printf(call->arena, "%.1s***@%.1s***", address.ptr,
                      at >= 0 && (size_t)at + 1 < address.len ? address.ptr + at + 1 : "");
}

static struct idp_CodeDeliveryDetailsType *details_of(struct call *call, const char *attribute,
                                                      struct str address)
{
    struct idp_CodeDeliveryDetailsType *details = ARENA_NEW(call->arena, struct idp_CodeDeliveryDetailsType);
    *details = (struct idp_CodeDeliveryDetailsType){
        .destination = masked(call, attribute, address),
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

static gh_err deliver(struct call *call, const struct pool *pool, const char *attribute, struct str to,
                      struct str subject, struct str text, struct str username, struct str code)
{
    const struct message message = {
        .account = pool->account,
        .to = to,
        .channel = strcmp(attribute, "email") == 0 ? STR("email") : STR("sms"),
        .subject = subject,
        .body = filled(call, text, username, code),
        .code = code,
    };
    gh_err err = call->env->send(call->env->ctx, call->arena, &message);
    return err ? gh_fail(call->arena, &idp_CodeDeliveryFailureException, "%.*s", STR_FMT(err->message))
               : NULL;
}

gh_err code_send(struct call *call, const struct pool *pool, const struct user *user,
                 enum code_purpose purpose, const char *attribute,
                 struct idp_CodeDeliveryDetailsType **details)
{
    struct str code = id_random(call->env, call->arena, CODE_DIGITS, ID_DIGITS),
               to = user_attribute(user, attribute);
    const struct code_row row = { mac_of(call, user, purpose, code), str_of(attribute),
                                  call->now_us / 1000000, 0 };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_code_put(&tx, pool->id, user->sub, purpose_name(purpose), &row);
    gh_err err = tx_commit(&tx);
    if (err)
        return err;
    const struct idp_VerificationMessageTemplateType *template = pool->doc->verification_message_template;
    bool email = strcmp(attribute, "email") == 0;
    if (details)
        *details = details_of(call, attribute, to);
    return deliver(call, pool, attribute, to, given_or(template->email_subject, "Your verification code"),
                   given_or(email ? template->email_message : template->sms_message,
                            purpose == CODE_FORGOT ? "Your password reset code is {####}"
                                                   : "Your confirmation code is {####}"),
                   user->username, code);
}

/* "when auto-verified, sends a code": one for each address that changed. */
gh_err code_send_for_changes(struct call *call, const struct pool *pool, const struct user *user,
                             const struct idp_AttributeListType *given,
                             struct idp_CodeDeliveryDetailsListType *sent)
{
    static const char *const addresses[] = { "email", "phone_number" };
    sent->items = ARENA_ARRAY(call->arena, struct idp_CodeDeliveryDetailsType *, COUNT(addresses));
    sent->set = true;
    for (size_t a = 0; a < COUNT(addresses); a++)
        for (size_t i = 0; i < given->n; i++) {
            if (!str_is(given->items[i]->name, addresses[a]) || !pool_auto_verifies(pool, addresses[a]) ||
                !user_attribute(user, addresses[a]).len || user_has_verified(user, addresses[a]))
                continue;
            gh_err err = code_send(call, pool, user, a == 0 ? CODE_VERIFY_EMAIL : CODE_VERIFY_PHONE,
                                   addresses[a], &sent->items[sent->n]);
            if (err)
                return err;
            sent->n++;
            break;
        }
    return NULL;
}

gh_err code_check(struct call *call, const struct user *user, enum code_purpose purpose, struct str code,
                  struct str *attribute)
{
    struct code_row row;
    bool found;
    gh_err err =
        store_code_find(call->db, call->arena, user->pool, user->sub, purpose_name(purpose), &row, &found);
    if (err)
        return err;
    if (!found || call->now_us / 1000000 >= row.sent_s + purposes[purpose].ttl_s)
        return gh_fail(call->arena, &idp_ExpiredCodeException,
                       "Invalid code provided, please request a code again.");
    if (row.tries >= MAX_TRIES)
        return gh_fail(call->arena, &idp_LimitExceededException,
                       "Attempt limit exceeded, please try after some time.");
    if (!digest_equal(row.mac, mac_of(call, user, purpose, code))) {
        struct tx tx;
        tx_begin(&tx, call->db, call->arena);
        store_code_tried(&tx, user->pool, user->sub, purpose_name(purpose));
        err = tx_commit(&tx);
        return err ? err
                   : gh_fail(call->arena, &idp_CodeMismatchException,
                             "Invalid verification code provided, please try again.");
    }
    *attribute = row.attribute;
    return NULL;
}

void code_drop(struct tx *tx, const struct user *user, enum code_purpose purpose)
{
    store_code_drop(tx, user->pool, user->sub, purpose_name(purpose));
}

/* Stable for the same name, shaped like the real answer. */
struct idp_CodeDeliveryDetailsType *code_pretend(struct call *call, const struct pool *pool, struct str name)
{
    if (is_email(name))
        return details_of(call, "email", name);
    if (is_phone_number(name))
        return details_of(call, "phone_number", name);
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-pretend"), str_concat(call->arena, pool->id, name), mac);
    return details_of(call, "email", str_printf(call->arena, "%c@%c", 'a' + mac[0] % 26, 'a' + mac[1] % 26));
}

/* "If both, the code goes to the phone." */
const char *code_attribute_to_verify(const struct pool *pool, const struct user *user)
{
    static const char *const in_order[] = { "phone_number", "email" };
    for (size_t i = 0; i < COUNT(in_order); i++)
        if (pool_auto_verifies(pool, in_order[i]) && user_attribute(user, in_order[i]).len)
            return in_order[i];
    return NULL;
}

/* "DesiredDeliveryMediums default SMS"; who has no phone number gets a mail. */
gh_err invitation_send(struct call *call, const struct pool *pool, const struct user *user,
                       struct str password, const struct idp_DeliveryMediumListType *mediums)
{
    const struct idp_MessageTemplateType none = { 0 },
                                         *template =
                                             pool->doc->admin_create_user_config->invite_message_template;
    if (!template)
        template = &none;
    bool wants_mail = false, wants_sms = mediums->n == 0;
    for (size_t i = 0; i < mediums->n; i++) {
        wants_mail |= str_is(mediums->items[i], "EMAIL");
        wants_sms |= str_is(mediums->items[i], "SMS");
    }
    struct str mail = user_attribute(user, "email"), phone = user_attribute(user, "phone_number");
    wants_mail |= mediums->n == 0 && !phone.len;
    static const char text[] = "Your username is {username} and temporary password is {####}.";
    struct str username = pool_names_are_subs(pool) ? (mail.len ? mail : phone) : user->username;
    gh_err err = NULL;
    if (wants_sms && phone.len)
        err = deliver(call, pool, "phone_number", phone, STR_NONE, given_or(template->sms_message, text),
                      username, password);
    if (!err && wants_mail && mail.len)
        err = deliver(call, pool, "email", mail, given_or(template->email_subject, "Your temporary password"),
                      given_or(template->email_message, text), username, password);
    return err;
}
