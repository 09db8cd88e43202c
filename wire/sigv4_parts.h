/* The pieces that verifying and signing share. For wire/sigv4*.c and their tests. */
#pragma once

#include "core/digest.h"
#include "wire/sigv4.h"

/* A signature as it was sent, taken apart. Views into the request or the arena. */
struct sigv4_form {
    bool presigned;
    struct str algorithm, credential, signed_headers, signature;
    struct str token;             /* absent when none */
    bool token_signed;            /* header form: named in SignedHeaders */
    struct str date_text;         /* as sent */
    int64_t date_s;
    int64_t expires_s;            /* presigned */
    struct str key_id, date, region, service, terminator; /* of the credential scope */
};
/* Steps 1 and 2 of AWS's checks. SIGV4_OK, UNSIGNED or INCOMPLETE with *why. */
enum sigv4_verdict sigv4_read_form(struct arena *arena, const struct sigv4_request *request,
                                   struct sigv4_form *form, struct str *why);
/* "keyid/date/region/service/aws4_request"; false: not five parts. */
bool sigv4_split_credential(struct sigv4_form *form);
/* The date in ISO 8601 basic format, from X-Amz-Date or Date. */
bool sigv4_read_date(struct arena *arena, const struct sigv4_request *request, struct sigv4_form *form);

struct str sigv4_canonical_path(struct arena *arena, struct str path, bool as_sent);
/* Sorted and encoded, without X-Amz-Signature; `without` names one more to leave out, or NULL. */
struct str sigv4_canonical_query(struct arena *arena, struct str query, const char *without);
/* False: a header that is named is not there. */
bool sigv4_canonical_headers(struct arena *arena, const struct http_headers *headers, struct str signed_headers,
                             struct str *out);
struct str sigv4_canonical_request(struct arena *arena, struct str method, struct str path, struct str query,
                                   struct str headers, struct str signed_headers, struct str payload_hash);
struct str sigv4_string_to_sign(struct arena *arena, struct str date_text, struct str scope, struct str canonical);
/* HMAC chain of secret, date, region, service; from the thread's cache when it was asked before. */
void sigv4_signing_key(struct str secret, struct str date, struct str region, struct str service,
                       uint8_t out[SHA256_BYTES]);
struct str sigv4_signature(struct arena *arena, const uint8_t key[SHA256_BYTES], struct str string_to_sign);
struct str sigv4_payload_hash(struct arena *arena, const struct sigv4_request *request);
