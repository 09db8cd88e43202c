#include "gateway/watch.h"

#include <stdlib.h>

#include "core/log.h"
#include "gateway/ops/stage.h"
#include "gateway/options.h"
#include "gateway/publish.h"
#include "gateway/request.h"

/* --- control plane: what is watched --- */

static json_t *begin(struct call *call, json_t *stage, struct str deployment_id)
{
    int64_t window_s = option_count(stage, "watchWindowSeconds", 0);
    json_object_del(stage, "watch");
    if (!window_s)
        return NULL;
    json_t *watch = json_object();
    json_set_str(watch, "deploymentId", deployment_id);
    json_set_i64(watch, "untilUs", call->now_us + window_s * 1000000);
    json_object_set_new(stage, "watch", watch);
    return watch;
}

void watch_note(struct call *call, const json_t *before, json_t *stage)
{
    json_t *old_canary = json_object_get(before, "canarySettings");
    struct str canary = json_str(json_object_get(stage, "canarySettings"), "deploymentId");
    struct str now = json_str(stage, "deploymentId"), was = json_str(before, "deploymentId");
    json_t *under_way = json_object_get(stage, "watch"), *watch;
    if (!before)
        return;
    if (!str_eq(now, was)) {
        bool went_back = str_eq(now, json_str(under_way, "previousDeploymentId"));
        watch = went_back ? NULL : begin(call, stage, now);
        if (watch)
            json_set_str(watch, "previousDeploymentId", was);
        else
            json_object_del(stage, "watch");
    } else if (canary.len && !str_eq(canary, json_str(old_canary, "deploymentId")) && !str_eq(canary, now)) {
        watch = begin(call, stage, canary);
        if (!watch)
            return;
        json_set_flag(watch, "canary", true);
        if (old_canary)
            json_object_set(watch, "previousCanary", old_canary);
    } else if (!canary.len && json_flag(under_way, "canary", false)) {
        json_object_del(stage, "watch");
    }
}

struct gw_watch *watch_compile(struct arena *arena, const json_t *settings, bool canary)
{
    json_t *record = json_object_get(settings, "watch");
    if (!record || json_flag(record, "canary", false) != canary)
        return NULL;
    struct gw_watch *watch = ARENA_NEW(arena, struct gw_watch);
    watch->until_us = json_i64(record, "untilUs", 0);
    watch->error_share = option_number(settings, "watchErrorPercent", 5) / 100;
    watch->min_requests = (uint64_t)option_count(settings, "watchMinRequests", 20);
    return watch;
}

/* --- taking back, on a job thread --- */

struct taking_back {
    struct job job;
    struct gateway *gateway;
    struct snapshot *snapshot; /* a reference */
    uint64_t requests, errors;
};

static bool restore(struct taking_back *task, struct call *call, json_t *stage)
{
    const struct snapshot *s = task->snapshot;
    json_t *watch = json_object_get(stage, "watch"), *canary = json_object_get(watch, "previousCanary");
    if (!str_eq(json_str(watch, "deploymentId"), s->deployment_id) || json_flag(watch, "canary", false) != s->is_canary)
        return false; /* somebody was here first */
    if (!s->is_canary)
        json_set_str(stage, "deploymentId", json_str(watch, "previousDeploymentId"));
    else if (canary)
        json_object_set(stage, "canarySettings", canary);
    else
        json_object_del(stage, "canarySettings");
    json_t *record = json_object();
    json_set_str(record, "deploymentId", s->deployment_id);
    json_set_i64(record, "atUs", call->now_us);
    json_set_i64(record, "requests", (int64_t)task->requests);
    json_set_i64(record, "errors", (int64_t)task->errors);
    json_object_set_new(stage, "takenBack", record);
    json_object_del(stage, "watch");
    json_set_i64(stage, "lastUpdatedDate", call->now_us / 1000000);
    return true;
}

