/* The seam between the operations (gateway/ops) and the data plane: making a stage live.
 * Job threads only. `call->module` of an apigateway call is the struct gateway *. */
#pragma once

#include "gateway/store/deployment.h"
#include "wire/call.h"

struct gateway;

/* --limits aws: what API Gateway's quotas refuse is refused. */
bool gateway_aws_limits(const struct gateway *gateway);

/* Compiles the stage as for publishing and throws the result away: what cannot be served is
 * refused before it is stored. The error is the operation's answer (BadRequestException). */
gh_err gateway_check(struct gateway *gateway, struct call *call, const struct stage_source *source);

/* Loads the stage as it is committed now, compiles it and swaps it in on all loops; returns when
 * all of them serve it. Calls for one stage are taken one after the other, each loading afresh, so
 * that the newest committed state is what stays. A stage that is gone meanwhile is unpublished. */
gh_err gateway_publish(struct gateway *gateway, struct call *call, struct str api_id, struct str stage);

/* The same for who has just read or made the deployments it needs. */
gh_err gateway_publish_knowing(struct gateway *gateway, struct call *call, struct str api_id, struct str stage,
                               const struct known_deployments *known);

/* Forgets what the stage's Lambda authorizers said. */
void gateway_flush_authorizers(struct gateway *gateway, struct str api_id, struct str stage);

/* Forgets every answer that is cached for the stage. */
void gateway_flush_cache(struct gateway *gateway, struct str api_id, struct str stage);

/* Returns when no loop gives new requests to the stage. stage absent: all stages of the API. */
gh_err gateway_unpublish(struct gateway *gateway, struct call *call, struct str api_id, struct str stage);
