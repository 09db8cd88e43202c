/* GetSigningCertificate: what the pool signs its SAML requests with. Made at the first question, then kept. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/tls_issue.h"
#include "identity/pools/record.h"

enum { VALID_S = 10 * 365 * 86400 };

static struct str key_place(struct call *call, const struct pool *pool)
{
    return str_concat(call->arena, STR("pool-signing/"), pool->id);
}

/* Base64 of the DER: what stands between PEM's lines. */
static struct str bare(struct arena *arena, struct str pem)
{
    struct strbuf out = strbuf_in(arena, pem.len);
    struct str line;
    while (str_split(&pem, '\n', &line))
        if (!str_starts(line, STR("-----")))
            strbuf_add(&out, str_trim(line));
    return strbuf_view(&out);
}

static gh_err make(struct call *call, const struct pool *pool)
{
    struct str certificate, key;
    struct tx tx;
    if (!tls_issue(call->arena, TLS_ISSUE_SIGNER, str_c(call->arena, pool->id), call->now_us / 1000000, VALID_S,
                   &certificate, &key))
        return gh_fail(call->arena, &GH_INTERNAL, "A signing certificate could not be made.");
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "certificate", bare(call->arena, certificate));
    json_set_str(doc, "key", seal(call->sealer, call->arena, key_place(call, pool), key));
    digest_wipe((void *)(uintptr_t)key.ptr, key.len);
    const struct pool_record record = { pool->id, STR(RECORD_CERTIFICATE), STR(""), STR_NONE,
                                        json_print(call->arena, doc), call->now_us };
    tx_begin(&tx, call->db, call->arena);
    store_record_insert(&tx, &record); /* somebody else's, if that was faster */
    return tx_commit(&tx);
}

gh_err idp_GetSigningCertificate(struct call *call, const struct idp_GetSigningCertificate_in *in,
                                 struct idp_GetSigningCertificate_out *out)
{
    struct pool pool;
    struct pool_record record;
    bool found;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_CERTIFICATE, STR(""), &record, &found);
    if (!err && !found) {
        err = make(call, &pool);
        if (!err)
            err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_CERTIFICATE, STR(""), &record, &found);
    }
    if (err)
        return err;
    out->certificate = found ? json_str(json_parse(call->arena, record.doc, NULL), "certificate") : STR_NONE;
    return out->certificate.ptr ? NULL
                                : gh_fail(call->arena, &GH_INTERNAL, "The signing certificate of user pool %.*s is damaged.",
                                          STR_FMT(pool.id));
}
