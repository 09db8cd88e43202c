// Canary releases: how a stage says them, who is sent to them, how they are promoted and taken away.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { api, mock } from './support/apis.mjs';
import { eventually, request, start } from './support/harness.mjs';

const says = (message) => ({
    200: { responseTemplates: { 'application/json': JSON.stringify({ message, variable: '$stageVariables.testVar', added: '$stageVariables.noStageVar', kept: '$stageVariables.defaultVar', canary: '$context.isCanaryRequest', deployment: '$context.deploymentId' }) } },
});

async function refused(promise, message) {
    const error = await promise.then(() => assert.fail(`expected: ${message}`), (e) => e);
    assert.equal(error.name, 'BadRequestException', error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
}

// An API whose draft has moved on by one answer since it was deployed.
async function twice(server, variables) {
    const made = await api(server, { 'GET /a': { integration: mock, answers: says('first') } }, { variables });
    const at = { restApiId: made.id, resourceId: made.resources.ids['/a'], httpMethod: 'GET', statusCode: '200' };
    await made.gateway.putIntegrationResponse({ ...at, ...says('second')[200] });
    const stage = () => made.gateway.getStage({ restApiId: made.id, stageName: 'dev' });
    const call = async () => (await request(`${made.url}/a`)).json();
    return { ...made, stageDoc: stage, call };
}

test('a stage with a canary, said at once or bit by bit [as recorded]', async (t) => {
    const server = await start(t);
    const made = await api(server, {}, {});
    const { gateway, id: restApiId } = made;
    await made.add('GET /', { integration: mock });
    const one = await gateway.createDeployment({ restApiId }), two = await gateway.createDeployment({ restApiId });
    const stage = await gateway.createStage({
        restApiId, stageName: 'dev', deploymentId: one.id, variables: { testVar: 'default' },
        canarySettings: { deploymentId: two.id, percentTraffic: 50, stageVariableOverrides: { testVar: 'canary' } },
    });
    assert.deepEqual(stage.canarySettings, { deploymentId: two.id, percentTraffic: 50, stageVariableOverrides: { testVar: 'canary' }, useStageCache: false });
    const patch = async (...operations) => (await made.patch(...operations)).canarySettings;
    const kept = { deploymentId: two.id, percentTraffic: 50, useStageCache: false };
    assert.deepEqual(await patch(['replace', '/canarySettings/stageVariableOverrides/testVar', 'updated']), { ...kept, stageVariableOverrides: { testVar: 'updated' } });
    assert.deepEqual(await patch(['replace', '/canarySettings/stageVariableOverrides/b', 'B']), { ...kept, stageVariableOverrides: { testVar: 'updated', b: 'B' } });
    assert.deepEqual(await patch(['remove', '/canarySettings/stageVariableOverrides/testVar']), { ...kept, stageVariableOverrides: { b: 'B' } });
    assert.deepEqual(await patch(['replace', '/canarySettings/stageVariableOverrides', '{"c":"C"}']), { ...kept, stageVariableOverrides: { c: 'C' } });
    assert.deepEqual(await patch(['remove', '/canarySettings/stageVariableOverrides/c']), kept);
    assert.deepEqual(await patch(['replace', '/canarySettings/useStageCache', 'true']), { ...kept, useStageCache: true });
    assert.equal(await patch(['remove', '/canarySettings']), undefined);
    assert.deepEqual(await patch(['replace', '/canarySettings/deploymentId', two.id]), { deploymentId: two.id, percentTraffic: 0, useStageCache: false });
    await patch(['remove', '/canarySettings']);
    assert.deepEqual(await patch(['replace', '/canarySettings/percentTraffic', '12.5']), { deploymentId: one.id, percentTraffic: 12.5, useStageCache: false });

    await refused(made.patch(['replace', '/canarySettings/deploymentId', 'nope']), 'Deployment id does not exist');
    await refused(made.patch(['add', '/canarySettings/deploymentId', two.id]), 'Invalid add operation with path: /canarySettings/deploymentId');
    await refused(made.patch(['remove', '/canarySettings/stageVariableOverrides']), 'Cannot remove method setting canarySettings/stageVariableOverrides because there is no method setting for this method ');
    await refused(made.patch(['remove', '/canarySettings/badPath']), 'Cannot remove method setting canarySettings/badPath because there is no method setting for this method ');
    await refused(made.patch(['replace', '/canarySettings/badPath', 'x']), /^Invalid method setting path: \/canarySettings\/badPath\. Must be one of: \[\/deploymentId, /);
    await refused(made.patch(['replace', '/canarySettings', 'x']), /^Invalid method setting path: \/canarySettings\. Must be one of: \[\/deploymentId, /);
    for (const wrong of ['101', '-1', 'x', '', 'nan', '0x10p', 'inf']) await refused(made.patch(['replace', '/canarySettings/percentTraffic', wrong]), /^Invalid canary percentTraffic/);
    for (const wrong of ['x', '[]', '{"a":1}']) await refused(made.patch(['replace', '/canarySettings/stageVariableOverrides', wrong]), /JSON object of strings/);
    await refused(made.patch(['replace', '/canarySettings/stageVariableOverrides/a', 'x\r\ny']), /^Invalid stage variable value of key a\. /);
    await refused(made.patch(['replace', '/canarySettings/stageVariableOverrides/a-b', 'x']), /^Invalid stage variable name: a-b\./);
    await refused(gateway.createStage({ restApiId, stageName: 'dev2', deploymentId: one.id, canarySettings: { deploymentId: 'nope' } }), 'Deployment id does not exist');
    await refused(gateway.createStage({ restApiId, stageName: 'dev2', deploymentId: one.id, canarySettings: { deploymentId: two.id, percentTraffic: 100.5 } }), /percentTraffic/);
    await refused(gateway.deleteDeployment({ restApiId, deploymentId: one.id }), 'Active stages pointing to this deployment must be moved or deleted');
});

test('a canary deployment needs a stage, and a stage with one takes no other [as recorded]', async (t) => {
    const server = await start(t);
    const made = await twice(server, { testVar: 'default' });
    const first = (await made.stageDoc()).deploymentId;
    const canarySettings = { percentTraffic: 50, stageVariableOverrides: { testVar: 'canary' } };
    const deploy = (more) => made.gateway.createDeployment({ restApiId: made.id, ...more });
    const wants = 'Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is ';
    await refused(deploy({ canarySettings }), `${wants}null`);
    await refused(deploy({ canarySettings, stageName: '' }), wants);
    await refused(deploy({ canarySettings, stageName: 'non-existing' }), 'Invalid deployment content specified.Stage non-existing must already be created before making a canary release deployment');
    const second = (await deploy({ canarySettings, stageName: 'dev' })).id;
    let stage = await made.stageDoc();
    assert.equal(stage.deploymentId, first);
    assert.deepEqual(stage.canarySettings, { deploymentId: second, percentTraffic: 50, stageVariableOverrides: { testVar: 'canary' }, useStageCache: false });
    await refused(deploy({ stageName: 'dev' }), 'Invalid deployment content specified.Non canary deployment not supported on stage dev because Canary is enabled. Provide CanarySettings in deploymentInput.');
    await refused(made.gateway.deleteDeployment({ restApiId: made.id, deploymentId: second }), 'Active stages pointing to this deployment must be moved or deleted');
    const third = (await deploy({ canarySettings: { percentTraffic: 10 }, stageName: 'dev' })).id;
    stage = await made.stageDoc();
    assert.deepEqual(stage.canarySettings, { deploymentId: third, percentTraffic: 10, stageVariableOverrides: { testVar: 'canary' }, useStageCache: false });
    await made.gateway.deleteDeployment({ restApiId: made.id, deploymentId: second });
    // What cannot be served is refused as a canary, too, and nothing of it is kept.
    await made.add('GET /private', { integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: 'http://${stageVariables.testVar}:bad/' } });
    await refused(deploy({ canarySettings, stageName: 'dev' }), /^canary: GET \/private: /);
    assert.deepEqual((await made.stageDoc()).canarySettings, stage.canarySettings);
});

test('variables, $context.isCanaryRequest and promotion [as recorded]', async (t) => {
    const server = await start(t);
    const made = await twice(server, { testVar: 'default', defaultVar: 'default' });
    const first = (await made.stageDoc()).deploymentId;
    assert.deepEqual(await made.call(), { message: 'first', variable: 'default', added: '', kept: 'default', canary: '', deployment: first });
    const { id: second } = await made.deploy({ canarySettings: { percentTraffic: 0, stageVariableOverrides: { testVar: 'canary', noStageVar: 'canary' } } });
    for (let i = 0; i < 50; i++) assert.deepEqual(await made.call(), { message: 'first', variable: 'default', added: '', kept: 'default', canary: 'false', deployment: first });
    await made.patch(['replace', '/canarySettings/percentTraffic', '100.0']);
    for (let i = 0; i < 50; i++) assert.deepEqual(await made.call(), { message: 'second', variable: 'canary', added: 'canary', kept: 'default', canary: 'true', deployment: second });
    await server.restart();
    assert.equal((await made.call()).canary, 'true');

    const copy = (from, path) => made.gateway.updateStage({ restApiId: made.id, stageName: 'dev', patchOperations: [{ op: 'copy', from, path }] });
    const pair = (path, from) => `Invalid copy operation with path: ${path} and from ${from}. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]`;
    await refused(copy('/variables', '/canarySettings/stageVariableOverrides'), pair('/canarySettings/stageVariableOverrides', '/variables'));
    await refused(copy('/canarySettings/stageVariableOverrides', '/deploymentId'), pair('/deploymentId', '/canarySettings/stageVariableOverrides'));
    const promoted = await made.gateway.updateStage({
        restApiId: made.id, stageName: 'dev',
        patchOperations: [
            { op: 'replace', path: '/canarySettings/percentTraffic', value: '0.0' },
            { op: 'copy', from: '/canarySettings/deploymentId', path: '/deploymentId' },
            { op: 'copy', from: '/canarySettings/stageVariableOverrides', path: '/variables' },
        ],
    });
    assert.equal(promoted.deploymentId, second);
    assert.deepEqual(promoted.variables, { testVar: 'canary', noStageVar: 'canary', defaultVar: 'default' });
    assert.deepEqual(promoted.canarySettings, { deploymentId: second, percentTraffic: 0, useStageCache: false, stageVariableOverrides: { testVar: 'canary', noStageVar: 'canary' } });
    assert.deepEqual(await made.call(), { message: 'second', variable: 'canary', added: 'canary', kept: 'default', canary: 'false', deployment: second });
    await made.patch(['remove', '/canarySettings']);
    assert.equal((await made.call()).canary, '');
    await refused(copy('/canarySettings/deploymentId', '/deploymentId'), 'Promotion not available. Canary does not exist.');
    await refused(copy('/canarySettings/stageVariableOverrides', '/variables'), 'Promotion not available. Canary does not exist.');

    // Rollback: the stage is moved to what it served before.
    await made.patch(['replace', '/deploymentId', first]);
    assert.equal((await made.call()).message, 'first');
});

test('requests are split at random by the percentage; logs are apart', async (t) => {
    const server = await start(t);
    const made = await twice(server);
    await made.patch(['add', '/accessLogSettings/destinationArn', 'arn:aws:logs:us-east-1:000000000000:log-group:shop'], ['add', '/accessLogSettings/format', '$context.requestId $context.isCanaryRequest']);
    await made.deploy({ canarySettings: { percentTraffic: 25 } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    t.after(() => agent.destroy());
    const asked = 4000;
    const seen = { first: 0, second: 0 };
    let runs = 1, last;
    await Promise.all(Array.from({ length: 16 }, async () => {
        for (let i = 0; i < asked / 16; i++) {
            const { message } = (await request(`${made.url}/a`, { agent })).json();
            seen[message]++;
            if (message !== last) runs++;
            last = message;
        }
    }));
    assert.equal(seen.first + seen.second, asked);
    // Five standard deviations of a fair draw: a right gateway fails this once in 1.7 million runs.
    const spread = 5 * Math.sqrt(asked * 0.25 * 0.75);
    assert.ok(Math.abs(seen.second - asked * 0.25) < spread, `${seen.second} of ${asked} went to the canary`);
    // … and at random, not in turns: 2pq of all neighbours differ (every fourth would give one half).
    assert.ok(Math.abs(runs - asked * 2 * 0.25 * 0.75) < 0.05 * asked, `${runs} runs`);
    const lines = () => server.log().split('\n').filter((line) => line.includes('"msg":"access"'));
    await eventually('all access log lines', () => lines().length === asked);
    assert.equal(lines().filter((line) => line.includes('"canary":"true"')).length, seen.second);
    assert.ok(lines().every((line) => line.includes('"canary":"true"') === / true"\}$/.test(line)));
});

test('one throttle for stage and canary', async (t) => {
    const server = await start(t);
    const made = await twice(server);
    await made.deploy({ canarySettings: { percentTraffic: 50 } });
    await made.patch(['replace', '/a/GET/throttling/burstLimit', '5'], ['replace', '/a/GET/throttling/rateLimit', '0.001']);
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push((await request(`${made.url}/a`)).status);
    assert.equal(answers.filter((status) => status === 200).length, 5);
    assert.equal(answers.filter((status) => status === 429).length, 35);
});
