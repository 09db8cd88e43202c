// Identity pools: what a pool is, and who somebody is in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { account, start } from './support/harness.mjs';
import { addIdentityPool, arnOf, callerOf, credentialsOf, identities, people, providerName } from './support/identitypool.mjs';
import { issuer } from './support/issuer.mjs';
import { addPool, addUser, claims, refused, signIn } from './support/userpool.mjs';

let server, users, api;
const tokens = {}; // signing in costs time, and a token is good for an hour
const token = (name) => (tokens[name] ??= signIn(users, name).then((answer) => answer.AuthenticationResult.IdToken));
const loginsOf = async (name) => ({ [providerName(users.poolId)]: await token(name) });
const caller = (credentials) => callerOf(server, credentials);
const MISMATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool.";

before(async () => {
    server = await start(null);
    api = identities(server);
    users = await addPool(server);
    for (const name of ['ann', 'bob', 'eve', 'off', 'tom']) await addUser(users, name);
});
after(() => server.discard());

// ---- pools ----

test('a pool: made, shown, changed as a whole, listed, tagged, deleted', async () => {
    const given = {
        IdentityPoolName: 'Shop = 1', AllowUnauthenticatedIdentities: false, AllowClassicFlow: true, DeveloperProviderName: 'login.shop',
        SupportedLoginProviders: { 'accounts.google.com': '123.apps' },
        OpenIdConnectProviderARNs: [`arn:aws:iam::${account}:oidc-provider/login.example.org`],
        CognitoIdentityProviders: [{ ProviderName: providerName(users.poolId), ClientId: users.clientId, ServerSideTokenCheck: true }],
        SamlProviderARNs: [`arn:aws:iam::${account}:saml-provider/corp`], IdentityPoolTags: { team: 'a' },
    };
    const { $metadata, IdentityPoolId, ...made } = await api.createIdentityPool(given);
    assert.match(IdentityPoolId, /^us-east-1:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(made, given);
    const show = async () => {
        const { $metadata: _, ...pool } = await api.describeIdentityPool({ IdentityPoolId });
        return pool;
    };
    assert.deepEqual(await show(), { IdentityPoolId, ...given });

    const arn = `arn:aws:cognito-identity:us-east-1:${account}:identitypool/${IdentityPoolId}`;
    await api.tagResource({ ResourceArn: arn, Tags: { team: 'b', cost: '1' } });
    await api.untagResource({ ResourceArn: arn, TagKeys: ['cost', 'none'] });
    assert.deepEqual((await api.listTagsForResource({ ResourceArn: arn })).Tags, { team: 'b' });

    await refused(api.updateIdentityPool({ IdentityPoolId, IdentityPoolName: 'x', AllowUnauthenticatedIdentities: true, DeveloperProviderName: 'other' }),
        'InvalidParameterException', 'The developer provider name cannot be changed once it has been set.');
    await api.updateIdentityPool({ IdentityPoolId, IdentityPoolName: 'Shop 2', AllowUnauthenticatedIdentities: true });
    assert.deepEqual(await show(), {
        IdentityPoolId, IdentityPoolName: 'Shop 2', AllowUnauthenticatedIdentities: true, DeveloperProviderName: 'login.shop', IdentityPoolTags: { team: 'b' },
    });
    await api.deleteIdentityPool({ IdentityPoolId });
    await refused(api.describeIdentityPool({ IdentityPoolId }), 'ResourceNotFoundException', `IdentityPool '${IdentityPoolId}' not found.`);
    await refused(api.getId({ IdentityPoolId }), 'ResourceNotFoundException', `IdentityPool '${IdentityPoolId}' not found.`);
});

test('pools are listed page by page, each account its own', async () => {
    const theirs = identities(server, { credentials: { accessKeyId: '111111111111', secretAccessKey: 'x' } });
    const made = new Set();
    for (let i = 0; i < 5; i++) made.add((await theirs.createIdentityPool({ IdentityPoolName: `p${i}`, AllowUnauthenticatedIdentities: true })).IdentityPoolId);
    const seen = [];
    let NextToken;
    do {
        const page = await theirs.listIdentityPools({ MaxResults: 2, NextToken });
        assert.ok(page.IdentityPools.length <= 2);
        seen.push(...page.IdentityPools);
        ({ NextToken } = page);
    } while (NextToken);
    assert.deepEqual(new Set(seen.map((p) => p.IdentityPoolId)), made);
    assert.equal(seen.length, 5);
    assert.deepEqual(Object.keys(seen[0]).sort(), ['IdentityPoolId', 'IdentityPoolName']);
    await refused(theirs.listIdentityPools({ MaxResults: 2, NextToken: 'no-token' }), 'InvalidParameterException', 'Invalid pagination token given.');

    const [id] = made;
    const arn = `arn:aws:cognito-identity:us-east-1:111111111111:identitypool/${id}`;
    const { IdentityId } = await theirs.getId({ IdentityPoolId: id });
    const gone = [`ResourceNotFoundException`, `IdentityPool '${id}' not found.`];
    for (const [name, input] of [
        ['describeIdentityPool', {}], ['updateIdentityPool', { IdentityPoolName: 'x', AllowUnauthenticatedIdentities: true }], ['getIdentityPoolRoles', {}],
        ['setIdentityPoolRoles', { Roles: {} }], ['listIdentities', { MaxResults: 5 }], ['deleteIdentityPool', {}], ['lookupDeveloperIdentity', { IdentityId }],
        ['getPrincipalTagAttributeMap', { IdentityProviderName: 'accounts.google.com' }], ['setPrincipalTagAttributeMap', { IdentityProviderName: 'accounts.google.com' }],
        ['getOpenIdTokenForDeveloperIdentity', { Logins: { a: 'b' } }], ['mergeDeveloperIdentities', { SourceUserIdentifier: 'a', DestinationUserIdentifier: 'b', DeveloperProviderName: 'd' }],
        ['unlinkDeveloperIdentity', { IdentityId, DeveloperProviderName: 'd', DeveloperUserIdentifier: 'u' }],
    ]) await refused(api[name]({ IdentityPoolId: id, ...input }), ...gone);
    await refused(api.describeIdentity({ IdentityId }), 'ResourceNotFoundException', `Identity '${IdentityId}' not found.`);
    await refused(api.tagResource({ ResourceArn: arn, Tags: { a: 'b' } }), 'ResourceNotFoundException');
    assert.deepEqual((await api.deleteIdentities({ IdentityIdsToDelete: [IdentityId] })).UnprocessedIdentityIds, [{ IdentityId, ErrorCode: 'AccessDenied' }]);
    assert.equal((await theirs.describeIdentity({ IdentityId })).IdentityId, IdentityId);
});

test('settings that cannot be are refused', async () => {
    const make = (more) => api.createIdentityPool({ IdentityPoolName: 'p', AllowUnauthenticatedIdentities: true, ...more });
    const entry = (ProviderName, ClientId = 'abc') => ({ CognitoIdentityProviders: [{ ProviderName, ClientId }] });
    for (const [input, message] of [
        [entry('us-east-1_abcdefghi'), 'Invalid Cognito Identity Provider'],
        [entry('cognito-idp.eu-west-1.amazonaws.com/us-east-1_abcdefghi'), 'Invalid Cognito Identity Provider'],
        [{ CognitoIdentityProviders: [{ ProviderName: providerName(users.poolId) }] }, 'Invalid Cognito Identity Provider'],
        [{ SupportedLoginProviders: { 'example.org': 'x' } }, 'Please provide a valid public provider.'],
        ...['graph.facebook.com', 'www.amazon.com', 'api.twitter.com', 'www.digits.com'].map((name) =>
            [{ SupportedLoginProviders: { [name]: 'x' } }, `${name} is not supported in Gatehouse: its access tokens say nothing that could be verified here.`]),
        [{ DeveloperProviderName: 'accounts.google.com' }, /a developer provider needs one of its own/],
        [{ SamlProviderARNs: ['arn:aws:iam::111111111111:saml-provider/corp'] }, `Identity provider arn:aws:iam::111111111111:saml-provider/corp is not valid for account ${account}`],
        [{ SamlProviderARNs: [arnOf('corporation')] }, /^Invalid SAML provider ARN/],
        [{ OpenIdConnectProviderARNs: [arnOf('corporation')] }, /^Invalid OpenID Connect provider ARN/],
        [{ IdentityPoolTags: { 'aws:x': 'y' } }, /reserved/],
    ]) await refused(make(input), 'InvalidParameterException', message);
});

// ---- identities ----

test('guests: a new one each time; only where the pool has any', async () => {
    const pool = await addIdentityPool(server);
    const [one, two] = [await pool.api.getId({ IdentityPoolId: pool.id }), await pool.api.getId({ IdentityPoolId: pool.id, AccountId: account })];
    assert.notEqual(one.IdentityId, two.IdentityId);
    const got = await pool.api.getCredentialsForIdentity({ IdentityId: one.IdentityId });
    assert.equal(got.IdentityId, one.IdentityId);
    assert.match(got.Credentials.AccessKeyId, /^ASIA/);
    assert.ok(Math.abs(got.Credentials.Expiration - Date.now() - 3600e3) < 60e3);
    assert.equal(await caller(credentialsOf(got)), `arn:aws:sts::${account}:assumed-role/guest-${pool.n}/CognitoIdentityCredentials`);

    await refused(pool.api.getId({ IdentityPoolId: pool.id, AccountId: '123456789012' }), 'ResourceNotFoundException');
    await pool.api.updateIdentityPool({ IdentityPoolId: pool.id, IdentityPoolName: 'p', AllowUnauthenticatedIdentities: false });
    const message = 'Unauthenticated access is not supported for this identity pool.';
    await refused(pool.api.getId({ IdentityPoolId: pool.id }), 'NotAuthorizedException', message);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: one.IdentityId }), 'NotAuthorizedException', message);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: 'us-east-1:00000000-0000-4000-8000-000000000000' }), 'ResourceNotFoundException',
        "Identity 'us-east-1:00000000-0000-4000-8000-000000000000' not found.");
});

