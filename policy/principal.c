#include "policy/principal.h"

#include "policy/arn.h"

static struct principal_pattern read_aws(struct str value)
{
    struct arn arn;
    if (str_is(value, "*"))
        return (struct principal_pattern){ PRINCIPAL_IS_EVERYBODY, value };
    if (arn_is_account(value))
        return (struct principal_pattern){ PRINCIPAL_IS_ACCOUNT, value };
    if (arn_split(value, &arn) && str_is(arn.part[5], "root"))
        return (struct principal_pattern){ PRINCIPAL_IS_ACCOUNT, arn.part[4] };
    return (struct principal_pattern){ PRINCIPAL_IS_ARN, value };
}

bool principal_read(struct str type, struct str value, struct principal_pattern *out)
{
    if (str_is(type, "AWS"))
        *out = read_aws(value);
    else if (str_is(type, "Service"))
        *out = (struct principal_pattern){ PRINCIPAL_IS_SERVICE, value };
    else if (str_is(type, "Federated"))
        *out = (struct principal_pattern){ PRINCIPAL_IS_FEDERATED, value };
    else if (str_is(type, "CanonicalUser"))
        *out = (struct principal_pattern){ PRINCIPAL_IS_CANONICAL, value };
    else
        return false;
    return true;
}

static bool is_root(const struct policy_request *request)
{
    return str_ends(request->principal_arn, STR(":root"));
}

static enum principal_fit named_if(bool same)
{
    return same ? FIT_NAMED : FIT_NONE;
}

enum principal_fit principal_match(const struct principal_pattern *pattern, const struct policy_request *request)
{
    switch (pattern->kind) {
    case PRINCIPAL_IS_EVERYBODY:
        return FIT_NAMED;
    case PRINCIPAL_IS_ACCOUNT:
        if (!request->account.ptr || !str_eq(pattern->text, request->account))
            return FIT_NONE;
        return is_root(request) ? FIT_NAMED : FIT_ACCOUNT; /* the root user is the account */
    case PRINCIPAL_IS_ARN:
        if (request->role_arn.ptr && str_eq(pattern->text, request->role_arn))
            return FIT_ROLE;
        return named_if(request->principal_arn.ptr && str_eq(pattern->text, request->principal_arn));
    case PRINCIPAL_IS_SERVICE:
        return named_if(request->service.ptr && str_eq(pattern->text, request->service));
    case PRINCIPAL_IS_FEDERATED:
        return named_if(request->federated.ptr && str_eq(pattern->text, request->federated));
    case PRINCIPAL_IS_CANONICAL:
    default:
        return FIT_NONE;
    }
}

static bool listed(const struct principal_pattern *patterns, size_t n, enum principal_kind kind, struct str text)
{
    for (size_t i = 0; i < n; i++)
        if (patterns[i].kind == kind && text.ptr && str_eq(patterns[i].text, text))
            return true;
    return false;
}

bool principal_spared(const struct principal_pattern *patterns, size_t n, const struct policy_request *request)
{
    for (size_t i = 0; i < n; i++)
        if (patterns[i].kind == PRINCIPAL_IS_EVERYBODY)
            return true;
    if (request->service.ptr || request->federated.ptr)
        return listed(patterns, n, PRINCIPAL_IS_SERVICE, request->service) ||
               listed(patterns, n, PRINCIPAL_IS_FEDERATED, request->federated);
    return listed(patterns, n, PRINCIPAL_IS_ACCOUNT, request->account) &&
           (is_root(request) || listed(patterns, n, PRINCIPAL_IS_ARN, request->principal_arn)) &&
           (!request->role_arn.ptr || listed(patterns, n, PRINCIPAL_IS_ARN, request->role_arn));
}

/* --- what may be written --- */

static bool all_of(struct str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(more, c));
        if (!fine)
            return false;
    }
    return text.len > 0;
}

static bool is_domain(struct str text)
{
    return all_of(text, ".-") && str_find(text, '.') > 0;
}

static bool begins(struct str text, const char *const *starts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_starts(text, str_of(starts[i])) && text.len > strlen(starts[i]))
            return true;
    return false;
}

/* "arn:aws:iam::123456789012:user/x", "arn:aws:sts::123456789012:assumed-role/x/session", "AIDA…", "AROA…" */
static bool is_principal_arn(struct str text)
{
    static const char *const of_iam[] = { "user/", "role/" }, *const of_sts[] = { "assumed-role/", "federated-user/" };
    struct arn arn;
    if (str_starts(text, STR("AIDA")) || str_starts(text, STR("AROA")))
        return text.len >= 16 && all_of(text, "");
    if (!arn_split(text, &arn) || !str_is(arn.part[0], "arn") || arn.part[3].len || !arn_is_account(arn.part[4]) ||
        str_find(text, '*') >= 0 || str_find(text, '?') >= 0)
        return false;
    return str_is(arn.part[2], "iam") ? begins(arn.part[5], of_iam, COUNT(of_iam))
                                      : str_is(arn.part[2], "sts") && begins(arn.part[5], of_sts, COUNT(of_sts));
}

static bool is_provider(struct str text)
{
    static const char *const kinds[] = { "oidc-provider/", "saml-provider/" };
    struct arn arn;
    return is_domain(text) || (arn_split(text, &arn) && str_is(arn.part[0], "arn") && str_is(arn.part[2], "iam") &&
                               arn_is_account(arn.part[4]) && begins(arn.part[5], kinds, COUNT(kinds)));
}

struct str principal_fault(struct arena *arena, const struct principal_pattern *pattern)
{
    const char *type = NULL;
    switch (pattern->kind) {
    case PRINCIPAL_IS_EVERYBODY:
        break;
    case PRINCIPAL_IS_ACCOUNT:
        type = arn_is_account(pattern->text) ? NULL : "AWS";
        break;
    case PRINCIPAL_IS_ARN:
        type = is_principal_arn(pattern->text) ? NULL : "AWS";
        break;
    case PRINCIPAL_IS_SERVICE:
        type = is_domain(pattern->text) ? NULL : "SERVICE";
        break;
    case PRINCIPAL_IS_FEDERATED:
        if (!is_provider(pattern->text))
            return STR("Federated principals must be valid domain names or SAML metadata ARNs");
        break;
    case PRINCIPAL_IS_CANONICAL:
    default:
        type = "CANONICALUSER";
    }
    return type ? str_printf(arena, "Invalid principal in policy: \"%s\":\"%.*s\"", type, STR_FMT(pattern->text)) : STR_NONE;
}
