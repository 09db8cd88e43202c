#include "identity/iam/policies/managed.h"

#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(actions) "{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"*\"}"
#define ALLOW_ON(actions, resource) "{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"" resource "\"}"
#define READ(service) "\"" service ":Get*\",\"" service ":List*\",\"" service ":Describe*\""
#define LOGS "\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\""
#define PASS_TO(service)                                                                              \
    "{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":" \
    "{\"iam:PassedToService\":\"" service "\"}}}"

/* Names, paths and what they grant are AWS's; the documents are written anew, for the services
 * that exist here. Sorted by name. */
static const struct managed_policy policies[] = {
    { "/service-role/", "AWSLambdaBasicExecutionRole", POLICY(ALLOW(LOGS)), "Write permissions to CloudWatch Logs." },
    { "/service-role/", "AWSLambdaDynamoDBExecutionRole",
      POLICY(ALLOW("\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\","
                   "\"dynamodb:ListStreams\"," LOGS)),
      "Read access to DynamoDB streams and write permissions to CloudWatch Logs." },
    { "/", "AWSLambdaExecute",
      POLICY(ALLOW_ON("\"logs:*\"", "arn:aws:logs:*:*:*") "," ALLOW_ON("\"s3:GetObject\",\"s3:PutObject\"",
                                                                       "arn:aws:s3:::*")),
      "Put and Get on S3, full access to CloudWatch Logs." },
    { "/service-role/", "AWSLambdaKinesisExecutionRole", POLICY(ALLOW(READ("kinesis") ",\"kinesis:SubscribeToShard\"," LOGS)),
      "Read access to Kinesis streams and write permissions to CloudWatch Logs." },
    { "/service-role/", "AWSLambdaRole", POLICY(ALLOW("\"lambda:InvokeFunction\"")), "Invoke functions." },
    { "/service-role/", "AWSLambdaSQSQueueExecutionRole",
      POLICY(ALLOW("\"sqs:ReceiveMessage\",\"sqs:DeleteMessage\",\"sqs:GetQueueAttributes\"," LOGS)),
      "Receive, delete and read attributes of SQS queues, write permissions to CloudWatch Logs." },
    { "/service-role/", "AWSLambdaVPCAccessExecutionRole",
      POLICY(ALLOW(LOGS ",\"ec2:CreateNetworkInterface\",\"ec2:DescribeNetworkInterfaces\",\"ec2:DescribeSubnets\","
                        "\"ec2:DeleteNetworkInterface\",\"ec2:AssignPrivateIpAddresses\","
                        "\"ec2:UnassignPrivateIpAddresses\"")),
      "Network interfaces in a VPC and write permissions to CloudWatch Logs." },
    { "/", "AWSLambda_FullAccess",
      POLICY(ALLOW("\"lambda:*\",\"iam:GetRole\",\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\","
                   "\"iam:ListRolePolicies\",\"iam:ListRoles\",\"logs:DescribeLogGroups\",\"cloudwatch:ListMetrics\","
                   "\"cloudwatch:GetMetricData\"") "," PASS_TO("lambda.amazonaws.com")),
      "Full access to Lambda." },
    { "/", "AWSLambda_ReadOnlyAccess", POLICY(ALLOW(READ("lambda") ",\"iam:GetRole\",\"iam:ListRoles\"")),
      "Read access to Lambda." },
    { "/", "AWSXRayDaemonWriteAccess", POLICY(ALLOW("\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\","
                                                    "\"xray:GetSamplingRules\",\"xray:GetSamplingTargets\"")),
      "Relay raw trace segments to X-Ray." },
    { "/", "AdministratorAccess", POLICY(ALLOW("\"*\"")), "Full access to services and resources." },
    { "/", "AmazonAPIGatewayAdministrator", POLICY(ALLOW_ON("\"apigateway:*\"", "arn:aws:apigateway:*::/*")),
      "Full access to create, edit and delete APIs." },
    { "/", "AmazonAPIGatewayInvokeFullAccess",
      POLICY(ALLOW_ON("\"execute-api:Invoke\",\"execute-api:ManageConnections\"", "arn:aws:execute-api:*:*:*")),
      "Invoke every API." },
    { "/service-role/", "AmazonAPIGatewayPushToCloudWatchLogs",
      POLICY(ALLOW(LOGS ",\"logs:DescribeLogGroups\",\"logs:DescribeLogStreams\",\"logs:GetLogEvents\","
                        "\"logs:FilterLogEvents\"")),
      "Lets API Gateway push logs." },
    { "/", "AmazonCognitoDeveloperAuthenticatedIdentities",
      POLICY(ALLOW("\"cognito-identity:GetOpenIdTokenForDeveloperIdentity\","
                   "\"cognito-identity:LookupDeveloperIdentity\",\"cognito-identity:MergeDeveloperIdentities\","
                   "\"cognito-identity:UnlinkDeveloperIdentity\"")),
      "Developer authenticated identities." },
    { "/", "AmazonCognitoPowerUser",
      POLICY(ALLOW("\"cognito-identity:*\",\"cognito-idp:*\",\"cognito-sync:*\",\"iam:ListRoles\","
                   "\"iam:ListOpenIdConnectProviders\",\"iam:GetRole\",\"iam:ListSAMLProviders\","
                   "\"iam:GetSAMLProvider\"")),
      "Administrative access to Cognito." },
    { "/", "AmazonCognitoReadOnly",
      POLICY(ALLOW(READ("cognito-identity") "," READ("cognito-idp") ",\"cognito-idp:AdminGet*\",\"cognito-idp:AdminList*\","
                   "\"iam:ListRoles\",\"iam:GetRole\"")),
      "Read access to Cognito." },
    { "/", "AmazonDynamoDBFullAccess", POLICY(ALLOW("\"dynamodb:*\"")), "Full access to DynamoDB." },
    { "/", "AmazonDynamoDBReadOnlyAccess",
      POLICY(ALLOW(READ("dynamodb") ",\"dynamodb:BatchGetItem\",\"dynamodb:Query\",\"dynamodb:Scan\"")),
      "Read access to DynamoDB." },
    { "/", "AmazonS3FullAccess", POLICY(ALLOW("\"s3:*\",\"s3-object-lambda:*\"")), "Full access to S3." },
    { "/", "AmazonS3ReadOnlyAccess", POLICY(ALLOW(READ("s3"))), "Read access to S3." },
    { "/", "AmazonSNSFullAccess", POLICY(ALLOW("\"sns:*\"")), "Full access to SNS." },
    { "/", "AmazonSQSFullAccess", POLICY(ALLOW("\"sqs:*\"")), "Full access to SQS." },
    { "/", "CloudWatchLogsFullAccess", POLICY(ALLOW("\"logs:*\"")), "Full access to CloudWatch Logs." },
    { "/", "IAMFullAccess", POLICY(ALLOW("\"iam:*\"")), "Full access to IAM." },
    { "/", "IAMReadOnlyAccess",
      POLICY(ALLOW("\"iam:GenerateCredentialReport\",\"iam:GenerateServiceLastAccessedDetails\",\"iam:Get*\","
                   "\"iam:List*\",\"iam:SimulateCustomPolicy\",\"iam:SimulatePrincipalPolicy\"")),
      "Read access to IAM." },
    { "/", "IAMUserChangePassword",
      POLICY(ALLOW_ON("\"iam:ChangePassword\"", "arn:aws:iam::*:user/${aws:username}") "," ALLOW(
          "\"iam:GetAccountPasswordPolicy\"")),
      "Lets a user change the own password." },
    { "/", "PowerUserAccess",
      POLICY("{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"organizations:*\",\"account:*\"],\"Resource\":\"*\"}," ALLOW(
          "\"iam:CreateServiceLinkedRole\",\"iam:DeleteServiceLinkedRole\",\"iam:ListRoles\"")),
      "Full access to services and resources, but not to users and groups." },
    { "/", "ReadOnlyAccess",
      POLICY(ALLOW(READ("apigateway") ",\"apigateway:GET\"," READ("cognito-identity") "," READ("cognito-idp") ","
                   READ("iam") "," READ("lambda") "," READ("logs") "," READ("s3") "," READ("dynamodb") "," READ("sqs") ","
                   READ("sns"))),
      "Read access to services and resources." },
};

static bool is_arn_of(const struct managed_policy *policy, struct str rest)
{
    size_t path = strlen(policy->path);
    return str_starts(rest, str_of(policy->path)) && str_is(str_from(rest, path), policy->name);
}

const struct managed_policy *managed_find(struct str arn)
{
    struct str prefix = STR("arn:aws:iam::aws:policy");
    if (!str_starts(arn, prefix))
        return NULL;
    for (size_t i = 0; i < COUNT(policies); i++)
        if (is_arn_of(&policies[i], str_from(arn, prefix.len)))
            return &policies[i];
    return NULL;
}

size_t managed_count(void)
{
    return COUNT(policies);
}

const struct managed_policy *managed_at(size_t index)
{
    return &policies[index];
}
