// Triggers of user pools: which operation fires what, with which event; what an answer does; how errors are told.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { account, start } from './support/harness.mjs';
import { hookUp, throwing } from './support/hooks.mjs';
import { addPool, addUser, PASSWORD, raw, refused, setOptions, setUp, signIn, srpSignIn, WRONG } from './support/userpool.mjs';
import { zip } from './support/zip.mjs';

const attributes = (all) => Object.entries(all).map(([Name, Value]) => ({ Name, Value }));
const signUp = ({ api, clientId }, Username, more = {}) =>
    api.signUp({ ClientId: clientId, Username, Password: PASSWORD, UserAttributes: attributes({ email: `${Username}@example.org` }), ...more });

test('which operation fires what, in order; and what ClientMetadata reaches', async (t) => {
    const pool = await setUp(t, { pool: { AliasAttributes: ['email'] } });
    const { api, poolId: UserPoolId, clientId: ClientId, server } = pool;
    const hooks = await hookUp(t, pool);
    const code = () => server.code('ann@example.org');
    const ClientMetadata = { from: 'here' };
    let AccessToken;
    const rows = [
        ['SignUp', () => signUp(pool, 'ann', { ClientMetadata, ValidationData: attributes({ v: '1' }) }), ['PreSignUp_SignUp', 'CustomMessage_SignUp']],
        ['ResendConfirmationCode', () => api.resendConfirmationCode({ ClientId, Username: 'ann', ClientMetadata }), ['CustomMessage_ResendCode']],
        ['ConfirmSignUp', async () => api.confirmSignUp({ ClientId, Username: 'ann', ConfirmationCode: await code(), ClientMetadata }), ['PostConfirmation_ConfirmSignUp']],
        ['InitiateAuth', async () => {
            AccessToken = (await signIn(pool, 'ann', PASSWORD, { ClientMetadata })).AuthenticationResult.AccessToken;
        }, ['PreAuthentication_Authentication', 'PostAuthentication_Authentication']],
        ['SRP', () => srpSignIn(pool, 'ann'), ['PreAuthentication_Authentication', 'PostAuthentication_Authentication']],
        ['a wrong password', () => refused(signIn(pool, 'ann', WRONG), 'NotAuthorizedException'), ['PreAuthentication_Authentication']],
        ['nobody', () => refused(signIn(pool, 'nobody'), 'NotAuthorizedException'), ['UserMigration_Authentication']],
        ['ForgotPassword', () => api.forgotPassword({ ClientId, Username: 'ann', ClientMetadata }), ['CustomMessage_ForgotPassword']],
        ['ConfirmForgotPassword', async () => api.confirmForgotPassword({ ClientId, Username: 'ann', ConfirmationCode: await code(), Password: PASSWORD, ClientMetadata }), ['PostConfirmation_ConfirmForgotPassword']],
        ['ForgotPassword of nobody', () => api.forgotPassword({ ClientId, Username: 'nobody', ClientMetadata }), ['UserMigration_ForgotPassword']],
        ['AdminResetUserPassword', () => api.adminResetUserPassword({ UserPoolId, Username: 'ann', ClientMetadata }), ['CustomMessage_ForgotPassword']],
        ['AdminSetUserPassword', () => api.adminSetUserPassword({ UserPoolId, Username: 'ann', Password: PASSWORD, Permanent: true }), []],
        ['a sign-in', async () => {
            AccessToken = (await signIn(pool, 'ann')).AuthenticationResult.AccessToken;
        }, ['PreAuthentication_Authentication', 'PostAuthentication_Authentication']],
        ['UpdateUserAttributes', () => api.updateUserAttributes({ AccessToken, UserAttributes: attributes({ email: 'ann2@example.org' }), ClientMetadata }), ['CustomMessage_UpdateUserAttribute']],
        ['AdminUpdateUserAttributes', () => api.adminUpdateUserAttributes({ UserPoolId, Username: 'ann', UserAttributes: attributes({ email: 'ann@example.org' }), ClientMetadata }), ['CustomMessage_UpdateUserAttribute']],
        ['GetUserAttributeVerificationCode', () => api.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email', ClientMetadata }), ['CustomMessage_VerifyUserAttribute']],
        ['AdminCreateUser', () => api.adminCreateUser({ UserPoolId, Username: 'bob', UserAttributes: attributes({ email: 'bob@example.org' }), ClientMetadata, ValidationData: attributes({ v: '1' }) }), ['PreSignUp_AdminCreateUser', 'CustomMessage_AdminCreateUser']],
        ['AdminCreateUser, RESEND', () => api.adminCreateUser({ UserPoolId, Username: 'bob', MessageAction: 'RESEND', ClientMetadata }), ['CustomMessage_AdminCreateUser']],
        ['AdminCreateUser, SUPPRESS', () => api.adminCreateUser({ UserPoolId, Username: 'cid', MessageAction: 'SUPPRESS' }), ['PreSignUp_AdminCreateUser']],
        ['AdminConfirmSignUp', async () => {
            await signUp(pool, 'dan');
            hooks.events.length = 0;
            await api.adminConfirmSignUp({ UserPoolId, Username: 'dan', ClientMetadata });
        }, ['PostConfirmation_ConfirmSignUp']],
        ['AdminDisableUser, AdminDeleteUser', async () => {
            await api.adminDisableUser({ UserPoolId, Username: 'dan' });
            await api.adminDeleteUser({ UserPoolId, Username: 'dan' });
        }, []],
    ];
    const seen = {};
    for (const [name, act, expected] of rows) {
        await act();
        for (const event of hooks.events) seen[`${name}: ${event.triggerSource}`] = event;
        assert.deepEqual(hooks.sources(), expected, name);
    }

    const { sub, ...rest } = seen['ResendConfirmationCode: CustomMessage_ResendCode'].request.userAttributes;
    assert.match(sub, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, { email: 'ann@example.org', email_verified: 'false', 'cognito:user_status': 'UNCONFIRMED' });
    assert.deepEqual(seen['SignUp: PreSignUp_SignUp'], {
        version: '1', triggerSource: 'PreSignUp_SignUp', region: 'us-east-1', userPoolId: UserPoolId, userName: 'ann',
        callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: ClientId },
        request: { userAttributes: { email: 'ann@example.org' }, clientMetadata: ClientMetadata, validationData: { v: '1' } },
        response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
    });
    const created = seen['AdminCreateUser: PreSignUp_AdminCreateUser'];
    assert.equal(created.callerContext.clientId, 'CLIENT_ID_NOT_APPLICABLE');
    assert.deepEqual(created.request, { userAttributes: { email: 'bob@example.org' }, clientMetadata: ClientMetadata, validationData: { v: '1' } });
    assert.equal(seen['AdminCreateUser, SUPPRESS: PreSignUp_AdminCreateUser'].request.validationData, null);
    const invited = seen['AdminCreateUser: CustomMessage_AdminCreateUser'].request;
    assert.deepEqual([invited.codeParameter, invited.linkParameter, invited.usernameParameter], ['{####}', '{##Click Here##}', '{username}']);
    assert.equal(seen['SignUp: CustomMessage_SignUp'].request.usernameParameter, null);

    const before = seen['InitiateAuth: PreAuthentication_Authentication'].request, after = seen['InitiateAuth: PostAuthentication_Authentication'].request;
    assert.deepEqual(before.validationData, ClientMetadata, 'as validationData');
    assert.ok(!('clientMetadata' in before) && !('clientMetadata' in after), "InitiateAuth's is not passed on");
    assert.equal(before.userNotFound, false);
    assert.equal(before.userAttributes['cognito:user_status'], 'CONFIRMED');
    assert.equal(after.newDeviceUsed, false);
    await setOptions(pool, { 'webhook.UserMigration': null });
    await refused(signIn(pool, 'nobody'), 'NotAuthorizedException', 'Incorrect username or password.');
    const [nobody] = hooks.events;
    assert.deepEqual([nobody.userName, nobody.request.userNotFound, nobody.request.userAttributes], ['nobody', true, {}]);
    const migrated = seen['nobody: UserMigration_Authentication'];
    assert.deepEqual([migrated.userName, migrated.request.password], ['nobody', PASSWORD]);
    assert.deepEqual(migrated.response, { userAttributes: null, forceAliasCreation: null, finalUserStatus: null, messageAction: null, desiredDeliveryMediums: null, enableSMSMFA: null });
    assert.ok(!('password' in seen['ForgotPassword of nobody: UserMigration_ForgotPassword'].request));
    for (const name of ['ResendConfirmationCode: CustomMessage_ResendCode', 'ConfirmSignUp: PostConfirmation_ConfirmSignUp', 'ForgotPassword: CustomMessage_ForgotPassword',
        'ConfirmForgotPassword: PostConfirmation_ConfirmForgotPassword', 'ForgotPassword of nobody: UserMigration_ForgotPassword', 'AdminResetUserPassword: CustomMessage_ForgotPassword',
        'UpdateUserAttributes: CustomMessage_UpdateUserAttribute', 'AdminUpdateUserAttributes: CustomMessage_UpdateUserAttribute',
        'GetUserAttributeVerificationCode: CustomMessage_VerifyUserAttribute', 'AdminConfirmSignUp: PostConfirmation_ConfirmSignUp'])
        assert.deepEqual(seen[name].request.clientMetadata, ClientMetadata, name);
});

