// CUSTOM_AUTH: what the three triggers are told and what comes of their answers; with amazon-cognito-identity-js, too.
import assert from 'node:assert/strict';
import test from 'node:test';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';

import { recordingBackend } from './support/backends.mjs';
import { start } from './support/harness.mjs';
import { addPool, addUser, claims, PASSWORD, refused, setOptions } from './support/userpool.mjs';

const custom = (name, right, metadata = null) => ({ challengeName: name, challengeResult: right, challengeMetadata: metadata });

// A riddle that may be answered wrongly twice. `rules` stand in for each of the three.
async function riddlePool(t, rules = {}, more = {}) {
    const usual = {
        DefineAuthChallenge: ({ session }) =>
            session.at(-1)?.challengeName === 'SRP_A' ? { challengeName: 'PASSWORD_VERIFIER' }
            : session.at(-1)?.challengeName === 'CUSTOM_CHALLENGE' && session.at(-1).challengeResult ? { issueTokens: true }
            : session.filter((s) => s.challengeName === 'CUSTOM_CHALLENGE').length >= 3 ? { failAuthentication: true }
            : { challengeName: 'CUSTOM_CHALLENGE' },
        CreateAuthChallenge: () => ({ publicChallengeParameters: { riddle: '6 * 7', USERNAME: 'forged' }, privateChallengeParameters: { answer: '42' }, challengeMetadata: 'RIDDLE' }),
        VerifyAuthChallengeResponse: ({ privateChallengeParameters, challengeAnswer }) => ({ answerCorrect: privateChallengeParameters.answer === challengeAnswer }),
        ...rules,
    };
    const events = [];
    const hook = await recordingBackend(t, ({ body }) => {
        const event = JSON.parse(body);
        events.push(event);
        const name = event.triggerSource.replace('_Authentication', '');
        const response = usual[name](event.request);
        return { body: JSON.stringify(response === undefined ? { ...event, response: null } : { ...event, response: { ...event.response, ...response } }) };
    });
    const server = await start(t);
    const s = await addPool(server, { client: { ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'], ...more } });
    assert.equal((await server.fetch(`/_gatehouse/user-pools/${s.poolId}/webhook-secret`, { method: 'POST' })).status, 200);
    await setOptions(s, Object.fromEntries(Object.keys(usual).map((name) => [`webhook.${name}`, `${hook.url}/${name}`])));
    await addUser(s, 'ada');
    return { ...s, events };
}
const begin = ({ api, clientId }, USERNAME = 'ada', more = {}) =>
    api.initiateAuth({ ClientId: clientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME }, ClientMetadata: { from: 'initiate' }, ...more });
const answer = ({ api, clientId }, Session, ANSWER, USERNAME = 'ada') =>
    api.respondToAuthChallenge({ ClientId: clientId, ChallengeName: 'CUSTOM_CHALLENGE', Session, ChallengeResponses: { USERNAME, ANSWER }, ClientMetadata: { from: 'respond' } });

test('wrong, wrong, right: what each of the three is told', async (t) => {
    const s = await riddlePool(t);
    let asked = await begin(s);
    assert.equal(asked.ChallengeName, 'CUSTOM_CHALLENGE');
    assert.deepEqual(asked.ChallengeParameters, { riddle: '6 * 7', USERNAME: 'ada' });
    assert.ok(!Buffer.from(asked.Session, 'base64').includes('42'), 'private parameters do not leave the house');
    for (const wrong of ['41', '43']) {
        asked = await answer(s, asked.Session, wrong);
        assert.equal(asked.ChallengeName, 'CUSTOM_CHALLENGE', 'a wrong answer is no error by itself');
    }
    const { AuthenticationResult } = await answer(s, asked.Session, '42');
    assert.equal(claims(AuthenticationResult.AccessToken).username, 'ada');

    const no = custom('CUSTOM_CHALLENGE', false, 'RIDDLE'), yes = custom('CUSTOM_CHALLENGE', true, 'RIDDLE');
    const told = s.events.map(({ triggerSource, request }) => [triggerSource.split('_')[0], request.session ?? request.challengeAnswer, request.clientMetadata?.from]);
    assert.deepEqual(told, [
        ['DefineAuthChallenge', [], undefined], ['CreateAuthChallenge', [], undefined],
        ['VerifyAuthChallengeResponse', '41', 'respond'], ['DefineAuthChallenge', [no], 'respond'], ['CreateAuthChallenge', [no], 'respond'],
        ['VerifyAuthChallengeResponse', '43', 'respond'], ['DefineAuthChallenge', [no, no], 'respond'], ['CreateAuthChallenge', [no, no], 'respond'],
        ['VerifyAuthChallengeResponse', '42', 'respond'], ['DefineAuthChallenge', [no, no, yes], 'respond'],
    ]);
    const [define, create, verify] = s.events;
    const { email, 'cognito:user_status': status } = define.request.userAttributes;
    assert.deepEqual([email, status, define.userName, define.callerContext.clientId, define.version], ['ada@example.org', 'CONFIRMED', 'ada', s.clientId, '1']);
    assert.deepEqual(define.response, { challengeName: null, issueTokens: null, failAuthentication: null });
    assert.deepEqual([create.request.challengeName, create.response], ['CUSTOM_CHALLENGE', { publicChallengeParameters: null, privateChallengeParameters: null, challengeMetadata: null }]);
    assert.deepEqual([verify.request.privateChallengeParameters, verify.response], [{ answer: '42' }, { answerCorrect: null }]);
    assert.ok(!('userNotFound' in define.request) || define.request.userNotFound === false);
});

test('three wrong answers fail; every Session is answered once, rightly or wrongly', async (t) => {
    const s = await riddlePool(t);
    const first = await begin(s);
    const second = await answer(s, first.Session, '1');
    await refused(answer(s, first.Session, '42'), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    const third = await answer(s, second.Session, '2');
    await refused(answer(s, third.Session, '3'), 'NotAuthorizedException', 'Incorrect username or password.');
    await refused(answer(s, third.Session, '42'), 'NotAuthorizedException', 'Invalid session for the user, session can only be used once.');
    const verified = s.events.filter((e) => e.triggerSource.startsWith('Verify')).length;
    const one = await begin(s);
    const guesses = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => answer(s, one.Session, String(30 + i))));
    assert.equal(guesses.filter((g) => g.status === 'fulfilled').length, 1, 'of guesses at once one is judged');
    assert.equal(s.events.filter((e) => e.triggerSource.startsWith('Verify')).length, verified + 1);
});

test('after SRP: the password first, then the riddle', async (t) => {
    const s = await riddlePool(t);
    const user = new CognitoUser({ Username: 'ada', Pool: new CognitoUserPool({ UserPoolId: s.poolId, ClientId: s.clientId, endpoint: s.server.url }) });
    user.setAuthenticationFlowType('CUSTOM_AUTH');
    const signIn = (password, riddle) => new Promise((resolve, reject) =>
        user.authenticateUser(new AuthenticationDetails({ Username: 'ada', Password: password }), {
            onSuccess: resolve, onFailure: reject,
            customChallenge: (parameters) => {
                assert.equal(parameters.riddle, '6 * 7');
                user.sendCustomChallengeAnswer(riddle, { onSuccess: resolve, onFailure: reject, customChallenge: () => reject(new Error('asked again')) });
            },
        }));
    const session = await signIn(PASSWORD, '42');
    assert.equal(session.getAccessToken().payload.username, 'ada');
    const last = s.events.filter((e) => e.triggerSource.startsWith('Define')).at(-1);
    assert.deepEqual(last.request.session, [custom('SRP_A', true), custom('PASSWORD_VERIFIER', true), custom('CUSTOM_CHALLENGE', true, 'RIDDLE')]);
    await assert.rejects(signIn('Wrong-1843!', '42'), { code: 'NotAuthorizedException', message: 'Incorrect username or password.' });
    await assert.rejects(signIn(PASSWORD, '41'), /asked again/);
});

test('without SRP in identity-js, and by an administrator', async (t) => {
    const s = await riddlePool(t);
    const user = new CognitoUser({ Username: 'ada', Pool: new CognitoUserPool({ UserPoolId: s.poolId, ClientId: s.clientId, endpoint: s.server.url }) });
    user.setAuthenticationFlowType('CUSTOM_AUTH');
    const session = await new Promise((resolve, reject) =>
        user.initiateAuth(new AuthenticationDetails({ Username: 'ada' }), {
            onSuccess: resolve, onFailure: reject,
            customChallenge: () => user.sendCustomChallengeAnswer('42', { onSuccess: resolve, onFailure: reject }),
        }));
    assert.ok(session.isValid());
    const asked = await s.api.adminInitiateAuth({ UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'CUSTOM_AUTH', AuthParameters: { USERNAME: 'ada' } });
    const { AuthenticationResult } = await s.api.adminRespondToAuthChallenge({ UserPoolId: s.poolId, ClientId: s.clientId, ChallengeName: 'CUSTOM_CHALLENGE', Session: asked.Session, ChallengeResponses: { USERNAME: 'ada', ANSWER: '42' } });
    assert.ok(AuthenticationResult.RefreshToken);
});

test('nobody: the three are told so, and no answer lets nobody in', async (t) => {
    const s = await riddlePool(t, { DefineAuthChallenge: ({ session }) => (session.length ? { issueTokens: true } : { challengeName: 'CUSTOM_CHALLENGE' }), VerifyAuthChallengeResponse: () => ({ answerCorrect: true }) }, { PreventUserExistenceErrors: 'ENABLED' });
    const asked = await begin(s, 'eve');
    assert.deepEqual([asked.ChallengeName, asked.ChallengeParameters.USERNAME], ['CUSTOM_CHALLENGE', 'eve']);
    await refused(answer(s, asked.Session, 'anything', 'eve'), 'NotAuthorizedException', 'Incorrect username or password.');
    assert.deepEqual(s.events.map(({ userName, request }) => [userName, request.userNotFound, request.userAttributes]), Array(4).fill(['eve', true, {}]));
    const open = await riddlePool(t, {}, { PreventUserExistenceErrors: 'LEGACY' });
    await refused(begin(open, 'eve'), 'UserNotFoundException', 'User does not exist.');
    assert.equal(open.events.length, 0);
});

test('who may not sign in is not asked anything', async (t) => {
    const s = await riddlePool(t);
    await s.api.signUp({ ClientId: s.clientId, Username: 'new', Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: 'new@example.org' }] });
    await refused(begin(s, 'new'), 'UserNotConfirmedException', 'User is not confirmed.');
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'ada' });
    await refused(begin(s), 'NotAuthorizedException', 'User is disabled.');
    assert.equal(s.events.length, 0);
    await s.api.adminEnableUser({ UserPoolId: s.poolId, Username: 'ada' });
    const asked = await begin(s);
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'ada' });
    await assert.rejects(answer(s, asked.Session, '42'), { name: 'NotAuthorizedException' }, 'disabled between question and answer');
});

