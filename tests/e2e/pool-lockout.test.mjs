// Who guesses wrong waits (attack table d65-d68, d75, d77): by user, also by one who does not exist, and by address.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { addPool, addUser, operations, PASSWORD, refused, setOptions, setUp, signIn, srpSignIn, standingClock, WRONG } from './support/userpool.mjs';

const INCORRECT = ['NotAuthorizedException', 'Incorrect username or password.'];
const EXCEEDED = ['NotAuthorizedException', 'Password attempts exceeded'];

// The n of the table and its wait, in seconds.
const TABLE = Array.from({ length: 16 }, (_, i) => [i + 5, Math.min(2 ** i, 900)]);

test('after n = 5..20 wrong passwords a user waits 1, 2, 4 ... 512, 900, 900 s; nobody, too (d65, d66)', async (t) => {
    const s = await setUp(t);
    const at = standingClock(s.server);
    await addUser(s, 'ann');
    for (const name of ['ann', 'nobody']) {
        let now = 0;
        const attempt = async (seconds, password, expected) => {
            await at(seconds);
            await refused(signIn(s, name, password), ...expected);
        };
        for (let n = 1; n < 5; n++) await attempt(now, WRONG, INCORRECT);
        for (const [n, wait] of TABLE) {
            await attempt(now, WRONG, INCORRECT); // the n-th
            if (n === 12) { // kept over a crash (d67)
                await s.server.restart('SIGKILL');
                Object.assign(s, reopen(s));
                await at(now);
            }
            await attempt(now, WRONG, EXCEEDED); // in the wait nothing is counted
            await attempt(now + wait - 0.001, WRONG, EXCEEDED);
            await attempt(now + wait - 0.001, PASSWORD, EXCEEDED); // the right one does not help (d68)
            now += wait;
        }
        await at(now);
        if (name === 'nobody') continue;
        assert.ok((await signIn(s, name)).AuthenticationResult, 'after the wait the right password is right');
        for (let n = 1; n < 5; n++) await attempt(now, WRONG, INCORRECT);
        assert.ok((await signIn(s, name)).AuthenticationResult, 'and counting began anew');
    }
});

const reopen = ({ server, poolId, clientId }) => ({ api: operations(server.client(CognitoIdentityProviderClient)), poolId, clientId });

test('15 minutes without attempts after the wait begin anew; a second less does not', async (t) => {
    const s = await setUp(t);
    const at = standingClock(s.server);
    for (const name of ['ann', 'bob', 'eve']) await addUser(s, name);
    const fail = async (seconds, name, times) => {
        for (let i = 0; i < times; i++) {
            await at(seconds);
            await refused(signIn(s, name, WRONG), ...INCORRECT);
        }
    };
    await fail(0, 'ann', 4);
    await fail(0, 'bob', 4);
    await fail(0, 'eve', 5);
    await fail(899.999, 'ann', 1); // the fifth of five
    await at(899.999);
    await refused(signIn(s, 'ann'), ...EXCEEDED);
    await fail(900, 'bob', 4); // the first four of new ones
    assert.ok((await signIn(s, 'bob')).AuthenticationResult);
    await fail(901, 'eve', 4); // one second of waiting, then 900
    assert.ok((await signIn(s, 'eve')).AuthenticationResult);
});

test('SRP, passwords and both ends of an e-mail alias count together; another user does not wait', async (t) => {
    const s = await setUp(t, { pool: { AliasAttributes: ['email'], UsernameConfiguration: { CaseSensitive: false } } });
    await addUser(s, 'ann');
    await addUser(s, 'bob');
    const at = standingClock(s.server);
    let now = 0;
    await at(now);
    for (const name of ['ann', 'nobody']) {
        await refused(srpSignIn(s, name, WRONG), ...INCORRECT);
        await refused(srpSignIn(s, name, WRONG), ...INCORRECT);
        await refused(signIn(s, name, WRONG), ...INCORRECT);
        await refused(signIn(s, name === 'ann' ? 'ann@example.org' : 'NoBody', WRONG), ...INCORRECT);
        await refused(srpSignIn(s, name, WRONG), ...INCORRECT);
        await at((now += 1));
        await refused(signIn(s, name, WRONG), ...INCORRECT);
        await at((now += 2));
        await refused(signIn(s, name, WRONG), ...INCORRECT); // the seventh: 4 s
        await refused(srpSignIn(s, name, WRONG), ...EXCEEDED);
        await refused(signIn(s, name), ...EXCEEDED);
    }
    assert.ok((await signIn(s, 'bob')).AuthenticationResult);
    await at((now += 4));
    assert.ok(await srpSignIn(s, 'ann'));
});

