// Every condition key that this server can know: an allow and a deny under it, when it fits and when it does not.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as apigw from '@aws-sdk/client-api-gateway';
import * as idpSdk from '@aws-sdk/client-cognito-identity-provider';
import * as iamSdk from '@aws-sdk/client-iam';
import * as lambdaSdk from '@aws-sdk/client-lambda';
import * as stsSdk from '@aws-sdk/client-sts';

import { api, fn, mock } from './support/apis.mjs';
import { account, region, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const keysOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
const short = (sdk, client) => new Proxy({}, { get: (_, name) => (input = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)) });
const clients = new Map();
function as(sdk, credentials) {
    const key = `${Object.keys(sdk).length} ${credentials?.accessKeyId}`;
    const Client = Object.entries(sdk).find(([name]) => /^(APIGateway|CognitoIdentityProvider|IAM|Lambda|STS)Client$/.test(name))[1];
    if (!clients.has(key)) clients.set(key, short(sdk, server.client(Client, credentials && { credentials })));
    return clients.get(key);
}
// 'in' when the call got past its policies, whatever the operation says then.
async function outcome(call) {
    try {
        const answer = await call();
        if (answer instanceof Response) return answer.status === 403 || /AccessDenied/.test(await answer.text()) ? 'out' : 'in';
        return 'in';
    } catch (error) {
        if (/^AccessDenied/.test(error.name)) return 'out';
        if (/Credential|Signature|Token|ECONN/.test(error.name + error.code)) throw error;
        return 'in';
    }
}

let server, ann, iam;
test.before(async () => {
    server = await start(null);
    iam = as(iamSdk);
    const { User } = await iam.createUser({ UserName: 'ann', Path: '/staff/', Tags: [{ Key: 'team', Value: 'red' }] });
    ann = { ...keysOf((await iam.createAccessKey({ UserName: 'ann' })).AccessKey), arn: User.Arn, id: User.UserId };
});
test.after(() => server.discard());

// As root, without the SDK: there are hundreds of them.
const putter = (Action, name) => {
    const body = (PolicyDocument) => new URLSearchParams({ Action, Version: '2010-05-08', ...name, PolicyName: 'own', PolicyDocument }).toString();
    return async (document) => {
        const answer = await signed(server.url, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'iam', method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body(document) });
        assert.equal(answer.status, 200, await answer.text());
    };
};
const set = putter('PutUserPolicy', { UserName: 'ann' });
const allow = (Condition) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...(Condition && { Condition }) });
const deny = (Condition) => ({ Effect: 'Deny', Action: '*', Resource: '*', Condition });

// One key: under `good` the call is allowed, or denied; under `bad` it is the other way round.
async function row(key, operator, good, bad, call, put = set) {
    const under = (value) => ({ [operator]: { [key]: value } });
    for (const [statements, expected, label] of [
        [[allow(under(good))], 'in', `allowed when ${operator} ${good}`],
        [[allow(under(bad))], 'out', `not allowed when ${operator} ${bad}`],
        [[allow(), deny(under(good))], 'out', `denied when ${operator} ${good}`],
        [[allow(), deny(under(bad))], 'in', `not denied when ${operator} ${bad}`],
    ]) {
        await put(policy(...statements));
        assert.equal(await outcome(call), expected, `${key}: ${label}, at ${call}`);
    }
}
const absent = async (key, call, put) => row(key, 'Null', 'true', 'false', call, put);

