// What is sealed and was changed in the database, or moved to another row, is refused and said in the log (attack table h03);
// TOTP seeds stand nowhere in clear (h01); wrong second factors lock like wrong passwords (d69).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { addUser, operations, PASSWORD, refused, setUp, signIn, srpSignIn } from './support/userpool.mjs';
import { base32, nextStep, totp, wrong } from './support/totp.mjs';

// A user with an authenticator app, which it is asked for: its secret.
async function addApp(s, name) {
    await addUser(s, name);
    const { AccessToken } = (await signIn(s, name)).AuthenticationResult;
    const { SecretCode } = await s.api.associateSoftwareToken({ AccessToken });
    const now = await nextStep(s.server);
    await s.api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, now) });
    await s.api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: name, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
    return SecretCode;
}
async function withApps(t, more = {}) {
    const s = await setUp(t, more);
    await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true } });
    return s;
}
const answer = (s, USERNAME, Session, SOFTWARE_TOKEN_MFA_CODE) => s.api.respondToAuthChallenge({
    ClientId: s.clientId, ChallengeName: 'SOFTWARE_TOKEN_MFA', Session, ChallengeResponses: { USERNAME, SOFTWARE_TOKEN_MFA_CODE },
});
// Changes the database of a server that is stopped.
function change(s, ...statements) {
    const file = path.join(s.server.data, 'gatehouse.db');
    execFileSync('python3', ['-c', 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); [db.execute(one) for one in sys.argv[2:]]; db.commit(); db.close()', file, ...statements]);
}
async function stopped(s, ...statements) {
    await s.server.stop();
    change(s, ...statements);
    await s.server.launch();
    s.api = operations(s.server.client(idp.CognitoIdentityProviderClient));
}
const flipped = (column) => `substr(${column}, 1, 40) || CASE WHEN substr(${column}, 41, 1) = 'A' THEN 'B' ELSE 'A' END || substr(${column}, 42)`;

test('a sealed value that was changed or moved is never accepted, and the log says so (h03)', async (t) => {
    const s = await withApps(t);
    for (const name of ['ann', 'bob', 'eve']) await addUser(s, name);
    const secret = await addApp(s, 'carl');
    await addApp(s, 'dora');
    assert.ok(await srpSignIn(s, 'ann'));
    await stopped(s,
        `UPDATE pool_users SET verifier = ${flipped('verifier')} WHERE folded = 'ann'`,
        `UPDATE pool_users SET verifier = (SELECT verifier FROM pool_users WHERE folded = 'eve'), salt = (SELECT salt FROM pool_users WHERE folded = 'eve') WHERE folded = 'bob'`,
        `UPDATE pool_users SET doc = replace(doc, json_extract(doc, '$.totp.seed'), json_extract((SELECT doc FROM pool_users WHERE folded = 'dora'), '$.totp.seed')) WHERE folded = 'carl'`);
    const lines = () => s.server.log().split('\n').filter((line) => line.includes('a sealed value does not open'));
    assert.equal(lines().length, 0);
    for (const name of ['ann', 'bob']) await refused(srpSignIn(s, name), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.ok(lines().length >= 2 && lines().every((line) => line.includes('"level":"error"') || /error/i.test(line)), lines().join('\n'));
    assert.ok(await srpSignIn(s, 'eve'), 'whose row is whole signs in');
    assert.ok((await signIn(s, 'ann')).AuthenticationResult, 'a hash needs no seal');
    const before = lines().length;
    const now = await nextStep(s.server);
    const { Session } = await signIn(s, 'carl').catch(() => ({}));
    if (Session) await assert.rejects(answer(s, 'carl', Session, totp(secret, now)));
    assert.ok(lines().length > before, 'a seed of another row');
});

test('a TOTP seed and a one-time code stand nowhere in clear (h01)', async (t) => {
    const s = await withApps(t, { args: ['--log-level', 'debug'] });
    const secret = await addApp(s, 'ann');
    const seed = base32(secret);
    const { Session } = await signIn(s, 'ann');
    const code = totp(secret, await nextStep(s.server));
    assert.ok((await answer(s, 'ann', (await signIn(s, 'ann')).Session, code)).AuthenticationResult);
    await s.server.stop();
    const texts = fs.readdirSync(s.server.data).map((name) => path.join(s.server.data, name)).filter((file) => fs.statSync(file).isFile()).map((file) => fs.readFileSync(file, 'latin1'));
    texts.push(s.server.log());
    const forms = [secret, seed.toString('hex'), seed.toString('latin1'), seed.toString('base64').replace(/=+$/, ''), seed.toString('base64url'), Session];
    for (const form of forms) assert.ok(!texts.some((text) => text.includes(form)), form);
    assert.ok(texts.some((text) => text.includes('ann@example.org')), 'the search finds what may be found');
    assert.ok(!new RegExp(`"[^"]*code[^"]*":"${code}"`, 'i').test(s.server.log()));
});

test('five wrong codes end the sign-in and lock the user; guesses at once are five; a code is good once (d69)', async (t) => {
    const s = await withApps(t);
    const secret = await addApp(s, 'ann');
    const now = await nextStep(s.server);
    const { Session } = await signIn(s, 'ann');
    const answers = await Promise.all(Array.from({ length: 40 }, () => answer(s, 'ann', Session, wrong(totp(secret, now))).catch((e) => e.name)));
    assert.equal(answers.filter((name) => name === 'CodeMismatchException').length, 5, `${answers}`);
    assert.equal(answers.filter((name) => name === 'NotAuthorizedException').length, 35);
    const at = (seconds) => s.server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ at: new Date((now + seconds) * 1000).toISOString(), stand: true }) });
    await at(20);
    await refused(answer(s, 'ann', Session, totp(secret, now)), 'NotAuthorizedException', /^Invalid session for the user/);
    const fresh = (await signIn(s, 'ann')).Session;
    assert.ok((await answer(s, 'ann', fresh, totp(secret, now))).AuthenticationResult);
    await refused(answer(s, 'ann', (await signIn(s, 'ann')).Session, totp(secret, now)), 'ExpiredCodeException');
});

