// Every gateway response that a request can bring about: status, exact body, x-amzn-ErrorType, CORS; then
// as the API wants it: through DEFAULT_4XX and DEFAULT_5XX, then through a response of its own.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';

import { api, control, fn, functions, httpProxy, invocation, mock } from './support/apis.mjs';
import { faultBackend } from './support/backends.mjs';
import { account, request, start } from './support/harness.mjs';
import { signedHeaders } from './support/sign.mjs';

const json = { 'content-type': 'application/json' };
const authorizer = `export const handler = async (event) => {
    const token = event.authorizationToken;
    if (token === 'throw') throw new Error('boom');
    if (token === 'junk') return { no: 'policy' };
    return { principalId: 'p', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] } };
};`;

async function everything(t) {
    const server = await start(t);
    const gateway = control(server);
    const stalling = await faultBackend(t, 'stall'), refusing = await faultBackend(t, 'refuse');
    const arn = await fn(server, 'gate', authorizer);
    await functions(server).addPermission({ FunctionName: 'gate', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
    const one = await api(server, {});
    const { id: authorizerId } = await gateway.createAuthorizer({ restApiId: one.id, name: 'gate', type: 'TOKEN', authorizerUri: invocation(arn), identitySource: 'method.request.header.Authorization', authorizerResultTtlInSeconds: 0 });
    const { id: requestValidatorId } = await gateway.createRequestValidator({ restApiId: one.id, name: 'all', validateRequestBody: true, validateRequestParameters: true });
    await gateway.createModel({ restApiId: one.id, name: 'Pet', contentType: 'application/json', schema: '{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["name"]}' });
    await one.add('GET /gated', { method: { authorizationType: 'CUSTOM', authorizerId } });
    await one.add('GET /signed', { method: { authorizationType: 'AWS_IAM' } });
    await one.add('GET /unmatched', { integration: { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 400}' } }, answers: { 200: { selectionPattern: '200' } } });
    await one.add('GET /params', { method: { requestValidatorId, requestParameters: { 'method.request.querystring.q': true, 'method.request.header.X-H': true } } });
    await one.add('POST /model', { method: { requestValidatorId, requestModels: { 'application/json': 'Pet' } } });
    await one.add('POST /typed', { integration: { ...mock, passthroughBehavior: 'NEVER' } });
    await one.add('GET /stalls', { integration: httpProxy(stalling.url ?? stalling, { timeoutInMillis: 60 }) });
    await one.add('GET /refuses', { integration: httpProxy(refusing.url ?? refusing) });
    await one.add('GET /slow-down', {});
    await one.add('OPTIONS /gated', { answers: { 200: { responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'https://shop.example'" } } } });
    await one.deploy();
    await one.patch(['replace', '/~1slow-down/GET/throttling/burstLimit', '0'], ['replace', '/~1slow-down/GET/throttling/rateLimit', '0']);

    // who signs: a user who may, and a session that has run out
    const users = server.client(iam.IAMClient);
    await users.send(new iam.CreateUserCommand({ UserName: 'ann' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'ann' }));
    const { Role } = await users.send(new iam.CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }] }) }));
    const clock = (body) => server.fetch('/_gatehouse/clock', { method: 'POST', body });
    const then = new Date(Date.now() - 1000000);
    await clock(JSON.stringify({ at: then.toISOString() }));
    const { Credentials } = await server.client(sts.STSClient, { systemClockOffset: -1000000 }).send(new sts.AssumeRoleCommand({ RoleArn: Role.Arn, RoleSessionName: 'gone', DurationSeconds: 900 }));
    await clock('{}');
    const expired = { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken };
    const wrong = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: 'x'.repeat(40) };
    const signedCall = async (credentials) => request(`${one.url}/signed`, { headers: await signedHeaders(`${one.url}/signed`, credentials) });

    const get = (path, headers = {}) => request(one.url + path, { headers });
    const post = (path, body, headers = json) => request(one.url + path, { method: 'POST', headers, body });
    const message = (text, space = '') => `{"message":${space}${JSON.stringify(text)}}`;
    // type, how, status, body, x-amzn-ErrorType
    const rows = [
        ['ACCESS_DENIED', () => get('/gated', { authorization: 'deny' }), 403, '{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}', 'AccessDeniedException'],
        ['API_CONFIGURATION_ERROR', () => get('/unmatched'), 500, message('Internal server error', ' '), 'InternalServerErrorException'],
        ['AUTHORIZER_CONFIGURATION_ERROR', () => get('/gated', { authorization: 'junk' }), 500, '{"message":null}', 'AuthorizerConfigurationException'],
        ['AUTHORIZER_FAILURE', () => get('/gated', { authorization: 'throw' }), 500, '{"message":null}', 'AuthorizerConfigurationException'],
        ['BAD_REQUEST_BODY', () => post('/model', '{"id":1}'), 400, message('Invalid request body'), 'BadRequestException'],
        ['BAD_REQUEST_PARAMETERS', () => get('/params'), 400, /^\{"message":"Missing required request parameters: \[(q, X-H|X-H, q)\]"\}$/, 'BadRequestException'],
        ['EXPIRED_TOKEN', () => signedCall(expired), 403, message('The security token included in the request is expired'), 'ExpiredTokenException'],
        ['INTEGRATION_FAILURE', () => get('/refuses'), 504, message('Network error communicating with endpoint', ' '), 'InternalServerErrorException'],
        ['INTEGRATION_TIMEOUT', () => get('/stalls'), 504, message('Endpoint request timed out', ' '), 'InternalServerErrorException'],
        ['INVALID_SIGNATURE', () => signedCall(wrong), 403, /^\{"message":"The request signature we calculated does not match the signature you provided\. Check your AWS Secret Access Key and signing method\. Consult the service documentation for details\.\\n\\nThe Canonical String/, 'InvalidSignatureException'],
        ['MISSING_AUTHENTICATION_TOKEN', () => get('/nothing-here'), 403, message('Missing Authentication Token'), 'MissingAuthenticationTokenException'],
        ['THROTTLED', () => get('/slow-down'), 429, message('Too Many Requests'), 'TooManyRequestsException'],
        ['UNAUTHORIZED', () => get('/gated'), 401, message('Unauthorized'), 'UnauthorizedException'],
        ['UNSUPPORTED_MEDIA_TYPE', () => post('/typed', '<a/>', { 'content-type': 'text/xml' }), 415, message('Unsupported Media Type'), 'BadRequestException'],
    ];
    return { server, gateway, one, rows, post };
}

test('gateway responses', async (t) => {
    const { gateway, one, rows, post } = await everything(t);

    await t.test('as AWS gives them', async (t) => {
        for (const [type, provoke, status, body, errorType] of rows) {
            await t.test(type, async () => {
                const answer = await provoke();
                assert.deepEqual([answer.status, answer.headers['x-amzn-errortype'], answer.headers['content-type']], [status, errorType, 'application/json'], answer.text);
                if (typeof body === 'string') assert.equal(answer.text, body);
                else assert.match(answer.text, body);
                assert.equal(answer.headers['access-control-allow-origin'], 'https://shop.example', "the origin that the API's OPTIONS names");
                assert.match(answer.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/);
                assert.equal(answer.headers['retry-after'], undefined);
            });
        }
        await t.test('REQUEST_TOO_LARGE', async () => {
            const answer = await post('/model', Buffer.alloc(10 * 1024 * 1024 + 1, 'a'));
            assert.deepEqual([answer.status, answer.headers['x-amzn-errortype'], answer.text], [413, 'RequestTooLargeException', '{"message":"HTTP content length exceeded 10485760 bytes."}']);
        });
    });

    await t.test('through DEFAULT_4XX and DEFAULT_5XX', async (t) => {
        for (const [responseType, statusCode] of [['DEFAULT_4XX', undefined], ['DEFAULT_5XX', '599']])
            await gateway.putGatewayResponse({
                restApiId: one.id, responseType, statusCode,
                responseTemplates: { 'application/json': '{"type":"$context.error.responseType","said":$context.error.messageString,"stage":"$context.stage"}' },
                responseParameters: { 'gatewayresponse.header.X-Why': 'context.error.responseType', 'gatewayresponse.header.Access-Control-Allow-Origin': "'https://other.example'" },
            });
        await one.deploy();
        for (const [type, provoke, status, , errorType] of rows) {
            await t.test(type, async () => {
                const answer = await provoke();
                const said = answer.json();
                assert.deepEqual([answer.status, said.type, said.stage, answer.headers['x-why']], [status >= 500 ? 599 : status, type, 'dev', type]);
                assert.equal(answer.headers['x-amzn-errortype'], errorType);
                assert.equal(answer.headers['access-control-allow-origin'], 'https://other.example');
            });
        }
    });

    await t.test('through a response of its own', async (t) => {
        for (const [responseType] of rows)
            await gateway.putGatewayResponse({
                restApiId: one.id, responseType, statusCode: '444',
                responseTemplates: { 'text/plain': `${responseType}: $context.error.message`, 'application/xml': '<error/>' },
                responseParameters: { 'gatewayresponse.header.X-Own': `'${responseType}'` },
            });
        await one.deploy();
        for (const [type, provoke] of rows) {
            await t.test(type, async () => {
                const answer = await provoke();
                assert.deepEqual([answer.status, answer.headers['x-own'], answer.headers['x-why'], answer.headers['content-type']], [444, type, undefined, 'text/plain']);
                assert.ok(answer.text.startsWith(`${type}: `), answer.text);
            });
        }
        await t.test('what the client accepts chooses the template', async () => {
            const answer = await request(`${one.url}/nothing-here`, { headers: { accept: 'application/xml' } });
            assert.deepEqual([answer.headers['content-type'], answer.text], ['application/xml', '<error/>']);
        });
    });

    await t.test('what a header is mapped from cannot split the answer', async () => {
        await gateway.putGatewayResponse({ restApiId: one.id, responseType: 'MISSING_AUTHENTICATION_TOKEN', responseParameters: { 'gatewayresponse.header.X-Q': 'method.request.querystring.q' } });
        await one.deploy();
        const answer = await request(`${one.url}/nothing-here?q=a%0d%0aSet-Cookie:%20x=1`);
        assert.deepEqual([answer.status, answer.headers['set-cookie'], answer.headers['x-q']], [403, undefined, undefined]);
        assert.equal((await request(`${one.url}/nothing-here?q=fine`)).headers['x-q'], 'fine');
    });
});
