#include "identity/access/guard_rails.h"
#include "identity/tokens/directory.h"
#include "identity/access/principals.h"
#include "identity/store/identity_pool.h"
#include "identity/store/pool.h"

/* What hangs on an entity's id goes first, while the ids can still be found. */
static const char *const forget_iam[] = {
    "DELETE FROM iam_inline_policy WHERE owner IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_policy_version WHERE policy IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_member WHERE parent IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_service_credential WHERE owner IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_provider_key WHERE provider IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_provider WHERE id IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_last_access WHERE owner IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_last_access WHERE owner = $1",
    "DELETE FROM iam_key_last_access WHERE key_id IN (SELECT id FROM iam_access_key WHERE account = $1)",
    "DELETE FROM iam_access_report WHERE account = $1",
    "DELETE FROM iam_ssh_key WHERE owner IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_server_certificate WHERE id IN (SELECT id FROM iam_entity WHERE account = $1)",
    "DELETE FROM iam_signing_certificate WHERE account = $1",
    "DELETE FROM iam_login_profile WHERE account = $1",
    "DELETE FROM iam_mfa_device WHERE account = $1",
    "DELETE FROM iam_credential_report WHERE account = $1",
    "DELETE FROM iam_asking WHERE account = $1",
    "DELETE FROM iam_attachment WHERE account = $1",
    "DELETE FROM iam_access_key WHERE account = $1",
    "DELETE FROM guard_rail WHERE account = $1",
    "DELETE FROM iam_account WHERE account = $1",
    "DELETE FROM sts_outbound_key WHERE account = $1",
    "DELETE FROM iam_entity WHERE account = $1",
};

struct ids {
    struct str *items;
    size_t n;
};

static gh_err list(struct call *call, const char *sql, struct ids *out)
{
    struct rows rows;
    size_t room = 16;
    *out = (struct ids){ ARENA_ARRAY(call->arena, struct str, room), 0 };
    rows_open(&rows, call->db, NULL, call->arena, sql, "s", call->account);
    while (rows_next(&rows)) {
        if (out->n == room) {
            out->items = arena_grow(call->arena, out->items, room * sizeof(struct str), 2 * room * sizeof(struct str));
            room *= 2;
        }
        out->items[out->n++] = rows_str(&rows, 0);
    }
    return rows_close(&rows);
}

gh_err identity_reset(struct call *call)
{
    struct identity *identity = call->module;
    struct ids pools, entities;
    struct tx tx;
    gh_err err = list(call, "SELECT id FROM pools WHERE account = $1", &pools);
    if (!err)
        err = list(call, "SELECT id FROM iam_entity WHERE account = $1", &entities);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    for (size_t i = 0; i < pools.n; i++)
        store_pool_delete(&tx, pools.items[i]);
    store_identity_pool_delete_all(&tx, call->account);
    for (size_t i = 0; i < COUNT(forget_iam); i++)
        tx_run(&tx, forget_iam[i], "s", call->account);
    err = tx_commit(&tx);
    if (err)
        return err;
    for (size_t i = 0; i < pools.n; i++)
        pool_directory_remove(identity->pools, pools.items[i]);
    for (size_t i = 0; i < entities.n; i++)
        principals_reload(identity, call->arena, entities.items[i]);
    guard_rails_reload(identity->guard_rails, call->arena, call->account);
    principals_reload(identity, call->arena, call->account); /* root's keys */
    return NULL;
}
