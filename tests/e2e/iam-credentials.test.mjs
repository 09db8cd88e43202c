// What IAM users prove themselves with: passwords and access keys; what is told about them, and what keeps a user.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as sdk from '@aws-sdk/client-iam';
import { Comparison } from './replay/compare.mjs';
import { api } from './support/apis.mjs';
import { account, eventually, start, vectors } from './support/harness.mjs';
import { signed } from './support/sign.mjs';
import { nextStep, totp } from './support/totp.mjs';

const cleanup = [], own = { after: (fn) => cleanup.unshift(fn) };
let server, iam;
const issued = [];
// A client for each call: one that is kept learns the server's time from its answers and signs with it.
const calls = (credentials) => new Proxy({}, {
    get: (_, name) => (params = {}) => server.client(sdk.IAMClient, credentials && { credentials }).send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)),
});
const inAccount = (id) => calls({ accessKeyId: id, secretAccessKey: 'x' });
before(async () => {
    server = await start(own);
    iam = calls();
});
after(async () => { for (const end of cleanup) await end(); });

const fails = (promise, name, message) => assert.rejects(promise, (error) => {
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return true;
});
const allow = (Action) => JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } });
async function user(name, action = 'iam:*', of = iam) {
    await of.createUser({ UserName: name });
    if (action) await of.putUserPolicy({ UserName: name, PolicyName: 'p', PolicyDocument: allow(action) });
    const { AccessKey } = await of.createAccessKey({ UserName: name });
    issued.push(AccessKey.SecretAccessKey);
    const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    return { credentials, keyId: AccessKey.AccessKeyId, iam: calls(credentials) };
}
const clock = async (body) => new Date((await (await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).json()).time);

test('a login profile comes, changes and goes', async () => {
    await iam.createUser({ UserName: 'lp' });
    const missing = 'Login Profile for User lp cannot be found.';
    for (const operation of ['getLoginProfile', 'deleteLoginProfile', 'updateLoginProfile'])
        await fails(iam[operation]({ UserName: 'lp' }), 'NoSuchEntityException', missing);
    const { LoginProfile } = await iam.createLoginProfile({ UserName: 'lp', Password: 'Some-passw0rd', PasswordResetRequired: true });
    assert.deepEqual([LoginProfile.UserName, LoginProfile.PasswordResetRequired], ['lp', true]);
    await fails(iam.createLoginProfile({ UserName: 'lp', Password: 'Some-passw0rd' }), 'EntityAlreadyExistsException', 'Login Profile for user lp already exists.');
    await iam.updateLoginProfile({ UserName: 'lp', PasswordResetRequired: false });
    const got = (await iam.getLoginProfile({ UserName: 'lp' })).LoginProfile;
    assert.deepEqual([got.PasswordResetRequired, got.CreateDate.getTime()], [false, LoginProfile.CreateDate.getTime()]);
    await fails(iam.deleteUser({ UserName: 'lp' }), 'DeleteConflictException', 'Cannot delete entity, must delete login profile first.');
    await iam.deleteLoginProfile({ UserName: 'lp' });
    await iam.deleteUser({ UserName: 'lp' });
    await fails(iam.createLoginProfile({ UserName: 'lp', Password: 'Some-passw0rd' }), 'NoSuchEntityException', 'The user with name lp cannot be found.');
});

