// AssumeRoleWithSAML: a role by the word of an account's SAML provider, and every way to forge one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';

import { account, region, run, scratch, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';
import { ATTRIBUTE, AWS, base64, Provider } from './support/saml.mjs';

const ending = [];
const world = { after: (fn) => ending.push(fn) };
const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, more = {}) => ({ Effect: 'Allow', Action, Resource: '*', ...more });
const send = (client, module, name, input = {}) => client.send(new module[`${name}Command`](input));
const keys = (c) => ({ accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken });
let server, people, idp, evil, provider, role, attributes;

function certified(type, folder, name) {
    const [key, cert] = ['key', 'pem'].map((kind) => path.join(folder, `${name}.${kind}`));
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', ...type, '-nodes', '-keyout', key, '-out', cert, '-days', '30', '-subj', `/CN=${name}`]);
    assert.equal(made.status, 0, String(made.stderr));
    return { key: fs.readFileSync(key, 'utf8'), cert: fs.readFileSync(cert, 'utf8') };
}
const RSA = ['rsa:2048'], EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const trust = (Principal, more = {}, Action = 'sts:AssumeRoleWithSAML') => policy({ Effect: 'Allow', Principal, Action, Condition: { StringEquals: { 'SAML:aud': AWS } }, ...more });
const I = (name, input) => send(people, iam, name, input);
const now = async () => Date.parse((await (await server.fetch('/_gatehouse/health')).json()).time);
const assume = (xml, more = {}) => send(server.client(sts.STSClient), sts, 'AssumeRoleWithSAML', { RoleArn: role.Arn, PrincipalArn: provider, SAMLAssertion: base64(xml), ...more });
async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}: ${message}`), (e) => e);
    assert.equal(error.Code ?? error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
}
const response = async (more = {}) => idp.response({ now: await now(), attributes, ...more });

before(async () => {
    server = await start(world);
    people = server.client(iam.IAMClient);
    const folder = scratch(world, 'saml');
    idp = new Provider(certified(RSA, folder, 'idp'));
    evil = new Provider(certified(RSA, folder, 'evil'), idp.entity);
    idp.folder = folder;
    provider = (await I('CreateSAMLProvider', { Name: 'corp', SAMLMetadataDocument: idp.metadata() })).SAMLProviderArn;
    role = (await I('CreateRole', { RoleName: 'staff', AssumeRolePolicyDocument: trust({ Federated: provider }), MaxSessionDuration: 7200 })).Role;
    attributes = { [`${ATTRIBUTE}Role`]: [`${role.Arn},${provider}`], [`${ATTRIBUTE}RoleSessionName`]: ['ada@corp'] };
});
after(async () => {
    for (const end of ending.reverse()) await end();
});

test('a role by SAML: the answer, and what stays with the session', async () => {
    await I('PutRolePolicy', { RoleName: 'staff', PolicyName: 'may', PolicyDocument: policy(
        allow('iam:ListUsers', { Condition: { StringEquals: { 'saml:sub': 'ada', 'saml:sub_type': 'persistent', 'aws:FederatedProvider': provider } } }),
        allow('iam:ListRoles', { Condition: { StringEquals: { 'saml:iss': idp.entity } } })) });
    const got = await assume(await response());
    const NameQualifier = crypto.createHash('sha1').update(`${idp.entity}${account}/corp`).digest('base64');
    const { Credentials, AssumedRoleUser, $metadata, ...rest } = got;
    assert.deepEqual(rest, { Subject: 'ada', SubjectType: 'persistent', Issuer: idp.entity, Audience: AWS, NameQualifier });
    assert.deepEqual(AssumedRoleUser, { AssumedRoleId: `${role.RoleId}:ada@corp`, Arn: `arn:aws:sts::${account}:assumed-role/staff/ada@corp` });
    const session = server.client(iam.IAMClient, { credentials: keys(Credentials) });
    await send(session, iam, 'ListUsers');
    await refused(send(session, iam, 'ListRoles'), 'AccessDenied'); // saml:iss is of the trust policy only
    const [record] = (await (await signed(`${server.url}/_gatehouse/audit?name=AssumeRoleWithSAML&limit=1`, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'iam' })).json()).events;
    assert.deepEqual(record.userIdentity, { type: 'SAMLUser', principalId: `${NameQualifier}:ada`, userName: 'ada', identityProvider: NameQualifier });
    assert.ok(!JSON.stringify(record).includes(Credentials.SessionToken) && JSON.stringify(record).length < 5000);
    const who = await send(server.client(sts.STSClient, { credentials: keys(Credentials) }), sts, 'GetCallerIdentity');
    assert.equal(who.Arn, AssumedRoleUser.Arn);
});

test('which signatures are good', async () => {
    for (const sign of ['assertion', 'response', 'both']) await assume(await response({ sign }));
    await assume(await response({ signing: { alg: 'rsa-sha512' } }));
    const elliptic = new Provider(certified(EC, idp.folder, 'elliptic'), 'https://ec.example.org/metadata');
    const { SAMLProviderArn } = await I('CreateSAMLProvider', { Name: 'ec', SAMLMetadataDocument: elliptic.metadata() });
    const { Role } = await I('CreateRole', { RoleName: 'ec', AssumeRolePolicyDocument: trust({ Federated: SAMLProviderArn }) });
    const pairs = { ...attributes, [`${ATTRIBUTE}Role`]: [`${SAMLProviderArn}, ${Role.Arn}`] };
    await assume(elliptic.response({ now: await now(), attributes: pairs, signing: { alg: 'ecdsa-sha256' } }), { RoleArn: Role.Arn, PrincipalArn: SAMLProviderArn });
});

// d40–d47: a signed assertion is kept somewhere, and another one stands where it would be read.
test('signature wrapping', async (t) => {
    const at = await now(), good = () => idp.assertion({ now: at, attributes }), forged = () => idp.assertion({ now: at, attributes, subject: 'root' });
    const rows = {
        'a forged one before it': () => forged().text + idp.signed(good()),
        'a forged one after it': () => idp.signed(good()) + forged().text,
        'a forged one with its ID': () => { const one = good(); return idp.signed(one) + idp.assertion({ now: at, attributes, subject: 'root', id: one.id }).text; },
        'in the extensions of a forged one': () => forged().text.replace('<saml:Subject>', `<saml:Advice>${idp.signed(good())}</saml:Advice><saml:Subject>`),
        'around the forged one': () => idp.signed(good()).replace('</saml:Assertion>', `${forged().text}</saml:Assertion>`),
        'in the signature of a forged one': () => { const one = good(), bad = forged(); return bad.head + idp.signature(one.id, one.text).replace('</ds:Signature>', `<ds:Object>${one.text}</ds:Object></ds:Signature>`) + bad.body; },
        'a signature of another element': () => { const one = good(), bad = forged(); return bad.head + idp.signature(one.id, one.text) + bad.body; },
        'its signature on a forged one of its ID': () => { const one = good(), bad = idp.assertion({ now: at, attributes, subject: 'root', id: one.id }); return bad.head + idp.signature(one.id, one.text) + bad.body; },
    };
    for (const [what, inner] of Object.entries(rows))
        await t.test(what, async () => refused(assume(idp.response({ now: at, attributes, inner: inner() })), 'InvalidIdentityToken'));
    await t.test('a whole response in the extensions of a forged one', async () => {
        const inside = idp.response({ now: at, attributes, sign: 'response' });
        await refused(assume(idp.response({ now: at, attributes, sign: 'none', subject: 'root', extra: `<samlp:Extensions>${inside}</samlp:Extensions>` })), 'InvalidIdentityToken');
    });
});

test('who signed it, and how', async (t) => {
    const at = await now(), keyInfo = `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${evil.der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`;
    const dsig = 'http://www.w3.org/2000/09/xmldsig#', exc = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>', enveloped = `<ds:Transform Algorithm="${dsig}enveloped-signature"></ds:Transform>`;
    const rows = {
        'nobody': { sign: 'none' },
        'a key that the message brings': { signing: { key: evil.key, keyInfo } },
        'SHA-1': { signing: { alg: 'rsa-sha1' } },
        'an algorithm of shared secrets': { change: (xml) => xml.replace(/xmldsig-more#rsa-sha256/, 'xmldsig-more#hmac-sha256') },
        'an XSLT transform': { signing: { transforms: `${enveloped}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>${exc}` } },
        'an XPath transform': { signing: { transforms: `${enveloped}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath></ds:Transform>${exc}` } },
        'an empty SignedInfo': { change: (xml) => xml.replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/, '<ds:SignedInfo></ds:SignedInfo>') },
        'no reference': { change: (xml) => xml.replace(/<ds:Reference .*<\/ds:Reference>/, '') },
        'the whole document': { change: (xml) => xml.replace(/URI="#[^"]+"/, 'URI=""') },
        'a subject that was changed': { change: (xml) => xml.replace('>ada<', '>root<') },
        'two signatures': { change: (xml) => xml.replace(/(<ds:Signature .*<\/ds:Signature>)/, '$1$1') },
    };
    for (const [what, { change = (xml) => xml, ...more }] of Object.entries(rows))
        await t.test(what, async () => refused(assume(change(idp.response({ now: at, attributes, ...more }))), 'InvalidIdentityToken', /Response signature invalid|an ID is/));
});

test('texts are whole, and documents plain', async (t) => {
    const at = await now();
    await t.test('a comment cuts nothing off', async () => {
        // signed without the comment, as exclusive canonical form has it: the text is the same with and without
        const xml = idp.response({ now: at, attributes, subject: 'ada@x.evil', sign: 'assertion' }).replace('ada@x.evil', 'ada@x<!---->.evil');
        assert.equal((await assume(xml)).Subject, 'ada@x.evil');
        const name = idp.response({ now: at, attributes, subject: 'b' }).replace('ada@corp', 'ada<!-- -->@corp');
        assert.match((await assume(name)).AssumedRoleUser.Arn, /staff\/ada@corp$/);
    });
    const good = idp.response({ now: at, attributes });
    const rows = {
        'an entity of outside': `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${good.replace('>ada<', '>&e;<')}`,
        'entities that grow': `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefghij'.split('').map((c, i) => `<!ENTITY ${c} "${`&${'abcdefghij'[i]};`.repeat(10)}">`).join('')}]>${good.replace('>ada<', '>&j;<')}`,
        'a parameter entity': `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p">%p;]>${good}`,
        'XInclude': good.replace('<saml:Subject>', '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/><saml:Subject>'),
        'another coding': Buffer.from(good, 'utf16le'),
        'half of it': good.slice(0, 900),
        'no XML': 'hello',
    };
    for (const [what, xml] of Object.entries(rows))
        await t.test(what, async () => {
            const begun = Date.now();
            await refused(assume(xml), 'InvalidIdentityToken');
            assert.ok(Date.now() - begun < 1000);
        });
    await refused(send(server.client(sts.STSClient), sts, 'AssumeRoleWithSAML', { RoleArn: role.Arn, PrincipalArn: provider, SAMLAssertion: '!!!!' }), 'InvalidIdentityToken', 'Invalid base64 SAMLResponse');
});

