// What comes in broken gets AWS's error, a log line, and nothing is lost.
// Elsewhere: request framing (unit: test_http_server, with the vectors of http-desync), SigV4's attacks
// (unit: test_sigv4_attacks), tokens of every wrong kind (unit: test_jwt and the pools' tests), zip
// attacks (unit: test_zip).
import { CognitoIdentityProviderClient, AdminCreateUserCommand, AdminSetUserPasswordCommand, CreateUserPoolClientCommand, CreateUserPoolCommand, GetUserCommand, InitiateAuthCommand, ListUserPoolsCommand } from '@aws-sdk/client-cognito-identity-provider';
import { APIGatewayClient, CreateAuthorizerCommand } from '@aws-sdk/client-api-gateway';
import { CreateRoleCommand, CreateUserCommand, CreateAccessKeyCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { functionProxy, mock, proxyTo, pythonFunction, restApi } from './support/api.mjs';
import { faultBackend, recordingBackend } from './support/backends.mjs';
import { atEnd, request, scratch, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

// Dev mode's root: a key of our own making, whose signature nobody can check.
function asRoot(service) {
    const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    return {
        'x-amz-date': now,
        authorization: `AWS4-HMAC-SHA256 Credential=test/${now.slice(0, 8)}/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    };
}
const refusal = async (promise) => promise.then(() => assert.fail('was allowed'), (error) => error);

test('management calls', async (t) => {
    const server = await start(t);
    const idp = (operation, body) => ({ method: 'POST', target: '/', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`, ...asRoot('cognito-idp') }, body });
    const form = (body) => ({ method: 'POST', target: '/', headers: { 'content-type': 'application/x-www-form-urlencoded', ...asRoot('iam') }, body });
    const rest = (method, target, body, service = 'apigateway') => ({ method, target, headers: { 'content-type': 'application/json', ...asRoot(service) }, body });
    const long = 'x'.repeat(129);
    const rows = [
        ['JSON cut off', idp('ListUserPools', '{"MaxResults": 1'), 400, 'SerializationException'],
        ['no JSON at all', idp('ListUserPools', '\x00\x01'), 400, 'SerializationException'],
        ['a list instead of an object', idp('ListUserPools', '[]'), 400, 'SerializationException'],
        ['nested a hundred thousand deep', idp('ListUserPools', '['.repeat(100000)), 400, 'SerializationException'],
        ['text where a number belongs', idp('ListUserPools', '{"MaxResults": "ten"}'), 400, 'SerializationException'],
        ['an object where text belongs', idp('CreateUserPool', '{"PoolName": {}}'), 400, 'SerializationException'],
        ['a member missing', idp('CreateUserPool', '{}'), 400, 'InvalidParameterException', /'poolName' failed to satisfy constraint: Member must not be null/],
        ['a member too long', idp('CreateUserPool', JSON.stringify({ PoolName: long })), 400, 'InvalidParameterException', new RegExp(`1 validation error detected: Value '${long}' at 'poolName' failed to satisfy constraint: Member must have length less than or equal to 128`)],
        ['a number out of range', idp('ListUserPools', '{"MaxResults": 61}'), 400, 'InvalidParameterException', /'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60/],
        ['an unknown operation, JSON', idp('NoSuchThing', '{}'), 400, 'UnknownOperationException'],
        ['an unknown operation, query', form('Action=NoSuchThing&Version=2010-05-08'), 400, 'InvalidAction'],
        ['a member missing, query', form('Action=CreateUser&Version=2010-05-08'), 400, 'ValidationError', /'userName'/],
        ['JSON cut off, REST', rest('POST', '/restapis', '{"name": '), 400, 'SerializationException'],
        ['a wrong type, REST', rest('POST', '/restapis', '{"name": ["a"]}'), 400, 'SerializationException'],
        ['an operation that is not built yet', rest('GET', '/v2/apis', undefined), 501, 'NotImplemented', /GetApis/],
        ['nothing of ours', { method: 'GET', target: '/no/such/place', headers: {} }, 404],
    ];
    for (const [name, { method, target, headers, body }, status, code, message] of rows) {
        await t.test(name, async () => {
            const answer = await request(server.url + target, { method, headers: body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) }, body });
            assert.equal(answer.status, status, answer.text);
            assert.ok(answer.headers['x-amzn-requestid'], 'has a request id');
            if (code) assert.match(`${answer.headers['x-amzn-errortype'] ?? ''} ${answer.text}`, new RegExp(`\\b${code}\\b`));
            if (message) assert.match(answer.text.replaceAll('&#39;', "'").replaceAll('&apos;', "'"), message);
        });
    }
    await t.test('a body over the limit', async () => {
        const answer = await request(`${server.url}/`, { method: 'POST', headers: { ...idp('ListUserPools').headers, 'content-length': 64 * 1024 * 1024 }, body: Buffer.alloc(64 * 1024 * 1024, 'x') }).catch((error) => error);
        // The server may cut the connection once it has answered; what it must not do is take it all.
        assert.ok(answer.status === 413 || ['ECONNRESET', 'EPIPE'].includes(answer.code), answer.text ?? answer.message);
    });
    await t.test('and then it still answers', async () => {
        assert.equal((await server.fetch('/_gatehouse/health')).status, 200);
    });
});

