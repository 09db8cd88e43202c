// Mapping templates on the data plane: $context, overrides, and what must not happen (security table, e01–e08, e23).
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { api } from './support/apis.mjs';
import { atEnd, eventually, request, start } from './support/harness.mjs';

// A backend that answers with what it was sent.
async function echo(t) {
    const seen = [];
    const server = http.createServer((req, res) => {
        const pieces = [];
        req.on('data', (piece) => pieces.push(piece));
        req.on('end', () => {
            seen.push({ url: req.url, headers: req.headers, raw: req.rawHeaders, body: Buffer.concat(pieces).toString() });
            res.setHeader('content-type', 'application/json');
            res.end(JSON.stringify({ url: req.url, headers: req.headers, body: Buffer.concat(pieces).toString() }));
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(t, () => server.close());
    return { seen, url: `http://127.0.0.1:${server.address().port}` };
}

const json = { 'content-type': 'application/json' };
const ok = '{"statusCode": 200}';
// MOCK: the request's template in front, the response's template makes the answer.
const mocked = (response, before = '') => ({
    integration: { type: 'MOCK', requestTemplates: { 'application/json': `${before}${ok}` } },
    answers: { 200: { responseTemplates: { 'application/json': response } } },
});
const post = (url, body, headers = json) => request(url, { method: 'POST', body, headers });
const trace = async (server, answer) => (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).text;

test('$context, $stageVariables and parameters as documented', async (t) => {
    const server = await start(t);
    const names = ['accountId', 'apiId', 'deploymentId', 'domainName', 'domainPrefix', 'extendedRequestId', 'httpMethod', 'path', 'protocol', 'requestId',
        'requestTime', 'requestTimeEpoch', 'resourceId', 'resourcePath', 'stage', 'isCanaryRequest', 'identity.sourceIp', 'identity.userAgent'];
    const one = await api(server, {
        'POST /c/{id}': mocked(`{${names.map((n) => `"${n}": "$context.${n}"`).join(',')}, "none": "$context.nothing.at.all", "log": "$context.status", "unset": "$context.identity.apiKey",
            "index": "$context['stage']", "keys": "#foreach($k in $context.identity.keySet())$k #end", "v": "$stageVariables.v \${stageVariables['v']} [$stageVariables.none]", "id": "$input.params().path.id $input.params('id')"}`),
    }, { variables: { v: 'one' } });
    const got = (await post(`${one.url}/c/7?q=1`, '{}', { ...json, 'user-agent': 'me' })).json();
    assert.equal(got.accountId, '000000000000');
    assert.equal(got.apiId, one.id);
    assert.equal(got.httpMethod, 'POST');
    assert.match(got.path, /\/dev\/c\/7$/);
    assert.equal(got.resourcePath, '/c/{id}');
    assert.equal(got.protocol, 'HTTP/1.1');
    assert.equal(got.stage, 'dev');
    assert.equal(got.index, 'dev');
    assert.equal(got['identity.sourceIp'], '127.0.0.1');
    assert.equal(got['identity.userAgent'], 'me');
    assert.match(got.requestTime, /^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    assert.match(got.requestTimeEpoch, /^\d{13}$/);
    assert.match(got.keys, /sourceIp/);
    assert.deepEqual([got.none, got.log, got.unset], ['', '', ''], 'unknown, of access logs only, and unset render as nothing');
    assert.equal(got.v, 'one one []');
    assert.equal(got.id, '7 7');
    for (const name of names.filter((n) => n !== 'isCanaryRequest')) assert.notEqual(got[name], '', name);
});

test('overrides of the request: header, path, query string win over the mappings', async (t) => {
    const server = await start(t);
    const backend = await echo(t);
    const one = await api(server, {
        'POST /o/{id}': {
            method: { requestParameters: { 'method.request.path.id': true } },
            integration: {
                type: 'HTTP', integrationHttpMethod: 'POST', uri: `${backend.url}/base/{id}`,
                requestParameters: { 'integration.request.path.id': 'method.request.path.id', 'integration.request.header.X-A': "'mapped'", 'integration.request.querystring.q': "'mapped'" },
                requestTemplates: { 'application/json': `#set($context.requestOverride.header.x-a = "over")
#set($context.requestOverride.header.x-list = ["a","b"])
#set($context.requestOverride.header.x-null = $input.path('$.none'))
#set($context.requestOverride.querystring.q = "a&b=c")
#set($context.requestOverride.path.id = $input.path('$.id'))
$input.json('$')` },
            },
            answers: { 200: { responseTemplates: { 'application/json': `#set($context.responseOverride.header.x-seen = $context.requestOverride.header.x-a)
#set($context.responseOverride.status = 201)
$input.json('$')` } } },
        },
    });
    const answer = await post(`${one.url}/o/1`, '{"id": "x y/z"}');
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['x-seen'], 'over', 'the response template reads what the request template set');
    const got = answer.json();
    assert.equal(got.url, '/base/x%20y/z?q=a%26b%3Dc');
    assert.equal(got.headers['x-a'], 'over');
    assert.equal(got.headers['x-list'], 'a,b');
    assert.equal('x-null' in got.headers, false);
});

test('e07: overrides with line ends are 500, framing headers and impossible statuses are left out', async (t) => {
    const server = await start(t);
    const backend = await echo(t);
    const route = (request_, response = '$input.json(\'$\')') => ({
        integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri: `${backend.url}/`, requestTemplates: { 'application/json': `${request_}{"a": 1}` } },
        answers: { 200: { responseTemplates: { 'application/json': response } } },
    });
    const framing = ['Transfer-Encoding', 'Content-Length', 'Connection', 'Keep-Alive', 'Upgrade', 'TE', 'Trailer'];
    const one = await api(server, {
        'POST /in': route('#set($context.requestOverride.header.x-v = $input.path(\'$.v\'))'),
        'POST /name': route('#set($context.requestOverride.header[$input.path(\'$.v\')] = "1")'),
        'POST /out': mocked('#set($context.responseOverride.header.x-v = $util.urlDecode($input.params("v")))fine'),
        'POST /framing': route(framing.map((n) => `#set($context.requestOverride.header.${n} = "chunked, 5")`).join(''),
            framing.map((n) => `#set($context.responseOverride.header.${n} = "chunked, 5")`).join('') + 'short'),
        'POST /status': mocked('#set($context.responseOverride.status = $input.params("s"))fine'),
        'POST /twice': mocked('#set($context.responseOverride.header.a = 1)#set($context.responseOverride.header.a = 2)fine'),
        'POST /context': mocked('#set($context.stage = "other")fine'),
    });
    assert.equal((await post(`${one.url}/in`, '{"v": "plain"}')).status, 200);
    for (const v of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b']) {
        const before = backend.seen.length;
        const answer = await post(`${one.url}/in`, JSON.stringify({ v }));
        assert.deepEqual([answer.status, answer.json()], [500, { message: 'Internal server error' }], JSON.stringify(v));
        assert.equal(backend.seen.length, before, 'nothing is sent');
        assert.equal((await post(`${one.url}/out?v=${encodeURIComponent(encodeURIComponent(v))}`, '{}')).status, 500);
        assert.equal((await post(`${one.url}/name`, JSON.stringify({ v: `x${v}` }))).status, 500);
    }
    const framed = await post(`${one.url}/framing`, '{}');
    assert.deepEqual([framed.status, framed.text], [200, 'short']);
    const sent = backend.seen.at(-1);
    assert.equal(sent.body, '{"a": 1}');
    for (const name of ['transfer-encoding', 'upgrade', 'te', 'trailer', 'keep-alive']) assert.equal(sent.headers[name], undefined, name);
    assert.equal(sent.headers['content-length'], '8');
    for (const [s, status] of [['201', 201], ['599', 599], ['99', 200], ['100', 200], ['199', 200], ['600', 200], ['1000', 200], ['abc', 200], ['-200', 200], ['99999999999999999999', 200]])
        assert.equal((await post(`${one.url}/status?s=${s}`, '{}')).status, status, s);
    for (const path of ['twice', 'context']) assert.equal((await post(`${one.url}/${path}`, '{}')).status, 500, path);
});

test('e08: what is mapped into path and query is encoded once; the host stays', async (t) => {
    const server = await start(t);
    const backend = await echo(t);
    const one = await api(server, {
        'GET /m': {
            method: { requestParameters: { 'method.request.querystring.p': false, 'method.request.querystring.q': false } },
            integration: {
                type: 'HTTP', integrationHttpMethod: 'GET', uri: `${backend.url}/base/{p}/end`,
                requestParameters: { 'integration.request.path.p': 'method.request.querystring.p', 'integration.request.querystring.q': 'method.request.querystring.q' },
            },
            answers: { 200: {} },
        },
    });
    const get = async (p, q) => request(`${one.url}/m?p=${encodeURIComponent(p)}&q=${encodeURIComponent(q)}`);
    for (const [p, q, url] of [
        ['a', 'b', '/base/a/end?q=b'],
        ['a?x=1#y', 'b&c=d#e', '/base/a%3Fx%3D1%23y/end?q=b%26c%3Dd%23e'],
        ['a\r\nX: 1', 'b\r\nHost: evil', '/base/a%0D%0AX%3A%201/end?q=b%0D%0AHost%3A%20evil'],
        ['@evil.example', '//evil', '/base/%40evil.example/end?q=%2F%2Fevil'],
    ]) {
        const answer = await get(p, q);
        assert.equal(answer.status, 200);
        assert.equal(answer.json().url, url);
        assert.equal(answer.json().headers.host, new URL(backend.url).host);
    }
    for (const p of ['..', '../../etc', 'a/../../b', '%2e%2e/x', '..%2f..'])
        assert.equal((await get(p, 'b')).status, 500, p);
});

test('e01, e02, e03, e06: what would not end is 500 with its place in the trace, and the next request is served', async (t) => {
    const server = await start(t);
    const one = await api(server, {
        'POST /good': mocked('#set($n = 0)#foreach($i in [1..1001])#set($n = $n + 1)#end$n'),
        'POST /loops': mocked('#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end'),
        'POST /macro': mocked('#macro(m)#m()#end\n#m()'),
        'POST /double': mocked('#set($s = "x")#foreach($i in [1..40])#set($s = "$s$s")#end$s.length()'),
        'POST /list': mocked('#set($l = [1])#foreach($i in [1..40])#set($x = $l.addAll($l))#end$l.size()'),
        'POST /parse': mocked('x\n  $util.parseJson($input.params("j"))'),
        'POST /base64': mocked('$util.base64Decode("%%%")'),
        'POST /path': mocked('$input.path("$.[")'),
        'POST /request': mocked('x', '#set($s = "x")#foreach($i in [1..40])#set($s = "$s$s")#end'),
    });
    const good = await post(`${one.url}/good`, '{}');
    assert.deepEqual([good.status, good.text], [200, '1000']);
    for (const [path, query, why] of [
        ['loops', '', /the template takes too many steps/],
        ['macro', '', /line 2, column \d+: macros call each other too deeply|line 1, column \d+: macros call each other too deeply/],
        ['double', '', /the template's output is too long|takes too much memory|too many steps/],
        ['list', '', /takes too much memory|too many steps/],
        ['parse', `?j=${'['.repeat(5000)}`, /response template application\/json, line 2, column 3: \$util\.parseJson: nested too deeply/],
        ['base64', '', /line 1, column 1: \$util\.base64Decode: not base64/],
        ['path', '', /JSONPath/],
        ['request', '', /request template application\/json, line 1, column \d+/],
    ]) {
        const answer = await post(`${one.url}/${path}${query}`, '{}');
        assert.deepEqual([answer.status, answer.json()], [500, { message: 'Internal server error' }], path);
        assert.equal(answer.headers['x-amzn-errortype'], 'InternalServerErrorException');
        assert.match(await trace(server, answer), why, path);
        assert.equal((await post(`${one.url}/good`, '{}')).text, '1000');
    }
});

test('e02: what does not exist is refused when it is deployed, with line and column', async (t) => {
    const server = await start(t);
    for (const [template, why] of [
        ['x\n #parse("/etc/passwd")', /POST \/x: .*line 2, column \d+: #parse is not available/],
        ['#include("/etc/passwd")', /line 1, column \d+: #include is not available/],
        ['#evaluate("#evaluate(1)")', /#evaluate is not available/],
        ['#if(true)', /#end expected/],
        ['$x.y(', /line 1, column 6/],
    ]) {
        const one = await api(server, {});
        await one.add('POST /x', mocked(template));
        await assert.rejects(one.deploy(), why, template);
    }
});

test('e04, e05: no way to Java; what a client sends is data', async (t) => {
    const server = await start(t);
    const one = await api(server, {
        'POST /java': mocked('[$input.class.forName("java.lang.Runtime")][$class.inspect("x")][$util.getClass().getClassLoader()][$context.class][$stageVariables.getClass()][$input.params().getClass().forName("x")]'),
        'POST /data': {
            integration: { type: 'MOCK', requestTemplates: { 'application/json': '#set($context.requestOverride.header.v = $input.path("$.v")){"statusCode": 200}' } },
            answers: { 200: { responseTemplates: { 'application/json': '#set($x = $context.requestOverride.header.v)"$x" $util.escapeJavaScript($x)' } } },
        },
    });
    assert.equal((await post(`${one.url}/java`, '{}')).text, '[][][][][][]');
    for (const v of ['#set($x = 1)$x', '$util.urlEncode("a")', '${context.stage}', '#foreach($i in [1..9])$i#end', '#stop $context.identity.sourceIp']) {
        const answer = await post(`${one.url}/data`, JSON.stringify({ v }));
        assert.ok(answer.text.startsWith(`"${v}" `), answer.text);
    }
});

test('e23: access logs write "-" for what is unknown; a format above 3 KB is refused', async (t) => {
    const server = await start(t);
    const one = await api(server, { 'GET /a': {} });
    const format = '$context.requestId [$context.nothing] $context.authorizer.x end-of-line';
    await one.patch(['replace', '/accessLogSettings/destinationArn', 'arn:aws:logs:us-east-1:000000000000:log-group:x'], ['replace', '/accessLogSettings/format', format]);
    const id = (await request(`${one.url}/a`)).headers['x-amzn-requestid'];
    await eventually('the access log\'s line', () => server.log().includes(`${id} [-] - end-of-line`));
    await assert.rejects(one.patch(['replace', '/accessLogSettings/format', `$context.requestId ${'x'.repeat(3073)}`]), /at most 3 KB/);
});
