// Bytes between client and backend: what is refused at the edge (section (b) of the security cases; their numbers
// stand in the names), paths that everybody reads the same way, contentHandling, limits in time and size.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';

import { api, control, fn, functions, httpProxy, invocation, lambdaProxy, mock } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { atEnd, eventually, request, start } from './support/harness.mjs';

const latin = (text) => Buffer.from(text, 'latin1');

// Everything that comes back for these bytes until the other side closes (or for `ms`).
function talk(server, bytes, ms = 5000) {
    return new Promise((resolve) => {
        let out = '';
        const socket = net.connect(new URL(server.url).port, '127.0.0.1', () => socket.write(latin(bytes)));
        socket.setTimeout(ms, () => socket.destroy());
        socket.on('data', (piece) => (out += piece.toString('latin1')));
        socket.on('error', () => {});
        socket.on('close', () => resolve(out));
    });
}
const status = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const utf8 = (text) => JSON.parse(latin(text).toString());
const closes = (answer) => /\r\nconnection: close\r\n/i.test(answer);

async function rawBackend(t, write) {
    const sockets = new Set();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => sockets.delete(socket));
        let head = '';
        socket.on('data', (piece) => {
            head += piece.toString('latin1');
            if (!head.includes('\r\n\r\n')) return;
            const seen = head;
            head = '';
            write(socket, seen);
        });
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    atEnd(t, () => { for (const socket of sockets) socket.destroy(); return new Promise((done) => server.close(done)); });
    return { url: `http://127.0.0.1:${server.address().port}`, sockets };
}

