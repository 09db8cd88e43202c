/* Rows of a pool's groups and who is in them. */
#pragma once

#include "identity/store/user.h"

struct group_row {
    struct str pool, name, role /* or absent */, doc;
    bool has_precedence;
    int64_t precedence;
};
gh_err store_group_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct str name,
                        struct group_row *out, bool *found);
gh_err store_group_list(struct db *db, struct arena *arena, struct str pool, struct str after, int64_t limit,
                        struct group_row **out, size_t *n);
/* "lower Precedence wins, null last"; then by name. */
gh_err store_group_of_user(struct db *db, struct arena *arena, struct str pool, struct str sub,
                           struct group_row **out, size_t *n);
void store_group_put(struct tx *tx, const struct group_row *row);
void store_group_delete(struct tx *tx, struct str pool, struct str name);
void store_member_put(struct tx *tx, struct str pool, struct str name, struct str sub);
void store_member_drop(struct tx *tx, struct str pool, struct str name, struct str sub);
gh_err store_member_find(struct db *db, struct arena *arena, struct str pool, struct str name, struct str sub,
                         bool *found);
gh_err store_member_list(struct db *db, struct arena *arena, struct str pool, struct str name,
                         struct str after, int64_t limit, struct user **out, size_t *n);