test('signatures', async (t) => {
    const server = await start(t);
    const api = await restApi(server, 'signed', { '/x': { method: 'GET', authorization: { authorizationType: 'AWS_IAM' }, integration: mock } });
    const iam = server.client(IAMClient);
    await iam.send(new CreateUserCommand({ UserName: 'u' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'u' }));
    const key = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    const wrong = { ...key, secretAccessKey: 'wrong' };
    const ago = new Date(Date.now() - 3600000);
    const rows = [
        ['at the API, a wrong secret', `${api.url}/x`, wrong, {}, 403, 'InvalidSignatureException', /The request signature we calculated does not match the signature you provided/],
        ['at the API, an hour ago', `${api.url}/x`, key, { signingDate: ago }, 403, 'InvalidSignatureException', /Signature expired/],
        ['at the API, another service', `${api.url}/x`, key, { service: 'iam' }, 403, 'InvalidSignatureException', /Credential should be scoped to correct service: 'execute-api'/],
        ['at the API, nothing granted', `${api.url}/x`, key, {}, 403, 'AccessDeniedException', /not authorized to perform: execute-api:Invoke/],
        ['at IAM, a wrong secret', `${server.url}/?Action=ListUsers&Version=2010-05-08`, wrong, { service: 'iam' }, 403, 'SignatureDoesNotMatch'],
        ['at IAM, an hour ago', `${server.url}/?Action=ListUsers&Version=2010-05-08`, key, { service: 'iam', signingDate: ago }, 403, 'SignatureDoesNotMatch', /Signature expired/],
    ];
    for (const [name, url, credentials, options, status, code, message] of rows) {
        await t.test(name, async () => {
            const answer = await signed(url, credentials, options);
            const text = await answer.text();
            assert.equal(answer.status, status, text);
            assert.match(`${answer.headers.get('x-amzn-errortype')} ${text}`, new RegExp(`\\b${code}\\b`));
            if (message) assert.match(text.replaceAll('&#39;', "'").replaceAll('&apos;', "'"), message);
        });
    }
});

