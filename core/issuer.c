#include "core/issuer.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/document_fetch.h"
#include "core/log.h"
#include "core/map.h"

#define SECOND INT64_C(1000000)
enum { LIFE_MAX_S = 3600, LIFE_MIN_S = 1, UNKNOWN_S = 60, RETRY_S = 5, SPARE_S = 60, DOWN_S = 3600 };

struct issuers {
    const struct env *env;
    pthread_mutex_t lock;
    struct map *all;             /* key set's address -> struct issuer */
    _Atomic uint64_t generation; /* the last one given out */
};

/* An asker that waits; only its own loop looks at it. */
struct issuer_wait {
    struct loop_task task;
    struct issuer_wait *next;
    struct loop *home;
    struct issuer_asker *asker; /* NULL: gone */
};

struct issuer {
    struct issuers *issuers;
    int holders; /* under issuers->lock */
    _Atomic uint64_t generation;
    _Atomic int64_t fresh_until_us;
    struct str name, jwks_uri; /* behind the struct */

    pthread_mutex_t lock; /* for what follows; held for a look */
    struct key_set *keys;
    char etag[128];
    int64_t retry_us;   /* not before */
    int64_t unknown_us; /* when an unknown key was last a reason to fetch; 0: never */
    const char *why;    /* of the last failure */
    bool fetching;
    struct issuer_wait *waiting;
    pthread_cond_t fetched; /* for jobs that wait */
};

static void fetch_keys(struct issuer *issuer, struct issuer_asker *asker);
static void fetched(struct document_fetch *fetch);

struct issuers *issuers_new(const struct env *env)
{
    struct issuers *issuers = calloc(1, sizeof *issuers);
    if (!issuers)
        abort();
    issuers->env = env;
    pthread_mutex_init(&issuers->lock, NULL);
    issuers->all = map_new();
    return issuers;
}

static void issuer_free(void *ptr)
{
    struct issuer *issuer = ptr;
    key_set_release(issuer->keys);
    pthread_mutex_destroy(&issuer->lock);
    pthread_cond_destroy(&issuer->fetched);
    free(issuer);
}

void issuers_free(struct issuers *issuers)
{
    if (!issuers)
        return;
    map_free(issuers->all, issuer_free);
    pthread_mutex_destroy(&issuers->lock);
    free(issuers);
}

struct issuer *issuer_hold(struct issuers *issuers, struct str name, struct str jwks_uri)
{
    pthread_mutex_lock(&issuers->lock);
    struct issuer *issuer = map_get(issuers->all, jwks_uri);
    if (!issuer) {
        issuer = calloc(1, sizeof *issuer + name.len + jwks_uri.len);
        if (!issuer)
            abort();
        char *text = (char *)(issuer + 1);
        issuer->name = (struct str){ memcpy(text, name.ptr, name.len), name.len };
        issuer->jwks_uri = (struct str){ memcpy(text + name.len, jwks_uri.ptr, jwks_uri.len), jwks_uri.len };
        issuer->issuers = issuers;
        pthread_mutex_init(&issuer->lock, NULL);
        pthread_cond_init(&issuer->fetched, NULL);
        map_set(issuers->all, jwks_uri, issuer);
    }
    issuer->holders++;
    pthread_mutex_unlock(&issuers->lock);
    return issuer;
}

struct issuer *issuer_hold_again(struct issuer *issuer)
{
    pthread_mutex_lock(&issuer->issuers->lock);
    issuer->holders++;
    pthread_mutex_unlock(&issuer->issuers->lock);
    return issuer;
}

void issuer_release(void *ptr)
{
    struct issuer *issuer = ptr;
    struct issuers *issuers = issuer->issuers;
    pthread_mutex_lock(&issuers->lock);
    bool last = --issuer->holders == 0;
    if (last)
        map_remove(issuers->all, issuer->jwks_uri);
    pthread_mutex_unlock(&issuers->lock);
    if (last)
        issuer_free(issuer);
}

uint64_t issuer_generation(const struct issuer *issuer, int64_t now_us)
{
    if (now_us >= atomic_load_explicit(&issuer->fresh_until_us, memory_order_acquire))
        return 0;
    return atomic_load_explicit(&issuer->generation, memory_order_acquire);
}

/* --- looking a key up --- */

/* What is to be done, decided under the lock. */
struct look {
    enum issuer_answer answer;
    bool fetch;
};

