// A REST API with the AWS SDK: five integrations, three kinds of authorization, a stage with
// variables and throttling; then every way in which AWS says no.
import {
    APIGatewayClient, CreateAuthorizerCommand, CreateDeploymentCommand, CreateResourceCommand, CreateRestApiCommand,
    PutIntegrationCommand, PutIntegrationResponseCommand, PutMethodCommand, PutMethodResponseCommand, UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import { LambdaClient, AddPermissionCommand } from '@aws-sdk/client-lambda';
import http from 'node:http';
import { backend, endpoint, options, remember, same, say, story } from './story.mjs';

const apigateway = new APIGatewayClient(options);
const functions = new LambdaClient(options);
const account = '000000000000';
const invocation = (arn) => `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arn}/invocations`;

say('an API, and who may call it');
const api = await apigateway.send(new CreateRestApiCommand({ name: 'story' }));
const restApiId = api.id;
const shop = await apigateway.send(new CreateAuthorizerCommand({
    restApiId, name: 'shop', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization',
    providerARNs: [`arn:aws:cognito-idp:us-east-1:${account}:userpool/${story.POOL_ID}`],
}));
const gate = await apigateway.send(new CreateAuthorizerCommand({
    restApiId, name: 'gate', type: 'TOKEN', identitySource: 'method.request.header.Authorization',
    authorizerUri: invocation(story.GATE_ARN),
}));
for (const FunctionName of ['hello', 'gate']) {
    await functions.send(new AddPermissionCommand({
        FunctionName, StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
        SourceArn: `arn:aws:execute-api:us-east-1:${account}:${restApiId}/*`,
    }));
}

// A resource with one method; `answer` (of integrations that are no proxies) maps what comes back.
async function route(pathPart, httpMethod, { authorization = {}, integration, answer }) {
    const { id: resourceId } = await apigateway.send(new CreateResourceCommand({ restApiId, parentId: api.rootResourceId, pathPart }));
    const method = { restApiId, resourceId, httpMethod };
    await apigateway.send(new PutMethodCommand({ ...method, authorizationType: 'NONE', ...authorization }));
    await apigateway.send(new PutIntegrationCommand({ ...method, ...integration }));
    if (answer !== undefined) {
        await apigateway.send(new PutMethodResponseCommand({ ...method, statusCode: '200' }));
        await apigateway.send(new PutIntegrationResponseCommand({
            ...method, statusCode: '200', responseTemplates: { 'application/json': answer },
        }));
    }
}
const mock = { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } };
const proxy = (uri) => ({ type: 'HTTP_PROXY', integrationHttpMethod: 'ANY', uri });
const lambda = (arn) => ({ type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: invocation(arn) });

say('routes: MOCK, HTTP_PROXY, HTTP with templates, AWS_PROXY; Cognito, TOKEN authorizer, AWS_IAM');
await route('ping', 'GET', { integration: mock, answer: '{"pong": "$context.stage"}' });
await route('limited', 'GET', { integration: mock, answer: '{}' });
await route('echo', 'ANY', { integration: proxy('http://${stageVariables.backend}/echo') });
await route('mapped', 'POST', {
    integration: {
        type: 'HTTP', integrationHttpMethod: 'POST', uri: 'http://${stageVariables.backend}/mapped',
        requestTemplates: { 'application/json': `#set($who = $input.path('$.who'))\n{"name": "$who.toUpperCase()", "api": "$context.apiId"}` },
    },
    answer: `{"backend said": $input.json('$.body')}`,
});
await route('hello', 'GET', { integration: lambda(story.HELLO_ARN) });
await route('me', 'GET', { authorization: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: shop.id }, integration: lambda(story.HELLO_ARN) });
await route('cave', 'GET', { authorization: { authorizationType: 'CUSTOM', authorizerId: gate.id }, integration: mock, answer: '{"for": "$context.authorizer.principalId", "cave": "$context.authorizer.cave"}' });
await route('signed', 'GET', { authorization: { authorizationType: 'AWS_IAM' }, integration: mock, answer: '{"user": "$context.identity.userArn"}' });
await route('crash', 'GET', { integration: lambda(story.HELLO_ARN) });
await route('nobody', 'GET', { integration: proxy('http://127.0.0.1:1024/') });
await route('slow', 'GET', { integration: { ...proxy('http://${stageVariables.backend}/slow'), timeoutInMillis: 100 } });

