#include "wire/sigv4.h"

/* One refusal, four spellings: JSON 1.1 answers 400 where others answer 403. */
static const struct {
    struct gh_kind json11, rest_json, query;
} kinds[] = {
    [SIGV4_UNSIGNED] = { { "MissingAuthenticationTokenException", 400, false, NULL },
                         { "MissingAuthenticationTokenException", 403, false, NULL },
                         { "MissingAuthenticationToken", 403, false, NULL } },
    [SIGV4_INCOMPLETE] = { { "IncompleteSignatureException", 400, false, NULL },
                           { "IncompleteSignatureException", 403, false, NULL },
                           { "IncompleteSignature", 400, false, NULL } },
    [SIGV4_MISMATCH] = { { "InvalidSignatureException", 400, false, NULL },
                         { "InvalidSignatureException", 403, false, NULL },
                         { "SignatureDoesNotMatch", 403, false, NULL } },
    [SIGV4_UNKNOWN_KEY] = { { "UnrecognizedClientException", 400, false, NULL },
                            { "UnrecognizedClientException", 403, false, NULL },
                            { "InvalidClientTokenId", 403, false, NULL } },
    [SIGV4_BAD_TOKEN] = { { "UnrecognizedClientException", 400, false, NULL },
                          { "UnrecognizedClientException", 403, false, NULL },
                          { "InvalidClientTokenId", 403, false, NULL } },
    [SIGV4_EXPIRED_TOKEN] = { { "ExpiredTokenException", 400, false, NULL },
                              { "ExpiredTokenException", 403, false, NULL },
                              { "ExpiredToken", 403, false, NULL } },
};

gh_err sigv4_error(struct arena *arena, const struct sigv4_outcome *outcome, enum protocol protocol)
{
    const struct gh_kind *kind = protocol == PROTOCOL_JSON11      ? &kinds[outcome->verdict].json11
                                 : protocol == PROTOCOL_REST_JSON ? &kinds[outcome->verdict].rest_json
                                                                  : &kinds[outcome->verdict].query;
    if (outcome->verdict == SIGV4_UNSIGNED)
        return gh_fail(arena, kind, "%s", protocol == PROTOCOL_QUERY ? "Request is missing Authentication Token"
                                                                     : "Missing Authentication Token");
    /* "JSON services and API Gateway send all lines; IAM and STS only the first paragraph." */
    if (protocol != PROTOCOL_QUERY && outcome->canonical.ptr)
        return gh_fail(arena, kind,
                       "%.*s\n\nThe Canonical String for this request should have been\n'%.*s'\n\n"
                       "The String-to-Sign should have been\n'%.*s'\n",
                       STR_FMT(outcome->why), STR_FMT(outcome->canonical), STR_FMT(outcome->string_to_sign));
    return gh_fail(arena, kind, "%.*s", STR_FMT(outcome->why));
}
