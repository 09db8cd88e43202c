/* Rows that guard accounts: wrong passwords in a row, attempts an hour. */
#pragma once

#include "core/db.h"

/* `who`: a user's sub, or a keyed hash of a name that is nobody's. All zero: none. */
struct failures_row {
    int64_t failures, last_us;
};
gh_err store_failures(struct db *db, struct arena *arena, struct str pool, struct str who,
                      struct failures_row *out);
/* One more, at now_us. What stood there since `forgotten_us` (-1: nothing) does not count any more. Forgets
 * rows of others whose time is over. */
void store_failed(struct tx *tx, struct str pool, struct str who, int64_t now_us, int64_t forget_us,
                  int64_t forgotten_us);
void store_failures_drop(struct tx *tx, struct str pool, struct str who);

/* One more attempt at `what` within the hour that began at its first; *attempts: with this one. */
void store_attempt(struct tx *tx, struct str pool, struct str who, struct str what, int64_t now_s,
                   int64_t window_s, int64_t *attempts);
gh_err store_attempts(struct db *db, struct arena *arena, struct str pool, struct str who, struct str what,
                      int64_t after_s, int64_t *attempts);

/* A risk configuration; client "": the pool's own. */
struct risk_row {
    struct str doc;
    int64_t modified_us;
};
gh_err store_risk_find(struct db *db, struct arena *arena, struct str pool, struct str client, struct risk_row *out,
                       bool *found);
void store_risk_put(struct tx *tx, struct str pool, struct str client, const struct risk_row *row /* NULL: none */);

/* What happened at a user's sign-ins. */
struct auth_event_row {
    struct str id, doc;
    int64_t at_us;
};
/* Forgets the user's that are older than forget_us. */
void store_auth_event_put(struct tx *tx, struct str pool, struct str sub, const struct auth_event_row *row,
                          int64_t forget_us);
void store_auth_event_update(struct tx *tx, struct str pool, struct str sub, struct str id, struct str doc);
gh_err store_auth_event_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str id, struct auth_event_row *out, bool *found);
/* Newest first, from before (before_us, before_id); INT64_MAX: from the newest. */
gh_err store_auth_event_list(struct db *db, struct arena *arena, struct str pool, struct str sub, int64_t before_us,
                             struct str before_id, int64_t limit, struct auth_event_row **out, size_t *n);
