// What one user may try in an hour (attack table d71), how long codes live (d70), token lifetimes (d74): somebody and
// nobody get the same answers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { addUser, advance, PASSWORD, refused, setOptions, setUp, signIn, WRONG } from './support/userpool.mjs';

const LIMIT = ['LimitExceededException', 'Attempt limit exceeded, please try after some time.'];
const MISMATCH = ['CodeMismatchException', 'Invalid verification code provided, please try again.'];
const EXPIRED = ['ExpiredCodeException', 'Invalid code provided, please request a code again.'];
const wrongCode = (code) => (code === '000000' ? '000001' : '000000');

// ann is confirmed and signed in, una is not confirmed, nobody is not there.
async function cast(t, options) {
    const s = await setUp(t, options);
    await addUser(s, 'ann');
    await s.api.signUp({ ClientId: s.clientId, Username: 'una', Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: 'una@example.org' }] });
    const { AuthenticationResult } = await signIn(s, 'ann');
    return { ...s, AccessToken: AuthenticationResult.AccessToken };
}
const outcome = (promise) => promise.then(() => 'ok', (error) => `${error.name}: ${error.message}`);

const caps = [
    { name: 'ForgotPassword', who: ['ann', 'nobody'], most: 20, ask: (s, Username) => s.api.forgotPassword({ ClientId: s.clientId, Username }) },
    { name: 'ConfirmForgotPassword', who: ['ann', 'nobody'], most: 15, ask: (s, Username) => s.api.confirmForgotPassword({ ClientId: s.clientId, Username, ConfirmationCode: '000000', Password: PASSWORD }) },
    { name: 'ResendConfirmationCode', who: ['una', 'nobody'], most: 5, ask: (s, Username) => s.api.resendConfirmationCode({ ClientId: s.clientId, Username }) },
    { name: 'ConfirmSignUp', who: ['una', 'nobody'], most: 15, ask: (s, Username) => s.api.confirmSignUp({ ClientId: s.clientId, Username, ConfirmationCode: 'x' }) },
    { name: 'ChangePassword', who: ['ann'], most: 5, ask: (s) => s.api.changePassword({ AccessToken: s.AccessToken, PreviousPassword: WRONG, ProposedPassword: PASSWORD }) },
    { name: 'GetUserAttributeVerificationCode', who: ['ann'], most: 5, ask: (s) => s.api.getUserAttributeVerificationCode({ AccessToken: s.AccessToken, AttributeName: 'email' }) },
    { name: 'VerifyUserAttribute', who: ['ann'], most: 15, ask: (s) => s.api.verifyUserAttribute({ AccessToken: s.AccessToken, AttributeName: 'email', Code: 'x' }) },
];

test('an hour\'s attempts end with LimitExceededException, also those at once, and come back after the hour (d71)', async (t) => {
    const s = await cast(t);
    for (const { name, who, most, ask } of caps) {
        const seen = [];
        for (const user of who) {
            const answers = await Promise.all(Array.from({ length: most + 4 }, () => outcome(ask(s, user))));
            const limited = answers.filter((answer) => answer === LIMIT.join(': ')).length;
            assert.equal(limited, 4, `${name} of ${user}: ${[...new Set(answers)]}`);
            seen.push([...new Set(answers)].sort());
        }
        for (const other of seen) assert.deepEqual(other, seen[0], `${name}: nobody answers as somebody`);
    }
    const again = await cast(t, { pool: {} }); // its own users: another pool counts for itself
    for (const { who, ask } of caps) assert.notEqual(await outcome(ask(again, who[0])), LIMIT.join(': '));

    await s.server.restart('SIGKILL');
    const { operations } = await import('./support/userpool.mjs');
    const idp = await import('@aws-sdk/client-cognito-identity-provider');
    s.api = operations(s.server.client(idp.CognitoIdentityProviderClient));
    for (const { ask, who } of caps) for (const user of who) await refused(ask(s, user), ...LIMIT);
    await advance(s.server, 3590);
    await refused(caps[2].ask(s, 'una'), ...LIMIT);
    await advance(s.server, 60);
    s.AccessToken = (await signIn(s, 'ann')).AuthenticationResult.AccessToken;
    for (const { name, ask, who } of caps) for (const user of who) assert.notEqual(await outcome(ask(s, user)), LIMIT.join(': '), name);
});

