/* ID, access and refresh tokens: made, refreshed, looked up, ended. */
#pragma once

#include "identity/tokens/revocation.h"
#include "identity/users/user.h"
#include "identity/tokens/verify.h"
#include "identity/store/session.h"

/* One sign-in, kept over refreshes. */
struct session {
    struct str origin; /* origin_jti */
    struct str event;  /* event_id */
    int64_t auth_s;    /* auth_time */
    struct str device; /* device_key, or absent */
    struct str acr;    /* what was proven, in the pool's own words, or absent */
    json_t *amr;       /* how: an array of strings, or NULL */
};

/* A sign-in now: its ids and time; what else is known of it is the caller's to fill in. */
void session_begin(struct call *call, struct session *session);
/* Its row in the transaction, and the refresh token that stands for it (opaque; only its keyed hash is
 * kept). */
struct str session_insert(struct call *call, struct tx *tx, const struct client *client,
                          const struct user *user, const struct session *session);
/* Fresh ID and access tokens with Cognito's claims; attributes and groups are read anew. */
gh_err tokens_issue(struct call *call, const struct client *client, const struct user *user,
                    const struct session *session, struct idp_AuthenticationResultType **out);

/* What a refresh token stands for.
 * Errors: NotAuthorizedException ("Invalid Refresh Token", "… has been revoked", "… has expired", "User is
 * disabled."). */
gh_err refresh_load(struct call *call, const struct client *client, struct str token, struct user *user,
                    struct session *session);
struct str refresh_mac(struct call *call, struct str token);

/* The user behind an access token, for operations that take one.
 * Errors: NotAuthorizedException ("Invalid Access Token", "Access Token has expired", "… been revoked", "…
 * does not have required scopes"), UserNotFoundException. */
struct access {
    struct client client;
    struct user user;
    struct str origin; /* origin_jti, or absent */
};
gh_err access_load(struct call *call, struct str token, struct access *out);
