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
    struct str ip;     /* from where; absent: the call's */
    struct endings {   /* older sign-ins that it drives out (session_insert) */
        size_t n;
        struct str *origins;
    } drives_out;
};

/* A sign-in now: its ids and time; what else is known of it is the caller's to fill in. */
void session_begin(struct call *call, struct session *session);
/* Its row in the transaction, and the refresh token that stands for it (opaque; only a keyed hash is kept). Where
 * sessions are tracked, those of the user that are too many end; session_committed, called after the commit,
 * makes that known. */
gh_err session_insert(struct call *call, struct tx *tx, const struct client *client, const struct user *user,
                      struct session *session, struct str *refresh_token);
void session_committed(struct call *call, const struct session *session);
/* Some sign-ins end: rows first, and once they are on disk, memory. */
void sessions_end(struct call *call, struct tx *tx, struct str pool, const struct endings *endings);
void sessions_ended(struct call *call, const struct endings *endings);
gh_err session_end(struct call *call, struct str pool, struct str origin); /* one, in a transaction of its own */
/* Why tokens are made, for the pool's PreTokenGeneration function. */
struct occasion {
    const char *source;     /* "TokenGeneration_Authentication" */
    const json_t *metadata; /* ClientMetadata where it is passed on, or NULL */
};
/* Fresh ID and access tokens with Cognito's claims; groups are read anew. Nothing is written: when it fails, nothing has
 * happened. May wait for a function: call it outside of transactions. */
gh_err tokens_issue(struct call *call, const struct client *client, const struct user *user,
                    const struct session *session, const struct occasion *occasion,
                    struct idp_AuthenticationResultType **out);

/* The user behind an access token, for operations that take one.
 * Errors: NotAuthorizedException ("Invalid Access Token", "Access Token has expired", "… been revoked", "…
 * does not have required scopes"), UserNotFoundException. */
struct access {
    struct client client;
    struct user user;
    struct str origin; /* of the sign-in (struct session_row) */
    struct str device; /* device_key, or absent */
};
gh_err access_load(struct call *call, struct str token, struct access *out);
/* The sign-in that the token is of. *found false: it has ended. */
gh_err session_of_access(struct call *call, const struct access *access, struct session *out, bool *found);
