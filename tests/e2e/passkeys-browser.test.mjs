// Passkeys in Chromium, with its virtual authenticator: a page of an app registers one, signs in with it, deletes it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';

import { atEnd, start } from './support/harness.mjs';
import { addAuthenticator, openBrowser } from './support/chromium.mjs';
import { ALL_FLOWS, addPool, addUser, claims, signIn } from './support/userpool.mjs';

// What an app's script does: the operations by fetch, the browser's own JSON forms of options and credentials.
const script = `
    const call = async (operation, input) => {
        const answer = await fetch(app.url, {
            method: 'POST',
            headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSCognitoIdentityProviderService.' + operation },
            body: JSON.stringify(input),
        });
        const output = await answer.json();
        if (!answer.ok) throw new Error(output.__type + ': ' + output.message);
        return output;
    };
    const register = async (AccessToken) => {
        const { CredentialCreationOptions } = await call('StartWebAuthnRegistration', { AccessToken });
        const credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(CredentialCreationOptions) });
        await call('CompleteWebAuthnRegistration', { AccessToken, Credential: credential.toJSON() });
        return credential.toJSON();
    };
    const signIn = async (USERNAME, change = {}) => {
        const asked = await call('InitiateAuth', { ClientId: app.clientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME, PREFERRED_CHALLENGE: 'WEB_AUTHN' } });
        if (asked.ChallengeName !== 'WEB_AUTHN') throw new Error(asked.ChallengeName);
        const options = { ...JSON.parse(asked.ChallengeParameters.CREDENTIAL_REQUEST_OPTIONS), ...change };
        const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        const { AuthenticationResult } = await call('RespondToAuthChallenge', {
            ClientId: app.clientId, ChallengeName: 'WEB_AUTHN', Session: asked.Session,
            ChallengeResponses: { USERNAME, CREDENTIAL: JSON.stringify(credential.toJSON()) },
        });
        return AuthenticationResult;
    };
`;

async function serveApp(t, app) {
    const site = http.createServer((request, response) => {
        response.setHeader('content-type', 'text/html');
        response.end(`<!doctype html><title>shop</title><script>const app = ${JSON.stringify(app)};${script}</script>`);
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    atEnd(t, () => new Promise((resolve) => {
        site.closeAllConnections();
        site.close(resolve);
    }));
    return `http://localhost:${site.address().port}/`;
}

async function scene(t, WebAuthnConfiguration) {
    const server = await start(t);
    const s = await addPool(server, {
        pool: { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } } },
        client: { ExplicitAuthFlows: [...ALL_FLOWS, 'ALLOW_USER_AUTH'] },
    });
    await s.api.setUserPoolMfaConfig({ UserPoolId: s.poolId, MfaConfiguration: 'OFF', WebAuthnConfiguration });
    await addUser(s, 'ada');
    const { AccessToken } = (await signIn(s, 'ada')).AuthenticationResult;
    const page = await openBrowser(t);
    await page.open(await serveApp(t, { url: `${server.url}/`, clientId: s.clientId }));
    return { ...s, AccessToken, page };
}

test('a page registers a passkey, lists it, signs in with it, deletes it', async (t) => {
    const { api, AccessToken, page } = await scene(t, { RelyingPartyId: 'localhost', UserVerification: 'required' });
    const authenticator = await addAuthenticator(page);
    const credential = await page.run((token) => register(token), AccessToken);
    const { Credentials } = await api.listWebAuthnCredentials({ AccessToken });
    assert.deepEqual(Credentials.map((one) => [one.CredentialId, one.RelyingPartyId, one.AuthenticatorAttachment, one.AuthenticatorTransports]),
        [[credential.id, 'localhost', 'platform', ['internal']]]);
    const [kept] = await authenticator.credentials();
    assert.equal(Buffer.from(kept.userHandle, 'base64').toString(), claims(AccessToken).sub);
    assert.ok(kept.isResidentCredential);

    const result = await page.run(() => signIn('ada'));
    assert.equal(claims(result.AccessToken).sub, claims(AccessToken).sub);
    assert.ok((await page.run(() => signIn('ada'))).RefreshToken, 'again: the counter goes on');
    // the one that is registered is excluded: this authenticator makes no second one
    await assert.rejects(page.run((token) => register(token), AccessToken), /InvalidStateError/);

    await api.deleteWebAuthnCredential({ AccessToken, CredentialId: credential.id });
    await assert.rejects(page.run(() => signIn('ada')), /SELECT_CHALLENGE|PASSWORD/);
});

test('a pool that requires user verification refuses an authenticator that does not verify', async (t) => {
    const { api, poolId, AccessToken, page } = await scene(t, { RelyingPartyId: 'localhost', UserVerification: 'preferred' });
    const authenticator = await addAuthenticator(page, { verifies: false });
    // preferred: the browser says what it wants, and takes what there is
    await assert.rejects(page.run(() => signIn('ada')), /SELECT_CHALLENGE|PASSWORD/);
    await authenticator.verify(true);
    await page.run((token) => register(token), AccessToken);
    await api.setUserPoolMfaConfig({ UserPoolId: poolId, MfaConfiguration: 'OFF', WebAuthnConfiguration: { RelyingPartyId: 'localhost', UserVerification: 'required' } });
    await authenticator.verify(false);
    await assert.rejects(page.run(() => signIn('ada')), /NotAllowedError/); // the browser itself, asked for it
    // a page that does not ask for it gets a signature without, which the pool refuses
    await authenticator.verify(true);
    await assert.rejects(page.run(() => signIn('ada', { userVerification: 'discouraged', rpId: 'localhost' })), /did not verify the user/);
    assert.ok((await page.run(() => signIn('ada'))).AccessToken);
});
