// SSH public keys, signing certificates and server certificates of IAM; bad input to every operation on credentials.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as sdk from '@aws-sdk/client-iam';
import { Comparison } from './replay/compare.mjs';
import { authority } from './support/certificates.mjs';
import { account, start, vectors } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const cleanup = [], own = { after: (fn) => cleanup.unshift(fn) };
let server, iam;
before(async () => {
    server = await start(own);
    const client = server.client(sdk.IAMClient);
    iam = new Proxy({}, { get: (_, name) => (params = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)) });
});
after(async () => { for (const end of cleanup) await end(); });

const fails = (promise, name, message) => assert.rejects(promise, (error) => {
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return true;
});
const clock = async (body) => new Date((await (await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).json()).time);

// A modulus of nobody's primes: nobody looks for them, and they take long to find.
function sshKey(bits = 2048) {
    const modulus = crypto.randomBytes(bits / 8);
    modulus[0] |= 128;
    modulus[modulus.length - 1] |= 1;
    const [n, e] = [modulus.toString('base64url'), 'AQAB'];
    const publicKey = crypto.createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e } });
    const field = (bytes) => Buffer.concat([Buffer.from([0, 0, 0, 0]).fill(bytes.length, 3).map((b, i) => (bytes.length >> (24 - 8 * i)) & 255), bytes]);
    const number = (text) => { const b = Buffer.from(text, 'base64url'); return field(b[0] & 128 ? Buffer.concat([Buffer.from([0]), b]) : b); };
    const blob = Buffer.concat([field(Buffer.from('ssh-rsa')), number(e), number(n)]);
    return {
        ssh: `ssh-rsa ${blob.toString('base64')}`, pem: publicKey.export({ format: 'pem', type: 'spki' }), pkcs1: publicKey.export({ format: 'pem', type: 'pkcs1' }),
        fingerprint: crypto.createHash('md5').update(blob).digest('hex').match(/../g).join(':'),
    };
}

test('SSH public keys', async () => {
    await iam.createUser({ UserName: 'ssh' });
    const one = sshKey(), two = sshKey();
    const upload = (SSHPublicKeyBody, UserName = 'ssh') => iam.uploadSSHPublicKey({ UserName, SSHPublicKeyBody });
    const { SSHPublicKey: made } = await upload(`${one.ssh} ssh@laptop`);
    assert.match(made.SSHPublicKeyId, /^APKA[A-Z2-7]{16}$/);
    assert.deepEqual([made.Fingerprint, made.Status, made.SSHPublicKeyBody, made.UserName], [one.fingerprint, 'Active', `${one.ssh} ssh@laptop`, 'ssh']);
    const get = async (id, Encoding) => (await iam.getSSHPublicKey({ UserName: 'ssh', SSHPublicKeyId: id, Encoding })).SSHPublicKey.SSHPublicKeyBody;
    assert.equal(await get(made.SSHPublicKeyId, 'SSH'), `${one.ssh} ssh@laptop`);
    assert.equal(await get(made.SSHPublicKeyId, 'PEM'), one.pem);
    const second = (await upload(two.pem)).SSHPublicKey;
    assert.equal(second.Fingerprint, two.fingerprint);
    assert.equal(await get(second.SSHPublicKeyId, 'SSH'), two.ssh);
    await fails(upload(two.pkcs1), 'DuplicateSSHPublicKeyException');
    await fails(upload(two.ssh), 'DuplicateSSHPublicKeyException');
    const rows = [
        ['no key at all', 'hello', 'UnrecognizedPublicKeyEncodingException', 'Invalid public key uploaded.'],
        ['another kind', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUE7xs0FmmG8wbu0dUvGZqE1C8b8m4tLx1m7a3t3t3t', 'InvalidPublicKeyException'],
        ['too weak', sshKey(1024).ssh, 'InvalidPublicKeyException'],
        ['cut off', one.ssh.slice(0, -8), 'InvalidPublicKeyException'],
        ['no base64', 'ssh-rsa !!!!', 'InvalidPublicKeyException'],
        ['empty PEM', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n', 'InvalidPublicKeyException'],
        ['a private key', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }), 'InvalidPublicKeyException'],
    ];
    for (const [, body, name, message] of rows) await fails(upload(body), name, message);
    await fails(upload(one.ssh, 'nobody'), 'NoSuchEntityException');
    for (let i = 0; i < 3; i++) await upload(sshKey().ssh);
    await fails(upload(sshKey().ssh), 'LimitExceededException', 'Cannot exceed quota for SSHPublicKeysPerUser: 5');
    for (const { SSHPublicKeyId } of (await iam.listSSHPublicKeys({ UserName: 'ssh' })).SSHPublicKeys)
        if (![made.SSHPublicKeyId, second.SSHPublicKeyId].includes(SSHPublicKeyId)) await iam.deleteSSHPublicKey({ UserName: 'ssh', SSHPublicKeyId });
    const at = { UserName: 'ssh', SSHPublicKeyId: made.SSHPublicKeyId };
    await iam.updateSSHPublicKey({ ...at, Status: 'Inactive' });
    const listed = (await iam.listSSHPublicKeys({ UserName: 'ssh' })).SSHPublicKeys;
    assert.deepEqual(listed.map((k) => k.SSHPublicKeyId), [made.SSHPublicKeyId, second.SSHPublicKeyId].sort());
    assert.equal(listed.find((k) => k.SSHPublicKeyId === made.SSHPublicKeyId).Status, 'Inactive');
    await fails(iam.updateSSHPublicKey({ ...at, Status: 'Expired' }), 'InvalidInputException');
    await fails(iam.deleteUser({ UserName: 'ssh' }), 'DeleteConflictException', 'Cannot delete entity, must remove referenced objects first.');
    for (const id of listed.map((k) => k.SSHPublicKeyId)) await iam.deleteSSHPublicKey({ UserName: 'ssh', SSHPublicKeyId: id });
    await fails(iam.deleteSSHPublicKey(at), 'NoSuchEntityException', `The SSH Public Key with id ${made.SSHPublicKeyId} cannot be found.`);
    await iam.deleteUser({ UserName: 'ssh' });
});