test('a login is one identity, under AWS\'s name of the user pool and under our issuer\'s', async () => {
    const pool = await addIdentityPool(server, { users });
    const Logins = await loginsOf('ann');
    const ours = { [`${server.url.split('://')[1]}/${users.poolId}`]: Object.values(Logins)[0] };
    const ids = await Promise.all([Logins, ours, Logins, ours].map((l) => pool.api.getId({ IdentityPoolId: pool.id, Logins: l })));
    assert.equal(new Set(ids.map((i) => i.IdentityId)).size, 1);
    const [{ IdentityId }] = ids;
    const [bobs] = Object.values(await loginsOf('bob'));
    const twice = await pool.api.getId({ IdentityPoolId: pool.id, Logins: { ...Logins, ...ours } });
    assert.equal(twice.IdentityId, IdentityId);
    await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins: { ...Logins, [Object.keys(ours)[0]]: bobs } }), 'ResourceConflictException', 'Login is already linked to another account.');
    const fresh = await addIdentityPool(server, { users, pool: { CognitoIdentityProviders: [{ ProviderName: Object.keys(ours)[0], ClientId: users.clientId }] } });
    await fresh.api.getId({ IdentityPoolId: fresh.id, Logins: { ...Logins, ...ours } });
    const got = await pool.api.getCredentialsForIdentity({ IdentityId, Logins: ours });
    assert.equal(await caller(credentialsOf(got)), `arn:aws:sts::${account}:assumed-role/in-${pool.n}/CognitoIdentityCredentials`);
    const { $metadata, CreationDate, LastModifiedDate, ...shown } = await pool.api.describeIdentity({ IdentityId });
    assert.deepEqual(shown, { IdentityId, Logins: [providerName(users.poolId)] });
    assert.ok(CreationDate <= LastModifiedDate);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId }), 'NotAuthorizedException', MISMATCH);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId, Logins: await loginsOf('bob') }), 'NotAuthorizedException', MISMATCH);
    const bob = await pool.api.getId({ IdentityPoolId: pool.id, Logins: await loginsOf('bob') });
    assert.notEqual(bob.IdentityId, IdentityId);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: bob.IdentityId, Logins }), 'NotAuthorizedException', MISMATCH);
});

