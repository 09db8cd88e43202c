#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "gateway/cache/caches.h"
#include "gateway/stage/cache.h"

static int64_t no_clock(void *ctx)
{
    (void)ctx;
    return 0;
}

static void some_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)out)[i] = (uint8_t)rand();
}

static const struct env env = { .wall_us = no_clock, .monotonic_us = no_clock, .random = some_random };

static struct cache_entry *entry_of(const char *key, const char *body, int64_t from_s, int64_t ttl_s, int64_t grace_s)
{
    const struct cache_entry made = { .key = str_of(key), .head = STR("A: b\r\n"), .body = str_of(body), .status = 200,
                                      .stored_us = from_s * 1000000, .fresh_until_us = (from_s + ttl_s) * 1000000,
                                      .stale_until_us = (from_s + ttl_s + grace_s) * 1000000 };
    return cache_entry_new(&made, NULL);
}

static void put(struct cache *cache, const char *key, const char *body, int64_t ttl_s)
{
    struct cache_entry *entry = entry_of(key, body, 0, ttl_s, 0);
    cache_put(cache, entry);
    cache_entry_unref(entry);
}

static bool is_there(struct cache *cache, const char *key, int64_t now_s)
{
    struct cache_entry *entry = NULL;
    if (cache_look(cache, str_of(key), now_s * 1000000, NULL, &entry, NULL) == CACHE_MISS)
        return false;
    cache_entry_unref(entry);
    return true;
}

/* --- time --- */

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t from_s, ttl_s, grace_s, now_s;
        enum cache_turn expect;
    } rows[] = {
        { "fresh at once", 100, 300, 0, 100, CACHE_HIT },
        { "fresh to the end", 100, 300, 0, 399, CACHE_HIT },
        { "dead when its time is up", 100, 300, 0, 400, CACHE_MISS },
        { "stale within the grace, and the first fetches", 100, 300, 60, 400, CACHE_REFRESH },
        { "dead after the grace", 100, 300, 60, 460, CACHE_MISS },
        { "from the future of a clock set back", 100, 300, 0, 98, CACHE_MISS },
        { "another loop's clock may be a little behind", 100, 300, 0, 99, CACHE_HIT },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cache *cache = cache_new(1 << 20);
        struct cache_entry *entry = entry_of("k", "b", rows[i].from_s, rows[i].ttl_s, rows[i].grace_s), *found = NULL;
        struct cache_flight *flight = NULL;
        cache_put(cache, entry);
        cache_entry_unref(entry);
        enum cache_turn turn = cache_look(cache, STR("k"), rows[i].now_s * 1000000, NULL, &found, &flight);
        if (turn != rows[i].expect)
            fail_msg("%s: %d", rows[i].name, (int)turn);
        cache_entry_unref(found);
        if (flight) { /* while it is on its way the others have the old one */
            assert_int_equal(cache_look(cache, STR("k"), rows[i].now_s * 1000000, NULL, &found, &flight), CACHE_STALE);
            cache_entry_unref(found);
            cache_hand_on(cache, flight);
        }
        cache_unref(cache);
    }
}

/* --- budget --- */

static void budget(void **state)
{
    (void)state;
    char key[32], body[1000];
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    struct cache *cache = cache_new(100000);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        put(cache, key, body, 300);
        assert_true(cache_bytes(cache) <= 100000);
        assert_true(is_there(cache, key, 1));
    }
    assert_in_range(cache_bytes(cache), 90000, 100000);
    assert_int_equal(cache_count(cache) + cache_total(cache, CACHE_EVICTIONS), 1000);
    cache_set_limit(cache, 10000);
    assert_in_range(cache_bytes(cache), 1, 10000);
    cache_set_limit(cache, 0);
    assert_int_equal(cache_bytes(cache), 0);
    put(cache, "k", "b", 300);
    assert_int_equal(cache_count(cache), 0);
    cache_unref(cache);
}

static void larger_than_all(void **state)
{
    (void)state;
    struct cache *cache = cache_new(2000);
    char *body = calloc(1, 4000);
    memset(body, 'x', 3999);
    put(cache, "small", "b", 300);
    put(cache, "large", body, 300);
    assert_true(is_there(cache, "small", 1)); /* it does not push out what fits */
    assert_false(is_there(cache, "large", 1));
    free(body);
    cache_unref(cache);
}