test('signing certificates', async () => {
    const ca = authority(own), one = ca.issue('one'), two = ca.issue('two'), three = ca.issue('three');
    await iam.createUser({ UserName: 'x509' });
    await iam.createUser({ UserName: 'other' });
    const upload = (CertificateBody, UserName = 'x509') => iam.uploadSigningCertificate({ UserName, CertificateBody });
    const { Certificate: made } = await upload(one.cert);
    assert.deepEqual([made.UserName, made.Status, made.CertificateBody], ['x509', 'Active', one.cert]);
    assert.match(made.CertificateId, /^[A-Z2-7]{24,}$/);
    const at = { UserName: 'x509', CertificateId: made.CertificateId };
    await iam.updateSigningCertificate({ ...at, Status: 'Inactive' });
    assert.equal((await upload(one.cert)).Certificate.CertificateId, made.CertificateId); // the same once more changes nothing
    assert.equal((await iam.listSigningCertificates({ UserName: 'x509' })).Certificates[0].Status, 'Inactive');
    await fails(upload(one.cert, 'other'), 'DuplicateCertificateException');
    await upload(two.cert);
    await fails(upload(three.cert), 'LimitExceededException', 'Cannot exceed quota for CertificatesPerUser: 2');
    const parse = 'Unable to parse certificate. Please ensure the certificate is in PEM format.';
    for (const body of ['hello', one.key, one.cert + two.cert, one.cert.slice(0, 200)])
        await fails(upload(body, 'other'), 'MalformedCertificateException', parse);
    const time = await clock({ advance_s: 11 * 86400 });
    assert.ok(time > new Date());
    await fails(upload(three.cert, 'other'), 'InvalidCertificateException', 'The certificate has expired.');
    await clock({ advance_s: -11 * 86400 });
    await fails(iam.deleteUser({ UserName: 'x509' }), 'DeleteConflictException', 'Cannot delete entity, must remove referenced objects first.');
    await iam.deleteSigningCertificate(at);
    await fails(iam.deleteSigningCertificate(at), 'NoSuchEntityException', `The Certificate with id ${made.CertificateId} cannot be found.`);
    assert.equal((await iam.getAccountSummary()).SummaryMap.AccountSigningCertificatesPresent, 0);
    await iam.uploadSigningCertificate({ CertificateBody: three.cert }); // root's
    assert.equal((await iam.getAccountSummary()).SummaryMap.AccountSigningCertificatesPresent, 1);
});

