// Who is unknown here is tried against another pool, without a function: a second Gatehouse is the other.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { atEnd, start } from './support/harness.mjs';
import { addUser, api, beside, poolOf, refused, signIn, srpSignIn, PASSWORD } from './support/people.mjs';

async function pair(t, { there = {}, here = {}, options = {} } = {}) {
    const old = await poolOf(await start(t), { pool: { PoolName: 'old', Schema: [{ Name: 'level', AttributeDataType: 'Number', Mutable: true }, { Name: 'shoe', AttributeDataType: 'Number', Mutable: true }], ...there.pool }, client: there.client });
    await addUser(old, 'ada', { email: 'ada@example.org', email_verified: 'true', 'custom:level': '9', 'custom:shoe': '38' });
    const s = await poolOf(await start(t), { pool: { PoolName: 'new', Schema: [{ Name: 'level', AttributeDataType: 'Number', Mutable: true }], ...here.pool }, client: { PreventUserExistenceErrors: 'ENABLED', ...here.client } });
    const set = (more) => beside(s.server, `${s.poolId}/options`, more, 'PATCH');
    const [status, answer] = await set({ migrateFromEndpoint: old.server.url, migrateFromClient: old.clientId, ...(old.secret && { migrateFromClientSecret: old.secret }), ...options });
    assert.equal(status, 200, JSON.stringify(answer));
    return { old, s, set };
}
const WRONG = 'Incorrect username or password.';
const list = async (s) => (await s.api.listUsers({ UserPoolId: s.poolId })).Users.map((u) => u.Username);

test('the right password there makes the user here, once and for all', async (t) => {
    const { old, s } = await pair(t, { there: { client: { GenerateSecret: true } } });
    await refused(srpSignIn(s, 'ada'), 'NotAuthorizedException', WRONG);
    assert.deepEqual(await list(s), [], 'never for SRP');
    await refused(signIn(s, 'ada', 'Wrong-1843!'), 'NotAuthorizedException', WRONG);
    await refused(signIn(s, 'nobody'), 'NotAuthorizedException', WRONG);
    assert.deepEqual(await list(s), []);
    const { AuthenticationResult } = await signIn(s, 'ada');
    const me = await s.api.getUser({ AccessToken: AuthenticationResult.AccessToken });
    const sub = (await old.api.adminGetUser({ UserPoolId: old.poolId, Username: 'ada' })).UserAttributes.find((a) => a.Name === 'sub').Value;
    assert.deepEqual(Object.fromEntries(me.UserAttributes.map((a) => [a.Name, a.Value])), { sub, email: 'ada@example.org', email_verified: 'true', 'custom:level': '9' });
    assert.equal((await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'ada' })).UserStatus, 'CONFIRMED');
    await old.server.stop();
    await signIn(s, 'ada');
    await srpSignIn(s, 'ada');
    const shown = (await beside(s.server, `${s.poolId}/options`))[1];
    assert.equal(shown.migrateFromClientSecret, '(set)');
});

test('pools that sign in by mail; an address typed for a name', async (t) => {
    const byMail = await pair(t, { there: { pool: { AliasAttributes: ['email'] } }, here: { pool: { UsernameAttributes: ['email'] } } });
    await signIn(byMail.s, 'ada@example.org');
    await srpSignIn(byMail.s, 'ada@example.org');
    const [name] = await list(byMail.s);
    assert.match(name, /^[0-9a-f-]{36}$/);
    const aliases = await pair(t, { there: { pool: { AliasAttributes: ['email'] } }, here: { pool: { AliasAttributes: ['email'] } } });
    await signIn(aliases.s, 'ada@example.org');
    assert.deepEqual(await list(aliases.s), ['ada']);
});