static void warm_ones_stay(void **state)
{
    (void)state;
    char key[32], body[500];
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    struct cache *cache = cache_new(200000);
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "warm %d", i);
        put(cache, key, body, 300);
    }
    for (int pass = 0; pass < 5000; pass++) { /* a scan of keys that nobody asks for twice */
        snprintf(key, sizeof key, "cold %d", pass);
        put(cache, key, body, 300);
        snprintf(key, sizeof key, "warm %d", pass % 20);
        is_there(cache, key, 1);
    }
    int left = 0;
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "warm %d", i);
        left += is_there(cache, key, 1);
    }
    assert_int_equal(left, 20);
    cache_unref(cache);
}

static void replacing_counts_once(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    for (int i = 0; i < 100; i++)
        put(cache, "k", "body", 300);
    assert_int_equal(cache_count(cache), 1);
    size_t one = cache_bytes(cache);
    assert_in_range(one, 1, 1000);
    assert_int_equal(cache_drop(cache, STR("k")), 1);
    assert_int_equal(cache_bytes(cache), 0);
    assert_int_equal(cache_drop(cache, STR("k")), 0);
    cache_unref(cache);
}

static void held_entries_outlive_the_cache(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct cache_entry *entry = NULL;
    put(cache, "k", "body", 300);
    assert_int_equal(cache_look(cache, STR("k"), 0, NULL, &entry, NULL), CACHE_HIT);
    cache_unref(cache);
    assert_true(str_is(entry->body, "body"));
    cache_entry_unref(entry);
}

/* --- tags --- */

static void tags(void **state)
{
    (void)state;
    static const struct {
        const char *tags, *purge;
        bool goes;
    } rows[] = {
        { " a b", "a", true }, { " a b", "b", true },   { " ab", "a", false },  { " a b", "a b", false },
        { "", "a", false },    { "  a  b ", "", true }, { " a", "aa", false },  { "a", "a", true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cache *cache = cache_new(1 << 20);
        const struct cache_entry made = { .key = STR("k"), .tag_list = str_of(rows[i].tags), .stale_until_us = 1 };
        struct cache_entry *entry = cache_entry_new(&made, NULL);
        cache_put(cache, entry);
        cache_entry_unref(entry);
        if (cache_purge_tag(cache, str_of(rows[i].purge)) != rows[i].goes)
            fail_msg("'%s' of '%s'", rows[i].purge, rows[i].tags);
        cache_unref(cache);
    }
}

/* --- sealing --- */

static bool contains(const struct cache_entry *entry, const char *text)
{
    return str_find_str((struct str){ (const char *)entry, entry->bytes }, str_of(text)) >= 0;
}

static void sealed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct cache_sealer *sealer = cache_sealer_new(&env), *other = cache_sealer_new(&env);
    struct cache_entry made = { .key = STR("k1"), .head = STR("X-Secret: one\r\n"), .body = STR("the secret body") };
    struct cache_entry *clear = cache_entry_new(&made, NULL), *a = cache_entry_new(&made, sealer);
    struct cache_entry *b = cache_entry_new(&made, sealer);
    struct str head, body;
    assert_true(contains(clear, "secret body") && contains(clear, "X-Secret"));
    assert_false(contains(a, "secret") || contains(a, "Secret"));
    assert_memory_not_equal(a->body.ptr, b->body.ptr, a->body.len); /* a nonce of its own each time */
    assert_true(cache_entry_open(a, arena, &head, &body));
    assert_true(str_is(head, "X-Secret: one\r\n") && str_is(body, "the secret body"));
    assert_true(cache_entry_open(clear, arena, &head, &body) && str_is(body, "the secret body"));

    ((char *)(uintptr_t)a->body.ptr)[14] ^= 1;
    assert_false(cache_entry_open(a, arena, &head, &body));
    ((char *)(uintptr_t)a->body.ptr)[14] ^= 1;
    ((char *)(uintptr_t)a->key.ptr)[1] = '2'; /* moved under another key */
    assert_false(cache_entry_open(a, arena, &head, &body));
    b->sealer = other;
    assert_false(cache_entry_open(b, arena, &head, &body));

    struct cache_entry empty = { .key = STR("k") };
    struct cache_entry *none = cache_entry_new(&empty, sealer);
    assert_true(cache_entry_open(none, arena, &head, &body) && head.len == 0 && body.len == 0);
    struct str one = cache_sealed_key(sealer, arena, STR("k1")), two = cache_sealed_key(sealer, arena, STR("k2"));
    assert_true(one.len == 64 && !str_eq(one, two) && str_eq(one, cache_sealed_key(sealer, arena, STR("k1"))));
    assert_false(str_eq(one, cache_sealed_key(other, arena, STR("k1"))));

    cache_entry_unref(clear);
    cache_entry_unref(a);
    cache_entry_unref(b);
    cache_entry_unref(none);
    cache_sealer_free(sealer);
    cache_sealer_free(other);
    arena_free(arena);
}

