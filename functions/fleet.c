#include "functions/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/id.h"
#include "core/log.h"
#include "functions/events.h"
#include "functions/name.h"
#include "functions/package.h"
#include "functions/permit.h"
#include "functions/store/function.h"

/* A cached look-up. Loading ones keep who asked meanwhile. */
struct route_entry {
    struct route_entry *next;      /* in a list to be freed */
    struct str account, region, name, qualifier; /* in the arena */
    struct arena *arena;
    struct functions *functions;
    bool loading, forgotten;
    uint64_t generation;
    int n;
    struct pool *pools[2];
    double second_weight;
    const struct policy_set *policy; /* of the function, version or alias; NULL: none */
    struct run *asking;
    struct { struct job job; struct route route; struct str why; bool ok; struct arena *arena; } load;
};

/* The way back to the caller's loop. */
struct delivery {
    struct loop_task task;
    struct invocation *invocation;
    enum invoke_result result;
    char *body;
    size_t body_len;
    char id[REQUEST_ID + 1];
    char version[32];
    int64_t duration_us;
    char *message;
    size_t tail_len;
    char tail[];
};

struct forgetting {
    struct loop_task task;
    struct functions *functions;
    char key[512];
    bool code;
    char old_code[80];
};

/* Looks, on a job thread, whether a package is still named by a version. */
struct sweep {
    struct job job;
    struct functions *functions;
    char code[80];
};

static void take_in(struct loop_task *task);
static void ask_route(struct functions *f, struct run *run, const struct function_name *name);
static void load_route(struct job *job);
static void route_loaded(struct job *job);
static void go(struct run *run, struct route_entry *route);
static void enter_pool(struct run *run, struct pool *pool);
static struct pool *pool_of(struct functions *f, struct target *target);
static void retire(struct pool *pool);
static void forget(struct loop_task *task);
static void drop_route(struct route_entry *route);
static void free_route(void *value);
static void sweep(struct functions *f, const char *code);
static void out_of_patience(struct timer *timer);
static void deliver(struct loop_task *task);
static void unqueue(struct run *run);
static void fail(struct run *run, enum invoke_result result, const char *message);

void fleet_start(void *functions, struct invocation *invocation)
{
    struct functions *f = functions;
    invocation->private = f;
    invocation->task.fn = take_in;
    loop_post(f->loop, &invocation->task);
}

