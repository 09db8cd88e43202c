// Devices of users, with the client that invented them: confirmed, remembered, signed in with, forgotten.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';

import { binary, run, scratch, start } from './support/harness.mjs';
import { hookUp } from './support/hooks.mjs';
import { nextStep, totp } from './support/totp.mjs';
import { PASSWORD, addUser, claims, poolOf, refused, signIn } from './support/people.mjs';

const KEY = /^us-east-1_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NOWHERE = 'us-east-1_00000000-0000-0000-0000-000000000000';
const none = (promise) => refused(promise, 'ResourceNotFoundException', 'Device does not exist.');

async function setUp(t, DeviceConfiguration = { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false }, more = {}) {
    const s = await poolOf(await start(t), { pool: { DeviceConfiguration }, ...more });
    await addUser(s, 'ada');
    return s;
}

// A browser of its own: what it keeps, and every request it makes.
function browser(s, kept = new Map()) {
    const storage = {
        setItem: (k, v) => { kept.set(k, String(v)); }, getItem: (k) => kept.get(k) ?? null,
        removeItem: (k) => { kept.delete(k); }, clear: () => { kept.clear(); },
    };
    const asked = [];
    const Pool = new CognitoUserPool({ UserPoolId: s.poolId, ClientId: s.clientId, endpoint: s.server.url, Storage: storage });
    const request = Pool.client.request.bind(Pool.client);
    Pool.client.request = (operation, params, callback) => {
        asked.push(params.ChallengeName ?? operation);
        return request(operation, params, callback);
    };
    const user = (Username = 'ada') => new CognitoUser({ Username, Pool, Storage: storage });
    return { kept, asked, user };
}
const authenticate = (user, Username = 'ada', password = PASSWORD) => new Promise((resolve, reject) =>
    user.authenticateUser(new AuthenticationDetails({ Username, Password: password }), {
        onSuccess: (session, necessary) => resolve({ session, necessary }), onFailure: reject,
        totpRequired: () => resolve({ totp: (code) => new Promise((onSuccess, onFailure) => user.sendMFACode(code, { onSuccess, onFailure }, 'SOFTWARE_TOKEN_MFA')) }),
    }));
const ask = (user, method, ...args) => new Promise((onSuccess, onFailure) => user[method](...args, { onSuccess, onFailure }));
const keyIn = ({ kept }) => [...kept].find(([k]) => k.endsWith('.deviceKey'))?.[1];

const listed = async ({ api, poolId }, Username = 'ada') => (await api.adminListDevices({ UserPoolId: poolId, Username })).Devices;
const attribute = (device, name) => device.DeviceAttributes.find((a) => a.Name === name)?.Value;

test('a new device is confirmed and remembered, then signs in by itself, and refreshes with its key', async (t) => {
    const s = await setUp(t);
    const home = browser(s);
    const { session, necessary } = await authenticate(home.user());
    assert.equal(necessary, undefined);
    assert.deepEqual(home.asked, ['InitiateAuth', 'PASSWORD_VERIFIER', 'ConfirmDevice']);
    const key = keyIn(home);
    assert.match(key, KEY);
    assert.equal(claims(session.getAccessToken().getJwtToken()).device_key, key);
    assert.equal(claims(session.getIdToken().getJwtToken()).device_key, undefined);
    const [device] = await listed(s);
    assert.equal(device.DeviceKey, key);
    assert.deepEqual(
        ['device_status', 'dev:device_remembered_status', 'last_ip_used', 'dev:device_owner', 'dev:device_arn'].map((name) => attribute(device, name)),
        ['valid', 'remembered', '127.0.0.1', `ada.${s.poolId}`, `arn:aws:cognito-idp:us-east-1:000000000000:owner/ada.${s.poolId}/device/${key}`]);

    home.asked.length = 0;
    const again = home.user();
    const second = await authenticate(again);
    assert.deepEqual(home.asked, ['InitiateAuth', 'PASSWORD_VERIFIER', 'DEVICE_SRP_AUTH', 'DEVICE_PASSWORD_VERIFIER']);
    assert.equal(claims(second.session.getAccessToken().getJwtToken()).device_key, key);
    assert.equal((await listed(s)).length, 1);

    const refreshed = await new Promise((resolve, reject) => again.refreshSession(second.session.getRefreshToken(), (e, r) => (e ? reject(e) : resolve(r))));
    assert.equal(claims(refreshed.getAccessToken().getJwtToken()).device_key, key);

    // the server starts anew: the device is still known
    await s.server.restart('SIGKILL');
    home.asked.length = 0;
    await authenticate(home.user());
    assert.equal(home.asked.at(-1), 'DEVICE_PASSWORD_VERIFIER');
});

