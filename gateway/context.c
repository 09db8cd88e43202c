/* $context: one table of variables for templates, mappings, gateway responses and access logs. */
#include "gateway/request.h"

static struct str number(struct gw_request *r, int64_t value)
{
    char *end = (char *)arena_alloc(r->arena, 24, 1) + 24, *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    return (struct str){ at, (size_t)(end - at) };
}

static struct str account_id(struct gw_request *r)
{
    return r->snapshot ? r->snapshot->account : STR_NONE;
}
static struct str api_id(struct gw_request *r)
{
    return r->api_id;
}
static struct str stage(struct gw_request *r)
{
    return r->stage;
}
static struct str deployment_id(struct gw_request *r)
{
    return r->snapshot ? r->snapshot->deployment_id : STR_NONE;
}
/* "true" or "false" on a stage with a canary, else absent. */
static struct str is_canary(struct gw_request *r)
{
    if (!r->snapshot || !r->snapshot->has_canary)
        return STR_NONE;
    return r->snapshot->is_canary ? STR("true") : STR("false");
}
static struct str domain_name(struct gw_request *r)
{
    return r->x->host;
}
static struct str domain_prefix(struct gw_request *r)
{
    ptrdiff_t dot = str_find(r->x->host, '.');
    return dot < 0 ? r->x->host : str_sub(r->x->host, 0, (size_t)dot);
}
static struct str request_id(struct gw_request *r)
{
    return r->request_id;
}
static struct str extended_id(struct gw_request *r)
{
    return r->extended_id;
}
static struct str http_method(struct gw_request *r)
{
    return r->http_method;
}
static struct str request_path(struct gw_request *r)
{
    return r->request_path;
}
static struct str protocol(struct gw_request *r)
{
    (void)r;
    return STR("HTTP/1.1");
}
static struct str request_time(struct gw_request *r)
{
    return str_copy(r->arena, str_of(gateway_clock(r->home, r->wall_us)->clf));
}
static struct str request_time_epoch(struct gw_request *r)
{
    return number(r, r->wall_us / 1000);
}
static struct str resource_id(struct gw_request *r)
{
    return r->method ? r->method->resource_id : STR_NONE;
}
static struct str resource_path(struct gw_request *r)
{
    return r->method ? r->method->resource_path : STR_NONE;
}
static struct str source_ip(struct gw_request *r)
{
    return r->x->peer_ip;
}
static struct str user_agent(struct gw_request *r)
{
    return http_header_get(&r->x->headers, "User-Agent");
}
static struct str xray_trace_id(struct gw_request *r)
{
    return r->trace_header;
}

/* --- who calls --- */

static const struct principal *principal(struct gw_request *r)
{
    return r->caller.credential ? &r->caller.credential->principal : NULL;
}
static struct str identity_account(struct gw_request *r)
{
    return principal(r) ? principal(r)->account : STR_NONE;
}
static struct str identity_user(struct gw_request *r)
{
    return principal(r) ? principal(r)->id : STR_NONE;
}
static struct str identity_arn(struct gw_request *r)
{
    return principal(r) ? principal(r)->arn : STR_NONE;
}
static struct str identity_key(struct gw_request *r)
{
    return r->caller.access_key_id;
}
/* Of an identity pool's session: what its keys say. */
static const struct policy_key *cognito_key(struct gw_request *r, struct str name)
{
    const struct credential *who = r->caller.credential;
    return who ? policy_context_find(who->keys, who->n_keys, name) : NULL;
}
static struct str cognito_identity(struct gw_request *r)
{
    const struct policy_key *key = cognito_key(r, STR("cognito-identity.amazonaws.com:sub"));
    return key && key->n ? key->values[0] : STR_NONE;
}
static struct str cognito_pool(struct gw_request *r)
{
    const struct policy_key *key = cognito_key(r, STR("cognito-identity.amazonaws.com:aud"));
    return key && key->n ? key->values[0] : STR_NONE;
}
/* "authenticated", "unauthenticated" */
static struct str cognito_type(struct gw_request *r)
{
    const struct policy_key *key = cognito_key(r, STR("cognito-identity.amazonaws.com:amr"));
    return key && key->n ? key->values[0] : STR_NONE;
}
/* "a comma-separated list of the providers": PROVIDER,PROVIDER:CognitoSignIn:SUB */
static struct str cognito_provider(struct gw_request *r)
{
    const struct policy_key *key = cognito_key(r, STR("cognito-identity.amazonaws.com:amr"));
    struct strbuf list = strbuf_in(r->arena, 256);
    if (!key || key->n < 2)
        return STR_NONE;
    for (size_t i = 1; i < key->n; i++) {
        if (i > 1)
            strbuf_char(&list, ',');
        strbuf_add(&list, key->values[i]);
    }
    return strbuf_view(&list);
}
static struct str api_key(struct gw_request *r)
{
    return r->usage.value;
}
static struct str api_key_id(struct gw_request *r)
{
    return r->usage.key_id;
}
static struct str principal_id(struct gw_request *r)
{
    return r->caller.principal_id;
}

