// Sign in as a browser does: SRP with amazon-cognito-identity-js, the password never leaves this
// process. The tokens are checked with aws-jwt-verify against what the pool publishes.
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';
import { CognitoIdentityProviderClient, GetUserCommand, GlobalSignOutCommand, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleFetcher } from 'aws-jwt-verify/https';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { endpoint, options, refused, remember, same, say, story } from './story.mjs';

const idp = new CognitoIdentityProviderClient(options);

say('ada signs in by SRP');
function signIn(password) {
    const pool = new CognitoUserPool({ UserPoolId: story.POOL_ID, ClientId: story.CLIENT_ID, endpoint });
    const user = new CognitoUser({ Username: 'ada', Pool: pool });
    return new Promise((onSuccess, onFailure) =>
        user.authenticateUser(new AuthenticationDetails({ Username: 'ada', Password: password }), { onSuccess, onFailure }));
}
const wrong = await signIn('Engine-1844!').catch((error) => error);
same('a wrong password', [wrong.code, wrong.message], ['NotAuthorizedException', 'Incorrect username or password.']);
const session = await signIn('Engine-1843!');
const id = session.getIdToken().getJwtToken();
const access = session.getAccessToken().getJwtToken();

say('the pool says where its keys are');
const issuer = `${endpoint}/${story.POOL_ID}`;
const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
same('issuer', discovery.issuer, issuer);
same('keys', discovery.jwks_uri, `${issuer}/.well-known/jwks.json`);

say('the tokens verify, and say who, for whom and until when');
// aws-jwt-verify insists on https for keys that it fetches itself, hence the fetcher.
const fetcher = new (class extends SimpleFetcher {
    fetch = async (uri) => (await fetch(uri)).arrayBuffer();
})();
const verifier = JwtVerifier.create({ issuer, jwksUri: discovery.jwks_uri, audience: null }, { jwksCache: new SimpleJwksCache({ fetcher }) });
const idClaims = await verifier.verify(id);
const accessClaims = await verifier.verify(access);
same('id token', [idClaims.token_use, idClaims.aud, idClaims['cognito:username'], idClaims.email, idClaims.email_verified], ['id', story.CLIENT_ID, 'ada', 'ada@example.org', true]);
same('access token', [accessClaims.token_use, accessClaims.client_id, accessClaims.username, accessClaims.scope], ['access', story.CLIENT_ID, 'ada', 'aws.cognito.signin.user.admin']);
same('one user, one sign-in', [accessClaims.sub, accessClaims.origin_jti, accessClaims.auth_time], [idClaims.sub, idClaims.origin_jti, idClaims.auth_time]);
same('an hour', accessClaims.exp - accessClaims.iat, 3600);
const forged = access.slice(0, -8) + (access.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA');
same('a forged signature', await verifier.verify(forged).catch((error) => error.constructor.name), 'JwtInvalidSignatureError');

say('the SDK speaks with the same tokens');
same('who am I', (await idp.send(new GetUserCommand({ AccessToken: access }))).Username, 'ada');
const refreshed = await idp.send(new InitiateAuthCommand({
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    ClientId: story.CLIENT_ID,
    AuthParameters: { REFRESH_TOKEN: session.getRefreshToken().getToken() },
}));
same('a refreshed token verifies', (await verifier.verify(refreshed.AuthenticationResult.AccessToken)).username, 'ada');
await idp.send(new GlobalSignOutCommand({ AccessToken: access }));
await refused('after GlobalSignOut', idp.send(new GetUserCommand({ AccessToken: access })), 'NotAuthorizedException');
remember('SIGNED_OUT_TOKEN', id);

const again = await signIn('Engine-1843!');
remember('ID_TOKEN', again.getIdToken().getJwtToken());
