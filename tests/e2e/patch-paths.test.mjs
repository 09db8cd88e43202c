// Every patch path of API Gateway's "Patch Operations" page and every op of it: what is documented does what
// it says and can be read back; what is not is refused and changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, mock } from './support/apis.mjs';
import { start } from './support/harness.mjs';

const at = (path) => (doc) => path.split('.').reduce((value, name) => value?.[name], doc);
const in_ = (map, key) => (doc) => doc[map]?.[key];
const r = (value, read, want = value) => ({ replace: [value, read, want] });
// add, replace and remove of an entry of a map
const entry = (map, key, one, two, [wantOne, wantTwo] = [one, two]) => ({
    add: [one, in_(map, key), wantOne], replace: [two, in_(map, key), wantTwo], remove: [undefined, in_(map, key), undefined],
});
const setting = (name, value, want) => ({ replace: [value, (doc) => doc.methodSettings['*/*'][name], want] });
const ofPets = (name, value, want) => ({ replace: [value, (doc) => doc.methodSettings['pets/GET'][name], want] });
const notBuilt = { unsupported: true };

// path → { op: [value, how it is read back, what stands there then] }. Ops in this order; those not named are refused.
const rows = {
    RestApi: {
        '/name': r('other', at('name')),
        '/description': { add: ['a', at('description'), 'a'], replace: ['b', at('description'), 'b'], remove: [undefined, at('description'), undefined] },
        '/apiKeySource': r('AUTHORIZER', at('apiKeySource')),
        '/disableExecuteApiEndpoint': r('true', at('disableExecuteApiEndpoint'), true),
        '/endpointConfiguration/types/EDGE': r('REGIONAL', at('endpointConfiguration.types'), ['REGIONAL']),
        '/endpointConfiguration/types/0': r('EDGE', at('endpointConfiguration.types'), ['EDGE']),
        '/endpointConfiguration/ipAddressType': r('dualstack', at('endpointConfiguration.ipAddressType')),
        '/endpointConfiguration/vpcEndpointIds': { add: notBuilt, remove: notBuilt },
        '/minimumCompressionSize': r('100', at('minimumCompressionSize'), 100),
        '/binaryMediaTypes/image~1png': {
            add: [undefined, at('binaryMediaTypes'), ['image/png']], replace: ['image/gif', at('binaryMediaTypes'), ['image/gif']], elsewhere: ['remove'],
        },
        '/binaryMediaTypes/image~1gif': { remove: [undefined, at('binaryMediaTypes'), undefined], add: [undefined, at('binaryMediaTypes'), ['image/gif']], replace: ['a/b', at('binaryMediaTypes'), ['a/b']] },
        '/policy': r('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}', (doc) => doc.policy.includes('execute-api:Invoke'), true),
        '/securityPolicy': { replace: notBuilt },
        '/endpointAccessMode': { replace: notBuilt },
    },
    Resource: {
        '/pathPart': r('dogs', at('path'), '/dogs'),
        '/parentId': { replace: [(world) => world.otherResource, at('path'), '/other/dogs'] },
    },
    Method: {
        '/authorizationType': r('AWS_IAM', at('authorizationType')),
        '/authorizerId': { replace: [(world) => world.authorizer, at('authorizerId'), (world) => world.authorizer], together: [{ op: 'replace', path: '/authorizationType', value: 'COGNITO_USER_POOLS' }] },
        '/authorizationScopes': { add: ['a/b', at('authorizationScopes'), ['a/b']], remove: ['a/b', at('authorizationScopes'), undefined] },
        '/apiKeyRequired': r('true', at('apiKeyRequired'), true),
        '/operationName': r('listPets', at('operationName')),
        '/requestValidatorId': { replace: [(world) => world.validator, at('requestValidatorId'), (world) => world.validator] },
        '/requestParameters/method.request.header.x': entry('requestParameters', 'method.request.header.x', 'true', 'false', [true, false]),
        '/requestModels/application~1json': entry('requestModels', 'application/json', 'Empty', 'Error'),
    },
    Integration: {
        '/uri': r('http://127.0.0.1:1/b', at('uri')),
        '/httpMethod': r('POST', at('httpMethod')),
        '/credentials': r('arn:aws:iam::000000000000:role/r', at('credentials')),
        '/passthroughBehavior': r('NEVER', at('passthroughBehavior')),
        '/contentHandling': r('CONVERT_TO_TEXT', at('contentHandling')),
        '/timeoutInMillis': r('5000', at('timeoutInMillis'), 5000),
        '/cacheNamespace': r('ns', at('cacheNamespace')),
        '/requestParameters/integration.request.header.x': entry('requestParameters', 'integration.request.header.x', "'a'", "'b'"),
        '/requestTemplates/application~1json': entry('requestTemplates', 'application/json', '{}', '[]'),
        '/cacheKeyParameters/method.request.path.p': {
            add: [undefined, at('cacheKeyParameters'), ['method.request.path.p']],
            replace: ['method.request.querystring.q', at('cacheKeyParameters'), ['method.request.querystring.q']], elsewhere: ['remove'],
        },
        '/cacheKeyParameters/method.request.querystring.q': {
            remove: [undefined, at('cacheKeyParameters'), []], add: [undefined, at('cacheKeyParameters'), ['method.request.querystring.q']],
            replace: ['method.request.path.p', at('cacheKeyParameters'), ['method.request.path.p']],
        },
        '/connectionType': r('INTERNET', at('connectionType')),
        '/connectionId': r('abc', at('connectionId')),
        '/tlsConfig/insecureSkipVerification': r('true', at('tlsConfig.insecureSkipVerification'), true),
        '/responseTransferMode': r('BUFFERED', at('responseTransferMode')),
        '/type': {},
    },
    IntegrationResponse: {
        '/selectionPattern': r('2..', at('selectionPattern')),
        '/contentHandling': r('CONVERT_TO_BINARY', at('contentHandling')),
        '/responseParameters/method.response.header.x': entry('responseParameters', 'method.response.header.x', "'a'", "'b'"),
        '/responseTemplates/application~1json': entry('responseTemplates', 'application/json', '{}', '[]'),
        '/statusCode': {},
    },
    MethodResponse: {
        '/responseParameters/method.response.header.x': entry('responseParameters', 'method.response.header.x', 'true', 'false', [true, false]),
        '/responseModels/application~1json': entry('responseModels', 'application/json', 'Empty', 'Error'),
    },
    Model: {
        '/description': r('b', at('description')),
        '/schema': r('{"type":"array"}', at('schema')),
        '/name': {},
    },
    RequestValidator: {
        '/name': r('other', at('name')),
        '/validateRequestBody': r('true', at('validateRequestBody'), true),
        '/validateRequestParameters': r('true', at('validateRequestParameters'), true),
    },
    GatewayResponse: {
        '/statusCode': r('420', at('statusCode')),
        '/responseParameters/gatewayresponse.header.x': entry('responseParameters', 'gatewayresponse.header.x', "'a'", "'b'"),
        '/responseTemplates/application~1json': entry('responseTemplates', 'application/json', '{}', '[]'),
    },
    Deployment: { '/description': r('b', at('description')), '/id': {} },
    DocumentationPart: { '/properties': r('{"b":2}', at('properties')), '/location': {} },
    DocumentationVersion: { '/description': r('b', at('description')), '/version': {} },
    VpcLink: { '/name': r('other', at('name')), '/description': r('b', at('description')), '/targetArns': {} },
    Stage: {
        '/deploymentId': { replace: [(world) => world.deployment2, at('deploymentId'), (world) => world.deployment2] },
        '/description': r('b', at('description')),
        '/documentationVersion': r('1.0', at('documentationVersion')),
        '/cacheClusterEnabled': r('true', at('cacheClusterEnabled'), true),
        '/cacheClusterSize': r('1.6', at('cacheClusterSize')),
        '/clientCertificateId': { skip: true }, // tested with client certificates
        '/tracingEnabled': r('false', at('tracingEnabled'), false),
        '/variables/a': { replace: ['1', in_('variables', 'a'), '1'], remove: [undefined, in_('variables', 'a'), undefined] },
        '/variables': { remove: [undefined, at('variables'), undefined], before: [['replace', '/variables/b', '2']] },
        '/accessLogSettings/destinationArn': {
            add: ['arn:aws:logs:us-east-1:000000000000:log-group:a', at('accessLogSettings.destinationArn'), 'arn:aws:logs:us-east-1:000000000000:log-group:a'],
            replace: ['arn:aws:logs:us-east-1:000000000000:log-group:b', at('accessLogSettings.destinationArn'), 'arn:aws:logs:us-east-1:000000000000:log-group:b'],
        },
        '/accessLogSettings/format': {
            add: ['$context.requestId', at('accessLogSettings.format'), '$context.requestId'],
            replace: ['$context.extendedRequestId', at('accessLogSettings.format'), '$context.extendedRequestId'],
        },
        '/accessLogSettings': { remove: [undefined, at('accessLogSettings'), undefined] },
        '/canarySettings/percentTraffic': r('12.5', at('canarySettings.percentTraffic'), 12.5),
        '/canarySettings/deploymentId': { replace: [(world) => world.deployment2, at('canarySettings.deploymentId'), (world) => world.deployment2] },
        '/canarySettings/useStageCache': r('true', at('canarySettings.useStageCache'), true),
        '/canarySettings/stageVariableOverrides': r('{"v":"1"}', at('canarySettings.stageVariableOverrides'), { v: '1' }),
        '/canarySettings/stageVariableOverrides/v': { replace: ['2', at('canarySettings.stageVariableOverrides.v'), '2'], remove: [undefined, at('canarySettings.stageVariableOverrides'), undefined] },
        '/canarySettings': { remove: [undefined, at('canarySettings'), undefined] },
        '/*/*/metrics/enabled': setting('metricsEnabled', 'true', true),
        '/*/*/logging/loglevel': setting('loggingLevel', 'INFO', 'INFO'),
        '/*/*/logging/dataTrace': setting('dataTraceEnabled', 'true', true),
        '/*/*/throttling/burstLimit': setting('throttlingBurstLimit', '7', 7),
        '/*/*/throttling/rateLimit': setting('throttlingRateLimit', '1.5', 1.5),
        '/*/*/caching/enabled': setting('cachingEnabled', 'true', true),
        '/*/*/caching/ttlInSeconds': setting('cacheTtlInSeconds', '60', 60),
        '/*/*/caching/dataEncrypted': setting('cacheDataEncrypted', 'true', true),
        '/*/*/caching/requireAuthorizationForCacheControl': setting('requireAuthorizationForCacheControl', 'false', false),
        '/*/*/caching/unauthorizedCacheControlHeaderStrategy': setting('unauthorizedCacheControlHeaderStrategy', 'FAIL_WITH_403', 'FAIL_WITH_403'),
        // A new entry begins as the one of all methods is; then it goes its own way.
        '/pets/GET/throttling/rateLimit': ofPets('throttlingRateLimit', '2.5', 2.5),
        '/pets/GET/throttling/burstLimit': ofPets('throttlingBurstLimit', '9', 9),
        '/~1pets/GET/caching/ttlInSeconds': ofPets('cacheTtlInSeconds', '61', 61),
        '/pets/GET/caching/enabled': ofPets('cachingEnabled', 'false', false),
        '/pets/GET/metrics/enabled': ofPets('metricsEnabled', 'false', false),
        '/pets/GET/logging/loglevel': ofPets('loggingLevel', 'ERROR', 'ERROR'),
        '/pets/GET/logging/dataTrace': ofPets('dataTraceEnabled', 'false', false),
        '/pets/GET': { remove: [undefined, (doc) => doc.methodSettings['pets/GET'], undefined] },
        '/*/*': { remove: [undefined, (doc) => doc.methodSettings['*/*'], undefined] },
        '/tags/a': {}, '/stageName': {}, '/methodSettings': {}, '/options/watchWindowSeconds': {}, '/watch': {},
    },
};

