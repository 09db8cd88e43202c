// STS: who becomes whom, by whose word, and what the session may then do.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';

import { api } from './support/apis.mjs';
import { account, region, run, start } from './support/harness.mjs';
import { b64, issuer, sign } from './support/issuer.mjs';
import { signed } from './support/sign.mjs';
import { nextStep, totp } from './support/totp.mjs';
import { addPool, addUser, PASSWORD } from './support/userpool.mjs';

const ending = [];
const world = { after: (fn) => ending.push(fn) };
let server, people, login;
before(async () => {
    server = await start(world);
    people = server.client(iam.IAMClient);
    login = await issuer(world, 'RS256', 'ES256');
});
after(async () => {
    for (const end of ending.reverse()) await end();
});

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, more = {}) => ({ Effect: 'Allow', Action, Resource: '*', ...more });
const trust = (Principal, Action, more = {}) => ({ Effect: 'Allow', Principal, Action, ...more });
const send = (client, module, name, input = {}) => client.send(new module[`${name}Command`](input));
const I = (name, input) => send(people, iam, name, input);
const S = (client, name, input) => send(client, sts, name, input);
const as = (credentials, Client = sts.STSClient) => server.client(Client, { credentials });
const keys = (c) => ({ accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken });
const clock = async (body) => (await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).json();
let number = 0;

