#include "identity/tokens/claims.h"

#include <stdio.h>

#include "core/json.h"

/* ---- groups ---- */

json_t *group_names(const struct group_row *groups, size_t n)
{
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, json_of(groups[i].name));
    return names;
}

static bool is_in(const json_t *list, struct str text)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
        if (str_eq(json_value_str(one), text))
            return true;
    return false;
}

json_t *group_roles(const struct group_row *groups, size_t n)
{
    json_t *roles = json_array();
    for (size_t i = 0; i < n; i++)
        if (groups[i].role.ptr && !is_in(roles, groups[i].role))
            json_array_append_new(roles, json_of(groups[i].role));
    return roles;
}

/* No precedence is the last of all. */
static int64_t precedence_of(const struct group_row *group)
{
    return group->has_precedence ? group->precedence : INT64_MAX;
}

struct str preferred_role(const struct group_row *groups, size_t n)
{
    struct str role = STR_NONE;
    int64_t best = INT64_MAX;
    bool tie = false, other = false;
    for (size_t i = 0; i < n; i++) {
        if (!groups[i].role.ptr)
            continue;
        bool same = str_eq(role, groups[i].role);
        other |= role.ptr && !same;
        if (!role.ptr || precedence_of(&groups[i]) < best) {
            role = groups[i].role;
            best = precedence_of(&groups[i]);
            tie = false;
        } else if (precedence_of(&groups[i]) == best && !same) {
            tie = true;
        }
    }
    return other && tie ? STR_NONE : role;
}

/* ---- attributes ---- */

/* "in the ID token: array, `primary` and `dateCreated` as strings" */
static json_t *identities_claim(struct str value)
{
    size_t i;
    json_t *list = json_loadb(value.ptr, value.len, 0, NULL), *entry;
    json_array_foreach(list, i, entry) {
        char date[24];
        snprintf(date, sizeof date, "%lld", (long long)json_i64(entry, "dateCreated", 0));
        json_object_set_new(entry, "primary", json_string(json_flag(entry, "primary", false) ? "true" : "false"));
        json_object_set_new(entry, "dateCreated", json_string(date));
    }
    return list ? list : json_array();
}

/* The API keeps all attributes as strings; in tokens five are something else. */
static json_t *attribute_claim(struct str name, struct str value)
{
    int64_t number;
    if (str_is(name, "email_verified") || str_is(name, "phone_number_verified"))
        return json_boolean(str_is(value, "true"));
    if (str_is(name, "identities"))
        return identities_claim(value);
    if (str_is(name, "address"))
        return json_pack("{s:o}", "formatted", json_of(value));
    if (str_is(name, "updated_at") && str_i64(value, &number))
        return json_integer(number);
    return json_of(value);
}

static void attribute_claims(json_t *claims, const struct client *client, const struct user *user)
{
    const char *name;
    json_t *value;
    json_object_foreach(user->attributes, name, value)
        if ((client_may_read(client, str_of(name)) || strcmp(name, "identities") == 0) &&
            !str_starts(str_of(name), STR("dev:")))
            json_object_set_new(claims, name, attribute_claim(str_of(name), json_value_str(value)));
}

/* ---- tokens ---- */

static void group_claims(json_t *claims, const struct token_facts *facts, bool id)
{
    if (!facts->n_groups)
        return;
    json_object_set_new(claims, "cognito:groups", group_names(facts->groups, facts->n_groups));
    if (!id)
        return;
    json_t *roles = group_roles(facts->groups, facts->n_groups);
    if (json_array_size(roles))
        json_object_set(claims, "cognito:roles", roles);
    json_decref(roles);
    json_set_str(claims, "cognito:preferred_role", preferred_role(facts->groups, facts->n_groups));
}

/* "When you enable token revocation, additional claims are added: origin_jti and jti." */
static void session_claims(json_t *claims, const struct token_facts *facts, bool id)
{
    const struct session *session = facts->session;
    if (facts->client->revocation)
        json_set_str(claims, "origin_jti", session->origin);
    json_set_str(claims, "event_id", session->event);
    if (session->acr.ptr) { /* asked for by TARGET_ACR_VALUES; amr alone is kept, not told */
        json_set_str(claims, "acr", session->acr);
        json_object_set(claims, "amr", session->amr);
    }
    if (!id)
        json_set_str(claims, "device_key", session->device);
}

static void time_claims(json_t *claims, const struct token_facts *facts, bool id)
{
    int64_t exp_s = facts->now_s + (id ? facts->client->id_ttl_s : facts->client->access_ttl_s);
    json_set_i64(claims, "auth_time", facts->session ? facts->session->auth_s : facts->now_s);
    json_set_i64(claims, "exp", facts->most_s && exp_s > facts->most_s ? facts->most_s : exp_s);
    json_set_i64(claims, "iat", facts->now_s);
}

json_t *token_claims(struct arena *arena, const struct token_facts *facts, enum key_use use)
{
    bool id = use == KEY_FOR_ID;
    const struct client *client = facts->client;
    json_t *claims = json_own(arena, json_object());
    json_set_str(claims, "sub", facts->user ? facts->user->sub : client->id);
    group_claims(claims, facts, id);
    json_set_str(claims, "iss", facts->issuer);
    if (id)
        json_set_str(claims, "cognito:username", facts->user->username);
    else
        json_set_str(claims, "client_id", client->id);
    if (facts->audience)
        json_object_set(claims, "aud", facts->audience);
    else if (id)
        json_set_str(claims, "aud", client->id);
    if (facts->session)
        session_claims(claims, facts, id);
    json_set_str(claims, "token_use", str_of(key_use_name(use)));
    if (!id && facts->scope.len)
        json_set_str(claims, "scope", facts->scope);
    time_claims(claims, facts, id);
    if (!id && facts->of_oauth)
        json_set_i64(claims, "version", 2);
    if (client->revocation || !facts->session)
        json_set_str(claims, "jti", facts->jti);
    if (facts->act)
        json_object_set(claims, "act", facts->act);
    if (id)
        attribute_claims(claims, client, facts->user);
    else if (facts->user)
        json_set_str(claims, "username", facts->user->username);
    return claims;
}