test('the edge', async (t) => {
    const server = await start(t);
    const seen = await recordingBackend(t);
    const arns = await fn(server, 'arns', `export const handler = async (event) => ({ principalId: 'p', context: { arn: event.methodArn, path: event.path },
        policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: event.headers?.Refuse ? 'Deny' : 'Allow', Resource: '*' }] } });`);
    const echo = await fn(server, 'echo', 'export const handler = async (event) => ({ body: JSON.stringify({ path: event.path, proxy: event.pathParameters?.proxy, arn: event.requestContext.authorizer?.arn, query: event.queryStringParameters, many: event.multiValueQueryStringParameters, headers: event.headers, manyHeaders: event.multiValueHeaders, method: event.httpMethod }) });');
    const one = await api(server, {});
    const { id: authorizerId } = await one.gateway.createAuthorizer({ restApiId: one.id, name: 'a', type: 'REQUEST', authorizerUri: invocation(arns), authorizerResultTtlInSeconds: 0, identitySource: '' }).catch(async () =>
        one.gateway.createAuthorizer({ restApiId: one.id, name: 'a', type: 'REQUEST', authorizerUri: invocation(arns), authorizerResultTtlInSeconds: 0, identitySource: 'method.request.header.Host' }));
    const custom = { authorizationType: 'CUSTOM', authorizerId };
    await one.add('ANY /{proxy+}', { method: { ...custom, requestParameters: { 'method.request.path.proxy': true } }, integration: lambdaProxy(echo) });
    await one.add('GET /fixed/a', { method: custom, integration: lambdaProxy(echo) });
    await one.add('ANY /to/{proxy+}', { method: { requestParameters: { 'method.request.path.proxy': true } }, integration: httpProxy(`${seen.url}/base/{proxy}`, { requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy' } }) });
    await one.add('POST /guarded', { method: custom, integration: httpProxy(`${seen.url}/guarded`) });
    await one.deploy();
    const base = new URL(one.url).pathname;
    const say = (line, headers = '', body = '') => talk(server, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`);

    await t.test('b25: one answer for each odd path; route, authorizer and function read the same one', async () => {
        const refused = ['/a b', '/a%00b', '/a%zz', '/a%', '/a\\b', '/x/../y', '/x/%2e%2e/y', '/x/.%2E/y', '/x/./y', '/..', '/x/..', '/x%2f..%2fy', '/a"b', '/<a>', '/a^b', '/a`b', '/{a}', '/a|b', '/a?x=|', '/a?x={y}', '/a\x7fb'];
        for (const path of refused) {
            const calls = seen.requests.length;
            for (const at of [path, `/to${path}`]) assert.equal(status(await say(`GET ${base}${at}`)), 400, JSON.stringify(at));
            assert.equal(seen.requests.length, calls, path);
        }
        const same = { '/a//b': 'a//b', '/a%2fb': 'a%2fb', '/a%2Fb/': 'a%2Fb', '/a;b': 'a;b', '/%252e%252e/b': '%252e%252e/b', '/fixed%2fa': 'fixed%2fa', '/fixed//a': 'fixed//a', '/fixed/A': 'fixed/A', '/a%0d%0ab': 'a%0d%0ab', '/a+b%20c': 'a+b%20c' };
        for (const [path, proxy] of Object.entries(same)) {
            const answer = await say(`GET ${base}${path}`);
            const event = JSON.parse(answer.split('\r\n\r\n')[1]);
            assert.deepEqual([event.path, event.proxy, event.arn.split('/GET')[1]], [path, proxy, path], path);
        }
        assert.equal(JSON.parse((await say(`GET ${base}/fixed/a`)).split('\r\n\r\n')[1]).proxy, undefined);
    });
    await t.test('e08: a path parameter is encoded once, and the endpoint\'s own path stays in front', async () => {
        const rows = { 'a%3fb': '/base/a%3Fb', 'a%23b': '/base/a%23b', 'a%0d%0aX: y': null, 'a%0d%0ab': '/base/a%0D%0Ab', 'a%2fb': '/base/a/b', 'a%25b': '/base/a%25b', 'a/b': '/base/a/b', 'a@evil:80': '/base/a%40evil%3A80' };
        for (const [value, url] of Object.entries(rows)) {
            const answer = await say(`GET ${base}/to/${value}`);
            if (!url) assert.equal(status(answer), 400, value);
            else assert.equal(seen.requests.at(-1).url, url, value);
        }
    });
    await t.test('b23, b37: methods', async () => {
        for (const [method, want] of [['TRACE', 405], ['CONNECT', 405], ['PROPFIND', 403], ['get', 400], ['GETX', 403], ['X'.repeat(100), 400]])
            assert.equal(status(await say(`${method} ${base}/a`)), want, method);
        const traced = await say(`TRACE ${base}/a`, 'Cookie: secret=1\r\n');
        assert.ok(!traced.includes('secret'), traced);
    });
    await t.test('b24: versions', async () => {
        for (const version of ['HTTP/1.10', 'HTTP/1.32', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/4294967297.1', 'http/1.1', 'HTTP/1.'])
            assert.ok([400, 505].includes(status(await talk(server, `GET ${base}/a ${version}\r\nHost: x\r\n\r\n`))), version);
    });
    await t.test('b22: the absolute form\'s host wins, and never names the endpoint', async () => {
        const host = `${one.id}.execute-api.us-east-1.amazonaws.com`;
        const answer = await talk(server, `GET http://${host}/dev/to/x HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n`);
        assert.equal(status(answer), 200, answer);
        assert.equal(seen.requests.at(-1).headers.host, new URL(seen.url).host);
    });
    await t.test('b26, b27, b29: long lines, long heads, many headers', async () => {
        const line = (n) => `GET ${base}/to/${'x'.repeat(n - `${base}/to/`.length)}`;
        assert.equal(status(await say(line(10240))), 200);
        assert.equal(status(await say(line(10241))), 414);
        const block = (n) => `X: ${'x'.repeat(n - 'Host: x\r\nConnection: close\r\nX: \r\n\r\n'.length)}\r\n`;
        assert.equal(status(await say(`GET ${base}/to/x`, block(10240))), 200);
        assert.equal(status(await say(`GET ${base}/to/x`, block(10241))), 431);
        assert.equal(status(await say(`GET ${base}/to/x`, 'X: y\r\n'.repeat(98))), 200);
        assert.equal(status(await say(`GET ${base}/to/x`, 'X: y\r\n'.repeat(101))), 431);
        assert.equal(status(await say(`GET ${base}/to/x`, 'X: y\r\n'.repeat(10000))), 431);
    });
    await t.test('b28: bodies of 10 MB and one byte more, announced and chunked', async () => {
        const post = (path, bytes, chunked) => request(one.url + path, { method: 'POST', headers: chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes }, body: Buffer.alloc(bytes, 'x') }).catch((error) => error);
        for (const path of ['/to/x', '/a'])
            for (const chunked of [false, true]) {
                const good = await post(path, path === '/a' ? 1000000 : 10485760, chunked), calls = seen.requests.length;
                assert.equal(good.status, 200, `${path} ${chunked} ${good.text?.slice(0, 200)}`);
                const bad = await post(path, 10485761, chunked);
                assert.ok(bad.status === 413 || bad.code === 'EPIPE' || bad.code === 'ECONNRESET', `${path} ${chunked} ${bad.status}`);
                if (bad.status) assert.deepEqual([bad.headers['x-amzn-errortype'], bad.json()], ['RequestTooLargeException', { message: 'HTTP content length exceeded 10485760 bytes.' }]);
                if (!chunked) assert.equal(seen.requests.length, calls);
            }
    });
    await t.test('b30: 100 Continue only when the caller is let in; anything else that is expected is 417', async () => {
        const ask = (headers, body = '') => talk(server, `POST ${base}/guarded HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n${headers}\r\n${body}`, 1500);
        const calls = seen.requests.length;
        const refused = await ask('Expect: 100-continue\r\nRefuse: yes\r\n');
        assert.equal(status(refused), 403, refused);
        assert.ok(closes(refused));
        assert.equal(seen.requests.length, calls);
        const good = await new Promise((resolve) => {
            let out = '';
            const socket = net.connect(new URL(server.url).port, '127.0.0.1', () => socket.write(`POST ${base}/guarded HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`));
            socket.on('data', (piece) => {
                if (!out && piece.toString().startsWith('HTTP/1.1 100 ')) socket.write('body');
                out += piece;
            }).on('close', () => resolve(out));
        });
        assert.match(good, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
        assert.equal(seen.requests.at(-1).body, 'body');
        assert.equal(seen.requests.at(-1).headers.expect, undefined);
        for (const expect of ['Expect: 100-continue\r\nExpect: 100-continue\r\n', 'Expect: 100-continueX\r\n', 'Expect: 100-continue, x\r\n', 'Expect: 200-ok\r\n'])
            assert.equal(status(await ask(expect, 'body')), 417, expect);
    });
    await t.test('b31, b32: pipelining', async () => {
        const get = (n) => `GET ${base}/to/${n} HTTP/1.1\r\nHost: x\r\n\r\n`;
        const hundred = await talk(server, Array.from({ length: 100 }, (_, n) => get(n)).join('') + 'BAD\r\n\r\n');
        const urls = [...hundred.matchAll(/"url":"\/base\/(\d+)"/g)].map((m) => Number(m[1]));
        assert.deepEqual(urls, Array.from({ length: 100 }, (_, n) => n));
        assert.match(hundred, /HTTP\/1\.1 400 Bad Request\r\n(?![\s\S]*HTTP\/1\.1)/);
    });
    await t.test('b33, b34, b36: nothing that a client says takes our headers away or speaks in our name', async () => {
        for (const name of ['Authorization', 'X-Forwarded-For', 'Host', 'X-Amzn-Trace-Id', 'x-amzn-apigateway-api-id', 'Content-Length']) {
            const answer = await talk(server, `POST ${base}/to/x HTTP/1.1\r\nHost: x\r\nConnection: close, ${name}\r\nAuthorization: mine\r\nContent-Length: 2\r\n\r\nhi`);
            const got = seen.requests.at(-1);
            assert.equal(status(answer), 200, name);
            assert.deepEqual([got.headers.authorization, got.headers['x-forwarded-for'], got.headers.host, got.headers['x-amzn-apigateway-api-id'], got.body], ['mine', '127.0.0.1', new URL(seen.url).host, one.id, 'hi'], name);
        }
        const upgrade = await say(`GET ${base}/to/x`, 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n');
        assert.equal(status(upgrade), 200);
        assert.equal(seen.requests.at(-1).headers.upgrade, undefined);
        await say(`GET ${base}/to/x`, 'x-amzn-requestid: evil\r\nX-Amzn-Remapped-Date: evil\r\nx-amzn-anything: evil\r\nx-amzn-apigateway-api-id: evil\r\n');
        assert.ok(!JSON.stringify(seen.requests.at(-1)).includes('evil'));
        const event = (await say(`GET ${base}/a`, 'x-amzn-requestid: evil\r\nX-Amzn-Remapped-Date: evil\r\nX-Forwarded-Proto: evil\r\n')).split('\r\n\r\n')[1];
        assert.ok(!event.includes('evil'), event);
    });
    await t.test('b35: only X-HTTP-Method-Override changes anything, and for everybody', async () => {
        const names = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Host', 'X-Forwarded-Prefix', 'Forwarded', 'X-Forwarded-Path'];
        const event = JSON.parse((await say(`GET ${base}/plain`, names.map((name) => `${name}: /fixed/a\r\n`).join(''))).split('\r\n\r\n')[1]);
        assert.deepEqual([event.path, event.arn.endsWith('/GET/plain')], ['/plain', true]);
        const put = JSON.parse((await say(`POST ${base}/plain`, 'X-HTTP-Method-Override: PUT\r\nContent-Length: 0\r\n')).split('\r\n\r\n')[1]);
        assert.deepEqual([put.method, put.arn.endsWith('/PUT/plain')], ['PUT', true]);
    });
    await t.test('queries and headers with several values, decoded as recorded', async () => {
        const event = utf8((await say(`GET ${base}/a?x=1&x=2&y=a%20b+c%2Bd&z&%C3%BC=%C3%9F`, 'X-Many: a\r\nx-many: b\r\ntEsT-HEADeR: c\r\n')).split('\r\n\r\n')[1]);
        assert.deepEqual(event.query, { x: '2', y: 'a b c+d', z: '', 'ü': 'ß' });
        assert.deepEqual(event.many, { x: ['1', '2'], y: ['a b c+d'], z: [''], 'ü': ['ß'] });
        assert.deepEqual([event.headers['X-Many'], event.manyHeaders['X-Many'], event.headers['tEsT-HEADeR']], ['b', ['a', 'b'], 'c']);
    });
});

test('answers of backends: b40, b41, e18', async (t) => {
    const server = await start(t);
    const rows = {
        // what the backend writes: status for HTTP_PROXY (null: it breaks off), and what must not be seen
        'a header split by CR': ['HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nhi', 502, 'evil'],
        'a header split by LF': ['HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nhi', undefined, undefined],
        'a NUL in a header': ['HTTP/1.1 200 OK\r\nX: a\0evil\r\nContent-Length: 2\r\n\r\nhi', 502, 'evil'],
        'a folded header': ['HTTP/1.1 200 OK\r\nX: a\r\n evil: b\r\nContent-Length: 2\r\n\r\nhi', undefined, '\n evil'],
        'ids of its own': ['HTTP/1.1 200 OK\r\nx-amzn-RequestId: theirs\r\nx-amz-apigw-id: theirs\r\nX-Amzn-Trace-Id: theirs\r\nContent-Length: 2\r\n\r\nhi', 200, undefined],
        '204 with a body': ['HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil', 204, 'evil'],
        '304 with a body': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil', 304, 'evil'],
        'HTTP/0.9': ['<html>hello</html>', 502, 'hello'],
        'a head of 64 KB': [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(65536)}\r\nContent-Length: 2\r\n\r\nhi`, 502, undefined],
        'a flood of 1xx': ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(10000) + 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', undefined, undefined],
        'two lengths': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!', 502, undefined],
        'length and chunked': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', 502, undefined],
        'more than it announced': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil', 200, 'evil'],
        'half of a body': ['HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nhalf', null, undefined],
        'half of a short body': ['HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nhalf', 504, undefined],
        'half of a chunked body': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf', null, undefined],
        'a bad chunk': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n0\r\n\r\n', undefined, undefined],
    };
    let bytes = '', connections = 0;
    const backend = await rawBackend(t, (socket) => { connections++; socket.end(latin(bytes)); });
    const one = await api(server, { 'GET /': { integration: httpProxy(`${backend.url}/`) } });
    const base = new URL(one.url).pathname;
    for (const [name, [text, want, hidden]] of Object.entries(rows)) {
        bytes = text;
        const answer = await talk(server, `GET ${base}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        if (want) assert.equal(status(answer), want, `${name}: ${answer.slice(0, 300)}`);
        if (hidden) assert.ok(!answer.includes(hidden), `${name}: ${answer.slice(0, 500)}`);
        if (want === null) assert.ok(!/\r\n0\r\n\r\n$/.test(answer) && !/content-length: 4\r/i.test(answer), `${name}: ${answer.slice(-100)}`);
        if (!want && want !== null) assert.ok(answer === '' || [200, 502, 504].includes(status(answer)), `${name}: ${answer.slice(0, 300)}`);
        if (name === 'ids of its own') {
            assert.equal(answer.match(/\r\nx-amzn-RequestId: /gi).length, 1);
            assert.match(answer, /\r\nx-amzn-Remapped-x-amzn-RequestId: theirs\r\n/);
            assert.match(answer, /\r\nX-Amzn-Trace-Id: Root=/i);
        }
    }
    assert.equal(connections, Object.keys(rows).length, 'none of these connections is used again');
});

test('endless backends: bounded memory, a defined end', async (t) => {
    const server = await start(t);
    const drip = await rawBackend(t, (socket, head) => {
        if (head.includes('/flood')) {
            socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
            const piece = Buffer.alloc(65536, 'x'), more = () => { while (!socket.destroyed && socket.write(piece)); };
            socket.on('drain', more);
            more();
            return;
        }
        const length = /length=(\d+)/.exec(head)?.[1];
        socket.write(length ? `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n` : 'HTTP/1.1 200 OK\r\n\r\n');
        const timer = setInterval(() => socket.write('.'), 20);
        socket.on('close', () => clearInterval(timer));
    });
    const to = (path, more) => ({ integrationHttpMethod: 'GET', uri: drip.url + path, timeoutInMillis: 300, ...more });
    const one = await api(server, {
        'GET /drip/http': { integration: { type: 'HTTP', ...to('/') } },
        'GET /drip/proxy': { integration: { type: 'HTTP_PROXY', ...to('/?length=10000') } },
        'GET /flood/http': { integration: { type: 'HTTP', ...to('/flood', { timeoutInMillis: 20000 }) } },
        'GET /flood/proxy': { integration: { type: 'HTTP_PROXY', ...to('/flood', { timeoutInMillis: 20000 }) } },
    });
    for (const path of ['/drip/http', '/drip/proxy']) {
        const answer = await request(one.url + path);
        assert.deepEqual([answer.status, answer.json()], [504, { message: 'Endpoint request timed out' }], path);
    }
    const flooded = await request(`${one.url}/flood/http`);
    assert.deepEqual([flooded.status, flooded.headers['x-amzn-errortype']], [500, 'InternalServerErrorException']);
    await new Promise((resolve) => { // it flows through, until the client has enough
        let length = 0;
        const req = http.get(`${one.url}/flood/proxy`, { agent: false }, (res) => res.on('data', (piece) => { if ((length += piece.length) > 50e6) req.destroy(); }).on('error', () => {}));
        req.on('error', () => {}).on('close', resolve);
    });
    await eventually('the backend is let go', () => drip.sockets.size === 0);
});

test('a slow upload is not the endpoint\'s slowness', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t);
    const one = await api(server, { 'POST /': { integration: httpProxy(backend.url, { timeoutInMillis: 1000 }) } });
    const answer = await new Promise((resolve, reject) => {
        const req = http.request(`${one.url}/`, { method: 'POST', agent: false }, (res) => res.resume().on('end', () => resolve(res.statusCode)));
        req.on('error', reject);
        let left = 8;
        const timer = setInterval(() => { req.write('x'.repeat(20000)); if (!--left) { clearInterval(timer); req.end(); } }, 250);
    });
    assert.equal(answer, 200);
    assert.equal(backend.requests[0].body.length, 160000);
});

test('--limits aws: 29 seconds, 10 MB, 10,240 bytes of headers', async (t) => {
    const server = await start(t, { args: ['--limits', 'aws'] });
    const backend = http.createServer((req, res) => {
        res.on('error', () => {});
        const n = Number(new URL(req.url, 'http://x').searchParams.get('n'));
        if (req.url.startsWith('/announced')) res.setHeader('content-length', n);
        else res.flushHeaders();
        res.end(Buffer.alloc(n, 'x'));
    });
    await new Promise((done) => backend.listen(0, '127.0.0.1', done));
    atEnd(t, () => { backend.closeAllConnections(); return new Promise((done) => backend.close(done)); });
    const uri = `http://127.0.0.1:${backend.address().port}`;
    const one = await api(server, {
        'GET /announced': { integration: httpProxy(`${uri}/announced`) },
        'GET /chunked': { integration: httpProxy(`${uri}/chunked`) },
        'GET /streamed': { integration: httpProxy(`${uri}/chunked`, { responseTransferMode: 'STREAM' }) },
    });
    assert.equal((await request(`${one.url}/announced?n=10485760`)).text.length, 10485760);
    const over = await request(`${one.url}/announced?n=10485761`);
    assert.deepEqual([over.status, over.json()], [500, { message: 'Internal server error' }]);
    await assert.rejects(request(`${one.url}/chunked?n=12000000`));
    assert.equal((await request(`${one.url}/streamed?n=12000000`)).text.length, 12000000);
    const at = { restApiId: one.id, resourceId: await one.resources.id('/announced'), httpMethod: 'GET' };
    const put = (timeoutInMillis) => one.gateway.putIntegration({ ...at, ...httpProxy(`${uri}/`), timeoutInMillis });
    await assert.rejects(put(29001), /Timeout should be between 50 ms and 29000 ms/);

    const base = new URL(one.url).pathname;
    const head = (values) => `GET ${base}/announced?n=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'x'.repeat(values - `GET ${base}/announced?n=0 HTTP/1.1`.length - 'x'.length - 'close'.length)}\r\n\r\n`;
    assert.equal(status(await talk(server, head(10240))), 200, 'at the limit');
    assert.equal(status(await talk(server, head(10241))), 431);

    const open = await start(t);
    const two = await api(open, { 'GET /announced': { integration: httpProxy(`${uri}/announced`, { timeoutInMillis: 120000 }) } });
    assert.equal((await request(`${two.url}/announced?n=12000000`)).text.length, 12000000);
});

test('e07: what templates and functions put into heads', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t);
    const answers = await fn(server, 'answers', 'export const handler = async (event) => JSON.parse(event.body);');
    const set = (what) => `{"statusCode":200}#set($x = $input.path('$'))#set($context.${what})`;
    const post = (template, more) => ({ integration: { ...mock, requestTemplates: { 'application/json': template } }, answers: { 200: {} }, ...more });
    const one = await api(server, {
        'POST /header': post(set("responseOverride.header.X-Y = $x.v")),
        'POST /name': post(set("responseOverride.header[$x.v] = 'value'")),
        'POST /status': post(set('responseOverride.status = $x.v')),
        'POST /mapped': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri: backend.url, requestParameters: { 'integration.request.header.X-Y': 'method.request.body.v' } }, answers: { 200: {} } },
        'POST /request': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri: backend.url, requestTemplates: { 'application/json': `#set($x = $input.path('$'))#set($context.requestOverride.header[$x.n] = $x.v)body` } }, answers: { 200: {} } },
        'POST /function': { integration: lambdaProxy(answers) },
    });
    const send = (path, body) => request(one.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const rows = [
        ['/header', { v: 'plain' }, 200], ['/header', { v: 'a\r\nSet-Cookie: evil=1' }, 500], ['/header', { v: 'a\nb' }, 500], ['/header', { v: 'a\u0000b' }, 500],
        ['/name', { v: 'X-Good' }, 200], ['/name', { v: 'X: evil\r\nY' }, 500], ['/name', { v: 'Transfer-Encoding' }, 200], ['/name', { v: 'Content-Length' }, 200], ['/name', { v: 'Connection' }, 200],
        ['/status', { v: 404 }, 404], ['/status', { v: 99 }, 200], ['/status', { v: 100 }, 200], ['/status', { v: 101 }, 200], ['/status', { v: 1000 }, 200], ['/status', { v: 'abc' }, 200],
        ['/mapped', { v: 'plain' }, 200], ['/mapped', { v: 'a\r\nX-Evil: 1' }, 500],
        ['/request', { n: 'X-Y', v: 'plain' }, 200], ['/request', { n: 'X-Y', v: 'a\r\nX-Evil: 1' }, 500], ['/request', { n: 'X Y', v: 'plain' }, 500],
        ['/request', { n: 'Transfer-Encoding', v: 'chunked' }, 200], ['/request', { n: 'Content-Length', v: '1' }, 200], ['/request', { n: 'Host', v: 'evil.example' }, 200],
        ['/function', { statusCode: 100 }, 502], ['/function', { statusCode: 99 }, 502], ['/function', { statusCode: 1000 }, 502], ['/function', { statusCode: 200, headers: { 'X-A': 'a\r\nSet-Cookie: evil=1' } }, 200],
        ['/function', { statusCode: 200, headers: { 'Transfer-Encoding': 'chunked', 'Content-Length': '1', Connection: 'close' }, body: 'whole' }, 200],
    ];
    for (const [path, body, want] of rows) {
        const calls = backend.requests.length, answer = await send(path, body), name = `${path} ${JSON.stringify(body)}`;
        assert.equal(answer.status, want, `${name} ${answer.text}`);
        assert.ok(!JSON.stringify(answer.rawHeaders).includes('evil'), name);
        assert.equal(answer.headers['transfer-encoding'], undefined, name);
        if (want === 500 && path.length > 7) assert.equal(backend.requests.length, calls, name);
        if (path === '/request' && want === 200) {
            const seen = backend.requests.at(-1);
            assert.deepEqual([seen.body, seen.headers.host, seen.headers['x-evil']], ['body', body.n === 'Host' ? body.v : new URL(backend.url).host, undefined], name); // the header may be mapped, the connection stays
        }
        if (body.body) assert.equal(answer.text, 'whole');
    }
});

