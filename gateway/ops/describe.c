#include "gateway/ops/describe.h"

#include "core/uri.h"
#include "gateway/ops/ops.h"
#include "gateway/store/client_certificate.h"
#include "gateway/store/domain.h"
#include "gateway/store/usage_plan.h"
#include "gateway/store/vpc_link.h"

/* Values found on the way, by key. A resource type that holds several (an API's methods) shows them all. */
struct told {
    struct policy_context *context;
    const char *key;
    struct str *items;
    size_t n, cap;
};

static void take(struct told *told, struct str value)
{
    struct arena *arena = told->context->arena;
    for (size_t i = 0; i < told->n; i++)
        if (str_eq(told->items[i], value))
            return;
    if (told->n == told->cap) {
        told->cap = told->cap * 2 + 4;
        told->items = arena_grow(arena, told->items, told->n * sizeof *told->items, told->cap * sizeof *told->items);
    }
    told->items[told->n++] = value;
}

static void take_json(struct told *told, const json_t *value)
{
    size_t i;
    json_t *item;
    if (json_is_array(value))
        json_array_foreach((json_t *)value, i, item) take_json(told, item);
    else if (json_is_string(value))
        take(told, str_copy(told->context->arena, (struct str){ json_string_value(value), json_string_length(value) }));
    else if (json_is_boolean(value))
        take(told, json_is_true(value) ? STR("true") : STR("false"));
}

static void tell(struct told *told)
{
    if (told->n)
        policy_context_add_list(told->context, told->key, told->items, told->n);
}

struct row {
    const char *key, *member, *inner; /* inner: of the object that the member is; or NULL */
};

static void tell_rows(struct policy_context *context, const json_t *doc, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct told told = { context, rows[i].key };
        const json_t *value = json_object_get(doc, rows[i].member);
        take_json(&told, rows[i].inner ? json_object_get(value, rows[i].inner) : value);
        tell(&told);
    }
}

static const struct row api_rows[] = {
    { "apigateway:Resource/ApiName", "name" },
    { "apigateway:Resource/EndpointType", "endpointConfiguration", "types" },
    { "apigateway:Resource/DisableExecuteApiEndpoint", "disableExecuteApiEndpoint" },
    { "apigateway:Resource/SecurityPolicy", "securityPolicy" },
}, method_rows[] = {
    { "apigateway:Resource/ApiKeyRequired", "apiKeyRequired" },
    { "apigateway:Resource/RouteAuthorizationType", "authorizationType" },
}, authorizer_rows[] = {
    { "apigateway:Resource/AuthorizerType", "type" },
    { "apigateway:Resource/AuthorizerUri", "authorizerUri" },
}, stage_rows[] = {
    { "apigateway:Resource/AccessLoggingDestination", "accessLogSettings", "destinationArn" },
    { "apigateway:Resource/AccessLoggingFormat", "accessLogSettings", "format" },
}, domain_rows[] = {
    { "apigateway:Resource/EndpointType", "endpointConfiguration", "types" },
    { "apigateway:Resource/SecurityPolicy", "securityPolicy" },
    { "apigateway:Resource/MtlsTrustStoreUri", "mutualTlsAuthentication", "truststoreUri" },
    { "apigateway:Resource/MtlsTrustStoreVersion", "mutualTlsAuthentication", "truststoreVersion" },
    { "apigateway:Resource/RoutingMode", "routingMode" },
};

static void tell_tags(struct policy_context *context, const json_t *doc)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(doc, "tags"), name, value) {
        struct str text = { json_string_value(value), json_string_length(value) };
        policy_context_add_tagged(context, "aws:ResourceTag/", str_copy(context->arena, str_of(name)), str_copy(context->arena, text));
    }
}

