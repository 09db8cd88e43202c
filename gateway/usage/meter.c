/* Quotas: taken from the database in portions, and from the portion in memory.
 *
 * What the database says is left never counts a request that was served, so that a quota is not
 * exceeded however the process ends; a kill loses what was left of the portion (at most 1/32 of the
 * quota) to the client, and what was served in the last second to GetUsage's count. A clean stop
 * loses neither. A loop never does any of this: it asks a job to, and lets the request wait where
 * there is nothing to take. */
#include <stdlib.h>

#include "core/log.h"
#include "gateway/store/usage.h"
#include "gateway/usage/state.h"

enum { FLUSH_US = 1000000, PORTIONS = 32, PORTION_MAX = 4096, KEEP_DAYS = 400 };
static const int64_t DAY_US = 86400LL * 1000000;

static const char *const period_names[] = { "DAY", "WEEK", "MONTH" };

/* --- the calendar --- */

int64_t usage_day_of(int64_t wall_us)
{
    return wall_us / DAY_US - (wall_us % DAY_US < 0);
}

bool usage_period_of(struct str name, enum usage_period *out)
{
    for (size_t i = 0; i < COUNT(period_names); i++) {
        *out = (enum usage_period)i;
        if (str_is(name, period_names[i]))
            return true;
    }
    return false;
}

/* UTC; a week begins on Sunday, as AWS's calendars have it. */
int64_t usage_period_start(enum usage_period period, int64_t day)
{
    if (period == PERIOD_DAY)
        return day;
    if (period == PERIOD_WEEK) /* 1970-01-01 was a Thursday */
        return day - (((day + 4) % 7) + 7) % 7;
    time_t seconds = (time_t)(day * 86400);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return day - (tm.tm_mday - 1);
}

int64_t usage_period_end_us(enum usage_period period, int64_t wall_us)
{
    static const int64_t longest[] = { 1, 7, 31 };
    int64_t start = usage_period_start(period, usage_day_of(wall_us));
    return usage_period_start(period, start + longest[period]) * DAY_US;
}

/* --- on the loops --- */

/* Asked again after a look at what is left: the book-keeper takes the time away first. */
static bool knows(const struct usage_meter *meter, int64_t wall_us)
{
    return wall_us >= atomic_load_explicit(&meter->from_us, memory_order_relaxed) &&
           wall_us < atomic_load_explicit(&meter->until_us, memory_order_acquire);
}

bool usage_exceeded(const struct usage_meter *meter, int64_t wall_us)
{
    return atomic_load_explicit(&meter->limited, memory_order_acquire) &&
           atomic_load_explicit(&meter->left, memory_order_acquire) <= 0 &&
           atomic_load_explicit(&meter->pool, memory_order_acquire) <= 0 && knows(meter, wall_us);
}

static void run_errands(struct job *job);

static bool send_errand(struct usage *usage, struct usage_errand *errand)
{
    pthread_mutex_lock(&usage->errands_lock);
    bool start = !usage->running;
    bool sent = true;
    if (start)
        sent = usage->running = job_submit(usage->gateway->config.jobs, &usage->job);
    if (sent) {
        errand->next = usage->errands;
        usage->errands = errand;
    }
    pthread_mutex_unlock(&usage->errands_lock);
    return sent;
}

static struct usage_errand *new_errand(struct usage_meter *meter)
{
    struct usage_errand *errand = calloc(1, sizeof *errand);
    if (!errand)
        abort();
    atomic_fetch_add_explicit(&meter->references, 1, memory_order_relaxed);
    errand->meter = meter;
    return errand;
}

static void free_errand(struct usage_errand *errand)
{
    usage_meter_unref(errand->meter);
    free(errand);
}

static void want_more(struct usage *usage, struct usage_meter *meter)
{
    if (atomic_exchange_explicit(&meter->wanted, true, memory_order_relaxed))
        return;
    struct usage_errand *errand = new_errand(meter);
    if (send_errand(usage, errand))
        return;
    atomic_store_explicit(&meter->wanted, false, memory_order_relaxed);
    free_errand(errand);
}

static void count(struct usage *usage, struct usage_meter *meter)
{
    atomic_fetch_add_explicit(&meter->served, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&usage->dirty, memory_order_relaxed))
        atomic_store_explicit(&usage->dirty, true, memory_order_relaxed);
}

