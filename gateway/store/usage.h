/* What keys have used of their plans, at rest. Days are counted from 1970, UTC. What is said of a plan
 * or a key that is gone is not kept. */
#pragma once

#include "gateway/store/docs.h"

struct usage_quota_row {
    struct str period; /* absent: no such row */
    int64_t starts, quota, remaining;
};
gh_err usage_quota_load(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str key_id,
                        struct usage_quota_row *out);
void usage_quota_save(struct tx *tx, struct str plan_id, struct str key_id, const struct usage_quota_row *row);

/* Adds to the day; remaining is what stands from now on. */
void usage_day_add(struct tx *tx, struct str plan_id, struct str key_id, int64_t day, int64_t used, int64_t remaining);
struct usage_day_row {
    int64_t day, used, remaining;
};
struct usage_day_rows {
    struct usage_day_row *items;
    size_t n;
};
/* From first to last, both with it, in order. */
gh_err usage_days_load(struct db *db, struct arena *arena, struct str plan_id, struct str key_id, int64_t first,
                       int64_t last, struct usage_day_rows *out);
/* The newest day before `day`; day -1 when there is none. */
gh_err usage_day_before(struct db *db, struct arena *arena, struct str plan_id, struct str key_id, int64_t day,
                        struct usage_day_row *out);
void usage_days_forget(struct tx *tx, int64_t before_day);