test('remembered only when the user says so', async (t) => {
    const s = await setUp(t, { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: true });
    const home = browser(s);
    const user = home.user();
    assert.equal((await authenticate(user)).necessary, true);
    assert.equal(attribute((await listed(s))[0], 'dev:device_remembered_status'), 'not_remembered');
    home.asked.length = 0;
    await authenticate(home.user());
    assert.deepEqual(home.asked, ['InitiateAuth', 'PASSWORD_VERIFIER']); // known, not remembered: nothing is asked, nothing is new
    assert.equal((await listed(s)).length, 1);

    const third = home.user();
    await authenticate(third);
    assert.equal(await ask(third, 'setDeviceStatusRemembered'), 'SUCCESS');
    assert.equal(attribute((await listed(s))[0], 'dev:device_remembered_status'), 'remembered');
    home.asked.length = 0;
    await authenticate(home.user());
    assert.equal(home.asked.at(-1), 'DEVICE_PASSWORD_VERIFIER');
    assert.equal(await ask(third, 'setDeviceStatusNotRemembered'), 'SUCCESS');
    assert.equal(attribute((await ask(third, 'getDevice')).Device, 'dev:device_remembered_status'), 'not_remembered');
});

test('a forgotten device: the client tries again without it and gets a new one; its old sign-ins refresh no more', async (t) => {
    const s = await setUp(t);
    const home = browser(s);
    const first = await authenticate(home.user());
    const key = keyIn(home);
    await s.api.adminForgetDevice({ UserPoolId: s.poolId, Username: 'ada', DeviceKey: key });
    await none(s.api.adminForgetDevice({ UserPoolId: s.poolId, Username: 'ada', DeviceKey: key }));
    await refused(s.api.getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: first.session.getRefreshToken().getToken(), DeviceKey: key }), 'NotAuthorizedException', 'Refresh Token has been revoked');
    home.asked.length = 0;
    const user = home.user();
    await authenticate(user);
    assert.deepEqual(home.asked, ['InitiateAuth', 'PASSWORD_VERIFIER', 'PASSWORD_VERIFIER', 'ConfirmDevice']);
    assert.notEqual(keyIn(home), key);
    assert.deepEqual((await listed(s)).map((d) => d.DeviceKey), [keyIn(home)]);
    assert.equal(await ask(user, 'forgetDevice'), 'SUCCESS');
    assert.deepEqual(await listed(s), []);
});

