// minimumCompressionSize: answers by Accept-Encoding and length, request bodies decoded before anything reads them,
// and what is no gzip, or far too much of it (e13, e14).
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import zlib from 'node:zlib';

import { api, fn, httpProxy, lambdaProxy, mock } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { atEnd, request, start } from './support/harness.mjs';

function raw(url, { method = 'GET', headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
        const req = http.request(url, { method, headers, agent: false }, (res) => {
            const pieces = [];
            res.on('data', (piece) => pieces.push(piece)).on('error', reject);
            res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(pieces) }));
        });
        req.on('error', reject).end(body);
    });
}
const inflate = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, undefined: (bytes) => bytes };
const asks = (url, encoding, more = {}) => raw(url, { ...more, headers: { ...(encoding === undefined ? {} : { 'accept-encoding': encoding }), ...more.headers } });

test('answers', async (t) => {
    const server = await start(t);
    const text = (n) => 'abcdefghij'.repeat(n / 10);
    const backend = http.createServer((req, res) => {
        const url = new URL(req.url, 'http://x'), n = Number(url.searchParams.get('n') ?? 10);
        if (req.url.startsWith('/events')) res.setHeader('content-type', 'text/event-stream');
        if (req.url.startsWith('/chunked') || req.url.startsWith('/events')) {
            for (let at = 0; at < n; at += 1000) res.write(text(Math.min(1000, n - at)));
            return res.end();
        }
        const headers = req.url.startsWith('/packed') ? { 'content-encoding': 'br' } : {};
        res.writeHead(200, { 'content-length': n, 'content-type': 'text/plain', ...headers });
        res.end(text(n));
    });
    await new Promise((done) => backend.listen(0, '127.0.0.1', done));
    atEnd(t, () => { backend.closeAllConnections(); return new Promise((done) => backend.close(done)); });
    const to = `http://127.0.0.1:${backend.address().port}`;
    const big = await fn(server, 'big', 'export const handler = async (event) => ({ statusCode: 200, body: "0123456789".repeat(event.queryStringParameters.n / 10) });');
    const one = await api(server, {
        'GET /mock': { answers: { 200: { responseTemplates: { 'application/json': text(1000) } } } },
        'GET /small': { answers: { 200: { responseTemplates: { 'application/json': text(990) } } } },
        'GET /empty': {},
        'GET /lambda': { integration: lambdaProxy(big) },
        'ANY /proxy/{proxy+}': { method: { requestParameters: { 'method.request.path.proxy': true } }, integration: httpProxy(`${to}/{proxy}`, { requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy' } }) },
        'GET /stream': { integration: httpProxy(`${to}/plain?n=100000`, { responseTransferMode: 'STREAM' }) },
        'GET /http': { integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: `${to}/plain?n=300000` } },
    }, { make: { minimumCompressionSize: 1000 } });
    const rows = [
        // path, Accept-Encoding, coding of the answer, its length before
        ['/mock', 'gzip', 'gzip', 1000],
        ['/mock', 'deflate', 'deflate', 1000],
        ['/mock', 'deflate;q=0.5,gzip;q=1.0', 'gzip', 1000],
        ['/mock', 'gzip;q=1.0,identity;q=0.5,*;q=0', 'gzip', 1000],
        ['/mock', 'br;q=1.0, gzip;q=0.5', undefined, 1000],
        ['/mock', '*', undefined, 1000],
        ['/mock', '', undefined, 1000],
        ['/mock', undefined, undefined, 1000],
        ['/mock', 'identity', undefined, 1000],
        ['/small', 'gzip', undefined, 990],
        ['/empty', 'gzip', undefined, 0],
        ['/lambda?n=1000', 'gzip', 'gzip', 1000],
        ['/lambda?n=990', 'gzip', undefined, 990],
        ['/lambda?n=2000000', 'gzip', 'gzip', 2000000],
        ['/proxy/plain?n=990', 'gzip', undefined, 990],
        ['/proxy/plain?n=1000', 'gzip', 'gzip', 1000],
        ['/proxy/plain?n=1000', undefined, undefined, 1000],
        ['/proxy/plain?n=100000', 'deflate', 'deflate', 100000],
        ['/proxy/plain?n=5000000', 'gzip', 'gzip', 5000000],
        ['/proxy/plain?n=100000', undefined, undefined, 100000],
        ['/proxy/chunked?n=990', 'gzip', undefined, 990],
        ['/proxy/chunked?n=1000', 'gzip', 'gzip', 1000],
        ['/proxy/chunked?n=500000', 'gzip', 'gzip', 500000],
        ['/proxy/events?n=500000', 'gzip', undefined, 500000],
        ['/proxy/packed?n=100000', 'gzip', 'br', 100000],
        ['/proxy/packed?n=2000', 'gzip', 'br', 2000],
        ['/http', 'gzip', 'gzip', 300000],
        ['/stream', 'gzip', undefined, 100000],
    ];
    for (const [path, accept, coding, length] of rows) {
        const answer = await asks(one.url + path, accept), name = `${path} ${accept}`;
        assert.equal(answer.status, 200, name);
        assert.equal(answer.headers['content-encoding'], coding, name);
        if (coding === 'br') continue; // the backend only said so
        assert.equal(inflate[coding](answer.body).length, length, name);
        if (coding && length > 10000) assert.ok(answer.body.length < length / 20, name);
    }
    const head = await asks(`${one.url}/proxy/plain?n=100000`, 'gzip', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    const none = await asks(`${one.url}/nothing`, 'gzip');
    assert.deepEqual([none.status, none.headers['content-encoding']], [403, undefined]);
    assert.match((await request(`${server.url}/_gatehouse/why/${(await asks(`${one.url}/mock`, 'gzip')).headers['x-gatehouse-trace']}`)).text, /compressed/);

    await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/minimumCompressionSize', value: '' }] });
    await one.deploy();
    assert.equal((await asks(`${one.url}/mock`, 'gzip')).headers['content-encoding'], undefined);
});

test('what is cached is compressed for each client', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t, (seen) => ({ body: 'x'.repeat(Number(seen.url.slice(1))) }));
    const one = await api(server, {
        'GET /small': { integration: httpProxy(`${backend.url}/5000`) },
        'GET /large': { integration: httpProxy(`${backend.url}/500000`) },
    }, { make: { minimumCompressionSize: 1000 } });
    await one.patch(['replace', '/cacheClusterEnabled', 'true'], ['replace', '/cacheClusterSize', '0.5'], ['replace', '/*/*/caching/enabled', 'true']);
    for (const [path, length] of [['/small', 5000], ['/large', 500000]]) {
        const calls = backend.requests.length;
        for (const accept of ['gzip', undefined, 'deflate', 'gzip', 'br']) {
            const answer = await asks(one.url + path, accept), coding = ['gzip', 'deflate'].includes(accept) ? accept : undefined;
            assert.deepEqual([answer.status, answer.headers['content-encoding'], inflate[coding](answer.body).length], [200, coding, length], `${path} ${accept}`);
        }
        assert.equal(backend.requests.length, calls + 1, path);
    }
});

test('request bodies', async (t) => {
    const server = await start(t);
    const backend = await recordingBackend(t);
    const echo = await fn(server, 'echo', 'export const handler = async (event) => ({ body: JSON.stringify({ body: event.body?.length > 1000 ? event.body.length : event.body, base64: event.isBase64Encoded, coding: event.headers["Content-Encoding"] ?? null }) });');
    const routes = {
        'POST /template': {
            integration: { ...mock, requestTemplates: { 'application/json': `{"statusCode":200}#set($context.responseOverride.header.X-A = $input.path('$.a'))` } },
            answers: { 200: {} },
        },
        'POST /lambda': { integration: lambdaProxy(echo) },
        'POST /proxy': { integration: httpProxy(`${backend.url}/x`) },
        'POST /http': { integration: { type: 'HTTP', integrationHttpMethod: 'POST', uri: `${backend.url}/y` }, answers: { 200: {} } },
    };
    const one = await api(server, routes, { make: { minimumCompressionSize: 10 } });
    const json = JSON.stringify({ a: 'hello hello hello' });
    const post = (path, coding, body, more) => raw(one.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...(coding ? { 'content-encoding': coding } : {}), ...more }, body });

    await t.test('each integration sees the text', async () => {
        for (const [coding, pack] of [['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['deflate', zlib.deflateRawSync], ['identity', Buffer.from], ['GZIP', zlib.gzipSync]]) {
            assert.equal((await post('/template', coding, pack(json))).headers['x-a'], 'hello hello hello', coding);
            assert.deepEqual(JSON.parse((await post('/lambda', coding, pack(json))).body), { body: json, base64: false, coding: null }, coding);
            for (const path of ['/proxy', '/http']) {
                assert.equal((await post(path, coding, pack(json))).status, 200);
                const seen = backend.requests.at(-1);
                assert.deepEqual([seen.body, seen.headers['content-encoding'], seen.headers['content-length']], [json, undefined, String(json.length)], `${path} ${coding}`);
            }
        }
    });
    await t.test('9 MB inflated, on the job pool', async () => {
        const answer = await post('/lambda', 'gzip', zlib.gzipSync('x'.repeat(5e6)));
        assert.deepEqual(JSON.parse(answer.body).body, 5e6);
        await post('/proxy', 'gzip', zlib.gzipSync(Buffer.alloc(9e6, 'x')));
        assert.equal(backend.requests.at(-1).body.length, 9e6);
    });
    await t.test('shorter than the minimum: as it came', async () => {
        await post('/proxy', 'gzip', 'no gzip');
        assert.deepEqual([backend.requests.at(-1).body, backend.requests.at(-1).headers['content-encoding']], ['no gzip', 'gzip']);
    });
    await t.test('e13: what is not so coded is 415, more than 10 MB of it 413, and the next request works', async () => {
        const good = zlib.gzipSync(json), crc = Buffer.from(good);
        crc[crc.length - 6] ^= 1;
        const bomb = zlib.gzipSync(Buffer.alloc(200e6)), nested = zlib.gzipSync(good);
        const rows = [
            ['10 MB to 200 MB', 'gzip', bomb, 413],
            ['one byte over', 'gzip', zlib.gzipSync(Buffer.alloc(10485761)), 413],
            ['exactly 10 MB', 'gzip', zlib.gzipSync(Buffer.alloc(10485760, ' ')), undefined],
            ['truncated', 'gzip', good.subarray(0, -3), 415],
            ['a bad checksum', 'gzip', crc, 415],
            ['no gzip at all', 'gzip', json, 415],
            ['two codings', 'deflate, gzip', zlib.gzipSync(zlib.deflateSync(json)), 415],
            ['unknown', 'br', zlib.brotliCompressSync(json), 415],
            ['something behind', 'gzip', Buffer.concat([good, Buffer.from('junk')]), 415],
        ];
        for (const path of ['/lambda', '/proxy', '/template', '/http'])
            for (const [name, coding, body, status] of rows) {
                const calls = backend.requests.length;
                const answer = await post(path, coding, body);
                if (status) {
                    assert.equal(answer.status, status, `${path} ${name}`);
                    assert.equal(answer.headers['x-amzn-errortype'], status === 415 ? 'BadRequestException' : 'RequestTooLargeException', name);
                    assert.equal(backend.requests.length, calls, name);
                } else if (path === '/proxy') {
                    assert.equal(backend.requests.at(-1).body.length, 10485760);
                }
                assert.equal((await post('/template', 'gzip', good)).headers['x-a'], 'hello hello hello');
            }
        // one layer is taken off, what is inside stays what it is
        await post('/proxy', 'gzip', nested, { 'content-type': 'application/octet-stream' });
        assert.equal(backend.requests.at(-1).headers['content-length'], String(good.length));
    });
});

test('e14: an endless gzip from a backend is never unpacked here', async (t) => {
    const server = await start(t);
    const million = zlib.gzipSync(Buffer.alloc(20e6));
    const backend = http.createServer((req, res) => { res.on('error', () => {}); res.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }); res.end(million); });
    await new Promise((done) => backend.listen(0, '127.0.0.1', done));
    atEnd(t, () => new Promise((done) => backend.close(done)));
    const uri = `http://127.0.0.1:${backend.address().port}/`;
    const one = await api(server, {
        'GET /proxy': { integration: httpProxy(uri) },
        'GET /http': { integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri }, answers: { 200: { responseTemplates: { 'application/json': '$input.path("$.a")' } } } },
    }, { make: { minimumCompressionSize: 0 } });
    const proxied = await asks(`${one.url}/proxy`, 'gzip');
    assert.deepEqual([proxied.headers['content-encoding'], proxied.body.length], ['gzip', million.length]);
    assert.ok((await asks(`${one.url}/http`, 'gzip')).status >= 200);
});
