/* May this API be called from here, and by this name?
 *
 * "disableExecuteApiEndpoint: Specifies whether clients can invoke your API by using the default
 * execute-api endpoint": then only a custom domain leads to it. A PRIVATE API is for callers inside of
 * the network; ours are private networks' and this machine's addresses, since there are no VPC
 * endpoints. AWS answers both with 403 Forbidden. */
#include "core/ip.h"
#include "gateway/stage/stage.h"

static bool from_inside(const struct gw_request *r)
{
    struct ip ip;
    return ip_parse(r->x->peer_ip, &ip) && ip_scope(&ip) != IP_PUBLIC && ip_scope(&ip) != IP_SPECIAL;
}

bool stage_reachable(struct gw_request *r)
{
    if (r->snapshot->default_endpoint_off && !r->custom_domain.ptr) {
        trace_note(&r->trace, "not reachable", STR("disableExecuteApiEndpoint: only a custom domain leads here"));
        return false;
    }
    if (r->snapshot->private_only && !from_inside(r)) {
        trace_note(&r->trace, "not reachable", STR("the API is PRIVATE, and the caller's address is not"));
        return false;
    }
    return true;
}
