/* SAML assertions: the same response that AssumeRoleWithSAML takes, of a provider that IAM has a record of. */
#include "identity/federation/saml.h"
#include "identity/iam/providers/provider.h"
#include "identity/identity_pools/login_check.h"

/* What rules and tags see: the attributes under their names, one value as a string, several as a list. */
static json_t *claims_of(struct call *call, const struct saml_identity *who)
{
    json_t *claims = json_own(call->arena, json_object());
    json_set_str(claims, "sub", who->name_id);
    json_set_str(claims, "nameidentifier", who->name_id);
    json_set_str(claims, "aud", who->recipient);
    for (size_t i = 0; i < who->n_attributes; i++) {
        const struct saml_attribute *attribute = &who->attributes[i];
        json_t *values = json_array();
        for (size_t v = 0; v < attribute->n; v++)
            json_array_append_new(values, json_of(attribute->values[v]));
        json_t *value = attribute->n == 1 ? json_incref(json_array_get(values, 0)) : json_incref(values);
        json_object_set_new(claims, str_c(call->arena, attribute->name), value);
        json_decref(values);
    }
    return claims;
}

gh_err login_check_saml(const struct login_check *check, struct login *out)
{
    struct call *call = check->call;
    struct saml_provider provider;
    struct saml_identity who;
    if (!saml_provider_find(call, check->provider.arn, &provider))
        return login_unsupported(call);
    gh_err err = saml_verify(call, &provider, check->token, &who);
    if (err)
        return err->kind->status >= 500 ? err : login_invalid(call, "%.*s", STR_FMT(err->message));
    if (!who.name_id.len)
        return login_invalid(call, "Missing a required claim: sub");
    out->key.subject = who.name_id;
    out->claims = claims_of(call, &who);
    out->amr = str_printf(call->arena, "%.*s:%.*s", STR_FMT(check->provider.arn), STR_FMT(who.name_id));
    return NULL;
}
