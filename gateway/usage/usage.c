/* API keys and usage plans: from the database to the loops' tables. */
#include "gateway/usage/usage.h"

#include <stdlib.h>

#include "core/base64.h"
#include "core/log.h"
#include "gateway/everywhere.h"
#include "gateway/store/usage_plan.h"
#include "gateway/usage/state.h"

/* What one message brings to a loop. */
struct change {
    const struct usage_key **gone; /* their values go … */
    struct usage_key **keys;       /* … before these come */
    size_t n_gone, n_keys;
    struct str plan_id;            /* absent: no plan changes */
    struct usage_plan *plan;       /* NULL: it goes */
};

static struct str bytes_of(const uint8_t mac[SHA256_BYTES])
{
    return digest_str(mac, SHA256_BYTES);
}

static void *must(void *ptr)
{
    if (!ptr)
        abort();
    return ptr;
}

/* --- lifetimes --- */

static void column_unref(struct usage_column *column)
{
    if (!column || atomic_fetch_sub_explicit(&column->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < USAGE_CHUNKS; i++)
        free((void *)atomic_load_explicit(&column->chunks[i], memory_order_relaxed));
    free(column);
}

static void plan_unref(void *ptr)
{
    struct usage_plan *plan = ptr;
    if (!plan || atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) != 1)
        return;
    column_unref(plan->client);
    for (size_t s = 0; s < plan->n_stages; s++)
        for (size_t m = 0; m < plan->stages[s].n_methods; m++)
            column_unref(plan->stages[s].methods[m].column);
    arena_free(plan->arena);
}

void usage_meter_unref(struct usage_meter *meter)
{
    if (meter && atomic_fetch_sub_explicit(&meter->references, 1, memory_order_acq_rel) == 1)
        free(meter);
}

static void key_unref(void *ptr)
{
    struct usage_key *key = ptr;
    if (!key || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < key->n_plans; i++)
        usage_meter_unref(key->plans[i].meter);
    arena_free(key->arena);
}

/* --- the loop's side --- */

void usage_mac(const struct usage *usage, struct str account, struct str region, struct str value,
               uint8_t out[SHA256_BYTES])
{
    const struct str parts[] = { account, STR("/"), region, STR("/"), value };
    digest_hmac_sha256_parts(bytes_of(usage->secret), parts, COUNT(parts), out);
}

bucket_level *usage_level(const struct usage_column *column, uint32_t slot)
{
    return atomic_load_explicit(&column->chunks[slot / USAGE_CHUNK], memory_order_acquire) + slot % USAGE_CHUNK;
}

static const struct usage_stage *stage_of(const struct usage_plan *plan, uint64_t hash, const struct snapshot *s)
{
    for (size_t i = 0; i < plan->n_stages; i++)
        if (plan->stages[i].hash == hash && str_eq(plan->stages[i].api_id, s->api_id) &&
            str_eq(plan->stages[i].name, s->stage))
            return &plan->stages[i];
    return NULL;
}

static uint64_t stage_hash(struct str api_id, struct str stage)
{
    return str_hash(api_id) * 31 + str_hash(stage);
}

/* The table compares whole MACs, which a stranger cannot steer; the value itself is compared, as its
 * MAC, in constant time. */
static const struct usage_secret *secret_of(const struct usage_key *key, const uint8_t mac[SHA256_BYTES])
{
    for (size_t i = 0; i < key->n_values; i++)
        if (digest_equal(bytes_of(key->values[i].mac), bytes_of(mac)))
            return &key->values[i];
    return NULL;
}

const char *usage_find(struct gw_loop *home, const struct snapshot *snapshot, struct str value, int64_t wall_us,
                       struct usage_match *out)
{
    uint8_t mac[SHA256_BYTES];
    *out = (struct usage_match){ 0 };
    if (!value.len)
        return "none was given";
    if (value.len > 128)
        return "no such key";
    usage_mac(home->gateway->usage, snapshot->account, snapshot->region, value, mac);
    const struct usage_key *key = map_get(home->usage.keys, bytes_of(mac));
    const struct usage_secret *secret = key ? secret_of(key, mac) : NULL;
    if (!secret)
        return "no such key";
    out->key = key;
    if (!key->enabled)
        return "the key is disabled";
    if (key->expires_us && wall_us >= key->expires_us)
        return "the key has expired";
    if (secret->ends_us && wall_us >= secret->ends_us)
        return "this value of the key has been replaced";
    uint64_t hash = stage_hash(snapshot->api_id, snapshot->stage);
    for (size_t i = 0; i < key->n_plans; i++) {
        out->plan = map_get(home->usage.plans, key->plans[i].plan_id);
        out->stage = out->plan ? stage_of(out->plan, hash, snapshot) : NULL;
        out->meter = key->plans[i].meter;
        if (out->stage)
            return NULL;
    }
    return "the key is in no usage plan of this stage";
}

