/* X.509 signing certificates of users, and of an account's root. */
#include "core/id.h"
#include "identity/iam/credentials/owner.h"
#include "identity/iam/credentials/pem.h"
#include "identity/iam/credentials/status.h"
#include "identity/store/user_key.h"

enum { PER_USER = 2 };

static struct iam_SigningCertificate *describe(struct call *call, const struct credential_owner *owner,
                                               const struct user_key *row)
{
    struct iam_SigningCertificate *out = ARENA_NEW(call->arena, struct iam_SigningCertificate);
    *out = (struct iam_SigningCertificate){ .user_name = owner->root ? call->account : owner->name,
                                            .certificate_id = row->id, .certificate_body = row->body,
                                            .status = row->status, .upload_date = iam_time(row->created_us) };
    return out;
}

static gh_err check(struct call *call, struct str body, struct pem_certificate *out)
{
    int64_t now_s = call->now_us / 1000000;
    if (!pem_certificate_read(call->arena, body, out))
        return gh_fail(call->arena, &iam_MalformedCertificateException,
                       "Unable to parse certificate. Please ensure the certificate is in PEM format.");
    if (out->expires_s <= now_s)
        return gh_fail(call->arena, &iam_InvalidCertificateException, "The certificate has expired.");
    if (out->starts_s > now_s)
        return gh_fail(call->arena, &iam_InvalidCertificateException, "The certificate is not valid yet.");
    return NULL;
}

static gh_err insert(struct call *call, struct tx *tx, const struct credential_owner *owner, struct user_key *row)
{
    struct user_keys all;
    gh_err err = signing_certificate_list(call->db, tx, call->arena, owner->id, &all);
    if (!err && all.n >= PER_USER)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for CertificatesPerUser: %d",
                      PER_USER);
    if (err)
        return err;
    row->id = id_random(call->env, call->arena, 32, ID_UPPER_BASE32);
    signing_certificate_insert(tx, call->account, row);
    return NULL;
}

/* The same one once more is answered as if it were new and Active, and nothing changes. */
gh_err iam_UploadSigningCertificate(struct call *call, const struct iam_UploadSigningCertificate_in *in,
                                    struct iam_UploadSigningCertificate_out *out)
{
    struct credential_owner owner;
    struct pem_certificate certificate;
    struct user_key row = { 0 };
    bool found = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_owner(call, &tx, in->user_name, &owner);
    if (!err)
        err = check(call, in->certificate_body, &certificate);
    if (!err)
        err = signing_certificate_find(call->db, &tx, call->arena, call->account, certificate.digest, &row, &found);
    if (!err && found && !str_eq(row.owner, owner.id))
        err = gh_fail(call->arena, &iam_DuplicateCertificateException,
                      "The same certificate is already associated with another user in this account.");
    if (!err && !found) {
        row = (struct user_key){ .owner = owner.id, .body = in->certificate_body, .mark = certificate.digest,
                                 .created_us = call->now_us };
        row.status = STR("Active");
        err = insert(call, &tx, &owner, &row);
    }
    err = iam_finish(&tx, err);
    if (err)
        return err;
    row.status = STR("Active");
    out->certificate = describe(call, &owner, &row);
    return NULL;
}

static struct str nth_id(const void *items, size_t i)
{
    return ((const struct user_key *)items)[i].id;
}

gh_err iam_ListSigningCertificates(struct call *call, const struct iam_ListSigningCertificates_in *in,
                                   struct iam_ListSigningCertificates_out *out)
{
    struct credential_owner owner;
    struct user_keys all;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = credential_owner(call, NULL, in->user_name, &owner);
    if (!err)
        err = signing_certificate_list(call->db, NULL, call->arena, owner.id, &all);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, all.items, all.n, nth_id);
    out->certificates = (struct iam_certificateListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_SigningCertificate *, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        out->certificates.items[i] = describe(call, &owner, &all.items[cut.first + i]);
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

static gh_err find(struct call *call, struct tx *tx, struct str user_name, struct str id, struct user_key *out)
{
    struct credential_owner owner;
    struct user_keys all;
    gh_err err = credential_owner(call, tx, user_name, &owner);
    if (!err)
        err = signing_certificate_list(call->db, tx, call->arena, owner.id, &all);
    for (size_t i = 0; !err && i < all.n; i++)
        if (str_eq(all.items[i].id, id)) {
            *out = all.items[i];
            return NULL;
        }
    return err ? err
               : gh_fail(call->arena, &iam_NoSuchEntityException, "The Certificate with id %.*s cannot be found.",
                         STR_FMT(id));
}

gh_err iam_UpdateSigningCertificate(struct call *call, const struct iam_UpdateSigningCertificate_in *in,
                                    struct iam_UpdateSigningCertificate_out *out)
{
    (void)out;
    struct user_key row;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_status_check(call, in->status);
    if (!err)
        err = find(call, &tx, in->user_name, in->certificate_id, &row);
    if (!err)
        signing_certificate_set_status(&tx, row.id, in->status);
    return iam_finish(&tx, err);
}

gh_err iam_DeleteSigningCertificate(struct call *call, const struct iam_DeleteSigningCertificate_in *in,
                                    struct iam_DeleteSigningCertificate_out *out)
{
    (void)out;
    struct user_key row;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->user_name, in->certificate_id, &row);
    if (!err)
        signing_certificate_delete(&tx, row.id);
    return iam_finish(&tx, err);
}
