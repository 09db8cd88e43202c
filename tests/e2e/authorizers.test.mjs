// Lambda and Cognito authorizers of REST APIs: who is asked, what is remembered, what their answers mean.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';

import { api, control, fn, invocation } from './support/apis.mjs';
import { account, eventually, region, request, start } from './support/harness.mjs';

const uri = invocation(`arn:aws:lambda:${region}:${account}:function:f`);
const internal = { message: null };
async function refused(answer, status, type, body, why) {
    assert.equal(answer.status, status, `${why ?? ''} ${answer.text}`);
    assert.equal(answer.headers['x-amzn-errortype'], type, why);
    assert.deepEqual(answer.json(), body, why);
}
async function noted(server, answer) {
    const record = (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).json();
    return record.steps.flatMap((s) => s.notes.map((n) => `${n.what}: ${n.detail}`)).join('; ');
}

// The function answers what the caller wrote into `answer` (JSON), counts its calls, and shows its event.
const oracle = `
    let calls = 0;
    export const handler = async (event) => {
        calls++;
        const headers = event.headers ?? {};
        const ask = JSON.parse(Buffer.from(event.authorizationToken ?? headers.ask ?? 'e30', 'base64url'));
        if (ask.throw) throw new Error(ask.throw);
        if (ask.wait) await new Promise((done) => setTimeout(done, ask.wait));
        if ('raw' in ask) return ask.raw;
        return { principalId: 'ada', context: { calls, event: JSON.stringify(event), ...ask.context },
            policyDocument: { Version: '2012-10-17', Statement: ask.statements ?? [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: ask.resource ?? event.methodArn }] }, ...ask.more };
    };`;
const ask = (what) => Buffer.from(JSON.stringify(what)).toString('base64url');
const echo = { 200: { responseTemplates: { 'application/json': '{"calls":"$context.authorizer.calls","who":"$context.authorizer.principalId","a":"$context.authorizer.a","b":"$context.authorizer.b","event":$context.authorizer.event}' } } };

async function scene(t, { args = [] } = {}) {
    const server = await start(t, { args: ['--workers', '2', ...args] });
    const gate = await fn(server, 'gate', oracle);
    const one = await api(server, {}, { variables: undefined });
    const make = (more) => one.gateway.createAuthorizer({ restApiId: one.id, name: `a${Math.random()}`, authorizerUri: invocation(gate), ...more });
    const guard = async (key, authorizer, more = {}) => one.add(key, { method: { authorizationType: 'CUSTOM', authorizerId: authorizer.id, ...more }, answers: echo });
    return { server, gate, one, make, guard };
}

