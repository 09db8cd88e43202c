/* Rows of sign-ins: what refresh tokens stand for, and sessions of challenges that are spent. */
#pragma once

#include "core/db.h"

struct session_row {
    struct str mac; /* keyed hash of what all refresh tokens of the sign-in have in common: the key */
    struct str pool, client, sub, origin, event;
    int64_t auth_s, expires_s;
    bool revoked;
    struct str doc;     /* JSON object, or absent */
    struct str device;  /* DeviceKey, or absent */
    struct str seen;    /* {"ip", "agent"} of its last use, or absent */
    int64_t active_s;   /* of its last use */
    int64_t generation; /* exchanges of the refresh token so far */
    struct str rotated; /* when the latest of them were, microseconds: JSON array, oldest first; or absent */
};
void store_session_insert(struct tx *tx, const struct session_row *row);
/* With a transaction, sees its writes. */
gh_err store_session_find(struct db *db, struct tx *tx, struct arena *arena, struct str mac, struct session_row *out,
                          bool *found);
/* The refresh token is exchanged: tx->changes 0 when it is not the one of that generation any more, or revoked. */
void store_session_rotate(struct tx *tx, const struct session_row *row, struct str rotated, struct str seen,
                          int64_t now_s);
/* Was used. */
void store_session_seen(struct tx *tx, struct str mac, struct str seen, int64_t active_s);
/* Forgets some of those whose time was over at `before_s`, so that no one sign-in pays for all. */
void store_session_sweep(struct tx *tx, int64_t before_s);
/* A user's live sign-ins, newest first: those begun before that of `after` (an origin; absent: from the newest), at
 * most `limit`. */
gh_err store_session_list(struct db *db, struct arena *arena, struct str pool, struct str sub, struct str after,
                          int64_t now_s, int64_t limit, struct session_row **out, size_t *n);
/* Origins of a user's live sign-ins beyond the `keep` used last: those that are to go. */
gh_err store_session_surplus(struct tx *tx, struct arena *arena, struct str pool, struct str sub, int64_t now_s,
                             int64_t keep, struct str **out, size_t *n);
/* A user's live sign-in of that origin. */
gh_err store_session_of_origin(struct db *db, struct arena *arena, struct str pool, struct str sub, struct str origin,
                               int64_t now_s, struct session_row *out, bool *found);
/* Origins of a user's live sign-ins other than `but`. */
gh_err store_session_origins(struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str but, struct str **out, size_t *n);
/* Wrong answers within one sign-in; `until_s`: when they may be forgotten. */
gh_err store_tries(struct db *db, struct tx *tx /* or NULL */, struct arena *arena, struct str id, int64_t *tries);
void store_tried(struct tx *tx, struct str id, int64_t until_s, int64_t now_s);
/* Marks it spent; *fresh false: it was already. Forgets those whose time is over. */
void store_spend(struct tx *tx, struct str mac, int64_t until_s, int64_t now_s, bool *fresh);
