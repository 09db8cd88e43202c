#include "identity/tokens/rotate.h"

#include "core/log.h"
#include "core/time.h"
#include "identity/pools/errand.h"
#include "identity/pools/options.h"

enum { LISTED_S = 7200 }; /* "API Gateway can cache the public key for two hours"; who heeds our Cache-Control, for 300 s */

static int64_t listed_s(const struct pool *pool)
{
    return option_count(pool->more, "keyListedSeconds", LISTED_S);
}

static gh_err no_pool(struct arena *arena, struct str pool)
{
    return gh_fail(arena, &idp_ResourceNotFoundException, "User pool %.*s does not exist.", STR_FMT(pool));
}

static const struct listed_key *key_in_state(const struct listed_pool *pool, int use, enum key_state state, int64_t now_s)
{
    for (size_t i = 0; i < pool->n_keys; i++)
        if ((int)pool->keys[i].use == use && listed_key_state(&pool->keys[i], now_s) == state)
            return &pool->keys[i];
    return NULL;
}

static gh_err check_room(struct arena *arena, const struct listed_pool *pool, int64_t now_s)
{
    size_t listed = 0;
    for (size_t i = 0; i < pool->n_keys; i++) {
        enum key_state state = listed_key_state(&pool->keys[i], now_s);
        if (state == KEY_NEXT)
            return gh_fail(arena, &idp_InvalidParameterException,
                           "The next signing keys of user pool %.*s are listed already and sign from %.*s on.",
                           STR_FMT(pool->id), STR_FMT(time_iso8601(arena, pool->keys[i].from_s)));
        listed += state != KEY_GONE;
    }
    if (listed + KEY_USES > MOST_LISTED_KEYS)
        return gh_fail(arena, &idp_LimitExceededException,
                       "User pool %.*s has %zu signing keys whose tokens have not expired yet; rotate when there are fewer.",
                       STR_FMT(pool->id), listed);
    return NULL;
}

/* The changes and what of the old keys is over, on disk; then in memory. */
static gh_err save(struct pool_directory *directory, struct arena *arena, const struct listed_pool *pool, struct tx *tx,
                   int64_t now_s)
{
    for (size_t i = 0; i < pool->n_keys; i++)
        if (listed_key_state(&pool->keys[i], now_s) == KEY_GONE)
            store_key_delete(tx, pool->id, pool->keys[i].stored.kid);
    gh_err err = tx_commit(tx);
    return err ? err : pool_directory_reload(directory, arena, pool->id);
}

static gh_err rotate(struct pool_directory *directory, struct arena *arena, const struct listed_pool *pool, int64_t from_s,
                     int64_t now_s)
{
    struct stored_key keys[KEY_USES];
    struct tx tx;
    gh_err err = check_room(arena, pool, now_s);
    if (err)
        return err;
    if (!key_stock_take(directory->stock, arena, keys))
        return gh_fail(arena, &GH_INTERNAL, "A signing key could not be made.");
    tx_begin(&tx, directory->identity->db, arena);
    for (int use = 0; use < KEY_USES; use++) {
        keys[use].from_s = from_s;
        store_key_put(&tx, &keys[use], pool->id, key_use_name((enum key_use)use));
    }
    return save(directory, arena, pool, &tx, now_s);
}

gh_err keys_rotate(struct pool_directory *directory, struct arena *arena, struct str id, int64_t from_s, int64_t now_s)
{
    pthread_mutex_lock(&directory->changing);
    const struct listed_pool *pool = pool_directory_find(directory, arena, id);
    gh_err err = pool ? rotate(directory, arena, pool, from_s, now_s) : no_pool(arena, id);
    pthread_mutex_unlock(&directory->changing);
    if (!err)
        log_at(LOG_INFO, "the next signing keys of a user pool are listed", { "pool", id });
    return err;
}

/* The key that goes on where the current one stops: the next, before its time, or a new one. */
static bool successor(struct pool_directory *directory, struct arena *arena, const struct listed_pool *pool,
                      enum key_use use, int64_t now_s, struct stored_key *out)
{
    const struct listed_key *next = key_in_state(pool, use, KEY_NEXT, now_s);
    if (next)
        *out = next->stored;
    else if (!key_stock_take_one(directory->stock, arena, out))
        return false;
    out->from_s = now_s;
    return true;
}

