#include "identity/pools/pool.h"

static struct str place(struct call *call, const char *list, struct str pool)
{
    return str_printf(call->arena, "page/%s/%.*s/%.*s", list, STR_FMT(call->account), STR_FMT(pool));
}

struct str page_token(struct call *call, const char *list, struct str pool, struct str last)
{
    return seal(call->sealer, call->arena, place(call, list, pool), last);
}

gh_err page_open(struct call *call, const char *list, struct str pool, struct str token, struct str *after)
{
    *after = STR_NONE;
    if (!token.ptr || unseal(call->sealer, call->arena, place(call, list, pool), token, after))
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid pagination token given.");
}