test('TOKEN: what the answer may be', async (t) => {
    const { one, make, guard, server } = await scene(t);
    const token = await make({ type: 'TOKEN', identitySource: 'method.request.header.token', authorizerResultTtlInSeconds: 300 });
    await guard('GET /a', token);
    await guard('GET /a/{id}', token);
    await guard('POST /a', token);
    await one.deploy();
    const get = (what, path = '/a', method = 'GET') => request(one.url + path, { method, headers: { token: typeof what === 'string' ? what : ask(what) } });
    const allow = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' };
    const arn = `arn:aws:execute-api:${region}:${account}:${one.id}`;
    const silent = { Message: 'User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action' };
    const denied = { Message: 'User is not authorized to access this resource with an explicit deny in an identity-based policy' };

    await t.test('the event has three members', async () => {
        const { event } = (await get({})).json();
        assert.deepEqual(event, { type: 'TOKEN', methodArn: `${arn}/dev/GET/a`, authorizationToken: ask({}) });
    });
    await t.test('context: strings, numbers and booleans as strings, null left out', async () => {
        const got = (await get({ context: { a: 1.5, b: false } })).json();
        assert.deepEqual([got.a, got.b, got.who], ['1.5', 'false', 'ada']);
        assert.equal((await get({ context: { a: null, b: 'x"y' } })).status, 200);
    });
    const statements = [
        ['the method', `${arn}/dev/GET/a`, 200], ['a star', '*', 200], ['any stage', `${arn}/*/GET/a`, 200], ['below', `${arn}/dev/GET/a*`, 200], ['one character', `${arn}/dev/GE?/a`, 200],
        ['another method', `${arn}/dev/POST/a`, 403], ['another stage', `${arn}/prod/*`, 403], ['another account', `arn:aws:execute-api:${region}:111122223333:${one.id}/*`, 403], ['a prefix', `${arn}/dev/GET`, 403], ['in another case', `${arn}/dev/get/a`, 403],
    ];
    for (const [why, Resource, status] of statements)
        await t.test(`policies: ${why}`, async () => {
            const answer = await get({ statements: [{ ...allow, Resource }] });
            assert.equal(answer.status, status, answer.text);
            if (status === 403) assert.deepEqual(answer.json(), silent);
        });
    await t.test('policies: conditions, lists, a deny beside an allow, another action', async () => {
        const inside = { IpAddress: { 'aws:SourceIp': ['127.0.0.0/8'] } }, outside = { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } };
        assert.equal((await get({ statements: [{ ...allow, Condition: inside }] })).status, 200);
        await refused(await get({ statements: [{ ...allow, Condition: outside }] }), 403, 'AccessDeniedException', silent);
        assert.equal((await get({ statements: [{ ...allow, Action: ['execute-api:Invoke', 's3:*'], Resource: [`${arn}/dev/GET/x`, `${arn}/dev/GET/a`] }] })).status, 200);
        await refused(await get({ statements: [allow, { ...allow, Effect: 'Deny', Resource: `${arn}/dev/GET/a` }] }), 403, 'AccessDeniedException', denied);
        await refused(await get({ statements: [{ ...allow, Action: 'execute-api:ManageConnections' }] }), 403, 'AccessDeniedException', silent);
    });
    const answers = {
        'null': null, 'a text': 'Allow', 'a list': [], 'an empty object': {}, 'no principal': { policyDocument: { Version: '2012-10-17', Statement: [allow] } },
        'an empty principal': { principalId: '', policyDocument: { Version: '2012-10-17', Statement: [allow] } }, 'a principal of numbers': { principalId: 7, policyDocument: { Version: '2012-10-17', Statement: [allow] } },
        'no policy': { principalId: 'x' }, 'a policy as text': { principalId: 'x', policyDocument: '{}' }, 'no statements': { principalId: 'x', policyDocument: { Version: '2012-10-17', Statement: [] } },
        'an effect of its own': { principalId: 'x', policyDocument: { Statement: [{ ...allow, Effect: 'Maybe' }] } }, 'no resource': { principalId: 'x', policyDocument: { Statement: [{ ...allow, Resource: undefined }] } },
        'a principal in the policy': { principalId: 'x', policyDocument: { Statement: [{ ...allow, Principal: '*' }] } }, 'an HTTP API\'s answer': { isAuthorized: true },
        'an object in the context': { principalId: 'x', context: { a: {} }, policyDocument: { Statement: [allow] } }, 'a list in the context': { principalId: 'x', context: { a: [1] }, policyDocument: { Statement: [allow] } }, 'a context that is none': { principalId: 'x', context: 'x', policyDocument: { Statement: [allow] } },
        'a key that is no text': { principalId: 'x', usageIdentifierKey: 1, policyDocument: { Statement: [allow] } },
    };
    for (const [why, raw] of Object.entries(answers))
        await t.test(`malformed: ${why}: 500, never remembered`, async () => {
            for (let i = 0; i < 2; i++) {
                const answer = await get({ raw });
                await refused(answer, 500, 'AuthorizerConfigurationException', internal);
                assert.match(await noted(server, answer), /authorizer's answer is malformed/);
            }
        });
    await t.test('e25: a policy of 8 KB, and one byte more', async () => {
        const sized = (bytes) => { const bare = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Sid: '' }] }).length; return { principalId: 'x', policyDocument: { Version: '2012-10-17', Statement: [{ ...allow, Sid: 's'.repeat(bytes - bare) }] } }; };
        // the token is only a name here: the answer is too large to be sent in it
        const big = await fn(server, 'big', `export const handler = async ({ authorizationToken }) => ({ principalId: 'x', policyDocument: { Version: '2012-10-17', Statement: [{ ...${JSON.stringify(allow)}, Sid: 's'.repeat(Number(authorizationToken)) }] } });`);
        const own = await make({ type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: invocation(big) });
        await one.add('GET /big', { method: { authorizationType: 'CUSTOM', authorizerId: own.id } });
        await one.deploy();
        const bare = JSON.stringify(sized(0 + JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Sid: '' }] }).length).policyDocument).length;
        assert.equal((await get(String(8192 - bare), '/big')).status, 200);
        await refused(await get(String(8193 - bare), '/big'), 500, 'AuthorizerConfigurationException', internal);
    });
    await t.test('exceptions: exactly "Unauthorized" is 401, every other one 500', async () => {
        await refused(await get({ throw: 'Unauthorized' }), 401, 'UnauthorizedException', { message: 'Unauthorized' });
        for (const text of ['unauthorized', 'Unauthorized!', 'boom']) await refused(await get({ throw: text }), 500, 'AuthorizerConfigurationException', internal, text);
    });
    await t.test('remembered for all methods of the stage, judged for each', async () => {
        const wide = { statements: [{ ...allow, Resource: `${arn}/dev/GET/*` }], more: { x: 1 } };
        const first = (await get(wide)).json();
        assert.deepEqual((await get(wide, '/a/1')).json(), first);
        await refused(await get(wide, '/a', 'POST'), 403, 'AccessDeniedException', silent);
        assert.deepEqual((await get(wide)).json(), first);
    });
    await t.test('FlushStageAuthorizersCache forgets, one stage only', async () => {
        await one.gateway.createDeployment({ restApiId: one.id, stageName: 'prod' });
        const prod = () => request(one.url.replace(/dev$/, 'prod/a'), { headers: { token: ask({ x: 'flush' }) } });
        const before = (await get({ x: 'flush' })).json().calls, there = (await prod()).json().calls;
        assert.equal((await get({ x: 'flush' })).json().calls, before);
        await one.gateway.flushStageAuthorizersCache({ restApiId: one.id, stageName: 'dev' });
        assert.notEqual((await get({ x: 'flush' })).json().calls, before);
        assert.equal((await prod()).json().calls, there);
        await assert.rejects(one.gateway.flushStageAuthorizersCache({ restApiId: one.id, stageName: 'nowhere' }), { name: 'NotFoundException' });
    });
    await t.test('a74: many tokens at once, never another\'s verdict', async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
        const who = (i) => ({ token: ask({ more: { principalId: `p${i % 40}` }, resource: i % 2 ? '*' : `${arn}/dev/GET/a` }) });
        const answers = await Promise.all(Array.from({ length: 2000 }, (_, i) => request(one.url + (i % 3 ? '/a' : '/a/7'), { agent, headers: who(i % 40) })));
        agent.destroy();
        for (const [i, answer] of answers.entries()) {
            const may = i % 3 !== 0 || (i % 40) % 2 === 1;
            assert.equal(answer.status, may ? 200 : 403, `${i}: ${answer.text}`);
            if (may) assert.equal(answer.json().who, `p${i % 40}`);
        }
    });
});

