// Who may call a function through an API: the function's policy, the role of an integration, the caller.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';

import { allowApis, api, control, fn, functions, invocation, lambdaProxy } from './support/apis.mjs';
import { account, eventually, region, request, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const hello = 'export const handler = async () => ({ statusCode: 200, body: "hello" });';
const trust = (Service) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] });
const allow = (Action, Resource = '*') => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] });

function says(answer, status, body) {
    assert.deepEqual([answer.status, answer.text], [status, body], answer.text);
}
// AWS's answer names no reason; its log does, and so does the trace.
async function shut(server, answer) {
    assert.deepEqual([answer.status, answer.json()], [500, { message: 'Internal server error' }]);
    assert.equal(answer.headers['x-amzn-errortype'], 'InternalServerErrorException');
    const trace = await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`);
    return trace.text;
}

test("a function's policy decides which APIs may call it", async (t) => {
    const server = await start(t);
    const arn = await fn(server, 'hello', hello, { shut: true });
    const lambda = functions(server);
    const one = await api(server, {
        'GET /a': { integration: lambdaProxy(arn) },
        'GET /b/{id}': { integration: lambdaProxy(arn) },
        'ANY /any': { integration: lambdaProxy(arn) },
        'GET /by-alias': { integration: lambdaProxy(`${arn}:live`) },
        'GET /gone': { integration: lambdaProxy(arn.replace(/hello$/, 'nobody')) },
        'POST /custom': { integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: invocation(arn) } },
    });
    const source = (rest) => `arn:aws:execute-api:${region}:${account}:${one.id}/${rest}`;
    const get = (path) => request(one.url + path);
    const only = async (more) => {
        await lambda.removePermission({ FunctionName: 'hello', StatementId: 'apis' }).catch(() => {});
        await allowApis(server, 'hello', more);
    };

    await t.test('without permission: 500, and the log says why', async () => {
        assert.match(await shut(server, await get('/a')), /apigateway\.amazonaws\.com may not call .*function:hello for arn:aws:execute-api/);
        await shut(server, await request(`${one.url}/custom`, { method: 'POST' }));
        await shut(server, await get('/gone'));
        assert.match(server.log(), /Execution failed due to configuration error: Invalid permissions on Lambda function/);
    });
    const rows = [
        ['every API', {}, { '/a': true, '/b/1': true }],
        ['this API', { SourceArn: source('*') }, { '/a': true, '/b/1': true }],
        ['one method', { SourceArn: source('*/GET/a') }, { '/a': true, '/b/1': false }],
        ['one resource with a parameter', { SourceArn: source('dev/GET/b/*') }, { '/a': false, '/b/1': true }],
        ['ANY is no method', { SourceArn: source('*/ANY/any') }, { '/any': false }],
        ['a star for ANY', { SourceArn: source('*/*/any') }, { '/any': true, '/a': false }],
        ['another stage', { SourceArn: source('prod/*') }, { '/a': false }],
        ['another API', { SourceArn: `arn:aws:execute-api:${region}:${account}:abcdefghij/*` }, { '/a': false }],
        ['this account', { SourceAccount: account }, { '/a': true }],
        ['another account', { SourceAccount: '111111111111' }, { '/a': false }],
        ['another service', { Principal: 's3.amazonaws.com' }, { '/a': false }],
        ['another action', { Action: 'lambda:GetFunction' }, { '/a': false }],
        ['all actions', { Action: 'lambda:*' }, { '/a': true }],
        ['everybody, for this API', { Principal: '*', SourceArn: source('*') }, { '/a': true }],
        ['an account', { Principal: account }, { '/a': false }],
    ];
    for (const [name, permission, paths] of rows)
        await t.test(name, async () => {
            await only(permission);
            for (const [path, open] of Object.entries(paths)) {
                const answer = await get(path);
                if (open) says(answer, 200, 'hello');
                else await shut(server, answer);
            }
        });
    await t.test('an alias has a policy of its own', async () => {
        const { Version } = await lambda.publishVersion({ FunctionName: 'hello' });
        await lambda.createAlias({ FunctionName: 'hello', Name: 'live', FunctionVersion: Version });
        await only({});
        await shut(server, await get('/by-alias'));
        await allowApis(server, 'hello', { Qualifier: 'live' });
        says(await get('/by-alias'), 200, 'hello');
        await lambda.removePermission({ FunctionName: 'hello', StatementId: 'apis' });
        says(await get('/by-alias'), 200, 'hello');
        await shut(server, await get('/a'));
    });
});

test("another account's function is called when its policy says so", async (t) => {
    const server = await start(t);
    const theirs = { credentials: { accessKeyId: '999999999999', secretAccessKey: 'x' } };
    const made = await functions(server, theirs).createFunction({
        FunctionName: 'theirs', Runtime: 'nodejs20.x', Handler: 'index.handler', Role: 'arn:aws:iam::999999999999:role/any',
        Code: { ZipFile: (await import('./support/zip.mjs')).zip({ 'index.mjs': hello }) },
    });
    assert.match(made.FunctionArn, /:999999999999:/);
    const one = await api(server, { 'GET /theirs': { integration: lambdaProxy(made.FunctionArn) } });
    await shut(server, await request(`${one.url}/theirs`));
    await allowApis(server, 'theirs', { SourceAccount: account }, theirs);
    says(await request(`${one.url}/theirs`), 200, 'hello');
});

test('Lambda authorizers ask the same policy', async (t) => {
    const server = await start(t);
    const gate = await fn(server, 'gate', `export const handler = async (event) => ({ principalId: 'p', policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }] } });`, { shut: true });
    const one = await api(server, {});
    const { id } = await control(server).createAuthorizer({ restApiId: one.id, name: 'gate', type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: invocation(gate), authorizerResultTtlInSeconds: 0 });
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));
    const { Role } = await send('CreateRole', { RoleName: 'gatekeeper', AssumeRolePolicyDocument: trust('apigateway.amazonaws.com') });
    const acting = await control(server).createAuthorizer({ restApiId: one.id, name: 'acting', type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: invocation(gate), authorizerCredentials: Role.Arn });
    await one.add('GET /x', { method: { authorizationType: 'CUSTOM', authorizerId: id } });
    await one.add('GET /acting', { method: { authorizationType: 'CUSTOM', authorizerId: acting.id } });
    await one.deploy();
    const get = (path) => request(one.url + path, { headers: { token: 'a' } });
    const closed = async (path) => {
        const answer = await get(path);
        assert.deepEqual([answer.status, answer.json(), answer.headers['x-amzn-errortype']], [500, { message: null }, 'AuthorizerConfigurationException']);
    };
    await closed('/x');
    assert.match(server.log(), /Invalid permissions on Lambda function/);
    await allowApis(server, 'gate', { SourceArn: `arn:aws:execute-api:${region}:${account}:${one.id}/authorizers/${id}` });
    assert.equal((await get('/x')).status, 200);
    await functions(server).removePermission({ FunctionName: 'gate', StatementId: 'apis' });
    await closed('/x');

    await closed('/acting');
    await send('PutRolePolicy', { RoleName: 'gatekeeper', PolicyName: 'p', PolicyDocument: allow('lambda:InvokeFunction', gate) });
    assert.equal((await get('/acting')).status, 200);
});

test('integrations act in a role, or as their caller', async (t) => {
    const server = await start(t);
    const arn = await fn(server, 'hello', hello, { shut: true });
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));
    const role = async (RoleName, service = 'apigateway.amazonaws.com') =>
        (await send('CreateRole', { RoleName, AssumeRolePolicyDocument: trust(service) })).Role.Arn;
    const invoker = await role('invoker');
    const stranger = await role('stranger', 'ec2.amazonaws.com');
    const later = `arn:aws:iam::${account}:role/later`;
    const as = (credentials) => lambdaProxy(arn, { credentials });
    const signer = { method: { authorizationType: 'AWS_IAM' } };
    const one = await api(server, {
        'GET /role': { integration: as(invoker) },
        'GET /stranger': { integration: as(stranger) },
        'GET /later': { integration: as(later) },
        'GET /caller': { ...signer, integration: as('arn:aws:iam::*:user/*') },
    });
    const get = (path) => request(one.url + path);

    await t.test("the role's policies decide, at once", async () => {
        await shut(server, await get('/role'));
        await send('PutRolePolicy', { RoleName: 'invoker', PolicyName: 'p', PolicyDocument: allow('lambda:InvokeFunction', arn) });
        says(await get('/role'), 200, 'hello');
        await send('DeleteRolePolicy', { RoleName: 'invoker', PolicyName: 'p' });
        await shut(server, await get('/role'));
    });
    await t.test('a role that does not trust API Gateway, or is not there', async () => {
        assert.match(await shut(server, await get('/stranger')), /does not have permission to assume the provided role/);
        await shut(server, await get('/later'));
        await role('later');
        await send('PutRolePolicy', { RoleName: 'later', PolicyName: 'p', PolicyDocument: allow('lambda:InvokeFunction') });
        await eventually('the new role is assumed', async () => (await get('/later')).status === 200);
        await send('DeleteRolePolicy', { RoleName: 'later', PolicyName: 'p' });
        await send('DeleteRole', { RoleName: 'later' });
        await shut(server, await get('/later'));
    });
    await t.test('keys are fetched anew before they expire', async () => {
        await send('PutRolePolicy', { RoleName: 'invoker', PolicyName: 'p', PolicyDocument: allow('lambda:InvokeFunction', arn) });
        says(await get('/role'), 200, 'hello');
        await request(`${server.url}/_gatehouse/clock`, { method: 'POST', body: JSON.stringify({ advance_s: 7200 }), headers: { 'content-type': 'application/json' } });
        says(await get('/role'), 200, 'hello');
    });
    await t.test("the caller's own permissions, passed through", async () => {
        for (const UserName of ['may', 'may-not']) await send('CreateUser', { UserName });
        await send('PutUserPolicy', { UserName: 'may', PolicyName: 'p', PolicyDocument: allow(['execute-api:Invoke', 'lambda:InvokeFunction']) });
        await send('PutUserPolicy', { UserName: 'may-not', PolicyName: 'p', PolicyDocument: allow('execute-api:Invoke') });
        const keys = async (UserName) => {
            const { AccessKey } = await send('CreateAccessKey', { UserName });
            return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
        };
        const good = await signed(`${one.url}/caller`, await keys('may'));
        assert.deepEqual([good.status, await good.text()], [200, 'hello']);
        assert.equal((await signed(`${one.url}/caller`, await keys('may-not'))).status, 500);
    });
});

test('whoever names a role for API Gateway must be allowed to pass it', async (t) => {
    const server = await start(t);
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));
    const roles = {};
    for (const RoleName of ['mine', 'admin']) roles[RoleName] = (await send('CreateRole', { RoleName, AssumeRolePolicyDocument: trust('apigateway.amazonaws.com') })).Role.Arn;
    await send('CreateUser', { UserName: 'dev' });
    await send('PutUserPolicy', {
        UserName: 'dev', PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [
            { Effect: 'Allow', Action: 'apigateway:*', Resource: '*' },
            { Effect: 'Allow', Action: 'iam:PassRole', Resource: roles.mine, Condition: { StringEquals: { 'iam:PassedToService': 'apigateway.amazonaws.com' } } },
        ] }),
    });
    const { AccessKey } = await send('CreateAccessKey', { UserName: 'dev' });
    const as = { credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } };
    const gateway = control(server, as);
    const { id: restApiId, rootResourceId: resourceId } = await gateway.createRestApi({ name: 'x' });
    const at = { restApiId, resourceId, httpMethod: 'GET' };
    await gateway.putMethod({ ...at, authorizationType: 'NONE' });
    const uri = invocation(`arn:aws:lambda:${region}:${account}:function:f`);
    const put = (credentials) => gateway.putIntegration({ ...at, type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri, credentials });
    const refused = (promise, role) => assert.rejects(promise, (error) => {
        assert.equal(error.name, 'AccessDeniedException');
        assert.equal(error.message, `User: arn:aws:iam::${account}:user/dev is not authorized to perform: iam:PassRole on resource: ${role} because no identity-based policy allows the iam:PassRole action`);
        return true;
    });
    await refused(put(roles.admin), roles.admin);
    await refused(put('${stageVariables.role}'), '${stageVariables.role}');
    await put(roles.mine);
    await put('arn:aws:iam::*:user/*');
    await refused(gateway.updateIntegration({ ...at, patchOperations: [{ op: 'replace', path: '/credentials', value: roles.admin }] }), roles.admin);
    await put(roles.mine);
    await gateway.updateIntegration({ ...at, patchOperations: [{ op: 'replace', path: '/timeoutInMillis', value: '1000' }] });
    const authorizer = (authorizerCredentials) => gateway.createAuthorizer({ restApiId, name: `a${Math.random()}`, type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: uri, authorizerCredentials });
    await refused(authorizer(roles.admin), roles.admin);
    const { id: authorizerId } = await authorizer(roles.mine);
    await refused(gateway.updateAuthorizer({ restApiId, authorizerId, patchOperations: [{ op: 'replace', path: '/authorizerCredentials', value: roles.admin }] }), roles.admin);
    const logs = (value) => gateway.updateAccount({ patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }] });
    await refused(logs(roles.admin), roles.admin);
    assert.equal((await logs(roles.mine)).cloudwatchRoleArn, roles.mine);
});
