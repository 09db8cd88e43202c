/* Rows of an identity pool's identities and the logins that they are known by. */
#pragma once

#include "core/db.h"

struct identity_row {
    struct str id, pool;
    int64_t created_us, modified_us;
    bool disabled;
    struct str merged_into; /* absent: it was not */
};
gh_err store_identity_find(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct identity_row *out,
                           bool *found);
/* In order of id, after `after` (absent: from the start), at most `limit`. */
gh_err store_identity_list(struct db *db, struct arena *arena, struct str pool, bool hide_disabled, struct str after,
                           int64_t limit, struct identity_row **out, size_t *n);
void store_identity_insert(struct tx *tx, const struct identity_row *row);
void store_identity_touch(struct tx *tx, struct str id, int64_t now_us);
void store_identity_disable(struct tx *tx, struct str id, int64_t now_us);
void store_identity_delete(struct tx *tx, struct str id); /* with its logins */
/* All that `from` had is `to`'s; `from`, and what had been merged into it, points to `to`. */
void store_identity_merge(struct tx *tx, struct str from, struct str to, int64_t now_us);

/* Who somebody is at a provider. `provider` in one spelling (identity_pools/login.h). */
struct login_key {
    bool developer;
    struct str provider, subject;
};
struct login_row {
    struct login_key key;
    struct str identity;
};
/* Absent: nobody's. */
gh_err store_login_owner(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const struct login_key *key,
                         struct str *identity);
/* Of one identity in order of provider and subject; `developer`: -1 all, 0 or 1 only those. At most `limit`. */
gh_err store_login_list(struct db *db, struct tx *tx, struct arena *arena, struct str identity, int64_t developer,
                        struct str after_subject, int64_t limit, struct login_row **out, size_t *n);
void store_login_put(struct tx *tx, struct str pool, const struct login_key *key, struct str identity, int64_t now_us);
void store_login_drop(struct tx *tx, struct str pool, const struct login_key *key);
