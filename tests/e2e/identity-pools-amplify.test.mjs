// Identity pools as apps use them: Amplify's fetchAuthSession, the SDK's credential providers, and calls to an API that IAM
// allows by who somebody is.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fromCognitoIdentity, fromCognitoIdentityPool } from '@aws-sdk/credential-provider-cognito-identity';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { account, region, start } from './support/harness.mjs';
import { api as restApi, fn, lambdaProxy, mock } from './support/apis.mjs';
import { addIdentityPool, identities, people, providerName } from './support/identitypool.mjs';
import { PASSWORD, addPool, addUser, claims, signIn } from './support/userpool.mjs';
import { signed } from './support/sign.mjs';

globalThis.crypto ??= webcrypto; // Node 18
console.warn = () => {}; // "You are using a custom Amazon Cognito User Pool endpoint"
const { Amplify } = await import('@aws-amplify/core');
const auth = await import('@aws-amplify/auth');
const { cognitoCredentialsProvider: credentialsProvider, cognitoUserPoolsTokenProvider: tokenProvider } = await import('@aws-amplify/auth/cognito');

const SUB = '${cognito-identity.amazonaws.com:sub}';
let server, users, shop, pets;

before(async () => {
    server = await start(null);
    users = await addPool(server);
    await addUser(users, 'ann');
    await addUser(users, 'bob');
    const echo = await fn(server, 'echo', 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity) });');
    const whose = await fn(server, 'whose', 'export const handler = async (event, context) => context.identity;');
    const iam = { authorizationType: 'AWS_IAM' };
    pets = await restApi(server, {
        'GET /mine/{id}': { method: iam, integration: lambdaProxy(echo) }, 'GET /guests': { method: iam, integration: lambdaProxy(echo) },
        'GET /staff': { method: iam, integration: { ...mock, requestTemplates: { 'application/json': '{"statusCode": 200}' } }, answers: { 200: { responseTemplates: { 'application/json': '"$context.identity.cognitoIdentityId"' } } } },
    });
    const at = (what) => `arn:aws:execute-api:${region}:${account}:${pets.id}/dev/GET/${what}`;
    shop = await addIdentityPool(server, {
        users, tags: true, pool: { AllowClassicFlow: true },
        may: [
            { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: whose },
            { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: at(`mine/${SUB}`) },
            { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: at('guests'), Condition: { 'ForAnyValue:StringEquals': { 'cognito-identity.amazonaws.com:amr': 'unauthenticated' } } },
            { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: at('staff'), Condition: { StringEquals: { 'aws:PrincipalTag/name': 'bob', 'cognito-identity.amazonaws.com:aud': SUB.replace('sub', 'aud') } } },
        ],
    });
    await shop.api.setPrincipalTagAttributeMap({ IdentityPoolId: shop.id, IdentityProviderName: providerName(users.poolId), PrincipalTags: { name: 'cognito:username', mail: 'email' } });

    const Auth = {
        Cognito: {
            userPoolId: users.poolId, userPoolClientId: users.clientId, userPoolEndpoint: server.url,
            identityPoolId: shop.id, identityPoolEndpoint: server.url, allowGuestAccess: true,
        },
    };
    tokenProvider.setAuthConfig(Auth); // what the package aws-amplify does, which brings all the rest along
    Amplify.configure({ Auth }, { Auth: { tokenProvider, credentialsProvider } });
});
after(() => server.discard());

async function call(credentials, path) {
    const answer = await signed(`${pets.url}/${path}`, credentials, { service: 'execute-api' });
    return [answer.status, await answer.json()];
}
const refusedFor = (arn, path) => [403, { Message: `User: ${arn} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:${region}:********${account.slice(-4)}:${pets.id}/dev/GET/${path} because no identity-based policy allows the execute-api:Invoke action` }];
const sessionOf = (kind) => `arn:aws:sts::${account}:assumed-role/${kind}-${shop.n}/CognitoIdentityCredentials`;

