/* A stage's canary: a second deployment that takes a share of the stage's requests, with stage variables
 * of its own. "canarySettings":{"percentTraffic","deploymentId","stageVariableOverrides","useStageCache"}. */
#pragma once

#include "gateway/ops/patch.h"
#include "wire/call.h"

/* Puts what CreateStage or CreateDeployment gave (NULL: nothing) over the stage's canary, which is made
 * when missing: "percentTraffic 0.0, useStageCache false". */
void canary_put(json_t *stage, const json_t *given, struct str deployment_id);
/* The percentage is one; variables and deployment are checked with the stage's own. */
gh_err canary_check(struct call *call, const json_t *stage);

/* Rows of UpdateStage's table. */
gh_err canary_patch(struct patch *patch);           /* /canarySettings/{deploymentId,percentTraffic,useStageCache} */
gh_err canary_patch_overrides(struct patch *patch); /* /canarySettings/stageVariableOverrides: a JSON object */
gh_err canary_patch_override(struct patch *patch);  /* /canarySettings/stageVariableOverrides/{name} */
gh_err canary_remove(struct patch *patch);          /* /canarySettings */
gh_err canary_promote(struct patch *patch);         /* copy to /deploymentId or /variables */
