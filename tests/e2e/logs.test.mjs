// What the server says of a request: access logs, execution logs, metrics, trials of a draft.
import assert from 'node:assert/strict';
import test from 'node:test';

import { api, control, fn, functions, httpProxy, invocation, lambdaProxy, mock } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { binary, eventually, request, run, start } from './support/harness.mjs';

const lines = (server) => server.log().split('\n').flatMap((line) => {
    try { return [JSON.parse(line)]; } catch { return []; }
});
// The lines of one request, once its last one is there.
async function linesOf(server, answer, msg, last = /./) {
    const id = answer.headers['x-amzn-requestid'];
    return eventually(`${msg} lines of ${id}`, () => {
        const own = lines(server).filter((line) => line.msg === msg && line.request_id === id).map((line) => line.line);
        return last.test(own.at(-1) ?? '') && own.length && own;
    });
}
const without = (id, list) => list.map((line) => line.replaceAll(`(${id}) `, '').replaceAll(id, 'R'));

test('execution logs: what each level says', async (t) => {
    const backend = await recordingBackend(t, (seen) => ({ status: seen.url === '/teapot' ? 418 : 200, body: '{"said":"hello"}' }));
    const server = await start(t);
    const one = await api(server, {
        'GET /ping': { answers: { 200: { responseTemplates: { 'application/json': '{"ok":true}' } } } },
        'POST /echo/{name}': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri: `${backend.url}/in`, requestTemplates: { 'application/json': '{"wrapped":$input.body}' } } },
        'GET /broken': { integration: { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 500}' } }, answers: { 200: { selectionPattern: '200' } } },
        'GET /quiet': {},
    });
    const level = (value, more = []) => one.patch(['replace', '/*/*/logging/loglevel', value], ...more);

    await t.test('OFF: nothing', async () => {
        const answer = await request(`${one.url}/ping`);
        await request(`${one.url}/ping`);
        assert.deepEqual(lines(server).filter((line) => line.msg === 'execution' && line.request_id === answer.headers['x-amzn-requestid']), []);
    });
    await t.test('INFO: the way of the request, and none of its data', async () => {
        await level('INFO');
        const answer = await request(`${one.url}/echo/me?secret=query`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"secret":"body"}' });
        assert.equal(answer.status, 200, answer.text);
        const said = await linesOf(server, answer, 'execution', /Method completed/);
        assert.deepEqual(without(answer.headers['x-amzn-requestid'], said), [
            `Extended Request Id: ${answer.headers['x-amz-apigw-id']}`,
            `Verifying Usage Plan for request: R. API Key:  API Stage: ${one.id}/dev`,
            "API Key  authorized because method 'POST /echo/{name}' does not require API Key. Request will not contribute to throttle or quota limits",
            `Usage Plan check succeeded for API Key  and API Stage ${one.id}/dev`,
            'Starting execution for request: R',
            'HTTP Method: POST, Resource Path: /echo/{name}',
            `Sending request to ${backend.url}/in`,
            said.find((line) => /Received response/.test(line)).replace(/^\(.*?\) /, ''),
            'Successfully completed execution',
            'Method completed with status: 200',
        ]);
        assert.ok(!said.join('\n').includes('secret'));
        const whole = lines(server).find((line) => line.msg === 'execution');
        assert.equal(whole.log, `API-Gateway-Execution-Logs_${one.id}/dev`);
    });
    await t.test('with data trace: parameters, headers and bodies, secrets masked', async () => {
        await level('INFO', [['replace', '/*/*/logging/dataTrace', 'true']]);
        const answer = await request(`${one.url}/echo/me?a=b`, {
            method: 'POST', body: '{"x":1}',
            headers: { 'content-type': 'application/json', authorization: 'Bearer abcdefghijklmnopqrstuvwxyz', 'x-api-key': 'short' },
        });
        const said = (await linesOf(server, answer, 'execution', /Method completed/)).join('\n');
        assert.match(said, /Method request path: \{name=me\}/);
        assert.match(said, /Method request query string: \{a=b\}/);
        assert.match(said, /Method request body before transformations: \{"x":1\}/);
        assert.match(said, /Endpoint request body after transformations: \{"wrapped":\{"x":1\}\}/);
        assert.match(said, /Endpoint response body before transformations: \{"said":"hello"\}/);
        assert.match(said, /authorization=\*{20,}uvwxyz/);
        assert.ok(!said.includes('abcdefghij') && !said.includes('short'), said);
    });
    await t.test('what a client sends cannot make a line of its own', async () => {
        const before = lines(server).length;
        const answer = await request(`${one.url}/echo/a%0a%7b%22msg%22:%22forged%22%7d?x=%0d%0a%1b[31m%n%s`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":"\\n"}' });
        await linesOf(server, answer, 'execution', /Method completed/);
        assert.ok(lines(server).length > before);
        assert.deepEqual(lines(server).filter((line) => line.msg === 'forged'), []);
        assert.ok(!server.log().includes('\x1b'), 'an escape character reached the log');
    });
    await t.test('ERROR: only what failed', async () => {
        await level('ERROR');
        const good = await request(`${one.url}/ping`);
        const bad = await request(`${one.url}/broken`);
        assert.equal(bad.status, 500);
        const said = await linesOf(server, bad, 'execution', /Method completed/);
        assert.match(said.join('\n'), /Execution failed due to configuration error: No match for output mapping/);
        assert.match(said.join('\n'), /Gateway response type: API_CONFIGURATION_ERROR with status code: 500/);
        assert.deepEqual(lines(server).filter((line) => line.request_id === good.headers['x-amzn-requestid'] && line.msg === 'execution'), []);
    });
    await t.test('a method has its own level', async () => {
        await level('INFO', [['replace', '/~1quiet/GET/logging/loglevel', 'OFF']]);
        const quiet = await request(`${one.url}/quiet`);
        await linesOf(server, await request(`${one.url}/ping`), 'execution', /Method completed/);
        assert.deepEqual(lines(server).filter((line) => line.request_id === quiet.headers['x-amzn-requestid'] && line.msg === 'execution'), []);
    });
});