test('a device\'s password is the device\'s: wrong ones are refused, five times, and count for this sign-in only', async (t) => {
    const s = await setUp(t);
    const home = browser(s);
    await authenticate(home.user());
    const key = keyIn(home);
    const secret = [...home.kept.keys()].find((k) => k.endsWith('.randomPasswordKey'));
    const right = home.kept.get(secret);
    home.kept.set(secret, 'not the password');
    await refused(authenticate(home.user()), 'NotAuthorizedException', 'Incorrect username or password.');
    home.kept.set(secret, right);
    await authenticate(home.user());

    // by hand: what must not go through
    const begin = async () => signIn(s, 'ada', PASSWORD, { DEVICE_KEY: key });
    const answer = (ChallengeName, Session, more) => s.api.respondToAuthChallenge({ ClientId: s.clientId, ChallengeName, Session, ChallengeResponses: { USERNAME: 'ada', ...more } });
    const asked = await begin();
    assert.deepEqual([asked.ChallengeName, asked.ChallengeParameters], ['DEVICE_SRP_AUTH', { DEVICE_KEY: key, USERNAME: 'ada' }]);
    const rows = [
        ['no SRP_A', { DEVICE_KEY: key }, 'InvalidParameterException', 'Missing required parameter SRP_A'],
        ['SRP_A 0', { DEVICE_KEY: key, SRP_A: '0' }, 'InvalidParameterException', 'SRP_A is not a valid number.'],
        ['SRP_A no number', { DEVICE_KEY: key, SRP_A: 'xyz' }, 'InvalidParameterException', 'SRP_A is not a valid number.'],
        ['no DEVICE_KEY', { SRP_A: 'abc' }, 'InvalidParameterException', 'Missing required parameter DEVICE_KEY'],
        ['another device', { SRP_A: 'abc', DEVICE_KEY: NOWHERE }, 'NotAuthorizedException', 'Incorrect username or password.'],
    ];
    for (const [name, more, error, text] of rows) await refused(answer('DEVICE_SRP_AUTH', asked.Session, more), error, text).catch((e) => assert.fail(`${name}: ${e.message}`));
    await refused(answer('DEVICE_PASSWORD_VERIFIER', asked.Session, { DEVICE_KEY: key }), 'NotAuthorizedException', 'Invalid session for the user.');

    const verify = await answer('DEVICE_SRP_AUTH', asked.Session, { DEVICE_KEY: key, SRP_A: 'abcdef' });
    assert.equal(verify.ChallengeName, 'DEVICE_PASSWORD_VERIFIER');
    assert.deepEqual(Object.keys(verify.ChallengeParameters).sort(), ['DEVICE_KEY', 'SALT', 'SECRET_BLOCK', 'SRP_B', 'USERNAME']);
    const proof = { DEVICE_KEY: key, TIMESTAMP: 'Tue Sep 5 09:03:07 UTC 2028', PASSWORD_CLAIM_SIGNATURE: 'AAAA', PASSWORD_CLAIM_SECRET_BLOCK: verify.ChallengeParameters.SECRET_BLOCK };
    for (const missing of Object.keys(proof))
        await refused(answer('DEVICE_PASSWORD_VERIFIER', verify.Session, { ...proof, [missing]: '' }), 'InvalidParameterException', `Missing required parameter ${missing}`);
    // a block of the user's password is none of the device's
    const srp = await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME: 'ada', SRP_A: 'abcdef' } });
    const wrong = [{}, { PASSWORD_CLAIM_SIGNATURE: '!' }, { TIMESTAMP: 'today' }, { PASSWORD_CLAIM_SECRET_BLOCK: srp.ChallengeParameters.SECRET_BLOCK }, { PASSWORD_CLAIM_SECRET_BLOCK: 'AAAA' }];
    for (const more of wrong) await refused(answer('DEVICE_PASSWORD_VERIFIER', verify.Session, { ...proof, ...more }), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(answer('DEVICE_PASSWORD_VERIFIER', verify.Session, proof), 'NotAuthorizedException', 'Invalid session for the user.');
    await authenticate(home.user()); // and the right one is not shut out
});

test('ConfirmDevice takes the device of the token, once, with a secret', async (t) => {
    const s = await setUp(t);
    const { AuthenticationResult: made } = await signIn(s, 'ada');
    const { DeviceKey, DeviceGroupKey } = made.NewDeviceMetadata;
    assert.match(DeviceGroupKey, /^-[\w-]{8}$/);
    assert.equal((await signIn(s, 'ada')).AuthenticationResult.NewDeviceMetadata.DeviceGroupKey, DeviceGroupKey);
    const config = { Salt: Buffer.alloc(16, 7).toString('base64'), PasswordVerifier: Buffer.alloc(384, 9).toString('base64') };
    const confirm = (more = {}) => s.api.confirmDevice({ AccessToken: made.AccessToken, DeviceKey, DeviceName: 'desk', DeviceSecretVerifierConfig: config, ...more });
    const rows = [
        ['another key', { DeviceKey: NOWHERE }, 'Invalid device key given.'],
        ['no secret', { DeviceSecretVerifierConfig: undefined }, 'Missing required parameter DeviceSecretVerifierConfig'],
        ['half a secret', { DeviceSecretVerifierConfig: { Salt: config.Salt } }, 'Missing required parameter DeviceSecretVerifierConfig'],
        ['salt no base64', { DeviceSecretVerifierConfig: { ...config, Salt: '*' } }, 'Invalid salt given.'],
        ['salt too long', { DeviceSecretVerifierConfig: { ...config, Salt: Buffer.alloc(65).toString('base64') } }, 'Invalid salt given.'],
        ['verifier 0', { DeviceSecretVerifierConfig: { ...config, PasswordVerifier: Buffer.alloc(384).toString('base64') } }, 'Invalid password verifier given.'],
        ['verifier too long', { DeviceSecretVerifierConfig: { ...config, PasswordVerifier: Buffer.alloc(385, 1).toString('base64') } }, 'Invalid password verifier given.'],
        ['key malformed', { DeviceKey: 'x' }, /deviceKey/],
    ];
    for (const [name, more, text] of rows) await refused(confirm(more), 'InvalidParameterException', text).catch((e) => assert.fail(`${name}: ${e.message}`));
    assert.deepEqual(await listed(s), []);
    assert.equal((await confirm()).UserConfirmationNecessary, false);
    await refused(confirm(), 'DeviceKeyExistsException');
    assert.equal(attribute((await s.api.getDevice({ AccessToken: made.AccessToken, DeviceKey })).Device, 'device_name'), 'desk');
    await refused(confirm({ AccessToken: made.IdToken }), 'NotAuthorizedException', 'Invalid Access Token');
    await refused(s.api.forgetDevice({ DeviceKey }), 'NotAuthorizedException');
});

