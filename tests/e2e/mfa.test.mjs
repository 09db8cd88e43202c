// Second factors: what pools and users can set, what sign-ins ask for, what guesses and old codes are told.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';

import { ALL_FLOWS, PASSWORD, addPool, addUser, advance, raw, refused, setOptions, setUp, signIn } from './support/userpool.mjs';
import { base32, nextStep, totp, wrong } from './support/totp.mjs';

const SMS = { SnsCallerArn: 'arn:aws:iam::000000000000:role/sms', ExternalId: 'x' };
const DEVELOPER = { EmailSendingAccount: 'DEVELOPER', SourceArn: 'arn:aws:ses:us-east-1:000000000000:identity/me@example.org' };
const TOKEN = { Enabled: true };
const ANN = { email: 'ann@example.org', email_verified: 'true', phone_number: '+15550001234', phone_number_verified: 'true' };

// Pool with these factors: 'sms', 'token', 'email'.
async function mfaPool(server, mode, factors, more = {}) {
    const pool = { ...(factors.includes('sms') && { SmsConfiguration: SMS }), ...(factors.includes('email') && { EmailConfiguration: DEVELOPER }), ...more.pool };
    const s = await addPool(server, { ...more, pool });
    await s.api.setUserPoolMfaConfig({
        UserPoolId: s.poolId, MfaConfiguration: mode,
        ...(factors.includes('sms') && { SmsMfaConfiguration: { SmsAuthenticationMessage: 'Shop code {####}', SmsConfiguration: SMS } }),
        ...(factors.includes('token') && { SoftwareTokenMfaConfiguration: TOKEN }),
        ...(factors.includes('email') && { EmailMfaConfiguration: { Message: 'Your shop code: {####}', Subject: 'Shop sign-in' } }),
    });
    return s;
}
const answer = ({ api, clientId }, ChallengeName, Session, responses) =>
    api.respondToAuthChallenge({ ClientId: clientId, ChallengeName, Session, ChallengeResponses: responses });
const prefer = ({ api, poolId }, Username, settings) => api.adminSetUserMFAPreference({ UserPoolId: poolId, Username, ...settings });

// Associates and verifies an app by access token; gives the secret.
async function addApp(s, username, prefers = true) {
    const { AuthenticationResult: { AccessToken } } = await signIn(s, username);
    const { SecretCode } = await s.api.associateSoftwareToken({ AccessToken });
    const at = await nextStep(s.server);
    await s.api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, at), FriendlyDeviceName: `${username}'s phone` });
    if (prefers) await prefer(s, username, { SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
    return { SecretCode, AccessToken };
}

test('a pool says what it does about MFA, and refuses what does not go together in AWS\'s words', async (t) => {
    const s = await setUp(t);
    const { api, poolId: UserPoolId } = s;
    const set = (more) => api.setUserPoolMfaConfig({ UserPoolId, ...more });
    const plain = ({ $metadata, ...rest }) => rest;
    assert.deepEqual(plain(await api.getUserPoolMfaConfig({ UserPoolId })), { MfaConfiguration: 'OFF' });
    const together = 'Invalid MFA configuration given, can\'t turn off MFA and configure an MFA together.';
    const none = 'Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be enabled.';
    const sms = 'SMS configuration and Auto verification for phone_number are required when MFA is required/optional';
    const rows = [
        [{ MfaConfiguration: 'OFF', SoftwareTokenMfaConfiguration: TOKEN }, together],
        [{ MfaConfiguration: 'OFF', SoftwareTokenMfaConfiguration: { Enabled: false } }, together],
        [{ SoftwareTokenMfaConfiguration: TOKEN }, together],
        [{ MfaConfiguration: 'OFF', EmailMfaConfiguration: { Message: 'x {####}', Subject: 's' } }, together],
        [{ MfaConfiguration: 'ON' }, none],
        [{ MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: false } }, none],
        [{ MfaConfiguration: 'ON', SmsMfaConfiguration: { SmsAuthenticationMessage: 'Code {####}' } }, sms],
        [{ MfaConfiguration: 'ON', EmailMfaConfiguration: { Message: 'x {####}', Subject: 's' } },
            'Cannot set EmailMfaConfiguration when user pool EmailConfiguration contains an EmailSendingAccount of COGNITO_DEFAULT.'],
        [{ MfaConfiguration: 'SOMETIMES', SoftwareTokenMfaConfiguration: TOKEN }, /Member must satisfy enum value set/],
        [{ MfaConfiguration: 'ON', SmsMfaConfiguration: { SmsAuthenticationMessage: 'no mark' } }, /failed to satisfy constraint/],
    ];
    for (const [more, message] of rows) await refused(set(more), 'InvalidParameterException', message);
    assert.equal((await api.getUserPoolMfaConfig({ UserPoolId })).MfaConfiguration, 'OFF', 'what was refused changed nothing');
    await refused(api.getUserPoolMfaConfig({ UserPoolId: 'us-east-1_nobody000' }), 'ResourceNotFoundException');

    assert.deepEqual(plain(await set({ MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration: TOKEN })),
        { MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration: TOKEN });
    const both = { MfaConfiguration: 'OPTIONAL', SmsMfaConfiguration: { SmsAuthenticationMessage: 'Code {####}', SmsConfiguration: SMS }, SoftwareTokenMfaConfiguration: TOKEN };
    await set(both);
    await s.server.restart();
    assert.deepEqual(plain(await api.getUserPoolMfaConfig({ UserPoolId })), both);
    assert.equal((await api.describeUserPool({ UserPoolId })).UserPool.MfaConfiguration, 'OPTIONAL');
    await set({ MfaConfiguration: 'OFF' });
    assert.deepEqual(plain(await api.getUserPoolMfaConfig({ UserPoolId })), { MfaConfiguration: 'OFF' });

    // CreateUserPool and UpdateUserPool know SMS only
    await refused(api.createUserPool({ PoolName: 'x', MfaConfiguration: 'ON' }), 'InvalidParameterException', sms);
    const { UserPool } = await api.createUserPool({ PoolName: 'x', MfaConfiguration: 'OPTIONAL', SmsConfiguration: SMS });
    assert.deepEqual((await api.getUserPoolMfaConfig({ UserPoolId: UserPool.Id })).SmsMfaConfiguration, { SmsConfiguration: SMS });
    await refused(api.updateUserPool({ UserPoolId, MfaConfiguration: 'ON' }), 'InvalidParameterException', sms);
    await set({ MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration: TOKEN });
    await api.updateUserPool({ UserPoolId, MfaConfiguration: 'OPTIONAL' });
    assert.deepEqual(plain(await api.getUserPoolMfaConfig({ UserPoolId })), { MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: TOKEN });
});

