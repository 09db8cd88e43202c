/* What an account asks of its users' passwords. */
#pragma once

#include "identity/iam/iam.h"

struct password_rules {
    bool custom; /* the account has a policy; else AWS's default */
    int64_t minimum_length;
    bool symbols, numbers, uppercase, lowercase;
    bool allow_change;
    int64_t max_age_days; /* 0: no end */
    int64_t reuse;        /* so many passwords, the present one among them, are not taken again; 0: any is */
    bool hard_expiry;
};

gh_err password_rules_load(struct db *db, struct arena *arena, struct str account, struct password_rules *out);
/* What is wrong with it in IAM's words; absent: nothing.
 * "If you don't set a custom password policy, … minimum password length of 8 characters, minimum of three of the
 * following mix of character types: uppercase, lowercase, numbers, and non-alphanumeric characters." */
struct str password_rules_broken(struct arena *arena, const struct password_rules *rules, struct str password);
/* Has a password that was set then come to its end? */
bool password_rules_expired(const struct password_rules *rules, int64_t changed_us, int64_t now_us);
