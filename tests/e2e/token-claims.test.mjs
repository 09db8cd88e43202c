// What tokens say, member by member; how long they live; what a PreTokenGeneration trigger may change of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { JwtVerifier } from 'aws-jwt-verify';

import { fn, functions } from './support/apis.mjs';
import { hookUp, throwing } from './support/hooks.mjs';
import { ALL_FLOWS, PASSWORD, addUser, advance, claims, refused, setUp, signIn, srpSignIn } from './support/userpool.mjs';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const result = async (s, user = 'ada', more) => (await signIn(s, user, PASSWORD, more)).AuthenticationResult;
const now = async ({ server }) => Date.parse((await (await server.fetch('/_gatehouse/health')).json()).time) / 1000;

// Random ones by their shape; times as their distance from `at`.
function settled(token, at) {
    const seen = { ...claims(token) };
    for (const name of ['jti', 'origin_jti', 'event_id'])
        if (name in seen) {
            assert.match(seen[name], UUID, name);
            seen[name] = 'uuid';
        }
    for (const name of ['iat', 'exp', 'auth_time']) {
        assert.ok(Number.isInteger(seen[name]), name);
        seen[name] = seen[name] - at;
    }
    return seen;
}
const near = (value, by) => (Math.abs(value - by) <= 5 ? by : value);
const rounded = (seen, exp) => ({ ...seen, iat: near(seen.iat, 0), auth_time: near(seen.auth_time, 0), exp: near(seen.exp, exp) });

