// What usage plans allow: limits of clients, quotas by day, week and month, and what GetUsage says of them.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { api, control } from './support/apis.mjs';
import { request, start } from './support/harness.mjs';

const keyed = { method: { apiKeyRequired: true } };
const value = (n) => `value-of-a-key-${String(n).padStart(20, '0')}`;
const call = (one, key, path = '/a') => request(`${one.url}${path}`, { headers: { 'x-api-key': key }, agent: new http.Agent() });
const calls = (one, key, n, path) => Promise.all(Array.from({ length: n }, () => call(one, key, path)));
const served = async (one, key, n, path) => (await calls(one, key, n, path)).filter((a) => a.status === 200).length;
const clock = async (server, body) => (await (await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).json()).time.slice(0, 10);
const why = async (server, answer) => (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).text;
const patches = (operations) => operations.map(([op, path, v]) => ({ op, path, value: v }));

async function world(t, { workers = 2, plan = {}, routes = { 'GET /a': keyed, 'GET /b': keyed }, keys = 1, data, args = [] } = {}) {
    const server = await start(t, { args: ['--workers', `${workers}`, ...args], data });
    const gateway = control(server);
    const one = await api(server, routes);
    const { id: usagePlanId } = await gateway.createUsagePlan({ name: 'plan', apiStages: [{ apiId: one.id, stage: 'dev', throttle: plan.methods }], throttle: plan.throttle, quota: plan.quota });
    const ids = [];
    for (let n = 1; n <= keys; n++) {
        const { id } = await gateway.createApiKey({ name: `client-${n}`, value: value(n), enabled: true });
        await gateway.createUsagePlanKey({ usagePlanId, keyId: id, keyType: 'API_KEY' });
        ids.push(id);
    }
    const usage = async (startDate, endDate = startDate, more) => (await gateway.getUsage({ usagePlanId, startDate, endDate, ...more })).items;
    return { server, gateway, one, usagePlanId, ids, usage };
}

test('limits of clients', async (t) => {
    const { server, gateway, one, usagePlanId } = await world(t, { keys: 3, plan: { throttle: { rateLimit: 0.01, burstLimit: 6 } } });
    await t.test('each key has its own, over all loops and all methods', async () => {
        assert.equal(await served(one, value(1), 12), 6);
        assert.equal(await served(one, value(1), 3, '/b'), 0);
        assert.equal(await served(one, value(2), 12, '/b'), 6);
    });
    await t.test('429 as AWS says it, and which limit it was', async () => {
        const answer = await call(one, value(1));
        assert.deepEqual([answer.status, answer.json(), answer.headers['x-amzn-errortype']], [429, { message: 'Too Many Requests' }, 'TooManyRequestsException']);
        assert.match(await why(server, answer), /usage plan's limit: 0.01 a second, burst 6/);
    });
    await t.test('a redeployment and a change of something else leave the levels', async () => {
        await one.deploy();
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['replace', '/description', 'x']]) });
        assert.equal(await served(one, value(1), 3), 0);
        assert.equal(await served(one, value(3), 3), 3);
    });
    await t.test('a method\'s limit in the plan comes first, for each client', async () => {
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([
            ['replace', '/throttle/burstLimit', '100'], ['add', `/apiStages/${one.id}:dev/throttle/~1a/GET/rateLimit`, '0.01'], ['add', `/apiStages/${one.id}:dev/throttle/~1a/GET/burstLimit`, '2'],
        ]) });
        assert.equal(await served(one, value(1), 6), 2);
        assert.equal(await served(one, value(2), 6), 2);
        assert.equal(await served(one, value(1), 6, '/b'), 6);
        assert.match(await why(server, await call(one, value(1))), /usage plan's method limit: 0.01 a second, burst 2/);
    });
    await t.test('then the stage\'s; what is refused later costs the earlier ones nothing', async () => {
        await one.patch(['replace', '/~1b/GET/throttling/rateLimit', '0.01'], ['replace', '/~1b/GET/throttling/burstLimit', '1']);
        assert.equal(await served(one, value(3), 50, '/b'), 1);
        assert.match(await why(server, await call(one, value(3), '/b')), /method limit: 0.01 a second, burst 1/);
        await one.patch(['replace', '/~1b/GET/throttling/burstLimit', '200']);
        assert.ok((await served(one, value(3), 120, '/b')) >= 96, 'its 100 were not spent');
    });
    await t.test('0 is nothing at all', async () => {
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['replace', '/throttle/rateLimit', '0']]) });
        assert.equal(await served(one, value(1), 3, '/b'), 0);
    });
});