test('MFA required and codes as a first factor exclude each other, as measured on AWS', async (t) => {
    const { server, api } = await setUp(t);
    for (const [factors, mode, message] of [
        [['PASSWORD', 'EMAIL_OTP'], 'ON', 'Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled'],
        [['PASSWORD', 'SMS_OTP'], 'ON', 'Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled'],
        [['PASSWORD', 'EMAIL_OTP'], 'OPTIONAL', null],
        [['PASSWORD', 'SMS_OTP'], 'OPTIONAL', null],
    ]) {
        const { poolId } = await addPool(server, { pool: { Policies: { SignInPolicy: { AllowedFirstAuthFactors: factors } } } });
        const set = api.setUserPoolMfaConfig({ UserPoolId: poolId, MfaConfiguration: mode, SoftwareTokenMfaConfiguration: TOKEN });
        await (message ? refused(set, 'InvalidParameterException', message) : set);
    }
    const policies = (list) => ({ Policies: { SignInPolicy: { AllowedFirstAuthFactors: list } } });
    await refused(api.createUserPool({ PoolName: 'x', ...policies(['EMAIL_OTP']) }), 'InvalidParameterException',
        'Password should be configured as one of the allowed first auth factors.');
    await refused(api.createUserPool({ PoolName: 'x', ...policies(['PASSWORD', 'SOFTWARE_TOKEN']) }), 'InvalidParameterException', /SOFTWARE_TOKEN/);
    await refused(api.createUserPool({ PoolName: 'x', UserPoolTier: 'LITE', ...policies(['PASSWORD', 'EMAIL_OTP']) }), 'FeatureUnavailableInTierException',
        'The following features need to be disabled for the LITE pricing tier configured: Passwordless Sign-In');
});

