// Passkeys over the wire, with an authenticator in software that can be made to say anything; the real browser's is in
// passkeys-browser.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';

import { binary, run, scratch, start } from './support/harness.mjs';
import { Authenticator, BE, BS, UP, UV, cbor } from './support/authenticator.mjs';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { nextStep, totp } from './support/totp.mjs';
import { ALL_FLOWS, addPool, addUser, advance, claims, operations, raw, refused, setOptions, signIn } from './support/userpool.mjs';

const RP = 'shop.example', ORIGIN = 'https://shop.example';
const FLOWS = [...ALL_FLOWS, 'ALLOW_USER_AUTH'];
const POLICIES = { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } };

// One server for all of them, over a folder that goes with it.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-'));
const server = await start(null, { data: path.join(folder, 'data') });
after(async () => {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

async function passkeyPool(settings = { RelyingPartyId: RP, UserVerification: 'preferred' }, { pool = {}, client = {} } = {}, at = server) {
    const s = await addPool(at, { pool: { Policies: POLICIES, ...pool }, client: { ExplicitAuthFlows: FLOWS, ...client } });
    if (settings) await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OFF', WebAuthnConfiguration: settings });
    return s;
}
async function person(s, name = 'ada') {
    await addUser(s, name);
    return { name, AccessToken: (await signIn(s, name)).AuthenticationResult.AccessToken };
}
const begin = async (s, { AccessToken }) => (await s.api.startWebAuthnRegistration({ AccessToken })).CredentialCreationOptions;
const complete = (s, { AccessToken }, Credential) => s.api.completeWebAuthnRegistration({ AccessToken, Credential });
async function register(s, who, authenticator = new Authenticator({ origin: ORIGIN })) {
    await complete(s, who, authenticator.create(await begin(s, who)));
    return authenticator;
}
const ask = (s, USERNAME, more = {}) =>
    s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME, PREFERRED_CHALLENGE: 'WEB_AUTHN', ...more } });
const optionsOf = ({ ChallengeParameters }) => JSON.parse(ChallengeParameters.CREDENTIAL_REQUEST_OPTIONS);
const answer = (s, { Session }, USERNAME, credential) =>
    s.api.respondToAuthChallenge({
        ClientId: s.clientId, ChallengeName: 'WEB_AUTHN', Session,
        ChallengeResponses: { USERNAME, CREDENTIAL: typeof credential === 'string' ? credential : JSON.stringify(credential) },
    });
async function signInBy(s, name, authenticator, change) {
    const asked = await ask(s, name);
    return answer(s, asked, name, authenticator.get(optionsOf(asked), change));
}