static void apply(struct gw_loop *home, void *ctx)
{
    const struct change *change = ctx;
    for (size_t i = 0; i < change->n_gone; i++)
        for (size_t v = 0; v < change->gone[i]->n_values; v++)
            key_unref(map_remove(home->usage.keys, bytes_of(change->gone[i]->values[v].mac)));
    for (size_t i = 0; i < change->n_keys; i++)
        for (size_t v = 0; v < change->keys[i]->n_values; v++) {
            atomic_fetch_add_explicit(&change->keys[i]->references, 1, memory_order_relaxed);
            key_unref(map_set(home->usage.keys, bytes_of(change->keys[i]->values[v].mac), change->keys[i]));
        }
    if (!change->plan_id.ptr)
        return;
    if (change->plan)
        atomic_fetch_add_explicit(&change->plan->references, 1, memory_order_relaxed);
    plan_unref(change->plan ? map_set(home->usage.plans, change->plan_id, change->plan)
                            : map_remove(home->usage.plans, change->plan_id));
}

/* arena NULL: the loops do not run yet. */
static void apply_everywhere(struct usage *usage, struct arena *arena, struct change *change)
{
    struct gateway *gateway = usage->gateway;
    if (arena)
        gateway_everywhere(gateway, arena, apply, change);
    else
        for (size_t i = 0; i < gateway->n_loops; i++)
            apply(&gateway->loops[i], change);
}

/* --- plans --- */

static void column_reach(struct usage_column *column, uint32_t slot)
{
    if (!column || atomic_load_explicit(&column->chunks[slot / USAGE_CHUNK], memory_order_relaxed))
        return;
    bucket_level *chunk = must(malloc(USAGE_CHUNK * sizeof *chunk));
    for (size_t i = 0; i < USAGE_CHUNK; i++)
        atomic_init(&chunk[i], BUCKET_FULL);
    atomic_store_explicit(&column->chunks[slot / USAGE_CHUNK], chunk, memory_order_release);
}

static void each_column(const struct usage_plan *plan, void (*fn)(struct usage_column *column, uint32_t slot), uint32_t slot)
{
    fn(plan->client, slot);
    for (size_t s = 0; s < plan->n_stages; s++)
        for (size_t m = 0; m < plan->stages[s].n_methods; m++)
            fn(plan->stages[s].methods[m].column, slot);
}

static void level_reset(struct usage_column *column, uint32_t slot)
{
    column_reach(column, slot);
    if (column)
        atomic_store_explicit(usage_level(column, slot), BUCKET_FULL, memory_order_relaxed);
}

/* The column of before, when the limit is still the same. NULL: no limit. */
static struct usage_column *column_for(const json_t *throttle, struct usage_column *before, uint32_t slots)
{
    const json_t *rate = json_object_get(throttle, "rateLimit"), *burst = json_object_get(throttle, "burstLimit");
    double rate_per_s = json_is_number(rate) ? json_number_value(rate) : 10000;
    int64_t size = json_is_number(burst) ? (int64_t)json_number_value(burst) : 5000;
    if ((!rate && !burst) || rate_per_s < 0 || size < 0)
        return NULL;
    struct bucket_limit limit = bucket_limit_of(rate_per_s, size);
    if (before && bucket_limit_equal(&before->limit, &limit)) {
        atomic_fetch_add_explicit(&before->references, 1, memory_order_relaxed);
        return before;
    }
    struct usage_column *column = must(calloc(1, sizeof *column));
    column->limit = limit;
    atomic_init(&column->references, 1);
    for (uint32_t slot = 0; slot < slots; slot += USAGE_CHUNK)
        column_reach(column, slot);
    return column;
}

