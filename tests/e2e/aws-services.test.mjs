// Integrations with AWS's services, signed by the integration's role: against real servers of the protocol where
// there are such (DynamoDB: dynalite, S3: s3rver, SQS: sqslite, Cognito and STS: Gatehouse itself), and against a
// server that checks the signature with AWS's own signer where there is none (SNS, Step Functions, SSM).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { createRequire } from 'node:module';
import * as iam from '@aws-sdk/client-iam';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import dynalite from 'dynalite';
import S3rver from 's3rver';

import { api } from './support/apis.mjs';
import { account, atEnd, region, request, scratch, start } from './support/harness.mjs';
import { signedHeaders } from './support/sign.mjs';
import { key, verifyingServer, withKey } from './support/verifying.mjs';

const sqslite = createRequire(import.meta.url)('sqslite');
const json = { 'content-type': 'application/json' };
const action = (service, name) => `arn:aws:apigateway:${region}:${service}:action/${name}`;
const path = (service, rest) => `arn:aws:apigateway:${region}:${service}:path/${rest}`;

async function role(server, RoleName, Action) {
    const client = server.client(iam.IAMClient);
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'apigateway.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    const { Role } = await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    if (Action)
        await client.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }) }));
    return Role.Arn;
}

test('DynamoDB (dynalite): items in and out, and its errors', async (t) => {
    const tables = dynalite({ createTableMs: 0 });
    await new Promise((resolve) => tables.listen(0, '127.0.0.1', resolve));
    atEnd(t, () => new Promise((resolve) => tables.close(resolve)));
    const url = `http://127.0.0.1:${tables.address().port}`;
    const direct = async (target, body) => {
        const headers = { 'x-amz-target': `DynamoDB_20120810.${target}`, 'content-type': 'application/x-amz-json-1.0' };
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers: await signedHeaders(url, key, { service: 'dynamodb', method: 'POST', headers, body: JSON.stringify(body) }) });
        assert.equal(answer.status, 200, await answer.clone().text());
        return answer.json();
    };
    await direct('CreateTable', { TableName: 'pets', AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], BillingMode: 'PAY_PER_REQUEST' });
    const server = await start(t, { args: ['--endpoint', `dynamodb=${url}`] });
    const credentials = await role(server, 'tables');
    const call = (name, template) => ({ type: 'AWS', integrationHttpMethod: 'POST', uri: action('dynamodb', name), credentials, requestTemplates: { 'application/json': template } });
    const one = await api(server, {
        'POST /pets': { integration: call('PutItem', `{"TableName":"pets","Item":{"id":{"S":$input.json('$.id')},"kind":{"S":"$util.escapeJavaScript($input.path('$.kind'))"}}}`) },
        'GET /pets/{id}': {
            integration: call('GetItem', `{"TableName":"pets","Key":{"id":{"S":"$input.params('id')"}}}`),
            answers: { 200: { responseTemplates: { 'application/json': `#set($i=$input.path('$.Item')){"id":"$i.id.S","kind":"$i.kind.S"}` } } },
        },
        'GET /missing': {
            integration: call('GetItem', '{"TableName":"nowhere","Key":{"id":{"S":"1"}}}'),
            answers: { 200: {}, 404: { selectionPattern: '4\\d\\d', responseTemplates: { 'application/json': `{"error":"$input.path('$.__type')"}` } } },
        },
    });
    const put = await request(`${one.url}/pets`, { method: 'POST', headers: json, body: '{"id":"7","kind":"cat"}' });
    assert.deepEqual([put.status, put.json()], [200, {}]);
    assert.deepEqual((await direct('GetItem', { TableName: 'pets', Key: { id: { S: '7' } } })).Item, { id: { S: '7' }, kind: { S: 'cat' } });
    assert.deepEqual((await request(`${one.url}/pets/7`)).json(), { id: '7', kind: 'cat' });
    const missing = await request(`${one.url}/missing`);
    assert.deepEqual([missing.status, missing.json()], [404, { error: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException' }]);
});

test('S3 (s3rver, which checks signatures): objects, binary too, by path and by subdomain', async (t) => {
    const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: scratch(t, 's3'), serviceEndpoint: 'localhost', configureBuckets: [{ name: 'shelf' }] });
    const { port } = await s3.run();
    atEnd(t, () => s3.close());
    const server = await start(t, { args: ['--endpoint', `s3=http://S3RVER:S3RVER@s3.localhost:${port}`] });
    const credentials = await role(server, 'shelf');
    const params = { 'method.request.path.key': true };
    const integration = (integrationHttpMethod, uri, more) => ({ type: 'AWS', integrationHttpMethod, uri, credentials, requestParameters: { 'integration.request.path.key': 'method.request.path.key' }, ...more });
    const typed = { 200: { responseParameters: { 'method.response.header.Content-Type': 'integration.response.header.Content-Type', 'method.response.header.ETag': 'integration.response.header.ETag' } } };
    const one = await api(server, {
        'PUT /files/{key}': { method: { requestParameters: { ...params, 'method.request.header.Content-Type': false } }, integration: integration('PUT', path('s3', 'shelf/{key}'), { requestParameters: { 'integration.request.path.key': 'method.request.path.key', 'integration.request.header.Content-Type': 'method.request.header.Content-Type' } }), answers: typed },
        'GET /files/{key}': { method: { requestParameters: params }, integration: integration('GET', path('s3', 'shelf/{key}')), answers: { ...typed, 404: { selectionPattern: '404' }, 403: { selectionPattern: '403' } } },
        'GET /vhost/{key}': { method: { requestParameters: params }, integration: integration('GET', path('shelf.s3', '{key}')), answers: { ...typed, 404: { selectionPattern: '404' }, 403: { selectionPattern: '403' } } },
    }, { make: { binaryMediaTypes: ['image/png'] } });
    const image = crypto.randomBytes(70000);
    const stored = await request(`${one.url}/files/a%20b+c.png`, { method: 'PUT', headers: { 'content-type': 'image/png' }, body: image });
    assert.equal(stored.status, 200, stored.text);
    assert.equal(stored.headers.etag, `"${crypto.createHash('md5').update(image).digest('hex')}"`);
    for (const way of ['files', 'vhost']) {
        const answer = await fetch(`${one.url}/${way}/a%20b+c.png`, { headers: { accept: 'image/png' } });
        assert.equal(answer.status, 200, way);
        assert.equal(answer.headers.get('content-type'), 'image/png');
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), image);
    }
    assert.equal((await request(`${one.url}/files/none`)).status, 404);
});

