#include "identity/protection/guard.h"

#include <pthread.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/job.h"
#include "identity/pools/options.h"
#include "identity/state.h"

/* "After 5 failed attempts", "up to about 15 minutes", "15 minutes without attempts" */
enum { AFTER_FAILURES = 5, LONGEST_S = 900, FORGET_S = 900 };

/* Guesses being judged now: at most one a job thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_less = PTHREAD_COND_INITIALIZER;
static struct guess *judging;

struct str guard_who(struct call *call, const struct pool *pool, struct str sub, struct str name)
{
    uint8_t mac[SHA256_BYTES];
    if (sub.ptr)
        return sub;
    sealer_mac(call->sealer, STR("pool-nobody-fails"),
               str_printf(call->arena, "%.*s/%.*s", STR_FMT(pool->id), STR_FMT(pool_fold(call, pool, name))), mac);
    return str_concat(call->arena, STR("nobody/"), base64url_encode(call->arena, digest_str(mac, sizeof mac)));
}

int64_t lockout_s(int64_t failures, int64_t after, int64_t longest_s)
{
    int64_t doublings = failures - after;
    if (doublings < 0)
        return 0;
    return doublings > 30 || (INT64_C(1) << doublings) > longest_s ? longest_s : INT64_C(1) << doublings;
}

struct limits {
    int64_t after, longest_s, forget_s;
};

static struct limits limits_of(const struct pool *pool)
{
    return (struct limits){ option_count(pool->more, "lockoutAfterFailures", AFTER_FAILURES),
                            option_count(pool->more, "lockoutMaxSeconds", LONGEST_S),
                            option_count(pool->more, "lockoutForgetSeconds", FORGET_S) };
}

/* The row as it counts now, and whether it locks. */
static gh_err look(struct call *call, const struct pool *pool, struct guess *guess, bool *locked)
{
    const struct limits limits = limits_of(pool);
    gh_err err = store_failures(call->db, call->arena, pool->id, guess->who, &guess->was);
    int64_t wait_us = lockout_s(guess->was.failures, limits.after, limits.longest_s) * 1000000;
    int64_t since_us = call->now_us - guess->was.last_us;
    *locked = guess->was.failures && since_us < wait_us;
    guess->forgotten_us = -1;
    if (guess->was.failures && since_us >= wait_us + limits.forget_s * 1000000) {
        guess->forgotten_us = guess->was.last_us;
        guess->was.failures = 0;
    }
    return err;
}

gh_err guard_is_locked(struct call *call, const struct pool *pool, struct str who, bool *locked)
{
    struct guess guess = { .pool = pool->id, .who = who };
    gh_err err = look(call, pool, &guess, locked);
    *locked = guess.was.failures >= limits_of(pool).after;
    return err;
}

static int64_t at_once(const struct guess *guess)
{
    int64_t n = 0;
    for (const struct guess *other = judging; other; other = other->next)
        n += str_eq(other->who, guess->who) && str_eq(other->pool, guess->pool);
    return n;
}

static void join(struct guess *guess)
{
    guess->next = judging;
    judging = guess;
    guess->judged = true;
}

/* Waits until its failures and those being judged leave room for one more. Alone, it never waits. */
static gh_err take_place(struct call *call, const struct pool *pool, struct guess *guess, bool *locked)
{
    const int64_t after = limits_of(pool).after;
    gh_err err = NULL;
    bool waited = false;
    pthread_mutex_lock(&lock);
    if (at_once(guess) == 0)
        join(guess);
    while (!guess->judged) {
        err = look(call, pool, guess, locked);
        int64_t left = after - guess->was.failures;
        if (err || *locked)
            break;
        if (at_once(guess) < (left > 1 ? left : 1)) {
            join(guess);
        } else {
            if (!waited)
                job_waits(); /* a guess may be judged elsewhere (UserMigration), and take its time */
            waited = true;
            pthread_cond_wait(&one_less, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    if (waited)
        job_goes_on();
    return err ? err : look(call, pool, guess, locked);
}

gh_err guess_begin(struct call *call, const struct pool *pool, struct str who, struct str ip, struct guess *guess)
{
    struct throttle *throttle = ((struct identity *)call->module)->throttle;
    bool locked = false;
    *guess = (struct guess){ .pool = pool->id, .who = who, .ip = ip };
    if (!throttle_allows(throttle, call, pool, ip))
        return gh_fail(call->arena, &idp_TooManyRequestsException, "Too many requests");
    gh_err err = take_place(call, pool, guess, &locked);
    if (!err && locked)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Password attempts exceeded");
    return err;
}

void guess_wrong(struct call *call, const struct pool *pool, struct guess *guess, struct tx *tx)
{
    const struct limits limits = limits_of(pool);
    throttle_count(((struct identity *)call->module)->throttle, call, pool, guess->ip);
    store_failed(tx, pool->id, guess->who, call->now_us,
                 call->now_us + (limits.longest_s + limits.forget_s) * 1000000, guess->forgotten_us);
}

void guess_end(struct guess *guess)
{
    if (!guess->judged)
        return;
    pthread_mutex_lock(&lock);
    struct guess **at = &judging;
    while (*at != guess)
        at = &(*at)->next;
    *at = guess->next;
    guess->judged = false;
    pthread_cond_broadcast(&one_less);
    pthread_mutex_unlock(&lock);
}
