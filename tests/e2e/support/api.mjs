// A REST API in one call: routes = { '/name': { method, auth, integration, answer } }.
import {
    APIGatewayClient, CreateDeploymentCommand, CreateResourceCommand, CreateRestApiCommand, PutIntegrationCommand,
    PutIntegrationResponseCommand, PutMethodCommand, PutMethodResponseCommand,
} from '@aws-sdk/client-api-gateway';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { zip } from './zip.mjs';

export const mock = { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } };
export const proxyTo = (uri, more) => ({ type: 'HTTP_PROXY', integrationHttpMethod: 'ANY', uri, ...more });
export const invocation = (arn) => `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arn}/invocations`;
export const functionProxy = (arn) => ({ type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: invocation(arn) });

export async function restApi(server, name, routes, { stageName = 'test', ...deployment } = {}) {
    const client = server.client(APIGatewayClient);
    const { id: restApiId, rootResourceId: parentId } = await client.send(new CreateRestApiCommand({ name }));
    for (const [path, { method = 'ANY', authorization, integration = mock, answer }] of Object.entries(routes)) {
        const { id: resourceId } = await client.send(new CreateResourceCommand({ restApiId, parentId, pathPart: path.slice(1) }));
        const where = { restApiId, resourceId, httpMethod: method };
        await client.send(new PutMethodCommand({ ...where, authorizationType: 'NONE', ...authorization }));
        await client.send(new PutIntegrationCommand({ ...where, ...integration }));
        if (integration.type === 'MOCK' || answer !== undefined) {
            await client.send(new PutMethodResponseCommand({ ...where, statusCode: '200' }));
            await client.send(new PutIntegrationResponseCommand({ ...where, statusCode: '200', responseTemplates: { 'application/json': answer ?? '{}' } }));
        }
    }
    await client.send(new CreateDeploymentCommand({ restApiId, stageName, ...deployment }));
    return { id: restApiId, url: `${server.url}/_aws/execute-api/${restApiId}/${stageName}` };
}

// Python source → a function that API Gateway may call; → its ARN.
export async function pythonFunction(server, FunctionName, source, more = {}) {
    const { Role } = await server.client(IAMClient).send(new CreateRoleCommand({
        RoleName: `${FunctionName}-role`,
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }),
    }));
    const client = server.client(LambdaClient);
    const { FunctionArn } = await client.send(new CreateFunctionCommand({
        FunctionName, Runtime: 'python3.12', Handler: 'index.handler', Role: Role.Arn, Code: { ZipFile: zip({ 'index.py': source }) }, ...more,
    }));
    await client.send(new AddPermissionCommand({ FunctionName, StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }));
    return FunctionArn;
}
