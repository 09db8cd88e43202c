// Response caching through the real binary: what is kept, how long, for whom, and who may throw it away.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';

import { api, control, fn, functions, httpProxy, lambdaProxy } from './support/apis.mjs';
import { account, eventually, region, request, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const WARNING = '199 Cache-control headers were ignored because the caller was unauthorized.';
const q = 'method.request.querystring.q';

// An endpoint that counts what reaches it and answers {n, url, …}; a path can be given another behaviour.
async function counting(t) {
    const calls = [], behaviours = {}, sockets = new Set();
    const server = http.createServer(async (req, res) => {
        const pieces = [];
        for await (const piece of req) pieces.push(piece);
        const path = req.url.split('?')[0];
        calls.push({ method: req.method, url: req.url, path, headers: req.headers, body: Buffer.concat(pieces).toString() });
        const n = calls.filter((call) => call.path === path).length;
        res.setHeader('content-type', 'application/json');
        if (behaviours[path]) return behaviours[path](req, res, n);
        res.end(JSON.stringify({ n, url: req.url }));
    });
    server.on('connection', (socket) => (sockets.add(socket), socket.on('error', () => {}), socket.on('close', () => sockets.delete(socket))));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => new Promise((done) => (sockets.forEach((s) => s.destroy()), server.close(done))));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        behaviours,
        count: (path) => calls.filter((call) => call.path === path).length,
        last: (path) => calls.filter((call) => call.path === path).at(-1),
    };
}

// One server for all of it: each subtest has an API of its own. `on` is the stage's cache, switched on.
const on = [['replace', '/cacheClusterEnabled', 'true'], ['replace', '/*/*/caching/enabled', 'true']];
const setting = (path, value, at = '/*/*') => ['replace', `${at}/caching/${path}`, value];
const keyed = (...names) => ({ cacheKeyParameters: names });
const declared = (...names) => ({ requestParameters: Object.fromEntries(names.map((name) => [name, false])) });
const get = (url, headers = {}, more = {}) => request(url, { headers, ...more });
const values = async (...answers) => (await Promise.all(answers)).map((answer) => answer.json().n);
const advance = (server, seconds) => server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: seconds }) });
const options = async (server, one, set) => {
    const answer = await server.fetch(`/_gatehouse/apis/${one.id}/stages/dev/options`, { method: 'PUT', body: JSON.stringify(set) });
    assert.equal(answer.status, 200, await answer.text());
};
async function why(server, answer) {
    const trace = (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).json();
    return { steps: trace.steps.map((step) => step.step), notes: trace.steps.flatMap((step) => (step.step === 'cache' || step.step === 'keep' ? step.notes : [])) };
}
async function numbers(server, one) {
    const text = (await request(`${server.url}/_gatehouse/metrics`)).text;
    const value = (name) => Number(text.match(new RegExp(`^gatehouse_gateway_cache_${name}\\{api="${one.id}",stage="dev"\\} (\\d+)$`, 'm'))?.[1]);
    return { hits: value('hits_total'), misses: value('misses_total'), entries: value('entries'), bytes: value('bytes'), limit: value('limit_bytes'), evictions: value('evictions_total') };
}

// Deploys an API whose stage caches, and has these settings besides.
const maker = (server) => async (routes, ...patches) => {
    const one = await api(server, routes);
    await one.patch(...on, ...patches);
    return one;
};

