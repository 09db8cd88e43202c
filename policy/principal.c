#include "policy/principal.h"

#include "policy/arn.h"

static bool is_account(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len == 12;
}

static struct principal_pattern read_aws(struct str value)
{
    struct arn arn;
    if (str_is(value, "*"))
        return (struct principal_pattern){ PRINCIPAL_IS_EVERYBODY, value };
    if (is_account(value))
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
        return request->account.ptr && str_eq(pattern->text, request->account) ? FIT_ACCOUNT : FIT_NONE;
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
