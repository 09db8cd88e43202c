#include "functions/events.h"

#include <stdlib.h>

#include "core/http_msg.h"
#include "core/log.h"
#include "functions/store/event_config.h"

enum { BATCH = 64, IN_FLIGHT_MAX = 256, MINUTE_US = 60 * 1000000, MAX_AGE_S = 21600, MAX_RETRIES = 2, BUSY_RETRY_US = 1000000,
       EVENT_BYTES = 1048576 };

static const char insert_event[] =
    "INSERT INTO function_events (id, account, region, name, qualifier, payload, trace, accepted_us, due_us, attempts, claimed) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0, 0)";
static const char unclaim_events[] = "UPDATE function_events SET claimed = 0 WHERE claimed = 1";
static const char claim_event[] = "UPDATE function_events SET claimed = 1 WHERE id = $1";
static const char due_events[] =
    "SELECT id, account, region, name, qualifier, payload, trace, attempts, accepted_us FROM function_events "
    "WHERE claimed = 0 AND due_us <= $1 ORDER BY due_us LIMIT $2";
static const char next_due[] = "SELECT MIN(due_us) FROM function_events WHERE claimed = 0";
static const char delete_event[] = "DELETE FROM function_events WHERE id = $1";
static const char put_off_event[] = "UPDATE function_events SET due_us = $2, attempts = $3, claimed = 0 WHERE id = $1";

struct event {
    struct invocation invocation;
    struct event *next;      /* in its batch */
    struct job job;          /* that records the outcome */
    struct functions *functions;
    struct arena *arena;     /* its own, and it lives there */
    int64_t attempts, accepted_us;
    int64_t max_retries, max_age_s;
};

/* One look into the queue. */
struct batch {
    struct job job;
    struct functions *functions;
    struct event *events;
    int64_t next_due_us;     /* 0: nothing else waits */
    bool failed, full;
};

struct nudge {
    struct loop_task task;
    struct functions *functions;
};

static void read_batch(struct job *job);
static void batch_read(struct job *job);
static void event_done(struct invocation *invocation);
static void record_event(struct job *job);
static void event_recorded(struct job *job);
static void on_due(struct timer *timer);
static void nudge(struct loop_task *task);

gh_err events_accept(struct call *call, struct str account, struct str region, struct str name, struct str qualifier,
                     struct str payload, struct str id)
{
    struct functions *f = call->module;
    gh_err err = db_run(call->db, call->arena, insert_event, "sssssssi", id, account, region, name, qualifier, payload,
                        http_header_get(call->headers, "X-Amzn-Trace-Id"), call->now_us);
    if (err)
        return err;
    struct nudge *message = calloc(1, sizeof *message);
    if (!message)
        abort();
    message->functions = f;
    message->task.fn = nudge;
    loop_post(f->loop, &message->task);
    return NULL;
}

/* One that came by core/invoke.h, on its way to the disk. */
struct intake {
    struct job job;
    struct run *run;
    struct functions *functions;
    struct arena *arena;
    struct str id, account, region, name, qualifier, payload, trace;
    bool stored;
};

static void intake_run(struct job *job)
{
    struct intake *in = (struct intake *)job; /* its first member */
    struct functions *f = in->functions;
    in->stored = db_run(f->config.db, in->arena, insert_event, "sssssssi", in->id, in->account, in->region, in->name,
                        in->qualifier, in->payload, in->trace, env_now_us(f->config.env)) == NULL;
}

static void intake_done(struct job *job)
{
    struct intake *in = (struct intake *)job;
    struct functions *f = in->functions;
    run_finish(in->run, in->stored ? INVOKE_OK : INVOKE_FAILED, NULL, 0,
               in->stored ? STR_NONE : STR("the event could not be stored"), NULL);
    if (in->stored)
        events_resume(f);
    arena_free(in->arena);
}

