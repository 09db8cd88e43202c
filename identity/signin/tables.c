#include "identity/signin/tables.h"

#include "identity/signin/threat.h"

static const struct sign_in_flow flows[] = {
    { "USER_SRP_AUTH", true, true, FLOW_SRP, "USER_SRP_AUTH is not enabled for the client.", srp_begin },
    { "USER_PASSWORD_AUTH", true, false, FLOW_PASSWORD, "USER_PASSWORD_AUTH flow not enabled for this client",
      password_begin },
    { "ADMIN_USER_PASSWORD_AUTH", false, true, FLOW_ADMIN_PASSWORD, "Auth flow not enabled for this client",
      password_begin },
    { "ADMIN_NO_SRP_AUTH", false, true, FLOW_ADMIN_PASSWORD, "Auth flow not enabled for this client",
      password_begin },
    { "REFRESH_TOKEN_AUTH", true, true, FLOW_REFRESH, "Auth flow not enabled for this client",
      refresh_begin },
    { "REFRESH_TOKEN", true, true, FLOW_REFRESH, "Auth flow not enabled for this client", refresh_begin },
    { "CUSTOM_AUTH", true, true, FLOW_CUSTOM, "CUSTOM_AUTH is not enabled for the client.", custom_begin },
    { "USER_AUTH", true, true, FLOW_USER_AUTH, "USER_AUTH flow not enabled for this client", choice_begin },
};

static const struct sign_in_challenge challenges[] = {
    { "PASSWORD_VERIFIER", srp_start, srp_answer },
    { "CUSTOM_CHALLENGE", custom_start, custom_answer },
    { "NEW_PASSWORD_REQUIRED", new_password_start, new_password_answer },
    { "SMS_MFA", otp_start, otp_answer },
    { "SOFTWARE_TOKEN_MFA", software_token_start, software_token_answer },
    { "EMAIL_OTP", otp_start, otp_answer },
    { "SELECT_MFA_TYPE", select_mfa_start, select_mfa_answer },
    { "MFA_SETUP", mfa_setup_start, mfa_setup_answer },
    { "SELECT_CHALLENGE", select_challenge_start, select_challenge_answer },
    { "PASSWORD", password_start, password_answer },
    { "PASSWORD_SRP", password_start, password_srp_answer },
    { "SMS_OTP", otp_start, otp_answer },
    { "WEB_AUTHN", passkey_start, passkey_answer },
    { "DEVICE_SRP_AUTH", device_srp_start, device_srp_answer },
    { "DEVICE_PASSWORD_VERIFIER", device_verifier_start, device_verifier_answer },
};

const struct sign_in_gate sign_in_gates[] = {
    { false, threat_due },
    { false, new_password_due },
    { false, device_due }, /* before second factors: a remembered device may stand for them */
    { false, second_factor_due },
    { true, custom_due }, /* the last that asks: its functions decide when it is enough */
    { false, assurance_due },
};
const size_t n_sign_in_gates = COUNT(sign_in_gates);

const struct sign_in_flow *flow_named(struct str name)
{
    for (size_t i = 0; i < COUNT(flows); i++)
        if (str_is(name, flows[i].name))
            return &flows[i];
    return NULL;
}

const struct sign_in_challenge *challenge_named(struct str name)
{
    for (size_t i = 0; i < COUNT(challenges); i++)
        if (str_is(name, challenges[i].name))
            return &challenges[i];
    return NULL;
}