test('the password policy is the account\'s, and holds for every new password', async () => {
    const other = inAccount('111111111111');
    await fails(other.getAccountPasswordPolicy(), 'NoSuchEntityException', 'The Password Policy with domain name 111111111111 cannot be found.');
    await fails(other.deleteAccountPasswordPolicy(), 'NoSuchEntityException', 'The account policy with name PasswordPolicy cannot be found.');
    await other.createUser({ UserName: 'u' });
    const first = (Password) => other.createLoginProfile({ UserName: 'u', Password });
    const violated = (promise, text) => fails(promise, 'PasswordPolicyViolationException', text);
    await violated(first('short1A'), 'Password should have a minimum length of 8');
    await violated(first('abcdefg1'), 'Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol');
    await other.updateAccountPasswordPolicy({ MinimumPasswordLength: 12, RequireSymbols: true, MaxPasswordAge: 90, PasswordReusePrevention: 3, AllowUsersToChangePassword: true });
    const { $metadata, ...kept } = await other.getAccountPasswordPolicy();
    assert.deepEqual(kept.PasswordPolicy, {
        MinimumPasswordLength: 12, RequireSymbols: true, RequireNumbers: false, RequireUppercaseCharacters: false, RequireLowercaseCharacters: false,
        AllowUsersToChangePassword: true, ExpirePasswords: true, MaxPasswordAge: 90, PasswordReusePrevention: 3, HardExpiry: false,
    });
    await violated(first('abcdefghijkl'), 'Password should have at least one symbol');
    await first('abcdefghijk!');
    const next = (Password) => other.updateLoginProfile({ UserName: 'u', Password });
    const reuse = 'Policy constraint violation with password reuse prevention during password change.';
    await violated(next('abcdefghijk!'), reuse);
    await next('second-one-2');
    await next('third-one-33');
    await violated(next('abcdefghijk!'), reuse);
    await next('fourth-one-4');
    await next('abcdefghijk!'); // three others since
    await other.updateAccountPasswordPolicy({}); // "if you do not specify a parameter, its value reverts to its default"
    assert.deepEqual((await other.getAccountPasswordPolicy()).PasswordPolicy, {
        MinimumPasswordLength: 6, RequireSymbols: false, RequireNumbers: false, RequireUppercaseCharacters: false, RequireLowercaseCharacters: false,
        AllowUsersToChangePassword: false, ExpirePasswords: false, HardExpiry: false,
    });
    await next('aaaaaa');
    await other.deleteAccountPasswordPolicy();
    await violated(next('aaaaaa'), /minimum length of 8/);
});

