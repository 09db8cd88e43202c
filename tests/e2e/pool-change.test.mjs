// What AWS freezes when a pool is made: names to sign in by, case, required attributes, types and constraints.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';

import { binary, rootKey, run, start } from './support/harness.mjs';
import { addUser, api, beside, poolOf, refused, signIn, srpSignIn } from './support/people.mjs';
import { signed } from './support/sign.mjs';

const change = async (s, body) => {
    const [status, answer] = await beside(s.server, `${s.poolId}/schema-change`, body);
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
};
const describe = async (s) => (await s.api.describeUserPool({ UserPoolId: s.poolId })).UserPool;
const whys = (answer) => answer.shown.map((one) => `${one.username}: ${one.why}`);

test('case: two that fold to one are told, and then nothing is done', async (t) => {
    const s = await poolOf(await start(t), { pool: { UsernameConfiguration: { CaseSensitive: true }, AliasAttributes: ['email'] } });
    await addUser(s, 'Ada', { email: 'Ada@example.org', email_verified: 'true' });
    await addUser(s, 'ADA', { email: 'other@example.org', email_verified: 'true' });
    await addUser(s, 'Alan', { email: 'ada@example.org', email_verified: 'true' });
    await refused(signIn(s, 'alan'), 'UserNotFoundException');
    const dry = await change(s, { caseSensitive: false });
    assert.deepEqual([dry.dryRun, dry.applied, dry.users, dry.conflicts], [true, false, 3, 2]);
    assert.deepEqual(whys(dry).sort(), ['Ada: another user has the name ada', 'Alan: another user has the name ada@example.org']);
    const tried = await change(s, { caseSensitive: false, apply: true });
    assert.deepEqual([tried.dryRun, tried.applied, tried.conflicts], [false, false, 2]);
    assert.equal((await describe(s)).UsernameConfiguration.CaseSensitive, true);

    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ADA' });
    await s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'Alan', UserAttributes: [{ Name: 'email', Value: 'Alan@example.org' }, { Name: 'email_verified', Value: 'true' }] });
    assert.deepEqual(await change(s, { caseSensitive: false }), { dryRun: true, applied: false, users: 2, conflicts: 0, shown: [] });
    assert.equal((await change(s, { caseSensitive: false, apply: true })).applied, true);
    assert.equal((await describe(s)).UsernameConfiguration.CaseSensitive, false);
    for (const name of ['Ada', 'ada', 'aDA', 'ADA@EXAMPLE.ORG', 'alan', 'alan@example.org']) await signIn(s, name);
    await srpSignIn(s, 'aLAN');
    await refused(addUser(s, 'ALAN'), 'UsernameExistsException');

    assert.equal((await change(s, { caseSensitive: true, apply: true })).applied, true, 'and back');
    await signIn(s, 'Ada');
    await signIn(s, 'Ada@example.org');
    assert.equal(await signIn(s, 'ada').then(() => 'in', (e) => e.name), 'UserNotFoundException');
    await addUser(s, 'ALAN');
});

test('names to sign in by: aliases, then addresses, then neither', async (t) => {
    const s = await poolOf(await start(t));
    await addUser(s, 'ada', { email: 'ada@example.org', email_verified: 'true', preferred_username: 'countess' });
    await addUser(s, 'alan', { email: 'alan@example.org' });
    await addUser(s, 'grace@navy.example', {});
    assert.deepEqual(whys(await change(s, { aliasAttributes: ['email', 'preferred_username'] })), ['grace@navy.example: the username looks like an alias']);
    assert.deepEqual(whys(await change(s, { usernameAttributes: ['email'] })), ['grace@navy.example: has none of the attributes that are to be signed in by']);
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'grace@navy.example' });

    assert.equal((await change(s, { aliasAttributes: ['email', 'preferred_username'], apply: true })).applied, true);
    for (const name of ['ada', 'ada@example.org', 'countess', 'alan']) await signIn(s, name);
    assert.equal(await signIn(s, 'alan@example.org').then(() => 'in', (e) => e.name), 'UserNotFoundException', 'not verified');

    assert.equal((await beside(s.server, `${s.poolId}/schema-change`, { usernameAttributes: ['email'] }))[0], 400, 'not both');
    assert.equal((await change(s, { usernameAttributes: ['email'], aliasAttributes: [], apply: true })).applied, true);
    for (const name of ['ada', 'ada@example.org', 'alan@example.org']) await signIn(s, name);
    await srpSignIn(s, 'alan@example.org');
    await addUser(s, 'new@example.org');
    await refused(addUser(s, 'plain'), 'InvalidParameterException', /should be an email/);
    const twice = await change(s, { usernameAttributes: [], aliasAttributes: [] });
    assert.match(whys(twice)[0], /^[0-9a-f-]{36}: would have no name but the sub/, 'who was made with an address for a name');
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'new@example.org' });
    assert.equal((await change(s, { usernameAttributes: [], apply: true })).applied, true);
    assert.equal(await signIn(s, 'ada@example.org').then(() => 'in', (e) => e.name), 'UserNotFoundException');
    await signIn(s, 'ada');
});

