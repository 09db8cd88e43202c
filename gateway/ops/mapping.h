/* Parameter maps and content types: what both methods and integrations check. */
#pragma once

#include "gateway/ops/ops.h"

/* Names of `parameters` must be `prefix`.LOCATION.NAME with a location of `locations` (NULL-ended). */
gh_err mapping_names_check(struct call *call, const json_t *parameters, const char *prefix,
                           const char *const *locations);
/* integration.request.LOCATION.NAME <- an expression over the method's request. */
gh_err mapping_request_check(struct call *call, const json_t *parameters, const json_t *method);
/* method.response.header.NAME <- an expression over the integration's response; the header must be
 * declared by `method_response`, which may be NULL. */
gh_err mapping_response_check(struct call *call, const json_t *parameters, const json_t *method_response);
/* gatewayresponse.header.NAME <- an expression over the method's request. */
gh_err mapping_gateway_check(struct call *call, const json_t *parameters);
/* Keys of templates and models are media types: "type/subtype", or "$default". */
gh_err content_types_check(struct call *call, const json_t *by_type);