/* --- the connection --- */

static struct str client_pem(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->pem : STR_NONE;
}
static struct str client_subject(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->subject : STR_NONE;
}
static struct str client_issuer(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->issuer : STR_NONE;
}
static struct str client_serial(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->serial : STR_NONE;
}
static struct str client_not_before(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->not_before : STR_NONE;
}
static struct str client_not_after(struct gw_request *r)
{
    return gw_client(r) ? gw_client(r)->not_after : STR_NONE;
}
static struct str tls_version(struct gw_request *r)
{
    return r->x->tls ? str_of(r->x->tls->version) : STR_NONE;
}
static struct str cipher_suite(struct gw_request *r)
{
    return r->x->tls ? str_of(r->x->tls->cipher) : STR_NONE;
}
static struct str base_path_matched(struct gw_request *r)
{
    return r->base_path.len ? r->base_path : r->custom_domain.ptr && !r->routing_rule.ptr ? STR("(none)") : STR_NONE;
}
static struct str routing_rule_matched(struct gw_request *r)
{
    return r->routing_rule;
}

/* --- errors and results --- */

static struct str error_message(struct gw_request *r)
{
    if (!r->failed || r->failure_null)
        return STR_NONE;
    if (r->failure_message.ptr)
        return r->failure_message;
    return str_of(response_kinds[r->failure].message);
}
static struct str error_message_string(struct gw_request *r)
{
    struct str message = error_message(r);
    if (!r->failed)
        return STR_NONE;
    if (!message.ptr)
        return STR("null");
    struct strbuf out = strbuf_in(r->arena, message.len + 8);
    json_quote(&out, message);
    return strbuf_view(&out);
}
static struct str error_type(struct gw_request *r)
{
    return r->failed ? str_of(response_kinds[r->failure].name) : STR_NONE;
}
static struct str validation_error(struct gw_request *r)
{
    /* Between the quotes that the template has: "error": "$context.error.validationErrorString". */
    if (!r->validation_error.ptr)
        return STR_NONE;
    struct strbuf out = strbuf_in(r->arena, r->validation_error.len + 16);
    json_quote(&out, r->validation_error);
    struct str quoted = strbuf_view(&out);
    return str_sub(quoted, 1, quoted.len - 2);
}
static struct str status(struct gw_request *r)
{
    return r->status ? number(r, r->status) : STR_NONE;
}
static struct str response_length(struct gw_request *r)
{
    return number(r, r->reply_bytes);
}
static struct str response_latency(struct gw_request *r)
{
    return number(r, (env_monotonic_us(r->gateway->config.env) - r->x->started_us) / 1000);
}
/* "BUFFERED or STREAMED". The times are from "establishing the integration connection" to "all integration response
 * headers", to "the first content byte"; the latency of a stream is to its end. */
static struct str transfer_mode(struct gw_request *r)
{
    return !r->integrated ? STR_NONE : r->method->integration->stream ? STR("STREAMED") : STR("BUFFERED");
}

static struct str time_to_headers(struct gw_request *r)
{
    return r->answer.headers_us ? number(r, r->answer.headers_us / 1000) : STR_NONE;
}

static struct str time_to_content(struct gw_request *r)
{
    return r->answer.content_us ? number(r, r->answer.content_us / 1000) : STR_NONE;
}

static struct str integration_latency(struct gw_request *r)
{
    return r->integrated ? number(r, r->answer.latency_us / 1000) : STR_NONE;
}
/* "For Lambda proxy integration, the status code returned from Lambda, not from the function". */
static struct str integration_status(struct gw_request *r)
{
    if (!r->integrated || !r->answer.status)
        return STR_NONE;
    return r->method->integration->type == INTEGRATE_AWS_PROXY ? STR("200") : number(r, r->answer.status);
}
static struct str integration_error(struct gw_request *r)
{
    return r->integration_error;
}
static struct str integration_request_id(struct gw_request *r)
{
    return r->answer.request_id;
}
static struct str authorizer_latency(struct gw_request *r)
{
    return r->caller.from_lambda ? number(r, r->caller.integration_latency_ms) : STR_NONE;
}

