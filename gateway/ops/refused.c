#include "gateway/ops/refused.h"

#include <stddef.h>

const char *const apigateway_refused[] = {
    "CreateRestApi.securityPolicy",
    "CreateRestApi.endpointAccessMode",
    "CreateRestApi.endpointConfiguration.vpcEndpointIds",
    "CreateDomainName.certificateBody",
    "CreateDomainName.certificatePrivateKey",
    "CreateDomainName.certificateChain",
    "CreateDomainName.endpointConfiguration.vpcEndpointIds",
    "CreateDeployment.tracingEnabled",
    "CreateStage.tracingEnabled",
    "TestInvokeAuthorizer.additionalContext",
    NULL,
};

const char *const apigateway_accepted[] = {
    "CreateApiKey.stageKeys: kept and shown, but opens nothing, as in AWS's accounts with usage plans; CreateApiKey.generateDistinctId: ids are always distinct from values",
    "UpdateAccount.cloudwatchRoleArn: kept and shown; logs are written here, which takes no role",
    "UsagePlan.productCode: kept and shown; there is no AWS Marketplace",
    "RestApi.endpointConfiguration: EDGE and REGIONAL APIs are served alike; PRIVATE ones answer callers of private networks and of this machine, there are no VPC endpoints",
    "Integration.uri of AWS services: kept, and deployed when --endpoint says where the service is",
    "DomainName.endpointConfiguration: EDGE and REGIONAL domains are served alike, under the name itself",
    "DomainName.ownershipVerificationCertificateArn: kept; who may create domains here owns them",
    "DomainName.endpointConfiguration.ipAddressType: kept; the listeners decide",
    NULL,
};