test('what is cached', async (t) => {
    const server = await start(t);
    const backend = await counting(t);
    const make = async (routes, patches = on) => {
        const one = await api(server, routes);
        if (patches.length) await one.patch(...patches);
        return one;
    };

    await t.test('nothing without a cluster, and nothing without the method setting', async () => {
        const one = await make({ 'GET /plain': { integration: httpProxy(`${backend.url}/plain`) } }, []);
        await get(`${one.url}/plain`);
        await one.patch(['replace', '/*/*/caching/enabled', 'true']);
        await get(`${one.url}/plain`);
        await one.patch(['replace', '/*/*/caching/enabled', 'false'], ['replace', '/cacheClusterEnabled', 'true']);
        await get(`${one.url}/plain`);
        assert.equal(backend.count('/plain'), 3);
        await one.patch(setting('enabled', 'true'));
        await get(`${one.url}/plain`);
        await get(`${one.url}/plain`);
        assert.equal(backend.count('/plain'), 4);
    });

    await t.test('only GET, unless a method says otherwise; ANY counts by the method of the request', async () => {
        const one = await make({
            'GET /m': { integration: httpProxy(`${backend.url}/m-get`) },
            'POST /m': { integration: httpProxy(`${backend.url}/m-post`) },
            'PUT /m': { integration: httpProxy(`${backend.url}/m-put`) },
            'ANY /any': { integration: httpProxy(`${backend.url}/any`) },
        });
        for (const method of ['GET', 'POST', 'PUT']) for (let i = 0; i < 2; i++) await request(`${one.url}/m`, { method });
        for (const method of ['GET', 'GET', 'POST', 'POST']) await request(`${one.url}/any`, { method });
        assert.deepEqual(['/m-get', '/m-post', '/m-put', '/any'].map(backend.count), [1, 2, 2, 3]);
        await one.patch(setting('enabled', 'true', '/~1m/POST'), setting('enabled', 'true', '/~1any/POST'), setting('enabled', 'false', '/~1m/GET'));
        for (const method of ['GET', 'POST', 'PUT']) for (let i = 0; i < 2; i++) await request(`${one.url}/m`, { method, body: method === 'GET' ? undefined : `body ${i}` });
        for (const method of ['GET', 'POST', 'POST']) await request(`${one.url}/any`, { method });
        assert.deepEqual(['/m-get', '/m-post', '/m-put', '/any'].map(backend.count), [3, 3, 4, 4], 'GET off, POST on and once for two bodies, ANY: POST has entries of its own');
    });

    await t.test('a hit is the same answer with ids of its own, and no integration', async () => {
        backend.behaviours['/same'] = (req, res, n) => {
            res.writeHead(203, { 'content-type': 'text/plain', 'content-length': 8, 'x-own': 'a', 'x-twice': ['1', '2'] });
            res.end(`answer ${n}`);
        };
        const one = await make({ 'GET /same': { integration: httpProxy(`${backend.url}/same`) } });
        const [first, second] = [await get(`${one.url}/same`), await get(`${one.url}/same`)];
        for (const answer of [first, second]) assert.deepEqual([answer.status, answer.text, answer.headers['x-own'], answer.headers['x-twice'], answer.headers['content-type']], [203, 'answer 1', 'a', '1, 2', 'text/plain']);
        for (const name of ['x-amzn-requestid', 'x-amz-apigw-id', 'x-amzn-trace-id', 'x-gatehouse-trace']) {
            assert.ok(second.headers[name], name);
            assert.notEqual(second.headers[name], first.headers[name], name);
        }
        assert.deepEqual(Object.keys(second.headers).sort(), Object.keys(first.headers).sort(), 'a client cannot tell: AWS says nothing of its cache');
        const [missed, hit] = [await why(server, first), await why(server, second)];
        assert.match(missed.notes[0].what, /^cache miss$/);
        assert.match(hit.notes[0].what, /^cache hit$/);
        assert.equal(hit.notes[0].detail, missed.notes[0].detail);
        assert.ok(missed.steps.includes('integrate') && !hit.steps.includes('integrate') && !hit.steps.includes('map_in'));
        const { hits, misses, entries } = await numbers(server, one);
        assert.deepEqual([hits, misses, entries], [1, 1, 1]);
        const text = (await request(`${server.url}/_gatehouse/metrics`)).text;
        const watched = (name) => Number(text.match(new RegExp(`^.*${name}.*ApiId="${one.id}",Stage="dev"\\} (\\d+)$`, 'm'))?.[1]);
        assert.deepEqual([watched('CacheHitCount'), watched('CacheMissCount'), watched('Count')], [1, 1, 2], "CloudWatch's names");
    });

    await t.test('every kind of integration, errors of the endpoint too; failures of the gateway never', async () => {
        const arn = await fn(server, 'cached', 'let n = 0; export const handler = async (event) => event.boom ? 1 : ({ statusCode: 200, headers: { "x-n": String(++n) }, body: JSON.stringify({ n }) });');
        await functions(server).addPermission({ FunctionName: 'cached', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
        backend.behaviours['/error'] = (req, res, n) => { res.statusCode = 503; res.end(JSON.stringify({ n })); };
        backend.behaviours['/broken'] = (req, res) => { req.socket.destroy(); };
        const one = await make({
            'GET /fn': { integration: lambdaProxy(arn) },
            'GET /http': { integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: `${backend.url}/http` }, answers: { 200: { responseTemplates: { 'application/json': '{"n":$input.json("$.n"),"id":"$context.requestId"}' } } } },
            'GET /mock': { answers: { 200: { responseTemplates: { 'application/json': '{"id":"$context.requestId"}' } } } },
            'GET /error': { integration: httpProxy(`${backend.url}/error`) },
            'GET /broken': { integration: httpProxy(`${backend.url}/broken`) },
        });
        assert.deepEqual(await values(get(`${one.url}/fn`)), [1]);
        assert.deepEqual(await values(get(`${one.url}/fn`)), [1]);
        for (const path of ['/http', '/mock']) assert.equal((await get(one.url + path)).text, (await get(one.url + path)).text, path);
        assert.equal(backend.count('/http'), 1);
        for (let i = 0; i < 2; i++) assert.deepEqual([(await get(`${one.url}/error`)).status, backend.count('/error')], [503, 1]);
        for (let i = 1; i <= 2; i++) assert.deepEqual([(await get(`${one.url}/broken`)).status, backend.count('/broken') >= i], [504, true]);
    });

    await t.test('what the gateway makes by Accept is kept for each kind of it', async () => {
        const arn = await fn(server, 'bytes', 'export const handler = async () => ({ statusCode: 200, body: "aGVsbG8=", isBase64Encoded: true });');
        await functions(server).addPermission({ FunctionName: 'bytes', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
        const one = await make({ 'GET /bytes': { integration: lambdaProxy(arn) }, 'GET /two': { answers: { 200: { responseTemplates: { 'application/json': '{"id":"$context.requestId"}', 'application/xml': '<id>$context.requestId</id>' } } } } }, []);
        await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'add', path: '/binaryMediaTypes/image~1png' }] });
        await one.deploy();
        await one.patch(...on);
        for (let i = 0; i < 2; i++) {
            assert.equal((await get(`${one.url}/bytes`, { accept: 'image/png, */*' })).text, 'hello');
            assert.equal((await get(`${one.url}/bytes`, { accept: 'text/plain' })).text, 'aGVsbG8=');
            assert.match((await get(`${one.url}/two`, { accept: 'application/xml' })).text, /^<id>/);
            assert.match((await get(`${one.url}/two`, { accept: 'application/json' })).text, /^{"id"/);
        }
        const { hits, misses } = await numbers(server, one);
        assert.deepEqual([hits, misses], [4, 4]);
    });

    await t.test('a canary: its own cache, or the stage\'s when it says so; flushed with it', async () => {
        const one = await make({ 'GET /c': { integration: httpProxy(`${backend.url}/c`) } });
        await get(`${one.url}/c`);
        const canary = (useStageCache) => one.deploy({ canarySettings: { percentTraffic: 100, useStageCache } });
        await canary(false);
        await get(`${one.url}/c`);
        await get(`${one.url}/c`);
        assert.equal(backend.count('/c'), 2);
        await one.gateway.flushStageCache({ restApiId: one.id, stageName: 'dev' });
        await get(`${one.url}/c`);
        assert.equal(backend.count('/c'), 3);
        await one.patch(['replace', '/canarySettings/useStageCache', 'true']);
        await get(`${one.url}/c`);
        await one.patch(['replace', '/canarySettings/percentTraffic', '0']);
        await get(`${one.url}/c`);
        assert.equal(backend.count('/c'), 4, 'what the canary brought into the shared cache');
    });

    await t.test('kept as the endpoint sent it, compressed for each client', async () => {
        backend.behaviours['/zip'] = (req, res, n) => res.end(JSON.stringify({ n, text: 'x'.repeat(5000) }));
        backend.behaviours['/zip-long'] = (req, res, n) => { res.setHeader('content-length', 200_000); res.end(Buffer.alloc(200_000, `${n}`)); };
        const one = await api(server, { 'GET /zip': { integration: httpProxy(`${backend.url}/zip`) }, 'GET /zip-long': { integration: httpProxy(`${backend.url}/zip-long`) } }, { make: { minimumCompressionSize: 1000 } });
        await one.patch(...on);
        const wanted = { 'accept-encoding': 'gzip' };
        for (const path of ['/zip', '/zip-long']) {
            const lengths = [];
            for (const headers of [wanted, {}, wanted, {}]) {
                const answer = await fetch(one.url + path, { headers: { 'accept-encoding': 'identity', ...headers } });
                const { length } = await answer.text();
                lengths.push(length);
                assert.equal(answer.headers.get('content-encoding'), headers === wanted ? 'gzip' : null, path);
            }
            assert.deepEqual([new Set(lengths).size, backend.count(path)], [1, 1], path);
        }
    });

    await t.test('after the authorizer, the throttle and validation', async () => {
        const one = await make({ 'GET /v': { method: declared(q), integration: httpProxy(`${backend.url}/v`) } });
        const { id } = await one.gateway.createRequestValidator({ restApiId: one.id, name: 'p', validateRequestParameters: true });
        const at = { restApiId: one.id, resourceId: await one.resources.id('/v'), httpMethod: 'GET' };
        await one.gateway.updateMethod({ ...at, patchOperations: [{ op: 'replace', path: '/requestValidatorId', value: id }, { op: 'replace', path: `/requestParameters/${q}`, value: 'true' }] });
        await one.deploy();
        assert.equal((await get(`${one.url}/v?q=1`)).status, 200);
        assert.equal((await get(`${one.url}/v`)).status, 400, 'q is not in the key, but it is required');
        await one.gateway.updateMethod({ ...at, patchOperations: [{ op: 'replace', path: '/authorizationType', value: 'AWS_IAM' }] });
        await one.deploy();
        assert.equal((await get(`${one.url}/v?q=1`)).status, 403, 'cached, but not for who is not let in');
        const root = { accessKeyId: 'test', secretAccessKey: 'test' };
        assert.equal((await signed(`${one.url}/v?q=1`, root)).status, 200);
        assert.equal(backend.count('/v'), 1, 'a deploy does not flush');
        await one.patch(['replace', '/*/*/throttling/rateLimit', '0'], ['replace', '/*/*/throttling/burstLimit', '0']);
        assert.equal((await signed(`${one.url}/v?q=1`, root)).status, 429);
    });
});