test('a risky sign-in is asked for the app that the user has; who has none is blocked', async (t) => {
    const s = await withApps(t, { pool: { UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } } });
    const secret = await addApp(s, 'ann');
    await addUser(s, 'bob');
    await s.api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ann', SoftwareTokenMfaSettings: { Enabled: false } });
    const EventAction = 'MFA_REQUIRED', any = { EventAction, Notify: false };
    await s.api.setRiskConfiguration({ UserPoolId: s.poolId, AccountTakeoverRiskConfiguration: { Actions: { LowAction: any, MediumAction: any, HighAction: any } } });
    const from = (USERNAME, IpAddress) => s.api.adminInitiateAuth({
        UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD },
        ContextData: { IpAddress, ServerName: 'shop', ServerPath: '/', HttpHeaders: [{ headerName: 'User-Agent', headerValue: 'Firefox/1' }] },
    });
    assert.ok((await from('bob', '192.0.2.1')).AuthenticationResult, 'the first has nothing to be compared with');
    await refused(from('bob', '203.0.113.1'), 'NotAuthorizedException', 'Unable to login because of security reasons.');
    const asked = await from('ann', '203.0.113.1'); // she signed in from this machine before
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const now = await nextStep(s.server);
    const done = await s.api.adminRespondToAuthChallenge({
        UserPoolId: s.poolId, ClientId: s.clientId, ChallengeName: 'SOFTWARE_TOKEN_MFA', Session: (await from('ann', '203.0.113.1')).Session,
        ChallengeResponses: { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: totp(secret, now) },
    });
    assert.ok(done.AuthenticationResult);
    const [event] = (await s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'ann' })).AuthEvents;
    assert.deepEqual(event.ChallengeResponses.map((one) => `${one.ChallengeName} ${one.ChallengeResponse}`), ['Password Success', 'Mfa Success']);
    assert.equal(event.EventRisk.RiskDecision, 'AccountTakeover');
});
