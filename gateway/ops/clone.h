/* CreateRestApi.cloneFrom: "The ID of the RestApi that you want to clone from." */
#pragma once

#include "gateway/ops/ops.h"

/* Puts the source's draft into the new API's document, whose own id, name, dates and tags stay and whose
 * given members win: resources, methods, models, authorizers, validators, gateway responses, policy and the
 * API's settings. Resources get ids of their own. Deployments and stages are not cloned.
 * Errors: NotFoundException, AccessDeniedException (reading the source is asked for). */
gh_err clone_api(struct call *call, struct tx *tx, const struct apigw_CreateRestApi_in *in, json_t *api);
/* "Documentation parts belong to the API": those too, once it is inserted. */
gh_err clone_documentation(struct call *call, struct tx *tx, struct str from, struct str to);
