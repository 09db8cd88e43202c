/* Stages, as deployments need them: CreateDeployment may make or move one. */
#pragma once

#include "gateway/ops/ops.h"

/* A stage as CreateStage answers it. */
json_t *stage_new(struct call *call, struct str name, struct str deployment_id);
/* AWS's NotFoundException when it is not there; api may be NULL. tx NULL: outside of a transaction. */
gh_err stage_find(struct call *call, struct tx *tx, const json_t *api, struct str api_id, struct str name,
                  json_t **out);
/* stage_cache.c: status and size of the cache, as AWS shows them for what was asked. */
void stage_cache_settle(json_t *stage);
struct patch;
gh_err patch_cache_size(struct patch *patch);
gh_err stage_check(struct call *call, const json_t *stage); /* name, variables, access log */
/* Saves the stage and lets the data plane compile it, inside the draft's transaction: what cannot be
 * served is refused. Publish it after the commit. */
gh_err stage_put(struct draft *draft, json_t *stage);
