// A whole pool in one file under a passphrase: exported, altered, imported on another server, as a new one, over an old one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import crypto from 'node:crypto';
import * as iam from '@aws-sdk/client-iam';

import { binary, rootKey, run, scratch, start } from './support/harness.mjs';
import { addUser, api, attributes, beside, poolOf, refused, signIn, srpSignIn, PASSWORD } from './support/people.mjs';
import { signed } from './support/sign.mjs';

const PASSPHRASE = 'correct horse battery';
const pool = (server, args, passphrase = PASSPHRASE) => run(binary(), ['pool', ...args], { env: { AWS_ENDPOINT_URL: server.url, GATEHOUSE_PASSPHRASE: passphrase } });

// What the outside calls both servers: tokens of the one are good at the other.
const args = ['--base-url', 'http://pools.example'];

async function shop(t) {
    const s = await poolOf(await start(t, { args }), {
        pool: {
            PoolName: 'shop', Schema: [{ Name: 'level', AttributeDataType: 'Number', Mutable: true }], AliasAttributes: ['email'],
            UserPoolTags: { stage: 'prod' },
        },
        client: { GenerateSecret: true },
    });
    await addUser(s, 'ada', { email: 'ada@example.org', email_verified: 'true', 'custom:level': '9' });
    await addUser(s, 'alan', { email: 'alan@example.org' }, null);
    await s.api.createGroup({ UserPoolId: s.poolId, GroupName: 'admins', Precedence: 3, Description: 'Who may' });
    await s.api.adminAddUserToGroup({ UserPoolId: s.poolId, GroupName: 'admins', Username: 'ada' });
    const { UserPoolClient } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'open', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await beside(s.server, `${s.poolId}/options`, { lockoutMaxSeconds: 60 }, 'PUT');
    return { ...s, open: UserPoolClient.ClientId };
}

const hash = (s, name) => crypto.createHmac('sha256', s.secret).update(name + s.clientId).digest('base64');

test('a pool goes to another server with everything in it', async (t) => {
    const old = await shop(t), file = path.join(scratch(t), 'shop.export');
    const tokens = (await signIn(old, 'ada', PASSWORD, { SECRET_HASH: hash(old, 'ada') })).AuthenticationResult;
    const was = await old.api.adminGetUser({ UserPoolId: old.poolId, Username: 'ada' });
    const describe = async (calls) => (await calls.describeUserPool({ UserPoolId: old.poolId })).UserPool;
    const before = await describe(old.api);
    const client = async (calls) => (await calls.describeUserPoolClient({ UserPoolId: old.poolId, ClientId: old.clientId })).UserPoolClient;
    const clientWas = await client(old.api);

    const made = await pool(old.server, ['export', 'shop', file, '--with-keys']);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const bytes = fs.readFileSync(file), text = bytes.toString('latin1');
    for (const secret of [PASSPHRASE, 'ada', 'lockoutMaxSeconds', old.secret, old.poolId]) assert.ok(!text.includes(secret), secret);

    // Another data folder, another key file.
    const server = await start(t, { args, stocked: false }), calls = api(server);
    const came = await pool(server, ['import', file]);
    assert.equal(came.code, 0, came.stderr);
    assert.match(came.stdout, new RegExp(`^pool +${old.poolId}$`, 'm'));
    const s = { ...old, server, api: calls };
    assert.deepEqual(await describe(calls), before);
    assert.deepEqual(await client(calls), clientWas);
    const now = await calls.adminGetUser({ UserPoolId: s.poolId, Username: 'ada' });
    delete was.$metadata, delete now.$metadata;
    assert.deepEqual(now, was, 'the same sub, attributes, dates');
    assert.deepEqual((await calls.adminListGroupsForUser({ UserPoolId: s.poolId, Username: 'ada' })).Groups.map((g) => [g.GroupName, g.Precedence, g.Description]), [['admins', 3, 'Who may']]);
    assert.deepEqual((await beside(server, `${s.poolId}/options`))[1], { lockoutMaxSeconds: 60 });
    assert.equal((await calls.listUsers({ UserPoolId: s.poolId, Filter: 'email = "alan@example.org"' })).Users.length, 1);

    // SRP needs the verifier, a password its hash, the secret hash the client's secret, the alias its row.
    await srpSignIn({ ...s, clientId: s.open }, 'ada');
    await signIn({ ...s, clientId: s.open }, 'ada@example.org');
    await signIn(s, 'ada', PASSWORD, { SECRET_HASH: hash(s, 'ada') });
    await refused(signIn({ ...s, clientId: s.open }, 'ada', 'Wrong-1843!'), 'NotAuthorizedException');
    const jwks = async (from) => (await from.fetch(`/${s.poolId}/.well-known/jwks.json`)).json();
    assert.deepEqual(await jwks(server), await jwks(old.server), 'the signing keys came along');
    assert.equal((await calls.getUser({ AccessToken: tokens.AccessToken })).Username, 'ada', 'and so old tokens stay good');
    await refused(calls.initiateAuth({ ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken, SECRET_HASH: hash(s, 'ada') } }), 'NotAuthorizedException', 'Invalid Refresh Token');
    await server.restart();
    await srpSignIn({ ...s, clientId: s.open }, 'ada');

    // The same again is refused; over the old one only when told.
    const twice = await pool(server, ['import', file]);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /is there already: replace it, or import it as a new one/);
    await addUser(s, 'late', { email: 'late@example.org' });
    await calls.updateUserPool({ UserPoolId: s.poolId, DeletionProtection: 'ACTIVE' });
    assert.match((await pool(server, ['import', file, '--replace'])).stderr, /deletion protection/);
    await calls.updateUserPool({ UserPoolId: s.poolId, DeletionProtection: 'INACTIVE' });
    const over = await pool(server, ['import', file, '--replace']);
    assert.equal(over.code, 0, over.stderr);
    await refused(calls.adminGetUser({ UserPoolId: s.poolId, Username: 'late' }), 'UserNotFoundException');
    await srpSignIn({ ...s, clientId: s.open }, 'ada');
});

