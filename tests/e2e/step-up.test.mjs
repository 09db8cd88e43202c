// How strongly somebody has signed in: acr and amr, asked for by TARGET_ACR_VALUES, built on an access token.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ALL_FLOWS, PASSWORD, WRONG, addPool, addUser, advance, claims, raw, refused, setUp } from './support/userpool.mjs';
import { Authenticator } from './support/authenticator.mjs';
import { nextStep, totp, wrong } from './support/totp.mjs';

const LOA = (level) => `urn:cognito:loa:${level}`;
const SMS = { SnsCallerArn: 'arn:aws:iam::000000000000:role/sms', ExternalId: 'x' };
const ANN = { email: 'ann@example.org', email_verified: 'true', phone_number: '+15550001234', phone_number_verified: 'true' };
const FLOWS = [...ALL_FLOWS, 'ALLOW_USER_AUTH'];
const factors = (...list) => ({ Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', ...list] } } });

const begin = ({ api, clientId }, USERNAME, more = {}) => api.initiateAuth({ ClientId: clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME, ...more } });
const answer = ({ api, clientId }, { ChallengeName, Session }, responses) =>
    api.respondToAuthChallenge({ ClientId: clientId, ChallengeName, Session, ChallengeResponses: { USERNAME: 'ann', ...responses } });
const target = (...levels) => ({ TARGET_ACR_VALUES: levels.map((level) => (typeof level === 'number' ? LOA(level) : level)).join(' ') });
const byPassword = { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD };
// [acr, amr] of both tokens
const proven = ({ AuthenticationResult: result }) => {
    const [id, access] = [claims(result.IdToken), claims(result.AccessToken)];
    assert.deepEqual([id.acr, id.amr], [access.acr, access.amr]);
    return [id.acr, id.amr];
};

// Ann has a phone, an app, both switched on, SMS preferred.
async function withFactors(t, { pool = {}, mode = 'OPTIONAL' } = {}) {
    const { server } = await setUp(t);
    const s = await addPool(server, { pool: { SmsConfiguration: SMS, ...pool }, client: { ExplicitAuthFlows: FLOWS } });
    const { api, poolId: UserPoolId } = s;
    await addUser(s, 'ann', { attributes: ANN });
    await api.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration: 'OPTIONAL', SmsMfaConfiguration: { SmsConfiguration: SMS }, SoftwareTokenMfaConfiguration: { Enabled: true } });
    const { AuthenticationResult: { AccessToken } } = await begin(s, 'ann', byPassword);
    const { SecretCode } = await api.associateSoftwareToken({ AccessToken });
    await api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, await nextStep(server)) });
    await api.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true }, SMSMfaSettings: { Enabled: true, PreferredMfa: true } });
    if (mode !== 'OPTIONAL') await api.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration: mode, SmsMfaConfiguration: { SmsConfiguration: SMS }, SoftwareTokenMfaConfiguration: { Enabled: true } });
    const app = async () => ({ SOFTWARE_TOKEN_MFA_CODE: totp(SecretCode, await nextStep(server)) });
    const sms = async () => ({ SMS_MFA_CODE: await server.code(ANN.phone_number) });
    return { ...s, app, sms };
}

