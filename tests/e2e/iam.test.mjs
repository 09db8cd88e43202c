// IAM and STS with the AWS SDK: who may do what, in AWS's words, and for how long.
import test from 'node:test';
import assert from 'node:assert/strict';
import * as iamSdk from '@aws-sdk/client-iam';
import * as stsSdk from '@aws-sdk/client-sts';
import { CognitoIdentityProviderClient, ListUserPoolsCommand, ListUsersCommand, CreateUserPoolCommand } from '@aws-sdk/client-cognito-identity-provider';
import { SignatureV4 } from '@smithy/signature-v4';
import { HttpRequest } from '@smithy/protocol-http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { start, region, account } from './support/harness.mjs';

const statement = (Effect, Action, Resource = '*', more = {}) => ({ Effect, Action, Resource, ...more });
const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const trust = (Principal, Condition, Action = 'sts:AssumeRole') =>
    policy({ Effect: 'Allow', Action, Principal, ...(Condition && { Condition }) });
const denied = (message) => (error) => {
    assert.match(error.name, /^AccessDenied(Exception)?$/);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    return true;
};

// iam.createUser({…}) instead of iam.send(new CreateUserCommand({…}))
function calls(client, sdk) {
    return new Proxy({}, { get: (_, name) => (params = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)) });
}
const iamOf = (server, credentials) => calls(server.client(iamSdk.IAMClient, credentials && { credentials }), iamSdk);
const stsOf = (server, credentials) => calls(server.client(stsSdk.STSClient, credentials && { credentials }), stsSdk);
const keysOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });

async function user(server, name) {
    const iam = iamOf(server);
    const { User } = await iam.createUser({ UserName: name });
    const { AccessKey } = await iam.createAccessKey({ UserName: name });
    return { ...keysOf(AccessKey), arn: User.Arn, id: User.UserId };
}

test('a key acts as its user, and every change of policy holds at once', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const asAnn = iamOf(server, ann);
    const none = `User: ${ann.arn} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${account}:user/ because no identity-based policy allows the iam:ListUsers action`;
    await assert.rejects(asAnn.listUsers(), denied(none));

    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'read', PolicyDocument: policy(statement('Allow', 'iam:List*')) });
    assert.equal((await asAnn.listUsers()).Users.length, 1);
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'no', PolicyDocument: policy(statement('Deny', 'iam:ListUsers')) });
    await assert.rejects(asAnn.listUsers(), denied(/ with an explicit deny in an identity-based policy$/));
    await iam.deleteUserPolicy({ UserName: 'ann', PolicyName: 'no' });
    await iam.deleteUserPolicy({ UserName: 'ann', PolicyName: 'read' });
    await assert.rejects(asAnn.listUsers(), denied(none));

    await iam.createGroup({ GroupName: 'readers' });
    await iam.putGroupPolicy({ GroupName: 'readers', PolicyName: 'read', PolicyDocument: policy(statement('Allow', 'iam:ListUsers')) });
    await iam.addUserToGroup({ GroupName: 'readers', UserName: 'ann' });
    await asAnn.listUsers();
    await iam.deleteGroupPolicy({ GroupName: 'readers', PolicyName: 'read' });
    await assert.rejects(asAnn.listUsers(), denied(none));

    const { Policy } = await iam.createPolicy({ PolicyName: 'versions', PolicyDocument: policy(statement('Allow', 's3:*')) });
    await iam.attachGroupPolicy({ GroupName: 'readers', PolicyArn: Policy.Arn });
    await assert.rejects(asAnn.listUsers(), denied(none));
    await iam.createPolicyVersion({ PolicyArn: Policy.Arn, PolicyDocument: policy(statement('Allow', 'iam:ListUsers')), SetAsDefault: true });
    await asAnn.listUsers();
    await iam.setDefaultPolicyVersion({ PolicyArn: Policy.Arn, VersionId: 'v1' });
    await assert.rejects(asAnn.listUsers(), denied(none));
    await iam.removeUserFromGroup({ GroupName: 'readers', UserName: 'ann' });

    await iam.attachUserPolicy({ UserName: 'ann', PolicyArn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' });
    await asAnn.listUsers();
    await iam.putUserPermissionsBoundary({ UserName: 'ann', PermissionsBoundary: Policy.Arn });
    await assert.rejects(asAnn.listUsers(), denied(/ because no permissions boundary allows the iam:ListUsers action$/));
    await iam.deleteUserPermissionsBoundary({ UserName: 'ann' });
    await asAnn.listUsers();

    await iam.updateUser({ UserName: 'ann', NewUserName: 'anna', NewPath: '/team/' });
    assert.equal((await asAnn.getUser()).User.Arn, `arn:aws:iam::${account}:user/team/anna`);
});