say('deployed to the stage "prod"; /limited takes one call a second');
await apigateway.send(new CreateDeploymentCommand({ restApiId, stageName: 'prod', variables: { backend: new URL(backend).host } }));
await apigateway.send(new UpdateStageCommand({
    restApiId, stageName: 'prod',
    patchOperations: [
        { op: 'replace', path: '/~1limited/GET/throttling/rateLimit', value: '1' },
        { op: 'replace', path: '/~1limited/GET/throttling/burstLimit', value: '1' },
    ],
}));

const base = `${endpoint}/_aws/execute-api/${restApiId}/prod`;
async function get(path, headers = {}, more = {}) {
    const answer = await fetch(base + path, { headers, ...more });
    const text = await answer.text();
    return { status: answer.status, type: answer.headers.get('x-amzn-errortype'), id: answer.headers.get('x-amzn-requestid'), body: text && JSON.parse(text) };
}
const no = async (what, answer, status, type, body) => same(what, [answer.status, answer.type, answer.body], [status, type, body]);

say('it answers');
same('MOCK', (await get('/ping')).body, { pong: 'prod' });
const echoed = (await get('/echo?a=1&a=2', { 'x-mine': 'yes' }, { method: 'PUT', body: 'text' })).body;
same('HTTP_PROXY', [echoed.method, echoed.path, echoed.body, echoed.headers['x-mine']], ['PUT', '/echo?a=1&a=2', 'text', 'yes']);
const mapped = await get('/mapped', { 'content-type': 'application/json' }, { method: 'POST', body: '{"who": "ada"}' });
same('HTTP with templates', JSON.parse(mapped.body['backend said']), { name: 'ADA', api: restApiId });
same('AWS_PROXY', (await get('/hello?name=Ada')).body, { hello: 'Ada' });
const byHost = await new Promise((resolve, reject) => {
    const headers = { host: `${restApiId}.execute-api.us-east-1.amazonaws.com` };
    http.get(`${endpoint}/prod/ping`, { headers }, (answer) => {
        let text = '';
        answer.on('data', (piece) => (text += piece)).on('end', () => resolve(text));
    }).on('error', reject);
});
same('by its host name', JSON.parse(byHost), { pong: 'prod' });

say('Cognito');
same('with the id token', (await get('/me', { authorization: story.ID_TOKEN })).body, { hello: 'world', user: 'ada@example.org' });
await no('without', await get('/me'), 401, 'UnauthorizedException', { message: 'Unauthorized' });
await no('forged', await get('/me', { authorization: story.ID_TOKEN.slice(0, -8) + 'AAAAAAAA' }), 401, 'UnauthorizedException', { message: 'Unauthorized' });
await no('signed out', await get('/me', { authorization: story.SIGNED_OUT_TOKEN }), 401, 'UnauthorizedException', { message: 'Unauthorized' });

say('the TOKEN authorizer');
same('allowed', (await get('/cave', { authorization: 'open sesame' })).body, { for: 'ali', cave: 'open' });
await no('unknown', await get('/cave', { authorization: 'open barley' }), 401, 'UnauthorizedException', { message: 'Unauthorized' });
await no('denied', await get('/cave', { authorization: 'let me in' }), 403, 'AccessDeniedException', { Message: 'User is not authorized to access this resource with an explicit deny in an identity-based policy' });

say('no, as AWS says it');
await no('unsigned', await get('/signed'), 403, 'MissingAuthenticationTokenException', { message: 'Missing Authentication Token' });
await no('no such route', await get('/nothing'), 403, 'MissingAuthenticationTokenException', { message: 'Missing Authentication Token' });
same('the first in this second', (await get('/limited')).status, 200);
await no('the second', await get('/limited'), 429, 'TooManyRequestsException', { message: 'Too Many Requests' });
await no('the function fails', await get('/crash'), 502, 'InternalServerErrorException', { message: 'Internal server error' });
await no('nobody listens', await get('/nobody'), 504, 'InternalServerErrorException', { message: 'Network error communicating with endpoint' });
await no('too slow', await get('/slow'), 504, 'InternalServerErrorException', { message: 'Endpoint request timed out' });

remember('API_ID', restApiId);