void events_queue(struct run *run, struct str account, struct str region, struct str name, struct str qualifier)
{
    struct functions *f = run->functions;
    const struct invocation *caller = run->caller;
    if (caller->payload.len > EVENT_BYTES) {
        run_finish(run, INVOKE_FAILED, NULL, 0, STR("an event must be smaller than 1048576 bytes"), NULL);
        return;
    }
    timer_stop(f->loop, &run->patience); /* the disk answers, or the process ends */
    struct arena *arena = arena_new(1024 + caller->payload.len);
    struct intake *in = ARENA_NEW(arena, struct intake);
    *in = (struct intake){
        .job = { .home = f->loop, .run = intake_run, .done = intake_done },
        .run = run,
        .functions = f,
        .arena = arena,
        .id = str_copy(arena, str_of(run->id)),
        .account = str_copy(arena, account),
        .region = str_copy(arena, region),
        .name = str_copy(arena, name),
        .qualifier = str_copy(arena, qualifier),
        .payload = str_copy(arena, caller->payload),
        .trace = caller->trace_id.ptr ? str_copy(arena, caller->trace_id) : STR_NONE,
    };
    if (job_submit(f->loaders, &in->job))
        return;
    arena_free(arena);
    run_finish(run, INVOKE_THROTTLED, NULL, 0, STR("too many events are being stored"), NULL);
}

static void nudge(struct loop_task *task)
{
    struct functions *f = ((struct nudge *)task)->functions;
    free(task);
    events_resume(f);
}

void events_resume(struct functions *f)
{
    if (f->closing || !atomic_load(&f->probed))
        return;
    if (f->events_busy || f->events_in_flight >= IN_FLIGHT_MAX) {
        f->events_again = true;
        return;
    }
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    batch->functions = f;
    batch->job = (struct job){ .home = f->loop, .run = read_batch, .done = batch_read };
    f->events_busy = true;
    f->events_again = false;
    if (!job_submit(f->loaders, &batch->job)) {
        batch->failed = true;
        batch_read(&batch->job);
    }
}

static void read_event(struct batch *batch, struct rows *rows)
{
    struct functions *f = batch->functions;
    struct arena *arena = arena_new(2048);
    struct event *event = ARENA_NEW(arena, struct event);
    *event = (struct event){
        .next = batch->events, .functions = f, .arena = arena, .attempts = rows_i64(rows, 7),
        .accepted_us = rows_i64(rows, 8), .max_retries = MAX_RETRIES, .max_age_s = MAX_AGE_S,
        .invocation = { .arena = arena, .home = f->loop, .done = event_done,
                        .request_id = str_copy(arena, rows_str(rows, 0)), .account = str_copy(arena, rows_str(rows, 1)),
                        .region = str_copy(arena, rows_str(rows, 2)), .function = str_copy(arena, rows_str(rows, 3)),
                        .qualifier = str_copy(arena, rows_str(rows, 4)), .payload = str_copy(arena, rows_str(rows, 5)) },
    };
    struct str trace = rows_str(rows, 6);
    if (trace.ptr)
        event->invocation.trace_id = str_copy(arena, trace);
    batch->events = event;
}

static void read_batch(struct job *job)
{
    struct batch *batch = (struct batch *)job; /* its first member */
    struct functions *f = batch->functions;
    struct arena *arena = arena_new(16 * 1024);
    struct tx tx;
    struct rows rows;
    size_t n = 0;
    tx_begin(&tx, f->config.db, arena);
    if (!f->events_seen)
        tx_run(&tx, unclaim_events, "");
    rows_open(&rows, f->config.db, &tx, arena, due_events, "ii", env_now_us(f->config.env), (int64_t)BATCH);
    for (; rows_next(&rows); n++)
        read_event(batch, &rows);
    batch->failed = rows_close(&rows) != NULL;
    for (struct event *event = batch->events; event; event = event->next) {
        const struct invocation *of = &event->invocation;
        batch->failed |= !event_config_limits(f->config.db, event->arena, of->account, of->region, of->function,
                                              of->qualifier, &event->max_retries, &event->max_age_s);
        tx_run(&tx, claim_event, "s", of->request_id);
    }
    rows_open(&rows, f->config.db, &tx, arena, next_due, "");
    batch->next_due_us = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    batch->failed |= rows_close(&rows) != NULL;
    if (batch->failed)
        tx_rollback(&tx);
    else
        batch->failed = tx_commit(&tx) != NULL;
    batch->full = n == BATCH;
    f->events_seen |= !batch->failed;
    arena_free(arena);
}

