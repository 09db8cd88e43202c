/* A deployment's documents become a snapshot. What the data plane would not enforce is refused by
 * name here, before the deployment is stored. */
#include "gateway/compile/compile.h"
#include "core/tls.h"

#include <stdlib.h>

#include "gateway/cache/cache.h"
#include "gateway/gateway_response.h"
#include "gateway/options.h"
#include "gateway/pipeline.h"
#include "gateway/request.h"
#include "gateway/watch.h"

bool compile_fail(struct compiler *c, const char *fmt, ...)
{
    if (!c->why.ptr) {
        va_list args;
        va_start(args, fmt);
        struct str text = str_vprintf(c->scratch, fmt, args);
        va_end(args);
        c->why = c->place.ptr ? str_printf(c->scratch, "%.*s: %.*s", STR_FMT(c->place), STR_FMT(text)) : text;
    }
    return false;
}

struct str compile_copy(struct compiler *c, struct str text)
{
    return text.ptr ? str_copy(c->arena, text) : STR_NONE;
}

struct str compile_variables(struct compiler *c, struct str text)
{
    static const char open[] = "${stageVariables.";
    struct strbuf out = strbuf_in(c->arena, text.len + 64);
    ptrdiff_t at;
    while ((at = str_find_str(text, str_of(open))) >= 0) {
        struct str rest = str_from(text, (size_t)at + strlen(open));
        ptrdiff_t end = str_find(rest, '}');
        if (end < 0)
            break;
        strbuf_add(&out, str_sub(text, 0, (size_t)at));
        strbuf_add(&out, snapshot_variable(c->snapshot, str_sub(rest, 0, (size_t)end)));
        text = str_from(rest, (size_t)end + 1);
    }
    strbuf_add(&out, text);
    return strbuf_view(&out);
}

/* --- the stage --- */

/* "Stage variables for the canary release can override production release stage variables"; those that
 * are not overridden hold [recorded]. */
static json_t *variables_of(struct compiler *c)
{
    json_t *variables = json_object_get(c->settings, "variables");
    if (!c->base)
        return variables;
    json_t *merged = json_own(c->scratch, json_object());
    json_object_update(merged, variables);
    json_object_update(merged,
                       json_object_get(json_object_get(c->settings, "canarySettings"), "stageVariableOverrides"));
    return merged;
}

static void compile_stage_variables(struct compiler *c)
{
    json_t *variables = variables_of(c), *value;
    const char *name;
    struct snapshot *s = c->snapshot;
    struct vtl_map *map = vtl_map_new(c->arena);
    s->variables = ARENA_ARRAY(c->arena, struct gw_pair, json_object_size(variables) + 1);
    json_object_foreach(variables, name, value) {
        struct gw_pair pair = { compile_copy(c, str_of(name)), compile_copy(c, json_value_str(value)) };
        if (!pair.value.ptr)
            continue;
        s->variables[s->n_variables++] = pair;
        vtl_map_put(map, pair.name, vtl_text(pair.value));
    }
    map->read_only = true;
    s->variable_map = vtl_map_value(map);
}

/* "Per-API, per-stage throttling limits are applied at the API method level for a stage. You can
 * configure the same settings for all methods, or configure different throttle settings for each
 * method": what is set for all of them is the limit of each that has no setting of its own.
 * -1 is how SDKs say "no limit". */
static void compile_bucket(struct compiler *c, const json_t *own, struct gw_method *method)
{
    const json_t *setting = own ? own : json_object_get(json_object_get(c->settings, "methodSettings"), "*/*");
    json_t *rate = json_object_get(setting, "throttlingRateLimit");
    json_t *burst = json_object_get(setting, "throttlingBurstLimit");
    bool has_rate = json_is_number(rate), has_burst = json_is_number(burst);
    if ((!has_rate && !has_burst) || (has_rate && json_number_value(rate) < 0) ||
        (has_burst && json_number_value(burst) < 0))
        return;
    method->bucket = ARENA_NEW(c->arena, struct bucket);
    method->bucket_is_default = !own;
    bucket_init(method->bucket, has_rate ? json_number_value(rate) : 10000,
                has_burst ? (int64_t)json_number_value(burst) : 5000);
}

/* Keys are "pets/{id}/GET", the root's "/GET"; "~1" may still stand for a slash. */
json_t *compile_method_setting(struct compiler *c, struct str path, struct str verb)
{
    json_t *settings = json_object_get(c->settings, "methodSettings"), *value;
    const char *key;
    struct str want = str_printf(c->scratch, "%.*s/%.*s", STR_FMT(str_from(path, 1)), STR_FMT(verb));
    json_object_foreach(settings, key, value) {
        struct strbuf plain = strbuf_in(c->scratch, 64);
        for (const char *p = key; *p; p++) {
            if (p[0] == '~' && p[1] == '1') {
                strbuf_char(&plain, '/');
                p++;
            } else {
                strbuf_char(&plain, *p);
            }
        }
        struct str got = strbuf_view(&plain);
        if (got.len > 1 && got.ptr[0] == '/' && want.ptr[0] != '/')
            got = str_from(got, 1);
        if (str_eq(got, want))
            return value;
    }
    return NULL;
}

