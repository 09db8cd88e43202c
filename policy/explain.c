#include "policy/eval.h"

struct str policy_reason(struct arena *arena, const struct policy_request *request,
                         const struct policy_decision *decision)
{
    struct strbuf buf = strbuf_in(arena, 128);
    if (decision->effect == POLICY_IMPLICIT_DENY) {
        strbuf_printf(&buf, "no %.*s allows %.*s", STR_FMT(decision->policy_type), STR_FMT(request->action));
        return strbuf_view(&buf);
    }
    if (decision->statement < 0) { /* no policy was asked: root */
        strbuf_printf(&buf, "allowed: %.*s", STR_FMT(decision->policy_type));
        return strbuf_view(&buf);
    }
    strbuf_printf(&buf, "%s by statement %d", decision->effect == POLICY_ALLOW ? "allowed" : "denied",
                  decision->statement + 1);
    if (decision->sid.len)
        strbuf_printf(&buf, " (Sid %.*s)", STR_FMT(decision->sid));
    strbuf_printf(&buf, " of %.*s %.*s", STR_FMT(decision->policy_type), STR_FMT(decision->policy_name));
    return strbuf_view(&buf);
}

struct str policy_denial(struct arena *arena, const struct policy_request *request,
                         const struct policy_decision *decision)
{
    struct strbuf buf = strbuf_in(arena, 256);
    struct str who = request->principal_arn.ptr ? request->principal_arn : STR("anonymous");
    struct str what = request->shown_resource.ptr ? request->shown_resource : request->resource;
    struct str type = decision->policy_type;
    strbuf_printf(&buf, "User: %.*s is not authorized to perform: %.*s", STR_FMT(who), STR_FMT(request->action));
    if (what.ptr)
        strbuf_printf(&buf, " on resource: %.*s", STR_FMT(what));
    if (decision->effect == POLICY_EXPLICIT_DENY) {
        const char *article = str_is(type, "role trust policy")       ? "the"
                              : str_is(type, "identity-based policy") ? "an"
                                                                      : "a";
        strbuf_printf(&buf, " with an explicit deny in %s %.*s", article, STR_FMT(type));
    } else {
        strbuf_printf(&buf, " because no %.*s allows the %.*s action", STR_FMT(type), STR_FMT(request->action));
    }
    return strbuf_view(&buf);
}
