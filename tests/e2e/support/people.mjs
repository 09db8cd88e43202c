// What tests about many users share: operations, a pool with a client, users, sign-ins, the endpoints beside AWS's.
import assert from 'node:assert/strict';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';

export const PASSWORD = 'Engine-1843!';
export const ALL_FLOWS = ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'];

// api(server).signUp({…}) instead of client.send(new SignUpCommand({…})).
export function api(server, options) {
    const client = server.client(idp.CognitoIdentityProviderClient, options);
    return new Proxy({}, {
        get: (_, name) => (input = {}) => client.send(new idp[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)),
    });
}

export async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}: ${message}`), (e) => e);
    assert.equal(error.name ?? error.code, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
}

export async function poolOf(server, { pool = {}, client = {} } = {}) {
    const calls = api(server);
    const { UserPool } = await calls.createUserPool({ PoolName: 'shop', ...pool });
    const { UserPoolClient } = await calls.createUserPoolClient({ UserPoolId: UserPool.Id, ClientName: 'app', ExplicitAuthFlows: ALL_FLOWS, ...client });
    return { server, api: calls, poolId: UserPool.Id, clientId: UserPoolClient.ClientId, secret: UserPoolClient.ClientSecret };
}

export const attributes = (all) => Object.entries(all).map(([Name, Value]) => ({ Name, Value }));

// password null: none is set.
export async function addUser({ api: calls, poolId }, Username, all = {}, password = PASSWORD) {
    await calls.adminCreateUser({ UserPoolId: poolId, Username, MessageAction: 'SUPPRESS', UserAttributes: attributes(all) });
    if (password) await calls.adminSetUserPassword({ UserPoolId: poolId, Username, Password: password, Permanent: true });
}

export const signIn = ({ api: calls, clientId }, USERNAME, PASSWORD_ = PASSWORD, more = {}) =>
    calls.initiateAuth({ ClientId: clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD: PASSWORD_, ...more } });

export function srpSignIn({ server, poolId, clientId }, Username, Password = PASSWORD) {
    const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: server.url });
    return new Promise((resolve, reject) =>
        new CognitoUser({ Username, Pool }).authenticateUser(new AuthenticationDetails({ Username, Password }), {
            onSuccess: resolve, onFailure: reject, newPasswordRequired: reject,
        }));
}

// GET without a body, POST with one; [status, answer].
export async function beside(server, target, body, method = body === undefined ? 'GET' : 'POST') {
    const options = body === undefined ? { method } : { method, body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await server.fetch(`/_gatehouse/user-pools/${target}`, options);
    return [answer.status, await answer.json()];
}

export const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
export const advance = async (server, advance_s) => {
    const answer = await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s }) });
    assert.equal(answer.status, 200);
};