test('for how long', async (t) => {
    const server = await start(t);
    const backend = await counting(t);
    const make = maker(server);

    await t.test('300 seconds, or what the method says; 0 is off', async () => {
        const one = await make({
            'GET /ttl': { integration: httpProxy(`${backend.url}/ttl`) },
            'GET /short': { integration: httpProxy(`${backend.url}/short`) },
            'GET /zero': { integration: httpProxy(`${backend.url}/zero`) },
        }, setting('ttlInSeconds', '10', '/~1short/GET'), setting('ttlInSeconds', '0', '/~1zero/GET'));
        const all = async () => { for (const path of ['/ttl', '/short', '/zero']) await get(one.url + path); };
        const counts = () => ['/ttl', '/short', '/zero'].map(backend.count);
        await all();
        await all();
        assert.deepEqual(counts(), [1, 1, 2]);
        await advance(server, 11);
        await all();
        assert.deepEqual(counts(), [1, 2, 3]);
        await advance(server, 285);
        await all();
        assert.deepEqual(counts(), [1, 3, 4]);
        await advance(server, 5);
        await all();
        assert.deepEqual(counts(), [2, 3, 5]);
        await server.fetch('/_gatehouse/clock', { method: 'POST', body: '{}' });
        await all();
        assert.deepEqual(counts(), [3, 4, 6], 'what a clock that is set back has not seen yet is not given');
    });

    await t.test('FlushStageCache, another size, a cluster that goes and comes: all is forgotten; other stages keep theirs', async () => {
        const one = await make({ 'GET /f': { integration: httpProxy(`${backend.url}/f`) } });
        const stage = { restApiId: one.id, stageName: 'dev' };
        const other = await make({ 'GET /f': { integration: httpProxy(`${backend.url}/f-other`) } });
        await get(`${other.url}/f`);
        const fetches = async (what) => {
            const before = backend.count('/f');
            await get(`${one.url}/f`);
            await get(`${one.url}/f`);
            assert.equal(backend.count('/f') - before, 1, what);
        };
        await fetches('first');
        await one.gateway.flushStageCache(stage);
        await fetches('flushed');
        await one.patch(['replace', '/cacheClusterSize', '1.6']);
        await fetches('another size');
        await one.patch(['replace', '/cacheClusterEnabled', 'false']);
        await get(`${one.url}/f`);
        await one.patch(['replace', '/cacheClusterEnabled', 'true']);
        await fetches('off and on');
        await one.gateway.deleteStage(stage);
        await one.deploy();
        await one.patch(...on);
        await fetches('a stage of the same name is another one');
        await get(`${other.url}/f`);
        assert.equal(backend.count('/f-other'), 1);
        await assert.rejects(one.gateway.flushStageCache({ ...stage, stageName: 'nope' }), { name: 'NotFoundException', message: 'Invalid stage identifier specified' });
    });

    await t.test('purge by tag and by key', async () => {
        for (const path of ['/tag-a', '/tag-b']) {
            backend.behaviours[path] = (req, res, n) => {
                res.setHeader(path === '/tag-a' ? 'surrogate-key' : 'cache-tag', path === '/tag-a' ? 'all pets' : 'all,plants');
                res.end(JSON.stringify({ n }));
            };
        }
        const one = await make({ 'GET /a': { integration: httpProxy(`${backend.url}/tag-a`) }, 'GET /b': { integration: httpProxy(`${backend.url}/tag-b`) } });
        const fill = () => Promise.all([get(`${one.url}/a`), get(`${one.url}/b`)]);
        const counts = () => ['/tag-a', '/tag-b'].map(backend.count);
        const purge = async (body, target = one.id) => {
            const answer = await server.fetch(`/_gatehouse/apis/${target}/stages/dev/purge`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
            return [answer.status, await answer.json()];
        };
        await fill();
        assert.deepEqual(await purge({ tag: 'pet' }), [200, { purged: 0 }]);
        assert.deepEqual(await purge({ tag: 'pets' }), [200, { purged: 1 }]);
        await fill();
        assert.deepEqual(counts(), [2, 1]);
        assert.deepEqual(await purge({ tag: 'all' }), [200, { purged: 2 }]);
        const [a] = await fill();
        assert.deepEqual(counts(), [3, 2]);
        const key = (await why(server, a)).notes[0].detail;
        assert.deepEqual(await purge({ key }), [200, { purged: 1 }]);
        await fill();
        assert.deepEqual(counts(), [4, 2]);
        for (const wrong of ['', '[]', '{}', { tag: '' }, { tag: 'a', key: 'b' }, { tag: 1 }]) assert.equal((await purge(wrong))[0], 400, JSON.stringify(wrong));
        assert.equal((await purge({ tag: 'all' }, 'nope'))[0], 404);
    });
});

test('under which key', async (t) => {
    const server = await start(t);
    const backend = await counting(t);
    const make = maker(server);

    await t.test('cacheKeyParameters of the method and of the integration, and nothing else', async () => {
        const names = [q, 'method.request.header.X-Tenant', 'method.request.path.id', 'integration.request.querystring.v'];
        const one = await make({
            'GET /k/{id}': {
                method: declared(q, 'method.request.header.X-Tenant', 'method.request.path.id', 'method.request.header.X-Version'),
                integration: httpProxy(`${backend.url}/k`, { ...keyed(...names), requestParameters: { 'integration.request.querystring.v': 'method.request.header.X-Version' } }),
            },
        });
        const calls = [
            ['/k/1?q=a', {}, 1], ['/k/1?q=a', {}, 1], ['/k/1?q=a&other=1', { 'x-else': 'x' }, 1],
            ['/k/1?q=b', {}, 2], ['/k/2?q=a', {}, 3], ['/k/1', {}, 4], ['/k/1?q=', {}, 5],
            ['/k/1?q=a', { 'X-Tenant': 't' }, 6], ['/k/1?q=a', { 'x-tenant': 't' }, 6], ['/k/1?q=a', { 'X-Tenant': '' }, 7],
            ['/k/1?q=a', { 'X-Version': '2' }, 8], ['/k/1?q=a', {}, 1],
        ];
        for (const [path, headers, n] of calls) assert.deepEqual(await values(get(one.url + path, headers)), [n], `${path} ${JSON.stringify(headers)}`);
    });

    await t.test('one cacheNamespace over two resources is one cache for both', async () => {
        const shared = (path) => httpProxy(`${backend.url}/${path}`, { cacheNamespace: 'ours' });
        const one = await make({ 'GET /n1': { integration: shared('n1') }, 'GET /n2': { integration: shared('n2') }, 'GET /n3': { integration: httpProxy(`${backend.url}/n3`) } });
        assert.deepEqual((await Promise.all([get(`${one.url}/n1`)])).map((a) => a.json().url), ['/n1']);
        assert.equal((await get(`${one.url}/n2`)).json().url, '/n1');
        assert.equal((await get(`${one.url}/n3`)).json().url, '/n3');
    });

    await t.test('no value passes for another part of the key (b43)', async () => {
        const two = ['method.request.querystring.a', 'method.request.querystring.b'];
        const one = await make({ 'GET /p': { method: declared(...two), integration: httpProxy(`${backend.url}/p`, keyed(...two)) } });
        const same = [];
        for (const target of ['?a=1&b=2', '?a=1%202&b=', '?a=&b=1%202', '?a=1', '?b=1', '?a=-', '?a=1&a=2', '?a=2&a=1', '?a=1%3A1&b=1', '?a=1;b=%202', '?a=1 ; 1:2']) {
            same.push((await get(`${one.url}/p${target.replaceAll(' ', '%20')}`)).json().n);
        }
        assert.equal(new Set(same).size, same.length, String(same));
    });

    await t.test('poisoning: Host, ranges, conditions, cookies and Vary reach no other client (b43)', async () => {
        const text = 'abcdefghijklmnopqrstuvwxyz';
        backend.behaviours['/host'] = (req, res) => res.end(JSON.stringify({ n: 1, host: req.headers.host, forwarded: req.headers['x-forwarded-host'] ?? null }));
        backend.behaviours['/range'] = (req, res) => {
            const [, from, to] = req.headers.range?.match(/bytes=(\d+)-(\d+)/) ?? [];
            if (req.headers['if-none-match']) return res.writeHead(304).end();
            if (from === undefined) return res.end(text);
            res.writeHead(206, { 'content-range': `bytes ${from}-${to}/${text.length}` }).end(text.slice(+from, +to + 1));
        };
        backend.behaviours['/cookie'] = (req, res, n) => { res.setHeader('set-cookie', `session=${n}`); res.end(JSON.stringify({ n })); };
        backend.behaviours['/vary'] = (req, res, n) => { res.setHeader('vary', 'X-Lang, Accept-Encoding'); res.end(JSON.stringify({ n, lang: req.headers['x-lang'] ?? '' })); };
        backend.behaviours['/star'] = (req, res, n) => { res.setHeader('vary', '*'); res.end(JSON.stringify({ n })); };
        const one = await make(Object.fromEntries(['host', 'range', 'cookie', 'vary', 'star'].map((path) => [`GET /${path}`, { integration: httpProxy(`${backend.url}/${path}`) }])));

        const poisoned = (await get(`${one.url}/host`, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' })).json();
        assert.equal(poisoned.forwarded, null, 'what a client says of itself is not passed on');
        assert.equal((await get(`${one.url}/host`)).text, JSON.stringify(poisoned));

        assert.deepEqual([(await get(`${one.url}/range`, { range: 'bytes=0-2' })).text, backend.last('/range').headers.range], [text, undefined], 'who leads fetches the whole');
        assert.equal((await get(`${one.url}/range`, { 'if-none-match': '"x"' })).text, text);
        assert.equal((await get(`${one.url}/range`)).text, text);

        assert.deepEqual(await values(get(`${one.url}/cookie`)), [1]);
        const again = await get(`${one.url}/cookie`);
        assert.deepEqual([again.json().n, again.headers['set-cookie']], [2, ['session=2']]);
        assert.match((await why(server, again)).notes.at(-1).detail, /sets a cookie/);

        const langs = ['de', 'en', 'de', undefined, 'en', 'fr', undefined].map((lang) => (lang ? { 'x-lang': lang } : {}));
        const got = [];
        for (const headers of langs) got.push((await get(`${one.url}/vary`, headers)).json());
        assert.deepEqual(got.map(({ n, lang }) => [n, lang]), [[1, 'de'], [2, 'en'], [1, 'de'], [3, ''], [2, 'en'], [4, 'fr'], [3, '']]);
        assert.deepEqual(await values(get(`${one.url}/star`)), [1]);
        assert.deepEqual(await values(get(`${one.url}/star`)), [2]);
    });

    await t.test('AWS caches for whoever may call; cacheVaryByClaims keeps callers apart', async () => {
        const arn = await fn(server, 'who', 'export const handler = async (event) => ({ principalId: event.authorizationToken, context: { tenant: event.authorizationToken.split("-")[0] }, policyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] } });');
        await functions(server).addPermission({ FunctionName: 'who', StatementId: 'a', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
        const one = await api(server, {});
        const { id: authorizerId } = await one.gateway.createAuthorizer({ restApiId: one.id, name: 'a', type: 'TOKEN', identitySource: 'method.request.header.Authorization', authorizerUri: lambdaProxy(arn).uri });
        await one.add('GET /me', { method: { authorizationType: 'CUSTOM', authorizerId }, integration: httpProxy(`${backend.url}/me`) });
        await one.deploy();
        await one.patch(...on);
        const as = (who) => get(`${one.url}/me`, { authorization: who });
        assert.deepEqual(await values(as('a-1')), [1]);
        assert.deepEqual(await values(as('b-1')), [1], 'as on AWS: the key has no caller');
        await options(server, one, { cacheVaryByClaims: 'tenant' });
        assert.deepEqual(await values(as('a-1')), [2]);
        assert.deepEqual(await values(as('a-2')), [2]);
        assert.deepEqual(await values(as('b-1')), [3]);
        await options(server, one, { cacheVaryByClaims: 'tenant, principalId' });
        assert.deepEqual(await values(as('a-1')), [4]);
        assert.deepEqual(await values(as('a-2')), [5]);
        assert.deepEqual(await values(as('a-1')), [4]);
    });

    await t.test('secrets in the key stand in no trace, encrypted entries show nothing of their key elsewhere', async () => {
        const name = 'method.request.header.Authorization';
        const one = await make({ 'GET /s': { method: declared(name, q), integration: httpProxy(`${backend.url}/s`, keyed(name, q)) } });
        const answer = await get(`${one.url}/s?q=plain`, { authorization: 'Bearer very-secret' });
        const { notes } = await why(server, answer);
        assert.match(notes[0].detail, /^GET 6:\w{6} #[\w-]{43} ; 5:plain ;$/);
        assert.ok(!server.log().includes('very-secret'));
    });

    await t.test('dataEncrypted', async () => {
        const one = await make({ 'GET /e': { method: declared(q), integration: httpProxy(`${backend.url}/e`, keyed(q)) } }, setting('dataEncrypted', 'true'));
        const [first, second] = [await get(`${one.url}/e?q=1`), await get(`${one.url}/e?q=1`)];
        assert.deepEqual([second.text, second.headers['content-type']], [first.text, 'application/json']);
        assert.deepEqual(await values(get(`${one.url}/e?q=2`)), [2]);
        const before = await numbers(server, one);
        await one.gateway.flushStageCache({ restApiId: one.id, stageName: 'dev' });
        await one.patch(setting('dataEncrypted', 'false'));
        await get(`${one.url}/e?q=1`);
        await get(`${one.url}/e?q=2`);
        const after = await numbers(server, one);
        assert.ok(before.bytes > after.bytes && before.entries === after.entries, 'encryption adds to what is kept');
        const key = (await why(server, first)).notes[0].detail;
        await one.patch(setting('dataEncrypted', 'true'));
        await get(`${one.url}/e?q=1`);
        const purged = await (await server.fetch(`/_gatehouse/apis/${one.id}/stages/dev/purge`, { method: 'POST', body: JSON.stringify({ key }) })).json();
        assert.equal(purged.purged, 2, 'the one in clear and the sealed one');
    });
});

test('equal misses wait for one call', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const backend = await counting(t);
    const make = maker(server);
    const crowd = (n, url, headers) => Promise.all(Array.from({ length: n }, () => get(url, headers, { agent: new http.Agent() })));
    const gate = (path, then) => {
        const waiting = [];
        backend.behaviours[path] = (req, res, n) => waiting.push(() => then(req, res, n));
        return { open: () => waiting.splice(0).forEach((go) => go()), size: () => waiting.length };
    };
    const inFlight = async () => Number((await request(`${server.url}/_gatehouse/metrics`)).text.match(/^gatehouse_requests_in_flight (\d+)/m)[1]);

    await t.test('100 at once are one call, from both loops', async () => {
        const slow = gate('/slow', (req, res, n) => res.end(JSON.stringify({ n })));
        const one = await make({ 'GET /slow': { integration: httpProxy(`${backend.url}/slow`) } });
        const all = crowd(100, `${one.url}/slow`);
        await eventually('all of them wait', async () => (await inFlight()) >= 100);
        await eventually('one calls', () => slow.size() === 1);
        slow.open();
        assert.deepEqual(new Set(await values(...(await all))), new Set([1]));
        assert.equal(backend.count('/slow'), 1);
        const { hits, misses } = await numbers(server, one);
        assert.deepEqual([hits, misses], [99, 1]);
    });

    await t.test('a leader that fails hands on; a leader whose client leaves, too', async () => {
        const failing = gate('/failing', (req, res, n) => (n < 3 ? req.socket.destroy() : res.end(JSON.stringify({ n }))));
        const one = await make({ 'GET /failing': { integration: httpProxy(`${backend.url}/failing`) }, 'GET /left': { integration: httpProxy(`${backend.url}/left`) } });
        const all = crowd(5, `${one.url}/failing`);
        await eventually('all of them wait', async () => (await inFlight()) >= 5);
        for (let i = 0; i < 10 && backend.count('/failing') < 9; i++) {
            await Promise.race([eventually('a call', () => failing.size() > 0, 3000).catch(() => {}), all]);
            failing.open();
        }
        const statuses = (await all).map((answer) => answer.status).sort();
        assert.equal(statuses.at(-1), 504);
        assert.ok(statuses.filter((status) => status === 200).length >= 3, String(statuses));

        const left = gate('/left', (req, res, n) => res.end(JSON.stringify({ n })));
        const url = new URL(`${one.url}/left`);
        const leaver = net.connect(url.port, url.hostname, () => leaver.write(`GET ${url.pathname} HTTP/1.1\r\nHost: x\r\n\r\n`));
        await eventually('the leader has called', () => left.size() === 1);
        const rest = crowd(10, `${one.url}/left`);
        await eventually('the others wait', async () => (await inFlight()) >= 11);
        leaver.resetAndDestroy();
        await eventually('the next one leads', () => backend.count('/left') === 2);
        left.open();
        assert.deepEqual((await rest).map((answer) => answer.status), Array(10).fill(200));
        assert.equal(backend.count('/left'), 2);
    });

    await t.test('who waits gives up in his own time', async () => {
        const never = gate('/never', (req, res) => res.end('{"n":0}'));
        const one = await make({ 'GET /never': { integration: httpProxy(`${backend.url}/never`, { timeoutInMillis: 300 }) } });
        const began = Date.now();
        const answers = await crowd(3, `${one.url}/never`);
        assert.deepEqual(answers.map((answer) => answer.status), [504, 504, 504]);
        assert.ok(Date.now() - began < 2500);
        assert.ok(never.size() <= 3);
        backend.behaviours['/never'] = undefined;
        assert.equal((await get(`${one.url}/never`)).status, 200, 'the next request works');
    });

    await t.test('answers of a kind that is not kept hold up nobody', async () => {
        const cookies = gate('/cookies', (req, res, n) => { res.setHeader('set-cookie', `a=${n}`); res.end(JSON.stringify({ n })); });
        const one = await make({ 'GET /cookies': { integration: httpProxy(`${backend.url}/cookies`) } });
        const all = crowd(20, `${one.url}/cookies`);
        await eventually('all of them wait', async () => (await inFlight()) >= 20);
        await eventually('one calls', () => cookies.size() === 1);
        cookies.open();
        await eventually('all others go at once', () => cookies.size() === 19);
        cookies.open();
        assert.deepEqual(new Set((await values(...(await all)))).size, 20);
    });

    await t.test('what is under way when the cache is flushed is not kept', async () => {
        const stale = gate('/late', (req, res, n) => res.end(JSON.stringify({ n })));
        const one = await make({ 'GET /late': { integration: httpProxy(`${backend.url}/late`) } });
        const first = get(`${one.url}/late`);
        await eventually('it has called', () => stale.size() === 1);
        await one.gateway.flushStageCache({ restApiId: one.id, stageName: 'dev' });
        stale.open();
        assert.deepEqual(await values(first), [1]);
        const second = get(`${one.url}/late`);
        await eventually('and again', () => stale.size() === 1);
        stale.open();
        assert.deepEqual(await values(second), [2]);
    });

    await t.test('long and streamed answers: up to 1,048,576 bytes, whole or not at all', async () => {
        const sizes = { small: 100_000, full: 1_048_576, over: 1_048_577 };
        for (const [name, size] of Object.entries(sizes)) {
            for (const how of ['length', 'chunks']) {
                backend.behaviours[`/${name}-${how}`] = (req, res, n) => {
                    res.setHeader('content-type', 'application/octet-stream');
                    res.setHeader('x-n', n);
                    const body = Buffer.alloc(size, 'abcdefg');
                    if (how === 'length') res.setHeader('content-length', size);
                    for (let at = 0; at < size; at += 50_000) res.write(body.subarray(at, at + 50_000));
                    res.end();
                };
            }
        }
        backend.behaviours['/cut'] = (req, res, n) => {
            if (n > 1) return res.end('{"n":2}');
            res.writeHead(200, { 'content-length': 500_000 });
            res.write(Buffer.alloc(200_000, 'x'), () => req.socket.destroy());
        };
        const paths = [...Object.keys(backend.behaviours).filter((path) => /-(length|chunks)$/.test(path)), '/cut'];
        const one = await make(Object.fromEntries(paths.map((path) => [`GET ${path}`, { integration: httpProxy(backend.url + path) }])));
        for (const path of paths.filter((p) => p !== '/cut')) {
            const [name] = path.slice(1).split('-');
            for (let i = 1; i <= 2; i++) {
                const answer = await get(one.url + path);
                assert.deepEqual([answer.text.length, answer.text.slice(0, 8), answer.headers['x-n']], [sizes[name], 'abcdefga', String(name === 'over' ? i : 1)], `${path} ${i}`);
            }
        }
        await assert.rejects(get(`${one.url}/cut`), 'the first is cut off');
        assert.deepEqual(await values(get(`${one.url}/cut`)), [2], 'and nothing of it is kept');
    });
});

test('Cache-Control: max-age=0', async (t) => {
    const server = await start(t);
    const backend = await counting(t);
    const arn = (one, path) => `arn:aws:execute-api:${region}:${account}:${one.id}/dev/GET/${path}`;
    const fresh = { 'cache-control': 'max-age=0' };

    await t.test('anybody may when no permission is required', async () => {
        const one = await api(server, { 'GET /i': { method: declared(q), integration: httpProxy(`${backend.url}/i`, keyed(q)) } });
        await one.patch(...on, setting('requireAuthorizationForCacheControl', 'false'));
        assert.deepEqual(await values(get(`${one.url}/i?q=1`)), [1]);
        assert.deepEqual(await values(get(`${one.url}/i?q=2`)), [2]);
        const refreshed = await get(`${one.url}/i?q=1`, { 'Cache-Control': 'no-transform, MAX-AGE=0' });
        assert.deepEqual([refreshed.json().n, refreshed.headers.warning], [3, undefined]);
        assert.deepEqual(await values(get(`${one.url}/i?q=1`)), [3], 'it has replaced the entry');
        assert.deepEqual(await values(get(`${one.url}/i?q=2`)), [2], 'of that key only');
        for (const other of ['max-age=1', 'no-cache', 'no-store', 'xmax-age=0', 'max-age=00']) assert.deepEqual(await values(get(`${one.url}/i?q=2`, { 'cache-control': other })), [2], other);
    });

    await t.test('three ways to refuse', async () => {
        const one = await api(server, { 'GET /r': { integration: httpProxy(`${backend.url}/r`) } });
        await one.patch(...on);
        await get(`${one.url}/r`);
        const warned = await get(`${one.url}/r`, fresh);
        assert.deepEqual([warned.status, warned.json().n, warned.headers.warning], [200, 1, WARNING]);
        assert.match((await why(server, warned)).notes[0].detail, /InvalidateCache/);
        await one.patch(setting('unauthorizedCacheControlHeaderStrategy', 'SUCCEED_WITHOUT_RESPONSE_HEADER'));
        const silent = await get(`${one.url}/r`, fresh);
        assert.deepEqual([silent.status, silent.json().n, silent.headers.warning], [200, 1, undefined]);
        await one.patch(setting('unauthorizedCacheControlHeaderStrategy', 'FAIL_WITH_403'));
        const failed = await get(`${one.url}/r`, fresh);
        assert.deepEqual([failed.status, failed.headers['x-amzn-errortype']], [403, 'AccessDeniedException']);
        assert.equal((await get(`${one.url}/r`)).status, 200);
        await one.patch(setting('unauthorizedCacheControlHeaderStrategy', 'SUCCEED_WITH_RESPONSE_HEADER'));
        await one.gateway.flushStageCache({ restApiId: one.id, stageName: 'dev' });
        const missed = await get(`${one.url}/r`, fresh);
        assert.deepEqual([missed.json().n, missed.headers.warning], [2, WARNING], 'on a miss, too');
        assert.equal((await get(`${one.url}/r`)).headers.warning, undefined, 'the warning is not part of what is kept');
    });

    await t.test('who signed it, by the permission execute-api:InvalidateCache', async () => {
        const one = await api(server, { 'GET /s': { method: { authorizationType: 'AWS_IAM' }, integration: httpProxy(`${backend.url}/signed`) } });
        await one.patch(...on, setting('unauthorizedCacheControlHeaderStrategy', 'FAIL_WITH_403'));
        const client = server.client(iam.IAMClient);
        const user = async (UserName, Action) => {
            await client.send(new iam.CreateUserCommand({ UserName }));
            await client.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: arn(one, 's') }] }) }));
            const { AccessKey } = await client.send(new iam.CreateAccessKeyCommand({ UserName }));
            return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
        };
        const reader = await user('reader', 'execute-api:Invoke');
        const keeper = await user('keeper', ['execute-api:Invoke', 'execute-api:InvalidateCache']);
        const n = async (who, headers) => { const answer = await signed(`${one.url}/s`, who, { headers }); return answer.status === 200 ? (await answer.json()).n : `${answer.status} ${(await answer.json()).Message}`; };
        assert.equal(await n(reader), 1);
        assert.equal(await n(keeper), 1);
        assert.match(await n(reader, fresh), /^403 User: arn:aws:iam::\d+:user\/reader is not authorized to perform: execute-api:InvalidateCache on resource: arn:aws:execute-api:us-east-1:\*{8}\d{4}:.*\/dev\/GET\/s/);
        assert.equal(await n(reader), 1);
        assert.equal(await n(keeper, fresh), 2);
        assert.equal(await n(reader), 2);
    });
});

