#include "identity/iam/reports/service_name.h"

/* Those of this server, and those that functions and integrations usually call. */
static const struct {
    const char *namespace, *name;
} rows[] = {
    { "acm", "AWS Certificate Manager" },
    { "apigateway", "Amazon API Gateway Management" },
    { "bedrock", "Amazon Bedrock" },
    { "cloudformation", "AWS CloudFormation" },
    { "cloudfront", "Amazon CloudFront" },
    { "cloudwatch", "Amazon CloudWatch" },
    { "cognito-identity", "Amazon Cognito Identity" },
    { "cognito-idp", "Amazon Cognito User Pools" },
    { "cognito-sync", "Amazon Cognito Sync" },
    { "dynamodb", "Amazon DynamoDB" },
    { "ec2", "Amazon EC2" },
    { "ecr", "Amazon Elastic Container Registry" },
    { "events", "Amazon EventBridge" },
    { "execute-api", "Amazon API Gateway" },
    { "firehose", "Amazon Kinesis Firehose" },
    { "iam", "AWS Identity and Access Management" },
    { "kinesis", "Amazon Kinesis Data Streams" },
    { "kms", "AWS Key Management Service" },
    { "lambda", "AWS Lambda" },
    { "logs", "Amazon CloudWatch Logs" },
    { "organizations", "AWS Organizations" },
    { "rds", "Amazon RDS" },
    { "route53", "Amazon Route 53" },
    { "s3", "Amazon S3" },
    { "secretsmanager", "AWS Secrets Manager" },
    { "ses", "Amazon SES" },
    { "sns", "Amazon SNS" },
    { "sqs", "Amazon SQS" },
    { "ssm", "AWS Systems Manager" },
    { "states", "AWS Step Functions" },
    { "sts", "AWS Security Token Service" },
    { "wafv2", "AWS WAF V2" },
    { "xray", "AWS X-Ray" },
};

size_t service_count(void)
{
    return COUNT(rows);
}

struct str service_at(size_t i)
{
    return str_of(rows[i].namespace);
}

struct str service_name(struct str namespace)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_is(namespace, rows[i].namespace))
            return str_of(rows[i].name);
    return namespace;
}
