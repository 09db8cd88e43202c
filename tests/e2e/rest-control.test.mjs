// The control plane of REST APIs with the AWS SDK: what is made can be read, changed, paged through
// and deleted; what must not happen is refused in AWS's words.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as apigw from '@aws-sdk/client-api-gateway';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';

import { account, region, start } from './support/harness.mjs';
import { zip } from './support/zip.mjs';

// api.createRestApi({…}) instead of client.send(new CreateRestApiCommand({…})).
async function gateway(t) {
    const server = await start(t, { args: ['--limits', 'aws'] });
    const client = server.client(apigw.APIGatewayClient);
    const api = new Proxy({}, {
        get: (_, name) => (input = {}) =>
            client.send(new apigw[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)),
    });
    return { server, api };
}

async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}: ${message}`), (e) => e);
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    return error;
}

const mock = { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } };

// An API with a mock on GET /, ready to be deployed.
async function mocked(api, name = 'mocked') {
    const made = await api.createRestApi({ name });
    const at = { restApiId: made.id, resourceId: made.rootResourceId, httpMethod: 'GET' };
    await api.putMethod({ ...at, authorizationType: 'NONE' });
    await api.putIntegration({ ...at, ...mock });
    await api.putMethodResponse({ ...at, statusCode: '200' });
    await api.putIntegrationResponse({ ...at, statusCode: '200', responseTemplates: { 'application/json': '{"ok":true}' } });
    return { restApiId: made.id, root: made.rootResourceId, at };
}

test('a REST API from its making to its end', async (t) => {
    const { server, api } = await gateway(t);
    const made = await api.createRestApi({ name: 'pets', description: 'all of them', binaryMediaTypes: ['image/png'], tags: { team: 'a' } });
    assert.match(made.id, /^[a-z0-9]{10}$/);
    assert.match(made.rootResourceId, /^[a-z0-9]{10}$/);
    assert.deepEqual(made.endpointConfiguration, { ipAddressType: 'ipv4', types: ['EDGE'] });
    assert.ok(Math.abs(made.createdDate - Date.now()) < 60000);

    const changed = await api.updateRestApi({
        restApiId: made.id,
        patchOperations: [
            { op: 'replace', path: '/name', value: 'animals' },
            { op: 'add', path: '/binaryMediaTypes/image~1gif' },
            { op: 'remove', path: '/description' },
        ],
    });
    assert.equal(changed.name, 'animals');
    assert.equal(changed.description, undefined);
    assert.deepEqual(changed.binaryMediaTypes, ['image/png', 'image/gif']);
    assert.deepEqual(changed.tags, { team: 'a' });

    await server.restart(); // kill -9: what was answered is on disk
    const read = await api.getRestApi({ restApiId: made.id });
    assert.equal(read.name, 'animals');
    assert.deepEqual(read.createdDate, made.createdDate);

    await api.deleteRestApi({ restApiId: made.id });
    await refused(api.getRestApi({ restApiId: made.id }), 'NotFoundException', `Invalid API identifier specified ${account}:${made.id}`);
    assert.deepEqual((await api.getRestApis()).items, []);
});

test('an API is cloned: all of its draft, under ids of its own', async (t) => {
    const { server, api } = await gateway(t);
    const { restApiId, root, at } = await mocked(api);
    const { id: resourceId } = await api.createResource({ restApiId, parentId: root, pathPart: 'a' });
    const { id: below } = await api.createResource({ restApiId, parentId: resourceId, pathPart: '{b}' });
    const validator = await api.createRequestValidator({ restApiId, name: 'v', validateRequestParameters: true });
    await api.putMethod({ restApiId, resourceId: below, httpMethod: 'GET', authorizationType: 'NONE', requestValidatorId: validator.id });
    await api.putIntegration({ restApiId, resourceId: below, httpMethod: 'GET', ...mock });
    await api.createModel({ restApiId, name: 'Pet', contentType: 'application/json', schema: '{"type":"object"}' });
    await api.deleteModel({ restApiId, modelName: 'Error' });
    await api.putGatewayResponse({ restApiId, responseType: 'THROTTLED', statusCode: '420' });
    await api.createDocumentationPart({ restApiId, location: { type: 'API' }, properties: '{"a":1}' });
    await api.updateRestApi({ restApiId, patchOperations: [
        { op: 'add', path: '/binaryMediaTypes/image~1png' }, { op: 'replace', path: '/description', value: 'the first' },
        { op: 'replace', path: '/policy', value: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }] }) },
    ] });
    await api.tagResource({ resourceArn: `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`, tags: { a: 'b' } });
    await api.createDeployment({ restApiId, stageName: 'dev' });

    const clone = await api.createRestApi({ name: 'second', cloneFrom: restApiId, version: '2', tags: { c: 'd' } });
    assert.notEqual(clone.id, restApiId);
    assert.deepEqual([clone.name, clone.description, clone.version, clone.binaryMediaTypes, clone.tags], ['second', 'the first', '2', ['image/png'], { c: 'd' }]);
    const policy = clone.policy.replaceAll('\\', '');
    assert.ok(policy.includes(`:${clone.id}/*`) && !policy.includes(restApiId), policy);
    const shape = async (id) => (await api.getResources({ restApiId: id, embed: ['methods'] })).items
        .map(({ path, resourceMethods }) => [path, JSON.parse(JSON.stringify(resourceMethods ?? {}, (key, value) => (key === 'cacheNamespace' ? 'resource' : value)))])
        .sort(([a], [b]) => (a < b ? -1 : 1));
    const [mine, theirs] = await Promise.all([clone.id, restApiId].map((id) => api.getResources({ restApiId: id })));
    assert.deepEqual(mine.items.filter((one) => theirs.items.some((other) => other.id === one.id)), []);
    assert.deepEqual(await shape(clone.id), await shape(restApiId));
    const child = mine.items.find((one) => one.path === '/a/{b}');
    assert.equal(child.parentId, mine.items.find((one) => one.path === '/a').id);
    assert.equal((await api.getIntegration({ restApiId: clone.id, resourceId: child.id, httpMethod: 'GET' })).cacheNamespace, child.id);
    assert.deepEqual((await api.getModels({ restApiId: clone.id })).items.map((one) => one.name), ['Empty', 'Pet']);
    assert.equal((await api.getGatewayResponse({ restApiId: clone.id, responseType: 'THROTTLED' })).statusCode, '420');
    assert.deepEqual((await api.getDocumentationParts({ restApiId: clone.id })).items.map((one) => one.properties), ['{"a":1}']);
    assert.deepEqual((await api.getDeployments({ restApiId: clone.id })).items, []);

    // From here on they have nothing to do with each other.
    await api.deleteMethod(at);
    await api.deleteRestApi({ restApiId });
    await api.createDeployment({ restApiId: clone.id, stageName: 'dev' });
    assert.equal((await server.fetch(`/_aws/execute-api/${clone.id}/dev/`)).status, 200);
    await refused(api.createRestApi({ name: 'x', cloneFrom: restApiId }), 'NotFoundException', `Invalid API identifier specified ${account}:${restApiId}`);
});

test('a change that is refused half way leaves nothing behind', async (t) => {
    const { api } = await gateway(t);
    const { id: restApiId } = await api.createRestApi({ name: 'before' });
    await refused(
        api.updateRestApi({
            restApiId,
            patchOperations: [
                { op: 'replace', path: '/name', value: 'after' },
                { op: 'replace', path: '/minimumCompressionSize', value: '-1' },
            ],
        }),
        'BadRequestException', 'Invalid minimum compression size, must be between 0 and 10485760');
    assert.equal((await api.getRestApi({ restApiId })).name, 'before');
});

test('another account and another region have APIs of their own', async (t) => {
    const { server, api } = await gateway(t);
    const { id: restApiId } = await api.createRestApi({ name: 'mine' });
    const other = server.client(apigw.APIGatewayClient, { credentials: { accessKeyId: '111111111111', secretAccessKey: 'test' } });
    const abroad = server.client(apigw.APIGatewayClient, { region: 'eu-west-1' });
    await refused(other.send(new apigw.GetRestApiCommand({ restApiId })), 'NotFoundException',
        `Invalid API identifier specified 111111111111:${restApiId}`);
    assert.deepEqual((await other.send(new apigw.GetRestApisCommand({}))).items, []);
    assert.deepEqual((await abroad.send(new apigw.GetRestApisCommand({}))).items, []);
});

test('lists come in pages', async (t) => {
    const { api } = await gateway(t);
    const names = [];
    for (let i = 0; i < 7; i++) names.push((await api.createRestApi({ name: `api-${i}` })).name);
    const seen = [];
    for await (const page of pages((position) => api.getRestApis({ limit: 3, position }))) {
        assert.ok(page.items.length <= 3);
        seen.push(...page.items.map((one) => one.name));
    }
    assert.deepEqual(seen, names, 'in order of creation, each once');

    const { restApiId, root } = await mocked(api);
    for (const pathPart of ['b', 'a', 'd', 'c']) await api.createResource({ restApiId, parentId: root, pathPart });
    const paths = [];
    for await (const page of pages((position) => api.getResources({ restApiId, limit: 2, position }))) paths.push(...page.items.map((one) => one.path));
    assert.deepEqual(paths, ['/', '/a', '/b', '/c', '/d']);
    assert.equal((await api.getResources({ restApiId, limit: 5 })).position, undefined, 'a page that is just full is the last');
    await refused(api.getResources({ restApiId, position: '***' }), 'BadRequestException', 'Invalid position specified');
});

async function* pages(get) {
    let position;
    do {
        const page = await get(position);
        yield page;
        position = page.position;
    } while (position);
}

test('resources make a tree', async (t) => {
    const { api } = await gateway(t);
    const { id: restApiId, rootResourceId: root } = await api.createRestApi({ name: 'tree' });
    const make = (parentId, pathPart) => api.createResource({ restApiId, parentId, pathPart });
    const pets = await make(root, 'pets');
    const one = await make(pets.id, '{id}');
    const toys = await make(one.id, 'toys');
    assert.equal(toys.path, '/pets/{id}/toys');
    await refused(make(root, 'pets'), 'ConflictException', 'Another resource with the same parent already has this name: pets');
    await refused(make(pets.id, '{other}'), 'BadRequestException',
        'A sibling ({id}) of this resource already has a variable path part -- only one is allowed');
    for (const bad of ['a/b', 'a b', '{a', '{}', 'ä', ''])
        await refused(make(root, bad), 'BadRequestException', /^Resource's path part only allow a-zA-Z0-9._-:/);
    const greedy = await make(root, '{proxy+}');
    await refused(make(greedy.id, 'x'), 'BadRequestException', 'Cannot create a child of a resource with a greedy path variable: {proxy+}');

    // what is below moves along
    await api.updateResource({ restApiId, resourceId: pets.id, patchOperations: [{ op: 'replace', path: '/pathPart', value: 'animals' }] });
    assert.equal((await api.getResource({ restApiId, resourceId: toys.id })).path, '/animals/{id}/toys');
    await refused(
        api.updateResource({ restApiId, resourceId: pets.id, patchOperations: [{ op: 'replace', path: '/parentId', value: toys.id }] }),
        'BadRequestException', 'Resources cannot be cyclical.');

    // and goes along
    await api.deleteResource({ restApiId, resourceId: pets.id });
    assert.deepEqual((await api.getResources({ restApiId })).items.map((r) => r.path), ['/', '/{proxy+}']);
    await refused(api.getResource({ restApiId, resourceId: toys.id }), 'NotFoundException', 'Invalid Resource identifier specified');
});

test('methods, integrations and their responses', async (t) => {
    const { api } = await gateway(t);
    const { restApiId, root, at } = await mocked(api);
    await refused(api.putMethod({ ...at, authorizationType: 'NONE' }), 'ConflictException', 'Method already exists for this resource');
    const whole = await api.getMethod(at);
    assert.equal(whole.methodIntegration.type, 'MOCK');
    assert.deepEqual(whole.methodIntegration.integrationResponses['200'].responseTemplates, { 'application/json': '{"ok":true}' });
    assert.deepEqual(Object.keys(whole.methodResponses), ['200']);

    const named = await api.getResources({ restApiId });
    assert.deepEqual(named.items[0].resourceMethods, { GET: {} });
    const embedded = await api.getResources({ restApiId, embed: ['methods'] });
    assert.equal(embedded.items[0].resourceMethods.GET.methodIntegration.type, 'MOCK');

    const put = (more) => api.putIntegration({ ...at, type: 'HTTP', integrationHttpMethod: 'GET', uri: 'http://127.0.0.1:3000/', ...more });
    await refused(put({ integrationHttpMethod: undefined }), 'BadRequestException', 'Enumeration value for HttpMethod must be non-empty');
    await refused(put({ uri: 'no uri' }), 'BadRequestException', 'Invalid HTTP endpoint specified for URI');
    await refused(put({ timeoutInMillis: 49 }), 'BadRequestException', 'Timeout should be between 50 ms and 29000 ms');
    await refused(put({ type: 'AWS', uri: 'not an arn' }), 'BadRequestException', 'Invalid ARN specified in the request');
    await refused(put({ type: 'AWS', uri: `arn:aws:apigateway:${region}:lambda:test` }), 'BadRequestException', 'AWS ARN for integration must contain path or action');
    await refused(put({ type: 'AWS_PROXY', uri: `arn:aws:apigateway:${region}:s3:path/b` }), 'BadRequestException',
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.");
    await refused(put({ requestParameters: { 'integration.request.header.X': 'method.request.header.Y' } }), 'BadRequestException',
        'Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.header.Y]');
    await put({ requestParameters: { 'integration.request.header.X': "'static'", 'integration.request.header.S': 'stageVariables.s' } });
    const integration = await api.updateIntegration({
        ...at,
        patchOperations: [
            { op: 'replace', path: '/uri', value: 'https://${stageVariables.host}/x' },
            { op: 'replace', path: '/timeoutInMillis', value: '50' },
            { op: 'add', path: '/requestTemplates/application~1json', value: '$input.body' },
        ],
    });
    assert.equal(integration.timeoutInMillis, 50);
    assert.deepEqual(integration.requestTemplates, { 'application/json': '$input.body' });
    await refused(
        api.putIntegrationResponse({ ...at, statusCode: '200', responseParameters: { 'method.response.header.X': "'x'" } }),
        'BadRequestException',
        'Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.X]');
    await refused(api.putIntegrationResponse({ ...at, statusCode: '200', selectionPattern: '(' }), 'BadRequestException', 'Invalid regex pattern specified');

    await api.deleteIntegration(at);
    await refused(api.getIntegration(at), 'NotFoundException', 'Invalid Integration identifier specified');
    await api.deleteMethod(at);
    await refused(api.getMethod(at), 'NotFoundException', 'Invalid Method identifier specified');
    assert.equal((await api.getResource({ restApiId, resourceId: root })).resourceMethods, undefined);
});

test('authorizers, models and validators are not deleted while a method needs them', async (t) => {
    const { api } = await gateway(t);
    const { restApiId, root } = await mocked(api);
    const authorizer = await api.createAuthorizer({
        restApiId, name: 'gate', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization',
        providerARNs: [`arn:aws:cognito-idp:${region}:${account}:userpool/${region}_abc`],
    });
    assert.equal(authorizer.authType, 'cognito_user_pools');
    const validator = await api.createRequestValidator({ restApiId, name: 'params', validateRequestParameters: true });
    await api.createModel({ restApiId, name: 'Pet', contentType: 'application/json', schema: '{"type":"object"}' });
    const at = { restApiId, resourceId: root, httpMethod: 'POST' };
    await api.putMethod({
        ...at, authorizationType: 'COGNITO_USER_POOLS', authorizerId: authorizer.id, authorizationScopes: ['pets/read'],
        requestValidatorId: validator.id, requestModels: { 'application/json': 'Pet' },
    });
    await refused(api.deleteAuthorizer({ restApiId, authorizerId: authorizer.id }), 'ConflictException',
        "Cannot delete authorizer 'gate', is referenced in method: POST//");
    await refused(api.deleteModel({ restApiId, modelName: 'Pet' }), 'ConflictException',
        "Cannot delete model 'Pet', is referenced in method request: //POST");
    await refused(api.deleteRequestValidator({ restApiId, requestValidatorId: validator.id }), 'ConflictException', /is referenced in method: POST\//);
    await refused(
        api.updateMethod({ ...at, patchOperations: [{ op: 'replace', path: '/authorizationType', value: 'CUSTOM' }] }),
        'BadRequestException',
        'Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type');
    await api.deleteMethod(at);
    await api.deleteAuthorizer({ restApiId, authorizerId: authorizer.id });
    await api.deleteModel({ restApiId, modelName: 'Pet' });
    await api.deleteRequestValidator({ restApiId, requestValidatorId: validator.id });
    assert.deepEqual((await api.getAuthorizers({ restApiId })).items, []);
});

test('a deployment is a copy, and a stage chooses among them', async (t) => {
    const { server, api } = await gateway(t);
    const empty = await api.createRestApi({ name: 'empty' });
    await refused(api.createDeployment({ restApiId: empty.id }), 'BadRequestException', "The REST API doesn't contain any methods");

    const { restApiId, at } = await mocked(api);
    const call = () => server.fetch(`/_aws/execute-api/${restApiId}/dev/`).then(async (r) => ({ status: r.status, text: await r.text() }));
    const first = await api.createDeployment({ restApiId, stageName: 'dev', description: 'one', variables: { host: 'a.example' } });
    assert.equal((await call()).text, '{"ok":true}');

    // the draft is not what is served
    await api.updateIntegrationResponse({ ...at, statusCode: '200', patchOperations: [{ op: 'replace', path: '/responseTemplates/application~1json', value: '{"ok":2}' }] });
    assert.equal((await call()).text, '{"ok":true}');
    const second = await api.createDeployment({ restApiId, stageName: 'dev' });
    assert.equal((await call()).text, '{"ok":2}');
    assert.deepEqual((await api.getStage({ restApiId, stageName: 'dev' })).variables, { host: 'a.example' }, 'the stage keeps its variables');

    // and back
    const rolled = await api.updateStage({ restApiId, stageName: 'dev', patchOperations: [{ op: 'replace', path: '/deploymentId', value: first.id }] });
    assert.equal(rolled.deploymentId, first.id);
    assert.equal((await call()).text, '{"ok":true}');

    await refused(api.deleteDeployment({ restApiId, deploymentId: first.id }), 'BadRequestException',
        'Active stages pointing to this deployment must be moved or deleted');
    await api.deleteDeployment({ restApiId, deploymentId: second.id });
    await refused(api.getDeployment({ restApiId, deploymentId: second.id }), 'NotFoundException', 'Invalid Deployment identifier specified');
    const summary = await api.getDeployment({ restApiId, deploymentId: first.id, embed: ['apisummary'] });
    assert.deepEqual(summary.apiSummary, { '/': { GET: { authorizationType: 'NONE', apiKeyRequired: false } } });

    await refused(api.createStage({ restApiId, stageName: 'dev', deploymentId: first.id }), 'ConflictException', 'Stage already exists');
    await refused(api.createStage({ restApiId, stageName: 'new', deploymentId: 'nope' }), 'BadRequestException', 'Deployment id does not exist');
    await refused(api.createStage({ restApiId, stageName: 'a b', deploymentId: first.id }), 'BadRequestException', 'Stage name only allows a-zA-Z0-9_');
    await refused(
        api.createStage({ restApiId, stageName: 'new', deploymentId: first.id, variables: { 'a-b': 'x' } }),
        'BadRequestException', 'Invalid stage variable name: a-b. Please use names with only word characters.');

    await api.deleteStage({ restApiId, stageName: 'dev' });
    assert.equal((await call()).status, 403);
    await api.deleteDeployment({ restApiId, deploymentId: first.id });
    assert.deepEqual((await api.getDeployments({ restApiId })).items, []);
});

test('deleting an API takes it off the air', async (t) => {
    const { server, api } = await gateway(t);
    const { restApiId } = await mocked(api);
    await api.createDeployment({ restApiId, stageName: 'dev' });
    assert.equal((await server.fetch(`/_aws/execute-api/${restApiId}/dev/`)).status, 200);
    await api.deleteRestApi({ restApiId });
    assert.notEqual((await server.fetch(`/_aws/execute-api/${restApiId}/dev/`)).status, 200);
});

test('a stage that is made while its namesake is deleted is served', async (t) => {
    const { server, api } = await gateway(t);
    const { restApiId } = await mocked(api);
    const { id: deploymentId } = await api.createDeployment({ restApiId, stageName: 'dev' });
    for (let round = 0; round < 20; round++) {
        await Promise.allSettled([
            api.deleteStage({ restApiId, stageName: 'dev' }),
            ...Array.from({ length: 3 }, () => api.createStage({ restApiId, stageName: 'dev', deploymentId })),
        ]);
        const there = await api.getStage({ restApiId, stageName: 'dev' }).then(() => true, () => false);
        const { status } = await server.fetch(`/_aws/execute-api/${restApiId}/dev/`);
        assert.equal(status, there ? 200 : 403, `round ${round}`);
        if (!there) await api.createStage({ restApiId, stageName: 'dev', deploymentId });
    }
});

test('stage settings: variables, throttling, and what is refused by name', async (t) => {
    const { api } = await gateway(t);
    const { restApiId } = await mocked(api);
    await api.createDeployment({ restApiId, stageName: 'dev' });
    const patch = (...patchOperations) => api.updateStage({ restApiId, stageName: 'dev', patchOperations });
    const stage = await patch(
        { op: 'replace', path: '/variables/host', value: 'b.example' },
        { op: 'replace', path: '/*/*/throttling/burstLimit', value: '20' },
        { op: 'replace', path: '/~1/GET/throttling/rateLimit', value: '0.5' },
    );
    assert.deepEqual(stage.variables, { host: 'b.example' });
    assert.equal(stage.methodSettings['*/*'].throttlingBurstLimit, 20);
    assert.equal(stage.methodSettings['/GET'].throttlingBurstLimit, 20, 'a new entry starts from what all methods have');
    assert.equal(stage.methodSettings['/GET'].throttlingRateLimit, 0.5);
    assert.deepEqual((await patch({ op: 'remove', path: '/~1/GET' })).methodSettings['/GET'], undefined);
    for (const [path, value] of [['/tracingEnabled', 'true']]) {
        await refused(patch({ op: 'replace', path, value }), 'BadRequestException', `${path} is not supported by Gatehouse yet`);
    }
    await patch({ op: 'replace', path: '/tracingEnabled', value: 'false' });
    await refused(api.createRestApi({ name: 'x', securityPolicy: 'TLS_1_2' }), 'BadRequestException', 'CreateRestApi: securityPolicy is not supported by Gatehouse yet');
});

