/* Who may sign, in memory: access keys, users, roles, their compiled policies. Loaded at start;
 * operations that change something call a reload after their commit and before they answer. */
#pragma once

#include "identity/state.h"
#include "identity/tag.h"

/* A user, a role, or an account's root; immutable, replaced as a whole. */
struct subject {
    int references;      /* atomic; the index holds one */
    bool role, root;
    struct str account, name, path, id, arn;
    struct tags tags;
    const struct policy_set *identity;
    const struct policy_set *boundary; /* NULL: none */
    struct arena *arena;
};

/* After a commit: one user or role by id; everything that depends on a group or a managed policy;
 * an account's root keys. */
void principals_reload(struct identity *identity, struct arena *arena, struct str id);
void principals_reload_group(struct identity *identity, struct arena *arena, struct str group_id);
void principals_reload_policy(struct identity *identity, struct arena *arena, struct str account,
                              struct str policy_arn);

/* The reference is held until the arena is freed. NULL: no such principal (any more). */
const struct subject *principals_find(struct principals *principals, struct arena *arena, struct str id);
/* False: no such key. The secret is copied into the arena. */
bool principals_key(struct principals *principals, struct arena *arena, struct str key_id, struct str *secret,
                    struct str *owner, bool *active);
/* What an entity carries, compiled afresh from the database; let go with the arena. The sets are
 * nobody else's yet: more may be added. */
struct entity;
gh_err principals_compile(struct db *db, struct arena *arena, const struct entity *entity,
                          struct policy_set **identity, const struct policy_set **boundary);
/* The document of a managed policy, from memory: any thread. Absent: none. */
struct str principals_document(struct principals *principals, struct arena *arena, struct str policy_arn);
/* The document of a managed policy, AWS's or the account's own default version; absent: none. */
gh_err managed_document(struct db *db, struct tx *tx, struct arena *arena, struct str policy_arn,
                        struct str *document);