test('a guest who signs in stays who he was; or is merged into who he already is', async () => {
    const pool = await addIdentityPool(server, { users });
    const guest = async () => (await pool.api.getId({ IdentityPoolId: pool.id })).IdentityId;
    const first = await guest();
    const signed = await pool.api.getCredentialsForIdentity({ IdentityId: first, Logins: await loginsOf('ann') });
    assert.equal(signed.IdentityId, first);
    assert.equal((await pool.api.getId({ IdentityPoolId: pool.id, Logins: await loginsOf('ann') })).IdentityId, first);

    const second = await guest();
    const merged = await pool.api.getCredentialsForIdentity({ IdentityId: second, Logins: await loginsOf('ann') });
    assert.equal(merged.IdentityId, first);
    assert.equal((await pool.api.getCredentialsForIdentity({ IdentityId: second, Logins: await loginsOf('ann') })).IdentityId, first);
    const forbidden = `Access to Identity '${second}' is forbidden.`;
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: second }), 'NotAuthorizedException', forbidden);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: second, Logins: await loginsOf('bob') }), 'NotAuthorizedException', forbidden);

    const third = await guest();
    const list = async (more) => (await pool.api.listIdentities({ IdentityPoolId: pool.id, MaxResults: 60, ...more })).Identities.map((i) => i.IdentityId).sort();
    assert.deepEqual(await list(), [first, second, third].sort());
    assert.deepEqual(await list({ HideDisabled: true }), [first, third].sort());
    const page = await pool.api.listIdentities({ IdentityPoolId: pool.id, MaxResults: 2 });
    const rest = await pool.api.listIdentities({ IdentityPoolId: pool.id, MaxResults: 2, NextToken: page.NextToken });
    assert.deepEqual([...page.Identities, ...rest.Identities].map((i) => i.IdentityId).sort(), await list());
    assert.equal(rest.NextToken, undefined);

    const unknown = 'us-east-1:00000000-0000-4000-8000-000000000000';
    assert.deepEqual((await pool.api.deleteIdentities({ IdentityIdsToDelete: [first, unknown] })).UnprocessedIdentityIds, [{ IdentityId: unknown, ErrorCode: 'AccessDenied' }]);
    await refused(pool.api.describeIdentity({ IdentityId: first }), 'ResourceNotFoundException', `Identity '${first}' not found.`);
    assert.notEqual((await pool.api.getId({ IdentityPoolId: pool.id, Logins: await loginsOf('ann') })).IdentityId, first);
});