test('a remembered device stands for the second factor where the pool says so, and nowhere else', async (t) => {
    const server = await start(t);
    for (const ChallengeRequiredOnNewDevice of [true, false]) {
        const s = await poolOf(server, { pool: { DeviceConfiguration: { ChallengeRequiredOnNewDevice, DeviceOnlyRememberedOnUserPrompt: false } } });
        await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true } });
        await addUser(s, 'ada');
        const { AuthenticationResult: { AccessToken } } = await signIn(s, 'ada');
        const { SecretCode } = await s.api.associateSoftwareToken({ AccessToken });
        const code = async () => totp(SecretCode, await nextStep(server));
        await s.api.verifySoftwareToken({ AccessToken, UserCode: await code() });
        await s.api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ada', SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });

        const home = browser(s);
        const first = await authenticate(home.user());
        await first.totp(await code());
        assert.deepEqual(home.asked, ['InitiateAuth', 'PASSWORD_VERIFIER', 'SOFTWARE_TOKEN_MFA', 'ConfirmDevice']);
        home.asked.length = 0;
        const factors = ['InitiateAuth', 'PASSWORD_VERIFIER', 'DEVICE_SRP_AUTH', 'DEVICE_PASSWORD_VERIFIER'];
        // this client takes DEVICE_PASSWORD_VERIFIER for the end, as it is with ChallengeRequiredOnNewDevice
        const again = await authenticate(home.user()).catch((error) => error);
        assert.deepEqual(home.asked, factors);
        assert.equal(Boolean(again.session?.getAccessToken().getJwtToken()), ChallengeRequiredOnNewDevice);

        // the device alone is nothing: without its proof the second factor is asked, and a stranger's key is no device
        await s.api.adminUpdateDeviceStatus({ UserPoolId: s.poolId, Username: 'ada', DeviceKey: keyIn(home), DeviceRememberedStatus: 'not_remembered' });
        assert.equal((await signIn(s, 'ada', PASSWORD, { DEVICE_KEY: keyIn(home) })).ChallengeName, 'SOFTWARE_TOKEN_MFA');
        await none(signIn(s, 'ada', PASSWORD, { DEVICE_KEY: NOWHERE }));
        assert.equal((await signIn(s, 'ada')).ChallengeName, 'SOFTWARE_TOKEN_MFA');
    }
});

