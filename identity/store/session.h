/* Rows of sign-ins: what refresh tokens stand for, and sessions of challenges that are spent. */
#pragma once

#include "core/db.h"

struct session_row {
    struct str pool, client, sub, origin, event;
    int64_t auth_s, expires_s;
    bool revoked;
    struct str doc; /* JSON object, or absent */
};
/* mac: keyed hash of the refresh token, as text. */
void store_session_insert(struct tx *tx, struct str mac, const struct session_row *row, int64_t now_s);
gh_err store_session_find(struct db *db, struct arena *arena, struct str mac, struct session_row *out,
                          bool *found);
/* Origins of a user's live sign-ins other than `but`. */
gh_err store_session_origins(struct tx *tx, struct arena *arena, struct str pool, struct str sub,
                             struct str but, struct str **out, size_t *n);
/* Wrong answers within one sign-in; `until_s`: when they may be forgotten. */
gh_err store_tries(struct db *db, struct arena *arena, struct str id, int64_t *tries);
void store_tried(struct tx *tx, struct str id, int64_t until_s, int64_t now_s);
/* Marks it spent; *fresh false: it was already. Forgets those whose time is over. */
void store_spend(struct tx *tx, struct str mac, int64_t until_s, int64_t now_s, bool *fresh);