test('TOKEN: times', async (t) => {
    const { one, make, guard, server } = await scene(t);
    const short = await make({ type: 'TOKEN', identitySource: 'method.request.header.token', authorizerResultTtlInSeconds: 1 });
    const never = await make({ type: 'TOKEN', identitySource: 'method.request.header.token', authorizerResultTtlInSeconds: 0 });
    await guard('GET /short', short);
    await guard('GET /never', never);
    await one.deploy();
    const get = (path, what) => request(one.url + path, { headers: { token: ask(what) } });
    await t.test('a TTL of 1: asked again after a second; of 0: always', async () => {
        const first = (await get('/short', {})).json().calls;
        assert.equal((await get('/short', {})).json().calls, first);
        await eventually('another call', async () => (await get('/short', {})).json().calls !== first);
        assert.notEqual((await get('/never', {})).json().calls, (await get('/never', {})).json().calls);
    });
    await t.test('an authorizer that takes too long: 500, and nothing is remembered', async () => {
        const options = await fetch(`${server.url}/_gatehouse/apis/${one.id}/stages/dev/options`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"authorizerTimeoutMs":300}' });
        assert.equal(options.status, 200, await options.text());
        const answer = await get('/short', { wait: 1500 });
        await refused(answer, 500, 'AuthorizerConfigurationException', internal);
        assert.match(await noted(server, answer), /authorizer took too long/);
        assert.equal((await get('/short', {})).status, 200);
    });
});