test('an authenticator app: associated, verified, asked for; each code once, one step either way', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['token']);
    const { api, poolId: UserPoolId } = s;
    await addUser(s, 'ann', { attributes: ANN });
    const { AuthenticationResult: { AccessToken } } = await signIn(s, 'ann');

    await refused(prefer(s, 'ann', { SoftwareTokenMfaSettings: { Enabled: true } }), 'InvalidParameterException',
        'User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA');
    await refused(api.verifySoftwareToken({ AccessToken, UserCode: '123456' }), 'SoftwareTokenMFANotFoundException');
    await refused(api.associateSoftwareToken({}), 'InvalidParameterException');
    await refused(api.associateSoftwareToken({ AccessToken: 'eyJ.no.token' }), 'NotAuthorizedException', 'Invalid Access Token');
    await refused(api.associateSoftwareToken({ Session: 'x'.repeat(40) }), 'NotAuthorizedException', 'Invalid session for the user.');
    const { SecretCode } = await api.associateSoftwareToken({ AccessToken });
    assert.match(SecretCode, /^[A-Z2-7]{52}$/);
    let now = await nextStep(server);
    await refused(api.verifySoftwareToken({ AccessToken, UserCode: wrong(totp(SecretCode, now)) }), 'EnableSoftwareTokenMFAException',
        'Code mismatch and fail enable Software Token MFA');
    await refused(api.verifySoftwareToken({ AccessToken, UserCode: '12345' }), 'InvalidParameterException');
    assert.equal((await signIn(s, 'ann')).AuthenticationResult.TokenType, 'Bearer', 'an app that is not verified changes nothing');
    assert.equal((await api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, now), FriendlyDeviceName: 'my phone' })).Status, 'SUCCESS');
    assert.ok((await signIn(s, 'ann')).AuthenticationResult, 'verified, not wanted yet');

    await api.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
    const me = await api.getUser({ AccessToken });
    assert.deepEqual([me.UserMFASettingList, me.PreferredMfaSetting, me.MFAOptions], [['SOFTWARE_TOKEN_MFA'], 'SOFTWARE_TOKEN_MFA', undefined]);
    const seen = await api.adminGetUser({ UserPoolId, Username: 'ann' });
    assert.deepEqual([seen.UserMFASettingList, seen.PreferredMfaSetting], [['SOFTWARE_TOKEN_MFA'], 'SOFTWARE_TOKEN_MFA']);

    const asked = await signIn(s, 'ann');
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    assert.deepEqual(asked.ChallengeParameters, { USER_ID_FOR_SRP: 'ann', FRIENDLY_DEVICE_NAME: 'my phone' });
    const code = (session, value, more = {}) => answer(s, 'SOFTWARE_TOKEN_MFA', session, { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: value, ...more });
    await refused(code(asked.Session, totp(SecretCode, now)), 'ExpiredCodeException', 'Your software token has already been used once.'); // by VerifySoftwareToken
    await refused(answer(s, 'SOFTWARE_TOKEN_MFA', asked.Session, { USERNAME: 'ann' }), 'InvalidParameterException', 'Missing required parameter SOFTWARE_TOKEN_MFA_CODE');

    now = await nextStep(server);
    for (const [at, good] of [[now - 60, false], [now + 60, false], [now - 30, true], [now + 30, true], [now, true]]) {
        const { Session } = await signIn(s, 'ann');
        if (!good) await refused(code(Session, totp(SecretCode, at)), 'CodeMismatchException', 'Invalid code received for user');
        else {
            assert.ok((await code(Session, totp(SecretCode, at))).AuthenticationResult.RefreshToken);
            await refused(code(Session, totp(SecretCode, at)), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
            await refused(code((await signIn(s, 'ann')).Session, totp(SecretCode, at)), 'ExpiredCodeException', 'Your software token has already been used once.');
        }
    }
    // at once: one of them is let in
    now = await nextStep(server);
    const sessions = await Promise.all([1, 2, 3, 4].map(() => signIn(s, 'ann')));
    const tries = await Promise.allSettled(sessions.map(({ Session }) => code(Session, totp(SecretCode, now))));
    assert.equal(tries.filter((one) => one.status === 'fulfilled').length, 1);
    assert.ok(tries.every((one) => one.status === 'fulfilled' || one.reason.name === 'ExpiredCodeException'));

    // a new app takes the old one's place when it is verified, not before
    const next = await api.associateSoftwareToken({ AccessToken });
    now = await nextStep(server);
    assert.ok((await code((await signIn(s, 'ann')).Session, totp(SecretCode, now))).AuthenticationResult);
    now = await nextStep(server);
    await api.verifySoftwareToken({ AccessToken, UserCode: totp(next.SecretCode, now) });
    now = await nextStep(server);
    await refused(code((await signIn(s, 'ann')).Session, totp(SecretCode, now)), 'CodeMismatchException');
    assert.ok((await code((await signIn(s, 'ann')).Session, totp(next.SecretCode, now))).AuthenticationResult);

    // "users who have set up TOTP can use it for MFA, even if you deactivate TOTP for the user pool later"
    await api.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration: 'OPTIONAL', SmsMfaConfiguration: { SmsConfiguration: SMS } });
    assert.equal((await signIn(s, 'ann')).ChallengeName, 'SOFTWARE_TOKEN_MFA');
    await refused(api.associateSoftwareToken({ AccessToken }), 'SoftwareTokenMFANotFoundException', 'Software Token MFA has not been enabled by the userPool');
    await api.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: TOKEN });


    // gone altogether: no preference, no list, no secret
    assert.deepEqual(await raw(server).adminGetUserAuthFactors({ UserPoolId, Username: 'ann' }), {
        Username: 'ann', PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA', UserMFASettingList: ['SOFTWARE_TOKEN_MFA'], ConfiguredUserAuthFactors: ['PASSWORD', 'SOFTWARE_TOKEN'],
    });
    assert.deepEqual(await raw(server).adminDeleteSoftwareToken({ UserPoolId, Username: 'ann' }), {});
    assert.deepEqual(await raw(server).adminGetUserAuthFactors({ UserPoolId, Username: 'ann' }), { Username: 'ann', ConfiguredUserAuthFactors: ['PASSWORD'] });
    assert.ok((await signIn(s, 'ann')).AuthenticationResult);
    await refused(prefer(s, 'ann', { SoftwareTokenMfaSettings: { Enabled: true } }), 'InvalidParameterException');
    await refused(raw(server).adminDeleteSoftwareToken({ UserPoolId, Username: 'nobody' }), 'UserNotFoundException', 'User does not exist.');
    await api.signUp({ ClientId: s.clientId, Username: 'new', Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: 'new@example.org' }] });
    await refused(raw(server).adminDeleteSoftwareToken({ UserPoolId, Username: 'new' }), 'UserNotConfirmedException', 'User is not confirmed.');
});

