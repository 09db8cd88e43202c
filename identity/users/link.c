/* AdminLinkProviderForUser, AdminDisableProviderForUser: whom an identity provider's user signs in as.
 *
 * A link is a record of the pool (provider, attribute and value lead to one user) and an entry of the user's attribute
 * `identities`. A federated user, named "Provider_value", has an entry of its own that is primary. */
#include "core/json.h"
#include "identity/pools/provider.h"
#include "identity/users/user.h"

enum { MOST_LINKED = 5 };

#define SUBJECT STR("Cognito_Subject")

static gh_err invalid(struct call *call, const char *message)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", message);
}

static struct str federated_name(struct call *call, const struct idp_ProviderUserIdentifierType *id)
{
    return str_printf(call->arena, "%.*s_%.*s", STR_FMT(id->provider_name), STR_FMT(id->provider_attribute_value));
}

/* With the length in it, since names and values may hold anything. */
static struct str link_name(struct call *call, const struct idp_ProviderUserIdentifierType *id)
{
    return str_printf(call->arena, "%.*s\n%zu:%.*s\n%.*s", STR_FMT(id->provider_name), id->provider_attribute_name.len,
                      STR_FMT(id->provider_attribute_name), STR_FMT(id->provider_attribute_value));
}

static json_t *identities_of(struct call *call, const struct user *user)
{
    json_t *list = json_parse(call->arena, user_attribute(user, "identities"), NULL);
    return json_is_array(list) ? list : json_own(call->arena, json_array());
}

static void set_identities(struct call *call, struct user *user, const json_t *list)
{
    if (json_array_size(list))
        json_set_str(user->attributes, "identities", json_print(call->arena, list));
    else
        json_object_del(user->attributes, "identities");
}

/* "DestinationUser: native {Cognito, username}, or a federated profile" */
static gh_err find_destination(struct call *call, const struct pool *pool,
                               const struct idp_ProviderUserIdentifierType *id, struct user *out)
{
    if (!id->provider_name.ptr || !id->provider_attribute_value.len)
        return invalid(call, "DestinationUser must have a ProviderName and a ProviderAttributeValue.");
    if (str_is(id->provider_name, "Cognito"))
        return user_load(call, pool, id->provider_attribute_value, out);
    return user_load(call, pool, federated_name(call, id), out);
}

static gh_err check_source(struct call *call, const struct pool *pool, const struct idp_ProviderUserIdentifierType *id,
                           struct idp_IdentityProviderType *provider)
{
    struct user signed_up;
    bool found;
    if (!id->provider_name.ptr || !id->provider_attribute_name.len || !id->provider_attribute_value.len)
        return invalid(call, "SourceUser must have a ProviderName, a ProviderAttributeName and a ProviderAttributeValue.");
    if (str_is(id->provider_name, "Cognito"))
        return invalid(call, "Invalid SourceUser: Cognito users with a username/password may not be passed in as a "
                             "SourceUser, only as a DestinationUser");
    gh_err err = provider_find(call, NULL, pool, id->provider_name, provider, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_InvalidParameterException, "The provider %.*s does not exist for User Pool %.*s.",
                       STR_FMT(id->provider_name), STR_FMT(pool->id));
    if (!err && !str_is(provider->provider_type, "SAML") && !str_eq(id->provider_attribute_name, SUBJECT))
        return invalid(call, "ProviderAttributeName must be Cognito_Subject for social and OIDC identity providers.");
    if (!err)
        err = user_find(call, pool, federated_name(call, id), &signed_up, &found);
    if (!err && found)
        return invalid(call, "Merging is not currently supported, provide a SourceUser that has not been signed up in order "
                             "to link");
    return err;
}

static size_t count_linked(const json_t *list)
{
    size_t i, n = 0;
    json_t *entry;
    json_array_foreach(list, i, entry)
        n += !json_flag(entry, "primary", false);
    return n;
}

static json_t *entry_of(struct call *call, const struct idp_ProviderUserIdentifierType *id,
                        const struct idp_IdentityProviderType *provider)
{
    json_t *entry = json_object();
    json_set_str(entry, "userId", id->provider_attribute_value);
    json_set_str(entry, "providerName", id->provider_name);
    json_set_str(entry, "providerType", provider->provider_type);
    json_object_set_new(entry, "issuer", json_null());
    json_set_flag(entry, "primary", false);
    json_set_i64(entry, "dateCreated", call->now_us / 1000);
    return entry;
}

