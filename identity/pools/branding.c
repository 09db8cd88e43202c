/* CreateManagedLoginBranding, DescribeManagedLoginBranding, DescribeManagedLoginBrandingByClient,
 * UpdateManagedLoginBranding, DeleteManagedLoginBranding: how an app client's sign-in pages look. */
#include "core/id.h"
#include "core/json.h"
#include "identity/pools/image.h"
#include "identity/pools/record.h"
#include "wire/codec_json.h"

enum { MOST_ASSETS = 40, ONE = 1 };

static gh_err invalid(struct call *call, const char *message)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", message);
}

static gh_err check_settings(struct call *call, const json_t *settings)
{
    return !settings || json_is_object(settings) ? NULL : invalid(call, "Invalid settings provided. Settings is an object.");
}

static gh_err check_assets(struct call *call, const struct idp_AssetListType *assets)
{
    for (size_t i = 0; i < assets->n; i++) {
        const struct idp_AssetType *asset = assets->items[i];
        if (!asset->bytes.ptr && !asset->resource_id.ptr)
            return gh_fail(call->arena, &idp_InvalidParameterException, "Asset %.*s has neither Bytes nor ResourceId.",
                           STR_FMT(asset->category));
        const char *kind = asset->bytes.ptr ? image_kind(asset->bytes) : NULL;
        if (asset->bytes.ptr && (!kind || !str_is(asset->extension, kind)))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "Invalid asset provided. The bytes of %.*s are not %.*s.", STR_FMT(asset->category),
                           STR_FMT(asset->extension));
    }
    return NULL;
}

static bool same_asset(const struct idp_AssetType *a, const struct idp_AssetType *b)
{
    return str_eq(a->category, b->category) && str_eq(a->color_mode, b->color_mode) && str_eq(a->resource_id, b->resource_id);
}

/* "preserves existing style settings that you don't specify": an asset takes the place of the one it stands for. */
static gh_err merge_assets(struct call *call, struct idp_AssetListType *to, const struct idp_AssetListType *given)
{
    struct idp_AssetListType merged = { .set = true,
                                        .items = ARENA_ARRAY(call->arena, struct idp_AssetType *, to->n + given->n) };
    for (size_t i = 0; i < to->n; i++) {
        bool replaced = false;
        for (size_t j = 0; j < given->n; j++)
            replaced |= same_asset(to->items[i], given->items[j]);
        if (!replaced)
            merged.items[merged.n++] = to->items[i];
    }
    for (size_t i = 0; i < given->n; i++)
        merged.items[merged.n++] = given->items[i];
    *to = merged;
    return merged.n <= MOST_ASSETS ? NULL : invalid(call, "A managed login branding can have at most 40 assets.");
}

static struct pool_record row_of(struct call *call, const struct pool *pool, struct str client,
                                 const struct idp_ManagedLoginBrandingType *doc)
{
    return record_of(call, pool, RECORD_BRANDING, doc->managed_login_branding_id, client,
                     &idp_shape_ManagedLoginBrandingType, doc);
}

gh_err idp_CreateManagedLoginBranding(struct call *call, const struct idp_CreateManagedLoginBranding_in *in,
                                      struct idp_CreateManagedLoginBranding_out *out)
{
    struct pool pool;
    struct client client;
    struct pool_record *others;
    struct tx tx;
    size_t n;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = client_of_pool(call, &pool, in->client_id, &client);
    if (!err && in->use_cognito_provided_values.value == (in->settings != NULL))
        err = invalid(call, "useCognitoProvidedValues or settings should be specified (but not both)");
    if (!err)
        err = check_settings(call, in->settings);
    if (!err)
        err = check_assets(call, &in->assets);
    if (err)
        return err;
    struct idp_ManagedLoginBrandingType *doc = ARENA_NEW(call->arena, struct idp_ManagedLoginBrandingType);
    *doc = (struct idp_ManagedLoginBrandingType){
        .managed_login_branding_id = id_uuid(call->env, call->arena),
        .user_pool_id = pool.id,
        .use_cognito_provided_values = some_bool(in->use_cognito_provided_values.value),
        .settings = in->settings,
        .assets = in->assets,
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
    };
    doc->assets.set = true;
    const struct pool_record record = row_of(call, &pool, client.id, doc);
    tx_begin(&tx, call->db, call->arena);
    err = store_record_of_owner(call->db, &tx, call->arena, pool.id, RECORD_BRANDING, client.id, ONE, &others, &n);
    if (!err && n)
        err = gh_fail(call->arena, &idp_ManagedLoginBrandingExistsException,
                      "Managed login branding already exists for client %.*s.", STR_FMT(client.id));
    if (!err)
        store_record_insert(&tx, &record);
    out->managed_login_branding = doc;
    return record_end(&tx, err);
}