test('ID and access tokens have Cognito\'s claims and no others', async (t) => {
    const s = await setUp(t, { pool: { Schema: [{ Name: 'tier', AttributeDataType: 'Number', Mutable: true }] } });
    const { api, poolId, clientId, server } = s;
    await addUser(s, 'ada', { attributes: { email: 'ada@example.org', email_verified: 'true', address: 'St James Square', 'custom:tier': '3', phone_number: '+15550100', updated_at: '17' } });
    const role = (name) => `arn:aws:iam::000000000000:role/${name}`;
    for (const [GroupName, Precedence, RoleArn] of [['users', 9, role('b')], ['admins', 1, role('a')], ['all', undefined, undefined]]) {
        await api.createGroup({ UserPoolId: poolId, GroupName, Precedence, RoleArn });
        await api.adminAddUserToGroup({ UserPoolId: poolId, Username: 'ada', GroupName });
    }
    const sub = (await api.adminGetUser({ UserPoolId: poolId, Username: 'ada' })).UserAttributes.find((one) => one.Name === 'sub').Value;
    const iss = `${server.url}/${poolId}`;
    const at = Math.floor(await now(s));
    const tokens = await result(s);
    assert.deepEqual(rounded(settled(tokens.IdToken, at), 3600), {
        sub, iss, aud: clientId, token_use: 'id', auth_time: 0, iat: 0, exp: 3600, jti: 'uuid', origin_jti: 'uuid', event_id: 'uuid',
        'cognito:username': 'ada', 'cognito:groups': ['admins', 'users', 'all'], 'cognito:roles': [role('a'), role('b')], 'cognito:preferred_role': role('a'),
        email: 'ada@example.org', email_verified: true, phone_number: '+15550100', address: { formatted: 'St James Square' }, 'custom:tier': '3', updated_at: 17,
        phone_number_verified: false,
    });
    assert.deepEqual(rounded(settled(tokens.AccessToken, at), 3600), {
        sub, iss, client_id: clientId, token_use: 'access', scope: 'aws.cognito.signin.user.admin', auth_time: 0, iat: 0, exp: 3600,
        jti: 'uuid', origin_jti: 'uuid', event_id: 'uuid', username: 'ada', 'cognito:groups': ['admins', 'users', 'all'],
    });
    const [id, access] = [claims(tokens.IdToken), claims(tokens.AccessToken)];
    assert.deepEqual([id.origin_jti, id.event_id], [access.origin_jti, access.event_id]);
    assert.notEqual(id.jti, access.jti);
    assert.match(Buffer.from(tokens.IdToken.split('.')[0], 'base64url').toString(), /^\{"kid":"[A-Za-z0-9+/]{43}=","alg":"RS256"\}$/);

    await advance(server, 100);
    const again = (await api.initiateAuth({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken } })).AuthenticationResult;
    const renewed = claims(again.AccessToken);
    assert.deepEqual([renewed.auth_time, renewed.origin_jti, renewed.event_id], [access.auth_time, access.origin_jti, access.event_id]);
    assert.ok(renewed.iat >= access.iat + 100 && renewed.jti !== access.jti);

    // Real verifiers.
    const jwks = await (await server.fetch(`/${poolId}/.well-known/jwks.json`)).json();
    const verifier = (audience, tokenUse) => {
        const one = JwtVerifier.create({ issuer: iss, audience, customJwtCheck: ({ payload }) => assert.equal(payload.token_use, tokenUse) });
        one.cacheJwks(jwks);
        return one;
    };
    assert.equal((await verifier(clientId, 'id').verify(tokens.IdToken)).sub, sub);
    assert.equal((await verifier(null, 'access').verify(tokens.AccessToken)).client_id, clientId);
    await assert.rejects(verifier('other', 'id').verify(tokens.IdToken), /audience/i);

    // Without revocation there are no ids to revoke by; a client reads what it may.
    const { UserPoolClient } = await api.createUserPoolClient({ UserPoolId: poolId, ClientName: 'bare', ExplicitAuthFlows: ALL_FLOWS, EnableTokenRevocation: false, ReadAttributes: ['email'] });
    const bare = await result({ ...s, clientId: UserPoolClient.ClientId });
    assert.deepEqual(Object.keys(claims(bare.IdToken)).filter((name) => !name.startsWith('cognito:')).sort(), ['aud', 'auth_time', 'email', 'event_id', 'exp', 'iat', 'iss', 'sub', 'token_use']);
    assert.deepEqual(Object.keys(claims(bare.AccessToken)).sort(), ['auth_time', 'client_id', 'cognito:groups', 'event_id', 'exp', 'iat', 'iss', 'scope', 'sub', 'token_use', 'username']);
    await api.adminUserGlobalSignOut({ UserPoolId: poolId, Username: 'ada' });
    await refused(api.getUser({ AccessToken: bare.AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
});

test('lifetimes are the client\'s, in its units', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ada');
    const rows = [
        [{ AccessTokenValidity: 300, IdTokenValidity: 7, TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'minutes' } }, 300, 420],
        [{ AccessTokenValidity: 24, IdTokenValidity: 1, TokenValidityUnits: { IdToken: 'days' } }, 86400, 86400],
        [{ AccessTokenValidity: 86400, TokenValidityUnits: { AccessToken: 'seconds' } }, 86400, 3600],
        [{ RefreshTokenValidity: 60, TokenValidityUnits: { RefreshToken: 'minutes' } }, 3600, 3600],
        [{ RefreshTokenValidity: 0 }, 3600, 3600],
    ];
    const bad = [
        [{ AccessTokenValidity: 299, TokenValidityUnits: { AccessToken: 'seconds' } }],
        [{ AccessTokenValidity: 25 }],
        [{ IdTokenValidity: 4, TokenValidityUnits: { IdToken: 'minutes' } }],
        [{ IdTokenValidity: 2, TokenValidityUnits: { IdToken: 'days' } }],
        [{ RefreshTokenValidity: 59, TokenValidityUnits: { RefreshToken: 'minutes' } }],
        [{ RefreshTokenValidity: 3651 }],
        [{ RefreshTokenValidity: 1, TokenValidityUnits: { RefreshToken: 'hours' }, AccessTokenValidity: 2 }, /must be less than or equal to refresh/],
    ];
    for (const [settings, access, id] of rows) {
        await s.api.updateUserPoolClient({ UserPoolId: s.poolId, ClientId: s.clientId, ExplicitAuthFlows: ALL_FLOWS, ...settings });
        const tokens = await result(s);
        const [a, i] = [claims(tokens.AccessToken), claims(tokens.IdToken)];
        assert.deepEqual([a.exp - a.iat, i.exp - i.iat, tokens.ExpiresIn], [access, id, access], JSON.stringify(settings));
    }
    for (const [settings, message = 'Invalid range for token validity.'] of bad)
        await refused(s.api.updateUserPoolClient({ UserPoolId: s.poolId, ClientId: s.clientId, ...settings }), 'InvalidParameterException', message);
});

