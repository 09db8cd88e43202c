// Identity providers of IAM: OpenID Connect and SAML, with the AWS SDK.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import * as sdk from '@aws-sdk/client-iam';
import { account, start } from './support/harness.mjs';

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