static void take_in(struct loop_task *task)
{
    struct invocation *invocation = (struct invocation *)((char *)task - offsetof(struct invocation, task));
    struct functions *f = invocation->private;
    struct run *run = calloc(1, sizeof *run);
    char scratch_id[1024];
    struct function_name name;
    if (!run)
        abort();
    run->functions = f;
    run->caller = invocation;
    run->began_us = env_monotonic_us(f->config.env);
    if (invocation->request_id.ptr && invocation->request_id.len <= REQUEST_ID) {
        memcpy(run->id, invocation->request_id.ptr, invocation->request_id.len); /* a retry keeps its id */
    } else {
        uint8_t bytes[16];
        env_random(f->config.env, bytes, sizeof bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        static const char digits[] = "0123456789abcdef";
        char *at = run->id;
        for (size_t i = 0; i < sizeof bytes; i++) {
            if (i == 4 || i == 6 || i == 8 || i == 10)
                *at++ = '-';
            *at++ = digits[bytes[i] >> 4];
            *at++ = digits[bytes[i] & 15];
        }
    }
    if (f->closing) {
        fail(run, INVOKE_FAILED, "the server stops");
        return;
    }
    if (invocation->function.len + invocation->qualifier.len > sizeof scratch_id - 16 ||
        !function_name_parse(invocation->function, &name)) {
        fail(run, INVOKE_NOT_FOUND, "no such function");
        return;
    }
    if (!name.account.ptr)
        name.account = invocation->account;
    if (!name.region.ptr)
        name.region = invocation->region;
    if (!name.qualifier.ptr)
        name.qualifier = invocation->qualifier;
    if (invocation->timeout_ms > 0)
        timer_start(f->loop, &run->patience, invocation->timeout_ms * (int64_t)1000, out_of_patience);
    ask_route(f, run, &name);
}

/* ---- routes ---- */

static void ask_route(struct functions *f, struct run *run, const struct function_name *name)
{
    char key[512];
    struct str qualifier = name->qualifier.ptr ? name->qualifier : STR("$LATEST");
    int len = snprintf(key, sizeof key, "%.*s/%.*s/%.*s:%.*s", STR_FMT(name->account), STR_FMT(name->region),
                       STR_FMT(name->name), STR_FMT(qualifier));
    if (len >= (int)sizeof key) {
        fail(run, INVOKE_NOT_FOUND, "no such function");
        return;
    }
    struct str key_str = { key, (size_t)len };
    struct route_entry *route = map_get(f->routes, key_str);
    if (route && !route->loading) {
        go(run, route);
        return;
    }
    if (!route) {
        struct arena *arena = arena_new(1024);
        route = ARENA_NEW(arena, struct route_entry);
        *route = (struct route_entry){ .arena = arena, .functions = f, .loading = true, .generation = f->generation,
                                       .account = str_copy(arena, name->account), .region = str_copy(arena, name->region),
                                       .name = str_copy(arena, name->name), .qualifier = str_copy(arena, qualifier) };
        map_set(f->routes, key_str, route);
        route->load.job = (struct job){ .home = f->loop, .run = load_route, .done = route_loaded };
        if (!job_submit(f->loaders, &route->load.job)) {
            map_remove(f->routes, key_str);
            arena_free(arena);
            fail(run, INVOKE_FAILED, "too many functions are being looked up");
            return;
        }
    }
    run->next = route->asking;
    route->asking = run;
}

static void load_route(struct job *job)
{
    struct route_entry *route = (struct route_entry *)((char *)job - offsetof(struct route_entry, load.job));
    struct functions *f = route->functions;
    route->load.arena = arena_new(4096);
    route->load.ok = route_load(f->config.db, f->config.sealer, route->account, route->region, route->name,
                                route->qualifier, &route->load.route, route->load.arena, &route->load.why);
}

static void route_loaded(struct job *job)
{
    struct route_entry *route = (struct route_entry *)((char *)job - offsetof(struct route_entry, load.job));
    struct functions *f = route->functions;
    struct route *loaded = &route->load.route;
    struct run *asking = NULL;
    if (route->load.ok && route->generation != f->generation && !f->closing) {
        /* Something changed while we read: what was read may be old. */
        for (int i = 0; i < loaded->n; i++)
            target_free(loaded->targets[i]);
        policy_set_free(loaded->policy);
        *loaded = (struct route){ 0 };
        arena_free(route->load.arena);
        route->generation = f->generation;
        if (job_submit(f->loaders, job))
            return;
        route->load.ok = false;
        route->load.arena = arena_new(256);
    }
    while (route->asking) { /* turn the list round: first come, first served */
        struct run *run = route->asking;
        route->asking = run->next;
        run->next = asking;
        asking = run;
    }
    route->loading = false;
    route->n = route->load.ok ? loaded->n : 0;
    route->second_weight = loaded->second_weight;
    route->policy = loaded->policy;
    for (int i = 0; i < route->n; i++)
        route->pools[i] = pool_of(f, loaded->targets[i]);
    while (asking) {
        struct run *run = asking;
        asking = run->next;
        run->next = NULL;
        if (!route->load.ok || f->closing)
            fail(run, INVOKE_FAILED, "the function could not be read from the store");
        else if (run->caller)
            go(run, route);
        else
            run_finish(run, INVOKE_TIMED_OUT, NULL, 0, STR_NONE, NULL);
    }
    arena_free(route->load.arena);
    route->load.arena = NULL;
    /* A function that is not there (yet) is not remembered: strangers could fill the map. */
    if (route->n == 0)
        drop_route(route);
}

static void drop_route(struct route_entry *route)
{
    char key[512];
    int len = snprintf(key, sizeof key, "%.*s/%.*s/%.*s:%.*s", STR_FMT(route->account), STR_FMT(route->region),
                       STR_FMT(route->name), STR_FMT(route->qualifier));
    map_remove(route->functions->routes, (struct str){ key, (size_t)len });
    free_route(route);
}

static void go(struct run *run, struct route_entry *route)
{
    struct arena *scratch = run->functions->scratch;
    if (route->n == 0) {
        fail(run, INVOKE_NOT_FOUND, "no such function, version or alias");
        return;
    }
    struct str why;
    const struct permit_target target = { route->account, route->region, route->name, route->qualifier,
                                          run->functions->config.partition };
    if (run->caller && !permit(scratch, &run->caller->caller, &target, route->policy,
                               env_now_s(run->functions->config.env), &why)) {
        run_finish(run, INVOKE_DENIED, NULL, 0, why, NULL); /* the run is gone */
        arena_reset(scratch);
        return;
    }
    arena_reset(scratch);
    if (run->caller && run->caller->mode != INVOKE_NOW) {
        if (run->caller->mode == INVOKE_AS_EVENT)
            events_queue(run, route->account, route->region, route->name, route->qualifier);
        else
            run_finish(run, INVOKE_OK, NULL, 0, STR_NONE, NULL);
        return;
    }
    int which = 0;
    if (route->n == 2) {
        uint32_t dice;
        env_random(run->functions->config.env, &dice, sizeof dice);
        which = dice / 4294967296.0 < route->second_weight;
    }
    enter_pool(run, route->pools[which]); // NOLINT(clang-analyzer-unix.Malloc): a route's pool is not retired
}

static void enter_pool(struct run *run, struct pool *pool)
{
    struct functions *f = run->functions;
    int64_t reserved = pool->target->reserved;
    if (reserved >= 0 && pool->of_function->running >= reserved) {
        fail(run, INVOKE_THROTTLED, "ReservedFunctionConcurrentInvocationLimitExceeded");
        return;
    }
    if (pool->of_account->running >= ACCOUNT_CONCURRENCY || f->n_waiting >= QUEUE_MAX) {
        fail(run, INVOKE_THROTTLED, "ConcurrentInvocationLimitExceeded");
        return;
    }
    run->pool = pool;
    run->counted = true;
    pool->n_runs++;
    pool->of_function->running++;
    pool->of_account->running++;
    struct worker *worker = pool->idle;
    if (worker && !pool->first) {
        pool->idle = worker->next_idle;
        worker_give(worker, run);
        return;
    }
    run->queued = true;
    run->prev = pool->last;
    if (pool->last)
        pool->last->next = run;
    else
        pool->first = run;
    pool->last = run;
    pool->n_waiting++;
    f->n_waiting++;
    pool_pump(pool);
    pool_release(pool);
}

/* ---- pools ---- */

static struct tally *tally_of(struct functions *f, struct str key)
{
    struct tally *tally = map_get(f->tallies, key);
    if (!tally) {
        tally = calloc(1, sizeof *tally);
        if (!tally)
            abort();
        map_set(f->tallies, key, tally);
    }
    return tally;
}

/* The version's pool, made of the target when there is none; the target is taken over. */
static struct pool *pool_of(struct functions *f, struct target *target)
{
    char key[512];
    int len = snprintf(key, sizeof key, "%.*s/%.*s/%.*s:%.*s", STR_FMT(target->account), STR_FMT(target->region),
                       STR_FMT(target->name), STR_FMT(target->version));
    struct str whole = { key, (size_t)len };
    struct pool *pool = map_get(f->pools, whole);
    if (pool) {
        pool->target->reserved = target->reserved; /* may change without new processes */
        target_free(target);
        return pool;
    }
    pool = calloc(1, sizeof *pool);
    if (!pool)
        abort();
    struct str function = str_sub(whole, 0, whole.len - target->version.len - 1);
    struct str account = str_sub(whole, 0, target->account.len + 1 + target->region.len);
    pool->functions = f;
    pool->target = target;
    pool->of_function = tally_of(f, function);
    pool->of_account = tally_of(f, account);
    pool->log = map_get(f->logs, function);
    if (!pool->log) {
        pool->log = flog_new(f->loop, f->logs_folder, target->account, target->region, target->name);
        map_set(f->logs, function, pool->log);
    }
    map_set(f->pools, whole, pool);
    return pool;
}

void pool_pump(struct pool *pool)
{
    struct functions *f = pool->functions;
    pool->n_runs++; /* whatever ends below, the pool stays until we are through */
    while (pool->first && pool->idle) {
        struct worker *worker = pool->idle;
        pool->idle = worker->next_idle;
        worker_give(worker, pool_take_waiting(pool));
    }
    bool may_start = atomic_load(&f->probed) && !f->closing;
    while (may_start && pool->n_waiting > pool->n_starting && f->n_starting < f->max_starting) {
        if (f->n_processes >= f->max_processes) {
            struct worker *idle = NULL; /* the one idle for longest makes room */
            for (struct worker *at = f->workers; at; at = at->next)
                if (at->state == WORKER_IDLE)
                    idle = at;
            if (!idle)
                break;
            worker_kill(idle);
        }
        worker_start(pool);
    }
    if (pool->first && !pool->on_waiting_list) {
        pool->on_waiting_list = true;
        pool->next_waiting = f->waiting_pools;
        f->waiting_pools = pool;
    }
    pool->n_runs--;
}

void pools_pump(struct functions *f)
{
    struct pool *pools = f->waiting_pools;
    f->waiting_pools = NULL;
    while (pools) {
        struct pool *pool = pools;
        pools = pool->next_waiting;
        pool->on_waiting_list = false;
        pool_pump(pool);
        pool_release(pool);
    }
}

struct run *pool_take_waiting(struct pool *pool)
{
    struct run *run = pool->first;
    if (run)
        unqueue(run); // NOLINT(clang-analyzer-unix.Malloc): a finished run stands in no queue
    return run;
}

static void unqueue(struct run *run)
{
    struct pool *pool = run->pool;
    *(run->prev ? &run->prev->next : &pool->first) = run->next;
    *(run->next ? &run->next->prev : &pool->last) = run->prev;
    run->next = run->prev = NULL;
    run->queued = false;
    pool->n_waiting--;
    pool->functions->n_waiting--;
}

void pool_release(struct pool *pool)
{
    if (!pool->retired || pool->n_runs || pool->n_workers || pool->on_waiting_list)
        return;
    if (!pool->functions->closing)
        sweep(pool->functions, pool->target->code.ptr);
    target_free(pool->target);
    free(pool);
}

static void sweep_run(struct job *job)
{
    struct sweep *sweep = (struct sweep *)job; /* its first member */
    struct functions *f = sweep->functions;
    struct arena *arena = arena_new(1024);
    bool used = true;
    pthread_mutex_lock(&f->packages);
    if (!code_is_used(f->config.db, NULL, arena, str_of(sweep->code), &used) && !used)
        package_remove(f->folder, sweep->code);
    pthread_mutex_unlock(&f->packages);
    arena_free(arena);
    free(sweep);
}

static void sweep(struct functions *f, const char *code)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (!sweep)
        abort();
    *sweep = (struct sweep){ .job = { .run = sweep_run }, .functions = f };
    snprintf(sweep->code, sizeof sweep->code, "%s", code);
    if (!job_submit(f->loaders, &sweep->job))
        free(sweep); /* it stays: bytes on a disk, no more */
}