test('PreTokenGeneration V1: what it is told, when, and what it may change', async (t) => {
    const s = await setUp(t);
    const { api, poolId, clientId } = s;
    await addUser(s, 'ada');
    const RoleArn = 'arn:aws:iam::000000000000:role/r';
    await api.createGroup({ UserPoolId: poolId, GroupName: 'g', RoleArn });
    await api.adminAddUserToGroup({ UserPoolId: poolId, Username: 'ada', GroupName: 'g' });
    const hooks = await hookUp(t, s, ['PreTokenGeneration']);
    const sub = claims((await result(s, 'ada', { ClientMetadata: { from: 'initiate' } })).IdToken).sub;
    assert.deepEqual(hooks.events.splice(0), [{
        version: '1', triggerSource: 'TokenGeneration_Authentication', region: 'us-east-1', userPoolId: poolId, userName: 'ada',
        callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
        request: {
            userAttributes: { sub, 'cognito:user_status': 'CONFIRMED', email: 'ada@example.org', email_verified: 'true' },
            groupConfiguration: { groupsToOverride: ['g'], iamRolesToOverride: [RoleArn], preferredRole: RoleArn }, clientMetadata: {},
        },
        response: { claimsOverrideDetails: null },
    }]);
    hooks.answers.TokenGeneration_Authentication = {
        claimsOverrideDetails: { claimsToAddOrOverride: { tier: 'gold', sub: 'somebody' }, claimsToSuppress: ['email'], groupOverrideDetails: { groupsToOverride: ['x', 'y'] } },
    };
    const tokens = await result(s);
    const [id, access] = [claims(tokens.IdToken), claims(tokens.AccessToken)];
    assert.deepEqual([id.tier, id.sub, id.email, id['cognito:groups'], id['cognito:roles'], access['cognito:groups'], access.tier], ['gold', sub, undefined, ['x', 'y'], undefined, ['x', 'y'], undefined]);
    hooks.events.length = 0;
    await srpSignIn(s, 'ada');
    assert.deepEqual(hooks.sources(), ['TokenGeneration_Authentication']);

    const refresh = { ClientId: clientId, RefreshToken: tokens.RefreshToken };
    hooks.answers.TokenGeneration_RefreshTokens = { claimsOverrideDetails: { claimsToAddOrOverride: { fresh: 'yes' } } };
    const { AuthenticationResult: renewed } = await api.getTokensFromRefreshToken({ ...refresh, ClientMetadata: { from: 'refresh' } });
    assert.deepEqual([claims(renewed.IdToken).fresh, hooks.events.at(-1).request.clientMetadata], ['yes', { from: 'refresh' }]);
    await api.initiateAuth({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken }, ClientMetadata: { from: 'initiate' } });
    assert.deepEqual(hooks.events.at(-1).request.clientMetadata, {});

    await api.adminCreateUser({ UserPoolId: poolId, Username: 'new', TemporaryPassword: 'Temporary-1843!', MessageAction: 'SUPPRESS' });
    hooks.events.length = 0;
    const asked = await signIn(s, 'new', 'Temporary-1843!');
    assert.deepEqual([asked.ChallengeName, hooks.sources()], ['NEW_PASSWORD_REQUIRED', []]);
    await api.respondToAuthChallenge({ ClientId: clientId, ChallengeName: asked.ChallengeName, Session: asked.Session, ChallengeResponses: { USERNAME: 'new', NEW_PASSWORD: PASSWORD }, ClientMetadata: { from: 'answer' } });
    assert.deepEqual([hooks.events.at(-1).request.clientMetadata, hooks.sources()], [{ from: 'answer' }, ['TokenGeneration_NewPasswordChallenge']]);
});

