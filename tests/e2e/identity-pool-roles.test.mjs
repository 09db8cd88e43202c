// Which role an identity gets, with which tags; and the tokens that say who it is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { JwtRsaVerifier } from 'aws-jwt-verify';
import { account, start } from './support/harness.mjs';
import { authority } from './support/certificates.mjs';
import { addIdentityPool, arnOf, callerOf, credentialsOf, identities, people, providerName, role, trust } from './support/identitypool.mjs';
import { Provider, base64 } from './support/saml.mjs';
import { addPool, addUser, claims, refused, signIn } from './support/userpool.mjs';

let server, users;
const tokens = {}; // signing in costs time, and a token is good for an hour
const token = (name) => (tokens[name] ??= signIn(users, name).then((answer) => answer.AuthenticationResult.IdToken));
const loginsOf = async (name) => ({ [providerName(users.poolId)]: await token(name) });
const caller = (credentials) => callerOf(server, credentials);
const CONFIGURATION = 'Invalid identity pool configuration. Check assigned IAM roles for this pool.';

before(async () => {
    server = await start(null);
    users = await addPool(server);
    for (const name of ['ann', 'bob', 'off']) await addUser(users, name);
});
after(() => server.discard());

// ---- roles ----

test('roles: none, one that does not trust the pool, guests held to the services of AWS\'s list', async () => {
    const pool = await addIdentityPool(server, { users });
    const { api: mine } = pool;
    const { IdentityPoolId: bare } = await mine.createIdentityPool({ IdentityPoolName: 'bare', AllowUnauthenticatedIdentities: true });
    const { $metadata, ...roles } = await mine.getIdentityPoolRoles({ IdentityPoolId: bare });
    assert.deepEqual(roles, { IdentityPoolId: bare });
    const guest = (await mine.getId({ IdentityPoolId: bare })).IdentityId;
    const fails = (IdentityId = guest, Logins) => refused(mine.getCredentialsForIdentity({ IdentityId, Logins }), 'InvalidIdentityPoolConfigurationException', CONFIGURATION);
    await fails();
    for (const unauthenticated of [arnOf('nobody'), pool.roles.unauthenticated, await role(server, 'wrong-amr', trust(bare, 'authenticated'))]) {
        await mine.setIdentityPoolRoles({ IdentityPoolId: bare, Roles: { unauthenticated } });
        await fails();
    }
    const all = [{ Effect: 'Allow', Action: '*', Resource: '*' }];
    await mine.setIdentityPoolRoles({ IdentityPoolId: bare, Roles: { unauthenticated: await role(server, 'mighty-guest', trust(bare, 'unauthenticated'), all) } });
    const credentials = credentialsOf(await mine.getCredentialsForIdentity({ IdentityId: guest }));
    await identities(server, { credentials }).listIdentityPools({ MaxResults: 1 });
    await refused(people(server, { credentials }).listUsers(), 'AccessDenied');
});

const group = async (GroupName, RoleArn, Precedence, ...members) => {
    await users.api.createGroup({ UserPoolId: users.poolId, GroupName, RoleArn, Precedence });
    for (const Username of members) await users.api.adminAddUserToGroup({ UserPoolId: users.poolId, GroupName, Username });
};
// Who the credentials are for: the role's name, or the error's text.
const roleOf = async (pool, name, CustomRoleArn, id) => {
    const Logins = await loginsOf(name);
    const IdentityId = id ?? (await pool.api.getId({ IdentityPoolId: pool.id, Logins })).IdentityId;
    try {
        return (await caller(credentialsOf(await pool.api.getCredentialsForIdentity({ IdentityId, Logins, CustomRoleArn })))).split('/')[1];
    } catch (error) {
        return `${error.name}: ${error.message}`;
    }
};
const DENIED = 'NotAuthorizedException: Access denied';

