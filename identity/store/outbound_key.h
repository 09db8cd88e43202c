/* Keys that sign an account's outbound web identity tokens; sealed. */
#pragma once

#include "core/db.h"
#include "core/key.h"
#include "core/seal.h"

struct outbound_key {
    struct str kid;
    struct str der; /* private; the caller wipes it. Absent: there is none */
};

gh_err outbound_key_find(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                         enum key_alg alg, struct outbound_key *out);
/* Unless another one came first. */
gh_err outbound_key_add(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                        enum key_alg alg, const struct outbound_key *key);