/* A method's own setting, else that of all methods. */
static const json_t *observed(struct compiler *c, const json_t *own, const char *name)
{
    const json_t *value = json_object_get(own, name);
    const json_t *all = json_object_get(json_object_get(c->settings, "methodSettings"), "*/*");
    return value ? value : json_object_get(all, name);
}

static void compile_observation(struct compiler *c, const json_t *own, struct gw_method *method)
{
    struct str level = json_value_str(observed(c, own, "loggingLevel"));
    method->log_level = str_is(level, "INFO")    ? LOGGING_INFO
                        : str_is(level, "ERROR") ? LOGGING_ERROR
                                                 : LOGGING_OFF;
    method->log_data = json_is_true(observed(c, own, "dataTraceEnabled"));
    method->detailed_metrics = json_is_true(observed(c, own, "metricsEnabled"));
}

static bool is_name(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || strchr("._-", ch);
}

/* "$context.x only": everything else is text. */
static void compile_log_format(struct compiler *c, struct str format)
{
    struct snapshot *s = c->snapshot;
    s->log_parts = ARENA_ARRAY(c->arena, struct gw_log_part, format.len / 9 + 2);
    struct str prefix = STR("$context.");
    for (;;) {
        ptrdiff_t at = str_find_str(format, prefix);
        struct gw_log_part *part = &s->log_parts[s->n_log_parts++];
        part->text = at < 0 ? format : str_sub(format, 0, (size_t)at);
        if (at < 0)
            return;
        struct str rest = str_from(format, (size_t)at + prefix.len);
        size_t len = 0;
        while (len < rest.len && is_name(rest.ptr[len]))
            len++;
        while (len && rest.ptr[len - 1] == '.')
            len--;
        part->variable = str_sub(rest, 0, len);
        part->number = gw_context_number(part->variable);
        format = str_from(rest, len);
    }
}

static void compile_access_log(struct compiler *c)
{
    const json_t *settings = json_object_get(c->settings, "accessLogSettings");
    struct str format = json_str(settings, "format");
    if (!format.ptr && !json_str(settings, "destinationArn").ptr)
        return;
    c->snapshot->access_log = true;
    c->snapshot->log_destination = compile_copy(c, json_str(settings, "destinationArn"));
    if (c->base && c->snapshot->log_destination.len) /* "The canary release access log group name has the suffix" */
        c->snapshot->log_destination = str_concat(c->arena, c->snapshot->log_destination, STR("/Canary"));
    compile_log_format(c, compile_copy(c, format.ptr ? format : STR("$context.requestId")));
}

/* --- gateway responses --- */

static bool compile_gateway_responses(struct compiler *c)
{
    const char *name;
    json_t *json;
    json_object_foreach(json_object_get(c->api, "gatewayResponses"), name, json) {
        c->place = str_printf(c->scratch, "gateway response %s", name);
        int type = response_type_of(str_of(name));
        if (type < 0)
            return compile_fail(c, "no such response type");
        struct gw_gateway_response *out = &c->snapshot->responses[type];
        int64_t status = 0;
        struct str code = json_str(json, "statusCode");
        if (code.len && !str_i64(code, &status))
            return compile_fail(c, "statusCode '%.*s' is no number", STR_FMT(code));
        out->configured = true;
        out->status = (int)status;
        if (!compile_mappings(c, json_object_get(json, "responseParameters"), "gatewayresponse.", &out->mappings) ||
            !compile_plain_templates(c, json_object_get(json, "responseTemplates"), &out->templates))
            return false;
    }
    c->place = STR_NONE;
    return true;
}

/* --- methods --- */

static bool compile_scopes(struct compiler *c, const json_t *json, struct gw_method *method)
{
    json_t *scopes = json_object_get(json, "authorizationScopes"), *one;
    size_t i;
    method->scopes = ARENA_ARRAY(c->arena, struct str, json_array_size(scopes) + 1);
    json_array_foreach(scopes, i, one)
        method->scopes[method->n_scopes++] = compile_copy(c, json_value_str(one));
    return true;
}