test('a passkey: options, registered, listed, signed in with, deleted', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const options = await begin(s, ada);
    const { sub } = claims(ada.AccessToken);
    assert.deepEqual({ ...options, challenge: undefined }, {
        rp: { id: RP, name: RP },
        user: { id: Buffer.from(sub).toString('base64url'), name: 'ada', displayName: 'ada' },
        challenge: undefined,
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
        timeout: 60000,
        excludeCredentials: [],
        authenticatorSelection: { requireResidentKey: true, residentKey: 'required', userVerification: 'preferred' },
        attestation: 'none',
    });
    assert.ok(Buffer.from(options.challenge, 'base64url').length >= 32);
    const authenticator = new Authenticator({ origin: ORIGIN });
    await complete(s, ada, authenticator.create(options));
    const id = authenticator.id.toString('base64url');

    const { Credentials, NextToken } = await s.api.listWebAuthnCredentials(ada);
    assert.equal(NextToken, undefined);
    assert.ok(Math.abs(Credentials[0].CreatedAt - Date.now()) < 60000);
    assert.deepEqual(Credentials.map(({ CreatedAt, ...rest }) => rest), [{
        CredentialId: id, FriendlyCredentialName: 'Passkey', RelyingPartyId: RP, AuthenticatorAttachment: 'platform', AuthenticatorTransports: ['internal'],
    }]);
    assert.deepEqual((await begin(s, ada)).excludeCredentials, [{ type: 'public-key', id, transports: ['internal'] }]);

    const chosen = await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: 'ada' } });
    assert.equal(chosen.ChallengeName, 'SELECT_CHALLENGE');
    assert.deepEqual(chosen.AvailableChallenges, ['PASSWORD_SRP', 'PASSWORD', 'WEB_AUTHN']);
    const selected = await s.api.respondToAuthChallenge({ ClientId: s.clientId, ChallengeName: 'SELECT_CHALLENGE', Session: chosen.Session, ChallengeResponses: { USERNAME: 'ada', ANSWER: 'WEB_AUTHN' } });
    assert.equal(selected.ChallengeName, 'WEB_AUTHN');
    const request = optionsOf(selected);
    assert.deepEqual({ ...request, challenge: 32 }, {
        challenge: 32, timeout: 180000, rpId: RP, allowCredentials: [{ type: 'public-key', id, transports: ['internal'] }], userVerification: 'preferred',
    });
    assert.equal(Buffer.from(request.challenge, 'base64url').length, 32);
    const credential = authenticator.get(request);
    const { AuthenticationResult } = await answer(s, selected, 'ada', credential);
    assert.equal(claims(AuthenticationResult.AccessToken).sub, sub);
    await refused(answer(s, selected, 'ada', authenticator.get(request)), 'NotAuthorizedException', /session can only be used once/);
    assert.deepEqual((await s.api.getUserAuthFactors(ada)).ConfiguredUserAuthFactors.sort(), ['PASSWORD', 'WEB_AUTHN']);

    await refused(s.api.deleteWebAuthnCredential({ ...ada, CredentialId: 'other' }), 'ResourceNotFoundException');
    await s.api.deleteWebAuthnCredential({ ...ada, CredentialId: id });
    assert.deepEqual((await s.api.listWebAuthnCredentials(ada)).Credentials, []);
    assert.notEqual((await ask(s, 'ada')).ChallengeName, 'WEB_AUTHN');
});

test('RS256, unsolicited extensions and synced passkeys are taken; what Cognito does not offer is not', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const rsa = await register(s, ada, new Authenticator({ origin: ORIGIN, alg: -257, attachment: 'cross-platform', transports: ['usb', 'UPPER', 7, 'nfc'] }));
    assert.ok((await signInBy(s, 'ada', rsa)).AuthenticationResult);
    const [{ FriendlyCredentialName, AuthenticatorTransports }] = (await s.api.listWebAuthnCredentials(ada)).Credentials;
    assert.deepEqual([FriendlyCredentialName, AuthenticatorTransports], ['Security key', ['usb', 'nfc']]);

    const synced = new Authenticator({ origin: 'https://login.shop.example:8443', flags: UP | UV | BE | BS, counts: false });
    await complete(s, ada, synced.create(await begin(s, ada), { extensions: [['credProtect', 2], ['minPinLength', 4]] }));
    for (let i = 0; i < 2; i++) assert.ok((await signInBy(s, 'ada', synced)).AuthenticationResult); // 0 and 0 is no clone

    const eddsa = new Authenticator({ origin: ORIGIN, alg: -8 });
    await refused(complete(s, ada, eddsa.create(await begin(s, ada))), 'WebAuthnCredentialNotSupportedException');
    const strange = cbor([['fmt', 'made-up'], ['attStmt', []], ['authData', Buffer.alloc(4)]]);
    await refused(complete(s, ada, eddsa.create(await begin(s, ada), { attestationObject: strange })), 'InvalidParameterException');
});