static void batch_read(struct job *job)
{
    struct batch *batch = (struct batch *)job;
    struct functions *f = batch->functions;
    int64_t wait_us = batch->failed ? (int64_t)BUSY_RETRY_US : batch->next_due_us - env_now_us(f->config.env);
    bool more = batch->failed || batch->next_due_us > 0;
    while (batch->events) {
        struct event *event = batch->events;
        batch->events = event->next;
        if (batch->failed || f->closing) {
            arena_free(event->arena);
            continue;
        }
        f->events_in_flight++;
        fleet_start(f, &event->invocation);
    }
    f->events_busy = false;
    if (!f->closing && (f->events_again || batch->full))
        events_resume(f);
    else if (!f->closing && more)
        timer_start(f->loop, &f->events_timer, wait_us, on_due);
    free(batch);
}

static void event_done(struct invocation *invocation)
{
    struct event *event = (struct event *)invocation; /* its first member */
    struct functions *f = event->functions;
    event->job = (struct job){ .home = f->loop, .run = record_event, .done = event_recorded };
    if (f->closing || !job_submit(f->loaders, &event->job))
        event_recorded(&event->job); /* it stays claimed, and runs again after the next start */
}

/* "Lambda attempts to run the function two more times, with a one-minute wait between the first
 * two attempts, and two minutes between the second and third." Throttled events are put off
 * without counting as a try, until they are too old. */
static void record_event(struct job *job)
{
    struct event *event = (struct event *)((char *)job - offsetof(struct event, job));
    const struct invocation *of = &event->invocation;
    struct functions *f = event->functions;
    int64_t now_us = env_now_us(f->config.env), age_s = (now_us - event->accepted_us) / 1000000;
    int64_t wait_us = (event->attempts + 1) * (int64_t)MINUTE_US;
    bool throttled = of->result == INVOKE_THROTTLED || of->result == INVOKE_FAILED;
    bool again = of->result == INVOKE_FUNCTION_ERROR && event->attempts < event->max_retries;
    gh_err err;
    if (throttled)
        wait_us = age_s < 300 ? (age_s + 1) * 1000000 : 300 * (int64_t)1000000;
    if ((again || throttled) && age_s + wait_us / 1000000 <= event->max_age_s) {
        err = db_run(f->config.db, event->arena, put_off_event, "sii", of->request_id, now_us + wait_us,
                     event->attempts + !throttled);
    } else {
        if (of->result != INVOKE_OK)
            log_at(LOG_WARN, "an asynchronous invocation is given up", { "function", of->function },
                   { "requestId", of->request_id }, { "answer", str_empty(of->answer) ? of->message : of->answer });
        err = db_run(f->config.db, event->arena, delete_event, "s", of->request_id);
    }
    if (err)
        log_at(LOG_ERROR, "the outcome of an asynchronous invocation could not be stored", { "requestId", of->request_id },
               { "why", err->message });
}

static void event_recorded(struct job *job)
{
    struct event *event = (struct event *)((char *)job - offsetof(struct event, job));
    struct functions *f = event->functions;
    arena_free(event->arena);
    f->events_in_flight--; // NOLINT(clang-analyzer-core.NullDereference): read before its arena went
    events_resume(f); /* a retry may be due sooner than the timer knows */
}

static void on_due(struct timer *timer)
{
    events_resume((struct functions *)((char *)timer - offsetof(struct functions, events_timer)));
}