test('roles by the token: preferred, asked for, ambiguous, absent', async () => {
    const pool = await addIdentityPool(server, { users });
    const key = `${providerName(users.poolId)}:${users.clientId}`;
    const [admin, staff, alien] = await Promise.all(['t-admin', 't-staff', 't-alien'].map((n) => role(server, n, trust(pool.id))));
    await group('admins', admin, 1, 'ann', 'bob');
    await group('staff', staff, 2, 'ann');
    await group('peers', staff, 1, 'bob');
    const set = (AmbiguousRoleResolution, mappingKey = key) => pool.api.setIdentityPoolRoles({
        IdentityPoolId: pool.id, Roles: pool.roles, RoleMappings: { [mappingKey]: { Type: 'Token', AmbiguousRoleResolution } },
    });
    const byDefault = `in-${pool.n}`;
    await set('AuthenticatedRole');
    assert.equal(await roleOf(pool, 'ann'), 't-admin');
    assert.equal(await roleOf(pool, 'ann', staff), 't-staff');
    assert.equal(await roleOf(pool, 'ann', alien), DENIED);
    assert.equal(await roleOf(pool, 'bob'), byDefault); // two groups of one precedence: no preferred role
    assert.equal(await roleOf(pool, 'bob', staff), 't-staff');
    assert.equal(await roleOf(pool, 'off'), byDefault);
    await set('Deny', `${server.url.split('://')[1]}/${users.poolId}:${users.clientId}`);
    assert.equal(await roleOf(pool, 'ann'), 't-admin');
    assert.equal(await roleOf(pool, 'bob'), DENIED);
    assert.equal(await roleOf(pool, 'off'), DENIED);
    await pool.api.setIdentityPoolRoles({ IdentityPoolId: pool.id, Roles: pool.roles });
    assert.equal(await roleOf(pool, 'ann'), byDefault);
    assert.equal(await roleOf(pool, 'ann', pool.roles.authenticated), byDefault);
    assert.equal(await roleOf(pool, 'ann', admin), DENIED);
});

test('roles by rules: in order, each way to match, a role that is asked for', async () => {
    const pool = await addIdentityPool(server, { users });
    const key = `${providerName(users.poolId)}:${users.clientId}`;
    const one = await role(server, 'r-one', trust(pool.id)), two = await role(server, 'r-two', trust(pool.id));
    const set = (resolution, ...rules) => pool.api.setIdentityPoolRoles({
        IdentityPoolId: pool.id, Roles: pool.roles,
        RoleMappings: { [key]: { Type: 'Rules', AmbiguousRoleResolution: resolution, RulesConfiguration: { Rules: rules.map(([Claim, MatchType, Value, RoleARN]) => ({ Claim, MatchType, Value, RoleARN })) } } },
    });
    const byDefault = `in-${pool.n}`, name = 'cognito:username';
    for (const [rules, custom, want] of [
        [[[name, 'Equals', 'ann', one]], undefined, 'r-one'], [[[name, 'Equals', 'an', one]], undefined, byDefault],
        [[[name, 'Contains', 'n', one]], undefined, 'r-one'], [[[name, 'StartsWith', 'an', one]], undefined, 'r-one'],
        [[[name, 'StartsWith', 'nn', one]], undefined, byDefault], [[[name, 'NotEqual', 'bob', one]], undefined, 'r-one'],
        [[[name, 'NotEqual', 'ann', one]], undefined, byDefault], [[['no_claim', 'NotEqual', 'x', one]], undefined, byDefault],
        [[['cognito:groups', 'Contains', 'staff', one]], undefined, 'r-one'], [[['cognito:groups', 'NotEqual', 'admins', one]], undefined, byDefault],
        [[['email_verified', 'Equals', 'true', two]], undefined, 'r-two'],
        [[['no', 'Equals', 'x', two], [name, 'Equals', 'ann', one], [name, 'Equals', 'ann', two]], undefined, 'r-one'],
        [[[name, 'Equals', 'ann', one], [name, 'Contains', 'ann', two]], two, 'r-two'],
        [[[name, 'Equals', 'ann', one], [name, 'Equals', 'bob', two]], two, DENIED],
    ]) {
        await set('AuthenticatedRole', ...rules);
        assert.equal(await roleOf(pool, 'ann', custom), want, JSON.stringify([rules, custom]));
    }
    await set('Deny', [name, 'Equals', 'bob', one]);
    assert.equal(await roleOf(pool, 'ann'), DENIED);
    const rule = [name, 'Equals', 'bob', one];
    await set('Deny', ...Array.from({ length: 25 }, () => rule));
    await refused(set('Deny', ...Array.from({ length: 26 }, () => rule)), 'InvalidParameterException', 'The number of rules in the request exceeded 25.');
    const map = (RoleMappings) => pool.api.setIdentityPoolRoles({ IdentityPoolId: pool.id, Roles: pool.roles, RoleMappings });
    for (const bad of [providerName(users.poolId), `${providerName(users.poolId)}:other`, 'accounts.google.com', 'nothing'])
        await refused(map({ [bad]: { Type: 'Token', AmbiguousRoleResolution: 'Deny' } }), 'InvalidParameterException', `(${bad}) is not a valid RoleMapping ProviderName or is not a configured provider.`);
    await refused(map({ [key]: { Type: 'Token' } }), 'InvalidParameterException', /AmbiguousRoleResolution/);
    await refused(map({ [key]: { Type: 'Rules', AmbiguousRoleResolution: 'Deny' } }), 'InvalidParameterException', /RulesConfiguration/);
    const { $metadata, ...roles } = await pool.api.getIdentityPoolRoles({ IdentityPoolId: pool.id });
    assert.equal(roles.RoleMappings[key].RulesConfiguration.Rules.length, 25);
    assert.deepEqual(roles.Roles, pool.roles);
});

