// responseTransferMode STREAM: pieces go on as they come, from HTTP endpoints and from functions, with AWS's
// format, AWS's timeouts, and bounded memory when the client is slow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';

import { api, control, fn, invocation } from './support/apis.mjs';
import { atEnd, eventually, region, request, start } from './support/harness.mjs';

const streamed = (arn) => `arn:aws:apigateway:${region}:lambda:path/2021-11-15/functions/${arn}/response-streaming-invocations`;
const streamProxy = (arn, more) => ({ type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: streamed(arn), responseTransferMode: 'STREAM', ...more });
const rss = (server) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;

// An answer as it comes: { status, headers, next(): the next piece as text, rest(): everything else, broken }.
function open(url, options = {}) {
    return new Promise((resolve, reject) => {
        const req = http.request(url, { agent: false, ...options }, (res) => {
            const pieces = [];
            let wake = () => {}, ended = false, broken = false;
            res.setEncoding('latin1');
            res.on('data', (piece) => { pieces.push(piece); wake(); });
            res.on('end', () => { ended = true; wake(); });
            res.on('error', () => { broken = true; wake(); });
            const next = async () => {
                while (!pieces.length && !ended && !broken) await new Promise((done) => (wake = done));
                return pieces.length ? pieces.shift() : null;
            };
            const rest = async () => {
                let all = '';
                for (let piece; (piece = await next()) !== null;) all += piece;
                return all;
            };
            resolve({ status: res.statusCode, headers: res.headers, next, rest, req, get broken() { return broken; } });
        });
        req.on('error', reject);
        req.end(options.body);
    });
}

