// API keys and usage plans: what management says of them, and what a request feels of them.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { api, control, fn, invocation, lambdaProxy } from './support/apis.mjs';
import { account, region, request, start } from './support/harness.mjs';

const keyed = { method: { apiKeyRequired: true } };
const value = (n) => `value-of-a-key-${String(n).padStart(20, '0')}`;
const refuses = (promise, name, message) =>
    assert.rejects(promise, (error) => {
        assert.equal(error.name, name, error.message);
        if (message !== undefined) assert.equal(error.message, message);
        return true;
    });
const call = (one, key, path = '/a') => request(`${one.url}${path}`, { headers: key === undefined ? {} : { 'x-api-key': key }, agent: new http.Agent() });
const count = async (one, key, n, path) => (await Promise.all(Array.from({ length: n }, () => call(one, key, path)))).filter((a) => a.status === 200).length;
const today = async (server) => (await (await server.fetch('/_gatehouse/health')).json()).time.slice(0, 10);
const clock = async (server, body) => assert.equal((await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).status, 200);
async function why(server, answer) {
    return (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).text;
}
// A key in a new plan of the API's stage.
async function keyWith(gateway, one, key, plan) {
    const made = await gateway.createApiKey({ name: 'client', value: key, enabled: true });
    const usagePlan = await gateway.createUsagePlan({ name: 'plan', apiStages: [{ apiId: one.id, stage: one.stage }], ...plan });
    await gateway.createUsagePlanKey({ usagePlanId: usagePlan.id, keyId: made.id, keyType: 'API_KEY' });
    return { keyId: made.id, usagePlanId: usagePlan.id };
}

