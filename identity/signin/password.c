/* USER_PASSWORD_AUTH and ADMIN_USER_PASSWORD_AUTH, and NEW_PASSWORD_REQUIRED after a temporary one. */
#include "core/json.h"
#include "identity/protection/compromised.h"
#include "identity/signin/sign_in.h"
#include "identity/triggers/authentication.h"

gh_err password_begin(struct sign_in *s)
{
    struct str name, password;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = sign_in_need(s, "PASSWORD", &password);
    if (!err)
        err = trigger_migrate_sign_in(s, name, password);
    if (!err)
        err = sign_in_find_user(s);
    if (!err)
        err = sign_in_check_password(s, password);
    return err ? err : sign_in_passed(s, "PASSWORD");
}

/* A temporary password was right; who came in by something else keeps it for another day. */
gh_err new_password_due(struct sign_in *s, const char **due)
{
    if (str_eq(s->user.status, FORCE_CHANGE_PASSWORD) &&
        (sign_in_has_passed(s, "PASSWORD") || sign_in_has_passed(s, "PASSWORD_VERIFIER")))
        *due = "NEW_PASSWORD_REQUIRED";
    return NULL;
}

/* Required attributes without a value, as "userAttributes.name". */
static json_t *missing_attributes(const struct sign_in *s)
{
    const struct idp_SchemaAttributesListType *schema = &s->client.pool.doc->schema_attributes;
    json_t *missing = json_own(s->call->arena, json_array());
    for (size_t i = 0; i < schema->n; i++)
        if (schema->items[i]->required.value && !str_is(schema->items[i]->name, "sub") &&
            !json_at(s->user.attributes, schema->items[i]->name))
            json_array_append_new(
                missing, json_of(str_concat(s->call->arena, STR("userAttributes."), schema->items[i]->name)));
    return missing;
}

/* requiredAttributes and userAttributes are "both JSON strings; userAttributes omits sub" */
gh_err new_password_start(struct sign_in *s)
{
    json_t *shown = json_own(s->call->arena, json_object());
    const char *name;
    json_t *value;
    json_object_foreach(s->user.attributes, name, value)
        if (client_may_read(&s->client, str_of(name)))
            json_object_set(shown, name, value);
    sign_in_parameter(s, "USER_ID_FOR_SRP", s->user.username);
    sign_in_parameter(s, "requiredAttributes", json_print(s->call->arena, missing_attributes(s)));
    sign_in_parameter(s, "userAttributes", json_print(s->call->arena, shown));
    return NULL;
}

/* "re-sending an attribute that already has a value: Cannot modify an already provided email" */
static gh_err take_attributes(struct sign_in *s)
{
    static const struct str prefix = STR_INIT("userAttributes.");
    struct idp_AttributeListType given = {
        .set = true,
        .items = ARENA_ARRAY(s->call->arena, struct idp_AttributeType *, s->n_given),
    };
    for (size_t i = 0; i < s->n_given; i++) {
        if (!str_starts(s->given[i].key, prefix))
            continue;
        struct str name = str_from(s->given[i].key, prefix.len);
        if (json_at(s->user.attributes, name))
            return gh_fail(s->call->arena, &idp_NotAuthorizedException,
                           "Cannot modify an already provided %.*s", STR_FMT(name));
        given.items[given.n] = ARENA_NEW(s->call->arena, struct idp_AttributeType);
        *given.items[given.n++] = (struct idp_AttributeType){ name, s->given[i].value };
    }
    gh_err err = attributes_set(s->call, &s->client.pool, &s->client, &s->user, &given, WRITER_CLIENT);
    if (err)
        return err;
    const json_t *missing = missing_attributes(s);
    if (json_array_size(missing))
        return gh_fail(s->call->arena, &idp_InvalidParameterException,
                       "Invalid attributes given, %s is missing",
                       json_string_value(json_array_get(missing, 0)) + prefix.len);
    return NULL;
}

gh_err new_password_answer(struct sign_in *s)
{
    struct str password;
    if (!s->user.sub.ptr)
        return sign_in_refused(s);
    gh_err err = sign_in_need(s, "NEW_PASSWORD", &password);
    if (!err)
        err = sign_in_check_user(s);
    if (!err && !str_eq(s->user.status, FORCE_CHANGE_PASSWORD))
        return gh_fail(s->call->arena, &idp_NotAuthorizedException,
                       "Invalid session for the user, session can only be used once.");
    if (!err)
        err = password_check_policy(s->call, &s->client.pool, password);
    if (!err)
        err = compromised_refuse(s->call, &s->client.pool, s->client.id, CREDENTIALS_PASSWORD_CHANGE, password);
    if (!err)
        err = take_attributes(s);
    if (!err)
        err = user_set_password(s->call, &s->client.pool, &s->user, password);
    if (err)
        return err;
    s->user.status = CONFIRMED;
    s->user_changed = true;
    return sign_in_passed(s, "NEW_PASSWORD_REQUIRED");
}
