// REST APIs for tests, in few words: api(server, {'GET /pets': {integration, …}}) makes and deploys one.
import * as apigw from '@aws-sdk/client-api-gateway';
import * as lambda from '@aws-sdk/client-lambda';
import { account, region } from './harness.mjs';
import { zip } from './zip.mjs';

const short = (sdk, client) =>
    new Proxy({}, {
        get: (_, name) => (input = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)),
    });

// api.createRestApi({…}) instead of client.send(new CreateRestApiCommand({…})).
export const control = (server, options) => short(apigw, server.client(apigw.APIGatewayClient, options));
export const functions = (server, options) => short(lambda, server.client(lambda.LambdaClient, options));

export const invocation = (arn) => `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
export const mock = { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } };
export const httpProxy = (uri, more) => ({ type: 'HTTP_PROXY', integrationHttpMethod: 'ANY', uri, ...more });
export const lambdaProxy = (arn, more) => ({ type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: invocation(arn), ...more });

// Resources of one API by path, made with their parents when first needed.
class Resources {
    constructor(gateway, restApiId, root) {
        Object.assign(this, { gateway, restApiId, ids: { '/': root } });
    }
    async id(path) {
        if (this.ids[path]) return this.ids[path];
        const cut = path.lastIndexOf('/');
        const parentId = await this.id(path.slice(0, cut) || '/');
        const made = await this.gateway.createResource({ restApiId: this.restApiId, parentId, pathPart: path.slice(cut + 1) });
        return (this.ids[path] = made.id);
    }
}

// routes: {'GET /pets/{id}': {method: {authorizationType, …}, integration, answers: {200: {…}}}}.
// `answers` are integration responses by status; '200' without anything is made when a template needs it.
export async function api(server, routes, { name = 'api', stage = 'dev', variables, make = {} } = {}) {
    const gateway = control(server);
    const made = await gateway.createRestApi({ name, ...make });
    const restApiId = made.id;
    const resources = new Resources(gateway, restApiId, made.rootResourceId);
    const self = {
        id: restApiId, stage, gateway, resources,
        url: `${server.url}/_aws/execute-api/${restApiId}/${stage}`,
        async add(key, { method = {}, integration = mock, answers }) {
            const [httpMethod, path] = key.split(' ');
            const at = { restApiId, resourceId: await resources.id(path), httpMethod };
            await gateway.putMethod({ ...at, authorizationType: 'NONE', ...method });
            await gateway.putIntegration({ ...at, ...integration });
            const proxies = integration.type.endsWith('_PROXY');
            for (const [statusCode, answer] of Object.entries(answers ?? (proxies ? {} : { 200: {} }))) {
                const declared = Object.keys(answer.responseParameters ?? {}).map((n) => [n, false]);
                await gateway.putMethodResponse({ ...at, statusCode, responseParameters: Object.fromEntries(declared) });
                await gateway.putIntegrationResponse({ ...at, statusCode, ...answer });
            }
        },
        deploy: (more = {}) => gateway.createDeployment({ restApiId, stageName: stage, ...more }),
        patch: (...operations) =>
            gateway.updateStage({ restApiId, stageName: stage, patchOperations: operations.map(([op, path, value]) => ({ op, path, value })) }),
    };
    for (const [key, route] of Object.entries(routes)) await self.add(key, route);
    if (Object.keys(routes).length) await self.deploy({ variables });
    return self;
}

// Lets API Gateway call a function: every API, or those that `more` names (SourceArn, SourceAccount).
export const allowApis = (server, name, more, options) =>
    functions(server, options).addPermission({ FunctionName: name, StatementId: 'apis', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', ...more });

// A function from one file of source, which APIs may call unless `shut`; answers its ARN.
export async function fn(server, name, source, { runtime = 'nodejs20.x', handler = 'index.handler', file = 'index.mjs', shut = false, ...more } = {}) {
    const made = await functions(server).createFunction({
        FunctionName: name, Runtime: runtime, Handler: handler, Role: `arn:aws:iam::${account}:role/any`,
        Code: { ZipFile: zip({ [file]: source }) }, ...more,
    });
    if (!shut) await allowApis(server, name);
    return made.FunctionArn;
}
