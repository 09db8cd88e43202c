/* Server certificates: records with a name and a path, a chain that is checked and a key that is kept sealed. */
#include "identity/store/server_certificate.h"

#include "identity/iam/credentials/pem.h"
#include "identity/iam/iam.h"

static gh_err check(struct call *call, const struct iam_UploadServerCertificate_in *in, struct pem_certificate *out)
{
    int index = 0;
    switch (pem_server_check(call->arena, in->certificate_body, in->private_key, in->certificate_chain, out, &index)) {
    case PEM_NO_CERTIFICATE:
        return gh_fail(call->arena, &iam_MalformedCertificateException,
                       "Unable to parse certificate. Please ensure the certificate is in PEM format.");
    case PEM_NO_KEY:
        return gh_fail(call->arena, &iam_MalformedCertificateException,
                       "Unable to parse private key. Please ensure the key is in PEM format and not encrypted.");
    case PEM_MISMATCH:
        return gh_fail(call->arena, &iam_KeyPairMismatchException,
                       "The private key does not match the public key in the certificate.");
    case PEM_NO_CHAIN:
        return gh_fail(call->arena, &iam_MalformedCertificateException,
                       "Unable to validate certificate chain. The certificate chain must start with the immediate "
                       "signing certificate, followed by any intermediaries in order. The index within the chain of "
                       "the invalid certificate is: %d",
                       index);
    default:
        return NULL;
    }
}

static struct iam_ServerCertificateMetadata *describe(struct call *call, const struct entity *entity, int64_t expires_s)
{
    struct iam_ServerCertificateMetadata *out = ARENA_NEW(call->arena, struct iam_ServerCertificateMetadata);
    *out = (struct iam_ServerCertificateMetadata){
        .path = entity->path, .server_certificate_name = entity->name, .server_certificate_id = entity->id,
        .arn = entity->arn, .upload_date = iam_time(entity->created_us), .expiration = { true, (double)expires_s } };
    return out;
}

gh_err iam_UploadServerCertificate(struct call *call, const struct iam_UploadServerCertificate_in *in,
                                   struct iam_UploadServerCertificate_out *out)
{
    struct pem_certificate certificate;
    gh_err err = check(call, in, &certificate);
    if (err)
        return err;
    struct entity entity = { .kind = ENTITY_CERTIFICATE, .name = in->server_certificate_name, .path = in->path,
                             .tags = in->tags };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_create(call, &tx, &entity);
    if (!err) {
        /* What ends in a new line comes back without it (recorded). */
        const struct server_certificate row = { entity.id, str_trim(in->certificate_body),
                                                str_trim(in->certificate_chain), certificate.expires_s };
        server_certificate_insert(&tx, call->sealer, &row, in->private_key);
    }
    err = iam_finish(&tx, err);
    if (err)
        return err;
    out->server_certificate_metadata = describe(call, &entity, certificate.expires_s);
    out->tags = entity.tags;
    return NULL;
}

gh_err iam_GetServerCertificate(struct call *call, const struct iam_GetServerCertificate_in *in,
                                struct iam_GetServerCertificate_out *out)
{
    struct entity entity;
    struct server_certificate row;
    gh_err err = iam_find(call, NULL, ENTITY_CERTIFICATE, in->server_certificate_name, &entity);
    if (!err)
        err = server_certificate_find(call->db, call->arena, entity.id, &row);
    if (err)
        return err;
    out->server_certificate = ARENA_NEW(call->arena, struct iam_ServerCertificate);
    *out->server_certificate = (struct iam_ServerCertificate){
        .server_certificate_metadata = describe(call, &entity, row.expires_s),
        .certificate_body = row.body,
        .certificate_chain = row.chain,
        .tags = { true, entity.tags.n, entity.tags.items },
    };
    return NULL;
}

gh_err iam_ListServerCertificates(struct call *call, const struct iam_ListServerCertificates_in *in,
                                  struct iam_ListServerCertificates_out *out)
{
    struct iam_page page;
    struct entity_list list;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_CERTIFICATE, in->path_prefix, page.after,
                          page.max + 1, &list);
    if (err)
        return err;
    bool more = list.n > (size_t)page.max;
    size_t n = more ? (size_t)page.max : list.n;
    out->server_certificate_metadata_list = (struct iam_serverCertificateMetadataListType){
        true, n, ARENA_ARRAY(call->arena, struct iam_ServerCertificateMetadata *, n) };
    for (size_t i = 0; i < n && !err; i++) {
        struct server_certificate row;
        err = server_certificate_find(call->db, call->arena, list.items[i].id, &row);
        out->server_certificate_metadata_list.items[i] = describe(call, &list.items[i], row.expires_s);
    }
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(call, list.items[n - 1].name);
    return err;
}

gh_err iam_UpdateServerCertificate(struct call *call, const struct iam_UpdateServerCertificate_in *in,
                                   struct iam_UpdateServerCertificate_out *out)
{
    (void)out;
    struct entity entity;
    bool taken = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_CERTIFICATE, in->server_certificate_name, &entity);
    struct str name = in->new_server_certificate_name;
    if (!err && name.ptr && !str_eq_nocase(name, entity.name))
        err = entity_taken(call->db, &tx, call->arena, call->account, ENTITY_CERTIFICATE, name, &taken);
    if (!err && taken)
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException,
                      "The Server Certificate with name %.*s already exists.", STR_FMT(name));
    if (!err) {
        entity.name = name.ptr ? name : entity.name;
        entity.path = in->new_path.ptr ? in->new_path : entity.path;
        entity_update(&tx, &entity);
    }
    return iam_finish(&tx, err);
}

gh_err iam_DeleteServerCertificate(struct call *call, const struct iam_DeleteServerCertificate_in *in,
                                   struct iam_DeleteServerCertificate_out *out)
{
    (void)out;
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_CERTIFICATE, in->server_certificate_name, &entity);
    if (!err)
        entity_delete(&tx, entity.id);
    return iam_finish(&tx, err);
}
