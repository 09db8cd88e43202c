#include "identity/access/guard_rails.h"
#include "identity/identity.h"

#include "core/hash_list.h"
#include "identity/access/enforcement.h"
#include "identity/iam/reports/last_access.h"
#include "identity/identity_pools/open_id_token.h"
#include "identity/federation/federation.h"
#include "identity/protection/guard.h"
#include "identity/pools/limits.h"
#include "identity/tokens/directory.h"
#include "identity/tokens/key_stock.h"
#include "identity/users/import.h"
#include "identity/state.h"

static bool protection_open(struct identity *identity, const struct identity_config *config, struct arena *arena,
                            struct str *why)
{
    identity->throttle = throttle_new();
    if (!identity->throttle) {
        *why = STR("no memory");
        return false;
    }
    if (config->compromised_passwords)
        identity->compromised = hash_list_open(config->compromised_passwords, arena, why);
    return !config->compromised_passwords || identity->compromised;
}

struct identity *identity_open(const struct identity_config *config, struct arena *arena, struct str *why)
{
    struct arena *own = arena_new(4096);
    struct identity *identity = ARENA_NEW(own, struct identity);
    *identity = (struct identity){
        .env = config->env,
        .db = config->db,
        .sealer = config->sealer,
        .base_url = str_copy(own, config->base_url),
        .partition = str_copy(own, config->partition),
        .region = str_copy(own, config->region),
        .default_account = str_copy(own, config->default_account),
        .dev_root = config->dev_root,
        .aws_limits = config->aws_limits,
        .fetcher = config->fetcher,
        .arena = own,
    };
    if (protection_open(identity, config, arena, why))
        identity->guard_rails = guard_rails_open(identity->db, arena, why);
    if (identity->guard_rails)
        identity->principals = principals_open(identity, arena, why);
    if (identity->principals)
        identity->pools = pool_directory_open(identity, arena, why);
    if (identity->pools)
        identity->token_signer = token_signer_open(identity, arena, why);
    if (identity->token_signer)
        identity->limits = call_limits_open(identity, config->aws_limits, arena, why);
    if (identity->limits) {
        identity->last_access = last_access_open(identity);
        identity->enforcement = config->notes_use ? enforcement_open(identity, config->soft) : NULL;
        identity->importer = importer_open(identity);
        identity->federation = federation_open(identity);
        return identity;
    }
    identity_close(identity);
    return NULL;
}

void identity_use_invoker(struct identity *identity, const struct invoker *invoker)
{
    identity->invoker = invoker;
}

void identity_metrics(struct identity *identity, struct strbuf *text)
{
    strbuf_printf(text, "# TYPE gatehouse_signing_keys_in_stock gauge\ngatehouse_signing_keys_in_stock %d\n",
                  key_stock_ready(identity->pools->stock));
}

void identity_close(struct identity *identity)
{
    if (!identity)
        return;
    importer_close(identity->importer);
    last_access_close(identity->last_access);
    federation_close(identity->federation);
    enforcement_close(identity->enforcement);
    call_limits_close(identity->limits);
    token_signer_close(identity->token_signer);
    pool_directory_close(identity->pools);
    if (identity->principals)
        principals_close(identity->principals);
    guard_rails_close(identity->guard_rails);
    throttle_free(identity->throttle);
    hash_list_free(identity->compromised);
    arena_free(identity->arena);
}