test('the plan\'s limit is over all its stages', async (t) => {
    const { gateway, one, usagePlanId } = await world(t, { plan: { throttle: { rateLimit: 0.01, burstLimit: 4 } } });
    await gateway.createDeployment({ restApiId: one.id, stageName: 'two' });
    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['add', '/apiStages', `${one.id}:two`]]) });
    const two = { ...one, url: one.url.replace(/dev$/, 'two') };
    assert.equal((await served(one, value(1), 3)) + (await served(two, value(1), 3)), 4);
});

test('a quota by the day', async (t) => {
    const { server, gateway, one, usagePlanId, ids, usage } = await world(t, { keys: 2, plan: { quota: { limit: 40, period: 'DAY' } } });
    let day = await clock(server, { at: '2027-03-01T12:00:00Z' });
    await t.test('exactly as many as it says, over all loops', async () => {
        assert.equal(await served(one, value(1), 60), 40);
        const answer = await call(one, value(1));
        assert.deepEqual([answer.status, answer.json(), answer.headers['x-amzn-errortype']], [429, { message: 'Limit Exceeded' }, 'LimitExceededException']);
        assert.match(await why(server, answer), new RegExp(`of key ${ids[0]} in usage plan ${usagePlanId}: 40 a day`));
        assert.equal(await served(one, value(2), 3), 3, 'the other key has its own');
    });
    await t.test('GetUsage says what was served', async () => {
        assert.deepEqual(await usage(day), { [ids[0]]: [[40, 0]], [ids[1]]: [[3, 37]] });
        assert.deepEqual(await usage(day, day, { keyId: ids[1] }), { [ids[1]]: [[3, 37]] });
    });
    await t.test('UpdateUsage grants more, or less', async () => {
        const remaining = (v) => gateway.updateUsage({ usagePlanId, keyId: ids[0], patchOperations: patches([['replace', '/remaining', v]]) });
        assert.deepEqual((await remaining('5')).items, { [ids[0]]: [[40, 5]] });
        assert.equal(await served(one, value(1), 9), 5);
        assert.deepEqual(await usage(day, day, { keyId: ids[0] }), { [ids[0]]: [[45, 0]] });
        for (const bad of ['-1', 'many', '', '1.5']) await assert.rejects(remaining(bad), { name: 'BadRequestException' }, bad);
        const path = (op, at) => gateway.updateUsage({ usagePlanId, keyId: ids[0], patchOperations: patches([[op, at, '1']]) });
        await assert.rejects(path('add', '/remaining'), { name: 'BadRequestException', message: "Invalid patch path  '/remaining' specified for op 'add'. Must be one of: []" });
        await assert.rejects(path('replace', '/quota/limit'), { name: 'BadRequestException' });
        await assert.rejects(gateway.updateUsage({ usagePlanId, keyId: 'nothing', patchOperations: [] }), { name: 'NotFoundException' });
    });
    await t.test('another limit counts at once', async () => {
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['replace', '/quota/limit', '42']]) });
        assert.equal(await served(one, value(1), 5), 2);
        assert.deepEqual((await usage(day, day, { keyId: ids[1] }))[ids[1]], [[3, 39]]);
    });
    await t.test('what is throttled counts for no quota', async () => {
        await one.patch(['replace', '/~1a/GET/throttling/rateLimit', '0.01'], ['replace', '/~1a/GET/throttling/burstLimit', '1']);
        assert.equal(await served(one, value(2), 8), 1);
        assert.deepEqual((await usage(day, day, { keyId: ids[1] }))[ids[1]], [[4, 38]]);
        await one.patch(['replace', '/~1a/GET/throttling/burstLimit', '-1']);
    });
    await t.test('the next day, in UTC, all of it is there again', async () => {
        await clock(server, { at: '2027-03-01T23:59:50Z' });
        assert.equal(await served(one, value(1), 2), 0);
        const next = await clock(server, { at: '2027-03-02T00:00:01Z' });
        assert.equal(await served(one, value(1), 50), 42);
        assert.deepEqual((await usage(day, next, { keyId: ids[0] }))[ids[0]], [[47, 0], [42, 0]]);
        assert.deepEqual((await usage('2027-02-27', '2027-03-03', { keyId: ids[1] }))[ids[1]], [[0, 42], [0, 42], [4, 38], [0, 42], [0, 42]]);
    });
    await t.test('dates that are none', async () => {
        for (const [from, to] of [['2027-03-02', '2027-03-01'], ['yesterday', day], [day, '2027-13-01'], ['2020-01-01', '2027-01-01'], ['2027-3-1', day]])
            await assert.rejects(usage(from, to), { name: 'BadRequestException' }, `${from} ${to}`);
        await assert.rejects(gateway.getUsage({ usagePlanId: 'nothing', startDate: day, endDate: day }), { name: 'NotFoundException' });
    });
    await t.test('pages of keys', async () => {
        const first = await gateway.getUsage({ usagePlanId, startDate: day, endDate: day, limit: 1 });
        const second = await gateway.getUsage({ usagePlanId, startDate: day, endDate: day, limit: 1, position: first.position });
        assert.deepEqual([Object.keys(first.items), Object.keys(second.items), second.position], [[ids[0]], [ids[1]], undefined]);
        assert.deepEqual([first.usagePlanId, first.startDate, first.endDate], [usagePlanId, day, day]);
    });
});

