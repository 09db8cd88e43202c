/* rest-json: members bound to path, query string, headers, status and payload. */
#pragma once

#include <jansson.h>

#include "wire/registry.h"

/* Fills in the struct of operation->in. False: *why is AWS's sentence. */
bool rest_decode(struct arena *arena, const struct operation *operation, const struct wire_request *request,
                 const struct label *labels, size_t n_labels, void *in, struct str *why);

struct rest_answer {
    int status;
    struct http_headers headers; /* the bound ones, and Content-Type when there is a body */
    struct str body;             /* absent: none */
};
void rest_encode(struct arena *arena, const struct operation *operation, const void *out,
                 struct rest_answer *answer);

/* "/restapis/{restapi_id}/resources?x=y" against a raw path; greedy {x+} takes the rest with its
 * slashes. Views into path. False: no match. */
bool rest_match(struct str pattern, struct str path, struct label *labels, size_t *n_labels);
/* JSON as bodies are written: compact, doubles with 15 digits. */
struct str json_body_print(struct arena *arena, const json_t *json);
