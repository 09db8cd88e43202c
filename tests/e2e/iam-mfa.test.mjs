// MFA devices of IAM: made, put on users and root, set right, taken off; what a code is good for, and how often.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import * as sdk from '@aws-sdk/client-iam';
import * as stsSdk from '@aws-sdk/client-sts';
import { account, run, scratch, start } from './support/harness.mjs';
import { base32, nextStep, totp, wrong } from './support/totp.mjs';

const cleanup = [];
let server, iam;
const seeds = [], cli = {};
// A client for each call: one that is kept learns the server's time from its answers and signs with it, and signatures are
// judged by real time.
const calls = (client, from) => new Proxy({}, { get: (_, name) => (params = {}) => client().send(new from[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)) });
before(async () => {
    server = await start({ after: (fn) => cleanup.unshift(fn) });
    iam = calls(() => server.client(sdk.IAMClient), sdk);
    // Python takes its time to start: it does so beside the tests.
    cli.file = path.join(scratch({ after: (fn) => cleanup.unshift(fn) }, 'cli'), 'qr.png');
    cli.done = run('aws', ['--endpoint-url', server.url, '--output', 'json', 'iam', 'create-virtual-mfa-device', '--virtual-mfa-device-name', 'cli',
        '--outfile', cli.file, '--bootstrap-method', 'QRCodePNG'],
    { env: { AWS_ACCESS_KEY_ID: '666666666666', AWS_SECRET_ACCESS_KEY: 'x', AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '' } });
});
after(async () => { for (const end of cleanup) await end(); });

const fails = (promise, name, message) => assert.rejects(promise, (error) => {
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return true;
});
const serialOf = (name, path = '/') => `arn:aws:iam::${account}:mfa${path}${name}`;
const all = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });

async function user(name) {
    await iam.createUser({ UserName: name });
    await iam.putUserPolicy({ UserName: name, PolicyName: 'all', PolicyDocument: all });
    const { AccessKey: key } = await iam.createAccessKey({ UserName: name });
    const credentials = { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
    return { name, credentials, iam: calls(() => server.client(sdk.IAMClient, { credentials }), sdk), sts: calls(() => server.client(stsSdk.STSClient, { credentials }), stsSdk) };
}
const as = ({ AccessKeyId, SecretAccessKey, SessionToken }) =>
    calls(() => server.client(sdk.IAMClient, { credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } }), sdk);
async function device(name, more = {}) {
    const { VirtualMFADevice: made } = await iam.createVirtualMFADevice({ VirtualMFADeviceName: name, ...more });
    const seed = Buffer.from(made.Base32StringSeed).toString();
    seeds.push(seed);
    return { serial: made.SerialNumber, seed, made };
}
// The codes of the step before now and of now.
const pair = (seed, now) => ({ AuthenticationCode1: totp(seed, now - 30), AuthenticationCode2: totp(seed, now) });
async function enabled(name, deviceName = name) {
    const one = await device(deviceName);
    await iam.enableMFADevice({ UserName: name, SerialNumber: one.serial, ...pair(one.seed, await nextStep(server)) });
    return one;
}

