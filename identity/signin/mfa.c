#include "identity/signin/mfa.h"

#include "core/json.h"

static const struct {
    const char *name, *attribute;
} factors[MFA_FACTORS] = {
    [MFA_SMS] = { "SMS_MFA", "phone_number" },
    [MFA_TOTP] = { "SOFTWARE_TOKEN_MFA", NULL },
    [MFA_EMAIL] = { "EMAIL_OTP", "email" },
};

const char *mfa_name(enum mfa_factor factor)
{
    return factors[factor].name;
}

const char *mfa_attribute(enum mfa_factor factor)
{
    return factors[factor].attribute;
}

bool mfa_named(struct str name, enum mfa_factor *out)
{
    for (int i = 0; i < MFA_FACTORS; i++)
        if (str_is(name, factors[i].name) || (i == MFA_EMAIL && str_is(name, "EMAIL_MFA"))) {
            *out = (enum mfa_factor)i;
            return true;
        }
    return false;
}

static json_t *settings(const struct user *user)
{
    return json_object_get(user->more, "mfa");
}

unsigned user_mfa_enabled(const struct user *user)
{
    unsigned enabled = 0;
    size_t i;
    json_t *name;
    enum mfa_factor factor;
    json_array_foreach(json_object_get(settings(user), "enabled"), i, name)
        if (mfa_named(json_value_str(name), &factor))
            enabled |= MFA_BIT(factor);
    return enabled;
}

bool user_mfa_preferred(const struct user *user, enum mfa_factor *out)
{
    return mfa_named(json_str(settings(user), "preferred"), out);
}

struct str user_mfa_preferred_name(const struct user *user)
{
    return json_str(settings(user), "preferred");
}

bool user_mfa_webauthn(const struct user *user)
{
    return json_flag(settings(user), "webauthn", false);
}

bool user_has_totp(const struct user *user)
{
    return json_str(json_object_get(user->more, "totp"), "seed").ptr != NULL;
}

bool user_mfa_can(const struct user *user, enum mfa_factor factor)
{
    return factor == MFA_TOTP ? user_has_totp(user) : user_attribute(user, factors[factor].attribute).len > 0;
}

static json_t *settings_to_change(struct user *user)
{
    json_t *mfa = settings(user);
    if (!mfa) {
        mfa = json_object();
        json_object_set_new(user->more, "mfa", mfa);
    }
    return mfa;
}

void user_mfa_set(struct user *user, unsigned enabled, const enum mfa_factor *preferred)
{
    json_t *mfa = settings_to_change(user), *list = json_array();
    for (int i = 0; i < MFA_FACTORS; i++)
        if (enabled & MFA_BIT(i))
            json_array_append_new(list, json_string(factors[i].name));
    json_object_set_new(mfa, "enabled", list);
    json_object_del(mfa, "preferred");
    if (preferred)
        json_set_str(mfa, "preferred", str_of(factors[*preferred].name));
}

void user_mfa_set_webauthn(struct user *user, bool on)
{
    json_set_flag(settings_to_change(user), "webauthn", on);
}

struct idp_UserMFASettingListType user_mfa_list(struct call *call, const struct user *user)
{
    unsigned enabled = user_mfa_enabled(user);
    struct idp_UserMFASettingListType list = { .set = enabled != 0,
                                               .items = ARENA_ARRAY(call->arena, struct str, MFA_FACTORS) };
    for (int i = 0; i < MFA_FACTORS; i++)
        if (enabled & MFA_BIT(i))
            list.items[list.n++] = str_of(factors[i].name);
    return list;
}

/* "It provides information only about SMS MFA configurations." */
struct idp_MFAOptionListType user_mfa_options(struct call *call, const struct user *user)
{
    if (!(user_mfa_enabled(user) & MFA_BIT(MFA_SMS)))
        return (struct idp_MFAOptionListType){ .set = false };
    struct idp_MFAOptionType *option = ARENA_NEW(call->arena, struct idp_MFAOptionType);
    struct idp_MFAOptionType **items = ARENA_NEW(call->arena, struct idp_MFAOptionType *);
    *option = (struct idp_MFAOptionType){ STR("SMS"), STR("phone_number") };
    *items = option;
    return (struct idp_MFAOptionListType){ true, 1, items };
}
