/* CreateUserPool, DescribeUserPool, UpdateUserPool, ListUserPools, DeleteUserPool, AddCustomAttributes. */
#include "identity/pools/pool.h"

#include "core/id.h"
#include "identity/pools/acr.h"
#include "identity/pools/domain.h"
#include "identity/pools/limits.h"
#include "identity/signin/mfa.h"
#include "identity/users/import.h"
#include "identity/tokens/revocation.h"
#include "identity/store/pool.h"
#include "wire/shape_memo.h"
#include "wire/audit.h"

static gh_err not_found(struct call *call, struct str id)
{
    return gh_fail(call->arena, &idp_ResourceNotFoundException, "User pool %.*s does not exist.",
                   STR_FMT(id));
}

/* For those who only read it is decoded once, for those who change it each time. */
static struct idp_UserPoolType *decoded(struct call *call, const struct pool_row *row, bool shared)
{
    if (shared)
        return (void *)(uintptr_t)shape_memo_get(pools_of(call)->pool_docs, call->arena, row->id, row->doc);
    struct idp_UserPoolType *doc = ARENA_NEW(call->arena, struct idp_UserPoolType);
    return shape_parse(call->arena, &idp_shape_UserPoolType, row->doc, doc) ? doc : NULL;
}

static gh_err find(struct call *call, struct tx *tx, struct str id, bool shared, struct pool *out)
{
    struct pool_row row;
    bool found;
    gh_err err = store_pool_find(call->db, tx, call->arena, id, &row, &found);
    if (err)
        return err;
    if (!found)
        return not_found(call, id);
    err = call_limits_take(call, row.account, row.region);
    if (err)
        return err;
    struct idp_UserPoolType *doc = decoded(call, &row, shared);
    if (!doc)
        return gh_fail(call->arena, &GH_INTERNAL, "The record of user pool %.*s is damaged.", STR_FMT(id));
    json_t *more = row.more.ptr ? json_parse(call->arena, row.more, NULL) : NULL;
    *out = (struct pool){
        .id = row.id,
        .account = row.account,
        .region = row.region,
        .name = str_from(row.id, (size_t)str_find(row.id, '_') + 1),
        .doc = doc,
        .more = more ? more : json_own(call->arena, json_object()),
        .case_sensitive = !doc->username_configuration || doc->username_configuration->case_sensitive.value,
    };
    return NULL;
}

gh_err pool_find(struct call *call, struct str id, struct pool *out)
{
    gh_err err = find(call, NULL, id, true, out);
    if (!err) /* nobody has signed: the record is the pool's account's */
        audit_account(call, out->account);
    return err;
}

gh_err pool_load(struct call *call, struct str id, struct pool *out)
{
    return pool_load_in(call, NULL, id, out);
}

gh_err pool_load_in(struct call *call, struct tx *tx, struct str id, struct pool *out)
{
    gh_err err = find(call, tx, id, false, out);
    if (!err && (!str_eq(out->account, call->account) || !str_eq(out->region, call->region)))
        return not_found(call, id);
    return err;
}

struct str pool_fold(struct call *call, const struct pool *pool, struct str name)
{
    return pool->case_sensitive ? name : str_lower(call->arena, name);
}

static bool lists(size_t n, const struct str *items, const char *attribute)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(items[i], attribute))
            return true;
    return false;
}

bool pool_signs_in_by(const struct pool *pool, const char *attribute)
{
    return lists(pool->doc->username_attributes.n, pool->doc->username_attributes.items, attribute);
}

bool pool_has_alias(const struct pool *pool, const char *attribute)
{
    return lists(pool->doc->alias_attributes.n, pool->doc->alias_attributes.items, attribute);
}

bool pool_auto_verifies(const struct pool *pool, const char *attribute)
{
    return lists(pool->doc->auto_verified_attributes.n, pool->doc->auto_verified_attributes.items, attribute);
}

const struct idp_SchemaAttributeType *pool_attribute(const struct pool *pool, struct str name)
{
    for (size_t i = 0; i < pool->doc->schema_attributes.n; i++)
        if (str_eq(pool->doc->schema_attributes.items[i]->name, name))
            return pool->doc->schema_attributes.items[i];
    return NULL;
}

static struct str doc_text(struct call *call, const struct idp_UserPoolType *doc)
{
    return shape_print(call->arena, &idp_shape_UserPoolType, doc);
}