/* Nothing kept anybody from deleting what the stage was at before. */
static gh_err still_there(struct draft *draft, const json_t *stage)
{
    json_t *canary = json_object_get(stage, "canarySettings"), *deployment = NULL;
    const struct str ids[] = { json_str(stage, "deploymentId"), json_str(canary, "deploymentId") };
    struct call *call = draft->call;
    for (size_t i = 0; i < COUNT(ids) && ids[i].ptr; i++) {
        gh_err err = deployment_load(call->db, &draft->tx, call->arena, draft->key.id, ids[i], &deployment);
        if (err)
            return err;
        if (!deployment)
            return ops_not_found(call, "deployment %.*s is gone", STR_FMT(ids[i]));
    }
    return NULL;
}

static gh_err take_back(struct taking_back *task, struct call *call, bool *done)
{
    const struct snapshot *s = task->snapshot;
    struct draft draft;
    json_t *stage = NULL;
    gh_err err = draft_open_beside(&draft, call, s->api_id);
    if (!err)
        err = stage_find(call, &draft.tx, draft.api, s->api_id, s->stage, &stage);
    if (!err && restore(task, call, stage)) {
        *done = true;
        err = still_there(&draft, stage);
    }
    if (!err && *done)
        err = stage_put(&draft, stage);
    err = draft_close(&draft, err);
    if (!err && *done)
        err = gateway_publish_knowing(task->gateway, call, s->api_id, s->stage, &draft.known);
    return err;
}

static void run(struct job *job)
{
    static const struct principal nobody = { .kind = PRINCIPAL_ROOT };
    struct taking_back *task = (struct taking_back *)(void *)job;
    const struct gateway_config *config = &task->gateway->config;
    const struct snapshot *s = task->snapshot;
    struct arena *arena = arena_new(64 * 1024);
    struct call call = { .arena = arena, .env = config->env, .db = config->db, .sealer = config->sealer,
                         .account = s->account, .region = s->region, .partition = s->partition,
                         .now_us = env_now_us(config->env), .principal = &nobody, .module = task->gateway };
    bool done = false;
    gh_err err = take_back(task, &call, &done);
    if (done && !err)
        atomic_fetch_add_explicit(&task->gateway->taken_back, 1, memory_order_relaxed);
    if (done || err)
        log_at(err ? LOG_ERROR : LOG_WARN, err ? "deployment cannot be taken back" : "deployment taken back",
               { "api", s->api_id }, { "stage", s->stage }, { "deployment", s->deployment_id },
               { "requests", str_printf(arena, "%llu", (unsigned long long)task->requests) },
               { "errors", str_printf(arena, "%llu", (unsigned long long)task->errors) },
               { "why", err ? err->message : STR("") });
    arena_free(arena);
    snapshot_unref(task->snapshot);
}

static void free_task(struct job *job)
{
    free(job);
}

/* --- the loops --- */

void watch_count(struct gw_request *r)
{
    struct gw_watch *watch = r->snapshot->watch;
    if (r->wall_us >= watch->until_us)
        return;
    uint64_t requests = atomic_fetch_add_explicit(&watch->requests, 1, memory_order_relaxed) + 1;
    uint64_t errors = r->status >= 500
                          ? atomic_fetch_add_explicit(&watch->errors, 1, memory_order_relaxed) + 1
                          : atomic_load_explicit(&watch->errors, memory_order_relaxed);
    if (requests < watch->min_requests || (double)errors <= watch->error_share * (double)requests ||
        atomic_exchange_explicit(&watch->fired, true, memory_order_relaxed))
        return;
    struct taking_back *task = calloc(1, sizeof *task);
    if (!task)
        abort();
    *task = (struct taking_back){ .job = { .home = r->home->loop, .run = run, .done = free_task },
                                  .gateway = r->gateway,
                                  .snapshot = snapshot_ref((struct snapshot *)(uintptr_t)r->snapshot),
                                  .requests = requests,
                                  .errors = errors };
    if (job_submit(r->gateway->config.jobs, &task->job))
        return;
    snapshot_unref(task->snapshot);
    free(task);
    atomic_store_explicit(&watch->fired, false, memory_order_relaxed); /* the queue is full: with the next request */
}
