/* Webhooks: a trigger that is an address instead of a function. Signed as Standard Webhooks 1.0 has it, so that
 * receivers find a verifier in their language:
 *
 *     webhook-id         of the event, the same over all tries
 *     webhook-timestamp  seconds since 1970
 *     webhook-signature  "v1," and base64(HMAC-SHA256(secret, id "." timestamp "." body)), one for each secret that
 *                        is good at the moment, with spaces between
 *
 * The answer is 200 with the event and its response in it; 4xx with {"errorMessage": "..."} is a function's throw. */
#include "identity/pools/errand.h"
#include "identity/pools/options.h"
#include "identity/state.h"
#include "identity/store/pool.h"
#include "identity/triggers/run.h"
#include "identity/triggers/webhook.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/ip.h"
#include "core/log.h"
#include "core/uri.h"

#include <stdio.h>

enum { ANSWER_BYTES = 1024 * 1024, SECRET_BYTES = 32, SECRETS = 2 };

static const struct str PREFIX = STR_INIT("whsec_");

struct str trigger_webhook(const struct pool *pool, enum trigger trigger)
{
    char name[64];
    snprintf(name, sizeof name, "webhook.%s", trigger_name(trigger));
    return option_text(pool->more, name);
}

/* "https; http only to this machine": what is said to a trigger, passwords among it, is nobody else's. */
static bool url_is_good(struct arena *arena, struct str url)
{
    struct uri uri;
    struct ip ip;
    if (!uri_parse(arena, url, &uri) || uri.userinfo.ptr || uri.fragment.ptr || !uri.host.len)
        return false;
    if (str_is(uri.scheme, "https"))
        return true;
    return str_is(uri.host, "localhost") || (ip_parse(uri.host, &ip) && ip_scope(&ip) == IP_LOOPBACK);
}

struct str webhook_options_bad(struct arena *arena, const json_t *options)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)options, name, value)
        if (str_starts(str_of(name), STR("webhook.")) && !url_is_good(arena, json_value_str(value)))
            return str_printf(arena, "Invalid value for option %s: an https address, or an http address of this machine",
                              name);
    return STR_NONE;
}

/* ---- the secrets: pool->more.webhookSecrets, the newest first, each { "sealed", "created" } ---- */

static struct str place(struct call *call, struct str pool_id)
{
    return str_concat(call->arena, STR("pool-webhook/"), pool_id);
}

static json_t *secrets_of(const struct pool *pool)
{
    return json_object_get(pool->more, "webhookSecrets");
}

static struct str sign(struct call *call, struct str secret, struct str signed_text)
{
    struct str key;
    uint8_t mac[SHA256_BYTES];
    if (!base64_decode(call->arena, str_from(secret, PREFIX.len), &key))
        return STR_NONE;
    digest_hmac_sha256(key, signed_text, mac);
    return base64_encode(call->arena, digest_str(mac, sizeof mac));
}

/* Absent: there is no secret that opens. */
static struct str signatures(struct call *call, const struct pool *pool, struct str signed_text)
{
    struct strbuf all = strbuf_in(call->arena, 128);
    size_t i;
    json_t *one;
    json_array_foreach(secrets_of(pool), i, one) {
        struct str secret;
        if (unseal(call->sealer, call->arena, place(call, pool->id), json_str(one, "sealed"), &secret))
            strbuf_printf(&all, "%sv1,%.*s", all.len ? " " : "", STR_FMT(sign(call, secret, signed_text)));
    }
    return all.len ? strbuf_view(&all) : STR_NONE;
}

/* ---- one try ---- */

static gh_err failed(struct call *call, const struct trigger_event *event, struct str what)
{
    return gh_fail(call->arena, &idp_UnexpectedLambdaException, "%s invocation failed due to error %.*s.",
                   trigger_name(event->trigger), STR_FMT(what));
}