test('options beyond AWS: ETag, Age, stale-while-revalidate', async (t) => {
    const server = await start(t);
    const backend = await counting(t);

    await t.test('cacheETag: strong, and 304 for who has it', async () => {
        backend.behaviours['/own'] = (req, res, n) => { res.setHeader('etag', '"mine"'); res.end(JSON.stringify({ n })); };
        const one = await api(server, { 'GET /t': { integration: httpProxy(`${backend.url}/t`) }, 'GET /own': { integration: httpProxy(`${backend.url}/own`) }, 'GET /mock': { answers: { 200: {} } } });
        await one.patch(...on);
        assert.equal((await get(`${one.url}/t`)).headers.etag, undefined, 'off by default');
        await one.gateway.flushStageCache({ restApiId: one.id, stageName: 'dev' });
        await options(server, one, { cacheETag: true });
        const first = await get(`${one.url}/t`), second = await get(`${one.url}/t`);
        assert.match(first.headers.etag, /^"[0-9a-f]{32}"$/);
        assert.equal(second.headers.etag, first.headers.etag);
        for (const wanted of [first.headers.etag, `"x", W/${first.headers.etag}`, '*']) {
            const answer = await get(`${one.url}/t`, { 'if-none-match': wanted });
            assert.deepEqual([answer.status, answer.text, answer.headers.etag, answer.headers['content-length']], [304, '', first.headers.etag, undefined], wanted);
        }
        assert.equal((await get(`${one.url}/t`, { 'if-none-match': '"other"' })).status, 200);
        assert.equal((await get(`${one.url}/own`, { 'if-none-match': '"mine"' })).status, 304, 'on a miss: the whole is fetched and kept');
        assert.deepEqual([(await get(`${one.url}/own`)).text, (await get(`${one.url}/own`)).headers.etag], ['{"n":1}', '"mine"']);
        assert.equal(backend.count('/t'), 2);
    });

    await t.test('cacheAge', async () => {
        const one = await api(server, { 'GET /a': { integration: httpProxy(`${backend.url}/a`) } });
        await one.patch(...on);
        await options(server, one, { cacheAge: true });
        assert.equal((await get(`${one.url}/a`)).headers.age, undefined);
        await advance(server, 42);
        assert.match((await get(`${one.url}/a`)).headers.age, /^4[23]$/);
    });

    await t.test('cacheStaleWhileRevalidate: one fetches, the others have the old answer meanwhile', async () => {
        const waiting = [];
        const one = await api(server, { 'GET /w': { integration: httpProxy(`${backend.url}/w`) } });
        await one.patch(...on, setting('ttlInSeconds', '10'));
        await options(server, one, { cacheStaleWhileRevalidate: 60 });
        assert.deepEqual(await values(get(`${one.url}/w`)), [1]);
        backend.behaviours['/w'] = (req, res, n) => waiting.push(() => res.end(JSON.stringify({ n })));
        await advance(server, 11);
        const old = await get(`${one.url}/w`);
        assert.equal(old.json().n, 1);
        assert.match((await why(server, old)).notes[0].what, /stale/);
        await eventually('somebody fetches it', () => waiting.length === 1);
        assert.deepEqual(await values(...Array.from({ length: 20 }, () => get(`${one.url}/w`))), Array(20).fill(1));
        assert.equal(backend.count('/w'), 2);
        waiting.pop()();
        await eventually('the new one is there', async () => (await get(`${one.url}/w`)).json().n === 2);
        assert.equal(backend.count('/w'), 2);
        backend.behaviours['/w'] = undefined;
        await advance(server, 71);
        assert.deepEqual(await values(get(`${one.url}/w`)), [3], 'after the grace nobody gets the old one');
    });
});

