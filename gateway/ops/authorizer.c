/* Authorizers: who decides for a method. */
#include "gateway/ops/jwt_configuration.h"
#include "gateway/ops/pass_role.h"
#include "gateway/ops/patch.h"
#include "gateway/state.h"

enum { AUTHORIZERS_MAX = 100, AUTHORIZERS_AWS = 10 };

static gh_err create(struct draft *draft, const struct apigw_CreateAuthorizer_in *in, json_t *jwt, json_t **out);
static gh_err take_jwt(struct call *call, const struct apigw_ListOfPatchOperation *operations, json_t **out);
static gh_err patch_jwt(struct patch *patch);
static gh_err check(struct call *call, json_t *authorizer);
static gh_err check_unused(struct call *call, const json_t *api, const json_t *authorizer);
static gh_err find(struct call *call, const json_t *api, struct str id, json_t **out);

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_string },
    { "/type", PATCH_REPLACE, patch_string },
    { "/authType", PATCH_REPLACE, patch_string },
    { "/authorizerUri", PATCH_REPLACE, patch_text },
    { "/authorizerCredentials", PATCH_REPLACE, patch_text },
    { "/authorizerResultTtlInSeconds", PATCH_REPLACE, patch_integer },
    { "/identitySource", PATCH_CHANGE, patch_text },
    { "/identityValidationExpression", PATCH_REPLACE, patch_text },
    { "/providerARNs", PATCH_ADD | PATCH_REMOVE, patch_value_in_list },
    { "/jwtConfiguration", PATCH_REPLACE, patch_jwt },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

/* Another answer than all others give to an unknown API, but the recorded one. */
gh_err apigw_CreateAuthorizer(struct call *call, const struct apigw_CreateAuthorizer_in *in,
                              struct apigw_CreateAuthorizer_out *out)
{
    static const char *const members[] = { "jwtConfiguration" };
    struct draft draft;
    json_t *authorizer = NULL, *jwt = NULL, *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err && api && in->jwt_configuration)
        err = jwt_configuration_take(
            call, json_object_get(ops_given(call, in, members, COUNT(members)), "jwtConfiguration"), &jwt);
    if (err)
        return err;
    err = draft_open(&draft, call, in->rest_api_id);
    if (!err && !draft.api)
        err = ops_conflict(
            call, "Unable to complete operation due to concurrent modification. Please try again later.");
    if (!err)
        err = create(&draft, in, jwt, &authorizer);
    return draft_answer(&draft, err, authorizer, out);
}

gh_err apigw_GetAuthorizer(struct call *call, const struct apigw_GetAuthorizer_in *in,
                           struct apigw_GetAuthorizer_out *out)
{
    json_t *api, *authorizer;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->authorizer_id, &authorizer);
    return err ? err : ops_answer(call, authorizer, out);
}

gh_err apigw_GetAuthorizers(struct call *call, const struct apigw_GetAuthorizers_in *in,
                            struct apigw_GetAuthorizers_out *out)
{
    json_t *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (err)
        return err;
    struct docs docs = docs_of(call->arena, json_object_get(api, "authorizers"));
    return ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateAuthorizer(struct call *call, const struct apigw_UpdateAuthorizer_in *in,
                              struct apigw_UpdateAuthorizer_out *out)
{
    struct draft draft;
    json_t *authorizer = NULL, *jwt = NULL, *api;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = find(call, api, in->authorizer_id, &authorizer);
    if (!err)
        err = take_jwt(call, &in->patch_operations, &jwt);
    if (err)
        return err;
    err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->authorizer_id, &authorizer);
    struct str role = err ? STR_NONE : str_copy(call->arena, json_str(authorizer, "authorizerCredentials"));
    if (!err)
        err = patch_apply(&rules, call->arena, authorizer, &in->patch_operations, jwt);
    if (!err)
        err = ops_check_pass_role(call, json_str(authorizer, "authorizerCredentials"), role);
    if (!err)
        err = check(call, authorizer);
    return draft_answer(&draft, err, authorizer, out);
}

gh_err apigw_DeleteAuthorizer(struct call *call, const struct apigw_DeleteAuthorizer_in *in,
                              struct apigw_DeleteAuthorizer_out *out)
{
    (void)out;
    struct draft draft;
    json_t *authorizer;
    gh_err err = draft_open(&draft, call, in->rest_api_id);
    if (!err)
        err = find(call, draft.api, in->authorizer_id, &authorizer);
    if (!err)
        err = check_unused(call, draft.api, authorizer);
    if (!err)
        child_remove(draft.api, "authorizers", in->authorizer_id);
    return draft_close(&draft, err);
}

