/* What identity/ holds in memory: the world it was opened with, and its two parts.
 * For files of identity/ only; others see identity.h. */
#pragma once

#include "identity/identity.h"

struct principals;     /* iam/ and sts/: access keys, users, roles, sessions, compiled policies */
struct importer;       /* users/: the thread of import jobs */
struct last_access;    /* iam/reports/: who asked last for what */
struct guard_rails;    /* service and resource control policies of accounts */
struct enforcement;    /* what principals asked for; --enforce=soft */
struct call_limits;    /* pools/: requests a second of an account, by category */
struct federation;     /* federation/: keys of others' issuers */
struct pool_directory; /* pools/: keys of user pools, verified tokens, revocations */

struct identity {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct str base_url, partition, region, default_account;
    bool dev_root;
    const struct invoker *invoker;
    struct http_fetcher *fetcher;
    struct arena *arena; /* lives as long as this */
    struct principals *principals;
    struct pool_directory *pools;
    struct last_access *last_access;
    struct guard_rails *guard_rails;
    struct enforcement *enforcement; /* NULL: serve mode */
    struct token_signer *token_signer; /* identity_pools/: the key of their tokens */
    struct call_limits *limits;
    struct importer *importer;
    struct federation *federation;
    bool aws_limits;
    struct hash_list *compromised; /* passwords that are known; NULL: no list */
    struct throttle *throttle; /* protection/: wrong guesses by address */
};

/* Each part loads its tables and is freed by its close. NULL: *why. */
struct principals *principals_open(struct identity *identity, struct arena *arena, struct str *why);
void principals_close(struct principals *principals);
struct pool_directory *pool_directory_open(struct identity *identity, struct arena *arena, struct str *why);
void pool_directory_close(struct pool_directory *directory);