static bool compile_authorization(struct compiler *c, const json_t *json, struct gw_method *method)
{
    struct str type = json_str(json, "authorizationType");
    if (!type.ptr || str_is(type, "NONE"))
        return true;
    if (str_is(type, "AWS_IAM")) {
        method->authorization = AUTH_IAM;
        return true;
    }
    if (!str_is(type, "CUSTOM") && !str_is(type, "COGNITO_USER_POOLS") && !str_is(type, "JWT"))
        return compile_fail(c, "authorizationType %.*s is not known", STR_FMT(type));
    struct str id = json_str(json, "authorizerId");
    method->authorizer = compile_find_authorizer(c, id);
    if (!method->authorizer)
        return compile_fail(c, "authorizer '%.*s' is missing", STR_FMT(id));
    method->authorization = method->authorizer->kind;
    if ((method->authorization == AUTH_COGNITO) != str_is(type, "COGNITO_USER_POOLS") ||
        (method->authorization == AUTH_JWT) != str_is(type, "JWT"))
        return compile_fail(c, "authorizationType %.*s does not fit the authorizer's type", STR_FMT(type));
    return compile_scopes(c, json, method);
}

static bool compile_method(struct compiler *c, const json_t *resource, struct str verb, const json_t *json)
{
    struct snapshot *s = c->snapshot;
    struct gw_method *method = &s->methods[s->n_methods++];
    json_t *responses = json_object_get(json, "methodResponses"), *one;
    const char *key, *why = "";
    method->snapshot = s;
    method->http_method = compile_copy(c, verb);
    method->resource_id = compile_copy(c, json_str(resource, "id"));
    method->resource_path = compile_copy(c, json_str(resource, "path"));
    c->place = str_printf(c->scratch, "%.*s %.*s", STR_FMT(verb), STR_FMT(method->resource_path));
    method->needs_key = json_flag(json, "apiKeyRequired", false);
    const json_t *setting = compile_method_setting(c, method->resource_path, verb);
    compile_bucket(c, setting, method);
    compile_observation(c, setting, method);
    method->statuses = ARENA_ARRAY(c->arena, int, json_object_size(responses) + 1);
    json_object_foreach(responses, key, one)
        method->statuses[method->n_statuses++] = atoi(key);
    const json_t *integration = json_object_get(json, "methodIntegration");
    if (!compile_authorization(c, json, method) || !compile_validator(c, json, method) ||
        (integration && !compile_integration(c, integration, method)) ||
        !compile_method_cache(c, resource, integration, method))
        return false;
    pipeline_compile(method);
    return route_add(s->routes, method->resource_path, verb, method, &why) || compile_fail(c, "%s", why);
}

/* What the API's own OPTIONS methods say of CORS goes on the gateway's errors as well. */
static void learn_cors(struct compiler *c, const struct gw_method *method)
{
    struct snapshot *s = c->snapshot;
    if (!str_is(method->http_method, "OPTIONS") || !method->integration)
        return;
    for (size_t i = 0; i < method->integration->n_responses; i++) {
        const struct gw_mappings *m = &method->integration->responses[i].mappings;
        for (size_t k = 0; k < m->n; k++) {
            if (m->items[k].source.kind != SOURCE_STATIC)
                continue;
            struct str name = m->items[k].name, value = m->items[k].source.name;
            if (str_eq_nocase(name, STR("Access-Control-Allow-Origin")))
                s->cors_origin = value;
            if (str_eq_nocase(name, STR("Access-Control-Allow-Headers")))
                s->cors_headers = value;
            if (str_eq_nocase(name, STR("Access-Control-Allow-Methods")))
                s->cors_methods = value;
        }
    }
}

static bool compile_methods(struct compiler *c)
{
    json_t *resources = json_object_get(c->api, "resources"), *resource, *json;
    const char *id, *verb;
    size_t n = 0;
    json_object_foreach(resources, id, resource)
        n += json_object_size(json_object_get(resource, "resourceMethods"));
    c->snapshot->methods = ARENA_ARRAY(c->arena, struct gw_method, n + 1);
    json_object_foreach(resources, id, resource) {
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, json) {
            if (!compile_method(c, resource, str_of(verb), json))
                return false;
            learn_cors(c, &c->snapshot->methods[c->snapshot->n_methods - 1]);
        }
    }
    route_seal(c->arena, c->snapshot->routes);
    c->place = STR_NONE;
    return true;
}

static void let_go(void *identity)
{
    tls_identity_unref(identity);
}

/* What would have to be enforced here and is not yet; and the certificate that backends are shown. */
static bool refuse_unbuilt(struct compiler *c)
{
    if (json_str(c->settings, "webAclArn").len)
        return compile_fail(c, "web ACLs are not enforced yet");
    struct str certificate = json_str(c->settings, "clientCertificateId");
    if (certificate.len && !c->source->certificate)
        return compile_fail(c, "there is no client certificate '%.*s'", STR_FMT(certificate));
    c->snapshot->certificate = tls_identity_ref(c->source->certificate);
    if (c->snapshot->certificate)
        arena_defer(c->arena, let_go, c->snapshot->certificate);
    return true;
}