static const struct {
    const char *name;
    struct str (*get)(struct gw_request *r);
    bool log_only; /* "access logging only" */
} variables[] = {
    { "accountId", account_id },
    { "apiId", api_id },
    { "deploymentId", deployment_id },
    { "domainName", domain_name },
    { "domainPrefix", domain_prefix },
    { "extendedRequestId", extended_id },
    { "httpMethod", http_method },
    { "isCanaryRequest", is_canary },
    { "path", request_path },
    { "protocol", protocol },
    { "requestId", request_id },
    { "requestTime", request_time },
    { "requestTimeEpoch", request_time_epoch },
    { "resourceId", resource_id },
    { "resourcePath", resource_path },
    { "stage", stage },
    { "identity.accessKey", identity_key },
    { "identity.accountId", identity_account },
    { "identity.apiKey", api_key },
    { "identity.apiKeyId", api_key_id },
    { "identity.caller", identity_user },
    { "identity.cognitoAuthenticationProvider", cognito_provider },
    { "identity.cognitoAuthenticationType", cognito_type },
    { "identity.cognitoIdentityId", cognito_identity },
    { "identity.cognitoIdentityPoolId", cognito_pool },
    { "identity.sourceIp", source_ip },
    { "identity.user", identity_user },
    { "identity.userAgent", user_agent },
    { "identity.userArn", identity_arn },
    { "identity.clientCert.clientCertPem", client_pem },
    { "identity.clientCert.subjectDN", client_subject },
    { "identity.clientCert.issuerDN", client_issuer },
    { "identity.clientCert.serialNumber", client_serial },
    { "identity.clientCert.validity.notBefore", client_not_before },
    { "identity.clientCert.validity.notAfter", client_not_after },
    { "customDomain.basePathMatched", base_path_matched, true },
    { "customDomain.routingRuleIdMatched", routing_rule_matched, true },
    { "tlsVersion", tls_version, true },
    { "cipherSuite", cipher_suite, true },
    { "authorizer.principalId", principal_id },
    { "authorizer.integrationLatency", authorizer_latency },
    { "error.message", error_message },
    { "error.messageString", error_message_string },
    { "error.responseType", error_type },
    { "error.validationErrorString", validation_error },
    { "status", status, true },
    { "responseLength", response_length, true },
    { "responseLatency", response_latency, true },
    { "integrationLatency", integration_latency, true },
    { "integration.latency", integration_latency, true },
    { "integrationStatus", integration_status, true },
    { "integration.integrationStatus", integration_status, true },
    { "integration.status", integration_status, true },
    { "integrationErrorMessage", integration_error, true },
    { "integration.error", integration_error, true },
    { "integration.requestId", integration_request_id, true },
    { "integration.responseTransferMode", transfer_mode, true },
    { "integration.timeToAllHeaders", time_to_headers, true },
    { "integration.timeToFirstContent", time_to_content, true },
    { "awsEndpointRequestId", integration_request_id },
    { "authorizer.latency", authorizer_latency, true },
    { "xrayTraceId", xray_trace_id, true },
};

static struct str claim_text(struct gw_request *r, json_t *value)
{
    if (!value)
        return STR_NONE;
    if (json_is_string(value))
        return json_value_str(value);
    if (!json_is_array(value))
        return json_print(r->arena, value);
    struct strbuf out = strbuf_in(r->arena, 64); /* cognito:groups and its like: joined with commas */
    size_t i;
    json_t *one;
    json_array_foreach(value, i, one) {
        if (i)
            strbuf_char(&out, ',');
        strbuf_add(&out, json_is_string(one) ? json_value_str(one) : json_print(r->arena, one));
    }
    return strbuf_view(&out);
}

int gw_context_number(struct str name)
{
    for (size_t i = 0; name.len && i < COUNT(variables); i++)
        if (variables[i].name[0] == name.ptr[0] && str_is(name, variables[i].name))
            return (int)i;
    return -1;
}

struct str gw_context_by_number(struct gw_request *r, int number_of)
{
    return variables[number_of].get(r);
}

struct str gw_context(struct gw_request *r, struct str name)
{
    int known = gw_context_number(name);
    if (known >= 0)
        return variables[known].get(r);
    if (str_starts(name, STR("authorizer.claims.")) && r->caller.claims)
        return claim_text(r, json_at(r->caller.claims, str_from(name, strlen("authorizer.claims."))));
    if (str_starts(name, STR("authorizer.")) && r->caller.context)
        return claim_text(r, json_at(r->caller.context, str_from(name, strlen("authorizer."))));
    return STR_NONE;
}

/* --- the same for templates: found when asked for, a map only where one is needed --- */

/* $context itself (prefix empty) or a part: "identity". */
struct context_part {
    struct gw_request *r;
    struct str prefix; /* with the dot: "identity." */
};

static struct vtl_value part_value(struct gw_request *r, struct str prefix);

static struct vtl_map *overrides(struct gw_request *r, const char *const *groups, size_t n)
{
    struct vtl_map *map = vtl_map_new(r->arena);
    for (size_t i = 0; i < n; i++) {
        struct vtl_map *group = vtl_map_new(r->arena);
        group->write_once = true;
        vtl_map_put(map, str_of(groups[i]), vtl_map_value(group));
    }
    return map;
}