test('users change their own passwords, when they may', async () => {
    const root = inAccount('222222222222');
    const ann = await user('ann', null, root);
    await root.createLoginProfile({ UserName: 'ann', Password: 'First-passw0rd', PasswordResetRequired: true });
    const change = (OldPassword, NewPassword) => ann.iam.changePassword({ OldPassword, NewPassword });
    await fails(change('First-passw0rd', 'Second-passw0rd'), 'AccessDenied', /is not authorized to perform: iam:ChangePassword on resource: (arn:aws:iam::222222222222:user\/ann|user ann) because no identity-based policy allows/);
    await root.updateAccountPasswordPolicy({ AllowUsersToChangePassword: true, MinimumPasswordLength: 10 });
    assert.equal((await ann.iam.getAccountPasswordPolicy()).PasswordPolicy.MinimumPasswordLength, 10);
    await fails(change('Wrong-passw0rd', 'Second-passw0rd'), 'AccessDenied', 'The old password was incorrect.');
    await fails(change('First-passw0rd', 'short'), 'PasswordPolicyViolationException', 'Password should have a minimum length of 10');
    await change('First-passw0rd', 'Second-passw0rd');
    assert.equal((await root.getLoginProfile({ UserName: 'ann' })).LoginProfile.PasswordResetRequired, false);
    await fails(change('First-passw0rd', 'Third-passw0rd'), 'AccessDenied', 'The old password was incorrect.');
    await fails(ann.iam.getUser(), 'AccessDenied'); // and nothing else
    await root.putUserPermissionsBoundary({ UserName: 'ann', PermissionsBoundary: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' });
    await fails(change('Second-passw0rd', 'Third-passw0rd'), 'AccessDenied', /no permissions boundary allows the iam:ChangePassword action/);
    await root.deleteUserPermissionsBoundary({ UserName: 'ann' });
    await root.putUserPolicy({ UserName: 'ann', PolicyName: 'no', PolicyDocument: allow('iam:ChangePassword').replace('Allow', 'Deny') });
    await fails(change('Second-passw0rd', 'Third-passw0rd'), 'AccessDenied', /explicit deny/);
    await root.deleteUserPolicy({ UserName: 'ann', PolicyName: 'no' });
    await fails(root.changePassword({ OldPassword: 'x', NewPassword: 'y' }), 'InvalidUserTypeException');
    await clock({ advance_s: 0, stand: true }); // the wait is a second, the machine may be slow
    for (let i = 0; i < 5; i++) await change('Wrong-passw0rd', 'Third-passw0rd').catch(() => {});
    await fails(change('Second-passw0rd', 'Third-passw0rd'), 'EntityTemporarilyUnmodifiableException');
    await clock({ advance_s: 60 });
    await change('Second-passw0rd', 'Third-passw0rd');
    const none = await user('none', 'iam:ChangePassword', root);
    await fails(none.iam.changePassword({ OldPassword: 'x', NewPassword: 'y' }), 'NoSuchEntityException', 'Login Profile for User none cannot be found.');
    assert.doesNotMatch(server.log(), /passw0rd/, 'no password in the log');
});

test('access keys: two a user, told when and where they were used, gone at once on both planes', async () => {
    const one = await api(server, { 'GET /mine': { method: { authorizationType: 'AWS_IAM' } } });
    const kim = await user('kim', ['execute-api:*', 'iam:ListUsers']);
    const second = (await iam.createAccessKey({ UserName: 'kim' })).AccessKey;
    await fails(iam.createAccessKey({ UserName: 'kim' }), 'LimitExceededException', 'Cannot exceed quota for AccessKeysPerUser: 2');
    const used = async (id = kim.keyId) => (await iam.getAccessKeyLastUsed({ AccessKeyId: id }));
    assert.deepEqual([(await used()).UserName, (await used()).AccessKeyLastUsed], ['kim', { ServiceName: 'N/A', Region: 'N/A' }]);
    const before_ = await clock({ advance_s: 0 });
    await kim.iam.listUsers();
    const first = (await used()).AccessKeyLastUsed;
    assert.deepEqual([first.ServiceName, first.Region], ['iam', 'us-east-1']);
    assert.ok(Math.abs(first.LastUsedDate - before_) < 5000);
    await kim.iam.listRoles().catch(() => {}); // refused ones are uses, too
    await clock({ advance_s: 100 });
    const get = (credentials) => signed(`${one.url}/mine`, credentials);
    assert.equal((await get(kim.credentials)).status, 200);
    const at = (await used()).AccessKeyLastUsed;
    assert.deepEqual([at.ServiceName, at.Region], ['execute-api', 'us-east-1']);
    assert.ok(at.LastUsedDate - first.LastUsedDate >= 100000);
    assert.equal((await used(second.AccessKeyId)).AccessKeyLastUsed.LastUsedDate, undefined);

    const lee = await user('lee', null), mine = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'iam:GetAccessKeyLastUsed', Resource: 'arn:aws:iam::*:user/${aws:username}' } });
    await iam.putUserPolicy({ UserName: 'lee', PolicyName: 'mine', PolicyDocument: mine });
    assert.equal((await lee.iam.getAccessKeyLastUsed({ AccessKeyId: lee.keyId })).UserName, 'lee');
    await fails(lee.iam.getAccessKeyLastUsed({ AccessKeyId: kim.keyId }), 'AccessDenied', /not authorized to perform: iam:GetAccessKeyLastUsed on resource: arn:aws:iam::\d+:user\/kim because/);

    const name = { UserName: 'kim', AccessKeyId: kim.keyId };
    await fails(iam.updateAccessKey({ ...name, Status: 'Expired' }), 'InvalidInputException');
    await iam.updateAccessKey({ ...name, Status: 'Inactive' });
    assert.equal((await get(kim.credentials)).status, 403);
    await fails(kim.iam.listUsers(), 'InvalidClientTokenId');
    await iam.updateAccessKey({ ...name, Status: 'Active' });
    assert.equal((await get(kim.credentials)).status, 200);
    await iam.deleteAccessKey(name);
    assert.equal((await get(kim.credentials)).status, 403);
    await fails(kim.iam.listUsers(), 'InvalidClientTokenId');
    await fails(used(), 'NoSuchEntityException', `The Access Key with id ${kim.keyId} cannot be found.`);
    await fails(iam.deleteAccessKey(name), 'NoSuchEntityException');
    await fails(inAccount('333333333333').getAccessKeyLastUsed({ AccessKeyId: second.AccessKeyId }), 'NoSuchEntityException');
});

