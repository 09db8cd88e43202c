// What else a pool knows comes along in an export: authenticator apps, devices, passkeys, providers' and webhooks' secrets,
// second client secrets, signing keys on their way in.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';

import { Authenticator } from './support/authenticator.mjs';
import { binary, run, scratch, start } from './support/harness.mjs';
import { api } from './support/people.mjs';
import { nextStep, totp } from './support/totp.mjs';
import { ALL_FLOWS, PASSWORD, addPool, addUser, raw, signIn } from './support/userpool.mjs';

const pool = (server, args) => run(binary(), ['pool', ...args], { env: { AWS_ENDPOINT_URL: server.url, GATEHOUSE_PASSPHRASE: 'correct horse battery' } });
const args = ['--base-url', 'http://pools.example'];

// What a browser keeps, at one server or the other.
function browser(kept) {
    const storage = { setItem: (k, v) => { kept.set(k, String(v)); }, getItem: (k) => kept.get(k) ?? null, removeItem: (k) => { kept.delete(k); }, clear: () => kept.clear() };
    return (s, Username) => {
        const asked = [], Pool = new CognitoUserPool({ UserPoolId: s.poolId, ClientId: s.clientId, endpoint: s.server.url, Storage: storage });
        const request = Pool.client.request.bind(Pool.client);
        Pool.client.request = (operation, params, callback) => {
            asked.push(params.ChallengeName ?? operation);
            return request(operation, params, callback);
        };
        return new Promise((resolve, reject) => new CognitoUser({ Username, Pool, Storage: storage }).authenticateUser(
            new AuthenticationDetails({ Username, Password: PASSWORD }), { onSuccess: () => resolve(asked), onFailure: reject, newPasswordRequired: reject, totpRequired: reject, mfaRequired: reject }));
    };
}

test('second factors, devices, passkeys and every sealed secret', async (t) => {
    const server = await start(t, { args });
    const old = await addPool(server, {
        pool: { DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false }, Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } } },
        client: { ExplicitAuthFlows: [...ALL_FLOWS, 'ALLOW_USER_AUTH'] },
    });
    const UserPoolId = old.poolId;
    await old.api.setUserPoolMfaConfig({ UserPoolId, MfaConfiguration: 'OPTIONAL', SoftwareTokenMfaConfiguration: { Enabled: true }, WebAuthnConfiguration: { RelyingPartyId: 'shop.example', UserVerification: 'preferred' } });
    for (const name of ['ada', 'alan', 'grace']) await addUser(old, name);
    // ada has an app, alan a device, grace a passkey.
    const { AuthenticationResult: { AccessToken } } = await signIn(old, 'ada');
    const { SecretCode } = await old.api.associateSoftwareToken({ AccessToken });
    await old.api.verifySoftwareToken({ AccessToken, UserCode: totp(SecretCode, await nextStep(server)) });
    await old.api.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
    const home = browser(new Map());
    assert.deepEqual((await home(old, 'alan')).at(-1), 'ConfirmDevice');
    const grace = { AccessToken: (await signIn(old, 'grace')).AuthenticationResult.AccessToken }, authenticator = new Authenticator({ origin: 'https://shop.example' });
    await old.api.completeWebAuthnRegistration({ ...grace, Credential: authenticator.create((await old.api.startWebAuthnRegistration(grace)).CredentialCreationOptions) });
    await old.api.createIdentityProvider({ UserPoolId, ProviderName: 'Google', ProviderType: 'Google', ProviderDetails: { client_id: 'x', client_secret: 'google-secret', authorize_scopes: 'email' }, AttributeMapping: { email: 'email' } });
    await old.api.createResourceServer({ UserPoolId, Identifier: 'https://api.example', Name: 'api', Scopes: [{ ScopeName: 'read', ScopeDescription: 'Read' }] });
    await old.api.createUserPoolDomain({ UserPoolId, Domain: 'shop-of-ada' });
    const { UserPoolClient: { ClientId } } = await old.api.createUserPoolClient({ UserPoolId, ClientName: 'secret', GenerateSecret: true });
    await raw(server).addUserPoolClientSecret({ UserPoolId, ClientId });
    const at = (where) => `/_gatehouse/user-pools/${UserPoolId}/${where}`;
    await server.fetch(at('webhook-secret'), { method: 'POST', body: '{}' });
    await server.fetch(at('keys/rotate'), { method: 'POST', body: '{}' });
    const look = async (from) => {
        const calls = api(from), json = async (where) => (await from.fetch(at(where))).json();
        const plain = ({ $metadata, ...rest }) => rest;
        return {
            provider: plain((await calls.describeIdentityProvider({ UserPoolId, ProviderName: 'Google' })).IdentityProvider),
            servers: (await calls.listResourceServers({ UserPoolId, MaxResults: 10 })).ResourceServers,
            domain: (await calls.describeUserPoolDomain({ Domain: 'shop-of-ada' })).DomainDescription.UserPoolId,
            secrets: await raw(from).listUserPoolClientSecrets({ UserPoolId, ClientId }),
            webhook: await json('webhook-secret'),
            keys: await json('keys'),
            mfa: plain(await calls.getUserPoolMfaConfig({ UserPoolId })),
            devices: (await calls.adminListDevices({ UserPoolId, Username: 'alan' })).Devices,
            jwks: (await (await from.fetch(`/${UserPoolId}/.well-known/jwks.json`)).json()).keys,
        };
    };
    const before = await look(server);
    assert.equal(before.provider.ProviderDetails.client_secret, 'google-secret');
    assert.equal(before.jwks.length, 4, 'two that sign, two that will');
    const file = path.join(scratch(t), 'shop.export'), out = await pool(server, ['export', UserPoolId, file, '--with-keys']);
    assert.equal(out.code, 0, out.stderr);

    const other = await start(t, { args, stocked: false }), came = await pool(other, ['import', file]);
    assert.equal(came.code, 0, came.stderr);
    assert.deepEqual(await look(other), before);
    const s = { ...old, server: other, api: api(other) };
    const asked = await signIn(s, 'ada');
    assert.equal(asked.ChallengeName, 'SOFTWARE_TOKEN_MFA');
    const answered = await s.api.respondToAuthChallenge({ ClientId: s.clientId, ChallengeName: 'SOFTWARE_TOKEN_MFA', Session: asked.Session, ChallengeResponses: { USERNAME: 'ada', SOFTWARE_TOKEN_MFA_CODE: totp(SecretCode, await nextStep(other)) } });
    assert.ok(answered.AuthenticationResult.AccessToken);
    assert.deepEqual((await home(s, 'alan')).slice(-2), ['DEVICE_SRP_AUTH', 'DEVICE_PASSWORD_VERIFIER'], 'the device is known there');
    const key = await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: 'grace', PREFERRED_CHALLENGE: 'WEB_AUTHN' } });
    const credential = authenticator.get(JSON.parse(key.ChallengeParameters.CREDENTIAL_REQUEST_OPTIONS));
    const by = await s.api.respondToAuthChallenge({ ClientId: s.clientId, ChallengeName: 'WEB_AUTHN', Session: key.Session, ChallengeResponses: { USERNAME: 'grace', CREDENTIAL: JSON.stringify(credential) } });
    assert.ok(by.AuthenticationResult.AccessToken);
    assert.ok((await s.api.getUser({ AccessToken })).Username, 'a token of the old server, signed by a key that came along');

    // Beside itself: the domain stays with who has it.
    const again = await pool(other, ['import', file, '--as-new']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /left out, since another pool has it: records shop-of-ada/);
});
