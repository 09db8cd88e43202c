#include "identity/tokens/pre_token.h"

#include "core/json.h"
#include "identity/triggers/trigger.h"

enum { MOST_DEPTH = 24 }; /* of a claim's value; our verifier reads tokens of 32 levels (core/jwt.h) */

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* "You can't modify …" — pre token generation, claims that can't be added, overridden or suppressed. */
static bool is_fixed(const char *name, bool id)
{
    static const char *const of_both[] = { "acr", "amr", "at_hash", "auth_time", "azp", "exp", "iat", "iss", "jti", "nbf",
                                           "nonce", "origin_jti", "sub", "token_use", "act", NULL };
    static const char *const of_id[] = { "identities", "aud", "cognito:username", NULL };
    static const char *const of_access[] = { "username", "client_id", "scope", "device_key", "event_id", "version", NULL };
    struct str text = str_of(name);
    return is_one_of(name, of_both) || is_one_of(name, id ? of_id : of_access) || str_starts(text, STR("cognito:")) ||
           str_starts(text, STR("dev:"));
}

static bool is_list_of_texts(const json_t *list)
{
    const json_t *one;
    size_t i;
    if (!list || json_is_null(list))
        return true;
    json_array_foreach(list, i, one)
        if (!json_is_string(one))
            return false;
    return json_is_array(list);
}

static bool lists(const json_t *list, const char *text)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(one), text) == 0)
            return true;
    return false;
}

static bool is_shallow(const json_t *value, int room)
{
    const char *name;
    json_t *one;
    size_t i;
    if (room == 0)
        return false;
    json_object_foreach((json_t *)value, name, one)
        if (!is_shallow(one, room - 1))
            return false;
    json_array_foreach(value, i, one)
        if (!is_shallow(one, room - 1))
            return false;
    return true;
}

/* ---- claims ---- */

/* "phone_number_verified, email_verified, updated_at, and address" take no values but strings. */
static bool takes(const char *name, const json_t *value, bool id)
{
    static const char *const plain[] = { "phone_number_verified", "email_verified", "updated_at", "address", NULL };
    return !id || json_is_string(value) || !is_one_of(name, plain);
}

static bool may_set(const char *name, const json_t *value, bool id, struct str client_id)
{
    if (!id && strcmp(name, "aud") == 0) /* "must match the app client ID" */
        return str_eq(json_value_str(value), client_id);
    return !is_fixed(name, id) && takes(name, value, id);
}

/* {claimsToAddOrOverride, claimsToSuppress}: suppressing wins. texts: values are strings (V1). */
static bool change_claims(const json_t *change, json_t *claims, bool id, bool texts, struct str client_id)
{
    const json_t *suppress = json_object_get(change, "claimsToSuppress"), *one;
    json_t *set = json_object_get(change, "claimsToAddOrOverride"), *value;
    const char *name;
    size_t i;
    if (!is_list_of_texts(suppress) || (set && !json_is_null(set) && !json_is_object(set)))
        return false;
    json_object_foreach(set, name, value) {
        if (json_is_null(value) || (texts && !json_is_string(value)) || !is_shallow(value, MOST_DEPTH))
            return false;
        if (claims && may_set(name, value, id, client_id))
            json_object_set(claims, name, value);
    }
    json_array_foreach(suppress, i, one) {
        name = json_string_value(one);
        if (claims && !is_fixed(name, id) && (id || strcmp(name, "aud") != 0))
            json_object_del(claims, name);
    }
    return true;
}

/* ---- groups ---- */

static void set_list(json_t *claims, const char *name, json_t *list)
{
    if (json_array_size(list))
        json_object_set(claims, name, list);
    else
        json_object_del(claims, name);
}

/* What is there takes the place of all; an empty object suppresses groups. */
static bool change_groups(const json_t *change, struct drafts *drafts)
{
    json_t *groups, *roles, *preferred;
    if (!change || json_is_null(change))
        return true;
    groups = json_object_get(change, "groupsToOverride");
    roles = json_object_get(change, "iamRolesToOverride");
    preferred = json_object_get(change, "preferredRole");
    if (!json_is_object(change) || !is_list_of_texts(groups) || !is_list_of_texts(roles) ||
        (preferred && !json_is_null(preferred) && !json_is_string(preferred)))
        return false;
    if (drafts->access)
        set_list(drafts->access, "cognito:groups", groups);
    if (!drafts->id)
        return true;
    set_list(drafts->id, "cognito:groups", groups);
    set_list(drafts->id, "cognito:roles", roles);
    if (json_string_length(preferred))
        json_object_set(drafts->id, "cognito:preferred_role", preferred);
    else
        json_object_del(drafts->id, "cognito:preferred_role");
    return true;
}

/* ---- scopes ---- */

/* "You can't add scope values that contain blank-space characters", nor the reserved ones. */
static bool may_be_scope(struct str scope)
{
    for (size_t i = 0; i < scope.len; i++)
        if ((unsigned char)scope.ptr[i] <= ' ' || scope.ptr[i] == '"' || scope.ptr[i] == '\\' || scope.ptr[i] == 0x7f)
            return false;
    return scope.len && (!str_starts(scope, STR("aws.cognito")) || str_eq(scope, SCOPE_OF_SIGN_IN));
}

