/* When sign-ins were last used, of pools that track sessions. Refreshing tokens must not wait for the disk,
 * so this is kept in memory and written together, at most a minute later: a kill loses no more than that.
 * Whoever wants to know how things stand (a list, an eviction) writes it first.
 *
 * Any thread. */
#pragma once

#include "core/db.h"
#include "identity/state.h"

struct activity;

struct activity *activity_open(void);
void activity_close(struct activity *activity, struct db *db); /* writes what is left */

/* mac: the sign-in's row; seen: {"ip", "agent"}. True: it is time to write. */
bool activity_note(struct activity *activity, struct str mac, struct str seen, int64_t now_s);
/* Everything noted, within the transaction. Should that fail, it is forgotten: a time of last use is not
 * worth failing for twice. */
void activity_write(struct activity *activity, struct tx *tx);
/* In a transaction of its own, if there is anything. */
gh_err activity_settle(struct activity *activity, struct db *db, struct arena *arena);
