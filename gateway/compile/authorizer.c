#include "gateway/compile/compile.h"

#include "gateway/options.h"

static bool compile_identity(struct compiler *c, const json_t *json, struct gw_authorizer *out)
{
    struct str sources = json_str(json, "identitySource"), one;
    out->identity = ARENA_ARRAY(c->arena, struct gw_source, 17);
    if (!sources.len && out->kind == AUTH_COGNITO)
        sources = STR("method.request.header.Authorization");
    while (sources.len && str_split(&sources, ',', &one)) {
        one = str_trim(one);
        if (!one.len)
            continue;
        if (out->n_identity == 16)
            return compile_fail(c, "more than 16 identity sources");
        if (!compile_source(c, one, &out->identity[out->n_identity++]))
            return false;
    }
    bool header = out->n_identity == 1 && out->identity[0].kind == SOURCE_HEADER;
    if (out->kind != AUTH_LAMBDA_REQUEST && !header)
        return compile_fail(c, "identitySource must be one request header");
    return true;
}

static bool compile_pools(struct compiler *c, const json_t *json, struct gw_authorizer *out)
{
    json_t *arns = json_object_get(json, "providerARNs"), *one;
    size_t i;
    out->pool_arns = ARENA_ARRAY(c->arena, struct str, json_array_size(arns) + 1);
    json_array_foreach(arns, i, one)
        out->pool_arns[out->n_pool_arns++] = compile_copy(c, json_value_str(one));
    return out->n_pool_arns > 0 || compile_fail(c, "providerARNs is empty");
}

static bool compile_one(struct compiler *c, const json_t *json, struct gw_authorizer *out)
{
    struct str type = json_str(json, "type"), expression = json_str(json, "identityValidationExpression");
    out->id = compile_copy(c, json_str(json, "id"));
    out->name = compile_copy(c, json_str(json, "name"));
    c->place = str_printf(c->scratch, "authorizer %.*s", STR_FMT(out->name));
    out->kind = str_is(type, "COGNITO_USER_POOLS") ? AUTH_COGNITO
                : str_is(type, "TOKEN")            ? AUTH_LAMBDA_TOKEN
                : str_is(type, "REQUEST")          ? AUTH_LAMBDA_REQUEST
                : str_is(type, "JWT")              ? AUTH_JWT
                                                   : AUTH_NONE;
    if (out->kind == AUTH_NONE)
        return compile_fail(c, "type '%.*s' is not known", STR_FMT(type));
    out->ttl_s = (int)json_i64(json, "authorizerResultTtlInSeconds", 300);
    out->honour_revocation = true;
    if (expression.len && out->kind != AUTH_LAMBDA_REQUEST) { /* "applies to TOKEN authorizers", and to a pool's aud */
        out->validation = regex_compile(c->arena, compile_copy(c, expression));
        if (!out->validation)
            return compile_fail(c, "identityValidationExpression does not compile");
    }
    if (!compile_identity(c, json, out))
        return false;
    if (out->kind == AUTH_COGNITO)
        return compile_pools(c, json, out);
    if (out->kind == AUTH_JWT)
        return compile_jwt(c, json_object_get(json, "jwtConfiguration"), out);
    enum acting acting;
    if (!compile_credentials(c, json_str(json, "authorizerCredentials"), &acting, &out->role))
        return false;
    if (acting == ACT_AS_CALLER)
        return compile_fail(c, "authorizerCredentials must be a role: nobody is known yet");
    out->function = compile_function(c, json_str(json, "authorizerUri"));
    return out->function.len > 0 || compile_fail(c, "authorizerUri names no function");
}

bool compile_authorizers(struct compiler *c)
{
    json_t *all = json_object_get(c->api, "authorizers"), *json;
    const char *id;
    c->snapshot->authorizer_timeout_ms =
        (int)option_count(c->settings, "authorizerTimeoutMs", GW_AUTHORIZER_TIMEOUT_MS);
    c->snapshot->authorizers = ARENA_ARRAY(c->arena, struct gw_authorizer, json_object_size(all) + 1);
    json_object_foreach(all, id, json)
        if (!compile_one(c, json, &c->snapshot->authorizers[c->snapshot->n_authorizers++]))
            return false;
    c->place = STR_NONE;
    return true;
}

const struct gw_authorizer *compile_find_authorizer(struct compiler *c, struct str id)
{
    for (size_t i = 0; i < c->snapshot->n_authorizers; i++)
        if (id.len && str_eq(c->snapshot->authorizers[i].id, id))
            return &c->snapshot->authorizers[i];
    return NULL;
}
