// Sessions of users: listed, limited, revoked; and every way of ending one reaches the gateway at once.
import assert from 'node:assert/strict';
import test from 'node:test';

import { api as restApi, control } from './support/apis.mjs';
import { start } from './support/harness.mjs';
import { PASSWORD, addUser, advance, claims, poolOf, refused, signIn } from './support/people.mjs';
import { raw } from './support/userpool.mjs';

const tokens = async (s, name = 'ada') => (await signIn(s, name)).AuthenticationResult;
const refresh = async ({ api, clientId }, RefreshToken) =>
    (await api.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken })).AuthenticationResult;
const revoked = (promise) => refused(promise, 'NotAuthorizedException', 'Access Token has been revoked');

async function setUp(t, { tracking, ...settings } = {}) {
    const s = await poolOf(await start(t), settings);
    s.now = raw(s.server);
    s.track = (UserSessionTracking = 'ENABLED', MaxPerUser = 20) =>
        s.now.setUserPoolSessionConfiguration({ UserPoolId: s.poolId, UserSessionTracking, TokenSession: { MaxPerUser } });
    s.listed = async (Username = 'ada') => (await s.now.adminListUserSessions({ UserPoolId: s.poolId, Username })).Sessions;
    await addUser(s, 'ada');
    if (tracking) await s.track('ENABLED', tracking);
    return s;
}

test('configuration: off by default, replaced as a whole, checked', async (t) => {
    const s = await setUp(t);
    const { poolId: UserPoolId, clientId: ClientId } = s;
    assert.deepEqual(await s.now.getUserPoolSessionConfiguration({ UserPoolId }), { UserPoolId, UserSessionTracking: 'DISABLED', TokenSession: { MaxPerUser: 20 } });
    assert.deepEqual(await s.now.getUserPoolClientSessionConfiguration({ UserPoolId, ClientId }), { UserPoolId, ClientId, SSOSession: { MaxValidityMinutes: 60 } });
    const client = (MaxValidityMinutes) => s.now.setUserPoolClientSessionConfiguration({ UserPoolId, ClientId, SSOSession: { MaxValidityMinutes } });
    await refused(client(5), 'InvalidParameterException', /tracking is not enabled/);
    const set = { UserPoolId, UserSessionTracking: 'ENABLED', TokenSession: { MaxPerUser: 3 } };
    assert.deepEqual(await s.track('ENABLED', 3), set);
    assert.deepEqual(await s.now.getUserPoolSessionConfiguration({ UserPoolId }), set);
    for (const minutes of [0, 129600]) {
        assert.deepEqual(await client(minutes), { UserPoolId, ClientId, SSOSession: { MaxValidityMinutes: minutes } });
        assert.equal((await s.now.getUserPoolClientSessionConfiguration({ UserPoolId, ClientId })).SSOSession.MaxValidityMinutes, minutes);
    }
    const bad = [
        [() => client(129601), 'InvalidParameterException'], [() => client(-1), 'InvalidParameterException'],
        [() => s.track('ENABLED', 0), 'InvalidParameterException'], [() => s.track('ENABLED', 101), 'InvalidParameterException'],
        [() => s.track('MAYBE'), 'InvalidParameterException'],
        [() => s.now.setUserPoolSessionConfiguration({ UserPoolId, UserSessionTracking: 'ENABLED' }), 'InvalidParameterException'],
        [() => s.now.setUserPoolSessionConfiguration({ UserPoolId, UserSessionTracking: 'ENABLED', TokenSession: {} }), 'InvalidParameterException'],
        [() => s.now.getUserPoolSessionConfiguration({ UserPoolId: 'us-east-1_nowhere12' }), 'ResourceNotFoundException'],
        [() => s.now.getUserPoolClientSessionConfiguration({ UserPoolId, ClientId: 'nowhere' }), 'ResourceNotFoundException'],
    ];
    for (const [call, name] of bad) await refused(call(), name);
    await s.api.updateUserPool({ UserPoolId });
    assert.deepEqual(await s.now.getUserPoolSessionConfiguration({ UserPoolId }), set);
    await s.api.updateUserPool({ UserPoolId, UserPoolTier: 'LITE' });
    await refused(s.track(), 'FeatureUnavailableInTierException');
});