test('levels have names, the pool\'s own or AWS\'s, all different', async (t) => {
    const { server } = await setUp(t);
    const api = raw(server);
    const names = (pool) => Object.entries(pool.AcrConfiguration).map(([level, { AcrValue }]) => [level, AcrValue]);
    const { UserPool } = await api.createUserPool({ PoolName: 'x' });
    assert.deepEqual(names(UserPool), [1, 2, 3, 4].map((n) => [`Level${n}`, LOA(n)]));
    const own = await api.createUserPool({ PoolName: 'x', AcrConfiguration: { Level2: { AcrValue: 'urn:mine:2' }, Level4: { AcrValue: LOA(2) } } });
    const wanted = [['Level1', LOA(1)], ['Level2', 'urn:mine:2'], ['Level3', LOA(3)], ['Level4', LOA(2)]];
    assert.deepEqual(names(own.UserPool), wanted, 'a default that nobody uses is free');
    assert.deepEqual(names((await api.describeUserPool({ UserPoolId: own.UserPool.Id })).UserPool), wanted);
    for (const AcrConfiguration of [
        { Level1: { AcrValue: 'same' }, Level2: { AcrValue: 'same' } },
        { Level1: { AcrValue: LOA(4) } }, // the default of one that is not named
        { Level1: { AcrValue: 'two words' } }, { Level1: { AcrValue: 'a"b' } }, { Level1: { AcrValue: 'a\\b' } },
        { Level1: { AcrValue: '' } }, { Level1: { AcrValue: 'x'.repeat(65) } }, { Level5: { AcrValue: 'x' } },
    ]) {
        await refused(api.createUserPool({ PoolName: 'x', AcrConfiguration }), 'InvalidParameterException');
        await refused(api.updateUserPool({ UserPoolId: UserPool.Id, AcrConfiguration }), 'InvalidParameterException');
    }
    await refused(api.createUserPool({ PoolName: 'x', UserPoolTier: 'LITE', AcrConfiguration: { Level1: { AcrValue: 'mine' } } }), 'FeatureUnavailableInTierException');
    await api.updateUserPool({ UserPoolId: own.UserPool.Id });
    assert.deepEqual(names((await api.describeUserPool({ UserPoolId: own.UserPool.Id })).UserPool)[1], ['Level2', LOA(2)], 'left out: the default');
});

test('a target from scratch: the highest that the user can reach, and claims that say so', async (t) => {
    const s = await withFactors(t);
    assert.deepEqual(proven(await answer(s, await begin(s, 'ann', byPassword), await s.sms())), [undefined, undefined], 'nobody asked');

    let asked = await begin(s, 'ann', { ...byPassword, ...target(4) });
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA', 'though SMS is preferred');
    const four = await answer(s, asked, await s.app());
    assert.deepEqual(proven(four), [LOA(4), ['pwd', 'otp', 'mfa']]);
    asked = await begin(s, 'ann', { ...byPassword, ...target(3, 4) }); // in the order of the list
    assert.equal(asked.ChallengeName, 'SMS_MFA');
    assert.deepEqual(proven(await answer(s, asked, await s.sms())), [LOA(3), ['pwd', 'sms', 'mfa']]);
    asked = await begin(s, 'ann', { ...byPassword, ...target('urn:other:9', 2, 4) }); // unknown; not within reach; good
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    // "MFA is a floor": asked for all the same, and reported
    asked = await begin(s, 'ann', { ...byPassword, ...target(1) });
    assert.equal(asked.ChallengeName, 'SMS_MFA');
    assert.deepEqual(proven(await answer(s, asked, await s.sms())), [LOA(3), ['pwd', 'sms', 'mfa']]);
    // only what leads there is offered
    assert.deepEqual((await begin(s, 'ann', target(4))).AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD']);

    await refused(begin(s, 'ann', target('urn:other:9')), 'InvalidParameterException');
    await refused(begin(s, 'ann', target(2)), 'InvalidParameterException'); // who has MFA has no codes first
    await refused(begin(s, 'ann', { ...target(4), MAX_AGE: 'soon' }), 'InvalidParameterException');
    await refused(begin(s, 'ann', { ...target(4), MAX_AGE: '-1' }), 'InvalidParameterException');
    await refused(begin(s, 'ann', { ACCESS_TOKEN: four.AuthenticationResult.AccessToken }), 'InvalidParameterException');
    // "all-or-nothing"
    asked = await begin(s, 'ann', { ...byPassword, ...target(4) });
    const { SOFTWARE_TOKEN_MFA_CODE: code } = await s.app();
    await refused(answer(s, asked, { SOFTWARE_TOKEN_MFA_CODE: wrong(code) }), 'CodeMismatchException');

    // "preserves the same acr and amr values on the new access and ID tokens"; auth_time does not move
    await advance(s.server, 600);
    const refreshed = await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: four.AuthenticationResult.RefreshToken } });
    assert.deepEqual(proven(refreshed), [LOA(4), ['pwd', 'otp', 'mfa']]);
    assert.equal(claims(refreshed.AuthenticationResult.IdToken).auth_time, claims(four.AuthenticationResult.IdToken).auth_time);
});