test('every flow: a device that is named at any step is asked before the tokens', async (t) => {
    const s = await setUp(t, undefined, { client: { ExplicitAuthFlows: ['ALLOW_USER_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH'] } });
    const home = browser(s);
    await authenticate(home.user());
    const DEVICE_KEY = keyIn(home), { poolId: UserPoolId, clientId: ClientId } = s;
    const begin = (AuthFlow, more) => s.api.initiateAuth({ ClientId, AuthFlow, AuthParameters: { USERNAME: 'ada', ...more } });
    const answer = async (asked, more) => {
        const { ChallengeName, Session } = await asked;
        return s.api.respondToAuthChallenge({ ClientId, ChallengeName, Session, ChallengeResponses: { USERNAME: 'ada', ...more } });
    };
    const rows = [
        ['USER_PASSWORD_AUTH', () => begin('USER_PASSWORD_AUTH', { PASSWORD, DEVICE_KEY })],
        ['ADMIN_USER_PASSWORD_AUTH', () => s.api.adminInitiateAuth({ UserPoolId, ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD, DEVICE_KEY } })],
        ['USER_AUTH at once', () => begin('USER_AUTH', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD, DEVICE_KEY })],
        ['USER_AUTH, named at the beginning', () => answer(begin('USER_AUTH', { DEVICE_KEY }), { ANSWER: 'PASSWORD', PASSWORD })],
        ['USER_AUTH, named with the answer', () => answer(begin('USER_AUTH', {}), { ANSWER: 'PASSWORD', PASSWORD, DEVICE_KEY })],
    ];
    for (const [name, act] of rows) assert.equal((await act()).ChallengeName, 'DEVICE_SRP_AUTH', name);
    // one that is nobody's: an error where it is sent, forgotten when it was sent before
    await none(answer(begin('USER_AUTH', {}), { ANSWER: 'PASSWORD', PASSWORD, DEVICE_KEY: NOWHERE }));
    const { AuthenticationResult } = await answer(begin('USER_AUTH', { DEVICE_KEY: NOWHERE }), { ANSWER: 'PASSWORD', PASSWORD });
    assert.notEqual(claims(AuthenticationResult.AccessToken).device_key, NOWHERE);
    assert.ok(AuthenticationResult.NewDeviceMetadata);
    // and a wrong password says nothing about devices
    await refused(begin('USER_PASSWORD_AUTH', { PASSWORD: `${PASSWORD}x`, DEVICE_KEY: NOWHERE }), 'NotAuthorizedException', 'Incorrect username or password.');
});

test('refreshing wants the device that the sign-in was for', async (t) => {
    const s = await setUp(t);
    const { AuthenticationResult: made } = await signIn(s, 'ada');
    const refresh = (more) => s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: made.RefreshToken, ...more } });
    const exchange = (more) => s.api.getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: made.RefreshToken, ...more });
    for (const call of [() => refresh({}), () => refresh({ DEVICE_KEY: NOWHERE }), () => exchange({}), () => exchange({ DeviceKey: NOWHERE })])
        await refused(call(), 'NotAuthorizedException', 'Invalid Refresh Token');
    const { DeviceKey } = made.NewDeviceMetadata;
    for (const call of [() => refresh({ DEVICE_KEY: DeviceKey }), () => exchange({ DeviceKey })]) {
        const { AuthenticationResult } = await call();
        assert.equal(claims(AuthenticationResult.AccessToken).device_key, DeviceKey);
        assert.equal(AuthenticationResult.NewDeviceMetadata, undefined);
    }
});

test('without DeviceConfiguration, and for administrators, there are no devices', async (t) => {
    const s = await setUp(t);
    const admin = (await s.api.adminInitiateAuth({ UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD } })).AuthenticationResult;
    assert.deepEqual([admin.NewDeviceMetadata, claims(admin.AccessToken).device_key], [undefined, undefined]);
    await s.api.updateUserPool({ UserPoolId: s.poolId });
    const { AuthenticationResult } = await signIn(s, 'ada', PASSWORD, { DEVICE_KEY: NOWHERE });
    assert.deepEqual([AuthenticationResult.NewDeviceMetadata, claims(AuthenticationResult.AccessToken).device_key], [undefined, undefined]);
    await refused(s.api.confirmDevice({ AccessToken: AuthenticationResult.AccessToken, DeviceKey: NOWHERE }), 'InvalidParameterException', 'Invalid device key given.');
});

