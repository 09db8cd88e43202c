/* CreateIdentityProvider, DescribeIdentityProvider, GetIdentityProviderByIdentifier, UpdateIdentityProvider,
 * ListIdentityProviders, DeleteIdentityProvider. */
#include "identity/pools/provider.h"

#include "wire/codec_json.h"

enum { MOST_PROVIDERS = 300, PAGE = 60 };

static struct str secret_place(struct call *call, const struct pool *pool, struct str name)
{
    return str_printf(call->arena, "pool-provider/%.*s/%.*s", STR_FMT(pool->id), STR_FMT(name));
}

/* Secrets among the details, sealed or opened, in a copy of the map. False: one does not open. */
static bool turn_secrets(struct call *call, const struct pool *pool, struct idp_IdentityProviderType *provider,
                         bool to_sealed)
{
    struct str place = secret_place(call, pool, provider->provider_name);
    struct idp_ProviderDetailsType given = provider->provider_details;
    provider->provider_details.items = arena_zalloc(call->arena, given.n * sizeof *given.items);
    for (size_t i = 0; i < given.n; i++) {
        struct idp_ProviderDetailsType_entry *to = &provider->provider_details.items[i];
        *to = given.items[i];
        if (!provider_detail_is_secret(to->key))
            continue;
        if (to_sealed)
            to->value = seal(call->sealer, call->arena, place, given.items[i].value);
        else if (!unseal(call->sealer, call->arena, place, given.items[i].value, &to->value))
            return false;
    }
    return true;
}

gh_err provider_find(struct call *call, struct tx *tx, const struct pool *pool, struct str name,
                     struct idp_IdentityProviderType *out, bool *found)
{
    gh_err err = record_find(call, tx, pool, RECORD_PROVIDER, name, &idp_shape_IdentityProviderType, out, found);
    if (!err && *found && !turn_secrets(call, pool, out, false))
        return gh_fail(call->arena, &GH_INTERNAL, "A secret of identity provider %.*s does not open.", STR_FMT(name));
    return err;
}

gh_err provider_load(struct call *call, const struct pool *pool, struct str name, struct idp_IdentityProviderType *out)
{
    bool found;
    gh_err err = provider_find(call, NULL, pool, name, out, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Identity provider %.*s does not exist.", STR_FMT(name));
    return err;
}

/* Writes the record and its identifiers anew. An identifier leads to one provider of the pool. */
static gh_err put(struct call *call, struct tx *tx, const struct pool *pool, const struct idp_IdentityProviderType *provider)
{
    struct idp_IdentityProviderType kept = *provider;
    turn_secrets(call, pool, &kept, true);
    struct pool_record record = record_of(call, pool, RECORD_PROVIDER, provider->provider_name, STR_NONE,
                                          &idp_shape_IdentityProviderType, &kept);
    store_record_put(tx, &record);
    store_record_delete_of_owner(tx, pool->id, RECORD_PROVIDER_ID, provider->provider_name);
    for (size_t i = 0; i < provider->idp_identifiers.n; i++) {
        struct str identifier = provider->idp_identifiers.items[i];
        const struct pool_record row = { pool->id, STR(RECORD_PROVIDER_ID), identifier, provider->provider_name, STR("{}"),
                                         call->now_us };
        store_record_insert(tx, &row);
        if (!tx->err && tx->changes == 0)
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "The identifier %.*s is already in use by an identity provider of this user pool.",
                           STR_FMT(identifier));
    }
    return NULL;
}

static gh_err put_new(struct call *call, struct tx *tx, const struct pool *pool,
                      const struct idp_IdentityProviderType *provider)
{
    struct pool_record old;
    bool found;
    int64_t n;
    gh_err err = store_record_find(call->db, tx, call->arena, pool->id, RECORD_PROVIDER, provider->provider_name, &old, &found);
    if (!err && found)
        err = gh_fail(call->arena, &idp_DuplicateProviderException, "Provider %.*s already exists in the user pool.",
                      STR_FMT(provider->provider_name));
    if (!err)
        err = store_record_count(tx, pool->id, RECORD_PROVIDER, &n);
    if (!err && n >= MOST_PROVIDERS)
        err = gh_fail(call->arena, &idp_LimitExceededException, "A user pool can have at most %d identity providers.",
                      MOST_PROVIDERS);
    return err ? err : put(call, tx, pool, provider);
}

