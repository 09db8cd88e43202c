// The data plane through the real binary: every integration, every authorizer, every way to say no.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import * as iam from '@aws-sdk/client-iam';

import { api, control, fn, functions, httpProxy, invocation, lambdaProxy, mock } from './support/apis.mjs';
import { faultBackend, faultKinds, recordingBackend } from './support/backends.mjs';
import { account, eventually, region, request, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const json = { 'content-type': 'application/json' };

async function refused(answer, status, type, body, why) {
    assert.equal(answer.status, status, `${why ?? ''} ${answer.text}`);
    assert.equal(answer.headers['x-amzn-errortype'], type, why);
    if (body !== undefined) assert.deepEqual(answer.json(), body, why);
    assert.match(answer.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/, why);
    assert.equal(answer.headers['access-control-allow-origin'], '*', why);
}

// What `gatehouse why` shows of an answer.
async function traceOf(server, answer) {
    const record = await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`);
    assert.equal(record.status, 200, record.text);
    return record.json();
}
const note = (trace, step, what) => trace.steps.find((s) => s.step === step)?.notes.find((n) => n.what === what)?.detail;

test('MOCK, templates, stage variables, paths', async (t) => {
    const server = await start(t);
    const one = await api(server, {
        'GET /ping': { answers: { 200: { responseTemplates: { 'application/json': '{"stage":"$context.stage","color":"$stageVariables.color","path":"$context.path"}' } } } },
        'POST /pick/{what}': {
            integration: { type: 'MOCK', passthroughBehavior: 'NEVER', requestTemplates: { 'application/json': `{"statusCode": $input.path('$.want')}` } },
            answers: {
                200: { responseTemplates: { 'application/json': `{"what":"$input.params('what')","q":"$input.params('q')"}` } },
                404: { selectionPattern: '404', responseParameters: { 'method.response.header.X-Why': "'none'" }, responseTemplates: { 'application/json': '{"no":true}' } },
            },
        },
        'OPTIONS /pick/{what}': { answers: { 200: { responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'https://shop.example'" } } } },
    }, { variables: { color: 'green' } });

    await t.test('by path and by host name, the same', async () => {
        const want = { stage: 'dev', color: 'green', path: '/dev/ping' };
        assert.deepEqual((await request(`${one.url}/ping`)).json(), want);
        const host = `${one.id}.execute-api.${region}.amazonaws.com`;
        assert.deepEqual((await request(`${server.url}/dev/ping`, { headers: { host } })).json(), want);
        assert.deepEqual((await request(`${server.url}/restapis/${one.id}/dev/_user_request_/ping`)).json(), want);
    });
    await t.test('the template sees parameters and body, the answer is chosen by statusCode', async () => {
        const found = await request(`${one.url}/pick/cat?q=a%20b`, { method: 'POST', headers: json, body: '{"want":200}' });
        assert.deepEqual(found.json(), { what: 'cat', q: 'a b' });
        const missing = await request(`${one.url}/pick/cat`, { method: 'POST', headers: json, body: '{"want":404}' });
        assert.deepEqual([missing.status, missing.headers['x-why'], missing.json()], [404, 'none', { no: true }]);
    });
    await t.test('errors carry the CORS origin that the API itself names', async () => {
        const answer = await request(`${one.url}/pick/cat`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
        assert.equal(answer.status, 415);
        assert.deepEqual(answer.json(), { message: 'Unsupported Media Type' });
        assert.equal(answer.headers['access-control-allow-origin'], 'https://shop.example');
    });
    await t.test('unknown stage, unknown path, wrong method', async () => {
        await refused(await request(`${server.url}/_aws/execute-api/${one.id}/prod/ping`), 403, 'ForbiddenException', { message: 'Forbidden' });
        const host = `${one.id}.execute-api.${region}.amazonaws.com`;
        assert.equal((await request(`${server.url}/dev/nothing`, { headers: { host } })).headers['x-amzn-errortype'], 'MissingAuthenticationTokenException');
        assert.deepEqual((await request(`${one.url}/ping`, { method: 'DELETE' })).json(), { message: 'Missing Authentication Token' });
    });
    await t.test('what a request did can be read by the id in its answer', async () => {
        const trace = await traceOf(server, await request(`${one.url}/ping`));
        assert.deepEqual([trace.method, trace.api, trace.stage, trace.path, trace.status], ['GET', one.id, 'dev', '/ping', 200]);
        assert.deepEqual(trace.steps.map((s) => s.step), ['accept', 'route', 'throttle', 'read', 'map_in', 'integrate', 'map_out', 'respond']);
        assert.equal(note(trace, 'route', 'resource'), '/ping');
        assert.ok(trace.steps.every((s) => Number.isInteger(s.us)) && trace.us >= 0);
    });
    await t.test('a deployment is a copy; a new one is live when the call returns', async () => {
        await one.add('GET /later', {});
        assert.equal((await request(`${one.url}/later`)).status, 403);
        await one.deploy();
        assert.equal((await request(`${one.url}/later`)).status, 200);
        await one.patch(['replace', '/variables/color', 'blue']);
        assert.equal((await request(`${one.url}/ping`)).json().color, 'blue');
        await control(server).deleteStage({ restApiId: one.id, stageName: 'dev' });
        assert.equal((await request(`${one.url}/ping`)).status, 403);
    });
});

test('HTTP and HTTP_PROXY', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t, (seen) => {
        if (seen.url.startsWith('/headers')) return { headers: { 'set-cookie': ['a=1', 'b=2'], server: 'secret', 'x-own': 'yes', 'content-type': 'text/plain' }, body: 'plain' };
        if (seen.url.startsWith('/status/')) return { status: Number(seen.url.slice(8, 11)), body: '{"said":"so"}' };
        return {};
    });
    const one = await api(server, {
        'ANY /echo/{proxy+}': { method: { requestParameters: { 'method.request.path.proxy': true } }, integration: httpProxy('http://${stageVariables.backend}/{proxy}', { requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy', 'integration.request.header.X-Stage': 'context.stage', 'integration.request.querystring.added': "'yes'" } }) },
        'POST /mapped': {
            integration: { type: 'HTTP', integrationHttpMethod: 'PUT', uri: `${backend.url}/mapped`, requestTemplates: { 'application/json': `#set($w = $input.path('$.who')){"name":"$w.toUpperCase()"}` }, requestParameters: { 'integration.request.header.X-Who': 'method.request.body.who' } },
            answers: { 200: { responseTemplates: { 'application/json': `{"backend":$input.json('$.body')}` }, responseParameters: { 'method.response.header.X-Method': 'integration.response.body.method' } } },
        },
        'GET /choose/{status}': {
            method: { requestParameters: { 'method.request.path.status': true } },
            integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: `${backend.url}/status/{status}`, requestParameters: { 'integration.request.path.status': 'method.request.path.status' } },
            answers: { 200: {}, 404: { selectionPattern: '4\\d{2}', responseTemplates: { 'application/json': '{"mine":404}' } } },
        },
    }, { variables: { backend: new URL(backend.url).host } });

    await t.test('the head is rebuilt, not copied', async () => {
        await request(`${one.url}/echo/a/b?x=1&x=2`, {
            method: 'PUT',
            headers: { 'X-Mine': 'yes', connection: 'close, X-Forwarded-For', te: 'trailers', 'x-amzn-trace-id': 'Self=evil', 'x-amzn-anything': 'evil', 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https', 'proxy-authorization': 'evil', 'max-forwards': '3' },
            body: 'text',
        });
        const seen = backend.requests.at(-1);
        assert.deepEqual([seen.method, seen.url, seen.body], ['PUT', '/a/b?x=1&x=2&added=yes', 'text']);
        assert.equal(seen.headers['x-mine'], 'yes');
        assert.equal(seen.headers['x-stage'], 'dev');
        assert.equal(seen.headers.host, new URL(backend.url).host);
        assert.equal(seen.headers['x-forwarded-for'], '9.9.9.9, 127.0.0.1');
        assert.equal(seen.headers['x-forwarded-proto'], 'http');
        assert.match(seen.headers['x-amzn-trace-id'], /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
        assert.equal(seen.headers['x-amzn-apigateway-api-id'], one.id);
        for (const name of ['te', 'x-amzn-anything', 'proxy-authorization', 'max-forwards']) assert.equal(seen.headers[name], undefined, name);
    });
    await t.test('answers keep their headers, some renamed as AWS does', async () => {
        const answer = await request(`${one.url}/echo/headers`);
        assert.equal(answer.text, 'plain');
        assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
        assert.equal(answer.headers['x-own'], 'yes');
        assert.equal(answer.headers.server, undefined);
        assert.equal(answer.headers['x-amzn-remapped-server'], 'secret');
        assert.ok(answer.headers['x-amzn-remapped-date']);
        assert.match(answer.headers['x-amzn-trace-id'], /^Root=1-/);
    });
    await t.test('path values are decoded and encoded again, and cannot climb', async () => {
        await request(`${one.url}/echo/a%20b/%2Bc`);
        assert.equal(backend.requests.at(-1).url, '/a%20b/%2Bc?added=yes');
        const before = backend.requests.length;
        const answer = await request(`${one.url}/echo/..%2f..%2fetc`);
        assert.ok(answer.status >= 400, answer.text);
        assert.equal(backend.requests.length, before);
    });
    await t.test('big bodies, both ways', async () => {
        const body = crypto.randomBytes(3 * 1024 * 1024).toString('hex');
        const answer = await request(`${one.url}/echo/big`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body });
        assert.equal(answer.json().body.length, body.length);
        assert.equal(answer.json().body, body);
    });
    await t.test('over 10 MB: 413, and nobody is bothered', async () => {
        const before = backend.requests.length;
        const big = await request(`${one.url}/echo/big`, { method: 'POST', headers: { 'content-length': 10485761, expect: '100-continue' } });
        await refused(big, 413, 'RequestTooLargeException', { message: 'HTTP content length exceeded 10485760 bytes.' });
        assert.equal(backend.requests.length, before);
    });
    await t.test('over 10 MB in chunks: the limit counts what really comes', async () => {
        const before = backend.requests.length;
        const chunked = (bytes) => new Promise((resolve, reject) => {
            const req = http.request(`${one.url}/echo/chunks`, { method: 'POST' }, (res) => {
                res.resume();
                res.on('end', () => resolve(res.statusCode));
            });
            req.on('error', reject);
            const piece = Buffer.alloc(65536, 'x');
            const more = () => {
                for (; bytes > 0; bytes -= piece.length)
                    if (!req.write(piece)) {
                        bytes -= piece.length;
                        req.once('drain', more);
                        return;
                    }
                req.end();
            };
            more();
        });
        assert.equal(await chunked(2 * 1024 * 1024), 200);
        assert.equal(await chunked(11 * 1024 * 1024), 413);
        assert.equal(backend.requests.length, before + 1);
    });
    await t.test('HTTP: template in, template out, parameters from the bodies', async () => {
        const answer = await request(`${one.url}/mapped?q=1`, { method: 'POST', headers: { ...json, 'x-client': 'not sent on' }, body: '{"who":"ada"}' });
        const seen = backend.requests.at(-1);
        assert.deepEqual([seen.method, seen.url, seen.body], ['PUT', '/mapped', '{"name":"ADA"}']);
        assert.equal(seen.headers['x-who'], 'ada');
        assert.equal(seen.headers['x-client'], undefined);
        assert.equal(seen.headers['user-agent'], `AmazonAPIGateway_${one.id}`);
        assert.equal(JSON.parse(answer.json().backend).name, 'ADA');
        assert.equal(answer.headers['x-method'], 'PUT');
    });
    await t.test('HTTP: a parameter from a body that is no JSON: 400, and nobody is bothered', async () => {
        const before = backend.requests.length;
        const answer = await request(`${one.url}/mapped`, { method: 'POST', headers: json, body: '{"who":' });
        await refused(answer, 400, 'BadRequestException', { message: 'Invalid JSON in request body' });
        assert.equal(backend.requests.length, before);
    });
    await t.test('HTTP: the answer is chosen by the status', async () => {
        const found = await request(`${one.url}/choose/200`);
        assert.deepEqual([found.status, found.json()], [200, { said: 'so' }]);
        const missing = await request(`${one.url}/choose/410`);
        assert.deepEqual([missing.status, missing.json()], [404, { mine: 404 }]);
        assert.equal((await request(`${one.url}/choose/500`)).status, 200);
    });
});

