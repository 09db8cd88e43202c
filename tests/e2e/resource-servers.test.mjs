// Resource servers, the OAuth settings of app clients, and client secrets with rotation.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { addUser, ALL_FLOWS, PASSWORD, setUp, raw, refused } from './support/userpool.mjs';

const scopes = (...names) => names.map((ScopeName) => ({ ScopeName, ScopeDescription: `may ${ScopeName}` }));

test('resource servers are made, read, changed, listed and deleted', async (t) => {
    const { api, poolId } = await setUp(t);
    const server = { UserPoolId: poolId, Identifier: 'https://api.example.org/v1', Name: 'The API', Scopes: scopes('read', 'write') };
    assert.deepEqual((await api.createResourceServer(server)).ResourceServer, server);
    assert.deepEqual((await api.describeResourceServer({ UserPoolId: poolId, Identifier: server.Identifier })).ResourceServer, server);
    await refused(api.createResourceServer(server), 'InvalidParameterException', `${server.Identifier} already exists in user pool ${poolId}.`);
    await refused(api.createResourceServer({ ...server, Identifier: 'x', Scopes: scopes('a', 'a') }), 'InvalidParameterException');
    await refused(api.createResourceServer({ ...server, Identifier: 'x', Scopes: scopes('a/b') }), 'InvalidParameterException', /failed to satisfy constraint/);
    await refused(api.createResourceServer({ ...server, Identifier: 'a b' }), 'InvalidParameterException', /failed to satisfy constraint/);
    await refused(api.createResourceServer({ ...server, Identifier: 'x', Scopes: scopes(...Array.from({ length: 101 }, (_, i) => `s${i}`)) }), 'InvalidParameterException', /length less than or equal to 100/);
    for (const call of ['describeResourceServer', 'deleteResourceServer'])
        await refused(api[call]({ UserPoolId: poolId, Identifier: 'none' }), 'ResourceNotFoundException', 'Resource server none does not exist.');
    await refused(api.updateResourceServer({ ...server, Identifier: 'none' }), 'ResourceNotFoundException', 'Resource server none does not exist.');
    await refused(api.createResourceServer({ ...server, UserPoolId: 'us-east-1_nobody000' }), 'ResourceNotFoundException');

    const { ResourceServer: renamed } = await api.updateResourceServer({ UserPoolId: poolId, Identifier: server.Identifier, Name: 'Renamed' });
    assert.equal(renamed.Name, 'Renamed');
    assert.equal((await api.describeResourceServer({ UserPoolId: poolId, Identifier: server.Identifier })).ResourceServer.Scopes?.length ?? 0, 0, 'left out: none');
    await api.deleteResourceServer({ UserPoolId: poolId, Identifier: server.Identifier });
    await refused(api.describeResourceServer({ UserPoolId: poolId, Identifier: server.Identifier }), 'ResourceNotFoundException');

    for (let i = 10; i < 35; i++) await api.createResourceServer({ UserPoolId: poolId, Identifier: `s${i}`, Name: `${i}` });
    await refused(api.createResourceServer({ UserPoolId: poolId, Identifier: 'one-more', Name: 'x' }), 'LimitExceededException');
    const seen = [];
    for (let NextToken, pages = 0; pages === 0 || NextToken; pages++) {
        const page = await api.listResourceServers({ UserPoolId: poolId, MaxResults: 10, NextToken });
        assert.ok(page.ResourceServers.length <= 10 && pages < 3);
        seen.push(...page.ResourceServers.map((one) => one.Identifier));
        NextToken = page.NextToken;
    }
    assert.deepEqual(seen, Array.from({ length: 25 }, (_, i) => `s${i + 10}`));
    await refused(api.listResourceServers({ UserPoolId: poolId, NextToken: 'forged' }), 'InvalidParameterException');
    await refused(api.listResourceServers({ UserPoolId: poolId, MaxResults: 51 }), 'InvalidParameterException');
});