test('required attributes, types and constraints', async (t) => {
    const s = await poolOf(await start(t), { pool: { Schema: [{ Name: 'level', AttributeDataType: 'String', Mutable: false, StringAttributeConstraints: {} }] } });
    await addUser(s, 'ada', { email: 'ada@example.org', name: 'Ada Lovelace', 'custom:level': '9' });
    await addUser(s, 'alan', { 'custom:level': 'ten' });
    assert.deepEqual(whys(await change(s, { required: { email: true, name: true } })).sort(), ['alan: has no email, which is to be required', 'alan: has no name, which is to be required']);
    const number = { Name: 'custom:level', AttributeDataType: 'Number', Mutable: true, NumberAttributeConstraints: { MinValue: '1', MaxValue: '8' } };
    assert.deepEqual(whys(await change(s, { attributes: [number] })).sort(), [
        'ada: Attributes did not conform to the schema: custom:level: Number value is not in the range of the attribute',
        'alan: Attributes did not conform to the schema: custom:level: The attribute must be a number',
    ]);
    assert.deepEqual(whys(await change(s, { attributes: [{ Name: 'name', StringAttributeConstraints: { MinLength: '1', MaxLength: '5' } }] })), ['ada: Attributes did not conform to the schema: name: String must be shorter than the maximum length of the attribute']);
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'alan' });
    number.NumberAttributeConstraints.MaxValue = '9';
    assert.equal((await change(s, { required: { email: true }, attributes: [number], apply: true })).applied, true);
    const level = (await describe(s)).SchemaAttributes.find((a) => a.Name === 'custom:level');
    assert.deepEqual([level.AttributeDataType, level.Mutable, level.NumberAttributeConstraints], ['Number', true, { MinValue: '1', MaxValue: '9' }]);
    await s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'ada', UserAttributes: [{ Name: 'custom:level', Value: '8' }] });
    await refused(s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'ada', UserAttributes: [{ Name: 'custom:level', Value: '10' }] }), 'InvalidParameterException');
    await refused(s.api.signUp({ ClientId: s.clientId, Username: 'new', Password: 'Engine-1843!' }), 'InvalidParameterException', /email: The attribute is required/);

    const wrong = [
        [{}, /Nothing to change is given/], ['[]', /Send/], ['', /Send/], [{ speed: 1 }, /speed is nothing to change/],
        [{ caseSensitive: 'no' }, /true or false/], [{ aliasAttributes: ['name'] }, /aliasAttributes is an array/], [{ aliasAttributes: 'email' }, /array/],
        [{ usernameAttributes: ['preferred_username'] }, /usernameAttributes is an array/], [{ required: ['email'] }, /required is an object/],
        [{ required: { 'custom:level': true } }, /no standard attribute/], [{ required: { sub: false } }, /no standard/], [{ required: { shoe: true } }, /no standard/], [{ required: { email: 1 } }, /no standard/],
        [{ attributes: [{}] }, /no attribute/], [{ attributes: {} }, /array of schema/], [{ attributes: [{ Name: 'custom:shoe' }] }, /has no attribute custom:shoe/],
        [{ attributes: [{ Name: 'email', AttributeDataType: 'Number' }] }, /can not change AttributeDataType/], [{ attributes: [{ Name: 'sub', Mutable: true }] }, /has no attribute sub/],
        [{ attributes: [{ Name: 'custom:level', AttributeDataType: 'Colour' }] }, /AttributeDataType/],
        [{ attributes: [{ Name: 'custom:level', NumberAttributeConstraints: { MinValue: '5', MaxValue: '1' } }] }, /smaller than/],
    ];
    for (const [body, message] of wrong) {
        const [status, answer] = await beside(s.server, `${s.poolId}/schema-change`, body);
        assert.equal(status, 400, JSON.stringify(body));
        assert.match(answer.message, message, JSON.stringify(body));
    }
});

test('gatehouse pool change; many users; permission', async (t) => {
    const s = await poolOf(await start(t), { pool: { UsernameConfiguration: { CaseSensitive: true } } });
    const records = Array.from({ length: 900 }, (_, i) => [i, { username: `User${i}`, attributes: { email: `User${i}@example.org`, email_verified: 'true' } }]);
    assert.equal((await beside(s.server, `${s.poolId}/import-users`, { from: 'jsonl', records }))[1].created, 900);
    const cli = (...args) => run(binary(), ['pool', 'change', s.poolId, ...args], { env: { AWS_ENDPOINT_URL: s.server.url } });
    const dry = await cli('--case-sensitive', 'no', '--aliases', 'email');
    assert.deepEqual([dry.code, dry.stdout], [0, '0 conflicts among 900 users; --apply makes the change\n'], dry.stderr);
    assert.match((await cli('--case-sensitive', 'no', '--aliases', 'email', '--apply')).stdout, /; changed/);
    const names = (await beside(s.server, `${s.poolId}/users?limit=1000`))[1].users.map((u) => u.username);
    assert.equal(new Set(names).size, 900);
    for (const Username of ['user0', 'USER899', 'user450@EXAMPLE.org']) assert.match((await s.api.adminGetUser({ UserPoolId: s.poolId, Username })).Username, /^User/);
    const conflict = await cli('--require', 'name', '--attribute', '{"Name":"email","StringAttributeConstraints":{"MinLength":"0","MaxLength":"3"}}');
    assert.equal(conflict.code, 2);
    assert.match(conflict.stdout, /^1800 conflicts among 900 users; nothing was changed$/m);
    for (const args of [['--what', '1'], ['--require'], ['--case-sensitive', 'perhaps'], ['--attribute', '{']]) assert.equal((await cli(...args)).code, 1, String(args));

    const server = await start(t, { mode: 'serve' }), credentials = rootKey(server), users = server.client(iam.IAMClient, { credentials });
    const { UserPool } = await api(server, { credentials }).createUserPool({ PoolName: 'shop' });
    await users.send(new iam.CreateUserCommand({ UserName: 'reader' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'reader' }));
    const send = (who) => signed(`${server.url}/_gatehouse/user-pools/${UserPool.Id}/schema-change`, who, { service: 'cognito-idp', method: 'POST', body: '{"caseSensitive":false}' });
    assert.match(await (await send({ accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey })).text(), /cognito-idp:UpdateUserPool/);
    assert.equal((await send(credentials)).status, 200);
});