test('an expired token', async (t) => {
    const server = await start(t);
    const idp = server.client(CognitoIdentityProviderClient);
    const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'p' }));
    const UserPoolId = UserPool.Id;
    const { UserPoolClient } = await idp.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: 'c', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] }));
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'u', MessageAction: 'SUPPRESS' }));
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'u', Password: 'Engine-1843!', Permanent: true }));
    const { AuthenticationResult } = await idp.send(new InitiateAuthCommand({ ClientId: UserPoolClient.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'u', PASSWORD: 'Engine-1843!' } }));
    const apigateway = server.client(APIGatewayClient);
    const pool = await restApi(server, 'a', { '/open': {} });
    const { id: authorizerId } = await apigateway.send(new CreateAuthorizerCommand({ restApiId: pool.id, name: 'p', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [UserPool.Arn] }));
    const { CreateResourceCommand, PutMethodCommand, PutIntegrationCommand, PutMethodResponseCommand, PutIntegrationResponseCommand, CreateDeploymentCommand, GetResourcesCommand } = await import('@aws-sdk/client-api-gateway');
    const { items } = await apigateway.send(new GetResourcesCommand({ restApiId: pool.id }));
    const { id: resourceId } = await apigateway.send(new CreateResourceCommand({ restApiId: pool.id, parentId: items.find((one) => one.path === '/').id, pathPart: 'x' }));
    const where = { restApiId: pool.id, resourceId, httpMethod: 'GET' };
    await apigateway.send(new PutMethodCommand({ ...where, authorizationType: 'COGNITO_USER_POOLS', authorizerId }));
    await apigateway.send(new PutIntegrationCommand({ ...where, ...mock }));
    await apigateway.send(new PutMethodResponseCommand({ ...where, statusCode: '200' }));
    await apigateway.send(new PutIntegrationResponseCommand({ ...where, statusCode: '200' }));
    await apigateway.send(new CreateDeploymentCommand({ restApiId: pool.id, stageName: 'test' }));

    const call = () => fetch(`${pool.url}/x`, { headers: { authorization: AuthenticationResult.IdToken } });
    assert.equal((await call()).status, 200);
    await server.fetch('/_gatehouse/clock', { method: 'POST', body: '{"advance_s": 3601}' });
    const late = await call();
    assert.deepEqual([late.status, late.headers.get('x-amzn-errortype'), await late.json()], [401, 'UnauthorizedException', { message: 'The incoming token has expired' }]);
    const error = await refusal(idp.send(new GetUserCommand({ AccessToken: AuthenticationResult.AccessToken })));
    assert.deepEqual([error.name, error.message], ['NotAuthorizedException', 'Access Token has expired']);
});

test('functions', async (t) => {
    const server = await start(t);
    const lambda = server.client(LambdaClient);
    const { Role } = await server.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }) }));
    for (const [name, ZipFile] of [['text', Buffer.from('this is no zip')], ['a zip cut off', Buffer.from('504b0304140000000000', 'hex')], ['nothing in it', Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex')]]) {
        await t.test(`package: ${name}`, async () => {
            const error = await refusal(lambda.send(new CreateFunctionCommand({ FunctionName: 'broken', Runtime: 'python3.12', Handler: 'a.b', Role: Role.Arn, Code: { ZipFile } })));
            assert.equal(error.name, 'InvalidParameterValueException', error.message);
            assert.equal(error.$metadata.httpStatusCode, 400);
        });
    }
    const rows = [
        ['raises', 'def handler(event, context):\n    raise Exception("no")\n', {}, { errorMessage: 'no', errorType: 'Exception' }],
        ['dies', 'import os\ndef handler(event, context):\n    os._exit(3)\n', {}, { errorType: 'Runtime.ExitError' }],
        ['dies-at-start', 'import os\nos._exit(3)\n', {}, { errorType: 'Runtime.ExitError' }],
        ['is-no-program', 'def handler(event, context:\n', {}, { errorType: 'Runtime.UserCodeSyntaxError' }],
        ['has-no-handler', 'x = 1\n', {}, { errorType: 'Runtime.HandlerNotFound' }],
        ['hangs', 'import time\ndef handler(event, context):\n    time.sleep(60)\n', { Timeout: 1 }, { errorType: 'Sandbox.Timedout' }],
        ['answers-text', 'def handler(event, context):\n    return "hello"\n', {}, undefined],
        ['answers-a-bad-status', 'def handler(event, context):\n    return {"statusCode": "many", "body": "x"}\n', {}, undefined],
        ['answers-what-nobody-knows', 'def handler(event, context):\n    return {"statusCode": 200, "surprise": 1}\n', {}, undefined],
    ];
    const routes = {};
    for (const [name, source, more] of rows) routes[`/${name}`] = { method: 'GET', integration: functionProxy(await pythonFunction(server, name, source, more)) };
    const api = await restApi(server, 'functions', routes);
    for (const [name, , , expected] of rows) {
        await t.test(`a function that ${name.replaceAll('-', ' ')}`, async () => {
            const answer = await request(`${api.url}/${name}`);
            assert.deepEqual([answer.status, answer.headers['x-amzn-errortype'], answer.json()], [502, 'InternalServerErrorException', { message: 'Internal server error' }]);
            if (!expected) return;
            const invoked = await lambda.send(new InvokeCommand({ FunctionName: name }));
            const payload = JSON.parse(Buffer.from(invoked.Payload).toString());
            assert.equal(invoked.FunctionError, 'Unhandled');
            for (const [member, value] of Object.entries(expected)) assert.equal(payload[member], value, JSON.stringify(payload));
        });
    }
});