// ---- logins ----

test('every login must stand: another pool\'s, expired, forged, of no audience, of a client that the pool does not have', async () => {
    const pool = await addIdentityPool(server, { users });
    const name = providerName(users.poolId), good = await token('ann');
    const other = await addPool(server);
    await addUser(other, 'ann');
    const stranger = (await signIn(other, 'ann')).AuthenticationResult.IdToken;
    const { UserPoolClient: { ClientId: second } } = await users.api.createUserPoolClient({ UserPoolId: users.poolId, ClientName: 'second', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] });
    const [head, body, signature] = good.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    const changed = `${head}.${Buffer.from(JSON.stringify({ ...claims(good), sub: 'x' })).toString('base64url')}.${signature}`;
    const access = (await signIn(users, 'ann')).AuthenticationResult.AccessToken;
    const no = 'Token is not from a supported provider of this identity pool.';
    const { Token: ours } = await api.getOpenIdTokenForDeveloperIdentity({
        IdentityPoolId: (await api.createIdentityPool({ IdentityPoolName: 'd', AllowUnauthenticatedIdentities: false, DeveloperProviderName: 'dev' })).IdentityPoolId, Logins: { dev: 'u' },
    });
    const rows = [
        [{ [name]: stranger }, "Invalid login token. Issuer doesn't match providerName"],
        [{ [providerName(other.poolId)]: stranger }, no],
        [{ [name]: (await signIn({ ...users, clientId: second }, 'ann')).AuthenticationResult.IdToken }, no],
        [{ [name]: access }, 'Invalid login token. Missing a required claim: aud'],
        [{ [name]: none }, 'Invalid login token. Not a valid OpenId Connect identity token.'],
        [{ [name]: 'hello' }, 'Invalid login token. Not a valid OpenId Connect identity token.'],
        [{ [name]: changed }, "Invalid login token. Couldn't verify signed token."],
        [{ 'accounts.google.com': good }, no],
        [{ 'login.example.org': good }, no],
        [{ [name]: good, 'accounts.google.com': good }, no],
        [{ 'cognito-identity.amazonaws.com': good }, "Invalid login token. Can't pass in a Cognito token."],
        [{ 'arn:aws:iam::000000000000:saml-provider/corp': 'PHNhbWw+' }, no],
    ];
    for (const [Logins, message] of rows) await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins }), 'NotAuthorizedException', message);
    await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins: { dev: 'user' } }), 'InvalidParameterException', 'Please provide a valid public provider.');
    const { IdentityId } = await pool.api.getId({ IdentityPoolId: pool.id, Logins: { [name]: good } });
    for (const [given, message] of [[good, "Invalid login token. Issuer doesn't match providerName"], [ours, 'Invalid login token. Incorrect token audience.']])
        await refused(pool.api.getCredentialsForIdentity({ IdentityId, Logins: { 'cognito-identity.amazonaws.com': given } }), 'NotAuthorizedException', message);

    const later = identities(server);
    await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: 3601 }) });
    const { exp } = claims(good);
    await refused(later.getId({ IdentityPoolId: pool.id, Logins: { [name]: good } }), 'NotAuthorizedException', new RegExp(`^Invalid login token\\. Token expired: \\d+ >= ${exp}$`));
    await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: -3601 }) });
});

