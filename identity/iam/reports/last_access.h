/* Who asked last for what: users, roles and root users by service and action, access keys by service.
 *
 * "Attempts" count, allowed or not, as on AWS. Noting is a lock and a look into a table in memory, for
 * every thread; it is written down some seconds later, and at the end. The readers below see
 * everything that was noted before they were called: job threads. */
#pragma once

#include "identity/state.h"

struct last_access;

struct last_access *last_access_open(struct identity *identity);
void last_access_close(struct last_access *access); /* NULL is fine */

/* owner: id of the user or role, the account for its root user. key_id: long-term keys are remembered,
 * others are not. action: "iam:GetRole". now_s: env's. */
void last_access_note(struct identity *identity, struct str owner, struct str key_id, struct str region,
                      struct str action, int64_t now_s);

struct accessed {
    struct str owner;
    struct str service, action; /* action: absent for a key */
    struct str region;
    int64_t at_s;
};
struct accesses {
    size_t n;
    struct accessed *items; /* latest first */
};
/* Everything of one user or role in the last 400 days. */
gh_err last_access_of(struct identity *identity, struct arena *arena, struct str owner, struct accesses *out);
/* The last one of a user or role; of an access key. at_s 0: never. */
gh_err last_access_latest(struct identity *identity, struct arena *arena, struct str owner, struct accessed *out);
gh_err last_access_of_key(struct identity *identity, struct arena *arena, struct str key_id, struct accessed *out);
