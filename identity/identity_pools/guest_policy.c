#include "identity/identity_pools/guest_policy.h"

/* "Amazon Cognito applies a scope-down policy to unauthenticated users: they reach the services of this list only."
 * Two documents on AWS, one inline and one managed (AmazonCognitoUnAuthedIdentitiesSessionPolicy); what either allows
 * may pass, so that here they are two statements. */
const struct str guest_session_policy = STR_INIT(
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"GuestServices\",\"Effect\":\"Allow\",\"Action\":["
    "\"appsync:*\",\"cloudwatch:*\",\"codewhisperer:*\",\"cognito-identity:*\",\"cognito-idp:*\",\"cognito-sync:*\","
    "\"comprehend:*\",\"dynamodb:*\",\"execute-api:*\",\"firehose:*\",\"gamelift:*\",\"iot:*\",\"kinesis:*\",\"lambda:*\","
    "\"lex:*\",\"logs:*\",\"machinelearning:*\",\"mobileanalytics:*\",\"mobiletargeting:*\",\"personalize:*\",\"polly:*\","
    "\"rekognition:*\",\"s3:*\",\"sagemaker:InvokeEndpoint\",\"sdb:*\",\"ses:*\",\"sns:*\",\"sqs:*\","
    "\"textract:AnalyzeDocument\",\"textract:DetectDocumentText\",\"transcribe:*\",\"translate:*\"],\"Resource\":\"*\"},"
    "{\"Sid\":\"GuestOperations\",\"Effect\":\"Allow\",\"Action\":[\"rum:PutRumEvents\",\"geo:GetMap*\",\"geo:ListMaps\","
    "\"geo:SearchPlaceIndex*\",\"geo:GetPlace\",\"geo:CalculateRoute*\",\"geo:*Geofence\",\"geo:*Geofences\","
    "\"geo:*DevicePosition*\",\"kms:Encrypt\",\"kms:Decrypt\",\"kms:ReEncryptTo\",\"kms:ReEncryptFrom\","
    "\"kms:GenerateDataKey\",\"kms:GenerateDataKeyPair\",\"kms:GenerateDataKeyPairWithoutPlaintext\","
    "\"kms:GenerateDataKeyWithoutPlaintext\"],\"Resource\":\"*\"}]}");