// A backend whose answers the test writes: backend.answer is the newest response object.
async function written(t) {
    const waiting = [], come = [];
    const server = http.createServer((req, res) => {
        res.on('error', () => {});
        const taker = waiting.shift();
        if (taker) taker(res); else come.push(res);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    atEnd(t, () => { server.closeAllConnections(); return new Promise((done) => server.close(done)); });
    return { url: `http://127.0.0.1:${server.address().port}`, answer: () => come.shift() ?? new Promise((done) => waiting.push(done)) };
}

test('HTTP_PROXY: server-sent events pass one by one; time and silence have limits', async (t) => {
    const server = await start(t);
    const backend = await written(t);
    const stream = (more) => ({ type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri: `${backend.url}/`, responseTransferMode: 'STREAM', ...more });
    const one = await api(server, { 'GET /events': { integration: stream() }, 'GET /short': { integration: stream({ timeoutInMillis: 1000 }) } },
        { make: { endpointConfiguration: { types: ['REGIONAL'] } } });

    await t.test('each event is with the client before the next is written', async () => {
        const [client, answer] = await Promise.all([open(`${one.url}/events`), backend.answer().then((res) => {
            res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
            res.write('data: 0\n\n');
            return res;
        })]);
        assert.equal(client.headers['content-type'], 'text/event-stream');
        assert.equal(await client.next(), 'data: 0\n\n');
        for (let i = 1; i < 5; i++) {
            answer.write(`data: ${i}\n\n`);
            assert.equal(await client.next(), `data: ${i}\n\n`);
        }
        answer.end();
        assert.equal(await client.next(), null);
        assert.equal(client.broken, false);
    });
    await t.test('a client that leaves ends the backend\'s stream', async () => {
        const [client, answer] = await Promise.all([open(`${one.url}/events`), backend.answer().then((res) => (res.write('x'), res))]);
        const closed = new Promise((done) => answer.on('close', done));
        client.req.destroy();
        await closed;
    });
    await t.test('timeoutInMillis is the time of the whole stream: before its head 504, later it breaks', async () => {
        const [late] = await Promise.all([request(`${one.url}/short`), backend.answer()]);
        assert.deepEqual([late.status, late.json()], [504, { message: 'Endpoint request timed out' }]);
        const [client, answer] = await Promise.all([open(`${one.url}/short`), backend.answer().then((res) => (res.write('begun'), res))]);
        const timer = setInterval(() => answer.write('.'), 20);
        await client.rest();
        clearInterval(timer);
        assert.equal(client.broken, true);
    });
    await t.test('silence ends it after the idle time (AWS: 5 minutes, 30 s for EDGE; an option here)', async () => {
        const set = await request(`${server.url}/_gatehouse/apis/${one.id}/stages/dev/options`, { method: 'PUT', body: '{"streamIdleSeconds":1}' });
        assert.equal(set.status, 200, set.text);
        const begun = Date.now();
        const [client] = await Promise.all([open(`${one.url}/events`), backend.answer().then((res) => res.write('begun'))]);
        assert.equal(await client.next(), 'begun');
        assert.equal(await client.next(), null);
        assert.equal(client.broken, true);
        assert.ok(Date.now() - begun >= 1000);
    });
});

test('AWS_PROXY: metadata, eight NUL bytes, body', async (t) => {
    const server = await start(t);
    const arn = await fn(server, 'streams', `
        const from = awslambda.HttpResponseStream.from;
        const write = (out, text) => new Promise((done) => out.write(text, done));
        const later = () => new Promise((done) => setTimeout(done, 5));
        export const handler = awslambda.streamifyResponse(async (event, out) => {
            const what = event.queryStringParameters?.what, raw = event.queryStringParameters?.raw;
            if (raw !== undefined) { await write(out, Buffer.from(raw, 'latin1')); out.end(); return; }
            if (what === 'split') { // every byte of metadata and delimiter alone
                for (const byte of Buffer.concat([Buffer.from('{"statusCode":202}'), Buffer.alloc(8), Buffer.from('body')])) { await write(out, Buffer.from([byte])); await new Promise(setImmediate); }
                out.end();
                return;
            }
            if (what === 'never') return new Promise((done) => setTimeout(done, 3000));
            if (what === 'early') throw new Error('early');
            const head = { statusCode: 201, headers: { 'Content-Type': 'text/event-stream', 'X-Own': 'yes' }, multiValueHeaders: { 'X-Many': ['a', 'b'] }, cookies: ['a=1', 'b=2'] };
            if (what === 'length') head.headers['Content-Length'] = '5';
            if (what === 'short') head.headers['Content-Length'] = '50';
            if (what === 'nothing') head.statusCode = 204;
            out = from(out, head);
            if (what === 'length' || what === 'short') { await write(out, 'hello'); out.end(); return; }
            if (what === 'big') { const piece = Buffer.alloc(65536, 'x'); for (let i = 0; i < 400; i++) await write(out, piece); out.end(); return; }
            await write(out, 'one,');
            await later();
            if (what === 'late') throw new Error('late');
            if (what === 'exit') process.exit(3);
            await write(out, 'two,');
            await later();
            out.end('three');
        });`, { Timeout: 20 });
    const plain = await fn(server, 'plain', 'export const handler = async () => ({ statusCode: 200, body: "no stream" });');
    const python = await fn(server, 'py', 'def handler(event, context):\n    return {}\n', { runtime: 'python3.12', handler: 'main.handler', file: 'main.py' });
    const one = await api(server, {
        'ANY /': { integration: streamProxy(arn) },
        'GET /soon': { integration: streamProxy(arn, { timeoutInMillis: 50 }) },
        'GET /plain': { integration: streamProxy(plain) },
        'GET /py': { integration: streamProxy(python) },
        'GET /wrong': { integration: streamProxy(arn, { integrationHttpMethod: 'GET' }) },
    });
    const ask = (query, options) => open(`${one.url}/?${query}`, options);
    const bad = { message: 'Internal server error' };

    await t.test('status, headers, cookies, body', async () => {
        const answer = await ask('what=good');
        assert.equal(answer.status, 201);
        assert.deepEqual([answer.headers['content-type'], answer.headers['x-own'], answer.headers['x-many'], answer.headers['set-cookie'], answer.headers['transfer-encoding']],
            ['text/event-stream', 'yes', 'a, b', ['a=1', 'b=2'], 'chunked']);
        assert.match(answer.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/);
        assert.equal(await answer.rest(), 'one,two,three');
    });
    await t.test('a length that the metadata tells is kept; less than it breaks the connection', async () => {
        const good = await ask('what=length');
        assert.deepEqual([good.headers['content-length'], await good.rest(), good.broken], ['5', 'hello', false]);
        const short = await ask('what=short').catch(() => ({ broken: true }));
        await short.rest?.();
        assert.equal(short.broken, true);
        const split = await ask('what=split');
        assert.deepEqual([split.status, await split.rest()], [202, 'body']);
    });
    await t.test('no body: 204 and HEAD', async () => {
        assert.equal((await request(`${one.url}/?what=nothing`)).status, 204);
        const head = await request(`${one.url}/?what=good`, { method: 'HEAD' });
        assert.deepEqual([head.status, head.text], [201, '']);
    });
    await t.test('before the first byte a failure is 502, later it breaks the connection', async () => {
        const early = await request(`${one.url}/?what=early`);
        assert.deepEqual([early.status, early.json(), early.headers['x-amzn-errortype']], [502, bad, 'InternalServerErrorException']);
        for (const what of ['late', 'exit']) {
            const answer = await ask(`what=${what}`).catch(() => ({ status: 201, broken: true })); // it may come at once
            await answer.rest?.();
            assert.deepEqual([answer.status, answer.broken], [201, true], what);
        }
        assert.equal((await request(`${one.url}/wrong`)).status, 500);
    });
    await t.test('what does not follow the format', async () => {
        const nul = '%00'.repeat(8);
        const rows = {
            'no delimiter': [`raw=${encodeURIComponent('{"statusCode":200}')}`, 502],
            'no JSON': [`raw=hello${nul}body`, 502],
            'not an object': [`raw=%5B%5D${nul}`, 502],
            'a status of 99': [`raw=${encodeURIComponent('{"statusCode":99}')}${nul}`, 502],
            'an unknown member': [`raw=${encodeURIComponent('{"body":""}')}${nul}`, 502],
            'cookies is a text': [`raw=${encodeURIComponent('{"cookies":"a"}')}${nul}`, 502],
            'seven NUL bytes': [`raw=%7B%7D${'%00'.repeat(7)}x`, 502],
            'nothing at all': ['raw=', 502],
            'no members: 200': [`raw=%7B%7D${nul}ok`, 200],
            'a NUL in the body': [`raw=%7B%7D${nul}${nul}x`, 200],
        };
        for (const [name, [query, status]] of Object.entries(rows)) {
            const answer = await request(`${one.url}/?${query}`);
            assert.equal(answer.status, status, `${name}: ${answer.text}`);
            if (status === 502) assert.deepEqual(answer.json(), bad, name);
        }
        assert.equal((await request(`${one.url}/?raw=%7B%7D${nul}${nul}x`)).text, '\0'.repeat(8) + 'x');
        for (const path of ['/plain', '/py']) assert.equal((await request(one.url + path)).status, 502, path);
    });
    await t.test('timeoutInMillis before the first byte', async () => {
        const answer = await request(`${one.url}/soon?what=never`);
        assert.deepEqual([answer.status, answer.json()], [504, { message: 'Endpoint request timed out' }]);
    });
    await t.test('a slow client: 25 MB wait in the function, not here', async () => {
        await (await ask('what=good')).rest();
        const before = rss(server);
        const { port } = new URL(server.url);
        const clients = Array.from({ length: 4 }, () => new Promise((resolve) => {
            const socket = net.connect(port, '127.0.0.1', () => {
                socket.write(`GET ${new URL(one.url).pathname}/?what=big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
                socket.once('data', (piece) => { socket.pause(); resolve({ socket, read: piece.length }); });
            });
            socket.on('error', () => {});
        }));
        const open4 = await Promise.all(clients);
        // what is on its way has stopped moving: the kernel's buffers and ours are full (a sanitizer's allocator
        // keeps what is freed for a while, so that a little growth is none)
        let last = -1;
        await eventually('a standstill', async () => {
            await new Promise((done) => setTimeout(done, 100));
            const now = rss(server), still = Math.abs(now - last) < 1e6;
            last = now;
            return still;
        });
        assert.ok(rss(server) - before < 50e6, `grew by ${rss(server) - before} of 100 MB`);
        const lengths = await Promise.all(open4.map(({ socket, read }) => new Promise((resolve) => {
            let length = read;
            socket.on('data', (piece) => (length += piece.length));
            socket.on('close', () => resolve(length));
            socket.resume();
        })));
        for (const length of lengths) assert.ok(length > 400 * 65536, `${length}`);
    });
    await t.test('a client that leaves does not stop the function, nor the next request', async () => {
        const answer = await ask('what=big');
        await answer.next();
        answer.req.destroy();
        assert.equal(await (await ask('what=good')).rest(), 'one,two,three');
    });
});

test('the access log tells how an answer streamed', async (t) => {
    const server = await start(t);
    const arn = await fn(server, 'logs', `export const handler = awslambda.streamifyResponse(async (event, out) => {
        out = awslambda.HttpResponseStream.from(out, { statusCode: 200 });
        out.write('a'); await new Promise((done) => setTimeout(done, 60)); out.end('b'); });`);
    const backend = await written(t);
    const one = await api(server, { 'GET /f': { integration: streamProxy(arn) }, 'GET /h': { integration: { type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri: `${backend.url}/`, responseTransferMode: 'STREAM' } }, 'GET /m': {} });
    await one.patch(['replace', '/accessLogSettings/format', '$context.requestId log $context.path $context.integration.responseTransferMode $context.integration.timeToAllHeaders $context.integration.timeToFirstContent $context.integration.latency $context.responseLength'],
        ['replace', '/accessLogSettings/destinationArn', 'arn:aws:logs:us-east-1:000000000000:log-group:a']);
    await (await open(`${one.url}/f`)).rest();
    await Promise.all([open(`${one.url}/h`).then((a) => a.rest()), Promise.resolve(backend.answer()).then((res) => { res.write('a'); setTimeout(() => res.end('b'), 60); })]);
    await request(`${one.url}/m`);
    const lines = await eventually('three lines', async () => {
        const all = fs.readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/\.db/.test(entry.name))
            .map((entry) => fs.readFileSync(`${entry.parentPath ?? entry.path}/${entry.name}`, 'latin1')).join('\n') + server.log();
        const found = [...all.matchAll(/log \/dev\/([fhm]) (\S+) (\S+) (\S+) (\S+) (\d+)/g)].map(([, ...rest]) => rest);
        return found.length >= 3 && found;
    });
    for (const path of ['f', 'h']) {
        const [, mode, headers, content, latency, length] = lines.find((line) => line[0] === path);
        assert.deepEqual([mode, length], ['STREAMED', '2'], path);
        assert.ok(Number(latency) >= 60 && Number(headers) <= Number(content) && Number(content) < Number(latency), `${path} ${headers} ${content} ${latency}`);
    }
    assert.equal(lines.find((line) => line[0] === 'm')[1], 'BUFFERED');
});

test('what STREAM does not go with is refused by name', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const arn = await fn(server, 'f', 'export const handler = async () => ({});');
    const one = await api(server, {});
    const put = async (integration) => {
        const at = { restApiId: one.id, resourceId: one.resources.ids['/'], httpMethod: 'GET' };
        await gateway.putMethod({ ...at, authorizationType: 'NONE' }).catch(() => {});
        return gateway.putIntegration({ ...at, integrationHttpMethod: 'POST', ...integration });
    };
    const message = (promise) => promise.then(() => 'done', (error) => error.message);
    assert.match(await message(put({ type: 'MOCK', responseTransferMode: 'STREAM' })), /only supported for HTTP_PROXY and AWS_PROXY/);
    assert.match(await message(put({ ...streamProxy(arn), timeoutInMillis: 900001 })), /between 50 ms and 900000 ms/);
    assert.equal((await put(streamProxy(arn, { timeoutInMillis: 900000 }))).responseTransferMode, 'STREAM');
    await one.deploy();
    await put({ type: 'AWS_PROXY', uri: invocation(arn), responseTransferMode: 'STREAM' });
    assert.match(await message(one.deploy()), /STREAM and a uri that ends in \/response-streaming-invocations belong together/);
    await put({ type: 'AWS_PROXY', uri: streamed(arn) });
    assert.match(await message(one.deploy()), /belong together/);
});