test('a trigger that fails lets no token out, and the next sign-in works', async (t) => {
    const s = await setUp(t, { client: { ExplicitAuthFlows: ALL_FLOWS.filter((one) => one !== 'ALLOW_REFRESH_TOKEN_AUTH'), RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 } } });
    await addUser(s, 'ada');
    const hooks = await hookUp(t, s, ['PreTokenGeneration']);
    const good = await result(s);
    const rows = [
        [throwing('not today'), 'UserLambdaValidationException', /^PreTokenGeneration failed with error not today\.$/],
        [{ claimsOverrideDetails: 'x' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [{ claimsOverrideDetails: { claimsToAddOrOverride: { tier: 3 } } }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [() => ({ status: 200, body: 'not JSON' }), 'InvalidLambdaResponseException', /./],
        [() => ({ status: 200, body: '[]' }), 'InvalidLambdaResponseException', /./],
        [{ claimsOverrideDetails: { claimsToAddOrOverride: { long: 'x'.repeat(17000) } } }, 'InvalidLambdaResponseException', /longer than/],
    ];
    for (const [answer, name, message] of rows) {
        hooks.answers.TokenGeneration_Authentication = hooks.answers.TokenGeneration_RefreshTokens = answer;
        await refused(signIn(s, 'ada'), name, message);
        await refused(s.api.getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: good.RefreshToken }), name, message);
    }
    hooks.answers = {};
    assert.ok((await result(s)).AccessToken);
    const next = await s.api.getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: good.RefreshToken });
    assert.ok(next.AuthenticationResult.RefreshToken, 'it was not used up by what failed');
});

test('PreTokenGeneration V2: both tokens, scopes, values of any type; a function here', async (t) => {
    const s = await setUp(t);
    const { api, poolId, server } = s;
    await addUser(s, 'ada');
    const LambdaArn = await fn(server, 'claims', `export const handler = async (event) => ({ ...event, response: { claimsAndScopeOverrideDetails: {
        idTokenGeneration: { claimsToAddOrOverride: { told: { version: event.version, scopes: event.request.scopes } } },
        accessTokenGeneration: { claimsToAddOrOverride: { email: event.request.userAttributes.email, limits: [1, { a: true }] }, scopesToAdd: ['orders/read', 'two words'], scopesToSuppress: ['aws.cognito.signin.user.admin'] },
    } } });`, { shut: true });
    await functions(server).addPermission({ FunctionName: 'claims', StatementId: 'pool', Action: 'lambda:InvokeFunction', Principal: 'cognito-idp.amazonaws.com', SourceArn: s.pool.Arn });
    const config = (LambdaVersion, more = {}) => api.updateUserPool({ UserPoolId: poolId, LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion, LambdaArn }, ...more } });
    await refused(config('V2_0', { PreTokenGeneration: `${LambdaArn}:1` }), 'InvalidParameterException', "Cannot use PreTokenGenerationLambda and PreTokenGeneration with different Lambda function ARN's");
    await config('V2_0', { PreTokenGeneration: LambdaArn });
    for (const version of ['2', '3']) {
        await config(`V${version}_0`);
        const tokens = await result(s);
        const [id, access] = [claims(tokens.IdToken), claims(tokens.AccessToken)];
        assert.deepEqual(id.told, { version, scopes: ['aws.cognito.signin.user.admin'] });
        assert.deepEqual([access.email, access.limits, access.scope], ['ada@example.org', [1, { a: true }], 'orders/read']);
        await refused(api.getUser({ AccessToken: tokens.AccessToken }), 'NotAuthorizedException', 'Access Token does not have required scopes');
    }
});
