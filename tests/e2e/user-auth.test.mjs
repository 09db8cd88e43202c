// USER_AUTH: people choose how they sign in, some have no password, and nobody looks like somebody.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';

import { ALL_FLOWS, PASSWORD, WRONG, addPool, addUser, advance, claims, raw, refused, setOptions, setUp } from './support/userpool.mjs';
import { wrong } from './support/totp.mjs';

const FLOWS = [...ALL_FLOWS, 'ALLOW_USER_AUTH'];
const factors = (...list) => ({ Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', ...list] } } });
const ANN = { email: 'ann@example.org', email_verified: 'true', phone_number: '+15550001234', phone_number_verified: 'true' };
const EVERYTHING = { pool: factors('EMAIL_OTP', 'SMS_OTP'), client: { ExplicitAuthFlows: FLOWS } };

const begin = ({ api, clientId }, USERNAME, more = {}, rest = {}) =>
    api.initiateAuth({ ClientId: clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME, ...more }, ...rest });
const answer = ({ api, clientId }, ChallengeName, Session, ChallengeResponses) =>
    api.respondToAuthChallenge({ ClientId: clientId, ChallengeName, Session, ChallengeResponses });

test('choices are what the pool allows and the user has', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, EVERYTHING);
    const { api, poolId: UserPoolId, clientId: ClientId } = s;
    await addUser(s, 'ann', { attributes: ANN });
    await addUser(s, 'mail', { attributes: { email: 'mail@example.org', email_verified: 'true' } });
    await addUser(s, 'plain', { attributes: { email: 'plain@example.org' } }); // not verified
    await api.adminCreateUser({ UserPoolId, Username: 'fresh', TemporaryPassword: PASSWORD, MessageAction: 'SUPPRESS', UserAttributes: [{ Name: 'email', Value: 'fresh@example.org' }, { Name: 'email_verified', Value: 'true' }] });
    for (const [name, preferred, challenge, available] of [
        ['ann', undefined, 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']],
        ['ann', 'EMAIL_OTP', 'EMAIL_OTP', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']],
        ['ann', 'SMS_OTP', 'SMS_OTP', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']],
        ['ann', 'PASSWORD', 'PASSWORD', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']],
        ['ann', 'WEB_AUTHN', 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']], // unusable
        ['ann', 'NO_SUCH', 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP', 'SMS_OTP']],
        ['mail', undefined, 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP']],
        ['mail', 'SMS_OTP', 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP']],
        ['plain', 'EMAIL_OTP', 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD']],
        ['fresh', 'EMAIL_OTP', 'SELECT_CHALLENGE', ['PASSWORD_SRP', 'PASSWORD']], // FORCE_CHANGE_PASSWORD, measured
    ]) {
        const got = await begin(s, name, preferred && { PREFERRED_CHALLENGE: preferred });
        assert.deepEqual([name, preferred, got.ChallengeName, got.AvailableChallenges], [name, preferred, challenge, available]);
        assert.ok(got.Session.length >= 20 && got.Session.length <= 4096);
        if (challenge === 'SELECT_CHALLENGE') assert.deepEqual(got.ChallengeParameters, {});
    }
    const temporary = await begin(s, 'fresh', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD });
    assert.equal(temporary.ChallengeName, 'NEW_PASSWORD_REQUIRED');
    assert.ok((await answer(s, 'NEW_PASSWORD_REQUIRED', temporary.Session, { USERNAME: 'fresh', NEW_PASSWORD: 'Another-1843!' })).AuthenticationResult);
    assert.deepEqual((await begin(s, 'fresh')).AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP']);
    await refused(begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD_SRP' }), 'InvalidParameterException', 'Missing required parameter SRP_A');
    await refused(api.initiateAuth({ ClientId, AuthFlow: 'USER_AUTH', AuthParameters: {} }), 'InvalidParameterException', 'Missing required parameter USERNAME');
    const closed = await addPool(server, { pool: factors('EMAIL_OTP') });
    await refused(begin(closed, 'ann'), 'InvalidParameterException', 'USER_AUTH flow not enabled for this client');
    const admin = await api.adminInitiateAuth({ UserPoolId, ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: 'ann', PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD } });
    assert.ok(admin.AuthenticationResult.AccessToken);

    // "PASSWORD (including SRP) is available on all feature plans"
    const lite = await addPool(server, { pool: { UserPoolTier: 'LITE' }, client: { ExplicitAuthFlows: FLOWS } });
    await addUser(lite, 'ann', { attributes: ANN });
    assert.deepEqual((await begin(lite, 'ann')).AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD']);
    await refused(begin(lite, 'ann', { TARGET_ACR_VALUES: 'urn:cognito:loa:1' }), 'FeatureUnavailableInTierException');
});

test('a password: at once, when it is asked for, by SRP; wrong ones count', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, EVERYTHING);
    await addUser(s, 'ann', { attributes: ANN });
    assert.ok((await begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD })).AuthenticationResult.IdToken, 'one call');
    await refused(begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: WRONG }), 'NotAuthorizedException', 'Incorrect username or password.');

    const asked = await begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD' });
    await refused(answer(s, 'PASSWORD', asked.Session, { USERNAME: 'ann' }), 'InvalidParameterException', 'Missing required parameter PASSWORD');
    await refused(answer(s, 'PASSWORD', asked.Session, { USERNAME: 'ann', PASSWORD: WRONG }), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.ok((await answer(s, 'PASSWORD', asked.Session, { USERNAME: 'ann', PASSWORD })).AuthenticationResult);
    await refused(answer(s, 'PASSWORD', asked.Session, { USERNAME: 'ann', PASSWORD }), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');

    const choice = await begin(s, 'ann');
    await refused(answer(s, 'SELECT_CHALLENGE', choice.Session, { USERNAME: 'ann' }), 'InvalidParameterException', 'Missing required parameter ANSWER');
    await refused(answer(s, 'SELECT_CHALLENGE', choice.Session, { USERNAME: 'ann', ANSWER: 'WEB_AUTHN' }), 'InvalidParameterException');
    await refused(answer(s, 'EMAIL_OTP', choice.Session, { USERNAME: 'ann', EMAIL_OTP_CODE: '12345678' }), 'NotAuthorizedException', 'Invalid session for the user.');
    assert.ok((await answer(s, 'SELECT_CHALLENGE', choice.Session, { USERNAME: 'ann', ANSWER: 'PASSWORD', PASSWORD })).AuthenticationResult);
    const later = await answer(s, 'SELECT_CHALLENGE', (await begin(s, 'ann')).Session, { USERNAME: 'ann', ANSWER: 'PASSWORD' });
    assert.equal(later.ChallengeName, 'PASSWORD');
    assert.ok((await answer(s, 'PASSWORD', later.Session, { USERNAME: 'ann', PASSWORD })).AuthenticationResult);

    for (const way of ['preferred', 'chosen', 'asked']) assert.ok((await srp(s, 'ann', PASSWORD, way)).AuthenticationResult.AccessToken, way);
    await refused(srp(s, 'ann', WRONG), 'NotAuthorizedException', 'Incorrect username or password.');
    // a secret block of one sign-in is none of another's, and none without its Session
    await refused(srp(s, 'ann', PASSWORD, 'preferred', (await srpChallenge(s, 'ann')).Session), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(srp(s, 'ann', PASSWORD, 'preferred', null), 'NotAuthorizedException', 'Incorrect username or password.');

    for (let i = 0; i < 5; i++) await begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: WRONG }).catch(() => {});
    await refused(begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD }), 'NotAuthorizedException', 'Password attempts exceeded');
});

test('a code instead of a password: eight digits, once, for one sign-in, as long as its session', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, { ...EVERYTHING, client: { ExplicitAuthFlows: FLOWS, AuthSessionValidity: 4 } });
    await addUser(s, 'ann', { attributes: ANN });
    await setOptions(s, { lockoutAfterFailures: 1000 });
    for (const [kind, response, to, medium, masked] of [
        ['EMAIL_OTP', 'EMAIL_OTP_CODE', ANN.email, 'EMAIL', 'a***@e***'],
        ['SMS_OTP', 'SMS_OTP_CODE', ANN.phone_number, 'SMS', '+*******1234'],
    ]) {
        const give = (session, code) => answer(s, kind, session, { USERNAME: 'ann', [response]: code });
        const asked = await begin(s, 'ann', { PREFERRED_CHALLENGE: kind });
        assert.deepEqual(asked.ChallengeParameters, { CODE_DELIVERY_DELIVERY_MEDIUM: medium, CODE_DELIVERY_DESTINATION: masked });
        const code = await server.code(to);
        assert.match(code, /^\d{8}$/);
        await refused(give(asked.Session, wrong(code)), 'CodeMismatchException', 'Invalid code or auth state for the user.');
        const { AuthenticationResult } = await give(asked.Session, code); // a wrong one left the session good
        assert.equal(claims(AuthenticationResult.IdToken)['cognito:username'], 'ann');
        await refused(give(asked.Session, code), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
        const chosen = await answer(s, 'SELECT_CHALLENGE', (await begin(s, 'ann')).Session, { USERNAME: 'ann', ANSWER: kind });
        assert.equal(chosen.ChallengeName, kind);
        await refused(give(chosen.Session, code), 'CodeMismatchException'); // of the sign-in before
        for (const [seconds, good] of [[238, true], [241, false]]) {
            const { Session } = await begin(s, 'ann', { PREFERRED_CHALLENGE: kind });
            const fresh = await server.code(to);
            await advance(server, seconds);
            if (good) assert.ok((await give(Session, fresh)).AuthenticationResult);
            else await refused(give(Session, fresh), 'NotAuthorizedException', 'Invalid session for the user, session is expired.');
        }
        const last = await begin(s, 'ann', { PREFERRED_CHALLENGE: kind });
        const good = await server.code(to);
        for (let i = 0; i < 5; i++) await refused(give(last.Session, wrong(good)), 'CodeMismatchException');
        await refused(give(last.Session, good), 'NotAuthorizedException', 'Invalid session for the user.');
    }
    // as many sessions as one likes can be had of one choice, but five guesses for all of them
    const choice = await begin(s, 'ann');
    const sessions = [];
    for (let i = 0; i < 3; i++) sessions.push((await answer(s, 'SELECT_CHALLENGE', choice.Session, { USERNAME: 'ann', ANSWER: 'EMAIL_OTP' })).Session);
    const code = await server.code(ANN.email);
    const give = (session, value) => answer(s, 'EMAIL_OTP', session, { USERNAME: 'ann', EMAIL_OTP_CODE: value });
    for (let i = 0; i < 5; i++) await refused(give(sessions[i % 3], wrong(code)), 'CodeMismatchException');
    await refused(give(sessions[2], code), 'NotAuthorizedException', 'Invalid session for the user.');
});

test('who has MFA signs in by a password only, and is asked for the second factor', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, { ...EVERYTHING, pool: { ...EVERYTHING.pool, SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::000000000000:role/sms', ExternalId: 'x' }, MfaConfiguration: 'OPTIONAL' } });
    await addUser(s, 'ann', { attributes: ANN });
    await addUser(s, 'bob', { attributes: { ...ANN, email: 'bob@example.org' } });
    await s.api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ann', SMSMfaSettings: { Enabled: true, PreferredMfa: true } });
    assert.deepEqual((await begin(s, 'ann')).AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD']);
    const asked = await begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD });
    assert.equal(asked.ChallengeName, 'SMS_MFA');
    assert.ok((await answer(s, 'SMS_MFA', asked.Session, { USERNAME: 'ann', SMS_MFA_CODE: await server.code(ANN.phone_number) })).AuthenticationResult);
    const code = await begin(s, 'bob', { PREFERRED_CHALLENGE: 'EMAIL_OTP' });
    assert.ok((await answer(s, 'EMAIL_OTP', code.Session, { USERNAME: 'bob', EMAIL_OTP_CODE: await server.code('bob@example.org') })).AuthenticationResult, 'no second code after a code');
});

test('people without a password: signed up, made by an administrator, and on from confirming at once', async (t) => {
    const { server } = await setUp(t);
    const s = await addPool(server, EVERYTHING);
    const { api, poolId: UserPoolId, clientId: ClientId } = s;
    const plain = await addPool(server, { client: { ExplicitAuthFlows: FLOWS } });
    const email = (Value) => [{ Name: 'email', Value }];
    await refused(api.signUp({ ClientId: plain.clientId, Username: 'ann', UserAttributes: email('ann@example.org') }), 'InvalidParameterException', 'Missing required parameter password');
    await refused(api.signUp({ ClientId, Username: 'ann' }), 'InvalidParameterException'); // nothing to sign in with

    const up = await api.signUp({ ClientId, Username: 'ann', UserAttributes: email('ann@example.org') });
    assert.ok(up.Session, 'may go on');
    await refused(begin(s, 'ann', {}, { Session: up.Session }), 'UserNotConfirmedException', 'User is not confirmed.');
    const other = await api.signUp({ ClientId, Username: 'bob', UserAttributes: email('bob@example.org') });
    const confirm = (Username, to, Session) => server.code(to).then((ConfirmationCode) => api.confirmSignUp({ ClientId, Username, ConfirmationCode, Session }));
    await refused(confirm('ann', 'ann@example.org', other.Session), 'NotAuthorizedException', 'Invalid session for the user.');
    const { Session } = await confirm('ann', 'ann@example.org', up.Session);
    await refused(begin(s, 'bob', {}, { Session }), 'UserNotConfirmedException');
    assert.ok((await confirm('bob', 'bob@example.org')).Session, 'the code is a first factor here');
    const { clientId: plainClient } = plain;
    await api.signUp({ ClientId: plainClient, Username: 'eve', Password: PASSWORD, UserAttributes: email('eve@example.org') });
    const eve = await api.confirmSignUp({ ClientId: plainClient, Username: 'eve', ConfirmationCode: await server.code('eve@example.org') });
    assert.equal(eve.Session, undefined, 'where only passwords sign in, a code does not');
    const max = await api.signUp({ ClientId: plainClient, Username: 'max', Password: PASSWORD, UserAttributes: email('max@example.org') });
    const ended = await api.confirmSignUp({ ClientId: plainClient, Username: 'max', ConfirmationCode: await server.code('max@example.org'), Session: max.Session });
    assert.ok((await begin(plain, 'max', {}, { Session: ended.Session })).AuthenticationResult, 'but who has just set the password may go on');
    await refused(begin(s, 'bob', {}, { Session }), 'NotAuthorizedException', 'Invalid session for the user.');
    const before = (await server.outbox('ann@example.org')).length;
    assert.ok((await begin(s, 'ann', {}, { Session })).AuthenticationResult.RefreshToken);
    assert.equal((await server.outbox('ann@example.org')).length, before, 'without another code');
    await refused(begin(s, 'ann', {}, { Session }), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    assert.deepEqual((await begin(s, 'ann', { PREFERRED_CHALLENGE: 'PASSWORD' })).AvailableChallenges, ['EMAIL_OTP'], 'one way is asked at once');

    // too late for going on, not for confirming; and the Session after it ends, too
    const slow = await api.signUp({ ClientId, Username: 'slow', UserAttributes: email('slow@example.org') });
    await advance(server, 181);
    assert.ok((await confirm('slow', 'slow@example.org', slow.Session)).Session, 'confirmed all the same');
    const quick = await api.signUp({ ClientId, Username: 'quick', UserAttributes: email('quick@example.org') });
    const then = await confirm('quick', 'quick@example.org', quick.Session);
    await advance(server, 181);
    await refused(begin(s, 'quick', {}, { Session: then.Session }), 'NotAuthorizedException', 'Invalid session for the user, session is expired.');

    // "SUPPRESS and a verified address: CONFIRMED at once", measured; whoever is invited gets a password
    const made = await api.adminCreateUser({ UserPoolId, Username: 'made', MessageAction: 'SUPPRESS', UserAttributes: [...email('made@example.org'), { Name: 'email_verified', Value: 'true' }] });
    assert.equal(made.User.UserStatus, 'CONFIRMED');
    const unproven = await api.adminCreateUser({ UserPoolId, Username: 'unproven', MessageAction: 'SUPPRESS', UserAttributes: email('unproven@example.org') });
    assert.equal(unproven.User.UserStatus, 'FORCE_CHANGE_PASSWORD');
    const invited = await api.adminCreateUser({ UserPoolId, Username: 'invited', DesiredDeliveryMediums: ['EMAIL'], UserAttributes: [...email('invited@example.org'), { Name: 'email_verified', Value: 'true' }] });
    assert.equal(invited.User.UserStatus, 'FORCE_CHANGE_PASSWORD');
    const asked = await begin(s, 'made');
    assert.equal(asked.ChallengeName, 'EMAIL_OTP');
    const { AuthenticationResult: { AccessToken } } = await answer(s, 'EMAIL_OTP', asked.Session, { USERNAME: 'made', EMAIL_OTP_CODE: await server.code('made@example.org') });
    assert.deepEqual((await raw(server).adminGetUserAuthFactors({ UserPoolId, Username: 'made' })).ConfiguredUserAuthFactors, ['EMAIL_OTP']);
    // "if the user has no password you can omit PreviousPassword"
    await api.changePassword({ AccessToken, ProposedPassword: PASSWORD });
    assert.deepEqual((await begin(s, 'made')).AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP']);
    await refused(api.changePassword({ AccessToken, ProposedPassword: 'Another-1843!' }), 'NotAuthorizedException', 'Incorrect username or password.');
});

test('nobody is asked like somebody, the same each time, whatever the client says of hiding', async (t) => {
    const { server } = await setUp(t);
    for (const PreventUserExistenceErrors of ['ENABLED', 'LEGACY']) {
        const s = await addPool(server, { ...EVERYTHING, client: { ExplicitAuthFlows: FLOWS, PreventUserExistenceErrors } });
        await addUser(s, 'ann', { attributes: ANN });
        const shape = ({ $metadata, Session, ...rest }) => ({ ...rest, Session: typeof Session });
        const [somebody, nobody] = [await begin(s, 'ann', { PREFERRED_CHALLENGE: 'EMAIL_OTP' }), await begin(s, 'zoe@example.net', { PREFERRED_CHALLENGE: 'EMAIL_OTP' })];
        assert.deepEqual(Object.keys(shape(nobody)), Object.keys(shape(somebody)));
        assert.deepEqual(nobody.ChallengeParameters, { CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL', CODE_DELIVERY_DESTINATION: 'z***@e***' });
        assert.ok(Math.abs(nobody.Session.length - somebody.Session.length) < 120, `${nobody.Session.length} and ${somebody.Session.length}`);
        for (const name of ['zoe@example.net', 'bill', 'jane', '+15550009999']) {
            const offers = (await begin(s, name)).AvailableChallenges;
            for (let i = 0; i < 2; i++) assert.deepEqual((await begin(s, name)).AvailableChallenges, offers);
            assert.deepEqual(offers.slice(0, 3), ['PASSWORD_SRP', 'PASSWORD', 'EMAIL_OTP']);
            const sent = async () => (await begin(s, name, { PREFERRED_CHALLENGE: 'EMAIL_OTP' })).ChallengeParameters.CODE_DELIVERY_DESTINATION;
            assert.equal(await sent(), await sent());
        }
        assert.equal((await server.outbox('zoe@example.net')).length, 0);
        await refused(answer(s, 'EMAIL_OTP', nobody.Session, { USERNAME: 'zoe@example.net', EMAIL_OTP_CODE: '12345678' }), 'CodeMismatchException', 'Invalid code or auth state for the user.');
        const choice = await begin(s, 'bill');
        const asked = await answer(s, 'SELECT_CHALLENGE', choice.Session, { USERNAME: 'bill', ANSWER: 'PASSWORD' });
        await refused(answer(s, 'PASSWORD', asked.Session, { USERNAME: 'bill', PASSWORD }), 'NotAuthorizedException', 'Incorrect username or password.');
        await refused(begin(s, 'bill', { PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD }), 'NotAuthorizedException', 'Incorrect username or password.');
        const { ChallengeParameters: one } = await srpChallenge(s, 'bill'), { ChallengeParameters: two } = await srpChallenge(s, 'bill');
        assert.deepEqual([one.SALT, one.USER_ID_FOR_SRP], [two.SALT, two.USER_ID_FOR_SRP]);
        await refused(srp(s, 'bill', PASSWORD), 'NotAuthorizedException', 'Incorrect username or password.');
        // guesses at a code are limited for nobody as they are for somebody
        for (let i = 0; i < 4; i++) await answer(s, 'EMAIL_OTP', nobody.Session, { USERNAME: 'zoe@example.net', EMAIL_OTP_CODE: '12345678' }).catch(() => {});
        await refused(answer(s, 'EMAIL_OTP', nobody.Session, { USERNAME: 'zoe@example.net', EMAIL_OTP_CODE: '12345678' }), 'NotAuthorizedException');
        // a disabled user, a reset one
        await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'ann' });
        await refused(begin(s, 'ann'), 'NotAuthorizedException', 'User is disabled.');
        await advance(server, 3600);
    }
});

// ---- SRP as the libraries do it, with a Session ----

const N = BigInt('0x' + 'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF');
function power(base, exponent) {
    let result = 1n;
    for (base %= N; exponent > 0n; exponent >>= 1n, base = (base * base) % N) if (exponent & 1n) result = (result * base) % N;
    return result;
}
const hex = (number) => { const text = number.toString(16); return text.length % 2 ? `0${text}` : text; };
const pad = (number) => { const text = hex(number); return Buffer.from(/^[89a-f]/i.test(text) ? `00${text}` : text, 'hex'); };
const sha = (...parts) => { const h = crypto.createHash('sha256'); for (const part of parts) h.update(part); return h.digest(); };
const number = (bytes) => BigInt(`0x${bytes.toString('hex')}`);
const keys = new Map();

async function srpChallenge(s, USERNAME, way = 'preferred') {
    const a = number(crypto.randomBytes(32)), SRP_A = hex(power(2n, a));
    let got;
    if (way === 'preferred') got = await begin(s, USERNAME, { PREFERRED_CHALLENGE: 'PASSWORD_SRP', SRP_A });
    else {
        const { Session } = await begin(s, USERNAME);
        got = await answer(s, 'SELECT_CHALLENGE', Session, { USERNAME, ANSWER: 'PASSWORD_SRP', ...(way === 'chosen' && { SRP_A }) });
        if (way === 'asked') {
            assert.equal(got.ChallengeName, 'PASSWORD_SRP');
            got = await answer(s, 'PASSWORD_SRP', got.Session, { USERNAME, SRP_A });
        }
    }
    assert.equal(got.ChallengeName, 'PASSWORD_VERIFIER');
    assert.ok(got.Session, 'within USER_AUTH it has a Session');
    keys.set(got.Session, a);
    return got;
}

async function srp(s, USERNAME, password, way = 'preferred', session = undefined) {
    const { ChallengeParameters: p, Session } = await srpChallenge(s, USERNAME, way);
    const a = keys.get(Session), A = power(2n, a), B = BigInt(`0x${p.SRP_B}`), pool = s.poolId.split('_')[1];
    const u = number(sha(pad(A), pad(B))), k = number(sha(pad(N), pad(2n)));
    const x = number(sha(pad(BigInt(`0x${p.SALT}`)), sha(`${pool}${p.USER_ID_FOR_SRP}:${password}`)));
    const S = power((((B - k * power(2n, x)) % N) + N) % N, a + u * x);
    const prk = crypto.createHmac('sha256', pad(u)).update(pad(S)).digest();
    const key = crypto.createHmac('sha256', prk).update(Buffer.concat([Buffer.from('Caldera Derived Key'), Buffer.from([1])])).digest().subarray(0, 16);
    const now = new Date(), [weekday, , month] = now.toUTCString().split(/[ ,]+/);
    const TIMESTAMP = `${weekday} ${month} ${now.getUTCDate()} ${now.toISOString().slice(11, 19)} UTC ${now.getUTCFullYear()}`;
    const signature = crypto.createHmac('sha256', key).update(pool).update(p.USER_ID_FOR_SRP).update(Buffer.from(p.SECRET_BLOCK, 'base64')).update(TIMESTAMP).digest('base64');
    return answer(s, 'PASSWORD_VERIFIER', session === null ? undefined : (session ?? Session), {
        USERNAME: p.USER_ID_FOR_SRP, PASSWORD_CLAIM_SECRET_BLOCK: p.SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE: signature, TIMESTAMP,
    });
}