test('keys: made, listed, changed, refused', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    await t.test('what AWS recorded of a new one', async () => {
        const made = await gateway.createApiKey({ name: 'first', value: value(1), tags: { team: 'shop' } });
        assert.match(made.id, /^[a-z0-9]{10}$/);
        const { $metadata, createdDate, lastUpdatedDate, id, ...rest } = made;
        assert.equal($metadata.httpStatusCode, 201);
        assert.deepEqual(rest, { name: 'first', value: value(1), enabled: false, stageKeys: [], tags: { team: 'shop' } });
        assert.equal((await gateway.getApiKey({ apiKey: id })).value, undefined);
        assert.equal((await gateway.getApiKey({ apiKey: id, includeValue: true })).value, value(1));
    });
    await t.test('one without a value gets one; an empty name is none', async () => {
        const made = await gateway.createApiKey({ name: '', value: '' });
        assert.match(made.value, /^[A-Za-z0-9]{40}$/);
        assert.equal(made.name, undefined);
    });
    await t.test('bad ones', async () => {
        await refuses(gateway.createApiKey({ value: 'x'.repeat(19) }), 'BadRequestException', 'API Key value should be at least 20 characters');
        await refuses(gateway.createApiKey({ value: 'x'.repeat(129) }), 'BadRequestException', 'API Key value exceeds maximum size of 128 characters');
        await refuses(gateway.createApiKey({ value: `with a blank ${value(2)}` }), 'BadRequestException');
        await refuses(gateway.createApiKey({ value: `${value(2)}\r\nx: y` }), 'BadRequestException');
        await refuses(gateway.createApiKey({ name: 'x'.repeat(1025) }), 'BadRequestException', 'Invalid API Key name, can be at most 1024 characters.');
        await refuses(gateway.createApiKey({ value: value(1) }), 'ConflictException', 'API Key already exists');
        await refuses(gateway.createApiKey({ stageKeys: [{ restApiId: 'nothing', stageName: 'x' }] }), 'BadRequestException', 'Invalid stage identifier specified');
        await refuses(gateway.createApiKey({ tags: { 'aws:x': 'y' } }), 'BadRequestException');
        for (const operation of ['getApiKey', 'deleteApiKey', 'updateApiKey'])
            await refuses(gateway[operation]({ apiKey: 'nothing' }), 'NotFoundException', 'Invalid API Key identifier specified');
    });
    await t.test('another region has keys of its own', async () => {
        const other = control(server, { region: 'eu-west-1' });
        const made = await other.createApiKey({ value: value(1) });
        await refuses(gateway.getApiKey({ apiKey: made.id }), 'NotFoundException');
    });
    await t.test('lists: newest first, by the name\'s beginning, by customer, in pages', async () => {
        for (const n of [11, 12, 13]) await gateway.createApiKey({ name: `list-${n}`, value: value(n), customerId: n === 12 ? 'acme' : undefined });
        const names = async (query) => (await gateway.getApiKeys(query)).items.map((k) => k.name);
        assert.deepEqual(await names({ nameQuery: 'list-' }), ['list-13', 'list-12', 'list-11']);
        assert.deepEqual(await names({ nameQuery: 'LIST' }), [], 'case matters');
        assert.deepEqual(await names({ customerId: 'acme' }), ['list-12']);
        const first = await gateway.getApiKeys({ nameQuery: 'list-', limit: 2, includeValues: true });
        assert.deepEqual(first.items.map((k) => k.value), [value(13), value(12)]);
        const second = await gateway.getApiKeys({ nameQuery: 'list-', limit: 2, position: first.position });
        assert.deepEqual([second.items.map((k) => k.name), second.position, second.items[0].value], [['list-11'], undefined, undefined]);
        await refuses(gateway.getApiKeys({ position: '!' }), 'BadRequestException');
    });
    await t.test('patches', async () => {
        const { id } = await gateway.createApiKey({ name: 'old', value: value(20) });
        const patch = (...patchOperations) => gateway.updateApiKey({ apiKey: id, patchOperations });
        const changed = await patch(
            { op: 'replace', path: '/name', value: 'new' }, { op: 'replace', path: '/description', value: 'd' },
            { op: 'replace', path: '/enabled', value: 'true' }, { op: 'replace', path: '/customerId', value: 'c' }, { op: 'add', path: '/labels', value: 'l' });
        const { $metadata, createdDate, lastUpdatedDate, ...rest } = changed;
        assert.deepEqual(rest, { id, name: 'new', description: 'd', enabled: true, customerId: 'c', stageKeys: [], tags: {} });
        await refuses(patch({ op: 'replace', path: '/value', value: value(21) }), 'BadRequestException',
            "Invalid patch path  '/value' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]");
        await refuses(patch({ op: 'add', path: '/stages', value: 'x' }), 'BadRequestException');
        await refuses(patch({ op: 'replace', path: '/name', value: 'x'.repeat(1025) }), 'BadRequestException');
        assert.equal((await gateway.getApiKey({ apiKey: id })).name, 'new', 'all or nothing');
        const one = await api(server, { 'GET /': {} });
        assert.deepEqual((await patch({ op: 'add', path: '/stages', value: `${one.id}/dev` })).stageKeys, [`${one.id}/dev`]);
        assert.deepEqual((await patch({ op: 'remove', path: '/stages', value: `${one.id}/dev` })).stageKeys, []);
    });
    await t.test('tags, by ARN', async () => {
        const { id } = await gateway.createApiKey({ value: value(30) });
        const plan = await gateway.createUsagePlan({ name: 'tagged' });
        for (const resourceArn of [`arn:aws:apigateway:${region}::/apikeys/${id}`, `arn:aws:apigateway:${region}::/usageplans/${plan.id}`]) {
            await gateway.tagResource({ resourceArn, tags: { a: '1', b: '2' } });
            await gateway.untagResource({ resourceArn, tagKeys: ['a'] });
            assert.deepEqual((await gateway.getTags({ resourceArn })).tags, { b: '2' });
        }
        assert.deepEqual((await gateway.getApiKey({ apiKey: id })).tags, { b: '2' });
        assert.equal((await gateway.getUsagePlan({ usagePlanId: plan.id })).name, 'tagged');
    });
});