test('the control plane says what AWS says', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const one = await api(server, { 'GET /': {} });
    const stage = { restApiId: one.id, stageName: 'dev' };
    const seen = ({ cacheClusterEnabled, cacheClusterSize, cacheClusterStatus }) => [cacheClusterEnabled, cacheClusterSize, cacheClusterStatus];

    await t.test('cluster: enabled, size, status', async () => {
        assert.deepEqual(seen(await gateway.getStage(stage)), [false, undefined, 'NOT_AVAILABLE']);
        assert.deepEqual(seen(await one.patch(['replace', '/cacheClusterEnabled', 'true'])), [true, '0.5', 'AVAILABLE']);
        for (const size of ['0.5', '1.6', '6.1', '13.5', '28.4', '58.2', '118', '237']) assert.deepEqual(seen(await one.patch(['replace', '/cacheClusterSize', size])), [true, size, 'AVAILABLE']);
        await assert.rejects(one.patch(['replace', '/cacheClusterSize', '1']), { name: 'BadRequestException', message: /cacheClusterSize 1/ });
        assert.deepEqual(seen(await one.patch(['replace', '/cacheClusterEnabled', 'false'])), [false, '237', 'NOT_AVAILABLE']);
        const { id: deploymentId } = await one.deploy({ stageName: undefined });
        assert.deepEqual(seen(await gateway.createStage({ restApiId: one.id, stageName: 'two', deploymentId, cacheClusterEnabled: true, cacheClusterSize: '1.6' })), [true, '1.6', 'AVAILABLE']);
        await assert.rejects(gateway.createStage({ restApiId: one.id, stageName: 'bad', deploymentId, cacheClusterEnabled: true, cacheClusterSize: '1' }), { message: /Member must satisfy enum value set: \[0\.5, 1\.6, / });
        await one.deploy({ stageName: 'three', cacheClusterEnabled: true });
        assert.deepEqual(seen(await gateway.getStage({ restApiId: one.id, stageName: 'three' })), [true, '0.5', 'AVAILABLE']);
        await one.deploy({ stageName: 'three' });
        assert.deepEqual(seen(await gateway.getStage({ restApiId: one.id, stageName: 'three' })), [true, '0.5', 'AVAILABLE'], 'a deployment that does not say so changes nothing');
    });

    await t.test('method settings: every path, and what they refuse', async () => {
        const { methodSettings } = await one.patch(
            setting('enabled', 'true'), setting('ttlInSeconds', '3600'), setting('dataEncrypted', 'true'),
            setting('requireAuthorizationForCacheControl', 'false'), setting('unauthorizedCacheControlHeaderStrategy', 'FAIL_WITH_403'),
            setting('ttlInSeconds', '0', '/~1/GET'),
        );
        const { cachingEnabled, cacheTtlInSeconds, cacheDataEncrypted, requireAuthorizationForCacheControl, unauthorizedCacheControlHeaderStrategy } = methodSettings['*/*'];
        assert.deepEqual([cachingEnabled, cacheTtlInSeconds, cacheDataEncrypted, requireAuthorizationForCacheControl, unauthorizedCacheControlHeaderStrategy], [true, 3600, true, false, 'FAIL_WITH_403']);
        assert.deepEqual([methodSettings['/GET'].cacheTtlInSeconds, methodSettings['/GET'].cacheDataEncrypted], [0, true]);
        for (const [path, value] of [['ttlInSeconds', '-1'], ['ttlInSeconds', '3601'], ['ttlInSeconds', '1.5'], ['ttlInSeconds', 'x'], ['ttlInSeconds', ''], ['unauthorizedCacheControlHeaderStrategy', 'FAIL'], ['unauthorizedCacheControlHeaderStrategy', '']]) {
            await assert.rejects(one.patch(setting(path, value)), { name: 'BadRequestException' }, `${path}=${value}`);
        }
        assert.equal((await gateway.getStage(stage)).methodSettings['*/*'].cacheTtlInSeconds, 3600);
    });

    await t.test('cacheNamespace and cacheKeyParameters of an integration', async () => {
        const at = { restApiId: one.id, resourceId: await one.resources.id('/k'), httpMethod: 'GET' };
        await gateway.putMethod({ ...at, authorizationType: 'NONE', ...declared(q, 'method.request.header.X') });
        const made = await gateway.putIntegration({ ...at, type: 'MOCK', cacheNamespace: 'n', cacheKeyParameters: [q], requestTemplates: { 'application/json': '{"statusCode":200}' } });
        assert.deepEqual([made.cacheNamespace, made.cacheKeyParameters], ['n', [q]]);
        const changed = await gateway.updateIntegration({ ...at, patchOperations: [{ op: 'remove', path: `/cacheKeyParameters/${q}` }, { op: 'add', path: '/cacheKeyParameters/method.request.header.X' }, { op: 'replace', path: '/cacheNamespace', value: 'm' }] });
        assert.deepEqual([changed.cacheNamespace, changed.cacheKeyParameters], ['m', ['method.request.header.X']]);
        for (const undeclared of ['integration.request.header.Y', 'method.request.header.Y', 'method.request.body', 'x']) {
            await assert.rejects(gateway.updateIntegration({ ...at, patchOperations: [{ op: 'add', path: `/cacheKeyParameters/${undeclared}` }] }), { message: 'Invalid cache key parameter specified' }, undeclared);
        }
    });
});

