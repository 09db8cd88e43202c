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
    await iam.updateSAMLProvider({ SAMLProviderArn, AssertionEncryptionMode: 'Required', AddPrivateKey: pem('rsa', { modulusLength: 2048 }) });
    await iam.updateSAMLProvider({ SAMLProviderArn, AddPrivateKey: pem('rsa', { modulusLength: 2048 }) });
    await assert.rejects(iam.updateSAMLProvider({ SAMLProviderArn, AddPrivateKey: pem('rsa', { modulusLength: 2048 }) }), fails('LimitExceededException'));
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
