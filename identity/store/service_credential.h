/* Service-specific credentials at rest: a user name and a password for CodeCommit, Keyspaces. */
#pragma once

#include "core/db.h"
#include "core/seal.h"

struct service_credential {
    struct str id, owner, service, service_user_name;
    struct str secret; /* set when inserted or reset; reading leaves it absent */
    struct str status; /* Active, Inactive */
    int64_t created_us;
};
struct service_credentials {
    size_t n;
    struct service_credential *items;
};
gh_err service_credential_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                               struct service_credentials *out);
/* Of all users of an account, by id. */
gh_err service_credential_list_all(struct db *db, struct arena *arena, struct str account,
                                   struct service_credentials *out);
void service_credential_insert(struct tx *tx, const struct sealer *sealer, const struct service_credential *one);
void service_credential_set_status(struct tx *tx, struct str id, struct str status);
void service_credential_set_secret(struct tx *tx, const struct sealer *sealer, struct str id, struct str secret);
void service_credential_delete(struct tx *tx, struct str id);
