/* Custom domains at rest: names, base path mappings, routing rules, access associations.
 *
 * Documents use AWS's member names. That of a domain also has "id", "account" and "region"; that of a
 * rule has "priority" and "id". A look-up that finds nothing gives NULL and no error. */
#pragma once

#include "gateway/store/docs.h"

gh_err domain_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                   struct str name, json_t **out);
/* Whoever has it. */
gh_err domain_named(struct db *db, struct tx *tx, struct arena *arena, struct str name, json_t **out);
gh_err domain_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                   struct docs *out);
gh_err domain_list_all(struct db *db, struct arena *arena, struct docs *out);
void domain_save(struct tx *tx, const json_t *domain);
void domain_delete(struct tx *tx, struct str id); /* with its mappings, rules and associations */
void domain_delete_all(struct tx *tx, struct str account);

/* base_path "" is "(none)". */
gh_err mapping_load(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct str base_path,
                    json_t **out);
gh_err mapping_list(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out);
void mapping_save(struct tx *tx, struct str domain_id, struct str base_path, const json_t *mapping);
void mapping_delete(struct tx *tx, struct str domain_id, struct str base_path);

gh_err rule_load(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct str id, json_t **out);
/* By priority. */
gh_err rule_list(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out);
void rule_save(struct tx *tx, struct str domain_id, struct str api_id, const json_t *rule);
void rule_delete(struct tx *tx, struct str domain_id, struct str id);
/* Does a mapping or a rule lead to the API? */
gh_err domain_uses_api(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, bool *out);

gh_err association_load(struct db *db, struct tx *tx, struct arena *arena, struct str arn, json_t **out);
gh_err association_list(struct db *db, struct arena *arena, struct str account, struct str region, struct docs *out);
gh_err association_list_of(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out);
void association_save(struct tx *tx, struct str account, struct str region, struct str domain_id, const json_t *doc);
void association_delete(struct tx *tx, struct str arn);
