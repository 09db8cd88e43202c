#include "gateway/ops/method_setting.h"

/* The table that AWS prints, as it prints it. */
static const char must_be_one_of[] =
    "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, "
    "/accessLogSettings, "
    "/accessLogSettings/destinationArn, /accessLogSettings/format, "
    "/{resourcePath}/{httpMethod}/metrics/enabled, "
    "/{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, "
    "/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit"
    "/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, "
    "/{resourcePath}/{httpMethod}/caching/dataEncrypted, "
    "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
    "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, "
    "/*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit "
    "/*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, "
    "/*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, "
    "/variables/{variable_name}, /tracingEnabled]";

enum setting_kind { SETTING_FLAG, SETTING_COUNT, SETTING_RATE, SETTING_TEXT };

/* `off`: the only value that is true while nothing enforces the others; NULL: enforced. */
static const struct {
    const char *suffix, *member;
    enum setting_kind kind;
    const char *off;
} settings[] = {
    { "/metrics/enabled", "metricsEnabled", SETTING_FLAG, "false" },
    { "/logging/loglevel", "loggingLevel", SETTING_TEXT, "OFF" },
    { "/logging/dataTrace", "dataTraceEnabled", SETTING_FLAG, "false" },
    { "/throttling/burstLimit", "throttlingBurstLimit", SETTING_COUNT, NULL },
    { "/throttling/rateLimit", "throttlingRateLimit", SETTING_RATE, NULL },
    { "/caching/enabled", "cachingEnabled", SETTING_FLAG, "false" },
    { "/caching/ttlInSeconds", "cacheTtlInSeconds", SETTING_COUNT, "300" },
    { "/caching/dataEncrypted", "cacheDataEncrypted", SETTING_FLAG, "false" },
    { "/caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl", SETTING_FLAG,
      "true" },
    { "/caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy",
      SETTING_TEXT, "SUCCEED_WITH_RESPONSE_HEADER" },
};

static struct str entry_name(struct patch *patch);
static json_t *entry(struct patch *patch);
static gh_err set_number(struct patch *patch, json_t *entry, const char *member, enum setting_kind kind);

gh_err method_setting_patch(struct patch *patch)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        if (!str_ends(patch->path, str_of(settings[i].suffix)))
            continue;
        if (settings[i].off && !str_eq_nocase(patch->value, str_of(settings[i].off)))
            return patch_not_built(patch);
        json_t *one = entry(patch);
        if (settings[i].kind == SETTING_FLAG)
            json_set_flag(one, settings[i].member, str_eq_nocase(patch->value, STR("true")));
        else if (settings[i].kind == SETTING_TEXT)
            json_set_str(one, settings[i].member, patch->value);
        else
            return set_number(patch, one, settings[i].member, settings[i].kind);
        return NULL;
    }
    return patch_bad_path(patch);
}

static gh_err nothing_to_remove(struct patch *patch)
{
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Cannot remove method setting %.*s because there is no method setting for this method ",
                   STR_FMT(str_from(patch->path, 1)));
}

gh_err method_setting_remove(struct patch *patch)
{
    json_t *all = json_object_get(patch->target, "methodSettings");
    struct str name = entry_name(patch);
    if (!json_at(all, name))
        return nothing_to_remove(patch);
    json_object_deln(all, name.ptr, name.len);
    return NULL;
}

gh_err method_setting_refuse(struct patch *patch)
{
    struct str path = patch->path.ptr ? patch->path : STR("null");
    if (patch->op == PATCH_REMOVE && path.len && path.ptr[0] == '/')
        return nothing_to_remove(patch);
    if (patch->op == PATCH_COPY)
        return gh_fail(
            patch->arena, &apigw_BadRequestException,
            "Invalid copy operation with path: %.*s and from %.*s. Valid copy:path are [/deploymentId, "
            "/variables] and valid copy:from are [/canarySettings/deploymentId, "
            "/canarySettings/stageVariableOverrides]",
            STR_FMT(path), STR_FMT(patch->from));
    if (str_starts(path, STR("/accessLogSettings")))
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, "
                       "/accessLogSettings/format]");
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Invalid method setting path: %.*s. Must be one of: %s", STR_FMT(path), must_be_one_of);
}

/* "/~1pets~1{id}/GET/…" is the entry "pets/{id}/GET", "/~1/GET/…" is "/GET", "/…/…" with stars is all. */
static struct str entry_name(struct patch *patch)
{
    struct str resource = patch->key;
    if (resource.len && resource.ptr[0] == '/')
        resource = str_from(resource, 1);
    return str_printf(patch->arena, "%.*s/%.*s", STR_FMT(resource), STR_FMT(patch->key2));
}

/* "A new entry starts from the values of all methods at that time; later changes do not touch it" [recorded].
 */
static json_t *entry(struct patch *patch)
{
    json_t *all = json_object_get(patch->target, "methodSettings");
    struct str name = entry_name(patch);
    json_t *found = json_at(all, name), *base = json_object_get(all, "*/*");
    if (found)
        return found;
    if (base) {
        found = json_copy(base);
    } else {
        found = json_object();
        json_set_flag(found, "metricsEnabled", false);
        json_set_flag(found, "dataTraceEnabled", false);
        json_set_i64(found, "throttlingBurstLimit", 5000);
        json_object_set_new(found, "throttlingRateLimit", json_real(10000.0));
        json_set_flag(found, "cachingEnabled", false);
        json_set_i64(found, "cacheTtlInSeconds", 300);
        json_set_flag(found, "cacheDataEncrypted", false);
        json_set_flag(found, "requireAuthorizationForCacheControl", true);
        json_set_str(found, "unauthorizedCacheControlHeaderStrategy", STR("SUCCEED_WITH_RESPONSE_HEADER"));
    }
    json_object_setn_new(all, name.ptr, name.len, found);
    return found;
}

static gh_err set_number(struct patch *patch, json_t *one, const char *member, enum setting_kind kind)
{
    const char *text = str_c(patch->arena, patch->value);
    char *end = NULL;
    double number = *text ? strtod(text, &end) : -1;
    bool whole = kind != SETTING_COUNT || number == (double)(int64_t)number;
    /* -1 is how the SDKs say "no limit of its own" */
    if (!end || *end || !(number >= -1 && number <= 1e9) || !whole)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %.*s: %s",
                       STR_FMT(patch->path), text);
    json_object_set_new(one, member,
                        kind == SETTING_COUNT ? json_integer((json_int_t)number) : json_real(number));
    return NULL;
}
