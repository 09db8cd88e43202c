/* Rows of users' passkeys. */
#pragma once

#include "core/db.h"

struct passkey_row {
    struct str pool, id /* base64url */, sub;
    int64_t created_us, used_us;
    int64_t counter; /* 0: the authenticator does not count */
    struct str doc;
};
/* All of a user, the oldest first. */
gh_err store_passkey_list(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                          struct passkey_row **out, size_t *n);
gh_err store_passkey_count(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                           int64_t *n);
void store_passkey_insert(struct tx *tx, const struct passkey_row *row); /* tx->changes 0: the id is taken */
/* Notes a sign-in. tx->changes 0: the passkey is gone, or its counter did not go on (0 stays 0). */
void store_passkey_used(struct tx *tx, struct str pool, struct str sub, struct str id, int64_t counter,
                        int64_t used_us);
void store_passkey_delete(struct tx *tx, struct str pool, struct str sub,
                          struct str id); /* changes 0: none */
