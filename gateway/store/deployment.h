/* What the data plane reads of the store: deployed stages.
 *
 * A deployment is an immutable copy of the whole API: "To deploy an API, you create an API
 * deployment and associate it with a stage; a deployment is a point-in-time snapshot of your API."
 * Later changes of the draft are not in it. Both documents use AWS's own member names, so what
 * GetResource, GetMethod, GetStage … answer is what stands here.
 *
 * The API document:
 *   {"id","name","apiKeySource":"HEADER|AUTHORIZER","binaryMediaTypes":["image/png"],
 *    "minimumCompressionSize":n, "policy":"JSON as a string", "disableExecuteApiEndpoint":false,
 *    "endpointConfiguration":{"types":["EDGE"],"ipAddressType":"ipv4"}, "rootResourceId",
 *    "resources": {ID: {"id","parentId","pathPart","path":"/pets/{id}",     root: no parentId, path "/"
 *       "resourceMethods": {"GET" or "ANY": {
 *          "httpMethod","authorizationType":"NONE|AWS_IAM|CUSTOM|COGNITO_USER_POOLS","authorizerId",
 *          "authorizationScopes":[..],"apiKeyRequired":false,"requestValidatorId","operationName",
 *          "requestParameters":{"method.request.header.X":true},"requestModels":{"application/json":"Name"},
 *          "methodResponses":{"200":{"statusCode","responseParameters":{"method.response.header.X":false},
 *                                    "responseModels":{"application/json":"Name"}}},
 *          "methodIntegration":{"type":"HTTP|HTTP_PROXY|AWS|AWS_PROXY|MOCK","httpMethod","uri","connectionType",
 *             "credentials","passthroughBehavior":"WHEN_NO_MATCH|WHEN_NO_TEMPLATES|NEVER","contentHandling",
 *             "timeoutInMillis":29000,"cacheNamespace","cacheKeyParameters":[],
 *             "requestParameters":{"integration.request.header.X":"method.request.header.Y"},
 *             "requestTemplates":{"application/json":"VTL" or null},
 *             "integrationResponses":{"200":{"statusCode","selectionPattern" (absent or "": the default),
 *                "contentHandling","responseParameters":{"method.response.header.X":"integration.response.header.Y"},
 *                "responseTemplates":{"application/json":"VTL" or null}}}}}}}},
 *    "authorizers": {ID:
 * {"id","name","type":"TOKEN|REQUEST|COGNITO_USER_POOLS","authorizerUri","providerARNs":[..],
 *       "identitySource","identityValidationExpression","authorizerResultTtlInSeconds":300,
 *       "authorizerCredentials"}},
 *    "models": {NAME: {"id","name","contentType","schema":"JSON as a string"}},
 *    "requestValidators": {ID: {"id","name","validateRequestBody":false,"validateRequestParameters":false}},
 *    "gatewayResponses": {TYPE: {"responseType","statusCode","responseParameters","responseTemplates"}}}
 * A member that was not given is absent. Order of names is the order of creation.
 *
 * The stage document:
 *   {"stageName","deploymentId","variables":{..},
 *    "methodSettings":{"*" "/" "*" or "pets/{id}/GET" (no slash in front; the root's is "/GET"): {
 *       "metricsEnabled","loggingLevel","dataTraceEnabled","throttlingBurstLimit":n,"throttlingRateLimit":x,..}},
 *    "accessLogSettings":{"destinationArn","format"},
 *    "canarySettings":{"percentTraffic":12.5,"deploymentId","stageVariableOverrides":{..},"useStageCache":false},
 *    "options":{..} (gateway/options.h), …} */
#pragma once

#include "core/db.h"
#include "core/json.h"

struct gw_outside;
struct tls_identity;

struct stage_source {
    struct str account, region;
    struct str api_id;
    struct str stage; /* name */
    struct str deployment_id;
    json_t *api;      /* document, owned by the arena */
    json_t *settings; /* the stage's document, owned by the arena */
    struct tls_identity *certificate; /* of clientCertificateId; lives in the arena */
    const json_t *links; /* VPC links of the account and region, by id */
    const struct gw_outside *outside; /* what follows: gateway/compile/material.h; NULL: nothing is configured */
    /* The canary's deployment; NULL when the stage has no canary. May be `api` itself. */
    json_t *canary_api;
    struct str canary_deployment_id;
};

/* Deployments never change: what a call has read or made already need not be read and parsed again. */
struct known_deployments {
    struct {
        struct str id;
        json_t *api;
    } items[2]; /* api NULL: none */
};

/* *found false: no such stage. known may be NULL. */
gh_err stage_source_load_knowing(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, struct str stage,
                                 const struct known_deployments *known, bool *found, struct stage_source *out);
gh_err stage_source_load(struct db *db, struct tx *tx, struct arena *arena, struct str api_id,
                         struct str stage, bool *found, struct stage_source *out);

/* Every stage there is, for the start. Names are read at once, documents one by one, so that the
 * caller may compile each in an arena of its own:
 *     struct stage_sources all;
 *     err = stage_sources_open(&all, db, arena);
 *     while (!err && stage_sources_next(&all)) {
 *         err = stage_source_load(db, NULL, one, all.api_id, all.stage, &found, &source); … } */
struct stage_sources {
    struct str api_id, stage; /* of the current one */
    struct stage_name {
        struct str api_id, stage;
    } * names;
    size_t n, at;
};
gh_err stage_sources_open(struct stage_sources *all, struct db *db, struct arena *arena);
bool stage_sources_next(struct stage_sources *all);
