// Identity providers of IAM: OpenID Connect and SAML, with the AWS SDK.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import * as sdk from '@aws-sdk/client-iam';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { account, start, vectors } from './support/harness.mjs';

const cleanup = [];
let server, iam;
before(async () => {
    server = await start({ after: (fn) => cleanup.unshift(fn) });
    const client = server.client(sdk.IAMClient);
    iam = new Proxy({}, { get: (_, name) => (params = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)) });
});
after(async () => { for (const end of cleanup) await end(); });

const fails = (name, message) => (error) => {
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return true;
};
const oidcArn = (name) => `arn:aws:iam::${account}:oidc-provider/${name}`;

test('an OIDC provider is kept with its clients, thumbprints and tags', async () => {
    const created = await iam.createOpenIDConnectProvider({
        Url: 'https://login.example.com/realm', ClientIDList: ['web', 'app', 'web'], ThumbprintList: ['a'.repeat(40)], Tags: [{ Key: 'Team', Value: 'x' }] });
    const arn = oidcArn('login.example.com/realm');
    assert.equal(created.OpenIDConnectProviderArn, arn);
    assert.deepEqual(created.Tags, [{ Key: 'Team', Value: 'x' }]);
    const found = await iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: arn });
    assert.equal(found.Url, 'login.example.com/realm');
    assert.deepEqual(found.ClientIDList, ['web', 'app']);
    assert.deepEqual(found.ThumbprintList, ['a'.repeat(40)]);
    assert.ok(found.CreateDate instanceof Date);

    await iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, ClientID: 'third' });
    await iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, ClientID: 'third' });
    await iam.removeClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, ClientID: 'web' });
    await iam.removeClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, ClientID: 'never' });
    await iam.updateOpenIDConnectProviderThumbprint({ OpenIDConnectProviderArn: arn, ThumbprintList: ['b'.repeat(40), 'c'.repeat(40)] });
    const changed = await iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: arn });
    assert.deepEqual(changed.ClientIDList, ['app', 'third']);
    assert.deepEqual(changed.ThumbprintList, ['b'.repeat(40), 'c'.repeat(40)]);

    await iam.tagOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, Tags: [{ Key: 'team', Value: 'y' }, { Key: 'A', Value: '' }] });
    const page = await iam.listOpenIDConnectProviderTags({ OpenIDConnectProviderArn: arn, MaxItems: 1 });
    assert.deepEqual([page.Tags.length, page.IsTruncated], [1, true]);
    const rest = await iam.listOpenIDConnectProviderTags({ OpenIDConnectProviderArn: arn, Marker: page.Marker });
    assert.deepEqual([...page.Tags, ...rest.Tags].map((tag) => tag.Key).sort(), ['A', 'team']);
    await iam.untagOpenIDConnectProvider({ OpenIDConnectProviderArn: arn, TagKeys: ['A', 'nobody'] });
    assert.equal((await iam.listOpenIDConnectProviderTags({ OpenIDConnectProviderArn: arn })).Tags.length, 1);

    const { OpenIDConnectProviderList } = await iam.listOpenIDConnectProviders();
    assert.ok(OpenIDConnectProviderList.some((one) => one.Arn === arn));
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: 'https://login.example.com/realm' }),
        fails('EntityAlreadyExistsException', 'Provider with url https://login.example.com/realm already exists.'));
    await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn: arn });
    await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn: arn }); // "does not fail … for a provider that does not exist"
    await assert.rejects(iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: arn }),
        fails('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${arn}`));
});

test('issuers of this machine may do without TLS, others may not', async () => {
    const Url = `${server.url}/us-east-1_abc`;
    const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({ Url, ClientIDList: ['c'] });
    assert.equal(OpenIDConnectProviderArn, oidcArn(Url.slice('http://'.length)));
    await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn });
    for (const bad of ['http://login.example.com', 'ftp://a.example', 'login.example.com', 'https://', 'https://a.example/x?y=z',
        'https://u:p@a.example', 'https://a.example/#f', 'https://a.example/a b', 'javascript:alert(1)'])
        await assert.rejects(iam.createOpenIDConnectProvider({ Url: bad }), fails('ValidationError', 'Invalid Open ID Connect Provider URL'), bad);
});

