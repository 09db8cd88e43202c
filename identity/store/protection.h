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