test('a new device has a seed, a picture of it, and nobody', async () => {
    const { made, serial, seed } = await device('picture', { Path: '/team/', Tags: [{ Key: 'Floor', Value: '2' }] });
    assert.equal(serial, serialOf('picture', '/team/'));
    assert.match(seed, /^[A-Z2-7]{64}$/);
    assert.deepEqual(made.Tags, [{ Key: 'Floor', Value: '2' }]);
    const png = Buffer.from(made.QRCodePNG);
    assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
    const side = png.readUInt32BE(16);
    const pixels = zlib.inflateSync(png.subarray(8 + 25 + 8, png.length - 12 - 4));
    assert.equal(pixels.length, side * (1 + Math.ceil(side / 8)));
    const black = (x, y) => ((pixels[y * (1 + Math.ceil(side / 8)) + 1 + (x >> 3)] >> (7 - (x & 7))) & 1) === 0;
    assert.deepEqual([black(0, 0), black(16, 16), black(20, 20), black(28, 28)], [false, true, false, true], 'margin, and the finder of the corner');
    await fails(iam.createVirtualMFADevice({ VirtualMFADeviceName: 'picture', Path: '/team/' }), 'EntityAlreadyExistsException',
        'MFADevice entity at the same path and name already exists.');
    await device('picture'); // another path: another device
    const listed = (await iam.listVirtualMFADevices({ AssignmentStatus: 'Unassigned' })).VirtualMFADevices;
    const row = listed.find((one) => one.SerialNumber === serial);
    assert.deepEqual([row.User, row.EnableDate, row.Base32StringSeed, row.QRCodePNG], [undefined, undefined, undefined, undefined]);
    await iam.deleteVirtualMFADevice({ SerialNumber: serial });
    await fails(iam.deleteVirtualMFADevice({ SerialNumber: serial }), 'NoSuchEntityException', `VirtualMFADevice with serial number ${serial} doesn't exist.`);
});

test('two codes in a row put it on; one alone, twice the same, the wrong way round or far away do not', async () => {
    await user('eve');
    const { serial, seed } = await device('eve');
    const at = { UserName: 'eve', SerialNumber: serial };
    const now = await nextStep(server);
    const [before_, code] = [totp(seed, now - 30), totp(seed, now)];
    const rows = [
        ['the first is wrong', wrong(before_), code],
        ['twice the same', code, code],
        ['the wrong way round', code, before_],
        ['of yesterday', totp(seed, now - 86400), totp(seed, now - 86370)],
    ];
    for (const [name, AuthenticationCode1, AuthenticationCode2] of rows)
        await assert.rejects(iam.enableMFADevice({ ...at, AuthenticationCode1, AuthenticationCode2 }), (error) => {
            assert.equal(error.name, 'InvalidAuthenticationCodeException', name);
            assert.equal(error.message, 'Authentication code for device is not valid.');
            return error.$metadata.httpStatusCode === 403;
        });
    await iam.enableMFADevice({ ...at, ...pair(seed, now) });
    const { MFADevices } = await iam.listMFADevices({ UserName: 'eve' });
    assert.deepEqual(MFADevices.map((one) => [one.UserName, one.SerialNumber]), [['eve', serial]]);
    const got = await iam.getMFADevice({ UserName: 'eve', SerialNumber: serial });
    assert.equal(got.EnableDate.getTime(), MFADevices[0].EnableDate.getTime());
    const assigned = (await iam.listVirtualMFADevices({ AssignmentStatus: 'Assigned' })).VirtualMFADevices.find((one) => one.SerialNumber === serial);
    assert.equal(assigned.User.UserName, 'eve');
    await fails(iam.enableMFADevice({ ...at, ...pair(seed, now) }), 'EntityAlreadyExistsException', 'MFA Device is already in use.');
    await fails(iam.deleteVirtualMFADevice({ SerialNumber: serial }), 'DeleteConflictException', 'MFA VirtualDevice in use. Must deactivate first.');
    await fails(iam.deleteUser({ UserName: 'eve' }), 'DeleteConflictException');

    await user('mallory');
    const other = { UserName: 'mallory', SerialNumber: serial };
    await fails(iam.deactivateMFADevice(other), 'NoSuchEntityException', 'MFA Device invalid for user.');
    await fails(iam.getMFADevice(other), 'NoSuchEntityException');
    await fails(iam.resyncMFADevice({ ...other, ...pair(seed, now) }), 'NoSuchEntityException');
    await iam.deactivateMFADevice(at);
    assert.deepEqual((await iam.listMFADevices({ UserName: 'eve' })).MFADevices, []);
    await fails(iam.enableMFADevice({ ...at, ...pair(seed, now) }), 'InvalidAuthenticationCodeException', undefined); // used codes stay used
    await iam.deleteVirtualMFADevice({ SerialNumber: serial });
});

