/* Draft and live: what of an API is not live yet in one of its stages. */
#pragma once

#include "core/json.h"
#include "wire/call.h"

/* What differs between two API documents (gateway/store/deployment.h), each entry
 *   {"change":"added|removed|changed","part":"method","name":"GET /pets","field":"/methodIntegration/uri",
 *    "draft":…,"live":…}
 * where `added` is in the draft only. Resources are told apart by their path and models by their name, not by
 * id: what is deleted and made again alike is alike. The list is the arena's. */
json_t *api_diff(struct arena *arena, const json_t *draft, const json_t *live);

struct stage_diff_request {
    struct str api_id, stage;
};
/* As an operation of apigateway. *json:
 *   {"restApiId","stageName","deploymentId","same":false,"differences":[…],
 *    "canary":{"deploymentId","same","differences"} of a stage that has one,
 *    "watch":{…} and "takenBack":{…} as gateway/watch.h says} */
gh_err stage_diff_get(struct call *call, void *request, struct str *json);
