/* The last credential report of each account. */
#pragma once

#include "core/db.h"

struct credential_report {
    int64_t started_us;
    int64_t made_us; /* 0: being made */
    struct str content;
};
gh_err credential_report_find(struct db *db, struct tx *tx, struct arena *arena, struct str account,
                              struct credential_report *out, bool *found);
void credential_report_put(struct tx *tx, struct str account, const struct credential_report *report);
