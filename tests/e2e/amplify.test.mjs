// Amplify (aws-amplify v6) as apps use it, without a browser: choice-based sign-in, second factors, sign-up without a
// password and straight on from it.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import test from 'node:test';

import { ALL_FLOWS, PASSWORD, addPool, addUser, setUp } from './support/userpool.mjs';
import { nextStep, totp, wrong } from './support/totp.mjs';

globalThis.crypto ??= webcrypto; // Node 18
// Amplify forgets a sign-in that is not gone on with after three minutes: that must not keep the process alive.
const { setTimeout: plain } = globalThis;
globalThis.setTimeout = (fn, ms, ...more) => (ms > 60000 ? plain(fn, ms, ...more).unref() : plain(fn, ms, ...more));
console.warn = () => {}; // "You are using a custom Amazon Cognito User Pool endpoint"
const { Amplify } = await import('@aws-amplify/core');
const auth = await import('@aws-amplify/auth');
const { cognitoUserPoolsTokenProvider: tokenProvider } = await import('@aws-amplify/auth/cognito');

const FLOWS = [...ALL_FLOWS, 'ALLOW_USER_AUTH'];
const factors = (...list) => ({ Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', ...list] } } });
const ANN = { email: 'ann@example.org', email_verified: 'true', phone_number: '+15550001234', phone_number_verified: 'true' };

async function app(server, settings) {
    const s = await addPool(server, { ...settings, client: { ExplicitAuthFlows: FLOWS } });
    const Auth = { Cognito: { userPoolId: s.poolId, userPoolClientId: s.clientId, userPoolEndpoint: server.url } };
    tokenProvider.setAuthConfig(Auth); // what the package aws-amplify does, which brings all the rest along
    Amplify.configure({ Auth }, { Auth: { tokenProvider } });
    return s;
}
const signIn = (options, more = {}) => auth.signIn({ username: 'ann', ...more, options });
const step = ({ nextStep: { signInStep, ...rest } }) => [signInStep, rest];
const userAuth = (preferredChallenge) => ({ authFlowType: 'USER_AUTH', ...(preferredChallenge && { preferredChallenge }) });

test('USER_AUTH: a code by mail, a choice, a password by SRP', async (t) => {
    const { server } = await setUp(t);
    const s = await app(server, { pool: factors('EMAIL_OTP', 'SMS_OTP') });
    await addUser(s, 'ann', { attributes: ANN });

    const sent = await signIn(userAuth('EMAIL_OTP'));
    assert.deepEqual(step(sent), ['CONFIRM_SIGN_IN_WITH_EMAIL_CODE', { codeDeliveryDetails: { deliveryMedium: 'EMAIL', destination: 'a***@e***' } }]);
    const code = await server.code(ANN.email);
    await assert.rejects(auth.confirmSignIn({ challengeResponse: wrong(code) }), { name: 'CodeMismatchException' });
    assert.deepEqual(step(await auth.confirmSignIn({ challengeResponse: code })), ['DONE', {}]);
    assert.equal((await auth.getCurrentUser()).username, 'ann');
    const { tokens } = await auth.fetchAuthSession();
    assert.equal(tokens.accessToken.payload.username, 'ann');
    assert.equal((await auth.fetchUserAttributes()).email, ANN.email);
    const fresh = await auth.fetchAuthSession({ forceRefresh: true });
    assert.notEqual(fresh.tokens.accessToken.payload.jti, tokens.accessToken.payload.jti);
    await auth.signOut({ global: true });

    const choose = await signIn(userAuth());
    assert.equal(step(choose)[0], 'CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION');
    assert.deepEqual(step(choose)[1].availableChallenges, ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']);
    assert.equal(step(await auth.confirmSignIn({ challengeResponse: 'SMS_OTP' }))[0], 'CONFIRM_SIGN_IN_WITH_SMS_CODE');
    assert.ok((await auth.confirmSignIn({ challengeResponse: await server.code(ANN.phone_number) })).isSignedIn);
    await auth.signOut();

    await signIn(userAuth());
    assert.equal(step(await auth.confirmSignIn({ challengeResponse: 'PASSWORD' }))[0], 'CONFIRM_SIGN_IN_WITH_PASSWORD');
    assert.ok((await auth.confirmSignIn({ challengeResponse: PASSWORD })).isSignedIn);
    await auth.signOut();
    for (const preferred of ['PASSWORD', 'PASSWORD_SRP']) {
        assert.ok((await signIn(userAuth(preferred), { password: PASSWORD })).isSignedIn, preferred);
        await auth.signOut();
    }
    await assert.rejects(signIn(userAuth('PASSWORD_SRP'), { password: 'Wrong-1843!' }), { name: 'NotAuthorizedException', message: 'Incorrect username or password.' });
});

test('sign-up without a password, straight on to being signed in', async (t) => {
    const { server } = await setUp(t);
    await app(server, { pool: factors('EMAIL_OTP') });
    const { nextStep: up } = await auth.signUp({ username: 'new', options: { userAttributes: { email: 'new@example.org' }, autoSignIn: { authFlowType: 'USER_AUTH' } } });
    assert.equal(up.signUpStep, 'CONFIRM_SIGN_UP');
    await assert.rejects(auth.signIn({ username: 'new', options: userAuth('EMAIL_OTP') }).then(({ nextStep: next }) => {
        if (next.signInStep === 'CONFIRM_SIGN_UP') throw new Error('not confirmed'); // as Amplify says it
    }), /not confirmed/);
    const again = await auth.signUp({ username: 'newer', options: { userAttributes: { email: 'newer@example.org' }, autoSignIn: { authFlowType: 'USER_AUTH' } } });
    assert.equal(again.nextStep.signUpStep, 'CONFIRM_SIGN_UP');
    const confirmed = await auth.confirmSignUp({ username: 'newer', confirmationCode: await server.code('newer@example.org') });
    assert.equal(confirmed.nextStep.signUpStep, 'COMPLETE_AUTO_SIGN_IN');
    assert.ok((await auth.autoSignIn()).isSignedIn);
    assert.equal((await auth.getCurrentUser()).username, 'newer');
    await auth.signOut();
});

test('an authenticator app set up, preferred, asked for; a choice of factors; set-up that is required', async (t) => {
    const { server } = await setUp(t);
    const SmsConfiguration = { SnsCallerArn: 'arn:aws:iam::000000000000:role/sms', ExternalId: 'x' };
    const s = await app(server, { pool: { SmsConfiguration } });
    await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OPTIONAL', SmsMfaConfiguration: { SmsConfiguration }, SoftwareTokenMfaConfiguration: { Enabled: true } });
    await addUser(s, 'ann', { attributes: ANN });
    assert.ok((await signIn(undefined, { password: PASSWORD })).isSignedIn);
    const { sharedSecret, getSetupUri } = await auth.setUpTOTP();
    assert.match(getSetupUri('Shop', 'ann').toString(), /^otpauth:\/\/totp\/Shop:ann\?secret=[A-Z2-7]{52}/);
    await auth.verifyTOTPSetup({ code: totp(sharedSecret, await nextStep(server)) });
    await auth.updateMFAPreference({ totp: 'PREFERRED', sms: 'ENABLED' });
    assert.deepEqual(await auth.fetchMFAPreference(), { preferred: 'TOTP', enabled: ['SMS', 'TOTP'] });
    await auth.signOut();

    assert.deepEqual(step(await signIn(undefined, { password: PASSWORD })), ['CONFIRM_SIGN_IN_WITH_TOTP_CODE', {}]);
    assert.ok((await auth.confirmSignIn({ challengeResponse: totp(sharedSecret, await nextStep(server)) })).isSignedIn);
    await auth.updateMFAPreference({ totp: 'NOT_PREFERRED' });
    await auth.signOut();
    assert.deepEqual(step(await signIn(undefined, { password: PASSWORD })), ['CONTINUE_SIGN_IN_WITH_MFA_SELECTION', { allowedMFATypes: ['SMS', 'TOTP'] }]);
    assert.equal(step(await auth.confirmSignIn({ challengeResponse: 'SMS' }))[0], 'CONFIRM_SIGN_IN_WITH_SMS_CODE');
    assert.ok((await auth.confirmSignIn({ challengeResponse: await server.code(ANN.phone_number) })).isSignedIn);
    await auth.signOut();

    await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'ON', SoftwareTokenMfaConfiguration: { Enabled: true } });
    await addUser(s, 'bare', { attributes: {} });
    const [asked, { totpSetupDetails }] = step(await auth.signIn({ username: 'bare', password: PASSWORD }));
    assert.equal(asked, 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP');
    const now = await nextStep(server);
    assert.ok((await auth.confirmSignIn({ challengeResponse: totp(totpSetupDetails.sharedSecret, now) })).isSignedIn);
    assert.equal((await auth.fetchMFAPreference()).enabled[0], 'TOTP');
    await auth.signOut();
});
