/* What stands before a password or a code is judged: how often this user, and this address, has guessed wrong.
 *
 * "After 5 failed attempts the user is locked out for 1 s; the time doubles with each further one, up to about 15
 * minutes. Attempts in that time are answered with Password attempts exceeded and not counted. A sign-in after the
 * time is over, or 15 minutes without attempts, begins anew." Counted by sub, or, where clients hide who exists, by
 * the name of nobody, so that nothing shows. A failure is one row and lasts over a crash; a sign-in without failures
 * before it writes nothing here.
 *
 * Guesses that come at once do not get past the limit: as many are judged together as there are failures left,
 * the others wait for them. */
#pragma once

#include "identity/pools/client.h"
#include "identity/store/protection.h"

struct guess {
    struct guess *next; /* of those being judged */
    bool judged;
    struct str pool, who, ip;
    struct failures_row was; /* before it; forgotten ones are none */
    int64_t forgotten_us;    /* when the failures were that do not count any more; -1: there were none */
};

/* Who guesses: the user, or the nobody of that name. */
struct str guard_who(struct call *call, const struct pool *pool, struct str sub, struct str name);

/* Before it is judged; blocks while too many others are. ip: of who guesses, or absent. Then guess_end, always.
 * Errors: NotAuthorizedException "Password attempts exceeded", TooManyRequestsException (the address). */
gh_err guess_begin(struct call *call, const struct pool *pool, struct str who, struct str ip, struct guess *guess);
/* It was wrong: one row, in the transaction. */
void guess_wrong(struct call *call, const struct pool *pool, struct guess *guess, struct tx *tx);
void guess_end(struct guess *guess);

/* Has to wait after wrong guesses, or had to lately. */
gh_err guard_is_locked(struct call *call, const struct pool *pool, struct str who, bool *locked);
/* Seconds of waiting after that many failures. */
int64_t lockout_s(int64_t failures, int64_t after, int64_t longest_s);

/* ---- throttle.c: wrong guesses by address, in memory ---- */
struct throttle;
struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);
/* IPv6 by its /64. false: this address has used up what it may in a minute. */
bool throttle_allows(struct throttle *throttle, const struct call *call, const struct pool *pool, struct str ip);
void throttle_count(struct throttle *throttle, const struct call *call, const struct pool *pool, struct str ip);
