/* Client certificates: what stages show to their backends. "API Gateway uses self-signed certificates … valid for
 * 365 days." */
#include "core/tls_issue.h"
#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"
#include "gateway/store/client_certificate.h"

enum { VALID_S = 365 * 86400, MOST = 60 };

static gh_err find(struct call *call, struct tx *tx, struct str id, json_t **out);
static gh_err check_room(struct call *call, struct tx *tx);

static const struct patch_row rows[] = {
    { "/description", PATCH_REPLACE, patch_text },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/description]" };

static struct api_key key_of(struct call *call, struct str id)
{
    return (struct api_key){ call->account, call->region, id };
}

gh_err apigw_GenerateClientCertificate(struct call *call, const struct apigw_GenerateClientCertificate_in *in,
                                       struct apigw_GenerateClientCertificate_out *out)
{
    static const char *const members[] = { "description", "tags" };
    struct tx tx;
    struct str certificate, key;
    int64_t now_s = call->now_us / 1000000;
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "clientCertificateId", ops_id(call, 6));
    json_object_update(doc, ops_given(call, in, members, COUNT(members)));
    gh_err err = ops_check_tags(call, json_object_get(doc, "tags"));
    if (err)
        return err;
    if (!tls_issue(call->arena, TLS_ISSUE_CLIENT, "ApiGateway", now_s, VALID_S, &certificate, &key))
        return gh_fail(call->arena, &GH_INTERNAL, "the certificate could not be made");
    json_set_str(doc, "pemEncodedCertificate", certificate);
    json_set_i64(doc, "createdDate", now_s);
    json_set_i64(doc, "expirationDate", now_s + VALID_S);
    tx_begin(&tx, call->db, call->arena);
    err = check_room(call, &tx);
    if (!err) {
        certificate_insert(&tx, call->sealer, key_of(call, json_str(doc, "clientCertificateId")), doc, key);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    explicit_bzero((char *)(uintptr_t)key.ptr, key.len);
    return err ? err : ops_answer(call, doc, out);
}

static gh_err check_room(struct call *call, struct tx *tx)
{
    struct docs docs;
    gh_err err = certificate_list(call->db, tx, call->arena, call->account, call->region, &docs);
    if (!err && docs.n >= MOST)
        err = gh_fail(call->arena, &apigw_LimitExceededException, "Maximum number of client certificates for this account has "
                                                                  "been reached. Please contact AWS if you need additional client certificates.");
    return err;
}

gh_err apigw_GetClientCertificate(struct call *call, const struct apigw_GetClientCertificate_in *in,
                                  struct apigw_GetClientCertificate_out *out)
{
    json_t *doc;
    gh_err err = find(call, NULL, in->client_certificate_id, &doc);
    return err ? err : ops_answer(call, doc, out);
}

gh_err apigw_GetClientCertificates(struct call *call, const struct apigw_GetClientCertificates_in *in,
                                   struct apigw_GetClientCertificates_out *out)
{
    struct docs docs;
    gh_err err = certificate_list(call->db, NULL, call->arena, call->account, call->region, &docs);
    return err ? err : ops_answer_page(call, &docs, "clientCertificateId", in->position, in->limit, out);
}

gh_err apigw_UpdateClientCertificate(struct call *call, const struct apigw_UpdateClientCertificate_in *in,
                                     struct apigw_UpdateClientCertificate_out *out)
{
    struct tx tx;
    json_t *doc;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->client_certificate_id, &doc);
    if (!err)
        err = patch_apply(&rules, call->arena, doc, &in->patch_operations, NULL);
    if (!err) {
        certificate_save(&tx, in->client_certificate_id, doc);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    return err ? err : ops_answer(call, doc, out);
}

/* "Before you delete a client certificate, make sure that no API stage uses it": here that is asked. */
gh_err apigw_DeleteClientCertificate(struct call *call, const struct apigw_DeleteClientCertificate_in *in,
                                     struct apigw_DeleteClientCertificate_out *out)
{
    (void)out;
    struct tx tx;
    struct str where = STR_NONE;
    json_t *doc;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->client_certificate_id, &doc);
    if (!err)
        err = certificate_used_by(call->db, &tx, call->arena, in->client_certificate_id, &where);
    if (!err && where.ptr)
        err = gh_fail(call->arena, &apigw_ConflictException, "Client certificate %.*s is used by stage %.*s",
                      STR_FMT(in->client_certificate_id), STR_FMT(where));
    if (!err) {
        certificate_delete(&tx, in->client_certificate_id);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    return err;
}

static gh_err find(struct call *call, struct tx *tx, struct str id, json_t **out)
{
    gh_err err = certificate_load(call->db, tx, call->arena, key_of(call, id), out);
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid Client Certificate identifier specified");
}
