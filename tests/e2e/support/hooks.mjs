// A receiver of webhooks: verifies each as a receiver should, and answers by trigger source.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { recordingBackend } from './backends.mjs';
import { setOptions } from './userpool.mjs';

export const TRIGGERS = ['PreSignUp', 'PostConfirmation', 'PreAuthentication', 'PostAuthentication', 'CustomMessage', 'UserMigration'];

// Standard Webhooks 1.0, as README shows it: throws unless one of the signatures is right and the stamp is young.
export function verify(secret, headers, body, now_s = Date.now() / 1000, tolerance_s = 300) {
    const { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': signatures } = headers;
    assert.ok(Math.abs(now_s - Number(stamp)) <= tolerance_s, 'too old');
    const right = crypto.createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(`${id}.${stamp}.${body}`).digest();
    const given = signatures.split(' ').filter((one) => one.startsWith('v1,')).map((one) => Buffer.from(one.slice(3), 'base64'));
    assert.ok(given.some((one) => one.length === right.length && crypto.timingSafeEqual(one, right)), 'no right signature');
    return JSON.parse(body);
}

export async function rotate({ server, poolId }) {
    const answer = await server.fetch(`/_gatehouse/user-pools/${poolId}/webhook-secret`, { method: 'POST' });
    assert.equal(answer.status, 200);
    return (await answer.json()).secret;
}

// answers: { 'PreSignUp_SignUp': { autoConfirmUser: true }, 'PreAuthentication_Authentication': (event) => …,
// … }: an object is the response; a function gives one, or { status, body } to be sent as it is. Others: the event as it came.
// events: what came, verified, in order.
export async function hookUp(t, pool, triggers = TRIGGERS, answers = {}) {
    const hooks = { events: [], answers, secret: await rotate(pool) };
    const backend = await recordingBackend(t, async ({ headers, body }) => {
        const event = verify(hooks.secret, headers, body);
        hooks.events.push(event);
        let answer = hooks.answers[event.triggerSource];
        if (typeof answer === 'function') answer = await answer(event);
        if (answer?.status) return { body: '', ...answer };
        return { body: JSON.stringify({ ...event, response: answer ?? event.response }) };
    });
    hooks.url = backend.url;
    hooks.requests = backend.requests;
    // What came since the last look, as triggerSources.
    hooks.sources = () => hooks.events.splice(0).map((event) => event.triggerSource);
    await setOptions(pool, Object.fromEntries(triggers.map((trigger) => [`webhook.${trigger}`, hooks.url])));
    return hooks;
}

export const throwing = (errorMessage) => () => ({ status: 400, body: JSON.stringify({ errorMessage }) });
