#include "identity/users/user.h"
#include "identity/users/merge.h"

#include "core/id.h"
#include "core/json.h"
#include "identity/signin/mfa.h"
#include "identity/tokens/revocation.h"
#include "wire/audit.h"

gh_err user_find(struct call *call, const struct pool *pool, struct str name, struct user *out, bool *found)
{
    struct str folded = pool_fold(call, pool, name);
    gh_err err = store_user_find(call->db, NULL, call->arena, pool->id, USER_BY_NAME, folded, out, found);
    if (!err && !*found)
        err = store_user_find(call->db, NULL, call->arena, pool->id, USER_BY_ALIAS, folded, out, found);
    if (!err && *found)
        audit_note_str(call, "sub", out->sub);
    return err;
}

gh_err user_load(struct call *call, const struct pool *pool, struct str name, struct user *out)
{
    bool found;
    gh_err err = user_find(call, pool, name, out, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_UserNotFoundException, "User does not exist.");
    return err;
}

gh_err admin_user_load(struct call *call, struct str pool_id, struct str name, struct pool *pool,
                       struct user *out)
{
    gh_err err = pool_load(call, pool_id, pool);
    return err ? err : user_load(call, pool, name, out);
}

/* "Username should be an email." and its kin. */
static gh_err check_name(struct call *call, const struct pool *pool, struct str name)
{
    bool by_email = pool_signs_in_by(pool, "email"), by_phone = pool_signs_in_by(pool, "phone_number");
    if ((by_email || by_phone) && !(by_email && is_email(name)) && !(by_phone && is_phone_number(name)))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Username should be %s.",
                       by_email && by_phone ? "either an email or a phone number"
                       : by_email           ? "an email"
                                            : "a phone number");
    if (pool_has_alias(pool, "email") && is_email(name))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Username cannot be of email format, since user pool is configured for email alias.");
    if (pool_has_alias(pool, "phone_number") && is_phone_number(name))
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Username cannot be of phone number format, since user pool is configured for phone number "
            "alias.");
    return NULL;
}

gh_err user_new(struct call *call, const struct pool *pool, struct str name, const char *taken,
                struct user *out)
{
    gh_err err = check_name(call, pool, name);
    if (err)
        return err;
    struct str sub = id_uuid(call->env, call->arena);
    bool found;
    err = user_find(call, pool, name, out, &found);
    if (err)
        return err;
    if (found)
        return gh_fail(call->arena, &idp_UsernameExistsException, "%s", taken);
    *out = (struct user){
        .pool = pool->id,
        .folded = pool_names_are_subs(pool) ? sub : pool_fold(call, pool, name),
        .sub = sub,
        .username = pool_names_are_subs(pool) ? sub : name,
        .status = UNCONFIRMED,
        .enabled = true,
        .created_us = call->now_us,
        .modified_us = call->now_us,
        .attributes = json_own(call->arena, json_object()),
        .more = json_own(call->arena, json_object()),
    };
    if (pool_names_are_subs(pool))
        json_set_str(out->attributes, is_email(name) ? "email" : "phone_number", name);
    return NULL;
}

struct str user_attribute(const struct user *user, const char *name)
{
    return json_str(user->attributes, name);
}

bool user_has_verified(const struct user *user, const char *attribute)
{
    const char *flag = strcmp(attribute, "email") == 0 ? "email_verified" : "phone_number_verified";
    return user_attribute(user, attribute).len > 0 && str_is(user_attribute(user, flag), "true");
}

/* "alias usable only once verified (preferred_username at once)"; "UsernameAttributes: sign-in with
 * attribute immediately, verified or not". */
bool user_is_also(const struct pool *pool, const struct user *user, const char *attribute)
{
    if (!user_attribute(user, attribute).len)
        return false;
    if (pool_signs_in_by(pool, attribute))
        return true;
    if (!pool_has_alias(pool, attribute))
        return false;
    return strcmp(attribute, "preferred_username") == 0 || user_has_verified(user, attribute);
}

/* "will migrate the alias from the previous user": whose address is unverified from now on, or whose name is gone. */
static gh_err take_from(struct call *call, struct tx *tx, const struct pool *pool, struct str owner, const char *attribute)
{
    struct user previous;
    bool found;
    gh_err err = store_user_find(call->db, tx, call->arena, pool->id, USER_BY_SUB, owner, &previous, &found);
    if (err || !found)
        return err;
    if (pool_signs_in_by(pool, attribute) || strcmp(attribute, "preferred_username") == 0)
        json_object_del(previous.attributes, attribute);
    else
        json_set_str(previous.attributes, strcmp(attribute, "email") == 0 ? "email_verified" : "phone_number_verified",
                     STR("false"));
    previous.modified_us = call->now_us;
    store_user_update(tx, &previous);
    return NULL;
}

/* Is the alias somebody's user name? Addresses cannot be: user names are not of their shape. */
static gh_err check_no_username(struct call *call, struct tx *tx, const struct pool *pool, const struct user *user,
                                struct str value)
{
    struct user other;
    bool found;
    gh_err err = store_user_find(call->db, tx, call->arena, pool->id, USER_BY_NAME, value, &other, &found);
    if (!err && found && !str_eq(other.sub, user->sub))
        return gh_fail(call->arena, &idp_AliasExistsException, "Already found an entry for the provided username.");
    return err;
}