test('PreSignUp: confirms, verifies, denies', async (t) => {
    const pool = await setUp(t, { pool: { AliasAttributes: ['email'], AutoVerifiedAttributes: ['email'] } });
    const { api, poolId: UserPoolId, server } = pool;
    const hooks = await hookUp(t, pool, ['PreSignUp', 'PostConfirmation']);
    hooks.answers.PreSignUp_SignUp = { autoConfirmUser: true, autoVerifyEmail: true };
    const answer = await signUp(pool, 'ann');
    assert.equal(answer.UserConfirmed, true);
    assert.equal(answer.CodeDeliveryDetails, undefined);
    assert.deepEqual(hooks.sources(), ['PreSignUp_SignUp', 'PostConfirmation_ConfirmSignUp']);
    assert.deepEqual(await server.outbox('ann@example.org'), []);
    assert.ok((await signIn(pool, 'ann@example.org')).AuthenticationResult, 'the alias counts at once');

    // "the alias moves to the new user and the old owner's attribute becomes unverified"
    await signUp(pool, 'eve', { UserAttributes: attributes({ email: 'ann@example.org' }) });
    const old = await api.adminGetUser({ UserPoolId, Username: 'ann' });
    assert.equal(old.UserAttributes.find(({ Name }) => Name === 'email_verified').Value, 'false');
    assert.equal((await api.adminGetUser({ UserPoolId, Username: 'ann@example.org' })).Username, 'eve');

    hooks.answers.PreSignUp_SignUp = { autoVerifyPhone: true };
    await refused(signUp(pool, 'bob'), 'InvalidParameterException', /phone_number/);
    hooks.answers.PreSignUp_SignUp = throwing('Invite only');
    await refused(signUp(pool, 'bob'), 'UserLambdaValidationException', 'PreSignUp failed with error Invite only.');
    hooks.answers.PreSignUp_AdminCreateUser = throwing('Not you.');
    await refused(api.adminCreateUser({ UserPoolId, Username: 'bob' }), 'UserLambdaValidationException', 'PreSignUp failed with error Not you..');
    await refused(api.adminGetUser({ UserPoolId, Username: 'bob' }), 'UserNotFoundException', 'User does not exist.');
    hooks.answers.PreSignUp_AdminCreateUser = { autoConfirmUser: true };
    await api.adminCreateUser({ UserPoolId, Username: 'bob' });
    assert.equal((await api.adminGetUser({ UserPoolId, Username: 'bob' })).UserStatus, 'FORCE_CHANGE_PASSWORD', 'ignored for AdminCreateUser');

    hooks.answers.PreSignUp_SignUp = undefined;
    hooks.answers.PostConfirmation_ConfirmSignUp = throwing('no room');
    await signUp(pool, 'fay');
    const ConfirmationCode = await server.code('fay@example.org');
    await refused(api.confirmSignUp({ ClientId: pool.clientId, Username: 'fay', ConfirmationCode }), 'UserLambdaValidationException', 'PostConfirmation failed with error no room.');
    assert.equal((await api.adminGetUser({ UserPoolId, Username: 'fay' })).UserStatus, 'CONFIRMED', 'stays confirmed');
});