/* "A single replace operation on the /jwtConfiguration path, with the complete configuration as the
 * value": issuers are asked before the draft is locked. */
static gh_err take_jwt(struct call *call, const struct apigw_ListOfPatchOperation *operations, json_t **out)
{
    gh_err err = NULL;
    for (size_t i = 0; !err && i < operations->n; i++) {
        const struct apigw_PatchOperation *one = operations->items[i];
        if (!str_is(one->path, "/jwtConfiguration") || !str_is(one->op, "replace"))
            continue;
        if (*out)
            return ops_bad_request(call, "Only one operation may replace /jwtConfiguration");
        json_t *given = one->value.ptr ? json_parse(call->arena, one->value, NULL) : NULL;
        err = given ? jwt_configuration_take(call, given, out)
                    : ops_bad_request(call, "Invalid JWT configuration: the value is no JSON document");
    }
    return err;
}

static gh_err patch_jwt(struct patch *patch)
{
    json_object_set(patch->target, "jwtConfiguration", patch->ctx);
    return NULL;
}

static gh_err create(struct draft *draft, const struct apigw_CreateAuthorizer_in *in, json_t *jwt, json_t **out)
{
    static const char *const members[] = { "name",
                                           "type",
                                           "providerARNs",
                                           "authType",
                                           "authorizerUri",
                                           "authorizerCredentials",
                                           "identitySource",
                                           "identityValidationExpression",
                                           "authorizerResultTtlInSeconds" };
    struct call *call = draft->call;
    const char *id;
    json_t *other;
    json_object_foreach(json_object_get(draft->api, "authorizers"), id, other)
        if (str_eq(json_str(other, "name"), in->name))
            return ops_bad_request(
                call, "Authorizer name must be unique. Authorizer %.*s already exists in this RestApi.",
                STR_FMT(in->name));
    const struct gateway *gateway = call->module;
    size_t limit = gateway->config.aws_limits ? AUTHORIZERS_AWS : AUTHORIZERS_MAX;
    if (json_object_size(json_object_get(draft->api, "authorizers")) >= limit)
        return gh_fail(call->arena, &apigw_LimitExceededException,
                       "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need "
                       "additional Authorizers.");
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", ops_id(call, 6));
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    if (!in->auth_type.ptr)
        json_set_str(*out, "authType",
                     str_is(in->type, "COGNITO_USER_POOLS") ? STR("cognito_user_pools")
                     : str_is(in->type, "JWT")              ? STR("jwt")
                                                            : STR("custom"));
    if (jwt)
        json_object_set(*out, "jwtConfiguration", jwt);
    gh_err err = ops_check_pass_role(call, in->authorizer_credentials, STR_NONE);
    if (!err)
        err = check(call, *out);
    if (err)
        return err;
    child_set(draft->api, "authorizers", json_str(*out, "id"), *out);
    return NULL;
}

/* "method.request.header.Auth, stageVariables.x": for TOKEN and COGNITO_USER_POOLS one header. */
static gh_err check_identity_source(struct call *call, struct str source, bool header_only)
{
    static const char *const starts[] = { "method.request.header.", "method.request.querystring.",
                                          "stageVariables.", "context." };
    struct str part;
    while (str_split(&source, ',', &part)) {
        bool known = false;
        part = str_trim(part);
        for (size_t i = 0; i < (header_only ? 1 : COUNT(starts)); i++)
            known |= str_starts(part, str_of(starts[i])) && part.len > strlen(starts[i]);
        if (!known)
            return ops_bad_request(call, "Invalid request identity source expression: %.*s", STR_FMT(part));
    }
    return NULL;
}

static gh_err check_uri(struct call *call, struct str uri)
{
    struct str rest = uri, part[6] = { STR_NONE };
    for (size_t i = 0; i < 5; i++)
        str_split(&rest, ':', &part[i]);
    if (str_is(part[0], "arn") && str_is(part[2], "apigateway") && str_is(part[4], "lambda") &&
        str_starts(rest, STR("path/")) && str_ends(rest, STR("/invocations")))
        return NULL;
    return ops_bad_request(
        call,
        "Invalid Authorizer URI: %.*s. Authorizer URI should be a valid API Gateway ARN that "
        "represents a Lambda function invocation.",
        STR_FMT(uri));
}