test('listed with client, times, device and address of the last use; not when tracking is off', async (t) => {
    const s = await setUp(t);
    const first = await tokens(s);
    assert.deepEqual(await s.listed(), []);
    assert.deepEqual((await s.now.listUserSessions({ AccessToken: first.AccessToken })).Sessions, []);
    await s.track();
    await advance(s.server, 100);
    const firefox = raw(s.server, undefined, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' } });
    const second = (await firefox.initiateAuth({ ClientId: s.clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD } })).AuthenticationResult;
    const seen = (await s.now.listUserSessions({ AccessToken: second.AccessToken })).Sessions;
    assert.equal(seen.length, 2);
    for (const one of seen) assert.match(one.SessionId, /^tkn[a-z0-9]{25}$/);
    assert.notEqual(seen[0].SessionId, seen[1].SessionId);
    const time = claims(second.AccessToken).auth_time;
    assert.deepEqual(seen[0], {
        SessionId: seen[0].SessionId, SessionType: 'TOKEN', ClientId: s.clientId, CreateDate: time, LastActiveDate: time,
        DeviceType: 'Firefox on Linux', LastIPAddress: '127.0.0.1', LastLocation: { Country: 'unknown' }, IsCurrentSession: true,
    });
    assert.deepEqual([seen[1].IsCurrentSession, seen[1].DeviceType], [false, 'aws-sdk-js']);
    assert.deepEqual((await s.listed()).map((x) => [x.SessionId, x.IsCurrentSession]), seen.map((x) => [x.SessionId, false]));

    await advance(s.server, 50);
    await raw(s.server, undefined, { headers: { 'user-agent': 'curl/8.5.0' } }).getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: first.RefreshToken });
    const used = (await s.listed())[1];
    assert.deepEqual([used.SessionId, used.DeviceType, used.CreateDate], [seen[1].SessionId, 'curl', seen[1].CreateDate]);
    assert.ok(used.LastActiveDate >= seen[1].LastActiveDate + 150, 'last active when it was refreshed');
    await s.server.restart('SIGTERM');
    s.now = raw(s.server);
    assert.deepEqual((await s.listed())[1], used);
    await s.track('DISABLED');
    assert.deepEqual(await s.listed(), []);
    await refused(s.now.adminRevokeUserSession({ UserPoolId: s.poolId, Username: 'ada', SessionId: used.SessionId }), 'ResourceNotFoundException');
    await refused(s.listed('nobody'), 'UserNotFoundException', 'User does not exist.');
});

test('MaxPerUser: the least recently used one makes room, over all clients', async (t) => {
    const s = await setUp(t, { tracking: 3 });
    const { UserPoolClient } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'other', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] });
    const made = [];
    for (const clientId of [s.clientId, UserPoolClient.ClientId, s.clientId]) {
        made.push(await tokens({ ...s, clientId }));
        await advance(s.server, 1);
    }
    await refresh(s, made[0].RefreshToken); // now the second is the one not used for longest
    await advance(s.server, 1);
    const fourth = await tokens(s);
    await revoked(s.api.getUser({ AccessToken: made[1].AccessToken }));
    for (const { AccessToken } of [made[0], made[2], fourth]) await s.api.getUser({ AccessToken });
    assert.equal((await s.listed()).length, 3);
    await s.track('ENABLED', 1); // "evicts nothing until the next sign-in"
    assert.equal((await s.listed()).length, 3);
    const fifth = await tokens(s);
    assert.equal((await s.listed()).length, 1);
    for (const { AccessToken } of [made[0], made[2], fourth]) await revoked(s.api.getUser({ AccessToken }));
    await s.api.getUser({ AccessToken: fifth.AccessToken });
    await addUser(s, 'bob');
    await tokens(s, 'bob');
    await s.api.getUser({ AccessToken: fifth.AccessToken });
});

test('pages of a hundred; what has expired is forgotten', async (t) => {
    const s = await setUp(t, { client: { RefreshTokenValidity: 60, TokenValidityUnits: { RefreshToken: 'minutes' } } });
    for (let i = 0; i < 101; i += 20) await Promise.all(Array.from({ length: Math.min(20, 101 - i) }, () => tokens(s)));
    await s.track('ENABLED', 100);
    const first = await s.now.adminListUserSessions({ UserPoolId: s.poolId, Username: 'ada' });
    assert.equal(first.Sessions.length, 100);
    const last = await s.now.adminListUserSessions({ UserPoolId: s.poolId, Username: 'ada', NextToken: first.NextToken });
    assert.deepEqual([last.Sessions.length, last.NextToken], [1, undefined]);
    assert.equal(new Set([...first.Sessions, ...last.Sessions].map((x) => x.SessionId)).size, 101);
    await addUser(s, 'bob');
    await refused(s.now.adminListUserSessions({ UserPoolId: s.poolId, Username: 'bob', NextToken: first.NextToken }), 'InvalidParameterException');
    await advance(s.server, 3601);
    assert.deepEqual(await s.listed(), []);
});

