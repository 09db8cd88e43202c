#include "core/id.h"
#include "identity/iam/credentials/owner.h"
#include "identity/iam/credentials/status.h"
#include "identity/key_id.h"

enum { KEYS_PER_USER = 2 };

/* A key id that no key has. */
static gh_err new_id(struct call *call, struct str *id)
{
    for (;;) {
        struct str owner;
        *id = key_id_new(call->env, call->sealer, call->arena, "AKIA", call->account);
        gh_err err = access_key_owner(call->db, call->arena, *id, &owner);
        if (err || !owner.ptr)
            return err;
    }
}

gh_err iam_CreateAccessKey(struct call *call, const struct iam_CreateAccessKey_in *in,
                           struct iam_CreateAccessKey_out *out)
{
    struct access_key key = { .account = call->account, .status = STR("Active"), .created_us = call->now_us,
                              .secret = id_random(call->env, call->arena, 40, ID_SECRET) };
    struct access_keys keys;
    struct credential_owner owner = { 0 };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_owner(call, &tx, in->user_name, &owner);
    key.owner = owner.id;
    if (!err)
        err = access_key_list(call->db, &tx, call->sealer, call->arena, key.owner, &keys);
    if (!err && keys.n >= KEYS_PER_USER)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for AccessKeysPerUser: %d",
                      KEYS_PER_USER);
    if (!err)
        err = new_id(call, &key.id);
    if (!err)
        access_key_insert(&tx, call->sealer, &key);
    err = iam_finish(&tx, err);
    if (err)
        return err;
    principals_reload(iam_identity(call), call->arena, key.owner);
    out->access_key = ARENA_NEW(call->arena, struct iam_AccessKey);
    *out->access_key = (struct iam_AccessKey){ .user_name = owner.name, .access_key_id = key.id, .status = key.status,
                                               .secret_access_key = key.secret,
                                               .create_date = iam_time(key.created_us) };
    return NULL;
}

static struct str nth_id(const void *items, size_t i)
{
    return ((const struct access_key *)items)[i].id;
}

gh_err iam_ListAccessKeys(struct call *call, const struct iam_ListAccessKeys_in *in,
                          struct iam_ListAccessKeys_out *out)
{
    struct credential_owner owner = { 0 };
    struct access_keys keys;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = credential_owner(call, NULL, in->user_name, &owner);
    if (!err)
        err = access_key_list(call->db, NULL, call->sealer, call->arena, owner.id, &keys);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, keys.items, keys.n, nth_id);
    out->access_key_metadata = (struct iam_accessKeyMetadataListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_AccessKeyMetadata *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        const struct access_key *key = &keys.items[cut.first + i];
        out->access_key_metadata.items[i] = ARENA_NEW(call->arena, struct iam_AccessKeyMetadata);
        *out->access_key_metadata.items[i] = (struct iam_AccessKeyMetadata){
            .user_name = owner.name, .access_key_id = key->id, .status = key->status,
            .create_date = iam_time(key->created_us) };
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

static gh_err find_key(struct call *call, struct tx *tx, struct str user_name, struct str id, struct str *owner)
{
    struct credential_owner found = { 0 };
    struct access_keys keys;
    gh_err err = credential_owner(call, tx, user_name, &found);
    *owner = found.id;
    if (!err)
        err = access_key_list(call->db, tx, call->sealer, call->arena, *owner, &keys);
    for (size_t i = 0; !err && i < keys.n; i++)
        if (str_eq(keys.items[i].id, id))
            return NULL;
    return err ? err
               : gh_fail(call->arena, &iam_NoSuchEntityException, "The Access Key with id %.*s cannot be found.",
                         STR_FMT(id));
}

gh_err iam_UpdateAccessKey(struct call *call, const struct iam_UpdateAccessKey_in *in,
                           struct iam_UpdateAccessKey_out *out)
{
    (void)out;
    struct str owner = STR_NONE;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_status_check(call, in->status);
    if (!err)
        err = find_key(call, &tx, in->user_name, in->access_key_id, &owner);
    if (!err)
        access_key_set_status(&tx, in->access_key_id, in->status);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, owner);
    return err;
}

gh_err iam_DeleteAccessKey(struct call *call, const struct iam_DeleteAccessKey_in *in,
                           struct iam_DeleteAccessKey_out *out)
{
    (void)out;
    struct str owner = STR_NONE;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find_key(call, &tx, in->user_name, in->access_key_id, &owner);
    if (!err)
        access_key_delete(&tx, in->access_key_id);
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, owner);
    return err;
}
