/* Which answers of a method are kept, how long, and under which key. */
#include "gateway/compile/compile.h"

#include "gateway/cache/caches.h"
#include "gateway/options.h"

static const char *const verbs[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" };

/* "cacheClusterSize": what the stage asks for; 0: the stage has no cache. */
static size_t cache_size(const json_t *settings)
{
    struct str size = json_str(settings, "cacheClusterSize");
    return json_flag(settings, "cacheClusterEnabled", false) ? caches_size_of(size.len ? size : STR("0.5")) : 0;
}

bool compile_stage_cache(struct compiler *c)
{
    struct snapshot *s = c->snapshot;
    struct str claims = option_text(c->settings, "cacheVaryByClaims"), one;
    struct str size = json_str(c->settings, "cacheClusterSize");
    if (size.len && !caches_size_of(size))
        return compile_fail(c, "cacheClusterSize '%.*s' is not known", STR_FMT(size));
    s->caching.bytes = cache_size(c->settings);
    s->caching.etag = option_flag(c->settings, "cacheETag");
    s->caching.age = option_flag(c->settings, "cacheAge");
    s->caching.stale_s = (int)option_count(c->settings, "cacheStaleWhileRevalidate", 0);
    s->caching.claims = ARENA_ARRAY(c->arena, struct str, claims.len + 1);
    while (claims.ptr && str_split(&claims, ',', &one))
        if ((one = str_trim(one)).len)
            s->caching.claims[s->caching.n_claims++] = compile_copy(c, one);
    return true;
}

/* Values of these go into keys as a hash: keys are shown in traces. */
static bool is_secret(struct str name)
{
    static const char *const names[] = { "authorization", "cookie", "token", "key", "secret", "password" };
    char lower[64];
    size_t len = name.len < sizeof lower ? name.len : sizeof lower;
    for (size_t i = 0; i < len; i++)
        lower[i] = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_find_str((struct str){ lower, len }, str_of(names[i])) >= 0)
            return true;
    return false;
}

/* "method.request.{location}.name", or "integration.request.{location}.name" by way of its mapping. */
static bool compile_parameter(struct compiler *c, const json_t *integration, struct str name, struct gw_cache_param *out)
{
    struct str source = name;
    if (str_starts(name, STR("integration.request."))) {
        source = json_value_str(json_at(json_object_get(integration, "requestParameters"), name));
        if (!source.ptr)
            return compile_fail(c, "cache key parameter '%.*s' is not mapped", STR_FMT(name));
    }
    out->name = compile_copy(c, name);
    out->secret = is_secret(source);
    return compile_source(c, source, &out->source);
}

/* "Only GET methods have caching enabled by default. You can enable caching for other methods by overriding
 * method settings": what stands for all methods is GET's. */
static void compile_rule(struct compiler *c, struct str path, struct str verb, bool any, struct gw_cache_plan *plan)
{
    json_t *own = compile_method_setting(c, path, verb);
    if (!own && any)
        own = compile_method_setting(c, path, STR("ANY"));
    json_t *all = json_object_get(json_object_get(c->settings, "methodSettings"), "*/*");
    const json_t *setting = own ? own : str_is(verb, "GET") ? all : NULL;
    int ttl_s = (int)json_i64(setting, "cacheTtlInSeconds", 300);
    if (!json_flag(setting, "cachingEnabled", false) || ttl_s == 0) /* "TTL=0 means caching is disabled" */
        return;
    struct str strategy = json_str(setting, "unauthorizedCacheControlHeaderStrategy");
    plan->rules[plan->n_rules++] = (struct gw_cache_rule){
        .verb = compile_copy(c, verb),
        .ttl_s = ttl_s,
        .sealed = json_flag(setting, "cacheDataEncrypted", false),
        .requires_permission = json_flag(setting, "requireAuthorizationForCacheControl", true),
        .refusal = str_is(strategy, "FAIL_WITH_403")                    ? CACHE_REFUSAL_403
                   : str_is(strategy, "SUCCEED_WITHOUT_RESPONSE_HEADER") ? CACHE_REFUSAL_SILENT
                                                                         : CACHE_REFUSAL_WARNS,
    };
}

static bool varies_by_accept(const struct snapshot *s, const struct gw_integration *in)
{
    if (s->n_binary_types > 0) /* whether the answer is binary depends on it */
        return true;
    for (size_t i = 0; i < in->n_responses; i++)
        if (in->responses[i].templates.n > 1)
            return true;
    return false;
}

bool compile_method_cache(struct compiler *c, const json_t *resource, const json_t *integration,
                          struct gw_method *method)
{
    struct gw_cache_plan *plan = ARENA_NEW(c->arena, struct gw_cache_plan);
    bool any = str_is(method->http_method, "ANY");
    json_t *names = json_object_get(integration, "cacheKeyParameters"), *name;
    struct str space = json_str(integration, "cacheNamespace");
    size_t i;
    if (!c->snapshot->caching.bytes || !integration)
        return true;
    plan->rules = ARENA_ARRAY(c->arena, struct gw_cache_rule, COUNT(verbs));
    for (i = 0; i < COUNT(verbs); i++)
        if (any || str_is(method->http_method, verbs[i]))
            compile_rule(c, method->resource_path, str_of(verbs[i]), any, plan);
    plan->name_space = compile_copy(c, space.len ? space : json_str(resource, "id"));
    plan->params = ARENA_ARRAY(c->arena, struct gw_cache_param, json_array_size(names) + 1);
    json_array_foreach(names, i, name)
        if (!compile_parameter(c, integration, json_value_str(name), &plan->params[plan->n_params++]))
            return false;
    plan->by_accept = varies_by_accept(c->snapshot, method->integration);
    /* "Response streaming doesn't support integration response caching": a stream goes by. */
    method->cache = plan->n_rules && !method->integration->stream ? plan : NULL;
    return true;
}
