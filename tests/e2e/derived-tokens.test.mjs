// GetDerivedToken: a held token becomes a narrower one, in the user's name or in somebody's hands.
import assert from 'node:assert/strict';
import test from 'node:test';

import { api } from './support/apis.mjs';
import { request } from './support/harness.mjs';
import { hookUp } from './support/hooks.mjs';
import { addPool, addUser, PASSWORD, setOptions, setUp, signIn, advance, claims, raw, refused } from './support/userpool.mjs';

const SIGN_IN = 'aws.cognito.signin.user.admin';
const SECRET = 'exchange+secret_of_24_bytes';

// A user's tokens with scopes of resource servers (a webhook gives them), and clients that exchange.
async function exchange(t) {
    const s = await setUp(t);
    const { api: calls, poolId: UserPoolId, server } = s;
    const fresh = raw(server), open = raw(server, undefined, { sign: false });
    for (const Identifier of ['orders', 'bills'])
        await calls.createResourceServer({ UserPoolId, Identifier, Name: 'x', Scopes: ['read', 'write'].map((ScopeName) => ({ ScopeName, ScopeDescription: 'x' })) });
    const client = async (ClientName, ExplicitAuthFlows, more = {}) =>
        (await fresh.createUserPoolClient({ UserPoolId, ClientName, ExplicitAuthFlows, AllowedOAuthScopes: ['orders/read', 'orders/write', SIGN_IN], ...more })).UserPoolClient.ClientId;
    const asUser = await client('as-user', ['ALLOW_TOKEN_EXCHANGE_IMPERSONATION']);
    const acting = await client('acting', ['ALLOW_TOKEN_EXCHANGE_DELEGATION', 'ALLOW_TOKEN_EXCHANGE_IMPERSONATION'], { ClientSecret: SECRET });
    const machine = await client('machine', ['ALLOW_CLIENT_TOKEN_AUTH'], { ClientSecret: SECRET, AllowedOAuthScopes: ['bills/read'] });
    await addUser(s, 'ada');
    await calls.createGroup({ UserPoolId, GroupName: 'g' });
    await setOptions(s, { webhookTokenVersion: 'V2_0' });
    const hooks = await hookUp(t, s, ['PreTokenGeneration'], {
        TokenGeneration_Authentication: { claimsAndScopeOverrideDetails: { accessTokenGeneration: { scopesToAdd: ['orders/read', 'orders/write', 'bills/read'] } } },
    });
    const { AuthenticationResult: subject } = await signIn(s, 'ada');
    const actor = (await open.getClientToken({ ClientId: machine, Secret: SECRET })).ClientAuthenticationResult.AccessToken;
    const derive = (more = {}) => open.getDerivedToken({ ClientId: asUser, SubjectToken: subject.AccessToken, SubjectTokenType: 'ACCESS_TOKEN', ...more });
    const act = (more = {}) => derive({ ClientId: acting, ClientSecret: SECRET, ActorToken: actor, ActorTokenType: 'ACCESS_TOKEN', ...more });
    return { ...s, fresh, open, asUser, acting, machine, subject, actor, derive, act, hooks, calls };
}