test('PreAuthentication and PostAuthentication let no token out', async (t) => {
    const pool = await setUp(t);
    await addUser(pool, 'ann');
    const hooks = await hookUp(t, pool, ['PreAuthentication', 'PostAuthentication']);
    hooks.answers.PreAuthentication_Authentication = throwing('closed');
    await refused(signIn(pool, 'ann'), 'UserLambdaValidationException', 'PreAuthentication failed with error closed.');
    await refused(srpSignIn(pool, 'ann'), 'UserLambdaValidationException', 'PreAuthentication failed with error closed.');
    await refused(signIn(pool, 'nobody'), 'UserLambdaValidationException', 'PreAuthentication failed with error closed.');
    hooks.answers.PreAuthentication_Authentication = undefined;
    hooks.answers.PostAuthentication_Authentication = throwing('not today');
    await refused(signIn(pool, 'ann'), 'UserLambdaValidationException', 'PostAuthentication failed with error not today.');
    await refused(srpSignIn(pool, 'ann'), 'UserLambdaValidationException', 'PostAuthentication failed with error not today.');
    hooks.answers.PostAuthentication_Authentication = undefined;
    assert.ok((await signIn(pool, 'ann')).AuthenticationResult);
    hooks.events.length = 0;
    const { AuthenticationResult } = await signIn(pool, 'ann');
    hooks.events.length = 0;
    await pool.api.initiateAuth({ ClientId: pool.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: AuthenticationResult.RefreshToken } });
    assert.deepEqual(hooks.sources(), [], 'refreshing runs none of them');
});

