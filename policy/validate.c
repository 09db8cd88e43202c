/* What AWS says of a policy that is JSON and has the right members, but will not do. The rows
 * stand in AWS's order: the first failure is the answer. */
#include "policy/control.h"

typedef bool check(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why);

static check check_members, check_control, check_version, check_legacy, check_sids, check_has_actions, check_resources,
    check_actions, check_has_resources, check_trust_actions;

#define USES(use) (1u << (use))
#define CONTROL (USES(POLICY_SERVICE_CONTROL) | USES(POLICY_RESOURCE_CONTROL))
#define IAM_OWN (USES(POLICY_IDENTITY) | USES(POLICY_TRUST))
static const struct {
    unsigned uses;
    check *run;
} checks[] = {
    { IAM_OWN | USES(POLICY_AUTHORIZER), check_members },
    { CONTROL, check_control },
    { USES(POLICY_IDENTITY) | CONTROL, check_version },
    { IAM_OWN | CONTROL, check_legacy },
    { IAM_OWN | CONTROL | USES(POLICY_RESOURCE), check_sids },
    { IAM_OWN | CONTROL | USES(POLICY_RESOURCE) | USES(POLICY_AUTHORIZER), check_has_actions },
    { USES(POLICY_IDENTITY) | CONTROL, check_resources },
    { IAM_OWN | CONTROL, check_actions },
    { USES(POLICY_IDENTITY) | CONTROL | USES(POLICY_AUTHORIZER), check_has_resources },
    { USES(POLICY_TRUST), check_trust_actions },
};

bool policy_validate(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    for (size_t i = 0; i < COUNT(checks); i++)
        if (checks[i].uses & USES(use) && !checks[i].run(arena, use, policy, why))
            return false;
    return true;
}

static bool refuse(struct str *why, const char *text)
{
    *why = str_of(text);
    return false;
}

static bool check_members(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *one = &policy->statements[i];
        if (use != POLICY_TRUST) {
            if (one->has_principal)
                return refuse(why, "Policy document should not specify a principal.");
            continue;
        }
        if (one->has_resource)
            return refuse(why, "Has prohibited field Resource.");
        if (one->not_principal)
            return refuse(why, "Has prohibited field NotPrincipal.");
        if (!one->has_principal)
            return refuse(why, "Missing required field Principal");
        for (size_t p = 0; p < one->n_principals; p++) {
            *why = principal_fault(arena, &one->principals[p]);
            if (why->ptr)
                return false;
        }
    }
    return true;
}

static bool check_control(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)arena;
    const char *fault = control_fault(use, policy);
    return !fault || refuse(why, fault);
}

static bool check_version(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)arena, (void)use;
    return str_is(policy->version, "2012-10-17") ||
           refuse(why, "Policy document must be version 2012-10-17 or greater.");
}

static size_t count(struct str text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == c;
    return n;
}

/* "arn:aws:s3::x", and ARNs without a service. */
static bool has_gap(struct str text)
{
    struct arn arn;
    if (!str_starts(text, STR("arn:")))
        return false;
    bool whole = arn_split(text, &arn);
    return (!whole && str_find_str(text, STR("::")) >= 0) || (arn.part[2].ptr && arn.part[2].len == 0);
}

static bool check_legacy(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)arena, (void)use;
    const char *text = "The policy failed legacy parsing";
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *one = &policy->statements[i];
        if (!str_is(one->effect, "Allow") && !str_is(one->effect, "Deny"))
            return refuse(why, text);
        for (size_t c = 0; c < one->n_conditions; c++)
            for (size_t v = 0; v < one->conditions[c].n; v++)
                if (one->conditions[c].op->is_date && !one->conditions[c].operands[v].valid)
                    return refuse(why, text);
        for (size_t r = 0; r < one->n_resources; r++)
            if (has_gap(one->resources[r].text))
                return refuse(why, text);
    }
    return true;
}

static bool check_sids(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)arena;
    for (size_t i = 0; i < policy->n; i++) {
        struct str sid = policy->statements[i].sid;
        for (size_t j = 0; j < i && sid.len; j++)
            if (str_eq(sid, policy->statements[j].sid))
                return refuse(why, "Statement IDs (SID) in a single policy must be unique.");
        for (size_t c = 0; c < sid.len && use != POLICY_RESOURCE; c++)
            if (!((sid.ptr[c] >= '0' && sid.ptr[c] <= '9') || (sid.ptr[c] >= 'A' && sid.ptr[c] <= 'Z') ||
                  (sid.ptr[c] >= 'a' && sid.ptr[c] <= 'z')))
                return refuse(why, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
                                   "regular expression [0-9A-Za-z]*");
    }
    return true;
}

static bool check_has_actions(struct arena *arena, enum policy_use use, const struct policy *policy,
                              struct str *why)
{
    (void)arena, (void)use;
    for (size_t i = 0; i < policy->n; i++)
        if (policy->statements[i].n_actions == 0)
            return refuse(why, "Policy statement must contain actions.");
    return true;
}

static bool check_has_resources(struct arena *arena, enum policy_use use, const struct policy *policy,
                                struct str *why)
{
    (void)arena, (void)use;
    for (size_t i = 0; i < policy->n; i++)
        if (policy->statements[i].n_resources == 0)
            return refuse(why, "Policy statement must contain resources.");
    return true;
}