/* Idle processes end now, busy ones after what they do; who waits is served by new ones of this
 * same (old) code, as AWS does with invocations it has taken in. */
static void retire(struct pool *pool)
{
    pool->retired = true;
    while (pool->idle)
        worker_kill(pool->idle);
    pool_release(pool);
}

static void post_forget(struct functions *f, struct str account, struct str region, struct str name, bool code,
                        struct str old_code)
{
    struct forgetting *message = calloc(1, sizeof *message);
    if (!message)
        abort();
    snprintf(message->key, sizeof message->key, "%.*s/%.*s/%.*s:", STR_FMT(account), STR_FMT(region), STR_FMT(name));
    message->functions = f;
    message->code = code;
    snprintf(message->old_code, sizeof message->old_code, "%.*s", STR_FMT(old_code));
    message->task.fn = forget;
    loop_post(f->loop, &message->task);
}

void fleet_forget(struct functions *f, struct str account, struct str region, struct str name, bool code)
{
    post_forget(f, account, region, name, code, STR(""));
}

void fleet_replace(struct functions *f, struct str account, struct str region, struct str name, struct str old_code)
{
    post_forget(f, account, region, name, true, old_code);
}

static void forget(struct loop_task *task)
{
    struct forgetting *message = (struct forgetting *)task; /* its first member */
    struct functions *f = message->functions;
    struct str prefix = str_of(message->key), key;
    void *value;
    f->generation++;
    struct route_entry *gone = NULL;
    for (size_t at = 0; map_each(f->routes, &at, &key, &value);) {
        struct route_entry *route = value;
        if (str_starts(key, prefix) && !route->loading) {
            route->next = gone;
            gone = route;
        }
    }
    while (gone) {
        struct route_entry *next = gone->next;
        drop_route(gone);
        gone = next;
    }
    for (bool found = message->code; found;) {
        found = false;
        for (size_t at = 0; !found && map_each(f->pools, &at, &key, &value);)
            found = str_starts(key, prefix);
        if (found) {
            struct pool *pool = value;
            if (str_is(pool->target->code, message->old_code))
                message->old_code[0] = '\0'; /* it goes with the pool */
            map_remove(f->pools, key);
            retire(pool);
        }
    }
    if (message->old_code[0] && !f->closing)
        sweep(f, message->old_code);
    free(message);
}