test('ServerSideTokenCheck: signed out, disabled or deleted people get nothing; without it their tokens last', async () => {
    const strict = await addIdentityPool(server, { users, entry: { ServerSideTokenCheck: true } });
    const lax = await addIdentityPool(server, { users });
    const off = 'Invalid login token. Server side token check failed.';
    for (const [user, end] of [['off', 'adminUserGlobalSignOut'], ['tom', 'adminDisableUser'], ['eve', 'adminDeleteUser']]) {
        const Logins = await loginsOf(user);
        const { IdentityId } = await strict.api.getId({ IdentityPoolId: strict.id, Logins });
        await users.api[end]({ UserPoolId: users.poolId, Username: user });
        await refused(strict.api.getId({ IdentityPoolId: strict.id, Logins }), 'NotAuthorizedException', off);
        await refused(strict.api.getCredentialsForIdentity({ IdentityId, Logins }), 'NotAuthorizedException', off);
        await lax.api.getId({ IdentityPoolId: lax.id, Logins });
    }
});

test('two logins of one identity: linked, unlinked, in conflict', async () => {
    const other = await addPool(server);
    for (const name of ['ann', 'bob']) await addUser(other, name);
    const theirs = async (name) => ({ [providerName(other.poolId)]: (await signIn(other, name)).AuthenticationResult.IdToken });
    const entries = [users, other].map((p) => ({ ProviderName: providerName(p.poolId), ClientId: p.clientId }));
    const pool = await addIdentityPool(server, { pool: { CognitoIdentityProviders: entries } });
    const [ann, annThere, bob, bobThere] = [await loginsOf('ann'), await theirs('ann'), await loginsOf('bob'), await theirs('bob')];
    const get = async (Logins) => (await pool.api.getId({ IdentityPoolId: pool.id, Logins })).IdentityId;
    const both = await get({ ...ann, ...annThere });
    assert.deepEqual([await get(ann), await get(annThere)], [both, both]);
    assert.deepEqual((await pool.api.describeIdentity({ IdentityId: both })).Logins, entries.map((e) => e.ProviderName).sort());
    const conflict = ['ResourceConflictException', 'Login is already linked to another account.'];
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: both, Logins: { ...ann, ...bobThere } }), ...conflict);

    const [here, there] = [await get(bob), await get(bobThere)];
    assert.notEqual(here, there);
    const merged = await pool.api.getCredentialsForIdentity({ IdentityId: there, Logins: { ...bob, ...bobThere } });
    assert.equal(merged.IdentityId, there);
    assert.equal(await get(bob), there);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: here }), 'NotAuthorizedException', `Access to Identity '${here}' is forbidden.`);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: both, Logins: { ...ann, ...bobThere } }), ...conflict);

    const unlink = (IdentityId, Logins, ...LoginsToRemove) => pool.api.unlinkIdentity({ IdentityId, Logins, LoginsToRemove });
    await refused(unlink(there, {}, providerName(other.poolId)), 'NotAuthorizedException', MISMATCH);
    await refused(unlink(there, ann, providerName(other.poolId)), 'NotAuthorizedException', MISMATCH);
    await refused(unlink(there, bob, 'accounts.google.com'), 'InvalidParameterException', 'The identity has no login of accounts.google.com.');
    await unlink(there, bob, providerName(other.poolId));
    assert.deepEqual((await pool.api.describeIdentity({ IdentityId: there })).Logins, [providerName(users.poolId)]);
    assert.notEqual(await get(bobThere), there);
    await unlink(there, bob, providerName(users.poolId));
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: there, Logins: bob }), 'NotAuthorizedException', `Access to Identity '${there}' is forbidden.`);
    assert.notEqual(await get(bob), there);
    assert.equal((await pool.api.describeIdentity({ IdentityId: there })).Logins, undefined);
});