test('in the user\'s name: scopes narrowed, bound to one service, no longer than the subject', async (t) => {
    const s = await exchange(t);
    const before = claims(s.subject.AccessToken);
    const answer = await s.derive({ Scopes: ['orders/read', 'bills/read', 'orders/none'], Resources: ['orders'] });
    assert.deepEqual([answer.IssuedTokenType, answer.TokenType, answer.Scopes, answer.RefreshToken], ['ACCESS_TOKEN', 'Bearer', ['orders/read'], undefined]);
    const { iat, exp, jti, ...rest } = claims(answer.IssuedToken);
    assert.deepEqual(rest, {
        sub: before.sub, iss: before.iss, client_id: s.asUser, username: 'ada', token_use: 'access', scope: 'orders/read', aud: 'orders',
        auth_time: before.auth_time, origin_jti: before.origin_jti, event_id: before.event_id,
    });
    assert.ok(jti !== before.jti && exp <= before.exp && answer.ExpiresIn === exp - iat);
    assert.deepEqual((await s.derive()).Scopes.sort(), [SIGN_IN, 'orders/read', 'orders/write'].sort(), 'none asked: the subject\'s, as the client may');
    assert.equal(claims((await s.derive({ Audiences: ['anything'] })).IssuedToken).aud, 'anything');
    assert.equal(claims((await s.derive()).IssuedToken).aud, undefined);

    const id = await s.derive({ SubjectToken: s.subject.IdToken, SubjectTokenType: 'ID_TOKEN', RequestedTokenType: 'ID_TOKEN' });
    assert.deepEqual([id.IssuedTokenType, id.TokenType, id.Scopes, claims(id.IssuedToken).aud, claims(id.IssuedToken).email], ['ID_TOKEN', 'N_A', [], s.asUser, 'ada@example.org']);
    assert.equal(claims((await s.derive({ RequestedTokenType: 'ID_TOKEN', Audiences: ['page'] })).IssuedToken).aud, 'page');

    await s.calls.adminAddUserToGroup({ UserPoolId: s.poolId, Username: 'ada', GroupName: 'g' });
    assert.deepEqual(claims((await s.derive()).IssuedToken)['cognito:groups'], ['g'], 'read anew');
    assert.equal(s.hooks.sources().at(-1), 'TokenGeneration_TokenExchange');
    await setOptions(s, { 'webhook.PreTokenGeneration': null }); // its stamps would be too young for a receiver
    await advance(s.server, 3000);
    const late = await s.derive();
    assert.equal(claims(late.IssuedToken).exp, before.exp);
    assert.ok(late.ExpiresIn <= 600);
    await advance(s.server, 700);
    await refused(s.derive(), 'NotAuthorizedException', 'Subject Token has expired');
});

test('in somebody\'s hands: `act` names who acts, the one before inside', async (t) => {
    const s = await exchange(t);
    const iss = claims(s.subject.AccessToken).iss;
    const once = await s.act({ Scopes: ['orders/read'] });
    assert.deepEqual(claims(once.IssuedToken).act, { sub: s.machine, iss, client_id: s.machine });
    assert.equal(claims(once.IssuedToken).username, 'ada');
    await addUser(s, 'bob', { password: PASSWORD });
    const { AuthenticationResult: bob } = await signIn(s, 'bob');
    const bobs = claims(bob.IdToken);
    const twice = await s.act({ SubjectToken: once.IssuedToken, ActorToken: bob.IdToken, ActorTokenType: 'ID_TOKEN' });
    assert.deepEqual(claims(twice.IssuedToken).act, { sub: bobs.sub, iss, client_id: s.clientId, act: { sub: s.machine, iss, client_id: s.machine } });
    assert.equal(claims(twice.IssuedToken).scope, 'orders/read', 'never more than before');
    const kept = await s.derive({ ClientId: s.acting, ClientSecret: SECRET, SubjectToken: twice.IssuedToken });
    assert.deepEqual(claims(kept.IssuedToken).act, claims(twice.IssuedToken).act, 'nobody loses the chain');
    let chain = once.IssuedToken;
    await assert.rejects(async () => {
        for (let i = 0; i < 10; i++) chain = (await s.act({ SubjectToken: chain })).IssuedToken;
    }, /chain of actors is too long/);

    const rows = [
        [{ ActorTokenType: undefined }, 'InvalidParameterException', /go together/],
        [{ ActorToken: undefined }, 'InvalidParameterException', /go together/],
        [{ ActorTokenType: 'ID_TOKEN' }, 'NotAuthorizedException', 'Invalid Actor Token'],
        [{ ActorToken: `${s.actor}x` }, 'NotAuthorizedException', 'Invalid Actor Token'],
        [{ ClientId: s.asUser, ClientSecret: undefined }, 'NotAuthorizedException', 'ALLOW_TOKEN_EXCHANGE_DELEGATION flow not enabled for this client'],
        [{ ClientSecret: undefined }, 'NotAuthorizedException', 'Invalid client secret'],
        [{ ClientSecret: 'x'.repeat(30) }, 'NotAuthorizedException', 'Invalid client secret'],
        [{ ActorTokenProviderName: 'Other' }, 'InvalidParameterException', /ActorTokenProviderName/],
        [{ ActorTokenType: 'SAML2' }, 'InvalidParameterException', /SAML2/],
    ];
    for (const [change, name, message] of rows) await refused(s.act(change), name, message);
    await s.calls.adminUserGlobalSignOut({ UserPoolId: s.poolId, Username: 'bob' });
    await refused(s.act({ ActorToken: bob.IdToken, ActorTokenType: 'ID_TOKEN' }), 'NotAuthorizedException', 'Actor Token has been revoked');
});