test('quotas by the week and the month, and what the first period is short of', async (t) => {
    const { server, gateway, one, usagePlanId, ids, usage } = await world(t, { plan: { quota: { limit: 10, period: 'WEEK', offset: 4 } } });
    const key = { keyId: ids[0] };
    await clock(server, { at: '2027-03-03T10:00:00Z' }); // a Wednesday
    assert.deepEqual((await usage('2027-03-03', '2027-03-03', key))[ids[0]], [[0, 6]], 'the offset is taken off before the first request');
    assert.equal(await served(one, value(1), 9), 6);
    await clock(server, { at: '2027-03-06T23:59:00Z' }); // Saturday
    assert.equal(await served(one, value(1), 2), 0);
    await clock(server, { at: '2027-03-07T00:00:10Z' }); // Sunday
    assert.equal(await served(one, value(1), 7), 7);
    await clock(server, { at: '2027-03-10T00:00:10Z' });
    assert.equal(await served(one, value(1), 7), 3);
    assert.deepEqual((await usage('2027-03-03', '2027-03-10', key))[ids[0]], [[6, 0], [0, 0], [0, 0], [0, 0], [7, 3], [0, 3], [0, 3], [3, 0]]);

    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['replace', '/quota/period', 'MONTH']]) });
    assert.equal(await served(one, value(1), 12), 10, 'another period begins afresh');
    await clock(server, { at: '2027-03-31T23:59:00Z' });
    assert.equal(await served(one, value(1), 2), 0);
    await clock(server, { at: '2027-04-01T00:00:00Z' });
    assert.equal(await served(one, value(1), 12), 10);

    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['remove', '/quota']]) });
    assert.equal(await served(one, value(1), 12), 12);
    assert.deepEqual((await usage('2027-04-01', '2027-04-01', key))[ids[0]], [[22, -1]], 'without a quota there is no remainder');
    await assert.rejects(gateway.updateUsage({ usagePlanId, keyId: ids[0], patchOperations: patches([['replace', '/remaining', '5']]) }), { name: 'BadRequestException' });
});

test('a quota of nothing, and one of many, taken by all loops at once', async (t) => {
    const { server, gateway, one, usagePlanId, ids, usage } = await world(t, { plan: { quota: { limit: 0, period: 'DAY' } } });
    assert.equal(await served(one, value(1), 3), 0);
    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['replace', '/quota/limit', '1000']]) });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    let ok = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
        for (let n = 0; n < 80; n++) {
            const { status } = await request(`${one.url}/a`, { headers: { 'x-api-key': value(1) }, agent });
            ok += status === 200;
        }
    }));
    agent.destroy();
    assert.equal(ok, 1000);
    const day = await clock(server, {});
    assert.deepEqual(await usage(day), { [ids[0]]: [[1000, 0]] });
});