static struct usage_column *method_column(const struct usage_plan *plan, const struct usage_stage *like, struct str path,
                                          struct str verb)
{
    for (size_t s = 0; plan && s < plan->n_stages; s++) {
        const struct usage_stage *stage = &plan->stages[s];
        if (stage->hash != like->hash || !str_eq(stage->api_id, like->api_id) || !str_eq(stage->name, like->name))
            continue;
        for (size_t m = 0; m < stage->n_methods; m++)
            if (str_eq(stage->methods[m].path, path) && str_eq(stage->methods[m].verb, verb))
                return stage->methods[m].column;
    }
    return NULL;
}

/* "/pets/GET", "//GET" is the root's. */
static void build_stage(struct usage_plan *plan, const json_t *doc, const struct usage_book *book)
{
    struct usage_stage *stage = &plan->stages[plan->n_stages++];
    json_t *throttles = json_object_get(doc, "throttle"), *throttle;
    const char *name;
    stage->api_id = str_copy(plan->arena, json_str(doc, "apiId"));
    stage->name = str_copy(plan->arena, json_str(doc, "stage"));
    stage->hash = stage_hash(stage->api_id, stage->name);
    stage->methods = ARENA_ARRAY(plan->arena, struct usage_method, json_object_size(throttles) + 1);
    json_object_foreach(throttles, name, throttle) {
        struct str whole = str_copy(plan->arena, str_of(name));
        ptrdiff_t slash = str_find_last(whole, '/');
        struct str path = str_sub(whole, 0, slash < 0 ? 0 : (size_t)slash);
        struct str verb = str_from(whole, slash < 0 ? 0 : (size_t)slash + 1);
        if (!path.len)
            path = STR("/");
        struct usage_column *column =
            column_for(throttle, method_column(book->plan, stage, path, verb), book->next_slot);
        if (column)
            stage->methods[stage->n_methods++] = (struct usage_method){ path, verb, column };
    }
}

static struct usage_plan *build_plan(const json_t *doc, const struct usage_book *book)
{
    struct arena *arena = arena_new(1024);
    struct usage_plan *plan = ARENA_NEW(arena, struct usage_plan);
    const json_t *quota = json_object_get(doc, "quota");
    json_t *stages = json_object_get(doc, "apiStages"), *one;
    size_t i;
    plan->arena = arena;
    atomic_init(&plan->references, 1);
    plan->id = str_copy(arena, json_str(doc, "id"));
    plan->client = column_for(json_object_get(doc, "throttle"), book->plan ? book->plan->client : NULL, book->next_slot);
    plan->stages = ARENA_ARRAY(arena, struct usage_stage, json_array_size(stages) + 1);
    json_array_foreach(stages, i, one)
        build_stage(plan, one, book);
    plan->has_quota = quota && usage_period_of(json_str(quota, "period"), &plan->period);
    plan->quota = json_i64(quota, "limit", 0);
    plan->offset = json_i64(quota, "offset", 0);
    return plan;
}

static bool same_quota(const struct usage_plan *a, const struct usage_plan *b)
{
    return a && b && a->has_quota == b->has_quota && a->quota == b->quota && a->period == b->period;
}

static void book_free(void *ptr)
{
    struct usage_book *book = ptr;
    plan_unref(book->plan);
    free(book->free_slots);
    free(book);
}

/* Under the lock. */
static gh_err publish_plan(struct usage *usage, struct db *db, struct arena *arena, bool running, struct str id)
{
    struct plan_row row;
    struct usage_book *book = map_get(usage->books, id);
    gh_err err = plan_find(db, arena, id, &row);
    if (err || (!row.doc && !book))
        return err;
    if (!book) {
        book = must(calloc(1, sizeof *book));
        map_set(usage->books, id, book);
    }
    struct usage_plan *before = book->plan;
    struct usage_plan *after = row.doc ? build_plan(row.doc, book) : NULL;
    struct change change = { .plan_id = id, .plan = after };
    book->plan = after;
    apply_everywhere(usage, running ? arena : NULL, &change);
    if (before && !same_quota(before, after))
        err = meters_write(usage, arena, id, true);
    plan_unref(before);
    if (!after)
        book_free(map_remove(usage->books, id));
    return err;
}

gh_err usage_publish_plan(struct gateway *gateway, struct call *call, struct str id)
{
    struct usage *usage = gateway->usage;
    pthread_mutex_lock(&usage->lock);
    gh_err err = publish_plan(usage, call->db, call->arena, true, id);
    pthread_mutex_unlock(&usage->lock);
    return err;
}