/* "RestApi": ApiKeyRequired, RouteAuthorizationType and AuthorizerType are those of all its methods and authorizers. */
static void tell_all(struct policy_context *context, const json_t *api)
{
    const char *id, *verb;
    json_t *resource, *method, *authorizer;
    for (size_t i = 0; i < COUNT(method_rows); i++) {
        struct told told = { context, method_rows[i].key };
        json_object_foreach(json_object_get(api, "resources"), id, resource)
            json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method)
                take_json(&told, json_object_get(method, method_rows[i].member));
        tell(&told);
    }
    for (size_t i = 0; i < COUNT(authorizer_rows); i++) {
        struct told told = { context, authorizer_rows[i].key };
        json_object_foreach(json_object_get(api, "authorizers"), id, authorizer)
            take_json(&told, json_object_get(authorizer, authorizer_rows[i].member));
        tell(&told);
    }
}

static const json_t *named(const json_t *parent, const char *children, struct str name)
{
    return json_object_getn(json_object_get(parent, children), name.ptr ? name.ptr : "", name.len);
}

/* "If a stage receives a tag both ways, the tag set directly on the stage takes precedence": the first of a
 * name is what a condition sees. */
static void tell_api(struct call *call, struct api_key key, struct str rest, struct policy_context *context)
{
    json_t *api = NULL, *stage = NULL;
    struct str children = STR_NONE, name = STR_NONE, more = STR_NONE, verb = STR_NONE;
    if (api_load(call->db, NULL, call->arena, key, &api) || !api)
        return;
    str_split(&rest, '/', &children);
    str_split(&rest, '/', &name);
    str_split(&rest, '/', &more);
    str_split(&rest, '/', &verb);
    if (str_is(children, "stages") && name.len &&
        !stage_load(call->db, NULL, call->arena, key.id, name, &stage) && stage) {
        tell_tags(context, stage);
        tell_rows(context, stage, stage_rows, COUNT(stage_rows));
    } else if (str_is(children, "authorizers") && name.len) {
        tell_rows(context, named(api, "authorizers", name), authorizer_rows, COUNT(authorizer_rows));
    } else if (str_is(children, "resources") && str_is(more, "methods")) {
        const json_t *method = named(named(api, "resources", name), "resourceMethods", verb);
        tell_rows(context, method, method_rows, COUNT(method_rows));
    } else if (!children.ptr) {
        tell_rows(context, api, api_rows, COUNT(api_rows));
        tell_all(context, api);
    }
    tell_tags(context, api);
}

static void tell_domain(struct call *call, struct api_key key, struct policy_context *context)
{
    struct str id = key.id, name;
    json_t *domain = NULL;
    str_split(&id, '+', &name); /* private ones: "x.test+abcd" */
    if (domain_load(call->db, NULL, call->arena, key.account, key.region, name, &domain) || !domain)
        return;
    tell_tags(context, domain);
    tell_rows(context, domain, domain_rows, COUNT(domain_rows));
}

/* What cannot be read is not told: the operation itself will say that storage fails. */
static void describe(struct call *call, struct str arn, struct policy_context *context)
{
    static const struct {
        const char *kind;
        gh_err (*load)(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
    } plain[] = { { "apikeys", apikey_load }, { "usageplans", plan_load }, { "vpclinks", vpc_link_load },
                  { "clientcertificates", certificate_load } };
    struct api_key key = { call->account, call->region, STR_NONE };
    struct str rest = arn, part, kind;
    json_t *doc = NULL;
    for (int i = 0; i < 5; i++)
        str_split(&rest, ':', &part);
    if (!str_split(&rest, '/', &part) || !str_split(&rest, '/', &kind))
        return;
    if (str_is(kind, "tags")) {
        struct str tagged = uri_decode(call->arena, rest, false);
        if (tagged.ptr && str_find_str(tagged, STR(":/tags/")) < 0)
            describe(call, tagged, context);
        return;
    }
    if (!str_split(&rest, '/', &key.id))
        return;
    if (str_is(kind, "restapis"))
        tell_api(call, key, rest, context);
    else if (str_is(kind, "domainnames"))
        tell_domain(call, key, context);
    for (size_t i = 0; i < COUNT(plain); i++)
        if (str_is(kind, plain[i].kind) && !plain[i].load(call->db, NULL, call->arena, key, &doc) && doc)
            tell_tags(context, doc);
}

static const char *const keys[] = { "aws:ResourceTag/", "apigateway:Resource/", NULL };
const struct describer gateway_describer = { keys, describe };