/* ---- answers ---- */

static void fail(struct run *run, enum invoke_result result, const char *message)
{
    run_finish(run, result, NULL, 0, str_of(message), NULL);
}

/* "the caller's timeout; the function runs on" */
static void out_of_patience(struct timer *timer)
{
    struct run *run = (struct run *)((char *)timer - offsetof(struct run, patience));
    if (run->worker) {
        worker_stream_over(run->worker);
        struct invocation *caller = run->caller;
        run->caller = NULL;
        struct run *messenger = calloc(1, sizeof *messenger);
        if (!messenger)
            abort();
        *messenger = (struct run){ .functions = run->functions, .caller = caller, .began_us = run->began_us };
        memcpy(messenger->id, run->id, sizeof run->id);
        fail(messenger, INVOKE_TIMED_OUT, "the function took longer than its caller waits");
        return;
    }
    if (run->queued) {
        unqueue(run);
        fail(run, INVOKE_TIMED_OUT, "no process became free in time");
        return;
    }
    /* Its route is being read: the list there holds it. */
    struct invocation *caller = run->caller;
    run->caller = NULL;
    struct run *messenger = calloc(1, sizeof *messenger);
    if (!messenger)
        abort();
    *messenger = (struct run){ .functions = run->functions, .caller = caller, .began_us = run->began_us };
    fail(messenger, INVOKE_TIMED_OUT, "the function could not be looked up in time");
}