/* --- flights: who leads, who waits, what each is told --- */

struct told {
    struct cache_waiter *waiter;
    enum cache_news news;
    struct cache_flight *flight;
    int times;
};

static void on_news(struct cache_waiter *waiter)
{
    struct told *told = waiter->user;
    told->news = waiter->news;
    told->flight = waiter->flight;
    told->times++;
    free(waiter);
}

static struct cache_waiter *waiter_of(struct loop *loop, struct told *told)
{
    struct cache_waiter *waiter = calloc(1, sizeof *waiter);
    *waiter = (struct cache_waiter){ .loop = loop, .fn = on_news, .user = told };
    told->waiter = waiter;
    return waiter;
}

struct stopper {
    struct loop_task task;
    struct loop *loop;
};

static void stop(struct loop_task *task)
{
    loop_stop(((struct stopper *)(void *)task)->loop);
}

/* Runs what has been posted. */
static void turn(struct loop *loop)
{
    struct stopper stopper = { { NULL, stop }, loop };
    loop_post(loop, &stopper.task);
    loop_run(loop);
}

static void equal_misses(void **state)
{
    (void)state;
    struct loop *loop = loop_new(&env);
    struct cache *cache = cache_new(1 << 20);
    struct cache_entry *entry = NULL;
    struct cache_flight *flight = NULL, *none = NULL;
    struct told told[4] = { 0 };
    struct cache_waiter *leader = waiter_of(loop, &told[0]);
    assert_int_equal(cache_look(cache, STR("k"), 0, leader, &entry, &flight), CACHE_LEAD);
    free(leader);
    for (int i = 1; i < 4; i++)
        assert_int_equal(cache_look(cache, STR("k"), 0, waiter_of(loop, &told[i]), &entry, &none), CACHE_WAIT);
    assert_null(none);
    assert_int_equal(cache_total(cache, CACHE_MISSES), 1);

    /* one goes home; the leader fails: the next leads, and it alone hears of it */
    assert_true(cache_leave(told[1].waiter));
    free(told[1].waiter);
    cache_hand_on(cache, flight);
    turn(loop);
    assert_int_equal(told[1].times, 0);
    assert_int_equal(told[2].times, 1);
    assert_int_equal(told[2].news, CACHE_LEAD_NOW);
    assert_ptr_equal(told[2].flight, flight);
    assert_int_equal(told[3].times, 0);

    struct cache_entry *made = entry_of("k", "b", 0, 10, 0);
    cache_land(cache, told[2].flight, made, NULL, CACHE_LOOK_AGAIN);
    cache_entry_unref(made);
    turn(loop);
    assert_int_equal(told[3].times, 1);
    assert_int_equal(told[3].news, CACHE_LOOK_AGAIN);
    assert_int_equal(cache_look(cache, STR("k"), 0, NULL, &entry, NULL), CACHE_HIT);
    cache_entry_unref(entry);
    cache_unref(cache);
    loop_free(loop);
}

static void flush(struct cache *cache)
{
    cache_flush(cache);
}

static void what_is_not_kept(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*meanwhile)(struct cache *cache);
        const char *body; /* NULL: nothing that is kept */
        bool kept;
        enum cache_news news;
    } rows[] = {
        { "kept", NULL, "b", true, CACHE_LOOK_AGAIN },
        { "of a kind that is not kept", NULL, NULL, false, CACHE_GO_ALONE },
        { "larger than the cache", NULL, "large", false, CACHE_GO_ALONE },
        { "flushed meanwhile", flush, "b", false, CACHE_LOOK_AGAIN },
    };
    char *large = calloc(1, 6000);
    memset(large, 'x', 5999);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loop *loop = loop_new(&env);
        struct cache *cache = cache_new(4000);
        struct cache_entry *entry = NULL, *beside;
        struct cache_flight *flight = NULL, *other = NULL;
        struct told leader = { 0 }, waits = { 0 };
        struct cache_waiter *first = waiter_of(loop, &leader);
        assert_int_equal(cache_look(cache, STR("k"), 0, first, &entry, &flight), CACHE_LEAD);
        free(first);
        assert_int_equal(cache_look(cache, STR("k"), 0, waiter_of(loop, &waits), &entry, &other), CACHE_WAIT);
        if (rows[i].meanwhile)
            rows[i].meanwhile(cache);
        beside = entry_of("variant", "b", 0, 10, 0);
        bool is_large = rows[i].body && strcmp(rows[i].body, "large") == 0;
        entry = rows[i].body ? entry_of("k", is_large ? large : rows[i].body, 0, 10, 0) : NULL;
        cache_land(cache, flight, entry, rows[i].kept || rows[i].meanwhile ? beside : NULL,
                   rows[i].body ? CACHE_LOOK_AGAIN : CACHE_GO_ALONE);
        cache_entry_unref(entry);
        cache_entry_unref(beside);
        turn(loop);
        if (waits.news != rows[i].news || waits.times != 1)
            fail_msg("%s: told %d, %d times", rows[i].name, (int)waits.news, waits.times);
        if (is_there(cache, "k", 1) != rows[i].kept || is_there(cache, "variant", 1) != rows[i].kept)
            fail_msg("%s: kept?", rows[i].name);
        cache_unref(cache);
        loop_free(loop);
    }
    free(large);
}