test('what AWS recorded of access keys', async () => {
    const recorded = JSON.parse(fs.readFileSync(path.join(vectors, 'aws-recorded/replay/iam__resource_providers__test_iam.json'), 'utf8'));
    const steps = recorded.test_iam_user_access_key.steps, compare = new Comparison(account);
    const first = async () => (await iam.listAccessKeys({ UserName: 'recorded' })).AccessKeyMetadata[0];
    await iam.createUser({ UserName: 'recorded' });
    const made = (await iam.createAccessKey({ UserName: 'recorded' })).AccessKey;
    assert.deepEqual(compare.differences(steps[0].expected_parts[0].expected, made), []);
    const text = (one) => ({ ...one, CreateDate: one.CreateDate.toISOString() });
    assert.deepEqual(compare.differences(steps[1].expected_parts[0].expected, text(await first())), []);
    const next = (await iam.createAccessKey({ UserName: 'recorded' })).AccessKey; // another Serial: another key
    await iam.deleteAccessKey({ UserName: 'recorded', AccessKeyId: made.AccessKeyId });
    await iam.updateAccessKey({ UserName: 'recorded', AccessKeyId: next.AccessKeyId, Status: 'Inactive' });
    assert.deepEqual(compare.differences(steps[3].expected_parts[0].expected, text(await first())), []);
});