test('administrators and users see and change the same; others\' devices are not there', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'bob');
    const homes = [browser(s), browser(s), browser(s)];
    for (const home of homes) await authenticate(home.user());
    const keys = homes.map(keyIn).sort();
    const UserPoolId = s.poolId, Username = 'ada';
    const page = await s.api.adminListDevices({ UserPoolId, Username, Limit: 2 });
    const rest = await s.api.adminListDevices({ UserPoolId, Username, Limit: 2, PaginationToken: page.PaginationToken });
    assert.deepEqual([...page.Devices, ...rest.Devices].map((d) => d.DeviceKey), keys);
    assert.equal(rest.PaginationToken, undefined);
    const bobs = (await signIn(s, 'bob')).AuthenticationResult;
    await none(s.api.getDevice({ AccessToken: bobs.AccessToken, DeviceKey: keys[0] }));
    await none(s.api.forgetDevice({ AccessToken: bobs.AccessToken, DeviceKey: keys[0] }));
    await none(s.api.updateDeviceStatus({ AccessToken: bobs.AccessToken, DeviceKey: keys[0], DeviceRememberedStatus: 'not_remembered' }));
    await none(s.api.adminGetDevice({ UserPoolId, Username: 'bob', DeviceKey: keys[0] }));
    await none(signIn(s, 'bob', PASSWORD, { DEVICE_KEY: keys[0] }));
    await refused(s.api.listDevices({ AccessToken: bobs.AccessToken, PaginationToken: page.PaginationToken }), 'InvalidParameterException');
    await refused(s.api.listDevices({ AccessToken: bobs.AccessToken, Limit: 61 }), 'InvalidParameterException');
    assert.deepEqual((await s.api.listDevices({ AccessToken: bobs.AccessToken, Limit: 0 })).Devices, []);

    await s.api.adminUpdateDeviceStatus({ UserPoolId, Username, DeviceKey: keys[0], DeviceRememberedStatus: 'not_remembered' });
    assert.equal(attribute((await s.api.adminGetDevice({ UserPoolId, Username, DeviceKey: keys[0] })).Device, 'dev:device_remembered_status'), 'not_remembered');
    await refused(s.api.adminUpdateDeviceStatus({ UserPoolId, Username, DeviceKey: keys[0], DeviceRememberedStatus: 'maybe' }), 'InvalidParameterException');
    await refused(s.api.adminListDevices({ UserPoolId, Username: 'nobody' }), 'UserNotFoundException', 'User does not exist.');
    await s.api.adminDeleteUser({ UserPoolId, Username });
    await addUser(s, 'ada');
    assert.deepEqual(await listed(s), []);
});

test('functions of the pool hear of devices: newDeviceUsed, TokenGeneration_AuthenticateDevice', async (t) => {
    const s = await setUp(t);
    const hooks = await hookUp(t, s, ['PostAuthentication', 'PreTokenGeneration']);
    const heard = () => hooks.events.splice(0).map((event) => event.request.newDeviceUsed ?? event.triggerSource);
    const home = browser(s);
    await authenticate(home.user());
    assert.deepEqual(heard(), [true, 'TokenGeneration_Authentication']);
    const { session } = await authenticate(home.user());
    assert.deepEqual(heard(), [false, 'TokenGeneration_AuthenticateDevice']);
    await s.api.getTokensFromRefreshToken({ ClientId: s.clientId, RefreshToken: session.getRefreshToken().getToken(), DeviceKey: keyIn(home), ClientMetadata: { why: 'old' } });
    assert.deepEqual(hooks.events[0].request.clientMetadata, { why: 'old' });
    assert.deepEqual(heard(), ['TokenGeneration_RefreshTokens']);
    await authenticate(browser(s).user());
    assert.deepEqual(heard(), [true, 'TokenGeneration_Authentication']);
});

test('devices go along when a pool moves to another server', async (t) => {
    const s = await setUp(t);
    const home = browser(s), file = path.join(scratch(t), 'pool.export');
    await authenticate(home.user());
    const pool = async (server, ...args) => {
        const { code, stderr } = await run(binary(), ['pool', ...args], { env: { AWS_ENDPOINT_URL: server.url, GATEHOUSE_PASSPHRASE: 'correct horse battery' } });
        assert.equal(code, 0, stderr);
    };
    await pool(s.server, 'export', s.poolId, file);
    const server = await start(t);
    await pool(server, 'import', file);
    const there = browser({ ...s, server }, home.kept);
    await authenticate(there.user());
    assert.deepEqual(there.asked, ['InitiateAuth', 'PASSWORD_VERIFIER', 'DEVICE_SRP_AUTH', 'DEVICE_PASSWORD_VERIFIER']);
});
