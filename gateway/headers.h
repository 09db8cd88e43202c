/* Which headers travel, to the integration and back: AWS's table, with the renaming it does. */
#pragma once

#include "core/str.h"

enum header_fate {
    HEADER_PASS,
    HEADER_DROP,
    HEADER_REMAP, /* answers only: x-amzn-Remapped-NAME */
};

struct header_rule {
    const char *name;
    enum header_fate request_http;   /* HTTP_PROXY: to the endpoint */
    enum header_fate answer_http;    /* HTTP_PROXY: from the endpoint */
    enum header_fate answer_lambda;  /* AWS_PROXY: from the function */
    enum header_fate answer_mapped;  /* method.response.header.X mapped by hand */
    const char *remapped;
};

/* NULL: no rule, it passes (but see headers_strip). */
const struct header_rule *header_rule(struct str name);
/* x-amzn-* and our own x-forwarded-*: never taken over from a client. */
bool header_is_ours(struct str name);
/* Edge-optimized APIs spell the headers that CloudFront knows as it does, whatever the client wrote: recorded,
 * "aUThorization" arrives as "Authorization", "tEsT-HEADeR" as it is. */
struct str header_edge_name(struct str name);
/* Authorization, keys, cookies, signatures: never logged, never kept. */
bool header_is_secret(struct str name);
