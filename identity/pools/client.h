/* An app client, found and decoded, with its pool. */
#pragma once

#include "identity/pools/pool.h"

enum auth_flow {
    FLOW_SRP = 1 << 0,
    FLOW_PASSWORD = 1 << 1,
    FLOW_ADMIN_PASSWORD = 1 << 2,
    FLOW_REFRESH = 1 << 3,
    FLOW_CUSTOM = 1 << 4,
    FLOW_USER_AUTH = 1 << 5,
    FLOW_IMPERSONATION = 1 << 8, /* GetDerivedToken without an actor */
    FLOW_DELEGATION = 1 << 9,    /* with one */
    FLOW_CLIENT_TOKEN = 1 << 10, /* GetClientToken */
};

enum { MOST_CLIENT_SECRETS = 2 };
struct client_secret {
    struct str id, value; /* the value is opened, and never logged */
    int64_t created_us;
};

struct client {
    struct pool pool;
    struct str id;
    struct str secret; /* the oldest; absent: public client. To compare with: client_secret_is */
    struct client_secret secrets[MOST_CLIENT_SECRETS];
    size_t n_secrets;
    struct idp_UserPoolClientType *doc;
    unsigned flows; /* enum auth_flow */
    int64_t access_ttl_s, id_ttl_s, refresh_ttl_s, session_ttl_s;
    bool hides_users; /* PreventUserExistenceErrors ENABLED */
    bool revocation;  /* EnableTokenRevocation */
    bool rotates;     /* RefreshTokenRotation ENABLED */
    int64_t grace_s;  /* RetryGracePeriodSeconds */
};

/* Errors: ResourceNotFoundException, "User pool client X does not exist." client_find: in any account, and
 * its documents are shared: not to be changed. */
gh_err client_find(struct call *call, struct str id, struct client *out);
gh_err client_of_pool(struct call *call, const struct pool *pool, struct str id, struct client *out);
gh_err client_of_pool_in(struct call *call, struct tx *tx, const struct pool *pool, struct str id, struct client *out);

/* ---- client_secret.c ---- */
/* One of its secrets, compared in constant time; of a public client: none was given. */
bool client_secret_is(const struct client *client, struct str given);
/* The column that they are kept in, sealed. open: by client->id; false: damaged. */
bool client_secrets_open(struct call *call, struct str text, struct client *client);
struct str client_secrets_text(struct call *call, const struct client *client);
/* One more, not yet saved; value absent: a random one. */
void client_secret_add(struct call *call, struct client *client, struct str value);
/* SECRET_HASH: Base64(HMAC-SHA256(client secret, username + client id)), compared in constant time. */
gh_err client_check_secret_hash(struct call *call, const struct client *client, struct str username,
                                struct str secret_hash);
/* ClientMetadata as triggers get it; NULL: none was sent. */
json_t *client_metadata(struct call *call, const struct idp_ClientMetadataType *given);
/* Lists absent: standard and custom attributes alike (*_verified and sub read only). */
bool client_may_read(const struct client *client, struct str attribute);
bool client_may_write(const struct client *client, struct str attribute);

gh_err client_check_settings(struct call *call, const struct pool *pool,
                             const struct idp_UserPoolClientType *doc);
gh_err client_check_oauth(struct call *call, const struct pool *pool, const struct idp_UserPoolClientType *doc);
void client_set_defaults(struct idp_UserPoolClientType *doc);
/* False: the unit is unknown. */
bool validity_s(const struct opt_i64 *value, struct str unit, const char *default_unit, int64_t default_s,
                int64_t *out);
