/* Which tokens have been stopped before they expire.
 *
 * Every sign-in has a stamp: microseconds, strictly rising, written into the UUIDs of origin_jti and
 * event_id (version 7), so that "everything before this moment" is exact although the claims
 * count whole seconds. Signing a user out everywhere sets the user's epoch to the next stamp.
 *
 * In memory, any thread; the rows behind it are written by store_revoke_*, in the transaction of
 * the operation, which then calls revocation_publish_*. */
#pragma once

#include "core/db.h"
#include "identity/state.h"
#include "identity/store/token.h"

struct revocations;

struct revocations *revocations_open(struct identity *identity, struct arena *arena, gh_err *err);
void revocations_free(struct revocations *revocations);

/* The stamp of a sign-in (or of an end) now: later than any given before. */
int64_t revocation_stamp(struct revocations *revocations, int64_t now_us);
/* A UUID that carries the stamp, and the stamp out of it; 0 when it is none of ours. */
struct str stamp_uuid(const struct env *env, struct arena *arena, int64_t stamp_us);
int64_t uuid_stamp(struct str uuid);

/* Memory, once the rows are on disk. */
void revocation_publish_user(struct revocations *revocations, struct str pool, struct str sub,
                             int64_t stamp_us);
void revocation_publish_origin(struct revocations *revocations, struct str origin, int64_t until_s);
/* What is remembered, for tests and metrics. */
size_t revocation_count(struct revocations *revocations);
/* When many things changed at once (a pool is gone): cached verdicts are asked again. */
void revocation_touch(struct revocations *revocations);

/* Changes whenever anything is revoked: a verdict found at the same number still holds. */
uint64_t revocation_generation(const struct revocations *revocations);
bool revocation_holds(struct revocations *revocations, struct str pool, struct str sub, struct str origin,
                      int64_t stamp_us);