test('people of an OpenID Connect provider that IAM has a record of', async (t) => {
    const idp = await issuer(t, 'RS256', 'ES256');
    const host = idp.url.split('://')[1];
    const { OpenIDConnectProviderArn: arn } = await people(server).createOpenIDConnectProvider({ Url: idp.url, ClientIDList: ['shop', 'till'] });
    const pool = await addIdentityPool(server, { pool: { OpenIdConnectProviderARNs: [arn] } });
    const get = (Token) => pool.api.getId({ IdentityPoolId: pool.id, Logins: { [host]: Token } });
    const { IdentityId } = await get(idp.token());
    assert.equal((await get(idp.token({ aud: 'till' }, { kid: 'ES256' }))).IdentityId, IdentityId);
    assert.notEqual((await get(idp.token({ sub: 'bob' }))).IdentityId, IdentityId);
    assert.deepEqual((await pool.api.describeIdentity({ IdentityId })).Logins, [host]);
    const got = await pool.api.getCredentialsForIdentity({ IdentityId, Logins: { [host]: idp.token() } });
    assert.equal(await caller(credentialsOf(got)), `arn:aws:sts::${account}:assumed-role/in-${pool.n}/CognitoIdentityCredentials`);
    const past = Math.floor(Date.now() / 1000) - 60;
    const stranger = await issuer(t, 'RS256');
    for (const [Token, message] of [
        [idp.token({ aud: 'other' }), 'Invalid login token. Incorrect token audience.'],
        [idp.token({ aud: undefined }), 'Invalid login token. Missing a required claim: aud'],
        [idp.token({ sub: undefined }), 'Invalid login token. Missing a required claim: sub'],
        [idp.token({ exp: past }), new RegExp(`^Invalid login token\\. Token expired: \\d+ >= ${past}$`)],
        [idp.token({}, { header: { kid: 'none' } }), "Invalid login token. Couldn't verify signed token."],
        [`${idp.token().slice(0, -8)}AAAAAAAA`, "Invalid login token. Couldn't verify signed token."],
        [stranger.token(), "Invalid login token. Issuer doesn't match providerName"],
        ['opaque', 'Invalid login token. Not a valid OpenId Connect identity token.'],
    ]) await refused(get(Token), 'NotAuthorizedException', message);
    idp.server.closeAllConnections();
    await new Promise((done) => stranger.server.close(done));
    const { OpenIDConnectProviderArn: gone } = await people(server).createOpenIDConnectProvider({ Url: stranger.url, ClientIDList: ['shop'] });
    const other = await addIdentityPool(server, { pool: { OpenIdConnectProviderARNs: [gone] } });
    await refused(other.api.getId({ IdentityPoolId: other.id, Logins: { [stranger.url.split('://')[1]]: stranger.token() } }), 'ExternalServiceException');
});

// ---- developers' users ----