void run_finish(struct run *run, enum invoke_result result, char *body, size_t body_len, struct str message,
                const struct worker *worker)
{
    struct functions *f = run->functions;
    struct invocation *invocation = run->caller;
    struct pool *pool = run->pool;
    timer_stop(f->loop, &run->patience);
    if (run->counted) {
        pool->n_runs--;
        pool->of_function->running--;
        pool->of_account->running--;
    }
    if (invocation) {
        size_t tail_len = worker && invocation->want_log_tail ? worker->tail_len : 0;
        struct delivery *delivery = calloc(1, sizeof *delivery + tail_len);
        if (!delivery)
            abort();
        delivery->task.fn = deliver;
        delivery->invocation = invocation;
        delivery->result = result;
        delivery->body = body;
        delivery->body_len = body_len;
        memcpy(delivery->id, run->id, sizeof run->id);
        if (pool)
            snprintf(delivery->version, sizeof delivery->version, "%.*s", STR_FMT(pool->target->version));
        delivery->duration_us = env_monotonic_us(f->config.env) - (run->started_us ? run->started_us : run->began_us);
        delivery->message = message.ptr ? strndup(message.ptr, message.len) : NULL;
        delivery->tail_len = tail_len;
        if (tail_len)
            memcpy(delivery->tail, worker->tail, tail_len);
        if (invocation->home)
            loop_post(invocation->home, &delivery->task);
        else
            deliver(&delivery->task);
    } else {
        free(body);
    }
    free(run);
    if (pool)
        pool_release(pool);
}

