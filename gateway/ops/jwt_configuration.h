/* jwtConfiguration of an authorizer: checked, and its issuers asked where their keys are.
 *
 * "When you create or update an authorizer, API Gateway reads this document and records the location
 * of the issuer's key set": the answer has a jwksUri in each issuer. Asks over the network, so that no
 * transaction may be open. */
#pragma once

#include "gateway/ops/ops.h"

/* given: {"issuers":[{"issuer","audiences","additionalClaims"}],"defaultAlgorithms":[…]}. *out is a copy
 * with jwksUri.
 * Errors: BadRequestException, naming the member; or that the issuer could not be asked. */
gh_err jwt_configuration_take(struct call *call, const json_t *given, json_t **out);
