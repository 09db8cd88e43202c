/* REST APIs at rest: drafts, deployments, stages, documentation. All SQL of the REST operations.
 *
 * A look-up that finds nothing gives NULL in *out and no error. Trees belong to the arena. Writes go
 * through the caller's transaction, where errors stick until tx_commit. */
#pragma once

#include "core/db.h"
#include "core/json.h"

/* Rows as documents, in the order asked for. */
struct docs {
    json_t **items;
    size_t n;
};

/* --- the draft of an API --- */
struct api_key { /* an API is known in its account and region only */
    struct str account, region, id;
};
gh_err api_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
/* Without its document: *known is not NULL when there is such an API, and good for that question only. */
gh_err api_known(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **known);
/* How many the account has in the region. */
gh_err api_count(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, size_t *out);
void api_insert(struct tx *tx, struct api_key key, int64_t created_us, const json_t *api);
void api_save(struct tx *tx, struct str id, const json_t *api);
void api_delete(struct tx *tx, struct str id); /* with everything that belongs to it */
/* In order of creation, starting after (after_us, after_id); at most `limit`. */
struct api_page {
    struct docs docs;
    int64_t last_us; /* of the last row, for the next page */
    bool more;       /* rows follow */
};
gh_err api_list(struct db *db, struct arena *arena, struct str account, struct str region, int64_t after_us,
                struct str after_id, int64_t limit, struct api_page *out);

/* All of an account, in every region: what a reset drops. */
struct api_keys {
    struct api_key *items;
    size_t n;
};
gh_err api_keys_of(struct db *db, struct arena *arena, struct str account, struct api_keys *out);

/* --- deployments --- */
gh_err deployment_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str id,
                       json_t **out);
gh_err deployment_list(struct db *db, struct arena *arena, struct str api_id, struct docs *out);
gh_err deployment_api(struct db *db, struct arena *arena, struct str api_id, struct str id, json_t **out);
/* Of the draft as it stands in the transaction. */
void deployment_insert(struct tx *tx, struct str api_id, struct str id, int64_t created_us,
                       const json_t *deployment);
void deployment_save(struct tx *tx, struct str api_id, struct str id, const json_t *deployment);
void deployment_delete(struct tx *tx, struct str api_id, struct str id);

/* --- stages --- */
gh_err stage_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str name,
                  json_t **out);
gh_err stage_list(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct docs *out);
void stage_save(struct tx *tx, struct str api_id,
                const json_t *stage); /* inserts or replaces, by stageName */
void stage_delete(struct tx *tx, struct str api_id, struct str name);

/* --- documentation: kind "part" or "version" --- */
gh_err documentation_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                          struct str kind, struct str id, json_t **out);
gh_err documentation_list(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                          struct str kind, struct docs *out);
void documentation_save(struct tx *tx, struct str api_id, struct str kind, struct str id, const json_t *doc);
void documentation_delete(struct tx *tx, struct str api_id, struct str kind, struct str id);