test('keys from a file', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const load = (body, more) => gateway.importApiKeys({ format: 'csv', body: Buffer.from(body), ...more });
    const plans = [await gateway.createUsagePlan({ name: 'a' }), await gateway.createUsagePlan({ name: 'b' })];
    await t.test('columns in any order and case, quotes, unknown columns, blank lines', async () => {
        const { ids, warnings } = await load(`\ufeffEnabled,NAME,colour,Key,UsageplanIds,description\r\nfalse,One,red,${value(1)},"${plans[0].id}, ${plans[1].id}","say ""hi"", twice"\r\n\r\n,Two,,${value(2)},'${plans[0].id}',\n`);
        assert.equal(ids.length, 2);
        assert.equal(warnings, undefined);
        const [first, second] = [await gateway.getApiKey({ apiKey: ids[0], includeValue: true }), await gateway.getApiKey({ apiKey: ids[1] })];
        assert.deepEqual([first.name, first.value, first.enabled, first.description], ['One', value(1), false, 'say "hi", twice']);
        assert.deepEqual([second.name, second.enabled, second.description], ['Two', true, undefined]);
        assert.deepEqual((await gateway.getUsagePlanKeys({ usagePlanId: plans[0].id })).items.map((k) => [k.name, k.value, k.type]), [['Two', value(2), 'API_KEY'], ['One', value(1), 'API_KEY']]);
        assert.equal((await gateway.getUsagePlanKeys({ usagePlanId: plans[1].id })).items.length, 1);
    });
    await t.test('the same value again overwrites', async () => {
        const before = (await gateway.getApiKeys({ nameQuery: 'One' })).items[0].id;
        const { ids } = await load(`name,key\nUno,${value(1)}\nEins,${value(1)}`);
        assert.deepEqual(ids, [before]);
        assert.equal((await gateway.getApiKey({ apiKey: before })).name, 'Eins');
        assert.equal((await gateway.getApiKey({ apiKey: before })).enabled, true);
    });
    await t.test('what is missing', async () => {
        await refuses(load('/tmp/apikey.csv'), 'BadRequestException', "Missing required column 'Key'");
        await refuses(load(`key\n${value(9)}`), 'BadRequestException', "Missing required column 'Name'");
        await refuses(load(' '), 'BadRequestException', "Missing required column 'Key'");
    });
    await t.test('a line that is no key is told of and left out; with failOnWarnings nothing is kept', async () => {
        const file = `name,key,enabled,usageplanids\nshort,${'x'.repeat(29)},,\ngood,${value(40)},TRUE,nothing\nodd,${value(41)},maybe,\nctl,${value(42)}\u0001,,\n`;
        await refuses(load(file, { failOnWarnings: true }), 'BadRequestException');
        assert.equal((await gateway.getApiKeys({ nameQuery: 'good' })).items.length, 0);
        const { ids, warnings } = await load(file);
        assert.equal(ids.length, 1);
        assert.deepEqual(warnings.map((w) => w.slice(0, 7)), ['line 2:', 'line 3:', 'line 4:', 'line 5:']);
        assert.match(warnings[1], /Invalid Usage Plan ID specified: nothing/);
    });
    await t.test('ten thousand, and no more', async () => {
        const lines = Array.from({ length: 10000 }, (_, n) => `many-${n},${value(100000 + n)},${plans[0].id}`);
        const { ids } = await load(['name,key,usageplanids', ...lines].join('\n'));
        assert.equal(ids.length, 10000);
        await refuses(load(['name,key', ...lines, `last,${value(1)}`].join('\n')), 'BadRequestException', 'A file may have at most 10000 API keys');
        const page = await gateway.getUsagePlanKeys({ usagePlanId: plans[0].id, limit: 500, nameQuery: 'many-99' });
        assert.equal(page.items.length, 111);
    });
});

