// kill -9, again and again, while people sign up, redeem codes, sign in and rotate refresh tokens: what was acknowledged
// is there afterwards, and no code, session or token is good twice. What was under way is either done or not.
// ROUNDS: how often (./dev soak); SEED: which round it went wrong in is printed with it.
import assert from 'node:assert/strict';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import test from 'node:test';

import { start } from './support/harness.mjs';
import { PASSWORD, addPool, operations, refused } from './support/userpool.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 4), LANES = 4;
const SECOND = 'Engine-1844!', THIRD = 'Engine-1845!';
let seed = Number(process.env.SEED ?? Date.now() % 1e9);
const below = (n) => (seed = (seed * 48271) % 2147483647) % n;

// One person's way. Each member is set before its call goes out (`trying`) and after it was acknowledged.
async function live(s, person, acknowledged) {
    const { api, clientId: ClientId, server } = s;
    const { name: Username } = person;
    const email = `${Username}@example.org`;
    const step = async (what, fn) => {
        person.trying = what;
        const answer = await fn();
        person[what] = true;
        person.trying = undefined;
        acknowledged();
        return answer;
    };
    await step('signedUp', () => api.signUp({ ClientId, Username, Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: email }] }));
    const first = await server.code(email);
    await step('confirmed', () => api.confirmSignUp({ ClientId, Username, ConfirmationCode: first }));
    await api.forgotPassword({ ClientId, Username });
    person.code = await server.code(email);
    await step('reset', () => api.confirmForgotPassword({ ClientId, Username, ConfirmationCode: person.code, Password: SECOND }));
    const choice = await api.initiateAuth({ ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: Username } });
    const { Session } = await api.respondToAuthChallenge({ ClientId, ChallengeName: choice.ChallengeName, Session: choice.Session, ChallengeResponses: { USERNAME: Username, ANSWER: 'PASSWORD' } });
    person.session = Session;
    const { AuthenticationResult } = await step('signedIn', () => answer(s, person));
    person.spent = [];
    person.token = AuthenticationResult.RefreshToken;
    for (let i = 0; i < 3; i++) {
        const { RefreshToken } = await step('rotated', () => rotate(s, person.token));
        person.spent.push(person.token);
        person.token = RefreshToken;
    }
    person.lived = true;
}
const answer = ({ api, clientId: ClientId }, { name: USERNAME, session: Session }) =>
    api.respondToAuthChallenge({ ClientId, ChallengeName: 'PASSWORD', Session, ChallengeResponses: { USERNAME, PASSWORD: SECOND } });
const rotate = async ({ api, clientId: ClientId }, RefreshToken) =>
    (await api.getTokensFromRefreshToken({ ClientId, RefreshToken })).AuthenticationResult;
const signIn = ({ api, poolId: UserPoolId, clientId: ClientId }, USERNAME, Password) =>
    api.adminInitiateAuth({ UserPoolId, ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD: Password } });

// Does it? Errors other than the expected one fail.
async function works(promise, ...expected) {
    const error = await promise.then(() => null, (e) => e);
    if (error) assert.ok(expected.includes(error.name), `${error.name}: ${error.message}`);
    return !error;
}

async function check(s, person, counts) {
    const { api, poolId: UserPoolId, clientId: ClientId } = s;
    const { name: Username, trying } = person;
    const count = (what) => (counts[what] = (counts[what] ?? 0) + 1);
    if (!person.signedUp) {
        await works(api.adminGetUser({ UserPoolId, Username }), 'UserNotFoundException');
        return;
    }
    const { UserStatus } = await api.adminGetUser({ UserPoolId, Username });
    count('sign-ups');
    if (person.confirmed) assert.equal(UserStatus, 'CONFIRMED', Username);
    else return;
    count('confirmations');
    if (person.reset || trying === 'reset') {
        const again = await works(api.confirmForgotPassword({ ClientId, Username, ConfirmationCode: person.code, Password: THIRD }), 'ExpiredCodeException');
        if (person.reset) assert.equal(again, false, `${Username}'s code was good twice`);
        assert.ok(await works(signIn(s, Username, again ? THIRD : SECOND)), Username);
        await refused(signIn(s, Username, PASSWORD), 'NotAuthorizedException');
        count(person.reset ? 'codes' : again ? 'codes under way, not used' : 'codes under way, used');
    }
    if (person.signedIn) {
        await refused(answer(s, person), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
        count('sessions');
    } else if (trying === 'signedIn') {
        await works(answer(s, person), 'NotAuthorizedException');
    }
    if (!person.token) return;
    let alive = true;
    if (trying === 'rotated') {
        alive = await works(rotate(s, person.token), 'RefreshTokenReuseException');
        count(alive ? 'rotations under way, not done' : 'rotations under way, done');
    } else {
        const { RefreshToken } = await rotate(s, person.token);
        assert.ok(RefreshToken, `${Username}'s last token is good`);
        person.spent.push(person.token);
        count('refresh tokens');
    }
    // each that was given back is refused, and ends the family
    for (const token of person.spent)
        assert.equal(await works(rotate(s, token), 'RefreshTokenReuseException', 'NotAuthorizedException'), false, `${Username}'s token was good twice`);
    if (person.spent.length) assert.equal(await works(rotate(s, person.token), 'RefreshTokenReuseException', 'NotAuthorizedException'), false);
    counts['rotated tokens'] = (counts['rotated tokens'] ?? 0) + person.spent.length;
}

test(`killed ${ROUNDS} times in the middle of signing up, redeeming and rotating`, { timeout: 60000 + ROUNDS * 20000 }, async (t) => {
    const server = await start(t);
    const s = await addPool(server, {
        pool: { Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } } },
        client: {
            ExplicitAuthFlows: ['ALLOW_USER_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH'],
            RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
        },
    });
    const counts = {};
    t.diagnostic(`SEED=${seed}`);
    for (let round = 0; round < ROUNDS; round++) {
        const people = [];
        let left = 8 + below(20), killed;
        const acknowledged = () => {
            if (--left === 0) {
                server.child.kill('SIGKILL'); // every lane has a call under way
                killed = true;
            }
        };
        await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
            for (let n = 0; !killed; n++) {
                const person = { name: `p-${round}-${lane}-${n}` };
                people.push(person);
                await live(s, person, acknowledged).catch((error) => {
                    if (!killed || error.$metadata?.httpStatusCode) throw error;
                });
            }
        }));
        await server.restart();
        s.api = operations(server.client(idp.CognitoIdentityProviderClient));
        for (const person of people) await check(s, person, counts);
    }
    t.diagnostic(Object.entries(counts).map(([what, n]) => `${n} ${what}`).join(', '));
    assert.ok(counts['sign-ups'] && counts.confirmations, 'something was acknowledged');
    if (ROUNDS >= 4) assert.ok(counts.codes && counts.sessions && counts['rotated tokens'], JSON.stringify(counts));
});
