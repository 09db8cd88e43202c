/* One sign-in engine: flows begin it, challenges carry it on, tokens end it. InitiateAuth,
 * RespondToAuthChallenge, their Admin forms (and later the hosted pages) all come through here. */
#pragma once

#include "identity/tokens/token.h"

struct pair {
    struct str key, value;
};

struct sign_in {
    struct call *call;
    struct client client;
    bool admin;               /* an Admin… operation: signed by AWS credentials */
    struct user user;         /* who it turned out to be */
    const struct pair *given; /* AuthParameters or ChallengeResponses */
    size_t n_given;
    struct str spend; /* what must not be used again once this succeeds, or absent */
    int64_t spend_until_s;
    bool new_user_state; /* user was changed and is saved along with the session */

    /* the answer: a challenge with a session, or tokens */
    struct str challenge, session;
    struct idp_ChallengeParametersType parameters;
    struct idp_AuthenticationResultType *result;
};

/* A parameter; absent: STR_NONE. sign_in_need: InvalidParameterException, "Missing required parameter X". */
struct str sign_in_given(const struct sign_in *s, const char *name);
gh_err sign_in_need(const struct sign_in *s, const char *name, struct str *out);
gh_err sign_in_check_secret_hash(const struct sign_in *s, struct str username);
void sign_in_parameter(struct sign_in *s, const char *name, struct str value);

/* A flow: finds the user and asks the first question. */
struct sign_in_flow {
    const char *name;
    bool client, admin;      /* InitiateAuth, AdminInitiateAuth */
    unsigned allowed_by;     /* enum auth_flow */
    const char *not_allowed; /* InvalidParameterException */
    gh_err (*begin)(struct sign_in *s);
};
gh_err srp_begin(struct sign_in *s);
gh_err password_begin(struct sign_in *s);
gh_err refresh_begin(struct sign_in *s);
gh_err custom_begin(struct sign_in *s);

/* A challenge: its question, its answer. `start` fills in the parameters; `answer` judges. `state` is what
 * the session says: an object that `start` may add to. */
struct sign_in_challenge {
    const char *name;
    bool has_session; /* "PASSWORD_VERIFIER from USER_SRP_AUTH carries no Session" */
    gh_err (*start)(struct sign_in *s, json_t *state);
    gh_err (*answer)(struct sign_in *s, const json_t *state);
};
gh_err srp_start(struct sign_in *s, json_t *state);
gh_err srp_answer(struct sign_in *s, const json_t *state);
gh_err new_password_start(struct sign_in *s, json_t *state);
gh_err new_password_answer(struct sign_in *s, const json_t *state);

/* After a right answer: the next challenge, or tokens. */
gh_err sign_in_next(struct sign_in *s);
gh_err sign_in_ask(struct sign_in *s, const char *challenge);
/* May this user sign in at all? UNCONFIRMED, RESET_REQUIRED, disabled, temporary password too old. */
gh_err sign_in_check_user(const struct sign_in *s);

/* "Incorrect username or password." */
gh_err sign_in_refused(const struct sign_in *s);