test('answers stream through as they come', async (t) => {
    const server = await start(t);
    let send;
    const source = http.createServer((req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: one\n\n');
        send = () => res.end('data: two\n\n');
    });
    await new Promise((done) => source.listen(0, '127.0.0.1', done));
    t.after(() => source.close());
    const one = await api(server, { 'GET /events': { integration: httpProxy(`http://127.0.0.1:${source.address().port}/`) } });
    const text = await new Promise((resolve, reject) => {
        http.get(`${one.url}/events`, (res) => {
            let all = '';
            res.on('data', (piece) => {
                all += piece;
                if (all === 'data: one\n\n') send(); // the second event is made only when the first has arrived
            });
            res.on('end', () => resolve(all));
        }).on('error', reject);
    });
    assert.equal(text, 'data: one\n\ndata: two\n\n');
});

test('backends that fail', async (t) => {
    const server = await start(t);
    const good = await recordingBackend(t);
    const routes = { 'GET /good': { integration: httpProxy(good.url) } };
    for (const kind of faultKinds) {
        const { url } = await faultBackend(t, kind);
        routes[`GET /${kind}`] = { integration: httpProxy(url, { timeoutInMillis: 250 }) };
    }
    const one = await api(server, routes);
    const network = [504, { message: 'Network error communicating with endpoint' }];
    const timeout = [504, { message: 'Endpoint request timed out' }];
    const garbage = [502, { message: 'Internal server error' }];
    const want = {
        refuse: network, reset: network, close: network, stall: timeout, stall_in_head: timeout, garbage, bad_status: garbage,
        two_lengths: garbage, length_and_chunked: garbage, endless_head: garbage,
    };
    for (const kind of faultKinds) {
        await t.test(kind, async () => {
            const answer = await request(`${one.url}/${kind}`).catch((error) => ({ broken: error.code ?? error.message }));
            if (kind === 'long_body') assert.equal(answer.text, 'hello'); // what follows is nobody's
            else if (want[kind]) await refused(answer, want[kind][0], 'InternalServerErrorException', want[kind][1], kind);
            else assert.ok(answer.broken || answer.status >= 500, `${kind}: a cut answer must not look whole: ${answer.text}`);
            const next = await request(`${one.url}/good`);
            assert.equal(next.status, 200);
        });
    }
    await t.test('each left a line in the log', () => {
        for (const kind of Object.keys(want)) assert.match(server.log(), new RegExp(`"path":"/${kind}"`));
    });
});

