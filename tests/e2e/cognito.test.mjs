// User pools as apps use them: AWS SDK v3, amazon-cognito-identity-js, aws-jwt-verify.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { AuthenticationDetails, CognitoRefreshToken, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';
import { JwtVerifier } from 'aws-jwt-verify';

import { start } from './support/harness.mjs';
import { ALL_FLOWS, claims, operations, PASSWORD, raw, refused } from './support/userpool.mjs';

// A server, a pool that verifies mail addresses, a client.
async function setUp(t, { pool = {}, client = {} } = {}) {
    const server = await start(t);
    const api = operations(server.client(idp.CognitoIdentityProviderClient));
    const { UserPool } = await api.createUserPool({ PoolName: 'shop', AutoVerifiedAttributes: ['email'], ...pool });
    const { UserPoolClient } = await api.createUserPoolClient({
        UserPoolId: UserPool.Id, ClientName: 'app', ExplicitAuthFlows: ALL_FLOWS, ...client,
    });
    return { server, api, poolId: UserPool.Id, clientId: UserPoolClient.ClientId, pool: UserPool, client: UserPoolClient };
}

async function addUser({ api, poolId }, Username, attributes = { email: `${Username}@example.org`, email_verified: 'true' }) {
    await api.adminCreateUser({
        UserPoolId: poolId, Username, MessageAction: 'SUPPRESS',
        UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    });
    await api.adminSetUserPassword({ UserPoolId: poolId, Username, Password: PASSWORD, Permanent: true });
}

async function passwordSignIn({ api, clientId }, USERNAME, password = PASSWORD, more = {}) {
    return api.initiateAuth({ ClientId: clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD: password, ...more } });
}
async function tokens(s, user, password) {
    return (await passwordSignIn(s, user, password)).AuthenticationResult;
}
const refresh = ({ api, clientId }, token) =>
    api.initiateAuth({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: token } });

function srpUser({ server, poolId, clientId }, Username) {
    const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: server.url });
    return new CognitoUser({ Username, Pool });
}
// {session} or {newPassword: {userAttributes, requiredAttributes}}
function srpSignIn(user, Username, Password = PASSWORD) {
    return new Promise((resolve, reject) =>
        user.authenticateUser(new AuthenticationDetails({ Username, Password }), {
            onSuccess: (session) => resolve({ session }),
            onFailure: reject,
            newPasswordRequired: (userAttributes, requiredAttributes) => resolve({ newPassword: { userAttributes, requiredAttributes } }),
        }));
}

async function verifierOf({ server, poolId }) {
    const issuer = `${server.url}/${poolId}`;
    const verifier = JwtVerifier.create({ issuer, audience: null, jwksUri: `${issuer}/.well-known/jwks.json` });
    verifier.cacheJwks(await (await server.fetch(`/${poolId}/.well-known/jwks.json`)).json());
    return verifier;
}

test('a pool answers with AWS\'s defaults', async (t) => {
    const { api, poolId, pool, client, server } = await setUp(t);
    assert.match(poolId, /^us-east-1_[0-9A-Za-z]{9}$/);
    assert.equal(pool.Arn, `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${poolId}`);
    assert.deepEqual(pool.Policies, {
        PasswordPolicy: { MinimumLength: 8, RequireUppercase: true, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true, TemporaryPasswordValidityDays: 7 },
        SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] },
    });
    assert.equal(pool.SchemaAttributes.length, 21);
    assert.deepEqual(pool.SchemaAttributes.find((a) => a.Name === 'sub'), {
        Name: 'sub', AttributeDataType: 'String', DeveloperOnlyAttribute: false, Mutable: false, Required: true,
        StringAttributeConstraints: { MinLength: '1', MaxLength: '2048' },
    });
    assert.deepEqual(
        [pool.DeletionProtection, pool.LambdaConfig, pool.MfaConfiguration, pool.EstimatedNumberOfUsers, pool.UserPoolTier, pool.UserPoolTags],
        ['INACTIVE', {}, 'OFF', 0, 'ESSENTIALS', {}]);
    assert.deepEqual(pool.AdminCreateUserConfig, { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 7 });
    assert.deepEqual(pool.EmailConfiguration, { EmailSendingAccount: 'COGNITO_DEFAULT' });
    assert.deepEqual(pool.VerificationMessageTemplate, { DefaultEmailOption: 'CONFIRM_WITH_CODE' });
    assert.match(client.ClientId, /^[0-9a-z]{26}$/);
    assert.deepEqual(
        [client.RefreshTokenValidity, client.EnableTokenRevocation, client.AuthSessionValidity, client.AllowedOAuthFlowsUserPoolClient, client.ClientSecret],
        [30, true, 3, false, undefined]);
    const described = await api.describeUserPool({ UserPoolId: poolId });
    assert.deepEqual(described.UserPool, pool);
    const listed = await api.listUserPools({ MaxResults: 1 });
    assert.deepEqual(listed.UserPools.map((p) => [p.Id, p.Name]), [[poolId, 'shop']]);
    assert.equal(listed.NextToken, undefined);
    await refused(api.describeUserPool({ UserPoolId: 'us-east-1_nowhere12' }), 'ResourceNotFoundException', 'User pool us-east-1_nowhere12 does not exist.');

    await api.updateUserPool({ UserPoolId: poolId, DeletionProtection: 'ACTIVE', AutoVerifiedAttributes: ['email'] });
    await refused(api.deleteUserPool({ UserPoolId: poolId }), 'InvalidParameterException', /deletion protection is activated/);
    await api.updateUserPool({ UserPoolId: poolId });
    await api.deleteUserPool({ UserPoolId: poolId });
    await refused(api.describeUserPool({ UserPoolId: poolId }), 'ResourceNotFoundException');
    assert.equal((await server.fetch(`/${poolId}/.well-known/jwks.json`)).status, 404);
});

