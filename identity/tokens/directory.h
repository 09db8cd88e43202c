/* The user pools in memory: who signs, which tokens are good, what has been revoked.
 *
 * Any thread. Loaded at start; the operations that change a pool change it here too, after
 * their commit and before they answer. */
#pragma once

#include "core/key.h"
#include "identity/tokens/key_stock.h"
#include "identity/state.h"

struct pool_directory {
    struct identity *identity;
    struct revocations *revocations;
    struct activity *activity;
    struct token_cache *cache;
    struct key_stock *stock;
    struct pool_index *index; /* private */
};

/* A pool as tokens know it. Immutable, held by references. */
struct listed_pool {
    struct str id, account, region, arn, issuer;
    struct str jwks;
    struct stored_key keys[KEY_USES];
    struct pool_keys *parsed; /* private */
};

/* Adds a pool; copies what it is given. */
void pool_directory_add(struct pool_directory *directory, struct str id, struct str account,
                        struct str region, const struct stored_key keys[KEY_USES]);
/* Its tokens are refused from now on. */
void pool_directory_remove(struct pool_directory *directory, struct str id);
/* NULL: no such pool. The reference is held until the arena is freed. */
const struct listed_pool *pool_directory_find(struct pool_directory *directory, struct arena *arena,
                                              struct str id);
const struct listed_pool *pool_directory_by_kid(struct pool_directory *directory, struct arena *arena,
                                                struct str kid, enum key_use *use);

/* Parsed at first use, then kept. NULL: the stored key is damaged (a log line says which). */
const struct key *listed_pool_signer(struct pool_directory *directory, const struct listed_pool *pool,
                                     enum key_use use);
const struct key *listed_pool_verifier(const struct listed_pool *pool, enum key_use use);
