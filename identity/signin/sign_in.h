/* One sign-in engine. A flow begins it, challenges carry it on, tokens end it: InitiateAuth,
 * RespondToAuthChallenge and their Admin forms come through here, and pages may.
 *
 * Nothing is kept between question and answer: what is known of a sign-in travels sealed in its Session,
 * `state`, an object with
 *     id       of this sign-in, the same over all its questions: wrong answers are counted by it
 *     client   the app client it began at
 *     flow     the name of the flow
 *     name     USERNAME as it was typed
 *     sub      the user; missing: nobody, and every answer is made up
 *     asked    the challenge of this session, and
 *     at       when it was asked, microseconds
 *     risk, threat, mfa_by_risk  what threat protection made of it (threat.h)
 *     failures of passwords or codes before it; missing: none
 *     device   DEVICE_KEY that came along
 *     passed   names of challenges answered rightly, in order
 * and what challenges add under their own names. */
#pragma once

#include "identity/protection/event.h"
#include "identity/protection/guard.h"
#include "identity/tokens/token.h"

struct pair {
    struct str key, value;
};

enum { SIGN_IN_TRIES = 5 }; /* wrong answers, then the sign-in is over */

struct sign_in {
    struct call *call;
    struct client client;
    bool admin;               /* an Admin... operation: signed by AWS credentials */
    bool responds;            /* to a challenge: RespondToAuthChallenge */
    struct user user;         /* who it turned out to be; sub absent: nobody */
    json_t *state;            /* never NULL once a flow has begun */
    const struct pair *given; /* AuthParameters or ChallengeResponses */
    size_t n_given;
    struct str given_session; /* of the request, or absent */
    json_t *metadata;         /* ClientMetadata of this request, or NULL; triggers after the first answer have it */
    json_t *validation;       /* the same of a request that begins a sign-in: only triggers of the beginning have it */

    struct whence whence; /* of the person who signs in */
    struct guess guess;   /* being judged (protection/guard.h) */

    struct str spend; /* what must not be used again once this step succeeds, or absent */
    int64_t spend_until_s;
    struct str used; /* what else a right answer uses up, or absent; `used_before` when it was already */
    int64_t used_until_s;
    gh_err used_before;
    bool user_changed;      /* saved along with the step */
    gh_err (*along)(struct sign_in *s, struct tx *tx); /* what else a right answer writes in the step, or NULL */
    bool new_device_used;   /* by a device that the pool does not know yet (device_settle) */
    json_t *event;          /* what threat protection wrote down in this step, or NULL */
    struct str event_id;
    struct session session; /* what it will be: who proves something (device, acr, amr) writes it here */

    /* the answer: a challenge, or tokens */
    struct str challenge, session_text;
    struct idp_ChallengeParametersType parameters;
    struct idp_AvailableChallengeListType available;
    struct idp_AuthenticationResultType *result;
};

/* A parameter; absent: STR_NONE. sign_in_need: InvalidParameterException, "Missing required parameter X". */
struct str sign_in_given(const struct sign_in *s, const char *name);
gh_err sign_in_need(const struct sign_in *s, const char *name, struct str *out);
gh_err sign_in_check_secret_hash(const struct sign_in *s, struct str username);
/* One of the answer's ChallengeParameters. */
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
/* USERNAME, the secret hash, the user: what every flow but refreshing begins with. Found nobody: an error
 * unless the client hides who exists; s->user.sub is then absent. */
gh_err sign_in_find_user(struct sign_in *s);

/* A challenge: its question, its answer. `start` fills in the parameters and may add to the state; `answer`
 * judges, and ends in sign_in_passed, sign_in_wrong or an error. Both are also called for nobody. */
struct sign_in_challenge {
    const char *name;
    gh_err (*start)(struct sign_in *s);
    gh_err (*answer)(struct sign_in *s);
};
gh_err srp_start(struct sign_in *s);
gh_err srp_answer(struct sign_in *s);
gh_err custom_start(struct sign_in *s);
gh_err custom_answer(struct sign_in *s);
gh_err new_password_start(struct sign_in *s);
gh_err new_password_answer(struct sign_in *s);
gh_err otp_start(struct sign_in *s); /* one_time_code.c */
gh_err otp_answer(struct sign_in *s);
gh_err software_token_start(struct sign_in *s); /* second_factor.c */
gh_err software_token_answer(struct sign_in *s);
gh_err select_mfa_start(struct sign_in *s);
gh_err select_mfa_answer(struct sign_in *s);
gh_err mfa_setup_start(struct sign_in *s);
gh_err mfa_setup_answer(struct sign_in *s);
gh_err choice_begin(struct sign_in *s); /* choice.c */
gh_err select_challenge_start(struct sign_in *s);
gh_err select_challenge_answer(struct sign_in *s);
gh_err password_start(struct sign_in *s);
gh_err password_answer(struct sign_in *s);
gh_err password_srp_answer(struct sign_in *s);
gh_err passkey_start(struct sign_in *s); /* passkey_sign_in.c */
gh_err passkey_answer(struct sign_in *s);
gh_err device_srp_start(struct sign_in *s);
gh_err device_srp_answer(struct sign_in *s);
gh_err device_verifier_start(struct sign_in *s);
gh_err device_verifier_answer(struct sign_in *s);