enum usage_taken usage_take(struct gateway *gateway, struct usage_meter *meter, int64_t wall_us)
{
    if (!knows(meter, wall_us))
        return USAGE_WAIT;
    if (atomic_load_explicit(&meter->limited, memory_order_relaxed)) {
        int64_t left = atomic_load_explicit(&meter->left, memory_order_acquire);
        while (left > 0 && !atomic_compare_exchange_weak_explicit(&meter->left, &left, left - 1, memory_order_acq_rel,
                                                                  memory_order_acquire))
            ;
        int64_t pool = atomic_load_explicit(&meter->pool, memory_order_acquire);
        if (left <= 0)
            return pool > 0 || !knows(meter, wall_us) ? USAGE_WAIT : USAGE_EXCEEDED;
        if (pool > 0 && left - 1 <= atomic_load_explicit(&meter->low, memory_order_relaxed))
            want_more(gateway->usage, meter);
    }
    count(gateway->usage, meter);
    return USAGE_TAKEN;
}

static void errand_done(struct loop_task *task)
{
    struct usage_errand *errand = (struct usage_errand *)(void *)task;
    struct gw_request *r = errand->r;
    enum usage_outcome outcome = errand->outcome;
    free_errand(errand);
    if (!r)
        return;
    r->usage.errand = NULL;
    r->usage.outcome = outcome;
    gw_resume(r);
}

bool usage_wait(struct gw_request *r, struct usage_meter *meter)
{
    struct usage_errand *errand = new_errand(meter);
    errand->r = r;
    errand->home = r->x->loop;
    errand->task.fn = errand_done;
    if (!send_errand(r->gateway->usage, errand)) {
        free_errand(errand);
        return false;
    }
    r->usage.errand = errand;
    return true;
}

void usage_forget(struct gw_request *r)
{
    if (r->usage.errand)
        r->usage.errand->r = NULL;
    r->usage.errand = NULL;
}

/* --- the book-keeper: jobs, under the lock --- */

static int64_t portion_of(const struct usage_plan *plan)
{
    int64_t portion = plan->quota / PORTIONS;
    return portion < 1 ? 1 : portion > PORTION_MAX ? PORTION_MAX : portion;
}

/* What the rows say is left of the period of `day`, and whether a period begins with it. "offset: The
 * number of requests subtracted from the given limit in the initial time period." A limit that was
 * changed counts at once. */
static gh_err remaining_of(struct usage *usage, struct tx *tx, struct arena *arena, const struct usage_plan *plan,
                           const struct usage_meter *meter, int64_t day, struct usage_quota_row *row, bool *fresh)
{
    struct db *db = usage->gateway->config.db;
    struct str period = str_of(period_names[plan->period]);
    int64_t starts = usage_period_start(plan->period, day);
    gh_err err = usage_quota_load(db, tx, arena, meter->plan_id, meter->key_id, row);
    bool same = row->period.ptr && str_eq(row->period, period) && row->starts == starts;
    *fresh = !same;
    int64_t remaining = same ? row->remaining + plan->quota - row->quota : plan->quota;
    if (!row->period.ptr)
        remaining -= plan->offset;
    *row = (struct usage_quota_row){ period, starts, plan->quota, remaining < 0 ? 0 : remaining };
    return err;
}

static int64_t remaining_now(const struct usage_meter *meter)
{
    return atomic_load(&meter->limited) ? atomic_load(&meter->left) + atomic_load(&meter->pool) : -1;
}

/* What was served goes into the day it was served on; it is back in the meter if that fails. */
static void write_served(struct tx *tx, struct usage_meter *meter)
{
    meter->next.served = atomic_exchange(&meter->served, 0);
    if (meter->next.served > 0)
        usage_day_add(tx, meter->plan_id, meter->key_id, meter->day, meter->next.served, remaining_now(meter));
}

static gh_err prepare(struct usage *usage, struct tx *tx, struct usage_meter *meter, const struct usage_plan *plan,
                      int64_t day)
{
    struct usage_quota_row row;
    bool fresh, new_day = !meter->known || meter->day != day;
    meter->next.portion = meter->next.served = 0;
    meter->next.fresh = false;
    if (meter->known && new_day) {
        atomic_store(&meter->until_us, 0); /* until it is told of the new day, requests wait */
        write_served(tx, meter);
    }
    if (!plan->has_quota)
        return NULL;
    gh_err err = remaining_of(usage, tx, tx->arena, plan, meter, day, &row, &fresh);
    meter->next.fresh = fresh || !meter->known;
    int64_t left = meter->next.fresh ? 0 : atomic_load(&meter->left), portion = portion_of(plan);
    if (left <= portion / 2) {
        meter->next.portion = portion - left < row.remaining ? portion - left : row.remaining;
        row.remaining -= meter->next.portion;
    }
    meter->next.remaining = row.remaining;
    usage_quota_save(tx, meter->plan_id, meter->key_id, &row);
    return err;
}

