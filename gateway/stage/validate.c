/* A request validator's required parameters: "Missing required request parameters: [a, b]", recorded. */
#include "gateway/request.h"

static struct str value_of(struct gw_request *r, const struct gw_mapping *wanted)
{
    switch (wanted->place) {
    case TO_HEADER:
        return gw_header_last(&r->x->headers, wanted->name);
    case TO_QUERY:
        return gw_query_last(r, wanted->name);
    default:
        return gw_path_param(r, wanted->name);
    }
}

static enum gw_next validate_enter(struct gw_request *r)
{
    struct strbuf missing = { 0 };
    for (size_t i = 0; i < r->method->n_required; i++) {
        if (value_of(r, &r->method->required[i]).len)
            continue;
        if (!missing.ptr)
            missing = strbuf_in(r->arena, 128);
        else
            strbuf_add(&missing, STR(", "));
        strbuf_add(&missing, r->method->required[i].name);
    }
    if (!missing.ptr)
        return GW_NEXT;
    return gw_fail_text(r, RESPONSE_BAD_REQUEST_PARAMETERS,
                        str_printf(r->arena, "Missing required request parameters: [%s]", strbuf_view(&missing).ptr));
}

const struct gw_step step_validate = { "validate", validate_enter, NULL };
