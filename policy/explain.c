#include "policy/eval.h"

static void add(struct strbuf *buf, struct str a, struct str b)
{
    strbuf_add(buf, a);
    strbuf_add(buf, b);
}

static void add_number(struct strbuf *buf, unsigned number)
{
    char digits[12];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    strbuf_add(buf, (struct str){ digits + at, sizeof digits - at });
}

struct str policy_reason(struct arena *arena, const struct policy_request *request,
                         const struct policy_decision *decision)
{
    struct strbuf buf = strbuf_in(arena, 128); /* built without printf: every signed request has one */
    if (decision->effect == POLICY_IMPLICIT_DENY) {
        add(&buf, STR("no "), decision->policy_type);
        add(&buf, STR(" allows "), request->action);
        return strbuf_view(&buf);
    }
    if (decision->statement < 0) { /* no policy was asked: root */
        add(&buf, STR("allowed: "), decision->policy_type);
        return strbuf_view(&buf);
    }
    add(&buf, decision->effect == POLICY_ALLOW ? STR("allowed") : STR("denied"), STR(" by statement "));
    add_number(&buf, (unsigned)decision->statement + 1);
    if (decision->sid.len) {
        add(&buf, STR(" (Sid "), decision->sid);
        strbuf_char(&buf, ')');
    }
    add(&buf, STR(" of "), decision->policy_type);
    add(&buf, STR(" "), decision->policy_name);
    add(&buf, STR(", line "), STR(""));
    add_number(&buf, (unsigned)decision->at.line);
    add(&buf, STR(" column "), STR(""));
    add_number(&buf, (unsigned)decision->at.column);
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
