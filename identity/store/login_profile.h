/* Passwords of IAM users at rest: hashes, of the present one and of those before it. */
#pragma once

#include "core/db.h"
#include "core/json.h"

struct login_profile {
    struct str owner, account;
    int64_t created_us;
    int64_t changed_us; /* when the password was set */
    int64_t used_us;    /* of the last sign-in; 0: none */
    bool reset_required;
    struct str hash;
    json_t *before;     /* array of hashes, the newest first; owned by the arena */
    int64_t failures, failed_us;
};

gh_err login_profile_find(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                          struct login_profile *out, bool *found);
/* When users of an account signed in last: owner -> used_us, those who never did apart. */
struct login_uses {
    size_t n;
    struct login_use {
        struct str owner;
        int64_t used_us;
    } *items;
};
gh_err login_profile_uses(struct db *db, struct arena *arena, struct str account, struct login_uses *out);

void login_profile_insert(struct tx *tx, const struct login_profile *profile);
void login_profile_update(struct tx *tx, const struct login_profile *profile);
/* Where the password is still the one of `hash`; tx->changes 0: it is not. */
void login_profile_set_failures(struct tx *tx, const struct login_profile *profile);
void login_profile_set_used(struct tx *tx, const struct login_profile *profile);
void login_profile_delete(struct tx *tx, struct str owner);
