#include "wire/audit_kind.h"

#include "core/glob.h"
#include "core/str.h"

/* The first row that fits counts. */
static const struct {
    const char *service, *operation;
    struct audit_kind kind;
} rows[] = {
    { "lambda", "Invoke*", { .left_out = true } },
    { "apigatewaymanagementapi", "*", { .left_out = true } },
    /* "You can log data events for identity pools" (Cognito's guide): requests without a signature, for the most part */
    { "cognito-identity", "GetCredentialsForIdentity", { .data = true, .answers = true, .waits = true } },
    { "cognito-identity", "GetId", { .data = true, .answers = true, .waits = true } },
    { "cognito-identity", "GetOpenIdToken*", { .data = true, .answers = true, .waits = true } },
    { "cognito-identity", "Unlink*", { .data = true, .waits = true } },
    { "cognito-identity", "MergeDeveloperIdentities", { .data = true, .answers = true, .waits = true } },
    /* STS: nothing changes, and keys are given out */
    { "sts", "Assume*", { .read_only = true, .answers = true, .waits = true } },
    { "sts", "GetSessionToken", { .read_only = true, .answers = true, .waits = true } },
    { "sts", "GetFederationToken", { .read_only = true, .answers = true, .waits = true } },
    { "sts", "GetDelegatedAccessToken", { .read_only = true, .answers = true, .waits = true } },
    { "sts", "GetWebIdentityToken", { .read_only = true, .answers = true, .waits = true } },
    { "sts", "*", { .read_only = true } },
    { "kms", "Decrypt", { .read_only = true } },
    { "kms", "Encrypt", { .read_only = true } },
    { "kms", "Generate*", { .read_only = true } },
    { "cognito-idp", "GetTokensFromRefreshToken", { .answers = true, .waits = true } },
    { "cognito-idp", "GetUserAttributeVerificationCode", { .answers = true, .waits = true } },
    { "cognito-idp", "GetDerivedToken", { .answers = true, .waits = true } },
    { "cognito-idp", "GetClientToken", { .answers = true, .waits = true } },
    { "iam", "SimulateCustomPolicy", { .read_only = true } },
    { "*", "Get*", { .read_only = true } },
    { "*", "List*", { .read_only = true } },
    { "*", "Describe*", { .read_only = true } },
    { "*", "Lookup*", { .read_only = true } },
    { "*", "Simulate*", { .read_only = true } },
    { "*", "Test*", { .read_only = true } },
    { "*", "*", { .answers = true, .waits = true } },
};

struct audit_kind audit_kind_of(const struct service *service, const struct operation *operation)
{
    size_t i = 0;
    while (i + 1 < COUNT(rows) && !(operation && glob_match(str_of(rows[i].service), str_of(service->id)) &&
                                    glob_match(str_of(rows[i].operation), str_of(operation->name))))
        i++;
    return rows[i].kind;
}

/* "The eventName may include date and version information, such as "GetFunction20150331", but it is still referring
 * to the same public API." */
struct str audit_event_name(struct arena *arena, const struct service *service, const struct operation *operation)
{
    static const char *const second[] = { "AddPermission", "RemovePermission", "GetPolicy", "GetFunction", "GetFunctionConfiguration",
                                          "UpdateFunctionCode", "UpdateFunctionConfiguration" };
    const char *p = operation->path, *version = "";
    if (strcmp(service->id, "lambda") != 0 || strlen(p) < 11 || p[5] != '-' || p[8] != '-')
        return str_of(operation->name);
    for (size_t i = 0; i < COUNT(second); i++)
        if (strcmp(second[i], operation->name) == 0)
            version = "v2";
    return str_printf(arena, "%s%.4s%.2s%.2s%s", operation->name, p + 1, p + 6, p + 9, version);
}
