/* Integrations: what stands behind a method. */
#include "core/uri.h"
#include "gateway/ops/mapping.h"
#include "gateway/ops/pass_role.h"
#include "gateway/ops/patch.h"
#include "gateway/publish.h"

enum { LONGEST_TIMEOUT_MS = 24 * 3600 * 1000 };

static gh_err put(struct draft *draft, const struct apigw_PutIntegration_in *in, json_t **out);
static gh_err check(struct draft *draft, const json_t *method, const json_t *integration);
static gh_err check_transfer(struct call *call, const json_t *integration);
static gh_err check_uri(struct call *call, struct str type, struct str uri);
static gh_err check_connection(struct call *call, const json_t *integration);
static gh_err check_cache_keys(struct call *call, const json_t *method, const json_t *integration);
static gh_err patch_uri(struct patch *patch);
static gh_err patch_tls(struct patch *patch);

static const struct patch_row rows[] = {
    { "/uri", PATCH_REPLACE, patch_uri },
    { "/httpMethod", PATCH_REPLACE, patch_string },
    { "/credentials", PATCH_REPLACE, patch_text },
    { "/connectionType", PATCH_REPLACE, patch_string },
    { "/connectionId", PATCH_REPLACE, patch_text },
    { "/contentHandling", PATCH_REPLACE, patch_text },
    { "/passthroughBehavior", PATCH_REPLACE, patch_string },
    { "/timeoutInMillis", PATCH_REPLACE, patch_integer },
    { "/cacheNamespace", PATCH_REPLACE, patch_string },
    { "/cacheKeyParameters/*", PATCH_CHANGE, patch_key_in_list },
    { "/requestParameters/*", PATCH_CHANGE, patch_string_entry, "Invalid parameter name specified" },
    { "/requestTemplates/*", PATCH_CHANGE, patch_template_entry, "Content-Type specified was not found" },
    { "/tlsConfig/insecureSkipVerification", PATCH_REPLACE, patch_tls },
    { "/responseTransferMode", PATCH_REPLACE, patch_string },
    { "/integrationTarget", PATCH_REPLACE, patch_text },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

gh_err apigw_PutIntegration(struct call *call, const struct apigw_PutIntegration_in *in,
                            struct apigw_PutIntegration_out *out)
{
    struct draft draft;
    json_t *integration = NULL;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = put(&draft, in, &integration);
    return draft_answer(&draft, err, integration, out);
}

gh_err apigw_GetIntegration(struct call *call, const struct apigw_GetIntegration_in *in,
                            struct apigw_GetIntegration_out *out)
{
    json_t *api;
    struct method_ref at;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = integration_find(call, api, in->resource_id, in->http_method, &at);
    return err ? err : ops_answer(call, at.integration, out);
}

gh_err apigw_UpdateIntegration(struct call *call, const struct apigw_UpdateIntegration_in *in,
                               struct apigw_UpdateIntegration_out *out)
{
    struct draft draft;
    struct method_ref at = { 0 };
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = integration_find(call, draft.api, in->resource_id, in->http_method, &at);
    struct str role = err ? STR_NONE : str_copy(call->arena, json_str(at.integration, "credentials"));
    if (!err)
        err = patch_apply(&rules, call->arena, at.integration, &in->patch_operations, NULL);
    if (!err)
        err = ops_check_pass_role(call, json_str(at.integration, "credentials"), role);
    if (!err && !json_object_get(at.integration, "cacheKeyParameters"))
        json_object_set_new(at.integration, "cacheKeyParameters", json_array());
    if (!err)
        err = check(&draft, at.method, at.integration);
    return draft_answer(&draft, err, at.integration, out);
}

gh_err apigw_DeleteIntegration(struct call *call, const struct apigw_DeleteIntegration_in *in,
                               struct apigw_DeleteIntegration_out *out)
{
    (void)out;
    struct draft draft;
    struct method_ref at;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = integration_find(call, draft.api, in->resource_id, in->http_method, &at);
    if (!err)
        json_object_del(at.method, "methodIntegration");
    return draft_close(&draft, err);
}

static bool is_type(struct str type, const char *one, const char *other)
{
    return str_is(type, one) || str_is(type, other);
}

static gh_err put(struct draft *draft, const struct apigw_PutIntegration_in *in, json_t **out)
{
    static const char *const members[] = { "type",
                                           "httpMethod",
                                           "uri",
                                           "connectionType",
                                           "connectionId",
                                           "tlsConfig",
                                           "integrationTarget",
                                           "credentials",
                                           "requestParameters",
                                           "requestTemplates",
                                           "passthroughBehavior",
                                           "contentHandling",
                                           "timeoutInMillis",
                                           "responseTransferMode",
                                           "cacheNamespace",
                                           "cacheKeyParameters" };
    struct call *call = draft->call;
    struct method_ref at;
    gh_err err = method_find(call, draft->api, in->resource_id, in->http_method, &at);
    if (err)
        return err;
    json_t *one = *out = ops_given(call, in, members, COUNT(members));
    if (str_is(in->type, "MOCK")) { /* recorded: a mock shows neither */
        json_object_del(one, "httpMethod");
        json_object_del(one, "uri");
    }
    if (is_type(in->type, "HTTP", "HTTP_PROXY") && !in->connection_type.ptr)
        json_set_str(one, "connectionType", STR("INTERNET"));
    if (!in->passthrough_behavior.ptr)
        json_set_str(one, "passthroughBehavior", STR("WHEN_NO_MATCH"));
    if (!in->timeout_in_millis.set)
        json_set_i64(one, "timeoutInMillis", 29000);
    if (!in->cache_namespace.ptr)
        json_set_str(one, "cacheNamespace", in->resource_id);
    if (!in->cache_key_parameters.set)
        json_object_set_new(one, "cacheKeyParameters", json_array());
    if (!err)
        err = ops_check_pass_role(call, in->credentials, STR_NONE);
    if (err || (err = check(draft, at.method, one)))
        return err;
    json_object_set(at.method, "methodIntegration", one);
    return NULL;
}

static gh_err check(struct draft *draft, const json_t *method, const json_t *integration)
{
    struct call *call = draft->call;
    struct str type = json_str(integration, "type"),
               passthrough = json_str(integration, "passthroughBehavior");
    gh_err err = NULL;
    if (!str_is(type, "MOCK") && str_empty(json_str(integration, "httpMethod")))
        return ops_bad_request(call, "Enumeration value for HttpMethod must be non-empty");
    if ((err = check_uri(call, type, json_str(integration, "uri"))))
        return err;
    if (!str_is(passthrough, "WHEN_NO_MATCH") && !str_is(passthrough, "WHEN_NO_TEMPLATES") &&
        !str_is(passthrough, "NEVER"))
        return ops_bad_request(call, "Invalid passthroughBehavior specified. Valid options are "
                                     "WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER");
    if ((err = check_transfer(call, integration)))
        return err;
    if (json_object_get(integration, "tlsConfig") && !is_type(type, "HTTP", "HTTP_PROXY"))
        return ops_bad_request(call, "TlsConfig is supported only for HTTP and HTTP_PROXY integrations");
    if ((err = check_connection(call, integration)))
        return err;
    if ((err = mapping_request_check(call, json_object_get(integration, "requestParameters"), method)))
        return err;
    if ((err = content_types_check(call, json_object_get(integration, "requestTemplates"))))
        return err;
    return check_cache_keys(call, method, integration);
}

/* "The maximum integration timeout is 29 seconds", "when you use response streaming, you can configure the
 * integration timeout up to 15 minutes", "only for HTTP_PROXY or AWS_PROXY". Ours by default: no such maximum. */
static gh_err check_transfer(struct call *call, const json_t *integration)
{
    struct str mode = json_str(integration, "responseTransferMode");
    bool stream = str_is(mode, "STREAM");
    int64_t timeout = json_i64(integration, "timeoutInMillis", 29000);
    int64_t longest = stream ? 900000 : gateway_aws_limits(call->module) ? 29000 : LONGEST_TIMEOUT_MS;
    if (mode.len && !stream && !str_is(mode, "BUFFERED"))
        return ops_bad_request(call, "Invalid responseTransferMode specified. Valid options are BUFFERED,STREAM");
    if (stream && !is_type(json_str(integration, "type"), "HTTP_PROXY", "AWS_PROXY"))
        return ops_bad_request(call, "Response transfer mode STREAM is only supported for HTTP_PROXY and AWS_PROXY "
                                     "integrations");
    if (timeout < 50 || timeout > longest)
        return ops_bad_request(call, "Timeout should be between 50 ms and %lld ms", (long long)longest);
    return NULL;
}

/* arn:aws:apigateway:{region}:{subdomain.service|service}:path|action/{service_api}. Services
 * without an endpoint here are kept, but not deployed (gateway/backend/service.c). */
static gh_err check_arn(struct call *call, struct str type, struct str uri)
{
    struct str rest = uri, part[5] = { STR_NONE };
    for (size_t i = 0; i < COUNT(part); i++)
        str_split(&rest, ':', &part[i]);
    if (!str_is(part[0], "arn") || !rest.ptr)
        return ops_bad_request(call, "Invalid ARN specified in the request");
    if (!str_is(part[2], "apigateway") ||
        (!str_starts(rest, STR("path/")) && !str_starts(rest, STR("action/"))))
        return ops_bad_request(call, "AWS ARN for integration must contain path or action");
    bool function = str_is(part[4], "lambda") && (str_starts(rest, STR("path/2015-03-31/functions/")) ||
                                                  str_starts(rest, STR("path/2021-11-15/functions/")));
    if (str_is(type, "AWS_PROXY") && !function && !(str_is(part[4], "firehose") && str_starts(rest, STR("action/"))))
        return ops_bad_request(call,
                               "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
                               "Firehose stream invocations.");
    return NULL;
}

/* Stage variables may stand anywhere: "https://${stageVariables.url}/{proxy}". */
static gh_err check_uri(struct call *call, struct str type, struct str uri)
{
    struct uri parsed;
    if (is_type(type, "AWS", "AWS_PROXY"))
        return check_arn(call, type, uri);
    if (str_is(type, "MOCK"))
        return NULL;
    bool http = str_starts_nocase(uri, STR("http://")) || str_starts_nocase(uri, STR("https://"));
    bool variable = str_find_str(uri, STR("${stageVariables.")) >= 0;
    if (variable ? http || str_starts(uri, STR("${")) : http && uri_parse(call->arena, uri, &parsed))
        return NULL;
    return ops_bad_request(call, "Invalid HTTP endpoint specified for URI");
}

static gh_err check_connection(struct call *call, const json_t *integration)
{
    struct str type = json_str(integration, "connectionType");
    if (str_is(type, "VPC_LINK") && str_empty(json_str(integration, "connectionId")))
        return ops_bad_request(
            call, "ConnectionId should be set to the vpcLinkId or stage variable on connection type "
                  "VPC_LINK");
    if (!str_is(type, "VPC_LINK") && json_str(integration, "integrationTarget").len)
        return ops_bad_request(call, "IntegrationTarget is only supported on connection type VPC_LINK");
    return NULL;
}

/* "Valid values are those declared in the method's requestParameters", or mapped ones. */
static gh_err check_cache_keys(struct call *call, const json_t *method, const json_t *integration)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(integration, "cacheKeyParameters"), i, key) {
        struct str name = json_value_str(key);
        if (!json_at(json_object_get(method, "requestParameters"), name) &&
            !json_at(json_object_get(integration, "requestParameters"), name))
            return ops_bad_request(call, "Invalid cache key parameter specified");
    }
    return NULL;
}

static gh_err patch_tls(struct patch *patch)
{
    json_t *config = child_object(patch->target, "tlsConfig");
    json_set_flag(config, "insecureSkipVerification", str_is(patch->value, "true"));
    return NULL;
}

static gh_err patch_uri(struct patch *patch)
{
    if (str_is(json_str(patch->target, "type"), "MOCK"))
        return patch_bad_path(patch);
    return patch_string(patch);
}