test('functions', async (t) => {
    const server = await start(t);
    const echo = await fn(server, 'echo', 'export const handler = async (event) => ({ statusCode: 200, headers: { "x-fn": "yes" }, body: JSON.stringify(event) });');
    const crash = await fn(server, 'crash', 'export const handler = async (event) => { throw new Error(event.say ?? "Bad day"); };');
    const plain = await fn(server, 'plain', 'export const handler = async (event) => ({ got: event });');
    const one = await api(server, {
        'ANY /echo/{proxy+}': { integration: lambdaProxy(echo) },
        'GET /crash': { integration: lambdaProxy(crash) },
        'GET /plain': { integration: lambdaProxy(plain) },
        'GET /gone': { integration: lambdaProxy(echo.replace(/echo$/, 'nobody')) },
        'POST /custom': {
            integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: invocation(crash), requestTemplates: { 'application/json': '{"say":$input.json(\'$.say\')}' } },
            answers: { 200: {}, 400: { selectionPattern: 'Bad.*', responseTemplates: { 'application/json': '{"why":"$input.path(\'$.errorMessage\')"}' } } },
        },
    }, { variables: { color: 'green' } });

    await t.test('AWS_PROXY: the event is AWS\'s', async () => {
        const answer = await request(`${one.url}/echo/a%2Fb/?k=1&k=2`, { method: 'POST', headers: { 'tEsT-HEADeR': 'aValUE', 'content-type': 'text/plain' }, body: 'hi' });
        assert.deepEqual([answer.status, answer.headers['x-fn'], answer.headers['content-type']], [200, 'yes', 'application/json']);
        const event = answer.json();
        assert.deepEqual(Object.keys(event).sort(), ['body', 'headers', 'httpMethod', 'isBase64Encoded', 'multiValueHeaders', 'multiValueQueryStringParameters', 'path', 'pathParameters', 'queryStringParameters', 'requestContext', 'resource', 'stageVariables']);
        assert.equal(event.path, '/echo/a%2Fb/');
        assert.deepEqual(event.pathParameters, { proxy: 'a%2Fb' });
        assert.deepEqual(event.multiValueQueryStringParameters, { k: ['1', '2'] });
        assert.equal(event.headers['tEsT-HEADeR'], 'aValUE');
        assert.equal(event.body, 'hi');
        assert.deepEqual(event.stageVariables, { color: 'green' });
        assert.equal(event.requestContext.path, '/dev/echo/a%2Fb/');
        assert.equal(event.requestContext.requestId, answer.headers['x-amzn-requestid']);
        assert.equal(event.requestContext.extendedRequestId, answer.headers['x-amz-apigw-id']);
        assert.deepEqual(Object.keys(event.requestContext.identity).sort(), ['accessKey', 'accountId', 'caller', 'cognitoAuthenticationProvider', 'cognitoAuthenticationType', 'cognitoIdentityId', 'cognitoIdentityPoolId', 'principalOrgId', 'sourceIp', 'user', 'userAgent', 'userArn']);
    });
    await t.test('a crash, an answer that is none, a function that is not there', async () => {
        await refused(await request(`${one.url}/crash`), 502, 'InternalServerErrorException', { message: 'Internal server error' });
        await refused(await request(`${one.url}/plain`), 502, 'InternalServerErrorException', { message: 'Internal server error' });
        const gone = await request(`${one.url}/gone`);
        await refused(gone, 500, 'InternalServerErrorException', { message: 'Internal server error' });
        assert.match(server.log(), /Malformed Lambda proxy response/);
    });
    await t.test('AWS custom: errors are chosen by their message', async () => {
        const bad = await request(`${one.url}/custom`, { method: 'POST', headers: json, body: '{"say":"Bad luck"}' });
        assert.deepEqual([bad.status, bad.json()], [400, { why: 'Bad luck' }]);
        const other = await request(`${one.url}/custom`, { method: 'POST', headers: json, body: '{"say":"Other"}' });
        assert.deepEqual([other.status, other.json().errorMessage], [200, 'Other']);
    });
    await t.test('an errorMessage that is JSON can be mapped to headers', async () => {
        await one.add('POST /told', {
            integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: invocation(crash), requestTemplates: { 'application/json': '{"say":"{\\"code\\":\\"E7\\",\\"trace\\":{\\"function\\":\\"f\\"}}"}' } },
            answers: { 200: {}, 400: { selectionPattern: '.*"E7".*', responseParameters: { 'method.response.header.X-Where': 'integration.response.body.errorMessage.trace.function' } } },
        });
        await one.deploy();
        const answer = await request(`${one.url}/told`, { method: 'POST', headers: json, body: '{}' });
        assert.deepEqual([answer.status, answer.headers['x-where']], [400, 'f']);
    });
    await t.test('a stage variable names function and alias', async () => {
        const lambda = functions(server);
        const { Version } = await lambda.publishVersion({ FunctionName: 'echo' });
        await lambda.createAlias({ FunctionName: 'echo', Name: 'blue', FunctionVersion: Version });
        await lambda.addPermission({ FunctionName: 'echo', Qualifier: 'blue', StatementId: 'blue', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
        const by = await api(server, { 'GET /by': { integration: lambdaProxy(`arn:aws:lambda:${region}:${account}:function:\${stageVariables.fn}:\${stageVariables.alias}`) } }, { variables: { fn: 'echo', alias: 'blue' } });
        assert.equal((await request(`${by.url}/by`)).json().resource, '/by');
        await by.patch(['replace', '/variables/alias', 'green']);
        assert.equal((await request(`${by.url}/by`)).status, 500);
    });
    await t.test('X-Amz-Invocation-Type: an event is queued, a dry run runs nothing', async () => {
        const seen = await recordingBackend(t);
        const far = await fn(server, 'far', `export const handler = async (event) => { await fetch('${seen.url}/ran', { method: 'POST', body: JSON.stringify(event) }); };`);
        const typed = (type) => ({ type: 'AWS', integrationHttpMethod: 'POST', uri: invocation(far), requestParameters: { 'integration.request.header.X-Amz-Invocation-Type': type } });
        const late = await api(server, {
            'POST /event': { method: { requestParameters: { 'method.request.header.how': false } }, integration: typed("'Event'"), answers: { 202: {} } },
            'POST /dry': { integration: typed("'DryRun'"), answers: { 204: {} } },
            'POST /by-header': { method: { requestParameters: { 'method.request.header.how': false } }, integration: typed('method.request.header.how') },
        });
        assert.equal((await request(`${late.url}/dry`, { method: 'POST', headers: json, body: '{"n":0}' })).status, 204);
        const queued = await request(`${late.url}/event`, { method: 'POST', headers: json, body: '{"n":1}' });
        assert.deepEqual([queued.status, queued.text], [202, '']);
        assert.equal((await request(`${late.url}/by-header`, { method: 'POST', headers: { ...json, how: 'Event' }, body: '{"n":2}' })).status, 200);
        await eventually('both have run', () => seen.requests.length === 2);
        assert.deepEqual(seen.requests.map((r) => JSON.parse(r.body).n).sort(), [1, 2]);
        await functions(server).removePermission({ FunctionName: 'far', StatementId: 'apis' });
        assert.equal((await request(`${late.url}/event`, { method: 'POST', headers: json, body: '{"n":3}' })).status, 500);
    });
});

