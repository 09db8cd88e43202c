#include "policy/arn.h"
#include "policy/lint/findings.h"

static bool partition_known(struct str partition)
{
    static const char *const partitions[] = { "aws",       "aws-cn",    "aws-us-gov", "aws-iso", "aws-iso-b",
                                              "aws-iso-e", "aws-iso-f", "aws-eusc",   "*" };
    for (size_t i = 0; i < COUNT(partitions); i++)
        if (str_is(partition, partitions[i]))
            return true;
    return str_find_str(partition, STR("${")) >= 0;
}

static bool open_ended(struct str part)
{
    return str_find(part, '*') >= 0 || str_find(part, '?') >= 0 || str_find_str(part, STR("${")) >= 0;
}

static void region_and_account(struct lint *lint, struct str service, const struct arn *arn)
{
    struct catalogue_parts parts = catalogue_parts(service);
    struct str region = arn->part[3], account = arn->part[4];
    if (parts.region_never && region.len && !str_is(region, "*"))
        lint_found(lint, FINDING_ERROR, "ARN_REGION_NOT_ALLOWED",
                   "The service %.*s does not support specifying a Region in the resource ARN.",
                   STR_FMT(service));
    if (parts.region_always && region.len == 0)
        lint_found(lint, FINDING_ERROR, "MISSING_ARN_REGION", "Add a Region to the %.*s resource ARN.",
                   STR_FMT(service));
    if (parts.account_never && account.len && !str_is(account, "*"))
        lint_found(lint, FINDING_ERROR, "ARN_ACCOUNT_NOT_ALLOWED",
                   "The service %.*s does not support specifying an account ID in the resource ARN.",
                   STR_FMT(service));
    else if (account.len && !open_ended(account) && !arn_is_account(account) && !str_is(account, "aws") &&
             !str_is(account, "cloudfront"))
        lint_found(lint, FINDING_ERROR, "INVALID_ARN_ACCOUNT",
                   "The resource ARN account ID %.*s is not valid. Provide a 12-digit account ID.",
                   STR_FMT(account));
}

static void resource(struct lint *lint, struct str text, void *ctx)
{
    (void)ctx;
    struct arn arn;
    lint_variables(lint, text, true);
    if (str_is(text, "*") || (lint->use == POLICY_RESOURCE && str_starts(text, STR("execute-api:/"))))
        return;
    if (!str_starts(text, STR("arn:"))) {
        lint_found(lint, FINDING_ERROR, "INVALID_ARN_PREFIX",
                   "Add the required prefix (arn) to the resource ARN.");
        return;
    }
    if (!arn_split(text, &arn)) {
        if (!open_ended(text) || text.ptr[text.len - 1] != '*')
            lint_found(lint, FINDING_ERROR, "MISSING_ARN_FIELD",
                       "Resource ARNs must include at least 6 fields in the following structure: "
                       "arn:partition:service:region:account:resource");
        return;
    }
    struct str service = arn.part[2], lower = str_lower(lint->arena, service);
    if (!partition_known(arn.part[1]))
        lint_found(lint, FINDING_ERROR, "INVALID_PARTITION",
                   "The resource ARN for the service %.*s does not support the partition %.*s. Use the "
                   "supported values: "
                   "aws, aws-cn, aws-us-gov",
                   STR_FMT(service), STR_FMT(arn.part[1]));
    if (open_ended(service)) {
        lint_found(lint, FINDING_SUGGESTION, "WILDCARD_IN_SERVICE_NAME",
                   "Avoid using wildcards (*, ?) in the service name because it might grant unintended "
                   "access to other AWS "
                   "services with similar names.");
        return;
    }
    if (!str_eq(service, lower) && catalogue_has_service(lower))
        lint_found(lint, FINDING_ERROR, "INVALID_ARN_SERVICE_CASE",
                   "Update the service name %.*s in the resource ARN to use all lowercase letters.",
                   STR_FMT(service));
    if (!catalogue_has_service(lower))
        return;
    size_t before = lint->n;
    region_and_account(lint, lower, &arn);
    if (lint->n == before && !catalogue_has_resource(lint->arena, lower, text))
        lint_found(
            lint, FINDING_ERROR, "INVALID_ARN_RESOURCE",
            "Resource ARN does not match the expected ARN format. Update the resource portion of the ARN.");
}

void lint_resources(struct lint *lint, const struct jt *statement)
{
    bool any = false;
    static const char *const names[] = { "Resource", "NotResource" };
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct jt *value = jt_get(statement, str_of(names[i]));
        if (!value)
            continue;
        any = true;
        lint_into(lint, str_of(names[i]));
        if (lint->use == POLICY_TRUST)
            lint_found_name(lint, FINDING_ERROR, "INVALID_POLICY_ELEMENT",
                            "The policy element %s is not valid.", names[i]);
        if (jt_is(value, JT_ARRAY) && value->n == 0)
            lint_found(
                lint, FINDING_SUGGESTION, "EMPTY_ARRAY_RESOURCE",
                "This statement includes no resources and does not affect the policy. Specify resources.");
        lint_each(lint, value, resource, NULL);
        lint_out(lint);
    }
    if (!any && lint->use != POLICY_TRUST)
        lint_found(lint, FINDING_ERROR, "MISSING_RESOURCE",
                   "Add a Resource or NotResource element to the policy statement.");
}