static gh_err put_link(struct call *call, struct tx *tx, const struct pool *pool, struct user *user,
                       const struct idp_ProviderUserIdentifierType *source)
{
    struct pool_record other;
    bool found;
    gh_err err = store_record_find(call->db, tx, call->arena, pool->id, RECORD_LINK, link_name(call, source), &other, &found);
    if (err)
        return err;
    if (found && str_eq(other.owner, user->sub))
        return invalid(call, "SourceUser is already linked to DestinationUser");
    if (found)
        return gh_fail(call->arena, &idp_AliasExistsException, "Already found an entry for the provided username.");
    const struct pool_record link = { pool->id, STR(RECORD_LINK), link_name(call, source), user->sub, STR("{}"), call->now_us };
    store_record_insert(tx, &link);
    return user_save(call, tx, pool, user, false);
}

gh_err idp_AdminLinkProviderForUser(struct call *call, const struct idp_AdminLinkProviderForUser_in *in,
                                    struct idp_AdminLinkProviderForUser_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    struct idp_IdentityProviderType provider;
    struct tx tx;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = check_source(call, &pool, in->source_user, &provider);
    if (!err)
        err = find_destination(call, &pool, in->destination_user, &user);
    if (err)
        return err;
    json_t *list = identities_of(call, &user);
    if (count_linked(list) >= MOST_LINKED)
        return gh_fail(call->arena, &idp_LimitExceededException, "A user can have at most %d linked identities.", MOST_LINKED);
    json_array_append_new(list, entry_of(call, in->source_user, &provider));
    set_identities(call, &user, list);
    tx_begin(&tx, call->db, call->arena);
    return record_end(&tx, put_link(call, &tx, &pool, &user, in->source_user));
}

/* ---- disabling ---- */

/* "If the user is a native username + password user, they can't use their password to sign in." */
static gh_err disable_native(struct call *call, const struct pool *pool, struct str name)
{
    struct user user;
    struct tx tx;
    gh_err err = user_load(call, pool, name, &user);
    if (err)
        return err;
    user.salt = user.verifier = user.password = STR_NONE;
    user.password_us = 0;
    tx_begin(&tx, call->db, call->arena);
    return user_save_and_end_sessions(call, &tx, pool, &user);
}

static void forget_entry(json_t *list, const struct idp_ProviderUserIdentifierType *id)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *entry = json_array_get(list, i);
        if (str_eq(json_str(entry, "providerName"), id->provider_name) &&
            str_eq(json_str(entry, "userId"), id->provider_attribute_value))
            json_array_remove(list, i);
    }
}

static gh_err unlink_from(struct call *call, const struct pool *pool, const struct pool_record *link,
                          const struct idp_ProviderUserIdentifierType *id)
{
    struct user user;
    struct tx tx;
    bool found;
    gh_err err = store_user_find(call->db, NULL, call->arena, pool->id, USER_BY_SUB, link->owner, &user, &found);
    if (err)
        return err;
    if (!found)
        return record_drop(call, pool, RECORD_LINK, link->name);
    json_t *list = identities_of(call, &user);
    forget_entry(list, id);
    set_identities(call, &user, list);
    tx_begin(&tx, call->db, call->arena);
    store_record_delete(&tx, pool->id, RECORD_LINK, link->name);
    return user_save_and_end_sessions(call, &tx, pool, &user);
}

/* "If the user is a federated one and not linked, the profile is removed"; linked, only the link is. */
gh_err idp_AdminDisableProviderForUser(struct call *call, const struct idp_AdminDisableProviderForUser_in *in,
                                       struct idp_AdminDisableProviderForUser_out *out)
{
    (void)out;
    struct pool pool;
    struct pool_record link;
    struct user user;
    bool found;
    const struct idp_ProviderUserIdentifierType *id = in->user;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err && (!id->provider_name.ptr || !id->provider_attribute_name.len || !id->provider_attribute_value.len))
        err = invalid(call, "User must have a ProviderName, a ProviderAttributeName and a ProviderAttributeValue.");
    if (!err && str_is(id->provider_name, "Cognito"))
        return disable_native(call, &pool, id->provider_attribute_value);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_LINK, link_name(call, id), &link, &found);
    if (err)
        return err;
    if (found)
        return unlink_from(call, &pool, &link, id);
    err = user_load(call, &pool, federated_name(call, id), &user);
    return err ? err : user_delete(call, &pool, &user);
}
