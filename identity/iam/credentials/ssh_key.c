/* SSH public keys of users. */
#include "core/id.h"
#include "identity/iam/credentials/ssh_public_key.h"
#include "identity/iam/credentials/status.h"
#include "identity/store/user_key.h"

enum { PER_USER = 5 };

static gh_err check(struct call *call, struct str body, struct ssh_public_key *key)
{
    switch (ssh_public_key_read(call->arena, body, key)) {
    case SSH_KEY_UNRECOGNIZED:
        return gh_fail(call->arena, &iam_UnrecognizedPublicKeyEncodingException, "Invalid public key uploaded.");
    case SSH_KEY_INVALID:
        return gh_fail(call->arena, &iam_InvalidPublicKeyException,
                       "The public key is malformed or otherwise invalid: an RSA key of at least 2048 bits is needed.");
    default:
        return NULL;
    }
}

/* What it looks like in the encoding asked for; as it was uploaded where that is the same. */
static struct iam_SSHPublicKey *describe(struct call *call, const struct entity *user, const struct user_key *row,
                                         struct str encoding)
{
    struct ssh_public_key key;
    struct iam_SSHPublicKey *out = ARENA_NEW(call->arena, struct iam_SSHPublicKey);
    *out = (struct iam_SSHPublicKey){ .user_name = user->name, .ssh_public_key_id = row->id, .fingerprint = row->mark,
                                      .ssh_public_key_body = row->body, .status = row->status,
                                      .upload_date = iam_time(row->created_us) };
    if (encoding.ptr && ssh_public_key_read(call->arena, row->body, &key) == SSH_KEY_OK &&
        key.pem != str_is(encoding, "PEM"))
        out->ssh_public_key_body =
            key.pem ? ssh_public_key_as_ssh(call->arena, &key) : ssh_public_key_as_pem(call->arena, &key);
    return out;
}

static gh_err find(struct call *call, struct tx *tx, struct str user_name, struct str id, struct entity *user,
                   struct user_key *out)
{
    struct user_keys keys;
    gh_err err = iam_find(call, tx, ENTITY_USER, user_name, user);
    if (!err)
        err = ssh_key_list(call->db, tx, call->arena, user->id, &keys);
    for (size_t i = 0; !err && i < keys.n; i++)
        if (str_eq(keys.items[i].id, id)) {
            *out = keys.items[i];
            return NULL;
        }
    return err ? err
               : gh_fail(call->arena, &iam_NoSuchEntityException, "The SSH Public Key with id %.*s cannot be found.",
                         STR_FMT(id));
}

gh_err iam_UploadSSHPublicKey(struct call *call, const struct iam_UploadSSHPublicKey_in *in,
                              struct iam_UploadSSHPublicKey_out *out)
{
    struct entity user;
    struct ssh_public_key key;
    struct user_keys keys;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_USER, in->user_name, &user);
    if (!err)
        err = check(call, in->ssh_public_key_body, &key);
    if (!err)
        err = ssh_key_list(call->db, &tx, call->arena, user.id, &keys);
    for (size_t i = 0; !err && i < keys.n; i++)
        if (str_eq(keys.items[i].mark, key.fingerprint))
            err = gh_fail(call->arena, &iam_DuplicateSSHPublicKeyException,
                          "The SSH public key is already associated with the user %.*s.", STR_FMT(user.name));
    if (!err && keys.n >= PER_USER)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for SSHPublicKeysPerUser: %d",
                      PER_USER);
    if (err)
        return iam_finish(&tx, err);
    struct user_key row = { .owner = user.id, .body = in->ssh_public_key_body, .mark = key.fingerprint,
                            .status = STR("Active"), .created_us = call->now_us };
    row.id = str_concat(call->arena, STR("APKA"), id_random(call->env, call->arena, 16, ID_UPPER_BASE32));
    ssh_key_insert(&tx, &row);
    err = iam_finish(&tx, NULL);
    if (!err)
        out->ssh_public_key = describe(call, &user, &row, STR_NONE);
    return err;
}

gh_err iam_GetSSHPublicKey(struct call *call, const struct iam_GetSSHPublicKey_in *in, struct iam_GetSSHPublicKey_out *out)
{
    struct entity user;
    struct user_key row;
    gh_err err = find(call, NULL, in->user_name, in->ssh_public_key_id, &user, &row);
    if (!err)
        out->ssh_public_key = describe(call, &user, &row, in->encoding);
    return err;
}

static struct str nth_id(const void *items, size_t i)
{
    return ((const struct user_key *)items)[i].id;
}

gh_err iam_ListSSHPublicKeys(struct call *call, const struct iam_ListSSHPublicKeys_in *in,
                             struct iam_ListSSHPublicKeys_out *out)
{
    struct entity user;
    struct user_keys keys;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = iam_user_or_caller(call, NULL, in->user_name, &user);
    if (!err)
        err = ssh_key_list(call->db, NULL, call->arena, user.id, &keys);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, keys.items, keys.n, nth_id);
    out->ssh_public_keys = (struct iam_SSHPublicKeyListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_SSHPublicKeyMetadata *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        const struct user_key *row = &keys.items[cut.first + i];
        out->ssh_public_keys.items[i] = ARENA_NEW(call->arena, struct iam_SSHPublicKeyMetadata);
        *out->ssh_public_keys.items[i] = (struct iam_SSHPublicKeyMetadata){
            .user_name = user.name, .ssh_public_key_id = row->id, .status = row->status,
            .upload_date = iam_time(row->created_us) };
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

gh_err iam_UpdateSSHPublicKey(struct call *call, const struct iam_UpdateSSHPublicKey_in *in,
                              struct iam_UpdateSSHPublicKey_out *out)
{
    (void)out;
    struct entity user;
    struct user_key row;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_status_check(call, in->status);
    if (!err)
        err = find(call, &tx, in->user_name, in->ssh_public_key_id, &user, &row);
    if (!err)
        ssh_key_set_status(&tx, row.id, in->status);
    return iam_finish(&tx, err);
}

gh_err iam_DeleteSSHPublicKey(struct call *call, const struct iam_DeleteSSHPublicKey_in *in,
                              struct iam_DeleteSSHPublicKey_out *out)
{
    (void)out;
    struct entity user;
    struct user_key row;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->user_name, in->ssh_public_key_id, &user, &row);
    if (!err)
        ssh_key_delete(&tx, row.id);
    return iam_finish(&tx, err);
}