test('what would not be enforced is refused by name', async (t) => {
    const { api, poolId, server } = await setUp(t);
    const newest = raw(server); // members that the SDK does not know yet, and would leave out
    const pools = {
        'LambdaConfig.InboundFederation': { LambdaConfig: { InboundFederation: { LambdaVersion: 'V1_0', LambdaArn: 'arn:aws:lambda:us-east-1:000000000000:function:f' } } },
        DcrConfiguration: { DcrConfiguration: { EnableStatus: 'Enabled' } },
        'KeyConfiguration.KeyType=CUSTOMER_MANAGED_KEY': { KeyConfiguration: { KeyType: 'CUSTOMER_MANAGED_KEY', KmsKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x' } },
        'IssuerConfiguration.Type=UPDATED': { IssuerConfiguration: { Type: 'UPDATED' } },
    };
    for (const [name, input] of Object.entries(pools)) await refused(newest.createUserPool({ PoolName: 'x', ...input }), 'InvalidParameterException', new RegExp(name));
    const { UserPool: ours } = await newest.createUserPool({ PoolName: 'x', KeyConfiguration: { KeyType: 'AWS_OWNED_KEY' }, IssuerConfiguration: { Type: 'ORIGINAL' } });
    assert.deepEqual([ours.KeyConfiguration, ours.IssuerConfiguration], [{ KeyType: 'AWS_OWNED_KEY' }, { Type: 'ORIGINAL' }]);
    const clients = {
        AnalyticsConfiguration: { AnalyticsConfiguration: { ApplicationId: 'a' } },
    };
    for (const [name, input] of Object.entries(clients)) await refused(api.createUserPoolClient({ UserPoolId: poolId, ClientName: 'x', ...input }), 'InvalidParameterException', new RegExp(name));
    // what asks for nothing passes
    const { UserPool } = await api.createUserPool({ PoolName: 'plain', LambdaConfig: {}, MfaConfiguration: 'OFF', DeviceConfiguration: { ChallengeRequiredOnNewDevice: false }, UserPoolAddOns: { AdvancedSecurityMode: 'OFF' } });
    await api.createUserPoolClient({ UserPoolId: UserPool.Id, ClientName: 'x', AllowedOAuthFlowsUserPoolClient: false, SupportedIdentityProviders: ['COGNITO'] });
});

test('sign up, confirm, sign in by SRP, refresh, sign out everywhere', async (t) => {
    const s = await setUp(t);
    const { api, clientId, poolId, server } = s;
    const up = { ClientId: clientId, Username: 'ada', Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: 'ada@example.org' }, { Name: 'name', Value: 'Ada' }] };
    await refused(api.signUp({ ...up, Password: 'short' }), 'InvalidPasswordException', 'Password did not conform with policy: Password not long enough');
    await refused(api.signUp({ ...up, Password: 'engine-1843!' }), 'InvalidPasswordException', /uppercase/);
    await refused(api.signUp({ ...up, UserAttributes: [{ Name: 'custom:x', Value: '1' }] }), 'InvalidParameterException', /custom:x: Attribute does not exist in the schema/);
    const signedUp = await api.signUp(up);
    assert.equal(signedUp.UserConfirmed, false);
    assert.deepEqual(signedUp.CodeDeliveryDetails, { AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 'a***@e***' });
    await refused(api.signUp(up), 'UsernameExistsException', 'User already exists');

    await refused(passwordSignIn(s, 'ada'), 'UserNotConfirmedException', 'User is not confirmed.');
    const code = await server.code('ada@example.org');
    assert.match(code, /^\d{6}$/);
    const wrong = code === '000000' ? '111111' : '000000';
    await refused(api.confirmSignUp({ ClientId: clientId, Username: 'ada', ConfirmationCode: wrong }), 'CodeMismatchException', 'Invalid verification code provided, please try again.');
    await api.resendConfirmationCode({ ClientId: clientId, Username: 'ada' });
    const second = await server.code('ada@example.org');
    if (second !== code) await refused(api.confirmSignUp({ ClientId: clientId, Username: 'ada', ConfirmationCode: code }), 'CodeMismatchException');
    await api.confirmSignUp({ ClientId: clientId, Username: 'ada', ConfirmationCode: second });
    await refused(api.confirmSignUp({ ClientId: clientId, Username: 'ada', ConfirmationCode: second }), 'NotAuthorizedException', 'User cannot be confirmed. Current status is CONFIRMED');

    const user = srpUser(s, 'ada');
    await refused(srpSignIn(user, 'ada', 'Wrong-1843!'), 'NotAuthorizedException', 'Incorrect username or password.');
    const { session } = await srpSignIn(user, 'ada');
    const verifier = await verifierOf(s);
    const id = await verifier.verify(session.getIdToken().getJwtToken());
    const access = await verifier.verify(session.getAccessToken().getJwtToken());
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
    assert.deepEqual(Object.keys(id).sort(), ['aud', 'auth_time', 'cognito:username', 'email', 'email_verified', 'event_id', 'exp', 'iat', 'iss', 'jti', 'name', 'origin_jti', 'sub', 'token_use']);
    assert.deepEqual(Object.keys(access).sort(), ['auth_time', 'client_id', 'event_id', 'exp', 'iat', 'iss', 'jti', 'origin_jti', 'scope', 'sub', 'token_use', 'username']);
    assert.deepEqual([id.sub, id.aud, id['cognito:username'], id.email, id.email_verified, id.name], [signedUp.UserSub, clientId, 'ada', 'ada@example.org', true, 'Ada']);
    assert.equal(id.iss, `${server.url}/${poolId}`);
    for (const claim of ['sub', 'jti', 'origin_jti', 'event_id']) assert.match(id[claim], uuid);
    assert.notEqual(id.jti, access.jti);
    assert.deepEqual([access.sub, access.origin_jti, access.event_id, access.auth_time], [id.sub, id.origin_jti, id.event_id, id.auth_time]);
    const heads = [session.getIdToken(), session.getAccessToken()].map((token) => JSON.parse(Buffer.from(token.getJwtToken().split('.')[0], 'base64url')));
    for (const head of heads) assert.deepEqual(Object.keys(head), ['kid', 'alg']);
    assert.notEqual(heads[0].kid, heads[1].kid);
    const refreshToken = session.getRefreshToken().getToken();
    assert.equal(refreshToken.split('.').length, 5);

    const fresh = await new Promise((resolve, reject) =>
        user.refreshSession(new CognitoRefreshToken({ RefreshToken: refreshToken }), (error, value) => (error ? reject(error) : resolve(value))));
    const freshClaims = await verifier.verify(fresh.getAccessToken().getJwtToken());
    assert.deepEqual([freshClaims.origin_jti, freshClaims.auth_time], [access.origin_jti, access.auth_time]);
    assert.notEqual(freshClaims.jti, access.jti);
    const again = await refresh(s, refreshToken);
    assert.equal(again.AuthenticationResult.RefreshToken, undefined);
    const newer = await api.getTokensFromRefreshToken({ ClientId: clientId, RefreshToken: refreshToken });
    assert.equal(newer.AuthenticationResult.TokenType, 'Bearer');

    const AccessToken = fresh.getAccessToken().getJwtToken();
    const me = await api.getUser({ AccessToken });
    assert.equal(me.Username, 'ada');
    assert.deepEqual(Object.fromEntries(me.UserAttributes.map((a) => [a.Name, a.Value])), { email: 'ada@example.org', email_verified: 'true', name: 'Ada', sub: id.sub });
    await refused(api.getUser({ AccessToken: session.getIdToken().getJwtToken() }), 'NotAuthorizedException', 'Invalid Access Token');
    await api.globalSignOut({ AccessToken });
    for (const token of [AccessToken, session.getAccessToken().getJwtToken()])
        await refused(api.getUser({ AccessToken: token }), 'NotAuthorizedException', 'Access Token has been revoked');
    await refused(refresh(s, refreshToken), 'NotAuthorizedException', 'Refresh Token has been revoked');
    const next = await srpSignIn(user, 'ada'); // in the same second, and it holds
    assert.equal((await api.getUser({ AccessToken: next.session.getAccessToken().getJwtToken() })).Username, 'ada');
});