gh_err idp_CreateIdentityProvider(struct call *call, const struct idp_CreateIdentityProvider_in *in,
                                  struct idp_CreateIdentityProvider_out *out)
{
    struct pool pool;
    struct tx tx;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    struct idp_IdentityProviderType *provider = ARENA_NEW(call->arena, struct idp_IdentityProviderType);
    *provider = (struct idp_IdentityProviderType){
        .user_pool_id = pool.id,
        .provider_name = in->provider_name,
        .provider_type = in->provider_type,
        .provider_details = in->provider_details,
        .attribute_mapping = in->attribute_mapping,
        .idp_identifiers = in->idp_identifiers,
        .acr_mapping = in->acr_mapping,
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
    };
    err = provider_check(call, &pool, provider);
    if (err)
        return err;
    provider_complete(call, provider);
    tx_begin(&tx, call->db, call->arena);
    out->identity_provider = provider;
    return record_end(&tx, put_new(call, &tx, &pool, provider));
}

gh_err idp_DescribeIdentityProvider(struct call *call, const struct idp_DescribeIdentityProvider_in *in,
                                    struct idp_DescribeIdentityProvider_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    out->identity_provider = ARENA_NEW(call->arena, struct idp_IdentityProviderType);
    return err ? err : provider_load(call, &pool, in->provider_name, out->identity_provider);
}

gh_err idp_GetIdentityProviderByIdentifier(struct call *call, const struct idp_GetIdentityProviderByIdentifier_in *in,
                                           struct idp_GetIdentityProviderByIdentifier_out *out)
{
    struct pool pool;
    struct pool_record row;
    bool found;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_PROVIDER_ID, in->idp_identifier, &row, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Identity provider with identifier %.*s does not exist.",
                       STR_FMT(in->idp_identifier));
    out->identity_provider = ARENA_NEW(call->arena, struct idp_IdentityProviderType);
    return err ? err : provider_load(call, &pool, row.owner, out->identity_provider);
}

/* A part that is given replaces the whole part: details, mapping, identifiers. */
gh_err idp_UpdateIdentityProvider(struct call *call, const struct idp_UpdateIdentityProvider_in *in,
                                  struct idp_UpdateIdentityProvider_out *out)
{
    struct pool pool;
    struct tx tx;
    struct idp_IdentityProviderType *provider = ARENA_NEW(call->arena, struct idp_IdentityProviderType);
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = provider_load(call, &pool, in->provider_name, provider);
    if (err)
        return err;
    if (in->provider_details.set)
        provider->provider_details = in->provider_details;
    if (in->attribute_mapping.set)
        provider->attribute_mapping = in->attribute_mapping;
    if (in->idp_identifiers.set)
        provider->idp_identifiers = in->idp_identifiers;
    if (in->acr_mapping.set)
        provider->acr_mapping = in->acr_mapping;
    provider->last_modified_date = some_time_us(call->now_us);
    err = provider_check(call, &pool, provider);
    if (err)
        return err;
    provider_complete(call, provider);
    tx_begin(&tx, call->db, call->arena);
    out->identity_provider = provider;
    return record_end(&tx, put(call, &tx, &pool, provider));
}

gh_err idp_ListIdentityProviders(struct call *call, const struct idp_ListIdentityProviders_in *in,
                                 struct idp_ListIdentityProviders_out *out)
{
    struct pool pool;
    struct pool_record *rows;
    size_t n;
    int64_t limit = in->max_results.set && in->max_results.value ? in->max_results.value : PAGE;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = record_page(call, &pool, RECORD_PROVIDER, in->next_token, limit, &rows, &n, &out->next_token);
    if (err)
        return err;
    out->providers.set = true;
    out->providers.items = ARENA_ARRAY(call->arena, struct idp_ProviderDescription *, n);
    for (size_t i = 0; i < n; i++) {
        struct idp_IdentityProviderType doc;
        if (!shape_parse(call->arena, &idp_shape_IdentityProviderType, rows[i].doc, &doc))
            continue;
        struct idp_ProviderDescription *item = ARENA_NEW(call->arena, struct idp_ProviderDescription);
        *item = (struct idp_ProviderDescription){ doc.provider_name, doc.provider_type, doc.last_modified_date,
                                                  doc.creation_date };
        out->providers.items[out->providers.n++] = item;
    }
    return NULL;
}

gh_err idp_DeleteIdentityProvider(struct call *call, const struct idp_DeleteIdentityProvider_in *in,
                                  struct idp_DeleteIdentityProvider_out *out)
{
    (void)out;
    struct pool pool;
    struct tx tx;
    struct idp_IdentityProviderType provider;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = provider_load(call, &pool, in->provider_name, &provider);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    store_record_delete(&tx, pool.id, RECORD_PROVIDER, in->provider_name);
    store_record_delete_of_owner(&tx, pool.id, RECORD_PROVIDER_ID, in->provider_name);
    return tx_commit(&tx);
}