test('principal tags need sts:TagSession in the trust policy, and are asked of it', async () => {
    const pool = await addIdentityPool(server, { users });
    const at = { IdentityPoolId: pool.id, IdentityProviderName: providerName(users.poolId) };
    const { $metadata: _, ...none } = await pool.api.getPrincipalTagAttributeMap(at);
    assert.deepEqual(none, at);
    const custom = { ...at, UseDefaults: false, PrincipalTags: { who: 'cognito:username', none: 'no_claim' } };
    const { $metadata, ...set } = await pool.api.setPrincipalTagAttributeMap(custom);
    assert.deepEqual(set, custom);
    const { $metadata: __, ...got } = await pool.api.getPrincipalTagAttributeMap(at);
    assert.deepEqual(got, custom);
    assert.equal(await roleOf(pool, 'ann'), `InvalidIdentityPoolConfigurationException: ${CONFIGURATION}`);
    const document = JSON.parse(trust(pool.id, 'authenticated', { tags: true }));
    document.Statement[0].Condition.StringEquals['aws:RequestTag/who'] = 'ann';
    await people(server).updateAssumeRolePolicy({ RoleName: `in-${pool.n}`, PolicyDocument: JSON.stringify(document) });
    assert.equal(await roleOf(pool, 'ann'), `in-${pool.n}`);
    assert.equal(await roleOf(pool, 'bob'), `InvalidIdentityPoolConfigurationException: ${CONFIGURATION}`);
    for (const [tag, value] of [['client', users.clientId], ['username', claims(await token('ann')).sub]]) {
        await pool.api.setPrincipalTagAttributeMap({ ...at, UseDefaults: true });
        document.Statement[0].Condition.StringEquals = { [`aws:RequestTag/${tag}`]: value };
        await people(server).updateAssumeRolePolicy({ RoleName: `in-${pool.n}`, PolicyDocument: JSON.stringify(document) });
        assert.equal(await roleOf(pool, 'ann'), `in-${pool.n}`);
    }
    await refused(pool.api.setPrincipalTagAttributeMap({ ...at, IdentityProviderName: 'accounts.google.com' }), 'InvalidParameterException');
    await refused(pool.api.setPrincipalTagAttributeMap({ ...at, PrincipalTags: { 'aws:x': 'sub' } }), 'InvalidParameterException', /reserved/);
});