static gh_err retire(struct pool_directory *directory, struct arena *arena, const struct listed_pool *pool, struct str kid,
                     int64_t now_s)
{
    const struct listed_key *key = NULL;
    struct stored_key other;
    struct tx tx;
    for (size_t i = 0; i < pool->n_keys; i++)
        if (str_eq(pool->keys[i].stored.kid, kid))
            key = &pool->keys[i];
    if (!key)
        return gh_fail(arena, &idp_ResourceNotFoundException, "User pool %.*s has no signing key %.*s.", STR_FMT(pool->id),
                       STR_FMT(kid));
    bool signs = key == listed_pool_current(pool, key->use, now_s);
    if (signs && !successor(directory, arena, pool, key->use, now_s, &other))
        return gh_fail(arena, &GH_INTERNAL, "A signing key could not be made.");
    tx_begin(&tx, directory->identity->db, arena);
    store_key_delete(&tx, pool->id, kid);
    if (signs)
        store_key_put(&tx, &other, pool->id, key_use_name(key->use));
    return save(directory, arena, pool, &tx, now_s);
}

gh_err keys_retire(struct pool_directory *directory, struct arena *arena, struct str id, struct str kid, int64_t now_s)
{
    pthread_mutex_lock(&directory->changing);
    const struct listed_pool *pool = pool_directory_find(directory, arena, id);
    gh_err err = pool ? retire(directory, arena, pool, kid, now_s) : no_pool(arena, id);
    pthread_mutex_unlock(&directory->changing);
    if (!err)
        log_at(LOG_WARN, "a signing key of a user pool was retired, its tokens are refused", { "pool", id }, { "kid", kid });
    return err;
}

void keys_rotate_when_due(struct call *call, const struct pool *pool, const struct listed_pool *listed)
{
    int64_t days = option_count(pool->more, "keyRotationDays", 0), now_s = call->now_us / 1000000, lead_s = listed_s(pool);
    if (!days)
        return;
    const struct listed_key *current = listed_pool_current(listed, KEY_FOR_ACCESS, now_s);
    if (!current || current->signs_until_s != INT64_MAX || now_s < current->from_s + days * 86400 - lead_s ||
        !listed_pool_first_to_ask(listed))
        return;
    int64_t from_s = current->from_s + days * 86400;
    key_stock_ask_rotation(pools_of(call)->stock, pool->id, from_s > now_s + lead_s ? from_s : now_s + lead_s);
}

/* ---- /_gatehouse/user-pools/{id}/keys ---- */

static void set_time(struct call *call, json_t *object, const char *name, int64_t at_s)
{
    if (at_s != INT64_MAX)
        json_set_str(object, name, time_iso8601(call->arena, at_s));
}

static gh_err show(struct call *call, struct str id, struct str *json)
{
    int64_t now_s = call->now_us / 1000000;
    const struct listed_pool *pool = pool_directory_find(pools_of(call), call->arena, id);
    json_t *keys = json_array(), *shown = json_own(call->arena, json_object());
    json_object_set_new(shown, "keys", keys);
    for (size_t i = 0; pool && i < pool->n_keys; i++) {
        const struct listed_key *key = &pool->keys[i];
        enum key_state state = listed_key_state(key, now_s);
        if (state == KEY_GONE)
            continue;
        json_t *one = json_object();
        json_set_str(one, "kid", key->stored.kid);
        json_set_str(one, "use", str_of(key_use_name(key->use)));
        json_set_str(one, "state", str_of(key_state_name(state)));
        set_time(call, one, "from", key->from_s);
        set_time(call, one, "signsUntil", key->signs_until_s);
        set_time(call, one, "listedUntil", key->listed_until_s);
        json_array_append_new(keys, one);
    }
    *json = json_print(call->arena, shown);
    return NULL;
}

gh_err pool_keys_get(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    return err ? err : show(call, pool.id, json);
}

gh_err pool_keys_rotate(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    int64_t now_s = call->now_us / 1000000;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        err = keys_rotate(pools_of(call), call->arena, pool.id, now_s + listed_s(&pool), now_s);
    return err ? err : show(call, pool.id, json);
}

gh_err pool_keys_retire(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    struct str kid = json_str(json_parse(call->arena, *errand->body, NULL), "kid");
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err && !kid.len)
        err = gh_fail(call->arena, &idp_InvalidParameterException, "Send {\"kid\": …}: the name of the key as the JWKS has it.");
    if (!err)
        err = keys_retire(pools_of(call), call->arena, pool.id, kid, call->now_us / 1000000);
    return err ? err : show(call, pool.id, json);
}
