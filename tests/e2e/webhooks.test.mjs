// Triggers as webhooks: signed, tried again, limited; secrets that change without a break.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { faultBackend, recordingBackend } from './support/backends.mjs';
import { binary, rootKey, run, scratch, start } from './support/harness.mjs';
import { hookUp, rotate, throwing, verify } from './support/hooks.mjs';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { signed } from './support/sign.mjs';
import { addUser, PASSWORD, refused, setOptions, setUp, signIn } from './support/userpool.mjs';

const at = ({ poolId }, what) => `/_gatehouse/user-pools/${poolId}/${what}`;
const failed = (why) => `PreAuthentication invocation failed due to error webhook: ${why}.`;

async function hooked(t) {
    const pool = await setUp(t);
    await addUser(pool, 'ann');
    return { pool, hooks: await hookUp(t, pool, ['PreAuthentication']) };
}

test('signed over id, time and body; what was altered or is old does not verify', async (t) => {
    const { pool, hooks } = await hooked(t);
    await signIn(pool, 'ann');
    const [{ headers, body, method }] = hooks.requests;
    assert.equal(method, 'POST');
    assert.equal(headers['content-type'], 'application/json');
    assert.match(headers['webhook-id'], /^[0-9a-f-]{36}$/);
    verify(hooks.secret, headers, body);
    const altered = [
        [headers, body.replace('ann', 'eve')],
        [{ ...headers, 'webhook-id': headers['webhook-id'].replace(/^./, (c) => (c === '0' ? '1' : '0')) }, body],
        [{ ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }, body],
        [{ ...headers, 'webhook-signature': 'v1,AAAA' }, body],
    ];
    for (const [h, b] of altered) assert.throws(() => verify(hooks.secret, h, b), /no right signature/);
    assert.throws(() => verify(otherSecret, headers, body), /no right signature/, "another pool's secret");
    assert.throws(() => verify(hooks.secret, headers, body, Date.now() / 1000 + 301), /too old/);
});
const otherSecret = `whsec_${Buffer.alloc(32).toString('base64')}`;

test('two secrets are good at a time; one is shown once, and kept sealed', async (t) => {
    const { pool, hooks } = await hooked(t);
    const first = hooks.secret, second = await rotate(pool);
    assert.notEqual(first, second);
    await signIn(pool, 'ann');
    const { headers, body } = hooks.requests.at(-1);
    for (const secret of [first, second]) verify(secret, headers, body);
    assert.equal(headers['webhook-signature'].split(' ').length, 2);

    const shown = await (await pool.server.fetch(at(pool, 'webhook-secret'))).json();
    assert.deepEqual(Object.keys(shown), ['created']);
    assert.equal(shown.created.length, 2);
    hooks.secret = second;
    assert.equal((await (await pool.server.fetch(at(pool, 'webhook-secret'), { method: 'DELETE' })).json()).created.length, 1);
    await signIn(pool, 'ann');
    assert.throws(() => verify(first, hooks.requests.at(-1).headers, hooks.requests.at(-1).body), /no right signature/);
    const third = await rotate(pool), fourth = await rotate(pool);
    hooks.secret = third;
    await signIn(pool, 'ann');
    assert.throws(() => verify(second, hooks.requests.at(-1).headers, hooks.requests.at(-1).body), /no right signature/, 'a third takes the first away');
    assert.ok(![first, second, third, fourth].some((secret) => pool.server.log().includes(secret.slice(6))), 'never in the log');

    await pool.server.restart();
    await signIn(pool, 'ann');
    verify(fourth, hooks.requests.at(-1).headers, hooks.requests.at(-1).body);
});