test('a stop and a start lose nothing', async (t) => {
    const { server, gateway, one, usagePlanId, ids, usage } = await world(t, { plan: { quota: { limit: 100, period: 'MONTH' }, throttle: { rateLimit: 1000, burstLimit: 1000 } } });
    const day = await clock(server, {});
    assert.equal(await served(one, value(1), 30), 30);
    await server.restart('SIGTERM');
    assert.deepEqual(await usage(day), { [ids[0]]: [[30, 70]] });
    assert.equal(await served(one, value(1), 80), 70);
    await server.restart('SIGTERM');
    assert.equal(await served(one, value(1), 3), 0);
    assert.deepEqual(await usage(day), { [ids[0]]: [[100, 0]] });
    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['remove', '/apiStages', `${one.id}:dev`]]) });
    await server.restart('SIGTERM');
    assert.equal((await call(one, value(1))).status, 403);
});

test('a kill forgets no request that was served: the quota is never exceeded', async (t) => {
    const limit = 320; // portions of 10
    const { server, one, ids, usage } = await world(t, { plan: { quota: { limit, period: 'MONTH' } } });
    const day = await clock(server, {});
    let ok = 0;
    for (const n of [25, 60, 1, 90]) {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        let killed;
        const before = ok;
        await Promise.all(Array.from({ length: 8 }, async () => {
            while (!killed && ok - before < n) {
                const answer = await request(`${one.url}/a`, { headers: { 'x-api-key': value(1) }, agent }).catch(() => ({}));
                ok += answer.status === 200;
                if (ok - before >= n) killed ??= server.kill9();
            }
        }));
        agent.destroy();
        await killed;
        await server.launch();
    }
    const left = await served(one, value(1), limit);
    assert.ok(ok + left <= limit, `${ok} + ${left} of ${limit}`);
    assert.ok(ok + left >= limit - 4 * (10 + 8), `${ok} + ${left}: a kill costs a portion at most, and what was on its way`);
    assert.equal((await usage(day))[ids[0]][0][1], 0);
});

test('option rateLimitHeaders', async (t) => {
    const { server, gateway, one, usagePlanId } = await world(t, { workers: 1, plan: { throttle: { rateLimit: 0.1, burstLimit: 5 }, quota: { limit: 4, period: 'DAY' } }, routes: { 'GET /a': keyed, 'GET /open': {} } });
    await clock(server, { at: '2027-03-01T23:00:00Z' });
    const options = (set) => server.fetch(`/_gatehouse/apis/${one.id}/stages/dev/options`, { method: 'PUT', body: JSON.stringify(set) });
    const headers = (answer) => ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after'].map((name) => answer.headers[name]);
    assert.deepEqual(headers(await call(one, value(1))), [undefined, undefined, undefined, undefined], 'off unless asked for');
    assert.equal((await options({ rateLimitHeaders: 'maybe' })).status, 400);
    assert.equal((await options({ rateLimitHeaders: 'draft' })).status, 200);
    assert.deepEqual(headers(await call(one, value(1))), ['4', '2', '3600', undefined], 'the quota is nearer than the bucket');
    await served(one, value(1), 2);
    const refused = await call(one, value(1));
    assert.deepEqual([refused.status, ...headers(refused)], [429, '4', '0', '3600', '3600']);
    assert.match(refused.headers['access-control-expose-headers'], /RateLimit-Remaining/);
    await gateway.updateUsagePlan({ usagePlanId, patchOperations: patches([['remove', '/quota']]) });
    const last = await call(one, value(1));
    assert.deepEqual([last.status, last.headers['ratelimit-limit'], last.headers['ratelimit-remaining']], [200, '5', '0']);
    const throttled = await call(one, value(1));
    assert.equal(throttled.status, 429);
    assert.deepEqual(headers(throttled).slice(0, 2), ['5', '0']);
    assert.ok(Number(throttled.headers['retry-after']) >= 1 && Number(throttled.headers['retry-after']) <= 10, throttled.headers['retry-after']);
    assert.ok(Number(throttled.headers['ratelimit-reset']) > 40, throttled.headers['ratelimit-reset']);
    assert.deepEqual(headers(await request(`${one.url}/open`)), [undefined, undefined, undefined, undefined], 'no limit, nothing to say');
});