test('backends', async (t) => {
    const server = await start(t);
    // What the client may see: an error of the gateway's, or (when the head had been passed on) an
    // answer that breaks off. What it must never see: a whole answer that was not one.
    const network = [504, 'Network error communicating with endpoint'];
    const internal = [502, 'Internal server error'];
    const rows = [
        ['refuse', [network]], ['reset', [network]], ['close', [network]],
        ['stall', [[504, 'Endpoint request timed out']]], ['stall_in_head', [[504, 'Endpoint request timed out']]],
        ['garbage', [network, internal]], ['bad_status', [network, internal]], ['two_lengths', [network, internal]],
        ['length_and_chunked', [network, internal]], ['endless_head', [network, internal]],
        ['short_body', 'cut'], ['stall_in_body', 'cut'], ['bad_chunk', 'cut'], ['cut_chunk', 'cut'],
        ['long_body', 'hello'],
    ];
    const good = await recordingBackend(t, () => ({ body: 'good' }));
    const routes = { '/good': { integration: proxyTo(`${good.url}/`) } };
    for (const [kind] of rows) routes[`/${kind}`] = { integration: proxyTo(`${(await faultBackend(t, kind)).url}/`, { timeoutInMillis: 300 }) };
    const api = await restApi(server, 'backends', routes);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(t, () => agent.destroy());
    for (const [kind, allowed] of rows) {
        await t.test(`a backend that does this: ${kind}`, async () => {
            const answer = await request(`${api.url}/${kind}`, { agent }).catch((error) => error);
            if (allowed === 'hello') assert.deepEqual([answer.status, answer.text], [200, 'hello']);
            else if (answer instanceof Error) assert.equal(allowed, 'cut', `${answer.message}: should have been an error of the gateway's`);
            else {
                assert.ok([502, 504].includes(answer.status), `came ${answer.status} ${answer.text}`);
                if (allowed !== 'cut') assert.ok(allowed.some(([status, message]) => answer.status === status && answer.json().message === message), `came ${answer.status} ${answer.text}`);
                assert.equal(answer.headers['x-amzn-errortype'], 'InternalServerErrorException');
            }
            // Neither the client's connection nor another's backend is poisoned.
            const next = await request(`${api.url}/good`, { agent });
            assert.deepEqual([next.status, next.text], [200, 'good']);
            if (kind === 'long_body') assert.equal((await request(`${api.url}/${kind}`, { agent })).text, 'hello');
        });
    }
    await t.test('a body over ten megabytes', async () => {
        const before = good.requests.length;
        const body = Buffer.alloc(10 * 1024 * 1024 + 1, 'x');
        const answer = await request(`${api.url}/good`, { method: 'POST', headers: { 'content-length': body.length }, body }).catch((error) => error);
        assert.ok(answer.status === 413 || ['ECONNRESET', 'EPIPE'].includes(answer.code), answer.text ?? answer.message);
        assert.equal(good.requests.length, before, 'the backend was not asked');
    });
});