test('who is disabled or deleted while he signs in gets no tokens', async (t) => {
    const { pool, hooks } = await hooked(t);
    const { api, poolId } = pool;
    hooks.answers.PreAuthentication_Authentication = async () => void (await api.adminDisableUser({ UserPoolId: poolId, Username: 'ann' }));
    await refused(signIn(pool, 'ann'), 'NotAuthorizedException', 'User is disabled.');
    await api.adminEnableUser({ UserPoolId: poolId, Username: 'ann' });
    hooks.answers.PreAuthentication_Authentication = undefined;
    assert.ok((await signIn(pool, 'ann')).AuthenticationResult);
    hooks.answers.PreAuthentication_Authentication = async () => void (await api.adminDeleteUser({ UserPoolId: poolId, Username: 'ann' }));
    await refused(signIn(pool, 'ann'), 'NotAuthorizedException', 'Incorrect username or password.');
});

test('connect failures, timeouts and 5xx are tried three times; all tries are one event', async (t) => {
    const { pool, hooks } = await hooked(t);
    await setOptions(pool, { triggerTimeoutMs: 200 });
    let n = 0;
    hooks.answers.PreAuthentication_Authentication = () => (++n < 3 ? { status: 503 } : undefined);
    assert.ok((await signIn(pool, 'ann')).AuthenticationResult, 'the third try was good');
    assert.equal(hooks.requests.length, 3);
    assert.equal(new Set(hooks.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal(new Set(hooks.requests.map(({ body }) => body)).size, 1);

    hooks.answers.PreAuthentication_Authentication = () => ({ status: 500 });
    await refused(signIn(pool, 'ann'), 'UnexpectedLambdaException', failed('it answered 500'));
    assert.equal(hooks.requests.splice(0).length, 6);
    const once = [
        [{ status: 400, body: 'no' }, 'UnexpectedLambdaException', failed('it answered 400')],
        [{ status: 302, headers: { location: hooks.url } }, 'UnexpectedLambdaException', failed('it answered 302')],
        [throwing('closed')(), 'UserLambdaValidationException', 'PreAuthentication failed with error closed.'],
        [{ status: 200, body: 'null' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [{ status: 200, body: '{"response":' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [{ status: 200, body: '[]' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [{ status: 200, body: '{}' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
        [{ status: 200, body: '' }, 'InvalidLambdaResponseException', 'Unrecognizable lambda output'],
    ];
    for (const [answer, name, message] of once) {
        hooks.answers.PreAuthentication_Authentication = () => answer;
        await refused(signIn(pool, 'ann'), name, message);
        assert.equal(hooks.requests.splice(0).length, 1, message);
    }
    hooks.answers.PreAuthentication_Authentication = () => ({ status: 200, body: `{"response":{},"x":"${'y'.repeat(1024 * 1024)}"}` });
    await refused(signIn(pool, 'ann'), 'UnexpectedLambdaException', failed('its answer is too large'));

    for (const kind of ['stall', 'stall_in_body', 'reset', 'garbage', 'short_body']) {
        const fault = await faultBackend(t, kind);
        await setOptions(pool, { 'webhook.PreAuthentication': fault.url });
        await refused(signIn(pool, 'ann'), 'UnexpectedLambdaException', /^PreAuthentication invocation failed due to error webhook: /);
        assert.ok(fault.requests >= 3, kind);
    }
    const { url } = await faultBackend(t, 'refuse');
    await setOptions(pool, { 'webhook.PreAuthentication': url });
    await refused(signIn(pool, 'ann'), 'UnexpectedLambdaException', /webhook: /);
    await setOptions(pool, { 'webhook.PreAuthentication': null });
    assert.ok((await signIn(pool, 'ann')).AuthenticationResult, 'and the next one works');
});

test('where a webhook may go', async (t) => {
    const pool = await setUp(t);
    await addUser(pool, 'ann');
    const bad = ['http://192.0.2.1/', 'http://example.org/', 'ftp://example.org/', 'https://user:pass@example.org/', 'https://example.org/#x', 'example.org', 'arn:aws:lambda:us-east-1:000000000000:function:f', ''];
    for (const url of bad) {
        const answer = await pool.server.fetch(at(pool, 'options'), { method: 'PATCH', body: JSON.stringify({ 'webhook.PreAuthentication': url }) });
        assert.equal(answer.status, 400, url);
        assert.match((await answer.json()).message, /webhook\.PreAuthentication/);
    }
    // Without a secret nothing is sent.
    const inbox = await recordingBackend(t);
    await setOptions(pool, { 'webhook.PreAuthentication': inbox.url });
    await refused(signIn(pool, 'ann'), 'UnexpectedLambdaException', failed('the pool has no webhook secret yet'));
    assert.equal(inbox.requests.length, 0);
});

test('serve mode: loopback is shut, and only who may update the pool changes secrets', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const credentials = rootKey(server);
    const send = (command) => server.client(idp.CognitoIdentityProviderClient, { credentials }).send(command);
    const { UserPool } = await send(new idp.CreateUserPoolCommand({ PoolName: 'p' }));
    const { UserPoolClient } = await send(new idp.CreateUserPoolClientCommand({ UserPoolId: UserPool.Id, ClientName: 'c', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'], PreventUserExistenceErrors: 'ENABLED' }));
    const path = `${server.url}/_gatehouse/user-pools/${UserPool.Id}`;
    const inbox = await recordingBackend(t);
    for (const method of ['GET', 'POST', 'DELETE']) assert.equal((await fetch(`${path}/webhook-secret`, { method })).status, 400, method);
    assert.equal((await signed(`${path}/webhook-secret`, credentials, { method: 'POST', service: 'cognito-idp' })).status, 200);
    assert.equal((await signed(`${path}/options`, credentials, { method: 'PATCH', service: 'cognito-idp', body: JSON.stringify({ 'webhook.PreAuthentication': inbox.url }) })).status, 200);
    await refused(send(new idp.InitiateAuthCommand({ ClientId: UserPoolClient.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'x', PASSWORD: 'y' } })),
        'UnexpectedLambdaException', /^PreAuthentication invocation failed due to error webhook: /);
    assert.equal(inbox.requests.length, 0);
});

test('hooks that call back while many more wait than there are threads', async (t) => {
    const pool = await setUp(t);
    const { api, poolId: UserPoolId, clientId: ClientId } = pool;
    await api.createGroup({ UserPoolId, GroupName: 'new' });
    const hooks = await hookUp(t, pool, ['PreSignUp', 'PostConfirmation']);
    await setOptions(pool, { triggerTimeoutMs: 60000 });
    hooks.answers.PreSignUp_SignUp = { autoConfirmUser: true };
    let arrived = 0, go;
    const all = new Promise((resolve) => (go = resolve));
    const people = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    hooks.answers.PostConfirmation_ConfirmSignUp = async ({ userName }) => {
        if (++arrived === people.length) go();
        await all; // everybody waits for a hook by now
        await api.adminAddUserToGroup({ UserPoolId, Username: userName, GroupName: 'new' });
    };
    const answers = await Promise.all(people.map((Username) => api.signUp({ ClientId, Username, Password: 'Engine-1843!' })));
    assert.ok(answers.every((answer) => answer.UserConfirmed));
    assert.equal((await api.listUsersInGroup({ UserPoolId, GroupName: 'new' })).Users.length, people.length);
});

test('webhooks and their secret go along when a pool moves to another server', async (t) => {
    const { pool, hooks } = await hooked(t);
    const file = path.join(scratch(t), 'pool.json'), env = { GATEHOUSE_PASSPHRASE: 'a passphrase that is long' };
    const written = await run(binary(), ['pool', 'export', pool.poolId, file], { env: { ...env, AWS_ENDPOINT_URL: pool.server.url } });
    assert.equal(written.code, 0, written.stderr);
    const server = await start(t);
    const read = await run(binary(), ['pool', 'import', file], { env: { ...env, AWS_ENDPOINT_URL: server.url } });
    assert.equal(read.code, 0, read.stderr);
    const send = (command) => server.client(idp.CognitoIdentityProviderClient).send(command);
    const { AuthenticationResult } = await send(new idp.InitiateAuthCommand({ ClientId: pool.clientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ann', PASSWORD } }));
    assert.ok(AuthenticationResult);
    assert.deepEqual(hooks.sources(), ['PreAuthentication_Authentication']);
});