test('limits of an OIDC provider', async () => {
    const many = Array.from({ length: 101 }, (_, i) => `client-${i}`);
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: 'https://many.example', ClientIDList: many }),
        fails('LimitExceededException', 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100'));
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: 'https://many.example', ThumbprintList: Array(6).fill('d'.repeat(40)) }),
        fails('InvalidInputException', 'Thumbprint list must contain fewer than 5 entries.'));
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: 'https://many.example', ThumbprintList: ['d'.repeat(39)] }), fails('ValidationError'));
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: `https://${'a'.repeat(256)}.example` }), fails('ValidationError'));
    await assert.rejects(iam.createOpenIDConnectProvider({ Url: 'https://many.example', Tags: [{ Key: 'a', Value: '1' }, { Key: 'A', Value: '2' }] }),
        fails('InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'));
    const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({ Url: 'https://many.example', ClientIDList: many.slice(1) });
    await assert.rejects(iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: 'one-more' }),
        fails('LimitExceededException', 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100'));
    await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn });
    const unknown = { OpenIDConnectProviderArn: oidcArn('nobody.example') };
    for (const wrong of ['getOpenIDConnectProvider', 'addClientIDToOpenIDConnectProvider', 'removeClientIDFromOpenIDConnectProvider',
        'listOpenIDConnectProviderTags', 'updateOpenIDConnectProviderThumbprint', 'tagOpenIDConnectProvider', 'untagOpenIDConnectProvider'])
        await assert.rejects(iam[wrong]({ ...unknown, ClientID: 'x', ThumbprintList: [], Tags: [{ Key: 'a', Value: 'b' }], TagKeys: ['a'] }),
            fails('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${unknown.OpenIDConnectProviderArn}`), wrong);
});

const metadata = (name) => fs.readFileSync(path.join(vectors, 'saml/metadata', name), 'utf8');
const pem = (type, options) => generateKeyPairSync(type, { ...options, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey;
const rsa = pem('rsa', { modulusLength: 2048 });
const samlArn = (name) => `arn:aws:iam::${account}:saml-provider/${name}`;

test('a SAML provider is kept with its metadata, keys and tags', async () => {
    const document = metadata('idp_metadata.xml');
    const { SAMLProviderArn, Tags } = await iam.createSAMLProvider({ Name: 'Corp', SAMLMetadataDocument: document, Tags: [{ Key: 'a', Value: 'b' }] });
    assert.deepEqual([SAMLProviderArn, Tags], [samlArn('Corp'), [{ Key: 'a', Value: 'b' }]]);
    const made = await iam.getSAMLProvider({ SAMLProviderArn });
    assert.equal(made.SAMLMetadataDocument, document);
    assert.match(made.SAMLProviderUUID, /^[A-Z0-9]{22,64}$/);
    assert.ok(made.ValidUntil > made.CreateDate);
    assert.deepEqual([made.AssertionEncryptionMode, made.PrivateKeyList ?? []], [undefined, []]);
    assert.ok((await iam.listSAMLProviders()).SAMLProviderList.some((one) => one.Arn === SAMLProviderArn && +one.ValidUntil === +made.ValidUntil && +one.CreateDate === +made.CreateDate));
    await assert.rejects(iam.createSAMLProvider({ Name: 'Corp', SAMLMetadataDocument: document }), fails('EntityAlreadyExistsException', 'SAMLProvider with name Corp already exists.'));

    // Encrypted assertions: two keys at most, and none may be missing where they are required.
    await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, AssertionEncryptionMode: 'Required' }), fails('InvalidInputException', /private key is required/));
    await iam.updateSAMLProvider({ SAMLProviderArn, AssertionEncryptionMode: 'Required', AddPrivateKey: rsa });
    await iam.updateSAMLProvider({ SAMLProviderArn, AddPrivateKey: rsa });
    await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, AddPrivateKey: rsa }), fails('LimitExceededException'));
    for (const AddPrivateKey of ['not a key', pem('ed25519', {}), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'])
        await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, AddPrivateKey }), fails('InvalidInputException', /PEM/));
    const { PrivateKeyList, AssertionEncryptionMode } = await iam.getSAMLProvider({ SAMLProviderArn });
    assert.deepEqual([PrivateKeyList.length, AssertionEncryptionMode], [2, 'Required']);
    await iam.updateSAMLProvider({ SAMLProviderArn, RemovePrivateKey: PrivateKeyList[0].KeyId });
    await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, RemovePrivateKey: PrivateKeyList[0].KeyId }), fails('NoSuchEntityException'));
    await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, RemovePrivateKey: PrivateKeyList[1].KeyId }), fails('InvalidInputException')); // still required
    await iam.updateSAMLProvider({ SAMLProviderArn, RemovePrivateKey: PrivateKeyList[1].KeyId, AssertionEncryptionMode: 'Allowed' });

    const other = metadata('idp_metadata2.xml');
    assert.equal((await iam.updateSAMLProvider({ SAMLProviderArn, SAMLMetadataDocument: other })).SAMLProviderArn, SAMLProviderArn);
    const changed = await iam.getSAMLProvider({ SAMLProviderArn });
    assert.deepEqual([changed.SAMLMetadataDocument, changed.SAMLProviderUUID], [other, made.SAMLProviderUUID]);
    await iam.tagSAMLProvider({ SAMLProviderArn, Tags: [{ Key: 'A', Value: 'c' }] });
    assert.deepEqual((await iam.listSAMLProviderTags({ SAMLProviderArn })).Tags, [{ Key: 'A', Value: 'c' }]);
    await iam.untagSAMLProvider({ SAMLProviderArn, TagKeys: ['a'] });
    assert.deepEqual((await iam.listSAMLProviderTags({ SAMLProviderArn })).Tags, []);
    await iam.deleteSAMLProvider({ SAMLProviderArn });
    for (const wrong of ['getSAMLProvider', 'deleteSAMLProvider', 'updateSAMLProvider', 'listSAMLProviderTags', 'tagSAMLProvider', 'untagSAMLProvider'])
        await assert.rejects(iam[wrong]({ SAMLProviderArn, Tags: [{ Key: 'a', Value: 'b' }], TagKeys: ['a'] }), fails('NoSuchEntityException', `Manifest not found for arn ${SAMLProviderArn}`), wrong);
});

