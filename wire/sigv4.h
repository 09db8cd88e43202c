/* Signature Version 4: verifying signed requests, and signing our own.
 *
 * Serves both planes: wire/operation on job threads (management calls) and gateway's AWS_IAM step
 * on loop threads. Never blocks; nothing of identity/ is needed here: the key is found through a
 * function pointer. Derived signing keys are cached per thread.
 *
 *     struct sigv4_outcome who;
 *     if (sigv4_verify(arena, &request, &rules, &keys, &who) != SIGV4_OK)
 *         return sigv4_error(arena, &who, service->protocol);
 *     const struct identity_credential *c = who.key.credential; */
#pragma once

#include "core/err.h"
#include "core/http_msg.h"
#include "wire/call.h"
#include "wire/model.h"

/* The request as it came over the wire. */
struct sigv4_request {
    struct str method;
    struct str path;             /* raw, still percent-encoded, without the query */
    struct str query;            /* raw, without '?'; absent or empty when there is none */
    const struct http_headers *headers;
    struct str body;             /* whole */
    const uint8_t *body_sha256;  /* 32 bytes, instead of body when the caller has hashed it; or NULL */
};

struct sigv4_rules {
    const char *const *services; /* signing names allowed, NULL-terminated: { "execute-api", NULL } */
    struct str region;           /* the scope's region must be this one; absent: any */
    bool global;                 /* IAM, STS: us-east-1 is as good as `region` */
    int64_t now_s;               /* real time: a stepped test clock would refuse every honest client */
    bool unsigned_payload;       /* UNSIGNED-PAYLOAD stands for any body. AWS: Amazon S3 only */
    bool path_as_sent;           /* "." ".." and "//" are not folded before signing: execute-api, where
                                    one path must not be signed and another one routed */
};

enum sigv4_verdict {
    SIGV4_OK,
    SIGV4_UNSIGNED,      /* neither Authorization: AWS4-… nor X-Amz-Algorithm: MissingAuthenticationToken */
    SIGV4_INCOMPLETE,    /* malformed: IncompleteSignature */
    SIGV4_MISMATCH,      /* date, scope or signature wrong: InvalidSignature, SignatureDoesNotMatch */
    SIGV4_UNKNOWN_KEY,   /* never issued, deleted, inactive: UnrecognizedClient, InvalidClientTokenId */
    SIGV4_BAD_TOKEN,     /* session token missing, damaged or of another key: as UNKNOWN_KEY */
    SIGV4_EXPIRED_TOKEN, /* ExpiredToken */
};

/* What is known of an access key. */
struct sigv4_key {
    struct str secret;                 /* absent: trusted without a look at the signature (dev mode's root) */
    const struct principal *principal; /* who it is */
    const void *credential;            /* the finder's own: identity's struct credential */
};

/* Finds keys: SIGV4_OK, UNKNOWN_KEY, BAD_TOKEN or EXPIRED_TOKEN. The result lives in the arena.
 * session_token is absent when none was sent. */
struct sigv4_keys {
    void *ctx;
    enum sigv4_verdict (*find)(void *ctx, struct arena *arena, struct str access_key_id, struct str session_token,
                               int64_t now_s, struct sigv4_key *out);
};

struct sigv4_outcome {
    enum sigv4_verdict verdict;
    struct str access_key_id, session_token; /* as sent; absent when unsigned */
    struct str scope_date, scope_region, scope_service;
    bool presigned;                          /* signed in the query string */
    struct sigv4_key key;                    /* when OK */
    struct str why;                          /* AWS's sentence when not OK */
    struct str canonical, string_to_sign;    /* when it came to that; for traces */
};

/* True when the request carries either form of a signature. Cheap. */
bool sigv4_is_signed(const struct sigv4_request *request);

/* The scope a request claims, before anything is verified: how the router learns which service an
 * unlabelled request is for. False: unsigned or not readable. */
bool sigv4_peek(struct arena *arena, const struct sigv4_request *request, struct str *access_key_id,
                struct str *service);

/* The checks in AWS's order: form, date, signed headers, algorithm, scope, key, signature. */
enum sigv4_verdict sigv4_verify(struct arena *arena, const struct sigv4_request *request,
                                const struct sigv4_rules *rules, const struct sigv4_keys *keys,
                                struct sigv4_outcome *out);

/* The refusal in a protocol's words: codes, status and message. The gateway's data plane takes
 * PROTOCOL_REST_JSON: kind->code is its x-amzn-ErrorType, the status 403. */
gh_err sigv4_error(struct arena *arena, const struct sigv4_outcome *outcome, enum protocol protocol);

/* Who we are when we sign. */
struct sigv4_signer {
    struct str access_key_id, secret, session_token; /* token absent for long-term keys */
    struct str region, service;
    int64_t now_s;
    bool path_as_sent;
    bool path_once;             /* S3: the path is signed as it is, not encoded again */
    bool sign_body;             /* adds x-amz-content-sha256 */
    bool token_after;           /* adds the token after signing */
};
/* Adds X-Amz-Date, X-Amz-Security-Token and Authorization to `headers` (which must be the
 * request's, complete, with Host). */
void sigv4_sign(struct arena *arena, const struct sigv4_request *request, const struct sigv4_signer *signer,
                struct http_headers *headers);
/* The query string (without '?') of a presigned request, expires_s from 1 to 604,800. */
struct str sigv4_presign(struct arena *arena, const struct sigv4_request *request,
                         const struct sigv4_signer *signer, int64_t expires_s);