test('as a new pool: other ids, own keys, SRP after the first password', async (t) => {
    const old = await shop(t), file = path.join(scratch(t), 'shop.export');
    assert.equal((await pool(old.server, ['export', old.poolId, file])).code, 0);
    const came = await pool(old.server, ['import', file, '--as-new']);
    assert.equal(came.code, 0, came.stderr);
    const poolId = /^pool +(\S+)$/m.exec(came.stdout)[1], clientId = new RegExp(`^client +${old.open} is now (\\S+)$`, 'm').exec(came.stdout)[1];
    assert.notEqual(poolId, old.poolId);
    const s = { ...old, poolId, clientId };
    const { UserPool } = await s.api.describeUserPool({ UserPoolId: poolId });
    assert.equal(UserPool.Id, poolId);
    assert.ok(UserPool.Arn.endsWith(`userpool/${poolId}`));
    const { UserPoolClient } = await s.api.describeUserPoolClient({ UserPoolId: poolId, ClientId: clientId });
    assert.deepEqual([UserPoolClient.ClientId, UserPoolClient.UserPoolId], [clientId, poolId]);
    await refused(srpSignIn(s, 'ada'), 'NotAuthorizedException', 'Incorrect username or password.');
    await signIn(s, 'ada');
    await srpSignIn(s, 'ada');
    await srpSignIn({ ...old, clientId: old.open }, 'ada');
    const keys = async (id) => (await (await old.server.fetch(`/${id}/.well-known/jwks.json`)).json()).keys.map((k) => k.kid);
    const [theirs, ours] = [await keys(old.poolId), await keys(poolId)];
    assert.ok(ours.length === 2 && !ours.some((kid) => theirs.includes(kid)));
});

test('a file that is not what was written is refused, and leaves nothing behind', async (t) => {
    const old = await shop(t), folder = scratch(t), file = path.join(folder, 'shop.export');
    assert.equal((await pool(old.server, ['export', 'shop', file])).code, 0);
    const server = await start(t, { stocked: false }), good = fs.readFileSync(file), line = good.indexOf(10) + 1;
    const flipped = (at) => { const copy = Buffer.from(good); copy[at] ^= 1; return copy; };
    const header = (change) => Buffer.concat([Buffer.from(JSON.stringify({ ...JSON.parse(good.subarray(0, line)), ...change }) + '\n'), good.subarray(line)]);
    const rows = [
        ['nothing', Buffer.alloc(0), /the file is empty/],
        ['another file', Buffer.from('{"a":1}\nxxxx'), /no export of a user pool/],
        ['no JSON', Buffer.from('PK\x03\x04\nxxxx'), /no export of a user pool/],
        ['the header alone', good.subarray(0, line), /was cut off/],
        ['a part cut short', good.subarray(0, good.length - 1), /was cut off/],
        ['half a length', good.subarray(0, line + 2), /was cut off/],
        ['one bit of the text', flipped(line + 200), /Part 1 of the export does not open/],
        ['one bit of the tag', flipped(good.length - 1), /does not open/],
        ['one bit of the nonce', flipped(line + 4), /does not open/],
        ['the part twice', Buffer.concat([good, good.subarray(line)]), /does not open/],
        ['another version', header({ version: 2 }), /newer Gatehouse/],
        ['a header with another word', header({ more: 1 }), /does not open/],
        ['another check', header({ check: 'AAAA' }), /passphrase is wrong/],
        ['a key that takes a terabyte', header({ memory_kib: 1 << 30 }), /header is damaged/],
        ['a key that takes a day', header({ passes: 1 << 30 }), /header is damaged/],
        ['a length of gigabytes', Buffer.concat([good.subarray(0, line), Buffer.from([255, 255, 255, 255]), good.subarray(line)]), /was cut off/],
    ];
    for (const [name, bytes, message] of rows) {
        const bad = path.join(folder, 'bad.export');
        fs.writeFileSync(bad, bytes);
        const answer = await pool(server, ['import', bad]);
        assert.equal(answer.code, 1, name);
        assert.match(answer.stderr, message, name);
    }
    assert.match((await pool(server, ['import', file], 'another passphrase')).stderr, /The passphrase is wrong/);
    assert.match((await pool(old.server, ['export', 'shop', `${file}2`], 'short')).stderr, /at least 12 characters/);
    assert.ok(!fs.existsSync(`${file}2`) && !fs.existsSync(`${file}2.partial`));
    assert.deepEqual((await api(server).listUserPools({ MaxResults: 60 })).UserPools, []);
    assert.equal((await pool(server, ['import', file, '--verify'])).code, 0);
    assert.deepEqual((await api(server).listUserPools({ MaxResults: 60 })).UserPools, [], 'to verify writes nothing');
    assert.equal((await pool(server, ['import', file])).code, 0, 'the good one still works');
    assert.equal((await pool(server, ['import', path.join(folder, 'none')])).code, 1);
    assert.equal((await pool(server, ['export', 'nobody', file])).code, 1);
    assert.equal((await pool(server, ['export', 'shop'])).code, 1);
    assert.equal((await pool(server, ['import', file, '--force'])).code, 1);
});