test('guesses: five a sign-in, another\'s session, the lock-out that follows (d69)', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['token', 'sms']);
    for (const name of ['ann', 'bob']) await addUser(s, name, { attributes: { ...ANN, email: `${name}@example.org` } });
    const { SecretCode } = await addApp(s, 'ann');
    const bob = await addApp(s, 'bob');
    const code = (session, value, USERNAME = 'ann') => answer(s, 'SOFTWARE_TOKEN_MFA', session, { USERNAME, SOFTWARE_TOKEN_MFA_CODE: value });
    await setOptions(s, { lockoutAfterFailures: 1000 });

    let now = await nextStep(server);
    const { Session } = await signIn(s, 'ann');
    await refused(code(Session, totp(bob.SecretCode, now)), 'CodeMismatchException'); // another user's code
    await refused(code(Session, totp(bob.SecretCode, now), 'bob'), 'NotAuthorizedException', 'Invalid session for the user.');
    for (let i = 0; i < 4; i++) await refused(code(Session, wrong(totp(SecretCode, now))), 'CodeMismatchException', 'Invalid code received for user');
    await refused(code(Session, totp(SecretCode, now)), 'NotAuthorizedException', 'Invalid session for the user.'); // right, too late

    // many at once on one session: no more than five are judged
    const again = await signIn(s, 'ann');
    const guesses = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => code(again.Session, String(i).padStart(6, '0'))));
    const judged = guesses.filter((one) => one.reason?.name === 'CodeMismatchException').length;
    assert.ok(judged >= 5 && judged <= 12, `${judged} of 40 were judged`); // those under way when the fifth was counted
    await refused(code(again.Session, totp(SecretCode, now)), 'NotAuthorizedException', 'Invalid session for the user.');

    // "After five unsuccessful attempts to present an MFA code, Amazon Cognito begins the exponential-timeout lockout"
    await setOptions(s, { lockoutAfterFailures: null });
    await advance(server, 3600);
    now = await nextStep(server);
    const third = await signIn(s, 'ann');
    for (let i = 0; i < 5; i++) await refused(code(third.Session, wrong(totp(SecretCode, now))), 'CodeMismatchException');
    await refused(signIn(s, 'ann'), 'NotAuthorizedException', 'Password attempts exceeded');
    await advance(server, 3600);
    now = await nextStep(server);
    assert.ok((await code((await signIn(s, 'ann')).Session, totp(SecretCode, now))).AuthenticationResult);
});