/* It is on disk: the loops may have it. */
static void show(struct usage_meter *meter, const struct usage_plan *plan, int64_t day)
{
    atomic_store(&meter->limited, plan->has_quota);
    if (plan->has_quota) {
        if (meter->next.fresh)
            atomic_store(&meter->left, 0);
        atomic_store(&meter->low, portion_of(plan) / 2);
        atomic_store(&meter->pool, meter->next.remaining);
        atomic_fetch_add(&meter->left, meter->next.portion);
    }
    meter->known = true;
    meter->day = day;
    atomic_store(&meter->from_us, day * DAY_US);
    atomic_store_explicit(&meter->until_us, (day + 1) * DAY_US, memory_order_release);
}

static gh_err look_after(struct usage *usage, struct arena *arena, struct usage_errand *list)
{
    struct tx tx;
    gh_err err = NULL;
    int64_t day = usage_day_of(env_now_us(usage->gateway->config.env));
    tx_begin(&tx, usage->gateway->config.db, arena);
    for (struct usage_errand *one = list; one && !err; one = one->next) {
        const struct usage_book *book = map_get(usage->books, one->meter->plan_id);
        if (atomic_load(&one->meter->gone) || !book || !book->plan)
            one->outcome = USAGE_GONE;
        if (one->meter->in_batch || one->outcome == USAGE_GONE)
            continue;
        one->meter->in_batch = true;
        err = prepare(usage, &tx, one->meter, book->plan, day);
    }
    if (usage->forgot_day != day)
        usage_days_forget(&tx, day - KEEP_DAYS);
    if (err)
        tx_rollback(&tx);
    else
        err = tx_commit(&tx);
    if (!err)
        usage->forgot_day = day;
    for (struct usage_errand *one = list; one; one = one->next) {
        if (!one->meter->in_batch)
            continue;
        one->meter->in_batch = false;
        const struct usage_book *book = map_get(usage->books, one->meter->plan_id);
        if (!err)
            show(one->meter, book->plan, day);
        else
            atomic_fetch_add(&one->meter->served, one->meter->next.served);
    }
    return err;
}

static void run_errands(struct job *job)
{
    struct usage *usage = (struct usage *)(void *)((char *)job - offsetof(struct usage, job));
    for (;;) {
        pthread_mutex_lock(&usage->errands_lock);
        struct usage_errand *list = usage->errands, *next;
        usage->errands = NULL;
        usage->running = list != NULL;
        pthread_mutex_unlock(&usage->errands_lock);
        if (!list)
            return;
        struct arena *arena = arena_new(16 * 1024);
        for (struct usage_errand *one = list; one; one = one->next)
            atomic_store_explicit(&one->meter->wanted, false, memory_order_relaxed);
        pthread_mutex_lock(&usage->lock);
        gh_err err = look_after(usage, arena, list);
        pthread_mutex_unlock(&usage->lock);
        if (err)
            log_at(LOG_ERROR, "quotas cannot be read or written", { "why", err->message });
        for (; list; list = next) {
            next = list->next;
            if (err)
                list->outcome = USAGE_FAILED;
            if (list->home)
                loop_post(list->home, &list->task);
            else
                free_errand(list);
        }
        arena_free(arena);
    }
}

/* A loop that has just looked may still take: the time goes first, the portion after it. */
static gh_err write_one(struct usage *usage, struct tx *tx, struct usage_meter *meter, bool drop)
{
    struct usage_quota_row row;
    meter->next.portion = 0;
    if (drop)
        atomic_store(&meter->until_us, 0);
    write_served(tx, meter);
    if (!drop || !atomic_load(&meter->limited))
        return NULL;
    gh_err err = usage_quota_load(usage->gateway->config.db, tx, tx->arena, meter->plan_id, meter->key_id, &row);
    meter->next.portion = atomic_exchange(&meter->left, 0);
    row.remaining += meter->next.portion;
    if (row.period.ptr)
        usage_quota_save(tx, meter->plan_id, meter->key_id, &row);
    return err;
}

static gh_err write_all(struct usage *usage, struct arena *arena, struct usage_meter **meters, size_t n, bool drop)
{
    struct tx tx;
    gh_err err = NULL;
    size_t written = 0;
    if (!n)
        return NULL;
    tx_begin(&tx, usage->gateway->config.db, arena);
    while (written < n && !err)
        err = write_one(usage, &tx, meters[written++], drop);
    if (err)
        tx_rollback(&tx);
    else
        err = tx_commit(&tx);
    for (size_t i = 0; i < written; i++) {
        struct usage_meter *meter = meters[i];
        if (err) {
            atomic_fetch_add(&meter->served, meter->next.served);
            atomic_fetch_add(&meter->left, meter->next.portion);
        } else if (drop) {
            meter->known = false;
        }
    }
    return err;
}

static bool has_news(const struct usage_meter *meter, bool drop)
{
    return meter->known && (drop || atomic_load(&meter->served) > 0);
}

gh_err meter_write(struct usage *usage, struct arena *arena, struct usage_meter *meter, bool drop)
{
    return write_all(usage, arena, &meter, has_news(meter, drop), drop);
}