test('Lambda authorizers', async (t) => {
    const server = await start(t);
    // Each call gets a number of its own, which the backend sees as context: a cached policy has the old one.
    const gate = await fn(server, 'gate', `
        export const handler = async (event) => {
            const token = event.authorizationToken ?? event.headers?.token;
            if (token === 'throw') throw 'Unauthorized';
            if (token === 'throw-other') throw new Error('boom');
            if (token === 'nonsense') return { isAuthorized: 'false' };
            const Resource = token === 'everything' ? '*' : event.methodArn;
            return { principalId: token ?? 'nobody', context: { calls: Math.random(), yes: true },
                policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: token === 'deny' ? 'Deny' : 'Allow', Resource }] } };
        };`);
    const one = await api(server, {});
    const authorizer = (name, more) =>
        control(server).createAuthorizer({ restApiId: one.id, name, authorizerUri: invocation(gate), ...more });
    const token = await authorizer('token', { type: 'TOKEN', identitySource: 'method.request.header.token', identityValidationExpression: '[a-z-]+' });
    const lone = await authorizer('lone', { type: 'REQUEST', authorizerResultTtlInSeconds: 0 });
    const custom = (a) => ({ authorizationType: 'CUSTOM', authorizerId: a.id });
    const answers = { 200: { responseTemplates: { 'application/json': '{"who":"$context.authorizer.principalId","calls":"$context.authorizer.calls","yes":"$context.authorizer.yes"}' } } };
    await one.add('GET /alpha', { method: custom(token), answers });
    await one.add('GET /beta', { method: custom(token), answers });
    await one.add('GET /lone', { method: custom(lone), answers });
    await one.deploy();
    const get = (path, value, base = one.url) => request(base + path, { headers: value === undefined ? {} : { token: value } });

    await t.test('missing, empty and unfit tokens: 401 without a call', async () => {
        for (const value of [undefined, '', 'UPPER'])
            await refused(await get('/alpha', value), 401, 'UnauthorizedException', { message: 'Unauthorized' }, String(value));
    });
    let first;
    await t.test('allowed, and the policy is cached', async () => {
        first = (await get('/alpha', 'alpha')).json();
        assert.deepEqual([first.who, first.yes], ['alpha', 'true']);
        assert.deepEqual((await get('/alpha', 'alpha')).json(), first);
        const trace = await traceOf(server, await get('/alpha', 'alpha'));
        assert.equal(note(trace, 'authorize', 'authorizer'), 'policy from the cache');
    });
    await t.test('a policy for /alpha does not open /beta, a policy for everything does', async () => {
        await refused(await get('/beta', 'alpha'), 403, 'AccessDeniedException', { Message: 'User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action' });
        const trace = await traceOf(server, await get('/beta', 'alpha'));
        assert.match(note(trace, 'authorize', 'hint'), /cached policy was made for another method/);
        const all = (await get('/alpha', 'everything')).json();
        assert.deepEqual((await get('/beta', 'everything')).json(), all);
    });
    await t.test('another stage asks again', async () => {
        await one.gateway.createDeployment({ restApiId: one.id, stageName: 'prod' });
        const there = await get('/alpha', 'alpha', one.url.replace(/dev$/, 'prod'));
        assert.notEqual(there.json().calls, first.calls);
    });
    await t.test('without identity source every call asks', async () => {
        assert.notEqual((await get('/lone', 'a')).json().calls, (await get('/lone', 'a')).json().calls);
    });
    await t.test('deny, Unauthorized, an error, nonsense', async () => {
        await refused(await get('/alpha', 'deny'), 403, 'AccessDeniedException', { Message: 'User is not authorized to access this resource with an explicit deny in an identity-based policy' });
        await refused(await get('/alpha', 'throw'), 401, 'UnauthorizedException', { message: 'Unauthorized' });
        await refused(await get('/alpha', 'throw-other'), 500, 'AuthorizerConfigurationException', { message: null });
        for (let i = 0; i < 2; i++) await refused(await get('/alpha', 'nonsense'), 500, 'AuthorizerConfigurationException', { message: null });
    });
});

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