test('a full disk', { timeout: 60000 }, async (t) => {
    const data = path.join(scratch(t), 'data');
    const first = await start(t, { data });
    await first.stop();
    // No file may grow past this; what SQLite hears is what a full disk says.
    const largest = Math.max(...fs.readdirSync(data, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => fs.statSync(path.join(one.path ?? one.parentPath ?? data, one.name)).size));
    const server = await start(t, { data, wrap: ['bash', '-c', `ulimit -f ${Math.ceil(largest / 1024) + 256}; exec "$0" "$@"`] });
    let idp = server.client(CognitoIdentityProviderClient);
    const made = [];
    let error;
    while (!error && made.length < 5000) {
        await idp.send(new CreateUserPoolCommand({ PoolName: `p${made.length}` })).then(({ UserPool }) => made.push(UserPool.Id), (refused) => (error = refused));
    }
    assert.ok(made.length > 0);
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], ['ServiceUnavailable', 503], error.message);
    assert.equal((await server.fetch('/_gatehouse/health')).status, 200, 'it runs on');
    assert.match(server.log(), /full|disk|I\/O/i, 'the log says why');
    await server.kill9();
    server.wrap = [];
    await server.launch();
    idp = server.client(CognitoIdentityProviderClient);
    const there = new Set();
    let NextToken;
    do {
        const page = await idp.send(new ListUserPoolsCommand({ MaxResults: 60, NextToken }));
        for (const pool of page.UserPools) there.add(pool.Id);
        ({ NextToken } = page);
    } while (NextToken);
    assert.deepEqual(made.filter((id) => !there.has(id)), []);
    await idp.send(new CreateUserPoolCommand({ PoolName: 'room again' }));
});

test('data folders that cannot be used', async (t) => {
    const data = path.join(scratch(t), 'data');
    const server = await start(t, { data });
    await server.stop();
    const database = fs.readdirSync(data).find((name) => /\.(db|sqlite3?)$/.test(name));
    const file = path.join(data, database);
    const exit = async (options) => (await refusal(start(null, { data, ...options }))).exitCode;
    await t.test('written by a newer version: 2, and untouched', async () => {
        execFileSync('python3', ['-c', 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("INSERT INTO schema_steps VALUES (\'identity\', 999, \'x\')"); db.commit(); db.close()', file]);
        const error = await refusal(start(null, { data }));
        assert.equal(error.exitCode, 2);
        assert.match(error.message, /newer Gatehouse/);
    });
    await t.test('used by another Gatehouse: 2', async () => {
        const dir = path.join(scratch(t), 'data');
        await start(t, { data: dir });
        assert.equal(await exit({ data: dir }), 2);
    });
    await t.test('damaged: 3', async () => {
        fs.writeFileSync(file, Buffer.alloc(8192, 'garbage '));
        for (const end of ['-wal', '-shm']) fs.rmSync(file + end, { force: true });
        const error = await refusal(start(null, { data }));
        assert.equal(error.exitCode, 3, error.message);
    });
    await t.test('options that make no sense: 1, and the message names them', async () => {
        for (const args of [['--no-such-option'], ['--workers', 'many'], ['--account', '12']]) {
            const error = await refusal(start(null, { data: path.join(scratch(t), 'x'), args }));
            assert.equal(error.exitCode, 1, args.join(' '));
            assert.match(error.message, new RegExp(args[0].slice(2)));
        }
    });
    await t.test('dev mode beyond loopback: 1', async () => {
        const error = await refusal(start(null, { data: path.join(scratch(t), 'x'), args: ['--listen', '0.0.0.0:0'] }));
        assert.equal(error.exitCode, 1, error.message);
    });
});