test('people of a SAML provider: by their attributes', async (t) => {
    const idp = new Provider(authority(t).issue('idp'));
    const { SAMLProviderArn: arn } = await people(server).createSAMLProvider({ Name: 'corp', SAMLMetadataDocument: idp.metadata() });
    const pool = await addIdentityPool(server, { pool: { SamlProviderARNs: [arn] }, tags: true });
    const boss = await role(server, 's-boss', trust(pool.id, arn, { tags: true }));
    await pool.api.setIdentityPoolRoles({
        IdentityPoolId: pool.id, Roles: pool.roles,
        RoleMappings: { [arn]: { Type: 'Rules', AmbiguousRoleResolution: 'AuthenticatedRole', RulesConfiguration: { Rules: [{ Claim: 'groups', MatchType: 'Equals', Value: 'bosses', RoleARN: boss }] } } },
    });
    await pool.api.setPrincipalTagAttributeMap({ IdentityPoolId: pool.id, IdentityProviderName: arn, PrincipalTags: { unit: 'ou', who: 'nameidentifier' } });
    const logins = (more) => ({ [arn]: base64(idp.response({ now: Date.now(), signing: { alg: 'ecdsa-sha256' }, ...more })) });
    const sign = async (Logins) => {
        const { IdentityId } = await pool.api.getId({ IdentityPoolId: pool.id, Logins });
        const got = await pool.api.getCredentialsForIdentity({ IdentityId, Logins });
        return [IdentityId, (await caller(credentialsOf(got))).split('/')[1]];
    };
    const [ada, first] = await sign(logins({ attributes: { groups: ['staff', 'bosses'], ou: 'sales' } }));
    assert.equal(first, 's-boss');
    assert.deepEqual(await sign(logins({ attributes: { groups: 'staff' } })), [ada, `in-${pool.n}`]);
    assert.notEqual((await sign(logins({ subject: 'bob' })))[0], ada);
    assert.deepEqual((await pool.api.describeIdentity({ IdentityId: ada })).Logins, [arn]);
    const invalid = /^Invalid login token\. /;
    for (const bad of [logins({ sign: 'none' }), logins({ audience: 'https://other.example' }), logins({ notAfter: -120, issued: -600 }), { [arn]: 'eHg=' }, { [arn]: '!' }])
        await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins: bad }), 'NotAuthorizedException', invalid);
    await people(server).deleteSAMLProvider({ SAMLProviderArn: arn });
    await refused(pool.api.getId({ IdentityPoolId: pool.id, Logins: logins() }), 'NotAuthorizedException', 'Token is not from a supported provider of this identity pool.');
});

// ---- tokens ----