test('policies see who calls: names, tags, addresses', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const asAnn = iamOf(server, ann);
    await user(server, 'bob');
    const allow = (Resource, Condition) => iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'iam:GetUser', Resource, Condition && { Condition })) });

    await allow('arn:aws:iam::*:user/${aws:username}');
    await asAnn.getUser({ UserName: 'ann' });
    await assert.rejects(asAnn.getUser({ UserName: 'bob' }), denied(/resource: arn:aws:iam::\d+:user\/bob because/));

    const rows = [
        ['address', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, true],
        ['another address', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, false],
        ['no tag', { StringEquals: { 'aws:PrincipalTag/team': 'red' } }, false],
        ['not before', { DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, true],
        ['type', { StringEquals: { 'aws:PrincipalType': 'User', 'aws:userid': ann.id } }, true],
        ['a long-term key has no MFA key', { Bool: { 'aws:MultiFactorAuthPresent': 'false' } }, false],
        ['region', { StringEquals: { 'aws:RequestedRegion': region } }, true],
        ['no TLS here', { Bool: { 'aws:SecureTransport': 'true' } }, false],
    ];
    for (const [name, condition, allowed] of rows) {
        await allow('*', condition);
        const answer = asAnn.getUser({ UserName: 'bob' });
        await (allowed ? assert.doesNotReject(answer, name) : assert.rejects(answer, denied(/iam:GetUser/), name));
    }
    await allow('*', { StringEquals: { 'aws:PrincipalTag/team': 'red' } });
    await iam.tagUser({ UserName: 'ann', Tags: [{ Key: 'Team', Value: 'red' }] });
    await asAnn.getUser({ UserName: 'bob' });
    await iam.untagUser({ UserName: 'ann', TagKeys: ['Team'] });
    await assert.rejects(asAnn.getUser({ UserName: 'bob' }), denied(/iam:GetUser/));
});

test('policies mean whole ARNs and what is there, requests name less', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const asAnn = iamOf(server, ann);
    await iam.createUser({ UserName: 'chief', Path: '/admins/', Tags: [{ Key: 'level', Value: 'high' }] });
    await iam.createUser({ UserName: 'hand' });
    const may = (...statements) => iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(...statements) });

    await may(statement('Allow', 'iam:*'), statement('Deny', 'iam:*', `arn:aws:iam::${account}:user/admins/*`));
    await asAnn.getUser({ UserName: 'hand' });
    await assert.rejects(asAnn.createAccessKey({ UserName: 'chief' }), denied(/resource: arn:aws:iam::\d+:user\/admins\/chief with an explicit deny/));
    await may(statement('Allow', 'iam:GetUser', `arn:aws:iam::${account}:user/admins/*`));
    await asAnn.getUser({ UserName: 'chief' });
    await assert.rejects(asAnn.getUser({ UserName: 'nobody' }), denied(/iam:GetUser on resource: user nobody because/));
    await may(statement('Allow', 'iam:*', '*', { Condition: { StringNotEquals: { 'aws:ResourceTag/level': 'high' } } }));
    await assert.rejects(asAnn.getUser({ UserName: 'chief' }), denied(/iam:GetUser/));
    await asAnn.getUser({ UserName: 'hand' });

    const read = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess', all = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await may(statement('Allow', 'iam:AttachUserPolicy', '*', { Condition: { ArnEquals: { 'iam:PolicyARN': read } } }));
    await asAnn.attachUserPolicy({ UserName: 'hand', PolicyArn: read });
    await assert.rejects(asAnn.attachUserPolicy({ UserName: 'hand', PolicyArn: all }), denied(/iam:AttachUserPolicy/));
});

