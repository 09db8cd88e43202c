#include "gateway/ops/resource_policy.h"

#include "gateway/state.h"
#include "policy/eval.h"

enum { POLICY_MAX = 8192 }; /* "API Gateway resource policy size (characters)" */

static const struct gh_kind access_denied = { "AccessDeniedException", 403, false, NULL };

static gh_err invalid(struct call *call)
{
    return ops_bad_request(
        call, "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.");
}

/* Plain JSON; or escaped as in an answer, with or without quotes around it. */
static json_t *read(struct arena *arena, struct str given)
{
    struct str text = str_trim(given);
    json_t *json = json_parse(arena, text, NULL);
    if (!json)
        json = json_parse(arena, str_printf(arena, "\"%.*s\"", STR_FMT(text)), NULL);
    if (json_is_string(json))
        json = json_parse(arena, json_value_str(json), NULL);
    return json;
}

/* --- the kept form --- */

/* "execute-api:/stage/GET/pets" means this API. */
static json_t *spelled_out(struct call *call, struct str api_id, json_t *value)
{
    struct str text = json_value_str(value), prefix = STR("execute-api:");
    if (!str_starts(text, prefix))
        return json_incref(value);
    return json_of(str_printf(call->arena, "arn:%.*s:execute-api:%.*s:%.*s:%.*s%.*s", STR_FMT(call->partition),
                              STR_FMT(call->region), STR_FMT(call->account), STR_FMT(api_id),
                              STR_FMT(str_from(text, prefix.len))));
}

/* Recorded: a list of one is kept as its element. */
static json_t *unlisted(struct call *call, struct str api_id, json_t *value)
{
    if (json_is_object(value)) { /* Principal, Condition: their members */
        json_t *copy = json_object(), *one;
        const char *name;
        json_object_foreach(value, name, one)
            json_object_set_new(copy, name, unlisted(call, STR_NONE, one));
        return copy;
    }
    if (!json_is_array(value))
        return api_id.ptr ? spelled_out(call, api_id, value) : json_incref(value);
    if (json_array_size(value) == 1)
        return unlisted(call, api_id, json_array_get(value, 0));
    json_t *copy = json_array(), *one;
    size_t i;
    json_array_foreach(value, i, one)
        json_array_append_new(copy, unlisted(call, api_id, one));
    return copy;
}

static json_t *kept_statement(struct call *call, struct str api_id, const json_t *statement)
{
    static const struct {
        const char *name;
        bool resource;
    } members[] = { { "Sid" },        { "Effect" },         { "Principal" },         { "NotPrincipal" }, { "Action" },
                    { "NotAction" },  { "Resource", true }, { "NotResource", true }, { "Condition" } };
    json_t *copy = json_object();
    for (size_t i = 0; i < COUNT(members); i++) {
        json_t *value = json_object_get(statement, members[i].name);
        if (value)
            json_object_set_new(copy, members[i].name,
                                unlisted(call, members[i].resource ? api_id : STR_NONE, value));
    }
    return copy;
}

static json_t *kept_document(struct call *call, struct str api_id, const json_t *document)
{
    json_t *copy = json_own(call->arena, json_object()), *list = json_array(), *one;
    json_t *statements = json_object_get(document, "Statement");
    size_t i;
    json_set_str(copy, "Version", json_str(document, "Version"));
    json_set_str(copy, "Id", json_str(document, "Id"));
    json_object_set_new(copy, "Statement", list);
    if (json_is_object(statements))
        json_array_append_new(list, kept_statement(call, api_id, statements));
    json_array_foreach(statements, i, one)
        json_array_append_new(list, kept_statement(call, api_id, one));
    return copy;
}

/* --- checks --- */

/* What policies of a resource need beside the grammar: somebody, something, and this service's actions. */
static bool fits_apis(const json_t *document)
{
    json_t *one, *action;
    size_t i, a;
    json_array_foreach(json_object_get(document, "Statement"), i, one) {
        json_t *actions = json_object_get(one, "Action");
        if ((!json_object_get(one, "Principal") && !json_object_get(one, "NotPrincipal")) ||
            (!json_object_get(one, "Resource") && !json_object_get(one, "NotResource")))
            return false;
        if (json_is_string(actions) && !str_is(json_value_str(actions), "*") &&
            !str_starts_nocase(json_value_str(actions), STR("execute-api:")))
            return false;
        json_array_foreach(actions, a, action)
            if (!str_is(json_value_str(action), "*") &&
                !str_starts_nocase(json_value_str(action), STR("execute-api:")))
                return false;
    }
    return true;
}

static bool principals_exist(struct call *call, struct str document)
{
    const struct gateway *gateway = call->module;
    struct policy_set *set = policy_set_new();
    struct str why, *arns;
    policy_set_add(set, POLICY_RESOURCE, STR("policy"), document, call->arena, &why);
    size_t n = policy_set_principals(set, call->arena, &arns);
    bool exist = true;
    for (size_t i = 0; i < n; i++)
        exist = exist && identity_principal_exists(gateway->config.identity, call->arena, call->account, arns[i]);
    policy_set_free(set);
    return exist;
}

gh_err resource_policy_may(struct call *call, struct str resource)
{
    return ops_may(call, "apigateway:UpdateRestApiPolicy", resource);
}

gh_err ops_may(struct call *call, const char *action, struct str resource)
{
    const struct gateway *gateway = call->module;
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent, STR_NONE, false,
                               call->region);
    struct policy_request request = {
        .action = str_of(action),
        .resource = str_printf(call->arena, "arn:%.*s:apigateway:%.*s::%.*s", STR_FMT(call->partition),
                               STR_FMT(call->region), STR_FMT(resource)),
        .keys = context.keys,
        .n_keys = context.n,
    };
    struct policy_decision decision;
    if (!call->credential || identity_allows(gateway->config.identity, call->arena, call->credential, &request, &decision))
        return NULL;
    return gh_fail(call->arena, &access_denied, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

gh_err resource_policy_take(struct call *call, struct str api_id, struct str given, struct str *kept)
{
    struct str why;
    *kept = STR_NONE;
    if (!str_trim(given).len)
        return NULL;
    if (given.len > 4 * POLICY_MAX) /* escaped, with all its white space: no need to look */
        return invalid(call);
    json_t *document = read(call->arena, given);
    if (!document || !policy_check(call->arena, POLICY_RESOURCE, json_print(call->arena, document), &why))
        return invalid(call);
    document = kept_document(call, api_id, document);
    struct str text = json_print(call->arena, document);
    if (!fits_apis(document) || !principals_exist(call, text))
        return invalid(call);
    if (text.len > POLICY_MAX)
        return ops_bad_request(call, "Policy document is too large: %zu characters, the limit is %d", text.len,
                               POLICY_MAX);
    *kept = text;
    return NULL;
}

struct str resource_policy_shown(struct arena *arena, struct str kept)
{
    struct strbuf out = strbuf_in(arena, kept.len + kept.len / 4);
    for (size_t i = 0; i < kept.len; i++) {
        if (strchr("\"\\/", kept.ptr[i]))
            strbuf_char(&out, '\\');
        strbuf_char(&out, kept.ptr[i]);
    }
    return strbuf_view(&out);
}
