/* What principals asked for, and what their policies said. */
#pragma once

#include "core/db.h"

struct asking {
    struct str owner, account, principal;
    struct str action, resource, passed_to;
    struct str reason;
    int64_t allowed, spared, refused;
    int64_t at_s;
};
struct askings {
    size_t n;
    struct asking *items;
};

void asking_add(struct tx *tx, const struct asking *use); /* adds to what is there */
/* At most `most` rows of a principal stay, the latest. */
void asking_trim(struct tx *tx, struct str owner, int64_t most);
void asking_prune(struct tx *tx); /* of users and roles that are gone */
/* Of one principal, by action and resource. */
gh_err asking_list(struct db *db, struct arena *arena, struct str owner, struct askings *out);
/* What was, or would have been, refused in an account: the latest first. owner absent: to anybody. */
gh_err asking_denials(struct db *db, struct arena *arena, struct str account, struct str owner, int64_t most,
                          struct askings *out);