test('revoking: others\' and one\'s own but not the current one, one\'s own only', async (t) => {
    const s = await setUp(t, { tracking: 20 });
    await addUser(s, 'bob');
    const [mine, other, bobs] = [await tokens(s), await tokens(s), await tokens(s, 'bob')];
    const [otherId, mineId] = (await s.listed()).map((x) => x.SessionId);
    const [bobsId] = (await s.listed('bob')).map((x) => x.SessionId);
    const revoke = (SessionId, more = {}) => s.now.revokeUserSession({ AccessToken: mine.AccessToken, SessionId, ...more });
    await refused(revoke(mineId), 'InvalidParameterException', /current session/);
    await refused(revoke(bobsId), 'ResourceNotFoundException');
    await refused(revoke(`tkn${'a'.repeat(25)}`), 'ResourceNotFoundException');
    await refused(revoke('nonsense'), 'InvalidParameterException');
    await refused(revoke(otherId, { RevokeAssociatedSessions: 'ALL' }), 'InvalidParameterException');
    assert.deepEqual(await revoke(otherId, { RevokeAssociatedSessions: 'LINKED' }), {});
    await revoked(s.api.getUser({ AccessToken: other.AccessToken }));
    await refused(refresh(s, other.RefreshToken), 'NotAuthorizedException', 'Refresh Token has been revoked');
    await refused(revoke(otherId), 'ResourceNotFoundException');
    await s.now.adminRevokeUserSession({ UserPoolId: s.poolId, Username: 'ada', SessionId: mineId });
    await revoked(s.now.listUserSessions({ AccessToken: mine.AccessToken }));
    await s.api.getUser({ AccessToken: bobs.AccessToken });
    assert.deepEqual(await s.listed(), []);
});

// Every way of ending sign-ins, seen from a method with a Cognito authorizer: ID and access tokens, of a client
// with and one without origin_jti in its tokens.
const endings = [
    ['GlobalSignOut', ({ s, now }) => s.api.globalSignOut({ AccessToken: now.AccessToken })],
    ['AdminUserGlobalSignOut', ({ s, Username }) => s.api.adminUserGlobalSignOut({ UserPoolId: s.poolId, Username })],
    ['RevokeToken', ({ s, now }) => s.now.revokeToken({ ClientId: s.clientId, Token: now.RefreshToken, RevokeAssociatedSessions: 'LINKED' }), 'origin_jti'],
    ['AdminDisableUser', ({ s, Username }) => s.api.adminDisableUser({ UserPoolId: s.poolId, Username })],
    ['AdminDeleteUser', ({ s, Username }) => s.api.adminDeleteUser({ UserPoolId: s.poolId, Username })],
    ['DeleteUser', ({ s, now }) => s.api.deleteUser({ AccessToken: now.AccessToken })],
    ['AdminRevokeUserSession', async ({ s, Username }) => s.now.adminRevokeUserSession({ UserPoolId: s.poolId, Username, SessionId: (await s.listed(Username))[0].SessionId })],
    ['RevokeUserSession', async ({ s, Username }) => {
        const [id] = (await s.listed(Username)).map((x) => x.SessionId);
        await s.now.revokeUserSession({ AccessToken: (await tokens(s, Username)).AccessToken, SessionId: id });
    }],
    ['AdminSetUserPassword', ({ s, Username }) => s.api.adminSetUserPassword({ UserPoolId: s.poolId, Username, Password: `${PASSWORD}2`, Permanent: true })],
    ['AdminResetUserPassword', ({ s, Username }) => s.api.adminResetUserPassword({ UserPoolId: s.poolId, Username })],
    ['a sign-in too many', async ({ s, Username }) => { for (let i = 0; i < 5; i++) await tokens(s, Username); }],
];

for (const withOrigin of [true, false]) {
    test(`sign-out reaches the gateway at once, for access and ID tokens ${withOrigin ? 'with' : 'without'} origin_jti`, async (t) => {
        const s = await setUp(t, { tracking: 5, client: { EnableTokenRevocation: withOrigin } });
        const pool = `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${s.poolId}`;
        const one = await restApi(s.server, {});
        const authorizer = (name) => control(s.server).createAuthorizer({ restApiId: one.id, name, type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [pool] });
        const method = { authorizationType: 'COGNITO_USER_POOLS', authorizerId: (await authorizer('id')).id };
        await one.add('GET /id', { method });
        await one.add('GET /access', { method: { ...method, authorizationScopes: ['aws.cognito.signin.user.admin'] } });
        await one.deploy();
        const ask = async (path, authorization) => (await fetch(`${one.url}/${path}`, { headers: { authorization } })).status;
        const both = async (now) => [await ask('id', now.IdToken), await ask('access', now.AccessToken)];

        for (const [name, end, needs] of endings) {
            const Username = `u-${name.replace(/ /g, '-')}`;
            if (needs && !withOrigin) continue;
            await addUser(s, Username, { email: `${Username}@example.org`, email_verified: 'true' });
            const now = await tokens(s, Username);
            assert.equal(claims(now.AccessToken).origin_jti !== undefined, withOrigin);
            assert.deepEqual(await both(now), [200, 200], name); // remembered as good
            await end({ s, now, Username });
            assert.deepEqual(await both(now), [401, 401], name);
            await assert.rejects(s.api.getUser({ AccessToken: now.AccessToken }), { name: /NotAuthorized|UserNotFound/ }, name);
            await assert.rejects(refresh(s, now.RefreshToken), { name: 'NotAuthorizedException' }, name);
        }
    });
}