async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}: ${message}`), (e) => e);
    assert.equal(error.Code ?? error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return error;
}
async function role(statements, { may, more = {} } = {}) {
    const RoleName = `role${++number}`;
    const { Role } = await I('CreateRole', { RoleName, AssumeRolePolicyDocument: policy(...statements), ...more });
    if (may) await I('PutRolePolicy', { RoleName, PolicyName: 'may', PolicyDocument: policy(...may) });
    return Role;
}
async function user(may = [allow('sts:*')]) {
    const UserName = `user${++number}`;
    const { User } = await I('CreateUser', { UserName });
    await I('PutUserPolicy', { UserName, PolicyName: 'may', PolicyDocument: policy(...may) });
    const { AccessKey } = await I('CreateAccessKey', { UserName });
    const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    return { ...User, credentials, client: as(credentials) };
}
const web = (input) => S(server.client(sts.STSClient), 'AssumeRoleWithWebIdentity', { RoleSessionName: 'web', ...input });
const host = (url) => url.replace(/^https?:\/\//, '');
let provider; // the loopback issuer's record
async function oidc() {
    provider ??= (await I('CreateOpenIDConnectProvider', { Url: login.url, ClientIDList: ['shop', 'second'] })).OpenIDConnectProviderArn;
    return provider;
}
const WEB = 'sts:AssumeRoleWithWebIdentity';

test('AssumeRoleWithWebIdentity: a token of an issuer that the account knows', async () => {
    const Federated = await oidc(), key = host(login.url);
    const one = await role([trust({ Federated }, WEB, { Condition: { StringEquals: { [`${key}:aud`]: 'shop' }, StringLike: { [`${key}:sub`]: 'a*' } } })],
        { may: [allow('iam:ListUsers', { Condition: { StringEquals: { [`${key}:sub`]: 'ada', 'aws:FederatedProvider': Federated } } }), allow('iam:ListRoles', { Condition: { StringEquals: { [`${key}:email`]: 'ada@example.org' } } })] });
    const got = await web({ RoleArn: one.Arn, WebIdentityToken: login.token({ email: 'ada@example.org' }) });
    assert.deepEqual([got.SubjectFromWebIdentityToken, got.Audience, got.Provider], ['ada', 'shop', login.url]);
    assert.deepEqual(got.AssumedRoleUser, { AssumedRoleId: `${one.RoleId}:web`, Arn: `arn:aws:sts::${account}:assumed-role/${one.RoleName}/web` });
    assert.equal(got.PackedPolicySize, undefined);
    const session = as(keys(got.Credentials), iam.IAMClient);
    await send(session, iam, 'ListUsers');
    await refused(send(session, iam, 'ListRoles'), 'AccessDenied', /no identity-based policy allows the iam:ListRoles action/); // email does not stay
    // the SDK's own provider
    const provide = fromWebToken({ roleArn: one.Arn, webIdentityToken: login.token({}, { kid: 'ES256' }), roleSessionName: 'sdk', clientConfig: { endpoint: server.url, region } });
    const who = await S(as(provide), 'GetCallerIdentity');
    assert.equal(who.Arn, `arn:aws:sts::${account}:assumed-role/${one.RoleName}/sdk`);
    assert.equal(login.fetches.jwks, 1); // kept
});

test('who a provider says somebody is opens doors on the data plane', async () => {
    const Federated = await oidc(), key = host(login.url);
    const shop = await api(server, { 'GET /{name}': { method: { authorizationType: 'AWS_IAM' } } });
    const one = await role([trust({ Federated }, WEB)], { may: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `arn:aws:execute-api:${region}:${account}:${shop.id}/*/GET/\${${key}:sub}`, Condition: { StringEquals: { [`${key}:aud`]: 'shop' } } }] });
    const status = async (token, path) => {
        const { Credentials } = await web({ RoleArn: one.Arn, WebIdentityToken: token });
        return (await signed(`${shop.url}/${path}`, keys(Credentials), { service: 'execute-api' })).status;
    };
    assert.deepEqual([await status(login.token(), 'ada'), await status(login.token(), 'eve'), await status(login.token({ sub: 'eve' }), 'eve'), await status(login.token({ aud: 'second' }), 'ada')], [200, 403, 200, 403]);
});

test('the audit log says whom the provider named, and keeps no token', async () => {
    const Federated = await oidc(), token = login.token();
    const one = await role([trust({ Federated }, WEB)]);
    const { Credentials } = await web({ RoleArn: one.Arn, WebIdentityToken: token });
    const [record] = (await (await signed(`${server.url}/_gatehouse/audit?name=AssumeRoleWithWebIdentity&limit=1`, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'iam' })).json()).events;
    assert.deepEqual(record.userIdentity, { type: 'WebIdentityUser', principalId: `${Federated}:shop:ada`, userName: 'ada', identityProvider: Federated });
    assert.equal(record.recipientAccountId, account);
    for (const secret of [token, Credentials.SecretAccessKey, Credentials.SessionToken]) assert.ok(!JSON.stringify(record).includes(secret));
});

test('AssumeRoleWithWebIdentity: what is no identity', async (t) => {
    const Federated = await oidc(), key = host(login.url);
    const one = await role([trust({ Federated }, WEB, { Condition: { StringEquals: { [`${key}:sub`]: 'ada' } } })]);
    const now = Math.floor(Date.now() / 1000);
    const rows = [
        ['no token', 'abcd', 'InvalidIdentityToken', /^The ID Token provided is not a valid JWT/],
        ['another signature', `${login.token().slice(0, -8)}AAAAAAAA`, 'InvalidIdentityToken', 'Token signature invalid'],
        ['nobody signed', `${Buffer.from('{"alg":"none","kid":"RS256"}').toString('base64url')}.${login.token().split('.')[1]}.`, 'InvalidIdentityToken', /not a valid JWT/],
        ['expired', login.token({ exp: now - 5 }), 'ExpiredTokenException', /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/],
        ['not yet', login.token({ iat: now + 3000, exp: now + 9000 }), 'InvalidIdentityToken', /not yet valid/],
        ['another audience', login.token({ aud: 'theirs' }), 'InvalidIdentityToken', 'Incorrect token audience'],
        ['azp decides', login.token({ aud: ['shop'], azp: 'theirs' }), 'InvalidIdentityToken', 'Incorrect token audience'],
        ['no audience', login.token({ aud: undefined }), 'InvalidIdentityToken', 'Missing a required claim: aud'],
        ['no subject', login.token({ sub: undefined }), 'InvalidIdentityToken', 'Missing a required claim: sub'],
        ['an issuer without a record', login.token({ iss: 'https://evil.example' }), 'InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://evil.example'],
        ['a slash more', login.token({ iss: `${login.url}/` }), 'InvalidIdentityToken', /^No OpenIDConnect provider/],
        ['an unknown key', login.token({}, { kid: 'RS256', header: { kid: 'other' } }), 'InvalidIdentityToken', /^Couldn't retrieve verification key from your identity provider,  please/],
        ['a shared secret of the public key', (() => {
            const text = `${b64({ alg: 'HS256', kid: 'RS256', typ: 'JWT' })}.${b64(login.claims())}`;
            return `${text}.${crypto.createHmac('sha256', login.pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' })).update(text).digest('base64url')}`;
        })(), 'InvalidIdentityToken', /not a valid JWT/],
        ['a token of another type', login.token({}, { header: { typ: 'logout+jwt' } }), 'InvalidIdentityToken', /not a valid JWT/],
        ['a critical header', login.token({}, { header: { crit: ['b64'], b64: false } }), 'InvalidIdentityToken', /not a valid JWT/],
        ['a key that the token brings', login.token({}, { kid: 'RS256', header: { kid: 'mine', jwk: login.keys[1] } }), 'InvalidIdentityToken', /^Couldn't retrieve|not a valid JWT/],
        ['claims twice', (() => {
            const text = `${b64({ alg: 'ES256', kid: 'ES256' })}.${b64(JSON.stringify(login.claims()).replace('{', '{"sub":"ada",'))}`;
            return `${text}.${sign('ES256', login.pairs.ES256.privateKey, text).toString('base64url')}`;
        })(), 'InvalidIdentityToken', /not a valid JWT/],
        ['somebody else', login.token({ sub: 'eve' }), 'AccessDenied', `Not authorized to perform ${WEB}`],
    ];
    for (const [what, WebIdentityToken, name, message] of rows)
        await t.test(what, () => refused(web({ RoleArn: one.Arn, WebIdentityToken }), name, message));
    assert.ok(login.fetches.jwks <= 2, 'unknown keys are a reason to ask once a minute');
    const WebIdentityToken = login.token();
    await refused(web({ RoleArn: one.Arn.replace(/role\d+$/, 'nobody'), WebIdentityToken }), 'AccessDenied', `Not authorized to perform ${WEB}`);
    await refused(web({ RoleArn: 'nothing-valid-in-here', WebIdentityToken }), 'ValidationError', 'nothing-valid-in-here is invalid');
    await refused(web({ RoleArn: one.Arn, WebIdentityToken, DurationSeconds: 7200 }), 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    await refused(web({ RoleArn: one.Arn, WebIdentityToken, Policy: '{"Version"' }), 'MalformedPolicyDocument');
    await refused(web({ RoleArn: one.Arn, WebIdentityToken, PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/nobody` }] }), 'ValidationError', /does not exist/);
    await refused(web({ RoleArn: one.Arn, WebIdentityToken, ProviderId: 'www.amazon.com' }), 'InvalidParameterValue', /ProviderId/);
});

test('AssumeRoleWithWebIdentity: an issuer that is away, or inside', async () => {
    const away = await issuer({ after: (fn) => ending.push(fn) }, 'ES256');
    const { OpenIDConnectProviderArn: Federated } = await I('CreateOpenIDConnectProvider', { Url: away.url, ClientIDList: ['shop'] });
    const one = await role([trust({ Federated }, WEB)]);
    away.answer = (res) => res.writeHead(503).end() && true;
    await refused(web({ RoleArn: one.Arn, WebIdentityToken: away.token() }), 'IDPCommunicationError', /its status is not 200/);
    away.answer = null;
    away.discovery = { jwks_uri: 'http://169.254.169.254/keys' };
    await refused(web({ RoleArn: one.Arn, WebIdentityToken: away.token() }), 'IDPCommunicationError', /its jwks_uri is no https address/);
    const inside = (await I('CreateOpenIDConnectProvider', { Url: 'https://169.254.169.254', ClientIDList: ['shop'] })).OpenIDConnectProviderArn;
    const two = await role([trust({ Federated: inside }, WEB)]);
    await refused(web({ RoleArn: two.Arn, WebIdentityToken: away.token({ iss: 'https://169.254.169.254' }) }), 'IDPCommunicationError', /metadata service/);
    away.discovery = { issuer: 'https://other.example' };
    await refused(web({ RoleArn: one.Arn, WebIdentityToken: away.token() }), 'IDPCommunicationError', /another issuer's/);
    away.discovery = { jwks_uri: `${away.url}/jwks?tenant=7` };
    // however many ask at once, its keys are fetched once
    away.fetches.jwks = 0;
    await Promise.all(Array.from({ length: 8 }, () => web({ RoleArn: one.Arn, WebIdentityToken: away.token() })));
    assert.equal(away.fetches.jwks, 1);
});

test('a token of a user pool of ours, with tags and a source identity from a token', async () => {
    const shop = await addPool(server);
    await addUser(shop, 'ann');
    const { AuthenticationResult: tokens } = await shop.api.initiateAuth({ ClientId: shop.clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ann', PASSWORD } });
    const url = `${server.url}/${shop.poolId}`;
    await refused(web({ RoleArn: `arn:aws:iam::${account}:role/any`, WebIdentityToken: tokens.IdToken }), 'InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${url}`);
    const { OpenIDConnectProviderArn: Federated } = await I('CreateOpenIDConnectProvider', { Url: url, ClientIDList: [shop.clientId] });
    const one = await role([trust({ Federated }, WEB, { Condition: { StringEquals: { [`${host(url)}:aud`]: shop.clientId } } })]);
    assert.equal((await web({ RoleArn: one.Arn, WebIdentityToken: tokens.IdToken })).Audience, shop.clientId);
    await refused(web({ RoleArn: one.Arn, WebIdentityToken: tokens.AccessToken }), 'InvalidIdentityToken');
    await shop.api.adminUserGlobalSignOut({ UserPoolId: shop.poolId, Username: 'ann' });
    await refused(web({ RoleArn: one.Arn, WebIdentityToken: tokens.IdToken }), 'IDPRejectedClaim', 'Token has been revoked');

    const record = await oidc();
    const tagged = await role([trust({ Federated: record }, [WEB, 'sts:TagSession', 'sts:SetSourceIdentity'], { Condition: { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['Team'] } } })],
        { may: [allow('iam:ListUsers', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': 'ops', 'aws:SourceIdentity': 'ada' } } })] });
    const claims = { 'https://aws.amazon.com/tags': { principal_tags: { Team: ['ops'] }, transitive_tag_keys: ['Team'] }, 'https://aws.amazon.com/source_identity': 'ada' };
    const got = await web({ RoleArn: tagged.Arn, WebIdentityToken: login.token(claims) });
    assert.equal(got.SourceIdentity, 'ada');
    assert.ok(got.PackedPolicySize > 0);
    await send(as(keys(got.Credentials), iam.IAMClient), iam, 'ListUsers');
    const flat = { 'https://aws.amazon.com/tags/principal_tags/Team': 'dev' };
    const other = await web({ RoleArn: tagged.Arn, WebIdentityToken: login.token(flat) });
    await refused(send(as(keys(other.Credentials), iam.IAMClient), iam, 'ListUsers'), 'AccessDenied');
    const plain = await role([trust({ Federated: record }, WEB)]);
    await refused(web({ RoleArn: plain.Arn, WebIdentityToken: login.token(flat) }), 'AccessDenied', 'Not authorized to perform sts:TagSession');
    await refused(web({ RoleArn: plain.Arn, WebIdentityToken: login.token({ 'https://aws.amazon.com/source_identity': 'ada' }) }), 'AccessDenied', 'Not authorized to perform sts:SetSourceIdentity');
    await refused(web({ RoleArn: plain.Arn, WebIdentityToken: login.token({ 'https://aws.amazon.com/tags': { principal_tags: { Team: ['a', 'b'] } } }) }), 'InvalidIdentityToken', /malformed/);
});

test('external id, source identity, session names, durations, chains', async () => {
    const ann = await user();
    const one = await role([
        trust({ AWS: ann.Arn }, 'sts:AssumeRole', { Condition: { StringEquals: { 'sts:ExternalId': 'shop-7' } } }),
        trust({ AWS: ann.Arn }, 'sts:SetSourceIdentity', { Condition: { StringLike: { 'sts:SourceIdentity': 'ann*' } } }),
    ], { may: [allow(['sts:AssumeRole', 'sts:SetSourceIdentity'])], more: { MaxSessionDuration: 7200 } });
    const input = { RoleArn: one.Arn, RoleSessionName: 'work', ExternalId: 'shop-7' };
    const got = await S(ann.client, 'AssumeRole', { ...input, SourceIdentity: 'ann-1', DurationSeconds: 7200 });
    assert.equal(got.SourceIdentity, 'ann-1');
    const denied = `User: ${ann.Arn} is not authorized to perform: sts:AssumeRole on resource: ${one.Arn}`;
    await refused(S(ann.client, 'AssumeRole', { ...input, ExternalId: 'other' }), 'AccessDenied', denied);
    await refused(S(ann.client, 'AssumeRole', { ...input, ExternalId: undefined }), 'AccessDenied', denied);
    await refused(S(ann.client, 'AssumeRole', { ...input, SourceIdentity: 'eve' }), 'AccessDenied', denied.replace('AssumeRole', 'SetSourceIdentity'));
    await refused(S(ann.client, 'AssumeRole', { ...input, DurationSeconds: 7201 }), 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    await refused(S(ann.client, 'AssumeRole', { ...input, ProvidedContexts: [{ ProviderArn: 'arn:aws:iam::aws:contextProvider/IdentityCenter', ContextAssertion: 'abcd' }] }), 'InvalidParameterValue', /ProvidedContexts/);
    const second = await role([trust({ AWS: one.Arn }, ['sts:AssumeRole', 'sts:SetSourceIdentity'])], { more: { MaxSessionDuration: 43200 } });
    const chained = as(keys(got.Credentials));
    await refused(S(chained, 'AssumeRole', { RoleArn: second.Arn, RoleSessionName: 'on', DurationSeconds: 3601 }), 'ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.');
    assert.equal((await S(chained, 'AssumeRole', { RoleArn: second.Arn, RoleSessionName: 'on' })).SourceIdentity, 'ann-1');
    await refused(S(chained, 'AssumeRole', { RoleArn: second.Arn, RoleSessionName: 'on', SourceIdentity: 'ann-2' }), 'AccessDenied', /sts:SetSourceIdentity/);
    await refused(S(chained, 'GetSessionToken'), 'AccessDenied', 'Cannot call GetSessionToken with session credentials');
    await refused(S(chained, 'GetFederationToken', { Name: 'eve' }), 'AccessDenied', /^Cannot call GetFederationToken with session credentials$|not authorized/);
});

test('a role of another account: both sides must allow', async () => {
    const there = { accessKeyId: '111111111111', secretAccessKey: 'x' }, others = as(there, iam.IAMClient), make = async (RoleName, Principal, Condition) =>
        (await send(others, iam, 'CreateRole', { RoleName, AssumeRolePolicyDocument: policy(trust(Principal, 'sts:AssumeRole', { Condition })) })).Role;
    const ann = await user([allow('iam:ListUsers')]), bob = await user();
    const named = await make('named', { AWS: [ann.Arn, bob.Arn] }), whole = await make('whole', { AWS: account }, { StringEquals: { 'aws:PrincipalAccount': account } });
    const input = (one) => ({ RoleArn: one.Arn, RoleSessionName: 'there' });
    await refused(S(ann.client, 'AssumeRole', input(named)), 'AccessDenied', /because no identity-based policy allows the sts:AssumeRole action/);
    for (const one of [named, whole]) {
        const got = await S(bob.client, 'AssumeRole', input(one));
        assert.equal((await S(as(keys(got.Credentials)), 'GetCallerIdentity')).Account, '111111111111');
    }
    const cid = await user();
    await refused(S(cid.client, 'AssumeRole', input(named)), 'AccessDenied', `User: ${cid.Arn} is not authorized to perform: sts:AssumeRole on resource: ${named.Arn}`);
    await send(others, iam, 'UpdateAssumeRolePolicy', { RoleName: 'whole', PolicyDocument: policy(trust({ AWS: account }, 'sts:AssumeRole', { Condition: { StringEquals: { 'aws:PrincipalAccount': '222222222222' } } })) });
    await refused(S(bob.client, 'AssumeRole', input(whole)), 'AccessDenied');
});

test('GetFederationToken and GetSessionToken lend, and no more than there is', async () => {
    const ann = await user([allow(['sts:*', 'iam:List*', 'execute-api:*'])]);
    await refused(S(ann.client, 'GetFederationToken', { Name: 'guest', Policy: '{' }), 'MalformedPolicyDocument');
    const bob = await user([allow('sts:GetFederationToken')]);
    await refused(S(bob.client, 'GetFederationToken', { Name: 'guest', Tags: [{ Key: 'Team', Value: 'ops' }] }), 'AccessDenied', /sts:TagSession/);
    const shop = await api(server, { 'GET /a': { method: { authorizationType: 'AWS_IAM' } } });
    const call = async (c) => (await signed(`${shop.url}/a`, keys(c), { service: 'execute-api' })).status;
    const got = await S(ann.client, 'GetFederationToken', { Name: 'guest', Policy: policy(allow('execute-api:Invoke', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': 'ops' } } })), Tags: [{ Key: 'Team', Value: 'ops' }] });
    assert.equal(got.FederatedUser.Arn, `arn:aws:sts::${account}:federated-user/guest`);
    const none = await S(ann.client, 'GetFederationToken', { Name: 'guest' });
    assert.deepEqual([await call(got.Credentials), await call(none.Credentials), none.PackedPolicySize], [200, 403, 0]);
    await refused(send(as(keys(got.Credentials), iam.IAMClient), iam, 'ListUsers'), 'AccessDenied');
    await refused(S(as(keys(got.Credentials)), 'AssumeRole', { RoleArn: `arn:aws:iam::${account}:role/any`, RoleSessionName: 'x1' }), 'AccessDenied');
    const one = await role([trust({ AWS: ann.Arn }, ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'])]);
    const { Credentials: lent } = await S(ann.client, 'GetSessionToken', { DurationSeconds: 900 });
    await S(as(keys(lent)), 'AssumeRole', { RoleArn: one.Arn, RoleSessionName: 'x1', SourceIdentity: 'ann', Tags: [{ Key: 'Team', Value: 'ops' }] });
    await refused(S(as(keys(lent)), 'GetFederationToken', { Name: 'x1' }), 'AccessDenied');
    await refused(send(as(keys(lent), iam.IAMClient), iam, 'ListUsers'), 'AccessDenied');
    await refused(S(ann.client, 'DecodeAuthorizationMessage', { EncodedMessage: 'abc' }), 'InvalidAuthorizationMessageException');
    assert.equal((await S(ann.client, 'GetAccessKeyInfo', { AccessKeyId: lent.AccessKeyId })).Account, account);
});

test('session policies and tags: their intersection, and what is too large', async () => {
    const ann = await user();
    const one = await role([trust({ AWS: ann.Arn }, ['sts:AssumeRole', 'sts:TagSession'])], { may: [allow('iam:List*')] });
    const input = { RoleArn: one.Arn, RoleSessionName: 'work' };
    const less = await S(ann.client, 'AssumeRole', { ...input, Policy: policy(allow(['iam:ListUsers', 'iam:CreateUser'])) });
    assert.ok(less.PackedPolicySize > 0);
    const session = as(keys(less.Credentials), iam.IAMClient);
    await send(session, iam, 'ListUsers');
    await refused(send(session, iam, 'ListRoles'), 'AccessDenied', /no session policy allows the iam:ListRoles action/);
    await refused(send(session, iam, 'CreateUser', { UserName: 'x' }), 'AccessDenied', /no identity-based policy allows the iam:CreateUser action/);
    const big = policy(...Array.from({ length: 60 }, (_, i) => allow('iam:ListUsers', { Sid: `Statement${i}`, Condition: { StringEquals: { 'aws:username': 'nobody' } } })));
    await refused(S(ann.client, 'AssumeRole', { ...input, Policy: big }), 'PackedPolicyTooLarge', /^Packed policy consumes \d+% of allotted space, please use smaller policy\.$/);
    await refused(S(ann.client, 'AssumeRole', { ...input, Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: 'v'.repeat(256) })) }), 'PackedPolicyTooLarge', /^Packed size of session tags consumes \d+% of allotted space\.$/);
    await refused(S(ann.client, 'AssumeRole', { ...input, Policy: policy({ ...allow('iam:*'), Principal: '*' }) }), 'MalformedPolicyDocument');
    const answer = await signed(`${server.url}/?Action=AssumeRole&Version=2011-06-15&RoleArn=${encodeURIComponent(one.Arn)}&RoleSessionName=long&MinimumSessionTokenSize=3000`, ann.credentials, { service: 'sts' });
    const text = await answer.text();
    assert.match(text, /<SessionTokenSize>\d+<\/SessionTokenSize>/);
    assert.ok(text.match(/<SessionToken>([^<]+)/)[1].length >= 3000, text);
});

test('a second factor: asked of trust policies, carried by sessions, used once', async () => {
    const ann = await user();
    const { VirtualMFADevice: device } = await I('CreateVirtualMFADevice', { VirtualMFADeviceName: `device${number}` });
    const secret = Buffer.from(device.Base32StringSeed).toString();
    let at = await nextStep(server);
    await I('EnableMFADevice', { UserName: ann.UserName, SerialNumber: device.SerialNumber, AuthenticationCode1: totp(secret, at - 30), AuthenticationCode2: totp(secret, at) });
    const fresh = await role([trust({ AWS: ann.Arn }, 'sts:AssumeRole', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' }, NumericLessThan: { 'aws:MultiFactorAuthAge': '300' } } })],
        { may: [allow('iam:ListUsers', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })] });
    const input = { RoleArn: fresh.Arn, RoleSessionName: 'work' };
    await refused(S(ann.client, 'AssumeRole', input), 'AccessDenied', /sts:AssumeRole on resource/);
    await refused(S(ann.client, 'AssumeRole', { ...input, SerialNumber: device.SerialNumber }), 'AccessDenied', 'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.');
    await refused(S(ann.client, 'AssumeRole', { ...input, SerialNumber: device.SerialNumber.replace('device', 'other'), TokenCode: '123456' }), 'AccessDenied', /^MultiFactorAuthentication failed, unable to validate MFA code\.  Please verify/);
    at = await nextStep(server);
    const code = { SerialNumber: device.SerialNumber, TokenCode: totp(secret, at) };
    const got = await S(ann.client, 'AssumeRole', { ...input, ...code });
    await send(as(keys(got.Credentials), iam.IAMClient), iam, 'ListUsers');
    await refused(S(ann.client, 'AssumeRole', { ...input, ...code }), 'AccessDenied', /^MultiFactorAuthentication failed with invalid MFA one time pass code/);
    at = await nextStep(server);
    const { Credentials: lent } = await S(ann.client, 'GetSessionToken', { SerialNumber: device.SerialNumber, TokenCode: totp(secret, at) });
    await S(as(keys(lent)), 'AssumeRole', input);
    await clock({ advance_s: 301 });
    await refused(S(as(keys(lent)), 'AssumeRole', input), 'AccessDenied', /sts:AssumeRole on resource/); // its age
    const { Credentials: bare } = await S(ann.client, 'GetSessionToken');
    await refused(S(as(keys(bare)), 'AssumeRole', input), 'AccessDenied');
    await clock({ at: new Date().toISOString() });
});

test('sessions end: with their key, their role, and what was issued before a time on both planes', async () => {
    const ann = await user([allow(['sts:*', 'execute-api:*'])]);
    const { Credentials: lent } = await S(ann.client, 'GetSessionToken');
    await S(as(keys(lent)), 'GetCallerIdentity');
    await I('UpdateAccessKey', { UserName: ann.UserName, AccessKeyId: ann.credentials.accessKeyId, Status: 'Inactive' });
    await refused(S(as(keys(lent)), 'GetCallerIdentity'), 'InvalidClientTokenId');
    await I('UpdateAccessKey', { UserName: ann.UserName, AccessKeyId: ann.credentials.accessKeyId, Status: 'Active' });
    await S(as(keys(lent)), 'GetCallerIdentity');

    const shop = await api(server, { 'GET /a': { method: { authorizationType: 'AWS_IAM' } } });
    const one = await role([trust({ AWS: ann.Arn }, 'sts:AssumeRole')], { may: [allow(['execute-api:Invoke', 'iam:ListUsers'])] });
    const assume = async () => keys((await S(ann.client, 'AssumeRole', { RoleArn: one.Arn, RoleSessionName: 'work' })).Credentials);
    const call = async (credentials) => (await signed(`${shop.url}/a`, credentials, { service: 'execute-api' })).status;
    const list = (credentials) => send(as(credentials, iam.IAMClient), iam, 'ListUsers');
    const old = await assume();
    await list(old);
    assert.equal(await call(old), 200);
    const { time } = await clock({ advance_s: 5 });
    await I('PutRolePolicy', { RoleName: one.RoleName, PolicyName: 'AWSRevokeOlderSessions', PolicyDocument: policy({ Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': time.replace(/\.\d+Z/, 'Z') } } }) });
    await refused(list(old), 'AccessDenied', /with an explicit deny in an identity-based policy/);
    assert.equal(await call(old), 403);
    const young = await assume();
    await list(young);
    assert.equal(await call(young), 200);
    for (const PolicyName of ['may', 'AWSRevokeOlderSessions']) await I('DeleteRolePolicy', { RoleName: one.RoleName, PolicyName });
    await I('DeleteRole', { RoleName: one.RoleName });
    await refused(S(as(young), 'GetCallerIdentity'), 'InvalidClientTokenId');
    await I('CreateRole', { RoleName: one.RoleName, AssumeRolePolicyDocument: policy(trust({ AWS: ann.Arn }, 'sts:AssumeRole')) });
    await refused(S(as(young), 'GetCallerIdentity'), 'InvalidClientTokenId'); // of the same name, and another
    assert.equal(await call(young), 403);
});

test('GetWebIdentityToken: who somebody is here, for others', async (t) => {
    // members that the SDK at hand may not know yet: by the wire format
    const query = async (credentials, service, params) => {
        const body = new URLSearchParams({ Version: service === 'iam' ? '2010-05-08' : '2011-06-15', ...params }).toString();
        const answer = await signed(`${server.url}/`, credentials, { service, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
        const text = await answer.text();
        return { status: answer.status, code: text.match(/<Code>([^<]+)/)?.[1], message: text.match(/<Message>([^<]+)/)?.[1], token: text.match(/<WebIdentityToken>([^<]+)/)?.[1], issuer: text.match(/<IssuerIdentifier>([^<]+)/)?.[1], text };
    };
    const ann = await user([allow(['sts:*', 'iam:*'])]);
    const ask = (more, who = ann.credentials) => query(who, 'sts', { Action: 'GetWebIdentityToken', 'Audience.member.1': 'https://api.example.com', SigningAlgorithm: 'RS256', ...more });
    assert.equal((await ask({})).code, 'OutboundWebIdentityFederationDisabledException');
    const { issuer } = await query(ann.credentials, 'iam', { Action: 'EnableOutboundWebIdentityFederation' });
    const document = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    assert.equal(document.issuer, issuer);
    const { keys: published } = await (await fetch(document.jwks_uri)).json();
    assert.deepEqual(published.map((k) => k.alg), ['RS256', 'ES384']);
    assert.ok(published.every((k) => k.d === undefined));
    for (const alg of ['RS256', 'ES384'])
        await t.test(alg, async () => {
            const { token } = await ask({ SigningAlgorithm: alg, 'Tags.member.1.Key': 'job', 'Tags.member.1.Value': '7', DurationSeconds: '120' });
            const [head, body, signature] = token.split('.'), header = JSON.parse(Buffer.from(head, 'base64url')), claims = JSON.parse(Buffer.from(body, 'base64url'));
            const key = crypto.createPublicKey({ key: published.find((k) => k.kid === header.kid), format: 'jwk' });
            assert.ok(crypto.verify(alg === 'RS256' ? 'sha256' : 'sha384', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
            assert.equal(header.alg, alg);
            const { iat, exp, jti, ...rest } = claims;
            assert.equal(exp - iat, 120);
            assert.match(jti, /^[0-9a-f-]{36}$/);
            assert.deepEqual(rest, { iss: issuer, aud: 'https://api.example.com', sub: ann.Arn, 'https://sts.amazonaws.com/': { aws_account: account, source_region: region, request_tags: { job: '7' } } });
        });
    const { token } = await ask({});
    const events = await (await signed(`${server.url}/_gatehouse/audit?name=GetWebIdentityToken`, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'iam' })).text();
    assert.ok(events.includes('GetWebIdentityToken') && !events.includes(token.split('.')[2]));
    const one = await role([trust({ AWS: ann.Arn }, 'sts:AssumeRole')], { may: [allow('sts:GetWebIdentityToken')] });
    const session = keys((await S(ann.client, 'AssumeRole', { RoleArn: one.Arn, RoleSessionName: 'work', DurationSeconds: 900 })).Credentials);
    const mine = JSON.parse(Buffer.from((await ask({}, session)).token.split('.')[1], 'base64url'));
    assert.equal(mine.sub, one.Arn);
    assert.equal((await ask({ DurationSeconds: '3600' }, session)).code, 'SessionDurationEscalationException');
    const untagged = await ask({ 'Tags.member.1.Key': 'job', 'Tags.member.1.Value': '7' }, session);
    assert.deepEqual([untagged.code, /sts:TagGetWebIdentityToken/.test(untagged.message)], ['AccessDenied', true]);
    const large = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`Audience.member.${i + 1}`, `${i}`.padEnd(1000, 'x')]));
    assert.equal((await ask(large)).code, 'JWTPayloadSizeExceededException');
    assert.equal((await fetch(`${issuer}0/.well-known/jwks.json`)).status, 404);
    await query(ann.credentials, 'iam', { Action: 'DisableOutboundWebIdentityFederation' });
    assert.equal((await fetch(document.jwks_uri)).status, 404);
});

test('the AWS CLI assumes a role by a token in a file', async () => {
    const Federated = await oidc();
    const one = await role([trust({ Federated }, WEB)]);
    const env = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_ENDPOINT_URL: server.url, AWS_DEFAULT_REGION: region, AWS_EC2_METADATA_DISABLED: 'true' };
    const { code, stdout, stderr } = await run('aws', ['--endpoint-url', server.url, '--no-sign-request', 'sts', 'assume-role-with-web-identity', '--role-arn', one.Arn, '--role-session-name', 'cli', '--web-identity-token', login.token()], { env });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).AssumedRoleUser.Arn, `arn:aws:sts::${account}:assumed-role/${one.RoleName}/cli`);
});
