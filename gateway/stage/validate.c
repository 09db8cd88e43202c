/* A request validator: required parameters, then the body against its model. "If API Gateway cannot validate …, it
 * immediately fails the request, returns a 400 error response". */
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

/* "Missing required request parameters: [a, b]", recorded. */
static enum gw_next check_parameters(struct gw_request *r)
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
    r->validation_error = str_printf(r->arena, "Missing required request parameters: [%s]", strbuf_view(&missing).ptr);
    return gw_fail_text(r, RESPONSE_BAD_REQUEST_PARAMETERS, r->validation_error);
}

/* "If no matching content type is found, request validation is not performed. To use the same model regardless of
 * the content type, set the content type … to $default." A request without one has application/json. */
static const struct gw_model *pick_model(struct gw_request *r)
{
    struct str type = gw_mime(r, http_header_get(&r->x->headers, "Content-Type"));
    const struct gw_model *otherwise = NULL;
    for (size_t i = 0; i < r->method->n_models; i++) {
        if (str_eq(r->method->models[i].type, type))
            return &r->method->models[i];
        if (str_is(r->method->models[i].type, "$default"))
            otherwise = &r->method->models[i];
    }
    return otherwise;
}

static enum gw_next bad_body(struct gw_request *r, struct str errors)
{
    r->validation_error = errors;
    trace_note(&r->trace, "body does not fit", errors);
    return gw_fail(r, RESPONSE_BAD_REQUEST_BODY);
}

static enum gw_next check_body(struct gw_request *r)
{
    static struct jt_object no_members;
    static const struct jt empty = { .kind = JT_OBJECT, .object = &no_members };
    const struct gw_model *model = pick_model(r);
    if (!model)
        return GW_NEXT;
    trace_note(&r->trace, "model", model->name);
    const struct jt *body = r->body.len ? gw_body_json(r) : &empty; /* "no body counts as {}" */
    if (!body)
        return bad_body(r, STR("[the body is no JSON]"));
    struct str errors = STR_NONE;
    switch (jsonschema_check(model->schema, body, r->body.len, r->arena, &errors)) {
    case JSONSCHEMA_VALID:
        return GW_NEXT;
    case JSONSCHEMA_LOOP:
        return gw_misconfigured(r, "model refers to itself without end", model->name);
    default:
        return bad_body(r, errors);
    }
}

static enum gw_next validate_enter(struct gw_request *r)
{
    enum gw_next next = check_parameters(r);
    return next == GW_NEXT && r->method->n_models ? check_body(r) : next;
}

const struct gw_step step_validate = { "validate", validate_enter, NULL };