static struct look look(struct issuer *issuer, int64_t now_us, bool has_key, bool waited)
{
    int64_t old_us = now_us - atomic_load(&issuer->fresh_until_us); /* negative: fresh */
    bool may_fetch = !issuer->fetching && now_us >= issuer->retry_us;
    bool can_wait = !waited && (issuer->fetching || may_fetch);
    if (!issuer->keys || old_us > DOWN_S * SECOND)
        return (struct look){ can_wait ? ISSUER_ASKED : ISSUER_DOWN, can_wait && may_fetch };
    if (old_us > SPARE_S * SECOND && can_wait)
        return (struct look){ ISSUER_ASKED, may_fetch };
    if (has_key)
        return (struct look){ ISSUER_KEY, old_us >= 0 && may_fetch };
    bool asked_lately = issuer->unknown_us && now_us - issuer->unknown_us < UNKNOWN_S * SECOND;
    if (waited || (!issuer->fetching && (asked_lately || !may_fetch)))
        return (struct look){ ISSUER_NO_KEY, false };
    if (!issuer->fetching)
        issuer->unknown_us = now_us;
    return (struct look){ ISSUER_ASKED, may_fetch };
}

static void wait_for(struct issuer *issuer, struct issuer_asker *asker)
{
    struct issuer_wait *wait = calloc(1, sizeof *wait);
    if (!wait)
        abort();
    *wait = (struct issuer_wait){ .next = issuer->waiting, .home = asker->loop, .asker = asker };
    issuer->waiting = asker->wait = wait;
    asker->waited = true;
}

static void hold_keys(struct issuer *issuer, struct arena *arena)
{
    key_set_hold(issuer->keys);
    arena_defer(arena, key_set_release, issuer->keys);
}

enum issuer_answer issuer_key(struct issuer *issuer, struct issuer_asker *asker, struct str kid,
                              enum key_alg alg, const struct key **key, uint64_t *generation,
                              const char **why)
{
    int64_t now_us = env_monotonic_us(issuer->issuers->env);
    pthread_mutex_lock(&issuer->lock);
    *key = issuer->keys ? key_set_find(issuer->keys, kid, alg) : NULL;
    struct look what = look(issuer, now_us, *key != NULL, asker->waited);
    *why = issuer->why;
    *generation = atomic_load(&issuer->generation);
    if (what.answer == ISSUER_KEY)
        hold_keys(issuer, asker->arena);
    if (what.answer == ISSUER_ASKED)
        wait_for(issuer, asker);
    issuer->fetching |= what.fetch;
    pthread_mutex_unlock(&issuer->lock);
    if (what.fetch)
        fetch_keys(issuer, asker);
    return what.answer;
}

void issuer_forget(struct issuer_asker *asker)
{
    if (asker->wait)
        asker->wait->asker = NULL;
    asker->wait = NULL;
}

/* --- fetching --- */

static void fetch_keys(struct issuer *issuer, struct issuer_asker *asker)
{
    char etag[sizeof issuer->etag];
    issuer_hold(issuer->issuers, issuer->name, issuer->jwks_uri); /* until it has come */
    pthread_mutex_lock(&issuer->lock);
    memcpy(etag, issuer->etag, sizeof etag);
    pthread_mutex_unlock(&issuer->lock);
    document_fetch_start(asker->loop, asker->client, issuer->jwks_uri, str_of(etag), fetched, issuer);
}

/* How long it says that it may be kept. */
static int64_t life_s(const struct http_headers *headers)
{
    struct str rest = http_header_get(headers, "Cache-Control"), part;
    int64_t life = LIFE_MAX_S, age = 0, n;
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_eq_nocase(part, STR("no-store")) || str_eq_nocase(part, STR("no-cache")))
            life = 0;
        if (str_starts_nocase(part, STR("max-age=")) && str_i64(str_from(part, strlen("max-age=")), &n) &&
            n < life)
            life = n;
    }
    if (str_i64(http_header_get(headers, "Age"), &age) && age > 0)
        life -= age;
    return life < LIFE_MIN_S ? LIFE_MIN_S : life;
}

static void take_answer(struct issuer *issuer, const struct document_fetch *fetch, struct key_set *fresh,
                        const char *why)
{
    int64_t now_us = env_monotonic_us(issuer->issuers->env);
    issuer->fetching = false;
    issuer->why = why;
    if (why) {
        issuer->retry_us = now_us + RETRY_S * SECOND;
        return;
    }
    if (fresh) {
        key_set_release(issuer->keys);
        issuer->keys = fresh;
        atomic_store(&issuer->generation, atomic_fetch_add(&issuer->issuers->generation, 1) + 1);
    }
    struct str etag = http_header_get(&fetch->headers, "ETag");
    if (fetch->status == 200) {
        memset(issuer->etag, 0, sizeof issuer->etag);
        if (etag.len < sizeof issuer->etag && http_is_field_value(etag))
            memcpy(issuer->etag, etag.ptr ? etag.ptr : "", etag.len);
    }
    issuer->retry_us = now_us;
    atomic_store(&issuer->fresh_until_us, now_us + life_s(&fetch->headers) * SECOND);
}

