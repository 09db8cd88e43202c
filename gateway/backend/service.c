#include "gateway/backend/service.h"

/* What an action becomes. JSON services take "X-Amz-Target: TARGET.Action"; the others, and JSON ones without
 * a body, "Action=…&Version=…" as parameters (recorded with ssm:action/GetParameter). */
static const struct {
    const char *service, *version, *target, *json;
} protocols[] = {
    { "athena", "2017-05-18", "AmazonAthena", "1.1" },
    { "autoscaling", "2011-01-01", NULL, NULL },
    { "cloudformation", "2010-05-15", NULL, NULL },
    { "cognito-identity", "2014-06-30", "AWSCognitoIdentityService", "1.1" },
    { "cognito-idp", "2016-04-18", "AWSCognitoIdentityProviderService", "1.1" },
    { "comprehend", "2017-11-27", "Comprehend_20171127", "1.1" },
    { "dynamodb", "2012-08-10", "DynamoDB_20120810", "1.0" },
    { "ec2", "2016-11-15", NULL, NULL },
    { "ecs", "2014-11-13", "AmazonEC2ContainerServiceV20141113", "1.1" },
    { "elasticloadbalancing", "2015-12-01", NULL, NULL },
    { "email", "2010-12-01", NULL, NULL },
    { "events", "2015-10-07", "AWSEvents", "1.1" },
    { "firehose", "2015-08-04", "Firehose_20150804", "1.1" },
    { "glue", "2017-03-31", "AWSGlue", "1.1" },
    { "iam", "2010-05-08", NULL, NULL },
    { "kinesis", "2013-12-02", "Kinesis_20131202", "1.1" },
    { "kms", "2014-11-01", "TrentService", "1.1" },
    { "logs", "2014-03-28", "Logs_20140328", "1.1" },
    { "monitoring", "2010-08-01", NULL, NULL },
    { "rds", "2014-10-31", NULL, NULL },
    { "rekognition", "2016-06-27", "RekognitionService", "1.1" },
    { "secretsmanager", "2017-10-17", "secretsmanager", "1.1" },
    { "sns", "2010-03-31", NULL, NULL },
    { "sqs", "2012-11-05", NULL, NULL },
    { "ssm", "2014-11-06", "AmazonSSM", "1.1" },
    { "states", "2016-11-23", "AWSStepFunctions", "1.0" },
    { "sts", "2011-06-15", NULL, NULL },
    { "textract", "2018-06-27", "Textract", "1.1" },
    { "translate", "2017-07-01", "AWSShineFrontendService_20170701", "1.1" },
};

/* Where the name in a signature is another one. */
static const struct {
    const char *service, *signing;
} signing_names[] = {
    { "email", "ses" }, { "data.iot", "iotdata" }, { "runtime.sagemaker", "sagemaker" }, { "data.mediastore", "mediastore" },
};

static struct str signing_name(struct str service)
{
    for (size_t i = 0; i < COUNT(signing_names); i++)
        if (str_is(service, signing_names[i].service))
            return str_of(signing_names[i].signing);
    return service;
}

/* "{subdomain.service|service}": the endpoint of the whole name, or of what follows the last dot. */
static const struct gw_endpoint *find_endpoint(struct compiler *c, struct str *service, struct str *subdomain)
{
    const struct gw_endpoint *found = outside_find_endpoint(c->source->outside, *service);
    ptrdiff_t dot = str_find_last(*service, '.');
    if (found || dot <= 0)
        return found;
    *subdomain = str_sub(*service, 0, (size_t)dot);
    *service = str_from(*service, (size_t)dot + 1);
    return outside_find_endpoint(c->source->outside, *service);
}

static struct str host_of(struct compiler *c, const struct gw_endpoint *endpoint, struct str subdomain)
{
    bool v6 = str_find(endpoint->host, ':') >= 0;
    bool usual = endpoint->port == (str_is(endpoint->scheme, "https") ? 443 : 80);
    struct str port = usual ? STR("") : str_printf(c->scratch, ":%u", endpoint->port);
    return str_printf(c->arena, "%.*s%s%s%.*s%s%.*s", STR_FMT(subdomain), subdomain.len ? "." : "", v6 ? "[" : "",
                      STR_FMT(endpoint->host), v6 ? "]" : "", STR_FMT(port));
}

/* "action/{name}&{p1}={v1}&p2={v2}" */
static bool compile_action(struct compiler *c, struct str service, struct str action, struct gw_service *out)
{
    size_t i = 0;
    struct str rest = action, name;
    while (i < COUNT(protocols) && !str_is(service, protocols[i].service))
        i++;
    if (i == COUNT(protocols))
        return compile_fail(c, "actions of the AWS service '%.*s' are not known; its uri may name a path", STR_FMT(service));
    str_split(&rest, '&', &name);
    if (!name.len)
        return compile_fail(c, "the integration's uri names no action");
    out->action_query = str_printf(c->arena, "Action=%.*s&Version=%s%s%.*s", STR_FMT(name), protocols[i].version,
                                   rest.len ? "&" : "", STR_FMT(rest));
    if (protocols[i].target) {
        out->json_target = str_printf(c->arena, "%s.%.*s", protocols[i].target, STR_FMT(name));
        out->json_type = str_printf(c->arena, "application/x-amz-json-%s", protocols[i].json);
    }
    return true;
}

bool compile_service(struct compiler *c, struct gw_integration *out)
{
    struct gw_service *service = ARENA_NEW(c->arena, struct gw_service);
    struct str part[5] = { 0 }, rest = out->uri, subdomain = STR_NONE;
    for (size_t i = 0; i < COUNT(part); i++)
        str_split(&rest, ':', &part[i]);
    struct str name = part[4];
    if (!rest.ptr || !name.len)
        return compile_fail(c, "the integration's uri '%.*s' names no AWS service", STR_FMT(out->uri));
    service->endpoint = find_endpoint(c, &name, &subdomain);
    if (!service->endpoint)
        return compile_fail(c, "the AWS service '%.*s' has no endpoint here: --endpoint %.*s=URL says where it is",
                            STR_FMT(part[4]), STR_FMT(name));
    if (out->acting == ACT_AS_GATEWAY)
        return compile_fail(c, "Role ARN must be specified for AWS integrations");
    if (out->type == INTEGRATE_AWS_PROXY)
        return compile_fail(c, "AWS_PROXY is for functions only");
    service->name = compile_copy(c, signing_name(name));
    service->region = compile_copy(c, part[3].len ? part[3] : c->snapshot->region);
    service->host = host_of(c, service->endpoint, subdomain);
    service->whole_body_signed = str_is(name, "s3");
    out->service = service;
    out->scheme = service->endpoint->scheme;
    out->host = service->endpoint->host;
    out->port = service->endpoint->port;
    out->host_header = service->host;
    struct str path = service->endpoint->path;
    if (str_starts(rest, STR("action/"))) {
        if (!compile_action(c, name, str_from(rest, strlen("action/")), service))
            return false;
        path = path.len ? path : STR("/");
    } else {
        path = str_printf(c->scratch, "%.*s/%.*s", STR_FMT(path), STR_FMT(str_from(rest, strlen("path/"))));
    }
    return compile_parts(c, path, out);
}