test('the numbers are the pool\'s to change; wrong passwords that lock make ConfirmForgotPassword five', async (t) => {
    const s = await cast(t);
    for (const user of ['ann', 'nobody']) {
        for (let i = 0; i < 5; i++) await refused(signIn(s, user, WRONG), 'NotAuthorizedException');
        for (let i = 0; i < 5; i++) await refused(caps[1].ask(s, user), ...EXPIRED);
        await refused(caps[1].ask(s, user), ...LIMIT);
    }
    await setOptions(s, { capResendConfirmationCode: 2 });
    for (let i = 0; i < 2; i++) await caps[2].ask(s, 'una');
    await refused(caps[2].ask(s, 'una'), ...LIMIT);
    await setOptions(s, { capResendConfirmationCode: null });
    for (let i = 0; i < 3; i++) await caps[2].ask(s, 'una');
    await refused(caps[2].ask(s, 'una'), ...LIMIT);
});

// [what, life in seconds, send (gives the address), redeem(code)]
const codes = [
    ['sign-up', 24 * 3600, async () => 'una@example.org', (s, ConfirmationCode) => s.api.confirmSignUp({ ClientId: s.clientId, Username: 'una', ConfirmationCode })],
    ['sign-up, sent again', 24 * 3600, async (s) => (await caps[2].ask(s, 'una'), 'una@example.org'), (s, ConfirmationCode) => s.api.confirmSignUp({ ClientId: s.clientId, Username: 'una', ConfirmationCode })],
    ['forgot', 3600, async (s) => (await caps[0].ask(s, 'ann'), 'ann@example.org'), (s, ConfirmationCode) => s.api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ann', ConfirmationCode, Password: PASSWORD })],
    ['attribute', 24 * 3600, async (s) => (await caps[5].ask(s), 'ann@example.org'), (s, Code) => s.api.verifyUserAttribute({ AccessToken: s.AccessToken, AttributeName: 'email', Code })],
];

test('codes live to the second and are good once (d70)', async (t) => {
    for (const [what, life, send, redeem] of codes) {
        for (const late of [false, true]) {
            const s = await cast(t, { client: { AccessTokenValidity: 24, IdTokenValidity: 24 } });
            if (what === 'attribute') await advance(s.server, 20 * 3600); // a token signed later outlives the code
            s.AccessToken = (await signIn(s, 'ann')).AuthenticationResult.AccessToken;
            const code = await s.server.code(await send(s));
            await refused(redeem(s, wrongCode(code)), ...MISMATCH);
            await advance(s.server, life - (late ? 0 : 2) - (what === 'attribute' ? 5 : 0));
            if (what === 'attribute') {
                s.AccessToken = (await signIn(s, 'ann')).AuthenticationResult.AccessToken;
                await advance(s.server, 5);
            }
            if (late) {
                await refused(redeem(s, code), ...EXPIRED);
            } else {
                await redeem(s, code);
                const again = await outcome(redeem(s, code));
                assert.match(again, /^(ExpiredCodeException: Invalid code provided|NotAuthorizedException: User cannot be confirmed)/, what);
            }
        }
    }
});

test('token lifetimes outside AWS\'s bounds are refused (d74)', async (t) => {
    const s = await setUp(t);
    const rows = [
        { AccessTokenValidity: 4, TokenValidityUnits: { AccessToken: 'minutes' } },
        { AccessTokenValidity: 25, TokenValidityUnits: { AccessToken: 'hours' } },
        { IdTokenValidity: 4, TokenValidityUnits: { IdToken: 'minutes' } },
        { IdTokenValidity: 25, TokenValidityUnits: { IdToken: 'hours' } },
        { RefreshTokenValidity: 59, TokenValidityUnits: { RefreshToken: 'minutes' } },
        { RefreshTokenValidity: 3651, TokenValidityUnits: { RefreshToken: 'days' } },
        { AuthSessionValidity: 2 },
        { AuthSessionValidity: 16 },
    ];
    for (const row of rows) await refused(s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'x', ...row }), 'InvalidParameterException');
    const within = [
        { AccessTokenValidity: 5, IdTokenValidity: 5, RefreshTokenValidity: 60, TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes', RefreshToken: 'minutes' } },
        { AccessTokenValidity: 24, IdTokenValidity: 24, RefreshTokenValidity: 3650, AuthSessionValidity: 15 },
    ];
    for (const row of within) await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'x', ...row });
});