test('developer identities: tokens, looked up, merged, unlinked', async () => {
    const pool = await addIdentityPool(server, { users, pool: { DeveloperProviderName: 'login.shop' }, tags: true });
    const get = (user, more) => pool.api.getOpenIdTokenForDeveloperIdentity({ IdentityPoolId: pool.id, Logins: { 'login.shop': user }, ...more });
    const one = await get('u1');
    assert.equal((await get('u1')).IdentityId, one.IdentityId);
    const { jti, iat, exp, ...said } = claims(one.Token);
    assert.equal(exp - iat, 900);
    assert.deepEqual(said, {
        sub: one.IdentityId, aud: pool.id, iss: `${server.url}/_aws/cognito-identity`, amr: ['authenticated', 'login.shop', `login.shop:${pool.id}:u1`],
    });
    const Logins = { 'cognito-identity.amazonaws.com': one.Token };
    const got = await pool.api.getCredentialsForIdentity({ IdentityId: one.IdentityId, Logins });
    assert.equal(await caller(credentialsOf(got)), `arn:aws:sts::${account}:assumed-role/in-${pool.n}/CognitoIdentityCredentials`);
    await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins }), 'NotAuthorizedException', "Invalid login token. Can't pass in a Cognito token.");
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: one.IdentityId }), 'NotAuthorizedException', MISMATCH);

    const two = await get('u2', { TokenDuration: 60, PrincipalTags: { team: 'blue' } });
    assert.equal(claims(two.Token).exp - claims(two.Token).iat, 60);
    assert.deepEqual(claims(two.Token)['https://aws.amazon.com/tags'], { principal_tags: { team: ['blue'] }, transitive_tag_keys: ['team'] });
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: two.IdentityId, Logins }), 'NotAuthorizedException', MISMATCH);
    await refused(get('u2', { IdentityId: one.IdentityId }), 'DeveloperUserAlreadyRegisteredException');
    await refused(get('u9', { IdentityId: one.IdentityId }), 'NotAuthorizedException', MISMATCH);
    for (const bad of [{ Logins: { other: 'u' } }, { Logins: { 'accounts.google.com': 'x' } }])
        await refused(get('u', bad), 'InvalidParameterException', 'This identity pool does not support the specified developer provider.');

    const guest = (await pool.api.getId({ IdentityPoolId: pool.id })).IdentityId;
    assert.equal((await get('u3', { IdentityId: guest })).IdentityId, guest);
    const ann = await pool.api.getId({ IdentityPoolId: pool.id, Logins: await loginsOf('ann') });
    const known = await get('u4', { IdentityId: ann.IdentityId, Logins: { 'login.shop': 'u4', ...(await loginsOf('ann')) } });
    assert.equal(known.IdentityId, ann.IdentityId);
    assert.deepEqual((await pool.api.describeIdentity({ IdentityId: ann.IdentityId })).Logins, [providerName(users.poolId), 'login.shop']);

    const look = (input) => pool.api.lookupDeveloperIdentity({ IdentityPoolId: pool.id, ...input });
    await refused(look({}), 'InvalidParameterException');
    await refused(look({ DeveloperUserIdentifier: 'nobody' }), 'ResourceNotFoundException');
    await refused(look({ IdentityId: two.IdentityId, DeveloperUserIdentifier: 'u1' }), 'ResourceConflictException');
    assert.deepEqual((await look({ IdentityId: two.IdentityId, DeveloperUserIdentifier: 'u2' })).DeveloperUserIdentifierList, ['u2']);

    const merge = (from, to, name = 'login.shop') => pool.api.mergeDeveloperIdentities({ SourceUserIdentifier: from, DestinationUserIdentifier: to, DeveloperProviderName: name, IdentityPoolId: pool.id });
    await refused(merge('u1', 'u2', 'other'), 'InvalidParameterException');
    await refused(merge('nobody', 'u2'), 'ResourceNotFoundException');
    assert.equal((await merge('u1', 'u2')).IdentityId, two.IdentityId);
    assert.equal((await get('u1')).IdentityId, two.IdentityId);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: one.IdentityId, Logins }), 'NotAuthorizedException', `Access to Identity '${one.IdentityId}' is forbidden.`);
    for (let i = 10; i < 28; i++) await merge(await get(`m${i}`) && `m${i}`, 'u2');
    await get('m28');
    await refused(merge('m28', 'u2'), 'ResourceConflictException', 'An identity can have at most 20 developer user identifiers.');
    const page = await look({ IdentityId: two.IdentityId, MaxResults: 15 });
    const rest = await look({ DeveloperUserIdentifier: 'u1', MaxResults: 15, NextToken: page.NextToken });
    assert.deepEqual([page.DeveloperUserIdentifierList.length, rest.DeveloperUserIdentifierList.length, rest.NextToken, rest.IdentityId], [15, 5, undefined, two.IdentityId]);

    const unlink = (IdentityId, DeveloperUserIdentifier) => pool.api.unlinkDeveloperIdentity({ IdentityPoolId: pool.id, IdentityId, DeveloperProviderName: 'login.shop', DeveloperUserIdentifier });
    await refused(unlink(guest, 'u2'), 'ResourceConflictException');
    await unlink(guest, 'u3');
    assert.notEqual((await get('u3')).IdentityId, guest);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: guest }), 'NotAuthorizedException', `Access to Identity '${guest}' is forbidden.`);
});
