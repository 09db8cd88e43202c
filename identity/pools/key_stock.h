/* Signing keys made ahead of need: RSA-2048 takes about 100 ms, CreateUserPool must not.
 *
 * A background thread of lowest priority keeps a few keys in the table, sealed; a data folder that
 * has them starts without making any. */
#pragma once

#include "core/db.h"
#include "identity/state.h"

enum key_use { KEY_FOR_ID, KEY_FOR_ACCESS, KEY_USES };
const char *key_use_name(enum key_use use); /* "id", "access": also the claim token_use */

/* A signing key as it is stored. */
struct stored_key {
    struct str kid; /* standard base64 of 32 bytes, as Cognito's look */
    struct str modulus, exponent;
    struct str sealed; /* PKCS#8 */
};

struct key_stock;

struct key_stock *key_stock_open(struct identity *identity); /* returns at once */
void key_stock_close(struct key_stock *stock);               /* waits for the key in the making */

/* A key for the pool, taken in the transaction; made on the spot when there is none.
 * False: it cannot be had (tx->err, or no memory). */
bool key_stock_take(struct key_stock *stock, struct tx *tx, struct arena *arena, struct str pool,
                    enum key_use use, struct stored_key *out);

/* The private key of a stored one: the caller frees it. NULL: damaged, or sealed by another key file. */
struct key *stored_key_open(const struct sealer *sealer, const struct stored_key *stored);
