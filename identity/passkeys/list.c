/* ListWebAuthnCredentials, DeleteWebAuthnCredential. */
#include "core/json.h"
#include "identity/passkeys/passkey.h"
#include "identity/tokens/token.h"

static struct idp_WebAuthnCredentialDescription *shown(struct call *call, const struct passkey_row *row)
{
    const json_t *doc = json_parse(call->arena, row->doc, NULL),
                 *transports = json_object_get(doc, "transports"), *one;
    struct idp_WebAuthnCredentialDescription *out =
        ARENA_NEW(call->arena, struct idp_WebAuthnCredentialDescription);
    size_t i;
    *out = (struct idp_WebAuthnCredentialDescription){
        .credential_id = row->id,
        .friendly_credential_name = json_str(doc, "name"),
        .relying_party_id = json_str(doc, "party"),
        .authenticator_attachment = json_str(doc, "attachment"),
        .created_at = some_time_us(row->created_us),
    };
    out->authenticator_transports.set = true;
    out->authenticator_transports.items =
        ARENA_ARRAY(call->arena, struct str, json_array_size(transports) + 1);
    json_array_foreach(transports, i, one)
        out->authenticator_transports.items[out->authenticator_transports.n++] = json_value_str(one);
    return out;
}

/* MaxResults 0 is the default: all that a user can have. */
gh_err idp_ListWebAuthnCredentials(struct call *call, const struct idp_ListWebAuthnCredentials_in *in,
                                   struct idp_ListWebAuthnCredentials_out *out)
{
    struct access access;
    struct passkey_row *rows;
    struct str after, place;
    size_t n, from = 0, most = in->max_results.value > 0 ? (size_t)in->max_results.value : PASSKEYS_OF_USER;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    place = str_printf(call->arena, "%.*s/%.*s", STR_FMT(access.client.pool.id), STR_FMT(access.user.sub));
    err = page_open(call, "passkeys", place, in->next_token, &after);
    if (!err)
        err = store_passkey_list(call->db, NULL, call->arena, access.client.pool.id, access.user.sub, &rows,
                                 &n);
    if (err)
        return err;
    for (size_t i = 0; after.ptr && i < n; i++) /* deleted meanwhile: from the start again */
        if (str_eq(rows[i].id, after))
            from = i + 1;
    out->credentials.set = true;
    out->credentials.items = ARENA_ARRAY(call->arena, struct idp_WebAuthnCredentialDescription *, most);
    for (size_t i = from; i < n && out->credentials.n < most; i++)
        out->credentials.items[out->credentials.n++] = shown(call, &rows[i]);
    if (from + out->credentials.n < n)
        out->next_token = page_token(call, "passkeys", place, rows[from + out->credentials.n - 1].id);
    return NULL;
}

gh_err idp_DeleteWebAuthnCredential(struct call *call, const struct idp_DeleteWebAuthnCredential_in *in,
                                    struct idp_DeleteWebAuthnCredential_out *out)
{
    struct access access;
    struct tx tx;
    (void)out;
    gh_err err = access_load(call, in->access_token, &access);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    store_passkey_delete(&tx, access.client.pool.id, access.user.sub, in->credential_id);
    if (!tx.err && tx.changes == 0) {
        tx_rollback(&tx);
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Credential does not exist.");
    }
    return tx_commit(&tx);
}