test('server certificates: as AWS recorded one, and what is wrong with others', async () => {
    const recorded = JSON.parse(fs.readFileSync(path.join(vectors, 'aws-recorded/replay/iam__resource_providers__test_iam.json'), 'utf8')).test_server_certificate.steps;
    const template = fs.readFileSync(path.join(vectors, 'aws-recorded/templates/iam_server_certificate.yaml'), 'utf8');
    const block = (name) => new RegExp(`${name}: \\|\\n((?: {12}.*\\n?)+)`).exec(template)[1].replace(/^ {12}/gm, '');
    const compare = new Comparison(account), name = 'server-certificate-uid00001';
    const body = block('CertificateBody');
    const made = (await iam.uploadServerCertificate({ ServerCertificateName: name, CertificateBody: body, PrivateKey: block('PrivateKey') })).ServerCertificateMetadata;
    assert.match(made.ServerCertificateId, /^ASCA[A-Z2-7]{17}$/);
    assert.deepEqual(compare.differences(recorded[0].expected_parts[0].expected, made), []);
    const { $metadata, ...got } = await iam.getServerCertificate({ ServerCertificateName: name });
    assert.equal(got.ServerCertificate.ServerCertificateMetadata.Expiration.toISOString(), '2030-03-09T15:00:49.000Z');
    const { ResponseMetadata, ...expected } = recorded[1].expected;
    assert.deepEqual(compare.differences(expected, JSON.parse(JSON.stringify(got))), []);
    await iam.deleteServerCertificate({ ServerCertificateName: name });
    await fails(iam.getServerCertificate({ ServerCertificateName: name }), 'NoSuchEntityException', recorded[2].expected.Error.Message.replace('<server-certificate-name:1>', name));

    const ca = authority(own), leaf = ca.issue('leaf'), stranger = ca.root('stranger');
    const upload = (more) => iam.uploadServerCertificate({ ServerCertificateName: 'leaf', CertificateBody: leaf.cert, PrivateKey: leaf.key, ...more });
    const chain = /^Unable to validate certificate chain\. .* The index within the chain of the invalid certificate is: (\d)$/;
    const rows = [
        [{ CertificateBody: 'no' }, 'MalformedCertificateException', /^Unable to parse certificate\./],
        [{ CertificateBody: leaf.cert + ca.ca.cert }, 'MalformedCertificateException', /^Unable to parse certificate\./],
        [{ PrivateKey: 'no' }, 'MalformedCertificateException', /private key/],
        [{ PrivateKey: stranger.key }, 'KeyPairMismatchException', /does not match/],
        [{ CertificateChain: stranger.cert }, 'MalformedCertificateException', chain],
        [{ CertificateChain: ca.ca.cert + stranger.cert }, 'MalformedCertificateException', /is: 1$/],
        [{ CertificateChain: 'no' }, 'MalformedCertificateException', chain],
        [{ Tags: [{ Key: 'a', Value: '' }, { Key: 'A', Value: '' }] }, 'InvalidInputException', /Duplicate tag keys/],
        [{ Path: 'x' }, 'ValidationError', /'path' failed/],
        [{ ServerCertificateName: 'a b' }, 'ValidationError', /'serverCertificateName' failed/],
    ];
    for (const [more, error, message] of rows) await fails(upload(more), error, message);
    await upload({ Path: '/cloudfront/test/', CertificateChain: ca.ca.cert, Tags: [{ Key: 'Team', Value: 'x' }] });
    await fails(upload({ ServerCertificateName: 'LEAF' }), 'EntityAlreadyExistsException', 'The Server Certificate with name LEAF already exists.');
    await iam.tagServerCertificate({ ServerCertificateName: 'leaf', Tags: [{ Key: 'b', Value: '1' }] });
    await iam.untagServerCertificate({ ServerCertificateName: 'leaf', TagKeys: ['team'] });
    assert.deepEqual((await iam.listServerCertificateTags({ ServerCertificateName: 'leaf' })).Tags, [{ Key: 'b', Value: '1' }]);
    await iam.updateServerCertificate({ ServerCertificateName: 'leaf', NewServerCertificateName: 'renamed', NewPath: '/cloudfront/prod/' });
    const moved = (await iam.getServerCertificate({ ServerCertificateName: 'renamed' })).ServerCertificate;
    assert.equal(moved.ServerCertificateMetadata.Arn, `arn:aws:iam::${account}:server-certificate/cloudfront/prod/renamed`);
    assert.equal(moved.CertificateChain, ca.ca.cert.trim());
    assert.equal((await iam.listServerCertificates({ PathPrefix: '/other/' })).ServerCertificateMetadataList.length, 0);
    assert.deepEqual((await iam.listServerCertificates({ PathPrefix: '/cloudfront/' })).ServerCertificateMetadataList.map((c) => c.ServerCertificateName), ['renamed']);
    assert.equal((await iam.getAccountSummary()).SummaryMap.ServerCertificates, 1);
    for (let i = 1; i < 20; i++) await upload({ ServerCertificateName: `leaf-${i}` });
    await fails(upload({ ServerCertificateName: 'leaf-20' }), 'LimitExceededException', 'Cannot exceed quota for ServerCertificatesPerAccount: 20');
    const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? walk(path.join(folder, one.name)) : [path.join(folder, one.name)]));
    const line = leaf.key.split('\n')[1];
    for (const file of [...walk(server.data), server.logFile]) assert.ok(!fs.readFileSync(file).includes(line), `the private key lies open in ${file}`);
});