test('codes by SMS and mail: whom they go to, how long they are good, that they prove an address (d70)', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['sms', 'email'], { client: { AuthSessionValidity: 5 } });
    const { api, poolId: UserPoolId } = s;
    await addUser(s, 'ann', { attributes: { email: 'ann@example.org', phone_number: '+15550001234' } }); // neither verified
    await prefer(s, 'ann', { SMSMfaSettings: { Enabled: true } });
    assert.deepEqual((await api.adminGetUser({ UserPoolId, Username: 'ann' })).MFAOptions, [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }]);
    assert.deepEqual((await api.listUsers({ UserPoolId })).Users[0].MFAOptions, [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }]);

    const asked = await signIn(s, 'ann');
    assert.equal(asked.ChallengeName, 'SMS_MFA');
    assert.deepEqual(asked.ChallengeParameters, { CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS', CODE_DELIVERY_DESTINATION: '+*******1234', USER_ID_FOR_SRP: 'ann' });
    const [message] = (await server.outbox('+15550001234')).slice(-1);
    assert.match(message.code, /^\d{6}$/);
    assert.equal(message.body, `Shop code ${message.code}`);
    const sms = (session, code) => answer(s, 'SMS_MFA', session, { USERNAME: 'ann', SMS_MFA_CODE: code });
    await refused(sms(asked.Session, wrong(message.code)), 'CodeMismatchException', 'Invalid code or auth state for the user.');
    await refused(sms((await signIn(s, 'ann')).Session, message.code), 'CodeMismatchException', 'Invalid code or auth state for the user.'); // of another sign-in
    await refused(answer(s, 'SMS_MFA', asked.Session, { USERNAME: 'ann' }), 'InvalidParameterException', 'Missing required parameter SMS_MFA_CODE');
    await refused(answer(s, 'SOFTWARE_TOKEN_MFA', asked.Session, { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: '123456' }), 'NotAuthorizedException', 'Invalid session for the user.');
    await refused(answer(s, 'SMS_MFA', undefined, { USERNAME: 'ann', SMS_MFA_CODE: message.code }), 'InvalidParameterException', 'Missing required parameter Session');
    const done = await sms(asked.Session, message.code);
    assert.ok(done.AuthenticationResult.AccessToken);
    assert.deepEqual(done.ChallengeParameters, {});
    await refused(sms(asked.Session, message.code), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    const proven = Object.fromEntries((await api.adminGetUser({ UserPoolId, Username: 'ann' })).UserAttributes.map((a) => [a.Name, a.Value]));
    assert.equal(proven.phone_number_verified, 'true');
    assert.notEqual(proven.email_verified, 'true');

    // AuthSessionValidity 5 minutes, one second either way
    for (const [seconds, good] of [[298, true], [301, false]]) {
        const { Session } = await signIn(s, 'ann');
        const code = await server.code('+15550001234');
        await advance(server, seconds);
        if (good) assert.ok((await sms(Session, code)).AuthenticationResult);
        else await refused(sms(Session, code), 'NotAuthorizedException', 'Invalid session for the user, session is expired.');
    }

    await prefer(s, 'ann', { SMSMfaSettings: { Enabled: false }, EmailMfaSettings: { Enabled: true, PreferredMfa: true } });
    const mail = await signIn(s, 'ann');
    assert.equal(mail.ChallengeName, 'EMAIL_OTP');
    assert.deepEqual(mail.ChallengeParameters, { CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL', CODE_DELIVERY_DESTINATION: 'a***@e***' });
    const [letter] = (await server.outbox('ann@example.org')).slice(-1);
    assert.deepEqual([letter.subject, letter.body], ['Shop sign-in', `Your shop code: ${letter.code}`]);
    assert.ok((await answer(s, 'EMAIL_OTP', mail.Session, { USERNAME: 'ann', EMAIL_OTP_CODE: letter.code })).AuthenticationResult);

    // who was disabled meanwhile does not get in, whatever the code
    const late = await signIn(s, 'ann');
    await api.adminDisableUser({ UserPoolId, Username: 'ann' });
    await refused(answer(s, 'EMAIL_OTP', late.Session, { USERNAME: 'ann', EMAIL_OTP_CODE: await server.code('ann@example.org') }), 'NotAuthorizedException', 'User is disabled.');
});

test('several factors: the preferred one, or a choice', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['sms', 'token', 'email']);
    const { api, poolId: UserPoolId } = s;
    await addUser(s, 'ann', { attributes: ANN });
    const { SecretCode, AccessToken } = await addApp(s, 'ann', false);
    const wants = (settings) => api.setUserMFAPreference({ AccessToken, ...settings });
    const state = async () => {
        const { UserMFASettingList, PreferredMfaSetting } = await api.getUser({ AccessToken });
        return [UserMFASettingList, PreferredMfaSetting];
    };
    await refused(wants({ SMSMfaSettings: { Enabled: true, PreferredMfa: true }, EmailMfaSettings: { Enabled: true, PreferredMfa: true } }), 'InvalidParameterException');
    await refused(wants({ SMSMfaSettings: { Enabled: false, PreferredMfa: true } }), 'InvalidParameterException');
    assert.deepEqual(await state(), [undefined, undefined]);
    await wants({ SMSMfaSettings: { Enabled: true, PreferredMfa: true }, SoftwareTokenMfaSettings: { Enabled: true } });
    assert.deepEqual(await state(), [['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], 'SMS_MFA']);
    assert.equal((await signIn(s, 'ann')).ChallengeName, 'SMS_MFA');
    await wants({ SMSMfaSettings: { Enabled: true } }); // says nothing about the preference
    assert.deepEqual(await state(), [['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], 'SMS_MFA']);
    await wants({ SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
    assert.deepEqual(await state(), [['SMS_MFA', 'SOFTWARE_TOKEN_MFA'], 'SOFTWARE_TOKEN_MFA']);
    await wants({ SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: false }, EmailMfaSettings: { Enabled: true } });
    assert.deepEqual(await state(), [['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], undefined]);

    const asked = await signIn(s, 'ann');
    assert.equal(asked.ChallengeName, 'SELECT_MFA_TYPE');
    assert.deepEqual(asked.ChallengeParameters, { MFAS_CAN_CHOOSE: '["SMS_MFA","SOFTWARE_TOKEN_MFA","EMAIL_OTP"]', USER_ID_FOR_SRP: 'ann' });
    const select = (ANSWER, session = asked.Session) => answer(s, 'SELECT_MFA_TYPE', session, { USERNAME: 'ann', ...(ANSWER && { ANSWER }) });
    await refused(select('CARRIER_PIGEON'), 'InvalidParameterException');
    await refused(select(), 'InvalidParameterException', 'Missing required parameter ANSWER');
    for (const [chosen, challenge, response, code] of [
        ['SMS_MFA', 'SMS_MFA', 'SMS_MFA_CODE', () => server.code(ANN.phone_number)],
        ['EMAIL_OTP', 'EMAIL_OTP', 'EMAIL_OTP_CODE', () => server.code(ANN.email)],
        ['EMAIL_MFA', 'EMAIL_OTP', 'EMAIL_OTP_CODE', () => server.code(ANN.email)],
        ['SOFTWARE_TOKEN_MFA', 'SOFTWARE_TOKEN_MFA', 'SOFTWARE_TOKEN_MFA_CODE', async () => totp(SecretCode, await nextStep(server))],
    ]) {
        const next = await select(chosen, (await signIn(s, 'ann')).Session);
        assert.equal(next.ChallengeName, challenge);
        assert.ok((await answer(s, challenge, next.Session, { USERNAME: 'ann', [response]: await code() })).AuthenticationResult.IdToken);
    }

    // the older operations know SMS only
    await api.setUserSettings({ AccessToken, MFAOptions: [] });
    assert.deepEqual((await state())[0], ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP']);
    await api.adminSetUserSettings({ UserPoolId, Username: 'ann', MFAOptions: [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }] });
    assert.deepEqual((await state())[0], ['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP']);
    await refused(api.setUserSettings({ AccessToken, MFAOptions: [{ DeliveryMedium: 'EMAIL', AttributeName: 'email' }] }), 'InvalidParameterException');
    await addUser(s, 'bare', { attributes: {} });
    await refused(api.adminSetUserSettings({ UserPoolId, Username: 'bare', MFAOptions: [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }] }),
        'InvalidParameterException', 'User does not have delivery config set to turn on SMS_MFA');

    const factors = await api.getUserAuthFactors({ AccessToken });
    assert.deepEqual([factors.Username, factors.UserMFASettingList, factors.ConfiguredUserAuthFactors],
        ['ann', ['SMS_MFA', 'SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'], ['PASSWORD', 'EMAIL_OTP', 'SMS_OTP', 'SOFTWARE_TOKEN']]);
    await wants({ SMSMfaSettings: { Enabled: false }, SoftwareTokenMfaSettings: { Enabled: false }, EmailMfaSettings: { Enabled: false } });
    assert.ok((await signIn(s, 'ann')).AuthenticationResult, 'MFA is optional');
});

test('MFA required: what a user has counts, else it is set up on the way', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'ON', ['sms', 'token']);
    const { api } = s;
    await addUser(s, 'phone', { attributes: { phone_number: '+15550001111', phone_number_verified: 'true' } });
    assert.equal((await signIn(s, 'phone')).ChallengeName, 'SMS_MFA', 'a phone number is a factor by itself');

    await addUser(s, 'bare', { attributes: {} });
    const asked = await signIn(s, 'bare');
    assert.equal(asked.ChallengeName, 'MFA_SETUP');
    assert.deepEqual(asked.ChallengeParameters, { MFAS_CAN_SETUP: '["SMS_MFA","SOFTWARE_TOKEN_MFA"]', USER_ID_FOR_SRP: 'bare' });
    const setUpAnswer = (Session, more = {}) => answer(s, 'MFA_SETUP', Session, { USERNAME: 'bare', ...more });
    await refused(setUpAnswer(asked.Session), 'NotAuthorizedException', 'Invalid session for the user.');
    await refused(setUpAnswer(asked.Session, { EMAIL: 'me@example.org' }), 'InvalidParameterException'); // not offered here
    await refused(api.verifySoftwareToken({ Session: asked.Session, UserCode: '123456' }), 'SoftwareTokenMFANotFoundException');
    const app = await api.associateSoftwareToken({ Session: asked.Session });
    const now = await nextStep(server);
    await refused(api.verifySoftwareToken({ Session: app.Session, UserCode: wrong(totp(app.SecretCode, now)) }), 'CodeMismatchException', 'Code mismatch');
    await refused(setUpAnswer(app.Session), 'NotAuthorizedException', 'Invalid session for the user.'); // not verified
    const verified = await api.verifySoftwareToken({ Session: app.Session, UserCode: totp(app.SecretCode, now), FriendlyDeviceName: 'new' });
    assert.equal(verified.Status, 'SUCCESS');
    const { AuthenticationResult } = await setUpAnswer(verified.Session);
    assert.deepEqual((await api.getUser({ AccessToken: AuthenticationResult.AccessToken })).UserMFASettingList, ['SOFTWARE_TOKEN_MFA']);
    await refused(setUpAnswer(verified.Session), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    const next = await signIn(s, 'bare');
    assert.equal(next.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    await refused(answer(s, 'SOFTWARE_TOKEN_MFA', next.Session, { USERNAME: 'bare', SOFTWARE_TOKEN_MFA_CODE: totp(app.SecretCode, now) }),
        'ExpiredCodeException', 'Your software token has already been used once.');

    // after a temporary password, too
    await api.adminCreateUser({ UserPoolId: s.poolId, Username: 'fresh', TemporaryPassword: PASSWORD, MessageAction: 'SUPPRESS', UserAttributes: [{ Name: 'phone_number', Value: '+15550002222' }] });
    const first = await signIn(s, 'fresh');
    assert.equal(first.ChallengeName, 'NEW_PASSWORD_REQUIRED');
    const then = await answer(s, 'NEW_PASSWORD_REQUIRED', first.Session, { USERNAME: 'fresh', NEW_PASSWORD: 'Another-1843!' });
    assert.equal(then.ChallengeName, 'SMS_MFA');
    assert.ok((await answer(s, 'SMS_MFA', then.Session, { USERNAME: 'fresh', SMS_MFA_CODE: await server.code('+15550002222') })).AuthenticationResult);

    // a pool with SMS alone cannot set anything up; one whose recovery goes to the phone does not use it for MFA
    const smsOnly = await mfaPool(server, 'ON', ['sms']);
    await addUser(smsOnly, 'bare', { attributes: {} });
    await refused(signIn(smsOnly, 'bare'), 'MFAMethodNotFoundException');
    const recovery = { AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_phone_number', Priority: 1 }] } };
    const phoneRecovers = await mfaPool(server, 'ON', ['sms', 'token'], { pool: recovery });
    await addUser(phoneRecovers, 'ann', { attributes: ANN });
    assert.equal((await signIn(phoneRecovers, 'ann')).ChallengeName, 'MFA_SETUP');
});

test('MFA by mail is set up on the way: the address is the user\'s once its code came back', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'ON', ['email']);
    await addUser(s, 'bare', { attributes: {} });
    await addUser(s, 'ann', { attributes: ANN });
    assert.equal((await signIn(s, 'ann')).ChallengeName, 'EMAIL_OTP');
    const asked = await signIn(s, 'bare');
    assert.equal(asked.ChallengeParameters.MFAS_CAN_SETUP, '["EMAIL_OTP"]');
    await refused(answer(s, 'MFA_SETUP', asked.Session, { USERNAME: 'bare', EMAIL: 'no address' }), 'InvalidParameterException');
    const sent = await answer(s, 'MFA_SETUP', asked.Session, { USERNAME: 'bare', EMAIL: 'bare@example.org' });
    assert.equal(sent.ChallengeName, 'EMAIL_OTP');
    assert.equal(sent.ChallengeParameters.CODE_DELIVERY_DESTINATION, 'b***@e***');
    const before = await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'bare' });
    assert.ok(!before.UserAttributes.some(({ Name }) => Name === 'email'));
    const code = await server.code('bare@example.org');
    assert.ok((await answer(s, 'EMAIL_OTP', sent.Session, { USERNAME: 'bare', EMAIL_OTP_CODE: code })).AuthenticationResult);
    const after = await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'bare' });
    const attributes = Object.fromEntries(after.UserAttributes.map((a) => [a.Name, a.Value]));
    assert.deepEqual([attributes.email, attributes.email_verified, after.UserMFASettingList], ['bare@example.org', 'true', ['EMAIL_OTP']]);
    assert.equal((await signIn(s, 'bare')).ChallengeName, 'EMAIL_OTP');
});

test('a forgotten password\'s code does not go where the second factor\'s goes', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['sms', 'email']);
    await addUser(s, 'ann', { attributes: ANN });
    await addUser(s, 'phone', { attributes: { phone_number: '+15550003333', phone_number_verified: 'true' } });
    const forgot = (Username) => s.api.forgotPassword({ ClientId: s.clientId, Username }).then(({ CodeDeliveryDetails: to }) => to.AttributeName);
    assert.equal(await forgot('ann'), 'phone_number');
    await prefer(s, 'ann', { SMSMfaSettings: { Enabled: true } });
    assert.equal(await forgot('ann'), 'email');
    await prefer(s, 'ann', { SMSMfaSettings: { Enabled: false }, EmailMfaSettings: { Enabled: true } });
    assert.equal(await forgot('ann'), 'phone_number');
    await prefer(s, 'phone', { SMSMfaSettings: { Enabled: true } });
    await forgot('phone');
    assert.equal((await server.outbox('+15550003333')).length, 0, 'nowhere to send it, and the client hides that');
    const emailOnly = { AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }] } };
    await refused(mfaPool(server, 'ON', ['email'], { pool: emailOnly }), 'InvalidParameterException', 'Email MFA cannot be enabled when email is the only account recovery option.');
});

