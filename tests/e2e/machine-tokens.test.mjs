// GetClientToken: access tokens of machines, and what the gateway makes of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { JwtVerifier } from 'aws-jwt-verify';

import { api } from './support/apis.mjs';
import { request } from './support/harness.mjs';
import { hookUp, throwing } from './support/hooks.mjs';
import { signed } from './support/sign.mjs';
import { setOptions, setUp, claims, raw, refused } from './support/userpool.mjs';

const SECRET = 'machine+secret_of_24_bytes_x';

async function machine(t) {
    const s = await setUp(t);
    const fresh = raw(s.server), open = raw(s.server, undefined, { sign: false });
    for (const Identifier of ['orders', 'https://bills.example/v1'])
        await s.api.createResourceServer({ UserPoolId: s.poolId, Identifier, Name: 'x', Scopes: ['read', 'write'].map((ScopeName) => ({ ScopeName, ScopeDescription: 'x' })) });
    const settings = {
        UserPoolId: s.poolId, ClientName: 'machine', ExplicitAuthFlows: ['ALLOW_CLIENT_TOKEN_AUTH'], AllowedOAuthScopes: ['orders/read', 'https://bills.example/v1/read'],
        AccessTokenValidity: 10, TokenValidityUnits: { AccessToken: 'minutes' },
    };
    const { UserPoolClient } = await fresh.createUserPoolClient({ ...settings, ClientSecret: SECRET });
    const ClientId = UserPoolClient.ClientId;
    const token = async (more = {}) => (await open.getClientToken({ ClientId, Secret: SECRET, ...more })).ClientAuthenticationResult;
    return { ...s, fresh, open, settings, ClientId, token };
}

test('a machine gets an access token of its own, with Cognito\'s claims', async (t) => {
    const s = await machine(t);
    const { ClientId, fresh, open, settings, server, poolId } = s;
    const result = await s.token();
    assert.deepEqual([result.ExpiresIn, result.TokenType, Object.keys(result).length], [600, 'Bearer', 3]);
    const { iat, exp, auth_time, jti, ...rest } = claims(result.AccessToken);
    assert.deepEqual(rest, { sub: ClientId, client_id: ClientId, token_use: 'access', version: 2, iss: `${server.url}/${poolId}`, scope: 'orders/read https://bills.example/v1/read' });
    assert.ok(exp === iat + 600 && auth_time === iat && jti);
    assert.equal(claims((await s.token({ Scopes: ['orders/read'] })).AccessToken).scope, 'orders/read');
    assert.equal((await fresh.getClientToken({ ClientId, Secret: SECRET })).ClientAuthenticationResult.TokenType, 'Bearer', 'a signature changes nothing');

    await refused(s.token({ Secret: 'x'.repeat(30) }), 'NotAuthorizedException', 'Invalid client secret');
    for (const scope of ['orders/write', 'orders/none', 'openid', 'nowhere/read'])
        await refused(s.token({ Scopes: ['orders/read', scope] }), 'InvalidParameterException', `Invalid scope requested: ${scope}`);
    await refused(open.getClientToken({ ClientId: 'nobody', Secret: SECRET }), 'ResourceNotFoundException');
    await refused(open.getClientToken({ ClientId }), 'InvalidParameterException', /Value null at 'secret' failed/);
    await refused(open.getClientToken({ ClientId: s.clientId, Secret: SECRET }), 'InvalidParameterException', 'ALLOW_CLIENT_TOKEN_AUTH flow not enabled for this client');
    await refused(fresh.createUserPoolClient(settings), 'InvalidParameterException', /does not have a client secret/);
    await refused(fresh.createUserPoolClient({ ...settings, GenerateSecret: true, ExplicitAuthFlows: ['ALLOW_CLIENT_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH'] }), 'InvalidParameterException', /cannot be used with other auth flows/);
    await refused(s.api.getUser({ AccessToken: result.AccessToken }), 'NotAuthorizedException', 'Access Token does not have required scopes');

    const { ClientSecretDescriptor: second } = await fresh.addUserPoolClientSecret({ UserPoolId: poolId, ClientId });
    await s.token({ Secret: second.ClientSecretValue });
    await s.api.deleteResourceServer({ UserPoolId: poolId, Identifier: 'orders' });
    assert.equal(claims((await s.token()).AccessToken).scope, 'https://bills.example/v1/read', 'what is gone is not granted');
    await s.api.deleteResourceServer({ UserPoolId: poolId, Identifier: 'https://bills.example/v1' });
    await refused(s.token(), 'NotAuthorizedException', /has no scopes/);
});