test('Cognito user pools', async (t) => {
    const server = await start(t);
    const client = server.client(idp.CognitoIdentityProviderClient);
    const send = (name, input) => client.send(new idp[`${name}Command`](input));
    const { UserPool } = await send('CreateUserPool', { PoolName: 'shop' });
    const { UserPoolClient } = await send('CreateUserPoolClient', { UserPoolId: UserPool.Id, ClientName: 'web', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await send('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'ada', MessageAction: 'SUPPRESS' });
    await send('AdminSetUserPassword', { UserPoolId: UserPool.Id, Username: 'ada', Password: 'Passw0rd!x', Permanent: true });
    const signIn = async () =>
        (await send('InitiateAuth', { ClientId: UserPoolClient.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: 'Passw0rd!x' } })).AuthenticationResult;
    const one = await api(server, {});
    const pool = await control(server).createAuthorizer({ restApiId: one.id, name: 'pool', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [UserPool.Arn ?? `arn:aws:cognito-idp:${region}:${account}:userpool/${UserPool.Id}`] });
    const cognito = (more) => ({ authorizationType: 'COGNITO_USER_POOLS', authorizerId: pool.id, ...more });
    const answers = { 200: { responseTemplates: { 'application/json': '{"sub":"$context.authorizer.claims.sub","use":"$context.authorizer.claims.token_use"}' } } };
    await one.add('GET /me', { method: cognito(), answers });
    await one.add('GET /scoped', { method: cognito({ authorizationScopes: ['aws.cognito.signin.user.admin'] }), answers });
    await one.add('GET /other', { method: cognito({ authorizationScopes: ['shop/read'] }), answers });
    await one.deploy();
    const tokens = await signIn();
    const get = (path, Authorization) => request(one.url + path, { headers: Authorization === undefined ? {} : { Authorization } });
    const no = async (why, answer, message = 'Unauthorized') => refused(await answer, 401, 'UnauthorizedException', { message }, why);

    await t.test('the ID token opens, with and without Bearer; the claims are in $context', async () => {
        const claims = JSON.parse(Buffer.from(tokens.IdToken.split('.')[1], 'base64url'));
        assert.deepEqual((await get('/me', tokens.IdToken)).json(), { sub: claims.sub, use: 'id' });
        assert.equal((await get('/me', `Bearer ${tokens.IdToken}`)).status, 200);
        const trace = await traceOf(server, await get('/me', tokens.IdToken));
        assert.equal(note(trace, 'authorize', 'token is good (cached), sub'), claims.sub);
    });
    await t.test('scopes want an access token that has one of them', async () => {
        assert.equal((await get('/scoped', tokens.AccessToken)).status, 200);
        await no('an ID token', get('/scoped', tokens.IdToken));
        await no('a scope that is not there', get('/other', tokens.AccessToken));
        await no('an access token where no scope is asked', get('/me', tokens.AccessToken));
    });
    await t.test('attacks on the token (section a)', async () => {
        const [head, body, signature] = tokens.IdToken.split('.');
        const header = JSON.parse(Buffer.from(head, 'base64url'));
        const claims = JSON.parse(Buffer.from(body, 'base64url'));
        const jwks = await (await server.fetch(`/${UserPool.Id}/.well-known/jwks.json`)).json();
        const key = crypto.createPublicKey({ key: jwks.keys.find((k) => k.kid === header.kid), format: 'jwk' });
        const hs256 = (secret) => {
            const text = `${part({ ...header, alg: 'HS256' })}.${body}`;
            return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
        };
        const own = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
        const bySelf = (h, c) => {
            const text = `${part(h)}.${part(c)}`;
            return `${text}.${crypto.sign('sha256', Buffer.from(text), own.privateKey).toString('base64url')}`;
        };
        const rows = {
            'a01 alg none': `${part({ ...header, alg: 'none' })}.${body}.`,
            'a02 alg NONE': `${part({ ...header, alg: 'NONE' })}.${body}.`,
            'a03 alg none with the signature': `${part({ ...header, alg: 'none' })}.${body}.${signature}`,
            'a04 no alg': `${part({ kid: header.kid })}.${body}.${signature}`,
            'a06 HS256 with the public key': hs256(key.export({ type: 'spki', format: 'pem' })),
            'a07 HS256 with DER': hs256(key.export({ type: 'spki', format: 'der' })),
            'a08 HS256 with nothing': hs256(''),
            'a11 unknown kid': `${part({ ...header, kid: 'x' })}.${body}.${signature}`,
            'a12 no kid': `${part({ alg: 'RS256' })}.${body}.${signature}`,
            'a13 kid with a path': bySelf({ ...header, kid: '../../../../dev/null' }, claims),
            'a23 a key in the header': bySelf({ ...header, jwk: own.publicKey.export({ format: 'jwk' }) }, claims),
            'a26 crit': `${part({ ...header, crit: ['exp'] })}.${body}.${signature}`,
            'a31 two algs': `${part(JSON.stringify(header).replace('{', '{"alg":"none",'))}.${body}.${signature}`,
            'a41 another issuer': bySelf(header, { ...claims, iss: 'https://evil' }),
            'a50 a byte less': tokens.IdToken.slice(0, -2),
            'a50 a byte more': `${tokens.IdToken}AA`,
            'a63 padding': `${tokens.IdToken}=`,
            'a64 four parts': `${tokens.IdToken}.x`,
            'a64 two parts': `${head}.${body}`,
            'a64 nothing but dots': '..',
            'a65 JSON form': JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
            'the claims of somebody else': `${head}.${part({ ...claims, sub: 'eve' })}.${signature}`,
            'the refresh token': tokens.RefreshToken,
        };
        for (const [why, token] of Object.entries(rows)) await no(why, get('/me', token));
        await no('no token', get('/me'));
        const twice = await request(`${one.url}/me`, { headers: { Authorization: [tokens.IdToken, tokens.IdToken] } }).catch(() => null);
        assert.ok(!twice || twice.status === 401 || twice.status === 400, 'a69 two headers');
    });
    await t.test('signed out: no token opens any more, a new sign-in does', async () => {
        await send('GlobalSignOut', { AccessToken: tokens.AccessToken });
        await no('the ID token', get('/me', tokens.IdToken));
        await no('the access token', get('/scoped', tokens.AccessToken));
        assert.equal((await get('/me', (await signIn()).IdToken)).status, 200);
    });
    await t.test('expired: AWS\'s other text', async () => {
        const fresh = await signIn();
        assert.equal((await get('/me', fresh.IdToken)).status, 200);
        const step = await server.fetch('/_gatehouse/clock', { method: 'POST', headers: json, body: JSON.stringify({ advance_s: 3700 }) });
        assert.equal(step.status, 200, await step.text());
        await no('an hour later', get('/me', fresh.IdToken), 'The incoming token has expired');
    });
});

test('AWS_IAM', async (t) => {
    const server = await start(t);
    const one = await api(server, {
        'GET /read': { method: { authorizationType: 'AWS_IAM' }, answers: { 200: { responseTemplates: { 'application/json': '{"arn":"$context.identity.userArn","key":"$context.identity.accessKey"}' } } } },
        'POST /write': { method: { authorizationType: 'AWS_IAM' } },
    });
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));
    await send('CreateUser', { UserName: 'ann' });
    const arn = `arn:aws:execute-api:${region}:${account}:${one.id}/dev`;
    await send('PutUserPolicy', {
        UserName: 'ann', PolicyName: 'read',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Read', Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `${arn}/GET/*` }] }),
    });
    const { AccessKey } = await send('CreateAccessKey', { UserName: 'ann' });
    const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    const call = async (path, keys, more) => {
        const answer = await signed(one.url + path, keys, more);
        const text = await answer.text();
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: () => JSON.parse(text) };
    };

    await t.test('allowed by the policy, and the template knows who', async () => {
        const answer = await call('/read?b=2&a=1', credentials);
        assert.deepEqual([answer.status, answer.json()], [200, { arn: `arn:aws:iam::${account}:user/ann`, key: credentials.accessKeyId }]);
        const trace = await traceOf(server, answer);
        assert.match(note(trace, 'authorize', 'policy'), /Read/);
    });
    await t.test('not allowed: AWS\'s sentence, the account half hidden', async () => {
        await refused(await call('/write', credentials, { method: 'POST', body: '{}' }), 403, 'AccessDeniedException', {
            Message: `User: arn:aws:iam::${account}:user/ann is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:${region}:********0000:${one.id}/dev/POST/write because no identity-based policy allows the execute-api:Invoke action`,
        });
    });
    await t.test('unsigned, wrong secret, unknown key, another service\'s scope', async () => {
        await refused(await request(`${one.url}/read`), 403, 'MissingAuthenticationTokenException', { message: 'Missing Authentication Token' });
        await refused(await call('/read', { ...credentials, secretAccessKey: 'wrong' }), 403, 'InvalidSignatureException');
        await refused(await call('/read', credentials, { service: 's3' }), 403, 'InvalidSignatureException');
    });
    await t.test('a body that was changed on the way', async () => {
        const { signedHeaders } = await import('./support/sign.mjs');
        const { host, ...headers } = await signedHeaders(`${one.url}/write`, credentials, { method: 'POST', body: '{"a":1}' });
        await refused(await request(`${one.url}/write`, { method: 'POST', headers, body: '{"a":2}' }), 403, 'InvalidSignatureException');
    });
    await t.test('a policy that changes counts at once', async () => {
        await send('DeleteUserPolicy', { UserName: 'ann', PolicyName: 'read' });
        assert.equal((await call('/read', credentials)).status, 403);
    });
});

