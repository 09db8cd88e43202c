/* Signing keys made ahead of need: RSA-2048 takes about 100 ms, CreateUserPool must not.
 *
 * A background thread keeps a few keys in memory and, sealed, in the table; a data folder that has
 * them starts without making any. */
#pragma once

#include "identity/state.h"
#include "identity/store/token.h"

enum key_use { KEY_FOR_ID, KEY_FOR_ACCESS, KEY_USES };
const char *key_use_name(enum key_use use); /* "id", "access": also the claim token_use */

struct key_stock;

struct key_stock *key_stock_open(struct identity *identity); /* returns at once */
void key_stock_close(struct key_stock *stock);               /* gives up the key in the making */

/* A pair of keys for a pool, strings in the arena; what is not in stock is made on the spot, so call it
 * outside of transactions. The caller stores them (store_key_put). False: they cannot be made. */
bool key_stock_take(struct key_stock *stock, struct arena *arena, struct stored_key out[KEY_USES]);

/* How many are there to be taken. */
int key_stock_ready(struct key_stock *stock);

bool key_stock_take_one(struct key_stock *stock, struct arena *arena, struct stored_key *out);

/* Has the background do keys_rotate (rotate.h). */
void key_stock_ask_rotation(struct key_stock *stock, struct str pool, int64_t from_s);

/* The private key of a stored one: the caller frees it. NULL: damaged, or sealed by another key file. */
struct key *stored_key_open(const struct sealer *sealer, const struct stored_key *stored);