test('plans: made, changed, refused', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const one = await api(server, { 'GET /pets': {}, 'ANY /': {} });
    const stage = { apiId: one.id, stage: 'dev' };
    await t.test('what AWS recorded', async () => {
        const made = await gateway.createUsagePlan({
            name: 'n', description: 'd', apiStages: [stage], throttle: { burstLimit: 1, rateLimit: 2 }, quota: { limit: 10, period: 'DAY' }, tags: { tag_key: 'tag_value' },
        });
        assert.match(made.id, /^[a-z0-9]{6}$/);
        const { $metadata, id, ...rest } = made;
        assert.equal($metadata.httpStatusCode, 201);
        assert.deepEqual(rest, { name: 'n', description: 'd', apiStages: [stage], throttle: { burstLimit: 1, rateLimit: 2 }, quota: { limit: 10, offset: 0, period: 'DAY' }, tags: { tag_key: 'tag_value' } });
        const plain = await gateway.createUsagePlan({ name: 'plain' });
        assert.deepEqual((({ $metadata: _, id: __, ...shown }) => shown)(plain), { name: 'plain', apiStages: [] });
        assert.deepEqual((await gateway.getUsagePlan({ usagePlanId: plain.id })).tags, {});
        assert.deepEqual((await gateway.getUsagePlans({})).items.map((p) => p.name).sort(), ['n', 'plain']);
    });
    await t.test('bad ones', async () => {
        const bad = (plan, name, message) => refuses(gateway.createUsagePlan({ name: 'x', ...plan }), name, message);
        await bad({ name: '' }, 'BadRequestException');
        await bad({ quota: { limit: -1, period: 'DAY' } }, 'BadRequestException', 'Usage Plan quota limit must be a non-negative numeric');
        await bad({ quota: { limit: 1, period: 'YEAR' } }, 'ValidationException');
        await bad({ quota: { limit: 1 } }, 'BadRequestException', 'Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]');
        await bad({ quota: { limit: 1, period: 'WEEK', offset: 7 } }, 'BadRequestException', 'Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period');
        await bad({ quota: { limit: 1, period: 'MONTH', offset: 28 } }, 'BadRequestException', 'Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period');
        await bad({ quota: { limit: 1, period: 'DAY', offset: 1 } }, 'BadRequestException');
        await bad({ throttle: { rateLimit: -1 } }, 'BadRequestException');
        await bad({ throttle: { burstLimit: -5 } }, 'BadRequestException');
        await bad({ apiStages: [{ apiId: one.id, stage: 'prod' }] }, 'NotFoundException', `API Stage not found: ${one.id}:prod`);
        await bad({ apiStages: [{ apiId: one.id }] }, 'BadRequestException', 'Invalid API Stage specified');
        await bad({ apiStages: [stage, stage] }, 'ConflictException');
        await bad({ apiStages: [{ ...stage, throttle: { '/cats/GET': { rateLimit: 1 } } }] }, 'BadRequestException', 'Invalid method {resourcePath: /cats,method: GET} specified');
        await bad({ apiStages: [{ ...stage, throttle: { 'X': { rateLimit: 1 } } }] }, 'BadRequestException', 'Invalid method {resourcePath: X,method: } specified');
    });
    await t.test('patches', async () => {
        const { id } = await gateway.createUsagePlan({ name: 'p' });
        const patch = (...operations) => gateway.updateUsagePlan({ usagePlanId: id, patchOperations: operations.map(([op, path, v]) => ({ op, path, value: v })) });
        const at = `/apiStages/${one.id}:dev/throttle`;
        let plan = await patch(['add', '/apiStages', `${one.id}:dev`], ['replace', '/throttle/rateLimit', '200'], ['replace', '/throttle/burstLimit', '100'],
            ['add', '/quota/limit', '7'], ['add', '/quota/period', 'WEEK'], ['replace', '/quota/offset', '3'], ['replace', '/productCode', 'code'], ['replace', '/name', 'q']);
        assert.deepEqual((({ $metadata: _, ...shown }) => shown)(plan), {
            id, name: 'q', apiStages: [stage], throttle: { rateLimit: 200, burstLimit: 100 }, quota: { limit: 7, period: 'WEEK', offset: 3 }, productCode: 'code', tags: {},
        });
        plan = await patch(['add', `${at}/~1pets/GET/rateLimit`, '2.5'], ['replace', `${at}//pets/GET/burstLimit`, '3'], ['add', `${at}//ANY/rateLimit`, '1']);
        assert.deepEqual(plan.apiStages[0].throttle, { '/pets/GET': { rateLimit: 2.5, burstLimit: 3 }, '//ANY': { rateLimit: 1 } }, 'the root\'s key is "//ANY"');
        plan = await patch(['remove', `${at}/~1pets/GET`]);
        assert.deepEqual(Object.keys(plan.apiStages[0].throttle), ['//ANY']);
        plan = await patch(['replace', at, '{"/pets/GET":{"rateLimit":4}}']);
        assert.deepEqual(plan.apiStages[0].throttle, { '/pets/GET': { rateLimit: 4 } });
        plan = await patch(['remove', at], ['remove', '/quota'], ['remove', '/throttle'], ['remove', '/productCode']);
        assert.deepEqual((({ $metadata: _, ...shown }) => shown)(plan), { id, name: 'q', apiStages: [stage], tags: {} });
        const bad = (operation, name, message) => refuses(patch(operation), name, message);
        await bad(['remove', `/apiStages/${one.id}:dev`], 'BadRequestException',
            `Invalid patch path  '/apiStages/${one.id}:dev' specified for op 'remove'. Must be one of: [/apiStages, /quota, /throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle]`);
        await bad(['remove', '/apiStages'], 'BadRequestException', 'Invalid API Stage specified');
        await bad(['remove', '/apiStages', 'abc:dev'], 'NotFoundException', `Invalid API Stage {api: abc, stage: dev} specified for usageplan ${id}`);
        await bad(['add', '/apiStages', 'abc:dev'], 'NotFoundException', 'API Stage not found: abc:dev');
        await bad(['add', '/apiStages', `${one.id}:dev`], 'ConflictException');
        await bad(['add', '/quota/limit', 'many'], 'BadRequestException');
        await bad(['add', '/quota/limit', '1'], 'BadRequestException', 'Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]');
        await bad(['add', `${at}/~1pets/PUT/rateLimit`, '1'], 'BadRequestException', 'Invalid method {resourcePath: /pets,method: PUT} specified');
        await bad(['add', `${at}/~1pets/GET`, '1'], 'BadRequestException');
        await bad(['replace', at, '[1]'], 'BadRequestException');
        await refuses(gateway.updateUsagePlan({ usagePlanId: 'nothing', patchOperations: [] }), 'NotFoundException', 'Invalid Usage Plan ID specified');
    });
    await t.test('keys of plans, and a stage only once for a key', async () => {
        const key = await gateway.createApiKey({ name: 'k', value: value(1) });
        const [a, b] = [await gateway.createUsagePlan({ name: 'a', apiStages: [stage] }), await gateway.createUsagePlan({ name: 'b', apiStages: [stage] })];
        const join = (usagePlanId, more) => gateway.createUsagePlanKey({ usagePlanId, keyId: key.id, keyType: 'API_KEY', ...more });
        const made = await join(a.id);
        assert.deepEqual((({ $metadata: _, ...shown }) => shown)(made), { id: key.id, type: 'API_KEY', name: 'k', value: value(1) });
        const message = (plan) => `Usage Plan ${plan} cannot be added because API Key ${key.id} cannot reference multiple Usage Plans with the same API stage: ${one.id}:dev`;
        await refuses(join(b.id), 'ConflictException', message(b.id));
        await refuses(join(a.id), 'ConflictException');
        await refuses(join(a.id, { keyType: 'OTHER' }), 'BadRequestException');
        await refuses(join('nothing'), 'NotFoundException', 'Invalid Usage Plan ID specified');
        await refuses(join(a.id, { keyId: 'nothing' }), 'NotFoundException', 'Invalid API Key identifier specified');
        const c = await gateway.createUsagePlan({ name: 'c' });
        await join(c.id);
        await refuses(gateway.updateUsagePlan({ usagePlanId: c.id, patchOperations: [{ op: 'add', path: '/apiStages', value: `${one.id}:dev` }] }), 'ConflictException', message(c.id));
        assert.deepEqual((await gateway.getUsagePlans({ keyId: key.id })).items.map((p) => p.name).sort(), ['a', 'c']);
        assert.equal((await gateway.getUsagePlanKey({ usagePlanId: a.id, keyId: key.id })).value, value(1));
        assert.deepEqual((await gateway.getUsagePlanKeys({ usagePlanId: 'nothing' })).items, [], 'recorded: no error');
        await gateway.deleteUsagePlanKey({ usagePlanId: a.id, keyId: key.id });
        await refuses(gateway.getUsagePlanKey({ usagePlanId: a.id, keyId: key.id }), 'NotFoundException');
        await refuses(gateway.deleteUsagePlanKey({ usagePlanId: a.id, keyId: key.id }), 'NotFoundException');
    });
    await t.test('deleting', async () => {
        const { id } = await gateway.createUsagePlan({ name: 'x', apiStages: [stage] });
        await refuses(gateway.deleteUsagePlan({ usagePlanId: id }), 'BadRequestException', `Cannot delete Usage Plan ${id} because there are API Stages associated with it, including ${one.id}:dev`);
        await gateway.deleteStage({ restApiId: one.id, stageName: 'dev' });
        assert.deepEqual((await gateway.getUsagePlan({ usagePlanId: id })).apiStages, [], 'a deleted stage leaves its plans');
        await gateway.deleteUsagePlan({ usagePlanId: id });
        await refuses(gateway.getUsagePlan({ usagePlanId: id }), 'NotFoundException');
    });
});