// One of everything, and how each is read and changed.
async function make(server) {
    const api = control(server);
    const world = {};
    const { id: restApiId, rootResourceId: root } = await api.createRestApi({ name: 'patched' });
    const { id: resourceId } = await api.createResource({ restApiId, parentId: root, pathPart: 'pets' });
    world.otherResource = (await api.createResource({ restApiId, parentId: root, pathPart: 'other' })).id;
    world.authorizer = (await api.createAuthorizer({ restApiId, name: 'a', type: 'COGNITO_USER_POOLS', providerARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_AbCdEfGhI'], identitySource: 'method.request.header.Authorization' })).id;
    world.validator = (await api.createRequestValidator({ restApiId, name: 'v' })).id;
    const { id: subject } = await api.createRequestValidator({ restApiId, name: 'w' });
    const one = { restApiId, resourceId, httpMethod: 'GET' }, status = { ...one, statusCode: '200' };
    await api.putMethod({ ...one, authorizationType: 'NONE', requestParameters: { 'method.request.path.p': true, 'method.request.querystring.q': false } });
    await api.putMethodResponse({ ...status, responseParameters: { 'method.response.header.x': false } });
    await api.putIntegration({ ...one, type: 'HTTP', integrationHttpMethod: 'GET', uri: 'http://127.0.0.1:1/a' });
    await api.putIntegrationResponse(status);
    await api.createModel({ restApiId, name: 'Pet', contentType: 'application/json', schema: '{"type":"object"}' });
    await api.putGatewayResponse({ restApiId, responseType: 'THROTTLED' });
    const part = await api.createDocumentationPart({ restApiId, location: { type: 'API' }, properties: '{"a":1}' });
    await api.createDocumentationVersion({ restApiId, documentationVersion: '1.0' });
    // What is deployed is an API of its own, so that odd values of the draft above do not stand in the way.
    const plain = await api.createRestApi({ name: 'deployed' });
    const { id: pets } = await api.createResource({ restApiId: plain.id, parentId: plain.rootResourceId, pathPart: 'pets' });
    await api.putMethod({ restApiId: plain.id, resourceId: pets, httpMethod: 'GET', authorizationType: 'NONE' });
    await api.putIntegration({ restApiId: plain.id, resourceId: pets, httpMethod: 'GET', ...mock });
    await api.createDocumentationVersion({ restApiId: plain.id, documentationVersion: '1.0' });
    const { id: deploymentId } = await api.createDeployment({ restApiId: plain.id, stageName: 'dev' });
    world.deployment2 = (await api.createDeployment({ restApiId: plain.id })).id;
    await api.updateAccount({ patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value: 'arn:aws:iam::000000000000:role/logs' }] }).catch(() => {});
    const link = await api.createVpcLink({ name: 'l', targetArns: ['arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/x/0123456789abcdef'] });
    const kind = (name, where) => ({ get: () => api[`get${name}`](where), update: (patchOperations) => api[`update${name}`]({ ...where, patchOperations }) });
    return {
        world,
        kinds: {
            RestApi: kind('RestApi', { restApiId }),
            Integration: kind('Integration', one), IntegrationResponse: kind('IntegrationResponse', status),
            MethodResponse: kind('MethodResponse', status), Method: kind('Method', one),
            Resource: kind('Resource', { restApiId, resourceId }),
            Model: kind('Model', { restApiId, modelName: 'Pet' }),
            RequestValidator: kind('RequestValidator', { restApiId, requestValidatorId: subject }),
            GatewayResponse: kind('GatewayResponse', { restApiId, responseType: 'THROTTLED' }),
            Deployment: kind('Deployment', { restApiId: plain.id, deploymentId }),
            DocumentationPart: kind('DocumentationPart', { restApiId, documentationPartId: part.id }),
            DocumentationVersion: kind('DocumentationVersion', { restApiId, documentationVersion: '1.0' }),
            VpcLink: kind('VpcLink', { vpcLinkId: link.id }),
            Stage: kind('Stage', { restApiId: plain.id, stageName: 'dev' }),
        },
    };
}

const clean = ({ $metadata, lastUpdatedDate, ...doc }) => doc;
const resolve = (value, world) => (typeof value === 'function' ? value(world) : value);

test('every documented path takes its ops and no other', async (t) => {
    const server = await start(t);
    const { world, kinds } = await make(server);
    let tried = 0;
    for (const [name, paths] of Object.entries(rows)) {
        const { get, update } = kinds[name];
        for (const [path, { before = [], together = [], elsewhere = [], skip, ...ops }] of Object.entries(paths)) {
            if (skip) continue;
            const refused = async (op, value, wanted = 'BadRequestException', text) => {
                const was = clean(await get());
                const error = await update([{ op, path, value }]).then(() => assert.fail(`${name} ${op} ${path} was taken`), (e) => e);
                assert.equal(error.name, wanted, `${name} ${op} ${path}: ${error.name} ${error.message}`);
                if (text) assert.equal(error.message, text);
                assert.deepEqual(clean(await get()), was, `${name} ${op} ${path} changed something`);
                tried++;
            };
            for (const op of ['add', 'replace', 'remove', 'copy', 'move', 'test']) if (!ops[op] && !elsewhere.includes(op)) await refused(op, 'x');
            if (before.length) await update(before.map(([op, where, value]) => ({ op, path: where, value })));
            for (const [op, what] of Object.entries(ops)) {
                if (what.unsupported) {
                    await refused(op, 'x', 'BadRequestException', `${path} is not supported by Gatehouse yet`);
                    continue;
                }
                const [value, read, want] = what;
                const answer = await update([...together, { op, path, value: resolve(value, world) }]).catch((error) => assert.fail(`${name} ${op} ${path}: ${error.message}`));
                assert.deepEqual(read(answer), resolve(want, world), `${name} ${op} ${path}: the answer`);
                assert.deepEqual(read(await get()), resolve(want, world), `${name} ${op} ${path}: read back`);
                tried++;
            }
        }
    }
    assert.ok(tried > 400, `${tried} operations`);
});

test('operations are all or nothing, and nonsense is refused', async (t) => {
    const server = await start(t);
    const { kinds } = await make(server);
    const first = { RestApi: '/name', Resource: '/pathPart', Method: '/operationName', Integration: '/cacheNamespace', Stage: '/description', Model: '/description', RequestValidator: '/name', VpcLink: '/name', Deployment: '/description' };
    for (const [name, path] of Object.entries(first)) {
        const { get, update } = kinds[name];
        const was = clean(await get());
        const bad = [{ op: 'replace', path: '/nothing', value: 'x' }, { op: 'replace', path: '', value: 'x' }, { op: 'replace', path: 'name', value: 'x' }, { op: 'replace', value: 'x' }, { op: 'replace', path: `${path}/below`, value: 'x' }, { op: 'frob', path, value: 'x' }];
        for (const one of bad) {
            await assert.rejects(update([{ op: 'replace', path, value: 'changed' }, one]), (error) => ['BadRequestException', 'ValidationException'].includes(error.name), `${name} ${JSON.stringify(one)}`);
            assert.deepEqual(clean(await get()), was, `${name} ${JSON.stringify(one)}`);
        }
        await update([]);
        assert.deepEqual(clean(await get()), was);
    }
});