test('a registration that is not right is refused by the name of what is wrong', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const authenticator = new Authenticator({ origin: ORIGIN });
    for (const [name, change, message] of [
        ['WebAuthnOriginNotAllowedException', { origin: 'https://shop.example.evil' }],
        ['WebAuthnOriginNotAllowedException', { origin: 'http://shop.example' }],
        ['WebAuthnOriginNotAllowedException', { clientData: { crossOrigin: true } }],
        ['WebAuthnRelyingPartyMismatchException', { rpId: 'other.example' }],
        ['InvalidParameterException', { type: 'webauthn.get' }],
        ['InvalidParameterException', { flags: UV }, /saw no user/],
        ['InvalidParameterException', { flags: UP | BS }, /cannot be read/],
        ['InvalidParameterException', { attestationObject: Buffer.from([0xa0]) }, /cannot be read/],
        ['InvalidParameterException', { attestationObject: Buffer.from('bb7fffffffffffffff', 'hex') }, /cannot be read/],
        ['InvalidParameterException', { attestationObject: Buffer.alloc(30000, 0x81) }, /cannot be read/],
        ['WebAuthnChallengeNotFoundException', { challenge: Buffer.alloc(48).toString('base64url') }],
        ['WebAuthnChallengeNotFoundException', { challenge: 'AAAA' }],
    ]) await refused(complete(s, ada, authenticator.create(await begin(s, ada), change)), name, message);

    const good = authenticator.create(await begin(s, ada));
    for (const bad of [null, 'text', [], {}, { ...good, type: 'password' }, { ...good, id: 'AAAA' }, { ...good, rawId: 'AAAA' }, { ...good, response: {} },
        { ...good, id: '%%' }, { ...good, response: { ...good.response, clientDataJSON: 'e30' } }, { ...good, response: { ...good.response, attestationObject: 'A' } }])
        await refused(complete(s, ada, bad), 'InvalidParameterException');
    await complete(s, ada, good); // nothing of all that used the challenge up
    await refused(complete(s, ada, good), 'WebAuthnChallengeNotFoundException', /used already/);

    // another user's, another client's, a late one, one that is there already
    const eve = await person(s, 'eve');
    await refused(complete(s, eve, authenticator.create(await begin(s, ada))), 'WebAuthnChallengeNotFoundException');
    const options = await begin(s, ada);
    const { UserPoolClient: other } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'other', ExplicitAuthFlows: FLOWS });
    const elsewhere = (await signIn({ ...s, clientId: other.ClientId }, 'ada')).AuthenticationResult;
    await refused(complete(s, elsewhere, authenticator.create(options)), 'WebAuthnClientMismatchException');
    const late = await begin(s, ada);
    await advance(server, 121);
    await refused(complete(s, ada, authenticator.create(late)), 'WebAuthnChallengeNotFoundException');
    await register(s, ada, authenticator);
    const again = await begin(s, eve);
    const { id } = authenticator;
    const copy = new Authenticator({ origin: ORIGIN });
    Object.defineProperty(copy, 'id', { get: () => id, set: () => {} });
    await refused(complete(s, eve, copy.create(again)), 'InvalidParameterException', /registered already/);
    await refused(s.api.startWebAuthnRegistration({ AccessToken: 'x.y.z' }), 'NotAuthorizedException', 'Invalid Access Token');
});

test('a sign-in that is not right leaves the session good, five times', async () => {
    const s = await passkeyPool();
    const ada = await person(s), eve = await person(s, 'eve');
    const authenticator = await register(s, ada), hers = await register(s, eve);
    const incorrect = 'Incorrect username or password.';
    for (const [change, message] of [
        [{ signature: 'changed' }, incorrect],
        [{ privateKey: hers.privateKey }, incorrect],
        [{ id: hers.id }, incorrect],
        [{ handle: hers.handle }, incorrect],
        [{ origin: 'https://evil.example' }, /origin is not allowed/],
        [{ rpId: 'evil.example' }, /another relying party/],
        [{ type: 'webauthn.create' }, /other ceremony/],
        [{ challenge: Buffer.alloc(32).toString('base64url') }, /challenge is another one/],
        [{ flags: UV }, /saw no user/],
    ]) {
        const asked = await ask(s, 'ada');
        await refused(answer(s, asked, 'ada', authenticator.get(optionsOf(asked), change)), 'NotAuthorizedException', message);
        assert.ok((await answer(s, asked, 'ada', authenticator.get(optionsOf(asked)))).AuthenticationResult);
    }
    for (const bad of ['', '{', '[]', '{}', 'null', JSON.stringify({ id: 'AAAA', type: 'public-key', response: { clientDataJSON: 'e30', authenticatorData: 'AAAA' } })])
        await refused(answer(s, await ask(s, 'ada'), 'ada', bad), 'InvalidParameterException');
    // a challenge of one sign-in does not answer another's
    const one = await ask(s, 'ada'), other = await ask(s, 'ada');
    await refused(answer(s, other, 'ada', authenticator.get(optionsOf(one))), 'NotAuthorizedException', /challenge is another one/);
    await refused(answer(s, one, 'eve', authenticator.get(optionsOf(one))), 'NotAuthorizedException', 'Invalid session for the user.');
    // five wrong ones end it
    const asked = await ask(s, 'ada');
    for (let i = 0; i < 5; i++) await refused(answer(s, asked, 'ada', authenticator.get(optionsOf(asked), { origin: 'https://evil.example' })), 'NotAuthorizedException');
    await refused(answer(s, asked, 'ada', authenticator.get(optionsOf(asked))), 'NotAuthorizedException', /Invalid session/);
    // and time
    const late = await ask(s, 'ada');
    await advance(server, 181);
    await refused(answer(s, late, 'ada', authenticator.get(optionsOf(late))), 'NotAuthorizedException', /session is expired/);
});

