#include "gateway/ops/domain_rules.h"

#include "core/ip.h"
#include "gateway/domain/security_policy.h"
#include "gateway/state.h"
#include "policy/eval.h"

static gh_err check_types(struct call *call, const json_t *domain);
static gh_err check_certificate(struct call *call, const json_t *domain, const char *member, struct str region);
static gh_err check_certificates(struct call *call, const json_t *domain);
static gh_err check_security(struct call *call, const json_t *domain);
static gh_err check_mutual_tls(struct call *call, const json_t *domain);
static gh_err check_policies(struct call *call, const json_t *domain);

static bool is_label(struct str label)
{
    if (!label.len || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

/* "The wildcard must be the only character in the leftmost label." A name that we answer ourselves
 * would lock its owner out. */
gh_err domain_check_name(struct call *call, struct str name)
{
    const struct gateway *gateway = call->module;
    struct str rest = name, label;
    struct ip ip;
    size_t labels = 0;
    bool good = name.len <= 253, reserved = str_eq(name, gateway->own_host);
    while (str_split(&rest, '.', &label)) {
        good = good && (is_label(label) || (labels == 0 && str_is(label, "*")));
        reserved = reserved || str_is(label, "execute-api") || str_is(label, "lambda-url");
        labels++;
    }
    if (!good || labels < 2 || (labels == 2 && name.ptr[0] == '*') || ip_parse(name, &ip))
        return ops_bad_request(call, "Invalid domain name: %.*s", STR_FMT(name));
    if (reserved || str_ends(name, STR(".localhost")))
        return ops_bad_request(call, "The domain name %.*s is reserved for this server itself", STR_FMT(name));
    return NULL;
}

gh_err domain_check(struct call *call, const json_t *domain)
{
    gh_err err = check_types(call, domain);
    if (!err)
        err = check_certificates(call, domain);
    if (!err)
        err = check_security(call, domain);
    if (!err)
        err = check_mutual_tls(call, domain);
    return err ? err : check_policies(call, domain);
}

/* EDGE and REGIONAL may stand side by side, while a domain migrates from one to the other. */
static gh_err check_types(struct call *call, const json_t *domain)
{
    const json_t *endpoint = json_object_get(domain, "endpointConfiguration");
    const json_t *types = json_object_get(endpoint, "types");
    bool private_ = domain_has_type(domain, "PRIVATE");
    struct str ip = json_str(endpoint, "ipAddressType");
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)types, i, one)
        if (!str_is(json_value_str(one), "EDGE") && !str_is(json_value_str(one), "REGIONAL") &&
            !str_is(json_value_str(one), "PRIVATE"))
            return ops_bad_request(call, "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE");
    if (!json_array_size(types))
        return ops_bad_request(call, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.");
    if (private_ && json_array_size(types) > 1)
        return ops_bad_request(call, "Cannot create a domain name with PRIVATE and another endpoint type.");
    if (!str_is(ip, "ipv4") && !str_is(ip, "dualstack"))
        return ops_bad_request(call, "ipAddressType must be either ipv4 or dualstack.");
    if (private_ && str_is(ip, "ipv4"))
        return ops_bad_request(call, "Only dualstack ipAddressType is supported for Private domain names.");
    return NULL;
}

/* "To use a certificate for an edge-optimized custom domain name, request or import it in us-east-1." */
static gh_err check_certificates(struct call *call, const json_t *domain)
{
    bool edge = domain_has_type(domain, "EDGE"), regional = domain_has_type(domain, "REGIONAL");
    bool has_edge = json_str(domain, "certificateArn").len || json_str(domain, "certificateName").len;
    bool has_regional =
        json_str(domain, "regionalCertificateArn").len || json_str(domain, "regionalCertificateName").len;
    if (has_regional && !regional)
        return ops_bad_request(call, "Cannot import certificates for REGIONAL while %s is active.",
                               edge ? "EDGE" : "PRIVATE");
    if (has_edge && regional && !edge)
        return ops_bad_request(call, "Cannot import certificates for EDGE while REGIONAL is active.");
    if ((regional && !has_regional) || (!regional && !has_edge) || (edge && !has_edge))
        return ops_bad_request(call, "A certificate must be provided for %s: %s",
                               regional && !has_regional ? "REGIONAL" : edge ? "EDGE" : "PRIVATE",
                               regional && !has_regional ? "regionalCertificateArn" : "certificateArn");
    gh_err err = check_certificate(call, domain, "certificateArn", edge ? STR("us-east-1") : call->region);
    return err ? err : check_certificate(call, domain, "regionalCertificateArn", call->region);
}

/* arn:aws:acm:REGION:ACCOUNT:certificate/ID or arn:aws:iam::ACCOUNT:server-certificate/[path/]NAME */
static gh_err check_certificate(struct call *call, const json_t *domain, const char *member, struct str region)
{
    struct str arn = json_str(domain, member), rest = arn, part[5] = { STR_NONE };
    if (!arn.len)
        return NULL;
    for (size_t i = 0; i < COUNT(part); i++)
        str_split(&rest, ':', &part[i]);
    bool acm = str_is(part[2], "acm") && str_starts(rest, STR("certificate/"));
    bool iam = str_is(part[2], "iam") && str_starts(rest, STR("server-certificate/"));
    if (!str_is(part[0], "arn") || (!acm && !iam))
        return ops_bad_request(call, "Invalid certificate ARN: %.*s", STR_FMT(arn));
    if (acm && !str_eq(part[3], region))
        return ops_bad_request(call, "Invalid certificate ARN: %.*s. Certificate must be in '%.*s'.", STR_FMT(arn),
                               STR_FMT(region));
    return NULL;
}

static gh_err check_security(struct call *call, const json_t *domain)
{
    struct str name = json_str(domain, "securityPolicy"), access = json_str(domain, "endpointAccessMode");
    struct str routing = json_str(domain, "routingMode");
    const struct security_policy *policy = security_policy_find(name);
    if (!policy)
        return ops_bad_request(call, "Invalid security policy: %.*s", STR_FMT(name));
    if (policy->missing)
        return ops_bad_request(call, "SecurityPolicy %s is not supported by Gatehouse: it needs %s", policy->name,
                               policy->missing);
    if (policy->enhanced && policy->edge != domain_has_type(domain, "EDGE"))
        return ops_bad_request(call, "SecurityPolicy %s is not for endpoint type %s", policy->name,
                               policy->edge ? "REGIONAL or PRIVATE" : "EDGE");
    if (policy->enhanced && !access.len)
        return ops_bad_request(call, "endpointAccessMode must be set with SecurityPolicy %s", policy->name);
    if (access.len && !str_is(access, "BASIC") && !str_is(access, "STRICT"))
        return ops_bad_request(call, "Invalid endpoint access mode: %.*s. Valid options are BASIC,STRICT",
                               STR_FMT(access));
    if (!str_is(routing, "BASE_PATH_MAPPING_ONLY") && !str_is(routing, "ROUTING_RULE_ONLY") &&
        !str_is(routing, "ROUTING_RULE_THEN_BASE_PATH_MAPPING"))
        return ops_bad_request(call, "Invalid routing mode: %.*s", STR_FMT(routing));
    return NULL;
}

static gh_err check_mutual_tls(struct call *call, const json_t *domain)
{
    const json_t *mutual = json_object_get(domain, "mutualTlsAuthentication");
    bool on = json_str(mutual, "truststoreUri").len > 0;
    if (!on && json_str(mutual, "truststoreVersion").len)
        return ops_bad_request(call, "truststoreVersion needs a truststoreUri");
    if (!on && json_str(domain, "ownershipVerificationCertificateArn").len)
        return ops_bad_request(call, "ownershipVerificationCertificateArn is for mutual TLS only");
    if (!on)
        return NULL;
    if (!domain_has_type(domain, "REGIONAL") || domain_has_type(domain, "EDGE"))
        return ops_bad_request(call, "Mutual TLS authentication is only supported for REGIONAL domain names.");
    if (!str_is(json_str(domain, "securityPolicy"), "TLS_1_2"))
        return ops_bad_request(call, "Mutual TLS authentication is only supported with TLS 1.2.");
    return check_certificate(call, domain, "ownershipVerificationCertificateArn", call->region);
}

static gh_err check_policies(struct call *call, const json_t *domain)
{
    static const char *const members[] = { "policy", "managementPolicy" };
    for (size_t i = 0; i < COUNT(members); i++) {
        struct str text = json_str(domain, members[i]), why;
        if (!text.len)
            continue;
        if (!domain_has_type(domain, "PRIVATE"))
            return ops_bad_request(call, "%s is only supported for PRIVATE domain names.", members[i]);
        if (!policy_check(call->arena, POLICY_RESOURCE, text, &why))
            return ops_bad_request(call, "Invalid policy document. Please check the policy syntax and ensure that "
                                         "Principals are valid. (%.*s)", STR_FMT(why));
    }
    return NULL;
}

/* --- what follows --- */

/* The zones of API Gateway's regional endpoints, from AWS's general reference. */
static const struct {
    const char *region, *zone;
} zones[] = {
    { "us-east-1", "Z1UJRXOUMOOFQ8" },      { "us-east-2", "ZOJJZC49E0EPZ" },
    { "us-west-1", "Z2MUQ32089INYE" },      { "us-west-2", "Z2OJLYMUO9EFXC" },
    { "ca-central-1", "Z19DQILCV0OWEC" },   { "eu-central-1", "Z1U9ULNL0V5AJ3" },
    { "eu-west-1", "ZLY8HYME6SFDD" },       { "eu-west-2", "ZJ5UAJN8Y3Z2Q" },
    { "eu-west-3", "Z3KY65QIEKYHQQ" },      { "eu-north-1", "Z3UWIKFBOOGXPP" },
    { "ap-south-1", "Z3VO1THU9YC4UR" },     { "ap-southeast-1", "ZL327KTPIQFUL" },
    { "ap-southeast-2", "Z2RPCDW04V8134" }, { "ap-northeast-1", "Z1YSHQZHG15GKL" },
    { "ap-northeast-2", "Z20JF4UZKIW1U8" }, { "sa-east-1", "ZCMLWB8V5SYIT" },
};

static struct str zone_of(struct str region)
{
    for (size_t i = 0; i < COUNT(zones); i++)
        if (str_is(region, zones[i].region))
            return str_of(zones[i].zone);
    return str_of(zones[0].zone);
}

void domain_derive(struct call *call, json_t *domain)
{
    bool regional = domain_has_type(domain, "REGIONAL"), edge = domain_has_type(domain, "EDGE");
    if (!edge) {
        json_object_del(domain, "distributionDomainName");
        json_object_del(domain, "distributionHostedZoneId");
    } else if (!json_str(domain, "distributionDomainName").len) {
        json_set_str(domain, "distributionDomainName",
                     str_printf(call->arena, "d%.*s.cloudfront.net", STR_FMT(ops_id(call, 13))));
        json_set_str(domain, "distributionHostedZoneId", STR("Z2FDTNDATAQYW2"));
    }
    if (!regional) {
        json_object_del(domain, "regionalDomainName");
        json_object_del(domain, "regionalHostedZoneId");
    } else if (!json_str(domain, "regionalDomainName").len) {
        json_set_str(domain, "regionalDomainName",
                     str_printf(call->arena, "d-%.*s.execute-api.%.*s.amazonaws.com", STR_FMT(ops_id(call, 10)),
                                STR_FMT(call->region)));
        json_set_str(domain, "regionalHostedZoneId", zone_of(call->region));
    }
    json_set_str(domain, "domainNameArn", domain_arn(call, domain));
    json_set_str(domain, "domainNameStatus", STR("AVAILABLE"));
}