test('SQS (sqslite): SendMessage as an action and as a form', async (t) => {
    const queues = sqslite({ logger: false });
    const url = (await queues.listen(0, '127.0.0.1')).replace('127.0.0.1', 'localhost');
    atEnd(t, () => queues.close());
    const form = (body) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(body) }).then((a) => a.text());
    const queueUrl = /<QueueUrl>(.*)<\/QueueUrl>/.exec(await form({ Action: 'CreateQueue', QueueName: 'orders' }))[1];
    const server = await start(t, { args: ['--endpoint', `sqs=${url}`] });
    const credentials = await role(server, 'queues');
    const one = await api(server, {
        'GET /order': {
            method: { requestParameters: { 'method.request.querystring.what': true } },
            integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: action('sqs', 'SendMessage'), credentials, requestParameters: { 'integration.request.querystring.QueueUrl': `'${queueUrl}'`, 'integration.request.querystring.MessageBody': 'method.request.querystring.what' } },
            answers: { 200: { responseTemplates: { 'application/json': '{"sent":true}' } }, 500: { selectionPattern: '[45].*' } },
        },
        'POST /order': {
            integration: {
                type: 'AWS', integrationHttpMethod: 'POST', uri: path('sqs', ''), credentials,
                requestParameters: { 'integration.request.header.Content-Type': "'application/x-www-form-urlencoded'" },
                requestTemplates: { 'application/json': `Action=SendMessage&Version=2012-11-05&QueueUrl=$util.urlEncode('${queueUrl}')&MessageBody=$util.urlEncode($input.body)` },
            },
            answers: { 200: { responseTemplates: { 'application/json': '{"sent":true}' } }, 500: { selectionPattern: '[45].*' } },
        },
    });
    const first = await request(`${one.url}/order?what=1%20%26%20tea`);
    assert.deepEqual([first.status, first.text], [200, '{"sent":true}']);
    assert.equal((await request(`${one.url}/order`, { method: 'POST', headers: json, body: '{"what":"2 coffees"}' })).status, 200);
    const received = await form({ Action: 'ReceiveMessage', QueueUrl: queueUrl, MaxNumberOfMessages: '10' });
    assert.deepEqual([...received.matchAll(/<Body>(.*?)<\/Body>/g)].map((m) => m[1].replaceAll('&amp;', '&').replaceAll('&quot;', '"')).sort(), ['1 & tea', '{"what":"2 coffees"}']);
});