gh_err user_put_names(struct call *call, struct tx *tx, const struct pool *pool, const struct user *user,
                        bool force, const struct gh_kind *kind)
{
    static const char *const attributes[] = { "email", "phone_number", "preferred_username" };
    store_alias_drop(tx, pool->id, user->sub);
    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (!user_is_also(pool, user, attributes[i]))
            continue;
        struct str value = pool_fold(call, pool, user_attribute(user, attributes[i])), owner;
        gh_err err = store_alias_owner(tx, call->arena, pool->id, value, &owner);
        bool taken = owner.ptr && !str_eq(owner, user->sub);
        if (!err && taken && !force)
            err = gh_fail(call->arena, kind, "An account with the given %s already exists.", attributes[i]);
        if (!err && taken)
            err = take_from(call, tx, pool, owner, attributes[i]);
        if (!err && strcmp(attributes[i], "preferred_username") == 0)
            err = check_no_username(call, tx, pool, user, value);
        if (err)
            return err;
        store_alias_put(tx, pool->id, value, str_of(attributes[i]), user->sub);
    }
    return NULL;
}

gh_err user_insert(struct call *call, struct tx *tx, const struct pool *pool, const struct user *user,
                   bool force_alias, const char *taken)
{
    store_user_insert(tx, user);
    if (tx->err)
        return tx->err;
    if (tx->changes == 0)
        return gh_fail(call->arena, &idp_UsernameExistsException, "%s", taken);
    return user_put_names(call, tx, pool, user, force_alias,
                     pool_names_are_subs(pool) ? &idp_UsernameExistsException : &idp_AliasExistsException);
}

gh_err user_save(struct call *call, struct tx *tx, const struct pool *pool, struct user *user,
                 bool force_alias)
{
    gh_err err = user_merge(call, tx, user);
    if (err)
        return err;
    user->modified_us = call->now_us;
    store_user_update(tx, user);
    return user_put_names(call, tx, pool, user, force_alias, &idp_AliasExistsException);
}

gh_err user_save_alone(struct call *call, const struct pool *pool, struct user *user)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = user_save(call, &tx, pool, user, false);
    if (!err)
        return tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}

gh_err user_save_and_end_sessions(struct call *call, struct tx *tx, const struct pool *pool,
                                  struct user *user)
{
    struct revocations *revocations = pools_of(call)->revocations;
    int64_t stamp = revocation_stamp(revocations, call->now_us);
    gh_err err = user_save(call, tx, pool, user, false);
    store_revoke_user(tx, pool->id, user->sub, stamp);
    if (err) {
        tx_rollback(tx);
        return err;
    }
    err = tx_commit(tx);
    if (!err)
        revocation_publish_user(revocations, pool->id, user->sub, stamp);
    return err;
}

static bool wants(const struct idp_SearchedAttributeNamesListType *wanted, struct str name)
{
    for (size_t i = 0; wanted && i < wanted->n; i++)
        if (str_eq(wanted->items[i], name))
            return true;
    return !wanted || !wanted->set;
}

static void show(struct call *call, struct idp_AttributeListType *list, struct str name, struct str value)
{
    struct idp_AttributeType *attribute = ARENA_NEW(call->arena, struct idp_AttributeType);
    *attribute = (struct idp_AttributeType){ name, value };
    list->items[list->n++] = attribute;
}

struct idp_AttributeListType user_attributes_shown(struct call *call, const struct user *user,
                                                   const struct client *client,
                                                   const struct idp_SearchedAttributeNamesListType *wanted)
{
    struct idp_AttributeListType list = {
        .set = true,
        .items = ARENA_ARRAY(call->arena, struct idp_AttributeType *, json_object_size(user->attributes) + 1),
    };
    const char *name;
    json_t *value;
    json_object_foreach(user->attributes, name, value)
        if (wants(wanted, str_of(name)) && (!client || client_may_read(client, str_of(name))))
            show(call, &list, str_of(name), json_value_str(value));
    if (wants(wanted, STR("sub")))
        show(call, &list, STR("sub"), user->sub);
    return list;
}

struct idp_UserType *user_shown(struct call *call, const struct user *user,
                                const struct idp_SearchedAttributeNamesListType *wanted)
{
    struct idp_UserType *shown = ARENA_NEW(call->arena, struct idp_UserType);
    *shown = (struct idp_UserType){
        .username = user->username,
        .attributes = user_attributes_shown(call, user, NULL, wanted),
        .user_create_date = some_time_us(user->created_us),
        .user_last_modified_date = some_time_us(user->modified_us),
        .enabled = some_bool(user->enabled),
        .user_status = user->status,
        .mfa_options = user_mfa_options(call, user),
    };
    return shown;
}

struct idp_UserType *user_shown_kept(struct call *call, const struct user *user,
                                     const struct idp_SearchedAttributeNamesListType *wanted)
{
    struct user kept = *user;
    kept.username = str_copy(call->arena, user->username);
    kept.sub = str_copy(call->arena, user->sub);
    kept.status = str_copy(call->arena, user->status);
    kept.attributes = json_own(call->arena, json_incref(user->attributes));
    return user_shown(call, &kept, wanted);
}