test('GetOpenIdToken: anybody can verify it; only where the basic flow is on', async () => {
    const pool = await addIdentityPool(server, { users, pool: { AllowClassicFlow: true } });
    await pool.api.setPrincipalTagAttributeMap({ IdentityPoolId: pool.id, IdentityProviderName: providerName(users.poolId), PrincipalTags: { who: 'cognito:username' } });
    const Logins = await loginsOf('ann');
    const { IdentityId } = await pool.api.getId({ IdentityPoolId: pool.id, Logins });
    const { Token } = await pool.api.getOpenIdToken({ IdentityId, Logins });
    const issuer = `${server.url}/_aws/cognito-identity`;
    const discovery = await (await server.fetch('/_aws/cognito-identity/.well-known/openid-configuration')).json();
    assert.deepEqual([discovery.issuer, discovery.jwks_uri], [issuer, `${issuer}/.well-known/jwks_uri`]);
    const verifier = JwtRsaVerifier.create({ issuer, audience: pool.id, jwksUri: 'https://unused.example' });
    verifier.cacheJwks(await (await fetch(discovery.jwks_uri)).json());
    const said = await verifier.verify(Token);
    const provider = providerName(users.poolId);
    assert.deepEqual([said.sub, said.aud, said.amr], [IdentityId, pool.id, ['authenticated', provider, `${provider}:CognitoSignIn:${claims(Object.values(Logins)[0]).sub}`]]);
    assert.equal(said.exp - said.iat, 600);
    assert.deepEqual(said['https://aws.amazon.com/tags'].principal_tags, { who: ['ann'] });
    const guest = await pool.api.getId({ IdentityPoolId: pool.id });
    const guests = await pool.api.getOpenIdToken({ IdentityId: guest.IdentityId });
    assert.deepEqual(claims(guests.Token).amr, ['unauthenticated']);
    await refused(pool.api.getCredentialsForIdentity({ IdentityId: guest.IdentityId, Logins: { 'cognito-identity.amazonaws.com': guests.Token } }),
        'NotAuthorizedException', 'Invalid login token. Not a token of an authenticated identity.');
    await refused(pool.api.getOpenIdToken({ IdentityId }), 'NotAuthorizedException');
    assert.equal((await server.fetch('/_aws/cognito-identity/.well-known/other')).status, 404);

    await server.restart(); // the key is still the same
    await verifier.verify((await identities(server).getOpenIdToken({ IdentityId, Logins })).Token);

    const enhanced = await addIdentityPool(server);
    const one = await enhanced.api.getId({ IdentityPoolId: enhanced.id });
    await refused(enhanced.api.getOpenIdToken({ IdentityId: one.IdentityId }), 'InvalidParameterException', 'Basic (classic) flow is not enabled, please use enhanced flow.');
});