test('the account', async (t) => {
    const server = await start(t, { args: ['--account-rate', '10000'] });
    const gateway = control(server);
    const { $metadata, ...shown } = await gateway.getAccount();
    assert.deepEqual(shown, { apiKeyVersion: '4', features: ['UsagePlans'], throttleSettings: { burstLimit: 5000, rateLimit: 10000 } });
    const patch = (op, path, v) => gateway.updateAccount({ patchOperations: [{ op, path, value: v }] });
    const role = `arn:aws:iam::${account}:role/logs`;
    assert.equal((await patch('replace', '/cloudwatchRoleArn', role)).cloudwatchRoleArn, role);
    assert.equal((await gateway.getAccount()).cloudwatchRoleArn, role);
    await refuses(patch('replace', '/cloudwatchRoleArn', 'me'), 'BadRequestException');
    await refuses(patch('remove', '/features', 'UsagePlans'), 'BadRequestException');
    await refuses(patch('replace', '/throttleSettings/rateLimit', '1'), 'BadRequestException', "Invalid patch path  '/throttleSettings/rateLimit' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn]");
    assert.equal((await patch('replace', '/cloudwatchRoleArn', '')).cloudwatchRoleArn, undefined);
    const open = await start(t);
    assert.equal((await control(open).getAccount()).throttleSettings, undefined, 'no limit is promised where there is none');
});