// Operation: the members it needs, and those it may have. No client's checks in between.
const operations = {
    ChangePassword: ['OldPassword NewPassword', ''],
    CreateAccessKey: ['', 'UserName'],
    CreateLoginProfile: ['Password', 'UserName PasswordResetRequired?'],
    CreateVirtualMFADevice: ['VirtualMFADeviceName', 'Path'],
    DeactivateMFADevice: ['SerialNumber', 'UserName'],
    DeleteAccessKey: ['AccessKeyId', 'UserName'],
    DeleteLoginProfile: ['', 'UserName'],
    DeleteSSHPublicKey: ['UserName SSHPublicKeyId', ''],
    DeleteServerCertificate: ['ServerCertificateName', ''],
    DeleteSigningCertificate: ['CertificateId', 'UserName'],
    DeleteVirtualMFADevice: ['SerialNumber', ''],
    EnableMFADevice: ['UserName SerialNumber AuthenticationCode1 AuthenticationCode2', ''],
    GetAccessKeyLastUsed: ['AccessKeyId', ''],
    GetLoginProfile: ['', 'UserName'],
    GetMFADevice: ['SerialNumber', 'UserName'],
    GetSSHPublicKey: ['UserName SSHPublicKeyId Encoding', ''],
    GetServerCertificate: ['ServerCertificateName', ''],
    ListAccessKeys: ['', 'UserName MaxItems#'],
    ListMFADeviceTags: ['SerialNumber', 'MaxItems#'],
    ListMFADevices: ['', 'UserName MaxItems#'],
    ListSSHPublicKeys: ['', 'UserName MaxItems#'],
    ListServerCertificateTags: ['ServerCertificateName', 'MaxItems#'],
    ListServerCertificates: ['', 'PathPrefix MaxItems#'],
    ListSigningCertificates: ['', 'UserName MaxItems#'],
    ListVirtualMFADevices: ['', 'AssignmentStatus MaxItems#'],
    ResyncMFADevice: ['UserName SerialNumber AuthenticationCode1 AuthenticationCode2', ''],
    TagMFADevice: ['SerialNumber', ''],
    UntagMFADevice: ['SerialNumber', ''],
    TagServerCertificate: ['ServerCertificateName', ''],
    UpdateAccessKey: ['AccessKeyId Status', 'UserName'],
    UpdateAccountPasswordPolicy: ['', 'MinimumPasswordLength# RequireSymbols? HardExpiry? MaxPasswordAge#'],
    UpdateLoginProfile: ['UserName', 'Password PasswordResetRequired?'],
    UpdateSSHPublicKey: ['UserName SSHPublicKeyId Status', ''],
    UpdateServerCertificate: ['ServerCertificateName', 'NewPath NewServerCertificateName'],
    UpdateSigningCertificate: ['CertificateId Status', 'UserName'],
    UploadSSHPublicKey: ['UserName SSHPublicKeyBody', ''],
    UploadServerCertificate: ['ServerCertificateName CertificateBody PrivateKey', 'Path'],
    UploadSigningCertificate: ['CertificateBody', 'UserName'],
};
const good = {
    UserName: 'nobody', Password: 'Some-passw0rd', OldPassword: 'Some-passw0rd', NewPassword: 'Other-passw0rd', VirtualMFADeviceName: 'x', Path: '/x/',
    SerialNumber: 'arn:aws:iam::000000000000:mfa/none', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', SSHPublicKeyId: 'APKAAAAAAAAAAAAAAAAA', ServerCertificateName: 'none',
    CertificateId: 'A'.repeat(32), AuthenticationCode1: '123456', AuthenticationCode2: '123457', Encoding: 'SSH', Status: 'Active', SSHPublicKeyBody: 'ssh-rsa AAAA',
    CertificateBody: 'x', PrivateKey: 'x', NewPath: '/x/', NewServerCertificateName: 'y', PathPrefix: '/', AssignmentStatus: 'Any',
};
const words = (text) => text.split(' ').filter(Boolean);

