#include "identity/federation/saml.h"

#include "core/base64.h"
#include "gen/sts.h"
#include "identity/store/saml_spent.h"

/* "The token must be redeemed within 5 minutes of issuance". Clocks may differ by a minute. */
enum { REDEEM_S = 300, SKEW_S = 60 };

static gh_err invalid(struct call *call, struct str why)
{
    return gh_fail(call->arena, &sts_InvalidIdentityTokenException, "%.*s", STR_FMT(why));
}

/* Where AWS's sign-in is, of whatever region, and where ours would be. */
static size_t places(struct call *call, struct str *out)
{
    out[0] = STR("https://signin.aws.amazon.com/saml");
    out[1] = str_printf(call->arena, "https://%.*s.signin.aws.amazon.com/saml", STR_FMT(call->region));
    out[2] = str_concat(call->arena, call->base_url, STR("/saml"));
    out[3] = STR("urn:amazon:webservices"); /* as an audience only; nobody's Recipient */
    return 4;
}

gh_err saml_verify(struct call *call, const struct saml_provider *provider, struct str response_base64,
                   struct saml_identity *out)
{
    struct str names[4], xml, why;
    bool expired;
    size_t n = places(call, names);
    int64_t now_s = call->now_us / 1000000;
    const struct saml_rules rules = { .recipients = names, .n_recipients = n - 1, .audiences = names, .n_audiences = n,
                                      .private_keys = provider->private_keys, .n_private_keys = provider->n_private_keys,
                                      .encryption_required = provider->encryption_required,
                                      .any_in_response_to = true, .now_s = now_s, .skew_s = SKEW_S };
    if (!base64_decode(call->arena, response_base64, &xml))
        return invalid(call, STR("Invalid base64 SAMLResponse"));
    if (!saml_read(call->arena, provider->metadata, xml, &rules, out, &why, &expired))
        return expired ? gh_fail(call->arena, &sts_ExpiredTokenException, "%.*s", STR_FMT(why)) : invalid(call, why);
    if (now_s >= out->issued_s + REDEEM_S)
        return gh_fail(call->arena, &sts_ExpiredTokenException, "Token must be redeemed within 5 minutes of issuance");
    return NULL;
}

gh_err saml_spend(struct call *call, const struct saml_identity *identity)
{
    bool fresh = false;
    int64_t until_s = identity->not_after_s + SKEW_S, least_s = identity->issued_s + REDEEM_S;
    gh_err err = saml_spent_add(call, identity->issuer, identity->assertion_id, until_s > least_s ? until_s : least_s,
                                &fresh);
    if (err || fresh)
        return err;
    return invalid(call, STR("The assertion was used before"));
}
