// Limits of stages, methods and accounts: which bucket says no, and what a redeployment leaves of it.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { api } from './support/apis.mjs';
import { request, start } from './support/harness.mjs';

const limit = (path, rate, burst) => [['replace', `${path}/throttling/rateLimit`, `${rate}`], ['replace', `${path}/throttling/burstLimit`, `${burst}`]];

// Each on a connection of its own, so that all loops take part.
async function served(url, n, headers) {
    const answers = await Promise.all(Array.from({ length: n }, () => request(url, { headers, agent: new http.Agent() })));
    return answers.filter((a) => a.status === 200).length;
}

test('what is set for all methods is the limit of each; its own setting comes in its place', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const one = await api(server, { 'GET /a': {}, 'GET /b': {}, 'GET /own': {}, 'GET /open': {} });
    await one.patch(...limit('/*/*', 0.01, 5));
    await one.patch(...limit('/~1own/GET', 0.01, 8), ...limit('/~1open/GET', -1, -1));
    assert.equal(await served(`${one.url}/a`, 12), 5);
    assert.equal(await served(`${one.url}/b`, 12), 5, 'another method has a bucket of its own');
    assert.equal(await served(`${one.url}/own`, 12), 8);
    assert.equal(await served(`${one.url}/open`, 12), 12, '-1 is no limit');

    const refused = await request(`${one.url}/a`);
    assert.equal(refused.status, 429);
    assert.deepEqual(refused.json(), { message: 'Too Many Requests' });
    assert.equal(refused.headers['x-amzn-errortype'], 'TooManyRequestsException');
    assert.equal(refused.headers['retry-after'], undefined, 'AWS gives none');
    const why = await request(`${server.url}/_gatehouse/why/${refused.headers['x-gatehouse-trace']}`);
    assert.match(JSON.stringify(why.json()), /stage limit: 0.01 a second, burst 5/);
});

test('a redeployment leaves a bucket at the level it had, another limit begins full', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const one = await api(server, { 'GET /a': {} });
    await one.patch(...limit('/~1a/GET', 0.01, 5));
    assert.equal(await served(`${one.url}/a`, 3), 3);
    await one.deploy();
    assert.equal(await served(`${one.url}/a`, 6), 2);
    await one.patch(['replace', '/description', 'changed']);
    assert.equal(await served(`${one.url}/a`, 3), 0);
    await one.patch(...limit('/~1a/GET', 0.01, 4));
    assert.equal(await served(`${one.url}/a`, 6), 4);
});

test('the account\'s limit is over all its APIs, and not over another region\'s', async (t) => {
    const server = await start(t, { args: ['--workers', '2', '--account-rate', '1', '--account-burst', '6'] });
    const [one, two] = [await api(server, { 'GET /': {} }), await api(server, { 'GET /': {} }, { name: 'two' })];
    const got = (await served(one.url, 10)) + (await served(two.url, 10));
    assert.ok(got >= 6 && got <= 8, `${got} of a burst of 6 at 1 a second`);
    const refused = await request(one.url);
    const why = await request(`${server.url}/_gatehouse/why/${refused.headers['x-gatehouse-trace']}`);
    assert.match(JSON.stringify(why.json()), /account limit: 1 a second, burst 6/);
});

test('at most 1 % off, from all loops under load', async (t) => {
    const [rate, burst, seconds] = [120, 40, 4];
    const server = await start(t, { args: ['--workers', '2'] });
    const one = await api(server, { 'GET /a': {} });
    await one.patch(...limit('/~1a/GET', rate, burst));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    let [ok, tries, last, lost] = [0, 0, 0, 0];
    const begun = process.hrtime.bigint();
    const elapsed = () => Number(process.hrtime.bigint() - begun) / 1e9;
    await Promise.all(Array.from({ length: 8 }, async () => {
        while (elapsed() < seconds) {
            const { status } = await request(`${one.url}/a`, { agent });
            tries++;
            ok += status === 200;
            const now = elapsed();
            lost += Math.max(0, now - last - burst / rate) * rate; // while a busy machine stood still, a full bucket ran over
            last = now;
        }
    }));
    const allowed = burst + rate * elapsed();
    agent.destroy();
    assert.ok(tries > allowed * 1.2, `${tries} requests are no load`);
    assert.ok(ok <= allowed * 1.01 && ok >= allowed * 0.99 - 5 - lost, `${ok} of ${allowed.toFixed(1)} were served, ${lost.toFixed(1)} lost`);
});
