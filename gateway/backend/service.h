/* AWS's services as integrations call them: "arn:aws:apigateway:{region}:{subdomain.service|service}:
 * path|action/{service_api}". Where a service is, --endpoint says; what it speaks, a table. */
#pragma once

#include "gateway/compile/compile.h"
#include "gateway/backend/outside.h"

struct gw_service {
    const struct gw_endpoint *endpoint;
    struct str name, region;       /* that the signature is for */
    struct str host;               /* Host: the endpoint's, a subdomain in front */
    struct str action_query;       /* of an action: "Action=Publish&Version=2010-03-31&A=b"; absent: a path */
    struct str json_target;        /* of an action whose service takes JSON: "DynamoDB_20120810.PutItem"; or absent */
    struct str json_type;          /* its Content-Type */
    bool whole_body_signed;        /* S3: x-amz-content-sha256, and the path is encoded once */
};

/* False: compile_fail has said why. The parts of out's path and its address are set, too. */
bool compile_service(struct compiler *c, struct gw_integration *out);
/* compile_integration.c's. */
bool compile_parts(struct compiler *c, struct str path, struct gw_integration *out);