test('SNS, Step Functions, SSM, SQS by JSON: what is sent, and that its signature is right', async (t) => {
    const aws = await verifyingServer(t, ({ headers }) => ({
        body: headers['x-amz-target'] === 'AWSStepFunctions.StartExecution' ? '{"executionArn":"arn:aws:states:x","startDate":1.7e9}' : '{"ok":true}',
    }));
    const names = ['sns', 'states', 'ssm', 'sqs', 'runtime.sagemaker'];
    const server = await start(t, { args: names.flatMap((name) => ['--endpoint', `${name}=${withKey(aws.url)}/base/`]) });
    const credentials = await role(server, 'all');
    const as = (uri, more) => ({ type: 'AWS', integrationHttpMethod: 'POST', uri, credentials, ...more });
    const one = await api(server, {
        'GET /publish': { integration: as(action('sns', 'Publish&Subject=hi'), { requestParameters: { 'integration.request.querystring.Message': "'a b&c=d'", 'integration.request.querystring.TopicArn': "'arn:aws:sns:us-east-1:1:t'" } }) },
        'POST /start': { integration: as(action('states', 'StartExecution'), { requestTemplates: { 'application/json': `{"stateMachineArn":"arn:x","input":"$util.escapeJavaScript($input.body)"}` } }) },
        'GET /parameter': { integration: as(action('ssm', 'GetParameter'), { requestParameters: { 'integration.request.querystring.Name': "'p'" } }) },
        'GET /listed': { integration: as(action('sns', 'ListTopics'), { integrationHttpMethod: 'GET' }) },
        'POST /queue': { integration: as(path('sqs', ''), { requestParameters: { 'integration.request.header.X-Amz-Target': "'AmazonSQS.SendMessage'", 'integration.request.header.Content-Type': "'application/x-amz-json-1.0'" } }) },
        'POST /model': { integration: as(path('runtime.sagemaker', 'endpoints/{e}/invocations'), { requestParameters: { 'integration.request.path.e': "'a b'" } }) },
    });
    const go = async (route, options) => {
        const answer = await request(one.url + route, options);
        assert.equal(answer.status, 200, `${route}: ${answer.text} ${JSON.stringify(aws.calls.at(-1))}`);
        const seen = aws.calls.at(-1);
        assert.ok(seen.signature.ok, `${route}: ${JSON.stringify(seen)}`);
        return { seen, answer };
    };
    const published = (await go('/publish')).seen;
    assert.deepEqual([published.url, published.signature.service, published.headers['content-type']], ['/base', 'sns', 'application/x-www-form-urlencoded']);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(published.body)), { Action: 'Publish', Version: '2010-03-31', Subject: 'hi', Message: 'a b&c=d', TopicArn: 'arn:aws:sns:us-east-1:1:t' });
    const started = await go('/start', { method: 'POST', headers: json, body: '{"n":"\\"1\\""}' });
    assert.deepEqual(Object.keys(started.answer.json()), ['executionArn', 'startDate']);
    assert.deepEqual([started.seen.headers['content-type'], JSON.parse(JSON.parse(started.seen.body).input)], ['application/x-amz-json-1.0', { n: '"1"' }]);
    const parameter = (await go('/parameter')).seen;
    assert.deepEqual(Object.fromEntries(new URLSearchParams(parameter.body)), { Action: 'GetParameter', Version: '2014-11-06', Name: 'p' });
    assert.equal((await go('/listed')).seen.url, '/base?Action=ListTopics&Version=2010-03-31');
    assert.equal((await go('/queue', { method: 'POST', headers: json, body: '{"QueueUrl":"q","MessageBody":"m"}' })).seen.url, '/base/');
    const model = (await go('/model', { method: 'POST', headers: json, body: '{}' })).seen;
    assert.deepEqual([model.url, model.signature.service], ['/base/endpoints/a%20b/invocations', 'sagemaker']);
});