static void wake(struct loop_task *task)
{
    struct issuer_wait *wait = (struct issuer_wait *)(void *)task;
    struct issuer_asker *asker = wait->asker;
    free(wait);
    if (!asker)
        return;
    asker->wait = NULL;
    asker->ready(asker);
}

static void fetched(struct document_fetch *fetch)
{
    struct issuer *issuer = fetch->user;
    struct arena *scratch = arena_new(16 * 1024);
    struct key_set *fresh = NULL;
    const char *why = fetch->why;
    pthread_mutex_lock(&issuer->lock);
    bool same = !why && issuer->keys && (fetch->status == 304 || key_set_is(issuer->keys, fetch->body));
    pthread_mutex_unlock(&issuer->lock);
    if (!why && !same)
        fresh = key_set_parse(fetch->body, scratch, &why);
    pthread_mutex_lock(&issuer->lock);
    take_answer(issuer, fetch, fresh, why);
    struct issuer_wait *waiting = issuer->waiting;
    issuer->waiting = NULL;
    pthread_cond_broadcast(&issuer->fetched);
    pthread_mutex_unlock(&issuer->lock);
    if (why)
        log_at(LOG_WARN, "an issuer gives no keys", { "issuer", issuer->name }, { "from", issuer->jwks_uri },
               { "why", str_of(why) });
    while (waiting) {
        struct issuer_wait *next = waiting->next;
        waiting->task = (struct loop_task){ .fn = wake };
        loop_post(waiting->home, &waiting->task);
        waiting = next;
    }
    arena_free(scratch);
    issuer_release(issuer);
}

/* --- from a job --- */

/* The same document, waited for here. */
static void fetch_here(struct issuer *issuer, struct http_fetcher *fetcher)
{
    struct arena *scratch = arena_new(16 * 1024);
    struct http_headers headers = { 0 };
    char etag[sizeof issuer->etag];
    issuer_hold(issuer->issuers, issuer->name, issuer->jwks_uri);
    pthread_mutex_lock(&issuer->lock);
    memcpy(etag, issuer->etag, sizeof etag);
    pthread_mutex_unlock(&issuer->lock);
    http_header_add(scratch, &headers, STR("Accept"), STR("application/json"));
    if (etag[0])
        http_header_add(scratch, &headers, STR("If-None-Match"), str_of(etag));
    struct http_fetch get = { .method = STR("GET"),
                              .url = issuer->jwks_uri,
                              .headers = &headers,
                              .timeout_ms = DOCUMENT_FETCH_MS,
                              .most = DOCUMENT_FETCH_BYTES };
    http_fetch(fetcher, scratch, &get);
    struct document_fetch as_fetch = { .why = document_fetch_fault(get.why, get.status, &get.answer),
                                       .status = get.status,
                                       .body = get.text,
                                       .headers = get.answer,
                                       .user = issuer };
    fetched(&as_fetch);
    arena_free(scratch);
}

/* Another one fetches: until that has ended. */
static void wait_here(struct issuer *issuer)
{
    job_waits();
    pthread_mutex_lock(&issuer->lock);
    while (issuer->fetching)
        pthread_cond_wait(&issuer->fetched, &issuer->lock);
    pthread_mutex_unlock(&issuer->lock);
    job_goes_on();
}

enum issuer_answer issuer_key_wait(struct issuer *issuer, struct http_fetcher *fetcher, struct arena *arena,
                                   struct str kid, enum key_alg alg, const struct key **key, const char **why)
{
    struct look what = { ISSUER_ASKED, false };
    for (bool waited = false; what.answer == ISSUER_ASKED; waited = true) {
        pthread_mutex_lock(&issuer->lock);
        /* fetch_here lets go its own hold, the caller has another. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        *key = issuer->keys ? key_set_find(issuer->keys, kid, alg) : NULL;
        what = look(issuer, env_monotonic_us(issuer->issuers->env), *key != NULL, waited);
        *why = issuer->why;
        if (what.answer == ISSUER_KEY)
            hold_keys(issuer, arena);
        issuer->fetching |= what.fetch;
        pthread_mutex_unlock(&issuer->lock);
        if (what.fetch)
            fetch_here(issuer, fetcher);
        else if (what.answer == ISSUER_ASKED)
            wait_here(issuer);
    }
    return what.answer;
}
