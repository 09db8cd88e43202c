// Users of Keycloak, Auth0, Firebase, Cognito and files of ours come in with their password hashes; the first right password
// makes them ours.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { binary, run, scratch, start } from './support/harness.mjs';
import { beside, poolOf, refused, signIn, srpSignIn } from './support/people.mjs';

const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'; // U*U
const ARGON2 = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'; // password
const pbkdf2 = (password, digest, n) => ({
    type: 'password',
    secretData: JSON.stringify({ value: crypto.pbkdf2Sync(password, 'salt-and-pepper', n, 64, digest).toString('base64'), salt: Buffer.from('salt-and-pepper').toString('base64'), additionalParameters: {} }),
    credentialData: JSON.stringify({ hashIterations: n, algorithm: digest === 'sha1' ? 'pbkdf2' : `pbkdf2-${digest}`, additionalParameters: {} }),
});

async function importing(t, pool = {}) {
    const s = await poolOf(await start(t), {
        pool: { Schema: [{ Name: 'source_id', AttributeDataType: 'String', Mutable: true, StringAttributeConstraints: {} }, { Name: 'team', AttributeDataType: 'String', Mutable: true, StringAttributeConstraints: {} }], ...pool },
    });
    const folder = scratch(t);
    const write = (name, content) => {
        fs.writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
        return path.join(folder, name);
    };
    const bring = (...args) => run(binary(), ['pool', 'import-users', s.poolId, ...args], { env: { AWS_ENDPOINT_URL: s.server.url } });
    const show = async (Username) => {
        const user = await s.api.adminGetUser({ UserPoolId: s.poolId, Username });
        return { ...Object.fromEntries(user.UserAttributes.map((a) => [a.Name, a.Value])), status: user.UserStatus, enabled: user.Enabled, created: user.UserCreateDate.getTime(), mfa: user.UserMFASettingList };
    };
    return { s, write, bring, show };
}