static void compile_api(struct compiler *c)
{
    json_t *binary = json_object_get(c->api, "binaryMediaTypes"), *one;
    struct snapshot *s = c->snapshot;
    size_t i;
    s->key_from_authorizer = str_is(json_str(c->api, "apiKeySource"), "AUTHORIZER");
    s->api_name = compile_copy(c, json_str(c->api, "name"));
    struct str endpoint = json_value_str(json_array_get(json_object_get(json_object_get(c->api, "endpointConfiguration"), "types"), 0));
    s->edge = !endpoint.len || str_is(endpoint, "EDGE");
    s->min_compression = json_i64(c->api, "minimumCompressionSize", -1);
    s->binary_types = ARENA_ARRAY(c->arena, struct str, json_array_size(binary) + 1);
    json_array_foreach(binary, i, one)
        s->binary_types[s->n_binary_types++] = str_lower(c->arena, json_value_str(one));
    s->arn_prefix = str_printf(c->arena, "arn:%.*s:execute-api:%.*s:%.*s:%.*s/%.*s/", STR_FMT(s->partition),
                               STR_FMT(s->region), STR_FMT(s->account), STR_FMT(s->api_id), STR_FMT(s->stage));
}

static bool compile_all(struct compiler *c)
{
    compile_api(c);
    compile_stage_variables(c);
    compile_access_log(c);
    c->snapshot->rate_limit_headers = str_is(option_text(c->settings, "rateLimitHeaders"), "draft");
    c->snapshot->record = option_flag(c->settings, "recordRequests");
    c->snapshot->routes = route_new(c->arena);
    return refuse_unbuilt(c) && compile_stage_cache(c) && compile_policy(c) && compile_authorizers(c) &&
           compile_gateway_responses(c) && compile_methods(c);
}

static struct snapshot *compile_one(const struct stage_source *source, struct snapshot *base, struct str partition,
                                    struct arena *scratch, struct str *why)
{
    struct arena *arena = arena_new(16 * 1024);
    struct snapshot *s = ARENA_NEW(arena, struct snapshot);
    struct compiler c = { .snapshot = s, .arena = arena, .scratch = scratch, .settings = source->settings,
                          .source = source, .base = base,
                          .api = base ? source->canary_api : source->api };
    s->arena = arena;
    atomic_init(&s->references, 1);
    s->account = str_copy(arena, source->account);
    s->region = str_copy(arena, source->region);
    s->partition = str_copy(arena, partition);
    s->api_id = str_copy(arena, source->api_id);
    s->stage = str_copy(arena, source->stage);
    s->deployment_id = str_copy(arena, base ? source->canary_deployment_id : source->deployment_id);
    s->is_canary = base != NULL;
    s->has_canary = source->canary_api != NULL;
    s->watch = watch_compile(arena, source->settings, s->is_canary);
    if (compile_all(&c))
        return s;
    *why = c.why;
    snapshot_unref(s);
    return NULL;
}

struct snapshot *snapshot_compile(const struct stage_source *source, struct str partition, struct arena *scratch,
                                  struct str *why)
{
    struct snapshot *s = compile_one(source, NULL, partition, scratch, why);
    if (!s || !source->canary_api)
        return s;
    json_t *settings = json_object_get(source->settings, "canarySettings");
    s->canary_share = json_number_value(json_object_get(settings, "percentTraffic")) / 100;
    s->canary = compile_one(source, s, partition, scratch, why);
    if (!s->canary) {
        *why = str_printf(scratch, "canary: %.*s", STR_FMT(*why));
        snapshot_unref(s);
        return NULL;
    }
    s->canary->canary_uses_cache = json_flag(settings, "useStageCache", false);
    return s;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return;
    snapshot_unref(snapshot->canary);
    cache_unref(snapshot->cache);
    arena_free(snapshot->arena);
}

struct str snapshot_variable(const struct snapshot *snapshot, struct str name)
{
    for (size_t i = 0; i < snapshot->n_variables; i++)
        if (str_eq(snapshot->variables[i].name, name))
            return snapshot->variables[i].value;
    return STR_NONE;
}

/* "image/png", "image/<star>" and "<star>/<star>", without parameters. */
bool snapshot_is_binary(const struct snapshot *snapshot, struct str content_type)
{
    ptrdiff_t semicolon = str_find(content_type, ';');
    if (semicolon >= 0)
        content_type = str_sub(content_type, 0, (size_t)semicolon);
    content_type = str_trim(content_type);
    for (size_t i = 0; i < snapshot->n_binary_types; i++) {
        struct str type = snapshot->binary_types[i];
        if (str_is(type, "*/*") || (content_type.len && str_eq_nocase(type, content_type)))
            return true;
        if (content_type.len && str_ends(type, STR("/*")) &&
            str_starts_nocase(content_type, str_sub(type, 0, type.len - 1)))
            return true;
    }
    return false;
}