/* --- keys --- */

static struct str meter_name(struct arena *arena, struct str plan_id, struct str key_id)
{
    return str_printf(arena, "%.*s/%.*s", STR_FMT(plan_id), STR_FMT(key_id));
}

/* Borrowed; NULL when there is no such plan (any more) or it is full. */
static struct usage_meter *meter_of(struct usage *usage, struct arena *arena, struct str plan_id, struct str key_id)
{
    struct str name = meter_name(arena, plan_id, key_id);
    struct usage_meter *meter = map_get(usage->meters, name);
    struct usage_book *book = map_get(usage->books, plan_id);
    if (meter || !book || (!book->n_free && book->next_slot == USAGE_CHUNK * USAGE_CHUNKS))
        return meter;
    meter = must(calloc(1, sizeof *meter + plan_id.len + key_id.len));
    char *text = (char *)(meter + 1);
    memcpy(text, plan_id.ptr, plan_id.len);
    memcpy(text + plan_id.len, key_id.ptr, key_id.len);
    meter->plan_id = (struct str){ text, plan_id.len };
    meter->key_id = (struct str){ text + plan_id.len, key_id.len };
    atomic_init(&meter->references, 1);
    meter->slot = book->n_free ? book->free_slots[--book->n_free] : book->next_slot++;
    each_column(book->plan, level_reset, meter->slot);
    map_set(usage->meters, name, meter);
    return meter;
}

/* The loops know it no more, but for requests that wait for it. */
static gh_err meter_close(struct usage *usage, struct arena *arena, struct usage_meter *meter)
{
    struct usage_book *book = map_get(usage->books, meter->plan_id);
    gh_err err = meter_write(usage, arena, meter, true);
    atomic_store(&meter->gone, true);
    if (book) {
        if (book->n_free == book->cap_free) {
            book->cap_free = book->cap_free ? book->cap_free * 2 : 16;
            book->free_slots = must(realloc(book->free_slots, book->cap_free * sizeof *book->free_slots));
        }
        book->free_slots[book->n_free++] = meter->slot;
    }
    usage_meter_unref(map_remove(usage->meters, meter_name(arena, meter->plan_id, meter->key_id)));
    return err;
}

/* NULL when there is no such key. */
static struct usage_key *build_key(struct usage *usage, struct arena *scratch, const struct apikey_record *record)
{
    if (!record->doc)
        return NULL;
    struct arena *arena = arena_new(512);
    struct usage_key *key = ARENA_NEW(arena, struct usage_key);
    key->arena = arena;
    atomic_init(&key->references, 1);
    key->id = str_copy(arena, record->id);
    key->enabled = json_flag(record->doc, "enabled", false);
    key->expires_us = json_i64(json_object_get(record->doc, "x-gatehouse"), "expiresUs", 0);
    for (size_t i = 0; i < record->n_values; i++) {
        struct str mac;
        if (!hex_decode(scratch, record->values[i].mac, &mac) || mac.len != SHA256_BYTES)
            continue;
        memcpy(key->values[key->n_values].mac, mac.ptr, SHA256_BYTES);
        key->values[key->n_values++].ends_us = record->values[i].ends_us;
    }
    key->plans = ARENA_ARRAY(arena, struct usage_membership, record->plans.n + 1);
    for (size_t i = 0; i < record->plans.n; i++) {
        struct usage_meter *meter = meter_of(usage, scratch, record->plans.items[i], record->id);
        if (!meter)
            continue;
        atomic_fetch_add_explicit(&meter->references, 1, memory_order_relaxed);
        key->plans[key->n_plans++] = (struct usage_membership){ meter->plan_id, meter };
    }
    return key;
}

static bool still_in(const struct usage_key *key, const struct usage_meter *meter)
{
    for (size_t i = 0; key && i < key->n_plans; i++)
        if (key->plans[i].meter == meter)
            return true;
    return false;
}