test('what was acknowledged survives kill -9: users, sign-ins, sign-outs, keys', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ada');
    const kept = await tokens(s, 'ada');
    const ended = await tokens(s, 'ada');
    await s.api.revokeToken({ ClientId: s.clientId, Token: ended.RefreshToken });
    await s.api.revokeToken({ ClientId: s.clientId, Token: ended.RefreshToken }); // twice is success
    await s.server.restart('SIGKILL');
    const api = operations(s.server.client(idp.CognitoIdentityProviderClient));
    assert.equal((await api.getUser({ AccessToken: kept.AccessToken })).Username, 'ada');
    await refused(api.getUser({ AccessToken: ended.AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
    await (await verifierOf(s)).verify(kept.IdToken);
    const still = await refresh({ ...s, api }, kept.RefreshToken);
    await refused(refresh({ ...s, api }, ended.RefreshToken), 'NotAuthorizedException', 'Refresh Token has been revoked');
    await api.adminUserGlobalSignOut({ UserPoolId: s.poolId, Username: 'ada' });
    await s.server.restart('SIGKILL');
    const third = operations(s.server.client(idp.CognitoIdentityProviderClient));
    for (const token of [kept.AccessToken, still.AuthenticationResult.AccessToken])
        await refused(third.getUser({ AccessToken: token }), 'NotAuthorizedException', 'Access Token has been revoked');
});

test('a temporary password is changed at the first sign-in', async (t) => {
    const s = await setUp(t, { pool: { Schema: [{ Name: 'given_name', Required: true, Mutable: true, AttributeDataType: 'String' }] } });
    const { api, poolId, clientId, server } = s;
    const made = await api.adminCreateUser({ UserPoolId: poolId, Username: 'bob', UserAttributes: [{ Name: 'email', Value: 'bob@example.org' }, { Name: 'email_verified', Value: 'true' }], DesiredDeliveryMediums: ['EMAIL'] });
    assert.equal(made.User.UserStatus, 'FORCE_CHANGE_PASSWORD');
    const mail = (await server.outbox('bob@example.org')).at(-1);
    assert.match(mail.body, /Your username is bob and temporary password is /);
    const temporary = mail.code;
    await refused(api.forgotPassword({ ClientId: clientId, Username: 'bob' }), 'NotAuthorizedException', 'User password cannot be reset in the current state.');

    const user = srpUser(s, 'bob');
    const { newPassword } = await srpSignIn(user, 'bob', temporary);
    assert.deepEqual(newPassword, { userAttributes: { email: 'bob@example.org', email_verified: 'true' }, requiredAttributes: ['given_name'] });
    const complete = (password, attributes) => new Promise((resolve, reject) => user.completeNewPasswordChallenge(password, attributes, { onSuccess: resolve, onFailure: reject }));
    await refused(complete(PASSWORD, {}), 'InvalidParameterException', 'Invalid attributes given, given_name is missing');
    await refused(complete('weak', { given_name: 'Bob' }), 'InvalidPasswordException');
    await refused(complete(PASSWORD, { given_name: 'Bob', email: 'x@example.org' }), 'NotAuthorizedException', 'Cannot modify an already provided email');
    const session = await complete(PASSWORD, { given_name: 'Bob' });
    assert.equal(claims(session.getIdToken().getJwtToken()).given_name, 'Bob');
    assert.equal((await api.adminGetUser({ UserPoolId: poolId, Username: 'bob' })).UserStatus, 'CONFIRMED');

    await api.adminSetUserPassword({ UserPoolId: poolId, Username: 'bob', Password: 'Other-1843!', Permanent: false });
    const asked = await api.adminInitiateAuth({ UserPoolId: poolId, ClientId: clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'bob', PASSWORD: 'Other-1843!' } });
    assert.equal(asked.ChallengeName, 'NEW_PASSWORD_REQUIRED');
    const answer = { UserPoolId: poolId, ClientId: clientId, ChallengeName: 'NEW_PASSWORD_REQUIRED', Session: asked.Session, ChallengeResponses: { USERNAME: 'bob', NEW_PASSWORD: PASSWORD } };
    await refused(api.adminRespondToAuthChallenge({ ...answer, Session: `${asked.Session.slice(0, -4)}AAAA` }), 'NotAuthorizedException', 'Invalid session for the user.');
    assert.ok((await api.adminRespondToAuthChallenge(answer)).AuthenticationResult.AccessToken);
    await refused(api.adminRespondToAuthChallenge(answer), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    await refused(api.respondToAuthChallenge({ ClientId: clientId, ChallengeName: 'SMS_MFA', Session: asked.Session, ChallengeResponses: { USERNAME: 'bob', SMS_MFA_CODE: '123456' } }), 'NotAuthorizedException', 'Invalid session for the user.');
});

test('a client with a secret wants its SECRET_HASH', async (t) => {
    const s = await setUp(t, { client: { GenerateSecret: true } });
    const { api, poolId, clientId, client } = s;
    assert.match(client.ClientSecret, /^[0-9a-z]{51}$/);
    assert.equal((await api.describeUserPoolClient({ UserPoolId: poolId, ClientId: clientId })).UserPoolClient.ClientSecret, client.ClientSecret);
    await addUser(s, 'ada');
    const hash = (name) => crypto.createHmac('sha256', client.ClientSecret).update(name + clientId).digest('base64');
    await refused(passwordSignIn(s, 'ada'), 'NotAuthorizedException', `Client ${clientId} is configured with secret but SECRET_HASH was not received`);
    await refused(passwordSignIn(s, 'ada', PASSWORD, { SECRET_HASH: hash('bob') }), 'NotAuthorizedException', `Unable to verify secret hash for client ${clientId}`);
    const { AuthenticationResult } = await passwordSignIn(s, 'ada', PASSWORD, { SECRET_HASH: hash('ada') });
    await refused(refresh(s, AuthenticationResult.RefreshToken), 'NotAuthorizedException');
    await api.initiateAuth({ ClientId: clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: AuthenticationResult.RefreshToken, SECRET_HASH: hash('ada') } });
    await api.getTokensFromRefreshToken({ ClientId: clientId, ClientSecret: client.ClientSecret, RefreshToken: AuthenticationResult.RefreshToken });
    await refused(api.revokeToken({ ClientId: clientId, Token: AuthenticationResult.RefreshToken, ClientSecret: 'w'.repeat(51) }), 'UnauthorizedException');
    await refused(api.revokeToken({ ClientId: clientId, Token: AuthenticationResult.AccessToken, ClientSecret: client.ClientSecret }), 'UnsupportedTokenTypeException');
    await api.revokeToken({ ClientId: clientId, Token: 'no-such-token', ClientSecret: client.ClientSecret });
    await refused(api.signUp({ ClientId: clientId, Username: 'eve', Password: PASSWORD }), 'NotAuthorizedException');
    await api.signUp({ ClientId: clientId, Username: 'eve', Password: PASSWORD, SecretHash: hash('eve') });
});

test('PreventUserExistenceErrors: nobody looks like somebody', async (t) => {
    const s = await setUp(t, { client: { PreventUserExistenceErrors: 'ENABLED' } });
    const { api, clientId } = s;
    await addUser(s, 'ada');
    const ask = (USERNAME, ClientId = clientId) => api.initiateAuth({ ClientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME, SRP_A: 'abcdef0123456789' } });
    const [nobody, again, other, real] = [await ask('nobody'), await ask('nobody'), await ask('another'), await ask('ada')];
    assert.deepEqual([nobody.ChallengeName, nobody.Session], ['PASSWORD_VERIFIER', undefined]);
    assert.equal(nobody.ChallengeParameters.SALT, again.ChallengeParameters.SALT);
    assert.equal(nobody.ChallengeParameters.USER_ID_FOR_SRP, again.ChallengeParameters.USER_ID_FOR_SRP);
    assert.notEqual(nobody.ChallengeParameters.SALT, other.ChallengeParameters.SALT);
    assert.deepEqual(Object.keys(nobody.ChallengeParameters).sort(), Object.keys(real.ChallengeParameters).sort());
    assert.equal(nobody.ChallengeParameters.SECRET_BLOCK.length, real.ChallengeParameters.SECRET_BLOCK.length);
    await refused(srpSignIn(srpUser(s, 'nobody'), 'nobody'), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(passwordSignIn(s, 'nobody'), 'NotAuthorizedException', 'Incorrect username or password.');
    const forgot = await api.forgotPassword({ ClientId: clientId, Username: 'nobody' });
    assert.match(forgot.CodeDeliveryDetails.Destination, /^.\*\*\*@.\*\*\*$/);
    await refused(api.confirmForgotPassword({ ClientId: clientId, Username: 'nobody', ConfirmationCode: '123456', Password: PASSWORD }), 'CodeMismatchException');
    await refused(api.confirmSignUp({ ClientId: clientId, Username: 'nobody', ConfirmationCode: '123456' }), 'CodeMismatchException');

    const open = await api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'open', ExplicitAuthFlows: ALL_FLOWS });
    await refused(ask('nobody', open.UserPoolClient.ClientId), 'UserNotFoundException', 'User does not exist.');
    await refused(api.forgotPassword({ ClientId: open.UserPoolClient.ClientId, Username: 'nobody' }), 'UserNotFoundException', 'Username/client id combination not found.');
});

