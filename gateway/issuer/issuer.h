/* Token issuers and their keys, shared by all loops: fetched when first needed, kept as the issuer's
 * headers say (Cache-Control max-age up to an hour, ETag), fetched once however many wait for them.
 *
 * "API Gateway caches each issuer's signing keys for up to 1 hour on a best-effort basis. When API
 * Gateway receives a token signed with a key it hasn't seen, it retrieves the key set again." — at most
 * once a minute, so that made-up key names cost the issuer nothing. Past their time keys serve for one
 * more minute while they are fetched anew; when the issuer does not answer, for an hour. */
#pragma once

#include "gateway/issuer/key_set.h"

struct gateway;
struct gw_request;
struct issuers;
struct issuer;

struct issuers *issuers_new(struct gateway *gateway);
void issuers_free(struct issuers *issuers); /* nobody holds one any more */

/* By the address of its key set. Release it with issuer_release. Any thread. */
struct issuer *issuer_hold(struct issuers *issuers, struct str name, struct str jwks_uri);
void issuer_release(void *issuer);

/* Of the key set, never twice the same; 0: there is none, or it is time to look after it (issuer_key). */
uint64_t issuer_generation(const struct issuer *issuer, int64_t now_us);

enum issuer_answer {
    ISSUER_KEY,
    ISSUER_NO_KEY, /* of this name, for such signatures */
    ISSUER_ASKED,  /* gw_resume will be called; then ask again: the second answer is final */
    ISSUER_DOWN,   /* it gives no keys; *why */
};
/* On r's loop. The key lives as long as r. */
enum issuer_answer issuer_key(struct issuer *issuer, struct gw_request *r, struct str kid, enum key_alg alg,
                              const struct key **key, uint64_t *generation, const char **why);
void issuer_forget(struct gw_request *r); /* it does not wait any more */
