/* The seam of identity/ for the layers above: who signed this, is this token good.
 *
 * Everything here but identity_open answers from memory, blocks on nothing longer than a short
 * lock, and may be called from loop threads. The tables behind it are loaded at start and kept
 * current by the operations that change them (an operation returns only after its change is visible here). */
#pragma once

#include "core/http_fetch.h"
#include "core/invoke.h"
#include "policy/eval.h"
#include "policy/why.h"
#include "wire/call.h"

struct identity;

struct identity_config {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct str base_url;       /* issuer is base_url/poolId */
    struct str partition, region, default_account;
    const char *compromised_passwords; /* a list of digests (core/hash_list.h), or NULL */
    bool dev_root;             /* dev mode without --enforce: a key we never issued is root */
    bool notes_use;            /* dev mode: what principals ask for is counted */
    bool soft;                 /* what policies deny to a principal is let through, and kept (enforcement.h) */
    bool aws_limits;               /* --limits aws: Cognito's default request rates */
    struct http_fetcher *fetcher;  /* webhooks, other pools; outlives this */
};

/* Migrates are done by the caller. NULL: *why. Freed by identity_close. */
struct identity *identity_open(const struct identity_config *config, struct arena *arena, struct str *why);
void identity_close(struct identity *identity);
/* Who runs triggers' functions: once, before anybody calls. */
void identity_use_invoker(struct identity *identity, const struct invoker *invoker);

/* The key behind an access key id: what SigV4 needs, and who it is. */
struct credential {
    struct str secret;               /* never logged; absent: root that nobody issued (dev mode) */
    struct principal principal;
    bool root;                       /* policies.identity does not apply: everything is allowed */
    bool temporary;                  /* a session's */
    bool mfa;                        /* of a session */
    int64_t expires_s;               /* of a session */
    int64_t mfa_s;                   /* when it was given; 0: it was not */
    struct policy_layers policies;   /* compiled, references held until the arena is freed */
    struct str role_arn;             /* of a role session: the role's ARN, with path */
    struct str maker_arn;            /* of a federated user's session: the ARN of the user who made it */
    struct str owner;                /* id of the user or role; the account for root */
    struct str source_identity, federated_provider;
    const struct policy_key *keys;   /* what a provider said of who it is: "saml:sub", "example.com:aud" */
    size_t n_keys;
    const struct tag *tags;          /* aws:PrincipalTag: the principal's, overlaid by the session's */
    size_t n_tags;
    const struct str *transitive;    /* keys of session tags that the next role inherits */
    size_t n_transitive;
};
enum credential_verdict {
    CREDENTIAL_OK,
    CREDENTIAL_UNKNOWN,        /* InvalidClientTokenId / UnrecognizedClientException */
    CREDENTIAL_INACTIVE,
    CREDENTIAL_EXPIRED,        /* ExpiredToken */
    CREDENTIAL_BAD_TOKEN,      /* session token missing, damaged or of another key */
};
enum credential_verdict identity_credential(struct identity *identity, struct arena *arena, struct str access_key_id,
                                            struct str session_token, int64_t now_s, struct credential *out);
/* The access key of an account's root user, made when there is none: `gatehouse serve` writes it down
 * at its first start. Blocks on the database. */
gh_err identity_root_key(struct identity *identity, struct arena *arena, struct str account,
                         struct str *access_key_id, struct str *secret);

/* What is asked for, where it has a policy of its own or may belong to another account. */
struct identity_target {
    const struct policy_set *policy; /* NULL: none */
    struct str account;              /* absent: the principal's */
    bool trust;                      /* the policy is a role's trust policy */
};
/* May the principal of `credential` do `request->action` on `request->resource`? One evaluator for
 * management calls and the data plane. Adds the principal's own keys (aws:username, …) to the
 * request's. The decision lives in the arena; policy_denial and policy_reason put it into words.
 * credential NULL: somebody without policies here, as the request says: anonymous, a service, a federated. */
bool identity_decide(struct identity *identity, struct arena *arena, const struct credential *credential,
                     const struct identity_target *target, struct policy_request *request,
                     struct policy_decision *decision);
/* Whether any account has guard rails: then every decision needs the request's keys. */
bool identity_has_guard_rails(const struct identity *identity);
/* The parts of identity_decide: adds the principal's keys; finds all that has a say. */
void identity_complete(struct identity *identity, struct arena *arena, const struct credential *credential,
                       struct policy_request *request);
void identity_layers(struct identity *identity, struct arena *arena, const struct credential *credential,
                     const struct identity_target *target, const struct policy_request *request,
                     struct policy_layers *out);