const faults = [
    ['Define says nothing', { DefineAuthChallenge: () => ({}) }, 'InvalidLambdaResponseException'],
    ['Define names no challenge there is', { DefineAuthChallenge: () => ({ challengeName: 'RIDDLE' }) }, 'InvalidLambdaResponseException'],
    ['Define asks for a password that was not begun', { DefineAuthChallenge: () => ({ challengeName: 'PASSWORD_VERIFIER' }) }, 'InvalidParameterException', 'Missing required parameter SRP_A'],
    ['Define says both', { DefineAuthChallenge: () => ({ issueTokens: true, failAuthentication: true }) }, 'NotAuthorizedException'],
    ['Define\'s word is no word', { DefineAuthChallenge: () => ({ issueTokens: 'true' }) }, 'InvalidLambdaResponseException'],
    ['Define gives no response', { DefineAuthChallenge: () => undefined }, 'InvalidLambdaResponseException'],
    ['Create\'s parameters are no strings', { CreateAuthChallenge: () => ({ publicChallengeParameters: { n: 1 } }) }, 'InvalidLambdaResponseException'],
    ['Create keeps more than a Session can hold', { CreateAuthChallenge: () => ({ privateChallengeParameters: { x: 'x'.repeat(5000) } }) }, 'InvalidLambdaResponseException'],
];
test('triggers that answer wrongly let no token out, and the next sign-in works', async (t) => {
    const rules = {};
    const s = await riddlePool(t, {
        DefineAuthChallenge: (r) => (rules.DefineAuthChallenge ?? (({ session }) => (session.at(-1)?.challengeResult ? { issueTokens: true } : { challengeName: 'CUSTOM_CHALLENGE' })))(r),
        CreateAuthChallenge: (r) => (rules.CreateAuthChallenge ?? (() => ({ privateChallengeParameters: { answer: '42' } })))(r),
    });
    for (const [name, wrong, error, text] of faults) {
        Object.assign(rules, { DefineAuthChallenge: undefined, CreateAuthChallenge: undefined }, wrong);
        const got = await begin(s).then((out) => assert.fail(`${name}: ${JSON.stringify(out)}`), (e) => e);
        assert.equal(got.name, error, `${name}: ${got.message}`);
        if (text) assert.equal(got.message, text, name);
        Object.assign(rules, { DefineAuthChallenge: undefined, CreateAuthChallenge: undefined });
        const asked = await begin(s);
        assert.ok((await answer(s, asked.Session, '42')).AuthenticationResult, name);
    }
});

