/* Policies of entities at rest: inline ones, attached managed ones, versions of managed ones. */
#pragma once

#include "core/db.h"

struct named_policy {
    struct str name, document;
};
struct named_policies {
    size_t n;
    struct named_policy *items;
};
gh_err inline_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct named_policies *out);
gh_err inline_find(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct str name,
                   struct str *document); /* absent when there is none */
void inline_put(struct tx *tx, struct str owner, struct str name, struct str document);
void inline_delete(struct tx *tx, struct str owner, struct str name);

/* ARNs of the managed policies attached to an entity. kind: of the entity ("user"), or "boundary". */
struct arns {
    size_t n;
    struct str *items;
};
gh_err attached_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, const char *kind,
                     struct arns *out);
/* Ids of the entities that a policy is attached to. */
gh_err attached_owners(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str policy_arn,
                       const char *kind, struct arns *out);
gh_err attached_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str policy_arn,
                      int64_t *attachments, int64_t *boundaries);
/* Every managed policy that is in use in the account, and how often. */
struct attached_use {
    struct str policy_arn;
    int64_t attachments, boundaries;
};
struct attached_uses {
    size_t n;
    struct attached_use *items;
};
gh_err attached_uses(struct db *db, struct arena *arena, struct str account, struct attached_uses *out);
void attached_add(struct tx *tx, struct str owner, const char *kind, struct str account, struct str policy_arn);
void attached_remove(struct tx *tx, struct str owner, const char *kind, struct str policy_arn);
void boundary_clear(struct tx *tx, struct str owner);

struct policy_version {
    int64_t version, created_us;
    struct str document;
};
struct policy_versions {
    size_t n;
    struct policy_version *items; /* newest first */
};
gh_err version_list(struct db *db, struct tx *tx, struct arena *arena, struct str policy_id,
                    struct policy_versions *out);
gh_err version_find(struct db *db, struct tx *tx, struct arena *arena, struct str policy_id, int64_t version,
                    struct policy_version *out, bool *found);
/* Of all of the account's own policies. */
gh_err version_count(struct db *db, struct arena *arena, struct str account, int64_t *out);
void version_add(struct tx *tx, struct str policy_id, int64_t version, int64_t created_us, struct str document);
void version_delete(struct tx *tx, struct str policy_id, int64_t version);