gh_err idp_CreateUserPool(struct call *call, const struct idp_CreateUserPool_in *in,
                          struct idp_CreateUserPool_out *out)
{
    gh_err err = call_limits_take(call, call->account, call->region);
    if (err)
        return err;
    struct str id = str_printf(call->arena, "%.*s_%s", STR_FMT(call->region),
                               id_random(call->env, call->arena, 9, ID_ALNUM).ptr);
    struct idp_UserPoolType *doc = ARENA_NEW(call->arena, struct idp_UserPoolType);
    *doc = (struct idp_UserPoolType){
        .id = id,
        .name = in->pool_name,
        .arn =
            str_printf(call->arena, "arn:%.*s:cognito-idp:%.*s:%.*s:userpool/%.*s", STR_FMT(call->partition),
                       STR_FMT(call->region), STR_FMT(call->account), STR_FMT(id)),
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
        .policies = in->policies,
        .deletion_protection = in->deletion_protection,
        .lambda_config = in->lambda_config,
        .auto_verified_attributes = in->auto_verified_attributes,
        .alias_attributes = in->alias_attributes,
        .username_attributes = in->username_attributes,
        .sms_verification_message = in->sms_verification_message,
        .email_verification_message = in->email_verification_message,
        .email_verification_subject = in->email_verification_subject,
        .user_attribute_update_settings = in->user_attribute_update_settings,
        .verification_message_template = in->verification_message_template,
        .sms_authentication_message = in->sms_authentication_message,
        .mfa_configuration = in->mfa_configuration,
        .email_configuration = in->email_configuration,
        .sms_configuration = in->sms_configuration,
        .device_configuration = in->device_configuration,
        .user_pool_tags = in->user_pool_tags,
        .admin_create_user_config = in->admin_create_user_config,
        .username_configuration = in->username_configuration,
        .account_recovery_setting = in->account_recovery_setting,
        .user_pool_tier = in->user_pool_tier,
        .acr_configuration = in->acr_configuration,
        .key_configuration = in->key_configuration,
        .issuer_configuration = in->issuer_configuration,
        .user_pool_add_ons = in->user_pool_add_ons,
    };
    pool_set_defaults(call, doc);
    err = pool_check_settings(call, doc, NULL);
    if (!err)
        err = pool_schema(call, &in->schema, &doc->schema_attributes);
    if (err)
        return err;

    struct stored_key keys[KEY_USES];
    if (!key_stock_take(pools_of(call)->stock, call->arena, keys))
        return gh_fail(call->arena, &GH_INTERNAL, "A signing key could not be made.");
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    const struct pool_row row = { id,
                                  call->account,
                                  call->region,
                                  doc_text(call, doc),
                                  json_print(call->arena, pool_mfa_after(call, doc, NULL)),
                                  call->now_us };
    store_pool_insert(&tx, &row);
    for (int use = 0; use < KEY_USES; use++) {
        keys[use].from_s = call->now_us / 1000000;
        store_key_put(&tx, &keys[use], id, key_use_name((enum key_use)use));
    }
    err = tx_commit(&tx);
    if (err)
        return err;
    pool_directory_add(pools_of(call), id, call->account, call->region, keys);
    doc->estimated_number_of_users = some_i64(0);
    acr_fill(call, doc);
    out->user_pool = doc;
    return NULL;
}

gh_err idp_DescribeUserPool(struct call *call, const struct idp_DescribeUserPool_in *in,
                            struct idp_DescribeUserPool_out *out)
{
    struct pool pool;
    int64_t users = 0;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = store_pool_users(call->db, call->arena, pool.id, &users);
    if (err)
        return err;
    pool.doc->estimated_number_of_users = some_i64(users);
    acr_fill(call, pool.doc);
    out->user_pool = pool.doc;
    return domains_of_pool(call, NULL, &pool, &pool.doc->domain, &pool.doc->custom_domain);
}

