/* "Cache-Control: max-age=0": "The client receives the response directly from the integration endpoint
 * instead of the cache, provided that the client is authorized to do so."
 *
 * "To grant permission for a client, attach a policy to an IAM execution role for the user": the
 * permission execute-api:InvalidateCache is asked of who signed the request, together with the API's
 * resource policy. Who did not sign has it by the resource policy alone, whatever an authorizer says of
 * him. "If you don't impose an InvalidateCache policy, any client can invalidate". */
#include "gateway/stage/cache.h"

static bool asks(struct gw_request *r)
{
    for (size_t i = 0; i < r->x->headers.n; i++) {
        struct str rest = r->x->headers.items[i].value, one;
        if (r->x->headers.items[i].name.len != 13 || !str_eq_nocase(r->x->headers.items[i].name, STR("Cache-Control")))
            continue;
        while (str_split(&rest, ',', &one))
            if (str_eq_nocase(str_trim(one), STR("max-age=0")))
                return true;
    }
    return false;
}

static bool may(struct gw_request *r, struct cache_wish_case *of)
{
    of->request = stage_policy_request(r, true);
    of->request.action = STR("execute-api:InvalidateCache");
    const struct policy_set *resource = r->snapshot->policy;
    if (r->caller.credential || resource)
        return stage_decide(r, r->caller.credential, resource, &of->request, &of->decision);
    of->decision = (struct policy_decision){ .effect = POLICY_IMPLICIT_DENY, .statement = -1 };
    trace_note(&r->trace, "policy", policy_reason(r->arena, &of->request, &of->decision));
    return false;
}

enum cache_wish stage_cache_wish(struct gw_request *r, const struct gw_cache_rule *rule, struct cache_wish_case *of)
{
    if (!asks(r))
        return CACHE_WISH_NONE;
    return !rule->requires_permission || may(r, of) ? CACHE_WISH_GRANTED : CACHE_WISH_REFUSED;
}
