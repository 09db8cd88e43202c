/* Rows of identity pools: their settings, roles, tag maps, and the key that signs their tokens. */
#pragma once

#include "identity/store/token.h"

struct identity_pool_row {
    struct str id, account, region, doc;
    struct str roles; /* absent: never set */
    int64_t created_us;
};
/* tx may be NULL; with one, its own writes are seen. */
gh_err store_identity_pool_find(struct db *db, struct tx *tx, struct arena *arena, struct str id,
                                struct identity_pool_row *out, bool *found);
/* In order of id, after `after` (absent: from the start), at most `limit`. */
gh_err store_identity_pool_list(struct db *db, struct arena *arena, struct str account, struct str region,
                                struct str after, int64_t limit, struct identity_pool_row **out, size_t *n);
gh_err store_identity_pool_count(struct tx *tx, struct str account, struct str region, int64_t *n);
void store_identity_pool_insert(struct tx *tx, const struct identity_pool_row *row);
void store_identity_pool_update(struct tx *tx, struct str id, struct str doc);
void store_identity_pool_update_roles(struct tx *tx, struct str id, struct str roles);
void store_identity_pool_delete(struct tx *tx, struct str id); /* with everything in it */
void store_identity_pool_delete_all(struct tx *tx, struct str account);

/* Absent: none set. */
gh_err store_tag_map_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str provider,
                          struct str *doc);
void store_tag_map_put(struct tx *tx, struct str pool, struct str provider, struct str doc);

/* The newest; absent kid: none yet. Putting one takes it out of the stock of user pools' keys. */
gh_err store_identity_key_find(struct db *db, struct tx *tx, struct arena *arena, struct stored_key *out);
void store_identity_key_put(struct tx *tx, const struct stored_key *key, int64_t now_us);
