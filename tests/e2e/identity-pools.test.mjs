// Identity pools: what a pool is, who somebody is in it, which role that gives.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { account, start } from './support/harness.mjs';
import { addIdentityPool, arnOf, credentialsOf, identities, people, providerName, role, trust } from './support/identitypool.mjs';
import { addPool, addUser, claims, refused, signIn } from './support/userpool.mjs';

let server, users, api;
const token = async (name) => (await signIn(users, name)).AuthenticationResult.IdToken;
const loginsOf = async (name) => ({ [providerName(users.poolId)]: await token(name) });
const caller = async (credentials) => (await server.client(STSClient, { credentials }).send(new GetCallerIdentityCommand({}))).Arn;
const MISMATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool.";
const CONFIGURATION = 'Invalid identity pool configuration. Check assigned IAM roles for this pool.';

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