test('of the request and its principal', async () => {
    const headers = { 'user-agent': 'probe/1.0', referer: 'https://page.example/', 'content-type': 'application/x-www-form-urlencoded' };
    const list = () => signed(server.url, ann, { service: 'iam', method: 'POST', headers, body: 'Action=ListUsers&Version=2010-05-08' });
    const rows = [
        ['aws:SourceIp', 'IpAddress', '127.0.0.0/8', '10.0.0.0/8'],
        ['aws:SourceIp', 'NotIpAddress', '10.0.0.0/8', '127.0.0.0/8'],
        ['aws:CurrentTime', 'DateGreaterThan', '2020-01-01T00:00:00Z', '2199-01-01T00:00:00Z'],
        ['aws:EpochTime', 'NumericGreaterThan', '1500000000', '9999999999'],
        ['aws:EpochTime', 'DateLessThan', '2199-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
        ['aws:SecureTransport', 'Bool', 'false', 'true'],
        ['aws:UserAgent', 'StringLike', 'probe/*', 'other/*'],
        ['aws:Referer', 'StringEquals', 'https://page.example/', 'https://elsewhere.example/'],
        ['aws:PrincipalArn', 'ArnEquals', ann.arn, `arn:aws:iam::${account}:user/ben`],
        ['aws:PrincipalAccount', 'StringEquals', account, '111111111111'],
        ['aws:PrincipalType', 'StringEquals', 'User', 'AssumedRole'],
        ['aws:PrincipalIsAWSService', 'Bool', 'false', 'true'],
        ['aws:ViaAWSService', 'Bool', 'false', 'true'],
        ['aws:userid', 'StringEquals', ann.id, 'AIDAOTHER'],
        ['aws:username', 'StringEquals', 'ann', 'ben'],
        ['aws:PrincipalTag/team', 'StringEquals', 'red', 'blue'],
        ['aws:RequestedRegion', 'StringEquals', region, 'eu-west-1'],
        ['aws:ResourceAccount', 'StringEquals', account, '111111111111'],
    ];
    for (const [key, operator, good, bad] of rows) await row(key, operator, good, bad, list);
    for (const key of ['aws:MultiFactorAuthPresent', 'aws:MultiFactorAuthAge', 'aws:TokenIssueTime', 'aws:FederatedProvider', 'aws:SourceIdentity', 'aws:CalledVia', 'aws:CalledViaFirst',
        'aws:SourceArn', 'aws:SourceAccount', 'aws:SourceVpc', 'aws:SourceVpce', 'aws:PrincipalServiceName', 'aws:PrincipalTag/none'])
        await absent(key, list);
});

test('of a session', async () => {
    const trust = policy({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'], Principal: { AWS: ann.arn } });
    const { Role } = await iam.createRole({ RoleName: 'actor', AssumeRolePolicyDocument: trust, Tags: [{ Key: 'team', Value: 'green' }, { Key: 'site', Value: 'north' }] });
    await set(policy(allow()));
    const session = keysOf((await as(stsSdk, ann).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'first', SourceIdentity: 'ann', Tags: [{ Key: 'team', Value: 'blue' }] })).Credentials);
    const put = putter('PutRolePolicy', { RoleName: 'actor' });
    const list = () => as(iamSdk, session).listUsers();
    const rows = [
        ['aws:PrincipalArn', 'ArnEquals', Role.Arn, `arn:aws:sts::${account}:assumed-role/actor/first`],
        ['aws:PrincipalType', 'StringEquals', 'AssumedRole', 'User'],
        ['aws:userid', 'StringEquals', `${Role.RoleId}:first`, Role.RoleId],
        ['aws:PrincipalTag/team', 'StringEquals', 'blue', 'green'],
        ['aws:PrincipalTag/site', 'StringEquals', 'north', 'south'],
        ['aws:SourceIdentity', 'StringEquals', 'ann', 'ben'],
        ['aws:MultiFactorAuthPresent', 'Bool', 'false', 'true'],
        ['aws:TokenIssueTime', 'DateGreaterThan', '2020-01-01T00:00:00Z', '2199-01-01T00:00:00Z'],
    ];
    for (const [key, operator, good, bad] of rows) await row(key, operator, good, bad, list, put);
    for (const key of ['aws:username', 'aws:MultiFactorAuthAge', 'aws:FederatedProvider']) await absent(key, list, put);
});

test('of what is asked for', async () => {
    const other = { iam: as(iamSdk, ann), lambda: as(lambdaSdk, ann), idp: as(idpSdk, ann), gateway: as(apigw, ann) };
    const boundary = 'arn:aws:iam::aws:policy/ReadOnlyAccess', restApiId = 'none';
    const patch = (path, value) => ({ patchOperations: [{ op: 'replace', path, value }] });
    const layer = `arn:aws:lambda:${region}:${account}:layer:tools:1`;
    const code = { FunctionName: 'f', Role: `arn:aws:iam::${account}:role/actor`, Code: { ZipFile: new Uint8Array([1]) } };
    const signing = `arn:aws:lambda:${region}:${account}:code-signing-config:csc-0123456789abcdef0`;
    const rows = [
        ['aws:RequestTag/team', 'StringEquals', 'red', 'blue', () => other.idp.createUserPool({ PoolName: 'p', UserPoolTags: { team: 'red' } })],
        ['aws:TagKeys', 'ForAllValues:StringEquals', ['team', 'site'], 'site', () => other.idp.createUserPool({ PoolName: 'p', UserPoolTags: { team: 'red' } })],
        ['aws:TagKeys', 'ForAnyValue:StringEquals', 'team', 'site', () => other.iam.untagUser({ UserName: 'none', TagKeys: ['team'] })],
        ['aws:RequestTag/team', 'StringEquals', 'red', 'blue', () => other.iam.tagRole({ RoleName: 'none', Tags: [{ Key: 'team', Value: 'red' }] })],
        ['iam:PermissionsBoundary', 'ArnEquals', boundary, `${boundary}2`, () => other.iam.putUserPermissionsBoundary({ UserName: 'none', PermissionsBoundary: boundary })],
        ['iam:PermissionsBoundary', 'ArnEquals', boundary, `${boundary}2`, () => other.iam.createUser({ UserName: 'in*valid', PermissionsBoundary: boundary })],
        ['iam:PolicyARN', 'ArnEquals', boundary, `${boundary}2`, () => other.iam.attachUserPolicy({ UserName: 'none', PolicyArn: boundary })],
        ['iam:AWSServiceName', 'StringEquals', 'none.amazonaws.com', 'x.amazonaws.com', () => other.iam.createServiceLinkedRole({ AWSServiceName: 'none.amazonaws.com' })],
        ['iam:ServiceSpecificCredentialServiceName', 'StringEquals', 'bedrock.amazonaws.com', 'x.amazonaws.com', () => other.iam.createServiceSpecificCredential({ UserName: 'none', ServiceName: 'bedrock.amazonaws.com' })],
        ['lambda:Layer', 'ForAllValues:StringEquals', layer, `${layer}2`, () => other.lambda.createFunction({ ...code, Layers: [layer] })],
        ['lambda:SubnetIds', 'ForAllValues:StringEquals', 'subnet-1', 'subnet-2', () => other.lambda.createFunction({ ...code, VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } })],
        ['lambda:SecurityGroupIds', 'ForAllValues:StringEquals', 'sg-1', 'sg-2', () => other.lambda.updateFunctionConfiguration({ FunctionName: 'f', VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } })],
        ['lambda:CodeSigningConfigArn', 'ArnEquals', signing, `${signing.slice(0, -1)}1`, () => other.lambda.createFunction({ ...code, CodeSigningConfigArn: signing })],
        ['lambda:Principal', 'StringEquals', 's3.amazonaws.com', 'sns.amazonaws.com', () => other.lambda.addPermission({ FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' })],
        ['lambda:FunctionUrlAuthType', 'StringEquals', 'NONE', 'AWS_IAM', () => other.lambda.addPermission({ FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunctionUrl', Principal: '*', FunctionUrlAuthType: 'NONE' })],
        ['lambda:FunctionArn', 'ArnEquals', `arn:aws:lambda:${region}:${account}:function:f`, `arn:aws:lambda:${region}:${account}:function:g`, () => other.lambda.getFunctionUrlConfig({ FunctionName: 'f' })],
        ['apigateway:Request/ApiName', 'StringEquals', 'shop', 'bank', () => other.gateway.createRestApi({ name: 'shop' })],
        ['apigateway:Request/ApiName', 'StringEquals', 'shop', 'bank', () => other.gateway.updateRestApi({ restApiId, ...patch('/name', 'shop') })],
        ['apigateway:Request/EndpointType', 'ForAllValues:StringEquals', ['REGIONAL', 'PRIVATE'], 'EDGE', () => other.gateway.createRestApi({ name: 'shop', endpointConfiguration: { types: ['REGIONAL'] } })],
        ['apigateway:Request/EndpointType', 'ForAllValues:StringEquals', 'REGIONAL', 'EDGE', () => other.gateway.updateRestApi({ restApiId, ...patch('/endpointConfiguration/types/EDGE', 'REGIONAL') })],
        ['apigateway:Request/DisableExecuteApiEndpoint', 'Bool', 'true', 'false', () => other.gateway.createRestApi({ name: 'shop', disableExecuteApiEndpoint: true })],
        ['apigateway:Request/ApiKeyRequired', 'ForAllValues:Bool', 'true', 'false', () => other.gateway.putMethod({ restApiId, resourceId: 'r', httpMethod: 'GET', authorizationType: 'NONE', apiKeyRequired: true })],
        ['apigateway:Request/RouteAuthorizationType', 'ForAllValues:StringEquals', 'AWS_IAM', 'NONE', () => other.gateway.putMethod({ restApiId, resourceId: 'r', httpMethod: 'GET', authorizationType: 'AWS_IAM' })],
        ['apigateway:Request/AuthorizerType', 'StringEquals', 'TOKEN', 'REQUEST', () => other.gateway.createAuthorizer({ restApiId, name: 'a', type: 'TOKEN' })],
        ['apigateway:Request/AuthorizerUri', 'StringLike', '*:function:gate/*', '*:function:other/*', () => other.gateway.createAuthorizer({ restApiId, name: 'a', type: 'TOKEN', authorizerUri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${region}:${account}:function:gate/invocations` })],
        ['apigateway:Request/StageName', 'StringEquals', 'dev', 'prod', () => other.gateway.createDeployment({ restApiId, stageName: 'dev' })],
        ['apigateway:Request/AccessLoggingDestination', 'ArnLike', 'arn:aws:logs:*:*:log-group:a', 'arn:aws:logs:*:*:log-group:b', () => other.gateway.updateStage({ restApiId, stageName: 'dev', ...patch('/accessLogSettings/destinationArn', `arn:aws:logs:${region}:${account}:log-group:a`) })],
        ['apigateway:Request/SecurityPolicy', 'StringEquals', 'TLS_1_2', 'TLS_1_0', () => other.gateway.createDomainName({ domainName: 'x.test', securityPolicy: 'TLS_1_2' })],
        ['apigateway:Request/MtlsTrustStoreUri', 'StringEquals', 's3://b/ca.pem', 's3://b/x.pem', () => other.gateway.createDomainName({ domainName: 'x.test', mutualTlsAuthentication: { truststoreUri: 's3://b/ca.pem' } })],
    ];
    for (const [key, operator, good, bad, call] of rows) await row(key, operator, good, bad, call);
});

test('of what is there', async () => {
    const hello = await fn(server, 'hello', 'export const handler = async () => 1;');
    await as(lambdaSdk).tagResource({ Resource: hello, Tags: { team: 'red' } });
    const { UserPool } = await as(idpSdk).createUserPool({ PoolName: 'tagged', UserPoolTags: { team: 'red' } });
    const gateway = as(apigw);
    const made = await api(server, { 'GET /a': { method: { authorizationType: 'AWS_IAM', apiKeyRequired: true }, integration: mock } }, { name: 'shop', make: { tags: { team: 'red', place: 'api' }, endpointConfiguration: { types: ['REGIONAL'] } } });
    const restApiId = made.id, stage = `arn:aws:apigateway:${region}::/restapis/${restApiId}/stages/dev`;
    await gateway.tagResource({ resourceArn: stage, tags: { place: 'stage' } });
    const authorizer = await gateway.createAuthorizer({ restApiId, name: 'pool', type: 'COGNITO_USER_POOLS', providerARNs: [UserPool.Arn] });
    const plan = await gateway.createUsagePlan({ name: 'p', tags: { team: 'red' } });
    const key = await gateway.createApiKey({ name: 'k', tags: { team: 'red' } });
    await iam.createRole({ RoleName: 'tagged', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: account } }), Tags: [{ Key: 'team', Value: 'red' }] });
    const { Policy } = await iam.createPolicy({ PolicyName: 'tagged', PolicyDocument: policy(allow()), Tags: [{ Key: 'team', Value: 'red' }] });
    const a = { iam: as(iamSdk, ann), lambda: as(lambdaSdk, ann), idp: as(idpSdk, ann), gateway: as(apigw, ann) };
    const tag = 'aws:ResourceTag/team';
    const rows = [
        [tag, 'StringEquals', 'red', 'blue', () => a.lambda.getFunction({ FunctionName: 'hello' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.lambda.invoke({ FunctionName: 'hello', InvocationType: 'DryRun' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.idp.describeUserPool({ UserPoolId: UserPool.Id })],
        [tag, 'StringEquals', 'red', 'blue', () => a.idp.adminGetUser({ UserPoolId: UserPool.Id, Username: 'none' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.gateway.getRestApi({ restApiId })],
        [tag, 'StringEquals', 'red', 'blue', () => a.gateway.getResources({ restApiId })],
        [tag, 'StringEquals', 'red', 'blue', () => a.gateway.getTags({ resourceArn: stage })],
        ['aws:ResourceTag/place', 'StringEquals', 'stage', 'api', () => a.gateway.getStage({ restApiId, stageName: 'dev' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.gateway.getUsagePlan({ usagePlanId: plan.id })],
        [tag, 'StringEquals', 'red', 'blue', () => a.gateway.getApiKey({ apiKey: key.id })],
        [tag, 'StringEquals', 'red', 'blue', () => a.iam.getRole({ RoleName: 'tagged' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.iam.getUser({})],
        ['iam:ResourceTag/team', 'StringEquals', 'red', 'blue', () => a.iam.getRole({ RoleName: 'tagged' })],
        [tag, 'StringEquals', 'red', 'blue', () => a.iam.getPolicy({ PolicyArn: Policy.Arn })],
        ['apigateway:Resource/ApiName', 'StringEquals', 'shop', 'bank', () => a.gateway.getRestApi({ restApiId })],
        ['apigateway:Resource/RouteAuthorizationType', 'ForAnyValue:StringEquals', 'AWS_IAM', 'NONE', async () => a.gateway.getMethod({ restApiId, resourceId: await made.resources.id('/a'), httpMethod: 'GET' })],
        ['apigateway:Resource/ApiKeyRequired', 'ForAnyValue:Bool', 'true', 'false', async () => a.gateway.getMethod({ restApiId, resourceId: await made.resources.id('/a'), httpMethod: 'GET' })],
        ['apigateway:Resource/AuthorizerType', 'StringEquals', 'COGNITO_USER_POOLS', 'TOKEN', () => a.gateway.getAuthorizer({ restApiId, authorizerId: authorizer.id })],
        ['apigateway:Resource/EndpointType', 'ForAnyValue:StringEquals', 'REGIONAL', 'EDGE', () => a.gateway.getRestApi({ restApiId })],
    ];
    for (const [name, operator, good, bad, call] of rows) await row(name, operator, good, bad, call);
});

// Case c26: whoever makes a service act on his behalf does not get what was meant for another.
test('the confused deputy is turned away', async () => {
    const lambda = as(lambdaSdk);
    const target = await fn(server, 'target', 'export const handler = async () => ({ statusCode: 200, body: "hello" });', { shut: true });
    const uri = `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${target}/invocations`;
    const made = await api(server, { 'GET /t': { integration: { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri } } });
    const source = (id) => `arn:aws:execute-api:${region}:${account}:${id}/*`;
    for (const [permission, open] of [
        [{ SourceArn: source(made.id), SourceAccount: account }, true],
        [{ SourceArn: source('otherapi00') }, false],
        [{ SourceArn: source(made.id).replace(account, '111111111111') }, false],
        [{ SourceAccount: '111111111111' }, false],
        [{ SourceArn: source(made.id), SourceAccount: '111111111111' }, false],
        [{ SourceArn: source('otherapi00'), SourceAccount: account }, false],
    ]) {
        await lambda.addPermission({ FunctionName: 'target', StatementId: 'one', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', ...permission });
        assert.equal((await fetch(`${made.url}/t`)).status, open ? 200 : 500, JSON.stringify(permission));
        await lambda.removePermission({ FunctionName: 'target', StatementId: 'one' });
    }
});