/* On the caller's loop: its arena may be touched here only. */
static void deliver(struct loop_task *task)
{
    struct delivery *delivery = (struct delivery *)task; /* its first member */
    struct invocation *invocation = delivery->invocation;
    struct arena *arena = invocation->arena;
    invocation->result = delivery->result;
    invocation->answer = delivery->body ? str_copy(arena, (struct str){ delivery->body, delivery->body_len }) : STR("");
    invocation->error_kind = delivery->result == INVOKE_FUNCTION_ERROR ? STR("Unhandled") : STR_NONE;
    invocation->message = delivery->message ? str_copy(arena, str_of(delivery->message)) : STR_NONE;
    invocation->log_tail = invocation->want_log_tail
                               ? str_copy(arena, (struct str){ delivery->tail, delivery->tail_len }) : STR_NONE;
    invocation->executed_version = str_copy(arena, str_of(delivery->version));
    invocation->request_id = str_copy(arena, str_of(delivery->id));
    invocation->duration_us = delivery->duration_us;
    free(delivery->body);
    free(delivery->message);
    free(delivery);
    invoke_done(invocation);
}

void fleet_probed(struct functions *f)
{
    pools_pump(f);
}

void fleet_stop(struct functions *f)
{
    struct str key;
    void *value;
    f->closing = true;
    timer_stop(f->loop, &f->events_timer);
    for (size_t at = 0; map_each(f->pools, &at, &key, &value);)
        for (struct pool *pool = value; pool->first;)
            fail(pool_take_waiting(pool), INVOKE_FAILED, "the server stops");
    /* Retired pools are not in the map; who waits in one waits for a process, so it is on this list. */
    for (struct pool *pool = f->waiting_pools; pool; pool = pool->next_waiting)
        while (pool->first)
            fail(pool_take_waiting(pool), INVOKE_FAILED, "the server stops");
    for (struct worker *worker = f->workers; worker; worker = worker->next) {
        struct run *run = worker->run;
        worker->run = NULL;
        if (run)
            fail(run, INVOKE_FAILED, "the server stops");
        if (worker->state != WORKER_DYING)
            worker_kill(worker);
    }
}

static void free_log(void *log)
{
    flog_free(log);
}

static void free_pool(void *value)
{
    struct pool *pool = value;
    target_free(pool->target);
    free(pool);
}

static void free_route(void *value)
{
    struct route_entry *route = value;
    policy_set_free(route->policy);
    arena_free(route->arena);
}

/* The loop does not run any more. */
void fleet_close(struct functions *f)
{
    f->closing = true;
    while (f->workers)
        worker_free(f->workers);
    while (f->waiting_pools) {
        struct pool *pool = f->waiting_pools;
        f->waiting_pools = pool->next_waiting;
        pool->on_waiting_list = false;
        pool_release(pool);
    }
    map_free(f->routes, free_route);
    map_free(f->pools, free_pool);
    map_free(f->tallies, free);
    map_free(f->logs, free_log);
}