gh_err meters_write(struct usage *usage, struct arena *arena, struct str plan_id, bool drop)
{
    struct usage_meter **meters = ARENA_ARRAY(arena, struct usage_meter *, map_count(usage->meters) + 1);
    struct str name;
    void *value;
    size_t n = 0;
    for (size_t at = 0; map_each(usage->meters, &at, &name, &value);) {
        struct usage_meter *meter = value;
        if ((!plan_id.ptr || str_eq(meter->plan_id, plan_id)) && has_news(meter, drop))
            meters[n++] = meter;
    }
    return write_all(usage, arena, meters, n, drop);
}

/* --- once a second --- */

static void flush(struct job *job)
{
    struct usage *usage = (struct usage *)(void *)((char *)job - offsetof(struct usage, flush_job));
    struct arena *arena = arena_new(16 * 1024);
    atomic_store(&usage->dirty, false);
    pthread_mutex_lock(&usage->lock);
    gh_err err = meters_write(usage, arena, STR_NONE, false);
    pthread_mutex_unlock(&usage->lock);
    if (err) {
        atomic_store(&usage->dirty, true);
        log_at(LOG_ERROR, "usage counts cannot be written", { "why", err->message });
    }
    arena_free(arena);
    atomic_store(&usage->flushing, false);
}

static void tick(struct timer *timer)
{
    struct usage *usage = (struct usage *)(void *)((char *)timer - offsetof(struct usage, flush_timer));
    if (atomic_load(&usage->dirty) && !atomic_exchange(&usage->flushing, true) &&
        !job_submit(usage->gateway->config.jobs, &usage->flush_job))
        atomic_store(&usage->flushing, false);
    timer_start(usage->gateway->loops[0].loop, timer, FLUSH_US, tick);
}

void meter_start(struct usage *usage)
{
    usage->job = (struct job){ .run = run_errands };
    usage->flush_job = (struct job){ .run = flush };
    timer_start(usage->gateway->loops[0].loop, &usage->flush_timer, FLUSH_US, tick);
}

/* --- for GetUsage and UpdateUsage --- */

gh_err usage_flush(struct gateway *gateway, struct arena *arena, struct str plan_id)
{
    pthread_mutex_lock(&gateway->usage->lock);
    gh_err err = meters_write(gateway->usage, arena, plan_id, false);
    pthread_mutex_unlock(&gateway->usage->lock);
    return err;
}

static struct usage_meter *meter_at(struct usage *usage, struct arena *arena, struct str plan_id, struct str key_id,
                                    const struct usage_plan **plan)
{
    const struct usage_book *book = map_get(usage->books, plan_id);
    *plan = book ? book->plan : NULL;
    return map_get(usage->meters, str_printf(arena, "%.*s/%.*s", STR_FMT(plan_id), STR_FMT(key_id)));
}

gh_err usage_remaining(struct gateway *gateway, struct arena *arena, struct str plan_id, struct str key_id, int64_t day,
                       int64_t *out)
{
    struct usage *usage = gateway->usage;
    const struct usage_plan *plan;
    struct usage_quota_row row = { 0 };
    bool fresh;
    gh_err err = NULL;
    pthread_mutex_lock(&usage->lock);
    struct usage_meter *meter = meter_at(usage, arena, plan_id, key_id, &plan);
    *out = -1;
    if (meter && plan && plan->has_quota) {
        err = remaining_of(usage, NULL, arena, plan, meter, day, &row, &fresh);
        *out = row.remaining + (meter->known && !fresh ? atomic_load(&meter->left) : 0);
    }
    pthread_mutex_unlock(&usage->lock);
    return err;
}

gh_err usage_set_remaining(struct gateway *gateway, struct arena *arena, struct str plan_id, struct str key_id,
                           int64_t day, int64_t remaining)
{
    struct usage *usage = gateway->usage;
    const struct usage_plan *plan;
    struct usage_quota_row row;
    struct tx tx;
    bool fresh;
    pthread_mutex_lock(&usage->lock);
    struct usage_meter *meter = meter_at(usage, arena, plan_id, key_id, &plan);
    gh_err err = meter && plan ? meter_write(usage, arena, meter, true) : NULL;
    if (!err && meter && plan && plan->has_quota) {
        tx_begin(&tx, gateway->config.db, arena);
        err = remaining_of(usage, &tx, arena, plan, meter, day, &row, &fresh);
        row.remaining = remaining;
        usage_quota_save(&tx, plan_id, key_id, &row);
        usage_day_add(&tx, plan_id, key_id, day, 0, remaining);
        if (err)
            tx_rollback(&tx);
        else
            err = tx_commit(&tx);
    }
    pthread_mutex_unlock(&usage->lock);
    return err;
}
