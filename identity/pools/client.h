/* An app client, found and decoded, with its pool. */
#pragma once

#include "identity/pools/pool.h"

enum auth_flow {
    FLOW_SRP = 1 << 0,
    FLOW_PASSWORD = 1 << 1,
    FLOW_ADMIN_PASSWORD = 1 << 2,
    FLOW_REFRESH = 1 << 3,
    FLOW_CUSTOM = 1 << 4,
};

struct client {
    struct pool pool;
    struct str id;
    struct str secret; /* opened; absent: public client. Never logged */
    struct idp_UserPoolClientType *doc;
    unsigned flows; /* enum auth_flow */
    int64_t access_ttl_s, id_ttl_s, refresh_ttl_s, session_ttl_s;
    bool hides_users; /* PreventUserExistenceErrors ENABLED */
    bool revocation;  /* EnableTokenRevocation */
};

/* Errors: ResourceNotFoundException, "User pool client X does not exist." client_find: in any account. */
gh_err client_find(struct call *call, struct str id, struct client *out);
gh_err client_of_pool(struct call *call, const struct pool *pool, struct str id, struct client *out);

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
void client_set_defaults(struct idp_UserPoolClientType *doc);
/* False: the unit is unknown. */
bool validity_s(const struct opt_i64 *value, struct str unit, const char *default_unit, int64_t default_s,
                int64_t *out);
