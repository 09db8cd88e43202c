/* What a Lambda authorizer answers, and what it means for one method.
 *
 * {"principalId","policyDocument",["context"],["usageIdentifierKey"]}: "You cannot set a JSON object
 * or array as a valid value of any key in the context map"; numbers and booleans are seen as strings. */
#include "gateway/stage/stage.h"
#include "policy/eval.h"

enum { POLICY_MAX = 8192, CONTEXT_MAX = 64 * 1024 };

static bool take_context(struct auth_policy *policy, const json_t *given)
{
    const char *name;
    json_t *value;
    policy->context = json_own(policy->arena, json_object());
    if (!given || json_is_null(given))
        return true;
    if (!json_is_object(given))
        return false;
    json_object_foreach((json_t *)(uintptr_t)given, name, value) {
        if (json_is_object(value) || json_is_array(value))
            return false;
        if (json_is_null(value))
            continue;
        struct str text = json_is_string(value) ? json_value_str(value) : json_print(policy->arena, value);
        json_object_set_new(policy->context, name, json_of(text));
    }
    return true;
}

static bool fill(struct auth_policy *policy, const json_t *json, struct arena *scratch, struct str *why)
{
    json_t *document = json_object_get(json, "policyDocument"), *key = json_object_get(json, "usageIdentifierKey");
    struct str principal = json_str(json, "principalId"), text = STR_NONE, *names;
    *why = !json_is_object(json)                                      ? STR("the answer is not an object")
           : !principal.len                                           ? STR("principalId is missing")
           : !json_is_object(document)                                ? STR("policyDocument is missing")
           : key && !json_is_null(key) && !json_is_string(key)        ? STR("usageIdentifierKey is not a string")
           : (text = json_print(policy->arena, document)).len > POLICY_MAX ? STR("policyDocument is larger than 8 KB")
                                                                      : STR_NONE;
    if (why->ptr || !policy_set_add(policy->policy, POLICY_AUTHORIZER, STR("authorizer"), text, scratch, why))
        return false;
    policy->document = text;
    policy->wants_keys = policy_set_keys(policy->policy, scratch, &names) > 0;
    policy->principal_id = str_copy(policy->arena, principal);
    if (json_is_string(key))
        policy->usage_identifier_key = str_copy(policy->arena, json_value_str(key));
    if (take_context(policy, json_object_get(json, "context")))
        return true;
    *why = STR("context is no map of strings, numbers and booleans");
    return false;
}

struct auth_policy *auth_policy_read(struct str answer, struct arena *scratch, struct str *why)
{
    if (answer.len > CONTEXT_MAX) {
        *why = STR("the answer is larger than 64 KB");
        return NULL;
    }
    json_t *json = json_parse(scratch, answer, why);
    if (!json)
        return NULL;
    struct arena *arena = arena_new(1024);
    struct auth_policy *policy = ARENA_NEW(arena, struct auth_policy);
    policy->arena = arena;
    atomic_init(&policy->references, 1);
    policy->policy = policy_set_new();
    if (fill(policy, json, scratch, why))
        return policy;
    auth_policy_unref(policy);
    return NULL;
}

/* One policy, one method: the only place that says yes. */
enum gw_next stage_authorizer_decides(struct gw_request *r, const struct auth_policy *policy, bool cached)
{
    struct policy_decision decision;
    struct identity *identity = r->gateway->config.identity;
    struct policy_request request = stage_policy_request(
        r, policy->wants_keys || r->snapshot->policy_wants_keys || identity_has_guard_rails(identity));
    r->caller.from_lambda = true;
    r->caller.principal_id = policy->principal_id;
    r->caller.context = policy->context;
    r->usage_identifier_key = policy->usage_identifier_key;
    /* What the authorizer says stands for the policies of whom it knows. */
    const struct identity_target api = { .policy = r->snapshot->policy, .account = r->snapshot->account };
    struct policy_layers layers;
    identity_layers(identity, r->arena, NULL, &api, &request, &layers);
    layers.party = PARTY_PRINCIPAL;
    layers.identity = policy->policy;
    enum policy_effect effect = policy_decide(r->arena, &layers, &request, &decision);
    if (effect == POLICY_ALLOW) {
        trace_note(&r->trace, "policy", policy_reason(r->arena, &request, &decision));
        return GW_NEXT;
    }
    struct policy_why why;
    policy_why(r->arena, &layers, &request, &why);
    stage_note_why(r, &why);
    if (cached && effect == POLICY_IMPLICIT_DENY) /* the second endpoint that "fails at random" */
        trace_note(&r->trace, "hint",
                   STR("the cached policy was made for another method: let the authorizer allow all methods that the "
                       "caller may use, or set authorizerResultTtlInSeconds to 0"));
    return gw_fail_text(r, RESPONSE_ACCESS_DENIED,
                        effect == POLICY_EXPLICIT_DENY
                            ? STR("User is not authorized to access this resource with an explicit deny in an "
                                  "identity-based policy")
                            : STR("User is not authorized to access this resource because no identity-based policy "
                                  "allows the execute-api:Invoke action"));
}