test('e15: multipart bodies are bytes, not parsed here', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t, (seen) => ({ body: String(seen.body.length) }));
    const one = await api(server, { 'POST /': { integration: httpProxy(backend.url) } });
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
    const rows = [['multipart/form-data; boundary=b', part.repeat(1e5) + '--b--\r\n'], ['multipart/form-data', part], [`multipart/form-data; boundary=${'b'.repeat(80)}`, part], ['multipart/mixed; boundary=b', `--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n`.repeat(1000)]];
    for (const [type, body] of rows) {
        const answer = await request(`${one.url}/`, { method: 'POST', headers: { 'content-type': type, 'content-length': body.length }, body });
        assert.deepEqual([answer.status, answer.text], [200, String(body.length)], type);
        assert.equal(backend.requests.at(-1).headers['content-type'], type);
    }
});

test('contentHandling', async (t) => {
    const server = await start(t);
    const bytes = Buffer.from([0x1f, 0x8b, 0, 0xff]);
    let reply = {};
    const got = [];
    const backend = http.createServer((req, res) => {
        const pieces = [];
        req.on('data', (piece) => pieces.push(piece)).on('end', () => {
            got.push(Buffer.concat(pieces));
            res.writeHead(200, { 'content-type': reply.type ?? 'text/plain' });
            res.end(reply.body ?? '');
        });
    });
    await new Promise((done) => backend.listen(0, '127.0.0.1', done));
    atEnd(t, () => { backend.closeAllConnections(); return new Promise((done) => backend.close(done)); });
    const uri = `http://127.0.0.1:${backend.address().port}/`;
    const base64 = await fn(server, 'base64', 'export const handler = async () => "H4sA/w==";');
    const route = (content, answer) => ({ integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri, contentHandling: content }, answers: { 200: { contentHandling: answer } } });
    const options = (contentHandling) => ({ integration: { ...mock, contentHandling }, answers: { 200: { responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" } } } });
    const make = (types) => api(server, {
        'POST /as_is': route(undefined, undefined), 'POST /binary': route('CONVERT_TO_BINARY', 'CONVERT_TO_BINARY'), 'POST /text': route('CONVERT_TO_TEXT', 'CONVERT_TO_TEXT'),
        'POST /template': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri, requestTemplates: { 'image/png': '{"data":"$input.body"}' } } },
        'POST /text_template': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri, contentHandling: 'CONVERT_TO_TEXT', requestTemplates: { 'image/png': '{"data":"$input.body"}' } } },
        'OPTIONS /': options(), 'OPTIONS /text': options('CONVERT_TO_TEXT'),
        'GET /function': { integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: invocation(base64) }, answers: { 200: { contentHandling: 'CONVERT_TO_BINARY' } } },
    }, { make: { binaryMediaTypes: types } });
    const send = (url, { type, accept, body, method = 'POST' }) => new Promise((resolve, reject) => {
        const req = http.request(url, { method, agent: false, headers: { ...(type && { 'content-type': type }), ...(accept && { accept }) } }, (res) => {
            const pieces = [];
            res.on('data', (piece) => pieces.push(piece)).on('end', () => resolve({ status: res.statusCode, body: Buffer.concat(pieces), trace: res.headers['x-gatehouse-trace'] }));
        });
        req.on('error', reject).end(body);
    });
    const png = await make(['image/png']), all = await make(['*/*']);
    const mangled = Buffer.from('\x1f\ufffd\0\ufffd'), encoded = Buffer.from('H4sA/w==');
    const rows = [
        // path, Content-Type and body of the request; what the endpoint got (a number: this status instead)
        ['/as_is', 'text/plain', bytes, mangled], ['/as_is', 'image/png', bytes, bytes],
        ['/binary', 'text/plain', encoded, bytes], ['/binary', 'text/plain', Buffer.from('no!'), 500], ['/binary', 'image/png', bytes, bytes],
        ['/text', 'text/plain', Buffer.from('grün'), Buffer.from('grün')], ['/text', 'image/png', bytes, encoded],
        ['/template', 'image/png', bytes, 500], ['/text_template', 'image/png', bytes, Buffer.from('{"data":"H4sA/w=="}')],
    ];
    for (const [path, type, body, want] of rows) {
        reply = {};
        const calls = got.length, answer = await send(png.url + path, { type, body });
        if (typeof want === 'number') assert.deepEqual([answer.status, got.length], [want, calls], `${path} ${type}`);
        else assert.deepEqual(got.at(-1), want, `${path} ${type} ${answer.status}`);
    }
    const answers = [
        // path, Accept, the endpoint's Content-Type and body; what the client gets
        ['/as_is', 'text/plain', 'text/plain', bytes, mangled], ['/as_is', 'image/png', 'text/plain', encoded, bytes], ['/as_is', 'image/png', 'text/plain', Buffer.from('no!'), 500],
        ['/as_is', 'text/plain', 'image/png', bytes, encoded], ['/as_is', 'image/png, text/plain', 'image/png', bytes, bytes], ['/as_is', 'text/plain, image/png', 'image/png', bytes, encoded],
        ['/binary', 'text/plain', 'text/plain', encoded, bytes], ['/binary', 'text/plain', 'image/png', bytes, bytes], ['/text', 'image/png', 'image/png', bytes, encoded],
        ['/as_is', undefined, 'image/png', bytes, encoded],
    ];
    for (const [path, accept, type, body, want] of answers) {
        reply = { type, body };
        const answer = await send(png.url + path, { type: 'image/png', accept, body: bytes });
        if (typeof want === 'number') assert.equal(answer.status, want, `${path} ${accept} ${type}`);
        else assert.deepEqual(answer.body, want, `${path} ${accept} ${type}`);
    }
    assert.deepEqual((await send(`${png.url}/function`, { method: 'GET', accept: 'text/plain' })).body, bytes);
    // with */* a mock's template cannot read the (empty) body: known of AWS, and the remedy
    const preflight = await send(`${all.url}/`, { method: 'OPTIONS', accept: '*/*' });
    assert.equal(preflight.status, 500);
    assert.match((await request(`${server.url}/_gatehouse/why/${preflight.trace}`)).text, /CONVERT_TO_TEXT/);
    assert.equal((await send(`${all.url}/text`, { method: 'OPTIONS', accept: '*/*' })).status, 200);
});
