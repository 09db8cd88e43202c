#include "gateway/ops/refused.h"

#include <stddef.h>

const char *const apigateway_refused[] = {
    "CreateRestApi.cloneFrom",
    "CreateRestApi.securityPolicy",
    "CreateRestApi.endpointAccessMode",
    "CreateRestApi.endpointConfiguration.vpcEndpointIds",
    "CreateDomainName.certificateBody",
    "CreateDomainName.certificatePrivateKey",
    "CreateDomainName.certificateChain",
    "CreateDomainName.endpointConfiguration.vpcEndpointIds",
    "CreateDeployment.tracingEnabled",
    "CreateStage.tracingEnabled",
    "CreateAuthorizer.jwtConfiguration",
    "CreateAuthorizer.type=JWT",
    "PutIntegration.integrationTarget",
    "TestInvokeAuthorizer.additionalContext",
    NULL,
};

const char *const apigateway_accepted[] = {
    "RestApi.endpointConfiguration: EDGE and REGIONAL APIs are served alike; PRIVATE ones answer callers of private networks and of this machine, there are no VPC endpoints",
    "Method.apiKeyRequired, Integration.connectionType=VPC_LINK: an API that uses them is not deployed",
    "Integration.uri of other AWS services than lambda: kept, but not deployed",
    NULL,
};