test('a client that tells who exists does not count for nobody', async (t) => {
    const s = await setUp(t, { client: { PreventUserExistenceErrors: 'LEGACY' } });
    for (let i = 0; i < 8; i++) await refused(signIn(s, 'nobody', WRONG), 'UserNotFoundException', 'User does not exist.');
});

test('a hundred guesses at once are five', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ann');
    const at = standingClock(s.server);
    await at(0);
    for (const name of ['ann', 'nobody']) {
        const answers = await Promise.all(Array.from({ length: 100 }, () => signIn(s, name, WRONG).catch((e) => e.message)));
        const judged = answers.filter((message) => message === INCORRECT[1]).length;
        assert.equal(judged, 5, name);
        assert.equal(answers.filter((message) => message === EXCEEDED[1]).length, 95, name);
    }
    await at(1);
    const all = await Promise.all(Array.from({ length: 20 }, () => signIn(s, 'ann')));
    assert.ok(all.every((one) => one.AuthenticationResult), 'who knows the password may sign in as often as he likes');
});

test('the table is the pool\'s to change', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ann');
    await setOptions(s, { lockoutAfterFailures: 2, lockoutMaxSeconds: 2, lockoutForgetSeconds: 60 });
    const at = standingClock(s.server);
    for (let i = 0; i < 2; i++) await at(0).then(() => refused(signIn(s, 'ann', WRONG), ...INCORRECT));
    let now = 0;
    for (const wait of [1, 2, 2]) {
        await at(now + wait - 0.001);
        await refused(signIn(s, 'ann'), ...EXCEEDED);
        await at((now += wait));
        await refused(signIn(s, 'ann', WRONG), ...INCORRECT);
    }
});

test('an address that guesses at many users is stopped; a right password from elsewhere is not (d75)', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ann');
    for (let i = 0; i < 62; i++) await refused(signIn(s, `user${i}`, WRONG), ...INCORRECT); // not from this machine
    await setOptions(s, { ipFailuresPerMinute: 20 });
    const at = standingClock(s.server);
    for (let i = 0; i < 20; i++) await at(0).then(() => refused(signIn(s, `name${i}`, WRONG), ...INCORRECT));
    await at(0);
    await refused(signIn(s, 'name99', WRONG), 'TooManyRequestsException', 'Too many requests');
    await at(0);
    await refused(signIn(s, 'ann'), 'TooManyRequestsException');
    await at(0);
    await refused(srpSignIn(s, 'ann'), 'TooManyRequestsException');
    await at(0);
    const admin = (IpAddress) => s.api.adminInitiateAuth({
        UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ann', PASSWORD: 'Engine-1843!' },
        ...(IpAddress && { ContextData: { IpAddress, ServerName: 'shop', ServerPath: '/', HttpHeaders: [] } }),
    });
    await refused(admin('127.0.0.1'), 'TooManyRequestsException');
    assert.ok((await admin('203.0.113.9')).AuthenticationResult);
    assert.ok((await admin()).AuthenticationResult);
    const other = await addPool(s.server);
    await addUser(other, 'ann');
    assert.ok((await signIn(other, 'ann')).AuthenticationResult, 'another pool counts for itself');
    await at(3); // of a minute's twenty, one
    assert.ok((await signIn(s, 'ann')).AuthenticationResult);
    await setOptions(s, { ipFailuresPerMinute: 0 });
    for (let i = 0; i < 22; i++) await refused(signIn(s, `other${i}`, WRONG), ...INCORRECT);
});

test('a flood of sign-ins takes the memory of as many hashes as there are threads, no more (d77)', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ann');
    await signIn(s, 'ann');
    const rss = () => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${s.server.pid}/status`, 'utf8'))[1]) / 1024;
    const before = rss();
    const body = (i) => JSON.stringify({ ClientId: s.clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: `flood${i}`, PASSWORD: WRONG } });
    const headers = { 'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth', 'content-type': 'application/x-amz-json-1.1' };
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => s.server.fetch('/', { method: 'POST', headers, body: body(i) }).then((a) => a.status)));
    assert.ok(answers.every((status) => [400, 429, 503].includes(status)), `${new Set(answers)}`);
    const threads = fs.readdirSync(`/proc/${s.server.pid}/task`).length;
    assert.ok(rss() - before < threads * 20 + 64, `${rss() - before} MiB more, ${threads} threads`);
    assert.ok((await signIn(s, 'ann')).AuthenticationResult, 'and the next request works');
});