test('execution log of a Lambda authorizer', async (t) => {
    const server = await start(t);
    const arn = await fn(server, 'gate', `export const handler = async (event) => { if (event.authorizationToken === 'no') throw new Error('Unauthorized');
        return { principalId: 'someone-with-a-long-name', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }] }, context: { level: 7 } }; }`);
    await functions(server).addPermission({ FunctionName: 'gate', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
    const gateway = control(server);
    const one = await api(server, {});
    const { id } = await gateway.createAuthorizer({ restApiId: one.id, name: 'gate', type: 'TOKEN', authorizerUri: invocation(arn), identitySource: 'method.request.header.Authorization', authorizerResultTtlInSeconds: 0 });
    await one.add('GET /in', { method: { authorizationType: 'CUSTOM', authorizerId: id } });
    await one.deploy();
    await one.patch(['replace', '/*/*/logging/loglevel', 'INFO'], ['replace', '/*/*/logging/dataTrace', 'true']);

    const yes = await request(`${one.url}/in`, { headers: { authorization: 'yes' } });
    assert.equal(yes.status, 200, yes.text);
    const said = without(yes.headers['x-amzn-requestid'], await linesOf(server, yes, 'execution', /Method completed/));
    assert.equal(said[1], `Starting authorizer: ${id} for request: R`);
    assert.ok(said.some((line) => /^Using valid authorizer policy for principal: \*+g-name$/.test(line)), said.join('\n'));
    assert.ok(said.includes('Successfully completed authorizer execution'));
    assert.ok(said.indexOf('Starting execution for request: R') > said.indexOf('Successfully completed authorizer execution'));
    const no = await request(`${one.url}/in`, { headers: { authorization: 'no' } });
    assert.equal(no.status, 401);
    const refused = without(no.headers['x-amzn-requestid'], await linesOf(server, no, 'execution', /Method completed/));
    assert.ok(refused.includes('Unauthorized request: R') && !refused.includes('Starting execution for request: R'), refused.join('\n'));

    await t.test('TestInvokeAuthorizer: policy, principal, context, log', async () => {
        const tried = await gateway.testInvokeAuthorizer({ restApiId: one.id, authorizerId: id, headers: { Authorization: 'yes' } });
        assert.equal(tried.clientStatus, 0, tried.log);
        assert.equal(tried.principalId, 'someone-with-a-long-name');
        assert.equal(JSON.parse(tried.policy).Statement[0].Effect, 'Allow');
        assert.deepEqual(tried.authorization, { level: ['7'] });
        assert.match(tried.log, /^Execution log for request [0-9a-f-]{36}\n\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} : Starting authorizer: /);
        assert.match(tried.log, /Authorizer result body before parsing: \{"principalId"/);
        const not = await gateway.testInvokeAuthorizer({ restApiId: one.id, authorizerId: id, headers: { Authorization: 'no' } });
        assert.equal(not.clientStatus, 401);
        assert.match(not.log, /Unauthorized request: /);
        assert.equal((await gateway.testInvokeAuthorizer({ restApiId: one.id, authorizerId: id, headers: {} })).clientStatus, 401);
        await assert.rejects(gateway.testInvokeAuthorizer({ restApiId: one.id, authorizerId: 'none', headers: {} }), { name: 'NotFoundException', message: 'Invalid Authorizer identifier specified' });
    });
    await t.test('TestInvokeMethod asks no authorizer', async () => {
        const tried = await gateway.testInvokeMethod({ restApiId: one.id, resourceId: one.resources.ids['/in'], httpMethod: 'GET' });
        assert.equal(tried.status, 200, tried.log);
    });
});

test('TestInvokeMethod tries the draft', async (t) => {
    const backend = await recordingBackend(t);
    const server = await start(t);
    const gateway = control(server);
    const arn = await fn(server, 'hello', 'export const handler = async (event) => ({ statusCode: 201, headers: { "x-a": "b" }, multiValueHeaders: { "x-m": ["1", "2"] }, body: event.body + event.queryStringParameters?.q });');
    await functions(server).addPermission({ FunctionName: 'hello', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
    const one = await api(server, {});
    await one.add('POST /fn', { integration: lambdaProxy(arn)});
    await one.add('GET /back/{id}', { integration: httpProxy(`${backend.url}/x/{id}`, { requestParameters: { 'integration.request.path.id': 'method.request.path.id', 'integration.request.header.X-Var': 'stageVariables.color' } }), method: { requestParameters: { 'method.request.path.id': true } } });
    await one.add('GET /template', { integration: { ...mock, requestTemplates: { 'application/json': '{"statusCode": 200, "x": #if($x)' } } });
    const tried = (path, more) => gateway.testInvokeMethod({ restApiId: one.id, resourceId: one.resources.ids[path], ...more });

    await t.test('a function, without a deployment', async () => {
        const answer = await tried('/fn', { httpMethod: 'POST', pathWithQueryString: '/fn?q=z', body: 'abc' });
        assert.deepEqual([answer.status, answer.body, answer.headers['x-a']], [201, 'abcz', 'b'], answer.log);
        assert.deepEqual(answer.multiValueHeaders['x-m'], ['1, 2'], 'joined, as recorded');
        assert.match(answer.log, /Sending request to https:\/\/lambda\.us-east-1\.amazonaws\.com\/2015-03-31\/functions\/arn:aws:lambda:.*:function:hello\/invocations/);
    });
    await t.test('a backend, with stage variables and headers given for the trial', async () => {
        const answer = await tried('/back/{id}', { httpMethod: 'GET', pathWithQueryString: '/back/7?a=1', headers: { 'X-One': '1' }, multiValueHeaders: { 'X-Two': ['2', '3'] }, stageVariables: { color: 'green' } });
        assert.equal(answer.status, 200, answer.log);
        const seen = JSON.parse(answer.body);
        assert.equal(seen.url, '/x/7?a=1');
        assert.deepEqual([seen.headers['x-one'], seen.headers['x-two'], seen.headers['x-var']], ['1', '2, 3', 'green']);
    });
    await t.test('what does not compile is a 500 whose log says why', async () => {
        const answer = await tried('/template', { httpMethod: 'GET' });
        assert.equal(answer.status, 500);
        assert.match(answer.log, /Execution failed due to configuration error: /);
        assert.deepEqual(JSON.parse(answer.body), { message: 'Internal server error' });
        assert.equal((await tried('/fn', { httpMethod: 'POST', body: '1' })).status, 201, 'the next one works');
    });
    await t.test('bad input', async () => {
        await assert.rejects(tried('/fn', { httpMethod: 'PUT' }), { name: 'NotFoundException', message: 'Invalid Method identifier specified' });
        await assert.rejects(tried('/fn', { httpMethod: 'POST', headers: { 'x\r\ny': 'z' } }), { name: 'BadRequestException' });
        await assert.rejects(tried('/fn', { httpMethod: 'POST', headers: { 'x-y': 'z\r\nevil: 1' } }), { name: 'BadRequestException' });
        await assert.rejects(tried('/fn', { httpMethod: 'POST', pathWithQueryString: '/fn HTTP/1.1\r\nHost: evil' }), { name: 'BadRequestException' });
    });
    await t.test('trials are not counted as requests', async () => {
        const numbers = await (await server.fetch('/_gatehouse/metrics')).text();
        assert.ok(!numbers.includes('test-invoke-stage'));
        assert.match(numbers, /^gatehouse_gateway_requests_total 0$/m);
    });
});

test('access logs in the four formats of the guide', async (t) => {
    const server = await start(t);
    const one = await api(server, { 'GET /ping': {} });
    const formats = {
        clf: ['$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength $context.requestId',
            /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/ping HTTP\/1\.1" 200 \d+ [0-9a-f-]{36}$/],
        json: ['{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", "status":"$context.status", "nothing":"$context.nothing" }',
            /^\{ "requestId":"[0-9a-f-]{36}", "ip": "127\.0\.0\.1", "status":"200", "nothing":"-" \}$/],
        xml: ['<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip> <status>$context.status</status> </request>',
            /^<request id="[0-9a-f-]{36}"> <ip>127\.0\.0\.1<\/ip> <status>200<\/status> <\/request>$/],
        csv: ['$context.identity.sourceIp,$context.httpMethod,$context.resourcePath,$context.status,$context.requestId,$context.integrationLatency,$context.responseLatency',
            /^127\.0\.0\.1,GET,\/ping,200,[0-9a-f-]{36},[\d-]+,\d+$/],
    };
    for (const [name, [format, want]] of Object.entries(formats)) {
        await t.test(name, async () => {
            await one.patch(['replace', '/accessLogSettings/format', format], ['replace', '/accessLogSettings/destinationArn', 'arn:aws:logs:us-east-1:000000000000:log-group:x']);
            const [line] = await linesOf(server, await request(`${one.url}/ping`), 'access');
            assert.match(line, want);
        });
    }
});

test("metrics under CloudWatch's names", async (t) => {
    const backend = await recordingBackend(t, () => ({ status: 200, body: 'x' }));
    const server = await start(t);
    const one = await api(server, { 'GET /ping': {}, 'GET /back': { integration: httpProxy(backend.url) } }, { name: 'sh"op' });
    const read = async (name, more = '') => {
        const text = await (await server.fetch('/_gatehouse/metrics')).text();
        const line = text.split('\n').find((l) => l.startsWith(`aws_apigateway_${name}{ApiName="sh\\"op",ApiId="${one.id}",Stage="dev"${more}}`));
        return line === undefined ? undefined : Number(line.split(' ').at(-1));
    };
    for (let i = 0; i < 3; i++) await request(`${one.url}/ping`);
    await request(`${one.url}/back`);
    await request(`${one.url}/none`);
    assert.deepEqual([await read('Count'), await read('4XXError'), await read('5XXError')], [5, 1, 0]);
    assert.deepEqual([await read('Latency_count'), await read('IntegrationLatency_count')], [5, 4]);
    assert.ok((await read('Latency_sum')) > 0);
    const ping = ',Method="GET",Resource="/ping"';
    assert.equal(await read('Count', ping), undefined);
    await one.patch(['replace', '/~1ping/GET/metrics/enabled', 'true']);
    await request(`${one.url}/ping`);
    assert.deepEqual([await read('Count', ping), await read('Count')], [1, 6]);
    await one.deploy();
    await request(`${one.url}/ping`);
    assert.deepEqual([await read('Count', ping), await read('Count')], [2, 7], 'they outlive a deployment');
    await one.gateway.deleteStage({ restApiId: one.id, stageName: 'dev' });
    assert.equal(await read('Count'), undefined);
});

test('trace headers', async (t) => {
    const backend = await recordingBackend(t);
    const server = await start(t);
    const one = await api(server, { 'GET /back': { integration: httpProxy(backend.url) } });
    const seen = async (headers) => (await request(`${one.url}/back`, { headers })).json().headers;

    await t.test("none sent: ours, X-Ray's and the W3C's name one trace", async () => {
        const got = await seen({});
        const [, time, rest] = got['x-amzn-trace-id'].match(/^Root=1-([0-9a-f]{8})-([0-9a-f]{24})$/);
        assert.match(got.traceparent, new RegExp(`^00-${time}${rest}-[0-9a-f]{16}-00$`));
    });
    await t.test('traceparent: passed on as it is, and its trace is the one of X-Amzn-Trace-Id', async () => {
        const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
        const got = await seen({ traceparent, tracestate: 'vendor=1' });
        assert.deepEqual([got.traceparent, got.tracestate], [traceparent, 'vendor=1']);
        assert.equal(got['x-amzn-trace-id'], 'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1');
    });
    await t.test('a broken one is none', async () => {
        for (const traceparent of ['00-short-00f067aa0ba902b7-01', '00-00000000000000000000000000000000-00f067aa0ba902b7-01', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'x'.repeat(55)])
            assert.match((await seen({ traceparent }))['x-amzn-trace-id'], /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/, traceparent);
    });
    await t.test("X-Amzn-Trace-Id of the client's wins", async () => {
        const sent = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
        assert.equal((await seen({ 'x-amzn-trace-id': sent }))['x-amzn-trace-id'], sent);
    });
});

test('a recorded request, tried on the draft', async (t) => {
    const server = await start(t);
    const answers = { 200: { responseTemplates: { 'application/json': '{"said":"$input.params(\'q\') $stageVariables.color"}' } } };
    const one = await api(server, { 'POST /say/{who}': { answers } }, { name: 'talk', variables: { color: 'green' } });
    const say = () => request(`${one.url}/say/me?q=hi`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer secret-of-mine' }, body: '{"a":1}' });
    const replay = (answer, stage = 'dev') => request(`${server.url}/_gatehouse/apis/${one.id}/stages/${stage}/replay`, { method: 'POST', body: JSON.stringify({ trace: answer.headers['x-amzn-requestid'] }) });
    const cli = (...args) => run(binary(), args, { env: { AWS_ENDPOINT_URL: server.url } });

    await t.test('nothing is kept until the stage asks for it', async () => {
        const missing = await replay(await say());
        assert.deepEqual([missing.status, /recordRequests/.test(missing.text)], [404, true]);
    });
    await cli('options', 'talk', 'dev', 'recordRequests=true');
    const then = await say();
    assert.deepEqual(then.json(), { said: 'hi green' });
    await t.test('the same draft gives the same answer', async () => {
        const again = (await replay(then)).json();
        assert.deepEqual([again.same, again.recorded.status, again.draft.status, again.draft.body], [true, 200, 200, then.text], JSON.stringify(again));
        assert.ok(!JSON.stringify(again).includes('secret-of-mine'), 'credentials are not kept');
        const said = await cli('replay', 'talk', 'dev', then.headers['x-gatehouse-trace']);
        assert.deepEqual([said.code, /answers the same/.test(said.stdout)], [0, true], said.stderr);
    });
    await t.test('a changed draft shows what would change', async () => {
        const at = { restApiId: one.id, resourceId: one.resources.ids['/say/{who}'], httpMethod: 'POST', statusCode: '200' };
        await one.gateway.putIntegrationResponse({ ...at, responseTemplates: { 'application/json': '{"new":true}' } });
        const again = (await replay(then)).json();
        assert.deepEqual([again.same, again.draft.body], [false, '{"new":true}']);
        assert.equal((await say()).json().said, 'hi green', 'the stage is untouched');
        const said = await cli('replay', 'talk', 'dev', then.headers['x-gatehouse-trace']);
        assert.deepEqual([said.code, /Method completed with status: 200/.test(said.stdout)], [2, true], said.stderr);
    });
    await t.test('a draft without the method says so; unknown things too', async () => {
        await one.gateway.deleteMethod({ restApiId: one.id, resourceId: one.resources.ids['/say/{who}'], httpMethod: 'POST' });
        assert.match((await replay(then)).text, /The draft has no method for POST \/say\/me/);
        assert.equal((await replay(then, 'none')).status, 404);
        assert.equal((await request(`${server.url}/_gatehouse/apis/${one.id}/stages/dev/replay`, { method: 'POST', body: '{' })).status, 400);
    });
});
