/* UserMigration: who is unknown here may be known to an older system. */
#include "core/json.h"
#include "core/log.h"
#include "identity/signin/mfa.h"
#include "identity/transfer/other_pool.h"
#include "identity/triggers/authentication.h"

struct newcomer {
    struct call *call;
    const struct client *client;
    struct str name, password; /* password absent: forgotten */
    const json_t *metadata;
    json_t *answer;            /* of the trigger */
};

/* NULL: the name is free, but the trigger does not know the person. */
static gh_err ask(struct newcomer *m, json_t *validation)
{
    if (!trigger_is_set(&m->client->pool, TRIGGER_USER_MIGRATION))
        return other_pool_ask(m->call, m->client, m->name, m->password, &m->answer);
    json_t *request = json_own(m->call->arena, json_object());
    json_set_str(request, "password", m->password);
    json_object_set_new(request, "validationData", validation ? json_incref(validation) : json_null());
    if (m->metadata)
        json_object_set(request, "clientMetadata", (json_t *)m->metadata);
    json_t *initial = json_own(m->call->arena, json_pack("{s:n,s:n,s:n,s:n,s:n,s:n}", "userAttributes",
                                                         "forceAliasCreation", "finalUserStatus", "messageAction",
                                                         "desiredDeliveryMediums", "enableSMSMFA"));
    return trigger_run(m->call,
                       &(struct trigger_event){
                           .trigger = TRIGGER_USER_MIGRATION,
                           .source = m->password.ptr ? "UserMigration_Authentication" : "UserMigration_ForgotPassword",
                           .pool = &m->client->pool,
                           .client = m->client,
                           .user_name = m->name,
                           .request = request,
                           .response = initial,
                       },
                       &m->answer);
}

/* userAttributes as an operation would give them; "username sets the username for alias pools", "sub can't be set". */
static struct idp_AttributeListType given_attributes(const struct newcomer *m)
{
    json_t *attributes = json_object_get(m->answer, "userAttributes"), *value;
    struct idp_AttributeListType list = {
        .set = true,
        .items = ARENA_ARRAY(m->call->arena, struct idp_AttributeType *, json_object_size(attributes)),
    };
    const char *name;
    json_object_foreach(attributes, name, value) {
        struct idp_AttributeType *one = ARENA_NEW(m->call->arena, struct idp_AttributeType);
        *one = (struct idp_AttributeType){ str_of(name), json_value_str(value) };
        if (strcmp(name, "username") != 0 && strcmp(name, "sub") != 0)
            list.items[list.n++] = one;
    }
    return list;
}

/* Another pool's sub goes on here, if it is free: what applications have stored about the person stays theirs. */
static gh_err keep_sub(const struct newcomer *m, struct user *user)
{
    struct str sub = json_str(m->answer, "sub");
    struct user other;
    bool taken;
    if (trigger_is_set(&m->client->pool, TRIGGER_USER_MIGRATION) || sub.len != user->sub.len)
        return NULL;
    gh_err err = store_user_find(m->call->db, NULL, m->call->arena, user->pool, USER_BY_SUB, sub, &other, &taken);
    if (err || taken)
        return err;
    if (pool_names_are_subs(&m->client->pool))
        user->folded = user->username = sub;
    user->sub = sub;
    return NULL;
}

/* "enableSMSMFA: true requires that the user has a phone number." */
static gh_err enrol(struct newcomer *m, struct user *user)
{
    if (!json_flag(m->answer, "enableSMSMFA", false))
        return NULL;
    if (!user_mfa_can(user, MFA_SMS))
        return gh_fail(m->call->arena, &idp_InvalidParameterException,
                       "User does not have delivery config set to turn on SMS_MFA");
    user_mfa_set(user, MFA_BIT(MFA_SMS), NULL);
    return NULL;
}

/* "finalUserStatus CONFIRMED: the password is stored and sign-in continues; otherwise RESET_REQUIRED". "Policy isn't
 * applied to the migrated password." */
static gh_err make(struct newcomer *m, struct user *user)
{
    static const char TAKEN[] = "User account already exists";
    struct call *call = m->call;
    const struct pool *pool = &m->client->pool;
    json_t *attributes = json_object_get(m->answer, "userAttributes");
    struct str named = json_str(attributes, "username");
    bool own_name = named.len && !pool_names_are_subs(pool);
    const struct idp_AttributeListType given = given_attributes(m);
    gh_err err = user_new(call, pool, own_name ? named : m->name, TAKEN, user);
    if (!err)
        err = keep_sub(m, user);
    if (!err)
        err = attributes_set(call, pool, NULL, user, &given, WRITER_ADMIN_CREATE);
    if (!err)
        err = enrol(m, user);
    if (!err && m->password.ptr)
        err = user_set_password(call, pool, user, m->password);
    if (err)
        return err;
    user->status = m->password.ptr && str_is(json_str(m->answer, "finalUserStatus"), "CONFIRMED") ? CONFIRMED
                                                                                                 : RESET_REQUIRED;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = user_insert(call, &tx, pool, user, json_flag(m->answer, "forceAliasCreation", false), TAKEN);
    if (!err)
        return tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}

static gh_err migrate(struct newcomer *m, json_t *validation, struct user *user, bool *made)
{
    gh_err err = ask(m, validation);
    *made = false;
    if (!err && !json_object_size(json_object_get(m->answer, "userAttributes")))
        return NULL;
    if (!err)
        err = make(m, user);
    *made = !err;
    if (err) /* the client does not get to hear why */
        log_at(LOG_WARN, "a user could not be migrated", { "pool", m->client->pool.id }, { "why", err->message });
    return err;
}

static bool applies(struct call *call, const struct client *client, struct str name, gh_err *err)
{
    struct user user;
    bool found = true;
    if (trigger_is_set(&client->pool, TRIGGER_USER_MIGRATION) || other_pool_is_set(&client->pool))
        *err = user_find(call, &client->pool, name, &user, &found);
    return !found && !*err;
}

static gh_err unknown(struct sign_in *s, gh_err why)
{
    gh_err err = sign_in_wrong_password(s);
    if (err->kind != &idp_NotAuthorizedException || s->client.hides_users)
        return err;
    return why ? gh_fail(s->call->arena, &idp_UserNotFoundException, "Exception migrating user in app client %.*s",
                         STR_FMT(s->client.id))
               : gh_fail(s->call->arena, &idp_UserNotFoundException, "User does not exist.");
}

gh_err trigger_migrate_sign_in(struct sign_in *s, struct str name, struct str password)
{
    struct newcomer m = { s->call, &s->client, name, password, NULL, NULL };
    struct user user;
    bool made;
    gh_err err = NULL;
    if (!applies(s->call, &s->client, name, &err))
        return err;
    err = sign_in_check_secret_hash(s, name);
    json_set_str(s->state, "name", name);
    if (!err)
        err = sign_in_guess(s);
    if (err)
        return err;
    err = migrate(&m, s->validation, &user, &made);
    if (!made)
        return unknown(s, err);
    guess_end(&s->guess);
    return NULL;
}

gh_err trigger_migrate_forgot(struct call *call, const struct client *client, struct str name, const json_t *metadata,
                              struct user *user, bool *found)
{
    struct newcomer m = { call, client, name, STR_NONE, metadata, NULL };
    gh_err err = NULL;
    if (!applies(call, client, name, &err))
        return err;
    err = migrate(&m, NULL, user, found);
    if (!err || client->hides_users)
        return NULL;
    return gh_fail(call->arena, &idp_UserNotFoundException, "Exception migrating user in app client %.*s",
                   STR_FMT(client->id));
}