static gh_err not_found(struct call *call)
{
    return gh_fail(call->arena, &idp_ResourceNotFoundException, "Managed login branding does not exist.");
}

static gh_err load(struct call *call, struct str pool_id, struct str id, struct pool *pool, struct pool_record *record,
                   struct idp_ManagedLoginBrandingType **out)
{
    bool found;
    *out = ARENA_NEW(call->arena, struct idp_ManagedLoginBrandingType);
    gh_err err = pool_load(call, pool_id, pool);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool->id, RECORD_BRANDING, id, record, &found);
    if (!err && (!found || !shape_parse(call->arena, &idp_shape_ManagedLoginBrandingType, record->doc, *out)))
        return not_found(call);
    return err;
}

gh_err idp_DescribeManagedLoginBranding(struct call *call, const struct idp_DescribeManagedLoginBranding_in *in,
                                        struct idp_DescribeManagedLoginBranding_out *out)
{
    struct pool pool;
    struct pool_record record;
    return load(call, in->user_pool_id, in->managed_login_branding_id, &pool, &record, &out->managed_login_branding);
}

gh_err idp_DescribeManagedLoginBrandingByClient(struct call *call,
                                                const struct idp_DescribeManagedLoginBrandingByClient_in *in,
                                                struct idp_DescribeManagedLoginBrandingByClient_out *out)
{
    struct pool pool;
    struct client client;
    struct pool_record *rows;
    size_t n = 0;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = client_of_pool(call, &pool, in->client_id, &client);
    if (!err)
        err = store_record_of_owner(call->db, NULL, call->arena, pool.id, RECORD_BRANDING, client.id, ONE, &rows, &n);
    out->managed_login_branding = ARENA_NEW(call->arena, struct idp_ManagedLoginBrandingType);
    if (!err &&
        (!n || !shape_parse(call->arena, &idp_shape_ManagedLoginBrandingType, rows[0].doc, out->managed_login_branding)))
        return not_found(call);
    return err;
}

/* The model requires none of its members; without these two there is nothing to update. */
static gh_err check_named(struct call *call, const struct idp_UpdateManagedLoginBranding_in *in)
{
    const char *missing = !in->user_pool_id.ptr ? "userPoolId" : !in->managed_login_branding_id.ptr ? "managedLoginBrandingId" : NULL;
    return missing ? gh_fail(call->arena, &idp_InvalidParameterException,
                             "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not "
                             "be null",
                             missing)
                   : NULL;
}

gh_err idp_UpdateManagedLoginBranding(struct call *call, const struct idp_UpdateManagedLoginBranding_in *in,
                                      struct idp_UpdateManagedLoginBranding_out *out)
{
    struct pool pool;
    struct pool_record old;
    bool provided = in->use_cognito_provided_values.value;
    gh_err err = check_named(call, in);
    if (!err)
        err = load(call, in->user_pool_id, in->managed_login_branding_id, &pool, &old, &out->managed_login_branding);
    if (!err && provided && in->settings)
        err = invalid(call, "useCognitoProvidedValues or settings should be specified (but not both)");
    if (!err)
        err = check_settings(call, in->settings);
    if (!err)
        err = check_assets(call, &in->assets);
    if (err)
        return err;
    struct idp_ManagedLoginBrandingType *doc = out->managed_login_branding;
    if (provided)
        doc->settings = NULL;
    else if (in->settings && doc->settings)
        json_object_update_recursive(doc->settings, in->settings);
    else if (in->settings)
        doc->settings = in->settings;
    if (in->use_cognito_provided_values.set || in->settings)
        doc->use_cognito_provided_values = some_bool(provided);
    doc->last_modified_date = some_time_us(call->now_us);
    err = merge_assets(call, &doc->assets, &in->assets);
    const struct pool_record record = row_of(call, &pool, old.owner, doc);
    return err ? err : record_save(call, &record);
}

gh_err idp_DeleteManagedLoginBranding(struct call *call, const struct idp_DeleteManagedLoginBranding_in *in,
                                      struct idp_DeleteManagedLoginBranding_out *out)
{
    (void)out;
    struct pool pool;
    struct pool_record record;
    struct idp_ManagedLoginBrandingType *doc;
    gh_err err = load(call, in->user_pool_id, in->managed_login_branding_id, &pool, &record, &doc);
    return err ? err : record_drop(call, &pool, RECORD_BRANDING, record.name);
}
