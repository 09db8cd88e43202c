/* What keys have used of a plan, day by day. */
#include "gateway/store/usage.h"

#include "core/time.h"
#include "gateway/ops/apikey.h"
#include "gateway/state.h"

enum { DAYS_MAX = 400 };

static gh_err read_remaining(struct patch *patch);

static const struct patch_row rows[] = { { "/remaining", PATCH_REPLACE, read_remaining } };
static gh_err refuse(struct patch *patch)
{
    struct str path = patch->path.ptr ? patch->path : STR("null");
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Invalid patch path  '%.*s' specified for op '%.*s'. Must be one of: [%s]", STR_FMT(path),
                   STR_FMT(patch->op_name), patch->op == PATCH_REPLACE ? "/remaining" : "");
}
static const struct patch_rules rules = { rows, COUNT(rows), refuse, NULL };

static gh_err day_of(struct call *call, struct str date, const char *what, int64_t *day)
{
    double seconds;
    if (date.len != 10 || !time_parse_iso8601(date, &seconds) || seconds < 0)
        return ops_bad_request(call, "Invalid %s specified. Dates are of the form yyyy-MM-dd", what);
    *day = (int64_t)seconds / 86400;
    return NULL;
}

static struct str date_of(struct arena *arena, int64_t day)
{
    return str_sub(time_iso8601(arena, day * 86400), 0, 10);
}

/* What a day without a row had left: what the last one had, if that was in the same period. */
static int64_t carried(const json_t *quota, enum usage_period period, const struct usage_day_row *last, int64_t day)
{
    if (!quota)
        return -1;
    bool same = last->day >= 0 && usage_period_start(period, last->day) == usage_period_start(period, day);
    return same ? last->remaining : json_i64(quota, "limit", 0);
}

/* [[used, remaining], …], a pair a day. -1: the plan has no quota. */
static gh_err days_of_key(struct call *call, const json_t *plan, struct str key_id, int64_t first, int64_t last,
                          json_t **out)
{
    const json_t *quota = json_object_get(plan, "quota");
    struct str plan_id = json_str(plan, "id");
    struct usage_day_rows days;
    struct usage_day_row before;
    enum usage_period period;
    int64_t today = usage_day_of(call->now_us), left_today = -1;
    usage_period_of(json_str(quota, "period"), &period);
    gh_err err = usage_days_load(call->db, call->arena, plan_id, key_id, first, last, &days);
    if (!err)
        err = usage_day_before(call->db, call->arena, plan_id, key_id, first, &before);
    if (!err)
        err = usage_remaining(call->module, call->arena, plan_id, key_id, today, &left_today);
    *out = json_own(call->arena, json_array());
    for (int64_t day = first, i = 0; !err && day <= last; day++) {
        struct usage_day_row row = { day, 0, carried(quota, period, &before, day) };
        if (i < (int64_t)days.n && days.items[i].day == day)
            row = days.items[i++];
        if (!quota)
            row.remaining = -1;
        else if (day == today)
            row.remaining = left_today;
        before = row;
        json_t *pair = json_array();
        json_array_append_new(pair, json_integer(row.used));
        json_array_append_new(pair, json_integer(row.remaining));
        json_array_append_new(*out, pair);
    }
    return err;
}

static gh_err answer(struct call *call, const json_t *plan, const struct str *keys, size_t n, int64_t first, int64_t last,
                     struct str position, void *out)
{
    json_t *doc = json_own(call->arena, json_object()), *values = json_object(), *days;
    gh_err err = usage_flush(call->module, call->arena, json_str(plan, "id"));
    json_set_str(doc, "usagePlanId", json_str(plan, "id"));
    json_set_str(doc, "startDate", date_of(call->arena, first));
    json_set_str(doc, "endDate", date_of(call->arena, last));
    json_set_str(doc, "position", position);
    json_object_set_new(doc, "values", values);
    for (size_t i = 0; i < n && !err; i++)
        if (!(err = days_of_key(call, plan, keys[i], first, last, &days)))
            json_object_setn(values, keys[i].ptr, keys[i].len, days);
    return err ? err : ops_answer(call, doc, out);
}

gh_err apigw_GetUsage(struct call *call, const struct apigw_GetUsage_in *in, struct apigw_GetUsage_out *out)
{
    json_t *plan;
    struct id_list keys;
    struct str after, position = STR_NONE;
    int64_t first = 0, last = 0, limit = page_limit(in->limit);
    gh_err err = plan_required(call, NULL, in->usage_plan_id, &plan);
    if (!err)
        err = day_of(call, in->start_date, "startDate", &first);
    if (!err)
        err = day_of(call, in->end_date, "endDate", &last);
    if (!err && (last < first || last - first >= DAYS_MAX))
        err = ops_bad_request(call, last < first ? "Invalid date range specified: endDate is before startDate"
                                                 : "Invalid date range specified: it is longer than 400 days");
    if (!err && !position_key(call->arena, in->position, &after))
        err = ops_bad_request(call, "Invalid position specified");
    if (!err)
        err = plan_keys(call->db, NULL, call->arena, in->usage_plan_id, &keys);
    if (err)
        return err;
    struct str *page = ARENA_ARRAY(call->arena, struct str, limit);
    size_t n = 0;
    bool going = !after.len; /* in the order of joining, behind the key that the position names */
    for (size_t i = 0; i < keys.n; i++) {
        if (!going) {
            going = str_eq(keys.items[i], after);
            continue;
        }
        if (in->key_id.ptr && !str_eq(in->key_id, keys.items[i]))
            continue;
        if ((int64_t)n == limit) {
            position = position_of(call->arena, page[n - 1]);
            break;
        }
        page[n++] = keys.items[i];
    }
    return answer(call, plan, page, n, first, last, position, out);
}

/* "Grants a temporary extension to the remaining quota of a usage plan associated with a specified API
 * key." */
gh_err apigw_UpdateUsage(struct call *call, const struct apigw_UpdateUsage_in *in, struct apigw_UpdateUsage_out *out)
{
    json_t *plan;
    bool member = false;
    int64_t remaining = -1, today = usage_day_of(call->now_us);
    gh_err err = plan_required(call, NULL, in->usage_plan_id, &plan);
    if (!err)
        err = plan_has_key(call->db, NULL, call->arena, in->usage_plan_id, in->key_id, &member);
    if (!err && !member)
        err = ops_not_found(call, "Invalid API Key identifier specified");
    if (!err)
        err = patch_apply(&rules, call->arena, plan, &in->patch_operations, &remaining);
    if (!err && remaining >= 0 && !json_object_get(plan, "quota"))
        err = ops_bad_request(call, "Usage Plan %.*s has no quota", STR_FMT(in->usage_plan_id));
    if (!err && remaining >= 0)
        err = usage_set_remaining(call->module, call->arena, in->usage_plan_id, in->key_id, today, remaining);
    return err ? err : answer(call, plan, &in->key_id, 1, today, today, STR_NONE, out);
}

static gh_err read_remaining(struct patch *patch)
{
    int64_t *remaining = patch->ctx;
    if (str_i64(patch->value, remaining) && *remaining >= 0 && *remaining <= INT64_MAX / 4)
        return NULL;
    return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for /remaining: %.*s",
                   STR_FMT(patch->value));
}
