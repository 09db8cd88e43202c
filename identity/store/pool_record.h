/* Records of a pool: what is set up beside the pool's own document. One table for all kinds, since each has a name,
 * perhaps an owner, and a JSON document that only its own file reads. */
#pragma once

#include "core/db.h"

#define RECORD_PROVIDER      "provider"       /* name: the provider's */
#define RECORD_PROVIDER_ID   "provider-id"    /* name: an IdpIdentifier; owner: the provider */
#define RECORD_LINK          "link"           /* name: provider, attribute and value; owner: the user's sub */
#define RECORD_DOMAIN        "domain"         /* name: unique over all pools */
#define RECORD_UI            "ui"             /* name: client id or ALL */
#define RECORD_BRANDING      "branding"       /* name: its id; owner: client id */
#define RECORD_TERMS         "terms"          /* name: its id; owner: client id */
#define RECORD_RESOURCE_SERVER "resource-server" /* name: its identifier */
#define RECORD_LOG_DELIVERY  "log-delivery"   /* one, name '' */
#define RECORD_SSO_SESSIONS  "sso-sessions"   /* name, owner: client id */
#define RECORD_CERTIFICATE   "certificate"    /* one, name '' */

struct pool_record {
    struct str pool, kind, name;
    struct str owner; /* absent or "": nobody */
    struct str doc;
    int64_t created_us;
};

gh_err store_record_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                         struct str name, struct pool_record *out, bool *found);
/* A domain of any pool. */
gh_err store_record_domain(struct db *db, struct tx *tx, struct arena *arena, struct str name, struct pool_record *out,
                           bool *found);
/* In order of the name, after `after` (absent: from the start), at most `limit`. */
gh_err store_record_list(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                         struct str after, int64_t limit, struct pool_record **out, size_t *n);
/* All of one owner; at most `limit`. */
gh_err store_record_of_owner(struct db *db, struct tx *tx, struct arena *arena, struct str pool, const char *kind,
                             struct str owner, int64_t limit, struct pool_record **out, size_t *n);
gh_err store_record_count(struct tx *tx, struct str pool, const char *kind, int64_t *n);
void store_record_insert(struct tx *tx, const struct pool_record *record); /* tx->changes 0: the name is taken */
void store_record_put(struct tx *tx, const struct pool_record *record);    /* insert, or doc and owner anew */
void store_record_delete(struct tx *tx, struct str pool, const char *kind, struct str name);
void store_record_delete_of_owner(struct tx *tx, struct str pool, const char *kind, struct str owner);

/* -1: no limit of its own. */
gh_err store_limit_find(struct db *db, struct arena *arena, struct str account, struct str region, struct str category,
                        int64_t *per_second);
gh_err store_limits(struct db *db, struct arena *arena,
                    void (*each)(void *ctx, struct str account, struct str region, struct str category,
                                 int64_t per_second),
                    void *ctx);
void store_limit_put(struct tx *tx, struct str account, struct str region, struct str category, int64_t per_second);