/* Under the lock. */
static gh_err publish_records(struct usage *usage, struct arena *arena, bool running, const struct apikey_record *records,
                              size_t n)
{
    gh_err err = NULL;
    struct change change = { .gone = ARENA_ARRAY(arena, const struct usage_key *, n + 1),
                             .keys = ARENA_ARRAY(arena, struct usage_key *, n + 1) };
    struct usage_key **after = ARENA_ARRAY(arena, struct usage_key *, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct usage_key *before = map_get(usage->keys, records[i].id);
        after[i] = build_key(usage, arena, &records[i]);
        if (before)
            change.gone[change.n_gone++] = before;
        if (after[i])
            change.keys[change.n_keys++] = after[i];
    }
    apply_everywhere(usage, running ? arena : NULL, &change);
    for (size_t i = 0; i < n; i++) {
        struct usage_key *before =
            after[i] ? map_set(usage->keys, records[i].id, after[i]) : map_remove(usage->keys, records[i].id);
        for (size_t p = 0; before && p < before->n_plans && !err; p++)
            if (!still_in(after[i], before->plans[p].meter))
                err = meter_close(usage, arena, before->plans[p].meter);
        key_unref(before);
    }
    return err;
}

gh_err usage_publish_keys(struct gateway *gateway, struct call *call, const struct str *ids, size_t n)
{
    struct usage *usage = gateway->usage;
    struct apikey_record *records = ARENA_ARRAY(call->arena, struct apikey_record, n + 1);
    gh_err err = NULL;
    pthread_mutex_lock(&usage->lock);
    for (size_t i = 0; i < n && !err; i++)
        err = apikey_record_load(call->db, call->arena, ids[i], &records[i]);
    if (!err)
        err = publish_records(usage, call->arena, true, records, n);
    pthread_mutex_unlock(&usage->lock);
    return err;
}

/* --- start and end --- */

struct usage *usage_open(struct gateway *gateway)
{
    struct usage *usage = must(calloc(1, sizeof *usage));
    usage->gateway = gateway;
    if (gateway->config.sealer) /* tests have none, and no keys */
        sealer_mac(gateway->config.sealer, STR("api key values"), STR("look-up"), usage->secret);
    pthread_mutex_init(&usage->lock, NULL);
    pthread_mutex_init(&usage->errands_lock, NULL);
    usage->keys = map_new();
    usage->books = map_new();
    usage->meters = map_new();
    for (size_t i = 0; i < gateway->n_loops; i++)
        gateway->loops[i].usage = (struct usage_tables){ map_new(), map_new() };
    return usage;
}

gh_err usage_load(struct gateway *gateway)
{
    struct usage *usage = gateway->usage;
    struct db *db = gateway->config.db;
    struct arena *arena = arena_new(64 * 1024);
    struct id_list plans;
    struct apikey_records keys;
    gh_err err = plan_ids(db, arena, &plans);
    if (!err)
        err = apikey_records_load(db, arena, &keys);
    for (size_t i = 0; !err && i < plans.n; i++)
        err = publish_plan(usage, db, arena, false, plans.items[i]);
    if (!err)
        err = publish_records(usage, arena, false, keys.items, keys.n);
    if (err)
        err = gh_fail(gateway->arena, err->kind, "%.*s", STR_FMT(err->message));
    arena_free(arena);
    if (!err)
        meter_start(usage);
    return err;
}

static void meter_free(void *ptr)
{
    usage_meter_unref(ptr);
}

void usage_close(struct gateway *gateway)
{
    struct usage *usage = gateway->usage;
    if (!usage)
        return;
    struct arena *arena = arena_new(16 * 1024);
    pthread_mutex_lock(&usage->lock);
    gh_err err = meters_write(usage, arena, STR_NONE, true);
    pthread_mutex_unlock(&usage->lock);
    if (err)
        log_at(LOG_ERROR, "the last usage counts are not written", { "why", err->message });
    arena_free(arena);
    for (size_t i = 0; i < gateway->n_loops; i++) {
        map_free(gateway->loops[i].usage.keys, key_unref);
        map_free(gateway->loops[i].usage.plans, plan_unref);
    }
    map_free(usage->keys, key_unref);
    map_free(usage->books, book_free);
    map_free(usage->meters, meter_free);
    pthread_mutex_destroy(&usage->lock);
    pthread_mutex_destroy(&usage->errands_lock);
    if (gateway->n_loops && gateway->loops[0].loop)
        timer_stop(gateway->loops[0].loop, &usage->flush_timer);
    digest_wipe(usage->secret, sizeof usage->secret);
    free(usage);
}