/* "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value." */
gh_err idp_UpdateUserPool(struct call *call, const struct idp_UpdateUserPool_in *in,
                          struct idp_UpdateUserPool_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    const struct idp_UserPoolType *old = pool.doc;
    struct idp_UserPoolType doc = {
        .id = old->id,
        .name = in->pool_name.ptr ? in->pool_name : old->name,
        .arn = old->arn,
        .creation_date = old->creation_date,
        .last_modified_date = some_time_us(call->now_us),
        .schema_attributes = old->schema_attributes,
        .alias_attributes = old->alias_attributes,
        .username_attributes = old->username_attributes,
        .username_configuration = old->username_configuration,
        .policies = in->policies,
        .deletion_protection = in->deletion_protection,
        .lambda_config = in->lambda_config,
        .auto_verified_attributes = in->auto_verified_attributes,
        .sms_verification_message = in->sms_verification_message,
        .email_verification_message = in->email_verification_message,
        .email_verification_subject = in->email_verification_subject,
        .user_attribute_update_settings = in->user_attribute_update_settings,
        .verification_message_template = in->verification_message_template,
        .sms_authentication_message = in->sms_authentication_message,
        .mfa_configuration = in->mfa_configuration,
        .email_configuration = in->email_configuration,
        .sms_configuration = in->sms_configuration,
        .device_configuration = in->device_configuration,
        .user_pool_tags = in->user_pool_tags.set ? in->user_pool_tags : old->user_pool_tags,
        .admin_create_user_config = in->admin_create_user_config,
        .account_recovery_setting = in->account_recovery_setting,
        .user_pool_tier = in->user_pool_tier.ptr ? in->user_pool_tier : old->user_pool_tier,
        .acr_configuration = in->acr_configuration,
        .key_configuration = in->key_configuration,
        .issuer_configuration = in->issuer_configuration,
        .user_pool_add_ons = in->user_pool_add_ons,
    };
    pool_set_defaults(call, &doc);
    err = pool_check_settings(call, &doc, pool.more);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = import_check_idle(call, &tx, &pool);
    if (!err)
        store_pool_update(&tx, pool.id, doc_text(call, &doc));
    json_t *more = pool_mfa_after(call, &doc, pool.more);
    if (!err && !json_equal(more, pool.more))
        store_pool_update_more(&tx, pool.id, json_print(call->arena, more));
    return record_end(&tx, err);
}

gh_err idp_ListUserPools(struct call *call, const struct idp_ListUserPools_in *in,
                         struct idp_ListUserPools_out *out)
{
    struct pool_row *rows;
    size_t n;
    struct str after;
    int64_t limit = in->max_results.value;
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = page_open(call, "pools", STR(""), in->next_token, &after);
    if (!err)
        err =
            store_pool_list(call->db, call->arena, call->account, call->region, after, limit + 1, &rows, &n);
    if (err)
        return err;
    bool more = n > (size_t)limit;
    n -= more;
    out->user_pools.set = true;
    out->user_pools.items = ARENA_ARRAY(call->arena, struct idp_UserPoolDescriptionType *, n);
    for (size_t i = 0; i < n; i++) {
        struct idp_UserPoolType doc;
        if (!shape_parse(call->arena, &idp_shape_UserPoolType, rows[i].doc, &doc))
            continue;
        struct idp_UserPoolDescriptionType *item = ARENA_NEW(call->arena, struct idp_UserPoolDescriptionType);
        *item = (struct idp_UserPoolDescriptionType){
            .id = doc.id,
            .name = doc.name,
            .lambda_config = doc.lambda_config,
            .creation_date = doc.creation_date,
            .last_modified_date = doc.last_modified_date,
        };
        out->user_pools.items[out->user_pools.n++] = item;
    }
    if (more)
        out->next_token = page_token(call, "pools", STR(""), rows[n - 1].id);
    return NULL;
}

gh_err idp_DeleteUserPool(struct call *call, const struct idp_DeleteUserPool_in *in,
                          struct idp_DeleteUserPool_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    if (str_is(pool.doc->deletion_protection, "ACTIVE"))
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection "
            "must be inactivated first.");
    struct tx tx;
    struct str prefix, custom;
    tx_begin(&tx, call->db, call->arena);
    err = import_check_idle(call, &tx, &pool);
    if (!err)
        err = domains_of_pool(call, &tx, &pool, &prefix, &custom);
    if (!err && (prefix.ptr || custom.ptr))
        err =
            gh_fail(call->arena, &idp_InvalidParameterException,
                    "User pool cannot be deleted. It has a domain configured that should be deleted first.");
    if (!err)
        store_pool_delete(&tx, pool.id);
    err = record_end(&tx, err);
    if (!err)
        pool_directory_remove(pools_of(call), pool.id);
    return err;
}

gh_err idp_AddCustomAttributes(struct call *call, const struct idp_AddCustomAttributes_in *in,
                               struct idp_AddCustomAttributes_out *out)
{
    (void)out;
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = pool_schema_add(call, &pool, &in->custom_attributes);
    if (err)
        return err;
    pool.doc->last_modified_date = some_time_us(call->now_us);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = import_check_idle(call, &tx, &pool);
    if (!err)
        store_pool_update(&tx, pool.id, doc_text(call, pool.doc));
    return record_end(&tx, err);
}