test('memory: sizes are shares of --cache-memory, and the coldest go first', async (t) => {
    const server = await start(t, { args: ['--cache-memory', '1M'] });
    const backend = await counting(t);
    const body = 'x'.repeat(10_000);
    for (const path of ['/big', '/big2']) backend.behaviours[path] = (req, res, n) => { res.setHeader('x-n', n); res.end(body); };
    const route = (path) => ({ 'GET /b': { method: declared(q), integration: httpProxy(backend.url + path, keyed(q)) } });
    const one = await api(server, route('/big'));
    await one.patch(...on);
    assert.equal((await numbers(server, one)).limit, 1 << 20);
    await get(`${one.url}/b?q=hot`);
    for (let i = 0; i < 300; i++) {
        await get(`${one.url}/b?q=${i}`);
        if (i % 10 === 0) await get(`${one.url}/b?q=hot`);
    }
    const full = await numbers(server, one);
    assert.ok(full.bytes <= full.limit && full.bytes > full.limit * 0.9, JSON.stringify(full));
    assert.equal(full.entries + full.evictions, 301);
    assert.equal((await get(`${one.url}/b?q=hot`)).headers['x-n'], '1', 'what is asked for stays');

    const two = await api(server, route('/big2'));
    await two.patch(...on, ['replace', '/cacheClusterSize', '1.6']);
    const [less, more] = [await numbers(server, one), await numbers(server, two)];
    assert.ok(Math.abs(more.limit / less.limit - 3.2) < 0.01 && less.limit + more.limit <= 1 << 20, JSON.stringify([less, more]));
    assert.ok(less.bytes <= less.limit, 'what is too much now has gone');
    await two.gateway.deleteStage({ restApiId: two.id, stageName: 'dev' });
    assert.equal((await numbers(server, one)).limit, 1 << 20);
    assert.ok(Number.isNaN((await numbers(server, two)).limit));
});