/* --- many threads --- */

static struct cache *shared;
static atomic_int wrong;

static void *hammer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    char key[32], body[200];
    for (int i = 0; i < 20000; i++) {
        struct cache_entry *entry = NULL;
        int n = (int)(rand_r(&seed) % 500);
        snprintf(key, sizeof key, "key %d", n);
        switch (rand_r(&seed) % 8) {
        case 0:
            memset(body, 'a' + n % 26, sizeof body - 1);
            body[sizeof body - 1] = '\0';
            put(shared, key, body, 300);
            break;
        case 1:
            cache_drop(shared, str_of(key));
            break;
        case 2:
            if (i % 1000 == 0)
                cache_flush(shared);
            break;
        default:
            if (cache_look(shared, str_of(key), 0, NULL, &entry, NULL) == CACHE_HIT) {
                wrong += entry->body.ptr[0] != 'a' + n % 26 || !str_is(entry->key, key);
                cache_entry_unref(entry);
            }
        }
    }
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    pthread_t all[4];
    shared = cache_new(60000);
    for (uintptr_t i = 0; i < COUNT(all); i++)
        pthread_create(&all[i], NULL, hammer, (void *)(i + 1));
    for (size_t i = 0; i < COUNT(all); i++)
        pthread_join(all[i], NULL);
    assert_int_equal(wrong, 0);
    assert_true(cache_bytes(shared) <= 60000);
    cache_flush(shared);
    assert_int_equal(cache_bytes(shared), 0);
    assert_int_equal(cache_count(shared), 0);
    cache_unref(shared);
}

/* --- keys --- */

/* The key of a request with such a query and header X, of a method keyed by q, X and a secret. */
static struct str key_of(struct arena *arena, const char *verb, const char *query, const char *x1, const char *x2)
{
    static struct gw_cache_param params[] = {
        { STR_INIT("method.request.querystring.q"), { SOURCE_QUERY, STR_INIT("q"), NULL }, false },
        { STR_INIT("method.request.header.X"), { SOURCE_HEADER, STR_INIT("X"), NULL }, false },
        { STR_INIT("method.request.header.Authorization"), { SOURCE_HEADER, STR_INIT("Authorization"), NULL }, true },
    };
    static struct gw_cache_plan plan = { .name_space = STR_INIT("abc"), .params = params, .n_params = COUNT(params) };
    struct snapshot *snapshot = ARENA_NEW(arena, struct snapshot);
    struct gw_method *method = ARENA_NEW(arena, struct gw_method);
    struct gw_request *r = ARENA_NEW(arena, struct gw_request);
    r->x = ARENA_NEW(arena, struct http_exchange);
    *r->x = (struct http_exchange){ .arena = arena, .query = str_of(query) };
    if (x1)
        http_header_add(arena, &r->x->headers, STR("X"), str_of(x1));
    if (x2)
        http_header_add(arena, &r->x->headers, STR("x"), str_of(x2));
    http_header_add(arena, &r->x->headers, STR("Authorization"), STR("Bearer of-a-secret"));
    method->cache = &plan;
    r->arena = arena;
    r->snapshot = snapshot;
    r->method = method;
    r->http_method = str_of(verb);
    return stage_cache_key(r);
}