test('OAuth settings of a client are checked as on Cognito', async (t) => {
    const { api, poolId } = await setUp(t);
    await api.createResourceServer({ UserPoolId: poolId, Identifier: 'orders/v2', Name: 'x', Scopes: scopes('read') });
    const good = {
        UserPoolId: poolId, ClientName: 'app', AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: ['code'],
        AllowedOAuthScopes: ['openid', 'orders/v2/read'], CallbackURLs: ['https://a.example/cb', 'my.app://cb'], DefaultRedirectURI: 'my.app://cb',
    };
    const machine = { ...good, AllowedOAuthFlows: ['client_credentials'], AllowedOAuthScopes: ['orders/v2/read'] };
    const rows = [
        [{ AllowedOAuthFlows: [] }, 'InvalidParameterException', 'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.'],
        [{ AllowedOAuthScopes: [] }, 'InvalidParameterException', /are required if user pool client is allowed/],
        [{ CallbackURLs: [], DefaultRedirectURI: undefined }, 'InvalidOAuthFlowException', 'CallbackUrls can not be empty when code flow or implicit flow is selected'],
        [{ AllowedOAuthFlows: ['code', 'client_credentials'] }, 'InvalidOAuthFlowException', 'client_credentials flow can not be selected along with code flow or implicit flow.'],
        [machine, 'InvalidOAuthFlowException', 'client_credentials flow can not be selected if client does not have a client secret.'],
        [{ AllowedOAuthScopes: ['openid', 'orders/v2/write'] }, 'ScopeDoesNotExistException', 'Invalid scope requested: orders/v2/write'],
        [{ AllowedOAuthScopes: ['OpenID'] }, 'ScopeDoesNotExistException', 'Invalid scope requested: OpenID'],
        [{ AllowedOAuthScopes: ['/read'] }, 'ScopeDoesNotExistException', 'Invalid scope requested: /read'],
        [{ DefaultRedirectURI: 'https://b.example/' }, 'InvalidParameterException', 'The default redirect URI https://b.example/ is not in the callback URIs list.'],
        [{ CallbackURLs: ['http://a.example/cb', 'my.app://cb'] }, 'InvalidParameterException', 'http://a.example/cb cannot use the HTTP protocol.'],
        [{ CallbackURLs: ['http://localhost.evil.example/', 'my.app://cb'] }, 'InvalidParameterException', /cannot use the HTTP protocol/],
        [{ CallbackURLs: ['HTTP://a.example/', 'my.app://cb'] }, 'InvalidParameterException', /cannot use the HTTP protocol/],
        [{ LogoutURLs: ['http://a.example/out'] }, 'InvalidParameterException', 'http://a.example/out cannot use the HTTP protocol.'],
        [{ CallbackURLs: ['https://a.example/#x', 'my.app://cb'] }, 'InvalidParameterException', /fragment/],
        [{ CallbackURLs: ['/cb', 'my.app://cb'] }, 'InvalidParameterException', /absolute/],
        [{ EnablePropagateAdditionalUserContextData: true }, 'InvalidParameterException', 'Client Secret is required to set EnablePropagateAdditionalUserContextData as true'],
        [{ AnalyticsConfiguration: { ApplicationId: 'a' } }, 'InvalidParameterException', /AnalyticsConfiguration/],
    ];
    for (const [change, name, message] of rows) await refused(api.createUserPoolClient({ ...good, ...change }), name, message);
    const local = ['http://localhost', 'http://localhost:3000/cb', 'http://127.0.0.1:1/?x', 'http://[::1]:8/', 'my.app://cb'];
    const { UserPoolClient: made } = await api.createUserPoolClient({ ...good, CallbackURLs: local });
    assert.deepEqual(made.CallbackURLs, local);
    await api.createUserPoolClient({ ...machine, GenerateSecret: true });
    await refused(api.updateUserPoolClient({ ...machine, ClientId: made.ClientId }), 'InvalidOAuthFlowException', /does not have a client secret/);
    for (const [change, name, message] of rows) await refused(api.updateUserPoolClient({ ...good, ClientId: made.ClientId, ...change }), name, message);
    await api.deleteResourceServer({ UserPoolId: poolId, Identifier: 'orders/v2' });
    await refused(api.updateUserPoolClient({ ...good, ClientId: made.ClientId }), 'ScopeDoesNotExistException');
});

const hash = (secret, user, clientId) => crypto.createHmac('sha256', secret).update(user + clientId).digest('base64');

