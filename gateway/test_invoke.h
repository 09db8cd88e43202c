/* Trying out a draft's method or authorizer, without deploying it and without a client.
 *
 * "Simulate the execution of a Method in your RestApi with headers, parameters, and an incoming request
 * body." The draft's method is compiled as for a deployment and runs through the same pipeline, but for
 * the steps that decide whether a caller may: "testing uses no authorizer, no API key, no throttle". */
#pragma once

#include "core/http_msg.h"
#include "core/json.h"
#include "wire/call.h"

struct gateway;

struct test_request {
    struct str http_method;
    struct str path;                  /* with query; as given */
    struct http_headers headers;
    struct str body;
    const json_t *variables;          /* the stage's; or NULL */
    struct str certificate_id;
    struct str method_path;           /* the resource's path pattern: "/pets/{petId}" */
};
struct test_result {
    int status;                       /* a test of an authorizer: 0 when it let the caller in */
    struct http_headers headers;
    struct str body, log;
    int64_t latency_ms;
    /* an authorizer's */
    struct str principal_id, policy;  /* policy: the document's text; absent: it gives none */
    const json_t *context, *claims;   /* or NULL */
};

/* api: the draft, of the caller's arena, with no other method than the one to try. With `authorizer`
 * it is that method's authorizer which is tried, and nothing else. The error: the API itself is broken.
 * Job threads. */
gh_err test_invoke(struct gateway *gateway, struct call *call, struct str api_id, json_t *api, bool authorizer,
                   const struct test_request *request, struct test_result *out);