test('a code opens a session once; another device\'s, another user\'s and old ones do not', async () => {
    const ann = await user('ann'), bob = await user('bob');
    const one = await enabled('ann');
    const now = await nextStep(server);
    const session = (who, TokenCode, SerialNumber = one.serial) => who.sts.getSessionToken({ SerialNumber, TokenCode });
    const wrongCode = 'MultiFactorAuthentication failed with invalid MFA one time pass code.';
    const wrongDevice = 'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.';
    await fails(session(ann, wrong(totp(one.seed, now))), 'AccessDenied', wrongCode);
    await fails(session(bob, totp(one.seed, now)), 'AccessDenied', wrongDevice);
    await fails(session(ann, totp(one.seed, now), serialOf('nothing')), 'AccessDenied', wrongDevice);
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => session(ann, totp(one.seed, now))));
    const opened = results.filter((r) => r.status === 'fulfilled');
    assert.equal(opened.length, 1, 'of four at once with one code');
    await as(opened[0].value.Credentials).listUsers(); // IAM takes it: MFA was there
    await fails(session(ann, totp(one.seed, now - 30)), 'AccessDenied', wrongCode);
    await session(ann, totp(one.seed, now + 30));
});

test('guesses are slowed down, and a right code waits with them', async () => {
    const carl = await user('carl');
    const one = await enabled('carl');
    let now = await nextStep(server);
    const session = (TokenCode) => carl.sts.getSessionToken({ SerialNumber: one.serial, TokenCode });
    const guesses = Array.from({ length: 10 }, (_, i) => String((Number(totp(one.seed, now)) + 1 + i) % 1e6).padStart(6, '0'));
    const real = [-30, 0, 30].map((away) => totp(one.seed, now + away));
    await Promise.allSettled(guesses.filter((code) => !real.includes(code)).map(session));
    await fails(session(totp(one.seed, now)), 'AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code.');
    await fails(iam.resyncMFADevice({ UserName: 'carl', SerialNumber: one.serial, ...pair(one.seed, now) }), 'EntityTemporarilyUnmodifiableException');
    now = await nextStep(server); // a minute later
    await session(totp(one.seed, now));
});

test('a clock that goes wrong is set right', async () => {
    const dora = await user('dora');
    const one = await enabled('dora');
    const now = await nextStep(server);
    const ahead = now + 600; // what its clock shows
    const at = { UserName: 'dora', SerialNumber: one.serial };
    const session = (TokenCode) => dora.sts.getSessionToken({ SerialNumber: one.serial, TokenCode });
    await fails(session(totp(one.seed, ahead)), 'AccessDenied');
    await fails(iam.resyncMFADevice({ ...at, ...pair(one.seed, now + 3 * 3600) }), 'InvalidAuthenticationCodeException');
    await iam.resyncMFADevice({ ...at, ...pair(one.seed, ahead) });
    await fails(session(totp(one.seed, ahead)), 'AccessDenied'); // used for that
    await session(totp(one.seed, ahead + 30));
    const later = await nextStep(server);
    await fails(session(totp(one.seed, later)), 'AccessDenied');
    await session(totp(one.seed, later + 600));
});

test('eight a user; the ninth is too many', async () => {
    await user('fred');
    for (let i = 0; i < 8; i++) await enabled('fred', `fred-${i}`);
    const ninth = await device('fred-8');
    await fails(iam.enableMFADevice({ UserName: 'fred', SerialNumber: ninth.serial, ...pair(ninth.seed, await nextStep(server)) }),
        'LimitExceededException', 'Cannot exceed quota for MFADevicesPerUser: 8');
    const first = await iam.listMFADevices({ UserName: 'fred', MaxItems: 5 });
    const rest = await iam.listMFADevices({ UserName: 'fred', MaxItems: 5, Marker: first.Marker });
    assert.deepEqual([first.IsTruncated, first.MFADevices.length, rest.IsTruncated, rest.MFADevices.length], [true, 5, false, 3]);
});

