#include "identity/store/saml_spent.h"

gh_err saml_spent_add(struct call *call, struct str issuer, struct str id, int64_t until_s, bool *fresh)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    tx_run(&tx, "DELETE FROM sts_saml_spent WHERE until_s < $1", "i", call->now_us / 1000000);
    tx_run(&tx, "INSERT INTO sts_saml_spent (issuer, id, until_s) VALUES ($1, $2, $3) ON CONFLICT (issuer, id) DO NOTHING",
           "ssi", issuer, id, until_s);
    *fresh = tx.changes == 1;
    gh_err err = tx_commit(&tx);
    tx_rollback(&tx);
    return err;
}