test('the credential report', async () => {
    const root = inAccount('444444444444');
    await fails(root.getCredentialReport(), 'CredentialReportNotPresentException');
    const ann = await user('ann', 'iam:*', root);
    await root.createUser({ UserName: 'Bob,the.builder' });
    await root.createLoginProfile({ UserName: 'Bob,the.builder', Password: 'Some-passw0rd' });
    await root.updateAccountPasswordPolicy({ MaxPasswordAge: 10 });
    const { VirtualMFADevice: device } = await root.createVirtualMFADevice({ VirtualMFADeviceName: 'm' });
    const now = await nextStep(server), seed = Buffer.from(device.Base32StringSeed).toString();
    await root.enableMFADevice({ UserName: 'ann', SerialNumber: device.SerialNumber, AuthenticationCode1: totp(seed, now - 30), AuthenticationCode2: totp(seed, now) });
    await root.createAccessKey({ UserName: 'ann' }).then(({ AccessKey }) => root.updateAccessKey({ UserName: 'ann', AccessKeyId: AccessKey.AccessKeyId, Status: 'Inactive' }));
    await ann.iam.listUsers();
    const begun = await root.generateCredentialReport();
    assert.deepEqual([begun.State, begun.Description], ['STARTED', 'No report exists. Starting a new report generation task']);
    const again = await eventually('the report', async () => { const r = await root.generateCredentialReport(); return r.State === 'COMPLETE' && r; });
    assert.equal(again.Description, undefined);
    const report = await root.getCredentialReport();
    assert.equal(report.ReportFormat, 'text/csv');
    const text = Buffer.from(report.Content).toString(), [header, ...rows] = text.split('\n');
    assert.equal(header, 'user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,'
        + [1, 2].map((n) => `access_key_${n}_active,access_key_${n}_last_rotated,access_key_${n}_last_used_date,access_key_${n}_last_used_region,access_key_${n}_last_used_service`).join(',')
        + ',cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated');
    const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
    const cells = rows.map((row) => row.match(/"[^"]*"|[^,]+/g));
    assert.deepEqual(cells.map((row) => [row.length, row[0]]), [[22, '<root_account>'], [22, 'ann'], [22, '"Bob,the.builder"']]);
    const [rootRow, annRow, bobRow] = cells;
    assert.deepEqual([rootRow[1], ...rootRow.slice(3, 8)], ['arn:aws:iam::444444444444:root', 'not_supported', 'no_information', 'not_supported', 'not_supported', 'false']);
    assert.deepEqual(annRow.slice(3, 8), ['false', 'N/A', 'N/A', 'N/A', 'true']);
    const keys = [annRow.slice(8, 13), annRow.slice(13, 18)].sort((a) => (a[0] === 'true' ? -1 : 1));
    assert.deepEqual([keys[0][0], keys[0][3], keys[0][4]], ['true', 'us-east-1', 'iam']);
    for (const cell of [annRow[2], keys[0][1], keys[0][2], keys[1][1], bobRow[5], bobRow[6]]) assert.match(cell, date);
    assert.deepEqual([keys[1][0], ...keys[1].slice(2)], ['false', 'N/A', 'N/A', 'N/A']);
    assert.deepEqual(bobRow.slice(3, 5), ['true', 'no_information']);
    assert.equal(new Date(bobRow[6]) - new Date(bobRow[5]), 10 * 86400000);
    assert.deepEqual(bobRow.slice(18), ['false', 'N/A', 'false', 'N/A']);
    await root.createUser({ UserName: 'later' });
    assert.equal(Buffer.from((await root.getCredentialReport()).Content).toString(), text, 'a report does not change');
    await clock({ advance_s: 4 * 3600 + 60 });
    await fails(root.getCredentialReport(), 'CredentialReportExpiredException');
    assert.equal((await root.generateCredentialReport()).State, 'STARTED');
    assert.match(Buffer.from((await root.getCredentialReport()).Content).toString(), /\nlater,/);
    await clock({ advance_s: -4 * 3600 });
});

test('many ask for the report at once: one makes it', async () => {
    const root = inAccount('555555555555');
    const states = (await Promise.all(Array.from({ length: 8 }, () => root.generateCredentialReport()))).map((r) => r.State);
    assert.equal(states.filter((state) => state === 'STARTED').length, 1, states.join());
    await eventually('the report', async () => (await root.generateCredentialReport()).State === 'COMPLETE');
});

test('service-specific credentials: of a user, of all users, in pages', async () => {
    const root = inAccount('777777777777'), git = 'codecommit.amazonaws.com', keyspaces = 'cassandra.amazonaws.com';
    for (const UserName of ['s1', 's2']) {
        await root.createUser({ UserName });
        for (const ServiceName of [git, keyspaces]) await root.createServiceSpecificCredential({ UserName, ServiceName });
    }
    const list = async (params) => {
        const names = [];
        let Marker, pages = 0;
        do {
            const page = await root.listServiceSpecificCredentials({ ...params, Marker });
            names.push(...page.ServiceSpecificCredentials.map((one) => `${one.UserName} ${one.ServiceName}`));
            assert.equal(page.IsTruncated, page.Marker !== undefined);
            Marker = page.Marker;
            pages++;
        } while (Marker);
        return [pages, names.sort()];
    };
    assert.deepEqual(await list({ UserName: 's1' }), [1, [`s1 ${keyspaces}`, `s1 ${git}`]]);
    assert.deepEqual(await list({ AllUsers: true, ServiceName: git, MaxItems: 1 }), [2, [`s1 ${git}`, `s2 ${git}`]]);
    assert.deepEqual(await list({ AllUsers: true, MaxItems: 3 }), [2, [`s1 ${keyspaces}`, `s1 ${git}`, `s2 ${keyspaces}`, `s2 ${git}`]]);
    await fails(root.listServiceSpecificCredentials({ AllUsers: true, UserName: 's1' }), 'ValidationError', 'AllUsers cannot be specified together with UserName.');
    const id = (await root.listServiceSpecificCredentials({ UserName: 's1' })).ServiceSpecificCredentials[0].ServiceSpecificCredentialId;
    await fails(root.updateServiceSpecificCredential({ UserName: 's1', ServiceSpecificCredentialId: id, Status: 'Expired' }), 'InvalidInputException');
});

test('a user goes when nothing hangs on it any more', async () => {
    const name = { UserName: 'tied' };
    const tied = await user('tied');
    await iam.createGroup({ GroupName: 'g' });
    await iam.addUserToGroup({ ...name, GroupName: 'g' });
    await iam.createLoginProfile({ ...name, Password: 'Some-passw0rd' });
    const { VirtualMFADevice: device } = await iam.createVirtualMFADevice({ VirtualMFADeviceName: 'tied' });
    const now = await nextStep(server), seed = Buffer.from(device.Base32StringSeed).toString();
    await iam.enableMFADevice({ ...name, SerialNumber: device.SerialNumber, AuthenticationCode1: totp(seed, now - 30), AuthenticationCode2: totp(seed, now) });
    const SSHPublicKeyBody = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' });
    const { SSHPublicKeyId } = (await iam.uploadSSHPublicKey({ ...name, SSHPublicKeyBody })).SSHPublicKey;
    const steps = [
        ['delete policies', () => iam.deleteUserPolicy({ ...name, PolicyName: 'p' })],
        ['delete access keys', () => iam.deleteAccessKey({ ...name, AccessKeyId: tied.keyId })],
        ['delete login profile', () => iam.deleteLoginProfile(name)],
        ['delete MFA device', () => iam.deactivateMFADevice({ ...name, SerialNumber: device.SerialNumber })],
        ['remove user from group(s)', () => iam.removeUserFromGroup({ ...name, GroupName: 'g' })],
        ['remove referenced objects', () => iam.deleteSSHPublicKey({ ...name, SSHPublicKeyId })],
    ];
    for (const [first, undo] of steps) {
        await fails(iam.deleteUser(name), 'DeleteConflictException', `Cannot delete entity, must ${first} first.`);
        await undo();
    }
    await iam.deleteUser(name);
});

test('bad input', async () => {
    await iam.createUser({ UserName: 'bad' });
    const rows = [
        ['createLoginProfile', { UserName: 'bad' }, /^1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null$/],
        ['createLoginProfile', { UserName: 'bad', Password: 'x'.repeat(129) }, /at 'password' failed to satisfy constraint: Member must have length less than or equal to 128/],
        ['createLoginProfile', { UserName: 'bad', Password: 'caf\u0001' }, /at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern/],
        ['createLoginProfile', { UserName: 'u'.repeat(65), Password: 'Some-passw0rd' }, /at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64/],
        ['createLoginProfile', { Password: 'Some-passw0rd' }, /^Must specify userName when calling with non-User credentials$/],
        ['updateAccountPasswordPolicy', { MinimumPasswordLength: 129 }, /'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to 128/],
        ['updateAccountPasswordPolicy', { MinimumPasswordLength: 5 }, /'minimumPasswordLength' failed to satisfy constraint: Member must have value greater than or equal to 6/],
        ['updateAccountPasswordPolicy', { PasswordReusePrevention: 25, MaxPasswordAge: 1096 }, /^2 validation errors detected: .*(maxPasswordAge|passwordReusePrevention).*; .*/],
        ['uploadSSHPublicKey', { UserName: 'bad', SSHPublicKeyBody: 'x'.repeat(16385) }, /at 'sSHPublicKeyBody' failed|at 'SSHPublicKeyBody' failed|KeyBody' failed to satisfy constraint: Member must have length less than or equal to 16384/],
        ['getSSHPublicKey', { UserName: 'bad', SSHPublicKeyId: 'APKAAAAAAAAAAAAAAAAA', Encoding: 'DER' }, /'encoding' failed to satisfy constraint: Member must satisfy enum value set/],
        ['updateSigningCertificate', { UserName: 'bad', CertificateId: 'short', Status: 'Active' }, /'certificateId' failed to satisfy constraint: Member must have length greater than or equal to 24/],
        ['updateAccessKey', { UserName: 'bad', AccessKeyId: 'AKIA', Status: 'Active' }, /'accessKeyId' failed to satisfy constraint: Member must have length greater than or equal to 16/],
        ['updateAccessKey', { UserName: 'bad', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', Status: 'On' }, /at 'status' failed to satisfy constraint: Member must satisfy enum value set/],
        ['listServerCertificates', { PathPrefix: 'x' }, /'pathPrefix' failed to satisfy constraint/],
        ['listSigningCertificates', { UserName: 'bad', Marker: '!' }, /^Invalid Marker\.$/],
    ];
    for (const [operation, params, message] of rows)
        await assert.rejects(iam[operation](params), (error) => {
            assert.match(error.message, message, `${operation} ${JSON.stringify(params).slice(0, 80)}`);
            if (params.Password) assert.ok(!error.message.includes(params.Password), 'a password is not repeated');
            return error.name === 'ValidationError';
        });
    const answer = await server.fetch('/', { method: 'POST', body: 'Action=UpdateAccountPasswordPolicy&Version=2010-05-08&RequireSymbols=maybe', headers: {
        'content-type': 'application/x-www-form-urlencoded', authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0' } });
    assert.equal(answer.status, 400, 'a boolean that is none');
});

test('no password and no secret lies open on disk, after all this', async () => {
    await server.stop();
    const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? walk(path.join(folder, one.name)) : [path.join(folder, one.name)]));
    const secrets = ['passw0rd', 'abcdefghijk!', 'fourth-one-4', ...issued];
    assert.ok(issued.length > 3);
    for (const file of [...walk(server.data), server.logFile]) {
        const bytes = fs.readFileSync(file);
        for (const secret of secrets) assert.ok(!bytes.includes(secret), `${secret} lies open in ${file}`);
    }
});