test('under load, with clients that leave, flushes, purges, deploys and a clock that jumps: no answer of another key', async (t) => {
    const server = await start(t, { args: ['--workers', '2', '--cache-memory', '200K'] });
    const backend = await counting(t);
    for (const path of ['/plain', '/vary', '/big']) {
        backend.behaviours[path] = (req, res) => {
            const key = new URL(req.url, 'http://x').searchParams.get('q');
            if (path === '/vary') res.setHeader('vary', 'x-lang');
            res.setHeader('surrogate-key', `tag${key % 5}`);
            const answer = JSON.stringify({ key, lang: path === '/vary' ? req.headers['x-lang'] ?? '' : '', pad: path === '/big' ? 'x'.repeat(70_000) : '' });
            if (key % 7 === 3) return void setTimeout(() => res.end(answer), 3);
            if (key % 11 === 5) return res.writeHead(200, { 'set-cookie': 'a=b' }).end(answer);
            res.end(answer);
        };
    }
    const one = await api(server, Object.fromEntries(['plain', 'vary', 'big'].map((path) => [`GET /${path}`, { method: declared(q), integration: httpProxy(`${backend.url}/${path}`, keyed(q)) }])));
    await one.patch(...on, setting('ttlInSeconds', '5'), setting('dataEncrypted', 'true', '/~1vary/GET'), setting('requireAuthorizationForCacheControl', 'false'), ['replace', '/*/*/throttling/rateLimit', '-1'], ['replace', '/*/*/throttling/burstLimit', '-1']);
    await options(server, one, { cacheStaleWhileRevalidate: 5, cacheETag: true });
    const until = Date.now() + 3000;
    let good = 0, left = 0;
    const wrong = [];
    const client = async (seed) => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        for (let i = 0; Date.now() < until; i++) {
            const path = ['plain', 'vary', 'big'][(seed + i) % 3], key = String((seed * 31 + i * 17) % 40), lang = ['', 'de', 'en'][i % 3];
            const headers = { 'x-lang': lang, ...(i % 13 === 0 ? { 'cache-control': 'max-age=0' } : {}) };
            if (i % 19 === 7) {
                const req = http.get(`${one.url}/${path}?q=${key}`, { headers }).on('error', () => {});
                await new Promise((go) => setImmediate(go));
                req.destroy();
                left++;
                continue;
            }
            const answer = await get(`${one.url}/${path}?q=${key}`, headers, { agent });
            const got = answer.status === 200 && answer.json();
            if (got && got.key === key && got.lang === (path === 'vary' ? lang : '')) good++;
            else wrong.push(`${answer.status} ${path} ${key} ${lang}: ${answer.text.slice(0, 100)}`);
        }
        agent.destroy();
    };
    const disturb = async () => {
        for (let i = 0; Date.now() < until; i++) {
            const stage = { restApiId: one.id, stageName: 'dev' };
            if (i % 5 === 0) await one.gateway.flushStageCache(stage);
            if (i % 5 === 1) await server.fetch(`/_gatehouse/apis/${one.id}/stages/dev/purge`, { method: 'POST', body: JSON.stringify({ tag: `tag${i % 5}` }) });
            if (i % 5 === 2) await one.deploy();
            if (i % 5 === 3) await one.patch(['replace', '/cacheClusterSize', i % 2 ? '0.5' : '1.6']);
            if (i % 5 === 4) await advance(server, 3);
        }
    };
    await Promise.all([...Array.from({ length: 24 }, (_, seed) => client(seed)), disturb()]);
    assert.deepEqual(wrong.slice(0, 5), []);
    assert.ok(good > 200 && left > 10, `${good} good, ${left} left`);
    const { bytes, limit } = await numbers(server, one);
    assert.ok(bytes <= limit, `${bytes} of ${limit}`);
    assert.equal((await get(`${one.url}/plain?q=1`)).json().key, '1');
});