test('a role trusts those it named, not their successors', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const { Role } = await iam.createRole({ RoleName: 'r', AssumeRolePolicyDocument: trust({ AWS: ann.arn }) });
    await stsOf(server, ann).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'one' });
    await iam.deleteAccessKey({ UserName: 'ann', AccessKeyId: ann.accessKeyId });
    await iam.deleteUser({ UserName: 'ann' });
    const again = await user(server, 'ann');
    await assert.rejects(stsOf(server, again).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'one' }), denied(/sts:AssumeRole/));
    await iam.updateAssumeRolePolicy({ RoleName: 'r', PolicyDocument: trust({ AWS: again.arn }) });
    await stsOf(server, again).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'one' });
    await assert.rejects(iam.createRole({ RoleName: 'x', AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${account}:user/none` }) }),
        { name: 'MalformedPolicyDocumentException', message: `Invalid principal in policy: "AWS":"arn:aws:iam::${account}:user/none"` });
});

test('the same policies guard the other services', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const pools = server.client(CognitoIdentityProviderClient);
    const asAnn = server.client(CognitoIdentityProviderClient, { credentials: ann });
    const { UserPool: mine } = await pools.send(new CreateUserPoolCommand({ PoolName: 'mine' }));
    const { UserPool: other } = await pools.send(new CreateUserPoolCommand({ PoolName: 'other' }));
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'cognito-idp:ListUsers', mine.Arn)) });
    await asAnn.send(new ListUsersCommand({ UserPoolId: mine.Id }));
    await assert.rejects(asAnn.send(new ListUsersCommand({ UserPoolId: other.Id })),
        denied(`User: ${ann.arn} is not authorized to perform: cognito-idp:ListUsers on resource: ${other.Arn} because no identity-based policy allows the cognito-idp:ListUsers action`));
    await assert.rejects(asAnn.send(new ListUserPoolsCommand({ MaxResults: 1 })), denied(/cognito-idp:ListUserPools on resource: /));
});

test('keys: two a user, switched off, deleted, never root afterwards', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Allow', '*')) });
    const asAnn = iamOf(server, ann);
    const second = (await asAnn.createAccessKey()).AccessKey;
    await assert.rejects(iam.createAccessKey({ UserName: 'ann' }), { name: 'LimitExceededException', message: 'Cannot exceed quota for AccessKeysPerUser: 2' });
    assert.deepEqual((await asAnn.listAccessKeys()).AccessKeyMetadata.map((key) => [key.UserName, key.Status]), [['ann', 'Active'], ['ann', 'Active']]);
    assert.equal((await stsOf(server).getAccessKeyInfo({ AccessKeyId: ann.accessKeyId })).Account, account);

    const unknown = { name: 'InvalidClientTokenId', message: 'The security token included in the request is invalid.' };
    await iam.updateAccessKey({ UserName: 'ann', AccessKeyId: ann.accessKeyId, Status: 'Inactive' });
    await assert.rejects(asAnn.getUser(), unknown);
    await iam.updateAccessKey({ UserName: 'ann', AccessKeyId: ann.accessKeyId, Status: 'Active' });
    await asAnn.getUser();
    await iam.deleteAccessKey({ UserName: 'ann', AccessKeyId: ann.accessKeyId });
    await assert.rejects(asAnn.getUser(), unknown);
    await assert.rejects(stsOf(server, ann).getCallerIdentity(), unknown);
    await assert.rejects(iam.deleteAccessKey({ UserName: 'ann', AccessKeyId: ann.accessKeyId }),
        { message: `The Access Key with id ${ann.accessKeyId} cannot be found.` });
    await assert.rejects(iamOf(server, { ...keysOf(second), secretAccessKey: 'wrong' }).getUser(), { name: 'SignatureDoesNotMatch' });
    await assert.rejects(iamOf(server, { ...keysOf(second), sessionToken: 'made up' }).getUser(), { name: 'InvalidClientTokenId' });
});

test('who am I', async (t) => {
    const server = await start(t);
    const ann = await user(server, 'ann');
    await iamOf(server).putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Deny', '*')) });
    const who = async (credentials) => {
        const { Arn, UserId, Account } = await stsOf(server, credentials).getCallerIdentity();
        return [Arn, UserId, Account];
    };
    assert.deepEqual(await who(), [`arn:aws:iam::${account}:root`, account, account]);
    assert.deepEqual(await who({ accessKeyId: '123456789012', secretAccessKey: 'x' }), ['arn:aws:iam::123456789012:root', '123456789012', '123456789012']);
    assert.deepEqual(await who(ann), [ann.arn, ann.id, account], 'also against an explicit deny');

    const signer = new SignatureV4({ service: 'sts', region, credentials: ann, sha256: Sha256 });
    const request = new HttpRequest({ method: 'GET', protocol: 'http:', hostname: '127.0.0.1', port: server.port, path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' }, headers: { host: `127.0.0.1:${server.port}` } });
    const signed = await signer.presign(request, { expiresIn: 60 });
    const query = new URLSearchParams(signed.query);
    const answer = await server.fetch(`/?${query}`);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), new RegExp(`<Arn>${ann.arn}</Arn>`));
    query.set('Action', 'GetSessionToken');
    assert.equal((await server.fetch(`/?${query}`)).status, 403);
});

test('roles: the trust policy and the caller agree, a session policy narrows', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const asAnn = stsOf(server, ann);
    const role = async (name, document) => (await iam.createRole({ RoleName: name, Path: '/p/', AssumeRolePolicyDocument: document })).Role;
    const assume = (RoleName, more) => asAnn.assumeRole({ RoleArn: `arn:aws:iam::${account}:role/p/${RoleName}`, RoleSessionName: 'ses', ...more });
    const refused = (name) => `User: ${ann.arn} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/p/${name}`;

    await role('account', trust({ AWS: account }));
    await role('named', trust({ AWS: ann.arn }));
    await role('service', trust({ Service: 'lambda.amazonaws.com' }));
    await role('external', trust({ AWS: ann.arn }, { StringEquals: { 'sts:ExternalId': 'secret' } }));
    await assert.rejects(assume('account'), denied(`${refused('account')} because no identity-based policy allows the sts:AssumeRole action`));
    await assert.rejects(assume('service'), denied(refused('service')));
    await assert.rejects(assume('missing'), denied(refused('missing')));
    await assert.rejects(assume('external'), denied(refused('external')));
    await assume('external', { ExternalId: 'secret' });
    await assert.rejects(assume('named', { Tags: [{ Key: 'k', Value: 'v' }] }), denied(/sts:TagSession/));
    await assert.rejects(assume('named', { DurationSeconds: 7200 }), { name: 'ValidationError', message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.' });

    const { Credentials, AssumedRoleUser } = await assume('named', { Policy: policy(statement('Allow', 'iam:Get*')) });
    const session = keysOf(Credentials);
    const arn = `arn:aws:sts::${account}:assumed-role/named/ses`;
    assert.equal(AssumedRoleUser.Arn, arn);
    assert.match(Credentials.AccessKeyId, /^ASIA[A-Z2-7]{16}$/);
    await iam.putRolePolicy({ RoleName: 'named', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'iam:*')) });
    const asSession = iamOf(server, session);
    await asSession.getUser({ UserName: 'ann' });
    await assert.rejects(asSession.listUsers(), denied(new RegExp(`^User: ${arn} .* because no session policy allows the iam:ListUsers action$`)));

    const invalid = { name: 'InvalidClientTokenId', message: 'The security token included in the request is invalid' };
    await assert.rejects(iamOf(server, { ...session, sessionToken: undefined }).getUser({ UserName: 'ann' }), invalid);
    const other = keysOf((await assume('named')).Credentials);
    await assert.rejects(iamOf(server, { ...session, sessionToken: other.sessionToken }).getUser({ UserName: 'ann' }), invalid);
    await assert.rejects(stsOf(server, session).getSessionToken(), denied('Cannot call GetSessionToken with session credentials'));

    // Sessions issued before a moment are ended by a policy, or with the role.
    await iam.putRolePolicy({ RoleName: 'named', PolicyName: 'revoke', PolicyDocument: policy(statement('Deny', '*', '*', { Condition: { DateLessThan: { 'aws:TokenIssueTime': '2100-01-01T00:00:00Z' } } })) });
    await assert.rejects(asSession.getUser({ UserName: 'ann' }), denied(/with an explicit deny in an identity-based policy/));
    await assert.rejects(iam.deleteRole({ RoleName: 'named' }), { name: 'DeleteConflictException', message: 'Cannot delete entity, must delete policies first.' });
    for (const PolicyName of ['p', 'revoke']) await iam.deleteRolePolicy({ RoleName: 'named', PolicyName });
    await iam.deleteRole({ RoleName: 'named' });
    await assert.rejects(asSession.getUser({ UserName: 'ann' }), { name: 'InvalidClientTokenId' });
});

test('sessions end, federation gives no more than was passed, tags travel along', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    const ann = await user(server, 'ann');
    const asAnn = stsOf(server, ann);
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Allow', '*')) });

    const list = (credentials) => server.client(CognitoIdentityProviderClient, { credentials }).send(new ListUserPoolsCommand({ MaxResults: 1 }));
    const bare = keysOf((await asAnn.getFederationToken({ Name: 'fed' })).Credentials);
    await assert.rejects(list(bare), denied(/because no session policy allows/));
    const some = keysOf((await asAnn.getFederationToken({ Name: 'fed', Policy: policy(statement('Allow', '*')) })).Credentials);
    await list(some);
    await assert.rejects(iamOf(server, some).listUsers(), denied(/iam:ListUsers/), 'no IAM for federated users, whatever was passed');
    await assert.rejects(stsOf(server, some).assumeRole({ RoleArn: `arn:aws:iam::${account}:role/first`, RoleSessionName: 'one' }), denied(/sts:AssumeRole/));
    assert.equal((await stsOf(server, some).getCallerIdentity()).Arn, `arn:aws:sts::${account}:federated-user/fed`);

    const first = await iam.createRole({ RoleName: 'first', AssumeRolePolicyDocument: trust({ AWS: account }, null, ['sts:AssumeRole', 'sts:TagSession']) });
    const second = await iam.createRole({ RoleName: 'second', AssumeRolePolicyDocument: trust({ AWS: first.Role.Arn }, { StringEquals: { 'aws:RequestTag/project': 'x' } }, ['sts:AssumeRole', 'sts:TagSession']) });
    await iam.putRolePolicy({ RoleName: 'first', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'sts:*')) });
    await iam.putRolePolicy({ RoleName: 'second', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'iam:ListUsers', '*', { Condition: { StringEquals: { 'aws:PrincipalTag/project': 'x' } } })) });
    const one = keysOf((await asAnn.assumeRole({ RoleArn: first.Role.Arn, RoleSessionName: 'one', Tags: [{ Key: 'project', Value: 'x' }], TransitiveTagKeys: ['project'] })).Credentials);
    const two = keysOf((await stsOf(server, one).assumeRole({ RoleArn: second.Role.Arn, RoleSessionName: 'two' })).Credentials);
    await iamOf(server, two).listUsers();
    const untagged = keysOf((await asAnn.assumeRole({ RoleArn: first.Role.Arn, RoleSessionName: 'one' })).Credentials);
    await assert.rejects(stsOf(server, untagged).assumeRole({ RoleArn: second.Role.Arn, RoleSessionName: 'two' }), denied(/sts:AssumeRole/));

    const lent = keysOf((await asAnn.getSessionToken({ DurationSeconds: 900 })).Credentials);
    assert.equal((await stsOf(server, lent).getCallerIdentity()).Arn, ann.arn);
    await list(lent);
    await assert.rejects(iamOf(server, lent).listUsers(), denied(/iam:ListUsers/), 'no IAM without MFA');
    assert.equal((await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: 901 }) })).status < 300, true);
    await assert.rejects(stsOf(server, lent).getCallerIdentity(), { name: 'ExpiredToken', message: 'The security token included in the request is expired' });
});

test('names, pages, conflicts', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    for (const name of ['a', 'b', 'c']) await iam.createUser({ UserName: name, Path: name === 'c' ? '/x/' : '/' });
    const page = await iam.listUsers({ MaxItems: 2 });
    assert.deepEqual([page.Users.map((u) => u.UserName), page.IsTruncated], [['a', 'b'], true]);
    const rest = await iam.listUsers({ MaxItems: 2, Marker: page.Marker });
    assert.deepEqual([rest.Users.map((u) => u.UserName), rest.IsTruncated], [['c'], false]);
    assert.deepEqual((await iam.listUsers({ PathPrefix: '/x/' })).Users.map((u) => u.UserName), ['c']);
    await assert.rejects(iam.listUsers({ Marker: '***' }), { message: 'Invalid Marker.' });

    await iam.createGroup({ GroupName: 'g' });
    await iam.addUserToGroup({ GroupName: 'g', UserName: 'a' });
    const { Policy } = await iam.createPolicy({ PolicyName: 'p', PolicyDocument: policy(statement('Allow', 's3:*')) });
    await iam.attachUserPolicy({ UserName: 'b', PolicyArn: Policy.Arn });
    await iam.createPolicyVersion({ PolicyArn: Policy.Arn, PolicyDocument: policy(statement('Allow', 's3:Get*')) });
    await iam.createRole({ RoleName: 'r', AssumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) });
    await iam.createInstanceProfile({ InstanceProfileName: 'i' });
    await iam.addRoleToInstanceProfile({ InstanceProfileName: 'i', RoleName: 'r' });
    await iam.createServiceLinkedRole({ AWSServiceName: 'ops.apigateway.amazonaws.com' });
    const rows = [
        [() => iam.createUser({ UserName: 'A' }), 'EntityAlreadyExistsException', 'User with name A already exists.'],
        [() => iam.createGroup({ GroupName: 'G' }), 'EntityAlreadyExistsException', 'Group with name G already exists.'],
        [() => iam.createRole({ RoleName: 'R', AssumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) }), 'EntityAlreadyExistsException', 'Role with name R already exists.'],
        [() => iam.createPolicy({ PolicyName: 'P', Path: '/q/', PolicyDocument: policy(statement('Allow', 's3:*')) }), 'EntityAlreadyExistsException', 'A policy called P already exists. Duplicate names are not allowed.'],
        [() => iam.createInstanceProfile({ InstanceProfileName: 'I' }), 'EntityAlreadyExistsException', 'Instance Profile I already exists.'],
        [() => iam.updateUser({ UserName: 'a', NewUserName: 'B' }), 'EntityAlreadyExistsException', 'User with name B already exists.'],
        [() => iam.deleteUser({ UserName: 'a' }), 'DeleteConflictException', 'Cannot delete entity, must remove user from group(s) first.'],
        [() => iam.deleteUser({ UserName: 'b' }), 'DeleteConflictException', 'Cannot delete entity, must detach all policies first.'],
        [() => iam.deleteGroup({ GroupName: 'g' }), 'DeleteConflictException', 'Cannot delete entity, must remove users from group first.'],
        [() => iam.deletePolicy({ PolicyArn: Policy.Arn }), 'DeleteConflictException', 'Cannot delete a policy attached to entities.'],
        [() => iam.deleteRole({ RoleName: 'r' }), 'DeleteConflictException', 'Cannot delete entity, must remove roles from instance profile first.'],
        [() => iam.deleteInstanceProfile({ InstanceProfileName: 'i' }), 'DeleteConflictException', 'Cannot delete entity, must remove roles from instance profile first.'],
        [() => iam.deleteRole({ RoleName: 'AWSServiceRoleForAPIGateway' }), 'UnmodifiableEntityException', "Cannot perform the operation on the protected role 'AWSServiceRoleForAPIGateway' - this role is only modifiable by AWS"],
        [() => iam.deletePolicyVersion({ PolicyArn: Policy.Arn, VersionId: 'v1' }), 'DeleteConflictException', 'Cannot delete the default version of a policy.'],
        [() => iam.getPolicyVersion({ PolicyArn: Policy.Arn, VersionId: 'v9' }), 'NoSuchEntityException', `Policy ${Policy.Arn} version v9 does not exist or is not attachable.`],
        [() => iam.detachUserPolicy({ UserName: 'a', PolicyArn: Policy.Arn }), 'NoSuchEntityException', `Policy ${Policy.Arn} was not found.`],
        [() => iam.getUserPolicy({ UserName: 'a', PolicyName: 'x' }), 'NoSuchEntityException', 'The user policy with name x cannot be found.'],
        [() => iam.putUserPolicy({ UserName: 'a', PolicyName: 'x', PolicyDocument: policy(statement('Allow', 's3:*', `arn:aws:s3:::${'b'.repeat(2048)}`)) }), 'LimitExceededException', 'Maximum policy size of 2048 bytes exceeded for user a'],
        [() => iam.putUserPolicy({ UserName: 'a', PolicyName: 'x', PolicyDocument: policy(statement('Allow', 's3')) }), 'MalformedPolicyDocumentException', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'],
        [() => iam.tagUser({ UserName: 'a', Tags: [{ Key: 'k', Value: '' }, { Key: 'K', Value: '' }] }), 'InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
        [() => iam.createUser({ UserName: 'u u' }), 'ValidationError', /^1 validation error detected: Value 'u u' at 'userName' failed to satisfy constraint/],
    ];
    for (const [call, name, message] of rows) await assert.rejects(call(), { name, message });

    const listed = await iam.listEntitiesForPolicy({ PolicyArn: Policy.Arn });
    assert.deepEqual(listed.PolicyUsers.map((u) => u.UserName), ['b']);
    assert.equal((await iam.getPolicy({ PolicyArn: Policy.Arn })).Policy.AttachmentCount, 1);
    assert.deepEqual((await iam.listPolicies({ Scope: 'Local' })).Policies.map((p) => p.PolicyName), ['p']);
    assert.equal((await iam.getInstanceProfile({ InstanceProfileName: 'i' })).InstanceProfile.Roles[0].RoleName, 'r');
    assert.equal((await iam.getAccountSummary()).SummaryMap.Users, 3);
    await iam.createAccountAlias({ AccountAlias: 'our-account' });
    assert.deepEqual((await iam.listAccountAliases()).AccountAliases, ['our-account']);
});

test('everything at once, for auditors', async (t) => {
    const server = await start(t);
    const iam = iamOf(server);
    await user(server, 'ann');
    await iam.createGroup({ GroupName: 'g' });
    await iam.addUserToGroup({ GroupName: 'g', UserName: 'ann' });
    await iam.putGroupPolicy({ GroupName: 'g', PolicyName: 'in', PolicyDocument: policy(statement('Allow', 's3:*')) });
    await iam.createRole({ RoleName: 'r', AssumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) });
    await iam.attachRolePolicy({ RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    const { Policy } = await iam.createPolicy({ PolicyName: 'own', PolicyDocument: policy(statement('Allow', 's3:*')) });
    const all = await iam.getAccountAuthorizationDetails();
    assert.deepEqual(all.UserDetailList.map((u) => [u.UserName, u.GroupList]), [['ann', ['g']]]);
    assert.equal(JSON.parse(decodeURIComponent(all.GroupDetailList[0].GroupPolicyList[0].PolicyDocument)).Statement[0].Action, 's3:*');
    assert.deepEqual(all.RoleDetailList[0].AttachedManagedPolicies.map((p) => p.PolicyName), ['ReadOnlyAccess']);
    assert.deepEqual(all.Policies.map((p) => [p.Arn, p.PolicyVersionList.length]), [[Policy.Arn, 1], ['arn:aws:iam::aws:policy/ReadOnlyAccess', 1]]);
    const users = await iam.getAccountAuthorizationDetails({ Filter: ['User'] });
    assert.deepEqual([users.UserDetailList.length, users.RoleDetailList.length, users.Policies.length], [1, 0, 0]);
});

test('what was acknowledged is there after a kill, and works at once', async (t) => {
    const server = await start(t);
    const ann = await user(server, 'ann');
    const iam = iamOf(server);
    const { Role } = await iam.createRole({ RoleName: 'r', AssumeRolePolicyDocument: trust({ AWS: ann.arn }) });
    const { Policy } = await iam.createPolicy({ PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'iam:ListUsers')) });
    await iam.attachRolePolicy({ RoleName: 'r', PolicyArn: Policy.Arn });
    await iam.putUserPolicy({ UserName: 'ann', PolicyName: 'p', PolicyDocument: policy(statement('Allow', 'iam:GetUser')) });
    const session = keysOf((await stsOf(server, ann).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'ses' })).Credentials);
    await server.restart();
    await iamOf(server, ann).getUser();
    await iamOf(server, session).listUsers();
    await assert.rejects(iamOf(server, session).getUser({ UserName: 'ann' }), denied(/iam:GetUser/));
});