test('from a token: only what is missing is asked, unless it is too old', async (t) => {
    const s = await withFactors(t);
    const { server, api } = s;
    const three = await answer(s, await begin(s, 'ann', byPassword), await s.sms()); // nobody asked for a level: it counts all the same
    const ACCESS_TOKEN = three.AuthenticationResult.AccessToken;
    await refused(begin(s, 'ann', { ...target(3), ACCESS_TOKEN }), 'InvalidParameterException', /already meets/);
    await refused(begin(s, 'ann', { ...target(1), ACCESS_TOKEN }), 'InvalidParameterException', /already meets/);
    const asked = await begin(s, 'ann', { ...target(4), ACCESS_TOKEN, MAX_AGE: '300' });
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA', 'the password is known');
    const four = await answer(s, asked, await s.app());
    assert.deepEqual(proven(four), [LOA(4), ['pwd', 'otp', 'sms', 'mfa']]);
    const [before, after] = [three, four].map(({ AuthenticationResult }) => claims(AuthenticationResult.AccessToken));
    assert.ok(after.auth_time > before.auth_time && after.origin_jti !== before.origin_jti, 'a sign-in of its own');
    await refused(begin(s, 'ann', { ...target(4), ACCESS_TOKEN: four.AuthenticationResult.AccessToken }), 'InvalidParameterException', /already meets/);

    // older than MAX_AGE: "from scratch toward the target level"; even what it had
    await advance(server, 301);
    const again = await begin(s, 'ann', { ...target(4), ACCESS_TOKEN: four.AuthenticationResult.AccessToken, MAX_AGE: '300' });
    assert.deepEqual([again.ChallengeName, again.AvailableChallenges], ['SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD']]);
    const then = await answer(s, again, { ANSWER: 'PASSWORD', PASSWORD });
    assert.deepEqual(proven(await answer(s, then, await s.app())), [LOA(4), ['pwd', 'otp', 'mfa']]);
    assert.equal((await begin(s, 'ann', { ...target(4), ACCESS_TOKEN, MAX_AGE: '100000' })).ChallengeName, 'SOFTWARE_TOKEN_MFA');

    // another user's, another client's, a revoked, an ended one
    await addUser(s, 'bob', { attributes: { email: 'bob@example.org' } });
    await refused(begin(s, 'bob', { ...target(1), ACCESS_TOKEN }), 'NotAuthorizedException');
    const { UserPoolClient } = await api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'other', ExplicitAuthFlows: FLOWS });
    await refused(begin({ ...s, clientId: UserPoolClient.ClientId }, 'ann', { ...target(4), ACCESS_TOKEN }), 'NotAuthorizedException');
    await refused(begin(s, 'ann', { ...target(4), ACCESS_TOKEN: 'eyJ.x.y' }), 'NotAuthorizedException', 'Invalid Access Token');
    await api.globalSignOut({ AccessToken: ACCESS_TOKEN });
    await refused(begin(s, 'ann', { ...target(4), ACCESS_TOKEN }), 'NotAuthorizedException', 'Access Token has been revoked');
});