test('`aud` of machine tokens is an option; real verifiers and the gateway take them', async (t) => {
    const s = await machine(t);
    const { server, poolId, ClientId } = s;
    const shop = await api(server, {});
    const authorizer = await shop.gateway.createAuthorizer({ restApiId: shop.id, name: 'a', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [s.pool.Arn] });
    const method = { authorizationType: 'COGNITO_USER_POOLS', authorizerId: authorizer.id };
    await shop.add('GET /read', { method: { ...method, authorizationScopes: ['orders/read'] } });
    await shop.add('GET /write', { method: { ...method, authorizationScopes: ['orders/write'] } });
    await shop.add('GET /person', { method });
    // A JWT authorizer compares `aud`, and client_id only where there is no `aud`.
    for (const [path, audience] of [['client', ClientId], ['orders', 'orders']]) {
        const body = JSON.stringify({ name: path, type: 'JWT', identitySource: 'method.request.header.Authorization', jwtConfiguration: { issuers: [{ issuer: `${server.url}/${poolId}`, audiences: [audience] }], defaultAlgorithms: ['RS256'] } });
        const made = await (await signed(`${server.url}/restapis/${shop.id}/authorizers`, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'apigateway', method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
        await shop.add(`GET /jwt/${path}`, { method: { authorizationType: 'JWT', authorizerId: made.id, authorizationScopes: ['orders/read'] } });
    }
    await shop.deploy();
    const status = async (path, token) => (await request(shop.url + path, { headers: { Authorization: token } })).status;
    const jwks = await (await server.fetch(`/${poolId}/.well-known/jwks.json`)).json();
    const verifier = JwtVerifier.create({ issuer: `${server.url}/${poolId}`, audience: null, scope: 'orders/read' });
    verifier.cacheJwks(jwks);
    for (const [option, Scopes, aud] of [
        [null, undefined, undefined], ['client', undefined, ClientId], ['resource', undefined, ['orders', 'https://bills.example/v1']], ['resource', ['orders/read'], 'orders'],
    ]) {
        await setOptions(s, { machineTokenAudience: option });
        const { AccessToken } = await s.token({ Scopes });
        assert.deepEqual(claims(AccessToken).aud, aud, option);
        assert.deepEqual([await status('/read', AccessToken), await status('/write', AccessToken), await status('/person', AccessToken)], [200, 401, 401]);
        const [bare, bound] = [aud === undefined || aud === ClientId, [aud].flat().includes('orders')];
        assert.deepEqual([await status('/jwt/client', AccessToken), await status('/jwt/orders', AccessToken)], [bare ? 200 : 401, bound ? 200 : 401], `${aud}`);
        assert.equal((await verifier.verify(AccessToken)).client_id, ClientId);
    }
    const answer = await server.fetch(`/_gatehouse/user-pools/${poolId}/options`, { method: 'PATCH', body: '{"machineTokenAudience":"x"}' });
    assert.equal(answer.status, 400);
});

test('PreTokenGeneration V3 is asked about machines, V1 and V2 are not', async (t) => {
    const s = await machine(t);
    const hooks = await hookUp(t, s, ['PreTokenGeneration']);
    hooks.answers.TokenGeneration_ClientCredentials = { claimsAndScopeOverrideDetails: { accessTokenGeneration: { claimsToAddOrOverride: { tenant: { id: 7 } }, scopesToAdd: ['orders/more'], scopesToSuppress: ['orders/read'] } } };
    for (const version of [null, 'V2_0']) {
        await setOptions(s, { webhookTokenVersion: version });
        assert.equal(claims((await s.token()).AccessToken).tenant, undefined);
    }
    assert.deepEqual(hooks.events, []);
    await setOptions(s, { webhookTokenVersion: 'V3_0' });
    const { AccessToken } = await s.token({ ClientMetadata: { from: 'here' }, Scopes: ['orders/read'] });
    assert.deepEqual([claims(AccessToken).tenant, claims(AccessToken).scope], [{ id: 7 }, 'orders/more']);
    const [{ version, triggerSource, userName, callerContext, request: asked }] = hooks.events;
    assert.deepEqual([version, triggerSource, userName, callerContext.clientId], ['3', 'TokenGeneration_ClientCredentials', s.ClientId, s.ClientId]);
    assert.deepEqual([asked.userAttributes, asked.scopes, asked.clientMetadata], [{}, ['orders/read'], { from: 'here' }]);
    hooks.answers.TokenGeneration_ClientCredentials = throwing('no');
    await refused(s.token(), 'UserLambdaValidationException', /^PreTokenGeneration failed with error no/);
});