test('PostAuthentication hears of the answer to a challenge what it was told', async (t) => {
    const pool = await setUp(t);
    await pool.api.adminCreateUser({ UserPoolId: pool.poolId, Username: 'ann', MessageAction: 'SUPPRESS', TemporaryPassword: PASSWORD });
    const hooks = await hookUp(t, pool, ['PreAuthentication', 'PostAuthentication']);
    const { Session } = await signIn(pool, 'ann', PASSWORD, { ClientMetadata: { at: 'first' } });
    assert.deepEqual(hooks.sources(), ['PreAuthentication_Authentication']);
    await pool.api.respondToAuthChallenge({
        ClientId: pool.clientId, ChallengeName: 'NEW_PASSWORD_REQUIRED', Session, ClientMetadata: { at: 'last' },
        ChallengeResponses: { USERNAME: 'ann', NEW_PASSWORD: 'Other-1843!' },
    });
    assert.deepEqual(hooks.events.map(({ triggerSource, request }) => [triggerSource, request.clientMetadata]), [['PostAuthentication_Authentication', { at: 'last' }]]);
});

test('UserMigration: signs in, resets, refuses', async (t) => {
    const pool = await setUp(t);
    const { api, poolId: UserPoolId, clientId: ClientId, server } = pool;
    const hooks = await hookUp(t, pool, ['UserMigration']);
    const known = { userAttributes: { email: 'old@example.org', email_verified: 'true' }, finalUserStatus: 'CONFIRMED', messageAction: 'SUPPRESS' };
    hooks.answers.UserMigration_Authentication = ({ request }) => (request.password === 'weak' ? known : throwing('who?')());
    await refused(signIn(pool, 'old', 'wrong'), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(api.adminGetUser({ UserPoolId, Username: 'old' }), 'UserNotFoundException');
    assert.ok((await signIn(pool, 'old', 'weak')).AuthenticationResult, "the policy isn't applied");
    assert.equal((await api.adminGetUser({ UserPoolId, Username: 'old' })).UserStatus, 'CONFIRMED');
    hooks.events.length = 0;
    assert.ok((await signIn(pool, 'old', 'weak')).AuthenticationResult);
    assert.ok(await srpSignIn(pool, 'old', 'weak'), 'SRP works from now on');
    assert.deepEqual(hooks.sources(), []);

    await refused(srpSignIn(pool, 'newer', 'weak'), 'NotAuthorizedException');
    assert.deepEqual(hooks.sources(), [], 'not for SRP');
    hooks.answers.UserMigration_Authentication = { userAttributes: { email: 'reset@example.org', email_verified: 'true' } };
    await refused(signIn(pool, 'reset', 'weak'), 'PasswordResetRequiredException', 'Password reset required for the user');
    hooks.answers.UserMigration_Authentication = { userAttributes: { email: 'not an address' }, finalUserStatus: 'CONFIRMED' };
    await refused(signIn(pool, 'bad', 'weak'), 'NotAuthorizedException', 'Incorrect username or password.');
    hooks.answers.UserMigration_Authentication = { userAttributes: {} };
    await refused(signIn(pool, 'none', 'weak'), 'NotAuthorizedException', 'Incorrect username or password.');

    hooks.answers.UserMigration_ForgotPassword = { userAttributes: { email: 'lost@example.org', email_verified: 'true' } };
    await api.forgotPassword({ ClientId, Username: 'lost' });
    await api.confirmForgotPassword({ ClientId, Username: 'lost', ConfirmationCode: await server.code('lost@example.org'), Password: PASSWORD });
    assert.ok((await signIn(pool, 'lost')).AuthenticationResult);

    // A client that says who exists.
    const { UserPoolClient } = await api.createUserPoolClient({ UserPoolId, ClientName: 'open', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'], PreventUserExistenceErrors: 'LEGACY' });
    const open = { ...pool, clientId: UserPoolClient.ClientId };
    hooks.answers.UserMigration_Authentication = throwing('who?');
    await refused(signIn(open, 'zoe', 'weak'), 'UserNotFoundException', `Exception migrating user in app client ${open.clientId}`);
    hooks.answers.UserMigration_Authentication = { userAttributes: null };
    await refused(signIn(open, 'zoe', 'weak'), 'UserNotFoundException', 'User does not exist.');
    hooks.answers.UserMigration_ForgotPassword = throwing('who?');
    await refused(api.forgotPassword({ ClientId: open.clientId, Username: 'zoe' }), 'UserNotFoundException', `Exception migrating user in app client ${open.clientId}`);
    // Guesses at the older system count.
    await setOptions(pool, { lockoutAfterFailures: 2 });
    hooks.answers.UserMigration_Authentication = throwing('who?');
    for (let i = 0; i < 2; i++) await refused(signIn(pool, 'gus', 'weak'), 'NotAuthorizedException', 'Incorrect username or password.');
    hooks.events.length = 0;
    await refused(signIn(pool, 'gus', 'weak'), 'NotAuthorizedException', 'Password attempts exceeded');
    assert.deepEqual(hooks.sources(), []);
});

test('UserMigration: aliases, and a second factor', async (t) => {
    const pool = await setUp(t, {
        pool: { AliasAttributes: ['email'], MfaConfiguration: 'OPTIONAL', SmsConfiguration: { SnsCallerArn: `arn:aws:iam::${account}:role/sms`, ExternalId: 'x' } },
    });
    const hooks = await hookUp(t, pool, ['UserMigration', 'CustomMessage']);
    hooks.answers.UserMigration_Authentication = {
        userAttributes: { username: 'ann', email: 'ann@example.org', email_verified: 'true', phone_number: '+15550100', phone_number_verified: 'true' },
        finalUserStatus: 'CONFIRMED', enableSMSMFA: true,
    };
    const { ChallengeName } = await signIn(pool, 'ann@example.org', 'weak');
    assert.equal(ChallengeName, 'SMS_MFA');
    assert.deepEqual(hooks.sources(), ['UserMigration_Authentication', 'CustomMessage_Authentication']);
    assert.equal((await pool.api.adminGetUser({ UserPoolId: pool.poolId, Username: 'ann@example.org' })).Username, 'ann');
    // An alias that somebody has is not taken without being told to, and without a phone number there is no SMS.
    hooks.answers.UserMigration_Authentication = { userAttributes: { email: 'ann@example.org', email_verified: 'true' }, finalUserStatus: 'CONFIRMED' };
    await refused(signIn(pool, 'bob', 'weak'), 'NotAuthorizedException', 'Incorrect username or password.');
    hooks.answers.UserMigration_Authentication = { userAttributes: { email: 'cid@example.org' }, finalUserStatus: 'CONFIRMED', enableSMSMFA: true };
    await refused(signIn(pool, 'cid', 'weak'), 'NotAuthorizedException', 'Incorrect username or password.');
    hooks.answers.UserMigration_Authentication = { userAttributes: { email: 'ann@example.org', email_verified: 'true' }, finalUserStatus: 'CONFIRMED', forceAliasCreation: true };
    assert.ok((await signIn(pool, 'bob', 'weak')).AuthenticationResult);
    assert.equal((await pool.api.adminGetUser({ UserPoolId: pool.poolId, Username: 'ann@example.org' })).Username, 'bob');
});

test('CustomMessage: words of its own, within limits', async (t) => {
    const pool = await setUp(t, { pool: { AutoVerifiedAttributes: ['email'] } });
    const { server, api, poolId: UserPoolId } = pool;
    const hooks = await hookUp(t, pool, ['CustomMessage']);
    const last = async (to) => (await server.outbox(to)).at(-1);
    hooks.answers.CustomMessage_SignUp = (event) => ({ emailSubject: 'Hello', emailMessage: `<b>${event.request.codeParameter}</b> for ${event.userName}` });
    await signUp(pool, 'ann');
    const mail = await last('ann@example.org');
    assert.equal(mail.subject, 'Hello');
    assert.equal(mail.body, `<b>${mail.code}</b> for ann`);

    hooks.answers.CustomMessage_SignUp = { emailMessage: 'there is no code in here', emailSubject: null };
    await signUp(pool, 'bob');
    assert.match((await last('bob@example.org')).body, /^Your confirmation code is \d{6}$/, 'a text without its placeholder is not taken');

    hooks.answers.CustomMessage_AdminCreateUser = { emailMessage: '{username} / {####}' };
    await api.adminCreateUser({ UserPoolId, Username: 'cid', UserAttributes: attributes({ email: 'cid@example.org' }) });
    assert.match((await last('cid@example.org')).body, /^cid \/ \S{8,}$/);

    const tooMuch = [
        [{ emailMessage: `{####}${'x'.repeat(20000)}` }, /emailMessage/],
        [{ emailSubject: 'ü'.repeat(141) }, /emailSubject/],
        [{ emailMessage: 5 }, 'Unrecognizable lambda output'],
    ];
    for (const [response, message] of tooMuch) {
        hooks.answers.CustomMessage_ResendCode = response;
        await refused(api.resendConfirmationCode({ ClientId: pool.clientId, Username: 'ann' }), 'InvalidLambdaResponseException', message);
    }
    hooks.answers.CustomMessage_ResendCode = { emailSubject: 'ü'.repeat(140), smsMessage: 'no code, but no SMS either' };
    await api.resendConfirmationCode({ ClientId: pool.clientId, Username: 'ann' });
    assert.equal((await last('ann@example.org')).subject, 'ü'.repeat(140));
    hooks.answers.CustomMessage_ResendCode = throwing('no');
    await refused(api.resendConfirmationCode({ ClientId: pool.clientId, Username: 'ann' }), 'UserLambdaValidationException', 'CustomMessage failed with error no.');
});

// ---- functions ----

test('a function is asked by its own policy, with three tries of a time, and its errors are told', async (t) => {
    const server = await start(t);
    const functions = server.client(lambda.LambdaClient);
    const code = `export const handler = async (event) => {
        const { mode } = event.request.clientMetadata ?? {};
        if (mode === 'throw') throw new Error('Invite only');
        if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 400));
        if (mode === 'null') return null;
        if (mode === 'text') return 'yes';
        if (mode === 'shape') return { ...event, response: [] };
        if (mode === 'type') return { ...event, response: { autoConfirmUser: 'true' } };
        if (mode === 'exit') process.exit(3);
        event.response.autoConfirmUser = true;
        return event;
    };`;
    const FunctionName = 'pre-sign-up';
    const { FunctionArn } = await functions.send(new lambda.CreateFunctionCommand({
        FunctionName, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: `arn:aws:iam::${account}:role/functions`,
        Code: { ZipFile: zip({ 'index.mjs': code }) }, Timeout: 10,
    }));
    const pool = await addPool(server, { pool: { LambdaConfig: { PreSignUp: FunctionArn } } });
    const name = (mode) => signUp(pool, `u-${mode}`, { ClientMetadata: { mode } });
    assert.equal((await pool.api.describeUserPool({ UserPoolId: pool.poolId })).UserPool.LambdaConfig.PreSignUp, FunctionArn);

    await refused(name('fine'), 'UnexpectedLambdaException', 'PreSignUp invocation failed due to error AccessDeniedException.');
    const permit = (StatementId, SourceArn) => functions.send(new lambda.AddPermissionCommand({
        FunctionName, StatementId, Action: 'lambda:InvokeFunction', Principal: 'cognito-idp.amazonaws.com', SourceArn, SourceAccount: account,
    }));
    await permit('another', pool.pool.Arn.slice(0, -1));
    await refused(name('fine'), 'UnexpectedLambdaException', 'PreSignUp invocation failed due to error AccessDeniedException.');
    await permit('this', pool.pool.Arn);
    assert.equal((await name('fine')).UserConfirmed, true);

    await refused(name('throw'), 'UserLambdaValidationException', 'PreSignUp failed with error Invite only.');
    for (const mode of ['null', 'text', 'shape', 'type']) await refused(name(mode), 'InvalidLambdaResponseException', 'Unrecognizable lambda output');
    await refused(name('exit'), 'UserLambdaValidationException', /^PreSignUp failed with error RequestId: \S+ Error: Runtime exited with error: exit status 3\.$/);
    await setOptions(pool, { triggerTimeoutMs: 100 });
    const began = Date.now();
    await refused(name('slow'), 'UnexpectedLambdaException', 'PreSignUp invocation failed due to error Socket timeout while invoking Lambda function.');
    assert.ok(Date.now() - began >= 300, 'three tries');
    await setOptions(pool, { triggerTimeoutMs: null });
    assert.equal((await name('slow')).UserConfirmed, true);
    await functions.send(new lambda.DeleteFunctionCommand({ FunctionName }));
    await refused(name('gone'), 'UnexpectedLambdaException', 'PreSignUp invocation failed due to error ResourceNotFoundException.');
    for (const mode of ['throw', 'null', 'text', 'shape', 'type', 'exit', 'gone'])
        await refused(pool.api.adminGetUser({ UserPoolId: pool.poolId, Username: `u-${mode}` }), 'UserNotFoundException');
});

test('what a LambdaConfig may not say', async (t) => {
    const { server, poolId: UserPoolId } = await setUp(t);
    const api = raw(server);
    const here = `arn:aws:lambda:us-east-1:${account}:function:f`, there = `arn:aws:lambda:eu-west-1:${account}:function:f`;
    const rows = [
        [{ PreSignUp: there }, 'InvalidParameterException', 'Cross-region lambda functions are not supported'],
        [{ InboundFederation: { LambdaVersion: 'V1_0', LambdaArn: here } }, 'InvalidParameterException', /InboundFederation/],
        [{ PreSignUp: 'f' }, 'InvalidParameterException', /PreSignUp|preSignUp/],
    ];
    for (const [LambdaConfig, name, message] of rows) {
        await refused(api.createUserPool({ PoolName: 'p', LambdaConfig }), name, message);
        await refused(api.updateUserPool({ UserPoolId, LambdaConfig }), name, message);
    }
});