// Password sign-in works at once and makes the verifier; SRP before it answers like for a wrong password.
async function becomesOurs(s, name, password) {
    await refused(srpSignIn(s, name, password), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(signIn(s, name, `${password}x`), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(srpSignIn(s, name, password), 'NotAuthorizedException');
    await signIn(s, name, password);
    await srpSignIn(s, name, password);
    await signIn(s, name, password);
}

test('Keycloak: a realm\'s export', async (t) => {
    const { s, write, bring, show } = await importing(t);
    const id = crypto.randomUUID(), secret = crypto.randomBytes(20).toString('hex');
    const realm = write('realm.json', {
        id: 'x', realm: 'shop', groups: [{ name: 'users' }], 'note "users": [': '}]', clients: [{ users: [{ username: 'not this one' }] }],
        users: [
            { id, username: 'ada', email: 'ada@example.org', emailVerified: true, firstName: 'Ada', lastName: 'Lovelace', enabled: true, createdTimestamp: 1600000000000,
                attributes: { team: ['engines'], locale: ['en'], shoe: ['38'] }, groups: ['/admins'], realmRoles: ['x'],
                credentials: [pbkdf2('Ada-1815!', 'sha256', 27500), { type: 'otp', secretData: JSON.stringify({ value: secret }), credentialData: JSON.stringify({ subType: 'totp', digits: 6, period: 30, algorithm: 'HmacSHA1' }) }] },
            { username: 'alan"}', enabled: false, credentials: [pbkdf2('Alan-1912!', 'sha512', 1000)] },
            { username: 'grace', requiredActions: ['UPDATE_PASSWORD'], credentials: [pbkdf2('x', 'sha1', 1000)] },
            { username: 'with space' },
            { username: 'bad', credentials: [{ type: 'password', secretData: '{"value":"AA==","salt":"AA=="}', credentialData: '{"algorithm":"md5","hashIterations":1}' }] },
            { username: 'costly', credentials: [{ ...pbkdf2('x', 'sha1', 1), credentialData: '{"algorithm":"pbkdf2","hashIterations":2000000000}' }] },
        ],
    });
    const dry = await bring(realm, '--from', 'keycloak', '--dry-run', '--create-groups');
    assert.deepEqual([dry.code, dry.stdout.split('\n')[0]], [2, 'would be created 3, there already 0, problems 3'], dry.stderr);
    assert.deepEqual((await s.api.listUsers({ UserPoolId: s.poolId })).Users, [], 'a dry run changes nothing');
    assert.deepEqual((await s.api.listGroups({ UserPoolId: s.poolId })).Groups, []);
    assert.match((await bring(realm, '--from', 'keycloak')).stderr, /ada: there is no group admins/);
    const made = await bring(realm, '--from', 'keycloak', '--create-groups');
    assert.equal(made.stdout.split('\n')[0], 'created 1, there already 2, problems 3', 'the others came before');
    assert.match(made.stderr, /realm\.json:\d+: bad: Keycloak's algorithm md5 is not known here/);
    assert.match(made.stderr, /with space: this is no username as Cognito takes them/);
    assert.match(made.stderr, /costly: the hash's number of iterations is 2000000000, and at most 5000000 is taken/);
    assert.match(made.stdout, /not in the pool's schema: shoe \(1 users\)/);
    const ada = await show('ada');
    assert.deepEqual(ada, {
        sub: id, email: 'ada@example.org', email_verified: 'true', given_name: 'Ada', family_name: 'Lovelace', locale: 'en', 'custom:team': 'engines', 'custom:source_id': id,
        status: 'CONFIRMED', enabled: true, created: 1600000000000, mfa: ['SOFTWARE_TOKEN_MFA'],
    });
    assert.deepEqual((await s.api.adminListGroupsForUser({ UserPoolId: s.poolId, Username: 'ada' })).Groups.map((g) => g.GroupName), ['admins']);
    await becomesOurs(s, 'ada', 'Ada-1815!');
    assert.equal((await show('alan"}')).enabled, false);
    await s.api.adminEnableUser({ UserPoolId: s.poolId, Username: 'alan"}' });
    await becomesOurs(s, 'alan"}', 'Alan-1912!');
    await refused(signIn(s, 'grace', 'x'), 'PasswordResetRequiredException');
    const again = await bring(realm, '--from', 'keycloak');
    assert.equal(again.stdout.split('\n')[0], 'created 0, there already 3, problems 3', 'a renewed password is the same person\'s');
});

test('Auth0, Firebase, Cognito, and a file of ours', async (t) => {
    const { s, write, bring, show } = await importing(t, { UsernameAttributes: ['email'] });
    const auth0 = write('auth0.ndjson', [
        { _id: { $oid: '5f1a' }, email: 'one@example.org', email_verified: true, passwordHash: BCRYPT, nickname: 'one', tenant: 'x', created_at: '2020-01-02T03:04:05.000Z' },
        { user_id: 'auth0|2', email: 'two@example.org', custom_password_hash: { algorithm: 'argon2', hash: { value: ARGON2 } } },
        { user_id: 'auth0|3', email: 'three@example.org', custom_password_hash: { algorithm: 'md5', hash: { value: 'x' } } },
        { user_id: 'auth0|4' },
    ].map((one) => JSON.stringify(one)).join('\n'));
    const one = await bring(auth0, '--from', 'auth0');
    assert.equal(one.stdout.split('\n')[0], 'created 2, there already 0, problems 2', one.stderr);
    assert.match(one.stderr, /auth0\.ndjson:3: custom_password_hash has an algorithm|auth0\.ndjson:3: .*custom_password_hash/);
    assert.match(one.stderr, /auth0\.ndjson:4: auth0\|4: Username should be an email/);
    assert.equal((await show('one@example.org'))['custom:source_id'], '5f1a');
    await becomesOurs(s, 'one@example.org', 'U*U');
    await becomesOurs(s, 'two@example.org', 'password');

    const parameters = write('parameters.json', { hash_config: { algorithm: 'SCRYPT', base64_signer_key: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==', base64_salt_separator: 'Bw==', rounds: 8, mem_cost: 14 } });
    const firebase = write('firebase.json', { users: [
        { localId: 'NRtgYb', email: 'fire@example.org', emailVerified: true, displayName: 'Fire', passwordHash: 'lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==', salt: '42xEC-ixf3L2lw==', createdAt: '1500000000000' },
        { localId: 'phone', phoneNumber: '+358401234567' },
    ] });
    assert.match((await bring(firebase, '--from', 'firebase')).stderr, /hash parameters are missing/);
    const two = await bring(firebase, '--from', 'firebase', '--hash-parameters', parameters);
    assert.equal(two.stdout.split('\n')[0], 'created 1, there already 0, problems 1', two.stderr);
    assert.equal((await show('fire@example.org')).created, 1500000000000);
    await becomesOurs(s, 'fire@example.org', 'user1password');

    const sub = crypto.randomUUID();
    const listed = write('users.json', { Users: [{ Username: sub, Attributes: [{ Name: 'sub', Value: sub }, { Name: 'email', Value: 'aws@example.org' }, { Name: 'email_verified', Value: 'true' }], Enabled: true, UserStatus: 'CONFIRMED', UserCreateDate: '2021-01-01T00:00:00Z' }, { Username: 'Google_1', UserStatus: 'EXTERNAL_PROVIDER', Attributes: [] }] });
    const three = await bring(listed, '--from', 'cognito');
    assert.equal(three.stdout.split('\n')[0], 'created 1, there already 0, problems 1', three.stderr);
    const aws = await show('aws@example.org');
    assert.deepEqual([aws.sub, aws.status], [sub, 'RESET_REQUIRED']);

    const lines = [
        { username: 'ours@example.org', attributes: { email: 'ours@example.org', name: 'O' }, passwordHash: BCRYPT, totpSecret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' },
        { username: 'ours@example.org', attributes: { email: 'ours@example.org', name: 'Other' } },
        { username: 'taken@example.org', sub },
        { username: 'x@example.org', sub: 'not-a-uuid' },
        { username: 'x@example.org', passwordHash: 'Passw0rd!' },
        { username: 'x@example.org', status: 'DEAD' },
        { username: 'x@example.org', attributes: { email: 'no address' } },
        { username: 'x@example.org', totpSecret: '1' },
        {}, [],
    ].map((line) => JSON.stringify(line));
    const ours = write('ours.jsonl', [...lines, '{"username":', ''].join('\n').replace('[]\n', ''));
    const four = await bring(ours);
    assert.match(four.stdout, /^created 1, there already 0/);
    assert.deepEqual(four.code, 1, 'a file that ends in the middle');
    assert.match(four.stderr, /:2: ours@example\.org: An account with the given email already exists/);
    assert.match(four.stderr, /:3: taken@example\.org: the sub is another user's/);
    for (const [line, why] of [[4, 'sub is not a UUID'], [5, 'no kind of password hash'], [6, 'status is one of'], [7, 'Invalid email'], [8, 'not base32'], [9, 'neither a username nor']])
        assert.match(four.stderr, new RegExp(`ours\\.jsonl:${line}: .*${why}`), four.stderr);
    assert.ok(!four.stderr.includes('Passw0rd'), 'no value of a record but its name');
    assert.deepEqual((await show('ours@example.org')).mfa, ['SOFTWARE_TOKEN_MFA']);
    await becomesOurs(s, 'ours@example.org', 'U*U');
    assert.equal((await bring(write('array.json', [{ username: 'a@example.org' }, { username: 'b@example.org' }]))).stdout.split('\n')[0], 'created 2, there already 0, problems 0');

    for (const args of [[ours, '--from', 'ldap'], ['/nowhere'], [ours, '--hash-parameters', auth0], [ours, '--dry'], []]) assert.equal((await bring(...args)).code, 1, String(args));
    const wrong = [[{}, /from is one of/], [{ from: 'jsonl' }, /records is an array/], [{ from: 'jsonl', records: Array(1001).fill([1, {}]) }, /at most 1000/], ['[', /from is one of/]];
    for (const [body, message] of wrong) assert.match((await beside(s.server, `${s.poolId}/import-users`, body))[1].message, message);
    assert.equal((await beside(s.server, `${s.poolId}/import-users`, { from: 'jsonl', records: [1, [], [1], ['x', 7], [1, null]] }))[1].problems.length, 5);
});

test('thousands of users, broken off and begun again', async (t) => {
    const { s, write, bring } = await importing(t, { AliasAttributes: ['email'] });
    const line = (i) => JSON.stringify({ username: `user${i}`, attributes: { email: `user${i}@example.org`, email_verified: 'true' }, passwordHash: BCRYPT });
    const all = write('all.jsonl', Array.from({ length: 3000 }, (_, i) => line(i)).join('\n'));
    const some = write('some.jsonl', Array.from({ length: 1700 }, (_, i) => line(i)).join('\n'));
    assert.equal((await bring(some)).stdout, 'created 1700, there already 0, problems 0\n');
    assert.equal((await bring(all)).stdout, 'created 1300, there already 1700, problems 0\n');
    assert.equal((await bring(all)).stdout, 'created 0, there already 3000, problems 0\n');
    await signIn(s, 'user2999@example.org', 'U*U');
    const cli = (...args) => run(binary(), ['pool', 'users', s.poolId, ...args], { env: { AWS_ENDPOINT_URL: s.server.url } });
    assert.equal((await cli('email.prefix=user29')).stdout.trim().split('\n').length, 111);
    assert.match((await cli('email.prefix=user29', '--do', 'disable')).stdout, /would be done to 111 users/);
    assert.match((await cli('email.prefix=user29', '--do', 'disable', '--apply')).stdout, /111 of 111 changed/);
    assert.match((await cli('enabled=false', '--sort', '-email')).stdout, /^user29 /);
    assert.equal((await cli('--what')).code, 1);
    assert.match((await cli('--do', 'delete')).stderr, /"all": true/);
});