test('a secret block of this flow is not good for the plain SRP flow, nor a Session for another user or client', async (t) => {
    const s = await riddlePool(t);
    const SRP_A = 'ab'.repeat(384);
    const asked = await begin(s, 'ada', { AuthParameters: { USERNAME: 'ada', CHALLENGE_NAME: 'SRP_A', SRP_A } });
    assert.equal(asked.ChallengeName, 'PASSWORD_VERIFIER');
    assert.ok(asked.Session, 'within CUSTOM_AUTH it has a Session');
    await refused(s.api.respondToAuthChallenge({
        ClientId: s.clientId, ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: { USERNAME: 'ada', PASSWORD_CLAIM_SECRET_BLOCK: asked.ChallengeParameters.SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE: 'AAAA', TIMESTAMP: 'Sat Nov 21 09:00:00 UTC 2026' },
    }), 'NotAuthorizedException');
    await addUser(s, 'eve');
    const riddle = await begin(s);
    await refused(answer(s, riddle.Session, '42', 'eve'), 'NotAuthorizedException', 'Invalid session for the user.');
    const { UserPoolClient } = await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'other', ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await refused(answer({ ...s, clientId: UserPoolClient.ClientId }, riddle.Session, '42'), 'NotAuthorizedException', 'Invalid session for the user.');
    await refused(begin(s, 'ada', { AuthParameters: { USERNAME: 'ada', CHALLENGE_NAME: 'RIDDLE' } }), 'InvalidParameterException');
});

test('without triggers, or without leave', async (t) => {
    const server = await start(t);
    const s = await addPool(server, { client: { ExplicitAuthFlows: ['ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] } });
    await addUser(s, 'ada');
    await refused(begin(s), 'InvalidParameterException', 'Custom auth lambda trigger is not configured for the user pool.');
    const none = await addPool(server, { client: { ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'] } });
    await refused(begin(none), 'InvalidParameterException', 'CUSTOM_AUTH is not enabled for the client.');
});
