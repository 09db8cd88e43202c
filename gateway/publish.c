/* Making a stage live: compile, then swap it in on every loop, then return.
 *
 * Each loop has its own table, changed by a message to it: a request looks its stage up without a
 * lock, counts itself in, and finishes on the snapshot it began with. */
#include "gateway/publish.h"

#include <stdlib.h>

#include "gateway/everywhere.h"
#include "gateway/usage/limits.h"
#include "gateway/compile/material.h"
#include "gateway/cache/caches.h"
#include "gateway/stage/stage.h"
#include "gateway/record/stage_metrics.h"
#include "gateway/state.h"
#include "gen/apigateway.h"

struct swap {
    struct str key;
    bool whole_api;            /* key is "api/": every stage of it goes */
    struct snapshot *snapshot; /* NULL: unpublish */
};

static void drop(struct gw_entry *entry)
{
    if (!entry)
        return;
    entry->gone = true;
    if (entry->in_flight == 0) {
        snapshot_unref(entry->snapshot);
        free(entry);
    }
}

void gateway_install(struct gw_loop *home, struct str key, struct snapshot *snapshot)
{
    struct gw_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        abort();
    entry->snapshot = snapshot;
    drop(map_set(home->stages, key, entry));
}

struct gw_entry *gateway_enter(struct gw_loop *home, struct str api_id, struct str stage)
{
    char text[256];
    if (api_id.len + stage.len + 1 > sizeof text)
        return NULL;
    memcpy(text, api_id.ptr, api_id.len);
    text[api_id.len] = '/';
    memcpy(text + api_id.len + 1, stage.ptr, stage.len);
    struct gw_entry *entry = map_get(home->stages, (struct str){ text, api_id.len + 1 + stage.len });
    if (entry)
        entry->in_flight++;
    return entry;
}

void gateway_leave(struct gw_entry *entry)
{
    entry->in_flight--;
    if (entry->gone)
        drop(entry);
}

static void remove_api(struct gw_loop *home, struct str prefix)
{
    struct str key;
    void *value;
    for (bool again = true; again;) {
        again = false;
        for (size_t at = 0; map_each(home->stages, &at, &key, &value);) {
            if (!str_starts(key, prefix))
                continue;
            drop(map_remove(home->stages, key));
            again = true; /* the table changed: from the front */
            break;
        }
    }
}

static void run_swap(struct gw_loop *home, void *ctx)
{
    const struct swap *swap = ctx;
    if (swap->snapshot)
        gateway_install(home, swap->key, snapshot_ref(swap->snapshot));
    else if (swap->whole_api)
        remove_api(home, swap->key);
    else
        drop(map_remove(home->stages, swap->key));
}

static void swap_everywhere(struct gateway *gateway, struct arena *arena, struct str key, bool whole_api,
                            struct snapshot *snapshot)
{
    struct swap swap = { key, whole_api, snapshot };
    gateway_everywhere(gateway, arena, run_swap, &swap);
}

gh_err gateway_check(struct gateway *gateway, struct call *call, const struct stage_source *source)
{
    struct str why = STR_NONE;
    struct stage_source whole = *source;
    gh_err err = material_add(gateway, NULL, call->arena, &whole);
    if (err)
        return err;
    struct snapshot *snapshot = snapshot_compile(&whole, gateway->config.partition, call->arena, &why);
    if (!snapshot)
        return gh_fail(call->arena, &apigw_BadRequestException, "%.*s", STR_FMT(why));
    snapshot_unref(snapshot);
    return NULL;
}

void gateway_flush_authorizers(struct gateway *gateway, struct str api_id, struct str stage)
{
    auth_cache_flush(gateway->auth_cache, api_id, stage);
}

void gateway_flush_cache(struct gateway *gateway, struct str api_id, struct str stage)
{
    size_t gone;
    gateway_purge(gateway, api_id, stage, STR_NONE, STR_NONE, &gone);
}

static gh_err publish(struct gateway *gateway, struct call *call, struct str api_id, struct str stage,
                      const struct known_deployments *known)
{
    struct stage_source source;
    struct str why = STR_NONE, key = str_printf(call->arena, "%.*s/%.*s", STR_FMT(api_id), STR_FMT(stage));
    bool found = false;
    gh_err err = stage_source_load_knowing(call->db, NULL, call->arena, api_id, stage, known, &found, &source);
    if (err)
        return err;
    if (!found) {
        swap_everywhere(gateway, call->arena, key, false, NULL);
        stage_metrics_forget(gateway->metrics, api_id, stage);
        caches_detach(gateway->caches, key);
        return NULL;
    }
    if ((err = material_add(gateway, NULL, call->arena, &source)))
        return err;
    struct snapshot *snapshot = snapshot_compile(&source, gateway->config.partition, call->arena, &why);
    if (!snapshot)
        return gh_fail(call->arena, &apigw_BadRequestException, "%.*s", STR_FMT(why));
    limits_share(gateway->limits, snapshot);
    stage_metrics_attach(gateway->metrics, snapshot);
    caches_attach_stage(gateway->caches, key, snapshot);
    swap_everywhere(gateway, call->arena, key, false, snapshot);
    snapshot_unref(snapshot);
    return NULL;
}

gh_err gateway_publish(struct gateway *gateway, struct call *call, struct str api_id, struct str stage)
{
    return gateway_publish_knowing(gateway, call, api_id, stage, NULL);
}

gh_err gateway_publish_knowing(struct gateway *gateway, struct call *call, struct str api_id, struct str stage,
                               const struct known_deployments *known)
{
    pthread_mutex_lock(&gateway->publishing);
    gh_err err = publish(gateway, call, api_id, stage, known);
    pthread_mutex_unlock(&gateway->publishing);
    return err;
}

gh_err gateway_unpublish(struct gateway *gateway, struct call *call, struct str api_id, struct str stage)
{
    pthread_mutex_lock(&gateway->publishing);
    struct str key = str_printf(call->arena, "%.*s/%.*s", STR_FMT(api_id), (int)stage.len, stage.ptr ? stage.ptr : "");
    swap_everywhere(gateway, call->arena, key, !stage.ptr, NULL);
    caches_detach(gateway->caches, key);
    stage_metrics_forget(gateway->metrics, api_id, stage);
    pthread_mutex_unlock(&gateway->publishing);
    return NULL;
}
