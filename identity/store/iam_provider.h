/* What is kept of an identity provider beside its entity: one document each, and sealed private keys. */
#pragma once

#include "core/db.h"
#include "core/seal.h"

gh_err provider_doc(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct str *doc);
void provider_put(struct tx *tx, struct str id, struct str doc);

struct provider_key {
    struct str id, pem; /* pem: in clear, here only */
    int64_t created_us;
};
struct provider_keys {
    size_t n;
    struct provider_key *items; /* oldest first */
};
gh_err provider_key_list(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                         struct str provider, struct provider_keys *out);
void provider_key_insert(struct tx *tx, const struct sealer *sealer, struct str provider,
                         const struct provider_key *key);
void provider_key_delete(struct tx *tx, struct str provider, struct str id);