test('who gets in', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const gateway = control(server);
    const echo = { responseTemplates: { 'application/json': '{"key":"$context.identity.apiKey","id":"$context.identity.apiKeyId"}' } };
    const one = await api(server, { 'GET /a': { ...keyed, answers: { 200: echo } }, 'GET /open': { answers: { 200: echo } } });
    const { keyId, usagePlanId } = await keyWith(gateway, one, value(1), {});
    const forbidden = async (key, reason) => {
        const answer = await call(one, key);
        assert.equal(answer.status, 403, answer.text);
        assert.deepEqual(answer.json(), { message: 'Forbidden' });
        assert.equal(answer.headers['x-amzn-errortype'], 'ForbiddenException');
        const trace = await why(server, answer);
        assert.match(trace, /INVALID_API_KEY/);
        assert.match(trace, reason);
        assert.ok(!trace.includes(value(1)));
    };
    await t.test('with the key, and what the request knows of it', async () => {
        const answer = await call(one, value(1));
        assert.deepEqual([answer.status, answer.json()], [200, { key: value(1), id: keyId }]);
        assert.match(await why(server, answer), new RegExp(`${keyId}.*${usagePlanId}`));
    });
    await t.test('a method that needs none takes no notice of one', async () => {
        assert.deepEqual((await call(one, value(1), '/open')).json(), { key: '', id: '' });
        assert.equal((await call(one, 'nonsense', '/open')).status, 200);
    });
    await t.test('without, with another, with parts of it', async () => {
        await forbidden(undefined, /none was given/);
        await forbidden('', /none was given/);
        for (const key of [value(2), value(1).slice(1), `${value(1)}x`, value(1).toUpperCase(), 'x'.repeat(5000), keyId]) await forbidden(key, /no such key/);
    });
    await t.test('disabled and enabled again, at once', async () => {
        const enable = (v) => gateway.updateApiKey({ apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: v }] });
        await enable('false');
        await forbidden(value(1), /disabled/);
        await enable('true');
        assert.equal(await count(one, value(1), 4), 4);
    });
    await t.test('a plan without this stage is no plan', async () => {
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: [{ op: 'remove', path: '/apiStages', value: `${one.id}:dev` }] });
        await forbidden(value(1), /in no usage plan of this stage/);
        await gateway.updateUsagePlan({ usagePlanId, patchOperations: [{ op: 'add', path: '/apiStages', value: `${one.id}:dev` }] });
        assert.equal((await call(one, value(1))).status, 200);
        await gateway.deleteUsagePlanKey({ usagePlanId, keyId });
        await forbidden(value(1), /in no usage plan of this stage/);
        await gateway.createUsagePlanKey({ usagePlanId, keyId, keyType: 'API_KEY' });
        assert.equal((await call(one, value(1))).status, 200);
    });
    await t.test('a gateway response for it', async () => {
        await gateway.putGatewayResponse({ restApiId: one.id, responseType: 'INVALID_API_KEY', statusCode: '401', responseTemplates: { 'application/json': '{"no":"$context.error.responseType"}' } });
        await one.deploy();
        const answer = await call(one, value(3));
        assert.deepEqual([answer.status, answer.json()], [401, { no: 'INVALID_API_KEY' }]);
    });
    await t.test('deleted: gone, also after a restart', async () => {
        await gateway.deleteApiKey({ apiKey: keyId });
        assert.equal((await call(one, value(1))).status, 401);
        await server.restart('SIGTERM');
        assert.equal((await call(one, value(1))).status, 401);
    });
});

