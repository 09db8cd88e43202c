/* Long-term access keys at rest; the secrets are sealed to their key id. */
#pragma once

#include "core/db.h"
#include "core/seal.h"

struct access_key {
    struct str id, account;
    struct str owner;  /* user id, or the account for its root user */
    struct str secret; /* in clear, here only */
    struct str status; /* Active, Inactive */
    int64_t created_us;
};
struct access_keys {
    size_t n;
    struct access_key *items;
};
gh_err access_key_list(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                       struct str owner, struct access_keys *out);
gh_err access_key_owner(struct db *db, struct arena *arena, struct str id, struct str *owner); /* absent: none */
void access_key_insert(struct tx *tx, const struct sealer *sealer, const struct access_key *key);
void access_key_set_status(struct tx *tx, struct str id, struct str status);
void access_key_delete(struct tx *tx, struct str id);