test('a role acts on Gatehouse itself', async (t) => {
    const aws = await verifyingServer(t, () => ({ anyway: true }));
    const server = await start(t, { args: ['--endpoint', `sns=${aws.url}`] });
    await server.client(idp.CognitoIdentityProviderClient).send(new idp.CreateUserPoolCommand({ PoolName: 'pool' }));
    const may = await role(server, 'may', ['cognito-idp:ListUserPools', 'sts:GetCallerIdentity']);
    const mayNot = await role(server, 'may-not');
    const list = (credentials) => ({
        integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: action('cognito-idp', 'ListUserPools'), credentials, requestTemplates: { 'application/json': '{"MaxResults":5}' } },
        answers: { 200: {}, 403: { selectionPattern: '4\\d\\d' } },
    });
    const one = await api(server, {
        'GET /pools': list(may),
        'GET /no-pools': list(mayNot),
        'GET /who': { integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: action('sts', 'GetCallerIdentity'), credentials: may } },
        'GET /topics': { integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: action('sns', 'ListTopics'), credentials: may } },
    });
    assert.deepEqual((await request(`${one.url}/pools`)).json().UserPools.map((p) => p.Name), ['pool']);
    const no = await request(`${one.url}/no-pools`);
    assert.equal(no.status, 403);
    assert.match(no.text, /User: arn:aws:sts::000000000000:assumed-role\/may-not\/BackplaneAssumeRoleSession is not authorized to perform: cognito-idp:ListUserPools/);
    assert.match((await request(`${one.url}/who`)).text, /assumed-role\/may\/BackplaneAssumeRoleSession/);
    await request(`${one.url}/topics`);
    assert.match(aws.calls[0].headers.authorization, /Credential=ASIA[A-Z2-7]{16}\/\d{8}\/us-east-1\/sns\/aws4_request, SignedHeaders=[^,]*x-amz-security-token/);
    assert.ok(aws.calls[0].headers['x-amz-security-token'].length > 50);
});

test('what cannot be served is refused by name', async (t) => {
    const server = await start(t, { args: ['--endpoint', 'sns=http://127.0.0.1:1'] });
    const credentials = `arn:aws:iam::${account}:role/any`;
    const rows = [
        [{ uri: action('sqs', 'SendMessage'), credentials }, "GET /x: the AWS service 'sqs' has no endpoint here: --endpoint sqs=URL says where it is"],
        [{ uri: action('sns', 'Publish') }, 'GET /x: Role ARN must be specified for AWS integrations'],
        [{ uri: path('sns', 'x'), credentials: 'arn:aws:iam::*:user/*' }, "GET /x: the caller's credentials can only be passed through by a method with AWS_IAM"],
        [{ uri: action('sns', ''), credentials }, "GET /x: the integration's uri names no action"],
    ];
    for (const [integration, message] of rows)
        await t.test(message, () => assert.rejects(api(server, { 'GET /x': { integration: { type: 'AWS', integrationHttpMethod: 'POST', ...integration } } }), { name: 'BadRequestException', message }));
    for (const [value, why] of [['sqs', /an AWS service and an http/], ['sqs=ftp://x', /an AWS service/], ['=http://x', /an AWS service/]])
        await assert.rejects(start(t, { args: ['--endpoint', value] }), why);
    await t.test('an endpoint that is down: 504, and the role is not at fault', async () => {
        const arn = await role(server, 'down');
        const one = await api(server, { 'GET /x': { integration: { type: 'AWS', integrationHttpMethod: 'POST', uri: action('sns', 'Publish'), credentials: arn } } });
        assert.equal((await request(`${one.url}/x`)).status, 504);
    });
});