test('an authenticator that was copied is found by its counter; a user who is disabled stays out', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const authenticator = await register(s, ada);
    assert.ok((await signInBy(s, 'ada', authenticator)).AuthenticationResult);
    const copy = Object.assign(new Authenticator({ origin: ORIGIN }), authenticator);
    assert.ok((await signInBy(s, 'ada', authenticator)).AuthenticationResult);
    await refused(signInBy(s, 'ada', copy), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.match(server.log(), /counter did not go on/);
    // two at once with one counter: one of them
    const both = await Promise.all([ask(s, 'ada'), ask(s, 'ada')]);
    const { counter } = authenticator;
    const credentials = both.map((asked) => {
        authenticator.counter = counter;
        return authenticator.get(optionsOf(asked));
    });
    const ends = await Promise.allSettled(both.map((asked, i) => answer(s, asked, 'ada', credentials[i])));
    assert.deepEqual(ends.map((end) => end.status).sort(), ['fulfilled', 'rejected']);
    const asked = await ask(s, 'ada');
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(answer(s, asked, 'ada', authenticator.get(optionsOf(asked))), 'NotAuthorizedException', 'User is disabled.');
});

test('user verification: required is required, at registration and at sign-in', async () => {
    const s = await passkeyPool({ RelyingPartyId: RP, UserVerification: 'required' });
    const ada = await person(s);
    const options = await begin(s, ada);
    assert.equal(options.authenticatorSelection.userVerification, 'required');
    const authenticator = new Authenticator({ origin: ORIGIN, flags: UP });
    await refused(complete(s, ada, authenticator.create(options)), 'WebAuthnCredentialNotSupportedException', /did not verify the user/);
    authenticator.flags = UP | UV;
    await register(s, ada, authenticator);
    await refused(signInBy(s, 'ada', authenticator, { flags: UP }), 'NotAuthorizedException', /did not verify the user/);
    assert.ok((await signInBy(s, 'ada', authenticator)).AuthenticationResult);
});

