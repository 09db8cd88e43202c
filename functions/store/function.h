/* Functions, their versions and aliases at rest. Blocking: job threads only. `tx` may be NULL for
 * a read of what is committed. A row not found is no error: *found says it. */
#pragma once

#include "core/db.h"
#include "core/seal.h"
#include "gen/lambda.h"

struct function_id {
    struct str account, region, name;
};

struct function_row {
    struct function_id id;
    int64_t next_version;
    int64_t reserved; /* -1: none */
    struct str tags;  /* JSON object */
};

struct version_row {
    struct str version;      /* "$LATEST", "1" */
    int64_t number;          /* 0, 1 */
    struct str code;         /* hex of the package */
    int64_t code_size;
    struct str function_arn; /* without qualifier */
    struct lambda_FunctionConfiguration config; /* function_arn in it: without qualifier; no environment */
    struct lambda_EnvironmentVariables variables; /* .set: an environment was given, maybe empty */
};

struct alias_row {
    struct lambda_AliasConfiguration config;
    struct str version, second_version; /* second: absent when all goes to the first */
    double second_weight;
};

gh_err function_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                     struct function_row *out, bool *found);
void function_save(struct tx *tx, const struct function_row *row); /* new or changed */
void function_delete(struct tx *tx, const struct function_id *id); /* with all that belongs to it */
/* $LATEST of every function after `marker`, by name, at most `limit` rows. */
gh_err function_list(struct db *db, const struct sealer *sealer, struct arena *arena, struct str account,
                     struct str region, struct str marker, int64_t limit, struct version_row **out, size_t *n);
/* Sums of an account and region: package bytes of all versions, functions, reserved concurrency. */
gh_err function_usage(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                      int64_t *code_bytes, int64_t *count, int64_t *reserved);

gh_err function_version_find(struct db *db, struct tx *tx, const struct sealer *sealer, struct arena *arena,
                    const struct function_id *id, struct str version, struct version_row *out, bool *found);
void function_version_save(struct tx *tx, const struct sealer *sealer, const struct function_id *id,
                  const struct version_row *row);
void function_version_delete(struct tx *tx, const struct function_id *id, struct str version);
/* Versions numbered above `after`, in order; $LATEST is number 0, so -1 begins with it. limit 0: all. */
gh_err function_version_list(struct db *db, const struct sealer *sealer, struct arena *arena, const struct function_id *id,
                    int64_t after, int64_t limit, struct version_row **out, size_t *n);
/* Whether any version of any function is made of this package. */
gh_err code_is_used(struct db *db, struct tx *tx, struct arena *arena, struct str code, bool *used);

gh_err alias_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id, struct str alias,
                  struct alias_row *out, bool *found);
void alias_save(struct tx *tx, const struct function_id *id, const struct lambda_AliasConfiguration *config);
void alias_delete(struct tx *tx, const struct function_id *id, struct str alias);
/* Aliases after `marker`, by name; `version` absent: of all versions. */
gh_err alias_list(struct db *db, struct arena *arena, const struct function_id *id, struct str version,
                  struct str marker, int64_t limit, struct alias_row **out, size_t *n);
