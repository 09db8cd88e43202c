/* What becomes of a decision: enforced, or with --enforce=soft let through and kept.
 *
 * In dev mode every principal's asking is counted by action and resource, for `gatehouse policy denials` and
 * `policy suggest`. Noting is a lock and a look into a table in memory, for every thread; it is written down a
 * second later, and at the end. Who wants to read writes what is pending first: job threads. */
#pragma once

#include "identity/state.h"
#include "identity/store/asking.h"

struct enforcement;

enum { USES_KEPT = 2000 }; /* of one principal; what it asked for longest ago goes first */

/* NULL: serve mode, where nothing is noted. */
struct enforcement *enforcement_open(struct identity *identity, bool soft);
void enforcement_close(struct enforcement *enforcement); /* NULL is fine */

/* allowed: as the policies have it. True: go on. */
bool enforcement_settle(struct identity *identity, struct arena *arena, const struct credential *credential,
                        const struct policy_request *request, const struct policy_decision *decision, bool allowed);
struct str enforcement_mode(const struct identity *identity); /* "soft", "enforced", or "not noted" (serve mode) */
/* Writes what is pending. */
gh_err enforcement_write(struct identity *identity, struct arena *arena);