test('documentation, gateway responses and tags', async (t) => {
    const { api } = await gateway(t);
    const { restApiId } = await mocked(api);
    const { $metadata, ...part } = await api.createDocumentationPart({ restApiId, location: { type: 'METHOD', path: '/', method: 'GET' }, properties: '{"description":"x"}' });
    await api.createDocumentationPart({ restApiId, location: { type: 'API' }, properties: '{}' });
    assert.deepEqual((await api.getDocumentationParts({ restApiId, type: 'METHOD' })).items, [part]);
    await api.createDocumentationVersion({ restApiId, documentationVersion: '1.0' });
    assert.deepEqual((await api.getDocumentationVersions({ restApiId })).items.map((v) => v.version), ['1.0']);

    await api.putGatewayResponse({ restApiId, responseType: 'DEFAULT_4XX', responseParameters: { 'gatewayresponse.header.X-Why': "'because'" } });
    const shown = await api.getGatewayResponse({ restApiId, responseType: 'THROTTLED' });
    assert.equal(shown.defaultResponse, true);
    assert.equal(shown.statusCode, '429');
    assert.deepEqual(shown.responseParameters, { 'gatewayresponse.header.X-Why': "'because'" });

    const resourceArn = `arn:aws:apigateway:${region}::/restapis/${restApiId}`;
    await api.tagResource({ resourceArn, tags: { a: '1', b: '2' } });
    await api.untagResource({ resourceArn, tagKeys: ['a'] });
    assert.deepEqual((await api.getTags({ resourceArn })).tags, { b: '2' });
    assert.deepEqual((await api.getRestApi({ restApiId })).tags, { b: '2' });
    await refused(api.tagResource({ resourceArn, tags: { 'aws:x': '1' } }), 'BadRequestException', /must not start with aws:/);
    await refused(api.getTags({ resourceArn: `arn:aws:apigateway:${region}::/restapis/unknown` }), 'NotFoundException', 'Invalid resource identifier specified');
});

