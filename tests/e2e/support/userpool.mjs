// A pool of one's own with an app and users, and the clock.
import assert from 'node:assert/strict';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';
import { start } from './harness.mjs';
import { signed } from './sign.mjs';

export const PASSWORD = 'Engine-1843!';
export const WRONG = 'Wrong-1843!';
export const ALL_FLOWS = ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'];

// api.signUp({...}) instead of client.send(new SignUpCommand({...})).
export function operations(client) {
    return new Proxy({}, {
        get: (_, name) => (input = {}) => client.send(new idp[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)),
    });
}

// The same for operations and members that the installed SDK does not know yet: what is given goes out as it is.
export function raw(server, credentials = server.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' }, { sign = true, headers: more = {} } = {}) {
    return new Proxy({}, {
        get: (_, name) => async (input = {}) => {
            const request = {
                method: 'POST', body: typeof input === 'string' ? input : JSON.stringify(input),
                headers: {
                    ...more,
                    'content-type': 'application/x-amz-json-1.1',
                    'x-amz-target': `AWSCognitoIdentityProviderService.${name[0].toUpperCase()}${name.slice(1)}`,
                },
            };
            const answer = sign ? await signed(`${server.url}/`, credentials, { service: 'cognito-idp', ...request }) : await server.fetch('/', request);
            const text = await answer.text();
            const body = text ? JSON.parse(text) : {};
            if (answer.status === 200) return body;
            throw Object.assign(new Error(body.message ?? text), { name: body.__type ?? `${answer.status}`, status: answer.status });
        },
    });
}

export async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}: ${message}`), (e) => e);
    assert.equal(error.name ?? error.code, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return error;
}

export async function addPool(server, { pool = {}, client = {} } = {}) {
    const api = operations(server.client(idp.CognitoIdentityProviderClient));
    const { UserPool } = await api.createUserPool({ PoolName: 'shop', AutoVerifiedAttributes: ['email'], ...pool });
    const { UserPoolClient } = await api.createUserPoolClient({
        UserPoolId: UserPool.Id, ClientName: 'app', ExplicitAuthFlows: ALL_FLOWS, PreventUserExistenceErrors: 'ENABLED', ...client,
    });
    return { server, api, poolId: UserPool.Id, clientId: UserPoolClient.ClientId, pool: UserPool, client: UserPoolClient };
}
export async function setUp(t, { args, ...more } = {}) {
    return addPool(await start(t, { args }), more);
}

export async function addUser({ api, poolId }, Username, { password = PASSWORD, attributes = { email: `${Username}@example.org`, email_verified: 'true' } } = {}) {
    await api.adminCreateUser({
        UserPoolId: poolId, Username, MessageAction: 'SUPPRESS',
        UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    });
    await api.adminSetUserPassword({ UserPoolId: poolId, Username, Password: password, Permanent: true });
}

export const signIn = ({ api, clientId }, USERNAME, password = PASSWORD, more = {}) =>
    api.initiateAuth({ ClientId: clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD: password }, ...more });

export function srpSignIn({ server, poolId, clientId }, Username, Password = PASSWORD) {
    const user = new CognitoUser({ Username, Pool: new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: server.url }) });
    return new Promise((resolve, reject) =>
        user.authenticateUser(new AuthenticationDetails({ Username, Password }), { onSuccess: resolve, onFailure: reject }));
}

export async function advance(server, seconds) {
    const answer = await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: seconds }) });
    assert.equal(answer.status, 200);
}

// The clock stands at a time of its own, `seconds` later: however slow the machine is.
export function standingClock(server) {
    const base = Date.now() + 3600e3;
    return async (seconds) => {
        const answer = await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ at: new Date(base + seconds * 1000).toISOString(), stand: true }) });
        assert.equal(answer.status, 200);
    };
}

export async function setOptions({ server, poolId }, options) {
    const answer = await server.fetch(`/_gatehouse/user-pools/${poolId}/options`, { method: 'PATCH', body: JSON.stringify(options) });
    assert.equal(answer.status, 200, await answer.text());
}

export const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