test('what a client may not do is said in AWS\'s words', async (t) => {
    const s = await setUp(t, { client: { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'] } });
    const { api, clientId, poolId } = s;
    await addUser(s, 'ada');
    const auth = (AuthFlow, AuthParameters = {}) => api.initiateAuth({ ClientId: clientId, AuthFlow, AuthParameters });
    await refused(passwordSignIn(s, 'ada'), 'InvalidParameterException', 'USER_PASSWORD_AUTH flow not enabled for this client');
    await refused(auth('ADMIN_USER_PASSWORD_AUTH'), 'InvalidParameterException', 'Initiate Auth method not supported.');
    await refused(auth('REFRESH_TOKEN_AUTH'), 'InvalidParameterException', 'Auth flow not enabled for this client');
    await refused(auth('USER_SRP_AUTH', { USERNAME: 'ada' }), 'InvalidParameterException', 'Missing required parameter SRP_A');
    await refused(auth('NO_SUCH_FLOW'), 'InvalidParameterException', /1 validation error detected: Value 'NO_SUCH_FLOW' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: \[/);
    await refused(api.initiateAuth({ ClientId: 'nobody', AuthFlow: 'USER_SRP_AUTH' }), 'ResourceNotFoundException', 'User pool client nobody does not exist.');
    await refused(api.createUserPoolClient({ UserPoolId: poolId, ClientName: 'x', AccessTokenValidity: 2, TokenValidityUnits: { AccessToken: 'minutes' } }), 'InvalidParameterException', 'Invalid range for token validity.');
    await refused(api.createUserPoolClient({ UserPoolId: poolId, ClientName: 'x', ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'USER_PASSWORD_AUTH'] }), 'InvalidParameterException', "Auth flow name with prefix 'ALLOW' cannot be used with legacy auth flow names.");
    await refused(api.createUserPoolClient({ UserPoolId: poolId, ClientName: 'x', AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: ['code'], AllowedOAuthScopes: ['openid'] }), 'InvalidOAuthFlowException', 'CallbackUrls can not be empty when code flow or implicit flow is selected');
    await refused(api.getUser({ AccessToken: 'a.b.c' }), 'NotAuthorizedException', 'Invalid Access Token');
    // SRP: an A that is a multiple of N would give the key away
    const N = 'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1';
    await refused(auth('USER_SRP_AUTH', { USERNAME: 'ada', SRP_A: '0' }), 'InvalidParameterException');
    await refused(auth('USER_SRP_AUTH', { USERNAME: 'ada', SRP_A: N + 'zz' }), 'InvalidParameterException');
});

test('token lifetimes and attributes are the client\'s', async (t) => {
    const s = await setUp(t, {
        pool: { Schema: [{ Name: 'tier', AttributeDataType: 'Number', Mutable: true, NumberAttributeConstraints: { MinValue: '1', MaxValue: '9' } }] },
        client: {
            AccessTokenValidity: 10, IdTokenValidity: 2, RefreshTokenValidity: 3, TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'hours', RefreshToken: 'days' },
            ReadAttributes: ['email', 'custom:tier', 'address'], WriteAttributes: ['email', 'address'],
        },
    });
    const { api, poolId } = s;
    await addUser(s, 'ada', { email: 'ada@example.org', 'custom:tier': '3', name: 'Ada', address: 'St James Square', updated_at: '5' });
    await refused(api.adminUpdateUserAttributes({ UserPoolId: poolId, Username: 'ada', UserAttributes: [{ Name: 'custom:tier', Value: '10' }] }), 'InvalidParameterException', /custom:tier/);
    const { IdToken, AccessToken, ExpiresIn } = await tokens(s, 'ada');
    assert.equal(ExpiresIn, 600);
    const id = claims(IdToken);
    assert.deepEqual([id.exp - id.iat, claims(AccessToken).exp - claims(AccessToken).iat], [7200, 600]);
    assert.deepEqual([id['custom:tier'], id.address, id.name, id.email, id.email_verified], ['3', { formatted: 'St James Square' }, undefined, 'ada@example.org', undefined]);
    await refused(api.updateUserAttributes({ AccessToken, UserAttributes: [{ Name: 'name', Value: 'A' }] }), 'NotAuthorizedException', 'A client attempted to write unauthorized attribute');
    await api.updateUserAttributes({ AccessToken, UserAttributes: [{ Name: 'address', Value: 'Elsewhere' }] });
    assert.equal((await api.getUser({ AccessToken })).UserAttributes.find((a) => a.Name === 'address').Value, 'Elsewhere');
    await api.addCustomAttributes({ UserPoolId: poolId, CustomAttributes: [{ Name: 'size', AttributeDataType: 'String' }] });
    await refused(api.addCustomAttributes({ UserPoolId: poolId, CustomAttributes: [{ Name: 'size', AttributeDataType: 'String' }] }), 'InvalidParameterException', /Existing attribute already has name custom:size/);
});

test('addresses: changed, verified, used to come back in', async (t) => {
    const s = await setUp(t);
    const { api, clientId, server } = s;
    await addUser(s, 'ada');
    const { AccessToken } = await tokens(s, 'ada');
    const other = await tokens(s, 'ada');
    const attribute = async (name) => (await api.getUser({ AccessToken })).UserAttributes.find((a) => a.Name === name)?.Value;

    const { CodeDeliveryDetailsList } = await api.updateUserAttributes({ AccessToken, UserAttributes: [{ Name: 'email', Value: 'new@example.net' }] });
    assert.deepEqual(CodeDeliveryDetailsList, [{ AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 'n***@e***' }]);
    assert.equal(await attribute('email_verified'), 'false');
    await refused(api.forgotPassword({ ClientId: clientId, Username: 'ada' }), 'InvalidParameterException', /no registered\/verified email or phone_number/);
    await api.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email' });
    await api.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code: await server.code('new@example.net') });
    assert.equal(await attribute('email_verified'), 'true');
    await refused(api.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code: '123456' }), 'ExpiredCodeException', 'Invalid code provided, please request a code again.');

    await refused(api.changePassword({ AccessToken, PreviousPassword: 'Wrong-1843!', ProposedPassword: 'Other-1843!' }), 'NotAuthorizedException', 'Incorrect username or password.');
    await api.changePassword({ AccessToken, PreviousPassword: PASSWORD, ProposedPassword: 'Other-1843!' });
    assert.equal(await attribute('sub'), claims(AccessToken).sub); // this sign-in goes on
    await refused(api.getUser({ AccessToken: other.AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
    await refused(refresh(s, other.RefreshToken), 'NotAuthorizedException', 'Refresh Token has been revoked');
    await refused(passwordSignIn(s, 'ada'), 'NotAuthorizedException', 'Incorrect username or password.');

    const { CodeDeliveryDetails } = await api.forgotPassword({ ClientId: clientId, Username: 'ada' });
    assert.equal(CodeDeliveryDetails.Destination, 'n***@e***');
    const ConfirmationCode = await server.code('new@example.net');
    await refused(api.confirmForgotPassword({ ClientId: clientId, Username: 'ada', ConfirmationCode, Password: 'weak' }), 'InvalidPasswordException');
    await api.confirmForgotPassword({ ClientId: clientId, Username: 'ada', ConfirmationCode, Password: PASSWORD });
    await refused(api.getUser({ AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
    const back = await srpSignIn(srpUser(s, 'ada'), 'ada');
    await api.deleteUser({ AccessToken: back.session.getAccessToken().getJwtToken() });
    await refused(api.getUser({ AccessToken: back.session.getAccessToken().getJwtToken() }), 'UserNotFoundException', 'User does not exist.');
});

test('administrators: disable, enable, reset, delete; tokens stop at once', async (t) => {
    const s = await setUp(t);
    const { api, poolId } = s;
    await addUser(s, 'ada');
    const at = { UserPoolId: poolId, Username: 'ada' };
    const first = await tokens(s, 'ada');
    await api.adminDisableUser(at);
    await refused(api.getUser({ AccessToken: first.AccessToken }), 'NotAuthorizedException');
    await refused(refresh(s, first.RefreshToken), 'NotAuthorizedException', 'User is disabled.');
    await refused(passwordSignIn(s, 'ada'), 'NotAuthorizedException', 'User is disabled.');
    await refused(srpSignIn(srpUser(s, 'ada'), 'ada'), 'NotAuthorizedException', 'User is disabled.');
    await api.adminEnableUser(at);
    await refused(api.getUser({ AccessToken: first.AccessToken }), 'NotAuthorizedException', 'Access Token has been revoked');
    await tokens(s, 'ada');
    await api.adminResetUserPassword(at);
    await refused(passwordSignIn(s, 'ada'), 'PasswordResetRequiredException', 'Password reset required for the user');
    await api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ada', ConfirmationCode: await s.server.code('ada@example.org'), Password: PASSWORD });
    await tokens(s, 'ada');
    await api.adminDeleteUserAttributes({ ...at, UserAttributeNames: ['email'] });
    assert.deepEqual((await api.adminGetUser(at)).UserAttributes.map((a) => a.Name), ['sub']);
    await api.adminDeleteUser(at);
    await refused(api.adminGetUser(at), 'UserNotFoundException', 'User does not exist.');
});

test('groups come in order of precedence, into both tokens', async (t) => {
    const s = await setUp(t);
    const { api, poolId } = s;
    await addUser(s, 'ada');
    const role = (name) => `arn:aws:iam::000000000000:role/${name}`;
    await api.createGroup({ UserPoolId: poolId, GroupName: 'late', RoleArn: role('late') });
    await api.createGroup({ UserPoolId: poolId, GroupName: 'second', Precedence: 2, RoleArn: role('second') });
    await api.createGroup({ UserPoolId: poolId, GroupName: 'first', Precedence: 1, RoleArn: role('first'), Description: 'one' });
    await refused(api.createGroup({ UserPoolId: poolId, GroupName: 'first' }), 'GroupExistsException', 'A group with the name already exists.');
    await refused(api.getGroup({ UserPoolId: poolId, GroupName: 'none' }), 'ResourceNotFoundException', 'Group not found.');
    for (const GroupName of ['late', 'second', 'first', 'first']) await api.adminAddUserToGroup({ UserPoolId: poolId, Username: 'ada', GroupName });
    const { IdToken, AccessToken } = await tokens(s, 'ada');
    const id = claims(IdToken);
    assert.deepEqual(id['cognito:groups'], ['first', 'second', 'late']);
    assert.deepEqual(id['cognito:roles'], ['first', 'second', 'late'].map(role));
    assert.equal(id['cognito:preferred_role'], role('first'));
    assert.deepEqual(claims(AccessToken)['cognito:groups'], ['first', 'second', 'late']);
    assert.equal(claims(AccessToken)['cognito:roles'], undefined);
    const page = await api.adminListGroupsForUser({ UserPoolId: poolId, Username: 'ada', Limit: 2 });
    assert.deepEqual(page.Groups.map((g) => g.GroupName), ['first', 'second']);
    const rest = await api.adminListGroupsForUser({ UserPoolId: poolId, Username: 'ada', Limit: 2, NextToken: page.NextToken });
    assert.deepEqual([rest.Groups.map((g) => g.GroupName), rest.NextToken], [['late'], undefined]);
    assert.deepEqual((await api.listUsersInGroup({ UserPoolId: poolId, GroupName: 'first' })).Users.map((u) => u.Username), ['ada']);
    await api.adminRemoveUserFromGroup({ UserPoolId: poolId, Username: 'ada', GroupName: 'first' });
    await api.deleteGroup({ UserPoolId: poolId, GroupName: 'late' });
    assert.deepEqual(claims((await tokens(s, 'ada')).IdToken)['cognito:groups'], ['second']);
    assert.deepEqual((await api.listGroups({ UserPoolId: poolId })).Groups.map((g) => g.GroupName), ['first', 'second']);
});

test('pools that sign in by mail address: the user name is the sub', async (t) => {
    const s = await setUp(t, { pool: { UsernameAttributes: ['email'], UsernameConfiguration: { CaseSensitive: false } } });
    const { api, clientId, poolId, server } = s;
    await refused(api.signUp({ ClientId: clientId, Username: 'ada', Password: PASSWORD }), 'InvalidParameterException', 'Username should be an email.');
    const { UserSub } = await api.signUp({ ClientId: clientId, Username: 'Ada@Example.org', Password: PASSWORD });
    await refused(api.signUp({ ClientId: clientId, Username: 'ada@example.ORG', Password: PASSWORD }), 'UsernameExistsException');
    await api.confirmSignUp({ ClientId: clientId, Username: 'ADA@example.org', ConfirmationCode: await server.code('Ada@Example.org') });
    const { session } = await srpSignIn(srpUser(s, 'ada@example.org'), 'ada@example.org');
    const id = claims(session.getIdToken().getJwtToken());
    assert.deepEqual([id.sub, id['cognito:username'], id.email], [UserSub, UserSub, 'Ada@Example.org']);
    assert.equal((await api.adminGetUser({ UserPoolId: poolId, Username: 'ada@example.org' })).Username, UserSub);
    assert.equal((await api.adminGetUser({ UserPoolId: poolId, Username: UserSub })).Username, UserSub);
    assert.ok((await tokens(s, UserSub)).AccessToken);
});

test('aliases sign in once they are verified', async (t) => {
    const s = await setUp(t, { pool: { AliasAttributes: ['email', 'preferred_username'] } });
    const { api, poolId } = s;
    await refused(api.adminCreateUser({ UserPoolId: poolId, Username: 'ada@example.org' }), 'InvalidParameterException', /cannot be of email format/);
    await addUser(s, 'ada', { email: 'ada@example.org' });
    await api.adminUpdateUserAttributes({ UserPoolId: poolId, Username: 'ada', UserAttributes: [{ Name: 'preferred_username', Value: 'countess' }] });
    await refused(passwordSignIn(s, 'ada@example.org'), 'UserNotFoundException');
    assert.equal(claims((await tokens(s, 'countess')).AccessToken).username, 'ada');
    await api.adminUpdateUserAttributes({ UserPoolId: poolId, Username: 'ada', UserAttributes: [{ Name: 'email_verified', Value: 'true' }] });
    assert.ok((await srpSignIn(srpUser(s, 'ada@example.org'), 'ada@example.org')).session);
    await refused(addUser(s, 'bob', { email: 'ada@example.org', email_verified: 'true' }), 'AliasExistsException', 'An account with the given email already exists.');
});

test('ListUsers: filters, pages, chosen attributes', async (t) => {
    const s = await setUp(t);
    const { api, poolId } = s;
    for (const name of ['ada', 'bob', 'carl']) await api.adminCreateUser({ UserPoolId: poolId, Username: name, MessageAction: 'SUPPRESS', UserAttributes: [{ Name: 'email', Value: `${name}@Example.org` }] });
    await api.adminDisableUser({ UserPoolId: poolId, Username: 'carl' });
    const names = async (Filter) => (await api.listUsers({ UserPoolId: poolId, Filter })).Users.map((u) => u.Username);
    assert.deepEqual(await names(undefined), ['ada', 'bob', 'carl']);
    assert.deepEqual(await names('username = "bob"'), ['bob']);
    assert.deepEqual(await names('email ^= "ADA@"'), ['ada']);
    assert.deepEqual(await names('status = "Disabled"'), ['carl']);
    assert.deepEqual(await names('cognito:user_status = "force_change_password"'), ['ada', 'bob', 'carl']);
    assert.deepEqual(await names('username = "BOB"'), []);
    await refused(names('username "bob"'), 'InvalidParameterException', 'Error while parsing filter');
    await refused(names('custom:foo = "1"'), 'InvalidParameterException', 'Invalid search attribute: custom:foo');
    const first = await api.listUsers({ UserPoolId: poolId, Limit: 2, AttributesToGet: ['email'] });
    assert.deepEqual(first.Users.map((u) => u.Attributes), [[{ Name: 'email', Value: 'ada@Example.org' }], [{ Name: 'email', Value: 'bob@Example.org' }]]);
    const second = await api.listUsers({ UserPoolId: poolId, Limit: 2, PaginationToken: first.PaginationToken });
    assert.deepEqual([second.Users.map((u) => u.Username), second.PaginationToken], [['carl'], undefined]);
    await refused(api.listUsers({ UserPoolId: poolId, Limit: 61 }), 'InvalidParameterException', "1 validation error detected: Value '61' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60");
    await refused(api.listUsers({ UserPoolId: poolId, PaginationToken: 'made-up' }), 'InvalidParameterException');
});

test('pools of another account are not there, but their clients work from anywhere', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ada');
    const other = operations(s.server.client(idp.CognitoIdentityProviderClient, { credentials: { accessKeyId: '111122223333', secretAccessKey: 'x' } }));
    await refused(other.describeUserPool({ UserPoolId: s.poolId }), 'ResourceNotFoundException');
    await refused(other.adminGetUser({ UserPoolId: s.poolId, Username: 'ada' }), 'ResourceNotFoundException');
    assert.deepEqual((await other.listUserPools({ MaxResults: 10 })).UserPools, []);
    assert.ok((await tokens({ ...s, api: other }, 'ada')).AccessToken);
    await s.api.tagResource({ ResourceArn: s.pool.Arn, Tags: { team: 'a', tier: 'b' } });
    await s.api.untagResource({ ResourceArn: s.pool.Arn, TagKeys: ['tier'] });
    assert.deepEqual((await s.api.listTagsForResource({ ResourceArn: s.pool.Arn })).Tags, { team: 'a' });
});

test('time passes: codes, sessions, temporary passwords and tokens end', async (t) => {
    const s = await setUp(t);
    const { api, clientId, poolId, server } = s;
    const later = async (seconds) => {
        const answer = await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s: seconds }) });
        assert.equal(answer.status, 200, await answer.text());
    };
    await addUser(s, 'ada');
    await api.adminCreateUser({ UserPoolId: poolId, Username: 'tmp', TemporaryPassword: PASSWORD, MessageAction: 'SUPPRESS' });
    const asked = await passwordSignIn(s, 'tmp');
    const live = await tokens(s, 'ada');
    await api.forgotPassword({ ClientId: clientId, Username: 'ada' });
    const ConfirmationCode = await server.code('ada@example.org');
    await later(200);
    await refused(api.respondToAuthChallenge({ ClientId: clientId, ChallengeName: 'NEW_PASSWORD_REQUIRED', Session: asked.Session, ChallengeResponses: { USERNAME: 'tmp', NEW_PASSWORD: PASSWORD } }), 'NotAuthorizedException', 'Invalid session for the user, session is expired.');
    await later(3600);
    await refused(api.confirmForgotPassword({ ClientId: clientId, Username: 'ada', ConfirmationCode, Password: PASSWORD }), 'ExpiredCodeException');
    await refused(api.getUser({ AccessToken: live.AccessToken }), 'NotAuthorizedException', 'Access Token has expired');
    assert.ok((await refresh(s, live.RefreshToken)).AuthenticationResult.AccessToken);
    await later(8 * 86400);
    await refused(passwordSignIn(s, 'tmp'), 'NotAuthorizedException', 'Temporary password has expired and must be reset by an administrator.');
    await later(31 * 86400);
    await refused(refresh(s, live.RefreshToken), 'NotAuthorizedException', 'Refresh Token has expired');
});