test('through the Admin operations, and what is kept of secrets: sealed, or not at all', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['sms', 'token']);
    const { api, poolId: UserPoolId, clientId: ClientId } = s;
    await addUser(s, 'ann', { attributes: ANN });
    const { SecretCode } = await addApp(s, 'ann');
    const asked = await api.adminInitiateAuth({ UserPoolId, ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ann', PASSWORD } });
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const code = totp(SecretCode, await nextStep(server));
    const done = await api.adminRespondToAuthChallenge({ UserPoolId, ClientId, ChallengeName: asked.ChallengeName, Session: asked.Session, ChallengeResponses: { USERNAME: 'ann', SOFTWARE_TOKEN_MFA_CODE: code } });
    assert.ok(done.AuthenticationResult.AccessToken);
    await prefer(s, 'ann', { SMSMfaSettings: { Enabled: true, PreferredMfa: true } });
    const { Session } = await signIn(s, 'ann');
    const sent = await server.code(ANN.phone_number);
    const seed = base32(SecretCode);
    const markers = [SecretCode, seed.toString('hex'), seed.toString('base64'), seed.toString('base64url'), Session];
    const files = fs.readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const texts = files.map((one) => fs.readFileSync(path.join(one.path ?? one.parentPath, one.name), 'latin1'));
    for (const text of [...texts, server.log()]) for (const marker of markers) assert.ok(!text.includes(marker));
    assert.ok(!server.log().includes(sent));
    assert.ok(texts.length > 1 && texts.some((text) => text.includes('SMS_MFA')), 'the database was read');
});