// Straight at the endpoint: parts out of order, twice, after another import began.
test('parts are taken in their order, each once', async (t) => {
    const s = await shop(t);
    for (let i = 0; i < 30; i++) await addUser(s, `user${i}`, { 'custom:level': `${i}` }, null);
    const next = async (body) => (await beside(s.server, `${s.poolId}/export`, body))[1];
    let answer = await next({ passphrase: PASSPHRASE });
    const { header } = answer, parts = [];
    while (answer.next) {
        answer = await next({ next: answer.next });
        parts.push(Buffer.from(answer.part, 'base64').subarray(4).toString('base64'));
    }
    assert.equal(parts.length, 1);
    const server = await start(t, { stocked: false });
    const send = (body) => beside(server, 'import', body);
    const [, one] = await send({ header, passphrase: PASSPHRASE });
    const [, two] = await send({ header, passphrase: PASSPHRASE });
    assert.match((await send({ next: one.next, part: parts[0], last: false }))[1].message, /does not open/, 'the last part says so itself');
    assert.equal((await send({ next: two.next, part: parts[0], last: true }))[0], 200);
    assert.match((await send({ next: one.next, part: parts[0], last: true }))[1].message, /is there already/);
    const wrong = [{}, { header }, { header: 'x', passphrase: PASSPHRASE }, { header, passphrase: PASSPHRASE, mode: 'x' }, { next: 'x', part: parts[0] }, { next: one.next }, { next: one.next, part: '*' }, '[', '[]'];
    for (const body of wrong) assert.equal((await send(body))[0], 400, JSON.stringify(body));
    assert.match((await beside(s.server, `${s.poolId}/export`, { next: one.next }))[1].message, /pagination token/);
    for (const body of [{}, { passphrase: 'x' }, { next: 7 }, '']) assert.equal((await beside(s.server, `${s.poolId}/export`, body))[0], 400);
});

test('serve mode: exports and imports need permissions of their own', async (t) => {
    const server = await start(t, { mode: 'serve' }), credentials = rootKey(server);
    const users = server.client(iam.IAMClient, { credentials });
    const { UserPool } = await api(server, { credentials }).createUserPool({ PoolName: 'shop' });
    await users.send(new iam.CreateUserCommand({ UserName: 'reader' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'reader' }));
    const allow = (Action) => users.send(new iam.PutUserPolicyCommand({
        UserName: 'reader', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }),
    }));
    const reader = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    const send = async (target, body, who = reader) => (await signed(`${server.url}/_gatehouse/user-pools/${target}`, who, { service: 'cognito-idp', method: 'POST', body: JSON.stringify(body) })).text();
    await allow(['cognito-idp:Describe*', 'cognito-idp:List*', 'cognito-idp:CreateUserPool']);
    assert.match(await send(`${UserPool.Id}/export`, { passphrase: PASSPHRASE }), /cognito-idp:ExportUserPool/);
    assert.match(await send('import', { header: 'x', passphrase: PASSPHRASE }), /cognito-idp:ImportUserPool/);
    assert.match(await send(`${UserPool.Id}/export`, { passphrase: PASSPHRASE }, credentials), /"header"/);
    await allow(['cognito-idp:ExportUserPool', 'cognito-idp:ImportUserPool']);
    assert.match(await send(`${UserPool.Id}/export`, { passphrase: PASSPHRASE }), /"header"/);
    assert.match(await send('import', { header: 'x', passphrase: PASSPHRASE }), /no export of a user pool/);
    assert.equal((await fetch(`${server.url}/_gatehouse/user-pools/${UserPool.Id}/export`, { method: 'POST', body: '{}' })).status, 400);
    assert.match(server.log(), /ExportUserPool/, 'the audit says what was done');
});
