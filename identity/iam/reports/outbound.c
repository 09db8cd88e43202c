#include "identity/iam/reports/outbound.h"

#include "core/id.h"
#include "identity/iam/iam.h"

/* Two notes of an account: the id stays when the feature goes off and on again. */
#define ID STR("outbound-id")
#define ENABLED STR("outbound-enabled")

static struct str issuer_of(struct call *call, struct str id)
{
    return str_printf(call->arena, "%.*s/%.*s", STR_FMT(call->base_url), STR_FMT(id));
}

static gh_err find(struct call *call, struct tx *tx, struct str account, struct str *issuer, bool *enabled)
{
    struct str on, id = STR_NONE;
    gh_err err = account_get_in(call->db, tx, call->arena, account, ENABLED, &on);
    if (!err)
        err = account_get_in(call->db, tx, call->arena, account, ID, &id);
    *enabled = !err && on.ptr && id.ptr;
    *issuer = *enabled ? issuer_of(call, id) : STR_NONE;
    return err;
}

gh_err outbound_issuer(struct call *call, struct str account, struct str *issuer, bool *enabled)
{
    return find(call, NULL, account, issuer, enabled);
}

gh_err outbound_account(struct call *call, struct str id, struct str *account)
{
    struct str on;
    gh_err err = account_holding(call->db, NULL, call->arena, ID, id, account);
    if (!err && account->ptr)
        err = account_get(call->db, call->arena, *account, ENABLED, &on);
    if (!err && account->ptr && !on.ptr)
        *account = STR_NONE;
    return err;
}

gh_err iam_EnableOutboundWebIdentityFederation(struct call *call, const struct iam_EnableOutboundWebIdentityFederation_in *in,
                                               struct iam_EnableOutboundWebIdentityFederation_out *out)
{
    (void)in;
    struct str id, issuer;
    bool enabled;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena); /* one at a time */
    gh_err err = find(call, &tx, call->account, &issuer, &enabled);
    if (!err && enabled)
        err = gh_fail(call->arena, &iam_FeatureEnabledException,
                      "Outbound identity federation is already enabled for your account.");
    if (!err)
        err = account_get_in(call->db, &tx, call->arena, call->account, ID, &id);
    if (!err) {
        if (!id.ptr) {
            id = str_concat(call->arena, STR("outbound-"), id_uuid(call->env, call->arena));
            account_put(&tx, call->account, ID, id);
        }
        account_put(&tx, call->account, ENABLED, STR("true"));
        out->issuer_identifier = issuer_of(call, id);
    }
    return iam_finish(&tx, err);
}

static gh_err disabled(struct call *call)
{
    return gh_fail(call->arena, &iam_FeatureDisabledException,
                   "Outbound identity federation is disabled for your account.");
}

gh_err iam_DisableOutboundWebIdentityFederation(struct call *call, const struct iam_DisableOutboundWebIdentityFederation_in *in,
                                                struct iam_DisableOutboundWebIdentityFederation_out *out)
{
    (void)in, (void)out;
    struct str issuer;
    bool enabled;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, call->account, &issuer, &enabled);
    if (!err && !enabled)
        err = disabled(call);
    if (!err)
        account_drop(&tx, call->account, ENABLED);
    return iam_finish(&tx, err);
}

gh_err iam_GetOutboundWebIdentityFederationInfo(struct call *call, const struct iam_GetOutboundWebIdentityFederationInfo_in *in,
                                                struct iam_GetOutboundWebIdentityFederationInfo_out *out)
{
    (void)in;
    bool enabled;
    gh_err err = outbound_issuer(call, call->account, &out->issuer_identifier, &enabled);
    if (!err && !enabled)
        err = disabled(call);
    out->jwt_vending_enabled = some_bool(enabled);
    return err;
}