test('every operation: members that are missing, too long or of another type', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }, credentials = { accessKeyId: '888888888888', secretAccessKey: 'x' };
    const ask = async (Action, params) => {
        const body = new URLSearchParams({ Action, Version: '2010-05-08', ...params }).toString();
        const answer = await signed(`${server.url}/`, credentials, { service: 'iam', method: 'POST', headers, body });
        const text = await answer.text();
        return { status: answer.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], message: /<Message>(.*?)<\/Message>/s.exec(text)?.[1].replaceAll('&apos;', "'").replaceAll('&#39;', "'") };
    };
    const lower = (member) => member[0].toLowerCase() + member.slice(1);
    for (const [operation, [needs, may]] of Object.entries(operations)) {
        const needed = words(needs), others = words(may).filter((member) => !/[?#]$/.test(member));
        const params = Object.fromEntries(needed.map((member) => [member, good[member]]));
        if (operation === 'TagMFADevice' || operation === 'TagServerCertificate') Object.assign(params, { 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': '' });
        if (operation === 'UntagMFADevice') params['TagKeys.member.1'] = 'a';
        for (const missing of needed) {
            const { [missing]: gone, ...rest } = params;
            const { status, code, message } = await ask(operation, rest);
            assert.deepEqual([status, code], [400, 'ValidationError'], `${operation} without ${missing}: ${message}`);
            assert.match(message, new RegExp(`^1 validation error detected: Value (null )?at '${lower(missing)}' failed to satisfy constraint: Member must not be null$`), operation);
        }
        for (const member of [...needed, ...others]) {
            const { status, code, message } = await ask(operation, { ...params, [member]: 'x'.repeat(17000) });
            assert.deepEqual([status, code], [400, 'ValidationError'], `${operation}, long ${member}: ${message}`);
            assert.match(message, new RegExp(`'${lower(member)}' failed to satisfy constraint: Member must|^The serial number would be longer`), operation);
            if (/Password|PrivateKey/.test(member)) assert.doesNotMatch(message, /xxxx/, `${operation} repeats ${member}`);
        }
        for (const member of words(may).filter((one) => /[?#]$/.test(one))) {
            const { status } = await ask(operation, { ...params, [member.slice(0, -1)]: 'maybe' });
            assert.equal(status, 400, `${operation}, ${member} maybe`);
        }
    }
    assert.equal((await server.fetch('/_gatehouse/health')).status, 200);
});
