/* A stage's cache: switched on and off, sized, flushed. What is cached is gateway/stage/cache.c's. */
#include "gateway/cache/caches.h"
#include "gateway/gateway.h"
#include "gateway/ops/patch.h"
#include "gateway/ops/stage.h"
#include "gateway/ops/stage_purge.h"
#include "gateway/publish.h"

/* AWS says CREATE_IN_PROGRESS for some minutes while it starts an instance; ours is there at once. */
void stage_cache_settle(json_t *stage)
{
    bool on = json_flag(stage, "cacheClusterEnabled", false);
    if (on && !json_str(stage, "cacheClusterSize").len)
        json_set_str(stage, "cacheClusterSize", STR("0.5"));
    json_set_str(stage, "cacheClusterStatus", on ? STR("AVAILABLE") : STR("NOT_AVAILABLE"));
}

gh_err patch_cache_size(struct patch *patch)
{
    if (!caches_size_of(patch->value))
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Invalid cacheClusterSize %.*s. Must be one of: [0.5, 1.6, 6.1, 13.5, 28.4, 58.2, 118, 237]",
                       STR_FMT(patch->value));
    json_set_str(patch->target, "cacheClusterSize", patch->value);
    return NULL;
}

/* "Flushes a stage's cache." Without one there is nothing to do, as with a cache that is empty. */
gh_err apigw_FlushStageCache(struct call *call, const struct apigw_FlushStageCache_in *in,
                             struct apigw_FlushStageCache_out *out)
{
    (void)out;
    json_t *api, *stage;
    gh_err err = draft_read(call, in->rest_api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, in->rest_api_id, in->stage_name, &stage);
    if (!err)
        gateway_flush_cache(call->module, in->rest_api_id, in->stage_name);
    return err;
}

static gh_err purge(struct call *call, const struct stage_purge_request *request, struct str *json)
{
    struct str why, tag, key;
    size_t gone = 0;
    json_t *what = json_parse(call->arena, *request->body, &why);
    tag = json_str(what, "tag");
    key = json_str(what, "key");
    if (!json_is_object(what) || json_object_size(what) != 1 || !(tag.len || key.len))
        return ops_bad_request(call, "Send {\"tag\": \"…\"} or {\"key\": \"…\"}, a key as traces show it");
    gateway_purge(call->module, request->api_id, request->stage, tag, key, &gone);
    *json = str_printf(call->arena, "{\"purged\":%zu}", gone);
    return NULL;
}

gh_err stage_cache_purge(struct call *call, void *ctx, struct str *json)
{
    const struct stage_purge_request *request = ctx;
    json_t *api, *stage;
    gh_err err = draft_read(call, request->api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, request->api_id, request->stage, &stage);
    return err ? err : purge(call, request, json);
}