test('REQUEST: identity sources', async (t) => {
    const { one, make, guard } = await scene(t);
    const sources = ['method.request.header.who', 'method.request.querystring.q', 'stageVariables.color', 'context.httpMethod'];
    const all = await make({ type: 'REQUEST', identitySource: sources.join(', '), authorizerResultTtlInSeconds: 300 });
    const uncached = await make({ type: 'REQUEST', identitySource: 'method.request.header.who', authorizerResultTtlInSeconds: 0 });
    const none = await make({ type: 'REQUEST', authorizerResultTtlInSeconds: 0 });
    const unset = await make({ type: 'REQUEST', identitySource: 'stageVariables.missing' });
    await guard('ANY /all/{id}', all);
    await guard('GET /uncached', uncached);
    await guard('GET /none', none);
    await guard('GET /unset', unset);
    await one.deploy({ variables: { color: 'green' } });
    const get = (path, headers = {}, method = 'GET') => request(one.url + path, { method, headers: { ask: ask({ resource: '*' }), ...headers } });
    const calls = async (...what) => (await get(...what)).json().calls;

    await t.test('the event is the request', async () => {
        const { event } = (await get('/all/7?q=a%20b&q=c&x=', { who: 'ann', 'X-Twice': ['1', '2'] })).json();
        assert.deepEqual([event.type, event.methodArn, event.resource, event.path, event.httpMethod], ['REQUEST', `arn:aws:execute-api:${region}:${account}:${one.id}/dev/GET/all/7`, '/all/{id}', '/all/7', 'GET']);
        assert.deepEqual([event.headers.who, event.queryStringParameters, event.multiValueQueryStringParameters], ['ann', { q: 'c', x: '' }, { q: ['a b', 'c'], x: [''] }]);
        assert.deepEqual([event.pathParameters, event.stageVariables, event.requestContext.stage, event.requestContext.authorizer], [{ id: '7' }, { color: 'green' }, 'dev', undefined]);
        assert.deepEqual(event.multiValueHeaders['X-Twice'] ?? event.multiValueHeaders['x-twice'], ['1', '2']);
    });
    await t.test('each one is needed: missing or empty is 401 without a call, remembered or not', async () => {
        const before = Number(await calls('/none'));
        for (const [path, headers] of [['/all/1?q=x', {}], ['/all/1', { who: 'a' }], ['/all/1?q=', { who: 'a' }], ['/all/1?q=x', { who: '' }], ['/uncached', {}], ['/unset', { who: 'a' }]])
            await refused(await get(path, headers), 401, 'UnauthorizedException', { message: 'Unauthorized' }, path);
        assert.equal(Number(await calls('/none')), before + 1);
    });
    await t.test('the same values, one call; another value of any of them, another call', async () => {
        const first = await calls('/all/1?q=x', { who: 'bob' });
        assert.equal(await calls('/all/2?q=x&more=1', { who: 'bob', 'x-more': '1' }), first);
        for (const [path, headers, method] of [['/all/1?q=y', { who: 'bob' }], ['/all/1?q=x', { who: 'bo' }], ['/all/1?q=x', { who: 'bob' }, 'PUT']]) assert.notEqual(await calls(path, headers, method), first, path);
    });
    await t.test('parts do not run together', async () => {
        assert.notEqual(await calls('/all/1?q=bc', { who: 'a' }), await calls('/all/1?q=c', { who: 'ab' }));
    });
    await t.test('a second header of the name does not borrow the first one\'s verdict', async () => {
        const mine = await calls('/all/1?q=x', { who: 'victim' });
        assert.notEqual(await calls('/all/1?q=x', { who: ['evil', 'victim'] }), mine);
        assert.equal(await calls('/all/1?q=x', { who: 'victim' }), mine);
        assert.notEqual(await calls('/all/1?q=evil&q=x', { who: 'victim' }), mine);
    });
    await t.test('not remembered: every request asks', async () => {
        assert.notEqual(await calls('/uncached', { who: 'a' }), await calls('/uncached', { who: 'a' }));
        assert.notEqual(await calls('/none'), await calls('/none'));
    });
});