static gh_err check_cognito(struct call *call, const json_t *authorizer)
{
    size_t i;
    json_t *arn, *arns = json_object_get(authorizer, "providerARNs");
    if (!json_array_size(arns))
        return ops_bad_request(call, "providerARNs cannot be empty for authorizer type COGNITO_USER_POOLS");
    json_array_foreach(arns, i, arn)
        if (!str_starts(json_value_str(arn), STR("arn:")) ||
            str_find_str(json_value_str(arn), STR(":userpool/")) < 0)
            return ops_bad_request(call, "Invalid ARN. ARN is not well formed %.*s",
                                   STR_FMT(json_value_str(arn)));
    struct str source = json_str(authorizer, "identitySource");
    return source.ptr ? check_identity_source(call, source, true) : NULL;
}

/* Its own members, and none of the others'. */
static gh_err check_jwt(struct call *call, const json_t *authorizer)
{
    static const char *const others[] = { "providerARNs", "authorizerUri", "authorizerCredentials",
                                          "authorizerResultTtlInSeconds", "identityValidationExpression" };
    struct str source = json_str(authorizer, "identitySource");
    for (size_t i = 0; i < COUNT(others); i++)
        if (json_object_get(authorizer, others[i]))
            return ops_bad_request(call, "%s is not supported for authorizer type JWT", others[i]);
    if (!json_object_get(authorizer, "jwtConfiguration"))
        return ops_bad_request(call, "jwtConfiguration must not be null for authorizer type JWT");
    if (str_empty(source))
        return ops_bad_request(call, "IdentitySource cannot be empty");
    if (str_find(source, ',') >= 0)
        return ops_bad_request(call, "Invalid request identity source expression: %.*s", STR_FMT(source));
    return check_identity_source(call, source, true);
}

static gh_err check(struct call *call, json_t *authorizer)
{
    struct str type = json_str(authorizer, "type"), source = json_str(authorizer, "identitySource");
    int64_t ttl = json_i64(authorizer, "authorizerResultTtlInSeconds", 300);
    if (str_empty(json_str(authorizer, "name")))
        return ops_bad_request(call, "Authorizer name cannot be empty");
    if (ttl < 0 || ttl > 3600)
        return ops_bad_request(
            call, "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.");
    if (str_is(type, "JWT"))
        return check_jwt(call, authorizer);
    if (json_object_get(authorizer, "jwtConfiguration"))
        return ops_bad_request(call, "jwtConfiguration is only supported for authorizer type JWT");
    if (str_is(type, "COGNITO_USER_POOLS"))
        return check_cognito(call, authorizer);
    if (!str_is(type, "TOKEN") && !str_is(type, "REQUEST"))
        return ops_bad_request(
            call, "Invalid authorizer type specified. Valid options are TOKEN,REQUEST,COGNITO_USER_POOLS,JWT");
    /* "required if caching": a REQUEST authorizer may do without when its results are not kept */
    if (str_empty(source) && (str_is(type, "TOKEN") || ttl > 0))
        return ops_bad_request(call, "IdentitySource cannot be empty");
    gh_err err = source.len ? check_identity_source(call, source, str_is(type, "TOKEN")) : NULL;
    return err ? err : check_uri(call, json_str(authorizer, "authorizerUri"));
}

/* Method and path run together: "GET//test". */
static gh_err check_unused(struct call *call, const json_t *api, const json_t *authorizer)
{
    const char *id, *verb;
    json_t *resource, *method;
    json_object_foreach(json_object_get(api, "resources"), id, resource)
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method)
            if (str_eq(json_str(method, "authorizerId"), json_str(authorizer, "id")))
                return ops_conflict(call, "Cannot delete authorizer '%.*s', is referenced in method: %s/%.*s",
                                    STR_FMT(json_str(authorizer, "name")), verb,
                                    STR_FMT(json_str(resource, "path")));
    return NULL;
}

static gh_err find(struct call *call, const json_t *api, struct str id, json_t **out)
{
    *out = api ? json_at(json_object_get(api, "authorizers"), id) : NULL;
    return *out ? NULL : ops_not_found(call, "Invalid Authorizer identifier specified");
}
