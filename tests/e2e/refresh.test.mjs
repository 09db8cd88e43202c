// Refresh tokens: exchanged with and without rotation, retried, stolen, bound to client and secret.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { start } from './support/harness.mjs';
import { hookUp, throwing } from './support/hooks.mjs';
import { PASSWORD, addUser, advance, api as apiOf, claims, poolOf, refused, signIn } from './support/people.mjs';

const NO_REFRESH = ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH'];
const rotating = (RetryGracePeriodSeconds = 0) =>
    ({ ExplicitAuthFlows: NO_REFRESH, RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds } });
const tokens = async (s, name = 'ada') => (await signIn(s, name)).AuthenticationResult;
const exchange = async ({ api, clientId }, RefreshToken, more = {}) =>
    (await api.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken, ...more })).AuthenticationResult;
const refresh = async ({ api, clientId }, REFRESH_TOKEN, more = {}) =>
    (await api.initiateAuth({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN, ...more } })).AuthenticationResult;
const reused = (promise) => refused(promise, 'RefreshTokenReuseException', 'Refresh token reuse detected');
const revoked = (promise) => refused(promise, 'NotAuthorizedException', 'Refresh Token has been revoked');

async function setUp(t, client) {
    const s = await poolOf(await start(t), { client });
    await addUser(s, 'ada');
    return s;
}