test('what is wrong with a request is said; a token of another pool is none', async (t) => {
    const s = await exchange(t);
    const other = await addPool(s.server, { pool: { PoolName: 'other' } });
    await addUser(other, 'ada');
    const { AuthenticationResult: foreign } = await signIn(other, 'ada');
    const rows = [
        [{ SubjectToken: 'a.b.c' }, 'NotAuthorizedException', 'Invalid Subject Token'],
        [{ SubjectToken: s.subject.RefreshToken }, 'NotAuthorizedException', 'Invalid Subject Token'],
        [{ SubjectToken: foreign.AccessToken }, 'NotAuthorizedException', 'Invalid Subject Token'],
        [{ SubjectToken: s.subject.IdToken }, 'NotAuthorizedException', 'Invalid Subject Token'],
        [{ SubjectTokenType: 'ID_TOKEN' }, 'NotAuthorizedException', 'Invalid Subject Token'],
        [{ SubjectToken: s.subject.IdToken, SubjectTokenType: 'ID_TOKEN' }, 'NotAuthorizedException', /None of the requested scopes/],
        [{ Scopes: ['bills/read'] }, 'NotAuthorizedException', /None of the requested scopes/],
        [{ Audiences: ['a'], Resources: ['orders'] }, 'InvalidParameterException', /Only one of/],
        [{ Audiences: ['a', 'b'] }, 'InvalidParameterException', /length less than or equal to 1/],
        [{ Resources: ['nowhere'] }, 'ResourceNotFoundException', 'Resource server nowhere does not exist.'],
        [{ SubjectTokenProviderName: 'Other' }, 'InvalidParameterException', /SubjectTokenProviderName/],
        [{ SubjectTokenType: 'SAML2' }, 'InvalidParameterException', /SAML2/],
        [{ SubjectToken: s.actor }, 'UserNotFoundException', 'User does not exist.'],
        [{ ClientId: s.clientId }, 'NotAuthorizedException', 'ALLOW_TOKEN_EXCHANGE_IMPERSONATION flow not enabled for this client'],
        [{ ClientId: 'nobody' }, 'ResourceNotFoundException'],
        [{ ClientSecret: SECRET }, 'NotAuthorizedException', 'Invalid client secret'],
        [{ SubjectTokenType: undefined }, 'InvalidParameterException', /Value null at 'subjectTokenType' failed/],
    ];
    for (const [change, name, message] of rows) await refused(s.derive(change), name, message);
    await s.derive();
});

test('a derived token ends with its subject; the gateway and the pool know what it is for', async (t) => {
    const s = await exchange(t);
    const shop = await api(s.server, {});
    const authorizer = await shop.gateway.createAuthorizer({ restApiId: shop.id, name: 'a', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', identityValidationExpression: '^orders$', providerARNs: [s.pool.Arn] });
    await shop.add('GET /orders', { method: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: authorizer.id, authorizationScopes: ['orders/read'] } });
    await shop.deploy();
    const status = async (token) => (await request(`${shop.url}/orders`, { headers: { Authorization: token } })).status;
    const bound = (await s.derive({ Resources: ['orders'] })).IssuedToken;
    const elsewhere = (await s.derive({ Audiences: ['bills'] })).IssuedToken;
    const free = (await s.derive({ Scopes: [SIGN_IN] })).IssuedToken;
    assert.deepEqual([await status(bound), await status(elsewhere), await status(free)], [200, 401, 401]);
    assert.equal((await s.calls.getUser({ AccessToken: free })).Username, 'ada');
    await refused(s.calls.getUser({ AccessToken: bound }), 'NotAuthorizedException', 'Invalid Access Token');

    await s.calls.revokeToken({ ClientId: s.clientId, Token: s.subject.RefreshToken });
    assert.equal(await status(bound), 401, 'revoked with its origin');
    await refused(s.calls.getUser({ AccessToken: free }), 'NotAuthorizedException', 'Access Token has been revoked');
    await refused(s.derive(), 'NotAuthorizedException', 'Subject Token has been revoked');
    const { AuthenticationResult: again } = await signIn(s, 'ada');
    await s.derive({ SubjectToken: again.AccessToken });
    await s.calls.adminDisableUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(s.derive({ SubjectToken: again.AccessToken }), 'NotAuthorizedException');
    await s.calls.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ada' });
    await assert.rejects(s.derive({ SubjectToken: again.AccessToken }), (error) => ['NotAuthorizedException', 'UserNotFoundException'].includes(error.name));
});
