/* The user pools in memory: who signs, which tokens are good, what has been revoked.
 *
 * Any thread. Loaded at start; the operations that change a pool change it here too, after
 * their commit and before they answer. */
#pragma once

#include <pthread.h>

#include "core/key.h"
#include "identity/tokens/key_stock.h"
#include "identity/state.h"

struct pool_directory {
    struct identity *identity;
    struct revocations *revocations;
    struct activity *activity;
    struct token_cache *cache;
    struct key_stock *stock;
    pthread_mutex_t changing; /* held by who changes a pool's keys, from looking to publishing */
    struct shape_memo *pool_docs, *client_docs; /* of pools/, for calls that only read */
    struct pool_index *index; /* private */
};

/* A signing key. Until from_s it is next: listed, so that everybody has it by then. Then it is current, until the next of
 * its use begins; then retired, and listed until the last token that it signed has expired. No step of this needs doing:
 * the clock says it. */
enum key_state { KEY_NEXT, KEY_CURRENT, KEY_RETIRED, KEY_GONE };
struct listed_key {
    struct stored_key stored;
    enum key_use use;
    int64_t from_s, signs_until_s, listed_until_s; /* INT64_MAX: no other has been made yet */
    struct str jwk;
    struct parsed_key *parsed; /* private */
};
enum key_state listed_key_state(const struct listed_key *key, int64_t now_s);
const char *key_state_name(enum key_state state); /* "next" */

/* A pool as tokens know it. Immutable, held by references. */
struct listed_pool {
    struct str id, account, region, arn, issuer;
    const struct listed_key *keys; /* in order of from_s */
    size_t n_keys;
    struct pool_keys *private;
};

/* Adds a new pool; copies what it is given. */
void pool_directory_add(struct pool_directory *directory, struct str id, struct str account,
                        struct str region, const struct stored_key keys[KEY_USES]);
/* A pool whose rows have been written or changed, as they are now. Tokens of keys that are no more are refused. */
gh_err pool_directory_reload(struct pool_directory *directory, struct arena *arena, struct str id);
/* Its tokens are refused from now on. */
void pool_directory_remove(struct pool_directory *directory, struct str id);
/* NULL: no such pool. The reference is held until the arena is freed. */
const struct listed_pool *pool_directory_find(struct pool_directory *directory, struct arena *arena,
                                              struct str id);
/* *key: the one that was asked for. */
const struct listed_pool *pool_directory_by_kid(struct pool_directory *directory, struct arena *arena,
                                                struct str kid, const struct listed_key **key);

/* What signs now. */
const struct listed_key *listed_pool_current(const struct listed_pool *pool, enum key_use use, int64_t now_s);
/* RFC 7517, 5: current keys first (for ID tokens, for access tokens), then those to come, then retired ones. */
struct str listed_pool_jwks(const struct listed_pool *pool, struct arena *arena, int64_t now_s);
/* True once for this state of the pool's keys: who asks for something to be done about them asks once. */
bool listed_pool_first_to_ask(const struct listed_pool *pool);
/* Parsed at first use, then kept. NULL: the stored key is damaged (a log line says which). */
const struct key *listed_key_signer(struct pool_directory *directory, const struct listed_pool *pool,
                                    const struct listed_key *key);
const struct key *listed_key_verifier(const struct listed_pool *pool, const struct listed_key *key);
