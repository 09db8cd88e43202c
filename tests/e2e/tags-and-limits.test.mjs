// Tags of everything that can have them; and AWS's numbers of things, with --limits aws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api as makeApi, control, mock } from './support/apis.mjs';
import { region, start } from './support/harness.mjs';

const arn = (path) => `arn:aws:apigateway:${region}::${path}`;
const many = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
const elb = 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/x/0123456789abcdef';

async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}`), (e) => e);
    assert.equal(error.name, name, error.message);
    assert.match(error.message, message);
}

test('tags: in create, added, read, taken away; fifty, of a form', async (t) => {
    const server = await start(t);
    const api = control(server);
    const made = await makeApi(server, { 'GET /a': { integration: mock } });
    const { deploymentId } = await api.getStage({ restApiId: made.id, stageName: 'dev' });
    let n = 0;
    const kinds = {
        RestApi: async (tags) => `/restapis/${(await api.createRestApi({ name: `api${n++}`, tags })).id}`,
        Stage: async (tags) => `/restapis/${made.id}/stages/${(await api.createStage({ restApiId: made.id, stageName: `s${n++}`, deploymentId, tags })).stageName}`,
        VpcLink: async (tags) => `/vpclinks/${(await api.createVpcLink({ name: `l${n++}`, targetArns: [elb], tags })).id}`,
        ApiKey: async (tags) => `/apikeys/${(await api.createApiKey({ name: `k${n++}`, tags })).id}`,
        UsagePlan: async (tags) => `/usageplans/${(await api.createUsagePlan({ name: `p${n++}`, tags })).id}`,
    };
    const wrong = [
        [many(51), 'LimitExceededException', /50 tags/],
        [{ 'aws:a': 'b' }, 'BadRequestException', /must not start with aws:/],
        [{ AWS: 'fine', 'Aws:a': 'b' }, 'BadRequestException', /must not start with aws:/],
        [{ ['k'.repeat(129)]: 'v' }, 'BadRequestException', /1 to 128/],
        [{ k: 'v'.repeat(257) }, 'BadRequestException', /0 to 256/],
    ];
    for (const [kind, create] of Object.entries(kinds)) {
        for (const [tags, name, message] of wrong) await refused(create(tags), name, message).catch((e) => assert.fail(`${kind}: ${e.message}`));
        const resourceArn = arn(await create({ a: '1', 'b c': '' }));
        const read = async () => (await api.getTags({ resourceArn })).tags;
        assert.deepEqual(await read(), { a: '1', 'b c': '' }, kind);
        for (const [tags, name, message] of wrong) await refused(api.tagResource({ resourceArn, tags }), name, message);
        await api.tagResource({ resourceArn, tags: { a: '2', d: '3' } });
        assert.deepEqual(await read(), { a: '2', 'b c': '', d: '3' });
        await refused(api.tagResource({ resourceArn, tags: many(48) }), 'LimitExceededException', /50 tags/);
        await api.untagResource({ resourceArn, tagKeys: ['a', 'nothing', 'b c'] });
        assert.deepEqual(await read(), { d: '3' });
        await refused(api.getTags({ resourceArn: `${resourceArn}x` }), 'NotFoundException', /./);
    }
    for (const bad of ['nonsense', arn('/restapis'), arn('/frobs/x'), arn(`/restapis/${made.id}/resources/x`), 'arn:aws:lambda:us-east-1:000000000000:function:f'])
        await refused(api.getTags({ resourceArn: bad }), 'BadRequestException', /Invalid ARN specified in the request/);
});

test('--limits aws: API Gateway\'s numbers of things hold', async (t) => {
    const server = await start(t, { args: ['--limits', 'aws'] });
    const api = control(server);
    const full = (what) => new RegExp(`^Maximum number of ${what}( for this API)? has been reached\\.  Please contact AWS if you need additional`);
    const made = await makeApi(server, { 'GET /a': { integration: mock } });
    const { deploymentId } = await api.getStage({ restApiId: made.id, stageName: 'dev' });
    const stage = (i) => api.createStage({ restApiId: made.id, stageName: `s${i}`, deploymentId });
    for (let i = 1; i < 10; i++) await stage(i);
    await refused(stage(10), 'LimitExceededException', full('Stages'));
    await refused(api.createDeployment({ restApiId: made.id, stageName: 's10' }), 'LimitExceededException', full('Stages'));
    await api.createDeployment({ restApiId: made.id, stageName: 's9' });
    await api.deleteStage({ restApiId: made.id, stageName: 's1' });
    await stage(10);

    const { id: restApiId, rootResourceId: parentId } = await api.createRestApi({ name: 'wide' });
    const resource = (i) => api.createResource({ restApiId, parentId, pathPart: `r${i}` });
    for (let i = 0; i < 300; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => resource(i + k)));
    await refused(resource(300), 'LimitExceededException', full('Resources'));

    const link = (i) => api.createVpcLink({ name: `l${i}`, targetArns: [elb] });
    for (let i = 0; i < 20; i++) await link(i);
    await refused(link(20), 'LimitExceededException', full('VPC Links'));

    const plan = (i) => api.createUsagePlan({ name: `p${i}` });
    for (let i = 0; i < 300; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => plan(i + k)));
    await refused(plan(300), 'LimitExceededException', full('Usage Plans'));
    const keys = (from, n) => api.importApiKeys({ format: 'csv', body: Buffer.from(`name,key\n${Array.from({ length: n }, (_, i) => `k,${String(from + i).padStart(30, 'k')}`).join('\n')}`) });
    await keys(0, 9999);
    await refused(keys(20000, 2), 'LimitExceededException', full('API Keys'));
    await api.createApiKey({ name: 'the last' });
    await refused(api.createApiKey({ name: 'one more' }), 'LimitExceededException', full('API Keys'));
    await keys(0, 10);
});