test('ForgotPassword looks the person up with keys', async (t) => {
    const { old, s, set } = await pair(t, { here: { client: { PreventUserExistenceErrors: 'LEGACY' } } });
    await refused(s.api.forgotPassword({ ClientId: s.clientId, Username: 'ada' }), 'UserNotFoundException');
    await set({ migrateFromPool: old.poolId, migrateFromAccessKey: 'AKIAIOSFODNN7EXAMPLE', migrateFromSecretKey: 'test' });
    await refused(s.api.forgotPassword({ ClientId: s.clientId, Username: 'nobody' }), 'UserNotFoundException');
    const { CodeDeliveryDetails } = await s.api.forgotPassword({ ClientId: s.clientId, Username: 'ada' });
    assert.equal(CodeDeliveryDetails.AttributeName, 'email');
    await refused(signIn(s, 'ada'), 'PasswordResetRequiredException');
    await s.api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ada', ConfirmationCode: await s.server.code('ada@example.org'), Password: 'Another-1843!' });
    await signIn(s, 'ada', 'Another-1843!');
    await old.api.adminDisableUser({ UserPoolId: old.poolId, Username: 'ada' });
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(s.api.forgotPassword({ ClientId: s.clientId, Username: 'ada' }), 'UserNotFoundException', /./);
});

// A server that says anything.
function pretender(t, answer) {
    return new Promise((resolve) => {
        const server = http.createServer((req, res) => {
            const pieces = [];
            req.on('data', (piece) => pieces.push(piece));
            req.on('end', () => answer(req, JSON.parse(Buffer.concat(pieces)), res));
        });
        server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
        atEnd(t, () => new Promise((done) => { server.closeAllConnections(); server.close(done); }));
    });
}

test('another pool that does not answer as it should lets nobody in', async (t) => {
    const { s, set } = await pair(t);
    let say;
    const url = await pretender(t, (req, body, res) => say(req, body, res));
    const answers = (first, second = [200, '{}']) => (req, body, res) => {
        const [status, text] = body.AccessToken ? second : first;
        res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(typeof text === 'string' ? text : JSON.stringify(text));
    };
    const tokens = [200, { AuthenticationResult: { AccessToken: 'x' } }];
    await set({ migrateFromEndpoint: url, migrateFromTimeoutMs: 300 });
    const rows = [
        ['nothing in it', answers([200, '{}'])],
        ['no JSON', answers([200, '<html>'])],
        ['an array', answers([200, '[]'])],
        ['a challenge for a new password', answers([200, { ChallengeName: 'NEW_PASSWORD_REQUIRED', Session: 'x' }])],
        ['a second factor, and no keys', answers([200, { ChallengeName: 'SMS_MFA', Session: 'x' }])],
        ['500', answers([500, '{}'])],
        ['a redirect', answers([302, ''])],
        ['tokens that it does not know', answers(tokens, [400, { __type: 'NotAuthorizedException' }])],
        ['attributes that do not fit', answers(tokens, [200, { Username: 'eve', UserAttributes: [{ Name: 'email', Value: 'no address' }] }])],
        ['a sub that is another\'s length', answers(tokens, [200, { Username: 'eve', UserAttributes: [{ Name: 'sub', Value: 'short' }, { Name: 'custom:level', Value: 'high' }] }])],
        ['a megabyte', answers([200, `{"a":"${'x'.repeat(1 << 20)}"}`])],
        ['silence', () => {}],
        ['half an answer', (req, body, res) => { res.writeHead(200, { 'content-length': '100' }); res.write('{'); setTimeout(() => res.destroy(), 10); }],
    ];
    for (const [name, how] of rows) {
        say = how;
        await refused(signIn(s, `eve-${name.length}`), 'NotAuthorizedException', WRONG);
        assert.deepEqual(await list(s), [], name);
    }
    say = answers(tokens, [200, { Username: 'x y' }]);
    await signIn(s, 'eve');
    assert.deepEqual(await list(s), ['eve'], 'a name that is none here gives way to what was typed');
    await set({ migrateFromEndpoint: 'http://127.0.0.1:1' });
    await refused(signIn(s, 'mallory'), 'NotAuthorizedException', WRONG);
    assert.match(s.server.log(), /could not be migrated/);
    assert.ok(!s.server.log().includes(PASSWORD));
});