test('a code alone is level 2, and a password on top of it level 3; nobody is told nothing', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, { pool: factors('EMAIL_OTP'), client: { ExplicitAuthFlows: FLOWS } });
    await addUser(s, 'ann', { attributes: ANN });
    const code = async () => ({ EMAIL_OTP_CODE: await server.code(ANN.email) });
    const asked = await begin(s, 'ann', target(4, 3, 2)); // no second factor in this pool: 2 is what can be had
    assert.equal(asked.ChallengeName, 'EMAIL_OTP');
    const two = await answer(s, asked, await code());
    assert.deepEqual(proven(two), [LOA(2), ['email_otp']]);
    assert.deepEqual(proven(await begin(s, 'ann', { ...byPassword, ...target(1) })), [LOA(1), ['pwd']]);
    await refused(begin(s, 'ann', target(4, 3)), 'InvalidParameterException', /no factors/);
    // up from a password by a code
    const one = await begin(s, 'ann', byPassword);
    const up = await begin(s, 'ann', { ...target(2), ACCESS_TOKEN: one.AuthenticationResult.AccessToken });
    assert.equal(up.ChallengeName, 'EMAIL_OTP');
    assert.deepEqual(proven(await answer(s, up, await code())), [LOA(3), ['pwd', 'email_otp', 'mfa']]);
    await refused(begin(s, 'ann', { ...byPassword, PASSWORD: WRONG, ...target(1) }), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.equal((await begin(s, 'zoe@example.org', target(2))).ChallengeName, 'EMAIL_OTP');
    await refused(begin(s, 'zoe@example.org', target(4, 3)), 'InvalidParameterException', /no factors/);

    // names that changed: "honors the token's amr values"
    await raw(server).updateUserPool({ UserPoolId: s.poolId, ...factors('EMAIL_OTP'), AcrConfiguration: { Level2: { AcrValue: 'code' } } });
    await refused(begin(s, 'ann', target(2)), 'InvalidParameterException');
    assert.deepEqual(proven(await answer(s, await begin(s, 'ann', target('code')), await code())), ['code', ['email_otp']]);
});

test('a passkey is level 3 by itself, and says of which kind it is; 4 takes a password and the app', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, { pool: factors('WEB_AUTHN'), client: { ExplicitAuthFlows: FLOWS } });
    const { api, poolId: UserPoolId } = s, origin = 'https://shop.example';
    await raw(server).setUserPoolMfaConfig({
        UserPoolId, MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true },
        WebAuthnConfiguration: { RelyingPartyId: 'shop.example', UserVerification: 'required', FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION' },
    });
    await addUser(s, 'ann', { attributes: ANN });
    const { AuthenticationResult: { AccessToken } } = await begin(s, 'ann', byPassword);
    const give = (asked, key) => answer(s, asked, { CREDENTIAL: JSON.stringify(key.get(JSON.parse(asked.ChallengeParameters.CREDENTIAL_REQUEST_OPTIONS))) });
    for (const [attachment, method] of [['platform', 'swk'], ['cross-platform', 'hwk']]) {
        const key = new Authenticator({ origin, attachment });
        await api.completeWebAuthnRegistration({ AccessToken, Credential: key.create((await api.startWebAuthnRegistration({ AccessToken })).CredentialCreationOptions) });
        const asked = await begin(s, 'ann', target(4, 3)); // no app yet
        assert.equal(asked.ChallengeName, 'WEB_AUTHN');
        assert.deepEqual(proven(await give(asked, key)), [LOA(3), [method]]);
        await api.deleteWebAuthnCredential({ AccessToken, CredentialId: key.id.toString('base64url') });
    }
    const { SecretCode } = await api.associateSoftwareToken({ AccessToken });
    await api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, await nextStep(server)) });
    await raw(server).setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true }, WebAuthnMfaSettings: { Enabled: true } });
    const key = new Authenticator({ origin });
    await api.completeWebAuthnRegistration({ AccessToken, Credential: key.create((await api.startWebAuthnRegistration({ AccessToken })).CredentialCreationOptions) });
    const three = await give(await begin(s, 'ann', target(3)), key);
    assert.deepEqual(proven(three), [LOA(3), ['swk']]);
    const up = await begin(s, 'ann', { ...byPassword, ...target(4), ACCESS_TOKEN: three.AuthenticationResult.AccessToken });
    assert.equal(up.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const four = await answer(s, up, { SOFTWARE_TOKEN_MFA_CODE: totp(SecretCode, await nextStep(server)) });
    assert.deepEqual(proven(four), [LOA(4), ['pwd', 'otp', 'swk', 'mfa']]);
});
