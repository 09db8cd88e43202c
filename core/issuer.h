/* Keys of tokens' issuers, shared by all threads: fetched when first needed, kept as the issuer's
 * headers say (Cache-Control max-age up to an hour, ETag), fetched once however many wait for them.
 *
 * A key that nobody has seen is a reason to ask again at most once a minute, so that made-up key names cost the issuer
 * nothing. Past their time keys serve for one more minute while they are fetched anew; when the issuer does not
 * answer, for an hour. */
#pragma once

#include "core/http_client.h"
#include "core/http_fetch.h"
#include "core/key_set.h"

struct issuers;
struct issuer;

struct issuers *issuers_new(const struct env *env);
void issuers_free(struct issuers *issuers); /* nobody holds one any more */

/* By the address of its key set. Release it with issuer_release. Any thread. */
struct issuer *issuer_hold(struct issuers *issuers, struct str name, struct str jwks_uri);
struct issuer *issuer_hold_again(struct issuer *issuer); /* once more, by who holds it */
void issuer_release(void *issuer);

/* Of the key set, never twice the same; 0: there is none, or it is time to look after it (issuer_key). */
uint64_t issuer_generation(const struct issuer *issuer, int64_t now_us);

enum issuer_answer {
    ISSUER_KEY,
    ISSUER_NO_KEY, /* of this name, for such signatures */
    ISSUER_ASKED,  /* `ready` will be called; then ask again: the second answer is final */
    ISSUER_DOWN,   /* it gives no keys; *why */
};

/* Who asks on a loop and does not want to block it. */
struct issuer_asker {
    struct loop *loop;
    struct http_client *client; /* the loop's */
    struct arena *arena;        /* keys live as long as it */
    void (*ready)(struct issuer_asker *asker);
    struct issuer_wait *wait;   /* private */
    bool waited;
};
/* On the asker's loop. */
enum issuer_answer issuer_key(struct issuer *issuer, struct issuer_asker *asker, struct str kid, enum key_alg alg,
                              const struct key **key, uint64_t *generation, const char **why);
void issuer_forget(struct issuer_asker *asker); /* it does not wait any more */

/* Job threads: waits; never ISSUER_ASKED. The key lives as long as the arena. */
enum issuer_answer issuer_key_wait(struct issuer *issuer, struct http_fetcher *fetcher, struct arena *arena,
                                   struct str kid, enum key_alg alg, const struct key **key, const char **why);