/* It answered, or did not: what that means. "Only connect failures, timeouts and 5xx are tried again." */
static gh_err judge(struct call *call, const struct trigger_event *event, const struct http_fetch *fetch,
                    struct str *answer, bool *again)
{
    if (fetch->why) {
        *again = fetch->failure != HTTP_FORBIDDEN && fetch->failure != HTTP_TLS;
        return failed(call, event, str_printf(call->arena, "webhook: %s", fetch->why));
    }
    *answer = fetch->text;
    if (fetch->status == 200)
        return NULL;
    *again = fetch->status >= 500;
    bool says = fetch->status >= 400 && fetch->status < 500 &&
                json_str(json_parse(call->arena, fetch->text, NULL), "errorMessage").ptr;
    return says ? trigger_threw(call, event, fetch->text)
                : failed(call, event, str_printf(call->arena, "webhook: it answered %d", fetch->status));
}

gh_err webhook_try(struct call *call, const struct trigger_event *event, const struct webhook_try *hook,
                   struct str *answer, bool *again)
{
    const struct identity *identity = call->module;
    struct http_headers headers = { 0 };
    struct str stamp = str_printf(call->arena, "%lld", (long long)env_now_s(call->env));
    struct str signature = signatures(
        call, event->pool,
        str_printf(call->arena, "%.*s.%.*s.%.*s", STR_FMT(hook->id), STR_FMT(stamp), STR_FMT(hook->text)));
    if (!signature.ptr)
        return failed(call, event, STR("webhook: the pool has no webhook secret yet"));
    http_header_add(call->arena, &headers, STR("Content-Type"), STR("application/json"));
    http_header_add(call->arena, &headers, STR("webhook-id"), hook->id);
    http_header_add(call->arena, &headers, STR("webhook-timestamp"), stamp);
    http_header_add(call->arena, &headers, STR("webhook-signature"), signature);
    struct http_fetch fetch = {
        .method = STR("POST"),
        .url = hook->url,
        .headers = &headers,
        .body = hook->text,
        .timeout_ms = hook->timeout_ms,
        .most = ANSWER_BYTES,
    };
    http_fetch(identity->fetcher, call->arena, &fetch);
    return judge(call, event, &fetch, answer, again);
}

/* ---- /_gatehouse/user-pools/{id}/webhook-secret ---- */

static json_t *secret_row(struct call *call, const struct pool *pool, struct str secret)
{
    json_t *row = json_object();
    json_set_str(row, "sealed", seal(call->sealer, call->arena, place(call, pool->id), secret));
    json_set_i64(row, "created", call->now_us / 1000000);
    return row;
}

static struct str shown(struct call *call, const struct pool *pool, struct str fresh)
{
    json_t *all = json_own(call->arena, json_object()), *created = json_array();
    json_set_str(all, "secret", fresh);
    size_t i;
    json_t *one;
    json_array_foreach(secrets_of(pool), i, one)
        json_array_append_new(created, json_integer(json_i64(one, "created", 0)));
    json_object_set_new(all, "created", created);
    return json_print(call->arena, all);
}

/* POST: a new one, shown this once; the one before stays good until the next, or until DELETE. */
static struct str rotate(struct call *call, struct pool *pool)
{
    uint8_t bytes[SECRET_BYTES];
    env_random(call->env, bytes, sizeof bytes);
    struct str secret =
        str_concat(call->arena, PREFIX, base64_encode(call->arena, digest_str(bytes, sizeof bytes)));
    digest_wipe(bytes, sizeof bytes);
    json_t *rows = json_array();
    json_array_append_new(rows, secret_row(call, pool, secret));
    if (json_array_size(secrets_of(pool)))
        json_array_append(rows, json_array_get(secrets_of(pool), 0));
    json_object_set_new(pool->more, "webhookSecrets", rows);
    return secret;
}

static void drop_old(struct pool *pool)
{
    while (json_array_size(secrets_of(pool)) > 1)
        json_array_remove(secrets_of(pool), json_array_size(secrets_of(pool)) - 1);
}

gh_err pool_webhook_secret_get(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        *json = shown(call, &pool, STR_NONE);
    return err;
}

gh_err pool_webhook_secret_put(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    struct tx tx;
    struct str fresh = STR_NONE;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = pool_load_in(call, &tx, errand->pool_id, &pool);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    if (str_is(errand->method, "DELETE"))
        drop_old(&pool);
    else
        fresh = rotate(call, &pool);
    store_pool_update_more(&tx, pool.id, json_print(call->arena, pool.more));
    err = tx_commit(&tx);
    if (!err)
        *json = shown(call, &pool, fresh);
    return err;
}
