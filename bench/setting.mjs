// What the rows call: one API over the backend, a user pool with a user, a function.
import {
    APIGatewayClient, CreateAuthorizerCommand, CreateDeploymentCommand, CreateResourceCommand, CreateRestApiCommand,
    PutIntegrationCommand, PutIntegrationResponseCommand, PutMethodCommand, PutMethodResponseCommand, UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import {
    AdminCreateUserCommand, AdminSetUserPasswordCommand, CognitoIdentityProviderClient, CreateUserPoolClientCommand,
    CreateUserPoolCommand, InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../tests/e2e/support/harness.mjs';
import { zip } from '../tests/e2e/support/zip.mjs';
import { answer } from './nginx.mjs';

export const password = 'Engine-1843!';

const gate = `
def handler(event, context):
    statement = {'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': event['methodArn']}
    return {'principalId': 'ada', 'context': {'tier': 'gold'}, 'policyDocument': {'Version': '2012-10-17', 'Statement': [statement]}}
`;

async function api(server, backend, poolArn, gateArn) {
    const apigateway = server.client(APIGatewayClient);
    const { id: restApiId, rootResourceId: parentId } = await apigateway.send(new CreateRestApiCommand({ name: 'bench' }));
    const { id: authorizerId } = await apigateway.send(new CreateAuthorizerCommand({ restApiId, name: 'pool', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [poolArn] }));
    const { id: gateId } = await apigateway.send(new CreateAuthorizerCommand({ restApiId, name: 'gate', type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${gateArn}/invocations`, authorizerResultTtlInSeconds: 3600 }));
    const route = async (pathPart, method, integration) => {
        const { id: resourceId } = await apigateway.send(new CreateResourceCommand({ restApiId, parentId, pathPart }));
        const where = { restApiId, resourceId, httpMethod: 'GET' };
        await apigateway.send(new PutMethodCommand({ ...where, authorizationType: 'NONE', ...method }));
        await apigateway.send(new PutIntegrationCommand({ ...where, ...integration }));
        if (integration.type !== 'MOCK') return;
        await apigateway.send(new PutMethodResponseCommand({ ...where, statusCode: '200' }));
        await apigateway.send(new PutIntegrationResponseCommand({ ...where, statusCode: '200', responseTemplates: { 'application/json': answer } }));
    };
    const proxy = { type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri: `${backend}/` };
    await route('mock', {}, { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
    await route('gated', { authorizationType: 'CUSTOM', authorizerId: gateId }, { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
    await route('known', { authorizationType: 'COGNITO_USER_POOLS', authorizerId }, { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
    await route('proxy', {}, proxy);
    await route('cognito', { authorizationType: 'COGNITO_USER_POOLS', authorizerId }, proxy);
    await route('iam', { authorizationType: 'AWS_IAM' }, proxy);
    // A third one with a cache, whose key has one query parameter.
    await route('cached', { requestParameters: { 'method.request.querystring.q': false } }, { ...proxy, cacheKeyParameters: ['method.request.querystring.q'] });
    // Two stages of one deployment: one bare, one with throttling and an access log on every method.
    for (const stageName of ['open', 'full', 'cached']) await apigateway.send(new CreateDeploymentCommand({ restApiId, stageName }));
    await apigateway.send(new UpdateStageCommand({
        restApiId, stageName: 'cached',
        patchOperations: [{ op: 'replace', path: '/cacheClusterEnabled', value: 'true' }, { op: 'replace', path: '/*/*/caching/enabled', value: 'true' }, { op: 'replace', path: '/*/*/caching/ttlInSeconds', value: '3600' },
            { op: 'replace', path: '/*/*/throttling/rateLimit', value: '-1' }, { op: 'replace', path: '/*/*/throttling/burstLimit', value: '-1' }],
    }));
    await apigateway.send(new UpdateStageCommand({
        restApiId, stageName: 'full',
        patchOperations: [
            { op: 'replace', path: '/*/*/throttling/rateLimit', value: '1000000' },
            { op: 'replace', path: '/*/*/throttling/burstLimit', value: '1000000' },
            { op: 'replace', path: '/accessLogSettings/destinationArn', value: 'arn:aws:logs:us-east-1:000000000000:log-group:bench' },
            { op: 'replace', path: '/accessLogSettings/format', value: '$context.requestId $context.identity.sourceIp $context.requestTime "$context.httpMethod $context.path" $context.status $context.responseLength' },
        ],
    }));
    return (stage, name) => `${server.url}/_aws/execute-api/${restApiId}/${stage}/${name}`;
}

async function pool(server) {
    const idp = server.client(CognitoIdentityProviderClient);
    const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'bench' }));
    const UserPoolId = UserPool.Id;
    const { UserPoolClient } = await idp.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: 'bench', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] }));
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ada', MessageAction: 'SUPPRESS' }));
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ada', Password: password, Permanent: true }));
    const { ClientId } = UserPoolClient;
    const { AuthenticationResult } = await idp.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: password } }));
    return { id: UserPoolId, arn: UserPool.Arn, ClientId, token: AuthenticationResult.IdToken };
}

async function user(server) {
    const iam = server.client(IAMClient);
    await iam.send(new CreateUserCommand({ UserName: 'bench' }));
    await iam.send(new PutUserPolicyCommand({ UserName: 'bench', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['execute-api:Invoke', 'lambda:InvokeFunction'], Resource: '*' }] }) }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'bench' }));
    return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}

// Its policy lets API Gateway call it.
async function gateFunction(server) {
    const lambda = server.client(LambdaClient);
    const { FunctionArn } = await lambda.send(new CreateFunctionCommand({ FunctionName: 'gate', Runtime: 'python3.12', Handler: 'index.handler', Role: 'arn:aws:iam::000000000000:role/any', Code: { ZipFile: zip({ 'index.py': gate }) } }));
    await lambda.send(new AddPermissionCommand({ FunctionName: 'gate', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }));
    return FunctionArn;
}

async function compiledFunction(server, folder) {
    const bootstrap = path.join(folder, 'bootstrap');
    execFileSync('cc', ['-O2', '-static', '-o', bootstrap, path.join(root, 'bench/bootstrap.c')]);
    const { Role } = await server.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'bench', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }) }));
    await server.client(LambdaClient).send(new CreateFunctionCommand({ FunctionName: 'bench', Runtime: 'provided.al2023', Handler: 'x', Role: Role.Arn, Code: { ZipFile: zip({ bootstrap: fs.readFileSync(bootstrap) }) } }));
    return `${server.url}/2015-03-31/functions/bench/invocations`;
}

export async function setTheScene(server, backend, folder) {
    const users = await pool(server);
    return {
        pool: users,
        url: await api(server, backend, users.arn, await gateFunction(server)),
        user: await user(server),
        functionUrl: await compiledFunction(server, folder),
    };
}