static void add_scope(struct strbuf *to, struct str scope, const json_t *suppress, struct arena *arena)
{
    struct str rest = strbuf_view(to), one;
    if (lists(suppress, str_c(arena, scope)) && may_be_scope(scope))
        return;
    while (str_split(&rest, ' ', &one))
        if (str_eq(one, scope))
            return;
    if (to->len)
        strbuf_char(to, ' ');
    strbuf_add(to, scope);
}

static bool change_scopes(struct arena *arena, const json_t *change, json_t *claims)
{
    const json_t *add = json_object_get(change, "scopesToAdd"), *suppress = json_object_get(change, "scopesToSuppress"), *one;
    struct strbuf scopes = strbuf_in(arena, 256);
    struct str rest = json_str(claims, "scope"), scope;
    size_t i;
    if (!is_list_of_texts(add) || !is_list_of_texts(suppress))
        return false;
    if (!claims)
        return true;
    while (str_split(&rest, ' ', &scope))
        if (scope.len)
            add_scope(&scopes, scope, suppress, arena);
    json_array_foreach(add, i, one)
        if (may_be_scope(json_value_str(one)))
            add_scope(&scopes, json_value_str(one), suppress, arena);
    if (scopes.len)
        json_set_str(claims, "scope", strbuf_view(&scopes));
    else
        json_object_del(claims, "scope");
    return true;
}

/* ---- the answer ---- */

static bool is_object_or_none(const json_t *value)
{
    return !value || json_is_null(value) || json_is_object(value);
}

bool pre_token_apply(struct arena *arena, struct str version, const json_t *response, struct str client_id,
                     struct drafts *drafts)
{
    bool first = str_is(version, "V1_0");
    const json_t *details = json_object_get(response, first ? "claimsOverrideDetails" : "claimsAndScopeOverrideDetails");
    if (!json_is_object(response) || !is_object_or_none(details))
        return false;
    if (first)
        return change_claims(details, drafts->id, true, true, client_id) &&
               change_groups(json_object_get(details, "groupOverrideDetails"), drafts);
    const json_t *id = json_object_get(details, "idTokenGeneration"), *access = json_object_get(details, "accessTokenGeneration");
    return is_object_or_none(id) && is_object_or_none(access) &&
           change_claims(id, drafts->id, true, false, client_id) &&
           change_claims(access, drafts->access, false, false, client_id) && change_scopes(arena, access, drafts->access) &&
           change_groups(json_object_get(details, "groupOverrideDetails"), drafts);
}

/* ---- asking ---- */

json_t *pre_token_groups(const struct token_facts *facts)
{
    json_t *groups = json_object();
    struct str role = preferred_role(facts->groups, facts->n_groups);
    json_object_set_new(groups, "groupsToOverride", group_names(facts->groups, facts->n_groups));
    json_object_set_new(groups, "iamRolesToOverride", group_roles(facts->groups, facts->n_groups));
    json_object_set_new(groups, "preferredRole", json_of(role));
    return groups;
}

static json_t *scopes_of(struct str scope)
{
    json_t *scopes = json_array();
    struct str one;
    while (str_split(&scope, ' ', &one))
        if (one.len)
            json_array_append_new(scopes, json_of(one));
    return scopes;
}

gh_err pre_token_run(struct call *call, const struct token_facts *facts, const char *source, const json_t *metadata,
                     struct drafts *drafts)
{
    const struct client *client = facts->client;
    json_t *response, *before = json_own(call->arena, json_object());
    struct str version = trigger_token_version(&client->pool);
    bool first = str_is(version, "V1_0");
    /* "V3_0: … and machine-to-machine" */
    if (!trigger_is_set(&client->pool, TRIGGER_PRE_TOKEN_GENERATION) || (!facts->user && !str_is(version, "V3_0")))
        return NULL;
    json_t *request = trigger_request(call, facts->user, metadata);
    json_object_set_new(request, "groupConfiguration", pre_token_groups(facts));
    if (!metadata)
        json_object_set_new(request, "clientMetadata", json_object());
    if (!first)
        json_object_set_new(request, "scopes", scopes_of(facts->scope));
    json_object_set_new(before, first ? "claimsOverrideDetails" : "claimsAndScopeOverrideDetails", json_null());
    const struct trigger_event event = {
        .trigger = TRIGGER_PRE_TOKEN_GENERATION,
        .source = source,
        .version = first ? "1" : str_is(version, "V2_0") ? "2" : "3",
        .pool = &client->pool,
        .client = client,
        .user_name = facts->user ? facts->user->username : client->id,
        .request = request,
        .response = before,
    };
    gh_err err = trigger_run(call, &event, &response);
    if (!err && !pre_token_apply(call->arena, version, response, client->id, drafts))
        return gh_fail(call->arena, &idp_InvalidLambdaResponseException, "Unrecognizable lambda output");
    return err;
}
