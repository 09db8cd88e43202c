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

enum setting_kind { SETTING_FLAG, SETTING_COUNT, SETTING_RATE, SETTING_TTL, SETTING_TEXT };

static const struct {
    const char *suffix, *member;
    enum setting_kind kind;
    double max;          /* COUNT, RATE */
    const char *choices; /* TEXT: "A|B" */
} settings[] = {
    { "/metrics/enabled", "metricsEnabled", SETTING_FLAG },
    { "/logging/loglevel", "loggingLevel", SETTING_TEXT, .choices = "OFF|ERROR|INFO" },
    { "/logging/dataTrace", "dataTraceEnabled", SETTING_FLAG },
    { "/throttling/burstLimit", "throttlingBurstLimit", SETTING_COUNT, .max = 1e9 },
    { "/throttling/rateLimit", "throttlingRateLimit", SETTING_RATE, .max = 1e9 },
    { "/caching/enabled", "cachingEnabled", SETTING_FLAG },
    { "/caching/ttlInSeconds", "cacheTtlInSeconds", SETTING_TTL, .max = 3600 },
    { "/caching/dataEncrypted", "cacheDataEncrypted", SETTING_FLAG },
    { "/caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl", SETTING_FLAG },
    { "/caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy", SETTING_TEXT,
      .choices = "FAIL_WITH_403|SUCCEED_WITH_RESPONSE_HEADER|SUCCEED_WITHOUT_RESPONSE_HEADER" },
};

static struct str entry_name(struct patch *patch);
static json_t *entry(struct patch *patch);
static gh_err set_number(struct patch *patch, json_t *one, size_t which);
static gh_err set_text(struct patch *patch, json_t *one, size_t which);

gh_err method_setting_patch(struct patch *patch)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        if (!str_ends(patch->path, str_of(settings[i].suffix)))
            continue;
        json_t *one = entry(patch);
        if (settings[i].kind == SETTING_FLAG)
            json_set_flag(one, settings[i].member, str_eq_nocase(patch->value, STR("true")));
        else if (settings[i].kind == SETTING_TEXT)
            return set_text(patch, one, i);
        else
            return set_number(patch, one, i);
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
    if (patch->op == PATCH_ADD && patch->row && !str_starts(path, STR("/accessLogSettings")))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid add operation with path: %.*s", STR_FMT(path));
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

static gh_err set_number(struct patch *patch, json_t *one, size_t which)
{
    const char *text = str_c(patch->arena, patch->value.ptr ? patch->value : STR(""));
    char *end = NULL;
    enum setting_kind kind = settings[which].kind;
    double number = *text ? strtod(text, &end) : -1;
    bool whole = kind == SETTING_RATE || number == (double)(int64_t)number;
    /* -1 is how the SDKs say "no limit of its own" */
    bool fits = end && !*end && number >= (kind == SETTING_TTL ? 0 : -1) && number <= settings[which].max && whole;
    if (!fits && kind == SETTING_TTL)
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid time-to-live setting, must be an integer no greater than 3600");
    if (!fits)
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %.*s: %s",
                       STR_FMT(patch->path), text);
    json_object_set_new(one, settings[which].member,
                        kind == SETTING_RATE ? json_real(number) : json_integer((json_int_t)number));
    return NULL;
}

static gh_err set_text(struct patch *patch, json_t *one, size_t which)
{
    struct str all = str_of(settings[which].choices), choice;
    while (str_split(&all, '|', &choice)) {
        if (!str_eq(choice, patch->value))
            continue;
        json_set_str(one, settings[which].member, patch->value);
        return NULL;
    }
    return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %.*s: %.*s. Must be one of: %s",
                   STR_FMT(patch->path), STR_FMT(patch->value), settings[which].choices);
}
