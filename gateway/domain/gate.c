/* Who may enter a custom domain at all: mutual TLS, the name in the handshake, private domains. */
#include "core/ip.h"
#include "gateway/domain/domain.h"

static bool is_private_address(struct str text)
{
    struct ip ip;
    return ip_parse(text, &ip) && ip_scope(&ip) != IP_PUBLIC && ip_scope(&ip) != IP_SPECIAL;
}

/* "You must create an access association between your VPC endpoint and the private custom domain name."
 * There are no VPC endpoints here: whoever comes from a private address comes by way of each endpoint
 * that has access, and the policy is asked with that endpoint as aws:SourceVpce. */
static bool policy_allows(const struct domain *domain, const struct domain_visit *visit, struct str endpoint,
                          struct arena *arena)
{
    struct policy_context context = policy_context_in(arena);
    policy_context_add_request(&context, visit->now_s, visit->peer_ip, visit->user_agent, visit->referer,
                               visit->tls != NULL, domain->region);
    policy_context_add(&context, "aws:SourceVpce", endpoint);
    policy_context_add(&context, "aws:VpcSourceIp", visit->peer_ip);
    const struct policy_request ask = {
        .action = STR("execute-api:Invoke"),
        .resource = str_printf(arena, "arn:%.*s:execute-api:%.*s:%.*s:/domainnames/%.*s+%.*s", STR_FMT(visit->partition),
                               STR_FMT(domain->region), STR_FMT(domain->account), STR_FMT(domain->name),
                               STR_FMT(domain->id)),
        .keys = context.keys,
        .n_keys = context.n,
    };
    struct policy_decision decision;
    return policy_set_decide(arena, domain->policy, "resource-based policy", &ask, &decision) == POLICY_ALLOW;
}

static const char *private_turns_away(const struct domain *domain, const struct domain_visit *visit,
                                      struct arena *arena)
{
    if (!is_private_address(visit->peer_ip))
        return "the domain is private, and the client's address is not";
    if (!domain->n_endpoints)
        return "the domain is private and has no access association";
    if (!domain->policy)
        return "the domain is private and its policy allows nobody";
    for (size_t i = 0; i < domain->n_endpoints; i++)
        if (policy_allows(domain, visit, domain->endpoints[i], arena))
            return NULL;
    return "the policy of the private domain does not allow the client";
}

const char *domain_turns_away(const struct domain *domain, const struct domain_visit *visit, struct arena *arena)
{
    const struct tls_peer *tls = visit->tls;
    if (domain->mutual_tls) {
        if (!tls)
            return "the domain asks for client certificates, and the request came without TLS";
        /* The handshake was with another name: what it proved is not for this one. */
        if (!str_eq(tls->site, domain->name))
            return "the TLS handshake was for another name than this domain's";
        if (!tls->verified)
            return tls->refusal ? tls->refusal : "the connection was made without a client certificate";
    }
    if (domain->strict && (!tls || !str_eq(tls->server_name, visit->host)))
        return "endpointAccessMode is STRICT: the TLS handshake must name the host that is asked for";
    return domain->is_private ? private_turns_away(domain, visit, arena) : NULL;
}
