/* Rows of what tokens hang on: signing keys, and what has been revoked. */
#pragma once

#include "core/db.h"

/* A signing key as it is stored. */
struct stored_key {
    struct str kid; /* standard base64 of 32 bytes, as Cognito's look */
    struct str modulus, exponent;
    struct str sealed; /* PKCS#8 */
    int64_t from_s;    /* when it begins to sign */
};

/* pool absent: in stock. */
void store_key_put(struct tx *tx, const struct stored_key *key, struct str pool, const char *purpose);
gh_err store_key_stock(struct db *db, struct arena *arena, int64_t limit, struct stored_key *out, size_t *n);

void store_key_delete(struct tx *tx, struct str pool, struct str kid);
/* What a pool signs with: of each purpose one or more, in order of from_s. */
struct purposed_key {
    struct stored_key key;
    struct str purpose; /* "id", "access" */
};
struct keyed_pool {
    struct str id, account, region;
    const struct purposed_key *keys;
    size_t n;
};
/* Every pool (absent) or one. */
gh_err store_keyed_pools(struct db *db, struct tx *tx, struct arena *arena, struct str pool,
                         void (*each)(void *ctx, const struct keyed_pool *pool), void *ctx);

/* All of a user's sign-ins end, as of the stamp; one sign-in ends, to be remembered until then. What no
 * live token can be older than is forgotten on the way. */
enum { REVOCATION_HORIZON_S = 24 * 3600 }; /* no ID or access token lives longer: "5 min – 24 h" */
void store_revoke_user(struct tx *tx, struct str pool, struct str sub, int64_t stamp_us);
void store_revoke_origin(struct tx *tx, struct str pool, struct str origin, int64_t until_s);
gh_err store_epochs(struct db *db, struct arena *arena, int64_t after_us,
                    void (*each)(void *ctx, struct str pool, struct str sub, int64_t epoch_us), void *ctx);
gh_err store_revoked(struct db *db, struct arena *arena, int64_t after_s,
                     void (*each)(void *ctx, struct str origin, int64_t until_s), void *ctx);