/* --- resources --- */

static bool starts_with_any(struct str text, const char *const *starts)
{
    for (; *starts; starts++)
        if (str_starts(text, str_of(*starts)))
            return true;
    return false;
}

static bool partition_known(struct str partition)
{
    static const char *const known[] = { "*",       "aws",       "aws-cn",     "aws-us-gov", "aws-iso",
                                         "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc" };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(partition, known[i]))
            return true;
    return false;
}

/* A part as AWS prints it: what was not written counts as everything. */
static struct str shown(struct str part)
{
    return part.ptr ? part : STR("*");
}

static bool check_resource(struct arena *arena, struct str text, struct str *why)
{
    static const char *const iam_types[] = {
        "*",           "user/",           "federated-user/", "role/",   "group/",         "instance-profile/",
        "mfa/",        "server-certificate/", "policy/",     "sms-mfa/", "saml-provider/", "oidc-provider/",
        "report/",     "access-report/",  "root", /* of sts:AssumeRoot; the sentence below is older than that */
        NULL };
    struct arn arn;
    if (str_is(text, "*"))
        return true;
    if (str_find(text, ':') < 0) {
        *why = str_printf(arena, "Resource %.*s must be in ARN format or \"*\".", STR_FMT(text));
        return false;
    }
    arn_split(text, &arn);
    if (!partition_known(arn.part[1])) {
        struct str a = shown(arn.part[2]), b = shown(arn.part[3]), c = shown(arn.part[4]), d = shown(arn.part[5]);
        *why = str_printf(arena, "Partition \"%.*s\" is not valid for resource \"arn:%.*s:%.*s:%.*s:%.*s:%.*s\".",
                          STR_FMT(arn.part[1]), STR_FMT(arn.part[1]), STR_FMT(a), STR_FMT(b), STR_FMT(c),
                          STR_FMT(d));
        return false;
    }
    struct str service = arn.part[2], region = arn.part[3];
    if (!service.ptr || str_find(service, '*') >= 0 || str_find(service, '?') >= 0)
        return refuse(why, "Resource vendor must be fully qualified and cannot contain regexes.");
    bool has_region = region.len && !str_is(region, "*");
    if (has_region && (str_is(service, "iam") || str_is(service, "s3"))) {
        *why = str_is(service, "iam")
                   ? str_printf(arena, "IAM resource %.*s cannot contain region information.", STR_FMT(text))
                   : str_printf(arena, "Resource %.*s can not contain region information.", STR_FMT(text));
        return false;
    }
    if (str_is(service, "iam") && arn.part[5].ptr && !starts_with_any(arn.part[5], iam_types))
        return refuse(why, "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, "
                           "group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, "
                           "saml-provider/, oidc-provider/, report/, access-report/.");
    return true;
}

/* Of several bad resources AWS names the one that sorts last. */
static bool check_resources(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)use;
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *one = &policy->statements[i];
        struct str worst = STR_NONE, text;
        for (size_t r = 0; r < one->n_resources; r++)
            if (!check_resource(arena, one->resources[r].text, &text) &&
                (!worst.ptr || str_cmp(one->resources[r].text, worst) > 0)) {
                worst = one->resources[r].text;
                *why = text;
            }
        if (worst.ptr)
            return false;
    }
    return true;
}

/* --- actions --- */

static bool check_action(struct arena *arena, struct str text, struct str *why)
{
    if (str_is(text, "*"))
        return true;
    size_t colons = count(text, ':');
    if (colons == 0)
        return refuse(why, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (colons > 1)
        return refuse(why, "Actions/Condition can contain only one colon.");
    struct str vendor = str_sub(text, 0, (size_t)str_find(text, ':'));
    for (size_t i = 0; i < vendor.len; i++) {
        char c = vendor.ptr[i];
        bool fine = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '.';
        if (!fine) {
            *why = str_printf(arena, "Vendor %.*s is not valid", STR_FMT(vendor));
            return false;
        }
    }
    return true;
}

static bool check_actions(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why)
{
    (void)use;
    for (size_t i = 0; i < policy->n; i++)
        for (size_t a = 0; a < policy->statements[i].n_actions; a++)
            if (!check_action(arena, policy->statements[i].action_texts[a], why))
                return false;
    return true;
}

static bool check_trust_actions(struct arena *arena, enum policy_use use, const struct policy *policy,
                                struct str *why)
{
    static const char *const allowed[] = { "sts:AssumeRole", "sts:AssumeRoleWithSAML",
                                           "sts:AssumeRoleWithWebIdentity", "sts:TagSession",
                                           "sts:SetSourceIdentity", "sts:SetContext" };
    (void)arena, (void)use;
    for (size_t i = 0; i < policy->n; i++) {
        for (size_t a = 0; a < policy->statements[i].n_actions; a++) {
            struct str action = policy->statements[i].action_texts[a];
            bool found = false;
            for (size_t k = 0; k < COUNT(allowed); k++)
                found |= str_eq_nocase(action, str_of(allowed[k]));
            if (!found) /* the two blanks are AWS's */
                return refuse(why, "Trust Policy statement actions can only be sts:AssumeRole, "
                                   "sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity");
        }
    }
    return true;
}