test('a Lambda authorizer names the API key', async (t) => {
    const { one, make, guard } = await scene(t);
    const token = await make({ type: 'TOKEN', identitySource: 'method.request.header.token' });
    await guard('GET /keyed', token, { apiKeyRequired: true });
    await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/apiKeySource', value: 'AUTHORIZER' }] });
    await one.deploy();
    const value = 'k'.repeat(30);
    const key = await one.gateway.createApiKey({ name: 'k', value, enabled: true });
    const plan = await one.gateway.createUsagePlan({ name: 'p', apiStages: [{ apiId: one.id, stage: 'dev' }] });
    await one.gateway.createUsagePlanKey({ usagePlanId: plan.id, keyId: key.id, keyType: 'API_KEY' });
    const get = (what, headers = {}) => request(`${one.url}/keyed`, { headers: { token: ask(what), ...headers } });
    for (let i = 0; i < 2; i++) assert.equal((await get({ more: { usageIdentifierKey: value } })).status, 200); // the second from the cache
    await refused(await get({ more: { usageIdentifierKey: 'x'.repeat(30) } }), 403, 'ForbiddenException', { message: 'Forbidden' });
    await refused(await get({}, { 'x-api-key': value }), 403, 'ForbiddenException', { message: 'Forbidden' });
});