test('throttling', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const one = await api(server, { 'GET /limited': {}, 'GET /free': {} });
    await one.patch(['replace', '/~1limited/GET/throttling/rateLimit', '0.01'], ['replace', '/~1limited/GET/throttling/burstLimit', '5']);
    await t.test('exactly the burst gets through, over all loops', async () => {
        const answers = await Promise.all(Array.from({ length: 40 }, () => request(`${one.url}/limited`, { agent: new http.Agent() })));
        assert.equal(answers.filter((a) => a.status === 200).length, 5);
        await refused(answers.find((a) => a.status === 429), 429, 'TooManyRequestsException', { message: 'Too Many Requests' });
    });
    await t.test('other methods are free', async () => {
        assert.equal((await request(`${one.url}/free`)).status, 200);
    });
    await t.test('the reason is in the trace', async () => {
        const trace = await traceOf(server, await request(`${one.url}/limited`));
        assert.match(note(trace, 'throttle', 'throttled by the'), /^method limit: 0.01 a second, burst 5/);
    });
});

test('gateway responses are the API\'s to change', async (t) => {
    const server = await start(t);
    const one = await api(server, { 'GET /': {} });
    await control(server).putGatewayResponse({
        restApiId: one.id, responseType: 'MISSING_AUTHENTICATION_TOKEN', statusCode: '404',
        responseParameters: { 'gatewayresponse.header.X-Hint': "'try /'", 'gatewayresponse.header.Access-Control-Allow-Origin': "'https://shop.example'" },
        responseTemplates: { 'application/json': '{"oops":$context.error.messageString,"type":"$context.error.responseType"}' },
    });
    await one.deploy();
    const answer = await request(`${one.url}/nowhere`);
    assert.deepEqual([answer.status, answer.json()], [404, { oops: 'Missing Authentication Token', type: 'MISSING_AUTHENTICATION_TOKEN' }]);
    assert.deepEqual([answer.headers['x-hint'], answer.headers['access-control-allow-origin']], ['try /', 'https://shop.example']);
});

test('a client that hangs up early leaves nothing behind', async (t) => {
    const server = await start(t);
    const stall = await faultBackend(t, 'stall');
    const one = await api(server, { 'GET /slow': { integration: httpProxy(stall.url) }, 'GET /ping': {} });
    const { port, pathname } = new URL(`${one.url}/slow`);
    const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`));
    await eventually('the call at the backend', () => stall.requests > 0);
    socket.resetAndDestroy(); // a FIN alone could be a client that still reads
    assert.equal((await request(`${one.url}/ping`)).status, 200);
    const inFlight = async () => Number((await (await server.fetch('/_gatehouse/metrics')).text()).match(/gatehouse_requests_in_flight (\d+)/)[1]);
    await eventually('the call given up long before its 29 seconds', async () => (await inFlight()) <= 1); // our own look
});
