// Stage variables in every place that AWS's reference of them names; and values that would do harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, fn, invocation, mock } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { account, region, request, start } from './support/harness.mjs';

const echo = 'export const handler = async (event, context) => ({ statusCode: 200, body: JSON.stringify({ who: context.functionName, variables: event.stageVariables }) });';
const auth = `export const handler = async (event) => ({ principalId: 'p', context: { seen: event.stageVariables?.color ?? 'none' },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] } });`;
const template = (text) => ({ 200: { responseTemplates: { 'application/json': text } } });

test('a stage variable holds wherever AWS takes one, and a change of it is live at once', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t);
    const address = backend.url.slice('http://'.length), port = address.split(':')[1];
    await fn(server, 'blue', echo);
    await fn(server, 'green', echo);
    await fn(server, 'gate', auth);
    const http = (uri, more) => ({ integration: { type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri, ...more } });
    const arn = (name) => `arn:aws:lambda:${region}:${account}:function:${name}`;
    const made = await api(server, {}, {});
    const { gateway, id: restApiId } = made;
    const authorizer = await gateway.createAuthorizer({
        restApiId, name: 'gate', type: 'REQUEST', identitySource: 'stageVariables.color,method.request.header.x', authorizerResultTtlInSeconds: 300,
        authorizerUri: invocation(arn('${stageVariables.gate}')),
    });
    const routes = {
        'GET /whole': http('http://${stageVariables.whole}'),
        'GET /domain': http('http://${stageVariables.address}/resource/operation'),
        'GET /part': http(`http://127.\${stageVariables.part}.1:${port}/part`),
        'GET /path': http(`${backend.url}/\${stageVariables.color}/bar/\${stageVariables.color}`),
        'GET /query': http(`${backend.url}/foo?q=\${stageVariables.color}`),
        'GET /mapped': http(`${backend.url}/mapped`, {
            requestParameters: { 'integration.request.header.x-color': 'stageVariables.color', 'integration.request.querystring.c': 'stageVariables.color' },
        }),
        'GET /function': { integration: { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: invocation(arn('${stageVariables.color}')) } },
        'GET /whole-function': { integration: { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: invocation('${stageVariables.functionArn}') } },
        'GET /template': { integration: mock, answers: template('{"plain":"$stageVariables.color","braces":"${stageVariables.color}","get":"$stageVariables.get(\'color\')","none":"$stageVariables.none","braced":"${stageVariables.none}"}') },
        'GET /answer': { integration: mock, answers: { 200: { responseParameters: { 'method.response.header.x-color': 'stageVariables.color', 'method.response.header.x-none': 'stageVariables.none' } } } },
        'GET /guarded': { method: { authorizationType: 'CUSTOM', authorizerId: authorizer.id }, integration: mock, answers: template('{"seen":"$context.authorizer.seen"}') },
    };
    for (const [key, route] of Object.entries(routes)) await made.add(key, route);
    await gateway.putGatewayResponse({
        restApiId, responseType: 'MISSING_AUTHENTICATION_TOKEN', statusCode: '404',
        responseParameters: { 'gatewayresponse.header.x-color': 'stageVariables.color' }, responseTemplates: { 'application/json': '{"color":"$stageVariables.color"}' },
    });
    const variables = { whole: `${address}/all?of=it`, address, part: '0.0', color: 'blue', functionArn: arn('green'), gate: 'gate' };
    await made.deploy({ variables });

    const get = (path, headers) => request(made.url + path, { headers });
    const rows = (color) => [
        ['/whole', '/all?of=it'], ['/domain', '/resource/operation'], ['/part', '/part'],
        ['/path', `/${color}/bar/${color}`], ['/query', `/foo?q=${color}`], ['/mapped', `/mapped?c=${color}`],
    ];
    const all = async (color) => {
        for (const [path, url] of rows(color)) {
            const answer = await get(path);
            assert.equal(answer.status, 200, path + answer.text);
            assert.equal(answer.json().url, url, path);
        }
        assert.equal((await get('/mapped')).json().headers['x-color'], color);
        assert.deepEqual((await get('/function')).json(), { who: color, variables: { ...variables, color } });
        assert.equal((await get('/whole-function')).json().who, 'green');
        assert.deepEqual((await get('/template')).json(), { plain: color, braces: color, get: color, none: '', braced: '' });
        const answer = await get('/answer');
        assert.deepEqual([answer.headers['x-color'], answer.headers['x-none']], [color, undefined]);
        assert.deepEqual((await get('/guarded', { x: 'y' })).json(), { seen: color });
        const none = await get('/nowhere');
        assert.deepEqual([none.status, none.headers['x-color'], none.json()], [404, color, { color }]);
    };
    await all('blue');
    const stage = await made.patch(['replace', '/variables/color', 'green']);
    assert.equal(stage.variables.color, 'green');
    await all('green');
    await made.patch(['remove', '/variables/color']);
    assert.deepEqual((await get('/template')).json().plain, '');
    assert.equal((await get('/path')).json().url, '//bar/');
    assert.equal((await get('/guarded', { x: 'y' })).status, 401, 'an identity source that is missing');
});

test('values and names that could break out of their place are refused', async (t) => {
    const server = await start(t);
    const made = await api(server, { 'GET /a': { integration: mock } });
    const { gateway, id: restApiId } = made;
    const first = (await gateway.getStage({ restApiId, stageName: 'dev' })).deploymentId;
    const message = (key) => `Invalid stage variable value of key ${key}.  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.`;
    const refused = async (promise, wanted) => {
        const error = await promise.then(() => assert.fail(`expected: ${wanted}`), (e) => e);
        assert.deepEqual([error.name, error.message], ['BadRequestException', wanted]);
    };
    for (const value of ['a\r\nx: y', 'a\nb', 'a\u0000b', 'a\tb', '"', "'", '{', '}', '${stageVariables.b}', '$input', '<', '%0d', 'é', '\u{1f600}', 'a;b', 'a\\b', 'x'.repeat(513)]) {
        const why = value.length > 512 ? 'too long' : JSON.stringify(value);
        await refused(made.patch(['replace', '/variables/v', value]), message('v')).catch((e) => assert.fail(`${why}: ${e.message}`));
        await refused(made.deploy({ variables: { v: value } }), message('v'));
        await refused(gateway.createStage({ restApiId, stageName: 'two', deploymentId: first, variables: { v: value } }), message('v'));
        await refused(made.patch(['replace', '/canarySettings/stageVariableOverrides/v', value]), message('v'));
    }
    for (const name of ['a-b', 'a.b', 'a b', 'a~1b', 'é', 'n'.repeat(65)]) {
        await refused(made.patch(['replace', `/variables/${name}`, 'x']), `Invalid stage variable name: ${name.replace('~1', '/')}. Please use names with only word characters.`);
    }
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`v${i}`, 'x']));
    await assert.rejects(made.deploy({ variables: many }), { name: 'LimitExceededException' });
    const stage = await gateway.getStage({ restApiId, stageName: 'dev' });
    assert.deepEqual([stage.variables, stage.deploymentId, stage.canarySettings], [undefined, first, undefined], 'nothing of it is kept');
    await made.patch(['replace', '/variables/v', 'A-z.0_:/?&=,~#'], ['replace', `/variables/${'n'.repeat(64)}`, 'x'.repeat(512)]);
});