test('for whom, when, by whom', async (t) => {
    const elsewhere = 'https://other.example/acs', name = 'InvalidIdentityToken';
    const rows = [
        ['Destination', { destination: elsewhere }, name],
        ['Recipient', { recipient: elsewhere }, name, /Recipient/],
        ['Audience', { audience: elsewhere }, name, /audience/],
        ['no audience', { conditions: '<saml:Conditions></saml:Conditions>' }, name, /audience/],
        ['a condition nobody knows', { conditions: `<saml:Conditions><saml:AudienceRestriction><saml:Audience>${AWS}</saml:Audience></saml:AudienceRestriction><saml:Condition></saml:Condition></saml:Conditions>` }, name, /condition/],
        ['Issuer of the assertion', { issuer: elsewhere, sign: 'both' }, name, 'Issuer not present in specified provider'],
        ['not yet', { notBefore: 120 }, 'ExpiredTokenException'],
        ['expired', { notAfter: -90, issued: -200 }, 'ExpiredTokenException', 'Assertion is expired'],
        ['redeemed late', { issued: -301 }, 'ExpiredTokenException', 'Token must be redeemed within 5 minutes of issuance'],
        ['issued later', { issued: 120 }, name],
        ['a session that is over', { session: ' SessionNotOnOrAfter="2020-01-01T00:00:00Z"' }, 'ExpiredTokenException'],
        ['no statement of a sign-in', { statement: '' }, name],
        ['no name', { subject: '' }, name, /NameID/],
        ['a failure', { status: 'Responder' }, name, /status is not Success/],
        ['an attribute twice', { change: (a) => a.replace(/(<saml:Attribute .*?<\/saml:Attribute>)/, '$1$1') }, name, /twice/],
    ];
    for (const [what, { change, ...more }, kind, message] of rows)
        await t.test(what, async () => {
            if (!change) return refused(assume(await response(more)), kind, message);
            const one = idp.assertion({ now: await now(), attributes });
            one.body = change(one.body);
            one.text = one.head + one.body;
            await refused(assume(await response({ inner: idp.signed(one) })), kind, message);
        });
    await t.test('once only, and after it is over', async () => {
        const xml = await response();
        await assume(xml);
        await refused(assume(xml), name, 'The assertion was used before');
        await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: 1000 }) });
        await refused(assume(xml), 'ExpiredTokenException');
        await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ at: new Date().toISOString() }) });
    });
    await t.test('providers and roles', async () => {
        await refused(assume(await response(), { PrincipalArn: provider.replace('corp', 'nobody') }), name, "Specified provider doesn't exist");
        const denied = 'Not authorized to perform sts:AssumeRoleWithSAML';
        await refused(assume(await response({ attributes: { ...attributes, [`${ATTRIBUTE}Role`]: [`${role.Arn}x,${provider}`] } })), 'AccessDenied', denied);
        await refused(assume(await response({ attributes: { [`${ATTRIBUTE}RoleSessionName`]: 'x1' } })), 'AccessDenied', denied);
        const other = (await I('CreateRole', { RoleName: 'aliens', AssumeRolePolicyDocument: trust({ Federated: provider }, { Condition: { StringEquals: { 'saml:edupersonaffiliation': 'alien' } } }) })).Role;
        const pair = { ...attributes, [`${ATTRIBUTE}Role`]: [`${other.Arn},${provider}`] };
        await refused(assume(await response({ attributes: pair }), { RoleArn: other.Arn }), 'AccessDenied', denied);
        await assume(await response({ attributes: { ...pair, 'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': ['alien', 'member'] } }), { RoleArn: other.Arn });
    });
});