test("a Lambda authorizer's answers are kept until they are flushed", async (t) => {
    const { server, api } = await gateway(t);
    const assume = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    const { Role } = await server.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'gate', AssumeRolePolicyDocument: JSON.stringify(assume) }));
    const lambda = server.client(LambdaClient);
    const code = `let n = 0;
        export const handler = async (event) => ({
            principalId: String(++n),
            policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: event.methodArn }] },
        });`;
    const gate = await lambda.send(new CreateFunctionCommand({
        FunctionName: 'gate', Runtime: 'nodejs20.x', Handler: 'gate.handler', Role: Role.Arn, Code: { ZipFile: zip({ 'gate.mjs': code }) },
    }));
    const { restApiId, at } = await mocked(api);
    await lambda.send(new AddPermissionCommand({
        FunctionName: 'gate', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
        SourceArn: `arn:aws:execute-api:${region}:${account}:${restApiId}/*`,
    }));
    const authorizer = await api.createAuthorizer({
        restApiId, name: 'gate', type: 'TOKEN', identitySource: 'method.request.header.Authorization',
        authorizerUri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${gate.FunctionArn}/invocations`,
    });
    assert.equal(authorizer.authType, 'custom');
    await api.updateMethod({ ...at, patchOperations: [
        { op: 'replace', path: '/authorizationType', value: 'CUSTOM' }, { op: 'replace', path: '/authorizerId', value: authorizer.id }] });
    await api.updateIntegrationResponse({ ...at, statusCode: '200', patchOperations: [
        { op: 'replace', path: '/responseTemplates/application~1json', value: '"$context.authorizer.principalId"' }] });
    await api.createDeployment({ restApiId, stageName: 'dev' });
    const who = async () => (await server.fetch(`/_aws/execute-api/${restApiId}/dev/`, { headers: { authorization: 'me' } })).text();
    assert.equal(await who(), '"1"');
    assert.equal(await who(), '"1"', 'kept');
    await api.flushStageAuthorizersCache({ restApiId, stageName: 'dev' });
    assert.equal(await who(), '"2"', 'asked again');
    await refused(api.flushStageAuthorizersCache({ restApiId, stageName: 'nope' }), 'NotFoundException', 'Invalid stage identifier specified');
});

test('many hands on one API lose nothing', async (t) => {
    const { api } = await gateway(t);
    const { id: restApiId, rootResourceId } = await api.createRestApi({ name: 'busy' });
    await Promise.all(Array.from({ length: 20 }, (_, i) => api.createResource({ restApiId, parentId: rootResourceId, pathPart: `r${i}` })));
    assert.equal((await api.getResources({ restApiId, limit: 500 })).items.length, 21);
});
