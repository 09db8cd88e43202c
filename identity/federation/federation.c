#include "identity/federation/federation.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/document_fetch.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/map.h"
#include "core/uri.h"

#define SECOND INT64_C(1000000)
enum { KEPT_S = 3600, KEPT_MAX = 1024, URL_MAX = 1024 };

/* An issuer whose discovery document was read. */
struct place {
    struct issuer *keys; /* held */
    int64_t until_us;
};

struct federation {
    const struct identity *identity;
    struct issuers *issuers;
    pthread_mutex_t lock;
    struct map *places; /* issuer -> struct place */
};

static void place_free(void *ptr)
{
    struct place *place = ptr;
    issuer_release(place->keys);
    free(place);
}

struct federation *federation_open(struct identity *identity)
{
    struct federation *federation = calloc(1, sizeof *federation);
    if (!federation)
        abort();
    federation->identity = identity;
    federation->issuers = issuers_new(identity->env);
    pthread_mutex_init(&federation->lock, NULL);
    federation->places = map_new();
    return federation;
}

void federation_close(struct federation *federation)
{
    if (!federation)
        return;
    map_free(federation->places, place_free);
    issuers_free(federation->issuers);
    pthread_mutex_destroy(&federation->lock);
    free(federation);
}

bool federation_may_ask(struct arena *arena, struct str url)
{
    struct uri uri;
    struct ip ip;
    if (url.len > URL_MAX || !uri_parse(arena, url, &uri) || uri.userinfo.ptr || uri.fragment.ptr)
        return false;
    bool here = str_is(uri.host, "localhost") || (ip_parse(uri.host, &ip) && ip_scope(&ip) == IP_LOOPBACK);
    return str_is(uri.scheme, "https") || here;
}

static struct str get(struct federation *federation, struct arena *arena, struct str url, const char **why)
{
    struct http_headers headers = { 0 };
    http_header_add(arena, &headers, STR("Accept"), STR("application/json"));
    struct http_fetch fetch = { .method = STR("GET"),
                                .url = url,
                                .headers = &headers,
                                .timeout_ms = DOCUMENT_FETCH_MS,
                                .most = DOCUMENT_FETCH_BYTES };
    http_fetch(federation->identity->fetcher, arena, &fetch);
    *why = document_fetch_fault(fetch.why, fetch.status, &fetch.answer);
    return *why ? STR_NONE : fetch.text;
}

/* OpenID Connect Discovery, 4.3: "The issuer value returned MUST be identical to the Issuer URL". */
static struct str discover(struct federation *federation, struct arena *arena, struct str issuer,
                           const char **why)
{
    struct str base = str_ends(issuer, STR("/")) ? str_sub(issuer, 0, issuer.len - 1) : issuer;
    if (!federation_may_ask(arena, issuer) || str_find(issuer, '?') >= 0) {
        *why = "it is no https address";
        return STR_NONE;
    }
    struct str text =
        get(federation, arena, str_concat(arena, base, STR("/.well-known/openid-configuration")), why);
    if (!text.ptr)
        return STR_NONE;
    json_t *document = json_parse(arena, text, NULL);
    struct str jwks_uri = json_str(document, "jwks_uri");
    if (!str_eq(json_str(document, "issuer"), issuer))
        *why = "its discovery document is another issuer's, or none";
    else if (!federation_may_ask(arena, jwks_uri))
        *why = "its jwks_uri is no https address";
    return *why ? STR_NONE : jwks_uri;
}

/* A hold of the issuer's keys for the caller, when its document was read lately. */
static struct issuer *known(struct federation *federation, struct str issuer, int64_t now_us)
{
    pthread_mutex_lock(&federation->lock);
    struct place *place = map_get(federation->places, issuer);
    struct issuer *keys = place && now_us < place->until_us ? place->keys : NULL;
    if (keys)
        keys = issuer_hold_again(keys);
    pthread_mutex_unlock(&federation->lock);
    return keys;
}

static void remember(struct federation *federation, struct str issuer, struct issuer *keys, int64_t now_us)
{
    struct place *place = calloc(1, sizeof *place);
    if (!place)
        abort();
    *place = (struct place){ issuer_hold_again(keys), now_us + KEPT_S * SECOND };
    pthread_mutex_lock(&federation->lock);
    if (map_count(federation->places) >= KEPT_MAX) { /* any one makes room */
        size_t at = 0;
        struct str name;
        void *value;
        if (map_each(federation->places, &at, &name, &value))
            place_free(map_remove(federation->places, name));
    }
    struct place *before = map_set(federation->places, issuer, place);
    pthread_mutex_unlock(&federation->lock);
    if (before)
        place_free(before);
}

enum issuer_answer federation_key(struct federation *federation, struct arena *arena, struct str issuer,
                                  struct str kid, enum key_alg alg, const struct key **key, const char **why)
{
    int64_t now_us = env_monotonic_us(federation->identity->env);
    struct issuer *keys = known(federation, issuer, now_us);
    if (!keys) {
        struct str jwks_uri = discover(federation, arena, issuer, why);
        if (!jwks_uri.ptr)
            return ISSUER_DOWN;
        keys = issuer_hold(federation->issuers, issuer, jwks_uri);
        remember(federation, issuer, keys, now_us);
    }
    enum issuer_answer answer =
        issuer_key_wait(keys, federation->identity->fetcher, arena, kid, alg, key, why);
    issuer_release(keys);
    return answer;
}