/* What may still be due after a right answer. In the order of their table, each says which challenge is to be
 * asked now (`*due`), or leaves it NULL: nothing more from here. */
struct sign_in_gate {
    bool for_nobody; /* asked even when there is no such user */
    gh_err (*check)(struct sign_in *s, const char **due);
};
gh_err new_password_due(struct sign_in *s, const char **due);
gh_err custom_due(struct sign_in *s, const char **due);
gh_err second_factor_due(struct sign_in *s, const char **due);
gh_err assurance_due(struct sign_in *s, const char **due); /* the last one: asks nothing, notes acr and amr */
unsigned second_factors_of(const struct sign_in *s);       /* MFA_BITs that may be asked of the user */
gh_err device_due(struct sign_in *s, const char **due);

/* Asks: the answer is a challenge, with a session where it has one. */
gh_err sign_in_ask(struct sign_in *s, const char *challenge);
/* A right answer (or a flow that needs none): noted, then whatever is due, or tokens. One commit. Nobody
 * gets no tokens. */
gh_err sign_in_passed(struct sign_in *s, const char *challenge);
/* Whatever is due, or tokens; and before that: the session of this step is used up, whatever comes of it. */
gh_err sign_in_next(struct sign_in *s);
gh_err sign_in_spend(struct sign_in *s);
bool sign_in_has_passed(const struct sign_in *s, const char *challenge);
/* A wrong answer that leaves the session good: counted; gives back `refusal`, or says that this was one too
 * many. */
gh_err sign_in_wrong(struct sign_in *s, gh_err refusal);
/* What a challenge keeps for its answer. sign_in_recall: NULL when it kept nothing. */
void sign_in_keep(struct sign_in *s, const char *challenge, json_t *what /* new reference */);
json_t *sign_in_recall(const struct sign_in *s, const char *challenge);

/* For operations that take a Session of a sign-in in place of an access token (AssociateSoftwareToken, ...):
 * opened, live, of the user it speaks of; and a new one of the same state. `asked`: of that challenge.
 * Errors: NotAuthorizedException ("Invalid session for the user.", "..., session is expired."). */
gh_err sign_in_open(struct call *call, struct str session, const char *asked, struct sign_in *out);
struct str sign_in_seal(struct sign_in *s);
/* A Session that no question stands behind, for signing up: of this user, "asked" so, with what it keeps. */
struct str sign_in_session_for(struct call *call, const struct client *client, const struct user *user,
                               const char *asked, json_t *what /* new reference */);
bool sign_in_is_too_late(gh_err err);                             /* "..., session is expired." */
struct str sign_in_spent_mac(struct call *call, struct str what); /* as store_spend takes it */

/* The first question of USER_SRP_AUTH: it has no session. */
bool sign_in_is_bare(const struct sign_in *s);

/* ---- guess.c ---- */
/* Before a password or code is judged: see guess_begin. Ends by itself with the step. */
gh_err sign_in_guess(struct sign_in *s);
/* The user's password, or nobody's: a flow with PASSWORD. NULL: right, and the user may sign in.
 * Errors: what locks, what the user's status says, "Incorrect username or password." (counted). */
gh_err sign_in_check_password(struct sign_in *s, struct str password);
bool sign_in_can_add_factor(const struct sign_in *s); /* there is a second factor the user could be asked for */
gh_err sign_in_wrong_password(struct sign_in *s); /* counted; "Incorrect username or password." */

/* May this user sign in at all? UNCONFIRMED, RESET_REQUIRED, disabled, temporary password too old. */
gh_err sign_in_check_user(const struct sign_in *s);
/* "Incorrect username or password." */
gh_err sign_in_refused(const struct sign_in *s);
