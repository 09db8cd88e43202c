/* Rows of user pools and their app clients. Documents are the JSON of the generated structs. */
#pragma once

#include "core/db.h"

struct pool_row {
    struct str id, account, region, doc;
    struct str more; /* what AWS's document has no place for, a JSON object; absent: nothing */
    int64_t created_us;
};
/* *found false: none. With a transaction, sees its writes. */
gh_err store_pool_find(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct pool_row *out,
                       bool *found);
/* In order of id, after `after` (absent: from the start), at most `limit`. */
gh_err store_pool_list(struct db *db, struct arena *arena, struct str account, struct str region,
                       struct str after, int64_t limit, struct pool_row **out, size_t *n);
gh_err store_pool_users(struct db *db, struct arena *arena, struct str id, int64_t *n);
void store_pool_insert(struct tx *tx, const struct pool_row *row);
void store_pool_update(struct tx *tx, struct str id, struct str doc); /* leaves `more` as it is */
void store_pool_update_more(struct tx *tx, struct str id, struct str more);
void store_pool_delete(struct tx *tx, struct str id); /* with everything in it */

struct client_row {
    struct str id, pool;
    struct str secrets; /* a JSON array (identity/pools/client_secret.c), or absent */
    struct str doc;
    int64_t created_us;
};
gh_err store_client_find(struct db *db, struct tx *tx, struct arena *arena, struct str id,
                         struct client_row *out, bool *found);
gh_err store_client_list(struct db *db, struct arena *arena, struct str pool, struct str after, int64_t limit,
                         struct client_row **out, size_t *n);
void store_client_insert(struct tx *tx, const struct client_row *row);
void store_client_update(struct tx *tx, struct str id, struct str doc);
void store_client_update_secrets(struct tx *tx, struct str id, struct str secrets);
void store_client_delete(struct tx *tx, struct str id);