test('a function sees the key; an authorizer may name it', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const echo = await fn(server, 'echo', 'export const handler = async (e) => ({ statusCode: 200, body: JSON.stringify(e.requestContext.identity) });');
    const guard = await fn(server, 'guard', `export const handler = async (e) => ({ principalId: 'p', usageIdentifierKey: e.authorizationToken === 'none' ? undefined : e.authorizationToken,
        policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] } });`);
    const one = await api(server, { 'GET /a': { ...keyed, integration: lambdaProxy(echo) } });
    const { keyId } = await keyWith(gateway, one, value(1), { quota: { limit: 3, period: 'DAY' } });
    const seen = (await call(one, value(1))).json();
    assert.deepEqual([seen.apiKey, seen.apiKeyId], [value(1), keyId]);

    const { id: authorizerId } = await gateway.createAuthorizer({ restApiId: one.id, name: 'g', type: 'TOKEN', authorizerUri: invocation(guard), identitySource: 'method.request.header.Authorization' });
    await gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/apiKeySource', value: 'AUTHORIZER' }] });
    await gateway.updateMethod({ restApiId: one.id, resourceId: await one.resources.id('/a'), httpMethod: 'GET', patchOperations: [{ op: 'replace', path: '/authorizationType', value: 'CUSTOM' }, { op: 'replace', path: '/authorizerId', value: authorizerId }] });
    await one.deploy();
    const by = (authorization, more) => request(`${one.url}/a`, { headers: { authorization, ...more } });
    assert.equal((await by(value(1))).json().apiKeyId, keyId);
    assert.equal((await by('none', { 'x-api-key': value(1) })).status, 403, 'the header counts no more');
    assert.equal((await by(value(1))).status, 200, 'from the authorizer\'s cache');
    assert.equal((await by(value(1))).status, 429, 'and its quota counts');
});