test('what is no metadata of one provider is refused', async () => {
    const long = (text) => text.padEnd(1000, ' ');
    for (const [name, document] of Object.entries({
        'no XML': long('hello'), 'not whole': metadata('idp_metadata.xml').slice(0, -20), 'another root': long('<a/>'),
        'a document type': metadata('idp_metadata.xml').replace('?>', '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        'two providers': metadata('idp_multiple_descriptors.xml'), 'bad UTF-8 bytes': long('<\u00ff\u00fe/>'), deep: '<a>'.repeat(5000) }))
        await assert.rejects(iam.createSAMLProvider({ Name: 'Bad', SAMLMetadataDocument: document }), fails('InvalidInputException', /^Could not parse metadata/), name);
    await assert.rejects(iam.createSAMLProvider({ Name: 'Bad', SAMLMetadataDocument: '<a/>' }), fails('ValidationError'));
    await assert.rejects(iam.createSAMLProvider({ Name: 'a b', SAMLMetadataDocument: metadata('idp_metadata.xml') }), fails('ValidationError'));
    await assert.rejects(iam.createSAMLProvider({ Name: 'Bad', SAMLMetadataDocument: metadata('idp_metadata.xml'), AssertionEncryptionMode: 'Maybe' }), fails('ValidationError'));
    await assert.rejects(iam.createSAMLProvider({ Name: 'Bad', SAMLMetadataDocument: metadata('idp_metadata.xml'), AssertionEncryptionMode: 'Required' }), fails('InvalidInputException'));
    assert.deepEqual((await iam.listSAMLProviders()).SAMLProviderList, []);
});

const statement = (Action, more = {}, Effect = 'Allow') => ({ Effect, Action, Resource: '*', ...more });
const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const trust = policy({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' });

test('tags of whatever has any: fifty, each key once, none of AWS\'s own', async () => {
    const { Policy } = await iam.createPolicy({ PolicyName: 'tagged', PolicyDocument: policy(statement('s3:*')) });
    const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({ Url: 'https://tagged.example' });
    const { SAMLProviderArn } = await iam.createSAMLProvider({ Name: 'tagged', SAMLMetadataDocument: metadata('idp_metadata.xml') });
    await iam.createUser({ UserName: 'tagged' });
    await iam.createRole({ RoleName: 'tagged', AssumeRolePolicyDocument: trust });
    await iam.createInstanceProfile({ InstanceProfileName: 'tagged' });
    const many = (n, prefix = 'k') => Array.from({ length: n }, (_, i) => ({ Key: `${prefix}${i}`, Value: `${i}` }));
    for (const [kind, name] of Object.entries({ Policy: { PolicyArn: Policy.Arn }, OpenIDConnectProvider: { OpenIDConnectProviderArn }, SAMLProvider: { SAMLProviderArn },
        User: { UserName: 'tagged' }, Role: { RoleName: 'tagged' }, InstanceProfile: { InstanceProfileName: 'tagged' } })) {
        const tag = (Tags) => iam[`tag${kind}`]({ ...name, Tags });
        await tag(many(50));
        await tag([{ Key: 'K0', Value: 'again' }]); // "tag keys are not case sensitive": no fifty-first
        await assert.rejects(tag([{ Key: 'one-more', Value: '' }]), fails('LimitExceededException'), kind);
        await assert.rejects(tag(many(51, 'x')), fails('ValidationError', /at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50$/), kind);
        await assert.rejects(tag([{ Key: 'a', Value: '' }, { Key: 'A', Value: '' }]), fails('InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'), kind);
        await assert.rejects(tag([{ Key: 'aws:x', Value: '' }]), fails('InvalidInputException'), kind);
        const seen = [];
        let Marker;
        do {
            const page = await iam[`list${kind}Tags`]({ ...name, MaxItems: 20, Marker });
            seen.push(...page.Tags.map((one) => one.Key));
            Marker = page.Marker;
        } while (Marker);
        assert.deepEqual([seen.length, new Set(seen).size, seen.includes('K0'), seen.includes('k0')], [50, 50, true, false], kind);
        await iam[`untag${kind}`]({ ...name, TagKeys: many(50).map((one) => one.Key) });
        assert.deepEqual((await iam[`list${kind}Tags`](name)).Tags, [], kind);
    }
});

test('policies mean providers and policies by their tags', async () => {
    const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({ Url: 'https://red.example', Tags: [{ Key: 'colour', Value: 'red' }] });
    await iam.createUser({ UserName: 'painter' });
    const { AccessKey } = await iam.createAccessKey({ UserName: 'painter' });
    await iam.putUserPolicy({ UserName: 'painter', PolicyName: 'red', PolicyDocument: policy(statement('iam:Get*', { Condition: { StringEquals: { 'aws:ResourceTag/colour': 'red' } } }),
        statement('iam:CreateOpenIDConnectProvider', { Resource: `arn:aws:iam::${account}:oidc-provider/mine.example*` })) });
    const client = server.client(sdk.IAMClient, { credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } });
    await client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
    await assert.rejects(client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcArn('tagged.example') })), fails('AccessDenied'));
    await iam.untagOpenIDConnectProvider({ OpenIDConnectProviderArn, TagKeys: ['colour'] });
    await assert.rejects(client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn })), fails('AccessDenied'));
    await client.send(new sdk.CreateOpenIDConnectProviderCommand({ Url: 'https://mine.example/a' }));
    await assert.rejects(client.send(new sdk.CreateOpenIDConnectProviderCommand({ Url: 'https://yours.example' })), fails('AccessDenied', /oidc-provider\/yours\.example because/));
});