test('amazon-cognito-identity-js: an app set up in the session, codes, a choice of factors', async (t) => {
    const { server } = await setUp(t);
    const s = await mfaPool(server, 'OPTIONAL', ['sms', 'token']);
    await addUser(s, 'ann', { attributes: ANN });
    const Pool = new CognitoUserPool({ UserPoolId: s.poolId, ClientId: s.clientId, endpoint: server.url });
    // [what happened, its arguments]
    const authenticate = (user) => new Promise((resolve) => user.authenticateUser(new AuthenticationDetails({ Username: 'ann', Password: PASSWORD }),
        Object.fromEntries(['onSuccess', 'onFailure', 'mfaRequired', 'totpRequired', 'selectMFAType', 'mfaSetup'].map((name) => [name, (...args) => resolve([name, ...args])]))));
    const call = (fn) => new Promise((resolve, reject) => fn({ onSuccess: resolve, onFailure: reject, associateSecretCode: resolve }));

    let user = new CognitoUser({ Username: 'ann', Pool });
    assert.equal((await authenticate(user))[0], 'onSuccess');
    const secret = await call((callbacks) => user.associateSoftwareToken(callbacks));
    let now = await nextStep(server);
    await call((callbacks) => user.verifySoftwareToken(totp(secret, now), 'phone', callbacks));
    const preference = (sms, app) => new Promise((resolve, reject) => user.setUserMfaPreference(sms, app, (error, result) => (error ? reject(error) : resolve(result))));
    assert.equal(await preference(null, { Enabled: true, PreferredMfa: true }), 'SUCCESS');

    user = new CognitoUser({ Username: 'ann', Pool });
    assert.equal((await authenticate(user))[0], 'totpRequired');
    now = await nextStep(server);
    await assert.rejects(call((callbacks) => user.sendMFACode(wrong(totp(secret, now)), callbacks, 'SOFTWARE_TOKEN_MFA')), { code: 'CodeMismatchException' });
    const session = await call((callbacks) => user.sendMFACode(totp(secret, now), callbacks, 'SOFTWARE_TOKEN_MFA'));
    assert.ok(session.isValid());

    assert.equal(await preference({ Enabled: true, PreferredMfa: false }, { Enabled: true, PreferredMfa: false }), 'SUCCESS');
    user = new CognitoUser({ Username: 'ann', Pool });
    assert.equal((await authenticate(user))[0], 'selectMFAType');
    const chosen = await new Promise((resolve, reject) => user.sendMFASelectionAnswer('SMS_MFA', { onFailure: reject, mfaRequired: (name, parameters) => resolve([name, parameters]) }));
    assert.equal(chosen[0], 'SMS_MFA');
    const code = await server.code(ANN.phone_number);
    assert.ok((await call((callbacks) => user.sendMFACode(code, callbacks, 'SMS_MFA'))).isValid());

    // required, and none yet
    const on = await mfaPool(server, 'ON', ['token']);
    await addUser(on, 'ann', { attributes: {} });
    user = new CognitoUser({ Username: 'ann', Pool: new CognitoUserPool({ UserPoolId: on.poolId, ClientId: on.clientId, endpoint: server.url }) });
    assert.equal((await authenticate(user))[0], 'mfaSetup');
    const fresh = await call((callbacks) => user.associateSoftwareToken(callbacks));
    now = await nextStep(server);
    assert.ok((await call((callbacks) => user.verifySoftwareToken(totp(fresh, now), 'phone', callbacks))).isValid());
});