test('a client has up to two secrets; each of them is good everywhere', async (t) => {
    const s = await setUp(t, { client: { GenerateSecret: true } });
    const { api, poolId, clientId, server } = s;
    const fresh = raw(server);
    const of = { UserPoolId: poolId, ClientId: clientId };
    await addUser(s, 'ada');
    const first = s.client.ClientSecret;
    assert.match(first, /^[a-z0-9]{51}$/);
    const signIn = (secret) => api.initiateAuth({
        ClientId: clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD, SECRET_HASH: hash(secret, 'ada', clientId) },
    });
    const wrong = `Unable to verify secret hash for client ${clientId}`;
    await refused(signIn('x'.repeat(51)), 'NotAuthorizedException', wrong);

    const { ClientSecretDescriptor: made } = await fresh.addUserPoolClientSecret(of);
    assert.match(made.ClientSecretValue, /^[\w+]{24,64}$/);
    assert.ok(made.ClientSecretId && made.ClientSecretCreateDate > 1.7e9);
    await refused(fresh.addUserPoolClientSecret(of), 'LimitExceededException', 'Client secrets cannot exceed limit of 2 secrets.');
    const { ClientSecrets: listed } = await fresh.listUserPoolClientSecrets(of);
    assert.equal(listed.length, 2);
    assert.equal(new Set(listed.map((one) => one.ClientSecretId)).size, 2);
    assert.ok(listed.every((one) => one.ClientSecretValue === undefined), 'shown once');
    const { AuthenticationResult: old } = await signIn(first);
    const { AuthenticationResult: now } = await signIn(made.ClientSecretValue);
    for (const secret of [first, made.ClientSecretValue]) {
        await api.getTokensFromRefreshToken({ ClientId: clientId, ClientSecret: secret, RefreshToken: now.RefreshToken });
        await api.signUp({ ClientId: clientId, Username: `u${secret.slice(0, 4)}`, Password: PASSWORD, SecretHash: hash(secret, `u${secret.slice(0, 4)}`, clientId) });
    }

    await refused(fresh.deleteUserPoolClientSecret({ ...of, ClientSecretId: 'none' }), 'ResourceNotFoundException');
    await fresh.deleteUserPoolClientSecret({ ...of, ClientSecretId: listed[0].ClientSecretId });
    await refused(signIn(first), 'NotAuthorizedException', wrong);
    await refused(api.getTokensFromRefreshToken({ ClientId: clientId, ClientSecret: first, RefreshToken: old.RefreshToken }), 'NotAuthorizedException');
    await refused(fresh.deleteUserPoolClientSecret({ ...of, ClientSecretId: made.ClientSecretId }), 'InvalidParameterException', /last remaining/);
    assert.equal((await api.describeUserPoolClient(of)).UserPoolClient.ClientSecret, made.ClientSecretValue);

    const custom = 'Custom+secret_of_24_bytes_and_more';
    const { ClientSecretDescriptor: given } = await fresh.addUserPoolClientSecret({ ...of, ClientSecret: custom });
    assert.equal(given.ClientSecretValue, undefined, 'who gave it knows it');
    await server.restart();
    await signIn(custom);
    await api.revokeToken({ ClientId: clientId, ClientSecret: custom, Token: now.RefreshToken });
    await refused(api.revokeToken({ ClientId: clientId, ClientSecret: first, Token: old.RefreshToken }), 'UnauthorizedException');
    for (const ClientSecret of ['short', 'x'.repeat(65), 'has spaces has spaces has spaces'])
        await refused(fresh.addUserPoolClientSecret({ ...of, ClientSecret }), 'InvalidParameterException', /at 'clientSecret' failed/);
    const atRest = fs.readdirSync(server.data).filter((name) => fs.statSync(path.join(server.data, name)).isFile()).map((name) => fs.readFileSync(path.join(server.data, name), 'latin1')).join('');
    for (const secret of [first, custom, made.ClientSecretValue]) assert.ok(!atRest.includes(secret) && !server.log().includes(secret));
});

test('of secrets added at once only as many are taken as there is room for; public clients get none', async (t) => {
    const s = await setUp(t, { client: { GenerateSecret: true } });
    const fresh = raw(s.server);
    const of = { UserPoolId: s.poolId, ClientId: s.clientId };
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => fresh.addUserPoolClientSecret(of)));
    assert.equal(all.filter((one) => one.status === 'fulfilled').length, 1);
    const { UserPoolClient: open } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'open', ExplicitAuthFlows: ALL_FLOWS });
    await refused(fresh.addUserPoolClientSecret({ UserPoolId: s.poolId, ClientId: open.ClientId }), 'InvalidParameterException', /not configured with secret/);
    assert.deepEqual((await fresh.listUserPoolClientSecrets({ UserPoolId: s.poolId, ClientId: open.ClientId })).ClientSecrets, []);
    await refused(fresh.listUserPoolClientSecrets({ UserPoolId: s.poolId, ClientId: 'nobody' }), 'ResourceNotFoundException');
    const mine = 'my+own_secret_of_24_bytes_x';
    const made = (await fresh.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'mine', ClientSecret: mine })).UserPoolClient;
    assert.equal((await s.api.describeUserPoolClient({ UserPoolId: s.poolId, ClientId: made.ClientId })).UserPoolClient.ClientSecret, mine);
});