test('service-linked roles: by the service\'s name, changed by nobody, deleted as a task', async () => {
    const { Role } = await iam.createServiceLinkedRole({ AWSServiceName: 'dynamodb.application-autoscaling.amazonaws.com' });
    assert.deepEqual([Role.RoleName, Role.Path], ['AWSServiceRoleForApplicationAutoScaling_DynamoDBTable', '/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/']);
    const { AttachedPolicies: [{ PolicyArn }] } = await iam.listAttachedRolePolicies({ RoleName: Role.RoleName });
    assert.equal((await iam.getPolicy({ PolicyArn })).Policy.AttachmentCount, 1); // the policy is there, too
    const fixed = `Cannot perform the operation on the protected role '${Role.RoleName}' - this role is only modifiable by AWS`;
    const { RoleName } = Role;
    for (const [name, more] of Object.entries({ deleteRole: {}, updateRole: { Description: 'x' }, updateAssumeRolePolicy: { PolicyDocument: trust }, detachRolePolicy: { PolicyArn },
        attachRolePolicy: { PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }, putRolePolicy: { PolicyName: 'p', PolicyDocument: policy(statement('s3:*')) }, putRolePermissionsBoundary: { PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess' } }))
        await assert.rejects(iam[name]({ RoleName, ...more }), fails('UnmodifiableEntityException', fixed), name);
    await assert.rejects(iam.createServiceLinkedRole({ AWSServiceName: 'dynamodb.application-autoscaling.amazonaws.com' }),
        fails('InvalidInputException', `Service role name ${RoleName} has been taken in this account, please try a different suffix.`));
    await assert.rejects(iam.createServiceLinkedRole({ AWSServiceName: 'nobody.amazonaws.com' }), fails('InvalidInputException'));
    const { DeletionTaskId } = await iam.deleteServiceLinkedRole({ RoleName });
    assert.equal((await iam.getServiceLinkedRoleDeletionStatus({ DeletionTaskId })).Status, 'SUCCEEDED');
    await assert.rejects(iam.getServiceLinkedRoleDeletionStatus({ DeletionTaskId: `${DeletionTaskId}x` }), fails('NoSuchEntityException'));
    await assert.rejects(iam.deleteServiceLinkedRole({ RoleName }), fails('NoSuchEntityException', `The role with name ${RoleName} cannot be found.`));
    await assert.rejects(iam.deleteServiceLinkedRole({ RoleName: 'tagged' }), fails('InvalidInputException'));
});

test('what still hangs together is not deleted', async () => {
    await iam.createRole({ RoleName: 'tied', AssumeRolePolicyDocument: trust });
    await iam.createInstanceProfile({ InstanceProfileName: 'tied' });
    await iam.addRoleToInstanceProfile({ InstanceProfileName: 'tied', RoleName: 'tied' });
    await assert.rejects(iam.addRoleToInstanceProfile({ InstanceProfileName: 'tied', RoleName: 'tagged' }), fails('LimitExceededException', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1'));
    const conflict = (name, params, message) => assert.rejects(iam[name](params), fails('DeleteConflictException', message), message);
    await conflict('deleteInstanceProfile', { InstanceProfileName: 'tied' }, 'Cannot delete entity, must remove roles from instance profile first.');
    await conflict('deleteRole', { RoleName: 'tied' }, 'Cannot delete entity, must remove roles from instance profile first.');
    await iam.removeRoleFromInstanceProfile({ InstanceProfileName: 'tied', RoleName: 'tied' });
    await iam.attachRolePolicy({ RoleName: 'tied', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    await conflict('deleteRole', { RoleName: 'tied' }, 'Cannot delete entity, must detach all policies first.');
    await iam.detachRolePolicy({ RoleName: 'tied', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    await iam.putRolePolicy({ RoleName: 'tied', PolicyName: 'p', PolicyDocument: policy(statement('s3:*')) });
    await conflict('deleteRole', { RoleName: 'tied' }, 'Cannot delete entity, must delete policies first.');
    await iam.deleteRolePolicy({ RoleName: 'tied', PolicyName: 'p' });
    await iam.deleteRole({ RoleName: 'tied' });
    await iam.deleteInstanceProfile({ InstanceProfileName: 'tied' });
    await assert.rejects(iam.getInstanceProfile({ InstanceProfileName: 'tied' }), fails('NoSuchEntityException', 'Instance Profile tied cannot be found.'));
    await assert.rejects(iam.createInstanceProfile({ InstanceProfileName: 'tagged' }), fails('EntityAlreadyExistsException', 'Instance Profile tagged already exists.'));

    for (let i = 0; i < 11; i++) await iam.createGroup({ GroupName: `g${i}` });
    for (let i = 0; i < 10; i++) await iam.addUserToGroup({ GroupName: `g${i}`, UserName: 'tagged' });
    await assert.rejects(iam.addUserToGroup({ GroupName: 'g10', UserName: 'tagged' }), fails('LimitExceededException', 'Cannot exceed quota for GroupsPerUser: 10'));
    await conflict('deleteUser', { UserName: 'tagged' }, 'Cannot delete entity, must remove user from group(s) first.');
    await conflict('deleteGroup', { GroupName: 'g0' }, 'Cannot delete entity, must remove users from group first.');
});
