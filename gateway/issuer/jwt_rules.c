#include "gateway/issuer/jwt_rules.h"

#include "core/json.h"

static bool one_of(struct str text, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text.ptr && str_eq(text, list[i]))
            return true;
    return false;
}

struct jwt_issuer *jwt_rules_issuer(const struct jwt_rules *rules, const json_t *claims)
{
    struct str name = json_str(claims, "iss");
    for (size_t i = 0; i < rules->n_issuers; i++)
        if (name.len && str_eq(name, rules->issuers[i].name))
            return &rules->issuers[i];
    return NULL;
}

/* RFC 7519, 4.1.3: a string, or an array of strings. "API Gateway validates client_id only if aud is not
 * present": Cognito's access tokens have no audience. */
static bool audience_fits(const struct jwt_issuer *issuer, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud"), *one;
    size_t i;
    bool fits = false;
    if (!aud)
        return one_of(json_str(claims, "client_id"), issuer->audiences, issuer->n_audiences);
    if (!json_is_array(aud))
        return one_of(json_value_str(aud), issuer->audiences, issuer->n_audiences);
    json_array_foreach(aud, i, one) {
        if (!json_is_string(one))
            return false;
        fits |= one_of(json_value_str(one), issuer->audiences, issuer->n_audiences);
    }
    return fits;
}

static bool claim_fits(const struct jwt_claim_rule *rule, const json_t *claims)
{
    const json_t *value = json_at(claims, rule->name);
    if (!value)
        return !rule->required;
    struct str text = json_value_str(value);
    return text.ptr && (rule->n_expected == 0 || one_of(text, rule->expected, rule->n_expected));
}

const char *jwt_rules_broken(const struct jwt_issuer *issuer, const json_t *claims)
{
    if (!audience_fits(issuer, claims))
        return "the token does not have a valid audience";
    for (size_t i = 0; i < issuer->n_claims; i++)
        if (!claim_fits(&issuer->claims[i], claims))
            return "a claim is missing, or has another value than is expected";
    return NULL;
}

static bool holds_scope(const json_t *value, const struct str *wanted, size_t n)
{
    struct str rest = json_value_str(value), one;
    const json_t *item;
    size_t i;
    while (str_split(&rest, ' ', &one))
        if (one.len && one_of(one, wanted, n))
            return true;
    json_array_foreach(value, i, item)
        if (json_string_length(item) && one_of(json_value_str(item), wanted, n))
            return true;
    return false;
}

bool jwt_has_scope(const json_t *claims, const struct str *wanted, size_t n)
{
    return holds_scope(json_object_get(claims, "scope"), wanted, n) ||
           holds_scope(json_object_get(claims, "scp"), wanted, n);
}