test('a key may end, and have two values while its clients change over', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const gateway = control(server);
    const one = await api(server, { 'GET /a': keyed });
    const { keyId } = await keyWith(gateway, one, value(1), { throttle: { rateLimit: 0.001, burstLimit: 30 } });
    await clock(server, { at: '2027-03-01T12:00:00Z' });
    const patch = (op, path, v) => gateway.updateApiKey({ apiKey: keyId, patchOperations: [{ op, path: `/x-gatehouse/${path}`, value: v }] });
    const shown = async () => (await server.fetch(`/_gatehouse/apikeys/${keyId}`)).json();
    await t.test('a second value beside the first', async () => {
        assert.equal((await patch('add', 'value', value(2))).value, value(2));
        assert.deepEqual([(await call(one, value(1))).status, (await call(one, value(2))).status], [200, 200]);
        assert.equal((await gateway.getApiKey({ apiKey: keyId, includeValue: true })).value, value(2), 'the newest is the key\'s value');
        await refuses(patch('add', 'value', value(3)), 'ConflictException');
        await refuses(gateway.createApiKey({ value: value(2) }), 'ConflictException', 'API Key already exists');
    });
    await t.test('the older one ends when it is told to', async () => {
        await patch('replace', 'previousValueEnds', '2027-03-01T13:00:00Z');
        assert.deepEqual(await shown(), { id: keyId, enabled: true, expired: false, values: [{ live: true }, { live: true, ends: '2027-03-01T13:00:00Z' }] });
        await clock(server, { at: '2027-03-01T12:59:59Z' });
        assert.equal((await call(one, value(1))).status, 200);
        await clock(server, { at: '2027-03-01T13:00:00Z' });
        const answer = await call(one, value(1));
        assert.deepEqual([answer.status, answer.json()], [403, { message: 'Forbidden' }]);
        assert.match(await why(server, answer), /this value of the key has been replaced/);
        assert.equal((await call(one, value(2))).status, 200);
    });
    await t.test('an ended value makes room; a generated one', async () => {
        const { value: fresh } = await patch('add', 'value', '');
        assert.match(fresh, /^[A-Za-z0-9]{40}$/);
        assert.equal((await call(one, fresh)).status, 200);
        await patch('remove', 'previousValue');
        assert.deepEqual([(await call(one, value(2))).status, (await call(one, fresh)).status], [403, 200]);
        await refuses(patch('remove', 'previousValue'), 'NotFoundException');
        const made = await gateway.createApiKey({ value: value(2) });
        await gateway.deleteApiKey({ apiKey: made.id });
    });
    await t.test('its limits are the key\'s, whatever the value', async () => {
        const { value: second } = await patch('add', 'value', value(7));
        const both = (await count(one, second, 40)) + (await count(one, (await gateway.getApiKey({ apiKey: keyId, includeValue: true })).value, 5));
        assert.ok(both <= 24, `${both} after six were served of thirty`);
    });
    await t.test('the whole key expires', async () => {
        await patch('replace', 'expires', '2027-03-02T00:00:00Z');
        await clock(server, { at: '2027-03-02T00:00:00Z' });
        const answer = await call(one, value(7));
        assert.equal(answer.status, 403);
        assert.match(await why(server, answer), /the key has expired/);
        assert.equal((await shown()).expires, '2027-03-02T00:00:00Z');
        await server.restart('SIGTERM');
        await clock(server, { at: '2027-03-02T00:00:00Z' });
        assert.equal((await call(one, value(7))).status, 403);
        await patch('remove', 'expires');
        assert.notEqual((await call(one, value(7))).status, 403);
    });
    await t.test('bad ones', async () => {
        await refuses(patch('replace', 'expires', 'tomorrow'), 'BadRequestException');
        await refuses(patch('replace', 'value', value(9)), 'BadRequestException');
        await refuses(patch('replace', 'other', 'x'), 'BadRequestException');
        assert.equal((await server.fetch('/_gatehouse/apikeys/nothing')).status, 404);
    });
});