test('Amplify: fetchAuthSession gives a guest credentials, and the same person others after signing in', async () => {
    const guest = await auth.fetchAuthSession();
    assert.match(guest.identityId, /^us-east-1:/);
    assert.equal(guest.tokens, undefined);
    const [status, who] = await call(guest.credentials, `mine/${guest.identityId}`);
    assert.equal(status, 200);
    assert.deepEqual(
        [who.cognitoIdentityId, who.cognitoIdentityPoolId, who.cognitoAuthenticationType, who.cognitoAuthenticationProvider, who.userArn],
        [guest.identityId, shop.id, 'unauthenticated', null, sessionOf('guest')]);
    assert.equal((await call(guest.credentials, 'guests'))[0], 200);
    assert.deepEqual(await call(guest.credentials, 'mine/us-east-1:another'), refusedFor(sessionOf('guest'), 'mine/us-east-1:another'));

    assert.ok((await auth.signIn({ username: 'ann', password: PASSWORD })).isSignedIn);
    const signedIn = await auth.fetchAuthSession();
    assert.equal(signedIn.identityId, guest.identityId);
    assert.notEqual(signedIn.credentials.accessKeyId, guest.credentials.accessKeyId);
    const [, ann] = await call(signedIn.credentials, `mine/${signedIn.identityId}`);
    const provider = providerName(users.poolId);
    assert.deepEqual([ann.cognitoAuthenticationType, ann.cognitoAuthenticationProvider], ['authenticated', `${provider},${provider}:CognitoSignIn:${signedIn.userSub}`]);
    assert.deepEqual(await call(signedIn.credentials, 'guests'), refusedFor(sessionOf('in'), 'guests'));
    assert.deepEqual(await call(signedIn.credentials, 'staff'), refusedFor(sessionOf('in'), 'staff'));
    const again = await auth.fetchAuthSession({ forceRefresh: true });
    assert.equal(again.identityId, signedIn.identityId);
    await auth.signOut();

    const next = await auth.fetchAuthSession();
    assert.notEqual(next.identityId, signedIn.identityId);
    await auth.signIn({ username: 'ann', password: PASSWORD });
    assert.equal((await auth.fetchAuthSession()).identityId, signedIn.identityId); // merged
    await auth.signOut();
});

test('the SDK: fromCognitoIdentityPool and fromCognitoIdentity', async () => {
    const { AuthenticationResult: { IdToken } } = await signIn(users, 'bob');
    const logins = { [providerName(users.poolId)]: async () => IdToken };
    const clientConfig = { endpoint: server.url, region };
    const credentials = await fromCognitoIdentityPool({ identityPoolId: shop.id, logins, clientConfig })();
    assert.match(credentials.identityId, /^us-east-1:/);
    assert.equal((await call(credentials, `mine/${credentials.identityId}`))[0], 200);
    assert.deepEqual(await call(credentials, 'staff'), [200, credentials.identityId]);
    const same = await fromCognitoIdentity({ identityId: credentials.identityId, logins, clientConfig })();
    assert.equal(same.identityId, credentials.identityId);
    const guest = await fromCognitoIdentityPool({ identityPoolId: shop.id, clientConfig })();
    assert.equal((await call(guest, 'guests'))[0], 200);
    assert.equal((await call(guest, `mine/${credentials.identityId}`))[0], 403);
});

test('a function is told who invokes it', async () => {
    const credentials = await fromCognitoIdentityPool({ identityPoolId: shop.id, clientConfig: { endpoint: server.url, region } })();
    const invoke = async (options) => Buffer.from((await server.client(LambdaClient, options).send(new InvokeCommand({ FunctionName: 'whose' }))).Payload).toString();
    assert.deepEqual(JSON.parse(await invoke({ credentials })), { cognitoIdentityId: credentials.identityId, cognitoIdentityPoolId: shop.id });
    assert.equal(await invoke(), 'null');
});