test('Cognito: several pools, ID and access tokens, scopes, aud', async (t) => {
    const server = await start(t);
    const client = server.client(idp.CognitoIdentityProviderClient);
    const send = (name, input) => client.send(new idp[`${name}Command`](input));
    async function pool(name) {
        const { UserPool } = await send('CreateUserPool', { PoolName: name });
        const { UserPoolClient } = await send('CreateUserPoolClient', { UserPoolId: UserPool.Id, ClientName: 'c', ExplicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
        await send('CreateGroup', { UserPoolId: UserPool.Id, GroupName: 'staff' });
        await send('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'ada', MessageAction: 'SUPPRESS', UserAttributes: [{ Name: 'email', Value: `ada@${name}.example` }] });
        await send('AdminAddUserToGroup', { UserPoolId: UserPool.Id, Username: 'ada', GroupName: 'staff' });
        await send('AdminSetUserPassword', { UserPoolId: UserPool.Id, Username: 'ada', Password: 'Passw0rd!', Permanent: true });
        const { AuthenticationResult: tokens } = await send('AdminInitiateAuth', { UserPoolId: UserPool.Id, ClientId: UserPoolClient.ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: 'Passw0rd!' } });
        return { id: UserPool.Id, arn: UserPool.Arn, client: UserPoolClient.ClientId, ...tokens };
    }
    const [red, blue, green] = [await pool('red'), await pool('blue'), await pool('green')];
    const one = await api(server, {});
    const make = (more) => one.gateway.createAuthorizer({ restApiId: one.id, name: `a${Math.random()}`, type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', ...more });
    const both = await make({ providerARNs: [red.arn, blue.arn] });
    const fussy = await make({ providerARNs: [red.arn], identityValidationExpression: red.client });
    const other = await make({ providerARNs: [red.arn], identityValidationExpression: 'nobody' });
    const answers = { 200: { responseTemplates: { 'application/json': '{"email":"$context.authorizer.claims.email","use":"$context.authorizer.claims.token_use","groups":"$context.authorizer.claims.get(\'cognito:groups\')","none":"$context.authorizer.claims.none"}' } } };
    const method = (a, more) => ({ method: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: a.id, ...more }, answers });
    await one.add('GET /both', method(both));
    await one.add('GET /scoped', method(both, { authorizationScopes: ['x/y', 'aws.cognito.signin.user.admin'] }));
    await one.add('GET /strange', method(both, { authorizationScopes: ['aws.cognito.signin.user'] }));
    await one.add('GET /fussy', method(fussy));
    await one.add('GET /other', method(other));
    await one.deploy();
    const get = (path, Authorization) => request(one.url + path, { headers: { Authorization } });
    const no = async (path, token, why) => refused(await get(path, token), 401, 'UnauthorizedException', { message: 'Unauthorized' }, why);
    await t.test('both pools, not a third; claims for templates', async () => {
        assert.deepEqual((await get('/both', red.IdToken)).json(), { email: 'ada@red.example', use: 'id', groups: 'staff', none: '' });
        assert.equal((await get('/both', `Bearer ${blue.IdToken}`)).json().email, 'ada@blue.example');
        await no('/both', green.IdToken, 'a third pool');
    });
    await t.test('without scopes an ID token, with scopes an access token that has one', async () => {
        await no('/both', red.AccessToken, 'a46');
        await no('/scoped', red.IdToken, 'a45');
        assert.equal((await get('/scoped', red.AccessToken)).json().use, 'access');
    });
    await t.test('a48: a scope that is missing is 401 with this authorizer (403 with JWT)', async () => {
        await no('/strange', red.AccessToken, 'a prefix of a scope');
    });
    await t.test('identityValidationExpression is matched on aud', async () => {
        assert.equal((await get('/fussy', red.IdToken)).status, 200);
        await no('/other', red.IdToken, 'another audience');
    });
    await t.test('a pool that is deleted', async () => {
        assert.equal((await get('/both', blue.IdToken)).status, 200);
        await send('DeleteUserPool', { UserPoolId: blue.id });
        await no('/both', blue.IdToken, 'deleted');
        assert.equal((await get('/both', red.IdToken)).status, 200);
    });
});

test('the control plane: every path, and what is refused', async (t) => {
    const server = await start(t, { args: ['--limits', 'aws'] });
    const gateway = control(server);
    const { id: restApiId } = await gateway.createRestApi({ name: 'x' });
    const token = { restApiId, name: 'token', type: 'TOKEN', authorizerUri: uri, identitySource: 'method.request.header.A' };
    const made = await gateway.createAuthorizer(token);
    const pool = `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_abcdefghi`;
    const patch = (authorizerId, ...patchOperations) => gateway.updateAuthorizer({ restApiId, authorizerId, patchOperations: patchOperations.map(([op, path, value]) => ({ op, path, value })) });
    const bad = (message) => ({ name: 'BadRequestException', message });
    await t.test('as recorded: what was given, and authType', () => {
        const { $metadata, ...rest } = made;
        assert.deepEqual(rest, { id: made.id, name: 'token', type: 'TOKEN', authType: 'custom', authorizerUri: uri, identitySource: 'method.request.header.A' });
    });
    await t.test('create: refused in AWS\'s words', async () => {
        const rows = [
            [{ name: 'token' }, 'Authorizer name must be unique. Authorizer token already exists in this RestApi.'],
            [{ identitySource: undefined }, 'IdentitySource cannot be empty'],
            [{ type: 'REQUEST', identitySource: undefined }, 'IdentitySource cannot be empty'],
            [{ identitySource: 'method.request.querystring.a' }, 'Invalid request identity source expression: method.request.querystring.a'],
            [{ type: 'REQUEST', identitySource: 'method.request.header.A,method.request.body.x' }, 'Invalid request identity source expression: method.request.body.x'],
            [{ authorizerUri: 'arn:aws:lambda:us-east-1:1:function:x' }, 'Invalid Authorizer URI: arn:aws:lambda:us-east-1:1:function:x. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.'],
            [{ authorizerResultTtlInSeconds: 3601 }, 'Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.'],
            [{ authorizerResultTtlInSeconds: -1 }, 'Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.'],
        ];
        for (const [more, message] of rows) await assert.rejects(gateway.createAuthorizer({ ...token, name: 'other', ...more }), bad(message), message);
        await assert.rejects(gateway.createAuthorizer({ restApiId, name: 'p', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.A' }), { name: 'BadRequestException' });
        await assert.rejects(gateway.createAuthorizer({ restApiId, name: 'p', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.A', providerARNs: ['arn:aws:s3:::x'] }), { name: 'BadRequestException' });
    });
    await t.test('every path of a Lambda authorizer', async () => {
        const other = uri.replace(/:f\//, ':g/');
        const got = await patch(made.id, ['replace', '/name', 'n'], ['replace', '/authorizerUri', other], ['replace', '/authorizerCredentials', `arn:aws:iam::${account}:role/r`], ['replace', '/authorizerResultTtlInSeconds', '7'], ['replace', '/identityValidationExpression', '[a-z]+'], ['replace', '/authType', 'oauth'], ['replace', '/identitySource', 'method.request.header.B']);
        const { $metadata, ...rest } = got;
        assert.deepEqual(rest, { id: made.id, name: 'n', type: 'TOKEN', authType: 'oauth', authorizerUri: other, authorizerCredentials: `arn:aws:iam::${account}:role/r`, authorizerResultTtlInSeconds: 7, identityValidationExpression: '[a-z]+', identitySource: 'method.request.header.B' });
        assert.equal((await patch(made.id, ['replace', '/type', 'REQUEST'], ['add', '/identitySource', 'context.httpMethod'])).type, 'REQUEST');
        assert.equal((await patch(made.id, ['replace', '/authorizerResultTtlInSeconds', '0'], ['remove', '/identitySource'])).identitySource, undefined);
    });
    await t.test('patches that are refused change nothing', async () => {
        const before = await gateway.getAuthorizer({ restApiId, authorizerId: made.id });
        const rows = [['replace', '/id', 'x'], ['replace', '/nothing', 'x'], ['add', '/name', 'x'], ['remove', '/authorizerUri'], ['replace', '/authorizerResultTtlInSeconds', '3601'], ['replace', '/authorizerResultTtlInSeconds', 'x'], ['replace', '/name', ''], ['replace', '/type', 'MAGIC'], ['replace', '/authorizerUri', 'x'], ['replace', '/authorizerResultTtlInSeconds', '5'], ['replace', '/providerARNs', pool], ['move', '/name', 'x']];
        for (const row of rows) await assert.rejects(patch(made.id, ['replace', '/authType', 'changed'], row), { name: 'BadRequestException' }, row.join(' '));
        const { $metadata: a, ...was } = before, { $metadata: b, ...is } = await gateway.getAuthorizer({ restApiId, authorizerId: made.id });
        assert.deepEqual(is, was);
    });
    await t.test('providerARNs: added and removed, never the last', async () => {
        const pools = await gateway.createAuthorizer({ restApiId, name: 'pools', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.A', providerARNs: [pool] });
        assert.equal(pools.authType, 'cognito_user_pools');
        const second = `${pool.slice(0, -1)}x`;
        assert.deepEqual((await patch(pools.id, ['add', '/providerARNs', second])).providerARNs, [pool, second]);
        assert.deepEqual((await patch(pools.id, ['remove', '/providerARNs', pool])).providerARNs, [second]);
        await assert.rejects(patch(pools.id, ['remove', '/providerARNs', second]), { name: 'BadRequestException' });
        await assert.rejects(patch(pools.id, ['add', '/providerARNs', 'arn:aws:s3:::x']), { name: 'BadRequestException' });
    });
    await t.test('lists by page, an unknown one, deleting one in use', async () => {
        const page = await gateway.getAuthorizers({ restApiId, limit: 1 });
        assert.equal(page.items.length, 1);
        assert.equal((await gateway.getAuthorizers({ restApiId, limit: 1, position: page.position })).items.length, 1);
        await assert.rejects(gateway.getAuthorizer({ restApiId, authorizerId: 'nobody' }), { name: 'NotFoundException', message: 'Invalid Authorizer identifier specified' });
        const { items: [root] } = await gateway.getResources({ restApiId });
        await gateway.putMethod({ restApiId, resourceId: root.id, httpMethod: 'GET', authorizationType: 'CUSTOM', authorizerId: made.id });
        await assert.rejects(gateway.deleteAuthorizer({ restApiId, authorizerId: made.id }), { name: 'ConflictException', message: "Cannot delete authorizer 'n', is referenced in method: GET//" });
        await gateway.deleteMethod({ restApiId, resourceId: root.id, httpMethod: 'GET' });
        await gateway.deleteAuthorizer({ restApiId, authorizerId: made.id });
    });
    await t.test('--limits aws: ten of them', async () => {
        for (let i = 0; i < 9; i++) await gateway.createAuthorizer({ ...token, name: `more${i}` });
        await assert.rejects(gateway.createAuthorizer({ ...token, name: 'eleventh' }), { name: 'LimitExceededException' });
    });
});
