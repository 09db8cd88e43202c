#include "gateway/ops/mapping.h"

static const char *const method_locations[] = { "path", "querystring", "header", NULL };
static const char *const method_sources[] = {
    "path", "querystring", "header", "multivaluequerystring", "multivalueheader", NULL
};
static const char *const response_sources[] = { "header", "multivalueheader", NULL };
static const char *const header_only[] = { "header", NULL };

static bool is_parameter(struct str text, const char *prefix, const char *const *locations);

static gh_err bad_expression(struct call *call, struct str expression)
{
    return ops_bad_request(call,
                           "Invalid mapping expression specified: Validation Result: warnings : [], "
                           "errors : [Invalid mapping expression specified: %.*s]",
                           STR_FMT(expression));
}

static gh_err bad_parameter(struct call *call, struct str expression)
{
    return ops_bad_request(call,
                           "Invalid mapping expression specified: Validation Result: warnings : [], "
                           "errors : [Invalid mapping expression parameter specified: %.*s]",
                           STR_FMT(expression));
}

gh_err mapping_names_check(struct call *call, const json_t *parameters, const char *prefix,
                           const char *const *locations)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)parameters, name, value)
        if (!is_parameter(str_of(name), prefix, locations))
            return bad_expression(call, str_of(name));
    return NULL;
}

/* "A static value is enclosed with a pair of single quotes"; context and stage variables go anywhere. */
static bool is_common_source(struct str source)
{
    return (source.len >= 2 && source.ptr[0] == '\'' && source.ptr[source.len - 1] == '\'') ||
           str_starts(source, STR("context.")) || str_starts(source, STR("stageVariables."));
}

static bool is_body(struct str source, const char *prefix)
{
    struct str rest = str_from(source, strlen(prefix));
    return str_starts(source, str_of(prefix)) && (!rest.len || rest.ptr[0] == '.' || rest.ptr[0] == '[');
}

gh_err mapping_request_check(struct call *call, const json_t *parameters, const json_t *method)
{
    const char *name;
    json_t *value;
    gh_err err = mapping_names_check(call, parameters, "integration.request", method_locations);
    if (err)
        return err;
    json_object_foreach((json_t *)parameters, name, value) {
        struct str source = json_value_str(value);
        if (is_common_source(source) || is_body(source, "method.request.body"))
            continue;
        if (!is_parameter(source, "method.request", method_sources))
            return bad_expression(call, source);
        /* method.request.multivalueheader.X is declared as method.request.header.X */
        struct str rest = str_from(source, strlen("method.request."));
        struct str declared = source;
        if (str_starts(rest, STR("multivalue")))
            declared = str_concat(call->arena, STR("method.request."), str_from(rest, strlen("multivalue")));
        if (!json_at(json_object_get(method, "requestParameters"), declared))
            return bad_parameter(call, source);
    }
    return NULL;
}

gh_err mapping_response_check(struct call *call, const json_t *parameters, const json_t *method_response)
{
    const char *name;
    json_t *value;
    if (!json_object_size(parameters))
        return NULL;
    gh_err err = mapping_names_check(call, parameters, "method.response", header_only);
    if (err)
        return err;
    if (!method_response)
        return ops_bad_request(call,
                               "Invalid mapping expression specified: Validation Result: warnings : [], "
                               "errors : [No method response exists for method.]");
    json_object_foreach((json_t *)parameters, name, value) {
        struct str source = json_value_str(value);
        if (!json_object_get(json_object_get(method_response, "responseParameters"), name))
            return bad_parameter(call, str_of(name));
        if (!is_common_source(source) && !is_body(source, "integration.response.body") &&
            !is_parameter(source, "integration.response", response_sources))
            return bad_expression(call, source);
    }
    return NULL;
}

gh_err mapping_gateway_check(struct call *call, const json_t *parameters)
{
    const char *name;
    json_t *value;
    gh_err err = mapping_names_check(call, parameters, "gatewayresponse", header_only);
    if (err)
        return err;
    json_object_foreach((json_t *)parameters, name, value) {
        struct str source = json_value_str(value);
        if (!is_common_source(source) && !is_parameter(source, "method.request", method_sources))
            return bad_expression(call, source);
    }
    return NULL;
}

gh_err content_types_check(struct call *call, const json_t *by_type)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)by_type, name, value) {
        struct str type = str_of(name);
        ptrdiff_t slash = str_find(type, '/');
        if (!str_is(type, "$default") && (slash < 1 || (size_t)slash + 1 == type.len))
            return ops_bad_request(
                call, "Validation Result: warnings : [], errors : [Invalid content type specified: %s]",
                name);
    }
    return NULL;
}

/* "^[a-zA-Z0-9._$-]+$" is what names may be made of. */
static bool is_parameter(struct str text, const char *prefix, const char *const *locations)
{
    struct str rest = text, location;
    size_t skip = strlen(prefix);
    if (!str_starts(text, str_of(prefix)) || text.len <= skip || text.ptr[skip] != '.')
        return false;
    rest = str_from(text, skip + 1);
    if (!str_split(&rest, '.', &location) || str_empty(rest))
        return false;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');
        if (!c || (!letter && !strchr("._$-", c)))
            return false;
    }
    for (; *locations; locations++)
        if (str_is(location, *locations))
            return true;
    return false;
}