test('as both factors in one: only with user verification, and only who turned it on', async () => {
    const s = await passkeyPool(null);
    const api = raw(server); // FactorConfiguration is newer than the SDK
    const set = (WebAuthnConfiguration, MfaConfiguration = 'ON') =>
        api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration, WebAuthnConfiguration, ...(MfaConfiguration === 'OFF' ? {} : { SoftwareTokenMfaConfiguration: { Enabled: true } }) });
    await set({ RelyingPartyId: RP, UserVerification: 'preferred' }, 'OFF');
    const ada = await person(s);
    const authenticator = await register(s, ada);
    await refused(set({ RelyingPartyId: RP, FactorConfiguration: 'SINGLE_FACTOR' }), 'InvalidParameterException', /SINGLE_FACTOR/);
    const multi = { RelyingPartyId: RP, UserVerification: 'preferred', FactorConfiguration: 'MULTI_FACTOR_WITH_USER_VERIFICATION' };
    await set(multi, 'OPTIONAL');
    assert.deepEqual((await api.getUserPoolMfaConfig({ UserPoolId: s.poolId })).WebAuthnConfiguration, multi);
    const asPasskey = () => api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ada', SoftwareTokenMfaSettings: { Enabled: true }, WebAuthnMfaSettings: { Enabled: true } });
    await refused(api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ada', WebAuthnMfaSettings: { Enabled: true } }), 'InvalidParameterException', /another MFA method/);
    const { SecretCode } = await s.api.associateSoftwareToken(ada);
    await s.api.verifySoftwareToken({ ...ada, UserCode: totp(SecretCode, await nextStep(server)) });
    await s.api.adminSetUserMFAPreference({ UserPoolId: s.poolId, Username: 'ada', SoftwareTokenMfaSettings: { Enabled: true } });
    assert.notEqual((await ask(s, 'ada')).ChallengeName, 'WEB_AUTHN'); // one factor is not enough for who has two
    await asPasskey();
    for (const mode of ['OPTIONAL', 'ON']) {
        await set(multi, mode);
        const asked = await ask(s, 'ada');
        assert.equal(optionsOf(asked).userVerification, 'required');
        await refused(answer(s, asked, 'ada', authenticator.get(optionsOf(asked), { flags: UP })), 'NotAuthorizedException', /did not verify the user/);
        assert.ok((await answer(s, asked, 'ada', authenticator.get(optionsOf(asked)))).AuthenticationResult);
    }
    await set({ RelyingPartyId: RP }, 'OPTIONAL');
    assert.notEqual((await ask(s, 'ada')).ChallengeName, 'WEB_AUTHN');
});