test('the basic flow: the token opens any role that trusts the pool, and who it is stands in the session', async () => {
    const pool = await addIdentityPool(server, { users, tags: true, pool: { AllowClassicFlow: true } });
    const Logins = await loginsOf('ann'), provider = providerName(users.poolId);
    await pool.api.setPrincipalTagAttributeMap({ IdentityPoolId: pool.id, IdentityProviderName: provider, PrincipalTags: { who: 'cognito:username' } });
    const { IdentityId } = await pool.api.getId({ IdentityPoolId: pool.id, Logins });
    const { Token } = await pool.api.getOpenIdToken({ IdentityId, Logins });
    const may = (Resource, Condition) => [{ Effect: 'Allow', Action: 'iam:GetUser', Resource: `arn:aws:iam::${account}:user/${Resource}`, Condition }];
    const RoleArn = await role(server, 'basic', trust(pool.id, provider, { tags: true }), may('${aws:PrincipalTag/who}', { StringEquals: { 'cognito-identity.amazonaws.com:sub': IdentityId } }));
    const sts = server.client(STSClient);
    const assume = (WebIdentityToken, more) => sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'mine', WebIdentityToken, ...more }));
    const got = await assume(Token);
    assert.deepEqual([got.Provider, got.Audience, got.SubjectFromWebIdentityToken], ['cognito-identity.amazonaws.com', pool.id, IdentityId]);
    const credentials = { accessKeyId: got.Credentials.AccessKeyId, secretAccessKey: got.Credentials.SecretAccessKey, sessionToken: got.Credentials.SessionToken };
    assert.match(await caller(credentials), /assumed-role\/basic\/mine$/);
    await refused(people(server, { credentials }).getUser({ UserName: 'ann' }), 'NoSuchEntityException');
    await refused(people(server, { credentials }).getUser({ UserName: 'bob' }), 'AccessDenied');

    const no = ['AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'];
    const guest = await pool.api.getOpenIdToken({ IdentityId: (await pool.api.getId({ IdentityPoolId: pool.id })).IdentityId });
    await refused(assume(guest.Token), ...no);
    await refused(assume(Token, { RoleArn: pool.roles.unauthenticated }), ...no);
    const other = await addIdentityPool(server, { users, pool: { AllowClassicFlow: true } });
    const theirs = await other.api.getOpenIdToken({ IdentityId: (await other.api.getId({ IdentityPoolId: other.id, Logins })).IdentityId, Logins });
    await refused(assume(theirs.Token), ...no);
    const [head, body, signature] = Token.split('.');
    await refused(assume(`${head}.${Buffer.from(JSON.stringify({ ...claims(Token), aud: other.id })).toString('base64url')}.${signature}`), 'InvalidIdentityTokenException');
    await refused(assume(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`), 'InvalidIdentityTokenException');
});

test('what is deleted leaves nothing: a pool with its identities, an account by reset', async () => {
    const pool = await addIdentityPool(server, { pool: { DeveloperProviderName: 'dev' } });
    const get = () => pool.api.getOpenIdTokenForDeveloperIdentity({ IdentityPoolId: pool.id, Logins: { dev: 'u' } });
    const { IdentityId, Token } = await get();
    await pool.api.deleteIdentities({ IdentityIdsToDelete: [IdentityId] });
    await refused(pool.api.getCredentialsForIdentity({ IdentityId, Logins: { 'cognito-identity.amazonaws.com': Token } }), 'ResourceNotFoundException', `Identity '${IdentityId}' not found.`);
    await refused(pool.api.lookupDeveloperIdentity({ IdentityPoolId: pool.id, DeveloperUserIdentifier: 'u' }), 'ResourceNotFoundException');
    const next = await get();
    assert.notEqual(next.IdentityId, IdentityId);
    await pool.api.deleteIdentityPool({ IdentityPoolId: pool.id });
    await refused(pool.api.describeIdentity({ IdentityId: next.IdentityId }), 'ResourceNotFoundException', `Identity '${next.IdentityId}' not found.`);

    const theirs = identities(server, { credentials: { accessKeyId: '111111111111', secretAccessKey: 'x' } });
    const { IdentityPoolId } = await theirs.createIdentityPool({ IdentityPoolName: 'p', AllowUnauthenticatedIdentities: true });
    const guest = (await theirs.getId({ IdentityPoolId })).IdentityId;
    const authorization = 'AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=00';
    assert.equal((await server.fetch('/_gatehouse/reset', { method: 'POST', headers: { authorization } })).status, 200);
    assert.deepEqual((await theirs.listIdentityPools({ MaxResults: 5 })).IdentityPools, []);
    await refused(theirs.getCredentialsForIdentity({ IdentityId: guest }), 'ResourceNotFoundException', `Identity '${guest}' not found.`);
});

test('kill -9 while guests sign in: what was acknowledged is there, and a login is one identity', async () => {
    const pool = await addIdentityPool(server, { pool: { DeveloperProviderName: 'dev' } });
    const known = new Map(), tried = new Set(), guests = []; // tried: linked or not, nobody was told
    for (let round = 0; round < 3; round++) {
        const api = identities(server);
        let acknowledged = 0;
        const killed = new Promise((resolve) => {
            const lane = async (user) => {
                try {
                    for (;;) {
                        const { IdentityId } = await api.getId({ IdentityPoolId: pool.id });
                        guests.push(IdentityId);
                        const answer = await api.getOpenIdTokenForDeveloperIdentity({ IdentityPoolId: pool.id, Logins: { dev: user }, ...(tried.has(user) ? {} : { IdentityId: tried.add(user) && IdentityId }) });
                        if (known.has(user)) assert.equal(answer.IdentityId, known.get(user));
                        known.set(user, answer.IdentityId);
                        if (++acknowledged === 12) resolve(server.kill9());
                    }
                } catch (error) {
                    if (error.code === 'ERR_ASSERTION' || acknowledged < 12) resolve(Promise.reject(error));
                }
            };
            for (const user of ['a', 'b', `c${round}`]) lane(user);
        });
        await killed;
        await server.launch();
    }
    const api = identities(server);
    for (const id of guests) assert.equal((await api.describeIdentity({ IdentityId: id })).IdentityId, id);
    for (const [user, id] of known) assert.equal((await api.lookupDeveloperIdentity({ IdentityPoolId: pool.id, DeveloperUserIdentifier: user })).IdentityId, id);
});