/* Recorded: what a request template overrides can be read in the response template. */
static struct vtl_map *request_override(struct gw_request *r)
{
    static const char *const groups[] = { "header", "path", "querystring" };
    if (!r->request_override)
        r->request_override = overrides(r, groups, COUNT(groups));
    return r->request_override;
}

static struct vtl_map *response_override(struct gw_request *r)
{
    static const char *const groups[] = { "header" };
    if (!r->response_override)
        r->response_override = overrides(r, groups, COUNT(groups));
    return r->response_override;
}

static const json_t *authorizer_values(struct gw_request *r, struct str prefix)
{
    if (str_is(prefix, "authorizer.claims."))
        return r->caller.claims;
    return str_is(prefix, "authorizer.") ? r->caller.context : NULL;
}

/* Does any variable with a value stand below "identity."? */
static bool is_part(struct gw_request *r, struct str prefix)
{
    if (str_is(prefix, "authorizer.claims."))
        return r->caller.claims != NULL;
    if (str_is(prefix, "authorizer.") && (r->caller.claims || r->caller.context))
        return true;
    for (size_t i = 0; i < COUNT(variables); i++)
        if (!variables[i].log_only && variables[i].name[0] == prefix.ptr[0] && str_starts(str_of(variables[i].name), prefix))
            return true;
    return false;
}

static bool part_get(void *self, struct str name, struct vtl_value *out)
{
    const struct context_part *part = self;
    struct gw_request *r = part->r;
    if (!part->prefix.len && (str_is(name, "requestOverride") || str_is(name, "responseOverride"))) {
        *out = vtl_map_value(str_is(name, "requestOverride") ? request_override(r) : response_override(r));
        return true;
    }
    struct str full = part->prefix.len ? str_concat(r->arena, part->prefix, name) : name;
    int number_of = gw_context_number(full);
    if (number_of >= 0 && variables[number_of].log_only)
        return false;
    struct str value = number_of >= 0 ? variables[number_of].get(r) : STR_NONE;
    if (!value.ptr && str_starts(full, STR("authorizer.")))
        value = gw_context(r, full);
    if (value.ptr) {
        *out = vtl_text(value);
        return true;
    }
    struct str below = str_concat(r->arena, full, STR("."));
    if (number_of >= 0 || !is_part(r, below))
        return false;
    *out = part_value(r, below);
    return true;
}

static void put_values(struct gw_request *r, struct vtl_map *map, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        vtl_map_put(map, str_of(name), vtl_text(claim_text(r, value)));
}

static struct vtl_map *part_map(void *self)
{
    const struct context_part *part = self;
    struct gw_request *r = part->r;
    struct vtl_map *map = vtl_map_new(r->arena);
    put_values(r, map, authorizer_values(r, part->prefix));
    if (str_is(part->prefix, "authorizer.") && r->caller.claims)
        vtl_map_put(map, STR("claims"), part_value(r, STR("authorizer.claims.")));
    for (size_t i = 0; i < COUNT(variables); i++) {
        struct str name = str_of(variables[i].name), rest = str_from(name, part->prefix.len);
        if (variables[i].log_only || !str_starts(name, part->prefix))
            continue;
        ptrdiff_t dot = str_find(rest, '.');
        struct str value = variables[i].get(r), key = dot < 0 ? rest : str_sub(rest, 0, (size_t)dot);
        if (value.ptr && dot < 0)
            vtl_map_put(map, key, vtl_text(value));
        else if (value.ptr && !vtl_map_find(map, key))
            vtl_map_put(map, key, part_value(r, str_sub(name, 0, part->prefix.len + (size_t)dot + 1)));
    }
    if (!part->prefix.len) {
        vtl_map_put(map, STR("requestOverride"), vtl_map_value(request_override(r)));
        vtl_map_put(map, STR("responseOverride"), vtl_map_value(response_override(r)));
    }
    map->read_only = true;
    return map;
}

static bool part_call(void *self, struct vtl_run *run, struct str name, const struct vtl_value *args, size_t n,
                      struct vtl_value *out)
{
    (void)self;
    (void)run;
    (void)name;
    (void)args;
    (void)n;
    (void)out;
    return false; /* a map's methods, then */
}

static const struct vtl_class part_class = { "$context", part_get, part_call, part_map };

static struct vtl_value part_value(struct gw_request *r, struct str prefix)
{
    struct context_part *part = ARENA_NEW(r->arena, struct context_part);
    *part = (struct context_part){ r, prefix };
    return (struct vtl_value){ .kind = VTL_OBJECT, .object = { &part_class, part } };
}

struct vtl_value gw_context_map(struct gw_request *r)
{
    return part_value(r, STR(""));
}
