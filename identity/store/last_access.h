/* Last uses at rest (identity/iam/reports/last_access.h), and the reports made of them. */
#pragma once

#include "identity/iam/reports/last_access.h"

void last_access_put(struct tx *tx, const struct accessed *one);
void last_access_put_key(struct tx *tx, struct str key_id, const struct accessed *one);
/* Forgets what is from before `since_s`, and of those who are gone. */
void last_access_prune(struct tx *tx, int64_t since_s);
gh_err last_access_list(struct db *db, struct arena *arena, struct str owner, int64_t since_s, struct accesses *out);
gh_err last_access_find(struct db *db, struct arena *arena, struct str owner, struct accessed *out);
gh_err last_access_find_key(struct db *db, struct arena *arena, struct str key_id, struct accessed *out);

gh_err access_report_find(struct db *db, struct arena *arena, struct str account, struct str id, struct str *doc);
/* Forgets reports of the account from before `keep_from_us`. */
void access_report_insert(struct tx *tx, struct str account, struct str id, int64_t created_us, struct str doc,
                          int64_t keep_from_us);