test('names, times, tags and a source identity out of the assertion', async () => {
    const name = 'InvalidIdentityToken', more = (extra) => response({ attributes: { ...attributes, ...extra } });
    await refused(assume(await response({ attributes: { [`${ATTRIBUTE}Role`]: attributes[`${ATTRIBUTE}Role`] } })), name, 'RoleSessionName is required in AuthnResponse');
    await refused(assume(await more({ [`${ATTRIBUTE}RoleSessionName`]: 'a b' })), name, 'RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
    await refused(assume(await more({ [`${ATTRIBUTE}SessionDuration`]: '60' })), name, /SessionDuration/);
    await refused(assume(await more({}), { DurationSeconds: 7201 }), 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    const left = async (got) => Math.round((got.Credentials.Expiration - (await now())) / 1000);
    assert.ok(Math.abs((await left(await assume(await more({ [`${ATTRIBUTE}SessionDuration`]: '7200' })))) - 7200) < 5);
    const until = new Date((await now()) + 1800e3).toISOString().replace(/\.\d+/, '');
    assert.ok(Math.abs((await left(await assume(await response({ session: ` SessionNotOnOrAfter="${until}"` })))) - 1800) < 5);
    await refused(assume(await more({ [`${ATTRIBUTE}PrincipalTag:Team`]: 'ops' })), 'AccessDenied', 'Not authorized to perform sts:TagSession');
    const { Role } = await I('CreateRole', { RoleName: 'tagged', AssumeRolePolicyDocument: trust({ Federated: provider }, { Condition: { StringEquals: { 'aws:RequestTag/Team': 'ops' } } }, ['sts:AssumeRoleWithSAML', 'sts:TagSession', 'sts:SetSourceIdentity']) });
    await I('PutRolePolicy', { RoleName: 'tagged', PolicyName: 'may', PolicyDocument: policy(allow('iam:ListUsers', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': 'ops', 'aws:SourceIdentity': 'ada' } } })) });
    const tagged = { [`${ATTRIBUTE}Role`]: `${Role.Arn},${provider}`, [`${ATTRIBUTE}PrincipalTag:Team`]: 'ops', [`${ATTRIBUTE}TransitiveTagKeys`]: ['Team'], [`${ATTRIBUTE}SourceIdentity`]: 'ada' };
    const got = await assume(await more(tagged), { RoleArn: Role.Arn });
    assert.equal(got.SourceIdentity, 'ada');
    assert.ok(got.PackedPolicySize > 0);
    await send(server.client(iam.IAMClient, { credentials: keys(got.Credentials) }), iam, 'ListUsers');
    await refused(assume(await more({ ...tagged, [`${ATTRIBUTE}SourceIdentity`]: 'aws:ada' }), { RoleArn: Role.Arn }), name, /Source Identity/);
});

test('encrypted assertions', async (t) => {
    const at = await now(), pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
    const sealed = (options, assertion = idp.assertion({ now: at, attributes }), more = {}) => idp.response({ now: at, sign: 'none', inner: idp.encrypted(idp.signed(assertion), pair.publicKey, options), ...more });
    await refused(assume(sealed()), 'InvalidIdentityToken', /no key for it/);
    await I('UpdateSAMLProvider', { SAMLProviderArn: provider, AddPrivateKey: pair.privateKey, AssertionEncryptionMode: 'Allowed' });
    for (const options of [{}, { cipher: 'aes-256-cbc' }])
        await t.test(options.cipher ?? 'aes-256-gcm', async () => assert.equal((await assume(sealed(options))).Subject, 'ada'));
    const forged = idp.assertion({ now: at, attributes, subject: 'root' }), elsewhere = idp.assertion({ now: at, attributes, recipient: 'https://other.example' });
    const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const rows = {
        'not signed inside': idp.response({ now: at, sign: 'none', inner: idp.encrypted(forged.text, pair.publicKey) }),
        'signed by another': idp.response({ now: at, sign: 'none', inner: idp.encrypted(evil.signed(forged), pair.publicKey) }),
        'for another': idp.response({ now: at, sign: 'none', inner: idp.encrypted(idp.signed(forged), other) }),
        'PKCS#1 v1.5': sealed({ wrap: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5' }),
        'one bit changed': sealed({ cipher: 'aes-256-cbc' }).replace(/(.{20})(.)(.{10}<\/xenc:CipherValue><\/xenc:CipherData><\/xenc:EncryptedData>)/, (_, a, b, c) => a + (b === 'A' ? 'B' : 'A') + c),
        'no assertion': idp.response({ now: at, sign: 'none', inner: idp.encrypted('<a></a>', pair.publicKey) }),
        'no XML': idp.response({ now: at, sign: 'none', inner: idp.encrypted('hello', pair.publicKey) }),
    };
    for (const [what, xml] of Object.entries(rows))
        await t.test(what, () => refused(assume(xml), 'InvalidIdentityToken', 'Response signature invalid'));
    await refused(assume(sealed({}, elsewhere)), 'InvalidIdentityToken', /Recipient/);
    await I('UpdateSAMLProvider', { SAMLProviderArn: provider, AssertionEncryptionMode: 'Required' });
    await refused(assume(await response()), 'InvalidIdentityToken', /must be encrypted/);
    assert.equal((await assume(sealed({}, idp.assertion({ now: at, attributes })))).Subject, 'ada');
    await I('UpdateSAMLProvider', { SAMLProviderArn: provider, AssertionEncryptionMode: 'Allowed' });
});

test('the AWS CLI', async () => {
    const env = { AWS_DEFAULT_REGION: region, AWS_EC2_METADATA_DISABLED: 'true' };
    const { code, stdout, stderr } = await run('aws', ['--endpoint-url', server.url, '--no-sign-request', 'sts', 'assume-role-with-saml', '--role-arn', role.Arn, '--principal-arn', provider, '--saml-assertion', base64(await response())], { env });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).SubjectType, 'persistent');
});