/* Why identity_decide said what it said of this request, which has been through it: slow, for people. */
void identity_why(struct identity *identity, struct arena *arena, const struct credential *credential,
                  const struct identity_target *target, const struct policy_request *request, struct policy_why *out);
/* The credential that a user or role of the account would have: without a secret; of a role, a session called
 * session_name. False: there is no such user or role any more. */
struct entity;
bool identity_credential_of(struct identity *identity, struct arena *arena, const struct entity *entity,
                            struct str session_name, struct credential *out);

/* On something of the principal's own account that has no policy. sts:AssumeRole passes where only
 * nothing allows it, since the role's trust policy may. */
bool identity_allows(struct identity *identity, struct arena *arena, const struct credential *credential,
                     struct policy_request *request, struct policy_decision *decision);

/* On something that has a policy of its own and belongs to an account, the principal's or another.
 * resource NULL: it has none, and other accounts are refused. */
bool identity_allows_on(struct identity *identity, struct arena *arena, const struct credential *credential,
                        const struct policy_set *resource, struct str resource_account,
                        struct policy_request *request, struct policy_decision *decision);

/* Do a principal's policies look at condition keys that begin so ("aws:ResourceTag/")? */
bool identity_looks_at(struct identity *identity, struct arena *arena, const struct credential *credential,
                       struct str begin);

/* May a policy name this principal? Users and roles of `account` must exist; accounts, sessions and
 * other accounts' principals go by their words. Job threads. */
bool identity_principal_exists(struct identity *identity, struct arena *arena, struct str account, struct str arn);

/* Keys for an hour, for a service that acts in a role whose trust policy names it
 * ("lambda.amazonaws.com"). False: no such role, or it does not trust the service. Job threads. */
bool identity_service_role(struct identity *identity, struct arena *arena, struct str role_arn, struct str service,
                           struct str session_name, struct str *key_id, struct str *secret, struct str *token);

/* A user-pool token at the gateway. */
enum token_verdict { TOKEN_OK, TOKEN_MALFORMED, TOKEN_BAD_SIGNATURE, TOKEN_EXPIRED, TOKEN_WRONG_ISSUER, TOKEN_REVOKED };
struct verified_token {
    json_t *claims;            /* borrowed from the cache, reference held until the arena is freed */
    struct str token_use;      /* "id" or "access" */
    struct str sub;
    int64_t expires_s;
    bool from_cache;
};
/* pool_arns: accept tokens of any of these pools. honour_revocation: consult the epochs. */
enum token_verdict identity_verify_token(struct identity *identity, struct arena *arena, struct str token,
                                         const struct str *pool_arns, size_t n_pool_arns, bool honour_revocation,
                                         int64_t now_s, struct verified_token *out);
/* Of the one pool of ours that is this issuer. */
enum token_verdict identity_verify_issued(struct identity *identity, struct arena *arena, struct str token,
                                          struct str issuer, bool honour_revocation, int64_t now_s,
                                          struct verified_token *out);
const char *token_verdict_text(enum token_verdict verdict);

/* Unsigned, cacheable documents of a pool: {poolId}/.well-known/… False: no such pool. */
bool identity_jwks(struct identity *identity, struct arena *arena, struct str pool_id, struct str *json);
bool identity_discovery(struct identity *identity, struct arena *arena, struct str pool_id, struct str *json);
/* The same of the tokens of identity pools: "/.well-known/jwks_uri", "/.well-known/openid-configuration". */
bool identity_token_document(struct identity *identity, struct arena *arena, struct str path, struct str *json);
/* Documents of the issuer of an account's outbound web identity tokens. `id`: "outbound-UUID", the last part of its URL. False:
 * nobody's, or the account has switched it off. Job threads. */
bool identity_outbound_document(struct identity *identity, struct arena *arena, struct str id, struct str path,
                                struct str *json);
/* What the link in a mail asks for: the query of .../confirmUser. Errors: those of ConfirmSignUp. Job threads. */
gh_err identity_confirm_by_link(struct call *call, struct str pool_id, struct str query);
bool identity_pool_exists(struct identity *identity, struct str pool_arn);

/* Members of cognito-idp's operations that are not enforced yet (struct registered's `refused`). */
extern const char *const identity_refused_idp[];
/* What is kept and shown although nothing acts on it yet, each a sentence. NULL-terminated. */
extern const char *const identity_accepted[];
/* Operations that are not built, and why not: "iam: A, B: reason". NULL-terminated. */
extern const char *const identity_left_out[];
extern const char *const identity_refused_iam[];
extern const char *const identity_refused_sts[];

/* Prometheus' text. */
void identity_metrics(struct identity *identity, struct strbuf *text);

/* Dev mode: forgets everything of call->account, deletion protection or not. Job threads. */
gh_err identity_reset(struct call *call);