test('who has a device needs it to change his devices; administrators do not', async () => {
    const gina = await user('gina');
    const mine = await device('gina');
    await gina.iam.enableMFADevice({ UserName: 'gina', SerialNumber: mine.serial, ...pair(mine.seed, await nextStep(server)) });
    const sentence = 'To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.';
    await fails(gina.iam.deactivateMFADevice({ UserName: 'gina', SerialNumber: mine.serial }), 'AccessDenied', sentence);
    const second = await device('gina-2');
    await fails(gina.iam.enableMFADevice({ UserName: 'gina', SerialNumber: second.serial, ...pair(second.seed, await nextStep(server)) }), 'AccessDenied', sentence);
    const now = await nextStep(server);
    const { Credentials } = await gina.sts.getSessionToken({ SerialNumber: mine.serial, TokenCode: totp(mine.seed, now) });
    await as(Credentials).deactivateMFADevice({ SerialNumber: mine.serial }); // the name is the caller's
    await iam.enableMFADevice({ UserName: 'gina', SerialNumber: mine.serial, ...pair(mine.seed, await nextStep(server)) });
    await iam.deactivateMFADevice({ UserName: 'gina', SerialNumber: mine.serial });
});

test('root has devices, too, and the summary counts them', async () => {
    const root = await device('root-account-mfa-device');
    const before_ = (await iam.getAccountSummary()).SummaryMap;
    assert.equal(before_.AccountMFAEnabled, 0);
    await iam.enableMFADevice({ UserName: account, SerialNumber: root.serial, ...pair(root.seed, await nextStep(server)) });
    assert.deepEqual((await iam.listMFADevices()).MFADevices.map((one) => one.SerialNumber), [root.serial]);
    const row = (await iam.listVirtualMFADevices()).VirtualMFADevices.find((one) => one.SerialNumber === root.serial);
    assert.deepEqual([row.User.UserId, row.User.Arn], [account, `arn:aws:iam::${account}:root`]);
    const summary = (await iam.getAccountSummary()).SummaryMap;
    assert.deepEqual([summary.AccountMFAEnabled, summary.MFADevices, summary.MFADevicesInUse], [1, before_.MFADevices, before_.MFADevicesInUse + 1]);
    await iam.deactivateMFADevice({ SerialNumber: root.serial });
    assert.equal((await iam.getAccountSummary()).SummaryMap.AccountMFAEnabled, 0);
});

