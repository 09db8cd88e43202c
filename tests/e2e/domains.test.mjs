// Custom domains: names, base path mappings, routing rules, access associations; who may reach them.
// Requests come by Host on the plain port, as behind a proxy. TLS itself: domains-tls.test.mjs.
import assert from 'node:assert/strict';
import test from 'node:test';

import { api, control, fn, lambdaProxy } from './support/apis.mjs';
import { account, region, request, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const certificate = `arn:aws:acm:${region}:${account}:certificate/11111111-2222-3333-4444-555555555555`;
const regional = (domainName, more = {}) => ({ domainName, regionalCertificateArn: certificate, endpointConfiguration: { types: ['REGIONAL'] }, ...more });
const edge = (domainName, more = {}) => ({ domainName, certificateArn: certificate, ...more });
const hidden = (domainName, more = {}) => ({ domainName, certificateArn: certificate, endpointConfiguration: { types: ['PRIVATE'] }, ...more });
const patch = (...operations) => ({ patchOperations: operations.map(([op, path, value]) => ({ op, path, value })) });
const keys = { accessKeyId: 'test', secretAccessKey: 'test' };

const rejected = (promise, name, message) =>
    assert.rejects(promise, (error) => {
        assert.equal(error.name, name, error.message);
        if (message instanceof RegExp) assert.match(error.message, message);
        else if (message) assert.equal(error.message, message);
        return true;
    });
const at = (server, host, path, headers = {}, more = {}) => request(`${server.url}${path}`, { headers: { host, ...headers }, ...more });
const forbidden = (answer, why) => {
    assert.equal(answer.status, 403, why ?? answer.text);
    assert.deepEqual(answer.json(), { message: 'Forbidden' }, why);
    assert.equal(answer.headers['x-amzn-errortype'], 'ForbiddenException', why);
};
// An API that says which one it is and what it sees.
const telling = (server, name, routes = ['GET /', 'GET /pets', 'GET /pets/{id}'], more = {}) =>
    api(server, Object.fromEntries(routes.map((route) => [route, {
        answers: { 200: { responseTemplates: { 'application/json':
            `{"api":"${name}","stage":"$context.stage","path":"$context.path","resource":"$context.resourcePath","domain":"$context.domainName","prefix":"$context.domainPrefix","id":"$input.params('id')"}` } } },
    }])), { name, ...more });
const noMatch = (answer) => assert.equal(answer.headers['x-amzn-errortype'], 'MissingAuthenticationTokenException', answer.text);

// apigatewayv2's operations on domains, by plain signed requests: answers {status, body}.
const second = (server) => async (method, path, body) => {
    const answer = await signed(`${server.url}/v2/domainnames/${path}`, keys, {
        method, service: 'apigateway', headers: body ? { 'content-type': 'application/json' } : {}, body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, type: answer.headers.get('x-amzn-errortype'), body: text ? JSON.parse(text) : null };
};
const rules = (server) => {
    const call = second(server);
    return {
        create: (domain, rule) => call('POST', `${domain}/routingrules`, rule),
        put: (domain, id, rule) => call('PUT', `${domain}/routingrules/${id}`, rule),
        get: (domain, id) => call('GET', `${domain}/routingrules/${id}`),
        list: (domain, query = '') => call('GET', `${domain}/routingrules${query}`),
        remove: (domain, id) => call('DELETE', `${domain}/routingrules/${id}`),
    };
};
const invoke = (one, more = {}) => [{ invokeApi: { apiId: one.id, stage: one.stage, ...more } }];
const header = (name, valueGlob) => ({ matchHeaders: { anyOf: [{ header: name, valueGlob }] } });
const paths = (...anyOf) => ({ matchBasePaths: { anyOf } });

test('domain names', async (t) => {
    const server = await start(t);
    const apis = control(server);

    await t.test('a regional one, as AWS shows it', async () => {
        const made = await apis.createDomainName(regional('API.shop.test', { tags: { team: 'a' } }));
        assert.match(made.regionalDomainName, /^d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/);
        const { $metadata, certificateUploadDate, regionalDomainName, ...rest } = made;
        assert.equal($metadata.httpStatusCode, 201);
        assert.ok(certificateUploadDate instanceof Date);
        assert.deepEqual(rest, {
            domainName: 'api.shop.test', regionalHostedZoneId: 'Z1UJRXOUMOOFQ8', regionalCertificateArn: certificate,
            endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' }, domainNameStatus: 'AVAILABLE', securityPolicy: 'TLS_1_2',
            routingMode: 'BASE_PATH_MAPPING_ONLY', tags: { team: 'a' }, domainNameArn: `arn:aws:apigateway:${region}::/domainnames/api.shop.test`,
        });
        const { $metadata: _, ...got } = await apis.getDomainName({ domainName: 'api.shop.test' });
        assert.deepEqual(got, { ...rest, certificateUploadDate, regionalDomainName });
    });
    await t.test('an edge one is the default; a private one has an id', async () => {
        const made = await apis.createDomainName(edge('edge.shop.test'));
        assert.match(made.distributionDomainName, /^d[a-z0-9]{13}\.cloudfront\.net$/);
        assert.deepEqual([made.distributionHostedZoneId, made.endpointConfiguration.types], ['Z2FDTNDATAQYW2', ['EDGE']]);
        const inner = await apis.createDomainName(hidden('inner.shop.test'));
        assert.match(inner.domainNameId, /^[a-z0-9]{10}$/);
        assert.equal(inner.endpointConfiguration.ipAddressType, 'dualstack');
        assert.equal(inner.domainNameArn, `arn:aws:apigateway:${region}:${account}:/domainnames/inner.shop.test+${inner.domainNameId}`);
        assert.equal((await apis.getDomainName({ domainName: 'inner.shop.test', domainNameId: inner.domainNameId })).domainName, 'inner.shop.test');
        await rejected(apis.getDomainName({ domainName: 'inner.shop.test', domainNameId: 'other' }), 'NotFoundException', 'Invalid domain name identifier specified');
    });
    await t.test('pages', async () => {
        const first = await apis.getDomainNames({ limit: 2 });
        const second = await apis.getDomainNames({ limit: 2, position: first.position });
        assert.deepEqual([...first.items, ...second.items].map((d) => d.domainName), ['api.shop.test', 'edge.shop.test', 'inner.shop.test']);
        assert.equal(second.position, undefined);
        assert.deepEqual((await apis.getDomainNames({ resourceOwner: 'OTHER_ACCOUNTS' })).items ?? [], []);
    });
    const refusals = [
        ['the same name again', regional('api.shop.test'), /^The domain name you provided already exists\.$/],
        ['one label', regional('localhost'), /Invalid domain name/],
        ['an address', regional('127.0.0.1'), /Invalid domain name/],
        ['a star within', regional('a.*.test'), /Invalid domain name/],
        ['a star over a top level', regional('*.test'), /Invalid domain name/],
        ['a name of API Gateway', regional('x.execute-api.us-east-1.amazonaws.com'), /reserved/],
        ['no certificate', { domainName: 'a.shop.test' }, /certificate must be provided/i],
        ['a certificate of the other type', { ...edge('a.shop.test'), endpointConfiguration: { types: ['REGIONAL'] } }, /^Cannot import certificates for EDGE while REGIONAL is active\.$/],
        ['and the other way round', { ...regional('a.shop.test'), endpointConfiguration: { types: ['EDGE'] } }, /^Cannot import certificates for REGIONAL while EDGE is active\.$/],
        ['no certificate ARN', regional('a.shop.test', { regionalCertificateArn: 'arn:aws:s3:::x' }), /^Invalid certificate ARN: arn:aws:s3:::x$/],
        ['a certificate of elsewhere', regional('a.shop.test', { regionalCertificateArn: certificate.replace(region, 'eu-west-1') }), /Certificate must be in 'us-east-1'\./],
        ['a path in the ARN', regional('a.shop.test', { regionalCertificateArn: `arn:aws:acm:${region}:${account}:certificate/..` }), /no name of a certificate/],
        ['two types', regional('a.shop.test', { endpointConfiguration: { types: ['REGIONAL', 'EDGE'] } }), /multiple Endpoint Types/],
        ['TLS 1.0', regional('a.shop.test', { securityPolicy: 'TLS_1_0' }), /TLS_1_0 is not supported/],
        ['a policy that OpenSSL cannot honour', regional('a.shop.test', { securityPolicy: 'SecurityPolicy_TLS13_1_3_FIPS_2025_09', endpointAccessMode: 'BASIC' }), /FIPS/],
        ['an enhanced policy without access mode', regional('a.shop.test', { securityPolicy: 'SecurityPolicy_TLS13_1_3_2025_09' }), /endpointAccessMode/],
        ["an edge's policy", regional('a.shop.test', { securityPolicy: 'SecurityPolicy_TLS13_2025_EDGE', endpointAccessMode: 'BASIC' }), /not for endpoint type/],
        ['mutual TLS at the edge', edge('a.shop.test', { mutualTlsAuthentication: { truststoreUri: 's3://b/ca.pem' } }), /only supported for REGIONAL/],
        ['mutual TLS with another policy', regional('a.shop.test', { securityPolicy: 'SecurityPolicy_TLS13_1_3_2025_09', endpointAccessMode: 'BASIC', mutualTlsAuthentication: { truststoreUri: 's3://b/ca.pem' } }), /^Mutual TLS authentication is only supported with TLS 1\.2\.$/],
        ['a truststore that is not there', regional('a.shop.test', { mutualTlsAuthentication: { truststoreUri: 's3://b/ca.pem' } }), /truststore/],
        ['a truststore out of its folder', regional('a.shop.test', { mutualTlsAuthentication: { truststoreUri: 's3://../../etc/ssl/cert.pem' } }), /must look like/],
        ['a policy on a public one', regional('a.shop.test', { policy: '{"Version":"2012-10-17","Statement":[]}' }), /only supported for PRIVATE/],
        ['a policy that is none', hidden('a.shop.test', { policy: 'x' }), /Invalid policy document/],
        ['IPv4 only and private', hidden('a.shop.test', { endpointConfiguration: { types: ['PRIVATE'], ipAddressType: 'ipv4' } }), /Only dualstack/],
        ['a key in the call', edge('a.shop.test', { certificatePrivateKey: 'k', certificateBody: 'b' }), /certificate(Body|PrivateKey)/],
    ];
    await t.test('what is refused', async () => {
        for (const [why, input, message] of refusals)
            await assert.rejects(apis.createDomainName(input), (error) => {
                assert.equal(error.$metadata.httpStatusCode, 400, `${why}: ${error.message}`);
                assert.match(error.message, message, why);
                return true;
            });
        assert.equal((await apis.getDomainNames({})).items.length, 3);
    });
    await t.test('updates: each path, all or nothing', async () => {
        const domainName = 'api.shop.test';
        const other = certificate.replace('1111', '9999');
        const changed = await apis.updateDomainName({ domainName, ...patch(
            ['replace', '/regionalCertificateArn', other], ['replace', '/routingMode', 'ROUTING_RULE_ONLY'],
            ['replace', '/securityPolicy', 'SecurityPolicy_TLS13_1_3_2025_09'], ['replace', '/endpointAccessMode', 'BASIC'],
            ['replace', '/endpointConfiguration/ipAddressType', 'dualstack']) });
        assert.deepEqual([changed.regionalCertificateArn, changed.routingMode, changed.securityPolicy, changed.endpointConfiguration.ipAddressType],
            [other, 'ROUTING_RULE_ONLY', 'SecurityPolicy_TLS13_1_3_2025_09', 'dualstack']);
        // From regional to edge: both for a while, then the old one goes.
        const both = await apis.updateDomainName({ domainName, ...patch(['replace', '/securityPolicy', 'TLS_1_2'],
            ['add', '/endpointConfiguration/types', 'EDGE'], ['add', '/certificateArn', certificate]) });
        assert.deepEqual(both.endpointConfiguration.types, ['REGIONAL', 'EDGE']);
        assert.ok(both.distributionDomainName && both.regionalDomainName);
        const gone = await apis.updateDomainName({ domainName, ...patch(['remove', '/endpointConfiguration/types', 'REGIONAL'], ['remove', '/regionalCertificateArn']) });
        assert.deepEqual([gone.endpointConfiguration.types, gone.regionalDomainName], [['EDGE'], undefined]);
        await apis.updateDomainName({ domainName, ...patch(['replace', '/endpointConfiguration/types/EDGE', 'REGIONAL'], ['remove', '/certificateArn'], ['add', '/regionalCertificateArn', certificate]) });
        for (const [operations, message] of [
            [[['replace', '/domainName', 'x.test']], /Invalid patch path \/domainName/],
            [[['add', '/routingMode', 'ROUTING_RULE_ONLY']], /Invalid patch operation specified/],
            [[['replace', '/routingMode', 'SIDEWAYS']], /Invalid routing mode/],
            [[['replace', '/securityPolicy', 'TLS_1_0']], /TLS_1_0/],
            [[['replace', '/routingMode', 'ROUTING_RULE_ONLY'], ['remove', '/regionalCertificateArn']], /certificate must be provided/i],
            [[['remove', '/endpointConfiguration/types', 'PRIVATE']], /Invalid patch path/],
        ])
            await rejected(apis.updateDomainName({ domainName, ...patch(...operations) }), 'BadRequestException', message);
        assert.equal((await apis.getDomainName({ domainName })).endpointConfiguration.types[0], 'REGIONAL');
    });
    await t.test('tags', async () => {
        const resourceArn = `arn:aws:apigateway:${region}::/domainnames/api.shop.test`;
        await apis.tagResource({ resourceArn, tags: { more: 'b' } });
        await apis.untagResource({ resourceArn, tagKeys: ['team'] });
        assert.deepEqual((await apis.getTags({ resourceArn })).tags, { more: 'b' });
        assert.deepEqual((await apis.getDomainName({ domainName: 'api.shop.test' })).tags, { more: 'b' });
    });
    await t.test('gone is gone, and survives a restart', async () => {
        await apis.deleteDomainName({ domainName: 'edge.shop.test' });
        await rejected(apis.deleteDomainName({ domainName: 'edge.shop.test' }), 'NotFoundException', 'Invalid domain name identifier specified');
        await server.restart('SIGTERM');
        assert.deepEqual((await control(server).getDomainNames({})).items.map((d) => d.domainName), ['api.shop.test', 'inner.shop.test']);
    });
});

test('base path mappings', async (t) => {
    const server = await start(t);
    const apis = control(server);
    const [pets, orders, deep] = [await telling(server, 'pets'), await telling(server, 'orders'), await telling(server, 'deep')];
    const domainName = 'api.shop.test';
    await apis.createDomainName(regional(domainName));
    await apis.createDomainName(regional('*.wild.test'));

    await t.test('nothing mapped is 403, and the domain hides what else is here', async () => {
        forbidden(await at(server, domainName, '/pets'));
        forbidden(await at(server, domainName, '/_gatehouse/health'));
        forbidden(await at(server, domainName, `/_aws/execute-api/${pets.id}/dev/pets`));
        forbidden(await at(server, domainName, '/restapis'));
    });
    await t.test('the longest fits, segment by segment', async () => {
        assert.deepEqual(await apis.createBasePathMapping({ domainName, restApiId: pets.id, stage: 'dev' }).then(({ $metadata, ...m }) => m),
            { basePath: '(none)', restApiId: pets.id, stage: 'dev' });
        await apis.createBasePathMapping({ domainName, basePath: 'v1', restApiId: orders.id, stage: 'dev' });
        await apis.createBasePathMapping({ domainName, basePath: 'v1/deep/er', restApiId: deep.id });
        const seen = async (path) => (await at(server, domainName, path)).json();
        assert.deepEqual(await seen('/pets/7'), { api: 'pets', stage: 'dev', path: '/pets/7', resource: '/pets/{id}', domain: domainName, prefix: 'api', id: '7' });
        assert.deepEqual([(await seen('/v1/pets')).api, (await seen('/v1/pets')).path], ['orders', '/v1/pets']);
        assert.deepEqual([(await seen('/v1')).api, (await seen('/v1/')).api, (await seen('/v1')).path], ['orders', 'orders', '/v1']);
        assert.deepEqual(await seen('/v1/deep/er/dev/pets/9?x=1'), { api: 'deep', stage: 'dev', path: '/v1/deep/er/dev/pets/9', resource: '/pets/{id}', domain: domainName, prefix: 'api', id: '9' });
        noMatch(await at(server, domainName, '/v1/deep')); // orders has no such resource
        noMatch(await at(server, domainName, '/v1x')); // not /v1: what is mapped to nothing
        noMatch(await at(server, domainName, '/V1/pets')); // case counts
        noMatch(await at(server, domainName, '//v1/pets'));
        forbidden(await at(server, domainName, '/v1/deep/er/prod/pets')); // a stage that is not there
    });
    await t.test('the path that a function sees has the base path, the ARN has not', async () => {
        const arn = await fn(server, 'echo', 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });');
        const proxy = await api(server, { 'GET /{all+}': { integration: lambdaProxy(arn) } }, { name: 'proxy' });
        await apis.createBasePathMapping({ domainName, basePath: 'fn/v2', restApiId: proxy.id, stage: 'dev' });
        const event = (await at(server, domainName, '/fn/v2/a/b')).json();
        assert.deepEqual([event.path, event.requestContext.path, event.resource, event.pathParameters], ['/fn/v2/a/b', '/fn/v2/a/b', '/{all+}', { all: 'a/b' }]);
        assert.deepEqual([event.requestContext.domainName, event.requestContext.domainPrefix, event.requestContext.stage], [domainName, 'api', 'dev']);
        assert.equal(event.headers['X-Forwarded-Proto'], 'http');
    });
    await t.test('wild cards: one label, and an exact name comes first', async () => {
        await apis.createBasePathMapping({ domainName: '*.wild.test', restApiId: pets.id, stage: 'dev' });
        assert.equal((await at(server, 'a.wild.test', '/pets')).json().domain, 'a.wild.test');
        assert.equal((await at(server, 'A.WILD.test:8443', '/pets')).json().prefix, 'a');
        assert.equal((await at(server, 'a.b.wild.test', '/pets')).status, 404);
        await apis.createDomainName(regional('b.wild.test'));
        forbidden(await at(server, 'b.wild.test', '/pets'));
    });
    await t.test('/ping is the service\'s own', async () => {
        const answer = await at(server, domainName, '/ping');
        assert.deepEqual([answer.status, answer.text], [200, 'healthy']);
    });
    await t.test('what is refused', async () => {
        const make = (more) => apis.createBasePathMapping({ domainName, restApiId: pets.id, stage: 'dev', ...more });
        await rejected(make({}), 'ConflictException', 'Base path already exists for this domain name');
        await rejected(make({ basePath: 'v1' }), 'ConflictException', 'Base path already exists for this domain name');
        await rejected(make({ domainName: 'none.test' }), 'NotFoundException', 'Invalid domain name identifier specified');
        await rejected(make({ basePath: 'x', restApiId: 'nothing' }), 'BadRequestException', 'Invalid REST API identifier specified');
        await rejected(make({ basePath: 'x', stage: 'prod' }), 'BadRequestException', 'Invalid stage identifier specified');
        for (const basePath of ['/x', 'x/', 'x//y', 'a b', 'ä', 'x?y', '%2f', 'x'.repeat(301)])
            await rejected(make({ basePath }), 'BadRequestException', /API mapping key may/);
        await apis.createDomainName(edge('edge.shop.test'));
        await rejected(make({ domainName: 'edge.shop.test', basePath: 'a/b' }), 'BadRequestException', /REGIONAL/);
        await rejected(apis.getBasePathMapping({ domainName, basePath: 'nope' }), 'NotFoundException', 'Invalid base path mapping identifier specified');
        await rejected(apis.deleteRestApi({ restApiId: pets.id }), 'BadRequestException', /remove all base path mappings/);
    });
    await t.test('read, change, take away: live when the call returns', async () => {
        assert.deepEqual((await apis.getBasePathMapping({ domainName, basePath: 'v1/deep/er' })).restApiId, deep.id);
        const first = await apis.getBasePathMappings({ domainName, limit: 3 });
        const rest = await apis.getBasePathMappings({ domainName, limit: 3, position: first.position });
        assert.deepEqual([...first.items, ...rest.items].map((m) => m.basePath), ['(none)', 'fn/v2', 'v1', 'v1/deep/er']);
        const moved = await apis.updateBasePathMapping({ domainName, basePath: 'v1', ...patch(['replace', '/basePath', 'v2'], ['replace', '/restapiId', deep.id]) });
        assert.deepEqual([moved.basePath, moved.restApiId, moved.stage], ['v2', deep.id, 'dev']);
        assert.equal((await at(server, domainName, '/v2/pets')).json().api, 'deep');
        noMatch(await at(server, domainName, '/v1/pets'));
        await rejected(apis.updateBasePathMapping({ domainName, basePath: 'v2', ...patch(['replace', '/basePath', '(none)']) }), 'ConflictException');
        await rejected(apis.updateBasePathMapping({ domainName, basePath: 'v2', ...patch(['replace', '/stage', 'prod']) }), 'BadRequestException', 'Invalid stage identifier specified');
        await rejected(apis.updateBasePathMapping({ domainName, basePath: 'v2', ...patch(['add', '/stage', 'dev']) }), 'BadRequestException', /Invalid patch path/);
        await apis.deleteBasePathMapping({ domainName, basePath: '(none)' });
        forbidden(await at(server, domainName, '/pets'));
        await apis.deleteDomainName({ domainName });
        assert.equal((await at(server, domainName, '/v2/pets')).status, 404); // no domain, no API
    });
    await t.test('API mappings are the same under other names', async () => {
        const call = second(server);
        await apis.createDomainName(regional('two.shop.test'));
        const at2 = 'two.shop.test/apimappings';
        const made = await call('POST', at2, { apiId: pets.id, stage: 'dev', apiMappingKey: 'v1/deep' });
        assert.equal(made.status, 201, JSON.stringify(made.body));
        assert.deepEqual({ ...made.body, apiMappingId: 'x' }, { apiId: pets.id, apiMappingId: 'x', apiMappingKey: 'v1/deep', stage: 'dev' });
        assert.equal((await apis.getBasePathMapping({ domainName: 'two.shop.test', basePath: 'v1/deep' })).restApiId, pets.id);
        assert.equal((await at(server, 'two.shop.test', '/v1/deep/pets')).json().api, 'pets');
        await apis.createBasePathMapping({ domainName: 'two.shop.test', restApiId: orders.id, stage: 'dev' });
        const one = await call('GET', `${at2}?maxResults=1`);
        const rest = await call('GET', `${at2}?maxResults=1&nextToken=${encodeURIComponent(one.body.nextToken)}`);
        assert.deepEqual([...one.body.items, ...rest.body.items].map((m) => [m.apiMappingKey, m.apiId]), [['', orders.id], ['v1/deep', pets.id]]);
        const id = made.body.apiMappingId;
        const moved = await call('PATCH', `${at2}/${id}`, { apiId: deep.id, apiMappingKey: 'v2' });
        assert.deepEqual(moved.body, { apiId: deep.id, apiMappingId: id, apiMappingKey: 'v2', stage: 'dev' });
        assert.equal((await at(server, 'two.shop.test', '/v2/pets')).json().api, 'deep');
        for (const [method, path, body, status, type] of [
            ['POST', at2, { apiId: pets.id, stage: 'dev', apiMappingKey: 'v2' }, 409, 'ConflictException'],
            ['POST', at2, { apiId: pets.id, stage: 'prod', apiMappingKey: 'x' }, 400, 'BadRequestException'],
            ['POST', at2, { apiId: pets.id, apiMappingKey: 'x' }, 400, 'BadRequestException'],
            ['POST', at2, { apiId: 'none', stage: 'dev', apiMappingKey: 'x' }, 400, 'BadRequestException'],
            ['POST', 'none.test/apimappings', { apiId: pets.id, stage: 'dev' }, 404, 'NotFoundException'],
            ['PATCH', `${at2}/${id}`, { apiId: deep.id, apiMappingKey: '' }, 409, 'ConflictException'],
            ['GET', `${at2}/nope`, undefined, 404, 'NotFoundException'],
        ]) {
            const answer = await call(method, path, body);
            assert.deepEqual([answer.status, answer.type], [status, type], `${method} ${path} ${JSON.stringify(answer.body)}`);
        }
        assert.equal((await call('DELETE', `${at2}/${id}`)).status, 204);
        assert.equal((await call('GET', `${at2}/${id}`)).status, 404);
    });
    await t.test('a reset takes domains too', async () => {
        assert.equal((await server.fetch('/_gatehouse/reset', { method: 'POST' })).status, 200);
        assert.deepEqual((await apis.getDomainNames({})).items ?? [], []);
        assert.equal((await at(server, 'a.wild.test', '/pets')).status, 404);
    });
});

test('routing rules', async (t) => {
    const server = await start(t);
    const apis = control(server);
    const rule = rules(server);
    const domainName = 'api.shop.test';
    const [old, fresh, beta] = [await telling(server, 'old'), await telling(server, 'fresh'), await telling(server, 'beta', ['GET /', 'GET /pets', 'GET /beta/pets'])];
    await apis.createDomainName(regional(domainName, { routingMode: 'ROUTING_RULE_THEN_BASE_PATH_MAPPING' }));
    await apis.createBasePathMapping({ domainName, restApiId: old.id, stage: 'dev' });
    const seen = async (path, headers) => (await at(server, domainName, path, headers)).json().api;

    let first;
    await t.test('headers and paths, by priority, then mappings', async () => {
        const made = await rule.create(domainName, { priority: 100, conditions: [header('x-version', 'beta*'), paths('beta')], actions: invoke(beta) });
        assert.equal(made.status, 201, JSON.stringify(made.body));
        first = made.body;
        assert.match(first.routingRuleId, /^[a-z0-9]{6}$/);
        assert.equal(first.routingRuleArn, `arn:aws:apigateway:${region}:${account}:/domainnames/${domainName}/routingrules/${first.routingRuleId}`);
        assert.equal((await rule.create(domainName, { priority: 50, conditions: [header('X-Version', '*2')], actions: invoke(fresh) })).status, 201);
        assert.equal(await seen('/pets'), 'old');
        assert.equal(await seen('/pets', { 'X-VERSION': '1.2' }), 'fresh');
        assert.equal(await seen('/beta/pets', { 'x-version': 'beta-7' }), 'beta'); // not stripped: the API has /beta/pets
        assert.equal(await seen('/pets', { 'x-version': 'beta-7' }), 'old'); // both conditions must hold
        assert.equal(await seen('/pets', { 'x-version': 'Beta-7' }), 'old');
        noMatch(await at(server, domainName, '/beta/pets', { 'x-version': 'beta2' })); // 50 comes before 100: fresh has no /beta/pets
    });
    await t.test('stripBasePath, several values, a literal question mark', async () => {
        const put = await rule.put(domainName, first.routingRuleId, { priority: 10, conditions: [paths('beta', 'beta/more')], actions: invoke(beta, { stripBasePath: true }) });
        assert.deepEqual([put.status, put.body.routingRuleId, put.body.priority], [200, first.routingRuleId, 10]);
        assert.equal(await seen('/beta/pets'), 'beta');
        assert.equal((await at(server, domainName, '/beta/more/pets')).json().path, '/beta/more/pets');
        const ask = await rule.create(domainName, { priority: 11, conditions: [header('x-ask', 'a?c')], actions: invoke(fresh) });
        assert.equal(await seen('/pets', { 'x-ask': 'a?c' }), 'fresh');
        assert.equal(await seen('/pets', { 'x-ask': 'abc' }), 'old');
        assert.equal((await rule.remove(domainName, ask.body.routingRuleId)).status, 204);
        assert.equal(await seen('/pets', { 'x-ask': 'a?c' }), 'old');
    });
    await t.test('only rules; a rule without conditions takes what is left', async () => {
        await apis.updateDomainName({ domainName, ...patch(['replace', '/routingMode', 'ROUTING_RULE_ONLY']) });
        forbidden(await at(server, domainName, '/pets'));
        await rule.create(domainName, { priority: 1000000, conditions: [], actions: invoke(fresh) });
        assert.equal(await seen('/pets'), 'fresh');
        await apis.updateDomainName({ domainName, ...patch(['replace', '/routingMode', 'BASE_PATH_MAPPING_ONLY']) });
        assert.equal(await seen('/pets'), 'old');
    });
    await t.test('pages by priority', async () => {
        const one = await rule.list(domainName, '?maxResults=2');
        const two = await rule.list(domainName, `?maxResults=2&nextToken=${encodeURIComponent(one.body.nextToken)}`);
        assert.deepEqual([...one.body.routingRules, ...two.body.routingRules].map((r) => r.priority), [10, 50, 1000000]);
        assert.equal(two.body.nextToken, undefined);
        assert.deepEqual((await rule.get(domainName, first.routingRuleId)).body.conditions, [paths('beta', 'beta/more')]);
    });
    await t.test('what is refused', async () => {
        const good = { priority: 7, conditions: [], actions: invoke(fresh) };
        const rows = [
            ['the same priority', { ...good, priority: 50 }, 409, 'ConflictException'],
            ['no action', { ...good, actions: [] }, 400],
            ['two actions', { ...good, actions: [...invoke(fresh), ...invoke(old)] }, 400],
            ['priority 0', { ...good, priority: 0 }, 400],
            ['no such API', { ...good, actions: [{ invokeApi: { apiId: 'nothing', stage: 'dev' } }] }, 400],
            ['no such stage', { ...good, actions: [{ invokeApi: { apiId: fresh.id, stage: 'prod' } }] }, 400],
            ['three headers', { ...good, conditions: [header('a', 'b'), header('c', 'd'), header('e', 'f')] }, 400],
            ['two paths', { ...good, conditions: [paths('a'), paths('b')] }, 400],
            ['a star within', { ...good, conditions: [header('a', 'b*c')] }, 400],
            ['no header name', { ...good, conditions: [header('a b', 'c')] }, 400],
            ['a condition of nothing', { ...good, conditions: [{}] }, 400],
            ['a path that is none', { ...good, conditions: [paths('/x')] }, 400],
            ['a long value', { ...good, conditions: [header('a', 'x'.repeat(129))] }, 400],
        ];
        for (const [why, body, status, type] of rows) {
            const answer = await rule.create(domainName, body);
            assert.equal(answer.status, status, `${why}: ${JSON.stringify(answer.body)}`);
            assert.equal(answer.type, type ?? 'BadRequestException', why);
        }
        assert.equal((await rule.put(domainName, 'nope', good)).status, 404);
        assert.equal((await rule.get('none.test', 'x')).status, 404);
    });
});

test('private domains', async (t) => {
    const server = await start(t);
    const apis = control(server);
    const one = await telling(server, 'inner', ['GET /'], { make: { endpointConfiguration: { types: ['PRIVATE'] } } }).catch((error) => error);
    const domainName = 'inner.shop.test';
    const allow = (condition) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: '*', ...(condition && { Condition: condition }) }] });
    const made = await apis.createDomainName(hidden(domainName));
    const why = async () => {
        const answer = await at(server, domainName, '/');
        forbidden(answer);
        const trace = await (await server.fetch(`/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).json();
        return trace.steps.flatMap((s) => s.notes ?? []).find((n) => n.what === 'domain')?.detail;
    };
    await t.test('no way in without association and policy', async () => {
        assert.match(await why(), /no access association/);
        await rejected(apis.createDomainNameAccessAssociation({ domainNameArn: made.domainNameArn, accessAssociationSourceType: 'VPCE', accessAssociationSource: 'vpc-1' }), 'BadRequestException', /VPC endpoint/);
        const association = await apis.createDomainNameAccessAssociation({ domainNameArn: made.domainNameArn, accessAssociationSourceType: 'VPCE', accessAssociationSource: 'vpce-1', tags: { a: 'b' } });
        assert.equal(association.domainNameAccessAssociationArn, `arn:aws:apigateway:${region}:${account}:/domainnameaccessassociations/domainname/${domainName}+${made.domainNameId}/vpcesource/vpce-1`);
        assert.match(await why(), /policy allows nobody/);
        await rejected(apis.createDomainNameAccessAssociation({ domainNameArn: made.domainNameArn, accessAssociationSourceType: 'VPCE', accessAssociationSource: 'vpce-1' }), 'ConflictException');
        const { items } = await apis.getDomainNameAccessAssociations({});
        assert.deepEqual(items.map((i) => [i.accessAssociationSource, i.tags]), [['vpce-1', { a: 'b' }]]);
        await rejected(apis.rejectDomainNameAccessAssociation({ domainNameArn: made.domainNameArn, domainNameAccessAssociationArn: items[0].domainNameAccessAssociationArn }), 'BadRequestException', /DeleteDomainNameAccessAssociation/);
    });
    await t.test('its policy decides, asked for each endpoint', async () => {
        await apis.updateDomainName({ domainName, ...patch(['replace', '/policy', allow({ StringEquals: { 'aws:SourceVpce': 'vpce-2' } })]) });
        assert.match(await why(), /policy of the private domain does not allow/);
        await apis.updateDomainName({ domainName, ...patch(['replace', '/policy', allow({ StringEquals: { 'aws:SourceVpce': 'vpce-1' } })]) });
        assert.match(await why(), /no base path mapping/); // it is in
        await apis.updateDomainName({ domainName, ...patch(['replace', '/policy', allow({ NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } })]) });
        assert.match(await why(), /policy of the private domain/);
        const { items } = await apis.getDomainNameAccessAssociations({});
        await apis.deleteDomainNameAccessAssociation({ domainNameAccessAssociationArn: items[0].domainNameAccessAssociationArn });
        assert.match(await why(), /no access association/);
    });
    await t.test('private goes with private', async () => {
        const open = await telling(server, 'open', ['GET /']);
        await rejected(apis.createBasePathMapping({ domainName, restApiId: open.id, stage: 'dev' }), 'BadRequestException', /Only private APIs/);
        await apis.createDomainName(regional('open.shop.test'));
        const closed = await apis.createRestApi({ name: 'closed', endpointConfiguration: { types: ['PRIVATE'] } });
        await rejected(apis.createBasePathMapping({ domainName: 'open.shop.test', restApiId: closed.id }), 'BadRequestException', /private custom domain/);
        assert.ok(one);
    });
});

test('the host that the server itself is called by is never a domain', async (t) => {
    const server = await start(t, { args: ['--base-url', 'https://gate.corp.test'] });
    const apis = control(server);
    await rejected(apis.createDomainName(regional('gate.corp.test')), 'BadRequestException', /reserved/);
    await apis.createDomainName(regional('*.corp.test'));
    assert.equal((await at(server, 'gate.corp.test', '/_gatehouse/health')).status, 200);
    forbidden(await at(server, 'other.corp.test', '/_gatehouse/health'));
});
