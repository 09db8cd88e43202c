// Draft and live: what is not live yet; and a publication that watches its errors and takes itself back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, httpProxy, mock } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { binary, eventually, request, run, start } from './support/harness.mjs';

const diffOf = async (server, made, stage = 'dev') => (await server.fetch(`/_gatehouse/apis/${made.id}/stages/${stage}/diff`)).json();
const setOptions = (server, made, options) => server.fetch(`/_gatehouse/apis/${made.id}/stages/dev/options`, { method: 'PUT', body: JSON.stringify(options) });

test('gatehouse diff: what of the draft is not live yet', async (t) => {
    const server = await start(t);
    const made = await api(server, {
        'GET /pets': { integration: mock }, 'GET /old': { integration: mock }, 'POST /pets': { integration: httpProxy('http://127.0.0.1:1024/a') },
    }, { name: 'shop' });
    const { gateway, id: restApiId, resources } = made;
    const env = { AWS_ENDPOINT_URL: server.url };
    const verb = (...args) => run(binary(), ['diff', ...args], { env });
    const first = (await gateway.getStage({ restApiId, stageName: 'dev' })).deploymentId;
    assert.deepEqual(await diffOf(server, made), { restApiId, stageName: 'dev', deploymentId: first, same: true, differences: [] });
    assert.equal((await verb('shop', 'dev')).code, 0);

    const pets = { restApiId, resourceId: resources.ids['/pets'] };
    await gateway.updateIntegration({ ...pets, httpMethod: 'POST', patchOperations: [{ op: 'replace', path: '/uri', value: 'http://127.0.0.1:1024/b' }] });
    await gateway.updateMethod({ ...pets, httpMethod: 'GET', patchOperations: [{ op: 'add', path: '/requestParameters/method.request.querystring.a_b', value: 'true' }] });
    await gateway.deleteResource({ restApiId, resourceId: resources.ids['/old'] });
    await made.add('GET /new', { integration: mock });
    await gateway.createModel({ restApiId, name: 'Pet', contentType: 'application/json', schema: '{"type":"object"}' });
    await gateway.putGatewayResponse({ restApiId, responseType: 'THROTTLED', statusCode: '420' });
    await gateway.updateRestApi({ restApiId, patchOperations: [{ op: 'add', path: '/binaryMediaTypes/image~1png' }] });
    await gateway.tagResource({ resourceArn: `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`, tags: { a: 'b' } });
    const { same, differences } = await diffOf(server, made);
    assert.equal(same, false);
    const line = (one) => [one.change, one.part, one.name, one.field].filter(Boolean).join(' ');
    assert.deepEqual(differences.map(line).sort(), [
        'added api shop /binaryMediaTypes', 'added gatewayResponse THROTTLED', 'added method GET /new',
        'added method GET /pets /requestParameters', 'added model Pet', 'added resource /new',
        'changed method POST /pets /methodIntegration/uri', 'removed method GET /old', 'removed resource /old',
    ]);
    const uri = differences.find((one) => one.change === 'changed');
    assert.deepEqual([uri.live, uri.draft], ['http://127.0.0.1:1024/a', 'http://127.0.0.1:1024/b']);
    const shown = await verb('shop', 'dev');
    assert.equal(shown.code, 2);
    assert.match(shown.stdout, /^~ method POST \/pets \/methodIntegration\/uri: "http:\/\/127\.0\.0\.1:1024\/a" -> "http:\/\/127\.0\.0\.1:1024\/b"$/m);
    assert.match(shown.stdout, /^\+ resource \/new$/m);
    assert.match(shown.stdout, /^- method GET \/old$/m);
    assert.deepEqual(JSON.parse((await verb('shop', 'dev', '--json')).stdout).differences, differences);

    // As a canary it is live in part: the canary is what the draft says, the stage is not.
    await made.deploy({ canarySettings: { percentTraffic: 10 } });
    const both = await diffOf(server, made);
    assert.equal(both.same, false);
    assert.equal(both.canary.same, true);
    assert.match((await verb('shop', 'dev')).stdout, /The canary's deployment \w+ is what the draft says/);

    // Deleted and made again alike, under another id: nothing differs.
    await made.patch(['remove', '/canarySettings']);
    await made.deploy();
    await gateway.deleteResource({ restApiId, resourceId: resources.ids['/new'] });
    delete resources.ids['/new'];
    await made.add('GET /new', { integration: mock });
    assert.equal((await diffOf(server, made)).same, true);

    assert.equal((await server.fetch(`/_gatehouse/apis/${restApiId}/stages/none/diff`)).status, 404);
    assert.equal((await server.fetch(`/_gatehouse/apis/none/stages/dev/diff`)).status, 404);
    assert.equal((await verb('shop', 'none')).code, 1);
});

// An API in front of a backend that can be told to fail by path: /good always answers, /bad when told.
async function watched(t, options) {
    const server = await start(t);
    const state = { broken: false };
    const backend = await recordingBackend(t, (seen) => ({ status: state.broken && seen.url === '/bad' ? 503 : 200, body: '{}' }));
    const made = await api(server, { 'GET /a': { integration: httpProxy(`${backend.url}/good`) } }, { name: 'shop' });
    await setOptions(server, made, options);
    const uri = (to) => made.gateway.updateIntegration({
        restApiId: made.id, resourceId: made.resources.ids['/a'], httpMethod: 'GET', patchOperations: [{ op: 'replace', path: '/uri', value: backend.url + to }],
    });
    const stage = () => made.gateway.getStage({ restApiId: made.id, stageName: 'dev' });
    const call = async () => (await request(`${made.url}/a`)).status;
    const calls = async (n) => {
        const all = [];
        for (let i = 0; i < n; i++) all.push(await call());
        return all;
    };
    const metric = async () => Number(/taken_back_total (\d+)/.exec(await (await server.fetch('/_gatehouse/metrics')).text())[1]);
    return { server, state, made, uri, stage, call, calls, metric };
}

test('a deployment that fails is taken back to the one before it', async (t) => {
    const { server, state, made, uri, stage, call, calls, metric } = await watched(t, { watchWindowSeconds: 600, watchErrorPercent: 50, watchMinRequests: 10 });
    const first = (await stage()).deploymentId;
    await uri('/bad');
    const { id: second } = await made.deploy();
    assert.equal((await diffOf(server, made)).watch.previousDeploymentId, first);
    assert.deepEqual(await calls(10), Array(10).fill(200));
    state.broken = true;
    assert.deepEqual(await calls(10), Array(10).fill(503), 'ten of twenty are not more than half');
    assert.equal((await stage()).deploymentId, second);
    assert.equal(await call(), 503);
    await eventually('the stage serves the first deployment', async () => (await stage()).deploymentId === first);
    await eventually('it is live', async () => (await call()) === 200);
    await eventually('it is counted', async () => (await metric()) === 1);
    const { takenBack, watch } = await diffOf(server, made);
    assert.deepEqual([takenBack.deploymentId, takenBack.requests, takenBack.errors, watch], [second, 21, 11, undefined]);
    assert.match(server.log(), new RegExp(`"deployment taken back".*"deployment":"${second}","requests":"21","errors":"11"`));
    assert.match((await run(binary(), ['diff', 'shop', 'dev'], { env: { AWS_ENDPOINT_URL: server.url } })).stdout, /was taken back: 11 of 21 requests failed/);
    await server.restart();
    assert.equal(await call(), 200);
    assert.equal((await stage()).deploymentId, first);
});

test('a watch ends with its window, survives a restart, and leaves a rollback by hand alone', async (t) => {
    const { server, state, made, uri, stage, calls, metric } = await watched(t, { watchWindowSeconds: 600, watchErrorPercent: 0, watchMinRequests: 1 });
    await uri('/bad');
    const { id: second } = await made.deploy();
    await server.fetch('/_gatehouse/clock', { method: 'POST', body: '{"advance_s":601}' });
    state.broken = true;
    assert.deepEqual(await calls(5), Array(5).fill(503), 'nobody watches any more');
    assert.equal((await stage()).deploymentId, second);
    assert.equal(await metric(), 0);
    assert.equal((await diffOf(server, made)).watch, undefined);

    const { id: third } = await made.deploy();
    await made.patch(['replace', '/deploymentId', second]);
    assert.deepEqual(await calls(5), Array(5).fill(503), 'gone back by hand: that is no new deployment');
    assert.equal((await stage()).deploymentId, second);

    // Deployed again; the watch is in the store, so that a killed process goes on with it.
    await made.patch(['replace', '/deploymentId', third]);
    await server.restart();
    assert.deepEqual(await calls(1), [503]);
    await eventually('taken back after a restart', async () => (await stage()).deploymentId === second);
    await eventually('and counted', async () => (await metric()) === 1);
});

test('a canary that fails is taken back alone; without the option nothing is', async (t) => {
    const { server, state, made, uri, stage, call, calls, metric } = await watched(t, {});
    const first = (await stage()).deploymentId;
    state.broken = true;
    await uri('/bad');
    const { id: second } = await made.deploy();
    assert.deepEqual(await calls(30), Array(30).fill(503));
    assert.equal((await stage()).deploymentId, second, 'off unless asked for');
    await made.patch(['replace', '/deploymentId', first]);
    await setOptions(server, made, { watchWindowSeconds: 60, watchMinRequests: 5 });
    await made.deploy({ canarySettings: { percentTraffic: 100 } });
    assert.deepEqual(await calls(5), Array(5).fill(503));
    await eventually('the canary is gone', async () => (await stage()).canarySettings === undefined);
    assert.equal((await stage()).deploymentId, first);
    await eventually('it is live', async () => (await call()) === 200);
    assert.equal(await metric(), 1);

    // What it was before comes back when there was one before.
    await uri('/good');
    const { id: good } = await made.deploy({ canarySettings: { percentTraffic: 100 } });
    assert.deepEqual(await calls(20), Array(20).fill(200));
    await uri('/bad');
    await made.deploy({ canarySettings: { percentTraffic: 50 } });
    for (let i = 0; i < 100 && (await stage()).canarySettings?.deploymentId !== good; i++) await call();
    assert.deepEqual((await stage()).canarySettings, { deploymentId: good, percentTraffic: 100, useStageCache: false });
});

test('a deployment whose predecessor is gone stays, and says so', async (t) => {
    const { server, state, made, uri, stage, calls } = await watched(t, { watchWindowSeconds: 60, watchMinRequests: 1 });
    const first = (await stage()).deploymentId;
    await uri('/bad');
    const { id: second } = await made.deploy();
    await made.gateway.deleteDeployment({ restApiId: made.id, deploymentId: first });
    state.broken = true;
    assert.deepEqual(await calls(3), Array(3).fill(503));
    await eventually('the log says it', () => server.log().includes('deployment cannot be taken back'));
    assert.equal((await stage()).deploymentId, second);
});