test('without rotation both ways refresh, and the token stays the same', async (t) => {
    const s = await setUp(t);
    const first = await tokens(s);
    for (const again of [await refresh(s, first.RefreshToken), await exchange(s, first.RefreshToken)]) {
        assert.deepEqual([again.RefreshToken, again.TokenType, again.ExpiresIn], [undefined, 'Bearer', 3600]);
        for (const name of ['AccessToken', 'IdToken']) {
            const [before, after] = [claims(first[name]), claims(again[name])];
            assert.deepEqual([after.origin_jti, after.auth_time, after.event_id], [before.origin_jti, before.auth_time, before.event_id]);
            assert.notEqual(after.jti, before.jti);
        }
    }
    assert.match(first.RefreshToken, /^[\w-]+(\.[\w-]+){4}$/);
    assert.equal((await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN', AuthParameters: { REFRESH_TOKEN: first.RefreshToken } })).AuthenticationResult.TokenType, 'Bearer');
});

test('refreshing without rotation writes nothing to disk', async (t) => {
    const s = await setUp(t);
    const first = await tokens(s);
    const wal = () => {
        const [file] = fs.readdirSync(s.server.data).filter((name) => name.endsWith('-wal'));
        const { size, mtimeNs } = fs.statSync(path.join(s.server.data, file), { bigint: true });
        return `${size} bytes of ${mtimeNs}`;
    };
    await refresh(s, first.RefreshToken);
    const before = wal();
    for (let i = 0; i < 20; i++) await (i % 2 ? refresh : exchange)(s, first.RefreshToken);
    assert.equal(wal(), before);
    await tokens(s);
    assert.notEqual(wal(), before, 'a sign-in does write there');
});

test('rotation: each token once, the next has what is left of the lifetime', async (t) => {
    const s = await setUp(t, { ...rotating(), RefreshTokenValidity: 2, TokenValidityUnits: { RefreshToken: 'hours' } });
    const first = await tokens(s);
    await advance(s.server, 3600);
    const second = await exchange(s, first.RefreshToken);
    assert.ok(second.RefreshToken && second.RefreshToken !== first.RefreshToken);
    assert.equal(claims(second.AccessToken).origin_jti, claims(first.AccessToken).origin_jti);
    const third = await exchange(s, second.RefreshToken);
    await refused(refresh(s, third.RefreshToken), 'UnsupportedOperationException', 'This API does not support refresh token rotation');
    await refused(s.api.adminInitiateAuth({ UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: third.RefreshToken } }), 'UnsupportedOperationException');
    await advance(s.server, 3601);
    await refused(exchange(s, third.RefreshToken), 'NotAuthorizedException', 'Refresh Token has expired');
    await refused(exchange(s, first.RefreshToken), 'NotAuthorizedException', 'Refresh Token has expired');
});

test('what comes back after its grace ends the whole family: every token of it, at once (d13)', async (t) => {
    const s = await setUp(t, rotating());
    const other = await tokens(s);
    for (const steps of [1, 2, 12]) {
        const first = await tokens(s);
        let head = first;
        for (let i = 0; i < steps; i++) head = await exchange(s, head.RefreshToken);
        await s.api.getUser({ AccessToken: head.AccessToken });
        await reused(exchange(s, first.RefreshToken));
        await revoked(exchange(s, head.RefreshToken));
        await revoked(exchange(s, first.RefreshToken));
        for (const { AccessToken } of [first, head]) await refused(s.api.getUser({ AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
    }
    await s.api.getUser({ AccessToken: other.AccessToken });
    await exchange(s, other.RefreshToken);
});

test('within the grace a retry gets the same next token again (d14)', async (t) => {
    const s = await setUp(t, rotating(30));
    const first = await tokens(s);
    const second = await exchange(s, first.RefreshToken);
    await advance(s.server, 20);
    assert.equal((await exchange(s, first.RefreshToken)).RefreshToken, second.RefreshToken);
    const third = await exchange(s, second.RefreshToken);
    assert.equal((await exchange(s, first.RefreshToken)).RefreshToken, second.RefreshToken);
    assert.equal((await exchange(s, second.RefreshToken)).RefreshToken, third.RefreshToken);
    await advance(s.server, 11); // the first one's grace is over, the second one's is not
    assert.equal((await exchange(s, second.RefreshToken)).RefreshToken, third.RefreshToken);
    await reused(exchange(s, first.RefreshToken));
    await revoked(exchange(s, third.RefreshToken));
});

test('a failing function lets no token out and exchanges nothing', async (t) => {
    const s = await setUp(t, rotating());
    const first = await tokens(s);
    const hooks = await hookUp(t, s, ['PreTokenGeneration'], { TokenGeneration_RefreshTokens: throwing('not today') });
    await refused(exchange(s, first.RefreshToken), 'UserLambdaValidationException', /not today/);
    delete hooks.answers.TokenGeneration_RefreshTokens;
    const second = await exchange(s, first.RefreshToken);
    await reused(exchange(s, first.RefreshToken));
    await revoked(exchange(s, second.RefreshToken));
});

test('many at once: one new head, never two (d16)', async (t) => {
    for (const [grace, users] of [[0, 4], [60, 4]]) {
        const s = await setUp(t, rotating(grace));
        const calls = Array.from({ length: 4 }, () => ({ ...s, api: apiOf(s.server) }));
        for (let round = 0; round < users; round++) {
            const { RefreshToken } = await tokens(s);
            const answers = await Promise.allSettled(Array.from({ length: 25 }, (_, i) => exchange(calls[i % calls.length], RefreshToken)));
            const heads = new Set(answers.filter((a) => a.status === 'fulfilled').map((a) => a.value.RefreshToken));
            const errors = new Set(answers.filter((a) => a.status === 'rejected').map((a) => `${a.reason.name}: ${a.reason.message}`));
            assert.equal(heads.size, 1, `grace ${grace}: heads`);
            if (grace) assert.deepEqual([...errors], []);
            else for (const error of errors) assert.match(error, /^(RefreshTokenReuseException: Refresh token reuse detected|NotAuthorizedException: Refresh Token has been revoked)$/);
            const head = [...heads][0];
            if (grace) assert.ok((await exchange(s, head)).RefreshToken);
            else await revoked(exchange(s, head)); // 24 thieves
        }
    }
});

test('whose token is whose (d15)', async (t) => {
    const s = await setUp(t, { ...rotating(), GenerateSecret: true });
    const hash = (name) => crypto.createHmac('sha256', s.secret).update(name + s.clientId).digest('base64');
    const mine = async () => (await signIn(s, 'ada', PASSWORD, { SECRET_HASH: hash('ada') })).AuthenticationResult.RefreshToken;
    const token = await mine();
    const { UserPoolClient: other } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'other', ...rotating() });
    const ClientSecret = s.secret;
    const invalid = [['NotAuthorizedException', 'Invalid Refresh Token'], { ClientSecret }];
    const flipped = (at) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    const segments = token.split('.');
    const rows = [
        ['no secret', token, [['NotAuthorizedException', `Client ${s.clientId} is configured for secret but secret was not received`], {}]],
        ['wrong secret', token, [['NotAuthorizedException', `Unable to verify secret hash for client ${s.clientId}`], { ClientSecret: 'x'.repeat(51) }]],
        ['a secret where there is none', token, [['NotAuthorizedException', `Client ${other.ClientId} is not configured for secret but secret was received`], { ClientId: other.ClientId, ClientSecret }]],
        ['other client', token, [['NotAuthorizedException', 'Invalid Refresh Token'], { ClientId: other.ClientId }]],
        ['no such client', token, [['ResourceNotFoundException', 'User pool client nowhere does not exist.'], { ClientId: 'nowhere' }]],
        ['garbage', 'garbage', invalid],
        ['segment changed: shared', flipped(segments[0].length + 5), invalid],
        ['segment changed: generation', flipped(segments[0].length + segments[1].length + 16), invalid],
        ['segment changed: seal', flipped(token.length - 5), invalid],
        ['cut', token.slice(0, -23), invalid],
        ['longer', `${token}.AAAA`, invalid],
        ['a device nobody asked for is no harm', token, [null, { ClientSecret, DeviceKey: 'us-east-1_00000000-0000-0000-0000-000000000000' }]],
    ];
    for (const [name, RefreshToken, [error, more]] of rows) {
        const answer = exchange(s, RefreshToken, more);
        if (error) await refused(answer, error[0], error[1]).catch((e) => assert.fail(`${name}: ${e.message}`));
        else assert.ok((await answer).RefreshToken, name);
    }

    await s.api.adminUserGlobalSignOut({ UserPoolId: s.poolId, Username: 'ada' });
    const [ended, disabled, deleted] = [await mine(), await mine(), await mine()];
    await s.api.revokeToken({ ClientId: s.clientId, ClientSecret, Token: ended });
    await revoked(exchange(s, ended, { ClientSecret }));
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(exchange(s, disabled, { ClientSecret }), 'NotAuthorizedException', 'User is disabled.');
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(exchange(s, deleted, { ClientSecret }), 'NotAuthorizedException', 'Invalid Refresh Token');
});

test('REFRESH_TOKEN_AUTH wants the secret hash, and says in AWS\'s words what is wrong', async (t) => {
    const s = await setUp(t, { GenerateSecret: true });
    const SECRET_HASH = crypto.createHmac('sha256', s.secret).update(`ada${s.clientId}`).digest('base64');
    const { RefreshToken } = (await signIn(s, 'ada', PASSWORD, { SECRET_HASH })).AuthenticationResult;
    assert.ok((await refresh(s, RefreshToken, { SECRET_HASH })).AccessToken);
    await refused(refresh(s, RefreshToken), 'NotAuthorizedException', `Client ${s.clientId} is configured with secret but SECRET_HASH was not received`);
    await refused(refresh(s, RefreshToken, { SECRET_HASH: 'x' }), 'NotAuthorizedException', `Unable to verify secret hash for client ${s.clientId}`);
    await refused(refresh(s, '', { SECRET_HASH }), 'InvalidParameterException', 'Missing required parameter REFRESH_TOKEN');
});

test('settings: what rotation goes together with', async (t) => {
    const s = await poolOf(await start(t));
    const make = (more) => s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'x', ...more });
    await refused(make({ ...rotating(), ExplicitAuthFlows: [...NO_REFRESH, 'ALLOW_REFRESH_TOKEN_AUTH'] }), 'InvalidParameterException',
        'ALLOW_REFRESH_TOKEN_AUTH is not a permitted ExplicitAuthFlow when refresh token rotation is enabled.');
    await refused(make(rotating(61)), 'InvalidParameterException', /retryGracePeriodSeconds/);
    await refused(make(rotating(-1)), 'InvalidParameterException', /retryGracePeriodSeconds/);
    const { UserPoolClient } = await make(rotating(60));
    assert.deepEqual(UserPoolClient.RefreshTokenRotation, { Feature: 'ENABLED', RetryGracePeriodSeconds: 60 });
    await refused(s.api.updateUserPoolClient({ UserPoolId: s.poolId, ClientId: UserPoolClient.ClientId, ...rotating(), ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'] }), 'InvalidParameterException');
    const { UserPool } = await s.api.createUserPool({ PoolName: 'lite', UserPoolTier: 'LITE' });
    await refused(s.api.createUserPoolClient({ UserPoolId: UserPool.Id, ClientName: 'x', ...rotating() }), 'FeatureUnavailableInTierException');
});

test('an exchange that was acknowledged survives kill -9, and nothing is exchanged twice', async (t) => {
    const s = await setUp(t, rotating());
    let head = (await tokens(s)).RefreshToken, last;
    for (let round = 0; round < 3; round++) {
        let answers = 0, enough;
        const after = new Promise((resolve) => (enough = resolve));
        const storm = (async () => {
            for (;;) {
                const next = await exchange(s, head);
                [last, head] = [head, next.RefreshToken];
                if (++answers === 5 + round) enough();
            }
        })().catch((error) => error);
        await after;
        await s.server.kill9();
        await storm;
        await s.server.launch();
        s.api = apiOf(s.server);
        // The last answer stands; the one that was under way either happened, and then trying it again says so, or did not.
        const next = await exchange(s, head).catch((error) => error);
        if (next instanceof Error) {
            assert.equal(next.name, 'RefreshTokenReuseException');
            head = (await tokens(s)).RefreshToken;
        } else {
            [last, head] = [head, next.RefreshToken];
        }
    }
    last = head;
    head = (await exchange(s, head)).RefreshToken;
    await reused(exchange(s, last));
});
