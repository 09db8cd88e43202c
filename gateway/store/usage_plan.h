/* Usage plans, their keys, and what an account has set, at rest. A look-up that finds nothing gives
 * NULL in *out and no error. */
#pragma once

#include "gateway/store/apikey.h"

/* --- plans --- */
gh_err plan_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key plan, json_t **out);
void plan_save(struct tx *tx, struct api_key plan, int64_t created_us, const json_t *doc); /* inserts or replaces */
void plan_delete(struct tx *tx, struct str id); /* with its keys and what they used */
/* All of an account and region (there are at most some hundreds), oldest first. */
gh_err plan_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                 struct docs *out);
gh_err plan_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                  size_t *out);
/* Whose plan it is, whoever asks. */
struct plan_row {
    struct str account, region;
    json_t *doc; /* NULL: no such plan */
};
gh_err plan_find(struct db *db, struct arena *arena, struct str id, struct plan_row *out);
gh_err plan_ids(struct db *db, struct arena *arena, struct id_list *out);
gh_err plan_ids_of(struct db *db, struct arena *arena, struct str account, struct id_list *out);

/* --- which keys are in which plans --- */
gh_err plan_has_key(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str key_id, bool *out);
void plan_key_add(struct tx *tx, struct str plan_id, struct str key_id, int64_t created_us);
void plan_key_remove(struct tx *tx, struct str plan_id, struct str key_id);
gh_err plan_keys(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct id_list *out); /* oldest first */
gh_err plans_of_key(struct db *db, struct tx *tx, struct arena *arena, struct str key_id, struct id_list *out);

/* Newest member first; query as for apikey_list. */
gh_err plan_keys_page(struct db *db, struct arena *arena, struct str plan_id, const struct apikey_query *query,
                      struct apikey_page *out);
/* Other plans that some key of this one is in. */
gh_err plans_sharing_keys(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct id_list *out);
/* A key that is in both, or absent. */
gh_err plans_common_key(struct db *db, struct tx *tx, struct arena *arena, struct str plan_id, struct str other_id,
                        struct str *key_id);

/* --- the account --- */
gh_err account_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                    json_t **out);
void account_save(struct tx *tx, struct str account, struct str region, const json_t *doc);
void account_delete(struct tx *tx, struct str account);
