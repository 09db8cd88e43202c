/* Codes by mail and SMS, as a first factor (EMAIL_OTP, SMS_OTP) and a second one (SMS_MFA, EMAIL_OTP).
 *
 * Nothing of a code is stored: its keyed hash travels in the Session, bound to the sign-in and the address,
 * and is good as long as that ("= AuthSessionValidity"). For nobody the steps are the same, without a
 * message. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"
#include "identity/messages/message.h"
#include "identity/signin/mfa.h"
#include "identity/signin/sign_in.h"

/* "First-factor OTP codes: 8 digits; confirmation, forgot, MFA codes: 6" */
enum { FIRST_DIGITS = 8, SECOND_DIGITS = 6 };

static const struct way {
    const char *challenge, *attribute, *verified, *medium, *answer;
} ways[] = {
    { "SMS_MFA", "phone_number", "phone_number_verified", "SMS", "SMS_MFA_CODE" },
    { "SMS_OTP", "phone_number", "phone_number_verified", "SMS", "SMS_OTP_CODE" },
    { "EMAIL_OTP", "email", "email_verified", "EMAIL", "EMAIL_OTP_CODE" },
};

static const struct way *way_asked(const struct sign_in *s)
{
    struct str asked = json_str(s->state, "asked");
    for (size_t i = 0; i + 1 < COUNT(ways); i++)
        if (str_is(asked, ways[i].challenge))
            return &ways[i];
    return &ways[COUNT(ways) - 1];
}

/* The user's, or the one that is being set up (MFA_SETUP), or what nobody's would look like. */
static struct str address_of(const struct sign_in *s, const struct way *way)
{
    struct arena *arena = s->call->arena;
    bool mail = strcmp(way->medium, "EMAIL") == 0;
    struct str given = mail ? json_str(sign_in_recall(s, "MFA_SETUP"), "email") : STR_NONE;
    if (given.ptr)
        return given;
    if (s->user.sub.ptr)
        return user_attribute(&s->user, way->attribute);
    struct str name = json_str(s->state, "name");
    if (mail ? is_email(name) : is_phone_number(name))
        return name;
    uint8_t mac[SHA256_BYTES];
    sealer_mac(s->call->sealer, STR("pool-pretend"), str_concat(arena, s->client.pool.id, name), mac);
    if (mail)
        return str_printf(arena, "%c@%c", 'a' + mac[0] % 26, 'a' + mac[1] % 26);
    return str_printf(arena, "+1555555%04d", (mac[0] << 8 | mac[1]) % 10000);
}

static struct str mac_of(const struct sign_in *s, const struct way *way, struct str code)
{
    uint8_t mac[SHA256_BYTES];
    struct str address = address_of(s, way), id = json_str(s->state, "id");
    sealer_mac(s->call->sealer, STR("pool-otp"),
               str_printf(s->call->arena, "%.*s/%s/%.*s/%.*s", STR_FMT(id), way->challenge, STR_FMT(address),
                          STR_FMT(code)),
               mac);
    return base64url_encode(s->call->arena, digest_str(mac, sizeof mac));
}

gh_err otp_start(struct sign_in *s)
{
    const struct way *way = way_asked(s);
    bool second = json_array_size(json_object_get(s->state, "passed")) > 0;
    struct str code =
        id_random(s->call->env, s->call->arena, second ? SECOND_DIGITS : FIRST_DIGITS, ID_DIGITS);
    struct str to = address_of(s, way);
    sign_in_keep(s, way->challenge, json_pack("{s:s}", "mac", mac_of(s, way, code).ptr));
    sign_in_parameter(s, "CODE_DELIVERY_DELIVERY_MEDIUM", str_of(way->medium));
    sign_in_parameter(s, "CODE_DELIVERY_DESTINATION", address_masked(s->call, way->attribute, to));
    if (strcmp(way->challenge, "SMS_MFA") == 0)
        sign_in_parameter(s, "USER_ID_FOR_SRP", s->user.username);
    if (!s->user.sub.ptr)
        return NULL;
    const struct message_order order = {
        .kind = MESSAGE_AUTHENTICATION,
        .attribute = way->attribute,
        .to = to,
        .code = code,
        .metadata = s->metadata,
        .client = &s->client,
    };
    return message_send(s->call, &s->client.pool, &s->user, &order, NULL);
}

/* "After your user completes MFA, Amazon Cognito sets their phone_number_verified or email_verified attribute
 * to true." An address that was set up on the way stands with the user from now on. */
static void note_proven(struct sign_in *s, const struct way *way)
{
    struct str set_up = json_str(sign_in_recall(s, "MFA_SETUP"), "email");
    if (strcmp(way->medium, "EMAIL") == 0 && set_up.ptr) {
        enum mfa_factor preferred;
        bool has = user_mfa_preferred(&s->user, &preferred);
        json_set_str(s->user.attributes, "email", set_up);
        user_mfa_set(&s->user, user_mfa_enabled(&s->user) | MFA_BIT(MFA_EMAIL), has ? &preferred : NULL);
        s->user_changed = true;
    }
    if (user_has_verified(&s->user, way->attribute))
        return;
    json_set_str(s->user.attributes, way->verified, STR("true"));
    s->user_changed = true;
}

gh_err otp_answer(struct sign_in *s)
{
    const struct way *way = way_asked(s);
    struct str code;
    gh_err err = sign_in_need(s, way->answer, &code);
    if (err)
        return err;
    struct str kept = json_str(sign_in_recall(s, way->challenge), "mac");
    if (!digest_equal(kept, mac_of(s, way, code)) || !s->user.sub.ptr)
        return sign_in_wrong(s, gh_fail(s->call->arena, &idp_CodeMismatchException,
                                        "Invalid code or auth state for the user."));
    err = sign_in_check_user(s);
    if (err)
        return err;
    note_proven(s, way);
    return sign_in_passed(s, way->challenge);
}
