#include "identity/passkeys/passkey.h"

#include "core/base64.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/uri.h"
#include "identity/pools/domain.h"
#include "identity/pools/options.h"
#include "identity/signin/mfa.h"

gh_err passkey_check_enabled(struct call *call, const struct pool *pool)
{
    const struct idp_AllowedFirstAuthFactorsListType *list =
        &pool->doc->policies->sign_in_policy->allowed_first_auth_factors;
    for (size_t i = 0; i < list->n; i++)
        if (str_is(list->items[i], "WEB_AUTHN"))
            return NULL;
    return gh_fail(
        call->arena, &idp_WebAuthnNotEnabledException,
        "Passkeys are not enabled for the user pool: WEB_AUTHN is not among its AllowedFirstAuthFactors.");
}

/* The name that people see this server under; of its loopback address the name that browsers let have
 * passkeys. */
static struct str server_name(struct call *call)
{
    struct uri uri;
    struct ip ip;
    if (!uri_parse(call->arena, call->base_url, &uri))
        return STR_NONE;
    if (ip_parse(uri.host, &ip))
        return ip_scope(&ip) == IP_LOOPBACK ? STR("localhost") : STR_NONE;
    return webauthn_is_rp_id(uri.host) ? uri.host : STR_NONE;
}

gh_err passkey_rule(struct call *call, const struct pool *pool, struct webauthn_rule *rule,
                    struct str *wanted)
{
    const struct idp_WebAuthnConfigurationType *settings = pool_webauthn(call, pool);
    struct str prefix, custom;
    *wanted = settings && settings->user_verification.ptr ? settings->user_verification : STR("preferred");
    *rule = (struct webauthn_rule){
        .rp_id = settings ? settings->relying_party_id : STR_NONE,
        .more_origins = option_text(pool->more, "passkeyOrigins"),
        .verify_user = str_is(*wanted, "required"),
    };
    if (rule->rp_id.ptr)
        return NULL;
    gh_err err = domains_of_pool(call, NULL, pool, &prefix, &custom);
    if (err)
        return err;
    /* a prefix domain has no host of its own here: its pages are this server's */
    rule->rp_id = custom.ptr ? custom : server_name(call);
    if (rule->rp_id.ptr)
        return NULL;
    return gh_fail(call->arena, &idp_WebAuthnConfigurationMissingException,
                   "The user pool has no relying party ID and no domain of its own, and this server is known "
                   "by an address: "
                   "set WebAuthnConfiguration.RelyingPartyId.");
}

gh_err webauthn_check_settings(struct call *call, const struct idp_WebAuthnConfigurationType *settings)
{
    if (!settings->relying_party_id.ptr || webauthn_is_rp_id(settings->relying_party_id))
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "Invalid relying party ID: %.*s. It must be a domain name in lower case, without scheme, "
                   "port or path.",
                   STR_FMT(settings->relying_party_id));
}

bool passkey_member(struct call *call, const json_t *object, const char *name, struct str *bytes)
{
    struct str text = json_str(object, name);
    return text.ptr && base64url_decode(call->arena, text, bytes);
}

bool passkey_id(struct call *call, const json_t *credential, struct str *bytes)
{
    const json_t *raw = json_object_get(credential, "rawId");
    return str_is(json_str(credential, "type"), "public-key") &&
           passkey_member(call, credential, "id", bytes) && bytes->len && bytes->len <= WEBAUTHN_ID_MOST &&
           (!raw || str_eq(json_value_str(raw), json_str(credential, "id")));
}

gh_err passkey_any(struct call *call, struct str pool, struct str sub, bool *any)
{
    int64_t n;
    gh_err err = store_passkey_count(call->db, NULL, call->arena, pool, sub, &n);
    *any = !err && n > 0;
    return err;
}

json_t *passkey_descriptors(struct call *call, const struct passkey_row *rows, size_t n)
{
    json_t *list = json_own(call->arena, json_array());
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object(),
               *transports = json_object_get(json_parse(call->arena, rows[i].doc, NULL), "transports");
        json_set_str(one, "type", STR("public-key"));
        json_set_str(one, "id", rows[i].id);
        if (json_array_size(transports))
            json_object_set(one, "transports", transports);
        json_array_append_new(list, one);
    }
    return list;
}

const char *webauthn_verdict_text(enum webauthn_verdict verdict)
{
    static const char *const texts[] = {
        [WEBAUTHN_OK] = "it is right",
        [WEBAUTHN_MALFORMED] = "the credential cannot be read",
        [WEBAUTHN_WRONG_CEREMONY] = "the credential is of the other ceremony",
        [WEBAUTHN_WRONG_CHALLENGE] = "the challenge is another one",
        [WEBAUTHN_WRONG_ORIGIN] = "the origin is not allowed for the relying party ID",
        [WEBAUTHN_WRONG_PARTY] = "the credential is of another relying party ID",
        [WEBAUTHN_NOT_PRESENT] = "the authenticator saw no user",
        [WEBAUTHN_NOT_VERIFIED] = "the authenticator did not verify the user, which the user pool requires",
        [WEBAUTHN_UNSUPPORTED] = "neither its key nor its attestation is of a kind that is supported",
        [WEBAUTHN_WRONG_SIGNATURE] = "the signature is wrong",
        [WEBAUTHN_COUNTER] = "the authenticator's counter did not go on",
    };
    return texts[verdict];
}