test('for whom: the pool\'s own settings, its domain, this server\'s name; never an address', async () => {
    const s = await passkeyPool(null);
    const ada = await person(s);
    assert.equal((await begin(s, ada)).rp.id, 'localhost'); // by 127.0.0.1, the name that browsers allow
    const local = await register(s, ada, new Authenticator({ origin: 'http://localhost:5173' }));
    assert.ok((await signInBy(s, 'ada', local)).AuthenticationResult);
    await s.api.createUserPoolDomain({ UserPoolId: s.poolId, Domain: 'auth.shop.example', CustomDomainConfig: { CertificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555' } });
    assert.equal((await begin(s, ada)).rp.id, 'auth.shop.example');
    const set = (RelyingPartyId) => s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OFF', WebAuthnConfiguration: { RelyingPartyId } });
    for (const bad of ['https://shop.example', 'shop.example:443', '10.0.0.1', 'Shop.example', 'shop..example', '-'])
        await refused(set(bad), 'InvalidParameterException', /relying party ID/);
    await set(RP);
    assert.equal((await begin(s, ada)).rp.id, RP);
    // an app's own origin is allowed by an option
    const app = new Authenticator({ origin: 'android:apk-key-hash:abc' });
    await refused(complete(s, ada, app.create(await begin(s, ada))), 'WebAuthnOriginNotAllowedException');
    await setOptions(s, { passkeyOrigins: 'android:apk-key-hash:abc' });
    await register(s, ada, app);
    assert.ok((await signInBy(s, 'ada', app)).AuthenticationResult);

    const without = await addPool(server, { client: { ExplicitAuthFlows: FLOWS } });
    await refused(begin(without, await person(without)), 'WebAuthnNotEnabledException');
});

test('a server that is known by an address only', async (t) => {
    const far = await start(t, { args: ['--base-url', 'http://192.0.2.7:4566'] });
    const s = await passkeyPool(null, {}, far);
    await refused(begin(s, await person(s)), 'WebAuthnConfigurationMissingException', /RelyingPartyId/);
});

test('twenty a user; pages of a list', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const ready = await begin(s, ada); // asked for in time, answered too late
    const gone = await register(s, ada);
    for (let i = 1; i < 20; i++) await register(s, ada);
    await refused(begin(s, ada), 'LimitExceededException');
    await refused(complete(s, ada, new Authenticator({ origin: ORIGIN }).create(ready)), 'LimitExceededException');
    const seen = [];
    for (let NextToken; ;) {
        const page = await s.api.listWebAuthnCredentials({ ...ada, MaxResults: 8, NextToken });
        seen.push(page.Credentials.length);
        if (!(NextToken = page.NextToken)) break;
    }
    assert.deepEqual(seen, [8, 8, 4]);
    const { NextToken } = await s.api.listWebAuthnCredentials({ ...ada, MaxResults: 8 });
    await refused(s.api.listWebAuthnCredentials({ ...await person(s, 'eve'), NextToken }), 'InvalidParameterException');
    await refused(s.api.listWebAuthnCredentials({ ...ada, MaxResults: 21 }), 'InvalidParameterException');
    // they go with the user: somebody else may have the id now
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ada' });
    const eve = await person(s, 'eva'), { id } = gone, heir = new Authenticator({ origin: ORIGIN });
    Object.defineProperty(heir, 'id', { get: () => id, set: () => {} });
    await register(s, eve, heir);
    assert.equal((await s.api.listWebAuthnCredentials(eve)).Credentials.length, 1);
});

test('nobody is asked like somebody, the same each time, and never gets in', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    await register(s, ada);
    const asked = new Map();
    for (let i = 0; i < 40 && asked.size < 3; i++) {
        const first = await ask(s, `nobody${i}`);
        if (first.ChallengeName === 'WEB_AUTHN') asked.set(`nobody${i}`, first);
    }
    assert.equal(asked.size, 3);
    for (const [name, first] of asked) {
        const again = optionsOf(await ask(s, name)), options = optionsOf(first);
        assert.deepEqual(again.allowCredentials, options.allowCredentials);
        assert.deepEqual(Object.keys(options), Object.keys(optionsOf(await ask(s, 'ada'))));
        // even the private key that belongs to the made-up passkey does not open anything
        const forged = new Authenticator({ origin: ORIGIN });
        forged.create({ rp: { id: RP }, user: {}, challenge: 'AA' });
        forged.id = Buffer.from(options.allowCredentials[0].id, 'base64url');
        forged.handle = undefined;
        await refused(answer(s, first, name, forged.get(options)), 'NotAuthorizedException', 'Incorrect username or password.');
    }
});

test('step-up: a passkey is level 3, of the machine (swk) or of one\'s own (hwk)', async () => {
    const s = await passkeyPool();
    const ada = await person(s);
    const inside = await register(s, ada), key = await register(s, ada, new Authenticator({ origin: ORIGIN, attachment: 'cross-platform' }));
    for (const [authenticator, amr] of [[inside, ['swk']], [key, ['hwk']]]) {
        const asked = await ask(s, 'ada', { TARGET_ACR_VALUES: 'urn:cognito:loa:3' });
        const { AuthenticationResult } = await answer(s, asked, 'ada', authenticator.get(optionsOf(asked)));
        const { acr, amr: shown } = claims(AuthenticationResult.IdToken);
        assert.deepEqual([acr, shown], ['urn:cognito:loa:3', amr]);
    }
});

test('a passkey goes with its pool to another server, counter and all', async (t) => {
    const s = await passkeyPool();
    const ada = await person(s);
    const authenticator = await register(s, ada);
    assert.ok((await signInBy(s, 'ada', authenticator)).AuthenticationResult);
    const other = await start(t), file = path.join(scratch(t), 'pool.export');
    const pool = (at, ...args) => run(binary(), ['pool', ...args], { env: { AWS_ENDPOINT_URL: at.url, GATEHOUSE_PASSPHRASE: 'a passphrase that is long' } });
    const left = await pool(server, 'export', s.poolId, file);
    assert.equal(left.code, 0, left.stderr);
    const came = await pool(other, 'import', file);
    assert.equal(came.code, 0, came.stderr);
    const there = { ...s, api: operations(other.client(CognitoIdentityProviderClient)) };
    const copy = Object.assign(new Authenticator({ origin: ORIGIN }), authenticator, { counter: authenticator.counter - 1 });
    await refused(signInBy(there, 'ada', copy), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.ok((await signInBy(there, 'ada', authenticator)).AuthenticationResult);
});