test('tags', async () => {
    const { serial } = await device('tagged', { Tags: [{ Key: 'a', Value: '1' }] });
    await iam.tagMFADevice({ SerialNumber: serial, Tags: [{ Key: 'A', Value: '2' }, { Key: 'b', Value: '' }] });
    assert.deepEqual((await iam.listMFADeviceTags({ SerialNumber: serial })).Tags, [{ Key: 'A', Value: '2' }, { Key: 'b', Value: '' }]);
    await iam.untagMFADevice({ SerialNumber: serial, TagKeys: ['B', 'nobody'] });
    assert.deepEqual((await iam.listMFADeviceTags({ SerialNumber: serial })).Tags, [{ Key: 'A', Value: '2' }]);
    await fails(iam.tagMFADevice({ SerialNumber: serial, Tags: [{ Key: 'aws:x', Value: '' }] }), 'InvalidInputException');
    await iam.createUser({ UserName: 'tagger' });
    const policy = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'iam:*MFADevice*', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/A': '2' } } } };
    await iam.putUserPolicy({ UserName: 'tagger', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
    const { AccessKey: key } = await iam.createAccessKey({ UserName: 'tagger' });
    const tagger = as(key), other = await device('untagged');
    await tagger.tagMFADevice({ SerialNumber: serial, Tags: [{ Key: 'c', Value: '3' }] });
    await fails(tagger.tagMFADevice({ SerialNumber: other.serial, Tags: [{ Key: 'A', Value: '2' }] }), 'AccessDenied', /not authorized to perform: iam:TagMFADevice on resource: arn:aws:iam::\d+:mfa\/untagged/);
    await tagger.deleteVirtualMFADevice({ SerialNumber: serial });
    await fails(iam.tagMFADevice({ SerialNumber: serialOf('nothing'), Tags: [{ Key: 'x', Value: '' }] }), 'NoSuchEntityException');
});

test('bad input', async () => {
    const codes = { AuthenticationCode1: '123456', AuthenticationCode2: '654321' };
    const rows = [
        ['createVirtualMFADevice', {}, /1 validation error detected: Value null at 'virtualMFADeviceName' failed to satisfy constraint: Member must not be null|Value at 'virtualMFADeviceName' failed/],
        ['createVirtualMFADevice', { VirtualMFADeviceName: 'a b' }, /'virtualMFADeviceName' failed to satisfy constraint: Member must satisfy regular expression pattern/],
        ['createVirtualMFADevice', { VirtualMFADeviceName: 'a', Path: 'x' }, /'path' failed to satisfy constraint/],
        ['createVirtualMFADevice', { VirtualMFADeviceName: 'a'.repeat(240) }, /The serial number would be longer than 256 characters/],
        ['enableMFADevice', { UserName: 'ann', SerialNumber: serialOf('x'), ...codes, AuthenticationCode1: '12345' }, /'authenticationCode1' failed to satisfy constraint: Member must have length greater than or equal to 6/],
        ['enableMFADevice', { UserName: 'ann', SerialNumber: serialOf('x'), ...codes, AuthenticationCode2: 'abcdef' }, /'authenticationCode2' failed to satisfy constraint: Member must satisfy regular expression pattern/],
        ['enableMFADevice', { UserName: 'ann', SerialNumber: 'short', ...codes }, /'serialNumber' failed to satisfy constraint/],
        ['listVirtualMFADevices', { AssignmentStatus: 'Lost' }, /'assignmentStatus' failed to satisfy constraint: Member must satisfy enum value set/],
        ['listMFADevices', { UserName: 'ann', MaxItems: 1001 }, /'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000/],
        ['enableMFADevice', { UserName: 'ann', SerialNumber: `arn:aws:iam::${account}:u2f/user/ann/key-ABC`, ...codes }, /^Passkeys and security keys .* are not supported/],
    ];
    for (const [operation, params, message] of rows)
        await assert.rejects(iam[operation](params), (error) => {
            assert.match(error.message, message, `${operation} ${JSON.stringify(params)}`);
            return error.name === 'ValidationError';
        });
    await fails(iam.enableMFADevice({ UserName: 'nobody', SerialNumber: serialOf('x'), ...codes }), 'NoSuchEntityException', 'The user with name nobody cannot be found.');
    await fails(iam.listMFADevices({ UserName: 'nobody' }), 'NoSuchEntityException');
});

test('the AWS CLI writes the picture into a file', async () => {
    const { code, stdout, stderr } = await cli.done;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).VirtualMFADevice.SerialNumber, 'arn:aws:iam::666666666666:mfa/cli');
    assert.equal(fs.readFileSync(cli.file).subarray(1, 4).toString(), 'PNG');
});

test('no seed lies open on disk, after all this', async () => {
    await server.stop();
    const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? walk(path.join(folder, one.name)) : [path.join(folder, one.name)]));
    const files = [...walk(server.data), server.logFile];
    assert.ok(files.length > 2 && seeds.length > 10);
    for (const file of files) {
        const bytes = fs.readFileSync(file);
        for (const seed of seeds)
            for (const form of [seed, base32(seed), base32(seed).toString('hex'), Buffer.from(seed).toString('base64'), base32(seed).toString('base64')])
                assert.ok(!bytes.includes(form), `a seed lies open in ${file}`);
    }
});
