/* Service and resource control policies of an account at rest. */
#pragma once

#include "core/db.h"

struct guard_rail {
    struct str kind, name; /* "service", "resource" */
    struct str document;   /* empty: FullAWSAccess was detached */
    int64_t changed_us;
};
struct guard_rail_list {
    size_t n;
    struct guard_rail *items; /* by kind and name */
};
gh_err guard_rail_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct guard_rail_list *out);
void guard_rail_put(struct tx *tx, struct str account, const struct guard_rail *one);
void guard_rail_delete(struct tx *tx, struct str account, struct str kind, struct str name);
/* The accounts that have any, one a line. */
gh_err guard_rail_accounts(struct db *db, struct arena *arena, struct str *lines);
