/* Users, groups, roles, managed policies and instance profiles at rest. They share a name, a path,
 * an id, tags; what only one kind has is absent in the others. */
#pragma once

#include "core/db.h"
#include "gen/iam.h"
#include "wire/call.h"

enum entity_kind {
    ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE, ENTITY_POLICY, ENTITY_PROFILE, ENTITY_OIDC, ENTITY_SAML, ENTITY_CERTIFICATE,
};

struct entity {
    enum entity_kind kind;
    struct str account, name, path, id;
    struct str arn;             /* made from the others */
    int64_t created_us;
    struct iam_tagListType tags;
    struct str boundary;        /* ARN of the permissions boundary; absent when none */
    struct str description;
    /* roles */
    struct str trust;           /* AssumeRolePolicyDocument as given */
    struct str named;           /* "ARN id\n" for each user and role that the trust policy names: a new one
                                   of the same name is somebody else */
    int64_t max_session_s;
    struct str service;         /* of a service-linked role */
    /* managed policies */
    int64_t default_version, last_version;
    int64_t updated_us;
};

const char *entity_kind_name(enum entity_kind kind); /* "user", …; also the word in ARNs */

/* By exact name. *found false when there is none. tx: its own writes are seen, or NULL. */
gh_err entity_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                   struct str name, struct entity *out, bool *found);
gh_err entity_load_id(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct entity *out,
                      bool *found);
/* The account's user or role of this ARN. */
gh_err entity_principal(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str arn,
                        struct entity *out, bool *found);
/* Is the name taken, without regard to case? */
gh_err entity_taken(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                    struct str name, bool *taken);
/* Up to `limit` of a kind below a path prefix, by name, after `after` (absent: from the start). */
struct entity_list {
    size_t n;
    struct entity *items;
};
gh_err entity_list(struct db *db, struct arena *arena, struct str account, enum entity_kind kind, struct str prefix,
                   struct str after, int64_t limit, struct entity_list *out);
gh_err entity_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                    int64_t *out);
/* Members of a group or an instance profile; or, turned round, what an entity is a member of. */
gh_err entity_members(struct db *db, struct tx *tx, struct arena *arena, struct str parent, struct entity_list *out);
gh_err entity_parents(struct db *db, struct tx *tx, struct arena *arena, struct str member, enum entity_kind kind,
                      struct entity_list *out);
/* The roles whose trust policies mean this user or role. */
gh_err entity_trusting(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str id,
                       struct entity_list *out);

/* What still hangs on an entity: reasons not to delete it. */
struct entity_ties {
    bool attached;            /* managed policies, boundaries apart */
    bool inline_policies;
    bool access_keys;
    bool login_profile, mfa_devices;
    bool public_keys;         /* SSH public keys, signing certificates */
    bool service_credentials;
    bool member;              /* of a group or an instance profile */
    bool members;             /* users in it, a role in it */
};
gh_err entity_ties(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct entity_ties *out);

void entity_insert(struct tx *tx, const struct entity *entity);
void entity_update(struct tx *tx, const struct entity *entity); /* found by id */
/* The entity and all that hangs on its id. */
void entity_delete(struct tx *tx, struct str id);
void entity_add_member(struct tx *tx, struct str parent, struct str member);
void entity_remove_member(struct tx *tx, struct str parent, struct str member);
struct str entity_arn(struct arena *arena, enum entity_kind kind, struct str account, struct str path,
                      struct str name);

/* What is kept once per account under a name: its alias, deletion tasks of service-linked roles. */
gh_err account_get_in(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str name,
                      struct str *doc); /* tx: its own writes, and those of the one before it, are seen */
gh_err account_get(struct db *db, struct arena *arena, struct str account, struct str name, struct str *doc);
/* Which account has this value under that name; absent: none. */
gh_err account_holding(struct db *db, struct tx *tx, struct arena *arena, struct str name, struct str doc,
                       struct str *account);
void account_put(struct tx *tx, struct str account, struct str name, struct str doc);
void account_drop(struct tx *tx, struct str account, struct str name);