static void keys(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16384);
    static const struct {
        const char *name, *verb, *query, *x1, *x2, *expect; /* without the secret's part */
    } rows[] = {
        { "nothing given", "GET", NULL, NULL, NULL, "GET 3:abc - ; - ;" },
        { "values", "GET", "q=1", "a", NULL, "GET 3:abc 1:1 ; 1:a ;" },
        { "decoded", "GET", "q=%31", "a", NULL, "GET 3:abc 1:1 ; 1:a ;" },
        { "empty is not absent", "GET", "q=", "", NULL, "GET 3:abc 0: ; 0: ;" },
        { "the method is part of it", "POST", "q=1", NULL, NULL, "POST 3:abc 1:1 ; - ;" },
        { "all values of one name, in their order", "GET", "q=1&q=2", "a", "b", "GET 3:abc 1:1 1:2 ; 1:a 1:b ;" },
        { "a value that looks like two", "GET", "q=1%201:2", NULL, NULL, "GET 3:abc 5:1 1:2 ; - ;" },
        { "a value that looks like the end", "GET", "q=%20;", NULL, NULL, "GET 3:abc 2: ; ; - ;" },
        { "a value that looks absent", "GET", "q=-", NULL, NULL, "GET 3:abc 1:- ; - ;" },
        { "what is no key parameter", "GET", "p=1&q=1&r=2", NULL, NULL, "GET 3:abc 1:1 ; - ;" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str key = key_of(arena, rows[i].verb, rows[i].query, rows[i].x1, rows[i].x2);
        ptrdiff_t secret = str_find(key, '#');
        if (secret < 1 || !str_is(str_sub(key, 0, (size_t)secret - 1), rows[i].expect))
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(key));
        assert_true(str_find_str(key, STR("secret")) < 0);
        for (size_t k = 0; k < i; k++) /* rows 1 and 2 are one request, and so is the last */
            if (str_is(str_of(rows[k].expect), rows[i].expect) !=
                str_eq(key, key_of(arena, rows[k].verb, rows[k].query, rows[k].x1, rows[k].x2)))
                fail_msg("%s and %s", rows[i].name, rows[k].name);
    }
    char longer[300], other[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memcpy(other, longer, sizeof other);
    other[200] = 'y';
    struct str one = key_of(arena, "GET", NULL, longer, NULL), two = key_of(arena, "GET", NULL, other, NULL);
    assert_true(one.len < 200 && !str_eq(one, two)); /* long values stand in it as hashes */
    arena_free(arena);
}

/* --- shares --- */

static void shares(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double gib;
    } sizes[] = { { "0.5", 0.5 },   { "1.6", 1.6 }, { "6.1", 6.1 }, { "13.5", 13.5 }, { "28.4", 28.4 },
                  { "58.2", 58.2 }, { "118", 118 }, { "237", 237 }, { "1", 0 },       { "", 0 } };
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_int_equal(caches_size_of(str_of(sizes[i].name)), (size_t)(sizes[i].gib * (1 << 30)));

    struct caches *caches = caches_new(1000, &env);
    struct cache *a = caches_attach(caches, STR("api/a"), 600);
    assert_int_equal(cache_limit(a), 600); /* all fits */
    struct cache *b = caches_attach(caches, STR("api/b"), 1400);
    assert_int_equal(cache_limit(a), 300);
    assert_int_equal(cache_limit(b), 700);
    struct cache *again = caches_attach(caches, STR("api/a"), 600);
    assert_ptr_equal(a, again); /* a deploy keeps it */
    cache_unref(again);
    again = caches_attach(caches, STR("api/a"), 700);
    assert_ptr_not_equal(a, again); /* another size is another cache */
    cache_unref(again);
    struct cache *ab = caches_attach(caches, STR("api/ab"), 100);
    struct cache *canary = caches_attach(caches, STR("api/a/canary"), 100);
    caches_detach(caches, STR("api/a"));
    assert_null(caches_find(caches, STR("api/a")));
    assert_null(caches_find(caches, STR("api/a/canary")));
    struct cache *found = caches_find(caches, STR("api/ab"));
    assert_ptr_equal(found, ab);
    cache_unref(found);
    caches_detach(caches, STR("api/"));
    assert_null(caches_find(caches, STR("api/b")));
    cache_unref(a);
    cache_unref(b);
    cache_unref(ab);
    cache_unref(canary);
    caches_free(caches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),
        cmocka_unit_test(budget),
        cmocka_unit_test(larger_than_all),
        cmocka_unit_test(warm_ones_stay),
        cmocka_unit_test(replacing_counts_once),
        cmocka_unit_test(held_entries_outlive_the_cache),
        cmocka_unit_test(tags),
        cmocka_unit_test(sealed),
        cmocka_unit_test(equal_misses),
        cmocka_unit_test(what_is_not_kept),
        cmocka_unit_test(threads),
        cmocka_unit_test(keys),
        cmocka_unit_test(shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
